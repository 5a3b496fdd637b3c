"""`kl-lint check` with `--fix`, `--diff` and what goes with them, on real files."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kl_lint.changes import Change
from kl_lint.rewriting import FixResult
from kl_lint.sources.decoding import Text
from kl_lint.sources.problem import Problem
from tests.command import CORRECT, LEGACY, LEGACY_MENDED, MENDED, MISUSE, ROOT, TWICE, Command, plant, run

UNSAFE_HINT = (
    "1 can be fixed with --fix --unsafe-fixes, which changes the number that is computed: "
    "see it first with --diff --unsafe-fixes\n"
)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty directory."""
    return Command(tmp_path, monkeypatch, capsys)


def text(name: str) -> str:
    """What the file holds, newlines as they are."""
    return Path(name).read_bytes().decode()


# --- which fixes are made, and what is told ---


def test_safe_fixes_are_made_and_the_rest_is_reported(command: Command) -> None:
    plant(a=LEGACY, b=MISUSE, c=CORRECT)
    status, out, err = command("check", "--fix")
    assert (text("a.py"), text("b.py"), text("c.py")) == (LEGACY_MENDED, MISUSE, CORRECT)
    assert status == 1
    assert out.startswith("b.py:5:21: KLD101 ")
    assert out.endswith("\n1 finding in 1 of 3 files\n" + UNSAFE_HINT)
    assert err == "Found 2 findings (1 fixed, 1 remaining)\n"
    status, out, err = command("check", "--fix", "b.py", "--output-format=concise")
    assert (status, err) == (1, "Found 1 finding (0 fixed, 1 remaining)\n")
    assert len(out.splitlines()) == 1


def test_unsafe_fixes_are_made_where_they_are_asked_for(command: Command) -> None:
    plant(a=LEGACY, b=MISUSE)
    assert command("check", "--unsafe-fixes")[0] == 1
    assert text("b.py") == MISUSE, "they are not asked for by --unsafe-fixes alone"
    assert command("check", "--fix", "--unsafe-fixes") == (0, "", "Found 2 findings (2 fixed, 0 remaining)\n")
    assert (text("a.py"), text("b.py")) == (LEGACY_MENDED, MENDED)
    assert command("check", "--fix", "--unsafe-fixes") == (0, "", ""), "there is nothing left to say"


def test_fix_only(command: Command) -> None:
    plant(a=LEGACY, b=MISUSE)
    assert command("check", "--fix-only") == (0, "", "Fixed 1 finding\n")
    assert (text("a.py"), text("b.py")) == (LEGACY_MENDED, MISUSE)
    assert command("check", "--fix-only") == (0, "", "")


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        (("--fix",), 1, 1),
        (("--fix", "--unsafe-fixes"), 0, 0),
        (("--fix", "--unsafe-fixes", "--exit-non-zero-on-fix"), 1, 0),
        (("--fix", "--unsafe-fixes", "--exit-non-zero-on-fix", "--exit-zero"), 0, 0),
        (("--fix", "--exit-zero"), 0, 0),
        (("--fix-only",), 0, 0),
        (("--fix-only", "--exit-non-zero-on-fix"), 1, 0),
        (("--diff",), 1, 1),
        (("--diff", "--exit-zero"), 0, 0),
        (("--diff", "--select=KLD3"), 0, 0),
    ],
)
def test_exit_codes(command: Command, options: tuple[str, ...], first: int, second: int) -> None:
    plant(a=LEGACY, b=MISUSE)
    assert command("check", *options)[0] == first
    assert command("check", *options)[0] == second
    assert command("check", "none.py", *options)[0] == 2


@pytest.mark.parametrize(
    ("options", "mended"),
    [
        (("--select=KLD101",), MENDED.replace(', reduction="batchmean"', "")),
        (("--ignore=KLD1",), TWICE.replace(", q)\n", ', q, reduction="batchmean")\n')),
        (("--fixable=KLD101",), MENDED.replace(', reduction="batchmean"', "")),
        (("--unfixable=KLD101",), TWICE.replace(", q)\n", ', q, reduction="batchmean")\n')),
        (("--fixable=KLD1,KLD2", "--unfixable=KLD201"), MENDED.replace(', reduction="batchmean"', "")),
        (("--per-file-ignores=a.py:KLD",), TWICE),
    ],
)
def test_only_what_is_wanted_is_fixed(command: Command, options: tuple[str, ...], mended: str) -> None:
    plant(a=TWICE)
    command("check", "--fix", "--unsafe-fixes", *options)
    assert text("a.py") == mended


