"""What is written for users, held against what there is: commands, options, rules, outputs, numbers."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import yaml
from torch.distributions import Categorical, kl_divergence

from kl_lint import __version__, check_source, cli, fix_source
from kl_lint.configuration.options import OPTIONS
from kl_lint.configuration.pyproject import read_options
from kl_lint.finding import Finding, Span
from kl_lint.reports import REPORTS
from kl_lint.rules import CODES, RULES, Rule
from kl_lint.rules.documentation import SETUP, as_markdown, as_table
from kl_lint.selection import INTERNAL_ERROR
from tests.command import Command
from tests.write_readme import written

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")



@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty directory."""
    return Command(tmp_path, monkeypatch, capsys)


WRITE = "run `python tests/write_readme.py`"

DISTILL = """\
import torch.nn.functional as F


def distill(student_logits, teacher_logits, T):
    student = F.softmax(student_logits / T, dim=1)
    teacher = F.softmax(teacher_logits / T, dim=1)
    return F.kl_div(student, teacher)
"""
"""The file `distill.py` that the README shows the reports on."""


def section(title: str) -> str:
    """What stands below the heading `## title`."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, f"the README has no section {title!r}"
    return found[1]


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints."""
    with suppress(SystemExit):  # which is how --help ends
        cli.main(arguments)
    return capsys.readouterr().out


# --- before and after -------------------------------------------------------------------------------------------------


def before_and_after() -> tuple[str, list[tuple[str, str]]]:
    """The tensors of the first example, and the two losses, each with the number behind it."""
    (example, *_) = blocks("python")
    tensors = "".join(line for line in example.splitlines(keepends=True) if "torch.tensor" in line)
    losses = re.findall(r"^(loss = .*?)  # (\S+)$", example, flags=re.MULTILINE)
    assert len(losses) == 2
    return tensors, losses


def value(tensors: str, loss: str) -> float:
    names: dict[str, object] = {"torch": torch, "F": F}
    exec(tensors + loss, names)
    computed = names["loss"]
    assert isinstance(computed, torch.Tensor)
    return computed.item()


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
def test_numbers_before_and_after_are_those_of_torch() -> None:
    tensors, losses = before_and_after()
    for loss, number in losses:
        assert f"{value(tensors, loss):.4f}" == number


def test_the_number_after_is_the_divergence() -> None:
    tensors, (_, (_, number)) = before_and_after()
    names: dict[str, torch.Tensor] = {}
    exec(tensors, {"torch": torch}, names)
    student, teacher = Categorical(logits=names["student"]), Categorical(logits=names["teacher"])
    assert f"{kl_divergence(teacher, student).mean():.4f}" == number
    assert f"{number} is KL(teacher‖student)" in README


def test_the_fix_leads_from_before_to_after() -> None:
    tensors, ((before, _), (after, _)) = before_and_after()
    imports = "import torch\nimport torch.nn.functional as F\n"
    result = fix_source(f"{imports}{tensors}{before}\n", unsafe=True)
    assert result.source == f"{imports}{tensors}{after}\n"
    (codes,) = re.findall(r"^# before: (.*)$", README, flags=re.MULTILINE)
    assert sorted(finding.code for finding in result.fixed) == codes.split(", ")


def test_what_it_is_takes_five_lines() -> None:
    (paragraph,) = re.findall(r"\A# kl-lint\n\n(.*?)\n\n", README, flags=re.DOTALL)
    assert paragraph.count("\n") == 4


# --- the two commands -------------------------------------------------------------------------------------------------


def commands() -> list[str]:
    return [block.strip() for block in blocks("sh", section("Two commands"))]


def test_there_are_two_commands_of_one_line() -> None:
    assert len(commands()) == 2
    for command in commands():
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv/")


def test_the_project_s_own_check_runs_these_commands() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    run = re.findall(r'^(?:.* )?run "(.*)"$', CI, flags=re.MULTILINE)
    assert run[:2] == commands()
    assert run[2:] == [".venv/test/bin/ruff check .", ".venv/test/bin/mypy --strict"]


def test_the_first_command_succeeds_with_findings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    arguments = commands()[0].partition("/kl-lint ")[2].split()
    assert cli.main(arguments) == 0
    reported = set(re.findall(r": (KLD\d{3}) ", capsys.readouterr().out))
    assert reported >= {rule.code for rule in RULES if not rule.opt_in}


# --- rules ------------------------------------------------------------------------------------------------------------


def test_table_of_rules() -> None:
    assert as_table(RULES) in section("Rules"), WRITE


