"""What is Python in a cell, and what is not, judged by Python's own parser."""

from __future__ import annotations

import ast

import pytest

from kl_lint.sources.magics import is_python, stand_ins


def as_python(cell: str) -> str:
    """The cell with the stand-ins in it."""
    lines = cell.splitlines(keepends=True)
    for index, other in stand_ins(lines).items():
        lines[index] = other + "\n" * lines[index].endswith("\n")
    return "".join(lines)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%matplotlib inline", "pass"),
        ("%time y = f(x)", "pass"),
        ("%%time", "pass"),
        ("!pip install 'torch", "pass"),
        ("!!ls (", "pass"),
        ("?f", "pass"),
        ("f?", "pass"),
        ("f.g??", "pass"),
        ("*kl*?", "pass"),
        (",f a b", "pass"),
        ("/f 1", "pass"),
        ("    !ls", "    pass"),
        ("files = !ls", "files = get_ipython()"),
        ("  a, b =!ls", "  a, b = get_ipython()"),
        ("took: float = %timeit -o f()", "took: float = get_ipython()"),
    ],
)
def test_what_is_not_python(line: str, expected: str) -> None:
    assert as_python(line) == expected
    assert as_python(f"before = 1\n{line}\nafter = 2\n") == f"before = 1\n{expected}\nafter = 2\n"


@pytest.mark.parametrize(
    "cell",
    [
        "a = 7 % 3\na %= 2\nb = a != 3\nc = a == 3\n",
        "x = (7\n % 3)\ny = [\n  a,\n  7\n  % b\n]\n",
        "s = '''\n%time\n!ls\nf?\n'''\n",
        's = """it\'s\n!ls"""; t = "it\'s (" \nu = 1\n',
        "t = 7 \\\n % 3\n",
        "# what is it?\nx = 1  # why?\n",
        "s = 'what?'\n",
        "f(a=1, b='!')\n",
        "d = {'a': 1, # (\n '%': 2}\n",
    ],
)
def test_what_is_python_stays(cell: str) -> None:
    ast.parse(cell)
    assert stand_ins(cell.splitlines(keepends=True)) == {}


def test_lines_that_a_backslash_joins_go_together() -> None:
    assert as_python("!pip install \\\n  torch \\\n  --quiet\nx = 1\n") == "pass\n\n\nx = 1\n"
    assert as_python("files = !ls \\\n  -l") == "files = get_ipython()\n"


def test_a_block_keeps_its_shape() -> None:
    cell = "for name in names:\n    !wget {name}\n    if name:\n        out = !cat {name}\nelse:\n    %pwd\n"
    ast.parse(as_python(cell))
    assert len(as_python(cell).splitlines()) == len(cell.splitlines())


@pytest.mark.parametrize("cell", ["x = 1", "%%time\nx", "%%capture out\nx", "\n%%timeit\nx", "%time x", "%%python3\nx"])
def test_cells_of_python(cell: str) -> None:
    assert is_python(cell)


@pytest.mark.parametrize("cell", ["%%bash\nls", "%%html\n<p>", "\n\n%%writefile a.py\nx", "%%sql x\n", "%%!\nls"])
def test_cells_of_something_else(cell: str) -> None:
    assert not is_python(cell)


def test_a_comment_ends_with_its_line() -> None:
    assert stand_ins(["x = 1  # note (\n", "!ls\n"]) == {1: "pass"}
    assert stand_ins(["x = (  # a )\n", "    1)\n", "!ls\n"]) == {2: "pass"}
    assert stand_ins(["x = (  # it's\n", "!ls\n", ")\n"]) == {}