@pytest.mark.parametrize("comment", ["  # noqa", "  # noqa: KLD204", "  # noqa: KLD2,E501"])
def test_a_silenced_line_is_never_rewritten(command: Command, comment: str) -> None:
    source = LEGACY.replace("False)", f"False){comment}")
    plant(a=source)
    assert command("check", "--fix", "--unsafe-fixes") == (0, "", "")
    assert command("check", "--diff") == (0, "", "")
    assert text("a.py") == source


def test_a_fix_that_cannot_be_made_is_told_with_the_reason(command: Command) -> None:
    inner = "torch.log(  # of the student\n        F.softmax(x, dim=1))"
    source = "import torch\n" + CORRECT.replace("F.log_softmax(x, dim=1)", inner)
    plant(a=source)
    for options in (("--fix",), ("--fix-only",), ("--diff",)):
        status, _, err = command("check", *options)
        reason = err.splitlines()[0]
        assert reason == "kl-lint: a.py:6: KLD105 was not fixed: a comment would be lost"
        assert status == (1 if options == ("--fix",) else 0)
    assert text("a.py") == source


def test_what_cannot_be_parsed_is_told_and_the_rest_is_fixed(command: Command) -> None:
    plant(a=LEGACY, broken="kl_div(\n", z=LEGACY)
    status, out, err = command("check", "--fix")
    assert (status, out) == (2, "")
    assert err.startswith("kl-lint: broken.py:1: is not valid Python")
    assert (text("a.py"), text("broken.py"), text("z.py")) == (LEGACY_MENDED, "kl_div(\n", LEGACY_MENDED)


def test_statistics_count_what_is_left(command: Command) -> None:
    plant(a=LEGACY, b=MISUSE)
    assert command("check", "--fix", "--statistics")[1] == "1  KLD101  probabilities-as-input\n"


def test_one_run_does_all_there_is_to_do(command: Command) -> None:
    twofold = "torch.log(F.softmax(F.softmax(x, dim=1), dim=1))"
    plant(a="import torch\n" + TWICE.replace("F.softmax(x, dim=1)", twofold))
    assert command("check", "--fix", "--unsafe-fixes")[0] == 0
    once = text("a.py")
    assert once == "import torch\n" + MENDED
    assert command("check", "--fix", "--unsafe-fixes") == (0, "", "")
    assert text("a.py") == once


# --- bytes ---


def variants() -> dict[str, tuple[bytes, bytes]]:
    """A file before and after `--fix`, by what is special about it."""

    def both(change: Callable[[str], bytes]) -> tuple[bytes, bytes]:
        before, after = (change(each.replace("def loss", "# é\ndef loss")) for each in (LEGACY, LEGACY_MENDED))
        return before, after

    def replaced(old: str, new: str) -> tuple[bytes, bytes]:
        return both(lambda each: each.replace(old, new).encode())

    return {
        "plain": both(str.encode),
        "crlf": replaced("\n", "\r\n"),
        "cr": replaced("\n", "\r"),
        "mixed newlines": replaced("\n\n", "\r\n\n"),
        "mark": both(lambda each: each.encode("utf-8-sig")),
        "mark and crlf": both(lambda each: each.replace("\n", "\r\n").encode("utf-8-sig")),
        "latin-1": both(lambda each: f"# coding: latin-1\n{each}".encode("latin-1")),
        "utf-8, declared": both(lambda each: f"# coding: utf-8\n{each}".encode()),
        "form feed": replaced("# é", "\f\n# é\f"),
        "no newline at the end": both(lambda each: each.rstrip().encode()),
        "white space at the end": replaced("# é", "# é  \t\n \t"),
        "separators that end no line": replaced("# é", "# é\u2028\u0085\v\x1c"),
    }


@pytest.mark.parametrize("name", list(variants()))
def test_bytes_that_are_not_mended_stay(command: Command, name: str) -> None:
    before, after = variants()[name]
    path = Path("a.py")
    path.write_bytes(before)
    assert command("check", "--fix")[0] == 0
    assert path.read_bytes() == after


@pytest.mark.parametrize("name", list(variants()))
def test_standard_input_comes_out_mended(name: str) -> None:
    before, after = variants()[name]
    done = run("check", "--fix", "-", stdin=before)
    assert (done.returncode, done.stdout) == (0, after)
    assert done.stderr == b"Found 1 finding (1 fixed, 0 remaining)\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="git applies the diffs")
