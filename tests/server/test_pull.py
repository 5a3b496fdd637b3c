"""Clients that ask for diagnostics, count bytes of UTF-8, and can be asked to look again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import client_capabilities

from tests.command import MISUSE, TWICE
from tests.server.editor import PATIENCE, Editor, config

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE = MISUSE.replace("    return F", "    é = '🎲'; return F")

Report = types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport


@pytest_lsp.fixture(config=config(), scope="module", loop_scope="module")  # type: ignore[untyped-decorator]
async def editor(lsp_client: Editor, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """An editor that asks for diagnostics, with settings of its own, in two folders."""
    lsp_client.root = tmp_path_factory.mktemp("workspace")
    (lsp_client.root / "setup.py").touch()
    capabilities = client_capabilities("neovim@v0.11")
    assert capabilities.general is not None
    assert capabilities.workspace is not None
    capabilities.general.position_encodings = ["utf-8", "utf-16"]
    capabilities.workspace.did_change_watched_files = types.DidChangeWatchedFilesClientCapabilities(True)
    capabilities.workspace.did_change_configuration = types.DidChangeConfigurationClientCapabilities(True)
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    folders = [types.WorkspaceFolder((lsp_client.root / name).as_uri(), name) for name in ("one", "two")]
    params = types.InitializeParams(
        capabilities, workspace_folders=folders, initialization_options={"ignore": ["KLD201"], "inlayHints": True}
    )
    result = await lsp_client.initialize_session(params)
    assert result.capabilities.position_encoding == "utf-8"
    yield
    await lsp_client.shutdown_session()


async def asked(editor: Editor, uri: str, previous: str | None = None) -> Report:
    """What the server answers to a question for diagnostics."""
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri), previous_result_id=previous)
    answer = await editor.text_document_diagnostic_async(params)
    assert isinstance(answer, Report)
    return answer


async def codes(editor: Editor, uri: str) -> list[object]:
    """The codes of the diagnostics that there are."""
    report = await asked(editor, uri)
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    return [each.code for each in report.items]


async def test_diagnostics_are_told_and_not_sent(editor: Editor) -> None:
    uri = editor.open("one/wide.py", WIDE)
    report = await asked(editor, uri)
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    (found,) = report.items
    line = WIDE.splitlines()[4].encode()
    assert found.range.start == types.Position(4, line.index(b"F.softmax"))
    assert found.range.end == types.Position(4, line.index(b", q, red"))
    editor.change(uri, "")
    assert await codes(editor, uri) == []
    assert editor.published == []


async def test_the_answer_is_of_the_latest_text(editor: Editor) -> None:
    uri = editor.open("one/latest.py", MISUSE)
    answers = []
    for blank in range(20):
        editor.change(uri, "\n" * blank + MISUSE)
        answers.append(asyncio.create_task(asked(editor, uri)))
    *_, last = await asyncio.gather(*answers)
    assert isinstance(last, types.RelatedFullDocumentDiagnosticReport)
    assert [each.range.start.line for each in last.items] == [4 + 19]


async def test_what_was_told_stands_while_a_text_is_no_python(editor: Editor) -> None:
    uri = editor.open("one/writing.py", MISUSE)
    first = await asked(editor, uri)
    assert isinstance(first, types.RelatedFullDocumentDiagnosticReport)
    assert first.result_id is not None
    editor.change(uri, MISUSE + "def half(")
    unchanged = await asked(editor, uri, first.result_id)
    assert unchanged == types.RelatedUnchangedDocumentDiagnosticReport(first.result_id)
    # who does not say what it has is told again
    again = await asked(editor, uri)
    assert isinstance(again, types.RelatedFullDocumentDiagnosticReport)
    assert again.items == first.items
    editor.change(uri, "")
    assert await codes(editor, uri) == []


async def test_there_is_nothing_in_what_is_not_open(editor: Editor) -> None:
    path = editor.write("one/closed.py", MISUSE)
    assert await codes(editor, path.as_uri()) == []
    uri = editor.open("one/closed.py", MISUSE)
    assert await codes(editor, uri) == ["KLD101"]
    editor.close(uri)
    assert await codes(editor, uri) == []
    assert editor.published == []


async def test_settings_may_come_with_the_first_message(editor: Editor) -> None:
    uri = editor.open("one/first.py", TWICE)
    assert await codes(editor, uri) == ["KLD101"]


async def test_patterns_are_seen_from_the_folder_that_holds_the_file(editor: Editor) -> None:
    editor.prefer({"per-file-ignores": {"src/*.py": ["KLD201"]}})
    for folder in ("one", "two"):
        uri = editor.open(f"{folder}/src/loss.py", TWICE)
        assert await codes(editor, uri) == ["KLD101"]
        uri = editor.open(f"{folder}/deep/src/loss.py", TWICE)
        assert await codes(editor, uri) == ["KLD201", "KLD101"]
    added = types.WorkspaceFolder((editor.root / "one" / "deep").as_uri(), "deep")
    event = types.WorkspaceFoldersChangeEvent([added], [])
    editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
    assert await codes(editor, editor.uri("one/deep/src/loss.py")) == ["KLD101"]
    editor.prefer({"ignore": ["KLD201"], "select": None})


async def test_the_client_is_asked_to_look_again(editor: Editor) -> None:
    path = editor.write("two/pyproject.toml", "")
    uri = editor.open("two/loss.py", MISUSE)
    assert await codes(editor, uri) == ["KLD101"]
    path.write_text("[tool.kl_lint]\nselect = ['KLD2']\n")
    before = editor.diagnostic_refresh_count, editor.hints_to_refresh
    change = types.FileEvent(path.as_uri(), types.FileChangeType.Changed)
    editor.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
    assert await codes(editor, uri) == []
    assert (editor.diagnostic_refresh_count, editor.hints_to_refresh) == (before[0] + 1, before[1] + 1)
    path.unlink()


async def test_the_server_asks_to_be_told_of_changes(editor: Editor) -> None:
    await asyncio.wait_for(editor.registered.wait(), PATIENCE)
    options = {each.method: each.register_options for each in editor.registrations}
    assert options == {
        "workspace/didChangeWatchedFiles": {
            "watchers": [{"globPattern": "**/pyproject.toml"}, {"globPattern": "**/*.py"}]
        },
        "workspace/didChangeConfiguration": {"section": "kl_lint"},
    }
