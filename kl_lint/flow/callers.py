"""Callers in other files: where a KL call depends on the parameters of its function, the rest of the project is searched for who calls it."""

from __future__ import annotations

import ast
import os
import re

from kl_lint.flow.frame import Frame, RawCall
from kl_lint.flow.interpreter import Interpreter
from kl_lint.flow.modules import Modules
from kl_lint.flow.source import Source
from kl_lint.flow.values import Class, Function, Space, Tensor, Unknown, Value, options_of

__all__ = ["enter_callers"]

MOST_CALLING_FILES = 6
COMMON = frozenset({"forward", "__call__", "__init__", "__init_subclass__", "loss", "compute_loss", "step", "training_step", "call", "run"})
"""Names that too many functions share to search for; their classes are searched for instead."""


def enter_callers(interpreter: Interpreter, modules: Modules, source: Source) -> None:
    """Enter the functions of other files that call what this file leaves open."""
    machine = interpreter.machine
    path = os.path.realpath(source.filename)
    words = open_questions(interpreter, source)
    if not words:
        return
    machine.relevant = machine.relevant | words
    entered = 0
    for word in sorted(words):
        for caller in modules.project.mentioning(word, path):
            if entered >= MOST_CALLING_FILES:
                return
            frame = modules.frame(caller)
            if frame is not None and imports(frame.source, word):
                entered += 1
                enter_file(interpreter, frame, words)


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


def imports(source: Source, word: str) -> bool:
    """Whether a file calls a name, or imports it: a comment that mentions it is no caller."""
    pattern = re.compile(rf"(?<!def )(?<!class )\b{re.escape(word)}\b")
    return any(pattern.search(line.partition("#")[0]) for line in source.lines)


def enter_file(interpreter: Interpreter, frame: Frame, words: frozenset[str]) -> None:
    """Enter the functions and methods of another file that mention one of `words`, or what it makes of them."""
    from kl_lint.flow.relevance import relevant_names
    from kl_lint.flow.relevance import words as words_of

    source = frame.source
    names = relevant_names(source.tree, source.lines, words)
    interpreter.machine.relevant = interpreter.machine.relevant | names
    interpreter.machine.slices.clear()
    for statement in source.tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            value = frame.lookup(statement.name)
            for _, option in options_of(value) if value is not None else ():
                functions = option.members.values() if isinstance(option, Class) else (option,)
                for function in functions:
                    if isinstance(function, Function) and not names.isdisjoint(words_of(source.lines, function.node)):
                        interpreter.standalone(function, None)
