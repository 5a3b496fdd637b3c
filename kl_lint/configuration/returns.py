"""What the user knows of functions that the analysis cannot look into."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Return"]


@dataclass(frozen=True, slots=True)
class Return:
    """That the functions whose dotted name matches `pattern` return a tensor in `space`.

    A pattern matches a whole dotted name, or the end of one from a dot on; `*` stands for any text, dots included. Of
    several that match a name the first counts. `space` is one of `options.SPACES`; `dim` is the dimension along which
    the tensor is a distribution, None where the user does not say.
    """

    pattern: str
    space: str
    dim: int | None = None
