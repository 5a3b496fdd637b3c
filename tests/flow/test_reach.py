"""How far a rewrite can reach into the making of a distribution: who else reads it, its guards, how it is spelled."""

from __future__ import annotations

import ast
import textwrap

import pytest

from kl_lint.finding import Span
from kl_lint.flow import analyse
from kl_lint.flow.kl_call import KLCall, Producer, Remark, RemarkKind
from kl_lint.flow.reach import GUARDS
from kl_lint.flow.torch_ops import OPERATIONS
from kl_lint.flow.transfer.elementwise import clamp, maximum
from tests.flow.programs import PRELUDE, only_call


def call_in(body: str, prelude: str = PRELUDE) -> tuple[str, KLCall]:
    """The text of a function, and the single KL call in it."""
    source = f"{prelude}\ndef loss(x, y, flag):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    return source, only_call(source)


def remark_in(body: str, kind: RemarkKind, prelude: str = PRELUDE) -> tuple[str, Remark]:
    """The text, and the one remark of that kind on its input."""
    source, call = call_in(body, prelude)
    assert call.input is not None
    (found,) = (remark for remark in call.input.value.remarks if remark.kind is kind)
    return source, found


def producer_in(body: str, prelude: str = PRELUDE) -> Producer | None:
    _, call = call_in(body, prelude)
    assert call.input is not None
    return call.input.value.producer


def text_at(source: str, span: Span | None) -> str:
    assert span is not None
    assert span.row == span.end_row
    return source.splitlines()[span.row - 1][span.column - 1 : span.end_column - 1]


SOLE = (True, True)
SOLE_BUT_MOVED = (True, False)
"""Nothing else reads it; it is not what the softmax gave there, or its logits are not the same any more."""
SHARED = (False, True)
OUT_OF_REACH = (False, False)

LOGS = [
    ("F.kl_div(F.softmax(x, 1).log(), y)", SOLE),
    ("F.kl_div(torch.log(F.softmax(x, 1).contiguous()), y)", SOLE_BUT_MOVED),
    ("p = F.softmax(x, 1)\nF.kl_div(p.log(), y)", SOLE),
    ("p = F.softmax(x, 1)\nq = p.log()\nF.kl_div(q, y)", SOLE),
    ("p = F.softmax(x, 1)\nq = p.log()\nprint(q)\nF.kl_div(q, y)", SOLE),
    ("p = F.softmax(x, 1)\nprint(p)\nF.kl_div(p.log(), y)", SHARED),
    ("p = F.softmax(x, 1)\nprint(p)\nq = p\nF.kl_div(q.log(), y)", SHARED),
    ("p = F.softmax(x, 1).contiguous()\nprint(p)\nF.kl_div(p.log(), y)", OUT_OF_REACH),
    ("p = F.softmax(x, 1, dtype=torch.float64)\nprint(p)\nF.kl_div(p.log(), y)", OUT_OF_REACH),
    ("p = x.softmax(1, torch.float64)\nprint(p)\nF.kl_div(p.log(), y)", OUT_OF_REACH),
    ("p = F.softmax(x, dim=1)\nx = x + 1\nprint(p)\nF.kl_div(p.log(), y)", OUT_OF_REACH),
    ("p = F.softmax(x, dim=1)\nx.add_(1)\nprint(p)\nF.kl_div(p.log(), y)", OUT_OF_REACH),
    ("p = F.softmax(x, dim=1)\nx = x + 1\nF.kl_div(p.log(), y)", SOLE_BUT_MOVED),
    ("F.kl_div(torch.log(p := F.softmax(x, 1)), y)\nprint(p)", OUT_OF_REACH),
    ("p = F.softmax(x, 1) + 1e-8\nF.kl_div(p.log(), y)", SOLE),
    ("p = F.softmax(x, 1)\np = p + 1e-8\nF.kl_div(p.log(), y)", SHARED),
    ("p = F.softmax(x, 1)\np += 1e-8\nF.kl_div(p.log(), y)", SOLE_BUT_MOVED),
    ("for _ in range(2):\n    p = F.softmax(x, 1)\n    F.kl_div(p.log(), y)", SOLE),
    ("show = lambda: print(p)\np = F.softmax(x, 1)\nshow()\nF.kl_div(p.log(), y)", SHARED),
    ("def show():\n    print(p)\np = F.softmax(x, 1)\nshow()\nF.kl_div(p.log(), y)", SHARED),
    ("global p\np = F.softmax(x, 1)\nF.kl_div(p.log(), y)", SHARED),
    ("with torch.no_grad():\n    p = F.softmax(x, 1)\n    q = p.log()\nF.kl_div(q, y)", SOLE),
    ("with torch.no_grad():\n    p = F.softmax(x, 1)\nF.kl_div(p.log(), y)", SOLE_BUT_MOVED),
    ("p = F.softmax(x, 1)\nwith torch.no_grad():\n    q = p.log()\nF.kl_div(q, y)", SHARED),
    ("p = F.softmax(x, 1)\nwith torch.no_grad():\n    q = p.clamp(1e-8)\nF.kl_div(q.log(), y)", OUT_OF_REACH),
    ("p = None\nfor _ in range(2):\n    print(p)\n    p = F.softmax(x, 1)\n    F.kl_div(p.log(), y)", OUT_OF_REACH),
]


