"""Holds what the analysis claims of a tensor against what torch computes.

A *case* is a piece of Python whose last line is an expression; its other names are

    x, y    logits                      [2, 3, 4], float64
    p, q    softmax of x, of y          over the dim of the ground
    l, k    log_softmax of x, of y      over the same dim
    i       indices below 2             [2, 3]
    m       a mask, a chequerboard      [2, 3, 4]

A `Ground` says what the analysis may know beforehand: the dim, how it is written, and whether the rank of x is proved. A case on a ground is one
program, which torch runs and the analysis reads.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

import torch
from torch import Tensor

from kl_lint.flow import analyse
from kl_lint.flow.kl_call import Distribution
from kl_lint.flow.values import Mass, Space

SHAPE = (2, 3, 4)
PRESUMED = frozenset({"x / x.sum()", "normalize"})
"""Steps at which a tensor of which nothing is known is taken for counts or scores of at least zero, which is what its author divides by a sum."""
TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 3e-2}
"""How far from one a sum may lie: rounding, and epsilons up to 1e-6."""

HEAD = """
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import distributions
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a case stands on: `dim` as it is written, and the expression for x, which the analysis reads (None: x is a parameter)."""

    dim: int = 2
    x: str | None = None
    shape: tuple[int, ...] = SHAPE

    def __str__(self) -> str:
        return f"dim {self.dim} of {'x' if self.x is None else self.x.partition('(')[0]}{list(self.shape)}"


PROVED = "torch.randn(2, 3, 4, dtype=torch.float64)"
"""Scores whose rank is proved."""
RANKED = tuple(Ground(dim, PROVED) for dim in (0, 1, 2, -1))
GIVEN = tuple(Ground(dim) for dim in (0, 1, 2, -1, -2))
GROUNDS = (*RANKED, *GIVEN)


class Refused(Exception):
    """torch does not run this case."""


@lru_cache(maxsize=4096)
def program(case: str, ground: Ground, *, call: bool) -> str:
    """The program of a case: `call` adds the KL call that the analysis reads, and torch does without."""
    *statements, expression = case.strip("\n").split("\n")
    lines = [
        "x, y, i, m = given()",
        *([f"x = {ground.x}", f"y = {ground.x}"] if ground.x is not None else []),
        f"p = F.softmax(x, {ground.dim})",
        f"q = F.softmax(y, {ground.dim})",
        f"l = F.log_softmax(x, {ground.dim})",
        f"k = F.log_softmax(y, {ground.dim})",
        *statements,
        f"result = {expression}",
        *(["F.kl_div(result, y)"] if call else []),
    ]
    return "\n".join((HEAD, *lines, ""))


@lru_cache(maxsize=4096)
def compiled(case: str, ground: Ground) -> CodeType:
    """The program, ready to run."""
    return compile(program(case, ground, call=False), case, "exec")


def run(case: str, ground: Ground, *, signed: bool = True, gradient: bool = False) -> Tensor:
    """What torch computes. `signed`: x and y have entries below zero; `gradient`: they carry one. Raises Refused where torch raises."""
    generator = torch.Generator().manual_seed(5)

    def scores() -> Tensor:
        values = torch.randn(ground.shape, generator=generator, dtype=torch.float64) * 1.5
        return (values if signed else values.abs()).requires_grad_(gradient) * 1

    x, y = scores(), scores()
    i = torch.randint(0, 2, ground.shape[:-1], generator=generator)
    m = sum(torch.meshgrid(*map(torch.arange, ground.shape), indexing="ij")) % 2 == 0
    namespace: dict[str, object] = {"given": lambda: (x, y, i, m)}
    torch.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compiled(case, ground), namespace)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, AttributeError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from error
    result = namespace["result"]
    if not isinstance(result, Tensor):
        raise Refused(f"a {type(result).__name__}, no tensor")
    if bool(result.isnan().any()):
        raise Refused("not a number: nothing is claimed of it")
    return result


@lru_cache(maxsize=4096)
def claims(case: str, ground: Ground) -> tuple[Distribution, ...]:
    """What the analysis says of the result: one fact for each alternative that it keeps apart."""
    text = program(case, ground, call=True)
    facts = analyse(ast.parse(text), text.splitlines(), "case.py")
    assert facts.complete, case
    (site,) = facts.sites
    found = tuple(call.input.value for context in site.contexts for call in context.variants if call.input is not None)
    assert found, case
    return found


def claim(case: str, ground: Ground) -> Distribution:
    """What the analysis says of the result of a case without alternatives."""
    (fact,) = claims(case, ground)
    return fact


def wrong_claims(case: str, ground: Ground) -> list[str]:
    """Everything that the analysis says of a case and torch contradicts. Raises Refused where torch does not run it."""
    found = [wrong for fact in claims(case, ground) for wrong in contradictions(fact, run(case, ground), signed=True)]
    if ground.x is None:
        found += [wrong for fact in claims(case, ground) for wrong in contradictions(fact, run(case, ground, signed=False), signed=False)]
    found += wrong_gradients(case, ground)
    return list(dict.fromkeys(found))


def wrong_gradients(case: str, ground: Ground) -> Iterator[str]:
    """What is said to carry no gradient, and does."""
    if ground.x is not None or all(fact.carries_gradient for fact in claims(case, ground)):
        return
    try:
        result = run(case, ground, gradient=True)
    except Refused:
        return
    if result.requires_grad:
        yield "carries no gradient: it does"


def contradictions(fact: Distribution, result: Tensor, *, signed: bool) -> Iterator[str]:
    """What one fact says of a tensor and the tensor denies."""
    if fact.rank is not None and fact.rank != result.dim():
        yield f"rank {fact.rank}: it has {result.dim()}"
    values = result.detach()
    said = f"{fact.space.value}, {fact.mass.value}, dim {fact.dim}"
    match fact.space:
        case Space.UNKNOWN:
            return
        case Space.INDICES:
            if not bool((values == values.round()).all()):
                yield f"{said}: not whole numbers"
        case Space.LOGITS:
            yield from (f"{said}: {problem}" for problem in not_scores(values))
        case Space.PROBS:
            trusted = signed and any(step.what in PRESUMED for step in fact.trace)
            yield from (f"{said}: {problem}" for problem in not_probabilities(fact, values, trusted=trusted))
        case Space.LOG_PROBS:
            if nonnegative(values) and normalised_dims(values):
                yield f"{said}: these are probabilities"
            if fact.mass is not Mass.UNKNOWN:
                yield from (f"{said}: its exponential: {problem}" for problem in not_probabilities(fact, values.exp(), trusted=False))


def not_scores(values: Tensor) -> Iterator[str]:
    """Why a tensor is no raw score: it is normalised."""
    if nonnegative(values) and normalised_dims(values):
        yield "these are probabilities"
    if normalised_dims(values.exp()):
        yield "these are log-probabilities"


def not_probabilities(fact: Distribution, values: Tensor, *, trusted: bool) -> Iterator[str]:
    """Why a tensor holds no probabilities of the mass that is claimed. `trusted`: their sign was presumed."""
    if not trusted and not nonnegative(values):
        yield "elements below zero"
    if fact.mass is Mass.UNKNOWN:
        return
    if not trusted and not bool((values <= 1 + tolerance(values)).all()):
        yield "elements above one"
    sums = normalised_dims(values)
    match fact.mass:
        case Mass.WHOLE if fact.dim is None:
            if not sums:
                yield "sums to one along no dim"
        case Mass.WHOLE:
            if fact.dim % max(values.dim(), 1) not in sums:
                yield f"sums to one along {sums or 'no dim'}"
        case Mass.CUT | Mass.BERNOULLI:
            if sums:
                yield f"sums to one along {sums}"
        case _:
            raise AssertionError(fact.mass)


def tolerance(values: Tensor) -> float:
    return TOLERANCE.get(values.dtype, 0.0)


def nonnegative(values: Tensor) -> bool:
    return bool((values >= -tolerance(values)).all())


def normalised_dims(values: Tensor) -> tuple[int, ...]:
    """The dims along which a tensor sums to one throughout; empty tensors sum to nothing."""
    if values.numel() == 0:
        return ()
    dims = range(max(values.dim(), 1))
    return tuple(dim for dim in dims if bool(((values.sum(dim) - 1).abs() <= tolerance(values)).all()))


# --- variants of an example --------------------------------------------------------------------------------------------

PAIRS = {"x": ("x", "y"), "p": ("p", "q"), "l": ("l", "k")}
MIXED = (("p", "k"), ("l", "q"), ("p", "y"), ("x", "q"))


class _Renamed(ast.NodeTransformer):
    def __init__(self, one: str, other: str) -> None:
        self.names = {first: one for first, _ in PAIRS.values()} | {second: other for _, second in PAIRS.values()}

    def visit_Name(self, node: ast.Name) -> ast.Name:  # noqa: N802  (the name that ast calls)
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)


def with_operands(case: str, one: str, other: str) -> str:
    """The case with every x, p and l written as `one`, and every y, q and k as `other`."""
    return ast.unparse(_Renamed(one, other).visit(ast.parse(case)))


def on_each_operand(case: str) -> tuple[str, ...]:
    """The case as it stands, on logits, on probabilities, on log-probabilities, and on two spaces at once where it takes two tensors."""
    pairs = (*PAIRS.values(), *MIXED)
    return tuple(dict.fromkeys((ast.unparse(ast.parse(case)), *(with_operands(case, *pair) for pair in pairs))))
