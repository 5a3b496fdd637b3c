"""Statements: assignment, branches, loops, leaving a function, classes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence as AbstractSequence
from types import MappingProxyType
from typing import Any

from kl_lint.flow.conditions import Arms
from kl_lint.flow.containers import without_item
from kl_lint.flow.decorators import NO_GRAD, function_definition, register
from kl_lint.flow.doubts import Doubts, doubted
from kl_lint.flow.expressions import arms_of, bind_target, combined, evaluate
from kl_lint.flow.fixpoint import merge_pass
from kl_lint.flow.frame import MISSING, Frame, Return
from kl_lint.flow.imports import import_from, import_names
from kl_lint.flow.iteration import give_back
from kl_lint.flow.lattice import choose, join
from kl_lint.flow.lifting import lift
from kl_lint.flow.memory import note_view
from kl_lint.flow.operations import held_back
from kl_lint.flow.ranks import asserted_ranks, prove_rank
from kl_lint.flow.store import mutate, store
from kl_lint.flow.syntax import walk
from kl_lint.flow.values import (
    NONE,
    NO_GUARDS,
    Class,
    Constant,
    External,
    Guards,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    compatible,
    options_of,
)

__all__ = ["execute", "execute_one"]

PASSES = 3
"""How often a loop body is interpreted at most; what still changes then is joined."""
DEEP_LOOPS = 4
"""Loops nested deeper are interpreted once, each time the loop around them is."""
MOST_CONDITIONS = 48
MOST_ARMS = 16
"""How many arms of one branch are kept apart."""

Branch = tuple[Guards, dict[str, Value]]
NO_DOUBTS: Doubts = MappingProxyType({})


def execute(frame: Frame, body: AbstractSequence[ast.stmt]) -> None:
    """Interpret statements in order, until one leaves."""
    wanted = frame.slice.statements if frame.slice is not None else None
    for statement in body:
        if frame.dead:
            return
        if wanted is None or statement in wanted:
            execute_one(frame, statement)


def execute_one(frame: Frame, statement: ast.stmt) -> None:
    """Interpret one statement."""
    frame.machine.work()
    handler = HANDLERS.get(type(statement))
    if handler is not None:
        handler(frame, statement)


# --- assignment ------------------------------------------------------------------------------------------------------


def assign(frame: Frame, node: ast.Assign) -> None:
    """`a = b = value`."""
    value = evaluate(frame, node.value)
    note_view(frame, value, node.value)
    for target in node.targets:
        store(frame, target, value)


def assign_annotated(frame: Frame, node: ast.AnnAssign) -> None:
    """`a: T = value`."""
    if node.value is not None:
        store(frame, node.target, evaluate(frame, node.value))


def assign_augmented(frame: Frame, node: ast.AugAssign) -> None:
    """`a += value`: a tensor is changed in place."""
    before = evaluate(frame, node.target)
    value = evaluate(frame, node.value)
    after = combined(frame, node, before, value, {"input": node.target, "other": node.value})
    if frame.no_grad:
        after = held_back(after, [before], in_place=True)
    if frame.loop_levels:
        after = lift(frame, lambda one: longer(frame, one), after)
    if isinstance(before, Tensor) or (isinstance(before, Sequence) and before.mutable):
        mutate(frame, node.target, before, after)
    else:
        store(frame, node.target, after)


def longer(frame: Frame, value: Value) -> Value:
    """What a loop adds to a list makes it one of unknown length."""
    if not isinstance(value, Sequence) or not value.items:
        return value
    return Sequence(None, join(value.items, frame.machine.numbers), mutable=value.mutable, number=value.number)


def delete(frame: Frame, node: ast.Delete) -> None:
    """`del a`, `del a[0]`."""
    for target in node.targets:
        match target:
            case ast.Name(id=name):
                frame.set(name, MISSING)
            case ast.Subscript(value=base, slice=key):
                held = evaluate(frame, base)
                after = without_item(held, evaluate(frame, key), frame.machine.numbers)
                if isinstance(held, External):  # a layer less
                    after = Unknown(frame.machine.fresh("deleted", node))
                if after is not None:
                    mutate(frame, base, held, after)
            case _:
                pass


def expression(frame: Frame, node: ast.Expr) -> None:
    """An expression by itself."""
    if not isinstance(node.value, ast.Constant):
        evaluate(frame, node.value)


# --- branches --------------------------------------------------------------------------------------------------------


def arm(
    frame: Frame,
    guards: Guards | None,
    body: AbstractSequence[ast.stmt],
    doubts: Doubts = NO_DOUBTS,
) -> Branch | None:
    """Interpret one arm of a branch, where `doubts` stand for what names hold, and undo it; None where it cannot be
    reached or does not go on.
    """
    if guards is None or not compatible(guards, frame.guards()):
        return None
    conditions, frame.conditions = frame.conditions, {**frame.conditions, **dict(guards)}
    frame.open_branch()
    try:
        for name, value in doubts.items():
            frame.set(name, value)
        execute(frame, body)
    finally:
        written = frame.close_branch()
        frame.conditions = conditions
        dead, frame.dead = frame.dead, False
    if doubts:
        written = {name: value for name, value in written.items() if value is not doubts.get(name)}
    return None if dead else (guards, written)


def branch(frame: Frame, node: ast.If) -> None:
    """`if`, `elif`, `else`: a chain of any length, without recursion."""
    wanted = frame.slice.statements if frame.slice is not None else None
    remaining: Guards | None = NO_GUARDS
    ways: list[tuple[Branch | None, Guards | None]] = []
    rest: list[ast.stmt] = [node]
    doubts: Doubts = {}
    while remaining is not None:
        match rest:
            case [ast.If() as link] if wanted is None or link in wanted:
                yes, no = arms_under(frame, remaining, link.test)
                here = together(remaining, yes)
                doubts = {**doubts, **doubted(frame, link.test, link.body)}
                ways.append((arm(frame, here, link.body, doubts), here))
                remaining, rest = together(remaining, no), link.orelse
            case _:
                ways.append((arm(frame, remaining, rest, doubts), remaining))
                break
    before = {name: frame.variables[name] for name in doubts}
    rejoin(frame, ways)
    if sum(way is not None for way, _ in ways) == 1:  # what follows is an arm as well
        for name, value in doubts.items():
            if frame.variables[name] is before[name]:
                frame.set(name, value)


def arms_under(frame: Frame, guards: Guards, test: ast.expr) -> Arms:
    """The arms of a test that is made where `guards` hold."""
    before, frame.conditions = frame.conditions, {**frame.conditions, **dict(guards)}
    try:
        return arms_of(frame, test)
    finally:
        frame.conditions = before


def together(one: Guards, other: Guards | None) -> Guards | None:
    """Both conditions; None where no run meets them. Of very many, the first are kept."""
    if other is None or not compatible(one, other):
        return None
    return one | other if len(one) < MOST_CONDITIONS else one


def rejoin(frame: Frame, ways: list[tuple[Branch | None, Guards | None]]) -> None:
    """Go on with the arms that go on; a single one leaves its condition behind."""
    live = [way for way, _ in ways if way is not None]
    while len(live) > MOST_ARMS:
        live = [merged(frame, live[i : i + MOST_ARMS]) for i in range(0, len(live), MOST_ARMS)]
    if not live:
        frame.dead = True
        return
    if len(live) == 1:
        guards, written = live[0]
        if len(ways) > 1 and len(frame.conditions) < MOST_CONDITIONS:
            frame.conditions = {**frame.conditions, **dict(guards)}
        for name, value in written.items():
            frame.set(name, value)
        return
    frame.merge(live)


def merged(frame: Frame, live: list[Branch]) -> Branch:
    """Several arms as one: what holds in all of them."""
    frame.open_branch()
    frame.merge(live)
    return NO_GUARDS, frame.close_branch()


def match_statement(frame: Frame, node: ast.Match) -> None:
    """`match`: literal patterns are conditions on the subject, others are one flag each."""
    subject = evaluate(frame, node.subject)
    remaining: Guards | None = NO_GUARDS
    ways: list[tuple[Branch | None, Guards | None]] = []
    for case in node.cases:
        if remaining is None:
            break
        yes, no = pattern_arms(frame, subject, case, node)
        here = together(remaining, yes)
        ways.append((arm(frame, here, [*bindings(frame, case.pattern, subject), *case.body]), here))
        remaining = together(remaining, no)
    if remaining is not None:
        ways.append((arm(frame, remaining, []), remaining))
    rejoin(frame, ways)


def pattern_arms(
    frame: Frame, subject: Value, case: ast.match_case, node: ast.Match
) -> tuple[Guards | None, Guards | None]:
    """The conditions of one case."""
    if case.guard is None:
        match case.pattern:
            case ast.MatchAs(pattern=None):
                return NO_GUARDS, None
            case ast.MatchValue(value=value):
                test = ast.copy_location(ast.Compare(node.subject, [ast.Eq()], [value]), case.pattern)
                return arms_of(frame, test)
            case ast.MatchSingleton(value=value):
                literal = ast.copy_location(ast.Constant(value), case.pattern)
                return arms_of(frame, ast.copy_location(ast.Compare(node.subject, [ast.Is()], [literal]), case.pattern))
            case _:
                pass
    number = frame.machine.fresh("case", case.pattern)
    return frozenset({(number, True)}), frozenset({(number, False)})


def bindings(frame: Frame, pattern: ast.pattern, subject: Value) -> list[ast.stmt]:
    """Names that a pattern binds hold nothing known, but a plain capture holds the subject."""
    names = [node.name for node in walk(pattern) if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name]
    for name in names:
        whole = isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name == name
        frame.set(
            name,
            subject
            if whole
            else Unknown(frame.machine.numbers.of("capture", (id(pattern), name, frame.machine.epoch))),
        )
    return []


def try_statement(frame: Frame, node: ast.Try) -> None:
    """`try`: a handler may be entered after any part of the body."""
    frame.open_branch()
    execute(frame, node.body)
    execute(frame, node.orelse)
    written = frame.close_branch()
    died, frame.dead = frame.dead, False
    numbers = frame.machine.numbers
    way = frame.machine.fresh("try", node)

    def reached(i: int) -> Guards:
        return frozenset({(way, i)}) if node.handlers else NO_GUARDS

    ways: list[tuple[Branch | None, Guards | None]] = [(None if died else (reached(0), written), NO_GUARDS)]
    for i, handler in enumerate(node.handlers):
        frame.open_branch()
        for name, value in written.items():
            before = frame.variables.get(name, MISSING)
            frame.note_read(name)
            both = [(NO_GUARDS, v) for v in (before, value) if v is not MISSING]
            if both:
                frame.set(name, choose(both, numbers))
        if handler.name:
            frame.set(handler.name, Unknown(frame.machine.fresh("exception", handler)))
        execute(frame, handler.body)
        kept = frame.close_branch()
        dead, frame.dead = frame.dead, False
        ways.append((None if dead else (reached(i + 1), kept), NO_GUARDS))
    rejoin(frame, ways)
    if not frame.dead:
        execute(frame, node.finalbody)
    else:
        frame.dead = False
        execute(frame, node.finalbody)
        frame.dead = True


def with_statement(frame: Frame, node: ast.With | ast.AsyncWith) -> None:
    """`with`: under torch.no_grad() nothing new carries a gradient, and what is to raise an error computes nothing."""
    before = frame.no_grad, frame.wants_error
    for item in node.items:
        value = evaluate(frame, item.context_expr)
        if isinstance(item.context_expr, ast.Call):
            frame.no_grad = holds_back(frame, item.context_expr)
            frame.wants_error |= wants_error(item.context_expr)
        if item.optional_vars is not None:
            store(frame, item.optional_vars, value)
    execute(frame, node.body)
    frame.no_grad, frame.wants_error = before


def wants_error(context: ast.Call) -> bool:
    """Whether a context is there to see that something fails: `pytest.raises(...)`, `self.assertRaises(...)`."""
    match context.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name == "raises" or name.startswith("assertRaises")
        case _:
            return False


def holds_back(frame: Frame, context: ast.Call) -> bool:
    """Whether no gradient flows within a context; not where it may."""
    match evaluate(frame, context.func):
        case Symbol(name=name) if name in NO_GRAD:
            return not context.args or evaluate(frame, context.args[0]) == Constant(True)
        case Symbol(name="torch.enable_grad" | "torch.autograd.enable_grad"):
            return False
        case Symbol(name="torch.set_grad_enabled" | "torch.autograd.set_grad_enabled") if context.args:
            return evaluate(frame, context.args[0]) == Constant(False)
        case _:
            return frame.no_grad


# --- loops -----------------------------------------------------------------------------------------------------------


def for_loop(frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    """`for`: the body to its fixed point."""
    iterable = evaluate(frame, node.iter)
    exits = loop(frame, node.body, lambda: bind_target(frame, node.target, iterable, node))
    after_loop(frame, node.orelse, exits, endless=False)
    give_back(frame, node)


def while_loop(frame: Frame, node: ast.While) -> None:
    """`while`: as a for loop whose head is the test. It is endless where the test holds before the first turn and after
    each.
    """
    first = evaluate(frame, node.test)
    exits = loop(frame, node.body, lambda: None)
    endless = holds_always(first) and holds_always(evaluate(frame, node.test))
    after_loop(frame, node.orelse, exits, endless=endless)


def holds_always(test: Value) -> bool:
    """Whether a test has one outcome, and that is true."""
    return isinstance(test, Constant) and bool(test.value)


def after_loop(frame: Frame, orelse: list[ast.stmt], exits: list[dict[str, Value]], *, endless: bool) -> None:
    """Behind a loop: its `else` after the last turn, or what a `break` left; an endless loop is left by `break`
    alone.
    """
    ways = [] if endless else [arm(frame, NO_GUARDS, orelse)]
    ways += [(NO_GUARDS, written) for written in exits]
    rejoin(frame, [(way, NO_GUARDS) for way in ways])


def loop(frame: Frame, body: list[ast.stmt], head: Callable[[], None]) -> list[dict[str, Value]]:
    """Interpret a body again and again, each time on the join of what came before, until nothing changes; gives what
    each `break` leaves.

    A turn that reads nothing of what the turn before wrote needs no second one.
    """
    level = len(frame.journals)
    machine = frame.machine
    left: list[dict[str, Value]] = []
    passes = PASSES if len(frame.loop_levels) < DEEP_LOOPS else 1
    for turn in range(passes):
        machine.epoch += 1
        frame.loop_levels.append(level)
        frame.loop_reads.append(set())
        frame.breaks += [[], []]
        conditions = frame.conditions
        frame.open_branch()
        head()
        execute(frame, body)
        written = frame.close_branch()
        frame.conditions = conditions
        frame.loop_levels.pop()
        reads = frame.loop_reads.pop()
        continued, broken = frame.breaks.pop(), frame.breaks.pop()
        left += broken
        dead, frame.dead = frame.dead, False
        ways = continued if dead else [written, *continued]
        carried = any(not reads.isdisjoint(way) for way in ways)
        if not merge_pass(frame, ways, last=not carried or turn == passes - 1):
            break
    return left


def leave_loop(frame: Frame, node: ast.Break | ast.Continue) -> None:
    """`break` and `continue`: what was written so far reaches what is behind the loop, or its next turn."""
    if frame.breaks:
        snapshot: dict[str, Value] = {}
        for journal in frame.journals[frame.loop_levels[-1] :]:
            for name in journal:
                snapshot[name] = frame.variables.get(name, MISSING)
        frame.breaks[-1 if isinstance(node, ast.Continue) else -2].append(snapshot)
    frame.dead = True


# --- leaving ---------------------------------------------------------------------------------------------------------


def return_statement(frame: Frame, node: ast.Return) -> None:
    """`return value`."""
    bare = node.value is None or (frame.slice is not None and node in frame.slice.bare)
    leave(frame, NONE if bare or node.value is None else evaluate(frame, node.value))


def leave(frame: Frame, value: Value) -> None:
    """Note one way out of the function."""
    receiver = frame.lookup(frame.receiver) if frame.receiver else None
    lent = tuple((name, frame.variables[name]) for name in frame.lent)
    here = frame.guards()
    for guards, option in options_of(value):
        if compatible(guards, here):
            frame.returns.append(Return(here | guards, option, receiver, lent))
    frame.dead = True


def raise_statement(frame: Frame, node: ast.Raise) -> None:
    """`raise`."""
    frame.dead = True


def assert_statement(frame: Frame, node: ast.Assert) -> None:
    """`assert test`: what follows holds under it."""
    yes, _ = arms_of(frame, node.test)
    if yes is not None and compatible(yes, frame.guards()) and len(frame.conditions) < MOST_CONDITIONS:
        frame.conditions = {**frame.conditions, **dict(yes)}
    for tensor, rank in asserted_ranks(node.test):
        prove_rank(frame, evaluate(frame, tensor), rank)


# --- classes, names of other frames ----------------------------------------------------------------------------------


def class_definition(frame: Frame, node: ast.ClassDef) -> None:
    """`class`: its body is a frame of its own, whose names become its members."""
    bases = tuple(known_base(evaluate(frame, base)) for base in node.bases)
    inner = Frame(frame.machine, frame.source, frame, "class", entry=frame.entry, callers=frame.callers, key=frame.key)
    cls = Class(node, frame, bases, inner.variables)
    inner.owner = cls
    frame.machine.homes.update((frame, inner))
    execute(inner, node.body)
    frame.set(node.name, cls)
    register(frame, node, cls)


def known_base(value: Value) -> Value:
    """A base class; of several, the first that is one (`try: from torch import …`)."""
    for _, option in options_of(value):
        if isinstance(option, (Class, Symbol)):
            return option
    return value


def foreign_names(frame: Frame, node: ast.Global | ast.Nonlocal) -> None:
    """`global` and `nonlocal`: the names live in another frame."""
    for name in node.names:
        home = frame.parent
        while home is not None and (
            home.parent is not None if isinstance(node, ast.Global) else name not in home.variables
        ):
            home = home.parent
        if home is not None:
            frame.foreign[name] = home


# --- dispatch --------------------------------------------------------------------------------------------------------

Handler = Callable[[Frame, Any], None]
HANDLERS: dict[type[ast.stmt], Handler] = {
    ast.Assign: assign,
    ast.AnnAssign: assign_annotated,
    ast.AugAssign: assign_augmented,
    ast.Delete: delete,
    ast.Expr: expression,
    ast.If: branch,
    ast.Match: match_statement,
    ast.Try: try_statement,
    ast.With: with_statement,
    ast.AsyncWith: with_statement,
    ast.For: for_loop,
    ast.AsyncFor: for_loop,
    ast.While: while_loop,
    ast.Break: leave_loop,
    ast.Continue: leave_loop,
    ast.Return: return_statement,
    ast.Raise: raise_statement,
    ast.Assert: assert_statement,
    ast.FunctionDef: function_definition,
    ast.AsyncFunctionDef: function_definition,
    ast.ClassDef: class_definition,
    ast.Import: import_names,
    ast.ImportFrom: import_from,
    ast.Global: foreign_names,
    ast.Nonlocal: foreign_names,
}
if hasattr(ast, "TryStar"):
    HANDLERS[ast.TryStar] = try_statement
