"""Expressions: the value of each kind, and the conditions that a test puts on its two arms."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kl_lint.flow.arguments import Arguments, evaluate_arguments
from kl_lint.flow.arithmetic import binary, negate
from kl_lint.flow.builtins import BUILTINS
from kl_lint.flow.calls import call, call_function
from kl_lint.flow.conditions import Arms, all_of, compare_arms, truth_guards, truth_of
from kl_lint.flow.containers import MOST_ITEMS, concatenated, elements, item, lacks, one_of, too_deep, updated
from kl_lint.flow.declared import ANNOTATED, mark
from kl_lint.flow.frame import MISSING, Frame
from kl_lint.flow.indexing import index_parts, index_tensor
from kl_lint.flow.lattice import choose, join
from kl_lint.flow.lifting import lift, under
from kl_lint.flow.objects import attribute, find_member, overlay_key
from kl_lint.flow.operations import held_back
from kl_lint.flow.ranks import has_more_dims
from kl_lint.flow.state import holds_tensors, of_any_call
from kl_lint.flow.store import store
from kl_lint.flow.values import (
    NONE,
    NO_GUARDS,
    Choice,
    Class,
    Constant,
    External,
    Form,
    Function,
    Guards,
    Instance,
    Mapping,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    compatible,
    number_of,
    options_of,
)

__all__ = ["arms_of", "bind_target", "combined", "evaluate", "function_value", "resolved"]

DEEPEST = 60
"""How deep expressions may nest before they are left alone."""

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
STAR_IMPORTED = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
"""The names under which torch is known everywhere: taken for it where a star import may have brought them."""


def evaluate(frame: Frame, node: ast.expr) -> Value:
    """The value of an expression on the present path."""
    machine = frame.machine
    machine.work()
    handler = HANDLERS.get(type(node))
    if handler is None or machine.depth > DEEPEST:
        return Unknown(machine.opaque(node))
    machine.depth += 1
    try:
        return handler(frame, node)
    finally:
        machine.depth -= 1


def unknown(frame: Frame, node: ast.AST) -> Value:
    """A value of which nothing is known."""
    return Unknown(frame.machine.opaque(node))


MOST_BITS = 1024
"""The longest integer whose value counts."""


def constant(frame: Frame, node: ast.Constant) -> Value:
    """A literal. Nothing is known of a number so long that Python refuses to write it in decimal."""
    if isinstance(node.value, int) and node.value.bit_length() > MOST_BITS:
        return Unknown(frame.machine.numbers.of("long", (id(node),)))
    return Constant(node.value)


def name(frame: Frame, node: ast.Name) -> Value:
    """A name: bound in the file, a builtin, or unknown."""
    value = frame.lookup(node.id)
    if value is not None:
        return of_any_call(value, frame, node.id) if outlives(frame, node.id, value) else resolved(frame, value)
    if node.id in BUILTINS:
        return Symbol(f"builtins.{node.id}")
    if frame.machine.modules is not None:
        starred = frame.machine.modules.starred(module_frame(frame), node.id)
        if starred is not None:
            return starred
    if node.id in STAR_IMPORTED and module_frame(frame).star_import:
        return Symbol(STAR_IMPORTED[node.id])
    return Unknown(frame.machine.numbers.of("free", (node.id,)))


def outlives(frame: Frame, name: str, value: Value) -> bool:
    """Whether what a name holds may have been put there by another call of the function that asks for it."""
    if frame.kind != "function" or name in frame.variables:
        return False
    return name in frame.foreign or holds_tensors(value)


def resolved(frame: Frame, value: Value) -> Value:
    """A name imported from another file of the project, as that file binds it."""
    modules = frame.machine.modules
    if modules is None:
        return value
    if type(value) is Choice:
        found = [(guards, resolved(frame, option)) for guards, option in value.options]
        changed = any(new is not old for (_, new), (_, old) in zip(found, value.options, strict=True))
        return choose(found, frame.machine.numbers) if changed else value
    return modules.resolve(value) if type(value) is Symbol and "::" in value.name else value


def module_frame(frame: Frame) -> Frame:
    """The frame of the module."""
    while frame.parent is not None:
        frame = frame.parent
    return frame


def attribute_of(frame: Frame, node: ast.Attribute) -> Value:
    """`base.name`."""
    return attribute_on(frame, evaluate(frame, node.value), node)


def attribute_on(frame: Frame, base: Value, node: ast.Attribute) -> Value:
    """The attribute of what stands before it."""
    if type(base) is Choice:
        objects = tuple(option for option in base.options if option[1] != NONE) or base.options
        return frame.narrow(lift(frame, lambda one: attribute(frame, one, node.attr, node), Choice(objects)))
    return frame.narrow(attribute(frame, base, node.attr, node))


def call_of(frame: Frame, node: ast.Call) -> Value:
    """A call. `x.size(i)` is a size, `cls.__init__(self)` and the like are left to the callee."""
    func = node.func
    if not isinstance(func, ast.Attribute):
        callee = evaluate(frame, func)
        return frame.narrow(call(frame, callee, evaluate_arguments(frame, node), node))
    base = evaluate(frame, func.value)  # once: it may do something
    callee = attribute_on(frame, base, func)
    arguments = evaluate_arguments(frame, node)
    plain = not node.keywords and not arguments.open_positional
    if func.attr == "size" and plain and type(callee) is Unknown and isinstance(base, (Tensor, Unknown)):
        return size_of(frame, base, arguments)
    return frame.narrow(call(frame, callee, arguments, node))


def size_of(frame: Frame, base: Tensor | Unknown, arguments: Arguments) -> Value:
    """`x.size(i)`: the same number each time it is asked."""
    if not arguments.positional:
        return Unknown(frame.machine.numbers.of("shape", base.number), Form("shape", base))
    return size_at(frame, base, arguments.positional[0][0])


def size_at(frame: Frame, base: Tensor | Unknown, index: Value) -> Value:
    """The size of a tensor along a dim, counted from the end where the rank tells."""
    numbers = frame.machine.numbers
    if isinstance(index, Constant) and type(index.value) is int:
        dim = index.value
        if dim >= 0 and isinstance(base, Tensor) and base.rank is not None:
            dim -= base.rank
        number = numbers.of("size", base.number, (dim,))
        if index.value == 0:
            frame.machine.batch_sizes.add(number)
        return Unknown(number)
    return Unknown(numbers.of("size", base.number, number_of(index, numbers)))


def binary_operation(frame: Frame, node: ast.BinOp) -> Value:
    """`a + b`; a long chain of operators is walked without recursion."""
    chain: list[ast.BinOp] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp) and len(chain) < 5000:
        chain.append(left)
        left = left.left
    value = evaluate(frame, left)
    for link in reversed(chain):
        frame.machine.work()
        value = combined(frame, link, value, evaluate(frame, link.right), {"input": link.left, "other": link.right})
    return held_back(value, ()) if frame.no_grad else value


def combined(
    frame: Frame, node: ast.BinOp | ast.AugAssign, left: Value, right: Value, nodes: dict[str, ast.expr]
) -> Value:
    """`left operator right`, each alternative by itself."""
    operator = OPERATORS.get(type(node.op), "other")
    numbers = frame.machine.numbers

    def of(one: Value, other: Value) -> Value:
        match operator, one, other:
            case "or", Mapping(), Mapping():
                return replace(
                    updated(one, other, numbers),
                    number=one.number if isinstance(node, ast.AugAssign) else frame.machine.fresh("or", node),
                )
            case "add", Sequence(), Sequence() if one.items is None or other.items is None:
                return concatenated(one, other, numbers)
            case _:
                return binary(frame, node, operator, one, other, nodes)

    return lift(frame, of, running(left), running(right))


def running(value: Value) -> Value:
    """Without the alternative None, of which no operator takes any notice but by raising."""
    if type(value) is not Choice:
        return value
    options = tuple(option for option in value.options if option[1] != NONE)
    return Choice(options) if options else value


def unary_operation(frame: Frame, node: ast.UnaryOp) -> Value:
    """`-x`, `not x`, `~x`."""
    value = evaluate(frame, node.operand)
    match node.op:
        case ast.USub():
            return lift(frame, lambda one: negate(frame, node, one), value)
        case ast.Not():
            truth = truth_of(value)
            if truth is not None:
                return Constant(not truth)
            return lift(frame, lambda one: negated(frame, one), value)
        case _:
            return Unknown(frame.machine.numbers.of(type(node.op).__name__, number_of(value, frame.machine.numbers)))


def negated(frame: Frame, value: Value) -> Value:
    """`not value`: the same flag, turned."""
    truth = truth_of(value)
    if truth is not None:
        return Constant(not truth)
    number = number_of(value, frame.machine.numbers)
    return Choice(((frozenset({(number, True)}), Constant(False)), (frozenset({(number, False)}), Constant(True))))


def boolean_operation(frame: Frame, node: ast.BoolOp) -> Value:
    """`a or b`, `a and b`: the first that decides."""
    decides = isinstance(node.op, ast.Or)
    options: list[tuple[Guards, Value]] = []
    path: Guards = NO_GUARDS
    for i, part in enumerate(node.values):
        value = under(frame, path, lambda part=part: evaluate(frame, part))  # type: ignore[misc]
        if i == len(node.values) - 1:
            options.extend((path | guards, option) for guards, option in options_of(value))
            break
        for guards, option in options_of(value):
            if truth_of(option) in (decides, None):
                options.append((path | guards, option))
        yes, no = truth_guards(frame, value)
        onward = no if decides else yes
        if onward is None:
            break
        path = path | onward
    return choose(options, frame.machine.numbers)


def conditional(frame: Frame, node: ast.IfExp) -> Value:
    """`a if test else b`."""
    options: list[tuple[Guards, Value]] = []
    arms = arms_of(frame, node.test)
    for guards, branch in ((arms[0], node.body), (arms[1], node.orelse)):
        if guards is None or not compatible(guards, frame.guards()):
            continue
        value = under(frame, guards, lambda branch=branch: evaluate(frame, branch))  # type: ignore[misc]
        options.extend((guards | more, option) for more, option in options_of(value))
    return choose(options, frame.machine.numbers) if options else unknown(frame, node)


# --- tests -----------------------------------------------------------------------------------------------------------


def arms_of(frame: Frame, test: ast.expr) -> Arms:
    """What a test says on its two arms."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yes, no = arms_of(frame, operand)
            return no, yes
        case ast.BoolOp(op=ast.And(), values=parts):
            return all_of(frame, [arms_of(frame, part) for part in parts])
        case ast.BoolOp(op=ast.Or(), values=parts):
            no, yes = all_of(frame, [(no, yes) for yes, no in (arms_of(frame, part) for part in parts)])
            return yes, no
        case ast.Compare() if has_more_dims(frame, test):
            return NO_GUARDS, None
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return compare_arms(frame, evaluate(frame, left), operator, evaluate(frame, right), test)
        case ast.NamedExpr():
            return truth_guards(frame, evaluate(frame, test))
        case _:
            return truth_guards(frame, evaluate(frame, test))