@pytest.mark.parametrize(("body", "expected"), LOGS)
def test_log_of_softmax(body: str, expected: tuple[bool, bool]) -> None:
    source, remark = remark_in(body, RemarkKind.LOG_OF_SOFTMAX)
    assert (remark.sole_use, remark.operand_unchanged) == expected
    assert text_at(source, remark.operand) == "x"
    assert "softmax" in text_at(source, remark.inner)


TWICE = [
    ("F.kl_div(F.log_softmax(F.softmax(x, 1), 1), y)", SOLE),
    ("F.kl_div(F.log_softmax(F.softmax(x, 1) / 2, 1), y)", SOLE_BUT_MOVED),
    ("p = F.softmax(x, 1)\nF.kl_div(F.log_softmax(p, 1), y)", SOLE),
    ("p = F.softmax(x, 1)\nprint(p)\nF.kl_div(F.log_softmax(p, 1), y)", SHARED),
    ("p = F.softmax(x, 1)\nprint(p)\nx = x * 2\nF.kl_div(F.log_softmax(p, 1), y)", OUT_OF_REACH),
    ("with torch.no_grad():\n    p = F.softmax(x, 1)\nF.kl_div(F.log_softmax(p, 1), y)", OUT_OF_REACH),
    ("p = F.softmax(x, 1)\nwith torch.no_grad():\n    q = F.log_softmax(p, 1)\nF.kl_div(q, y)", SHARED),
]


@pytest.mark.parametrize(("body", "expected"), TWICE)
def test_normalized_twice(body: str, expected: tuple[bool, bool]) -> None:
    source, remark = remark_in(body, RemarkKind.NORMALIZED_TWICE)
    assert (remark.sole_use, remark.operand_unchanged) == expected
    assert text_at(source, remark.operand) == "x"


def test_within_a_helper_its_own_names_count() -> None:
    source = PRELUDE + (
        "def log_probs(x):\n    p = F.softmax(x, 1)\n    return p.log()\n\n\n"
        "def loss(x, y):\n    p = x\n    print(p, p)\n    return F.kl_div(log_probs(p), y)\n"
    )
    call = only_call(source)
    assert call.input is not None
    (remark,) = call.input.value.remarks
    assert (remark.sole_use, remark.operand_unchanged) == SOLE_BUT_MOVED
    assert text_at(source, remark.argument) == "p"
    assert text_at(source, remark.inner) == "F.softmax(x, 1)"


GUARDED = [
    ("F.kl_div(torch.log(F.softmax(x, 1) + 1e-8), y)", [("F.softmax(x, 1) + 1e-8", "F.softmax(x, 1)")]),
    ("F.kl_div(torch.log(1e-8 + x.softmax(1)), y)", [("1e-8 + x.softmax(1)", "x.softmax(1)")]),
    ("F.kl_div(x.softmax(1).clamp(min=1e-8).log(), y)", [("x.softmax(1).clamp(min=1e-8)", "x.softmax(1)")]),
    (
        "F.kl_div(torch.log(torch.clamp(input=x.softmax(1), min=1e-8)), y)",
        [("torch.clamp(input=x.softmax(1), min=1e-8)", "x.softmax(1)")],
    ),
    (
        "p = x.softmax(1)\nq = (p + 1e-8).contiguous()\nF.kl_div(q.clamp_(1e-9).log(), y)",
        [("p + 1e-8", "p"), ("q.clamp_(1e-9)", "q")],
    ),
    ("F.kl_div(torch.log(F.softmax(x + 1, 1)), y)", []),
]


