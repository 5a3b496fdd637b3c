"""The last check: whatever the rooms before it did, a text that says something else than planned does not get out."""

from __future__ import annotations

import ast

import pytest

from kl_lint.finding import Edit, Replace, SetKeyword, SwapArguments, Unwrap, Wrap
from kl_lint.rewriting.guard import guard
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.program import compose
from kl_lint.rewriting.refusal import Refused
from tests.rewriting.marking import at, fix

SOURCE = "y = f(g(a + b), c)\nz = 1\n"
CALL, INNER, SUM, LAST = at(SOURCE, "f(g(a + b), c)"), at(SOURCE, "g(a + b)"), at(SOURCE, "a + b"), at(SOURCE, "c")

CASES: list[tuple[Edit, str]] = [
    (Wrap(SUM, "", ".log()"), "y = f(g((a + b).log()), c)\nz = 1\n"),
    (Unwrap(INNER, SUM), "y = f(a + b, c)\nz = 1\n"),
    (SetKeyword(INNER, "d", "'x'"), 'y = f(g(a + b, d="x"), c)\nz = 1\n'),
    (SetKeyword(CALL, "d", "1"), "y = f(g(a + b), c, d=1)\nz = 1\n"),
    (SwapArguments(CALL, INNER, LAST), "y = f(c, g(a + b))\nz = 1\n"),
    (Replace(CALL, "h({0}) * 2", (SUM,)), "y = h(a + b) * 2\nz = 1\n"),
]


@pytest.mark.parametrize(("edit", "text"), CASES)
def test_what_was_planned_passes_in_any_layout(edit: Edit, text: str) -> None:
    page = Page(SOURCE)
    program = compose(page, [fix(edit)])
    guard(page, program, text)
    guard(page, program, text.replace(", ", " ,\t").replace("\n", "  # comment\r\n\n", 1))


TAMPERED = [
    ("a + b", "a - b"),
    ("c", "d"),
    ("z = 1", "z = 2"),
    ("z = 1\n", ""),
    ("\nz", "\nw = 0\nz"),
    ("y = ", "y = -"),
]


@pytest.mark.parametrize(
    ("edit", "text"),
    [(edit, text.replace(old, new)) for edit, text in CASES for old, new in TAMPERED if old in text],
)
def test_what_was_not_planned_does_not(edit: Edit, text: str) -> None:
    page = Page(SOURCE)
    with pytest.raises(Refused, match="something else than was planned"):
        guard(page, compose(page, [fix(edit)]), text)


SHARED_ROWS = "@deco(a1)\ndef fun(): return f(b1)\nx = [\n    c1]; y = f(\n    e1); z = f(g1)\nw = 1\n"


@pytest.mark.parametrize("name", ["a1", "b1", "c1", "e1", "g1"])
def test_statements_that_share_rows_are_checked_together(name: str) -> None:
    page = Page(SHARED_ROWS)
    program = compose(page, [fix(Wrap(at(SHARED_ROWS, name), "", ".h"))])
    new = SHARED_ROWS.replace(name, f"{name}.h")
    guard(page, program, new)
    for old, other in [("@d", "@e"), ("return f", "return g"), ("x =", "k ="), ("y", "yy"), ("z", "zz"), ("w", "ww")]:
        with pytest.raises(Refused, match="something else than was planned"):
            guard(page, program, new.replace(old, other))


def test_missing_parentheses_are_noticed() -> None:
    page = Page(SOURCE)
    with pytest.raises(Refused, match="something else than was planned"):
        guard(page, compose(page, [fix(Wrap(SUM, "", ".log()"))]), "y = f(g(a + b.log()), c)\nz = 1\n")


def test_an_edit_that_was_not_made_is_noticed() -> None:
    page = Page(SOURCE)
    for edit, _ in CASES:
        with pytest.raises(Refused, match="something else than was planned"):
            guard(page, compose(page, [fix(edit)]), SOURCE)


def test_a_text_that_does_not_parse_is_noticed() -> None:
    page = Page(SOURCE)
    with pytest.raises(Refused, match=r"the rewritten file would not parse: .*, line 1"):
        guard(page, compose(page, [fix(Wrap(SUM, "", ".log()"))]), SOURCE.replace(")", ""))


def test_a_tree_that_is_too_deep_to_compare_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tree: ast.AST) -> str:
        raise RecursionError

    page = Page(SOURCE)
    edit, text = CASES[0]
    program = compose(page, [fix(edit)])
    monkeypatch.setattr(ast, "dump", fail)
    with pytest.raises(Refused, match="an expression is nested too deeply to be checked"):
        guard(page, program, text)
