"""The divergence in every form: kl_div with each setting, KLDivLoss built anywhere, torch.kl_div, subclasses."""

from __future__ import annotations

import pytest

from kl_lint.flow.kl_call import Kind
from tests.flow.programs import (
    GOOD,
    LOG_PROBS,
    PRELUDE,
    PROBS,
    UNKNOWN,
    Case,
    Row,
    case,
    check,
    constructions,
    facts_of,
    only_call,
)

BODY = "\ndef loss(x, y):\n    return F.kl_div(x.log_softmax(1), y.softmax(1){})\n"
MODULE = "\ndef loss(x, y):\n    return nn.KLDivLoss({})(x.log_softmax(1), y.softmax(1))\n"
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)
MEAN = (LOG_PROBS, PROBS, "mean", False)
SUM = (LOG_PROBS, PROBS, "sum", False)
NONE = (LOG_PROBS, PROBS, "none", False)


def row(reduction: str, log_target: bool | None = False) -> Row:
    return (LOG_PROBS, PROBS, reduction, log_target)


SETTINGS = [
    ("", row("mean")),
    ("None, None, 'batchmean'", row("batchmean")),
    ("None, None, 'sum', True", row("sum", True)),
    ("None, None, 'none', log_target=False", row("none")),
    ("reduction='none'", row("none")),
    ("reduction='mean'", row("mean")),
    ("reduction='sum'", row("sum")),
    ("reduction='batchmean'", row("batchmean")),
    ("reduction='elementwise_mean'", row("mean")),
    ("reduction='batch_mean'", row("invalid")),
    ("reduction='MEAN'", row("invalid")),
    ("reduction=None", row("invalid")),
    ("'batchmean'", row("mean")),
    ("'sum'", row("mean")),
    ("''", row("sum")),
    ("None, 'sum'", row("mean")),
    ("False", row("sum")),
    ("0", row("sum")),
    ("True", row("mean")),
    ("1", row("mean")),
    ("None, True", row("mean")),
    ("True, True", row("mean")),
    ("False, False", row("none")),
    ("True, False", row("none")),
    ("None, False", row("none")),
    ("size_average=False", row("sum")),
    ("size_average=True", row("mean")),
    ("reduce=False", row("none")),
    ("reduce=True", row("mean")),
    ("size_average=False, reduce=True", row("sum")),
    ("size_average=None, reduce=None, reduction='sum'", row("sum")),
    ("size_average=True, reduction='sum'", row("mean")),
    ("size_average=False, reduction='none'", row("sum")),
    ("size_average=False, reduction='garbage'", row("sum")),
    ("'batchmean', log_target=True", row("mean", True)),
]
"""Positional misuse and legacy arguments: the same for the function and for the module."""

DIFFERENT = [
    ("size_average=False, reduction='batchmean'", "batchmean", "sum"),
    ("size_average=True, reduction='batchmean'", "mean, divided by the batch again", "mean"),
    ("reduce=True, reduction='batchmean'", "mean, divided by the batch again", "mean"),
    ("reduce=False, reduction='batchmean'", "none, each element divided by the batch", "none"),
]
"""Legacy arguments beside "batchmean": the function still divides by the batch, the module does not."""


@pytest.mark.parametrize(("settings", "expected"), SETTINGS, ids=[settings or "nothing" for settings, _ in SETTINGS])
def test_settings_of_the_function(settings: str, expected: Row) -> None:
    check(case("settings", BODY.format(f", {settings}" if settings else ""), [expected]))


@pytest.mark.parametrize(("settings", "expected"), SETTINGS, ids=[settings or "nothing" for settings, _ in SETTINGS])
def test_settings_of_the_module(settings: str, expected: Row) -> None:
    text = MODULE.format(settings)
    check(case("settings", text, [expected]))
    assert constructions(PRELUDE + text) == [(6, expected[2], expected[3])]


@pytest.mark.parametrize(("settings", "function", "module"), DIFFERENT, ids=[settings for settings, _, _ in DIFFERENT])
def test_settings_that_the_function_and_the_module_take_differently(settings: str, function: str, module: str) -> None:
    check(case("function", BODY.format(f", {settings}"), [row(function)]))
    check(case("module", MODULE.format(settings), [row(module)]))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", row("none")),
        (", 0", row("none")),
        (", 1", row("mean")),
        (", 2", row("sum")),
        (", reduction=2", row("sum")),
        (", reduction=2, log_target=True", row("sum", True)),
        (", 'batchmean'", row("unknown")),
        (", reduction='sum'", row("unknown")),
    ],
)
def test_the_raw_operation(settings: str, expected: Row) -> None:
    text = f"\ndef loss(x, y):\n    return torch.kl_div(x.log_softmax(1), y.softmax(1){settings})\n"
    check(case("raw", text, [expected], "" if expected[2] == "unknown" else "loss(x, y)"))
    assert only_call(PRELUDE + text).kind is Kind.RAW


