"""Where the names of a function are read and written, indexed so that each question costs the same however long the
function is.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from kl_lint.flow.syntax import nodes_of

__all__ = ["Assignment", "Regions", "Scope", "Uses", "kept", "position", "within"]

Span = tuple[tuple[int, int], tuple[int, int]]
"""Where a node begins and ends."""


def position(node: ast.AST) -> Span:
    """Where a node begins and ends."""
    row, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    return (row, column), (getattr(node, "end_lineno", None) or row, getattr(node, "end_col_offset", None) or column)


def within(inner: ast.AST, outer: ast.AST) -> bool:
    """Whether a node stands inside another (both of one source)."""
    start, end = position(inner)
    outer_start, outer_end = position(outer)
    return outer_start <= start and end <= outer_end


class Regions:
    """Nodes that stand apart or within each other, such as the loops of a function: which are around a place."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        """`nodes` are of one source, in any order."""
        spans = ((position(node), node) for node in nodes)
        self._nodes = sorted(spans, key=lambda one: (one[0][0], [-n for n in one[0][1]]))  # an outer one first
        self._starts = [span[0] for span, _ in self._nodes]
        self._outer: list[int] = []
        open_ones: list[int] = []
        for index, (span, _) in enumerate(self._nodes):
            while open_ones and self._nodes[open_ones[-1]][0][1] < span[1]:
                open_ones.pop()
            self._outer.append(open_ones[-1] if open_ones else -1)
            open_ones.append(index)

    def around(self, node: ast.AST) -> list[ast.AST]:
        """Those that a node stands in, the innermost first."""
        if not self._starts:
            return []
        start, end = position(node)
        index = bisect_right(self._starts, start) - 1
        found = []
        while index >= 0:
            span, region = self._nodes[index]
            if end <= span[1]:
                found.append(region)
            index = self._outer[index]
        return found


@dataclass(frozen=True, slots=True)
class Assignment:
    """A statement that gives a value to one name."""

    name: str
    statement: ast.stmt
    value: ast.expr


@dataclass(slots=True)
class Uses:
    """How often something is read, and written."""

    loads: int = 0
    stores: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of one function (nested ones included): where each is read, how often it is written, the assignments to
    single names, the uses of `owner.attribute`, the loops, the `with` blocks, the functions nested in it, and the names
    that functions share.
    """

    loads: dict[str, list[ast.Name]]
    stores: dict[str, int]
    assignments: dict[ast.AST, Assignment]
    by_name: dict[str, list[Assignment]]
    attributes: dict[tuple[str, str], Uses]
    statements: Regions
    loops: Regions
    blocks: Regions
    functions: Regions
    shared: set[str]

    def assignment_around(self, node: ast.AST) -> Assignment | None:
        """The assignment to a single name that a node stands in."""
        around = self.statements.around(node)
        return self.assignments[around[0]] if around else None

    def blocks_around(self, node: ast.AST) -> set[ast.AST]:
        """The `with` blocks that a node stands in."""
        return set(self.blocks.around(node))

    def functions_around(self, node: ast.AST) -> set[ast.AST]:
        """The nested functions that a node stands in."""
        return set(self.functions.around(node))

    def reads_outside(self, name: str, statement: ast.stmt) -> tuple[list[ast.Name], list[ast.Name]]:
        """Where a name is read before a statement, and after it."""
        start, end = position(statement)
        loads = self.loads.get(name, [])
        first = bisect_left(loads, start, key=lambda load: position(load)[0])
        last = bisect_left(loads, end, key=lambda load: position(load)[0])
        return loads[:first], loads[last:]


TOLD = frozenset(
    {
        ast.Name, ast.Attribute, ast.Assign, ast.AnnAssign, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith,
        ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Global, ast.Nonlocal,
    }
)  # fmt: skip
"""The nodes that a scope tells of."""


def kept(scopes: dict[ast.AST, Scope], node: ast.AST) -> Scope:
    """The scope of a function or of a module, which is read once."""
    if node not in scopes:
        scopes[node] = scanned(node)
    return scopes[node]


def scanned(node: ast.AST) -> Scope:
    """Read the names of a function, or of a module."""
    loads: dict[str, list[ast.Name]] = {}
    stores: dict[str, int] = {}
    assignments: dict[ast.AST, Assignment] = {}
    attributes: dict[tuple[str, str], Uses] = {}
    loops: list[ast.AST] = []
    blocks: list[ast.AST] = []
    functions: list[ast.AST] = []
    shared: set[str] = set()
    for child in nodes_of(node):
        if child.__class__ not in TOLD:
            continue
        match child:
            case ast.Name(id=name, ctx=ast.Load()):
                loads.setdefault(name, []).append(child)
            case ast.Name(id=name):
                stores[name] = stores.get(name, 0) + 1
            case ast.Attribute(value=ast.Name(id=owner), attr=name, ctx=context):
                uses = attributes.setdefault((owner, name), Uses())
                uses.loads += isinstance(context, ast.Load)
                uses.stores += isinstance(context, ast.Store)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assignments[child] = Assignment(name, child, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                assignments[child] = Assignment(name, child, value)
            case ast.For() | ast.While() | ast.AsyncFor():
                loops.append(child)
            case ast.With() | ast.AsyncWith():
                blocks.append(child)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if child is not node:
                functions.append(child)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                shared.update(names)
            case _:
                pass
    by_name: dict[str, list[Assignment]] = {}
    for one in assignments.values():
        by_name.setdefault(one.name, []).append(one)
    for reads in loads.values():
        reads.sort(key=position)
    return Scope(
        loads,
        stores,
        assignments,
        by_name,
        attributes,
        Regions(assignments),
        Regions(loops),
        Regions(blocks),
        Regions(functions),
        shared,
    )
