"""State that functions change behind the back of those that read it: attributes and items of what a module holds.

A literal that such a place was seen to hold is what it holds at first, and no proof of what it holds when it is read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import choose
from kl_lint.flow.source import Source
from kl_lint.flow.syntax import walk
from kl_lint.flow.values import (
    NO_GUARDS,
    Choice,
    Class,
    Constant,
    Instance,
    Mapping,
    Numbers,
    Sequence,
    Tensor,
    Unknown,
    Value,
    options_of,
)

__all__ = ["Stored", "holds_tensors", "of_any_call", "unsettled_attribute", "unsettled_item", "unsettled_member"]

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MOST_KEPT = 32
"""Of how many files it is kept what their functions write."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the functions of a file write: the attributes of anything but their own object, and the items, by literal
    keys; and the classes whose objects get attributes by names that nobody can read.
    """

    attributes: frozenset[str] = frozenset()
    keys: frozenset[object] = frozenset()
    open_classes: frozenset[ast.AST] = frozenset()


WRITING = frozenset({ast.Attribute, ast.Subscript, ast.Call})
"""The nodes that may write an attribute or an item."""


@lru_cache(maxsize=MOST_KEPT)
def stored_by(tree: ast.Module) -> Stored:
    """What the functions of a file write: kept for a while, since many analyses look into the same files."""
    attributes: set[str] = set()
    keys: set[object] = set()
    classes: set[ast.AST] = set()
    for definition in (node for node in tree.body if isinstance(node, DEFINITIONS)):
        for node in walk(definition):
            if node.__class__ not in WRITING:
                continue
            match node:
                case ast.Attribute(value=base, attr=name, ctx=ast.Store()) if not is_self(base):
                    attributes.add(name)
                case ast.Subscript(slice=ast.Constant(value=key), ctx=ast.Store()):
                    keys.add(key)
                case ast.Call(func=ast.Name(id="setattr"), args=[base, ast.Constant(value=str() as name), _]):
                    if not is_self(base):
                        attributes.add(name)
                case ast.Call(func=ast.Name(id="setattr"), args=[base, *_]) if is_self(base):
                    classes.add(definition)
                case ast.Attribute(value=base, attr="__dict__") | ast.Call(func=ast.Name(id="vars"), args=[base]) if (
                    is_self(base)
                ):
                    classes.add(definition)
                case _:
                    pass
    return Stored(frozenset(attributes), frozenset(keys), frozenset(classes))


def is_self(node: ast.expr) -> bool:
    """Whether an expression is the object of a method."""
    return isinstance(node, ast.Name) and node.id == "self"


def unsettled_attribute(
    frame: Frame, base: Instance, name: str, value: Value, rebound: Callable[[Class, str], bool]
) -> Value:
    """An attribute of an object, which may have been written by somebody else since; `rebound` says whether methods of
    its class write it, after the object is built.
    """
    if not literal(value):
        return value
    home = stored_by(base.cls.frame.source.tree)
    outlives = base.number in frame.machine.shared and frame.kind == "function"
    if (
        base.cls.node in home.open_classes
        or ((base.entered or outlives) and written(frame, base.cls.frame.source, name))
        or (outlives and not base.entered and rebound(base.cls, name))
    ):
        return or_unknown(frame, value, "attribute", base.number, name)
    return value


def unsettled_member(frame: Frame, owner: Class | str, name: str, value: Value) -> Value:
    """What a class or a module (by its path) binds to a name, which a function may have bound to something else."""
    if frame.kind != "function" or not literal(value):
        return value
    source = owner.frame.source if isinstance(owner, Class) else frame.source
    if not written(frame, source, name):
        return value
    key: object = id(owner.node) if isinstance(owner, Class) else owner
    return or_unknown(frame, value, "member", frame.machine.numbers.of("owner", (key,)), name)


def unsettled_item(frame: Frame, base: Mapping, key: object, value: Value) -> Value:
    """An item of a dict, which may have been written by somebody else since."""
    if frame.kind != "function" or base.number not in frame.machine.shared or not literal(value):
        return value
    return or_unknown(frame, value, "item", base.number, key) if key in stored_by(frame.source.tree).keys else value


def of_any_call(value: Value, frame: Frame, *place: object) -> Value:
    """What outlives the call that has put it somewhere, as another call finds it there: distributions of the same kind,
    made of something else.
    """
    numbers = frame.machine.numbers
    return unrelated(value, numbers, numbers.of("place", place))


def unrelated(value: Value, numbers: Numbers, site: int) -> Value:
    """The same facts of tensors that were made elsewhere: those of one `site` are still of one making."""
    match value:
        case Tensor():
            source = numbers.of("unrelated", site, value.source) if value.source is not None else None
            return replace(value, number=numbers.of("unrelated", site, value.number), source=source)
        case Sequence(items=items, element=element):
            return replace(
                value,
                items=None if items is None else tuple(unrelated(item, numbers, site) for item in items),
                element=None if element is None else unrelated(element, numbers, site),
            )
        case Mapping(entries=entries, rest=rest):
            return replace(
                value,
                entries=tuple((key, unrelated(item, numbers, site)) for key, item in entries),
                rest=None if rest is None else unrelated(rest, numbers, site),
            )
        case Instance(attributes=attributes) if holds_tensors(value):
            return replace(value, attributes=tuple((name, unrelated(held, numbers, site)) for name, held in attributes))
        case Choice(options=options):
            return Choice(tuple((guards, unrelated(option, numbers, site)) for guards, option in options))
        case _:
            return value


def holds_tensors(value: Value) -> bool:
    """Whether a value is a list, a dict or an object that holds tensors."""
    match value:
        case Sequence(items=items, element=element):
            return any(isinstance(item, Tensor) for item in (*(items or ()), element))
        case Mapping(entries=entries, rest=rest):
            return isinstance(rest, Tensor) or any(isinstance(item, Tensor) for _, item in entries)
        case Instance(attributes=attributes):
            held = [option for _, attribute in attributes for _, option in options_of(attribute)]
            return any(isinstance(one, Tensor) or holds_tensors(one) for one in held)
        case Choice(options=options):
            return any(holds_tensors(option) for _, option in options)
        case _:
            return False


def written(frame: Frame, source: Source, name: str) -> bool:
    """Whether functions of a file, of the one that is interpreted or of the one that is analysed write an attribute."""
    main = frame.machine.main
    trees = dict.fromkeys((source.tree, frame.source.tree, *((main.tree,) if main is not None else ())))
    return any(name in stored_by(tree).attributes for tree in trees)


def literal(value: Value) -> bool:
    """Whether a value is, or may be, a literal."""
    return any(isinstance(option, Constant) for _, option in options_of(value))


def or_unknown(frame: Frame, value: Value, what: str, number: int, name: object) -> Value:
    """A value, or one of which nothing is known."""
    numbers = frame.machine.numbers
    unknown = Unknown(numbers.of(what, number, (name, "changed"), volatile=True))
    return choose((*options_of(value), (NO_GUARDS, unknown)), numbers)