def comparison(frame: Frame, node: ast.Compare) -> Value:
    """A comparison as a value: decided, or one flag."""
    yes, no = arms_of(frame, node) if len(node.ops) == 1 else (NO_GUARDS, NO_GUARDS)
    if yes is None:
        return Constant(False)
    if no is None:
        return Constant(True)
    if yes and no:
        return Choice(((yes, Constant(True)), (no, Constant(False))))
    return unknown(frame, node)


# --- containers, indexing --------------------------------------------------------------------------------------------


def sequence(frame: Frame, node: ast.Tuple | ast.List | ast.Set) -> Value:
    """A tuple, list or set display; very long ones are not looked into."""
    mutable = not isinstance(node, ast.Tuple)
    number = frame.machine.fresh("display", node) if mutable else 0
    if len(node.elts) > 4 * MOST_ITEMS:
        return Sequence(None, None, mutable=mutable, number=number)
    items: list[Value] = []
    rest: list[Value] = []
    for element in node.elts:
        if isinstance(element, ast.Starred):
            spread, one = elements(frame, evaluate(frame, element.value), frame.machine.fresh("star", element))
            if spread is None:
                rest.append(one if one is not None else NONE)
            else:
                items.extend(spread)
        else:
            items.append(evaluate(frame, element))
    if too_deep(items):
        return unknown(frame, node)
    if rest:
        return Sequence(None, join([*items, *rest], frame.machine.numbers), mutable=mutable, number=number)
    return Sequence(tuple(items), mutable=mutable, number=number)


