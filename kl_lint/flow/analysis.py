"""The analysis of one file: which parts are interpreted, in which order, and what comes out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kl_lint.flow.callers import enter_callers
from kl_lint.flow.declared import Declaration
from kl_lint.flow.expressions import resolved
from kl_lint.flow.facts import handwritten_facts, sites_of
from kl_lint.flow.frame import Frame, Machine, OutOfWork
from kl_lint.flow.heirs import heirs
from kl_lint.flow.interpreter import Interpreter
from kl_lint.flow.kl_call import Handwritten, Site
from kl_lint.flow.modules import Modules
from kl_lint.flow.objects import is_kl_loss
from kl_lint.flow.presence import presence_of
from kl_lint.flow.project import Project
from kl_lint.flow.questions import open_questions
from kl_lint.flow.relevance import Relevant, names_for, relevant_names
from kl_lint.flow.source import Source
from kl_lint.flow.statements import execute_one
from kl_lint.flow.survey import names_read, nodes_near, surveyed
from kl_lint.flow.syntax import walk
from kl_lint.flow.values import Class, Function, Symbol, Unknown, Value, options_of

__all__ = ["Facts", "analyse"]

BASE_WORK = 150_000
WORK_PER_LINE = 60
MOST_ROUNDS = 3
"""How far from a divergence the callers are that are asked."""
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
    try:
        return analysed(machine, Source(filename, lines, tree), project)
    finally:
        machine.release()


def analysed(machine: Machine, source: Source, project: Project | None) -> Facts:
    """What a machine finds in a file."""
    presence = presence_of(source.tree, source.lines)
    handwritten = machine.record_handwritten
    frame = Frame(machine, source)
    brought: frozenset[str] = frozenset()
    if project is not None:
        machine.main = source
        machine.modules = Modules(machine, project, frame)
        brought = machine.modules.kl_names(source)
    certain = presence.named or handwritten or bool(brought)
    if not (certain or presence.imported):
        return Facts(())
    seeds = frozenset({"kl_div", "KLDivLoss"}) | (frozenset({"log", "log_softmax"}) if handwritten else frozenset())
    try:
        relevant = relevant_names(source, seeds).and_also(names_for(brought, source, makers=True))
    except RecursionError:  # nested deeper than Python itself goes
        return Facts((), complete=False)
    kinds = frozenset({"super"}) if any("KLDivLoss" in name for name in relevant.names) else frozenset()
    machine.note_relevant(source, relevant.names | kinds)
    interpreter = Interpreter(machine)
    complete = True
    try:
        interpret_module(frame, relevant.names)
        if not certain and all(foreign(frame, name) for name in presence.imported):
            return Facts(())
        enter(interpreter, frame, relevant)
        if machine.modules is not None:
            enter_callers(interpreter, machine.modules, source)
    except (OutOfWork, RecursionError):
        complete = False
    functional = next((name for name, value in frame.variables.items() if value == Symbol("torch.nn.functional")), None)
    if functional is None and frame.variables.get("nn") == Symbol("torch.nn"):
        functional = "nn.functional"
    if functional is None and frame.variables.get("torch") == Symbol("torch"):
        functional = "torch.nn.functional"
    return Facts(sites_of(machine, source), handwritten_facts(source, machine.handwritten, functional), complete)


def interpret_module(frame: Frame, names: frozenset[str]) -> None:
    """Interpret the top level in order."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    statements = [one for one in frame.source.tree.body if not isinstance(one, definitions)]
    long = {one for one in statements if (one.end_lineno or one.lineno) - one.lineno > LONG}
    aside = long.difference(surveyed(frame.source).reading(long, names))
    for statement in frame.source.tree.body:
        if frame.dead:
            frame.dead = False
        if statement in aside:
            for node in getattr(statement, "targets", ()):
                if isinstance(node, ast.Name):
                    frame.set(node.id, Unknown(frame.machine.fresh("long", node)))
            continue
        execute_one(frame, statement)


def rebinding(frame: Frame) -> set[Function]:
    """The functions of a module that bind its names: what these hold, others must be told first."""
    near = set(nodes_near(("global",), frame.source))
    if not any(isinstance(node, ast.Global) for node in near):
        return set()
    functions = (value for value in frame.variables.values() if isinstance(value, Function) and value.node in near)
    return {one for one in functions if any(isinstance(node, ast.Global) for node in walk(one.node))}


def foreign(frame: Frame, name: str) -> bool:
    """Whether an imported name is known to stand for no divergence of torch's: a class that derives from none, or
    something that cannot be seen.
    """
    value = frame.lookup(name)
    value = resolved(frame, value) if value is not None else None
    match value:
        case Class():
            return not is_kl_loss(value)
        case Symbol(name=path):
            return not path.startswith("torch.")
        case _:
            return value is None


def enter(interpreter: Interpreter, frame: Frame, names: Relevant) -> None:
    """Enter every function and method that uses a divergence with nothing known of its parameters; then, for as long as
    these leave something open that callers may know, those that use them, and those that use these, as far as the work
    for callers goes.

    After those that a name reaches come those that nothing has called: handed to something that cannot be seen into,
    kept in a table, defined again, or in a class within a function.
    """
    machine = interpreter.machine
    first = rebinding(frame)
    functions = sorted(functions_in(frame, frame.variables.values(), set()), key=lambda one: one not in first)
    survey = surveyed(frame.source)
    surveyed_nodes = {definition.node for definition in survey.definitions}

    def look(new: frozenset[str], into: Callable[[Function], object]) -> frozenset[str]:
        """Enter what reads one of the names; gives the names of what has been entered."""
        entered: set[str] = set()
        readers: set[ast.AST] = {definition.node for definition in survey.readers(new)}
        readers.update(survey.reading({function.node for function in functions} - surveyed_nodes, new))
        for function in functions:
            if function.node in readers or derives(function):
                into(function)
                entered.add(getattr(function.node, "name", ""))
        left = {n: f for n, f in machine.defined.items() if n not in machine.called and f.frame.source is frame.source}
        for node in survey.reading(left, new) if left else ():
            if node not in machine.called:
                into(left[node])
        return frozenset(entered)

    look(names.near, lambda function: interpreter.standalone(function, None))
    look(names.makers - names.near, interpreter.glance)
    for heir in heirs(frame, frame.source):
        interpreter.inherit(heir, frame)
    asked, entered = names.makers, frozenset[str]()
    for _ in range(MOST_ROUNDS):
        words = open_questions(machine, frame.source)
        if not words:
            break
        new = (names_for(words | entered, frame.source) & names.names) - asked
        if not new:
            break
        entered = look(new, interpreter.glance)
        asked |= new


def derives(function: Function) -> bool:
    """Whether a function belongs to a kind of KLDivLoss, and uses what it has of its bases."""
    return function.owner is not None and is_kl_loss(function.owner) and "super" in names_read(function.node)


def functions_in(frame: Frame, values: Iterable[Value], seen: set[Class]) -> Iterator[Function]:
    """The functions that values of a module are, and the methods of the classes that they are."""
    for value in list(values):
        for _, option in options_of(value):
            match option:
                case Function() if option.frame.source is frame.source:
                    yield option
                case Class() if option not in seen and option.frame.source is frame.source:
                    if option.frame is frame or option.frame.kind == "class":
                        seen.add(option)
                        yield from functions_in(frame, option.members.values(), seen)
                case _:
                    pass
