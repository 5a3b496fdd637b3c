"""One file of many: read, searched, decoded, checked, mended or inspected, and relieved of what comments silence.

What is done to a file depends on that file and the settings alone; its outcome holds all that is to be told of it.
Nothing is written here.
"""

from __future__ import annotations

import sys

from kl_lint.engine import check_text, inspect_text, mentions
from kl_lint.lines import split_lines
from kl_lint.selection import INTERNAL_ERROR
from kl_lint.sources.decoding import DOCUMENTS, NOTEBOOK
from kl_lint.sources.problem import Problem, incomplete

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kl_lint.changes import Change
    from kl_lint.configuration.settings import Settings
    from kl_lint.finding import Finding, Step
    from kl_lint.inspection import Row, View
    from kl_lint.selection import Selection
    from kl_lint.sources.cells import Cells
    from kl_lint.sources.decoding import Text
    from kl_lint.sources.document import Document
    from kl_lint.sources.files import File, Stdin
    from kl_lint.sources.notebook import Notebook

__all__ = [
    "Outcome",
    "check",
    "check_bytes",
    "find",
    "fix",
    "fix_bytes",
    "inspect",
    "inspect_bytes",
    "kept",
    "silence",
    "silence_bytes",
    "weigh",
]

_OUR_MISTAKE = "this is a mistake of kl-lint's own, please report it"
_NOT_WRITTEN = "is a document, in which no comments are written"
_NOT_HEARD = "no comment can silence it: text before its place holds what reads as one; use per-file-ignores"


class Outcome:
    """What came of one file.

    `findings` are those there are to tell, `rows` what its divergences compute, `lines` the file's, where a report may
    want to show them. `change` is what is to become of the file, `mended` the findings that are gone with it, `refused`
    those that were to be and cannot, each with the reason. `problem` says why any of this is missing, `note` why some
    of it may be, which is no failure. `cells` are a notebook's, to which the rows of all these places belong.
    """

    __slots__ = ("cells", "change", "findings", "lines", "mended", "note", "path", "problem", "refused", "rows")

    def __init__(
        self,
        path: str,
        *,
        findings: Sequence[Finding] = (),
        rows: Sequence[Row] = (),
        lines: Sequence[str] = (),
        change: Change | None = None,
        mended: Sequence[Finding] = (),
        refused: Sequence[tuple[Finding, str]] = (),
        problem: Problem | None = None,
        note: Problem | None = None,
    ) -> None:
        self.path = path
        self.cells: Cells | None = None
        self.findings = findings
        self.rows = rows
        self.lines = lines
        self.change = change
        self.mended = mended
        self.refused = refused
        self.problem = problem
        self.note = note

    def spot(self, finding: Finding) -> str:
        """The row of a finding, as a message has it behind the name of the file."""
        return self.cells.spot(finding.span.row) if self.cells else str(finding.span.row)


# --- of a file or standard input: None where there is nothing to tell, which is nearly always ---


def weigh(source: File, settings: Settings) -> int:
    """How many bytes of a file there are to analyse: 0 where it cannot have anything to tell."""
    try:
        data = source.read()
    except Problem:
        return 1  # it has that to tell
    return len(data) if mentions(data, settings.selection.enable) else 0


def check(source: File | Stdin, settings: Settings) -> Outcome | None:
    """The findings in one file."""
    return _over(source, settings, check_bytes)


def fix(source: File | Stdin, settings: Settings) -> Outcome | None:
    """The change that mends one file, and the findings that are left then. Those of documents are left."""
    return _over(source, settings, check_bytes if source.path.endswith(DOCUMENTS) else fix_bytes)


def silence(source: File | Stdin, settings: Settings) -> Outcome | None:
    """The change that puts comments on the findings in one file, and the findings that these cannot silence."""
    return _over(source, settings, silence_bytes)


def inspect(source: File | Stdin, settings: Settings) -> Outcome | None:
    """What the KL divergences of one file compute."""
    return _over(source, settings, inspect_bytes, calls_only=True)


