"""The documentation of a rule as plain text, as Markdown, and as a dict for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc

from kl_lint.rules.base import Documentation, Rule

__all__ = ["SETUP", "as_dict", "as_markdown", "as_table", "as_text"]

SETUP = """\
import torch
import torch.nn.functional as F
from torch import nn

student = torch.tensor([[2.0, 0.5, -1.0], [-1.0, 1.5, 0.0]])  # logits, [B, C]
teacher = torch.tensor([[1.5, 1.0, -0.5], [0.5, 1.0, -1.0]])
"""
"""What every example starts from. The divergence of the two, KL(teacher || student), is 0.2406."""


def as_text(rule: Rule) -> str:
    """For a terminal: headings underlined, code indented."""
    documentation = rule.documentation
    title = f"{rule.code} {rule.name}"
    parts = [_underlined(title, "="), _summary(rule)]
    parts += [f"{_underlined(heading, '-')}\n{text}" for heading, text in _prose(documentation)[:2]]
    parts += [f"{_underlined(heading, '-')}\n{_indented(code)}" for heading, code in _code(documentation)]
    heading, text = _prose(documentation)[2]
    parts.append(f"{_underlined(heading, '-')}\n{text}")
    references = "\n".join(f"- {reference.title}: {reference.url}" for reference in documentation.references)
    parts.append(f"{_underlined('References', '-')}\n{references}")
    return "\n\n".join(parts) + "\n"


def as_markdown(rule: Rule) -> str:
    """A section under the heading `### KLD101`, which is the anchor that `Finding.url` points to."""
    documentation = rule.documentation
    parts = [f"### {rule.code}", f"**{rule.name}**: {_summary(rule)}"]
    parts += [f"#### {heading}\n\n{text}" for heading, text in _prose(documentation)[:2]]
    parts += [f"#### {heading}\n\n```python\n{code}\n```" for heading, code in _code(documentation)]
    heading, text = _prose(documentation)[2]
    parts.append(f"#### {heading}\n\n{text}")
    references = "\n".join(f"- [{reference.title}]({reference.url})" for reference in documentation.references)
    parts.append(f"#### References\n\n{references}")
    return "\n\n".join(parts) + "\n"


def as_dict(rule: Rule) -> dict[str, object]:
    """Strings, booleans, lists and dicts only."""
    documentation = rule.documentation
    return {
        "code": rule.code,
        "name": rule.name,
        "opt_in": rule.opt_in,
        "fix": str(rule.fix),
        "what_it_does": cleandoc(documentation.what_it_does),
        "why_is_this_bad": cleandoc(documentation.why_is_this_bad),
        "example": cleandoc(documentation.example),
        "use_instead": cleandoc(documentation.use_instead),
        "fix_safety": cleandoc(documentation.fix_safety),
        "references": [{"title": reference.title, "url": reference.url} for reference in documentation.references],
    }


def as_table(rules: Iterable[Rule]) -> str:
    """The rules as a Markdown table."""
    rows = [
        f"| [{rule.code}](#{rule.code.lower()}) | {rule.name} | {'no' if rule.opt_in else 'yes'} | {rule.fix} |"
        for rule in rules
    ]
    return "\n".join(["| code | name | on | fix |", "|---|---|---|---|", *rows]) + "\n"


def _summary(rule: Rule) -> str:
    switch = "off until enabled" if rule.opt_in else "on"
    return f"{switch}; fix: {rule.fix}."


def _prose(documentation: Documentation) -> tuple[tuple[str, str], ...]:
    return (
        ("What it does", cleandoc(documentation.what_it_does)),
        ("Why is this bad?", cleandoc(documentation.why_is_this_bad)),
        ("Fix safety", cleandoc(documentation.fix_safety)),
    )


def _code(documentation: Documentation) -> tuple[tuple[str, str], ...]:
    return ("Example", cleandoc(documentation.example)), ("Use instead", cleandoc(documentation.use_instead))


def _underlined(heading: str, line: str) -> str:
    return f"{heading}\n{line * len(heading)}"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.split("\n"))
