"""Which attributes of its object a method writes."""

from __future__ import annotations

import ast
import textwrap

import pytest

from kl_lint.flow.attributes import WrittenAttributes, attributes_written

BOUND = {
    "self.a = 1",
    "self.a: int = 1",
    "self.a, b = 1, 2",
    "for self.a in b: pass",
    "self.register_buffer('a', b)",
    "setattr(self, 'a', b)",
    "self.a = self.b",
}
CHANGED = {
    "self.a[0] = b",
    "self.a[0][1] = b",
    "self.a.data[0] = b",
    "del self.a[0]",
    "self.a.append(b)",
    "self.a[0].append(b)",
    "self.a.mul_(2).add_(b)",
    "self.a.view(-1).fill_(0)",
    "self.a[0] += b",
}
BOTH = {"self.a += 1", "self.a = self.a + 1", "self.a = f(b, self.a[0])"}
NEITHER = {
    "self.a",
    "a = self.a",
    "self.a.b = 1",
    "other.a = 1",
    "other.a.append(b)",
    "b[self.a] = 1",
    "self.register_hook('a', b)",
    "self.a.size()",
    "setattr(other, 'a', b)",
    "setattr(self, a, b)",
    "self[0] = a",
}
NAMED = frozenset({"a"})


def written(statement: str) -> WrittenAttributes:
    (method,) = ast.parse(f"def method(self):\n{textwrap.indent(statement, '    ')}").body
    return attributes_written(method, "self")


@pytest.mark.parametrize("statement", sorted(BOUND))
def test_bound(statement: str) -> None:
    assert written(statement) == WrittenAttributes(bound=NAMED)


@pytest.mark.parametrize("statement", sorted(CHANGED))
def test_changed(statement: str) -> None:
    assert written(statement) == WrittenAttributes(changed=NAMED)


@pytest.mark.parametrize("statement", sorted(BOTH))
def test_made_of_what_it_was(statement: str) -> None:
    assert written(statement) == WrittenAttributes(NAMED, NAMED)


@pytest.mark.parametrize("statement", sorted(NEITHER))
def test_not_written(statement: str) -> None:
    assert "a" not in written(statement).bound | written(statement).changed