@pytest.mark.parametrize(("body", "expected"), GUARDED)
def test_guards_of_a_softmax(body: str, expected: list[tuple[str, str]]) -> None:
    source, remark = remark_in(body, RemarkKind.LOG_OF_SOFTMAX)
    assert [(text_at(source, one), text_at(source, given)) for one, given in remark.guards] == expected
    assert remark.epsilon is bool(expected)


GUARDED_LOGS = [
    ("F.kl_div(torch.log(x.log_softmax(1) + 1e-8), y)", [("x.log_softmax(1) + 1e-8", "x.log_softmax(1)")]),
    ("l = x.log_softmax(1)\nF.kl_div((l + flag.eps).log(), y)", [("l + flag.eps", "l")]),
    (
        "l = x.log_softmax(1)\nF.kl_div(torch.log(torch.clamp(l, min=1e-8) + 1e-9), y)",
        [("torch.clamp(l, min=1e-8) + 1e-9", "torch.clamp(l, min=1e-8)"), ("torch.clamp(l, min=1e-8)", "l")],
    ),
    ("F.kl_div(x.log_softmax(1).log(), y)", []),
]


@pytest.mark.parametrize(("body", "expected"), GUARDED_LOGS)
def test_guards_of_log_probabilities(body: str, expected: list[tuple[str, str]]) -> None:
    source, remark = remark_in(body, RemarkKind.LOG_OF_LOG)
    assert [(text_at(source, one), text_at(source, given)) for one, given in remark.guards] == expected


def test_every_clamp_of_the_catalogue_is_known_as_a_guard() -> None:
    clamps = [operation for operation in OPERATIONS if operation.effect in (clamp, maximum)]
    names = {path.rpartition(".")[2] for operation in clamps for path in operation.paths.split()}
    assert names
    assert names | {"add"} == GUARDS


@pytest.mark.parametrize(
    ("imports", "maker", "callee"),
    [
        ("import torch.nn.functional as F", "F.softmax(x, 1)", "F.softmax"),
        ("import torch.nn.functional as F", "x.softmax(1)", ".softmax"),
        ("import torch.nn.functional as F", "(x / 2).softmax(1)", ".softmax"),
        ("import torch as th\nimport torch.nn.functional as F", "th.softmax(x, 1)", "th.softmax"),
        (
            "from torch import nn\nimport torch.nn.functional as F",
            "nn.functional.softmax(x, 1)",
            "nn.functional.softmax",
        ),
        ("import torch.nn.functional as F\nfrom torch import softmax", "softmax(x, 1)", "softmax"),
        ("import torch.nn.functional as F\nfrom torch import softmax as sm", "sm(x, 1)", None),
        ("import torch.nn.functional as F\nsm = F.softmax", "sm(x, 1)", None),
        ("import torch.nn.functional as F\nfrom torch import nn", "nn.Softmax(1)(x)", None),
    ],
)
def test_spelling(imports: str, maker: str, callee: str | None) -> None:
    producer = producer_in(f"return F.kl_div({maker}, y)", f"{imports}\n")
    assert producer is not None
    assert producer.callee == callee


def test_a_name_that_a_function_imports_is_not_known_everywhere() -> None:
    producer = producer_in(
        "import torch as th\nreturn F.kl_div(th.softmax(x, 1), y)", "import torch.nn.functional as F\n"
    )
    assert producer is not None
    assert producer.callee is None


@pytest.mark.parametrize(
    ("average", "operand"),
    [("kl.mean()", "kl"), ("torch.mean(kl)", "kl"), ("(2 * kl).mean()", "2 * kl"), ("kl.mean(dim=1)", "kl")],
)
def test_what_is_averaged(average: str, operand: str) -> None:
    body = f"kl = F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction='none')\nreturn {average}"
    source, call = call_in(body)
    (use,) = call.uses
    assert text_at(source, use.operand) == operand
    assert use.everything is ("dim" not in average)


