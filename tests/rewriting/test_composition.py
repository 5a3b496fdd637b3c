"""Several fixes in one pass: nested, shared, in conflict."""

from __future__ import annotations

import itertools

import pytest

from kl_lint.finding import (
    DropKeyword,
    Fix,
    NamePositional,
    RenameCallee,
    RenameKeyword,
    Replace,
    SetKeyword,
    SwapArguments,
    Unwrap,
    Wrap,
)
from kl_lint.rewriting import apply_fixes
from kl_lint.rewriting.refusal import OVERLAP
from tests.rewriting.marking import at, fix, rewrite


def _all(source: str, *fixes: Fix) -> str:
    """`source` after all fixes, in whatever order they are given."""
    (text,) = {apply_fixes(source, order).text for order in itertools.permutations(fixes)}
    result = apply_fixes(source, fixes)
    assert result.refused == ()
    assert set(result.applied) == set(fixes)
    return text


@pytest.mark.parametrize(
    ("source", "outer", "inner", "expected"),
    [
        ("y = torch.log(F.softmax(x, dim=1))\n", "torch.log(F.softmax(x, dim=1))", "F.softmax(x, dim=1)",
         "y = F.log_softmax(x, dim=1)\n"),
        ("y = F.softmax(x, 1).log()\n", "F.softmax(x, 1).log()", "F.softmax(x, 1)", "y = F.log_softmax(x, 1)\n"),
        ("y = x.softmax(-1).log()\n", "x.softmax(-1).log()", "x.softmax(-1)", "y = x.log_softmax(-1)\n"),
        ("y = (F.softmax(x, 1) + 1e-8).log()\n", "(F.softmax(x, 1) + 1e-8).log()", "F.softmax(x, 1)",
         "y = F.log_softmax(x, 1)\n"),
        ("from torch import softmax\ny = softmax(a + b, 1).log()\n", "softmax(a + b, 1).log()", "softmax(a + b, 1)",
         "from torch import softmax\ny = (a + b).log_softmax(dim=1)\n"),
    ],
)  # fmt: skip
def test_outer_and_inner_in_one_fix(source: str, outer: str, inner: str, expected: str) -> None:
    edits = Unwrap(at(source, outer), at(source, inner)), RenameCallee(at(source, inner), "log_softmax")
    assert rewrite(source, *edits) == rewrite(source, *reversed(edits)) == expected


def test_fixes_within_fixes() -> None:
    source = "loss = F.kl_div(torch.log(F.softmax(x / 2, dim=1)), nn.Softmax(dim=-1)(y)).mean()\n"
    kl_div = at(source, "F.kl_div(torch.log(F.softmax(x / 2, dim=1)), nn.Softmax(dim=-1)(y))")
    log, softmax = at(source, "torch.log(F.softmax(x / 2, dim=1))"), at(source, "F.softmax(x / 2, dim=1)")
    module = at(source, "nn.Softmax(dim=-1)")
    target = at(source, "nn.Softmax(dim=-1)(y)")
    text = _all(
        source,
        fix(Wrap(kl_div, "", ".sum(1)"), SetKeyword(kl_div, "reduction", '"none"')),
        fix(Unwrap(log, softmax), RenameCallee(softmax, "log_softmax")),
        fix(RenameCallee(module, "LogSoftmax")),
        fix(SwapArguments(kl_div, log, target)),
    )
    assert text == (
        'loss = F.kl_div(nn.LogSoftmax(dim=-1)(y), F.log_softmax(x / 2, dim=1), reduction="none").sum(1).mean()\n'
    )


def test_a_fix_inside_the_receiver_of_another() -> None:
    source = "from torch.nn.functional import softmax\ny = softmax(softmax(a, 1), 1)\n"
    outer, inner = at(source, "softmax(softmax(a, 1), 1)"), at(source, "softmax(a, 1)")
    text = _all(source, fix(RenameCallee(outer, "log_softmax")), fix(RenameCallee(inner, "log_softmax")))
    assert text.endswith("y = a.log_softmax(dim=1).log_softmax(dim=1)\n")


