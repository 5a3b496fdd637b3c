"""`# noqa` comments, with flake8 as the judge: both must silence the same rows of the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kl_lint.lines import split_lines
from kl_lint.sources.noqa import Noqa

COMMENTS = (
    "", "# noqa", "#noqa", "# NOQA", "# NoQa", "#  noqa", "# noqa:", "# noqa: ", "# noqa : F821", "# noqa:F821",
    "# noqa: F821", "# noqa:  F821", "# noqa: f821", "# noqa: F", "# noqa: F8", "# noqa: F82", "# noqa: F8211",
    "# noqa: E501", "# noqa: E501,F821", "# noqa: E501, F821", "# noqa: E501 F821", "# noqa: E501F821",
    "# noqa: F821 because", "# noqa: because F821", "# noqa because", "# noqa: KLD101", "# noqa: E501 # noqa: F821",
    "# why # noqa: F821", "# noqa:F821,", "# noqa:,F821", "# noqa\t: E501", "# noqa:\tF821", "# noqa=F821", "## noqa",
    "# xnoqa", "# noqax", "# flake8: noqa", "# type: ignore # noqa: F821", "# noqa: ABC123,F821,E501",
)  # fmt: skip

SHAPES = {
    "line": "boom{}\n",
    "first line of a call": "print({}\n    boom,\n    boom,\n)\n",
    "argument's line": "print(\n    boom,{}\n    boom,\n)\n",
    "last line of a call": "print(\n    boom,\n    boom,\n){}\n",
    "after a backslash": "x = boom + \\\n    boom{}\nboom\n",
    "after a string": 'print("""\nabc\n""", boom){}\nboom\n',
    "within a string": 'print("""\nabc{}\n""", boom)\nboom\n',
    "within a call, after a string": 'print(\n    """\n    """, boom,{}\n    boom,\n)\n',
    "own line": "{}\nboom\n",
    "no newline at the end": "boom{}",
    "indented": "if boom:\n    boom{}\n    boom\nboom\n",
}

FILES = {
    "whole file": "boom\n# flake8: noqa\nboom\n",
    "whole file, indented": "if boom:\n    # flake8: noqa\n    boom\n",
    "whole file, with a code": "# flake8: noqa: E501\nboom\n",
    "whole file, with this code": "# flake8: noqa: F821\nboom\n",
    "whole file, equals": "# flake8=noqa\nboom\n",
    "whole file, capitals": "# FLAKE8: NOQA\nboom\n",
    "whole file, more words": "# flake8: noqa and more\nboom\n",
    "whole file, behind code": "x = 1  # flake8: noqa\nboom\n",
    "whole file, within a string": '"""\n# flake8: noqa\n"""\nboom\n',
    "whole file, spaces": "#  flake8: noqa\nboom\n",
    "whole file, many spaces after": "# flake8:     noqa\nboom\n",
    "form feed": "boom  # noqa\n\x0cboom\n",
    "windows newlines": "boom  # noqa\r\nboom\r\nprint(\r\n    boom,  # noqa\r\n)\r\n",
    "separators that end no line": "x = 'a\u2028b\x0b\x1c'; boom  # noqa\nboom\n",
    "continued twice": "x = boom + \\\n    boom + \\\n    boom  # noqa\nboom\n",
}


def cases() -> dict[str, str]:
    """Every comment in every shape, and the files that are cases of their own."""
    shaped = {
        f"{shape}: {comment!r}": source.format(f"  {comment}" if comment else "")
        for shape, source in SHAPES.items()
        for comment in COMMENTS
    }
    return shaped | FILES


def loud_rows(source: str) -> list[int]:
    """The rows with `boom` that nothing silences, by our reading."""
    lines = split_lines(source)
    noqa = Noqa(lines)
    rows = [row for row, line in enumerate(lines, start=1) for _ in range(line.count("boom"))]
    return [row for row in rows if not noqa.silences("F821", row)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """The rows of undefined names that flake8 reports, by case: one run over a file for each."""
    root = tmp_path_factory.mktemp("noqa")
    names = list(cases())
    for number, source in enumerate(cases().values()):
        (root / f"case{number}.py").write_bytes(source.encode())
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", "--select=F821,E9", "--format=%(path)s %(row)d %(code)s", "."],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    rows: dict[str, list[int]] = {name: [] for name in names}
    for line in done.stdout.splitlines():
        path, row, code = line.split()
        assert code == "F821", line
        rows[names[int(Path(path).stem.removeprefix("case"))]].append(int(row))
    return rows


def test_as_flake8_does(judged: dict[str, list[int]]) -> None:
    ours = {name: loud_rows(source) for name, source in cases().items()}
    assert {name: rows for name, rows in ours.items() if rows != sorted(judged[name])} == {}
    assert any(judged.values()), "flake8 must have reported something"
    assert not all(judged.values()), "and have been silenced somewhere"


def test_the_prefix_of_a_code_silences_it() -> None:
    noqa = Noqa(["f()  # noqa: KLD1\n", "g()  # noqa: KLD2,KLD101\n"])
    assert [noqa.silences(code, 1) for code in ("KLD101", "KLD107", "KLD201")] == [True, True, False]
    assert [noqa.silences(code, 2) for code in ("KLD101", "KLD107", "KLD201")] == [True, False, True]


def test_what_does_not_tokenize_is_read_line_by_line() -> None:
    noqa = Noqa(["f()  # noqa\n", "g(\n", "h  # noqa\n"])
    assert [noqa.silences("KLD101", row) for row in (1, 2, 3)] == [True, False, True]
