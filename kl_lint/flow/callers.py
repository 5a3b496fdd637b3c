"""Callers in other files: where a KL call depends on the parameters of its function, the rest of the project is
searched for who calls it.
"""

from __future__ import annotations

import ast
import os

from kl_lint.flow.frame import Frame, RawCall
from kl_lint.flow.interpreter import Interpreter
from kl_lint.flow.modules import Modules, bound_names
from kl_lint.flow.relevance import may_make, names_read, registries, relevant_names, spread, surveyed
from kl_lint.flow.source import Source
from kl_lint.flow.values import Class, Function, Space, Tensor, Unknown, Value, options_of

__all__ = ["enter_callers"]

MOST_CALLING_FILES = 6
"""How many files are looked into for callers."""
CALLERS_WORK = 10_000
"""The steps that may be taken to find out what callers pass."""
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
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def enter_callers(interpreter: Interpreter, modules: Modules, source: Source) -> None:
    """Enter the functions of other files that call what this file leaves open, under whatever name they import it."""
    machine = interpreter.machine
    words = open_questions(interpreter, source)
    if not words:
        return
    path = os.path.realpath(source.filename)
    machine.foreign = max(machine.foreign, 0) + CALLERS_WORK
    searched: frozenset[str] = frozenset()
    entered: set[str] = set()
    while words - searched and len(entered) < MOST_CALLING_FILES:
        new, searched = words - searched, words
        for caller in modules.project.mentioning(new, path):
            frame = modules.frame(caller) if caller not in entered else None
            if frame is None:
                continue
            names = names_for(new, frame.source)
            words = words | (names & names_bound(frame.source.tree))
            if not enter_file(interpreter, frame, names):
                return
            entered.add(caller)
            if len(entered) >= MOST_CALLING_FILES:
                return


def names_for(words: frozenset[str], source: Source) -> frozenset[str]:
    """The names under which a file knows what goes by `words` elsewhere."""
    reached: dict[str, bool] = {}
    spread([(word, may_make(word)) for word in sorted(words)], surveyed(source.tree).aliases, reached)
    return frozenset(reached)


def names_bound(tree: ast.Module) -> frozenset[str]:
    """The names that the imports and assignments at the top of a file bind, under which others may import them."""
    return frozenset(
        name for statement in tree.body if not isinstance(statement, DEFINITIONS) for name in bound_names(statement)
    )


def open_questions(interpreter: Interpreter, source: Source) -> frozenset[str]:
    """The names of the functions and classes whose KL calls get something of which only their callers know; a caller
    of the same file may itself know from its own callers only.
    """
    words: set[str] = set()
    for place, contexts in interpreter.machine.calls.items():
        raws = (raw for context in contexts.values() for raw in context.values()) if place.source is source else ()
        for raw in raws:
            if raw.kind != "construction" and not settled(raw):
                here = (caller for caller in raw.callers if caller.source is source)
                words.update(*(names_around(source.tree, each.node) for each in (place, *here)))
    if words:
        words |= {table for name, table in registries(surveyed(source.tree).definitions) if name in words}
    return frozenset(words)


def settled(raw: RawCall) -> bool:
    """Whether both arguments of a KL call are known on some way to it."""
    return all(known(raw.arguments[name]) for name in ("input", "target") if name in raw.arguments)


def known(value: Value) -> bool:
    """Whether the space of a value is known."""
    tensors = [option for _, option in options_of(value) if isinstance(option, (Tensor, Unknown))]
    return bool(tensors) and all(isinstance(t, Tensor) and t.space is not Space.UNKNOWN for t in tensors)


def names_around(tree: ast.Module, node: ast.AST) -> set[str]:
    """The names under which other files can reach the function that holds a node: its own, its class's."""
    row = getattr(node, "lineno", 0)
    found: set[str] = set()
    for outer in tree.body:
        if not (outer.lineno <= row <= (outer.end_lineno or outer.lineno)):
            continue
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.add(outer.name)
        if isinstance(outer, ast.ClassDef):
            found.add(outer.name)
            for method in outer.body:
                inside = method.lineno <= row <= (method.end_lineno or method.lineno)
                if inside and isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.name not in COMMON:
                    found.add(method.name)
    return found - COMMON


def enter_file(interpreter: Interpreter, frame: Frame, words: frozenset[str]) -> bool:
    """Enter the functions of another file that mention one of `words`, then those that call these; says whether work
    is left.
    """
    machine = interpreter.machine
    functions = functions_of(frame)
    read: dict[ast.AST, frozenset[str]] = {one.node: one.names for one in surveyed(frame.source.tree).definitions}
    mentions = {function: read.get(function.node) or names_read(function.node) for function in functions}
    entered: set[Function] = set()
    for reached in (words, relevant_names(frame.source.tree, frame.source.lines, words).names):
        machine.relevant = machine.relevant | reached
        machine.slices.clear()
        for function in functions:
            if function not in entered and not reached.isdisjoint(mentions[function]):
                entered.add(function)
                if not interpreter.visit(function):
                    return False
    return True


def functions_of(frame: Frame) -> list[Function]:
    """The functions and methods that a file defines at its top level."""
    found: list[Function] = []
    for statement in frame.source.tree.body:
        if isinstance(statement, DEFINITIONS):
            value = frame.lookup(statement.name)
            for _, option in options_of(value) if value is not None else ():
                members = option.members.values() if isinstance(option, Class) else (option,)
                found.extend(member for member in members if isinstance(member, Function))
    return found
