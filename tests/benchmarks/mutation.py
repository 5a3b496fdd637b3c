"""Can the tests fail? Changes the rules, the rewriting and the catalogue at random places, and counts what the tests notice.

    python tests/benchmarks/mutation.py --mutants 300 --seed 6

Wants `pip install cosmic-ray`, which makes the mutants and runs the tests. It works on a copy of the checkout. Each mutant is
met by the tests of its part, the quick ones first, until one fails: 3 s where that is early, 2 min for a survivor of the
catalogue, in one process; interrupted, it tells of what it has. Annotations and slots are left out: no test could tell. The
survivors, printed as they come, are to be read: each wants a test, or is the same program.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cosmic_ray.commands.init import init as list_mutants
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, WorkItem

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 600
PYTEST = f"{shlex.quote(sys.executable)} -m pytest -x -q -p no:cacheprovider"
COVERED_BY = {
    "kl_lint/rules": [
        "tests/rules",
        "tests/rewriting/test_fixtures.py -k golden",
        "tests/rewriting/test_fixtures.py -k 'not golden'",
        "tests/numerics/test_rule_claims.py",
    ],
    "kl_lint/rewriting": [
        "tests/rewriting --ignore=tests/rewriting/test_bare_names.py --ignore=tests/rewriting/test_killed.py"
        " --ignore=tests/rewriting/test_properties.py --ignore=tests/rewriting/test_fixtures.py",
        "tests/rewriting/test_fixtures.py -k golden",
        "tests/rewriting/test_bare_names.py tests/test_cli_fix.py",
        "tests/rewriting/test_properties.py",
    ],
    "kl_lint/flow/torch_ops.py": [
        "tests/flow/test_catalogue.py",
        "tests/flow --ignore=tests/flow/test_catalogue.py",
        "tests/generated",
    ],
}


def command(part: str) -> str:
    """All runs of pytest for a part, up to the first that fails."""
    return shlex.join(["bash", "-c", " && ".join(f"{PYTEST} {tests}" for tests in COVERED_BY[part])])


def modules(part: str) -> list[Path]:
    """The files of a part."""
    return sorted(Path(part).rglob("*.py")) if Path(part).is_dir() else [Path(part)]


def mutants(part: str) -> list[MutationSpec]:
    """Every mutant of a part that can make a difference."""
    with use_db(":memory:", WorkDB.Mode.create) as work:
        list_mutants(modules(part), work, {})
        items: list[WorkItem] = list(work.work_items)
    left_out = {module: list(idle(module)) for module in modules(part)}
    found = [mutation for item in items for mutation in item.mutations]
    return [each for each in found if not any(start <= each.start_pos < end for start, end in left_out[each.module_path])]


def idle(module: Path) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where stands what is never run, the annotations, or makes objects smaller and nothing else, slots."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.keyword) and node.arg == "slots":
            parts.append(node.value)
        for part in parts:
            if isinstance(part, ast.expr) and part.end_lineno is not None and part.end_col_offset is not None:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def sample(number: int, seed: int, parts: list[str]) -> list[tuple[str, MutationSpec]]:
    """So many mutants, in any order, one at most of a place: a comparison has many more mutants than a number."""
    chance = random.Random(seed)
    every = [(part, mutation) for part in parts for mutation in mutants(part)]
    places: dict[object, list[tuple[str, MutationSpec]]] = {}
    for part, mutation in every:
        places.setdefault((mutation.module_path, mutation.start_pos), []).append((part, mutation))
    drawn = chance.sample(sorted(places.values(), key=str), min(number, len(places)))
    return [chance.choice(place) for place in drawn]


def copy(target: Path) -> None:
    """What the tests need of the checkout."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("kl_lint", "tests", "fixtures"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, target)


def main() -> None:
    """Draw, run, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=300, metavar="N", help="how many to try")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--part", action="append", choices=COVERED_BY, help="only this part; may be given again")
    options = parser.parse_args()
    tried: list[tuple[Path, bool]] = []
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        copy(Path(folder))
        os.chdir(folder)
        parts = options.part or list(COVERED_BY)
        for part in parts:  # of the program as it is they see nothing; and what they compile is kept
            subprocess.run(shlex.split(command(part)), check=True, stdout=sys.stderr)
        for part, mutation in sample(options.mutants, options.seed, parts):
            result = mutate_and_test([mutation], command(part), TIMEOUT)
            tried.append((mutation.module_path, result.is_killed))
            if not result.is_killed:
                print(f"survived: {mutation.operator_name}\n{result.diff or result.output}", flush=True)
    for module in sorted({module for module, _ in tried}):
        outcomes = [killed for each, killed in tried if each == module]
        print(f"{sum(outcomes):4} of {len(outcomes):4} killed  {module}")
    print(f"{sum(killed for _, killed in tried):4} of {len(tried):4} killed")


if __name__ == "__main__":
    main()
