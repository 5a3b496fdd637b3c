"""The plugin in real flake8, found through its entry point."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

import kl_lint
from kl_lint.configuration.options import OPTIONS
from tests.command import DECLARED, OFF_BY_DEFAULT

pytestmark = [
    pytest.mark.no_cover,
    pytest.mark.skipif(
        not any(point.name == "KLD" for point in importlib.metadata.entry_points(group="flake8.extension")),
        reason="kl-lint is not installed: flake8 finds plugins by their installation",
    ),
]

MISUSE = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(
        F.softmax(x, dim=1), q)


def other(x, q):
    é = "日本"; return é, F.kl_div(F.softmax(x, dim=1), q, reduction="sum")
"""


def flake8(*arguments: str, cwd: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run flake8 in `cwd`, where its configuration is looked for."""
    return subprocess.run(
        [sys.executable, "-m", "flake8", "--format=%(path)s:%(row)d:%(col)d:%(code)s", *arguments],
        cwd=cwd, input=stdin, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


def reported(*arguments: str, cwd: Path, stdin: str | None = None) -> list[str]:
    """What flake8 reports of ours, as `row:column:code`."""
    done = flake8(*arguments, cwd=cwd, stdin=stdin)
    assert done.stderr == ""
    return [line.split(":", 1)[1] for line in done.stdout.splitlines() if ":KLD" in line]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with two files in it."""
    (tmp_path / "loss.py").write_text(MISUSE, encoding="utf-8")
    (tmp_path / "temperature.py").write_text(OFF_BY_DEFAULT, encoding="utf-8")
    (tmp_path / ".flake8").write_text("[flake8]\nmax-line-length = 120\n")
    return tmp_path


COLUMN = MISUSE.splitlines()[9].index("F.softmax") + 1


def test_it_is_found_by_name_and_version(tmp_path: Path) -> None:
    assert f"kl-lint: {kl_lint.__version__}" in flake8("--version", cwd=tmp_path).stdout


def test_findings_at_their_places(project: Path) -> None:
    assert reported("loss.py", cwd=project) == ["5:5:KLD101", "5:12:KLD201", f"10:{COLUMN}:KLD101"]
    assert flake8("--select=KLD", cwd=project).returncode == 1


def test_several_processes(project: Path) -> None:
    for number in range(8):
        (project / f"copy{number}.py").write_text(OFF_BY_DEFAULT, encoding="utf-8")
    assert len(reported("--jobs=2", "--kld-enable=KLD504", cwd=project)) == 3 + 9


def test_standard_input(project: Path) -> None:
    assert reported("-", cwd=project, stdin=MISUSE) == ["5:5:KLD101", "5:12:KLD201", f"10:{COLUMN}:KLD101"]


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("--select=KLD2",), {"KLD201"}),
        (("--ignore=KLD201",), {"KLD101"}),
        (("--extend-ignore=KLD1",), {"KLD201"}),
        (("--per-file-ignores=loss.py:KLD",), set()),
    ],
)
def test_flake8_s_own_options(project: Path, arguments: tuple[str, ...], codes: set[str]) -> None:
    assert {line.split(":")[-1] for line in reported(*arguments, cwd=project)} == codes


@pytest.mark.parametrize(
    ("arguments", "on"),
    [
        ((), False),
        (("--kld-enable=KLD504",), True),
        (("--kld-enable=KLD208,KLD5",), True),
        (("--kld-enable=KLD208",), False),
        (("--extend-select=KLD504",), True),
        (("--select=KLD",), False),
        (("--select=KLD504",), True),
        # to ignore something else must not switch it on
        (("--ignore=E501",), False),
        (("--extend-ignore=E501",), False),
        (("--ignore=E501", "--kld-enable=KLD504"), True),
        (("--kld-enable=KLD504", "--ignore=KLD504"), False),
        (("--kld-enable=KLD504", "--extend-ignore=KLD5"), False),
    ],
)
def test_rules_that_are_off(project: Path, arguments: tuple[str, ...], on: bool) -> None:
    assert bool(reported("temperature.py", *arguments, cwd=project)) is on


def test_configuration_files(project: Path) -> None:
    (project / ".flake8").write_text("[flake8]\nmax-line-length = 120\nkld-enable =\n    KLD504,\n    KLD208\n")
    assert [line.split(":")[-1] for line in reported("temperature.py", cwd=project)] == ["KLD504"]
    (project / ".flake8").write_text("[flake8]\nkld_enable = KLD999\n")
    done = flake8("temperature.py", cwd=project)
    assert done.returncode == 2
    assert "--kld-enable: no opt-in rule has a code that begins with 'KLD999'; there are KLD208" in done.stderr


