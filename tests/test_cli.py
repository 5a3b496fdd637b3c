"""The command, run as its users run it: in a process of its own, on files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import kl_lint
from kl_lint.cli import main
from kl_lint.lines import split_lines
from kl_lint.rules import CODES, RULES
from kl_lint.selection import CODES as SPELLED_OUT, OPT_IN, Selection, split_codes, unknown_code
from tests.command import CORRECT, LEGACY, MISUSE, OFF_BY_DEFAULT, ROOT, TWICE, Command, plant, run


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty directory."""
    return Command(tmp_path, monkeypatch, capsys)


# --- what is found ---


def test_misuse_is_found(command: Command) -> None:
    plant(a=MISUSE, b=CORRECT)
    status, out, err = command("check")
    assert (status, err) == (1, "")
    assert out.startswith("a.py:5:21: KLD101 ")
    assert '5 |     return F.kl_div(F.softmax(x, dim=1), q, reduction="batchmean")\n' in out
    assert "  |                     ^^^^^^^^^^^^^^^^^^^\n" in out
    assert "\n1 finding in 1 of 2 files\n" in out


def test_nothing_is_said_of_what_is_right(command: Command) -> None:
    plant(a=CORRECT, b="x = 1\n")
    assert command("check") == (0, "", "")
    assert command("check", "a.py", "--output-format=concise") == (0, "", "")
    assert command("check", "a.py", "--output-format=json") == (0, "[]\n", "")


def test_inspect_takes_exit_zero_as_check_does(command: Command) -> None:
    status, out, _ = command("inspect", "--output-format", "json", "--exit-zero")
    assert status == 0
    assert isinstance(json.loads(out), list)
    assert command("inspect", "--exit-zero", "none.py")[0] == 2


def test_exit_zero_is_about_findings_only(command: Command) -> None:
    plant(a=MISUSE)
    assert command("check", "--exit-zero")[0] == 0
    assert command("check", "--exit-zero", "none.py")[0] == 2


def test_json(command: Command) -> None:
    plant(a=MISUSE)
    (finding,) = json.loads(command("check", "--output-format=json")[1])
    assert finding["filename"] == os.path.abspath("a.py")
    assert (finding["code"], finding["location"]) == ("KLD101", {"row": 5, "column": 21})
    assert finding["end_location"] == {"row": 5, "column": 40}
    assert finding["noqa_row"] == 5


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_edits_of_a_fix_are_told(command: Command, newline: str) -> None:
    Path("a.py").write_bytes(MISUSE.replace("\n", newline).encode())
    (finding,) = json.loads(command("check", "--output-format=json")[1])
    assert finding["fix"]["applicability"] == "unsafe"
    assert finding["fix"]["message"]
    lines = MISUSE.splitlines()
    for edit in reversed(finding["fix"]["edits"]):
        start, end = edit["location"], edit["end_location"]
        assert start["row"] == end["row"]
        line = lines[start["row"] - 1]
        lines[start["row"] - 1] = line[: start["column"] - 1] + edit["content"] + line[end["column"] - 1 :]
    mended = "\n".join([*lines, ""])
    assert mended == MISUSE.replace("F.softmax", "F.log_softmax")
    assert "KLD101" not in {each.code for each in kl_lint.check_source(mended)}


def test_statistics(command: Command) -> None:
    plant(a=MISUSE, b=MISUSE, c=TWICE)
    status, out, _ = command("check", "--statistics")
    assert (status, out) == (1, "3  KLD101  probabilities-as-input\n1  KLD201  default-reduction\n")
    told = json.loads(command("check", "--statistics", "--output-format=json")[1])
    assert told[0] == {"code": "KLD101", "name": "probabilities-as-input", "count": 3}


