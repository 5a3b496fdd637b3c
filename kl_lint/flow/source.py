"""One source text under analysis, and places in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from kl_lint.finding import Span, Step
from kl_lint.flow.lines import Lines

__all__ = ["Place", "Source"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A parsed file: its name, its lines and its tree."""

    filename: str
    lines: Sequence[str]
    tree: ast.Module

    def span(self, node: ast.AST) -> Span:
        """The range of a node. `ast` counts UTF-8 bytes; a span counts code points."""
        row: int = getattr(node, "lineno", 1)
        end_row: int = getattr(node, "end_lineno", None) or row
        start: int = getattr(node, "col_offset", 0)
        end: int = getattr(node, "end_col_offset", None) or 0
        if isinstance(self.lines, Lines) and self.lines.text.isascii():
            return Span(row, start + 1, end_row, end + 1)
        return Span(row, self._column(row, start), end_row, self._column(end_row, end))

    def _column(self, row: int, offset: int) -> int:
        line = self.lines[row - 1] if 0 < row <= len(self.lines) else ""
        if line.isascii():
            return offset + 1
        return len(line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1

    def text(self, node: ast.AST) -> str:
        """The text of a node, on one line."""
        span = self.span(node)
        rows = self.lines[span.row - 1 : span.end_row]
        if not rows:
            return ""
        if len(rows) == 1:
            return rows[0][span.column - 1 : span.end_column - 1]
        parts = [rows[0][span.column - 1 :], *rows[1:-1], rows[-1][: span.end_column - 1]]
        return " ".join(part.strip() for part in parts)


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a source: where something happened."""

    source: Source
    node: ast.AST

    @property
    def span(self) -> Span:
        """Its range of text."""
        return self.source.span(self.node)

    @property
    def row(self) -> int:
        """Its first row, 1-based."""
        return getattr(self.node, "lineno", 1)

    def step(self, what: str) -> Step:
        """A step of a trace at this place."""
        return Step(self.source.filename, self.span, what)
