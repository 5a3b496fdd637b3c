"""The analysis of one file: which parts are interpreted, in which order, and what comes out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kl_lint.flow.callers import enter_callers
from kl_lint.flow.declared import Declaration
from kl_lint.flow.facts import handwritten_facts, sites_of
from kl_lint.flow.frame import Frame, Machine, OutOfWork
from kl_lint.flow.interpreter import Interpreter
from kl_lint.flow.kl_call import Handwritten, Site
from kl_lint.flow.modules import Modules
from kl_lint.flow.objects import is_kl_loss
from kl_lint.flow.project import Project
from kl_lint.flow.relevance import relevant_names, words
from kl_lint.flow.source import Source
from kl_lint.flow.statements import execute_one
from kl_lint.flow.syntax import walk
from kl_lint.flow.values import Class, Function, Symbol, Unknown, Value, options_of

__all__ = ["Facts", "analyse"]

BASE_WORK = 150_000
WORK_PER_LINE = 60
LONG = 60
"""A top-level statement of more lines that mentions nothing relevant is not looked into."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file does with KL divergences. `complete` is False where the analysis stopped at its work bound."""

    sites: tuple[Site, ...]
    handwritten: tuple[Handwritten, ...] = ()
    complete: bool = True


def analyse(
    tree: ast.Module,
    lines: Sequence[str],
    filename: str,
    *,
    handwritten: bool = False,
    project: Project | None = None,
    declarations: Sequence[Declaration] = (),
) -> Facts:
    """Interpret a parsed file and describe its KL calls.

    `lines` is the text by physical lines; `handwritten` looks for divergences written by hand too (KLD601). With a
    `project`, what the file imports
    from it is interpreted as well, and who calls what it defines. `declarations` say what calls give that cannot be
    seen into.
    """
    machine = Machine(BASE_WORK + WORK_PER_LINE * len(lines), record_handwritten=handwritten)
    machine.declarations = declarations
    source = Source(filename, lines, tree)
    interpreter = Interpreter(machine)
    seeds = frozenset({"kl_div", "KLDivLoss"}) | (frozenset({"log", "log_softmax"}) if handwritten else frozenset())
    try:
        names = relevant_names(tree, lines, seeds)
    except RecursionError:  # nested deeper than Python itself goes
        return Facts((), (), complete=False)
    machine.relevant = names | {"super"} if any("KLDivLoss" in name for name in names) else names
    frame = Frame(machine, source)
    if project is not None:
        machine.main = source
        machine.modules = Modules(machine, project, frame)
        names = names | machine.modules.kl_names(source)
        machine.relevant = machine.relevant | names
    complete = True
    try:
        interpret_module(frame, names)
        enter(interpreter, frame, rebinding(frame), names, lines)
        enter(interpreter, frame, frame.variables.values(), names, lines)
        enter_the_rest(interpreter, source, names)
        if machine.modules is not None:
            enter_callers(interpreter, machine.modules, source)
    except (OutOfWork, RecursionError):  # nested deeper than Python itself goes
        complete = False
    functional = next((name for name, value in frame.variables.items() if value == Symbol("torch.nn.functional")), None)
    if functional is None and frame.variables.get("nn") == Symbol("torch.nn"):
        functional = "nn.functional"
    if functional is None and frame.variables.get("torch") == Symbol("torch"):
        functional = "torch.nn.functional"
    return Facts(sites_of(machine, source), handwritten_facts(source, machine.handwritten, functional), complete)


def interpret_module(frame: Frame, names: frozenset[str]) -> None:
    """Interpret the top level in order."""
    for statement in frame.source.tree.body:
        if frame.dead:
            frame.dead = False
        long = (statement.end_lineno or statement.lineno) - statement.lineno > LONG
        definition = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if long and not definition and names.isdisjoint(words(frame.source.lines, statement)):
            for node in getattr(statement, "targets", ()):
                if isinstance(node, ast.Name):
                    frame.set(node.id, Unknown(frame.machine.fresh("long", node)))
            continue
        execute_one(frame, statement)


def rebinding(frame: Frame) -> list[Value]:
    """The functions of a module that bind its names: what these hold, others must be told first."""
    if not any("global " in line for line in frame.source.lines):
        return []
    functions = (value for value in frame.variables.values() if isinstance(value, Function))
    return [one for one in functions if any(isinstance(node, ast.Global) for node in walk(one.node))]


def enter(
    interpreter: Interpreter, frame: Frame, values: Iterable[Value], names: frozenset[str], lines: Sequence[str]
) -> None:
    """Enter every relevant function and method with nothing known of its parameters."""
    for value in list(values):
        for _, option in options_of(value):
            match option:
                case Function() if option.frame.source is frame.source and relevant(option, names, lines):
                    interpreter.standalone(option, None)
                case Class() if option.frame.source is frame.source and (
                    option.frame is frame or option.frame.kind == "class"
                ):
                    if option.node not in interpreter.machine.called:
                        interpreter.machine.called.add(option.node)
                        inside = names | {"super"} if is_kl_loss(option) else names
                        enter(interpreter, frame, option.members.values(), inside, lines)
                case _:
                    pass


def enter_the_rest(interpreter: Interpreter, source: Source, names: frozenset[str]) -> None:
    """Enter the relevant functions that nothing has called and no name reaches: handed to something that cannot be seen
    into, kept in a table, defined again, or in a class within a function.
    """
    machine = interpreter.machine
    for node, function in list(machine.defined.items()):
        if node not in machine.called and function.frame.source is source and relevant(function, names, source.lines):
            interpreter.standalone(function, None)


def relevant(function: Function, names: frozenset[str], lines: Sequence[str]) -> bool:
    """Whether a function mentions a relevant name."""
    return not names.isdisjoint(words(lines, function.node))
