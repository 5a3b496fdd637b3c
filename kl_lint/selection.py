"""Which rules count: codes, and beginnings of codes, as `--select`, `--ignore` and `--enable` take them."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["INTERNAL_ERROR", "OPT_IN", "Selection", "enables", "split_codes", "unknown_code"]

INTERNAL_ERROR = "KLD000"

OPT_IN = ("KLD208", "KLD305", "KLD504", "KLD601")
"""The rules that are off until they are asked for. Spelled out: flake8 asks before anything else may be loaded."""


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
    """The rules whose findings are wanted.

    `select` and `ignore` hold beginnings of codes; of two that match, the longer one decides, and `ignore` where they
    are one. An empty `select` stands for every rule that is on. `enable` switches opt-in rules on; so does naming one
    in full in `select`.
    """

    __slots__ = ("enable", "ignore", "select")

    def __init__(self, select: Sequence[str] = (), ignore: Sequence[str] = (), enable: Sequence[str] = ()) -> None:
        self.select = tuple(select)
        self.ignore = tuple(ignore)
        self.enable = frozenset(enable) | (frozenset(select) & frozenset(OPT_IN))

    def keeps(self, code: str) -> bool:
        """Whether a finding of `code` is to be reported. An internal error always is."""
        if code == INTERNAL_ERROR:
            return True
        selected = _longest_match(code, self.select) if self.select else 0
        return selected > _longest_match(code, self.ignore)


def _longest_match(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
