"""The picture in the README: that it shows what the command prints, and that a browser draws it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.draw_report import PICTURE, drawn, printed
from tests.write_readme import ROOT

pytestmark = pytest.mark.client

README = (ROOT / "README.md").read_text(encoding="utf-8")
DRAW = "run `python tests/draw_report.py`"

WIDTH = 12.2
"""How wide a character is in the picture."""
NAMESPACE = "{http://www.w3.org/2000/svg}"


def rows(svg: str) -> list[str]:
    """The rows of text in a picture, from the top, without its title."""
    texts: dict[float, str] = {}
    for group in ElementTree.fromstring(svg).iter(f"{NAMESPACE}g"):
        if group.get("class", "").endswith("-matrix"):
            for each in group.iter(f"{NAMESPACE}text"):
                row, column = float(each.attrib["y"]), round(float(each.attrib["x"]) / WIDTH)
                texts[row] = texts.get(row, "").ljust(column) + (each.text or "").replace("\xa0", " ")
    return [text.rstrip() for _, text in sorted(texts.items())]


def test_the_picture_shows_what_is_printed() -> None:
    shown = [row for row in rows(PICTURE.read_text(encoding="utf-8")) if row]
    assert shown == [row for row in rows(drawn()) if row], DRAW
    assert " ".join(shown).split() == printed(color=False).split(), DRAW


def test_the_readme_shows_the_picture() -> None:
    (target,) = re.findall(r"^!\[[^\]]+\]\((\S+)\)$", README, flags=re.MULTILINE)
    assert target == f"https://raw.githubusercontent.com/kl-lint/kl-lint/main/{PICTURE.relative_to(ROOT).as_posix()}"


PAGE = """<!DOCTYPE html><body><script>
const image = new Image();
image.onload = () => {
  const canvas = document.createElement("canvas");
  canvas.width = 3 * image.naturalWidth; canvas.height = 3 * image.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data, colors = {};
  for (let at = 0; at < data.length; at += 4) {
    const color = [data[at], data[at + 1], data[at + 2]].join(" ");
    colors[color] = (colors[color] || 0) + 1;
  }
  document.body.textContent = JSON.stringify(colors);
};
image.src = "data:image/svg+xml;base64,PICTURE";
</script></body>"""
"""It draws the picture as a page does that shows it: no script in it is run, and nothing is fetched for it."""


def test_a_browser_draws_it(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        why = "Chromium is not installed: `apt-get install chromium`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    page = tmp_path / "page.html"
    page.write_text(PAGE.replace("PICTURE", base64.b64encode(PICTURE.read_bytes()).decode()))
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--virtual-time-budget=10000", "--dump-dom", page.as_uri()],
        capture_output=True, check=False, text=True, timeout=300, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    found = re.search(r"<body>(\{.*\})</body>", done.stdout)
    assert found, done.stderr
    pixels = json.loads(found[1])
    style = PICTURE.read_text(encoding="utf-8")
    for color in set(re.findall(r"fill: #(\w{6})", style)):
        seen = " ".join(str(int(color[at : at + 2], 16)) for at in (0, 2, 4))
        assert pixels.get(seen, 0) > 20, f"nothing is drawn in #{color}"
