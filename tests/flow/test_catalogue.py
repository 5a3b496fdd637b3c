"""The catalogue of operations against torch: no claim that torch contradicts, and no silence where something is known.

Every operation is run on logits, probabilities and log-probabilities, under all of its paths; tables say what must be known of what
makes a distribution, of the algebra between the spaces, and of what moves, keeps, cuts and loses one; a sweep composes operations at random.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

import pytest
import torch
import torch.masked
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import Tensor

from kl_lint.flow.kl_call import Distribution, RemarkKind
from kl_lint.flow.torch_ops import CATALOGUE, MODULE_OPERATIONS, OPERATIONS, Operation, parameters
from kl_lint.flow.values import Mass, Space
from tests.flow.claims import (
    GROUNDS,
    PROVED,
    Ground,
    Refused,
    claim,
    claims,
    contradictions,
    on_each_operand,
    run,
    with_operands,
    wrong_claims,
)

PROBS, LOG_PROBS = Space.PROBS, Space.LOG_PROBS


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- expectations ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be said of a result. `dim` may be written from either end."""

    space: Space
    mass: Mass = Mass.UNKNOWN
    dim: int | None = None

    def is_said(self, fact: Distribution, rank: int) -> bool:
        dims = (self.dim, fact.dim if fact.mass is Mass.WHOLE else None)
        own, claimed = (dim if dim is None or not rank else dim % rank for dim in dims)
        return (fact.space, fact.mass, claimed) == (self.space, self.mass, own)


def p(dim: int | None) -> Said:
    """Probabilities that sum to one along `dim` (None: along one that is not known)."""
    return Said(PROBS, Mass.WHOLE, dim)


def l(dim: int | None) -> Said:  # noqa: E743  (the name that the cases use)
    """Log-probabilities that do."""
    return Said(LOG_PROBS, Mass.WHOLE, dim)


P_SOME, L_SOME = Said(PROBS), Said(LOG_PROBS)
P_CUT = Said(PROBS, Mass.CUT)
P_EACH, L_EACH = Said(PROBS, Mass.BERNOULLI), Said(LOG_PROBS, Mass.BERNOULLI)
NOTHING_SAID, SCORES, INDICES = Said(Space.UNKNOWN), Said(Space.LOGITS), Said(Space.INDICES)

RANKED, FRONT, BACK = Ground(2, PROVED), Ground(2), Ground(-1)


def hold(case: str, ground: Ground, expected: Said) -> None:
    """Whether the analysis says of a case what it should, and nothing that torch contradicts."""
    rank = run(case, ground).dim()
    found = claims(case, ground)
    said = {(fact.space.value, fact.mass.value, fact.dim) for fact in found}
    assert all(expected.is_said(fact, rank) for fact in found), f"{case}: expected {expected}, found {said} ({ground})"
    assert wrong_claims(case, ground) == []


# --- every operation -------------------------------------------------------------------------------------------------------

WITHOUT_EXAMPLE = {
    "cuda": "needs a GPU",
    "pin_memory": "needs a GPU",
    "all_reduce": "needs a process group",
}
"""Operations that cannot be run here."""

EXAMPLES = [(operation.label, operation.example) for operation in (*OPERATIONS, *MODULE_OPERATIONS) if operation.example]

TAKEN_FOR_GRANTED = re.compile(r"masked_scatter\(m, y\)|scatter_add\(.*, y\)|index_put\(.*, y\[0\]\)")
"""Writes a tensor of which nothing is known into probabilities: see `PRESUMPTIONS`."""


def test_every_operation_has_an_example() -> None:
    bare = {operation.label for operation in (*OPERATIONS, *MODULE_OPERATIONS) if not operation.example}
    assert bare == set(WITHOUT_EXAMPLE)


@pytest.mark.parametrize(("label", "example"), EXAMPLES, ids=[label for label, _ in EXAMPLES])
def test_torch_contradicts_no_claim_about_an_operation(label: str, example: str) -> None:
    run(example, RANKED)
    for case in on_each_operand(example):
        if TAKEN_FOR_GRANTED.search(case):
            continue
        for ground in GROUNDS:
            try:
                wrong = wrong_claims(case, ground)
            except Refused:
                continue
            assert wrong == [], f"{label}: {case} ({ground})"


