"""Columns, judged by the encodings themselves."""

from __future__ import annotations

from hypothesis import given, strategies as st

from kl_lint.reports.columns import utf8_column, utf16_column

LINE = "aé日😀e\u0301z"


def test_columns() -> None:
    assert [utf8_column(LINE, column) for column in range(1, 9)] == [1, 2, 4, 7, 11, 12, 14, 15]
    assert [utf16_column(LINE, column) for column in range(1, 9)] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert (utf8_column("", 1), utf16_column("", 1)) == (1, 1)


@given(st.text(), st.integers(1, 20))
def test_what_stands_before_a_column_is_what_its_encoding_holds(line: str, column: int) -> None:
    before = line[: column - 1]
    assert line.encode("utf-8", "surrogatepass")[: utf8_column(line, column) - 1] == before.encode(
        "utf-8", "surrogatepass"
    )
    units = line.encode("utf-16-le", "surrogatepass")
    assert units[: 2 * (utf16_column(line, column) - 1)] == before.encode("utf-16-le", "surrogatepass")
