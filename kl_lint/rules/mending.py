"""The fixes that more than one rule offers, and the questions to ask before offering one.

An edit is offered only where the facts say that it reaches what it means to change; what cannot be reached has no
fix.
"""

from __future__ import annotations

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
from kl_lint.flow.values import Constant, Mass
from kl_lint.rules.proofs import host, literal_at

__all__ = [
    "into_log_softmax",
    "is_softmax",
    "normalise",
    "rewrite_log_of_softmax",
    "take_log",
    "turn_off_log_target",
    "turn_on_log_target",
    "unnormalise_once",
    "unsafe",
    "write_reduction",
    "written_dim",
]


def unsafe(description: str, *edits: Edit) -> Fix:
    """A fix that changes the number, on purpose."""
    return Fix(description, Applicability.UNSAFE, edits)


def is_softmax(producer: Producer | None) -> bool:
    """Whether a softmax made it, as a function or as a module."""
    return producer is not None and producer.name in ("softmax", "Softmax")


def into_log_softmax(producer: Producer | None, call: KLCall) -> Edit | None:
    """Turn the softmax that made an argument into a log_softmax; None where it is out of reach, or read elsewhere."""
    if producer is None or producer.filename != call.filename or not (producer.inline or producer.sole_use):
        return None
    match producer:
        case Producer(name="softmax"):
            return RenameCallee(producer.span, "log_softmax")
        case Producer(name="Softmax", module_span=Span() as construction):
            return RenameCallee(construction, "LogSoftmax")
        case Producer(name="Softmax", inline=True, operand=Span() as operand, dim=str() as dim):
            return Replace(producer.span, _method("log_softmax", dim), (operand,))
        case _:
            return None


def take_log(argument: Argument, call: KLCall) -> Fix | None:
    """Make log-probabilities of an argument that is probabilities, from the logits where they are in reach."""
    if not argument.swappable:
        return None
    value = argument.value
    edit = None if value.mixed else into_log_softmax(value.producer, call) or _operand_instead(argument, call)
    if edit is not None:
        return unsafe("Use log_softmax in place of softmax", edit)
    return unsafe("Take the logarithm", Wrap(argument.span, "", ".log()"))


def _operand_instead(argument: Argument, call: KLCall) -> Edit | None:
    """Give the call the log_softmax of the same logits, where the argument is a name for the softmax and no more."""
    value, producer = argument.value, argument.value.producer
    if producer is None or not is_softmax(producer) or not value.carries_gradient or not argument.text.isidentifier():
        return None
    if value.trace and value.trace[-1].span != producer.span:
        return None
    return _from_operand(argument.span, producer, call)


def _from_operand(span: Span, producer: Producer, call: KLCall) -> Edit | None:
    """Put the log_softmax of the softmax's own logits at `span`."""
    if producer.filename != call.filename or not producer.operand_unchanged:
        return None
    if producer.operand is None or producer.dim is None:
        return None
    return Replace(span, _method("log_softmax", producer.dim), (producer.operand,))


def _method(name: str, dim: str) -> str:
    """The template of a method call on the first part; braces of `dim` are doubled, as `Replace` wants them."""
    return f"{{0}}.{name}(dim={dim.replace('{', '{{').replace('}', '}}')})"


def rewrite_log_of_softmax(remark: Remark, value: Distribution, call: KLCall) -> tuple[Edit, ...]:
    """Make one log_softmax of a log and the softmax under it; no edits where the softmax is out of reach.

    What stands between the two (a view, a detach) must survive, so the log is taken away only where it is seen to be
    given the softmax itself, or a guard of it (`+ eps`, `clamp`).
    """
    producer = value.producer
    if producer is None or remark.inner is None or producer.span != remark.inner or remark.filename != call.filename:
        return ()
    together = remark.span.contains(remark.inner)
    if together and (_nothing_between(remark.span, remark.inner) or (remark.epsilon and value.carries_gradient)):
        return _merge_log_into_softmax(remark.span, producer)
    if not together and not value.mixed and value.mass is Mass.WHOLE and value.carries_gradient:
        edit = _from_operand(remark.span, producer, call)
        return (edit,) if edit is not None else ()
    return ()


def _merge_log_into_softmax(log: Span, producer: Producer) -> tuple[Edit, ...]:
    match producer:
        case Producer(name="softmax"):
            return (Unwrap(log, producer.span), RenameCallee(producer.span, "log_softmax"))
        case Producer(name="Softmax", module_span=Span() as construction):
            return (Unwrap(log, producer.span), RenameCallee(construction, "LogSoftmax"))
        case Producer(name="Softmax", operand=Span() as operand, dim=str() as dim):
            return (Replace(log, _method("log_softmax", dim), (operand,)),)
        case _:
            return ()


def _nothing_between(outer: Span, inner: Span) -> bool:
    """Whether the outer call is `inner.log()` or `log(inner)` and no more: told by how far the outer call goes on."""
    if outer.end_row != inner.end_row:
        return False
    beyond = outer.end_column - inner.end_column
    starts_together = (outer.row, outer.column) == (inner.row, inner.column)
    return beyond == len(".log()") if starts_together else beyond == len(")")


def unnormalise_once(remark: Remark, value: Distribution, call: KLCall) -> tuple[Edit, ...]:
    """Take one of two normalisations away: the inner one where the logits under it are in reach, else the outer one."""
    outer, inner, operand = remark.span, remark.inner, remark.operand
    if remark.filename != call.filename or inner is None:
        return ()
    if operand is not None and operand != inner and inner.contains(operand):
        return (Unwrap(inner, operand),)
    given = next(
        (span for span in (operand, inner) if span is not None and span != outer and outer.contains(span)), None
    )
    tempered = value.temperature not in (1, Constant(1))  # the temperature would go with the outer normalisation
    if given is None or tempered or value.producer is None or value.producer.span != outer:
        return ()
    if value.producer.name in ("softmax", "Softmax"):
        return (Unwrap(outer, given),)
    if given == inner == operand and remark.detail == "softmax":
        return (Unwrap(outer, inner), RenameCallee(inner, "log_softmax"))
    return (Replace(outer, "{0}.log()", (given,)),)


def normalise(argument: Argument, other: Argument | None, function: str) -> Fix | None:
    """Normalise logits along the dim of the other distribution, where that is known."""
    dim = written_dim(argument.value, other.value) if other is not None else None
    if dim is None or not argument.swappable:
        return None
    return unsafe(f"Normalise with {function}", Wrap(argument.span, "", f".{function}(dim={dim})"))


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