def _over(
    source: File | Stdin,
    settings: Settings,
    work: Callable[[str, bytes, Settings], Outcome | None],
    *,
    calls_only: bool = False,
) -> Outcome | None:
    try:
        data = source.read()
        if not mentions(data, frozenset() if calls_only else settings.selection.enable) or source.ignored:
            return None
        outcome = work(source.path, data, settings)
        if source.path.endswith(NOTEBOOK):
            return _in_cells(source.path, data, outcome)
        return _in_blocks(source.path, data, outcome) if source.path.endswith(DOCUMENTS) else outcome
    except Problem as problem:
        return None if source.ignored else Outcome(source.path, problem=problem)
    except MemoryError:
        what = "takes more memory than there is"
        return Outcome(source.path, problem=Problem(source.path, what, "leave it out with --extend-exclude"))
    except Exception as error:  # it must not cost the other files
        return Outcome(source.path, problem=_mistake(source.path, "checked", error))


# --- of `data`, the content of `path`: Problem is raised where it cannot be decoded or parsed ---


def check_bytes(path: str, data: bytes, settings: Settings) -> Outcome | None:
    """The findings in `data`."""
    text, selection = _decode(path, data).text, settings.selection_for(path)
    found, note = find(path, text, selection, settings)
    findings = kept(found, selection, text)
    return Outcome(path, findings=findings, lines=split_lines(text), note=note) if findings or note else None


def fix_bytes(path: str, data: bytes, settings: Settings) -> Outcome | None:
    """The change that mends `data`: what is safe, and what is not where the settings say so."""
    from kl_lint.rewriting import fix_source

    decoded, selection = _decode(path, data), settings.selection_for(path)
    if decoded.text.startswith("\ufeff"):  # a second mark, which Python does not take for one
        return check_bytes(path, data, settings)
    notes: list[Problem] = []

    def check(text: str) -> Sequence[Finding]:
        found, note = find(path, text, selection, settings)
        if note:
            notes.append(note)
        return found

    try:
        result = fix_source(
            decoded.text,
            path,
            unsafe=settings.unsafe_fixes,
            wanted=lambda finding: selection.keeps(finding.code),
            check=check,
        )
    except Problem:
        raise
    except Exception as error:
        outcome = check_bytes(path, data, settings) or Outcome(path)
        outcome.problem = _mistake(path, "fixed", error)
        return outcome
    findings = kept(result.remaining, selection, result.source)
    change = _change(path, data, decoded, result.source)
    if not (findings or change or notes):
        return None
    return Outcome(
        path,
        findings=findings,
        lines=split_lines(result.source),
        change=change,
        mended=result.fixed,
        refused=result.refused,
        note=notes[0] if notes else None,
    )


def silence_bytes(path: str, data: bytes, settings: Settings) -> Outcome | None:
    """The change that puts comments into `data` which silence its findings."""
    from kl_lint.sources.silencing import silenced

    if path.endswith(DOCUMENTS):
        outcome = check_bytes(path, data, settings)
        return outcome and Outcome(path, problem=Problem(path, _NOT_WRITTEN, "write them by hand, or leave it out"))
    decoded, selection = _decode(path, data), settings.selection_for(path)
    every, note = find(path, decoded.text, selection, settings)
    found = kept(every, selection, decoded.text)
    codes: dict[int, list[str]] = {}
    for finding in found:
        if finding.code != INTERNAL_ERROR:
            codes.setdefault(finding.noqa_row, []).append(finding.code)
    text = silenced(decoded.text, codes)
    left = kept(found, selection, text)  # comments move no row
    change = _change(path, data, decoded, text)
    return Outcome(
        path,
        findings=left,
        lines=split_lines(text),
        change=change,
        mended=[finding for finding in found if finding not in left],
        refused=[(finding, _NOT_HEARD) for finding in left if finding.code != INTERNAL_ERROR],
        note=note,
    )


def inspect_bytes(path: str, data: bytes, settings: Settings) -> Outcome:
    """What the KL divergences in `data` compute."""
    text = _decode(path, data).text
    try:
        rows, complete = inspect_text(text, path, across=settings.across_files, returns=settings.returns)
        return Outcome(path, rows=rows, lines=split_lines(text), note=None if complete else incomplete(path))
    except SyntaxError as error:
        raise _not_python(path, error) from error
    except Exception as error:
        raise _mistake(path, "analysed", error) from error


# --- of `text`, the content of `path` ---


