"""KLD3xx: what the target is, and what `log_target` says of it."""

from __future__ import annotations

from kl_lint.finding import Applicability, Fix, Wrap
from kl_lint.flow.kl_call import Argument, KLCall
from kl_lint.flow.values import Mass, Space
from kl_lint.rules.base import NO_FIX, SAFE_FIX, UNSAFE_FIX, Documentation, Report
from kl_lint.rules.mending import (
    into_log_softmax,
    is_softmax,
    normalise,
    turn_off_log_target,
    turn_on_log_target,
    unsafe,
)
from kl_lint.rules.proofs import may_be_masked, target_is_spoken_for
from kl_lint.rules.references import (
    CROSS_ENTROPY,
    KL_DIV,
    LOG_TARGET,
    SOFTMAX,
    TARGET_GRADIENT,
    WRONG_INPUTS,
    XLOGY,
)
from kl_lint.rules.wording import because, callee

__all__ = ["TARGET_RULES"]


def _target_in(call: KLCall, space: Space) -> Argument | None:
    """The target, where it is proved to live in `space` and no other rule speaks of it."""
    if call.target is None or call.target.value.space is not space or target_is_spoken_for(call):
        return None
    return call.target


def _wrapped(argument: Argument, method: str) -> tuple[Fix, ...]:
    """The other way out: change the target, and leave the setting alone."""
    if not argument.swappable:
        return ()
    return (unsafe(f"Take the {method} of the target", Wrap(argument.span, "", f".{method}()")),)


class LogTargetNotDeclared:
    """KLD301: the target is log-probabilities, and nobody told torch."""

    code = "KLD301"
    name = "log-target-not-declared"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for log-probabilities as `target` without `log_target=True`.
        """,
        why_is_this_bad="""
        torch takes the target's logarithm itself, and that of a negative number is nan: so is the loss. Its gradient
        is finite all the same, so training goes on, towards something else, and a guard that looks at gradients sees
        nothing.
        """,
        example="""
        log_teacher = F.log_softmax(teacher, dim=-1)
        loss = F.kl_div(F.log_softmax(student, dim=-1), log_teacher, reduction="batchmean")  # nan
        """,
        use_instead="""
        log_teacher = F.log_softmax(teacher, dim=-1)
        loss = F.kl_div(F.log_softmax(student, dim=-1), log_teacher, reduction="batchmean", log_target=True)  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes nan to the divergence. For a `KLDivLoss` it changes the construction, and is
        offered where every call of that module in the file wants it. An editor also offers `.exp()` of the target.
        """,
        references=(KL_DIV, LOG_TARGET, WRONG_INPUTS),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = _target_in(call, Space.LOG_PROBS)
        if argument is None or call.log_target is not False:
            return None
        message = (
            f"target of {callee(call)} is log-probabilities{because(argument, call)}; without log_target=True it takes "
            "probabilities: add log_target=True"
        )
        edits = turn_on_log_target(call)
        fix = unsafe("Add log_target=True", *edits) if edits else None
        return Report.of_argument(argument, call, message, fix, _wrapped(argument, "exp"))


class LogTargetOnProbabilities:
    """KLD302: torch was told of log-probabilities, and the target is probabilities."""

    code = "KLD302"
    name = "log-target-on-probabilities"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for probabilities as `target` with `log_target=True`.
        """,
        why_is_this_bad="""
        torch takes the exponential of the target once more. The loss is finite, positive and falls in training, and
        belongs to another target: it grows with the number of classes, two equal distributions have 6.8376 here, and
        the model converges to the softmax of the target's probabilities, which is nearly uniform.
        """,
        example="""
        target = F.softmax(teacher, dim=-1)
        loss = F.kl_div(F.log_softmax(student, dim=-1), target, reduction="batchmean", log_target=True)  # 7.9460
        """,
        use_instead="""
        target = F.softmax(teacher, dim=-1)
        loss = F.kl_div(F.log_softmax(student, dim=-1), target, reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence. For a `KLDivLoss` it changes the construction, and
        is offered where every call of that module in the file wants it. An editor also offers `.log()` of the target.
        """,
        references=(KL_DIV, LOG_TARGET),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = _target_in(call, Space.PROBS)
        if argument is None or call.log_target is not True:
            return None
        message = (
            f"target of {callee(call)} is probabilities{because(argument, call)}; with log_target=True it takes "
            "log-probabilities: drop log_target"
        )
        edits = turn_off_log_target(call)
        fix = unsafe("Drop log_target", *edits) if edits else None
        return Report.of_argument(argument, call, message, fix, _wrapped(argument, "log"))


