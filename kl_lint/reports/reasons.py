"""What there is to say of a finding beside its message."""

from __future__ import annotations

from kl_lint.reports.paths import relative
from kl_lint.reports.terminal import visible

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kl_lint.finding import Finding

__all__ = ["reasons"]


def reasons(finding: Finding, base: str) -> Iterator[str]:
    """The steps of the trace, then what the fix does: a line of visible text each. Paths are relative to `base`."""
    for step in finding.trace:
        place = f"{step.what} at line {step.span.row}"
        elsewhere = "" if step.filename == finding.filename else f" of {relative(step.filename, base)}"
        yield visible(place + elsewhere)
    if finding.fix is not None:
        yield visible(f"help: {finding.fix.description}")
