"""Programs of several files drawn at random, imported by Python, read by kl-lint with all their files.

What holds of programs of one file (test_programs) holds of these, wherever their definitions stand.
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.generated.classes import CALLS, TRANSPORTS, softmaxes
from tests.generated.drawing import Vocabulary, programs
from tests.generated.driver import LONG_RUNS, Drawn, hold, hold_at_length
from tests.generated.grammar import Program
from tests.generated.layouts import LAYOUTS, WAYS, Plan, spread
from tests.generated.several import ExaminedProject

pytestmark = pytest.mark.no_cover

EXAMPLES = 180
FLOOR = {"input": 0.5, "target": 0.5, "reduction": 0.9}
VOCABULARY = Vocabulary(TRANSPORTS, softmaxes, CALLS, apart=True)
PLANS = st.builds(
    Plan,
    layout=st.sampled_from(LAYOUTS),
    places=st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple),
    ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=5).map(tuple),
    relative=st.booleans(),
    away=st.booleans(),
)


def parted(program: Program, plan: Plan) -> Drawn:
    """A program, written to several files."""
    return program, ExaminedProject(spread(program.source, plan), program.sizes, layout=plan.layout)


DRAWN = st.builds(parted, programs(VOCABULARY), PLANS)


def test_what_is_said_of_a_program_of_several_files_is_true() -> None:
    hold(DRAWN, EXAMPLES, FLOOR)


@pytest.mark.long
@pytest.mark.parametrize("number", range(LONG_RUNS))
def test_what_is_said_of_many_programs_of_several_files_is_true(number: int) -> None:
    hold_at_length(DRAWN, number)
