"""The language server: which message of a client leads to what.

Diagnostics are sent to clients that do not ask for them, and told to those that do. While a text is not Python, as
while it is being written, what was last told of it stands.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from kl_lint import __version__
from kl_lint.server.actions import KINDS, actions
from kl_lint.server.analyses import Analyses, Text
from kl_lint.server.delay import Delayed
from kl_lint.server.diagnostics import diagnostics
from kl_lint.server.hovers import hints, hover
from kl_lint.server.preferences import SECTION, read_preferences
from kl_lint.server.protocol import Protocol
from kl_lint.server.sheet import Sheet

__all__ = ["Server", "make_server"]

DELAY = 0.25
"""Seconds without a change before texts are checked that are being written."""

_LANGUAGES = ("python", "")


class Server(LanguageServer):
    """The state of one conversation."""

    def __init__(self) -> None:
        # The whole text comes with each change: of incremental ones pygls counts lines as `str.splitlines` does, which
        # knows more ends of lines than the protocol.
        super().__init__(
            "kl-lint",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
        )
        self.analyses = Analyses()
        self.tell_later = Delayed(DELAY, self.tell_soon)
        """Tell of all texts once nothing has changed for a while."""
        self._latest = ""
        self._told: dict[str, tuple[int | None, Sequence[types.Diagnostic]]] = {}
        self._complaints: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what the client can do ---

    def can(self, capability: str) -> bool:
        """Whether the client says so."""
        return bool(get_capability(self.client_capabilities, capability))

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics by itself."""
        return self.can("text_document.diagnostic")

    # --- texts ---

    async def sheet(self, uri: str) -> Sheet | None:
        """The text that the client knows by `uri`, checked as it is now; None where it is closed, or not Python."""
        while True:
            document = self._document(uri)
            if document is None:
                return None
            state, version = self.analyses.state, document.version
            analysis = await self.analyses.of(self._text(document), self._unsaved())
            if state == self.analyses.state:
                break
        self._complain(analysis.troubles)
        if analysis.checked is None:
            return None
        encoding = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
        by_version = self.can("workspace.workspace_edit.document_changes")
        return Sheet(analysis.checked, document.uri, encoding, version, by_version=by_version)

    def _document(self, uri: str) -> TextDocument | None:
        """The open Python text of that name."""
        document = self.workspace.text_documents.get(unquote(uri))
        return document if document in self._documents() else None

    def _documents(self) -> list[TextDocument]:
        """The open Python texts."""
        every = self.workspace.text_documents.values()
        return [document for document in every if (document.language_id or "") in _LANGUAGES]

    def _unsaved(self) -> dict[str, str]:
        return {_path(document): document.source for document in self._documents()}

    def _text(self, document: TextDocument) -> Text:
        path = _path(document)
        folders = [to_fs_path(folder.uri) for folder in self.workspace.folders.values()]
        around = [folder for folder in (*folders, self.workspace.root_path) if folder and _is_below(path, folder)]
        return Text(
            document.uri, path, document.source, max(around, key=len, default=os.path.dirname(os.path.abspath(path)))
        )

    # --- diagnostics ---

    def tell_soon(self, *uris: str) -> None:
        """Tell of the texts called `uris`, or of all, the one that changed last before the others.

        Of all, since what one says may be wrong in another: whom a function is called by is looked up everywhere. Those
        that mention no divergence cost a text search.
        """
        if not self.pulls:
            every = sorted((document.uri for document in self._documents()), key=lambda uri: uri != self._latest)
            self._spawn(self._tell(uris or every))

    def changed(self, uri: str) -> None:
        """The client has changed a text."""
        self._latest = uri
        self.analyses.expire()
        self.tell_later()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the conversation."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # a loop itself does not hold on to its tasks
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, uris: Iterable[str]) -> None:
        for uri in uris:
            sheet = await self.sheet(uri)
            if sheet is None:
                continue
            told = sheet.version, await self.analyses.run(diagnostics, sheet)
            document = self._document(uri)
            if document is None or document.version != sheet.version or self._told.get(uri) == told:
                continue
            self._told[uri] = told
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, told[1], told[0]))

    def untell(self, uri: str) -> None:
        """Take back what was told of a text."""
        told = self._told.pop(uri, None)
        if told is not None and told[1] and not self.pulls:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    async def report(self, uri: str) -> Sequence[types.Diagnostic] | None:
        """The diagnostics of a text for a client that asks; None where those that it was last told of still stand."""
        sheet = await self.sheet(uri)
        if sheet is None:
            return None
        found = await self.analyses.run(diagnostics, sheet)
        self._told[uri] = sheet.version, found
        return found

    def last_told(self, uri: str) -> Sequence[types.Diagnostic]:
        """What the client was last told of a text."""
        return self._told[uri][1] if uri in self._told else []

    def _complain(self, troubles: Iterable[str]) -> None:
        """Tell of what is wrong with the configuration, unless that has been told since it last changed."""
        for complaint in troubles:
            if complaint not in self._complaints:
                self._complaints.add(complaint)
                message = f"kl-lint: {complaint}"
                self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))

    # --- configuration ---

    def prefer(self, settings: object) -> None:
        """Take over the editor's own settings."""
        self.analyses.preferences = read_preferences(settings)
        self.reload()

    def reload(self) -> None:
        """Files or settings have changed: look at everything again."""
        self._complaints.clear()
        self.analyses.reload()
        self.tell_later()
        if self.pulls and self.can("workspace.diagnostics.refresh_support"):
            self.workspace_diagnostic_refresh(None)
        if self.can("workspace.inlay_hint.refresh_support"):
            self.workspace_inlay_hint_refresh(None)


