"""The plugin as editors run flake8: their command lines, and their ways to read what comes out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.client, pytest.mark.no_cover]

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

WIDE = """\
import torch.nn.functional as F


def loss(x, q):
    é = "日本"; return é, F.kl_div(F.softmax(x, dim=1), q)
"""


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """What an editor shows: row and column from 0, as the editor counts them."""

    row: int
    column: int
    code: str
    message: str
    severity: str


# --- Visual Studio Code ---

VSCODE_ARGUMENTS = ["--format='%(row)d,%(col)d,%(code).1s,%(code)s:%(text)s'"]
VSCODE_LINE = re.compile(r"(?P<line>\d+),(?P<column>-?\d+),(?P<type>\w+),(?P<code>\w+\d+):(?P<message>[^\r\n]*)")
VSCODE_SEVERITY = {"E": "Error", "F": "Error", "I": "Information", "W": "Warning"}
"""The extension's defaults."""


def vscode(path: Path, *, source: str | None = None, severity: dict[str, str] | None = None) -> list[Diagnostic]:
    """What the extension `ms-python.flake8` shows for a file, or for the cell of a notebook that holds `source`."""
    place = [str(path)] if source is None else ["--stdin-display-name", str(path), "-"]
    out = subprocess.run(
        [sys.executable, "-m", "flake8", *VSCODE_ARGUMENTS, *place],
        cwd=path.parent, input=source, capture_output=True, check=False, text=True, encoding="utf-8",
    ).stdout  # fmt: skip
    shown = []
    for line in out.splitlines():
        found = VSCODE_LINE.match(line[1:-1] if line.startswith("'") and line.endswith("'") else line)
        if found is not None and found["code"].startswith("KLD"):
            row, column = max(int(found["line"]) - 1, 0), max(int(found["column"]) - 1, 0)
            level = vscode_severity(found["code"], found["type"], severity or VSCODE_SEVERITY)
            shown.append(Diagnostic(row, column, found["code"], found["message"], level))
    return sorted(shown)


def vscode_severity(code: str, kind: str, severity: dict[str, str]) -> str:
    """The level of a code: that of its longest beginning for which there is one, else that of its first letter."""
    beginnings = (code[:length] for length in range(len(code), 0, -1))
    return next((severity[each] for each in beginnings if each in severity), severity.get(kind, "Error"))


# --- nvim-lint ---

NVIM_LINT = r"""
local python, path, result = unpack(vim.fn.split(vim.env.ARGUMENTS, '\n'))
vim.cmd('edit ' .. vim.fn.fnameescape(path))
local output = vim.fn.system({
  python, '-m', 'flake8',
  '--format=%(path)s:%(row)d:%(col)d:%(code)s:%(text)s',
  '--no-show-source',
  '--stdin-display-name', vim.api.nvim_buf_get_name(0),
  '-',
}, vim.fn.join(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n') .. '\n')
local pattern = '[^:]+:(%d+):(%d+):(%w+):(.+)'
local groups = { 'lnum', 'col', 'code', 'message' }
local function match(line)
  local captures = {}
  for index, text in ipairs({ line:match(pattern) }) do
    captures[groups[index]] = text
  end
  if not captures.lnum then return nil end
  local lnum, col = tonumber(captures.lnum) - 1, tonumber(captures.col) - 1
  return {
    lnum = lnum, end_lnum = lnum, col = col, end_col = col, code = captures.code, message = captures.message,
    user_data = { lsp = { code = captures.code } }, source = 'flake8', severity = vim.diagnostic.severity.WARN,
  }
end
local diagnostics = {}
for _, line in ipairs(vim.fn.split(output, '\n')) do
  table.insert(diagnostics, match(line))
end
local namespace = vim.api.nvim_create_namespace('flake8')
vim.diagnostic.set(namespace, 0, diagnostics)
vim.fn.writefile({ vim.fn.json_encode(vim.diagnostic.get(0, { namespace = namespace })) }, result)
vim.cmd('qall!')
"""
"""What nvim-lint does with its linter `flake8`: the buffer goes in, and a pattern reads each line that comes out."""


