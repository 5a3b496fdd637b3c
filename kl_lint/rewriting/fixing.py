"""Check, mend, check again, until there is nothing left to mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from kl_lint.finding import Applicability, Finding, Fix
from kl_lint.rewriting.lines import BYTE_ORDER_MARK, Lines
from kl_lint.rewriting.results import FixResult, TextEdit
from kl_lint.selection import INTERNAL_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from kl_lint.rewriting.editor import Editor, Revision

__all__ = ["Check", "edits_of_fix", "fix_source"]

Check = Callable[[str], Sequence[Finding]]
"""The findings of a text that has no byte order mark."""

_ROUNDS = 10
"""A fix may bring another finding to light: one or two rounds are the rule."""

_STILL_FOUND = "the finding would still be there"
_UNCHECKED = "the rewritten file could not be checked"
_CIRCLE = "its fix and others undo each other"
_UNSETTLED = f"left for another run: {_ROUNDS} rounds were not enough"


def fix_source(
    source: str,
    filename: str = "<string>",
    *,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] | None = None,
    enable: frozenset[str] = frozenset(),
    check: Check | None = None,
) -> FixResult:
    """Mend what is wrong with the KL divergences of `source`, as far as it can be done without a person.

    Only findings of `filename` itself are mended, and by safe fixes, unless `unsafe`; those that `wanted` takes, where
    it is given, and never on a line whose `# noqa` silences the finding. `check` finds what there is to mend, kl-lint's
    own rules by default, with `enable` as in `kl_lint.check_source`.

    The result parses, to the same syntax tree but for the planned edits, and the mended findings are gone: a fix of
    which this is not true is not made. Raises SyntaxError where `source` is not Python.
    """
    mark = BYTE_ORDER_MARK if source.startswith(BYTE_ORDER_MARK) else ""
    loop = _Loop(filename, check or _checker(filename, enable), unsafe, wanted)
    result = loop.run(source[len(mark) :])
    return FixResult(mark + result.source, result.fixed, result.remaining, result.refused)


def edits_of_fix(
    editor: Editor, finding: Finding, fix: Fix, *, found: Iterable[Finding], check: Check
) -> tuple[TextEdit, ...]:
    """The smallest replacements that make `fix`, the one of `finding` or one of its alternatives, in the editor's text.

    None where it cannot be made, or where the finding would still be there. `found` are the findings of the text.
    """
    revision = editor.revise([fix])
    if not revision.result.applied:
        return ()
    mended = replace(finding, fix=fix)
    before = [mended if each == finding else each for each in found]
    after = check(revision.result.text)
    return () if _failed(revision, before, [mended], after) else editor.text_edits(fix)


def _checker(filename: str, enable: frozenset[str]) -> Check:
    from kl_lint.engine import check_text

    return lambda text: check_text(text, filename, enable=enable, across=True)[0]


@dataclass(frozen=True, slots=True)
class _Round:
    """A text after one round, what is found in it now, what was mended, and which wanted fixes could not be made."""

    text: str
    findings: tuple[Finding, ...]
    mended: tuple[Finding, ...]
    refused: dict[Fix, str]


@dataclass(frozen=True, slots=True)
class _Loop:
    filename: str
    check: Check
    unsafe: bool
    wanted: Callable[[Finding], bool] | None

    def run(self, source: str) -> FixResult:
        text, findings = source, tuple(self.check(source))
        first = findings
        seen = {source}
        fixed: tuple[Finding, ...] = ()
        for _ in range(_ROUNDS):
            turn = self._round(text, findings)
            if turn.text == text:
                reasons = [(finding, turn.refused.get(fix)) for finding, fix in self._fixable(text, findings)]
                refused = tuple((finding, reason) for finding, reason in reasons if reason is not None)
                return FixResult(text, fixed, findings, refused)
            if turn.text in seen:
                return FixResult(source, (), first, self._all_refused(source, first, _CIRCLE))
            seen.add(turn.text)
            text, findings, fixed = turn.text, turn.findings, (*fixed, *turn.mended)
        return FixResult(text, fixed, findings, self._all_refused(text, findings, _UNSETTLED))

    def _round(self, text: str, findings: tuple[Finding, ...]) -> _Round:
        """Make all fixes at once, then again without those that do not mend their finding."""
        fixable = self._fixable(text, findings)
        unchanged = _Round(text, findings, (), {})
        if not fixable:
            return unchanged
        from kl_lint.rewriting.editor import Editor  # loads libcst: not before there is something to rewrite

        editor = Editor(text)
        useless: dict[Fix, str] = {}
        while True:
            revision = editor.revise(fix for _, fix in fixable if fix not in useless)
            applied = set(revision.result.applied)
            refused = dict(revision.result.refused) | useless
            if not applied:
                return _Round(text, findings, (), refused)
            after = tuple(self.check(revision.result.text))
            mended = tuple(finding for finding, fix in fixable if fix in applied)
            failed = _failed(revision, findings, mended, after)
            if not failed:
                return _Round(revision.result.text, after, mended, refused)
            useless |= failed

    def _fixable(self, text: str, findings: Iterable[Finding]) -> list[tuple[Finding, Fix]]:
        """The findings that are to be mended, each with its fix."""
        levels = {Applicability.SAFE, Applicability.UNSAFE} if self.unsafe else {Applicability.SAFE}
        own = [finding for finding in findings if finding.filename == self.filename]
        found = [(finding, finding.fix) for finding in own if finding.fix and finding.fix.applicability in levels]
        if not found:
            return []
        from kl_lint.lines import split_lines
        from kl_lint.sources.noqa import Noqa

        noqa = Noqa(split_lines(text))

        def silenced(finding: Finding, fix: Fix) -> bool:
            rows = {finding.noqa_row, *(edit.span.row for edit in fix.edits)}
            return any(noqa.silences(finding.code, row) for row in rows)

        return [
            (finding, fix)
            for finding, fix in found
            if not silenced(finding, fix) and (self.wanted is None or self.wanted(finding))
        ]

    def _all_refused(self, text: str, findings: Iterable[Finding], reason: str) -> tuple[tuple[Finding, str], ...]:
        return tuple((finding, reason) for finding, _ in self._fixable(text, findings))


def _failed(
    revision: Revision, before: Iterable[Finding], mended: Sequence[Finding], after: Sequence[Finding]
) -> dict[Fix, str]:
    """The fixes after which their finding is still there, at the place to which the fixes have moved it."""
    fixes = {finding: finding.fix for finding in mended if finding.fix is not None}
    if _has_error(after) and not _has_error(before):
        return dict.fromkeys(fixes.values(), _UNCHECKED)
    old, new = Lines(revision.old), Lines(revision.result.text)
    found = [(finding.code, _start(new, finding)) for finding in after]
    others = Counter((finding.code, _start(old, finding)) for finding in before if finding not in fixes)
    failed: dict[Fix, str] = {}
    for finding, fix in fixes.items():
        place = _start(old, finding)
        low, high = revision.places(place)
        still = sum(code == finding.code and low <= start <= high for code, start in found)
        if still > others[finding.code, place]:
            failed[fix] = _STILL_FOUND
    return failed


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.code == INTERNAL_ERROR for finding in findings)


def _start(lines: Lines, finding: Finding) -> int:
    return lines.offset(finding.span.row, finding.span.column) or 0