NONE = "F.kl_div(F.log_softmax(x, {0}), F.softmax(y, {0}), reduction='none')"
WHOLE = "F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction='batchmean')"


@pytest.mark.parametrize(
    ("other", "expected"), [(NONE.format(1), 1), (NONE.format(0), None), (WHOLE, None), ("F.mse_loss(x, y)", None), ("x", None)]
)
@pytest.mark.parametrize("average", ["mean()", "mean(1)"])
def test_what_else_is_averaged_there(other: str, expected: int | None, average: str) -> None:
    body = f"if flag:\n    kl = {NONE.format(1)}\nelse:\n    kl = {other}\nreturn kl.{average}"
    source = f"{PRELUDE}\ndef loss(x, y, flag):\n{textwrap.indent(body, '    ')}\n"
    facts = analyse(ast.parse(source), source.splitlines(), "loss.py")
    uses = facts.sites[0].contexts[0].variants[0].uses
    assert [use.dim for use in uses] == [expected]


HELPERS = [
    ("def pass_on(value):\n    return value\n", SOLE_BUT_MOVED),
    ("def pass_on(value):\n    held = value\n    assert value is not None and value.dim() == 2\n    return held\n", SOLE_BUT_MOVED),
    ("def inner(value):\n    return value\ndef pass_on(value):\n    return inner(value)\n", SOLE_BUT_MOVED),
    ("def pass_on(value):\n    print(value)\n    return value\n", OUT_OF_REACH),
    ("def pass_on(value):\n    global KEPT\n    KEPT = value.max()\n    return value\n", OUT_OF_REACH),
    ("def pass_on(*values):\n    print(values)\n    return values[0]\n", OUT_OF_REACH),
    ("def inner(value):\n    print(value)\n    return value\ndef pass_on(value):\n    return inner(value)\n", OUT_OF_REACH),
    ("class Probe:\n    def __call__(self, value):\n        print(value)\n        return value\npass_on = Probe()\n", OUT_OF_REACH),
    (
        "class Probe(nn.Module):\n    def forward(self, value):\n        self.last = value.max()\n        return value\n"
        "pass_on = Probe()\n",
        OUT_OF_REACH,
    ),
    ("class Kept:\n    def __call__(self, value):\n        return value\npass_on = Kept()\n", SOLE_BUT_MOVED),
]  # fmt: skip


@pytest.mark.parametrize(("helper", "expected"), HELPERS)
def test_what_a_helper_does_with_it(helper: str, expected: tuple[bool, bool]) -> None:
    named = [] if "*values" in helper else ["value=F.softmax(x, 1)"]
    for given in ("F.softmax(x, 1)", *named):
        for body in (f"F.kl_div(pass_on({given}), y)", f"p = pass_on({given})\nF.kl_div(p, y)"):
            producer = producer_in(body, PRELUDE + helper)
            assert producer is not None
            assert (producer.sole_use, producer.operand_unchanged) == expected


def test_what_a_helper_does_that_stands_beside_the_call_is_not_known() -> None:
    """The KL call stands in another function, which cannot look the helper's name up."""
    body = """
        def show(value):
            print(value)
            return value
        return kl(torch.log(show(F.softmax(x, 1))), y)
    """
    helper = "def kl(p, q):\n    return F.kl_div(p, q)\n"
    _, found = remark_in(body, RemarkKind.LOG_OF_SOFTMAX, PRELUDE + helper)
    assert not found.sole_use


@pytest.mark.parametrize(("maker", "expected"), [("nn.Identity()", True), ("Probe()", False), ("makers[0]", False)])
def test_what_is_built_in_place(maker: str, expected: bool) -> None:
    prelude = PRELUDE + "class Probe:\n    def __call__(self, value):\n        print(value)\n        return value\n"
    producer = producer_in(f"makers = [nn.Identity()]\nF.kl_div({maker}(F.softmax(x, 1)), y)", prelude)
    assert producer is not None
    assert producer.sole_use is expected