def nvim_lint(path: Path, directory: Path) -> list[Diagnostic]:
    """What nvim-lint shows for a file, in real Neovim."""
    neovim = shutil.which("nvim")
    assert neovim, "Neovim is missing: install the package neovim"
    script, result = directory / "lint.lua", directory / "result.json"
    script.write_text(NVIM_LINT)
    done = subprocess.run(
        [neovim, "--headless", "--clean", "-i", "NONE", "-c", f"luafile {script}"],
        cwd=path.parent, capture_output=True, check=False, text=True, timeout=120,
        env={**shell_environment(directory), "ARGUMENTS": f"{sys.executable}\n{path}\n{result}"},
    )  # fmt: skip
    assert result.exists(), done.stderr
    found = json.loads(result.read_text())
    level = {2: "Warning"}
    return sorted(
        Diagnostic(each["lnum"], each["col"], each["code"], each["message"], level[each["severity"]])
        for each in found
        if each["code"].startswith("KLD")
    )


def shell_environment(directory: Path) -> dict[str, str]:
    """An environment in which Neovim finds no configuration of who runs the tests, and leaves nothing behind."""
    places = {f"XDG_{kind}_HOME": str(directory / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {**os.environ, **places}


# --- what they show ---

PLACES = [
    ("KLD101/comments_between_arguments.py", [(14, "divergence = criterion(", "KLD101")]),
    ("KLD205/mean_of_everything.py", [(11, 'F.kl_div(q, p, reduction="none").mean()', "KLD205")]),
    ("KLD206/batch_mean.py", [(9, '"batch_mean")', "KLD206")]),
    ("KLD401/article.py", [(11, "F.kl_div(P, Q.log())", "KLD201"), (11, "F.kl_div(P, Q.log())", "KLD401")]),
    ("KLD502/channels_first.py", [(12, 'log_map, target, reduction="sum")', "KLD502")]),
    ("clean/article_log_target.py", []),
]
"""Fixtures, and of each finding the row, from 1, the text that the column points at, and the code."""


@pytest.mark.parametrize(("fixture", "expected"), PLACES, ids=[fixture for fixture, _ in PLACES])
def test_vscode_shows_findings_where_they_are(fixture: str, expected: list[tuple[int, str, str]]) -> None:
    assert_points_at(vscode(FIXTURES / fixture), FIXTURES / fixture, expected)


@pytest.mark.parametrize(("fixture", "expected"), PLACES[:3:2], ids=[fixture for fixture, _ in PLACES[:3:2]])
def test_nvim_lint_shows_findings_where_they_are(
    fixture: str, expected: list[tuple[int, str, str]], tmp_path: Path
) -> None:
    shown = nvim_lint(FIXTURES / fixture, tmp_path)
    assert_points_at(shown, FIXTURES / fixture, expected)
    assert {each.severity for each in shown} == {"Warning"}


def assert_points_at(shown: list[Diagnostic], path: Path, expected: list[tuple[int, str, str]]) -> None:
    """That a file's diagnostics stand on the rows and before the texts that are expected."""
    assert [(each.row + 1, each.code) for each in shown] == [(row, code) for row, _, code in expected]
    lines = path.read_text(encoding="utf-8").splitlines()
    for each, (_, text, _) in zip(shown, expected, strict=True):
        assert lines[each.row][each.column :].startswith(text)


def test_vscode_counts_characters(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text(WIDE, encoding="utf-8")
    line = WIDE.splitlines()[4]
    shown = vscode(path)
    assert [(each.row, each.column, each.code) for each in shown] == [
        (4, line.index("F.kl_div"), "KLD201"),
        (4, line.index("F.softmax"), "KLD101"),
    ]


def test_vscode_shows_messages_whole(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text(WIDE, encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "kl_lint", "check", "--output-format=json", str(path)],
        capture_output=True, check=False, text=True, encoding="utf-8",
    ).stdout  # fmt: skip
    # flake8 puts the code and the text behind it apart
    assert sorted(each.message.strip() for each in vscode(path)) == sorted(each["message"] for each in json.loads(told))


def test_vscode_takes_the_level_from_its_settings() -> None:
    path = FIXTURES / "KLD401" / "article.py"
    assert {each.severity for each in vscode(path)} == {"Error"}, "it has no default for codes that begin with K"
    assert {each.severity for each in vscode(path, severity={**VSCODE_SEVERITY, "KLD": "Warning"})} == {"Warning"}


def test_vscode_checks_the_cells_of_a_notebook_one_by_one(tmp_path: Path) -> None:
    shown = vscode(tmp_path / "distillation.ipynb", source=WIDE)
    assert [(each.row, each.code) for each in shown] == [(4, "KLD201"), (4, "KLD101")]
