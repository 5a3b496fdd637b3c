"""What a fact says of a call besides the spaces: where everything stands, how it was given, who called, and why it is known."""

from __future__ import annotations

import pytest

from kl_lint.finding import Span
from kl_lint.flow.kl_call import Argument, KLCall, Kind, Producer, RemarkKind, Setting
from kl_lint.flow.lattice import join
from kl_lint.flow.values import Mass, Numbers, Space, Tensor
from kl_lint.rules import judge
from tests.flow.programs import PRELUDE, calls_in, facts_of, only_call


def call_of(body: str, parameters: str = "x, y") -> KLCall:
    """The single KL call of a function body, which begins in row 5."""
    return only_call(f"{PRELUDE}def loss({parameters}):\n" + "".join(f"    {line}\n" for line in body.splitlines()))


def arguments_of(body: str, parameters: str = "x, y") -> tuple[Argument, Argument]:
    """Its two arguments."""
    call = call_of(body, parameters)
    assert call.input is not None
    assert call.target is not None
    return call.input, call.target


def producer_of(body: str, parameters: str = "x, y") -> Producer:
    """The maker of its input."""
    producer = arguments_of(body, parameters)[0].value.producer
    assert producer is not None
    return producer


# --- places -----------------------------------------------------------------------------------------------------------


def test_spans() -> None:
    call = call_of('return F.kl_div(x.log_softmax(1), target=y.softmax(1),\n    reduction="sum")')
    assert call.span == Span(5, 12, 6, 25)
    assert (call.kind, call.callee, call.filename) == (Kind.FUNCTIONAL, "F.kl_div", "<program>")
    assert call.input == Argument(Span(5, 21, 5, 37), "x.log_softmax(1)", call.input.value, None, True)  # type: ignore[union-attr]
    assert call.target == Argument(Span(5, 46, 5, 58), "y.softmax(1)", call.target.value, "target", True)  # type: ignore[union-attr]


def test_spans_count_code_points() -> None:
    call = call_of('ä = "ß𝕏"; return F.kl_div(x.log_softmax(1), y.softmax(1))')
    assert call.span == Span(5, 22, 5, 62)
    assert call.input is not None
    assert call.input.span == Span(5, 31, 5, 47)


def test_an_argument_over_several_lines_is_told_on_one() -> None:
    given, _ = arguments_of("return F.kl_div(\n    x.log_softmax(\n        dim=1,\n    ),  # the student\n    y)")
    assert given.text == "x.log_softmax( dim=1, )"
    assert given.span == Span(6, 9, 8, 10)


def test_arguments_out_of_a_star_cannot_be_exchanged() -> None:
    given, other = arguments_of("pair = (x.log_softmax(1), y)\nreturn F.kl_div(*pair)")
    assert not given.swappable
    assert not other.swappable
    assert given.span == Span(6, 12, 6, 27)
    assert (given.text, other.text) == ("input", "target")
    given, other = arguments_of("return F.kl_div(x, **{'target': y})")
    assert (given.swappable, other.swappable, other.name) == (True, False, "target")


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_of_a_call() -> None:
    call = call_of('HOW = "sum"\nreturn F.kl_div(x, y, None, reduction=HOW, log_target=True)')
    settings = call.settings
    assert settings.size_average == Setting(None, True, Span(6, 27, 6, 31), None, 2, True)
    assert settings.reduce is None
    assert settings.reduction == Setting("sum", True, Span(6, 43, 6, 46), "reduction", None, False)
    assert settings.log_target == Setting(True, True, Span(6, 59, 6, 63), "log_target", None, True)
    assert not settings.open


def test_settings_that_are_not_known() -> None:
    settings = call_of("return F.kl_div(x, y, reduction=how, **kw)", "x, y, how, kw").settings
    assert settings.open
    assert settings.reduction == Setting(None, False, Span(5, 37, 5, 40), "reduction", None, False)


