"""What subcommands share: exit codes, the settings of a run, its files, its messages, its output."""

from __future__ import annotations

import sys

from kl_lint.commands.progress import progress
from kl_lint.configuration.lookup import Configuration
from kl_lint.configuration.options import OPTIONS, Option
from kl_lint.configuration.pyproject import WrongConfiguration
from kl_lint.sources.decoding import DOCUMENTS
from kl_lint.sources.files import SUFFIXES, File, Stdin, find
from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import TextIO, TypeAlias

    from kl_lint.batch import Outcome
    from kl_lint.configuration.settings import Settings

    Work: TypeAlias = Callable[[File | Stdin, Settings], Outcome | None]
    Then: TypeAlias = Callable[[File | Stdin, Outcome | None], Outcome | None]

__all__ = [
    "CLEAN",
    "FAILED",
    "FOUND",
    "HeldStdin",
    "Run",
    "complain",
    "configure",
    "emit",
    "save",
    "show",
    "shows_color",
    "tell",
]

CLEAN, FOUND, FAILED = 0, 1, 2


def tell(message: str) -> None:
    """Say something that is not the output, to who runs the command."""
    if sys.stderr is not None:
        print(message, file=sys.stderr)


def complain(*troubles: object) -> None:
    """Say what could not be done, one line each."""
    from kl_lint.reports.terminal import visible

    for trouble in troubles:
        tell(f"kl-lint: {visible(str(trouble))}")


def emit(data: bytes) -> None:
    """Put `data` on standard output as it is."""
    if sys.stdout is not None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def show(data: bytes) -> None:
    """Put `data`, lines of text, on standard output: as it is, unless that is a terminal, which might obey it."""
    if sys.stdout is None or not sys.stdout.isatty():
        emit(data)
        return
    from kl_lint.reports.terminal import visible

    for line in data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n"):
        print(visible(line.removesuffix("\r")))


def save(path: str, text: str) -> None:
    """Write a report to the file at `path`, all of it or nothing, in place of what that holds.

    Raises Problem where that cannot be done.
    """
    from kl_lint.rewriting.writing import write_file

    try:
        write_file(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        what = f"the report cannot be written there ({reason})"
        raise Problem(path, what, "name a file that can be written, in a directory that exists") from error


def shows_color(arguments: argparse.Namespace, stream: TextIO | None) -> bool:
    """Whether what is written to `stream` is to be coloured."""
    if arguments.color is not None:
        return bool(arguments.color)
    from kl_lint.reports.terminal import shows_colors

    return shows_colors(stream)


def configure(arguments: argparse.Namespace) -> Configuration:
    """The configuration that the command line asks for. Raises WrongConfiguration where it cannot be followed."""
    given: dict[str, object] = {}
    troubles = []
    for option in OPTIONS:
        value: object = getattr(arguments, option.attribute, None)
        try:
            if value is not None:
                given[option.name] = _value(option, value)
        except ValueError as error:
            troubles.append(f"--{option.name}: {error}")
    if troubles:
        raise WrongConfiguration(*troubles)
    return Configuration(given, file=arguments.config, isolated=arguments.isolated)


def _value(option: Option, given: object) -> object:
    """The value of an option as argparse leaves it: switched, or one text, or those of its repetitions."""
    from kl_lint.configuration.values import from_text

    match given:
        case bool():
            return given
        case list():
            return from_text(option, ",".join(given))
        case _:
            return from_text(option, str(given))


class HeldStdin(Stdin):
    """Standard input, and then `data`, what it held. It is read even where it is `ignored`: someone sends it."""

    __slots__ = ("data", "ignored")

    def __init__(self, path: str, *, ignored: bool) -> None:
        super().__init__(path)
        self.ignored = ignored
        self.data = b""

    def read(self) -> bytes:
        """Everything there is. Raises Problem where it cannot be had."""
        self.data = super().read()
        return self.data


class Run:
    """The files that a command line names, and the settings for each. `checked` counts those that are looked at.

    Raises WrongConfiguration before any of them is looked at.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._paths: list[str] = arguments.paths
        self._force: bool = arguments.force_exclude
        self._stdin_name: str = arguments.stdin_filename
        self._suffixes = (*SUFFIXES, *DOCUMENTS) if arguments.markdown else SUFFIXES
        configuration = configure(arguments)
        self.settings = configuration.here
        self._work = [
            (source, self.settings if isinstance(source, Problem) else configuration.of(source.path))
            for source in self._sources()
        ]
        self.checked = sum(not isinstance(source, Problem) for source, _ in self._work)

    def outcomes(self, work: Work, then: Then | None = None) -> list[Outcome]:
        """What came of the files that have anything to tell, in their order. Problems and notes are told.

        `work` may be done in other processes. What changes anything is for `then`, which is done here, to each file in
        turn, when all the work is done: so it is done to what was there when the run began, by however many processes.
        """
        every = progress(self._done(work), len(self._work))
        done = dict(found for found in every if found)
        outcomes = []
        for index, (source, _) in enumerate(self._work):
            outcome = done.get(index)
            if then is not None and not isinstance(source, Problem):
                outcome = then(source, outcome)
            if outcome is not None:
                complain(*filter(None, (outcome.problem, outcome.note)))
                outcomes.append(outcome)
        if not self._work and not self._force:
            complain(f"{', '.join(self._paths)}: no Python files; name files, or directories that hold some")
        return outcomes

    def _done(self, work: Work) -> Iterator[tuple[int, Outcome] | None]:
        """What came of each file, with its place among them, in the order in which it is known."""
        from kl_lint.batch import Outcome
        from kl_lint.commands.outcomes import outcomes

        files: list[tuple[File, Settings]] = []
        places = []
        for place, (source, settings) in enumerate(self._work):
            match source:
                case File():
                    files.append((source, settings))
                    places.append(place)
                case Problem():
                    yield place, Outcome(source.path, problem=source)
                case Stdin():  # which no other process can read
                    outcome = work(source, settings)
                    yield (place, outcome) if outcome else None
        for index, outcome in outcomes(files, work, self.settings.jobs):
            yield (places[index], outcome) if outcome else None

    def _sources(self) -> Iterator[File | Stdin | Problem]:
        exclusion = self.settings.exclusion()
        if "-" in self._paths:
            left_out = self._force and exclusion.excludes_path(self._stdin_name)
            yield HeldStdin(self._stdin_name, ignored=left_out)
        paths = [path for path in self._paths if path != "-"]
        yield from find(paths, exclusion, force=self._force, suffixes=self._suffixes)
