"""What becomes of the result: whether a program averages an unreduced divergence over the class dimension.

torch is asked too. A mean over the classes gives a fifth (C = 5) of the divergence per distribution; whoever sums over them
first gets all of it. `part` is the share of `none.sum(1).mean()` that the whole program gives, None where it gives no number of that kind.
"""

from __future__ import annotations

import ast
from types import ModuleType

import pytest
import torch

from kl_lint.flow import analyse
from kl_lint.flow.kl_call import KLCall, Use
from tests.flow.programs import PRELUDE, calls_in
from tests.flow.witness import arguments

C = 5
HEAD = '''
def loss(x, y):
    s, t = x.log_softmax(1), y.softmax(1)
    kl = F.kl_div(s, t, reduction="none")
'''

AVERAGED = [
    # the body behind HEAD, how it is said, whether over everything at once
    ("return kl.mean()", "mean() over everything", True),
    ("return torch.mean(kl)", "mean() over everything", True),
    ("return kl.mean(1).mean()", "mean over dim 1", False),
    ("return torch.mean(kl, dim=1).sum() / 4", "mean over dim 1", False),
    ("return kl.mean(0).mean()", "mean() over everything", True),
    ("kl = kl.mean(dim=1)\n    return kl.mean()", "mean over dim 1", False),
    ("kl = kl * 2.0\n    return kl.mean() / 2", "mean() over everything", True),
    ("kl = 2.0 * kl\n    return (kl / 2.0).mean()", "mean() over everything", True),
    ("return (kl * 4 ** 2).mean() / 16", "mean() over everything", True),
    ("return (-kl).mean() * -1", "mean() over everything", True),
    ("return kl.view(-1).mean()", "mean() over everything", True),
    ("return kl.flatten().mean()", "mean() over everything", True),
    ("return kl.clone().detach().mean()", "mean() over everything", True),
    ("return kl.mean(dim=1, keepdim=True).mean()", "mean over dim 1", False),
    ("value = kl.mean() if x.sum() != 0 else kl.sum()\n    return value", "mean() over everything", True),
    ("kept = {'kl': kl}\n    return kept['kl'].mean()", "mean() over everything", True),
    ("return [k.mean() for k in (kl,)][0]", "mean() over everything", True),
    ("return reduce(kl)\n\ndef reduce(value):\n    return value.mean()", "mean() over everything", True),
    ("return (lambda v: v.mean())(kl)", "mean() over everything", True),
    ("return kl.mean(dim=-1).mean()", "mean() over everything", True),
    ("return kl.mean(dim=x.dim() - 1).mean()", "mean() over everything", True),
    ("return (kl + kl).mean() / 2", "mean() over everything", True),
    ("total = 0\n    for v in (kl, kl):\n        total = total + v.mean()\n    return total / 2", "mean() over everything", True),
]

SELECTED = [
    ("return kl[kl > 0].mean()", None),
    ("return kl[x.sum(1) > 0].mean()", None),
    ("return kl.topk(2, dim=1).values.mean()", 1),
    ("return kl.sum(0).mean()", None),
]
"""A mean over some of the elements, or over what a sum over the batch left: over classes all the same. The class dim, where it is known."""

SUMMED = [
    # the body behind HEAD, the share of the true divergence
    ("return kl.sum(1).mean()", 1),
    ("return kl.sum(-1).mean()", 1),
    ("return kl.sum(dim=1).mean(0)", 1),
    ("return torch.sum(kl, dim=1).mean()", 1),
    ("return kl.sum() / x.size(0)", 1),
    ("return kl.mean(0).sum()", 1),
    ("kl = kl.sum(dim=-1)\n    return kl.mean()", 1),
    ("kl = kl.sum(dim=-1, keepdim=True)\n    return kl.mean()", 1),
    ("m = torch.ones(4)\n    return (kl.sum(1) * m).sum() / m.sum()", 1),
    ("return kl.sum(1)[:4].mean()", 1),
    ("return sum(row.sum() for row in kl) / 4", 1),
    ("return kl.sum(1).view(-1).mean()", 1),
    ("return (kl.sum(1) + kl.sum(1)).mean() / 2", 1),
    ("return kl.sum()", None),
    ("return kl", None),
    ("return kl.max()", None),
    ("return kl[:, 0].mean()", None),
    ("return kl.t().mean(1).sum()", 1),
    ("return kl.mean(dim=x.dim() - 2).sum()", 1),
    ("return kl.unsqueeze(-1).mean(dim=-1).sum(1).mean()", 1),
    ("return torch.exp(-kl).mean()", None),
    ("kl[0] = 0\n    return kl.sum(1).mean()", None),
    ("return kl.masked_select(kl > 0).mean()", None),
    ("return kl.gather(1, torch.zeros(4, 1, dtype=torch.long)).mean()", None),
    ("return (kl * s).mean()", None),
    ("return (kl + F.mse_loss(s, t)).mean()", None),
    ("return unknown(kl) if x.dim() > 2 else kl.sum(1).mean()", 1),
]

