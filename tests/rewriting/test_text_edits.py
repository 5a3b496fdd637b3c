"""Fixes as replacements, for reports and editors."""

from __future__ import annotations

import pytest

from kl_lint.finding import Edit, RenameCallee, Replace, SetKeyword, Span, SwapArguments, Unwrap, Wrap
from kl_lint.rewriting import TextEdit, text_edits
from tests.rewriting.marking import at, fix

SOURCE = "é = 1\r\nloss = f(torch.log(softmax(x, 1)), b)\r\n"
CALL = at(SOURCE, "f(torch.log(softmax(x, 1)), b)")
LOG, SOFTMAX, LAST = at(SOURCE, "torch.log(softmax(x, 1))"), at(SOURCE, "softmax(x, 1)"), at(SOURCE, "b")


def _edit(start: int, end: int, text: str) -> TextEdit:
    return TextEdit(Span(2, start, 2, end), text)


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param((Wrap(LAST, "torch.log(", ")"),), [(36, 36, "torch.log("), (37, 37, ")")], id="wrap"),
        pytest.param((Unwrap(LOG, SOFTMAX),), [(10, 20, ""), (33, 34, "")], id="unwrap"),
        pytest.param((Replace(LOG, "g({0})", (SOFTMAX,)),), [(10, 18, "")], id="replace"),
        pytest.param((Replace(CALL, "1"),), [(8, 38, "1")], id="replace-all"),
        pytest.param((SetKeyword(CALL, "c", "1"),), [(37, 37, ", c=1")], id="set"),
        pytest.param(
            (SwapArguments(CALL, LOG, LAST),), [(10, 34, "b"), (36, 37, "torch.log(softmax(x, 1))")], id="swap"
        ),
        pytest.param(
            (Unwrap(LOG, SOFTMAX), Wrap(LAST, "", ".d"), SetKeyword(CALL, "c", "1")),
            [(10, 20, ""), (33, 34, ""), (37, 37, ".d, c=1")],
            id="several",
        ),
    ],
)
def test_edits_are_small_and_in_order(edits: tuple[Edit, ...], expected: list[tuple[int, int, str]]) -> None:
    assert text_edits(SOURCE, fix(*edits)) == tuple(_edit(*edit) for edit in expected)


def test_a_name_that_shares_letters() -> None:
    source = "x.softmax(1)\n"
    (edit,) = text_edits(source, fix(RenameCallee(at(source, "x.softmax(1)"), "log_softmax")))
    assert edit == TextEdit(Span(1, 3, 1, 3), "log_")


def test_rows_of_a_new_argument() -> None:
    source = "f(\r\n    a,\r\n)\r\n"
    (edit,) = text_edits(source, fix(SetKeyword(Span(1, 1, 3, 2), "b", "1")))
    assert edit == TextEdit(Span(2, 7, 2, 7), "\r\n    b=1,")


def test_a_byte_order_mark_is_no_column() -> None:
    (edit,) = text_edits("\ufefff(a)", fix(SetKeyword(Span(1, 1, 1, 5), "b", "1")))
    assert edit == TextEdit(Span(1, 4, 1, 4), ", b=1")


def test_a_call_that_becomes_a_method() -> None:
    source = "from torch import softmax\ny = softmax(dim=1, input=x)\n"
    call = at(source, "softmax(dim=1, input=x)")
    edits = text_edits(source, fix(RenameCallee(call, "log_softmax")))
    assert edits == (TextEdit(Span(2, 5, 2, 26), ""), TextEdit(Span(2, 27, 2, 27), ".log_softmax(dim=1"))


def test_a_fix_that_cannot_be_made_has_none() -> None:
    assert text_edits("f(**a)", fix(SetKeyword(Span(1, 1, 1, 7), "b", "1"))) == ()
    assert text_edits("f(", fix(SetKeyword(Span(1, 1, 1, 3), "b", "1"))) == ()
