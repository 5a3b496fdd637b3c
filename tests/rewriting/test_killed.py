"""Runs that are killed, and runs that meet: every file is whole, the old one or the new one."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import LEGACY, LEGACY_MENDED, ROOT

pytestmark = pytest.mark.no_cover

SCRIPT = Path(__file__).with_name("killed.py")
LEFTOVER = re.compile(r"\.\w+\.py\.\w{8}\.kl-lint")


def plant(tree: Path, number: int) -> dict[Path, tuple[bytes, bytes]]:
    """Files that a safe fix changes, of different lengths, and what each holds before and after."""
    files = {}
    for index in range(number):
        more = "".join(f"# {line} of {index}\n" for line in range(index * 37 % 500))
        path = tree / f"package{index % 7}" / f"loss{index}.py"
        files[path] = ((LEGACY + more).encode(), (LEGACY_MENDED + more).encode())
    for path, (before, _) in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(before)
    return files


def start(tree: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """`kl-lint check --fix`, with arguments to Python before it."""
    return subprocess.Popen(
        [sys.executable, *arguments, "check", "--fix", "."],
        cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def examine(tree: Path, files: dict[Path, tuple[bytes, bytes]]) -> int:
    """How many files are the new ones. All are whole, and there is nothing but them and what a killed run may leave."""
    for path in tree.rglob("*"):
        assert path.is_dir() or path in files or LEFTOVER.fullmatch(path.name), path
    contents = {path: path.read_bytes() for path in files}
    assert all(content in files[path] for path, content in contents.items())
    return sum(content == files[path][1] for path, content in contents.items())


def finish(tree: Path, files: dict[Path, tuple[bytes, bytes]]) -> None:
    """Run once more, to the end: every file is the new one, and nothing else is left."""
    process = start(tree, "-m", "kl_lint")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert examine(tree, files) == len(files)
    assert sorted(path for path in tree.rglob("*") if path.is_file()) == sorted(files)


def killed_at(tree: Path, moment: int) -> int | None:
    """Run up to a moment; None where it was killed then, else how many moments there were."""
    process = start(tree, str(SCRIPT), str(moment))
    out, err = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return None
    assert process.returncode == 0, err
    return int(out.splitlines()[-1])


def test_a_killed_run_leaves_whole_files(tmp_path: Path) -> None:
    plant(tmp_path / "whole", 2)
    moments = killed_at(tmp_path / "whole", 0)
    assert moments is not None
    seen = set()
    for moment in range(moments - 5, moments + 1):  # what is done to the second file, which ends with its renaming
        tree = tmp_path / str(moment)
        files = plant(tree, 2)
        assert killed_at(tree, moment) is None
        seen.add((examine(tree, files), any(LEFTOVER.fullmatch(path.name) for path in tree.rglob(".*"))))
        if moment == moments:
            finish(tree, files)
    assert seen == {(1, False), (1, True)}


@pytest.mark.long
def test_many_killed_runs_leave_whole_files(tmp_path: Path) -> None:
    chance = random.Random(6)
    files = plant(tmp_path, 500)
    began = time.monotonic()
    finish(tmp_path, files)
    usual = time.monotonic() - began
    killed = 0
    while killed < 200:
        files = plant(tmp_path, 500)
        process = start(tmp_path, "-m", "kl_lint")
        time.sleep(chance.uniform(0, usual))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        examine(tmp_path, files)
    finish(tmp_path, plant(tmp_path, 500))


def test_runs_that_meet_leave_whole_files(tmp_path: Path) -> None:
    files = plant(tmp_path, 40)
    processes = [start(tmp_path, "-m", "kl_lint") for _ in range(4)]
    for process in processes:
        _, err = process.communicate()
        assert process.returncode in (0, 2)
        for line in err.decode().splitlines():
            assert line.startswith("Found ") or "has changed since it was read, and is left as it is; run again" in line
    examine(tmp_path, files)
    finish(tmp_path, files)
