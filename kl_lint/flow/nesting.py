"""Objects that lie within others: what is done to one is seen through every name and every object that leads to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kl_lint.flow.values import External, Instance, Mapping, Sequence, Value

__all__ = ["CHANGEABLE", "exchanged", "parts_of", "with_parts"]

CHANGEABLE = (Mapping, Sequence, Instance, External)
"""The objects that a program changes in place."""
DEEPEST = 3
"""How deep an object may lie within others to be found there again."""


def exchanged(value: Value, old: Value, new: Value, levels: int = DEEPEST) -> Value:
    """A value in which the very object `old` has become `new`, wherever it lies."""
    if value is old or is_begun(old, value):
        return new
    held = parts_of(value) if levels else ()
    lying = [(key, one) for key, one in held if isinstance(one, CHANGEABLE)]
    changed = {key: after for key, one in lying if (after := exchanged(one, old, new, levels - 1)) is not one}
    return with_parts(value, tuple((key, changed.get(key, one)) for key, one in held)) if changed else value


def is_begun(stub: Value, value: Value) -> bool:
    """Whether an object is one of which another name only knows that it was made: it has been built since."""
    if not isinstance(stub, Instance) or stub.attributes or not isinstance(value, Instance):
        return False
    return value.number == stub.number and value.cls is stub.cls


def parts_of(value: Value) -> tuple[tuple[Any, Value], ...]:
    """What an object holds, each under the key or name that leads to it."""
    match value:
        case Mapping():
            return value.entries
        case Instance():
            return value.attributes
        case External():
            return value.arguments
        case Sequence(items=tuple(items)):
            return tuple(enumerate(items))
        case _:
            return ()


def with_parts(value: Value, held: tuple[tuple[Any, Value], ...]) -> Value:
    """The object that holds these instead."""
    match value:
        case Mapping():
            return replace(value, entries=held)
        case Instance():
            return replace(value, attributes=held)
        case External():
            return replace(value, arguments=held)
        case Sequence(items=tuple()):
            return replace(value, items=tuple(one for _, one in held))
        case _:
            return value
