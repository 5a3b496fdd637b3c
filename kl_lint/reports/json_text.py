"""JSON that every reader can read: ASCII, and nothing that is no text."""

from __future__ import annotations

import json

__all__ = ["dump"]


def dump(value: object) -> str:
    """`value` as indented JSON, and a newline.

    Half a surrogate pair, which stands for a byte of a file's name that is no text, is written out as an escape
    (`\\\\udcff`): readers in other languages reject it, or the whole document.
    """
    return json.dumps(_textual(value), indent=2) + "\n"


def _textual(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {key: _textual(each) for key, each in value.items()}
        case list():
            return [_textual(each) for each in value]
        case _:
            return value
