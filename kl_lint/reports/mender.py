"""What the fixes of findings come to: replacements of text."""

from __future__ import annotations

from kl_lint.lines import split_lines

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context
    from kl_lint.rewriting import TextEdit
    from kl_lint.rewriting.editor import Editor
    from kl_lint.sources.cells import Cells

__all__ = ["Mender"]


class Mender:
    """Turns fixes into replacements in the files whose lines `context` knows, each of which it reads once."""

    __slots__ = ("_context", "_editors")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._editors: dict[str, Editor] = {}

    def edits(self, finding: Finding) -> tuple[TextEdit, ...]:
        """The replacements that make the fix of `finding`, in order and apart; none where it has none to be made."""
        if finding.fix is None or not finding.fix.edits or finding.filename not in self._context.lines:
            return ()
        if finding.filename not in self._editors:
            from kl_lint.rewriting.editor import Editor

            self._editors[finding.filename] = Editor("".join(self._context.lines[finding.filename]))
        return self._editors[finding.filename].text_edits(finding.fix)

    def edits_of_file(self, finding: Finding) -> tuple[TextEdit, ...]:
        """The same in the file itself, which for a notebook are those in its JSON."""
        edits, cells = self.edits(finding), self._context.cells.get(finding.filename)
        return edits if cells is None or not edits else _in_document(cells, edits)

    def lines_of_file(self, filename: str) -> Sequence[str]:
        """The lines of the file itself, each with its newline; none where they are not at hand."""
        cells = self._context.cells.get(filename)
        return self._context.lines.get(filename, ()) if cells is None else split_lines(cells.document)


def _in_document(cells: Cells, edits: Sequence[TextEdit]) -> tuple[TextEdit, ...]:
    """The replacements in the document of a notebook that make `edits` in the text of its cells."""
    from kl_lint.rewriting import TextEdit
    from kl_lint.rewriting.lines import Lines

    text, lines, document = cells.text, Lines(cells.text), Lines(cells.document)
    for edit in reversed(edits):
        place = lines.range(edit.span)
        if place is None:
            return ()
        text = text[: place[0]] + edit.text + text[place[1] :]
    return tuple(TextEdit(document.span(start, end), new) for start, end, new in cells.replacements(text))
