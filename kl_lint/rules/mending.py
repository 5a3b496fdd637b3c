"""The fixes that more than one rule offers, and the questions to ask before offering one.

An edit is offered only where the facts say that it reaches what it means to change; what cannot be reached has no
fix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kl_lint.finding import (
    Applicability,
    DropKeyword,
    Edit,
    Fix,
    RenameCallee,
    Replace,
    SetKeyword,
    Span,
    Unwrap,
    Wrap,
)
from kl_lint.flow.kl_call import Argument, Distribution, KLCall, Producer, Remark
from kl_lint.flow.values import Mass
from kl_lint.rules.proofs import host, literal_at

__all__ = [
    "Mended",
    "Remarked",
    "drop_log",
    "foremost",
    "into_log_softmax",
    "is_softmax",
    "normalise",
    "rewrite_log_of_softmax",
    "take_log",
    "take_natural_log",
    "together",
    "turn_off_log_target",
    "turn_on_log_target",
    "unguarded",
    "unnormalise_once",
    "unsafe",
    "with_edits",
    "write_reduction",
    "written_dim",
]


Remarked = tuple[str, Argument, Remark]
"""A remark on an argument, and what torch calls that."""
Mended = tuple[str, Argument, Remark, tuple[Edit, ...]]
"""The same, and what would mend it; nothing where that is out of reach."""


def with_edits(found: Iterable[Remarked], mend: Callable[[Remark, Argument], tuple[Edit, ...]]) -> list[Mended]:
    """Each remark with what mends it."""
    return [(name, argument, remark, mend(remark, argument)) for name, argument, remark in found]


def foremost(found: Sequence[Mended]) -> Mended:
    """The one to report: a fix has to mend what it is told of."""
    return next((one for one in found if one[3]), found[0])


def together(found: Iterable[Mended]) -> tuple[Edit, ...]:
    """All the edits, each once."""
    return tuple(dict.fromkeys(edit for *_, edits in found for edit in edits))


def unsafe(description: str, *edits: Edit) -> Fix:
    """A fix that changes the number, on purpose."""
    return Fix(description, Applicability.UNSAFE, edits)


def is_softmax(producer: Producer | None) -> bool:
    """Whether a softmax made it, as a function or as a module."""
    return producer is not None and producer.name in ("softmax", "Softmax")


def into_log_softmax(argument: Argument, call: KLCall) -> Edit | None:
    """Turn the softmax that made an argument into a log_softmax; None where it is out of reach, or read elsewhere."""
    producer = argument.value.producer
    if producer is None or argument.value.mixed or producer.filename != call.filename or not producer.sole_use:
        return None
    bare = argument.span == producer.span or producer.operand_unchanged
    return _renamed(producer) or _from_operand(producer.span, argument.value, producer, bare, call)


def _renamed(producer: Producer) -> Edit | None:
    """Call log_softmax, or construct a LogSoftmax, in place of the softmax."""
    match producer:
        case Producer(name="softmax"):
            return RenameCallee(producer.span, "log_softmax")
        case Producer(name="Softmax", module_span=Span() as construction):
            return RenameCallee(construction, "LogSoftmax")
        case _:
            return None


def _from_operand(span: Span, value: Distribution, producer: Producer, bare: bool, call: KLCall) -> Edit | None:
    """Put the log_softmax of the softmax's own logits at `span`; `bare`: nothing has moved the dim of `value` since."""
    dim = producer.dim or (str(value.dim) if bare and value.dim is not None else None)
    if not is_softmax(producer) or producer.operand is None or dim is None:
        return None
    before, after = _spelled("log_softmax", _escaped(dim), producer, call)
    return Replace(span, f"{before}{{0}}{after}", (producer.operand,))


def _escaped(text: str) -> str:
    """Source text as `Replace` wants it."""
    return text.replace("{", "{{").replace("}", "}}")


def take_log(argument: Argument, call: KLCall) -> Fix | None:
    """Make log-probabilities of an argument that is probabilities, from the logits where they are in reach."""
    if not argument.swappable:
        return None
    value, producer = argument.value, argument.value.producer
    edit = into_log_softmax(argument, call)
    if edit is None and producer is not None and producer.operand_unchanged:
        edit = _instead(argument.span, value, producer, call, bare=True)
    if edit is not None:
        return unsafe("Use log_softmax in place of softmax", edit)
    return unsafe("Take the logarithm", Wrap(argument.span, "", ".log()"))


def _instead(span: Span, value: Distribution, producer: Producer, call: KLCall, *, bare: bool) -> Edit | None:
    """Normalise the same logits again, for `span` alone; not where a gradient would begin to flow."""
    if value.mixed or not value.carries_gradient or producer.filename != call.filename:
        return None
    return _from_operand(span, value, producer, bare, call)


def rewrite_log_of_softmax(remark: Remark, argument: Argument, call: KLCall) -> tuple[Edit, ...]:
    """Make one log_softmax of a log and the softmax under it; no edits where the softmax is out of reach."""
    value, producer = argument.value, argument.value.producer
    if producer is None or value.mixed or remark.filename != call.filename or producer.span != remark.inner:
        return ()
    if remark.sole_use and remark.argument is not None and (remark.guards or not remark.epsilon):
        bare = argument.span == remark.span and (remark.argument == producer.span or remark.operand_unchanged)
        made = _renamed(producer) or _from_operand(producer.span, value, producer, bare, call)
        if made is not None:
            return (Unwrap(remark.span, remark.argument), *unguarded(remark), made)
    if not remark.operand_unchanged:
        return ()
    replaced = _instead(remark.span, value, producer, call, bare=argument.span == remark.span)
    return (replaced,) if replaced is not None else ()


