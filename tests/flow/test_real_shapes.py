"""Shapes of programs met in public code that once went unseen or unknown, and reports that nobody could act on."""

from __future__ import annotations

import textwrap

import pytest

from kl_lint import check_source
from tests.flow.programs import GOOD, LOG_PROBS, PRELUDE, PROBS, UNKNOWN, Case, asks_torch, case, check, facts_of

SUM = (LOG_PROBS, PROBS, "sum", False)
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)

ARRAYS: tuple[Case, ...] = (
    case("shares_by_numpy", """
        import numpy as np
        def loss(x, y):
            counts = np.abs(y.detach().numpy())
            total = counts.sum(axis=1, keepdims=True)
            total = np.where(total == 0, 1.0, total)
            shares = (counts / total).astype(np.float64)
            return F.kl_div(x.log_softmax(1), torch.from_numpy(shares), reduction="batchmean")
    """, [GOOD]),
    case("logs_by_numpy", """
        import numpy as np
        def loss(x, y):
            logs = np.log(np.clip(y.detach().softmax(1).numpy(), 1e-9, 1.0))
            both = np.concatenate([logs, logs], axis=0)
            return F.kl_div(torch.cat([x, x]).log_softmax(1), torch.as_tensor(both), reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
    case("empty_rows_are_left_zero", """
        def loss(x, y):
            counts = y.abs()
            total = counts.sum(dim=1, keepdim=True)
            shares = counts / torch.where(total > 0, total, torch.ones_like(total))
            return F.kl_div(x.log_softmax(1), shares, reduction="batchmean")
    """, [GOOD]),
)  # fmt: skip
"""Distributions that pass through numpy, or are put together with care for what is empty."""

UNCALLED: tuple[Case, ...] = (
    case("table_of_lambdas", """
        LOSSES = {"kl": lambda x, y: F.kl_div(x.log_softmax(1), y.softmax(1), reduction="sum")}
    """, [SUM], "LOSSES['kl'](x, y)"),
    case("table_in_a_class", """
        class Losses:
            table = [F.cross_entropy, lambda x, y: F.kl_div(x.log_softmax(1), y.softmax(1), reduction="sum")]
    """, [SUM], "Losses.table[1](x, y)"),
    case("handed_to_a_callback", """
        def loss(x, y, apply=None):
            return apply(lambda q: F.kl_div(x.log_softmax(1), q.softmax(1), reduction="sum"))
    """, [SUM], "loss(x, y, lambda f: f(y))"),
    case("default_argument", """
        def loss(x, y, f=lambda p, q: F.kl_div(p.log_softmax(1), q.softmax(1), reduction="sum")):
            return f(x, y)
    """, [SUM]),
    case("class_in_a_function", """
        def make():
            class Loss(nn.Module):
                def forward(self, x, y):
                    return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="sum")
            return Loss()
    """, [SUM], "make()(x, y)"),
    case("defined_again", """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="sum")
        first = loss
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [SUM, GOOD], "loss(x, y)", "first(x, y)"),
    case("f_string", """
        def loss(x, y):
            print(f"kl {F.kl_div(x.log_softmax(1), y.softmax(1), reduction='sum'):.3f}")
    """, [SUM]),
)

