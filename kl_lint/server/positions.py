"""Rows and columns as findings have them, and as the Language Server Protocol has them.

A finding counts rows and code points from 1; the protocol counts lines and the units of an encoding from 0. Both end
lines at `\\n`, `\\r\\n` and `\\r` alone. To the protocol a byte order mark is a character, to a finding it is none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from lsprotocol import types

from kl_lint.finding import Span
from kl_lint.lines import split_lines
from kl_lint.reports.columns import utf8_column, utf16_column
from kl_lint.rewriting.lines import BYTE_ORDER_MARK

__all__ = ["Encoding", "Positions"]

Encoding = types.PositionEncodingKind | str


def _utf32_column(line: str, column: int) -> int:
    """The column in code points, as it is."""
    return column


_COLUMNS: dict[Encoding, Callable[[str, int], int]] = {
    types.PositionEncodingKind.Utf8: utf8_column,
    types.PositionEncodingKind.Utf16: utf16_column,
    types.PositionEncodingKind.Utf32: _utf32_column,
}


class Positions:
    """The places of `text` in the units of `encoding`."""

    __slots__ = ("_column", "_lines", "_mark")

    def __init__(self, text: str, encoding: Encoding) -> None:
        self._lines = [line.rstrip("\n") for line in split_lines(text)]
        self._mark = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        self._column = _COLUMNS[encoding]

    def range(self, span: Span) -> types.Range:
        """The range of `span`."""
        return types.Range(self._position(span.row, span.column), self._position(span.end_row, span.end_column))

    def place(self, position: types.Position) -> tuple[int, int]:
        """The row and column of a position, as near to it as the text has one: it may be any client's."""
        row = min(position.line, len(self._lines)) + 1
        line = self._line(row)
        columns = range(1, len(line) + 2)
        column = bisect_right(columns, position.character + 1, key=lambda column: self._column(line, column))
        return row, max(1, column - self._shift(row))

    def _position(self, row: int, column: int) -> types.Position:
        return types.Position(row - 1, self._column(self._line(row), column + self._shift(row)) - 1)

    def _shift(self, row: int) -> int:
        return self._mark if row == 1 else 0

    def _line(self, row: int) -> str:
        """The text of a row; past the last one there is an empty one."""
        return self._lines[row - 1] if row <= len(self._lines) else ""
