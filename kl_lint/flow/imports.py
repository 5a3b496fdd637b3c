"""Import statements: the names that they bind to modules and members, torch's under its own paths."""

from __future__ import annotations

import ast

from kl_lint.flow.frame import Frame
from kl_lint.flow.objects import CONSTANTS, canonical
from kl_lint.flow.torch_ops import CATALOGUE, MODULES
from kl_lint.flow.values import Constant, Symbol, Value

__all__ = ["import_from", "import_names"]

STARRED = {
    "torch.nn.functional": ("kl_div",),
    "torch.nn": ("KLDivLoss", "Module", "Sequential", "ModuleList", "ModuleDict", "functional", *MODULES),
    "torch": ("no_grad", "tensor"),
}
"""What a star brings along beside the operations of the catalogue."""


def import_names(frame: Frame, node: ast.Import) -> None:
    """`import a.b as c`."""
    for alias in node.names:
        if alias.asname is not None:
            frame.set(alias.asname, imported(frame, alias.name))
        else:
            top = alias.name.partition(".")[0]
            frame.set(top, imported(frame, top))


def imported(frame: Frame, name: str) -> Value:
    """A module by its dotted name: one of the project, or one from outside."""
    modules = frame.machine.modules
    if modules is not None and not name.startswith("torch"):
        found = modules.imported(name, frame.source)
        if found is not None:
            return found
    return Symbol(canonical(name))


def import_from(frame: Frame, node: ast.ImportFrom) -> None:
    """`from a import b as c`."""
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            star_import(frame, module)
            continue
        modules = frame.machine.modules
        if modules is not None and not module.startswith("torch."):
            found = modules.imported_from(node.level, node.module or "", alias.name, frame.source)
            if found is not None:
                frame.set(alias.asname or alias.name, found)
                continue
        full = canonical(f"{module}.{alias.name}")
        value: Value = Constant(CONSTANTS[full]) if full in CONSTANTS else Symbol(full)
        frame.set(alias.asname or alias.name, value)


def star_import(frame: Frame, module: str) -> None:
    """`from a import *`: torch's own public names are known; of another module, that it may bring torch along."""
    if module in STARRED:
        listed = (path.removeprefix(f"{module}.") for path in CATALOGUE if path.startswith(f"{module}."))
        for name in (*STARRED[module], *(name for name in listed if "." not in name)):
            frame.set(name, Symbol(canonical(f"{module}.{name}")))
    else:
        home = frame
        while home.parent is not None:
            home = home.parent
        home.star_import = True