@pytest.mark.parametrize("name", list(variants()))
def test_a_diff_can_be_applied(command: Command, name: str) -> None:
    before, after = variants()[name]
    path = Path("src/a file.py")
    path.parent.mkdir()
    path.write_bytes(before)
    done = run("check", "--diff", cwd=Path.cwd())
    assert (done.returncode, done.stderr) == (1, b"Would fix 1 finding\n")
    assert path.read_bytes() == before
    Path("change.diff").write_bytes(done.stdout)
    subprocess.run(["git", "apply", "-p0", "--whitespace=nowarn", "change.diff"], check=True)
    assert path.read_bytes() == after


def test_an_encoding_that_does_not_give_its_bytes_back_is_left_alone(command: Command) -> None:
    # in UTF-7 one text has many spellings
    source = b"# coding: utf-7\n# +AGE-bc\n" + LEGACY.replace("=", "+AD0-").encode()
    Path("a.py").write_bytes(source)
    status, _, err = command("check", "--fix")
    assert status == 2
    assert err == "kl-lint: a.py: cannot be written back as it was in utf-7; save it as UTF-8\n"
    assert Path("a.py").read_bytes() == source


def test_a_text_that_the_encoding_cannot_hold_is_told() -> None:
    with pytest.raises(Problem, match=r"a\.py: cannot be written back as it was in ascii; save it as UTF-8"):
        Change.of("a.py", b"x", Text("x", "ascii"), "é")
    change = Change.of("a.py", b"x", Text("x", "latin-1"), "é")
    assert (change.path, change.before, change.after) == ("a.py", b"x", b"\xe9")


# --- diff ---


def test_a_diff_is_shown_and_nothing_is_changed(command: Command) -> None:
    plant(a=LEGACY, b=MISUSE, c=LEGACY)
    status, out, err = command("check", "--diff", "--fix")
    assert (status, err) == (1, "Would fix 2 findings\n")
    assert (text("a.py"), text("c.py")) == (LEGACY, LEGACY)
    assert out.splitlines()[:2] == ["--- a.py", "+++ a.py"]
    assert [line for line in out.splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")] == [
        "-    return F.kl_div(F.log_softmax(x, dim=1), q, size_average=False)",
        '+    return F.kl_div(F.log_softmax(x, dim=1), q, reduction="sum")',
    ] * 2
    assert command("check", "--diff", "b.py") == (0, "", "")


