"""The blocks of Python in Markdown: what is fenced and called Python, in the spellings of those who render it.

Blocks that are only indented say nothing of their language, and are passed over.
"""

from __future__ import annotations

import re
from itertools import takewhile

from markdown_it import MarkdownIt

from kl_lint.sources.document import Block

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["blocks", "is_python"]

_INFO = re.compile(r"(?P<directive>\{[\w:-]+\})\s*(?P<argument>[\w.+-]*)|\{?[\s.]*(?P<language>[\w.+-]*)")
_LANGUAGES = frozenset({"ipython", "ipython3", "py", "py3", "pycon", "python", "python-repl", "python3"})
_DIRECTIVES = frozenset({"{code}", "{code-block}", "{code-cell}", "{sourcecode}"})
"""Directives of MyST whose argument is a language."""
_OF_PYTHON = frozenset({"{doctest}", "{jupyter-execute}", "{python}", "{testcode}", "{testsetup}"})


def blocks(document: str) -> Iterator[Block]:
    """The blocks of Python, in order."""
    sections: list[tuple[int, int]] = []
    """The headings that the place is under, each its level and its number."""
    # what is within lines is of no interest, and may take time that grows with its square
    parser = MarkdownIt("commonmark").disable("inline")
    for number, token in enumerate(parser.parse(document)):
        if token.type == "heading_open":
            level = int(token.tag[1:])
            sections = [*(section for section in sections if section[0] < level), (level, number)]
        elif token.type == "fence" and token.map and is_python(token.info):
            lines = token.content.removesuffix("\n").split("\n")
            if token.info.lstrip().startswith("{"):
                lines = _without_options(lines)
            yield Block(token.map[0] + 2, lines, tuple(number for _, number in sections))


def is_python(info: str) -> bool:
    """Whether a block is Python, by what stands behind its fence: `python title="x"`, `{code-cell} ipython3`."""
    found = _INFO.match(info.strip().lower())
    if found is None:
        return False
    directive = found["directive"]
    if directive is None:
        return found["language"] in _LANGUAGES
    return directive in _OF_PYTHON or (directive in _DIRECTIVES and found["argument"] in _LANGUAGES)


def _without_options(lines: Sequence[str]) -> list[str]:
    """The lines of a directive, those of its options emptied: `:name: value` each, or YAML between `---`."""
    end = sum(1 for _ in takewhile(lambda line: line.startswith(":"), lines))
    if lines[0].rstrip() == "---":
        end = next((row for row, line in enumerate(lines[1:], start=2) if line.rstrip() == "---"), 0)
    return [""] * end + [*lines[end:]]
