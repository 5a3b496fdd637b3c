"""nn.ModuleDict as the dict that it is."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.values import External, Mapping

__all__ = ["as_mapping", "from_mapping", "is_module_dict"]

MODULE_DICT = "torch.nn.ModuleDict"


def is_module_dict(module: External) -> bool:
    """Whether a module holds others by name: those under known names are its arguments, any other is its item."""
    return module.name == MODULE_DICT


def as_mapping(module: External) -> Mapping:
    """What an nn.ModuleDict holds."""
    return Mapping(module.arguments, module.items[0] if module.items else None, module.number)


def from_mapping(module: External, held: Mapping) -> External:
    """An nn.ModuleDict that holds something else."""
    named = tuple((key, value) for key, value in held.entries if isinstance(key, str))
    return replace(module, arguments=named, items=() if held.rest is None else (held.rest,))
