"""Callees that are bare imported names, and what torch says about what becomes of them."""

from __future__ import annotations

import inspect

import pytest
import torch

from kl_lint.finding import RenameCallee, SetKeyword, SwapArguments
from kl_lint.rewriting.refusal import OVERLAP
from kl_lint.rewriting.spelling import _PARAMETERS
from tests.rewriting.marking import at, refusal, rewrite

FUNCTIONAL = "from torch.nn.functional import softmax\n"
TORCH = "from torch import softmax\n"
LOG_SOFTMAX = "from torch.nn.functional import log_softmax\n"


def _renamed(header: str, call: str, name: str = "log_softmax") -> str:
    source = f"{header}y = {call}\n"
    text = rewrite(source, RenameCallee(at(source, call), name))
    assert text.startswith(f"{header}y = ")
    return text[len(header) + 4 : -1]


def _refused(header: str, call: str, name: str = "log_softmax") -> str:
    source = f"{header}y = {call}\n"
    return refusal(source, RenameCallee(at(source, call), name))


METHODS = [
    pytest.param(FUNCTIONAL, "softmax(x, dim=1)", "x.log_softmax(dim=1)", id="keyword"),
    pytest.param(FUNCTIONAL, "softmax(x, 1)", "x.log_softmax(dim=1)", id="positional"),
    pytest.param(FUNCTIONAL, "softmax(x + x, 1)", "(x + x).log_softmax(dim=1)", id="loose-receiver"),
    pytest.param(FUNCTIONAL, "softmax((x + x), 1)", "(x + x).log_softmax(dim=1)", id="receiver-in-parentheses"),
    pytest.param(FUNCTIONAL, "softmax(-x, -1)", "(-x).log_softmax(dim=-1)", id="unary-receiver"),
    pytest.param(FUNCTIONAL, "softmax(x.sum(0, True), -1)", "x.sum(0, True).log_softmax(dim=-1)", id="call-receiver"),
    pytest.param(FUNCTIONAL, "softmax(input=x, dim=1)", "x.log_softmax(dim=1)", id="keyword-receiver"),
    pytest.param(FUNCTIONAL, "softmax(dim=1, input=x)", "x.log_softmax(dim=1)", id="keyword-receiver-last"),
    pytest.param(FUNCTIONAL, "softmax(x, 1, 3)", "x.log_softmax(dim=1)", id="stacklevel"),
    pytest.param(FUNCTIONAL, "softmax(x, 1, _stacklevel=5)", "x.log_softmax(dim=1)", id="stacklevel-keyword"),
    pytest.param(
        FUNCTIONAL, "softmax(x, 1, 3, torch.double)", "x.log_softmax(dim=1, dtype=torch.double)", id="functional-order"
    ),
    pytest.param(TORCH, "softmax(x, 1, torch.double)", "x.log_softmax(dim=1, dtype=torch.double)", id="torch-order"),
    pytest.param("from torch.nn.functional import softmax as sm\n", "sm(x, 1)", "x.log_softmax(dim=1)", id="alias"),
    pytest.param("from torch.nn.functional import *\n", "softmax(x, 1)", "log_softmax(x, 1)", id="star"),
    pytest.param(
        "from torch.nn.functional import log_softmax, softmax\n", "softmax(x, 1)", "log_softmax(x, 1)", id="imported"
    ),
    pytest.param(
        FUNCTIONAL + "from torch.nn.functional import log_softmax as ls\n",
        "softmax(x, 1, 3, torch.double)",
        "ls(x, 1, 3, torch.double)",
        id="imported-by-alias",
    ),
    pytest.param(
        FUNCTIONAL + "from torch import log_softmax\n",
        "softmax(x, 1, 3, torch.double)",
        "x.log_softmax(dim=1, dtype=torch.double)",
        id="imported-from-another-home",
    ),
    pytest.param(
        FUNCTIONAL,
        "softmax(\n    x,\n    dim=1,  # classes\n)",
        "x.log_softmax(\n    dim=1,  # classes\n)",
        id="rows",
    ),
    pytest.param(
        FUNCTIONAL,
        "softmax(  # of logits\n    x, dim=1)",
        "x.log_softmax(  # of logits\n    dim=1)",
        id="comment-of-the-call",
    ),
]


@pytest.mark.parametrize(("header", "call", "expected"), METHODS)
def test_functions(header: str, call: str, expected: str) -> None:
    assert _renamed(header, call) == expected


