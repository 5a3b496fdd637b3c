"""What a rewrite may touch: who else reads a distribution that a KL call is given, and whether its logits are still
the same.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from kl_lint.flow.frame import Frame
from kl_lint.flow.kl_call import RemarkKind
from kl_lint.flow.passing import only_passed_on
from kl_lint.flow.scope import Scope, Uses, kept, within
from kl_lint.flow.source import Place
from kl_lint.flow.syntax import way
from kl_lint.flow.transfer.call import EPSILON
from kl_lint.flow.values import Maker, Note, Tensor, Unknown, Value, number_of, options_of

__all__ = ["GUARDS", "Reach", "note_reach", "remark_key"]

GUARDS = frozenset({"add", "clamp", "clamp_min", "clip", "maximum"})
"""The operations, besides `+`, that put an epsilon to a distribution or under it (torch_ops)."""
MOST_LOCALS = 8
"""How many names what a call makes is followed through."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How an expression and the call that made what it holds hang together (kl_call.Producer and Remark explain the
    fields).
    """

    inline: bool = False
    sole_use: bool = False
    operand_unchanged: bool = False
    sole_module: bool = False
    guards: tuple[tuple[ast.expr, ast.expr], ...] = ()


def scope_of(frame: Frame) -> Scope:
    """The scope of a frame's function; of the module at the top level."""
    node: ast.AST = frame.function.node if frame.function is not None else frame.source.tree
    return scope_at(frame, node)


def scope_at(frame: Frame, node: ast.AST) -> Scope:
    """The scope of a function, or of a module."""
    return kept(frame.machine.scopes, node)


def scope_around(frame: Frame, node: ast.AST) -> Scope:
    """The scope of the function that a node of this file stands in: the frame's own, or a helper's."""
    if frame.function is None or within(node, frame.function.node):
        return scope_of(frame)
    module = scope_at(frame, frame.source.tree)
    functions = (one for one in module.functions.around(node) if not isinstance(one, ast.Lambda))
    return scope_at(frame, next(functions, frame.source.tree))


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
            frame.machine.reaches[call, name, place] = reach(
                frame, alike[0], {maker.operand_number for maker in alike}, node
            )
        for note in {
            note: None for _, value in options_of(values[name]) if isinstance(value, Tensor) for note in value.notes
        }:
            note_remark(frame, note, node)


def remark_key(note: Note) -> tuple[Place, str, Place]:
    """Under which the reach of a remark is noted."""
    return note.place, note.kind.value, note.inner or note.place


def note_remark(frame: Frame, note: Note, given: ast.expr) -> None:
    """Note how far a rewrite of a remarkable call can reach; what differs between two ways to it counts as out of
    reach. `given` is the argument of the KL call.
    """
    if note.kind is RemarkKind.WRONG_LOG and note.place.source is frame.source:
        maker = Maker(note.detail, note.place, note.operand, note.operand_number)
        frame.machine.reaches[remark_key(note)] = reach(frame, maker, {note.operand_number}, given)
    inner, argument = note.inner, note.argument
    if inner is None or argument is None or not isinstance(argument.node, ast.expr):
        return
    if any(place.source is not frame.source for place in (note.place, inner, argument)):
        return
    if note.kind is RemarkKind.LOG_OF_LOG:
        found = Reach(guards=outer_guards(argument.node))
    else:
        maker = Maker(note.detail, inner, note.operand, note.operand_number, guarded=note.epsilon)
        found = reach(frame, maker, {note.operand_number}, argument.node)
        scope = scope_around(frame, argument.node)
        found = replace(found, sole_use=found.sole_use and not parted(scope, note, inner, found))
    known = frame.machine.reaches.get(remark_key(note), found)
    frame.machine.reaches[remark_key(note)] = replace(
        found, operand_unchanged=found.operand_unchanged and known.operand_unchanged
    )


def parted(scope: Scope, note: Note, inner: Place, found: Reach) -> bool:
    """Whether a rewrite would let a gradient through that a `with` block, such as `torch.no_grad()`, holds back.

    So it is where a log or a guard stands within and the softmax does not, or one of two normalisations.
    """
    outer_blocks, inner_blocks = scope.blocks_around(note.place.node), scope.blocks_around(inner.node)
    if any(not scope.blocks_around(guard) <= inner_blocks for guard, _ in found.guards):
        return True
    if note.kind is RemarkKind.LOG_OF_SOFTMAX:
        return not outer_blocks <= inner_blocks
    return outer_blocks != inner_blocks


