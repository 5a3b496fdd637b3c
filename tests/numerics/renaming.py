"""The same program under other names: every local of a function becomes `local_1`, `local_2` and so on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["with_other_locals"]

_MEANINGFUL = ("eps", "tiny")
"""What a name begins with that says that the number is a guard."""


def with_other_locals(source: str) -> str:
    """The source with the locals of its top-level functions and methods renamed, parameters left alone.

    Their order of appearance numbers them, so that two texts with the same locals get the same names.
    """
    lines = source.splitlines(keepends=True)
    places = sorted(_places(ast.parse(source)), key=lambda place: place[0], reverse=True)
    for (row, column), old, new in places:
        line = lines[row - 1].encode()
        assert line[column:].startswith(old.encode())
        lines[row - 1] = (line[:column] + new.encode() + line[column + len(old.encode()) :]).decode()
    return "".join(lines)


def _places(tree: ast.Module) -> Iterator[tuple[tuple[int, int], str, str]]:
    """Where a local stands, what it is called, and what it is to be called."""
    for function in _functions(tree):
        names = {old: f"local_{number}" for number, old in enumerate(_locals(function), start=1)}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in names:
                yield (node.lineno, node.col_offset), node.id, names[node.id]


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (member for member in members if isinstance(member, ast.FunctionDef))


def _locals(function: ast.FunctionDef) -> list[str]:
    """The names that a function assigns, in order; not those that are anything else as well."""
    taken: set[str] = set()
    assigned: dict[str, tuple[int, int]] = {}
    for node in ast.walk(function):
        match node:
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.alias(name=name):
                taken.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                taken.update(names)
            case ast.Name(id=name, ctx=ast.Store()):
                place = node.lineno, node.col_offset
                assigned[name] = min(place, assigned.get(name, place))
    names = sorted(assigned, key=lambda name: assigned[name])
    return [name for name in names if name not in taken and not name.lower().startswith(_MEANINGFUL)]
