"""Findings as diagnostics."""

from __future__ import annotations

from lsprotocol import types

from kl_lint.finding import Finding
from kl_lint.selection import INTERNAL_ERROR
from kl_lint.server.sheet import Sheet

__all__ = ["diagnostic", "diagnostics"]


def diagnostics(sheet: Sheet) -> list[types.Diagnostic]:
    """Every finding."""
    return [diagnostic(finding, sheet) for finding in sheet.checked.findings]


def diagnostic(finding: Finding, sheet: Sheet) -> types.Diagnostic:
    """One finding. Its trace becomes related information, oldest step first."""
    failed = finding.code == INTERNAL_ERROR
    return types.Diagnostic(
        range=sheet.range(finding.span),
        message=finding.message,
        severity=types.DiagnosticSeverity.Error if failed else types.DiagnosticSeverity.Warning,
        code=finding.code,
        code_description=types.CodeDescription(finding.url),
        source="kl-lint",
        related_information=[
            types.DiagnosticRelatedInformation(sheet.location(step.filename, step.span), step.what)
            for step in finding.trace
        ]
        or None,
    )
