"""The formats that services read, as the command writes them: on real files, in a process of its own."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

import kl_lint
from kl_lint.cli import main
from kl_lint.reports import COUNTED, DOCUMENTS, REPORTS
from kl_lint.rewriting import fix_source

ROOT = Path(kl_lint.__file__).parent.parent
MISUSE = """\
import torch.nn.functional as F


def loss(x, q):
    é = "😀"; return F.kl_div(F.softmax(x, dim=1).log(), q, reduction="sum")
"""
CORRECT = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(F.log_softmax(x, dim=1), q, reduction="sum")
"""
HOSTILE = [
    b"\n::error file=x::injected\n.py",
    b"::warning::.py",
    b" ::stop-commands::x.py",
    b"%0A::error::x,y=z:.py",
    b"]]>&<x a='\".py",
    b"\x1b]0;title\x07\x1b[31m.py",
    b"\r::error::.py",
    b"\xff\xfe.py",
    "é日😀.py".encode(),
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with files of all sorts of names in `src`, where the command is run."""
    source = tmp_path / "src"
    source.mkdir()
    (tmp_path / ".git").mkdir()
    (source / "correct.py").write_text(CORRECT, encoding="utf-8")
    (source / "loss.py").write_text(MISUSE, encoding="utf-8")
    monkeypatch.chdir(source)
    return tmp_path


def plant_hostile_files() -> list[str]:
    """Write the files that have hostile names, and return those."""
    names = [os.fsdecode(name) for name in HOSTILE]
    try:
        for name in names:
            Path(name).write_text(MISUSE, encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes no such names")
    return names


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def check(*arguments: str) -> Done:
    """Run `kl-lint check` in this process, which is quicker."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(["check", *arguments])
    return Done(status, out.getvalue(), err.getvalue())


def check_apart(*arguments: str, stdin: bytes = b"", **environment: str) -> Done:
    """Run `kl-lint check` in a process of its own, with standard input and an environment of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "kl_lint", "check", *arguments],
        input=stdin, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def reported(name: str, *arguments: str) -> str:
    """The report in the format `name` on what is wrong here."""
    done = check(f"--output-format={name}", *arguments)
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


def places(name: str, report: str) -> list[tuple[str, int]]:
    """Where findings are, path and line, by a report in the format `name`."""
    match name:
        case "sarif":
            found = [each["locations"][0]["physicalLocation"] for each in json.loads(report)["runs"][0]["results"]]
            return [(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in found]
        case "gitlab":
            found = [each["location"] for each in json.loads(report)]
            return [(each["path"], each["positions"]["begin"]["line"]) for each in found]
        case "rdjson":
            found = [each["location"] for each in json.loads(report)["diagnostics"]]
            return [(each["path"], each["range"]["start"]["line"]) for each in found]
        case "junit":
            cases = ElementTree.fromstring(report.encode()).iter("testcase")
            return [(case.get("file", ""), int(case.get("line", "0"))) for case in cases if len(case)]
        case _:
            assert name == "github"
            listed = [
                dict(part.split("=", 1) for part in line.split("::")[1].split(",")) for line in report.splitlines()
            ]
            return [(each["file"], int(each["line"])) for each in listed]


SERVICES = [name for name in REPORTS if name not in COUNTED]
FROM_THE_ROOT = ("sarif", "github", "gitlab")


def test_services_are_told_where_the_findings_are() -> None:
    assert SERVICES == ["sarif", "github", "gitlab", "junit", "rdjson"]
    for name in SERVICES:
        expected = "src/loss.py" if name in FROM_THE_ROOT else "loss.py"
        assert places(name, reported(name)) == [(expected, 5)], name
        assert places(name, reported(name, str(Path("loss.py").absolute()))) == [(expected, 5)], name


def with_edits(line: str, encoding: str, unit: int, edits: Sequence[tuple[int, int, str]]) -> str:
    """A line after edits, each from a column to another, which count units of so many bytes in an encoding."""
    data = line.encode(encoding)
    for start, end, text in reversed(edits):
        data = data[: unit * (start - 1)] + text.encode(encoding) + data[unit * (end - 1) :]
    return data.decode(encoding)


def test_what_services_offer_to_fix_is_what_the_command_fixes() -> None:
    line, mended = MISUSE.splitlines()[4], fix_source(MISUSE, "loss.py").source.splitlines()[4]
    assert "F.log_softmax(x, dim=1), q" in mended
    (fix,) = json.loads(reported("sarif"))["runs"][0]["results"][0]["fixes"]
    edits = [
        (each["deletedRegion"]["startColumn"], each["deletedRegion"]["endColumn"], each["insertedContent"]["text"])
        for each in fix["artifactChanges"][0]["replacements"]
    ]
    assert with_edits(line, "utf-16-le", 2, edits) == mended
    (suggestion,) = json.loads(reported("rdjson"))["diagnostics"][0]["suggestions"]
    place = suggestion["range"]
    edit = place["start"]["column"], place["end"]["column"], suggestion["text"]
    assert with_edits(line, "utf-8", 1, [edit]) == mended


@pytest.mark.parametrize("name", REPORTS)
def test_no_file_name_steers_who_reads_the_report(name: str) -> None:
    files = plant_hostile_files()
    report = reported(name)
    assert all(character.isprintable() or character == "\n" for character in report)
    commands = [line for line in report.split("\n") if line.lstrip().startswith("::")]
    if name == "github":
        assert len(commands) == len(files) + 1
        assert all(line.startswith("::warning title=kl-lint (KLD105),file=src/") for line in commands)
    else:
        assert commands == []
    if name in SERVICES:
        assert len(places(name, report)) == len(files) + 1
        report.encode()


@pytest.mark.parametrize("name", SERVICES)
def test_the_report_is_the_same_for_every_order_and_hash_seed(name: str) -> None:
    Path("deep").mkdir()
    for path in ("b.py", "a.py", "deep/a.py"):
        Path(path).write_text(
            MISUSE + CORRECT.replace("log_softmax", "softmax").partition("\n\n\n")[2], encoding="utf-8"
        )
    there = check_apart(f"--output-format={name}", "a.py", "b.py", "deep", PYTHONHASHSEED="1")
    back = check_apart(f"--output-format={name}", "deep", "b.py", "./a.py", PYTHONHASHSEED="2")
    assert there.returncode == 1
    assert there.stdout == back.stdout
    found = places(name, there.stdout)
    assert found == sorted(found)


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_found(name: str) -> None:
    done = check(f"--output-format={name}", "correct.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) is (name in DOCUMENTS)
    if name in SERVICES:
        assert name == "github" or places(name, done.stdout) == []


@pytest.mark.parametrize("name", SERVICES)
def test_standard_input_and_a_terminal_that_knows_ascii_only(name: str) -> None:
    done = check_apart(
        f"--output-format={name}", "--stdin-filename=é.py", "-",
        stdin=MISUSE.encode(), PYTHONIOENCODING="ascii", PYTHONUTF8="0",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.isascii()
    if name != "github":
        (found,) = places(name, done.stdout)
        assert found == ({"sarif": "src/%C3%A9.py", "gitlab": "src/é.py"}.get(name, "é.py"), 5)
    unnamed = check_apart(f"--output-format={name}", "-", stdin=MISUSE.encode())
    assert places(name, unnamed.stdout) == [("%3Cstdin%3E" if name == "sarif" else "<stdin>", 5)]


# --- causes in other files ---

MODEL = """\
import torch.nn.functional as F


def wrapped(x):
    é = "😀"; return F.softmax(x, dim=-1)
"""
BETWEEN = """\
import torch.nn.functional as F

from deep.modèle import wrapped


def made_elsewhere(x, q):
    return F.kl_div(wrapped(x), q, reduction="sum")


def called_elsewhere(p, q):
    return F.kl_div(p, q, reduction="sum")
"""
TRAIN = """\
import torch.nn.functional as F

from loss import called_elsewhere


def step(x, q):
    é = "😀"; return called_elsewhere(F.softmax(x, dim=-1), q)
"""
MADE = ("deep/modèle.py", 5, "softmax")
CALLED = [("train.py", 7, "softmax"), ("train.py", 7, "called here")]


@pytest.fixture
def chained(project: Path) -> Path:
    """A file with two findings, one made in another file below, one called from another file. Gives the directory."""
    source = project / "src"
    (source / "deep").mkdir()
    for name, text in (("deep/modèle.py", MODEL), ("loss.py", BETWEEN), ("train.py", TRAIN)):
        (source / name).write_text(text, encoding="utf-8")
    return source


def test_people_are_told_of_causes_in_other_files(chained: Path) -> None:
    made, called = (part for part in reported("full", "loss.py").split("\n\n") if "KLD101" in part)
    assert "(softmax, modèle.py line 5)" in made
    assert "  = softmax at line 5 of deep/modèle.py\n" in made
    assert "(softmax, train.py line 7)" in called
    assert "  = softmax at line 7 of train.py\n   = called here at line 7 of train.py\n" in called


def test_programs_are_told_of_causes_in_other_files(chained: Path) -> None:
    for finding, steps in zip(json.loads(reported("json", "loss.py")), ([MADE], CALLED), strict=True):
        assert [(each["filename"], each["location"]["row"], each["what"]) for each in finding["related"]] == [
            (str(chained / name), row, what) for name, row, what in steps
        ]
        for each in finding["related"]:
            line = Path(each["filename"]).read_text(encoding="utf-8").splitlines()[each["location"]["row"] - 1]
            there = line[each["location"]["column"] - 1 : each["end_location"]["column"] - 1]
            assert there.startswith({"softmax": "F.softmax(", "called here": "called_elsewhere("}[each["what"]])


def test_code_flows_lead_through_other_files(chained: Path) -> None:
    results = json.loads(reported("sarif", "loss.py"))["runs"][0]["results"]
    for result, steps in zip(results, ([MADE], CALLED), strict=True):
        (flow,) = result["codeFlows"]
        (thread,) = flow["threadFlows"]
        *before, last = (each["location"] for each in thread["locations"])
        assert last["physicalLocation"] == result["locations"][0]["physicalLocation"]
        assert [
            (
                each["physicalLocation"]["artifactLocation"],
                each["physicalLocation"]["region"]["startLine"],
                each["message"]["text"],
            )
            for each in before
        ] == [({"uri": f"src/{quote(name)}", "uriBaseId": "%SRCROOT%"}, row, what) for name, row, what in steps]


def test_annotations_name_other_files_from_the_root(chained: Path) -> None:
    made, called = reported("github", "loss.py").splitlines()
    assert "%0A  softmax at line 5 of src/deep/modèle.py%0A" in made
    assert "%0A  softmax at line 7 of src/train.py%0A  called here at line 7 of src/train.py%0A" in called


# --- --output-file ---


@pytest.mark.parametrize("name", REPORTS)
def test_output_file(name: str) -> None:
    Path("é.py").write_text(MISUSE, encoding="utf-8")
    done = check(f"--output-format={name}", "--output-file=report")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert Path("report").read_bytes() == check(f"--output-format={name}").stdout.encode()
    assert b"\r" not in Path("report").read_bytes()
    done = check(f"--output-format={name}", "--output-file=report", "correct.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert Path("report").read_bytes().decode() == check(f"--output-format={name}", "correct.py").stdout, (
        "nothing is left of it"
    )


def test_an_output_file_has_no_colors_unless_they_are_asked_for() -> None:
    check("--output-file=report")
    assert b"\033" not in Path("report").read_bytes()
    check("--output-file=report", "--color")
    assert b"\033[" in Path("report").read_bytes()


def test_an_output_file_that_cannot_be_written() -> None:
    done = check("--output-file=none/report", "correct.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kl-lint: none/report: the report cannot be written there (No such file")
    assert done.stderr.endswith("; name a file that can be written, in a directory that exists\n")


def test_an_output_file_that_cannot_be_written_to_its_end_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Path("report").write_text("what there was\n")
    names = sorted(os.listdir())
    monkeypatch.setattr(os, "fsync", fail)
    done = check("--output-format=sarif", "--output-file=report")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kl-lint: report: the report cannot be written there (No space left on device)")
    assert Path("report").read_text() == "what there was\n"
    assert sorted(os.listdir()) == names


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="there is no such device")
def test_an_output_file_may_be_standard_output() -> None:
    """A pipe, and a file that holds something already."""
    expected = reported("sarif")
    arguments = ["check", "--output-format=sarif", "--output-file=/dev/stdout"]
    done = check_apart(*arguments[1:])
    assert (done.returncode, done.stdout, done.stderr) == (1, expected, "")
    Path("log").write_text("before\n")
    with open("log", "ab") as log:
        command = [sys.executable, "-m", "kl_lint", *arguments]
        subprocess.run(command, stdout=log, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
        log.write(b"after\n")
    assert Path("log").read_text() == f"before\n{expected}after\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes")
def test_an_output_file_may_be_a_pipe_with_a_name() -> None:
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE) as reader:
        done = check_apart("--output-format=rdjson", "--output-file=pipe")
        read, _ = reader.communicate(timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert read.decode() == reported("rdjson")


def test_what_cannot_be_checked_is_told_beside_the_report() -> None:
    Path("broken.py").write_text("kl_div(\n")
    done = check("--output-format=sarif", "--output-file=report")
    assert done.returncode == 2
    assert done.stderr.startswith("kl-lint: broken.py:1: is not valid Python")
    assert places("sarif", Path("report").read_text()) == [("src/loss.py", 5)]


def test_a_report_on_what_is_left_after_fixes() -> None:
    Path("loss.py").write_text(MISUSE + CORRECT.replace("log_softmax", "softmax"), encoding="utf-8")
    done = check("--fix", "--output-format=gitlab", "--output-file=report")
    assert done.returncode == 1
    left = kl_lint.check_source(Path("loss.py").read_text(encoding="utf-8"), "loss.py")
    assert places("gitlab", Path("report").read_text()) == [("src/loss.py", finding.span.row) for finding in left]
    assert left


# --- --statistics ---


def test_statistics_come_in_the_formats_that_have_them() -> None:
    for name in COUNTED:
        done = check("--statistics", f"--output-format={name}", "--output-file=report")
        assert done.returncode == 1
        text = Path("report").read_text()
        assert (json.loads(text)[0]["count"] == 1) if name == "json" else text == "1  KLD105  log-of-softmax\n"
    for name in SERVICES:
        done = check("--statistics", f"--output-format={name}")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"kl-lint: --statistics: {name} has no form for them; use full, concise or json\n"
