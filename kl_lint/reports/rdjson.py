"""Findings in the Reviewdog Diagnostic Format, for reviewdog to comment on changes with.

https://github.com/reviewdog/reviewdog/tree/master/proto/rdf defines it. reviewdog rejects a report with a member that
its version does not know, so there are none but the oldest. Columns count bytes of UTF-8.
"""

from __future__ import annotations

from itertools import pairwise

from kl_lint.finding import RULE_PAGES, Applicability, Span
from kl_lint.reports.columns import utf8_column
from kl_lint.reports.json_text import dump
from kl_lint.reports.mender import Mender
from kl_lint.reports.paths import here, located
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context
    from kl_lint.rewriting import TextEdit

__all__ = ["render"]


def render(findings: Sequence[Finding], context: Context) -> str:
    """One object with all findings."""
    mender = Mender(context)
    return dump(
        {
            "source": {"name": "kl-lint", "url": RULE_PAGES},
            "severity": "WARNING",
            "diagnostics": [_diagnostic(path, finding, context, mender) for path, finding in located(findings, here())],
        }
    )


def _diagnostic(path: str, finding: Finding, context: Context, mender: Mender) -> dict[str, object]:
    """The finding; in a notebook at the rows of its JSON, whose columns say nothing to a reader."""
    lines, span = context.lines.get(finding.filename, ()), finding.span
    if finding.filename in context.cells:
        first, last = (context.file_row(finding.filename, row) for row in (span.row, span.end_row))
        lines, span = (), Span(first, 1, last, 1)
    return {
        "message": context.told(finding),
        "location": {"path": path, "range": _range(span, lines)},
        "severity": "ERROR" if finding.code == INTERNAL_ERROR else "WARNING",
        "code": {"value": finding.code, "url": finding.url},
        "suggestions": _suggestions(finding, context, mender),
    }


def _suggestions(finding: Finding, context: Context, mender: Mender) -> list[dict[str, object]]:
    """The fix, where it may be applied. Each suggestion is one that can be taken alone: all edits become one.

    There is none where the edits are in several cells of a notebook, since all that is between them would go with it.
    """
    if finding.fix is None or finding.fix.applicability is Applicability.DISPLAY:
        return []
    cells = {context.place(finding.filename, edit.span.row)[0] for edit in mender.edits(finding)}
    edits = mender.edits_of_file(finding) if len(cells) == 1 else ()
    if not edits:
        return []
    lines = mender.lines_of_file(finding.filename)
    first, last = edits[0].span, edits[-1].span
    span = Span(first.row, first.column, last.end_row, last.end_column)
    return [{"range": _range(span, lines), "text": _joined(edits, lines)}]


def _joined(edits: Sequence[TextEdit], lines: Sequence[str]) -> str:
    """The new text from the first edit to the last, with what stands between them."""
    text = edits[0].text
    for before, after in pairwise(edits):
        text += _between(before.span, after.span, lines) + after.text
    return text


def _between(before: Span, after: Span, lines: Sequence[str]) -> str:
    """What stands between two ranges."""
    if before.end_row == after.row:
        return lines[after.row - 1][before.end_column - 1 : after.column - 1]
    first, last = lines[before.end_row - 1][before.end_column - 1 :], lines[after.row - 1][: after.column - 1]
    return "".join([first, *lines[before.end_row : after.row - 1], last])


def _range(span: Span, lines: Sequence[str]) -> dict[str, object]:
    """The range; its rows alone where the lines, without which no bytes can be counted, are not at hand."""
    if not lines:
        return {"start": {"line": span.row}, "end": {"line": span.end_row}}
    return {
        "start": _position(span.row, span.column, lines),
        "end": _position(span.end_row, span.end_column, lines),
    }


def _position(row: int, column: int, lines: Sequence[str]) -> dict[str, int]:
    line = lines[row - 1] if row <= len(lines) else ""
    return {"line": row, "column": utf8_column(line, column)}
