"""What a rule is: a code, a name, a documentation, and a question to ask of every KL call.

A rule sees facts and answers with a `Report` or with None. It holds no state, reads no syntax and knows no other
rule: where two rules could speak of one misuse, the one that yields asks the facts (see `proofs`), not the other
rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kl_lint.finding import Applicability, Fix, Span, Step
from kl_lint.flow.kl_call import Argument, Handwritten, KLCall
from kl_lint.rules.wording import trace_of

__all__ = [
    "NO_FIX",
    "SAFE_FIX",
    "UNSAFE_FIX",
    "CallRule",
    "Documentation",
    "FixKind",
    "HandwrittenRule",
    "Reference",
    "Report",
    "Rule",
]


@dataclass(frozen=True, slots=True)
class Reference:
    """A page to read on: its title and its address."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Documentation:
    """What there is to say about a rule.

    The texts are indented as the source that holds them; `kl_lint.rules.documentation` renders them. `example` and
    `use_instead` are code that runs after `documentation.SETUP`; a comment such as `# 0.2406` behind an assignment is
    the value that torch gives.
    """

    what_it_does: str
    why_is_this_bad: str
    example: str
    use_instead: str
    fix_safety: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class FixKind:
    """How far a rule's fix may be trusted (None: it has none), and, in `note`, when that differs."""

    applicability: Applicability | None
    note: str = ""

    def __str__(self) -> str:
        """As the table of rules has it: `unsafe`, `safe where the rank is proved`."""
        return (self.applicability.value if self.applicability else "none") + self.note


NO_FIX = FixKind(None)
SAFE_FIX = FixKind(Applicability.SAFE)
UNSAFE_FIX = FixKind(Applicability.UNSAFE)


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule has to say of one call on one path.

    `span` is the offending argument, setting or call; `host` the call or construction whose first row carries a
    `# noqa`. `of_arguments` says that it is about what the call is given, for which its callers may have to answer.
    """

    span: Span
    host: Span
    message: str
    trace: tuple[Step, ...] = ()
    fix: Fix | None = None
    alternatives: tuple[Fix, ...] = ()
    of_arguments: bool = False

    @staticmethod
    def of_argument(
        argument: Argument, call: KLCall, message: str, fix: Fix | None = None, alternatives: tuple[Fix, ...] = ()
    ) -> Report:
        """A report of one argument of `call`."""
        return Report(argument.span, call.span, message, trace_of(call, argument), fix, alternatives, True)

    @staticmethod
    def of_both(call: KLCall, message: str, fix: Fix | None = None) -> Report:
        """A report of how the arguments of `call` go together."""
        return Report(call.span, call.span, message, trace_of(call, call.input, call.target), fix, of_arguments=True)


class Rule(Protocol):
    """What every rule tells of itself."""

    @property
    def code(self) -> str:
        """`KLD101`: never reused, never renumbered."""

    @property
    def name(self) -> str:
        """`probabilities-as-input`."""

    @property
    def opt_in(self) -> bool:
        """Whether it is off until it is enabled."""

    @property
    def fix(self) -> FixKind:
        """How far its fix may be trusted."""

    @property
    def documentation(self) -> Documentation:
        """What it does, and why."""


class CallRule(Rule, Protocol):
    """A rule that judges KL calls and the constructions of their modules."""

    def check(self, call: KLCall) -> Report | None:
        """What is wrong with `call`, if anything is proved to be."""


class HandwrittenRule(Rule, Protocol):
    """A rule that judges divergences written out by hand."""

    def check(self, expression: Handwritten) -> Report | None:
        """What is wrong with `expression`, if anything is."""
