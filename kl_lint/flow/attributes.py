"""Which attributes of its object a method writes, as its text tells: those that it binds, and those that it changes."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from kl_lint.flow.slicing import mutates
from kl_lint.flow.syntax import walk

__all__ = ["REGISTERING", "WrittenAttributes", "attributes_written"]

REGISTERING = frozenset({"register_buffer", "register_parameter", "register_module", "add_module"})
"""The methods of a module that bind an attribute whose name they are given."""


@dataclass(frozen=True, slots=True)
class WrittenAttributes:
    """The attributes of `self` that a method binds, and those that it makes of what they were: it adds to them, or
    writes into them.
    """

    bound: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()


def attributes_written(function: ast.AST, receiver: str) -> WrittenAttributes:
    """What a method writes on the object that it knows as `receiver`."""
    bound: set[str] = set()
    changed: set[str] = set()
    for node in walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()) if name == receiver:
                bound.add(node.attr)
            case ast.AugAssign(target=target):
                changed.update(reached_from(target, receiver))
            case ast.Assign(targets=targets, value=value):
                again = {name for target in targets for name in reached_from(target, receiver)}
                if again:
                    changed |= again & attributes_read(value, receiver)
            case ast.Subscript(value=base, ctx=ast.Store() | ast.Del()):
                changed.update(reached_from(base, receiver))
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=method),
                args=[ast.Constant(value=str() as literal), *_],
            ) if name == receiver and method in REGISTERING:
                bound.add(literal)
            case ast.Call(
                func=ast.Name(id="setattr"), args=[ast.Name(id=name), ast.Constant(value=str() as literal), _]
            ) if name == receiver:
                bound.add(literal)
            case ast.Call(func=ast.Attribute(value=base, attr=method)) if mutates(method):
                changed.update(reached_from(base, receiver))
            case _:
                pass
    return WrittenAttributes(frozenset(bound), frozenset(changed))


def attributes_read(node: ast.expr, receiver: str) -> set[str]:
    """The attributes of `receiver` that an expression reads."""
    return {
        inner.attr
        for inner in walk(node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == receiver
    }


def reached_from(node: ast.expr, receiver: str) -> tuple[str, ...]:
    """The attribute of `receiver` whose object a write through `node` changes, if it is one."""
    while True:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == receiver:
                return (attribute,)
            case ast.Attribute(value=base, attr="data") | ast.Subscript(value=base):
                node = base
            case ast.Call(func=ast.Attribute(value=base)):  # a view, or what a method that writes has returned
                node = base
            case _:
                return ()
