"""Findings as a Code Quality report of GitLab, which compares it with the report on the branch to be merged into.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format lists the members. GitLab knows findings by
their fingerprints, and drops all but one of those that share one.
"""

from __future__ import annotations

from kl_lint.reports.fingerprints import fingerprints
from kl_lint.reports.json_text import dump
from kl_lint.reports.paths import located, root
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context

__all__ = ["render"]


def render(findings: Sequence[Finding], context: Context) -> str:
    """An array with one object for each finding."""
    return dump([_object(*each, context) for each in fingerprints(located(findings, root()), context.lines)])


def _object(path: str, finding: Finding, fingerprint: str, context: Context) -> dict[str, object]:
    return {
        "description": f"{finding.code}: {context.told(finding)}",
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": "critical" if finding.code == INTERNAL_ERROR else "major",
        "location": {
            "path": path,
            **_range(finding, context),
        },
    }


def _range(finding: Finding, context: Context) -> dict[str, object]:
    """Where the finding is: in a notebook, the lines of its JSON alone."""
    span = finding.span
    if finding.filename in context.cells:
        first, last = (context.file_row(finding.filename, row) for row in (span.row, span.end_row))
        return {"lines": {"begin": first, "end": last}}
    begin = {"line": span.row, "column": span.column}
    end = {"line": span.end_row, "column": span.end_column}
    return {"positions": {"begin": begin, "end": end}}
