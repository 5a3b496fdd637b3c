"""Classes that rest on others, in one file and in two: what is known of the KL call is the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.flow.programs import GOOD, PROBS, Row, case, check
from tests.flow.test_project import HEAD, spaces, write

BOTH_PROBS: Row = (PROBS, PROBS, "batchmean", False)


@dataclass(frozen=True, slots=True)
class Depth:
    """What one file defines, what another makes of it (with `loss(x, y)`), and the rows of its KL calls."""

    base: str
    use: str
    rows: tuple[Row, ...] = (GOOD,)


BASE = """
    class Base(nn.Module):
        def __init__(self, loss_fn=nn.KLDivLoss(reduction="batchmean"), device="cpu"):
            super().__init__()
            self.loss_fn = loss_fn.to(device)
            self.log = nn.LogSoftmax(dim=1)
            self.soft = nn.Softmax(dim=1)
"""
MIDDLE = """
    class Middle(Base):
        def __init__(self, size=3, **options):
            super().__init__(**options)
            self.size = size
"""
NET = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Identity()
            self.out = nn.LogSoftmax(dim=1)
        def forward(self, x, log_probs=True):
            scores = self.fc(x)
            if not log_probs:
                return F.softmax(scores, dim=1)
            return self.out(scores)
"""
REGISTRY = """
    LOSSES = {}
    def register(name):
        def wrap(cls):
            LOSSES[name] = cls
            return cls
        return wrap
    @register("kl")
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.kl = nn.KLDivLoss(reduction="batchmean")
        def forward(self, p, q):
            return self.kl(p, q)
"""

DEPTHS = {
    "attributes set by a base": Depth(BASE, """
        class Mine(Base):
            def forward(self, x, y):
                return self.loss_fn(self.log(x), self.soft(y))
        def loss(x, y):
            return Mine()(x, y)
    """),
    "a chain of init with a module for a default": Depth(BASE + MIDDLE, """
        class Mine(Middle):
            def forward(self, x, y):
                return self.loss_fn(self.soft(x), self.soft(y))
        def loss(x, y):
            return Mine(size=4)(x, y)
    """, (BOTH_PROBS,)),
    "a chain of init that nothing calls": Depth(BASE + MIDDLE, """
        class Mine(Middle):
            def forward(self, x, y):
                return self.loss_fn(self.soft(x), self.soft(y))
        def loss(x, y, build=Mine):
            return build()(x, y)
    """, (BOTH_PROBS,)),
    "a default handed on": Depth(BASE, """
        class Mine(Base):
            def __init__(self, loss_fn=nn.KLDivLoss(reduction="batchmean")):
                super().__init__(loss_fn, device="cpu")
            def forward(self, x, y):
                return self.loss_fn(self.log(x), self.soft(y))
        def loss(x, y):
            return Mine()(x, y)
    """),
    "a mixin": Depth("""
        class Measuring:
            def measure(self, x, y):
                return F.kl_div(x, y, reduction="batchmean")
    """, """
        class Mine(Measuring, nn.Module):
            def forward(self, x, y):
                return self.measure(F.log_softmax(x, 1), F.softmax(y, 1))
        def loss(x, y):
            return Mine()(x, y)
    """),
    "an abstract method": Depth("""
        import abc
        class Abstract(nn.Module, abc.ABC):
            @abc.abstractmethod
            def prepare(self, x):
                ...
            def forward(self, x, y):
                return F.kl_div(self.prepare(x), F.softmax(y, 1), reduction="batchmean")
    """, """
        class Mine(Abstract):
            def prepare(self, x):
                return F.softmax(x, 1)
        def loss(x, y):
            return Mine()(x, y)
    """, (BOTH_PROBS,)),
    "a buffer": Depth("""
        class Prior(nn.Module):
            def __init__(self, scores):
                super().__init__()
                self.register_buffer("prior", F.softmax(scores, dim=1))
    """, """
        class Mine(Prior):
            def forward(self, x):
                return F.kl_div(x.log_softmax(1), self.prior, reduction="batchmean")
        def loss(x, y):
            return Mine(y)(x)
    """),
    "setattr and getattr": Depth("""
        class Heads(nn.Module):
            def __init__(self):
                super().__init__()
                setattr(self, "head", nn.LogSoftmax(dim=1))
    """, """
        class Mine(Heads):
            def forward(self, x, y):
                return F.kl_div(getattr(self, "head")(x), F.softmax(y, 1), reduction="batchmean")
        def loss(x, y):
            return Mine()(x, y)
    """),
    "a subclass of KLDivLoss": Depth("""
        class Soft(nn.KLDivLoss):
            def __init__(self, temperature=2.0):
                super().__init__(reduction="batchmean")
                self.temperature = temperature
            def forward(self, x, y):
                return super().forward(F.log_softmax(x / self.temperature, 1), F.softmax(y / self.temperature, 1))
    """, """
        def loss(x, y):
            return Soft()(x, y)
    """),
    "a registry of classes": Depth(REGISTRY, """
        def loss(x, y):
            return LOSSES["kl"]()(F.softmax(x, 1), F.softmax(y, 1))
    """, (BOTH_PROBS,)),
    "a table of losses": Depth("""
        TABLE = {"kl": nn.KLDivLoss(reduction="batchmean"), "mse": nn.MSELoss()}
    """, """
        def loss(x, y):
            return TABLE["kl"](F.softmax(x, 1), F.softmax(y, 1))
    """, (BOTH_PROBS,)),
    "a model": Depth(NET, """
        def loss(x, y):
            net = Net()
            return F.kl_div(net(x), net(y, log_probs=False), reduction="batchmean")
    """),
    "a model that a class keeps": Depth(NET, """
        class Mine(nn.Module):
            def __init__(self):
                super().__init__()
                self.student, self.teacher = Net(), Net().eval()
            def forward(self, x, y):
                return F.kl_div(self.student(x, False), self.teacher(y, log_probs=False), reduction="batchmean")
        def loss(x, y):
            return Mine()(x, y)
    """, (BOTH_PROBS,)),
    "setUp": Depth("""
        import unittest
        class Base(unittest.TestCase):
            def setUp(self):
                self.kl = nn.KLDivLoss(reduction="batchmean")
                self.p = torch.randn(4, 5).softmax(1)
    """, """
        class Test(Base):
            def test_it(self):
                return self.kl(self.p.log(), self.p)
        def loss(x, y):
            test = Test()
            test.setUp()
            return test.test_it()
    """),
}


@pytest.mark.parametrize("depth", DEPTHS.values(), ids=DEPTHS)
def test_in_one_file(depth: Depth) -> None:
    check(case("depth", dedent(depth.base) + dedent(depth.use), list(depth.rows)))


@pytest.mark.parametrize("depth", DEPTHS.values(), ids=DEPTHS)
def test_in_two_files(tmp_path: Path, depth: Depth) -> None:
    files = {"base.py": HEAD + dedent(depth.base), "main.py": HEAD + "from base import *\n" + dedent(depth.use)}
    write(tmp_path, files)
    found = {pair for name in files for pair in spaces(tmp_path, name) if "unknown" not in pair}
    assert found == {(given, target) for given, target, *_ in depth.rows}
