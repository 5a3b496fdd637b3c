"""`kl-lint completion`: what makes a shell complete the command's subcommands, options and values."""

from __future__ import annotations

import argparse

from kl_lint.commands.common import CLEAN, FAILED, complain
from kl_lint.configuration.options import OPTIONS, Kind
from kl_lint.reports import REPORTS
from kl_lint.selection import CODES, OPT_IN

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["run"]

_VALUES = {Kind.CODES: CODES, Kind.OPT_IN_CODES: OPT_IN, Kind.FORMAT: tuple(REPORTS)}
_FILES = ("path", "paths", "config", "output_file")


def run(arguments: argparse.Namespace) -> int:
    """Print the script for a shell."""
    try:
        import shtab
    except ModuleNotFoundError:
        complain("completion needs shtab; install it with: pip install 'kl-lint[completion]'")
        return FAILED
    parser: argparse.ArgumentParser = arguments.parser
    for action in _actions(parser):
        values = _values(action)
        if values:
            action.choices = values
        if action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        if isinstance(action.metavar, str):
            action.metavar = action.metavar.replace(":", " ")  # zsh takes what is behind a colon for code
    print(shtab.complete(parser, arguments.shell), end="")
    return CLEAN


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What a parser and those of its subcommands take."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)


def _values(action: argparse.Action) -> Sequence[str]:
    """The values that an option or argument can have, where they can be listed and argparse does not know them."""
    if action.dest == "code":
        return CODES
    kinds = {option.attribute: option.kind for option in OPTIONS}
    return _VALUES.get(kinds[action.dest], ()) if action.dest in kinds else ()
