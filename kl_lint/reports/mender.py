"""What the fixes of findings come to: replacements of text."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kl_lint.finding import Finding
    from kl_lint.rewriting import TextEdit
    from kl_lint.rewriting.editor import Editor

__all__ = ["Mender"]


class Mender:
    """Turns fixes into replacements in the files whose `lines` it knows, each of which it reads once."""

    __slots__ = ("_editors", "_lines")

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self._lines = lines
        self._editors: dict[str, Editor] = {}

    def edits(self, finding: Finding) -> tuple[TextEdit, ...]:
        """The replacements that make the fix of `finding`, in order and apart; none where it has none to be made."""
        if finding.fix is None or finding.filename not in self._lines:
            return ()
        if finding.filename not in self._editors:
            from kl_lint.rewriting.editor import Editor

            self._editors[finding.filename] = Editor("".join(self._lines[finding.filename]))
        return self._editors[finding.filename].text_edits(finding.fix)
