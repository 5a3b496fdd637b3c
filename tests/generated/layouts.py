"""A program over several files: where each definition goes, and how the other files get at it.

The text of one file is parted by its top-level definitions; what the parts need of each other they import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent

MARK = "# file: "
"""Begins each file in the text of a whole program."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a program: the one that holds `loss`, those that definitions may go to, and the packages' own."""

    main: str
    others: tuple[str, ...]
    packages: tuple[str, ...] = ()
    root: str = ""
    """The folder in which imports are looked up."""

    def module(self, path: str) -> str:
        """The dotted name of a file."""
        inner = path.removeprefix(f"{self.root}/").removesuffix(".py").removesuffix("/__init__")
        return inner.replace("/", ".")


LAYOUTS = (
    Layout("main.py", ("helpers.py", "losses.py", "models.py")),
    Layout("pack/main.py", ("pack/helpers.py", "pack/losses.py", "pack/models.py"), ("pack/__init__.py",)),
    Layout(
        "pack/main.py",
        ("pack/parts/helpers.py", "pack/parts/losses.py", "pack/models.py"),
        ("pack/__init__.py", "pack/parts/__init__.py"),
    ),
    Layout(
        "src/pack/train/main.py",
        ("src/pack/helpers.py", "src/pack/parts/losses.py", "src/pack/train/models.py"),
        ("src/pack/__init__.py", "src/pack/parts/__init__.py", "src/pack/train/__init__.py"),
        "src",
    ),
    Layout("main.py", ("parts/helpers.py", "parts/losses.py", "parts/deep/models.py")),
    Layout("scripts/main.py", ("pack/helpers.py", "pack/losses.py", "pack/models.py"), ("pack/__init__.py",)),
)
WAYS = ("from", "bracketed", "renamed", "module", "star", "package", "guarded", "inside")
"""How a name of another file is got at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the definitions of a program go, in order (the last counts for all further ones), and how they are
    imported, in order of need.
    """

    layout: Layout
    places: tuple[int, ...]
    ways: tuple[str, ...]
    relative: bool = True
    away: bool = False
    """Whether `loss` itself is imported by the main file."""


@dataclass(slots=True)
class Part:
    """A top-level statement: its text, what it binds and what it reads of the others."""

    node: ast.stmt
    text: str
    binds: frozenset[str]
    reads: frozenset[str] = frozenset()
    place: int = 0


def spread(source: str, plan: Plan) -> str:
    """The text of a whole program, file by file."""
    tree, lines = ast.parse(source), source.split("\n")
    head = "\n".join(_text(lines, node) for node in tree.body if _about_imports(node))
    parts = _parts(tree, lines)
    _place(parts, plan)
    layout = plan.layout
    order = (*layout.others, layout.main)
    files = {path: File(path, head) for path in (*layout.packages, *order)}
    for part in parts:
        files[order[part.place]].parts.append(part)
    homes = {name: order[part.place] for part in parts for name in part.binds}
    ways = _Ways(plan, homes, files)
    for path in order:
        ways.bring_what_is_needed(files[path])
    for path in layout.others:
        if files[path].parts and not any(path in file.asked for file in files.values()):
            files[layout.main].imports.append((path, f"import {layout.module(path)}"))  # for what it registers
    written = {path: file.text(order) for path, file in files.items() if file.used or path in layout.packages}
    return "".join(f"{MARK}{path}\n{text}" for path, text in written.items())


def files_of(source: str) -> Mapping[str, str]:
    """The files of the text of a whole program."""
    files: dict[str, str] = {}
    for chunk in source.split(MARK)[1:]:
        path, _, text = chunk.partition("\n")
        files[path] = text
    return files


