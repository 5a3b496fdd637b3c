"""One edit at a time, on one row."""

from __future__ import annotations

import pytest

from kl_lint.finding import (
    DropKeyword,
    RenameCallee,
    Replace,
    SetKeyword,
    Span,
    SwapArguments,
    Unwrap,
    Wrap,
)
from tests.rewriting.marking import at, refusal, rewrite


@pytest.mark.parametrize(
    ("source", "expression", "before", "after", "expected"),
    [
        pytest.param("f(p)\n", "p", "torch.log(", ")", "f(torch.log(p))\n", id="function"),
        pytest.param("f(p)\n", "p", "", ".log()", "f(p.log())\n", id="method"),
        pytest.param("f(p[0].q(1))\n", "p[0].q(1)", "", ".log()", "f(p[0].q(1).log())\n", id="chain"),
        pytest.param("f(a + b)\n", "a + b", "", ".log()", "f((a + b).log())\n", id="sum-method"),
        pytest.param("f(a + b)\n", "a + b", "torch.log(", ")", "f(torch.log(a + b))\n", id="sum-function"),
        pytest.param("f((a + b))\n", "a + b", "", ".log()", "f((a + b).log())\n", id="own-parentheses-method"),
        pytest.param("f((a + b))\n", "a + b", "torch.log(", ")", "f(torch.log(a + b))\n", id="own-parentheses"),
        pytest.param("f(((a)))\n", "a", "", ".log()", "f(a.log())\n", id="parentheses-without-need"),
        pytest.param("f(lambda: x)\n", "lambda: x", "", ".log()", "f((lambda: x).log())\n", id="lambda"),
        pytest.param("f(a if b else c)\n", "a if b else c", "", ".log()", "f((a if b else c).log())\n", id="ternary"),
        pytest.param(
            "f(a if b else c)\n", "a if b else c", "log(", ")", "f(log(a if b else c))\n", id="ternary-function"
        ),
        pytest.param(
            "async def g():\n    f(await x)\n",
            "await x",
            "",
            ".log()",
            "async def g():\n    f((await x).log())\n",
            id="await",
        ),
        pytest.param("f(-x)\n", "-x", "", ".log()", "f((-x).log())\n", id="unary"),
        pytest.param("f(1)\n", "1", "", ".real", "f((1).real)\n", id="number"),
        pytest.param("f('a')\n", "'a'", "", ".upper()", "f('a'.upper())\n", id="string"),
        pytest.param("f(y := 1)\n", "y := 1", "", ".real", "f((y := 1).real)\n", id="walrus"),
        pytest.param("f(y := x)\n", "y := x", "log(", ")", "f(log((y := x)))\n", id="walrus-function"),
        pytest.param("f(x for x in y)\n", "(x for x in y)", "", ".log()", "f((x for x in y).log())\n", id="generator"),
        pytest.param(
            "f(x for x in y)\n", "(x for x in y)", "g(a, ", ")", "f(g(a, (x for x in y)))\n", id="generator-2"
        ),
        pytest.param("f((a, b))\n", "(a, b)", "", ".log()", "f((a, b).log())\n", id="tuple"),
        pytest.param("f(((a, b)))\n", "(a, b)", "log(", ")", "f(log((a, b)))\n", id="tuple-in-parentheses"),
        pytest.param("y = a, b\n", "a, b", "log(", ")", "y = log((a, b))\n", id="bare-tuple"),
        pytest.param("f(*x)\n", "x", "", ".log()", "f(*x.log())\n", id="under-a-star"),
        pytest.param("f(**x)\n", "x", "", ".log()", "f(**x.log())\n", id="under-two-stars"),
        pytest.param("f(target=a + b)\n", "a + b", "", ".log()", "f(target=(a + b).log())\n", id="keyword"),
        pytest.param("x = 1 - y\n", "y", "", ".log()", "x = 1 - y.log()\n", id="operand"),
        pytest.param("x = 2 * y\n", "y", "1 - ", "", "x = 2 * (1 - y)\n", id="loose-result"),
        pytest.param("x = f(y)\n", "y", "1 - ", "", "x = f(1 - y)\n", id="loose-result-alone"),
        pytest.param("def f():\n    return(x)\n", "x", "", ".log()", "def f():\n    return x.log()\n", id="return(x)"),
        pytest.param("y = (x)if z else 0\n", "x", "", ".T", "y = x.T if z else 0\n", id="(x)if"),
        pytest.param("y = x @ (a @ b)\n", "a @ b", "", ".log()", "y = x @ (a @ b).log()\n", id="operand-parenthesized"),
        pytest.param("y = x ** -a\n", "-a", "", ".log()", "y = x ** (-a).log()\n", id="power"),
        pytest.param('y = f"{x}"\n', "x", "log(", ")", 'y = f"{log(x)}"\n', id="f-string"),
    ],
)
def test_wrap(source: str, expression: str, before: str, after: str, expected: str) -> None:
    assert rewrite(source, Wrap(at(source, expression), before, after)) == expected


