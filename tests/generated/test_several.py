"""Programs of several files drawn at random, imported by Python, read by kl-lint with all their files.

What holds of programs of one file (test_programs) holds of these, wherever their definitions stand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, note, seed, settings, strategies as st

from tests.generated.classes import CALLS, TRANSPORTS, softmaxes
from tests.generated.drawing import Vocabulary, programs
from tests.generated.examination import Tally, contradictions, errors, false_claims, tally
from tests.generated.fixes import fix_failures
from tests.generated.grammar import Program
from tests.generated.layouts import LAYOUTS, WAYS, Plan, spread
from tests.generated.several import ExaminedProject
from tests.generated.test_programs import QUIET

EXAMPLES = 200
LONG_RUNS = 80
EXAMPLES_OF_A_LONG_RUN = 250
FLOOR = {"input": 0.5, "target": 0.5, "reduction": 0.9}
"""The least share of misuses that must be reported, where nothing in the program is unknown."""
VOCABULARY = Vocabulary(TRANSPORTS, softmaxes, CALLS, apart=True)


@dataclass(frozen=True, slots=True)
class Spread:
    """A program, and how it is parted."""

    program: Program
    plan: Plan

    @property
    def examined(self) -> ExaminedProject:
        return ExaminedProject(spread(self.program.source, self.plan), self.program.sizes, layout=self.plan.layout)


PLANS = st.builds(
    Plan,
    layout=st.sampled_from(LAYOUTS),
    places=st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple),
    ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=5).map(tuple),
    relative=st.booleans(),
    away=st.booleans(),
)
PROJECTS = st.builds(Spread, programs(VOCABULARY), PLANS)


def examine(project: Spread, counts: Tally) -> None:
    """Demand everything of one program, and count what it shows."""
    examined = project.examined
    note(examined.source)
    assert not [*errors(examined)]
    complaints = [
        *contradictions(examined),
        *false_claims(examined),
        *fix_failures(project.program, examined),
    ]
    assert not complaints, "\n".join(["", *complaints])
    tally(project.program, examined, counts)


def run_with(configuration: settings, counts: Tally, number: int | None = None) -> None:
    """Draw programs and examine each; `number` seeds the draws."""
    test = configuration(given(PROJECTS)(lambda project: examine(project, counts)))
    (test if number is None else seed(number)(test))()


def test_what_is_said_of_a_program_of_several_files_is_true() -> None:
    counts = Tally(Counter(), Counter())
    configuration = settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=QUIET
    )
    run_with(configuration, counts)
    print(counts)
    shares = {family: counts.share(family) for family in FLOOR}
    assert all(shares[family] >= least for family, least in FLOOR.items()), counts


@pytest.mark.long
@pytest.mark.parametrize("number", range(LONG_RUNS))
def test_what_is_said_of_many_programs_of_several_files_is_true(number: int) -> None:
    """20,000 programs, in runs of their own seeds: each may be repeated by itself."""
    configuration = settings(
        max_examples=EXAMPLES_OF_A_LONG_RUN,
        database=None,
        deadline=None,
        suppress_health_check=QUIET,
        phases=(Phase.generate, Phase.shrink),
    )
    run_with(configuration, Tally(Counter(), Counter()), number)
