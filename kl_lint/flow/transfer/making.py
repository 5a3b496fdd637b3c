"""Transfer functions of what makes a tensor from nothing: literals, constants, noise, memory."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.transfer.call import Call, Effect, as_tensor, blurred, listed
from kl_lint.flow.values import (
    Constant,
    Form,
    Maker,
    Mass,
    Note,
    Numbers,
    RemarkKind,
    Sequence,
    Space,
    Symbol,
    Tensor,
    Unknown,
    Value,
)


def noise(call: Call) -> Value:
    """A random tensor over the reals: not log-probabilities."""
    number = call.frame.machine.opaque(call.node)
    return Tensor(
        number,
        Space.LOGITS,
        rank=size_rank(call),
        gradient=False,
        trail=call.trail(call.label),
        form=Form("buffer", Unknown(number)),
    )


def noise_like(call: Call) -> Value:
    """As `noise`, of another tensor's shape."""
    given = call.tensor()
    return Tensor(
        call.frame.machine.opaque(call.node),
        Space.LOGITS,
        rank=given.rank,
        gradient=False,
        trail=call.trail(call.label),
    )


def uniform_noise(call: Call) -> Value:
    """torch.rand: numbers in [0, 1), no distribution."""
    number = call.frame.machine.opaque(call.node)
    return Tensor(number, rank=size_rank(call), nonnegative=True, gradient=False, form=Form("buffer", Unknown(number)))


def size_rank(call: Call) -> int | None:
    """The rank that a factory's size arguments give."""
    sizes = call.rest
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        return len(sizes[0].items) if sizes[0].items is not None else None
    if not sizes:
        size = call.value("size")
        return len(size.items) if isinstance(size, Sequence) and size.items is not None else None
    if len(sizes) == 1 and not isinstance(sizes[0], Constant):
        return None
    return len(sizes)


def filled(value: object) -> Effect:
    """zeros, ones, full: one constant everywhere; a positive one divided by the number of classes is a uniform
    distribution.
    """

    def effect(call: Call) -> Value:
        fill = Constant(value) if value is not None else call.value("fill_value") or Unknown(call.number())
        rank = call.tensor().rank if "input" in call.values else size_rank(call)
        return fill_tensor(call, fill, rank)

    return effect


def fill_tensor(call: Call, fill: Value, rank: int | None) -> Tensor:
    """A tensor that holds `fill` everywhere."""
    number = call.frame.machine.fresh(call.label, call.node)
    if is_infinite(fill):
        masked = Note(RemarkKind.INFINITE_MASK, call.place, call.label)
        return Tensor(number, rank=rank, fill=fill, gradient=False, masked=masked)
    if is_share(fill):
        return Tensor(
            number,
            Space.PROBS,
            rank=rank,
            fill=fill,
            gradient=False,
            nonnegative=True,
            maker=Maker("uniform", call.place),
            trail=call.trail("full"),
        )
    return Tensor(
        number,
        rank=rank,
        fill=fill,
        gradient=False,
        nonnegative=isinstance(fill, Constant) and isinstance(fill.value, (int, float)) and fill.value >= 0,
    )


def is_share(fill: Value) -> bool:
    """Whether a constant is `1 / n`, written out or computed."""
    match fill:
        case Constant(value=float() as value):
            return 0 < value < 1
        case Unknown(form=Form(op="div", operand=Tensor(fill=Constant(value=(int() | float()) as top)))):
            return 0 < top <= 1
        case _:
            return False


def bernoulli_pair(items: tuple[Value, ...]) -> bool:
    """Whether two tensors are `p` and `1 - p`, in log space or not."""
    if len(items) != 2 or not all(isinstance(item, Tensor) for item in items):
        return False
    for one, other in (items, items[::-1]):
        if not (isinstance(one, Tensor) and isinstance(other, Tensor)) or one.space is not other.space:
            continue
        form = other.form
        if form is not None and form.op == "complement" and form.operand.number == one.number:
            return True
        if (
            form is not None
            and one.form is not None
            and form.op == one.form.op
            and form.op in ("sigmoid", "logsigmoid", "log")
        ):
            theirs, ours = form.operand, one.form.operand
            if (
                isinstance(theirs, Tensor)
                and theirs.form is not None
                and theirs.form.op in ("neg", "complement")
                and theirs.form.operand.number == ours.number
            ):
                return True
    return False


