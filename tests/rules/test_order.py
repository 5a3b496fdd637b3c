"""KLD4xx on facts made by hand."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.finding import SwapArguments
from kl_lint.flow.kl_call import Kind, RemarkKind
from kl_lint.flow.values import Mass
from kl_lint.rules.order import SameDistributionTwice, SwappedArguments
from tests.rules.cases import Case, Silent, assert_reported, codes, silences, table
from tests.rules.facts import CALL, INPUT, LOG_PROBS, PROBS, SCORES, TARGET, argument, call, remark, step

P = replace(PROBS, trace=(step("softmax", 1),))
LOG_Q = replace(LOG_PROBS, trace=(step("log_softmax", 2),))
SWAPPED = (
    "arguments of {} are swapped: input is probabilities (softmax, line 1), target is log-probabilities "
    "(log_softmax, line 2); exchange them"
)
EXCHANGE = (SwapArguments(CALL, INPUT, TARGET),)


@table(
    Case("functional", call(P, LOG_Q), SWAPPED.format("kl_div"), EXCHANGE, span=CALL),
    Case("module", call(P, LOG_Q, kind=Kind.MODULE), SWAPPED.format("KLDivLoss"), EXCHANGE, span=CALL),
    Case("raw", call(P, LOG_Q, kind=Kind.RAW), SWAPPED.format("torch.kl_div"), EXCHANGE, span=CALL),
    Case("one-out-of-a-star", call(P, argument(LOG_Q, TARGET, swappable=False)), SWAPPED.format("kl_div"), span=CALL),
    Case("bernoulli", call(replace(P, mass=Mass.BERNOULLI), LOG_Q), SWAPPED.format("kl_div"), EXCHANGE, span=CALL),
)
def test_swapped_arguments(case: Case) -> None:
    assert_reported(SwappedArguments(), case)
    assert codes(case.call) == ["KLD401"]


@silences(
    Silent("right", call()),
    Silent("log-target", call(P, LOG_Q, log_target=True)),
    Silent("log-target-unknown", call(P, LOG_Q, log_target=None)),
    Silent("probabilities-twice", call(P, P)),
    Silent("logits", call(SCORES, LOG_Q)),
    Silent("construction", call(None, None)),
)
def test_swapped_arguments_is_silent(case: Silent) -> None:
    assert SwappedArguments().check(case.call) is None


ONE = replace(LOG_PROBS, source=7, trace=(step("log_softmax"),))
OTHER = replace(PROBS, source=7)
SAME = "input and target of kl_div are made of the same tensor (log_softmax, line 1): the divergence is always zero"


@table(
    Case("same", call(ONE, OTHER), SAME, span=CALL),
    Case("log-target", call(ONE, ONE, log_target=True), SAME, span=CALL),
    Case(
        "same-symbolic-dim",
        call(replace(ONE, dim=None, symbol=3), replace(OTHER, dim=None, symbol=3)),
        SAME,
        span=CALL,
    ),
    Case(
        "same-dim-from-both-sides", call(replace(ONE, dim=-1, rank=2), replace(OTHER, dim=1, rank=2)), SAME, span=CALL
    ),
    Case(
        "same-temperature",
        call(replace(ONE, temperature=4.0), replace(OTHER, temperature=4.0)),
        SAME,
        span=CALL,
    ),
)
def test_same_distribution_twice(case: Case) -> None:
    assert_reported(SameDistributionTwice(), case)


NORMALISED_TWICE = (remark(RemarkKind.NORMALIZED_TWICE),)


@silences(
    Silent("other-source", call(ONE, replace(OTHER, source=8))),
    Silent("source-unknown", call(replace(ONE, source=None), replace(OTHER, source=None))),
    Silent("other-dim", call(ONE, replace(OTHER, dim=0))),
    Silent("dim-unknown", call(replace(ONE, dim=None), replace(OTHER, dim=None))),
    Silent("dim-from-both-sides-rank-unknown", call(replace(ONE, dim=-1), OTHER)),
    Silent("other-symbol", call(replace(ONE, dim=None, symbol=3), replace(OTHER, dim=None, symbol=4))),
    Silent("other-temperature", call(ONE, replace(OTHER, temperature=4))),
    Silent("temperature-unknown", call(replace(ONE, temperature=None), replace(OTHER, temperature=None))),
    Silent("cut", call(ONE, replace(OTHER, mass=Mass.CUT))),
    Silent("mixed", call(ONE, replace(OTHER, mixed=True))),
    Silent("one-normalised-twice", call(replace(ONE, remarks=NORMALISED_TWICE), OTHER)),
    Silent("one-with-epsilon", call(replace(ONE, remarks=(remark(RemarkKind.LOG_OF_SOFTMAX, epsilon=True),)), OTHER)),
    Silent("swapped", call(OTHER, ONE)),
    Silent("log-target-forgotten", call(ONE, ONE)),
    Silent("log-target-unknown", call(ONE, OTHER, log_target=None)),
)
def test_same_distribution_twice_is_silent(case: Silent) -> None:
    assert SameDistributionTwice().check(case.call) is None