@pytest.mark.parametrize(("header", "call", "expected"), METHODS)
def test_functions_compute_the_logarithm(header: str, call: str, expected: str) -> None:
    """What the new call returns is the logarithm of what the old one did, in the same dtype."""
    names: dict[str, object] = {"torch": torch, "x": torch.linspace(-2, 3, 12).reshape(3, 4)}
    exec(header, names)
    old, new = eval(call, names), eval(expected, names)
    assert old.dtype == new.dtype
    torch.testing.assert_close(new, old.log())


@pytest.mark.parametrize("name", ["log2", "log10", "log1p"])
def test_wrong_logarithms(name: str) -> None:
    assert _renamed(f"from torch import {name}\n", f"{name}(p)", "log") == "p.log()"
    assert _refused(f"from torch import {name}\n", f"{name}(p, out=q)", "log") == "the method log takes no argument out"
    with pytest.raises(TypeError):
        torch.ones(1).log(out=torch.ones(1))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("header", "call", "reason"),
    [
        pytest.param(FUNCTIONAL, "softmax(x)", "the method log_softmax needs a dim", id="no-dim"),
        pytest.param(FUNCTIONAL, "softmax(x, None)", "the method log_softmax needs a dim", id="dim-none"),
        pytest.param(FUNCTIONAL, "softmax(x, dim=None)", "the method log_softmax needs a dim", id="dim-none-keyword"),
        pytest.param(
            FUNCTIONAL, "softmax(*xs, dim=1)", "the call takes *, so that its first argument is not known", id="star"
        ),
        pytest.param(
            FUNCTIONAL, "softmax(x, **kw)", "the call takes **, so that its first argument is not known", id="mapping"
        ),
        pytest.param(FUNCTIONAL, "softmax(dim=1)", "the call has no argument input", id="no-input"),
        pytest.param(
            "from torch.nn.functional import softmax\nfrom torch import softmax\n",
            "softmax(x, 1, 3)",
            "positional argument 3 has no name that a method would take",
            id="two-origins",
        ),
        pytest.param(
            FUNCTIONAL, "softmax(x,  # logits\n    dim=1)", "a comment would be lost", id="comment-of-the-input"
        ),
    ],
)
def test_functions_that_stay(header: str, call: str, reason: str) -> None:
    assert _refused(header, call) == reason


def test_the_method_needs_a_dim() -> None:
    with pytest.raises(TypeError):
        torch.ones(1).log_softmax()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        torch.ones(1).log_softmax(dim=None)  # type: ignore[arg-type]


def test_a_dim_that_the_same_fix_sets_counts() -> None:
    source = FUNCTIONAL + "y = softmax(x)\n"
    call = at(source, "softmax(x)")
    text = rewrite(source, RenameCallee(call, "log_softmax"), SetKeyword(call, "dim", "1"))
    assert text == FUNCTIONAL + "y = x.log_softmax(dim=1)\n"


@pytest.mark.parametrize(
    ("header", "call", "expected"),
    [
        pytest.param("act = F.softmax\n", "act(x, 1)", "x.log_softmax(dim=1)", id="a-local"),
        pytest.param("self.act = F.softmax\n", "self.act(x, dim=1)", "x.log_softmax(dim=1)", id="an-attribute"),
        pytest.param("self.softmax = F.softmax\n", "self.softmax(x, 1)", "x.log_softmax(dim=1)", id="of-its-own-name"),
        pytest.param("ops.act = F.softmax\n", "ops.act(x, 1)", "x.log_softmax(dim=1)", id="of-another-object"),
        pytest.param("self.x = 1\n", "self.x.softmax(1)", "self.x.log_softmax(1)", id="a-tensor"),
    ],
)
def test_what_holds_softmax_need_not_hold_log_softmax(header: str, call: str, expected: str) -> None:
    assert _renamed(header, call) == expected


def test_what_holds_a_class_need_not_hold_another() -> None:
    assert _renamed("from torch import nn\nself.act = nn.Softmax\n", "self.act(1)", "LogSoftmax") == "nn.LogSoftmax(1)"
    assert _refused("self.act = Softmax\n", "self.act(1)", "LogSoftmax") == "LogSoftmax is not imported here"