def test_the_raw_operation_with_a_reduction_that_is_not_known() -> None:
    text = "\ndef loss(x, y, how):\n    return torch.kl_div(x.log_softmax(1), y.softmax(1), how)\n"
    check(case("raw", text, [row("unknown")], "loss(x, y, 2)"))
    text = "\ndef loss(x, y, kw):\n    return torch.kl_div(x.log_softmax(1), y.softmax(1), **kw)\n"
    check(case("raw", text, [row("unknown", None)], "loss(x, y, {})"))


def test_settings_that_are_not_known() -> None:
    text = "\ndef loss(x, y, {0}):\n    return F.kl_div(x.log_softmax(1), y.softmax(1), {0}={0})\n"
    for name, expected in (("reduction", row("unknown")), ("size_average", row("unknown")), ("reduce", row("unknown")), ("log_target", row("mean", None))):
        value = "'sum'" if name == "reduction" else "True"
        check(case(name, text.format(name), [expected], f"loss(x, y, {value})"))


@pytest.mark.parametrize("value", ["1", "None", "'True'"])
def test_log_target_must_be_a_bool(value: str) -> None:
    text = f"\ndef loss(x, y):\n    return F.kl_div(x.log_softmax(1), y.softmax(1), reduction='sum', log_target={value})\n"
    check(case("log_target", text, [row("sum", None)], ""))


