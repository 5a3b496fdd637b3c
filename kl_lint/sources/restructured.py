"""The blocks of Python in reStructuredText: those of directives that say so, and sessions of the interpreter.

Literal blocks say nothing of their language, and are passed over. Directives that docutils does not know, as most of
Sphinx's, are taken for containers of what is in them. Nothing is included, and nothing is run.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict

from docutils import __version__, __version_info__, nodes
from docutils.core import publish_doctree
from docutils.languages import get_language
from docutils.parsers.rst import Directive, Parser, directives
from docutils.parsers.rst.states import Inliner
from docutils.utils import new_document

from kl_lint.sources.document import Block

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["blocks"]

if __version_info__ < (0, 22):  # it does not tell where sessions of the interpreter begin
    raise ImportError(f"docutils {__version__} is older than 0.22")

_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "doctitle_xform": False,
    "sectsubtitle_xform": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    # it is there for what is within lines, which is not looked at
    "line_length_limit": sys.maxsize,
}
_LANGUAGES = frozenset({"ipython3", "py", "py3", "pycon", "python", "python3"})
_NAME = re.compile(r"^[ \t]*(?:[-*|+>][ \t]+)*\.\.[ \t]+(?:\|[^|\n]+\|[ \t]+)?([\w:.+-]+)[ \t]*::", re.MULTILINE)
_ENDS_OF_LINES = re.compile("[\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
"""What docutils takes for the end of a line, and Python and editors do not."""

_ANY_OPTION = defaultdict(lambda: directives.unchanged, {"name": directives.unchanged})


class _Plain(Inliner):
    """Takes what is within lines for text: it is of no interest, and may take time that grows with its square."""

    def init_customizations(self, settings: Any) -> None:
        """Nothing is prepared, since nothing is looked for."""

    def parse(self, text: str, lineno: int, memo: Any, parent: nodes.Element) -> tuple[list[nodes.Node], list[Any]]:
        """The text as it is, and no complaints."""
        return [nodes.Text(text)], []

    def adjust_uri(self, uri: str) -> str:
        """The target of a link as it is: whether it is an address is of no interest either."""
        return uri


class _Code(Directive):
    """A directive whose content is code, in the language that its argument names."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = _ANY_OPTION

    language = ""

    def run(self) -> list[nodes.Node]:
        """The block, with the rows that its lines stand on."""
        language = self.language or "".join(self.arguments[:1]).lower()
        if language not in _LANGUAGES or not self.content:
            return []
        block = nodes.literal_block()
        block["lines"] = [*self.content]
        block["row"] = self.content.offset(0) + 1
        return [block]


class _Python(_Code):
    """A directive whose content is Python, whatever its arguments."""

    language = "python"


class _Container(Directive):
    """A directive whose content is text, for all that is known of it."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = _ANY_OPTION

    def run(self) -> list[nodes.Node]:
        """What is in it."""
        inside = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, inside)
        return [inside]


_DIRECTIVES: dict[str, type[Directive]] = {
    **dict.fromkeys(("code", "code-block", "sourcecode"), _Code),
    **dict.fromkeys(("doctest", "jupyter-execute", "testcode", "testsetup"), _Python),
}


def blocks(document: str) -> Iterator[Block]:
    """The blocks of Python, in order."""
    _register(document)
    text = _ENDS_OF_LINES.sub(" ", document)
    tree = publish_doctree(text, parser=Parser(inliner=_Plain()), settings_overrides=_SETTINGS)
    yield from _below(tree, ())


def _register(document: str) -> None:
    """Let docutils, which has one table of directives for all, know those of a document."""
    english, nowhere = get_language("en"), new_document("")
    for name in {name.lower() for name in _NAME.findall(document)}:
        own = _DIRECTIVES.get(name)
        if own is not None:
            directives.register_directive(name, own)
        elif directives.directive(name, english, nowhere)[0] is None:
            directives.register_directive(name, _Container)


def _below(node: nodes.Element, sections: tuple[int, ...]) -> Iterator[Block]:
    for number, child in enumerate(node.children):
        match child:
            case nodes.literal_block() if child.get("lines"):
                yield Block(child["row"], child["lines"], sections)
            case nodes.doctest_block() if child.line is not None:
                yield Block(child.line, child.astext().split("\n"), sections)
            case nodes.section():
                yield from _below(child, (*sections, number))
            case nodes.Element():
                yield from _below(child, sections)
            case _:
                pass
