"""The fixtures go through the whole program: linted, mended, compared with their twins, linted again, mended again."""

from __future__ import annotations

import pytest

from kl_lint.rewriting import fix_source
from tests.fixture_programs import Program, clean, each, enabled, faulty, linted, markers, mended

pytestmark = pytest.mark.no_cover

FAULTY = faulty()
CLEAN = clean()
MENDED = [program for program in FAULTY if program.twin is not None]
UNMENDED = [program for program in FAULTY if program.twin is None]


def test_enough_programs_have_a_fix() -> None:
    assert len(MENDED) >= 120


@each([*FAULTY, *CLEAN])
def test_findings_are_those_announced(program: Program) -> None:
    found: dict[int, tuple[str, ...]] = {}
    for finding in linted(program):
        found[finding.noqa_row] = tuple(sorted((*found.get(finding.noqa_row, ()), finding.code)))
    assert found == {row: tuple(sorted(codes)) for row, codes in markers(program.source).items()}


@each(MENDED)
def test_fix_gives_the_golden_text(program: Program) -> None:
    assert program.twin is not None
    result = mended(program)
    assert result.source == program.twin.source
    assert result.refused == ()


@each(MENDED)
def test_what_was_fixed_is_found_no_more(program: Program) -> None:
    result = mended(program)
    assert linted(program, result.source) == result.remaining == ()
    assert {finding.code for finding in result.fixed} >= program.codes


@each(FAULTY)
@pytest.mark.parametrize("unsafe", [False, True])
def test_a_second_run_changes_nothing(program: Program, unsafe: bool) -> None:
    once = mended(program, unsafe=unsafe)
    again = fix_source(once.source, str(program.path), unsafe=unsafe, enable=enabled(program))
    assert again.source == once.source
    assert again.fixed == ()


@each(UNMENDED)
def test_what_has_no_twin_has_no_fix(program: Program) -> None:
    assert mended(program).source == program.source
