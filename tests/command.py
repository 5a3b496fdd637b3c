"""The command `kl-lint` in tests, and programs to run it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kl_lint
from kl_lint.cli import main

ROOT = Path(kl_lint.__file__).parent.parent

MISUSE = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(F.softmax(x, dim=1), q, reduction="batchmean")
"""
"""KLD101 in row 5, with an unsafe fix."""

MENDED = MISUSE.replace("F.softmax", "F.log_softmax")

TWICE = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(F.softmax(x, dim=1), q)
"""
"""KLD101 and KLD201 in row 5."""

CORRECT = """\
import torch.nn.functional as F


def loss(x, y):
    return F.kl_div(F.log_softmax(x, dim=1), F.softmax(y, dim=1), reduction="batchmean")
"""

OFF_BY_DEFAULT = """\
import torch.nn.functional as F


def loss(x, y):
    return F.kl_div(F.log_softmax(x / 4, dim=1), F.softmax(y.detach(), dim=1), reduction="batchmean")
"""
"""KLD504 in row 5."""

DECLARED = """\
import torch.nn.functional as F
from models import policy


def loss(x, q):
    return F.kl_div(policy(x), q, reduction="batchmean")
"""
"""KLD101 in row 6, where `models.policy` is known to return probabilities."""

LEGACY = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(F.log_softmax(x, dim=1), q, size_average=False)
"""
"""KLD204 in row 5, with a safe fix."""

LEGACY_MENDED = LEGACY.replace("size_average=False", 'reduction="sum"')


def run(
    *arguments: str, stdin: bytes | None = None, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `kl-lint` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kl_lint", *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


class Command:
    """`kl-lint` run within this process, which is quicker, in a directory."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(directory)
        monkeypatch.delenv("NO_COLOR", raising=False)
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        out, err = self._capsys.readouterr()
        return status, out, err

    def codes(self, *arguments: str) -> list[str]:
        """The codes that `kl-lint check` reports."""
        _, out, _ = self("check", "--output-format=json", *arguments)
        return [finding["code"] for finding in json.loads(out)]

    def config(self, *arguments: str) -> dict[str, str]:
        """What `kl-lint config` shows: the rest of the line by option."""
        status, out, err = self("config", *arguments)
        assert (status, err) == (0, "")
        header, *lines = out.splitlines()
        assert header == "[tool.kl_lint]"
        return dict(line.split(" = ", 1) for line in lines)


def plant(**files: str) -> None:
    """Write files, `name="text"` to `name.py`."""
    for name, text in files.items():
        path = Path(f"{name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
