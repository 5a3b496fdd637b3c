"""Findings as JUnit XML: a suite for each file, a failed test for each finding, one that passed where there are none.

Written with the standard library: the format has neither a standard nor much in it, and a library for it would have
to be installed wherever the plugin is. What XML cannot hold, such as most control characters, is written as an escape.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kl_lint.reports.paths import here, located
from kl_lint.reports.reasons import reasons
from kl_lint.reports.terminal import visible
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context

__all__ = ["render"]


def render(findings: Sequence[Finding], context: Context) -> str:
    """One document, in ASCII."""
    base = here()
    suites = Element("testsuites", {"name": "kl-lint", **_counts(findings)})
    for path, pairs in groupby(located(findings, base), key=lambda pair: pair[0]):
        _add_suite(suites, path, [finding for _, finding in pairs], context, base)
    if not findings:
        suite = SubElement(suites, "testsuite", {"name": "kl-lint", **_counts(findings)})
        SubElement(suite, "testcase", {"classname": "kl-lint", "name": "no findings"})
    indent(suites)
    document: bytes = tostring(suites, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _counts(findings: Sequence[Finding]) -> dict[str, str]:
    errors = sum(finding.code == INTERNAL_ERROR for finding in findings)
    return {"tests": str(len(findings) or 1), "failures": str(len(findings) - errors), "errors": str(errors)}


def _add_suite(suites: Element, path: str, findings: Sequence[Finding], context: Context, base: str) -> None:
    shown = visible(path)
    suite = SubElement(suites, "testsuite", {"name": shown, **_counts(findings)})
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.code] += 1
        # a test is known by its name from one run to the next, so no line number is in it
        nth = f" ({seen[finding.code]})" if seen[finding.code] > 1 else ""
        attributes = {
            "classname": os.path.splitext(shown)[0],
            "name": f"{finding.code} {finding.name}{nth}",
            "file": shown,
            "line": str(context.file_row(finding.filename, finding.span.row)),
        }
        kind = "error" if finding.code == INTERNAL_ERROR else "failure"
        message = visible(finding.message)
        failure = SubElement(
            SubElement(suite, "testcase", attributes), kind, {"type": finding.code, "message": message}
        )
        cell, row = context.place(finding.filename, finding.span.row)
        place = f"line {row}, column {finding.span.column}: {finding.code} {message}"
        if cell is not None:
            place = f"cell {cell}, {place}"
        failure.text = "\n- ".join([place, *reasons(finding, context, base)])