OWN_EXAMPLES = {
    "torch.sparse.softmax": "torch.sparse.softmax(x.to_sparse(), 2)",
    "torch.sparse.log_softmax": "torch.sparse.log_softmax(x.to_sparse(), 2)",
    "torch.from_numpy": "torch.from_numpy(p.numpy())",
    "torch.permute": "torch.permute(p, (2, 0, 1))",
    "torch.flip": "torch.flip(p, (-1,))",
    "torch.diag": "torch.diag(p[0])",
    "T.diag": "p[0].diag()",
    "torch.histc": "torch.histc(x)",
    "T.histc": "x.histc()",
    "F.threshold": "F.threshold(l, -1.0, 0.0)",
    "torch.dropout": "torch.dropout(p, 0.5, False)",
    "F.batch_norm": "F.batch_norm(p, None, None, training=True)",
    "F.group_norm": "F.group_norm(p, 3)",
    "F.instance_norm": "F.instance_norm(p)",
    "torch.mm": "torch.mm(p[0], x[0].t())",
    "T.mm": "p[0].mm(x[0].t())",
    "torch.mv": "torch.mv(p[0], x[0, 0])",
    "torch.cdist": "torch.cdist(p, q)",
    "F.pairwise_distance": "F.pairwise_distance(p, q)",
    "F.nll_loss": "F.nll_loss(l.transpose(1, 2), i)",
    "F.bilinear": "F.bilinear(x, x, torch.randn(6, 4, 4, dtype=x.dtype))",
    "F.conv2d": "F.conv2d(x, torch.randn(5, 2, 1, 1, dtype=x.dtype))",
    "F.conv3d": "F.conv3d(x[None], torch.randn(5, 1, 1, 1, 1, dtype=x.dtype))",
    "F.conv_transpose2d": "F.conv_transpose2d(x, torch.randn(2, 5, 1, 1, dtype=x.dtype))",
    "F.adaptive_avg_pool2d": "F.adaptive_avg_pool2d(p, 2)",
    "F.interpolate": "F.interpolate(p, 8)",
    "torch.empty": "torch.empty(2, 3)",
    "T.new_empty": "x.new_empty(2, 3)",
    "torch.randperm": "torch.randperm(5)",
    "torch.arange": "torch.arange(5)",
    "T.index_add": "p.index_add(0, torch.tensor([0, 1]), q)",
    "torch.index_add": "torch.index_add(p, 0, torch.tensor([0, 1]), q)",
    "T.index_copy": "p.index_copy(0, torch.tensor([0, 1]), q)",
    "torch.index_copy": "torch.index_copy(p, 0, torch.tensor([0, 1]), q)",
    "T.scatter_reduce": "p.scatter_reduce(2, i.unsqueeze(2), q, 'amax')",
    "T.index_reduce": "p.index_reduce(0, torch.tensor([0, 1]), q, 'amin')",
    "T.renorm": "p.renorm(2, 0, 0.5)",
    "T.put": "p.put(torch.tensor([0]), q[0, 0, :1])",
    "T.fill_diagonal": "p[0].clone().fill_diagonal_(-1.0)",
    "T.resize": "p.clone().resize_(4, 3, 2)",
    "T.resize_as": "p.clone().resize_as_(q[0])",
    "T.addmm": "p[0].addmm(x[0], torch.ones(4, 4, dtype=x.dtype))",
    "T.addmv": "p[0, :, 0].addmv(x[0], y[0, 0])",
    "T.addr": "p[0].addr(y[0, :, 0], x[0, 0])",
    "T.addbmm": "p[0].addbmm(x, torch.ones(2, 4, 4, dtype=x.dtype))",
    "T.baddbmm": "p.baddbmm(x, torch.ones(2, 4, 4, dtype=x.dtype))",
    "T.polygamma": "p.polygamma(1)",
    "T.mvlgamma": "(p + 3.0).mvlgamma(2)",
    "T.geometric": "p.geometric_(0.5)",
    "T.bernoulli": "p.bernoulli_(0.5)",
    "T.random": "p.random_(5)",
    "T.ldexp": "p.ldexp(q)",
    "torch.mode": "torch.mode(p).values",
}
"""Paths whose arguments differ from those of the operation's own example."""
SECOND_OPERAND = frozenset({"fmod", "remainder", "floor_divide", "float_power", "copysign", "heaviside", "hypot", "nextafter", "igamma", "igammac", "atan2", "arctan2"})
MODULES_OF_TORCH = {"F", "torch", "torch.special", "torch.sparse", "torch.masked", "torch.nn", "torch.nn.parameter", "torch.autograd"}


