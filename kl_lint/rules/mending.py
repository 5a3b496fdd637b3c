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
from kl_lint.flow.values import Mass
from kl_lint.rules.proofs import host, literal_at

__all__ = [
    "into_log_softmax",
    "is_softmax",
    "normalise",
    "nothing_between",
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


def into_log_softmax(argument: Argument, call: KLCall) -> Edit | None:
    """Turn the softmax that made an argument into a log_softmax; None where it is out of reach, or read elsewhere."""
    producer = argument.value.producer
    if producer is None or argument.value.mixed or producer.filename != call.filename:
        return None
    if not (producer.inline or producer.sole_use) or _binds(argument):
        return None
    return _renamed(producer) or (_from_module_operand(producer.span, argument) if producer.inline else None)


def _binds(argument: Argument) -> bool:
    """Whether the argument gives what is within it a name, for others to read."""
    return ":=" in argument.text


def _renamed(producer: Producer) -> Edit | None:
    """Call log_softmax, or construct a LogSoftmax, in place of the softmax."""
    match producer:
        case Producer(name="softmax"):
            return RenameCallee(producer.span, "log_softmax")
        case Producer(name="Softmax", module_span=Span() as construction):
            return RenameCallee(construction, "LogSoftmax")
        case _:
            return None


def _from_module_operand(span: Span, argument: Argument) -> Edit | None:
    """Put the log_softmax of what a shared Softmax module was given at `span`."""
    producer = argument.value.producer
    if producer is None or producer.name != "Softmax" or producer.operand is None:
        return None
    as_it_was_made = argument.span in (producer.span, span)  # nothing has moved the dim since
    dim = producer.dim or (str(argument.value.dim) if as_it_was_made and argument.value.dim is not None else None)
    return Replace(span, _method("log_softmax", dim), (producer.operand,)) if dim is not None else None


def take_log(argument: Argument, call: KLCall) -> Fix | None:
    """Make log-probabilities of an argument that is probabilities, from the logits where they are in reach."""
    if not argument.swappable:
        return None
    edit = into_log_softmax(argument, call) or _operand_instead(argument, call)
    if edit is not None:
        return unsafe("Use log_softmax in place of softmax", edit)
    return unsafe("Take the logarithm", Wrap(argument.span, "", ".log()"))


def _operand_instead(argument: Argument, call: KLCall) -> Edit | None:
    """Give the call the log_softmax of the same logits, where the argument is a name for the softmax and no more."""
    value, producer = argument.value, argument.value.producer
    if producer is None or not is_softmax(producer) or value.mixed or not value.carries_gradient:
        return None
    if not argument.text.isidentifier() or (value.trace and value.trace[-1].span != producer.span):
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


def rewrite_log_of_softmax(remark: Remark, argument: Argument, call: KLCall) -> tuple[Edit, ...]:
    """Make one log_softmax of a log and the softmax under it; no edits where the softmax is out of reach."""
    producer = argument.value.producer
    if producer is None or remark.filename != call.filename or producer.span != remark.inner or _binds(argument):
        return ()
    if remark.span.contains(producer.span):
        return _merged(remark, argument, producer)
    return _with_softmax_in_a_local(remark, argument, producer, call)


def _merged(remark: Remark, argument: Argument, producer: Producer) -> tuple[Edit, ...]:
    """The edits where the softmax stands within the log. A guard goes; a view or a detach between the two stays."""
    log = remark.span
    given = producer.span if remark.epsilon else _argument_of(log, producer.span)
    if remark.epsilon and not argument.value.carries_gradient:
        return ()  # a detach would go with the guard
    renamed = _renamed(producer)
    if renamed is not None:
        return (Unwrap(log, given), renamed)
    replaced = _from_module_operand(log, argument) if given == producer.span else None
    return (replaced,) if replaced is not None else ()


def _argument_of(log: Span, softmax: Span) -> Span:
    """What a log is given, that begins with a softmax: `softmax(x)….log()`, or `log(softmax(x)…)`."""
    is_method = (log.row, log.column) == (softmax.row, softmax.column)
    behind = len(".log()") if is_method else len(")")
    return Span(softmax.row, softmax.column, log.end_row, log.end_column - behind)


def _with_softmax_in_a_local(remark: Remark, argument: Argument, producer: Producer, call: KLCall) -> tuple[Edit, ...]:
    """The edits where the log is taken of a name: where nobody else reads the softmax, there; else at the log."""
    value = argument.value
    if value.mixed or value.mass is not Mass.WHOLE:
        return ()
    renamed, name = _renamed(producer), _name_in(remark.span, argument)
    if producer.sole_use and renamed is not None and name is not None and not remark.epsilon:
        return (Unwrap(remark.span, name), renamed)
    replaced = _from_operand(remark.span, producer, call) if value.carries_gradient else None
    return (replaced,) if replaced is not None else ()


def _name_in(log: Span, argument: Argument) -> Span | None:
    """The name in `name.log()` or `….log(name)`, where that is the argument."""
    name = argument.text.removesuffix(".log()")
    if log != argument.span or log.row != log.end_row:
        return None
    if name.isidentifier():
        return Span(log.row, log.column, log.row, log.end_column - len(".log()"))
    name = argument.text.rpartition("log(")[2].removesuffix(")")
    if not name.isidentifier():
        return None
    return Span(log.row, log.end_column - 1 - len(name), log.row, log.end_column - 1)


def nothing_between(outer: Span, inner: Span, name: str) -> bool:
    """Whether the outer call is `inner.name()` or `name(inner)` and no more: told by how far it goes on behind."""
    if outer.end_row != inner.end_row:
        return False
    is_method = (outer.row, outer.column) == (inner.row, inner.column)
    return outer.end_column - inner.end_column == (len(f".{name}()") if is_method else len(")"))


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
    tempered = value.temperature != 1  # the temperature would go with the outer normalisation
    if given is None or tempered or value.producer is None or value.producer.span != outer:
        return ()
    if value.producer.name in ("softmax", "Softmax"):
        return (Unwrap(outer, given),)
    if given == inner == operand and remark.detail == "softmax":
        return (Unwrap(outer, inner), RenameCallee(inner, "log_softmax"))
    return (Replace(outer, "{0}.log()", (given,)),)


_HOMES = {
    "F.kl_div": "F",
    "functional.kl_div": "functional",
    "nn.functional.kl_div": "nn.functional",
    "torch.nn.functional.kl_div": "torch",
    "torch.kl_div": "torch",
}
"""Where softmax lives for code that spells kl_div like this; all other code gets the method."""


def normalise(argument: Argument, other: Argument | None, function: str, call: KLCall) -> Fix | None:
    """Normalise logits along the dim of the other distribution, where that is known."""
    dim = written_dim(argument.value, other.value) if other is not None else None
    if dim is None or not argument.swappable:
        return None
    home = _HOMES.get(call.callee)
    if home is None:
        return unsafe(f"Normalise with {function}", Wrap(argument.span, "", f".{function}(dim={dim})"))
    return unsafe(f"Normalise with {function}", Wrap(argument.span, f"{home}.{function}(", f", dim={dim})"))


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
