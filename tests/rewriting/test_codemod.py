"""The codemod, run by libcst's own tool and by its testing kit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import libcst as cst
import pytest
from libcst.codemod import CodemodContext, SkipFile

from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, SetKeyword, Span
from kl_lint.rewriting.codemod import FixKLDivergence
from kl_lint.rewriting.fixing import fix_source

SOURCE = "y = F.a(x) ;z = 1\r\n"


@pytest.fixture(autouse=True)
def _one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the rules: `F.a(x)` can be mended safely, `F.b(x)` unsafely, `F.c(**x)` not at all."""

    def check_text(text: str, filename: str, *, enable: frozenset[str]) -> tuple[Finding, ...]:
        span = Span(1, 5, 1, text.index(")") + 2)
        fixes = {
            "F.a": Fix("", Applicability.SAFE, (RenameCallee(span, "b"),)),
            "F.b": Fix("", Applicability.UNSAFE, (RenameCallee(span, "d"),)),
            "F.c": Fix("", Applicability.SAFE, (SetKeyword(span, "reduction", "1"),)),
        }
        fix = fixes.get(text[4:7])
        return (Finding("KLD101", "x", "m", filename, span, 1, fix=fix),) if fix else ()

    monkeypatch.setattr("kl_lint.engine.check_text", check_text)


@pytest.mark.parametrize(("unsafe", "expected"), [(False, "y = F.b(x) ;z = 1\r\n"), (True, "y = F.d(x) ;z = 1\r\n")])
def test_the_module_is_rewritten(unsafe: bool, expected: str) -> None:
    tree = FixKLDivergence(CodemodContext(), unsafe=unsafe).transform_module(cst.parse_module(SOURCE))
    assert tree.code == expected == fix_source(SOURCE, unsafe=unsafe).source


def test_a_module_with_nothing_to_mend_is_the_same_tree() -> None:
    tree = cst.parse_module("x = F.d(1)\n")
    assert FixKLDivergence(CodemodContext()).transform_module(tree) is tree


def test_a_refused_fix_is_a_warning() -> None:
    context = CodemodContext()
    tree = FixKLDivergence(context).transform_module(cst.parse_module("y = F.c(**x)\n"))
    assert tree.code == "y = F.c(**x)\n"
    assert context.warnings == [
        "1:5: KLD101 is not fixed: the call takes **, which may hold reduction already",
    ]


def test_the_encoding_is_kept() -> None:
    source = "y = F.a(x)  # é\n# coding: latin-1\n".encode("latin-1")
    tree = FixKLDivergence(CodemodContext()).transform_module(cst.parse_module(source))
    assert tree.bytes == source.replace(b"F.a", b"F.b")


@pytest.mark.parametrize("source", [b"\xef\xbb\xbfy = F.a(x)\n", b"y = F.a(x)\n\x0cz = 1\n"])
def test_a_file_that_libcst_would_change_is_skipped(tmp_path: Path, source: bytes) -> None:
    path = tmp_path / "loss.py"
    path.write_bytes(source)
    with pytest.raises(SkipFile, match="libcst does not reproduce this file"):
        FixKLDivergence(CodemodContext(filename=str(path))).transform_module(cst.parse_module(source))


@pytest.mark.parametrize("options", [[], ["--unsafe"]])
def test_the_tool_runs_it(tmp_path: Path, options: list[str]) -> None:
    """Nothing to mend here: the command is found, takes its option, reads the file and leaves it alone."""
    path = tmp_path / "loss.py"
    path.write_bytes(b"x  =  1\r\n")
    command = [sys.executable, "-m", "libcst.tool", "codemod", "-x", "--no-format", "--jobs", "1", "--hide-progress"]
    name = "kl_lint.rewriting.codemod.FixKLDivergence"
    run = subprocess.run([*command, name, str(path), *options], capture_output=True, text=True, check=True)
    assert "Transformed 1 files successfully" in run.stderr
    assert path.read_bytes() == b"x  =  1\r\n"
