"""What must hold of every fix: it settles, it mends what it says, and torch computes what was meant.

Each check yields complaints in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import cached_property

from torch import Tensor

from kl_lint.finding import Applicability, Finding
from kl_lint.rewriting import FixResult
from tests.generated.examination import OPT_IN, Examined
from tests.generated.grammar import Call, Program, Setting
from tests.generated.meaning import Meant, divergence_of, meant
from tests.generated.oracle import (
    UNDERFLOW,
    Divergence,
    Run,
    Witnessed,
    close,
    misuses,
    normalises_shares,
    readings,
    same_logs,
)

ABOUT_ARGUMENTS = {f"KLD{number}" for number in (101, 102, 103, 104, 105, 106, 107, 301, 302, 303, 304, 401, 503, 505)}
ABOUT_EITHER = {f"KLD{number}" for number in (103, 104, 105, 106, 502, 503, 505)}
"""Where one of the two arguments is mended, the other may be found."""
ABOUT_REDUCTIONS = {f"KLD{number}" for number in range(201, 208)}
MENDED_FOR_ALL = frozenset({"KLD103", "KLD104"})
"""What is wrong for whoever reads it."""
GIVEN_UP = ("undo each other", "were not enough", "would still be there", "could not be checked", "than was planned")
"""What no fix may be refused for: the rule offered what does not work."""


def fix_failures(program: Program, examined: Examined) -> Iterator[str]:
    """What is wrong with the fixes of a program: the safe ones, all of them, and with opt-in rules too."""
    for unsafe, enable in ((False, OPT_IN), (True, frozenset[str]())):
        if not any(_is_due(finding, unsafe, enable) for finding in examined.findings):
            continue
        result = examined.mend(examined.source, unsafe=unsafe, enable=enable)
        complaints = [*_refused(result)]
        if result.source != examined.source:
            complaints += [
                *_unsettled(program, examined, result, unsafe, enable),
                *_numbers(program, examined, result, unsafe),
            ]
        changes = _difference(examined.source, result.source)
        yield from (f"{'all' if unsafe else 'safe'} fixes: {complaint}\n{changes}" for complaint in complaints)


def _is_due(finding: Finding, unsafe: bool, enable: frozenset[str]) -> bool:
    """Whether a finding has a fix that is to be made."""
    fix, on = finding.fix, finding.code in enable or finding.code not in OPT_IN
    return on and fix is not None and (unsafe or fix.applicability is Applicability.SAFE)


def _difference(before: str, after: str) -> str:
    return "\n".join(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))


def _refused(result: FixResult) -> Iterator[str]:
    for finding, reason in result.refused:
        if reason.endswith(GIVEN_UP):
            yield f"{finding.code} line {finding.span.row} is refused: {reason}"


def _unsettled(
    program: Program, examined: Examined, result: FixResult, unsafe: bool, enable: frozenset[str]
) -> Iterator[str]:
    """A second run must change nothing, and what was mended must be gone: of several divergences, another one may be
    found once its arguments are mended.
    """
    again = examined.mend(result.source, unsafe=unsafe, enable=enable)
    if again.source != result.source:
        yield f"a second run changes the program again:\n{_difference(result.source, again.source)}"
    before = Counter(finding.code for finding in examined.findings)
    after = Counter(finding.code for finding in result.remaining)
    for code in sorted({finding.code for finding in result.fixed} - ABOUT_EITHER):
        if after[code] >= before[code] > 0 and len(program.pairs) == 1:
            yield f"{code} was mended and is still found"


def _numbers(program: Program, examined: Examined, result: FixResult, unsafe: bool) -> Iterator[str]:
    """Run the mended program, and compare."""
    for flag, before in zip((True, False), examined.runs, strict=True):
        after = examined.run(result.source, flag)
        mended = Mended(program, result, flag, before, after)
        if after.error is not None:
            if before.error is None or "KLD206" in mended.fixed:
                yield f"the mended program raises {after.error!r}"
        else:
            yield from _meant_numbers(mended) if unsafe else _same_numbers(before, after)
            yield from _seen_numbers(mended)


def _same_numbers(before: Run, after: Run) -> Iterator[str]:
    """A safe fix keeps value and gradients; one that was nan or infinite may become finite."""
    if before.value is None or after.value is None:
        return
    pairs = zip((before.value, *before.gradients), (after.value, *after.gradients), strict=True)
    for name, (one, other) in zip(("value", "gradient of x", "gradient of y"), pairs, strict=True):
        if bool(one.isfinite().all()) and not close(one, other):
            yield f"the {name} was {one}\n  and is {other}"


def _seen_numbers(mended: Mended) -> Iterator[str]:
    """What others read is what it was, except where it was mended for them as well."""
    before, after = mended.before, mended.after
    if before.error is not None or mended.fixed & MENDED_FOR_ALL:
        return
    if len(before.seen) != len(after.seen):
        yield f"{len(before.seen)} tensors were seen, and are {len(after.seen)}"
        return
    # exchanged arguments are evaluated the other way round
    turned = list(after.seen) if "KLD401" in mended.fixed else []
    for one, other in zip(before.seen, after.seen, strict=True):
        if any(same_logs(one, candidate) for candidate in turned):
            continue
        if bool(one.isfinite().all()) and not same_logs(one, other):  # an epsilon shows where nothing else is left
            yield f"what something else reads was {one}\n  and is {other}"


@dataclass(frozen=True)
class Mended:
    """A program before and after its fixes, run with one value of the flag."""

    program: Program
    result: FixResult
    flag: bool
    before: Run
    after: Run

    @cached_property
    def fixed(self) -> frozenset[str]:
        return frozenset(finding.code for finding in self.result.fixed)

    @cached_property
    def remaining(self) -> frozenset[str]:
        return frozenset(finding.code for finding in self.result.remaining)

    @property
    def simple(self) -> bool:
        """Whether there is one divergence, on one path, and nothing unknown about it."""
        program = self.program
        return len(program.pairs) == 1 and not program.forked and not program.opaque

    @property
    def settled(self) -> bool:
        """Whether the arguments have been mended, and torch sees nothing wrong with them."""
        seen = Witnessed(self.after.divergences[0], self.after)
        wrong = {"input", "target", "twice", "average"} & misuses(seen) or normalises_shares(seen)
        return self.simple and bool(self.fixed & ABOUT_ARGUMENTS) and not self.remaining & ABOUT_ARGUMENTS and not wrong

    def meanings(self, index: int) -> tuple[Meant, ...]:
        """What the divergence of that index is about; exchanged arguments may have been told apart by another fix."""
        pairs = self.program.pairs
        given, target = pairs[index if len(pairs) > 1 else 0]
        found = meant(given, target, self.program, self.flag)
        turned = tuple(replace(one, input=one.target, target=one.input) for one in found)
        return (*found, *turned) if "KLD401" in self.fixed else found


def _meant_numbers(mended: Mended) -> Iterator[str]:
    """Every argument is what was meant; what was not mended is what it was. Of three softmaxes one may stay unseen."""
    before, after = mended.before.divergences, mended.after.divergences
    if mended.before.error is None and len(before) != len(after):
        yield f"there were {len(before)} divergences, and are {len(after)}"
        return
    for index, divergence in enumerate(after):
        old = before[index] if index < len(before) else None
        meanings = mended.meanings(index)
        if meanings and (old is not None or mended.settled):
            yield from _arguments(mended, divergence, old, meanings)
    settings = mended.program.settings
    if mended.remaining & ABOUT_REDUCTIONS or len(mended.program.pairs) > 1 or any(one.otherwise for one in settings):
        return
    for divergence in after:
        wanted = _intended_reductions(settings, mended.program.call, divergence)
        if not divergence.legacy.given and divergence.reduction not in wanted:
            yield f"the reduction is {divergence.reduction}, and what is meant is {' or '.join(sorted(wanted))}"
    if mended.settled:
        yield from _value(mended)


def _arguments(mended: Mended, new: Divergence, old: Divergence | None, meanings: tuple[Meant, ...]) -> Iterator[str]:
    given, target = _taken(new)
    was_given, was_target = _taken(old) if old is not None else (None, None)
    sides = (
        ("input", given, was_given, new.input, None if old is None else old.input, [pair.input for pair in meanings]),
        (
            "target",
            target,
            was_target,
            new.target,
            None if old is None else old.target,
            [pair.target for pair in meanings],
        ),
    )
    doubled = {finding.message.split()[0] for finding in mended.result.fixed if finding.code == "KLD104"}
    for name, now, was, now_raw, was_raw, right in sides:
        if old is not None and not (mended.settled and name in doubled):
            recorded = (
                (old.input, old.target) if "KLD401" in mended.fixed else (old.input if name == "input" else old.target,)
            )
            right += [reading for tensor in recorded for reading in readings(tensor)]
        accepted = any(same_logs(now, one) for one in right)
        if not accepted and not mended.settled:
            read = any(same_logs(one, other) for one in readings(now_raw) for other in right)
            accepted = read or (was is not None and same_logs(now, was))
        if not accepted and "KLD104" in mended.fixed:
            accepted = normalises_shares(Witnessed(new, mended.after))
        if not accepted:
            yield f"the {name} was\n{was_raw}\n  is\n{now_raw}\n  and what is meant is\n{right[0]}"


def _taken(divergence: Divergence) -> tuple[Tensor, Tensor]:
    """Both arguments as torch takes them, in log-probabilities."""
    target = divergence.target
    return divergence.input, target if divergence.log_target else target.log()


def _intended_reductions(settings: tuple[Setting, ...], call: Call, divergence: Divergence) -> frozenset[str]:
    """What the author of these settings wants; of a 1-D tensor, the sum is always right."""
    told = {setting.name: eval(setting.value) for setting in settings}
    size_average, reduce, reduction = (told.get(name) for name in ("size_average", "reduce", "reduction"))
    if isinstance(size_average, str):
        name = size_average
    elif reduce is not None and not reduce:
        name = "none"
    elif size_average is not None and not size_average:
        name = "batchmean" if reduction == "batchmean" and not call.module else "sum"
    elif size_average is not None or reduce is not None or reduction is None:
        name = "mean"
    else:
        name = {"batch_mean": "batchmean", "Sum": "sum", "elementwise_mean": "mean"}.get(reduction, reduction)
    wanted = "batchmean" if name == "mean" else name
    return frozenset({wanted, "sum"} if wanted == "batchmean" and divergence.input.dim() == 1 else {wanted})


def _value(mended: Mended) -> Iterator[str]:
    """The divergence, reduced as torch is told to; an unreduced one is averaged over its positions."""
    program, divergence = mended.program, mended.after.divergences[0]
    values = []
    for pair in mended.meanings(0):
        elements = divergence_of(pair)
        if divergence.legacy.given or bool((pair.input < UNDERFLOW).any() or (pair.target < UNDERFLOW).any()):
            return  # an epsilon shows where nothing else is left
        match divergence.reduction:
            case "sum":
                values.append(elements.sum())
            case "batchmean":
                values.append(elements.sum() / divergence.input.shape[0])
            case "none" if ".mean" in program.tail.after and elements.dim() == 2 and "KLD501" not in mended.remaining:
                classes = 1 if close(pair.target.exp().sum(1), pair.target.new_ones(len(elements))) else 0
                values.append(elements.sum(classes).mean())
            case _:
                return
    now = mended.after.value
    if values and now is not None and not any(close(now, value) for value in values):
        yield f"the value is {now}, and the divergence is {values[0]}"
