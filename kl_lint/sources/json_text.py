"""Strings of a JSON document and where they stand in it, and other lines in their place.

The standard library reads the document; what it keeps to itself, the place of each string, it is asked to tell.
"""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from itertools import takewhile
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Literal", "Replacement", "loads", "replaced"]

Replacement = tuple[int, int, str]
"""From which place of a document to which another text is to stand, and that text."""

_CHARACTER = re.compile(r"\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|\\u\w{4}|\\.|[^\\]", re.DOTALL)
"""What stands for one character, in a string of a document. Two escapes may be one character between them."""


class Literal(str):
    """The value of a string of a document, which stands from `start` to `end`, its quotes included."""

    __slots__ = ("end", "start")

    start: int
    end: int


class _Decoder(json.JSONDecoder):
    """Reads strings as `Literal`. `scan_once` is what the decoder reads with: this one, unlike C's, can be told how."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_string = _literal
        self.scan_once = py_make_scanner(self)


def _literal(document: str, begin: int, strict: bool) -> tuple[Literal, int]:
    value, end = scanstring(document, begin, strict)
    literal = Literal(value)
    literal.start, literal.end = begin - 1, end
    return literal, end


def loads(document: str) -> object:
    """What is in a document; its strings, apart from the keys of objects, are `Literal`. Raises ValueError."""
    return _Decoder().decode(document)


def replaced(document: str, source: Literal | Sequence[Literal], text: str) -> list[Replacement]:
    """The replacements in `document`, in order, that make `text` of a string, or of the lines that a list holds.

    Lines that stay are not touched; of one that changes, what is before and behind the change keeps its spelling.
    """
    old = _split(document, source) if isinstance(source, Literal) else [_inside(each) for each in source]
    lines = text.splitlines(keepends=True) if not isinstance(source, Literal) else re.findall(r"[^\n]*\n|[^\n]+", text)
    glue = "" if isinstance(source, Literal) else _glue(document, old)
    matcher = SequenceMatcher(None, [piece.value for piece in old], lines, autojunk=False)
    edits = []
    for kind, first, last, low, high in matcher.get_opcodes():
        if kind == "equal":
            continue
        gone = old[first:last]
        come = [
            _spelled(document, gone[at] if at < len(gone) else None, line) for at, line in enumerate(lines[low:high])
        ]
        if len(gone) == len(come):
            edits += [(piece.start, piece.end, new) for piece, new in zip(gone, come, strict=True)]
        elif not gone and first < len(old):
            edits.append((old[first].start, old[first].start, "".join(new + glue for new in come)))
        elif not gone:
            edits.append((old[-1].end, old[-1].end, "".join(glue + new for new in come)))
        elif come or len(gone) == len(old):
            edits.append((gone[0].start, gone[-1].end, glue.join(come)))
        elif last < len(old):
            edits.append((gone[0].start, old[last].start, ""))
        else:
            edits.append((old[first - 1].end, gone[-1].end, ""))
    return edits


class _Piece:
    """A line, or several, as the inside of a string has them: `value` stands from `start` to `end`."""

    __slots__ = ("end", "start", "value")

    def __init__(self, start: int, end: int, value: str) -> None:
        self.start = start
        self.end = end
        self.value = value


def _inside(literal: Literal) -> _Piece:
    return _Piece(literal.start + 1, literal.end - 1, literal)


def _split(document: str, literal: Literal) -> list[_Piece]:
    """The lines of one string."""
    characters = _characters(document, _inside(literal))
    pieces, start, begin = [], literal.start + 1, 0
    at = start
    for index, (character, value) in enumerate(zip(characters, literal, strict=True), start=1):
        at += len(character)
        if value == "\n" or index == len(literal):
            pieces.append(_Piece(start, at, literal[begin:index]))
            start, begin = at, index
    return pieces


def _glue(document: str, pieces: Sequence[_Piece]) -> str:
    """What stands between the insides of two strings of a list."""
    if len(pieces) > 1:
        return document[pieces[0].end : pieces[1].start]
    before = document[: pieces[0].start - 1]
    return '",' + before[len(before.rstrip()) :] + '"'


def _characters(document: str, piece: _Piece) -> list[str]:
    """How each character of `piece` is spelled."""
    return _CHARACTER.findall(document, piece.start, piece.end)


def _spelled(document: str, old: _Piece | None, line: str) -> str:
    """`line` as the inside of a string, its beginning and end spelled as those of the line `old` are."""
    if old is None:
        return _escaped(document, line)
    spelling = _characters(document, old)
    head = _agreement(old.value, line)
    tail = min(_agreement(old.value[::-1], line[::-1]), len(line) - head, len(old.value) - head)
    middle = line[head : len(line) - tail]
    return "".join([*spelling[:head], _escaped(document, middle), *spelling[len(spelling) - tail :]])


def _agreement(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _escaped(document: str, text: str) -> str:
    """`text` as the inside of a string: in ASCII where the document is."""
    return json.dumps(text, ensure_ascii=document.isascii())[1:-1]
