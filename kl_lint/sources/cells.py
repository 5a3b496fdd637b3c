"""Which row of a text that was put together from a notebook's cells is which row of which cell, and of the file."""

from __future__ import annotations

import re
from bisect import bisect_right

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kl_lint.sources.json_text import Replacement

__all__ = ["Cells"]

_LINE = re.compile(r"(?<!\.py )(?<!\.pyi )\bline (\d+)\b")
"""A line of the text itself: one of another file has that file's name before it."""


class Cells:
    """The cells of a notebook, whose rows stand one after another in a text.

    `starts` are the rows of the text on which the cells begin, in order; `numbers` what the cells are counted as, from
    1, those that hold no code included; `file_rows` the rows of the file for those of the text, from the first on.
    `text` is the text, `document` the file's; `replacements` gives, of another text, those in the document.
    """

    __slots__ = ("_file_rows", "_numbers", "_starts", "document", "replacements", "text")

    def __init__(
        self,
        starts: Sequence[int],
        numbers: Sequence[int],
        file_rows: Sequence[int],
        text: str,
        document: str,
        replacements: Callable[[str], Sequence[Replacement]],
    ) -> None:
        self._starts = starts
        self._numbers = numbers
        self._file_rows = file_rows
        self.text = text
        self.document = document
        self.replacements = replacements

    def place(self, row: int) -> tuple[int, int]:
        """The number of the cell that a row of the text is in, and which row it is there."""
        index = bisect_right(self._starts, row) - 1
        return self._numbers[index], row - self._starts[index] + 1

    def spot(self, row: int) -> str:
        """A row of the text as a headline has it behind the name of the file: `cell 3:2`."""
        cell, there = self.place(row)
        return f"cell {cell}:{there}"

    def file_row(self, row: int) -> int:
        """The row of the file that holds a row of the text: where a reader of the file itself finds it."""
        return self._file_rows[row - 1]

    def told(self, message: str, row: int) -> str:
        """`message`, which is about `row`, with the lines that it names as a reader of the notebook counts them."""
        own, _ = self.place(row)

        def line(found: re.Match[str]) -> str:
            cell, there = self.place(int(found[1]))
            return f"line {there}" if cell == own else f"line {there} of cell {cell}"

        return _LINE.sub(line, message)
