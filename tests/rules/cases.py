"""Tables of cases: a call, and what one rule has to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from kl_lint.finding import Applicability, Edit, Span
from kl_lint.flow.kl_call import KLCall
from kl_lint.rules import CALL_RULES
from kl_lint.rules.base import CallRule, Report
from tests.rules.facts import INPUT

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


@dataclass(frozen=True)
class Case:
    """`message` is the report's message in full; `edits` those of its fix, none where there is no fix."""

    name: str
    call: KLCall
    message: str
    edits: tuple[Edit, ...] = ()
    applicability: Applicability = UNSAFE
    span: Span = INPUT
    alternatives: tuple[tuple[Edit, ...], ...] = ()


@dataclass(frozen=True)
class Silent:
    """A call of which the rule has nothing to say."""

    name: str
    call: KLCall


def table(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in _distinct(cases)])


def silences(*cases: Silent) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in _distinct(cases)])


def _distinct(cases: Sequence[Case] | Sequence[Silent]) -> Sequence[Case] | Sequence[Silent]:
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), names
    return cases


def assert_reported(rule: CallRule, case: Case) -> None:
    report = rule.check(case.call)
    assert report is not None
    assert report.message == case.message
    assert report.span == case.span
    assert (report.fix.edits if report.fix is not None else ()) == case.edits
    assert report.fix is None or report.fix.applicability is case.applicability
    assert tuple(fix.edits for fix in report.alternatives) == case.alternatives


def codes(call: KLCall) -> list[str]:
    """The codes of every rule, opt-in ones too, that has something to say of a call."""
    return [rule.code for rule in CALL_RULES if rule.check(call) is not None]


def checked(rule: CallRule, call: KLCall) -> Report:
    report = rule.check(call)
    assert report is not None
    return report
