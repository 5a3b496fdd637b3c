"""Which statements of a function matter: those that a KL call, or the value that is asked for, can depend on.

A backward slice over names, without regard to order: a statement is needed when it mentions a relevant name, writes
what a needed
statement reads, or leaves the function. The rest is not interpreted, which is most of a training loop.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache

from kl_lint.flow.syntax import REPORTING, only_owners, parameter_names, viewed, walk

__all__ = ["Changers", "Slice", "changed_by_turns", "gone_through", "slice_of"]

BUILTINS = frozenset(dir(builtins))
MOST_KEPT = 2_000
"""Of how many functions the statements are kept as they were read."""
ASSIGNMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign)
MUTATORS = frozenset(
    {
        "append",
        "extend",
        "insert",
        "update",
        "pop",
        "popleft",
        "appendleft",
        "setdefault",
        "add",
        "clear",
        "remove",
        "reverse",
        "sort",
        "popitem",
        "register_buffer",
        "add_module",
        "register_forward_hook",
        "register_forward_pre_hook",
    }
)


@dataclass(frozen=True, slots=True)
class Slice:
    """The statements to interpret, the returns among them whose value nobody asks for, and the names that they read."""

    statements: frozenset[ast.stmt]
    bare: frozenset[ast.stmt]
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Words:
    """What the expressions of one statement say, as they are read."""

    reads: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    proves: set[str] = field(default_factory=set)
    given: dict[str, set[str]] = field(default_factory=dict)
    holds: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Piece:
    """One statement: what its own expressions read and write, and the statement that holds it."""

    node: ast.stmt
    parent: ast.stmt | None
    reads: frozenset[str]
    used: frozenset[str]
    """What it reads but for that of which only an attribute is read."""
    writes: frozenset[str]
    changes: frozenset[str]
    """The variables whose objects it changes without binding them."""
    proves: frozenset[str]
    """The variables of which it tells something: their number of dimensions."""
    given: Mapping[str, Set[str]]
    """The variables that it hands to a function, by the function's name."""
    holds: frozenset[tuple[str, str]]
    """The variables that it makes a view of another, or what holds it, each with that one."""
    seen: frozenset[str] = frozenset()
    """All that it reads, asked for or not."""
    seed: bool = False
    mentions: bool = False
    bare: bool = False
    follows: bool = False
    """Kept for what it does with the result of a KL call: it asks for nothing itself, unless something needs it."""

    def anew(self) -> Piece:
        """The same, of which nothing is decided."""
        told = (self.reads, self.used, self.writes, self.changes, self.proves, self.given, self.holds)
        return Piece(self.node, self.parent, *told)


@dataclass(frozen=True, slots=True)
class FunctionWords:
    """The names that a function says, but for those of which only an attribute is read, and those of the functions
    that it hands a variable to.
    """

    said: frozenset[str]
    handed_to: frozenset[str]


