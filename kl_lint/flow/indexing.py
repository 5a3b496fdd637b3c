"""Indexing tensors: which dims `x[...]` takes away, cuts or adds, and what that does to a distribution."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from enum import Enum

from kl_lint.flow.frame import Frame
from kl_lint.flow.source import Place
from kl_lint.flow.transfer.call import blurred, cut, outermost, same_dim, shifted_in, unmasked
from kl_lint.flow.transfer.joining import fits
from kl_lint.flow.transfer.making import is_infinite, is_share
from kl_lint.flow.transfer.selecting import permutes, without_dim
from kl_lint.flow.transfer.shaping import with_dim_back
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    NONE,
    Constant,
    Form,
    Mass,
    Note,
    RemarkKind,
    Sequence,
    Space,
    Tensor,
    Trail,
    Unknown,
    Value,
    number_of,
)

__all__ = ["Part", "PartKind", "index_parts", "index_tensor", "rows_of", "write_into"]


class PartKind(Enum):
    """One part of an index."""

    FULL = "full slice"
    SLICE = "slice"
    INTEGER = "integer"
    NEW = "new dim"
    REST = "ellipsis"
    ADVANCED = "list, tensor or something unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an index, and the number of its value; `vague`: all may be taken in the end, by a permutation, or piece
    by piece.
    """

    kind: PartKind
    number: int = 0
    vague: bool = False


def index_parts(frame: Frame, node: ast.expr) -> tuple[Part, ...]:
    """The parts of an index expression."""
    pieces = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(index_part(frame, piece) for piece in pieces)


def index_part(frame: Frame, node: ast.expr) -> Part:
    """One part of an index, with a number that tells equal parts."""
    numbers = frame.machine.numbers
    if isinstance(node, ast.Slice):
        bounds = [
            frame.machine.evaluate(frame, bound) if bound is not None else NONE
            for bound in (node.lower, node.upper, node.step)
        ]
        trivial = bounds[0] in (NONE, Constant(0)) and bounds[1] == NONE and bounds[2] in (NONE, Constant(1))
        vague = not any(isinstance(bound, Constant) for bound in bounds[:2])  # `[i : i + size]`
        number = numbers.of("slice", *(number_of(b, numbers) for b in bounds))
        return Part(PartKind.FULL if trivial else PartKind.SLICE, number, vague)
    value = frame.machine.evaluate(frame, node)
    number = number_of(value, numbers)
    match value:
        case Constant(value=bool()):
            return Part(PartKind.ADVANCED, number)
        case Constant(value=int()):
            return Part(PartKind.INTEGER, number)
        case Constant(value=None):
            return Part(PartKind.NEW, number)
        case Constant() if value.value is Ellipsis:
            return Part(PartKind.REST, number)
        case Unknown(form=Form(op="integer")):
            return Part(PartKind.INTEGER, number)
        case _:
            return Part(PartKind.ADVANCED, number, permutes(value) or exchanges(value))


def exchanges(index: Value) -> bool:
    """Whether a literal list puts the first classes, which may be all, in another order."""
    match index:
        case Sequence(items=tuple(items)) if all(isinstance(item, Constant) for item in items):
            places = [item.value for item in items if isinstance(item, Constant)]
            return places != sorted(places, key=str) and sorted(places, key=str) == list(range(len(places)))
        case _:
            return False


def rows_of(tensor: Tensor, frame: Frame) -> Tensor:
    """What iterating over a tensor yields: its rows along dim 0."""
    return indexed_away(tensor, 0, frame.machine.numbers.of("row", tensor.number))


def index_tensor(frame: Frame, tensor: Tensor, parts: tuple[Part, ...], number: int) -> Tensor:
    """`tensor[parts]`."""
    rank = rank_after(tensor, parts)
    if tensor.loss is not None:
        frame.machine.filtered.update(tensor.loss.calls)
        only_rows = all(part.kind in (PartKind.FULL, PartKind.REST) for part in parts[1:])
        loss = (
            tensor.loss
            if only_rows and tensor.dim is not None and tensor.dim != 0
            else replace(tensor.loss, elementwise=False)
        )
        return Tensor(
            number,
            dim=tensor.dim if tensor.dim is not None and tensor.dim < 0 else None,
            gradient=tensor.gradient,
            loss=loss,
        )
    if tensor.space not in DISTRIBUTIONS or tensor.mass is Mass.BERNOULLI:
        form = regained(tensor, parts)
        given = unmasked(tensor) if leaves_out(parts) else tensor
        return replace(given, number=number, rank=rank, form=form)
    result = tensor
    for kind, dim in dims_of(parts):
        result = part_applied(result, kind, dim, number)
    if result.mass is Mass.CUT and tensor.mass is not Mass.CUT and any(part.vague for part in parts):
        result = replace(result, mass=Mass.UNKNOWN)
    if leaves_out(parts):
        result = unmasked(result)
    return replace(result, number=number, rank=rank, form=regained(tensor, parts))


