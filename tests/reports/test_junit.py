"""JUnit XML, read with a library that others read it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from kl_lint.cli import main
from kl_lint.finding import Finding
from kl_lint.reports import Context, render
from kl_lint.reports.terminal import visible
from kl_lint.sources.problem import Problem
from tests.reports.samples import BROKEN, HOSTILE, context, found, hostile, moved


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory in a repository, which the report is made in."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")


def read(findings: Sequence[Finding]) -> JUnitXml:
    """The report on `findings`, read."""
    return JUnitXml.fromstring(render("junit", findings, context()).encode())


def test_a_suite_for_each_file_and_a_test_for_each_finding() -> None:
    report = read([*found(filename="deep/b.c.py"), *found(), BROKEN])
    assert (report.name, report.tests, report.failures, report.errors) == ("kl-lint", 7, 6, 1)
    assert [(suite.name, suite.tests, suite.failures, suite.errors) for suite in report] == [
        ("deep/b.c.py", 3, 3, 0),
        ("loss.py", 3, 3, 0),
        ("other.py", 1, 0, 1),
    ]
    case = next(case for suite in report for case in suite if case.name == "KLD101 probabilities-as-input")
    assert (case.classname, case._elem.get("file"), case._elem.get("line")) == ("deep/b.c", "deep/b.c.py", "5")
    (failure,) = case.result
    assert isinstance(failure, Failure)
    message = "input to kl_div is probabilities (softmax, line 5); it takes log-probabilities: use log_softmax"
    assert (failure.type, failure.message) == ("KLD101", message)
    assert failure.text == (
        f"line 5, column 56: KLD101 {message}\n- softmax at line 5\n- help: Use log_softmax in place of softmax"
    )


def test_an_error_of_the_linter_is_no_failure_of_the_code() -> None:
    ((case,),) = read([BROKEN])
    (error,) = case.result
    assert isinstance(error, Error)
    assert error.message == "internal error"


def test_nothing_found_is_a_test_that_passed() -> None:
    """Services take a report without a test for a step that went wrong."""
    report = read([])
    assert (report.tests, report.failures, report.errors) == (1, 0, 0)
    ((case,),) = report
    assert case.is_passed


def test_what_went_wrong_is_told_of() -> None:
    """An empty report would be taken for a clean one."""
    problem = Problem("b.py", "is not valid Python 3.11 (\x1b)", "mend it", 7)
    note = Problem("loss.py", "is too large", "split it")
    told = render("junit", found(), Context({}, problems=[problem, replace_path(problem, "a.py")], notes=[note]))
    report = JUnitXml.fromstring(told.encode())
    assert (report.tests, report.failures, report.errors, report.skipped) == (6, 3, 2, 1)
    first, second, third = report
    assert [suite.name for suite in (first, second, third)] == ["a.py", "b.py", "loss.py"]
    ((case,), (again,)) = first, second
    assert (case.name, case.classname) == ("not-checked", "a")
    assert (again._elem.get("file"), again._elem.get("line")) == ("b.py", "7")
    (error,) = again.result
    assert isinstance(error, Error)
    assert error.message == "is not valid Python 3.11 (\\x1b); mend it"
    *_, last = third
    (skipped,) = last.result
    assert isinstance(skipped, Skipped)
    assert skipped.message == "is too large; split it"


def replace_path(problem: Problem, path: str) -> Problem:
    return Problem(path, problem.what, problem.remedy)


def test_a_file_that_cannot_be_parsed_is_in_the_report() -> None:
    Path("broken.py").write_text("kl_div(\n")
    assert main(["check", "--output-format=junit", "--output-file=report.xml", "."]) == 2
    ((case,),) = JUnitXml.fromfile("report.xml")
    assert (case.name, case._elem.get("file"), case._elem.get("line")) == ("not-checked", "broken.py", "1")


def test_names_are_no_two_the_same_and_survive_moved_lines() -> None:
    def names(findings: Sequence[Finding]) -> list[tuple[str, str]]:
        return [(case.classname, case.name) for suite in read(findings) for case in suite]

    findings = [*found(), *moved(found(), 5), *moved(found(), 10)]
    assert len(set(names(findings))) == 9
    assert ("loss", "KLD101 probabilities-as-input (3)") in names(findings)
    assert names(moved(findings, 7)) == names(findings)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_taken_for_something_else(name: str) -> None:
    report = render("junit", [hostile(name)], context())
    assert report.isascii()
    assert all(character.isprintable() or character == "\n" for character in report)
    assert not any(line.lstrip().startswith("::") for line in report.splitlines())
    root = ElementTree.fromstring(report.encode())
    assert [element.tag for element in root.iter()] == ["testsuites", "testsuite", "testcase", "failure"]
    suite, case, failure = root.iter("testsuite"), root.iter("testcase"), root.iter("failure")
    assert next(suite).get("name") == next(case).get("file") == visible(name)
    text = next(failure).text
    assert text is not None
    assert text.splitlines() == [
        f"line 5, column 25: KLD101 input {visible(name)} {{0}} [0](1)",
        f"- softmax of {visible(name)} at line 5",
        "- returned at line 1 of b.py",
        f"- help: mend {visible(name)}",
    ]


def test_what_xml_cannot_hold_is_escaped() -> None:
    characters = "".join(map(chr, range(0x20))) + "\x7f\x85\ud800\ufffe\uffff"
    ((case,),) = read([replace(BROKEN, message=characters)])
    assert case.result[0].message == visible(characters)


def test_other_scripts_come_through() -> None:
    ((case,),) = read([replace(BROKEN, filename="日本/é😀.py", message="‖ é 😀")])
    assert (case.classname, case.result[0].message) == ("日本/é😀", "‖ é 😀")


def test_the_order_of_the_files_does_not_matter() -> None:
    findings = [*found(), *found(filename="a.py"), BROKEN]
    assert render("junit", findings[::-1], context()) == render("junit", findings, context())


def test_a_report_does_not_depend_on_the_lines() -> None:
    assert render("junit", found(), Context({})) == render("junit", found(), context())
