"""Documents as Python: which blocks are read, where findings in them are, and that nothing is written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kl_lint.reports import REPORTS
from kl_lint.sources.document import LIMIT, Block, Document
from kl_lint.sources.markdown import is_python
from kl_lint.sources.problem import Problem
from tests.command import LEGACY, MISUSE, Command, run
from tests.reports.test_sarif import problems as sarif_problems

IMPORT = "import torch.nn.functional as F"
SOFTMAX = "p = F.softmax(x, dim=1)"
LOSS = 'loss = F.kl_div(p, q, reduction="sum")'
"""KLD101, at the first `p`, where that comes out of the softmax."""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


def fenced(*lines: str, info: str = "python") -> str:
    return "\n".join([f"```{info}", *lines, "```", ""])


def found(command: Command, text: str, name: str = "a.md") -> list[tuple[str, int, str]]:
    """What is found in a document: the code, the row, and the text that the range covers there."""
    Path(name).write_text(text, encoding="utf-8", newline="")
    _, out, err = command("check", "--output-format=json", name)
    assert err == ""
    rows = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    places = [(each["code"], each["location"], each["end_location"]) for each in json.loads(out)]
    return [
        (code, start["row"], rows[start["row"] - 1][start["column"] - 1 : end["column"] - 1])
        for code, start, end in places
    ]


# --- where findings are ---

MARKDOWN = {
    "a block": (f"# Title\n\n{fenced(IMPORT, SOFTMAX, LOSS)}", 6),
    "tildes": (f"~~~ python\n{IMPORT}\n{SOFTMAX}\n{LOSS}\n~~~\n", 4),
    "never closed": (f"```python\n{IMPORT}\n{SOFTMAX}\n{LOSS}", 4),
    "several blocks": (f"{fenced(IMPORT)}\ntext\n\n{fenced(SOFTMAX, LOSS)}", 9),
    "in a list": (f"1. one\n\n   ```python\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n   ```\n", 6),
    "in a quotation": (f"> ```python\n> {IMPORT}\n>\n> {SOFTMAX}\n> {LOSS}\n> ```\n", 5),
    "in both": (f"> - one\n>   ```python\n>   {IMPORT}\n>   {SOFTMAX}\n>   {LOSS}\n>   ```\n", 5),
    "indented code": (fenced(f"    {IMPORT}", f"    {SOFTMAX}", f"    {LOSS}"), 4),
    "a session": (fenced(f">>> {IMPORT}", f">>> {SOFTMAX}", "tensor(0)", f">>> {LOSS}", info="pycon"), 5),
    "a session without a name": (fenced("", f">>> {IMPORT}", f">>> {SOFTMAX}", f">>> {LOSS}"), 5),
    "magics": (fenced("!pip install torch", "%matplotlib inline", IMPORT, SOFTMAX, LOSS), 6),
    "options of MyST": (
        fenced(":linenos:", ":emphasize-lines: 2", IMPORT, SOFTMAX, LOSS, info="{code-block} python"),
        6,
    ),
    "YAML of MyST": (fenced("---", "tags: [x]", "---", IMPORT, SOFTMAX, LOSS, info="{code-cell} ipython3"), 7),
    "wide characters": (f"日本 😀\n\n{fenced(IMPORT, SOFTMAX, 'é = 1; ' + LOSS)}", 6),
    "a byte order mark": (f"\ufeff{fenced(IMPORT, SOFTMAX, LOSS)}", 4),
    "other ends of lines": (f"a\x0cb\u2028c\x85d\n\n{fenced(IMPORT, SOFTMAX, LOSS)}".replace("\n", "\r\n"), 6),
}

RESTRUCTURED = {
    "a directive": (f"Title\n=====\n\n.. code-block:: python\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n", 8),
    "docutils' own": (f".. code:: python\n   :number-lines: 3\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n", 6),
    "unknown options": (f".. sourcecode:: python\n   :x-y: 3\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n", 6),
    "a test": (f".. testcode::\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n", 5),
    "a session": (f"Text\n\n>>> {IMPORT}\n>>> {SOFTMAX}\n>>> {LOSS}\n>>> loss\n0\n", 5),
    "first of all": (f">>> {IMPORT}\n>>> {SOFTMAX}\n>>> {LOSS}\n", 3),
    "a session in a directive": (f".. doctest::\n\n   >>> {IMPORT}\n   >>> {SOFTMAX}\n   >>> {LOSS}\n", 5),
    "in a list": (f"* one\n\n  .. code:: py\n\n     {IMPORT}\n     {SOFTMAX}\n     {LOSS}\n", 7),
    "in directives of others": (
        f".. tab-set::\n   :x: y\n\n   .. tab-item:: A\n\n      .. code:: python\n\n         {IMPORT}\n         {SOFTMAX}\n"
        f"         {LOSS}\n",
        10,
    ),
    "behind what is wrong": (
        f"`x :y:`z` |a| [1]_\n\n.. image::\n\n.. code:: python\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n",
        9,
    ),
    "other ends of lines": (f"a\x0cb\u2028c\x1cd\n\n.. code:: python\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n", 7),
}


@pytest.mark.parametrize(("text", "row"), MARKDOWN.values(), ids=MARKDOWN.keys())
def test_findings_in_markdown_are_where_they_stand(command: Command, text: str, row: int) -> None:
    assert found(command, text) == [("KLD101", row, "p")]


@pytest.mark.parametrize(("text", "row"), RESTRUCTURED.values(), ids=RESTRUCTURED.keys())
def test_findings_in_restructured_text_are_where_they_stand(command: Command, text: str, row: int) -> None:
    assert found(command, text, "a.rst") == [("KLD101", row, "p")]


@pytest.mark.parametrize(
    ("name", "text"),
    [*(("a.md", text) for text, _ in MARKDOWN.values()), *(("a.rst", text) for text, _ in RESTRUCTURED.values())],
)
def test_each_row_of_the_text_is_part_of_that_of_the_document(name: str, text: str) -> None:
    document = Document(name, text.encode())
    rows = document.text.split("\n")
    assert len(rows) == len(document.lines) + 1
    for code, line in zip(rows, document.lines, strict=False):
        assert code == "pass" or code in line


def test_full_shows_the_document(command: Command) -> None:
    Path("a.md").write_text(MARKDOWN["in both"][0])
    status, out, _ = command("check", "a.md")
    assert status == 1
    assert out == (
        "a.md:5:21: KLD101 input to kl_div is probabilities (softmax, line 4); it takes log-probabilities: use log_softmax\n"
        "  |\n"
        f"5 | >   {LOSS}\n"
        "  |                     ^\n"
        "  = softmax at line 4\n"
        "  = help: Use log_softmax in place of softmax\n"
        "\n"
        "1 finding in 1 of 1 file\n"
    )


def test_every_format_points_into_the_document(command: Command) -> None:
    Path("a.md").write_text(MARKDOWN["in both"][0])
    for layout in REPORTS:
        status, out, err = command("check", f"--output-format={layout}", "a.md")
        assert (status, err) == (1, "")
        assert "5" in out
        assert "21" in out
    sarif = command("check", "--output-format=sarif", "a.md")[1]
    assert sarif_problems(sarif) == []
    (result,) = json.loads(sarif)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["region"]
    assert place == {"startLine": 5, "startColumn": 21, "endLine": 5, "endColumn": 22}
    assert "fixes" not in result
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert steps[0]["location"]["physicalLocation"]["region"]["startColumn"] == 9
    (finding,) = json.loads(command("check", "--output-format=json", "a.md")[1])
    assert (finding["noqa_row"], finding["fix"]) == (5, None)


def test_inspect_reads_documents_too(command: Command) -> None:
    Path("a.md").write_text(MARKDOWN["in both"][0])
    status, out, err = command("inspect", "a.md")
    assert (status, err) == (0, "")
    assert out.startswith("a.md:5:12: not a divergence: the input is probabilities\n")
    (row,) = json.loads(command("inspect", "--output-format=json", "a.md")[1])
    assert row["input"]["trace"][0]["location"] == {"row": 4, "column": 9}


# --- what is read ---


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("python", True),
        ("Python", True),
        ("py", True),
        ("python3", True),
        ("ipython", True),
        ("pycon", True),
        ('python title="loss.py"', True),
        ("python {1,3-4}", True),
        ("python,ignore", True),
        ("{python}", True),
        ("{.python .numberLines}", True),
        ("{ .python }", True),
        ("{code-block} python", True),
        ("{code-cell} ipython3", True),
        ("{testcode}", True),
        ("", False),
        ("text", False),
        ("pythonic", False),
        ("python-traceback", False),
        ("{code-block} console", False),
        ("{note}", False),
        ("{bash}", False),
        ("=html", False),
        ("😀", False),
    ],
)
def test_what_stands_behind_a_fence_tells_the_language(info: str, expected: bool) -> None:
    assert is_python(info) is expected


NOT_READ = {
    "no language": fenced(IMPORT, SOFTMAX, LOSS, info=""),
    "another language": fenced(IMPORT, SOFTMAX, LOSS, info="text"),
    "indented": f"Text\n\n    {IMPORT}\n    {SOFTMAX}\n    {LOSS}\n",
    "a comment": f"<!--\n{fenced(IMPORT, SOFTMAX, LOSS)}-->\n",
    "inline": f"`{IMPORT}; {SOFTMAX}; {LOSS}`",
    "prose": f"{IMPORT}\n{SOFTMAX}\n{LOSS}\n",
    "output": fenced(f">>> {IMPORT}", ">>> print()", SOFTMAX, LOSS, info="pycon"),
}


@pytest.mark.parametrize("text", NOT_READ.values(), ids=NOT_READ.keys())
def test_the_rest_is_not_read(command: Command, text: str) -> None:
    assert found(command, text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"Text::\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n",
        f".. code-block::\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n",
        f".. code-block:: text\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n",
        f".. comment\n\n   {IMPORT}\n   {SOFTMAX}\n   {LOSS}\n",
        ".. include:: loss.txt\n\n.. F.kl_div\n",
        ".. literalinclude:: loss.txt\n   :language: python\n\n.. F.kl_div\n",
        ".. code-block:: python\n   :file: loss.txt\n\n.. F.kl_div\n",
        ".. raw:: html\n   :file: loss.txt\n\n.. F.kl_div\n",
    ],
)
def test_the_rest_of_restructured_text_is_not_read(command: Command, text: str) -> None:
    Path("loss.txt").write_text(f">>> {IMPORT}\n>>> {SOFTMAX}\n>>> {LOSS}\n")
    assert found(command, text, "a.rst") == []


# --- names ---


def test_what_a_block_imports_and_defines_is_known_further_on(command: Command) -> None:
    soft = "def soft(x):\n    return F.softmax(x, dim=1)"
    text = f"# A\n{fenced(IMPORT)}\n## B\n{fenced(soft)}\n# C\n{fenced(LOSS.replace('(p', '(soft(x)'))}"
    assert [code for code, _, _ in found(command, text)] == ["KLD101"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("text", "more text", 1),
        ("# A", "## B", 1),
        ("## A", "text", 1),
        ("# A", "# B", 0),
        ("### A", "## B", 0),
        ("## A", "### B\n## C", 0),
        ("text", "# B", 1),
        ("A\n===", "B\n---", 1),
        ("A\n---", "B\n---", 0),
    ],
)
def test_a_variable_is_known_until_its_section_ends(command: Command, first: str, second: str, expected: int) -> None:
    text = f"{fenced(IMPORT)}\n{first}\n\n{fenced(SOFTMAX)}\n{second}\n\n{fenced(LOSS)}"
    assert len(found(command, text)) == expected


@pytest.mark.parametrize(("under", "expected"), [("~", 1), ("-", 0), ("=", 0)])
def test_sections_of_restructured_text_count_too(command: Command, under: str, expected: int) -> None:
    code = ".. code:: python\n\n   "
    head = f"Title\n=====\n\n{code}{IMPORT}\n\nOne\n---\n\n{code}{SOFTMAX}\n\n"
    text = f"{head}Two\n{under * 3}\n\n{code}{LOSS}\n"
    assert len(found(command, text, "a.rst")) == expected


def test_a_variable_that_is_set_again_is_known_again(command: Command) -> None:
    text = f"# A\n{fenced(IMPORT, SOFTMAX)}\n# B\n{fenced(SOFTMAX)}\n{fenced(LOSS)}"
    assert found(command, text) == [("KLD101", 13, "p")]


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        ("## B\n{p}\n# C", 0),
        ("## B\n### C\n{p}\n## D", 0),
        ("## B\n### C\n{p}\n### D", 0),
        ("## B\n{p}\n### C\n{p}\n## D", 0),
        ("## B\n### C\n### D\n{p}\n#### E", 1),
        ("## B\n{p}\n## C\n{p}\n### D\n## E\n{p}\n### F", 1),
    ],
)
def test_the_section_counts_in_which_a_variable_was_set_last(command: Command, headings: str, expected: int) -> None:
    text = f"# A\n{fenced(IMPORT, SOFTMAX)}\n{headings.format(p=fenced(SOFTMAX))}\n{fenced(LOSS)}"
    assert len(found(command, text)) == expected


# --- what is not Python ---


@pytest.mark.parametrize(
    "setting", ["p = F.log_softmax(...", "p, r = both(", "def p(x:", "for p in (", "p: Tensor = (", ">>> p = ("]
)
def test_a_block_that_is_not_python_may_have_set_a_variable(command: Command, setting: str) -> None:
    text = f"{fenced(IMPORT, SOFTMAX)}\n{fenced(setting)}\n{fenced(LOSS)}"
    assert found(command, text) == []


def test_a_block_that_is_not_python_says_nothing_of_others(command: Command) -> None:
    text = f"{fenced(IMPORT, SOFTMAX)}\n{fenced('r = F.relu(...', 'print(p, q=', 'if p == 3')}\n{fenced(LOSS)}"
    assert len(found(command, text)) == 1


def test_it_is_told_of_where_it_mentions_a_divergence(command: Command) -> None:
    Path("a.md").write_text(f"{fenced(IMPORT)}\n{fenced('loss = F.kl_div(p, ...', ' q')}")
    status, out, err = command("check", "a.md")
    assert (status, out) == (0, ""), "examples are often abridged: it is no failure"
    assert err.startswith("kl-lint: a.md:6: a block of code is not Python (")


def test_what_cannot_be_decoded_is_told_of(command: Command) -> None:
    Path("a.md").write_bytes(fenced(LOSS).encode() + b"\n\xff\n")
    status, _, err = command("check", "a.md")
    assert status == 2
    assert err == "kl-lint: a.md:5: is not valid UTF-8 (invalid start byte); save it as UTF-8\n"


@pytest.mark.parametrize("name", ["a.md", "a.rst"])
@pytest.mark.parametrize(
    "text",
    [
        "kl_div",
        "```python",
        "```python\nkl_div\0\n```",
        "\r```python\rkl_div\r```\r",
        "> " * 500 + "kl_div",
        "- " * 20 + "kl_div",
        ".. code:: python\n\n   kl_div(",
        ".. code:: python\n   kl_div\n",
        ".. a::\n   .. b::\n      .. c::\n\n         kl_div",
        "kl_div\n======\n\nx\n---\n\ny\n~~~\n\nz\n===\n\nw\n~~~\n",
        ">>> kl_div\n>>>x\n",
        "```pycon\n>>>kl_div\n  >>> x\n```",
        "[" * 1000 + "kl_div",
        "`kl_div",
        "\n" * 50 + "\t```python\n\t kl_div",
    ],
)
def test_odd_documents_are_survived(command: Command, name: str, text: str) -> None:
    Path(name).write_bytes(text.encode())
    status, out, err = command("check", name)
    assert (status, out) == (0, "")
    assert err == "" or "a block of code is not Python" in err


PARTS = [
    ".. _target: https://example.org/a_",
    ".. _other: target_",
    ".. __: user@example.org",
    "__ https://example.org",
    ".. [1] a *footnote*",
    ".. [#] an automatic one",
    ".. [A2] a `citation`_",
    ".. |sub| replace:: |other| ``text``",
    ".. |pic| image:: a.png\n   :target: target_",
    ".. role:: custom(code)\n   :language: python",
    ".. default-role:: math",
    ".. note:: *text*",
    ".. figure:: a.png\n\n   caption_",
    ".. list-table:: title\n\n   * - a_\n     - b",
    ".. csv-table:: title\n\n   a_, b",
    ".. math:: x",
    ".. contents::",
    ".. sectnum::",
    ".. class:: special",
    ".. unicode:: U+00A9",
    ".. date::",
    ".. parsed-literal::\n\n   *a* `b`_",
    ".. epigraph::\n\n   text\n\n   -- *author*",
    ".. automodule:: torch\n   :members:",
    ":field: *text*",
    "-a, --all=FILE  *text*",
    "| line\n|   *block*",
    "term : *classifier*\n   text",
    "=== ===\na_  b\n=== ===",
    "+---+---+\n| a | b |\n+---+---+",
    "*text* `link <https://example.org>`__ |sub| [1]_ :role:`x` ``y`` target_ _`here`",
    "1. one\n#. two",
    "----",
    "Title *with* `marks`_\n=====================",
]


@pytest.mark.parametrize("part", PARTS)
def test_whatever_else_there_is_in_restructured_text(command: Command, part: str) -> None:
    rows = "\n".join(f"   {line}" for line in (IMPORT, SOFTMAX, LOSS))
    text = f"text\n\n{part}\n\n.. code:: python\n\n{rows}\n"
    assert found(command, text, "a.rst") == [("KLD101", text.count("\n"), "p")]


@pytest.mark.parametrize("prose", ["word " * 10_000, "`a <" * 10_000, "*a " * 10_000, "[" * 40_000, "![" * 20_000])
def test_lines_may_be_long(command: Command, prose: str) -> None:
    """What is within them is none of ours: to look at it would take time that grows with the square of it."""
    rows = "\n".join(f"   {line}" for line in (IMPORT, SOFTMAX, LOSS))
    assert len(found(command, f"{prose}\n\n.. code:: python\n\n{rows}\n", "a.rst")) == 1
    assert len(found(command, f"{prose}\n\n{fenced(IMPORT, SOFTMAX, LOSS)}")) == 1


@pytest.mark.parametrize("name", ["a.md", "a.rst"])
def test_what_is_too_large_is_told_of(command: Command, name: str) -> None:
    text = f"kl_div{' ' * (LIMIT - 7)}\n".encode()
    Path(name).write_bytes(text)
    assert command("check", name) == (0, "", "")
    Path(name).write_bytes(text + b"\n")
    assert command("check", name) == (
        2,
        "",
        f"kl-lint: {name}: is larger than 1 MB, and is not analysed; split it, or leave it out with --extend-exclude\n",
    )
    Path(name).write_bytes(b" " * (LIMIT + 1))
    assert command("check", name) == (0, "", ""), "there is nothing in it to be analysed"


@pytest.mark.parametrize("verb", ["check", "inspect"])
def test_a_document_is_parsed_once(command: Command, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    from kl_lint.sources import markdown

    parsed: list[str] = []
    blocks = markdown.blocks

    def listen(document: str) -> Iterator[Block]:
        parsed.append(document)
        return blocks(document)

    monkeypatch.setattr(markdown, "blocks", listen)
    text = fenced(IMPORT, SOFTMAX, LOSS) + f"\n{verb}\n"
    Path("a.md").write_text(text)
    _, out, _ = command(verb, "a.md")
    assert "a.md:4" in out
    assert parsed == [text]


def test_what_is_nested_too_deeply_is_told_of(command: Command) -> None:
    Path("a.rst").write_text("- " * 1000 + "kl_div")
    status, _, err = command("check", "a.rst")
    assert status == 2
    assert err == "kl-lint: a.rst: is nested too deeply to be read; leave it out with --extend-exclude\n"


def test_a_missing_library_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("markdown_it", "docutils"):
        monkeypatch.setitem(sys.modules, module, None)
        for own in ("markdown", "restructured"):
            monkeypatch.delitem(sys.modules, f"kl_lint.sources.{own}", raising=False)
    for name, library in (("a.md", "markdown-it-py"), ("a.rst", "docutils")):
        Path(name).write_text("kl_div")
        status, _, err = command("check", name)
        assert status == 2
        assert err == (
            f"kl-lint: {name}: cannot be read without {library}; install it with: pip install 'kl-lint[markdown]'\n"
        )


# --- the command ---


def test_a_library_that_is_too_old_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "kl_lint.sources.restructured", raising=False)
    monkeypatch.setattr("docutils.__version__", "0.21.2")
    monkeypatch.setattr("docutils.__version_info__", (0, 21, 2))
    Path("a.rst").write_text("kl_div")
    assert command("check", "a.rst") == (
        2,
        "",
        "kl-lint: a.rst: cannot be read: docutils 0.21.2 is older than 0.22; "
        "install a newer one with: pip install 'kl-lint[markdown]'\n",
    )


def test_documents_are_looked_for_where_that_is_asked_for(command: Command) -> None:
    Path("docs").mkdir()
    for name in ("README.md", "docs/a.rst", "docs/b.markdown", "docs/c.txt"):
        Path(name).write_text(f"{fenced(IMPORT, SOFTMAX, LOSS)}\n\n>>> {IMPORT}\n>>> {SOFTMAX}\n>>> {LOSS}\n")
    Path("a.py").write_text(MISUSE)
    Path(".git").mkdir()
    Path(".gitignore").write_text("b.*\n")

    def names(*arguments: str) -> set[str]:
        out = command("check", "--output-format=concise", *arguments)[1]
        return {line.partition(":")[0] for line in out.splitlines()}

    assert names() == {"a.py"}
    assert names("--markdown") == {"README.md", "a.py", "docs/a.rst"}
    assert names("--markdown", "--extend-exclude=docs") == {"README.md", "a.py"}
    assert names("docs/a.rst") == {"docs/a.rst"}, "who names a document has it read"


def test_standard_input_may_be_a_document(tmp_path: Path) -> None:
    done = run(
        "check", "--output-format=concise", "--stdin-filename=a.md", "-", stdin=fenced(IMPORT, SOFTMAX, LOSS).encode()
    )
    assert done.stdout.decode().startswith("a.md:4:17: KLD101 ")


@pytest.mark.parametrize(
    "options", [["--fix"], ["--fix", "--unsafe-fixes"], ["--fix-only"], ["--diff", "--unsafe-fixes"]]
)
def test_documents_are_never_changed(command: Command, options: list[str]) -> None:
    text = fenced(*LEGACY.splitlines(), *SOFTMAX.splitlines(), LOSS)
    Path("a.md").write_text(text)
    _, out, _ = command("check", *options, "a.md")
    assert Path("a.md").read_text() == text
    assert "+++" not in out
    assert "[*]" not in out
    assert "can be fixed" not in out
    assert ("KLD204" in out) is (options[0] == "--fix")


def test_no_comments_are_written_into_documents(command: Command) -> None:
    text = fenced(IMPORT, SOFTMAX, LOSS)
    Path("a.md").write_text(text)
    Path("b.md").write_text(fenced(IMPORT, "F.kl_div"))
    status, _, err = command("check", "--add-noqa", "a.md", "b.md")
    assert status == 2
    assert (
        err == "kl-lint: a.md: is a document, in which no comments are written; write them by hand, or leave it out\n"
    )
    assert Path("a.md").read_text() == text


def test_nothing_writes_a_document() -> None:
    document = Document("a.md", b"")
    with pytest.raises(ValueError, match="not changed"):
        document.encode("")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([IMPORT, SOFTMAX, f"{LOSS}  # noqa: KLD101"], 0),
        ([IMPORT, SOFTMAX, f"{LOSS}  # noqa"], 0),
        ([IMPORT, SOFTMAX, f"{LOSS}  # noqa: KLD2"], 1),
        ([IMPORT, SOFTMAX, LOSS.replace("(p, q, ", "(  # noqa\n    p, q, ")], 0),
        (["# flake8: noqa", IMPORT, SOFTMAX, LOSS], 0),
    ],
)
def test_comments_silence(command: Command, lines: list[str], expected: int) -> None:
    assert len(found(command, fenced(*lines))) == expected


def test_prose_does_not_silence(command: Command) -> None:
    assert len(found(command, f"# noqa\n\n# flake8: noqa\n\n{fenced(IMPORT, SOFTMAX, LOSS)}\n# noqa\n")) == 1


def test_options_hold_for_documents(command: Command) -> None:
    Path("a.md").write_text(fenced(IMPORT, SOFTMAX, LOSS))
    assert command.codes("a.md", "--per-file-ignores=*.md:KLD1") == []
    assert command.codes("a.md", "--ignore=KLD1") == []


def test_a_document_is_read_as_what_its_name_says() -> None:
    with pytest.raises(Problem, match="not valid UTF-8"):
        Document("a.rst", b"\xff")
