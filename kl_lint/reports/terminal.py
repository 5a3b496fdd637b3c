"""Text on its way to a terminal: nothing in a file's name or content may steer it, and columns must line up."""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Paint", "path", "shows_colors", "visible", "width"]

_TAB = "    "


def visible(text: str) -> str:
    """`text` with what a terminal would obey, or not print, written as an escape: controls, surrogates, bidi marks.

    A tab becomes four spaces. Neither is `##[` left, which GitHub's runner obeys wherever it stands in a line.
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else _escape(character) for character in text)
    return text.replace("##[", "\\x23#[")


def _escape(character: str) -> str:
    if character == "\t":
        return _TAB
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def path(filename: str) -> str:
    """A file's path, visible, to begin a line with: one that begins with `::` would be a command to GitHub Actions."""
    shown = visible(filename)
    return f"./{shown}" if shown.lstrip().startswith("::") else shown


def width(text: str) -> int:
    """How many columns of a terminal `text`, all of it visible, takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(character) else 1 + (east_asian_width(character) in "WF") for character in text)


def shows_colors(stream: TextIO | None) -> bool:
    """Whether what is written to `stream` may be coloured (https://no-color.org)."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Paint:
    """The colours of a report, or none."""

    __slots__ = ("_on",)

    def __init__(self, on: bool) -> None:
        self._on = on

    def strong(self, text: str) -> str:
        """What a reader looks for first."""
        return self._escape("1", text)

    def alarm(self, text: str) -> str:
        """What is wrong."""
        return self._escape("1;31", text)

    def frame(self, text: str) -> str:
        """What is not part of the source."""
        return self._escape("34", text)

    def _escape(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._on else text
