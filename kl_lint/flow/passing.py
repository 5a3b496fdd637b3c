"""Whether functions of the program that are given a distribution on its way to a KL call do nothing but pass it on.

What they print, keep or compute of it would change with it.
"""

from __future__ import annotations

import ast
from itertools import pairwise

from kl_lint.flow.frame import Frame
from kl_lint.flow.objects import find_member
from kl_lint.flow.scope import kept
from kl_lint.flow.syntax import way
from kl_lint.flow.values import Bound, Class, Function, Instance, Value, options_of

__all__ = ["only_passed_on"]

DEEPEST = 3
"""How many functions are followed that hand on to each other."""
ABOUT_SHAPE = frozenset(
    {"shape", "size", "dim", "ndim", "ndimension", "device", "dtype", "numel", "new_zeros", "new_ones", "requires_grad"}
)
"""Attributes of a tensor that do not depend on its elements."""


def only_passed_on(frame: Frame, found: tuple[ast.AST, ...], depth: int = DEEPEST) -> bool:
    """Whether each call on a way, from an expression down to what it is made of, hands on what it is given, as far as
    one can tell.
    """
    for call, inner in pairwise(found):
        if isinstance(call, ast.Call) and inner is not call.func:
            for function, bound in callees(frame, call.func):
                name = parameter(function, call, inner, bound)
                if name is not None and (depth == 0 or not passes_on(frame, function, name, depth)):
                    return False
    return True


def callees(frame: Frame, node: ast.expr) -> list[tuple[Function, bool]]:
    """The functions of the program that a call enters, and whether they have a receiver."""
    if not is_plain(node):
        return []
    found = (called(option) for _, option in options_of(frame.machine.evaluate(frame, node)))
    return [one for one in found if one is not None]


def called(value: Value) -> tuple[Function, bool] | None:
    """The function of the program that a call of a value enters."""
    match value:
        case Function():
            return value, False
        case Bound(function=Function() as function):
            return function, True
        case Class() as cls:
            return method(cls, "__init__")
        case Instance(cls=cls):
            return method(cls, "__call__") or method(cls, "forward")
        case _:
            return None


def method(cls: Class, name: str) -> tuple[Function, bool] | None:
    """A method of a class that is a function of the program."""
    found = find_member(cls, name)
    return (found[0], True) if found is not None and isinstance(found[0], Function) else None


def is_plain(node: ast.expr) -> bool:
    """Whether an expression is a dotted name, which can be looked up again."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def parameter(function: Function, call: ast.Call, given: ast.AST, bound: bool) -> str | None:
    """The parameter that an argument goes to; None where nothing is to be read of it."""
    signature = function.node.args
    if isinstance(given, ast.keyword):
        names = {one.arg for one in (*signature.posonlyargs, *signature.args, *signature.kwonlyargs)}
        return given.arg if given.arg in names or signature.kwarg is None else signature.kwarg.arg
    names_in_order = [one.arg for one in (*signature.posonlyargs, *signature.args)][bound:]
    index = next((i for i, node in enumerate(call.args) if node is given), len(names_in_order))
    if index < len(names_in_order):
        return names_in_order[index]
    return signature.vararg.arg if signature.vararg is not None else None


def passes_on(frame: Frame, function: Function, name: str, depth: int) -> bool:
    """Whether a function reads the elements of a parameter once, and hands them on where it does."""
    node = function.node
    ways = [way(node, load) for load in kept(frame.machine.scopes, node).loads.get(name, ())]
    telling = [one for one in ways if not is_about_shape(one)]
    return len(telling) <= 1 and all(only_passed_on(function.frame, one, depth - 1) for one in telling)


def is_about_shape(found: tuple[ast.AST, ...]) -> bool:
    """Whether what stands around a name reads no element of it."""
    match found[-2:]:
        case (ast.Attribute(attr=attribute), _):
            return attribute in ABOUT_SHAPE
        case (ast.Compare(ops=[ast.Is() | ast.IsNot()]), _):
            return True
        case _:
            return False
