"""Code Quality reports, judged by what GitLab documents of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kl_lint.finding import Finding
from kl_lint.reports import Context, render
from tests.reports.samples import BROKEN, HOSTILE, SOURCE, context, found, hostile, moved


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository, in a directory of which the report is made."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")


def told(findings: list[Finding] | tuple[Finding, ...], known: Context) -> list[dict[str, Any]]:
    """The objects of a report, each with the members that GitLab demands, of the values that it knows."""
    objects: list[dict[str, Any]] = json.loads(render("gitlab", findings, known))
    for each in objects:
        assert set(each) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert each["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not each["location"]["path"].startswith("./")
    assert len({each["fingerprint"] for each in objects}) == len(objects), "GitLab would drop the others"
    return objects


def test_findings() -> None:
    first, second, *_ = told([*found(), BROKEN], context())
    assert first["check_name"] == "KLD201"
    fingerprint = second.pop("fingerprint")
    assert len(fingerprint) == 64
    assert second == {
        "description": "KLD101: input to kl_div is probabilities (softmax, line 5); it takes log-probabilities: "
        "use log_softmax",
        "check_name": "KLD101",
        "severity": "major",
        "location": {
            "path": "src/loss.py",
            "positions": {"begin": {"line": 5, "column": 56}, "end": {"line": 5, "column": 57}},
        },
    }
    assert [each["severity"] for each in told([BROKEN], Context({}))] == ["critical"]
    assert told([], Context({})) == []


def test_the_fingerprint_is_the_same_after_lines_have_moved() -> None:
    before = [each["fingerprint"] for each in told(found(), context())]
    after = [each["fingerprint"] for each in told(moved(found(), 1), context("\n" + SOURCE))]
    assert after == before
    assert before != [
        each["fingerprint"] for each in told([replace(each, filename="b.py") for each in found()], context())
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_taken_for_something_else(name: str) -> None:
    report = render("gitlab", [hostile(name)], context(SOURCE, name))
    assert report.isascii()
    assert all(character.isprintable() or character == "\n" for character in report)
    (each,) = told([hostile(name)], context(SOURCE, name))
    assert each["location"]["path"] == f"src/{name}".replace("\udcff", r"\udcff")
    each["description"].encode()


def test_the_order_of_the_files_does_not_matter() -> None:
    findings = [*found(), *found(filename="a.py"), BROKEN]
    assert told(findings[::-1], context()) == told(findings, context())
