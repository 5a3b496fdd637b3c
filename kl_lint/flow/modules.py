"""Names that other files of the project bind: each is interpreted when it is first asked for.

A name imported from the project is a Symbol `file:<path>::<name>` (a module: `file:<path>`, a namespace package
`folder:<path>`) until something reads it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from kl_lint.flow.frame import Frame, Machine
from kl_lint.flow.lines import whole
from kl_lint.flow.presence import presence_of
from kl_lint.flow.project import Project
from kl_lint.flow.relevance import names_for, relevant_names
from kl_lint.flow.source import Source
from kl_lint.flow.statements import execute_one
from kl_lint.flow.survey import SEEDS, nodes_near, row_of, surveyed
from kl_lint.flow.syntax import walk
from kl_lint.flow.values import Mapping, Symbol, Unknown, Value

__all__ = ["Modules"]

MOST_OPENED = 12
"""How many other files one analysis looks into."""

FILE, FOLDER, MEMBER = "file:", "folder:", "::"


State = dict[Frame, tuple[int, int, dict[int, object], bool]]
"""Of each frame how many branches and loops it is in, the conditions of its path, and whether that has ended."""


class Modules:
    """The modules of a project as one analysis sees them."""

    def __init__(self, machine: Machine, project: Project, main: Frame) -> None:
        self.machine = machine
        self.project = project
        self._frames: dict[str, Frame | None] = {os.path.realpath(main.source.filename): main}
        self._resolving: set[tuple[str, str]] = set()
        self._rebound: dict[Source, frozenset[str]] = {}
        self._stars: dict[Source, tuple[ast.ImportFrom, ...]] = {}

    # --- imports -----------------------------------------------------------------------------------------------------

    def imported(self, name: str, source: Source) -> Symbol | None:
        """`import name`: the module, where it is one of the project."""
        path = self.project.locate(name, source.filename)
        return symbol_of(path) if path is not None else None

    def imported_from(self, level: int, module: str, name: str, source: Source) -> Symbol | None:
        """`from module import name`, as a name that is resolved when it is read."""
        if level:
            path = self.project.relative(level, module, source.filename)
        else:
            path = self.project.locate(module, source.filename)
        if path is None:
            return None
        found = symbol_of(path)
        return Symbol(f"{found.name}{MEMBER}{name}")

    def kl_names(self, source: Source) -> frozenset[str]:
        """The names that stand for a KL divergence, or for what hands one out or keeps one, in the files that a file
        imports such a name from, and the names under which it does.

        What merely uses a divergence is no matter here: its calls are in the other file.
        """
        names: set[str] = set()
        for statement in source.tree.body:
            if not isinstance(statement, ast.ImportFrom) or (
                not statement.level and (statement.module or "torch").startswith("torch")
            ):
                continue
            symbol = self.imported_from(statement.level, statement.module or "", "", source)
            path = symbol.name.removesuffix(MEMBER).removeprefix(FILE) if symbol is not None else ""
            other = self._computing(path) if path.endswith(".py") and path not in self._frames else None
            if other is not None:
                found = relevant_names(other).makers
                telling = {"*"} | found | keepers(read_as_attributes(found, source), other)
                taken = [one for one in statement.names if one.name in telling]
                names |= found.union(one.asname or one.name for one in taken) if taken else frozenset()
        return frozenset(names - {"*"})

    def _computing(self, path: str) -> Source | None:
        """A file that can hold a KL call, or import what makes one."""
        source = self.project.source(path) if self.project.computes_divergence(path) else None
        presence = presence_of(source.tree, source.lines) if source is not None else None
        return source if presence is not None and (presence.named or presence.imported) else None

    # --- resolution --------------------------------------------------------------------------------------------------

    def resolve(self, symbol: Symbol) -> Value:
        """What an imported name of the project holds; the symbol itself where it cannot be told."""
        place, separator, name = symbol.name.partition(MEMBER)
        if not separator:
            return symbol
        value = self.member(place, name)
        return value if value is not None else symbol

    def member(self, place: str, name: str) -> Value | None:
        """`module.name`: bound in its file, imported there, or a module of its own."""
        kind, _, path = place.partition(":")
        folder = path if kind == "folder" else os.path.dirname(path)
        key = (place, name)
        if key in self._resolving or len(self._resolving) > 40:
            return None
        self._resolving.add(key)
        try:
            frame = (
                self.frame(path)
                if kind == "file" and (path in self._frames or self.project.promises(path, name))
                else None
            )
            value = frame.lookup(name) if frame is not None else None
            if value is None and frame is not None:
                value = self.starred(frame, name)
            if isinstance(value, Symbol):  # `from . import name` in a package stands for the module in it
                value = self.resolve(value) if value.name != f"{place}{MEMBER}{name}" else None
            if value is None and (kind == "folder" or path.endswith("__init__.py")):
                submodule = self.project.inside(folder, name)
                value = symbol_of(submodule) if submodule is not None else None
            return value
        finally:
            self._resolving.discard(key)

    def starred(self, frame: Frame, name: str) -> Value | None:
        """A name that a star import of a module of the project brings to a module; the last one that does counts."""
        source = frame.source
        if source not in self._stars:
            self._stars[source] = tuple(star for node in source.tree.body for star in star_imports(node))
        if name.startswith("_"):
            return None
        for statement in reversed(self._stars[source]):
            symbol = self.imported_from(statement.level, statement.module or "", name, source)
            value = self.resolve(symbol) if symbol is not None else None
            if value is not None and value != symbol:
                return value
        return None

    # --- frames ------------------------------------------------------------------------------------------------------

    def frame(self, path: str) -> Frame | None:
        """The module frame of a file, its statements waiting to be asked for."""
        if path not in self._frames and len(self._frames) <= MOST_OPENED:
            source = self.project.source(path)
            self._frames[path] = self._opened(source) if source is not None else None
        return self._frames.get(path)

    def _opened(self, source: Source) -> Frame:
        frame = Frame(self.machine, source)
        self._rebound[source] = rebound_names(source)
        for statement in source.tree.body:
            for name in bound_names(statement):
                frame.pending.setdefault(name, []).append(statement)
            if registers(statement):
                frame.pending.setdefault(REGISTERED, []).append(statement)
        return frame

    def state(self) -> State:
        """Where in branches and loops the frames of other files are, of those that are in any."""
        return {
            frame: (len(frame.journals), len(frame.loop_levels), frame.conditions, frame.dead)
            for frame in self._frames.values()
            if frame is not None and (frame.journals or frame.conditions or frame.dead)
        }

    def recover(self, state: State) -> None:
        """Take the frames of other files back to where they were, after the interpretation of these was cut off."""
        for frame in self._frames.values():
            if frame is None or frame.source is self.machine.main:
                continue
            branches, loops, conditions, dead = state.get(frame, (0, 0, {}, False))
            while len(frame.journals) > branches:
                frame.close_branch()
            del frame.loop_levels[loops:], frame.loop_reads[loops:], frame.breaks[2 * loops :]
            frame.conditions, frame.dead = conditions, dead

    def bind(self, frame: Frame, name: str) -> None:
        """Interpret the top-level statements of a module that bind a name."""
        statements = frame.pending.pop(name, ())
        depth, self.machine.depth = self.machine.depth, 0
        try:
            for statement in statements:
                execute_one(frame, statement)
                frame.dead = False
            if name in self._rebound.get(frame.source, ()):
                frame.set(name, Unknown(self.machine.fresh("global", frame.source.tree)))
            if isinstance(frame.variables.get(name), Mapping) and REGISTERED in frame.pending:
                self.bind(frame, REGISTERED)
        finally:
            self.machine.depth = depth


def read_as_attributes(found: frozenset[str], source: Source) -> frozenset[str]:
    """Those of the names found in another file that a file may read as an attribute of what it imports, besides those
    that tell by themselves what they stand for.
    """
    names = (name for name in found if not row_of(name) and not any(seed in name for seed in SEEDS))
    return frozenset(name for name in names if f".{name}" in whole(source.lines) and surveyed(source).rows((name,)))


def keepers(attributes: frozenset[str], source: Source) -> frozenset[str]:
    """The names of a file that stand for classes that have one of `attributes`, or for their objects."""
    if not attributes:
        return frozenset()
    readers = surveyed(source).readers(attributes)
    owners = (one.node.name if isinstance(one.node, ast.ClassDef) else one.owner for one in readers)
    return names_for(frozenset(filter(None, owners)), source)


REGISTERED = "@"


def registers(statement: ast.stmt) -> bool:
    """Whether a definition has a decorator with a literal key, which may put it into a registry."""
    decorators = getattr(statement, "decorator_list", ())
    return any(isinstance(one, ast.Call) and one.args and isinstance(one.args[0], ast.Constant) for one in decorators)


def star_imports(statement: ast.stmt) -> Iterator[ast.ImportFrom]:
    """The star imports that a top-level statement is, or holds in its branches; none of torch."""
    match statement:
        case ast.ImportFrom(names=[ast.alias(name="*")], module=module):
            if statement.level or not (module or "").startswith("torch"):
                yield statement
        case ast.If() | ast.Try():
            handlers = [inner for handler in getattr(statement, "handlers", []) for inner in handler.body]
            for inner in (*statement.body, *statement.orelse, *handlers):
                yield from star_imports(inner)
        case _:
            pass


def symbol_of(path: str) -> Symbol:
    """A module as a symbol."""
    return Symbol(f"{FILE}{path}" if path.endswith(".py") else f"{FOLDER}{path}")


def rebound_names(source: Source) -> frozenset[str]:
    """The names that functions of a module declare `global`: what they hold is not what the top level gave them."""
    near = nodes_near(("global",), source)
    return frozenset(name for node in near if isinstance(node, ast.Global) for name in node.names)


def bound_names(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
            blocks = [statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])]
            blocks += [handler.body for handler in getattr(statement, "handlers", [])]
            return {name for block in blocks for inner in block for name in bound_names(inner)}
        case _:
            names: set[str] = set()
            for node in walk(statement):
                match node:
                    case ast.Name(id=name, ctx=ast.Store()):
                        names.add(name)
                    case (
                        ast.Subscript(value=ast.Name(id=name), ctx=ast.Store())
                        | ast.Attribute(value=ast.Name(id=name), ctx=ast.Store())
                    ):
                        names.add(name)
                    case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if isinstance(statement, ast.Expr):
                        names.add(name)
                    case _:
                        pass
            return names
