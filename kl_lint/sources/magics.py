"""Lines of a notebook's cell that are not Python: magics, shell escapes, questions for help.

IPython has a parser for these, which rewrites them into calls and joins lines on the way. Here every row has to stay
where it is, and the text has to come back unharmed, so they are found and set aside.
"""

from __future__ import annotations

import re
from itertools import accumulate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_python", "stand_ins"]

_OF_PYTHON = frozenset(
    {"capture", "debug", "ipytest", "prun", "pypy", "python", "python3", "time", "timeit"},
)
"""The magics whose cells are Python below their first line, as ruff has them."""
_CELL_MAGIC = re.compile(r"\s*%%(\w*)")
_ESCAPE = re.compile(r"\s*[%!?,;/]")
"""What IPython takes at the beginning of a statement, and Python never has there."""
_ASSIGNMENT = re.compile(r"(?P<target>[^=!%\n#\"'(]+)=\s*(?:!|%(?!=))")
"""`files = !ls` and `took = %timeit f()`."""
_HELP = re.compile(r"[^#\"']*\?\s*$")
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    | (?P<string>[rbuftRBUFT]{0,2}(?:'''(?:[^\\]|\\.)*?(?:'''|\\?\Z) | \"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\\?\Z)
        | '(?:[^\\\n']|\\.)*(?:'|\\?$) | "(?:[^\\\n"]|\\.)*(?:"|\\?$)))
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<joined>\\\n) | (?P<end>\n)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def is_python(source: str) -> bool:
    """Whether a cell's code is Python, and not what a magic such as `%%bash` takes."""
    found = _CELL_MAGIC.match(source)
    return found is None or found[1] in _OF_PYTHON


def stand_ins(lines: Sequence[str]) -> dict[int, str]:
    """What Python would have in the place of the lines of a cell that are none of it, by their index.

    `lines` keep their newlines. A name that is bound to what a magic returns is bound to something that nobody knows.
    """
    found: dict[int, str] = {}
    text, starts = "".join(lines), list(accumulate(map(len, lines), initial=0))
    index = 0
    while index < len(lines):
        stand_in = _stand_in(lines[index])
        if stand_in is None:
            index += 1 + _rows_that_follow(text, starts[index])
            continue
        found[index] = stand_in
        while lines[index].rstrip("\r\n").endswith("\\") and index + 1 < len(lines):
            index += 1
            found[index] = ""
        index += 1
    return found


def _stand_in(line: str) -> str | None:
    """What to put in the place of a line on which a statement begins; None where it is Python."""
    if _ESCAPE.match(line) or _HELP.match(line):
        return line[: len(line) - len(line.lstrip())] + "pass"
    assigned = _ASSIGNMENT.match(line)
    return f"{assigned['target']}= get_ipython()" if assigned else None


def _rows_that_follow(text: str, start: int) -> int:
    """How many further rows the statement takes that begins at `start`: in brackets, in a string, after a backslash."""
    depth = rows = 0
    for token in _TOKEN.finditer(text, start):
        match token.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "end" if depth <= 0:
                return rows
            case _:
                pass
        rows += token[0].count("\n")
    return rows
