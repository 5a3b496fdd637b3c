"""Workflow commands, read as the runner of GitHub Actions reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kl_lint.finding import Finding, Span
from kl_lint.reports import Context, render
from kl_lint.reports.terminal import visible
from tests.reports.samples import BROKEN, HOSTILE, context, found, hostile


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository, in a directory of which the report is made."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command, its properties, and its data, as the runner reads one line: the inverse of its documented escapes."""
    assert line.startswith("::")
    assert len(line.splitlines()) == 1
    head, data = line[2:].split("::", 1)
    command, _, listed = head.partition(" ")
    properties = dict(each.split("=", 1) for each in listed.split(","))
    return command, {name: unescaped(value, property=True) for name, value in properties.items()}, unescaped(data)


def line_of(finding: Finding) -> str:
    """The one line of the report on `finding`."""
    report = render("github", [finding], context())
    assert report.endswith("\n")
    return report[:-1]


def unescaped(text: str, *, property: bool = False) -> str:
    """The text that an escaped one stands for; `%25` last, or it would make escapes of what is none."""
    escapes = {"%0D": "\r", "%0A": "\n"} | ({"%3A": ":", "%2C": ","} if property else {})
    for escape, character in escapes.items():
        text = text.replace(escape, character)
    return text.replace("%25", "%")


def test_commands() -> None:
    assert render("github", found(), context()).splitlines()[1:] == [
        "::warning title=kl-lint (KLD101),file=src/loss.py,line=5,col=56,endLine=5,endColumn=57::"
        "src/loss.py:5:56: KLD101 input to kl_div is probabilities (softmax, line 5); it takes log-probabilities: "
        "use log_softmax%0A  softmax at line 5%0A  help: Use log_softmax in place of softmax",
        "::warning title=kl-lint (KLD105),file=src/loss.py,line=6,col=9,endLine=6,endColumn=34::"
        "src/loss.py:6:9: KLD105 input to kl_div is the log of a softmax (log, line 6), which underflows: "
        "use log_softmax%0A  softmax at line 6%0A  log at line 6%0A  help: Use log_softmax",
    ]
    assert render("github", [], Context({})) == ""


def test_a_range_of_several_lines_has_no_columns() -> None:
    command, properties, _ = read(line_of(replace(BROKEN, span=Span(5, 7, 6, 3))))
    assert command == "error"
    assert properties == {"title": "kl-lint (KLD000)", "file": "src/other.py", "line": "5", "endLine": "6"}


def test_what_is_escaped_is_read_back() -> None:
    finding = replace(BROKEN, filename="100%,a:b=%0A.py", message="50 % off, %0A: really")
    _, properties, data = read(line_of(finding))
    assert properties["file"] == "src/100%,a:b=%0A.py"
    assert data == "src/100%,a:b=%0A.py:2:1: KLD000 50 % off, %0A: really"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_taken_for_something_else(name: str) -> None:
    line = line_of(hostile(name))
    assert line.isprintable()
    command, properties, data = read(line)
    assert command == "warning"
    assert list(properties) == ["title", "file", "line", "col", "endLine", "endColumn"]
    assert properties["file"] == visible(f"src/{name}")
    shown = visible(name)
    assert data == (
        f"src/{shown}:5:25: KLD101 input {shown} {{0}} [0](1)\n"
        f"  softmax of {shown} at line 5\n  returned at line 1 of src/b.py\n  help: mend {shown}"
    )


def test_the_order_of_the_files_does_not_matter() -> None:
    findings = [*found(), *found(filename="a.py"), BROKEN]
    assert render("github", findings[::-1], context()) == render("github", findings, context())