def find(
    path: str, text: str, selection: Selection, settings: Settings, unsaved: Mapping[str, str] | None = None
) -> tuple[Sequence[Finding], Problem | None]:
    """The findings in `text`, and a note where there may be more.

    Of a fix that is not to be made, they have only the sight. Other files' are told with those. `unsaved` are texts
    that stand for files as an editor holds them, by path. Raises Problem where `text` is not Python.
    """
    try:
        found, complete = check_text(
            text,
            path,
            enable=selection.enable,
            across=settings.across_files,
            returns=settings.returns,
            unsaved=unsaved,
        )
    except SyntaxError as error:
        raise _not_python(path, error) from error
    own = (finding for finding in found if finding.filename == path)
    shown = [finding if selection.mends(finding.code) else _with_fix_for_show(finding) for finding in own]
    return shown, None if complete else incomplete(path)


def _in_cells(path: str, data: bytes, outcome: Outcome | None) -> Outcome | None:
    """`outcome` of a notebook that holds `data`, told in its cells as they are then."""
    from dataclasses import replace

    from kl_lint.sources.notebook import Notebook

    notebook = Notebook(path, outcome.change.after if outcome and outcome.change else data)
    if outcome is None:
        return Outcome(path, problem=notebook.problem) if notebook.problem else None
    cells = outcome.cells = notebook.cells
    outcome.problem = outcome.problem or notebook.problem
    outcome.findings = [
        each if each.code == INTERNAL_ERROR else replace(each, message=cells.told(each.message, each.span.row))
        for each in outcome.findings
    ]
    outcome.refused = [(finding, cells.told(reason, finding.span.row)) for finding, reason in outcome.refused]
    return outcome


def _in_blocks(path: str, data: bytes, outcome: Outcome | None) -> Outcome | None:
    """`outcome` of a document that holds `data`, told in its rows and columns, with fixes that are only shown."""
    from dataclasses import replace

    from kl_lint.finding import Applicability
    from kl_lint.sources.document import read_document

    document = read_document(path, data)
    if outcome is None:
        return Outcome(path, note=document.problem) if document.problem else None

    def placed(steps: Iterable[Step]) -> tuple[Step, ...]:
        return tuple(replace(each, span=document.span(each.span)) if each.filename == path else each for each in steps)

    def seen(view: View | None) -> View | None:
        return view and replace(view, trace=placed(view.trace))

    outcome.note = outcome.note or document.problem
    outcome.lines = document.lines
    outcome.findings = [
        replace(
            each,
            span=document.span(each.span),
            trace=placed(each.trace),
            fix=each.fix and replace(each.fix, applicability=Applicability.DISPLAY, edits=()),
            alternatives=(),
        )
        for each in outcome.findings
    ]
    outcome.rows = [
        replace(row, span=document.span(row.span), input=seen(row.input), target=seen(row.target))
        for row in outcome.rows
    ]
    return outcome


def _with_fix_for_show(finding: Finding) -> Finding:
    from dataclasses import replace

    from kl_lint.finding import Applicability

    shown = finding.fix and replace(finding.fix, applicability=Applicability.DISPLAY)
    return replace(finding, fix=shown, alternatives=())


def kept(findings: Iterable[Finding], selection: Selection, text: str) -> Sequence[Finding]:
    """The findings in `text` that are wanted and that no comment silences."""
    wanted = [finding for finding in findings if selection.keeps(finding.code)]
    if not wanted or "noqa" not in text.lower():
        return wanted
    from kl_lint.sources.noqa import Noqa

    noqa = Noqa(split_lines(text))
    return [finding for finding in wanted if not noqa.silences(finding.code, finding.noqa_row)]


# --- steps ---


def _decode(path: str, data: bytes) -> Text | Notebook | Document:
    from kl_lint.sources.decoding import decode

    return decode(data, path)


def _change(path: str, data: bytes, decoded: Text | Notebook | Document, text: str) -> Change | None:
    """The change to the file at `path`, whose content is `data`, that makes its text `text`; None where it is that."""
    if text == decoded.text:
        return None
    from kl_lint.changes import Change

    return Change.of(path, data, decoded, text)


def _mistake(path: str, done: str, error: Exception) -> Problem:
    what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
    return Problem(path, f"could not be {done} ({what})", _OUR_MISTAKE)


def _not_python(path: str, error: SyntaxError) -> Problem:
    if error.lineno is None:
        return Problem(path, f"cannot be parsed ({error.msg})", "mend it, or leave it out with --extend-exclude")
    version = ".".join(map(str, sys.version_info[:2]))
    return Problem(
        path,
        f"is not valid Python {version} ({error.msg})",
        "mend it, or run kl-lint with the Python that it is written for",
        error.lineno,
    )