def test_findings_are_told_file_by_file(command: Command) -> None:
    plant(c=TWICE, a=MISUSE, b=TWICE)
    _, out, _ = command("check", "--output-format=concise", "c.py", ".")
    assert [line.split(" ")[0:2] for line in out.splitlines()] == [
        ["a.py:5:21:", "KLD101"],
        ["b.py:5:12:", "KLD201"],
        ["b.py:5:21:", "KLD101"],
        ["c.py:5:12:", "KLD201"],
        ["c.py:5:21:", "KLD101"],
    ]


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("", ["KLD101", "KLD201"]),
        ("  # noqa", []),
        ("  # noqa: KLD101", ["KLD201"]),
        ("  # noqa: KLD", []),
        ("  # noqa: E501", ["KLD101", "KLD201"]),
    ],
)
def test_noqa(command: Command, comment: str, codes: list[str]) -> None:
    plant(a=TWICE.replace(", q)\n", f", q){comment}\n"))
    assert sorted(command.codes("a.py")) == codes


def test_noqa_counts_on_the_first_row_of_the_call(command: Command) -> None:
    source = MISUSE.replace("F.kl_div(F", "F.kl_div(\n        F")
    plant(
        a=source, b=source.replace("kl_div(\n", "kl_div(  # noqa: KLD101\n"), c=source.replace(", q,", ", q,  # noqa\n")
    )
    _, out, _ = command("check", "--output-format=concise")
    assert [line.split(" ")[0] for line in out.splitlines()] == ["a.py:6:9:", "c.py:6:9:"]


def test_what_can_be_fixed_is_told(command: Command) -> None:
    plant(a=MISUSE, b=LEGACY)
    safe = "[*] 1 can be fixed with --fix\n"
    unsafe = (
        "1 can be fixed with --fix --unsafe-fixes, which changes the number that is computed: "
        "see it first with --diff --unsafe-fixes\n"
    )
    counted = "2 findings in 2 of 2 files\n"
    assert command("check")[1].endswith(counted + safe + unsafe)
    assert command("check", "--unsafe-fixes")[1].endswith(counted + "[*] 2 can be fixed with --fix\n")
    assert command("check", "--unfixable=KLD1")[1].endswith(counted + safe)
    assert command("check", "--fixable=KLD1")[1].endswith(counted + unsafe)
    assert command("check", "--unfixable=KLD1,KLD2")[1].endswith(counted)
    assert "can be fixed" not in command("check", "--output-format=concise")[1]


@pytest.mark.parametrize("layout", ["full", "concise"])
def test_a_mark_stands_where_fix_would_mend(command: Command, layout: str) -> None:
    def marked(*arguments: str) -> list[str]:
        _, out, _ = command("check", f"--output-format={layout}", *arguments)
        return re.findall(r"^(\w+)\.py:\S+ KLD\d+ \[\*\] (?!\[)", out, flags=re.MULTILINE)

    plant(a=MISUSE, b=LEGACY)
    assert marked() == ["b"]
    assert marked("--unsafe-fixes") == ["a", "b"]
    assert marked("--unfixable=KLD2") == []
    Path("b.py").write_text(MISUSE.replace("dim=1)", "dim=1).log(  # why\n    )"))  # a comment would be lost
    assert marked() == ["b"]
    assert marked("--fix") == [], "what is left cannot be fixed"
    _, out, _ = command("check", f"--output-format={layout}", "--color", "b.py")
    assert "\033[1;31mKLD105\033[0m [\033[1m*\033[0m] input to" in out


def test_a_fix_that_is_not_wanted_is_for_show(command: Command) -> None:
    plant(a=LEGACY)
    for options, applicability in (((), "safe"), (("--unfixable=KLD204",), "display")):
        (finding,) = json.loads(command("check", "--output-format=json", *options)[1])
        assert finding["fix"]["applicability"] == applicability


