"""`kl-lint inspect`: what each divergence computes."""

from __future__ import annotations

import sys

from kl_lint import batch
from kl_lint.commands.common import CLEAN, FAILED, Run, shows_color

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print what the divergences in the files compute."""
    outcomes = Run(arguments).outcomes(batch.inspect)
    rows = [row for outcome in outcomes for row in outcome.rows]
    as_json = arguments.layout == "json"
    if rows or as_json:
        from kl_lint.reports import Context
        from kl_lint.reports.rows import render_json, render_text

        context = Context(
            {outcome.path: outcome.lines for outcome in outcomes},
            color=shows_color(arguments, sys.stdout),
            cells={outcome.path: outcome.cells for outcome in outcomes if outcome.cells},
        )
        print((render_json if as_json else render_text)(rows, context), end="")
    return FAILED if any(outcome.problem for outcome in outcomes) else CLEAN