def test_settings_of_a_construction() -> None:
    (site,) = facts_of(PRELUDE + "crit = nn.KLDivLoss(None, False, log_target=True)\n").sites
    (context,) = site.contexts
    (call,) = context.variants
    assert (call.kind, call.callee, call.input, call.target) == (Kind.CONSTRUCTION, "nn.KLDivLoss", None, None)
    assert call.settings.reduce == Setting(False, True, Span(4, 27, 4, 32), None, 1, True)
    assert call.settings.log_target == Setting(True, True, Span(4, 45, 4, 49), "log_target", None, True)
    assert call.span == Span(4, 8, 4, 50)


def test_settings_that_a_module_brings_have_no_place() -> None:
    call = call_of('return nn.KLDivLoss(reduction="sum")(x, y)')
    assert call.settings.reduction == Setting("sum", True, None, None, None, False)
    assert call.construction == Span(5, 12, 5, 41)
    assert call.callee == 'nn.KLDivLoss(reduction="sum")'


# --- callers and contexts ---------------------------------------------------------------------------------------------


def test_callers_are_told_outermost_first() -> None:
    text = PRELUDE + (
        "def inner(s, t):\n    return F.kl_div(s, t)\n"
        "def middle(s, t):\n    return inner(s, t)\n"
        "def outer(x, y):\n    return middle(x.log_softmax(1), y.softmax(1))\n"
    )
    (site,) = calls_in(facts_of(text))
    ways = {tuple(step.span.row for step in call.callers) for context in site.contexts for call in context.variants}
    assert ways == {(), (7,), (9, 7)}
    entered = {context.entry: tuple(call.callers for call in context.variants) for context in site.contexts}
    assert entered[True] == ((),)
    assert all(
        step.what == "called here" for context in site.contexts for call in context.variants for step in call.callers
    )


def test_a_function_called_twice_alike_is_one_context() -> None:
    text = (
        PRELUDE
        + "def kl(s, t):\n    return F.kl_div(s, t)\ndef loss(x):\n    a = x.log_softmax(1)\n    return kl(a, a) + kl(a, a)\n"
    )
    (site,) = calls_in(facts_of(text))
    assert sorted(context.entry for context in site.contexts) == [False, True]


def test_sites_come_in_the_order_of_the_text() -> None:
    text = PRELUDE + (
        "def b(x, y):\n    return F.kl_div(x, y) + torch.kl_div(x, y) + nn.KLDivLoss()(x, y)\n"
        "crit = nn.KLDivLoss()\n"
        "def a(x, y):\n    return crit(x, y)\n"
    )
    sites = facts_of(text).sites
    assert [(site.span.row, site.kind) for site in sites] == [
        (5, Kind.FUNCTIONAL), (5, Kind.RAW), (5, Kind.CONSTRUCTION), (5, Kind.MODULE), (6, Kind.CONSTRUCTION), (8, Kind.MODULE),
    ]  # fmt: skip


# --- dims and ranks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "dim", "rank"),
    [
        ("x.log_softmax(1)", 1, None),
        ("x.log_softmax(dim=-1)", -1, None),
        ("F.log_softmax(x, dim=DIM)", 2, None),
        ("torch.randn(4, 5).log_softmax(-1)", 1, 2),
        ("torch.randn(2, 3, 4).log_softmax(-1)", 2, 3),
        ("torch.zeros(7).log_softmax(0)", 0, 1),
        ("F.log_softmax(torch.randn(4, 5))", 1, 2),
        ("F.log_softmax(torch.randn(2, 4, 5))", 0, 3),
        ("F.log_softmax(x)", None, None),
        ("x.log_softmax(x.dim() - 1)", None, None),
        ("x.log_softmax(True)", None, None),
        ("x.log_softmax('C')", None, None),
        ("x.view(-1, 5).log_softmax(1)", 1, 2),
        ("x[:, None].log_softmax(-1)", -1, None),
        ("x.log_softmax((1,))", 1, None),
    ],
)
def test_dims_and_ranks(argument: str, dim: int | None, rank: int | None) -> None:
    given, _ = arguments_of(f"DIM = 2\nreturn F.kl_div({argument}, y)")
    assert (given.value.dim, given.value.rank) == (dim, rank)
    assert given.value.mass is Mass.WHOLE


