"""State that functions change: what a flag holds at first is no proof of what it holds when it is read."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kl_lint import check_source
from tests.flow.programs import GOOD, LOG_PROBS, PRELUDE, PROBS, UNKNOWN, Case, asks_torch, case, check
from tests.flow.test_project import HEAD, calls, spaces, write

EITHER = [GOOD, (PROBS, PROBS, "batchmean", False)]
CHANGED = """
def loss(x, y):
    p = F.softmax(x, 1)
    if {flag}:
        p = p.log()
    return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
"""
STATES = {
    "a_global": ("LOG = False\ndef change():\n    global LOG\n    LOG = True\n", "LOG"),
    "a_global_changed_below": ("LOG = False\n", "LOG"),
    "a_dict": ("OPTIONS = {'log': False}\ndef change():\n    OPTIONS['log'] = True\n", "OPTIONS['log']"),
    "a_dict_that_is_asked": ("OPTIONS = {'log': False}\ndef change():\n    OPTIONS['log'] = True\n", "OPTIONS.get('log')"),
    "a_class": ("class Config:\n    log = False\ndef change():\n    Config.log = True\n", "Config.log"),
    "an_object": ("class Config:\n    log = False\nCONFIG = Config()\ndef change():\n    CONFIG.log = True\n", "CONFIG.log"),
    "an_object_with_init": (
        "class Config:\n    def __init__(self):\n        self.log = False\nCONFIG = Config()\ndef change():\n    CONFIG.log = True\n",
        "CONFIG.log",
    ),
    "by_setattr": ("class Config:\n    log = False\nCONFIG = Config()\ndef change():\n    setattr(CONFIG, 'log', True)\n", "CONFIG.log"),
    "of_any_name": (
        "class Config:\n    log = False\n    def change(self, **options):\n        for name, value in options.items():\n"
        "            setattr(self, name, value)\nCONFIG = Config()\ndef change():\n    CONFIG.change(log=True)\n",
        "CONFIG.log",
    ),
    "through_its_dict": (
        "class Config:\n    def __init__(self, **options):\n        self.log = False\n        self.__dict__.update(options)\n"
        "CONFIG = Config()\ndef change():\n    CONFIG.__init__(log=True)\n",
        "CONFIG.log",
    ),
}
BELOW = "def change():\n    global LOG\n    LOG = True\n"


@pytest.mark.parametrize("name", STATES)
def test_what_another_function_changes(name: str) -> None:
    before, flag = STATES[name]
    text = before + CHANGED.format(flag=flag) + BELOW * name.endswith("below")
    check(case(name, text, EITHER, "(loss(x, y), change(), loss(x, y))"))


METHODS: tuple[Case, ...] = (
    case("an_attribute_of_a_loss", """
        class Loss:
            log = False
            def of(self, x, y):
                p = F.softmax(x, 1)
                if self.log:
                    p = p.log()
                return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
        def build(log):
            made = Loss()
            made.log = log
            return made
    """, EITHER, "build(True).of(x, y), build(False).of(x, y)"),
    case("what_nothing_changes_is_known", """
        OPTIONS = {"log": True}
        class Config:
            log = True
        def loss(x, y):
            p = F.softmax(x, 1)
            if OPTIONS["log"] and Config.log:
                p = p.log()
            return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("what_the_function_itself_wrote_is_known", """
        class Box:
            log = False
        def loss(x, y):
            box = Box()
            box.log = True
            p = F.log_softmax(x, 1) if box.log else F.softmax(x, 1)
            return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
)  # fmt: skip


GIVEN_AWAY: tuple[Case, ...] = (
    case("an_object_that_a_callback_is_given", """
        class Loss:
            def __init__(self, callbacks):
                self.callbacks = callbacks
            def fire(self):
                for callback in self.callbacks:
                    callback(self)
            def of(self, x, y):
                self.target = y.log_softmax(1)
                self.fire()
                return F.kl_div(x.log_softmax(1), self.target, reduction="batchmean")
        def to_probabilities(loss):
            loss.target = loss.target.exp()
    """, [(LOG_PROBS, UNKNOWN, "batchmean", False), (LOG_PROBS, LOG_PROBS, "batchmean", False)],
        "Loss([to_probabilities]).of(x, y)", "Loss([]).of(x, y)"),
)  # fmt: skip

PATCHED: tuple[Case, ...] = (
    case("forward_set_on_an_object", """
        class Head(nn.Module):
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            student, teacher = Head(), Head()
            before = teacher.forward
            teacher.forward = lambda scores: before(scores).exp()
            return F.kl_div(student(x), teacher(y), reduction="batchmean")
    """, [GOOD]),
    case("forward_set_on_a_layer", """
        def loss(x, y):
            layer = nn.LogSoftmax(dim=1)
            layer.forward = lambda scores: scores.softmax(1)
            return F.kl_div(x.log_softmax(1), layer(y), reduction="batchmean")
    """, [GOOD]),
)  # fmt: skip

FILLED: tuple[Case, ...] = (
    case("list_that_another_method_fills", """
        class Loss:
            def __init__(self):
                self.kept = []
            def keep(self, y):
                self.kept.append(y.softmax(1))
            def of(self, x, i):
                return F.kl_div(x.log_softmax(1), self.kept[i], reduction="batchmean")
    """, [GOOD], "(lambda loss: (loss.keep(y), loss.of(x, 0)))(Loss())"),
    case("list_that_another_method_begins_and_fills", """
        class Loss:
            def keep(self, batches):
                self.kept = []
                for y in batches:
                    self.kept.append(y.softmax(1))
            def of(self, x):
                return sum(F.kl_div(x.log_softmax(1), q, reduction="batchmean") for q in self.kept)
    """, [GOOD], "(lambda loss: (loss.keep([y, y]), loss.of(x)))(Loss())"),
    case("list_that_init_fills_in_a_loop", """
        class Loss:
            def __init__(self, batches):
                self.kept = []
                for y in batches:
                    self.kept.append(y.softmax(1))
            def of(self, x, i):
                return F.kl_div(x.log_softmax(1), self.kept[i], reduction="batchmean")
    """, [GOOD], "Loss([y]).of(x, 0)"),
    case("dict_that_another_method_fills", """
        class Loss:
            def __init__(self):
                self.kept = {}
            def keep(self, name, y):
                self.kept[name] = y.softmax(1)
            def of(self, x, name):
                return F.kl_div(x.log_softmax(1), self.kept[name], reduction="batchmean")
    """, [GOOD], "(lambda loss: (loss.keep('t', y), loss.of(x, 't')))(Loss())"),
    case("list_that_two_methods_fill_with_different_things", """
        class Loss:
            def __init__(self):
                self.kept = []
            def keep(self, y):
                self.kept.append(y.softmax(1))
            def keep_log(self, y):
                self.kept.append(y.log_softmax(1))
            def of(self, x, i):
                return F.kl_div(x.log_softmax(1), self.kept[i], reduction="batchmean")
    """, [(LOG_PROBS, UNKNOWN, "batchmean", False)],
        "(lambda loss: (loss.keep(y), loss.keep_log(y), loss.of(x, 0), loss.of(x, 1)))(Loss())"),
    case("bank_of_rows", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("bank", torch.zeros(4, 5, dtype=torch.float64))
            def keep(self, rows, y):
                self.bank[rows] = y.softmax(1)
            def forward(self, x, rows):
                return F.kl_div(x.log_softmax(1), self.bank[rows], reduction="batchmean")
    """, [GOOD], "(lambda loss: (loss.keep([0, 1, 2, 3], y), loss(x, [0, 1, 2, 3])))(Loss())"),
    case("counter", """
        class Loss:
            def __init__(self):
                self.turns = 0
            def of(self, x, y):
                self.turns += 1
                p = x.log_softmax(1) if self.turns < 3 else x.softmax(1)
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
    """, EITHER, "[*map((lambda loss: lambda _: loss.of(x, y))(Loss()), range(3))]"),
    case("counter_written_out", """
        class Loss:
            def __init__(self):
                self.turns = 0
            def turn(self):
                self.turns = self.turns + 1
            def of(self, x, y):
                p = x.log_softmax(1) if self.turns == 0 else x.softmax(1)
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
    """, EITHER, "(lambda loss: (loss.of(x, y), loss.turn(), loss.turn(), loss.of(x, y)))(Loss())"),
    case("counter_that_is_read_before_the_method_that_counts_is", """
        class Loss:
            def __init__(self):
                self.turns = 0
            def first(self, x, y):
                scale = 1.0 if self.turns else 2.0
                return F.kl_div((scale * x).log_softmax(1), y.softmax(1), reduction="batchmean")
            def of(self, x, y):
                self.turns += 1
                p = x.log_softmax(1) if self.turns < 3 else x.softmax(1)
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
    """, [GOOD, *EITHER], "[*map((lambda loss: lambda _: loss.of(x, y))(Loss()), range(3))]", "Loss().first(x, y)"),
    case("counter_that_a_helper_reads_where_it_is_counted", """
        class Loss:
            def __init__(self):
                self.turns = 0
            def first(self, x, y):
                scale = 1.0 if self.turns else 2.0
                return F.kl_div((scale * x).log_softmax(1), y.softmax(1), reduction="batchmean")
            def take(self, x):
                return x.log_softmax(1) if self.turns < 3 else x.softmax(1)
            def of(self, x, y):
                p = self.take(x)
                self.turns += 1
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
    """, [GOOD, *EITHER], "[*map((lambda loss: lambda _: loss.of(x, y))(Loss()), range(4))]", "Loss().first(x, y)"),
    case("list_asked_whether_it_is_empty", """
        class Loss:
            def __init__(self):
                self.kept = []
            def keep(self, y):
                self.kept.append(y)
            def of(self, x, y):
                p = x.log_softmax(1) if not self.kept else x.softmax(1)
                return F.kl_div(p, y.softmax(1), reduction="batchmean")
    """, EITHER, "(lambda loss: (loss.of(x, y), loss.keep(y), loss.of(x, y)))(Loss())"),
)  # fmt: skip


