"""Each finding with the source it is about, what is wrong underlined, and how the values came to be what they are."""

from __future__ import annotations

from kl_lint.reports.concise import headline
from kl_lint.reports.paths import here
from kl_lint.reports.reasons import reasons
from kl_lint.reports.terminal import Paint, visible, width

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kl_lint.finding import Finding, Span
    from kl_lint.reports import Context

__all__ = ["render"]

_ROWS_SHOWN = 6


def render(findings: Sequence[Finding], context: Context) -> str:
    """Each finding, and how many there are; nothing where there are none."""
    if not findings:
        return ""
    paint = Paint(context.color)
    paragraphs = [_paragraph(finding, context, paint) for finding in findings]
    return "\n".join([*paragraphs, f"{_summary(findings, context)}\n"])


def _paragraph(finding: Finding, context: Context, paint: Paint) -> str:
    span, lines = finding.span, context.lines.get(finding.filename, ())
    _, first = context.place(finding.filename, span.row)
    margin = " " * len(str(span.end_row - span.row + first))
    parts = [headline(finding, context, paint)]
    source = list(_source(span, lines, first, margin, paint))
    if source:
        parts += [paint.frame(f"{margin} |"), *source]
    parts += [f"{margin} {paint.frame('=')} {reason}" for reason in reasons(finding, context, here())]
    return "".join(f"{part}\n" for part in parts)


def _source(span: Span, lines: Sequence[str], first: int, margin: str, paint: Paint) -> Iterator[str]:
    """The rows of `span`, each with its part of the range underlined; of many rows only the first ones and the last.

    The first row is shown as `first`.
    """
    rows = [row for row in range(span.row, span.end_row + 1) if row <= len(lines)]
    shown = rows if len(rows) <= _ROWS_SHOWN else [*rows[: _ROWS_SHOWN - 1], rows[-1]]
    for index, row in enumerate(shown):
        if index and row != shown[index - 1] + 1:
            yield paint.frame(f"{margin} ...")
        text = lines[row - 1].rstrip("\r\n")
        start = span.column - 1 if row == span.row else len(text) - len(text.lstrip())
        end = span.end_column - 1 if row == span.end_row else len(text.rstrip())
        before, marked = visible(text[:start]), visible(text[start:end])
        yield f"{paint.frame(f'{row - span.row + first:>{len(margin)}} |')} {visible(text)}".rstrip()
        if text.strip():
            underline = "^" * max(1, width(marked))
            yield f"{paint.frame(f'{margin} |')} {' ' * width(before)}{paint.alarm(underline)}"


def _summary(findings: Sequence[Finding], context: Context) -> str:
    files = len({finding.filename for finding in findings})
    return f"{_count(len(findings), 'finding')} in {files} of {_count(max(files, context.checked), 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