# --- which rules ---


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((), ["KLD101", "KLD201"]),
        (("--select=KLD101",), ["KLD101"]),
        (("--select=KLD1,KLD201",), ["KLD101", "KLD201"]),
        (("--select=KLD1", "--select", "KLD2"), ["KLD101", "KLD201"]),
        (("--select=KLD",), ["KLD101", "KLD201"]),
        (("--select=KLD3",), []),
        (("--ignore=KLD2",), ["KLD101"]),
        (("--ignore=KLD1, KLD2",), []),
        (("--select=KLD1", "--ignore=KLD101"), []),
        (("--select=KLD101", "--ignore=KLD1"), ["KLD101"]),
        (("--select=KLD101", "--ignore=KLD101"), []),
    ],
)
def test_select_and_ignore(command: Command, options: tuple[str, ...], codes: list[str]) -> None:
    plant(a=TWICE)
    assert sorted(command.codes(*options)) == codes


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((), []),
        (("--enable=KLD504",), ["KLD504"]),
        (("--enable=KLD5",), ["KLD504"]),
        (("--enable=KLD208,KLD601",), []),
        (("--select=KLD504",), ["KLD504"]),
        (("--select=KLD5",), []),
        (("--enable=KLD504", "--select=KLD1"), []),
        (("--enable=KLD504", "--ignore=KLD504"), []),
    ],
)
def test_rules_that_are_off_are_switched_on(command: Command, options: tuple[str, ...], codes: list[str]) -> None:
    plant(a=OFF_BY_DEFAULT)
    assert command.codes(*options) == codes


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--select=KLD1O1", "--select: no rule has a code that begins with 'KLD1O1'; did you mean KLD101?"),
        ("--ignore=kld201", "--ignore: no rule has a code that begins with 'kld201'; did you mean KLD201?"),
        (
            "--enable=KLD101",
            "--enable: no opt-in rule has a code that begins with 'KLD101'; there are KLD208, KLD305, KLD504, KLD601",
        ),
    ],
)
def test_codes_that_no_rule_has_are_rejected(command: Command, option: str, message: str) -> None:
    plant(a=MISUSE)
    assert command("check", option) == (2, "", f"kl-lint: {message}\n")


def test_every_wrong_code_is_told(command: Command) -> None:
    status, _, err = command("check", "--select=E501,KLD1", "--ignore=W")
    assert (status, len(err.splitlines())) == (2, 2)


def test_the_codes_are_those_of_the_rules() -> None:
    assert SPELLED_OUT == CODES
    assert tuple(rule.code for rule in RULES if rule.opt_in) == OPT_IN


def test_selection_by_the_longest_match() -> None:
    selection = Selection(select=["KLD1", "KLD201"], ignore=["KLD10", "KLD2"])
    assert [selection.keeps(code) for code in ("KLD101", "KLD110", "KLD201", "KLD202")] == [False, True, True, False]
    assert Selection(select=["KLD1"]).keeps("KLD000"), "an internal error is always told"
    selection = Selection(fixable=["KLD1"], unfixable=["KLD105"])
    assert [selection.mends(code) for code in ("KLD101", "KLD105", "KLD201")] == [True, False, False]
    assert split_codes("KLD1, KLD2  KLD3,,") == ("KLD1", "KLD2", "KLD3")
    assert unknown_code("", CODES) is not None
    assert unknown_code("KLD", CODES) is None


# --- which files ---


def test_excluded_files(command: Command) -> None:
    plant(**{"a": MISUSE, "build/b": MISUSE, "docs/d": MISUSE, "a_test": MISUSE})

    def names(*options: str) -> list[str]:
        _, out, _ = command("check", "--output-format=concise", *options)
        return [line.split(":")[0] for line in out.splitlines()]

    assert names() == ["a.py", "a_test.py", "docs/d.py"]
    assert names("--extend-exclude=docs,*_test.py") == ["a.py"]
    assert names("--exclude=docs") == ["a.py", "a_test.py", "build/b.py"]
    assert names("build/b.py", "docs", "--extend-exclude=docs") == ["build/b.py", "docs/d.py"]
    assert names("build/b.py", "docs", "a.py", "--extend-exclude=docs", "--force-exclude") == ["a.py"]
    assert command("check", "build/b.py", "--force-exclude") == (0, "", ""), "a commit may hold nothing to check"


