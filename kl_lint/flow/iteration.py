"""What a loop makes of the things that it goes through, where its body changes them."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.containers import renumbered
from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import choose
from kl_lint.flow.slicing import changed_by_turns, gone_through
from kl_lint.flow.store import mutate
from kl_lint.flow.syntax import walk
from kl_lint.flow.values import Choice, External, Mapping, Sequence, Tensor, Unknown, Value

__all__ = ["give_back"]

NAMED = (ast.Name, ast.Attribute, ast.Subscript)
"""The expressions that something can be given back to."""


def give_back(frame: Frame, loop: ast.For | ast.AsyncFor) -> None:
    """After the last turn: what the names of the loop stand for is what all that it went through has become; how far a
    loop has come that may be left before, nobody knows.
    """
    names = changed_by_turns(loop)
    if not names:
        return
    literal = isinstance(loop.iter, (ast.Tuple, ast.List))
    left_early = any(isinstance(node, ast.Break) for statement in loop.body for node in walk(statement))
    for target, thing in gone_through(loop.target, loop.iter):
        one = frame.lookup(target.id) if isinstance(target, ast.Name) and target.id in names else None
        if one is not None and isinstance(thing, NAMED):
            held, number = frame.machine.evaluate(frame, thing), frame.machine.fresh("each", thing)
            became = Unknown(number) if left_early else one
            mutate(frame, thing, held, renumbered(became, number) if literal else holding(frame, held, became, number))


def holding(frame: Frame, container: Value, one: Value, number: int) -> Value:
    """A container of which every item has become `one`; of the rows of a tensor it is not told what they make of it."""
    numbers = frame.machine.numbers
    match container:
        case Sequence():
            return replace(container, items=None, element=one, number=number)
        case Mapping(entries=entries, rest=rest):
            each = tuple((key, renumbered(one, numbers.of("each", number, (key,)))) for key, _ in entries)
            return replace(container, entries=each, rest=None if rest is None else one, number=number)
        case External(items=items) if items:
            return replace(container, items=(one,) * len(items))
        case External(name=name, arguments=held) if name.endswith("ModuleDict"):
            return replace(container, arguments=tuple((key, one) for key, _ in held))
        case Tensor() | External():
            return Unknown(number)
        case Choice(options=options):
            return choose([(guards, holding(frame, option, one, number)) for guards, option in options], numbers)
        case _:
            return container