def are_opposites(items: tuple[Value, ...]) -> bool:
    """Whether two tensors are `x` and `-x`, of which the sigmoids are the two terms of a Bernoulli distribution."""
    match items:
        case (Tensor() | Unknown() as one, Tensor() | Unknown() as other):
            return is_negative(one, other) or is_negative(other, one)
        case _:
            return False


def is_negative(one: Tensor | Unknown, other: Tensor | Unknown) -> bool:
    """Whether a tensor is `-other`."""
    return one.form is not None and one.form.op == "neg" and one.form.operand.number == other.number


def is_infinite(fill: Value | None) -> bool:
    """Whether a constant is minus infinity."""
    return isinstance(fill, Constant) and fill.value == float("-inf")


def normal(call: Call) -> Value:
    """torch.normal: samples around means that carry no gradient."""
    return Tensor(call.frame.machine.opaque(call.node), gradient=False)


def random_indices(call: Call) -> Value:
    """randint, randperm, arange: integers, unless a bound or a step is a fraction."""
    if any(isinstance(value, Constant) and isinstance(value.value, float) for value in call.rest):
        return Tensor(call.frame.machine.opaque(call.node), gradient=False)
    return Tensor(call.frame.machine.opaque(call.node), Space.INDICES, gradient=False, trail=call.trail(call.label))


def from_data(call: Call) -> Value:
    """as_tensor, from_numpy: the same values; a literal list is read."""
    return literal(replace(call, values={**call.values, "data": call.values.get("input", Constant(None))}))


def of_array(effect: Effect) -> Effect:
    """What a function of numpy makes: it carries no gradient, and is nothing that a rewrite may reach into."""

    def result(call: Call) -> Value:
        made = effect(call)
        return replace(made, gradient=False, maker=None, notes=()) if isinstance(made, Tensor) else made

    return result


def new_full(call: Call) -> Value:
    """x.new_full(size, value)."""
    size = call.value("size")
    rank = len(size.items) if isinstance(size, Sequence) and size.items is not None else None
    return fill_tensor(call, call.value("fill_value") or Unknown(call.number()), rank)


def new_filled(value: object) -> Effect:
    """x.new_zeros(sizes): only the type comes from x."""

    def effect(call: Call) -> Value:
        return filled(value)(
            replace(call, values={name: given for name, given in call.values.items() if name != "input"})
        )

    return effect


def uniform_noise_like(call: Call) -> Value:
    """torch.rand_like: numbers in [0, 1), no distribution."""
    return Tensor(call.frame.machine.opaque(call.node), rank=call.tensor().rank, nonnegative=True, gradient=False)


def identity_matrix(call: Call) -> Value:
    """torch.eye: one-hot rows."""
    return Tensor(
        call.number(),
        Space.PROBS,
        Mass.WHOLE,
        -1,
        rank=2,
        nonnegative=True,
        gradient=False,
        maker=Maker("eye", call.place),
        trail=call.trail("eye"),
    )


def literal(call: Call) -> Value:
    """torch.tensor of a literal list: its numbers say what it is."""
    match call.value("data"):
        case Tensor() | Unknown() as data:
            return data
        case Sequence() | Constant() as data:
            made = literal_tensor(call, data)
            if isinstance(made, Tensor) and call.constant("requires_grad") is True:
                return replace(made, gradient=True)
            return made
        case _:
            return Tensor(call.number(), gradient=False)


