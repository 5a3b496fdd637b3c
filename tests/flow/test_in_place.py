"""In-place operations, aliases and views: what is done to one name is done to every name of the same memory."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PROBS, UNKNOWN, Case, asks_torch, case, check, only_call

UNKNOWN_INPUT = (UNKNOWN, PROBS, "batchmean", False)
UNKNOWN_TARGET = (LOG_PROBS, UNKNOWN, "batchmean", False)
PROBS_INPUT = (PROBS, PROBS, "batchmean", False)
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)

METHODS: tuple[Case, ...] = (
    case("log_", """
        def loss(x, y):
            s = x.softmax(1)
            s.log_()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("log_in_the_argument", """
        def loss(x, y):
            return F.kl_div(x.softmax(1).log_(), y.log_softmax(1).exp_(), reduction="batchmean")
    """, [GOOD]),
    case("torch_log_", """
        def loss(x, y):
            s = x.softmax(1)
            torch.log_(s)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("exp_", """
        def loss(x, y):
            t = y.log_softmax(1)
            t.exp_()
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("result_kept_under_another_name", """
        def loss(x, y):
            s = x.softmax(1)
            u = s.log_()
            return F.kl_div(s, y.softmax(1), reduction="batchmean") + F.kl_div(u, y.softmax(1), reduction="batchmean")
    """, [GOOD, GOOD]),
    case("out", """
        def loss(x, y):
            s, p = torch.empty_like(x), x.softmax(1)
            torch.log(p, out=s)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("out_on_an_attribute", """
        class Box:
            pass
        def loss(x, y):
            box = Box()
            box.s = torch.empty_like(x)
            torch.log_softmax(x, 1, out=box.s)
            return F.kl_div(box.s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("div_by_its_sum", """
        def loss(x, y):
            t = y.exp()
            t.div_(t.sum(1, keepdim=True))
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("detach_and_requires_grad", """
        def loss(x, y):
            t = y.softmax(1)
            t.detach_().requires_grad_(False)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("copy_", """
        def loss(x, y):
            t = torch.empty_like(y)
            t.copy_(y.softmax(1))
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("fill_and_scatter", """
        def loss(x, i):
            t = torch.zeros_like(x).fill_(0.1 / 4).scatter_(1, i[:, None], 0.9)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("scatter_in_statements", """
        def loss(x, i):
            t = torch.zeros_like(x)
            t.scatter_(1, i[:, None], 1.0)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("zeroed", """
        def loss(x, y):
            t = y.softmax(1)
            t.zero_()
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [UNKNOWN_TARGET]),
    case("noise_written", """
        def loss(x, y):
            t = y.softmax(1)
            t.normal_()
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [UNKNOWN_TARGET]),
    case("clamped", """
        def loss(x, y):
            t = y.softmax(1)
            t.clamp_(min=1e-8)
            return F.kl_div(t.log(), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("attribute", """
        class Loss:
            def __init__(self, y):
                self.t = y.log_softmax(1)
                self.t.exp_()
            def of(self, x):
                return F.kl_div(x.log_softmax(1), self.t, reduction="batchmean")
        def loss(x, y):
            return Loss(y).of(x)
    """, [GOOD]),
    case("item_of_a_list", """
        def loss(x, y):
            held = [y.log_softmax(1)]
            held[0].exp_()
            return F.kl_div(x.log_softmax(1), held[0], reduction="batchmean")
    """, [GOOD]),
    case("in_a_loop_over_a_list", """
        def loss(x, y):
            a, b = x.softmax(1), y.softmax(1)
            for t in (a,):
                t.log_()
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("in_a_loop_over_two", """
        def loss(x, y):
            a, b = x.softmax(1), y.softmax(1)
            for t in [a, b]:
                t.log_()
            return F.kl_div(a, b, reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
    case("in_a_loop_that_may_be_left", """
        def loss(x, y):
            a, b = x.softmax(1), y.softmax(1)
            for t in [a, b]:
                t.log_()
                if t.sum() < 0:
                    break
            return F.kl_div(a, b, reduction="batchmean")
    """, [(UNKNOWN, UNKNOWN, "batchmean", False)]),
    case("relu_in_place_in_the_functional", """
        def loss(x, y):
            h = x.clone()
            F.relu(h, inplace=True)
            return F.kl_div(h.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

ALIASES: tuple[Case, ...] = (
    case("a_view_of_one_of_two", """
        def loss(x, y, flag=True):
            if flag:
                t = y.softmax(1)
            else:
                t = y.softmax(1).clone()
            u = t[...]
            u.log_()
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
    """, [(LOG_PROBS, UNKNOWN, "batchmean", True)]),
    case("second_name", """
        def loss(x, y):
            s = x.softmax(1)
            u = s
            u.log_()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("first_name", """
        def loss(x, y):
            s = x.softmax(1)
            u = s
            s.log_()
            return F.kl_div(u, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("rebinding_is_no_mutation", """
        def loss(x, y):
            s = x.log_softmax(1)
            u = s
            u = u.exp()
            return F.kl_div(s, u, reduction="batchmean")
    """, [GOOD]),
    case("augmented_changes_both", """
        def loss(x, y):
            e = y.exp()
            t = e
            t /= t.sum(1, keepdim=True)
            return F.kl_div(x.log_softmax(1), e, reduction="batchmean")
    """, [GOOD]),
    case("detached_view", """
        def loss(x, y):
            s = x.softmax(1)
            s.detach().log_()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("data", """
        def loss(x, y):
            s = x.softmax(1)
            s.data.log_()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("reshaped_view", """
        def loss(x, y):
            s = x.softmax(1)
            s.view(-1).log_()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("a_copy_is_another", """
        def loss(x, y):
            s = x.log_softmax(1)
            u = s.clone()
            u.exp_()
            return F.kl_div(s, u, reduction="batchmean")
    """, [GOOD]),
    case("items_are_the_same_objects", """
        def loss(x, y):
            s = x.log_softmax(1)
            held = [s]
            s.exp_()
            return F.kl_div(s.log(), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("parameter_of_a_function", """
        def to_log(a):
            a.log_()
            return a
        def loss(x, y):
            return F.kl_div(to_log(x.softmax(1)), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

ITEMS: tuple[Case, ...] = (
    case("column_of_log_probabilities", """
        def loss(x, y):
            s = x.log_softmax(1)
            s[:, 0] = -50.0
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("mask_of_log_probabilities", """
        def loss(x, y, m):
            s = x.log_softmax(1).masked_fill(m, -1e9)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, m)"),
    case("mask_written", """
        def loss(x, y, m):
            s = x.log_softmax(1)
            s[m] = -1e9
            s.masked_fill_(m, -1e9)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, m)"),
    case("column_of_probabilities_then_normalised", """
        def loss(x, y):
            t = y.softmax(1)
            t[:, 0] = 0
            t = t / t.sum(1, keepdim=True)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("one_hot_by_index", """
        def loss(x, i):
            t = torch.zeros_like(x)
            t[torch.arange(4), i] = 1.0
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("written_into_something_unknown", """
        def loss(x, y):
            y[0] = 0.0
            return F.kl_div(x.log_softmax(1), y, reduction="batchmean")
    """, [UNKNOWN_TARGET]),
    case("logits_scaled_before_the_softmax", """
        def loss(x, y):
            x = x.clone()
            x[:, 1] *= 3
            x[:, 1] += 2
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("augmented_columns", """
        def loss(x, y):
            s = x.log_softmax(1)
            s[:, 0] -= 20
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

GRADIENT = [
    ("y.softmax(1)", True),
    ("y.softmax(1).detach()", False),
    ("y.detach().softmax(1)", False),
    ("y.softmax(1).data", False),
    ("y.softmax(1).clone()", True),
    ("torch.full((4, 5), 0.2)", False),
    ("F.one_hot(y.argmax(1), 5).double()", False),
    ("quiet(y)", False),
    ("method().quiet(y)", False),
]


LENT: tuple[Case, ...] = (
    case("a_tensor", """
        def take_logs(t):
            t.log_()
        def loss(x, y):
            p = F.softmax(x, 1).detach()
            take_logs(p)
            return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("a_tensor_by_keyword_and_assignment", """
        def shift(t, by):
            t -= by
        def loss(x, y):
            logits = x.clone().detach()
            shift(by=logits.logsumexp(1, keepdim=True), t=logits)
            return F.kl_div(logits.log_softmax(1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("a_list", """
        def put(held, value):
            held[0] = value
        def loss(x, y):
            held = [F.softmax(x, 1)]
            put(held, F.log_softmax(x, 1))
            return F.kl_div(held[0], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("a_dict", """
        def put(held, value):
            held.update(made=value)
        def loss(x, y):
            held = {"made": F.softmax(x, 1)}
            other = held
            put(held, F.log_softmax(x, 1))
            return F.kl_div(other["made"], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("an_object", """
        class Box:
            made = None
        def put(box, value):
            box.made = value
        def loss(x, y):
            box = Box()
            box.made = F.softmax(x, 1)
            put(box, F.log_softmax(x, 1))
            return F.kl_div(box.made, F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("an_attribute", """
        def put(held, value):
            held.append(value)
        class Loss:
            def __init__(self):
                self.held = []
            def of(self, x, y):
                put(self.held, F.log_softmax(x, 1))
                return F.kl_div(self.held[-1], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("handed_on_by_a_helper", """
        def put(held, value):
            held[0] = value
        def fill(held, value):
            put(held, value)
        def loss(x, y):
            held = [F.softmax(x, 1)]
            fill(held, F.log_softmax(x, 1))
            return F.kl_div(held[0], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("whose_result_is_kept", """
        def put(held, value):
            held[0] = value
            return True
        def loss(x, y):
            held = [F.softmax(x, 1)]
            ok = put(held, F.log_softmax(x, 1))
            return F.kl_div(held[0], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("whose_result_is_asked_for", """
        def take_logarithm(t):
            t.log_()
            return t.dim()
        def loss(x, y):
            p = F.softmax(x, 1)
            if take_logarithm(p) > 3:
                raise ValueError
            return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("handed_on_whose_result_is_kept", """
        def put(held, value):
            held[0] = value
            return held
        def fill(held, value):
            done = put(held, value)
            return done is held
        def loss(x, y):
            held = [F.softmax(x, 1)]
            ok = fill(held, F.log_softmax(x, 1))
            return F.kl_div(held[0], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("on_one_path_only", """
        def put(held, value, really):
            if really:
                held[0] = value
        def loss(x, y, really):
            held = [F.softmax(x, 1)]
            put(held, F.log_softmax(x, 1), really)
            return F.kl_div(held[0], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD, PROBS_INPUT], "loss(x, y, True), loss(x, y, False)"),
    case("a_name_bound_again_is_not_the_callers", """
        def soften(t):
            t = F.softmax(t, 1)
            t += 1.0
        def loss(x, y):
            p = F.log_softmax(x, 1)
            soften(p)
            return F.kl_div(p, F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
    case("the_same_change_of_two", """
        def put(held, value):
            held[0] = value
        def loss(x, y):
            one, other = [F.softmax(x, 1)], [F.softmax(x, 1)]
            put(one, F.log_softmax(x, 1))
            put(other, F.log_softmax(x, 1))
            return F.kl_div(one[0], F.softmax(y, 1), reduction="batchmean") + F.kl_div(other[0], F.softmax(y, 1), reduction="batchmean")
    """, [GOOD, GOOD]),
)
"""What a function changes of its arguments, its caller sees."""


@pytest.mark.parametrize("example", METHODS, ids=lambda example: example.name)
def test_in_place_methods(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", LENT, ids=lambda example: example.name)
def test_what_a_function_changes_of_its_arguments(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", ALIASES, ids=lambda example: example.name)
def test_aliases_and_views(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", ITEMS, ids=lambda example: example.name)
def test_items_written(example: Case) -> None:
    check(example)


@asks_torch
@pytest.mark.parametrize(("target", "carries"), GRADIENT)
def test_gradients(target: str, carries: bool) -> None:
    text = f"""\
import torch
import torch.nn.functional as F


@torch.no_grad()
def quiet(y):
    return y.softmax(1)


class method:
    @torch.inference_mode()
    def quiet(self, y):
        return y.softmax(1)


def loss(x, y):
    return F.kl_div(x.log_softmax(1), {target}, reduction="batchmean")
"""
    call = only_call(text)
    assert call.target is not None
    assert call.target.value.carries_gradient is carries
    program: dict[str, object] = {}
    exec(text, program)
    import torch

    y = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    seen = eval(target, program | {"y": y})
    assert seen.requires_grad is carries


HELD_BACK = [
    ("with torch.no_grad():\n    t = y.exp()", False),
    ("p = y.softmax(1)\nwith torch.no_grad():\n    t = p + 1e-9", False),
    ("p = y.softmax(1)\nwith torch.no_grad():\n    t = p.clone()", False),
    ("with torch.no_grad():\n    h = y.view(4, -1)\nt = h.softmax(1)", True),
    ("with torch.no_grad():\n    h = nn.Identity()(y)\nt = h.softmax(1)", True),
    ("p = y.softmax(1)\nwith torch.no_grad():\n    t = nn.Identity()(p) * 1.0", False),
    ("with torch.inference_mode(False):\n    t = y.softmax(1)", True),
    ("with torch.set_grad_enabled(False):\n    t = y.softmax(1)", False),
    ("with torch.set_grad_enabled(bool(1)):\n    t = y.softmax(1)", True),
    ("with torch.no_grad(), torch.enable_grad():\n    t = y.softmax(1)", True),
    ("with torch.no_grad():\n    with torch.set_grad_enabled(True):\n        t = y.softmax(1)", True),
    ("with torch.no_grad():\n    h = [y, 1][0]\nt = h.softmax(1)", True),
    ("with torch.no_grad():\n    h = y.contiguous()\nt = h.softmax(1)", True),
    ("h = y * 1.0\nwith torch.no_grad():\n    h += 1\nt = h.softmax(1)", True),
    ("h = y * 1.0\nwith torch.no_grad():\n    h.mul_(2.0)\nt = h.softmax(1)", True),
    ("with torch.no_grad():\n    t = y.softmax(1).requires_grad_()", True),
    ("with torch.no_grad():\n    h = torch.zeros(4, 5, requires_grad=True)\nt = h.softmax(1)", True),
    ("with torch.no_grad():\n    t = nn.Parameter(y.softmax(1))", True),
    ("def made(z):\n    return z.softmax(1)\nwith torch.no_grad():\n    s = made(y)\nt = made(y)", True),
    ("def made(z):\n    return z.softmax(1)\ns = made(y)\nwith torch.no_grad():\n    t = made(y)", False),
]
"""How a target `t` is made of `y`, which wants a gradient, and whether one flows into it."""


@asks_torch
@pytest.mark.parametrize(("making", "carries"), HELD_BACK)
def test_what_no_grad_holds_back(making: str, carries: bool) -> None:
    body = f"s = x.log_softmax(1)\n{making}\nreturn t, F.kl_div(s, t, reduction='sum')"
    text = f"import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\ndef loss(x, y):\n{indent(body, '    ')}\n"
    call = only_call(text)
    assert call.target is not None
    assert call.target.value.carries_gradient is carries
    program: dict[str, object] = {}
    exec(text, program)
    import torch

    y = torch.randn(4, 5, requires_grad=True)
    target, _ = eval("loss(y, y)", program | {"y": y})
    assert target.requires_grad is carries


def test_a_no_grad_block_ends() -> None:
    text = """\
import torch
import torch.nn.functional as F

def loss(x, y):
    with torch.no_grad():
        t = y.softmax(1)
    s = x.log_softmax(1)
    return F.kl_div(s, t, reduction="batchmean")
"""
    call = only_call(text)
    assert call.input is not None
    assert call.target is not None
    assert (call.input.value.carries_gradient, call.target.value.carries_gradient) == (True, False)
