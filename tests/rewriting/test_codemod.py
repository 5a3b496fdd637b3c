"""The codemod, run by libcst's own tool and by itself."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import libcst as cst
import pytest
from libcst.codemod import CodemodContext, SkipFile

from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, SetKeyword, Span
from kl_lint.rewriting.codemod import FixKLDivergence
from kl_lint.rewriting.fixing import fix_source
from tests.command import MENDED, MISUSE

README = Path(__file__).resolve().parents[2] / "README.md"

SOURCE = "y = F.a(x) ;z = 1\r\n"


@pytest.fixture(autouse=True)
def _stand_in_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """`F.a(x)` can be mended safely, `F.b(x)` unsafely, `F.c(**x)` not at all."""

    def check_text(text: str, filename: str, *, enable: frozenset[str], across: bool) -> tuple[tuple[Finding, ...], bool]:
        row, line = next((row, line) for row, line in enumerate(text.split("\n"), start=1) if "F." in line)
        span = Span(row, 5, row, line.index(")") + 2)
        mends = {
            "F.a": ("KLD105", Fix("", Applicability.SAFE, (RenameCallee(span, "b"),))),
            "F.b": ("KLD101", Fix("", Applicability.UNSAFE, (RenameCallee(span, "d"),))),
            "F.c": ("KLD204", Fix("", Applicability.SAFE, (SetKeyword(span, "reduction", "1"),))),
        }
        if line[4:7] not in mends:
            return (), True
        code, fix = mends[line[4:7]]
        return (Finding(code, "x", "m", filename, span, row, fix=fix),), True

    monkeypatch.setattr("kl_lint.engine.check_text", check_text)


@pytest.mark.parametrize(("unsafe", "expected"), [(False, "y = F.b(x) ;z = 1\r\n"), (True, "y = F.d(x) ;z = 1\r\n")])
def test_the_module_is_rewritten(unsafe: bool, expected: str) -> None:
    tree = FixKLDivergence(CodemodContext(), unsafe=unsafe).transform_module(cst.parse_module(SOURCE))
    assert tree.code == expected
    assert fix_source(SOURCE, unsafe=unsafe).source == expected


def test_a_module_with_nothing_to_mend_is_left_alone() -> None:
    tree = cst.parse_module("y  =  F.d(1)\n")
    assert FixKLDivergence(CodemodContext()).transform_module_impl(tree) is tree


def test_a_refused_fix_is_a_warning() -> None:
    context = CodemodContext()
    tree = FixKLDivergence(context).transform_module(cst.parse_module("y = F.c(**x)\n"))
    assert tree.code == "y = F.c(**x)\n"
    assert context.warnings == ["1:5: KLD204 is not fixed: the call takes **, which may hold reduction already"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("y = F.a(x)  # é\n".encode(), id="utf-8"),
        pytest.param(b"\xef\xbb\xbfy = F.a(x)\n", id="byte-order-mark"),
        pytest.param("# coding: latin-1\ny = F.a(x)  # é\n".encode("latin-1"), id="latin-1"),
    ],
)
def test_the_encoding_is_kept(source: bytes) -> None:
    tree = FixKLDivergence(CodemodContext()).transform_module(cst.parse_module(source))
    assert tree.bytes == source.replace(b"F.a", b"F.b")


def test_a_file_that_libcst_would_change_is_skipped(tmp_path: Path) -> None:
    path, source = tmp_path / "loss.py", b"y = F.a(x)\n\x0cz = 1\n"
    path.write_bytes(source)
    assert cst.parse_module(source).bytes != source
    with pytest.raises(SkipFile, match="libcst does not reproduce this file"):
        FixKLDivergence(CodemodContext(filename=str(path))).transform_module(cst.parse_module(source))


@pytest.mark.parametrize("options", [[], ["--unsafe"]])
def test_the_tool_runs_it(tmp_path: Path, options: list[str]) -> None:
    """Nothing to mend here: the command is found, takes its option, reads the file and leaves it alone."""
    path = tmp_path / "loss.py"
    path.write_bytes(b"x  =  1\r\n")
    command = [sys.executable, "-m", "libcst.tool", "codemod", "-x", "kl_lint.rewriting.codemod.FixKLDivergence"]
    run = subprocess.run(
        [*command, "--no-format", "--jobs=1", str(path), *options], capture_output=True, text=True, check=True
    )
    assert "Transformed 1 files successfully" in run.stderr
    assert path.read_bytes() == b"x  =  1\r\n"


def test_the_command_in_the_readme_mends(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    path = tmp_path / "src" / "loss.py"
    path.write_text(MISUSE, encoding="utf-8")
    (line,) = re.findall(r"^python (-m libcst\.tool .*)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    subprocess.run([sys.executable, *shlex.split(line)], cwd=tmp_path, capture_output=True, check=True)
    assert path.read_text(encoding="utf-8") == MENDED
