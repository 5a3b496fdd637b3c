"""How long `kl-lint check` takes on a tree of real code, beside the programs that do something like it.

    python tests/benchmarks/peers.py TREE                  # an existing folder of Python files
    python tests/benchmarks/peers.py TREE --fetch          # fill it first, with the packages below, from the package index
    python tests/benchmarks/peers.py TREE --slow           # with what takes minutes as well: flake8, TorchFix

Run by hand, not by pytest, in an environment that kl-lint is installed in; of the others, those are run that are there.
Two programs of this script are the floor: a search for the words, and that with `ast.parse` of the files found. The
table has medians; the last columns are ratios to the second floor, of the time on the clock and of that of the
processors. Programs take turns, so that a busy moment of the machine does not fall on one of them alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = (
    "transformers==5.23.0", "torch==2.13.0", "monai==1.6.1", "timm==1.0.31", "speechbrain==1.1.2", "trl==1.16.0",
    "sentence-transformers==6.2.0", "pyro-ppl==1.9.2", "pytorch-ignite==0.5.5",
)  # fmt: skip

FLOOR = "search + ast.parse"
LOCAL = "kl-lint check --no-across-files"
ACROSS = "kl-lint check"
RUFF = "ruff, one rule"
TORCHFIX = "flake8 with TorchFix"

SEARCH = """\
import ast, gc, os, sys
parses, top = sys.argv[1] == "parse", sys.argv[2]

def files(directory):
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from files(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path

def found(paths):
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        data = os.read(descriptor, os.fstat(descriptor).st_size + 1)
        os.close(descriptor)
        if b"kl_div" in data or b"KLDiv" in data:
            yield data

gc.disable()
every, share = sorted(files(top)), int(sys.argv[3])
for first in range(1, share):
    if not os.fork():
        break
else:
    first = 0
for data in found(every[first::share]):
    if parses:
        try:
            ast.parse(data)
        except SyntaxError:
            pass
if first:
    os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""
"""The floor: what Python cannot do without, by as many processes as there are processors."""

WITHOUT = """\
import importlib.metadata, sys
hidden, find = sys.argv.pop(1).split(","), importlib.metadata.distributions
importlib.metadata.distributions = lambda **given: (each for each in find(**given) if each.metadata["Name"].lower() not in hidden)
from flake8.main.cli import main
sys.exit(main())
"""
"""flake8 as if some of its plugins were not installed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to run: `accepts` are the exit codes of a run that went well."""

    name: str
    command: Sequence[str]
    accepts: Sequence[int] = (0, 1)
    slow: bool = False


@dataclass(slots=True)
class Times:
    """What the runs of one program took: seconds on the clock, seconds of processors, megabytes of the largest process."""

    wall: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def add(self, peer: Peer) -> None:
        """Run it once. Raises SystemExit where it fails."""
        start = time.perf_counter()
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                peer.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                env={**os.environ, "LC_ALL": "C.UTF-8", "SEMGREP_ENABLE_VERSION_CHECK": "0", "SEMGREP_SEND_METRICS": "off"},
            )  # fmt: skip
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in peer.accepts:
                errors.seek(0)
                sys.exit(f"{peer.name} failed with {process.returncode}: {errors.read().decode()[-1000:]}")
        self.wall.append(time.perf_counter() - start)
        self.work.append(used.ru_utime + used.ru_stime)
        self.memory.append(used.ru_maxrss / 1024)


