"""The loop: check, mend, check again, with checkers made for the purpose."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kl_lint.finding import Applicability, Edit, Finding, Fix, RenameCallee, Replace, SetKeyword, Span, Wrap
from kl_lint.rewriting import FixResult, edits_of_fix, fix_source
from kl_lint.rewriting.editor import Editor
from kl_lint.rewriting.lines import Lines

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY

Rule = Callable[[str, Span], Edit | None]


def _rules(**rules: tuple[str, Rule] | tuple[str, Rule, Applicability]) -> Callable[[str], tuple[Finding, ...]]:
    """A checker: for each code, a finding wherever the pattern matches, with the edit that the rule makes of it."""

    def check(text: str) -> tuple[Finding, ...]:
        lines = Lines(text)
        findings = []
        for code, (pattern, rule, *applicability) in rules.items():
            level = applicability[0] if applicability else SAFE
            for found in re.finditer(pattern, text):
                span = lines.span(*found.span())
                edit = rule(found[0], span)
                fix = Fix(code, level, (edit,)) if edit else None
                findings.append(Finding(code, code, "m", "<string>", span, span.row, fix=fix))
        return tuple(sorted(findings, key=lambda finding: (finding.span, finding.code)))

    return check


def _rename(name: str) -> Rule:
    return lambda _, span: RenameCallee(span, name)


def _replace(source: str) -> Rule:
    return lambda _, span: Replace(span, source)


def _codes(result: FixResult) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    fixed = [finding.code for finding in result.fixed]
    return fixed, [finding.code for finding in result.remaining], [(f.code, reason) for f, reason in result.refused]


def test_nothing_to_mend() -> None:
    assert fix_source("x = 1\n", check=lambda text: ()) == FixResult("x = 1\n")


def test_rounds_go_on_until_nothing_changes() -> None:
    check = _rules(
        KLD101=(r"F\.a\(x\)", _rename("b")), KLD102=(r"F\.b\(x\)", _rename("c")), KLD103=(r"F\.c\(x\)", lambda *_: None)
    )
    result = fix_source("y = F.a(x), F.b(x)\n", check=check)
    assert result.source == "y = F.c(x), F.c(x)\n"
    assert _codes(result) == (["KLD101", "KLD102", "KLD102"], ["KLD103", "KLD103"], [])
    assert fix_source(result.source, check=check).source == result.source


@pytest.mark.parametrize(
    ("unsafe", "expected"), [(False, "y = F.d(x), F.b(x), F.c(x)\n"), (True, "y = F.d(x), F.e(x), F.c(x)\n")]
)
def test_only_what_is_applicable_is_made(unsafe: bool, expected: str) -> None:
    check = _rules(
        KLD101=(r"F\.a\(x\)", _rename("d"), SAFE),
        KLD102=(r"F\.b\(x\)", _rename("e"), UNSAFE),
        KLD103=(r"F\.c\(x\)", _rename("f"), DISPLAY),
    )
    result = fix_source("y = F.a(x), F.b(x), F.c(x)\n", unsafe=unsafe, check=check)
    assert result.source == expected
    assert result.refused == ()
    assert [finding.code for finding in result.remaining] == ["KLD103"] if unsafe else ["KLD102", "KLD103"]


def test_only_what_is_wanted_is_made() -> None:
    check = _rules(KLD101=(r"F\.a\(x\)", _rename("c")), KLD102=(r"F\.b\(x\)", _rename("d")))
    result = fix_source("y = F.a(x), F.b(x)\n", wanted=lambda finding: finding.code == "KLD102", check=check)
    assert result.source == "y = F.a(x), F.d(x)\n"
    assert _codes(result) == (["KLD102"], ["KLD101"], [])


def test_fixes_that_exclude_each_other_take_turns() -> None:
    check = _rules(
        KLD101=(r"F\.a\(x\)", _rename("b")),
        KLD102=(r"F\.[ab]\(x\)(?!\.g)", lambda _, span: Wrap(span, "", ".g()")),
    )
    result = fix_source("y = F.a(x)\n", check=check)
    assert result.source == "y = F.b(x).g()\n"
    assert _codes(result) == (["KLD101", "KLD102"], [], [])


def test_a_finding_that_stays_is_not_counted_as_mended() -> None:
    """The fix is made, the rule still finds fault: the file is left as it was, and the finding says so."""
    check = _rules(KLD101=(r"F\.a\(x.*?\)", lambda _, span: SetKeyword(span, "b", "1")))
    result = fix_source("y = F.a(x)\n", check=check)
    assert result.source == "y = F.a(x)\n"
    assert _codes(result) == ([], ["KLD101"], [("KLD101", "the finding would still be there")])


def test_fixes_beside_one_that_does_not_help_are_made() -> None:
    check = _rules(
        KLD101=(r"F\.a\(x.*?\)", lambda _, span: SetKeyword(span, "b", "1")), KLD102=(r"F\.c\(x\)", _rename("d"))
    )
    result = fix_source("y = F.c(x), F.a(x), F.c(x)\n", check=check)
    assert result.source == "y = F.d(x), F.a(x), F.d(x)\n"
    assert _codes(result) == (["KLD102", "KLD102"], ["KLD101"], [("KLD101", "the finding would still be there")])


@pytest.mark.parametrize("source", ["f(a)\n", "x = 1; f(a), f(a)\n", "f(f(a))\n"])
def test_a_finding_is_followed_to_where_fixes_move_it(source: str) -> None:
    """Wrapping moves the finding to the right, and the same code elsewhere is not taken for it."""
    check = _rules(KLD101=(r"(?<!log\()\bf(?=\()", lambda _, span: None), KLD102=(r"\ba\b(?!\.)", _wrap))
    result = fix_source(source, check=check)
    assert result.source == source.replace("a", "a.log()")
    stubborn = _rules(KLD102=(r"\ba\b", _wrap))
    result = fix_source(source, check=stubborn)
    assert result.source == source
    assert {reason for _, reason in result.refused} == {"the finding would still be there"}


def _wrap(_: str, span: Span) -> Edit:
    return Wrap(span, "", ".log()")


def test_the_same_code_beside_a_mended_finding_does_not_stop_it() -> None:
    def check(text: str) -> tuple[Finding, ...]:
        span = Lines(text).span(0, len(text) - 1)
        fix = Fix("", SAFE, (RenameCallee(span, "b"),))
        findings = [Finding("KLD101", "x", "no fix", "<string>", span, 1)]
        if text.startswith("F.a"):
            findings.append(Finding("KLD101", "x", "a fix", "<string>", span, 1, fix=fix))
        return tuple(findings)

    result = fix_source("F.a(x)\n", check=check)
    assert result.source == "F.b(x)\n"
    assert [finding.message for finding in result.fixed] == ["a fix"]


def test_the_same_code_elsewhere_does_not_stop_a_fix() -> None:
    """Of two arguments one is mended, far from the call, which brings the finding of the other one to light."""
    source = "h(p, q)\nq = F.a(x)\n"

    def check(text: str) -> tuple[Finding, ...]:
        if "F.b" in text:
            return (Finding("KLD101", "x", "no fix", "<string>", Span(1, 3, 1, 4), 1),)
        fix = Fix("", SAFE, (RenameCallee(Span(2, 5, 2, 11), "b"),))
        return (Finding("KLD101", "x", "a fix", "<string>", Span(1, 6, 1, 7), 1, fix=fix),)

    result = fix_source(source, check=check)
    assert result.source == source.replace("F.a", "F.b")
    assert _codes(result) == (["KLD101"], ["KLD101"], [])


def test_a_circle_leaves_the_file_as_it_was() -> None:
    check = _rules(KLD101=(r"F\.a\(x\)", _rename("b")), KLD102=(r"F\.b\(x\)", _rename("a")))
    for source in ("y = F.a(x)\n", "y = F.b(x)\n", "y = F.a(x), F.b(x)\n"):
        result = fix_source(source, check=check)
        assert result.source == source
        assert result.fixed == ()
        assert {reason for _, reason in result.refused} == {"its fix and others undo each other"}


def test_rounds_are_bounded() -> None:
    calls = []

    def grow(text: str, span: Span) -> Edit:
        calls.append(text)
        number = int(re.findall(r"\d+", text)[0])
        return Replace(span, f"f({number + 1})")

    def check(text: str) -> tuple[Finding, ...]:
        (finding,) = _rules(KLD101=(r"f\(\d+\)", grow))(text)
        row = len(calls)  # the finding is never where the last one was
        return (Finding(f"KLD{row}", "x", "m", "<string>", finding.span, 1, fix=finding.fix),)

    result = fix_source("f(0)\n", check=check)
    assert result.source == "f(10)\n"
    assert len(result.fixed) == 10
    assert [reason for _, reason in result.refused] == ["left for another run: 10 rounds were not enough"]


def test_a_refused_fix_is_reported_with_its_reason() -> None:
    check = _rules(KLD101=(r"f\(.*\)", lambda _, span: SetKeyword(span, "b", "1")))
    result = fix_source("f(**kw)\n", check=check)
    assert _codes(result) == ([], ["KLD101"], [("KLD101", "the call takes **, which may hold b already")])


def test_a_text_that_cannot_be_checked_any_more_is_not_kept() -> None:
    before = _rules(KLD101=(r"F\.a\(x\)", _rename("b")))
    broken = Finding("KLD000", "internal-error", "m", "<string>", Span(1, 1, 1, 2), 1)
    result = fix_source("y = F.a(x)\n", check=lambda text: before(text) if "F.a" in text else (broken,))
    assert result.source == "y = F.a(x)\n"
    assert _codes(result) == ([], ["KLD101"], [("KLD101", "the rewritten file could not be checked")])


def test_a_file_that_libcst_cannot_read_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import libcst

    def fail(source: str) -> None:
        raise libcst.ParserSyntaxError("unknown syntax", lines=[source], raw_line=1, raw_column=0)

    monkeypatch.setattr(libcst, "parse_module", fail)
    check = _rules(KLD101=(r"F\.a\(x\)", _rename("b")))
    result = fix_source("y = F.a(x), F.a(x)\n", check=check)
    assert result.source == "y = F.a(x), F.a(x)\n"
    assert _codes(result)[2] == [("KLD101", "libcst cannot parse this file, line 1")] * 2


def test_a_file_that_libcst_does_not_reproduce_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import libcst

    parse = libcst.parse_module
    monkeypatch.setattr(libcst, "parse_module", lambda source: parse("\n" + source))
    check = _rules(KLD101=(r"F\.a\(x\)", _rename("b")))
    result = fix_source("y = F.a(x)\n", check=check)
    assert result.source == "y = F.a(x)\n"
    assert _codes(result)[2] == [("KLD101", "libcst does not reproduce this file")]


def test_a_byte_order_mark_is_kept_and_not_checked() -> None:
    seen = []
    rules = _rules(KLD101=(r"F\.a\(x\)", _rename("b")))

    def check(text: str) -> tuple[Finding, ...]:
        seen.append(text)
        return rules(text)

    assert fix_source("\ufeffF.a(x)\r\n", check=check).source == "\ufeffF.b(x)\r\n"
    assert seen == ["F.a(x)\r\n", "F.b(x)\r\n"]


def test_the_rules_of_the_project_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def check_text(text: str, filename: str, *, enable: frozenset[str], across: bool) -> tuple[tuple[Finding, ...], bool]:
        seen.append((text, filename, enable))
        return (), True

    monkeypatch.setattr("kl_lint.engine.check_text", check_text)
    fix_source("x = 1\n", "a.py", enable=frozenset({"KLD6"}))
    assert seen == [("x = 1\n", "a.py", frozenset({"KLD6"}))]


def test_findings_of_other_files_are_not_mended_here() -> None:
    check = _rules(KLD101=(r"F\.a\(x\)", _rename("b")))
    result = fix_source("y = F.a(x)\n", "other.py", check=check)
    assert result.source == "y = F.a(x)\n"
    assert _codes(result) == ([], ["KLD101"], [])


@pytest.mark.parametrize("name", ["loss.py", "./loss.py", "link.py", "none.py", "<stdin>"])
def test_a_file_is_mended_under_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    source = "from torch.nn import functional as F\ndef g(x, y):\n    return F.kl_div(F.softmax(x, 1).log(), y)\n"
    (tmp_path / "loss.py").write_text(source)
    (tmp_path / "link.py").symlink_to("loss.py")
    monkeypatch.chdir(tmp_path)
    assert fix_source(source, name).source == source.replace("F.softmax(x, 1).log()", "F.log_softmax(x, 1)")


def test_what_another_file_makes_wrong_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "from torch.nn import functional as F\n"
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "making.py").write_text(f"{head}def squash(x):\n    return F.softmax(x, 1)\n")
    source = f"{head}from making import squash\ndef g(x, y):\n    return F.kl_div(squash(x), y, reduction='sum')\n"
    (tmp_path / "loss.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    result = fix_source(source, "loss.py", unsafe=True)
    assert result.source == source.replace("squash(x)", "squash(x).log()")
    assert [finding.code for finding in result.fixed] == ["KLD101"]


def test_what_does_not_parse_is_for_the_caller() -> None:
    with pytest.raises(SyntaxError):
        fix_source("F.kl_div(\n")


def test_edits_of_one_fix_are_those_of_the_loop() -> None:
    source = "y = F.a(x), F.a(z)\n"
    check = _rules(KLD101=(r"F\.a\(\w\)", _rename("b")))
    first, second = check(source)
    for finding, column in ((first, 7), (second, 15)):
        assert finding.fix is not None
        (edit,) = edits_of_fix(Editor(source), finding, finding.fix, found=(first, second), check=check)
        assert (edit.span, edit.text) == (Span(1, column, 1, column + 1), "b")


def test_a_fix_that_does_not_help_has_no_edits() -> None:
    source = "y = F.a(x)\n"
    check = _rules(KLD101=(r"F\.[abc]\(x\)", _rename("b")))
    (finding,) = check(source)
    assert finding.fix is not None
    assert edits_of_fix(Editor(source), finding, finding.fix, found=(finding,), check=check) == ()
    other = Fix("do it", UNSAFE, (RenameCallee(finding.span, "d"),))
    assert edits_of_fix(Editor(source), finding, other, found=(finding,), check=check) != ()


def test_a_fix_that_cannot_be_made_has_no_edits() -> None:
    check = _rules(KLD101=(r"x", _rename("b")))
    (finding,) = check("y = x\n")
    assert finding.fix is not None
    assert edits_of_fix(Editor("y = x\n"), finding, finding.fix, found=(finding,), check=check) == ()


def test_a_path_is_not_mended_at_a_place_that_another_passes() -> None:
    """One arm could do without the second softmax, its first being shown; the other without the first: not both."""
    source = """import torch.nn.functional as F

def loss(x, y, flag):
    if flag:
        p = (y / 2.0).softmax(dim=1)
        print(p)
    else:
        p = (y / 2.0).softmax(dim=1).clone()
    q = F.softmax(p, dim=1)
    return F.kl_div(x.log_softmax(1), q, reduction="batchmean")
"""
    result = fix_source(source, unsafe=True)
    assert result.source == source
    assert [(finding.code, finding.fix) for finding in result.remaining] == [("KLD104", None)]


def test_of_two_arguments_in_one_place_both_are_mended_or_none() -> None:
    source = """import torch.nn.functional as F
from torch import nn

def loss(x, y):
    v = F.softmax(x, dim=1)
    print(v)
    pair = {"input": F.softmax(y.softmax(1), 1), "target": nn.Sequential(nn.Identity(), nn.Softmax(dim=1))(v)}
    return F.kl_div(**pair, reduction="batchmean")
"""
    result = fix_source(source, unsafe=True)
    assert result.refused == ()
    assert "KLD104" in {finding.code for finding in result.remaining}
