"""torch as the witness: what a program really gives to kl_div.

A program runs under a `TorchFunctionMode`, which sees every KL divergence with its tensors, however it is spelled, and
the softmaxes and logarithms that led there. What is seen is what is true: `contradiction` holds a finding against it,
`covers` what the analysis claims of a call, and `misuses` tells what there was to find.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from kl_lint.finding import Finding
from kl_lint.flow.kl_call import Distribution, KLCall, Kind, Reduction, RemarkKind, Site
from kl_lint.flow.values import Mass, Space

FILENAME = "<generated>"
FOLDER = "generated-program-"
"""How the name of a folder begins that holds a program of several files."""
UNDERFLOW = -16.0
"""Of log-probabilities below this, the grammar's epsilons leave nothing."""
ROUNDING = 1e-6
"""How far a sum may lie from one: rounding, and the epsilons of the grammar."""


# --- running -------------------------------------------------------------------------------------------------------


Where = tuple[str, int]
"""A file and a row."""
Place = tuple[str, tuple[int | None, int | None, int | None, int | None]]
"""A file, and a range of its text: the first and last row, the first and last column, from 0, in bytes."""


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a call or a construction was told by the legacy arguments."""

    size_average: object = None
    reduce: object = None

    @property
    def given(self) -> bool:
        return self.size_average is not None or self.reduce is not None


@dataclass(frozen=True, slots=True)
class Divergence:
    """One KL divergence that torch was asked for. `built` is where its module was constructed."""

    where: Where
    input: Tensor
    target: Tensor
    reduction: object
    log_target: object
    legacy: Legacy
    built: Where | None = None
    through: frozenset[Place] = frozenset()
    """The calls of the program by which it was reached."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A softmax, a logarithm or a mean: its name, what it was given, along which dim."""

    name: str
    operand: Tensor
    dim: int | None = None
    elementwise: bool = False
    """Whether the operand is an unreduced divergence."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen. `value` is None where the program raised `error`."""

    divergences: tuple[Divergence, ...]
    operations: tuple[Operation, ...]
    value: Tensor | None
    gradients: tuple[Tensor, ...]
    error: Exception | None
    seen: tuple[Tensor, ...] = ()
    """What the program showed of its tensors (readers)."""


