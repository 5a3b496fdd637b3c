"""What torch sees of a KL call when a program runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as functional
from torch.overrides import TorchFunctionMode

from kl_lint.flow.kl_call import Reduction, Site
from tests.flow.programs import INDICES, LOGITS, LOG_PROBS, PROBS, UNKNOWN, Case, Row, rows_at


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


def agrees(example: Case, sites: list[Site]) -> None:
    """Every call that torch sees in the runs of a case is a row of its site, and every row is seen."""
    seen = run(example)
    assert seen, "nothing ran"
    unseen = {(site.span, row) for site in sites for row in rows_at(site)}
    for call in seen:
        here = [site for site in sites if site.span.row <= call.line <= site.span.end_row]
        rows = [(site.span, row) for site in here for row in rows_at(site) if call.allows(row)]
        assert rows or example.silent, f"torch saw {call}; no row says so"
        unseen.difference_update(rows)
    assert not unseen or example.loose, f"never seen: {unseen}"