def mapping(frame: Frame, node: ast.Dict) -> Value:
    """A dict display."""
    entries: dict[object, Value] = {}
    rest: list[Value] = []
    if len(node.keys) > 8 * MOST_ITEMS:
        return Mapping((), unknown(frame, node), frame.machine.fresh("display", node))
    for key, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(frame, value_node)
        if key is None:
            if isinstance(value, Mapping):
                entries.update(value.entries)
                rest.extend(v for v in (value.rest,) if v is not None)
            else:
                anything = Unknown(frame.machine.opaque(value_node))
                entries = {held: join((one, anything), frame.machine.numbers) for held, one in entries.items()}
                rest.append(anything)
            continue
        known = evaluate(frame, key)
        if isinstance(known, Constant):
            entries[known.value] = value
        elif isinstance(known, Symbol):
            entries[known.name] = value
        else:
            rest.append(value)
    if too_deep([*entries.values(), *rest]):
        return unknown(frame, node)
    return Mapping(
        tuple(entries.items()),
        join(rest, frame.machine.numbers) if rest else None,
        frame.machine.fresh("display", node),
    )


def subscript(frame: Frame, node: ast.Subscript) -> Value:
    """`base[index]`."""
    base = evaluate(frame, node.value)
    if type(base) is Choice and isinstance(node.slice, (ast.Constant, ast.Name, ast.UnaryOp)):
        key = evaluate(frame, node.slice)
        base = choose(
            [option for option in base.options if not lacks(option[1], key)] or base.options, frame.machine.numbers
        )
    return frame.narrow(lift(frame, lambda one: subscript_one(frame, one, node), base))


