"""Findings as JUnit XML: a suite for each file, a failed test for each finding, one that passed where there are none.

A file that cannot be checked has a test with an error, one that was not checked to its end one that was skipped.

Written with the standard library: the format has neither a standard nor much in it, and a library for it would have
to be installed wherever the plugin is. What XML cannot hold, such as most control characters, is written as an escape.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kl_lint.reports.paths import here, located, relative
from kl_lint.reports.reasons import reasons
from kl_lint.reports.terminal import visible
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context
    from kl_lint.sources.problem import Problem

__all__ = ["render"]


def render(findings: Sequence[Finding], context: Context) -> str:
    """One document, in ASCII."""
    base = here()
    cases: dict[str, list[Element]] = {}
    for path, pairs in groupby(located(findings, base), key=lambda pair: pair[0]):
        cases[path] = list(_findings(visible(path), [finding for _, finding in pairs], context, base))
    for tag, kind, problems in (("error", "not-checked", context.problems), ("skipped", "incomplete", context.notes)):
        for problem in problems:
            path = relative(problem.path, base)
            cases.setdefault(path, []).append(_problem(visible(path), problem, tag, kind))
    every = [case for path in sorted(cases) for case in cases[path]] or [_passed()]
    suites = Element("testsuites", {"name": "kl-lint", **_counts(every)})
    for path in sorted(cases) or ["kl-lint"]:
        own = cases.get(path, every)
        SubElement(suites, "testsuite", {"name": visible(path), **_counts(own)}).extend(own)
    indent(suites)
    document: bytes = tostring(suites, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _counts(cases: Sequence[Element]) -> dict[str, str]:
    names = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in names.items()}
    return {name: str(count) for name, count in {"tests": len(cases), **counts}.items()}


def _passed() -> Element:
    return Element("testcase", {"classname": "kl-lint", "name": "no findings"})


def _findings(path: str, findings: Sequence[Finding], context: Context, base: str) -> Iterator[Element]:
    """A test for each finding in a file."""
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.code] += 1
        # a test is known by its name from one run to the next, so no line number is in it
        nth = f" ({seen[finding.code]})" if seen[finding.code] > 1 else ""
        case = _case(path, f"{finding.code} {finding.name}{nth}", context.file_row(finding.filename, finding.span.row))
        kind = "error" if finding.code == INTERNAL_ERROR else "failure"
        message = visible(finding.message)
        failure = SubElement(case, kind, {"type": finding.code, "message": message})
        cell, row = context.place(finding.filename, finding.span.row)
        place = f"line {row}, column {finding.span.column}: {finding.code} {message}"
        if cell is not None:
            place = f"cell {cell}, {place}"
        failure.text = "\n- ".join([place, *reasons(finding, context, base)])
        yield case


def _problem(path: str, problem: Problem, tag: str, kind: str) -> Element:
    """A test for a file that was not checked, or not to its end."""
    case = _case(path, kind, problem.row)
    SubElement(case, tag, {"type": kind, "message": visible(f"{problem.what}; {problem.remedy}")})
    return case


def _case(path: str, name: str, row: int | None) -> Element:
    place = {} if row is None else {"line": str(row)}
    return Element("testcase", {"classname": os.path.splitext(path)[0], "name": name, "file": path, **place})
