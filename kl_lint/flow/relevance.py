"""Which definitions of a file can have to do with a KL call: the others are interpreted only when something calls them.

The search is over names in the text, and generous: a name that may stand for a KL divergence, for an object or
function that computes one, or for
a function that calls such, makes whatever mentions it relevant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kl_lint.flow.syntax import walk

__all__ = ["Definition", "definitions", "registries", "relevant_names"]

WORD = re.compile(r"[A-Za-z_]\w*")
SEEDS = frozenset({"kl_div", "KLDivLoss"})
COMMON = frozenset({"forward", "__call__", "__init__", "self", "torch", "nn", "F", "functional"})
"""Names that too much shares to tell anything; their classes tell instead."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class, by its lines."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names: frozenset[str]
    owner: str | None


def words(lines: Sequence[str], node: ast.AST) -> frozenset[str]:
    """The identifiers in the lines of a node."""
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1) or 1
    for decorator in getattr(node, "decorator_list", ()):
        first = min(first, decorator.lineno)
    return frozenset(WORD.findall("\n".join(lines[first - 1 : last])))


def definitions(body: Iterable[ast.stmt], lines: Sequence[str], owner: str | None = None) -> list[Definition]:
    """All functions of a body and of its classes (not those nested in functions)."""
    found: list[Definition] = []
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.append(Definition(statement, words(lines, statement), owner))
            case ast.ClassDef():
                heads = frozenset(word for base in statement.bases for word in words(lines, base))
                found.append(Definition(statement, heads | class_words(statement, lines), None))
                found.extend(definitions(statement.body, lines, statement.name))
            case ast.If() | ast.Try() | ast.With():
                for block in (statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
                    found.extend(definitions(block, lines, owner))
                for handler in getattr(statement, "handlers", []):
                    found.extend(definitions(handler.body, lines, owner))
            case _:
                pass
    return found


def class_words(node: ast.ClassDef, lines: Sequence[str]) -> frozenset[str]:
    """The identifiers of a class body outside its methods."""
    found: set[str] = set()
    for statement in node.body:
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found |= words(lines, statement)
    return frozenset(found)


def relevant_names(tree: ast.Module, lines: Sequence[str], seeds: frozenset[str] = SEEDS) -> frozenset[str]:
    """The names whose mention makes a piece of code relevant: closed under definition, class membership and
    assignment.
    """
    known = definitions(tree.body, lines)
    by_word: dict[str, list[Definition]] = {}
    for definition in known:
        for word in definition.names:
            by_word.setdefault(word, []).append(definition)
    aliases = aliased(tree)
    for name, registry in registries(known):
        aliases.setdefault(name, []).append(registry)
    reached: set[str] = set()
    waiting = [word for word in (*by_word, *aliases) if any(seed in word for seed in seeds)] + list(seeds)
    while waiting:
        word = waiting.pop()
        if word in reached:
            continue
        reached.add(word)
        waiting.extend(alias for alias in aliases.get(word, ()) if alias not in COMMON)
        for definition in by_word.get(word, ()):
            if definition.node.name not in COMMON:
                waiting.append(definition.node.name)
            if definition.owner is not None:
                waiting.append(definition.owner)
    if not any("global " in line or "nonlocal " in line for line in lines):
        return frozenset(reached)
    outward = (ast.Global, ast.Nonlocal)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(reached) | {
        n.name for n in walk(tree) if isinstance(n, functions) and any(isinstance(s, outward) for s in n.body)
    }


def registries(known: Sequence[Definition]) -> Iterator[tuple[str, str]]:
    """For each definition that a decorator of the file puts into a table: its name, and the table's."""
    by_name = {definition.node.name: definition.node for definition in known}
    for definition in known:
        for decorator in definition.node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id=name)) if name in by_name:
                    for node in walk(by_name[name]):
                        match node:
                            case ast.Subscript(value=ast.Name(id=table), ctx=ast.Store()):
                                yield definition.node.name, table
                            case _:
                                pass
                case _:
                    pass


