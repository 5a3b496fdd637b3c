"""The help of every subcommand, walked through: nothing in it may be left for the reader to guess."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator

import pytest

from kl_lint import cli

PARSER = cli._parser()
(SUBCOMMANDS,) = (each.choices for each in PARSER._actions if isinstance(each, argparse._SubParsersAction))
PARSERS: dict[str, argparse.ArgumentParser] = {"": PARSER, **SUBCOMMANDS}

OBVIOUS = {"--output-file", "--config", "--stdin-filename", "PATH", "CODE", "SHELL"}
"""What takes a value that needs no example beside its name."""


def actions() -> Iterator[tuple[str, argparse.Action]]:
    """Every option and argument, with the subcommand that takes it."""
    for name, parser in PARSERS.items():
        for action in parser._actions:
            if not isinstance(action, argparse._SubParsersAction):
                yield name, action


def called(action: argparse.Action) -> str:
    return action.option_strings[-1] if action.option_strings else str(action.metavar)


EVERY = [pytest.param(action, id=f"{name} {called(action)}") for name, action in actions()]


@pytest.mark.parametrize("action", EVERY)
def test_every_option_says_what_it_does(action: argparse.Action) -> None:
    assert action.help
    assert len(action.help) > 8
    assert not action.help.endswith(".")
    assert "%" not in action.help, "argparse would take it for a placeholder"


@pytest.mark.parametrize("action", EVERY)
def test_every_value_has_a_name_and_a_default_or_an_example(action: argparse.Action) -> None:
    if action.nargs == 0:  # a switch: off, or as configured
        return
    assert action.metavar, "argparse would show its own name for it"
    assert action.help
    told = re.search(r"such as|default|: \S+", action.help)
    assert told or called(action) in OBVIOUS, "neither default nor example"


@pytest.mark.parametrize("action", EVERY)
def test_a_default_that_is_told_is_the_one(action: argparse.Action) -> None:
    told = re.search(r"\(default: ([^\s)]+)\)", action.help or "")
    if told is None or action.default in (None, argparse.SUPPRESS):
        return
    default = action.default[0] if isinstance(action.default, list) else action.default
    assert told[1] == str(default)


@pytest.mark.parametrize("name", PARSERS)
def test_every_subcommand_says_what_it_is_for(name: str) -> None:
    parser = PARSERS[name]
    assert parser.description
    assert parser.description.endswith(".")
    assert parser.epilog
    (example,) = re.findall(r"Example: kl-lint (.+)$", parser.epilog)
    assert PARSER.parse_args(example.split()).command in ("check", name)


def test_the_help_lists_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = dict(re.findall(r"^    (\w+) +(\S.*)$", capsys.readouterr().out, flags=re.MULTILINE))
    assert list(listed) == list(SUBCOMMANDS)


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("columns", [80, 200])
def test_help_fits_into_the_terminal(
    name: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((columns, 24)))
    with pytest.raises(SystemExit):
        cli.main([*filter(None, [name]), "--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > columns] == []
