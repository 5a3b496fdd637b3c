"""What a finding is known by from one run to the next."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from kl_lint.finding import Finding
from kl_lint.lines import split_lines
from kl_lint.reports.fingerprints import fingerprints
from tests.reports.samples import BROKEN, SOURCE, found, moved


def marks(source: str = SOURCE, path: str = "loss.py", findings: tuple[Finding, ...] | None = None) -> list[str]:
    """The fingerprints of the findings in `source`."""
    these = found(source) if findings is None else findings
    return [mark for _, _, mark in fingerprints([(path, each) for each in these], {"loss.py": split_lines(source)})]


def test_no_two_are_the_same() -> None:
    function = SOURCE.split("\n\n\n")[1]
    source = SOURCE + "".join(function.replace("loss", f"loss{number}") for number in range(3))
    assert len(marks(source)) == 4 * len(marks())
    assert len(set(marks(source))) == len(marks(source))
    assert all(len(mark) == 64 and int(mark, 16) for mark in marks())


@pytest.mark.parametrize(
    "source",
    [
        "# a comment\n\n" + SOURCE,
        SOURCE.replace("    ", "\t"),
        SOURCE.replace("\n", "\r\n"),
        SOURCE.replace(", q", " ,  q"),
        SOURCE + "\n\ndef more(x, q):\n    return F.kl_div(F.softmax(x, dim=1), q)\n",
    ],
)
def test_they_survive_what_moves_lines_and_blanks(source: str) -> None:
    assert marks(source)[: len(marks())] == marks()


def test_they_tell_code_path_and_text_apart() -> None:
    assert set(marks(path="other.py")).isdisjoint(marks())
    assert set(marks(SOURCE.replace("(p, q)", "(p, r)"))).isdisjoint(marks()[:2])
    renamed = tuple(replace(each, code="KLD999") for each in found())
    assert set(marks(findings=renamed)).isdisjoint(marks())


def test_identical_lines_are_told_apart_by_their_order() -> None:
    line = "    F.kl_div(F.log_softmax(x, dim=1), q)\n"
    source = "import torch.nn.functional as F\n\n\ndef loss(x, q):\n" + line * 3
    three, two = marks(source), marks(source.replace(line, "", 1))
    assert len(set(three)) == 3
    assert two == three[:2]


def test_a_file_that_nobody_has_the_lines_of() -> None:
    assert len(set(marks(findings=(BROKEN, BROKEN)))) == 2
    assert marks(findings=tuple(moved([BROKEN], 3))) == marks(findings=(BROKEN,))


def test_they_stay_the_same_from_one_release_to_the_next() -> None:
    """Whoever changes this makes every known finding a new one; the number in the name of SARIF's is to rise then."""
    finding = replace(BROKEN, filename="loss.py")
    identity = b"KLD000\0loss.py\0x=F.kl_div(p,q)#\xc3\xa9\x000"
    (known,) = fingerprints([("loss.py", finding)], {"loss.py": ["\n", "  x = F.kl_div(p, q)  # é\n"]})
    assert known == ("loss.py", finding, sha256(identity).hexdigest())
