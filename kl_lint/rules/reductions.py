"""KLD2xx: how the elements become one number.

The settings of a `KLDivLoss` are judged where it is constructed, once, and not at its calls; what only a call can
tell (ranks, and what becomes of the result) is judged there.
"""

from __future__ import annotations

from kl_lint.finding import (
    Applicability,
    DropKeyword,
    Edit,
    Fix,
    NamePositional,
    RenameCallee,
    RenameKeyword,
    Replace,
    SetKeyword,
    Span,
    Wrap,
)
from kl_lint.flow.kl_call import KLCall, Kind, Reduction, Setting, Settings, Use
from kl_lint.flow.values import Mass
from kl_lint.rules.base import NO_FIX, SAFE_FIX, UNSAFE_FIX, Documentation, FixKind, Report
from kl_lint.rules.mending import unsafe, write_reduction
from kl_lint.rules.proofs import arguments, given, host, is_vector, literal_at
from kl_lint.rules.references import BATCHMEAN, CHANGE_MEAN, KL_DIV, KL_DIV_LOSS, ONE_OVER_N
from kl_lint.rules.wording import callee, trace_of

__all__ = ["OF_MEANS", "REDUCTION_RULES", "legacy_reduction"]

VALID = ("none", "mean", "batchmean", "sum")
DEPRECATED_MEAN = "elementwise_mean"
_SETTLED = (Kind.FUNCTIONAL, Kind.CONSTRUCTION)
"""The kinds whose settings are judged where they stand. The raw `torch.kl_div` has settings of another kind."""


def legacy_reduction(size_average: object, reduce: object) -> Reduction:
    """What torch makes of the legacy arguments: it looks at their truth, and None counts as true.

    Source: torch/nn/_reduction.py, legacy_get_string.
    """
    if not (reduce is None or reduce):
        return Reduction.NONE
    return Reduction.MEAN if size_average is None or size_average else Reduction.SUM


def _legacy(settings: Settings) -> tuple[tuple[str, Setting], ...]:
    """The legacy arguments that count, each with its name."""
    pairs = (("size_average", settings.size_average), ("reduce", settings.reduce))
    return tuple((name, setting) for name, setting in pairs if setting is not None and given(setting))


def _effect(settings: Settings) -> Reduction:
    """What the legacy arguments stand for, all of them known."""
    size_average, reduce = settings.size_average, settings.reduce
    return legacy_reduction(size_average and size_average.value, reduce and reduce.value)


def _report(call: KLCall, setting: Setting | None, message: str, fix: Fix | None = None, *more: Fix) -> Report:
    """A report of a setting, where the call writes it, else of the call."""
    written = setting.span if setting is not None else None
    span = written if written is not None and call.span.contains(written) else call.span
    return Report(span, call.span, message, trace_of(call), fix, more)


def _better(call: KLCall) -> str:
    """The reduction that divides by what it should: the batch, and by nothing where there is none."""
    return "sum" if is_vector(call) else "batchmean"


def _instead_of_mean(call: KLCall) -> Fix:
    """Give the reduction that makes a divergence of the mean, and say by what factor the number grows."""
    reduction = _better(call)
    edits = write_reduction(call, reduction)
    return unsafe(f'Use reduction="{reduction}": {_factor(call)}', *edits)


def _factor(call: KLCall) -> str:
    """By what the number grows: the sizes that the mean divides by, and the sum or "batchmean" does not."""
    ranks = [argument.value.rank for _, argument in arguments(call) if argument.value.rank is not None]
    match max(ranks, default=0):
        case 0:
            return "the mean times the product of the sizes after the first (on [B, C] the classes)"
        case 1 | 2:
            return "the number of classes times the mean"
        case rank:
            return f"the mean times the product of the {rank - 1} sizes after the first"


