"""The same bytes in give the same bytes out, whatever the process, the machine and the order of things are like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import cycle, permutations
from pathlib import Path

import pytest

from kl_lint.reports import REPORTS
from tests.command import LEGACY, MISUSE, ROOT, TWICE, Command, run

pytestmark = pytest.mark.no_cover

# ruff: noqa: RUF001
ODD = """\
import torch.nn.functional as F


def verlust(größe, 数据, ﬁ):
    "ﬁ is two letters in the eyes of Python, ı and İ are letters of Turkish: ☃ 😀"
    P = F.softmax(größe, dim=1); return F.kl_div(P, 数据["é☃😀"]), F.kl_div(F.log_softmax(größe, 1), ﬁ, reduction="İı")
"""

PROJECT = {
    "pkg/__init__.py": "",
    "pkg/losses.py": "import torch.nn.functional as F\n\n\ndef divergence(p, q):\n    return F.kl_div(p, q)\n",
    "pkg/a.py": "import torch\nfrom pkg.losses import divergence as d\n\n\ndef step(x, y):\n    return d(torch.softmax(x, 1), y.softmax(1))\n",
    "pkg/b.py": "from pkg.losses import *\n\n\ndef other(x, y):\n    return divergence(x.log_softmax(1), y.log_softmax(1))\n",
    "misuse.py": MISUSE,
    "legacy.py": LEGACY,
    "twice.py": TWICE,
    "odd.py": ODD,
    "broken.py": "kl_div(\n",
    "latin.py": "# coding: latin-1\n# é\n" + MISUSE,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a finding of every kind of origin."""
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="latin-1" if name == "latin.py" else "utf-8")
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


@pytest.mark.parametrize("layout", REPORTS)
def test_the_seed_of_hashes_does_not_matter(project: Path, layout: str) -> None:
    def told(seed: str) -> bytes:
        done = run("check", f"--output-format={layout}", "--enable=KLD", ".", cwd=project, PYTHONHASHSEED=seed)
        assert done.returncode == 2, "one file is broken"
        return done.stdout + done.stderr

    first = told("0")
    assert b"KLD" in first
    assert [told(seed) for seed in ("1", "4294967295")] == [first, first]


def test_the_seed_of_hashes_does_not_matter_to_fixes(project: Path) -> None:
    diffs = {
        run("check", "--diff", "--unsafe-fixes", "--enable=KLD", ".", cwd=project, PYTHONHASHSEED=str(seed)).stdout
        for seed in range(4)
    }
    assert len(diffs) == 1
    assert b"+++ legacy.py" in diffs.pop()


FIXTURES = """
import sys
from pathlib import Path
from kl_lint import check_source, inspect_source
for path in sorted(Path(sys.argv[1]).rglob("*.py"))[:: int(sys.argv[2])]:
    source = path.read_text(encoding="utf-8")
    print(path.name, *check_source(source, enable=frozenset({"KLD"})), *inspect_source(source))
"""


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.long)])
def test_the_seed_of_hashes_does_not_matter_to_the_analysis(every: int) -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", FIXTURES, str(ROOT / "fixtures"), str(every)],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            capture_output=True, check=True,
        ).stdout
        for seed in range(3 if every > 1 else 8)
    }  # fmt: skip
    assert len(told) == 1
    assert b"KLD" in told.pop()


