"""Completion in real shells: scripts as they come from the command, and somebody who presses the tab key."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("these shells are not there", allow_module_level=True)

import pty

from kl_lint.rules import CODES
from tests.command import Command, run

pytestmark = pytest.mark.client

PATIENCE = 60
"""Seconds after which what has not come will not."""


def shell(name: str) -> str:
    """Where a shell is. Where everything is to be checked, it has to be somewhere."""
    found = shutil.which(name)
    if found is None:
        why = f"{name} is not installed: `apt-get install {name}`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return found


@pytest.fixture(params=["bash", "zsh", "fish"])
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What the command prints for a shell, in a file called after it. There is a file `loss.py` beside it."""
    done = run("completion", request.param)
    assert (done.returncode, done.stderr) == (0, b"")
    path = tmp_path / str(request.param)
    path.write_bytes(done.stdout)
    (tmp_path / "loss.py").touch()
    return path


SETUP = {
    "bash": (["--norc", "--noprofile", "-i"], ["PS1='> '", "bind 'set enable-bracketed-paste off'", "source ./bash"]),
    "zsh": (
        ["-f", "-i"],
        ["PS1='> '", "mv zsh _kl-lint", "fpath=($PWD $fpath)", "autoload -U compinit", "compinit -u -D"],
    ),
}


def typed(script: Path, text: str, awaited: str) -> str:
    """The arguments that the command is given where `text` was typed in an interactive shell, tabs included.

    The line is ended once `awaited` is seen: zsh takes a tab for itself where more is typed already.
    """
    options, setup = SETUP[script.name]
    process, end = pty.fork()
    if not process:
        os.chdir(script.parent)
        os.execve(
            shell(script.name), [script.name, *options], {**os.environ, "TERM": "dumb", "HOME": str(script.parent)}
        )
    try:
        for line in [*setup, 'kl-lint() { echo "[$*]"; }', "echo rea''dy"]:
            os.write(end, line.encode() + b"\n")
        _until(end, "ready\r")
        os.write(end, text.encode())
        _until(end, awaited)
        os.write(end, b"\n")
        return _until(end, "]\r").rpartition("\n[")[2].partition("]")[0]
    finally:
        os.close(end)
        os.waitpid(process, 0)


def _until(end: int, mark: str) -> str:
    """What is written to a terminal until `mark` is."""
    text = ""
    while mark not in text:
        ready, _, _ = select.select([end], [], [], PATIENCE)
        assert ready, f"waited in vain for {mark!r} after {text!r}"
        text += os.read(end, 65536).decode(errors="replace")
    return text


COMPLETED = [
    ("insp\t", "inspect"),
    ("check --exit-n\t", "check --exit-non-zero-on-fix"),
    ("check --output-format sar\t", "check --output-format sarif"),
    ("check --output-file lo\t", "check --output-file loss.py"),
    ("check --select KLD60\t", "check --select KLD601"),
    ("rule KLD60\t", "rule KLD601"),
    ("check lo\t", "check loss.py"),
    ("completion fi\t", "completion fish"),
]


@pytest.mark.parametrize(("text", "expected"), COMPLETED)
def test_what_is_begun_is_completed(script: Path, text: str, expected: str) -> None:
    if script.name == "fish":
        assert expected in [f"{text.rpartition(' ')[0]} {each}".strip() for each in fish(script, text.rstrip("\t"))]
    else:
        assert typed(script, f"kl-lint {text}", expected).split() == expected.split()


def fish(script: Path, text: str) -> Sequence[str]:
    """What fish offers for a line that is begun, which it tells whoever asks."""
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c", f"source ./fish; complete -C 'kl-lint {text}'"],
        cwd=script.parent, capture_output=True, check=False, text=True, env={**os.environ, "HOME": str(script.parent)},
    )  # fmt: skip
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_all_codes_are_offered(script: Path) -> None:
    if script.name == "fish":
        assert list(fish(script, "rule KLD")) == list(CODES)
    else:
        assert all(code in script.read_text() for code in CODES)


def test_a_script_for_tcsh_is_one() -> None:
    done = run("completion", "tcsh")
    assert done.stdout.startswith(b"# AUTOMATICALLY GENERATED")
    assert b"complete kl-lint" in done.stdout


def test_a_shell_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    done = run("completion", "cmd")
    assert done.returncode == 2
    assert b"invalid choice: 'cmd' (choose from" in done.stderr


def test_a_missing_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert Command(tmp_path, monkeypatch, capsys)("completion", "bash") == (
        2,
        "",
        "kl-lint: completion needs shtab; install it with: pip install 'kl-lint[completion]'\n",
    )
