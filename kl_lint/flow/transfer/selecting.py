"""Transfer functions of what takes a part of a tensor, or its elements in another order."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.transfer.call import (
    Call,
    Effect,
    blurred,
    cut,
    dim_of,
    listed,
    outermost,
    output_number,
    same_dim,
    shifted_out,
    unmasked,
)
from kl_lint.flow.transfer.elementwise import blur, elementwise
from kl_lint.flow.transfer.joining import fits
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    Constant,
    Form,
    Mass,
    Sequence,
    Space,
    Tensor,
    Value,
)


def reordered(call: Call) -> Value:
    """flip: the same values in another order, along its own dim or another."""
    given = call.tensor()
    return replace(given, number=call.number(), form=None, source=None)


def roll(call: Call) -> Value:
    """roll: as flip along a dim; without one, of all elements in a row."""
    return reordered(call) if call.value("dims") is not None or call.tensor().rank == 1 else blur(call)


def sort(call: Call) -> Value:
    """sort: the values of a distribution in another order, if along its own dim; along another the rows are torn
    apart.
    """
    given = call.tensor()
    if same_dim(given, *dim_of(call.value("dim") or Constant(-1), call.numbers)):
        return reordered(call)
    return replace(blurred(given, call.number()), rank=given.rank, maker=None)


def with_indices(effect: Effect) -> Effect:
    """The named tuple (values, indices) of sort, topk, max."""

    def both(call: Call) -> Value:
        values = effect(call)
        rank = values.rank if isinstance(values, Tensor) else None
        indices = Tensor(
            call.numbers.of("indices", call.number()),
            Space.INDICES,
            rank=rank,
            gradient=False,
            trail=call.trail(call.label),
        )
        return Sequence((values, indices), names=("values", "indices"), number=call.number())

    return both


PERMUTATIONS = frozenset({"sort", "argsort", "msort", "randperm", "permutation"})
"""The operations whose indices may be those of everything, in another order."""


def chosen(call: Call) -> Value:
    """gather, topk, index_select, narrow: some entries along `dim`."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    number = call.number()
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
        return replace(given, number=number, loss=replace(given.loss, elementwise=False))
    match same_dim(given, dim, symbol):
        case True if permutes(call.value("index")):
            return replace(cut(given, number), mass=Mass.UNKNOWN)
        case True:
            return cut(given, number)
        case together if call.label not in ("gather", "take_along_dim") and (
            together is False or outermost(given, dim)
        ):
            return replace(given, number=number, form=None, source=None)
        case _ if given.space in DISTRIBUTIONS:
            return blurred(given, number)
        case _:
            return replace(given, number=number, form=Form("columns", given, dim, symbol))


def picked(call: Call) -> Value:
    """select: one entry along `dim`, which goes."""
    given = call.tensor()
    dim, _ = dim_of(call.value("dim"), call.numbers)
    return without_dim(given, dim, call.number())


def without_dim(given: Tensor, dim: int | None, number: int) -> Tensor:
    """`given` at one index of `dim`: a distribution along another dim survives, else single elements are left."""
    rank = given.rank - 1 if given.rank is not None else None
    if dim is None or given.space not in DISTRIBUTIONS:
        return replace(blurred(given, number), rank=rank)
    if same_dim(given, dim):
        mass = given.mass if given.mass is Mass.BERNOULLI else Mass.UNKNOWN  # one class of two may stand for both
        return replace(given, number=number, mass=mass, dim=None, symbol=None, rank=rank, form=None, source=None)
    after = shifted_out(given, dim)
    if after is None:
        return replace(blurred(given, number), rank=rank)
    return replace(given, number=number, dim=after, rank=rank, form=None, source=None)


def permutes(index: Value | None) -> bool:
    """Whether an index may be a permutation, which takes everything: one that puts in order, or that mixes."""
    made = index.trail if isinstance(index, Tensor) else None
    return made is not None and any(step.what in PERMUTATIONS for step in made.steps())


