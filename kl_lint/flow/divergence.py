"""The KL divergence of torch: the calls of it, and the modules that are built for it, recorded as they are reached."""

from __future__ import annotations

import ast

from kl_lint.flow.arguments import Arguments, Binding, bound
from kl_lint.flow.frame import Frame, RawCall
from kl_lint.flow.lattice import join
from kl_lint.flow.lines import whole
from kl_lint.flow.objects import KL_LOSS
from kl_lint.flow.reach import note_reach
from kl_lint.flow.source import Place
from kl_lint.flow.torch_ops import Parameter, parameters
from kl_lint.flow.transfer.call import as_tensor
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    NONE,
    Bound,
    Choice,
    Constant,
    External,
    Function,
    Instance,
    Loss,
    Mapping,
    Mass,
    Partial,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    number_of,
    options_of,
)

__all__ = [
    "FUNCTIONAL",
    "KL_SIGNATURE",
    "PAIR_SIGNATURE",
    "RAW",
    "RAW_SIGNATURE",
    "computes",
    "computing",
    "construct",
    "kl_call",
]

FUNCTIONAL = "torch.nn.functional.kl_div"
RAW = "torch.kl_div"
LEGACY = "size_average reduce reduction log_target"
KL_SIGNATURE = parameters(f"input target {LEGACY}")
RAW_SIGNATURE = parameters("input target reduction log_target")
LOSS_SIGNATURE = parameters(LEGACY)
PAIR_SIGNATURE = parameters("input target")
DIVERGENCES = frozenset({FUNCTIONAL, RAW, KL_LOSS})
CURVATURE = ("create_graph", "hessian", "hvp", "vhp", "jvp")
"""What the text of a file says that takes second derivatives."""


def construct(frame: Frame, arguments: Arguments, node: ast.Call, *, kept: bool = True) -> Value:
    """`KLDivLoss(...)`: recorded (unless not `kept`), and remembered with its settings."""
    binding = bound(LOSS_SIGNATURE, arguments)
    opened = arguments.open_positional or arguments.open_keywords
    place = frame.place(node)
    if binding.fits and kept:
        record(frame, "construction", node, binding, dict(binding.values), opened, None)
    return External(
        KL_LOSS, tuple(binding.values.items()), place, frame.machine.fresh(KL_LOSS, node), opened or not binding.fits
    )


def kl_call(
    frame: Frame,
    kind: str,
    signature: tuple[Parameter, ...],
    arguments: Arguments,
    node: ast.Call,
    module: External | None,
) -> Value:
    """A divergence: recorded as it is reached, its result remembered for what is done with it."""
    binding = bound(signature, arguments)
    opened = arguments.open_positional or arguments.open_keywords
    numbers = frame.machine.numbers
    number = frame.machine.fresh("kl_div", node)
    if not binding.fits or arguments.open_positional or "input" not in binding.values or "target" not in binding.values:
        frame.machine.unbound.add(frame.place(node))
        return Unknown(number)
    values = dict(binding.values)
    construction = None
    if module is not None:
        values.update((key, value) for key, value in module.arguments if key in LEGACY.split())
        opened = opened or module.open
        construction = module.place if isinstance(module.place.node, ast.Call) else None
    if "log_target" in values:
        values["log_target"] = decided(frame, values["log_target"], values)
    place = frame.place(node)
    record(frame, kind, node, binding, values, opened, construction)
    note_reach(frame, place, binding.nodes, values)
    one, other = (as_tensor(join([values[name]], numbers), numbers) for name in ("input", "target"))
    shaped = other if other.whole else one
    agreed = shaped.whole and not (one.whole and other.whole and one.where() != other.where())
    elementwise = keeps_elements(kind, values, opened)
    rank = one.rank if one.rank == other.rank else None
    return Tensor(
        number,
        dim=shaped.dim if agreed else None,
        symbol=shaped.symbol if agreed else None,
        rank=rank if elementwise else None,
        gradient=not frame.no_grad,
        loss=Loss(frozenset({place}), elementwise and any(was_normalised(side) for side in (one, other))),
    )


def was_normalised(side: Tensor) -> bool:
    """Whether a tensor sums to one, or did before its elements were put into another shape."""
    return side.whole or (side.space in DISTRIBUTIONS and side.maker is not None and side.mass is not Mass.BERNOULLI)


