"""What a divergence computes and what a code stands for, where somebody points at it."""

from __future__ import annotations

import re

from lsprotocol import types

from kl_lint.finding import Span
from kl_lint.reports import Context
from kl_lint.reports.rows import particulars
from kl_lint.rules import RULES
from kl_lint.rules.documentation import as_markdown, as_text
from kl_lint.server.sheet import Sheet
from kl_lint.sources.noqa import COMMENT

__all__ = ["hints", "hover"]

_CODE = re.compile(r"\w+")


def hover(sheet: Sheet, position: types.Position, *, markdown: bool) -> types.Hover | None:
    """What is to be said at `position`: of a code in a `# noqa` comment, or of the innermost divergence around it."""
    row, column = sheet.positions.place(position)
    told = _of_code(sheet, row, column, markdown=markdown) or _of_call(sheet, row, column, markdown=markdown)
    if told is None:
        return None
    text, span = told
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    return types.Hover(types.MarkupContent(kind, text), sheet.range(span))


def _of_code(sheet: Sheet, row: int, column: int, *, markdown: bool) -> tuple[str, Span] | None:
    """The page of the rule whose code stands in a comment there; of the beginning of several codes, their names."""
    lines = sheet.checked.lines
    comment = COMMENT.search(lines[row - 1]) if row <= len(lines) else None
    if comment is None or not comment["codes"]:
        return None
    for code in _CODE.finditer(lines[row - 1], *comment.span("codes")):
        if code.start() < column <= code.end():
            rules = [rule for rule in RULES if rule.code.startswith(code[0])]
            span = Span(row, code.start() + 1, row, code.end() + 1)
            match rules:
                case []:
                    return None
                case [rule]:
                    return (as_markdown(rule) if markdown else as_text(rule)), span
                case _:
                    return "\n".join(f"- {rule.code} {rule.name}" for rule in rules), span
    return None


def _of_call(sheet: Sheet, row: int, column: int, *, markdown: bool) -> tuple[str, Span] | None:
    """What the innermost divergence there computes."""
    here = Span(row, column, row, column + 1)
    calls = [each for each in sheet.checked.rows if each.span.contains(here)]
    if not calls:
        return None
    call = max(calls, key=lambda each: (each.span.row, each.span.column))
    lines = [call.computes, "", *particulars(call, Context({}))]
    return ("\n".join(_fenced(lines)) if markdown else "\n".join(lines)), call.span


def _fenced(lines: list[str]) -> list[str]:
    """As it is, whatever marks there are in it."""
    return ["```text", *lines, "```"]


def hints(sheet: Sheet, range: types.Range) -> list[types.InlayHint]:
    """Behind each divergence in `range`, its direction."""
    first, last = sheet.positions.place(range.start), sheet.positions.place(range.end)
    return [
        types.InlayHint(sheet.range(call.span).end, call.direction, tooltip=call.computes, padding_left=True)
        for call in sheet.checked.rows
        if call.direction is not None and first <= (call.span.end_row, call.span.end_column) <= last
    ]
