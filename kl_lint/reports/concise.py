"""One line for each finding: `path:row:column: CODE message`, in notebooks `path:cell 3:row:column: CODE message`.

Behind the code stands `[*]` where `--fix` would make the fix.
"""

from __future__ import annotations

from kl_lint.reports.terminal import Paint, path, visible

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding
    from kl_lint.reports import Context

__all__ = ["headline", "render"]


def render(findings: Sequence[Finding], context: Context) -> str:
    """One line for each finding."""
    paint = Paint(context.color)
    return "".join(f"{headline(finding, context, paint)}\n" for finding in findings)


def headline(finding: Finding, context: Context, paint: Paint) -> str:
    """`path:row:column: CODE [*] message`, row and column from 1, the column in code points."""
    spot = f"{context.spot(finding.filename, finding.span.row)}:{finding.span.column}"
    mark = f"[{paint.strong('*')}] " if finding.fix and finding.fix.applicability in context.ready else ""
    code = paint.alarm(finding.code)
    return f"{paint.strong(path(finding.filename))}:{spot}: {code} {mark}{visible(finding.message)}"
