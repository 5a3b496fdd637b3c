"""Decoding, with Python itself as the judge: what it would run, kl-lint reads the same."""

from __future__ import annotations

import ast

import pytest

from kl_lint.sources.decoding import decode
from kl_lint.sources.problem import Problem

READABLE = {
    "plain": b"text = 'abc'\n",
    "empty": b"",
    "utf-8": "text = 'é‖日本'\n".encode(),
    "byte order mark": b"\xef\xbb\xbf" + "text = 'é'\n".encode(),
    "mark and declaration": b"\xef\xbb\xbf# coding: utf-8\n" + "text = 'é'\n".encode(),
    "latin-1": "# -*- coding: latin-1 -*-\ntext = 'é'\n".encode("latin-1"),
    "second line": "#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\ntext = '€'\n".encode("cp1252"),
    "third line does not count": "\n\n# coding: latin-1\ntext = 'é'\n".encode(),
    "shift-jis": "# coding: shift_jis\ntext = '日本'\n".encode("shift_jis"),
    "utf-7": "# coding: utf-7\ntext = 'é'\n".encode("utf-7"),
}


@pytest.mark.parametrize("data", READABLE.values(), ids=READABLE.keys())
def test_as_python_reads_it(data: bytes) -> None:
    decoded = decode(data, "x.py")
    assert ast.dump(ast.parse(decoded.text)) == ast.dump(ast.parse(data))
    assert decoded.text.encode(decoded.encoding) == data


def test_newlines_stay() -> None:
    assert decode(b"a = 1\r\nb = 2\rc = 3\n", "x.py").text == "a = 1\r\nb = 2\rc = 3\n"


UNREADABLE = {
    "not utf-8": (b"a = 1\nb = 2\nc = '\xe9'\n", 3, r"is not valid utf-8 \(invalid continuation byte\)"),
    "not ascii": (b"# coding: ascii\na = '\xc3\xa9'\n", 2, "is not valid ascii"),
    "unknown encoding": (b"# coding: klingon\n", None, r"cannot be decoded \(unknown encoding: klingon\)"),
    "mark against declaration": (b"\xef\xbb\xbf# coding: latin-1\n", None, "cannot be decoded"),
    "no text encoding": (b"# coding: rot13\nk = 1\n", None, "cannot be decoded"),
    "not utf-8 at once": (b"\xff\xfea\x00", None, "cannot be decoded"),
}


@pytest.mark.parametrize(("data", "row", "what"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_python_cannot_read_is_a_problem(data: bytes, row: int | None, what: str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        ast.parse(data)
    with pytest.raises(Problem, match=what) as caught:
        decode(data, "x.py")
    assert caught.value.row == row
    assert caught.value.remedy == "save it as UTF-8, or declare its encoding in its first line"
