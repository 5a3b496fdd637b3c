"""The command `kl-lint`. Its exit code: 0 nothing found, 1 something found, 2 something could not be done.

A subcommand is loaded when it is run: on files that mention no divergence, the start of Python and the reading of the
files are most of the time there is.
"""

from __future__ import annotations

import argparse
import os
import sys

from kl_lint import __version__
from kl_lint.commands.common import FAILED, complain
from kl_lint.configuration.options import OPTIONS, Kind
from kl_lint.configuration.pyproject import WrongConfiguration
from kl_lint.reports import REPORTS

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

INTERRUPTED = 130
_SHELLS = ("bash", "zsh", "fish", "tcsh")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`, or the process's own arguments, and return its exit code.

    Raises SystemExit where argparse ends the run: after `--help` and `--version`, and on an option that it rejects.
    """
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        status = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except OSError as error:
        # Files are read and written elsewhere, and their errors told there: it is the output that cannot be written.
        # Python must not try once more when it exits.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # then whoever read has seen enough
            complain(f"stopped, since the output cannot be written ({error.strerror or error})")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: argparse.Namespace) -> int:
    from importlib import import_module

    run: Callable[[argparse.Namespace], int] = import_module(f"kl_lint.commands.{arguments.command}").run
    try:
        return run(arguments)
    except WrongConfiguration as wrong:
        complain(*wrong.troubles)
        return FAILED


# --- arguments ---


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal. argparse makes one for each option, and without a width loads shutil for it."""

    def __init__(self, prog: str) -> None:
        try:
            columns = os.get_terminal_size().columns
        except (AttributeError, OSError, ValueError):
            columns = 80
        super().__init__(prog, width=columns - 2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kl-lint",
        formatter_class=_Help,
        allow_abbrev=False,
        description="Finds misuse of torch.nn.functional.kl_div and torch.nn.KLDivLoss.",
        epilog="Exit codes: 0 nothing found, 1 something found, 2 something could not be done. "
        "Example: kl-lint check src",
    )
    parser.add_argument("-V", "--version", action="version", version=f"kl-lint {__version__}")
    commands = parser.add_subparsers(prog="kl-lint", metavar="COMMAND", dest="command", required=True)
    for name, purpose, example, declare in (
        ("check", "report misuse of KL divergences, and mend it", "kl-lint check --diff --unsafe-fixes src", _check),
        ("inspect", "say what each KL divergence computes", "kl-lint inspect src/loss.py", _inspect),
        ("rule", "explain a rule", "kl-lint rule KLD101", _rule),
        ("config", "show the options in force, and where each comes from", "kl-lint config src/loss.py", _config),
        ("server", "speak to an editor, by the Language Server Protocol", "kl-lint server", _server),
        ("completion", "print what makes a shell complete kl-lint", "kl-lint completion bash", _completion),
    ):
        declare(
            commands.add_parser(
                name,
                help=purpose,
                description=f"{purpose[0].upper()}{purpose[1:]}.",
                epilog=f"Example: {example}",
                formatter_class=_Help,
                allow_abbrev=False,
            )
        )
    commands.choices["completion"].set_defaults(parser=parser)
    return parser


def _check(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    rules = parser.add_argument_group("rules, by code or beginning of a code, separated by commas")
    _add_options(rules, "select", "ignore", "enable", "per-file-ignores")
    fixes = parser.add_argument_group("fixes")
    fixes.add_argument("--fix", action="store_true", help="make the fixes that are safe, and report what is left")
    _add_options(fixes, "unsafe-fixes")
    fixes.add_argument("--diff", action="store_true", help="show what --fix-only would do, and change nothing")
    fixes.add_argument("--fix-only", action="store_true", help="as --fix, and do not report what is left")
    fixes.add_argument("--exit-non-zero-on-fix", action="store_true", help="exit with 1 where something was fixed")
    _add_options(fixes, "fixable", "unfixable")
    fixes.add_argument("--add-noqa", action="store_true", help="silence all findings with '# noqa' comments")
    output = parser.add_argument_group("output")
    _add_options(output, "output-format")
    output.add_argument("--output-file", metavar="FILE", help="write the report to FILE (default: to standard output)")
    output.add_argument("--statistics", action="store_true", help="count the findings of each rule, do not list them")
    _add_color(output)
    output.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    output.add_argument("--watch", action="store_true", help="check again whenever a file changes, until Ctrl+C")
    _add_files(parser)


def _inspect(parser: argparse.ArgumentParser) -> None:
    _add_paths(parser)
    _add_layout(parser, "text", "json")
    parser.add_argument("--exit-zero", action="store_true", help="accepted as by check; inspect finds no fault anyway")
    _add_color(parser)
    _add_files(parser)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="the file or directory they hold for (default: .)"
    )
    _add_options(parser.add_argument_group("options to be in force"), *(option.name for option in OPTIONS))
    _add_configuration(parser)


def _rule(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("code", nargs="?", metavar="CODE", help="the rule's code, or the beginning of several")
    which.add_argument("--all", action="store_true", help="every rule")
    _add_layout(parser, "text", "markdown", "json")


def _server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="by standard input and output, as always (editors add it)")


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=f"which shell: {', '.join(_SHELLS)}")


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="files and directories, - for standard input (default: .)",
    )


def _add_layout(parser: argparse.ArgumentParser, *layouts: str) -> None:
    """An `--output-format` that has nothing to do with reports of findings, nor with configuration files."""
    parser.add_argument(
        "--output-format",
        dest="layout",
        choices=layouts,
        default=layouts[0],
        metavar="FORMAT",
        help=f"{', '.join(layouts)} (default: {layouts[0]})",
    )


def _add_color(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--color", action=argparse.BooleanOptionalAction, help="colour the output (default: on terminals)"
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    """What the commands that read source files have in common."""
    files = parser.add_argument_group("files")
    _add_options(files, "exclude", "extend-exclude", "returns", "across-files", "jobs")
    files.add_argument(
        "--force-exclude", action="store_true", help="leave excluded files out even where they are named as PATH"
    )
    files.add_argument(
        "--markdown", action="store_true", help="check blocks of Python in .md and .rst files too; they are not changed"
    )
    files.add_argument(
        "--stdin-filename",
        default="<stdin>",
        metavar="NAME",
        help="what standard input is called, such as src/loss.py: options are looked up from there (default: <stdin>)",
    )
    _add_configuration(parser)


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument(
        "--config",
        metavar="FILE",
        help="take [tool.kl_lint] from this file (default: from the pyproject.toml that is nearest to each file)",
    )
    group.add_argument("--isolated", action="store_true", help="take no options from files")


def _add_options(group: argparse._ActionsContainer, *names: str) -> None:
    """Declare options that a file may hold too. Their values are read where that file's are."""
    for option in OPTIONS:
        if option.name not in names:
            continue
        flag = f"--{option.name}"
        match option.kind:
            case Kind.SWITCH:
                group.add_argument(flag, action=argparse.BooleanOptionalAction, help=option.help)
            case Kind.FORMAT:
                formats = f"{option.help}: {', '.join(REPORTS)} (default: {option.default})"
                group.add_argument(flag, metavar=option.metavar, help=formats)
            case _:
                group.add_argument(flag, action="append", metavar=option.metavar, help=option.help)
