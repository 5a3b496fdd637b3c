"""What the author of a program means: its distributions, computed from the chains of the grammar alone.

Mistakes do not change what is meant: whoever writes log_softmax(softmax(x)) means the softmax of x, and whoever gives
logits means them normalised. This is what a fix has to give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from tests.generated.grammar import Argument, Chain, Effect, Form, Program, arm
from tests.generated.oracle import inputs, log_sums


@dataclass(frozen=True, slots=True)
class Meaning:
    """The distribution that a chain stands for: log-probabilities, or scores that nothing has normalised."""

    values: Tensor
    normalised: bool


def meaning(chain: Chain, program: Program) -> Meaning | None:
    """What a chain means, whatever mistakes are in it; None where its author's mind cannot be read."""
    x, y, w = (tensor.detach() for tensor in inputs(program.sizes))
    names = {"x": x, "y": y, "w": w, "torch": torch, "F": functional}
    values: Tensor = eval(chain.base.format(torch="torch.", F="F."), names)
    normalised = False
    for step in chain.steps:
        match step.effect:
            case Effect.KEEP:
                pass
            case Effect.SOFTEN:
                values = values / step.amount
            case Effect.MASK:
                values = values.masked_fill(values == values.max(), step.amount)
            case Effect.NORMALISE:
                values = values.log_softmax(step.dim)  # nothing new for a whole distribution, whatever its form
                normalised = True
            case Effect.MOVE:
                values = _moved(step.text.before, step.text.after, values)
            case Effect.MIX:
                values = (0.5 * values.exp() + 0.5 * names[step.other].softmax(step.dim)).log()  # type: ignore[attr-defined]
            case Effect.SMOOTH:
                values = (0.9 * values.exp() + 0.1 / step.amount).log()
            case Effect.ONE_HOT:
                values = functional.one_hot(values.argmax(-1), values.shape[-1]).to(values.dtype).log()
            case Effect.LOSE:
                return None
    return Meaning(values, normalised)


def _moved(before: str, after: str, values: Tensor) -> Tensor:
    names: dict[str, Any] = {"t": values, "torch": torch}
    texts = {"x": "t", "a": "t", "n": "t", "v": "moved", "torch": "torch."}
    exec(before.format_map(texts), names)
    moved: Tensor = eval(after.format_map(texts), names)
    return moved


@dataclass(frozen=True, slots=True)
class Meant:
    """The two distributions of a divergence, as log-probabilities."""

    input: Tensor
    target: Tensor


def meant(given: Argument, target: Argument, program: Program, flag: bool) -> tuple[Meant, ...]:
    """What a pair of arguments may mean: each in the other's form may be exchanged. Nothing where it cannot be told."""
    one, other = arm(given, flag), arm(target, flag)
    found = [_meant(one, other, program)]
    if one.form is Form.PROBS and other.form is Form.LOGS:
        found.append(_meant(other, one, program))
    return tuple(pair for pair in found if pair is not None)


def _meant(given: Chain, target: Chain, program: Program) -> Meant | None:
    one, other = meaning(given, program), meaning(target, program)
    if one is None or other is None or not (one.normalised or other.normalised):
        return None
    logs = one.values if one.normalised else _along(one.values, other.values)
    probs = other.values if other.normalised else _along(other.values, one.values)
    return Meant(logs, probs)


def _along(scores: Tensor, other: Tensor) -> Tensor:
    """Scores, normalised along the dim of the other distribution."""
    dims = log_sums(other)
    return scores.log_softmax(min(dims)) if dims else scores


def divergence_of(pair: Meant) -> Tensor:
    """KL, element by element."""
    probs = pair.target.exp()
    return torch.xlogy(probs, probs) - probs * pair.input
