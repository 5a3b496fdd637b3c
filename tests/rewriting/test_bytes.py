"""Whatever an edit does not name comes out byte for byte."""

from __future__ import annotations

import pytest

from kl_lint.finding import RenameCallee, SetKeyword, Wrap
from kl_lint.rewriting.lines import Lines
from tests.rewriting.marking import at, rewrite


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("a = 1\r\nb = F.softmax(p)\r\nc = 2\r\n", id="crlf"),
        pytest.param("a = 1\rb = F.softmax(p)\rc = 2\r", id="cr"),
        pytest.param("a = 1\r\nb = F.softmax(p)\nc = 2\r\n# x\rd = 3", id="mixed"),
        pytest.param("b = F.softmax(p)", id="no-final-newline"),
        pytest.param("b = F.softmax(p)  # no newline", id="final-comment"),
        pytest.param("b = F.softmax(p)\n\n\n   \n\t\n", id="blank-rows-at-the-end"),
        pytest.param("if a:\n\tif b:\n\t\tc = F.softmax(p)\t# tab\n", id="tabs"),
        pytest.param("\f\nb = F.softmax(p)\n\f\n\fc = 1\n", id="form-feeds"),
        pytest.param("\fb = F.softmax(p)\n", id="form-feed-first"),
        pytest.param("\f" * 20 + "b = F.softmax(p)\n", id="form-feeds-first"),
        pytest.param("b = (\n\f\n    F.softmax(p),)\n", id="form-feed-alone"),
        pytest.param("def g():\n\f    b = F.softmax(p)\n  \f    return b\n", id="form-feed-in-the-indentation"),
        pytest.param("def g():\n    b =\fF.softmax(p)\f+ \f1\n    return b\n", id="form-feed-between-tokens"),
        pytest.param("b = (\n\f  F.softmax(p),\n\f# c\n\f)\n", id="form-feed-in-brackets"),
        pytest.param("a = '''\n\f  x\n \f'''; b = F.softmax(p)\n", id="form-feed-in-a-string"),
        pytest.param("\ufeffb = F.softmax(p)\n", id="byte-order-mark"),
        pytest.param("\ufeff\r\n\fb = F.softmax(p)\r", id="byte-order-mark-and-more"),
        pytest.param("# -*- coding: latin-1 -*-\na = 'é'; b = F.softmax(p)\n", id="encoding"),
        pytest.param("a = 'é𝄞'; b = F.softmax(p)  # ü\n", id="beyond-ascii"),
        pytest.param("a = '\x0b\x1c\x1d\x85\u2028\u2029'  # \u2028\x0b\nb = F.softmax(p)\n", id="no-line-breaks"),
        pytest.param("a = b'\\x00'\nb = F.softmax(p)\\\n    + 1\n", id="continuation"),
        pytest.param("a = 1 ; b = F.softmax(p) ; c = 2 ;\n", id="semicolons"),
        pytest.param("a  =  {  1 :2,3: 4 , }\nb = F.softmax(p)\nx=y=  (  5 )\n", id="spaces"),
        pytest.param("class A :\n  def g( self ) :\n      b = F.softmax(p)\n      pass\n  x = 1\n", id="indentation"),
        pytest.param("if a: b = F.softmax(p)\nelse: pass\n", id="one-row-suite"),
        pytest.param(
            "a = 0XfF + 1_0 + 1J + 0O7\nb = F.softmax(p)\nc = U'x' rb'y'\n".replace(" rb'y'", ""), id="literals"
        ),
        pytest.param("@d\n# c\n\n\ndef g(): b = F.softmax(p)\n", id="comment-after-a-decorator"),
        pytest.param("try:\n    b = F.softmax(p)\nexcept OSError :\n    pass\n", id="space-that-libcst-drops"),
        pytest.param("#!/usr/bin/env python\n\n# c\n\nb = F.softmax(p)\n\n  # indented\n", id="comments"),
    ],
)
def test_everything_else_stays(source: str) -> None:
    call = at(source, "F.softmax(p)")
    assert rewrite(source, RenameCallee(call, "log_softmax")) == source.replace("F.softmax", "F.log_softmax")
    assert rewrite(source, SetKeyword(call, "dim", "1")) == source.replace("(p)", "(p, dim=1)")
    assert rewrite(source, Wrap(call, "", ".log()")) == source.replace("F.softmax(p)", "F.softmax(p).log()")
    p = at(source, "p)")
    lines = Lines(source.removeprefix("\ufeff"))
    inner = lines.range(p)
    assert inner is not None
    assert rewrite(source, Wrap(lines.span(inner[0], inner[0] + 1), "f(", ")")) == source.replace("(p)", "(f(p))")