def test_a_receiver_that_other_edits_move_or_set() -> None:
    source = FUNCTIONAL + "y = softmax(x, 1)\nz = softmax(dim=1, input=x)\n"
    positional, keyword = at(source, "softmax(x, 1)"), at(source, "softmax(dim=1, input=x)")
    swap = SwapArguments(positional, at(source, "x", 3), at(source, "1"))
    assert refusal(source, RenameCallee(positional, "log_softmax"), swap) == OVERLAP
    assert refusal(source, RenameCallee(keyword, "log_softmax"), SetKeyword(keyword, "input", "y")) == OVERLAP


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("from scipy.special import log_softmax\n", id="from-elsewhere"),
        pytest.param(LOG_SOFTMAX + "log_softmax = 1\n", id="rebound"),
        pytest.param(LOG_SOFTMAX + "def g(log_softmax): pass\n", id="a-parameter"),
        pytest.param(LOG_SOFTMAX + "def log_softmax(): pass\n", id="a-function"),
        pytest.param(LOG_SOFTMAX + "try: pass\nexcept OSError as log_softmax: pass\n", id="an-exception"),
        pytest.param(LOG_SOFTMAX + "match z:\n    case {**log_softmax}: pass\n    case [*q]: pass\n", id="a-rest"),
        pytest.param(LOG_SOFTMAX + "match z:\n    case [*log_softmax]: pass\n    case {**q}: pass\n", id="a-star"),
        pytest.param(LOG_SOFTMAX + "match z:\n    case log_softmax: pass\n", id="a-capture"),
        pytest.param(f"def g():\n    {LOG_SOFTMAX}", id="imported-in-a-function"),
        pytest.param(f"if z:\n    {LOG_SOFTMAX}", id="imported-under-a-condition"),
    ],
)
def test_names_that_are_not_trusted(header: str) -> None:
    assert _renamed(header + FUNCTIONAL, "softmax(x, 1)") == "x.log_softmax(dim=1)"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("from functions import *\n", id="another-star"),
        pytest.param("def g():\n    from functions import log_softmax\n", id="another-import"),
        pytest.param("log_softmax = 1\n", id="rebound"),
        pytest.param("from functions import softmax\n", id="from-elsewhere"),
    ],
)
def test_star_imports_that_are_not_trusted(other: str) -> None:
    star = "from torch.nn.functional import *\n"
    assert _renamed(star, "softmax(x, 1)") == "log_softmax(x, 1)"
    assert _renamed(star + other, "softmax(x, dim=1)") == "x.log_softmax(dim=1)"


def test_an_import_after_the_call_is_not_trusted() -> None:
    source = FUNCTIONAL + "y = softmax(x, 1)\nfrom torch import log_softmax\n"
    text = rewrite(source, RenameCallee(at(source, "softmax(x, 1)"), "log_softmax"))
    assert text == FUNCTIONAL + "y = x.log_softmax(dim=1)\nfrom torch import log_softmax\n"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("from torch.nn import LogSoftmax, Softmax\n", "LogSoftmax(dim=1)", id="imported"),
        pytest.param("from torch.nn import LogSoftmax as L, Softmax\n", "L(dim=1)", id="imported-by-alias"),
        pytest.param("from torch.nn import *\n", "LogSoftmax(dim=1)", id="star"),
        pytest.param("from torch import nn\nfrom torch.nn import Softmax\n", "nn.LogSoftmax(dim=1)", id="nn"),
        pytest.param("import torch.nn as n\nfrom torch.nn import Softmax\n", "n.LogSoftmax(dim=1)", id="nn-by-alias"),
        pytest.param(
            "import torch\nimport torch.nn\nfrom torch.nn import Softmax\n", "torch.nn.LogSoftmax(dim=1)", id="torch"
        ),
        pytest.param(
            "import torch as t\nfrom torch.nn import Softmax\n", "t.nn.LogSoftmax(dim=1)", id="torch-by-alias"
        ),
    ],
)
def test_classes(header: str, expected: str) -> None:
    assert _renamed(header, "Softmax(dim=1)", "LogSoftmax") == expected
    names: dict[str, object] = {}
    exec(header, names)
    assert isinstance(eval(expected, names), torch.nn.LogSoftmax)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("from torch.nn import Softmax\n", id="alone"),
        pytest.param("from torch.nn import Softmax\nimport torch.nn.functional as nn\n", id="another-nn"),
        pytest.param("from torch.nn import Softmax\nfrom torch import nn\nnn = 1\n", id="rebound"),
        pytest.param("from torch.nn import Softmax\nfrom .nn import LogSoftmax\n", id="from-elsewhere"),
        pytest.param("from torch.nn import Softmax\nfrom .torch import nn\n", id="a-relative-import"),
    ],
)
def test_classes_without_a_name(header: str) -> None:
    assert _refused(header, "Softmax(dim=1)", "LogSoftmax") == "LogSoftmax is not imported here"


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_positional_parameters_are_those_of_torch(name: str) -> None:
    functional = inspect.signature(getattr(torch.nn.functional, name))
    assert tuple(functional.parameters) == _PARAMETERS["torch.nn.functional"]
    x = torch.ones(2, 3)
    arguments = dict(zip(_PARAMETERS["torch"], (x, 1, torch.float64), strict=True))
    assert torch.equal(getattr(torch, name)(*arguments.values()), getattr(torch, name)(**arguments))
