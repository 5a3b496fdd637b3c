"""The rules, and the judge that puts them to the facts.

A new rule is one class in the module of its family; the registry below lists the families.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kl_lint.finding import Finding
from kl_lint.flow.kl_call import Handwritten, Site
from kl_lint.rules.base import CallRule, HandwrittenRule, Report, Rule
from kl_lint.rules.handwritten import HANDWRITTEN_RULES
from kl_lint.rules.inputs import INPUT_RULES, BernoulliWithOneTerm
from kl_lint.rules.normalization import NORMALIZATION_RULES
from kl_lint.rules.order import ORDER_RULES
from kl_lint.rules.reductions import OF_MEANS, REDUCTION_RULES
from kl_lint.rules.targets import TARGET_RULES
from kl_lint.rules.verdict import judge_site, with_written_settings, without_contested_fixes, without_paired_terms
from kl_lint.selection import enables

__all__ = ["CALL_RULES", "CODES", "HANDWRITTEN_RULES", "RULES", "Rule", "judge", "rule"]

CALL_RULES: tuple[CallRule, ...] = (*INPUT_RULES, *REDUCTION_RULES, *TARGET_RULES, *ORDER_RULES, *NORMALIZATION_RULES)
RULES: tuple[Rule, ...] = (*CALL_RULES, *HANDWRITTEN_RULES)
"""Every rule, sorted by code."""
CODES: tuple[str, ...] = tuple(one.code for one in RULES)


class Facts(Protocol):
    """What the analysis of a file found."""

    @property
    def sites(self) -> Sequence[Site]:
        """The KL calls and the constructions of their modules."""

    @property
    def handwritten(self) -> Sequence[Handwritten]:
        """The divergences written out by hand."""


def rule(code: str) -> Rule:
    """The rule of that code. Raises KeyError where there is none."""
    for one in RULES:
        if one.code == code:
            return one
    raise KeyError(code)


def judge(facts: Facts, *, enable: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """What is wrong, by position, then code.

    `enable` holds codes, or beginnings of codes, of the opt-in rules that are to count; the others always do.
    """
    rules = [one for one in CALL_RULES if _counts(one, enable)]
    verdicts = [judge_site(site, rules) for site in with_written_settings(facts.sites)]
    verdicts = without_contested_fixes(without_paired_terms(verdicts, BernoulliWithOneTerm.code, OF_MEANS))
    findings = [
        _finding(one, verdict.calls[0].filename, report)
        for verdict in verdicts
        for one in rules
        for report in verdict.of(one.code)
    ]
    findings += _handwritten(facts.handwritten, [one for one in HANDWRITTEN_RULES if _counts(one, enable)])
    once = {(finding.code, finding.span): finding for finding in reversed(findings)}
    return tuple(sorted(once.values(), key=lambda finding: (finding.span.row, finding.span.column, finding.code)))


def _handwritten(expressions: Sequence[Handwritten], rules: Sequence[HandwrittenRule]) -> list[Finding]:
    reports = [(one, expression, one.check(expression)) for expression in expressions for one in rules]
    return [_finding(one, expression.filename, report) for one, expression, report in reports if report is not None]


def _counts(one: Rule, enable: frozenset[str]) -> bool:
    return not one.opt_in or enables(enable, one.code)


def _finding(one: Rule, filename: str, report: Report) -> Finding:
    return Finding(
        code=one.code,
        name=one.name,
        message=report.message,
        filename=filename,
        span=report.span,
        noqa_row=report.host.row,
        trace=report.trace,
        fix=report.fix,
        alternatives=report.alternatives,
    )