def leaves_out(parts: tuple[Part, ...]) -> bool:
    """Whether an index may leave out what is masked: some rows by their number, or classes."""
    kinds = [part.kind for part in parts]
    return PartKind.ADVANCED in kinds or PartKind.SLICE in kinds[1:]


def regained(tensor: Tensor, parts: tuple[Part, ...]) -> Form | None:
    """A sum that is given its dim back by `[:, None]` or `[..., None]` is one with keepdim. `[:, None]` after a sum
    over -1 is taken for one of rows.
    """
    kinds = tuple(part.kind for part in parts)
    if kinds.count(PartKind.NEW) != 1 or not set(kinds) <= {PartKind.FULL, PartKind.REST, PartKind.NEW}:
        return None
    (dim,) = (dim for kind, dim in dims_of(parts) if kind is PartKind.NEW)
    rows = kinds == (PartKind.FULL, PartKind.NEW) and tensor.form is not None and tensor.form.dim == -1
    return with_dim_back(tensor, -1 if rows else dim)


def rank_after(tensor: Tensor, parts: tuple[Part, ...]) -> int | None:
    """The rank of an indexed tensor, where it is proved."""
    if tensor.rank is None or any(part.kind is PartKind.ADVANCED for part in parts):
        return None
    integers = sum(part.kind is PartKind.INTEGER for part in parts)
    return tensor.rank - integers + sum(part.kind is PartKind.NEW for part in parts)


def dims_of(parts: tuple[Part, ...]) -> list[tuple[PartKind, int]]:
    """Each part with the dim it speaks of when its turn comes: before an ellipsis the last comes first and dims count
    from the front, behind it
    the first does and they count from the end, so that no part moves the dim of one that is still to come.
    """
    kinds = [part.kind for part in parts]
    split = kinds.index(PartKind.REST) if PartKind.REST in kinds else len(kinds)
    dims: list[tuple[PartKind, int]] = []
    position = 0
    for kind in kinds[:split]:
        dims.append((kind, position))
        position += kind is not PartKind.NEW
    behind = kinds[split + 1 :]
    position = -sum(kind is not PartKind.NEW for kind in behind)
    dims.reverse()
    for kind in behind:
        dims.append((kind, position if kind is not PartKind.NEW else position - 1))
        position += kind is not PartKind.NEW
    return dims


def part_applied(tensor: Tensor, kind: PartKind, dim: int, number: int) -> Tensor:
    """What one part of an index does to a distribution."""
    match kind:
        case PartKind.FULL | PartKind.REST:
            return tensor
        case PartKind.NEW:
            return replace(
                tensor, dim=shifted_in(tensor, dim), rank=None if tensor.rank is None else tensor.rank + 1, source=None
            )
        case PartKind.INTEGER:
            return indexed_away(tensor, dim, number)
        case PartKind.SLICE:
            return sliced(tensor, dim, number)
        case PartKind.ADVANCED:
            return selected(tensor, dim, number)


def sliced(tensor: Tensor, dim: int, number: int) -> Tensor:
    """`a:b` along a dim."""
    match same_dim(tensor, dim):
        case True:
            return cut(tensor, number)
        case False:
            return replace(tensor, source=None)
        case None:
            kept = tensor.mass is Mass.CUT or outermost(tensor, dim)  # a part of a part is one
            return replace(tensor, source=None, mass=tensor.mass if kept else Mass.UNKNOWN)


def indexed_away(tensor: Tensor, dim: int, number: int) -> Tensor:
    """One index of a dim: the outermost is taken for another than a distribution's last, unless the rank says
    otherwise.
    """
    if tensor.space in DISTRIBUTIONS and outermost(tensor, dim):
        return replace(
            tensor, number=number, rank=None if tensor.rank is None else tensor.rank - 1, form=None, source=None
        )
    return without_dim(tensor, dim, number)


