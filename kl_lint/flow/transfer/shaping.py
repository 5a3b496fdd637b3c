"""Transfer functions of what moves the dims of a tensor, or adds and removes them."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.transfer.call import (
    Call,
    blurred,
    constants_of,
    cut,
    dim_of,
    listed,
    loosened,
    outermost,
    same_dim,
    shifted_in,
    shifted_out,
)
from kl_lint.flow.transfer.elementwise import is_total
from kl_lint.flow.values import (
    Constant,
    Form,
    Loss,
    Numbers,
    Sequence,
    Space,
    Tensor,
    Value,
    number_of,
)


def unsqueeze(call: Call) -> Value:
    """A dim of size one is put in."""
    given = call.tensor()
    dim, _ = dim_of(call.value("dim"), call.numbers)
    if dim is None:
        return replace(blurred(given, call.number()), rank=None if given.rank is None else given.rank + 1)
    place = shifted_in(given, dim)
    known = place is not None or given.symbol is not None
    return replace(
        given,
        number=call.number(),
        dim=place,
        symbol=None,
        rank=None if given.rank is None else given.rank + 1,
        mass=given.mass if known and given.symbol is None else loosened(given),
        form=with_dim_back(given, dim),
        source=None,
    )


def with_dim_back(given: Tensor, dim: int) -> Form | None:
    """A sum that is given the dim back over which it was taken, is one with keepdim."""
    form = given.form
    if form is None or not is_total(given) or form.keepdim or form.dim is None:
        return None
    rank = form.operand.rank if isinstance(form.operand, Tensor) else None
    same = form.dim == dim or (rank is not None and form.dim % rank == dim % rank)
    return replace(form, keepdim=True) if same else None


def squeeze(call: Call) -> Value:
    """Dims of size one go: which ones is known only where the dim is named."""
    given = call.tensor()
    dim, _ = dim_of(call.value("dim"), call.numbers)
    if dim is None:
        return replace(given, number=call.number(), dim=None, symbol=None, rank=None, form=None)
    if same_dim(given, dim):
        return blurred(given, call.number())
    own, _ = given.where()
    after = shifted_out(given, dim)
    if own is not None and given.rank is not None and after != own:
        after = own - given.rank
    return replace(given, number=call.number(), dim=after, symbol=None, rank=None, form=None)


def permute(call: Call) -> Value:
    """The dims in a new order."""
    given = call.tensor()
    order = constants_of(call.rest or listed(call.value("dims")))
    if order is None:
        return replace(given, number=call.number(), dim=None, symbol=None, form=None, source=None)
    rank = len(order)
    own, _ = replace(given, rank=rank).where()
    dim = next((i for i, d in enumerate(order) if own is not None and d % rank == own), None)
    return replace(given, number=call.number(), dim=dim, symbol=None, rank=rank, form=None, source=None)


def transpose(call: Call) -> Value:
    """Two dims exchanged."""
    given = call.tensor()
    first, _ = dim_of(call.value("dim0"), call.numbers)
    second, _ = dim_of(call.value("dim1"), call.numbers)
    return exchanged(given, first, second, call.number())


def exchanged(given: Tensor, first: int | None, second: int | None, number: int) -> Tensor:
    """`given` with two dims exchanged."""
    own, symbol = given.where()
    if own is None or first is None or second is None or symbol is not None:
        return replace(given, number=number, dim=None, symbol=None, form=moved_sum(given, first, second), source=None)
    if given.rank is not None:
        first, second = first % given.rank if given.rank else 0, second % given.rank if given.rank else 0
    if own == first:
        own_after: int | None = second
    elif own == second:
        own_after = first
    else:
        signs = {own < 0, first < 0, second < 0}
        own_after = own if len(signs) == 1 else None
    return replace(given, number=number, dim=own_after, symbol=None, form=None, source=None)


def moved_sum(given: Tensor, first: int | None, second: int | None) -> Form | None:
    """A transposed tensor remembers what it was, so that transpose, divide, transpose is seen."""
    return (
        Form("view", given)
        if {first, second} == {0, 1} and given.space in (Space.UNKNOWN, Space.PROBS) and not given.whole
        else None
    )


def flip_two(call: Call) -> Value:
    """t() and .T: the two dims of a matrix."""
    given = call.tensor()
    return exchanged(
        replace(given, rank=2) if given.rank is None and given.dim is not None else given, 0, 1, call.number()
    )


def movedim(call: Call) -> Value:
    """One dim is taken elsewhere."""
    given = call.tensor()
    first, _ = dim_of(call.value("source"), call.numbers)
    second, _ = dim_of(call.value("destination"), call.numbers)
    if not given.rank or first is None or second is None:
        return replace(given, number=call.number(), dim=None, symbol=None, form=None, source=None)
    order = [d for d in range(given.rank) if d != first % given.rank]
    order.insert(second % given.rank, first % given.rank)
    own, _ = given.where()
    dim = order.index(own) if own is not None and own in order else None
    return replace(given, number=call.number(), dim=dim, symbol=None, form=None, source=None)


def reshape(call: Call) -> Value:
    """view and reshape: the last dim stays one where its size is kept, and that is known of `-1, C`-shaped views only.

    A view that keeps the last size keeps a distribution along it. Which size that is, is mostly a value of the program
    (`x.size(-1)`, `num_classes`): then the space is kept, the mass is unknown.
    """
    given = call.tensor()
    sizes = call.rest or listed(call.value("shape"))
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        whole = sizes[0].items
        sizes = whole if whole is not None else ()
        rank = len(sizes) if whole is not None else None
    elif len(sizes) == 1 and not isinstance(sizes[0], Constant):
        rank = None
    else:
        rank = len(sizes) or None
    number = call.number()
    own, _ = given.where()
    last = own == -1 or (own is not None and given.rank is not None and own == given.rank - 1)
    if rank is not None and rank >= 2 and last and keeps_last(given, sizes[-1], call.numbers):
        return replace(given, number=number, dim=rank - 1, symbol=None, rank=rank, form=None)
    if rank == 1 and given.rank == 1:
        return replace(given, number=number, form=None)
    form = Form("view", given) if given.space is Space.UNKNOWN else None
    return replace(blurred(given, number), rank=rank, form=form, loss=spread(given.loss, rank == 1))


def spread(loss: Loss | None, flat: bool) -> Loss | None:
    """A divergence after its dims were merged: to average over everything is the same mistake as before."""
    return loss if loss is None or flat else replace(loss, elementwise=False)


def keeps_last(given: Tensor, size: Value, numbers: Numbers) -> bool:
    """Whether `size` is the given tensor's last size, written as `x.size(-1)` or `x.shape[-1]`."""
    number = number_of(size, numbers)
    return any(
        number == numbers.of("size", of, (-1,)) for of in (given.number, *((given.source,) if given.source else ()))
    )


