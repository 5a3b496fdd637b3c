"""How many findings there are of each rule, most first."""

from __future__ import annotations

from collections import Counter

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kl_lint.finding import Finding

__all__ = ["render"]


def render(findings: Sequence[Finding], *, as_json: bool = False) -> str:
    """One line, or one JSON object, for each rule that has findings: their number, its code, its name."""
    counts = Counter((finding.code, finding.name) for finding in findings)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        import json

        return (
            json.dumps([{"code": code, "name": name, "count": count} for (code, name), count in ranked], indent=2)
            + "\n"
        )
    width = max((len(str(count)) for _, count in ranked), default=0)
    return "".join(f"{count:>{width}}  {code}  {name}\n" for (code, name), count in ranked)
