"""Walking syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["walk"]

LEAVES = frozenset(
    {
        ast.Load,
        ast.Store,
        ast.Del,
        *ast.operator.__subclasses__(),
        *ast.unaryop.__subclasses__(),
        *ast.cmpop.__subclasses__(),
    }
)
"""Nodes that say nothing by themselves."""


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below (and with) `node`, in no order, contexts and operators left out: as `ast.walk`, at a third of
    its cost.
    """
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        for name in node._fields:
            child: object = getattr(node, name, None)
            kind = child.__class__
            if isinstance(child, list):
                stack.extend(inner for inner in child if isinstance(inner, ast.AST))
            elif kind is not str and kind not in LEAVES and isinstance(child, ast.AST):
                stack.append(child)
