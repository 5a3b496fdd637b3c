"""What is known of one text: its findings at once; what its divergences compute, and what mends it, when asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property

from kl_lint.batch import find, kept
from kl_lint.configuration.settings import Settings
from kl_lint.engine import inspect_text
from kl_lint.finding import Finding, Fix
from kl_lint.inspection import Row
from kl_lint.lines import split_lines
from kl_lint.rewriting import TextEdit, differences, edits_of_fix, fix_source
from kl_lint.rewriting.lines import BYTE_ORDER_MARK
from kl_lint.selection import INTERNAL_ERROR
from kl_lint.sources.silencing import silenced

TYPE_CHECKING = False

if TYPE_CHECKING:
    from kl_lint.rewriting.editor import Editor
    from kl_lint.sources.problem import Problem

__all__ = ["Checked"]

_log = logging.getLogger(__name__)


class Checked:
    """`text`, the content of `path` as an editor holds it, checked under `settings`.

    `unsaved` are the texts of all files that the editor holds, by path. `note` says so where there may be more to find.

    Raises Problem where `text` is not Python.
    """

    def __init__(self, path: str, text: str, settings: Settings, unsaved: Mapping[str, str]) -> None:
        self.path = path
        self.text = text
        self.unsaved = unsaved
        self._source = text.removeprefix(BYTE_ORDER_MARK)
        self._settings = settings
        self._selection = settings.selection_for(path)
        self._edits: dict[tuple[Finding, Fix], tuple[TextEdit, ...]] = {}
        self._found, self.note = self._search(self._source)
        self.findings: Sequence[Finding] = kept(self._found, self._selection, self._source)

    def _search(self, source: str) -> tuple[Sequence[Finding], Problem | None]:
        """What there is to find if this were the source, and a note where there may be more."""
        return find(self.path, source, self._selection, self._settings, self._holding(source))

    def _find(self, source: str) -> Sequence[Finding]:
        return self._search(source)[0]

    def _holding(self, source: str) -> Mapping[str, str]:
        return {**self.unsaved, self.path: source}

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines of the text, each with its newline, without a byte order mark."""
        return split_lines(self._source)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """What each divergence computes."""
        settings, unsaved = self._settings, self._holding(self._source)
        try:
            rows, _ = inspect_text(
                self._source,
                self.path,
                across=settings.across_files,
                returns=settings.returns,
                unsaved=unsaved,
            )
        except Exception:  # the findings tell of it
            _log.exception("%s could not be inspected", self.path)
            return ()
        return rows

    @cached_property
    def _editor(self) -> Editor:
        from kl_lint.rewriting.editor import Editor  # loads libcst: not before there is something to rewrite

        return Editor(self._source)

    def edits(self, finding: Finding, fix: Fix) -> tuple[TextEdit, ...]:
        """The replacements that make `fix`, one of those of `finding`; none where it cannot be made."""
        key = (finding, fix)
        if key not in self._edits:
            self._edits[key] = edits_of_fix(self._editor, finding, fix, found=self._found, check=self._find)
        return self._edits[key]

    @cached_property
    def safe_edits(self) -> tuple[TextEdit, ...]:
        """The replacements that make every fix which is safe."""
        result = fix_source(
            self._source, self.path, wanted=lambda finding: self._selection.keeps(finding.code), check=self._find
        )
        return differences(self._source, result.source)

    def silencing(self, finding: Finding) -> tuple[TextEdit, ...]:
        """The replacements that put a comment on `finding` which silences it; none where no comment can."""
        if finding.code == INTERNAL_ERROR:
            return ()
        return differences(self._source, silenced(self._source, {finding.noqa_row: [finding.code]}))