def test_a_fix_inside_a_part_of_another() -> None:
    source = "y = (p * (torch.log(p) - q)).sum()\n"
    whole, parts = at(source, "(p * (torch.log(p) - q)).sum()"), (at(source, "q"), at(source, "torch.log(p)"))
    text = _all(
        source,
        fix(Replace(whole, "F.kl_div({0}, {1}, log_target=True)", parts)),
        fix(RenameCallee(parts[1], "log2")),
        fix(Wrap(parts[0], "", ".float()")),
    )
    assert text == "y = F.kl_div(q.float(), torch.log2(p), log_target=True)\n"


def test_wraps_within_wraps() -> None:
    source = "f(a + b)\n"
    outer, inner = at(source, "a + b"), at(source, "b")
    text = _all(
        source, fix(Wrap(outer, "", ".log()")), fix(Wrap(inner, "g(", ")")), fix(Wrap(at(source, "a"), "-", ""))
    )
    assert text == "f(((-a) + g(b)).log())\n"


def test_unwraps_within_unwraps() -> None:
    source = "f(softmax(softmax(softmax(x))))\n"
    first, second, third = (at(source, f"{'softmax(' * n}x{')' * n}") for n in (3, 2, 1))
    assert _all(source, fix(Unwrap(first, second)), fix(Unwrap(second, third))) == "f(softmax(x))\n"


def test_settings_of_one_call_are_independent() -> None:
    source = "f(a, b, size_average=False, mode=1, old=2)\n"
    call = at(source, source[:-1])
    text = _all(
        source,
        fix(SetKeyword(call, "log_target", "True")),
        fix(RenameKeyword(call, "size_average", "reduction", '"sum"')),
        fix(DropKeyword(call, "old")),
        fix(SwapArguments(call, at(source, "a"), at(source, "b"))),
        fix(NamePositional(call, 1, "target")),
    )
    assert text == 'f(b, target=a, reduction="sum", mode=1, log_target=True)\n'


def test_a_shared_edit_is_made_once() -> None:
    source = "soft = nn.Softmax(dim=1)\nf(soft(a), b)\nf(soft(c), d)\n"
    module = RenameCallee(at(source, "nn.Softmax(dim=1)"), "LogSoftmax")
    first, second = (SetKeyword(at(source, call), "reduction", "x") for call in ("f(soft(a), b)", "f(soft(c), d)"))
    assert _all(source, fix(module, first), fix(module, second)) == (
        "soft = nn.LogSoftmax(dim=1)\nf(soft(a), b, reduction=x)\nf(soft(c), d, reduction=x)\n"
    )
    result = apply_fixes(source, [fix(module), fix(module)])
    assert result.applied == (fix(module),)


def test_the_first_of_two_that_conflict_is_made() -> None:
    source = "f(a)\nf(b)\n"
    first, second = at(source, "f(a)"), at(source, "f(b)")
    made = fix(SetKeyword(first, "reduction", "1"))
    left = fix(SetKeyword(first, "reduction", "2"), SetKeyword(second, "reduction", "2"))
    other = fix(SetKeyword(second, "log_target", "True"))
    result = apply_fixes(source, [other, left, made])
    assert result.text == "f(a, reduction=2)\nf(b, reduction=2, log_target=True)\n"
    assert result.applied == (left, other)
    assert result.refused == ((made, OVERLAP),)
    result = apply_fixes(source, [other, made, left])
    assert result.text == "f(a, reduction=1)\nf(b, log_target=True)\n"
    assert result.refused == ((left, OVERLAP),)


