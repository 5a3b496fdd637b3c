"""Every way of naming the callee: imports, aliases, attributes, and names that are not torch's at all."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PROBS, UNKNOWN, Case, case, check, rows_of

MEAN = (LOG_PROBS, PROBS, "mean", False)
UNSEEN = (UNKNOWN, UNKNOWN, "batchmean", False)

IMPORTS: tuple[Case, ...] = (
    case("functional_as_f", """
        import torch.nn.functional as F
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("dotted_torch", """
        import torch
        def loss(x, y):
            a = torch.nn.functional.log_softmax(x, 1)
            return torch.nn.functional.kl_div(a, torch.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("dotted_import", """
        import torch.nn.functional
        def loss(x, y):
            a = torch.nn.functional.log_softmax(x, 1)
            return torch.nn.functional.kl_div(a, torch.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("nn_functional", """
        from torch import nn
        def loss(x, y):
            return nn.functional.kl_div(nn.functional.log_softmax(x, 1), nn.functional.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("import_nn_as", """
        import torch.nn as neural
        def loss(x, y):
            f = neural.functional
            return f.kl_div(f.log_softmax(x, 1), f.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("from_nn_import_functional", """
        from torch.nn import functional as tf
        def loss(x, y):
            return tf.kl_div(tf.log_softmax(x, 1), tf.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("bare_names", """
        from torch.nn.functional import kl_div, log_softmax, softmax
        def loss(x, y):
            return kl_div(log_softmax(x, 1), softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("bare_names_renamed", """
        from torch.nn.functional import kl_div as divergence, log_softmax as ls, softmax as s
        def loss(x, y):
            return divergence(ls(x, 1), s(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("import_torch_as", """
        import torch as th
        def loss(x, y):
            return th.nn.functional.kl_div(th.log_softmax(x, 1), th.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("several_in_one_import", """
        import math, torch as t, torch.nn.functional as F
        def loss(x, y):
            return F.kl_div(t.log_softmax(x, 1), t.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("import_in_the_function", """
        def loss(x, y):
            import torch.nn.functional as F
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("import_in_a_method", """
        class Loss:
            def of(self, x, y):
                from torch.nn import functional as F
                return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)", prelude=""),
    case("import_in_a_class_body", """
        class Loss:
            import torch.nn.functional as F
            def of(self, x, y):
                return self.F.kl_div(self.F.log_softmax(x, 1), self.F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)", prelude=""),
    case("import_under_try", """
        try:
            import torch.nn.functional as F
        except ImportError:
            F = None
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("import_under_type_checking", """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from torch import Tensor
        import torch.nn.functional as F
        def loss(x: "Tensor", y: "Tensor") -> "Tensor":
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("import_under_a_version_flag", """
        import torch
        if torch.__version__ > "0.4":
            from torch.nn.functional import kl_div
        else:
            from torch.nn.functional import kl_div
        def loss(x, y):
            return kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("star_of_functional", """
        from torch.nn.functional import *
        def loss(x, y):
            return kl_div(log_softmax(x, 1), softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("star_of_nn", """
        from torch.nn import *
        def loss(x, y):
            return KLDivLoss(reduction="batchmean")(LogSoftmax(dim=1)(x), Softmax(dim=1)(y))
    """, [GOOD], prelude=""),
    case("star_of_torch", """
        from torch import *
        from torch import nn
        def loss(x, y):
            return nn.functional.kl_div(log_softmax(x, 1), softmax(y, 1), reduction="batchmean")
    """, [GOOD], prelude=""),
    case("the_loss_module_itself", """
        from torch.nn.modules.loss import KLDivLoss
        from torch.nn.modules.activation import LogSoftmax, Softmax
        def loss(x, y):
            return KLDivLoss(reduction="batchmean")(LogSoftmax(1)(x), Softmax(1)(y))
    """, [GOOD], prelude=""),
    case("modules_package", """
        from torch.nn import modules
        import torch.nn.modules.loss as losses
        def loss(x, y):
            a = losses.KLDivLoss(reduction="batchmean")(modules.LogSoftmax(1)(x), modules.Softmax(1)(y))
            return a + modules.KLDivLoss(reduction="sum")(modules.activation.LogSoftmax(1)(x), y.softmax(1))
    """, [GOOD, (LOG_PROBS, PROBS, "sum", False)], prelude=""),
    case("later_import_wins", """
        from math import log as kl_div
        from torch.nn.functional import kl_div
        def loss(x, y):
            return kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], prelude=""),
)

ALIASES: tuple[Case, ...] = (
    case("variable", """
        divergence = F.kl_div
        def loss(x, y):
            return divergence(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("local_variable", """
        def loss(x, y):
            kl, ls = F.kl_div, F.log_softmax
            return kl(ls(x, 1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("chained_assignment", """
        a = b = F.kl_div
        def loss(x, y):
            return b(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("class_attribute", """
        class Loss:
            divergence = staticmethod(F.kl_div)
            softmax = F.softmax
            def of(self, x, y):
                return self.divergence(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("instance_attribute", """
        class Loss:
            def __init__(self):
                self.fn = F.kl_div
            def of(self, x, y):
                return self.fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("dict_entry", """
        LOSSES = {"kl": F.kl_div, "mse": F.mse_loss}
        def loss(x, y):
            return LOSSES["kl"](x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("dict_get", """
        LOSSES = {"kl": F.kl_div, "mse": F.mse_loss}
        def loss(x, y):
            return LOSSES.get("kl")(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("dict_entry_by_a_name_unknown", """
        LOSSES = {"kl": F.kl_div, "mse": F.mse_loss}
        def loss(x, y, which="kl"):
            return LOSSES[which](x.log_softmax(1), y.softmax(1), reduction="sum")
    """, [(LOG_PROBS, PROBS, "sum", False)]),
    case("list_entry", """
        LOSSES = [F.mse_loss, F.kl_div]
        def loss(x, y):
            return LOSSES[1](x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("tuple_entry_from_the_end", """
        def loss(x, y):
            return (F.mse_loss, F.kl_div)[-1](x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("loop_over_losses", """
        def loss(x, y):
            total = 0
            for fn in (F.kl_div, F.mse_loss):
                total = total + fn(x.log_softmax(1), y.softmax(1), reduction="sum")
            return total
    """, [(LOG_PROBS, PROBS, "sum", False)]),
    case("default_argument", """
        def loss(x, y, fn=F.kl_div):
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("keyword_only_default", """
        def loss(x, y, *, fn=F.kl_div):
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("passed_as_argument", """
        def apply(fn, a, b):
            return fn(a, b, reduction="batchmean")
        def loss(x, y):
            return apply(F.kl_div, x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("getattr_with_a_literal", """
        def loss(x, y):
            return getattr(F, "kl_div")(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("getattr_with_a_default", """
        def loss(x, y):
            return getattr(torch.nn.functional, "kl_div", None)(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("getattr_with_a_known_name", """
        NAME = "kl_div"
        def loss(x, y):
            return getattr(F, NAME)(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("ternary", """
        def loss(x, y, soft=True):
            fn = F.kl_div if soft else F.mse_loss
            return fn(x.log_softmax(1), y.softmax(1), reduction="sum")
    """, [(LOG_PROBS, PROBS, "sum", False)]),
    case("walrus", """
        def loss(x, y):
            if (fn := F.kl_div) is not None:
                return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("or_default", """
        def loss(x, y, fn=None):
            fn = fn or F.kl_div
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("none_default", """
        def loss(x, y, fn=None):
            if fn is None:
                fn = F.kl_div
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("returned_by_a_function", """
        def build(name):
            if name == "kl":
                return F.kl_div
            return F.mse_loss
        def loss(x, y):
            return build("kl")(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("global_set_by_a_function", """
        fn = None
        def setup():
            global fn
            fn = F.kl_div
        setup()
        def loss(x, y):
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("deleted_and_bound_again", """
        fn = F.mse_loss
        del fn
        fn = F.kl_div
        def loss(x, y):
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("scripted", """
        fn = torch.jit.ignore(F.kl_div)
        def loss(x, y):
            return fn(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

OTHERS: tuple[Case, ...] = (
    case("own_function", """
        def kl_div(a, b):
            return (a - b).sum()
        def loss(x, y):
            return kl_div(x.softmax(1), y)
    """, [], ""),
    case("own_function_after_the_import", """
        from torch.nn.functional import kl_div
        def kl_div(a, b):
            return (a - b).sum()
        def loss(x, y):
            return kl_div(x.softmax(1), y)
    """, [], ""),
    case("own_method", """
        class Loss:
            def kl_div(self, a, b):
                return (a - b).sum()
            def of(self, x, y):
                return self.kl_div(x.softmax(1), y)
    """, [], ""),
    case("own_class", """
        class KLDivLoss:
            def __init__(self, reduction="mean"):
                self.reduction = reduction
            def __call__(self, a, b):
                return (a - b).sum()
        def loss(x, y):
            return KLDivLoss()(x.softmax(1), y)
    """, [], ""),
    case("own_module", """
        class KLDivLoss(nn.Module):
            def forward(self, a, b):
                return (a - b).sum()
        def loss(x, y):
            return KLDivLoss()(x.softmax(1), y)
    """, [], ""),
    case("another_package", """
        from mypackage.losses import kl_div, KLDivLoss
        def loss(x, y):
            return kl_div(x.softmax(1), y) + KLDivLoss()(x, y)
    """, [], ""),
    case("relative_import", """
        from .losses import kl_div, KLDivLoss
        from . import functional as F
        def loss(x, y):
            return kl_div(x.softmax(1), y) + KLDivLoss()(x, y) + F.kl_div(x, y)
    """, [], ""),
    case("tensorflow", """
        import tensorflow.nn.functional as F
        def loss(x, y):
            return F.kl_div(x, y)
    """, [], "", prelude=""),
    case("unknown_star", """
        from utils import *
        def loss(x, y):
            return kl_div(x, y) + KLDivLoss()(x, y)
    """, [], "", prelude=""),
    case("parameter", """
        def loss(x, y, kl_div):
            return kl_div(x, y)
    """, [], ""),
    case("loop_variable", """
        def loss(x, y, fns):
            for kl_div in fns:
                kl_div(x, y)
    """, [], ""),
    case("method_of_something", """
        def loss(x, y, dist):
            return dist.kl_div(x, y) + x.kl_div(y)
    """, [], ""),
    case("attribute_that_is_another_loss", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.kl_div = nn.MSELoss()
            def forward(self, x, y):
                return self.kl_div(x, y)
    """, [], ""),
    case("neighbouring_classes", """
        class Soft(nn.Module):
            def __init__(self):
                super().__init__()
                self.crit = nn.KLDivLoss(reduction="batchmean")
            def forward(self, x, y):
                return self.crit(x.log_softmax(1), y.softmax(1))
        class Hard(nn.Module):
            def __init__(self):
                super().__init__()
                self.crit = nn.CrossEntropyLoss()
            def forward(self, x, y):
                return self.crit(x, y)
    """, [GOOD], "Soft()(x, y), Hard()(x, i)"),
    case("neighbouring_functions", """
        def soft(x, y):
            crit = nn.KLDivLoss(reduction="batchmean")
            return crit(x.log_softmax(1), y.softmax(1))
        def hard(x, y):
            crit = nn.CrossEntropyLoss()
            return crit(x, y)
    """, [GOOD], "soft(x, y), hard(x, i)"),
    case("last_assignment_counts", """
        def loss(x, y):
            crit = nn.KLDivLoss()
            crit = nn.MSELoss()
            return crit(x, y)
    """, [], ""),
    case("shadowed_in_one_function", """
        from torch.nn.functional import kl_div
        def loss(x, y):
            return kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        def other(x, y):
            kl_div = lambda a, b: (a - b).sum()
            return kl_div(x, y)
    """, [GOOD], "loss(x, y), other(x, y)"),
    case("shadowed_module_name", """
        class F:
            @staticmethod
            def kl_div(a, b):
                return (a - b).sum()
        def loss(x, y):
            return F.kl_div(x, y)
    """, [], ""),
    case("distributions", """
        from torch.distributions import kl_divergence, Categorical
        def loss(x, y):
            return kl_divergence(Categorical(logits=x), Categorical(logits=y)).mean()
    """, [], ""),
    case("mentioned_in_strings", '''
        def loss(x, y):
            """Uses F.kl_div(x, y)."""
            return "F.kl_div(x, y)"
    ''', [], ""),
    case("patched_name", """
        F.kl_div = lambda a, b, **kw: (a - b).sum()
        def loss(x, y):
            return F.kl_div(x, y)
    """, [], ""),
)


@pytest.mark.parametrize("example", IMPORTS, ids=lambda example: example.name)
def test_imports(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", ALIASES, ids=lambda example: example.name)
def test_aliases(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", OTHERS, ids=lambda example: example.name)
def test_names_that_are_not_torchs(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("names", ["", "import torch\n", "from utils import *\n"])
def test_names_that_a_star_may_bring(names: str) -> None:
    found = rows_of(names + "def loss(x, y):\n    return F.kl_div(x, y, reduction='batchmean')\n")
    assert found == ([UNSEEN] if "*" in names else [])


def test_a_relative_star_may_bring_torch_too() -> None:
    text = "from .common import *\n\ndef loss(x, y):\n    return nn.KLDivLoss(reduction='sum')(torch.log(x), y)\n"
    assert rows_of(text) == [(LOG_PROBS, UNKNOWN, "sum", False)]
