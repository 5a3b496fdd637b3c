"""How the time and the memory of `kl-lint check` grow with what it is given: run by hand, not by pytest.

    python tests/benchmarks/growth.py                    # every shape
    python tests/benchmarks/growth.py branches modules   # some of them
    python tests/benchmarks/growth.py --tree TREE        # and the memory that a whole tree takes

A shape is a program of a given size. Each of its sizes is checked by a process of its own; what the smallest program
takes is taken off. `exponent` is the slope of the seconds, and of the megabytes, over the size on logarithmic scales: 1
is linear. The exit code is 1 where an exponent or a limit in seconds is passed, and where a program is not reported as
it was written to be: then its times count for nothing.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1.15
"""The highest exponent to pass."""
NOTHING = 0.2
"""Seconds below which there is no telling how they grow."""
MEMORY = 250
"""The most megabytes that a process may take for a whole tree."""

Files = Mapping[str, str]
"""A program: texts by the names of files."""

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"


TELLING = "\n\ndef other(x):\n    return F.log_softmax(x, -1)\n\n\n"
"""What makes a module one to be looked into."""


# --- shapes: a program of a size, in which there is one finding for each KL divergence ---


def misuse(name: str, argument: str = "F.softmax(x, -1)") -> str:
    return f'def {name}(x, q):\n    return F.kl_div({argument}, q, reduction="batchmean")\n\n\n'


def lines(size: int) -> Files:
    """One divergence, and functions that have nothing to do with it."""
    plain = "def plain{0}(x, y):\n    z = torch.relu(x @ y)\n    if z.sum() > {0}:\n        z = z * 2\n    return [z, x]\n\n\n"
    return {"a.py": HEAD + misuse("loss") + "".join(map(plain.format, range(size // 8)))}


def functions(size: int) -> Files:
    """As many functions, each with a divergence."""
    return {"a.py": HEAD + "".join(misuse(f"loss{number}") for number in range(size))}


def classes(size: int) -> Files:
    """As many classes, each with a divergence between two of its methods."""
    one = (
        "class Loss{0}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        '        self.criterion = nn.KLDivLoss(reduction="batchmean")\n\n'
        "    def squash(self, x):\n        return F.softmax(x, -1)\n\n"
        "    def forward(self, x, q):\n        return self.criterion(self.squash(x), q)\n\n\n"
    )
    return {"a.py": HEAD + "".join(map(one.format, range(size)))}


def branches(size: int) -> Files:
    """One function with as many branches before its divergence."""
    arms = "".join(f"    if flags[{number}]:\n        x = x + {number}\n" for number in range(size))
    return {
        "a.py": f"{HEAD}def loss(x, q, flags):\n{arms}    x = F.softmax(x, -1)\n    return F.kl_div(x, q, reduction='sum')\n"
    }


def alternatives(size: int) -> Files:
    """One function with as many alternatives, each with a divergence."""
    arms = "".join(
        f"    {'el' if number else ''}if kind == {number}:\n        return F.kl_div(F.softmax(x, -1), q, reduction='sum')\n"
        for number in range(size)
    )
    return {"a.py": f"{HEAD}def loss(x, q, kind):\n{arms}"}


def statements(size: int) -> Files:
    """One function of as many statements between the tensors and their divergence."""
    body = "".join(f"    x = x + y{number % 7} * {number}\n" for number in range(size))
    return {
        "a.py": f"{HEAD}def loss(x, q, {', '.join(f'y{one}' for one in range(7))}):\n{body}    return F.kl_div(F.softmax(x, -1), q, reduction='sum')\n"
    }


def nesting(size: int) -> Files:
    """Forty functions, whose divergences stand below as many loops and conditions."""
    heads = ("if x.sum() > {0}:", "for i{0} in range(3):", "with torch.no_grad():", "while x.max() > {0}:")
    ladder = "".join("    " * (depth + 1) + heads[depth % 4].format(depth) + "\n" for depth in range(size))
    leaf = "    " * (size + 1) + "total = F.kl_div(F.softmax(x, -1), q, reduction='sum')\n"
    return {"a.py": HEAD + "".join(f"def loss{one}(x, q):\n{ladder}{leaf}    return total\n\n\n" for one in range(40))}


def expressions(size: int) -> Files:
    """Forty functions with an expression of as many parentheses."""
    deep = "(" * size + "x" + " + 1)" * size
    return {"a.py": HEAD + "".join(misuse(f"loss{one}", f"F.softmax({deep}, -1)") for one in range(40))}


def callers(size: int) -> Files:
    """One function with a divergence, and as many that call it."""
    call = "def step{0}(s, t):\n    return loss(F.log_softmax(s, -1), F.softmax(t, -1))\n\n\n"
    return {"a.py": HEAD + misuse("wrong") + misuse("loss", "x") + "".join(map(call.format, range(size)))}


def mutual(size: int) -> Files:
    """As many functions, each of which calls two others, in a ring."""
    one = "def f{0}(x, n):\n    if n == 0:\n        return x\n    return f{1}(x, n - 1) + f{2}(x, n - 2)\n\n\n"
    ring = "".join(one.format(number, (number + 1) % size, (number * 7 + 3) % size) for number in range(size))
    return {"a.py": HEAD + ring + misuse("loss", "F.softmax(f0(x, 9), -1)")}


def chain(size: int) -> Files:
    """As many functions, each of which calls the next; the last one makes the probabilities."""
    links = "".join(f"def f{number}(x):\n    return f{number + 1}(x)\n\n\n" for number in range(size))
    return {"a.py": f"{HEAD}{links}def f{size}(x):\n    return F.softmax(x, -1)\n\n\n" + misuse("loss", "f0(x)")}


def files(size: int) -> Files:
    """As many files, each with a divergence."""
    return {f"a{number}.py": HEAD + misuse("loss") for number in range(size)}


def modules(size: int) -> Files:
    """As many modules of a package, each of which imports three others; one in five has a divergence."""
    texts = {"pyproject.toml": "", "package/__init__.py": ""}
    for number in range(size):
        imports = "".join(
            f"from package.m{other} import squash as squash{place}\n"
            for place, other in enumerate((number + 1, number * 2 + 1, number + size // 10))
            if other < size
        )
        made = "squash0(x)" if number + 1 < size and number % 3 else "F.softmax(x, -1)"
        text = f"{HEAD}{imports}{TELLING}def squash(x):\n    return {made}\n\n\n"
        texts[f"package/m{number}.py"] = text + (misuse("loss", "squash(x)") if number % 5 == 0 else "")
    return texts


def cycle(size: int) -> Files:
    """As many modules that import each other in a ring, one in five with a divergence."""
    texts = {"pyproject.toml": "", "package/__init__.py": ""}
    for number in range(size):
        text = f"{HEAD}from package import m{(number + 1) % size} as following\n{TELLING}"
        made = "F.softmax(x, -1)" if number % 3 == 0 else "following.squash(x)"
        text += f"def squash(x):\n    return {made}\n\n\n"
        texts[f"package/m{number}.py"] = text + (misuse("loss", "squash(x)") if number % 5 == 0 else "")
    return texts


@dataclass(frozen=True, slots=True)
class Shape:
    """`sizes` to check; `seconds` is the most that the largest may take; `ratio` the most that twice the size may.

    `bounded`: it goes deeper than the analysis follows, which then is silent.
    """

    make: Callable[[int], Files]
    sizes: Sequence[int]
    seconds: float = math.inf
    ratio: float = math.inf
    bounded: bool = False

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.make.__name__


SHAPES = (
    Shape(lines, (10_000, 20_000, 40_000, 80_000)),
    Shape(functions, (1_000, 2_000, 4_000, 8_000)),
    Shape(classes, (500, 1_000, 2_000, 4_000)),
    Shape(branches, (625, 1_250, 2_500, 5_000), seconds=10),
    Shape(alternatives, (60, 120, 240, 480)),
    Shape(statements, (1_000, 2_000, 4_000, 8_000)),
    Shape(nesting, (10, 20, 40, 80)),
    Shape(expressions, (20, 40, 80, 160)),
    Shape(callers, (250, 500, 1_000, 2_000)),
    Shape(mutual, (125, 250, 500, 1_000), seconds=10),
    Shape(chain, (25, 50, 100, 200), seconds=10, bounded=True),
    Shape(files, (250, 500, 1_000, 2_000)),
    Shape(modules, (500, 1_000, 2_000, 4_000), seconds=30, ratio=2.2),
    Shape(cycle, (500, 1_000, 2_000, 4_000), seconds=30, ratio=2.2),
)


# --- measuring ---


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run took: seconds of processors, megabytes of the largest process. `told` are its findings, in number."""

    seconds: float
    megabytes: float
    told: int
    complaints: str