def reach(frame: Frame, maker: Maker, operands: set[int | None], argument: ast.expr) -> Reach:
    """How far a rewrite can reach; `operands` are the numbers of the logits on all paths."""
    made = maker.place.node
    scope = scope_around(frame, argument)
    inline = within(made, argument)
    if not inline and scope.assignment_around(made) is None:
        return Reach()
    found = ways(scope, made, argument)
    sole = found is not None and all(
        only_passed_on(frame, one) and not any(isinstance(node, ast.NamedExpr) for node in one) for one in found
    )
    unchanged = (
        scope is scope_of(frame)
        and holds(scope, argument, maker)
        and takes_no_more(maker)
        and same_operand(frame, maker, operands)
    )
    guards = tuple(guard for way in found for guard in guards_on(way)) if found is not None else ()
    return Reach(inline, sole, unchanged, sole_module(frame, scope, maker), guards)


def ways(scope: Scope, made: ast.AST, argument: ast.expr) -> tuple[tuple[ast.AST, ...], ...] | None:
    """The nodes from what each local is assigned, and at last from the argument, down to what `made` gives.

    None unless the argument alone reads that, through locals each read once after they are written.
    """
    found: list[tuple[ast.AST, ...]] = []
    for _ in range(MOST_LOCALS):
        if within(made, argument):
            return (*found, way(argument, made))
        holder = scope.assignment_around(made)
        if holder is None or holder.name in scope.shared or not within(made, holder.value):
            return None
        before, later = scope.reads_outside(holder.name, holder.statement)
        if len(later) > 1 or (len(before) + len(later) > 1 and scope.loops.around(holder.statement)):
            return None
        later += deferred(scope, before, holder.statement)
        if len(later) != 1:
            return None
        found.append(way(holder.value, made))
        made = later[0]
    return None


def deferred(scope: Scope, loads: list[ast.Name], statement: ast.stmt) -> list[ast.Name]:
    """Those names that are read in a nested function which may run after a statement, wherever it stands."""
    outer = scope.functions_around(statement)
    return [load for load in loads if not scope.functions_around(load) <= outer]


def guards_on(nodes: tuple[ast.AST, ...]) -> tuple[tuple[ast.expr, ast.expr], ...]:
    """The additions and clamps on a way, each with the expression on the way that it is applied to."""
    found = []
    for guard, *rest in (nodes[start:] for start in range(len(nodes) - 1)):
        given = next((node for node in rest if node in guarded_by(guard)), None)
        if isinstance(guard, ast.expr) and isinstance(given, ast.expr):
            found.append((guard, given))
    return tuple(found)


def guarded_by(node: ast.AST) -> tuple[ast.expr, ...]:
    """What an addition or a clamp may be applied to: its operands; nothing for any other expression."""
    match node:
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return left, right
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args, keywords=keywords) if (
            name.rstrip("_") in GUARDS
        ):
            return (value, *args, *(keyword.value for keyword in keywords))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in GUARDS:
            return (*args, *(keyword.value for keyword in keywords))
        case _:
            return ()


def outer_guards(node: ast.expr) -> tuple[tuple[ast.expr, ast.expr], ...]:
    """The small literals added to an expression, or clamped to, from the outside in."""
    operands = guarded_by(node)
    small = [operand for operand in operands if is_small(operand)]
    others = [operand for operand in operands if not is_small(operand)]
    if not small:
        return ()
    # of `torch.clamp(p, min=1e-8)` the first is the module
    given = others[-1]
    return ((node, given), *outer_guards(given))


def is_small(node: ast.expr) -> bool:
    """Whether an expression is a number near zero, or named as one."""
    match node:
        case ast.Constant(value=float() as value):
            return 0 < value <= EPSILON
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower().strip("_").startswith("eps")
        case _:
            return False


def holds(scope: Scope, argument: ast.expr, maker: Maker) -> bool:
    """Whether an expression is what the maker gives, through nothing but names, and guards where there are some.

    What is done in a `with` block, such as `torch.no_grad()`, counts only where the expression stands in it too.
    """
    blocks = scope.blocks_around(argument)

    def same(node: ast.expr, seen: frozenset[str]) -> bool:
        if node is maker.place.node:
            return True
        if maker.guarded and any(same(operand, seen) for operand in guarded_by(node)):
            return True
        if not isinstance(node, ast.Name):
            return False
        assigned = scope.by_name.get(node.id, ())
        return node.id in seen or (
            len(assigned) == scope.stores.get(node.id)
            and all(same(one.value, seen | {node.id}) for one in assigned)
            and all(scope.blocks_around(one.statement) <= blocks for one in assigned)
        )

    return same(argument, frozenset())


def takes_no_more(maker: Maker) -> bool:
    """Whether the call is given logits and a dim alone: no dtype, say."""
    call = maker.place.node
    if not isinstance(call, ast.Call) or maker.operand is None:
        return False
    keywords = [keyword.arg for keyword in call.keywords if keyword.value is not maker.operand.node]
    positional = [node for node in call.args if node is not maker.operand.node]
    return len(keywords) + len(positional) <= 1 and set(keywords) <= {"dim"}


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
        case ast.Attribute(attr=name, value=ast.Name(id=owner)):
            return scope_at(frame, frame.source.tree).attributes.get((owner, name)) == Uses(1, 1)
        case _:
            return False
