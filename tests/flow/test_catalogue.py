"""The catalogue of operations against torch: no claim that torch contradicts, and no silence where something is known.

Every operation is run on logits, probabilities and log-probabilities, under all of its paths; tables say what must be
known of what makes a distribution, of the algebra between the spaces, and of what moves, keeps, cuts and loses one; a
sweep composes operations at random.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, replace
from enum import Enum

import pytest
import torch
import torch.masked
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import Tensor

from kl_lint.flow.kl_call import Distribution, RemarkKind
from kl_lint.flow.torch_ops import CATALOGUE, MODULE_OPERATIONS, OPERATIONS, ModuleOperation, Operation, parameters
from kl_lint.flow.values import Mass, Space
from tests.flow.claims import (
    GROUNDS,
    PROVED,
    Ground,
    Refused,
    claim,
    claims,
    claims_of_both,
    contradictions,
    executed,
    on_each_operand,
    run,
    with_operands,
    wrong_claims,
    wrong_source,
)

PROBS, LOG_PROBS = Space.PROBS, Space.LOG_PROBS


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- expectations ----------------------------------------------------------------------------------------------------


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
P_CUT, L_CUT = Said(PROBS, Mass.CUT), Said(LOG_PROBS, Mass.CUT)
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


# --- every operation -------------------------------------------------------------------------------------------------

WITHOUT_EXAMPLE = {
    "cuda": "needs a GPU",
    "pin_memory": "needs a GPU",
    "all_reduce": "needs a process group",
}
"""Operations that cannot be run here."""

ALL = [(one.label, one.example) for one in OPERATIONS] + [(one.names, one.example) for one in MODULE_OPERATIONS]
EXAMPLES = [(label, example) for label, example in ALL if example]

TAKEN_FOR_GRANTED = re.compile(r"(masked_scatter|scatter_add|index_put|index_copy)\(.*\by\b.*\)")
"""Writes a tensor of which nothing is known into probabilities: see `PRESUMPTIONS`."""


def test_every_operation_has_an_example() -> None:
    bare = {label for label, example in ALL if not example}
    assert bare == set(WITHOUT_EXAMPLE)


def test_no_entry_of_the_catalogue_can_be_changed() -> None:
    """They are shared by all analyses of a process."""
    entries: list[Operation | ModuleOperation] = [*OPERATIONS, *MODULE_OPERATIONS]
    for entry in entries:
        with pytest.raises(FrozenInstanceError):
            entry.example = "another"  # type: ignore[misc]
        for parameter in parameters(entry.signature):
            with pytest.raises(FrozenInstanceError):
                parameter.rest = True  # type: ignore[misc]


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
    "T.acosh": "(p + 1.0).acosh()",
    "T.arccosh": "(p + 1.0).arccosh()",
    "T.polygamma": "p.polygamma(1)",
    "T.mvlgamma": "(p + 3.0).mvlgamma(2)",
    "T.geometric": "p.geometric_(0.5)",
    "T.bernoulli": "p.bernoulli_(0.5)",
    "T.random": "p.random_(5)",
    "T.ldexp": "p.ldexp(q)",
    "torch.mode": "torch.mode(p).values",
}
"""Paths whose arguments differ from those of the operation's own example."""
SECOND_OPERAND = frozenset(
    {
        "fmod",
        "remainder",
        "floor_divide",
        "float_power",
        "copysign",
        "heaviside",
        "hypot",
        "nextafter",
        "igamma",
        "igammac",
        "atan2",
        "arctan2",
    }
)
MODULES_OF_TORCH = {
    "F",
    "torch",
    "torch.special",
    "torch.sparse",
    "torch.masked",
    "torch.nn",
    "torch.nn.parameter",
    "torch.autograd",
    "numpy",
}


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
                    node.func, node.args = (
                        ast.Attribute(arguments[0], name + (underscore if exists else "")),
                        arguments[1:],
                    )
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
    "apply_": "calls a Python function, on the CPU only",
    "map_": "as apply_",
    "map2_": "as apply_",
    "set_": "another storage altogether",
    "share_memory_": "changes no value",
    "as_strided_": "a view of the storage",
    "sparse_resize_": "of sparse tensors",
    "sparse_resize_and_clear_": "of sparse tensors",
    "resize_as_sparse_": "of sparse tensors",
    "conj_physical_": "of complex numbers",
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
    read = {
        "dim",
        "keepdim",
        "dim0",
        "dim1",
        "dims",
        "p",
        "k",
        "index",
        "source",
        "destination",
        "start_dim",
        "end_dim",
        "min",
        "max",
        "tau",
        "hard",
    }
    compared = 0
    for path, operation in CATALOGUE.items():
        head, _, name = path.rpartition(".")
        owner = {
            "T": Tensor,
            "torch": torch,
            "torch.special": torch.special,
            "torch.nn.functional": torch.nn.functional,
        }.get(head)
        function = signatures.get(getattr(owner, name)) if owner is not None and hasattr(owner, name) else None
        if function is None or path in INACCURATE:
            continue
        theirs = function.__code__.co_varnames[: function.__code__.co_argcount]
        ours = [parameter.name for parameter in parameters(operation.signature)]
        shared = read & set(theirs) & set(ours)
        compared += len(shared)
        assert {word: ours.index(word) for word in shared} == {word: theirs.index(word) for word in shared}, path
    assert compared > 100


# --- what makes a distribution ---------------------------------------------------------------------------------------

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
    ("torch.sparse.softmax(x.to_sparse(), 2)", p(2)),
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
    ("x.new_ones(2, 2) / 2", P_SOME),
    ("torch.ones((2, 2)) / 2", P_SOME),
    ("x.new_zeros(2, 3, 4).scatter_(-1, i.unsqueeze(-1), 1.0)", p(-1)),
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
    ("torch.sparse.log_softmax(x.to_sparse(), 1)", l(1)),
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
    ("torch.log(torch.exp(F.softmax(x, 2)))", NOTHING_SAID),
    ("torch.log2(F.softmax(x, 2))", NOTHING_SAID),
    ("torch.log10(F.softmax(x, 2))", NOTHING_SAID),
    ("torch.log1p(F.softmax(x, 2))", NOTHING_SAID),
    ("torch.exp2(F.log_softmax(x, 2))", NOTHING_SAID),
    ("torch.logaddexp(l, k) - math.log(2)", L_SOME),
    ("torch.logsumexp(torch.stack([l, k]), 0) - math.log(2)", L_SOME),
    ("torch.logsumexp(torch.stack([l + math.log(0.5), k + math.log(0.5)]), dim=0)", L_SOME),
    # what some probabilities leave of one
    ("F.softmax(x, 2) / (1.0 - F.softmax(x, 2)[..., :1]).clamp(min=1e-7)", P_SOME),
    ("F.softmax(x, 2)[..., 1:] / (1.0 - F.softmax(x, 2)[..., :1])", P_SOME),
    ("torch.ones_like(x, dtype=torch.bool).scatter_(2, i.unsqueeze(-1), False)", NOTHING_SAID),
    ("torch.log1p(-F.softmax(x, 2))", L_SOME),
    ("torch.log1p(-torch.sigmoid(x))", L_EACH),
    ("torch.log1p(-F.softmax(x, 2)[..., :2].sum(-1, keepdim=True))", L_SOME),
    ("torch.log(1 - F.softmax(x, 2)[..., :2].sum(-1))", L_SOME),
    ("torch.log(-torch.expm1(F.log_softmax(x, 2)[..., :2].logsumexp(-1).clamp(max=-1e-7)))", L_SOME),
    ("torch.log1p(-torch.tanh(x))", NOTHING_SAID),
    # some columns of a log-softmax
    ("x.gather(2, x.topk(2, dim=2).indices) - x.logsumexp(2, keepdim=True)", L_CUT),
    ("x.topk(2, dim=-1).values - x.logsumexp(-1, keepdim=True)", L_CUT),
    ("x.index_select(1, torch.tensor([0])) - x.logsumexp(2, keepdim=True)", NOTHING_SAID),
    ("x.topk(2, dim=-1).values - (2 * x).logsumexp(-1, keepdim=True)", NOTHING_SAID),
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
    ("e = torch.exp(x)\ns = e.sum(2, keepdim=True)\ne.add_(1)\ne / s", NOTHING_SAID),
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
    (
        "distributions.kl_divergence(distributions.Categorical(logits=x), distributions.Categorical(logits=y))",
        NOTHING_SAID,
    ),
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


