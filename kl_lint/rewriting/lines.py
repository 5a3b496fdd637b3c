"""Rows and columns of a text, and its offsets."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from kl_lint.finding import Span

if TYPE_CHECKING:
    import ast

__all__ = ["BYTE_ORDER_MARK", "Lines", "Range", "is_within"]

BYTE_ORDER_MARK = "\ufeff"

Range = tuple[int, int]
"""Offsets into a text, in code points, the end exclusive."""

_NEWLINE = re.compile(r"\r\n?|\n")


def is_within(inner: Range, outer: Range) -> bool:
    """Whether `inner` lies in `outer`."""
    return outer[0] <= inner[0] and inner[1] <= outer[1]


class Lines:
    """A text and where its rows begin.

    Only `\\n`, `\\r\\n` and `\\r` end a row, as for Python's own tokenizer; `str.splitlines` knows more. The text has
    no byte order mark: no tool counts it as a column.
    """

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(found.end() for found in _NEWLINE.finditer(text))]

    def offset(self, row: int, column: int) -> int | None:
        """The offset of a 1-based row and column; None where the text has no such place."""
        if not 1 <= row <= len(self._starts):
            return None
        offset = self._starts[row - 1] + column - 1
        end = self._starts[row] if row < len(self._starts) else len(self.text)
        return offset if self._starts[row - 1] <= offset <= end else None

    def range(self, span: Span) -> Range | None:
        """The offsets of `span`; None where it does not lie in the text."""
        start, end = self.offset(span.row, span.column), self.offset(span.end_row, span.end_column)
        return None if start is None or end is None or end < start else (start, end)

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets."""
        return Span(*self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        row = bisect_right(self._starts, offset)
        return row, offset - self._starts[row - 1] + 1

    def row_start(self, offset: int) -> int:
        """Where the row of `offset` begins."""
        return self._starts[bisect_right(self._starts, offset) - 1]

    def rows(self, first: int, last: int) -> Range:
        """The offsets of whole rows, newlines included."""
        return self._starts[first - 1], self._starts[last] if last < len(self._starts) else len(self.text)

    def node_range(self, node: ast.expr | ast.stmt) -> Range:
        """The offsets of a node of the syntax tree, whose columns count bytes of UTF-8."""
        end_row, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._from_bytes(node.lineno, node.col_offset), self._from_bytes(end_row, end_column)

    def _from_bytes(self, row: int, column: int) -> int:
        start = self._starts[row - 1]
        before = self.text[start : start + column]  # no fewer code points than are needed
        if before.isascii():
            return start + column
        return start + len(before.encode()[:column].decode(errors="ignore"))
