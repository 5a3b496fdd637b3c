"""Fixture programs in torch: loading them, running them, differentiating what they compute."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import Tensor

from tests.fixture_programs import Program


@dataclass(frozen=True, slots=True)
class Outcome:
    """A loss and its gradient with respect to every floating input that requires one."""

    value: Tensor
    gradients: tuple[Tensor, ...]

    def equals(self, other: Outcome) -> bool:
        """Whether value and gradients agree to rounding in float64; nan equals nothing."""
        pairs = zip((self.value, *self.gradients), (other.value, *other.gradients), strict=True)
        return all(torch.allclose(a, b, rtol=1e-9, atol=1e-11) for a, b in pairs)

    def finite(self) -> Tensor:
        """One flag for the value, then one for each element of each gradient."""
        return torch.cat([part.reshape(-1).isfinite() for part in (self.value, *self.gradients)])


def load(source: str, name: str) -> ModuleType:
    """Run a program's text as a module of its own; weights that it draws are the same each time."""
    module = ModuleType(re.sub(r"\W", "_", name))
    module.__file__ = name
    torch.manual_seed(0)
    exec(compile(source, name, "exec"), module.__dict__)
    return module


def load_program(program: Program) -> ModuleType:
    """Load a fixture from its file."""
    return load(program.source, str(program.path))


def evaluate(function: Callable[..., Tensor], inputs: tuple[object, ...]) -> Outcome:
    """Run a loss and differentiate it. An input that the loss does not depend on has gradient zero.

    Raises whatever the program raises; AssertionError where the loss is not a scalar tensor.
    """
    torch.manual_seed(0)
    value = function(*inputs)
    assert isinstance(value, Tensor), f"a loss must be a tensor, not {type(value).__name__}"
    assert value.dim() == 0, f"a loss must be a scalar, not of shape {tuple(value.shape)}"
    wanted = leaves(inputs)
    if not wanted or not value.requires_grad:
        return Outcome(value.detach(), tuple(torch.zeros_like(leaf) for leaf in wanted))
    gradients = torch.autograd.grad(value, wanted, allow_unused=True, materialize_grads=True)
    return Outcome(value.detach(), gradients)


def leaves(inputs: tuple[object, ...]) -> list[Tensor]:
    """The inputs that want a gradient."""
    return [value for value in inputs if isinstance(value, Tensor) and value.requires_grad]