# --- the dim that torch picks ----------------------------------------------------------------------------------------

PICKED = {0: 0, 1: 0, 2: 1, 3: 0, 4: 1, 5: 1}
"""The implicit dim by rank."""
SIZES = (2, 3, 4, 2, 3)


@pytest.mark.parametrize("rank", PICKED)
@pytest.mark.parametrize(
    "normalised",
    [
        "F.softmax({})",
        "F.softmax({}, dim=None)",
        "F.softmin({})",
        "F.log_softmax({})",
        "nn.Softmax()({})",
        "nn.Softmin()({})",
        "nn.LogSoftmax()({})",
    ],
)
def test_the_implicit_dim_follows_from_the_rank(normalised: str, rank: int) -> None:
    scores = f"torch.randn({', '.join(map(str, SIZES[:rank]))})" if rank else "torch.tensor(1.5)"
    case = normalised.format(scores)
    space = LOG_PROBS if "og" in normalised else PROBS
    hold(case, RANKED, Said(space, Mass.WHOLE, PICKED[rank]))
    (remark,) = [remark for remark in claim(case, RANKED).remarks if remark.kind is RemarkKind.IMPLICIT_DIM]
    assert remark.rank == rank


@pytest.mark.parametrize("case", ["F.softmax(x)", "nn.LogSoftmax()(x)"])
def test_without_a_rank_the_implicit_dim_is_not_known(case: str) -> None:
    assert claim(case, FRONT).mass is Mass.WHOLE
    assert claim(case, FRONT).dim is None
    assert wrong_claims(case, FRONT) == []


@pytest.mark.parametrize("sizes", ["5, 3, 4", "2, 5, 3, 4"])
def test_softmax2d_takes_the_channels(sizes: str) -> None:
    hold(f"nn.Softmax2d()(torch.randn({sizes}))", RANKED, p(-3))


@pytest.mark.parametrize(
    "case", ["torch.softmax(x)", "torch.log_softmax(x)", "x.softmax()", "x.log_softmax()", "torch.special.softmax(x)"]
)
def test_only_the_functional_ones_have_an_implicit_dim(case: str) -> None:
    with pytest.raises(Refused, match="TypeError"):
        run(case, RANKED)


# --- what operations do to a distribution along dim 2 of [2, 3, 4] ---------------------------------------------------


class Left(Enum):
    """What is left of a distribution, where it is none along a known dim any more."""

    SOMEWHERE = "a distribution along a dim that is not known"
    CUT = "columns of one"
    SPACE = "elements in its space"
    SCORES = "raw scores"
    NOTHING = "nothing that is known"


SOMEWHERE, CUT, SPACE, NOTHING = Left.SOMEWHERE, Left.CUT, Left.SPACE, Left.NOTHING


@dataclass(frozen=True, slots=True)
class Row:
    """What is left of p and of l where their rank is proved; of p where it is not, if that is something else.

    `front`: the dim is written as 2; `back`: as -1.
    """

    case: str
    probs: int | Left
    logs: int | Left
    front: int | Left | None = None
    back: int | Left | None = None


def said(left: int | Left, space: Space) -> Said:
    match left:
        case int() as dim:
            return Said(space, Mass.WHOLE, dim)
        case Left.SOMEWHERE:
            return Said(space, Mass.WHOLE)
        case Left.CUT:
            return Said(space, Mass.CUT)
        case Left.SPACE:
            return Said(space)
        case Left.SCORES:
            return SCORES
        case Left.NOTHING:
            return NOTHING_SAID


KEEPS = (
    Row("p.detach()", 2, 2),
    Row("p.clone()", 2, 2),
    Row("p.contiguous()", 2, 2),
    Row("p.data", 2, 2),
    Row("p.cpu()", 2, 2),
    Row("p.to(torch.float32)", 2, 2),
    Row("p.to('cpu')", 2, 2),
    Row("p.type(torch.float32)", 2, 2),
    Row("p.type_as(x)", 2, 2),
    Row("p.float()", 2, 2),
    Row("p.double()", 2, 2),
    Row("p.half()", 2, 2),
    Row("p.bfloat16()", 2, 2),
    Row("p.detach().requires_grad_()", 2, 2),
    Row("torch.nan_to_num(p)", 2, 2),
    Row("torch.from_numpy(p.detach().numpy())", 2, 2),
    Row("torch.tensor(p.detach().numpy())", 2, 2),
    Row("torch.tensor(p.tolist())", 2, 2),
    Row("F.dropout(p, 0.1, training=False)", 2, 2),
    Row("F.dropout(p, 0.1, False)", 2, 2),
    Row("nn.Identity()(p)", 2, 2),
    Row("p + 0", 2, 2),
    Row("p * 1.0", 2, 2),
    Row("p / 1", 2, 2),
    # an epsilon changes it by less than anybody asks for
    Row("p.clamp(1e-8, 1)", 2, SPACE),
    Row("p.clamp(min=1e-8)", 2, SPACE),
    Row("torch.clamp(p, 1e-7, 1.0)", 2, SPACE),
    Row("p.clamp_min(1e-9)", 2, SPACE),
    Row("torch.maximum(p, torch.tensor(1e-8))", 2, SPACE),
    Row("p + 1e-8", 2, SPACE),
    Row("1e-8 + p", 2, SPACE),
    Row("p.add(1e-8)", 2, SPACE),
    Row("eps = 1e-8\np + eps", 2, SPACE),
    Row("p.clamp(min=0.2)", SPACE, SPACE),
    Row("p.clamp(min=1e-3)", SPACE, SPACE),
    Row("p + 1e-3", SPACE, SPACE),
    Row("p + 1e-5", SPACE, SPACE),
    Row("p - 1e-8", NOTHING, SPACE),
)

