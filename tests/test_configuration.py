"""Options from files, from the command line, and from flake8: what each may be, and which one counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from kl_lint.configuration.lookup import Configuration
from kl_lint.configuration.options import OPTIONS, SPACES, Kind, Option
from kl_lint.configuration.pyproject import WrongConfiguration
from kl_lint.configuration.returns import Return
from kl_lint.configuration.settings import Layer, Settings
from kl_lint.configuration.values import from_text, from_toml, to_toml
from kl_lint.flow.values import Space
from kl_lint.reports import REPORTS
from kl_lint.selection import CODES, OPT_IN
from tests.command import (
    DECLARED,
    LEGACY,
    LEGACY_MENDED,
    MENDED,
    MISUSE,
    OFF_BY_DEFAULT,
    ROOT,
    TWICE,
    Command,
    plant,
    run,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BY_NAME = {option.name: option for option in OPTIONS}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty directory."""
    return Command(tmp_path, monkeypatch, capsys)


def configure(text: str, directory: str = ".") -> None:
    """Write a `pyproject.toml` with `text` in our table."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    Path(directory, "pyproject.toml").write_text(f"[tool.kl_lint]\n{text}\n", encoding="utf-8")


# --- which file counts ---


def test_the_nearest_file_counts(command: Command) -> None:
    plant(**{"a": TWICE, "near/a": TWICE, "near/deep/er/a": TWICE, "far/a": TWICE})
    configure('select = ["KLD1"]')
    configure('select = ["KLD2"]', "near")
    _, out, _ = command("check", "--output-format=concise")
    assert sorted(line.split(" ")[0] for line in out.splitlines()) == [
        "a.py:5:21:", "far/a.py:5:21:", "near/a.py:5:12:", "near/deep/er/a.py:5:12:"
    ]  # fmt: skip
    assert command.codes("near/deep/er/a.py", "--select=KLD1") == ["KLD101"], "the command line counts more"
    assert command.codes("near/a.py", "--isolated") == ["KLD201", "KLD101"]
    assert command.codes("near/a.py", "--config=pyproject.toml") == ["KLD101"]


def test_a_run_may_be_seen_from_another_directory(command: Command, tmp_path: Path) -> None:
    given = {"per-file-ignores": (("src/*", ("KLD101",)),), "extend-exclude": ("src/old",)}
    elsewhere = str(tmp_path.parent / "elsewhere")
    settings = Configuration(given, directory=elsewhere).of(os.path.join(elsewhere, "src", "a.py"))
    assert not settings.selection_for(os.path.join(elsewhere, "src", "a.py")).keeps("KLD101")
    assert settings.selection_for(os.path.join("src", "a.py")).keeps("KLD101")
    exclusion = settings.exclusion()
    assert exclusion.excludes_path(os.path.join(elsewhere, "src", "old", "a.py"), elsewhere)
    assert exclusion.excludes_path(os.path.join(elsewhere, "build", "a.py"), elsewhere)
    assert not exclusion.excludes_path(os.path.join(elsewhere, "build", "a.py"))


def test_a_file_above_the_working_directory_counts(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(**{"src/a": TWICE, "src/skipped/b": TWICE, "src/tests/c": TWICE})
    configure('exclude = ["src/skipped"]\nper-file-ignores = { "src/tests" = ["KLD1"], "tests" = ["KLD2"] }')
    for directory in (".", "src"):
        monkeypatch.chdir(directory)
        _, out, _ = command("check", "--output-format=concise")
        assert [os.path.basename(line.split(":")[0]) for line in out.splitlines()] == ["a.py", "a.py"]
    monkeypatch.chdir("tests")
    assert command.codes() == [], "where a run starts makes no difference"


def test_files_without_a_table_of_ours_are_passed_over(command: Command) -> None:
    plant(**{"deep/a": TWICE})
    configure('select = ["KLD1"]')
    for text in (
        "[project]\nname = 'kl-lint'\n",
        "[tool.other]\nkl_lint = 1\n",
        "tool = 3\nkl_lint = 1\n",
        "kl-lint = [",
    ):
        Path("deep/pyproject.toml").write_text(text)
        assert command.codes("deep/a.py") == ["KLD101"]
    Path("deep/pyproject.toml").unlink()
    Path("deep/pyproject.toml").mkdir()
    assert command.codes("deep/a.py") == ["KLD101"]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff[tool.kl_lint]\nselect = ['KLD1']\n",
        "[tool]\nkl_lint = { select = ['KLD1'] }\n",
        "[ tool . 'kl_lint' ]\r\nselect = ['KLD1']\r\n",
        "[tool]\nkl_lint.select = ['KLD1']\n",
    ],
)
def test_every_spelling_of_the_table_is_read(command: Command, text: str) -> None:
    plant(a=TWICE)
    Path("pyproject.toml").write_bytes(text.encode())
    assert command.codes() == ["KLD101"]


def test_a_file_on_the_command_line(command: Command) -> None:
    plant(**{"a": TWICE, "src/b": TWICE})
    configure('select = ["KLD2"]')
    configure('select = ["KLD1"]\nextend-exclude = ["src/b.py"]', "shared")
    assert command.codes("--config", "shared/pyproject.toml") == ["KLD101"], "its paths are seen from here"
    Path("other.toml").write_text("[tool.else]\n")
    for name, trouble in {
        "none.toml": "does not exist; mend it, or run with --isolated",
        "shared": "is a directory where a file was expected; mend it, or run with --isolated",
        "other.toml": "has no table [tool.kl_lint]; add one, or leave --config out",
    }.items():
        assert command("check", "--config", name) == (2, "", f"kl-lint: {name}: {trouble}\n")
        assert command("config", "--config", name) == (2, "", f"kl-lint: {name}: {trouble}\n")
        assert command("inspect", "--config", name) == (2, "", f"kl-lint: {name}: {trouble}\n")


def test_a_wrong_file_is_told_before_anything_is_done(command: Command) -> None:
    plant(**{"a": LEGACY, "deep/b": LEGACY, "deep/c": LEGACY})
    configure("slect = []", "deep")
    status, out, err = command("check", "--fix")
    assert (status, out) == (2, "")
    assert err == "kl-lint: deep/pyproject.toml: [tool.kl_lint] has no option 'slect'; did you mean 'select'?\n"
    assert Path("a.py").read_text() == LEGACY


def test_standard_input_has_the_options_of_its_name(command: Command) -> None:
    configure('select = ["KLD2"]', "deep")
    done = run("check", "-", "--output-format=concise", "--stdin-filename=deep/a.py", stdin=TWICE.encode(), cwd=Path())
    assert [line.split(b" ")[1] for line in done.stdout.splitlines()] == [b"KLD201"]
    done = run("check", "-", "--output-format=concise", stdin=TWICE.encode(), cwd=Path())
    assert len(done.stdout.splitlines()) == 2


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && "{sys.executable}" -m kl_lint check a.py'
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2
    assert done.stderr == b"kl-lint: the working directory is gone; change to one that is there\n"


def test_a_configuration_needs_a_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    with pytest.raises(WrongConfiguration, match="the working directory is gone; change to one that is there"):
        Configuration(isolated=True)


def test_each_directory_is_looked_up_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    configure('select = ["KLD1"]')
    plant(**{"deep/er/a": "", "deep/er/b": "", "deep/c": ""})
    read: list[str] = []

    def reading(path: str) -> dict[str, object] | None:
        read.append(os.path.relpath(path))
        return {}

    monkeypatch.setattr("kl_lint.configuration.lookup.read_options", reading)
    configuration = Configuration()
    found = {
        configuration.of(path) for path in ("deep/er/a.py", "deep/er/b.py", "deep/c.py", os.path.abspath("deep/c"))
    }
    assert len(found) == 1
    assert read == ["pyproject.toml"]
    assert configuration.here in found


# --- what the options do ---


@pytest.mark.parametrize(
    ("text", "source", "codes"),
    [
        ("", TWICE, ["KLD201", "KLD101"]),
        ('select = ["KLD1"]', TWICE, ["KLD101"]),
        ('ignore = ["KLD1"]', TWICE, ["KLD201"]),
        ('enable = ["KLD5"]', OFF_BY_DEFAULT, ["KLD504"]),
        ('select = ["KLD504"]', OFF_BY_DEFAULT, ["KLD504"]),
        ('per-file-ignores = { "a.py" = ["KLD1"] }', TWICE, ["KLD201"]),
        ('per-file-ignores = { "src" = ["KLD1"] }', TWICE, ["KLD201"]),
        ('per-file-ignores = { "src/*" = ["KLD1"], "*.py" = ["KLD2"] }', TWICE, []),
        ('per-file-ignores = { "b.py" = ["KLD1"], "a" = ["KLD1"], "*/b/*" = ["KLD1"] }', TWICE, ["KLD201", "KLD101"]),
        ('select = ["KLD101"]\nper-file-ignores = { "a.py" = ["KLD1"] }', TWICE, ["KLD101"]),
        ('exclude = ["src"]', TWICE, []),
        ('extend-exclude = ["src/a.py"]', TWICE, []),
        ('extend-exclude = ["a"]', TWICE, ["KLD201", "KLD101"]),
    ],
)
def test_what_is_found(command: Command, text: str, source: str, codes: list[str]) -> None:
    plant(**{"src/a": source})
    configure(text)
    assert command.codes() == codes


def test_output_format(command: Command) -> None:
    plant(a=MISUSE)
    configure('output-format = "concise"')
    assert len(command("check")[1].splitlines()) == 1
    assert command("check", "--output-format=json")[1].startswith("[")
    assert command("inspect")[1].startswith("a.py:5:12: "), "that is another kind of format"


def test_what_is_fixed(command: Command) -> None:
    configure('unsafe-fixes = true\nunfixable = ["KLD1"]')
    plant(a=MISUSE, b=LEGACY)
    command("check", "--fix")
    assert [Path(name).read_text() for name in ("a.py", "b.py")] == [MISUSE, LEGACY_MENDED]
    plant(b=LEGACY)
    command("check", "--fix", "--unfixable=KLD2", "--no-unsafe-fixes")
    assert [Path(name).read_text() for name in ("a.py", "b.py")] == [MISUSE, LEGACY]
    command("check", "--fix", "--unfixable=KLD2")
    assert [Path(name).read_text() for name in ("a.py", "b.py")] == [MENDED, LEGACY]
    plant(a=MISUSE)
    configure('unsafe-fixes = true\nfixable = ["KLD2"]')
    command("check", "--fix")
    assert [Path(name).read_text() for name in ("a.py", "b.py")] == [MISUSE, LEGACY_MENDED]


def test_returns_are_believed(command: Command) -> None:
    plant(a=DECLARED)
    assert command.codes() == []
    configure('returns = { "models.policy" = { space = "probs", dim = 1 } }')
    assert command.codes() == ["KLD101"]
    assert json.loads(command("inspect", "--output-format=json")[1])[0]["input"]["space"] == "probs"
    assert command.codes("--returns=policy=log_probs") == []
    assert command.codes("--returns=policy=logits") == ["KLD102"]
    command("check", "--fix", "--unsafe-fixes")
    assert command.codes() == [], "fixes believe them too"
    assert Path("a.py").read_text() != DECLARED


def test_returns(command: Command) -> None:
    configure(
        'returns = { "m.*.policy" = "log_probs", critic = { space = "logits", dim = -1 }, b = { space = "probs" } }'
    )
    settings = Configuration().here
    assert settings.returns == (
        Return("m.*.policy", "log_probs"),
        Return("critic", "logits", -1),
        Return("b", "probs"),
    )
    with pytest.raises(AttributeError):
        settings.returns[0].dim = 1  # type: ignore[misc]
    assert command.config("--returns", "m.f = indices, g=probs:1", "--returns=h=logits:+2")["returns"] == (
        '{ "m.f" = "indices", g = { space = "probs", dim = 1 }, h = { space = "logits", dim = 2 } }  # command line'
    )


def test_the_spaces_are_those_of_the_analysis() -> None:
    assert {*SPACES, "unknown"} == {space.value for space in Space}


def test_patterns_know_where_they_stand(tmp_path: Path) -> None:
    odd = tmp_path / "[a]*"
    settings = Settings(
        Layer("file", str(odd), {"exclude": ("x/y", "name/"), "per-file-ignores": (("d/", ("KLD1",)),)})
    )
    exclusion = settings.exclusion()
    assert exclusion.excludes("y", str(odd / "x" / "y"))
    assert not exclusion.excludes("y", str(tmp_path / "a" / "x" / "y"))
    assert exclusion.excludes("name", str(odd / "name"))
    assert not settings.selection_for(str(odd / "d" / "e" / "f.py")).keeps("KLD101")
    assert settings.selection_for(str(tmp_path / "d" / "f.py")).keeps("KLD101"), "that is above the file"
    root = Settings(Layer("file", os.sep, {"per-file-ignores": (("d", ("KLD1",)),)}))
    assert root.selection_for(str(odd / "f.py")).keeps("KLD101")
    assert not root.selection_for(str(odd / "d" / "f.py")).keeps("KLD101")


# --- what options may be ---


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("slect = []", "[tool.kl_lint] has no option 'slect'; did you mean 'select'?"),
        ("per_file_ignores = {}", "[tool.kl_lint] has no option 'per_file_ignores'; did you mean 'per-file-ignores'?"),
        ("zzz = 1", f"[tool.kl_lint] has no option 'zzz'; there are {', '.join(BY_NAME)}"),
        ('select = "KLD1"', 'select: must be a list of codes, such as ["KLD101", "KLD2"], not "KLD1"'),
        ("ignore = [1]", 'ignore: must be a list of codes, such as ["KLD101", "KLD2"], not [1]'),
        ('ignore = ["KLD1O1"]', "ignore: no rule has a code that begins with 'KLD1O1'; did you mean KLD101?"),
        (
            'enable = ["KLD101"]',
            "enable: no opt-in rule has a code that begins with 'KLD101'; there are KLD208, KLD305, KLD504, KLD601",
        ),
        ("enable = true", 'enable: must be a list of codes, such as ["KLD208"], not true'),
        ("exclude = [[]]", 'exclude: must be a list of patterns, such as ["docs", "tests/data/*.py"], not [[]]'),
        (
            'per-file-ignores = { "a.py" = "KLD1" }',
            'per-file-ignores: must be a table of lists of codes, such as { "tests/*" = ["KLD2"] }, '
            'not { "a.py" = "KLD1" }',
        ),
        ('per-file-ignores = { a = ["KLD9"] }', "per-file-ignores: no rule has a code that begins with 'KLD9'; "),
        ('unsafe-fixes = "yes"', 'unsafe-fixes: must be true or false, not "yes"'),
        ("unsafe-fixes = 1979-05-27", "unsafe-fixes: must be true or false, not 1979-05-27"),
        ('output-format = "jsn"', "output-format: no format is called 'jsn'; did you mean 'json'?"),
        ("output-format = 1.5", 'output-format: must be the name of a format, such as "full", not 1.5'),
        (
            "returns = []",
            'returns: must be a table such as { "a.policy" = "log_probs", "a.*" = { space = "probs", dim = -1 } }, '
            "not []",
        ),
        ('returns = { f = "logprobs" }', "returns: 'f': no space is called 'logprobs'; did you mean 'log_probs'?"),
        ('returns = { f = "x" }', "returns: 'f': no space is called 'x'; there are log_probs, probs, logits, indices"),
        ('returns = { "a b" = "probs" }', "returns: 'a b' is no dotted name: write one such as 'models.policy' or "),
        ('returns = { "a..b" = "probs" }', "returns: 'a..b' is no dotted name: "),
        (
            'returns = { f = { space = "probs", dm = 1 } }',
            "returns: 'f' has no key 'dm'; did you mean 'dim'?",
        ),
        (
            'returns = { f = { space = "probs", dim = true } }',
            'returns: \'f\' must be a space such as "log_probs", or a table such as { space = "probs", dim = -1 }, '
            'not { space = "probs", dim = true }',
        ),
        ("returns = { f = { dim = 1 } }", "returns: 'f' must be a space such as "),
        ("returns = { f = 3 }", "returns: 'f' must be a space such as "),
        ("jobs = 0", 'jobs: must be a number from 1 on, or "auto", not 0'),
        ("jobs = true", 'jobs: must be a number from 1 on, or "auto", not true'),
        ("jobs = 2.0", 'jobs: must be a number from 1 on, or "auto", not 2.0'),
        ('jobs = "2"', 'jobs: must be a number from 1 on, or "auto", not "2"'),
    ],
)
def test_what_cannot_be_followed_is_told(command: Command, text: str, trouble: str) -> None:
    plant(a=MISUSE)
    configure(text)
    status, out, err = command("check")
    assert (status, out) == (2, "")
    assert err.startswith(f"kl-lint: pyproject.toml: {trouble}")
    assert len(err.splitlines()) == 1
    assert command("check", "--isolated")[0] == 1


def test_all_troubles_of_a_file_are_told_at_once(command: Command) -> None:
    configure('slect = []\nignore = 1\nselect = ["KLD1"]\nfixables = []')
    status, _, err = command("config")
    assert status == 2
    assert [line.split(": ")[2].split(" ")[0] for line in err.splitlines()] == [
        "[tool.kl_lint]",
        "ignore",
        "[tool.kl_lint]",
    ]


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"[tool.kl_lint]\nselect = [\n", "is not valid TOML ("),
        (b"[tool.kl_lint]\n# \xff\n", "is not valid TOML ('utf-8' codec can't decode byte 0xff"),
        (b"[tool.kl_lint]\nselect = " + b"[" * 100_000, "is not valid TOML ("),
        (b"[tool.kl-lint]\n", "[tool.kl-lint] is not read; did you mean [tool.kl_lint]?"),
        (b"[tool]\nkl_lint = 1\n", "tool.kl_lint must be a table; write [tool.kl_lint]"),
    ],
)
def test_files_that_cannot_be_read_are_told(command: Command, data: bytes, trouble: str) -> None:
    Path("pyproject.toml").write_bytes(data)
    status, out, err = command("config")
    assert (status, out) == (2, "")
    assert err.startswith(f"kl-lint: pyproject.toml: {trouble}")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "trouble"),
    [
        ("--output-format=jsn", "--output-format: no format is called 'jsn'; did you mean 'json'?"),
        ("--per-file-ignores=KLD1", "--per-file-ignores: 'KLD1' has no colon: write PATTERN:CODES, such as "),
        ("--per-file-ignores=a:KLD9", "--per-file-ignores: no rule has a code that begins with 'KLD9'; "),
        ("--returns=f", "--returns: 'f' has no equals sign: write NAME=SPACE or NAME=SPACE:DIM"),
        ("--returns=f=probs:x", "--returns: the dimension of 'f' must be an integer, such as -1, not 'x'"),
        ("--returns=f=prob", "--returns: 'f': no space is called 'prob'; did you mean 'probs'?"),
        ("--returns=f=prob:1", "--returns: 'f': no space is called 'prob'; did you mean 'probs'?"),
        ("--fixable=X", "--fixable: no rule has a code that begins with 'X'; "),
        ("--jobs=0", '--jobs: must be a number from 1 on, or "auto", not 0'),
        ("--jobs=-1", '--jobs: must be a number from 1 on, or "auto", not -1'),
        ("--jobs=all", '--jobs: must be a number from 1 on, or "auto", not "all"'),
        ("--jobs=1.5", '--jobs: must be a number from 1 on, or "auto", not "1.5"'),
    ],
)
def test_options_of_the_command_line_that_cannot_be_followed(command: Command, option: str, trouble: str) -> None:
    status, out, err = command("check", option)
    assert (status, out) == (2, "")
    assert err.startswith(f"kl-lint: {trouble}")


def test_a_switch_takes_no_value_as_text() -> None:
    with pytest.raises(ValueError, match="takes no value"):
        from_text(BY_NAME["unsafe-fixes"], "yes")


SAME = {
    "select": ("KLD1, KLD201", ["KLD1", "KLD201"]),
    "ignore": ("KLD1,KLD201", ["KLD1", "KLD201"]),
    "enable": ("KLD5 KLD208", ["KLD5", "KLD208"]),
    "per-file-ignores": ("tests/*:KLD1,KLD2 b.py:KLD3", {"tests/*": ["KLD1", "KLD2"], "b.py": ["KLD3"]}),
    "returns": ("m.*.f=probs:-1, g=logits", {"m.*.f": {"space": "probs", "dim": -1}, "g": "logits"}),
    "exclude": ("docs, a b/*.py,", ["docs", "a b/*.py"]),
    "extend-exclude": ("docs", ["docs"]),
    "fixable": ("KLD1", ["KLD1"]),
    "unfixable": ("KLD1", ["KLD1"]),
    "output-format": ("json", "json"),
    "jobs": (" 4", 4),
}


@pytest.mark.parametrize(("name", "text", "value"), [(name, *pair) for name, pair in SAME.items()])
def test_text_and_toml_say_the_same(name: str, text: str, value: object) -> None:
    assert from_text(BY_NAME[name], text) == from_toml(BY_NAME[name], value)


def test_every_option_is_in_the_table_above() -> None:
    assert {*SAME, "unsafe-fixes", "across-files"} == set(BY_NAME)


def test_codes_of_one_pattern_may_be_parted_from_it() -> None:
    assert from_text(BY_NAME["per-file-ignores"], "a: KLD1, KLD2, c:d.py:KLD3") == (
        ("a", ("KLD1", "KLD2")),
        ("c:d.py", ("KLD3",)),
    )


# --- kl-lint config ---


def test_config_shows_values_and_origins(command: Command) -> None:
    configure('select = ["KLD1"]\nignore = ["KLD107"]', "src")
    shown = command.config("src", "--ignore=KLD106", "--unsafe-fixes")
    here = os.path.join(os.getcwd(), "src", "pyproject.toml")
    assert shown["select"] == f'["KLD1"]  # {here}'
    assert shown["ignore"] == '["KLD106"]  # command line'
    assert shown["unsafe-fixes"] == "true  # command line"
    assert shown["output-format"] == '"full"  # default'
    assert list(shown) == list(BY_NAME)
    plant(**{"src/a": ""})
    assert command.config("src/a.py")["select"] == shown["select"]
    assert command.config()["select"] == "[]  # default"
    assert command.config("src", "--isolated")["select"] == "[]  # default"
    assert command.config("--config=src/pyproject.toml")["select"] == '["KLD1"]  # src/pyproject.toml'


def test_config_of_what_is_not_there(command: Command) -> None:
    assert command("config", "none.py") == (
        2, "", "kl-lint: none.py: does not exist; check the spelling, and the directory that kl-lint is run in\n"
    )  # fmt: skip


def test_what_config_shows_can_be_taken_as_a_file(command: Command, tmp_path: Path) -> None:
    options = [
        "--select=KLD1", "--enable=KLD5", '--per-file-ignores=a"b/*.py:KLD1', "--returns=a.*=probs:-1,b=logits",
        "--extend-exclude=é,\x7f\t,\\", "--unsafe-fixes", "--output-format=json",
    ]  # fmt: skip
    _, first, _ = command("config", *options)
    Path("deep").mkdir()
    Path("deep/pyproject.toml").write_text(first, encoding="utf-8")
    _, second, _ = command("config", "deep")
    assert tomllib.loads(first) == tomllib.loads(second)
    assert "# command line" not in second


CODE = st.sampled_from([*CODES, "KLD", "KLD1"])
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.CODES: st.lists(CODE),
    Kind.OPT_IN_CODES: st.lists(st.sampled_from(OPT_IN)),
    Kind.CODES_BY_FILE: st.dictionaries(st.text(), st.lists(CODE)),
    Kind.PATTERNS: st.lists(st.text()),
    Kind.SPACES_BY_NAME: st.dictionaries(
        st.from_regex(r"[\w*]+(\.[\w*]+)*", fullmatch=True),
        st.sampled_from(SPACES) | st.fixed_dictionaries({"space": st.sampled_from(SPACES), "dim": st.integers(-9, 9)}),
    ),
    Kind.SWITCH: st.booleans(),
    Kind.FORMAT: st.sampled_from(list(REPORTS)),
    Kind.NUMBER: st.just("auto") | st.integers(1, 10**9),
}


@hypothesis_settings(deadline=None)
@given(st.sampled_from(OPTIONS).flatmap(lambda option: st.tuples(st.just(option), VALUES[option.kind])))
def test_what_is_written_as_toml_reads_as_the_same(pair: tuple[Option, Any]) -> None:
    option, value = pair
    read = tomllib.loads(f"x = {to_toml(option, from_toml(option, value))}\n")["x"]
    assert read == value


# --- flake8 ---


def test_the_options_of_flake8_have_the_same_names() -> None:
    for option in OPTIONS:
        assert option.flake8 in (None, f"--{option.name}", f"--kld-{option.name}")
        assert option.of_plugin == (option.flake8 == f"--kld-{option.name}")
    assert [option.name for option in OPTIONS if option.flake8 is None] == [
        "across-files", "fixable", "unfixable", "unsafe-fixes", "output-format",
    ]  # fmt: skip


# --- what is loaded ---


def loaded(directory: Path) -> set[str]:
    """The modules that checking `directory` loads."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules); from kl_lint.cli import main; "
        "assert main(['check']) == 0; print(*(set(sys.modules) - before))"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # coverage loads tomllib
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(ROOT)],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
        env=plain,
    )
    return set(done.stdout.split())


def test_little_is_loaded_for_options(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n")
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\ndependencies = ['kl-lint']\n")
    toml = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    assert toml not in loaded(tmp_path)
    path.write_text('[tool.kl_lint]\nselect = ["KLD1"]\nenable = ["KLD504"]\nper-file-ignores = { "a" = ["KLD2"] }\n')
    modules = loaded(tmp_path)
    assert toml in modules
    assert not modules & {"kl_lint.rules", "kl_lint.flow", "kl_lint.finding", "libcst", "dataclasses"}
