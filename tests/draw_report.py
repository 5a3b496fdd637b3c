"""Draws the picture in the README: what the command prints about its example, in colours, as an SVG.

    python tests/draw_report.py

Run it after a change to the report; tests/test_readme.py says when it is due.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

if __name__ == "__main__":  # from a checkout, installed or not
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.write_readme import ROOT, output_of_example

PICTURE = ROOT / ".github" / "report.svg"
COLUMNS = 110
"""How wide the terminal is that is drawn."""


def printed(*, color: bool) -> str:
    """What the command prints, after the line that runs it."""
    options = ["--color"] if color else []
    return "$ kl-lint check distill.py\n" + output_of_example("check", *options)


def drawn() -> str:
    """The picture."""
    console = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="standard",
        legacy_windows=False,
    )
    console.print(Text.from_ansi(printed(color=True)))
    return console.export_svg(title="kl-lint", unique_id="report")


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(), encoding="utf-8")
