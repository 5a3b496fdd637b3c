"""Where each format says that a finding in a notebook is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kl_lint.reports import REPORTS
from tests.command import Command
from tests.notebooks import CELLS, LOSS, PROBABILITIES, as_jupyter, notebook
from tests.reports.test_sarif import problems as sarif_problems

DOCUMENT = as_jupyter(notebook(*CELLS))
ROWS = DOCUMENT.splitlines()
LOSS_ROW = next(row for row, line in enumerate(ROWS, start=1) if "kl_div(s.log()" in line)
SOFTMAX_ROW = next(row for row, line in enumerate(ROWS, start=1) if "F.softmax" in line)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    command = Command(tmp_path, monkeypatch, capsys)
    Path("a.ipynb").write_text(DOCUMENT)
    return command


def report(command: Command, layout: str, *arguments: str) -> str:
    """The report on the notebook."""
    status, out, err = command("check", f"--output-format={layout}", "a.ipynb", *arguments)
    assert (status, err) == (1, "")
    return out


def test_full(command: Command) -> None:
    first = report(command, "full").split("\n\n")[0]
    assert first == (
        "a.ipynb:cell 5:3:17: KLD105 input to kl_div is the log of a softmax (log, line 3), which underflows: "
        "use log_softmax\n"
        "  |\n"
        f"3 | {LOSS.splitlines()[2]}\n"
        "  |                 ^^^^^^^\n"
        "  = softmax at line 3 of cell 4\n"
        "  = log at line 3\n"
        "  = help: Use log_softmax"
    )


def test_a_message_names_the_cell_of_another_line(command: Command) -> None:
    Path("a.ipynb").write_text(as_jupyter(notebook(*CELLS[:2], PROBABILITIES, LOSS.replace("s.log()", "s"))))
    assert "probabilities (softmax, line 3 of cell 3)" in report(command, "concise")


def test_json(command: Command) -> None:
    first, second = json.loads(report(command, "json"))
    assert (first["cell"], second["cell"]) == (5, 5)
    assert first["location"] == {"row": 3, "column": 17}
    assert first["end_location"] == {"row": 3, "column": 24}
    assert first["noqa_row"] == 3
    softmax, log = first["trace"]
    assert (softmax["cell"], softmax["location"]) == (4, {"row": 3, "column": 5})
    assert (log["cell"], log["location"]["row"]) == (5, 3)
    edits = [(edit["cell"], edit["location"]["row"], edit["content"]) for edit in first["fix"]["edits"]]
    assert edits == [(4, 3, "log_"), (5, 3, "")]


def test_github(command: Command) -> None:
    first = report(command, "github").splitlines()[0]
    assert f"file=a.ipynb,line={LOSS_ROW},endLine={LOSS_ROW}::a.ipynb:cell 5:3:17: KLD105 " in first
    assert "%0A  softmax at line 3 of cell 4%0A" in first


def test_gitlab(command: Command) -> None:
    first, _ = json.loads(report(command, "gitlab"))
    assert first["location"] == {"path": "a.ipynb", "lines": {"begin": LOSS_ROW, "end": LOSS_ROW}}
    assert first["description"].startswith("KLD105: cell 5, line 3: input to kl_div ")


def test_sarif(command: Command) -> None:
    text = report(command, "sarif")
    assert sarif_problems(text) == []
    result = json.loads(text)["runs"][0]["results"][0]
    assert region(result) == {"startLine": LOSS_ROW, "endLine": LOSS_ROW}
    (flow,) = result["codeFlows"][0]["threadFlows"]
    assert region(flow["locations"][0]["location"], nested=False)["startLine"] == SOFTMAX_ROW
    assert result["message"]["text"].startswith("cell 5, line 3: ")
    assert "fixes" not in result, "the places of the edits are none of the file"


def region(holder: dict[str, Any], *, nested: bool = True) -> dict[str, int]:
    """The region of a result, or of a location."""
    location = holder["locations"][0] if nested else holder
    found: dict[str, int] = location["physicalLocation"]["region"]
    return found


def test_rdjson(command: Command) -> None:
    first = json.loads(report(command, "rdjson"))["diagnostics"][0]
    assert first["location"]["range"] == {"start": {"line": LOSS_ROW}, "end": {"line": LOSS_ROW}}
    assert first["message"].startswith("cell 5, line 3: ")
    assert first["suggestions"] == []


def test_junit(command: Command) -> None:
    (suite,) = ElementTree.fromstring(report(command, "junit"))
    case = suite[0]
    assert (case.attrib["file"], case.attrib["line"]) == ("a.ipynb", str(LOSS_ROW))
    assert (case[0].text or "").startswith("cell 5, line 3, column 17: KLD105 ")


def test_inspect(command: Command) -> None:
    status, out, err = command("inspect", "a.ipynb")
    assert (status, err) == (0, "")
    assert out.startswith("a.ipynb:cell 5:3:8: ")
    assert "(softmax, line 3 of cell 4; log, line 3)" in out
    (row,) = json.loads(command("inspect", "--output-format=json", "a.ipynb")[1])
    assert (row["cell"], row["location"]) == (5, {"row": 3, "column": 8})


def test_every_format_is_looked_at_here() -> None:
    assert {f"test_{name}" for name in REPORTS if name != "concise"} <= set(globals())
