"""Runs in several processes: they say and do what one process does, and outlive what happens to the others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kl_lint.commands.outcomes import heaviest_first
from tests.command import CORRECT, LEGACY, MISUSE, OFF_BY_DEFAULT, ROOT, TWICE

if sys.platform == "win32":
    pytest.skip("nothing is forked there", allow_module_level=True)

SCRIPT = """\
import os, signal, sys, time
from kl_lint import batch, cli
from kl_lint.commands import outcomes

outcomes.CHUNK = outcomes.MANY = outcomes.WORTH = 1
main, forks, fork = os.getpid(), [], os.fork
def counted():
    forks.append(1)
    return fork()
os.fork = counted

def before(module, name, path, happens):
    done = getattr(module, name)
    def replacement(*arguments):
        if path in (arguments[0], getattr(arguments[0], "path", None)) and os.getpid() != main:
            happens()
        return done(*arguments)
    setattr(module, name, replacement)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def wait():
    open(f"{os.getpid()}.waits", "x").close()
    while not os.path.exists("goes on"):
        time.sleep(0.01)

exec(sys.argv[1])
status = cli.main(sys.argv[2:])
print(len(forks), file=sys.stderr)
sys.exit(status)
"""
"""The command, for which every file is worth a process: what is first among its arguments happens before it."""

PATIENCE = 60.0
"""Seconds after which what has not happened never will."""

HERE = {**os.environ, "PYTHONPATH": str(ROOT)}


def start(directory: Path, happens: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SCRIPT, happens, *arguments]
    return subprocess.Popen(
        command, cwd=directory, env=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def finish(process: subprocess.Popen[bytes]) -> tuple[int, bytes, list[str], int]:
    """The exit code, the output, the messages, and how many processes were started."""
    out, err = process.communicate(timeout=PATIENCE)
    *messages, forks = err.decode().splitlines()
    return process.returncode, out, messages, int(forks)


def run(directory: Path, *arguments: str, happens: str = "") -> tuple[int, bytes, list[str], int]:
    return finish(start(directory, happens, *arguments))


def plant(directory: Path) -> Path:
    """A tree in which there is something of everything."""
    files = {
        "pyproject.toml": "",
        "a/legacy.py": LEGACY,
        "a/misuse.py": MISUSE + "# more\n" * 50,
        "a/plain.py": "import torch\n",
        "b/correct.py": CORRECT,
        "b/incomplete.py": "kl_div(\n",
        "b/loss.py": "import torch.nn.functional as F\ndef divergence(a, b):\n    return F.kl_div(a, b, reduction='sum')\n",
        "b/off.py": OFF_BY_DEFAULT,
        "b/train.py": (
            "import torch.nn.functional as F\nfrom loss import divergence\n"
            "def step(s, t):\n    return divergence(F.softmax(s, -1), F.softmax(t, -1))\n"
        ),
        "c/twice.py": TWICE,
        "c/silent.py": MISUSE.replace('mean")', 'mean")  # noqa'),
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(ROOT / "README.md", directory / "c" / "broken.ipynb")
    os.mkfifo(directory / "c" / "pipe.py")
    return directory


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


# --- the same, by however many ---


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--output-format=json", "--enable=KLD504"),
        ("check", "--output-format=sarif"),
        ("check", "--diff", "--unsafe-fixes"),
        ("check", "--fix", "--unsafe-fixes"),
        ("check", "--add-noqa"),
        ("inspect",),
    ],
    ids=" ".join,
)
def test_any_number_of_processes_does_the_same(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    told, left, forks = {}, {}, {}
    for jobs in (1, 2, 16):
        tree = plant(tmp_path / "tree")
        *told[jobs], forks[jobs] = run(tree, *arguments, f"--jobs={jobs}", ".", "none.py")
        left[jobs] = contents(tree)
        shutil.rmtree(tree)
    assert told[1][0] == 2
    assert told[1][1] or "--fix" in arguments or "--add-noqa" in arguments
    assert told[1] == told[2] == told[16]
    assert left[1] == left[2] == left[16]
    assert forks[1] == 0
    assert forks[2] == 4, "two to search and two to analyse"
    assert forks[16] > 16


def test_what_is_fixed_is_what_the_diff_shows(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    _, diff, _, _ = run(tree, "check", "--diff", "--unsafe-fixes", "--jobs=2")
    shutil.copytree(tree, tmp_path / "patched", ignore=shutil.ignore_patterns("pipe.py"))
    subprocess.run(["git", "apply", "-p0"], cwd=tmp_path / "patched", input=diff, check=True)
    patched = contents(tmp_path / "patched")
    shutil.rmtree(tmp_path / "patched")
    assert run(tree, "check", "--fix", "--unsafe-fixes", "--jobs=2")[0] == 2
    assert contents(tree) == patched


# --- how many ---


def test_a_small_run_is_one_process(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"misuse{number}.py").write_text(MISUSE)
    usual = "outcomes.CHUNK, outcomes.MANY, outcomes.WORTH = 250, 1000, 30_000"
    status, _, _, forks = run(tmp_path, "check", "--jobs=8", happens=usual)
    assert (status, forks) == (1, 0)
    (tmp_path / "long.py").write_text(MISUSE + "# more\n" * 30_000)
    assert run(tmp_path, "check", "--jobs=8", happens=usual)[3] == 0, "what is left beside it is little"
    (tmp_path / "longer.py").write_text(MISUSE + "# more\n" * 50_000)
    assert run(tmp_path, "check", "--jobs=16", happens=usual)[3] == 8
    assert run(tmp_path, "check", "--jobs=2", happens=usual)[3] == 2
    (tmp_path / "pyproject.toml").write_text("[tool.kl_lint]\njobs = 1\n")
    assert run(tmp_path, "check", happens=usual)[3] == 0


def test_auto_is_the_number_of_processors(tmp_path: Path) -> None:
    plant(tmp_path)
    for processors, expected in ((1, 0), (3, 6)):
        happens = f"outcomes.processors = lambda: {processors}"
        assert run(tmp_path, "check", happens=happens)[3] == expected
        assert run(tmp_path, "check", "--jobs=auto", happens=happens)[3] == expected


# --- what happens to processes ---


def test_where_none_can_be_forked_this_one_does_it_all(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    expected = run(tree, "check", "--jobs=1", ".")
    refused = "def refused():\n    raise OSError(11, 'Resource temporarily unavailable')\nos.fork = refused"
    assert run(tree, "check", "--jobs=4", ".", happens=refused) == expected
    assert run(tree, "check", "--jobs=4", ".", happens="del os.fork") == expected
    threads = "import threading; threading.Thread(target=time.sleep, args=[3600], daemon=True).start()"
    assert run(tree, "check", "--jobs=4", ".", happens=threads) == expected
    second = "def refused():\n    if forks: raise OSError(11, 'none')\n    return counted()\nos.fork = refused"
    assert run(tree, "check", "--jobs=4", ".", happens=second)[:3] == expected[:3]


def test_a_process_that_dies_costs_the_file_that_it_was_at(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    layout = "--output-format=concise"
    _, out, messages, _ = run(tree, "check", "--jobs=1", layout)
    died = "before(batch, 'check_bytes', 'a/misuse.py', die)"
    status, left, more, forks = run(tree, "check", "--jobs=2", layout, happens=died)
    assert (status, forks) == (2, 5)
    assert left.splitlines() == [line for line in out.splitlines() if not line.startswith((b"a/misuse.py", b"6 findings"))]
    assert sorted({*more} - {*messages}) == [
        "kl-lint: a/misuse.py: could not be checked, since the process that was at it was ended by signal 9; "
        "run again, with --jobs=1 where memory is short"
    ]
    assert {*messages} <= {*more}


def test_a_process_that_gives_up_is_told_by_its_exit_code(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    for happens in ("lambda: sys.exit(3)", "lambda: exec('raise KeyboardInterrupt')", "lambda: os._exit(1)"):
        status, out, messages, _ = run(tree, "check", "--jobs=2", happens=f"before(batch, 'check', 'c/twice.py', {happens})")
        assert status == 2
        assert b"c/twice.py" not in out
        assert b"a/misuse.py:5:21: KLD101" in out
        assert any("c/twice.py" in line and "was ended with exit code 1;" in line for line in messages)


def test_files_that_are_lost_in_the_search_are_checked_all_the_same(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    expected = run(tree, "check", "--jobs=1")
    died = "before(outcomes, 'weigh', 'a/misuse.py', die)"
    *told, forks = run(tree, "check", "--jobs=2", happens=died)
    assert told == list(expected[:3])
    assert forks in (4, 5)  # the other process of the search may have been given all the rest, or not yet


def waiting(directory: Path) -> Iterator[int]:
    """The processes that have got to where they wait."""
    return (int(path.stem) for path in directory.glob("*.waits"))


def sleep_until(is_so: object) -> None:
    assert callable(is_so)
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


WAITS = "before(batch, 'check_bytes', 'a/misuse.py', wait); before(batch, 'check_bytes', 'c/twice.py', wait)"


def test_an_interruption_ends_all(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    process = start(tree, WAITS, "check", "--jobs=2")
    sleep_until(lambda: len([*waiting(tree)]) == 2)
    os.killpg(process.pid, signal.SIGINT)
    status, out, messages, _ = finish(process)
    assert (status, out, messages) == (130, b"", [])
    assert not any(is_alive(each) for each in waiting(tree))


def test_one_that_is_killed_from_outside_is_replaced(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    process = start(tree, WAITS, "check", "--jobs=2", "--output-format=concise")
    sleep_until(lambda: len([*waiting(tree)]) == 2)
    os.kill(next(waiting(tree)), signal.SIGKILL)
    (tree / "goes on").touch()
    status, out, messages, forks = finish(process)
    assert (status, forks) == (2, 5)
    lost = [line for line in messages if "ended by signal 9" in line]
    assert len(lost) == 1
    told = {"a/misuse.py", "c/twice.py"}
    assert {name for name in told if name.encode() in out} == told - {lost[0].split(": ")[1]}
    assert b"a/legacy.py" in out


def test_the_others_end_when_who_started_them_is_gone(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    process = start(tree, WAITS, "check", "--jobs=2")
    sleep_until(lambda: len([*waiting(tree)]) == 2)
    process.kill()
    (tree / "goes on").touch()
    process.communicate(timeout=PATIENCE)  # to the end of its output, which the others hold open
    assert process.returncode == -signal.SIGKILL


# --- what has something in common ---


TWO_KINDS = """
import os, sys, time
from pathlib import Path