@pytest.mark.parametrize(
    ("told", "rank"),
    [
        ("n, c = x.shape", 2),
        ("[n, t, c] = x.size()", 3),
        ("assert x.dim() == 2", 2),
        ("assert x.ndimension() == 3", 3),
        ("assert x.ndim == 2 and y.ndim == 2, 'matrices'", 2),
        ("assert len(x.shape) == 3", 3),
        ("assert len(x.size()) == 2", 2),
        ("for _ in range(3):\n    n, c = x.shape", None),
        ("for _ in range(3):\n    x = y.clone()\n    n, c = x.shape", None),
        ("if True:\n    x = y.clone()\n    n, c = x.shape", 2),
        ("y = x\nn, c = y.shape", 2),
        ("n, *more = x.shape", None),
        ("n, c = x.shape[1:]", None),
        ("n = x.shape", None),
        ("if y.any():\n    n, c = x.shape", None),
        ("assert x.dim() == 2 or x.dim() == 3", None),
        ("assert x.dim() != 2", None),
        ("assert x.dim() > 2", None),
        ("assert not x.dim() == 2", None),
        ("assert x.dim() == n", None),
        ("n, c = x.shape\nx = x[None]", 3),
    ],
)
def test_ranks_that_the_program_tells(told: str, rank: int | None) -> None:
    given, _ = arguments_of(f"{told}\nreturn F.kl_div(x.log_softmax(-1), y)", "x, y, n")
    assert given.value.rank == rank


@pytest.mark.parametrize(
    ("one", "other", "dim"),
    [
        ((-1, None), (-1, None), -1),
        ((-1, 2), (-1, None), -1),
        ((-1, 2), (-1, 3), -1),
        ((-1, 2), (1, None), 1),
        ((1, 2), (-1, None), -1),
        ((0, 2), (0, 3), 0),
        ((1, 2), (0, 3), None),
        ((1, None), (-1, None), None),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_two_ways_have_a_dim_in_common_where_it_is_counted_from_one_end(
    one: tuple[int, int | None], other: tuple[int, int | None], dim: int | None, turned: bool
) -> None:
    ways = [Tensor(i, Space.PROBS, Mass.WHOLE, own, rank=rank) for i, (own, rank) in enumerate((one, other))]
    both = join(ways[::-1] if turned else ways, Numbers())
    assert isinstance(both, Tensor)
    assert both.dim == dim


def test_equal_names_of_a_dim_are_equal_symbols() -> None:
    given, other = arguments_of("return F.kl_div(x.log_softmax(dim), y.softmax(dim))", "x, y, dim")
    assert given.value.symbol == other.value.symbol is not None
    given, other = arguments_of("return F.kl_div(x.log_softmax(a), y.softmax(b))", "x, y, a, b")
    assert given.value.symbol != other.value.symbol


def test_two_distributions_of_one_tensor_have_one_source() -> None:
    given, other = arguments_of("return F.kl_div(x.log_softmax(1), x.softmax(1))")
    assert given.value.source == other.value.source is not None
    given, other = arguments_of("return F.kl_div(x.log_softmax(1), y.softmax(1))")
    assert given.value.source != other.value.source


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("x", "y", True),
        ("x / T", "y / T", True),
        ("x / 2", "y / 2.0", True),
        ("x / T", "y", False),
        ("x / T", "y / U", False),
        ("x / 2", "y / 3", False),
    ],
)
def test_temperatures(left: str, right: str, same: bool) -> None:
    given, other = arguments_of(f"return F.kl_div(({left}).log_softmax(1), ({right}).softmax(1))", "x, y, T, U")
    assert (given.value.temperature == other.value.temperature) is same
    assert given.value.temperature is not None


# --- why it is known --------------------------------------------------------------------------------------------------


def test_the_trace_begins_with_the_oldest_step() -> None:
    given, _ = arguments_of("p = x.softmax(1)\nq = p.log()\nreturn F.kl_div(q, y)")
    assert [(step.what, step.span.row) for step in given.value.trace] == [("softmax", 5), ("log", 6)]