def decided(frame: Frame, flag: Value, values: dict[str, Value]) -> Value:
    """A flag (log_target is True or False, or torch raises), as both its outcomes where it also chose another
    argument.
    """
    if not isinstance(flag, (Unknown, Bound)):
        return flag
    numbers = frame.machine.numbers
    number = number_of(flag, numbers)
    true, false = (numbers.of("equal", number, (repr(outcome),)) for outcome in (True, False))
    guards = [*(guards for value in values.values() for guards, _ in options_of(value)), frame.guards()]
    if not any(key in (number, true, false) for each in guards for key, _ in each):
        return flag
    outcomes = ((frozenset({(number, is_), (true, is_), (false, not is_)}), Constant(is_)) for is_ in (True, False))
    return frame.narrow(Choice(tuple(outcomes)))


def keeps_elements(kind: str, values: dict[str, Value], opened: bool) -> bool:
    """Whether the result is proved to be unreduced."""
    if opened:
        return False
    legacy = [values.get(name) for name in ("size_average", "reduce")]
    if any(value is not None and value != NONE for value in legacy):
        return values.get("reduce") == Constant(False)
    reduction = values.get("reduction")
    return reduction == Constant("none") or (kind == "raw" and reduction in (None, Constant(0)))


def record(
    frame: Frame,
    kind: str,
    node: ast.Call,
    binding: Binding,
    values: dict[str, Value],
    opened: bool,
    construction: Place | None,
) -> None:
    """Keep a KL call as it is reached, under its context and path; a later pass of a loop replaces the earlier one.

    One that stands where an error is wanted computes nothing.
    """
    if frame.wants_error:
        return
    guards = frame.guards()
    raw = RawCall(
        kind,
        frame.place(node),
        node.func,
        values,
        binding.nodes,
        binding.positions,
        opened,
        construction,
        guards,
        frame.entry,
        frame.callers,
        in_test(frame) or differentiated_twice(frame),
    )
    frame.machine.calls.setdefault(raw.place, {}).setdefault(frame.key, {})[guards] = raw


def in_test(frame: Frame | None) -> bool:
    """Whether code stands in a test, by the names around it."""
    while frame is not None:
        name = getattr(frame.function.node, "name", "") if frame.function is not None else ""
        owner = frame.owner.node.name if frame.owner is not None else ""
        if name.startswith("test_") or (name.startswith("test") and name[4:5].isupper()):
            return True
        if owner.startswith("Test") or owner.endswith(("Test", "Tests", "TestCase")):
            return True
        frame = frame.parent
    return False


def differentiated_twice(frame: Frame) -> bool:
    """Whether the text of a file tells of second derivatives, which a divergence has where it is zero."""
    known = frame.machine.curved
    if frame.source not in known:
        text = whole(frame.source.lines)
        known[frame.source] = any(word in text for word in CURVATURE)
    return known[frame.source]


def computing(given: dict[str, Value], receiver: str | None, relevant: frozenset[str]) -> frozenset[str]:
    """The parameters, and the attributes of the receiver, that hold what computes a divergence, or an unreduced one."""
    names = {name for name, value in given.items() if name != receiver and computes(value, relevant)}
    owner = given.get(receiver) if receiver is not None else None
    if isinstance(owner, Instance):
        names |= {name for name, value in owner.attributes if computes(value, relevant)}
    return frozenset(names)


def computes(value: Value, relevant: frozenset[str]) -> bool:
    """Whether a value computes a divergence, or is an unreduced one."""
    match value:
        case External(name=name) | Symbol(name=name):
            return name in DIVERGENCES
        case Function(node=ast.FunctionDef(name=name)):
            return name in relevant
        case Instance(cls=cls):
            return cls.node.name in relevant
        case Bound(function=Function(node=ast.FunctionDef(name=name))):
            return name in relevant
        case Partial(function=function):
            return computes(function, relevant)
        case Tensor(loss=loss):
            return loss is not None and loss.elementwise
        case Sequence(items=items, element=element):
            return any(computes(one, relevant) for one in (*(items or ()), *((element,) if element else ())))
        case Mapping(entries=entries):
            return any(computes(one, relevant) for _, one in entries)
        case Choice(options=options):
            return any(computes(one, relevant) for _, one in options)
        case _:
            return False