MODULES = [
    "nn.KLDivLoss(reduction='none')(s, t).mean()",
    "nn.KLDivLoss(reduce=False)(s, t).mean()",
    "nn.KLDivLoss(None, False)(s, t).mean()",
    "F.kl_div(s, t, None, False).mean()",
    "torch.kl_div(s, t).mean()",
    "torch.kl_div(s, t, 0).mean()",
    "F.kl_div(s, t, reduction='none').mean()",
]


def uses_of(text: str) -> tuple[Use, ...]:
    """How the last KL call of a program is averaged."""
    source = PRELUDE + text
    site = calls_in(analyse(ast.parse(source), source.splitlines(), "program.py"))[-1]
    calls: list[KLCall] = [call for context in site.contexts for call in context.variants]
    (uses,) = {call.uses for call in calls}
    return uses


def share_of(text: str) -> float:
    """The program's number over the true divergence."""
    program = ModuleType("program")
    exec(PRELUDE + text, vars(program))
    given = arguments()
    value = program.loss(given["x"], given["y"])
    s, t = given["x"].log_softmax(1), given["y"].softmax(1)
    true = torch.nn.functional.kl_div(s, t, reduction="batchmean")
    return float(value / true)


@pytest.mark.parametrize(("body", "how", "everything"), AVERAGED, ids=[body for body, _, _ in AVERAGED])
def test_means_over_the_classes(body: str, how: str, everything: bool) -> None:
    text = HEAD + "    " + body + "\n"
    assert {(use.how, use.everything) for use in uses_of(text)} == {(how, everything)}
    assert share_of(text) == pytest.approx(1 / C)


@pytest.mark.parametrize(("body", "dim"), SELECTED, ids=[body for body, _ in SELECTED])
def test_means_over_some_of_the_elements(body: str, dim: int | None) -> None:
    (use,) = uses_of(HEAD + "    " + body + "\n")
    assert (use.dim, use.how) == (dim, "mean() over everything")


@pytest.mark.parametrize(("body", "share"), SUMMED, ids=[body for body, _ in SUMMED])
def test_no_mean_over_the_classes(body: str, share: float | None) -> None:
    text = HEAD + "    " + body + "\n"
    assert uses_of(text) == ()
    if share is not None:
        assert share_of(text) == pytest.approx(share)


@pytest.mark.parametrize("expression", MODULES)
def test_every_unreduced_form(expression: str) -> None:
    text = f"\ndef loss(x, y):\n    s, t = x.log_softmax(1), y.softmax(1)\n    return {expression}\n"
    (use,) = uses_of(text)
    assert use.dim == 1
    assert share_of(text) == pytest.approx(1 / C)


@pytest.mark.parametrize("settings", ["reduction='sum'", "reduction=how", "**kw", "reduction='mean'", "reduce=how"])
def test_what_is_not_proved_to_be_unreduced(settings: str) -> None:
    assert uses_of(f"\ndef loss(x, y, how, kw):\n    return F.kl_div(x.log_softmax(1), y.softmax(1), {settings}).mean()\n") == ()


def test_a_mean_over_something_that_is_no_distribution_is_not_said() -> None:
    assert uses_of("\ndef loss(x, y):\n    return F.kl_div(x, y, reduction='none').mean()\n") == ()


def test_a_mean_over_everything_needs_no_dim() -> None:
    (use,) = uses_of("""
def loss(x, y):
    s, t = x.log_softmax(1).reshape(-1, x.numel() // 4), y.softmax(1).reshape(4, -1)
    return F.kl_div(s, t, reduction="none").mean()
""")
    assert (use.dim, use.everything) == (None, True)
    assert uses_of("\ndef loss(p, q):\n    return F.kl_div(p.log(), q, reduction='none').mean()\n") == ()
    assert uses_of("\ndef loss(x, q):\n    return F.kl_div(x.sigmoid().log(), q, reduction='none').mean()\n") == ()


def test_the_class_dim_is_told() -> None:
    (use,) = uses_of("\ndef loss(z):\n    return F.kl_div(z.log_softmax(1), z.softmax(1), reduction='none').mean(1).sum()\n")
    assert (use.dim, use.how) == (1, "mean over dim 1")
    assert uses_of("\ndef loss(z):\n    return F.kl_div(z.log_softmax(1), z.softmax(1), reduction='none').mean(2).sum()\n") == ()


def test_the_use_stands_where_the_mean_is() -> None:
    (use,) = uses_of(HEAD + "    kl = kl * 2\n    return torch.mean(\n        kl)\n")
    assert (use.span.row, use.span.column, use.span.end_row) == (9, 12, 10)


def test_a_list_of_unreduced_divergences() -> None:
    text = "\ndef loss(xs, y):\n    kls = [F.kl_div(a.log_softmax(1), y.softmax(1), reduction='none') for a in xs]\n"
    assert [use.how for use in uses_of(text + "    return sum(k.mean() for k in kls)\n")] == ["mean() over everything"]
    assert [use.how for use in uses_of(text + "    return torch.stack(kls).mean()\n")] in ([], ["mean() over everything"])
    assert uses_of(text + "    return sum(k.sum(1).mean() for k in kls)\n") == ()
