"""The language server as a process of its own, spoken to over its standard input and output."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import client_capabilities

from kl_lint import check_source, fix_source
from kl_lint.rules import CODES, rule
from kl_lint.rules.documentation import as_markdown
from tests.command import CORRECT, DECLARED, LEGACY, LEGACY_MENDED, MENDED, MISUSE, OFF_BY_DEFAULT, TWICE
from tests.server.editor import PATIENCE, Editor, config, edited, position

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

WIDE = """\
import torch.nn.functional as F


def loss(x, q):
    é = "🎲🎲🎲"; return é, F.kl_div(F.softmax(x, dim=1), q, reduction="sum")
"""
"""KLD101 behind letters that take one unit of UTF-16, and some that take two."""


@pytest_lsp.fixture(config=config(), scope="module", loop_scope="module")  # type: ignore[untyped-decorator]
async def editor(lsp_client: Editor, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """An editor that waits for diagnostics to be sent to it."""
    lsp_client.root = tmp_path_factory.mktemp("workspace")
    (lsp_client.root / "setup.py").touch()
    capabilities = client_capabilities("neovim@v0.9")
    capabilities.workspace = types.WorkspaceClientCapabilities(
        configuration=True, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True)
    )
    await lsp_client.initialize_session(
        types.InitializeParams(capabilities, root_uri=lsp_client.root.as_uri(), process_id=None)
    )
    yield
    await lsp_client.shutdown_session()


def codes(diagnostics: Sequence[types.Diagnostic]) -> list[object]:
    return [each.code for each in diagnostics]


# --- diagnostics ------------------------------------------------------------------------------------------------------


async def test_a_diagnostic_is_all_that_a_finding_is(editor: Editor) -> None:
    uri, (found,) = await editor.opened("diagnostic.py", MISUSE)
    (finding,) = check_source(MISUSE)
    assert (found.code, found.message, found.source) == (finding.code, finding.message, "kl-lint")
    assert found.severity is types.DiagnosticSeverity.Warning
    assert found.code_description == types.CodeDescription(finding.url)
    (step,) = found.related_information or ()
    assert (step.location.uri, step.message) == (uri, "softmax")
    assert step.location.range == found.range


async def test_columns_count_utf16_units(editor: Editor) -> None:
    _, (found,) = await editor.opened("wide.py", WIDE)
    assert found.range == types.Range(position(WIDE, "F.softmax"), position(WIDE, ", q, red"))
    assert found.range.start.character == WIDE.splitlines()[4].index("F.softmax") + 3


async def test_lines_end_where_the_protocol_says(editor: Editor) -> None:
    text = "import torch.nn.functional as F\r\n\x0c\r\nwide = '\u2028\x1c'\r\nloss = F.kl_div(F.softmax(x), q, reduction='sum')\r\n"
    _, found = await editor.opened("separators.py", text)
    assert [each.range.start.line for each in found if each.code == "KLD101"] == [3]


async def test_a_trace_leads_into_other_files(editor: Editor) -> None:
    helper = editor.write(
        "trace/soft.py", "import torch\n\n\ndef soften(x):\n    é = '🎲'; return torch.softmax(x, 1)\n"
    )
    text = MISUSE.replace("F.softmax(x, dim=1)", "soften(x)").replace("import", "from soft import soften\nimport", 1)
    _, (found,) = await editor.opened("trace/loss.py", text)
    first = (found.related_information or ())[0]
    assert first.location.uri == helper.as_uri()
    assert first.location.range.start == types.Position(4, 21)


async def test_a_trace_leads_to_who_calls_from_another_file(editor: Editor) -> None:
    calling = (
        "from loss import of\nimport torch\n\n\ndef step(x, q):\n    é = '🎲'; return of(torch.softmax(x, 1), q)\n"
    )
    train = editor.write("called/entraînement.py", calling)
    text = MISUSE.replace("F.softmax(x, dim=1)", "x").replace("def loss", "def of")
    editor.write("called/loss.py", text)
    uri, (found,) = await editor.opened("called/loss.py", text)
    assert found.message.startswith("input to kl_div is probabilities (softmax, entraînement.py line 6)")
    made, called = found.related_information or ()
    assert (made.message, called.message) == ("softmax", "called here")
    assert made.location == types.Location(
        train.as_uri(), types.Range(position(calling, "torch.softmax"), position(calling, ", q)\n"))
    )
    assert called.location.uri == train.as_uri()
    assert called.location.range.start == position(calling, "of(torch")
    held = editor.open("called/entraînement.py", calling.replace("é", "\n    e"))  # and is not saved
    await editor.told(held)
    assert await moved_to(editor, uri, 6)


async def moved_to(editor: Editor, uri: str, row: int) -> bool:
    """Whether the trace of the one diagnostic of a text comes to begin in a row."""

    def last() -> int:
        (found,) = [each for each in editor.published if each.uri == uri][-1].diagnostics
        return (found.related_information or ())[0].location.range.start.line

    async with editor.arrived:
        await asyncio.wait_for(editor.arrived.wait_for(lambda: last() == row), PATIENCE)
    return True


async def test_what_is_told_last_is_of_the_latest_text(editor: Editor) -> None:
    uri, _ = await editor.opened("burst.py", MISUSE)
    for blank in range(30):
        editor.change(uri, "\n" * blank + MISUSE)
    (found,) = await editor.told(uri)
    assert found.range.start.line == 4 + 29
    numbers = [each.version for each in editor.published if each.uri == uri]
    assert numbers == sorted(set(numbers), key=lambda number: number or 0)
    assert len(numbers) < 31, "nobody waits for what is out of date"


async def test_the_last_diagnostics_stand_while_a_text_is_no_python(editor: Editor) -> None:
    uri, (found,) = await editor.opened("writing.py", MISUSE)
    broken = editor.change(uri, MISUSE + "def half(")
    assert await editor.hovered(uri, found.range.start) is None
    assert await editor.offered(uri, found.range, found) == ()
    editor.save(uri)
    editor.change(uri, "\n" + MISUSE)
    (moved,) = await editor.told(uri)
    assert moved.range.start.line == found.range.start.line + 1
    assert broken not in [each.version for each in editor.published if each.uri == uri]


async def test_a_closed_text_has_no_diagnostics(editor: Editor) -> None:
    uri, _ = await editor.opened("closed.py", MISUSE)
    editor.close(uri)
    await editor.opened("after.py", MISUSE)  # answers come in order
    assert editor.published[-2].uri == uri
    assert editor.published[-2].diagnostics == ()


async def test_what_is_in_no_file_is_checked_too(editor: Editor) -> None:
    _, found = await editor.opened("untitled:Untitled-1", TWICE)
    assert codes(found) == ["KLD201", "KLD101"]


async def test_other_languages_are_none_of_ours(editor: Editor) -> None:
    uri = editor.open("notes.md", MISUSE, language="markdown")
    await editor.opened("other.py", MISUSE)
    assert uri not in [each.uri for each in editor.published]


async def test_files_that_are_left_out_have_no_diagnostics(editor: Editor) -> None:
    uri, found = await editor.opened(".venv/lib/loss.py", MISUSE)
    assert found == ()
    assert await editor.hovered(uri, position(MISUSE, "kl_div")) is None


async def test_comments_silence(editor: Editor) -> None:
    _, found = await editor.opened("silent.py", TWICE.replace("q)\n", "q)  # noqa: KLD101\n"))
    assert codes(found) == ["KLD201"]


# --- other files ------------------------------------------------------------------------------------------------------

USES_HELPER = """\
import torch.nn.functional as F
from helper import soften


