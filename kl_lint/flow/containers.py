"""Lists, tuples and dicts: reading an item, iterating, and what their methods do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence as AbstractSequence
from dataclasses import replace

from kl_lint.flow.frame import Frame
from kl_lint.flow.held_modules import as_mapping, from_mapping, is_module_dict
from kl_lint.flow.indexing import rows_of
from kl_lint.flow.lattice import choose, join
from kl_lint.flow.objects import torch_base
from kl_lint.flow.state import unsettled_item
from kl_lint.flow.values import (
    NONE,
    Choice,
    Constant,
    External,
    Guards,
    Instance,
    Mapping,
    Numbers,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    number_of,
    options_of,
)

__all__ = [
    "MOST_ITEMS",
    "Mutation",
    "concatenated",
    "elements",
    "item",
    "lacks",
    "mapping_method",
    "one_of",
    "sequence_method",
    "too_deep",
    "updated",
    "widened_items",
    "with_item",
    "without_item",
]

MOST_ITEMS = 64
"""The longest list whose items are kept apart."""

MOST_LEVELS = 8
"""How deep containers are looked into."""

Mutation = tuple[Value, Value]
"""What a mutating method returns, and the container after it."""


def one_of(values: Iterable[Value], selector: int, numbers: Numbers) -> Value:
    """One of several values, picked by something unknown: two picks by one selector go together."""
    options: list[tuple[Guards, Value]] = []
    for i, value in enumerate(values):
        options.extend((guards | {(selector, i)}, option) for guards, option in options_of(value))
    return choose(options, numbers) if options else Unknown(numbers.of("empty", selector))


def item(frame: Frame, base: Value, key: Value) -> Value:
    """`base[key]` for containers."""
    numbers = frame.machine.numbers
    match base, key:
        case Sequence(items=items), Constant(value=int() as index) if items is not None:
            return items[index] if -len(items) <= index < len(items) else Unknown(numbers.of("empty", base.number))
        case Sequence(items=items), _ if items:
            return one_of(items, numbers.of("pick", number_of(key, numbers), (len(items),)), numbers)
        case Sequence(element=element), _ if element is not None:
            return renumbered(element, numbers.of("item", number_of(base, numbers), number_of(key, numbers)))
        case Mapping(), Constant(value=constant) | Symbol(name=constant):
            found = base.get(constant)
            if found is not None:
                return unsettled_item(frame, base, constant, found)
            number = numbers.of("item", base.number, number_of(key, numbers))
            return renumbered(base.rest, number) if base.rest is not None else Unknown(number)
        case Mapping(), _ if base.entries or base.rest is not None:
            values = [value for _, value in base.entries] + ([base.rest] if base.rest is not None else [])
            return one_of(values, numbers.of("pick", number_of(key, numbers), (len(values),)), numbers)
        case External(items=items, open=False), Constant(value=int() as index) if -len(items) <= index < len(items):
            return items[index]
        case External(), _ if is_module_dict(base):
            return module_named(base, key, numbers)
        case External(items=items), _ if items:
            picked = one_of(items, numbers.of("pick", number_of(key, numbers), (len(items),)), numbers)
            number = numbers.of("item", base.number, number_of(key, numbers))
            return renumbered(picked, number) if base.open else picked
        case _:
            return Unknown(numbers.of("item", number_of(base, numbers), number_of(key, numbers)))


def module_named(base: External, key: Value, numbers: Numbers) -> Value:
    """`base[key]` of an nn.ModuleDict."""
    number = numbers.of("item", base.number, number_of(key, numbers))
    others = [renumbered(one, number) for one in base.items]
    if isinstance(key, Constant):
        known = base.get(key.value) if isinstance(key.value, str) else None
        return known or (others[0] if others else Unknown(number))
    each = [*(value for _, value in base.arguments), *others]
    return one_of(each, numbers.of("pick", number_of(key, numbers), (len(each),)), numbers) if each else Unknown(number)


def renumbered(value: Value, number: int) -> Value:
    """The same facts under another number: an element that stands for many."""
    match value:
        case Tensor():
            return replace(value, number=number, source=None)
        case External():
            return replace(value, number=number)
        case Unknown(form=form):
            return Unknown(number, form)
        case _:
            return value


def with_item(base: Value, key: Value, value: Value, numbers: Numbers) -> Value | None:
    """The container after `base[key] = value`; None where it is no container."""
    match base, key:
        case Sequence(items=items), Constant(value=int() as index) if items is not None and -len(items) <= index < len(
            items
        ):
            changed = list(items)
            changed[index] = value
            return replace(base, items=tuple(changed))
        case Sequence(), _:
            return Sequence(None, widened(base, value, numbers), mutable=True, number=base.number)
        case Mapping(), Constant(value=constant) | Symbol(name=constant):
            entries = tuple(pair for pair in base.entries if pair[0] != constant)
            return replace(base, entries=(*entries, (constant, value)))
        case Mapping(), _:
            entries = tuple((held, join((old, value), numbers)) for held, old in base.entries)
            rest = value if base.rest is None else join((base.rest, value), numbers)
            return replace(base, entries=entries, rest=rest)
        case External(), _ if is_module_dict(base):
            held = with_item(as_mapping(base), key, value, numbers)
            return from_mapping(base, held) if isinstance(held, Mapping) else None
        case _:
            return None


def without_item(base: Value, key: Value, numbers: Numbers) -> Value | None:
    """The container after `del base[key]`; None where it is no container."""
    match base, key:
        case Sequence(items=tuple() as items), Constant(value=int() as index) if -len(items) <= index < len(items):
            return replace(base, items=tuple(item for i, item in enumerate(items) if i != index % len(items)))
        case Sequence(), _:
            return Sequence(None, widened_items(base, numbers), mutable=True, number=base.number)
        case Mapping(), Constant(value=constant) | Symbol(name=constant):
            return replace(base, entries=tuple(pair for pair in base.entries if pair[0] != constant))
        case Mapping(), _:
            return base
        case _:
            return None


def widened(base: Sequence, value: Value, numbers: Numbers) -> Value:
    """The join of what a list holds with one more value."""
    held = [*(base.items or ()), *((base.element,) if base.element is not None else ()), value]
    return join(held, numbers) if len(held) > 1 else held[0]


def elements(frame: Frame, value: Value, selector: int) -> tuple[tuple[Value, ...] | None, Value | None]:
    """What iterating over `value` yields: the items where they are known, else one that stands for all (None: nothing
    is).
    """
    numbers = frame.machine.numbers
    match value:
        case Sequence(items=items) if items is not None:
            return items, None
        case Sequence(element=element):
            return None, renumbered(
                element, numbers.of("each", value.number, selector)
            ) if element is not None else Unknown(selector)
        case Mapping(entries=entries, rest=None):
            return tuple(Constant(key) for key, _ in entries if isinstance(key, (str, int, float, bool))), None
        case External() if is_module_dict(value):
            return elements(frame, as_mapping(value), selector)
        case External(name=name, items=items) if items or (name.endswith("ModuleList") and not value.open):
            if not value.open:
                return items, None
            return None, renumbered(one_of(items, selector, numbers), numbers.of("each", value.number, selector))
        case Instance(cls=cls, attributes=attributes) if torch_base(cls) == "typing.NamedTuple":
            return tuple(held for _, held in attributes), None
        case Tensor():
            return None, renumbered(rows_of(value, frame), numbers.of("each", value.number, selector))
        case Choice(options=options):
            parts = [(guards, elements(frame, option, selector)) for guards, option in options]
            ones = [(guards, one_of(known, selector, numbers) if known else one) for guards, (known, one) in parts]
            each = [(guards | more, held) for guards, one in ones if one is not None for more, held in options_of(one)]
            return None, choose(each, numbers) if each else Unknown(selector)
        case _:
            return None, Unknown(numbers.of("each", number_of(value, numbers), selector))


# --- methods ---------------------------------------------------------------------------------------------------------


def sequence_method(frame: Frame, name: str, base: Sequence, arguments: list[Value]) -> Mutation | None:
    """A list's method: its result, and the list after it; None where it is not known."""
    numbers = frame.machine.numbers
    match name, arguments:
        case "append" | "add" | "appendleft", [value]:
            return NONE, appended(frame, base, value)
        case "insert", [Constant(value=int() as index), value] if (
            base.items is not None and len(base.items) < MOST_ITEMS and not frame.loop_levels
        ):
            items = list(base.items)
            items.insert(index, value)
            number = numbers.of("insert", base.number, (index,), number_of(value, numbers))
            return NONE, replace(base, items=tuple(items), number=number)
        case "insert", [_, value]:
            return NONE, Sequence(None, widened(base, value, numbers), mutable=True, number=base.number)
        case "extend" | "update", [Sequence(items=items)] if items is not None:
            after: Sequence = base
            for value in items:
                after = appended(frame, after, value)
            return NONE, after
        case "extend" | "update", [value]:
            _, element = elements(frame, value, numbers.of("extend", base.number))
            return NONE, appended(
                frame, replace(base, items=None, element=widened_items(base, numbers)), element or NONE
            )
        case "pop" | "popleft", [] | [Constant(value=int())] if base.items and not frame.loop_levels:
            place = 0 if name == "popleft" else arguments[0] if arguments else Constant(-1)
            index = place.value if isinstance(place, Constant) and isinstance(place.value, int) else 0
            left = list(base.items)
            taken = left.pop(index) if -len(left) <= index < len(left) else Unknown(numbers.of("empty", base.number))
            return taken, replace(base, items=tuple(left))
        case "pop" | "popleft", _:
            number = numbers.of("popped", base.number)
            rest = Sequence(None, widened_items(base, numbers), mutable=True, number=number)
            first = Constant(0) if name == "popleft" else Constant(-1)
            return item(frame, base, arguments[0] if arguments and name == "pop" else first), rest
        case "copy", []:
            return replace(base), base
        case "clear", []:
            return NONE, replace(base, items=(), element=None)
        case "reverse", [] if base.items is not None:
            return NONE, replace(base, items=base.items[::-1])
        case "remove" | "sort", _:  # which element stands where, nobody knows
            return NONE, Sequence(None, widened_items(base, numbers), mutable=True, number=base.number)
        case "index" | "count" | "reverse" | "_replace", _:
            return Unknown(numbers.of(name, base.number)), base
        case _:
            return None


