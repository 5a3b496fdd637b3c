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
    return dump([_object(*each) for each in fingerprints(located(findings, root()), context.lines)])


def _object(path: str, finding: Finding, fingerprint: str) -> dict[str, object]:
    span = finding.span
    return {
        "description": f"{finding.code}: {finding.message}",
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": "critical" if finding.code == INTERNAL_ERROR else "major",
        "location": {
            "path": path,
            "positions": {
                "begin": {"line": span.row, "column": span.column},
                "end": {"line": span.end_row, "column": span.end_column},
            },
        },
    }
