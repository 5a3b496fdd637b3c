"""KLD1xx: what the input is, and how its logarithm was taken."""

from __future__ import annotations

from kl_lint.finding import Applicability, Edit, Fix
from kl_lint.flow.kl_call import KLCall, RemarkKind
from kl_lint.flow.values import Space
from kl_lint.rules.base import NO_FIX, UNSAFE_FIX, Documentation, FixKind, Report
from kl_lint.rules.mending import (
    drop_log,
    foremost,
    is_softmax,
    normalise,
    rewrite_log_of_softmax,
    take_log,
    take_natural_log,
    together,
    unnormalise_once,
    unsafe,
    with_edits,
)
from kl_lint.rules.proofs import (
    input_is_spoken_for,
    is_bernoulli,
    may_be_masked,
    remark_on,
    remarked,
    swapped,
    taken_as_logarithm,
)
from kl_lint.rules.references import (
    BCE_WITH_LOGITS,
    KL_DIV,
    KL_DIV_LOSS,
    LOG_OF_SOFTMAX,
    LOG_SOFTMAX,
    NEGATIVE_LOSS,
    NOT_ZERO,
    SOFTMAX,
)
from kl_lint.rules.wording import because, callee, subject

__all__ = ["INPUT_RULES"]


class ProbabilitiesAsInput:
    """KLD101: the input is probabilities, where log-probabilities belong."""

    code = "KLD101"
    name = "probabilities-as-input"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for probabilities, such as the output of softmax, given to `kl_div` or `KLDivLoss` as `input`.
        """,
        why_is_this_bad="""
        torch computes `target * (log(target) - input)` and takes no logarithm of the input. With probabilities in its
        place no term can be positive, so the value is never above zero: two equal distributions give -1.3413 here,
        and zero is not where the minimum lies. Minimising it drives the model to put everything on the target's
        largest class. Nothing warns: the loss falls, and the gradient points halfway in the right direction.
        """,
        example="""
        loss = F.kl_div(F.softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # -1.3795
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence, and with it the loss's scale. It turns the softmax
        into a log_softmax where nothing else reads the softmax, gives the call the log_softmax of the same logits
        where they are in reach, and else adds `.log()`.
        """,
        references=(KL_DIV, KL_DIV_LOSS, NEGATIVE_LOSS, NOT_ZERO),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = call.input
        if argument is None or argument.value.space is not Space.PROBS or input_is_spoken_for(call):
            return None
        one_softmax = is_softmax(argument.value.producer) and not argument.value.mixed
        remedy = "use log_softmax" if one_softmax else "take their log"
        message = (
            f"input to {callee(call)} is probabilities{because(argument, call)}; it takes log-probabilities: {remedy}"
        )
        return Report.of_argument(argument, call, message, take_log(argument, call))


class LogitsAsInput:
    """KLD102: the input is logits, which nothing has normalised."""

    code = "KLD102"
    name = "logits-as-input"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for logits, such as the output of a linear layer, given to `kl_div` or `KLDivLoss` as `input`.
        """,
        why_is_this_bad="""
        torch does not normalise the input. The value is linear in the logits, so it has no lower bound: adding 10 to
        every logit changes no softmax, and takes this loss from -1.7632 to -11.7632. An optimiser follows it down
        without end.
        """,
        example="""
        loss = F.kl_div(student, F.softmax(teacher, dim=-1), reduction="batchmean")  # -1.7632
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence. It is offered where the target's dim is known,
        which the input is then normalised along.
        """,
        references=(KL_DIV, KL_DIV_LOSS, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = call.input
        if argument is None or argument.value.space is not Space.LOGITS or input_is_spoken_for(call):
            return None
        message = (
            f"input to {callee(call)} is logits{because(argument, call)}; it takes log-probabilities: use log_softmax"
        )
        return Report.of_argument(argument, call, message, normalise(argument, call.target, "log_softmax", call))


class LogOfLogProbabilities:
    """KLD103: the logarithm was taken twice."""

    code = "KLD103"
    name = "log-of-log-probabilities"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for the logarithm of what is log-probabilities already, in the input or the target of a divergence.
        """,
        why_is_this_bad="""
        Log-probabilities are never above zero, and the logarithm of a negative number is nan: the loss is nan from
        the first step on. An epsilon inside the second logarithm does not help.
        """,
        example="""
        log_probs = F.log_softmax(student, dim=-1)
        loss = F.kl_div(log_probs.log(), F.softmax(teacher, dim=-1), reduction="batchmean")  # nan
        """,
        use_instead="""
        log_probs = F.log_softmax(student, dim=-1)
        loss = F.kl_div(log_probs, F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes nan to a number. It drops the second logarithm.
        """,
        references=(KL_DIV, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        found = with_edits(remarked(call, RemarkKind.LOG_OF_LOG), lambda remark, _: drop_log(remark, call))
        if not found:
            return None
        name, argument, _, _ = foremost(found)
        message = (
            f"{subject(name, call)} is the log of log-probabilities{because(argument, call)}, which is nan: "
            "drop the second log"
        )
        edits = together(found)
        fix = unsafe("Drop the second log", *edits) if edits else None
        return Report.of_argument(argument, call, message, fix)


class NormalizedTwice:
    """KLD104: softmax of what sums to one already."""

    code = "KLD104"
    name = "normalized-twice"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for softmax or log_softmax of probabilities that were normalised along the same dim before. (Of
        log-probabilities, both give the distribution back, and nothing is reported.)
        """,
        why_is_this_bad="""
        softmax takes logits. Probabilities lie between zero and one, and as logits they are nearly equal: over 10
        classes, whatever the model says, every probability ends up between 0.0853 and 0.2320. The loss stays finite,
        positive and falling, which makes this the hardest of these mistakes to see.
        """,
        example="""
        probs = F.softmax(student, dim=-1)
        loss = F.kl_div(F.log_softmax(probs, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.1053
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence. The logits themselves are normalised where they
        are in reach; else the second softmax goes, unless it has a temperature.
        """,
        references=(KL_DIV, SOFTMAX, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        remarks = [
            (name, argument, remark)
            for name, argument, _ in remarked(call, RemarkKind.NORMALIZED_TWICE)
            for remark in argument.value.remarks
            if remark.kind is RemarkKind.NORMALIZED_TWICE
        ]
        found = with_edits(remarks, lambda remark, argument: unnormalise_once(remark, argument.value, call))
        if not found:
            return None
        kept = [argument for _, argument, _, edits in found if not edits]  # to mend it in part would not be enough
        kept = [one for _, one, _, _ in found if any(one.span == other.span for other in kept)]  # nor one of `*pair`
        found = [(name, argument, remark, () if argument in kept else edits) for name, argument, remark, edits in found]
        name, argument, _, _ = foremost(found)
        message = (
            f"{subject(name, call)} is normalised twice{because(argument, call)}: "
            "softmax takes logits, and was given probabilities; drop one of the two"
        )
        edits = together(found)
        fix = unsafe("Normalise once", *edits) if edits else None
        return Report.of_argument(argument, call, message, fix)


class LogOfSoftmax:
    """KLD105: log and softmax, taken apart."""

    code = "KLD105"
    name = "log-of-softmax"
    opt_in = False
    fix = FixKind(Applicability.SAFE, "; unsafe when an epsilon or clamp goes")
    documentation = Documentation(
        what_it_does="""
        Checks for `log(softmax(x))` where log-probabilities are due, with or without an epsilon or a clamp between
        the two. It is reported where the two stand together, or where log_softmax can take their place; not where the
        epsilon is all that keeps a class masked with -inf from the logarithm of zero.
        """,
        why_is_this_bad="""
        softmax underflows to zero where one logit lies far below the others: by 104 in float32, by 18 in float16.
        With logits [-120, 0, 0] the log is -inf and its gradient nan, where log_softmax gives -120.6931 and the exact
        gradient.

        An epsilon trades this for a bias: with [-20, 0, 0] and 1e-8 the log-probability is -18.3226 and its gradient
        0.0934, in place of -20.6931 and 1. A clamp at 1e-8 leaves no gradient at all.
        """,
        example="""
        loss = F.kl_div(F.softmax(student, dim=-1).log(), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is safe: the value and the gradient stay the same up to rounding, and stay finite where they were not.
        Where an epsilon or a clamp goes with it the number changes, and the fix is unsafe.
        """,
        references=(LOG_SOFTMAX, KL_DIV, LOG_OF_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        remarks = [
            (name, argument, remark)
            for name, argument, remark in remarked(call, RemarkKind.LOG_OF_SOFTMAX)
            if taken_as_logarithm(name, call)
            and argument.value.space is not Space.PROBS
            and not (remark.epsilon and may_be_masked(argument))
        ]
        found = with_edits(remarks, lambda remark, argument: rewrite_log_of_softmax(remark, argument, call))
        found = [one for one in found if one[3] or (one[2].inner is not None and one[2].span.contains(one[2].inner))]
        if not found:
            return None
        name, argument, remark, _ = foremost(found)
        guard = " with an epsilon, which biases it" if remark.epsilon else ", which underflows"
        message = f"{subject(name, call)} is the log of a softmax{because(argument, call)}{guard}: use log_softmax"
        epsilon = any(remark.epsilon for _, _, remark, edits in found if edits)
        return Report.of_argument(argument, call, message, self._fix(together(found), epsilon))

    @staticmethod
    def _fix(edits: tuple[Edit, ...], epsilon: bool) -> Fix | None:
        if not edits:
            return None
        if epsilon:
            return unsafe("Use log_softmax, without the epsilon", *edits)
        return Fix("Use log_softmax", Applicability.SAFE, edits)


class WrongLogarithm:
    """KLD106: a logarithm to another base, or of one more."""

    code = "KLD106"
    name = "wrong-logarithm"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `log2`, `log10` and `log1p` of probabilities where log-probabilities are due.
        """,
        why_is_this_bad="""
        torch takes the natural logarithm of the target, so the two sides no longer match. Here log2 gives 0.7387,
        log10 -0.3958 and log1p -1.2605, where the divergence is 0.2406; with equal distributions log2 gives 0.3915,
        not 0. A divergence in bits is the divergence divided by ln 2.
        """,
        example="""
        probs = F.softmax(student, dim=-1)
        loss = F.kl_div(torch.log2(probs), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.7387
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence. It takes the natural logarithm: in place of the
        other one where nothing else reads that, else for this call alone, where the probabilities are still the same.
        """,
        references=(KL_DIV, LOG_SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        remarks = [one for one in remarked(call, RemarkKind.WRONG_LOG) if taken_as_logarithm(one[0], call)]
        found = with_edits(remarks, lambda remark, argument: take_natural_log(remark, argument, call))
        if not found:
            return None
        name, argument, remark, _ = foremost(found)
        message = (
            f"{subject(name, call)} is the {remark.detail} of probabilities{because(argument, call)}; "
            "it takes natural log-probabilities: use log"
        )
        edits = together(found)
        fix = unsafe("Take the natural logarithm", *edits) if edits else None
        return Report.of_argument(argument, call, message, fix)


class BernoulliWithOneTerm:
    """KLD107: each element a probability by itself, and its complement nowhere."""

    code = "KLD107"
    name = "bernoulli-with-one-term"
    opt_in = False
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for the output of sigmoid or logsigmoid given as `input`, without the probability of the complement.
        """,
        why_is_this_bad="""
        A Bernoulli distribution has two outcomes, and its divergence two terms: `t * log(t / p)` and
        `(1 - t) * log((1 - t) / (1 - p))`. `kl_div` computes the first. Whatever the target, that one is smallest at
        p = 1: trained on a target of 0.3 the model ends up above 0.99. It is zero at p = t all the same, so a look at
        equal distributions shows nothing.
        """,
        example="""
        labels = torch.sigmoid(teacher)
        loss = F.kl_div(F.logsigmoid(student), labels, reduction="batchmean")  # 0.2293
        """,
        use_instead="""
        labels = torch.sigmoid(teacher)
        log_probs = torch.stack([F.logsigmoid(student), F.logsigmoid(-student)], dim=-1)
        loss = F.kl_div(log_probs, torch.stack([labels, 1 - labels], dim=-1), reduction="batchmean")  # 0.2387
        """,
        fix_safety="""
        There is no fix: what to use depends on what is meant. `F.binary_cross_entropy_with_logits(student, labels)`
        has the gradient of the two terms; where the classes exclude each other, log_softmax is meant.
        """,
        references=(BCE_WITH_LOGITS, KL_DIV),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = call.input
        if argument is None or swapped(call) or not is_bernoulli(argument.value):
            return None
        if remark_on(argument, RemarkKind.LOG_OF_LOG) is not None:
            return None
        message = (
            f"input to {callee(call)} is one probability per element{because(argument, call)}, and the term of its "
            "complement, (1 - t) * log((1 - t) / (1 - p)), is missing: use binary_cross_entropy_with_logits, "
            "or stack p and 1 - p"
        )
        return Report.of_argument(argument, call, message)


INPUT_RULES = (
    ProbabilitiesAsInput(),
    LogitsAsInput(),
    LogOfLogProbabilities(),
    NormalizedTwice(),
    LogOfSoftmax(),
    WrongLogarithm(),
    BernoulliWithOneTerm(),
)
