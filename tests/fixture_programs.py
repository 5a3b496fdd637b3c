"""Fixture programs: finding them, reading their markers, and what the linter makes of them.

A fixture is one file with `loss(*inputs())`, what a program computes, and `meant(*inputs())`, the divergence that its
author wanted. `fixtures/KLDnnn/` holds misuse, `fixtures/clean/` holds what must stay silent. `name.fixed.py` beside
`name.py` is its twin: the text that the fix has to give.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

from kl_lint import check_source
from kl_lint.finding import Finding
from kl_lint.rewriting import FixResult, fix_source
from kl_lint.rules import rule

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
TWIN_SUFFIX = ".fixed.py"

SAFE_CODES = frozenset({"KLD105", "KLD204", "KLD305", "KLD502", "KLD601"})
"""Their fix keeps the number. KLD105 is among them only where no epsilon or clamp goes: see `Program.fix`."""
UNFIXABLE_CODES = frozenset(
    {"KLD107", "KLD208", "KLD304", "KLD402", "KLD501", "KLD503", "KLD504", "KLD505"},
)
"""They have no fix, and so no twin."""
UNSAFE_CODES = frozenset(
    {"KLD101", "KLD102", "KLD103", "KLD104", "KLD106", "KLD201", "KLD202", "KLD203", "KLD205", "KLD206", "KLD207"}
    | {"KLD301", "KLD302", "KLD303", "KLD401"},
)
"""Their fix turns the number into the divergence that was meant."""
CODES = SAFE_CODES | UNFIXABLE_CODES | UNSAFE_CODES
EPSILON_PREFIX = "epsilon_"
"""KLD105 programs of this name take the logarithm of a softmax that was clamped or had a constant added."""

_MARKER = re.compile(r"# (KLD\d{3}(?: KLD\d{3})*)")


class FixKind(Enum):
    """What the fix of a program does to its number."""

    SAFE = "keeps it"
    UNSAFE = "turns it into the one meant"
    NONE = "there is no fix"


@dataclass(frozen=True, slots=True)
class Program:
    """A fixture, `path`, and the folder that it lies in: a code, or `clean`."""

    path: Path

    @property
    def folder(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return f"{self.folder}/{self.path.stem}"

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def twin(self) -> Program | None:
        """The repaired program beside this one, where there is one."""
        path = self.path.with_name(self.path.stem + TWIN_SUFFIX)
        return Program(path) if path.exists() else None

    @property
    def codes(self) -> frozenset[str]:
        """Every code that must be reported in this file."""
        return frozenset(code for codes in markers(self.source).values() for code in codes)

    @property
    def fix(self) -> FixKind:
        """What the fix of the whole file does: unsafe as soon as one of its codes is."""
        if self.twin is None:
            return FixKind.NONE
        drops_epsilon = "KLD105" in self.codes and self.path.stem.startswith(EPSILON_PREFIX)
        return FixKind.SAFE if self.codes <= SAFE_CODES and not drops_epsilon else FixKind.UNSAFE


def faulty() -> list[Program]:
    """Every program with a misuse, twins left out."""
    return _programs("KLD*/*.py")


def clean() -> list[Program]:
    """Every program that must stay silent."""
    return _programs("clean/*.py")


def markers(source: str) -> dict[int, tuple[str, ...]]:
    """The codes that a trailing comment announces, by 1-based row."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = ((token.start[0], _MARKER.fullmatch(token.string)) for token in tokens if token.type == tokenize.COMMENT)
    return {row: tuple(match[1].split()) for row, match in found if match}


def _programs(pattern: str) -> list[Program]:
    return [Program(path) for path in sorted(FIXTURES.glob(pattern)) if not path.name.endswith(TWIN_SUFFIX)]


def each(programs: list[Program]) -> pytest.MarkDecorator:
    """One test for each program, by its name."""
    return pytest.mark.parametrize("program", programs, ids=lambda program: program.name)


def enabled(program: Program) -> frozenset[str]:
    """The rule that a folder is named after, where it is off by default."""
    opt_in = program.folder != "clean" and rule(program.folder).opt_in
    return frozenset({program.folder} if opt_in else ())


def linted(program: Program, source: str | None = None) -> tuple[Finding, ...]:
    """What is found in a program, or in a text that stands for it."""
    return _checked(program, program.source if source is None else source)


@cache
def _checked(program: Program, text: str) -> tuple[Finding, ...]:
    return check_source(text, str(program.path), enable=enabled(program))


@cache
def mended(program: Program, *, unsafe: bool = True) -> FixResult:
    """A program after its fixes."""
    return fix_source(program.source, str(program.path), unsafe=unsafe, enable=enabled(program))
