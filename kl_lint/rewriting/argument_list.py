"""A call's argument list, edited in the layout that it has: its commas, rows and indentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kl_lint.rewriting.call_plan import CallPlan
from kl_lint.rewriting.layout import Argument, Call, Layout
from kl_lint.rewriting.lines import Range
from kl_lint.rewriting.pieces import Pieces
from kl_lint.rewriting.quotes import requote

__all__ = ["Splice", "argument_splices"]

_REST_OF_ROW = re.compile(r"[ \t\f]*(?P<comment>#[^\r\n]*)?(?=[\r\n]|\Z)")
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Splice:
    """New pieces for what stands between two offsets."""

    start: int
    end: int
    pieces: Pieces


def argument_splices(call: Call, plan: CallPlan, layout: Layout, show: Callable[[int], Pieces]) -> list[Splice]:
    """What to change in the argument list of `call`, from its beginning to its end.

    `show` gives the pieces of an argument's value where it is to stand in the place of another one.
    """
    editor = _ArgumentList(call, plan, layout)
    changes = [*editor.changed(show), *editor.dropped(), *editor.added()]
    return sorted(changes, key=lambda splice: (splice.start, splice.end))


class _ArgumentList:
    __slots__ = ("_arguments", "_call", "_gone", "_layout", "_plan", "_text")

    def __init__(self, call: Call, plan: CallPlan, layout: Layout) -> None:
        self._call = call
        self._plan = plan
        self._layout = layout
        self._text = layout.lines.text
        self._arguments = call.arguments
        self._gone = [slot.dropped for slot in plan.slots]

    def changed(self, show: Callable[[int], Pieces]) -> Iterator[Splice]:
        """New keywords and new values."""
        for index, (argument, slot) in enumerate(zip(self._arguments, self._plan.slots, strict=True)):
            if slot.dropped:
                continue
            if slot.keyword != argument.keyword:
                keyword = slot.keyword if argument.keyword else f"{slot.keyword}="
                yield Splice(argument.start, argument.keyword_end, (keyword or "",))
            if slot.value is not None:
                yield Splice(*argument.value.outer, (self._quoted(slot.value),))
            elif slot.source != index:
                yield Splice(*argument.value.outer, show(slot.source))

    def dropped(self) -> Iterator[Splice]:
        """Arguments taken out, each run of neighbours at once, with the commas that they leave over."""
        for first, last in _runs(self._gone):
            if last < len(self._gone) - 1:
                yield self._cut(self._rows(first, last), (self._start(first), self._start(last + 1)))
            elif self._plan.added:
                yield Splice(self._start(first), self._end(last), (self._keywords(),))
            elif first > 0:
                yield self._cut((self._end(first - 1), self._end(last)), self._rows(first, last))
            else:
                yield Splice(self._start(0), self._arguments[last].comma_end or self._end(last), ())

    def added(self) -> Iterator[Splice]:
        """Keywords put at the end, where no dropped argument has left its place."""
        if not self._plan.added:
            return
        if not self._arguments:
            yield Splice(self._call.opening, self._call.opening, (self._keywords(),))
        elif not self._gone[-1]:
            yield from self._appended(self._arguments[-1])

    def _appended(self, last: Argument) -> Iterator[Splice]:
        indentation = self._row_of_its_own()
        if indentation is None:
            yield Splice(last.end, last.end, (f", {self._keywords()}",))
            return
        rows = [indentation + f"{name}={self._quoted(value)}" for name, value in self._plan.added]
        if last.comma_end is None:
            yield Splice(last.end, last.end, (",",))
            end = self._after_comment(last.end)
            yield Splice(end, end, (",".join(rows),))
        else:
            end = self._after_comment(last.comma_end)
            yield Splice(end, end, ("".join(f"{row}," for row in rows),))

    def _row_of_its_own(self) -> str | None:
        """The newline and indentation for a further argument; None where arguments do not each begin a row.

        Two arguments of which the first stands on the row of the call may be filled rows as well.
        """
        lines = self._layout.lines
        starts = [lines.row_start(argument.start) for argument in self._arguments]
        indentation = self._text[starts[-1] : self._arguments[-1].start]
        hanging = starts[0] < self._call.opening
        if len(set(starts)) < len(starts) or indentation.strip() or (hanging and len(starts) < 3):
            return None
        newline = _NEWLINE.findall(self._text, max(0, starts[-1] - 2), starts[-1])
        return f"{newline[-1]}{indentation}"

    def _after_comment(self, offset: int) -> int:
        """The end of a comment that closes the row, `offset` where there is none."""
        rest = _REST_OF_ROW.match(self._text, offset)
        return rest.end() if rest and rest["comment"] else offset

    def _rows(self, first: int, last: int) -> Range | None:
        """The whole rows of a run of arguments, where they share them with nothing else, their comma included."""
        start = self._layout.lines.row_start(self._start(first))
        end = self._arguments[last].comma_end or self._end(last)
        rest = _REST_OF_ROW.match(self._text, end)
        newline = _NEWLINE.match(self._text, rest.end()) if rest and not rest["comment"] else None
        if newline is None or self._text[start : self._start(first)].strip():
            return None
        return start, newline.end()

    def _cut(self, wanted: Range | None, otherwise: Range | None) -> Splice:
        """A cut along the first range that takes no comment with it, along any where each one does."""
        ranges = [cut for cut in (wanted, otherwise) if cut is not None]
        harmless = (cut for cut in ranges if not any(cut[0] <= start < cut[1] for start, _ in self._layout.comments))
        return Splice(*next(harmless, ranges[0]), ())

    def _keywords(self) -> str:
        return ", ".join(f"{name}={self._quoted(value)}" for name, value in self._plan.added)

    def _quoted(self, value: str) -> str:
        return requote(value, self._layout, (self._call.place.start, self._call.place.end))

    def _start(self, index: int) -> int:
        return self._arguments[index].start

    def _end(self, index: int) -> int:
        return self._arguments[index].end


def _runs(flags: list[bool]) -> Iterator[Range]:
    """The first and last index of each run of true values."""
    first = None
    for index, flag in enumerate([*flags, False]):
        if flag and first is None:
            first = index
        elif not flag and first is not None:
            yield first, index - 1
            first = None
