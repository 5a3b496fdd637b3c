"""`kl-lint check --add-noqa`: comments that silence what is found, with flake8 as the judge."""

from __future__ import annotations

import ast
import subprocess
import sys
import tokenize
from io import StringIO
from pathlib import Path

import pytest

from kl_lint.lines import split_lines
from kl_lint.sources.noqa import Noqa
from kl_lint.sources.silencing import silenced
from tests.command import CORRECT, LEGACY, MISUSE, OFF_BY_DEFAULT, TWICE, Command, plant, run


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty directory."""
    return Command(tmp_path, monkeypatch, capsys)


# --- the command ---


def test_findings_are_silenced(command: Command) -> None:
    plant(a=TWICE, b=CORRECT, c=OFF_BY_DEFAULT)
    assert command("check", "--add-noqa") == (0, "", "Silenced 2 findings\n")
    assert Path("a.py").read_text() == TWICE.replace(", q)\n", ", q)  # noqa: KLD101, KLD201\n")
    assert (Path("b.py").read_text(), Path("c.py").read_text()) == (CORRECT, OFF_BY_DEFAULT)
    assert command("check") == (0, "", "")
    assert command("check", "--add-noqa") == (0, "", "")


def test_codes_join_those_that_are_there(command: Command) -> None:
    plant(a=TWICE)
    assert command("check", "--add-noqa", "--select=KLD201") == (0, "", "Silenced 1 finding\n")
    assert command("check", "--add-noqa", "--ignore=KLD2") == (0, "", "Silenced 1 finding\n")
    assert Path("a.py").read_text() == TWICE.replace(", q)\n", ", q)  # noqa: KLD201, KLD101\n")
    assert command("check") == (0, "", "")


def test_what_would_be_silenced_is_shown(command: Command) -> None:
    plant(a=MISUSE)
    status, out, err = command("check", "--add-noqa", "--diff")
    assert (status, err) == (1, "Would silence 1 finding\n")
    assert out.endswith('\n+    return F.kl_div(F.softmax(x, dim=1), q, reduction="batchmean")  # noqa: KLD101\n')
    assert Path("a.py").read_text() == MISUSE
    plant(a=CORRECT)
    assert command("check", "--add-noqa", "--diff") == (0, "", "")


def test_standard_input_comes_out_silenced() -> None:
    done = run("check", "--add-noqa", "-", stdin=b"\xef\xbb\xbf" + MISUSE.replace("\n", "\r\n").encode())
    silent = MISUSE.replace('batchmean")\n', 'batchmean")  # noqa: KLD101\n')
    assert (done.returncode, done.stdout) == (0, b"\xef\xbb\xbf" + silent.replace("\n", "\r\n").encode())


@pytest.mark.parametrize("option", ["--fix", "--fix-only"])
def test_it_is_not_for_fixing(command: Command, option: str) -> None:
    plant(a=LEGACY)
    message = "kl-lint: --add-noqa and --fix exclude each other; run one first, then the other\n"
    assert command("check", "--add-noqa", option) == (2, "", message)
    assert Path("a.py").read_text() == LEGACY


def test_where_no_comment_helps_is_told(command: Command) -> None:
    plant(a=MISUSE.replace('"batchmean")', '"batchmean"), "# noqa: E501"'), b=MISUSE)
    before = Path("a.py").read_text()
    status, out, err = command("check", "--add-noqa")
    assert (status, out) == (2, "")
    assert err == (
        "kl-lint: a.py:5: KLD101 was not silenced: no comment can silence it: text before its place holds what reads "
        "as one; use per-file-ignores\nSilenced 1 finding\n"
    )
    assert Path("a.py").read_text() == before
    assert command.codes("b.py") == []


def test_what_cannot_be_parsed_is_told(command: Command) -> None:
    plant(a="kl_div(\n")
    assert command("check", "--add-noqa")[0] == 2


# --- where comments go ---

BOOM = "boom"
"""What flake8 reports as undefined, F821, in each row where it stands."""

CASES = {
    "a line": ("boom\n", "boom  # noqa: F821\n"),
    "no newline at the end": ("boom", "boom  # noqa: F821"),
    "windows newlines": ("boom\r\nx = 1\r\n", "boom  # noqa: F821\r\nx = 1\r\n"),
    "old newlines": ("boom\rx = 1\r", "boom  # noqa: F821\rx = 1\r"),
    "white space at the end": ("boom \t\n", "boom  # noqa: F821\n"),
    "indented": ("if 1:\n    boom\nboom\n", "if 1:\n    boom  # noqa: F821\nboom  # noqa: F821\n"),
    "first line of a call": ("print(boom,\n      1)\n", "print(boom,  # noqa: F821\n      1)\n"),
    "after a bracket": ("print(\n    boom)\n", "print(\n    boom)  # noqa: F821\n"),
    "carried on": ("x = boom + \\\n    1\ny = 1\n", "x = boom + \\\n    1  # noqa: F821\ny = 1\n"),
    "carried on to": ("x = 1 + \\\n    boom + \\\n    1\n", "x = 1 + \\\n    boom + \\\n    1  # noqa: F821\n"),
    "before a string": ('print(boom, """\n# x\n""", 1)\n', 'print(boom, """\n# x\n""", 1)  # noqa: F821\n'),
    "before a string in brackets": (
        'print(boom, """\n""",\n  1)\n', 'print(boom, """\n""",  # noqa: F821\n  1)\n'
    ),
    "a hash in a string": ('print(boom, "# 1")\n', 'print(boom, "# 1")  # noqa: F821\n'),
    "form feed": ("\fboom\n", "\fboom  # noqa: F821\n"),
    "other separators": ("x = '\u2028\v\x1c'; boom\n", "x = '\u2028\v\x1c'; boom  # noqa: F821\n"),
    "a comment": ("boom  # why\n", "boom  # why  # noqa: F821\n"),
    "an empty comment": ("boom  #\n", "boom  #  # noqa: F821\n"),
    "a type comment": ("boom  # type: ignore\n", "boom  # type: ignore  # noqa: F821\n"),
    "not quite a comment of the kind": ("boom  #noqa\n", "boom  #noqa  # noqa: F821\n"),
    "a comment of the kind": ("boom  # noqa: E501\n", "boom  # noqa: E501, F821\n"),
    "without a space": ("boom  # noqa:E501\n", "boom  # noqa:E501, F821\n"),
    "several codes": ("boom  # noqa: E501,W291 \n", "boom  # noqa: E501,W291, F821 \n"),
    "codes parted by spaces": ("boom  # noqa: E501 W291\n", "boom  # noqa: E501 W291, F821\n"),
    "a comma at the end": ("boom  # noqa: E501,\n", "boom  # noqa: E501, F821,\n"),
    "codes and words": ("boom  # noqa: E501 because\n", "boom  # noqa: E501, F821 because\n"),
    "small letters": ("boom  # NOQA: f821\n", "boom  # NOQA: f821, F821\n"),
    "after another comment": ("boom  # why # noqa: E501\n", "boom  # why # noqa: E501, F821\n"),
    "carried on to a comment": ("x = boom + \\\n  1  # noqa: E501\n", "x = boom + \\\n  1  # noqa: E501, F821\n"),
    "silenced": ("boom  # noqa\n", "boom  # noqa\n"),
    "silenced by code": ("boom  # noqa: F8\n", "boom  # noqa: F8\n"),
    "a string that reads as one": ('boom, "# noqa: E501"\n', 'boom, "# noqa: E501"\n'),
    "a string on another row that reads as one": ('boom, """\n# noqa: E501\n"""\n', 'boom, """\n# noqa: E501\n"""\n'),
    "a string and a comment": ('boom, "# noqa: E501"  # noqa\n', 'boom, "# noqa: E501"  # noqa\n'),
}  # fmt: skip


