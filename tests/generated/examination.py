"""Everything that must hold of kl-lint and one program: what it reports, what it claims, what it mends.

Each check yields complaints in words; none means that all is well.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from kl_lint.engine import split_lines
from kl_lint.finding import Finding
from kl_lint.flow import Facts, analyse
from kl_lint.flow.kl_call import Kind, Site
from kl_lint.rewriting import FixResult, fix_source
from kl_lint.rules import judge
from tests.generated.grammar import Call, Program, Setting, arms
from tests.generated.oracle import (
    FAMILIES,
    UNDERFLOW,
    Divergence,
    Meant,
    Run,
    Witnessed,
    as_logs,
    close,
    covers,
    divergence_of,
    judge as judged_by_torch,
    log_sums,
    meant,
    misuses,
    runs,
    same_logs,
    subject,
    sums,
    witnesses,
)

OPT_IN = frozenset({"KLD208", "KLD305"})
ARGUMENT_CODES = {f"KLD{number}" for number in (101, 102, 103, 104, 105, 106, 107, 301, 302, 303, 304, 401, 503, 505)}
REDUCTION_CODES = {f"KLD{number}" for number in range(201, 208)}
GIVEN_UP = ("undo each other", "were not enough", "would still be there", "could not be checked")
"""What a fix must never be refused for."""


@dataclass(frozen=True)
class Examined:
    """A program, what torch saw of it, and what kl-lint says."""

    program: Program

    @cached_property
    def source(self) -> str:
        return self.program.source

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        return runs(self.source, self.program)

    @cached_property
    def facts(self) -> Facts:
        return analyse(ast.parse(self.source), split_lines(self.source), "generated.py")

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return judge(self.facts, enable=OPT_IN)

    def at(self, site: Site) -> list[Finding]:
        """The findings of a site."""
        return [one for one in self.findings if one.noqa_row == site.span.row and site.span.contains(one.span)]


# --- reports and claims ----------------------------------------------------------------------------------------------


def errors(examined: Examined) -> Iterator[str]:
    """What keeps a program from being a witness: that is a defect of the grammar."""
    for run in examined.runs:
        if run.error is not None and "is not a valid value for reduction" not in str(run.error):
            yield f"the program raises {run.error!r}"


def contradictions(examined: Examined) -> Iterator[str]:
    """Reports that the tensors contradict."""
    for site in examined.facts.sites:
        seen = witnesses(examined.runs, site)
        for finding in examined.at(site):
            reasons = (judged_by_torch(finding.code, subject(finding, site), one) for one in seen)
            reason = next((reason for reason in reasons if reason is not None), None)
            if reason is not None:
                yield f"line {finding.span.row}: {finding.code} {finding.message}\n  but {reason}"


def false_claims(examined: Examined) -> Iterator[str]:
    """Divergences of which the analysis claims what is not so."""
    if not examined.facts.complete:
        yield "the analysis stopped at its bound"
    for site in examined.facts.sites:
        if site.kind is not Kind.CONSTRUCTION:
            for one in witnesses(examined.runs, site):
                if not covers(site, one.divergence):
                    yield f"line {site.span.row}: no path that was found is the one that ran\n{_claims(site)}"
                    break


def _claims(site: Site) -> str:
    calls = [call for context in site.contexts for call in context.variants]
    values = [(argument.value for argument in (call.input, call.target) if argument is not None) for call in calls]
    lines = [
        ", ".join(f"{value.space.value} {value.mass.value} dim={value.dim} rank={value.rank}" for value in pair)
        + f", {call.reduction.value}, log_target={call.log_target}"
        for call, pair in zip(calls, values, strict=True)
    ]
    return "\n".join(f"  {line}" for line in lines)


# --- what should have been reported ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """Misuses that torch saw, and how many of them were reported, by family."""

    shown: Counter[str]
    reported: Counter[str]

    def share(self, family: str) -> float:
        return self.reported[family] / max(self.shown[family], 1)


def tally(examined: Examined, counts: Tally) -> list[str]:
    """Count the misuses of a program in which nothing is unknown and nothing decided by a flag; those that were missed."""
    program = examined.program
    if program.opaque or program.forked or len(program.pairs) > 1:
        return []
    missed: list[str] = []
    seen = Witnessed(examined.runs[0].divergences[0], examined.runs[0])
    codes = {finding.code for finding in examined.findings}
    for family in sorted(misuses(seen)):
        counts.shown[family] += 1
        if codes & FAMILIES[family]:
            counts.reported[family] += 1
        else:
            missed.append(family)
    return missed


# --- fixes -----------------------------------------------------------------------------------------------------------


def fix_failures(examined: Examined) -> Iterator[str]:
    """What is wrong with the fixes of a program."""
    for unsafe in (False, True):
        result = fix_source(examined.source, "generated.py", unsafe=unsafe)
        for complaint in _of_one_fix(examined, result, unsafe):
            yield f"{'--unsafe-fixes' if unsafe else '--fix'}: {complaint}\n{_difference(examined.source, result.source)}"


def _of_one_fix(examined: Examined, result: FixResult, unsafe: bool) -> Iterator[str]:
    for finding, reason in result.refused:
        if reason.endswith(GIVEN_UP):
            yield f"{finding.code} line {finding.span.row} is refused: {reason}"
    if result.source == examined.source:
        return
    again = fix_source(result.source, "generated.py", unsafe=unsafe)
    if again.source != result.source:
        yield f"a second run changes the program again:\n{_difference(result.source, again.source)}"
    fixed = {finding.code for finding in result.fixed}
    stay = {finding.code for finding in result.remaining} & fixed
    if stay and len(examined.program.pairs) == 1 and not examined.program.forked:
        before = Counter(finding.code for finding in examined.findings)
        after = Counter(finding.code for finding in result.remaining)
        yield from (f"{code} was mended and is still found" for code in stay if after[code] >= before[code] > 0)
    mended = runs(result.source, examined.program)
    for flag, before_run, after_run in zip((True, False), examined.runs, mended, strict=True):
        if after_run.error is not None:
            if before_run.error is None or "KLD206" in fixed:
                yield f"the mended program raises {after_run.error!r}"
        elif not unsafe:
            yield from _same_number(before_run, after_run)
        else:
            yield from _meant_number(examined, result, flag, before_run, after_run)


def _same_number(before: Run, after: Run) -> Iterator[str]:
    """A safe fix keeps value and gradient."""
    if before.value is not None and after.value is not None:
        if not close(before.value, after.value):
            yield f"the value was {before.value}, and is {after.value}"
        for one, other in zip(before.gradients, after.gradients, strict=True):
            if not close(one, other) and bool(one.isfinite().all()):
                yield f"a gradient was\n{one}\n  and is\n{other}"


def _meant_number(examined: Examined, result: FixResult, flag: bool, before: Run, after: Run) -> Iterator[str]:
    """An unsafe fix leaves an argument as it is, or makes of it what was meant; all of them, where nothing remains to be mended."""
    program = examined.program
    remaining = {finding.code for finding in result.remaining}
    fixed = {finding.code for finding in result.fixed}
    complete = bool(fixed & ARGUMENT_CODES) and not remaining & ARGUMENT_CODES and not program.opaque
    intentions = [_intention(examined, index, flag, before) for index in range(len(program.pairs))]
    if before.error is None and len(after.divergences) != len(before.divergences):
        yield f"there were {len(before.divergences)} divergences, and are {len(after.divergences)}"
        return
    for index, divergence in enumerate(after.divergences):
        old = before.divergences[index] if index < len(before.divergences) else None
        pair = intentions[index if len(program.pairs) > 1 else 0]
        mended = not misuses(Witnessed(divergence, after)) & {"input", "target"}
        alone = complete and mended and len(program.pairs) == 1 and not program.forked
        yield from _argument_is(divergence, old, pair, complete=alone, once=alone and "KLD104" in fixed)
    if not remaining & REDUCTION_CODES and len(program.pairs) == 1 and all(one.otherwise is None for one in program.settings):
        for divergence in after.divergences:
            yield from _reduction_is(divergence, intended_reductions(program.settings, program.call, flag, divergence))
    if (
        complete
        and not remaining & REDUCTION_CODES
        and len(program.pairs) == 1
        and intentions[0] is not None
        and not program.forked
    ):
        yield from _value_is(after, intentions[0], program)


def _intention(examined: Examined, index: int, flag: bool, before: Run) -> Meant | None:
    given, target = examined.program.pairs[index]
    told = [setting for setting in examined.program.settings if setting.name == "log_target"]
    logs = bool(told) and (told[0].value if flag or told[0].otherwise is None else told[0].otherwise) == "True"
    return meant(given, target, examined.program, flag, logs)


def _argument_is(
    new: Divergence, old: Divergence | None, pair: Meant | None, *, complete: bool, once: bool
) -> Iterator[str]:
    """It is what is meant, or what was recorded, read as a distribution; where it was neither, it may be left alone."""
    if pair is None:
        return
    now = {"input": new.input, "target": as_logs(new.target, new.log_target)}
    was = {"input": old.input, "target": as_logs(old.target, old.log_target)} if old is not None else {}
    raw = {"input": old.input, "target": old.target} if old is not None else {}
    for name, wanted in (("input", pair.input), ("target", pair.target.log())):
        right = same_logs(now[name], wanted)
        if old is not None and not once:
            right = right or any(same_logs(now[name], recorded) for recorded in _readings(raw[name]))
        if not right and not complete:
            new_raw = new.input if name == "input" else new.target
            right = any(same_logs(reading, wanted) for reading in _readings(new_raw))
            right = right or (old is not None and same_logs(now[name], was[name]))
        if not right:
            yield f"the {name} was\n{raw.get(name)}\n  is\n{now[name]}\n  and what is meant is\n{wanted}"


def _readings(tensor: Tensor) -> Iterator[Tensor]:
    """A recorded tensor as log-probabilities, if it is a distribution in either form."""
    if sums(tensor):
        yield tensor.log()
    if log_sums(tensor):
        yield tensor


def _reduction_is(divergence: Divergence, wanted: frozenset[str]) -> Iterator[str]:
    if divergence.legacy.given:
        return
    if divergence.reduction not in wanted:
        yield f"the reduction is {divergence.reduction}, and what is meant is {' or '.join(sorted(wanted))}"


def intended_reductions(
    settings: tuple[Setting, ...], call: Call, flag: bool, divergence: Divergence
) -> frozenset[str]:
    """What the author of these settings wants; of a 1-D tensor, the sum is always right."""
    told = {
        setting.name: eval(setting.value if flag or setting.otherwise is None else setting.otherwise)
        for setting in settings
    }
    size_average, reduce, reduction = (told.get(name) for name in ("size_average", "reduce", "reduction"))
    name: object
    if isinstance(size_average, str):
        name = size_average
    elif reduce is not None and not reduce:
        name = "none"
    elif size_average is not None or reduce is not None:
        name = (
            "mean"
            if size_average is None or size_average
            else "batchmean"
            if reduction == "batchmean" and not call.module
            else "sum"
        )
    else:
        name = {"batch_mean": "batchmean", "Sum": "sum", None: "mean", "elementwise_mean": "mean"}.get(
            reduction, reduction
        )
    wanted = "batchmean" if name == "mean" else str(name)
    return frozenset({wanted, "sum"} if wanted == "batchmean" and divergence.input.dim() == 1 else {wanted})


def _value_is(after: Run, pair: Meant, program: Program) -> Iterator[str]:
    """The divergence, reduced as torch was told to; unreduced ones are averaged over the positions."""
    elements = divergence_of(pair)
    divergence = after.divergences[0]
    if misuses(Witnessed(divergence, after)) & {"input", "target", "twice"}:
        return  # something was missed, which is another matter
    total = elements.sum()
    if divergence.legacy.given or bool((pair.input < UNDERFLOW).any()) or bool((pair.target == 0).any()):
        return  # an epsilon shows where nothing else is left
    axes = {step.dim for argument in program.pairs[0] for chain in arms(argument) for step in chain.steps if step.dim}
    match divergence.reduction:
        case "sum":
            wanted = total
        case "batchmean":
            wanted = total / divergence.input.shape[0]
        case "none" if len(axes) <= 1 and ".mean" in program.tail.after and pair.input.dim() == 2:
            wanted = total / elements.shape[0 if _sums(pair, 1) else 1]
        case _:
            return
    if after.value is not None and not close(after.value, wanted):
        yield f"the value is {after.value}, and the divergence is {wanted}"


def _sums(pair: Meant, dim: int) -> bool:
    return close(pair.target.sum(dim), pair.target.new_ones(pair.target.sum(dim).shape))


def _difference(before: str, after: str) -> str:
    from difflib import unified_diff

    return "\n".join(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))