def loss(x, q):
    return F.kl_div(soften(x), q, reduction="batchmean")
"""
HELPER = "import torch\n\n\ndef soften(x):\n    return torch.softmax(x, 1)\n"


async def test_unsaved_texts_count_in_other_files(editor: Editor) -> None:
    editor.write("cross/helper.py", HELPER)
    uri = editor.open("cross/loss.py", USES_HELPER)
    await editor.told(uri, ["KLD101"])
    helper = editor.open("cross/helper.py", HELPER)
    editor.change(helper, HELPER.replace("torch.softmax", "torch.log_softmax"))
    await editor.told(uri, [])
    assert [each.uri for each in editor.published[-2:]] == [helper, uri], "what is being written comes first"
    editor.change(helper, HELPER + "\n\ndef half(")
    editor.change(helper, HELPER)
    await editor.told(uri, ["KLD101"])
    editor.change(helper, HELPER.replace("torch.softmax", "torch.log_softmax"))
    await editor.told(uri, [])
    editor.close(helper)  # and throw the change away
    await editor.told(uri, ["KLD101"])


async def test_files_written_by_others_count_once_the_editor_says_so(editor: Editor) -> None:
    helper = editor.write("elsewhere/helper.py", HELPER)
    uri = editor.open("elsewhere/loss.py", USES_HELPER)
    await editor.told(uri, ["KLD101"])
    helper.write_text(HELPER.replace("torch.softmax", "torch.log_softmax"))
    change = types.FileEvent(helper.as_uri(), types.FileChangeType.Changed)
    editor.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
    await editor.told(uri, [])


# --- actions ----------------------------------------------------------------------------------------------------------


async def test_an_unsafe_fix_is_offered_and_not_preferred(editor: Editor) -> None:
    uri, (found,) = await editor.opened("unsafe.py", MISUSE)
    fix, silence = await editor.offered(uri, found.range, found)
    assert fix.title == "Use log_softmax in place of softmax [KLD101, changes the number]"
    assert (fix.kind, fix.is_preferred) == (types.CodeActionKind.QuickFix, False)
    assert codes(fix.diagnostics or ()) == ["KLD101"]
    assert edited(MISUSE, fix, uri) == MENDED
    assert silence.title == "Disable KLD101 for this line"


async def test_a_safe_fix_is_preferred(editor: Editor) -> None:
    uri, (found,) = await editor.opened("safe.py", LEGACY)
    fix, _, _ = await editor.offered(uri, found.range)
    assert fix.title.endswith("[KLD204, keeps the number]")
    assert fix.is_preferred
    assert edited(LEGACY, fix, uri) == LEGACY_MENDED


async def test_edits_name_the_version_that_they_are_for(editor: Editor) -> None:
    uri, _ = await editor.opened("versions.py", MISUSE)
    version = editor.change(uri, "\n" + MISUSE)
    (found,) = await editor.told(uri)
    fix, _ = await editor.offered(uri, found.range)
    assert fix.edit is not None
    (change,) = fix.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == version


async def test_the_default_can_be_written_out(editor: Editor) -> None:
    text = MENDED.replace(', reduction="batchmean"', "")
    uri, (found,) = await editor.opened("default.py", text)
    batchmean, mean, _ = await editor.offered(uri, found.range)
    assert edited(text, batchmean, uri) == MENDED
    assert mean.title == 'Write the default out: reduction="mean" [KLD201, keeps the number]'
    assert not mean.is_preferred
    assert edited(text, mean, uri) == MENDED.replace("batchmean", "mean")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("q)\n", "q)  # noqa: KLD101\n"),
        ("q)  # why\n", "q)  # why  # noqa: KLD101\n"),
        ("q)  # noqa: E501\n", "q)  # noqa: E501, KLD101\n"),
        ("q)\r\n", "q)  # noqa: KLD101\r\n"),
        ("q)", "q)  # noqa: KLD101"),
        ("q) + len('🎲')\n", "q) + len('🎲')  # noqa: KLD101\n"),
    ],
)
async def test_a_line_can_be_silenced(editor: Editor, before: str, after: str) -> None:
    text = TWICE.replace("q)\n", before)
    uri, found = await editor.opened("silenced.py", text)
    (one,) = [each for each in found if each.code == "KLD101"]
    actions = await editor.offered(uri, one.range)
    (silence,) = [each for each in actions if each.title == "Disable KLD101 for this line"]
    assert edited(text, silence, uri) == TWICE.replace("q)\n", after)
    editor.change(uri, edited(text, silence, uri))
    assert codes(await editor.told(uri)) == ["KLD201"]
    editor.close(uri)


async def test_actions_are_those_of_the_place(editor: Editor) -> None:
    text = f"{MISUSE}\n\n{MISUSE.replace('loss', 'other')}"
    uri, (first, second) = await editor.opened("places.py", text)
    whole = types.Range(types.Position(0, 0), types.Position(99, 0))
    elsewhere = types.Range(types.Position(0, 3), types.Position(0, 3))
    assert len(await editor.offered(uri, whole)) == 4
    assert len(await editor.offered(uri, types.Range(first.range.end, first.range.end))) == 2
    assert await editor.offered(uri, elsewhere) == ()
    # an editor may say which diagnostics it is about, though its cursor is elsewhere in their lines
    (fix, _) = await editor.offered(uri, elsewhere, second)
    assert edited(text, fix, uri) == f"{MISUSE}\n\n{MENDED.replace('loss', 'other')}"


BOTH = f"{LEGACY}\n\n{MISUSE.replace('loss', 'other')}"


@pytest.mark.parametrize("only", ["source.fixAll.kl_lint", "source.fixAll", "source"])
async def test_all_safe_fixes_at_once(editor: Editor, only: str) -> None:
    uri, found = await editor.opened("all.py", BOTH)
    (action,) = await editor.offered(uri, found[-1].range, only=[only])
    assert action.kind == "source.fixAll.kl_lint"
    assert edited(BOTH, action, uri) == fix_source(BOTH).source == BOTH.replace(LEGACY, LEGACY_MENDED)
    editor.close(uri)


async def test_kinds_that_were_not_asked_for_are_not_offered(editor: Editor) -> None:
    uri, found = await editor.opened("kinds.py", BOTH)
    here = found[0].range
    assert {each.kind for each in await editor.offered(uri, here, only=["quickfix"])} == {"quickfix"}
    for only in ("source.organizeImports", "refactor", "source.fixAll.ruff", "source.fix", "quickfix.other"):
        assert await editor.offered(uri, here, only=[only]) == ()
    assert await editor.offered(uri, here, only=["source.fixAll"]) != ()
    editor.change(uri, MISUSE)
    assert await editor.offered(uri, here, only=["source.fixAll"]) == ()


GOLDEN = [next(folder.glob("*.fixed.py")) for folder in sorted(FIXTURES.glob("KLD*")) if [*folder.glob("*.fixed.py")]]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.parent.name)
async def test_quick_fixes_lead_to_the_golden_text(editor: Editor, golden: Path) -> None:
    code = golden.parent.name
    text = golden.with_name(golden.name.replace(".fixed", "")).read_text(encoding="utf-8")
    editor.prefer({"enable": [code]} if rule(code).opt_in else {})
    uri = editor.open(golden.name, text)
    whole = types.Range(types.Position(0, 0), types.Position(10_000, 0))
    for _ in range(20):
        fixes = [each for each in await editor.offered(uri, whole, only=["quickfix"]) if "Disable" not in each.title]
        firsts = [each for each in fixes if "Write the default out" not in each.title]
        if not firsts:
            break
        text = edited(text, firsts[0], uri)
        editor.change(uri, text)
    editor.close(uri)
    editor.prefer(None)
    assert text == golden.read_text(encoding="utf-8")


# --- hovers and hints -------------------------------------------------------------------------------------------------


def shown(hover: types.Hover | None) -> str:
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert hover.contents.kind is types.MarkupKind.Markdown
    return hover.contents.value


NAMED = """\
import torch.nn.functional as F


