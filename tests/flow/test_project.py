"""Other files of the project: what an import brings, who calls what a file defines, and where reading stops."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from kl_lint.flow import analyse
from kl_lint.flow.declared import Declaration
from kl_lint.flow.frame import Frame, Machine
from kl_lint.flow.kl_call import KLCall, Kind
from kl_lint.flow.modules import Modules
from kl_lint.flow.project import Project, forget, project_of, root_of, tells
from kl_lint.flow.source import Source
from kl_lint.flow.values import Space

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def calls(root: Path, name: str, *, project: Project | None = None, declarations: tuple[Declaration, ...] = ()) -> list[KLCall]:
    path = root / name
    text = path.read_text()
    known = project or Project(str(root))
    facts = analyse(ast.parse(text), text.splitlines(), str(path), project=known, declarations=declarations)
    return [call for site in facts.sites if site.kind is not Kind.CONSTRUCTION for context in site.contexts for call in context.variants]


def spaces(root: Path, name: str, **given: object) -> set[tuple[str, str]]:
    """The spaces of input and target on every path that knows either of them."""
    found = set()
    for call in calls(root, name, **given):  # type: ignore[arg-type]
        assert call.input is not None
        assert call.target is not None
        pair = (call.input.value.space.value, call.target.value.space.value)
        if pair != ("unknown", "unknown"):
            found.add(pair)
    return found


SOFTEN = HEAD + "def soften(x):\n    return F.softmax(x, dim=-1)\ndef log_soften(x):\n    return x.log_softmax(-1)\n"
USE = "def loss(a, b):\n    return F.kl_div(log_soften(a), soften(b), reduction='sum')\n"
RIGHT = {("log_probs", "probs")}

IMPORTS = {
    "a module that its package imports": (
        {
            "pkg/__init__.py": "from . import ops\n", "pkg/ops.py": SOFTEN,
            "main.py": HEAD + "from pkg import ops\ndef loss(a, b):\n    return F.kl_div(ops.log_soften(a), ops.soften(b), reduction='sum')\n",
        },
        "main.py",
    ),
    "relative": ({"pkg/__init__.py": "", "pkg/ops.py": SOFTEN, "pkg/main.py": HEAD + "from .ops import soften, log_soften\n" + USE}, "pkg/main.py"),
    "relative from above": (
        {"pkg/__init__.py": "", "pkg/ops.py": SOFTEN, "pkg/sub/__init__.py": "", "pkg/sub/main.py": HEAD + "from ..ops import soften, log_soften\n" + USE},
        "pkg/sub/main.py",
    ),
    "absolute": ({"pkg/__init__.py": "", "pkg/ops.py": SOFTEN, "pkg/main.py": HEAD + "from pkg.ops import soften, log_soften\n" + USE}, "pkg/main.py"),
    "source folder": (
        {"src/pkg/__init__.py": "", "src/pkg/ops.py": SOFTEN, "train.py": HEAD + "from pkg.ops import soften, log_soften\n" + USE},
        "train.py",
    ),
    "namespace package": ({"ops/soft.py": SOFTEN, "main.py": HEAD + "from ops.soft import soften, log_soften\n" + USE}, "main.py"),
    "script beside it": ({"scripts/ops.py": SOFTEN, "scripts/main.py": HEAD + "from ops import soften, log_soften\n" + USE}, "scripts/main.py"),
    "re-export": (
        {"pkg/__init__.py": "from .ops import soften, log_soften\n", "pkg/ops.py": SOFTEN, "main.py": HEAD + "from pkg import soften, log_soften\n" + USE},
        "main.py",
    ),
    "star re-export": (
        {"pkg/__init__.py": "from .ops import *\n", "pkg/ops.py": SOFTEN, "main.py": HEAD + "from pkg import soften, log_soften\n" + USE},
        "main.py",
    ),
    "module": (
        {"pkg/__init__.py": "", "pkg/ops.py": SOFTEN, "main.py": HEAD + "import pkg.ops\n" + USE.replace("log_soften(", "pkg.ops.log_soften(").replace(" soften(", " pkg.ops.soften(")},
        "main.py",
    ),
    "module alias": (
        {"pkg/__init__.py": "", "pkg/ops.py": SOFTEN, "main.py": HEAD + "from pkg import ops\n" + USE.replace("log_soften(", "ops.log_soften(").replace(" soften(", " ops.soften(")},
        "main.py",
    ),
    "conditional import": (
        {"fast.py": SOFTEN, "main.py": HEAD + "try:\n    from fast import soften, log_soften\nexcept ImportError:\n    soften = log_soften = None\n" + USE},
        "main.py",
    ),
    "import cycle": (
        {
            "a.py": HEAD + "from b import soften, log_soften\ndef helper(x):\n    return soften(x)\n" + USE,
            "b.py": HEAD + "from a import helper\n" + SOFTEN,
        },
        "a.py",
    ),
    "function that only calls another": (
        {
            "pkg/__init__.py": "from .ops import soften as made, log_soften as logged\ndef soften(x):\n    return made(x)\ndef log_soften(x):\n    return logged(x)\n",
            "pkg/ops.py": SOFTEN,
            "main.py": HEAD + "from pkg import soften, log_soften\n" + USE,
        },
        "main.py",
    ),
    "function that only calls one of another package": (
        {
            "utils.py": "from ops import soften as made, log_soften as logged\ndef soften(x):\n    return made(x)\ndef log_soften(x):\n    return logged(x)\n",
            "ops.py": SOFTEN,
            "main.py": HEAD + "from utils import soften, log_soften\n" + USE,
        },
        "main.py",
    ),
    "function inside a branch": (
        {"ops.py": HEAD + "if True:\n    def soften(x):\n        return F.softmax(x, -1)\nlog_soften = nn.LogSoftmax(dim=-1)\n", "main.py": HEAD + "from ops import soften, log_soften\n" + USE},
        "main.py",
    ),
}


@pytest.mark.parametrize(("files", "main"), IMPORTS.values(), ids=IMPORTS.keys())
def test_imported_functions_are_interpreted(tmp_path: Path, files: Mapping[str, str], main: str) -> None:
    write(tmp_path, files)
    assert spaces(tmp_path, main) == RIGHT


MODEL = HEAD + "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(3, 4)\n    def forward(self, x, log_probs=True):\n        x = self.fc(x)\n        if log_probs:\n            return F.log_softmax(x, -1)\n        return F.softmax(x, -1)\n"
LOSSES = HEAD + "class Soft(nn.KLDivLoss):\n    def __init__(self, t=2.0):\n        super().__init__(reduction='batchmean')\n        self.t = t\n    def forward(self, s, t):\n        return super().forward(F.log_softmax(s / self.t, -1), F.softmax(t / self.t, -1))\n"

CLASSES = {
    "model": ("from model import Net\nnet = Net()\ndef loss(x):\n    return F.kl_div(net(x), net(x, log_probs=False), reduction='sum')\n", RIGHT),
    "model of an annotation": ("from model import Net\ndef loss(net: Net, x):\n    return F.kl_div(net(x), net(x, log_probs=False), reduction='sum')\n", RIGHT),
    "base class": ("from model import Net\nclass Mine(Net):\n    pass\ndef loss(x):\n    return F.kl_div(Mine()(x), Mine()(x, False), reduction='sum')\n", RIGHT),
    "attribute set by a base": (
        "from base import Base\nclass Mine(Base):\n    def loss(self, a, b):\n        return self.kl(self.log(a), self.soft(b))\n    kl_div = None\n",
        RIGHT,
    ),
    "registry": ("from registry import REGISTRY\ndef loss(a, b):\n    return F.kl_div(a.log_softmax(-1), REGISTRY['soft'](b), reduction='sum')\n", RIGHT),
    "getattr and setattr": (
        "class Box:\n    def __init__(self):\n        setattr(self, 'p', None)\n    def fill(self, x):\n        setattr(self, 'p', x.softmax(-1))\n"
        "    def loss(self, a):\n        return F.kl_div(a.log_softmax(-1), getattr(self, 'p'), reduction='sum')\n",
        RIGHT,
    ),
}


@pytest.mark.parametrize(("text", "expected"), CLASSES.values(), ids=CLASSES.keys())
def test_classes_in_other_files(tmp_path: Path, text: str, expected: set[tuple[str, str]]) -> None:
    base = HEAD + "class Base(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.kl = nn.KLDivLoss(reduction='sum')\n        self.log = nn.LogSoftmax(-1)\n        self.soft = nn.Softmax(-1)\n"
    registry = HEAD + "REGISTRY = {}\ndef register(name):\n    def wrap(function):\n        REGISTRY[name] = function\n        return function\n    return wrap\n@register('soft')\ndef soft(x):\n    return F.softmax(x, -1)\n"
    write(tmp_path, {"model.py": MODEL, "losses.py": LOSSES, "base.py": base, "registry.py": registry, "main.py": HEAD + text})
    assert spaces(tmp_path, "main.py") == expected


LOSS_CLASS = HEAD + "class Loss(nn.Module):\n    def forward(self, a, b):\n        return F.kl_div(a, b, reduction='sum')\n"
CALLERS = {
    "function": (
        {"loss.py": HEAD + "def kl(a, b):\n    return F.kl_div(a, b, reduction='sum')\n"},
        HEAD + "from loss import kl\ndef step(s, t):\n    return kl(s.log_softmax(-1), t.softmax(-1))\n",
    ),
    "loss class": (
        {"loss.py": HEAD + "class Loss(nn.Module):\n    def forward(self, a, b):\n        return F.kl_div(a, b, reduction='sum')\n"},
        HEAD + "from loss import Loss\nclass Trainer:\n    def __init__(self):\n        self.loss = Loss()\n    def step(self, s, t):\n        return self.loss(s.log_softmax(-1), t.softmax(-1))\n",
    ),
    "through a helper of the caller": (
        {"loss.py": HEAD + "def kl(a, b):\n    return F.kl_div(a, b, reduction='sum')\n"},
        HEAD + "from loss import kl\ndef inner(a, b):\n    return kl(a, b)\ndef step(s, t):\n    return inner(s.log_softmax(-1), t.softmax(-1))\n",
    ),
    "through a helper of the callee": (
        {"loss.py": HEAD + "def kl(a, b):\n    return F.kl_div(a, b, reduction='sum')\ndef total(p, q):\n    return 2 * kl(p, q)\n"},
        HEAD + "from loss import total\ndef step(s, t):\n    return total(s.log_softmax(-1), t.softmax(-1))\n",
    ),
    "through a function that makes one": (
        {"loss.py": LOSS_CLASS + "def build(name='kl'):\n    loss = Loss()\n    return loss\n"},
        HEAD + "from loss import build\ndef step(s, t):\n    return build('kl')(s.log_softmax(-1), t.softmax(-1))\n",
    ),
    "through an object of the module": (
        {"loss.py": LOSS_CLASS + "divergence = Loss()\n"},
        HEAD + "import loss\ndef step(s, t):\n    return loss.divergence(s.log_softmax(-1), t.softmax(-1))\n",
    ),
    "through a table of the module": (
        {"loss.py": LOSS_CLASS + "LOSSES = {'kl': Loss, 'mse': nn.MSELoss}\n"},
        HEAD + "from loss import LOSSES\ndef step(s, t):\n    return LOSSES['kl']()(s.log_softmax(-1), t.softmax(-1))\n",
    ),
}


@pytest.mark.parametrize(("files", "caller"), CALLERS.values(), ids=CALLERS.keys())
def test_callers_in_other_files(tmp_path: Path, files: Mapping[str, str], caller: str) -> None:
    write(tmp_path, {**files, "pkg/train.py": caller, "train.py": caller})
    assert spaces(tmp_path, "loss.py") == RIGHT


def test_a_caller_names_the_chain(tmp_path: Path) -> None:
    files, caller = CALLERS["function"]
    write(tmp_path, {**files, "train.py": caller})
    chains = [call.callers for call in calls(tmp_path, "loss.py") if call.callers]
    assert [[os.path.basename(step.filename) for step in chain] for chain in chains] == [["train.py"]]
    assert chains[0][0].span.row == 6


def test_what_functions_of_another_file_rebind_is_not_known(tmp_path: Path) -> None:
    write(tmp_path, {
        "state.py": "KEPT = None\ndef keep(x):\n    global KEPT\n    KEPT = x\n",
        "main.py": HEAD + "import state\ndef loss(x, y):\n    state.keep(y)\n    p = x.softmax(1)\n    if state.KEPT is not None:\n"
        "        p = x.log_softmax(1)\n    return F.kl_div(p, y.softmax(1), reduction='batchmean')\n",
    })  # fmt: skip
    assert spaces(tmp_path, "main.py") == {("log_probs", "probs"), ("probs", "probs")}


def test_what_is_written_on_an_object_of_another_module_is_read_there(tmp_path: Path) -> None:
    write(tmp_path, {
        "pkg/state.py": "class State:\n    held = None\nSTATE = State()\n",
        "main.py": HEAD + "import pkg.state\ndef loss(x, y):\n    pkg.state.STATE.held = x.log_softmax(1)\n"
        "    for p, q in [(pkg.state.STATE.held, y.softmax(1)), (x.softmax(1), y.softmax(1))]:\n"
        "        F.kl_div(p, q, reduction='batchmean')\n",
    })  # fmt: skip
    assert spaces(tmp_path, "main.py") == {("log_probs", "probs"), ("probs", "probs")}


WRITERS = {
    "rebinding": ("held = x.softmax(-1)", "nonlocal held\n        held = value", "held"),
    "an item": ("held = [x.softmax(-1)]", "held[0] = value", "held[0]"),
    "a method": ("held = [x.softmax(-1)]", "held.append(value)", "held[-1]"),
    "an attribute": ("held = Box()\n    held.made = x.softmax(-1)", "held.made = value", "held.made"),
}


@pytest.mark.parametrize(("before", "change", "after"), WRITERS.values(), ids=WRITERS.keys())
def test_a_caller_in_another_file_writes_through_a_closure(tmp_path: Path, before: str, change: str, after: str) -> None:
    caller = (
        f"class Box:\n    pass\ndef step(x, y):\n    {before}\n    def keep(value):\n        {change}\n"
        f"    keep(x.log_softmax(-1))\n    return kl({after}, y.softmax(-1))\n"
    )
    files, _ = CALLERS["function"]
    write(tmp_path, {**files, "train.py": HEAD + "from loss import kl\n" + caller})
    assert spaces(tmp_path, "loss.py") >= RIGHT


def test_what_is_imported_from_outside_stays_unknown(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": HEAD + "from elsewhere import soften, log_soften\n" + USE})
    assert spaces(tmp_path, "main.py") == set()


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, {"ops.py": SOFTEN})
    root = tmp_path / "root"
    write(root, {"main.py": HEAD + "from ops import soften, log_soften\n" + USE})
    (root / "ops.py").symlink_to(outside / "ops.py")
    assert spaces(root, "main.py") == set()


def test_an_import_does_not_leave_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"ops.py": SOFTEN, "root/pkg/main.py": HEAD + "from ...ops import soften, log_soften\n" + USE})
    assert spaces(root, "pkg/main.py") == set()


@pytest.mark.parametrize("text", ["def soften(:\n", "\x00", "x = 1\n" * 400_000], ids=["syntax error", "null byte", "too large"])
def test_a_file_that_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"ops.py": text, "main.py": HEAD + "from ops import soften, log_soften\n" + USE})
    assert spaces(tmp_path, "main.py") == set()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, {"ops.py": SOFTEN, "main.py": HEAD + "from ops import soften, log_soften\n" + USE})
    project = Project(str(tmp_path))
    assert spaces(tmp_path, "main.py", project=project) == RIGHT
    (tmp_path / "ops.py").write_text(SOFTEN.replace("F.softmax(x, dim=-1)", "F.log_softmax(x, dim=-1)  # changed"))
    assert spaces(tmp_path, "main.py", project=project) == {("log_probs", "log_probs")}


def test_what_was_read_before_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kl_lint.flow.project.MOST_FILES", 2)
    write(tmp_path, {"ops.py": SOFTEN, "main.py": HEAD + "from ops import soften, log_soften\n" + USE, **{f"m{i}.py": "" for i in range(4)}})
    project = Project(str(tmp_path))
    for i in range(4):
        assert project.source(str(tmp_path / f"m{i}.py")) is not None
    assert spaces(tmp_path, "main.py", project=project) == RIGHT


def test_an_unsaved_text_stands_for_its_file(tmp_path: Path) -> None:
    write(tmp_path, {"ops.py": SOFTEN, "main.py": HEAD + "from ops import soften, log_soften\n" + USE})
    project = Project(str(tmp_path))
    project.hold({str(tmp_path / "ops.py"): SOFTEN.replace("F.softmax", "F.log_softmax")})
    assert spaces(tmp_path, "main.py", project=project) == {("log_probs", "log_probs")}
    project.hold({})
    assert spaces(tmp_path, "main.py", project=project) == RIGHT


@pytest.mark.parametrize("more", ["def half(", "# \ud83d, half of a character"])
def test_what_an_unsaved_text_was_stands_while_it_cannot_be_parsed(tmp_path: Path, more: str) -> None:
    write(tmp_path, {"ops.py": "", "main.py": HEAD + "from ops import soften, log_soften\n" + USE})
    project = Project(str(tmp_path))
    for text in (SOFTEN, SOFTEN + more):
        project.hold({str(tmp_path / "ops.py"): text})
        assert spaces(tmp_path, "main.py", project=project) == RIGHT


def test_an_unsaved_text_makes_a_module_that_was_none(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": HEAD + "from ops import soften, log_soften\n" + USE})
    project = Project(str(tmp_path))
    assert spaces(tmp_path, "main.py", project=project) == set()
    project.hold({str(tmp_path / "ops.py"): SOFTEN})
    assert spaces(tmp_path, "main.py", project=project) == RIGHT
    project.hold({})
    assert spaces(tmp_path, "main.py", project=project) == set()


def test_callers_are_looked_for_in_unsaved_texts(tmp_path: Path) -> None:
    loss = HEAD + "def soft_target_loss(a, b):\n    return F.kl_div(a, b, reduction='sum')\n"
    caller = HEAD + "from loss import soft_target_loss\ndef step(x, y):\n    return soft_target_loss(F.log_softmax(x, 1), F.softmax(y, 1))\n"
    write(tmp_path, {"loss.py": loss, "step.py": "", "setup.py": ""})
    project = Project(str(tmp_path))
    assert spaces(tmp_path, "loss.py", project=project) == set()
    for name in ("step.py", "unsaved.py"):
        project.hold({str(tmp_path / name): caller})
        assert spaces(tmp_path, "loss.py", project=project) == RIGHT
    project.hold({str(tmp_path / "step.txt"): caller})
    assert spaces(tmp_path, "loss.py", project=project) == set()
    project.hold({str(tmp_path / "step.py"): caller.replace("torch", "notorch").replace("softmax", "soft")})
    assert spaces(tmp_path, "loss.py", project=project) == set()


def test_what_was_read_can_be_forgotten(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": HEAD + "from ops import soften, log_soften\n" + USE, "setup.py": ""})
    path = str(tmp_path / "main.py")
    assert spaces(tmp_path, "main.py", project=project_of(path)) == set()
    write(tmp_path, {"ops.py": SOFTEN})
    assert spaces(tmp_path, "main.py", project=project_of(path)) == set()
    forget()
    assert spaces(tmp_path, "main.py", project=project_of(path)) == RIGHT


def test_root_of(tmp_path: Path) -> None:
    write(tmp_path, {"a/pyproject.toml": "", "a/src/pkg/__init__.py": "", "a/src/pkg/m.py": ""})
    assert root_of(str(tmp_path / "a/src/pkg/m.py")) == str(tmp_path / "a")
    nowhere = str(tmp_path / "nowhere.py")
    assert project_of(nowhere) is None
    assert project_of(nowhere, {nowhere: ""}) is not None


DECLARED = {
    "whole name": Declaration("pkg.ops.soften", Space.PROBS, -1),
    "what it ends in": Declaration("ops.soften", Space.PROBS),
    "star": Declaration("pkg.*.soft*", Space.PROBS),
}


@pytest.mark.parametrize("declaration", DECLARED.values(), ids=DECLARED.keys())
def test_declared_returns_are_believed(tmp_path: Path, declaration: Declaration) -> None:
    text = HEAD + "from pkg.ops import soften\ndef loss(a, b):\n    return F.kl_div(a.log_softmax(-1), soften(b), reduction='sum')\n"
    write(tmp_path, {"main.py": text})
    assert spaces(tmp_path, "main.py", declarations=(declaration,)) == RIGHT


def test_annotations_are_believed(tmp_path: Path) -> None:
    text = (
        HEAD + "from typing import Annotated\nfrom torch import Tensor\nProbs = Annotated[Tensor, 'probs']\n"
        "def soften(x) -> Probs:\n    return unknown(x)\n"
        "def loss(a: Annotated[Tensor, 'log_probs'], b):\n    return F.kl_div(a, soften(b), reduction='sum')\n"
    )
    write(tmp_path, {"main.py": text})
    assert spaces(tmp_path, "main.py") == RIGHT


def test_running_out_of_work_in_the_middle_of_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kl_lint.flow.frame.FOREIGN_WORK", 150)
    loop = "def toil(x):\n    y = F.softmax(x, 1)\n" + "".join(f"    y = y.log_softmax({i})\n" for i in range(200)) + "    return y\n"
    middle = HEAD + "from toils import toil\nx = 1\nif A:\n    for i in B:\n        if i:\n            made = toil(x)\n            x = 2\n    made = F.softmax\nelse:\n    made = F.softmax\n"
    main = HEAD + "import middle\nif middle.made(C):\n    pass\ndef loss(a, b):\n    return F.kl_div(a.log_softmax(1), b.softmax(1), reduction='sum')\n"
    write(tmp_path, {"toils.py": HEAD + loop, "middle.py": middle, "main.py": main})
    assert spaces(tmp_path, "main.py") == RIGHT


@pytest.mark.parametrize(
    "text",
    ["F.softmax(x)", "nn.Softmin()", "q.log()", "torch.exp", "map(torch.sigmoid, x)", "nn.LogSigmoid()", "F.logsigmoid(x)", "nn.Linear(4, 3)"],
)
def test_a_text_that_makes_a_distribution_tells_of_one(text: str) -> None:
    assert tells(b"a = 1\n" + text.encode() + b"\n")


@pytest.mark.parametrize("text", ["", "torch.log1p", "torch.expand", "soft.max(x)", "sigmoid = 1", "catalog(x)", "logger.logs(x)"])
def test_a_text_that_makes_none_does_not(text: str) -> None:
    assert not tells(text.encode())


KEPT = HEAD + "class Model:\n    def __init__(self):\n        self.criterion = nn.KLDivLoss(reduction='sum')\n\nclass Larger(Model):\n    pass\n\nmodel = Larger()\n"
MADE = HEAD + "def criterion_of(kind):\n    return nn.KLDivLoss(reduction='sum')\n"
USED = HEAD + "class Divergence:\n    def __call__(self, x, y):\n        criterion = nn.KLDivLoss(reduction='sum')\n        return criterion(x, y)\n\ndef divergence(x, y):\n    return F.kl_div(x, y, reduction='sum')\n"


@pytest.mark.parametrize(
    ("other", "imports", "call"),
    [
        (KEPT, "Model", "Model().criterion({})"),
        (KEPT, "Larger as Big", "Big().criterion({})"),
        (KEPT, "model", "model.criterion({})"),
        (KEPT, "*", "model.criterion({})"),
        (MADE, "criterion_of as made", "made('kl_div')({})"),
        (HEAD + "criterion = nn.KLDivLoss(reduction='sum')\n", "criterion", "criterion({})"),
    ],
)
def test_a_divergence_that_another_file_makes_is_computed_here(tmp_path: Path, other: str, imports: str, call: str) -> None:
    given = call.format("F.log_softmax(x, -1), F.softmax(y, -1)")
    write(tmp_path, {"other.py": other, "main.py": HEAD + f"from other import {imports}\ndef kl_div_loss(x, y):\n    return {given}\n"})
    assert spaces(tmp_path, "main.py") == RIGHT


@pytest.mark.parametrize("imports", ["Divergence", "divergence"])
def test_what_uses_a_divergence_elsewhere_brings_no_name_of_one(tmp_path: Path, imports: str) -> None:
    main = HEAD + f"from other import {imports}\n"
    write(tmp_path, {"other.py": USED, "main.py": main})
    source = Source(str(tmp_path / "main.py"), main.splitlines(), ast.parse(main))
    machine = Machine(1000)
    assert Modules(machine, Project(str(tmp_path)), Frame(machine, source)).kl_names(source) == set()


def test_what_another_file_makes_may_be_kept_in_an_attribute(tmp_path: Path) -> None:
    maker = "def get_loss(name):\n    if name == 'kl':\n        return nn.KLDivLoss(reduction='sum')\n    return nn.MSELoss()\n"
    trainer = "class Trainer:\n    def __init__(self):\n        self.criterion = get_loss('kl')\n    def step(self, s, t):\n        return self.criterion(s.log_softmax(-1), t.softmax(-1))\n"
    write(tmp_path, {"losses.py": HEAD + maker, "train.py": HEAD + "from losses import get_loss  # kl_div\n" + trainer})
    assert spaces(tmp_path, "train.py") == RIGHT
