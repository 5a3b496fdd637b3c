"""The lattice of values: alternatives kept apart where they are few, and what is true of all where they are many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence as AbstractSequence
from dataclasses import replace

from kl_lint.flow.held_modules import as_mapping, from_mapping, is_module_dict
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    INFINITE_MASKS,
    NONE,
    Choice,
    Constant,
    External,
    Guards,
    Instance,
    Loss,
    Mapping,
    Mass,
    Note,
    Numbers,
    RemarkKind,
    Sequence,
    Space,
    Tensor,
    Unknown,
    Value,
    number_of,
    options_of,
)

__all__ = ["begun", "choose", "choose_states", "flattened", "gathered", "is_empty", "join"]

MOST_OPTIONS = 8
MOST_ENTRIES = 256
"""How many entries of several dicts are compared to make one of them."""


def choose(options: Iterable[tuple[Guards, Value]], numbers: Numbers) -> Value:
    """One value for several alternatives: a single one plain, many with equal ones merged, too many joined.

    Equal values under different conditions are kept apart while they are few: each goes with what else holds there.
    """
    options = list(options)
    if options and all(value is options[0][1] for _, value in options):
        return options[0][1]
    merged: list[tuple[Guards, Value]] = []
    # two, which there mostly are, differ in their conditions: a value takes long to hash
    apart = options if len(options) == 2 and options[0] != options[1] else list(dict.fromkeys(options))
    for guards, value in apart:
        for i, (known, present) in enumerate(merged):
            if present is value or present == value:
                merged[i] = (known & guards, present)
                break
        else:
            merged.append((guards, value))
    if not merged:
        return Unknown(numbers.of("impossible"))
    if len(merged) == 1:
        return merged[0][1]
    if (first := outline(merged[0][1], numbers)) and all(outline(value, numbers) == first for _, value in merged[1:]):
        conditions = frozenset(guards for guards, _ in apart)
        return one_of_many([value for _, value in merged], conditions, numbers)
    if len(merged) > MOST_OPTIONS:
        return join([value for _, value in merged], numbers)
    return Choice(tuple(apart if len(apart) <= MOST_OPTIONS else merged))


def outline(value: Value, numbers: Numbers) -> object:
    """What is known of a value of which nothing is known that a rule could tell: its structure. None: it tells
    something.
    """
    match value:
        case Unknown(form=None, number=number):
            return None if numbers.is_size(number) else Unknown  # a size goes with the tensor it is of
        case Tensor(space=Space.UNKNOWN, mixed=False, form=None, fill=None, loss=None, maker=None, notes=()):
            if value.masked is None and value.source is None and value.weight is None and value.temperature is None:
                return (Tensor, value.rank, value.nonnegative, value.gradient)
        case Constant(value=held):
            return (type(held), held)
        case Sequence(items=None, element=element):
            inner = None if element is None else outline(element, numbers)
            return None if inner is None else (Sequence, value.mutable, inner)
        case Sequence(items=tuple(items)) if items:
            parts = tuple(outline(item, numbers) for item in items)
            return None if None in parts else (Sequence, value.mutable, value.names, parts)
        case _:
            pass
    return None


def one_of_many(values: list[Value], guards: frozenset[Guards], numbers: Numbers) -> Value:
    """One value for several of one outline, that cannot be told apart."""
    first = values[0]
    number = numbers.of("one of", (guards,), *(number_of(value, numbers) for value in values))
    match first:
        case Unknown():
            return Unknown(number)
        case Tensor():
            return replace(first, number=number, trail=None)
        case Sequence(items=None, element=element) if element is not None:
            inner = [value.element for value in values if isinstance(value, Sequence) and value.element is not None]
            return replace(first, element=one_of_many(inner, guards, numbers), number=number)
        case Sequence(items=tuple()):
            rows = [value.items for value in values if isinstance(value, Sequence) and value.items is not None]
            columns = zip(*rows, strict=True)
            return replace(
                first, items=tuple(one_of_many(list(one), guards, numbers) for one in columns), number=number
            )
        case _:
            return first


def choose_states(options: list[tuple[Guards, Value]], numbers: Numbers) -> Value:
    """As `choose`; several states of one object become one object, whose attributes that differ are choices."""
    instances = [(guards, value) for guards, value in options if isinstance(value, Instance)]
    if len(instances) != len(options) or not instances:
        return choose(options, numbers)
    first = instances[0][1]
    if any(value.cls is not first.cls or value.number != first.number for _, value in instances):
        return choose(options, numbers)
    if all(value is first for _, value in instances):
        return first
    names: dict[str, None] = {}
    for _, value in instances:
        names.update(dict.fromkeys(name for name, _ in value.attributes))
    attributes = []
    for name in names:
        present = [(guards, found) for guards, value in instances if (found := value.get(name)) is not None]
        attributes.append((name, choose(flattened(present), numbers)))
    return replace(first, attributes=tuple(attributes))


def flattened(options: list[tuple[Guards, Value]]) -> list[tuple[Guards, Value]]:
    """Choices within a choice, opened."""
    flat: list[tuple[Guards, Value]] = []
    for guards, value in options:
        if isinstance(value, Choice):
            flat.extend((guards | more, option) for more, option in value.options)
        else:
            flat.append((guards, value))
    return flat


def join(values: AbstractSequence[Value], numbers: Numbers) -> Value:
    """The least that is true of every one of `values`: a single plain value, its alternatives forgotten."""
    flat: list[Value] = []
    for value in values:
        flat.extend(v for _, v in options_of(value))
    useful = [v for v in flat if v != NONE and not is_empty(v)] or flat
    first = useful[0]
    mappings = [v for v in useful if isinstance(v, Mapping)]
    if len(mappings) == len(useful) and any(v is not first and v != first for v in mappings):
        return join_mappings(mappings, numbers)
    if not any(isinstance(v, (Tensor, Sequence, Mapping, Instance, External)) for v in useful):
        if all(v is first or v == first for v in useful):
            return first
        return Unknown(numbers.of("join", *dict.fromkeys(number_of(v, numbers) for v in useful)))
    for other in useful[1:]:
        first = first if first is other or first == other else join_two(first, other, numbers)
    return first


def is_empty(value: Value) -> bool:
    """Whether a value is a tensor without elements, with which an accumulation begins: it says nothing of the rest."""
    return isinstance(value, Tensor) and value.form is not None and value.form.op == "empty"


def begun(options: list[tuple[Guards, Value]]) -> list[tuple[Guards, Value]]:
    """Without the zero or the memory that a gathering of distributions, or of divergences, begins with: a loop that
    takes no turn is taken for none.
    """
    tensors = [value for _, value in options if isinstance(value, Tensor)]
    if not any(value.space in DISTRIBUTIONS or value.loss is not None for value in tensors):
        return options
    return [(guards, value) for guards, value in options if not is_blank(value)]


def is_blank(value: Value) -> bool:
    """Whether a value is 0, a tensor of zeros, or memory to be written over; random numbers are none of these."""
    if isinstance(value, Tensor) and value.form is not None and value.form.op == "buffer":
        return value.space is Space.UNKNOWN and not value.nonnegative
    held = value.fill if isinstance(value, Tensor) else value
    return isinstance(held, Constant) and type(held.value) in (int, float) and held.value == 0


def join_two(one: Value, other: Value, numbers: Numbers) -> Value:
    """The least that is true of both: their number is new, unless they are equal."""
    number = numbers.of("join", number_of(one, numbers), number_of(other, numbers))
    match one, other:
        case Tensor(), Tensor():
            return join_tensors(one, other, number)
        case Tensor(), (Unknown() | Constant()):
            return Tensor(number, mixed=one.mixed, gradient=True)
        case ((Unknown() | Constant()), Tensor()):
            return Tensor(number, mixed=other.mixed, gradient=True)
        case Sequence(), Sequence() if (
            one.items is not None and other.items is not None and len(one.items) == len(other.items)
        ):
            items = tuple(a if a == b else join((a, b), numbers) for a, b in zip(one.items, other.items, strict=True))
            return replace(one, items=items, number=number)
        case Sequence(), Sequence():
            parts = [
                v for s in (one, other) for v in (s.items if s.items is not None else (s.element,)) if v is not None
            ]
            return Sequence(None, join(parts, numbers) if parts else None, mutable=one.mutable, number=number)
        case Mapping(), Mapping():
            return join_mappings((one, other), numbers)
        case Instance(), Instance() if one.cls is other.cls:
            names = [key for key, _ in one.attributes if other.get(key) is not None]
            attributes = tuple((key, join([one.get(key) or NONE, other.get(key) or NONE], numbers)) for key in names)
            return Instance(one.cls, attributes, one.entered or other.entered, number)
        case External(), External() if one.name == other.name and one.place == other.place:
            return join_modules(one, other, number, numbers)
        case _:
            return Unknown(number)


def join_modules(one: External, other: External, number: int, numbers: Numbers) -> Value:
    """What one construction made at different times: the arguments they share, and any of the modules they hold."""
    is_open = one.open or other.open or len(one.items) != len(other.items)
    number = one.number if one.number == other.number else number
    if is_module_dict(one):
        held = join_mappings((as_mapping(one), as_mapping(other)), numbers)
        return replace(from_mapping(one, held), open=is_open, number=number)
    if [name for name, _ in one.arguments] != [name for name, _ in other.arguments]:
        return Unknown(number)
    pairs = zip(one.arguments, other.arguments, strict=True)
    arguments = tuple((name, a if a == b else join((a, b), numbers)) for (name, a), (_, b) in pairs)
    items = (
        gathered((*one.items, *other.items), numbers)
        if is_open
        else tuple(a if a == b else join((a, b), numbers) for a, b in zip(one.items, other.items, strict=True))
    )
    return replace(one, arguments=arguments, items=items, open=is_open, number=number)


def gathered(values: AbstractSequence[Value], numbers: Numbers) -> tuple[Value, ...]:
    """Some of `values` each, those of one construction or one class taken together."""
    groups: dict[object, list[Value]] = {}
    for value in values:
        match value:
            case External(place=place):
                groups.setdefault(place, []).append(value)
            case Instance(cls=cls):
                groups.setdefault(cls, []).append(value)
            case _:
                groups.setdefault(value, []).append(value)
    return tuple(join(group, numbers) for group in groups.values())


def join_mappings(mappings: AbstractSequence[Mapping], numbers: Numbers) -> Mapping:
    """What several dicts have in common, and what only some of them have: under each key, what it may hold; where that
    is much, nothing is told apart.
    """
    number = numbers.of("join", *(number_of(mapping, numbers) for mapping in mappings))
    if sum(len(mapping.entries) for mapping in mappings) > MOST_ENTRIES:
        return Mapping((), Unknown(number), number)
    held: dict[tuple[type, object], list[Value]] = {}
    for mapping in mappings:
        for key, value in mapping.entries:
            held.setdefault((type(key), key), []).append(value)
    rests = [mapping.rest for mapping in mappings if mapping.rest is not None]
    return Mapping(
        tuple((key, join(values, numbers)) for (_, key), values in held.items()),
        join(rests, numbers) if rests else None,
        number,
    )


def join_tensors(one: Tensor, other: Tensor, number: int) -> Tensor:
    """What two tensors have in common. Different spaces leave nothing, and the mark that they were mixed."""
    number = one.number if one.number == other.number else number
    rank = one.rank if one.rank == other.rank else None
    gradient = one.gradient or other.gradient
    loss = join_losses(one, other)
    masked = masked_by_either(one.masked, other.masked)
    if one.space is not other.space:
        known = Space.UNKNOWN not in (one.space, other.space)
        mixed = known or one.mixed or other.mixed
        return Tensor(number, mixed=mixed, rank=rank, gradient=gradient, masked=masked, loss=loss)
    dim, symbol = where_both(one, other)
    kinds = {note.kind for note in other.notes} - INFINITE_MASKS
    mask = masked_by_either(mask_of(one), mask_of(other))
    return Tensor(
        number,
        one.space,
        one.mass if one.mass is other.mass else Mass.UNKNOWN,
        dim,
        symbol,
        rank,
        mixed=one.mixed or other.mixed,
        nonnegative=one.nonnegative and other.nonnegative,
        gradient=gradient,
        masked=masked,
        source=one.source if one.source == other.source else None,
        temperature=one.temperature if one.temperature == other.temperature else None,
        weight=one.weight if one.weight == other.weight else None,
        fill=one.fill if one.fill == other.fill else None,
        maker=one.maker if one.maker == other.maker else None,
        notes=tuple(note for note in one.notes if note.kind in kinds) + ((mask,) if mask else ()),
        trail=one.trail,
        loss=loss,
    )


def join_losses(one: Tensor, other: Tensor) -> Loss | None:
    """The divergences that two tensors come from: unreduced where both are, along one dim."""
    match one.loss, other.loss:
        case Loss() as first, Loss() as second:
            unreduced = first.elementwise and second.elementwise and one.where() == other.where()
            return Loss(first.calls | second.calls, unreduced, first.summed or second.summed)
        case first, second:
            either = first or second
            return None if either is None else replace(either, elementwise=False)


def where_both(one: Tensor, other: Tensor) -> tuple[int | None, int | None]:
    """The dim and the symbol of two distributions, where they are the same: counted from the front, or from the end."""
    if one.where() == other.where():
        return one.where()
    last = one.from_end()
    return (last, None) if one.symbol is other.symbol is None and last == other.from_end() else (None, None)


def masked_by_either(one: Note | None, other: Note | None) -> Note | None:
    """That a tensor is masked where it is so on both of two ways, and that it may be where it is on one."""
    if one is None or other is None:
        note = one or other
        return None if note is None else replace(note, kind=RemarkKind.MAYBE_INFINITE_MASK)
    return other if one.kind is RemarkKind.INFINITE_MASK else one


def mask_of(tensor: Tensor) -> Note | None:
    """What is noted of the mask of logits that were normalised."""
    return next((note for note in tensor.notes if note.kind in INFINITE_MASKS), None)
