"""The language server in a real editor: Neovim, without a screen, with the client that it brings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures"
README = HERE.parents[1] / "README.md"


@pytest.fixture
def neovim() -> str:
    """Where the editor is. Where everything is to be checked, it has to be somewhere."""
    found = shutil.which("nvim")
    if found is None:
        why = "Neovim is not installed: `apt-get install neovim`, or https://neovim.io"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return found


NOW, BEFORE = re.findall(
    r"^```lua\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
)
"""What the README has for the configuration of the editor, from 0.11 on and before."""


def is_of_before(neovim: str) -> bool:
    """Whether the editor is older than 0.11."""
    told = subprocess.run([neovim, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", told)
    assert version, told
    return (int(version[1]), int(version[2])) < (0, 11)


def visit(neovim: str, path: Path, block: str = NOW) -> dict[str, Any]:
    """What is seen of a file in the editor, where every fix that stands first is taken, and the result is saved.

    The editor is configured as the README says.
    """
    report, configuration = path.with_suffix(".json"), path.with_suffix(".lua")
    configuration.write_text(block, encoding="utf-8")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    places = {"CONFIG": str(configuration), "REPORT": str(report), "XDG_STATE_HOME": str(path.parent)}
    done = subprocess.run(
        [neovim, "--headless", "-n", "-u", "NONE", "-i", "NONE", path.name, "-S", str(HERE / "neovim.lua")],
        cwd=path.parent,
        env={**os.environ, **places, "PATH": programs},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), done.stderr
    seen: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert "trouble" not in seen, seen["trouble"]
    assert seen["told"] == []
    return seen


@pytest.mark.parametrize(
    ("name", "computes"),
    [
        ("KLD101/inline_softmax", "not a divergence: the input is probabilities"),
        ("KLD204/false_by_position", "KL(p ‖ q), summed"),
    ],
)
@pytest.mark.parametrize("block", [NOW, BEFORE], ids=["now", "before"])
def test_it_shows_and_mends(neovim: str, tmp_path: Path, name: str, computes: str, block: str) -> None:
    if block == BEFORE and not is_of_before(neovim):
        pytest.skip("the editor is newer than what that is for")
    source, golden = FIXTURES / f"{name}.py", FIXTURES / f"{name}.fixed.py"
    path = tmp_path / source.name
    shutil.copyfile(source, path)
    seen = visit(neovim, path, block)
    code = name.partition("/")[0]
    (diagnostic,) = seen["diagnostics"]
    assert diagnostic["code"] == code
    assert diagnostic["source"] == "kl-lint"
    assert any(diagnostic["message"] in text for text in seen["shown"])
    assert computes in seen["hover"][0]
    assert f"[{code}, " in seen["offered"][0][0]
    assert path.read_text(encoding="utf-8") == golden.read_text(encoding="utf-8")
