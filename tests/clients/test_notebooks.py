"""Notebooks as their users have them: Jupyter's own reader takes them, and nbQA hands them to both programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import kl_lint
from kl_lint.cli import main
from tests.notebooks import CELLS, CELLS_MENDED, LOSS, LOSS_MENDED, PROBABILITIES, as_jupyter, notebook

pytestmark = pytest.mark.client

ROOT = Path(kl_lint.__file__).parent.parent

PLAIN = ["# Distillation", "%matplotlib inline\nimport torch.nn.functional as F", PROBABILITIES, LOSS]
"""nbQA passes over cells with the worst of magics."""


def nbqa(command: str, *arguments: str, cwd: Path) -> tuple[int, list[str]]:
    """Run nbQA: its exit code, and the beginnings of what it says, up to the codes."""
    done = subprocess.run(
        [sys.executable, "-m", "nbqa", command, *arguments],
        cwd=cwd, capture_output=True, check=False, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.returncode, [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "distillation.ipynb"
    path.write_text(as_jupyter(notebook(*PLAIN)), encoding="utf-8")
    return path


FOUND = ["distillation.ipynb:cell_3:3:17: KLD105", "distillation.ipynb:cell_3:3:42: KLD204"]
"""nbQA counts the cells of code alone."""


def test_flake8_under_nbqa(path: Path) -> None:
    assert nbqa("flake8", path.name, "--select=KLD", cwd=path.parent) == (1, FOUND)


def test_the_command_under_nbqa(path: Path) -> None:
    arguments = [path.name, "--isolated", "--output-format=concise"]
    assert nbqa("kl_lint check", *arguments, cwd=path.parent) == (1, FOUND)
    assert nbqa("kl_lint check", *arguments, "--fix", cwd=path.parent) == (0, [])
    mended = nbformat.read(path, as_version=4)
    assert mended.cells[3].source == LOSS_MENDED


def test_jupyter_reads_what_is_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(CELLS[0]), *map(nbformat.v4.new_code_cell, CELLS[1:])],
        metadata={"language_info": {"name": "python"}},
    )
    nbformat.write(made, "a.ipynb")
    before = Path("a.ipynb").read_bytes()
    assert main(["check", "--fix", "a.ipynb"]) == 0
    mended = nbformat.read("a.ipynb", as_version=4)
    nbformat.validate(mended)
    assert [cell.source for cell in mended.cells] == CELLS_MENDED
    nbformat.write(mended, "b.ipynb")
    assert Path("a.ipynb").read_bytes() == Path("b.ipynb").read_bytes() != before, "it is as Jupyter would save it"