def spelled(operation: Operation, path: str) -> str:
    """The operation's example, with the call under another of its paths."""
    if path in OWN_EXAMPLES:
        return OWN_EXAMPLES[path]
    head, _, name = path.rpartition(".")
    if name in SECOND_OPERAND:
        return f"p.{name}(q)"
    names = {other.rpartition(".")[2] for other in operation.paths.split()}
    tree = ast.parse(operation.example, mode="eval")
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=base, attr=attr)) if attr in names or attr[:-1] in names:
                underscore = "_" if attr not in names else ""
                arguments = list(node.args) if ast.unparse(base) in MODULES_OF_TORCH else [base, *node.args]
                if head == "T":
                    exists = hasattr(Tensor, name + underscore)
                    node.func, node.args = ast.Attribute(arguments[0], name + (underscore if exists else "")), arguments[1:]
                else:
                    node.func, node.args = ast.parse(path, mode="eval").body, arguments
                return ast.unparse(tree)
            case _:
                pass
    raise AssertionError(f"{path}: its operation does not stand in its own example, {operation.example}")


PATHS = [(path, operation) for operation in OPERATIONS if operation.example for path in operation.paths.split()]


@pytest.mark.parametrize(("path", "operation"), PATHS, ids=[path for path, _ in PATHS])
def test_torch_contradicts_no_claim_under_any_path(path: str, operation: Operation) -> None:
    case = spelled(operation, path)
    run(case, RANKED)
    for ground in GROUNDS:
        try:
            wrong = wrong_claims(case, ground)
        except Refused:
            continue
        assert wrong == [], f"{case} ({ground})"


OWN_MODULES = {
    "Conv2d": "torch.nn.Conv2d(2, 5, 1).double()(x)",
    "Conv3d": "torch.nn.Conv3d(2, 5, 1).double()(x[..., None])",
    "ConvTranspose1d": "torch.nn.ConvTranspose1d(3, 5, 1).double()(x)",
    "ConvTranspose2d": "torch.nn.ConvTranspose2d(2, 5, 1).double()(x)",
    "LazyConv2d": "torch.nn.LazyConv2d(6, 1).double()(x)",
    "PReLU": "torch.nn.PReLU().double()(l)",
    "BatchNorm1d": "torch.nn.BatchNorm1d(3).double()(p)",
    "BatchNorm2d": "torch.nn.BatchNorm2d(2).double()(p[None])",
    "GroupNorm": "torch.nn.GroupNorm(3, 3).double()(p)",
    "InstanceNorm2d": "torch.nn.InstanceNorm2d(2).double()(p[None])",
    "Upsample": "torch.nn.Upsample(8)(p)",
}
MODULES = [(name, operation.example) for operation in MODULE_OPERATIONS for name in operation.names.split()]


@pytest.mark.parametrize(("name", "example"), MODULES, ids=[name for name, _ in MODULES])
def test_torch_contradicts_no_claim_under_any_module_name(name: str, example: str) -> None:
    case = OWN_MODULES.get(name) or re.sub(r"torch\.nn\.\w+", f"torch.nn.{name}", example, count=1)
    run(case, RANKED)
    for ground in GROUNDS:
        try:
            wrong = wrong_claims(case, ground)
        except Refused:
            continue
        assert wrong == [], f"{case} ({ground})"


OUT_OF_REACH = {
    "apply_": "calls a Python function, on the CPU only", "map_": "as apply_", "map2_": "as apply_", "set_": "another storage altogether",
    "share_memory_": "changes no value", "as_strided_": "a view of the storage", "sparse_resize_": "of sparse tensors",
    "sparse_resize_and_clear_": "of sparse tensors", "resize_as_sparse_": "of sparse tensors", "conj_physical_": "of complex numbers",
}
INTEGER_ONLY = re.compile(r"bitwise_.*|logical_.*|gcd_|lcm_")


def test_no_in_place_method_goes_unseen() -> None:
    methods = {name for name in dir(Tensor) if name.endswith("_") and not name.startswith("_")}
    seen = {name for name in methods if f"T.{name}" in CATALOGUE or f"T.{name[:-1]}" in CATALOGUE}
    assert {name for name in methods - seen if not INTEGER_ONLY.fullmatch(name)} == set(OUT_OF_REACH)


INACCURATE = {"torch.repeat_interleave", "T.repeat_interleave"}
"""Their signature in torch.overrides leaves out a parameter."""