_SOURCE = "y = log(softmax(x, dim=1), out=z)\n"
_LOG, _SOFTMAX, _X, _DIM = (
    at(_SOURCE, text) for text in ("log(softmax(x, dim=1), out=z)", "softmax(x, dim=1)", "x,", "1")
)
_X = at(_SOURCE, "x", 2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(Wrap(_X, "f(", ")"), Wrap(_X, "g(", ")"), id="two-wraps"),
        pytest.param(Unwrap(_LOG, _SOFTMAX), Unwrap(_LOG, _X), id="two-unwraps"),
        pytest.param(Unwrap(_LOG, _SOFTMAX), Wrap(_LOG, "f(", ")"), id="unwrap-and-wrap"),
        pytest.param(Unwrap(_LOG, _SOFTMAX), RenameCallee(_LOG, "log2"), id="unwrap-and-rename"),
        pytest.param(Replace(_LOG, "f()"), Unwrap(_LOG, _X), id="replace-and-unwrap"),
        pytest.param(Unwrap(_LOG, _X), Wrap(_DIM, "f(", ")"), id="what-is-unwrapped-away"),
        pytest.param(Replace(_LOG, "f({0})", (_X,)), Wrap(_DIM, "f(", ")"), id="what-is-replaced-away"),
        pytest.param(DropKeyword(_SOFTMAX, "dim"), Wrap(_DIM, "f(", ")"), id="what-is-dropped"),
        pytest.param(SetKeyword(_SOFTMAX, "dim", "2"), Wrap(_DIM, "f(", ")"), id="what-is-set"),
        pytest.param(SetKeyword(_SOFTMAX, "dim", "2"), SetKeyword(_SOFTMAX, "dim", "3"), id="two-values"),
        pytest.param(SetKeyword(_SOFTMAX, "dim", "2"), DropKeyword(_SOFTMAX, "dim"), id="set-and-dropped"),
        pytest.param(RenameKeyword(_SOFTMAX, "dim", "axis"), DropKeyword(_SOFTMAX, "dim"), id="renamed-and-dropped"),
    ],
)
def test_what_cannot_be_made_together(
    first: Wrap | Unwrap | Replace | SetKeyword, second: Wrap | Unwrap | SetKeyword | DropKeyword
) -> None:
    one, other = fix(first), fix(second)
    result = apply_fixes(_SOURCE, [one, other])
    assert [reason for _, reason in result.refused] == [OVERLAP]
    assert result.applied == tuple({one, other} - {refused for refused, _ in result.refused})
    assert result.text == apply_fixes(_SOURCE, result.applied).text != _SOURCE


def test_two_names_for_one_callee_conflict() -> None:
    source = "F.softmax(x)\n"
    call = at(source, "F.softmax(x)")
    result = apply_fixes(source, [fix(RenameCallee(call, "log_softmax")), fix(RenameCallee(call, "softmin"))])
    assert result.text == "F.log_softmax(x)\n"
    assert [reason for _, reason in result.refused] == [OVERLAP]


def test_two_ways_to_take_a_logarithm_are_not_both_taken() -> None:
    """Each is right by itself: both together would be the logarithm of the logarithm."""
    source = "F.softmax(x)\n"
    call = at(source, "F.softmax(x)")
    renamed, wrapped = RenameCallee(call, "log_softmax"), Wrap(call, "", ".log()")
    assert apply_fixes(source, [fix(renamed), fix(wrapped)]).text == "F.log_softmax(x)\n"
    assert rewrite(source, renamed, wrapped) == "F.log_softmax(x).log()\n"


def test_a_fix_is_made_as_a_whole() -> None:
    source = "f(a, **kw)\ng(b)\n"
    whole = fix(SetKeyword(at(source, "g(b)"), "c", "1"), SetKeyword(at(source, "f(a, **kw)"), "c", "1"))
    result = apply_fixes(source, [whole])
    assert result.text == source
    assert result.refused == ((whole, "the call takes **, which may hold c already"),)


def test_one_refused_fix_of_many_does_not_stop_the_others() -> None:
    rows = [f"f(a{row})\n" for row in range(40)]
    rows[17] = "f(a, **kw)\n"
    rows[30] = "f(a, **kw)\n"
    source = "".join(rows)
    fixes = [fix(SetKeyword(at(source, row[:-1], 1 + (index == 30)), "c", "1")) for index, row in enumerate(rows)]
    result = apply_fixes(source, fixes)
    assert [fixes.index(refused) for refused, _ in result.refused] == [17, 30]
    assert len(result.applied) == 38
    assert result.text == "".join(row if "**" in row else row.replace(")", ", c=1)") for row in rows)


def test_a_part_from_elsewhere_is_found_again_beside_a_refused_fix() -> None:
    source = "y = f(p, q)\nx = x1\nz = h(p2)\nw = o(w1)\n"
    copied = fix(Replace(at(source, "p"), "{0}", (at(source, "x1"),)))
    refused = fix(Unwrap(at(source, "h(p2)"), at(source, "q")))
    wrapped = fix(Wrap(at(source, "w1"), "", ".t()"))
    result = apply_fixes(source, [copied, refused, wrapped])
    assert result.text == "y = f(x1, q)\nx = x1\nz = h(p2)\nw = o(w1.t())\n"
    assert [one for one, _ in result.refused] == [refused]