def subscript_one(frame: Frame, base: Value, node: ast.Subscript) -> Value:
    """`base[index]`, for one alternative of the base."""
    numbers = frame.machine.numbers
    match base:
        case Sequence() | Mapping() | External():
            if isinstance(node.slice, ast.Slice):
                return sliced(frame, base, node.slice, node)
            return lift(frame, lambda key: item(frame, base, key), evaluate(frame, node.slice))
        case Symbol(name=name) if name in ANNOTATED:
            return annotation(frame, node.slice) or base
        case Symbol() | Class():
            return base
        case Unknown(form=Form(op="shape", operand=operand)) if not isinstance(node.slice, ast.Slice):
            return size_at(frame, operand, evaluate(frame, node.slice))
        case Unknown() if isinstance(node.slice, ast.Constant):
            written = frame.lookup(overlay_key(base, node.slice.value, frame))
            if written is not None:
                return written
        case Instance():
            return subscript_instance(frame, base, node)
        case _:
            pass
    parts = index_parts(frame, node.slice)
    number = numbers.of("index", number_of(base, numbers), *(part.number for part in parts))
    if isinstance(base, Tensor):
        return index_tensor(frame, base, parts, number)
    if isinstance(base, Unknown) and base.form is not None and base.form.op in ("sum", "logsumexp"):
        regained = index_tensor(frame, Tensor(base.number, form=base.form), parts, number)
        return Unknown(number, regained.form)
    return Unknown(number)


def annotation(frame: Frame, node: ast.expr) -> Value | None:
    """`Annotated[Tensor, "log_probs"]`."""
    match node:
        case ast.Tuple(elts=[_, *notes]):
            words = [note.value for note in notes if isinstance(note, ast.Constant) and isinstance(note.value, str)]
            return next((found for word in words if (found := mark(word)) is not None), None)
        case _:
            return None


