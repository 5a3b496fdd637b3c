"""JSON that every reader can read: ASCII, and nothing that is no text."""

from __future__ import annotations

import json

__all__ = ["dump", "dump_as_it_is"]


def dump(value: object) -> str:
    """`value` as indented JSON, and a newline.

    Half a surrogate pair, which stands for a byte of a file's name that is no text, is written out as an escape
    (`\\\\udcff`): readers in other languages reject it, or the whole document.
    """
    return dump_as_it_is(_textual(value))


def dump_as_it_is(value: object) -> str:
    """`value` as indented JSON, and a newline; its texts with every half of a pair that they have.

    A log of GitHub Actions may show it: nothing in it reads `##[`, which the runner obeys wherever it stands in a line.
    """
    return json.dumps(value, indent=2).replace("##[", "\\u0023#[") + "\n"


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