class DefaultReduction:
    """KLD201: no reduction was given, and the default is not the divergence."""

    code = "KLD201"
    name = "default-reduction"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `kl_div` and `KLDivLoss` without `reduction`. A call whose result is multiplied by a size that is not
        the batch's, such as `student.size(1)`, is left alone.
        """,
        why_is_this_bad="""
        The default, "mean", divides by the number of elements: by the batch, and by the number of classes too. The
        divergence is a sum over the classes, so the value is too small by that factor, and by another one as soon as
        the number of classes changes: here 0.0802 for 0.2406. On [B, T, C] it divides by T as well. torch warns of
        it, for a module at a line of its own where you look for yours, and has announced another default since 2018.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1))  # 0.0802
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: the loss and its gradient grow by the product of the sizes after the first, so its weight
        and the learning rate may want to be tuned again. With tensors that are proved 1-D it gives "sum": there
        "batchmean" is the mean. To keep the number, write the default out.
        """,
        references=(KL_DIV, ONE_OVER_N, BATCHMEAN, CHANGE_MEAN),
    )

    def check(self, call: KLCall) -> Report | None:
        settings = call.settings
        if call.kind not in _SETTLED or settings.open or settings.reduction is not None or _legacy(settings):
            return None
        if call.rescaled:
            return None
        message = (
            f"{callee(call)} without reduction takes the mean, which divides by the number of classes too: "
            f'use reduction="{_better(call)}"'
        )
        keep = Fix('Write the default out: reduction="mean"', Applicability.SAFE, write_reduction(call, "mean"))
        return _report(call, None, message, _instead_of_mean(call), keep)


class MeanReduction:
    """KLD202: the reduction is "mean", which is not the divergence."""

    code = "KLD202"
    name = "mean-reduction"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `reduction="mean"`, or its deprecated name "elementwise_mean", in `kl_div` and `KLDivLoss`. A call
        whose result is multiplied by a size that is not the batch's, such as `student.size(1)`, is left alone.
        """,
        why_is_this_bad="""
        "mean" divides by the number of elements: by the batch, and by the number of classes too. The divergence is a
        sum over the classes, so the value is too small by that factor: here 0.0802 for 0.2406.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="mean")  # 0.0802
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: the loss and its gradient grow by the product of the sizes after the first. It is offered
        where the call itself writes the string. Where the scale is wanted, a `# noqa` says so.
        """,
        references=(KL_DIV, ONE_OVER_N, CHANGE_MEAN),
    )

    def check(self, call: KLCall) -> Report | None:
        setting = call.settings.reduction
        if call.kind not in _SETTLED or setting is None or not setting.known or _legacy(call.settings):
            return None
        if setting.value not in ("mean", DEPRECATED_MEAN) or call.rescaled:
            return None
        message = (
            f'reduction="{setting.value}" of {callee(call)} divides by the number of classes too: '
            f'use reduction="{_better(call)}"'
        )
        fix = _instead_of_mean(call) if literal_at(setting, host(call)) else None
        return _report(call, setting, message, fix)


