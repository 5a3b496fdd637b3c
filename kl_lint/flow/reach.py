"""What a rewrite may touch: who else reads a distribution that a KL call is given, and whether its logits are still the same."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from kl_lint.flow.frame import Frame
from kl_lint.flow.source import Place
from kl_lint.flow.values import Maker, Tensor, Unknown, Value, number_of, options_of

__all__ = ["Reach", "Scope", "note_reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How a KL call's argument and the call that made it hang together (kl_call.Producer explains the fields)."""

    inline: bool = False
    sole_use: bool = False
    operand_unchanged: bool = False
    sole_module: bool = False


@dataclass(slots=True)
class Scope:
    """The names of one function (nested ones included): where each is read and written, and the assignments to single names."""

    loads: dict[str, list[ast.Name]] = field(default_factory=dict)
    stores: dict[str, int] = field(default_factory=dict)
    assignments: list[tuple[str, ast.stmt, ast.expr]] = field(default_factory=list)
    loops: list[ast.stmt] = field(default_factory=list)


def scope_of(frame: Frame) -> Scope:
    """The scope of a frame's function; of the module at the top level."""
    node: ast.AST = frame.function.node if frame.function is not None else frame.source.tree
    cache = frame.machine.scopes
    if node not in cache:
        cache[node] = scanned(node)
    return cache[node]


def scanned(node: ast.AST) -> Scope:
    """Read the names of a function."""
    scope = Scope()
    for child in ast.walk(node):
        match child:
            case ast.Name(id=name, ctx=ast.Load()):
                scope.loads.setdefault(name, []).append(child)
            case ast.Name(id=name):
                scope.stores[name] = scope.stores.get(name, 0) + 1
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                scope.assignments.append((name, child, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                scope.assignments.append((name, child, value))
            case ast.For() | ast.While() | ast.AsyncFor():
                scope.loops.append(child)
            case _:
                pass
    return scope


def within(inner: ast.AST, outer: ast.AST) -> bool:
    """Whether a node stands inside another (both of one source)."""
    start, end = position(inner)
    outer_start, outer_end = position(outer)
    return outer_start <= start and end <= outer_end


def position(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where a node begins and ends."""
    row, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    return (row, column), (getattr(node, "end_lineno", None) or row, getattr(node, "end_col_offset", None) or column)


def note_reach(frame: Frame, call: Place, nodes: dict[str, ast.expr], values: dict[str, Value]) -> None:
    """Note, for the distributions given to a KL call, how far a rewrite can reach into their making."""
    for name in ("input", "target"):
        node = nodes.get(name)
        if node is None:
            continue
        makers: dict[Place, list[Maker]] = {}
        for _, value in options_of(values[name]):
            if isinstance(value, Tensor) and value.maker is not None and value.maker.place.source is frame.source:
                makers.setdefault(value.maker.place, []).append(value.maker)
        for place, alike in makers.items():
            frame.machine.reaches[call, name, place] = reach(frame, alike[0], {maker.operand_number for maker in alike}, node)


def reach(frame: Frame, maker: Maker, operands: set[int | None], argument: ast.expr) -> Reach:
    """How far a rewrite can reach; `operands` are the numbers of the logits on all paths."""
    made = maker.place.node
    scope = scope_of(frame)
    inline = within(made, argument)
    here = inline or any(within(made, statement) for _, statement, _ in scope.assignments)
    if not here:
        return Reach()
    bare = inline or any(value is made for _, _, value in scope.assignments)
    unchanged = bare and same_operand(frame, maker, operands)
    return Reach(inline, inline or only_use(scope, made, argument), unchanged, sole_module(frame, scope, maker))


def only_use(scope: Scope, made: ast.AST, argument: ast.expr) -> bool:
    """Whether what `made` gives is read by the argument alone, through locals each read once after they are written."""
    for _ in range(8):
        holder = next(((name, stmt) for name, stmt, value in scope.assignments if within(made, value)), None)
        if holder is None:
            return False
        name, statement = holder
        reads = [load for load in scope.loads.get(name, ()) if not within(load, statement)]
        later = [load for load in reads if position(load)[0] >= position(statement)[1]]
        looped = any(within(statement, loop) for loop in scope.loops)
        if len(later) != 1 or (looped and len(reads) != 1):
            return False
        if within(later[0], argument):
            return True
        made = later[0]
    return False


def same_operand(frame: Frame, maker: Maker, operands: set[int | None]) -> bool:
    """Whether the logits are still what they were when the distribution was made."""
    node = maker.operand.node if maker.operand is not None else None
    if not isinstance(node, ast.expr) or not plain(node):
        return False
    numbers = frame.machine.numbers
    values = [value for _, value in options_of(frame.machine.evaluate(frame, node))]
    if not all(isinstance(value, (Tensor, Unknown)) for value in values):
        return False
    present = {number_of(value, numbers) for value in values}
    return present <= operands and not any(numbers.volatile(number) for number in present)


def plain(node: ast.AST) -> bool:
    """Whether an expression can be evaluated again without doing anything."""
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(value=value):
            return plain(value)
        case ast.BinOp(left=left, right=right):
            return plain(left) and plain(right)
        case ast.UnaryOp(operand=operand):
            return plain(operand)
        case ast.Subscript(value=value, slice=index):
            return plain(value) and plain(index)
        case ast.Call(func=ast.Attribute(value=value, attr="float" | "detach" | "double"), args=[], keywords=[]):
            return plain(value)
        case _:
            return False


def sole_module(frame: Frame, scope: Scope, maker: Maker) -> bool:
    """Whether the module object that made the distribution is used for nothing else."""
    if maker.module is None or maker.module.source is not frame.source:
        return False
    call = maker.place.node
    if within(maker.module.node, call):
        return True
    callee = call.func if isinstance(call, ast.Call) else None
    match callee:
        case ast.Name(id=name):
            return scope.stores.get(name, 0) == 1 and len(scope.loads.get(name, ())) == 1
        case ast.Attribute(attr=name, value=ast.Name()):
            owner = callee.value.id if isinstance(callee.value, ast.Name) else ""
            uses = [
                n
                for n in ast.walk(frame.source.tree)
                if isinstance(n, ast.Attribute) and n.attr == name and isinstance(n.value, ast.Name) and n.value.id == owner
            ]
            return sum(isinstance(n.ctx, ast.Load) for n in uses) == 1 == sum(isinstance(n.ctx, ast.Store) for n in uses)
        case _:
            return False
