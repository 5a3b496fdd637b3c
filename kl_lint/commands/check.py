"""`kl-lint check`: the findings in files, or the changes that mend or silence them."""

from __future__ import annotations

import sys

from kl_lint import batch
from kl_lint.commands.common import CLEAN, FAILED, FOUND, HeldStdin, Run, complain, emit, save, show, shows_color, tell
from kl_lint.configuration.pyproject import WrongConfiguration
from kl_lint.reports import COUNTED, DOCUMENTS
from kl_lint.selection import INTERNAL_ERROR
from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import TextIO

    from kl_lint.batch import Outcome
    from kl_lint.commands.common import Then
    from kl_lint.finding import Applicability, Finding
    from kl_lint.sources.files import File, Stdin

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Report, mend or silence the findings in the files."""
    if arguments.add_noqa and (arguments.fix or arguments.fix_only):
        complain("--add-noqa and --fix exclude each other; run one first, then the other")
        return FAILED
    if arguments.watch:
        if "-" in arguments.paths:
            complain("--watch: standard input does not change; name files or directories")
            return FAILED
        from kl_lint.commands.watch import watch

        return watch(arguments, _run_once)
    return _run_once(arguments)


def _run_once(arguments: argparse.Namespace) -> int:
    if arguments.add_noqa:
        return _silence(arguments)
    try:
        return _fix(arguments) if arguments.fix or arguments.fix_only or arguments.diff else _check(arguments)
    except Problem as problem:
        complain(problem)
        return FAILED


def _check(arguments: argparse.Namespace) -> int:
    files = _files(arguments)
    outcomes = files.outcomes(batch.check)
    _report(arguments, files, outcomes)
    return _status(arguments, outcomes, found=any(outcome.findings for outcome in outcomes))


def _files(arguments: argparse.Namespace) -> Run:
    """The files to report on. Raises WrongConfiguration where the report cannot be had."""
    files = Run(arguments)
    if arguments.statistics and files.settings.output_format not in COUNTED:
        layouts = f"{', '.join(COUNTED[:-1])} or {COUNTED[-1]}"
        raise WrongConfiguration(f"--statistics: {files.settings.output_format} has no form for them; use {layouts}")
    return files


def _fix(arguments: argparse.Namespace) -> int:
    files = _files(arguments)
    outcomes = files.outcomes(batch.fix, _changing(arguments))
    _tell_refused(outcomes, "fixed")
    mended, left = _count(outcomes)
    if arguments.diff or arguments.fix_only:
        _tell_internal_errors(outcomes)
        if mended:
            tell(f"{'Would fix' if arguments.diff else 'Fixed'} {_findings(mended)}")
        left = 0
    else:
        _report(arguments, files, outcomes)
        if mended or left:
            tell(f"Found {_findings(mended + left)} ({mended} fixed, {left} remaining)")
    counts = arguments.diff or arguments.exit_non_zero_on_fix
    return _status(arguments, outcomes, found=bool(left or (mended and counts)))


def _silence(arguments: argparse.Namespace) -> int:
    outcomes = Run(arguments).outcomes(batch.silence, _changing(arguments))
    _tell_refused(outcomes, "silenced")
    _tell_internal_errors(outcomes)
    silenced, left = _count(outcomes)
    if silenced:
        tell(f"{'Would silence' if arguments.diff else 'Silenced'} {_findings(silenced)}")
    return FAILED if left else _status(arguments, outcomes, found=arguments.diff and bool(silenced))


def _status(arguments: argparse.Namespace, outcomes: Sequence[Outcome], *, found: bool) -> int:
    if any(outcome.problem for outcome in outcomes) or any(_internal_errors(outcomes)):
        return FAILED
    return FOUND if found and not arguments.exit_zero else CLEAN


# --- changes ---


def _changing(arguments: argparse.Namespace) -> Then:
    """Make or show the change of a file. Standard input comes out again, as it is or as it is to be."""

    def change(source: File | Stdin, outcome: Outcome | None) -> Outcome | None:
        if isinstance(source, HeldStdin) and not arguments.diff:
            emit(outcome.change.after if outcome and outcome.change else source.data)
        elif outcome and outcome.change:
            try:
                show(outcome.change.diff()) if arguments.diff else outcome.change.write()
            except Problem as problem:
                return batch.Outcome(source.path, problem=problem)
        return outcome

    return change


# --- what is told ---


def _report(arguments: argparse.Namespace, files: Run, outcomes: Sequence[Outcome]) -> None:
    """Print the findings; to standard error where standard output is taken by the source that came in.

    Raises Problem where they are to go to a file, and cannot.
    """
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    layout = files.settings.output_format
    if not findings and layout not in DOCUMENTS and not arguments.output_file:
        return
    stream = _stream(arguments)
    if arguments.statistics:
        from kl_lint.reports import statistics

        text = statistics.render(findings, as_json=layout == "json")
    else:
        from kl_lint.reports import Context, render

        lines = {outcome.path: outcome.lines for outcome in outcomes}
        unsafe = files.settings.unsafe_fixes
        ready = _ready(fixing=arguments.fix, unsafe=unsafe)
        context = Context(
            lines,
            checked=files.checked,
            color=shows_color(arguments, stream),
            ready=ready,
            problems=[outcome.problem for outcome in outcomes if outcome.problem],
            notes=[outcome.note for outcome in outcomes if outcome.note],
            cells={outcome.path: outcome.cells for outcome in outcomes if outcome.cells},
        )
        text = render(layout, findings, context)
        if layout == "full":
            text += _hint(findings, ready, unsafe=unsafe)
    if arguments.output_file:
        save(arguments.output_file, text)
    elif stream is not None:
        print(text, end="", file=stream)


def _stream(arguments: argparse.Namespace) -> TextIO | None:
    """Where the report goes; None where that is a file, or nowhere."""
    if arguments.output_file:
        return None
    return sys.stderr if arguments.fix and "-" in arguments.paths else sys.stdout


def _ready(*, fixing: bool, unsafe: bool) -> tuple[Applicability, ...]:
    """The kinds of fixes that `--fix` would make; none where it has made them."""
    from kl_lint.finding import Applicability

    if fixing:
        return ()
    return (Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,)


def _hint(findings: Sequence[Finding], ready: Sequence[Applicability], *, unsafe: bool) -> str:
    """How to have mended what can be."""
    from kl_lint.finding import Applicability

    levels = [finding.fix.applicability for finding in findings if finding.fix]
    count, more = sum(map(levels.count, ready)), 0 if unsafe else levels.count(Applicability.UNSAFE)
    hint = f"[*] {count} can be fixed with --fix\n" if count else ""
    if more:
        hint += (
            f"{more} can be fixed with --fix --unsafe-fixes, which changes the number that is computed: "
            "see it first with --diff --unsafe-fixes\n"
        )
    return hint


def _tell_refused(outcomes: Sequence[Outcome], done: str) -> None:
    for outcome in outcomes:
        for finding, reason in outcome.refused:
            complain(f"{finding.filename}:{outcome.spot(finding)}: {finding.code} was not {done}: {reason}")


def _tell_internal_errors(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        for finding in _internal_errors([outcome]):
            complain(f"{finding.filename}:{outcome.spot(finding)}: {finding.message}")


def _internal_errors(outcomes: Sequence[Outcome]) -> list[Finding]:
    return [finding for outcome in outcomes for finding in outcome.findings if finding.code == INTERNAL_ERROR]


def _count(outcomes: Sequence[Outcome]) -> tuple[int, int]:
    """How many findings are gone, and how many are left."""
    return sum(len(outcome.mended) for outcome in outcomes), sum(len(outcome.findings) for outcome in outcomes)


def _findings(number: int) -> str:
    return "1 finding" if number == 1 else f"{number} findings"
