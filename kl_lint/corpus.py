"""One project of many: what studies of code hand out to machines that share no disk.

The unit of work is a function of a project's files and a configuration. What it gives, and what it is given, can be
pickled: it may be mapped over any number of projects by whatever engine there is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kl_lint import batch
from kl_lint.configuration.lookup import Configuration
from kl_lint.configuration.pyproject import WrongConfiguration, checked_options
from kl_lint.finding import Finding
from kl_lint.flow.project import forget
from kl_lint.sources.files import find
from kl_lint.sources.problem import Problem

__all__ = ["CheckedProject", "check_project"]

_INSTEAD = "or give a configuration to be followed instead"


@dataclass(frozen=True, slots=True)
class CheckedProject:
    """What is known of one project, its files called as they were handed in.

    `findings` are those that `kl-lint check` reports, by file and position; `problems` the files that could not be
    checked, or not to their end, each with the reason.
    """

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]


def check_project(files: Mapping[str, bytes], configuration: Mapping[str, object] | None = None) -> CheckedProject:
    """Check the files of one project as `kl-lint check` does in its root.

    `files` holds what is in them, by their paths from the root, with slashes: Python files, notebooks, and what says
    how to check them (`pyproject.toml`). Where `configuration` is given it counts instead of all that is said there:
    the options of `[tool.kl_lint]` by their names, with values as in TOML.

    A file that cannot be checked is a problem of its own, and costs no other. The files stand in a temporary directory
    meanwhile. To be called by one thread of a process at a time.

    Raises ValueError for a path that leads out of the project, WrongConfiguration where the options cannot be followed.
    """
    given = None if configuration is None else checked_options("configuration", configuration)
    with tempfile.TemporaryDirectory(prefix="kl-lint-") as top:
        root = os.path.realpath(top)
        for path, data in files.items():
            _write(root, path, data)
        os.makedirs(os.path.join(root, ".git"), exist_ok=True)  # the project begins here, whatever is above
        try:
            return _check(root, Configuration(given, isolated=given is not None, directory=root, root=root))
        except WrongConfiguration as wrong:  # the project's own: it must not cost those who study others
            troubles = [trouble.replace(os.path.join(root, ""), "") for trouble in wrong.troubles]
            return CheckedProject((), tuple(Problem("pyproject.toml", each, _INSTEAD) for each in troubles))
        finally:
            forget()


def _write(root: str, path: str, data: bytes) -> None:
    place = os.path.normpath(os.path.join(root, *path.split("/")))
    if os.path.isabs(path) or not place.startswith(os.path.join(root, "")):
        raise ValueError(f"{path!r} leads out of the project: paths are seen from its root")
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "xb") as file:
        file.write(data)


def _check(root: str, configuration: Configuration) -> CheckedProject:
    findings: list[Finding] = []
    problems: list[Problem] = []
    for source in find([root], configuration.within(root).exclusion()):
        if isinstance(source, Problem):
            outcome = batch.Outcome(source.path, problem=source)
        else:
            outcome = batch.check(source, configuration.of(source.path)) or batch.Outcome(source.path)
        findings += (_moved(finding, root) for finding in outcome.findings)
        for problem in (outcome.problem, outcome.note):
            if problem is not None:
                problems.append(Problem(_name(problem.path, root), problem.what, problem.remedy, problem.row))
    return CheckedProject(tuple(findings), tuple(problems))


def _moved(finding: Finding, root: str) -> Finding:
    trace = tuple(replace(step, filename=_name(step.filename, root)) for step in finding.trace)
    return replace(finding, filename=_name(finding.filename, root), trace=trace)


def _name(path: str, root: str) -> str:
    """What a file below `root` was handed in as."""
    return os.path.relpath(path, root).replace(os.sep, "/")