MOVES = (
    Row("p.view(-1, p.size(-1))", 1, 1, front=SPACE),
    Row("p.reshape(-1, p.shape[-1])", 1, 1, front=SPACE),
    Row("p.view((-1, p.size(-1)))", 1, 1, front=SPACE),
    Row("p.view(-1, x.size(-1))", 1, 1, front=SPACE),
    Row("p.view(p.size(0), -1, p.size(2))", 2, 2, front=SPACE, back=SPACE),
    Row("p.view(-1, 4)", SPACE, SPACE),  # sizes are not tracked
    Row("p.view(2, 12)", SPACE, SPACE),
    Row("p.view(-1)", SPACE, SPACE),
    Row("p.flatten(0, 1)", 1, 1, front=SPACE, back=SPACE),
    Row("p.flatten(end_dim=1)", 1, 1, front=SPACE, back=SPACE),
    Row("torch.flatten(p, 0, -2)", 1, 1, front=SPACE),
    Row("p.flatten()", SPACE, SPACE),
    Row("p.flatten(1)", SPACE, SPACE),
    Row("nn.Flatten(0, 1)(p)", 1, 1, front=SPACE, back=SPACE),
    Row("nn.Flatten()(p)", SPACE, SPACE),
    Row("p.unflatten(2, (2, 2))", SPACE, SPACE),
    Row("p.unflatten(0, (1, 2))", SPACE, SPACE),  # moves to 3: not tracked
    Row("p.permute(2, 0, 1)", 0, 0),
    Row("p.permute((0, 2, 1))", 1, 1),
    Row("p.transpose(1, 2)", 1, 1, back=SOMEWHERE),
    Row("p.transpose(-1, -2)", 1, 1, front=SOMEWHERE),
    Row("p.transpose(0, 1)", 2, 2, back=SOMEWHERE),
    Row("p.mT", 1, 1, front=SOMEWHERE),
    Row("p.swapaxes(0, 2)", 0, 0, back=SOMEWHERE),
    Row("p.movedim(2, 0)", 0, 0, front=SOMEWHERE, back=SOMEWHERE),
    Row("p.movedim(-1, 1)", 1, 1, front=SOMEWHERE, back=SOMEWHERE),
    Row("p[0].t()", 0, 0),
    Row("p[0].T", 0, 0),
    Row("torch.einsum('abc->cab', p)", NOTHING, NOTHING),  # moves to 0: not read
    Row("p.unsqueeze(0)", 3, 3),
    Row("p[None]", 3, 3),
    Row("p[None, None]", 4, 4),
    Row("p.expand(5, 2, 3, 4)", 3, 3, front=SOMEWHERE),
    Row("torch.stack([p, p], 0)", 3, 3),
    Row("torch.stack([p, q])", 3, 3),
    Row("p.unsqueeze(-1)", 2, 2, front=SOMEWHERE),
    Row("p[..., None]", 2, 2, front=SOMEWHERE),
    Row("p[..., None, None]", 2, 2, front=SOMEWHERE),
    Row("p[..., None, :]", 3, 3, front=SOMEWHERE),
    Row("torch.stack([p, q], -1)", 2, 2, front=SPACE),
    Row("p.unsqueeze(1)", 3, 3, back=SOMEWHERE),
    Row("p[:, None]", 3, 3, back=SOMEWHERE),
    Row("torch.stack([p, q], 1)", 3, 3, back=SPACE),
    Row("p.unsqueeze(0).squeeze(0)", 2, 2),
    Row("p.unsqueeze(1).squeeze(1)", 2, 2, back=SOMEWHERE),
    Row("p.unsqueeze(-1).squeeze(-1)", 2, 2, front=SOMEWHERE),
    Row("p[:1].squeeze()", SOMEWHERE, SOMEWHERE),
    Row("p.flip(-1)", 2, 2),
    Row("p.flip(0)", 2, 2),
    Row("p.flip([0, 2])", 2, 2),
    Row("p.roll(1, -1)", 2, 2),
    Row("p.roll(1, 0)", 2, 2),
    Row("p.roll(1)", SPACE, SPACE),
    Row("p.sort(-1).values", 2, 2, front=SPACE),
    Row("p.sort().values", 2, 2, front=SPACE),
    Row("p.sort(0).values", SPACE, SPACE),
    Row("p.sort(dim=1)[0]", SPACE, SPACE),
    Row("p.repeat(2, 1, 1)", 2, 2, front=SPACE),
    Row("p.repeat(5, 1, 1, 1)", 3, 3, front=SPACE),
    Row("p.tile((2, 1, 1))", 2, 2, front=SPACE),
    Row("p.repeat(1, 1, 2)", SPACE, SPACE),
    Row("p.repeat_interleave(2, dim=0)", 2, 2),
    Row("p.repeat_interleave(2, 1)", 2, 2, back=SPACE),
    Row("p.repeat_interleave(2, 2)", SPACE, SPACE),
    Row("torch.cat([p, q])", 2, 2),
    Row("torch.cat((p, q), dim=1)", 2, 2, back=SPACE),
    Row("torch.vstack([p, q])", 2, 2),
    Row("torch.cat([p, q], -1)", SPACE, SPACE),
    Row("torch.cat([p, q], 2)", SPACE, SPACE),
    Row("torch.hstack([p, q])", SPACE, SPACE),
    Row("F.pad(p, (0, 1))", 2, SPACE, front=SPACE),
    Row("F.pad(p, (0, 1), value=0.5)", SPACE, NOTHING),
    Row("F.pad(p, (0, 1), value=-1.0)", NOTHING, SPACE),
    Row("F.pad(p, (0, 0, 0, 1))", SPACE, SPACE),
)

