"""Which rules count, and which of them may be mended: codes, and beginnings of codes, as the options take them."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CODES", "INTERNAL_ERROR", "OPT_IN", "Selection", "enables", "split_codes", "unknown_code"]

INTERNAL_ERROR = "KLD000"

CODES = (
    "KLD101", "KLD102", "KLD103", "KLD104", "KLD105", "KLD106", "KLD107",
    "KLD201", "KLD202", "KLD203", "KLD204", "KLD205", "KLD206", "KLD207", "KLD208",
    "KLD301", "KLD302", "KLD303", "KLD304", "KLD305",
    "KLD401", "KLD402",
    "KLD501", "KLD502", "KLD503", "KLD504", "KLD505",
    "KLD601",
)  # fmt: skip
"""The codes of all rules. Spelled out: options are read before the rules may be loaded, which takes a while."""

OPT_IN = ("KLD208", "KLD305", "KLD504", "KLD601")
"""The rules that are off until they are asked for."""


def split_codes(text: str) -> tuple[str, ...]:
    """The codes of an option's value, which commas or spaces part."""
    return tuple(text.replace(",", " ").split())


def enables(enable: Iterable[str], code: str) -> bool:
    """Whether `enable`, codes and beginnings of codes, switches the opt-in rule `code` on."""
    return code.startswith(tuple(enable))


def unknown_code(prefix: str, codes: Sequence[str], *, kind: str = "rule") -> str | None:
    """What to tell who wrote `prefix`, where none of `codes` begins with it; None where one does."""
    if prefix and any(code.startswith(prefix) for code in codes):
        return None
    from difflib import get_close_matches

    close = get_close_matches(prefix.upper(), codes, n=1) if len(codes) > 6 else []
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(codes)}"
    return f"no {kind} has a code that begins with {prefix!r}; {hint}"


class Selection:
    """The rules whose findings are wanted, and those whose findings may be mended.

    `select` and `ignore` hold beginnings of codes; of two that match, the longer one decides, and `ignore` where they
    are one. An empty `select` stands for every rule that is on. `enable` switches opt-in rules on; so does naming one
    in full in `select`. `fixable` and `unfixable` are to fixes what `select` and `ignore` are to findings.
    """

    __slots__ = ("_fixable", "_ignore", "_select", "_unfixable", "enable")

    def __init__(
        self,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        enable: Sequence[str] = (),
        *,
        fixable: Sequence[str] = (),
        unfixable: Sequence[str] = (),
    ) -> None:
        self._select = select
        self._ignore = ignore
        self._fixable = fixable
        self._unfixable = unfixable
        self.enable = frozenset(enable) | (frozenset(select) & frozenset(OPT_IN))

    def keeps(self, code: str) -> bool:
        """Whether a finding of `code` is to be reported. An internal error always is."""
        return code == INTERNAL_ERROR or _is_among(code, self._select, self._ignore)

    def mends(self, code: str) -> bool:
        """Whether a finding of `code`, where it is reported, may be mended."""
        return _is_among(code, self._fixable, self._unfixable)


def _is_among(code: str, wanted: Sequence[str], unwanted: Sequence[str]) -> bool:
    """Whether `wanted`, or everything where it is empty, has a longer beginning of `code` than `unwanted` has."""
    longest = _longest_match(code, wanted) if wanted else 0
    return longest > _longest_match(code, unwanted)


def _longest_match(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
