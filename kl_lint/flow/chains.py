"""The chains of calls by which a program gets to a KL call."""

from __future__ import annotations

import ast

from kl_lint.flow.frame import ContextKey, Machine
from kl_lint.flow.kl_call import Caller
from kl_lint.flow.source import Place

__all__ = ["caller", "chains_to"]

MOST_CHAINS = 48
LONGEST_CHAIN = 8


def chains_to(machine: Machine, key: ContextKey) -> tuple[tuple[Caller, ...], ...]:
    """The chains that lead into an activation, outermost call first; none where they are too many or too long."""
    complete: list[tuple[Place, ...]] = []
    waiting: list[tuple[ContextKey, tuple[Place, ...]]] = [(key, ())]
    while waiting:
        here, chain = waiting.pop()
        entrances = machine.entrances.get(here, {})
        if not entrances:
            complete.append(chain)
        for outer, place in entrances:
            if place not in chain:  # a recursion leads nowhere else
                waiting.append((outer, (place, *chain)))
        if len(complete) + len(waiting) > MOST_CHAINS or len(chain) > LONGEST_CHAIN:
            return ()
    callers = (tuple(caller(machine, place) for place in chain) for chain in complete)
    return tuple(sorted(callers, key=lambda chain: [(one.filename, one.span) for one in chain]))


def caller(machine: Machine, place: Place) -> Caller:
    """A call of a chain, with its place resolved; of a class that inherits a method, that class."""
    node = place.node.func if isinstance(place.node, ast.Call) else place.node
    name = machine.heirs.get(node) or place.source.text(node)
    return Caller(
        place.source.filename, place.span, name, place not in machine.unfollowed, inherits=node in machine.heirs
    )
