"""KLD5xx: what was normalised, and along which dim."""

from __future__ import annotations

from kl_lint.finding import Applicability, Edit, Fix, SetKeyword, Span
from kl_lint.flow.kl_call import Argument, Distribution, KLCall, Reduction, Remark, RemarkKind
from kl_lint.flow.values import Mass, Space
from kl_lint.rules.base import NO_FIX, Documentation, FixKind, Report
from kl_lint.rules.proofs import NORMALISED, arguments, different_dims, remarked, taken_as_logarithm
from kl_lint.rules.references import DISTILLATION, KL_DIV, LOG_SOFTMAX, SOFTMAX
from kl_lint.rules.wording import because, callee, subject

__all__ = ["NORMALIZATION_RULES", "implicit_dim"]


class DifferentDims:
    """KLD501: distributions along different dimensions."""

    code = "KLD501"
    name = "different-dims"
    opt_in = False
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for an input and a target that are proved to sum to one along different dimensions.
        """,
        why_is_this_bad="""
        The divergence compares them element by element, and none of the sums is one of a distribution with another.
        No shape is wrong, nothing is nan, and even equal logits do not give zero: here -0.2483.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student, dim=0), F.softmax(teacher, dim=1), reduction="batchmean")  # 0.0420
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=1), F.softmax(teacher, dim=1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        There is no fix: which of the two dims is the one of the classes, the code does not say.
        """,
        references=(KL_DIV, SOFTMAX, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.input is None or call.target is None:
            return None
        one, other = call.input.value, call.target.value
        if not (_is_distribution(one) and _is_distribution(other) and different_dims(one, other)):
            return None
        message = (
            f"input to {callee(call)} sums to one along dim {one.dim}{because(call.input, call)}, "
            f"target along dim {other.dim}{because(call.target, call)}: normalise both along the classes"
        )
        return Report.of_both(call, message)


def _is_distribution(value: Distribution) -> bool:
    return value.mass is Mass.WHOLE and value.space in NORMALISED


def implicit_dim(rank: int) -> int:
    """The dim that softmax and log_softmax take where none is given (torch/nn/functional.py, _get_softmax_dim)."""
    return 0 if rank in (0, 1, 3) else 1


class ImplicitDim:
    """KLD502: softmax without a dim."""

    code = "KLD502"
    name = "implicit-dim"
    opt_in = False
    fix = FixKind(Applicability.SAFE, " where the rank is proved")
    documentation = Documentation(
        what_it_does="""
        Checks for softmax and log_softmax without `dim`, where their result reaches a divergence.
        """,
        why_is_this_bad="""
        torch picks a dim by the number of dimensions: 0 for tensors of 0, 1 and 3 dimensions, 1 for the others. That
        is the batch for [B, T, C], and the classes for [B, C]: code that is right becomes wrong when the tensor gains
        a dimension. The choice is deprecated, and torch warns.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student), F.softmax(teacher), reduction="batchmean")  # 0.2406
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=1), F.softmax(teacher, dim=1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is safe: it writes out the dim that torch picks, and is offered where the number of dimensions is
        proved. Whether that is the dimension of the classes is for you to see.
        """,
        references=(SOFTMAX, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        found = remarked(call, RemarkKind.IMPLICIT_DIM)
        if not found:
            return None
        name, argument, remark = next((one for one in found if _write_dim(one[2], one[1], call)), found[0])
        if remark.rank is None:
            pick = "torch picks 0 or 1 by the rank: write out the dim of the classes"
        else:
            dim = implicit_dim(remark.rank)
            pick = f"torch picks {dim} for a {remark.rank}-D tensor: write dim={dim}"
        message = f"{subject(name, call)} is normalised without a dim{because(argument, call)}; {pick}"
        edits = dict.fromkeys(_write_dim(remark, argument, call) for _, argument, remark in found)
        known = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Write out the dim that torch picks", Applicability.SAFE, known) if known else None
        return Report.of_argument(argument, call, message, fix)


def _write_dim(remark: Remark, argument: Argument, call: KLCall) -> Edit | None:
    """The dim as a keyword of the softmax; of a module, where it is constructed."""
    place: Span | None = remark.span
    if remark.detail[:1].isupper():
        producer = argument.value.producer
        place = producer.module_span if producer is not None and producer.span == remark.span else None
    if place is None or remark.rank is None or remark.filename != call.filename:
        return None
    return SetKeyword(place, "dim", str(implicit_dim(remark.rank)))


class PartialDistribution:
    """KLD503: some columns of a distribution."""

    code = "KLD503"
    name = "partial-distribution"
    opt_in = False
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for classes that were selected after the normalisation: `softmax(x)[:, :2]`.
        """,
        why_is_this_bad="""
        What is left no longer sums to one, and the sum over it is no divergence: it may be negative, and is not
        smallest where both agree. Here the first two of three classes give 0.2446, where the distributions over these
        two have 0.2324; the last class alone gives -0.0040.
        """,
        example="""
        log_probs, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
        loss = F.kl_div(log_probs[:, :2], target[:, :2], reduction="batchmean")  # 0.2446
        """,
        use_instead="""
        log_probs, target = F.log_softmax(student[:, :2], dim=-1), F.softmax(teacher[:, :2], dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batchmean")  # 0.2324
        """,
        fix_safety="""
        There is no fix: selecting the logits, and normalising again, are different things to different code.
        """,
        references=(KL_DIV,),
    )

    def check(self, call: KLCall) -> Report | None:
        found = [(name, argument) for name, argument in arguments(call) if _is_cut(argument.value)]
        if not found:
            return None
        name, argument = found[0]
        message = (
            f"{subject(name, call)} is part of a distribution{because(argument, call)}: its classes were selected "
            "after the normalisation and no longer sum to one; select from the logits"
        )
        return Report.of_argument(argument, call, message)