def _path(document: TextDocument) -> str:
    """The path of a text; what is in no file has its URI for it, which no file has."""
    path = document.path
    return path if path and "\0" not in path else f"<{document.uri}>"


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))


# --- messages about texts ---


def _opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    ls.analyses.expire()
    ls.tell_soon(params.text_document.uri)
    ls.tell_later()  # it may be another text than that of the file, which the others were checked beside


def _changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    ls.changed(params.text_document.uri)


def _saved(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    ls.analyses.reload()  # not every client tells of other files that change: this is as good a time as any
    ls.tell_soon()


def _closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.analyses.drop(params.text_document.uri)
    ls.untell(params.text_document.uri)
    ls.tell_later()


# --- requests ---


async def _diagnose(ls: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    found = await ls.report(uri)
    if found is None:
        if params.previous_result_id is not None:
            return types.RelatedUnchangedDocumentDiagnosticReport(params.previous_result_id)
        found = ls.last_told(uri)
    return types.RelatedFullDocumentDiagnosticReport(found, result_id=str(ls.analyses.state))


async def _act(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    sheet = await ls.sheet(params.text_document.uri)
    return [] if sheet is None else await ls.analyses.run(actions, sheet, params.range, params.context)


async def _hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    sheet = await ls.sheet(params.text_document.uri)
    if sheet is None:
        return None
    formats = get_capability(ls.client_capabilities, "text_document.hover.content_format", [])
    markdown = types.MarkupKind.Markdown in formats
    return await ls.analyses.run(hover, sheet, params.position, markdown=markdown)


async def _hint(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    if not ls.analyses.preferences.hints:
        return []
    sheet = await ls.sheet(params.text_document.uri)
    return [] if sheet is None else await ls.analyses.run(hints, sheet, params.range)


# --- messages about the configuration ---


def _initialize(ls: Server, params: types.InitializeParams) -> None:
    ls.analyses.preferences = read_preferences(params.initialization_options)


async def _initialized(ls: Server, params: types.InitializedParams) -> None:
    registrations = []
    if ls.can("workspace.did_change_watched_files.dynamic_registration"):
        watchers = [types.FileSystemWatcher(pattern) for pattern in ("**/pyproject.toml", "**/*.py")]
        options: Any = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        registrations.append(types.Registration("files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options))
    if ls.can("workspace.did_change_configuration.dynamic_registration"):
        options = types.DidChangeConfigurationRegistrationOptions(SECTION)
        registrations.append(types.Registration("settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options))
    if registrations:
        await ls.client_register_capability_async(types.RegistrationParams(registrations))
    await _ask_for_settings(ls)


async def _settings_changed(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    settings = params.settings
    if isinstance(settings, Mapping) and SECTION in settings:
        ls.prefer(settings[SECTION])
    else:
        await _ask_for_settings(ls)


async def _ask_for_settings(ls: Server) -> None:
    """Ask for the settings where the client can be asked. It may have none: what it said at first then stands."""
    if ls.can("workspace.configuration"):
        items = [types.ConfigurationItem(section=SECTION)]
        answers = await ls.workspace_configuration_async(types.ConfigurationParams(items))
        if answers and answers[0] is not None:
            ls.prefer(answers[0])


def _files_changed(
    ls: Server, params: types.DidChangeWatchedFilesParams | types.DidChangeWorkspaceFoldersParams
) -> None:
    ls.reload()


# --- the server ---

_HANDLERS: Sequence[tuple[str, Callable[..., Any], Any]] = (
    (types.INITIALIZE, _initialize, None),
    (types.INITIALIZED, _initialized, None),
    (types.TEXT_DOCUMENT_DID_OPEN, _opened, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, _changed, None),
    (types.TEXT_DOCUMENT_DID_SAVE, _saved, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, _closed, None),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, _settings_changed, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, _files_changed, None),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, _files_changed, None),
    (types.TEXT_DOCUMENT_HOVER, _hover, None),
    (types.TEXT_DOCUMENT_INLAY_HINT, _hint, None),
    (types.TEXT_DOCUMENT_CODE_ACTION, _act, types.CodeActionOptions(code_action_kinds=list(KINDS))),
    (
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        _diagnose,
        types.DiagnosticOptions(identifier="kl-lint", inter_file_dependencies=True, workspace_diagnostics=False),
    ),
)


def make_server() -> Server:
    """A server that has not begun to listen."""
    server = Server()
    for message, handler, options in _HANDLERS:
        server.feature(message, options)(handler)
    return server
