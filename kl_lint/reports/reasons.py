"""What there is to say of a finding beside its message."""

from __future__ import annotations

from kl_lint.reports.paths import relative
from kl_lint.reports.terminal import visible

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kl_lint.finding import Finding, Step
    from kl_lint.reports import Context

__all__ = ["line_of", "reasons"]


def reasons(finding: Finding, context: Context, base: str) -> Iterator[str]:
    """The steps of the trace, then what the fix does: a line of visible text each. Paths are relative to `base`."""
    for step in finding.trace:
        yield visible(f"{step.what} at {line_of(step, finding.filename, finding.span.row, context, base)}")
    if finding.fix is not None:
        yield visible(f"help: {finding.fix.description}")


def line_of(step: Step, filename: str, row: int, context: Context, base: str) -> str:
    """`line 12`, and of which file or cell, where it is another than that of `row` in the file `filename`."""
    cell, there = context.place(step.filename, step.span.row)
    if step.filename != filename:
        return f"line {there} of {relative(step.filename, base)}"
    return f"line {there}" if cell == context.place(filename, row)[0] else f"line {there} of cell {cell}"
