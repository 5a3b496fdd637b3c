"""What is checked is text: nothing of it is run, and nothing of it steers who reads a report."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kl_lint.changes import Change
from kl_lint.commands.common import show
from kl_lint.reports import REPORTS
from kl_lint.reports.terminal import visible
from tests.command import LEGACY, MISUSE, ROOT, Command

SCRIPTS = Path(sys.executable).parent
MODULES = (
    "argparse", "ast", "conftest", "dataclasses", "difflib", "flake8", "helper", "json", "kl_lint_plugin", "libcst", "multiprocessing",
    "numpy", "pathspec", "pkg.__init__", "pkg.__main__", "pkg.losses", "setup", "sitecustomize", "tokenize", "tomllib", "torch",
    "usercustomize",
)  # fmt: skip
"""Names under which something could be imported: by Python as it starts, by kl-lint, flake8 and pytest, by the target."""

TARGET = """\
import helper, kl_lint_plugin, torch
import torch.nn.functional as F
from pkg import losses
from pkg.losses import soften

class Evil:
    def __reduce__(self):
        return __import__("os").system, ("touch RAN_reduce",)

with open("RAN_open", "w"):
    eval("1"); exec("2"); __import__("pkg")

def loss(x, y):
    return F.kl_div(soften(x), y), F.kl_div(F.softmax(x, dim=1), y, size_average=False)
"""


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Path]:
    """A project in which every module leaves a file behind when it is run. Nothing has, when the test is over."""
    for name in MODULES:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"open({str(tmp_path / 'RAN_')!r} + __name__, 'w').close()\nimport torch\ndef soften(x):\n    return torch.softmax(x, 1)\n"
        )
    (tmp_path / "loss.py").write_text(TARGET)
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = planted\nversion = attr: pkg.version\n")
    (tmp_path / "planted.pth").write_text(f"import os; open({str(tmp_path / 'RAN_pth')!r}, 'w').close()\n")
    (tmp_path / "planted.pkl").write_bytes(pickle.dumps(Planted(str(tmp_path / "RAN_pickle"))))
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("[core]\n\tfsmonitor = touch RAN_git\n\tpager = touch RAN_pager\n")
    (tmp_path / ".kl_lint_cache").write_bytes(pickle.dumps(Planted(str(tmp_path / "RAN_cache"))))
    (tmp_path / "pyproject.toml").write_text(
        '[tool.kl_lint]\nextend-exclude = ["$(touch RAN_shell)", "`touch RAN_shell`", "{__import__(\'helper\')}", "%(x)s"]\n'
        '[tool.kl_lint.returns]\n"helper.*" = "probs"\n'
        '[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n'
    )
    yield tmp_path
    assert sorted(path.name for path in tmp_path.rglob("RAN_*")) == []


class Planted:
    """What touches a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (self.path,)


def run(*command: str | Path, cwd: Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**{key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, **environment}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, input=stdin, capture_output=True, check=False, env=environment
    )


def test_what_is_planted_runs_when_it_is_imported(planted: Path) -> None:
    done = run(sys.executable, "-c", "import pkg.losses, helper", cwd=planted)
    assert (planted / "RAN_helper").exists(), done.stderr
    for path in planted.glob("RAN_*"):
        path.unlink()


@pytest.mark.skipif(not (SCRIPTS / "kl-lint").exists(), reason="kl-lint is not installed beside this Python")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "."),
        ("check", "--fix", "--unsafe-fixes", "--jobs=2", "."),
        ("check", "--output-format=sarif", "--output-file=report.sarif", "."),
        ("check", "--add-noqa", "--enable=KLD", "loss.py"),
        ("inspect", "."),
        ("config", "loss.py"),
    ],
)
def test_the_command_runs_nothing_of_the_target(planted: Path, arguments: tuple[str, ...]) -> None:
    done = run(SCRIPTS / "kl-lint", *arguments, cwd=planted)
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout or "--output-file=report.sarif" in arguments or "--add-noqa" in arguments or "--fix" in arguments


@pytest.mark.parametrize("verb", ["check", "inspect"])
def test_python_m_runs_nothing_of_the_target(planted: Path, verb: str) -> None:
    done = run(sys.executable, "-m", "kl_lint", verb, ".", cwd=planted, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stderr) == (verb == "check", b"")
    assert b"loss.py" in done.stdout


def test_flake8_runs_nothing_of_the_target(planted: Path) -> None:
    done = run(SCRIPTS / "flake8", "--select=KLD", "--jobs=1", ".", cwd=planted)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"KLD101" in done.stdout


