"""Where callers differ, the report goes to those that are wrong, and names the call they feed."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from kl_lint.engine import check_text
from kl_lint.finding import Span
from kl_lint.flow.kl_call import Caller, Context, KLCall, Reduction, Settings, Site
from kl_lint.rules import judge
from tests.rules.facts import PROBS, UNKNOWN, Facts, call

HEAD = """\
import torch.nn.functional as F
from torch import nn
def _kl(a, b):
    return F.kl_div(a, b, reduction="batchmean")
"""

PROGRAMS = {
    "one of two": (
        """
        def wrong(s, t):
            return _kl(F.softmax(s, -1), F.softmax(t, -1))
        def right(s, t):
            return _kl(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        {(7, "KLD101")},
    ),
    "two of three": (
        """
        def wrong(s, t):
            return _kl(F.softmax(s, -1), F.softmax(t, -1))
        def wrong_too(s, t):
            p = s.softmax(-1)
            return 0.5 * _kl(p, F.softmax(t, -1))
        def right(s, t):
            return _kl(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        {(7, "KLD101"), (10, "KLD101")},
    ),
    "wrong in different ways": (
        """
        def wrong(s, t):
            return _kl(F.softmax(s, -1), F.softmax(t, -1))
        def wrong_too(s, t):
            return _kl(F.log_softmax(s, -1), F.log_softmax(t, -1))
        """,
        {(7, "KLD101"), (9, "KLD301")},
    ),
    "all of them": (
        """
        def wrong(s, t):
            return _kl(F.softmax(s, -1), F.softmax(t, -1))
        def wrong_too(s, t):
            return _kl(F.softmax(s, 1), F.softmax(t, 1))
        """,
        {(4, "KLD101")},
    ),
    "the others unknown": (
        """
        def wrong(s, t):
            return _kl(F.softmax(s, -1), F.softmax(t, -1))
        def unknown(s, t):
            return _kl(s, t)
        """,
        {(7, "KLD101")},
    ),
    "through a function that passes on": (
        """
        def inner(a, b):
            return _kl(a, b)
        def wrong(s, t):
            return inner(F.softmax(s, -1), F.softmax(t, -1))
        def right(s, t):
            return inner(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        {(9, "KLD101")},
    ),
    "all through a function that passes on": (
        """
        def inner(a, b):
            return _kl(a, b)
        def wrong(s, t):
            return inner(F.softmax(s, -1), F.softmax(t, -1))
        """,
        {(4, "KLD101")},
    ),
    "the function between is at fault": (
        """
        def inner(a, b):
            return _kl(F.softmax(a, -1), b)
        def caller(s, t):
            return inner(s, F.softmax(t, -1))
        def right(s, t):
            return _kl(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        {(7, "KLD101")},
    ),
    "methods": (
        """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.kl = nn.KLDivLoss(reduction="batchmean")
            def term(self, a, b):
                return self.kl(a, b)
            def forward(self, s, t):
                return self.term(F.log_softmax(s, -1), F.softmax(t, -1)) + self.term(
                    F.log_softmax(t, -1), F.log_softmax(s, -1)
                )
        """,
        {(13, "KLD301")},
    ),
    "one call, right and wrong": (
        """
        def both(s, t):
            loss = 0
            for p in (F.softmax(s, -1), F.log_softmax(s, -1)):
                loss = loss + _kl(p, F.softmax(t, -1))
            return loss
        """,
        set(),
    ),
    "a branch of the caller is right": (
        """
        def perhaps(s, t, flag):
            p = F.softmax(s, -1)
            if flag:
                p = F.log_softmax(s, -1)
            return _kl(p, F.softmax(t, -1))
        def right(s, t):
            return _kl(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        set(),
    ),
    "a call made with the same arguments twice": (
        """
        def wrong(s, t):
            p, q = F.softmax(s, -1), F.softmax(t, -1)
            return _kl(p, q) + 2 * _kl(p, q)
        def right(s, t):
            return _kl(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        {(8, "KLD101")},
    ),
    "a Bernoulli term and its complement": (
        """
        def loss(s, t):
            return _kl(F.logsigmoid(s), t.sigmoid()) + _kl(F.logsigmoid(-s), 1 - t.sigmoid())
        def right(s, t):
            return _kl(F.log_softmax(s, -1), F.softmax(t, -1))
        """,
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PROGRAMS.values(), ids=PROGRAMS.keys())
def test_who_is_reported(text: str, expected: set[tuple[int, str]]) -> None:
    findings = check_text(HEAD + textwrap.dedent(text), "loss.py")[0]
    assert {(finding.span.row, finding.code) for finding in findings} == expected


def test_both_calls_with_the_same_arguments_are_told() -> None:
    text, _ = PROGRAMS["a call made with the same arguments twice"]
    findings = check_text(HEAD + textwrap.dedent(text), "loss.py")[0]
    assert [finding.span.column for finding in findings] == [12, 28]


def test_the_report_names_the_call_it_feeds() -> None:
    text, _ = PROGRAMS["one of two"]
    (finding,) = check_text(HEAD + textwrap.dedent(text), "loss.py")[0]
    assert finding.message == (
        "_kl feeds kl_div at line 4: input to kl_div is probabilities (softmax, line 7); it takes log-probabilities: use log_softmax"
    )
    assert finding.span == Span(7, 12, 7, 51)
    assert finding.noqa_row == 7
    assert [(step.what, step.span.row) for step in finding.trace] == [("softmax", 7), ("called here", 7)]
    assert finding.fix is None
    assert finding.alternatives == ()


# --- on facts made by hand -------------------------------------------------------------------------------------------


def caller(row: int, filename: str = "losses.py", *, followed: bool = True) -> Caller:
    return Caller(filename, Span(row, 1, row, 9), "_kl", followed)


def codes(*contexts: tuple[KLCall, tuple[tuple[Caller, ...], ...]]) -> list[tuple[str, int]]:
    found = tuple(Context((variant,), entry=False, chains=chains) for variant, chains in contexts)
    site = Site(found[0].variants[0].kind, found[0].variants[0].span, found)
    return [(finding.code, finding.span.row) for finding in judge(Facts((site,)))]


WRONG, RIGHT, BLANK = call(PROBS), call(), call(UNKNOWN, UNKNOWN)


def test_a_call_that_was_not_followed_everywhere_is_not_blamed() -> None:
    right = (RIGHT, ((caller(50),),))
    assert codes((WRONG, ((caller(60),),)), right) == [("KLD101", 60)]
    assert codes((WRONG, ((caller(60, followed=False),),)), right) == []
    assert codes((WRONG, ((caller(70), caller(60, followed=False)),)), right) == [("KLD101", 70)]


def test_a_call_that_also_leads_to_what_is_right_is_not_blamed() -> None:
    right = (RIGHT, ((caller(70), caller(50)), (caller(70), caller(60))))
    assert codes((WRONG, ((caller(70), caller(60)),)), right) == []


def test_nobody_is_blamed_where_the_chains_are_not_known() -> None:
    assert codes((WRONG, ((caller(60),),)), (RIGHT, ())) == []
    assert codes((WRONG, ()), (RIGHT, ((caller(50),),))) == []


def test_a_context_that_callers_of_its_function_stand_for_has_no_say() -> None:
    assert codes((WRONG, ((caller(60), caller(40)),)), (BLANK, ((caller(40),),))) == [("KLD101", 10)]
    assert codes((WRONG, ((caller(60), caller(40)),)), (BLANK, ((caller(40),), (caller(45),)))) == [("KLD101", 60)]


def test_a_caller_in_another_file_is_named_at_the_call() -> None:
    site = [(WRONG, ((caller(60, "train.py"),),)), (RIGHT, ((caller(50),),))]
    assert codes(*site) == [("KLD101", 10)]
    contexts = tuple(Context((variant,), entry=False, chains=chains) for variant, chains in site)
    (finding,) = judge(Facts((Site(WRONG.kind, WRONG.span, contexts),)))
    assert finding.filename == "losses.py"
    assert finding.span.row == finding.noqa_row == 10
    assert finding.message.startswith("as called by _kl (train.py line 60): input to kl_div is probabilities")
    assert [(step.filename, step.span.row) for step in finding.trace] == [("train.py", 60)]
    assert finding.fix is None


def test_what_no_caller_decides_is_not_blamed_on_one() -> None:
    mean = replace(RIGHT, settings=Settings(), reduction=Reduction.MEAN)
    assert codes((mean, ((caller(60),),))) == [("KLD201", 10)]
    assert codes((mean, ((caller(60),),)), (RIGHT, ((caller(50),),))) == []
