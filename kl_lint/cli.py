"""The command `kl-lint`. Its exit code: 0 nothing found, 1 something found, 2 something could not be done.

What a subcommand needs is loaded when it is needed: on files that mention no divergence, the start of Python and the
reading of the files are most of the time there is.
"""

from __future__ import annotations

import argparse
import os
import sys

from kl_lint import __version__
from kl_lint.reports import REPORTS
from kl_lint.selection import INTERNAL_ERROR, OPT_IN, Selection, split_codes, unknown_code

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kl_lint.batch import Outcome
    from kl_lint.finding import Finding
    from kl_lint.sources.files import File, Stdin
    from kl_lint.sources.problem import Problem

__all__ = ["main"]

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`, or the process's own arguments, and return its exit code.

    Raises SystemExit where argparse ends the run: after `--help` and `--version`, and on an option that it rejects.
    """
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        status = run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        # whoever read has seen enough; Python must not find the pipe broken once more when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


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
        description="Finds misuse of torch.nn.functional.kl_div and torch.nn.KLDivLoss.",
        epilog="Exit codes: 0 nothing found, 1 something found, 2 something could not be done.",
    )
    parser.add_argument("--version", action="version", version=f"kl-lint {__version__}")
    commands = parser.add_subparsers(prog="kl-lint", metavar="COMMAND", required=True)
    for name, purpose, add_arguments in (
        ("check", "report misuse of KL divergences", _add_check),
        ("inspect", "say what each KL divergence computes", _add_inspect),
        ("rule", "explain a rule", _add_rule),
    ):
        add_arguments(
            commands.add_parser(
                name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", formatter_class=_Help
            )
        )
    return parser


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_check)
    rules = parser.add_argument_group("rules, by code or beginning of a code, separated by commas")
    rules.add_argument("--select", type=split_codes, action="extend", default=[], metavar="CODES", help="only these")
    rules.add_argument("--ignore", type=split_codes, action="extend", default=[], metavar="CODES", help="not these")
    rules.add_argument(
        "--enable",
        type=split_codes,
        action="extend",
        default=[],
        metavar="CODES",
        help=f"these too, of those that are off by default: {', '.join(OPT_IN)}",
    )
    parser.add_argument(
        "--output-format",
        choices=REPORTS,
        default="full",
        metavar="FORMAT",
        help=f"{', '.join(REPORTS)} (default: full)",
    )
    parser.add_argument("--statistics", action="store_true", help="count the findings of each rule, do not list them")
    _add_common(parser)


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_inspect)
    parser.add_argument(
        "--output-format", choices=("text", "json"), default="text", metavar="FORMAT", help="text, json (default: text)"
    )
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    """What the commands that read files have in common."""
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="files and directories, - for standard input (default: .)",
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    parser.add_argument(
        "--color", action=argparse.BooleanOptionalAction, help="colour the output (default: on terminals)"
    )
    files = parser.add_argument_group("files")
    files.add_argument("--stdin-filename", default="<stdin>", metavar="NAME", help="what standard input is called")
    files.add_argument(
        "--exclude",
        type=_split_patterns,
        action="extend",
        metavar="PATTERNS",
        help="names and paths to leave out, separated by commas, instead of the usual ones (.venv, build, ...)",
    )
    files.add_argument(
        "--extend-exclude",
        type=_split_patterns,
        action="extend",
        default=[],
        metavar="PATTERNS",
        help="names and paths to leave out as well",
    )
    files.add_argument(
        "--force-exclude", action="store_true", help="leave excluded files out even where they are named as PATH"
    )


def _add_rule(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_rule)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("code", nargs="?", metavar="CODE", help="the rule's code, or the beginning of several")
    which.add_argument("--all", action="store_true", help="every rule")
    parser.add_argument(
        "--output-format",
        choices=("text", "markdown", "json"),
        default="text",
        metavar="FORMAT",
        help="text, markdown, json (default: text)",
    )


def _split_patterns(text: str) -> list[str]:
    return [pattern for pattern in map(str.strip, text.split(",")) if pattern]


# --- check ---


def _check(arguments: argparse.Namespace) -> int:
    troubles = _wrong_codes(arguments)
    if troubles:
        _complain(*troubles)
        return FAILED
    from kl_lint.batch import check

    selection = Selection(arguments.select, arguments.ignore, arguments.enable)
    checked, outcomes = _run_over(arguments, lambda source: check(source, selection))
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    if findings or arguments.output_format == "json":
        print(_report(arguments, findings, outcomes, checked), end="")
    failed = any(outcome.problem for outcome in outcomes)
    return _status(
        failed or any(finding.code == INTERNAL_ERROR for finding in findings),
        bool(findings) and not arguments.exit_zero,
    )


def _report(
    arguments: argparse.Namespace, findings: Sequence[Finding], outcomes: Iterable[Outcome], checked: int
) -> str:
    if arguments.statistics:
        from kl_lint.reports import statistics

        return statistics.render(findings, as_json=arguments.output_format == "json")
    from kl_lint.reports import Context, render

    lines = {outcome.path: outcome.lines for outcome in outcomes}
    return render(arguments.output_format, findings, Context(lines, checked=checked, color=_color(arguments)))


def _wrong_codes(arguments: argparse.Namespace) -> list[str]:
    """What is wrong with the codes in the options."""
    troubles = [("--enable", unknown_code(prefix, OPT_IN, kind="opt-in rule")) for prefix in arguments.enable]
    if arguments.select or arguments.ignore:
        from kl_lint.rules import CODES

        troubles += [("--select", unknown_code(prefix, CODES)) for prefix in arguments.select]
        troubles += [("--ignore", unknown_code(prefix, CODES)) for prefix in arguments.ignore]
    return [f"{option}: {trouble}" for option, trouble in troubles if trouble]


# --- inspect ---


def _inspect(arguments: argparse.Namespace) -> int:
    from kl_lint.batch import inspect

    _, outcomes = _run_over(arguments, inspect)
    rows = [row for outcome in outcomes for row in outcome.rows]
    if rows or arguments.output_format == "json":
        from kl_lint.reports.rows import render_json, render_text

        json = arguments.output_format == "json"
        print(render_json(rows) if json else render_text(rows, color=_color(arguments)), end="")
    return _status(any(outcome.problem for outcome in outcomes), False)


# --- rule ---


def _rule(arguments: argparse.Namespace) -> int:
    from kl_lint.rules import CODES, RULES

    wanted = "" if arguments.all else arguments.code.upper()
    rules = [rule for rule in RULES if rule.code.startswith(wanted)]
    if not rules:
        _complain(unknown_code(arguments.code, CODES))
        return FAILED
    from kl_lint.reports.rule_pages import render

    print(render(rules, arguments.output_format, alone=wanted == rules[0].code), end="")
    return CLEAN


# --- what the commands share ---


def _run_over(
    arguments: argparse.Namespace, work: Callable[[File | Stdin], Outcome | None]
) -> tuple[int, list[Outcome]]:
    """How many files there were, and what came of those that have anything to tell. Problems are told at once."""
    from kl_lint.batch import Outcome
    from kl_lint.sources.problem import Problem

    checked = 0
    outcomes = []
    for source in _sources(arguments):
        if isinstance(source, Problem):
            outcome: Outcome | None = Outcome(source.path, problem=source)
        else:
            checked += 1
            outcome = work(source)
        if outcome is None:
            continue
        outcomes.append(outcome)
        if outcome.problem:
            _complain(outcome.problem)
    if not checked and not outcomes and not arguments.force_exclude:
        _complain(f"{', '.join(arguments.paths)}: no Python files; name files, or directories that hold some")
    return checked, outcomes


def _sources(arguments: argparse.Namespace) -> Iterator[File | Stdin | Problem]:
    from kl_lint.sources.exclusion import DEFAULT, Exclusion
    from kl_lint.sources.files import Stdin, find

    usual = DEFAULT if arguments.exclude is None else arguments.exclude
    exclusion = Exclusion([*usual, *arguments.extend_exclude])
    force = arguments.force_exclude
    if "-" in arguments.paths and not (force and exclusion.excludes_path(arguments.stdin_filename)):
        yield Stdin(arguments.stdin_filename)
    yield from find([path for path in arguments.paths if path != "-"], exclusion, force=force)


def _status(failed: bool, found: bool) -> int:
    return FAILED if failed else FOUND if found else CLEAN


def _color(arguments: argparse.Namespace) -> bool:
    if arguments.color is not None:
        return bool(arguments.color)
    from kl_lint.reports.terminal import shows_colors

    return shows_colors(sys.stdout)


def _complain(*troubles: object) -> None:
    from kl_lint.reports.terminal import visible

    for trouble in troubles:
        print(f"kl-lint: {visible(str(trouble))}", file=sys.stderr)
