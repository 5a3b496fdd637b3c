"""The words that every room of kl-lint speaks: spans, findings, edits, fixes.

Rows and columns are 1-based; a column counts code points of the decoded line. Reports convert to what
their readers expect (flake8: 0-based columns; LSP and SARIF: UTF-16 units).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = [
    "Applicability",
    "DropKeyword",
    "Edit",
    "Finding",
    "Fix",
    "NamePositional",
    "RenameCallee",
    "RenameKeyword",
    "Replace",
    "SetKeyword",
    "Span",
    "Step",
    "SwapArguments",
    "Unwrap",
    "Wrap",
]

RULE_PAGES = "https://github.com/kl-lint/kl-lint/blob/main/README.md"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of source text: 1-based rows and code-point columns, the end exclusive."""

    row: int
    column: int
    end_row: int
    end_column: int

    def contains(self, other: Span) -> bool:
        """Whether `other` lies within this span."""
        starts_before = (self.row, self.column) <= (other.row, other.column)
        return starts_before and (other.end_row, other.end_column) <= (self.end_row, self.end_column)


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain that shows why a value is known: `what` happened at `span` of `filename`."""

    filename: str
    span: Span
    what: str


class Applicability(str, Enum):
    """How far a fix may be trusted to a machine."""

    SAFE = "safe"
    """The number stays the same, up to rounding, and is never less stable."""
    UNSAFE = "unsafe"
    """The number changes, on purpose, to the divergence that the code says it computes."""
    DISPLAY = "display"
    """Shown only, never applied."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """Write `before` and `after` around the expression at `span`: `torch.log(` … `)`, or nothing … `.log()`.

    Where `after` begins with a dot and the expression binds more loosely than an attribute, parentheses are added.
    """

    span: Span
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Put the expression at `inner` in the place of the one at `span`, which encloses it."""

    span: Span
    inner: Span


@dataclass(frozen=True, slots=True)
class RenameCallee:
    """Rename what the call at `span` calls, keeping its spelling: `F.softmax(` -> `F.log_softmax(`.

    `name` replaces the last component. A callee that is a bare imported name becomes a method call on the first
    argument.
    """

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class SetKeyword:
    """Give the call at `span` the keyword `name=value`, in place of one of that name where there is one."""

    span: Span
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DropKeyword:
    """Take the keyword `name` out of the call at `span`."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class RenameKeyword:
    """Rename the keyword `old` of the call at `span` to `new`, its value to `value` where one is given."""

    span: Span
    old: str
    new: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class NamePositional:
    """Turn positional argument `index` of the call at `span` into the keyword `name`; those before it stay.

    Positional arguments between are dropped where `drop_before` counts them (placeholders such as `None, None`).
    """

    span: Span
    index: int
    name: str
    value: str | None = None
    drop_before: int = 0


@dataclass(frozen=True, slots=True)
class SwapArguments:
    """Exchange the expressions at `first` and `second`, both arguments of the call at `span`."""

    span: Span
    first: Span
    second: Span


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `source` in the place of the expression at `span`.

    `{0}`, `{1}` … in `source` stand for the text of the expressions at `parts`; literal braces are doubled.
    """

    span: Span
    source: str
    parts: tuple[Span, ...] = ()


Edit = (
    Wrap | Unwrap | RenameCallee | SetKeyword | DropKeyword | RenameKeyword | NamePositional | SwapArguments | Replace
)


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend a finding: what it does, how far it may be trusted, and its edits, made together or not at all."""

    description: str
    applicability: Applicability
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One report: a rule's code at a range of a file.

    `noqa_row` is the row on which a `# noqa` silences it: the first line of the call. `trace` says why, oldest step
    first.
    `fix` is the mend that `--fix` would make; `alternatives` are further ones that only an editor offers.
    """

    code: str
    name: str
    message: str
    filename: str
    span: Span
    noqa_row: int
    trace: tuple[Step, ...] = ()
    fix: Fix | None = None
    alternatives: tuple[Fix, ...] = ()

    @property
    def url(self) -> str:
        """The page that explains the rule."""
        return f"{RULE_PAGES}#{self.code.lower()}"
