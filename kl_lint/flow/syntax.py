"""Walking syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["walk"]

LABELS = frozenset(
    "arg asname attr conversion ctx id is_async kind kwd_attrs level module op ops rest simple str tag "
    "type_comment".split()
)
"""The fields that hold no node, or one that says nothing by itself: a context, an operator."""
NAMELESS = frozenset({ast.Constant, ast.MatchSingleton, ast.Global, ast.Nonlocal})
"""The nodes without any node below, whatever their fields are called elsewhere."""


def kinds_of(kind: type[ast.AST]) -> Iterator[type[ast.AST]]:
    """A kind of nodes and all that derive from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from kinds_of(derived)


def fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of nodes in which nodes may stand."""
    if kind in NAMELESS:
        return ()
    named = kind.__name__ != "TypeAlias"  # the one whose name is a node
    return tuple(name for name in kind._fields if name not in LABELS and not (named and name == "name"))


FIELDS = {kind: fields_of(kind) for kind in kinds_of(ast.AST)}


def walk(node: ast.AST) -> list[ast.AST]:
    """Every node below (and with) `node`, level by level, contexts and operators left out: as `ast.walk`, at a third of
    its cost.
    """
    found = [node]
    for node in found:
        fields = FIELDS.get(node.__class__)
        for name in fields_of(node.__class__) if fields is None else fields:
            child = getattr(node, name, None)
            if child.__class__ is list:
                found += child if None not in child else [one for one in child if one is not None]
            elif child is not None:
                found.append(child)
    return found