def test_wrap_takes_the_quotes_that_prevail() -> None:
    source = "x = 'a'; f(y)\n"
    assert rewrite(source, Wrap(at(source, "y"), 'g("b", ', ', c="d")')) == "x = 'a'; f(g('b', y, c='d'))\n"


def test_wrap_keeps_the_layout_of_parentheses_over_several_rows() -> None:
    source = "f((\n    a\n    + b\n), t)\n"
    assert rewrite(source, Wrap(at(source, "a\n    + b"), "log(", ")")) == "f(log((\n    a\n    + b\n)), t)\n"
    assert rewrite(source, Wrap(at(source, "a\n    + b"), "", ".log()")) == "f((\n    a\n    + b\n).log(), t)\n"


def test_wrap_goes_over_rows_only_within_brackets() -> None:
    source = "f(\n    x\n    .softmax(1),\n    t,\n)\n"
    inner = at(source, "x\n    .softmax(1)")
    assert rewrite(source, Wrap(inner, "log(", ")")) == "f(\n    log(x\n    .softmax(1)),\n    t,\n)\n"


@pytest.mark.parametrize(
    ("source", "outer", "inner", "expected"),
    [
        pytest.param("f(torch.log(p), q)\n", "torch.log(p)", "p", "f(p, q)\n", id="function"),
        pytest.param("f(p.log(), q)\n", "p.log()", "p", "f(p, q)\n", id="method"),
        pytest.param("f(log(a + b), q)\n", "log(a + b)", "a + b", "f(a + b, q)\n", id="sum-alone"),
        pytest.param("y = log(a + b)\n", "log(a + b)", "a + b", "y = a + b\n", id="sum-assigned"),
        pytest.param("y = 2 * log(a + b)\n", "log(a + b)", "a + b", "y = 2 * (a + b)\n", id="sum-operand"),
        pytest.param("y = 2 * log((a + b))\n", "log((a + b))", "a + b", "y = 2 * (a + b)\n", id="own-parentheses"),
        pytest.param("y = (a + b).log()\n", "(a + b).log()", "a + b", "y = a + b\n", id="method-on-parentheses"),
        pytest.param("y = log(a + b).sum()\n", "log(a + b)", "a + b", "y = (a + b).sum()\n", id="attribute-follows"),
        pytest.param("y = (log(a))\n", "log(a)", "a", "y = (a)\n", id="outer-parentheses"),
        pytest.param("y = (f(a) + 1)[0]\n", "f(a) + 1", "f(a)", "y = f(a)[0]\n", id="parentheses-for-an-operator"),
        pytest.param("y = (a.b + 1).c\n", "a.b + 1", "1", "y = (1).c\n", id="parentheses-for-another-reason"),
        pytest.param("y = log((a, b))\n", "log((a, b))", "(a, b)", "y = (a, b)\n", id="tuple"),
        pytest.param("y = log(x for x in y)\n", "log(x for x in y)", "(x for x in y)", "y = (x for x in y)\n", id="g"),
        pytest.param("f(a=log(y := 1))\n", "log(y := 1)", "y := 1", "f(a=(y := 1))\n", id="walrus"),
        pytest.param("y = log(a)if b else c\n", "log(a)", "a", "y = a if b else c\n", id="a-word-follows"),
        pytest.param("y = b if a else(log)(c)\n", "(log)(c)", "c", "y = b if a else c\n", id="a-word-comes-first"),
        pytest.param("y = log(\n    f(\n    x\n    )\n)\n", "log(\n    f(\n    x\n    )\n)", "f(\n    x\n    )",
                     "y = f(\n    x\n    )\n", id="rows"),
        pytest.param("y = log(a +\n    b)\n", "log(a +\n    b)", "a +\n    b", "y = (a +\n    b)\n", id="open-rows"),
        pytest.param("f(log(a +\n    b))\n", "log(a +\n    b)", "a +\n    b", "f(a +\n    b)\n", id="open-rows-within"),
        pytest.param("y = log((\n    a\n    + b\n))\n", "log((\n    a\n    + b\n))", "a\n    + b",
                     "y = (\n    a\n    + b\n)\n", id="parentheses-over-rows"),
        pytest.param("y = log(a + \\\n    b)\n", "log(a + \\\n    b)", "a + \\\n    b", "y = a + \\\n    b\n", id="\\"),
    ],
)  # fmt: skip
def test_unwrap(source: str, outer: str, inner: str, expected: str) -> None:
    assert rewrite(source, Unwrap(at(source, outer), at(source, inner))) == expected


