"""No regular expression of the package takes more than time in proportion to the text, whatever the text.

Each is found in the source, and run as the package runs it on texts made to make it try again and again: repetitions of
what it has in itself, followed by what it has not. On these, a quadratic one takes thousands of times as long as it may.
"""

from __future__ import annotations

import ast
import fnmatch
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import FrameType

import pytest

import kl_lint
from kl_lint.configuration.options import OPTIONS
from kl_lint.configuration.values import from_text
from kl_lint.flow.project import RENAMING
from kl_lint.sources.magics import stand_ins
from kl_lint.sources.notebook import Notebook
from tests.notebooks import notebook

PACKAGE = Path(kl_lint.__file__).parent
FUNCTIONS = frozenset({"compile", "search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split"})

FLAGS = {"re.MULTILINE": "m", "re.DOTALL": "s", "re.VERBOSE": "x", "re.IGNORECASE": "i"}

MADE = {
    "f'\\\\.{re.escape(target.name)}\\\\.[a-z0-9_]{{8}}{re.escape(_SUFFIX)}'": (r"\.loss\.py\.[a-z0-9_]{8}\.kl-lint", {"fullmatch"}),
    "f'# noqa(?::\\\\s?(?P<codes>(?:{_CODE}[,\\\\s]*)+))?'": (r"(?i)# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", {"search"}),
    "f'# {re.escape(self._token)} (\\\\d+)(?=[\\\\r\\\\n]|\\\\Z)'": (r"# kl-lint (\d+)(?=[\r\n]|\Z)", {"finditer"}),
    "b'(?<![A-Za-z0-9_])(?:' + b'|'.join(map(re.escape, needles)) + b')(?![A-Za-z0-9_])'": (r"(?<![A-Za-z0-9_])(?:aa|ab)(?![A-Za-z0-9_])", {"findall"}),
    "f'kl_div|{PART}'": ("kl_div|KLDiv", {"finditer"}),
    "b'\\\\b(?:def|class)[ \\\\t]+(' + b'|'.join(map(re.escape, needles)) + b')(?![A-Za-z0-9_])'": (r"\b(?:def|class)[ \t]+(aa|ab)(?![A-Za-z0-9_])", {"findall"}),
    "fnmatch.translate(os.path.normcase(pattern))": (fnmatch.translate("*a*b*c*d*e*.py"), {"match"}),
}  # fmt: skip
"""Those that are put together when they are needed, as the source has them: an example, and how they are used."""

LENGTH = 20_000
SECONDS = 5
"""Of processor time for one text, of which a linear expression takes some thousandths."""


def expressions() -> dict[str, tuple[str, frozenset[str]]]:
    """The regular expressions in the source, by where they are: what they are, and which methods are called on them."""
    trees = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_bytes()) for path in sorted(PACKAGE.rglob("*.py"))
    }
    methods: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in FUNCTIONS:
                    methods.setdefault(name, set()).add(attribute)
                case _:
                    pass
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for path, tree in trees.items():
        names = {
            id(node.value): node.targets[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=function), args=[first, *others]) if (
                    function in FUNCTIONS
                ):
                    pass
                case _:
                    continue
            if isinstance(first, ast.Constant):
                text = first.value.decode() if isinstance(first.value, bytes) else str(first.value)
                flags = [ast.unparse(each) for each in (*others, *(keyword.value for keyword in node.keywords))]
                inline = "".join(FLAGS[flag] for each in flags for flag in each.split(" | ") if flag in FLAGS)
                used = methods[names[id(node)]] if function == "compile" else {function}
                found[f"{path}: {text}"] = (f"(?{inline}){text}" if inline else text, frozenset(used))
            else:
                text = ast.unparse(first)
                assert text in MADE, f"{path}: {text} is to stand in MADE, with an example"
                found[f"{path}: {text}"] = (MADE[text][0], frozenset(MADE[text][1]))
    return found


EXPRESSIONS = expressions()


@contextmanager
def limited() -> Iterator[None]:
    """Fails where what is done within hangs."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def hostile(expression: str) -> Iterator[str]:
    """Texts made of what an expression has in it, and of little else."""
    words = [
        word
        for word in re.findall(r"[A-Za-z_]{2,}", re.sub(r"\\[a-zA-Z]|\(\?P?<\w+>", " ", expression))
        if len(word) < 12
    ]
    marks = sorted(set(re.sub(r"\\[wsdbBZ]|[A-Za-z0-9]", "", expression)) - set("|*+?") | set(" \n\\'\"a1"))
    units = [*words, *("".join(pair) for pair in product(marks, " \n\\'#(=1")), *marks]
    for unit in dict.fromkeys(units):
        for start, end in ((words[0] if words else "", "\0"), ("", "\\")):
            yield start + unit * (LENGTH // len(unit)) + end


def test_there_are_some() -> None:
    assert len(EXPRESSIONS) > 30
    assert set(MADE) <= {name.partition(": ")[2] for name in EXPRESSIONS}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_takes_time_in_proportion_to_the_text(name: str) -> None:
    expression, used = EXPRESSIONS[name]
    compiled = re.compile(expression)
    for text in hostile(expression):
        with limited():
            for method in used:
                match method:
                    case "sub":
                        compiled.sub("", text)
                    case "findall" | "finditer" | "split":
                        compiled.findall(text)
                    case _:
                        getattr(compiled, method)(text)


# --- where more than one expression, or one more than once, is at work ---


def test_an_import_that_is_never_closed() -> None:
    with limited():
        assert RENAMING.search(b"from .a import (\n" * 60_000) is None
    assert RENAMING.search(b"from .a import (  # (old names)\n    b,\n    c as d,\n)\n") is None
    assert RENAMING.search(b"from .a import (\n    b,\n    c as d,\n)\n") is not None


def test_a_cell_of_backslashes() -> None:
    with limited():
        stand_ins(["x = (\n", "\\'" * 200_000 + "\\"])


def test_a_cell_with_a_long_line() -> None:
    source = "!ls\nx = '" + "# kl-lint " * 100_000 + "'\nkl_div = 1\n"
    data = json.dumps(notebook(source)).encode()
    with limited():
        read = Notebook("a.ipynb", data)
        assert read.encode(read.text) == data


def test_an_option_of_spaces() -> None:
    (option,) = [option for option in OPTIONS if option.name == "returns"]
    with limited():
        assert from_text(
            option, "a.b" + " " * 1_000_000 + "=" + " " * 1_000_000 + "probs" + " " * 1_000_000
        ) == from_text(option, "a.b=probs")