class ReductionAsSizeAverage:
    """KLD203: a reduction's name, in the place of a legacy flag."""

    code = "KLD203"
    name = "reduction-as-size-average"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for a string given as `size_average` or `reduce`, most often by position: `nn.KLDivLoss("batchmean")`.
        """,
        why_is_this_bad="""
        The first parameter of `KLDivLoss`, and the third of `kl_div`, is the legacy flag `size_average`. torch looks
        at its truth alone, and a string that is not empty is true: "batchmean", "sum" and "none" all take the mean.
        Here that is 0.0802 for 0.2406. torch then warns that the arguments are deprecated and to use
        reduction='mean', which is not what was meant either.
        """,
        example="""
        criterion = nn.KLDivLoss("batchmean")
        loss = criterion(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1))  # 0.0802
        """,
        use_instead="""
        criterion = nn.KLDivLoss(reduction="batchmean")
        loss = criterion(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1))  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: the reduction becomes the one that is written, which is not the one that was computed. It
        is offered where the string is a reduction.
        """,
        references=(KL_DIV_LOSS, KL_DIV),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.kind not in _SETTLED:
            return None
        strings = [(name, s) for name, s in _legacy(call.settings) if s.known and isinstance(s.value, str)]
        if not strings:
            return None
        name, setting = strings[0]
        text = _one_line_string(setting.value)
        message = (
            f"{text} is given to {callee(call)} as {name}, where torch reads it as {bool(setting.value)}"
            f"{self._outcome(call)}: name it reduction"
        )
        return _report(call, setting, message, self._fix(call, name, setting))

    @staticmethod
    def _outcome(call: KLCall) -> str:
        if call.settings.reduction is not None or not all(setting.known for _, setting in _legacy(call.settings)):
            return ""
        return f' and takes the reduction "{_effect(call.settings).value}"'

    @staticmethod
    def _fix(call: KLCall, name: str, setting: Setting) -> Fix | None:
        settings = call.settings
        legacy = (settings.size_average, settings.reduce)
        others = [other for other in legacy if other is not None and other is not setting]
        if setting.value not in VALID or settings.open or settings.reduction is not None or setting.span is None:
            return None
        if not call.span.contains(setting.span) or _by_position(settings.log_target):
            return None
        if setting.keyword is not None:
            return None if others else unsafe("Name it reduction", RenameKeyword(call.span, name, "reduction"))
        if setting.position is None or any(not _is_placeholder(other, setting.position) for other in others):
            return None
        return unsafe("Name it reduction", NamePositional(call.span, setting.position, "reduction", None, len(others)))


def _by_position(setting: Setting | None) -> bool:
    return setting is not None and setting.position is not None


def _is_placeholder(setting: Setting, position: int) -> bool:
    """Whether it is a None that only keeps the place before `position`."""
    return setting.literal and setting.value is None and setting.position == position - 1


def _one_line_string(value: object) -> str:
    """A string as Python writes it with double quotes, shortened where it goes on."""
    text = str(value).encode("unicode_escape").decode("ascii")
    return f'"{text[:40]}"'


class LegacyReductionArguments:
    """KLD204: `size_average` and `reduce`, which `reduction` has replaced."""

    code = "KLD204"
    name = "legacy-reduction-arguments"
    opt_in = False
    fix = SAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `size_average` and `reduce`. None, said or left out, is no use of them:
        `F.kl_div(a, b, None, None, "sum")` is right.
        """,
        why_is_this_bad="""
        Both are deprecated, and either one overrides `reduction`, which is then not even looked at: with
        `size_average=False` any misspelt reduction passes. In `kl_div`, but not in `KLDivLoss`,
        `reduction="batchmean"` still divides by the batch afterwards: with `size_average=True` the mean is divided
        once more and gives 0.0401, which is no reduction at all.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), size_average=False)  # 0.4812
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="sum")  # 0.4812
        """,
        fix_safety="""
        The fix is safe: it writes the reduction that has the same value. Where none has, there is no fix to apply,
        and an editor offers `reduction="batchmean"` alone.
        """,
        references=(KL_DIV, KL_DIV_LOSS),
    )

    def check(self, call: KLCall) -> Report | None:
        legacy = _legacy(call.settings)
        if call.kind not in _SETTLED or not legacy:
            return None
        if any(not setting.known or isinstance(setting.value, str) for _, setting in legacy):
            return None
        said = ", ".join(f"{name}={setting.value!r}" for name, setting in legacy)
        return self._judge(call, said, legacy[0][1], _equivalent(call))

    @staticmethod
    def _judge(call: KLCall, said: str, first: Setting, same: str | None) -> Report:
        if same is not None:
            edits = _replace_legacy(call, same)
            fix = Fix(f'Use reduction="{same}", which has the same value', Applicability.SAFE, edits) if edits else None
            return _report(
                call,
                first,
                f'{said} of {callee(call)} is deprecated: use reduction="{same}", which has the same value',
                fix,
            )
        reduction = call.settings.reduction
        if reduction is None or not reduction.known:
            return _report(
                call, first, f"{said} of {callee(call)} is deprecated and overrides reduction: give reduction alone"
            )
        message = (
            f'{said} overrides reduction="batchmean" of {callee(call)}, but the batch is divided by all the same: '
            'give reduction="batchmean" alone'
        )
        edits = _replace_legacy(call, "batchmean")
        return _report(
            call, first, message, None, *([unsafe('Give reduction="batchmean" alone', *edits)] if edits else [])
        )


def _equivalent(call: KLCall) -> str | None:
    """The reduction that has the same value as the legacy arguments; None where none has, or nobody can know."""
    effect, reduction = _effect(call.settings), call.settings.reduction
    if call.kind is Kind.CONSTRUCTION:
        return effect.value
    if call.settings.open or (reduction is not None and not reduction.known):
        return None
    if reduction is not None and reduction.value == "batchmean":
        return "batchmean" if effect is Reduction.SUM else None
    return effect.value


def _replace_legacy(call: KLCall, reduction: str) -> tuple[Edit, ...]:
    """Write the reduction in place of the legacy arguments; no edits where they are not all written at the call."""
    settings = call.settings
    pairs = (("size_average", settings.size_average), ("reduce", settings.reduce), ("reduction", settings.reduction))
    written = [(name, setting) for name, setting in pairs if setting is not None]
    if settings.open or _by_position(settings.log_target):
        return ()
    if any(literal_at(setting, call.span) is None for _, setting in written):
        return ()
    positions = [setting.position for _, setting in written if setting.position is not None]
    keywords = [name for name, setting in written if setting.position is None]
    if positions and "reduction" in keywords:
        return ()  # the positional one cannot become a keyword that is there already
    if positions:
        dropped = tuple(DropKeyword(call.span, name) for name in keywords)
        first, last = 2 if call.kind is Kind.FUNCTIONAL else 0, max(positions)
        return (*dropped, NamePositional(call.span, last, "reduction", f'"{reduction}"', last - first))
    if "reduction" in keywords:
        dropped = tuple(DropKeyword(call.span, name) for name in keywords if name != "reduction")
        return (*dropped, SetKeyword(call.span, "reduction", f'"{reduction}"'))
    renamed = RenameKeyword(call.span, keywords[0], "reduction", f'"{reduction}"')
    return (renamed, *(DropKeyword(call.span, name) for name in keywords[1:]))


