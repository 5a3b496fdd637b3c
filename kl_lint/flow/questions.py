"""What the KL calls of a file leave open of which only the callers of their functions may know.

An open question costs a search, so what cannot change is not asked: a call that is known and made of no parameter is
known whoever calls, and one that is right as it is called in the file needs no further witness. One that
seems wrong does: others may call it rightly, and then it is the caller that is reported.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from kl_lint.flow.frame import Machine, RawCall
from kl_lint.flow.relevance import registries
from kl_lint.flow.source import Source
from kl_lint.flow.survey import Definition, last_name, surveyed
from kl_lint.flow.values import Constant, Numbers, Space, Tensor, Unknown, Value, options_of

__all__ = ["COMMON", "answered", "open_questions"]

COMMON = frozenset(
    {
        "forward",
        "__call__",
        "__init__",
        "__init_subclass__",
        "loss",
        "compute_loss",
        "step",
        "training_step",
        "call",
        "run",
    }
)
"""Names that too many functions share to search for; their classes are searched for instead."""
SETTINGS = ("size_average", "reduce", "reduction", "log_target")


def open_questions(machine: Machine, source: Source) -> frozenset[str]:
    """The names of the functions and classes whose callers are to be asked; a caller of the same file may itself know
    from its own callers only.
    """
    words: set[str] = set()
    derived = {last_name(base) for one in definitions_of(source) for base in getattr(one.node, "bases", ())}
    for place, contexts in machine.calls.items():
        if place.source is source:
            around = names_around(source, place.node)
            overridden = not derived.isdisjoint(around)
            for raw in (raw for context in contexts.values() for raw in context.values()):
                if not settled(raw) or (raw.entry and (overridden or depends(raw, machine.numbers))):
                    words |= around
                    here = (caller for caller in raw.callers if caller.source is source)
                    words.update(*(names_around(source, caller.node) for caller in here))
    for place in machine.unbound:
        if place.source is source:
            words |= names_around(source, place.node)
    for key, outcome in machine.memo.items():
        match key:
            case ("entry", (ast.FunctionDef() | ast.AsyncFunctionDef()) as node, _) if is_unreduced(outcome.value):
                words |= names_around(source, node)
            case _:
                pass
    if words:
        words |= {table for name, table in registries(definitions_of(source)) if name in words}
    return frozenset(words)


def answered(machine: Machine, source: Source) -> bool:
    """Whether something calls every function whose KL call depends on its parameters, and all is right as it calls
    them.
    """
    for place, contexts in machine.calls.items():
        raws = [raw for context in contexts.values() for raw in context.values()] if place.source is source else []
        called = [raw for raw in raws if not raw.entry]
        if not all(settled(raw) for raw in called or raws):
            return False
    return not machine.unbound


def definitions_of(source: Source) -> Sequence[Definition]:
    """What a file defines."""
    return surveyed(source).definitions


def settled(raw: RawCall) -> bool:
    """Whether callers can tell nothing more of a KL call, or need not. With nothing known of the parameters, they may
    still choose what is done with an unreduced divergence.
    """
    told = {name: raw.arguments[name] for name in SETTINGS if name in raw.arguments}
    if raw.open or not all(isinstance(value, Constant) for value in told.values()):
        return False
    if raw.kind == "construction":
        return True
    given, target = (spaces(raw.arguments[name]) for name in ("input", "target"))
    if raw.entry:
        reduced = raw.kind != "raw" and "reduce" not in told and told.get("reduction") != Constant("none")
        return reduced and Space.UNKNOWN not in given | target
    log_target = told.get("log_target") == Constant(True)
    return given == {Space.LOG_PROBS} and target == {Space.LOG_PROBS if log_target else Space.PROBS}


def depends(raw: RawCall, numbers: Numbers) -> bool:
    """Whether a distribution is made of a parameter: what that is already, its callers know."""
    if raw.kind == "construction":
        return False
    tensors = [one for name in ("input", "target") for _, one in options_of(raw.arguments[name])]
    made_of = (one.number if one.source is None else one.source for one in tensors if isinstance(one, Tensor))
    return any(numbers.is_given(number) for number in made_of)


def spaces(value: Value) -> set[Space]:
    """The spaces in which an argument may be."""
    options = [option for _, option in options_of(value) if isinstance(option, (Tensor, Unknown))]
    return {option.space if isinstance(option, Tensor) else Space.UNKNOWN for option in options} or {Space.UNKNOWN}


def is_unreduced(value: Value) -> bool:
    """Whether what a function gives back may be a divergence of which the elements are still to be summed."""
    return any(
        option.loss is not None and option.loss.elementwise
        for _, option in options_of(value)
        if isinstance(option, Tensor)
    )


def names_around(source: Source, node: ast.AST) -> set[str]:
    """The names under which others can reach the function that holds a node: its own, its class's."""
    around = surveyed(source).around(getattr(node, "lineno", 0))
    return {one.node.name for one in around if one.owner is None or one.node.name not in COMMON}
