"""What a module says of its names, for as many of them as are asked for: which definitions read them, and what else may
stand for the same.

Only what stands on a row with the word is looked at, so that a large file of which little matters costs little. A
variable of a function is told from those that have its name elsewhere: it goes by its name and the row on which its
function begins (`loss@12`). Parameters do not: others name them too.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kl_lint.flow.lines import whole
from kl_lint.flow.source import Source
from kl_lint.flow.syntax import nodes_of, only_owners, reaches, walk, walk_rows

__all__ = [
    "Alias",
    "Definition",
    "Survey",
    "carried",
    "last_name",
    "may_make",
    "names_read",
    "plain",
    "row_of",
    "surveyed",
]

SEEDS = frozenset({"kl_div", "KLDivLoss"})
COMMON = frozenset({"forward", "__call__", "__init__", "self", "torch", "nn", "F", "functional"})
"""Names that too much shares to tell anything; their classes tell instead."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""The fields of a statement that hold statements."""
MOST_SEARCHES = 100
"""How many words of a text are searched for before all are indexed."""
WORD = re.compile(r"\w+")
MAKER = re.compile(
    r"_*[A-Z]|.*(?:partial|getattr|build|make|create|get_|setup|init|method|copy|script|compile|ignore|wrap)"
)
"""What a callable is named that may give back, or keep, an object or function that it is given."""
KEEPERS = frozenset({"to", "cuda", "cpu", "eval", "train", "float", "half", "double", "type", "requires_grad_"})
"""The methods of a module that give back the module."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A function or class, and the class that it is in."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    owner: str | None

    def parts(self) -> Sequence[ast.AST]:
        """What belongs to it: of a class, all but its methods."""
        if not isinstance(self.node, ast.ClassDef):
            return (self.node,)
        rest = [inner for inner in self.node.body if not isinstance(inner, (*FUNCTIONS, ast.ClassDef))]
        return [*self.node.bases, *self.node.decorator_list, *self.node.keywords, *rest]


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that is given what another stands for, or (`called`) what calling the other gives."""

    name: str
    called: bool


class Survey:
    """The names of one module, read as they are asked for."""

    __slots__ = (
        "_aliases",
        "_functions",
        "_index",
        "_locals",
        "_names",
        "_nested",
        "_noted",
        "_rows",
        "_text",
        "_tree",
        "definitions",
    )

    def __init__(self, source: Source) -> None:
        self.definitions = tuple(definitions(source.tree.body))
        self._tree = source.tree
        self._text = whole(source.lines)
        self._names: dict[ast.AST, frozenset[str]] = {}
        self._rows: dict[str, list[int]] = {}
        self._aliases: dict[str, list[Alias]] = {}
        self._noted: set[ast.stmt] = set()
        self._functions: dict[int, ast.stmt] = {}
        """Those that a variable was found in, by the row on which they begin."""
        self._locals: dict[ast.stmt, frozenset[str]] = {}
        self._nested: Nested | None = None
        self._index: dict[str, list[int]] | None = None

    def around(self, row: int) -> list[Definition]:
        """The definitions that hold a row, innermost first."""
        if self._nested is None:
            self._nested = Nested(sorted(self.definitions, key=lambda one: one.node.lineno))
        return self._nested.around(row)

    def readers(self, words: frozenset[str]) -> list[Definition]:
        """The definitions that read one of `words`, in the order of the text."""
        rows = self.rows(words)
        own = {row_of(word) for word in words}
        near = (one for one in self.definitions if reaches(one.node, rows))
        return [
            one for one in near if one.node.lineno in own or not words.isdisjoint(self._named(one.node, one.parts()))
        ]

    def reading(self, nodes: Iterable[ast.AST], words: frozenset[str]) -> list[ast.AST]:
        """Those of `nodes` that read one of `words`, in their order."""
        rows = self.rows(words)
        names = {plain(word) for word in words}
        return [node for node in nodes if reaches(node, rows) and not names.isdisjoint(self._named(node, (node,)))]

    def _named(self, node: ast.AST, parts: Sequence[ast.AST]) -> frozenset[str]:
        found = self._names.get(node)
        if found is None:
            nodes = nodes_of(parts[0]) if len(parts) == 1 else [inner for part in parts for inner in walk(part)]
            found = self._names[node] = names_among(nodes)
        return found

    def aliases(self, words: Iterable[str]) -> Mapping[str, Sequence[Alias]]:
        """For each of `words`, and perhaps others, the names that are given what it stands for."""
        rows = self.rows(words)
        for statement, function in statements_on(self._tree.body, rows):
            if statement not in self._noted:
                self._noted.add(statement)
                note = Notes(self._aliases, function.lineno if function else 0, self._variables(function))
                for part in heads(statement):
                    if part.__class__ in BINDING:
                        note_aliases(part, note)
        return self._aliases

    def _variables(self, function: ast.stmt | None) -> frozenset[str]:
        """The names that a function, or one within it, binds for itself, and that are no parameters."""
        if function is None:
            return frozenset()
        if function not in self._locals:
            self._functions[function.lineno] = function
            self._locals[function] = variables_of(function)
        return self._locals[function]

    def alike(self, words: Iterable[str]) -> set[str]:
        """The words of the text that have one of `words` in them."""
        found: set[str] = set()
        for word in words:
            at = self._text.find(word)
            while at >= 0:
                first, last = at, at + len(word)
                while first and is_part(self._text[first - 1]):
                    first -= 1
                while last < len(self._text) and is_part(self._text[last]):
                    last += 1
                found.add(self._text[first:last])
                at = self._text.find(word, last)
        return found

    def rows(self, words: Iterable[str]) -> list[int]:
        """The rows (1-based, ascending) on which one of `words` stands."""
        found: set[int] = set()
        for word in words:
            name, first = plain(word), row_of(word)
            if name not in self._rows:
                self._rows[name] = self._found(name)
            rows = self._rows[name]
            if not first:
                found.update(rows)
            elif function := self._functions.get(first):
                found.update(rows[bisect_left(rows, first) : bisect_right(rows, function.end_lineno or first)])
        return sorted(found)

    def _found(self, word: str) -> list[int]:
        """The rows of a word: of the first ones each by a search, then all at once."""
        if self._index is None and len(self._rows) >= MOST_SEARCHES:
            self._index = indexed(self._text)
        if self._index is not None:
            return self._index.get(word, [])
        return list(rows_with(word, self._text)) if word else []