TAKES = (
    Row("p[0]", 1, 1),
    Row("p[-1]", 1, 1),
    Row("p[:, -1]", 1, 1, back=SPACE),
    Row("p[0, 1]", 0, 0, back=SPACE),
    Row("p[0, :, None]", 2, 2, back=SPACE),
    Row("p.select(0, 1)", 1, 1),
    Row("p.select(1, 0)", 1, 1, back=SPACE),
    Row("p.unbind(0)[0]", 1, 1),
    Row("p.unbind(1)[1]", 1, 1, back=SPACE),
    Row("p.chunk(2)[0]", 2, 2),
    Row("p.chunk(3, 1)[0]", 2, 2, back=SPACE),
    Row("p.split(1)[0]", 2, 2),
    Row("p.split(1, 1)[0]", 2, 2, back=SPACE),
    Row("p.narrow(0, 0, 1)", 2, 2),
    Row("p.narrow(1, 0, 2)", 2, 2, back=SPACE),
    Row("p.index_select(0, torch.tensor([0, 1]))", 2, 2),
    Row("p.index_select(1, torch.tensor([0, 2]))", 2, 2, back=SPACE),
    Row("p[:, [0, 2]]", 2, 2, back=SPACE),
    Row("p[[0, 1]]", SPACE, SPACE, back=-1),  # an index in front may be a mask of several dims
    Row("p[torch.tensor([1, 0])]", SPACE, SPACE, back=-1),
    Row("p[m[:, 0, 0]]", SPACE, SPACE, back=-1),
    Row("p[m[..., 0]]", SPACE, SPACE, back=-1),
    Row("p[i]", SPACE, SPACE, back=-1),
    Row("p[1:]", 2, 2),
    Row("p[::2]", 2, 2),
    Row("p[:, 1:]", 2, 2, back=SPACE),
    Row("a, b = p\na", 1, 1),
    Row("a, b, c = p.unbind(1)\nc", 1, 1, back=SPACE),
    Row("[row for row in p][0]", 1, 1),
    Row("p[..., :2]", CUT, CUT, front=SPACE),
    Row("p[:, :, 1:]", CUT, CUT, back=SPACE),
    Row("p[:, :, ::2]", CUT, CUT, back=SPACE),
    Row("p[:, :, [0, 2]]", CUT, CUT, back=SPACE),
    Row("p[..., [0, 1]]", CUT, CUT, front=SPACE),
    Row("p[0, :, :2]", CUT, CUT, back=SPACE),
    Row("p[:, :, :2].unsqueeze(0)", CUT, CUT, back=SPACE),
    Row("p.narrow(2, 0, 2)", CUT, CUT, back=SPACE),
    Row("p.index_select(-1, torch.tensor([0, 1]))", CUT, CUT, front=SPACE),
    Row("p.gather(-1, i.unsqueeze(-1))", CUT, CUT, front=SPACE),
    Row("p.take_along_dim(i.unsqueeze(-1), -1)", CUT, CUT, front=SPACE),
    Row("p.topk(2).values", CUT, CUT, front=SPACE),
    Row("p.topk(2, dim=-1)[0]", CUT, CUT, front=SPACE),
    Row("p.chunk(2, -1)[0]", SPACE, SPACE),  # the other pieces may be added
    Row("p.split(2, -1)[0]", SPACE, SPACE),
    Row("p.split([1, 3], 2)[1]", SPACE, SPACE),
    Row("a, b = p.chunk(2, dim=-1)\nb", SPACE, SPACE),
    Row("p[..., 0]", SPACE, SPACE),  # one class of two may stand for both
    Row("p[:, :, 0]", SPACE, SPACE),
    Row("p.select(-1, 0)", SPACE, SPACE),
    Row("p[:, 0, 0]", SPACE, SPACE),
    Row("p[..., 0, None]", SPACE, SPACE),
    Row("p[..., None, 0]", SPACE, SPACE),
    Row("p.gather(0, m * 1)", SPACE, SPACE),  # of different rows
    Row("p.masked_select(m)", SPACE, SPACE),
    Row("p.take(torch.tensor([0, 5]))", SPACE, SPACE),
    Row("p.tril()", SPACE, SPACE),
)

MIXES = (
    Row("0.3 * p + (1 - 0.3) * q", 2, SPACE),
    Row("0.3 * p + 0.7 * q", 2, SPACE),
    Row("w = 0.3\nw * p + (1 - w) * q", 2, SPACE),
    Row("w = 0.3\n(1 - w) * p + w * q", 2, SPACE),
    Row("w = 0.3\np.mul(w).add(q.mul(1 - w))", 2, SPACE),
    Row("w = i.sum() / 100\nw * p + (1 - w) * q", 2, SPACE),
    Row("w = 0.3\nw * p + (1.0 - w) * (p + q) / 2", 2, SPACE),
    Row("(p + q) / 2", 2, SPACE),
    Row("0.5 * (p + q)", 2, SPACE),
    Row("(p + q) * 0.5", 2, SPACE),
    Row("p / 2 + q / 2", 2, SPACE),
    Row("p.add(q).div(2)", 2, SPACE),
    Row("(p + q + p.flip(0)) / 3", 2, SPACE),
    Row("p.mul(0.9).add(q, alpha=0.1)", 2, SPACE),
    Row("torch.add(0.5 * p, q, alpha=0.5)", 2, SPACE),
    Row("torch.lerp(p, q, 0.3)", 2, NOTHING),
    Row("p.lerp(q, 0.3)", 2, NOTHING),
    Row("torch.stack([p, q]).mean(0)", 2, SPACE),
    Row("torch.stack((p, q), dim=-1).mean(-1)", 2, SPACE, front=SPACE),
    Row("sum([p, q]) / 2", 2, SPACE),
    Row("sum([p, q]) / len([p, q])", 2, SPACE),
    Row("both = [p, q]\nsum(both) / len(both)", 2, SPACE),
    Row("both = []\nfor one in (p, q):\n    both.append(one)\ntorch.stack(both).mean(0)", 2, SPACE),
    Row("both = [one for one in (p, q)]\ntorch.stack(both, dim=0).mean(dim=0)", 2, SPACE),
    Row("ema = p\nfor one in [q, p]:\n    ema = 0.9 * ema + 0.1 * one\nema", 2, SPACE),
    Row("ema = p\ndecay = 0.9\nfor step in range(10):\n    ema = decay * ema + (1 - decay) * q\nema", 2, SPACE),
    Row("ema = p.clone()\nfor step in range(10):\n    ema.mul_(0.9).add_(q, alpha=0.1)\nema", 2, SPACE),
    Row("ema = p.clone()\nfor step in range(10):\n    ema.lerp_(q, 0.1)\nema", 2, NOTHING),
    Row("p.mean(0)", 1, SPACE),
    Row("torch.mean(p, dim=1)", 1, SPACE, back=SPACE),
    Row("p.mean(1, keepdim=True)", 2, SPACE, back=SPACE),
    Row("p.mean((0, 1))", SPACE, SPACE),  # one, along the last: several dims at once are not tracked
    Row("torch.stack([p, q]).sum(0) / 2", SPACE, NOTHING),
    Row("(1 - 0.1) * p + 0.1 / p.size(-1)", SPACE, SPACE),  # one, if the share is that of as many classes as there are
    Row("0.9 * p + 0.1 * torch.full_like(p, 0.25)", SPACE, NOTHING),
    Row(
        "p @ torch.softmax(torch.randn(4, 4, dtype=p.dtype), -1)", NOTHING, NOTHING
    ),  # one, as the rows of the matrix are
    Row("F.avg_pool1d(p.transpose(1, 2), 3)", SPACE, NOTHING),
    Row("F.interpolate(p.transpose(1, 2), scale_factor=2, mode='linear').transpose(1, 2)", SPACE, NOTHING),
    # no mixtures
    Row("w = 0.3\nw * p + w * q", SPACE, SPACE),
    Row("w = 0.3\nw * p + (1 - w) * F.softmax(y, 1)", SPACE, NOTHING),
    Row("w = 0.3\nw * p - (1 - w) * q", NOTHING, NOTHING),
    Row("1.5 * p - 0.5 * q", NOTHING, NOTHING),
    Row("torch.lerp(p, q, 1.5)", NOTHING, NOTHING),
    Row("torch.lerp(p, q, torch.rand(2, 3, 4, dtype=p.dtype))", SPACE, NOTHING),
    Row("torch.add(p, q, alpha=0.5)", SPACE, SPACE),
    Row("p + q", SPACE, SPACE),
    Row("(p + q) / 3", SPACE, SPACE),
)

