"""The search, the parse, the errors: what stands between a text and its findings."""

from __future__ import annotations

import ast
import gc
import io
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

import kl_lint
from kl_lint.engine import check_text, check_tree, inspect_text, mentions, parse
from kl_lint.lines import split_lines

MISUSE = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(F.softmax(x, dim=1), q, reduction="batchmean")
"""
HANDWRITTEN = """\
import torch


def divergence(x, y):
    p, q = torch.softmax(x, 1), torch.softmax(y, 1)
    return torch.sum(p * (torch.log(p) - torch.log(q)))
"""


@pytest.mark.parametrize(
    ("text", "plain", "handwritten"),
    [
        ("F.kl_div(a, b)", True, True),
        ("nn.KLDivLoss()", True, True),
        ("getattr(nn, 'KLDivLoss')", True, True),
        ("class MyKLDiv: ...", True, True),
        ("from x import kl_div as k", True, True),
        ("torch.distributions.kl_divergence(p, q)", False, True),
        ("my_kl_div(a, b)", False, False),
        ("kl_divergence = 1; kl_div()", True, True),
        ("import torch", False, True),
        ("x = 1", False, False),
        ("", False, False),
    ],
)
def test_the_search(text: str, plain: bool, handwritten: bool) -> None:
    assert mentions(text) is mentions(text.encode()) is plain
    for enable in ("KLD601", "KLD6", "KLD"):
        assert mentions(text, frozenset({enable})) is mentions(text.encode(), frozenset({enable})) is handwritten
    assert mentions(text, frozenset({"KLD208"})) is plain


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a\n"]),
        ("a\n\nb", ["a\n", "\n", "b"]),
        ("a\r\nb\rc\n", ["a\n", "b\n", "c\n"]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\n", ["a\x0bb\x0cc\x1cd\x85e\u2028f\n"]),
    ],
)
def test_lines_end_where_python_says(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines
    if text.isprintable():
        assert "".join(lines) == text


@given(st.text(alphabet="ab\r\n\x0b\x0c\x1c\x85\u2028"))
def test_lines_are_those_of_a_file_read_as_text(text: str) -> None:
    assert split_lines(text) == io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8").readlines()


def test_a_check_returns_findings() -> None:
    (finding,), complete = check_text(MISUSE, "loss.py")
    assert complete
    assert (finding.code, finding.filename, finding.noqa_row) == ("KLD101", "loss.py", 5)
    assert kl_lint.check_source(MISUSE, "loss.py") == (finding,)
    assert check_tree(ast.parse(MISUSE), split_lines(MISUSE), "loss.py") == ((finding,), True)
    assert isinstance(finding, kl_lint.Finding)
    assert kl_lint.check_source("x = 1") == ()


def test_handwritten_divergences_are_looked_for_when_asked() -> None:
    assert kl_lint.check_source(HANDWRITTEN) == ()
    assert [finding.code for finding in kl_lint.check_source(HANDWRITTEN, enable=frozenset({"KLD6"}))] == ["KLD601"]


def test_inspection_returns_rows() -> None:
    (row,) = kl_lint.inspect_source(MISUSE)
    assert (row.filename, row.span.row, row.computes) == ("<string>", 5, "not a divergence: the input is probabilities")
    assert isinstance(row, kl_lint.Row)
    assert inspect_text("x = 1", "x.py") == ((), True)


def test_what_is_not_python_is_a_syntax_error() -> None:
    for source in ("kl_div(", "kl_div\n\0", "kl_div = '\udcff'", "kl_div" + "(" * 100_000, "kl_div + " * 100_000 + "1"):
        with pytest.raises(SyntaxError):
            kl_lint.check_source(source)
        with pytest.raises(SyntaxError):
            kl_lint.inspect_source(source)
    assert kl_lint.check_source("not python, and not about divergences") == ()


def test_the_parse_is_silent_about_the_code_it_reads() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse("kl_div = '\\d'; x = 1 is 1\n", "x.py")


@pytest.mark.parametrize("collecting", [True, False])
def test_the_parse_leaves_the_garbage_collector_as_it_was(collecting: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        parse("x = 1", "x.py")
        with pytest.raises(SyntaxError):
            parse("x =", "x.py")
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()


class Odd(Exception):
    """An error whose text has more than one line."""

    def __str__(self) -> str:
        return "one\n  two"


def endless(*_: object, **__: object) -> object:
    return endless()


@pytest.mark.parametrize(
    ("error", "told"),
    [(Odd(), "Odd: one two"), (MemoryError(), "MemoryError"), (AssertionError("x"), "AssertionError: x")],
)
@pytest.mark.parametrize("room", ["kl_lint.flow.analyse", "kl_lint.rules.judge"])
def test_an_internal_error_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, room: str, error: Exception, told: str
) -> None:
    def failing(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr(room, failing)
    (finding,), _ = check_text(f"\n\n  # kl_div\n{MISUSE}", "loss.py")
    assert (finding.code, finding.name, finding.filename) == ("KLD000", "internal-error", "loss.py")
    assert (finding.span.row, finding.span.column, finding.span.end_column, finding.noqa_row) == (3, 3, 11, 3)
    assert finding.message.startswith("internal error at kl_lint.engine, line ")
    assert finding.message.endswith(f": {told}; the file was not checked, please report it")


def test_endless_recursion_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kl_lint.flow.analyse", endless)
    (finding,), _ = check_text(MISUSE, "loss.py")
    assert finding.code == "KLD000"
    assert "RecursionError" in finding.message


def test_the_place_of_an_internal_error_is_the_innermost_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(facts: object, *, enable: frozenset[str]) -> object:
        from kl_lint.inspection import describe

        return describe(SimpleNamespace(sites=None))  # type: ignore[arg-type]

    monkeypatch.setattr("kl_lint.rules.judge", failing)
    (finding,), _ = check_text(MISUSE, "loss.py")
    assert finding.message.startswith("internal error at kl_lint.inspection, line ")


def test_interruptions_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("kl_lint.flow.analyse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_text(MISUSE, "loss.py")


def test_the_public_face() -> None:
    assert set(kl_lint.__all__) <= set(dir(kl_lint))
    for name in kl_lint.__all__:
        assert getattr(kl_lint, name) is not None
    with pytest.raises(AttributeError, match="module 'kl_lint' has no attribute 'check_sauce'"):
        kl_lint.check_sauce  # noqa: B018


def test_neither_torch_nor_numpy_is_loaded() -> None:
    script = "import sys, kl_lint; assert kl_lint.check_source(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, MISUSE], capture_output=True, text=True, check=True)
    assert "kl_lint.rules" in done.stdout.split()
    assert {"torch", "numpy", "libcst"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize("target", ["F.softmax(masked, 1)", "F.softmax(F.log_softmax(masked, 1), 1)"])
def test_a_target_masked_with_infinity_stays_in_probabilities(target: str) -> None:
    """Of -inf, `log_target=True` makes nan: that is no safe fix of KLD305."""
    text = (
        "import torch\nimport torch.nn.functional as F\n\n\ndef loss(x, y):\n"
        "    masked = y.masked_fill(y > 1.0, float('-inf'))\n"
        f"    return F.kl_div(F.log_softmax(x, 1), {target}, reduction='sum')\n"
    )
    findings, _ = check_text(text, "masked.py", enable=frozenset({"KLD305"}))
    assert [(finding.code, finding.fix) for finding in findings] == [("KLD305", None)]
    plain, _ = check_text(text.replace("float('-inf')", "-1e9"), "masked.py", enable=frozenset({"KLD305"}))
    assert [finding.fix is not None for finding in plain] == [True]
