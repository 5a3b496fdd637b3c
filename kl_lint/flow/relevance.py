"""Which definitions of a file can have to do with a KL call: the others are interpreted only when something calls them.

The search is over names, and generous: a name that may stand for a KL divergence, for an object or function that
computes one, or for a function whose parameters reach one, makes whatever reads it relevant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from kl_lint.flow.lines import whole
from kl_lint.flow.slicing import slice_of
from kl_lint.flow.source import Source
from kl_lint.flow.survey import (
    COMMON,
    FUNCTIONS,
    SEEDS,
    Alias,
    Definition,
    Survey,
    carried,
    may_make,
    names_read,
    nodes_near,
    plain,
    row_of,
    surveyed,
)
from kl_lint.flow.syntax import nodes_of, walk

__all__ = ["Concern", "Relevant", "concerns_callers", "names_for", "registries", "relevant_names"]

UNREDUCED = ('"none"', "'none'", "torch.kl_div")
"""What a text says that leaves a divergence unreduced, so that callers may average it; so does the word `reduce`."""


class Concern(Enum):
    """Why those who use a function are relevant too."""

    TAKES_PART = "what they pass or do with the result decides about a divergence"
    HANDS_OUT = "what it returns computes a divergence"


@dataclass(frozen=True, slots=True)
class Relevant:
    """The names whose mention makes a piece of code relevant; `near` are those of divergences themselves, `makers` also
    those of what hands one out, the others those of functions and classes that use one. Variables of functions are
    among them, as `survey` names them.
    """

    names: frozenset[str]
    makers: frozenset[str]
    near: frozenset[str]

    def and_also(self, names: frozenset[str]) -> Relevant:
        """With further names of divergences."""
        return Relevant(self.names | names, self.makers | names, self.near | names)


def relevant_names(source: Source, seeds: frozenset[str] = SEEDS) -> Relevant:
    """The names whose mention makes a piece of code relevant: closed under assignment, class membership, and under
    definition where callers matter.
    """
    survey = surveyed(source)
    text = whole(source.lines)
    unreduced = any(said in text for said in UNREDUCED) or bool(survey.rows(("reduce",)))
    reached: dict[str, bool] = {}
    """By name, whether calling what it stands for makes an object that computes a divergence."""
    told: set[Definition] = set()
    similar = survey.alike(seeds) - {definition.node.name for definition in survey.definitions}
    waiting = [(word, may_make(word)) for word in sorted(similar | seeds)]
    near = makers = frozenset[str]()
    later: dict[Definition, None] = {}
    """Those whose users take part in what is computed, after all those that hand out what computes it."""
    while waiting or later:
        if not waiting:
            makers = makers or frozenset(reached)
            waiting = [word for definition in later for word in handed_on(definition, makes=False)]
            later.clear()
        new = spread(waiting, survey, reached)
        near = near or frozenset(reached)
        waiting = []
        for definition in survey.readers(frozenset(new)):
            if definition in told:
                continue
            match concerns_callers(definition, reached, unreduced=unreduced):
                case Concern.HANDS_OUT:
                    told.add(definition)
                    waiting.extend(handed_on(definition, makes=True))
                case Concern.TAKES_PART:
                    told.add(definition)
                    later[definition] = None
                case None:
                    pass
    names = frozenset(reached)
    makers = makers or names
    outward = (ast.Global, ast.Nonlocal)
    nodes = nodes_near(("global", "nonlocal"), source)
    writers = {n.name for n in nodes if isinstance(n, FUNCTIONS) and any(isinstance(s, outward) for s in n.body)}
    return Relevant(names | writers, makers | writers, near | writers)


def names_for(words: frozenset[str], source: Source, *, makers: bool = False) -> frozenset[str]:
    """The names under which a file knows what goes by `words`, there or elsewhere, or what calling it makes: where a
    word says so itself, or all are known for `makers`.
    """
    reached: dict[str, bool] = {}
    spread([(word, makers or may_make(word)) for word in sorted(words)], surveyed(source), reached)
    return frozenset(reached)


def seen_from(row: int, words: Iterable[str]) -> frozenset[str]:
    """Of some names, those that mean the same in the function that begins on a row, as they stand there."""
    return frozenset(plain(word) for word in words if row_of(word) in (0, row))


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


def spread(words: Iterable[tuple[str, bool]], survey: Survey, reached: dict[str, bool]) -> list[str]:
    """Add to `reached` all names that can stand for what the words stand for (and whether calling it makes an object
    that computes a divergence); gives those that are new there.
    """
    waiting = list(words)
    tables: dict[str, list[Alias]] = {}
    for name, table in registries(survey.definitions):
        tables.setdefault(name, []).append(Alias(table, called=False))
    new: list[str] = []
    while waiting:
        fresh = [(word, makes) for word, makes in waiting if makes > reached.get(word, -1)]
        aliases = survey.aliases(word for word, _ in fresh)
        waiting = []
        for word, makes in fresh:
            if makes > reached.get(word, -1):
                reached[word] = makes
                new.append(word)
                for alias in (*aliases.get(word, ()), *tables.get(word, ())):
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
    seen = seen_from(node.lineno, reached)
    makers = seen_from(node.lineno, (word for word, makes in reached.items() if makes))
    arguments = node.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    parameters = [parameter.arg for parameter in listed if parameter is not None]
    receiver = parameters[0] if definition.owner is not None and parameters else None
    within = slice_of(node, seen, receiver, value=False)
    returned = [one.value for one in within.statements if isinstance(one, ast.Return) and one not in within.bare]
    if any(value is not None and hands_out(value, seen, makers) for value in returned) or closes_over(node, seen):
        return Concern.HANDS_OUT
    passed = parameters if len(parameters) == 1 else [name for name in parameters if name != receiver]
    if (unreduced and returned) or not within.reads.isdisjoint(passed):
        return Concern.TAKES_PART
    return None


def hands_out(value: ast.expr, seen: frozenset[str], makers: frozenset[str]) -> bool:
    """Whether a returned expression may be something that computes a divergence."""
    return any(word in (makers if called else seen) for word, called in carried(value))


def closes_over(function: ast.FunctionDef | ast.AsyncFunctionDef, seen: frozenset[str]) -> bool:
    """Whether a function within a function reads a relevant name, or values are yielded."""
    for node in nodes_of(function):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if (
            isinstance(node, (*FUNCTIONS, ast.Lambda))
            and node is not function
            and not names_read(node).isdisjoint(seen)
        ):
            return True
    return False
