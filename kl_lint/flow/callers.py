"""Callers in other files: where a KL call depends on the parameters of its function, the rest of the project is
searched for who calls it.
"""

from __future__ import annotations

import ast
import os
from itertools import islice

from kl_lint.flow.frame import Frame, RawCall
from kl_lint.flow.interpreter import Interpreter
from kl_lint.flow.modules import Modules
from kl_lint.flow.relevance import relevant_names, words as words_of
from kl_lint.flow.source import Source
from kl_lint.flow.values import Class, Function, Space, Tensor, Unknown, Value, options_of

__all__ = ["enter_callers"]

MOST_CALLING_FILES = 6
MOST_LEVELS = 2
"""How far callers of callers are followed within a file."""
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


def enter_callers(interpreter: Interpreter, modules: Modules, source: Source) -> None:
    """Enter the functions of other files that call what this file leaves open, until nothing is open."""
    machine = interpreter.machine
    words = open_questions(interpreter, source)
    if not words:
        return
    path = os.path.realpath(source.filename)
    machine.foreign = max(machine.foreign, 0) + CALLERS_WORK
    for caller in islice(modules.project.mentioning(words, path), MOST_CALLING_FILES):
        frame = modules.frame(caller)
        if frame is not None and not enter_file(interpreter, frame, words, source):
            return


def open_questions(interpreter: Interpreter, source: Source) -> frozenset[str]:
    """The names of the functions and classes whose KL calls get something of which only their callers know."""
    machine = interpreter.machine
    words: set[str] = set()
    for place, contexts in machine.calls.items():
        if place.source is not source:
            continue
        raws = [raw for context in contexts.values() for raw in context.values()]
        if raws and raws[0].kind != "construction" and not any(settled(raw) for raw in raws):
            words |= names_around(source.tree, place.node)
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


def enter_file(interpreter: Interpreter, frame: Frame, words: frozenset[str], source: Source) -> bool:
    """Enter the functions of another file that mention one of `words`, then those that call these, and so on.

    Says whether there is more to find out: something is open, and work is left.
    """
    machine = interpreter.machine
    functions = functions_of(frame)
    mentions = {function: words_of(frame.source.lines, function.node) for function in functions}
    reached = words
    entered: set[Function] = set()
    for _ in range(MOST_LEVELS):
        level = [
            function for function in functions if function not in entered and not reached.isdisjoint(mentions[function])
        ]
        machine.relevant = machine.relevant | reached
        machine.slices.clear()
        for function in level:
            if not interpreter.visit(function):
                return False
        entered.update(level)
        if not level or not open_questions(interpreter, source):
            break
        reached = reached | relevant_names(frame.source.tree, frame.source.lines, reached)
    return bool(open_questions(interpreter, source))


def functions_of(frame: Frame) -> list[Function]:
    """The functions and methods that a file defines at its top level."""
    found: list[Function] = []
    for statement in frame.source.tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            value = frame.lookup(statement.name)
            for _, option in options_of(value) if value is not None else ():
                members = option.members.values() if isinstance(option, Class) else (option,)
                found.extend(member for member in members if isinstance(member, Function))
    return found
