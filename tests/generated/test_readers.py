"""A fix that forgets who else reads a distribution is found out by what these see."""

from __future__ import annotations

import ast

import pytest

from kl_lint.flow.scope import Scope
from tests.generated.examination import Examined, facts_of
from tests.generated.fixes import fix_failures
from tests.generated.grammar import Program, Step
from tests.generated.readers import FRAMES, READERS
from tests.generated.test_grammar import SOFTMAX, program

pytestmark = pytest.mark.no_cover

PROGRAMS = (
    *(program(Step(reader), making=SOFTMAX) for reader in READERS),
    *(program(making=SOFTMAX, frame=frame) for frame in FRAMES),
)
FIRST, LAST = slice(0, 1), slice(-1, None)


def complaints(written: Program) -> list[str]:
    facts_of.cache_clear()
    return [*fix_failures(written, Examined(written.source, written.sizes))]


def only(monkeypatch: pytest.MonkeyPatch, which: slice) -> None:
    """Let kl-lint know of one reader of each name."""
    every = Scope.reads_outside

    def some(scope: Scope, name: str, statement: ast.stmt) -> tuple[list[ast.Name], list[ast.Name]]:
        before, later = every(scope, name, statement)
        return before, later[which]

    monkeypatch.setattr(Scope, "reads_outside", some)


def test_no_reader_is_forgotten() -> None:
    assert not [complaint for written in PROGRAMS for complaint in complaints(written)]


def test_a_forgotten_reader_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but those that a fix does not come near: what a helper returns twice, say, stays what it is."""
    found = set()
    for which in (FIRST, LAST):
        with monkeypatch.context() as patch:
            only(patch, which)
            found |= {written for written in PROGRAMS if complaints(written)}
    facts_of.cache_clear()
    assert len(found) >= len(PROGRAMS) - 8, [written.source for written in PROGRAMS if written not in found]
