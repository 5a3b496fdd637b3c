"""torch decides whether a fixture shows the mistake that it is named after, and whether its twin mends it."""

from __future__ import annotations

import ast
import inspect

import pytest
import torch
from torch import Tensor

from tests.fixture_programs import CODES, UNFIXABLE_CODES, FixKind, Program, clean, faulty, markers
from tests.numerics.fixture_programs import Outcome, evaluate, leaves, load_program

pytestmark = pytest.mark.no_cover

FAULTY = faulty()
CLEAN = clean()
MENDED = [program for program in FAULTY if program.twin is not None]
SAFE = [program for program in FAULTY if program.fix is FixKind.SAFE]
DIVERGENT = [program for program in FAULTY if program.fix is not FixKind.SAFE]
LOG_OF_SOFTMAX = [program for program in MENDED if program.codes == {"KLD105"}]

OUT_OF_REACH = {
    "KLD105/dtype_by_keyword": "asks for float64",
    "KLD105/helper_takes_the_log": "halves the gap by its temperature",
    "KLD105/log_in_a_local": "quarters the gap by its temperature",
}
"""KLD105 programs without an epsilon that survive the gaps below, and why."""

EXTREMES = pytest.mark.parametrize(
    ("dtype", "gap"),
    [
        pytest.param(torch.float32, 120.0, id="float32"),
        pytest.param(torch.float16, 20.0, id="float16"),
        pytest.param(torch.bfloat16, 100.0, id="bfloat16"),
    ],
)
"""A gap between logits at which softmax in this dtype gives an exact zero."""


WEIGHTS = {"weight", "kernel"}
"""Parameters of `loss` that hold no distribution."""


def name_of(program: object) -> str | None:
    return program.name if isinstance(program, Program) else None


def each(programs: list[Program]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("program", programs, ids=name_of)


def lost(program: Program) -> Outcome:
    module = load_program(program)
    return evaluate(module.loss, module.inputs())


def wanted(program: Program) -> Outcome:
    module = load_program(program)
    return evaluate(module.meant, module.inputs())


def twin_of(program: Program) -> Program:
    assert program.twin is not None
    return program.twin


def test_every_code_has_programs() -> None:
    assert {program.folder for program in FAULTY} == CODES
    assert CLEAN


@each([program for program in DIVERGENT if "KLD206" not in program.codes])
def test_misuse_is_not_what_was_meant(program: Program) -> None:
    computed = lost(program)
    assert not computed.equals(wanted(program)), computed.value


@each([program for program in DIVERGENT if "KLD206" in program.codes])
def test_invalid_reduction_raises(program: Program) -> None:
    with pytest.raises(ValueError, match="is not a valid value for reduction"):
        lost(program)


@each([program for program in MENDED if program.fix is FixKind.UNSAFE])
def test_unsafe_fix_gives_what_was_meant(program: Program) -> None:
    mended = lost(twin_of(program))
    assert mended.equals(wanted(program)), (mended.value, wanted(program).value)


@each(SAFE)
def test_safe_fix_keeps_the_number(program: Program) -> None:
    assert lost(program).equals(lost(twin_of(program)))


@each([*SAFE, *CLEAN])
def test_right_number_is_what_was_meant(program: Program) -> None:
    computed = lost(program)
    assert computed.equals(wanted(program)), (computed.value, wanted(program).value)


@each(FAULTY)
def test_markers_name_the_folder_and_known_codes(program: Program) -> None:
    assert program.folder in program.codes
    assert program.codes <= CODES


@each([program for program in FAULTY if program.codes & UNFIXABLE_CODES])
def test_unfixable_programs_have_no_twin(program: Program) -> None:
    assert program.twin is None


@each(FAULTY)
def test_markers_stand_where_a_call_begins(program: Program) -> None:
    calls = {node.lineno for node in ast.walk(ast.parse(program.source)) if isinstance(node, ast.Call)}
    assert markers(program.source).keys() <= calls | _operations(program)


def _operations(program: Program) -> set[int]:
    """A divergence written by hand may begin with something other than a call."""
    if "KLD601" not in program.codes:
        return set()
    return {node.lineno for node in ast.walk(ast.parse(program.source)) if isinstance(node, ast.BinOp)}


@each(MENDED)
def test_twin_differs_in_the_program_only(program: Program) -> None:
    before, after = program.source, twin_of(program).source
    assert before != after
    assert list(markers(before).values()) == list(markers(after).values())
    assert _functions(before, "inputs", "meant") == _functions(after, "inputs", "meant")


def _functions(source: str, *names: str) -> list[str]:
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name in names]
    assert len(nodes) == len(names)
    return [ast.dump(node) for node in nodes]


@each(CLEAN)
def test_clean_programs_announce_nothing(program: Program) -> None:
    assert not markers(program.source)
    assert program.twin is None


@each([*FAULTY, *CLEAN])
def test_inputs_let_no_mistake_through(program: Program) -> None:
    """float64, the same each time, more than one row, rectangular (weights aside); somebody wants a gradient."""
    module = load_program(program)
    first, second = module.inputs(), module.inputs()
    assert isinstance(first, tuple)
    assert leaves(first) or not first
    names = inspect.signature(module.loss).parameters
    for name, one, other in zip(names, first, second, strict=False):
        if isinstance(one, Tensor):
            assert torch.equal(one, other)
            assert one.dtype == torch.float64 or not one.is_floating_point()
            assert one.dim() < 2 or one.shape[0] > 1
            assert is_rectangular(one) or name in WEIGHTS


def is_rectangular(tensor: Tensor) -> bool:
    """Whether no two sizes are equal: where they are, a sum over the wrong dimension may pass."""
    sizes = [size for size in tensor.shape if size != 1]
    return len(set(sizes)) == len(sizes)


def stretched(logits: Tensor, dtype: torch.dtype, gap: float) -> Tensor:
    """The same logits in another dtype, scaled until every distribution in them spans at least `gap`.

    Fixtures keep their classes along dim 1, in a list of batches along the last one.
    """
    wide = logits.detach()
    classes = -1 if wide.dim() in (1, 3) else 1
    spread = (wide.amax(classes) - wide.amin(classes)).min()
    return (wide * (gap / spread)).to(dtype).requires_grad_(logits.requires_grad)


def at_extreme(program: Program, dtype: torch.dtype, gap: float) -> Outcome:
    module = load_program(program)
    return evaluate(module.loss, tuple(stretched(logits, dtype, gap) for logits in module.inputs()))


@each(LOG_OF_SOFTMAX)
@EXTREMES
def test_log_softmax_is_never_less_finite(program: Program, dtype: torch.dtype, gap: float) -> None:
    before, after = at_extreme(program, dtype, gap), at_extreme(twin_of(program), dtype, gap)
    assert (after.finite() | ~before.finite()).all()


@each([program for program in LOG_OF_SOFTMAX if program.fix is FixKind.SAFE and program.name not in OUT_OF_REACH])
@EXTREMES
def test_log_softmax_survives_where_log_of_softmax_does_not(program: Program, dtype: torch.dtype, gap: float) -> None:
    assert not at_extreme(program, dtype, gap).value.isfinite()
    assert at_extreme(twin_of(program), dtype, gap).finite().all()