LOSES = (
    Row("p.sum(0)", SPACE, NOTHING),
    Row("p.max(0).values", SPACE, SPACE),
    Row("p.amax(1)", SPACE, SPACE),
    Row("p.median(0).values", SPACE, SPACE),
    Row("p.sum(-1)", NOTHING, NOTHING, front=SPACE),
    Row("p.mean(-1)", NOTHING, NOTHING, front=SPACE),
    Row("p.mean()", NOTHING, NOTHING),
    Row("F.max_pool1d(p.transpose(1, 2), 3)", SPACE, NOTHING),
    Row("p.logsumexp(0) - math.log(2)", NOTHING, SPACE),  # a mixture in log space, if it is of two
    Row("p * q", NOTHING, NOTHING),
    Row("2 * p", SPACE, SPACE),
    Row("p * 2.5", SPACE, SPACE),
    Row("p / 2", SPACE, SPACE),
    Row("p / 0.5", SPACE, SPACE),
    Row("p ** 2", SPACE, NOTHING),
    Row("p.pow(2)", SPACE, NOTHING),
    Row("2 ** p", NOTHING, NOTHING),
    Row("1 - p", SPACE, NOTHING),
    Row("1 - p.sum(1)", NOTHING, NOTHING),
    Row("p / p.max()", SPACE, SPACE),
    Row("p @ x.transpose(1, 2)", NOTHING, NOTHING),
    Row("p * m", SPACE, SPACE),
    Row("(p > 0.2) * p", SPACE, SPACE),
    Row("torch.where(m, p, q)", SPACE, SPACE),
    Row("torch.where(p > 0.2, p, 0.0)", SPACE, SPACE),
    Row("torch.where(m, p, -1.0)", NOTHING, SPACE),
    Row("p.where(m, torch.zeros_like(p))", SPACE, SPACE),
    Row("p.masked_fill(m, 0)", SPACE, SPACE),
    Row("p.masked_fill(m, -1e9)", NOTHING, SPACE),
    Row("p.masked_fill(m, float('-inf'))", NOTHING, SPACE),
    Row("p.index_fill(2, torch.tensor([0]), -1.0)", NOTHING, SPACE),
    Row("F.threshold(p, 0.1, 0.0)", NOTHING, NOTHING),
    Row("F.dropout(p, 0.5)", NOTHING, NOTHING),
    Row("p.round()", NOTHING, NOTHING),
    Row("F.layer_norm(p, (4,))", NOTHING, NOTHING),
    Row("nn.Linear(4, 4).double()(p)", Left.SCORES, Left.SCORES),
    Row("-p", NOTHING, NOTHING),
    Row("p - 1", NOTHING, SPACE),
    Row("p + 0.5", SPACE, SPACE),
    Row("p + math.log(2)", NOTHING, SPACE),
    Row("p - math.log(2)", NOTHING, SPACE),
    Row("p - p.max()", NOTHING, SPACE),
    Row("p - q", NOTHING, NOTHING),
    Row("p + i.unsqueeze(2) / 2", NOTHING, SPACE),
)

TABLE = (*KEEPS, *MOVES, *TAKES, *MIXES, *LOSES)


@pytest.mark.parametrize("row", TABLE, ids=[row.case for row in TABLE])
def test_what_is_left_of_a_distribution(row: Row) -> None:
    logarithms = with_operands(row.case, "l", "k")
    rank = run(row.case, RANKED).dim()
    hold(row.case, RANKED, said(row.probs, PROBS))
    hold(logarithms, RANKED, said(row.logs, LOG_PROBS))
    for ground, left in ((FRONT, row.front), (BACK, row.back)):
        hold(row.case, ground, said(row.probs if left is None else left, PROBS))
        assert wrong_claims(logarithms, ground) == []
    for ground in GROUNDS:
        assert wrong_claims(row.case, ground) == []
    assert rank == run(row.case, BACK).dim()


AGAIN: Table = (
    ("r = p * q\nr / r.sum(-1, keepdim=True)", p(-1)),
    ("p * q / (p * q).sum(-1, keepdim=True)", p(-1)),
    ("r = p ** (1 / 2)\nr / r.sum(2, keepdim=True)", p(2)),
    ("r = p.pow(2)\nr / r.sum(2, keepdim=True)", p(2)),
    ("r = p.masked_fill(m, 0)\nr / r.sum(2, keepdim=True)", p(2)),
    ("r = p * m\nr / r.sum(-1, keepdim=True)", p(-1)),
    ("r = p[..., :2]\nr / r.sum(-1, keepdim=True)", p(-1)),
    ("r = p + 1e-3\nr / r.sum(2, keepdim=True)", p(2)),
    ("r = F.dropout(p, 0.1)\nr / r.sum(2, keepdim=True)", p(2)),
    ("F.normalize(p * m, p=1, dim=2)", p(2)),
    ("F.softmax(p.log() / 2, -1)", p(-1)),
    ("F.log_softmax(l.masked_fill(m, -1e9), 2)", l(2)),
)
"""Normalised again, after it was lost."""


@pytest.mark.parametrize(("case", "expected"), AGAIN, ids=[case for case, _ in AGAIN])
@pytest.mark.parametrize("ground", [RANKED, FRONT, BACK], ids=str)
def test_what_is_normalised_again(case: str, expected: Said, ground: Ground) -> None:
    hold(case, ground, expected)


# --- in place, and under other names ---------------------------------------------------------------------------------

