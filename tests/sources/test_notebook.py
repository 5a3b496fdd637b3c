"""Notebooks as Python, and back: the command on files, and what is left of their bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kl_lint.sources.notebook import Notebook
from kl_lint.sources.problem import Problem
from tests.command import LEGACY, LEGACY_MENDED, MENDED, MISUSE, Command
from tests.notebooks import CELLS, CELLS_MENDED, LOSS, as_jupyter, notebook


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


def read(document: dict[str, object]) -> Notebook:
    """A notebook, from its bytes."""
    return Notebook("a.ipynb", json.dumps(document).encode())


def codes(command: Command, document: dict[str, object]) -> list[str]:
    """The codes that are reported in a notebook."""
    Path("a.ipynb").write_text(json.dumps(document))
    return command.codes("a.ipynb")


# --- as Python ---


@pytest.mark.parametrize("as_lists", [True, False])
def test_its_cells_are_one_program(command: Command, as_lists: bool) -> None:
    Path("a.ipynb").write_text(as_jupyter(notebook(*CELLS, as_lists=as_lists)))
    status, out, err = command("check", "--output-format=concise", ".")
    assert (status, err) == (1, "")
    assert [line.split(" ", 3)[:3] for line in out.splitlines()] == [
        ["a.ipynb:cell", "5:3:17:", "KLD105"],
        ["a.ipynb:cell", "5:3:42:", "KLD204"],
    ]


def test_no_text_gives_the_same_bytes() -> None:
    data = as_jupyter(notebook(*CELLS, "", "x = 1\r\ny = '''\r\n'''\r\n", "def broken(:\n\n", "# kl-lint\n# kl-lint 0")).encode()
    read = Notebook("a.ipynb", data)
    assert read.encode(read.text) == data


@pytest.mark.parametrize(
    ("language", "found"), [("python", True), ("ipython", True), ("R", False), ("julia", False)]
)
def test_only_python_is_read(command: Command, language: str, found: bool) -> None:
    assert bool(codes(command, notebook("", MISUSE, language=language))) is found


def test_a_kernel_may_tell_the_language_too(command: Command) -> None:
    for language, expected in (("python", ["KLD101"]), ("R", [])):
        document = {**notebook("", MISUSE), "metadata": {"kernelspec": {"language": language, "name": "x"}}}
        assert codes(command, document) == expected
    assert codes(command, {**notebook("", MISUSE), "metadata": {}}) == ["KLD101"], "Python is what most are"


def test_a_cell_may_be_of_another_language(command: Command) -> None:
    document = json.loads(json.dumps(notebook("", MISUSE, LEGACY)))
    document["cells"][1]["metadata"] = {"vscode": {"languageId": "javascript"}}
    assert codes(command, document) == ["KLD204"]


def test_cells_of_text_and_of_other_programs_are_not_read(command: Command) -> None:
    assert codes(command, notebook(MISUSE)) == []
    assert codes(command, notebook("", f"%%bash\n{MISUSE}")) == []
    assert codes(command, notebook("", f"%%time\n{MISUSE}")) == ["KLD101"]


def test_a_cell_that_is_not_python_costs_no_other(command: Command) -> None:
    Path("a.ipynb").write_text(json.dumps(notebook("", "def broken(:", "x =", MISUSE, "pip install kl_div")))
    status, out, err = command("check", "--output-format=concise", "a.ipynb")
    assert status == 2
    assert out.startswith("a.ipynb:cell 4:5:21: KLD101 ")
    assert err == "kl-lint: a.ipynb: cell 5, line 1: is not Python (invalid syntax), and is left out; mend it\n"


def test_what_a_magic_gives_is_unknown(command: Command) -> None:
    cells = ["import torch.nn.functional as F\nx = F.softmax(y, dim=1)", "x = !cat x", "F.kl_div(x, q, reduction='sum')"]
    assert codes(command, notebook("", *cells)) == []
    assert codes(command, notebook("", cells[0], cells[2])) == ["KLD101"]


def test_await_stands_outside_of_functions(command: Command) -> None:
    assert codes(command, notebook("", "x = await load()", MISUSE)) == ["KLD101"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("F.kl_div", "is not a notebook (Expecting value: line 1 column 1 (char 0))"),
        ('"kl_div"', "is not a notebook (it has no cells)"),
        ('{"cells": "kl_div"}', "is not a notebook (it has no cells)"),
        ('{"worksheets": [], "a": "kl_div"}', "is a notebook of a format before 4"),
        ("[" * 100_000 + '"kl_div"', "is not a notebook (maximum recursion depth exceeded"),
        ('{"cells": [{"source": "kl_div \ud800"}]}', "is not valid UTF-8 (invalid continuation byte)"),
    ],
)
def test_what_is_no_notebook(command: Command, text: str, expected: str) -> None:
    Path("a.ipynb").write_bytes(text.encode("utf-8", "surrogatepass"))
    status, out, err = command("check", "a.ipynb")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert expected in err
    assert "save it" in err


@pytest.mark.parametrize("cell", [{"cell_type": "code"}, {"cell_type": "code", "source": 3}, "x", None, {"source": [1]}])
def test_strange_cells_are_passed_over(cell: object) -> None:
    assert read({"cells": [cell]}).text == ""
    assert read({"cells": [{"cell_type": "code", "source": []}]}).text == ""


def test_jupyter_reads_no_byte_order_mark_either() -> None:
    with pytest.raises(Problem, match="is not a notebook"):
        Notebook("a.ipynb", "\ufeff{}".encode())


# --- fixed ---

STYLES = {
    "as Jupyter saves it": {"indent": 1, "ensure_ascii": False, "sort_keys": True},
    "in ASCII": {"indent": 1, "ensure_ascii": True},
    "wide": {"indent": 4, "ensure_ascii": False},
    "with tabs": {"indent": "\t", "ensure_ascii": False},
    "in one line": {"ensure_ascii": False},
    "tight": {"separators": (",", ":"), "ensure_ascii": True},
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("ending", ["\n", "", "\n\n"])
@pytest.mark.parametrize("as_lists", [True, False])
def test_a_fix_leaves_the_rest_as_it_was(
    command: Command, style: dict[str, object], ending: str, as_lists: bool
) -> None:
    def document(cells: list[str]) -> str:
        return json.dumps(notebook(*cells, as_lists=as_lists), **style) + ending  # type: ignore[arg-type]

    path = Path("a.ipynb")
    path.write_text(document(CELLS), newline="")
    status, out, err = command("check", "--fix", "a.ipynb")
    assert (status, out, err) == (0, "", "Found 2 findings (2 fixed, 0 remaining)\n")
    assert path.read_text() == document(CELLS_MENDED)
    assert command("check", "--fix", "a.ipynb") == (0, "", "")


def test_carriage_returns_of_the_file_stay(command: Command) -> None:
    text = as_jupyter(notebook(*CELLS)).replace("\n", "\r\n")
    Path("a.ipynb").write_text(text, newline="")
    command("check", "--fix", "a.ipynb")
    expected = as_jupyter(notebook(*CELLS_MENDED)).replace("\n", "\r\n")
    assert Path("a.ipynb").read_bytes() == expected.encode()


def test_a_fix_reaches_another_cell(command: Command) -> None:
    cells = ["import torch.nn.functional as F", "p = F.softmax(x, dim=1)", "F.kl_div(p, q, reduction='sum')"]
    Path("a.ipynb").write_text(as_jupyter(notebook("", *cells)))
    command("check", "--fix", "--unsafe-fixes", "a.ipynb")
    cells[1] = "p = F.log_softmax(x, dim=1)"
    assert Path("a.ipynb").read_text() == as_jupyter(notebook("", *cells))


def test_a_fix_may_take_lines_away(command: Command) -> None:
    call = "F.kl_div(F.log_softmax(x, dim=1), q,\n         size_average=False,\n         reduce=True)"
    Path("a.ipynb").write_text(as_jupyter(notebook("", f"import torch.nn.functional as F\n{call}\nx = 1", "y = 2")))
    assert command("check", "--fix", "a.ipynb")[0] == 0
    document = json.loads(Path("a.ipynb").read_text())
    mended = "".join(document["cells"][1]["source"])
    assert 'reduction="sum"' in mended
    assert mended.count("\n") < 4
    assert Path("a.ipynb").read_text() == as_jupyter(document), "the lines are still one string each"


def test_the_diff_is_of_the_file(command: Command) -> None:
    Path("a.ipynb").write_text(as_jupyter(notebook("", LEGACY)))
    status, out, _ = command("check", "--diff", "a.ipynb")
    assert status == 1
    changed = [line[1:].strip() for line in out.splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")]
    lines = [json.dumps(text.splitlines(keepends=True)[-1]) for text in (LEGACY, LEGACY_MENDED)]
    assert changed == lines


def test_silencing(command: Command) -> None:
    path = Path("a.ipynb")
    path.write_text(as_jupyter(notebook(*CELLS)))
    assert command("check", "--add-noqa", "a.ipynb")[0] == 0
    silenced = LOSS.replace("# kept", "# kept  # noqa: KLD105, KLD204")
    assert path.read_text() == as_jupyter(notebook(*CELLS[:-1], silenced))
    assert command("check", "a.ipynb") == (0, "", "")


def test_standard_input(tmp_path: Path) -> None:
    from tests.command import run

    document = as_jupyter(notebook("é", LEGACY))
    done = run("check", "--fix", "--stdin-filename=a.ipynb", "-", stdin=document.encode(), cwd=tmp_path)
    assert done.stdout == as_jupyter(notebook("é", LEGACY_MENDED)).encode()


def test_modules_of_the_project_are_followed(command: Command) -> None:
    Path("losses.py").write_text(MISUSE.replace("F.kl_div(", "dict(").replace("def loss", "def made"))
    Path("models.py").write_text("import torch.nn.functional as F\n\n\ndef policy(x):\n    return F.softmax(x, dim=1)\n")
    cells = ["import torch.nn.functional as F\nfrom models import policy", "F.kl_div(policy(x), q, reduction='sum')"]
    Path("a.ipynb").write_text(as_jupyter(notebook("", *cells)))
    status, out, _ = command("check", "a.ipynb")
    assert status == 1
    assert "a.ipynb:cell 3:1:10: KLD101" in out
    assert "softmax at line 5 of models.py" in out


def test_correct_notebooks_are_silent(command: Command) -> None:
    Path("a.ipynb").write_text(as_jupyter(notebook("", MENDED)))
    assert command("check", ".") == (0, "", "")
