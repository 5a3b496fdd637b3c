"""How long the analysis of a file takes, measured in parses of it: run by hand, not by pytest.

    python tests/benchmarks/analysis_ratio.py                # generated files of 100 to 20,000 lines
    python tests/benchmarks/analysis_ratio.py src/*.py       # files of your own
    python tests/benchmarks/analysis_ratio.py --profile 20   # and where the time of the worst of them goes

For each file: its lines and KL calls, the milliseconds of `ast.parse`, those of `analyse` and `judge` on the tree, and
their ratio. Times are processor time, the least of several runs with the garbage collector off. The exit code is 1
where a ratio is above the limit, where an analysis ran into its bound on work, or where a generated file is not
reported as it was written to be.
"""

from __future__ import annotations

import argparse
import ast
import cProfile
import gc
import pstats
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":  # from a checkout, installed or not
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kl_lint.engine import mentions
from kl_lint.finding import Finding
from kl_lint.flow import Facts, analyse
from kl_lint.lines import split_lines
from kl_lint.rules import judge
from tests.benchmarks.training_code import SHAPES, generate

LINES = (100, 300, 1_000, 3_000, 10_000, 20_000)
LIMIT = 5.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A text to measure. `expected` is how many findings it was written to give; None where nobody knows."""

    name: str
    text: str
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of one text. Times are in milliseconds."""

    subject: Subject
    lines: int
    calls: int
    parse_ms: float
    analysis_ms: float
    fault: str

    @property
    def ratio(self) -> float:
        """The time of the analysis, in parses."""
        return self.analysis_ms / self.parse_ms


def measure(subject: Subject, runs: int) -> Measurement:
    """Parse and analyse a text `runs` times, a fresh tree each time. Raises SyntaxError where it is not Python."""
    lines = split_lines(subject.text)
    parses, analyses = [], []
    gc.disable()
    try:
        for _ in range(runs):
            start = time.process_time_ns()
            tree = ast.parse(subject.text)
            middle = time.process_time_ns()
            facts, findings = check(tree, lines)
            analyses.append(time.process_time_ns() - middle)
            parses.append(middle - start)
            del tree
            gc.collect()
    finally:
        gc.enable()
    fault = fault_of(subject, facts, findings)
    return Measurement(subject, len(lines), len(facts.sites), min(parses) / 1e6, min(analyses) / 1e6, fault)


def check(tree: ast.Module, lines: Sequence[str]) -> tuple[Facts, tuple[Finding, ...]]:
    """What lies between the parse and the report."""
    facts = analyse(tree, lines, "benchmark.py")
    return facts, judge(facts)


def fault_of(subject: Subject, facts: Facts, findings: Sequence[Finding]) -> str:
    """Why a measurement counts for nothing; empty where it counts."""
    if not facts.complete:
        return "stopped at its bound"
    if subject.expected is not None and subject.expected != len(findings):
        return f"{len(findings)} findings, not {subject.expected}"
    return ""


def subjects(paths: Sequence[Path], lines: Sequence[int]) -> Iterator[Subject]:
    """The files that mention a divergence, or generated ones where none is named."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if mentions(text):
            yield Subject(str(path), text)
    if not paths:
        for shape in SHAPES:
            for length in lines:
                written = generate(shape, length)
                yield Subject(shape.__name__.replace("_", " "), written.text, written.findings)


def profile(subject: Subject, rows: int) -> None:
    """Print the functions in which the analysis of a text spends most of its time."""
    tree, lines = ast.parse(subject.text), split_lines(subject.text)
    profiler = cProfile.Profile()
    profiler.runcall(check, tree, lines)
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Print how many times a file's parse its analysis takes.")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="FILE", help="files to measure (default: generated ones)"
    )
    parser.add_argument("--lines", nargs="+", type=int, default=LINES, help="how long the generated files are to be")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured (default: 5)")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"the highest ratio to pass (default: {LIMIT:g})")
    parser.add_argument(
        "--profile", type=int, default=0, metavar="ROWS", help="profile the worst file, print ROWS rows"
    )
    arguments = parser.parse_args(argv)

    print(f"{'file':<40} {'lines':>6} {'calls':>6} {'parse ms':>9} {'analysis ms':>12} {'ratio':>6}")
    measurements = []
    for subject in subjects(arguments.paths, arguments.lines):
        one = measure(subject, arguments.runs)
        measurements.append(one)
        print(
            f"{subject.name[-40:]:<40} {one.lines:>6,} {one.calls:>6,} {one.parse_ms:>9.2f} {one.analysis_ms:>12.2f} "
            f"{one.ratio:>6.2f}{'  ' if one.fault else ''}{one.fault}",
            flush=True,
        )
    if not measurements:
        print("none of the files mentions a divergence", file=sys.stderr)
        return 1
    worst = max(measurements, key=lambda one: one.ratio)
    print(f"worst: {worst.ratio:.2f} parses ({worst.subject.name}, {worst.lines:,} lines); limit: {arguments.limit:g}")
    if arguments.profile:
        profile(worst.subject, arguments.profile)
    return int(worst.ratio > arguments.limit or any(one.fault for one in measurements))


if __name__ == "__main__":
    sys.exit(main())
