"""KLD4xx: which argument is which."""

from __future__ import annotations

from kl_lint.finding import SwapArguments
from kl_lint.flow.kl_call import Distribution, KLCall, Remark, RemarkKind
from kl_lint.flow.values import INFINITE_MASKS, Mass, Space
from kl_lint.rules.base import NO_FIX, UNSAFE_FIX, Documentation, Report
from kl_lint.rules.mending import unsafe
from kl_lint.rules.proofs import same_dim, swapped
from kl_lint.rules.references import KL_DIV, KL_DIV_LOSS
from kl_lint.rules.wording import because, callee

__all__ = ["ORDER_RULES"]


class SwappedArguments:
    """KLD401: probabilities as input, log-probabilities as target."""

    code = "KLD401"
    name = "swapped-arguments"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for probabilities as `input` and log-probabilities as `target`, without `log_target=True`: each where
        the other belongs.
        """,
        why_is_this_bad="""
        KL(P || Q) is written with P first; `kl_div(input, target)` takes log Q first. torch takes the logarithm of
        the target, which is negative, and the loss is nan.
        """,
        example="""
        log_student, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
        loss = F.kl_div(target, log_student, reduction="batchmean")  # nan
        """,
        use_instead="""
        log_student, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
        loss = F.kl_div(log_student, target, reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes nan to the divergence. It exchanges the two arguments; comments stay where they
        are.
        """,
        references=(KL_DIV, KL_DIV_LOSS),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.input is None or call.target is None or not swapped(call):
            return None
        message = (
            f"arguments of {callee(call)} are swapped: input is probabilities{because(call.input, call)}, "
            f"target is log-probabilities{because(call.target, call)}; exchange them"
        )
        swap = SwapArguments(call.span, call.input.span, call.target.span)
        swappable = call.input.swappable and call.target.swappable
        return Report.of_both(call, message, unsafe("Exchange the arguments", swap) if swappable else None)


class SameDistributionTwice:
    """KLD402: a distribution compared with itself."""

    code = "KLD402"
    name = "same-distribution-twice"
    opt_in = False
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for an input and a target that are made of the same logits, along the same dim, with the same
        temperature. In a test, and in a file that takes second derivatives (`create_graph`), zero has a meaning, and
        nothing is reported.
        """,
        why_is_this_bad="""
        The divergence of a distribution from itself is zero, and so is its gradient: the loss does nothing. Most
        often one of two names is a slip.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(student, dim=-1), reduction="batchmean")  # 0.0000
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        There is no fix: which distribution was meant, the code does not say.
        """,
        references=(KL_DIV,),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.input is None or call.target is None or call.log_target is None or call.zero_meant:
            return None
        one, other = call.input.value, call.target.value
        right = Space.LOG_PROBS if call.log_target else Space.PROBS
        if one.space is not Space.LOG_PROBS or other.space is not right or not _same_distribution(one, other):
            return None
        message = (
            f"input and target of {callee(call)} are made of the same tensor{because(call.input, call)}: "
            "the divergence is always zero"
        )
        return Report.of_both(call, message)


def _same_distribution(one: Distribution, other: Distribution) -> bool:
    """Whether both are proved to be one distribution, whole, and made in the same way."""
    return (
        one.source is not None
        and one.source == other.source
        and one.mass is other.mass is Mass.WHOLE
        and not (one.mixed or other.mixed)
        and one.temperature is not None
        and one.temperature == other.temperature
        and same_dim(one, other)
        and _changes(one.remarks) == _changes(other.remarks)
    )


def _changes(remarks: tuple[Remark, ...]) -> frozenset[tuple[RemarkKind, bool]]:
    """What was done to one of the two beside normalising it, if it changes the values."""
    kinds = INFINITE_MASKS | {RemarkKind.NORMALIZED_TWICE}
    return frozenset((remark.kind, remark.epsilon) for remark in remarks if remark.kind in kinds or remark.epsilon)


ORDER_RULES = (SwappedArguments(), SameDistributionTwice())
