"""Findings as JSON: an array of objects with ruff's keys, which editors know, and a `trace`.

Rows and columns count from 1, columns in code points, the end exclusive. `filename` is absolute. A fix comes with the
replacements that make it; it is null where there is none, or none that can be made. In a notebook `cell` is the number
of the cell, those without code included, and rows count from its first one.
"""

from __future__ import annotations

import os

from kl_lint.reports.json_text import dump_as_it_is
from kl_lint.reports.mender import Mender
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding, Span, Step
    from kl_lint.reports import Context

__all__ = ["absolute", "in_cell", "render", "step"]


def render(findings: Sequence[Finding], context: Context) -> str:
    """The array, and a newline."""
    mender = Mender(context)
    return dump_as_it_is([_object(finding, context, mender) for finding in findings])


def _object(finding: Finding, context: Context, mender: Mender) -> dict[str, object]:
    cell, noqa_row = context.place(finding.filename, finding.noqa_row)
    return {
        "cell": cell,
        "code": finding.code,
        "name": finding.name,
        "severity": "error" if finding.code == INTERNAL_ERROR else "warning",
        "message": finding.message,
        "filename": absolute(finding.filename),
        **places(finding.filename, finding.span, context),
        "noqa_row": noqa_row,
        "url": finding.url,
        "fix": _fix(finding, context, mender),
        "related": [step(each, context) for each in finding.trace],
    }


def _fix(finding: Finding, context: Context, mender: Mender) -> dict[str, object] | None:
    edits = mender.edits(finding)
    if finding.fix is None or not edits:
        return None
    return {
        "applicability": finding.fix.applicability.value,
        "message": finding.fix.description,
        "edits": [{"content": edit.text, **in_cell(finding.filename, edit.span, context)} for edit in edits],
    }


def absolute(filename: str) -> str:
    """The absolute path of a file; a name such as `<stdin>` as it is."""
    return filename if filename.startswith("<") else os.path.abspath(filename)


def places(filename: str, span: Span, context: Context) -> dict[str, object]:
    """The keys `location` and `end_location` of a range."""
    _, row = context.place(filename, span.row)
    return {
        "location": {"row": row, "column": span.column},
        "end_location": {"row": span.end_row - span.row + row, "column": span.end_column},
    }


def in_cell(filename: str, span: Span, context: Context) -> dict[str, object]:
    """The keys of a range, and before them, in a notebook, `cell`: it may be another than the finding's."""
    cell, _ = context.place(filename, span.row)
    return {**({} if cell is None else {"cell": cell}), **places(filename, span, context)}


def step(each: Step, context: Context) -> dict[str, object]:
    """One step of a trace."""
    return {"what": each.what, "filename": absolute(each.filename), **in_cell(each.filename, each.span, context)}