def test_parameters_stand_where_torch_has_them() -> None:
    signatures = torch.overrides.get_testing_overrides()
    read = {"dim", "keepdim", "dim0", "dim1", "dims", "p", "k", "index", "source", "destination", "start_dim", "end_dim", "min", "max", "tau", "hard"}
    compared = 0
    for path, operation in CATALOGUE.items():
        head, _, name = path.rpartition(".")
        owner = {"T": Tensor, "torch": torch, "torch.special": torch.special, "torch.nn.functional": torch.nn.functional}.get(head)
        function = signatures.get(getattr(owner, name, None)) if owner is not None else None
        if function is None or path in INACCURATE:
            continue
        theirs = function.__code__.co_varnames[: function.__code__.co_argcount]
        ours = [parameter.name for parameter in parameters(operation.signature)]
        shared = read & set(theirs) & set(ours)
        compared += len(shared)
        assert {word: ours.index(word) for word in shared} == {word: theirs.index(word) for word in shared}, path
    assert compared > 100


# --- what makes a distribution -----------------------------------------------------------------------------------------------

Table = tuple[tuple[str, Said], ...]

MAKES: Table = (
    ("F.softmax(x, 2)", p(2)),
    ("F.softmax(x, dim=-2)", p(1)),
    ("F.softmax(x, dim=2, dtype=torch.float32)", p(2)),
    ("F.softmax(x, -1, 3, torch.float32)", p(-1)),
    ("nn.functional.softmax(x, 1)", p(1)),
    ("torch.softmax(x, 2)", p(2)),
    ("torch.softmax(x, -1, torch.float32)", p(-1)),
    ("torch.softmax(x, axis=1)", p(1)),
    ("torch.special.softmax(x, 1)", p(1)),
    ("x.softmax(1)", p(1)),
    ("x.softmax(axis=1)", p(1)),
    ("F.softmin(x, 2)", p(2)),
    ("nn.Softmax(dim=1)(x)", p(1)),
    ("nn.Softmax(2)(x)", p(2)),
    ("nn.modules.activation.Softmax(1)(x)", p(1)),
    ("nn.Softmin(1)(x)", p(1)),
    ("nn.Softmax2d()(x)", p(-3)),
    ("nn.Sequential(nn.Linear(4, 6).double(), nn.Softmax(-1))(x)", p(-1)),
    ("torch.sparse.softmax(x.to_sparse(), 2)", NOTHING_SAID),
    ("torch.masked.softmax(x, 2, mask=m)", p(2)),
    ("torch.masked.softmin(x, 2, mask=m)", p(2)),
    ("F.gumbel_softmax(x)", p(-1)),
    ("F.gumbel_softmax(x, 0.5, True)", p(-1)),
    ("F.gumbel_softmax(x, hard=True, dim=1)", p(1)),
    ("F.gumbel_softmax(x, 0.5, False, 1e-10, 1)", p(1)),
    ("F.gumbel_softmax(x, 0.5, False, -1)", p(-1)),  # the fourth is the dead eps
    ("F.normalize(x.abs(), p=1, dim=2)", p(2)),
    ("F.normalize(torch.exp(x), 1, -1)", p(-1)),
    ("F.normalize(torch.exp(x), p=1)", p(1)),
    ("F.normalize(F.relu(x + 9.0), p=1.0, dim=2)", p(2)),
    ("F.normalize(torch.exp(x))", NOTHING_SAID),  # p=2: unit vectors
    ("F.normalize(l, p=1, dim=2)", NOTHING_SAID),
    ("F.normalize(torch.randn(2, 3, 4), p=1, dim=2)", NOTHING_SAID),
    ("F.one_hot(i, 5).float()", p(-1)),
    ("F.one_hot(i, num_classes=5).double()", p(-1)),
    ("torch.eye(4)[i]", p(-1)),
    ("torch.eye(4)[i[0]]", p(-1)),
    ("torch.zeros(2, 3, 4).scatter_(2, i.unsqueeze(2), 1)", p(2)),
    ("torch.zeros_like(x).scatter_(-1, i.unsqueeze(-1), 1.0)", p(-1)),
    ("z = torch.zeros(2, 3, 4)\nz.scatter_(2, i.unsqueeze(2), 1.0)\nz", p(2)),
    ("torch.full((2, 3, 4), 0.1 / 3).scatter_(2, i.unsqueeze(2), 0.9)", P_SOME),
    ("torch.zeros_like(x).fill_(0.1 / 3).scatter_(2, i.unsqueeze(2), 0.9)", P_SOME),
    ("torch.zeros(2, 3, 4).scatter_(2, i.unsqueeze(2), -1.0)", NOTHING_SAID),
    ("torch.zeros(2, 3, 4).scatter_(2, i.unsqueeze(2), 5.0)", NOTHING_SAID),
    ("torch.ones(2, 4) / 4", P_SOME),
    ("torch.ones_like(x) / x.size(-1)", P_SOME),
    ("torch.full((2, 4), 1 / 4)", P_SOME),
    ("torch.full_like(x, 1 / x.size(-1))", P_SOME),
    ("x.new_full((2, 4), 0.25)", P_SOME),
    ("torch.tensor([0.2, 0.3, 0.5])", p(0)),
    ("torch.tensor([[0.2, 0.8], [0.5, 0.5]])", p(1)),
    ("torch.FloatTensor([0.3, 0.7])", p(0)),
    ("torch.tensor([[1, 0], [0, 1]]).float()", p(1)),
    ("torch.tensor([1, 0, 0], dtype=torch.float32)", p(0)),
    ("torch.tensor([0.5, 0.5, 0.5])", NOTHING_SAID),
    ("torch.tensor([-1.0, 2.0, 3.0])", SCORES),
    ("nn.MultiheadAttention(4, 2, batch_first=True).double()(x, x, x)[1]", p(-1)),
    ("nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True).double()(x, x, x)[1]", NOTHING_SAID),
    ("c = torch.bincount(i.flatten()).float()\nc / c.sum()", p(0)),
    ("h = torch.histc(x, 10)\nh / h.sum()", p(0)),
    ("torch.bincount(i.flatten()).float() / i.numel()", NOTHING_SAID),
    ("F.log_softmax(x, 2)", l(2)),
    ("torch.log_softmax(x, 1)", l(1)),
    ("torch.special.log_softmax(x, 1)", l(1)),
    ("x.log_softmax(-1)", l(-1)),
    ("nn.LogSoftmax(dim=1)(x)", l(1)),
    ("torch.masked.log_softmax(x, 2, mask=m)", l(2)),
    ("nn.AdaptiveLogSoftmaxWithLoss(4, 10, [4]).double().log_prob(x[0])", l(1)),
    ("nn.AdaptiveLogSoftmaxWithLoss(4, 10, [4]).double()(x[0], i[0]).output", NOTHING_SAID),
    ("nn.AdaptiveLogSoftmaxWithLoss(4, 10, [4]).double().predict(x[0])", NOTHING_SAID),
    ("F.scaled_dot_product_attention(x, x, x)", NOTHING_SAID),
)
"""Calls that make a distribution (or look as if they did), whatever is known of x."""

