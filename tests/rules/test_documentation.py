"""What is written about the rules, as text, Markdown and data. tests/numerics asks torch whether it is true."""

from __future__ import annotations

import ast
import json
import re
from inspect import cleandoc
from itertools import pairwise

import pytest

from kl_lint import check_source
from kl_lint.finding import Finding, Span
from kl_lint.rules import RULES, Rule, rule
from kl_lint.rules.documentation import SETUP, as_dict, as_markdown, as_table, as_text

each_rule = pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)
HEADINGS = ["What it does", "Why is this bad?", "Example", "Use instead", "Fix safety", "References"]


@each_rule
def test_every_field_says_something(one: Rule) -> None:
    documentation = one.documentation
    for text in (documentation.what_it_does, documentation.why_is_this_bad, documentation.fix_safety):
        assert len(cleandoc(text)) > 40
        assert cleandoc(text).endswith((".", ")"))
    assert documentation.references


@each_rule
def test_references_are_addresses(one: Rule) -> None:
    for reference in one.documentation.references:
        assert re.fullmatch(r"https://(docs\.pytorch\.org|github\.com/pytorch|arxiv\.org)/\S+", reference.url)
        assert reference.title


@each_rule
def test_fix_safety_agrees_with_the_kind_of_fix(one: Rule) -> None:
    safety = cleandoc(one.documentation.fix_safety)
    opening = {"none": "There is no fix", "safe": "The fix is safe", "unsafe": "The fix is unsafe"}
    assert safety.startswith(opening[one.fix.applicability.value if one.fix.applicability else "none"])


@each_rule
def test_examples_are_python_that_fits(one: Rule) -> None:
    for code in (one.documentation.example, one.documentation.use_instead):
        assert ast.parse(cleandoc(code)).body
        assert all(len(line) <= 112 for line in cleandoc(code).split("\n"))


@each_rule
def test_text_for_a_terminal(one: Rule) -> None:
    lines = as_text(one).split("\n")
    assert lines[:2] == [f"{one.code} {one.name}", "=" * len(f"{one.code} {one.name}")]
    underlined = [line for line, below in pairwise(lines) if below and set(below) == {"-"}]
    assert underlined == HEADINGS
    assert all(len(line) <= 120 for line in lines if "http" not in line)
    assert all(line == line.rstrip() for line in lines)


@each_rule
def test_markdown_has_the_anchor_that_findings_point_to(one: Rule) -> None:
    markdown = as_markdown(one)
    url = Finding(one.code, one.name, "", "f.py", Span(1, 1, 1, 2), 1).url
    anchors = [heading.lower() for heading in re.findall(r"^### (\S+)$", markdown, flags=re.MULTILINE)]
    assert anchors == [url.rpartition("#")[2]]
    assert re.findall(r"^#### (.+)$", markdown, flags=re.MULTILINE) == HEADINGS
    assert markdown.count("```python\n") == 2
    assert markdown.count("```") == 4
    assert one.name in markdown


@each_rule
def test_data_is_what_json_can_hold(one: Rule) -> None:
    data = as_dict(one)
    assert json.loads(json.dumps(data)) == data
    assert data["code"] == one.code
    assert data["fix"] == str(one.fix)
    assert [*data] == [
        "code", "name", "opt_in", "fix",
        "what_it_does", "why_is_this_bad", "example", "use_instead", "fix_safety", "references",
    ]  # fmt: skip


def found_in(one: Rule, code: str) -> list[str]:
    """The codes that kl-lint reports for an example, as a user would run it."""
    enable = frozenset({one.code}) if one.opt_in else frozenset()
    return [finding.code for finding in check_source(f"{SETUP}\n{cleandoc(code)}\n", enable=enable)]


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=one.code) for one in RULES],
)
def test_examples_are_reported(one: Rule) -> None:
    assert found_in(one, one.documentation.example) == [one.code]


@each_rule
def test_remedies_are_clean(one: Rule) -> None:
    assert found_in(one, one.documentation.use_instead) == []


def test_text_of_one_rule() -> None:
    assert (
        as_text(rule("KLD206"))
        == """\
KLD206 invalid-reduction
========================

on; fix: unsafe where the intent is plain.

What it does
------------
Checks for a `reduction` that is none of "none", "mean", "batchmean" and "sum".

Why is this bad?
----------------
`kl_div` raises ValueError. `KLDivLoss` accepts anything and raises at its first call, which may be far away.

Example
-------
    log_probs, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
    loss = F.kl_div(log_probs, target, reduction="batch_mean")  # ValueError

Use instead
-----------
    log_probs, target = F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1)
    loss = F.kl_div(log_probs, target, reduction="batchmean")  # 0.2406

Fix safety
----------
The fix is unsafe: code that raised runs. It is offered for what is one of the four in another spelling, and
not for the likes of "avg" and None.

References
----------
- torch.nn.functional.kl_div: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
- torch.nn.KLDivLoss: https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
"""
    )


def test_table() -> None:
    lines = as_table(RULES).split("\n")
    assert lines[:3] == [
        "| code | name | on | fix |",
        "|---|---|---|---|",
        "| [KLD101](#kld101) | probabilities-as-input | yes | unsafe |",
    ]
    assert len(lines) == len(RULES) + 3


def test_setup_imports_what_examples_use() -> None:
    names = {node.id for one in RULES for code in (one.documentation.example, one.documentation.use_instead)
             for node in ast.walk(ast.parse(cleandoc(code))) if isinstance(node, ast.Name)}  # fmt: skip
    assert {"torch", "F", "nn", "student", "teacher"} <= names
    assert ast.parse(SETUP).body
