"""A new text as pieces: what is kept of the old one, and what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kl_lint.rewriting.lines import Range

__all__ = ["Kept", "Piece", "Pieces", "Replacement", "join", "moved", "places", "replacements", "settled"]


@dataclass(frozen=True, slots=True)
class Kept:
    """The old text between two offsets; `moved` where it is told to stand elsewhere now."""

    start: int
    end: int
    moved: bool = False


Piece = str | Kept
Pieces = tuple[Piece, ...]

Replacement = tuple[int, int, str]
"""New text for what stands between two offsets."""


def join(text: str, pieces: Iterable[Piece]) -> str:
    """The text that `pieces` of `text` make."""
    return "".join(piece if isinstance(piece, str) else text[piece.start : piece.end] for piece in pieces)


def moved(pieces: Iterable[Piece]) -> Pieces:
    """The same pieces, known to stand elsewhere than before."""
    return tuple(piece if isinstance(piece, str) else replace(piece, moved=True) for piece in pieces)


def settled(pieces: Iterable[Piece]) -> Pieces:
    """The same pieces without empty ones, and those that do not go on behind the last one known to be moved."""
    result: list[Piece] = []
    end = 0
    for piece in pieces:
        if isinstance(piece, str):
            result.append(piece)
        elif piece.start < piece.end:
            in_place = not piece.moved and piece.start >= end
            end = piece.end if in_place else end
            result.append(replace(piece, moved=not in_place))
    return tuple(result)


def replacements(text: str, pieces: Sequence[Piece]) -> Iterator[Replacement]:
    """What to replace in `text`, from its beginning to its end, to have the text that settled `pieces` make."""
    cursor, new = 0, ""
    for piece in (*pieces, Kept(len(text), len(text))):
        if isinstance(piece, str) or piece.moved:
            new += join(text, (piece,))
            continue
        yield from _trimmed(text, cursor, piece.start, new)
        cursor, new = piece.end, ""


def _trimmed(text: str, start: int, end: int, new: str) -> Iterator[Replacement]:
    """The replacement without what both texts begin or end with; none where they are the same."""
    while start < end and new and text[start] == new[0]:
        start, new = start + 1, new[1:]
    while start < end and new and text[end - 1] == new[-1]:
        end, new = end - 1, new[:-1]
    if start < end or new:
        yield start, end, new


def places(text: str, pieces: Sequence[Piece], offset: int) -> Range:
    """Between which offsets of the text of settled `pieces` that may begin which began at `offset` of the old one: at
    one, unless something is put before it or in its place.
    """
    cursor, low = 0, 0
    for piece in pieces:
        length = len(join(text, (piece,)))
        if isinstance(piece, Kept) and not piece.moved:
            if piece.start < offset < piece.end:
                return cursor + offset - piece.start, cursor + offset - piece.start
            if piece.end > offset:
                return low, cursor
            low = cursor + length
        cursor += length
    return low, cursor