class LogitsAsTarget:
    """KLD303: the target is logits, which nothing has normalised."""

    code = "KLD303"
    name = "logits-as-target"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for logits, such as the output of a linear layer, as `target`.
        """,
        why_is_this_bad="""
        torch does not normalise the target. One negative logit makes the loss nan; logits that happen to be positive
        (behind a relu) give a number that is no divergence: here 3.5275 with the logits' absolute values.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), teacher, reduction="batchmean")  # nan
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence. It is offered where the input's dim is known,
        which the target is then normalised along: with softmax, or with log_softmax where `log_target=True`.
        """,
        references=(KL_DIV, SOFTMAX),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = _target_in(call, Space.LOGITS)
        if argument is None:
            return None
        function = "log_softmax" if call.log_target is True else "softmax"
        taken = {True: "log-probabilities", False: "probabilities", None: "a distribution"}[call.log_target]
        message = f"target of {callee(call)} is logits{because(argument, call)}; it takes {taken}: use {function}"
        fix = normalise(argument, call.input, function, call) if call.log_target is not None else None
        return Report.of_argument(argument, call, message, fix)


class IndicesAsTarget:
    """KLD304: the target is class indices."""

    code = "KLD304"
    name = "indices-as-target"
    opt_in = False
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for class indices, such as the result of argmax, as `target`.
        """,
        why_is_this_bad="""
        `kl_div` takes a distribution over the classes. Integers raise RuntimeError; indices as floats, of shape [B,
        1], are broadcast over the classes and taken for probabilities, without a word.
        """,
        example="""
        labels = teacher.argmax(dim=1, keepdim=True)
        loss = F.kl_div(F.log_softmax(student, dim=-1), labels.float(), reduction="batchmean")  # 2.3996
        """,
        use_instead="""
        labels = teacher.argmax(dim=1)
        loss = F.cross_entropy(student, labels)  # 0.2538
        """,
        fix_safety="""
        There is no fix: `F.cross_entropy` takes logits and `F.nll_loss` log-probabilities, both with indices; their
        value is the divergence from the one-hot distribution.
        """,
        references=(CROSS_ENTROPY, KL_DIV),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = _target_in(call, Space.INDICES)
        if argument is None:
            return None
        message = (
            f"target of {callee(call)} is class indices{because(argument, call)}; it takes a distribution over the "
            "classes: use cross_entropy on the logits, or nll_loss on the log-probabilities"
        )
        return Report.of_argument(argument, call, message)


class DifferentiableProbabilityTarget:
    """KLD305: a gradient flows into a target of probabilities."""

    code = "KLD305"
    name = "differentiable-probability-target"
    opt_in = True
    fix = SAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for a softmax as `target` that is not proved to be detached, without `log_target=True`.
        """,
        why_is_this_bad="""
        The derivative with respect to a probability of exactly zero is nan, and softmax underflows to zero: one logit
        that lies 200 below the others, and every gradient of the teacher is nan, while the loss is fine. With
        log-probabilities and `log_target=True` both are. The rule is off until it is enabled: most targets are not
        trained.
        """,
        example="""
        wide = torch.tensor([[0.0, -200.0, 1.0]], requires_grad=True)
        loss = F.kl_div(F.log_softmax(student[:1], dim=-1), F.softmax(wide, dim=-1), reduction="batchmean")  # 1.8523
        slope = torch.autograd.grad(loss, wide)[0].max()  # nan
        """,
        use_instead="""
        wide = torch.tensor([[0.0, -200.0, 1.0]], requires_grad=True)
        log_wide = F.log_softmax(wide, dim=-1)
        loss = F.kl_div(F.log_softmax(student[:1], dim=-1), log_wide, reduction="batchmean", log_target=True)  # 1.8523
        slope = torch.autograd.grad(loss, wide)[0].max()  # 0.7864
        """,
        fix_safety="""
        The fix is safe: the value stays the same up to rounding, and the gradient is finite. It is offered where
        nothing else reads the softmax, and where its logits are not masked with -inf, of which log_target=True makes
        nan. For a `KLDivLoss` it changes the construction, where every call of that module
        in the file wants it; calls in other files, by a subclass say, are not seen.
        """,
        references=(TARGET_GRADIENT, XLOGY, KL_DIV),
    )

    def check(self, call: KLCall) -> Report | None:
        argument = _target_in(call, Space.PROBS)
        if argument is None or call.log_target is not False:
            return None
        value = argument.value
        if value.mass is not Mass.WHOLE or not value.carries_gradient or not is_softmax(value.producer):
            return None
        message = (
            f"target of {callee(call)} is a softmax{because(argument, call)} that a gradient may flow into, "
            "nan where it underflows: use log_softmax and log_target=True, or detach it"
        )
        edit = into_log_softmax(argument, call)
        setting = turn_on_log_target(call)
        fix = None
        # 0 for a class is nothing, -inf makes the loss nan
        if edit is not None and setting and not may_be_masked(argument):
            fix = Fix("Use log_softmax and log_target=True", Applicability.SAFE, (edit, *setting))
        return Report.of_argument(argument, call, message, fix)


TARGET_RULES = (
    LogTargetNotDeclared(),
    LogTargetOnProbabilities(),
    LogitsAsTarget(),
    IndicesAsTarget(),
    DifferentiableProbabilityTarget(),
)