def pieces(call: Call) -> Value:
    """chunk, split, unbind: a tuple of parts. What becomes of all of them together is not followed."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(0), call.numbers)
    number = call.number()
    if call.label == "unbind":
        part = without_dim(given, dim, number)
    elif same_dim(given, dim, symbol) is False or given.space not in DISTRIBUTIONS:
        part = replace(given, number=number, form=None, source=None)
    elif same_dim(given, dim, symbol):
        part = replace(cut(given, number), mass=Mass.UNKNOWN)
    elif outermost(given, dim):
        part = replace(given, number=number, form=None, source=None)
    else:
        part = blurred(given, number)
    count = call.constant("chunks")
    if isinstance(count, int) and 0 < count <= 8:
        items = tuple(replace(part, number=call.numbers.of("part", number, (i,))) for i in range(count))
        return Sequence(items, number=number)
    return Sequence(None, part, number=number)


def argmax(call: Call) -> Value:
    """argmax: class indices."""
    given = call.tensor()
    kept = call.constant("keepdim", False) is True
    rank = given.rank if kept else None if given.rank is None or call.value("dim") is None else max(given.rank - 1, 0)
    return Tensor(call.number(), Space.INDICES, rank=rank, gradient=False, trail=call.trail(call.label))


def argsort(call: Call) -> Tensor:
    """argsort: indices in the place of the values."""
    return Tensor(call.number(), Space.INDICES, rank=call.tensor().rank, gradient=False, trail=call.trail(call.label))


def sampled_indices(call: Call) -> Value:
    """multinomial: indices, others each time."""
    return replace(argsort(call), number=call.frame.machine.opaque(call.node))


def pad(call: Call) -> Value:
    """F.pad: zeros beside the last dim leave probabilities along it a distribution; log-probabilities they do not."""
    given = call.tensor()
    amounts = listed(call.value("pad"))
    value = call.value("value") or Constant(0)
    plain = value in (Constant(0), Constant(0.0)) and call.value("mode") in (None, Constant("constant"))
    if given.space is Space.PROBS and plain and len(amounts) == 2 and given.from_end() == -1:
        return replace(given, number=call.number(), form=None, source=None)
    return (
        replace(blurred(given, call.number()), rank=given.rank, maker=None)
        if fits(given.space, value)
        else elementwise(call)
    )


def pool(call: Call) -> Value:
    """Pooling and interpolation: averages of probabilities are some; of log-probabilities they are none."""
    given = call.tensor()
    if given.space is Space.PROBS:
        return replace(blurred(given, call.number()), rank=given.rank, maker=None, notes=())
    return Tensor(call.number(), rank=given.rank, gradient=given.gradient)


def topk(call: Call) -> Value:
    """topk: the largest entries along dim (default: the last)."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(-1), call.numbers)
    if same_dim(given, dim, symbol):
        return cut(given, call.number())
    form = Form("columns", given, dim, symbol) if given.space not in DISTRIBUTIONS else None
    return replace(unmasked(blurred(given, call.number())), rank=given.rank, form=form)


def masked_select(call: Call) -> Value:
    """masked_select, take, diagonal: elements in no arrangement."""
    given = call.tensor()
    rank = 1 if call.label in ("masked_select", "take") else None
    loss = replace(given.loss, elementwise=False) if given.loss else None
    if loss is not None:
        call.frame.machine.filtered.update(loss.calls)
    return replace(unmasked(blurred(given, call.number())), rank=rank, loss=loss)


def counts(call: Call) -> Value:
    """bincount, histc: counts of a 1-D histogram."""
    return Tensor(call.number(), rank=1, nonnegative=True, gradient=False)


def embedding(call: Call) -> Value:
    """nn.Embedding: feature vectors, a dim more than the indices."""
    given = call.tensor()
    return Tensor(output_number(call), rank=given.rank + 1 if given.rank is not None else None)
