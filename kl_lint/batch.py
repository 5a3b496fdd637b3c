"""Many files: each is read, searched, decoded, checked and relieved of what its comments silence.

What is done to one file depends on that file and on the request alone, and its outcome holds all that a report needs.
"""

from __future__ import annotations

import sys

from kl_lint.engine import check_text, inspect_text, mentions, split_lines
from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.inspection import Row
    from kl_lint.selection import Selection
    from kl_lint.sources.files import File, Stdin

__all__ = ["Outcome", "check", "check_bytes", "inspect", "inspect_bytes"]


class Outcome:
    """What came of one file: its findings (or rows), its lines where a report may want to show them, its problem."""

    __slots__ = ("findings", "lines", "path", "problem", "rows")

    def __init__(
        self,
        path: str,
        *,
        findings: Sequence[Finding] = (),
        rows: Sequence[Row] = (),
        lines: Sequence[str] = (),
        problem: Problem | None = None,
    ) -> None:
        self.path = path
        self.findings = findings
        self.rows = rows
        self.lines = lines
        self.problem = problem


def check(source: File | Stdin, selection: Selection) -> Outcome | None:
    """The findings in one file; None where there is nothing to tell, which is nearly always."""
    try:
        data = source.read()
        if not mentions(data, selection.enable) or source.ignored:
            return None
        return check_bytes(source.path, data, selection)
    except Problem as problem:
        return None if source.ignored else Outcome(source.path, problem=problem)


def inspect(source: File | Stdin) -> Outcome | None:
    """What the KL divergences of one file compute; None where there are none."""
    try:
        data = source.read()
        if not mentions(data) or source.ignored:
            return None
        return inspect_bytes(source.path, data)
    except Problem as problem:
        return None if source.ignored else Outcome(source.path, problem=problem)


def check_bytes(path: str, data: bytes, selection: Selection) -> Outcome | None:
    """The findings in `data`, the content of `path`. Raises Problem where it cannot be decoded or parsed."""
    text = _decode(data, path)
    try:
        found = check_text(text, path, enable=selection.enable, across=True)
    except SyntaxError as error:
        raise _not_python(path, error) from error
    findings = [finding for finding in found if selection.keeps(finding.code)]
    if not findings:
        return None
    lines = split_lines(text)
    return Outcome(path, findings=_audible(findings, lines), lines=lines)


def inspect_bytes(path: str, data: bytes) -> Outcome:
    """What the KL divergences in `data`, the content of `path`, compute. Raises Problem where nobody can tell."""
    text = _decode(data, path)
    try:
        return Outcome(path, rows=inspect_text(text, path, across=True), lines=split_lines(text))
    except SyntaxError as error:
        raise _not_python(path, error) from error
    except Exception as error:
        what = f"could not be analysed ({type(error).__name__}: {error})"
        raise Problem(path, what, "this is a mistake of kl-lint's own, please report it") from error


def _decode(data: bytes, path: str) -> str:
    from kl_lint.sources.decoding import decode

    return decode(data, path).text


def _audible(findings: Sequence[Finding], lines: Sequence[str]) -> Sequence[Finding]:
    """The findings that no comment silences."""
    if not any("noqa" in line.lower() for line in lines):
        return findings
    from kl_lint.sources.noqa import Noqa

    noqa = Noqa(lines)
    return [finding for finding in findings if not noqa.silences(finding.code, finding.noqa_row)]


def _not_python(path: str, error: SyntaxError) -> Problem:
    if error.lineno is None:
        return Problem(path, f"cannot be parsed ({error.msg})", "mend it, or leave it out with --extend-exclude")
    version = ".".join(map(str, sys.version_info[:2]))
    return Problem(
        path,
        f"is not valid Python {version} ({error.msg})",
        "mend it, or run kl-lint with the Python that it is written for",
        error.lineno,
    )