def test_the_examples_have_their_tensors() -> None:
    assert blocks("python", section("Rules, one by one"))[0] == SETUP


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_page_of_each_rule(rule: Rule) -> None:
    pages = section("Rules, one by one")
    assert as_markdown(rule) in pages, WRITE


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_findings_point_to_their_page(rule: Rule) -> None:
    url = Finding(rule.code, rule.name, "", "f.py", Span(1, 1, 1, 2), 1).url
    assert anchors().count(url.partition("README.md#")[2]) == 1


def anchors() -> list[str]:
    """The anchors that GitHub gives to the headings."""
    outside = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", outside, flags=re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_links_within_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= set(anchors())


def test_codes_are_those_of_rules() -> None:
    assert set(re.findall(r"KLD\d{3}", README)) == {*CODES, INTERNAL_ERROR}


def test_found_in_the_wild_names_threads_and_rules() -> None:
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", section("Found in the wild"), flags=re.MULTILINE)[1:]
    assert len(rows) > 15
    for thread, happened, verdict in rows:
        assert re.search(r"`[\w.-]+/[\w.-]+#\d+`", thread) or thread.startswith("torch's own")
        assert happened.endswith(".")
        assert re.match(r"KLD\d{3}|none: |see \[", verdict)


# --- changelog --------------------------------------------------------------------------------------------------------


def test_changelog_lists_every_rule() -> None:
    listed = re.findall(r"^\s*- (KLD\d{3}) ([\w-]+)", CHANGELOG, flags=re.MULTILINE)
    assert sorted(listed) == [(rule.code, rule.name) for rule in RULES]


def test_changelog_has_this_version() -> None:
    assert re.search(r"^## (\S+)", CHANGELOG, flags=re.MULTILINE)[1] == __version__  # type: ignore[index]


# --- the command ------------------------------------------------------------------------------------------------------


def shown(name: str) -> str:
    """What the README shows `kl-lint NAME distill.py` to print."""
    command = f"$ kl-lint {name} distill.py\n"
    (output,) = [block.removeprefix(command) for block in blocks("console") if block.startswith(command)]
    return output


@pytest.mark.parametrize("name", ["check", "inspect"])
def test_outputs_are_what_is_printed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("distill.py").write_text(DISTILL, encoding="utf-8")
    assert printed(capsys, name, "distill.py") == shown(name), WRITE


def test_the_file_that_the_outputs_are_of_is_shown() -> None:
    assert DISTILL in blocks("python")


SPOKEN_OF = sorted(set(re.findall(r"\bkl-lint [^`\n#]*", README)))
"""Every mention of the command, with what follows it."""
SUBCOMMANDS = sorted({found[1] for text in SPOKEN_OF if (found := re.match(r"kl-lint ([a-z]+) ", f"{text} "))})


def options_of(capsys: pytest.CaptureFixture[str], *command: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", printed(capsys, *command, "--help")))


def subcommands(capsys: pytest.CaptureFixture[str]) -> set[str]:
    return set(re.findall(r"^    ([a-z]+) ", printed(capsys, "--help"), flags=re.MULTILINE))


def test_command_lines_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    known = subcommands(capsys)
    lines = re.findall(r"^(?:\$ )?kl-lint (.*?)(?:  #.*)?$", "\n".join(blocks("(?:sh|console)")), flags=re.MULTILINE)
    lines += re.findall(r"`kl-lint ([^`]*)`", README)
    assert len(lines) > 12
    for line in lines:
        command, *arguments = line.split()
        assert command in known, line
        given = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
        assert given <= options_of(capsys, command), line


def test_options_mentioned_exist(capsys: pytest.CaptureFixture[str]) -> None:
    ours = {option for command in subcommands(capsys) for option in options_of(capsys, command)}
    flake8 = {option.flake8 for option in OPTIONS if option.flake8}
    assert set(re.findall(r"`(--[a-z][a-z-]+)`", README)) <= ours | flake8


def test_every_subcommand_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for name in subcommands(capsys):
        assert f"kl-lint {name}" in README


def test_table_of_formats() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("CI"), flags=re.MULTILINE) == [*REPORTS]


def test_the_writer_has_nothing_to_write() -> None:
    assert written(README) == README, WRITE


def test_the_writer_misses_no_place() -> None:
    with pytest.raises(ValueError, match="the README has no place for"):
        written(README.replace("## Rules\n", "## Codes\n"))


