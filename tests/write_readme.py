"""Writes into the README what it takes from the code: the tables, the pages of the rules, what the command prints.

    python tests/write_readme.py

Run it after a change to any of these; tests/test_readme.py says when it is due.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":  # from a checkout, installed or not
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kl_lint.configuration.options import OPTIONS
from kl_lint.rules import RULES
from kl_lint.rules.documentation import SETUP, as_markdown, as_table

ROOT = Path(__file__).resolve().parents[1]

RULE_TABLE = r"(?<=^## Rules\n\n)(?:\|.*\n)*"
OPTION_TABLE = r"(?<=^\| option \| value \| what it does \| in flake8 \|\n\|---\|---\|---\|---\|\n)(?:\|.*\n)*"
RULE_PAGES = r"(?<=^## Rules, one by one\n\n)(.*\n\n)(?:.*\n)*\Z"
EXAMPLE = r"^A file `distill\.py`:\n\n```python\n((?:.*\n)*?)```$"
OUTPUT = r"(?<=^\$ kl-lint {} distill\.py\n)(?:.*\n)*?(?=```$)"


def written(readme: str) -> str:
    """The README with all that it takes from the code. Raises ValueError where it has no place for some of it."""
    readme = _put(readme, RULE_TABLE, as_table(RULES))
    readme = _put(readme, OPTION_TABLE, "".join(map("{}\n".format, option_rows())))
    pages = "\n".join(map(as_markdown, RULES))
    lead = _found(readme, RULE_PAGES)[1]
    readme = _put(readme, RULE_PAGES, f"{lead}```python\n{SETUP}```\n\n{pages}")
    for command in ("check", "inspect"):
        output = _output(command, _found(readme, EXAMPLE)[1])
        readme = _put(readme, OUTPUT.format(command), output)
    return readme


def option_rows() -> list[str]:
    """The rows of the table of options."""
    return [
        f"| `{one.name}` | {one.kind.value} | {one.help} | {f'`{one.flake8}`' if one.flake8 else 'none'} |"
        for one in OPTIONS
    ]


def _found(text: str, pattern: str) -> re.Match[str]:
    found = re.search(pattern, text, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f"the README has no place for {pattern}")
    return found


def _put(text: str, pattern: str, new: str) -> str:
    found = _found(text, pattern)
    return text[: found.start()] + new + text[found.end() :]


def output_of_example(command: str, *options: str) -> str:
    """What a subcommand prints of the file `distill.py` that the README shows."""
    return _output(command, _found((ROOT / "README.md").read_text(encoding="utf-8"), EXAMPLE)[1], *options)


def _output(command: str, source: str, *options: str) -> str:
    """What a subcommand prints of `source`, a file `distill.py` in a project of its own."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "distill.py").write_text(source, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "kl_lint", command, *options, "distill.py"],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    return done.stdout


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
