"""KLD6xx on facts made by hand."""

from __future__ import annotations

import pytest

from kl_lint.finding import Applicability, Replace, Span
from kl_lint.flow.kl_call import Handwritten
from kl_lint.rules.handwritten import HandwrittenDivergence
from tests.rules.facts import FILE

SPAN = Span(4, 8, 4, 40)
TERMS = Span(4, 9, 4, 30)


@pytest.mark.parametrize(
    ("expression", "place", "source", "applicability"),
    [
        pytest.param(
            Handwritten(SPAN, FILE, "p", "log_q", total=True, terms=TERMS, functional="F"),
            SPAN,
            'F.kl_div(log_q, p, reduction="sum")',
            Applicability.SAFE,
            id="total",
        ),
        pytest.param(
            Handwritten(SPAN, FILE, "p", "q.log()", total=False, terms=TERMS, functional="torch.nn.functional"),
            TERMS,
            'torch.nn.functional.kl_div(q.log(), p, reduction="none")',
            Applicability.SAFE,
            id="along-a-dim",
        ),
        pytest.param(
            Handwritten(SPAN, FILE, "p", "log_q", total=True, terms=TERMS, exact=False, functional="F"),
            SPAN,
            'F.kl_div(log_q, p, reduction="sum")',
            Applicability.UNSAFE,
            id="epsilon",
        ),
        pytest.param(
            Handwritten(SPAN, FILE, "p[{}[0]]", "log_q", total=True, terms=TERMS, functional="F"),
            SPAN,
            'F.kl_div(log_q, p[{{}}[0]], reduction="sum")',
            Applicability.SAFE,
            id="braces",
        ),
    ],
)
def test_handwritten_divergence(
    expression: Handwritten, place: Span, source: str, applicability: Applicability
) -> None:
    report = HandwrittenDivergence().check(expression)
    assert report is not None
    assert report.span == report.host == SPAN
    assert report.fix is not None
    assert report.fix.edits == (Replace(place, source),)
    assert report.fix.applicability is applicability


def test_no_fix_where_the_terms_are_out_of_reach() -> None:
    report = HandwrittenDivergence().check(Handwritten(SPAN, FILE, "p", "log_q", total=False, functional="F"))
    assert report is not None
    assert report.fix is None


def test_no_fix_where_nothing_is_imported() -> None:
    report = HandwrittenDivergence().check(Handwritten(SPAN, FILE, "p", "log_q", total=True, terms=TERMS))
    assert report is not None
    assert report.fix is None
    assert report.message == (
        "a divergence is written out by hand, and nan where a probability is zero: "
        'use F.kl_div(log_q, p, reduction="sum")'
    )


def test_it_is_off_by_default() -> None:
    assert HandwrittenDivergence().opt_in
