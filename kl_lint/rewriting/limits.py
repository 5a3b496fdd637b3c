"""What libcst is not asked to read, since it would not come back.

It recurses, in Rust, and where that exhausts the stack the process is gone: no exception tells of it. And it takes up
to four times as long for each bracket more around a pattern of a `match`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from kl_lint.rewriting.lines import Lines
from kl_lint.rewriting.refusal import Refused

__all__ = ["refuse_what_is_too_deep"]

_DEEPEST = 1000
"""The levels of libcst's tree. Several times as many pass on a stack of 8 MB."""
_DEEPEST_PATTERN = 5
"""The brackets within brackets in a pattern: with these, one takes milliseconds."""


def refuse_what_is_too_deep(statements: Sequence[ast.stmt], lines: Lines) -> None:
    """Raise Refused where libcst is not to read `statements`, which stand in `lines`."""
    waiting: list[tuple[ast.AST, int]] = [(statement, 0) for statement in statements]
    while waiting:
        node, above = waiting.pop()
        depth = above + _levels(node, lines)
        if depth > _DEEPEST:
            raise Refused("an expression is nested too deeply for libcst")
        if isinstance(node, ast.Match) and any(_brackets(text) > _DEEPEST_PATTERN for text in _patterns(node, lines)):
            raise Refused("a pattern of a match is nested too deeply for libcst")
        waiting += [(child, depth) for child in ast.iter_child_nodes(node)]


def _levels(node: ast.AST, lines: Lines) -> int:
    """How many levels of libcst's tree a node stands for, or more: a chain of operands is one node of `ast`."""
    match node:
        case ast.BoolOp(values=chain) | ast.Compare(comparators=chain):
            return len(chain)
        case (
            ast.ListComp(generators=loops)
            | ast.SetComp(generators=loops)
            | ast.DictComp(generators=loops)
            | ast.GeneratorExp(generators=loops)
        ):
            return len(loops)
        case ast.alias(name=name):
            return 1 + name.count(".")
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            start, end = lines.node_range(node)
            quotes = lines.text.count("'", start, end) + lines.text.count('"', start, end)
            return max(1, quotes // 2)  # it may be made of as many strings, one after the other
        case _:
            return 1


def _patterns(node: ast.Match, lines: Lines) -> Iterator[str]:
    """The text of each pattern, its brackets included, and little else."""
    _, start = lines.node_range(node.subject)
    for case in node.cases:
        end, _ = lines.node_range(case.body[0])
        yield lines.text[start:end]
        _, start = lines.node_range(case.body[-1])


def _brackets(text: str) -> int:
    """How many brackets are open at once."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest
