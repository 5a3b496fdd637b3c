"""What a program tells of the number of dimensions of a tensor: `a, b = x.shape`, `assert x.dim() == 2`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from kl_lint.flow.frame import Frame
from kl_lint.flow.values import Tensor, Unknown, Value, options_of

__all__ = ["asserted_ranks", "has_more_dims", "prove_rank"]


def prove_rank(frame: Frame, held: Value, rank: int) -> None:
    """Every name of the tensor `held` knows its rank from here on.

    Not where one was bound before the present arm of a branch, or turn of a loop: there it holds for that arm only,
    which is not worth an alternative.
    """
    here = frame.journals[-1] if frame.journals else None
    if here is not None and any(value is held and name not in here for name, value in frame.variables.items()):
        return
    match held:
        case Tensor(rank=None):
            frame.replace_object(held, replace(held, rank=rank))
        case Unknown(form=None):
            frame.replace_object(held, Tensor(held.number, rank=rank))
        case _:
            pass


def asserted_ranks(test: ast.expr) -> Iterator[tuple[ast.expr, int]]:
    """The tensors whose rank a test gives where it is true, and that rank."""
    match test:
        case ast.BoolOp(op=ast.And(), values=parts):
            for part in parts:
                yield from asserted_ranks(part)
        case ast.Compare(left=asked, ops=[ast.Eq()], comparators=[ast.Constant(value=int() as rank)]):
            tensor = _asked_for(asked)
            if tensor is not None:
                yield tensor, rank
        case _:
            pass


def has_more_dims(frame: Frame, test: ast.Compare) -> bool:
    """Whether a test asks for more dims than a number, and the tensor has them for certain: a distribution along dim 1
    has two at least.
    """
    match test:
        case ast.Compare(
            left=asked, ops=[ast.Gt() | ast.GtE() as order], comparators=[ast.Constant(value=int() as few)]
        ):
            tensor = _asked_for(asked)
        case _:
            return False
    if tensor is None:
        return False
    needed = few + 1 if isinstance(order, ast.Gt) else few
    held = options_of(frame.machine.evaluate(frame, tensor))
    return all(isinstance(one, Tensor) and least_rank(one) >= needed for _, one in held)


def least_rank(tensor: Tensor) -> int:
    """How many dims a tensor has at least."""
    if tensor.rank is not None or tensor.dim is None:
        return tensor.rank or 0
    return tensor.dim + 1 if tensor.dim >= 0 else -tensor.dim


def _asked_for(node: ast.expr) -> ast.expr | None:
    """The tensor of whose rank an expression is."""
    match node:
        case ast.Attribute(value=tensor, attr="ndim"):
            return tensor
        case ast.Call(func=ast.Attribute(value=tensor, attr="dim" | "ndimension"), args=[], keywords=[]):
            return tensor
        case ast.Call(func=ast.Name(id="len"), args=[ast.Attribute(value=tensor, attr="shape")], keywords=[]):
            return tensor
        case ast.Call(
            func=ast.Name(id="len"),
            args=[ast.Call(func=ast.Attribute(value=tensor, attr="size"), args=[], keywords=[])],
        ):
            return tensor
        case _:
            return None