class Nested:
    """Definitions in the order of their first rows, and which of them each is in."""

    __slots__ = ("_begins", "_outer", "_sorted")

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self._sorted = definitions
        self._begins = [one.node.lineno for one in definitions]
        self._outer: list[int] = []
        for index, begin in enumerate(self._begins):
            outer = index - 1
            while outer >= 0 and not self._reaches(outer, begin):
                outer = self._outer[outer]
            self._outer.append(outer)

    def _reaches(self, index: int, row: int) -> bool:
        node = self._sorted[index].node
        return row <= (node.end_lineno or node.lineno)

    def around(self, row: int) -> list[Definition]:
        """Those that hold a row, innermost first."""
        found: list[Definition] = []
        index = bisect_right(self._begins, row) - 1
        while index >= 0:
            if self._reaches(index, row):
                found.append(self._sorted[index])
            index = self._outer[index]
        return found


@lru_cache(maxsize=8)
def surveyed(source: Source) -> Survey:
    """The survey of a module: kept for a while, since callers are looked for in the same few files again and again."""
    return Survey(source)


def rows_with(word: str, text: str) -> Iterator[int]:
    """The rows of a text on which a word stands by itself."""
    row, counted = 1, 0
    at = text.find(word)
    while at >= 0:
        after = at + len(word)
        if not (at and is_part(text[at - 1])) and not (after < len(text) and is_part(text[after])):
            row += text.count("\n", counted, at)
            counted = at
            yield row
        at = text.find(word, after)


def nodes_near(words: Iterable[str], source: Source) -> Iterator[ast.AST]:
    """The nodes of a module that reach over a row on which one of `words` stands."""
    text = whole(source.lines)
    rows = sorted({row for word in words for row in rows_with(word, text)})
    return walk_rows(source.tree, rows) if rows else iter(())


def indexed(text: str) -> dict[str, list[int]]:
    """The rows of every word of a text."""
    found: dict[str, list[int]] = {}
    for row, line in enumerate(text.split("\n"), start=1):
        for word in set(WORD.findall(line)):
            found.setdefault(word, []).append(row)
    return found


def is_part(character: str) -> bool:
    """Whether a character may stand in a name."""
    return character.isalnum() or character == "_"


def plain(word: str) -> str:
    """The name of a variable, as it stands in the text."""
    return word.partition("@")[0]


def row_of(word: str) -> int:
    """The row on which the function begins that a variable belongs to; 0 for any other name."""
    return int(word.partition("@")[2] or 0)


