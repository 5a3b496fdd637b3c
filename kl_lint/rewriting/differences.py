"""From an old text and a new one to replacements."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from kl_lint.rewriting.lines import Lines
from kl_lint.rewriting.pieces import Kept, Piece, replacements
from kl_lint.rewriting.results import TextEdit

__all__ = ["differences"]

_ROW = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


def differences(old: str, new: str) -> tuple[TextEdit, ...]:
    """Replacements that turn `old` into `new`, in order and apart: rows that are the same in both are left alone.

    Neither text has a byte order mark.
    """
    if old == new:
        return ()
    before, after = _ROW.findall(old), _ROW.findall(new)
    pieces: list[Piece] = []
    offset = 0
    for kind, first, last, start, end in SequenceMatcher(None, before, after).get_opcodes():
        length = sum(map(len, before[first:last]))
        pieces.append(Kept(offset, offset + length) if kind == "equal" else "".join(after[start:end]))
        offset += length
    span = Lines(old).span
    return tuple(TextEdit(span(start, end), text) for start, end, text in replacements(old, pieces))
