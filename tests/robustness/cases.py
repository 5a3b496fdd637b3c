"""One text given to one part of kl-lint, and what counts as a fault of it, whatever the text."""

from __future__ import annotations

import ast
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType

from kl_lint import batch
from kl_lint.batch import Outcome
from kl_lint.configuration.lookup import Configuration
from kl_lint.configuration.settings import Settings
from kl_lint.reports import REPORTS, Context, render
from kl_lint.selection import INTERNAL_ERROR, OPT_IN
from kl_lint.sources.problem import Problem

__all__ = ["WORKS", "Result", "examine", "parses"]

LIMIT = 60.0
"""Seconds of processor time that one case may take before it counts as a hang: more than the longest real file needs."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case. `fault` is empty where nothing is wrong with it."""

    fault: str = ""
    seconds: float = 0.0
    is_python: bool = True
    complete: bool = True
    findings: int = 0


class _TooLong(BaseException):
    """No handler of exceptions is to catch this one."""


def _report(path: str, data: bytes, settings: Settings) -> Outcome | None:
    """Check, and write the reports of every format."""
    outcome = batch.check_bytes(path, data, settings)
    if outcome is not None:
        for name in REPORTS:
            render(name, outcome.findings, Context({path: outcome.lines}, notes=[outcome.note] if outcome.note else []))
    return outcome


Work = Callable[[str, bytes, Settings], Outcome | None]

WORKS: dict[str, Work] = {
    "checked": batch.check_bytes,
    "mended": batch.fix_bytes,
    "silenced": batch.silence_bytes,
    "inspected": batch.inspect_bytes,
    "reported": _report,
}
"""What is done to a file's bytes."""


@cache
def _settings() -> Settings:
    """Every rule, and every fix."""
    return Configuration({"enable": OPT_IN, "unsafe-fixes": True}, isolated=True).here


def examine(work: Work, path: str, data: bytes, *, limit: float = LIMIT) -> Result:
    """Do `work` to `data`, the content of `path`.

    At fault is an exception other than a Problem that blames the text, an internal error (KLD000), a change after which
    Python is none any more, and more than `limit` seconds of processor time.
    """
    began = time.process_time()
    try:
        with _limited(limit):
            outcome = work(path, data, _settings()) or Outcome(path)
    except Problem as problem:
        return Result(_own(problem), time.process_time() - began, is_python=False)
    except _TooLong:
        return Result(f"more than {limit:g} s", limit)
    except Exception as error:
        return Result(f"{type(error).__name__}: {error}", time.process_time() - began)
    seconds = time.process_time() - began
    faults = [finding.message for finding in outcome.findings if finding.code == INTERNAL_ERROR]
    faults += filter(None, [_own(outcome.problem) if outcome.problem else ""])
    if outcome.change is not None and not path.endswith(".ipynb") and not parses(outcome.change.after):
        faults.append("what was changed is not Python any more")
    complete = outcome.note is None
    return Result("; ".join(faults), seconds, complete=complete, findings=len(outcome.findings))


def _own(problem: Problem) -> str:
    """The problem, where it says that the mistake is kl-lint's own."""
    return str(problem) if "kl-lint's own" in problem.remedy else ""


def parses(data: bytes) -> bool:
    """Whether `data` is Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises _TooLong where what is done within takes more processor time than `seconds`."""
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _TooLong