IN_BETWEEN: Table = (
    # algebra: which identities hold
    ("F.softmax(l, -1)", p(-1)),
    ("F.log_softmax(l, 2)", l(2)),
    ("torch.softmax(p.log(), 2)", p(2)),
    ("F.log_softmax(p.log() + 3.0, -1)", l(-1)),
    ("F.softmax(l / 2.0, -1)", p(-1)),
    ("F.log_softmax(l / 2.0, 2)", l(2)),
    ("F.log_softmax(x / 2.0, 2)", l(2)),
    ("F.log_softmax(F.softmax(x, 2), 2)", l(2)),
    ("F.softmax(F.softmax(x, 2), 1)", p(1)),
    ("F.softmax(-x, 2)", p(2)),
    ("-F.softmax(x, 2)", NOTHING_SAID),
    ("torch.exp(F.log_softmax(x, 1))", p(1)),
    ("F.log_softmax(x, 1).exp()", p(1)),
    ("F.softmax(x, 1).log()", l(1)),
    ("torch.log(F.softmax(x, 2) + 1e-8)", l(2)),
    ("torch.log(F.softmax(x, 2).clamp(min=1e-8))", l(2)),
    ("torch.log(F.softmax(x, 2) + 1e-3)", L_SOME),
    ("torch.expm1(F.log_softmax(x, 2)) + 1", p(2)),
    ("torch.log1p(F.softmax(x, 2) - 1)", l(2)),
    ("torch.log2(F.softmax(x, 2))", NOTHING_SAID),
    ("torch.log10(F.softmax(x, 2))", NOTHING_SAID),
    ("torch.log1p(F.softmax(x, 2))", NOTHING_SAID),
    ("torch.exp2(F.log_softmax(x, 2))", NOTHING_SAID),
    ("torch.logaddexp(l, k) - math.log(2)", L_SOME),
    ("torch.logsumexp(torch.stack([l, k]), 0) - math.log(2)", L_SOME),
    ("torch.logsumexp(torch.stack([l + math.log(0.5), k + math.log(0.5)]), dim=0)", L_SOME),
    # log-softmax written by hand
    ("x - x.logsumexp(-1, keepdim=True)", l(-1)),
    ("x - torch.logsumexp(x, dim=2, keepdim=True)", l(2)),
    ("x - torch.special.logsumexp(x, 1, keepdim=True)", l(1)),
    ("x - x.logsumexp(-1).unsqueeze(-1)", l(-1)),
    ("x - x.logsumexp(1).unsqueeze(1)", l(1)),
    ("x - x.logsumexp(dim=2)[:, :, None]", l(2)),
    ("x - x.logsumexp(-1)[..., None]", l(-1)),
    ("x.sub(x.logsumexp(2, True))", l(2)),
    ("x - x.exp().sum(-1, keepdim=True).log()", l(-1)),
    ("x - torch.log(torch.sum(torch.exp(x), dim=2, keepdim=True))", l(2)),
    ("x - torch.log(torch.exp(x).sum(1, True))", l(1)),
    ("z = x - x.max(-1, keepdim=True)[0]\nz - z.logsumexp(-1, keepdim=True)", l(-1)),
    ("z = x - x.amax(2, keepdim=True)\nz - z.exp().sum(2, keepdim=True).log()", l(2)),
    ("l - l.logsumexp(1, keepdim=True)", l(1)),
    ("x - y.logsumexp(-1, keepdim=True)", NOTHING_SAID),
    ("x - x.logsumexp(0)", l(0)),
    ("s = x.logsumexp(-1, keepdim=True)\nx.add_(y)\nx - s", NOTHING_SAID),
    # softmax written by hand
    ("x.exp() / x.exp().sum(-1, keepdim=True)", p(-1)),
    ("z = x - x.max(dim=-1, keepdim=True).values\nz.exp() / z.exp().sum(-1, keepdim=True)", p(-1)),
    ("e = torch.exp(x)\ne / torch.sum(e, dim=2, keepdim=True)", p(2)),
    ("e = torch.exp(x)\ne / e.sum(2).unsqueeze(2)", p(2)),
    ("e = torch.exp(x)\ne / e.sum(dim=-1)[..., None]", p(-1)),
    ("e = torch.exp(x)\ne / e.sum(1)[:, None]", p(1)),
    ("e = torch.exp(x)\ne / e.sum(0)", p(0)),
    ("e = torch.exp(x)\ne / (e.sum(2, keepdim=True) + 1e-8)", p(2)),
    ("e = torch.exp(x)\ne / e.sum(2, keepdim=True).clamp(min=1e-8)", p(2)),
    ("e = torch.exp(x)\ne.div(e.sum(2, keepdim=True))", p(2)),
    ("e = torch.exp(x)\ne.div_(e.sum(2, keepdim=True))\ne", p(2)),
    ("e = torch.exp(x)\ne /= e.sum(2, keepdim=True)\ne", p(2)),
    ("e = torch.exp(x)\ne / e.norm(p=1, dim=2, keepdim=True)", p(2)),
    ("e = torch.exp(x)\ne / torch.norm(e, 1, 2, True)", p(2)),
    ("e = torch.exp(x)[0]\n(e.t() / e.sum(1)).t()", p(1)),
    ("e = torch.exp(x)[0]\n(e.transpose(0, 1) / e.sum(dim=1)).transpose(0, 1)", p(1)),
    ("x.abs() / x.abs().sum(-1, keepdim=True)", p(-1)),
    ("w = x ** 2\nw / w.sum(2, keepdim=True)", p(2)),
    ("w = torch.rand(2, 3, 4) + 0.1\nw / w.sum(-1, keepdim=True)", p(-1)),
    ("w = torch.ones(2, 3, 4)\nw / w.sum(-1, keepdim=True)", p(-1)),
    ("w = torch.randn(2, 3, 4)\nw / w.sum(-1, keepdim=True)", NOTHING_SAID),
    ("w = torch.rand(2, 3, 4)\nw / w.sum()", P_SOME),
    ("w = torch.rand(4)\nw / w.sum()", p(0)),
    ("e = torch.exp(x)\ns = e.sum(2, keepdim=True)\ne.add_(1)\ne / s", P_SOME),
    ("l / l.sum(-1, keepdim=True)", NOTHING_SAID),  # sums to one, and means nothing
    # one Bernoulli term, and both
    ("torch.sigmoid(x)", P_EACH),
    ("x.sigmoid()", P_EACH),
    ("F.sigmoid(x)", P_EACH),
    ("torch.special.expit(x)", P_EACH),
    ("F.hardsigmoid(x)", P_EACH),
    ("nn.Sigmoid()(x)", P_EACH),
    ("1 - torch.sigmoid(x)", P_EACH),
    ("torch.sigmoid(x)[..., 0]", P_EACH),
    ("F.logsigmoid(x)", L_EACH),
    ("nn.LogSigmoid()(x)", L_EACH),
    ("torch.special.log_ndtr(x)", L_EACH),
    ("torch.sigmoid(x).log()", L_EACH),
    ("torch.stack([torch.sigmoid(x), torch.sigmoid(y)], -1)", P_EACH),
    ("s = torch.sigmoid(x)\ntorch.stack([1 - s, s], -1)", p(-1)),
    ("s = torch.sigmoid(x)\ntorch.stack([s, 1 - s], 0)", p(0)),
    ("s = torch.sigmoid(x[..., :1])\ntorch.cat([1 - s, s], -1)", p(-1)),
    ("s = torch.sigmoid(x).unsqueeze(-1)\ntorch.cat((s, 1 - s), dim=-1)", p(-1)),
    ("s = F.softmax(x, 2)[..., :1]\ntorch.cat([s, 1 - s], -1)", p(-1)),
    ("torch.stack([torch.sigmoid(-x), torch.sigmoid(x)], 0)", p(0)),
    ("torch.stack([F.logsigmoid(-x), F.logsigmoid(x)], -1)", l(-1)),
    ("torch.stack([F.logsigmoid(x), F.logsigmoid(-x)], dim=1)", l(1)),
    ("torch.cat((F.logsigmoid(-x[..., :1]), F.logsigmoid(x[..., :1])), dim=-1)", l(-1)),
    ("s = torch.sigmoid(x)\ntorch.stack([(1 - s).log(), s.log()], -1)", l(-1)),
    ("s = torch.sigmoid(x)\ntorch.log(torch.stack([1 - s, s], -1))", l(-1)),
    ("F.softmax(x.unsqueeze(-1), -1).squeeze(-1)", P_SOME),  # all ones
)
"""From one space to another."""

