"""What a base class leaves to be implemented is taken from the classes that implement it, be they never built."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from kl_lint import inspect_source
from kl_lint.engine import check_text

HEAD = """\
import abc
import torch.nn as nn
import torch.nn.functional as F
"""
BASE = """
class Base(nn.Module):
    def head(self, x):
        raise NotImplementedError

    def loss(self, x, t):
        return F.kl_div(self.head(x), F.softmax(t, dim=-1), reduction="batchmean")
"""
RIGHT = """
class Right(Base):
    def head(self, x):
        return F.log_softmax(x, dim=-1)
"""
WRONG = """
class Wrong(Base):
    def head(self, x):
        return F.softmax(x, dim=-1)
"""
CALL = 10
"""The row of the divergence."""


def found(text: str) -> set[tuple[str, int]]:
    return {(finding.code, finding.span.row) for finding in check_text(HEAD + text, "loss.py")[0]}


PROGRAMS = {
    "none": ("", set()),
    "one that is right": (RIGHT, set()),
    "one that is wrong": (WRONG, {("KLD101", CALL)}),
    "all are wrong": (WRONG + WRONG.replace("Wrong", "Worse"), {("KLD101", CALL)}),
    "one of two": (RIGHT + WRONG, {("KLD101", 16)}),
    "one that cannot be seen into": ("class Other(Base):\n    def head(self, x):\n        return self.net(x)\n", set()),
    "it has a way of its own": (WRONG + "\n    def loss(self, x, t):\n        return self.head(x) - t\n", set()),
    "by way of another class": (
        "class Middle(Base):\n    pass\n" + WRONG.replace("(Base)", "(Middle)"),
        {("KLD101", CALL)},
    ),
    "what only looks like one": (WRONG.replace("head", "heads"), set()),
}


@pytest.mark.parametrize(("classes", "expected"), PROGRAMS.values(), ids=list(PROGRAMS))
def test_implementations_are_judged_where_the_method_is(classes: str, expected: set[tuple[str, int]]) -> None:
    assert found(BASE + classes) == expected


@pytest.mark.parametrize(
    "body",
    [
        "    @abc.abstractmethod\n    def head(self, x):\n        ...\n",
        "    @abc.abstractmethod\n    def head(self, x):\n        pass\n",
        '    def head(self, x):\n        "What is to be compared."\n        raise NotImplementedError("head")\n',
    ],
    ids=["declared", "declared and passed", "documented"],
)
def test_every_way_to_leave_a_method_open(body: str) -> None:
    base = BASE.replace("    def head(self, x):\n        raise NotImplementedError\n", body)
    assert {code for code, _ in found(base + WRONG)} == {"KLD101"}
    assert found(base + RIGHT) == set()


def test_a_method_that_does_something_is_not_left_open() -> None:
    base = BASE.replace("raise NotImplementedError", "return self.net(x)")
    assert found(base + WRONG) == set()


def test_a_property_may_be_left_open() -> None:
    base = BASE.replace("    def head(self, x):", "    @property\n    @abc.abstractmethod\n    def head(self):")
    base = base.replace("self.head(x)", "self.head")
    heir = "class Wrong(Base):\n    @property\n    def head(self):\n        return F.softmax(self.x, dim=-1)\n"
    assert {code for code, _ in found(base + heir)} == {"KLD101"}


def test_what_a_class_leaves_open_does_not_speak_for_a_caller_that_knows() -> None:
    """What is reported with its fix where the method is called, be it inherited or not."""
    base = BASE.replace("F.softmax(t, dim=-1)", "t")
    caller = "def use(x, t):\n    return Right().loss(x, F.log_softmax(t, dim=-1))\n"
    (finding,) = check_text(HEAD + base + RIGHT + caller, "loss.py")[0]
    assert (finding.code, finding.span.row) == ("KLD301", CALL)
    assert finding.fix is not None
    assert {code for code, _ in found(base + WRONG)} == {"KLD101"}


def test_the_class_is_named() -> None:
    (finding,) = check_text(HEAD + BASE + RIGHT + WRONG, "loss.py")[0]
    assert finding.message.startswith(f"Wrong feeds kl_div at line {CALL}: input to kl_div is probabilities")
    assert [step.what for step in finding.trace] == ["softmax", "inherited here"]
    assert finding.fix is None


def test_what_it_computes_is_known() -> None:
    (row,) = inspect_source(HEAD + BASE + RIGHT, "loss.py")
    assert row.input is not None
    assert (row.input.space, row.input.dim) == ("log_probs", -1)


@pytest.mark.parametrize(("heir", "codes"), [(WRONG, ["KLD101"]), (RIGHT, [])], ids=["wrong", "right"])
def test_it_may_stand_in_another_file(tmp_path: Path, heir: str, codes: list[str]) -> None:
    (tmp_path / "pyproject.toml").touch()
    base = tmp_path / "base.py"
    base.write_text(HEAD + BASE)
    (tmp_path / "heir.py").write_text(f"import torch.nn.functional as F\nfrom base import Base\n{textwrap.dedent(heir)}")
    findings = check_text(base.read_text(), str(base), across=True)[0]
    assert [finding.code for finding in findings] == codes
    assert all(finding.trace[-1].filename == str(tmp_path / "heir.py") for finding in findings)