from kl_lint.workers import spread

def job(task):
    begun = [Path(sys.argv[1], kind) for kind in "ab"]
    Path(sys.argv[1], task[0]).touch()
    until = time.monotonic() + float(sys.argv[2])
    while not all(one.exists() for one in begun) and time.monotonic() < until:
        time.sleep(0.01)
    return os.getpid()

done = dict(spread(job, [("a", 1), ("a", 2), ("a", 3), ("b", 1)], 2, lambda task: task[0]))
print(len(done), done["a", 1] != done["b", 1], all(isinstance(pid, int) for pid in done.values()))
"""
"""Each job ends once tasks of both kinds have begun, which they do only if two processes are at different ones."""


def test_what_is_kin_is_left_to_one_process_while_there_is_something_else(tmp_path: Path) -> None:
    """In a process of its own: one that has several threads is not forked."""
    command = [sys.executable, "-c", TWO_KINDS, str(tmp_path), str(PATIENCE / 8)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert ran.stdout == "4 True True\n"


def test_the_heaviest_project_comes_first_and_in_it_the_heaviest_file() -> None:
    weights = {0: 5, 1: 1, 2: 4, 3: 3}
    assert heaviest_first(weights, {0: "a", 1: "b", 2: "b", 3: "b"}) == [2, 3, 1, 0]
    assert heaviest_first(weights, dict.fromkeys(weights, "")) == [0, 2, 3, 1]