@pytest.mark.parametrize("example", [*METHODS, *GIVEN_AWAY, *PATCHED, *FILLED], ids=lambda example: example.name)
def test_objects(example: Case) -> None:
    check(example)


def test_a_module_of_the_project(tmp_path: Path) -> None:
    text = CHANGED.format(flag="conf.LOG") + "def change():\n    conf.LOG = True\n"
    write(tmp_path, {"conf.py": "LOG = False\n", "main.py": HEAD + "import conf\n" + text})
    assert spaces(tmp_path, "main.py") == {(LOG_PROBS, PROBS), (PROBS, PROBS)}


@pytest.mark.parametrize("name", ["Keeper", "*"])
def test_a_base_that_is_not_read_fills_a_placeholder(tmp_path: Path, name: str) -> None:
    keeper = "class Keeper:\n    def keep(self, value):\n        self.held = value\n"
    asked = "class Loss(Keeper):\n    held = None\n" + CHANGED.format(flag="kept.held is not None").replace(
        "def loss(x, y):\n", "def loss(x, y):\n    kept = Loss()\n    kept.keep(y)\n"
    )
    write(tmp_path, {"keeper.py": keeper, "main.py": HEAD + f"from keeper import {name}\n" + asked})
    assert spaces(tmp_path, "main.py") == {(LOG_PROBS, PROBS), (PROBS, PROBS)}


