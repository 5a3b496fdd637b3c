"""The Reviewdog Diagnostic Format: its members, its columns, and its suggestions taken as reviewdog takes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kl_lint import check_source
from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, Span
from kl_lint.lines import split_lines
from kl_lint.reports import Context, render
from kl_lint.rewriting import apply_fixes
from tests.reports.samples import BROKEN, HOSTILE, SOURCE, context, displayed, found, hostile

MEMBERS = {
    "": {"source", "severity", "diagnostics"},
    "source": {"name", "url"},
    "diagnostics": {"message", "location", "severity", "source", "code", "suggestions", "originalOutput"},
    "location": {"path", "range"},
    "range": {"start", "end"},
    "start": {"line", "column"},
    "end": {"line", "column"},
    "code": {"value", "url"},
    "suggestions": {"range", "text"},
}
"""The members of the first version of the format, which every reviewdog knows; it rejects a report with others."""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory in a repository, which the report is made in."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")


def check_members(value: object, name: str = "") -> None:
    """Fail where an object has a member that the format does not have."""
    match value:
        case dict():
            assert set(value) <= MEMBERS[name]
            for key, each in value.items():
                check_members(each, key)
        case list():
            for each in value:
                check_members(each, name)
        case _:
            assert isinstance(value, str | int)


def told(findings: Sequence[Finding], known: Context) -> list[dict[str, Any]]:
    """The diagnostics of a report."""
    report = json.loads(render("rdjson", findings, known))
    check_members(report)
    assert report["source"]["name"] == "kl-lint"
    diagnostics: list[dict[str, Any]] = report["diagnostics"]
    return diagnostics


def offset(source: bytes, position: dict[str, int]) -> int:
    """The offset in bytes of a place."""
    rows = source.splitlines(keepends=True)[: position["line"] - 1]
    return len(b"".join(rows)) + position["column"] - 1


def marked(source: str, place: dict[str, dict[str, int]]) -> str:
    """The text in a range."""
    data = source.encode()
    return data[offset(data, place["start"]) : offset(data, place["end"])].decode()


def taken(source: str, suggestion: dict[str, Any]) -> str:
    """`source` once a suggestion is taken."""
    data, place = source.encode(), suggestion["range"]
    start, end = offset(data, place["start"]), offset(data, place["end"])
    text: str = suggestion["text"]
    return (data[:start] + text.encode() + data[end:]).decode()


def test_diagnostics() -> None:
    diagnostics = told([*found(), BROKEN], context())
    assert [(each["code"]["value"], each["severity"]) for each in diagnostics] == [
        ("KLD201", "WARNING"),
        ("KLD101", "WARNING"),
        ("KLD105", "WARNING"),
        ("KLD000", "ERROR"),
    ]
    assert diagnostics[1]["message"] == found()[1].message
    assert diagnostics[1]["code"]["url"] == found()[1].url
    assert diagnostics[1]["location"] == {
        "path": "loss.py",
        "range": {"start": {"line": 5, "column": 60}, "end": {"line": 5, "column": 61}},
    }
    assert told([], Context({})) == []


def test_ranges_hold_the_code_they_are_about() -> None:
    pieces = [marked(SOURCE, each["location"]["range"]) for each in told(found(), context())]
    assert pieces == ["F.kl_div(p, q)", "p", "F.softmax(x, dim=1).log()"]


def test_without_the_lines_a_range_has_rows_only() -> None:
    (diagnostic,) = told([BROKEN], Context({}))
    assert diagnostic["location"]["range"] == {"start": {"line": 2}, "end": {"line": 2}}
    assert diagnostic["suggestions"] == []


def test_a_range_may_end_where_the_file_does() -> None:
    (diagnostic,) = told([replace(found()[0], span=Span(6, 5, 7, 1), fix=None)], context())
    assert diagnostic["location"]["range"]["end"] == {"line": 7, "column": 1}


def test_suggestions_give_what_kl_lint_itself_makes_of_them() -> None:
    findings = found()
    diagnostics = told(findings, context())
    assert len(diagnostics) == 3
    for finding, diagnostic in zip(findings, diagnostics, strict=True):
        assert finding.fix is not None
        (suggestion,) = diagnostic["suggestions"]
        assert taken(SOURCE, suggestion) == apply_fixes(SOURCE, [finding.fix]).text != SOURCE


@pytest.mark.parametrize("break_", ["", "\n        ", "\n        # 😀\n        "])
def test_a_fix_of_several_edits_is_one_suggestion(break_: str) -> None:
    source = SOURCE.replace(
        "return F.kl_div(p, q), ", f"return (F.kl_div(p, q),{break_} F.kl_div(F.softmax(q), x))\n    "
    )
    lines = split_lines(source)
    softmaxes = [
        Span(row, start + 1, row, start + 1 + len(call))
        for row, line in enumerate(lines, start=1)
        for call in ("F.softmax(x, dim=1)", "F.softmax(q)")
        if (start := line.find(call)) >= 0 and ".log()" not in line
    ]
    assert len(softmaxes) == 2
    fix = Fix("both", Applicability.UNSAFE, tuple(RenameCallee(span, "log_softmax") for span in softmaxes))
    (diagnostic,) = told([replace(found()[0], fix=fix)], context(source))
    (suggestion,) = diagnostic["suggestions"]
    mended = source.replace("F.softmax(x, dim=1);", "F.log_softmax(x, dim=1);").replace(
        "F.softmax(q)", "F.log_softmax(q)"
    )
    assert taken(source, suggestion) == mended == apply_fixes(source, [fix]).text


def test_fixes_that_may_not_or_cannot_be_made_are_left_out() -> None:
    finding = found()[0]
    for each, known in ((displayed(finding), context()), (finding, Context({"loss.py": ["def broken(\n"]}))):
        assert told([each], known)[0]["suggestions"] == []
    assert check_source(SOURCE)[0].fix is not None


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_taken_for_something_else(name: str) -> None:
    report = render("rdjson", [hostile(name)], context(SOURCE, name))
    assert report.isascii()
    assert all(character.isprintable() or character == "\n" for character in report)
    (diagnostic,) = told([hostile(name)], context(SOURCE, name))
    assert diagnostic["location"]["path"] == name.replace("\udcff", r"\udcff")
    diagnostic["message"].encode()
    assert len(diagnostic["suggestions"]) == 1


def test_the_order_of_the_files_does_not_matter() -> None:
    findings = [*found(), *found(filename="a.py"), BROKEN]
    assert told(findings[::-1], context()) == told(findings, context())