def loud_rows(source: str) -> dict[int, list[str]]:
    """The rows with `boom` that nothing silences, with the code."""
    lines = split_lines(source)
    noqa = Noqa(lines)
    rows = {row for row, line in enumerate(lines, start=1) if BOOM in line and not noqa.silences("F821", row)}
    return {row: ["F821"] for row in rows}


@pytest.mark.parametrize("name", list(CASES))
def test_places(name: str) -> None:
    before, after = CASES[name]
    assert silenced(before, loud_rows(before)) == after
    assert ast.dump(ast.parse(before)) == ast.dump(ast.parse(after))
    assert silenced(after, loud_rows(after)) == after, "once is enough"


def test_flake8_agrees(tmp_path: Path) -> None:
    """It is silent on all but the files in which a string stands in the way."""
    for number, (_, after) in enumerate(CASES.values()):
        (tmp_path / f"case{number}.py").write_bytes(after.encode())
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", "--select=F821,E9", "--format=%(path)s", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    names = list(CASES)
    loud = {names[int(Path(path).stem.removeprefix("case"))] for path in done.stdout.split()}
    assert loud == {name for name in names if name.startswith("a string")}


def test_several_codes_and_rows() -> None:
    source = "a\nb + \\\n    c\nd\n"
    assert silenced(source, {1: ["B2", "A1", "B2"], 2: ["C1"], 3: ["A1"]}) == (
        "a  # noqa: A1, B2\nb + \\\n    c  # noqa: A1, C1\nd\n"
    )
    assert silenced(source, {}) == source


def test_what_does_not_tokenize_stays() -> None:
    source = "f(\n"
    with pytest.raises(tokenize.TokenError):
        list(tokenize.generate_tokens(StringIO(source).readline))
    assert silenced(source, {1: ["A1"]}) == source