IN_PLACE: Table = (
    ("p.log_()\np", l(2)),
    ("torch.log_(p)\np", l(2)),
    ("l.exp_()\nl", p(2)),
    ("torch.exp_(l)\nl", p(2)),
    ("p.log2_()\np", NOTHING_SAID),
    ("p.log10_()\np", NOTHING_SAID),
    ("p.log1p_()\np", NOTHING_SAID),
    ("l.exp2_()\nl", NOTHING_SAID),
    ("l.expm1_()\nl", NOTHING_SAID),
    ("x.sigmoid_()\nx", P_EACH),
    ("torch.sigmoid_(x)\nx", P_EACH),
    ("p.logit_()\np", NOTHING_SAID),
    ("p.clamp_(1e-8, 1)\np", p(2)),
    ("p.clamp_(min=0.3)\np", P_SOME),
    ("p.clamp_min_(1e-8)\np", p(2)),
    ("p.clip_(1e-8)\np", p(2)),
    ("p.div_(2)\np", P_SOME),
    ("p.div_(p.sum(2, keepdim=True))\np", p(2)),
    ("p.true_divide_(2)\np", P_SOME),
    ("p.mul_(0.5)\np", P_SOME),
    ("p.multiply_(2)\np", P_SOME),
    ("p.mul_(0.5).add_(0.5 * q)\np", p(2)),
    ("p.add_(q)\np", P_SOME),
    ("p.sub_(1)\np", NOTHING_SAID),
    ("l.sub_(1)\nl", L_SOME),
    ("p.pow_(2)\np", P_SOME),
    ("p.sqrt_()\np", P_SOME),
    ("p.square_()\np", NOTHING_SAID),
    ("p.reciprocal_()\np", NOTHING_SAID),
    ("p.neg_()\np", NOTHING_SAID),
    ("p.masked_fill_(m, 0)\np", P_SOME),
    ("p.masked_fill_(m, -1e9)\np", NOTHING_SAID),
    ("l.masked_fill_(m, -1e9)\nl", L_SOME),
    ("p.scatter_(2, i.unsqueeze(2), 0.0)\np", P_SOME),
    ("p.scatter_(2, i.unsqueeze(2), -5.0)\np", NOTHING_SAID),
    ("p.scatter_add_(2, i.unsqueeze(2), q)\np", P_SOME),
    ("p.index_fill_(2, torch.tensor([0]), 0.0)\np", P_SOME),
    ("p.fill_(0.25)\np", P_SOME),
    ("p.fill_(3.0)\np", NOTHING_SAID),
    ("p.zero_()\np", NOTHING_SAID),
    ("p.copy_(l)\np", l(2)),
    ("x.copy_(p)\nx", p(2)),
    ("p.addcmul_(q, y)\np", NOTHING_SAID),
    ("p.addcdiv_(q, q, value=-1)\np", NOTHING_SAID),
    ("p.lerp_(q, 0.5)\np", p(2)),
    ("p.renorm_(2, 0, 0.5)\np", NOTHING_SAID),
    ("p.xlogy_(q)\np", NOTHING_SAID),
    ("p.nan_to_num_()\np", p(2)),
    ("p.detach_()\np", p(2)),
    ("p.squeeze_()\np", p(None)),
    ("p.unsqueeze_(0)\np", p(3)),
    ("p.transpose_(0, 2)\np", p(0)),
    ("p = p[0].clone()\np.t_()\np", p(0)),
    ("p.tanh_()\np", NOTHING_SAID),
    ("p.uniform_()\np", NOTHING_SAID),
    ("p.normal_()\np", NOTHING_SAID),
    ("p.floor_()\np", NOTHING_SAID),
    ("p[..., 0].zero_()\np", P_SOME),
    ("p[0] = q[0]\np", P_SOME),
    ("p[m] = 0\np", P_SOME),
    ("l[m] = -50\nl", L_SOME),
    ("l[:, :, 0] -= 20\nl", L_SOME),
    ("p += q\np", P_SOME),
    ("p /= 2\np", P_SOME),
    ("p *= 0.5\np += 0.5 * q\np", p(2)),
    ("p -= 1\np", NOTHING_SAID),
    ("p **= 2\np", P_SOME),
    ("with torch.no_grad():\n    p.log_()\np", l(2)),
    # written where another name is told to
    ("torch.log(p, out=q)\nq", l(2)),
    ("torch.softmax(x, 2, out=l)\nl", p(2)),
    ("torch.exp(l, out=x)\nx", p(2)),
    ("torch.add(p, q, out=l)\nl", P_SOME),
    ("torch.mul(p, 2, out=p)\np", P_SOME),
    ("torch.addcmul(p, q, y, out=p)\np", NOTHING_SAID),
    ("nn.init.normal_(p)\np", NOTHING_SAID),
    ("F.relu(l, inplace=True)\nl", NOTHING_SAID),
    ("F.dropout(p, 0.5, True, True)\np", NOTHING_SAID),
    ("F.dropout(p, 0.5, True, inplace=False)\np", p(2)),
    ("nn.ReLU(inplace=True)(l)\nl", NOTHING_SAID),
    ("nn.ReLU(inplace=False)(p)\np", p(2)),
    # a part is written
    ("p[0].log_()\np", NOTHING_SAID),
    ("p[0].log_()\np[1]", NOTHING_SAID),
    ("p[:, :, 0] = -1.0\np", NOTHING_SAID),
    ("p[0] = l[0]\np", NOTHING_SAID),
    ("l[0] = p[0]\nl", NOTHING_SAID),
    ("l[0] = 1.0\nl", NOTHING_SAID),
)
"""What a name holds after an operation in place."""

ALIASES: Table = (
    ("c = p\nc.log_()\np", l(2)),
    ("c = p\np.log_()\nc", l(2)),
    ("c = l\nc.exp_()\nl", p(2)),
    ("c = p\nc.mul_(0.5)\np", P_SOME),
    ("c = p\nc += q\np", P_SOME),
    ("c = p\nc *= 0.5\np", P_SOME),
    ("p.view(-1).log_()\np", l(2)),
    ("p.detach().log_()\np", l(2)),
    ("p.data.log_()\np", l(2)),
    ("p.data.mul_(2)\np", P_SOME),
    ("p.data = l\np", l(2)),
    ("c = p.clone()\nc.log_()\np", p(2)),
    ("c = p.clone()\np.log_()\nc", p(2)),
    ("c = p + 0\nc.log_()\np", p(2)),
    ("c = p * 1\np.log_()\nc", p(2)),
    # a view with a name of its own: what it is of is known no more
    ("c = p.view(-1)\nc.log_()\np", NOTHING_SAID),
    ("c = p.detach()\nc.log_()\np", NOTHING_SAID),
    ("c = p[0]\nc.log_()\np", NOTHING_SAID),
    ("c = p[0]\np.log_()\nc", NOTHING_SAID),
    ("c = p.view(-1)\nd = c[0]\nd.log_()\np", NOTHING_SAID),
    ("c = p.view(-1)\nc[0] = 5\np", NOTHING_SAID),
    ("c = l.detach()\nc /= 2\nl", NOTHING_SAID),
    ("c = p[:, 0]\nc *= 2\nc *= 2\np", NOTHING_SAID),
    ("c = p.detach().clone()\nc.log_()\np", p(2)),
    ("c = p.view(-1)\np = F.softmax(y, 2)\nc.log_()\np", p(2)),
    ("c = d = p\nd.log_()\nc", l(2)),
    # what holds it is no copy
    ("c = p.contiguous()\nc.log_()\np", l(2)),
    ("c = [p]\nc[0].log_()\np", l(2)),
    ("c = (p, q)\nc[0].log_()\np", l(2)),
)
"""What another name of the same memory holds then; and a name of a copy."""

BY_NAME = (*IN_PLACE, *ALIASES)


IN_A_FUNCTION = replace(FRONT, function=True)


@pytest.mark.parametrize(("case", "expected"), BY_NAME, ids=[case for case, _ in BY_NAME])
@pytest.mark.parametrize("ground", [RANKED, FRONT, IN_A_FUNCTION], ids=str)
def test_what_a_name_holds_after_an_operation_in_place(case: str, expected: Said, ground: Ground) -> None:
    hold(case, ground, expected)


def test_a_name_that_stands_for_several_objects() -> None:
    assert wrong_claims("for one in [p, q]:\n    one.log_()\np", RANKED) == []


# --- what is noted on the way ----------------------------------------------------------------------------------------

