"""The flake8 plugin: flake8 hands over the tree that it parsed and is told a row, a column and a text a finding."""

from __future__ import annotations

from kl_lint import __version__
from kl_lint.engine import check_tree
from kl_lint.selection import OPT_IN, enables, split_codes, unknown_code

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence
    from typing import ClassVar

    from flake8.options.manager import OptionManager

    from kl_lint.finding import Finding

__all__ = ["Plugin"]


class Plugin:
    """What flake8 makes one of for each file. The names of the parameters of `__init__` are flake8's contract."""

    name = "kl-lint"
    version = __version__

    enable: ClassVar[frozenset[str]] = frozenset()
    """The opt-in rules to run, once flake8 has read its options; it makes the instances and passes them none."""

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self.tree = tree
        self.lines = lines
        self.filename = filename

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Each finding as flake8 takes it: row (from 1), column (from 0, in code points), code and message, this class.

        The row is the first one of the call, where flake8 looks for a `# noqa`.
        """
        for finding in check_tree(self.tree, self.lines, self.filename, enable=self.enable, across=True):
            yield finding.noqa_row, _column(finding, self.lines), f"{finding.code} {finding.message}", type(self)

    @staticmethod
    def add_options(option_manager: OptionManager) -> None:
        """Declare `--kld-enable`, on the command line and in flake8's configuration."""
        option_manager.add_option(
            "--kld-enable",
            default="",
            metavar="codes",
            parse_from_config=True,
            help=f"switch on rules that are off by default, by code or beginning of one ({', '.join(OPT_IN)})",
        )
        option_manager.extend_default_ignore(list(OPT_IN))

    @classmethod
    def parse_options(cls, option_manager: OptionManager, options: argparse.Namespace, args: Sequence[str]) -> None:
        """Take over flake8's options.

        A rule is switched on by `--kld-enable`, or by its whole code in flake8's own `--select` or
        `--extend-select`; then it must not stay among the codes that flake8 ignores by default.
        """
        wanted = split_codes(options.kld_enable)
        for prefix in wanted:
            trouble = unknown_code(prefix, OPT_IN, kind="opt-in rule")
            if trouble:
                option_manager.parser.error(f"--kld-enable: {trouble}")
        named = {*(options.select or ()), *(options.extend_select or ())}
        cls.enable = frozenset(wanted) | (named & frozenset(OPT_IN))
        enabled = {code for code in OPT_IN if enables(cls.enable, code)}
        options.extended_default_ignore = [code for code in options.extended_default_ignore if code not in enabled]


def _column(finding: Finding, lines: Sequence[str]) -> int:
    """The column, from 0, of `finding` on the row that flake8 is told: its own, or that of the row's first word."""
    if finding.span.row == finding.noqa_row:
        return finding.span.column - 1
    line = lines[finding.noqa_row - 1]
    return len(line) - len(line.lstrip())