def selected(tensor: Tensor, dim: int, number: int) -> Tensor:
    """A list, tensor, mask or unknown index along a dim: it may take several dims with it, or be an integer."""
    match same_dim(tensor, dim):
        case True:
            return replace(cut(tensor, number), dim=None, symbol=None, rank=None)
        case False if dim == 0:
            return replace(tensor if outermost(tensor, dim) else blurred(tensor, number), rank=None, source=None)
        case False:
            return replace(tensor, rank=None, source=None)
        case None:
            return replace(tensor if outermost(tensor, dim) else blurred(tensor, number), rank=None, source=None)


def write_into(tensor: Tensor, parts: tuple[Part, ...], value: Value, number: int, place: Place) -> Tensor:
    """A tensor after `tensor[parts] = value`: what was in a space is in it still, and normalised no longer."""
    written = value.space if isinstance(value, Tensor) else Space.UNKNOWN
    if is_buffer(tensor) and not isinstance(value, Constant):
        return gathered_in(tensor, written, value, number, place)
    if written in DISTRIBUTIONS and tensor.space in (Space.LOGITS, Space.INDICES):
        return gathered_in(tensor, Space.UNKNOWN, value, number, place)
    if tensor.space is Space.UNKNOWN and holds_shares(tensor) and writes_shares(parts, value):
        return gathered_in(tensor, Space.PROBS, value, number, place)
    if tensor.space in DISTRIBUTIONS:
        if not fits(tensor.space, value):
            return gathered_in(tensor, Space.UNKNOWN, value, number, place)
        return replace(blurred(tensor, number), rank=tensor.rank, notes=(), maker=None)
    if is_infinite(value) and not is_infinite(tensor.fill):  # as masked_fill does
        return replace(tensor, number=number, form=None, masked=Note(RemarkKind.INFINITE_MASK, place, "="), fill=None)
    keeps = tensor.form is not None and tensor.form.op in ("sum", "logsumexp")
    share = isinstance(tensor.fill, Unknown) and value in (Constant(0), Constant(0.0))  # of the padding, say
    fill = tensor.fill if share else None
    overwritten = is_infinite(tensor.fill) and not isinstance(value, Constant)  # a buffer, and no mask
    masked = None if overwritten else tensor.masked
    return replace(tensor, number=tensor.number if keeps else number, fill=fill, masked=masked, loss=tensor.loss)


def is_buffer(tensor: Tensor) -> bool:
    """Whether a tensor is memory, or random numbers, that others are written over."""
    return tensor.form is not None and tensor.form.op == "buffer"


def gathered_in(tensor: Tensor, space: Space, value: Value, number: int, place: Place) -> Tensor:
    """A buffer that holds what is written into it."""
    gradient = tensor.gradient or (isinstance(value, Tensor) and value.gradient)
    if space is Space.UNKNOWN:
        return Tensor(number, rank=tensor.rank, gradient=gradient)
    trail = Trail(place, f"{space.value} written in")
    return Tensor(number, space, rank=tensor.rank, nonnegative=space is Space.PROBS, gradient=gradient, trail=trail)


def holds_shares(tensor: Tensor) -> bool:
    """Whether a constant tensor may be the beginning of a target put together by hand: zeros, or small shares."""
    return isinstance(tensor.fill, Constant) and fits(Space.PROBS, tensor.fill) and tensor.fill.value not in (1, True)


def writes_shares(parts: tuple[Part, ...], value: Value) -> bool:
    """Whether probabilities are written: rows of them, `1 / n`, or a literal share where single elements are named.

    A literal put into whole rows or slices says nothing: so are masks and weights made.
    """
    match value:
        case Tensor(space=Space.PROBS):
            return True
        case Constant(value=bool()):
            return False
        case Constant(value=(int() | float()) as share):
            return 0 < share <= 1 and len(parts) > 1 and all(part.kind in ELEMENT for part in parts)
        case _:
            return is_share(value) or is_rest_by_count(value)


def is_rest_by_count(value: Value) -> bool:
    """Whether a number is `(1 - confidence) / (n - 1)`: what is left, shared out."""
    match value:
        case Unknown(form=Form(op="div", operand=Tensor(form=Form(op="complement")), other=Unknown())):
            return True
        case _:
            return False


ELEMENT = frozenset({PartKind.INTEGER, PartKind.ADVANCED})
"""The parts of an index that together name single elements."""