def check(top: str, *options: str) -> Measurement:
    """Run `kl-lint check` on a folder, with a report that works out no fixes."""
    command = [sys.executable, "-m", "kl_lint", "check", "--output-format=concise", *options, top]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, "PYTHONPATH": str(ROOT)})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, complaints = out.read(), err.read().decode()
    told = text.count(b": KLD")
    return Measurement(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, told, complaints)


def measure(program: Files, runs: int) -> Measurement:
    """Write a program and check it: the least of several runs."""
    with tempfile.TemporaryDirectory() as top:
        for name, text in program.items():
            path = Path(top, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return min((check(top, "--jobs=1") for _ in range(runs)), key=lambda one: one.seconds)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The slope of `values` over `sizes` on logarithmic scales, by least squares."""
    xs, ys = [math.log(size) for size in sizes], [math.log(max(value, 1e-3)) for value in values]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def faults(shape: Shape, seconds: Sequence[float], told: Sequence[Measurement], slope: float) -> list[str]:
    """What is wrong with a shape's measurements."""
    found = []
    for size, one in zip(shape.sizes, told, strict=True):
        expected = sum(text.count("F.kl_div(") + text.count("nn.KLDivLoss(") for text in shape.make(size).values())
        if one.complaints:
            found.append(f"{size:,}: {one.complaints.strip().splitlines()[0].rpartition('/')[2]}")
        elif not shape.bounded and one.told != expected - (shape.make is callers):
            found.append(f"{size:,}: {one.told} findings, not {expected}")
    if slope > LIMIT and seconds[-1] > NOTHING:
        found.append(f"exponent above {LIMIT}")
    if seconds[-1] > shape.seconds:
        found.append(f"more than {shape.seconds:g} s")
    if seconds[-1] > shape.ratio * seconds[-2]:
        found.append(f"{seconds[-1] / seconds[-2]:.2f} times the half, more than {shape.ratio:g}")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Print how time and memory grow with the program that is checked.")
    known = {shape.name: shape for shape in SHAPES}
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"of {', '.join(known)} (default: all)")
    parser.add_argument(
        "--runs", type=int, default=3, help="how often each is checked, of which the least (default: 3)"
    )
    parser.add_argument("--tree", metavar="TREE", help="a folder whose check may take so much memory and no more")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.shapes) - set(known):
        parser.error(f"there is no shape {', '.join(unknown)}; there are {', '.join(known)}")

    base = measure({"a.py": HEAD + misuse("loss")}, arguments.runs)
    failed = False
    print(f"{'shape':<13} {'sizes':>20} {'seconds':>32} {'exponent':>9} {'megabytes':>9} {'exponent':>9}")
    for shape in [known[name] for name in arguments.shapes] or SHAPES:
        measured = [measure(shape.make(size), arguments.runs) for size in shape.sizes]
        seconds = [one.seconds - base.seconds for one in measured]
        memory = [one.megabytes - base.megabytes for one in measured]
        slope = exponent(shape.sizes, seconds)
        wrong = faults(shape, seconds, measured, slope)
        failed |= bool(wrong)
        print(
            f"{shape.name:<13} {shape.sizes[0]:>9,} to {shape.sizes[-1]:>7,} "
            f"{' '.join(f'{one:7.2f}' for one in seconds):>32} {slope:>9.2f} "
            f"{measured[-1].megabytes:>9.0f} {exponent(shape.sizes, memory):>9.2f}  {'; '.join(wrong)}",
            flush=True,
        )
    if arguments.tree:
        whole = check(arguments.tree, "--isolated")
        failed |= whole.megabytes > MEMORY
        print(f"{arguments.tree}: {whole.seconds:.1f} s, {whole.megabytes:.0f} MB in one process (limit {MEMORY})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
