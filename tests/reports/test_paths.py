"""Where machines elsewhere look for the files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kl_lint.finding import Finding, Span
from kl_lint.reports.paths import here, is_name, located, relative, root
from kl_lint.reports.terminal import path as shown_path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, in a directory of which the tests are."""
    (tmp_path / "repository/.git").mkdir(parents=True)
    (tmp_path / "repository/src/deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository/src")
    return tmp_path / "repository"


def test_the_root_of_a_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert root() == str(repository)
    assert here() == str(repository / "src")
    monkeypatch.chdir(repository)
    assert root() == str(repository)
    monkeypatch.chdir(repository / "src/deep")
    assert root() == str(repository)


def test_the_root_of_a_worktree_has_a_file_for_a_mark(repository: Path) -> None:
    (repository / "src/.git").write_text("gitdir: elsewhere\n")
    assert root() == str(repository / "src")


def test_without_a_repository_the_root_is_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: not str(path).endswith(".git") and exists(path))
    assert root() == str(tmp_path)


def test_paths(repository: Path) -> None:
    top, source = str(repository), str(repository / "src")
    assert relative("a.py", top) == "src/a.py"
    assert relative("./deep/../a.py", top) == "src/a.py"
    assert relative("a.py", source) == "a.py"
    assert relative("../a.py", top) == "a.py"
    assert relative(str(repository / "src/a.py"), top) == "src/a.py"
    assert relative("../a.py", source) == f"{top}/a.py", "it is not below"
    assert relative(f"{top}_too/a.py", top) == f"{top}_too/a.py"
    assert relative("/a.py", "/") == "a.py"
    assert relative("<stdin>", top) == "<stdin>"
    assert relative("<x.py", top) == "src/<x.py"
    assert is_name("<stdin>")
    assert not is_name("a.py")


def test_findings_are_sorted_by_path_and_position(repository: Path) -> None:
    findings = [
        Finding(code, "name", "message", filename, Span(row, column, row, column + 1), row)
        for filename in ("b.py", "../a.py", "./a.py")
        for row, column in ((10, 1), (9, 2), (9, 1))
        for code in ("KLD201", "KLD101")
    ]
    pairs = located(findings, str(repository))
    told = [(path, finding.span.row, finding.span.column, finding.code) for path, finding in pairs]
    assert told == sorted(told)
    assert told[0] == ("a.py", 9, 1, "KLD101")
    assert located(reversed(findings), str(repository)) == pairs


def test_a_line_that_begins_with_a_path_is_no_command_to_github() -> None:
    assert shown_path("a::b.py") == "a::b.py"
    assert shown_path("::error::.py") == "./::error::.py"
    assert shown_path(" ::error::.py") == "./ ::error::.py"
    assert shown_path("\n::error::.py") == r"\n::error::.py"