def subscript_instance(frame: Frame, base: Instance, node: ast.Subscript) -> Value:
    """`obj[key]` through `__getitem__`; a NamedTuple's field by its place."""
    found = find_member(base.cls, "__getitem__")
    index = evaluate(frame, node.slice) if not isinstance(node.slice, ast.Slice) else unknown(frame, node)
    if found is not None and isinstance(found[0], Function):
        return call_function(frame, found[0], Arguments([(index, node.slice)]), node, base)
    fields, _ = elements(frame, base, base.number)
    if fields is not None and isinstance(index, Constant):
        return item(frame, Sequence(fields), index)
    return unknown(frame, node)


def sliced(frame: Frame, base: Value, piece: ast.Slice, node: ast.AST) -> Value:
    """`items[a:b]`."""
    bounds = [evaluate(frame, bound) if bound is not None else NONE for bound in (piece.lower, piece.upper, piece.step)]
    numbers = frame.machine.numbers
    match base:
        case Sequence(items=items) if items is not None and all(
            isinstance(b, Constant) and (b.value is None or type(b.value) is int) for b in bounds
        ):
            lower, upper, step = (
                b.value if isinstance(b, Constant) and isinstance(b.value, int) else None for b in bounds
            )
            if step != 0:
                return replace(base, items=items[slice(lower, upper, step)], number=frame.machine.fresh("slice", node))
            return unknown(frame, node)
        case Sequence(items=items) if items:
            return Sequence(
                None,
                one_of(items, frame.machine.fresh("slice", node), numbers),
                mutable=base.mutable,
                number=frame.machine.fresh("slice", node),
            )
        case Sequence(items=None):
            return replace(base, number=numbers.of("slice", base.number, *(number_of(b, numbers) for b in bounds)))
        case External():
            return replace(base, open=True)
        case _:
            return base


# --- functions, comprehensions ---------------------------------------------------------------------------------------


def function_value(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, **changes: Any) -> Function:
    """A function as a value: its defaults are evaluated where it is defined."""
    signature = node.args
    positional = [*signature.posonlyargs, *signature.args]
    defaults: list[tuple[str, Value]] = []
    for parameter, default in zip(
        positional[len(positional) - len(signature.defaults) :], signature.defaults, strict=True
    ):
        defaults.append((parameter.arg, evaluate(frame, default)))
    for parameter, keyword_default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
        if keyword_default is not None:
            defaults.append((parameter.arg, evaluate(frame, keyword_default)))
    function = Function(node, frame, tuple(defaults), **changes)
    frame.machine.defined.setdefault(node, function)
    frame.machine.homes.add(frame)
    return function


def lambda_value(frame: Frame, node: ast.Lambda) -> Value:
    """A lambda."""
    return function_value(frame, node)


def named(frame: Frame, node: ast.NamedExpr) -> Value:
    """`name := value`."""
    value = evaluate(frame, node.value)
    store(frame, node.target, value)
    return value