TORCH_DISTRIBUTIONS: Table = (
    ("distributions.Categorical(logits=x).logits", l(-1)),
    ("distributions.Categorical(logits=x).probs", p(-1)),
    ("distributions.OneHotCategorical(logits=x).logits", l(-1)),
    ("distributions.RelaxedOneHotCategorical(torch.tensor(0.5), logits=x).logits", l(-1)),
    ("distributions.RelaxedOneHotCategorical(torch.tensor(0.5), logits=x).probs", p(-1)),
    ("distributions.Multinomial(3, logits=x).logits", l(-1)),
    ("distributions.Multinomial(3, logits=x).probs", p(-1)),
    ("torch.distributions.categorical.Categorical(logits=x).probs", p(-1)),
    ("distributions.Categorical(probs=x.abs()).probs", p(-1)),
    ("distributions.Categorical(x.abs()).probs", p(-1)),  # the first argument is probs
    ("distributions.Categorical(probs=p).logits", l(-1)),
    ("distributions.Bernoulli(logits=x).logits", SCORES),
    ("distributions.Bernoulli(logits=x).probs", P_EACH),
    ("distributions.Bernoulli(torch.sigmoid(x)).logits", SCORES),
    ("distributions.Categorical(logits=x).sample()", INDICES),
    ("distributions.Categorical(logits=x).log_prob(i)", L_SOME),
    ("distributions.Categorical(logits=x).entropy()", NOTHING_SAID),
    ("distributions.Dirichlet(torch.ones(4)).sample()", p(-1)),
    ("distributions.Dirichlet(x.exp()).rsample((5,))", p(-1)),
    ("distributions.OneHotCategorical(logits=x).sample()", p(-1)),
    ("distributions.RelaxedOneHotCategorical(torch.tensor(0.5), logits=x).rsample()", p(-1)),
    ("distributions.relaxed_categorical.ExpRelaxedCategorical(torch.tensor(0.5), logits=x).rsample()", NOTHING_SAID),
    ("distributions.Normal(x, 1.0).log_prob(y)", NOTHING_SAID),
    ("distributions.kl_divergence(distributions.Categorical(logits=x), distributions.Categorical(logits=y))", NOTHING_SAID),
)
"""What torch.distributions gives."""