def test_a_placeholder_for_a_tensor_has_no_rank(tmp_path: Path) -> None:
    kept = "class Kept:\n    held = None\nKEPT = Kept()\n"
    text = "def kl(x):\n    q = F.softmax(KEPT.held[0], 0).unsqueeze(0)\n    return F.kl_div(x.log_softmax(-1), q, reduction='sum')\n"
    write(tmp_path, {"main.py": HEAD + kept + text})
    (call,) = calls(tmp_path, "main.py")
    assert call.target is not None
    assert (call.target.value.dim, call.target.value.rank) == (1, None)


OUTLIVING = {
    "a_list_of_the_module": """
        KEPT = []
        def loss(x):
            KEPT.append(x.softmax(1))
            return F.kl_div(x.log_softmax(1), KEPT[0], reduction="batchmean")
    """,
    "a_dict_of_the_module": """
        KEPT = {}
        def loss(x):
            if "t" not in KEPT:
                KEPT["t"] = x.softmax(1)
            return F.kl_div(x.log_softmax(1), KEPT["t"], reduction="batchmean")
    """,
    "a_name_of_the_module": """
        KEPT = None
        def loss(x):
            global KEPT
            if KEPT is None:
                KEPT = x.softmax(1)
            return F.kl_div(x.log_softmax(1), KEPT, reduction="batchmean")
    """,
    "a_list_of_the_function_around": """
        def build():
            kept = []
            def loss(x):
                kept.append(x.softmax(1))
                return F.kl_div(x.log_softmax(1), kept[0], reduction="batchmean")
            return loss
        loss = build()
    """,
    "a_default": """
        def loss(x, kept=[]):
            kept.append(x.softmax(1))
            return F.kl_div(x.log_softmax(1), kept[0], reduction="batchmean")
    """,
    "a_list_of_an_object": """
        class Loss:
            def __init__(self):
                self.kept = []
            def __call__(self, x):
                self.kept.append(x.softmax(1))
                return F.kl_div(x.log_softmax(1), self.kept[0], reduction="batchmean")
        loss = Loss()
    """,
    "an_attribute_of_an_object": """
        class Loss:
            def __init__(self):
                self.kept = None
            def __call__(self, x):
                if self.kept is None:
                    self.kept = x.softmax(1)
                return F.kl_div(x.log_softmax(1), self.kept, reduction="batchmean")
        made = Loss()
        def loss(x):
            return made(x)
    """,
    "a_list_of_a_class": """
        class Loss:
            kept = []
            def __call__(self, x):
                self.kept.append(x.softmax(1))
                return F.kl_div(x.log_softmax(1), self.kept[0], reduction="batchmean")
        loss = Loss()
    """,
    "an_object_of_an_object": """
        class Kept:
            def __init__(self):
                self.first = None
            def __call__(self, x):
                if self.first is None:
                    self.first = x.softmax(1)
                return F.kl_div(x.log_softmax(1), self.first, reduction="batchmean")
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.kept = Kept()
            def forward(self, x):
                return self.kept(x)
        loss = Loss()
    """,
}  # fmt: skip