def literal_tensor(call: Call, data: Value) -> Value:
    """The space of literal numbers: rows that are nonnegative and sum to one are probabilities."""
    if isinstance(data, Constant) and isinstance(data.value, (int, float)):
        return Tensor(call.number(), rank=0, fill=data, gradient=False)
    if isinstance(data, Sequence) and data.items == ():
        return empty(call)
    share, depth = repeated_number(data)
    if depth and is_share(share):
        return fill_tensor(call, share, None if holds_one(data) else depth)
    rows = literal_rows(data, call.numbers)
    if isinstance(data, Sequence) and data.items is None and isinstance(data.element, (Tensor, Sequence)):
        element = as_tensor(data.element, call.numbers)
        return replace(blurred(element, call.number()), gradient=False)
    if rows is None:
        return Tensor(call.number(), gradient=False)
    rank, vectors = rows
    ranked = None if holds_one(data) else rank
    number = call.frame.machine.fresh("literal", call.node)
    flat = [value for vector in vectors for value in vector]
    kind = dtype_kind(call)
    whole = all(type(value) is int for value in flat)
    shares = all(value >= 0 and abs(sum(vector) - 1) < 1e-3 for vector in vectors for value in vector)
    several_hot = rank > 1 and set(flat) <= {0, 1}
    if whole and not shares and not several_hot and kind != "float":
        what = "permutation" if len(vectors) == 1 and sorted(flat) == list(range(len(flat))) else "integers"
        return Tensor(number, Space.INDICES, rank=ranked, gradient=False, trail=call.trail(what))
    if shares and (not whole or rank > 1 or kind == "float"):
        return Tensor(
            number,
            Space.PROBS,
            Mass.WHOLE,
            -1,
            rank=ranked,
            nonnegative=True,
            gradient=call.constant("requires_grad", False) is not False,
            maker=Maker("literal", call.place),
            trail=call.trail("numbers that sum to one"),
        )
    return Tensor(
        number,
        Space.LOGITS if min(flat) < 0 < max(flat) else Space.UNKNOWN,
        rank=ranked,
        gradient=False,
        trail=call.trail("literal"),
    )


def dtype_kind(call: Call) -> str:
    """Whether numbers written out become floats, integers, or what they are."""
    dtype = call.value("dtype")
    if isinstance(dtype, Symbol):
        return "int" if any(word in dtype.name for word in ("int", "long", "short")) else "float"
    return "float" if call.label == "Tensor" else ""


def legacy_tensor(call: Call) -> Value:
    """torch.Tensor and its kin: of a list, its numbers as floats; of sizes, whatever the memory held."""
    match call.rest:
        case (Sequence() | Tensor() | Unknown() as data,):
            return literal(replace(call, values={"data": data}))
        case () | (Constant(value=0), *_):
            return empty(call)
        case sizes:
            return memory(call, len(sizes))


def memory(call: Call, rank: int | None) -> Tensor:
    """Whatever the memory held, for others to write over."""
    number = call.frame.machine.opaque(call.node)
    return Tensor(number, rank=rank, gradient=False, form=Form("buffer", Unknown(number)))


def uninitialized(call: Call) -> Value:
    """torch.empty and its kin."""
    return memory(call, None)


def holds_one(data: Value) -> bool:
    """Whether a list holds one number: that takes the rank of whatever it meets."""
    while isinstance(data, Sequence) and data.items is not None and len(data.items) == 1:
        data = data.items[0]
    return not isinstance(data, Sequence)


def repeated_number(data: Value) -> tuple[Value, int]:
    """What a nested list such as `[[1 / n] * n]` holds everywhere, and how deep it lies."""
    depth = 0
    while isinstance(data, Sequence) and depth < 4:
        inner = data.element if data.items is None else data.items[0] if len(data.items) == 1 else None
        if inner is None:
            return data, 0
        data, depth = inner, depth + 1
    return data, depth


def empty(call: Call) -> Tensor:
    """A tensor without elements."""
    number = call.frame.machine.fresh("empty", call.node)
    return Tensor(number, gradient=False, form=Form("empty", Unknown(number)))


def literal_rows(data: Value, numbers: Numbers) -> tuple[int, list[list[float]]] | None:
    """A nested literal list as (rank, its innermost rows); None where it is not all numbers."""
    items = listed(data)
    if not items or len(items) > 64:
        return None
    if all(isinstance(item, Constant) and type(item.value) in (int, float) for item in items):
        return 1, [[item.value for item in items]]  # type: ignore[union-attr,misc]
    inner = [literal_rows(item, numbers) for item in items]
    if any(rows is None for rows in inner):
        return None
    rank = inner[0][0] if inner[0] else 0
    return rank + 1, [vector for rows in inner if rows for vector in rows[1]]
