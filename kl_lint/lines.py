"""The lines of a source text, as Python counts them."""

from __future__ import annotations

__all__ = ["split_lines", "with_newlines"]


def split_lines(text: str) -> list[str]:
    """The lines of `text`, each with its newline: only `\\n`, `\\r\\n` and `\\r` end one."""
    from io import StringIO

    return list(StringIO(with_newlines(text)))


def with_newlines(text: str) -> str:
    """`text` with `\\n` at the end of every line but, perhaps, the last."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
