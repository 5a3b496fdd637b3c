"""The bar of a long run, on a real terminal: its other end is read here."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kl_lint.commands import progress
from tests.command import CORRECT, LEGACY, MISUSE, ROOT

if sys.platform == "win32":
    pytest.skip("there are no terminals of this kind", allow_module_level=True)

import fcntl
import pty
import termios

AT_ONCE, NEVER = 0.0, 1e9
"""Seconds after which the bar is shown. Nothing here waits for a second to go by."""

CHILD = """\
import sys
from kl_lint import cli
from kl_lint.commands import progress
assert progress.PATIENCE == 1.0
progress.PATIENCE = float(sys.argv[1])
status = cli.main(sys.argv[2:])
print("tqdm" in sys.modules, file=open("loaded", "w"))
sys.exit(status)
"""
"""The command, with another patience; it leaves word of whether it loaded what draws bars."""


class Terminal:
    """A terminal of 80 columns, and what was written to it."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "COLUMNS")}
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
            env={**inherited, "TERM": "xterm", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **(environment or {})},
        )  # fmt: skip
        os.close(theirs)
        self._end = ours
        self.written = ""

    def read(self) -> bool:
        """Take in what is written next; False at the end."""
        try:
            data = os.read(self._end, 65536)
        except OSError:  # how Linux tells that nobody holds the other end any more
            data = b""
        self.written += data.decode()
        return bool(data)

    def finish(self) -> tuple[int, str]:
        """Wait for the end: the exit code, and standard output, which is a pipe."""
        while self.read():
            pass
        os.close(self._end)
        out, _ = self.process.communicate()
        return self.process.returncode, out.decode()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen: a carriage return goes back to the beginning of the line, to write over it."""
        return [_drawn(line) for line in self.written.replace("\r\n", "\n").split("\n")]


def _drawn(line: str) -> str:
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown.rstrip()


def check(
    cwd: Path, *arguments: str, patience: float = AT_ONCE, environment: Mapping[str, str] | None = None
) -> tuple[Terminal, int, str]:
    """Run `kl-lint check` at a terminal until it ends."""
    terminal = Terminal([sys.executable, "-c", CHILD, str(patience), "check", *arguments], cwd, environment)
    return terminal, *terminal.finish()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with four files, of which one cannot be parsed and one has a safe fix."""
    for name, text in {"a": CORRECT, "b": "kl_div(\n", "c": LEGACY, "d": MISUSE}.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


COMPLAINT = "kl-lint: b.py:1: is not valid Python"


def test_a_bar_is_shown_and_gone_in_the_end(project: Path) -> None:
    terminal, status, out = check(project, "--output-format=concise")
    assert status == 2, terminal.written
    assert "kl-lint:  25% |" in terminal.written
    assert "1 of 4 files" in terminal.written
    assert "2 of 4 files" in terminal.written, "it comes back"
    (told, rest) = terminal.lines
    assert told.startswith(COMPLAINT), "it has a line of its own"
    assert rest == ""
    assert [line.split(" ")[1] for line in out.splitlines()] == ["KLD204", "KLD101"]


def test_a_bar_is_shown_while_files_are_fixed(project: Path) -> None:
    terminal, _, _ = check(project, "--fix")
    assert "2 of 4 files" in terminal.written
    assert "files" not in "".join(terminal.lines)
    assert terminal.lines[-2:] == ["Found 2 findings (1 fixed, 1 remaining)", ""]


def test_who_is_done_soon_shows_none(project: Path) -> None:
    terminal, _, _ = check(project, patience=NEVER)
    assert [line[: len(COMPLAINT)] for line in terminal.lines] == [COMPLAINT, ""]
    assert "\r" not in terminal.written.replace("\r\n", "")
    assert (project / "loaded").read_text() == "False\n"


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_there_is_none_where_it_cannot_be_drawn_over(project: Path, name: str, value: str) -> None:
    terminal, _, _ = check(project, environment={name: value})
    assert [line[: len(COMPLAINT)] for line in terminal.lines] == [COMPLAINT, ""]
    assert (project / "loaded").read_text() == "False\n"


def test_there_is_none_in_a_pipe(project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "0", "check"], cwd=project, capture_output=True, check=False,
        env={**environment, "TERM": "xterm", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr.decode().startswith(COMPLAINT)
    assert b"\r" not in done.stderr.replace(b"\r\n", b"\n")
    assert (project / "loaded").read_text() == "False\n"


def test_it_is_gone_before_changes_are_shown(project: Path) -> None:
    terminal = Terminal(["sh", "-c", '"$@" >&2', "sh", sys.executable, "-c", CHILD, "0", "check", "--diff"], project)
    terminal.finish()
    bar, diff = terminal.written.split("--- c.py")
    assert "3 of 4 files" in bar
    assert "files" not in diff
    assert "+++ c.py" in terminal.lines


INTERRUPTED = """\
import os, signal
from kl_lint import batch
check = batch.check
def interrupted(source, settings):
    if source.path == "b.py":
        os.kill(os.getpid(), signal.SIGINT)
    return check(source, settings)
batch.check = interrupted
"""
"""Ctrl+C, once the fourth file is at work: the shortest comes last."""


def test_it_is_gone_when_a_run_is_interrupted(project: Path) -> None:
    terminal = Terminal([sys.executable, "-c", INTERRUPTED + CHILD, "0", "check"], project)
    status, _ = terminal.finish()
    assert status == 130
    assert "3 of 4 files" in terminal.written
    assert terminal.lines == [""]


def test_outcomes_pass_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert [*progress.progress([1, None, 2], 3)] == [1, None, 2]