def variables_of(function: ast.stmt) -> frozenset[str]:
    """The names that a function, or one within it, binds for itself, and that are no parameters."""
    bound: set[str] = set()
    others: set[str] = set()
    for node in nodes_of(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                bound.add(name)
            case ast.arg(arg=name):
                others.add(name)
            case ast.Global(names=names):
                others.update(names)
            case _:
                pass
    return frozenset(bound - others)


def statements_on(
    body: Sequence[ast.stmt], rows: Sequence[int], function: ast.stmt | None = None
) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    """The statements that reach over one of `rows`, those within statements included; with each the outermost function
    that it is in.
    """
    for statement in body:
        if reaches(statement, rows):
            yield statement, function
            around = statement if function is None and isinstance(statement, FUNCTIONS) else function
            for name in BLOCKS:
                for inner in getattr(statement, name, ()):
                    if isinstance(inner, ast.stmt):
                        yield from statements_on((inner,), rows, around)
                    else:
                        yield from statements_on(inner.body, rows, around)


def heads(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a statement that are no statements: all of a simple one."""
    if not hasattr(statement, "body"):
        return walk(statement)
    found: list[ast.AST] = [statement]
    for name in statement._fields:
        if name in BLOCKS:
            continue
        child = getattr(statement, name, None)
        for one in child if isinstance(child, list) else (child,):
            if isinstance(one, ast.AST):
                found += walk(one)
    return found


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
                yield Definition(statement, owner)
            case ast.ClassDef():
                yield Definition(statement, None)
                yield from definitions(statement.body, statement.name)
            case ast.If() | ast.Try() | ast.With():
                for block in (statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
                    yield from definitions(block, owner)
                for handler in getattr(statement, "handlers", []):
                    yield from definitions(handler.body, owner)
            case _:
                pass


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
        ast.Expr,
    }
)
"""The nodes that give a name to something."""
FILLING = frozenset({"append", "insert", "extend", "add", "update", "setdefault"})
"""The methods that put their arguments into what they are called on."""
NAMING = frozenset({"add_module", "register_module"})
"""Those that make an attribute of their second argument, under the name that the first one is."""


@dataclass(frozen=True, slots=True)
class Notes:
    """Where aliases are kept that are found in a function that begins on `row` and has `variables`."""

    found: dict[str, list[Alias]]
    row: int
    variables: frozenset[str]

    def assignment(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        """Keep what an assignment gives its targets."""
        self.names([self.own(name, target) for target in targets for name, target in written(target)], value)

    def names(self, names: Sequence[str], value: ast.expr) -> None:
        """Keep that `names` are given a value."""
        names = [name for name in names if name not in COMMON]
        if names:
            for word, called in {(word, called) for word, called in carried(value) if word and word not in COMMON}:
                for key in (word, f"{word}@{self.row}") if word in self.variables else (word,):
                    self.found.setdefault(key, []).extend(Alias(name, called) for name in names)

    def own(self, name: str, target: ast.expr) -> str:
        """The name under which a target is known."""
        return f"{name}@{self.row}" if isinstance(target, ast.Name) and name in self.variables else name


def note_aliases(node: ast.AST, note: Notes) -> None:
    """For each name on the right of an assignment that may make an alias or an object, keep the names on the left."""
    match node:
        case ast.Assign(targets=targets, value=value):
            note.assignment(targets, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            note.assignment([target], value)
        case (
            ast.For(target=target, iter=value)
            | ast.AsyncFor(target=target, iter=value)
            | ast.comprehension(target=target, iter=value)
        ):
            note.assignment([target], value)
        case ast.arg(arg=name, annotation=ast.expr() as value):
            note.names([name], value)
        case ast.arguments():
            positional = [*node.posonlyargs, *node.args]
            defaults = zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
            for parameter, default in (*defaults, *zip(node.kwonlyargs, node.kw_defaults, strict=True)):
                if default is not None:
                    note.names([parameter.arg], default)
        case ast.keyword(arg=str() as name, value=value):
            note.names([name], value)
        case ast.ClassDef(name=name, bases=bases):
            for base in bases:
                note.names([name], base)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method), args=arguments)) if (
            method in FILLING
        ):
            for argument in arguments:
                note.assignment([owner], argument)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method), args=[key, value])) if (
            method in NAMING
        ):
            note.assignment([owner], value)
            note.names([last_name(key)], value)
        case ast.alias(name=original, asname=str() as alias):
            note.found.setdefault(original.rpartition(".")[2], []).append(Alias(alias, called=False))
        case _:
            pass


def written(target: ast.expr) -> list[tuple[str, ast.expr]]:
    """The names that an assignment gives something to, and where they stand: a variable, or the last attribute."""
    match target:
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            return [pair for inner in targets for pair in written(inner)]
        case ast.Subscript(value=base) | ast.Starred(value=base):
            return written(base)
        case _:
            return [(name, target)] if (name := last_name(target)) else []


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