@pytest.mark.parametrize(
    ("source", "call", "name", "expected"),
    [
        pytest.param(
            "y = F.softmax(x, dim=1)\n", "F.softmax(x, dim=1)", "log_softmax", "y = F.log_softmax(x, dim=1)\n"
        ),
        pytest.param(
            "y = torch.nn.functional.softmax(x, 1)\n",
            "torch.nn.functional.softmax(x, 1)",
            "log_softmax",
            "y = torch.nn.functional.log_softmax(x, 1)\n",
        ),
        pytest.param(
            "y = torch.softmax(x, -1)\n", "torch.softmax(x, -1)", "log_softmax", "y = torch.log_softmax(x, -1)\n"
        ),
        pytest.param("y = x.softmax(-1)\n", "x.softmax(-1)", "log_softmax", "y = x.log_softmax(-1)\n"),
        pytest.param("y = nn.Softmax(dim=1)\n", "nn.Softmax(dim=1)", "LogSoftmax", "y = nn.LogSoftmax(dim=1)\n"),
        pytest.param("y = F . softmax (x)\n", "F . softmax (x)", "log_softmax", "y = F . log_softmax (x)\n"),
        pytest.param("y = (F.softmax)(x)\n", "(F.softmax)(x)", "log_softmax", "y = (F.log_softmax)(x)\n"),
        pytest.param(
            "y = (F\n    .softmax  # why\n    (x))\n",
            "F\n    .softmax  # why\n    (x)",
            "log_softmax",
            "y = (F\n    .log_softmax  # why\n    (x))\n",
        ),
    ],
)
def test_rename_callee(source: str, call: str, name: str, expected: str) -> None:
    assert rewrite(source, RenameCallee(at(source, call), name)) == expected


def test_rename_callee_needs_a_name() -> None:
    source = "y = functions[0](x)\n"
    assert refusal(source, RenameCallee(at(source, "functions[0](x)"), "log_softmax")) == (
        "the call calls no name that could be another"
    )


@pytest.mark.parametrize(
    ("source", "first", "second", "expected"),
    [
        pytest.param("f(left, right)\n", "left", "right", "f(right, left)\n", id="positional"),
        pytest.param(
            "f(input=left, target=right)\n", "left", "right", "f(input=right, target=left)\n", id="keywords-stay"
        ),
        pytest.param(
            "f(left, target=right.log())\n", "left", "right.log()", "f(right.log(), target=left)\n", id="mixed"
        ),
        pytest.param("f(a + b, (c, d), 1)\n", "a + b", "(c, d)", "f((c, d), a + b, 1)\n", id="expressions"),
        pytest.param("f((left), right)\n", "left", "right", "f(right, left)\n", id="parentheses-without-need"),
        pytest.param("f(a := 1, target=right)\n", "a := 1", "right", "f(right, target=(a := 1))\n", id="walrus"),
        pytest.param(
            "f(\n    left,  # the model\n    right,  # the data\n)\n",
            "left",
            "right",
            "f(\n    right,  # the model\n    left,  # the data\n)\n",
            id="comments-stay",
        ),
        pytest.param(
            "f(\n    g(\n        x,  # logits\n    ),\n    right,\n)\n",
            "g(\n        x,  # logits\n    )",
            "right",
            "f(\n    right,\n    g(\n        x,  # logits\n    ),\n)\n",
            id="comments-inside-move-along",
        ),
    ],
)
def test_swap_arguments(source: str, first: str, second: str, expected: str) -> None:
    call = at(source, source[:-1])
    assert rewrite(source, SwapArguments(call, at(source, first), at(source, second))) == expected
    assert rewrite(source, SwapArguments(call, at(source, second), at(source, first))) == expected


