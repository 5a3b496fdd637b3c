"""A checked text as a client knows it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types

from kl_lint.finding import Span
from kl_lint.rewriting import TextEdit
from kl_lint.server.checking import Checked
from kl_lint.server.positions import Encoding, Positions
from kl_lint.sources.decoding import decode
from kl_lint.sources.problem import Problem
from kl_lint.sources.reading import read

__all__ = ["Sheet"]


class Sheet:
    """`checked` under the client's name for it, `uri`, with places in the units of `encoding`.

    `version` is the client's number of the text, which edits name where `by_version`.
    """

    def __init__(
        self, checked: Checked, uri: str, encoding: Encoding, version: int | None = None, *, by_version: bool = False
    ) -> None:
        self.checked = checked
        self.uri = uri
        self.version = version
        self.positions = Positions(checked.text, encoding)
        self._encoding = encoding
        self._by_version = by_version

    def range(self, span: Span) -> types.Range:
        """The range of a span of the text."""
        return self.positions.range(span)

    def location(self, path: str, span: Span) -> types.Location:
        """The place of a span of the text, or of another file, which is read for it."""
        if path == self.checked.path:
            return types.Location(self.uri, self.range(span))
        there = Positions(self._text(path), self._encoding)
        return types.Location(Path(path).absolute().as_uri(), there.range(span))

    def _text(self, path: str) -> str:
        """The content of another file; of one that is gone by now, none."""
        if path in self.checked.unsaved:
            return self.checked.unsaved[path]
        try:
            return decode(read(path), path).text
        except Problem:
            return ""

    def edit(self, replacements: Iterable[TextEdit]) -> types.WorkspaceEdit:
        """Replacements in the text, as what a client can carry out."""
        edits = [types.TextEdit(self.range(each.span), each.text) for each in replacements]
        if not self._by_version:
            return types.WorkspaceEdit(changes={self.uri: edits})
        document = types.OptionalVersionedTextDocumentIdentifier(self.uri, self.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, edits)])
