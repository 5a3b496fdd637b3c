"""A client of the language server, as an editor has one: it holds texts, and carries out what it is offered."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from cattrs import Converter
from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import ClientServerConfig, LanguageClient
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

__all__ = ["PATIENCE", "Editor", "config", "edited", "position"]

PATIENCE = 120
"""Seconds after which what has not come will not: nothing is measured with it."""


class Editor(LanguageClient):
    """A client, and all that was ever sent to it: `published` in order, `registrations`, how often hints were to be
    asked for again.
    """

    root: Path

    def __init__(self) -> None:
        super().__init__(converter_factory=_converter)
        self.published: list[types.PublishDiagnosticsParams] = []
        self.arrived = asyncio.Condition()
        self.versions: dict[str, int] = {}
        self.registrations: list[types.Registration] = []
        self.registered = asyncio.Event()
        self.hints_to_refresh = 0

    # --- texts ---

    def uri(self, name: str) -> str:
        """The name of a text: of a file below the root, or a URI as it is."""
        return name if ":" in name else (self.root / name).as_uri()

    def write(self, name: str, text: str) -> Path:
        """Put a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def open(self, name: str, text: str, language: str = "python") -> str:
        """Hold a text, and say so. Gives its URI."""
        uri = self.uri(name)
        self.versions[uri] = self.versions.get(uri, 0) + 1
        item = types.TextDocumentItem(uri, language, self.versions[uri], text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, text: str) -> int:
        """Change a text. Gives the number of its new version."""
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))
        return self.versions[uri]

    def save(self, uri: str) -> None:
        """Say that a text was written to its file."""
        self.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def close(self, uri: str) -> None:
        """Hold a text no longer."""
        self.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def prefer(self, settings: object) -> None:
        """Say that the settings of kl-lint are these now."""
        self.workspace_did_change_configuration(types.DidChangeConfigurationParams({"kl_lint": settings}))

    # --- what comes back ---

    async def told(
        self, uri: str, codes: Sequence[str] | None = None, *, source: str | None = None
    ) -> Sequence[types.Diagnostic]:
        """The diagnostics of the latest version of a text, once they have come; or once the codes of those of a source,
        or of all, are these.
        """

        def last() -> types.PublishDiagnosticsParams | None:
            found = [each for each in self.published if each.uri == uri]
            if not found or found[-1].version != self.versions[uri]:
                return None
            present = [each.code for each in found[-1].diagnostics if source in (None, each.source)]
            return found[-1] if codes is None or present == codes else None

        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(lambda: last() is not None), PATIENCE)
        told = last()
        assert told is not None
        return told.diagnostics

    async def opened(self, name: str, text: str) -> tuple[str, Sequence[types.Diagnostic]]:
        """Open a text, and wait for what is told of it."""
        uri = self.open(name, text)
        return uri, await self.told(uri)

    async def offered(
        self, uri: str, place: types.Range, *named: types.Diagnostic, only: Sequence[str] | None = None
    ) -> Sequence[types.CodeAction]:
        """The code actions for a range, while the editor shows the diagnostics `named` there."""
        document = types.TextDocumentIdentifier(uri)
        context = types.CodeActionContext(named, only=only)
        answer = await self.text_document_code_action_async(types.CodeActionParams(document, place, context))
        assert answer is not None
        assert all(isinstance(each, types.CodeAction) for each in answer)
        return answer  # type: ignore[return-value]

    async def hovered(self, uri: str, place: types.Position) -> types.Hover | None:
        """What is shown at a place."""
        return await self.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), place))


def _converter() -> Converter:
    """lsprotocol's own, which cannot read what python-lsp-server says of notebooks: nobody here asks."""
    converter = get_converter()
    for each in (types.NotebookDocumentFilterWithNotebook, types.NotebookDocumentFilterWithCells):
        converter.register_structure_hook(each, lambda value, _: value)
    return converter


async def _published(editor: Editor, params: types.PublishDiagnosticsParams) -> None:
    async with editor.arrived:
        editor.published.append(params)
        editor.arrived.notify_all()


def _registered(editor: Editor, params: types.RegistrationParams) -> None:
    editor.registrations += params.registrations
    editor.registered.set()


def _refresh_hints(editor: Editor, params: None) -> None:
    editor.hints_to_refresh += 1


def make_editor() -> Editor:
    """An editor that has not begun to speak."""
    editor = Editor()
    own = {
        types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: _published,
        types.CLIENT_REGISTER_CAPABILITY: _registered,
        types.WORKSPACE_INLAY_HINT_REFRESH: _refresh_hints,
    }
    register_lsp_features(editor, {**DEFAULT_CLIENT_FEATURES, **own})
    return editor


def config(*command: str) -> ClientServerConfig:
    """An editor that starts the server, ours unless there is another command for it."""
    return ClientServerConfig([*command] or [sys.executable, "-m", "kl_lint", "server"], client_factory=make_editor)


# --- texts with positions in UTF-16 units ---


def position(text: str, needle: str, occurrence: int = 1) -> types.Position:
    """Where the n-th `needle` begins."""
    offset = -1
    for _ in range(occurrence):
        offset = text.index(needle, offset + 1)
    before = text[:offset].split("\n")
    return types.Position(len(before) - 1, len(before[-1].encode("utf-16-le")) // 2)


def edited(text: str, action: types.CodeAction, uri: str) -> str:
    """`text` after an action, which must change nothing else."""
    assert action.edit is not None
    if action.edit.document_changes is not None:
        (change,) = action.edit.document_changes
        assert isinstance(change, types.TextDocumentEdit)
        assert change.text_document.uri == uri
        edits: Sequence[object] = change.edits
    else:
        assert action.edit.changes is not None
        ((target, edits),) = action.edit.changes.items()
        assert target == uri
    lines = text.encode("utf-16-le").split("\n".encode("utf-16-le"))
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) // 2 + 1)
    units = text.encode("utf-16-le")
    bound = len(units)
    for edit in reversed(edits):
        assert isinstance(edit, types.TextEdit)
        start = 2 * (starts[edit.range.start.line] + edit.range.start.character)
        end = 2 * (starts[edit.range.end.line] + edit.range.end.character)
        assert start <= end <= bound
        units = units[:start] + edit.new_text.encode("utf-16-le") + units[end:]
        bound = start
    return units.decode("utf-16-le")