class Changers:
    """Which functions at the top of a file may change what they are given: of those that are asked for."""

    __slots__ = ("_functions", "_known")

    def __init__(self, body: Iterable[ast.stmt]) -> None:
        self._functions = {one.name: one for one in body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
        self._known: dict[str, bool] = {}

    def among(self, names: Iterable[str]) -> frozenset[str]:
        """The names of those that may change an object that they are given, themselves or by another function that
        they hand it on to.
        """
        asked = [name for name in names if name in self._functions]
        new = [name for name in asked if name not in self._known]
        if new:
            self._find_out(new)
        return frozenset(name for name in asked if self._known[name])

    def _find_out(self, waiting: list[str]) -> None:
        changed: list[str] = []
        handed: dict[str, list[str]] = {}
        """For each function, those that hand it what they are given."""
        while waiting:
            name = waiting.pop()
            if name in self._known or name not in self._functions:
                continue
            self._known[name] = False
            parameters = parameter_names(self._functions[name].args)
            for piece in pieces_of(self._functions[name]):
                if not parameters.isdisjoint(piece.changes):
                    changed.append(name)
                for other, names in piece.given.items():
                    if not parameters.isdisjoint(names):
                        handed.setdefault(other, []).append(name)
                        waiting.append(other)
        changed += (name for other, names in handed.items() if self._known.get(other) for name in names)
        while changed:
            name = changed.pop()
            if not self._known[name]:
                self._known[name] = True
                changed += handed.get(name, ())


def slice_of(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    relevant: frozenset[str],
    receiver: str | None,
    *,
    value: bool,
    own: frozenset[str] = frozenset(),
    changers: Changers | None = None,
) -> Slice:
    """The slice of a function's body. `relevant` are the names that matter everywhere, `own` those that do in this
    function. `value`: what it returns is asked for. `changers`: the functions that may change what they are given.
    """
    words = words_of(function)
    names = words.said & relevant | words.said & own  # of very many, a function says few
    changing = changers.among(words.handed_to) if changers is not None else frozenset()
    return sliced(function, names, receiver, value, changing)


@lru_cache(maxsize=MOST_KEPT)
def words_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> FunctionWords:
    """What the statements of a function say, taken together."""
    pieces = pieces_of(function)
    return FunctionWords(
        frozenset(name.lstrip(".") for piece in pieces for name in piece.used | piece.writes),
        frozenset(name for piece in pieces for name in piece.given),
    )


@lru_cache(maxsize=MOST_KEPT)
def sliced(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    relevant: frozenset[str],
    receiver: str | None,
    value: bool,
    changing: frozenset[str],
) -> Slice:
    """The slice of a function's body: `relevant` are names that it says, `changing` functions that it calls. Kept for
    a while: as more becomes relevant elsewhere, most functions are asked for again with the same names.
    """
    pieces = {piece.node: piece.anew() for piece in pieces_of(function)}
    for piece in pieces.values() if changing else ():
        changed = frozenset(name for one, names in piece.given.items() if one in changing for name in names)
        piece.writes |= changed
        piece.changes |= changed
    write_through_held(pieces.values())
    relevant = with_nested(pieces.values(), relevant)
    write_through_nested(pieces.values())
    for piece in pieces.values():
        judge(piece, relevant, receiver, value=value)
    bound = {name for piece in pieces.values() for name in piece.writes - piece.changes}
    for piece in pieces.values():
        # What the function did not make belongs to somebody else, who sees the change.
        piece.seed = piece.seed or any(
            name and not name.startswith(".") and name not in bound for name in piece.changes
        )
    follow(pieces.values())
    return closed(pieces)


def closed(pieces: Mapping[ast.stmt, Piece]) -> Slice:
    """Those of the pieces that are seeds, and all that these need."""
    writers: dict[str, list[ast.stmt]] = {}
    for piece in pieces.values():
        for name in piece.writes | piece.proves:
            writers.setdefault(name, []).append(piece.node)
    followers = {piece.node for piece in pieces.values() if piece.follows}
    needed: set[ast.stmt] = set()
    wanted: set[str] = set()
    waiting = [piece.node for piece in pieces.values() if piece.seed and not piece.follows]
    holders = (pieces[node].parent for node in followers)
    waiting += (node for node in holders if node is not None and node not in followers)
    assertions = [node for node in pieces if isinstance(node, ast.Assert)]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            piece = pieces[node]
            if piece.parent is not None:
                waiting.append(piece.parent)
            for name in piece.reads - wanted:
                waiting.extend(writers.get(name, ()))
            wanted |= piece.reads
        if not waiting:
            waiting.extend(
                asserted
                for asserted in assertions
                if asserted not in needed and not pieces[asserted].reads.isdisjoint(wanted)
            )
    needed |= followers
    bare = frozenset(node for node in needed if pieces[node].bare)
    return Slice(frozenset(needed), bare, frozenset(wanted))


def with_nested(pieces: Iterable[Piece], relevant: frozenset[str]) -> frozenset[str]:
    """The relevant names, and those of functions in the body that mention one."""
    nested = [
        piece for piece in pieces if isinstance(piece.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    for _ in nested:
        more = frozenset(
            getattr(piece.node, "name", "")
            for piece in nested
            if any(name.lstrip(".") in relevant for name in piece.used)
        )
        if more <= relevant:
            break
        relevant |= more
    return relevant


def write_through_nested(pieces: Iterable[Piece]) -> None:
    """Whatever mentions a function of the body writes what that function does: what it declares `nonlocal` or `global`,
    and what it changes without binding it.
    """
    outward: dict[str, set[str]] = {}
    for piece in pieces:
        match piece.node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                outward[name] = written_outside(piece)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                outward[name] = written_outside(piece)
            case _:
                pass
    if any(outward.values()):
        for piece in pieces:
            for name in piece.reads & outward.keys():
                piece.writes |= outward[name]


def write_through_held(pieces: Iterable[Piece]) -> None:
    """Whatever makes a view of a variable, or a list that holds it, writes that variable too, where the view or the
    list is changed.
    """
    holders = [piece for piece in pieces if piece.holds]
    changed = {name for piece in pieces for name in piece.changes} if holders else set()
    reached = holders
    while reached:
        reached = [piece for piece in holders if any(name in changed for name, _ in piece.holds)]
        for piece in reached:
            held = {one for _, one in piece.holds}
            piece.reads |= {name for name, _ in piece.holds}
            piece.writes |= held
            changed |= held  # of which that may be a view in its turn
            holders.remove(piece)


def written_outside(piece: Piece) -> set[str]:
    """What a function writes of the body around it."""
    declared: set[str] = set()
    bound: set[str] = set()
    for node in walk(piece.node):
        match node:
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                declared.update(names)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                bound.add(name)
            case _:
                pass
    own = getattr(piece.node, "name", "")
    return declared | {name for name in piece.changes - bound if name and name != own}


def follow(pieces: Iterable[Piece]) -> None:
    """Keep what is done with the result of a KL call too; what else such a statement reads is not asked for."""
    ordered = list(pieces)
    results = {
        name for piece in ordered if piece.mentions and isinstance(piece.node, ASSIGNMENTS) for name in piece.writes
    }
    changed = bool(results)
    while changed:
        changed = False
        for piece in ordered:
            if (
                (piece.bare or not piece.seed)
                and not results.isdisjoint(piece.seen)
                and isinstance(piece.node, (*ASSIGNMENTS, ast.Return, ast.Expr, ast.For))
            ):
                piece.seed, piece.bare, piece.follows, changed = True, False, True, True
                results |= piece.writes


@lru_cache(maxsize=MOST_KEPT)
def pieces_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[Piece, ...]:
    """Every statement of a function, those within statements included. Kept for a while: the same function is sliced
    for one reason after the other, and in the same file for one caller after the other.
    """
    return tuple(collected(function.body, None))


def collected(body: Sequence[ast.stmt], parent: ast.stmt | None) -> Iterator[Piece]:
    """Every statement of a body, those within statements included."""
    for statement in body:
        words = Words()
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                words.writes.add(statement.name)
                read(statement, words)
            case ast.If() | ast.While():
                read(statement.test, words)
                yield from collected([*statement.body, *statement.orelse], statement)
            case ast.For() | ast.AsyncFor():
                read(statement.iter, words)
                read(statement.target, words)
                if changed_by_turns(statement):  # what it goes through, under another name
                    things = {root_of(thing) for _, thing in gone_through(statement.target, statement.iter)}
                    words.reads.update(words.writes)
                    words.writes.update(things)
                    words.changes.update(things)
                yield from collected([*statement.body, *statement.orelse], statement)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    read(item, words)
                yield from collected(statement.body, statement)
            case ast.Try():
                handlers = [inner for handler in statement.handlers for inner in handler.body]
                yield from collected([*statement.body, *statement.orelse, *statement.finalbody, *handlers], statement)
            case ast.Match():
                read(statement.subject, words)
                for case in statement.cases:
                    read(case.pattern, words)
                    if case.guard is not None:
                        read(case.guard, words)
                    yield from collected(case.body, statement)
            case ast.Import() | ast.ImportFrom():
                words.writes.update(alias.asname or alias.name.partition(".")[0] for alias in statement.names)
            case _ if hasattr(ast, "TryStar") and isinstance(statement, ast.TryStar):
                handlers = [inner for handler in statement.handlers for inner in handler.body]
                yield from collected([*statement.body, *statement.orelse, *statement.finalbody, *handlers], statement)
            case _:
                read(statement, words)
        yield Piece(
            statement,
            parent,
            frozenset(words.reads),
            frozenset(words.used),
            frozenset(words.writes),
            frozenset(words.changes),
            frozenset(words.proves),
            words.given,
            frozenset(words.holds),
        )


@lru_cache(maxsize=MOST_KEPT)
def changed_by_turns(loop: ast.For | ast.AsyncFor) -> frozenset[str]:
    """The names that a loop gives to what it goes through, and through which its body changes that."""
    pieces = list(collected(loop.body, None))
    changed = frozenset(name for piece in pieces for name in piece.changes)
    bound = frozenset(name for piece in pieces for name in piece.writes - piece.changes)
    return frozenset(node.id for node in walk(loop.target) if isinstance(node, ast.Name)) & changed - bound


def gone_through(target: ast.expr, iterated: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each name of a loop with what it goes through: itself, or what stands in a literal, or behind `enumerate`."""
    match target, iterated:
        case _, ast.Tuple(elts=things) | ast.List(elts=things):
            yield from ((target, thing) for thing in things)
        case ast.Tuple(elts=[_, second]), ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
            yield from gone_through(second, inner)
        case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=things) if len(targets) == len(things):
            for one, thing in zip(targets, things, strict=True):
                yield from gone_through(one, thing)
        case ast.Tuple(elts=[_, second]), ast.Call(func=ast.Attribute(value=base, attr="items")):
            yield second, base
        case _, ast.Call(func=ast.Attribute(value=base, attr="values")):
            yield target, base
        case _, ast.Call(func=ast.Name(id="reversed" | "list" | "tuple" | "sorted"), args=[inner, *_]):
            yield from gone_through(target, inner)
        case _:
            yield target, iterated


SPEAKING = frozenset(
    {
        ast.Name,
        ast.Attribute,
        ast.Subscript,
        ast.Call,
        ast.MatchAs,
        ast.MatchStar,
        ast.AugAssign,
        ast.keyword,
        ast.Expr,
        ast.Assign,
    }
)
"""The nodes that read or write a name."""


def read(node: ast.AST, words: Words) -> None:
    """Collect the names of an expression: `x` as itself, the attribute of `a.x` as `.x`."""
    nodes = walk(node)
    owners = only_owners(nodes)
    for child in nodes:
        if child.__class__ not in SPEAKING:
            continue
        match child:
            case ast.Name(id=name, ctx=ast.Load()):
                words.reads.add(name)
                if id(child) not in owners:
                    words.used.add(name)
            case ast.Name(id=name):
                words.writes.add(name)
            case ast.Attribute(attr=attr, ctx=ast.Load()):
                words.reads.add(f".{attr}")
                if id(child) not in owners:
                    words.used.add(f".{attr}")
            case ast.Attribute(value=base):
                words.writes.update((root_of(child), root_of(base)))  # whoever is given the object sees it too
                words.changes.add(root_of(base))
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str() as attr), *_]):
                words.reads.add(f".{attr}")
                words.used.add(f".{attr}")
            case ast.Call(func=ast.Name(id="setattr"), args=[base, ast.Constant(value=str() as attr), *_]):
                words.writes.update((f".{attr}", root_of(base)))
            case ast.keyword(arg="out", value=base):
                words.writes.add(root_of(base))
            case ast.Subscript(value=base, ctx=ast.Store() | ast.Del()):
                words.writes.add(root_of(base))
                words.changes.add(root_of(base))
            case ast.Call(func=ast.Attribute(value=base, attr=attr), args=arguments) if mutates(attr):
                words.writes.update(root_of(changed) for changed in (base, *arguments[:1]))
                words.changes.add(root_of(base))
            case ast.Call(func=function, args=[changed, *_]) if works_in_place(child) or (
                isinstance(function, ast.Call) and works_in_place(function)
            ):
                words.writes.add(root_of(changed))
                words.changes.add(root_of(changed))
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr=attr), args=arguments)):
                words.writes.add(root_of(base))
                if attr not in REPORTING:  # it may change what it is given
                    words.writes.update(given.id for given in arguments if isinstance(given, ast.Name))
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=arguments)) if name not in BUILTINS:
                roots = {root_of(given) for given in arguments if isinstance(given, (ast.Name, ast.Attribute))}
                words.writes.update(roots)  # which it may change
                words.changes.update(roots)
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments) if name not in BUILTINS:
                given = words.given.setdefault(name, set())
                given.update(root_of(one) for one in arguments if isinstance(one, (ast.Name, ast.Attribute)))
            case ast.Assign(
                targets=[ast.Tuple() | ast.List()],
                value=ast.Attribute(value=base, attr="shape")
                | ast.Call(func=ast.Attribute(value=base, attr="size"), args=[]),
            ):
                words.proves.add(root_of(base))
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Name()
                | ast.Attribute()
                | ast.Subscript(slice=ast.Constant(value=str()))
                | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str()), *_]) as other,
            ):
                words.reads.add(name)  # another name of the same object: what is done to it in place is done to both
                words.writes.add(root_of(other))
            case ast.Assign(targets=[_, _, *_] as targets):  # several names of one object
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                words.holds.update((one, other) for one in names for other in names if one != other)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=items) | ast.List(elts=items)):
                words.holds.update((name, item.id) for item in items if isinstance(item, ast.Name))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                root = viewed(value)
                if root is not value and isinstance(root, ast.Name):
                    words.holds.add((name, root.id))
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                words.writes.add(name)
            case ast.AugAssign(target=target):
                words.reads.add(root_of(target))
                words.changes.add(root_of(target))
            case _:
                pass


def works_in_place(call: ast.Call) -> bool:
    """Whether a call, or the module that it builds, is told to write its result over its operand."""
    return any(keyword.arg == "inplace" for keyword in call.keywords)


def mutates(method: str) -> bool:
    """Whether a method may change its object."""
    return method in MUTATORS or (method.endswith("_") and not method.endswith("__"))


def root_of(node: ast.AST) -> str:
    """The name that a write through `node` changes: the variable, or the last attribute of a chain."""
    while True:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=base, attr="data"):
                node = base
            case ast.Attribute(attr=attr):
                return f".{attr}"
            case ast.Subscript(value=base) | ast.Call(func=ast.Attribute(value=base)) | ast.Starred(value=base):
                node = base
            case _:
                return ""


def judge(piece: Piece, relevant: frozenset[str], receiver: str | None, *, value: bool) -> None:
    """Decide whether a statement is needed for its own sake."""
    mentions = any(name.lstrip(".") in relevant for name in piece.used) or any(
        name in relevant for name in piece.writes
    )
    node = piece.node
    piece.mentions = mentions
    piece.seen = piece.reads
    match node:
        case ast.Return():
            piece.seed = True
            if not value and not mentions:
                piece.bare = True
                piece.reads = frozenset()
        case ast.Raise() | ast.Break() | ast.Continue():
            piece.seed = True
            piece.reads = frozenset()
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            piece.seed = True
            piece.reads = frozenset(names)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr))) if (
            name == receiver or attr == "__init__"
        ):
            piece.seed = True
        case ast.Expr(value=ast.Call(args=arguments)) if receiver is not None and any(
            isinstance(argument, ast.Name) and argument.id == receiver for argument in arguments
        ):
            piece.seed = True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr=attr))) if (
            receiver is not None and attr not in REPORTING and sets_on(base, receiver)
        ):
            piece.seed = True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))))):
            piece.seed = True
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), *_])) if name == receiver:
            piece.seed = True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="step"))) if not mentions:
            piece.seed = True  # it changes what is trained
            piece.reads = frozenset()
        case ast.Expr(value=ast.Yield() | ast.YieldFrom() | ast.Await(value=ast.Yield())):
            piece.seed = True
        case ast.Assign(targets=targets) if receiver is not None and any(
            sets_on(target, receiver) for target in targets
        ):
            piece.seed = True
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target) if receiver is not None and sets_on(
            target, receiver
        ):
            piece.seed = True
        case _:
            piece.seed = mentions


def sets_on(target: ast.expr, receiver: str) -> bool:
    """Whether a target is an attribute of the receiver, or of what one of these holds."""
    match target:
        case ast.Attribute(value=ast.Name(id=name)):
            return name == receiver
        case ast.Attribute(value=ast.Attribute() as base):
            return sets_on(base, receiver)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            return any(sets_on(inner, receiver) for inner in targets)
        case ast.Subscript(value=base):
            return sets_on(base, receiver)
        case _:
            return False
