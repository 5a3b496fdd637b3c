"""Findings to report on: those of a real program, and handmade ones with hostile names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kl_lint import check_source
from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, Span, Step
from kl_lint.lines import split_lines
from kl_lint.reports import Context

SOURCE = """\
import torch.nn.functional as F


def loss(x, q):
    s = "😀é"; p = F.softmax(x, dim=1); return F.kl_div(p, q), F.kl_div(
        F.softmax(x, dim=1).log(), q, reduction="sum")
"""
"""Of the columns after the emoji, code points, UTF-16 units and bytes of UTF-8 are three different numbers."""

BROKEN = Finding("KLD000", "internal-error", "internal error", "other.py", Span(2, 1, 2, 5), 2)
"""An error of kl-lint's own, in a file whose lines nobody has."""

HOSTILE = (
    "line\nfeed.py",
    "::error::title.py",
    "  ::add-mask::x.py",
    "100%25,a=b:c.py",
    "]]><failure>.py",
    "bell\a\x1b[31m\u202e.py",
    "\udcff.py",
    "quote'\"&<.py",
    "{0}[1](2).py",
    "no%0A::error::.py",
    "\r::error::cr.py",
    "##[add-mask]s.py",
)
"""Names that a file may have, each made to be taken for something else."""


def found(source: str = SOURCE, filename: str = "loss.py") -> tuple[Finding, ...]:
    """What is found in `source`."""
    return check_source(source, filename)


def context(source: str = SOURCE, *filenames: str) -> Context:
    """The context in which all of `filenames`, of which there is `loss.py` at least, hold `source`."""
    return Context(dict.fromkeys(["loss.py", *filenames], split_lines(source)), checked=1)


def hostile(filename: str) -> Finding:
    """A finding in a file of that name, with a message and a trace that hold it, and a fix that can be made."""
    return Finding(
        code="KLD101",
        name="probabilities-as-input",
        message=f"input {filename} {{0}} [0](1)",
        filename=filename,
        span=Span(5, 25, 5, 34),
        noqa_row=5,
        trace=(
            Step(filename, Span(5, 19, 5, 38), f"softmax of {filename}"),
            Step("b.py", Span(1, 1, 1, 2), "returned"),
        ),
        fix=Fix(f"mend {filename}", Applicability.UNSAFE, (RenameCallee(Span(5, 19, 5, 38), "log_softmax"),)),
    )


def displayed(finding: Finding) -> Finding:
    """`finding` with a fix that is only to be shown."""
    assert finding.fix is not None
    return replace(finding, fix=replace(finding.fix, applicability=Applicability.DISPLAY))


def moved(findings: Sequence[Finding], rows: int) -> list[Finding]:
    """The findings as they are once so many lines are put before them."""

    def down(span: Span) -> Span:
        return replace(span, row=span.row + rows, end_row=span.end_row + rows)

    return [replace(each, span=down(each.span)) for each in findings]
