"""Misuse that has been tampered with: the fixtures, mutated in their tokens, lines and bytes; run by hand for long runs.

    python tests/robustness/mutation.py                    # 100,000 cases: a quarter of an hour
    python tests/robustness/mutation.py --first 41 --cases 1        # one of them again
    python tests/robustness/mutation.py --generated 2000   # programs that hypothesmith generates, mutated as well
    python tests/robustness/mutation.py --guided           # mutations chosen by what they cover: atheris, from PyPI

A case depends on its number alone. What is done to it is a matter of its number too: nearly all are checked, some mended,
silenced, inspected, reported in every format, or put into a notebook. *Lost* are those with an internal error
(KLD000), with an exception, with a text that is not Python any more once mended, or with more than `--limit` seconds.
The exit code is 1 where a case is lost, and the text of each that is lies in `--keep`.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random

if __name__ == "__main__":  # from a checkout, installed or not
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.robustness.cases import WORKS, Result, examine, parses
from tests.robustness.everywhere import CALL, with_calls_everywhere

FIXTURES = Path(__file__).parents[2] / "fixtures"

LIMIT = 20.0
"""Seconds: the texts are short."""

_TOKEN = re.compile(rb"\w+|[^\S\n]+|\n|\"\"\"|'''|[^\w\s]")

_WORDS = """
    ( ) [ ] { } , : ; . = == := -> @ * ** / // % + - ~ | & ^ < > ! ... " ' \"\"\" ''' # \\ 0 1 -1 2 1e400 1j 0x 9**9**9 None True
    False self cls super() def class lambda return yield await async for in while if elif else try except finally with as raise
    del global nonlocal import from not and or is match case type print f" t" b" rb" F. torch. nn. kl_div F.kl_div
    nn.KLDivLoss() KLDivLoss softmax log_softmax(x,1) .log() .exp() .softmax(-1) [:,1:] [...,None] .detach() .mean() .sum(1)
    .view(-1) reduction= "batchmean" "none" "sum" log_target=True size_average=False dim= dim=1 F.kl_div(x,y) *args **kwargs
    x=x x,y=y,x (x:=y) [x for x in x] lambda: ë 数 \u2028 \x0c \t \r \x00 \ufeff
"""
_BLANKS = (" ", "\n", "    ", "\r\n", "\\\n", "\n\n\n")
_COMMENTS = ("#noqa", "# noqa: KLD", "# type: ignore", "# coding: latin-1\n")
_TOKENS = (*_WORDS.split(), *_BLANKS, *_COMMENTS)
_BYTES = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x98\x80",
    b"\xc3",
    b"\r",
    b"\x0c",
    b"\x1a",
    b"\x1b[31m",
    b"\xe2\x80\xae",
)


@cache
def seeds() -> tuple[bytes, ...]:
    """The programs that are mutated."""
    return tuple(path.read_bytes() for path in sorted(FIXTURES.rglob("*.py")))


def mutated(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """`data` after some mutations; more often of tokens than of lines, and of lines than of bytes.

    Those after which it is not Python any more are mostly taken back: nothing looks far into what does not parse.
    """
    for _ in range(chance.choice((2, 3, 5, 8, 20))):
        mutate: Mutation = chance.choices((_of_tokens, _of_lines, _of_bytes), (6, 3, 1))[0]
        changed = mutate(data, chance, chance.choice(others))
        if chance.random() < 0.03 or parses(changed):
            data = changed
    return data


Mutation = Callable[[bytes, Random, bytes], bytes]


def _of_tokens(data: bytes, chance: Random, other: bytes) -> bytes:
    tokens, pool = _TOKEN.findall(data), [token for token in _TOKEN.findall(other) if not token.isspace()]
    places = [index for index, token in enumerate(tokens) if not token.isspace()]
    if not places or not pool:
        return data
    place, second = chance.choice(places), chance.choice(places)
    match chance.randrange(6):
        case 0:
            del tokens[place]
        case 1:
            tokens[place], tokens[second] = tokens[second], tokens[place]
        case 2:
            tokens[place] = chance.choice(pool)
        case 3:
            tokens[place] = chance.choice(_TOKENS).encode()
        case 4:
            tokens.insert(place, chance.choice(_TOKENS).encode())
        case _:
            first, last = sorted((place, second))
            tokens[first:first] = tokens[first : min(last, first + 12)] * chance.choice((1, 1, 1, 30))
    return b"".join(tokens)


def _of_lines(data: bytes, chance: Random, other: bytes) -> bytes:
    lines, pool = data.splitlines(keepends=True), other.splitlines(keepends=True)
    if not lines or not pool:
        return data
    place, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[place]
        case 1:
            lines[place], lines[second] = lines[second], lines[place]
        case 2:
            lines.insert(second, lines[place])
        case 3:
            start = chance.randrange(len(pool))
            lines[place:place] = pool[start : start + chance.randrange(1, 12)]
        case 4:
            first, last = sorted((place, second))
            lines[first:last] = [chance.choice((b"    ", b" ", b"\t")) + line for line in lines[first:last]]
        case _:
            lines = lines[min(place, second) :]
    return b"".join(lines)


def _of_bytes(data: bytes, chance: Random, other: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    match chance.randrange(4):
        case 0:
            return data[:place] + chance.choice(_BYTES) + data[place:]
        case 1:
            return data[:place] + data[place + chance.randrange(1, 20) :]
        case 2:
            return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        case _:
            return data[:place] + other[chance.randrange(len(other) + 1) :]


def case(number: int, pool: Sequence[bytes] = ()) -> tuple[str, str, bytes]:
    """What is to be done in a case, the name of the file, and its content."""
    chance = Random(number)
    data = chance.choice(pool or seeds())
    if pool and chance.random() < 0.5 and (text := with_calls_everywhere(data.decode())) is not None:
        data = text.encode()
    data = mutated(data, chance, seeds())
    if b"kl_div" not in data and b"KLDiv" not in data:
        data += CALL.encode()
    (work,) = chance.choices(("checked", "mended", "silenced", "inspected", "reported"), (80, 8, 4, 4, 4))
    if chance.random() < 0.04:
        return work, "case.ipynb", _notebook(data, chance)
    return work, "case.py", data


def _notebook(data: bytes, chance: Random) -> bytes:
    """`data` in the cells of a notebook, whose bytes have been tampered with in turn, now and then."""
    lines = data.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    middle = chance.randrange(len(lines) + 1)
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for source in (lines[:middle], ["%matplotlib inline\n", "!ls\n"], "".join(lines[middle:]))
    ]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
    notebook = text.encode("utf-8", "surrogatepass")
    return _of_bytes(notebook, chance, notebook) if chance.random() < 0.3 else notebook


def run(numbers: Sequence[int], *, limit: float = LIMIT, pool: Sequence[bytes] = ()) -> Iterator[tuple[int, Result]]:
    """The cases, one after the other."""
    for number in numbers:
        work, path, data = case(number, pool)
        yield number, examine(WORKS[work], path, data, limit=limit)


def generated(number: int) -> list[bytes]:
    """Valid programs, by the grammar of Python; what they say makes no sense."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    found: list[bytes] = []
    programs = import_module("hypothesmith").from_node()

    @seed(0)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(programs)
    def collect(text: str) -> None:
        try:
            found.append(text.encode())
        except UnicodeEncodeError:
            return

    collect()
    return found


