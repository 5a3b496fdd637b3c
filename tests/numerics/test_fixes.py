"""torch decides what a fix does: a safe one keeps the number, an unsafe one makes it the number that was meant."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from kl_lint import check_source
from kl_lint.finding import Applicability, Finding
from kl_lint.rewriting import apply_fixes, fix_source
from tests.fixture_programs import FixKind, Program, clean, each, enabled, faulty, linted, mended
from tests.numerics.fixture_programs import Outcome, evaluate, load, load_program
from tests.numerics.renaming import with_other_locals

pytestmark = pytest.mark.no_cover

FAULTY = faulty()
CLEAN = clean()
MENDED = [program for program in FAULTY if program.twin is not None]
NARROW = 60
"""A line length that breaks most calls of the fixtures over several rows."""


def outcome(program: Program, source: str) -> Outcome:
    """What the loss of `source` gives for the program's inputs."""
    module = load(source, program.name)
    return evaluate(module.loss, module.inputs())


def wanted(program: Program) -> Outcome:
    module = load_program(program)
    return evaluate(module.meant, module.inputs())


def same(one: Outcome, other: Outcome) -> bool:
    """Whether value and gradients agree, nan with nan."""
    pairs = zip((one.value, *one.gradients), (other.value, *other.gradients), strict=True)
    return all(torch.allclose(a, b, rtol=1e-9, atol=1e-11, equal_nan=True) for a, b in pairs)


@each([program for program in MENDED if program.fix is FixKind.UNSAFE])
def test_unsafe_fixes_make_it_what_was_meant(program: Program) -> None:
    assert outcome(program, mended(program).source).equals(wanted(program))


@each([program for program in MENDED if program.fix is FixKind.SAFE])
def test_safe_fixes_keep_the_number(program: Program) -> None:
    assert mended(program, unsafe=False).source == mended(program).source
    assert outcome(program, mended(program).source).equals(outcome(program, program.source))


@each([*FAULTY, *CLEAN])
def test_without_unsafe_fixes_every_number_stays(program: Program) -> None:
    result = mended(program, unsafe=False)
    fixes = [finding.fix for finding in result.fixed]
    assert all(fix is not None and fix.applicability is Applicability.SAFE for fix in fixes)
    if result.source == program.source:
        assert not fixes
    elif "KLD206" in program.codes:
        with pytest.raises(ValueError, match="is not a valid value for reduction"):
            outcome(program, result.source)
    else:
        assert same(outcome(program, result.source), outcome(program, program.source))


# --- alternatives ----------------------------------------------------------------------------------------------------


@each([program for program in FAULTY if any(finding.alternatives for finding in linted(program))])
def test_alternatives_do_what_they_promise(program: Program) -> None:
    """A safe one keeps the number. An unsafe one mends its finding in another way: with the other fixes, to what was
    meant."""
    findings = linted(program)
    for finding in findings:
        others = [other.fix for other in findings if other is not finding and other.fix is not None]
        for alternative in finding.alternatives:
            safe = alternative.applicability is Applicability.SAFE
            result = apply_fixes(program.source, [alternative] if safe else [alternative, *others])
            assert alternative in result.applied
            if safe:
                assert same(outcome(program, result.text), outcome(program, program.source))
            else:
                assert outcome(program, result.text).equals(wanted(program))


def test_both_ways_out_of_the_default_reduction_are_offered() -> None:
    source = (
        "import torch.nn.functional as F\n\n\n"
        "def loss(x, y):\n    return F.kl_div(F.log_softmax(x, dim=-1), F.softmax(y, dim=-1))\n"
    )
    (finding,) = check_source(source)
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    (keep,) = finding.alternatives
    assert keep.applicability is Applicability.SAFE
    assert 'reduction="batchmean")\n' in apply_fixes(source, [finding.fix]).text
    assert 'reduction="mean")\n' in apply_fixes(source, [keep]).text


FACTORS = [
    ((6,), "the number of classes times the mean"),
    ((4, 6), "the number of classes times the mean"),
    ((4, 2, 6), "the mean times the product of the 2 sizes after the first"),
    ((4, 2, 3, 6), "the mean times the product of the 3 sizes after the first"),
]


@pytest.mark.parametrize(("shape", "promise"), FACTORS)
@pytest.mark.parametrize("reduction", ["", ', reduction="mean"'])
def test_a_reduction_says_by_what_factor_the_number_changes(
    shape: tuple[int, ...], promise: str, reduction: str
) -> None:
    source = (
        "import torch\nimport torch.nn.functional as F\n\n\n"
        f"def loss():\n    x, y = torch.randn{shape}, torch.randn{shape}\n"
        f"    return F.kl_div(F.log_softmax(x, dim=-1), F.softmax(y, dim=-1){reduction})\n"
    )
    (finding,) = check_source(source)
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert finding.fix.description.endswith(promise)
    sizes = shape if len(shape) == 1 else shape[1:]
    before, after = (drawn(text) for text in (source, apply_fixes(source, [finding.fix]).text))
    assert after.item() == pytest.approx(torch.Size(sizes).numel() * before.item())


