"""Transfer functions of what puts several tensors together, or writes one into another."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.lattice import is_empty, join
from kl_lint.flow.transfer.call import Call, as_tensor, blurred, dim_of, kept, outermost, same_dim, shifted_in, unmasked
from kl_lint.flow.transfer.elementwise import is_total
from kl_lint.flow.transfer.making import are_opposites, bernoulli_pair, fill_tensor, is_infinite
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    NONE,
    Constant,
    Form,
    Maker,
    Mass,
    Note,
    RemarkKind,
    Sequence,
    Space,
    Tensor,
    Trail,
    Value,
)


def gathered(call: Call) -> tuple[Tensor, tuple[Value, ...] | None]:
    """The tensors given to cat or stack, joined; and each by itself where their number is known."""
    match call.value("tensors"):
        case Sequence(items=items) if items:
            items = tuple(item for item in items if item != NONE and not is_empty(item)) or items
            tensors = tuple(as_tensor(item, call.numbers) for item in items)
            first = tensors[0]
            merged = join(tensors, call.numbers) if len(tensors) > 1 else first
            return (merged if isinstance(merged, Tensor) else first), items
        case Sequence(element=element) if element is not None:
            return as_tensor(element, call.numbers), None
        case _:
            return Tensor(call.number()), None


def concatenate(call: Call) -> Value:
    """cat: along another dim each row stays a distribution; along its own it does not."""
    merged, items = gathered(call)
    dim, symbol = dim_of(call.value("dim") or Constant(0), call.numbers)
    number = call.number()
    pair = items is not None and bernoulli_pair(items)
    if pair:
        return paired(call, merged, dim, symbol, merged.rank)
    merged = beside_each_other(merged, items)
    if merged.space not in DISTRIBUTIONS:
        return replace(merged, number=number, form=opposites(merged, items))
    if same_dim(merged, dim, symbol) is False or outermost(merged, dim):
        return replace(merged, number=number, form=None, source=None)
    return replace(blurred(merged, number), rank=merged.rank, maker=None, notes=kept(merged.notes))


def beside_each_other(merged: Tensor, items: tuple[Value, ...] | None) -> Tensor:
    """Of several Bernoulli terms that one sigmoid made, one may be what another leaves of one:
    `cat([log(q + eps), log(1 - q + eps)])`.
    """
    if merged.mass is not Mass.BERNOULLI or (items is not None and len(set(items)) < 2):
        return merged
    sigmoids = {note.place for item in items or () for note in bernoulli_notes(item)}
    if len(sigmoids) > 1:
        return merged
    notes = tuple(note for note in merged.notes if note.kind is not RemarkKind.BERNOULLI)
    return replace(merged, mass=Mass.UNKNOWN, notes=notes)


def bernoulli_notes(value: Value) -> list[Note]:
    """What is noted of the sigmoid that a value is made of."""
    return [note for note in value.notes if note.kind is RemarkKind.BERNOULLI] if isinstance(value, Tensor) else []


def paired(call: Call, merged: Tensor, dim: int | None, symbol: int | None, rank: int | None) -> Tensor:
    """A Bernoulli distribution with both its terms."""
    return Tensor(
        call.number(),
        merged.space,
        Mass.WHOLE,
        dim,
        symbol,
        rank,
        nonnegative=merged.nonnegative,
        gradient=merged.gradient,
        trail=call.trail(call.label, merged.trail),
        maker=Maker(call.label, call.place),
    )


def stack(call: Call) -> Value:
    """stack: a new dim; each entry along it stays what it was."""
    merged, items = gathered(call)
    dim, symbol = dim_of(call.value("dim") or Constant(0), call.numbers)
    rank = merged.rank + 1 if merged.rank is not None else None
    if items is not None and bernoulli_pair(items):
        return paired(call, merged, dim, symbol, rank)
    merged = beside_each_other(merged, items)
    after = shifted_in(merged, dim) if dim is not None else None
    element = Form("stack", merged) if merged.space in DISTRIBUTIONS else None
    if merged.space is Space.LOG_PROBS or merged.space is Space.PROBS:
        mass = merged.mass if after is not None or merged.mass in (Mass.BERNOULLI, Mass.CUT) else Mass.UNKNOWN
        return replace(
            merged, number=call.number(), dim=after, symbol=None, mass=mass, rank=rank, form=element, source=None
        )
    return replace(merged, number=call.number(), dim=after, symbol=None, rank=rank, form=opposites(merged, items))


def opposites(merged: Tensor, items: tuple[Value, ...] | None) -> Form | None:
    """That scores stand beside their negatives."""
    return Form("opposites", merged) if items is not None and are_opposites(items) else None


def where(call: Call) -> Value:
    """where(condition, a, b): each element from one or the other."""
    one, other = call.tensor("input"), call.tensor("other")
    number = call.number()
    for tensor in (one, other):
        if tensor.loss is not None:
            call.frame.machine.filtered.update(tensor.loss.calls)
            return replace(tensor, number=number)
    if one.space is other.space and one.space in DISTRIBUTIONS:
        gradient = one.gradient or other.gradient
        either = unmasked(blurred(one, number))
        return replace(
            beside_each_other(either, (one, other)),
            rank=one.rank if one.rank == other.rank else None,
            maker=None,
            gradient=gradient,
        )
    for tensor, rest, name in ((one, other, "input"), (other, one, "other")):
        if is_total(tensor) and isinstance(rest.fill, Constant) and compares(call.nodes, name):
            return replace(tensor, number=number)
        if tensor.space in DISTRIBUTIONS and rest.fill is not None and fits(tensor.space, rest):
            return replace(unmasked(blurred(tensor, number)), rank=tensor.rank, maker=None)
    if is_infinite(one.fill) or is_infinite(other.fill):
        note = Note(RemarkKind.INFINITE_MASK, call.place, call.label)
        return Tensor(number, gradient=one.gradient or other.gradient, masked=note)
    return Tensor(number, gradient=one.gradient or other.gradient)


def compares(nodes: dict[str, ast.expr], name: str) -> bool:
    """Whether a condition asks for the size of what is chosen by it: `where(total == 0, 1, total)`."""
    condition, chosen = nodes.get("condition"), nodes.get(name)
    if not isinstance(condition, ast.Compare) or chosen is None:
        return False
    return any(ast.dump(side) == ast.dump(chosen) for side in (condition.left, *condition.comparators))


def masked_fill(call: Call) -> Value:
    """masked_fill: -inf before a softmax is remembered; in a distribution some elements are overwritten."""
    given = call.tensor()
    number = call.number()
    value = next((call.values[name] for name in ("value", "src", "source", "values") if name in call.values), NONE)
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
        return replace(given, number=number)
    gradient = given.gradient or as_tensor(value, call.numbers).gradient
    if given.space in DISTRIBUTIONS and fits(given.space, value):
        return replace(unmasked(blurred(given, number)), rank=given.rank, maker=None, gradient=gradient)
    if given.space in DISTRIBUTIONS or not fits(given.space, value):
        return Tensor(number, rank=given.rank, gradient=gradient)
    kept = None if isinstance(value, Constant) else given.masked  # what was masked may be written over
    masked = Note(RemarkKind.INFINITE_MASK, call.place, call.label) if is_infinite(value) else kept
    return replace(given, number=number, form=None, masked=masked, fill=None, gradient=gradient)


def accumulated(call: Call) -> Value:
    """scatter_add, index_add: something is added to some elements."""
    result = masked_fill(call)
    return replace(result, mass=Mass.UNKNOWN) if isinstance(result, Tensor) else result


def fits(space: Space, written: Value | None) -> bool:
    """Whether what is written into a tensor of this space can leave it there; of what is not known, that is taken for
    granted.
    """
    match written:
        case Tensor(fill=Constant() as fill):
            return fits(space, fill)
        case Constant(value=(int() | float()) as number):
            return {Space.PROBS: 0 <= number <= 1, Space.LOG_PROBS: number <= 0}.get(space, True)
        case Tensor(space=other):
            return space is Space.UNKNOWN or other in (space, Space.UNKNOWN)
        case _:
            return True


def scatter(call: Call) -> Value:
    """scatter: into a constant tensor it makes a (smoothed) one-hot distribution."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    number = call.frame.machine.fresh(call.label, call.node)
    value = call.value("src") if call.value("src") is not None else call.value("value")
    flag = isinstance(value, Constant) and isinstance(value.value, bool)  # a mask is made
    constant = given.fill is not None and value is not None and not flag
    if constant and fits(Space.PROBS, given.fill) and fits(Space.PROBS, value):
        exact = given.fill == Constant(0) or given.fill == Constant(0.0)
        one = value in (Constant(1), Constant(1.0))
        return Tensor(
            number,
            Space.PROBS,
            Mass.WHOLE if exact and one else Mass.UNKNOWN,
            dim if exact and one else None,
            symbol if exact and one else None,
            given.rank,
            nonnegative=True,
            gradient=given.gradient or not isinstance(value, Constant),
            maker=Maker("scatter", call.place),
            trail=call.trail(call.label),
        )
    if given.space in DISTRIBUTIONS and fits(given.space, value):
        return replace(blurred(given, number), rank=given.rank, maker=None)
    return Tensor(number, rank=given.rank)


