"""Small programs, what the analysis says of their KL calls, and what torch sees when they run.

A row is (space of the input, space of the target, reduction, log_target) of one KL call. A case is checked twice: the analysis must find
exactly the rows written, and every call that torch sees in a run must be one of them, at that place in the text. So no row
stands in a table because the analysis happens to say so.
"""

from __future__ import annotations

import ast
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as functional
from torch.overrides import TorchFunctionMode

from kl_lint.flow import Facts, analyse
from kl_lint.flow.kl_call import Context, KLCall, Kind, Reduction, Site
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
    "case",
    "check",
    "constructions",
    "facts_of",
    "only_call",
    "rows_of",
]  # fmt: skip

LOG_PROBS, PROBS, LOGITS, INDICES, UNKNOWN = (space.value for space in Space)
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


# --- what torch sees ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Seen:
    """One KL call as torch ran it: the line of the program, and what every fact may truthfully say."""

    line: int
    input: frozenset[str]
    target: frozenset[str]
    reductions: frozenset[str]
    log_target: bool

    def allows(self, row: Row) -> bool:
        """Whether a row is true of this call, or says nothing of it."""
        return (
            row[0] in self.input
            and row[1] in self.target
            and row[2] in self.reductions
            and row[3] in (self.log_target, None)
        )


def spaces(tensor: torch.Tensor) -> frozenset[str]:
    """What may truthfully be said of a tensor's space."""
    if not tensor.is_floating_point():
        return frozenset({UNKNOWN, INDICES})
    found = {UNKNOWN}
    if bool((tensor >= 0).all()) and bool((tensor <= 1 + 1e-6).all()):
        found.add(PROBS)
    if bool((tensor <= 1e-6).all()):
        found.add(LOG_PROBS)
    if bool((tensor == tensor.round()).all()):
        found.add(INDICES)
    return frozenset(found if found != {UNKNOWN} else {UNKNOWN, LOGITS})


def reductions(value: torch.Tensor, pointwise: torch.Tensor, batch: int) -> frozenset[str]:
    """The reductions that give this value."""
    candidates = {
        Reduction.NONE: pointwise,
        Reduction.MEAN: pointwise.mean(),
        Reduction.SUM: pointwise.sum(),
        Reduction.BATCHMEAN: pointwise.sum() / batch,
        Reduction.MEAN_THEN_BATCH: pointwise.mean() / batch,
        Reduction.NONE_THEN_BATCH: pointwise / batch,
    }
    same = [
        reduction.value
        for reduction, candidate in candidates.items()
        if candidate.shape == value.shape and torch.allclose(candidate, value, rtol=1e-9, equal_nan=True)
    ]
    return frozenset({*same, Reduction.UNKNOWN.value})


class Witness(TorchFunctionMode):
    """Sees every KL call of the code compiled under `filename`."""

    def __init__(self, filename: str) -> None:
        super().__init__()
        self.filename = filename
        self.seen: list[Seen] = []

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not functional.kl_div and func is not torch.kl_div:
            return func(*args, **kwargs)
        given = dict(zip(("input", "target"), args, strict=False)) | kwargs
        line = self.line()
        try:
            value = func(*args, **kwargs)
        except (TypeError, ValueError):
            names = frozenset({Reduction.INVALID.value, Reduction.UNKNOWN.value})
            self.seen.append(Seen(line, spaces(given["input"]), spaces(given["target"]), names, False))
            raise
        log_target = given.get("log_target", False)
        pointwise = torch.kl_div(given["input"], given["target"], 0, log_target=log_target)
        names = reductions(value, pointwise, given["input"].shape[0])
        self.seen.append(Seen(line, spaces(given["input"]), spaces(given["target"]), names, log_target))
        return value

    def line(self) -> int:
        """The line of the program that makes the present call."""
        frame = sys._getframe()
        while frame.f_back is not None and frame.f_code.co_filename != self.filename:
            frame = frame.f_back
        return frame.f_lineno


def arguments() -> dict[str, torch.Tensor]:
    """The tensors that a run may name. Rectangular, so that no two reductions agree."""
    generator = torch.Generator().manual_seed(20)
    x, y, z, v = (
        3 * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((4, 5), (4, 5), (2, 3, 5), (5,))
    )
    return {
        "x": x, "y": y, "z": z, "v": v, "i": torch.tensor([1, 4, 0, 2]), "m": torch.arange(20).reshape(4, 5) % 3 == 0,
    }  # fmt: skip


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that misuse provokes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def module() -> Iterator[dict[str, Any]]:
    """The namespace of a module that exists for a moment (dataclasses look theirs up)."""
    program = ModuleType("program")
    sys.modules["program"] = program
    try:
        yield vars(program)
    finally:
        del sys.modules["program"]


def run(example: Case) -> list[Seen]:
    """Every KL call that torch sees in the runs of a case."""
    witness = Witness(f"<{example.name}>")
    with quiet(), module() as namespace, witness:
        exec(compile(example.source, witness.filename, "exec"), namespace)
        for expression in example.runs:
            try:
                eval(expression, namespace | arguments())
            except (TypeError, ValueError):
                if not any(Reduction.INVALID.value in seen.reductions for seen in witness.seen):
                    raise
    return witness.seen


# --- both together --------------------------------------------------------------------------------------------------


def check(example: Case) -> None:
    """The analysis finds the rows written, and torch agrees."""
    facts = facts_of(example.source)
    sites = calls_in(facts)
    found = [row for site in sites for row in rows_at(site)]
    assert sorted(found, key=str) == sorted(example.rows, key=str)
    assert facts.complete
    if example.runs:
        seen = run(example)
        assert seen, "nothing ran"
        agrees(example, sites, seen)


def agrees(example: Case, sites: list[Site], seen: list[Seen]) -> None:
    """Every call that torch saw is a row of its site, and every row was seen."""
    unseen = {(site.span, row) for site in sites for row in rows_at(site)}
    for call in seen:
        here = [site for site in sites if site.span.row <= call.line <= site.span.end_row]
        rows = [(site.span, row) for site in here for row in rows_at(site) if call.allows(row)]
        assert rows or example.silent, f"torch saw {call}; no row says so"
        unseen.difference_update(rows)
    assert not unseen or example.loose, f"never seen: {unseen}"