def test_ignored_files_are_neither_reported_nor_complained_of(command: Command) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path(".gitignore").write_text("ignored*.py\n")
    plant(a=MISUSE, ignored=MISUSE, ignored_too="kl_div(\n")
    status, out, err = command("check", "--output-format=concise")
    assert (status, err) == (1, "")
    assert [line.split(":")[0] for line in out.splitlines()] == ["a.py"]
    assert command("check", "ignored_too.py")[0] == 2


def test_a_directory_without_python_is_told(command: Command) -> None:
    Path("empty").mkdir()
    status, out, err = command("check", "empty")
    assert (status, out) == (0, "")
    assert err == "kl-lint: empty: no Python files; name files, or directories that hold some\n"


# --- what cannot be done ---


def test_what_cannot_be_checked_is_told_and_the_rest_is_checked(command: Command) -> None:
    plant(good=MISUSE, broken="import torch\nkl_div(\n", nul="kl_div = '\0'\n")
    Path("octets.py").write_bytes(b"# KLDivLoss\n\n\n\xff\n")
    status, out, err = command("check", "--output-format=concise", ".", "none.py")
    assert status == 2
    assert [line.split(" ")[:2] for line in out.splitlines()] == [["good.py:5:21:", "KLD101"]]
    broken, nul, octets, none = err.splitlines()
    version = ".".join(map(str, sys.version_info[:2]))
    assert broken.startswith(f"kl-lint: broken.py:2: is not valid Python {version} (")
    assert broken.endswith("; mend it, or run kl-lint with the Python that it is written for")
    assert nul.startswith("kl-lint: nul.py")
    assert "null bytes" in nul
    assert octets == (
        "kl-lint: octets.py:4: is not valid utf-8 (invalid start byte); "
        "save it as UTF-8, or declare its encoding in its first line"
    )
    assert none.startswith("kl-lint: none.py: does not exist; ")


def test_broken_files_without_a_divergence_are_not_our_business(command: Command) -> None:
    plant(a="import torch\nprint(\n")
    Path("b.py").write_bytes(b"\xff")
    assert command("check") == (0, "", "")


