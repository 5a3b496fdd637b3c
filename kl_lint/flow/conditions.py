"""Tests: the conditions that the truth of a value, or a comparison, puts on the two arms of a branch."""

from __future__ import annotations

import ast

from kl_lint.flow.frame import Frame
from kl_lint.flow.objects import same_class
from kl_lint.flow.values import (
    NO_GUARDS,
    Bound,
    Class,
    Constant,
    External,
    Function,
    Guards,
    Instance,
    Sequence,
    Symbol,
    Unknown,
    Value,
    compatible,
    number_of,
    options_of,
)

__all__ = ["Arms", "all_of", "compare_arms", "truth_guards", "truth_of"]

Arms = tuple[Guards | None, Guards | None]
"""The conditions under which a test is true, and false; None: it never is."""


def truth_of(value: Value) -> bool | None:
    """The truth of a value, where it is known."""
    match value:
        case Constant(value=known):
            return bool(known)
        case Sequence(items=items) if items is not None and not value.mutable:
            return bool(items)
        case Bound(function=str(), receiver=Unknown()):
            return None  # `args.log`: an attribute that only happens to be named as a method of a tensor
        case Function() | Class() | External() | Symbol() | Instance() | Bound():
            return True
        case _:
            return None


def truth_guards(frame: Frame, value: Value) -> Arms:
    """The arms of the truth of a value."""
    yes: list[Guards] = []
    no: list[Guards] = []
    for guards, option in options_of(value):
        truth = truth_of(option)
        if truth is None:
            number = number_of(option, frame.machine.numbers)
            yes.append(guards | {(number, True)})
            no.append(guards | {(number, False)})
        else:
            (yes if truth else no).append(guards)
    return merged(yes), merged(no)


def merged(ways: list[Guards]) -> Guards | None:
    """What all ways to one outcome have in common."""
    if not ways:
        return None
    common = ways[0]
    for other in ways[1:]:
        common = common & other
    return common


def all_of(frame: Frame, parts: list[Arms]) -> Arms:
    """The arms of a conjunction: true says all of it; false that it does not hold, which another test of the same
    parts knows again.
    """
    yes: Guards | None = NO_GUARDS
    open_ends: list[Guards] = []
    for part_yes, part_no in parts:
        yes = None if yes is None or part_yes is None or not compatible(yes, part_yes) else yes | part_yes
        if part_no is not None:
            open_ends.append(part_no)
    if not open_ends:
        return yes, None
    if len(open_ends) == 1 or yes is None:
        return yes, open_ends[0] if len(open_ends) == 1 else NO_GUARDS
    number = frame.machine.numbers.of("all", (yes,))
    return yes | {(number, True)}, frozenset({(number, False)})


def compare_arms(frame: Frame, left: Value, operator: ast.cmpop, right: Value, node: ast.expr) -> Arms:
    """The arms of one comparison with a literal; of any other, one flag for the same question."""
    yes: list[Guards] = []
    no: list[Guards] = []
    flip = isinstance(operator, (ast.NotEq, ast.IsNot, ast.NotIn))
    for left_guards, one in options_of(left):
        for right_guards, other in options_of(right):
            if not compatible(left_guards, right_guards):
                continue
            guards = left_guards | right_guards
            true_side, false_side = compared(frame, one, operator, other)
            if flip:
                true_side, false_side = false_side, true_side
            if true_side is not None:
                yes.append(guards | true_side)
            if false_side is not None:
                no.append(guards | false_side)
    return merged(yes), merged(no)


def compared(frame: Frame, one: Value, operator: ast.cmpop, other: Value) -> Arms:
    """The arms of `one == other`, `one is other`, `one in other` (the negated forms are turned by the caller), and of
    an order.
    """
    numbers = frame.machine.numbers
    match operator:
        case ast.Lt():
            return less(frame, one, other)
        case ast.Gt():
            return less(frame, other, one)
        case ast.LtE():
            return less(frame, other, one)[::-1]
        case ast.GtE():
            return less(frame, one, other)[::-1]
        case ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot():
            if isinstance(one, Constant) and isinstance(other, Constant):
                return decided(one.value == other.value)
            if isinstance(one, Symbol) and isinstance(other, Symbol) and (same := same_class(one, other)) is not None:
                return decided(same)
            if isinstance(one, Constant):
                one, other = other, one
            if isinstance(other, Constant):
                if other.value is None and not isinstance(one, (Unknown, Constant)):
                    return None, NO_GUARDS
                number = number_of(one, numbers)
                held = numbers.of("held", number)
                equal = numbers.of("equal", number, (repr(other.value),))
                present = frame.conditions.get(held)
                if present is not None and present != repr(other.value):
                    return None, NO_GUARDS
                truth = (number, bool(other.value))
                if not compatible(frozenset({truth}), frame.guards()):
                    return None, NO_GUARDS
                return frozenset({(held, repr(other.value)), (equal, True), truth}), frozenset({(equal, False)})
        case ast.In() | ast.NotIn() if (
            isinstance(one, Constant) and isinstance(other, Sequence) and other.items is not None
        ):
            if all(isinstance(v, Constant) for v in other.items):
                return decided(one in other.items)
        case ast.In() | ast.NotIn() if (
            isinstance(one, Symbol) and isinstance(other, Sequence) and other.items is not None
        ):
            answers = {same_class(one, item) if isinstance(item, Symbol) else None for item in other.items}
            if True in answers or None not in answers:
                return decided(True in answers)
        case _:
            pass
    number = numbers.of(
        "test", (type(operator).__name__.replace("Not", ""),), number_of(one, numbers), number_of(other, numbers)
    )
    return frozenset({(number, True)}), frozenset({(number, False)})


def decided(truth: bool) -> Arms:
    """The arms of a test that has one outcome."""
    return (NO_GUARDS, None) if truth else (None, NO_GUARDS)


def less(frame: Frame, one: Value, other: Value) -> Arms:
    """The arms of `one < other`, which is what `one >= other` denies: what is less than another is not equal to it."""
    numbers = frame.machine.numbers
    match one, other:
        case Constant(value=(int() | float()) as a), Constant(value=(int() | float()) as b):
            return decided(a < b)
        case Constant(value=(int() | float()) as bound), _:
            number = number_of(other, numbers)
            flag = numbers.of("more", number, (bound,))
        case _, Constant(value=(int() | float()) as bound):
            number = number_of(one, numbers)
            flag = numbers.of("less", number, (bound,))
        case _:
            flag = numbers.of("less", number_of(one, numbers), number_of(other, numbers))
            return frozenset({(flag, True)}), frozenset({(flag, False)})
    strictly = {(flag, True), *((numbers.of("equal", number, (text,)), False) for text in spellings(bound))}
    if bound == 0:
        strictly.add((number, True))
    return frozenset(strictly), frozenset({(flag, False)})


def spellings(value: float) -> frozenset[str]:
    """How a number is written, as an int and as a float where it is both."""
    if abs(value) < 1e15 and value == int(value):
        return frozenset({repr(value), repr(int(value)), repr(float(value))})
    return frozenset({repr(value)})