ACCUMULATED: tuple[Case, ...] = (
    case("from_an_empty_tensor", """
        def loss(x, y):
            target = torch.tensor([], dtype=y.dtype)
            for row in y:
                target = torch.cat([target, row.softmax(0).unsqueeze(0)], dim=0)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("row_by_row_or_smoothed", """
        def loss(x, y, labels, confidence=0.9):
            probs = y.softmax(1)
            count = probs.shape[1]
            target = torch.zeros(probs.shape, dtype=y.dtype)
            for k in range(probs.shape[0]):
                if probs[k].argmax() == labels[k]:
                    target[k] = probs[k]
                else:
                    target[k] = (1 - confidence) / (count - 1)
                    target[k][labels[k]] = confidence
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD], "loss(x, y, i)"),
    case("from_a_tensor_of_no_size", """
        def loss(x, y):
            target = torch.DoubleTensor()
            for row in y:
                target = torch.cat((target, row.softmax(0).unsqueeze(0)))
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("from_none", """
        def loss(x, y):
            target = None
            for part in y.chunk(2):
                p = part.softmax(1)
                target = p if target is None else torch.cat((target, p))
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("sum_from_none", """
        def loss(x, y):
            target = None
            for scores in (y, x):
                target = scores.softmax(1) if target is None else target + scores.softmax(1)
            return F.kl_div(x.log_softmax(1), target / 2, reduction="batchmean")
    """, [GOOD]),
    case("mean_from_zero", """
        def loss(x, y, models=(nn.Identity(), nn.Tanh())):
            target = 0
            for model in list(models):
                target += model(y).softmax(1)
            target /= len(models)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("mean_from_zeros", """
        def loss(x, y, models=(nn.Identity(), nn.Tanh())):
            target = torch.zeros_like(y)
            for model in list(models):
                target += model(y).softmax(1)
            target = target / len(models)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
)

WRITTEN: tuple[Case, ...] = (
    case("uniform_over_some_classes", """
        def loss(x, some=2):
            target = torch.zeros(5, dtype=x.dtype)
            target[torch.arange(some)] = 1.0 / some
            return F.kl_div(x.log_softmax(1), target.expand(4, 5), reduction="batchmean")
    """, [GOOD], "loss(x)"),
    case("rows_of_probabilities", """
        def loss(x, y):
            target = torch.zeros(4, 5, dtype=x.dtype)
            for row in range(4):
                target[row] = y[row].softmax(0)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("one_element_of_each_row", """
        def loss(x, i):
            target = torch.zeros_like(x)
            target[torch.arange(4), i] = 1.0
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("smoothed_one_hot_by_keywords", """
        def loss(x, i, smoothing=0.1):
            target = torch.full_like(x, fill_value=smoothing / (x.size(1) - 1))
            target.scatter_(dim=1, index=i.unsqueeze(1), value=1.0 - smoothing)
            return F.kl_div(input=x.log_softmax(1), target=target, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("smoothed_with_a_padding_column", """
        class Smoothed(nn.Module):
            def __init__(self, smoothing, classes, padding=0):
                super().__init__()
                row = torch.full((classes,), smoothing / (classes - 2), dtype=torch.float64)
                row[padding] = 0
                self.register_buffer("row", row.unsqueeze(0))
                self.confidence = 1.0 - smoothing
            def forward(self, x, i):
                target = self.row.repeat(i.size(0), 1)
                target.scatter_(1, i.unsqueeze(1), self.confidence)
                return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD], "Smoothed(0.1, 5)(x, i)"),
    case("memory_bank_of_random_numbers", """
        def loss(x, y):
            bank = torch.randn(6, 5, dtype=x.dtype)
            with torch.no_grad():
                for row in range(4):
                    bank[row] = y[row].softmax(0)
            return F.kl_div(x.log_softmax(1), bank[torch.arange(4)], reduction="batchmean")
    """, [(LOG_PROBS, UNKNOWN, "batchmean", False)]),  # rows that no turn wrote are scores still
    case("memory_bank_of_nothing", """
        def loss(x, y):
            bank = torch.empty(4, 5, dtype=x.dtype)
            for row in range(4):
                bank[row] = y[row].softmax(0)
            return F.kl_div(x.log_softmax(1), bank, reduction="batchmean")
    """, [GOOD]),
    case("memory_bank_with_momentum", """
        class Bank(nn.Module):
            def __init__(self, size, classes):
                super().__init__()
                self.register_buffer("bank", torch.zeros(size, classes, dtype=torch.float64))
            def forward(self, x, y, i):
                self.bank[i] = 0.9 * self.bank[i] + 0.1 * y.detach().softmax(1)
                return F.kl_div(x.log_softmax(1), self.bank[i], reduction="batchmean")
    """, [GOOD], "Bank(9, 5)(x, y, i)"),
    case("moving_average", """
        class Prior(nn.Module):
            def __init__(self, classes):
                super().__init__()
                self.register_buffer("prior", torch.ones(classes, dtype=torch.float64) / classes)
            def forward(self, x):
                p = x.softmax(1)
                with torch.no_grad():
                    self.prior = 0.9 * self.prior + 0.1 * p.mean(0)
                return F.kl_div(p.mean(0).log(), self.prior, reduction="sum")
    """, [SUM], "Prior(5)(x)"),
    case("uniform_list", """
        def loss(x, classes=5):
            target = torch.tensor([[1.0 / classes] * classes], dtype=x.dtype).expand_as(x)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD], "loss(x)"),
)

FOLLOWED: tuple[Case, ...] = (
    case("argument_made_of_a_name_that_the_result_binds_later", """
        def loss(x, y):
            p = x.softmax(1)
            q = y.softmax(1)
            mixture = 0.5 * (p + q)
            divergence = F.kl_div(x.log_softmax(1), mixture, reduction="none").mean(1)
            y = x[divergence.argmax()]
            return y - x
    """, [(LOG_PROBS, PROBS, "none", False)]),
    case("argument_made_in_a_loop_of_what_the_last_turn_gave", """
        def loss(x, y):
            total = x.new_zeros(())
            for _ in range(2):
                scale = 1 + 0 * total
                other = y.softmax(1)
                mixture = 0.5 * ((scale * x).softmax(1) + other)
                total = total + F.kl_div(x.log_softmax(1), mixture, reduction="batchmean")
            return total
    """, [GOOD]),
)

WRAPPED: tuple[Case, ...] = (
    case("data_parallel", """
        class Net(nn.Module):
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            net = nn.DataParallel(Net())
            return F.kl_div(net(x), net(y), reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
)


@pytest.mark.parametrize("example", [*ARRAYS, *UNCALLED, *ACCUMULATED, *WRITTEN, *FOLLOWED, *WRAPPED], ids=lambda example: example.name)
def test_shapes(example: Case) -> None:
    check(example)


MASKS = {
    "mask_of_zeros": """
        target = torch.zeros(4, 5)
        target[:, 2:] = 1.0
    """,
    "mask_of_a_row": """
        target = torch.zeros(5)
        target[3] = 1
    """,
    "scores_by_row": """
        target = torch.zeros(4, 5)
        target[0] = model(x)
    """,
    "bank_of_something": """
        target = torch.randn(4, 5)
        target[0] = model(x)
    """,
    "logits_and_probabilities": """
        target = nn.Linear(5, 5)(x)
        target[0] = x[0].softmax(0)
    """,
    "several_hot": """
        target = torch.tensor([[0, 1, 1], [1, 0, 0]]).float()
    """,
    "weights": """
        target = torch.ones(5)
        target[0] = 0.5
    """,
}


@pytest.mark.parametrize("body", MASKS.values(), ids=MASKS)
def test_what_may_be_anything_is_no_target(body: str) -> None:
    source = PRELUDE + "def loss(x, model):\n" + textwrap.indent(textwrap.dedent(body), "    ") + "    return F.kl_div(x, target)\n"
    (site,) = facts_of(source).sites
    (call,) = site.contexts[0].variants
    assert call.target is not None
    assert call.target.value.space.value == "unknown"


# --- an average that a caller must ask for ----------------------------------------------------------------------------

ASKED = """
    def loss(x, y, {parameter}):
        terms = F.kl_div(x.log_softmax(1), y.softmax(1), reduction="none")
        if {name} == "mean":
            return terms.mean()
        return terms.sum() / x.size(0)
"""
HELD = """
    class Loss(nn.Module):
        def __init__(self, {parameter}):
            super().__init__()
            self.reduction = reduction
        def forward(self, x, y):
            terms = F.kl_div(x.log_softmax(1), y.softmax(1), reduction="none")
            return terms.mean() if self.reduction == "mean" else terms.sum()
"""
CHOSEN = """
    def loss(x, y, kind="ce"):
        if kind == "kl":
            terms = F.kl_div(x.log_softmax(1), y.softmax(1), reduction="none")
        else:
            terms = F.cross_entropy(x, y.softmax(1), reduction="none")
        return terms.mean()
"""


def codes(source: str) -> list[str]:
    """The codes that are reported."""
    return [finding.code for finding in check_source(PRELUDE + textwrap.dedent(source))]


@pytest.mark.parametrize("source", [ASKED, HELD])
@pytest.mark.parametrize(
    ("parameter", "expected"),
    [("reduction='mean'", ["KLD205"]), ("reduction='batchmean'", []), ("reduction", [])],
)
def test_mean_by_choice(source: str, parameter: str, expected: list[str]) -> None:
    assert codes(source.format(parameter=parameter, name="reduction")) == expected


def test_mean_that_a_caller_asks_for() -> None:
    source = ASKED.format(parameter="reduction='sum'", name="reduction")
    assert codes(source + "    def train(x, y):\n        return loss(x, y, 'mean')\n") == ["KLD205"]


def test_mean_of_a_divergence_that_was_chosen() -> None:
    assert codes(CHOSEN) == ["KLD205"]


# --- what changes between two calls of one module ----------------------------------------------------------------------

NET = """
    import copy
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 5)
        def forward(self, x):
            return self.fc(F.relu(x))
"""
CHANGED = {
    "copied": """
        def loss(x):
            student = Net()
            teacher = copy.deepcopy(student)
            return F.kl_div(student(x).log_softmax(1), teacher(x).softmax(1), reduction="batchmean")
    """,
    "trained_in_between": """
        def loss(x, optimizer):
            model = Net()
            before = model(x).softmax(1).detach()
            optimizer.step()
            return F.kl_div(model(x).log_softmax(1), before, reduction="batchmean")
    """,
    "layer_trained_in_between": """
        def loss(x, optimizer):
            layer = nn.Linear(5, 5)
            before = layer(x).softmax(1).detach()
            optimizer.step()
            return F.kl_div(layer(x).log_softmax(1), before, reduction="batchmean")
    """,
}


@pytest.mark.parametrize("source", CHANGED.values(), ids=CHANGED)
def test_two_outputs_of_one_module_are_two(source: str) -> None:
    assert codes(textwrap.dedent(NET) + textwrap.dedent(source)) == []


def test_one_output_of_a_module_is_one() -> None:
    source = """
        def loss(x):
            scores = Net()(x)
            return F.kl_div(scores.log_softmax(1), scores.softmax(1), reduction="batchmean")
    """
    assert codes(textwrap.dedent(NET) + textwrap.dedent(source)) == ["KLD402"]


# --- masks of minus infinity -------------------------------------------------------------------------------------------

ADDED = """
    def loss(x, y, classes):
        mask = torch.full(x.shape, -float("inf"))
        {write}
        return F.kl_div((x + mask).log_softmax(1), (y + mask).softmax(1), reduction="batchmean")
"""


@asks_torch
def test_added_mask_of_minus_infinity() -> None:
    import torch
    import torch.nn.functional as functional

    assert codes(ADDED.format(write="mask[:, classes] = 0")) == ["KLD505"]
    x, y = torch.randn(2, 4, 5, dtype=torch.float64)
    mask = torch.full(x.shape, -float("inf"), dtype=torch.float64)
    mask[:, [0, 1]] = 0
    value = functional.kl_div((x + mask).log_softmax(1), (y + mask).softmax(1), reduction="batchmean")
    assert value.isnan()


def test_buffer_that_begins_at_minus_infinity_is_no_mask() -> None:
    assert codes(ADDED.format(write="mask[0] = classes.logits")) == []
