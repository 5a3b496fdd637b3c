"""Holds what the analysis claims of a tensor against what torch computes.

A *case* is a piece of Python whose last line is an expression; its other names are

    x, y    logits                      [2, 3, 4], float64
    p, q    softmax of x, of y          over the dim of the ground
    l, k    log_softmax of x, of y      over the same dim
    i       indices below 2             [2, 3]
    m       a mask, a chequerboard      [2, 3, 4]

A `Ground` says what the analysis may know beforehand: the dim as it is written, and whether the rank of x is proved.
A case on a ground is one program, which torch runs and the analysis reads.
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
from kl_lint.flow.values import DISTRIBUTIONS, Mass, Space

SHAPE = (2, 3, 4)
PRESUMED = frozenset({"x / x.sum()", "normalize"})
"""Steps at which a tensor is divided by its sum. Of one that is not known, no entry is then taken to lie below zero."""
TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 3e-2}
"""How far from one a sum may lie: rounding, and epsilons up to 1e-6."""
EPSILON = 2e-2
"""How far apart two distributions of one source may lie: what was added to one of them as a guard against log(0)."""

HEAD = """
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
import numpy
from torch import distributions
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a case stands on: `dim` as it is written, and the expression for x and y (None: nothing is known of them).

    `function`: the analysis reads the program as the body of a function, and interprets what the KL call can depend on.
    """

    dim: int = 2
    scores: str | None = None
    shape: tuple[int, ...] = SHAPE
    function: bool = False

    def __str__(self) -> str:
        rank = "no rank" if self.scores is None else "a rank"
        return f"dim {self.dim}, {rank}, in a function" if self.function else f"dim {self.dim}, {rank}"


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
        *([f"x = {ground.scores}", f"y = {ground.scores}"] if ground.scores is not None else []),
        f"origin = F.softmax(x, {ground.dim})",
        f"p = F.softmax(x, {ground.dim})",
        f"q = F.softmax(y, {ground.dim})",
        f"l = F.log_softmax(x, {ground.dim})",
        f"k = F.log_softmax(y, {ground.dim})",
        *statements,
        f"result = {expression}",
        *(["F.kl_div(result, origin)"] if call else []),
    ]
    if ground.function and call:
        lines = ["def loss():", *(f"    {line}" for line in lines)]
    return "\n".join((HEAD, *lines, ""))


@lru_cache(maxsize=4096)
def compiled(case: str, ground: Ground) -> CodeType:
    """The program, ready to run."""
    return compile(program(case, ground, call=False), case, "exec")


@lru_cache(maxsize=64)
def inputs(ground: Ground, *, signed: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x, y, i and m. `signed`: x and y have entries below zero."""
    generator = torch.Generator().manual_seed(5)
    x, y = (torch.randn(ground.shape, generator=generator, dtype=torch.float64) * 1.5 for _ in range(2))
    i = torch.randint(0, 2, ground.shape[:-1], generator=generator)
    m = torch.stack(torch.meshgrid(*(torch.arange(size) for size in ground.shape), indexing="ij")).sum(0) % 2 == 0
    return (x, y, i, m) if signed else (x.abs(), y.abs(), i, m)


def executed(case: str, ground: Ground, *, signed: bool = True, gradient: bool = False) -> tuple[Tensor, Tensor]:
    """The result, and the softmax of x as it was before. `gradient`: x and y carry one."""
    x, y, i, m = (tensor.clone() for tensor in inputs(ground, signed=signed))
    if gradient:
        x, y = x.requires_grad_() * 1, y.requires_grad_() * 1
    namespace: dict[str, object] = {"given": lambda: (x, y, i, m)}
    torch.default_generator.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compiled(case, ground), namespace)
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, AssertionError) as error:
            reason = str(error).partition("\n")[0]
            raise Refused(f"{type(error).__name__}: {reason}") from None
    result, origin = namespace["result"], namespace["origin"]
    assert isinstance(origin, Tensor)
    if not isinstance(result, Tensor):
        raise Refused(f"a {type(result).__name__}, no tensor")
    dense = result.to_dense() if result.is_sparse else result
    if bool(dense.isnan().any()):
        raise Refused("not a number: nothing is claimed of it")
    if not dense.numel():
        raise Refused("empty: it sums to nothing")
    return dense, origin


