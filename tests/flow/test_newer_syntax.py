"""Syntax that not every Python has: interpreted where this one parses it, and passed over, without an error, where not.

`tests/robustness/pyodide.py` and `tox` run this under Pythons that parse it.
"""

from __future__ import annotations

import sys

import pytest

from kl_lint import check_source
from tests.flow.programs import GOOD, PROBS, UNKNOWN, Case, case, check

PROBS_INPUT = (PROBS, PROBS, "batchmean", False)
UNKNOWN_INPUT = (UNKNOWN, PROBS, "batchmean", False)
BOTH = ("loss(x, y, 1)", "loss(x, y, 2)")

CASES: dict[tuple[int, int], tuple[Case, ...]] = {
    (3, 10): (
        case("arms_of_a_match", """
            def loss(x, y, form):
                match form:
                    case 1:
                        s = x.log_softmax(1)
                    case _:
                        s = x.softmax(1)
                return F.kl_div(s, y.softmax(1), reduction="batchmean")
        """, [GOOD, PROBS_INPUT], *BOTH),
        case("what_a_match_captures", """
            def loss(x, y):
                match {"student": x.log_softmax(1), "teacher": y.softmax(1)}:
                    case {"student": s, "teacher": t}:
                        return F.kl_div(s, y.softmax(1), reduction="batchmean")
        """, [UNKNOWN_INPUT]),
        case("managers_in_parentheses", """
            def loss(x, y):
                with (torch.no_grad(), torch.random.fork_rng() as fork):
                    t = y.softmax(1)
                return F.kl_div(x.softmax(1), t, reduction="batchmean")
        """, [PROBS_INPUT]),
    ),
    (3, 11): (
        case("arms_of_an_exception_group", """
            def loss(x, y, form):
                try:
                    s = x.log_softmax(1)
                    if form == 2:
                        raise ExceptionGroup("two", [ValueError()])
                except* ValueError:
                    s = x.softmax(1)
                return F.kl_div(s, y.softmax(1), reduction="batchmean")
        """, [GOOD, PROBS_INPUT], *BOTH),
    ),
    (3, 12): (
        case("a_generic_function", """
            def normal[T: torch.Tensor](x: T) -> T:
                return x.softmax(1)

            def loss(x, y):
                return F.kl_div(normal(x), normal(y), reduction="batchmean")
        """, [PROBS_INPUT]),
        case("a_generic_class", """
            class Head[T]:
                def __call__(self, x: T) -> T:
                    return x.log_softmax(1)

            def loss(x, y):
                return F.kl_div(Head[torch.Tensor]()(x), y.softmax(1), reduction="batchmean")
        """, [GOOD]),
        case("an_alias_of_a_type", """
            type Logits[T] = list[T]

            def loss(x: Logits, y):
                return F.kl_div(x.softmax(1), y.softmax(1), reduction="batchmean")
        """, [PROBS_INPUT]),
        case("a_string_within_a_string", """
            def loss(x, y):
                print(f"{f"{(p := x.softmax(1)).shape}"!r:>{"4"}}")
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
        """, [PROBS_INPUT]),
    ),
    (3, 13): (
        case("a_parameter_with_a_default", """
            def normal[T = torch.Tensor](x: T) -> T:
                return x.softmax(1)

            def loss(x, y):
                return F.kl_div(normal(x), normal(y), reduction="batchmean")
        """, [PROBS_INPUT]),
    ),
    (3, 14): (
        case("a_template", """
            def loss(x, y):
                t"{(p := x.softmax(1)).shape} of {y!r}"
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
        """, [PROBS_INPUT]),
        case("exceptions_without_parentheses", """
            def loss(x, y, form):
                try:
                    s = x.log_softmax(1)
                    if form == 2:
                        raise KeyError
                except KeyError, ValueError:
                    s = x.softmax(1)
                return F.kl_div(s, y.softmax(1), reduction="batchmean")
        """, [GOOD, PROBS_INPUT], *BOTH),
    ),
}  # fmt: skip
EVERY = [(version, example) for version, examples in CASES.items() for example in examples]


@pytest.mark.parametrize(("version", "example"), EVERY, ids=[example.name for _, example in EVERY])
def test_it_is_interpreted_or_passed_over(version: tuple[int, int], example: Case) -> None:
    if sys.version_info >= version:
        check(example)
    else:
        with pytest.raises(SyntaxError):
            check_source(example.source)