def lines_of(job: object) -> list[str]:
    """The commands of a workflow, in whatever part of it they are."""
    match job:
        case dict():
            return [line for key, part in job.items() for line in ([part] if key == "run" else lines_of(part))]
        case list():
            return [line for part in job for line in ([part] if isinstance(part, str) else lines_of(part))]
        case _:
            return []


def test_workflows_run(command: Command) -> None:
    github, gitlab = (yaml.safe_load(block) for block in blocks("yaml", section("CI")))
    assert github.keys() == {True, "jobs"}, "YAML takes `on` for a truth"
    Path("distill.py").write_text(DISTILL, encoding="utf-8")
    ran = {}
    for workflow in (github, gitlab):
        for line in lines_of(workflow):
            program, _, arguments = line.partition(" ")
            if program == "kl-lint":
                status, out, err = command(*arguments.split())
                assert err == ""
                ran[arguments.split()[2]] = status, out
    assert {layout: status for layout, (status, _) in ran.items()} == {"github": 1, "sarif": 0, "gitlab": 1}
    assert ran["github"][1].startswith("::warning title=")
    (upload,) = [step["with"] for step in github["jobs"]["kl-lint"]["steps"] if "upload-sarif" in step.get("uses", "")]
    assert len(json.loads(Path(upload["sarif_file"]).read_text())["runs"][0]["results"]) == 2
    assert len(json.loads(Path(gitlab["kl-lint"]["artifacts"]["reports"]["codequality"]).read_text())) == 2


# --- configuration ----------------------------------------------------------------------------------------------------


def test_table_of_options() -> None:
    rows = [
        f"| `{one.name}` | {one.kind.value} | {one.help} | {f'`{one.flake8}`' if one.flake8 else 'none'} |"
        for one in OPTIONS
    ]
    assert re.findall(r"^\| `.*\|$", section("Configuration"), flags=re.MULTILINE) == rows, WRITE


def test_configuration_is_accepted(tmp_path: Path) -> None:
    (block,) = blocks("toml", section("Configuration"))
    path = tmp_path / "pyproject.toml"
    path.write_text(block, encoding="utf-8")
    options = read_options(str(path))
    assert options is not None
    assert options.keys() == tomllib.loads(block)["tool"]["kl_lint"].keys()


def test_ruff_is_told_of_the_codes() -> None:
    (block,) = blocks("toml", section("Beside ruff"))
    assert tomllib.loads(block) == {"tool": {"ruff": {"lint": {"external": ["KLD"]}}}}
    own = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert own["tool"]["ruff"]["lint"]["external"] == ["KLD"]


def test_flake8_takes_its_configuration(tmp_path: Path) -> None:
    (block,) = blocks("ini", section("flake8"))
    parser = configparser.ConfigParser()
    parser.read_string(block)
    own = {option.removeprefix("--") for option in (one.flake8 for one in OPTIONS) if option}
    assert {name for name in parser["flake8"] if name.startswith("kld")} <= own
    (tmp_path / ".flake8").write_text(block, encoding="utf-8")
    (tmp_path / "distill.py").write_text(DISTILL, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "distill.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert re.findall(r"KLD\d{3}", done.stdout) == ["KLD201", "KLD101"]


def test_hooks_of_pre_commit_exist() -> None:
    own = next(block for block in blocks("yaml", section("pre-commit")) if "/kl-lint/kl-lint" in block)
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    offered = re.findall(r"^- id: (\S+)$", hooks, flags=re.MULTILINE)
    assert offered
    assert re.findall(r"kl-lint[\w-]*", own.partition("- id: ")[2]) == offered
    assert f"rev: v{__version__}\n" in own


# --- from Python ------------------------------------------------------------------------------------------------------


def test_the_interface_for_programs() -> None:
    block, _ = blocks("python", section("From Python"))  # the other is tried by test_corpus
    names: dict[str, object] = {}
    exec(block, names)
    (codes,) = re.findall(r"^codes = .*  # (.*)$", block, flags=re.MULTILINE)
    assert repr(names["codes"]) == codes
    assert check_source(str(names["mended"])) == ()


def test_seventeen_bins_give_a_seventeenth() -> None:
    assert "over 17 bins: 1/17 of the divergence" in README
    generator = torch.Generator().manual_seed(0)
    log_probs = torch.randn(4, 17, generator=generator).log_softmax(1)
    target = torch.randn(4, 17, generator=generator).softmax(1)
    each = F.kl_div(log_probs, target, reduction="none")
    assert torch.allclose(each.mean(1), each.sum(1) / 17)
