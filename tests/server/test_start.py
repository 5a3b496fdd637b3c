"""`kl-lint server` as a command: what it needs, and how it ends."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, Command, run
from tests.server.editor import PATIENCE


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty directory."""
    return Command(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("package", ["pygls", "lsprotocol"])
def test_what_is_not_installed_is_named(command: Command, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for name in [name for name in sys.modules if name.startswith(("kl_lint.server", package))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    status, out, err = command("server")
    assert (status, out) == (2, "")
    assert err == f"kl-lint: the language server needs {package}; install it with: pip install 'kl-lint[lsp]'\n"


@pytest.mark.parametrize(
    "said", [b"", b"Content-Length: 3\r\n\r\n", b"what is this?\n", b"Content-Length: 2\r\n\r\n{}"]
)
def test_it_ends_with_its_input(said: bytes) -> None:
    done = run("server", "--stdio", stdin=said)
    assert done.returncode == 0
    assert b"Traceback" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="processes there are interrupted otherwise")
def test_it_can_be_interrupted() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
    command = [sys.executable, "-m", "kl_lint", "server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-Length: ")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_at_a_terminal_it_says_what_it_waits_for() -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "kl_lint", "server"], stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"kl-lint server waits for an editor on standard input; Ctrl+C ends it\n"
        process.kill()
    os.close(ours)
    os.close(theirs)


@pytest.mark.skipif(sys.platform == "win32", reason="sh is not there")
def test_without_standard_input_it_says_so() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" -m kl_lint server <&-', sys.executable], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "speaks on standard input and output; one of them is closed" in done.stderr


def imported(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str() as module):
                found.add(module.partition(".")[0])
    return found


def test_nobody_else_knows_the_protocol() -> None:
    package = ROOT / "kl_lint"
    knowing = {
        path.relative_to(package).as_posix(): known
        for path in package.rglob("*.py")
        if (known := imported(path) & {"pygls", "lsprotocol", "pylsp"})
    }
    assert {Path(name).parent.name for name in knowing} == {"server"}
    assert sorted(name for name, known in knowing.items() if "pygls" in known) == [
        "server/app.py",
        "server/protocol.py",
    ], "python-lsp-server's plugin makes do without"
    assert [name for name, known in knowing.items() if "pylsp" in known] == ["server/pylsp.py"]