def peers(tree: Path, scratch: Path) -> Iterator[Peer]:
    """The floors, what else is installed, and kl-lint."""
    top, words, processes = str(tree), "kl_div|KLDivLoss", str(len(os.sched_getaffinity(0)))
    bare = (sys.executable, "-I", "-S", "-c", SEARCH)
    if shutil.which("rg"):
        yield Peer("ripgrep", ("rg", "-l", "-uu", "-g", "*.py", words, top))
    yield Peer("grep", ("grep", "-rlE", "--include=*.py", words, top))
    yield Peer("search", (*bare, "search", top, processes))
    yield Peer(FLOOR, (*bare, "parse", top, processes))
    yield Peer(LOCAL, (*program("kl-lint", "kl_lint"), "check", "--isolated", "--no-across-files", top))
    yield Peer(ACROSS, (*program("kl-lint", "kl_lint"), "check", "--isolated", top))
    if importlib.util.find_spec("ruff"):
        yield Peer(RUFF, (*program("ruff", "ruff"), "check", "--no-cache", "--isolated", "--select=NPY002", "-q", top))
    if shutil.which("semgrep"):
        rule = scratch / "rule.yml"
        rule.write_text(
            "rules:\n- {id: kl, languages: [python], severity: INFO, message: kl, "
            "pattern: 'torch.nn.functional.kl_div(...)'}\n"
        )
        options = ("--metrics=off", "--disable-version-check", "--no-git-ignore", "-q", "--config", str(rule))
        yield Peer("semgrep, one rule", ("semgrep", "scan", *options, top), slow=True)
    if importlib.util.find_spec("flake8"):
        yield Peer("flake8", flake8(("torchfix", "kl-lint"), "E999", processes, top), slow=True)
        yield Peer("flake8 with kl-lint", flake8(("torchfix",), "E999,KLD", processes, top), slow=True)
        if importlib.util.find_spec("torchfix"):
            yield Peer(TORCHFIX, flake8(("kl-lint",), "E999,TOR", processes, top), slow=True)


def program(script: str, module: str) -> Sequence[str]:
    """How to start a program of this environment: by its script, or else as a module."""
    path = Path(sys.executable).with_name(script)
    return (str(path),) if path.exists() else (sys.executable, "-m", module)


def flake8(hidden: Sequence[str], select: str, processes: str, *paths: str) -> Sequence[str]:
    """flake8 without the plugins of the packages that are `hidden`."""
    options = ("--isolated", f"--select={select}", f"--jobs={processes}")
    return (sys.executable, "-c", WITHOUT, ",".join(hidden), *options, *paths)


def fetch(tree: Path) -> None:
    """Put the Python files of the packages into `tree`."""
    for package in PACKAGES:
        place = tree / package.partition("=")[0]
        if place.exists():
            continue
        with tempfile.TemporaryDirectory(dir=tree) as folder:
            options = ("--no-deps", "--only-binary=:all:", "--quiet", "--dest", folder)
            subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True)
            (wheel,) = Path(folder).iterdir()
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(place, [name for name in archive.namelist() if name.endswith(".py")])
        print(f"fetched {package}", flush=True)


def describe(tree: Path) -> str:
    """How much there is in a tree. No file is kept: a process is born with its parent's memory on its account."""
    count = lines = size = found = 0
    for path in tree.rglob("*.py"):
        if path.is_file():
            data = path.read_bytes()
            count, lines, size = count + 1, lines + data.count(b"\n"), size + len(data)
            found += b"kl_div" in data or b"KLDiv" in data
    return f"{count:,} files, {lines:,} lines, {size:,} bytes; the words are in {found} files"


PLUGIN = """\
import time
start = time.process_time()
from kl_lint.plugin import Plugin
loaded = time.process_time() - start
import ast, gc, sys
gc.disable()
parses = runs = 0.0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.readlines()
    start = time.process_time()
    tree = ast.parse("".join(lines))
    middle = time.process_time()
    list(Plugin(tree, lines, path).run())
    runs += time.process_time() - middle
    parses += middle - start
print(loaded, runs, parses)
"""
"""What flake8 asks of the plugin, measured by itself: it is less than one run of flake8 differs from the next."""