class _Witness(TorchFunctionMode):
    """Writes down the calls that matter."""

    NAMES = frozenset({"softmax", "log_softmax", "logsumexp", "log", "log_", "log2", "log10", "log1p", "mean"})

    def __init__(self, built: dict[int, tuple[Where, Legacy]], spread: bool) -> None:
        super().__init__()
        self.spread = spread
        self.divergences: list[Divergence] = []
        self.operations: list[Operation] = []
        self.built = built
        self._elementwise: dict[int, Tensor] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        operand = args[0] if args else kwargs.get("input")
        if func is functional.kl_div:
            self._see(args, kwargs)
        elif name in self.NAMES and isinstance(operand, Tensor):
            dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
            seen = operand.detach().clone()
            known = dim if isinstance(dim, int) else None
            self.operations.append(Operation(name, seen, known, id(operand) in self._elementwise))
        result = func(*args, **kwargs)
        if self.spread and name == "one_hot":
            result = (result + torch.arange(1, result.shape[-1] + 1)).double().softmax(-1)
        follows = id(operand) in self._elementwise
        if isinstance(result, Tensor) and result.dim() and (func is functional.kl_div or follows):
            self._elementwise[id(result)] = result
        return result

    def _see(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given, target = args[:2]
        where, module = _where()
        built, legacy = self.built.get(id(module), (None, None))
        told = legacy or Legacy(kwargs["size_average"], kwargs["reduce"])
        one, other = (tensor.detach().clone().requires_grad_(tensor.requires_grad) for tensor in (given, target))
        self.divergences.append(
            Divergence(where, one, other, kwargs["reduction"], kwargs["log_target"], told, built, frozenset(_calls()))
        )


def _where() -> tuple[Where, nn.KLDivLoss | None]:
    """Where the program is running, and the KLDivLoss that it has called."""
    frame = sys._getframe(1)
    module = None
    while not _is_of_a_program(file := frame.f_code.co_filename):
        candidate = frame.f_locals.get("self")
        if isinstance(candidate, nn.KLDivLoss):
            module = candidate
        assert frame.f_back is not None
        frame = frame.f_back
    return (file, frame.f_lineno), module


def _calls() -> Iterator[Place]:
    """The calls of the program that are being made; none before Python 3.11, which cannot tell."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        positions = getattr(frame.f_code, "co_positions", None)
        if positions is not None and _is_of_a_program(frame.f_code.co_filename):
            row, end_row, column, end_column = next(islice(positions(), frame.f_lasti // 2, None))
            yield frame.f_code.co_filename, (row, end_row, column, end_column)
        frame = frame.f_back


def _is_of_a_program(file: str) -> bool:
    return file == FILENAME or FOLDER in file


@contextmanager
def _constructions() -> Iterator[dict[int, tuple[Where, Legacy]]]:
    """Where each KLDivLoss is built and what it is told, by its id."""
    built: dict[int, tuple[Where, Legacy]] = {}
    kept: list[nn.KLDivLoss] = []
    original = nn.KLDivLoss.__init__

    def build(self: nn.KLDivLoss, size_average: Any = None, reduce: Any = None, *args: Any, **kwargs: Any) -> None:
        original(self, size_average, reduce, *args, **kwargs)
        kept.append(self)
        built[id(self)] = (_where()[0], Legacy(size_average, reduce))

    nn.KLDivLoss.__init__ = build  # type: ignore[method-assign]
    try:
        yield built
    finally:
        nn.KLDivLoss.__init__ = original  # type: ignore[method-assign]


def inputs(sizes: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and w: seeded, float64; x and y want a gradient."""
    generator = torch.Generator().manual_seed(11)
    x, y = (torch.randn(sizes, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    return x, y, torch.randn(sizes[-1], sizes[-1], generator=generator, dtype=torch.float64)


def run(source: str, sizes: tuple[int, ...], flag: bool, spread: bool = False) -> Run:
    """Run a program's `loss`; `spread` is explained by `watch`."""

    def load() -> Callable[..., Any]:
        namespace: dict[str, Any] = {"__name__": "generated"}
        exec(compile(source, FILENAME, "exec"), namespace)
        loss: Callable[..., Any] = namespace["loss"]
        return loss

    return watch(load, sizes, flag, spread)


def watch(load: Callable[[], Callable[..., Any]], sizes: tuple[int, ...], flag: bool, spread: bool = False) -> Run:
    """Load a program, and run its `loss`. What that raises is part of the answer.

    The columns that are cut from one-hot rows may hold all their mass by chance. With `spread`, `one_hot` gives
    distributions that have some everywhere: what is cut from these is never whole, what is not cut still is.
    """
    x, y, w = inputs(sizes)
    with _constructions() as built, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = load()
        witness = _Witness(built, spread)
        seen: list[Tensor] = []

        def see(value: Any) -> float:
            seen.append(torch.as_tensor(value).detach().clone())
            return 0.0

        try:
            with witness:
                value = loss(x, y, w, flag, lambda same: same, see)
        except (ValueError, RuntimeError) as error:
            return Run(tuple(witness.divergences), tuple(witness.operations), None, (), error, tuple(seen))
        assert isinstance(value, Tensor)
        gradients: tuple[Tensor, ...] = (torch.zeros_like(x), torch.zeros_like(y))
        if value.requires_grad and value.dim() == 0:
            gradients = torch.autograd.grad(value, (x, y), allow_unused=True, materialize_grads=True)
    return Run(tuple(witness.divergences), tuple(witness.operations), value.detach(), gradients, None, tuple(seen))


# --- what tensors are ----------------------------------------------------------------------------------------------


def sums(tensor: Tensor) -> frozenset[int]:
    """The dims along which a tensor is a distribution."""
    if not bool((tensor >= -ROUNDING).all()):
        return frozenset()
    one = torch.ones((), dtype=tensor.dtype)
    return frozenset(dim for dim in range(tensor.dim()) if torch.allclose(tensor.sum(dim), one, atol=ROUNDING))


def log_sums(tensor: Tensor) -> frozenset[int]:
    """The dims along which a tensor's exponential is a distribution."""
    return sums(tensor.exp()) if not bool(tensor.isnan().any()) else frozenset()


def is_whole(tensor: Tensor) -> bool:
    """Whether it is a distribution, in either form."""
    return bool(sums(tensor) or log_sums(tensor))


def within(tensor: Tensor, low: float, high: float) -> bool:
    """Whether all elements that are numbers lie between two bounds."""
    numbers = tensor[~tensor.isnan()]
    return bool(((numbers >= low - ROUNDING) & (numbers <= high + ROUNDING)).all())


def distribution_dims(tensor: Tensor) -> frozenset[int]:
    """The dims along which it is one, counted from the end."""
    return frozenset(dim - tensor.dim() for dim in sums(tensor) | log_sums(tensor))


# --- findings against what was seen ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A divergence, and what else was seen in the run."""

    divergence: Divergence
    run: Run

    def operations(self, *names: str) -> Iterator[Operation]:
        return (operation for operation in self.run.operations if operation.name in names)


def witnesses(runs: tuple[Run, ...], site: Site, file: str = FILENAME) -> list[Witnessed]:
    """The divergences that were computed at a site of a file, or by what was built there."""
    construction = site.kind is Kind.CONSTRUCTION
    rows = {(file, row) for row in range(site.span.row, site.span.end_row + 1)}
    return [
        Witnessed(divergence, run)
        for run in runs
        for divergence in run.divergences
        if (divergence.built if construction else divergence.where) in rows
    ]


def subject(finding: Finding, site: Site) -> str:
    """The argument that a finding is about, or nothing."""
    for context in site.contexts:
        for call in context.variants:
            for name, argument in (("input", call.input), ("target", call.target)):
                if argument is not None and argument.span == finding.span and call.span != finding.span:
                    return name
    return ""


def contradiction(code: str, about: str, seen: Witnessed) -> str | None:
    """Why a finding cannot be true of what was seen; None where it may be."""
    divergence = seen.divergence
    named = {"input": (divergence.input,), "target": (divergence.target,)}
    tensors = named.get(about, (divergence.input, divergence.target))
    return _JUDGES[code](seen, tensors) if code in _JUDGES else f"nobody can judge {code}"


_Judge = Callable[[Witnessed, tuple[Tensor, ...]], str | None]


def _probabilities_as_input(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    given = seen.divergence.input
    if log_sums(given):
        return "the input is log-probabilities"
    return None if within(given, 0, 1) else "the input has elements that are no probabilities"


def _logits_as_input(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    return "the input is a distribution" if is_whole(seen.divergence.input) else None


def _log_of_log(_: Witnessed, tensors: tuple[Tensor, ...]) -> str | None:
    return None if any(tensor.isnan().any() for tensor in tensors) else "nothing is nan"


def _normalised_twice(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    given = (operation.operand for operation in seen.operations("softmax", "log_softmax", "logsumexp"))
    return None if any(within(operand, 0, 1) for operand in given) else "no softmax was given probabilities"


def _twice_along_one_dim(seen: Witnessed) -> bool:
    for operation in seen.operations("softmax", "log_softmax", "logsumexp"):
        rank = operation.operand.dim()
        dim = operation.dim if isinstance(operation.dim, int) else 0 if rank in (0, 1, 3) else 1
        if dim % rank in sums(operation.operand):
            return True
    return False


def _log_of_softmax(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    logs = any(sums(operation.operand) for operation in seen.operations("log", "log_"))
    return None if logs else "no log was given probabilities"


def _wrong_logarithm(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    wrong = any(within(operation.operand, 0, 1) for operation in seen.operations("log2", "log10", "log1p"))
    return None if wrong else "no such logarithm was taken of probabilities"


def _bernoulli(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    return "the input is a distribution" if is_whole(seen.divergence.input) else None


def _reduced_by(*names: str) -> _Judge:
    def check(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
        divergence = seen.divergence
        if divergence.legacy.given:
            return "legacy arguments decide"
        return None if divergence.reduction in names else f"the reduction is {divergence.reduction}"

    return check


def _string_as_legacy(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    legacy = seen.divergence.legacy
    return (
        None
        if isinstance(legacy.size_average, str) or isinstance(legacy.reduce, str)
        else "no legacy argument is a string"
    )


def _legacy_arguments(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    return None if seen.divergence.legacy.given else "no legacy argument was given"


def _mean_over_classes(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    divergence = seen.divergence
    shape = (divergence.input + divergence.target).shape
    dims = distribution_dims(divergence.input) | distribution_dims(divergence.target)
    classes = {shape[dim] for dim in dims}
    for mean in seen.operations("mean"):
        averaged = range(mean.operand.dim()) if mean.dim is None else [mean.dim]
        if mean.elementwise and (not classes or any(mean.operand.shape[dim] in classes for dim in averaged)):
            return None
    return "no mean was taken over the classes"


def _invalid_reduction(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    return None if isinstance(seen.run.error, ValueError) else "torch took the reduction"


def _batchmean_of(ranks: range) -> _Judge:
    def check(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
        divergence = seen.divergence
        if divergence.reduction != "batchmean" or (divergence.legacy.given and divergence.built is not None):
            return f"the reduction is {divergence.reduction}"
        return None if divergence.input.dim() in ranks else f"the input is {divergence.input.dim()}-D"

    return check


def _log_target_not_declared(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    if seen.divergence.log_target:
        return "log_target was True"
    return None if within(seen.divergence.target, float("-inf"), 0) else "the target has elements above zero"


def _log_target_on_probabilities(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    if not seen.divergence.log_target:
        return "log_target was False"
    if log_sums(seen.divergence.target):
        return "the target is log-probabilities"
    return None if within(seen.divergence.target, 0, 1) else "the target has elements that are no probabilities"


def _logits_as_target(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    return "the target is a distribution" if is_whole(seen.divergence.target) else None


def _indices(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    target = seen.divergence.target
    return None if bool((target == target.round()).all()) else "the target has elements that are no integers"


def _differentiable_target(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    """That no gradient flows is no contradiction: the rule says that one may."""
    if seen.divergence.log_target:
        return "log_target was True"
    return None if sums(seen.divergence.target) else "the target is not probabilities"


def _swapped(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    divergence = seen.divergence
    if divergence.log_target or not within(divergence.input, 0, 1) or not within(divergence.target, float("-inf"), 0):
        return "the arguments are not each in the other's space"
    return None


def _same(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    divergence = seen.divergence
    target = divergence.target.exp() if divergence.log_target else divergence.target
    given = divergence.input.exp()
    equal = given.shape == target.shape and torch.allclose(given, target, atol=ROUNDING)
    return None if equal else "input and target differ"


def _different_dims(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    divergence = seen.divergence
    common = distribution_dims(divergence.input) & distribution_dims(divergence.target)
    return f"both are distributions along dim {min(common)}" if common else None


def _implicit_dim(seen: Witnessed, _: tuple[Tensor, ...]) -> str | None:
    implicit = any(operation.dim is None for operation in seen.operations("softmax", "log_softmax"))
    return None if implicit else "every softmax was given a dim"


def _partial(_: Witnessed, tensors: tuple[Tensor, ...]) -> str | None:
    return "the argument is a whole distribution" if all(is_whole(tensor) for tensor in tensors) else None


def _infinite(seen: Witnessed, tensors: tuple[Tensor, ...]) -> str | None:
    operands = [operation.operand for operation in seen.operations("softmax", "log_softmax")]
    masked = {operand.numel() for operand in operands if operand.isneginf().any()}
    whole = any(tensor.numel() in masked for tensor in tensors)  # of a part, the masked elements may be elsewhere
    return "no element is -inf" if whole and not any(tensor.isneginf().any() for tensor in tensors) else None


_JUDGES: dict[str, _Judge] = {
    "KLD101": _probabilities_as_input,
    "KLD102": _logits_as_input,
    "KLD103": _log_of_log,
    "KLD104": _normalised_twice,
    "KLD105": _log_of_softmax,
    "KLD106": _wrong_logarithm,
    "KLD107": _bernoulli,
    "KLD201": _reduced_by("mean"),
    "KLD202": _reduced_by("mean", "elementwise_mean"),
    "KLD203": _string_as_legacy,
    "KLD204": _legacy_arguments,
    "KLD205": _mean_over_classes,
    "KLD206": _invalid_reduction,
    "KLD207": _batchmean_of(range(1, 2)),
    "KLD208": _batchmean_of(range(3, 9)),
    "KLD301": _log_target_not_declared,
    "KLD302": _log_target_on_probabilities,
    "KLD303": _logits_as_target,
    "KLD304": _indices,
    "KLD305": _differentiable_target,
    "KLD401": _swapped,
    "KLD402": _same,
    "KLD501": _different_dims,
    "KLD502": _implicit_dim,
    "KLD503": _partial,
    "KLD505": _infinite,
}
"""Every code that tensors can speak of. KLD504 is about temperatures, of which they tell nothing."""


# --- claims against what was seen ------------------------------------------------------------------------------------


def covers(site: Site, divergence: Divergence) -> bool:
    """Whether some path that the analysis found is the one that ran."""
    return any(_agrees(call, divergence) for context in site.contexts for call in context.variants)


def _agrees(call: KLCall, divergence: Divergence) -> bool:
    if call.log_target not in (None, divergence.log_target) or not _reduces(call, divergence):
        return False
    pairs = ((call.input, divergence.input), (call.target, divergence.target))
    return all(argument is None or describes(argument.value, tensor) for argument, tensor in pairs)


def _reduces(call: KLCall, divergence: Divergence) -> bool:
    """Whether the reduction that was found is the one that was seen."""
    legacy, told = divergence.legacy, divergence.reduction
    module = divergence.built is not None
    if legacy.given and not module:
        name = "none" if not (legacy.reduce is None or legacy.reduce) else "mean"
        name = "sum" if name == "mean" and not (legacy.size_average is None or legacy.size_average) else name
        twice = {"none": Reduction.NONE_THEN_BATCH, "mean": Reduction.MEAN_THEN_BATCH, "sum": Reduction.BATCHMEAN}
        expected = twice[name] if told == "batchmean" else Reduction(name)
    else:
        valid = {"none", "mean", "sum", "batchmean"}
        expected = (
            Reduction.MEAN if told == "elementwise_mean" else Reduction(told) if told in valid else Reduction.INVALID
        )
    return call.reduction in (Reduction.UNKNOWN, expected)


def describes(value: Distribution, tensor: Tensor) -> bool:
    """Whether what is claimed of a tensor is true of it. Of what is nan, nothing is."""
    if value.rank not in (None, tensor.dim()) or (not value.carries_gradient and tensor.requires_grad):
        return False
    broken = any(remark.kind is RemarkKind.LOG_OF_LOG for remark in value.remarks)
    if broken or bool(tensor.isnan().any()):
        return broken or value.space is Space.UNKNOWN or value.mass is Mass.UNKNOWN
    match value.space:
        case Space.PROBS:
            return within(tensor, 0, 1) and _sums_as_claimed(value, tensor, sums(tensor))
        case Space.LOG_PROBS:
            return within(tensor, float("-inf"), 0) and _sums_as_claimed(value, tensor, log_sums(tensor))
        case Space.LOGITS:
            return not is_whole(tensor)
        case Space.INDICES:
            return bool((tensor == tensor.round()).all())
        case Space.UNKNOWN:
            return True


def _sums_as_claimed(value: Distribution, tensor: Tensor, dims: frozenset[int]) -> bool:
    match value.mass:
        case Mass.WHOLE:
            return bool(dims) if value.dim is None else value.dim % tensor.dim() in dims
        case Mass.CUT:
            return not dims
        case Mass.BERNOULLI | Mass.UNKNOWN:
            return True


# --- what is misuse, by the tensors alone ----------------------------------------------------------------------------

FAMILIES: dict[str, frozenset[str]] = {
    "input": frozenset({"KLD101", "KLD102", "KLD103", "KLD106", "KLD107", "KLD401", "KLD503"}),
    "target": frozenset({"KLD103", "KLD106", "KLD107", "KLD301", "KLD302", "KLD303", "KLD304", "KLD401", "KLD503"}),
    "reduction": frozenset({"KLD201", "KLD202", "KLD203", "KLD204", "KLD206"}),
    "twice": frozenset({"KLD104"}),
    "average": frozenset({"KLD205"}),
    "dims": frozenset({"KLD501"}),
    "same": frozenset({"KLD402"}),
}
"""Which codes may be the answer to which misuse."""


def misuses(seen: Witnessed) -> frozenset[str]:
    """The families of misuse that a divergence shows."""
    divergence = seen.divergence
    given = log_sums(divergence.input)
    taken = log_sums(divergence.target) if divergence.log_target else sums(divergence.target)
    found = {
        "input": not given,
        "target": not taken,
        "reduction": divergence.legacy.given or divergence.reduction not in ("none", "sum", "batchmean"),
        "average": divergence.reduction == "none" and _mean_over_classes(seen, ()) is None,
        "twice": _twice_along_one_dim(seen),
        "dims": bool(given and taken) and _different_dims(seen, ()) is None,
        "same": bool(given and taken) and _same(seen, ()) is None,
    }
    return frozenset(name for name, wrong in found.items() if wrong)


def normalises_shares(seen: Witnessed) -> bool:
    """Whether a softmax was given what lies between zero and one: probabilities, be it a part of them."""
    return any(within(operation.operand, 0, 1) for operation in seen.operations("softmax", "log_softmax"))


# --- comparing -----------------------------------------------------------------------------------------------------


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal, up to rounding and the grammar's epsilons."""
    # what went through `.item()` comes back in single precision
    one, other = one.double(), other.double()
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True)


def same_logs(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of log-probabilities are equal, where they do not underflow."""
    return close(one.clamp(min=UNDERFLOW), other.clamp(min=UNDERFLOW))


def readings(tensor: Tensor) -> Iterator[Tensor]:
    """A tensor as log-probabilities, if its elements can be probabilities or log-probabilities."""
    if within(tensor, 0, 1):
        yield tensor.log()
    if within(tensor, float("-inf"), 0):
        yield tensor