def test_swap_refuses_starred_arguments() -> None:
    source = "f(left, *right)\n"
    call = at(source, "f(left, *right)")
    assert refusal(source, SwapArguments(call, at(source, "left"), at(source, "right"))) == (
        "a starred argument stands for more than one value"
    )
    assert refusal(source, SwapArguments(call, at(source, "left"), at(source, "f"))) == (
        "what is to be exchanged is no argument of the call"
    )


@pytest.mark.parametrize(
    ("source", "text", "parts", "template", "expected"),
    [
        pytest.param("y = (p * (p.log() - q)).sum()\n", "(p * (p.log() - q)).sum()", ["q", "p"],
                     'F.kl_div({0}, {1}, reduction="sum")', 'y = F.kl_div(q, p, reduction="sum")\n', id="out-of-order"),
        pytest.param("y = f(p, q)\n", "f(p, q)", ["p", "q"], "g({0}, {1}).h()", "y = g(p, q).h()\n", id="in-order"),
        pytest.param("y = f(a + b)\n", "f(a + b)", ["a + b"], "{0}.log()", "y = (a + b).log()\n", id="loose-part"),
        pytest.param("y = f(a + b)\n", "f(a + b)", ["a + b"], "g(x, {0}, z)", "y = g(x, a + b, z)\n", id="commas"),
        pytest.param("y = f(a + b)\n", "f(a + b)", ["a + b"], "g(x={0})", "y = g(x=a + b)\n", id="keyword"),
        pytest.param("y = f(a or b)\n", "f(a or b)", ["a or b"], "{0} == 1", "y = (a or b) == 1\n", id="left-operand"),
        pytest.param("y = f(a or b)\n", "f(a or b)", ["a or b"], "g(1 == {0})", "y = g(1 == (a or b))\n", id="right"),
        pytest.param("y = f(a) * 2\n", "f(a)", ["a"], "{0} + 1", "y = (a + 1) * 2\n", id="loose-result"),
        pytest.param("y = f(a)\n", "f(a)", ["a"], "{0}", "y = a\n", id="part-alone"),
        pytest.param("y = f(a)\n", "f(a)", ["a"], "{{{0}: {0}}}", "y = {a: a}\n", id="braces-and-twice"),
        pytest.param("y = a\n", "a", ["a"], "f({0})", "y = f(a)\n", id="itself"),
        pytest.param("y = [f(a), *z]\n", "f(a)", ["a"], "{0} + 1", "y = [a + 1, *z]\n", id="element-of-a-list"),
        pytest.param("y = {f(a), *z}\n", "f(a)", ["a"], "{0} + 1", "y = {a + 1, *z}\n", id="element-of-a-set"),
        pytest.param("y = f(a), *z\n", "f(a)", ["a"], "{0} + 1", "y = a + 1, *z\n", id="element-of-a-tuple"),
        pytest.param("y = [*f(a), z]\n", "f(a)", ["a"], "{0} + 1", "y = [*(a + 1), z]\n", id="below-a-star"),
        pytest.param("y = f(a) * 2\n", "f(a)", ["a"], "({0} + 1)", "y = (a + 1) * 2\n", id="parentheses-of-its-own"),
        pytest.param("y = f(p, q)\n", "f(p, q)", ["p", "p"], "{0} - {1}", "y = p - p\n", id="the-same-twice"),
        pytest.param("y = 'a' + f(b)\n", "f(b)", [], 'g(mode="x")', "y = 'a' + g(mode='x')\n", id="quotes-of-the-file"),
    ],
)  # fmt: skip
def test_replace(source: str, text: str, parts: list[str], template: str, expected: str) -> None:
    spans = tuple(at(source, part) for part in parts)
    assert rewrite(source, Replace(at(source, text), template, spans)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{0}.log_softmax(1)", "p = softmax(x / 2, 1)\nf((x / 2).log_softmax(1), q)\n"),
        ("log_softmax({0}, 1)", "p = softmax(x / 2, 1)\nf(log_softmax(x / 2, 1), q)\n"),
        ("{0}", "p = softmax(x / 2, 1)\nf(x / 2, q)\n"),
    ],
)
def test_replace_takes_parts_from_elsewhere(template: str, expected: str) -> None:
    source = "p = softmax(x / 2, 1)\nf(p, q)\n"
    assert rewrite(source, Replace(at(source, "p", 2), template, (at(source, "x / 2"),))) == expected


