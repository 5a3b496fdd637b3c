"""Whether functions of the program that are given a distribution on its way to a KL call do nothing but pass it on.

What they print, keep or compute of it would change with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from kl_lint.flow.frame import Frame
from kl_lint.flow.objects import find_member
from kl_lint.flow.scope import kept
from kl_lint.flow.syntax import parameter_names, way
from kl_lint.flow.values import Bound, Class, Function, Instance, Symbol, Unknown, Value, options_of

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
            for value in callees(frame, call.func):
                if isinstance(value, Unknown):
                    return False
                entered = called(value)
                name = parameter(entered[0], call, inner, entered[1]) if entered is not None else None
                if entered is not None and name is not None and not passes_on(frame, entered[0], name, depth):
                    return False
    return True


def callees(frame: Frame, node: ast.expr) -> Iterator[Value]:
    """What a call may call. Only names are looked up again, and what is built in place by a class of that name."""
    built = isinstance(node, ast.Call)
    name = node.func if isinstance(node, ast.Call) else node
    if not is_plain(name):
        yield Unknown(0)
        return
    for _, option in options_of(frame.machine.evaluate(frame, name)):
        if isinstance(option, Class) and built:
            yield Instance(option)
        elif not built or isinstance(option, Symbol):
            yield option
        else:
            yield Unknown(0)


def called(value: Value) -> tuple[Function, bool] | None:
    """The function of the program that a call of a value enters, and whether it has a receiver."""
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
        return given.arg if given.arg in parameter_names(signature) or signature.kwarg is None else signature.kwarg.arg
    names_in_order = [one.arg for one in (*signature.posonlyargs, *signature.args)][bound:]
    index = next((i for i, node in enumerate(call.args) if node is given), len(names_in_order))
    if index < len(names_in_order):
        return names_in_order[index]
    return signature.vararg.arg if signature.vararg is not None else None


def passes_on(frame: Frame, function: Function, name: str, depth: int) -> bool:
    """Whether a function reads the elements of a parameter once, and hands them on where it does."""
    if depth == 0:
        return False
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
