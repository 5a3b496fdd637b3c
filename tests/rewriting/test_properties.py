"""Random programs, random layouts, random edits: what holds for all of them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings, strategies as st

from kl_lint.finding import (
    DropKeyword,
    Edit,
    Fix,
    NamePositional,
    RenameCallee,
    RenameKeyword,
    Replace,
    SetKeyword,
    Span,
    SwapArguments,
    Unwrap,
    Wrap,
)
from kl_lint.rewriting import apply_fixes, text_edits
from kl_lint.rewriting.lines import Lines
from tests.rewriting.marking import edited, fix

pytestmark = pytest.mark.no_cover

NAMES = st.sampled_from(["x", "logits", "T", "é", "模型"])
ATOMS = st.one_of(
    NAMES, st.sampled_from(["1", "2.5", "-1", "None", "'mean'", '"sum"', "[a, b]", "(a, b)", "{}", "p[0]"])
)
GAPS = ["", "", "", " ", "  "]
OPEN_GAPS = [*GAPS, "\n", "\n    ", "\r\n\t", "  # why\n  ", "\f"]


@st.composite
def expressions(draw: st.DrawFn, gaps: Sequence[str] = OPEN_GAPS, depth: int = 3) -> str:
    """Source of an expression, with comments and newlines only within brackets."""
    if depth == 0:
        return draw(ATOMS)
    gap = st.sampled_from(gaps)
    inner = expressions(gaps, depth - 1)
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2 | 3:
            return draw(calls(gaps, depth))
        case 4:
            operator = draw(st.sampled_from(["+", "-", "*", "/", "**", "@", "==", "and", "or"]))
            return f"{draw(inner)} {operator} {draw(inner)}"
        case 5:
            return f"({draw(gap)}{draw(inner)}{draw(gap)})"
        case 6:
            return f"{draw(inner)} if {draw(inner)} else {draw(inner)}"
        case 7:
            return draw(st.sampled_from(["lambda: ", "not ", "-"])) + draw(inner)
        case 8:
            return f"({draw(inner)}).{draw(NAMES)}"
        case _:
            return draw(ATOMS)


@st.composite
def calls(draw: st.DrawFn, gaps: Sequence[str] = OPEN_GAPS, depth: int = 2) -> str:
    """Source of a call, its arguments laid out in any way that parses."""
    gap = st.sampled_from(gaps)
    inner = expressions(gaps, depth - 1)
    callee = draw(st.sampled_from(["F.softmax", "softmax", "torch.log", "F.kl_div", "x.log", "(f)", "nn.KLDivLoss"]))
    arguments = draw(st.lists(inner, max_size=3))
    arguments += ["*args"] * draw(st.sampled_from([0, 0, 0, 1]))
    keywords = draw(st.lists(st.sampled_from(["dim", "reduction", "input", "old"]), max_size=2, unique=True))
    arguments += [f"{keyword}={draw(inner)}" for keyword in keywords]
    arguments += ["**options"] * draw(st.sampled_from([0, 0, 0, 1]))
    text = f",{draw(gap)}".join(f"{argument}{draw(gap)}" for argument in arguments)
    comma = draw(st.sampled_from(["", ","])) if arguments else ""
    return f"{callee}({draw(gap)}{text}{comma}{draw(gap)})"


@st.composite
def programs(draw: st.DrawFn, gaps: Sequence[str] = OPEN_GAPS) -> str:
    """A module of a few statements around expressions."""
    header = draw(
        st.sampled_from(["", "from torch.nn.functional import softmax\n", "import torch  # x\r\n", "\n\n\f\n"])
    )
    rows = draw(st.lists(expressions(gaps), min_size=1, max_size=3))
    shape = draw(
        st.sampled_from(["y = {}", "return_({})", "if {}: pass", "y = {} ; z = 1  # end", "def g():\n\treturn {}"])
    )
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    source = header + newline.join(shape.format(row.replace("\f", " ")) for row in rows)
    source += draw(st.sampled_from(["", "\n", "\n\n  # tail\n"]))
    assume(_parses(source))
    return source


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _expressions(source: str) -> list[tuple[Span, ast.expr]]:
    lines = Lines(source)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.expr)]
    loaded = [node for node in nodes if isinstance(getattr(node, "ctx", ast.Load()), ast.Load)]
    return [(lines.span(*lines.node_range(node)), node) for node in loaded if not isinstance(node, ast.Starred)]


@st.composite
def edits(draw: st.DrawFn, source: str) -> Edit:
    """An edit somewhere in `source`: most can be made, some cannot."""
    found = _expressions(source)
    span, node = draw(st.sampled_from(found))
    inside = [other for other, _ in found if span.contains(other) and other != span]
    values: list[ast.expr] = []
    if isinstance(node, ast.Call):
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
    lines = Lines(source)
    spans = [lines.span(*lines.node_range(value)) for value in values]
    keyword = draw(st.sampled_from(["dim", "reduction", "old", "new"]))
    choices: list[st.SearchStrategy[Edit]] = [
        st.sampled_from([Wrap(span, "torch.log(", ")"), Wrap(span, "", ".log()"), Wrap(span, "1 - ", "")]),
    ]
    if inside:
        parts = st.lists(st.sampled_from(inside), min_size=2, max_size=2)
        choices.append(st.builds(Unwrap, st.just(span), st.sampled_from(inside)))
        choices.append(st.builds(Replace, st.just(span), st.just("g({0}, {1}).h"), parts.map(tuple)))
    if isinstance(node, ast.Call):
        choices += [
            st.builds(RenameCallee, st.just(span), st.sampled_from(["log_softmax", "LogSoftmax"])),
            st.builds(SetKeyword, st.just(span), st.just(keyword), st.sampled_from(['"batchmean"', "True"])),
            st.builds(DropKeyword, st.just(span), st.just(keyword)),
            st.builds(RenameKeyword, st.just(span), st.just(keyword), st.just("new"), st.sampled_from([None, "1"])),
            st.builds(NamePositional, st.just(span), st.integers(0, 2), st.just("new"), st.none(), st.integers(0, 1)),
        ]
    if len(spans) > 1:
        choices.append(st.builds(SwapArguments, st.just(span), st.just(spans[0]), st.just(spans[-1])))
    return draw(st.one_of(choices))


@st.composite
def sources_and_fixes(draw: st.DrawFn) -> tuple[str, list[Fix]]:
    source = draw(programs())
    fixes = draw(st.lists(st.lists(edits(source), min_size=1, max_size=2), min_size=1, max_size=4))
    return source, [fix(*group) for group in fixes]


@settings(max_examples=200, deadline=None)
@given(sources_and_fixes())
def test_nothing_is_lost(case: tuple[str, list[Fix]]) -> None:
    """Every fix is made or refused; the text parses, keeps its comments, and is untouched outside of the edits."""
    source, fixes = case
    result = apply_fixes(source, fixes)
    assert {*result.applied, *(refused for refused, _ in result.refused)} == set(fixes)
    assert all(reason for _, reason in result.refused)
    ast.parse(result.text)
    assert not _comments(source) - _comments(result.text)
    lines = Lines(source)
    places = [lines.range(edit.span) for made in result.applied for edit in made.edits]
    starts, ends = zip(*(place for place in places if place), strict=True) if places else ((len(source),), (0,))
    # parentheses around the outermost expressions may come or go, whatever stands inside of them
    before = re.sub(r"(\(|\s|#.*)+\Z", "", source[: min(starts)])
    after = re.sub(r"\A(\)|\s|#.*)+", "", source[max(ends) :])
    assert places or result.text == source
    assert result.text.startswith(before)
    assert result.text.endswith(after)


@settings(max_examples=60, deadline=None)
@given(sources_and_fixes())
def test_text_edits_say_the_same(case: tuple[str, list[Fix]]) -> None:
    source, (first, *_) = case
    assert edited(source, text_edits(source, first)) == apply_fixes(source, [first]).text


@settings(max_examples=60, deadline=None)
@given(sources_and_fixes())
def test_the_order_in_which_fixes_are_given_does_not_matter(case: tuple[str, list[Fix]]) -> None:
    source, fixes = case
    assume(
        len({min(edit.span for edit in each.edits) for each in fixes}) == len(fixes)
    )  # those of one place take turns
    assert apply_fixes(source, fixes[::-1]) == apply_fixes(source, fixes)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_expression_can_be_wrapped_and_unwrapped(data: st.DataObject) -> None:
    """No refusals here: the text then says what it should, and comes back as it was."""
    source = data.draw(programs(GAPS))
    span, node = data.draw(st.sampled_from(_expressions(source)))
    before, after = data.draw(st.sampled_from([("torch.log(", ")"), ("", ".log()"), ("1 - ", "")]))
    result = apply_fixes(source, [fix(Wrap(span, before, after))])
    assert result.refused == ()
    lines = Lines(result.text)
    hole = ast.parse(f"{before}hole{after}", mode="eval").body
    wrapped = [
        (lines.span(*lines.node_range(new)), inner)
        for new in ast.walk(ast.parse(result.text))
        if isinstance(new, type(hole))
        for inner in _hole(new, after)
        if ast.dump(inner) == ast.dump(node)
    ]
    assert wrapped
    back = [
        apply_fixes(result.text, [fix(Unwrap(new, lines.span(*lines.node_range(inner))))]) for new, inner in wrapped
    ]
    assert ast.dump(ast.parse(source)) in [ast.dump(ast.parse(rewritten.text)) for rewritten in back]


def _hole(node: ast.expr, after: str) -> list[ast.expr]:
    """What stands in the place of the hole, where `node` is a wrap."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="log"), args=[]) if after == ".log()":
            return [value]
        case ast.Call(func=ast.Attribute(attr="log"), args=[value]):
            return [value]
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=value):
            return [value]
        case _:
            return []


def _comments(source: str) -> Counter[str]:
    readline = io.StringIO(source, newline="").readline
    return Counter(
        token.string.rstrip() for token in tokenize.generate_tokens(readline) if token.type == tokenize.COMMENT
    )
