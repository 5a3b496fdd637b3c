"""Writing the comments that silence findings."""

from __future__ import annotations

import re

from kl_lint.lines import split_lines
from kl_lint.sources.noqa import COMMENT, silences, stretches

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kl_lint.sources.noqa import Stretch

__all__ = ["silenced"]

_ROW = re.compile(r"([^\r\n]*)(\r\n?|\n|\Z)")


def silenced(text: str, codes: Mapping[int, Iterable[str]]) -> str:
    """`text` with a `# noqa` for each of `codes`, by the row that the findings are on.

    A comment stands at the end of its row; where a backslash or a string carries the row on, at the end of the last row
    of those that count as one. The codes join those of a `# noqa` that is there. Where a comment would silence nothing,
    because a string before it holds what reads as one, there is none.
    """
    rows = [list(each) for each in _ROW.findall(text)]
    lines = split_lines(text)
    for stretch in stretches(lines):
        wanted = sorted({code for row in range(stretch.first, stretch.last + 1) for code in codes.get(row, ())})
        if wanted:
            row = rows[stretch.last - 1]
            before = "".join(lines[stretch.first - 1 : stretch.last - 1])
            line = _commented(row[0], stretch, wanted)
            if all(silences(before + line, code) for code in wanted):
                row[0] = line
    return "".join(part for row in rows for part in row)


def _commented(line: str, stretch: Stretch, codes: Iterable[str]) -> str:
    """`line`, the last one of `stretch`, with `codes` in its comment."""
    if stretch.comment is not None:
        found = COMMENT.search(line, stretch.comment)
        if found is not None and found["codes"]:
            end = found.start("codes") + len(found["codes"].rstrip(", \t"))
            return f"{line[:end]}, {', '.join(codes)}{line[end:]}"
    return f"{line.rstrip()}  # noqa: {', '.join(codes)}"
