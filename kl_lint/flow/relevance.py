"""Which definitions of a file can have to do with a KL call: the others are interpreted only when something calls them.

The search is over names, and generous: a name that may stand for a KL divergence, for an object or function that
computes one, or for a function whose parameters reach one, makes whatever reads it relevant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from kl_lint.flow.lines import whole
from kl_lint.flow.slicing import slice_of
from kl_lint.flow.syntax import only_owners, walk

__all__ = [
    "Definition",
    "Relevant",
    "last_name",
    "may_make",
    "names_read",
    "registries",
    "relevant_names",
    "spread",
    "surveyed",
]

SEEDS = frozenset({"kl_div", "KLDivLoss"})
COMMON = frozenset({"forward", "__call__", "__init__", "self", "torch", "nn", "F", "functional"})
"""Names that too much shares to tell anything; their classes tell instead."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
UNREDUCED = re.compile(r"[\"']none[\"']|\breduce\b|\btorch\.kl_div\b")
"""What a text says that leaves a divergence unreduced, so that callers may average it."""
MAKER = re.compile(
    r"_*[A-Z]|.*(?:partial|getattr|build|make|create|get_|setup|init|method|copy|script|compile|ignore|wrap)"
)
"""What a callable is named that may give back, or keep, an object or function that it is given."""
KEEPERS = frozenset({"to", "cuda", "cpu", "eval", "train", "float", "half", "double", "type", "requires_grad_"})
"""The methods of a module that give back the module."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A function or class, the names that it reads (a class: outside its methods), and the class that it is in."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names: frozenset[str]
    owner: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that is given what another stands for, or (`called`) what calling the other gives."""

    name: str
    called: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What one reading of a module tells: its definitions, and for each name those that may stand for the same."""

    definitions: tuple[Definition, ...]
    aliases: Mapping[str, Sequence[Alias]]


@lru_cache(maxsize=8)
def surveyed(tree: ast.Module) -> Survey:
    """The survey of a module: kept for a while, since callers are looked for in the same few files again and again."""
    return Survey(tuple(definitions(tree.body)), aliased(tree))


class Concern(Enum):
    """Why those who use a function are relevant too."""

    TAKES_PART = "what they pass or do with the result decides about a divergence"
    HANDS_OUT = "what it returns computes a divergence"


def names_read(node: ast.AST) -> frozenset[str]:
    """The names that a piece of code reads, or takes: variables, attributes, parameters, and strings that are one."""
    return names_among(walk(node))


def names_among(nodes: Sequence[ast.AST]) -> frozenset[str]:
    """The names that nodes read, or take; not those of which only an attribute is read."""
    found: set[str] = set()
    owners = only_owners(nodes)
    for node in nodes:
        kind = node.__class__
        if id(node) in owners:
            continue
        if kind is ast.Name:
            found.add(node.id)  # type: ignore[attr-defined]
        elif kind is ast.Attribute:
            found.add(node.attr)  # type: ignore[attr-defined]
        elif kind is ast.arg:
            found.add(node.arg)  # type: ignore[attr-defined]
        elif kind is ast.Constant:
            text = node.value  # type: ignore[attr-defined]
            if text.__class__ is str and text.isidentifier():
                found.add(text)
        elif kind is ast.alias:
            found.add(node.name.rpartition(".")[2])  # type: ignore[attr-defined]
        elif kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
            found.add(node.name)  # type: ignore[attr-defined]
        elif kind is ast.Global or kind is ast.Nonlocal:
            found.update(node.names)  # type: ignore[attr-defined]
    return frozenset(found)


def definitions(body: Iterable[ast.stmt], owner: str | None = None) -> Iterator[Definition]:
    """All functions of a body and of its classes (not those nested in functions)."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield Definition(statement, names_read(statement), owner)
            case ast.ClassDef():
                rest = [inner for inner in statement.body if not isinstance(inner, (*FUNCTIONS, ast.ClassDef))]
                outside = [*statement.bases, *statement.decorator_list, *statement.keywords, *rest]
                yield Definition(statement, names_among([node for part in outside for node in walk(part)]), None)
                yield from definitions(statement.body, statement.name)
            case ast.If() | ast.Try() | ast.With():
                for block in (statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
                    yield from definitions(block, owner)
                for handler in getattr(statement, "handlers", []):
                    yield from definitions(handler.body, owner)
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Relevant:
    """The names whose mention makes a piece of code relevant; `near` are those of divergences themselves, `makers` also
    those of what hands one out, the others those of functions and classes that use one.
    """

    names: frozenset[str]
    makers: frozenset[str]
    near: frozenset[str]

    def and_also(self, names: frozenset[str]) -> Relevant:
        """With further names of divergences."""
        return Relevant(self.names | names, self.makers | names, self.near | names)


def relevant_names(tree: ast.Module, lines: Sequence[str], seeds: frozenset[str] = SEEDS) -> Relevant:
    """The names whose mention makes a piece of code relevant: closed under assignment, class membership, and under
    definition where callers matter.
    """
    survey = surveyed(tree)
    readers: dict[str, list[Definition]] = {}
    own: set[str] = set()
    for definition in survey.definitions:
        own.add(definition.node.name)
        for word in definition.names:
            readers.setdefault(word, []).append(definition)
    aliases = dict(survey.aliases)
    for name, table in registries(survey.definitions):
        aliases[name] = [*aliases.get(name, ()), Alias(table, called=False)]
    text = whole(lines)
    unreduced = UNREDUCED.search(text) is not None
    reached: dict[str, bool] = {}
    """By name, whether calling what it stands for makes an object that computes a divergence."""
    told: set[Definition] = set()
    similar = {word for word in (*readers, *aliases) if any(seed in word for seed in seeds)} - own
    waiting = [(word, may_make(word)) for word in sorted(similar | seeds)]
    near = makers = frozenset[str]()
    later: dict[Definition, None] = {}
    """Those whose users take part in what is computed, after all those that hand out what computes it."""
    while waiting or later:
        if not waiting:
            makers = makers or frozenset(reached)
            waiting = [word for definition in later for word in handed_on(definition, makes=False)]
            later.clear()
        new = spread(waiting, aliases, reached)
        near = near or frozenset(reached)
        waiting = []
        for definition in dict.fromkeys(definition for word in new for definition in readers.get(word, ())):
            if definition in told:
                continue
            match concerns_callers(definition, reached, unreduced=unreduced):
                case Concern.HANDS_OUT:
                    told.add(definition)
                    waiting.extend(handed_on(definition, makes=True))
                case Concern.TAKES_PART:
                    later[definition] = None
                    told.add(definition)
                case None:
                    pass
    names = frozenset(reached)
    makers = makers or names
    if "global " not in text and "nonlocal " not in text:
        return Relevant(names, makers, near)
    outward = (ast.Global, ast.Nonlocal)
    writers = {n.name for n in walk(tree) if isinstance(n, FUNCTIONS) and any(isinstance(s, outward) for s in n.body)}
    return Relevant(names | writers, makers | writers, near | writers)


def handed_on(definition: Definition, *, makes: bool) -> Iterator[tuple[str, bool]]:
    """The names under which others use a definition, and whether calling it makes what computes a divergence."""
    if definition.node.name not in COMMON:
        yield definition.node.name, makes
    if definition.owner is not None:
        yield definition.owner, True


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


def spread(
    words: Iterable[tuple[str, bool]], aliases: Mapping[str, Sequence[Alias]], reached: dict[str, bool]
) -> list[str]:
    """Add to `reached` all names that can stand for what the words stand for (and whether calling it makes an object
    that computes a divergence); gives those that are new there.
    """
    waiting = list(words)
    new: list[str] = []
    while waiting:
        word, makes = waiting.pop()
        if word in reached and reached[word] >= makes:
            continue
        reached[word] = makes
        new.append(word)
        for alias in aliases.get(word, ()):
            if alias.name not in COMMON and (makes or not alias.called):
                waiting.append((alias.name, makes and not alias.called))
    return new


def concerns_callers(definition: Definition, reached: Mapping[str, bool], *, unreduced: bool) -> Concern | None:
    """Whether those who use a definition that reads relevant names are relevant too: of a class; of a function whose
    parameters reach what it does with these names (the receiver where there is no other), or that hands out one of
    them, or an unreduced divergence.
    """
    node = definition.node
    if isinstance(node, ast.ClassDef):
        return Concern.HANDS_OUT
    arguments = node.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    parameters = [parameter.arg for parameter in listed if parameter is not None]
    receiver = parameters[0] if definition.owner is not None and parameters else None
    within = slice_of(node.body, frozenset(reached), receiver, value=False)
    returned = [one.value for one in within.statements if isinstance(one, ast.Return) and one not in within.bare]
    if any(value is not None and hands_out(value, reached) for value in returned) or closes_over(node, reached):
        return Concern.HANDS_OUT
    passed = parameters if len(parameters) == 1 else [name for name in parameters if name != receiver]
    if (unreduced and returned) or not within.reads.isdisjoint(passed):
        return Concern.TAKES_PART
    return None


def hands_out(value: ast.expr, reached: Mapping[str, bool]) -> bool:
    """Whether a returned expression may be something that computes a divergence."""
    return any(reached.get(word, False) if called else word in reached for word, called in carried(value))


def closes_over(function: ast.FunctionDef | ast.AsyncFunctionDef, reached: Mapping[str, bool]) -> bool:
    """Whether a function within a function reads a relevant name, or values are yielded."""
    for node in walk(function):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if (
            isinstance(node, (*FUNCTIONS, ast.Lambda))
            and node is not function
            and not names_read(node).isdisjoint(reached)
        ):
            return True
    return False


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
        ast.ClassDef,
    }
)
"""The nodes that give a name to something."""


