"""From two texts to replacements, which an editor makes one of the other with."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from kl_lint.finding import Span
from kl_lint.rewriting import TextEdit, differences
from tests.rewriting.marking import edited


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("a\nb\n", "a\nb\n", [], id="nothing"),
        pytest.param("a\nb\nc\n", "a\nb  # noqa\nc\n", [(2, 2, 2, 2, "  # noqa")], id="within-a-row"),
        pytest.param("a\r\nb\r\n", "a\r\nB\r\n", [(2, 1, 2, 2, "B")], id="windows-newlines"),
        pytest.param("a\nb", "a\nbc", [(2, 2, 2, 2, "c")], id="no-newline-at-the-end"),
        pytest.param("a\nb\nc\n", "A\nb\nC\n", [(1, 1, 1, 2, "A"), (3, 1, 3, 2, "C")], id="several"),
        pytest.param("a\nb\n", "a\n", [(2, 1, 3, 1, "")], id="a-row-less"),
        pytest.param("", "a\n", [(1, 1, 1, 1, "a\n")], id="from-nothing"),
        pytest.param("a\x0cb\n", "a\x0cc\n", [(1, 3, 1, 4, "c")], id="form-feed"),
    ],
)
def test_differences(old: str, new: str, expected: list[tuple[int, int, int, int, str]]) -> None:
    assert differences(old, new) == tuple(TextEdit(Span(*place), text) for *place, text in expected)


@given(st.text("ab\r\n\x0c", max_size=30), st.text("ab\r\n\x0c", max_size=30))
def test_they_lead_from_one_to_the_other(old: str, new: str) -> None:
    assert edited(old, differences(old, new)) == new
