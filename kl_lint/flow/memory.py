"""Memory that tensors share: that of a view with a name of its own, and of what it is a view of.

What is written into one of them is seen in all. What it makes of the others is not followed: they are known no more.
"""

from __future__ import annotations

import ast

from kl_lint.flow.frame import Frame
from kl_lint.flow.lattice import choose
from kl_lint.flow.syntax import viewed
from kl_lint.flow.values import Tensor, Unknown, Value, number_of, options_of

__all__ = ["forget_shared", "note_view"]


def note_view(frame: Frame, value: Value, node: ast.expr) -> None:
    """Keep that `value`, of the expression `node`, shares the memory of the tensor in a variable, where it does."""
    root = viewed(node)
    if root is node or not isinstance(root, ast.Name):
        return
    held = frame.lookup(root.id)
    whole = tensors_of(held) if held is not None else []
    if not any(isinstance(tensor, Tensor) for tensor in whole):
        return
    # of several, any view may be of any: one memory for all
    memory = frame.machine.memory
    tensors = [*whole, *tensors_of(value)]
    homes = {memory[id(tensor)][0] for tensor in tensors if id(tensor) in memory}
    home = min(homes, default=id(whole[0]))
    memory.update((key, (home, tensor)) for key, (other, tensor) in list(memory.items()) if other in homes)
    memory.update((id(tensor), (home, tensor)) for tensor in tensors)


def forget_shared(frame: Frame, old: Value, new: Value) -> None:
    """After `old` has become `new`: know nothing more of what shares its memory."""
    memory = frame.machine.memory
    homes = {memory[id(tensor)][0] for tensor in tensors_of(old) if id(tensor) in memory} if memory else set()
    if not homes:
        return
    after = tensors_of(new)
    kept = {id(tensor) for tensor in after}
    numbers = frame.machine.numbers
    written = number_of(new, numbers)

    def left(option: Value) -> Value:
        if isinstance(option, Tensor) and id(option) in memory and memory[id(option)][0] in homes:
            return option if id(option) in kept else Unknown(numbers.of("overwritten", option.number, written))
        return option

    for name, value in list(frame.variables.items()):
        options = [(guards, left(option)) for guards, option in options_of(value)]
        if any(one is not other for (_, one), (_, other) in zip(options, options_of(value), strict=True)):
            frame.note_read(name)
            frame.set(name, choose(options, numbers))
    memory.update((id(tensor), (home, tensor)) for tensor in after for home in homes)


def tensors_of(value: Value) -> list[Tensor | Unknown]:
    """The tensors that a value may be."""
    return [option for _, option in options_of(value) if isinstance(option, (Tensor, Unknown))]
