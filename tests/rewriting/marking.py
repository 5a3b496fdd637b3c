"""Words for tests of rewriting: where an expression stands, a fix of some edits, what becomes of a text."""

from __future__ import annotations

from collections.abc import Sequence

from kl_lint.finding import Applicability, Edit, Fix, Span
from kl_lint.rewriting import TextEdit, apply_fixes, text_edits
from kl_lint.rewriting.lines import Lines


def at(source: str, text: str, occurrence: int = 1) -> Span:
    """The span of the n-th `text` in `source`."""
    body = source.removeprefix("\ufeff")
    offset = -1
    for _ in range(occurrence):
        offset = body.index(text, offset + 1)
    return Lines(body).span(offset, offset + len(text))


def fix(*edits: Edit) -> Fix:
    """A fix of these edits."""
    return Fix("mend it", Applicability.UNSAFE, edits)


def rewrite(source: str, *edits: Edit) -> str:
    """`source` with these edits made, as one fix, which is not refused."""
    result = apply_fixes(source, [fix(*edits)])
    assert result.refused == ()
    assert result.applied == (fix(*edits),)
    assert edited(source, text_edits(source, fix(*edits))) == result.text
    return result.text


def refusal(source: str, *edits: Edit) -> str:
    """Why these edits are not made in `source`, which stays as it is."""
    result = apply_fixes(source, [fix(*edits)])
    assert result.text == source
    assert result.applied == ()
    assert text_edits(source, fix(*edits)) == ()
    ((refused, reason),) = result.refused
    assert refused == fix(*edits)
    return reason


def edited(source: str, edits: Sequence[TextEdit]) -> str:
    """`source` with text edits made in it, as an editor makes them: from the last one to the first."""
    mark = "\ufeff" if source.startswith("\ufeff") else ""
    text = source.removeprefix(mark)
    lines = Lines(text)
    bound = len(text)
    for edit in reversed(edits):
        place = lines.range(edit.span)
        assert place is not None
        assert place[1] <= bound
        text = text[: place[0]] + edit.text + text[place[1] :]
        bound = place[0]
    return mark + text
