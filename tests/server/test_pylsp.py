"""The plugin in a real python-lsp-server, found through its entry point."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import client_capabilities

from tests.command import LEGACY, LEGACY_MENDED, MENDED, MISUSE, TWICE
from tests.server.editor import Editor, config, edited, position

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE = MISUSE.replace("    return F", "    é = '🎲'; return F")


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    config=config(sys.executable, "-m", "pylsp"), scope="module", loop_scope="module"
)
async def editor(lsp_client: Editor, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """An editor that speaks to python-lsp-server."""
    lsp_client.root = tmp_path_factory.mktemp("workspace")
    (lsp_client.root / "setup.py").touch()
    capabilities = client_capabilities("visual-studio-code")
    await lsp_client.initialize_session(types.InitializeParams(capabilities, root_uri=lsp_client.root.as_uri()))
    yield
    await lsp_client.shutdown_session()


def ours(diagnostics: Sequence[types.Diagnostic]) -> list[types.Diagnostic]:
    """The diagnostics that are not of another plugin."""
    return [each for each in diagnostics if each.source == "kl-lint"]


def prefer(editor: Editor, **settings: object) -> None:
    """Say that the settings of the plugin are these now."""
    everything = {"pylsp": {"plugins": {"kl_lint": settings}}}
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(everything))


async def codes_become(editor: Editor, uri: str, codes: list[str]) -> None:
    """Wait until these are the codes."""
    await editor.told(uri, codes, source="kl-lint")


async def test_diagnostics(editor: Editor) -> None:
    uri, told = await editor.opened("wide.py", WIDE)
    (found,) = ours(told)
    assert found.code == "KLD101"
    assert found.severity is types.DiagnosticSeverity.Warning
    assert found.range == types.Range(position(WIDE, "F.softmax"), position(WIDE, ", q, red"))
    assert found.code_description is not None
    assert found.code_description.href.endswith("#kld101")
    (step,) = found.related_information or ()
    assert (step.location.uri, step.message) == (uri, "softmax")


async def test_code_actions(editor: Editor) -> None:
    uri, told = await editor.opened("actions.py", MISUSE)
    (found,) = ours(told)
    fix, silence = await editor.offered(uri, found.range, found, only=["quickfix"])
    assert (fix.is_preferred, fix.kind) == (False, "quickfix")
    assert edited(MISUSE, fix, uri) == MENDED
    assert edited(MISUSE, silence, uri) == MISUSE.replace('ean")\n', 'ean")  # noqa: KLD101\n')
    assert fix.edit is not None
    (change,) = fix.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == editor.versions[uri]


async def test_all_safe_fixes(editor: Editor) -> None:
    text = f"{LEGACY}\n\n{MISUSE.replace('loss', 'other')}"
    uri, told = await editor.opened("all.py", text)
    (action,) = await editor.offered(uri, told[0].range, only=["source.fixAll"])
    assert edited(text, action, uri) == text.replace(LEGACY, LEGACY_MENDED)


async def test_the_last_diagnostics_stand_while_a_text_is_no_python(editor: Editor) -> None:
    uri, _ = await editor.opened("writing.py", MISUSE)
    editor.change(uri, MISUSE + "def half(")
    assert [each.code for each in ours(await editor.told(uri))] == ["KLD101"]
    offered = await editor.offered(uri, types.Range(types.Position(4, 25), types.Position(4, 25)))
    assert [each.title for each in offered if "KLD" in each.title] == []


async def test_settings(editor: Editor) -> None:
    uri, told = await editor.opened("settings.py", TWICE)
    assert [each.code for each in ours(told)] == ["KLD201", "KLD101"]
    prefer(editor, ignore=["KLD101"])
    await codes_become(editor, uri, ["KLD201"])
    prefer(editor, enabled=False)
    await codes_become(editor, uri, [])
    prefer(editor)
    await codes_become(editor, uri, ["KLD201", "KLD101"])


async def test_what_is_wrong_with_settings_is_told_of(editor: Editor) -> None:
    editor.write("wrong/pyproject.toml", "[tool.kl_lint]\nselects = ['KLD1']\n")
    editor.messages.clear()
    _, told = await editor.opened("wrong/loss.py", TWICE)
    assert [each.code for each in ours(told)] == ["KLD201", "KLD101"]
    (message,) = editor.messages
    assert message.message.endswith("[tool.kl_lint] has no option 'selects'; did you mean 'select'?")


async def test_unsaved_texts_count_in_other_files(editor: Editor) -> None:
    helper = "import torch\n\n\ndef soften(x):\n    return torch.softmax(x, 1)\n"
    text = MISUSE.replace("F.softmax(x, dim=1)", "soften(x)").replace("import", "from helper import soften\nimport", 1)
    editor.write("helper.py", helper)
    other = editor.open("helper.py", helper.replace("torch.softmax", "torch.log_softmax"))
    uri, told = await editor.opened("cross.py", text)
    assert ours(told) == []
    editor.change(other, helper)
    editor.change(uri, "\n" + text)
    assert [each.code for each in ours(await editor.told(uri))] == ["KLD101"]
