"""Carrying out fixes on source text.

An edit names an expression by its position. It is found in a libcst tree, which knows the layout, and the old text is
cut and joined along it: whatever an edit does not name comes out as it was, byte for byte. All fixes of a file are made
in one pass, nested ones included; then the syntax tree of the new text is compared with the one that the edits ask for.

Importing this package does not import libcst: that happens once there is something to rewrite.
"""

from __future__ import annotations

from collections.abc import Sequence

from kl_lint.finding import Fix
from kl_lint.rewriting.differences import differences
from kl_lint.rewriting.fixing import Check, edits_of_fix, fix_source
from kl_lint.rewriting.lines import BYTE_ORDER_MARK
from kl_lint.rewriting.results import FixResult, Rewritten, TextEdit

__all__ = [
    "Check",
    "FixResult",
    "Rewritten",
    "TextEdit",
    "apply_fixes",
    "differences",
    "edits_of_fix",
    "fix_source",
    "text_edits",
]


def apply_fixes(source: str, fixes: Sequence[Fix]) -> Rewritten:
    """Make `fixes` in `source`, in one pass.

    A fix is made as a whole or refused, with a reason for people: its place is not what it says, a comment would be
    lost, the call cannot take it, the result would not parse or would say something else than planned. Of two fixes
    that exclude each other the first one by position is made. The same edit in several fixes is made once.
    """
    from kl_lint.rewriting.editor import Editor

    mark, text = _split(source)
    result = Editor(text).revise(fixes).result
    return Rewritten(mark + result.text, result.applied, result.refused)


def text_edits(source: str, fix: Fix) -> tuple[TextEdit, ...]:
    """The smallest replacements that make `fix`, in order and apart from each other; none where it cannot be made.

    A byte order mark at the beginning of `source` is not a column of its first row.
    """
    from kl_lint.rewriting.editor import Editor

    return Editor(_split(source)[1]).text_edits(fix)


def _split(source: str) -> tuple[str, str]:
    """The byte order mark, if there is one, and the text."""
    mark = BYTE_ORDER_MARK if source.startswith(BYTE_ORDER_MARK) else ""
    return mark, source[len(mark) :]
