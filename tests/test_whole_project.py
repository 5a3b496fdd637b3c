"""Findings that take more than one file: they are those of the file that holds the KL call, whatever else is checked."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from kl_lint.engine import check_text
from kl_lint.finding import Finding
from tests.command import run

pytestmark = pytest.mark.no_cover

LOSS = """\
import torch.nn as nn
import torch.nn.functional as F


def divergence(a, b):
    return F.kl_div(a, b, reduction="batchmean")


class SoftLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.kl = nn.KLDivLoss(reduction="batchmean")

    def forward(self, a, b):
        return self.kl(a, b)


def good(a, b):
    return divergence(F.log_softmax(a, -1), F.softmax(b, -1)) + SoftLoss()(F.log_softmax(a, -1), F.softmax(b, -1))
"""
HEAD = "import torch.nn.functional as F\n"
CALLERS = {
    "function": "from loss import divergence\ndef step(s, t):\n    return divergence(F.softmax(s, -1), F.softmax(t, -1))\n",
    "function under another name": (
        "from loss import divergence as distance\ndef step(s, t):\n    return distance(F.softmax(s, -1), F.softmax(t, -1))\n"
    ),
    "module": "import loss\ndef step(s, t):\n    return loss.divergence(F.softmax(s, -1), F.softmax(t, -1))\n",
    "re-exported": (
        "from package import measure\ndef step(s, t):\n    return measure(F.softmax(s, -1), F.softmax(t, -1))\n"
    ),
    "class": (
        "from loss import SoftLoss\ncriterion = SoftLoss()\n"
        "def step(s, t):\n    return criterion(F.softmax(s, -1), F.softmax(t, -1))\n"
    ),
    "class under another name": (
        "from loss import SoftLoss as Distillation\nclass Trainer:\n    def __init__(self):\n        self.loss = Distillation()\n"
        "    def step(self, s, t):\n        return self.loss(F.softmax(s, -1), F.softmax(t, -1))\n"
    ),
}
"""Callers that mention neither kl_div nor KLDivLoss."""
ROWS = {"function": 6, "function under another name": 6, "module": 6, "re-exported": 6, "class": 15, "class under another name": 15}


def project(root: Path, caller: str) -> Path:
    files = {
        "pyproject.toml": "",
        "loss.py": LOSS,
        "train.py": HEAD + caller,
        "package/__init__.py": "from .measures import (\n    divergence as measure,\n)\n",
        "package/measures.py": "from loss import divergence\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return root


def findings(root: Path, name: str) -> tuple[Finding, ...]:
    path = root / name
    return check_text(path.read_text(), str(path), across=True)[0]


@pytest.mark.parametrize("kind", CALLERS)
def test_a_wrong_caller_in_a_file_without_the_words_is_told_where_the_call_is(tmp_path: Path, kind: str) -> None:
    root = project(tmp_path, CALLERS[kind])
    assert findings(root, "train.py") == ()
    (finding,) = findings(root, "loss.py")
    row = HEAD.count("\n") + CALLERS[kind].count("\n")
    assert (finding.code, finding.span.row) == ("KLD101", ROWS[kind])
    assert f"(train.py line {row})" in finding.message
    assert ("train.py", row) in [(Path(step.filename).name, step.span.row) for step in finding.trace]


def test_findings_do_not_depend_on_what_else_is_checked(tmp_path: Path) -> None:
    project(tmp_path, CALLERS["function"] + "import torch\nCRITERION = torch.nn.KLDivLoss()\n")
    names = ["loss.py", "train.py", "package/measures.py"]
    subsets = [order for count in (1, 2, 3) for order in itertools.permutations(names, count)]
    told: dict[str, set[str]] = {name: set() for name in names}
    for subset in subsets:
        result = run("check", "--output-format", "json", *subset, cwd=tmp_path)
        found = json.loads(result.stdout)
        for name in subset:
            told[name].add(json.dumps([one for one in found if Path(one["filename"]).name == Path(name).name]))
    assert all(len(versions) == 1 for versions in told.values())
    assert [len(json.loads(*told[name])) for name in names] == [1, 1, 0]


@pytest.mark.parametrize("verb", ["check", "inspect"])
def test_one_file_may_be_all_that_is_read(tmp_path: Path, verb: str) -> None:
    (tmp_path / "helper.py").write_text(HEAD + "def squash(x):\n    return F.softmax(x, -1)\n")
    body = "from helper import squash\ndef loss(x, q):\n    return F.kl_div(squash(x), q, reduction='sum')\n"
    (tmp_path / "loss.py").write_text(HEAD + body)
    with_it, without = (
        run(verb, across, "--output-format=json", "loss.py", cwd=tmp_path).stdout
        for across in ("--across-files", "--no-across-files")
    )
    assert b"helper.py" in with_it
    assert b"helper.py" not in without
    assert run(verb, "--output-format=json", "loss.py", cwd=tmp_path).stdout == with_it
    (tmp_path / "pyproject.toml").write_text("[tool.kl_lint]\nacross-files = false\n")
    assert run(verb, "--output-format=json", "loss.py", cwd=tmp_path).stdout == without


def test_a_right_caller_elsewhere_changes_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, CALLERS["function"].replace("F.softmax(s", "F.log_softmax(s"))
    assert findings(root, "loss.py") == ()
