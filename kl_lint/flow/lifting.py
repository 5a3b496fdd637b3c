"""Functions of plain values, lifted to values that may be one of several: each alternative by itself."""

from __future__ import annotations

from collections.abc import Callable

from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import choose, join
from kl_lint.flow.values import NO_GUARDS, Choice, Guards, Unknown, Value, compatible, options_of

__all__ = ["lift", "under"]

MOST_COMBINATIONS = 16


def under(frame: Frame, guards: Guards, action: Callable[[], Value]) -> Value:
    """The value of an action on the paths where `guards` hold."""
    if not guards:
        return action()
    before = frame.conditions
    frame.conditions = {**before, **dict(guards)}
    try:
        return action()
    finally:
        frame.conditions = before


def lift(frame: Frame, function: Callable[..., Value], *values: Value) -> Value:
    """`function` of plain values, for values that may be choices: each possible combination by itself."""
    if not any(type(value) is Choice for value in values):
        return function(*values)
    combinations: list[tuple[Guards, tuple[Value, ...]]] = [(NO_GUARDS, ())]
    here = frame.guards()
    for value in values:
        combinations = [
            (guards | more, (*chosen, option))
            for guards, chosen in combinations
            for more, option in options_of(value)
            if compatible(guards, more) and compatible(more, here)
        ]
        if len(combinations) > MOST_COMBINATIONS:
            return function(*(join([frame.narrow(value)], frame.machine.numbers) for value in values))
    options: list[tuple[Guards, Value]] = []
    for guards, chosen in combinations:
        result = under(frame, guards, lambda chosen=chosen: function(*chosen))  # type: ignore[misc]
        options.extend((guards | more, option) for more, option in options_of(result) if compatible(guards, more))
    return choose(options, frame.machine.numbers) if options else Unknown(frame.machine.numbers.of("impossible"))
