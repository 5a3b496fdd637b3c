"""Findings as their readers want them: one module for each format, each a function `render(findings, context)`."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kl_lint.finding import Finding
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

    `lines` are the lines of each file that has findings, by its name; `checked` is the number of files looked at;
    `color` says that the reader is a terminal that shows colours. `problems` say of which files the findings are
    missing, `notes` of which they may be. Both have been told on standard error, and go where a format has a place.
    """

    __slots__ = ("checked", "color", "lines", "notes", "problems")

    def __init__(
        self,
        lines: Mapping[str, Sequence[str]],
        *,
        checked: int = 0,
        color: bool = False,
        problems: Sequence[Problem] = (),
        notes: Sequence[Problem] = (),
    ) -> None:
        self.lines = lines
        self.checked = checked
        self.color = color
        self.problems = problems
        self.notes = notes


def render(name: str, findings: Sequence[Finding], context: Context) -> str:
    """The report on `findings` in the format called `name`: whole lines, or nothing. Raises KeyError for no format."""
    from importlib import import_module

    report: Callable[[Sequence[Finding], Context], str] = import_module(REPORTS[name]).render
    return report(findings, context)
