"""Which files are found: below directories, by name, past everything that a file system holds."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from kl_lint.sources.exclusion import DEFAULT, Exclusion
from kl_lint.sources.files import File, Stdin, find
from kl_lint.sources.problem import Problem


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def found(*paths: str, patterns: tuple[str, ...] = DEFAULT, force: bool = False) -> list[str]:
    """The paths found, and the texts of problems, in order."""
    items = find(paths, Exclusion(patterns), force=force)
    return [item.path if isinstance(item, File) else f"! {item}" for item in items]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_directories_are_walked_in_order(tmp_path: Path) -> None:
    write(
        tmp_path, "b.py", "a.py", "stub.pyi", "notes.txt", "script", "pkg/z.py", "pkg/a/deep.py", "pkg.py", "Upper.py"
    )
    assert found(".") == ["Upper.py", "a.py", "b.py", "pkg.py", "stub.pyi", "pkg/z.py", "pkg/a/deep.py"]
    assert found("pkg") == ["pkg/z.py", "pkg/a/deep.py"]
    assert found("./pkg") == ["pkg/z.py", "pkg/a/deep.py"]
    assert found("pkg/") == ["pkg/z.py", "pkg/a/deep.py"]
    assert found(str(tmp_path / "pkg")) == [str(tmp_path / "pkg/z.py"), str(tmp_path / "pkg/a/deep.py")]


def test_a_very_deep_tree_is_walked(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 600)
    write(tmp_path, f"{deep}/x.py")
    assert found(".") == [f"{deep}/x.py"]


def test_named_files_are_found_whatever_their_name(tmp_path: Path) -> None:
    write(tmp_path, "script", "build/x.py", "notes.txt")
    assert found("script", "build/x.py", "notes.txt") == ["build/x.py", "notes.txt", "script"]


def test_the_order_of_what_is_named_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.py", "pkg/c.py")
    assert found("pkg", "b.py", "a.py") == found("a.py", "b.py", "pkg") == ["a.py", "b.py", "pkg/c.py"]


def test_each_file_is_found_once(tmp_path: Path) -> None:
    write(tmp_path, "pkg/a.py", "pkg/b.py")
    assert found("pkg/b.py", "pkg", "./pkg/b.py", str(tmp_path / "pkg" / "a.py")) == ["./pkg/b.py", str(tmp_path / "pkg" / "a.py")]


def test_directories_without_source_of_their_own_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.py", *(f"{name}/x.py" for name in DEFAULT), *(f"pkg/{name}/x.py" for name in DEFAULT))
    write(tmp_path, "my_environment/pyvenv.cfg", "my_environment/lib/x.py")
    assert found(".") == ["a.py"]
    assert found("build", "pkg/build") == ["build/x.py", "pkg/build/x.py"], "a directory that is named is wanted"
    assert found("my_environment") == ["my_environment/lib/x.py"]


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ((), ["a.py", "b_test.py", "docs/conf.py", "pkg/c.py", "pkg/docs/d.py"]),
        (("docs",), ["a.py", "b_test.py", "pkg/c.py"]),
        (("docs/",), ["a.py", "b_test.py", "pkg/c.py"]),
        (("./docs",), ["a.py", "b_test.py", "pkg/c.py", "pkg/docs/d.py"]),
        (("pkg/docs",), ["a.py", "b_test.py", "docs/conf.py", "pkg/c.py"]),
        (("*_test.py",), ["a.py", "docs/conf.py", "pkg/c.py", "pkg/docs/d.py"]),
        (("pkg/*",), ["a.py", "b_test.py", "docs/conf.py"]),
        (("[ab]*.py", "d?cs"), ["pkg/c.py"]),
        (("a.py", "b"), ["b_test.py", "docs/conf.py", "pkg/c.py", "pkg/docs/d.py"]),
    ],
)
def test_exclusion(tmp_path: Path, patterns: tuple[str, ...], left: list[str]) -> None:
    write(tmp_path, "a.py", "b_test.py", "docs/conf.py", "pkg/c.py", "pkg/docs/d.py")
    assert found(".", patterns=patterns) == left
    absolute = tuple(str(tmp_path / pattern) if "/" in pattern.rstrip("/") else pattern for pattern in patterns)
    assert found(".", patterns=absolute) == left


def test_force_holds_named_files_to_the_exclusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py", "build/x.py", "pkg/build/y.py")
    assert found("a.py", "build/x.py", "pkg/build/y.py", "build", force=True) == ["a.py"]
    assert found(str(tmp_path / "build" / "x.py"), force=True) == []
    monkeypatch.chdir(tmp_path / "build")
    assert found("x.py", "../a.py", force=True) == ["../a.py", "x.py"], "what is above the project is not its doing"


def test_links_to_files_count_and_links_to_directories_do_not(tmp_path: Path) -> None:
    write(tmp_path, "pkg/a.py", "elsewhere/b.py")
    (tmp_path / "pkg" / "linked.py").symlink_to(tmp_path / "elsewhere" / "b.py")
    (tmp_path / "pkg" / "around").symlink_to(tmp_path / "pkg")
    (tmp_path / "pkg" / "directory.py").symlink_to(tmp_path / "elsewhere")
    assert found("pkg") == ["pkg/a.py", "pkg/linked.py"]
    assert found("pkg/around") == ["pkg/around/a.py", "pkg/around/linked.py"], "a link that is named is followed"


def test_what_has_no_content_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py", "x.py/inner.py")
    os.mkfifo("pipe.py")
    Path("gone.py").symlink_to("nowhere.py")
    Path("loop.py").symlink_to("loop.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")
        assert found(".") == ["a.py", "x.py/inner.py"]
        assert found("socket.py") == ["! socket.py: is a socket, not a file; name a file, or a directory"]
    assert found("pipe.py") == ["! pipe.py: is a pipe, not a file; send what it holds to `kl-lint check -`"]
    assert found("gone.py") == ["! gone.py: is a symbolic link to something that is not there; mend or remove the link"]
    assert found("loop.py") == ["! loop.py: is a loop of symbolic links; mend or remove the link"]
    assert found("/dev/null") == ["! /dev/null: is a device, not a file; name a file, or a directory"]


def test_what_does_not_exist_does_not_hide_the_rest(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    missing = "does not exist; check the spelling, and the directory that kl-lint is run in"
    assert found("none.py", "a.py", "a.py/b", "") == [
        f"! : {missing}",
        "a.py",
        f"! a.py/b: {missing}",
        f"! none.py: {missing}",
    ]


def test_a_directory_that_vanishes_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "pkg/b.py")
    items = find(["."], Exclusion())
    first = next(items)
    assert isinstance(first, File)
    (tmp_path / "pkg" / "b.py").unlink()
    (tmp_path / "pkg").rmdir()
    rest = list(items)
    assert [type(item) for item in rest] == [Problem]
    assert "pkg: does not exist" in str(rest[0])


def test_a_forbidden_directory_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py", "pkg/b.py", "z/c.py")
    scandir = os.scandir

    def guarded(path: str) -> object:  # nothing is forbidden to root, who may be running this
        if path == "pkg":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert found(".") == [
        "a.py",
        "! pkg: may not be read; change its permissions, or leave it out with --extend-exclude",
        "z/c.py",
    ]


def test_standard_input_has_the_name_it_is_given() -> None:
    source = Stdin("loss.py")
    assert (source.path, source.ignored) == ("loss.py", False)
