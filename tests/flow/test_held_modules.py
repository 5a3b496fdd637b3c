"""Modules and criteria that lists, dicts, ModuleLists and ModuleDicts are filled with, one by one or in a loop."""

from __future__ import annotations

import textwrap

import pytest

from kl_lint import check_source
from tests.flow.programs import PRELUDE

CRITERIA = {
    "a_list": """
        c = []
        c.append(nn.KLDivLoss(reduction="batchmean"))
        loss = c[0]({}, q)
    """,
    "a_module_list_of_several": """
        c = nn.ModuleList([])
        c.append(nn.CrossEntropyLoss())
        c.append(nn.KLDivLoss(reduction="batchmean"))
        loss = c[1]({}, q)
    """,
    "a_list_in_a_loop": """
        c = []
        for _ in range(n):
            c.append(nn.KLDivLoss(reduction="batchmean"))
        loss = sum(one({}, q) for one in c)
    """,
    "a_dict_in_a_loop": """
        c = {{}}
        for name in n:
            c[name] = nn.KLDivLoss(reduction="batchmean")
        loss = c["kl"]({}, q)
    """,
    "a_dict_by_an_update": """
        c = dict()
        c.update({{"kl": nn.KLDivLoss(reduction="batchmean")}})
        loss = c["kl"]({}, q)
    """,
    "a_module_dict": """
        c = nn.ModuleDict()
        c["kl"] = nn.KLDivLoss(reduction="batchmean")
        loss = c["kl"]({}, q)
    """,
}
MODULES = {
    "a_list_in_a_loop": """
        made = []
        for _ in range(n):
            made.append({made})
        self.held = nn.ModuleList(made)
    """,
    "a_module_list_in_a_loop": """
        self.held = nn.ModuleList()
        for _ in range(3):
            self.held.append({made})
    """,
    "a_module_dict_by_names": """
        self.held = nn.ModuleDict({{name: {made} for name in n}})
    """,
    "a_module_dict_in_a_loop": """
        self.held = nn.ModuleDict()
        for name in n:
            self.held[name] = {made}
    """,
    "a_module_dict_by_an_update": """
        self.held = nn.ModuleDict()
        self.held.update({{"a": {made}, "b": {made}}})
    """,
}
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)
    def forward(self, x):
        return self.last(x)
"""


def codes(program: str) -> list[str]:
    return [finding.code for finding in check_source(f"{PRELUDE}{program}")]


def criterion(name: str, given: str) -> str:
    body = textwrap.indent(textwrap.dedent(CRITERIA[name].format(given)), "    ")
    return f"def f(x, q, n):\n    q = q.softmax(-1)\n{body}\n    return loss\n"


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_is_found_again(name: str) -> None:
    assert codes(criterion(name, "x.softmax(-1)")) == ["KLD101"]
    assert codes(criterion(name, "x.log_softmax(-1)")) == []


def model(name: str, made: str, returned: str) -> str:
    body = textwrap.indent(textwrap.dedent(MODULES[name].format(made=made)), " " * 8)
    head = "class Model(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
    return f"{NET}{head}{body}\n    def forward(self, x, y, i):\n        return {returned}\n"


@pytest.mark.parametrize("made", ["nn.Linear(3, 4)", "Net()"])
@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_found_again(name: str, made: str) -> None:
    each = "F.kl_div(self.held[i](x), y.softmax(-1), reduction='batchmean')"
    assert codes(model(name, made, each)) == ["KLD102"]


@pytest.mark.parametrize("made", ["nn.Linear(3, 4)", "Net()"])
@pytest.mark.parametrize("name", MODULES)
def test_two_of_them_are_not_one(name: str, made: str) -> None:
    one, other = ("'a'", "'b'") if "dict" in name else ("0", "1")
    both = f"F.kl_div(self.held[{one}](x).log_softmax(-1), self.held[{other}](x).softmax(-1), reduction='batchmean')"
    assert codes(model(name, made, both)) == []


def test_of_different_ones_nothing_is_known() -> None:
    program = """
class Model(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.held = nn.ModuleDict()
        for name in names:
            self.held[name] = nn.LogSoftmax(-1) if name == "log" else nn.Softmax(-1)
    def forward(self, x, y):
        return F.kl_div(self.held["log"](x), y.softmax(-1), reduction="batchmean")
"""
    assert codes(program) == []


def test_a_module_dict_that_is_changed_holds_what_it_is_given_last() -> None:
    program = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.held = nn.ModuleDict({"a": nn.Softmax(-1), "b": nn.Softmax(-1)})
        self.held["a"] = nn.LogSoftmax(-1)
        self.held.pop("b")
        self.add_module("c", nn.Softmax(-1))
    def forward(self, x, y):
        return F.kl_div(self.held["a"](x), self.c(y), reduction="batchmean")
"""
    assert codes(program) == []


@pytest.mark.parametrize("wrapper", ["nn.DataParallel", "nn.parallel.DistributedDataParallel"])
@pytest.mark.parametrize("reached", ["model.module(x)", "model.module.last(x)", "(model.module if many else model)(x)"])
def test_what_was_made_parallel_is_reached_again(wrapper: str, reached: str) -> None:
    program = f"""
{NET}
def f(x, y, many):
    model = {wrapper}(Net())
    return F.kl_div({reached}, y.softmax(-1), reduction="batchmean")
"""
    assert codes(program) == ["KLD102"]


def test_a_module_of_that_name_is_the_one_meant() -> None:
    program = """
class Wrapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.module = nn.LogSoftmax(-1)
    def forward(self, x):
        return self.module(x).exp()
def f(x, y):
    return F.kl_div(Wrapper().module(x), y.softmax(-1), reduction="batchmean")
"""
    assert codes(program) == []


HEADS = {
    "layers_handed_up": ("super().__init__(nn.Linear(3, 4), nn.Softmax(dim=-1))", ["KLD104"]),
    "layers_of_a_list": ("super().__init__(*[nn.Linear(3, 4), nn.Softmax(dim=-1)])", ["KLD104"]),
    "scores": ("super().__init__(nn.Linear(3, 4))", []),
    "a_layer_more": ("super().__init__(nn.Softmax(dim=-1))\n        self.last = nn.Linear(4, 4)", []),
    "a_layer_added": ("super().__init__(nn.Softmax(dim=-1))\n        self.add_module('last', nn.Linear(4, 4))", []),
    "a_layer_appended": ("super().__init__(nn.Softmax(dim=-1))\n        self.append(nn.Linear(4, 4))", []),
    "none": ("super().__init__()", []),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_kind_of_sequential_calls_its_layers(name: str) -> None:
    body, expected = HEADS[name]
    program = f"""
class Head(nn.Sequential):
    def __init__(self):
        {body}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = Head()
    def forward(self, x):
        return self.head(x)
def loss(x, y):
    return F.kl_div(F.log_softmax(Net()(x), -1), y.softmax(-1), reduction="batchmean")
"""
    assert codes(program) == expected