def test_parts_from_elsewhere_come_without_their_changes() -> None:
    source = "p = softmax(x)\nf(p, softmax(x))\n"
    copied, replaced = at(source, "softmax(x)"), at(source, "p", 2)
    text = rewrite(source, Replace(replaced, "{0}", (copied,)), Wrap(at(source, "x", 2), "", ".y"))
    assert text == "p = softmax(x)\nf(softmax(x), softmax(x))\n".replace("softmax(x)", "softmax(x.y)", 1)


def test_parts_from_elsewhere_stand_on_one_row() -> None:
    source = "p = softmax(g(\n    x,  # logits\n), 1)\nf(p, q)\n"
    part = at(source, "g(\n    x,  # logits\n)")
    assert refusal(source, Replace(at(source, "p", 2), "{0}.log()", (part,))) == (
        "what is to be copied goes on over several lines"
    )


def test_unwrap_takes_only_what_is_within() -> None:
    source = "y = f(a) + b\n"
    assert refusal(source, Unwrap(at(source, "f(a)"), at(source, "b"))) == (
        "what is to be unwrapped does not stand within the expression that it replaces"
    )


def test_nothing_stands_there() -> None:
    source = "y = f(a, b)\n"
    assert refusal(source, Wrap(at(source, "a, b"), "g(", ")")) == ("no expression stands at line 1, columns 7 to 11")
    assert refusal(source, DropKeyword(at(source, "a"), "b")) == ("no call stands at line 1, columns 7 to 8")


@pytest.mark.parametrize(
    ("row", "column", "end_row", "end_column"),
    [(1, 0, 1, 3), (1, 1, 1, 99), (0, 1, 1, 2), (1, 1, 9, 1), (1, 3, 1, 1)],
)
def test_no_such_place(row: int, column: int, end_row: int, end_column: int) -> None:
    reason = refusal("y = f(a, b)\n", Wrap(Span(row, column, end_row, end_column), "g(", ")"))
    assert reason.startswith("the file has no line ")


def test_the_file_does_not_parse() -> None:
    assert refusal("y = f(\n", Wrap(Span(1, 5, 1, 6), "g(", ")")).startswith("the file does not parse: ")


@pytest.mark.parametrize(
    ("deep", "reason"),
    [
        pytest.param("(" * 500 + "a" + ")" * 500, "the file does not parse: too many nested parentheses", id="python"),
        pytest.param("a" + ".b" * 900, "an expression is nested too deeply for libcst", id="libcst"),
        pytest.param(" or ".join("a" * 30_000), "an expression is nested too deeply for libcst", id="or"),
        pytest.param(" < ".join("a" * 30_000), "an expression is nested too deeply for libcst", id="comparisons"),
        pytest.param("'a' " * 30_000, "an expression is nested too deeply for libcst", id="strings"),
        pytest.param("f'a' " * 30_000, "an expression is nested too deeply for libcst", id="f-strings"),
        pytest.param(f"[a {'for a in b ' * 3_000}]", "an expression is nested too deeply for libcst", id="loops"),
        pytest.param("(a or " * 150 + " or ".join("a" * 900) + ")" * 150, "an expression is nested too deeply for libcst", id="together"),
        pytest.param("1; import a" + ".a" * 30_000, "an expression is nested too deeply for libcst", id="import"),
    ],
)
def test_an_expression_is_nested_too_deeply(deep: str, reason: str) -> None:
    source = f"x = {deep}; f(y)\n"
    assert refusal(source, Wrap(at(source, "y"), "", ".log()")) == reason


def test_libcst_reads_the_statements_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    import libcst

    asked: list[str] = []
    parse = libcst.parse_module

    def listen(source: str) -> libcst.Module:
        asked.append(source)
        return parse(source)

    monkeypatch.setattr(libcst, "parse_module", listen)
    source = "import f\n\n@d\ndef g(y):\n    return f(y)  # c\n\nx = 1; z = (\n    2); w = f(x)\n\nv = x\n"
    assert rewrite(source, Wrap(at(source, "y", 2), "", ".log()")) == source.replace("f(y)", "f(y.log())")
    assert set(asked) == {"@d\ndef g(y):\n    return f(y)  # c\n"}
    asked.clear()
    assert rewrite(source, Wrap(at(source, "x", 2), "", ".log()")) == source.replace("f(x)", "f(x.log())")
    assert set(asked) == {"x = 1; z = (\n    2); w = f(x)\n"}


