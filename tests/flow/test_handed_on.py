"""A divergence that is handed on: to whoever calls it, by what builds it, from caller to caller."""

from __future__ import annotations

import textwrap

import pytest

from kl_lint import check_source
from tests.flow.programs import PRELUDE

HANDED_IN = {
    "a_module": """
        def run_epoch(x, t, criterion):
            loss = criterion(torch.softmax(x, dim=1), t.softmax(1))
            loss.backward()
        def main(x, t):
            run_epoch(x, t, nn.KLDivLoss(reduction="batchmean"))
    """,
    "an_object": """
        class Distillation(nn.Module):
            def forward(self, s, t):
                return F.kl_div(s, t, reduction="batchmean")
        def run_epoch(loader, model, criterion):
            for x, t in loader:
                loss = criterion(model(x).softmax(1), t.softmax(1))
                loss.backward()
        def main(loader, model):
            criterion = Distillation()
            run_epoch(loader, model, criterion)
    """,
    "a_function": """
        def run_epoch(x, t, divergence):
            loss = divergence(x.softmax(1), t.softmax(1), reduction="batchmean")
            loss.backward()
        def main(x, t):
            run_epoch(x, t, F.kl_div)
    """,
    "a_dict": """
        def run_epoch(x, t, criteria):
            loss = criteria["kl"](x.softmax(1), t.softmax(1))
            loss.backward()
        def main(x, t):
            run_epoch(x, t, {"kl": nn.KLDivLoss(reduction="batchmean"), "ce": nn.CrossEntropyLoss()})
    """,
    "to_an_object": """
        class Trainer:
            def __init__(self, model, loss_fn):
                self.model = model
                self.loss_fn = loss_fn
            def run(self, loader):
                for x, t in loader:
                    loss = self.loss_fn(self.model(x).softmax(1), t.softmax(1))
                    loss.backward()
        def main(model, loader):
            trainer = Trainer(model, nn.KLDivLoss(reduction="batchmean"))
            trainer.run(loader)
    """,
    "by_what_builds_it": """
        class Distillation(nn.Module):
            def forward(self, s, t):
                return F.kl_div(s, t, reduction="batchmean")
        def build():
            return Distillation()
        def step(x, y):
            return build()(x.softmax(1), y.softmax(1))
    """,
    "from_caller_to_caller": """
        def divergence(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def first(s, t):
            return divergence(s, t)
        def second(s, t):
            return first(s, t)
        def step(x, y):
            return second(x.softmax(1), y.softmax(1))
    """,
}  # fmt: skip

ASKED = {
    "KLD104": ("return divergence(x.softmax(1), y)", "F.log_softmax(s, 1), F.softmax(t, 1)"),
    "KLD402": ("return divergence(x, x)", "F.log_softmax(s, 1), F.softmax(t, 1)"),
    "KLD207": ("return divergence(x.view(-1), y.view(-1))", "F.log_softmax(s, -1), F.softmax(t, -1)"),
    "KLD103": ("return divergence(x.log_softmax(1), y)", "(s + 1e-10).log(), F.softmax(t, 1)"),
    "KLD505": (
        'return divergence(x.masked_fill(m, float("-inf")), y.masked_fill(m, float("-inf")))',
        "F.log_softmax(s, 1), F.softmax(t, 1)",
    ),
}
"""What only a caller knows of distributions that are known without it."""


def codes(source: str) -> list[str]:
    """The codes reported of a program, in order."""
    return [finding.code for finding in check_source(PRELUDE + textwrap.dedent(source), "loss.py")]


@pytest.mark.parametrize("name", HANDED_IN)
def test_what_computes_a_divergence_is_handed_in(name: str) -> None:
    assert codes(HANDED_IN[name]) == ["KLD101"]


@pytest.mark.parametrize("code", ASKED)
def test_callers_are_asked_what_a_parameter_is(code: str) -> None:
    call, arguments = ASKED[code]
    helper = f"def divergence(s, t):\n    return F.kl_div({arguments}, reduction='batchmean')\n"
    assert codes(f"{helper}def step(x, y, m):\n    {call}\n") == [code]
    assert codes(f"{helper}def step(x, y, m):\n    return divergence(x, y)\n") == []


def test_an_unreduced_divergence_is_averaged_by_whom_it_is_given_to() -> None:
    assert codes("""
        def divergence(s, t):
            return F.kl_div(F.log_softmax(s, 1), F.softmax(t, 1), reduction="none")
        def backward(loss):
            loss = loss.mean()
            loss.backward()
        def step(x, y):
            backward(divergence(x, y))
    """) == ["KLD205"]


@pytest.mark.parametrize("written", ["s[m] = float('-inf')", "s[:, 0] = -torch.inf", "s[..., 3:] = float('-inf')"])
def test_infinity_is_written_into_scores(written: str) -> None:
    divergence = "return F.kl_div(F.log_softmax(s, -1), F.softmax(t, -1), reduction='batchmean')"
    assert codes(f"def loss(s, t, m):\n    {written}\n    {divergence}\n") == ["KLD505"]


@pytest.mark.parametrize(
    "layers",
    [
        "nn.Sequential(OrderedDict([('score', nn.Linear(4, 3)), ('normalise', nn.Softmax(-1))]))",
        "nn.Sequential(nn.Linear(4, 3)).append(nn.Softmax(-1))",
        "nn.Sequential(*[nn.Linear(4, 3)], nn.Softmax(-1))",
    ],
)
def test_layers_in_a_row(layers: str) -> None:
    assert codes(f"""
        from collections import OrderedDict
        def loss(x, y):
            model = {layers}
            return F.kl_div(model(x), y.softmax(-1), reduction="batchmean")
    """) == ["KLD101"]