def executed(source: str) -> Callable[..., Any]:
    """The function `loss` of a program."""
    namespace: dict[str, Any] = {}
    exec(PRELUDE + textwrap.dedent(source), namespace)
    loss: Callable[..., Any] = namespace["loss"]
    return loss


@pytest.mark.parametrize("name", OUTLIVING)
def test_what_another_call_has_kept_is_made_of_something_else(name: str) -> None:
    assert check_source(PRELUDE + textwrap.dedent(OUTLIVING[name]), "loss.py") == ()


@asks_torch
@pytest.mark.parametrize("name", OUTLIVING)
def test_the_second_call_is_held_against_the_first(name: str) -> None:
    import torch

    torch.manual_seed(0)
    first, second = torch.randn(2, 3, 4)
    loss = executed(OUTLIVING[name])
    assert loss(first).abs() < 1e-6
    assert loss(second) > 0.1


def test_what_the_same_call_has_made_is_the_same() -> None:
    source = """
        class Loss:
            def __call__(self, x):
                self.kept = x.softmax(1)
                return F.kl_div(x.log_softmax(1), self.kept, reduction="batchmean")
    """
    assert [finding.code for finding in check_source(PRELUDE + textwrap.dedent(source), "loss.py")] == ["KLD402"]


STEPPED = """
    def loss(x):
        scores = x.detach().clone().requires_grad_()
        before = scores.detach().clone()
        optimizer = torch.optim.SGD([scores], lr=1.0)
        (scores.softmax(1) ** 2).sum().backward()
        optimizer.step()
        return F.kl_div(scores.log_softmax(1), before.softmax(1), reduction="batchmean")
"""


def test_a_copy_is_made_before_something_changes() -> None:
    assert check_source(PRELUDE + textwrap.dedent(STEPPED), "loss.py") == ()


@asks_torch
def test_a_step_changes_the_scores_and_not_their_copy() -> None:
    import torch

    torch.manual_seed(0)
    assert executed(STEPPED)(torch.randn(3, 4)) > 1e-4