SOFTMAX_TWICE = (
    ("F.softmax({}, 2)", "p", True),
    ("F.softmax({}, -1)", "F.softmax(x, -1)", True),
    ("F.log_softmax({}, 2)", "p", True),
    ("torch.softmax({} / 2.0, 2)", "p", True),
    ("nn.LogSoftmax(2)({})", "p", True),
    ("F.softmax({}, 2)", "l", False),
    ("F.log_softmax({}, 2)", "l", False),
    ("F.softmax({}, 2)", "p.log()", False),
    ("F.softmax({}, 2)", "(p + 1e-8).log()", False),
    ("F.softmax({}, 2)", "x", False),
)


@pytest.mark.parametrize(("normalised", "operand", "noted"), SOFTMAX_TWICE)
def test_normalising_twice_is_noted_where_it_changes_the_distribution(
    normalised: str, operand: str, noted: bool
) -> None:
    case = normalised.format(operand)
    kinds = [remark.kind for remark in claim(case, RANKED).remarks]
    assert (RemarkKind.NORMALIZED_TWICE in kinds) is noted
    changed = not torch.allclose(run(case, RANKED), run(normalised.format("x"), RANKED), atol=1e-6)
    assert changed is noted


@pytest.mark.parametrize("case", ["torch.log(l)", "l.log()", "torch.log(l + 1e-8)", "F.log_softmax(x, 2).log()"])
def test_the_log_of_log_probabilities_is_noted_and_no_number(case: str) -> None:
    assert RemarkKind.LOG_OF_LOG in [remark.kind for remark in claim(case, RANKED).remarks]
    with pytest.raises(Refused, match="not a number"):
        run(case, RANKED)


@pytest.mark.parametrize("logarithm", ["log2", "log10", "log1p"])
def test_the_wrong_logarithm_is_noted_and_gives_no_log_probabilities(logarithm: str) -> None:
    case = f"torch.{logarithm}(p)"
    assert RemarkKind.WRONG_LOG in [remark.kind for remark in claim(case, RANKED).remarks]
    assert not torch.allclose(run(case, RANKED).exp().sum(2), torch.ones(2, 3, dtype=torch.float64), atol=1e-2)


@pytest.mark.parametrize(
    ("case", "epsilon"),
    [
        ("torch.log(F.softmax(x, 2))", False),
        ("(F.softmax(x, 2) + 1e-8).log()", True),
        ("F.softmax(x, 2).clamp(min=1e-2).log()", True),
        ("(F.softmax(x, 2) + 1e-3).log()", True),
    ],
)
def test_log_of_softmax_is_noted_with_its_epsilon(case: str, epsilon: bool) -> None:
    (remark,) = [remark for remark in claim(case, FRONT).remarks if remark.kind is RemarkKind.LOG_OF_SOFTMAX]
    assert remark.epsilon is epsilon
    exact = torch.equal(run(case, FRONT), run("F.softmax(x, 2).log()", FRONT))
    assert exact is not epsilon


@pytest.mark.parametrize("case", ["((p + q) / 2).log()", "torch.log(p.mean(0))", "(p * m).log()", "p[..., :2].log()"])
def test_the_log_of_what_no_single_softmax_made_is_not_noted(case: str) -> None:
    assert RemarkKind.LOG_OF_SOFTMAX not in [remark.kind for fact in claims(case, RANKED) for remark in fact.remarks]


# --- which tensors are one and the same ------------------------------------------------------------------------------

TWO_OF_A_KIND = (
    ("F.layer_norm(x, (4,), w)", "F.layer_norm(x, (4,), v)"),
    ("F.linear(x, torch.diag(w))", "F.linear(x, torch.diag(v))"),
    ("F.leaky_relu(x, 0.1)", "F.leaky_relu(x, 0.5)"),
    ("F.hardtanh(x, -1.0, 1.0)", "F.hardtanh(x, -0.5, 0.5)"),
    ("x.clamp(-1.0, 1.0)", "x.clamp(-0.5, 0.5)"),
    ("x.fmod(w)", "x.fmod(v)"),
    ("x.roll(1, 2)", "x.roll(2, 2)"),
    ("x[:, :2]", "x[:, 1:]"),
    ("x * w", "x * v"),
    ("x / 2.0", "x / 3.0"),
    ("torch.randn(2, 3, 4)", "torch.randn(2, 3, 4)"),
    ("F.dropout(x, 0.5)", "F.dropout(x, 0.5)"),
)


@pytest.mark.parametrize(("one", "other"), TWO_OF_A_KIND, ids=[one for one, _ in TWO_OF_A_KIND])
def test_other_arguments_make_another_tensor(one: str, other: str) -> None:
    case = f"w, v = x[0, 0], y[0, 0]\norigin = F.softmax({other}, 2)\nF.softmax({one}, 2)"
    ((fact, of_other),) = claims_of_both(case, FRONT)
    assert fact.source is not None
    assert of_other.source is not None
    assert fact.source != of_other.source or fact.temperature != of_other.temperature
    result, origin = executed(case, FRONT)
    assert result.shape != origin.shape or not torch.allclose(result, origin, atol=1e-3)


@pytest.mark.parametrize("one", ["x", "x * 2", "x[:, :2]", "x.transpose(1, 2)", "F.layer_norm(x, (4,), y[0, 0])"])
def test_one_expression_makes_one_tensor(one: str) -> None:
    case = f"origin = F.softmax({one}, 2)\nF.softmax({one}, 2)"
    ((fact, of_other),) = claims_of_both(case, FRONT)
    assert fact.source is not None
    assert fact.source == of_other.source
    assert torch.equal(*executed(case, FRONT))


# --- what is taken for granted ---------------------------------------------------------------------------------------

VECTOR = Ground(-1, shape=(4,))
MATRIX = Ground(-1, shape=(3, 4))
PRESUMPTIONS = (
    ("x / x.sum(2, keepdim=True)", FRONT, "what is divided by its own sum has no entries below zero"),
    ("p * y", FRONT, "so has what probabilities are multiplied by"),
    ("p.masked_scatter(m, y)", FRONT, "what is written into probabilities is none less than zero"),
    ("p[m]", BACK, "a mask in front of a distribution along the last dim leaves that dim alone"),
    ("p[0]", VECTOR, "a distribution along the last dim is no vector, where the first is indexed"),
    ("p[0][0]", MATRIX, "and so on for each index"),
    ("p.squeeze(0)", FRONT, "a dim that is squeezed by its number has size one"),
    ("p.diagonal()", BACK, "the diagonal without dims is that of a matrix"),
    ("torch.cat([torch.sigmoid(x), 1 - torch.sigmoid(x)], 2)", FRONT, "a pair is concatenated along a dim of size one"),
    ("eps = x.exp().sum()\np + eps", FRONT, "what is called an epsilon is small"),
    ("l.masked_fill(m[None], 0.0)", RANKED, "a mask has no more dims than what it is laid over"),
    ("l + given()[0][None]", RANKED, "nor has a tensor of which nothing is known, than one that it is combined with"),
    ("0.5 * p.unsqueeze(1) + 0.5 * q", Ground(0), "what is mixed has one rank"),
)
"""Where the analysis claims more than the program proves, and why. Each is one that torch can contradict."""