def take_natural_log(remark: Remark, argument: Argument, call: KLCall) -> tuple[Edit, ...]:
    """Take the natural logarithm in place of another one: where nothing else reads that, else for the call alone."""
    if remark.filename != call.filename:
        return ()
    if remark.sole_use:
        return (RenameCallee(remark.span, "log"),)
    if remark.operand_unchanged and remark.operand is not None and argument.swappable:
        return (Replace(argument.span, "{0}.log()", (remark.operand,)),)
    return ()


def drop_log(remark: Remark, call: KLCall) -> tuple[Edit, ...]:
    """Leave what was a logarithm already."""
    if remark.argument is None or remark.filename != call.filename:
        return ()
    return (Unwrap(remark.span, remark.argument), *unguarded(remark))


def unguarded(remark: Remark) -> tuple[Edit, ...]:
    """Take the epsilons and the clamps away."""
    return tuple(Unwrap(guard, given) for guard, given in remark.guards)


def unnormalise_once(remark: Remark, value: Distribution, call: KLCall) -> tuple[Edit, ...]:
    """Take one of two normalisations away: the inner one where it is in reach, else the outer one."""
    if remark.filename != call.filename or remark.argument is None:
        return ()
    return _without_inner(remark, value) or _without_outer(remark, remark.argument, value)


def _without_inner(remark: Remark, value: Distribution) -> tuple[Edit, ...]:
    """Normalise the logits themselves: where nothing else reads the first softmax there, else at the second one."""
    inner, operand = remark.inner, remark.operand
    if inner is None or operand is None or remark.argument is None:
        return ()
    if remark.sole_use and inner != operand and inner.contains(operand) and (remark.guards or not remark.epsilon):
        return (*unguarded(remark), Unwrap(inner, operand))
    if remark.operand_unchanged and value.carries_gradient:
        return (Replace(remark.argument, "{0}", (operand,)),)
    return ()


def _without_outer(remark: Remark, given: Span, value: Distribution) -> tuple[Edit, ...]:
    """Leave what was normalised first; not where a temperature would go with the second softmax."""
    producer = value.producer
    if producer is None or producer.span != remark.span or value.temperature != 1 or remark.epsilon:
        return ()
    return (Unwrap(remark.span, given),) if is_softmax(producer) else (Replace(remark.span, "{0}.log()", (given,)),)


_HOMES = {
    "F.kl_div": "F",
    "functional.kl_div": "functional",
    "nn.functional.kl_div": "nn.functional",
    "torch.nn.functional.kl_div": "torch",
    "torch.kl_div": "torch",
}
"""Where softmax lives for code that spells kl_div like this."""


def normalise(argument: Argument, other: Argument | None, function: str, call: KLCall) -> Fix | None:
    """Normalise logits along the dim of the other distribution, where that is known, and spelled as that is."""
    dim = written_dim(argument.value, other.value) if other is not None else None
    if other is None or dim is None or not argument.swappable:
        return None
    before, after = _spelled(function, str(dim), other.value.producer, call)
    return unsafe(f"Normalise with {function}", Wrap(argument.span, before, after))


def _spelled(function: str, dim: str, like: Producer | None, call: KLCall) -> tuple[str, str]:
    """What to write before and after logits: in the manner of a neighbour, else of the KL call, else as a method."""
    callee = like.callee if like is not None and like.filename == call.filename else None
    if callee == function:
        return f"{function}(", f", dim={dim})"
    home = callee.rpartition(".")[0] if callee is not None and "." in callee else _HOMES.get(call.callee)
    return (f"{home}.{function}(", f", dim={dim})") if home else ("", f".{function}(dim={dim})")


def written_dim(value: Distribution, other: Distribution) -> int | None:
    """The dim of `value` that lines up with the one along which `other` is a distribution."""
    if other.mass is not Mass.WHOLE or other.dim is None:
        return None
    if value.rank is None or other.rank is None or value.rank == other.rank or other.dim < 0:
        return other.dim
    return other.dim - other.rank


def write_reduction(call: KLCall, reduction: str) -> tuple[Edit, ...]:
    """Have the call or construction say `reduction`: in place of its literal, or as a new keyword.

    No edits where the setting comes from elsewhere, or where a `**` may hold it.
    """
    place, setting = host(call), call.settings.reduction
    if place is None:
        return ()
    literal = literal_at(setting, place)
    if literal is not None:
        return (Replace(literal, f'"{reduction}"'),)
    if setting is not None or call.settings.open:
        return ()
    return (SetKeyword(place, "reduction", f'"{reduction}"'),)


def turn_on_log_target(call: KLCall) -> tuple[Edit, ...]:
    """Have torch take the target for log-probabilities."""
    place, setting = host(call), call.settings.log_target
    if place is None:
        return ()
    literal = literal_at(setting, place)
    if literal is not None:
        return (Replace(literal, "True"),)
    if setting is not None or call.settings.open:
        return ()
    return (SetKeyword(place, "log_target", "True"),)


def turn_off_log_target(call: KLCall) -> tuple[Edit, ...]:
    """Have torch take the target for probabilities."""
    place, setting = host(call), call.settings.log_target
    literal = literal_at(setting, place)
    if place is None or setting is None or literal is None:
        return ()
    if setting.keyword is not None:
        return (DropKeyword(place, "log_target"),)
    return (Replace(literal, "False"),)
