"""Python's builtin functions, as far as they carry tensors."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from kl_lint.flow.arithmetic import binary
from kl_lint.flow.containers import MOST_ITEMS, elements
from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import join
from kl_lint.flow.objects import KL_LOSS, LOOKED_UP, class_of
from kl_lint.flow.transfer.call import as_tensor, blurred, weight_any
from kl_lint.flow.values import (
    NONE,
    Class,
    Constant,
    External,
    Form,
    Mapping,
    Sequence,
    Space,
    Symbol,
    Tensor,
    Unknown,
    Value,
    number_of,
)

__all__ = ["BUILTINS", "builtin"]

Handler = Callable[[Frame, list[Value], dict[str, Value], ast.AST], Value]


def builtin(frame: Frame, name: str, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """The value of calling a builtin; unknown where it carries no tensor."""
    handler = HANDLERS.get(name)
    if handler is None:
        numbers = frame.machine.numbers
        return Unknown(numbers.of(name, *(number_of(value, numbers) for value in arguments)))
    return handler(frame, arguments, keywords, node)


def as_list(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """list, tuple, iter: a new list of the same elements."""
    if not arguments:
        return Sequence((), mutable=True, number=frame.machine.fresh("list", node))
    items, element = elements(frame, arguments[0], frame.machine.fresh("each", node))
    return Sequence(items, element, mutable=True, number=frame.machine.fresh("list", node))


def turned(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """reversed: the elements from the last to the first."""
    items, element = elements(frame, arguments[0], frame.machine.fresh("each", node)) if arguments else (None, None)
    backwards = items[::-1] if items is not None else None
    return Sequence(backwards, element, mutable=True, number=frame.machine.fresh("list", node))


def in_any_order(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """sorted, set: which element stands where, nobody knows."""
    given = as_list(frame, arguments, keywords, node)
    if isinstance(given, Sequence) and given.items is not None and len(given.items) > 1:
        return replace(given, items=None, element=join(given.items, frame.machine.numbers))
    return given


def as_dict(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """dict(a=…), dict(other), dict(pairs)."""
    entries: list[tuple[object, Value]] = []
    rest: Value | None = None
    match arguments:
        case [Mapping() as base]:
            entries, rest = list(base.entries), base.rest
        case [Sequence(items=items)] if items is not None:
            for pair in items:
                match pair:
                    case Sequence(items=(Constant(value=key), value)):
                        entries.append((key, value))
                    case _:
                        rest = Unknown(frame.machine.fresh("dict", node))
        case [_]:
            rest = Unknown(frame.machine.fresh("dict", node))
        case _:
            pass
    entries = [pair for pair in entries if pair[0] not in keywords]
    return Mapping((*entries, *keywords.items()), rest, frame.machine.fresh("dict", node))


def zipped(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """zip: tuples of what stands at the same place."""
    columns = [elements(frame, value, frame.machine.fresh("each", node)) for value in arguments]
    lists = [items for items, _ in columns if items is not None]
    if len(lists) == len(columns) and columns and all(len(items) <= MOST_ITEMS for items in lists):
        return Sequence(tuple(Sequence(row) for row in zip(*lists, strict=False)))
    numbers = frame.machine.numbers
    ones = [
        (join(items, numbers) if items else NONE) if items is not None else element or NONE
        for items, element in columns
    ]
    return Sequence(None, Sequence(tuple(ones)), number=frame.machine.fresh("zip", node))


def enumerated(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """enumerate: pairs of an index and an element."""
    if not arguments:
        return Unknown(frame.machine.fresh("enumerate", node))
    items, element = elements(frame, arguments[0], frame.machine.fresh("each", node))
    if items is not None:
        return Sequence(tuple(Sequence((Constant(i), value)) for i, value in enumerate(items)))
    index = integer(frame, node)
    return Sequence(None, Sequence((index, element or NONE)), number=frame.machine.fresh("enumerate", node))


def counted(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """range: short literal ones item by item."""
    match arguments:
        case [Constant(value=int() as stop)] if 0 <= stop <= 4:
            return Sequence(tuple(Constant(i) for i in range(stop)))
        case _:
            return Sequence(None, integer(frame, node), number=frame.machine.fresh("range", node))


def integer(frame: Frame, node: ast.AST) -> Unknown:
    """A running index: an integer, whatever its value."""
    number = frame.machine.fresh("index", node)
    return Unknown(number, Form("integer", Unknown(number)))


def following(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """next: of one iterator something else each time."""
    return Unknown(frame.machine.opaque(node))


def length(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """len."""
    match arguments:
        case [Sequence(items=items)] if items is not None:
            return Constant(len(items))
        case [Mapping(entries=entries, rest=None)]:
            return Constant(len(entries))
        case [value]:
            return Unknown(frame.machine.numbers.of("len", number_of(value, frame.machine.numbers)))
        case _:
            return Unknown(frame.machine.fresh("len", node))


def added_up(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """sum: of distributions, a scaled one."""
    if not arguments:
        return Unknown(frame.machine.fresh("sum", node))
    items, element = elements(frame, arguments[0], frame.machine.fresh("each", node))
    if items:
        total = items[0]
        for value in items[1:]:
            total = binary(frame, node, "add", total, value, {})
        return total
    number = frame.machine.fresh("sum", node)
    if isinstance(element, Tensor) and element.space is Space.PROBS:
        return weight_any(element, number)
    if isinstance(element, Tensor) and element.space is Space.LOG_PROBS:
        return blurred(element, number)
    given = as_tensor(element, frame.machine.numbers) if element is not None else None
    return Tensor(number, loss=given.loss) if given is not None and given.loss is not None else Unknown(number)


def is_instance(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """isinstance: decided for a KLDivLoss and other modules of torch; otherwise one flag for the same question."""
    numbers = frame.machine.numbers
    match arguments:
        case [External() as one, kinds]:
            asked = kinds.items if isinstance(kinds, Sequence) and kinds.items is not None else (kinds,)
            answers = {is_kind(one, kind) for kind in asked}
            if True in answers or None not in answers:
                return Constant(True in answers)
        case _:
            pass
    return Unknown(numbers.of("isinstance", *(number_of(value, numbers) for value in arguments)))


def type_of(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """type(module): known of what torch builds."""
    numbers = frame.machine.numbers
    found = class_of(arguments[0]) if len(arguments) == 1 else None
    return found if found is not None else Unknown(numbers.of("type", *(number_of(one, numbers) for one in arguments)))


def has_attribute(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """hasattr: a KLDivLoss has what it looks up. One built for the question is asked for the version of torch."""
    numbers = frame.machine.numbers
    match node, arguments:
        case ast.Call(args=[ast.Call(), *_]), _:
            pass
        case _, [External(name=name), Constant(value=attribute)] if name == KL_LOSS and attribute in LOOKED_UP:
            return Constant(True)
        case _:
            pass
    return Unknown(numbers.of("hasattr", *(number_of(value, numbers) for value in arguments)))


def is_kind(module: External, kind: Value) -> bool | None:
    """Whether an object of torch is one of a class; None where that is not known: other classes have subclasses."""
    match kind:
        case Class():
            return None if module.open else False
        case Symbol(name=name) if name == module.name or name in EVERY_MODULE:
            return True
        case Symbol(name=name) if KL_LOSS in (name, module.name) and name not in LOSSES:
            return False
        case _:
            return None


EVERY_MODULE = frozenset({"torch.nn.Module", "builtins.object"})
LOSSES = frozenset({"torch.nn._Loss", "torch.nn.modules.loss._Loss"})
"""The class that the losses of torch derive from."""


def number_from(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """float("-inf"), float(x), int(x)."""
    match arguments:
        case [Constant(value=str() as text)] if text.strip().lower() in (
            "inf",
            "-inf",
            "+inf",
            "infinity",
            "-infinity",
        ):
            return Constant(float(text))
        case [Constant(value=(int() | float()))]:
            return arguments[0]
        case _:
            numbers = frame.machine.numbers
            return Unknown(numbers.of("number", *(number_of(value, numbers) for value in arguments)))


def absolute(frame: Frame, arguments: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value:
    """abs of a tensor."""
    match arguments:
        case [Tensor() as given]:
            return Tensor(
                frame.machine.numbers.of("abs", given.number),
                rank=given.rank,
                nonnegative=True,
                form=Form("abs", given),
            )
        case [Constant(value=(int() | float()) as value)]:
            return Constant(abs(value))
        case _:
            return Unknown(frame.machine.fresh("abs", node))


HANDLERS: dict[str, Handler] = {
    "list": as_list,
    "tuple": as_list,
    "set": in_any_order,
    "frozenset": in_any_order,
    "reversed": turned,
    "sorted": in_any_order,
    "iter": as_list,
    "dict": as_dict,
    "zip": zipped,
    "enumerate": enumerated,
    "range": counted,
    "len": length,
    "next": following,
    "sum": added_up,
    "isinstance": is_instance,
    "type": type_of,
    "hasattr": has_attribute,
    "float": number_from,
    "int": number_from,
    "abs": absolute,
}

BUILTINS = frozenset(HANDLERS) | {
    "super",
    "getattr",
    "setattr",
    "map",
    "filter",
    "print",
    "max",
    "min",
    "any",
    "all",
    "str",
    "bool",
    "round",
    "next",
    "id",
    "callable",
    "repr",
    "vars",
    "hash",
    "divmod",
    "pow",
    "open",
    "property",
    "staticmethod",
    "classmethod",
    "object",
    "slice",
    "format",
    "isinstance",
    "issubclass",
    "delattr",
    "NotImplementedError",
    "ValueError",
    "TypeError",
    "RuntimeError",
    "Exception",
    "ImportError",
    "AssertionError",
}