def _text(lines: Sequence[str], node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return "\n".join(lines[first - 1 : node.end_lineno])


def _parts(tree: ast.Module, lines: Sequence[str]) -> list[Part]:
    parts = [
        Part(node, _text(lines, node), _bound(node))
        for node in tree.body
        if not _about_imports(node)
    ]
    every = frozenset(name for part in parts for name in part.binds)
    for part in parts:
        part.reads = (frozenset(node.id for node in ast.walk(part.node) if isinstance(node, ast.Name)) & every) - part.binds
    return parts


def _about_imports(node: ast.stmt) -> bool:
    """Whether it imports something, or names modules of torch as imports do."""
    named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
    return named or isinstance(node, (ast.Import, ast.ImportFrom))


def _bound(node: ast.stmt) -> frozenset[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return frozenset({name})
        case ast.Assign(targets=[ast.Name(id=name)]):
            return frozenset({name})
        case _:
            return frozenset()


def _place(parts: list[Part], plan: Plan) -> None:
    """Put each part into a file, none before what it needs; what has to do with a `global` name stays with `loss`."""
    main = len(plan.layout.others) - plan.away
    shared = {name for part in parts for one in ast.walk(part.node) if isinstance(one, ast.Global) for name in one.names}
    for i, part in enumerate(parts):
        tied = part.binds == {"loss"} or not shared.isdisjoint(part.binds | part.reads)
        drawn = plan.places[min(i, len(plan.places) - 1)]
        part.place = main if tied else min(main, drawn)
    for _ in parts:
        for part in parts:
            part.place = max([part.place, *(one.place for one in parts if one.binds & part.reads)])


class File:
    """A file in the making."""

    def __init__(self, path: str, head: str) -> None:
        self.path = path
        self.head = head
        self.imports: list[tuple[str, str]] = []
        """Of which file, and how."""
        self.parts: list[Part] = []
        self.names: dict[str, str] = {}
        """How names of other files are written here."""
        self.inside: dict[str, str] = {}
        """The imports that stand in the functions which need them."""
        self.asked: set[str] = set()

    @property
    def used(self) -> bool:
        return bool(self.parts or self.imports)

    def text(self, order: Sequence[str]) -> str:
        """What it says; what other files make is imported in the order in which it may be made."""
        imports = [line for _, line in sorted(self.imports, key=lambda one: order.index(one[0]))]
        head = "\n".join([self.head] * bool(self.parts) + [*dict.fromkeys(imports)])
        return "\n\n\n".join(block for block in (head, *map(self._part, self.parts)) if block) + "\n"

    def _part(self, part: Part) -> str:
        needed = [line for name, line in sorted(self.inside.items()) if name in part.reads]
        return with_imports_inside(renamed(part.text, self.names), needed)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A text in which some names are written in another way."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id in names]
    lines = text.split("\n")
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        line = lines[node.lineno - 1]
        assert node.end_col_offset is not None
        lines[node.lineno - 1] = line[: node.col_offset] + names[node.id] + line[node.end_col_offset :]
    return "\n".join(lines)


def with_imports_inside(text: str, imports: Sequence[str]) -> str:
    """A definition whose functions begin with imports."""
    if not imports:
        return text
    lines = text.split("\n")
    for node in sorted(_outer_functions(ast.parse(text)), key=lambda node: -node.lineno):
        first = node.body[0]
        row = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))])
        lines[row - 1 : row - 1] = indent("\n".join(imports), " " * first.col_offset).split("\n")
    return "\n".join(lines)


def _outer_functions(node: ast.AST) -> Iterator[ast.FunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield child
        else:
            yield from _outer_functions(child)


def only_in_functions(part: Part, name: str) -> bool:
    """Whether a part reads a name in the bodies of its functions alone, none of them on one line with its head."""
    inside = {
        id(inner)
        for function in _outer_functions(ast.Module([part.node], []))
        for statement in function.body
        if statement.lineno > function.lineno
        for inner in ast.walk(statement)
    }
    return all(id(node) in inside for node in ast.walk(part.node) if isinstance(node, ast.Name) and node.id == name)


class _Ways:
    """Writes the imports."""

    def __init__(self, plan: Plan, homes: Mapping[str, str], files: Mapping[str, File]) -> None:
        self.plan = plan
        self.layout = plan.layout
        self.homes = homes
        self.files = files
        self._turn = 0

    def bring_what_is_needed(self, file: File) -> None:
        """Import what a file reads of others; the main one has `loss` in any case."""
        needed = dict.fromkeys(name for part in file.parts for name in sorted(part.reads))
        if file.path == self.layout.main:
            needed["loss"] = None
        for name in needed:
            if self.homes[name] != file.path:
                self._bring(file, name)

    def _bring(self, file: File, name: str) -> None:
        """Import a name of another file."""
        home = self.homes[name]
        readers = [part for part in file.parts if name in part.reads]
        way = self.plan.ways[self._turn % len(self.plan.ways)]
        self._turn += 1
        file.asked.add(home)
        module = self._from(file.path, home)
        line = f"from {module} import {name}"
        match way:
            case "bracketed":
                line = f"from {module} import (\n    {name},\n)"
            case "renamed" if readers:
                line += f" as {name}_"
                file.names[name] = f"{name}_"
            case "module" if readers and not module.startswith("."):
                line = f"import {module}"
                if self._package(file.path) == self._package(home) is not None:  # which may not have itself yet
                    own = module.rpartition(".")[2]
                    line += f" as {own}_module"
                    module = f"{own}_module"
                file.names[name] = f"{module}.{name}"
            case "module" if readers:
                stem = module.lstrip(".")
                above, _, own = stem.rpartition(".")
                line = f"from {module[: -len(stem)]}{above} import {own} as {own}_module"
                file.names[name] = f"{own}_module.{name}"
            case "star":
                line = f"from {module} import *"
            case "package" if (package := self._package(home)) is not None:
                own = f"from {self._from(package, home)} import {name}"
                self.files[package].imports.append((home, own))
                line = f"from {self._from(file.path, package)} import {name}"
            case "guarded":
                line = f"try:\n    {line}\nexcept ImportError:\n    {name} = None"
            case "inside" if readers and all(only_in_functions(part, name) for part in readers):
                file.inside[name] = line
                return
            case _:
                pass
        file.imports.append((home, line))

    def _package(self, path: str) -> str | None:
        """The package that a file stands in."""
        package = f"{path.rpartition('/')[0]}/__init__.py"
        return package if package in self.layout.packages else None

    def _from(self, importer: str, target: str) -> str:
        """What stands behind `from`: relative where it may be."""
        absolute = self.layout.module(target)
        if not self.plan.relative or self._package(importer) is None:
            return absolute
        here = importer.split("/")[:-1]
        there = target.removesuffix(".py").removesuffix("/__init__").split("/")
        common = 0
        while common < min(len(here), len(there)) and here[common] == there[common]:
            common += 1
        root = len(self.layout.root.split("/")) if self.layout.root else 0
        if common <= root:
            return absolute
        return "." * (len(here) - common + 1) + ".".join(there[common:])
