"""No fix takes a comment with it."""

from __future__ import annotations

import io
import tokenize

import pytest

from kl_lint.finding import DropKeyword, Edit, NamePositional, Replace, SetKeyword, Span, Unwrap
from kl_lint.rewriting import apply_fixes
from tests.rewriting.marking import at, fix, refusal, rewrite

SOURCE = """\
loss = f(  # 1
    # 2
    torch.log(  # 3
        softmax(x, dim=1),  # 4
    ),  # 5
    None,  # 6
    'sum',  # 7
    # 8
)  # 9
"""
CALL = at(SOURCE, SOURCE[7:-6])
LOG = at(SOURCE, "torch.log(  # 3\n        softmax(x, dim=1),  # 4\n    )")
SOFTMAX = at(SOURCE, "softmax(x, dim=1)")


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(Unwrap(LOG, SOFTMAX), id="unwrap"),
        pytest.param(Replace(LOG, "{0}.log()", (SOFTMAX,)), id="replace"),
        pytest.param(Replace(CALL, "f({0})", (LOG,)), id="replace-the-call"),
        pytest.param(NamePositional(CALL, 2, "reduction", None, 1), id="drop-a-placeholder"),
    ],
)
def test_a_comment_would_be_lost(edit: Edit) -> None:
    assert refusal(SOURCE, edit) == "a comment would be lost"


def test_the_rest_of_a_pass_is_made() -> None:
    lossy, harmless = fix(Unwrap(LOG, SOFTMAX)), fix(SetKeyword(CALL, "log_target", "True"))
    result = apply_fixes(SOURCE, [lossy, harmless])
    assert result.refused == ((lossy, "a comment would be lost"),)
    assert result.text == SOURCE.replace("  # 7\n", "  # 7\n    log_target=True,\n")
    assert _comments(result.text) == _comments(SOURCE)


def test_comments_within_what_is_kept_stay() -> None:
    source = "y = log(softmax(\n    x,  # logits\n    1,\n))\n"
    inner = "softmax(\n    x,  # logits\n    1,\n)"
    assert rewrite(source, Unwrap(at(source, f"log({inner})"), at(source, inner))) == f"y = {inner}\n"
    text = rewrite(source, Replace(at(source, f"log({inner})"), "g(1, {0})", (at(source, inner),)))
    assert text == f"y = g(1, {inner})\n"


def test_what_looks_like_a_comment() -> None:
    source = "y = log(softmax(x, '# no'), z)\n"
    softmax = at(source, "softmax(x, '# no')")
    assert rewrite(source, Unwrap(at(source, "log(softmax(x, '# no'), z)"), softmax)) == "y = softmax(x, '# no')\n"
    source = "f(a, old='#',\n  b=1)\n"
    assert rewrite(source, DropKeyword(Span(1, 1, 2, 7), "old")) == "f(a, b=1)\n"


def _comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]
