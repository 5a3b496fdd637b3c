"""Fixes carried out on one text and checked, or refused with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kl_lint.finding import Fix, Span
from kl_lint.rewriting.guard import guard
from kl_lint.rewriting.lines import Range
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.pieces import Kept, Pieces, join, places, replacements
from kl_lint.rewriting.program import compose
from kl_lint.rewriting.refusal import Refused
from kl_lint.rewriting.render import render
from kl_lint.rewriting.results import Rewritten, TextEdit
from kl_lint.rewriting.tidying import tidied

__all__ = ["Editor", "Revision"]


@dataclass(frozen=True, slots=True)
class Revision:
    """What one pass made of a text."""

    old: str
    pieces: Pieces
    result: Rewritten

    def places(self, offset: int) -> Range:
        """Between which offsets of the new text that may begin now which began at `offset` of the old one."""
        return places(self.old, self.pieces, offset)


class Editor:
    """Makes fixes in one text, which has no byte order mark. The text is read once, however many fixes are tried."""

    __slots__ = ("_page", "_reason", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._page: Page | None = None
        self._reason = ""
        try:
            self._page = Page(text)
        except Refused as refusal:
            self._reason = refusal.reason

    def revise(self, fixes: Iterable[Fix]) -> Revision:
        """The text after all of `fixes` that can be made together; of two that cannot, the first one by position."""
        ordered = sorted(dict.fromkeys(fixes), key=_position)
        refused: list[tuple[Fix, str]] = []
        revision = self._extended(self._untouched(), ordered, refused)
        return replace(revision, result=replace(revision.result, refused=tuple(refused)))

    def text_edits(self, fix: Fix) -> tuple[TextEdit, ...]:
        """The smallest replacements that make `fix`, in order and apart; none where it cannot be made."""
        revision = self.revise([fix])
        if self._page is None:
            return ()
        span = self._page.lines.span
        return tuple(TextEdit(span(start, end), new) for start, end, new in replacements(self.text, revision.pieces))

    def _untouched(self) -> Revision:
        return Revision(self.text, (Kept(0, len(self.text)),), Rewritten(self.text))

    def _extended(self, done: Revision, fixes: list[Fix], refused: list[tuple[Fix, str]]) -> Revision:
        """The revision that makes those of `done` and of `fixes` those that it can; the others go to `refused`.

        Halves that fail are halved again: of many fixes few are refused, if any.
        """
        if not fixes:
            return done
        try:
            return self._revision((*done.result.applied, *fixes))
        except Refused as refusal:
            if len(fixes) == 1:
                refused.append((fixes[0], refusal.reason))
                return done
        middle = len(fixes) // 2
        return self._extended(self._extended(done, fixes[:middle], refused), fixes[middle:], refused)

    def _revision(self, fixes: tuple[Fix, ...]) -> Revision:
        if self._page is None:
            raise Refused(self._reason)
        program = compose(self._page, fixes)
        pieces = render(self._page, program)
        _keep_comments(self._page.comments, pieces)
        text = join(self.text, pieces)
        if text == self.text:
            raise Refused("the fix changes nothing")
        guard(self._page, program, text)
        pieces = tidied(self._page, program, pieces)
        return Revision(self.text, pieces, Rewritten(join(self.text, pieces), fixes))


def _keep_comments(comments: Iterable[Range], pieces: Pieces) -> None:
    kept = [piece for piece in pieces if isinstance(piece, Kept)]
    for start, end in comments:
        if not any(piece.start <= start and end <= piece.end for piece in kept):
            raise Refused("a comment would be lost")


def _position(fix: Fix) -> Span:
    return min((edit.span for edit in fix.edits), default=Span(1, 1, 1, 1))
