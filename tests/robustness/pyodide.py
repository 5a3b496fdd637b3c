"""Runs the tests that need neither torch nor a second process under CPython in WebAssembly: a Python newer than any here.

    python tests/robustness/pyodide.py [pytest arguments...]

Wants npm, node and pip, and puts what it installs into `.venv/pyodide`. Takes about a minute. The Python is that of the
release of Pyodide below (314 is CPython 3.14). libcst is native, and not there: the analysis and the rules are tested.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv" / "pyodide"
RELEASE = "314.0.7"
PYTHON = "3.14"
LIBRARIES = ["flake8>=6", "pathspec>=0.12", "tqdm>=4.60", "pytest", "pytest-asyncio"]
TESTS = [
    "tests/flow",
    "tests/rules",
    "tests/test_plugin.py",
    "--ignore=tests/flow/test_catalogue.py",
    "--ignore=tests/flow/test_results.py",
    # there are no processes in WebAssembly
    "--deselect=tests/rules/test_registry.py::test_importing_the_rules_loads_neither_torch_nor_libcst",
    "--deselect=tests/test_plugin.py::test_loading_the_plugin_loads_little",
]
STACK = 60_000
"""Kilobytes: programs that nest deeply take more of node's stack than it has by itself."""

MAIN = """\
import { loadPyodide } from "pyodide";

const [root, site, ...options] = process.argv.slice(2);
const python = await loadPyodide();
for (const [place, folder] of [["/root", root], ["/site", site]]) {
    python.FS.mkdirTree(place);
    python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, place);
}
python.globals.set("options", python.toPy(options));
process.exitCode = python.runPython(`
import os, sys
sys.path[:0] = ["/root", "/site"]
os.chdir("/root")
print("CPython", sys.version)
import pytest
int(pytest.main(["-p", "no:cacheprovider", "-q", "-rfE", *options]))
`);
"""


def install() -> Path:
    """Pyodide, and the libraries for its Python; the folder of these."""
    site = HOME / "site"
    HOME.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--silent", f"pyodide@{RELEASE}"], cwd=HOME, check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(site)]
    subprocess.run([*pip, "--only-binary=:all:", f"--python-version={PYTHON}", *LIBRARIES], check=True)
    return site


def main(arguments: list[str]) -> int:
    """pytest's exit code."""
    site = install()
    script = HOME / "main.mjs"
    script.write_text(MAIN, encoding="utf-8")
    node = f'ulimit -s unlimited && exec node --stack-size={STACK} "$@"'
    command = ["bash", "-c", node, "node", str(script), str(ROOT), str(site), *(arguments or TESTS)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
