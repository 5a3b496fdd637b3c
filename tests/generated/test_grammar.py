"""The grammar keeps its own promises: whatever it writes runs, and a detour changes nothing."""

from __future__ import annotations

import pytest

from tests.generated.grammar import (
    CALLS,
    DECOYS,
    EXPONENTIALS,
    FLAGS,
    FRAMES,
    KEEPERS,
    LOGARITHMS,
    OPAQUE,
    SHARED_FRAMES,
    STYLES,
    TRANSPORTS,
    Call,
    Chain,
    Effect,
    Flag,
    Form,
    Frame,
    Program,
    Setting,
    Step,
    Style,
    Text,
    log_probabilities,
    probabilities,
)
from tests.generated.oracle import Run, close, run
from tests.generated.readers import FRAMES as READING_FRAMES, READERS, softmaxes

pytestmark = pytest.mark.no_cover

SIZES = (4, 7)
SOFTMAX = Step(Text("{F}softmax({x}, dim=1)"), Effect.NORMALISE, Form.PROBS, 1)
LOG_SOFTMAX = Step(Text("{F}log_softmax({x}, dim=1)"), Effect.NORMALISE, Form.LOGS, 1)


def program(
    *detour: Step,
    making: Step = LOG_SOFTMAX,
    style: Style = STYLES[0],
    call: Call = CALLS[0],
    frame: Frame = FRAMES[0],
    flag: Flag = FLAGS[0],
) -> Program:
    """A right program whose input takes a detour."""
    pair = (Chain("x", (making, *detour)), Chain("y", (SOFTMAX,)))
    return Program(style, (pair,), call, (Setting("reduction", "'batchmean'"),), frame, flag=flag)


def outcome(written: Program, *, flag: bool = True) -> Run:
    seen = run(written.source, written.sizes, flag)
    assert seen.error is None
    return seen


EXPECTED = outcome(program())


def assert_same(seen: Run) -> None:
    assert seen.value is not None
    assert EXPECTED.value is not None
    assert close(seen.value, EXPECTED.value)
    assert seen.divergences


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("text", [*TRANSPORTS, *DECOYS, *KEEPERS, *OPAQUE], ids=lambda text: text.before or text.after)
def test_a_detour_changes_nothing(text: Text, flag: bool) -> None:
    assert_same(outcome(program(Step(text)), flag=flag))
    assert_same(outcome(program(Step(text), flag=FLAGS[1], style=STYLES[1]), flag=flag))


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("text", READERS, ids=lambda text: text.before or text.late or text.after)
def test_a_reader_sees_something_and_changes_nothing(text: Text, flag: bool) -> None:
    for other in (FLAGS[0], FLAGS[1]):
        run_of_it = outcome(program(Step(text), flag=other), flag=flag)
        assert_same(run_of_it)
        assert run_of_it.seen or "print" in text.before or not flag


@pytest.mark.parametrize("text", LOGARITHMS, ids=lambda text: text.before or text.after)
def test_logarithms(text: Text) -> None:
    assert_same(outcome(program(Step(text), making=SOFTMAX)))


@pytest.mark.parametrize("text", EXPONENTIALS, ids=lambda text: text.before or text.after)
def test_exponentials(text: Text) -> None:
    assert_same(outcome(program(Step(text), Step(LOGARITHMS[0]))))


@pytest.mark.parametrize("dim", [1, -1])
def test_ways_to_normalise(dim: int) -> None:
    for style in STYLES:
        for text in probabilities(dim, 2):
            assert_same(outcome(program(Step(LOGARITHMS[0]), making=Step(text), style=style)))
        for text in softmaxes(dim):
            run_of_it = outcome(program(Step(LOGARITHMS[0]), making=Step(text), style=style))
            assert_same(run_of_it)
            assert run_of_it.seen
        for text in log_probabilities(dim, 2):
            assert_same(outcome(program(making=Step(text), style=style)))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.text.before or call.text.after)
def test_calls_and_frames(call: Call) -> None:
    for flag in FLAGS:
        for frame in (*FRAMES, *SHARED_FRAMES, *READING_FRAMES):
            assert_same(outcome(program(call=call, frame=frame, flag=flag), flag=False))
