"""What no client can bring about at will: mistakes of kl-lint's own, files that go, texts that change while they wait."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from lsprotocol import types

from kl_lint.configuration.settings import Settings
from kl_lint.server.actions import actions
from kl_lint.server.analyses import Analyses, Analysis, Text
from kl_lint.server.checking import Checked
from kl_lint.server.diagnostics import diagnostics
from kl_lint.server.hovers import hover
from kl_lint.server.preferences import Preferences, read_preferences
from kl_lint.server.sheet import Sheet
from tests.command import MISUSE

EVERYWHERE = types.Range(types.Position(0, 0), types.Position(99, 0))


def sheet(path: Path, text: str) -> Sheet:
    """A text under UTF-16, by name."""
    return Sheet(Checked(str(path), text, Settings(), {}), path.as_uri(), types.PositionEncodingKind.Utf16)


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a mistake")


def test_a_mistake_is_an_error_that_nothing_silences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kl_lint.rules.judge", fail)
    found = sheet(tmp_path / "loss.py", MISUSE)
    (diagnostic,) = diagnostics(found)
    assert diagnostic.code == "KLD000"
    assert diagnostic.severity is types.DiagnosticSeverity.Error
    assert actions(found, EVERYWHERE, types.CodeActionContext([])) == []


def test_a_mistake_in_the_inspection_costs_the_hover_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kl_lint.inspection.describe", fail)
    found = sheet(tmp_path / "loss.py", MISUSE)
    assert hover(found, types.Position(4, 14), markdown=True) is None
    assert [each.code for each in diagnostics(found)] == ["KLD101"]


def test_hovers_without_markdown_are_plain(tmp_path: Path) -> None:
    text = f"{MISUSE}x = 1  # noqa: KLD101\n"
    found = sheet(tmp_path / "loss.py", text)
    call = hover(found, types.Position(4, 14), markdown=False)
    code = hover(found, types.Position(5, 17), markdown=False)
    for shown, start in ((call, "not a divergence: "), (code, "KLD101 probabilities-as-input\n====")):
        assert shown is not None
        assert isinstance(shown.contents, types.MarkupContent)
        assert shown.contents.kind is types.MarkupKind.PlainText
        assert shown.contents.value.startswith(start)


def test_a_trace_may_lead_into_a_file_that_is_gone(tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text("import torch\n\n\ndef soften(x):\n    return torch.softmax(x, 1)\n")
    (tmp_path / "setup.py").touch()
    path = tmp_path / "loss.py"
    text = MISUSE.replace("F.softmax(x, dim=1)", "soften(x)").replace("import", "from helper import soften\nimport", 1)
    path.write_text(text)
    found = sheet(path, text)
    helper.unlink()
    (diagnostic,) = diagnostics(found)
    place = (diagnostic.related_information or ())[0].location
    assert place == types.Location(helper.as_uri(), types.Range(types.Position(4, 0), types.Position(4, 0)))


def test_what_waits_and_is_out_of_date_is_not_checked(tmp_path: Path) -> None:
    async def scene() -> tuple[Analysis, Analysis]:
        analyses, gate = Analyses(), threading.Event()
        text = Text("file:///loss.py", str(tmp_path / "loss.py"), MISUSE, str(tmp_path))
        before = asyncio.create_task(analyses.run(gate.wait))
        stale = asyncio.create_task(analyses.of(text, {}))
        await asyncio.sleep(0)  # both stand in line now
        analyses.expire()
        fresh = asyncio.create_task(analyses.of(text, {}))
        await asyncio.sleep(0)
        gate.set()
        await before
        return await stale, await fresh

    stale, fresh = asyncio.run(scene())
    assert stale == Analysis()
    assert fresh.checked is not None
    assert [each.code for each in fresh.checked.findings] == ["KLD101"]


def test_who_gives_up_waiting_does_not_take_it_from_others(tmp_path: Path) -> None:
    async def scene() -> Analysis:
        analyses, gate = Analyses(), threading.Event()
        text = Text("file:///loss.py", str(tmp_path / "loss.py"), MISUSE, str(tmp_path))
        before = asyncio.create_task(analyses.run(gate.wait))
        first, second = (asyncio.create_task(analyses.of(text, {})) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        gate.set()
        await before
        return await second

    assert asyncio.run(scene()).checked is not None


@pytest.mark.parametrize("settings", [["KLD101"], "KLD101", 7, True])
def test_settings_that_are_none(settings: object) -> None:
    assert read_preferences(settings) == Preferences(
        troubles=('the setting kl_lint must be an object, such as {"inlayHints": true}',)
    )


@pytest.mark.parametrize("settings", [None, {}, []])
def test_no_settings(settings: object) -> None:
    assert read_preferences(settings) == Preferences()


def test_a_setting_that_is_null_is_not_set() -> None:
    assert read_preferences({"select": None, "inlayHints": None, "ignore": ["KLD2"]}) == Preferences(
        {"ignore": ("KLD2",)}
    )
