"""The reports on handmade findings, to the letter."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, Span, Step
from kl_lint.reports import DOCUMENTS, REPORTS, Context, render, statistics
from kl_lint.reports.terminal import shows_colors, visible, width

SOURCE = """\
import torch.nn.functional as F

def loss(x, q):
    p = F.softmax(x, dim=1)
    return F.kl_div(
        p,

        q,
        reduction="batchmean",
    )
"""
LINES = SOURCE.splitlines(keepends=True)

INLINE = Finding(
    code="KLD101",
    name="probabilities-as-input",
    message="input to kl_div is probabilities (softmax, line 4); it takes log-probabilities: use log_softmax",
    filename="loss.py",
    span=Span(6, 9, 6, 10),
    noqa_row=5,
    trace=(Step("loss.py", Span(4, 9, 4, 28), "softmax"), Step("model.py", Span(7, 1, 7, 2), "returned")),
    fix=Fix("call log_softmax instead", Applicability.UNSAFE, ()),
)
WHOLE = Finding("KLD201", "default-reduction", "no reduction", "loss.py", Span(5, 12, 10, 6), 5)
BROKEN = Finding("KLD000", "internal-error", "internal error", "other.py", Span(1, 1, 1, 1), 1)


def full(*findings: Finding, lines: list[str] = LINES, checked: int = 1, color: bool = False) -> str:
    return render("full", findings, Context({"loss.py": lines}, checked=checked, color=color))


def test_every_format_is_there() -> None:
    assert list(REPORTS) == ["full", "concise", "json", "sarif", "github", "gitlab", "junit", "rdjson"]
    assert set(DOCUMENTS) < set(REPORTS)
    with pytest.raises(KeyError):
        render("sarif-like", [], Context({}))


def test_no_findings() -> None:
    assert [render(name, [], Context({})) for name in ("full", "concise", "json")] == ["", "", "[]\n"]
    assert [name for name in REPORTS if render(name, [], Context({}))] == list(DOCUMENTS)


def test_concise() -> None:
    assert render("concise", [INLINE, WHOLE], Context({})) == (
        "loss.py:6:9: KLD101 input to kl_div is probabilities (softmax, line 4); it takes log-probabilities: "
        "use log_softmax\n"
        "loss.py:5:12: KLD201 no reduction\n"
    )


def test_full_shows_source_trace_and_help() -> None:
    assert full(INLINE, checked=12) == (
        "loss.py:6:9: KLD101 input to kl_div is probabilities (softmax, line 4); it takes log-probabilities: "
        "use log_softmax\n"
        "  |\n"
        "6 |         p,\n"
        "  |         ^\n"
        "  = softmax at line 4\n"
        "  = returned at line 7 of model.py\n"
        "  = help: call log_softmax instead\n"
        "\n"
        "1 finding in 1 of 12 files\n"
    )


def test_full_underlines_each_row_of_a_range() -> None:
    assert full(WHOLE, INLINE) == (
        "loss.py:5:12: KLD201 no reduction\n"
        "   |\n"
        " 5 |     return F.kl_div(\n"
        "   |            ^^^^^^^^^\n"
        " 6 |         p,\n"
        "   |         ^^\n"
        " 7 |\n"
        " 8 |         q,\n"
        "   |         ^^\n"
        ' 9 |         reduction="batchmean",\n'
        "   |         ^^^^^^^^^^^^^^^^^^^^^^\n"
        "10 |     )\n"
        "   |     ^\n"
        "\n" + full(INLINE).replace("1 finding in", "2 findings in")
    )


def test_full_leaves_out_the_middle_of_a_long_range() -> None:
    lines = ["f(\n", *(f"    a{number},\n" for number in range(2, 12)), ")\n"]
    finding = Finding("KLD201", "default-reduction", "no reduction", "loss.py", Span(1, 1, 12, 2), 1)
    shown = [line[:9].rstrip() for line in full(finding, lines=lines).splitlines() if "^" not in line]
    assert shown[1:9] == ["   |", " 1 | f(", " 2 |", " 3 |", " 4 |", " 5 |", "   ...", "12 | )"]


@pytest.mark.parametrize(
    ("line", "span", "shown"),
    [
        ("\tf(\tx)\n", Span(1, 5, 1, 6), ["1 |     f(    x)", "  |           ^"]),
        ("f('日本', x)\n", Span(1, 9, 1, 10), ["1 | f('日本', x)", "  |           ^"]),
        ("f('日本', x)\n", Span(1, 3, 1, 7), ["1 | f('日本', x)", "  |   ^^^^^^"]),
        ("f('e\u0301', x)\n", Span(1, 9, 1, 10), ["1 | f('e\u0301', x)", "  |        ^"]),
        ("f('\x1b[31m', x)\n", Span(1, 3, 1, 10), ["1 | f('\\x1b[31m', x)", "  |   ^^^^^^^^^^"]),
        ("f(x)\r\n", Span(1, 3, 1, 3), ["1 | f(x)", "  |   ^"]),
        ("f(x)", Span(1, 3, 1, 4), ["1 | f(x)", "  |   ^"]),
    ],
)
def test_the_underline_stands_under_the_range(line: str, span: Span, shown: list[str]) -> None:
    finding = Finding("KLD101", "probabilities-as-input", "message", "loss.py", span, 1)
    assert full(finding, lines=[line]).splitlines()[2:4] == shown


def test_full_without_the_lines_has_no_source() -> None:
    assert full(BROKEN) == "other.py:1:1: KLD000 internal error\n\n1 finding in 1 of 1 file\n"


def test_color_frames_and_changes_nothing_else() -> None:
    colored = full(INLINE, WHOLE, color=True)
    assert "\033[1;31mKLD101\033[0m" in colored
    assert "\033[1mloss.py\033[0m:6:9:" in colored
    plain = colored
    for code in ("\033[1;31m", "\033[34m", "\033[1m", "\033[0m"):
        plain = plain.replace(code, "")
    assert plain == full(INLINE, WHOLE)


def test_nothing_in_a_file_steers_the_terminal() -> None:
    hostile = "a\033]0;title\a\u202e\x9b\udcff\r\n.py"
    finding = Finding("KLD101", "probabilities-as-input", "bad\033[2J", hostile, Span(1, 1, 1, 2), 1)
    for name in ("full", "concise"):
        report = render(name, [finding], Context({hostile: ["x = '\033[2J\u202e'\n"]}))
        assert all(character.isprintable() or character == "\n" for character in report)
        assert r"a\x1b]0;title\x07\u202e\x9b\udcff\r\n.py:1:1: KLD101 bad\x1b[2J" in report


def test_json_has_the_shape_that_editors_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = render("json", [INLINE, BROKEN], Context({"loss.py": LINES}))
    assert report.endswith("]\n")
    assert report.isascii()
    first, second = json.loads(report)
    assert first == {
        "cell": None,
        "code": "KLD101",
        "name": "probabilities-as-input",
        "severity": "warning",
        "message": INLINE.message,
        "filename": str(tmp_path / "loss.py"),
        "location": {"row": 6, "column": 9},
        "end_location": {"row": 6, "column": 10},
        "noqa_row": 5,
        "url": INLINE.url,
        "fix": None,
        "related": [
            {
                "what": "softmax",
                "filename": str(tmp_path / "loss.py"),
                "location": {"row": 4, "column": 9},
                "end_location": {"row": 4, "column": 28},
            },
            {
                "what": "returned",
                "filename": str(tmp_path / "model.py"),
                "location": {"row": 7, "column": 1},
                "end_location": {"row": 7, "column": 2},
            },
        ],
    }
    assert second["severity"] == "error"


def test_json_offers_the_edits_of_a_fix_and_no_fix_that_cannot_be_made() -> None:
    def told(fix: Fix, lines: list[str] = LINES) -> object:
        finding = replace(INLINE, fix=fix)
        return json.loads(render("json", [finding], Context({"loss.py": lines})))[0]["fix"]

    softmax = Span(4, 9, 4, 28)
    possible = Fix("call log_softmax", Applicability.UNSAFE, (RenameCallee(softmax, "log_softmax"),))
    assert told(possible) == {
        "applicability": "unsafe",
        "message": "call log_softmax",
        "edits": [
            {"content": "log_", "location": {"row": 4, "column": 11}, "end_location": {"row": 4, "column": 11}},
        ],
    }
    assert told(possible, ["def broken(\n"]) is None
    assert told(Fix("call it elsewhere", Applicability.SAFE, (RenameCallee(Span(2, 1, 2, 9), "log_softmax"),))) is None


def test_json_keeps_names_that_are_no_paths_and_bytes_that_are_no_text() -> None:
    names = ["<stdin>", os.fsdecode(b"/a/\xff.py")]
    findings = [Finding("KLD101", "n", "m", name, Span(1, 1, 1, 2), 1) for name in names]
    assert [each["filename"] for each in json.loads(render("json", findings, Context({})))] == names


def test_statistics() -> None:
    findings = [WHOLE, INLINE, *[BROKEN] * 10, INLINE]
    assert statistics.render(findings) == (
        "10  KLD000  internal-error\n 2  KLD101  probabilities-as-input\n 1  KLD201  default-reduction\n"
    )
    assert json.loads(statistics.render(findings, as_json=True)) == [
        {"code": "KLD000", "name": "internal-error", "count": 10},
        {"code": "KLD101", "name": "probabilities-as-input", "count": 2},
        {"code": "KLD201", "name": "default-reduction", "count": 1},
    ]
    assert (statistics.render([]), statistics.render([], as_json=True)) == ("", "[]\n")


def test_visible_text() -> None:
    assert visible("plain é 日本 ‖ text") == "plain é 日本 ‖ text"
    assert visible("a\tb\x00\x7f\u2028\u200d\N{NO-BREAK SPACE}") == "a    b\\x00\\x7f\\u2028\\u200d\\xa0"
    assert [width(text) for text in ("abc", "日本", "é", "e\u0301", "")] == [3, 4, 1, 1, 0]


@given(st.text())
def test_visible_text_is_all_visible(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "colors"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colors_are_for_terminals(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], colors: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert shows_colors(Terminal()) is colors
    assert shows_colors(io.StringIO()) is False
    assert shows_colors(None) is False