class MeanOverClasses:
    """KLD205: an unreduced divergence, averaged over the classes by hand."""

    code = "KLD205"
    name = "mean-over-classes"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `reduction="none"` followed by a mean in which the class dimension takes part, and which is not
        multiplied by the number of classes.
        """,
        why_is_this_bad="""
        One element is a term of the divergence, not a divergence: the terms of a distribution are to be summed.
        `.mean()` over everything, or over the class dimension, divides by the number of classes, as
        `reduction="mean"` does, and without its warning: 0.0802 for 0.2406.
        """,
        example="""
        terms = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="none")
        loss = terms.mean()  # 0.0802
        """,
        use_instead="""
        terms = F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="none")
        loss = terms.sum(dim=-1).mean()  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: it changes the number to the divergence, averaged over the distributions. It is offered
        where the class dimension is known, and not in a helper that other losses are handed to as well.
        """,
        references=(KL_DIV, ONE_OVER_N),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.kind is Kind.CONSTRUCTION or call.reduction is not Reduction.NONE or not call.uses or call.rescaled:
            return None
        use = call.uses[0]
        message = (
            f"the unreduced {callee(call)} is averaged over the classes ({use.how}, line {use.span.row}), "
            "which divides by their number: sum over the classes first"
        )
        return Report(call.span, call.span, message, trace_of(call, call.input, call.target), self._fix(call))

    @staticmethod
    def _fix(call: KLCall) -> Fix | None:
        edits = [_sum_over_classes(use) for use in call.uses]
        known = [edit for edit in edits if edit is not None]
        if len(known) != len(edits):
            return None
        return unsafe("Sum over the classes, then take the mean", *dict.fromkeys(known))


def _sum_over_classes(use: Use) -> Edit | None:
    """Sum where one averages over the class dimension; before it, where one averages over everything."""
    if use.dim is None:
        return None
    if not use.everything:
        return RenameCallee(use.span, "sum")
    return Wrap(use.operand, "", f".sum({use.dim})") if use.operand is not None else None


class InvalidReduction:
    """KLD206: a reduction that torch does not know."""

    code = "KLD206"
    name = "invalid-reduction"
    opt_in = False
    fix = FixKind(Applicability.UNSAFE, " where the intent is plain")
    documentation = Documentation(
        what_it_does="""
        Checks for a `reduction` that is none of "none", "mean", "batchmean" and "sum".
        """,
        why_is_this_bad="""
        `kl_div` raises ValueError. `KLDivLoss` accepts anything and raises at its first call, which may be far away.
        """,
        example="""
        log_probs, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batch_mean")  # ValueError
        """,
        use_instead="""
        log_probs, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
        loss = F.kl_div(log_probs, target, reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        The fix is unsafe: code that raised runs. It is offered for what is one of the four in another spelling, and
        not for the likes of "avg" and None.
        """,
        references=(KL_DIV, KL_DIV_LOSS),
    )

    def check(self, call: KLCall) -> Report | None:
        setting = call.settings.reduction
        if call.kind not in _SETTLED or setting is None or not setting.known or _legacy(call.settings):
            return None
        if setting.value in (*VALID, DEPRECATED_MEAN):
            return None
        text = _one_line_string(setting.value) if isinstance(setting.value, str) else repr(setting.value)
        when = "when it is called" if call.kind is Kind.CONSTRUCTION else "here"
        meant = _meant(setting.value)
        remedy = f'use "{meant}"' if meant else 'use "batchmean", "sum", "mean" or "none"'
        message = f"reduction={text} of {callee(call)} is none that torch knows; it raises ValueError {when}: {remedy}"
        literal = literal_at(setting, host(call))
        fix = unsafe(f'Use reduction="{meant}"', Replace(literal, f'"{meant}"')) if meant and literal else None
        return _report(call, setting, message, fix)


def _meant(value: object) -> str | None:
    """The reduction that a string spells in another way: in capitals, with an underscore, with a slip of a letter."""
    if not isinstance(value, str):
        return None
    from difflib import get_close_matches

    plain = "".join(letter for letter in value.lower() if letter.isalnum())
    return next(iter(get_close_matches(plain, VALID, n=1, cutoff=0.8)), None)


class BatchmeanWithoutBatch:
    """KLD207: batchmean of a tensor whose first dimension is the classes."""

    code = "KLD207"
    name = "batchmean-without-batch"
    opt_in = False
    fix = UNSAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `reduction="batchmean"` where the input is proved to be 1-D.
        """,
        why_is_this_bad="""
        "batchmean" divides by the first size of the input, whatever that is. A 1-D tensor has no batch: the first
        size is the number of classes, and "batchmean" is "mean", 0.0374 both, where the divergence is 0.1123.
        """,
        example="""
        loss = F.kl_div(F.log_softmax(student[0], dim=0), F.softmax(teacher[0], dim=0), reduction="batchmean")  # 0.0374
        """,
        use_instead="""
        loss = F.kl_div(F.log_softmax(student[0], dim=0), F.softmax(teacher[0], dim=0), reduction="sum")  # 0.1123
        """,
        fix_safety="""
        The fix is unsafe: the number grows by the number of classes. It is not offered for a module that is also
        called with a batch.
        """,
        references=(KL_DIV, KL_DIV_LOSS),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.input is None or call.reduction is not Reduction.BATCHMEAN or call.input.value.rank != 1:
            return None
        message = (
            f"input to {callee(call)} is 1-D and has no batch: batchmean divides by the number of elements, "
            'as mean does; use reduction="sum"'
        )
        whole = any(argument.value.mass is Mass.WHOLE for _, argument in arguments(call))
        mendable = is_vector(call) and whole and call.settings.reduction is not None
        edits = write_reduction(call, "sum") if mendable else ()
        return _report_at_batchmean(call, message, unsafe('Use reduction="sum"', *edits) if edits else None)


class BatchmeanOverPositions:
    """KLD208: batchmean of more than one distribution per sample."""

    code = "KLD208"
    name = "batchmean-over-positions"
    opt_in = True
    fix = NO_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `reduction="batchmean"` where the input is proved to have three dimensions or more.
        """,
        why_is_this_bad="""
        "batchmean" divides by the first size alone. On [B, T, C] it is the divergence summed over the T positions,
        which grows with the length of the sequence; on [B, C, H, W] it grows with the image. Here, with two
        positions, it is 0.4812 where a position has 0.2406. That may be meant, so the rule is off until it is
        enabled.
        """,
        example="""
        logits, targets = student.expand(4, 2, 3), teacher.expand(4, 2, 3)
        loss = F.kl_div(F.log_softmax(logits, dim=-1), F.softmax(targets, dim=-1), reduction="batchmean")  # 0.4812
        """,
        use_instead="""
        logits, targets = student.expand(4, 2, 3).flatten(0, 1), teacher.expand(4, 2, 3).flatten(0, 1)
        loss = F.kl_div(F.log_softmax(logits, dim=-1), F.softmax(targets, dim=-1), reduction="batchmean")  # 0.2406
        """,
        fix_safety="""
        There is no fix: whether a sum or a mean over the positions is meant, the code does not say.
        """,
        references=(KL_DIV,),
    )

    def check(self, call: KLCall) -> Report | None:
        if call.input is None or call.reduction is not Reduction.BATCHMEAN:
            return None
        rank = call.input.value.rank
        if rank is None or rank < 3:
            return None
        message = (
            f"input to {callee(call)} is {rank}-D: batchmean divides by its first size only, and sums over every "
            "position; flatten to [-1, C] for the mean over positions"
        )
        return _report_at_batchmean(call, message)


def _report_at_batchmean(call: KLCall, message: str, fix: Fix | None = None) -> Report:
    """A report of the batchmean that a call's rank makes wrong: at the construction that says it, else at the call."""
    place: Span = host(call) or call.span
    return Report(place, place, message, trace_of(call, call.input), fix)


REDUCTION_RULES = (
    DefaultReduction(),
    MeanReduction(),
    ReductionAsSizeAverage(),
    LegacyReductionArguments(),
    MeanOverClasses(),
    InvalidReduction(),
    BatchmeanWithoutBatch(),
    BatchmeanOverPositions(),
)
OF_MEANS = frozenset({DefaultReduction.code, MeanReduction.code, BatchmeanWithoutBatch.code})
"""The rules that miss a sum over the classes."""
