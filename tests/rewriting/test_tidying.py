"""An assignment of a name to itself is not left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kl_lint.finding import Unwrap
from kl_lint.rewriting import apply_fixes, text_edits
from tests.rewriting.marking import at, fix, rewrite


def drop_log(source: str, name: str = "p") -> Unwrap:
    """`log(p)` to become `p`."""
    outer = at(source, f"log({name})")
    inner = replace(outer, column=outer.column + len("log("), end_column=outer.end_column - 1)
    return Unwrap(outer, inner)


def unwrapped(source: str) -> str:
    return rewrite(source, drop_log(source))


GONE = [
    ("def f(p):\n    p = log(p)\n    return p\n", "def f(p):\n    return p\n"),
    ("def f(p):\r\n\tp = log(p)\r\n\treturn p\r\n", "def f(p):\r\n\treturn p\r\n"),
    ("p = 1\np = (log(p))", "p = 1\n"),
    ("p = (\n    log(p)\n)\nq = p\n", "q = p\n"),
    ("é = 'é'\np = log(p)\né = p\n", "é = 'é'\né = p\n"),
    ("if q:\n    p = log(p)\nprint(p)\n", "if q:\n    pass\nprint(p)\n"),
    ("if q:\n    p = 1\nelse:\n    p = log(p)\n", "if q:\n    p = 1\nelse:\n    pass\n"),
    ("try:\n    p = log(p)\nexcept E:\n    p = 1\n", "try:\n    pass\nexcept E:\n    p = 1\n"),
    ("match q:\n    case 1:\n        p = log(p)\n", "match q:\n    case 1:\n        pass\n"),
]
KEPT = [
    ("p = log(p)  # natural\n", "p = p  # natural\n"),
    ("q = 1; p = log(p)\n", "q = 1; p = p\n"),
    ("if q: p = log(p)\n", "if q: p = p\n"),
    ("class C:\n    p = log(p)\n    q = p\n", "class C:\n    p = p\n    q = p\n"),
    ("q = log(p)\n", "q = p\n"),
    ("p = q = log(p)\n", "p = q = p\n"),
    ("p: T = log(p)\n", "p: T = p\n"),
    ("p += log(p)\n", "p += p\n"),
    ("x.p = log(p)\n", "x.p = p\n"),
    ("p = p\np = log(p)  # b\n", "p = p\np = p  # b\n"),
]


@pytest.mark.parametrize(("source", "expected"), [*GONE, *KEPT])
def test_what_is_left(source: str, expected: str) -> None:
    assert unwrapped(source) == expected


def test_several_in_one_block() -> None:
    source = "if q:\n    p = log(p)\n    r = log(r)\ns = log(s)\ns = exp(s)\n"
    fixes = [fix(drop_log(source, name)) for name in ("p", "r", "s")]
    assert apply_fixes(source, fixes).text == "if q:\n    pass\ns = exp(s)\n"


def test_what_was_there_before_stays() -> None:
    assert unwrapped("q = q\np = log(p)\np = p\n") == "q = q\np = p\n"


def test_an_editor_deletes_the_row() -> None:
    source = "def f(p):\n    p = log(p)\n    return p\n"
    (edit,) = text_edits(source, fix(drop_log(source)))
    assert edit.text == ""
    assert edit.span.end_row - edit.span.row == 1
