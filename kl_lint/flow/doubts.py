"""A function that asks what a parameter holds before it uses it (`if p.min() < 0`, `if is_distribution(p)`) deals with
more than one kind of tensor: in its arms nothing is taken for certain of that parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import choose
from kl_lint.flow.syntax import parameter_names, walk
from kl_lint.flow.values import Space, Tensor, Unknown, Value, options_of

__all__ = ["Doubts", "doubted"]

Doubts = Mapping[str, Value]
"""By the names of parameters, what is left to be known of them."""

ELSEWHERE = frozenset(
    {"isinstance", "issubclass", "hasattr", "getattr", "callable", "len", "type", "id", "print", "str"}
)
"""The builtins that ask for something else than what a tensor holds."""
FORM = frozenset(
    """size dim ndimension numel nelement stride get_device is_contiguous isnan isinf isfinite isneginf isposinf
    is_tensor is_same_size is_leaf is_sparse""".split()
)
"""The functions of torch and methods of a tensor that do: for its form, or whether it can be computed with at all."""
PASSED_ON = frozenset({"dtype", "data", "T", "mT", "values"})
"""The attributes of a tensor that tell what it holds; most tell of its form."""


def doubted(frame: Frame, test: ast.expr, body: Sequence[ast.stmt]) -> Doubts:
    """The parameters that a test asks for what they hold and of which its arm makes use, each with what is left to be
    known of it. An arm that only raises is none: it refuses what it is not written for.
    """
    if frame.function is None or not body or isinstance(body[-1], ast.Raise):
        return {}
    names = set(asked(test))
    if not names:
        return {}
    names &= parameter_names(frame.function.node.args) & {
        node.id for statement in body for node in walk(statement) if isinstance(node, ast.Name)
    }
    return {name: uncertain(frame, frame.variables[name], test) for name in sorted(names) if name in frame.variables}


def uncertain(frame: Frame, value: Value, test: ast.expr) -> Value:
    """A tensor of the same form, that holds anything; what is none is what it is."""
    numbers = frame.machine.numbers

    def one(held: Value) -> Value:
        match held:
            case Tensor(number=number, rank=rank, gradient=gradient) if held.space is not Space.UNKNOWN:
                return Tensor(numbers.of("asked", number, (id(test),)), rank=rank, gradient=gradient)
            case Tensor(number=number) | Unknown(number=number):
                return Unknown(numbers.of("asked", number, (id(test),)))
            case _:
                return held

    return choose([(guards, one(held)) for guards, held in options_of(value)], numbers)


def asked(test: ast.expr) -> Iterator[str]:
    """The variables that a test asks for what they hold."""
    match test:
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from asked(part)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from asked(operand)
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], left=left, comparators=[right]):
            if isinstance(left, ast.Name) and isinstance(right, ast.Name):
                yield from (left.id, right.id)
        case ast.Compare() | ast.Call():
            yield from contents(test)
        case _:
            pass


def contents(node: ast.expr) -> Iterator[str]:
    """The variables on whose contents the value of an expression depends."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Attribute(value=base, attr=name) if name in PASSED_ON:
            yield from contents(base)
        case ast.Call(func=ast.Name(id=name)) if name in ELSEWHERE:
            pass
        case ast.Call(func=ast.Attribute(attr=name)) if name in FORM:
            pass
        case ast.Call(func=func, args=arguments, keywords=keywords):
            if isinstance(func, ast.Attribute):
                yield from contents(func.value)
            for argument in (*arguments, *(keyword.value for keyword in keywords)):
                yield from contents(argument)
        case ast.Compare(left=left, comparators=others):
            for part in (left, *others):
                yield from contents(part)
        case ast.BinOp(left=left, right=right):
            yield from contents(left)
            yield from contents(right)
        case ast.UnaryOp(operand=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
            yield from contents(inner)
        case _:
            pass
