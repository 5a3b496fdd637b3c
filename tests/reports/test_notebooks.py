"""Where each format says that a finding in a notebook is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kl_lint.reports import REPORTS
from kl_lint.rewriting.refusal import Refused
from tests.command import Command
from tests.notebooks import CELLS, CELLS_MENDED, LOSS, PROBABILITIES, as_jupyter, notebook
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
        "a.ipynb:cell 5:3:17: KLD105 [*] input to kl_div is the log of a softmax (log, line 3), which underflows: "
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


OTHERS = """\
def divergence(a, b):
    return F.kl_div(a, b, reduction="sum")"""
CALLERS = "divergence(F.log_softmax(x, 1), q)\n\ndivergence(s, q)"


def test_a_message_names_the_cell_of_the_call_that_is_fed(command: Command) -> None:
    Path("a.ipynb").write_text(as_jupyter(notebook(*CELLS[:2], PROBABILITIES, OTHERS, CALLERS)))
    (line,) = report(command, "concise").splitlines()
    assert line.startswith("a.ipynb:cell 5:3:1: KLD101 divergence feeds kl_div at line 2 of cell 4: ")
    assert "(softmax, line 3 of cell 3)" in line


def test_a_message_names_lines_of_other_files_as_they_are(command: Command) -> None:
    Path("helper.py").write_text("import torch\n\n\ndef soften(x):\n    return torch.softmax(x, 1)\n")
    cells = ["", "import torch.nn.functional as F\nfrom helper import soften", 'F.kl_div(soften(x), q, reduction="sum")']
    Path("a.ipynb").write_text(as_jupyter(notebook(*cells)))
    assert "(softmax, helper.py line 5)" in report(command, "concise")


def test_a_refusal_names_cells_and_lines(command: Command) -> None:
    cells = [*CELLS[:4], LOSS.replace("q,", "q,  # first\n   ").replace(".log()", ".log(  # why\n)")]
    Path("a.ipynb").write_text(as_jupyter(notebook(*cells)))
    _, _, err = command("check", "--fix", "a.ipynb")
    refusal, *_ = err.splitlines()
    assert refusal == "kl-lint: a.ipynb:cell 5:3: KLD105 was not fixed: a comment would be lost"


def test_the_reason_of_a_refusal_names_cells_and_lines(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(module: object) -> None:
        raise Refused("libcst cannot parse this file, line 7")

    monkeypatch.setattr("kl_lint.rewriting.layout.Layout.__init__", lambda self, *_: refuse(self))
    _, _, err = command("check", "--fix", "a.ipynb")
    assert err.splitlines()[0] == (
        "kl-lint: a.ipynb:cell 5:3: KLD105 was not fixed: libcst cannot parse this file, line 2 of cell 4"
    )


def test_an_error_of_our_own_names_its_cell(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("boom, line 12")

    monkeypatch.setattr("kl_lint.rules.judge", fail)
    status, out, _ = command("check", "--output-format=concise", "a.ipynb")
    assert status == 2
    assert out.startswith("a.ipynb:cell 5:3:1: KLD000 internal error at ")
    assert "boom, line 12; the file was not checked" in out
    status, _, err = command("check", "--fix-only", "a.ipynb")
    assert status == 2
    assert err.startswith("kl-lint: a.ipynb:cell 5:3: internal error at ")


def test_json(command: Command) -> None:
    first, second = json.loads(report(command, "json"))
    assert (first["cell"], second["cell"]) == (5, 5)
    assert first["location"] == {"row": 3, "column": 17}
    assert first["end_location"] == {"row": 3, "column": 24}
    assert first["noqa_row"] == 3
    softmax, log = first["related"]
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


ONLY_LOG = [*CELLS_MENDED[:4], LOSS.replace("s.log()", "s")]
ONLY_REDUCTION = [*CELLS[:4], LOSS.replace("size_average=False", 'reduction="sum"')]
"""The cells with one of the two fixes."""


@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("as_lists", [True, False])
def test_fixes_in_sarif_are_those_of_the_json(command: Command, ascii: bool, as_lists: bool) -> None:
    document = json.dumps(notebook(*CELLS, as_lists=as_lists), indent=1, ensure_ascii=ascii)
    Path("a.ipynb").write_text(document, encoding="utf-8")
    results = json.loads(report(command, "sarif"))["runs"][0]["results"]
    for result, cells in zip(results, (ONLY_LOG, ONLY_REDUCTION), strict=True):
        ((change,),) = [fix["artifactChanges"] for fix in result["fixes"]]
        assert change["artifactLocation"]["uri"] == "a.ipynb"
        mended = document
        for each in reversed(change["replacements"]):
            place = each["deletedRegion"]
            start, end = (
                offset(document, place[f"{edge}Line"], place[f"{edge}Column"], "utf-16-le") for edge in ("start", "end")
            )
            mended = mended[:start] + each["insertedContent"]["text"] + mended[end:]
        assert mended == json.dumps(notebook(*cells, as_lists=as_lists), indent=1, ensure_ascii=ascii)


def offset(document: str, row: int, column: int, encoding: str) -> int:
    """The offset of a place whose column, from 1, counts the units of an encoding."""
    lines = document.split("\n")
    unit = len("a".encode(encoding))
    before = lines[row - 1].encode(encoding)[: (column - 1) * unit].decode(encoding)
    return sum(len(line) + 1 for line in lines[: row - 1]) + len(before)


def region(holder: dict[str, Any], *, nested: bool = True) -> dict[str, int]:
    """The region of a result, or of a location."""
    location = holder["locations"][0] if nested else holder
    found: dict[str, int] = location["physicalLocation"]["region"]
    return found


def test_rdjson(command: Command) -> None:
    first, second = json.loads(report(command, "rdjson"))["diagnostics"]
    assert first["location"]["range"] == {"start": {"line": LOSS_ROW}, "end": {"line": LOSS_ROW}}
    assert first["message"].startswith("cell 5, line 3: ")
    assert first["suggestions"] == [], "its edits are in two cells, and all that is between would go with them"
    (suggestion,) = second["suggestions"]
    start, end = (
        offset(DOCUMENT, place["line"], place["column"], "utf-8")
        for place in (suggestion["range"]["start"], suggestion["range"]["end"])
    )
    assert DOCUMENT[:start] + suggestion["text"] + DOCUMENT[end:] == as_jupyter(notebook(*ONLY_REDUCTION))


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
