"""What users know and the interpreter cannot: spaces declared in the configuration, or by `Annotated[Tensor,
"log_probs"]`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kl_lint.flow.frame import Frame
from kl_lint.flow.source import Place, Source
from kl_lint.flow.values import Bound, Class, Function, Instance, Mass, Space, Symbol, Tensor, Trail, Value

__all__ = ["ANNOTATED", "Declaration", "annotated", "declared"]

ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
MARK = "Annotated:"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What calling anything whose dotted name matches `pattern` gives: a tensor in `space`, a distribution along
    `dim` where one is named.

    A pattern matches whole dotted names, or what they end in; `*` stands for any part of one.
    """

    pattern: str
    space: Space
    dim: int | None = None


def declared(declarations: Sequence[Declaration], frame: Frame, callee: Value, node: ast.AST) -> Tensor | None:
    """The tensor that a call of `callee` is declared to give."""
    name = dotted(callee)
    if name is None:
        return None
    for declaration in declarations:
        if fnmatchcase(name, declaration.pattern) or fnmatchcase(name, f"*.{declaration.pattern}"):
            number = frame.machine.opaque(node)
            return tensor_of(
                number, declaration.space, declaration.dim, frame.place(node), f"declared {declaration.space.value}"
            )
    return None


def tensor_of(number: int, space: Space, dim: int | None, place: Place, what: str) -> Tensor:
    """A tensor that is taken at somebody's word."""
    mass = Mass.WHOLE if dim is not None else Mass.UNKNOWN
    return Tensor(number, space, mass, dim, nonnegative=space is Space.PROBS, trail=Trail(place, what))


def dotted(callee: Value) -> str | None:
    """The dotted name of what is called: `package.module.Class.method`."""
    match callee:
        case Symbol(name=name) if name.startswith("file:"):
            path, _, member = name.removeprefix("file:").partition("::")
            return ".".join(part for part in (module_of(path), member) if part)
        case Symbol(name=name):
            return name
        case Function():
            owner = f"{callee.owner.node.name}." if callee.owner is not None else ""
            return f"{module_name(callee.frame.source)}.{owner}{getattr(callee.node, 'name', '<lambda>')}"
        case Bound(function=Function() as function):
            return dotted(function)
        case Instance(cls=cls):
            return f"{module_name(cls.frame.source)}.{cls.node.name}.forward"
        case Class():
            return f"{module_name(callee.frame.source)}.{callee.node.name}"
        case _:
            return None


def module_name(source: Source) -> str:
    """The dotted name of a source's module."""
    return module_of(source.filename)


def module_of(path: str) -> str:
    """The dotted name of a file, from its outermost package on."""
    path = os.path.abspath(path)
    folder, file = os.path.split(path)
    parts = [file.removesuffix(".py")] if file != "__init__.py" else []
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder, name = os.path.split(folder)
        parts.insert(0, name)
    return ".".join(parts)


# --- annotations -----------------------------------------------------------------------------------------------------


def mark(space: str) -> Symbol | None:
    """The value of `Annotated[Tensor, space]`, where the text names a space."""
    return Symbol(f"{MARK}{space}") if space in {member.value for member in Space} else None


def annotated(value: Value, number: int, place: Place) -> Tensor | None:
    """The tensor that an annotation promises."""
    if isinstance(value, Symbol) and value.name.startswith(MARK):
        space = Space(value.name.removeprefix(MARK))
        return tensor_of(number, space, None, place, f"annotated {space.value}")
    return None
