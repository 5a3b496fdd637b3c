"""Files that are no source, or more of it than anyone writes: each is told of or passed over, and costs no other file."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path

import pytest

from kl_lint.sources.reading import read
from tests.command import LEGACY, LEGACY_MENDED, MISUSE, ROOT, Command, run
from tests.robustness.cases import WORKS, examine
from tests.robustness.mutation import generated, run as mutations

pytestmark = pytest.mark.no_cover

HEAD = "import torch.nn.functional as F\n"
CALL = "F.kl_div(F.softmax(x, dim=1), y, size_average=False)"


def inside(expression: str) -> str:
    """A misuse in a function of which an expression is part."""
    return f"{HEAD}\n\ndef loss(x, y, a):\n    z = {expression}\n    return F.kl_div(F.softmax(x * z, dim=1), y, size_average=False)\n"


def nested(before: str, after: str = "", times: int = 10_000) -> str:
    return inside(before * times + "a" + after * times)


TEXTS = {
    "nothing": "",
    "a newline": "\n",
    "a comment": "# kl_div",
    "no newline at the end": MISUSE.rstrip("\n"),
    "form feeds": MISUSE.replace("\n\n", "\n\x0c\n"),
    "carriage returns": MISUSE.replace("\n", "\r"),
    "all newlines": MISUSE.replace("\n\n", "\r\n\r") + "\n\r\n",
    "backslashes": HEAD + "\\\n" * 1000 + CALL.replace("F.kl_div", "F.\\\nkl_div"),
    "Python 2": MISUSE + "print 'kl_div'\nexec 'x' in y\ntry: pass\nexcept E, e: raise E, 'e'\n`x` <> 0777L\n",
    "tabs and spaces": MISUSE + "if x:\n\ty\n        z\n",
    "another language": "function kl_div(x) { return x; }\n",
    "a page": "<!DOCTYPE html><p>kl_div",
    "half a file": MISUSE[: len(MISUSE) // 2] + "(",
    "the newest syntax": MISUSE + "type A[*T] = t'{x!r:>{y}}' | f'{f'{x}'}'\ntry: pass\nexcept* A, B: lazy import x\n",
    "a surrogate as an escape": MISUSE.replace('"batchmean"', '"\\ud800"'),
    "a name in every script": MISUSE.replace("(x, q)", "(x, q, ñ, 数, ﬁ, \U0001d518)"),
    "bidi marks": MISUSE.replace("def", "# \u202e\u2066\ndef"),
    "numbers without end": inside("9" * 5000),
    "numbers of many digits in hexadecimal": inside("0x" + "f" * 100_000),
    "a float beyond all": inside("1e999999 - 1e999999j"),
    "a power beyond all": inside("9 ** 9 ** 9 ** 9"),
    "attributes": nested("", ".a"),
    "calls": nested("", "()"),
    "subscripts": nested("", "[0]"),
    "signs": nested("-"),
    "negations": nested("not "),
    "brackets": nested("(", ")"),
    "lambdas": nested("lambda: "),
    "conditionals": nested("a if a else "),
    "sums": nested("a + "),
    "powers": nested("a ** "),
    "disjunctions": nested("a or "),
    "comparisons": nested("a < "),
    "strings": nested("'a' ").replace(" a\n", "\n"),
    "f-strings": nested("f'{a}' ").replace(" a\n", "\n"),
    "commas": nested("a, "),
    "assignments": nested("a = "),
    "loops in a comprehension": inside("[a " + "for a in a " * 2_000 + "]"),
    "blocks": HEAD + "def loss(x, y):\n" + "".join(" " * row + "if x:\n" for row in range(1, 10_000)) + " " * 10_000 + CALL,
    "elifs": HEAD + "def loss(x, y):\n    if x: pass\n" + "    elif y: x = 1\n" * 10_000 + f"    return {CALL}\n",
    "decorators": HEAD + "@a\n" * 10_000 + f"def loss(x, y):\n    return {CALL}\n",
    "an import of many dots": "import a" + ".a" * 10_000 + "\n" + MISUSE,
    "a pattern": HEAD + "def loss(x, y):\n    match x:\n        case " + "[" * 60 + "a" + "]" * 60 + f":\n            return {CALL}\n",
    "a line of 1 MB": MISUSE + "a = [" + "1_234_567, " * 95_000 + "]\n",
    "a line of 1 MB before a call": f"{HEAD}def loss(x, y):\n    a = '{'kl_div ' * 150_000}'; return {CALL}\n",
    "a comment of 1 MB": MISUSE.replace("\n", f"  # {'noqa ' * 200_000}\n", 1),
    "a name of 1 MB": inside("a" * 1_000_000),
    "20,000 lines": MISUSE + "a = 1\n" * 20_000 + LEGACY,
}  # fmt: skip

BYTES = {
    "zeros": b"\0" * 1000 + b"kl_div",
    "a zero in a text": MISUSE.encode() + b"\0\n",
    "a byte order mark": b"\xef\xbb\xbf" + MISUSE.encode(),
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + MISUSE.encode(),
    "UTF-16": MISUSE.encode("utf-16"),
    "UTF-16 that is declared": ("# coding: utf-16\n" + MISUSE).encode(),
    "Latin-1": ("# é\n" + MISUSE).encode("latin-1"),
    "Latin-1 that is declared": ("# coding: latin-1\n# é\n" + MISUSE).encode("latin-1"),
    "an encoding that there is not": ("# coding: klingon\n" + MISUSE).encode(),
    "an encoding that is none of text": ("# coding: zlib\n" + MISUSE).encode(),
    "an encoding with a zero in it": b"# coding: \0utf-8\n" + MISUSE.encode(),
    "an encoding that contradicts the mark": b"\xef\xbb\xbf# coding: latin-1\n" + MISUSE.encode(),
    "an encoding that keeps state": ("# coding: utf-7\n# +AOk-\n" + MISUSE).encode(),
    "IDNA": ("# coding: idna\n" + MISUSE).encode(),
    "half a character": MISUSE.encode() + b"# \xe2\x82",
    "a surrogate": MISUSE.encode() + b"# \xed\xa0\x80\n",
    "every byte": bytes(range(256)) * 40 + b"\nkl_div\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + b"kl_div" * 10 + bytes(range(256)),
    "a program": b"\x7fELF" + b"\0" * 60 + b"kl_div",
} | {name: text.encode() for name, text in TEXTS.items()}


OTHERS = [pytest.param(work, marks=pytest.mark.long) for work in ("silenced", "inspected", "reported")]


@pytest.mark.parametrize("work", ["checked", "mended", *OTHERS])
@pytest.mark.parametrize("name", BYTES)
def test_no_content_is_too_odd(name: str, work: str) -> None:
    assert examine(WORKS[work], "odd.py", BYTES[name]).fault == ""


@pytest.mark.parametrize("name", ["odd.ipynb", "odd.md", "odd.rst", "odd.pyi"])
@pytest.mark.parametrize(
    "data",
    [
        b"kl_div", b"\xff kl_div", b"[" * 10_000 + b'"kl_div"', b'{"cells": ' * 10_000, b'{"cells": [], "kl_div": 1' + b"0" * 10_000 + b"}",
        b'{"cells": [{"cell_type": "code", "source": "kl_div(\\ud800)\\u0000"}, 3, null, {"cell_type": "code", "source": [1]}]}',
        b"```python\n" * 500 + b"kl_div(\n", b"> " * 2_000 + b"```python\n" + b"kl_div(1)", b".. code:: python\n\n   kl_div(\0)\n" * 100,
        b"- " * 2_000 + b"kl_div",
    ],
)  # fmt: skip
def test_no_document_is_too_odd(name: str, data: bytes) -> None:
    assert examine(WORKS["checked"], name, data).fault == ""


@pytest.mark.long
@pytest.mark.parametrize("work", ["checked", "mended", "reported"])
def test_200_000_lines(work: str) -> None:
    text = MISUSE + "a = 1\n" * 66_000 + "def f(x):\n    return x\n" * 66_000 + LEGACY
    assert examine(WORKS[work], "long.py", text.encode(), limit=300).fault == ""


def test_mutations_are_survived() -> None:
    assert [(number, result.fault) for number, result in mutations(range(300)) if result.fault] == []


@pytest.mark.long
def test_many_mutations_are_survived() -> None:
    assert [(number, result.fault) for number, result in mutations(range(100_000)) if result.fault] == []


@pytest.mark.long
def test_generated_programs_are_survived() -> None:
    pytest.importorskip("hypothesmith")
    pool = generated(1_000)
    assert [(number, result.fault) for number, result in mutations(range(10_000), pool=pool) if result.fault] == []


# --- what is in a directory ---


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


@pytest.fixture
def oddities(command: Command) -> Iterator[Command]:
    """A directory of whatever a directory may hold, and one file with something to find and mend."""
    Path("good.py").write_text(LEGACY)
    Path("directory.py").mkdir()
    os.mkfifo("pipe.py")
    Path("loop.py").symlink_to("loop.py")
    Path("first.py").symlink_to("second.py")
    Path("second.py").symlink_to("first.py")
    Path("gone.py").symlink_to("nowhere.py")
    Path("device.py").symlink_to("/dev/zero")
    Path("around").symlink_to(".")
    Path("empty.py").touch()
    Path("pyproject.toml").mkdir()
    os.mkfifo(".gitignore")
    Path(".git").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")
        yield command


def test_what_is_no_file_is_passed_over(oddities: Command) -> None:
    status, out, err = oddities("check", "--output-format=concise", ".")
    assert (status, err) == (1, "")
    assert out.startswith("good.py:5:")
    assert len(out.splitlines()) == 1


def test_what_is_no_file_does_not_hinder_a_fix(oddities: Command) -> None:
    before = sorted(Path().iterdir())
    assert oddities("check", "--fix", ".")[0] == 0
    assert Path("good.py").read_text() == LEGACY_MENDED
    assert sorted(Path().iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize("verb", [("check",), ("check", "--fix"), ("inspect",)])
def test_what_may_not_be_read_costs_no_other_file(tmp_path: Path, verb: tuple[str, ...]) -> None:
    for name in ("a.py", "secret.py", "shut/b.py", "z.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(MISUSE)
    (tmp_path / "secret.py").chmod(0)
    (tmp_path / "shut").chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/") and not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o555)
    script = "import os, sys; from kl_lint.cli import main; import kl_lint.commands.check, kl_lint.commands.inspect, kl_lint.rules; "
    script += "import kl_lint.inspection, kl_lint.rewriting.editor, kl_lint.reports.full, kl_lint.reports.rows; os.setgid(65534); os.setuid(65534); sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, *verb, str(tmp_path)],
        capture_output=True, check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout.count(b":5:") >= 2
    told = [line.partition(": ")[2] for line in done.stderr.decode().splitlines() if line.startswith("kl-lint: ")]
    may_not = "may not be read; change its permissions, or leave it out with --extend-exclude"
    assert told == [f"{tmp_path}/secret.py: {may_not}", f"{tmp_path}/shut: {may_not}"]


def test_a_file_that_vanishes_costs_no_other_file(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.py", "b.py", "c.py"):
        Path(name).write_text(MISUSE)

    def vanishing(path: str) -> bytes:
        Path("b.py").unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr("kl_lint.sources.files.read", vanishing)
    status, out, err = command("check", "--output-format=concise", "--jobs=1", ".")
    assert status == 2
    assert [line.partition(":")[0] for line in out.splitlines()] == ["a.py", "c.py"]
    assert err.startswith("kl-lint: b.py: does not exist;")


# --- where there is no room ---


def fill(file: RawIOBase) -> None:
    """Write to a file for as long as there is room."""
    while True:
        file.write(b"x" * 512)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory in a file system of its own, in which there is next to no room left."""
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        (folder / "loss.py").write_text(LEGACY + "# room\n" * 2_000)
        with (
            open(folder / "filling", "wb", buffering=0) as filling,
            pytest.raises(OSError, match=os.strerror(errno.ENOSPC)),
        ):
            fill(filling)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("options", [("--fix",), ("--fix-only",), ("--add-noqa",)])
def test_a_disk_that_is_full_changes_nothing(full_disk: Path, options: tuple[str, ...]) -> None:
    before = {path.name: path.read_bytes() for path in full_disk.iterdir()}
    done = run("check", *options, ".", cwd=full_disk)
    assert done.returncode == 2
    assert b"loss.py: cannot be written (No space left on device), and is left as it is" in done.stderr
    assert {path.name: path.read_bytes() for path in full_disk.iterdir()} == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device")
def test_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loss.py").write_text(MISUSE)
    done = run("check", "--output-file=/dev/full", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "kl_lint", "check", "."]
        told = subprocess.run(
            command,
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert told.returncode == 2
    assert b"the output cannot be written (No space left on device)" in told.stderr
    assert b"Traceback" not in told.stderr
