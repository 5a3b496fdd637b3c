"""Notebooks for tests."""

from __future__ import annotations

import json

SETUP = "%matplotlib inline\n!pip install torch \\\n  --quiet 'it\nimport torch.nn.functional as F"
PROBABILITIES = '%%time\nunseen = "日本"\ns = F.softmax(x, dim=1)'
LOSS = "files = !ls\nF.kl_div?\nloss = F.kl_div(s.log(), q, size_average=False)  # kept"
"""KLD105 and KLD204 in row 3, whose fixes are safe. The softmax stands in another cell."""
LOSS_MENDED = LOSS.replace("s.log()", "s").replace("size_average=False", 'reduction="sum"')
CELLS = ["# Distillation, with F.kl_div", SETUP, "%%bash\nls kl_div | grep 'x", PROBABILITIES, LOSS]
"""The first one is not of code."""
CELLS_MENDED = [*CELLS[:3], PROBABILITIES.replace("F.softmax", "F.log_softmax"), LOSS_MENDED]


def notebook(*cells: str, language: str = "python", as_lists: bool = True) -> dict[str, object]:
    """A notebook with these cells of code, which stand behind one of text."""
    text, *code = cells

    def source(cell: str) -> object:
        return cell.splitlines(keepends=True) if as_lists else cell

    def of_code(cell: str) -> dict[str, object]:
        return {
            "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source(cell),
        }  # fmt: skip

    return {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": source(text)}, *map(of_code, code)],
        "metadata": {"language_info": {"name": language}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def as_jupyter(document: dict[str, object]) -> str:
    """A notebook as Jupyter saves it."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
