"""What kl-lint says of one program, held against what torch saw of it.

Each check yields complaints in words; none means that all is well. The checks of what it mends are in `fixes`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from kl_lint.finding import Finding, Span
from kl_lint.flow import Facts, analyse
from kl_lint.flow.kl_call import Kind, Site
from kl_lint.lines import split_lines
from kl_lint.rewriting import FixResult, fix_source
from kl_lint.rules import judge
from tests.generated.grammar import Form, Program, arms
from tests.generated.oracle import (
    FAMILIES,
    FILENAME,
    Place,
    Run,
    Witnessed,
    contradiction,
    covers,
    misuses,
    run,
    subject,
    witnesses,
)

NAME = "generated.py"
OPT_IN = frozenset({"KLD208", "KLD305"})
ABOUT_MASS = frozenset({"KLD503"})
ONCE = frozenset({"KLD205"})
"""What becomes of a result is known of the call, not of each way to it: one of them is enough."""


@dataclass(frozen=True)
class Examined:
    """A program, what torch saw of it, and what kl-lint says. `sizes` are those of x and y."""

    source: str
    sizes: tuple[int, ...]

    @property
    def files(self) -> tuple[Examined, ...]:
        """The files that hold divergences: of a single one, itself."""
        return (self,)

    @property
    def name(self) -> str:
        """What torch sees running."""
        return FILENAME

    def run(self, source: str, flag: bool, spread: bool = False) -> Run:
        """Run this program, or what has become of it."""
        return run(source, self.sizes, flag, spread)

    def mend(self, source: str, *, unsafe: bool, enable: frozenset[str]) -> FixResult:
        """Fix this program, or what has become of it."""
        return fix_source(source, NAME, unsafe=unsafe, check=lambda text: judge(facts_of(text), enable=enable))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        return tuple(self.run(self.source, flag) for flag in (True, False))

    @cached_property
    def spread_runs(self) -> tuple[Run, ...]:
        """The same, with mass in every column of what is one-hot (oracle.watch)."""
        if "one_hot" not in self.source:
            return self.runs
        return tuple(self.run(self.source, flag, spread=True) for flag in (True, False))

    @cached_property
    def facts(self) -> Facts:
        return facts_of(self.source)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return judge(self.facts, enable=OPT_IN)

    def at(self, site: Site) -> list[tuple[Finding, Place | None]]:
        """The findings of a site, each with the call that is to blame, where it is not the site itself."""
        own = [one for one in self.findings if one.noqa_row == site.span.row and site.span.contains(one.span)]
        fed = [one for one in self.findings if f" at line {site.span.row}: " in one.message.partition(" feeds ")[2]]
        return [(one, self._caller(one)) for one in own] + [(one, self._place(self.name, one.span)) for one in fed]

    def _caller(self, finding: Finding) -> Place | None:
        """The call in another file that a finding names."""
        named = re.match(r"as called by .*? \(.*? line (\d+)\): ", finding.message)
        steps = [step for step in finding.trace if step.what == "called here"] if named is not None else []
        own = [step for step in steps if named is not None and step.span.row == int(named[1])]
        return self._place(own[-1].filename, own[-1].span) if own else None

    @staticmethod
    def _place(file: str, span: Span) -> Place:
        return file, (span.row, span.end_row, span.column - 1, span.end_column - 1)


@lru_cache(maxsize=8)
def facts_of(source: str) -> Facts:
    """What kl-lint finds out. A program is read once, however often it is mended."""
    return analyse(ast.parse(source), split_lines(source), NAME)


# --- reports and claims ----------------------------------------------------------------------------------------------


def errors(examined: Examined) -> Iterator[str]:
    """What keeps a program from being a witness: that is a defect of the grammar."""
    for one in examined.runs:
        if one.error is not None and "is not a valid value for reduction" not in str(one.error):
            yield f"the program raises {one.error!r}"


def contradictions(examined: Examined) -> Iterator[str]:
    """Reports that the tensors contradict."""
    for file, site in sites(examined):
        seen = witnesses(examined.runs, site, file.name)
        spread = witnesses(examined.spread_runs, site, file.name)
        for finding, caller in file.at(site):
            fed = [
                one
                for one in (spread if finding.code in ABOUT_MASS else seen)
                if caller is None or caller in one.divergence.through
            ]
            reasons = [contradiction(finding.code, subject(finding, site), one) for one in fed]
            found = [reason for reason in reasons if reason is not None]
            shared = finding.code in ONCE or caller is not None  # a row of a caller may hold several calls
            if len(found) == len(fed) > 0 if shared else found:
                yield f"line {finding.span.row}: {finding.code} {finding.message}\n  but {found[0]}"


def sites(examined: Examined) -> Iterator[tuple[Examined, Site]]:
    """Every divergence that was found, with its file."""
    for file in examined.files:
        for site in file.facts.sites:
            yield file, site


def false_claims(examined: Examined) -> Iterator[str]:
    """Divergences of which the analysis claims what is not so."""
    if not all(file.facts.complete for file in examined.files):
        yield "the analysis stopped at its bound"
    for file, site in sites(examined):
        if site.kind is not Kind.CONSTRUCTION:
            for one in witnesses(examined.spread_runs, site, file.name):
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


def tally(program: Program, examined: Examined, counts: Tally) -> list[str]:
    """Count the misuses of a program in which nothing is unknown and no flag decides; the families that were missed."""
    if program.opaque or program.forked or len(program.pairs) > 1:
        return []
    lost = any(chain.form is Form.LOST for chain in arms(program.pairs[0][1]))  # what a target may be, rules leave open
    missed: list[str] = []
    seen = Witnessed(examined.runs[0].divergences[0], examined.runs[0])
    codes = {finding.code for finding in examined.findings}
    for family in sorted(misuses(seen) - ({"target"} if lost else set())):
        counts.shown[family] += 1
        if codes & FAMILIES[family]:
            counts.reported[family] += 1
        else:
            missed.append(family)
    return missed
