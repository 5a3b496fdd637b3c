"""Keywords set, dropped, renamed and named, in every layout that a call may have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kl_lint.finding import DropKeyword, Edit, NamePositional, RenameKeyword, SetKeyword, Span
from tests.rewriting.marking import at, refusal, rewrite

BATCHMEAN = '"batchmean"'


def _call(source: str) -> Span:
    """The span of the call that `source` is, or assigns."""
    return at(source, source[source.index("f") :].rstrip("\r\n"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("f()\n", 'f(reduction="batchmean")\n', id="no-arguments"),
        pytest.param("f(a, b)\n", 'f(a, b, reduction="batchmean")\n', id="one-row"),
        pytest.param("f(a, b,)\n", 'f(a, b, reduction="batchmean",)\n', id="one-row-trailing-comma"),
        pytest.param("f(a, b, )\n", 'f(a, b, reduction="batchmean", )\n', id="one-row-trailing-comma-and-space"),
        pytest.param("f( a, b )\n", 'f( a, b, reduction="batchmean" )\n', id="inner-spaces"),
        pytest.param("f(a, (b))\n", 'f(a, (b), reduction="batchmean")\n', id="parentheses"),
        pytest.param("f(*a)\n", 'f(*a, reduction="batchmean")\n', id="star"),
        pytest.param("f(\n    a,\n    b,\n)\n", 'f(\n    a,\n    b,\n    reduction="batchmean",\n)\n', id="rows"),
        pytest.param("f(\n\ta,\n\tb,\n)\n", 'f(\n\ta,\n\tb,\n\treduction="batchmean",\n)\n', id="tabs"),
        pytest.param(
            "f(\r\n  a,\r\n  b,\r\n)\r\n", 'f(\r\n  a,\r\n  b,\r\n  reduction="batchmean",\r\n)\r\n', id="crlf"
        ),
        pytest.param("f(\r  a,\r  b,\r)\r", 'f(\r  a,\r  b,\r  reduction="batchmean",\r)\r', id="cr"),
        pytest.param(
            "f(\n    a,\n    b\n)\n", 'f(\n    a,\n    b,\n    reduction="batchmean"\n)\n', id="no-last-comma"
        ),
        pytest.param("f(\n    a\n)\n", 'f(\n    a,\n    reduction="batchmean"\n)\n', id="one-argument-on-a-row"),
        pytest.param("f(a,\n  b)\n", 'f(a,\n  b, reduction="batchmean")\n', id="aligned"),
        pytest.param("f(\n    a, b\n)\n", 'f(\n    a, b, reduction="batchmean"\n)\n', id="packed"),
        pytest.param("f(a, b,\n  c)\n", 'f(a, b,\n  c, reduction="batchmean")\n', id="packed-rows"),
        pytest.param("f(a\n  )\n", 'f(a, reduction="batchmean"\n  )\n', id="on-the-first-row"),
        pytest.param(
            "f(g(\n    a\n), g(\n    b\n))\n", 'f(g(\n    a\n), g(\n    b\n), reduction="batchmean")\n', id="hugging"
        ),
        pytest.param(
            "f(\n    a,  # p\n    b,  # q\n)\n",
            'f(\n    a,  # p\n    b,  # q\n    reduction="batchmean",\n)\n',
            id="comments",
        ),
        pytest.param(
            "f(\n    a,\n    b  # q\n)\n",
            'f(\n    a,\n    b,  # q\n    reduction="batchmean"\n)\n',
            id="comment-no-comma",
        ),
        pytest.param(
            "f(\n    a,\n    b,\n    # no more\n)\n",
            'f(\n    a,\n    b,\n    reduction="batchmean",\n    # no more\n)\n',
            id="comment-on-a-row",
        ),
        pytest.param(
            "f(a, b,  # why\n)\n", 'f(a, b, reduction="batchmean",  # why\n)\n', id="comment-after-packed-arguments"
        ),
        pytest.param("f(a, reduction='mean')\n", "f(a, reduction='batchmean')\n", id="in-place-in-its-quotes"),
        pytest.param("f(a, reduction = mode)\n", 'f(a, reduction = "batchmean")\n', id="in-place-with-spaces"),
        pytest.param(
            "f(a, reduction=(x or y), **kw)\n", 'f(a, reduction="batchmean", **kw)\n', id="in-place-beside-**"
        ),
        pytest.param("f(a, mode='x')\n", "f(a, mode='x', reduction='batchmean')\n", id="quotes-of-the-call"),
        pytest.param("y = 'x'; f(a)\n", "y = 'x'; f(a, reduction='batchmean')\n", id="quotes-of-the-file"),
        pytest.param(
            "def g():\n    return 'x'\n\nf(a)\n",
            "def g():\n    return 'x'\n\nf(a, reduction='batchmean')\n",
            id="quotes-of-another-statement",
        ),
        pytest.param(
            "y = 'x', 'y', f(a, mode=\"x\")\n",
            "y = 'x', 'y', f(a, mode=\"x\", reduction=\"batchmean\")\n",
            id="quotes-of-the-call-first",
        ),
        pytest.param("'''text'''; f(a)\n", "'''text'''; f(a, reduction=\"batchmean\")\n", id="docstrings-do-not-count"),
    ],
)
def test_set_keyword(source: str, expected: str) -> None:
    start = source.index("f(")
    call = at(source, source[start:].rstrip("\r\n"))
    assert rewrite(source, SetKeyword(call, "reduction", BATCHMEAN)) == expected


def test_two_keywords_are_set_in_order() -> None:
    for source, expected in [
        ("f()\n", "f(reduction='sum', log_target=True)\n"),
        ("f(a)\n", "f(a, reduction='sum', log_target=True)\n"),
        ("f(\n    a,\n)\n", "f(\n    a,\n    reduction='sum',\n    log_target=True,\n)\n"),
        ("f(\n    a\n)\n", "f(\n    a,\n    reduction='sum',\n    log_target=True\n)\n"),
    ]:
        call = _call(source)
        text = rewrite("''\n" + source, *(_shift(SetKeyword(call, *pair)) for pair in _PAIRS))
        assert text == "''\n" + expected


_PAIRS = (("reduction", '"sum"'), ("log_target", "True"))


def _shift(edit: SetKeyword) -> SetKeyword:
    span = edit.span
    return SetKeyword(Span(span.row + 1, span.column, span.end_row + 1, span.end_column), edit.name, edit.value)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_string_in_an_f_string_takes_the_other_quotes(quote: str) -> None:
    other = '"' if quote == "'" else "'"
    source = f"print(f{quote}{{f(a)}}{quote})\n"
    text = rewrite(source, SetKeyword(at(source, "f(a)"), "reduction", BATCHMEAN))
    assert text == f"print(f{quote}{{f(a, reduction={other}batchmean{other})}}{quote})\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print(f\"{x}\", f(a))\n", "print(f\"{x}\", f(a, reduction=\"batchmean\"))\n"),
        ("print(f(a), f\"{x}\")\n", "print(f(a, reduction=\"batchmean\"), f\"{x}\")\n"),
        ("y = f'{x}', 'x', f(a)\n", "y = f'{x}', 'x', f(a, reduction='batchmean')\n"),
        ("y = f(a), f'{x}', 'x'\n", "y = f(a, reduction='batchmean'), f'{x}', 'x'\n"),
    ],
)
def test_an_f_string_beside_a_call_does_not_count(source: str, expected: str) -> None:
    assert rewrite(source, SetKeyword(at(source, "f(a)"), "reduction", BATCHMEAN)) == expected


def test_no_keyword_is_added_beside_a_mapping() -> None:
    source = "f(a, **options)\n"
    reason = "the call takes **, which may hold reduction already"
    assert refusal(source, SetKeyword(_call(source), "reduction", BATCHMEAN)) == reason
    source = "f(a, size_average=True, **options)\n"
    assert refusal(source, RenameKeyword(_call(source), "size_average", "reduction", '"mean"')) == reason


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("f(old=1)\n", "f()\n", id="only-one"),
        pytest.param("f(old=1,)\n", "f()\n", id="only-one-with-comma"),
        pytest.param("f(a, old=1)\n", "f(a)\n", id="last"),
        pytest.param("f(a, old=1,)\n", "f(a,)\n", id="last-with-comma"),
        pytest.param("f(a, old=1, b=2)\n", "f(a, b=2)\n", id="middle"),
        pytest.param("f(old=1, b=2)\n", "f(b=2)\n", id="first"),
        pytest.param("f(old=1, **kw)\n", "f(**kw)\n", id="beside-a-mapping"),
        pytest.param("f(\n    a,\n    old=1,\n    b=2,\n)\n", "f(\n    a,\n    b=2,\n)\n", id="rows-middle"),
        pytest.param("f(\n    a,\n    old=1,\n)\n", "f(\n    a,\n)\n", id="rows-last"),
        pytest.param("f(\n    a,\n    old=1\n)\n", "f(\n    a\n)\n", id="rows-last-no-comma"),
        pytest.param("f(\n    old=1,\n    a=2,\n)\n", "f(\n    a=2,\n)\n", id="rows-first"),
        pytest.param("f(\n    a,  # p\n    old=1,\n)\n", "f(\n    a,  # p\n)\n", id="comment-before"),
        pytest.param("f(\n    a,  # p\n    old=1\n)\n", "f(\n    a,  # p\n)\n", id="comment-before-no-comma"),
        pytest.param(
            "f(\n    a,\n    old=1,\n    # of b\n    b=2,\n)\n",
            "f(\n    a,\n    # of b\n    b=2,\n)\n",
            id="comment-of-next",
        ),
        pytest.param("f(\r\n    a,\r\n    old=1,\r\n    b=2)\r\n", "f(\r\n    a,\r\n    b=2)\r\n", id="crlf"),
    ],
)
def test_drop_keyword(source: str, expected: str) -> None:
    assert rewrite(source, DropKeyword(_call(source), "old")) == expected


def test_dropping_a_keyword_does_not_drop_its_comment() -> None:
    source = "f(\n    a,\n    old=1,  # because\n    b=2,\n)\n"
    assert refusal(source, DropKeyword(_call(source), "old")) == "a comment would be lost"


def test_neighbours_are_dropped_together() -> None:
    for source, expected in [
        ("f(a, old=1, older=2)\n", "f(a)\n"),
        ("f(old=1, older=2, a=3)\n", "f(a=3)\n"),
        ("f(old=1, older=2)\n", "f()\n"),
        ("f(old=1, a=3, older=2)\n", "f(a=3)\n"),
    ]:
        call = _call(source)
        assert rewrite(source, DropKeyword(call, "old"), DropKeyword(call, "older")) == expected


def test_a_dropped_keyword_leaves_its_place_to_a_new_one() -> None:
    for source, expected in [
        ("f(old=1)\n", "f(reduction='sum')\n"),
        ("f(a, old=1,)\n", "f(a, reduction='sum',)\n"),
        ("f(\n    a,\n    old=1,  # why\n)\n", "f(\n    a,\n    reduction='sum',  # why\n)\n"),
        ("f(a, old=1, b=2)\n", "f(a, b=2, reduction='sum')\n"),
    ]:
        source, expected = "''; " + source, "''; " + expected
        call = at(source, source[source.index("f(") :].rstrip("\n"))
        assert rewrite(source, DropKeyword(call, "old"), SetKeyword(call, "reduction", '"sum"')) == expected


@pytest.mark.parametrize(
    ("source", "edit", "expected"),
    [
        pytest.param("f(a, old=1)\n", ("old", "new"), "f(a, new=1)\n", id="name"),
        pytest.param("f(a, old = g(1))\n", ("old", "new"), "f(a, new = g(1))\n", id="name-with-spaces"),
        pytest.param("f(a, old=1)\n", ("old", "new", '"sum"'), 'f(a, new="sum")\n', id="name-and-value"),
        pytest.param("f(a, old=(1))\n", ("old", "old", "2"), "f(a, old=2)\n", id="value"),
        pytest.param(
            "f(\n    a,\n    old=1,  # why\n)\n",
            ("old", "new", "2"),
            "f(\n    a,\n    new=2,  # why\n)\n",
            id="comment",
        ),
    ],
)
def test_rename_keyword(source: str, edit: tuple[str, ...], expected: str) -> None:
    assert rewrite(source, RenameKeyword(_call(source), *edit)) == expected


@pytest.mark.parametrize(
    ("source", "index", "value", "drop_before", "expected"),
    [
        pytest.param("f(a, b, 'sum')\n", 2, None, 0, "f(a, b, reduction='sum')\n", id="last"),
        pytest.param("f('sum')\n", 0, None, 0, "f(reduction='sum')\n", id="only-one"),
        pytest.param("f('mean')\n", 0, '"batchmean"', 0, "f(reduction='batchmean')\n", id="with-value"),
        pytest.param("f(a, b, None, None, 'sum')\n", 4, None, 2, "f(a, b, reduction='sum')\n", id="placeholders"),
        pytest.param("f(None, None, 'sum')\n", 2, None, 2, "f(reduction='sum')\n", id="placeholders-first"),
        pytest.param("f(a, ('sum'), b=1)\n", 1, None, 0, "f(a, reduction=('sum'), b=1)\n", id="parentheses"),
        pytest.param("f(a, 'sum', **kw)\n", 1, None, 0, "f(a, reduction='sum', **kw)\n", id="beside-a-mapping"),
        pytest.param(
            "f(\n    a,\n    None,\n    None,\n    'sum',  # why\n)\n",
            3,
            None,
            2,
            "f(\n    a,\n    reduction='sum',  # why\n)\n",
            id="rows",
        ),
    ],
)
def test_name_positional(source: str, index: int, value: str | None, drop_before: int, expected: str) -> None:
    assert rewrite(source, NamePositional(_call(source), index, "reduction", value, drop_before)) == expected


def test_all_that_follow_are_named_too() -> None:
    source = "f(a, b, None, None, 'sum', True)\n"
    call = _call(source)
    first, second = NamePositional(call, 4, "reduction", None, 2), NamePositional(call, 5, "log_target")
    assert rewrite(source, first, second) == "f(a, b, reduction='sum', log_target=True)\n"
    assert rewrite(source, second) == "f(a, b, None, None, 'sum', log_target=True)\n"
    assert refusal(source, first) == "a positional argument follows the one to be named"


@pytest.mark.parametrize(
    ("source", "make", "reason"),
    [
        pytest.param("f(a)\n", lambda call: DropKeyword(call, "b"), "the call has no argument b", id="drop"),
        pytest.param("f(a)\n", lambda call: RenameKeyword(call, "b", "c"), "the call has no argument b", id="rename"),
        pytest.param(
            "f(b=1, c=2)\n", lambda call: RenameKeyword(call, "b", "c"), "the call would be given c twice", id="twice"
        ),
        pytest.param(
            "f(1, c=2)\n", lambda call: NamePositional(call, 0, "c"), "the call would be given c twice", id="2-names"
        ),
        pytest.param(
            "f(a, b=1)\n",
            lambda call: NamePositional(call, 1, "c"),
            "the call has no positional argument 2 that can be named",
            id="a-keyword",
        ),
        pytest.param(
            "f(*a, 1)\n",
            lambda call: NamePositional(call, 1, "c"),
            "the call has no positional argument 2 that can be named",
            id="after-a-star",
        ),
        pytest.param(
            "f(a)\n",
            lambda call: NamePositional(call, 0, "c", None, 1),
            "the call has no positional argument 1 that can be named",
            id="nothing-to-drop",
        ),
        pytest.param(
            "f(1, *a)\n",
            lambda call: NamePositional(call, 0, "c"),
            "a positional argument follows the one to be named",
            id="before-a-star",
        ),
    ],
)  # fmt: skip
def test_what_a_call_cannot_take(source: str, make: Callable[[Span], Edit], reason: str) -> None:
    assert refusal(source, make(_call(source))) == reason
