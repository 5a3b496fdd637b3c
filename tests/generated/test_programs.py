"""Programs drawn at random, run by torch, read by kl-lint: what is reported, claimed and mended holds for all of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.generated.drawing import programs
from tests.generated.examination import Examined, Tally, contradictions, errors, false_claims, tally
from tests.generated.fixes import fix_failures
from tests.generated.grammar import Program

EXAMPLES = 300
LONG_RUNS = 80
EXAMPLES_OF_A_LONG_RUN = 250
FLOOR = {"input": 0.8, "target": 0.75, "reduction": 0.95}
"""The least share of misuses that must be reported, where nothing in the program is unknown."""

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much)


def examine(program: Program, counts: Tally) -> None:
    """Demand everything of one program, and count what it shows."""
    examined = Examined(program.source, program.sizes)
    note(program.source)
    assert not [*errors(examined)]
    complaints = [*contradictions(examined), *false_claims(examined), *fix_failures(program, examined)]
    assert not complaints, "\n".join(["", *complaints])
    tally(program, examined, counts)


def run_with(configuration: settings, counts: Tally, number: int | None = None) -> None:
    """Draw programs and examine each; `number` seeds the draws."""
    test = configuration(given(programs())(lambda program: examine(program, counts)))
    (test if number is None else seed(number)(test))()


def test_what_is_said_of_a_program_is_true() -> None:
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
def test_what_is_said_of_many_programs_is_true(number: int) -> None:
    """20,000 programs, in runs of their own seeds: each may be repeated by itself."""
    configuration = settings(
        max_examples=EXAMPLES_OF_A_LONG_RUN,
        database=None,
        deadline=None,
        suppress_health_check=QUIET,
        phases=(Phase.generate, Phase.shrink),
    )
    run_with(configuration, Tally(Counter(), Counter()), number)
