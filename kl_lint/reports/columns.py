"""Columns in the units that readers count in. All count from 1; `column` counts code points, `line` is the text."""

from __future__ import annotations

__all__ = ["utf8_column", "utf16_column"]


def utf8_column(line: str, column: int) -> int:
    """The column in bytes of UTF-8."""
    return len(line[: column - 1].encode("utf-8", "surrogatepass")) + 1


def utf16_column(line: str, column: int) -> int:
    """The column in UTF-16 code units."""
    return len(line[: column - 1].encode("utf-16-le", "surrogatepass")) // 2 + 1
