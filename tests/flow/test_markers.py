"""Every fixture, through the analysis and the rules: exactly the calls that are marked are reported, on the rows marked.

What the fixtures are, and that their markers are true, torch decides elsewhere (tests/numerics/test_fixtures.py).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kl_lint.flow import analyse
from kl_lint.rules import CALL_RULES, HANDWRITTEN_RULES, judge
from kl_lint.rules.base import Rule

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
PROGRAMS = sorted(path for path in FIXTURES.rglob("*.py") if re.fullmatch(r"KLD\d{3}|clean", path.parent.name))
MARKER = re.compile(r"#((?: KLD\d{3})+)\s*$")
RULES: tuple[Rule, ...] = (*CALL_RULES, *HANDWRITTEN_RULES)
OPT_IN = frozenset(rule.code for rule in RULES if rule.opt_in)


def marked(path: Path) -> set[tuple[int, str]]:
    """The (row, code) pairs that a program announces; a repaired twin announces nothing."""
    if path.name.endswith(".fixed.py"):
        return set()
    found: set[tuple[int, str]] = set()
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        marker = MARKER.search(line)
        if marker is not None:
            found.update((row, code) for code in marker[1].split())
    return found


def reported(path: Path) -> set[tuple[int, str]]:
    """The (row, code) pairs that the analysis and the rules find; an opt-in rule counts in its own folder."""
    source = path.read_text(encoding="utf-8")
    enable = OPT_IN & {path.parent.name}
    handwritten = any(rule.code in enable for rule in HANDWRITTEN_RULES)
    facts = analyse(ast.parse(source), source.splitlines(), str(path), handwritten=handwritten)
    assert facts.complete
    return {(finding.noqa_row, finding.code) for finding in judge(facts, enable=enable)}


def test_there_are_fixtures_of_every_rule() -> None:
    folders = {path.parent.name for path in PROGRAMS}
    assert folders == {rule.code for rule in RULES} | {"clean"}
    assert all(marked(path) for path in PROGRAMS if path.parent.name != "clean" and not path.name.endswith(".fixed.py"))
    assert not any(marked(path) for path in PROGRAMS if path.parent.name == "clean")


@pytest.mark.parametrize("path", PROGRAMS, ids=[f"{path.parent.name}/{path.stem}" for path in PROGRAMS])
def test_markers(path: Path) -> None:
    assert reported(path) == marked(path)
