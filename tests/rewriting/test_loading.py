"""libcst is loaded for a text with something to rewrite, and for no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import sys
from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, Span
from kl_lint.rewriting import apply_fixes, fix_source, text_edits

span = Span(1, 1, 1, 6)
fix = Fix("", Applicability.UNSAFE, (RenameCallee(span, "b"),))
finding = Finding("KLD101", "x", "m", "<string>", span, 1, fix=fix)
check = lambda text: (finding,) if text.startswith("x.a") else ()
"""


@pytest.mark.parametrize(
    ("statement", "loaded"),
    [
        pytest.param("pass", False, id="import"),
        pytest.param("fix_source('x = 1', check=check)", False, id="no-finding"),
        pytest.param("fix_source('x.a()', check=check)", False, id="unsafe-only"),
        pytest.param("fix_source('x.a()  # noqa', unsafe=True, check=check)", False, id="silenced"),
        pytest.param("assert fix_source('x.a()', unsafe=True, check=check).source == 'x.b()'", True, id="fix"),
        pytest.param("assert apply_fixes('x.a()', [fix]).text == 'x.b()'", True, id="apply"),
        pytest.param("assert text_edits('x.a()', fix)[0].text == 'b'", True, id="edits"),
    ],
)
def test_libcst_is_loaded_late(statement: str, loaded: bool) -> None:
    program = f"{PRELUDE}\n{statement}\nprint('libcst' in sys.modules, 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == f"{loaded} False\n"
