"""Callers in other files: where a KL call depends on the parameters of its function, the rest of the project is
searched for who calls it.
"""

from __future__ import annotations

import ast
import os

from kl_lint.flow.frame import Frame
from kl_lint.flow.heirs import heirs
from kl_lint.flow.interpreter import Interpreter
from kl_lint.flow.modules import Modules, bound_names
from kl_lint.flow.questions import COMMON, answered, open_questions
from kl_lint.flow.relevance import Concern, concerns_callers, names_for, relevant_names
from kl_lint.flow.source import Source
from kl_lint.flow.survey import FUNCTIONS, surveyed
from kl_lint.flow.values import Class, Function, options_of

__all__ = ["enter_callers"]

MOST_CALLING_FILES = 6
"""How many files are looked into for callers."""
FEW_CALLING_FILES = 2
"""How many are, where all is right with nothing known of what callers pass."""
CALLERS_WORK = 12_000
"""The further steps that may be taken to find out what callers pass, where the file itself does not tell."""
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def enter_callers(interpreter: Interpreter, modules: Modules, source: Source) -> None:
    """Enter the functions of other files that call what this file leaves open, under whatever name they import it."""
    machine = interpreter.machine
    words = open_questions(machine, source) - COMMON
    if not words:
        return
    words |= handing_out(words, source)
    path = os.path.realpath(source.filename)
    known = answered(machine, source)
    most = FEW_CALLING_FILES if known else MOST_CALLING_FILES
    machine.foreign = max(machine.foreign, 0) + (0 if known else CALLERS_WORK)
    searched: frozenset[str] = frozenset()
    entered: set[str] = set()
    while words - searched and len(entered) < most:
        new, searched = words - searched, words
        for caller in modules.project.mentioning(new, path):
            frame = modules.frame(caller) if caller not in entered else None
            if frame is None:
                continue
            names = names_for(new, frame.source)
            words = words | (names & names_bound(frame.source.tree))
            if not enter_file(interpreter, frame, names, source):
                return
            entered.add(caller)
            if len(entered) >= most:
                return


def handing_out(words: frozenset[str], source: Source) -> frozenset[str]:
    """The names under which a file hands out what goes by `words`: an object, a table, a function that makes one."""
    reached = dict.fromkeys(names_for(words, source), True)
    readers = surveyed(source).readers(frozenset(reached))
    told = (one for one in readers if concerns_callers(one, reached, unreduced=False) is Concern.HANDS_OUT)
    functions = {one.node.name for one in told if isinstance(one.node, FUNCTIONS)}
    return frozenset((reached.keys() & names_bound(source.tree)) | functions) - COMMON


def names_bound(tree: ast.Module) -> frozenset[str]:
    """The names that the imports and assignments at the top of a file bind, under which others may import them."""
    return frozenset(
        name for statement in tree.body if not isinstance(statement, DEFINITIONS) for name in bound_names(statement)
    )


def enter_file(interpreter: Interpreter, frame: Frame, words: frozenset[str], asking: Source) -> bool:
    """Enter the functions of another file that mention one of `words`, then, where these do not know either, those that
    call them; says whether work is left.
    """
    machine = interpreter.machine
    functions = functions_of(frame)
    entered: set[Function] = set()

    def enter(reached: frozenset[str]) -> bool:
        machine.note_relevant(frame.source, reached)
        readers = {definition.node for definition in surveyed(frame.source).readers(reached)}
        for function in functions:
            if function not in entered and function.node in readers:
                entered.add(function)
                if not interpreter.visit(function):
                    return False
        return True

    if not all(interpreter.inherit(heir, frame) for heir in heirs(frame, asking)):
        return False
    return enter(words) and (answered(machine, asking) or enter(relevant_names(frame.source, words).names))


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
