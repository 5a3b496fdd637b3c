"""Findings as their readers want them: one module for each format, each a function `render(findings, context)`."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kl_lint.finding import Applicability, Finding
    from kl_lint.sources.cells import Cells
    from kl_lint.sources.problem import Problem

__all__ = ["COUNTED", "DOCUMENTS", "REPORTS", "Context", "render"]

REPORTS = {
    "full": "kl_lint.reports.full",
    "concise": "kl_lint.reports.concise",
    "json": "kl_lint.reports.json_report",
    "sarif": "kl_lint.reports.sarif",
    "github": "kl_lint.reports.github",
    "gitlab": "kl_lint.reports.gitlab",
    "junit": "kl_lint.reports.junit",
    "rdjson": "kl_lint.reports.rdjson",
}
"""The formats by name, and the modules that write them, which are loaded when they are asked for."""

DOCUMENTS = ("json", "sarif", "gitlab", "junit", "rdjson")
"""The formats whose reports are whole documents, which their readers expect even where there is nothing to report."""

COUNTED = ("full", "concise", "json")
"""The formats in which there are statistics."""


class Context:
    """What a report may need to know beside the findings.

    `lines` are the lines of each file that has findings, by its name; `cells` are those of each that is a notebook;
    `checked` is the number of files looked at; `color` says that the reader is a terminal that shows colours; `ready`
    are the kinds of fixes that `--fix` would make under the same options.
    `problems` say of which files the findings are missing, `notes` of which they may be. Both have been told on
    standard error, and go where a format has a place.
    """

    __slots__ = ("cells", "checked", "color", "lines", "notes", "problems", "ready")

    def __init__(
        self,
        lines: Mapping[str, Sequence[str]],
        *,
        checked: int = 0,
        color: bool = False,
        ready: Collection[Applicability] = (),
        problems: Sequence[Problem] = (),
        notes: Sequence[Problem] = (),
        cells: Mapping[str, Cells] | None = None,
    ) -> None:
        self.lines = lines
        self.cells = cells or {}
        self.checked = checked
        self.color = color
        self.ready = ready
        self.problems = problems
        self.notes = notes

    def place(self, filename: str, row: int) -> tuple[int | None, int]:
        """Where a reader finds a row: the number of the notebook's cell, None in other files, and the row there."""
        cells = self.cells.get(filename)
        return cells.place(row) if cells else (None, row)

    def spot(self, filename: str, row: int) -> str:
        """A row as a headline has it behind the name of the file: `12`, or `cell 3:2`."""
        cells = self.cells.get(filename)
        return cells.spot(row) if cells else str(row)

    def told(self, finding: Finding) -> str:
        """The message of a finding, for a reader of the file itself: with its place in a cell, if there is one."""
        cell, row = self.place(finding.filename, finding.span.row)
        return finding.message if cell is None else f"cell {cell}, line {row}: {finding.message}"

    def file_row(self, filename: str, row: int) -> int:
        """The row of the file itself, which for a notebook is that of its JSON."""
        cells = self.cells.get(filename)
        return cells.file_row(row) if cells else row


def render(name: str, findings: Sequence[Finding], context: Context) -> str:
    """The report on `findings` in the format called `name`: whole lines, or nothing. Raises KeyError for no format."""
    from importlib import import_module

    report: Callable[[Sequence[Finding], Context], str] = import_module(REPORTS[name]).render
    return report(findings, context)