def test_remarks() -> None:
    given, other = arguments_of("p = x.softmax(1)\nreturn F.kl_div(torch.log(p + 1e-8), F.softmax(p, 1))")
    (remark,) = given.value.remarks
    assert (remark.kind, remark.epsilon, remark.span.row) == (RemarkKind.LOG_OF_SOFTMAX, True, 6)
    assert remark.inner == Span(5, 9, 5, 21)
    assert remark.operand == Span(5, 9, 5, 10)
    (twice,) = other.value.remarks
    assert (twice.kind, twice.inner, twice.detail) == (RemarkKind.NORMALIZED_TWICE, Span(5, 9, 5, 21), "softmax")


def test_an_inline_producer() -> None:
    producer = producer_of("return F.kl_div(F.log_softmax(x / 2, dim=1), y)")
    assert (producer.name, producer.span, producer.filename) == ("log_softmax", Span(5, 21, 5, 48), "<program>")
    assert (producer.operand, producer.dim, producer.module_span) == (Span(5, 35, 5, 40), "1", None)
    assert (producer.inline, producer.sole_use, producer.operand_unchanged) == (True, True, True)


@pytest.mark.parametrize(
    ("body", "sole", "unchanged"),
    [
        ("s = x.softmax(1)\nreturn F.kl_div(s, y)", True, True),
        ("s = x.softmax(1)\nprint(s)\nreturn F.kl_div(s, y)", False, True),
        ("s = x.softmax(1)\nx = x * 2\nreturn F.kl_div(s, y)", True, False),
        ("s = x.softmax(1)\nu = s\nreturn F.kl_div(u, y)", True, True),
        ("s = x.softmax(1)\nfor _ in range(3):\n    F.kl_div(s, y)", True, True),
        ("for _ in range(3):\n    s = x.softmax(1)\n    F.kl_div(s, y)", True, True),
        ("s = f(x).softmax(1)\nreturn F.kl_div(s, y)", True, False),
        ("x += 1\ns = x.softmax(1)\nreturn F.kl_div(s, y)", True, True),
        ("s = x.softmax(1)\nx[0] = 0\nreturn F.kl_div(s, y)", True, False),
        ("s = x.softmax(1)\nreturn F.kl_div(s, s)", False, True),
    ],
)
def test_a_producer_in_a_local(body: str, sole: bool, unchanged: bool) -> None:
    calls = [
        call
        for context in calls_in(
            facts_of(f"{PRELUDE}def loss(x, y):\n" + "".join(f"    {line}\n" for line in body.splitlines()))
        )[0].contexts
        for call in context.variants
    ]
    producer = next(
        call.input.value.producer for call in calls if call.input is not None and call.input.value.producer is not None
    )
    assert (producer.inline, producer.sole_use, producer.operand_unchanged) == (False, sole, unchanged)


def test_a_producer_in_another_function_is_out_of_reach() -> None:
    text = PRELUDE + "def soft(a):\n    return a.softmax(1)\ndef loss(x, y):\n    return F.kl_div(soft(x), y)\n"
    call = only_call(text)
    assert call.input is not None
    producer = call.input.value.producer
    assert producer is not None
    assert (producer.span, producer.inline, producer.sole_use) == (Span(5, 12, 5, 24), False, False)


@pytest.mark.parametrize(
    ("body", "span"),
    [
        ("soft = nn.Softmax(dim=1)\nreturn F.kl_div(soft(x), y)", Span(5, 12, 5, 29)),
        ("return F.kl_div(nn.Softmax(dim=1)(x), y)", Span(5, 21, 5, 38)),
        ("soft = nn.Softmax(dim=1)\nreturn F.kl_div(soft(x), soft(y))", None),
    ],
)
def test_the_module_that_made_a_distribution(body: str, span: Span | None) -> None:
    assert producer_of(body).module_span == span