def flatten(call: Call) -> Value:
    """Dims merged: a distribution along one that is left alone survives."""
    given = call.tensor()
    start, _ = dim_of(call.value("start_dim") or Constant(0), call.numbers)
    end, _ = dim_of(call.value("end_dim") or Constant(-1), call.numbers)
    own, _ = given.where()
    number = call.number()
    if start == 0 and end == -1:
        return replace(blurred(given, number), rank=1, loss=given.loss) if given.rank != 1 else given
    if given.rank and start is not None and end is not None:
        start, end = start % given.rank, end % given.rank
        left = given.rank - (end - start)
        if own is not None and own > end:
            return replace(given, number=number, dim=own - (end - start), rank=left, form=None)
        if own is not None and own < start:
            return replace(given, number=number, rank=left, form=None)
        return replace(blurred(given, number), rank=left)
    if own is not None and own < 0 and end is not None and end < own:
        return replace(given, number=number, rank=None, form=None)
    rank = start + 1 if start is not None and start >= 0 and end == -1 else None
    if own is not None and start is not None and 0 <= own < start:
        return replace(given, number=number, rank=rank, form=None)
    return replace(blurred(given, number), rank=rank)


def expand(call: Call) -> Value:
    """expand: copies along dims of size one, and new dims in front: a dim keeps its place from the end."""
    given = call.tensor()
    sizes = call.rest
    rank = len(sizes) if len(sizes) > 1 and all(not isinstance(s, Sequence) for s in sizes) else None
    return replace(given, number=call.number(), rank=rank, dim=given.from_end(), form=None, source=None)


def repeat(call: Call) -> Value:
    """repeat, tile: copies one after the other; a distribution stays one where its own dim is written as not
    repeated.
    """
    given = call.tensor()
    times = constants_of(call.rest or listed(call.value("dims")))
    own = given.from_end()
    number = call.number()
    if times is None or own is None or (times[own] if -own <= len(times) else 1) != 1:
        return blurred(given, number)
    rank = max(given.rank, len(times)) if given.rank is not None else None
    return replace(given, number=number, dim=own, rank=rank, form=None, source=None)


def repeated(call: Call) -> Value:
    """repeat_interleave: copies along another dim leave a distribution one."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    if same_dim(given, dim, symbol) is False or outermost(given, dim):
        return replace(given, number=call.number(), form=None, source=None)
    return replace(blurred(given, call.number()), rank=given.rank if call.value("dim") is not None else 1)


def module_flatten(call: Call) -> Value:
    """nn.Flatten: start_dim is 1 unless given."""
    return flatten(replace(call, values={**call.values, "start_dim": call.value("start_dim") or Constant(1)}))


def diagonal(call: Call) -> Value:
    """diagonal: one entry of each row, unless the rows lie along another dim."""
    given = call.tensor()
    dims = [dim_of(call.value(name) or Constant(default), call.numbers) for name, default in (("dim1", 0), ("dim2", 1))]
    rank = given.rank - 1 if given.rank is not None and given.rank > 1 else None
    matrix = given.rank in (2, None) and call.value("dim1") is None
    if matrix or any(same_dim(given, *dim) for dim in dims):
        return replace(cut(given, call.number()), dim=None, symbol=None, rank=rank)
    return replace(blurred(given, call.number()), rank=rank)