OTHERS: Table = (
    ("p.argmax(-1)", INDICES),
    ("p.argmax(-1, keepdim=True)", INDICES),
    ("p.argmax(dim=1).float()", INDICES),
    ("p.argsort(-1)", INDICES),
    ("p.topk(2).indices", INDICES),
    ("p.max(-1).indices", INDICES),
    ("p.max(2, keepdim=True)[1]", INDICES),
    ("p.sort(-1)[1]", INDICES),
    ("torch.multinomial(p[0], 2)", INDICES),
    ("torch.randint(0, 4, (2, 3))", INDICES),
    ("torch.arange(5)", INDICES),
    ("torch.LongTensor([1, 2])", INDICES),
    ("torch.tensor([1, 2, 3])", INDICES),
    ("torch.tensor([3, 1], dtype=torch.long)", INDICES),
    ("torch.arange(0, 1, 0.1)", NOTHING_SAID),
    ("torch.tensor([1, 2, 3], dtype=torch.float32)", NOTHING_SAID),
    ("torch.Tensor([1, 2, 3])", NOTHING_SAID),
    ("torch.tensor([1, 0, 0])", NOTHING_SAID),  # classes, or one-hot: it may be either
    ("p.argmax(-1) / 2", NOTHING_SAID),
    ("torch.randn(2, 3)", SCORES),
    ("torch.randn((2, 3, 4))", SCORES),
    ("torch.randn_like(x)", SCORES),
    ("F.linear(x, torch.randn(6, 4, dtype=x.dtype))", SCORES),
    ("nn.Linear(4, 6).double()(x)", SCORES),
    ("nn.Linear(4, 6).double()(x) / 2.0", SCORES),
    ("nn.Linear(4, 6).double()(x)[0]", SCORES),
    ("nn.Linear(4, 6).double()(x).view(-1, 6)", SCORES),
    ("nn.Conv1d(3, 5, 1).double()(x)", SCORES),
    ("nn.Linear(4, 6).double()(x).sigmoid()", P_EACH),
    ("h = nn.Linear(4, 6).double()(x)\nh - h.logsumexp(-1, keepdim=True)", l(-1)),
    ("h = nn.Linear(4, 6).double()(x)\nh / h.sum(-1, keepdim=True)", NOTHING_SAID),
    ("torch.rand(2, 3)", NOTHING_SAID),
    ("torch.rand_like(x)", NOTHING_SAID),
    ("x.new_zeros(2, 5)", NOTHING_SAID),
    ("nn.Embedding(9, 5)(i)", NOTHING_SAID),
    ("F.cosine_similarity(x, y, dim=-1)", NOTHING_SAID),
    ("F.relu(l)", NOTHING_SAID),
    ("F.softplus(p)", NOTHING_SAID),
    ("torch.square(p)", NOTHING_SAID),
    ("p.cumsum(-1)", NOTHING_SAID),
    ("torch.logcumsumexp(l, -1)", NOTHING_SAID),
    ("torch.logit(p)", NOTHING_SAID),
    ("torch.special.entr(p)", NOTHING_SAID),
    ("torch.xlogy(p, p)", NOTHING_SAID),
    ("torch.tanh(p)", NOTHING_SAID),
    ("F.glu(p)", NOTHING_SAID),
    ("F.softsign(p)", NOTHING_SAID),
    ("F.threshold(p, 0.1, 0.0)", NOTHING_SAID),
    ("(p > 0.5).float()", NOTHING_SAID),
)
"""Indices, scores, and what is none of these."""

EVERYWHERE = (*MAKES, *IN_BETWEEN, *TORCH_DISTRIBUTIONS, *OTHERS)


@pytest.mark.parametrize(("case", "expected"), EVERYWHERE, ids=[case for case, _ in EVERYWHERE])
@pytest.mark.parametrize("ground", [RANKED, FRONT, BACK], ids=str)
def test_what_makes_a_distribution(case: str, expected: Said, ground: Ground) -> None:
    hold(case, ground, expected)