@pytest.mark.parametrize(
    ("nesting", "status"),
    [
        ("(" * 100_000, 2),
        ("x = " + "-" * 50_000 + "1", 2),
        ("x" + ".a" * 50_000, 2),
        ("x = " + "1 + " * 50_000 + "1", 2),
        ("if a: pass\n" + "elif a: pass\n" * 20_000, 2),
        ("F.kl_div(" + "a + " * 500 + "1, y)", 1),
        ("F.kl_div(a" + ".a()" * 500 + ", y)", 1),
        ("F.kl_div(" + "-" * 500 + "1, y)", 1),
    ],
)
def test_deep_nesting_is_no_crash(tmp_path: Path, nesting: str, status: int) -> None:
    path = tmp_path / "deep.py"
    path.write_text(f"import torch.nn.functional as F\nF.kl_div\n{nesting}\n")
    done = run("check", str(path), "--output-format=concise")
    assert done.returncode == status
    if status == 2:
        assert done.stdout == b""
        assert done.stderr.startswith(b"kl-lint: ")
        assert b"deep.py" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    else:
        assert b"deep.py:3:1: KLD201 " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("check",), 0),
        (("check", "--fix"), 0),
        (("check", "--diff"), 0),
        (("check", "--add-noqa"), 0),
        (("inspect",), 0),
        (("inspect", "--output-format=json"), 0),
    ],
)
def test_what_is_not_analysed_to_its_end_is_told_and_is_no_failure(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int
) -> None:
    plant(a=MISUSE, b=CORRECT.replace("kl_div", "ctc_loss"))
    monkeypatch.setattr("kl_lint.flow.analysis.BASE_WORK", -1000)
    told = (
        "kl-lint: a.py: is too large or too intricate to be analysed to its end: findings may be missing; "
        "split it, or its longest functions\n"
    )
    assert command(*arguments) == (status, "[]\n" if "--output-format=json" in arguments else "", told)
    _, out, err = command("check", "--output-format=sarif")
    (invocation,) = json.loads(out)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"]
    assert err == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "takes more memory than there is; leave it out with --extend-exclude"),
        (RecursionError("too\nfar"), "could not be checked (RecursionError: too far); this is a mistake of kl-lint's own"),
    ],
)
def test_a_file_that_is_too_much_costs_no_other(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def failing(text: str) -> list[str]:
        if "large" in text:
            raise error
        return split_lines(text)

    plant(a=f"# large\n{MISUSE}", b=MISUSE)
    monkeypatch.setattr("kl_lint.batch.split_lines", failing)
    status, out, err = command("check", "--output-format=concise")
    assert (status, [line.partition(" ")[0] for line in out.splitlines()]) == (2, ["b.py:5:21:"])
    assert err.startswith(f"kl-lint: a.py: {told}")
    assert len(err.splitlines()) == 1


def test_an_internal_error_fails_the_run_but_not_the_other_files(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kl_lint.flow

    analyse = kl_lint.flow.analyse

    def failing(tree: object, lines: Sequence[str], filename: str, **options: bool) -> object:
        if filename == "b.py":
            raise KeyError("odd")
        return analyse(tree, lines, filename, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("kl_lint.flow.analyse", failing)
    plant(a=MISUSE, b=MISUSE, c=MISUSE)
    status, out, err = command("check", "--output-format=concise", "--select=KLD1", "--exit-zero")
    assert (status, err) == (2, "")
    assert [line.split(" ")[:2] for line in out.splitlines()] == [
        ["a.py:5:21:", "KLD101"],
        ["b.py:5:5:", "KLD000"],
        ["c.py:5:21:", "KLD101"],
    ]
    status, out, err = command("inspect", "b.py", "a.py")
    assert status == 2
    assert out.startswith("a.py:5:12: ")
    assert err == (
        "kl-lint: b.py: could not be analysed (KeyError: 'odd'); this is a mistake of kl-lint's own, please report it\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fix",),
        ("check", "--no-such"),
        ("check", "--fi"),
        ("check", "--config=x", "--isolated"),
        ("rule",),
        ("rule", "KLD101", "--all"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: kl-lint")


# --- inspect ---


def test_inspect(command: Command) -> None:
    plant(a=CORRECT, b=MISUSE)
    status, out, err = command("inspect", "a.py")
    assert (status, err) == (0, "")
    assert out.startswith("a.py:5:12: KL(y ‖ x), summed, divided by the batch\n  input:  log-probabilities along dim 1")
    told = json.loads(command("inspect", "--output-format=json")[1])
    assert [(row["filename"], row["location"]["row"], row["input"]["space"]) for row in told] == [
        (os.path.abspath("a.py"), 5, "log_probs"),
        (os.path.abspath("b.py"), 5, "probs"),
    ]
    assert told[0]["target"]["space"] == "probs"
    assert told[0]["kind"] == "functional"
    assert told[1]["computes"] == "not a divergence: the input is probabilities"


def test_inspect_of_nothing(command: Command) -> None:
    plant(a="x = 1\n")
    assert command("inspect") == (0, "", "")
    assert command("inspect", "--output-format=json") == (0, "[]\n", "")
    plant(b="kl_div(\n")
    assert command("inspect")[0] == 2


# --- rule ---


def test_rule(command: Command) -> None:
    status, out, err = command("rule", "KLD101")
    assert (status, err) == (0, "")
    assert out.startswith("KLD101 probabilities-as-input\n")
    assert command("rule", "kld101") == (status, out, err)
    assert json.loads(command("rule", "KLD101", "--output-format=json")[1])["code"] == "KLD101"
    assert command("rule", "KLD101", "--output-format=markdown")[1].startswith("### KLD101\n")


def test_all_rules(command: Command) -> None:
    assert [rule["code"] for rule in json.loads(command("rule", "--all", "--output-format=json")[1])] == list(CODES)
    markdown = command("rule", "--all", "--output-format=markdown")[1]
    assert all(f"\n### {code}\n" in markdown for code in CODES)
    text = command("rule", "--all")[1]
    assert all(f"{rule.code} {rule.name}\n" in text for rule in RULES)
    family = json.loads(command("rule", "KLD4", "--output-format=json")[1])
    assert [rule["code"] for rule in family] == [code for code in CODES if code.startswith("KLD4")]


def test_no_such_rule(command: Command) -> None:
    assert command("rule", "KLD102x") == (
        2,
        "",
        "kl-lint: no rule has a code that begins with 'KLD102X'; did you mean KLD102?\n",
    )


# --- the process ---


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, example in {
        "check": "kl-lint check --diff --unsafe-fixes src",
        "inspect": "kl-lint inspect src/loss.py",
        "rule": "kl-lint rule KLD101",
        "config": "kl-lint config src/loss.py",
        "": "kl-lint check src",
    }.items():
        with pytest.raises(SystemExit) as exit_:
            main([*filter(None, [verb]), "--help"])
        assert exit_.value.code == 0
        text = capsys.readouterr().out
        assert text.rstrip().endswith(f"Example: {example}")
        # an option without help ends its line, and another one follows
        lines = [line for line in text.splitlines() if line.startswith("  ")]
        bare = [
            line for line, after in zip(lines, [*lines[1:], ""], strict=True)
            if line.startswith("  -") and "  " not in line.strip() and not after.startswith("     ")
        ]  # fmt: skip
        assert bare == []


def test_the_examples_of_the_help_run(command: Command) -> None:
    plant(**{"src/loss": MISUSE})
    assert command("check", "--diff", "--unsafe-fixes", "src")[0] == 1
    assert command("inspect", "src/loss.py")[0] == 0
    assert command("rule", "KLD101")[0] == 0
    assert command("config", "src/loss.py")[0] == 0
    assert command("check", "src")[0] == 1


def test_version_and_help() -> None:
    assert run("--version").stdout.decode() == f"kl-lint {kl_lint.__version__}\n"
    done = run("check", "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"--stdin-filename" in done.stdout


def test_standard_input(tmp_path: Path) -> None:
    done = run("check", "-", "--output-format=concise", stdin=MISUSE.encode())
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"<stdin>:5:21: KLD101 ")
    path = str(tmp_path / "loss.py")
    done = run("check", "-", "--stdin-filename", path, "--output-format=json", stdin=MISUSE.encode())
    assert json.loads(done.stdout)[0]["filename"] == path
    done = run("check", "-", stdin=b"x = 1\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = run("check", "-", "--stdin-filename=build/x.py", "--force-exclude", stdin=MISUSE.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = run("check", "-", stdin=b"kl_div(\n")
    assert done.returncode == 2
    assert done.stderr.startswith(b"kl-lint: <stdin>:1: is not valid Python")


def test_all_newlines_and_encodings_give_the_same_positions(tmp_path: Path) -> None:
    source = MISUSE.replace("import", "# coding: latin-1\nimport").replace("    return ", "    é = 'ü'; return ")
    unicode = source.replace("latin-1", "utf-8")
    for name, data in {
        "lf": unicode.encode(),
        "crlf": unicode.replace("\n", "\r\n").encode(),
        "cr": unicode.replace("\n", "\r").encode(),
        "mark": b"\xef\xbb\xbf" + unicode.encode(),
        "latin": source.encode("latin-1"),
    }.items():
        (tmp_path / f"{name}.py").write_bytes(data)
    done = run("check", "--output-format=json", str(tmp_path))
    at = {"row": 6, "column": source.splitlines()[5].index("F.softmax") + 1}
    places = [(Path(each["filename"]).stem, each["location"]) for each in json.loads(done.stdout)]
    assert places == [(name, at) for name in ("cr", "crlf", "latin", "lf", "mark")]


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.py").write_text(MISUSE)
    process = subprocess.Popen(
        [sys.executable, "-m", "kl_lint", "check", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
@pytest.mark.parametrize("options", [(), ("--diff", "--unsafe-fixes"), ("--output-format=json",)])
def test_an_output_that_cannot_be_written_is_told(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "a.py").write_text(MISUSE)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kl_lint", "check", *options, str(tmp_path)],
            stdout=full, stderr=subprocess.PIPE, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.returncode == 2
    troubles = [line for line in done.stderr.splitlines() if line.startswith(b"kl-lint: ")]
    assert troubles == [b"kl-lint: stopped, since the output cannot be written (No space left on device)"]
    assert b"Traceback" not in done.stderr


def test_closed_standard_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(MISUSE)
    command = f'"{sys.executable}" -m kl_lint check "{path}" >&- 2>&-'
    done = subprocess.run(["sh", "-c", command], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    command = f'"{sys.executable}" -m kl_lint check --diff --unsafe-fixes "{path}" none.py >&- 2>&-'
    done = subprocess.run(["sh", "-c", command], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    command = f'"{sys.executable}" -m kl_lint check none.py 2>&-'
    done = subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert (done.returncode, done.stdout) == (2, b""), "what is no output does not go where output goes"
    command = f'"{sys.executable}" -m kl_lint check - <&-'
    done = subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2
    assert b"standard input is closed" in done.stderr


def test_an_interruption_is_no_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    plant(a=MISUSE)
    monkeypatch.setattr("kl_lint.batch.check", interrupted)
    assert command("check") == (130, "", "")


def test_an_output_that_knows_ascii_only(tmp_path: Path) -> None:
    path = tmp_path / "é.py"
    path.write_text(CORRECT)
    done = run("inspect", str(path), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert b"KL(y \\u2016 x)" in done.stdout


def test_file_names_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\x1b[31m.py"
    try:
        Path(os.fsdecode(name)).write_text(MISUSE)
    except OSError:
        pytest.skip("this file system takes only text")
    for layout in ("full", "concise", "json"):
        done = run("check", str(tmp_path), f"--output-format={layout}")
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"\x1b" not in done.stdout


def test_color(command: Command) -> None:
    plant(a=MISUSE)
    assert "\033[" in command("check", "--color")[1]
    assert "\033[" not in command("check")[1], "this is no terminal"
    assert "\033[" not in command("check", "--no-color")[1]
    assert "\033[" in command("inspect", "--color")[1]


HEAVY = {
    "ast", "concurrent", "contextlib", "dataclasses", "flake8", "importlib.metadata", "inspect", "json", "libcst",
    "multiprocessing", "pathlib", "pathspec", "pickle", "rich", "select", "shutil", "subprocess", "tempfile", "tqdm", "tokenize", "tomllib", "typing", "kl_lint.finding", "kl_lint.flow", "kl_lint.rules",
}  # fmt: skip


@pytest.mark.parametrize("verb", ["check", "inspect"])
def test_a_clean_file_loads_nothing_that_it_does_not_need(tmp_path: Path, verb: str) -> None:
    (tmp_path / "clean.py").write_text("import torch\nx = torch.ones(3)\n")
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nwith = 'kl-lint'\n")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules); from kl_lint.cli import main; "
        "status = main(sys.argv[2:]); print(status, *sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(ROOT), verb, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    status, *modules = done.stdout.split()
    assert status == "0"
    assert "kl_lint.sources.files" in modules
    assert HEAVY & set(modules) == set()


def test_importing_the_package_loads_nothing() -> None:
    script = "import sys; before = set(sys.modules); import kl_lint; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(done.stdout.split()) <= {"kl_lint", "__future__"}