MAKER = re.compile(
    r"[A-Z_]|.*(?:partial|getattr|build|make|create|get_|setup|init|method|copy|script|compile|ignore|wrap)"
)
"""What a callable is named whose result may be an object or function rather than a number."""


ITERATORS = frozenset({"zip", "enumerate", "reversed", "list", "tuple", "sorted", "values", "items", "iter", "next"})
"""What gives back the elements of what it is given."""


BINDING = frozenset(
    {
        ast.Assign,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.For,
        ast.AsyncFor,
        ast.comprehension,
        ast.arg,
        ast.arguments,
        ast.keyword,
        ast.alias,
    }
)
"""The nodes that give a name to something."""


def aliased(tree: ast.Module) -> dict[str, list[str]]:
    """For each word on the right of an assignment that may make an alias or an object, the names on the left."""
    found: dict[str, list[str]] = {}
    for node in walk(tree):
        if node.__class__ not in BINDING:
            continue
        match node:
            case ast.Assign(targets=targets, value=value):
                note(found, targets, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                note(found, [target], value)
            case (
                ast.For(target=target, iter=value)
                | ast.AsyncFor(target=target, iter=value)
                | ast.comprehension(target=target, iter=value)
            ):
                note(found, [target], value)
            case ast.arg(arg=name, annotation=ast.expr() as value):
                note(found, [ast.Name(name)], value)
            case ast.arguments():
                positional = [*node.posonlyargs, *node.args]
                defaults = zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
                for parameter, default in (*defaults, *zip(node.kwonlyargs, node.kw_defaults, strict=True)):
                    if default is not None:
                        note(found, [ast.Name(parameter.arg)], default)
            case ast.keyword(arg=str() as name, value=value):
                note(found, [ast.Name(name)], value)
            case ast.alias(name=original, asname=str() as alias):
                found.setdefault(original.rpartition(".")[2], []).append(alias)
            case _:
                pass
    return found


def note(found: dict[str, list[str]], targets: Sequence[ast.expr], value: ast.expr) -> None:
    """Keep one assignment."""
    names = [name for target in targets for name in written(target) if name not in COMMON]
    if names:
        for word in carried(value) - COMMON:
            found.setdefault(word, []).extend(names)


def written(target: ast.expr) -> list[str]:
    """The names that an assignment gives something to: a variable, or the last attribute."""
    match target:
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            return [name for inner in targets for name in written(inner)]
        case ast.Subscript(value=base) | ast.Starred(value=base):
            return written(base)
        case _:
            return [name] if (name := last_name(target)) else []


def carried(value: ast.expr) -> set[str]:
    """The names of what a value may be, or may hold: not of what is merely computed with."""
    match value:
        case ast.Constant(value=str() as text) if text in SEEDS:
            return {text}
        case ast.Name() | ast.Attribute():
            return {last_name(value)} | (
                carried(value.value) if last_name(value) in ITERATORS and isinstance(value, ast.Attribute) else set()
            )
        case (
            ast.Subscript(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner) | ast.NamedExpr(value=inner)
        ):
            return carried(inner)
        case ast.IfExp(body=one, orelse=other):
            return carried(one) | carried(other)
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return {word for part in parts for word in carried(part)}
        case ast.Dict(values=parts):
            return {word for part in parts for word in carried(part)}
        case ast.Lambda() | ast.ListComp() | ast.DictComp() | ast.GeneratorExp():
            return {last_name(inner) for inner in walk(value)} - {""}
        case ast.Call(func=func, args=arguments, keywords=keywords):
            parts = [*arguments, *(keyword.value for keyword in keywords)]
            if last_name(func) in ITERATORS:
                return {word for part in (func, *parts) for word in carried(part)}
            texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
            if not any(MAKER.match(last_name(inner)) for inner in walk(func)):
                return set()
            behind = (
                carried(func.value) if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Call) else set()
            )
            return texts | behind | carried(func) | {word for part in parts for word in carried(part)}
        case _:
            return set()


def last_name(node: ast.AST) -> str:
    """The last word of a name, an attribute or a string."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str() as name):
            return name
        case _:
            return ""
