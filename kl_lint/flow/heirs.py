"""Methods as those classes have them that implement what is abstract where the methods are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from kl_lint.flow.frame import Frame
from kl_lint.flow.objects import lineage
from kl_lint.flow.source import Source
from kl_lint.flow.survey import last_name, names_read
from kl_lint.flow.values import Class, Function, options_of

__all__ = ["Heir", "heirs"]

MOST_HEIRS = 8
"""How many classes of a file are entered for what they inherit."""
ABSTRACT = frozenset({"abstractmethod", "abstractproperty"})


@dataclass(frozen=True, slots=True)
class Heir:
    """A class, a method that it inherits and that uses what it implements, and where it names the base."""

    cls: Class
    method: Function
    base: ast.expr


def heirs(frame: Frame, home: Source) -> Iterator[Heir]:
    """The classes at the top of a file that inherit from one in the file `home`, and implement what is abstract in a
    base.
    """
    count = 0
    for value in list(frame.variables.values()):
        for _, option in options_of(value):
            if isinstance(option, Class) and option.frame is frame and count < MOST_HEIRS:
                found = list(inherited(option, home))
                count += bool(found)
                yield from found


def inherited(cls: Class, home: Source) -> Iterator[Heir]:
    """The methods that a class inherits from `home` and that call what it implements of the abstract ones."""
    nearest: dict[str, Function] = {}
    implemented: set[str] = set()
    for present in lineage(cls):
        for name, member in present.members.items():
            if isinstance(member, Function):
                if name in nearest and is_abstract(member) and not is_abstract(nearest[name]):
                    implemented.add(name)
                nearest.setdefault(name, member)
    if not implemented:
        return
    base = next(node for node, value in zip(cls.node.bases, cls.bases, strict=False) if isinstance(value, Class))
    for member in nearest.values():
        is_inherited = member.kind == "function" and member.owner is not cls and member.frame.source is home
        if is_inherited and not names_read(member.node).isdisjoint(implemented):
            yield Heir(cls, member, base)


def is_abstract(function: Function) -> bool:
    """Whether a method has to be implemented: it is declared so, or does nothing but raise NotImplementedError."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return False
    if any(last_name(decorator) in ABSTRACT for decorator in node.decorator_list):
        return True
    match [one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]:
        case [ast.Raise(exc=ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError")))]:
            return True
        case _:
            return False
