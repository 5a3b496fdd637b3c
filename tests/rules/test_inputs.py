"""KLD1xx on facts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kl_lint.finding import RenameCallee, Replace, Span, Unwrap, Wrap
from kl_lint.flow.kl_call import Distribution, KLCall, Kind, RemarkKind
from kl_lint.flow.values import Mass, Space
from kl_lint.rules.base import CallRule
from kl_lint.rules.inputs import (
    BernoulliWithOneTerm,
    LogOfLogProbabilities,
    LogOfSoftmax,
    LogitsAsInput,
    NormalizedTwice,
    ProbabilitiesAsInput,
    WrongLogarithm,
)
from tests.rules.cases import SAFE, UNSAFE, Case, Silent, assert_reported, codes, silences, table
from tests.rules.facts import (
    FILE,
    INPUT,
    LOGITS,
    LOG_PROBS,
    MODULE,
    PROBS,
    SCORES,
    SOFTMAX,
    TARGET,
    UNKNOWN,
    argument,
    call,
    remark,
    softmax,
    step,
)

LINE_1 = "input to kl_div is probabilities (softmax, line 1); it takes log-probabilities: use log_softmax"
MADE = replace(PROBS, trace=(step("softmax"),))
INLINE = replace(MADE, producer=softmax(inline=True))
USED_TWICE = replace(MADE, producer=softmax(operand_unchanged=True))
TAKE_LOG = (Wrap(INPUT, "", ".log()"),)


@table(
    Case("inline", call(INLINE), LINE_1, (RenameCallee(SOFTMAX, "log_softmax"),)),
    Case(
        "sole-use",
        call(replace(MADE, producer=softmax(sole_use=True))),
        LINE_1,
        (RenameCallee(SOFTMAX, "log_softmax"),),
    ),
    Case(
        "module-of-its-own",
        call(replace(MADE, producer=softmax(name="Softmax", sole_use=True, module_span=MODULE))),
        LINE_1,
        (RenameCallee(MODULE, "LogSoftmax"),),
    ),
    Case(
        "module-shared-inline",
        call(replace(MADE, producer=softmax(name="Softmax", inline=True, dim="1"))),
        LINE_1,
        (Replace(SOFTMAX, "F.log_softmax({0}, dim=1)", (LOGITS,)),),
    ),
    Case(
        "module-shared-in-a-local",
        call(replace(MADE, producer=softmax(name="Softmax", sole_use=True, operand_unchanged=True, dim=None))),
        LINE_1,
        (Replace(SOFTMAX, "F.log_softmax({0}, dim=1)", (LOGITS,)),),
    ),
    Case(
        "module-shared-and-its-result-too",
        call(replace(MADE, producer=softmax(name="Softmax", operand_unchanged=True, dim=None))),
        LINE_1,
        (Replace(INPUT, "F.log_softmax({0}, dim=1)", (LOGITS,)),),
    ),
    Case(
        "module-shared-without-dim",
        call(replace(MADE, producer=softmax(name="Softmax", inline=True, dim=None))),
        LINE_1,
        TAKE_LOG,
    ),
    Case("used-elsewhere", call(USED_TWICE), LINE_1, (Replace(INPUT, "F.log_softmax({0}, dim=-1)", (LOGITS,)),)),
    *(
        Case(
            f"used-elsewhere-spelled-{callee}",
            call(replace(MADE, producer=softmax(operand_unchanged=True, callee=callee))),
            LINE_1,
            (Replace(INPUT, template, (LOGITS,)),),
        )
        for callee, template in (
            ("torch.softmax", "torch.log_softmax({0}, dim=-1)"),
            ("torch.nn.functional.softmax", "torch.nn.functional.log_softmax({0}, dim=-1)"),
            (".softmax", "{0}.log_softmax(dim=-1)"),
            ("softmax", "F.log_softmax({0}, dim=-1)"),
        )
    ),
    Case(
        "dim-with-braces",
        call(replace(MADE, producer=softmax(operand_unchanged=True, dim="{0: 1}[0]"))),
        LINE_1,
        (Replace(INPUT, "F.log_softmax({0}, dim={{0: 1}}[0])", (LOGITS,)),),
    ),
    Case("used-elsewhere-and-logits-changed", call(replace(MADE, producer=softmax())), LINE_1, TAKE_LOG),
    Case(
        "used-elsewhere-without-dim",
        call(replace(MADE, dim=None, producer=softmax(operand_unchanged=True, dim=None))),
        LINE_1,
        TAKE_LOG,
    ),
    Case(
        "used-elsewhere-and-mixed",
        call(replace(USED_TWICE, mixed=True)),
        LINE_1.replace("use log_softmax", "take their log"),
        TAKE_LOG,
    ),
    Case("used-elsewhere-and-detached", call(replace(USED_TWICE, carries_gradient=False)), LINE_1, TAKE_LOG),
    Case(
        "mixture",
        call(replace(PROBS, mixed=True, trace=(step("mixture"),), producer=softmax(inline=True))),
        "input to kl_div is probabilities (mixture, line 1); it takes log-probabilities: take their log",
        TAKE_LOG,
    ),
    Case(
        "not-a-softmax",
        call(replace(PROBS, producer=softmax(name="ratio", inline=True))),
        "input to kl_div is probabilities (ratio, line 1); it takes log-probabilities: take their log",
        TAKE_LOG,
    ),
    Case(
        "nothing-known-of-it",
        call(PROBS),
        "input to kl_div is probabilities; it takes log-probabilities: take their log",
        TAKE_LOG,
    ),
    Case(
        "made-in-another-file",
        call(
            replace(
                PROBS,
                trace=(step("softmax", 7, "lib/models.py"),),
                producer=softmax(sole_use=True, filename="lib/models.py"),
            )
        ),
        "input to kl_div is probabilities (softmax, models.py line 7); it takes log-probabilities: use log_softmax",
        TAKE_LOG,
    ),
    Case("out-of-a-star", call(argument(INLINE, swappable=False)), LINE_1),
    Case(
        "given-a-name-on-the-way", call(replace(MADE, producer=softmax(inline=True, sole_use=False))), LINE_1, TAKE_LOG
    ),
    Case(
        "module-shared-with-the-dim-it-shows",
        call(argument(replace(MADE, producer=softmax(name="Softmax", inline=True, dim=None)), SOFTMAX)),
        LINE_1,
        (Replace(SOFTMAX, "F.log_softmax({0}, dim=1)", (LOGITS,)),),
        span=SOFTMAX,
    ),
    Case(
        "module-call",
        call(INLINE, kind=Kind.MODULE),
        LINE_1.replace("kl_div", "KLDivLoss"),
        (RenameCallee(SOFTMAX, "log_softmax"),),
    ),
    Case(
        "raw-call",
        call(INLINE, kind=Kind.RAW),
        LINE_1.replace("kl_div", "torch.kl_div"),
        (RenameCallee(SOFTMAX, "log_softmax"),),
    ),
    Case(
        "probabilities-twice",
        call(PROBS, replace(PROBS, source=2), log_target=True),
        "input to kl_div is probabilities; it takes log-probabilities: take their log",
        TAKE_LOG,
    ),
    Case(
        "log-target-unknown", call(INLINE, LOG_PROBS, log_target=None), LINE_1, (RenameCallee(SOFTMAX, "log_softmax"),)
    ),
    Case("columns", call(replace(INLINE, mass=Mass.CUT)), LINE_1, (RenameCallee(SOFTMAX, "log_softmax"),)),
)
def test_probabilities_as_input(case: Case) -> None:
    assert_reported(ProbabilitiesAsInput(), case)


@silences(
    Silent("log-probabilities", call(LOG_PROBS)),
    Silent("unknown", call(UNKNOWN)),
    Silent("logits", call(SCORES)),
    Silent("swapped", call(PROBS, LOG_PROBS)),
    Silent("bernoulli", call(replace(PROBS, mass=Mass.BERNOULLI))),
    Silent("wrong-logarithm", call(replace(PROBS, remarks=(remark(RemarkKind.WRONG_LOG),)))),
    Silent("no-arguments", call(None, None)),
)
def test_probabilities_as_input_is_silent(case: Silent) -> None:
    assert ProbabilitiesAsInput().check(case.call) is None


LOGITS_1 = "input to kl_div is logits (linear, line 1); it takes log-probabilities: use log_softmax"
RAW_SCORES = replace(SCORES, trace=(step("linear"),))


@table(
    Case("dim-of-the-target", call(RAW_SCORES), LOGITS_1, (Wrap(INPUT, "F.log_softmax(", ", dim=1)"),)),
    Case(
        "negative-dim",
        call(RAW_SCORES, replace(PROBS, dim=-1, rank=3)),
        LOGITS_1,
        (Wrap(INPUT, "F.log_softmax(", ", dim=-1)"),),
    ),
    Case(
        "target-of-higher-rank",
        call(replace(RAW_SCORES, rank=2), replace(PROBS, dim=2, rank=3)),
        LOGITS_1,
        (Wrap(INPUT, "F.log_softmax(", ", dim=-1)"),),
    ),
    Case("dim-unknown", call(RAW_SCORES, replace(PROBS, dim=None, symbol=4)), LOGITS_1),
    Case("target-unknown", call(RAW_SCORES, UNKNOWN), LOGITS_1),
    Case("target-cut", call(RAW_SCORES, replace(PROBS, mass=Mass.CUT)), LOGITS_1),
    Case("out-of-a-star", call(argument(RAW_SCORES, swappable=False)), LOGITS_1),
    *(
        Case(
            f"spelled-{callee}",
            replace(call(RAW_SCORES), callee=callee),
            LOGITS_1,
            (Wrap(INPUT, f"{home}.log_softmax(", ", dim=1)") if home else Wrap(INPUT, "", ".log_softmax(dim=1)"),),
        )
        for callee, home in (
            ("functional.kl_div", "functional"),
            ("nn.functional.kl_div", "nn.functional"),
            ("torch.nn.functional.kl_div", "torch"),
            ("torch.kl_div", "torch"),
            ("kl_div", None),
            ("self.kl_div", None),
            ("losses['kl']", None),
        )
    ),
    *(
        Case(
            f"beside-{name}-{filename}",
            call(RAW_SCORES, replace(PROBS, producer=softmax(name=name, callee=callee, filename=filename))),
            LOGITS_1,
            (Wrap(INPUT, *around),),
        )
        for name, callee, filename, around in (
            ("torch.softmax", "torch.softmax", FILE, ("torch.log_softmax(", ", dim=1)")),
            ("method", ".softmax", FILE, ("", ".log_softmax(dim=1)")),
            ("bare-softmax", "softmax", FILE, ("F.log_softmax(", ", dim=1)")),
            ("bare-log_softmax", "log_softmax", FILE, ("log_softmax(", ", dim=1)")),
            ("torch.softmax", "torch.softmax", "lib/models.py", ("F.log_softmax(", ", dim=1)")),
        )
    ),
)
def test_logits_as_input(case: Case) -> None:
    assert_reported(LogitsAsInput(), case)


@silences(
    Silent("unknown", call(UNKNOWN)),
    Silent("probabilities", call(PROBS)),
    Silent("log-probabilities", call(LOG_PROBS)),
    Silent("log-of-log", call(replace(SCORES, remarks=(remark(RemarkKind.LOG_OF_LOG),)))),
)
def test_logits_as_input_is_silent(case: Silent) -> None:
    assert LogitsAsInput().check(case.call) is None


NAN = replace(UNKNOWN, remarks=(remark(RemarkKind.LOG_OF_LOG),), trace=(step("log"),))
GUARDS = ((Span(1, 5, 1, 30), Span(1, 7, 1, 28)), (Span(1, 7, 1, 28), Span(1, 9, 1, 20)))
"""A clamp, and an addition within it."""
UNGUARDED = tuple(Unwrap(*guard) for guard in GUARDS)


@table(
    Case(
        "input",
        call(NAN),
        "input to kl_div is the log of log-probabilities (log, line 1), which is nan: drop the second log",
        (Unwrap(Span(1, 5, 1, 36), Span(1, 5, 1, 30)),),
    ),
    Case(
        "target",
        call(LOG_PROBS, NAN, log_target=True),
        "target of kl_div is the log of log-probabilities (log, line 1), which is nan: drop the second log",
        (Unwrap(Span(1, 5, 1, 36), Span(1, 5, 1, 30)),),
        span=TARGET,
    ),
    Case(
        "both",
        call(
            NAN,
            replace(
                UNKNOWN, remarks=(remark(RemarkKind.LOG_OF_LOG, span=Span(2, 1, 2, 9), argument=Span(2, 1, 2, 3)),)
            ),
        ),
        "input to kl_div is the log of log-probabilities (log, line 1), which is nan: drop the second log",
        (Unwrap(Span(1, 5, 1, 36), Span(1, 5, 1, 30)), Unwrap(Span(2, 1, 2, 9), Span(2, 1, 2, 3))),
    ),
    Case(
        "epsilon",
        call(replace(UNKNOWN, remarks=(remark(RemarkKind.LOG_OF_LOG, guards=GUARDS),), trace=(step("log"),))),
        "input to kl_div is the log of log-probabilities (log, line 1), which is nan: drop the second log",
        (Unwrap(Span(1, 5, 1, 36), Span(1, 5, 1, 30)), *UNGUARDED),
    ),
    Case(
        "in-another-file",
        call(replace(NAN, remarks=(remark(RemarkKind.LOG_OF_LOG, filename="models.py"),))),
        "input to kl_div is the log of log-probabilities (log, line 1), which is nan: drop the second log",
    ),
)
def test_log_of_log_probabilities(case: Case) -> None:
    assert_reported(LogOfLogProbabilities(), case)


OUTER, INNER, OPERAND = Span(1, 5, 1, 36), Span(1, 5, 1, 30), Span(1, 15, 1, 20)
SOFT_PROBS = replace(PROBS, trace=(step("softmax"),))
SOFT_LOG_PROBS = replace(LOG_PROBS, trace=(step("softmax"),))
TWICE = remark(RemarkKind.NORMALIZED_TWICE, detail="softmax")
IN_A_LOCAL = replace(TWICE, sole_use=False)
"""The first softmax stands elsewhere and is read elsewhere too."""
SOFTENED = (
    "input to kl_div is normalised twice (softmax, line 1): "
    "softmax takes logits, and was given probabilities; drop one of the two"
)


@table(
    Case("logits-in-reach", call(replace(SOFT_LOG_PROBS, remarks=(TWICE,))), SOFTENED, (Unwrap(INNER, OPERAND),)),
    Case(
        "logits-in-reach-under-an-epsilon",
        call(replace(SOFT_LOG_PROBS, remarks=(replace(TWICE, epsilon=True, guards=GUARDS),))),
        SOFTENED,
        (*UNGUARDED, Unwrap(INNER, OPERAND)),
    ),
    Case(
        "logits-in-reach-and-a-temperature-outside",
        call(replace(SOFT_LOG_PROBS, temperature=2.0, remarks=(TWICE,), producer=softmax(span=OUTER))),
        SOFTENED,
        (Unwrap(INNER, OPERAND),),
    ),
    Case(
        "three-times-one-of-them-out-of-reach",
        call(replace(SOFT_LOG_PROBS, remarks=(TWICE, replace(IN_A_LOCAL, span=INNER)))),
        SOFTENED,
    ),
    Case(
        "first-softmax-used-elsewhere",
        call(replace(SOFT_LOG_PROBS, remarks=(replace(IN_A_LOCAL, operand_unchanged=True),))),
        SOFTENED,
        (Replace(INNER, "{0}", (OPERAND,)),),
    ),
    Case(
        "first-softmax-used-elsewhere-and-detached",
        call(
            replace(
                SOFT_LOG_PROBS,
                carries_gradient=False,
                remarks=(replace(IN_A_LOCAL, operand_unchanged=True),),
                producer=softmax(span=OUTER),
            )
        ),
        SOFTENED,
        (Unwrap(OUTER, INNER),),
    ),
    *(
        Case(
            f"out-of-reach-then-{name}",
            call(replace(SOFT_LOG_PROBS, remarks=(IN_A_LOCAL,), producer=softmax(name=name, span=OUTER))),
            SOFTENED,
            (edit,),
        )
        for name, edit in (
            ("softmax", Unwrap(OUTER, INNER)),
            ("Softmax", Unwrap(OUTER, INNER)),
            ("log_softmax", Replace(OUTER, "{0}.log()", (INNER,))),
            ("LogSoftmax", Replace(OUTER, "{0}.log()", (INNER,))),
        )
    ),
    Case(
        "out-of-reach-and-a-temperature-outside",
        call(replace(SOFT_LOG_PROBS, temperature=2.0, remarks=(IN_A_LOCAL,), producer=softmax(span=OUTER))),
        SOFTENED,
    ),
    Case(
        "out-of-reach-and-an-epsilon",
        call(replace(SOFT_LOG_PROBS, remarks=(replace(TWICE, epsilon=True),), producer=softmax(span=OUTER))),
        SOFTENED,
    ),
    Case(
        "in-another-file-entirely",
        call(replace(SOFT_LOG_PROBS, remarks=(replace(IN_A_LOCAL, argument=None),), producer=softmax(span=OUTER))),
        SOFTENED,
    ),
    Case(
        "made-into-something-else",
        call(replace(SOFT_LOG_PROBS, remarks=(IN_A_LOCAL,), producer=softmax())),
        SOFTENED,
    ),
    Case("in-another-file", call(replace(SOFT_LOG_PROBS, remarks=(replace(TWICE, filename="m.py"),))), SOFTENED),
    Case(
        "target",
        call(LOG_PROBS, replace(SOFT_PROBS, remarks=(TWICE,))),
        SOFTENED.replace("input to", "target of"),
        (Unwrap(INNER, OPERAND),),
        span=TARGET,
    ),
    Case(
        "both-through-one-softmax",
        call(replace(SOFT_LOG_PROBS, remarks=(TWICE,)), replace(SOFT_PROBS, remarks=(TWICE,))),
        SOFTENED,
        (Unwrap(INNER, OPERAND),),
    ),
)
def test_normalized_twice(case: Case) -> None:
    assert_reported(NormalizedTwice(), case)


LOGGED = replace(LOG_PROBS, trace=(step("log"),))
METHOD = Span(1, 5, 1, 36)
"""`softmax(x, dim=-1).log()`."""
PLAIN = remark(RemarkKind.LOG_OF_SOFTMAX)
MODULE_WITHOUT_DIM = softmax(name="Softmax", span=Span(1, 5, 1, 30), dim=None)
FUNCTIONAL = softmax(span=INNER)
LOG_OF_A_NAME, A_NAME = Span(2, 5, 2, 12), Span(2, 5, 2, 6)
NAMED = replace(PLAIN, span=LOG_OF_A_NAME, argument=A_NAME)
"""`p.log()`, where p is the softmax."""
OF_SOFTMAX = "input to kl_div is the log of a softmax (log, line 1), which underflows: use log_softmax"
WITH_EPSILON = "input to kl_div is the log of a softmax (log, line 1) with an epsilon, which biases it: use log_softmax"
MERGED = (Unwrap(METHOD, INNER), RenameCallee(INNER, "log_softmax"))


@table(
    Case("method", call(replace(LOGGED, remarks=(PLAIN,), producer=FUNCTIONAL)), OF_SOFTMAX, MERGED, SAFE),
    Case(
        "something-between",
        call(replace(LOGGED, remarks=(replace(PLAIN, argument=Span(1, 5, 1, 34)),), producer=FUNCTIONAL)),
        OF_SOFTMAX,
        (Unwrap(METHOD, Span(1, 5, 1, 34)), RenameCallee(INNER, "log_softmax")),
        SAFE,
    ),
    Case(
        "local-of-one-use",
        call(replace(LOGGED, remarks=(NAMED,), producer=FUNCTIONAL)),
        OF_SOFTMAX,
        (Unwrap(LOG_OF_A_NAME, A_NAME), RenameCallee(INNER, "log_softmax")),
        SAFE,
    ),
    Case(
        "softmax-given-a-name-on-the-way",
        call(replace(LOGGED, remarks=(replace(PLAIN, sole_use=False),), producer=FUNCTIONAL)),
        OF_SOFTMAX,
    ),
    Case(
        "epsilon",
        call(replace(LOGGED, remarks=(replace(PLAIN, epsilon=True, guards=GUARDS),), producer=FUNCTIONAL)),
        WITH_EPSILON,
        (Unwrap(METHOD, INNER), *UNGUARDED, RenameCallee(INNER, "log_softmax")),
        UNSAFE,
    ),
    Case(
        "epsilon-and-detached",
        call(
            replace(
                LOGGED,
                carries_gradient=False,
                remarks=(replace(PLAIN, epsilon=True, guards=GUARDS),),
                producer=FUNCTIONAL,
            )
        ),
        WITH_EPSILON,
        (Unwrap(METHOD, INNER), *UNGUARDED, RenameCallee(INNER, "log_softmax")),
        UNSAFE,
    ),
    Case(
        "epsilon-out-of-reach",
        call(replace(LOGGED, remarks=(replace(PLAIN, epsilon=True),), producer=FUNCTIONAL)),
        WITH_EPSILON,
    ),
    Case(
        "module",
        call(replace(LOGGED, remarks=(PLAIN,), producer=softmax(name="Softmax", span=INNER, module_span=MODULE))),
        OF_SOFTMAX,
        (Unwrap(METHOD, INNER), RenameCallee(MODULE, "LogSoftmax")),
        SAFE,
    ),
    Case(
        "shared-module",
        call(replace(LOGGED, remarks=(PLAIN,), producer=softmax(name="Softmax", span=INNER, dim="1"))),
        OF_SOFTMAX,
        (Unwrap(METHOD, INNER), Replace(INNER, "F.log_softmax({0}, dim=1)", (LOGITS,))),
        SAFE,
    ),
    Case(
        "shared-module-of-a-module-call",
        replace(
            call(replace(LOGGED, remarks=(PLAIN,), producer=softmax(name="Softmax", span=INNER, dim="1"))),
            callee="self.kl_div",
        ),
        OF_SOFTMAX,
        (Unwrap(METHOD, INNER), Replace(INNER, "{0}.log_softmax(dim=1)", (LOGITS,))),
        SAFE,
    ),
    Case(
        "shared-module-without-dim",
        call(replace(LOGGED, remarks=(PLAIN,), producer=MODULE_WITHOUT_DIM)),
        OF_SOFTMAX,
    ),
    Case(
        "shared-module-with-the-dim-it-shows",
        call(argument(replace(LOGGED, remarks=(PLAIN,), producer=MODULE_WITHOUT_DIM), METHOD)),
        OF_SOFTMAX,
        (Unwrap(METHOD, INNER), Replace(INNER, "F.log_softmax({0}, dim=1)", (LOGITS,))),
        SAFE,
        METHOD,
    ),
    Case(
        "shared-module-with-the-dim-it-shows-in-a-local",
        call(
            argument(
                replace(LOGGED, remarks=(replace(NAMED, operand_unchanged=True),), producer=MODULE_WITHOUT_DIM),
                LOG_OF_A_NAME,
            )
        ),
        OF_SOFTMAX,
        (Unwrap(LOG_OF_A_NAME, A_NAME), Replace(INNER, "F.log_softmax({0}, dim=1)", (LOGITS,))),
        SAFE,
        LOG_OF_A_NAME,
    ),
    Case("producer-unknown", call(replace(LOGGED, remarks=(PLAIN,))), OF_SOFTMAX),
    *(
        Case(
            f"used-elsewhere{name}",
            call(
                replace(
                    LOGGED,
                    remarks=(replace(NAMED, sole_use=False, operand_unchanged=True, epsilon=epsilon),),
                    producer=softmax(span=INNER, callee="torch.softmax"),
                )
            ),
            WITH_EPSILON if epsilon else OF_SOFTMAX,
            (Replace(LOG_OF_A_NAME, "torch.log_softmax({0}, dim=-1)", (LOGITS,)),),
            UNSAFE if epsilon else SAFE,
        )
        for name, epsilon in (("", False), ("-with-epsilon", True))
    ),
    Case(
        "used-elsewhere-with-the-dim-it-shows",
        call(
            argument(
                replace(
                    LOGGED,
                    remarks=(replace(NAMED, sole_use=False, operand_unchanged=True),),
                    producer=softmax(span=INNER, dim=None),
                ),
                LOG_OF_A_NAME,
            )
        ),
        OF_SOFTMAX,
        (Replace(LOG_OF_A_NAME, "F.log_softmax({0}, dim=1)", (LOGITS,)),),
        SAFE,
        LOG_OF_A_NAME,
    ),
    Case(
        "target",
        call(LOG_PROBS, replace(LOGGED, remarks=(PLAIN,), producer=FUNCTIONAL), log_target=True),
        OF_SOFTMAX.replace("input to", "target of"),
        MERGED,
        SAFE,
        TARGET,
    ),
    Case(
        "both-one-with-epsilon",
        call(
            replace(LOGGED, remarks=(PLAIN,), producer=FUNCTIONAL),
            replace(LOGGED, remarks=(replace(PLAIN, epsilon=True, guards=GUARDS),), producer=FUNCTIONAL),
            log_target=True,
        ),
        OF_SOFTMAX,
        (*MERGED, *UNGUARDED),
        UNSAFE,
    ),
    Case(
        "in-another-file",
        call(replace(LOGGED, remarks=(replace(PLAIN, filename="m.py"),), producer=FUNCTIONAL)),
        OF_SOFTMAX,
    ),
    Case(
        "mixed",
        call(replace(LOGGED, mixed=True, remarks=(PLAIN,), producer=FUNCTIONAL)),
        OF_SOFTMAX,
    ),
)
def test_log_of_softmax(case: Case) -> None:
    assert_reported(LogOfSoftmax(), case)


@silences(
    Silent("no-remark", call(LOG_PROBS)),
    Silent("target-taken-for-probabilities", call(LOG_PROBS, replace(LOGGED, remarks=(PLAIN,), producer=FUNCTIONAL))),
    Silent("exponentiated-since", call(replace(PROBS, remarks=(PLAIN,), producer=FUNCTIONAL))),
    *(
        Silent(f"softmax-out-of-reach-{name}", call(replace(value, remarks=(named,), producer=FUNCTIONAL)))
        for name, value, named in (
            ("used-elsewhere", LOGGED, replace(NAMED, sole_use=False)),
            ("epsilon", LOGGED, replace(NAMED, epsilon=True)),
            ("mixed", replace(LOGGED, mixed=True), replace(NAMED, operand_unchanged=True)),
            (
                "detached",
                replace(LOGGED, carries_gradient=False),
                replace(NAMED, sole_use=False, operand_unchanged=True),
            ),
        )
    ),
)
def test_log_of_softmax_is_silent(case: Silent) -> None:
    assert LogOfSoftmax().check(case.call) is None


LOG2 = remark(RemarkKind.WRONG_LOG, detail="log2")


@table(
    Case(
        "input",
        call(replace(UNKNOWN, remarks=(LOG2,), trace=(step("log2"),))),
        "input to kl_div is the log2 of probabilities (log2, line 1); it takes natural log-probabilities: use log",
        (RenameCallee(OUTER, "log"),),
    ),
    Case(
        "target",
        call(LOG_PROBS, replace(UNKNOWN, remarks=(replace(LOG2, detail="log10"),)), log_target=True),
        "target of kl_div is the log10 of probabilities; it takes natural log-probabilities: use log",
        (RenameCallee(OUTER, "log"),),
        span=TARGET,
    ),
    Case(
        "in-another-file",
        call(replace(UNKNOWN, remarks=(replace(LOG2, filename="m.py"),))),
        "input to kl_div is the log2 of probabilities; it takes natural log-probabilities: use log",
    ),
    Case(
        "read-elsewhere",
        call(replace(UNKNOWN, remarks=(replace(LOG2, sole_use=False, operand_unchanged=True),))),
        "input to kl_div is the log2 of probabilities; it takes natural log-probabilities: use log",
        (Replace(INPUT, "{0}.log()", (OPERAND,)),),
    ),
    Case(
        "read-elsewhere-and-lost",
        call(replace(UNKNOWN, remarks=(replace(LOG2, sole_use=False),))),
        "input to kl_div is the log2 of probabilities; it takes natural log-probabilities: use log",
    ),
    Case(
        "one-of-two-out-of-reach",
        call(
            replace(UNKNOWN, remarks=(replace(LOG2, sole_use=False),)),
            replace(UNKNOWN, remarks=(LOG2,)),
            log_target=True,
        ),
        "target of kl_div is the log2 of probabilities; it takes natural log-probabilities: use log",
        (RenameCallee(OUTER, "log"),),
        span=TARGET,
    ),
)
def test_wrong_logarithm(case: Case) -> None:
    assert_reported(WrongLogarithm(), case)


@pytest.mark.parametrize("log_target", [False, None])
def test_wrong_logarithm_of_a_target_that_is_no_logarithm(log_target: bool | None) -> None:
    given = call(LOG_PROBS, replace(UNKNOWN, remarks=(LOG2,)), log_target=log_target)
    assert WrongLogarithm().check(given) is None


ONE_TERM = (
    "input to kl_div is one probability per element (logsigmoid, line 1), and the term of its complement, "
    "(1 - t) * log((1 - t) / (1 - p)), is missing: use binary_cross_entropy_with_logits, or stack p and 1 - p"
)
SIGMOID = remark(RemarkKind.BERNOULLI, detail="logsigmoid")


@table(
    Case("log-space", call(replace(LOG_PROBS, mass=Mass.BERNOULLI, trace=(step("logsigmoid"),))), ONE_TERM),
    Case("probabilities", call(replace(PROBS, mass=Mass.BERNOULLI, trace=(step("logsigmoid"),))), ONE_TERM),
    Case(
        "by-remark",
        call(replace(LOG_PROBS, mass=Mass.UNKNOWN, remarks=(SIGMOID,), trace=(step("logsigmoid"),))),
        ONE_TERM,
    ),
)
def test_bernoulli_with_one_term(case: Case) -> None:
    assert_reported(BernoulliWithOneTerm(), case)


@silences(
    Silent("normalised-since", call(replace(LOG_PROBS, remarks=(SIGMOID,)))),
    Silent("target-only", call(LOG_PROBS, replace(PROBS, mass=Mass.BERNOULLI))),
    Silent("swapped", call(replace(PROBS, mass=Mass.BERNOULLI), LOG_PROBS)),
    Silent(
        "log-of-log",
        call(replace(LOG_PROBS, mass=Mass.BERNOULLI, remarks=(remark(RemarkKind.LOG_OF_LOG),))),
    ),
)
def test_bernoulli_with_one_term_is_silent(case: Silent) -> None:
    assert BernoulliWithOneTerm().check(case.call) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(call(), [], id="right"),
        pytest.param(call(PROBS, LOG_PROBS), ["KLD401"], id="swapped"),
        pytest.param(call(replace(PROBS, mass=Mass.BERNOULLI)), ["KLD107"], id="sigmoid"),
        pytest.param(call(replace(PROBS, remarks=(LOG2,))), ["KLD106"], id="log2"),
        pytest.param(
            call(replace(PROBS, mass=Mass.CUT, remarks=(remark(RemarkKind.LOG_OF_LOG), LOG2, TWICE, PLAIN, SIGMOID))),
            ["KLD103"],
            id="log-of-log-and-everything",
        ),
        pytest.param(call(SCORES, SCORES), ["KLD102", "KLD303"], id="logits-twice"),
        pytest.param(call(PROBS, PROBS, log_target=True), ["KLD101", "KLD302"], id="both-the-wrong-way-round"),
        pytest.param(call(LOG_PROBS, LOG_PROBS), ["KLD301"], id="log-target-forgotten"),
        pytest.param(call(LOG_PROBS, LOG_PROBS, log_target=True), [], id="log-target-right"),
        pytest.param(call(LOG_PROBS, LOG_PROBS, log_target=None), [], id="log-target-unknown"),
        pytest.param(call(UNKNOWN, UNKNOWN, log_target=None), [], id="nothing-known"),
        pytest.param(call(replace(UNKNOWN, space=Space.PROBS)), ["KLD101"], id="probabilities-and-no-more"),
    ],
)
def test_one_misuse_one_code(given: KLCall, expected: list[str]) -> None:
    assert codes(given) == expected


def test_trace_ends_with_the_callers() -> None:
    traced = replace(call(INLINE), callers=(step("called from train", 20),))
    report = ProbabilitiesAsInput().check(traced)
    assert report is not None
    assert report.trace == (step("softmax"), step("called from train", 20))
    assert {one.filename for one in report.trace} == {FILE}


@pytest.mark.parametrize(
    ("rule", "kind", "value"),
    [
        pytest.param(LogOfLogProbabilities(), RemarkKind.LOG_OF_LOG, UNKNOWN, id="log-of-log"),
        pytest.param(NormalizedTwice(), RemarkKind.NORMALIZED_TWICE, LOG_PROBS, id="normalised-twice"),
        pytest.param(
            LogOfSoftmax(),
            RemarkKind.LOG_OF_SOFTMAX,
            replace(LOGGED, producer=softmax(span=INNER)),
            id="log-of-softmax",
        ),
        pytest.param(WrongLogarithm(), RemarkKind.WRONG_LOG, UNKNOWN, id="wrong-logarithm"),
    ],
)
def test_of_two_arguments_the_one_that_can_be_mended_is_reported(
    rule: CallRule, kind: RemarkKind, value: Distribution
) -> None:
    def given(**changes: object) -> Distribution:
        return replace(value, remarks=(remark(kind, detail="log2", **changes),))

    report = rule.check(call(given(filename="m.py"), given(), log_target=True))
    assert report is not None
    assert report.span == TARGET
    assert report.fix is not None


def test_a_dim_that_may_have_moved_since_is_not_written_for_the_softmax() -> None:
    """The argument is `[p.log().unsqueeze(0)][0]`, say: its dim is not that of the logits."""
    shared = replace(NAMED, sole_use=False, operand_unchanged=True)
    assert LogOfSoftmax().check(call(replace(LOGGED, remarks=(shared,), producer=softmax(span=INNER, dim=None)))) is None