def run(case: str, ground: Ground) -> Tensor:
    """What torch computes. Raises Refused where it raises, where it gives no tensor, and where it gives no numbers."""
    return executed(case, ground)[0].detach()


@lru_cache(maxsize=4096)
def claims_of_both(case: str, ground: Ground) -> tuple[tuple[Distribution, Distribution], ...]:
    """What the analysis says of the result and of the softmax of x: a pair for each alternative that it keeps apart."""
    text = program(case, ground, call=True)
    facts = analyse(ast.parse(text), text.splitlines(), "case.py")
    assert facts.complete, case
    (site,) = facts.sites
    calls = [call for context in site.contexts for call in context.variants]
    assert calls, case
    return tuple(
        (call.input.value, call.target.value) for call in calls if call.input is not None and call.target is not None
    )


def claims(case: str, ground: Ground) -> tuple[Distribution, ...]:
    """What the analysis says of the result."""
    return tuple(fact for fact, _ in claims_of_both(case, ground))


def claim(case: str, ground: Ground) -> Distribution:
    """What the analysis says of the result of a case without alternatives."""
    (fact,) = claims(case, ground)
    return fact


def wrong_claims(case: str, ground: Ground) -> list[str]:
    """Everything that the analysis says of a case and torch contradicts. Raises Refused where torch does not run it."""
    found: dict[str, None] = {}
    for signed in (True, False) if ground.scores is None else (True,):
        result, origin = executed(case, ground, signed=signed)
        for fact, of_origin in claims_of_both(case, ground):
            taken_for_counts = signed and ground.scores is None
            found.update(
                dict.fromkeys(contradictions(fact, result, taken_for_counts=taken_for_counts, elements=origin.numel()))
            )
            found.update(dict.fromkeys(wrong_source(fact, of_origin, result, origin)))
    found.update(dict.fromkeys(wrong_gradients(case, ground)))
    return list(found)


def wrong_gradients(case: str, ground: Ground) -> Iterator[str]:
    """What is said to carry no gradient, and does."""
    if ground.scores is not None or all(fact.carries_gradient for fact in claims(case, ground)):
        return
    try:
        result, _ = executed(case, ground, gradient=True)
    except Refused:
        return
    if result.requires_grad:
        yield "carries no gradient: it does"


def wrong_source(fact: Distribution, of_origin: Distribution, result: Tensor, origin: Tensor) -> Iterator[str]:
    """Why two distributions of one source, along one dim and at one temperature, are not the same one."""
    key = (of_origin.source, of_origin.mass, of_origin.symbol, of_origin.temperature)
    if (
        fact.source is None
        or fact.space not in DISTRIBUTIONS
        or (fact.source, fact.mass, fact.symbol, fact.temperature) != key
    ):
        return
    rank = result.dim()
    if fact.dim is None or of_origin.dim is None or rank != origin.dim() or fact.dim % rank != of_origin.dim % rank:
        return
    values = result.detach().double()
    values = values.exp() if fact.space is Space.LOG_PROBS else values
    if values.shape != origin.shape or not torch.allclose(values, origin, atol=EPSILON):
        yield f"{fact.space.value} of the same source as softmax(x): another distribution"


def contradictions(
    fact: Distribution, result: Tensor, *, taken_for_counts: bool = False, elements: int = 10**9
) -> Iterator[str]:
    """What one fact says of a tensor and the tensor denies.

    `taken_for_counts`: what nothing was known of had entries below zero, which dividing it by its sum rules out.
    `elements` is how many there were before something was selected.
    """
    if fact.rank is not None and fact.rank != result.dim():
        yield f"rank {fact.rank}: it has {result.dim()}"
    values = result.detach()
    problems: Iterator[str] = iter(())
    match fact.space:
        case Space.INDICES if not bool((values == values.round()).all()):
            problems = iter(["not whole numbers"])
        case Space.LOGITS:
            problems = not_scores(values)
        case Space.PROBS:
            if not presumed(fact, values, taken_for_counts=taken_for_counts):
                problems = not_probabilities(fact, values, elements=elements)
        case Space.LOG_PROBS:
            problems = not_log_probabilities(fact, values, elements=elements)
        case _:
            pass
    for problem in problems:
        yield f"{fact.space.value}, {fact.mass.value}, dim {fact.dim}: {problem}"


