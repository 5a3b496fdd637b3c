"""What the user knows of functions that the analysis cannot look into."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Return"]


@dataclass(frozen=True, slots=True)
class Return:
    """That the functions whose dotted name matches `pattern` return a tensor in `space`.

    In `pattern`, `*` stands for any text, dots included. `space` is one of `options.SPACES`; `dim` is the dimension
    along which the tensor is a distribution (for logits: will be one), None where the user does not say.
    """

    pattern: str
    space: str
    dim: int | None = None
