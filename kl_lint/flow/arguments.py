"""Arguments: evaluated in order, bound to a signature as Python binds them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from kl_lint.flow.frame import Frame
from kl_lint.flow.torch_ops import Parameter
from kl_lint.flow.values import (
    NO_GUARDS,
    Choice,
    Class,
    External,
    Function,
    Instance,
    Mapping,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)

__all__ = ["Arguments", "Binding", "bind_function", "bound", "evaluate_arguments", "or_default"]

ALIASES = {
    "axis": "dim",
    "keepdims": "keepdim",
    "self": "input",
    "x": "input",
    "tensor": "input",
    "values": "src",
    "dims": "dim",
    "a": "input",
    "a_min": "min",
    "a_max": "max",
}


@dataclass(slots=True)
class Arguments:
    """The evaluated arguments of a call. `open`: a `*` or `**` that cannot be read may give more."""

    positional: list[tuple[Value, ast.expr | None]] = field(default_factory=list)
    keywords: dict[str, tuple[Value, ast.expr | None]] = field(default_factory=dict)
    open_positional: bool = False
    open_keywords: bool = False

    @property
    def values(self) -> list[Value]:
        """The positional values."""
        return [value for value, _ in self.positional]

    def get(self, index: int, name: str) -> Value | None:
        """An argument by position or keyword."""
        if name in self.keywords:
            return self.keywords[name][0]
        return self.positional[index][0] if index < len(self.positional) else None


@dataclass(slots=True)
class Binding:
    """Arguments by parameter name."""

    values: dict[str, Value] = field(default_factory=dict)
    nodes: dict[str, ast.expr] = field(default_factory=dict)
    positions: dict[str, int | str] = field(default_factory=dict)
    rest: list[Value] = field(default_factory=list)
    fits: bool = True


def evaluate_arguments(frame: Frame, node: ast.Call) -> Arguments:
    """Evaluate the arguments of a call in order; a literal `*` or `**` is opened."""
    evaluate = frame.machine.evaluate
    arguments = Arguments()
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            spread(arguments, evaluate(frame, argument.value))
        else:
            arguments.positional.append((evaluate(frame, argument), argument))
    for keyword in node.keywords:
        value = evaluate(frame, keyword.value)
        if keyword.arg is not None:
            arguments.keywords[keyword.arg] = (value, keyword.value)
        else:
            spread_keywords(arguments, value)
    return arguments


def spread(arguments: Arguments, value: Value) -> None:
    """`*value`."""
    match value:
        case Sequence(items=items) if items is not None and not arguments.open_positional:
            arguments.positional.extend((item, None) for item in items)
        case _:
            arguments.open_positional = True


def spread_keywords(arguments: Arguments, value: Value) -> None:
    """`**value`."""
    match value:
        case Mapping(entries=entries, rest=rest):
            for key, entry in entries:
                if isinstance(key, str):
                    arguments.keywords.setdefault(key, (entry, None))
            arguments.open_keywords |= rest is not None
        case _:
            arguments.open_keywords = True


def bound(signature: tuple[Parameter, ...], arguments: Arguments) -> Binding:
    """Arguments bound to a signature as Python binds them; `fits` is False where it would raise."""
    binding = Binding()
    slots = list(signature)
    for index, (value, node) in enumerate(arguments.positional):
        if slots and slots[0].rest:
            binding.rest.append(value)
            continue
        if not slots:
            binding.fits = False
            break
        put(binding, slots.pop(0).name, value, node, index)
    names = {parameter.name for parameter in signature}
    for name, (value, node) in arguments.keywords.items():
        known = name if name in names else ALIASES.get(name, name)
        if known in binding.values or known not in names:
            binding.fits = False
        else:
            put(binding, known, value, node, name)
    return binding


def put(binding: Binding, name: str, value: Value, node: ast.expr | None, position: int | str) -> None:
    """Note one bound argument."""
    binding.values[name] = value
    binding.positions[name] = position
    if node is not None:
        binding.nodes[name] = node


def bind_function(
    frame: Frame, function: Function, arguments: Arguments, receiver: Value | None
) -> dict[str, Value] | None:
    """The variables a function starts with; None where Python would raise, or where a `*` hides what goes where."""
    signature = function.node.args
    given = list(arguments.positional)
    if receiver is not None:
        given.insert(0, (receiver, None))
    names = [parameter.arg for parameter in (*signature.posonlyargs, *signature.args)]
    variables: dict[str, Value] = dict(function.defaults)
    for name, (value, _) in zip(names, given, strict=False):
        variables[name] = value
    if len(given) > len(names):
        if signature.vararg is None:
            return None
        variables[signature.vararg.arg] = Sequence(tuple(value for value, _ in given[len(names) :]))
    elif signature.vararg is not None:
        variables[signature.vararg.arg] = Sequence(()) if not arguments.open_positional else Sequence(None)
    allowed = {*names, *(parameter.arg for parameter in signature.kwonlyargs)}
    extra: list[tuple[object, Value]] = []
    for name, (value, _) in arguments.keywords.items():
        if name in allowed:
            variables[name] = value
        elif signature.kwarg is not None:
            extra.append((name, value))
        else:
            return None
    if signature.kwarg is not None:
        rest = Unknown(frame.machine.numbers.of("keywords", (id(function.node),))) if arguments.open_keywords else None
        variables[signature.kwarg.arg] = Mapping(tuple(extra), rest)
    unbound = [name for name in allowed if name not in variables]
    if (arguments.open_positional and len(given) < len(names)) or arguments.open_keywords:
        given_names = {*names[: len(given)], *arguments.keywords}
        for name in sorted(allowed - given_names):
            unknown = Unknown(frame.machine.numbers.of("spread", (id(function.node), name, frame.machine.epoch)))
            variables[name] = or_default(variables.get(name), unknown)
        return variables
    return None if unbound else variables


def or_default(default: Value | None, unknown: Unknown) -> Value:
    """A parameter that something unknown may be given for: a module or function for its default is one of two."""
    match default:
        case Function() | External() | Class() | Instance() | Symbol() | Tensor():
            return Choice(((NO_GUARDS, default), (NO_GUARDS, unknown)))
        case _:
            return unknown
