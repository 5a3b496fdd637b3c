"""The flake8 plugin: flake8 hands over the tree that it parsed and is told a row, a column and a text a finding."""

from __future__ import annotations

from kl_lint import __version__
from kl_lint.configuration.options import OPTIONS
from kl_lint.engine import check_tree
from kl_lint.selection import OPT_IN, enables

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence
    from typing import Any, ClassVar

    from flake8.options.manager import OptionManager

    from kl_lint.configuration.returns import Return
    from kl_lint.finding import Finding

__all__ = ["Plugin"]


class Plugin:
    """What flake8 makes one of for each file. The names of the parameters of `__init__` are flake8's contract."""

    name = "kl-lint"
    version = __version__

    # flake8 makes the instances and passes them no options: these are set once it has read them

    enable: ClassVar[frozenset[str]] = frozenset()
    """The opt-in rules to run."""

    returns: ClassVar[tuple[Return, ...]] = ()
    """What the user knows of functions that the analysis cannot look into."""

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self.tree = tree
        self.lines = lines
        self.filename = filename

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Each finding as flake8 takes it: row (from 1), column (from 0, in code points), code and message, this class.

        The row is the first one of the call, where flake8 looks for a `# noqa`.
        """
        findings, complete = check_tree(
            self.tree, self.lines, self.filename, enable=self.enable, across=True, returns=self.returns
        )
        if not complete:
            _log_incomplete(self.filename)
        if findings:
            from kl_lint.reports.terminal import visible
        for finding in findings:
            text = f"{finding.code} {visible(finding.message)}"
            yield finding.noqa_row, _column(finding, self.lines), text, type(self)

    @staticmethod
    def add_options(option_manager: OptionManager) -> None:
        """Declare the options that flake8 has none of its own for, on the command line and in its configuration."""
        for option in OPTIONS:
            if option.of_plugin:
                option_manager.add_option(
                    option.flake8, default="", metavar=option.metavar, parse_from_config=True, help=option.help
                )
        option_manager.extend_default_ignore(list(OPT_IN))

    @classmethod
    def parse_options(cls, option_manager: OptionManager, options: argparse.Namespace, args: Sequence[str]) -> None:
        """Take over flake8's options.

        A rule is switched on by `--kld-enable`, or by its whole code in flake8's own `--select` or
        `--extend-select`; then it must not stay among the codes that flake8 ignores by default.
        """
        values = _values(option_manager, options)
        named = {*(options.select or ()), *(options.extend_select or ())}
        cls.enable = frozenset(values["enable"]) | (named & frozenset(OPT_IN))
        cls.returns = values["returns"]
        enabled = {code for code in OPT_IN if enables(cls.enable, code)}
        options.extended_default_ignore = [code for code in options.extended_default_ignore if code not in enabled]


def _values(option_manager: OptionManager, options: argparse.Namespace) -> dict[str, Any]:
    """The values of the plugin's options, by name. Ends the run with a message where one cannot be followed."""
    values: dict[str, Any] = {}
    for option in OPTIONS:
        if not option.of_plugin:
            continue
        text = getattr(options, f"kld_{option.attribute}")
        values[option.name] = option.default
        if text:
            from kl_lint.configuration.values import from_text

            try:
                values[option.name] = from_text(option, text)
            except ValueError as error:
                option_manager.parser.error(f"{option.flake8}: {error}")
    return values


def _log_incomplete(filename: str) -> None:
    """Tell who asks flake8 to be verbose. A plugin has no other place for what is no finding."""
    import logging

    from kl_lint.sources.problem import incomplete

    logging.getLogger("flake8.kl_lint").warning("%s", incomplete(filename))


def _column(finding: Finding, lines: Sequence[str]) -> int:
    """The column, from 0, of `finding` on the row that flake8 is told: its own, or that of the row's first word."""
    if finding.span.row == finding.noqa_row:
        return finding.span.column - 1
    line = lines[finding.noqa_row - 1]
    return len(line) - len(line.lstrip())