def guided(cases: int, keep: Path) -> None:
    """Let atheris choose the mutations; it ends the process, with a code that is not 0 where a case is lost."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["kl_lint"]):
        import kl_lint.flow
        import kl_lint.rules
        import kl_lint.sources.noqa  # noqa: F401

    def one(data: bytes) -> None:
        if b"kl_div" not in data and b"KLDiv" not in data:
            data += CALL.encode()
        result = examine(WORKS["checked"], "case.py", data, limit=LIMIT)
        if result.fault:
            raise RuntimeError(result.fault)

    def choose(data: bytes, most: int, number: int) -> bytes:
        return mutated(data, Random(number), seeds())[:most]

    corpus = keep / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate(seeds()):
        (corpus / f"{index}.py").write_bytes(text)
    argv = [
        sys.argv[0],
        f"-runs={cases}",
        "-max_len=6000",
        "-seed=1",
        "-print_final_stats=1",
        f"-artifact_prefix={keep}/",
    ]
    atheris.Setup([*argv, str(corpus)], one, custom_mutator=choose)
    atheris.Fuzz()


def main() -> int:
    """Run the cases, and tell of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--generated", type=int, default=0, metavar="N", help="mutate N generated programs")
    parser.add_argument("--guided", action="store_true", help="let atheris choose the mutations")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds for a case (default: {LIMIT:g})")
    parser.add_argument("--keep", type=Path, default=Path("lost"), help="where the lost cases go (default: lost)")
    arguments = parser.parse_args()
    faulthandler.enable()  # a crash of the interpreter itself tells where
    if arguments.guided:
        guided(arguments.cases, arguments.keep)
    pool = generated(arguments.generated) if arguments.generated else []
    lost = python = incomplete = findings = 0
    slowest = (0.0, 0)
    for number, result in run(
        range(arguments.first, arguments.first + arguments.cases), limit=arguments.limit, pool=pool
    ):
        python += result.is_python
        incomplete += not result.complete
        findings += result.findings
        slowest = max(slowest, (result.seconds, number))
        if result.fault:
            lost += 1
            work, path, data = case(number, pool)
            arguments.keep.mkdir(parents=True, exist_ok=True)
            (arguments.keep / f"{number}_{path}").write_bytes(data)
            print(f"lost: case {number}, {work}: {result.fault}", flush=True)
        if number % 10_000 == 9_999:
            print(f"... case {number}: {lost} lost", flush=True)
    print(
        f"{arguments.cases:,} cases: {python:,} Python, {findings:,} findings, {incomplete:,} not analysed to the end"
    )
    print(f"slowest: {slowest[0]:.2f} s, case {slowest[1]}")
    print(f"{lost:,} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
