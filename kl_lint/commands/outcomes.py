"""What comes of many files: all are searched, and then the few that are worth it worked on, by several processes."""

from __future__ import annotations

from kl_lint.batch import Outcome, weigh
from kl_lint.configuration.options import AUTO
from kl_lint.engine import CollectingSeldom
from kl_lint.sources.problem import Problem
from kl_lint.workers import Lost, processors, spread

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kl_lint.configuration.settings import Settings
    from kl_lint.sources.files import File

__all__ = ["heaviest_first", "outcomes"]

CHUNK = 250
"""How many files a process searches at a time."""
MANY = 1000
"""How many files there are at least where the search is worth a second process."""
WORTH = 30_000
"""How many bytes to analyse are worth one more process."""


def outcomes(
    files: Sequence[tuple[File, Settings]], work: Callable[[File, Settings], Outcome | None], jobs: int | str
) -> Iterator[tuple[int, Outcome | None]]:
    """What came of each of `files`, by its index, as soon as it is known; None where there is nothing to tell.

    `jobs` is how many processes may be at it, or AUTO. What `work` does beyond its result is lost where that is another
    process. One that is killed costs the file that it was at, which has a problem then.
    """
    size = processors() if jobs == AUTO else int(jobs)
    found: dict[int, int] = {}
    for index, weight in _weights(files, size):
        if weight:
            found[index] = weight
        else:
            yield index, None
    size = min(size, 1 + (sum(found.values()) - max(found.values(), default=0)) // WORTH)
    projects = {index: _project(*files[index]) for index in found}
    ordered = heaviest_first(found, projects)
    with CollectingSeldom():
        if size > 1:
            from kl_lint import inspection, rules  # noqa: F401 (here, once, and not in each process)
        for index, outcome in spread(lambda index: work(*files[index]), ordered, size, projects.__getitem__):
            yield index, _lost(files[index][0], outcome) if isinstance(outcome, Lost) else outcome


def _project(file: File, settings: Settings) -> str:
    """The root of the project of which a file's analysis may read others; empty where it reads none."""
    if not settings.across_files:
        return ""
    from kl_lint.flow.project import root_of

    return root_of(file.path)


def heaviest_first(weights: Mapping[int, int], projects: Mapping[int, str]) -> list[int]:
    """Files by their weight, project by project: what takes longest must not begin last."""
    totals: dict[str, int] = {}
    for index, weight in weights.items():
        totals[projects[index]] = totals.get(projects[index], 0) + weight
    return sorted(weights, key=lambda index: (totals[projects[index]], projects[index], weights[index]), reverse=True)


def _weights(files: Sequence[tuple[File, Settings]], size: int) -> Iterator[tuple[int, int]]:
    """How much there is to analyse in each of `files`, by its index."""
    chunks = [range(first, min(first + CHUNK, len(files))) for first in range(0, len(files), CHUNK)]
    for chunk, weights in spread(
        lambda chunk: [weigh(*files[index]) for index in chunk], chunks, size if len(files) >= MANY else 1
    ):
        # of those that were lost with a process nothing is known
        yield from zip(chunk, [1] * len(chunk) if isinstance(weights, Lost) else weights, strict=True)


def _lost(file: File, lost: Lost) -> Outcome:
    what = f"could not be checked, since the process that was at it was ended {lost.how}"
    return Outcome(file.path, problem=Problem(file.path, what, "run again, with --jobs=1 where memory is short"))