def distill(student, teacher, T):
    log_student = F.log_softmax(student / T, dim=1)
    return F.kl_div(log_student, F.softmax(teacher / T, dim=1), reduction="batchmean") * T ** 2
"""


async def test_a_call_says_what_it_computes(editor: Editor) -> None:
    uri, _ = await editor.opened("hover.py", NAMED)
    hover = await editor.hovered(uri, position(NAMED, "kl_div"))
    assert shown(hover) == (
        "```text\nKL(teacher ‖ student), summed, divided by the batch\n\n"
        "input:  log-probabilities along dim 1 (log_softmax, line 5)\n"
        "target: probabilities along dim 1 (softmax, line 6)\n"
        "functional call, reduction: batchmean, log_target: False\n```"
    )
    assert hover is not None
    assert hover.range == types.Range(position(NAMED, "F.kl_div"), position(NAMED, " * T **"))
    assert await editor.hovered(uri, position(NAMED, "log_student")) is None


@pytest.mark.parametrize(("needle", "code"), [("KLD101", "KLD101"), (", KLD2", None), ("E501", None), ("noqa", None)])
async def test_a_code_in_a_comment_says_what_it_stands_for(editor: Editor, needle: str, code: str | None) -> None:
    text = f"x = 1  # noqa: E501, KLD101, KLD2\n{NAMED}"
    uri, _ = await editor.opened("codes.py", text)
    hover = await editor.hovered(uri, position(text, needle))
    if code is None:
        assert hover is None
    else:
        assert shown(hover) == as_markdown(rule(code))
        assert hover is not None
        assert hover.range == types.Range(position(text, code), position(text, ", KLD2"))
    editor.close(uri)


async def test_the_beginning_of_codes_lists_them(editor: Editor) -> None:
    text = "x = 1  # noqa: KLD3\n"
    uri, _ = await editor.opened("beginning.py", text)
    found = shown(await editor.hovered(uri, position(text, "3")))
    assert found.splitlines()[:2] == ["- KLD301 log-target-not-declared", "- KLD302 log-target-on-probabilities"]


async def hinted(editor: Editor, uri: str) -> Sequence[types.InlayHint]:
    whole = types.Range(types.Position(0, 0), types.Position(99, 0))
    found = await editor.text_document_inlay_hint_async(types.InlayHintParams(types.TextDocumentIdentifier(uri), whole))
    assert found is not None
    return found


async def test_hints_are_off_until_they_are_asked_for(editor: Editor) -> None:
    uri, _ = await editor.opened("hints.py", f"{NAMED}\n\n{MISUSE}")
    assert await hinted(editor, uri) == ()
    editor.prefer({"inlayHints": True})
    (hint,) = await hinted(editor, uri)
    assert (hint.label, hint.position) == ("KL(teacher ‖ student)", position(NAMED, " * T **"))
    assert hint.tooltip == "KL(teacher ‖ student), summed, divided by the batch"
    editor.prefer(None)
    assert await hinted(editor, uri) == ()


# --- configuration ----------------------------------------------------------------------------------------------------


async def test_the_project_s_file_counts_and_is_read_again(editor: Editor) -> None:
    path = editor.write("project/pyproject.toml", "[tool.kl_lint]\nignore = ['KLD201']\n")
    uri, found = await editor.opened("project/loss.py", TWICE)
    assert codes(found) == ["KLD101"]
    path.write_text("[tool.kl_lint]\nper-file-ignores = { 'lo*.py' = ['KLD101'] }\n")
    change = types.FileEvent(path.as_uri(), types.FileChangeType.Changed)
    editor.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
    await editor.told(uri, ["KLD201"])
    path.unlink()
    editor.save(uri)  # for editors that watch no files
    await editor.told(uri, ["KLD201", "KLD101"])


async def test_a_file_that_cannot_be_followed_is_told_of_once(editor: Editor) -> None:
    path = editor.write("wrong/pyproject.toml", "[tool.kl_lint]\nignored = ['KLD201']\n")
    editor.messages.clear()
    uri, found = await editor.opened("wrong/loss.py", TWICE)
    assert codes(found) == ["KLD201", "KLD101"]
    editor.change(uri, "\n" + TWICE)
    await editor.told(uri)
    (message,) = editor.messages
    assert message.type is types.MessageType.Warning
    assert message.message.endswith("[tool.kl_lint] has no option 'ignored'; did you mean 'ignore'?")
    path.unlink()
    editor.close(uri)


async def test_the_editor_s_settings_count_more(editor: Editor) -> None:
    editor.write("preferring/pyproject.toml", "[tool.kl_lint]\nignore = ['KLD201']\n")
    uri = editor.open("preferring/loss.py", TWICE)
    await editor.told(uri, ["KLD101"])
    editor.prefer({"ignore": ["KLD101"], "per-file-ignores": {"preferring/*.py": ["KLD3"]}})
    await editor.told(uri, ["KLD201"])
    editor.prefer(None)
    await editor.told(uri, ["KLD101"])


async def test_settings_are_asked_for_where_the_editor_only_says_that_they_changed(editor: Editor) -> None:
    uri = editor.open("asked.py", OFF_BY_DEFAULT)
    await editor.told(uri, [])
    editor.set_configuration({"enable": ["KLD504"]}, section="kl_lint")
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    await editor.told(uri, ["KLD504"])
    editor.set_configuration({}, section="kl_lint")
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
    await editor.told(uri, [])


async def test_settings_declare_what_functions_return(editor: Editor) -> None:
    uri = editor.open("declared.py", DECLARED)
    await editor.told(uri, [])
    editor.prefer({"returns": {"models.policy": {"space": "probs", "dim": -1}}})
    await editor.told(uri, ["KLD101"])
    editor.prefer(None)


async def test_rules_that_are_not_to_be_fixed_have_no_fixes(editor: Editor) -> None:
    uri, found = await editor.opened("unfixable.py", TWICE)
    editor.prefer({"unfixable": ["KLD201"]})
    titles = [each.title for each in await editor.offered(uri, found[0].range, only=["quickfix"])]
    assert [title for title in titles if "KLD201" in title] == ["Disable KLD201 for this line"]
    editor.prefer(None)


async def test_settings_that_cannot_be_followed_are_told_of(editor: Editor) -> None:
    editor.messages.clear()
    editor.prefer({"inlayHint": True, "select": "KLD1", "ignore": ["KLD999"], "enable": ["KLD208"], "inlayHints": 1})
    uri, found = await editor.opened("settings.py", TWICE)
    assert codes(found) == ["KLD201", "KLD101"]
    assert [each.message for each in editor.messages] == [
        "kl-lint: setting kl_lint.inlayHint: there is no such setting; did you mean 'inlayHints'?",
        'kl-lint: setting kl_lint.select: must be a list of codes, such as ["KLD101", "KLD2"], not "KLD1"',
        "kl-lint: setting kl_lint.ignore: no rule has a code that begins with 'KLD999'; there are " + ", ".join(CODES),
        "kl-lint: setting kl_lint.inlayHints: must be true or false",
    ]
    editor.prefer(None)
    editor.close(uri)


# --- what no editor should do -----------------------------------------------------------------------------------------


def raw(editor: Editor, body: bytes, header: bytes | None = None) -> None:
    """Send bytes as a message."""
    process = editor._server
    assert process is not None
    assert process.stdin is not None
    process.stdin.write((header or b"Content-Length: %d\r\n\r\n" % len(body)) + body)


ODD = {
    "no JSON": b"{",
    "no object": b"[1, 2]",
    "text": b'"shutdown"',
    "number": b"7",
    "empty object": b"{}",
    "nested deeply": b"[" * 100_000,
    "no method": b'{"jsonrpc": "2.0", "params": {}}',
    "unknown notification": b'{"jsonrpc": "2.0", "method": "kl_lint/none", "params": {}}',
    "unknown request": b'{"jsonrpc": "2.0", "id": 9001, "method": "kl_lint/none", "params": {}}',
    "answer to nothing": b'{"jsonrpc": "2.0", "id": 9002, "result": null}',
    "error for nothing": b'{"jsonrpc": "2.0", "id": 9003, "error": {"code": 1, "message": "no"}}',
    "no parameters": b'{"jsonrpc": "2.0", "id": 9004, "method": "textDocument/hover"}',
    "parameters of other kinds": b'{"jsonrpc": "2.0", "id": 9005, "method": "textDocument/hover", "params": [1]}',
    "an old protocol": b'{"jsonrpc": "1.0", "id": 9006, "method": "shutdown"}',
    "no UTF-8": b'{"jsonrpc": "2.0", "method": "\xff"}',
    "a change to what is not open": json.dumps(
        {
            "jsonrpc": "2.0",
            "method": "textDocument/didChange",
            "params": {"textDocument": {"uri": "file:///nowhere.py", "version": 3}, "contentChanges": [{"text": ""}]},
        }
    ).encode(),
    "a close of what is not open": json.dumps(
        {
            "jsonrpc": "2.0",
            "method": "textDocument/didClose",
            "params": {"textDocument": {"uri": "file:///nowhere.py"}},
        }
    ).encode(),
}


@pytest.mark.parametrize("message", ODD.values(), ids=ODD.keys())
async def test_odd_messages_are_survived(editor: Editor, message: bytes) -> None:
    raw(editor, message)
    uri, found = await editor.opened("survivor.py", MISUSE)
    assert codes(found) == ["KLD101"]
    editor.close(uri)


async def test_a_header_without_a_body_is_survived(editor: Editor) -> None:
    raw(editor, b"", b"Content-Length: 0\r\n\r\n")
    raw(editor, b"", b"Content-Length: -5\r\nX: y\r\n\r\n")
    uri, found = await editor.opened("headers.py", MISUSE)
    assert codes(found) == ["KLD101"]
    editor.close(uri)


TEXTS = {
    "null": "x = '\0'\n" + MISUSE,
    "half a character": MISUSE + "# \ud83d\n",
    "nested deeply": MISUSE + "x = " + "(" * 5000 + ")" * 5000 + "\n",
    "a long sum": MISUSE + "x = " + "1 + " * 50_000 + "1\n",
    "byte order mark": "\ufeff" + MISUSE,
    "empty": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_odd_texts_are_survived(editor: Editor, text: str) -> None:
    uri = editor.open("odd.py", text)
    await editor.offered(uri, types.Range(types.Position(0, 0), types.Position(2**31 - 1, 2**31 - 1)))
    editor.change(uri, MISUSE)
    assert codes(await editor.told(uri)) == ["KLD101"]
    editor.close(uri)


@pytest.mark.parametrize(
    "name", ["file:///%00.py", "file://host/share/x.py", "x:y", "file:///", "zip:/a.zip::b.py", "a b:?#"]
)
async def test_odd_names_are_survived(editor: Editor, name: str) -> None:
    uri, found = await editor.opened(name, MISUSE)
    assert codes(found) == ["KLD101"]
    assert len(await editor.offered(uri, found[0].range)) == 2
    assert await editor.hovered(uri, found[0].range.start) is not None
    editor.close(uri)


@pytest.mark.parametrize("place", [(0, 10**6), (10**6, 0), (4, 10**6), (2**31 - 1, 2**31 - 1)])
async def test_places_that_no_text_has_are_survived(editor: Editor, place: tuple[int, int]) -> None:
    uri, _ = await editor.opened("places.py", MISUSE)
    assert await editor.hovered(uri, types.Position(*place)) is None
    editor.close(uri)
    assert await editor.hovered(uri, types.Position(*place)) is None
    assert await editor.offered(uri, types.Range(types.Position(0, 0), types.Position(*place))) == ()


async def test_a_byte_order_mark_is_a_character(editor: Editor) -> None:
    text = "\ufeffimport torch.nn.functional as F; F.kl_div(F.softmax(x, 1), q, reduction='sum')\n" + CORRECT
    uri, found = await editor.opened("mark.py", text)
    assert found[0].range == types.Range(position(text, "F.softmax(x, 1)"), position(text, ", q"))
    fix, _ = await editor.offered(uri, found[0].range)
    assert edited(text, fix, uri) == text.replace("F.softmax(x, 1)", "F.log_softmax(x, 1)")
