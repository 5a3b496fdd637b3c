"""The comments that silence findings, read as flake8 reads them, so that both agree on every file.

`# noqa` silences every finding of its line, `# noqa: KLD101,KLD2` those whose code begins with one of these. A line is
a physical one, except that the lines which a backslash or a string carries on count as one. A line that holds
`# flake8: noqa` and nothing before it silences the whole file, whatever follows.
"""

from __future__ import annotations

import re
import tokenize

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["COMMENT", "Noqa", "Stretch", "silences", "stretches"]

_CODE = r"[A-Z]+[0-9]+"
COMMENT = re.compile(rf"# noqa(?::\s?(?P<codes>(?:{_CODE}[,\s]*)+))?", re.IGNORECASE)
_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


class Noqa:
    """What the comments in `lines`, each with its newline, silence."""

    __slots__ = ("_joined", "_lines", "whole_file")

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._joined = {
            row: "".join(lines[stretch.first - 1 : stretch.last])
            for stretch in stretches(lines)
            for row in range(stretch.first, stretch.last + 1)
        }
        self.whole_file = any(_FILE.match(line) for line in lines)

    def silences(self, code: str, row: int) -> bool:
        """Whether a comment silences the findings of `code` on `row`."""
        return self.whole_file or silences(self._joined.get(row) or self._lines[row - 1], code)


def silences(text: str, code: str) -> bool:
    """Whether the first comment of its kind in `text`, a line or those that count as one, silences `code`."""
    found = COMMENT.search(text)
    if found is None:
        return False
    codes = found["codes"]
    return codes is None or code.startswith(tuple(codes.replace(",", " ").split()))


class Stretch:
    """Rows that count as one line, and the column, from 0, at which a comment begins in the last one, if one does."""

    __slots__ = ("comment", "first", "last")

    def __init__(self, first: int, last: int, comment: int | None) -> None:
        self.first = first
        self.last = last
        self.comment = comment


def stretches(lines: Sequence[str]) -> list[Stretch]:
    """The rows of `lines`, in order; none where they are not Python."""
    try:
        return list(_stretches(lines))
    except (tokenize.TokenError, SyntaxError):
        return []


def _stretches(lines: Sequence[str]) -> Iterator[Stretch]:
    first = last = 0
    comment = None
    supply = iter(lines)
    for token in tokenize.generate_tokens(lambda: next(supply, "")):
        if token.type in (tokenize.DEDENT, tokenize.ENDMARKER):
            continue  # they stand on the row after
        first = min(first or token.start[0], token.start[0])
        last = max(last, token.end[0])
        if token.type == tokenize.COMMENT:
            comment = token.start[1]
        elif token.type in (tokenize.NL, tokenize.NEWLINE):
            yield Stretch(first, last, comment)
            first = last = 0
            comment = None