def test_what_a_mixture_was_made_of_is_no_producer() -> None:
    given, _ = arguments_of("m = (x.softmax(1) + y.softmax(1)) / 2\nreturn F.kl_div(m, y)")
    assert given.value.producer is None
    assert given.value.mass is Mass.WHOLE


# --- hand-written divergences -----------------------------------------------------------------------------------------

HANDWRITTEN = [
    ("(p * (p.log() - q.log())).sum()", ("p", "q.log()", True, "p * (p.log() - q.log())")),
    (
        "torch.sum(p * (torch.log(p) - torch.log(q)), dim=1)",
        ("p", "torch.log(q)", False, "p * (torch.log(p) - torch.log(q))"),
    ),
    (
        "((torch.log(p) - torch.log(q)) * p).sum(-1).mean()",
        ("p", "torch.log(q)", False, "(torch.log(p) - torch.log(q)) * p"),
    ),
]


@pytest.mark.parametrize(("expression", "expected"), HANDWRITTEN)
def test_hand_written_divergences(expression: str, expected: tuple[str, str, bool, str]) -> None:
    text = PRELUDE + f"def loss(x, y):\n    p, q = x.softmax(1), y.softmax(1)\n    return {expression}\n"
    (found,) = facts_of(text, handwritten=True).handwritten
    *parts, terms = expected
    assert [found.p, found.log_q, found.total] == parts
    assert found.terms is not None
    row = text.splitlines()[found.terms.row - 1]
    assert row[found.terms.column - 1 : found.terms.end_column - 1] == terms
    assert found.functional == "F"
    assert facts_of(text).handwritten == ()


@pytest.mark.parametrize(
    ("imports", "functional"),
    [("import torch\n", "torch.nn.functional"), ("import torch\nimport torch.nn as nn\n", "nn.functional")],
)
def test_how_the_file_spells_functional(imports: str, functional: str) -> None:
    text = (
        imports + "def loss(x, y):\n    p, q = x.softmax(1), y.softmax(1)\n    return (p * (p.log() - q.log())).sum()\n"
    )
    (found,) = facts_of(text, handwritten=True).handwritten
    assert found.functional == functional


def test_of_too_many_ways_to_a_call_some_are_not_known() -> None:
    """Five ways of six give probabilities, with six targets each: a rule that saw no more than these would report."""

    def chosen(name: str, flag: str, values: list[str]) -> str:
        arms = [f"if {flag} == {number}:\n        {name} = {value}" for number, value in enumerate(values)]
        return "    " + "\n    el".join(arms) + "\n"

    inputs = chosen("s", "j", [f"(x * {number}).softmax(1)" for number in range(5)] + ["x.log_softmax(1)"])
    targets = chosen("t", "k", [f"(y * {number}).softmax(1)" for number in range(5)] + ["y.log_softmax(1)"])
    text = PRELUDE + f"def loss(x, y, j, k):\n{inputs}{targets}    return F.kl_div(s, t, reduction='sum')\n"
    (site,) = facts_of(text).sites
    (context,) = site.contexts
    assert len(context.variants) == 24
    assert all(
        only.value.space is Space.UNKNOWN for only in (context.variants[-1].input, context.variants[-1].target) if only
    )
    assert judge(facts_of(text)) == ()


def test_too_many_ways_of_one_space_are_told_as_one() -> None:
    arms = "".join(f"    if j == {n}:\n        s, t = x / {n + 1}, y / {n + 1}\n" for n in range(7))
    text = (
        PRELUDE + f"def loss(x, y, j):\n    s, t = x, y\n{arms}"
        "    u = s.log_softmax(1) if x.any() else s.exp().log_softmax(1)\n"
        "    v = t.softmax(1) if y.any() else t.exp().softmax(1)\n"
        "    return F.kl_div(u, v, reduction='sum')\n"
    )
    (site,) = facts_of(text).sites
    (context,) = site.contexts
    spaces = {(way.input.value.space, way.target.value.space) for way in context.variants if way.input and way.target}
    assert spaces == {(Space.LOG_PROBS, Space.PROBS)}
