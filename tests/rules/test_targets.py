"""KLD3xx on facts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kl_lint.finding import DropKeyword, RenameCallee, Replace, SetKeyword, Wrap
from kl_lint.flow.kl_call import Kind, RemarkKind, Setting, Settings
from kl_lint.flow.values import Mass
from kl_lint.rules.targets import (
    DifferentiableProbabilityTarget,
    IndicesAsTarget,
    LogTargetNotDeclared,
    LogTargetOnProbabilities,
    LogitsAsTarget,
)
from tests.rules.cases import SAFE, Case, Silent, assert_reported, silences, table
from tests.rules.facts import (
    CALL,
    CONSTRUCTION,
    CONSTRUCTION_SETTING,
    INDICES,
    LOG_PROBS,
    MODULE,
    PROBS,
    SCORES,
    SETTING,
    SOFTMAX,
    TARGET,
    UNKNOWN,
    argument,
    call,
    remark,
    softmax,
    step,
)


def said(value: object, *, known: bool = True, literal: bool = True, keyword: str | None = "log_target") -> Settings:
    """log_target, given at the call."""
    position = None if keyword else 5
    return Settings(log_target=Setting(value, known, SETTING, keyword, position, literal))


def constructed(value: object) -> Settings:
    """log_target, given at the construction."""
    return Settings(log_target=Setting(value, True, CONSTRUCTION_SETTING, "log_target", literal=True))


LOGS = replace(LOG_PROBS, trace=(step("log_softmax"),))
NOT_DECLARED = (
    "target of {} is log-probabilities (log_softmax, line 1); without log_target=True it takes probabilities: "
    "add log_target=True"
)
EXP = ((Wrap(TARGET, "", ".exp()"),),)
ADD = (SetKeyword(CALL, "log_target", "True"),)


@table(
    Case("default", call(LOG_PROBS, LOGS), NOT_DECLARED.format("kl_div"), ADD, span=TARGET, alternatives=EXP),
    Case(
        "said-False",
        call(LOG_PROBS, LOGS, settings=said(False)),
        NOT_DECLARED.format("kl_div"),
        (Replace(SETTING, "True"),),
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "said-False-in-a-name",
        call(LOG_PROBS, LOGS, settings=said(False, literal=False)),
        NOT_DECLARED.format("kl_div"),
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "module",
        call(LOG_PROBS, LOGS, kind=Kind.MODULE, settings=Settings()),
        NOT_DECLARED.format("KLDivLoss"),
        (SetKeyword(CONSTRUCTION, "log_target", "True"),),
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "module-said-False",
        call(LOG_PROBS, LOGS, kind=Kind.MODULE, settings=constructed(False)),
        NOT_DECLARED.format("KLDivLoss"),
        (Replace(CONSTRUCTION_SETTING, "True"),),
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "module-of-another-file",
        replace(call(LOG_PROBS, LOGS, kind=Kind.MODULE, settings=Settings()), construction=None),
        NOT_DECLARED.format("KLDivLoss"),
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "raw",
        call(LOG_PROBS, LOGS, kind=Kind.RAW),
        NOT_DECLARED.format("torch.kl_div"),
        ADD,
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "open",
        call(LOG_PROBS, LOGS, settings=Settings(open=True)),
        NOT_DECLARED.format("kl_div"),
        span=TARGET,
        alternatives=EXP,
    ),
    Case(
        "out-of-a-star",
        call(LOG_PROBS, argument(LOGS, TARGET, swappable=False)),
        NOT_DECLARED.format("kl_div"),
        ADD,
        span=TARGET,
    ),
)
def test_log_target_not_declared(case: Case) -> None:
    assert_reported(LogTargetNotDeclared(), case)


@silences(
    Silent("declared", call(LOG_PROBS, LOGS, log_target=True)),
    Silent("unknown", call(LOG_PROBS, LOGS, log_target=None)),
    Silent("swapped", call(PROBS, LOGS)),
    Silent("probabilities", call(LOG_PROBS, PROBS)),
    Silent("log-of-log", call(LOG_PROBS, replace(LOGS, remarks=(remark(RemarkKind.LOG_OF_LOG),)))),
)
def test_log_target_not_declared_is_silent(case: Silent) -> None:
    assert LogTargetNotDeclared().check(case.call) is None


ON_PROBABILITIES = (
    "target of {} is probabilities (softmax, line 1); with log_target=True it takes log-probabilities: drop log_target"
)
MADE = replace(PROBS, trace=(step("softmax"),))
LOG = ((Wrap(TARGET, "", ".log()"),),)


@table(
    Case(
        "keyword",
        call(LOG_PROBS, MADE, settings=said(True), log_target=True),
        ON_PROBABILITIES.format("kl_div"),
        (DropKeyword(CALL, "log_target"),),
        span=TARGET,
        alternatives=LOG,
    ),
    Case(
        "position",
        call(LOG_PROBS, MADE, settings=said(True, keyword=None), log_target=True),
        ON_PROBABILITIES.format("kl_div"),
        (Replace(SETTING, "False"),),
        span=TARGET,
        alternatives=LOG,
    ),
    Case(
        "in-a-name",
        call(LOG_PROBS, MADE, settings=said(True, literal=False), log_target=True),
        ON_PROBABILITIES.format("kl_div"),
        span=TARGET,
        alternatives=LOG,
    ),
    Case(
        "module",
        call(LOG_PROBS, MADE, kind=Kind.MODULE, settings=constructed(True), log_target=True),
        ON_PROBABILITIES.format("KLDivLoss"),
        (DropKeyword(CONSTRUCTION, "log_target"),),
        span=TARGET,
        alternatives=LOG,
    ),
    Case(
        "set-outside-of-the-construction",
        call(LOG_PROBS, MADE, kind=Kind.MODULE, settings=said(True), log_target=True),
        ON_PROBABILITIES.format("KLDivLoss"),
        span=TARGET,
        alternatives=LOG,
    ),
    Case(
        "input-too",
        call(PROBS, MADE, settings=said(True), log_target=True),
        ON_PROBABILITIES.format("kl_div"),
        (DropKeyword(CALL, "log_target"),),
        span=TARGET,
        alternatives=LOG,
    ),
)
def test_log_target_on_probabilities(case: Case) -> None:
    assert_reported(LogTargetOnProbabilities(), case)


@silences(
    Silent("not-declared", call(LOG_PROBS, MADE)),
    Silent("unknown", call(LOG_PROBS, MADE, log_target=None)),
    Silent("wrong-log", call(LOG_PROBS, replace(MADE, remarks=(remark(RemarkKind.WRONG_LOG),)), log_target=True)),
)
def test_log_target_on_probabilities_is_silent(case: Silent) -> None:
    assert LogTargetOnProbabilities().check(case.call) is None


RAW_SCORES = replace(SCORES, trace=(step("linear"),))


@table(
    Case(
        "softmax",
        call(LOG_PROBS, RAW_SCORES),
        "target of kl_div is logits (linear, line 1); it takes probabilities: use softmax",
        (Wrap(TARGET, "F.softmax(", ", dim=1)"),),
        span=TARGET,
    ),
    Case(
        "log_softmax",
        call(LOG_PROBS, RAW_SCORES, log_target=True),
        "target of kl_div is logits (linear, line 1); it takes log-probabilities: use log_softmax",
        (Wrap(TARGET, "F.log_softmax(", ", dim=1)"),),
        span=TARGET,
    ),
    Case(
        "log-target-unknown",
        call(LOG_PROBS, RAW_SCORES, log_target=None),
        "target of kl_div is logits (linear, line 1); it takes a distribution: use softmax",
        span=TARGET,
    ),
    Case(
        "dim-unknown",
        call(UNKNOWN, RAW_SCORES),
        "target of kl_div is logits (linear, line 1); it takes probabilities: use softmax",
        span=TARGET,
    ),
)
def test_logits_as_target(case: Case) -> None:
    assert_reported(LogitsAsTarget(), case)


@table(
    Case(
        "argmax",
        call(LOG_PROBS, replace(INDICES, trace=(step("argmax"),))),
        "target of kl_div is class indices (argmax, line 1); it takes a distribution over the classes: "
        "use cross_entropy on the logits, or nll_loss on the log-probabilities",
        span=TARGET,
    ),
)
def test_indices_as_target(case: Case) -> None:
    assert_reported(IndicesAsTarget(), case)


@silences(
    Silent("probabilities", call()),
    Silent("unknown", call(LOG_PROBS, UNKNOWN)),
    Silent("construction", call(None, None)),
)
def test_other_targets_are_silent(case: Silent) -> None:
    assert IndicesAsTarget().check(case.call) is None
    assert LogitsAsTarget().check(case.call) is None


DIFFERENTIABLE = (
    "target of {} is a softmax (softmax, line 1) that a gradient may flow into, nan where it underflows: "
    "use log_softmax and log_target=True, or detach it"
)


@table(
    Case(
        "inline",
        call(LOG_PROBS, replace(MADE, producer=softmax(inline=True))),
        DIFFERENTIABLE.format("kl_div"),
        (RenameCallee(SOFTMAX, "log_softmax"), *ADD),
        SAFE,
        TARGET,
    ),
    Case(
        "module-of-both",
        call(
            LOG_PROBS,
            replace(MADE, producer=softmax(name="Softmax", sole_use=True, module_span=MODULE)),
            kind=Kind.MODULE,
            settings=Settings(),
        ),
        DIFFERENTIABLE.format("KLDivLoss"),
        (RenameCallee(MODULE, "LogSoftmax"), SetKeyword(CONSTRUCTION, "log_target", "True")),
        SAFE,
        TARGET,
    ),
    Case(
        "used-elsewhere",
        call(LOG_PROBS, replace(MADE, producer=softmax())),
        DIFFERENTIABLE.format("kl_div"),
        span=TARGET,
    ),
    Case(
        "setting-out-of-reach",
        call(LOG_PROBS, replace(MADE, producer=softmax(inline=True)), settings=Settings(open=True)),
        DIFFERENTIABLE.format("kl_div"),
        span=TARGET,
    ),
    Case(
        "mixture",
        call(LOG_PROBS, replace(MADE, mixed=True, producer=softmax(inline=True))),
        DIFFERENTIABLE.format("kl_div"),
        span=TARGET,
    ),
    Case(
        "masked",
        call(
            LOG_PROBS,
            replace(MADE, producer=softmax(inline=True), remarks=(remark(RemarkKind.INFINITE_MASK),)),
        ),
        DIFFERENTIABLE.format("kl_div"),
        span=TARGET,
    ),
    Case(
        "masked-on-one-way",
        call(
            LOG_PROBS,
            replace(MADE, producer=softmax(inline=True), remarks=(remark(RemarkKind.MAYBE_INFINITE_MASK),)),
        ),
        DIFFERENTIABLE.format("kl_div"),
        span=TARGET,
    ),
)
def test_differentiable_probability_target(case: Case) -> None:
    assert_reported(DifferentiableProbabilityTarget(), case)


@silences(
    Silent("detached", call(LOG_PROBS, replace(MADE, carries_gradient=False, producer=softmax()))),
    Silent("not-a-softmax", call(LOG_PROBS, replace(MADE, producer=softmax(name="one_hot")))),
    Silent("producer-unknown", call(LOG_PROBS, MADE)),
    Silent("cut", call(LOG_PROBS, replace(MADE, mass=Mass.CUT, producer=softmax()))),
    Silent("log-target", call(LOG_PROBS, replace(LOGS, producer=softmax()), log_target=True)),
)
def test_differentiable_probability_target_is_silent(case: Silent) -> None:
    assert DifferentiableProbabilityTarget().check(case.call) is None


def test_differentiable_target_is_off_by_default() -> None:
    assert DifferentiableProbabilityTarget().opt_in


@pytest.mark.parametrize("value", [0, None, "True"])
def test_settings_that_are_no_bool_are_left_alone(value: object) -> None:
    """torch raises TypeError for them: the analysis says that log_target is unknown, and nothing is reported."""
    given = call(LOG_PROBS, LOGS, settings=said(value), log_target=None)
    assert LogTargetNotDeclared().check(given) is None
