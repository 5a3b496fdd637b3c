"""KLD5xx on facts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kl_lint.finding import SetKeyword, Span
from kl_lint.flow.kl_call import Distribution, KLCall, Reduction, RemarkKind
from kl_lint.flow.values import Mass, Space
from kl_lint.rules.normalization import (
    DifferentDims,
    DifferentTemperatures,
    ImplicitDim,
    MaskedWithInfinity,
    PartialDistribution,
)
from tests.rules.cases import SAFE, Case, Silent, assert_reported, checked, silences, table
from tests.rules.facts import (
    CALL,
    LOG_PROBS,
    MODULE,
    PROBS,
    SCORES,
    SOFTMAX,
    TARGET,
    UNKNOWN,
    call,
    remark,
    softmax,
    step,
)

LOGS = replace(LOG_PROBS, trace=(step("log_softmax", 1),))
MADE = replace(PROBS, trace=(step("softmax", 2),))


def along(one: int | None, other: int | None, ranks: tuple[int | None, int | None] = (None, None)) -> KLCall:
    """A call of two distributions along these dims."""
    return call(replace(LOGS, dim=one, rank=ranks[0]), replace(MADE, dim=other, rank=ranks[1]))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(along(1, 0), id="from-the-front"),
        pytest.param(along(-1, -2), id="from-the-end"),
        pytest.param(along(1, -1, (3, 3)), id="both-ranks-known"),
        pytest.param(along(1, -1, (3, None)), id="rank-of-the-one-that-needs-it"),
        pytest.param(along(1, 1, (2, 3)), id="same-number-other-rank"),
        pytest.param(along(1, 0, (3, None)), id="one-rank-known"),
        pytest.param(along(1, 0, (None, 3)), id="other-rank-known"),
    ],
)
def test_different_dims(given: KLCall) -> None:
    assert given.input is not None
    assert given.target is not None
    report = checked(DifferentDims(), given)
    assert report.message == (
        f"input to kl_div sums to one along dim {given.input.value.dim} (log_softmax, line 1), target along dim "
        f"{given.target.value.dim} (softmax, line 2): normalise both along the classes"
    )
    assert report.span == CALL
    assert report.fix is None
    assert report.trace == (step("log_softmax", 1), step("softmax", 2))


@silences(
    Silent("same", along(1, 1)),
    Silent("from-both-sides", along(1, -1)),
    Silent("from-both-sides-and-the-same", along(1, -1, (2, 2))),
    Silent("from-both-sides-wrong-rank-known", along(1, -1, (None, 3))),
    Silent("same-place-other-rank", along(2, 1, (3, 2))),
    Silent("one-unknown", along(1, None)),
    Silent("symbols", call(replace(LOGS, dim=None, symbol=1), replace(MADE, dim=None, symbol=2))),
    Silent("cut", call(LOGS, replace(MADE, dim=0, mass=Mass.CUT))),
    Silent("not-a-distribution", call(LOGS, Distribution(Space.LOGITS, Mass.WHOLE, dim=0))),
    Silent("no-arguments", call(None, None)),
)
def test_different_dims_is_silent(case: Silent) -> None:
    assert DifferentDims().check(case.call) is None


IMPLICIT = remark(RemarkKind.IMPLICIT_DIM, span=SOFTMAX, detail="softmax")
WITHOUT = "input to kl_div is normalised without a dim (log_softmax, line 1); torch picks "


@table(
    *(
        Case(
            f"rank-{rank}",
            call(replace(LOGS, remarks=(replace(IMPLICIT, rank=rank),))),
            f"{WITHOUT}{dim} for a {rank}-D tensor: write dim={dim}",
            (SetKeyword(SOFTMAX, "dim", str(dim)),),
            SAFE,
        )
        for rank, dim in ((0, 0), (1, 0), (2, 1), (3, 0), (4, 1), (5, 1))
    ),
    Case(
        "rank-unknown",
        call(replace(LOGS, remarks=(IMPLICIT,))),
        f"{WITHOUT}0 or 1 by the rank: write out the dim of the classes",
    ),
    Case(
        "target",
        call(LOG_PROBS, replace(MADE, remarks=(replace(IMPLICIT, rank=2),))),
        "target of kl_div is normalised without a dim (softmax, line 2); torch picks 1 for a 2-D tensor: write dim=1",
        (SetKeyword(SOFTMAX, "dim", "1"),),
        SAFE,
        TARGET,
    ),
    Case(
        "both",
        call(
            replace(LOGS, remarks=(replace(IMPLICIT, rank=2),)),
            replace(MADE, remarks=(replace(IMPLICIT, rank=2, span=Span(2, 1, 2, 9)),)),
        ),
        f"{WITHOUT}1 for a 2-D tensor: write dim=1",
        (SetKeyword(SOFTMAX, "dim", "1"), SetKeyword(Span(2, 1, 2, 9), "dim", "1")),
        SAFE,
    ),
    Case(
        "module",
        call(
            replace(
                LOGS,
                remarks=(replace(IMPLICIT, rank=2, detail="LogSoftmax"),),
                producer=softmax(name="LogSoftmax", module_span=MODULE),
            )
        ),
        f"{WITHOUT}1 for a 2-D tensor: write dim=1",
        (SetKeyword(MODULE, "dim", "1"),),
        SAFE,
    ),
    Case(
        "shared-module",
        call(
            replace(
                LOGS, remarks=(replace(IMPLICIT, rank=2, detail="LogSoftmax"),), producer=softmax(name="LogSoftmax")
            )
        ),
        f"{WITHOUT}1 for a 2-D tensor: write dim=1",
    ),
    Case(
        "in-another-file",
        call(replace(LOGS, remarks=(replace(IMPLICIT, rank=2, filename="m.py"),))),
        f"{WITHOUT}1 for a 2-D tensor: write dim=1",
    ),
)
def test_implicit_dim(case: Case) -> None:
    assert_reported(ImplicitDim(), case)


PART = (
    "is part of a distribution{}: its classes were selected after the normalisation and no longer sum to one; "
    "select from the logits"
)


@table(
    Case("input", call(replace(LOGS, mass=Mass.CUT)), f"input to kl_div {PART.format(' (log_softmax, line 1)')}"),
    Case(
        "target",
        call(LOGS, replace(MADE, mass=Mass.CUT)),
        f"target of kl_div {PART.format(' (softmax, line 2)')}",
        span=TARGET,
    ),
    Case(
        "both",
        call(replace(LOG_PROBS, mass=Mass.CUT), replace(PROBS, mass=Mass.CUT)),
        f"input to kl_div {PART.format('')}",
    ),
)
def test_partial_distribution(case: Case) -> None:
    assert_reported(PartialDistribution(), case)


@silences(
    Silent("whole", call()),
    Silent("unknown-mass", call(replace(LOG_PROBS, mass=Mass.UNKNOWN))),
    Silent("no-space", call(replace(UNKNOWN, mass=Mass.CUT))),
    Silent("log-of-log", call(replace(LOG_PROBS, mass=Mass.CUT, remarks=(remark(RemarkKind.LOG_OF_LOG),)))),
)
def test_partial_distribution_is_silent(case: Silent) -> None:
    assert PartialDistribution().check(case.call) is None


SOFTENED = replace(LOGS, temperature=("number", 5), temperature_text="T")


@table(
    Case(
        "input",
        call(SOFTENED, MADE),
        "input to kl_div is softened by the temperature T (log_softmax, line 1), and target is not: "
        "divide the logits of both",
        span=CALL,
    ),
    Case(
        "target",
        call(LOGS, replace(MADE, temperature=4.0)),
        "target of kl_div is softened by the temperature (softmax, line 2), and input is not: "
        "divide the logits of both",
        span=CALL,
    ),
    Case(
        "plain-as-a-float",
        call(SOFTENED, replace(MADE, temperature=1.0)),
        "input to kl_div is softened by the temperature T (log_softmax, line 1), and target is not: "
        "divide the logits of both",
        span=CALL,
    ),
)
def test_different_temperatures(case: Case) -> None:
    assert_reported(DifferentTemperatures(), case)
    assert DifferentTemperatures().opt_in


@silences(
    Silent("both-plain", call()),
    Silent("both-softened", call(SOFTENED, replace(MADE, temperature=("number", 5)))),
    Silent("softened-differently", call(SOFTENED, replace(MADE, temperature=("number", 6)))),
    Silent("one-unknown", call(SOFTENED, replace(MADE, temperature=None))),
    Silent("not-a-distribution", call(SOFTENED, replace(SCORES, temperature=1))),
    Silent("no-arguments", call(None, None)),
)
def test_different_temperatures_is_silent(case: Silent) -> None:
    assert DifferentTemperatures().check(case.call) is None


MASKED = (remark(RemarkKind.INFINITE_MASK),)
UNREDUCED = call(replace(LOGS, remarks=MASKED), reduction=Reduction.NONE)
INFINITE = (
    "{} kl_div is -inf where its logits are masked ({}): 0 * inf is nan; "
    "mask with a large negative number, such as -1e9"
)


@table(
    Case("input", call(replace(LOGS, remarks=MASKED)), INFINITE.format("input to", "log_softmax, line 1")),
    Case(
        "both",
        call(replace(LOGS, remarks=MASKED), replace(MADE, remarks=MASKED)),
        INFINITE.format("input to", "log_softmax, line 1"),
    ),
    Case("summed-by-hand", replace(UNREDUCED, summed=True), INFINITE.format("input to", "log_softmax, line 1")),
    Case(
        "log-target",
        call(LOG_PROBS, replace(LOGS, remarks=MASKED), log_target=True),
        INFINITE.format("target of", "log_softmax, line 1"),
        span=TARGET,
    ),
)
def test_masked_with_infinity(case: Case) -> None:
    assert_reported(MaskedWithInfinity(), case)


@silences(
    Silent("target-of-probabilities", call(LOG_PROBS, replace(MADE, remarks=MASKED))),
    Silent("input-of-probabilities", call(replace(PROBS, remarks=MASKED))),
    Silent("unreduced", call(replace(LOGS, remarks=MASKED), reduction=Reduction.NONE)),
    Silent("summed-after-a-selection", replace(UNREDUCED, summed=True, filtered=True)),
    Silent("reduction-unknown", call(replace(LOGS, remarks=MASKED), reduction=Reduction.UNKNOWN)),
    Silent("no-mask", call()),
)
def test_masked_with_infinity_is_silent(case: Silent) -> None:
    assert MaskedWithInfinity().check(case.call) is None