def aliased(tree: ast.AST) -> dict[str, list[Alias]]:
    """For each name on the right of an assignment that may make an alias or an object, the names on the left."""
    found: dict[str, list[Alias]] = {}
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
            case ast.ClassDef(name=name, bases=bases):
                for base in bases:
                    note(found, [ast.Name(name)], base)
            case ast.alias(name=original, asname=str() as alias):
                found.setdefault(original.rpartition(".")[2], []).append(Alias(alias, called=False))
            case _:
                pass
    return found


def note(found: dict[str, list[Alias]], targets: Sequence[ast.expr], value: ast.expr) -> None:
    """Keep one assignment."""
    words = {(word, called) for word, called in carried(value) if word and word not in COMMON}
    if words:
        names = [name for target in targets for name in written(target) if name not in COMMON]
        for word, called in words:
            found.setdefault(word, []).extend(Alias(name, called) for name in names)


def written(target: ast.expr) -> list[str]:
    """The names that an assignment gives something to: a variable, or the last attribute."""
    match target:
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            return [name for inner in targets for name in written(inner)]
        case ast.Subscript(value=base) | ast.Starred(value=base):
            return written(base)
        case _:
            return [name] if (name := last_name(target)) else []


def carried(value: ast.expr) -> Iterator[tuple[str, bool]]:
    """The names of what a value may be, or may hold, and whether it is what calling them gives: not of what is merely
    computed with.
    """
    match value:
        case ast.Constant(value=str() as text):
            if text in SEEDS:
                yield text, False
        case ast.Name(id=name):
            yield name, False
        case ast.Attribute(value=base, attr=name):
            yield name, False
            if name in ITERATORS:
                yield from carried(base)
        case (
            ast.Subscript(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner) | ast.NamedExpr(value=inner)
        ):
            yield from carried(inner)
        case ast.IfExp(body=one, orelse=other):
            yield from carried(one)
            yield from carried(other)
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                yield from carried(part)
        case ast.Dict(values=parts):
            for part in parts:
                yield from carried(part)
        case ast.Lambda() | ast.ListComp() | ast.DictComp() | ast.GeneratorExp():
            for node in walk(value):
                yield last_name(node), False
        case ast.Call():
            yield from carried_by_call(value)
        case _:
            pass


def carried_by_call(call: ast.Call) -> Iterator[tuple[str, bool]]:
    """The names of what the result of a call may be, or may hold."""
    func = call.func
    name = last_name(func)
    if name:
        yield name, True
    else:
        yield from ((word, True) for word, _ in carried(func))
    if isinstance(func, ast.Attribute) and (name in KEEPERS or isinstance(func.value, ast.Call)):
        yield from carried(func.value)
    if name in ITERATORS and isinstance(func, ast.Attribute):
        yield from carried(func.value)
    keeps = name not in SEEDS and any(may_make(last_name(inner)) for inner in walk(func))
    if keeps or name in ITERATORS:
        for part in (*call.args, *(keyword.value for keyword in call.keywords)):
            if keeps and isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value, False
            yield from carried(part)


def may_make(name: str) -> bool:
    """Whether calling something of that name may give an object or function, rather than a number."""
    return MAKER.match(name) is not None


def last_name(node: ast.AST) -> str:
    """The last word of a name, an attribute or a string."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str() as name):
            return name
        case _:
            return ""
