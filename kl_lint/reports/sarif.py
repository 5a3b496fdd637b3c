"""Findings as SARIF 2.1.0, which code scanning services and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html is the standard; the
numbers in comments are of its sections. Columns count UTF-16 code units, as most viewers take them to whatever a log
declares. In a notebook, and in a file that is not at hand, which only a step of a trace can be in, regions name rows
alone; those of a fix name columns too, of a notebook's JSON.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from kl_lint import __version__
from kl_lint.finding import RULE_PAGES, Applicability, Span
from kl_lint.reports.columns import utf16_column
from kl_lint.reports.fingerprints import fingerprints
from kl_lint.reports.json_text import dump
from kl_lint.reports.mender import Mender
from kl_lint.reports.paths import is_name, located, relative, root
from kl_lint.rules import CODES, rule
from kl_lint.rules.documentation import as_dict, as_markdown, as_text
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context
    from kl_lint.sources.problem import Problem

__all__ = ["FINGERPRINT", "render"]

FINGERPRINT = "klLint/v1"
"""The name of the fingerprints; its number changes with what they are made of."""

_Object = dict[str, object]

_ROOT = "%SRCROOT%"
_HOME = RULE_PAGES.partition("/blob/")[0]


def render(findings: Sequence[Finding], context: Context) -> str:
    """One log with one run."""
    base = root()
    pairs = located(findings, base)
    codes = sorted({finding.code for finding in findings})
    log = _Log(base, context, codes)
    return dump(
        {
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {"driver": _driver(codes, {finding.code: finding for finding in findings})},
                    "columnKind": "utf16CodeUnits",
                    "newlineSequences": ["\r\n", "\n", "\r"],
                    "originalUriBaseIds": {_ROOT: {"description": _message("The root of the repository.")}},
                    **log.invocations(context),
                    "results": [log.result(finding, mark) for _, finding, mark in fingerprints(pairs, context.lines)],
                }
            ],
        }
    )


# --- the tool ---


def _driver(codes: Sequence[str], examples: dict[str, Finding]) -> _Object:
    return {
        "name": "kl-lint",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": _HOME,
        "rules": [_descriptor(examples[code]) for code in codes],
    }


def _descriptor(finding: Finding) -> _Object:
    """The rule of `finding`."""
    level = _level(finding.code)
    return {
        "id": finding.code,
        "name": finding.name,
        "shortDescription": {"text": f"{finding.name.replace('-', ' ').capitalize()}."},
        **_documentation(finding.code),
        "helpUri": finding.url,
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["correctness", "pytorch"], "precision": "high", "problem.severity": level},
    }


def _documentation(code: str) -> _Object:
    if code not in CODES:
        return {}
    one = rule(code)
    return {
        "fullDescription": {"text": " ".join(str(as_dict(one)["what_it_does"]).split())},
        "help": {"text": as_text(one), "markdown": as_markdown(one)},
    }


def _level(code: str) -> str:
    return "error" if code == INTERNAL_ERROR else "warning"


# --- the results ---


class _Log:
    """What the objects of a log are made with: where paths start from, what files hold, the order of the rules."""

    __slots__ = ("_base", "_codes", "_context", "_mender")

    def __init__(self, base: str, context: Context, codes: Sequence[str]) -> None:
        self._base = base
        self._codes = codes
        self._context = context
        self._mender = Mender(context)

    def result(self, finding: Finding, fingerprint: str) -> _Object:
        here = self._location(finding.filename, finding.span)
        result: _Object = {
            "ruleId": finding.code,
            "ruleIndex": self._codes.index(finding.code),
            "level": _level(finding.code),
            "message": _message(self._context.told(finding)),
            "locations": [here],
            "partialFingerprints": {FINGERPRINT: fingerprint},
        }
        if finding.trace:
            steps = [
                {**self._location(step.filename, step.span), "message": _message(step.what)} for step in finding.trace
            ]
            flow = [*steps, {**here, "message": _message(finding.message)}]
            result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": each} for each in flow]}]}]
        fix = self._fix(finding)
        if fix is not None:
            result["fixes"] = [fix]
        return result

    def invocations(self, context: Context) -> _Object:
        """Where the results may not be all there are, what a reader is to know of it (appendix I)."""
        if not (context.problems or context.notes):
            return {}
        told = [("error", problem) for problem in context.problems] + [("warning", note) for note in context.notes]
        notifications = [self._notification(level, problem) for level, problem in told]
        return {
            "invocations": [
                {"executionSuccessful": not context.problems, "toolExecutionNotifications": notifications},
            ]
        }

    def _notification(self, level: str, problem: Problem) -> _Object:
        place: _Object = {"artifactLocation": self._artifact(problem.path)}
        if problem.row is not None:
            place["region"] = {"startLine": problem.row}
        return {
            "level": level,
            "message": _message(f"{problem.what}; {problem.remedy}"),
            "locations": [{"physicalLocation": place}],
        }

    def _fix(self, finding: Finding) -> _Object | None:
        """The fix of `finding`, where there is one that may be applied."""
        if finding.fix is None or finding.fix.applicability is Applicability.DISPLAY:
            return None
        edits = self._mender.edits_of_file(finding)
        lines = self._mender.lines_of_file(finding.filename) if edits else ()
        replacements = [
            {"deletedRegion": _region(edit.span, lines), "insertedContent": {"text": edit.text}} for edit in edits
        ]
        if not replacements:
            return None
        change = {"artifactLocation": self._artifact(finding.filename), "replacements": replacements}
        return {
            "description": _message(finding.fix.description),
            "artifactChanges": [change],
            "properties": {"applicability": finding.fix.applicability.value},
        }

    def _location(self, filename: str, span: Span) -> _Object:
        place = {"artifactLocation": self._artifact(filename), "region": self._region(filename, span)}
        return {"physicalLocation": place}

    def _artifact(self, filename: str) -> _Object:
        path = relative(filename, self._base)
        if os.path.isabs(path):
            return {"uri": Path(path).as_uri()}
        uri = quote(os.fsencode(path))
        return {"uri": uri} if is_name(filename) else {"uri": uri, "uriBaseId": _ROOT}

    def _region(self, filename: str, span: Span) -> _Object:
        lines = self._context.lines.get(filename)
        if lines is None or filename in self._context.cells:
            rows = [self._context.file_row(filename, row) for row in (span.row, span.end_row)]
            return {"startLine": rows[0], "endLine": rows[1]}
        return _region(span, lines)


def _region(span: Span, lines: Sequence[str]) -> _Object:
    """The region of a range, where `lines` are those of its file."""
    return {
        "startLine": span.row,
        "startColumn": utf16_column(_line(lines, span.row), span.column),
        "endLine": span.end_row,
        "endColumn": utf16_column(_line(lines, span.end_row), span.end_column),
    }


def _line(lines: Sequence[str], row: int) -> str:
    """A line; past the last one there is an empty one, where a range may end."""
    return lines[row - 1] if row <= len(lines) else ""


def _message(text: str) -> _Object:
    """A message without arguments and links: braces would be placeholders (3.11.5), `[0](1)` a link (3.11.6)."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}
