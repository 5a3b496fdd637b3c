"""Writing: names, attributes, items, unpacking, and in-place changes that every alias sees."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.containers import elements, with_item
from kl_lint.flow.frame import Frame
from kl_lint.flow.indexing import index_parts, write_into
from kl_lint.flow.lattice import choose, join
from kl_lint.flow.memory import forget_shared
from kl_lint.flow.objects import KL_LOSS, LOOKED_UP, find_member, overlay_key
from kl_lint.flow.ranks import prove_rank
from kl_lint.flow.syntax import viewed
from kl_lint.flow.transfer.making import is_infinite
from kl_lint.flow.values import (
    Choice,
    Class,
    Constant,
    External,
    Form,
    Function,
    Instance,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
    number_of,
    options_of,
)

__all__ = ["mutate", "store", "view_root"]


def store(frame: Frame, target: ast.expr, value: Value) -> None:
    """`target = value`, whatever the target is."""
    match target:
        case ast.Name(id=name):
            frame.set(name, value)
        case ast.Attribute():
            store_attribute(frame, target, value)
        case ast.Subscript():
            store_item(frame, target, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            unpack(frame, targets, value, target)
        case ast.Starred(value=inner):
            store(frame, inner, value)
        case _:
            pass


def store_attribute(frame: Frame, target: ast.Attribute, value: Value) -> None:
    """`base.name = value`."""
    base = frame.machine.evaluate(frame, target.value)
    match base:
        case Instance():
            changed: Value = with_stored(frame, base, target, value)
        case External():
            changed = with_setting(frame, base, target.attr, value)
        case Class():
            base.members[target.attr] = value
            return
        case Choice():
            changed = attribute_of_each(frame, base, target.attr, value)
        case Tensor() if target.attr == "data":
            changed = value
        case Symbol(name=module):
            frame.set(f"{module}.{target.attr}", value)
            return
        case _:
            frame.set(overlay_key(base, target.attr, frame), value)
            return
    mutate(frame, target.value, base, changed)


def with_setting(frame: Frame, base: External, name: str, value: Value) -> External:
    """An object of torch after `value` was assigned to one of its attributes."""
    if base.name == KL_LOSS and name in LOOKED_UP:
        frame.machine.reset.add(base.place)
    kept = tuple(pair for pair in base.arguments if pair[0] != name)
    exchanged = bool(base.items)  # of layers in a row, whichever has that name
    return replace(base, arguments=(*kept, (name, value)), open=base.open or exchanged)


def with_stored(frame: Frame, base: Instance, target: ast.Attribute, value: Value) -> Value:
    """An object after `value` was assigned to an attribute: what its setter makes of it, where there is one."""
    own, setter = (find_member(base.cls, name) for name in (target.attr, f"{target.attr}.setter"))
    if setter is not None and isinstance(setter[0], Function):
        names = [parameter.arg for parameter in setter[0].node.args.args]
        if len(names) == 2:
            variables = dict(zip(names, (base, value), strict=True))
            return frame.machine.receiver_after(setter[0], variables, frame, target, base)
    is_property = own is not None and isinstance(own[0], Function) and own[0].kind == "property"
    if is_property or setter is not None or find_member(base.cls, "__setattr__") is not None:
        value = Unknown(frame.machine.fresh("set", target))
    loss = base.get("<torch>")
    if isinstance(loss, External) and target.attr in LOOKED_UP:
        base = base.with_attribute("<torch>", with_setting(frame, loss, target.attr, value))
    return base.with_attribute(target.attr, value)


def attribute_of_each(frame: Frame, base: Choice, name: str, value: Value) -> Value:
    """An attribute set on whichever object it is."""

    def changed(one: Value) -> Value:
        match one:
            case Instance():
                return one.with_attribute(name, value)
            case External():
                return with_setting(frame, one, name, value)
            case _:
                return one

    return choose([(guards, changed(one)) for guards, one in base.options], frame.machine.numbers)


def store_item(frame: Frame, target: ast.Subscript, value: Value) -> None:
    """`base[key] = value`."""
    base = frame.machine.evaluate(frame, target.value)
    key = (
        frame.machine.evaluate(frame, target.slice)
        if not isinstance(target.slice, ast.Slice)
        else Unknown(frame.machine.fresh("slice", target))
    )
    changes = [(guards, option, changed_item(frame, target, option, key, value)) for guards, option in options_of(base)]
    if isinstance(base, Choice) and not isinstance(target.value, ast.Name):
        after = [(guards, option if changed is None else changed) for guards, option, changed in changes]
        mutate(frame, target.value, base, choose(after, frame.machine.numbers))
        return
    for _, option, changed in changes:  # each by itself: other names may hold one of them
        if changed is not None:
            mutate(frame, target.value, option, changed)


def changed_item(frame: Frame, target: ast.Subscript, base: Value, key: Value, value: Value) -> Value | None:
    """What `base` is after `base[key] = value`; None where it stays as it is."""
    numbers = frame.machine.numbers
    changed = with_item(base, key, value, numbers)
    if changed is not None:
        return changed
    number = numbers.of("written", number_of(base, numbers), (id(target),))
    match base:
        case Tensor():
            if base.loss is not None:
                frame.machine.filtered.update(base.loss.calls)
            return write_into(base, index_parts(frame, target.slice), value, number, frame.place(target))
        case Unknown(form=Form() as form) if form.op in ("sum", "logsumexp"):
            return None
        case Unknown() if is_infinite(value):
            return write_into(Tensor(base.number), index_parts(frame, target.slice), value, number, frame.place(target))
        case Unknown() if isinstance(key, Constant) and isinstance(key.value, str):
            frame.set(overlay_key(base, key.value, frame), value)
            return None
        case Unknown() | External():
            return Unknown(number)
        case _:
            return None


def unpack(frame: Frame, targets: list[ast.expr], value: Value, node: ast.AST) -> None:
    """`a, *b, c = value`: an alternative stays with its own items."""
    stars = [i for i, target in enumerate(targets) if isinstance(target, ast.Starred)]
    numbers = frame.machine.numbers
    if not stars and isinstance(value, Unknown) and value.form is not None and value.form.op == "shape":
        prove_rank(frame, value.form.operand, len(targets))
    columns: list[list[tuple[frozenset[tuple[int, object]], Value]]] = [[] for _ in targets]
    for guards, option in options_of(value):
        for i, part in enumerate(parts_of(frame, option, len(targets), stars, node)):
            columns[i].extend((guards | inner, v) for inner, v in options_of(part))
    for target, column in zip(targets, columns, strict=True):
        store(frame, target, choose(column, numbers) if column else Unknown(numbers.of("unpacked", (id(target),))))


def parts_of(frame: Frame, value: Value, count: int, stars: list[int], node: ast.AST) -> list[Value]:
    """`value` cut into `count` parts, the starred one a list."""
    numbers = frame.machine.numbers
    if isinstance(value, (Unknown, Tensor)) and value.form is not None and value.form.op == "shape" and not stars:
        return [Unknown(numbers.of("size", value.form.operand.number, (i - count,))) for i in range(count)]
    items, element = elements(frame, value, numbers.of("unpack", (id(node), frame.machine.epoch)))
    if items is not None and not stars and len(items) == count:
        return list(items)
    if items is not None and stars and len(items) >= count - 1:
        star = stars[0]
        behind = count - star - 1
        middle = Sequence(items[star : len(items) - behind], mutable=True)
        return [*items[:star], middle, *items[len(items) - behind :]]
    if element is None:
        element = join(items, numbers) if items else Unknown(number_of(value, numbers))
    base = number_of(value, numbers)
    parts: list[Value] = []
    for i in range(count):
        number = numbers.of("item", base, (i,))
        if i in stars:
            parts.append(Sequence(None, element, mutable=True, number=number))
        elif isinstance(element, Tensor):
            parts.append(replace(element, number=number, source=None))
        else:
            parts.append(Unknown(number) if isinstance(element, Unknown) else element)
    return parts


def mutate(frame: Frame, target: ast.expr | None, old: Value, new: Value) -> None:
    """The object `old`, reached through `target`, is now `new`: for the target and every name of the same object. What
    shares its memory otherwise is not known any more.
    """
    if new is old:
        return
    frame.replace_object(old, new)
    root = view_root(target)
    if root is not target and isinstance(new, Tensor):  # of what it is a view of, the dims are its own
        new = replace(new, dim=None, symbol=None, rank=None)
    match root:
        case ast.Name(id=name):
            home = frame.home(name)
            held = home.variables.get(name)
            if held is not new and not (type(held) is Choice and any(option is new for _, option in held.options)):
                frame.note_write(home)
                home.set(name, new)
        case ast.expr():
            store(frame, root, new)
        case None:
            pass
    forget_shared(frame, old, new)


def view_root(target: ast.expr | None) -> ast.expr | None:
    """The name or attribute that a chain of views such as `b.detach().view(-1)` shares its memory with."""
    root = viewed(target, parts=False) if target is not None else None
    return root if isinstance(root, (ast.Name, ast.Attribute, ast.Subscript)) else None