def plugin_cost(tree: Path, runs: int) -> None:
    """Print what the plugin adds to flake8: on 150 files without the words, and on up to 30 with them."""
    every = sorted(path for path in tree.rglob("*.py") if 2_000 < path.stat().st_size < 200_000)
    has = {path: any(word in path.read_bytes() for word in (b"kl_div", b"KLDiv")) for path in every}
    without = [path for path in every if not has[path]]
    for name, paths in (
        ("without the words", without[:: max(1, len(without) // 150)][:150]),
        ("with the words", [path for path in every if has[path]][:30]),
    ):
        files = [str(path) for path in paths]
        plain = Times()
        measured = []
        for _ in range(runs):
            plain.add(Peer("flake8", flake8(("torchfix", "kl-lint"), "E999", "1", *files)))
            output = subprocess.run([sys.executable, "-c", PLUGIN, *files], capture_output=True, text=True, check=True)
            measured.append([float(number) for number in output.stdout.split()])
        loaded, took, parses = map(min, zip(*measured, strict=True))
        print(
            f"{len(files)} files {name}: flake8 {min(plain.work):.2f} s; the plugin {1e3 * (loaded + took):.1f} ms, of "
            f"which {1e3 * loaded:.1f} are its import: {(loaded + took) / min(plain.work):.1%} of flake8 (limit 3% "
            f"without the words), {took / parses:.2f} times their ast.parse (limit 1)"
        )


def start_up(runs: int, scratch: Path) -> None:
    """Print how long a file of 500 clean lines takes, beside a Python that does nothing."""
    folder = scratch / "start"
    folder.mkdir()
    (folder / "clean.py").write_text("import torch\n\n\n" + "def f(x):\n    return torch.ones(3) * x\n\n\n" * 125)
    nothing = Peer("python -c pass", (sys.executable, "-c", "pass"))
    check = Peer("kl-lint check clean.py", (*program("kl-lint", "kl_lint"), "check", str(folder / "clean.py")))
    times = {peer: Times() for peer in (nothing, check)}
    for _ in range(4 * runs):
        for peer in times:
            times[peer].add(peer)
    ours, base = ((statistics.median(times[peer].wall), min(times[peer].work)) for peer in (check, nothing))
    print(
        f"start-up: {ours[0] * 1e3:.0f} ms on the clock, {ours[1] * 1e3:.0f} ms of work; "
        f"python -c pass: {base[0] * 1e3:.0f} and {base[1] * 1e3:.0f}; "
        f"ratios {ours[0] / base[0]:.2f} and {ours[1] / base[1]:.2f} (limit 4)"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code: 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="Compare the speed of kl-lint with that of its peers.")
    parser.add_argument("tree", type=Path, metavar="TREE", help="a folder of Python files")
    parser.add_argument("--fetch", action="store_true", help="put the packages there that are not there yet")
    parser.add_argument("--runs", type=int, default=5, help="how often each program is run (default: 5)")
    parser.add_argument("--slow", action="store_true", help="run also what takes minutes, once")
    arguments = parser.parse_args(argv)
    tree: Path = arguments.tree
    if arguments.fetch:
        tree.mkdir(parents=True, exist_ok=True)
        fetch(tree)
    if not tree.is_dir():
        parser.error(f"{tree} is no folder; name one, or give --fetch")

    print(f"{describe(tree)}; {len(os.sched_getaffinity(0))} processors, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as scratch:
        times: dict[str, Times] = {}
        chosen = [peer for peer in peers(tree, Path(scratch)) if arguments.slow or not peer.slow]
        for turn in range(arguments.runs):
            for peer in chosen:
                if not (turn and peer.slow):
                    times.setdefault(peer.name, Times()).add(peer)
        table(times)
        start_up(arguments.runs, Path(scratch))
    if importlib.util.find_spec("flake8"):
        plugin_cost(tree, arguments.runs)
    return missed(times)


def table(times: dict[str, Times]) -> None:
    """Print the medians, and the ratios to the floor."""
    floor = times[FLOOR]
    print(f"\n{'program':<34} {'s':>8} {'work s':>8} {'MB':>6} {'ratio':>8} {'of work':>8} {'runs':>4}")
    for name, each in times.items():
        wall, work = statistics.median(each.wall), statistics.median(each.work)
        ratios = wall / statistics.median(floor.wall), work / statistics.median(floor.work)
        print(
            f"{name:<34} {wall:>8.3f} {work:>8.3f} {max(each.memory):>6.0f} "
            f"{ratios[0]:>8.2f} {ratios[1]:>8.2f} {len(each.wall):>4}"
        )
    print()


def missed(times: dict[str, Times]) -> int:
    """Print the targets, and return 1 where one is missed."""
    wall = {name: statistics.median(each.wall) for name, each in times.items()}
    targets = [
        ("file by file", wall[LOCAL], "2 floors", 2 * wall[FLOOR]),
        ("across files", wall[ACROSS], "3 floors", 3 * wall[FLOOR]),
    ]
    if RUFF in wall:
        targets.append(("across files", wall[ACROSS], "ruff", wall[RUFF]))
    if TORCHFIX in wall:
        targets.append(("across files", wall[ACROSS], "a thousandth of TorchFix", wall[TORCHFIX] / 1000))
    for what, took, limit, most in targets:
        print(f"{'met   ' if took <= most else 'missed'} {what}: {took:.3f} s; {limit}: {most:.3f} s")
    return int(any(took > most for _, took, _, most in targets))


if __name__ == "__main__":
    sys.exit(main())