def widened_items(base: Sequence, numbers: Numbers) -> Value | None:
    """One value that stands for every item of a list."""
    held = [*(base.items or ()), *((base.element,) if base.element is not None else ())]
    return join(held, numbers) if held else None


def appended(frame: Frame, base: Sequence, value: Value) -> Sequence:
    """A list after append: in a loop its length is not known any more."""
    numbers = frame.machine.numbers
    if base.items is None or frame.loop_levels or len(base.items) >= MOST_ITEMS:
        return Sequence(
            None,
            widened(base, value, numbers),
            mutable=True,
            number=numbers.of("append", base.number, number_of(value, numbers)),
        )
    return replace(
        base, items=(*base.items, value), number=numbers.of("append", base.number, number_of(value, numbers))
    )


def mapping_method(
    frame: Frame, name: str, base: Mapping, arguments: list[Value], keywords: dict[str, Value]
) -> Mutation | None:
    """A dict's method: its result, and the dict after it; None where it is not known."""
    numbers = frame.machine.numbers
    match name, arguments:
        case "get" | "pop" | "setdefault", [key, *default]:
            found = (
                item(frame, base, key)
                if not isinstance(key, Constant) or base.get(key.value) is not None or base.rest is not None
                else None
            )
            if found is not None and default and not isinstance(key, Constant):
                found = one_of(
                    (found, default[0]), numbers.of("is there", base.number, number_of(key, numbers)), numbers
                )
            if found is not None:
                return found, (without_item(base, key, numbers) or base) if name == "pop" else base
            value = default[0] if default else NONE
            return value, (with_item(base, key, value, numbers) or base) if name == "setdefault" else base
        case "items", []:
            pairs = [Sequence((Constant(key), value)) for key, value in base.entries]
            return listing(
                pairs, Sequence((Unknown(base.number), base.rest)) if base.rest is not None else None, numbers
            ), base
        case "values", []:
            return listing([value for _, value in base.entries], base.rest, numbers), base
        case "keys", []:
            return listing(
                [Constant(key) for key, _ in base.entries],
                Unknown(base.number) if base.rest is not None else None,
                numbers,
            ), base
        case "update", [Mapping() as other]:
            return NONE, updated(updated(base, other, numbers), Mapping(tuple(keywords.items())), numbers)
        case "update", [value]:
            return NONE, updated(base, Mapping((), Unknown(numbers.of("update", number_of(value, numbers)))), numbers)
        case "update", []:
            return NONE, updated(base, Mapping(tuple(keywords.items())), numbers)
        case "clear", []:
            return NONE, replace(base, entries=(), rest=None)
        case "copy", []:
            return replace(base), base
        case _:
            return None