def fill_with(call: Call) -> Value:
    """fill_, zero_: one constant everywhere."""
    given = call.tensor()
    fill = call.value("value") or Constant(0)
    return replace(fill_tensor(call, fill, given.rank), gradient=given.gradient)


def lerp(call: Call) -> Value:
    """lerp: a convex mixture."""
    one, other, weight = call.tensor("input"), call.tensor("end"), call.tensor("weight")
    share = weight.fill.value if isinstance(weight.fill, Constant) else 0
    if one.space is other.space is Space.PROBS and isinstance(share, (int, float)) and 0 <= share <= 1:
        mixed = mixture(call.number(), one, other, call.trail("mixture", one.trail))
        return mixed if weight.rank in (0, None) else replace(blurred(mixed, mixed.number), rank=mixed.rank)
    return Tensor(call.number(), gradient=one.gradient or other.gradient)


def mixture(number: int, one: Tensor, other: Tensor, trail: Trail | None) -> Tensor:
    """What a convex mixture of two distributions is: one again, when both lie along one dim."""
    merged = join_like(one, other, number)
    return replace(merged, maker=None, notes=(), trail=trail, source=None, form=None, weight=None, temperature=None)


def join_like(one: Tensor, other: Tensor, number: int) -> Tensor:
    """The dims and mass that two distributions share."""
    same = one.where() == other.where() and one.mass is other.mass is Mass.WHOLE
    dim, symbol = (one.dim, one.symbol) if same else (None, None)
    rank = one.rank if one.rank == other.rank else None
    return replace(
        one,
        number=number,
        mass=Mass.WHOLE if same else Mass.UNKNOWN,
        dim=dim,
        symbol=symbol,
        rank=rank,
        gradient=one.gradient or other.gradient,
    )


def joined_anyhow(call: Call) -> Value:
    """hstack and its kin: joined along a dim that depends on the rank."""
    merged, _ = gathered(call)
    return replace(blurred(merged, call.number()), maker=None)
