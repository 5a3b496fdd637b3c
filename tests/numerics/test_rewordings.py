"""The verdict on a program, and its mended text, do not change with what stands around it, nor with the hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from kl_lint.rewriting import fix_source
from tests.fixture_programs import FIXTURES, Program, clean, enabled, faulty, linted, mended
from tests.numerics.fixture_programs import evaluate, load
from tests.numerics.rewording import in_a_helper, with_dead_code
from tests.numerics.test_fixes import codes, same

pytestmark = pytest.mark.no_cover

PROGRAMS = [*faulty(), *clean()]
REWORDINGS = [with_dead_code, in_a_helper]
each = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)


@each
@pytest.mark.parametrize("reword", REWORDINGS, ids=lambda reword: reword.__name__)
def test_the_verdict_stays(program: Program, reword: Callable[[str], str]) -> None:
    reworded = reword(program.source)
    assert codes(linted(program, reworded)) == codes(linted(program))
    if program.twin is not None:
        result = fix_source(reworded, str(program.path), unsafe=True, enable=enabled(program))
        assert result.source == reword(mended(program).source)


@pytest.mark.parametrize("reword", REWORDINGS, ids=lambda reword: reword.__name__)
@pytest.mark.parametrize("program", PROGRAMS[::40], ids=lambda program: program.name)
def test_what_is_reworded_computes_the_same(program: Program, reword: Callable[[str], str]) -> None:
    one, other = load(program.source, program.name), load(reword(program.source), program.name)
    try:
        expected = evaluate(one.loss, one.inputs())
    except ValueError:
        with pytest.raises(ValueError, match="reduction"):
            evaluate(other.loss, other.inputs())
    else:
        assert same(evaluate(other.loss, other.inputs()), expected)


def test_the_hash_seed_does_not_matter() -> None:
    command = [sys.executable, "-m", "kl_lint", "check", "--isolated", "--enable=KLD", "--output-format=json", "."]
    told = [
        subprocess.run(command, cwd=FIXTURES, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True).stdout
        for seed in ("0", "1", "2")
    ]
    assert len(told[0]) > 100_000
    assert told[0] == told[1] == told[2]
