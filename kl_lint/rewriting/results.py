"""What rewriting hands back."""

from __future__ import annotations

from dataclasses import dataclass

from kl_lint.finding import Finding, Fix, Span

__all__ = ["FixResult", "Rewritten", "TextEdit"]


@dataclass(frozen=True, slots=True)
class TextEdit:
    """`text` in place of what stands at `span`, rows and columns of the text before any edit."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text after one pass: the fixes made in it, and those that were not, with the reason for people."""

    text: str
    applied: tuple[Fix, ...] = ()
    refused: tuple[tuple[Fix, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FixResult:
    """A source after all passes.

    `fixed` are the findings that were mended, each as it was found in its pass; `remaining` those of `source` as it is
    now, `refused` those of them that have a fix which was wanted and could not be made, with the reason for people.
    """

    source: str
    fixed: tuple[Finding, ...] = ()
    remaining: tuple[Finding, ...] = ()
    refused: tuple[tuple[Finding, str], ...] = ()