@pytest.mark.parametrize("text", ['"' + "'" * 400 + '"', "'a' " * 200, "f'{a}' " * 200], ids=["in", "plain", "f-strings"])
def test_quotes_are_not_depth(text: str) -> None:
    source = f"x = {text}; f(y)\n"
    assert rewrite(source, Wrap(at(source, "y"), "", ".log()")) == source.replace("f(y)", "f(y.log())")


def test_what_is_nested_deeply_elsewhere_does_not_matter() -> None:
    source = f"x = {'a' + '.b' * 900}\nf(y)\n"
    assert rewrite(source, Wrap(at(source, "y"), "", ".log()")) == source.replace("(y)", "(y.log())")


def test_libcst_is_not_asked_for_what_would_exhaust_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("libcst was asked")

    monkeypatch.setattr("kl_lint.rewriting.page.Layout", fail)
    source = f"x = {'1 + ' * 1500}1; f(y)\n"
    assert refusal(source, Wrap(at(source, "y"), "", ".log()")) == "an expression is nested too deeply for libcst"


def matching(pattern: str) -> str:
    return f"def g(y):\n    match x:\n        case {pattern} if f(a):\n            pass\n    f(y)\n"


@pytest.mark.parametrize(
    ("before", "after"), [("(", ")"), ("(", ",)"), ("[", "]"), ("C(", ")"), ("C(a=", ")"), ("{1: ", "}"), ("(\n[", "]#(\n)"), ("[(_,), ", "]")]
)
def test_a_pattern_that_would_take_libcst_ages(before: str, after: str) -> None:
    source = matching(before * 60 + "a" + after * 60)
    reason = "a pattern of a match is nested too deeply for libcst"
    assert refusal(source, Wrap(at(source, "y", 2), "", ".log()")) == reason
    source = matching(before * 2 + "a" + after * 2)
    assert rewrite(source, Wrap(at(source, "y", 2), "", ".log()")) == source.replace("f(y)", "f(y.log())")


def test_brackets_below_a_pattern_do_not_count() -> None:
    source = f"def g(y):\n    match x:\n        case 1:\n            s = {'(' * 9}1{')' * 9}\n            f(y)\n"
    assert rewrite(source, Wrap(at(source, "y", 2), "", ".log()")) == source.replace("f(y)", "f(y.log())")


def test_a_row_that_libcst_does_not_reproduce() -> None:
    source = "try: pass\nexcept f(y) : pass\n"
    assert refusal(source, Wrap(at(source, "y)"), "", ".log()")).startswith("no expression stands at line 2")


def test_the_new_text_does_not_parse() -> None:
    source = "y = f(a)\n"
    assert refusal(source, Replace(at(source, "f(a)"), "g(")) == "the new text does not parse"
    assert refusal(source, SetKeyword(at(source, "f(a)"), "b", "1)")) == "the new text does not parse"


def test_text_that_would_break_out_of_its_place() -> None:
    source = "y = (f(a))\n"
    call = at(source, "f(a)")
    assert refusal(source, SetKeyword(call, "b", "1), g(2")) == "the new text does not parse: 1), g(2"
    assert refusal(source, SetKeyword(call, "b", "1); (g(2")).startswith("the rewritten file would not parse: ")
    assert refusal(source, Replace(call, "{0}{1}", (at(source, "a"), at(source, "f")))).startswith(
        "the rewritten file would say something else"
    )


def test_a_part_that_is_no_expression() -> None:
    source = "y = f(a, dim=1)\nz = 2\n"
    name = at(source, "dim")
    assert refusal(source, Replace(at(source, "2"), "{0}", (name,))) == "a part of the new text is no expression"
    assert refusal(source, Wrap(name, "g(", ")")).startswith("the rewritten file would not parse: ")


def test_a_fix_that_changes_nothing() -> None:
    source = "y = f(a, b=1)\n"
    assert refusal(source, SetKeyword(at(source, "f(a, b=1)"), "b", "1")) == "the fix changes nothing"
    assert refusal(source) == "the fix changes nothing"
