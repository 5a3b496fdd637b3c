"""What the facts of a KL call prove: the questions that more than one rule asks.

Every answer errs on the side of "not proved": what is unknown is no reason to report.
"""

from __future__ import annotations

from kl_lint.finding import Span
from kl_lint.flow.kl_call import Argument, Distribution, KLCall, Kind, Remark, RemarkKind, Setting
from kl_lint.flow.values import INFINITE_MASKS, Mass, Space

__all__ = [
    "NORMALISED",
    "arguments",
    "different_dims",
    "given",
    "host",
    "input_is_spoken_for",
    "is_bernoulli",
    "is_vector",
    "literal_at",
    "may_be_masked",
    "remark_on",
    "remarked",
    "same_dim",
    "swapped",
    "taken_as_logarithm",
    "target_is_spoken_for",
]

NORMALISED = frozenset({Space.PROBS, Space.LOG_PROBS})
"""The spaces in which a tensor can be a distribution."""


def swapped(call: KLCall) -> bool:
    """Whether each argument is in the space that belongs to the other."""
    return (
        call.input is not None
        and call.target is not None
        and call.log_target is False
        and call.input.value.space is Space.PROBS
        and call.target.value.space is Space.LOG_PROBS
    )


def remark_on(argument: Argument, kind: RemarkKind) -> Remark | None:
    """The first remark of `kind` on the making of `argument`."""
    return next((remark for remark in argument.value.remarks if remark.kind is kind), None)


def may_be_masked(argument: Argument) -> bool:
    """Whether logits of `argument` were masked with -inf before they were normalised, at least by one of the ways."""
    return any(remark.kind in INFINITE_MASKS for remark in argument.value.remarks)


def arguments(call: KLCall) -> tuple[tuple[str, Argument], ...]:
    """The arguments, each with the name that torch has for it; none of a construction."""
    pairs = (("input", call.input), ("target", call.target))
    return tuple((name, argument) for name, argument in pairs if argument is not None)


def remarked(call: KLCall, kind: RemarkKind) -> tuple[tuple[str, Argument, Remark], ...]:
    """The arguments with a remark of `kind`. Of a log of log-probabilities, that it is one is all there is to say."""
    return tuple(
        (name, argument, remark)
        for name, argument in arguments(call)
        if (remark := remark_on(argument, kind)) is not None
        and (kind is RemarkKind.LOG_OF_LOG or remark_on(argument, RemarkKind.LOG_OF_LOG) is None)
    )


def taken_as_logarithm(name: str, call: KLCall) -> bool:
    """Whether torch takes this argument for log-probabilities."""
    return name == "input" or call.log_target is True


def is_bernoulli(value: Distribution) -> bool:
    """Whether each element is a probability by itself. Normalised over a dim since, it is none any more."""
    if value.mass is Mass.BERNOULLI:
        return True
    return value.mass is Mass.UNKNOWN and any(remark.kind is RemarkKind.BERNOULLI for remark in value.remarks)


def input_is_spoken_for(call: KLCall) -> bool:
    """Whether a rule about the input's logarithm, or about both arguments, has more to say than that of its space."""
    argument = call.input
    return (
        argument is None
        or swapped(call)
        or is_bernoulli(argument.value)
        or remark_on(argument, RemarkKind.LOG_OF_LOG) is not None
        or remark_on(argument, RemarkKind.WRONG_LOG) is not None
    )


def target_is_spoken_for(call: KLCall) -> bool:
    """As `input_is_spoken_for`, for the target: of a wrong logarithm only where it is to be a logarithm."""
    argument = call.target
    return (
        argument is None
        or swapped(call)
        or remark_on(argument, RemarkKind.LOG_OF_LOG) is not None
        or (call.log_target is True and remark_on(argument, RemarkKind.WRONG_LOG) is not None)
    )


def given(setting: Setting | None) -> bool:
    """Whether a legacy setting counts for torch: None, said or left out, does not."""
    return setting is not None and not (setting.known and setting.value is None)


def host(call: KLCall) -> Span | None:
    """The call that holds the settings: the call itself, or the module's construction, where it is in this file."""
    return call.construction if call.kind is Kind.MODULE else call.span


def literal_at(setting: Setting | None, place: Span | None) -> Span | None:
    """The span of a setting's value, where it is written out within `place`."""
    if setting is None or place is None or setting.span is None or not setting.literal:
        return None
    return setting.span if place.contains(setting.span) else None


def is_vector(call: KLCall) -> bool:
    """Whether input and target are proved to be 1-D, or one is and of the other nothing is known."""
    ranks = {argument.value.rank for argument in (call.input, call.target) if argument is not None}
    return ranks - {None} == {1}


def same_dim(one: Distribution, other: Distribution) -> bool:
    """Whether both are proved to be distributions along one dimension."""
    if one.dim is None or other.dim is None:
        return one.dim is other.dim and one.symbol is not None and one.symbol == other.symbol
    if one.dim == other.dim:
        return True
    dims = (_from_the_end(one), _from_the_end(other))
    return None not in dims and dims[0] == dims[1]


def different_dims(one: Distribution, other: Distribution) -> bool:
    """Whether they are proved to be distributions along different dimensions.

    Two dims counted from one side differ where their numbers do, ranks permitting: a vector is laid over the last dim
    of the other. Counted from two sides, the ranks must be known.
    """
    if one.dim is None or other.dim is None:
        return False
    dims = (_from_the_end(one), _from_the_end(other))
    if None not in dims:
        return dims[0] != dims[1]
    return (one.dim < 0) == (other.dim < 0) and one.dim != other.dim and 1 not in (one.rank, other.rank)


def _from_the_end(value: Distribution) -> int | None:
    """The dim counted from the end, which is how torch lines up two shapes; None where that takes an unknown rank."""
    if value.dim is None or value.dim < 0:
        return value.dim
    return None if value.rank is None else value.dim - value.rank
