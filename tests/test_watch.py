"""`kl-lint check --watch`: a real process, whose files really change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command import LEGACY, LEGACY_MENDED, MENDED, MISUSE, ROOT, run

if sys.platform == "win32":
    pytest.skip("processes there are interrupted otherwise", allow_module_level=True)

WAITING = b"kl-lint: waiting for changes; Ctrl+C ends it\n"
PATIENCE = 120.0
"""Seconds after which a process that is still silent is ended, and the test with it."""


class Watcher:
    """A process that watches a directory."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kl_lint", "check", "--watch", "--output-format=concise", *arguments],
            cwd=directory, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._timer = threading.Timer(PATIENCE, self._process.kill)
        self._timer.start()

    def told(self) -> list[str]:
        """What it says until it waits."""
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            if line == WAITING:
                return lines
            lines.append(line.decode().rstrip("\n"))
        pytest.fail(f"it has ended: {lines}")

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate()
        self._timer.cancel()
        return self._process.returncode

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.end()


def put(path: Path, text: str) -> None:
    """Write a file at one stroke: half of it would be seen as well."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watcher]]:
    watchers: list[Watcher] = []

    def start(*arguments: str) -> Watcher:
        watchers.append(Watcher(tmp_path, *arguments))
        return watchers[-1]

    yield start
    for watcher in watchers:
        watcher.kill()


def codes(lines: list[str]) -> list[tuple[str, str]]:
    return [(line.partition(":")[0], line.split(" ")[1]) for line in lines if ".py:" in line]


def test_each_change_is_seen(tmp_path: Path, watch: Callable[..., Watcher]) -> None:
    path = tmp_path / "a.py"
    put(path, MISUSE)
    watcher = watch()
    assert codes(watcher.told()) == [("a.py", "KLD101")]
    put(path, MENDED)
    assert codes(watcher.told()) == []
    put(tmp_path / "b.py", LEGACY)
    assert codes(watcher.told()) == [("b.py", "KLD204")]
    put(tmp_path / "pyproject.toml", '[tool.kl_lint]\nignore = ["KLD2"]\n')
    assert codes(watcher.told()) == []
    put(tmp_path / "pyproject.toml", "[tool.kl_lint]\nignor = []\n")
    assert watcher.told() == ["kl-lint: pyproject.toml: [tool.kl_lint] has no option 'ignor'; did you mean 'ignore'?"]
    (tmp_path / "pyproject.toml").unlink()
    assert codes(watcher.told()) == [("b.py", "KLD204")]
    (tmp_path / "b.py").unlink()
    assert codes(watcher.told()) == []
    assert watcher.end() == 0


def test_the_exit_code_is_that_of_the_last_check(tmp_path: Path, watch: Callable[..., Watcher]) -> None:
    put(tmp_path / "a.py", MISUSE)
    watcher = watch()
    watcher.told()
    assert watcher.end() == 1


def test_other_files_are_read_again(tmp_path: Path, watch: Callable[..., Watcher]) -> None:
    (tmp_path / "pyproject.toml").touch()
    head = "import torch.nn.functional as F\n"
    squash = head + "def squash(x):\n    return F.softmax(x, -1)\n"
    loss = head + "from helper import squash\ndef loss(x, q):\n    return F.kl_div(squash(x), q, reduction='sum')\n"
    put(tmp_path / "helper.py", squash)
    put(tmp_path / "loss.py", loss)
    watcher = watch()
    assert codes(watcher.told()) == [("loss.py", "KLD101")]
    put(tmp_path / "helper.py", squash.replace("softmax", "log_softmax"))
    assert codes(watcher.told()) == []
    assert watcher.end() == 0


def test_files_are_mended_as_they_come(tmp_path: Path, watch: Callable[..., Watcher]) -> None:
    watcher = watch("--fix")
    assert codes(watcher.told()) == []
    put(tmp_path / "a.py", LEGACY)
    assert watcher.told() == ["Found 1 finding (1 fixed, 0 remaining)"]
    assert (tmp_path / "a.py").read_text() == LEGACY_MENDED
    assert watcher.told() == [], "its own change is one"
    assert watcher.end() == 0


def test_standard_input_cannot_be_watched() -> None:
    done = run("check", "--watch", "-", stdin=b"")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"kl-lint: --watch: standard input does not change; name files or directories\n"
