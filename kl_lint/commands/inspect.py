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
    outcomes = list(Run(arguments).outcomes(batch.inspect))
    rows = [row for outcome in outcomes for row in outcome.rows]
    as_json = arguments.layout == "json"
    if rows or as_json:
        from kl_lint.reports.rows import render_json, render_text

        print(render_json(rows) if as_json else render_text(rows, color=shows_color(arguments, sys.stdout)), end="")
    return FAILED if any(outcome.problem for outcome in outcomes) else CLEAN