def _is_cut(value: Distribution) -> bool:
    spoken_for = any(remark.kind is RemarkKind.LOG_OF_LOG for remark in value.remarks)
    return value.mass is Mass.CUT and value.space in NORMALISED and not spoken_for


class DifferentTemperatures:
    """KLD504: one of the two is softened."""

    code = "KLD504"
    name = "different-temperatures"
    opt_in = True
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for a temperature that divides the logits of one argument only: `log_softmax(x / T)` beside
        `softmax(y)`.
        """,
        why_is_this_bad="""
        In distillation both are softened alike. With one temperature missing even equal logits have a divergence,
        0.0442 here for T = 2, and the student is taught to be T times as confident. Some methods sharpen the target
        on purpose, so the rule is off until it is enabled.
        """,
        example="""
        T = 2.0
        log_probs, target = F.log_softmax(student / T, dim=-1), F.softmax(teacher, dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batchmean")  # 0.0975
        """,
        use_instead="""
        T = 2.0
        log_probs, target = F.log_softmax(student / T, dim=-1), F.softmax(teacher / T, dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batchmean")  # 0.0759
        """,
        fix_safety="""
        There is no fix: whether a temperature is missing on one side or too much on the other, the code does not say.
        """,
        references=(DISTILLATION, KL_DIV),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.input is None or call.target is None:
            return None
        one, other = call.input.value, call.target.value
        if one.temperature is None or other.temperature is None or not {one.space, other.space} <= NORMALISED:
            return None
        if _is_plain(one) == _is_plain(other):
            return None
        names = ("target", "input") if _is_plain(one) else ("input", "target")
        softened, argument = (other, call.target) if _is_plain(one) else (one, call.input)
        text = f" {softened.temperature_text}" if softened.temperature_text else ""
        message = (
            f"{subject(names[0], call)} is softened by the temperature{text}{because(argument, call)}, "
            f"and {names[1]} is not: divide the logits of both"
        )
        return Report.of_both(call, message)


def _is_plain(value: Distribution) -> bool:
    """Whether the logits were taken as they are: a temperature of one."""
    return value.temperature == 1


class MaskedWithInfinity:
    """KLD505: -inf among the logits."""

    code = "KLD505"
    name = "masked-with-infinity"
    opt_in = False
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `masked_fill(mask, -inf)` before the log_softmax of what torch takes for log-probabilities, where
        the elements are then reduced.
        """,
        why_is_this_bad="""
        A masked class has the log-probability -inf. Where the target is zero there, as it is when masked likewise,
        torch computes 0 * inf, which is nan, and one nan makes the sum nan. Where the target is not zero the sum is
        inf. With a large finite number, such as -1e9, a class masked on both sides counts for nothing, as it should.
        """,
        example="""
        mask = torch.tensor([False, False, True])
        log_probs = F.log_softmax(student.masked_fill(mask, -torch.inf), dim=-1)
        target = F.softmax(teacher.masked_fill(mask, -torch.inf), dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batchmean")  # nan
        """,
        use_instead="""
        mask = torch.tensor([False, False, True])
        log_probs = F.log_softmax(student.masked_fill(mask, -1e9), dim=-1)
        target = F.softmax(teacher.masked_fill(mask, -1e9), dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batchmean")  # 0.2324
        """,
        fix_safety="""
        There is no fix: the mask may serve other code as well.
        """,
        references=(KL_DIV, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.reduction in (Reduction.NONE_THEN_BATCH, Reduction.UNKNOWN):
            return None
        if call.reduction is Reduction.NONE and (call.filtered or not call.summed):
            return None  # what is masked may yet be left out
        found = [
            (name, argument)
            for name, argument, remark in remarked(call, RemarkKind.INFINITE_MASK)
            if argument.value.space is Space.LOG_PROBS and taken_as_logarithm(name, call) and not remark.epsilon
        ]
        if not found:
            return None
        name, argument = found[0]
        message = (
            f"{subject(name, call)} is -inf where its logits are masked{because(argument, call)}: "
            "0 * inf is nan; mask with a large negative number, such as -1e9"
        )
        return Report.of_argument(argument, call, message)


NORMALIZATION_RULES = (
    DifferentDims(),
    ImplicitDim(),
    PartialDistribution(),
    DifferentTemperatures(),
    MaskedWithInfinity(),
)
