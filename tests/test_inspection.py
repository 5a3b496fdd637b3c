"""The rows of `kl-lint inspect`, from handmade facts."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kl_lint.finding import Span, Step
from kl_lint.flow.kl_call import Argument, Context, Distribution, KLCall, Kind, Reduction, Settings, Site
from kl_lint.flow.values import Mass, Space
from kl_lint.inspection import Row, View, describe, short_name
from kl_lint.reports import Context as Report
from kl_lint.reports.rows import render_json, render_text

SPAN = Span(5, 12, 5, 40)
UNKNOWN = Distribution(Space.UNKNOWN)
LOG_PROBS = Distribution(Space.LOG_PROBS, Mass.WHOLE, dim=1, rank=2)
PROBS = Distribution(Space.PROBS, Mass.WHOLE, dim=1)
LOGITS = Distribution(Space.LOGITS)
INDICES = Distribution(Space.INDICES)
BOTH = Distribution(Space.UNKNOWN, mixed=True)


def call(
    input_: Distribution | None = LOG_PROBS,
    target: Distribution | None = PROBS,
    *,
    reduction: Reduction = Reduction.BATCHMEAN,
    log_target: bool | None = False,
    names: tuple[str, str] = ("student_log_probs", "teacher_probs"),
) -> KLCall:
    arguments = [
        None if value is None else Argument(SPAN, text, value)
        for text, value in zip(names, (input_, target), strict=True)
    ]
    return KLCall(
        kind=Kind.FUNCTIONAL,
        span=SPAN,
        filename="loss.py",
        callee="F.kl_div",
        settings=Settings(),
        reduction=reduction,
        log_target=log_target,
        input=arguments[0],
        target=arguments[1],
    )


def rows(*contexts: list[KLCall], kind: Kind = Kind.FUNCTIONAL) -> tuple[Row, ...]:
    site = Site(kind, SPAN, tuple(Context(tuple(variants), entry=False) for variants in contexts))
    return describe(cast(Any, SimpleNamespace(sites=(site,))))


def row(*contexts: list[KLCall]) -> Row:
    (only,) = rows(*contexts)
    return only


def target_space(*contexts: list[Distribution]) -> str:
    view = row(*([call(target=value) for value in context] for context in contexts)).target
    assert view is not None
    return view.space


def test_a_call_that_is_right() -> None:
    assert row([call()]) == Row(
        filename="loss.py",
        span=SPAN,
        kind="functional",
        input=View("log_probs", dim=1, rank=2),
        target=View("probs", dim=1),
        log_target=False,
        reduction="batchmean",
        direction="KL(teacher ‖ student)",
        computes="KL(teacher ‖ student), summed, divided by the batch",
    )


@pytest.mark.parametrize(
    ("contexts", "space"),
    [
        ([[PROBS]], "probs"),
        ([[UNKNOWN]], "unknown"),
        ([[LOGITS]], "logits"),
        ([[INDICES]], "indices"),
        ([[BOTH]], "mixed"),
        # one way in, several alternatives
        ([[PROBS, PROBS]], "probs"),
        ([[PROBS, LOG_PROBS]], "mixed"),
        ([[PROBS, UNKNOWN]], "unknown"),
        ([[PROBS, LOG_PROBS, UNKNOWN]], "unknown"),
        ([[BOTH, PROBS]], "mixed"),
        # several ways in
        ([[UNKNOWN], [PROBS]], "probs"),
        ([[PROBS], [UNKNOWN], [PROBS]], "probs"),
        ([[PROBS], [LOG_PROBS]], "mixed"),
        ([[PROBS], [LOG_PROBS, UNKNOWN]], "probs"),
        ([[UNKNOWN], [UNKNOWN]], "unknown"),
        ([[PROBS], [BOTH]], "mixed"),
        ([[], [PROBS]], "probs"),
    ],
)
def test_ways_are_joined(contexts: list[list[Distribution]], space: str) -> None:
    assert target_space(*contexts) == space
    assert target_space(*reversed(contexts)) == space


def test_dim_and_rank_are_told_where_all_that_know_agree() -> None:
    other_dim = Distribution(Space.PROBS, dim=-1, rank=3)
    assert row([call(target=PROBS)], [call(target=other_dim)]).target == View("probs")
    assert row([call(target=UNKNOWN)], [call(target=other_dim)]).target == View("probs", dim=-1, rank=3)


def test_the_trace_is_that_of_a_way_that_knows() -> None:
    steps = (Step("loss.py", Span(3, 5, 3, 20), "softmax"),)
    known = Distribution(Space.PROBS, trace=steps)
    view = row([call(target=UNKNOWN)], [call(target=PROBS)], [call(target=known)]).target
    assert view is not None
    assert view.trace == steps


def test_an_argument_that_is_not_shown_is_none() -> None:
    hidden = row([call(input_=None, target=None)])
    assert (hidden.input, hidden.target) == (None, None)
    assert hidden.computes == (
        "KL(target ‖ input), summed, divided by the batch, if input is log-probabilities and target is probabilities"
    )
    assert row([call(input_=None)], [call()]).input == View("log_probs", dim=1, rank=2)


def test_settings_that_differ_are_not_known() -> None:
    differing = row([call(reduction=Reduction.SUM, log_target=True)], [call(reduction=Reduction.MEAN)])
    assert (differing.reduction, differing.log_target) == ("unknown", None)
    assert differing.computes == (
        "KL(teacher ‖ student), reduced in a way that is not known, if teacher is what log_target says"
    )


@pytest.mark.parametrize(
    ("reduction", "words"),
    [
        (Reduction.NONE, "element by element"),
        (Reduction.MEAN, "averaged over every element, the classes too"),
        (Reduction.SUM, "summed"),
        (Reduction.BATCHMEAN, "summed, divided by the batch"),
        (Reduction.MEAN_THEN_BATCH, "averaged over every element, then divided by the batch as well"),
        (Reduction.NONE_THEN_BATCH, "element by element, divided by the batch"),
        (Reduction.UNKNOWN, "reduced in a way that is not known"),
    ],
)
def test_reductions_in_words(reduction: Reduction, words: str) -> None:
    assert row([call(reduction=reduction)]).computes == f"KL(teacher ‖ student), {words}"


def test_every_reduction_has_words() -> None:
    computed = {row([call(reduction=reduction)]).computes for reduction in Reduction}
    assert len(computed) == len(Reduction)
    assert "nothing: torch knows no such reduction" in computed


@pytest.mark.parametrize(
    ("input_", "target", "log_target", "computes"),
    [
        (PROBS, PROBS, False, "not a divergence: the input is probabilities"),
        (LOGITS, PROBS, False, "not a divergence: the input is logits"),
        (LOG_PROBS, LOG_PROBS, False, "not a divergence: the target is log-probabilities"),
        (LOG_PROBS, PROBS, True, "not a divergence: the target is probabilities"),
        (LOG_PROBS, LOGITS, None, "not a divergence: the target is logits"),
        (LOG_PROBS, INDICES, False, "not a divergence: the target is class indices"),
        (PROBS, LOGITS, True, "not a divergence: the input is probabilities, and the target is logits"),
        (PROBS, LOG_PROBS, False, "not a divergence: the input is the target, and the target the input"),
        (PROBS, LOG_PROBS, True, "not a divergence: the input is probabilities"),
        (
            Distribution(Space.LOG_PROBS, Mass.BERNOULLI),
            PROBS,
            False,
            "not a divergence: the input is single Bernoulli terms",
        ),
        (
            LOG_PROBS,
            Distribution(Space.PROBS, Mass.CUT),
            False,
            "not a divergence: the target is a part of a distribution",
        ),
        (LOG_PROBS, LOG_PROBS, True, "KL(teacher ‖ student), summed, divided by the batch"),
        (UNKNOWN, PROBS, False, "KL(teacher ‖ student), summed, divided by the batch, if student is log-probabilities"),
        (LOG_PROBS, BOTH, False, "KL(teacher ‖ student), summed, divided by the batch, if teacher is probabilities"),
        (
            LOG_PROBS,
            UNKNOWN,
            True,
            "KL(teacher ‖ student), summed, divided by the batch, if teacher is log-probabilities",
        ),
        (
            LOG_PROBS,
            PROBS,
            None,
            "KL(teacher ‖ student), summed, divided by the batch, if teacher is what log_target says",
        ),
    ],
)
def test_what_is_computed_in_words(
    input_: Distribution, target: Distribution, log_target: bool | None, computes: str
) -> None:
    found = row([call(input_, target, log_target=log_target)])
    assert found.computes == computes
    assert found.direction == ("KL(teacher ‖ student)" if computes.startswith("KL") else None)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("log_p", "q"), "KL(q ‖ p)"),
        (
            ("F.log_softmax(self.student(x) / T, dim=1)", "F.softmax(self.teacher(x) / T, dim=1)"),
            "KL(teacher ‖ student)",
        ),
        (("model_logits", "model_probs"), "KL(model_probs ‖ model_logits)"),
        (("x.log()", "x"), "KL(target ‖ input)"),
        (("1 +", "q"), "KL(target ‖ input)"),
    ],
)
def test_names_in_the_formula(names: tuple[str, str], words: str) -> None:
    assert row([call(names=names)]).computes == f"{words}, summed, divided by the batch"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("student", "student"),
        ("student_log_probs", "student"),
        ("log_probs", "log_probs"),
        ("logits_teacher", "teacher"),
        ("p_s", "p_s"),
        ("F.log_softmax(student_logits / T, dim=1)", "student"),
        ("nn.functional.softmax(t)", "t"),
        ("nn.LogSoftmax(dim=1)(student_out)", "student"),
        ("self.log_softmax(x / 2)", "x"),
        ("teacher.softmax(-1).detach()", "teacher"),
        ("outputs.logits.softmax(1)", "outputs"),
        ("self.teacher(x)", "teacher"),
        ("self.net.forward(x)", "net"),
        ("self.forward(x)", "x"),
        ("out['student'].log()", "student"),
        ("teacher_probs[mask, :5]", "teacher"),
        ("torch.log(p + 1e-8)", "p"),
        ("(2 * p + q) / 3", "p"),
        ("-z", "z"),
        ("*args", ""),
        ("a if b else c", ""),
        ("softmax()", ""),
        ("1.0", ""),
        ("not python(", ""),
        ("(" * 500 + "x" + ")" * 500, ""),
    ],
)
def test_short_names(text: str, name: str) -> None:
    assert short_name(text) == name


def test_constructions_and_calls_never_reached_are_no_rows() -> None:
    assert rows([call()], kind=Kind.CONSTRUCTION) == ()
    assert rows() == ()


def test_rows_are_sorted_by_position() -> None:
    spans = [Span(9, 1, 9, 5), Span(2, 9, 2, 12), Span(2, 1, 2, 20)]
    sites = tuple(Site(Kind.MODULE, span, (Context((call(),), entry=True),)) for span in spans)
    described = describe(cast(Any, SimpleNamespace(sites=sites)))
    assert [each.span for each in described] == sorted(spans)
    assert {each.kind for each in described} == {"module"}


def test_as_json() -> None:
    steps = (Step("<stdin>", Span(3, 5, 3, 20), "softmax"),)
    described = row([call(target=Distribution(Space.PROBS, dim=-1, trace=steps), input_=None)])
    (told,) = json.loads(render_json([described], Report({})))
    assert told.pop("filename").endswith("/loss.py")
    assert told == {
        "location": {"row": 5, "column": 12},
        "end_location": {"row": 5, "column": 40},
        "kind": "functional",
        "input": None,
        "target": {
            "space": "probs",
            "dim": -1,
            "rank": None,
            "trace": [
                {
                    "what": "softmax",
                    "filename": "<stdin>",
                    "location": {"row": 3, "column": 5},
                    "end_location": {"row": 3, "column": 20},
                }
            ],
        },
        "log_target": False,
        "reduction": "batchmean",
        "computes": "KL(target ‖ input), summed, divided by the batch, if input is log-probabilities",
    }


def test_as_text() -> None:
    steps = (Step("loss.py", Span(3, 5, 3, 20), "softmax"), Step("model.py", Span(4, 5, 4, 20), "returned"))
    first = row([call(target=Distribution(Space.PROBS, dim=-1, trace=steps), input_=None)])
    second = row([call(log_target=None)])
    assert render_text([first, second], Report({})) == (
        "loss.py:5:12: KL(target ‖ input), summed, divided by the batch, if input is log-probabilities\n"
        "  input:  not shown by the call\n"
        "  target: probabilities along dim -1 (softmax, line 3; returned, line 4 of model.py)\n"
        "  functional call, reduction: batchmean, log_target: False\n"
        "\n"
        "loss.py:5:12: KL(teacher ‖ student), summed, divided by the batch, if teacher is what log_target says\n"
        "  input:  log-probabilities along dim 1\n"
        "  target: probabilities along dim 1\n"
        "  functional call, reduction: batchmean, log_target: not known\n"
    )
    assert render_text([], Report({})) == ""
