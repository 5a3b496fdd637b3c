"""Which quotes new text is written in: those of the call that takes it in, else those of the file."""

from __future__ import annotations

import re

from kl_lint.rewriting.layout import Layout
from kl_lint.rewriting.lines import Range

__all__ = ["requote"]

_PLAIN_STRING = re.compile(r"""(["'])([^"'\\\n]*)\1""")


def requote(text: str, layout: Layout, place: Range) -> str:
    """`text`, new source for the expression at `place`, its plain strings in the quotes that prevail there.

    Inside an f-string, the quotes that it does not use: before Python 3.12 no others parse.
    """
    if "'" not in text and '"' not in text:
        return text
    quote = _quote(layout, place)
    return _PLAIN_STRING.sub(lambda found: f"{quote}{found[2]}{quote}", text)


def _quote(layout: Layout, place: Range) -> str:
    around = [quote for (start, end), quote in layout.interpolations if start <= place[0] and place[1] <= end]
    if around:
        return "'" if '"' in around[-1] else '"'
    within = [quote for start, quote in layout.strings if place[0] <= start < place[1]]
    for quotes in (within, layout.other_quotes()):
        if (lead := quotes.count('"') - quotes.count("'")) != 0:
            return '"' if lead > 0 else "'"
    return '"'
