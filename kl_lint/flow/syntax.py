"""Walking syntax trees."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

__all__ = ["REPORTING", "nodes_of", "only_owners", "parameter_names", "viewed", "walk", "walk_rows", "way"]

REPORTING = frozenset("log log_dict log_metrics info debug warning error write save dump print watch".split())
"""The names of functions that tell of what they are given, or write it down, and leave it as it is."""
LABELS = frozenset(
    "arg asname attr conversion ctx id is_async kind kwd_attrs level module op ops rest simple str tag "
    "type_comment".split()
)
"""The fields that hold no node, or one that says nothing by itself: a context, an operator."""
NAMELESS = frozenset({ast.Constant, ast.MatchSingleton, ast.Global, ast.Nonlocal})
"""The nodes without any node below, whatever their fields are called elsewhere."""
HOLED = frozenset({"keys", "kw_defaults"})
"""The fields that hold None among nodes: the key of `**rest` in a dict, the default of a parameter that has none."""

VIEWS = frozenset(
    "contiguous detach expand flatten narrow permute reshape select squeeze t transpose unsqueeze view view_as".split()
)
"""The methods that give, or may give, a view."""

MOST_KEPT = 100
"""Of how many functions the nodes are kept."""


def kinds_of(kind: type[ast.AST]) -> Iterator[type[ast.AST]]:
    """A kind of nodes and all that derive from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from kinds_of(derived)


def fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of nodes in which nodes may stand."""
    if kind in NAMELESS:
        return ()
    named = kind.__name__ != "TypeAlias"  # the one whose name is a node
    return tuple(name for name in kind._fields if name not in LABELS and not (named and name == "name"))


FIELDS = {kind: fields_of(kind) for kind in kinds_of(ast.AST)}


def walk(node: ast.AST) -> list[ast.AST]:
    """Every node below (and with) `node`, level by level, contexts and operators left out: as `ast.walk`, at a third of
    its cost.
    """
    found = [node]
    for node in found:
        fields = FIELDS.get(node.__class__)
        for name in fields_of(node.__class__) if fields is None else fields:
            child = getattr(node, name, None)
            if child.__class__ is list:
                found += [one for one in child if one is not None] if name in HOLED else child
            elif child is not None:
                found.append(child)
    return found


@lru_cache(maxsize=MOST_KEPT)
def nodes_of(definition: ast.AST) -> Sequence[ast.AST]:
    """Every node of a function: as `walk`, kept for a while, since one question after the other is asked of each."""
    return tuple(walk(definition))


def walk_rows(tree: ast.Module, rows: Sequence[int]) -> Iterator[ast.AST]:
    """The nodes that stand on one of `rows` (1-based, ascending), those without a place of their own included; what
    reaches over none of them is not looked into.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for name in FIELDS.get(node.__class__, ()):
            child = getattr(node, name, None)
            for one in child if child.__class__ is list else (child,):
                if one is not None and reaches(one, rows):
                    yield one
                    waiting.append(one)


def reaches(node: ast.AST, rows: Sequence[int]) -> bool:
    """Whether a node stands on one of `rows`, or has no place."""
    first = getattr(node, "lineno", None)
    if first is None:
        return True
    decorators = getattr(node, "decorator_list", ())
    first = decorators[0].lineno if decorators else first
    index = bisect_left(rows, first)
    return index < len(rows) and rows[index] <= (getattr(node, "end_lineno", None) or first)


def parameter_names(signature: ast.arguments) -> set[str]:
    """The names of the parameters of a function, but for `*args` and `**kwargs`."""
    return {one.arg for one in (*signature.posonlyargs, *signature.args, *signature.kwonlyargs)}


def only_owners(nodes: Sequence[ast.AST]) -> set[int]:
    """The ids of those of `nodes` of which nothing is done but to read an attribute: `loss` in `loss.weight`, not in
    `loss.forward(x)`.
    """
    called = {id(node.func) for node in nodes if node.__class__ is ast.Call}
    return {
        id(node.value)
        for node in nodes
        if node.__class__ is ast.Attribute and node.ctx.__class__ is ast.Load and id(node) not in called
    }


def way(outer: ast.AST, inner: ast.AST) -> tuple[ast.AST, ...]:
    """The nodes from one down to another that stands inside; none where it does not."""
    if outer is inner:
        return (outer,)
    for child in ast.iter_child_nodes(outer):
        if found := way(child, inner):
            return (outer, *found)
    return ()


def viewed(node: ast.expr, *, parts: bool = True) -> ast.expr:
    """The expression of whose value that of `node` is a view, or a view of a view; itself where it is none. Without
    `parts`, what is indexed or transposed by an attribute is none.
    """
    while True:
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in VIEWS:
                node = inner
            case ast.Attribute(value=inner, attr="data"):
                node = inner
            case ast.Attribute(value=inner, attr="T" | "mT") | ast.Subscript(value=inner) if parts:
                node = inner
            case _:
                return node