def test_returns_are_read_as_the_command_reads_them(project: Path) -> None:
    (project / ".flake8").write_text(
        "[flake8]\nkld-returns =\n    models.policy = log_probs:-1,\n    critic = logits\n"
    )
    assert reported("loss.py", "--max-line-length=120", cwd=project) != []
    (project / ".flake8").write_text("[flake8]\nkld-returns = models.policy = log_prob\n")
    done = flake8("loss.py", cwd=project)
    assert done.returncode == 2
    assert "--kld-returns: 'models.policy': no space is called 'log_prob'; did you mean 'log_probs'?" in done.stderr


SAME = {
    "select": ["KLD2", "KLD1,KLD201", "KLD504", "KLD3"],
    "ignore": ["KLD2", "KLD1,KLD201", "KLD101", "KLD3"],
    "enable": ["KLD5", "KLD208,KLD504", "KLD6"],
    "per-file-ignores": [
        "loss.py:KLD1",
        "deep/*:KLD101,KLD201",
        "*.py:KLD2",
        "x:KLD",
    ],
    "returns": ["models.policy=probs:-1", "policy=logits", "*=indices", "other.policy=probs, policy=log_probs"],
    "exclude": ["deep", "loss.py", "deep/*", "./deep/loss.py", "d*p,temp*"],
    "extend-exclude": ["deep", "loss.py", "deep/*", "./deep/loss.py", "d*p,temp*"],
    "jobs": ["1", "2", "auto"],
}
"""Values of each option that flake8 has too."""

FLAKE8 = {option.name: option.flake8 for option in OPTIONS if option.flake8 is not None}


def test_every_option_of_both_is_compared() -> None:
    assert list(SAME) == list(FLAKE8)


@pytest.fixture
def deep(project: Path) -> Path:
    """A directory with a file in it, and another one of the same name further down."""
    (project / "deep").mkdir()
    (project / "deep" / "loss.py").write_text(MISUSE, encoding="utf-8")
    (project / "deep" / "policy.py").write_text(DECLARED, encoding="utf-8")
    return project


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SAME.items() for value in values])
def test_an_option_does_the_same_in_both(deep: Path, name: str, value: str) -> None:
    assert theirs(f"{FLAKE8[name]}={value}", cwd=deep) == found(f"--{name}={value}", cwd=deep)


@pytest.mark.parametrize(("name", "value"), [(name, values[0]) for name, values in SAME.items()])
def test_an_option_does_the_same_in_the_files_of_both(deep: Path, name: str, value: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "kl_lint", "config", f"--{name}={value}"],
        cwd=deep, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (deep / "pyproject.toml").write_text(shown.stdout, encoding="utf-8")
    (deep / ".flake8").write_text(f"[flake8]\n{FLAKE8[name].lstrip('-')} = {value}\n")
    assert theirs(cwd=deep) == found(cwd=deep) == found(f"--{name}={value}", "--isolated", cwd=deep)


def test_of_several_patterns_the_command_follows_all(deep: Path) -> None:
    """flake8 follows the longest alone."""
    option = "--per-file-ignores=loss.py:KLD101 deep/loss.py:KLD2"
    assert found(option, cwd=deep) == ["loss.py:5:KLD201"]
    assert theirs(option, cwd=deep) == ["deep/loss.py:10:KLD101", "deep/loss.py:5:KLD101", "loss.py:5:KLD201"]


def found(*options: str, cwd: Path) -> list[str]:
    """What the command reports: `path:row:code`."""
    done = subprocess.run(
        [sys.executable, "-m", "kl_lint", "check", "--output-format=json", *options, "."],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "" or "no Python files" in done.stderr
    places = [(Path(each["filename"]).relative_to(cwd.resolve()), each) for each in json.loads(done.stdout)]
    return sorted(f"{path}:{each['noqa_row']}:{each['code']}" for path, each in places)


def theirs(*options: str, cwd: Path) -> list[str]:
    """What flake8 reports of ours: `path:row:code`."""
    done = flake8(*options, ".", cwd=cwd)
    assert done.stderr == ""
    lines = [line.removeprefix("./").split(":") for line in done.stdout.splitlines() if ":KLD" in line]
    return sorted(f"{path}:{row}:{code}" for path, row, _, code in lines)


def test_noqa(project: Path) -> None:
    (project / "loss.py").write_text(MISUSE.replace("F.kl_div(\n", "F.kl_div(  # noqa: KLD101\n"), encoding="utf-8")
    assert reported("loss.py", cwd=project) == ["5:12:KLD201", f"10:{COLUMN}:KLD101"]


def test_the_command_agrees(project: Path) -> None:
    """Both front ends, on the same files: the same codes on the same rows."""
    done = subprocess.run(
        [sys.executable, "-m", "kl_lint", "check", "--output-format=json", "--enable=KLD504", "."],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = sorted(f"{each['noqa_row']}:{each['code']}" for each in json.loads(done.stdout))
    theirs = [line.split(":") for line in reported("--kld-enable=KLD504", cwd=project)]
    assert ours == sorted(f"{row}:{code}" for row, _, code in theirs)
    assert len(ours) == 4