def test_what_is_presumed_can_be_wrong() -> None:
    for case, ground, reason in PRESUMPTIONS:
        facts = [fact for fact, _ in claims_of_both(case, ground)]
        results = [executed(case, ground, signed=signed)[0] for signed in (True, False)]
        unlikely = [replace(fact, trace=()) for fact in facts]
        assert any(list(contradictions(fact, result)) for fact in unlikely for result in results), f"{case}: {reason}"


# --- operations composed at random -----------------------------------------------------------------------------------

NOT_COMPOSED = re.compile(r"\bm\b|half|bfloat16|logit|neg|\.t\(\)|sub\(|ge_|empty")
"""Left out of the sweep: a mask of one shape (see `PRESUMPTIONS`), types with few digits, what undoes another
step, and memory that nobody wrote to."""
MORE_STEPS = """
p[0]; p[-1]; p[..., 0]; p[..., None]; p[:, None]; p[None]; p[:, :2]; p[1:]; p[..., 1:]; p[:, 0]; p[[0, 0]]
p[0, ..., None]; p[..., None, :]; p[..., 0, None]; p * 0.5; p / 2; p / 1.5; p ** 2; 1 - p; p + 1e-8; p + 1; p - 1
p + q; 0.5 * p + 0.5 * q; (p + q) / 2; 0.3 * p + (1 - 0.3) * q; p.add(q, alpha=0.5); torch.where(p > 0.1, p, 0.0)
p.log(); p.exp(); p.log().exp(); p.sigmoid(); F.logsigmoid(p); p.softmax(-1); p.log_softmax(1); F.softmax(p, 0)
p / p.sum(-1, keepdim=True); p / p.sum(0); p - p.logsumexp(-1, keepdim=True); p - p.logsumexp(1).unsqueeze(1)
p.mean(0); p.mean(1, keepdim=True); p.sum(-1); p.max(1)[0]; p.detach(); p.clamp(min=1e-3); p.unsqueeze(-1)
p.unsqueeze(1); p.unsqueeze(1).squeeze(1); p.flatten(1); p.flatten(0, 1); p.reshape(-1); p.view(-1, p.size(-1))
p.transpose(0, 1); p.transpose(-1, -2); p.mT; p.movedim(0, 1); p.permute(1, 0, 2); p.expand(2, 2, 3, 4)
torch.stack([p, q]); torch.stack([p, p], 1); torch.stack([p, 1 - p], -1); torch.cat([p, q], 1); torch.cat([p, p], -1)
p.chunk(2, 1)[0]; p.roll(1); p.sort(1)[0]; p.diagonal(0, -2, -1)
"""
STEPS = (
    *(case for _, case in EXAMPLES if re.search(r"\b[xpl]\b", case) and not NOT_COMPOSED.search(case)),
    *(step.strip() for line in MORE_STEPS.strip().splitlines() for step in line.split(";")),
)


@pytest.mark.parametrize("case", ["x.sum().mean(0)", "x.mean().amax(-1)", "x.sum().argmax(0)", "x.sum().sum((0,))"])
def test_a_number_is_reduced(case: str) -> None:
    assert wrong_claims(case, RANKED) == []


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    start=st.sampled_from(["x", "p", "l"]),
    other=st.sampled_from(["q", "k"]),
    ground=st.sampled_from(GROUNDS),
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=4),
)
def test_no_chain_of_operations_ends_in_a_wrong_claim(start: str, other: str, ground: Ground, steps: list[str]) -> None:
    lines = [f"chain = {start}"]
    for step in steps:
        line = f"chain = {with_operands(step, 'chain', other)}"
        try:
            executed("\n".join((*lines, line, "chain")), ground)
        except Refused:
            continue
        lines.append(line)
    case = "\n".join((*lines, "chain"))
    try:
        wrong = wrong_claims(case, ground)
    except Refused:
        return
    assert wrong == [], case


# --- the judge itself ------------------------------------------------------------------------------------------------

WRONG = (
    (Distribution(Space.PROBS), "x", "elements below zero"),
    (Distribution(Space.PROBS, Mass.WHOLE, dim=1), "p", "sums to one along (2,)"),
    (Distribution(Space.PROBS, Mass.WHOLE), "p / 2", "sums to one along no dim"),
    (
        Distribution(Space.PROBS, Mass.WHOLE, dim=2),
        "torch.cat([x, 1 - x.sum(2, keepdim=True)], 2)",
        "elements below zero",
    ),
    (Distribution(Space.PROBS, Mass.WHOLE, dim=2), "2 * p", "elements above one"),
    (Distribution(Space.PROBS, Mass.CUT), "p", "sums to one along (2,)"),
    (Distribution(Space.PROBS, Mass.BERNOULLI), "p", "sums to one along (2,)"),
    (Distribution(Space.PROBS, Mass.BERNOULLI), "p + 1", "elements above one"),
    (Distribution(Space.LOG_PROBS), "p", "these are probabilities"),
    (Distribution(Space.LOG_PROBS, Mass.WHOLE, dim=-1), "l - 1", "sums to one along no dim"),
    (Distribution(Space.LOG_PROBS, Mass.WHOLE, dim=-2), "l", "sums to one along (2,)"),
    (Distribution(Space.LOG_PROBS, Mass.BERNOULLI), "l", "sums to one along (2,)"),
    (Distribution(Space.LOG_PROBS, Mass.BERNOULLI), "-l", "elements above one"),
    (Distribution(Space.LOGITS), "p", "these are probabilities"),
    (Distribution(Space.LOGITS), "l", "these are log-probabilities"),
    (Distribution(Space.INDICES), "p", "not whole numbers"),
    (Distribution(Space.UNKNOWN, rank=2), "x", "rank 2: it has 3"),
)


@pytest.mark.parametrize(
    ("fact", "case", "problem"),
    WRONG,
    ids=[f"{fact.space.value}, {fact.mass.value}: {case}" for fact, case, _ in WRONG],
)
def test_the_judge_sees_a_wrong_claim(fact: Distribution, case: str, problem: str) -> None:
    whole = run("p", FRONT).numel() + 1
    assert problem in " ".join(contradictions(fact, run(case, FRONT), elements=whole))


@pytest.mark.parametrize("case", ["p.transpose(0, 1)", "F.softmax(x * 3, 2)", "F.softmax(y, 2)", "q.log()"])
def test_the_judge_sees_a_wrong_source(case: str) -> None:
    origin, result = claim("p", FRONT), run(case, FRONT)
    space = LOG_PROBS if "log" in case else PROBS
    assert list(wrong_source(replace(origin, space=space), origin, result, run("p", FRONT)))
    assert not list(wrong_source(origin, origin, run("p", FRONT), run("p", FRONT)))


def test_the_judge_sees_a_wrong_gradient() -> None:
    assert claim("p.detach()", FRONT).carries_gradient is False
    assert not executed("p.detach()", FRONT, gradient=True)[0].requires_grad
    assert executed("p", FRONT, gradient=True)[0].requires_grad
