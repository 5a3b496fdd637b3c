"""`kl-lint config`: which options are in force, and who said so."""

from __future__ import annotations

import os

from kl_lint.commands.common import CLEAN, FAILED, complain, configure
from kl_lint.configuration.options import OPTIONS
from kl_lint.configuration.values import to_toml
from kl_lint.reports.terminal import visible

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the options that hold for a file or directory, as a table that may stand in a `pyproject.toml`."""
    path = arguments.path
    if not os.path.exists(path):
        complain(f"{path}: does not exist; check the spelling, and the directory that kl-lint is run in")
        return FAILED
    configuration = configure(arguments)
    settings = configuration.within(path) if os.path.isdir(path) else configuration.of(path)
    print("[tool.kl_lint]")
    for option in OPTIONS:
        layer = settings.layer(option)
        print(f"{option.name} = {to_toml(option, layer.values[option.name])}  # {visible(layer.origin)}")
    return CLEAN
