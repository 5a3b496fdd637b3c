"""The plugin of python-lsp-server: diagnostics and code actions, made as the language server makes them.

Its settings are `pylsp.plugins.kl_lint`: the options, as in `[tool.kl_lint]`, and `enabled`.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pylsp import hookimpl
from pylsp.config.config import Config
from pylsp.lsp import MessageType
from pylsp.workspace import Document, Workspace

from kl_lint.flow.project import forget
from kl_lint.server.actions import actions
from kl_lint.server.analyses import Analysis, Text, analyse
from kl_lint.server.diagnostics import diagnostics
from kl_lint.server.preferences import read_preferences
from kl_lint.server.sheet import Sheet

__all__ = ["pylsp_code_actions", "pylsp_lint", "pylsp_settings"]

_NAME = "kl_lint"

_Json = dict[str, Any]

_ONE_AT_A_TIME = Lock()
"""python-lsp-server asks from several threads; what the analysis remembers of a project is no matter for two."""


@hookimpl
def pylsp_settings() -> _Json:
    """The settings where the editor has none."""
    return {"plugins": {_NAME: {"enabled": True}}}


@hookimpl
def pylsp_lint(config: Config, workspace: Workspace, document: Document, is_saved: bool) -> list[_Json]:
    """The diagnostics of a text; while it is not Python, those that were found last."""
    with _ONE_AT_A_TIME:
        if is_saved:
            forget()
        analysis = _analysis(config, workspace, document)
        shared: _Json = document.shared_data.setdefault(_NAME, {"troubles": (), "found": []})
        if analysis.troubles != shared["troubles"]:
            shared["troubles"] = analysis.troubles
            for trouble in analysis.troubles:
                workspace.show_message(f"kl-lint: {trouble}", MessageType.Warning)
        if analysis.checked is not None:
            sheet = Sheet(analysis.checked, document.uri, types.PositionEncodingKind.Utf16)
            shared["found"] = get_converter().unstructure(diagnostics(sheet), list[types.Diagnostic])
        found: list[_Json] = shared["found"]
        return found


@hookimpl
def pylsp_code_actions(
    config: Config, workspace: Workspace, document: Document, range: _Json, context: _Json
) -> list[_Json]:
    """The code actions for a range."""
    converter = get_converter()
    with _ONE_AT_A_TIME:
        checked = _analysis(config, workspace, document).checked
        if checked is None:
            return []
        edits: _Json = config.capabilities.get("workspace", {}).get("workspaceEdit", {})
        by_version = document.version is not None and bool(edits.get("documentChanges"))
        sheet = Sheet(checked, document.uri, types.PositionEncodingKind.Utf16, document.version, by_version=by_version)
        offered = actions(
            sheet, converter.structure(range, types.Range), converter.structure(context, types.CodeActionContext)
        )
    found: list[_Json] = converter.unstructure(offered, list[types.CodeAction])
    return found


def _analysis(config: Config, workspace: Workspace, document: Document) -> Analysis:
    settings: _Json = config.plugin_settings(_NAME, document_path=document.path)  # type: ignore[no-untyped-call]
    preferences = read_preferences({key: value for key, value in settings.items() if key != "enabled"})
    held = [each for each in workspace.documents.values() if isinstance(each, Document)]
    return analyse(
        Text(document.uri, document.path, document.source, workspace.root_path),
        {each.path: each.source for each in held},
        preferences,
        {},
    )
