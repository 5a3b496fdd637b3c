"""Programs drawn at random, run by torch, read by kl-lint: what is reported, claimed and mended holds for all of them."""

from __future__ import annotations

import pytest

from tests.generated.drawing import programs
from tests.generated.driver import LONG_RUNS, hold, hold_at_length
from tests.generated.examination import Examined

pytestmark = pytest.mark.no_cover

EXAMPLES = 200
FLOOR = {"input": 0.8, "target": 0.75, "reduction": 0.95}
DRAWN = programs().map(lambda program: (program, Examined(program.source, program.sizes)))


def test_what_is_said_of_a_program_is_true() -> None:
    hold(DRAWN, EXAMPLES, FLOOR)


@pytest.mark.long
@pytest.mark.parametrize("number", range(LONG_RUNS))
def test_what_is_said_of_many_programs_is_true(number: int) -> None:
    hold_at_length(DRAWN, number)
