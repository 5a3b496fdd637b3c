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
    from collections.abc import Sequence

__all__ = ["Noqa"]

_CODE = r"[A-Z]+[0-9]+"
_LINE = re.compile(rf"# noqa(?::\s?(?P<codes>(?:{_CODE}[,\s]*)+))?", re.IGNORECASE)
_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


class Noqa:
    """What the comments in `lines`, each with its newline, silence."""

    __slots__ = ("_joined", "_lines", "whole_file")

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._joined = _join(lines)
        self.whole_file = any(_FILE.match(line) for line in lines)

    def silences(self, code: str, row: int) -> bool:
        """Whether a comment silences the findings of `code` on `row`."""
        if self.whole_file:
            return True
        found = _LINE.search(self._joined.get(row) or self._lines[row - 1])
        if found is None:
            return False
        codes = found["codes"]
        return codes is None or code.startswith(tuple(codes.replace(",", " ").split()))


def _join(lines: Sequence[str]) -> dict[int, str]:
    """The text that each row shares with the rows it is carried on from or to, by row."""
    joined: dict[int, str] = {}
    first = last = 0
    supply = iter(lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(supply, "")):
            if token.type in (tokenize.DEDENT, tokenize.ENDMARKER):
                continue  # they stand on the row after
            first = min(first or token.start[0], token.start[0])
            last = max(last, token.end[0])
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                joined |= dict.fromkeys(range(first, last + 1), "".join(lines[first - 1 : last]))
                first = last = 0
    except (tokenize.TokenError, SyntaxError):
        return {}
    return joined
