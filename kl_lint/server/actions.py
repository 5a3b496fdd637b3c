"""What an editor may offer to do about findings: their fixes, a comment that silences, all safe fixes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from kl_lint.finding import Applicability, Finding, Fix
from kl_lint.server.diagnostics import diagnostic
from kl_lint.server.sheet import Sheet

__all__ = ["FIX_ALL", "KINDS", "actions"]

Kind = types.CodeActionKind | str

FIX_ALL = "source.fixAll.kl_lint"
KINDS: Sequence[Kind] = (types.CodeActionKind.QuickFix, FIX_ALL)
"""The kinds of actions that there are."""

_PROMISES = {Applicability.SAFE: "keeps the number", Applicability.UNSAFE: "changes the number"}
"""What each kind of fix does, in its title. Fixes of other kinds are not offered."""


def actions(sheet: Sheet, range: types.Range, context: types.CodeActionContext) -> list[types.CodeAction]:
    """The actions for the findings that `range` touches or `context` names, and for the whole text."""
    offered: list[types.CodeAction] = []
    if _asked_for(types.CodeActionKind.QuickFix, context.only):
        for finding in _findings(sheet, range, context.diagnostics):
            offered += _quick_fixes(sheet, finding)
    if _asked_for(FIX_ALL, context.only):
        offered += _fix_all(sheet)
    return offered


def _asked_for(kind: Kind, only: Sequence[Kind] | None) -> bool:
    """Whether a client that asks for the kinds `only`, each of which stands for those below it, asks for `kind`."""
    return not only or any(kind == each or kind.startswith(each + ".") for each in only)


def _findings(sheet: Sheet, range: types.Range, named: Sequence[types.Diagnostic]) -> list[Finding]:
    start, end = sheet.positions.place(range.start), sheet.positions.place(range.end)
    keys = [(each.code, each.range) for each in named]
    return [
        finding
        for finding in sheet.checked.findings
        if (finding.code, sheet.range(finding.span)) in keys
        or ((finding.span.row, finding.span.column) <= end and start <= (finding.span.end_row, finding.span.end_column))
    ]


def _quick_fixes(sheet: Sheet, finding: Finding) -> Iterator[types.CodeAction]:
    """The fixes of `finding`, what a rule proposes first, and the comment that silences it."""
    about = [diagnostic(finding, sheet)]
    for fix in (finding.fix, *finding.alternatives):
        if fix is None or fix.applicability not in _PROMISES:
            continue
        edits = sheet.checked.edits(finding, fix)
        if edits:
            yield types.CodeAction(
                title=_title(finding, fix),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=about,
                is_preferred=fix is finding.fix and fix.applicability is Applicability.SAFE,
                edit=sheet.edit(edits),
            )
    edits = sheet.checked.silencing(finding)
    if edits:
        yield types.CodeAction(
            title=f"Disable {finding.code} for this line",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=about,
            is_preferred=False,
            edit=sheet.edit(edits),
        )


def _title(finding: Finding, fix: Fix) -> str:
    return f"{fix.description} [{finding.code}, {_PROMISES[fix.applicability]}]"


def _fix_all(sheet: Sheet) -> Iterator[types.CodeAction]:
    """The fixes that are safe, if there are any."""
    if any(finding.fix and finding.fix.applicability is Applicability.SAFE for finding in sheet.checked.findings):
        edits = sheet.checked.safe_edits
        if edits:
            yield types.CodeAction(title="kl-lint: make all safe fixes", kind=FIX_ALL, edit=sheet.edit(edits))
