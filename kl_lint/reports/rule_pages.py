"""What `kl-lint rule` prints: the documentation of rules."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kl_lint.rules.base import Rule
from kl_lint.rules.documentation import as_dict, as_markdown, as_table, as_text

__all__ = ["render"]


def render(rules: Sequence[Rule], output_format: str, *, alone: bool) -> str:
    """The pages of `rules` as `text`, `markdown` or `json`; one that stands `alone` comes without table or array."""
    match output_format:
        case "json":
            pages = [as_dict(rule) for rule in rules]
            return json.dumps(pages[0] if alone else pages, indent=2) + "\n"
        case "markdown":
            table = [] if alone else [as_table(rules)]
            return "\n".join([*table, *map(as_markdown, rules)])
        case _:
            return "\n\n".join(map(as_text, rules))