def presumed(fact: Distribution, values: Tensor, *, taken_for_counts: bool) -> bool:
    """Whether a tensor breaks what was presumed when it was divided by its sum: that it has no entries below zero."""
    return any(step.what in PRESUMED for step in fact.trace) and (taken_for_counts or not nonnegative(values))


def not_scores(values: Tensor) -> Iterator[str]:
    """Why a tensor is no raw score: it is normalised."""
    if nonnegative(values) and normalised_dims(values):
        yield "these are probabilities"
    if normalised_dims(values.exp()):
        yield "these are log-probabilities"


def not_log_probabilities(fact: Distribution, values: Tensor, *, elements: int) -> Iterator[str]:
    """Why a tensor holds no log-probabilities of the mass that is claimed.

    Of those that were scaled or shifted no more can be said than that they are no probabilities.
    """
    if nonnegative(values) and normalised_dims(values):
        yield "these are probabilities"
    if fact.mass is not Mass.UNKNOWN:
        yield from (
            f"its exponential: {problem}" for problem in not_probabilities(fact, values.exp(), elements=elements)
        )


def not_probabilities(fact: Distribution, values: Tensor, *, elements: int) -> Iterator[str]:
    """Why a tensor holds no probabilities of the mass that is claimed."""
    if not nonnegative(values):
        yield "elements below zero"
    if fact.mass is Mass.UNKNOWN:
        return
    if not bool((values <= 1 + tolerance(values)).all()):
        yield "elements above one"
    sums = normalised_dims(values)
    match fact.mass:
        case Mass.WHOLE:
            if not sums or (fact.dim is not None and fact.dim % max(values.dim(), 1) not in sums):
                yield f"sums to one along {sums or 'no dim'}"
        case Mass.CUT:
            if sums and values.numel() < elements:  # what is as large as before may be all of it
                yield f"sums to one along {sums}"
        case Mass.BERNOULLI:
            if sums and bool((values - values.flatten()[0]).abs().max() > 1e-3):  # of equal numbers, some happen to
                yield f"sums to one along {sums}"
        case _:
            raise AssertionError(fact.mass)


def tolerance(values: Tensor) -> float:
    """How far a sum of elements of this type may be off."""
    return TOLERANCE.get(values.dtype, 0.0)


def nonnegative(values: Tensor) -> bool:
    """Whether no element lies below zero."""
    return bool((values >= -tolerance(values)).all())


def normalised_dims(values: Tensor) -> tuple[int, ...]:
    """The dims along which a tensor sums to one throughout."""
    dims = range(max(values.dim(), 1))
    return tuple(dim for dim in dims if bool(((values.sum(dim) - 1).abs() <= tolerance(values)).all()))


# --- variants of an example ------------------------------------------------------------------------------------------

PAIRS = {"x": ("x", "y"), "p": ("p", "q"), "l": ("l", "k")}
MIXED = (("p", "k"), ("l", "q"), ("p", "y"), ("x", "q"))


class _Renamed(ast.NodeTransformer):
    """Gives the first and the second tensor of a case other names."""

    def __init__(self, one: str, other: str) -> None:
        self.names = {first: one for first, _ in PAIRS.values()} | {second: other for _, second in PAIRS.values()}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)


def with_operands(case: str, one: str, other: str) -> str:
    """The case with every x, p and l written as `one`, and every y, q and k as `other`."""
    return ast.unparse(_Renamed(one, other).visit(ast.parse(case)))


def on_each_operand(case: str) -> tuple[str, ...]:
    """The case as it stands, on logits, on probabilities, on log-probabilities, and on two of these at once."""
    pairs = (*PAIRS.values(), *MIXED)
    return tuple(dict.fromkeys((ast.unparse(ast.parse(case)), *(with_operands(case, *pair) for pair in pairs))))
