"""Check all Python files below some paths, whatever they hold: run by hand, not by pytest.

    python tests/robustness/sweep.py /usr/lib/python3.11            # as they are, and with a misuse at their end
    python tests/robustness/sweep.py --everywhere site-packages     # and with a KL divergence in every function too
    python tests/robustness/sweep.py --mend --alone src             # mended as well, in memory, each by itself

Interrupted (Ctrl-C), it tells of what it has. Nothing is written. Each way of checking a file is one case. Told of the cases: how many there are, how many of them are
not Python of this version, how many were given up at the bound on work, and which are *lost*: those with an internal
error (KLD000), an exception, or more processor time than `--limit` seconds. The exit code is 1 where a case is lost.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # from a checkout, installed or not
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kl_lint.sources.decoding import decode
from kl_lint.sources.problem import Problem
from tests.robustness.cases import LIMIT, WORKS, Result, examine
from tests.robustness.everywhere import CALL, with_calls_everywhere

MOST_NAMED = 20
"""How many cases of a kind are named."""
SLOWEST = 5


@dataclass(slots=True)
class Tally:
    """What came of the cases so far."""

    files: int = 0
    cases: Counter[str] = field(default_factory=Counter)
    not_python: int = 0
    findings: int = 0
    incomplete: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)

    def note(self, kind: str, name: str, result: Result) -> None:
        """Count one case."""
        self.cases[kind] += 1
        self.findings += result.findings
        self.not_python += not result.is_python
        if not result.complete:
            self.incomplete.append(name)
        if result.fault:
            self.lost.append(f"{name}: {result.fault}")
        self.slowest = sorted([*self.slowest, (result.seconds, name)], reverse=True)[:SLOWEST]

    def lines(self) -> Iterator[str]:
        """All of it."""
        yield f"{sum(self.cases.values()):,} cases, {self.findings:,} findings"
        yield from (f"  {number:,} {kind}" for kind, number in self.cases.items())
        yield f"{self.not_python:,} not Python of this version"
        yield from _named("not analysed to the end", self.incomplete)
        yield from _named("lost", self.lost)
        yield "slowest"
        yield from (f"  {seconds:.2f} s: {name}" for seconds, name in self.slowest)


def _named(what: str, names: Sequence[str]) -> Iterator[str]:
    yield f"{len(names):,} {what}"
    yield from (f"  {name}" for name in names[:MOST_NAMED])


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files below `paths`."""
    for path in paths:
        yield from [path] if path.is_file() else (each for each in sorted(path.rglob("*.py")) if each.is_file())


def variants(path: Path, data: bytes, *, everywhere: bool) -> Iterator[tuple[str, bytes]]:
    """The cases that `data`, the content of `path`, makes."""
    yield "as they are", data
    try:
        decoded = decode(data, str(path))
        yield "with a call", decoded.encode(decoded.text + CALL)
        if everywhere and (text := with_calls_everywhere(decoded.text)) is not None:
            yield "with calls everywhere", text.encode("utf-8")
    except (Problem, ValueError):
        yield "with a call", data + CALL.encode()


def main() -> int:
    """Sweep, and tell of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--everywhere", action="store_true", help="also with a KL divergence in every function")
    parser.add_argument("--mend", action="store_true", help="also mend what is found, safe or not")
    parser.add_argument("--alone", action="store_true", help="each as if it stood alone: no other file is read for it")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th file")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds for a case (default: {LIMIT:g})")
    arguments = parser.parse_args()
    faulthandler.enable()  # a crash of the interpreter itself tells where
    tally = Tally()
    works = ["checked", "mended"] if arguments.mend else ["checked"]
    paths = list(files_of(arguments.paths))[:: arguments.every]
    with suppress(KeyboardInterrupt):
        for path in paths:
            tally.files += 1
            for kind, data in variants(path, path.read_bytes(), everywhere=arguments.everywhere):
                for done in works:
                    filename = f"<{path}>" if arguments.alone else str(path)
                    result = examine(WORKS[done], filename, data, limit=arguments.limit)
                    tally.note(f"{kind}, {done}", f"{path} {kind}, {done}", result)
    print(f"{tally.files:,} of {len(paths):,} files", *tally.lines(), sep="\n")
    return 1 if tally.lost else 0


if __name__ == "__main__":
    sys.exit(main())
