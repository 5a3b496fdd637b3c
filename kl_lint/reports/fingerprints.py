"""What a finding is known by from one run to the next."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kl_lint.finding import Finding

__all__ = ["fingerprints"]


def fingerprints(
    pairs: Iterable[tuple[str, Finding]], lines: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Finding, str]]:
    """The findings with their paths, and of each a fingerprint: 64 hexadecimal digits, no two the same.

    It is made of the code, the path, the text of the finding's first line without its blanks, and how many findings
    with the same three come before. Row and column have no part in it: code that is moved or indented keeps its own.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for path, finding in pairs:
        key = finding.code, path, _text(finding, lines)
        identity = "\0".join([*key, str(seen[key])])
        seen[key] += 1
        yield path, finding, sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


def _text(finding: Finding, lines: Mapping[str, Sequence[str]]) -> str:
    rows = lines.get(finding.filename, ())[finding.span.row - 1 : finding.span.row]
    return "".join("".join(rows).split())