def test_a_diff_of_standard_input() -> None:
    done = run("check", "--diff", "-", "--stdin-filename=src/a.py", stdin=LEGACY.encode())
    assert done.returncode == 1
    assert done.stdout.startswith(b"--- src/a.py\n+++ src/a.py\n@@ ")
    done = run("check", "--diff", "-", stdin=CORRECT.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_missing_newline_at_the_end_is_part_of_a_diff() -> None:
    done = run("check", "--diff", "-", stdin=LEGACY.rstrip().encode())
    assert done.stdout.count(b"\n\\ No newline at end of file\n") == 2


# --- standard input ---


@pytest.mark.parametrize(
    ("source", "options", "status"),
    [
        (CORRECT, (), 0),
        ("x = 1\n", (), 0),
        ("", (), 0),
        (MISUSE, (), 1),
        (MISUSE, ("--fix-only",), 0),
        ("kl_div(\n", (), 2),
        (LEGACY, ("--stdin-filename=build/a.py", "--force-exclude"), 0),
        (LEGACY, ("--select=KLD1",), 0),
    ],
)
def test_standard_input_that_stays_as_it_is_comes_out_again(
    tmp_path: Path, source: str, options: tuple[str, ...], status: int
) -> None:
    done = run("check", "--fix", "-", *options, stdin=source.encode(), cwd=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (status, source)


def test_bytes_that_are_no_text_come_out_again() -> None:
    done = run("check", "--fix", "-", stdin=b"\n\n# kl_div \xff\n")
    assert (done.returncode, done.stdout) == (2, b"\n\n# kl_div \xff\n")
    assert b"is not valid utf-8" in done.stderr


def test_what_is_left_of_standard_input_is_told_elsewhere() -> None:
    other = MISUSE.replace("def loss", "def other")
    done = run("check", "--fix", "-", "--output-format=concise", stdin=(LEGACY + other).encode())
    assert done.stdout.decode() == LEGACY_MENDED + other
    report, summary = done.stderr.decode().splitlines()
    assert report.startswith("<stdin>:10:21: KLD101 ")
    assert summary == "Found 2 findings (1 fixed, 1 remaining)"


# --- files ---


def test_mode_and_symbolic_link_are_kept(command: Command) -> None:
    plant(**{"real/a": LEGACY})
    Path("real/a.py").chmod(0o750)
    Path("link.py").symlink_to("real/a.py")
    assert command("check", "--fix", "link.py")[0] == 0
    assert Path("link.py").is_symlink()
    assert text("real/a.py") == LEGACY_MENDED
    assert stat.S_IMODE(Path("real/a.py").stat().st_mode) == 0o750
    assert os.listdir("real") == ["a.py"], "no temporary file is left"


def test_a_file_that_changes_meanwhile_is_left_as_it_is(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import kl_lint.rewriting as rewriting

    fix_source = rewriting.fix_source

    def slowly(source: str, filename: str, **options: object) -> FixResult:
        Path(filename).write_text("another = text\n")
        return fix_source(source, filename, **options)  # type: ignore[arg-type]

    plant(a=LEGACY)
    monkeypatch.setattr(rewriting, "fix_source", slowly)
    assert command("check", "--fix") == (
        2, "", "kl-lint: a.py: has changed since it was read, and is left as it is; run again\n"
    )  # fmt: skip
    assert text("a.py") == "another = text\n"


def test_a_file_that_cannot_be_written_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, data: bytes, expected: bytes) -> None:
        raise OSError(28, "No space left on device")

    plant(a=LEGACY, b=LEGACY)
    monkeypatch.setattr("kl_lint.rewriting.writing.replace_file", full)
    status, out, err = command("check", "--fix")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        f"kl-lint: {name}.py: cannot be written (No space left on device), and is left as it is; "
        "change the permissions of the file and its directory, or make room"
        for name in "ab"
    ]


def test_an_interruption_leaves_whole_files(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from kl_lint.rewriting.writing import replace_file

    def interrupted(path: str, data: bytes, expected: bytes) -> None:
        if path == "b.py":
            raise KeyboardInterrupt
        replace_file(path, data, expected)

    plant(a=LEGACY, b=LEGACY, c=LEGACY)
    monkeypatch.setattr("kl_lint.rewriting.writing.replace_file", interrupted)
    assert command("check", "--fix") == (130, "", "")
    assert [text(name) for name in ("a.py", "b.py", "c.py")] == [LEGACY_MENDED, LEGACY, LEGACY]
    assert sorted(os.listdir()) == ["a.py", "b.py", "c.py"]


# --- our own mistakes ---


def test_a_mistake_of_the_rewriting_costs_the_fix_not_the_report(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> object:
        raise KeyError("odd")

    plant(a=LEGACY, b=CORRECT)
    monkeypatch.setattr("kl_lint.rewriting.fix_source", failing)
    status, out, err = command("check", "--fix", "--output-format=concise")
    assert status == 2
    assert out.startswith("a.py:5:")
    mistake = "could not be fixed (KeyError: 'odd'); this is a mistake of kl-lint's own, please report it"
    assert err.splitlines() == [
        f"kl-lint: a.py: {mistake}", f"kl-lint: b.py: {mistake}", "Found 1 finding (0 fixed, 1 remaining)"
    ]  # fmt: skip
    assert text("a.py") == LEGACY


def test_an_internal_error_is_told_even_where_nothing_is_reported(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> object:
        raise KeyError("odd")

    plant(a=LEGACY)
    monkeypatch.setattr("kl_lint.flow.analyse", failing)
    for options in (("--fix-only",), ("--diff",), ("--add-noqa",)):
        status, out, err = command("check", *options)
        assert (status, out) == (2, "")
        assert err.startswith("kl-lint: a.py:5: internal error at ")
        assert len(err.splitlines()) == 1
    assert text("a.py") == LEGACY


def test_libcst_is_loaded_only_to_rewrite(tmp_path: Path) -> None:
    script = (
        "import sys; from kl_lint.cli import main; main(['check', '--fix', sys.argv[1]]); "
        "print('libcst' in sys.modules)"
    )
    for source, is_loaded in ((MISUSE, False), (LEGACY, True)):
        (tmp_path / "a.py").write_text(source)
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == str(is_loaded)
