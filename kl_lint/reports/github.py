"""Findings as workflow commands of GitHub Actions, which shows them beside the lines they are about.

GitHub takes columns only for a range within one line of the file
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
"""

from __future__ import annotations

from kl_lint.reports.paths import located, root
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
    """One command, which is one line, for each finding."""
    base = root()
    return "".join(f"{_command(path, finding, context, base)}\n" for path, finding in located(findings, base))


def _command(path: str, finding: Finding, context: Context, base: str) -> str:
    level = "error" if finding.code == INTERNAL_ERROR else "warning"
    properties = {"title": f"kl-lint ({finding.code})", "file": visible(path), **_range(finding, context)}
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(_message(path, finding, context, base))}"


def _range(finding: Finding, context: Context) -> dict[str, int]:
    span = finding.span
    if span.row != span.end_row or finding.filename in context.cells:
        rows = [context.file_row(finding.filename, row) for row in (span.row, span.end_row)]
        return {"line": rows[0], "endLine": rows[1]}
    return {"line": span.row, "col": span.column, "endLine": span.end_row, "endColumn": span.end_column}


def _message(path: str, finding: Finding, context: Context, base: str) -> str:
    """The headline, for who reads the log, and what else there is to say in lines of its own."""
    spot = f"{context.spot(finding.filename, finding.span.row)}:{finding.span.column}"
    headline = f"{path}:{spot}: {finding.code} {finding.message}"
    return "\n  ".join([visible(headline), *reasons(finding, context, base)])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