def test_the_order_of_arguments_does_not_matter(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = Command(project, monkeypatch, capsys)
    told = {
        command("check", "--output-format=json", *paths)
        for paths in permutations(["pkg", "misuse.py", "odd.py", "pkg/a.py"])
    }
    assert len(told) == 1


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_the_number_of_processes_does_not_matter(project: Path, jobs: str) -> None:
    done, alone = (run("check", "--enable=KLD", f"--jobs={number}", ".", cwd=project) for number in (jobs, "1"))
    assert (done.returncode, done.stdout, done.stderr) == (alone.returncode, alone.stdout, alone.stderr)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
@pytest.mark.parametrize("name", ["misuse.py", "odd.py", "twice.py", "legacy.py"])
def test_the_newlines_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, newline: str
) -> None:
    command = Command(tmp_path, monkeypatch, capsys)
    path, fixing = Path("a.py"), ("check", "--fix-only", "--unsafe-fixes", "--enable=KLD", "a.py")
    text = (
        PROJECT[name]
        + '\n\ndef more(x, y):\n    """One\n    two."""\n    return F.kl_div(x.softmax(1), \\\n        y)\n'
    )
    told, fixed = [], []
    for data in (text, text.replace("\n", newline)):
        path.write_bytes(data.encode())
        told.append([command("check", f"--output-format={layout}", "--enable=KLD", "a.py") for layout in REPORTS])
        told[-1].append(command("inspect", "a.py"))
        fixed.append((command(*fixing), path.read_bytes().decode().replace(newline, "\n")))
    assert told[0] == told[1]
    assert fixed[0] == fixed[1]
    assert fixed[0][1] != text
    assert "\n" not in path.read_bytes().decode().replace(newline, "")


LOCALES = (
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    {"LC_ALL": "tr_TR", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1:strict"},
    {"PYTHONIOENCODING": "utf-16"},
    {"PYTHONLEGACYWINDOWSSTDIO": "1", "TERM": "dumb", "COLUMNS": "1"},
    {"TZ": "Asia/Kathmandu", "LC_TIME": "tr_TR.UTF-8"},
)


def under(environment: dict[str, str], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """The command where nothing but this is said of the locale."""
    blank = dict.fromkeys(("LC_ALL", "LANG", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING"), "")
    return subprocess.run(
        [sys.executable, "-m", "kl_lint", *arguments],
        cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **blank, **environment},
    )  # fmt: skip


def test_a_document_is_the_same_in_every_locale(project: Path) -> None:
    def told(layout: str, environment: dict[str, str]) -> bytes:
        arguments = (f"--output-format={layout}", "--enable=KLD", "--output-file=report", ".")
        done = under(environment, "check", *arguments, cwd=project)
        assert (done.returncode, done.stdout) == (2, b""), "one file is broken"
        assert b"Traceback" not in done.stderr
        return (project / "report").read_bytes()

    layouts = ("json", "sarif", "gitlab", "rdjson", "junit")
    expected = {layout: told(layout, {"PYTHONUTF8": "1"}) for layout in layouts}
    for environment, layout in zip(LOCALES, cycle(layouts), strict=False):
        assert told(layout, environment) == expected[layout]


@pytest.mark.parametrize("verb", ["check", "inspect"])
def test_what_is_shown_is_the_same_but_for_what_cannot_be_shown(project: Path, verb: str) -> None:
    expected = run(verb, "misuse.py", "odd.py", cwd=project, PYTHONUTF8="1")
    lines = expected.stdout.decode().splitlines()
    assert verb == "inspect" or any("größe" in line for line in lines)
    for environment in LOCALES:
        encoding = "utf-16" if environment.get("PYTHONIOENCODING") == "utf-16" else "utf-8"
        done = under(environment, verb, "misuse.py", "odd.py", cwd=project)
        assert (done.returncode, b"Traceback" in done.stderr) == (expected.returncode, False), done.stderr
        shown = done.stdout.decode(encoding, "replace").splitlines()
        assert len(shown) == len(lines)
        for line, other in zip(lines, shown, strict=True):
            assert line == other or not line.isascii()


def test_a_diff_is_the_same_in_every_locale(project: Path) -> None:
    arguments = ("check", "--diff", "--unsafe-fixes", "misuse.py", "odd.py", "latin.py")
    expected = run(*arguments, cwd=project, PYTHONUTF8="1")
    assert "größe".encode() in expected.stdout
    for environment in LOCALES:
        assert under(environment, *arguments, cwd=project).stdout == expected.stdout


def test_names_that_the_locale_cannot_show(tmp_path: Path) -> None:
    (tmp_path / "größe_数.py").write_text(MISUSE, encoding="utf-8")
    for environment in LOCALES:
        done = under(environment, "check", "--output-format=json", ".", cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        encoding = "utf-16" if environment.get("PYTHONIOENCODING") == "utf-16" else "ascii"
        (finding,) = json.loads(done.stdout.decode(encoding))
        assert finding["code"] == "KLD101"
