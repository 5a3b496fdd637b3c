"""`kl-lint rule`: what a rule is about."""

from __future__ import annotations

from kl_lint.commands.common import CLEAN, FAILED, complain
from kl_lint.selection import CODES, unknown_code

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the pages of the rules that are asked for."""
    wanted = "" if arguments.all else arguments.code.upper()
    if not arguments.all and (trouble := unknown_code(wanted, CODES)):
        complain(trouble)
        return FAILED
    from kl_lint.reports.rule_pages import render
    from kl_lint.rules import RULES

    rules = [rule for rule in RULES if rule.code.startswith(wanted)]
    print(render(rules, arguments.layout, alone=wanted == rules[0].code), end="")
    return CLEAN
