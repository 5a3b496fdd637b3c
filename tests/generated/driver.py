"""Draws programs, and demands everything of each: what is reported, claimed and mended must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, given, note, seed, settings, strategies as st

from tests.generated.examination import Examined, Tally, contradictions, errors, false_claims, tally
from tests.generated.fixes import fix_failures
from tests.generated.grammar import Program

Drawn = tuple[Program, Examined]
"""A program as it is meant, and as it is written and examined."""

LONG_RUNS = 80
EXAMPLES_OF_A_LONG_RUN = 250
"""20,000 programs in all, in runs of their own seeds: each may be repeated by itself."""
PATIENT = settings(
    database=None,
    deadline=None,
    suppress_health_check=(
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.filter_too_much,
    ),
)


def hold(drawn: st.SearchStrategy[Drawn], examples: int, floor: Mapping[str, float]) -> None:
    """Examine the same few programs each time; `floor` is the least share of the misuses of each family that must be
    reported, where nothing in the program is unknown.
    """
    counts = Tally(Counter(), Counter())
    configuration = settings(PATIENT, max_examples=examples, derandomize=True)
    configuration(given(drawn)(lambda one: examine(one[0], one[1], counts)))()
    print(counts)
    assert all(counts.share(family) >= least for family, least in floor.items()), counts


def hold_at_length(drawn: st.SearchStrategy[Drawn], number: int) -> None:
    """Examine many programs, drawn with `number` for the seed."""
    counts = Tally(Counter(), Counter())
    configuration = settings(PATIENT, max_examples=EXAMPLES_OF_A_LONG_RUN, phases=(Phase.generate, Phase.shrink))
    seed(number)(configuration(given(drawn)(lambda one: examine(one[0], one[1], counts))))()


def examine(program: Program, examined: Examined, counts: Tally) -> None:
    """Demand everything of one program, and count what it shows."""
    note(examined.source)
    assert not [*errors(examined)]
    complaints = complaints_of(program, examined)
    assert not complaints, "\n".join(["", *complaints])
    tally(program, examined, counts)


def complaints_of(program: Program, examined: Examined) -> list[str]:
    """What kl-lint says or does to a program that torch contradicts."""
    return [*contradictions(examined), *false_claims(examined), *fix_failures(program, examined)]
