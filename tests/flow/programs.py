"""Small programs, what the analysis says of their KL calls, and what torch sees when they run.

A row is (space of the input, space of the target, reduction, log_target) of one KL call. A case is checked twice: the analysis must find
exactly the rows written, and every call that torch sees in a run must be one of them, at that place in the text. So no row
stands in a table because the analysis happens to say so.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from kl_lint.flow import Facts, analyse
from kl_lint.flow.kl_call import Context, KLCall, Kind, Site
from kl_lint.flow.values import Space

__all__ = [
    "GOOD",
    "INDICES",
    "LOGITS",
    "LOG_PROBS",
    "PRELUDE",
    "PROBS",
    "UNKNOWN",
    "Case",
    "Row",
    "asks_torch",
    "case",
    "check",
    "constructions",
    "facts_of",
    "only_call",
    "rows_of",
]  # fmt: skip

LOG_PROBS, PROBS, LOGITS, INDICES, UNKNOWN = (space.value for space in Space)
TORCH = find_spec("torch") is not None
"""Whether torch can be asked. Without it (there is none for every Python) a case is held against its rows alone."""
asks_torch = pytest.mark.skipif(not TORCH, reason="there is no torch to ask")

Row = tuple[str, str, str, bool | None]
GOOD: Row = (LOG_PROBS, PROBS, "batchmean", False)

PRELUDE = """\
import torch
import torch.nn as nn
import torch.nn.functional as F
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A program, the rows of its KL calls, and the expressions that run it.

    The expressions may name the program's own names and `x`, `y` (logits [4, 5]), `z` ([2, 3, 5]), `v` ([5]), `i` (indices [4]), `m` (a mask [4, 5]).
    `silent`: torch sees calls that the analysis leaves alone. `loose`: not every row need be seen in a run.
    """

    name: str
    source: str
    rows: tuple[Row, ...]
    runs: tuple[str, ...]
    silent: bool = False
    loose: bool = False


def case(
    name: str,
    source: str,
    rows: list[Row],
    *runs: str,
    prelude: str = PRELUDE,
    silent: bool = False,
    loose: bool = False,
) -> Case:
    """A case; `loss(x, y)` runs it unless told otherwise, and an empty run says that it cannot run."""
    expressions = tuple(run for run in (runs or ("loss(x, y)",)) if run)
    return Case(name, prelude + textwrap.dedent(source), tuple(rows), expressions, silent, loose)


# --- what the analysis says -----------------------------------------------------------------------------------------


def facts_of(source: str, *, handwritten: bool = False) -> Facts:
    """The facts of a text."""
    return analyse(ast.parse(source), source.splitlines(), "<program>", handwritten=handwritten)


def rows_at(site: Site) -> set[Row]:
    """The rows of one call. A function entered with nothing known has no say where its callers are known."""
    called: list[Context] = [context for context in site.contexts if not context.entry]
    return {row_of(call) for context in called or site.contexts for call in context.variants}


def row_of(call: KLCall) -> Row:
    """One path's row."""
    assert call.input is not None
    assert call.target is not None
    return call.input.value.space.value, call.target.value.space.value, call.reduction.value, call.log_target


def calls_in(facts: Facts) -> list[Site]:
    """The sites that are calls of a divergence."""
    return [site for site in facts.sites if site.kind is not Kind.CONSTRUCTION]


def constructions(source: str) -> list[tuple[int, str, bool | None]]:
    """Every construction of a KLDivLoss, on every path: (row of the text, reduction, log_target)."""
    sites = [site for site in facts_of(source).sites if site.kind is Kind.CONSTRUCTION]
    found = [call for site in sites for context in site.contexts for call in context.variants]
    return sorted({(call.span.row, call.reduction.value, call.log_target) for call in found}, key=str)


def rows_of(source: str) -> list[Row]:
    """The rows of all KL calls of a text."""
    return [row for site in calls_in(facts_of(source)) for row in sorted(rows_at(site), key=str)]


def only_call(source: str) -> KLCall:
    """The single KL call of a text, reached on a single path."""
    (site,) = calls_in(facts_of(source))
    called = [context for context in site.contexts if not context.entry] or site.contexts
    (call,) = [call for context in called for call in context.variants]
    return call


# --- what a test asks -----------------------------------------------------------------------------------------------


def check(example: Case) -> None:
    """The analysis finds the rows written, and torch agrees, where there is a torch for this Python."""
    facts = facts_of(example.source)
    sites = calls_in(facts)
    found = [row for site in sites for row in rows_at(site)]
    assert sorted(found, key=str) == sorted(example.rows, key=str)
    assert facts.complete
    if example.runs and TORCH:
        from tests.flow.witness import agrees

        agrees(example, sites)
