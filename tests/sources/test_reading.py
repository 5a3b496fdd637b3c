"""The bytes of files, and what is said where there are none."""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from pathlib import Path

import pytest

from kl_lint.sources.problem import Problem
from kl_lint.sources.reading import read, read_stdin, unreadable


class Broken(io.RawIOBase):
    """A stream that fails."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("size", [0, 1, 4096, 1_000_001])
def test_bytes_are_read_as_they_are(tmp_path: Path, size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    path = tmp_path / "x.py"
    path.write_bytes(data)
    assert read(str(path)) == data


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_file_whose_size_lies_is_read_to_its_end() -> None:
    assert os.stat("/proc/self/status").st_size == 0
    assert b"Name:" in read("/proc/self/status")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_an_error_while_reading_is_a_problem() -> None:
    with pytest.raises(
        Problem, match=r"/proc/self/mem: cannot be read \(Input/output error\); try again, or leave it out"
    ):
        read("/proc/self/mem")


def test_a_file_that_is_too_large_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(descriptor: int, size: int) -> bytes:
        raise MemoryError

    path = tmp_path / "x.py"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "read", out_of_memory)
    with pytest.raises(Problem, match="is too large to be read into memory; leave it out with --extend-exclude"):
        read(str(path))


def test_a_pipe_that_nobody_writes_to_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "x.py"
    os.mkfifo(pipe)
    problems: list[Problem] = []

    def attempt() -> None:
        with pytest.raises(Problem) as caught:
            read(str(pipe))
        problems.append(caught.value)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert problems[0].what == "is a pipe, not a file"


def test_directories_and_missing_files_are_problems(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="is a directory where a file was expected; name the files in it"):
        read(str(tmp_path))
    with pytest.raises(Problem, match=r"none\.py: does not exist; check the spelling"):
        read(str(tmp_path / "none.py"))


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.EACCES, "may not be read"),
        (errno.EPERM, "may not be read"),
        (errno.ELOOP, "is a loop of symbolic links"),
        (errno.ENXIO, "is not a regular file"),
        (errno.EIO, "cannot be read (Input/output error)"),
    ],
)
def test_every_error_says_what_and_what_to_do(number: int, what: str) -> None:
    problem = unreadable("x.py", OSError(number, os.strerror(number)))
    assert problem.what == what
    assert problem.remedy
    assert str(problem) == f"x.py: {what}; {problem.remedy}"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xffbytes\r\n")))
    assert read_stdin("<stdin>") == b"\xffbytes\r\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Broken())))
    with pytest.raises(Problem, match="<stdin>: cannot be read"):
        read_stdin("<stdin>")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Problem, match="<stdin>: standard input is closed; "):
        read_stdin("<stdin>")


def test_a_problem_with_a_row_says_so() -> None:
    assert str(Problem("a.py", "is odd", "look", 3)) == "a.py:3: is odd; look"