LOSSES: tuple[Case, ...] = (
    case("attribute", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.crit = nn.KLDivLoss(reduction="batchmean")
            def forward(self, x, y):
                return self.crit(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss()(x, y)"),
    case("attribute_named_kl_div", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.kl_div = nn.KLDivLoss(reduction="batchmean")
            def forward(self, x, y):
                return self.kl_div(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss()(x, y)"),
    case("local", """
        def loss(x, y):
            criterion = nn.KLDivLoss(reduction="batchmean")
            return criterion(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("global_used_by_a_function_above", """
        def loss(x, y):
            return criterion(x.log_softmax(1), y.softmax(1))
        criterion = nn.KLDivLoss(reduction="batchmean")
    """, [GOOD]),
    case("called_at_once", """
        def loss(x, y):
            return nn.KLDivLoss(reduction="batchmean")(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("forward", """
        def loss(x, y):
            return nn.KLDivLoss(reduction="batchmean").forward(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("dunder_call", """
        def loss(x, y):
            return nn.KLDivLoss(reduction="batchmean").__call__(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("keywords", """
        def loss(x, y):
            return nn.KLDivLoss(reduction="batchmean")(target=y.softmax(1), input=x.log_softmax(1))
    """, [GOOD]),
    case("moved", """
        def loss(x, y, device="cpu"):
            criterion = nn.KLDivLoss(reduction="batchmean").to(device)
            other = nn.KLDivLoss(reduction="sum").cpu().double().eval()
            return criterion(x.log_softmax(1), y.softmax(1)) + other(x.log_softmax(1), y.softmax(1))
    """, [GOOD, SUM]),
    case("moved_on_cuda_where_there_is_one", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.crit = nn.KLDivLoss(reduction="batchmean")
                if torch.cuda.is_available():
                    self.crit = self.crit.cuda()
            def forward(self, x, y):
                return self.crit(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss()(x, y)"),
    case("default_argument", """
        def loss(x, y, criterion=nn.KLDivLoss(reduction="batchmean")):
            return criterion(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("default_argument_of_init", """
        class Trainer:
            def __init__(self, loss_fn=nn.KLDivLoss(reduction="batchmean")):
                self.loss_fn = loss_fn
            def step(self, x, y):
                return self.loss_fn(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Trainer().step(x, y)"),
    case("default_none", """
        class Trainer:
            def __init__(self, loss_fn=None):
                self.loss_fn = loss_fn or nn.KLDivLoss(reduction="batchmean")
            def step(self, x, y):
                return self.loss_fn(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Trainer().step(x, y)"),
    case("dict_entry", """
        CRITERIA = {"kl": nn.KLDivLoss(reduction="batchmean"), "mse": nn.MSELoss()}
        def loss(x, y):
            return CRITERIA["kl"](x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("list_entry", """
        def loss(x, y):
            criteria = [nn.CrossEntropyLoss(), nn.KLDivLoss(reduction="batchmean")]
            return criteria[1](x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("factory", """
        def build(name):
            if name == "kl":
                return nn.KLDivLoss(reduction="batchmean")
            return nn.MSELoss()
        def loss(x, y):
            return build("kl")(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("factory_kept_on_an_object", """
        def build(name):
            return {"kl": nn.KLDivLoss, "mse": nn.MSELoss}[name](reduction="sum")
        class Trainer:
            def __init__(self):
                self.crit = build("kl")
            def step(self, x, y):
                return self.crit(x.log_softmax(1), y.softmax(1))
    """, [SUM], "Trainer().step(x, y)"),
    case("class_in_a_variable", """
        Criterion = nn.KLDivLoss
        def loss(x, y):
            return Criterion(reduction="batchmean")(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("class_by_getattr", """
        def loss(x, y):
            return getattr(nn, "KLDivLoss")(reduction="batchmean")(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("chosen_by_a_flag", """
        class Loss(nn.Module):
            def __init__(self, soft=True):
                super().__init__()
                if soft:
                    self.crit = nn.KLDivLoss(reduction="batchmean")
                else:
                    self.crit = nn.MSELoss()
            def forward(self, x, y):
                return self.crit(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss()(x, y)"),
    case("reduction_attribute_changed", """
        def loss(x, y):
            criterion = nn.KLDivLoss()
            criterion.reduction = "batchmean"
            return criterion(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("reduction_attribute_read", """
        def loss(x, y):
            criterion = nn.KLDivLoss(reduction="batchmean")
            default = nn.KLDivLoss()
            a = F.kl_div(x.log_softmax(1), y.softmax(1), reduction=criterion.reduction, log_target=criterion.log_target)
            return a + F.kl_div(x.log_softmax(1), y.softmax(1), reduction=default.reduction)
    """, [GOOD, MEAN]),
    case("settings_by_a_dict", """
        SETTINGS = {"reduction": "batchmean", "log_target": True}
        def loss(x, y):
            return nn.KLDivLoss(**SETTINGS)(x.log_softmax(1), y.log_softmax(1))
    """, [LOG_TARGET]),
    case("settings_unknown", """
        def loss(x, y, kw):
            return nn.KLDivLoss(**kw)(x.log_softmax(1), y.softmax(1))
    """, [row("unknown", None)], "loss(x, y, {'reduction': 'sum'})"),
    case("settings_of_an_impossible_construction", """
        def loss(x, y):
            return nn.KLDivLoss(dim=1)(x.log_softmax(1), y.softmax(1))
    """, [row("unknown", None)], ""),
    case("given_three_arguments", """
        def loss(x, y):
            return nn.KLDivLoss()(x.log_softmax(1), y.softmax(1), 3)
    """, [], ""),
    case("mapped_over_pairs", """
        def loss(x, y):
            criterion = nn.KLDivLoss(reduction="batchmean")
            return sum(map(lambda p: criterion(*p), [(x.log_softmax(1), y.softmax(1))]))
    """, [GOOD]),
    case("two_with_one_name", """
        def loss(x, y):
            criterion = nn.KLDivLoss(reduction="batchmean")
            a = criterion(x.log_softmax(1), y.softmax(1))
            criterion = nn.KLDivLoss(reduction="sum")
            return a + criterion(x.log_softmax(1), y.softmax(1))
    """, [GOOD, SUM]),
    case("given_to_a_function", """
        def apply(criterion, a, b):
            return criterion(a, b)
        def loss(x, y):
            return apply(nn.KLDivLoss(reduction="batchmean"), x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("given_to_an_object", """
        class Trainer:
            def __init__(self, criterion):
                self.criterion = criterion
            def step(self, x, y):
                return self.criterion(x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Trainer(nn.KLDivLoss(reduction="batchmean")).step(x, y)
    """, [GOOD]),
    case("scripted", """
        def loss(x, y):
            criterion = torch.jit.script(nn.KLDivLoss(reduction="batchmean"))
            return criterion(x.log_softmax(1), y.softmax(1))
    """, [GOOD], ""),
)

SUBCLASSES: tuple[Case, ...] = (
    case("bare", """
        class Loss(nn.KLDivLoss):
            pass
        def loss(x, y):
            return Loss(reduction="batchmean")(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("super_forward", """
        class Loss(nn.KLDivLoss):
            def forward(self, x, y):
                return super().forward(x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Loss(reduction="batchmean")(x, y)
    """, [GOOD]),
    case("super_init_and_forward", """
        class Loss(nn.KLDivLoss):
            def __init__(self, T):
                super().__init__(reduction="batchmean")
                self.T = T
            def forward(self, x, y):
                return super().forward((x / self.T).log_softmax(1), (y / self.T).softmax(1)) * self.T ** 2
        def loss(x, y):
            return Loss(2.0)(x, y)
    """, [GOOD]),
    case("super_of_two_arguments", """
        class Loss(nn.KLDivLoss):
            def __init__(self):
                super(Loss, self).__init__(reduction="batchmean")
            def forward(self, x, y):
                return super(Loss, self).forward(x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Loss()(x, y)
    """, [GOOD]),
    case("base_called_by_name", """
        class Loss(nn.KLDivLoss):
            def forward(self, x, y):
                return nn.KLDivLoss.forward(self, x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Loss(reduction="batchmean")(x, y)
    """, [], silent=True),
    case("nobody_builds_it", """
        class Loss(nn.KLDivLoss):
            def __init__(self):
                super().__init__(reduction="batchmean")
            def forward(self, x, y):
                return super().forward(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss()(x, y)"),
    case("nobody_builds_it_and_nothing_is_set", """
        class Loss(nn.KLDivLoss):
            def forward(self, x, y):
                return super().forward(x.log_softmax(1), y.softmax(1))
    """, [row("unknown", None)], "Loss()(x, y)"),
    case("own_reduction_read", """
        class Loss(nn.KLDivLoss):
            def forward(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction, log_target=self.log_target)
        def loss(x, y):
            return Loss(reduction="batchmean")(x, y)
    """, [GOOD]),
    case("grandchild", """
        class Base(nn.KLDivLoss):
            def __init__(self):
                super().__init__(reduction="batchmean")
        class Loss(Base):
            def forward(self, x, y):
                return super().forward(x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Loss()(x, y)
    """, [GOOD]),
    case("subclass_of_the_private_base_is_left_alone", """
        class Loss(nn.modules.loss._Loss):
            def forward(self, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=self.reduction)
    """, [row("unknown")], "Loss()(x, y)"),
    case("called_before_super_init", """
        class Loss(nn.KLDivLoss):
            def __init__(self, flag=True):
                if flag:
                    super().__init__(reduction="batchmean")
                else:
                    super().__init__(reduction="sum")
            def forward(self, x, y):
                return super().forward(x.log_softmax(1), y.softmax(1))
        def loss(x, y):
            return Loss(True)(x, y)
    """, [GOOD]),
)


@pytest.mark.parametrize("example", LOSSES, ids=lambda example: example.name)
def test_losses_built_anywhere(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", SUBCLASSES, ids=lambda example: example.name)
def test_subclasses(example: Case) -> None:
    check(example)


def test_constructions_nobody_calls() -> None:
    text = PRELUDE + "a = nn.KLDivLoss()\nb = nn.KLDivLoss(reduction='sum')\nclass Net:\n    c = nn.KLDivLoss(False)\n"
    assert constructions(text) == [(4, "mean", False), (5, "sum", False), (7, "sum", False)]


def test_a_construction_that_raises_is_none() -> None:
    assert constructions(PRELUDE + "nn.KLDivLoss(dim=1)\nnn.KLDivLoss(1, 2, 'sum', True, 5)\n") == []


def test_a_call_names_its_construction() -> None:
    text = PRELUDE + "crit = nn.KLDivLoss(reduction='sum').cpu()\ndef loss(x, y):\n    return crit(x, y)\n"
    call = only_call(text)
    assert call.kind is Kind.MODULE
    assert call.construction is not None
    assert (call.construction.row, call.construction.column, call.construction.end_column) == (4, 8, 37)
    assert [site.kind for site in facts_of(text).sites] == [Kind.CONSTRUCTION, Kind.MODULE]


def test_a_call_of_a_subclass_that_shows_no_construction_names_none() -> None:
    text = PRELUDE + "class Loss(nn.KLDivLoss):\n    def forward(self, a, b):\n        return super().forward(a, b)\n"
    assert only_call(text).construction is None
    assert only_call(text).input is not None
    assert only_call(text).input.value.space.value == UNKNOWN  # type: ignore[union-attr]