def drawn(source: str) -> Tensor:
    module = load(source, "drawn")
    torch.manual_seed(3)
    value = module.loss()
    assert isinstance(value, Tensor)
    return value


# --- guards against log(0) -------------------------------------------------------------------------------------------

GUARDED = [
    "torch.log((F.softmax(x, dim=-1) + 1e-8).reshape(-1, 5))",
    "(F.softmax(x, dim=-1).clamp(min=1e-8)[:, :]).log()",
    "torch.log(torch.maximum(F.softmax(x, dim=-1), torch.tensor(1e-8)))",
    "torch.add(F.softmax(x, dim=-1), 1e-8).log()",
    "torch.log(1e-8 + F.softmax(x, dim=-1).clamp_min(1e-9))",
    "F.softmax(x, dim=-1).add(1e-8).t().t().log()",
    "F.softmax(x, dim=-1).clip(1e-8).squeeze(0)",
    "(1e-8 + F.softmax(x, dim=-1)).contiguous()",
    "(F.softmax(x, dim=-1) + 1e-8) / (F.softmax(x, dim=-1) + 1e-8).sum(dim=-1, keepdim=True)",
]


@pytest.mark.parametrize("given", GUARDED)
def test_no_epsilon_and_no_clamp_is_left_on_log_probabilities(given: str) -> None:
    """An epsilon guards a logarithm: added to log-probabilities it shifts them, and a clamp at 1e-8 levels them."""
    source = (
        "import torch\nimport torch.nn.functional as F\n\n\n"
        f'def loss(x, y):\n    return F.kl_div({given}, F.softmax(y, dim=-1), reduction="batchmean")\n'
    )
    torch.manual_seed(1)
    x, y = torch.randn(4, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    expected = F.kl_div(F.log_softmax(x, dim=-1), F.softmax(y, dim=-1), reduction="batchmean")
    result = fix_source(source, unsafe=True)
    value = load(result.source, "guarded").loss(x, y)
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_name_given_within_the_call_keeps_its_probabilities() -> None:
    source = (
        "import torch\nimport torch.nn.functional as F\n\n\n"
        "def loss(x, y):\n"
        '    value = F.kl_div((p := F.softmax(x, dim=-1)), F.softmax(y, dim=-1), reduction="batchmean")\n'
        "    return value + p.amax()\n"
    )
    x, y = torch.randn(4, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    expected = F.kl_div(F.log_softmax(x, dim=-1), F.softmax(y, dim=-1), reduction="batchmean")
    value = load(fix_source(source, unsafe=True).source, "named").loss(x, y)
    assert value.item() == pytest.approx((expected + F.softmax(x, dim=-1).amax()).item())


# --- the same program, written otherwise -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All fixtures, twins included, on lines of at most `NARROW` columns."""
    folder = tmp_path_factory.mktemp("narrow")
    for program in (*FAULTY, *CLEAN):
        for one in (program, program.twin):
            if one is not None:
                copy = folder / one.folder / one.path.name
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(one.path, copy)
    formatted(folder)
    return folder


def formatted(folder: Path) -> None:
    """Format a file, or every file of a folder."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet", f"--line-length={NARROW}", str(folder)]
    subprocess.run(command, check=True)


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


@each([*FAULTY, *CLEAN])
def test_layout_does_not_matter(program: Program, narrow: Path) -> None:
    """Broken over more rows, a program is told the same, and mended to the same text but for its layout."""
    copy = Program(narrow / program.folder / program.path.name)
    assert codes(linted(copy)) == codes(linted(program))
    if copy.twin is not None:
        assert flat(mended(copy).source) == flat(copy.twin.source)


def flat(source: str) -> str:
    """A program without what a formatter decides on: comments, spaces, magic commas, parentheses."""
    return ast.dump(ast.parse(source))


@each([*FAULTY, *CLEAN])
def test_names_of_locals_do_not_matter(program: Program) -> None:
    renamed = with_other_locals(program.source)
    assert codes(linted(program, renamed)) == codes(linted(program))
    if program.twin is not None:
        result = fix_source(renamed, str(program.path), unsafe=True, enable=enabled(program))
        assert result.source == with_other_locals(program.twin.source)


def test_locals_are_renamed() -> None:
    assert sum(with_other_locals(program.source) != program.source for program in FAULTY) >= 100
