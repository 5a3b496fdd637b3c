"""The state after the turns of a loop: joined turn by turn, until one more can show no difference."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.frame import MISSING, Frame
from kl_lint.flow.lattice import begun, choose_states, join
from kl_lint.flow.values import (
    NO_GUARDS,
    Choice,
    Constant,
    External,
    Instance,
    Mapping,
    Numbers,
    Sequence,
    Space,
    Tensor,
    Unknown,
    Value,
    options_of,
)

__all__ = ["merge_pass"]


def merge_pass(frame: Frame, ways: list[dict[str, Value]], *, last: bool) -> bool:
    """Join a loop pass into the state before it; says whether the state has changed in a way that another pass must
    see, which after the last one it has not.
    """
    numbers = frame.machine.numbers
    states: dict[str, tuple[Value, Value]] = {}
    for name in sorted({name for way in ways for name in way}):
        before = frame.variables.get(name, MISSING)
        after = [way[name] for way in ways if name in way and way[name] is not MISSING]
        if not after:
            continue
        values = [(NO_GUARDS, v) for v in ((before, *after) if before is not MISSING else after)]
        merged = choose_states(begun([pair for value in values for pair in options_of(value[1])]), numbers)
        if merged != before:
            states[name] = before, merged
    changed = not last and not all(alike(frame, name, before, merged) for name, (before, merged) in states.items())
    for name, (before, merged) in states.items():
        settled = last or (not changed and isinstance(before, Choice))
        frame.set(name, settle(before, merged, numbers) if settled else merged)
    return changed


def settle(before: Value, merged: Value, numbers: Numbers) -> Value:
    """What is true after any number of turns; of an object, of each list and dict in it that a turn has filled."""
    match before, merged:
        case Instance(), Instance():
            attributes = tuple(
                (name, join([value], numbers) if value != before.get(name) and is_filled(value) else value)
                for name, value in merged.attributes
            )
            return replace(merged, attributes=attributes)
        case _:
            return join([merged], numbers)


def is_filled(value: Value) -> bool:
    """Whether a value is a list, a dict, or a module that holds others, of one length or another."""
    options = [option for _, option in options_of(value)]
    if all(isinstance(option, External) for option in options):
        return len({option.place for option in options if isinstance(option, External)}) == 1
    return any(all(isinstance(option, kind) for option in options) for kind in (Sequence, Mapping))


def alike(frame: Frame, name: str, before: Value, after: Value) -> bool:
    """Whether a loop's next pass can see no difference: nothing was known before, or all but the identity is the
    same.
    """
    match before, after:
        case Unknown(number=number), _:
            if before is MISSING:
                return True
            shared = any(
                isinstance(v, (Unknown, Tensor)) and v.number == number
                for key, v in frame.variables.items()
                if key != name
            )
            return not shared and all(isinstance(one, Unknown) for _, one in options_of(after))
        case Tensor(space=Space.UNKNOWN), Tensor(space=Space.UNKNOWN):
            return replace(before, number=0, trail=None, form=None) == replace(after, number=0, trail=None, form=None)
        case Sequence(items=None, element=Tensor() as one), Sequence(items=None, element=Tensor() as other):
            return replace(one, number=0, source=None) == replace(other, number=0, source=None)
        case Choice(), _:
            return {shape(one) for _, one in options_of(before)} == {shape(one) for _, one in options_of(after)}
        case _:
            return False


def shape(value: Value) -> object:
    """What is known of a value, whichever it is."""
    match value:
        case Unknown(form=form):
            return form and form.op
        case Tensor():
            known = (value.source, value.temperature, value.weight, value.form, value.masked)
            return (
                (value.space, value.mass, value.dim, value.symbol, value.rank, value.mixed, value.gradient),
                (value.nonnegative, value.loss, value.fill if isinstance(value.fill, Constant) else None),
                tuple(one is None for one in known),
                value.maker and value.maker.place,
                tuple((note.kind, note.place) for note in value.notes),
            )
        case Sequence(items=None, element=element):
            return value.mutable, element and shape(element)
        case Sequence(items=tuple(items)):
            return value.mutable, tuple(shape(item) for item in items)
        case Mapping(entries=entries, rest=rest):
            return tuple((key, shape(held)) for key, held in entries), rest and shape(rest)
        case Instance(attributes=attributes):
            return value.cls, tuple((key, shape(held)) for key, held in attributes)
        case _:
            return value
