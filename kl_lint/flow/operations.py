"""The operations of the catalogue, applied: to each alternative, and in place."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from kl_lint.flow.arguments import Arguments, Binding, bound
from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import join
from kl_lint.flow.lifting import lift
from kl_lint.flow.store import mutate, store, view_root
from kl_lint.flow.torch_ops import Operation, parameters
from kl_lint.flow.transfer.call import Call
from kl_lint.flow.values import Choice, Constant, Sequence, Tensor, Unknown, Value, options_of

__all__ = ["apply", "held_back", "operate", "write_back", "write_out"]

COMPUTING = frozenset(
    "add cat clamp clamp_min clone div exp expm1 lerp log log10 log1p log2 maximum mean mul pow stack sub sum".split()
)
"""Operations that always make a new tensor. A view that is taken under `torch.no_grad()` carries a gradient still."""


def operate(
    frame: Frame,
    operation: Operation,
    arguments: Arguments,
    node: ast.Call,
    *,
    in_place: bool,
    receiver: ast.expr | None = None,
) -> Value:
    """An operation of the catalogue; in place, what it was given holds the result."""
    binding = bound(parameters(operation.signature), arguments)
    if arguments.open_positional:
        return Unknown(frame.machine.opaque(node))
    result = apply(frame, operation, binding.values, binding.nodes, tuple(binding.rest), node)
    target = receiver if receiver is not None else binding.nodes.get("input")
    in_place = in_place or binding.values.get("inplace") == Constant(True)
    if frame.no_grad and (in_place or operation.label in COMPUTING):
        result = held_back(result, binding.values.values(), in_place=in_place)
    asked = arguments.keywords.get("requires_grad")
    if asked is not None and asked[0] != Constant(False) and isinstance(result, Tensor):
        result = replace(result, gradient=True)
    if in_place and "input" in binding.values and result is not binding.values["input"]:
        write_back(frame, target, binding, operation, result, node)
    write_out(frame, arguments, result)
    return result


def write_out(frame: Frame, arguments: Arguments, result: Value) -> None:
    """Give the result of a call to what it is told to write it to: `out=`."""
    out = arguments.keywords.get("out")
    if out is not None and isinstance(out[1], (ast.Name, ast.Attribute)):
        store(frame, out[1], result)


def held_back(result: Value, given: Iterable[Value], *, in_place: bool = False) -> Value:
    """What an operation that computes gives under `torch.no_grad()`: a new tensor carries no gradient, one that is
    changed in place what it did before.
    """
    before = [option for value in given for _, option in options_of(value)]
    kept = in_place and any(isinstance(one, Unknown) or (isinstance(one, Tensor) and one.gradient) for one in before)

    def held(option: Value) -> Value:
        return replace(option, gradient=kept) if isinstance(option, Tensor) else option

    if type(result) is Choice:
        return Choice(tuple((guards, held(option)) for guards, option in result.options))
    return held(result)


def write_back(
    frame: Frame, target: ast.expr | None, binding: Binding, operation: Operation, result: Value, node: ast.Call
) -> None:
    """Give the result of an in-place operation to the name that holds the memory: the target itself, or what it is a
    view of.
    """
    root = view_root(target)
    old = binding.values["input"]
    if root is target or root is None:
        mutate(frame, target, old, result)
        return
    whole = frame.machine.evaluate(frame, root)
    changed = apply(frame, operation, {**binding.values, "input": whole}, {}, tuple(binding.rest), node)
    mutate(frame, root, whole, changed)


def apply(
    frame: Frame,
    operation: Operation,
    values: dict[str, Value],
    nodes: dict[str, ast.expr],
    rest: tuple[Value, ...],
    node: ast.AST,
) -> Value:
    """The effect of an operation on its arguments, each alternative by itself."""
    values = {name: distributed(frame, value) for name, value in values.items()}
    names = [name for name, value in values.items() if type(value) is Choice]
    if not names:
        return operation.effect(Call(frame, node, operation.label, values, nodes, rest))

    def effect(*chosen: Value) -> Value:
        return operation.effect(
            Call(frame, node, operation.label, {**values, **dict(zip(names, chosen, strict=True))}, nodes, rest)
        )

    return lift(frame, effect, *(values[name] for name in names))


def distributed(frame: Frame, value: Value) -> Value:
    """A list of choices as a choice of lists."""
    match value:
        case Sequence(items=items) if items is not None and any(type(item) is Choice for item in items):
            return lift(frame, lambda *plain: replace(value, items=plain), *items)
        case Sequence(element=Choice() as element):
            return replace(value, element=join([element], frame.machine.numbers))
        case _:
            return value
