"""The lines of the text under analysis: it is split when one of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from kl_lint.lines import split_lines, with_newlines

__all__ = ["Lines", "whole"]


class Lines(Sequence[str]):
    """The lines of a text; of most files none is asked for, only their number."""

    __slots__ = ("_lines", "text")

    def __init__(self, text: str) -> None:
        self.text = with_newlines(text)
        self._lines: list[str] | None = None

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._split()[index]

    def __len__(self) -> int:
        if self._lines is not None:
            return len(self._lines)
        return self.text.count("\n") + (self.text[-1:] not in ("", "\n"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._split())

    def _split(self) -> list[str]:
        if self._lines is None:
            self._lines = split_lines(self.text)
        return self._lines


def whole(lines: Sequence[str]) -> str:
    """The text that lines are of, whether they have their newlines or not."""
    if isinstance(lines, Lines):
        return lines.text
    return ("" if lines and lines[0].endswith("\n") else "\n").join(lines)