def updated(base: Mapping, other: Mapping, numbers: Numbers) -> Mapping:
    """A dict after `update(other)`: what `other` may hold under any key may now stand under each."""
    entries = [
        (key, value if other.rest is None else join((value, other.rest), numbers))
        for key, value in base.entries
        if other.get(key) is None
    ]
    rests = [rest for rest in (base.rest, other.rest) if rest is not None]
    return replace(base, entries=(*entries, *other.entries), rest=join(rests, numbers) if rests else None)


def concatenated(one: Sequence, other: Sequence, numbers: Numbers) -> Sequence:
    """Two lists as one of unknown length."""
    held = [element for element in (widened_items(one, numbers), widened_items(other, numbers)) if element is not None]
    number = numbers.of("add", number_of(one, numbers), number_of(other, numbers))
    return Sequence(None, join(held, numbers) if held else None, mutable=one.mutable, number=number)


def lacks(base: Value, key: Value) -> bool:
    """Whether `base[key]` raises: no run goes on with it."""
    match base, key:
        case Mapping(rest=None), Constant(value=constant):
            return base.get(constant) is None
        case Sequence(items=items), Constant(value=int() as index) if items is not None:
            return not -len(items) <= index < len(items)
        case _:
            return False


def too_deep(values: Iterable[Value], levels: int = MOST_LEVELS) -> bool:
    """Whether containers stand within containers deeper than anything is written by hand."""
    for value in values:
        match value:
            case Sequence(items=items) if items:
                inner: Iterable[Value] = items
            case Mapping(entries=entries):
                inner = [held for _, held in entries]
            case Instance(attributes=attributes):
                inner = [held for _, held in attributes]
            case Choice(options=options):
                inner = [option for _, option in options]
            case _:
                continue
        if levels == 0 or too_deep(inner, levels - 1):
            return True
    return False


def listing(values: AbstractSequence[Value], rest: Value | None, numbers: Numbers) -> Value:
    """The view of a dict as a list."""
    if rest is None:
        return Sequence(tuple(values))
    return Sequence(None, join([*values, rest], numbers))