@pytest.mark.skipif(not (SCRIPTS / "kl-lint").exists(), reason="kl-lint is not installed beside this Python")
def test_the_server_runs_nothing_of_the_target(planted: Path) -> None:
    uri = (planted / "loss.py").as_uri()
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 40, "character": 0}}
    said = [
        ("initialize", {"processId": None, "rootUri": planted.as_uri(), "capabilities": {}}),
        ("initialized", {}),
        ("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": TARGET}}),
        ("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}),
    ]
    command = [str(SCRIPTS / "kl-lint"), "server"]
    with subprocess.Popen(command, cwd=planted, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"".join(message(number, *each) for number, each in enumerate(said)))
        server.stdin.flush()
        heard = b""
        while b"newText" not in heard and (more := os.read(server.stdout.fileno(), 1 << 16)):
            heard += more
        server.stdin.close()  # it ends with its input
    assert b"KLD101" in heard
    assert b"newText" in heard


def message(number: int, method: str, parameters: object) -> bytes:
    """A request, or a notification, as a client sends it."""
    is_request = method in ("initialize", "textDocument/codeAction")
    content: dict[str, object] = {"jsonrpc": "2.0", "method": method, **({"id": number} if is_request else {})}
    body = json.dumps({**content, "params": parameters}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


# --- reports ---

COMMANDS = '''\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(  # ##[error]of a comment \x1b[31m
        F.softmax(x["##[add-mask]a"], dim=1), """
::error::of a string
##[group]\x9b31m
""", reduction="##[endgroup]::warning::\\x1b")
'''


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("layout", REPORTS)
def test_no_code_is_taken_for_a_command(command: Command, layout: str) -> None:
    Path("##[error].py").write_text(COMMANDS, encoding="utf-8")
    Path("::error::b.py").write_text(COMMANDS, encoding="utf-8")
    Path("c\n::error::\x1b.py").write_text("kl_div(\n")
    status, out, err = command("check", f"--output-format={layout}", *map(str, sorted(Path().iterdir())))
    assert status == 2
    assert "KLD206" in out
    own = ("::warning title=kl-lint", "::error title=kl-lint")
    for line in (out + err).splitlines():
        assert line.isprintable()
        assert "##[" not in line
        assert not line.lstrip().startswith("::") or (layout == "github" and line.startswith(own))


def test_what_is_inspected_is_not_taken_for_a_command(command: Command) -> None:
    Path("##[error].py").write_text(COMMANDS, encoding="utf-8")
    for layout in ("text", "json"):
        _, out, _ = command("inspect", f"--output-format={layout}", ".")
        assert "reduction" in out
        assert "##[" not in out
        assert out.replace("\n", "").isprintable()


def test_what_json_cannot_show_comes_back(command: Command) -> None:
    Path("##[error].py").write_text(MISUSE)
    _, out, _ = command("check", "--output-format=json", ".")
    assert json.loads(out)[0]["filename"].endswith("/##[error].py")


def test_a_configuration_is_shown_without_commands(command: Command) -> None:
    Path("pyproject.toml").write_text(
        '[tool.kl_lint]\nextend-exclude = ["##[error]\\u009b\\u001b\\u202e\\\\é", "\\U000e0001\\""]\n'
    )
    shown = command.config()["extend-exclude"]
    assert shown.startswith('["\\u0023#[error]\\U0000009b\\U0000001b\\U0000202e\\\\é", "\\U000e0001\\""]')


# --- diffs ---


def test_a_name_adds_nothing_to_a_diff() -> None:
    name = 'a"\\\n--- /etc/passwd\n+++ /etc/passwd\x7fé.py'
    first, second, third, *_ = Change(name, b"a\n", b"b\n").diff().split(b"\n")
    quoted = b'"a\\042\\134\\012--- /etc/passwd\\012+++ /etc/passwd\\177\\303\\251.py"'
    assert (first, second, third) == (b"--- " + quoted, b"+++ " + quoted, b"@@ -1 +1 @@")
    plain = Change("a b\\é.py", b"a\n", b"b\n").diff().split(b"\n")
    assert plain[0] == "--- a b\\é.py".encode()


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
def test_git_applies_a_diff_of_an_odd_name(command: Command) -> None:
    name = 'a"\\\n\té.py'
    Path(name).write_text(LEGACY)
    _, out, _ = command("check", "--diff", name)
    Path("change.diff").write_text(out)
    subprocess.run(["git", "apply", "-p0", "change.diff"], check=True)
    assert Path(name).read_text() != LEGACY


def test_a_diff_does_not_steer_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = b"--- a\n+++ a\n@@ -1 +1 @@\n-\x1b[31m\xff\r\n+\xc3\xa9\tb\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show(data)
    assert capsys.readouterr().out == "--- a\n+++ a\n@@ -1 +1 @@\n-\\x1b[31m\\udcff\n+é    b\n"


@pytest.mark.parametrize("text", ["##[error]", "###[", "##[##[", "\x1b##["])
def test_no_command_is_visible(text: str) -> None:
    assert "##[" not in visible(text)
    assert visible(visible(text)) == visible(text)