def comprehension(frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
    """A list of what the element expression can be; item by item where the iterable is short and known."""
    frame.open_branch()
    try:
        values = comprehended(frame, node.generators, lambda: evaluate(frame, node.elt))
    finally:
        frame.close_branch()
    number = frame.machine.fresh("comprehension", node)
    if values is None:
        return Sequence(None, None, mutable=True, number=number)
    exact = len(node.generators) == 1 and not node.generators[0].ifs and values[1]
    if exact:
        return Sequence(tuple(values[0]), mutable=True, number=number)
    return Sequence(None, join(values[0], frame.machine.numbers) if values[0] else None, mutable=True, number=number)


def comprehended(
    frame: Frame, generators: list[ast.comprehension], result: Callable[[], Value], room: int = MOST_ITEMS
) -> tuple[list[Value], bool] | None:
    """The values of a comprehension's element (at most `room`, else one stands for all), and whether they are exactly
    one for each item.
    """
    if not generators:
        return [result()], True
    first, *rest = generators
    iterable = evaluate(frame, first.iter)
    items, one = elements(frame, iterable, frame.machine.fresh("each", first.iter))
    if items is not None and len(items) <= min(8, room):
        values: list[Value] = []
        for each in items:
            frame.machine.epoch += 1  # what is called for one item gives something else for the next
            store(frame, first.target, each)
            if any(arms_of(frame, test)[0] is None for test in first.ifs):
                continue
            inner = comprehended(frame, rest, result, room // len(items))
            values.extend(inner[0] if inner else [])
        return values, True
    if one is None:
        one = one_of(items or (), frame.machine.fresh("pick", first.iter), frame.machine.numbers)
    store(frame, first.target, one)
    for test in first.ifs:
        evaluate(frame, test)
    inner = comprehended(frame, rest, result, room)
    return (inner[0], False) if inner else None


def dict_comprehension(frame: Frame, node: ast.DictComp) -> Value:
    """A dict whose keys are mostly not known."""
    frame.open_branch()
    entries: dict[object, Value] = {}
    rest: list[Value] = []
    try:

        def pair() -> Value:
            key, value = evaluate(frame, node.key), evaluate(frame, node.value)
            if isinstance(key, Constant):
                entries[key.value] = value
            else:
                rest.append(value)
            return value

        comprehended(frame, node.generators, pair)
    finally:
        frame.close_branch()
    return Mapping(
        tuple(entries.items()),
        join(rest, frame.machine.numbers) if rest else None,
        frame.machine.fresh("comprehension", node),
    )


def bind_target(frame: Frame, target: ast.expr, iterable: Value, node: ast.AST) -> None:
    """`for target in iterable`: any one of its elements; parts of one element stay together."""
    selector = frame.machine.fresh("pick", node)
    items, one = elements(frame, iterable, frame.machine.fresh("each", node))
    if items is not None:
        store(frame, target, one_of(items, selector, frame.machine.numbers) if items else Unknown(selector))
    else:
        store(frame, target, one if one is not None else Unknown(selector))


def awaited(frame: Frame, node: ast.Await) -> Value:
    """`await x`."""
    return evaluate(frame, node.value)


def yielded(frame: Frame, node: ast.Yield) -> Value:
    """`yield x`: kept as an element of what the generator gives."""
    frame.yields.append(evaluate(frame, node.value) if node.value is not None else NONE)
    return unknown(frame, node)


def yielded_from(frame: Frame, node: ast.YieldFrom) -> Value:
    """`yield from xs`."""
    items, one = elements(frame, evaluate(frame, node.value), frame.machine.fresh("each", node))
    frame.yields.extend(items if items is not None else [one if one is not None else MISSING])
    return unknown(frame, node)


def starred(frame: Frame, node: ast.Starred) -> Value:
    """A star outside a display or a call."""
    return evaluate(frame, node.value)


def text(frame: Frame, node: ast.JoinedStr) -> Value:
    """An f-string, or a template: what stands in its braces is computed."""
    for part in node.values:
        if not isinstance(part, ast.Constant):
            evaluate(frame, part.value)  # type: ignore[attr-defined]
    return Unknown(frame.machine.fresh("text", node))


Handler = Callable[[Frame, Any], Value]
HANDLERS: dict[type[ast.expr], Handler] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.Attribute: attribute_of,
    ast.Call: call_of,
    ast.BinOp: binary_operation,
    ast.UnaryOp: unary_operation,
    ast.BoolOp: boolean_operation,
    ast.Compare: comparison,
    ast.IfExp: conditional,
    ast.Tuple: sequence,
    ast.List: sequence,
    ast.Set: sequence,
    ast.Dict: mapping,
    ast.Subscript: subscript,
    ast.Lambda: lambda_value,
    ast.NamedExpr: named,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.DictComp: dict_comprehension,
    ast.Await: awaited,
    ast.Yield: yielded,
    ast.YieldFrom: yielded_from,
    ast.Starred: starred,
    ast.JoinedStr: text,
}
if sys.version_info >= (3, 14):
    HANDLERS[ast.TemplateStr] = text
