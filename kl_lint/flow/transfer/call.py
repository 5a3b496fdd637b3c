"""What every transfer function is given, and what they share: the arguments of an operation, the places of dims."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from kl_lint.flow.frame import Frame
from kl_lint.flow.source import Place
from kl_lint.flow.values import (
    INFINITE_MASKS,
    Constant,
    Mass,
    Note,
    Numbers,
    RemarkKind,
    Sequence,
    Tensor,
    Trail,
    Unknown,
    Value,
    Weight,
    number_of,
)

SMALL = 1e-6
"""The largest epsilon that leaves a distribution one: C * eps must stay far below 1."""
EPSILON = 1e-2
"""The largest constant that is meant as a guard against log(0)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a torch operation: its label, bound arguments, and where it stands."""

    frame: Frame
    node: ast.AST
    label: str
    values: dict[str, Value]
    nodes: dict[str, ast.expr]
    rest: tuple[Value, ...] = ()
    """What a `*sizes` parameter took."""

    @property
    def numbers(self) -> Numbers:
        """The value numbers of this analysis."""
        return self.frame.machine.numbers

    @property
    def place(self) -> Place:
        """Where the call stands."""
        return self.frame.place(self.node)

    def value(self, name: str) -> Value | None:
        """An argument, or None where it was not given."""
        return self.values.get(name)

    def constant(self, name: str, default: object = None) -> object:
        """An argument's literal value; `default` where not given or not known."""
        match self.values.get(name):
            case Constant(value=value):
                return value
            case _:
                return default

    def tensor(self, name: str = "input") -> Tensor:
        """An argument as a tensor."""
        return as_tensor(self.values.get(name, Constant(None)), self.numbers)

    def operand_place(self, name: str = "input") -> Place | None:
        """Where an argument stands, if it is an expression of the call."""
        node = self.nodes.get(name)
        return self.frame.place(node) if node is not None else None

    def number(self) -> int:
        """The number of the result: that of the operation on its arguments."""
        parts = [number_of(value, self.numbers) for value in self.values.values()]
        parts += [number_of(value, self.numbers) for value in self.rest]
        return self.numbers.of(self.label, (tuple(self.values),), *parts)

    def trail(self, what: str, before: Trail | None = None) -> Trail:
        """A step of a trace at this call."""
        return Trail(self.place, what, before)


Effect = Callable[[Call], Value]


def as_tensor(value: Value, numbers: Numbers) -> Tensor:
    """Any value seen as a tensor."""
    match value:
        case Tensor():
            return value
        case Unknown():
            return Tensor(value.number, form=value.form)
        case Constant(value=bool() | int() | float()):
            return Tensor(number_of(value, numbers), fill=value, rank=0, gradient=False)
        case _:  # None, where a tensor is wanted, is a placeholder for one
            return Tensor(number_of(value, numbers))


def dim_of(value: Value | None, numbers: Numbers) -> tuple[int | None, int | None]:
    """A dim argument as (literal, symbol)."""
    match value:
        case None:
            return None, None
        case Constant(value=bool()):
            return None, None
        case Constant(value=int() as dim):
            return dim, None
        case Sequence(items=(Constant(value=int() as dim),)):
            return dim, None
        case Constant():
            return None, None
        case _:
            return None, number_of(value, numbers)


def same_dim(tensor: Tensor, dim: int | None, symbol: int | None = None) -> bool | None:
    """Whether `dim` is the one along which `tensor` is a distribution; None where that is not proved either way."""
    own, own_symbol = tensor.where()
    if own_symbol is not None or symbol is not None:
        return True if own_symbol == symbol else None
    if own is None or dim is None:
        return None
    if dim < 0 and tensor.rank is not None:
        dim += tensor.rank
    if own == dim:
        return True
    return False if (own < 0) == (dim < 0) else None


def outermost(tensor: Tensor, dim: int | None) -> bool:
    """Whether `dim` is taken for another than the distribution's: the first dim is, where that lies along the last
    and nothing says it is a vector.
    """
    return dim == 0 and tensor.dim == -1 and tensor.rank != 1


def shifted_out(tensor: Tensor, removed: int) -> int | None:
    """The distribution's dim once another dim, `removed`, is gone."""
    own, _ = tensor.where()
    if own is None:
        return None
    if removed < 0 and tensor.rank is not None:
        removed += tensor.rank
    if (own < 0) == (removed < 0):
        if own >= 0:
            return own - 1 if removed < own else own
        return own + 1 if removed > own else own
    return own if outermost(tensor, removed) else None


def shifted_in(tensor: Tensor, added: int) -> int | None:
    """The distribution's dim once a dim of size one (or of copies) was put in at `added`."""
    own, _ = tensor.where()
    if own is None:
        return None
    if added < 0 and tensor.rank is not None:
        added += tensor.rank + 1
    if own >= 0 and added >= 0:
        return own + 1 if added <= own else own
    if own < 0 and added < 0:
        return own - 1 if added >= own else own
    if own < 0 and added == 0:
        return own
    return None


def blurred(tensor: Tensor, number: int) -> Tensor:
    """The same elements, in no known arrangement: the space stays, the distribution does not."""
    mass = Mass.BERNOULLI if tensor.mass is Mass.BERNOULLI else Mass.UNKNOWN
    return replace(
        tensor, number=number, mass=mass, dim=None, symbol=None, rank=None, form=None, source=None, weight=None
    )


def cut(tensor: Tensor, number: int) -> Tensor:
    """Some columns of a distribution."""
    mass = Mass.CUT if tensor.mass in (Mass.WHOLE, Mass.CUT) else tensor.mass
    return replace(tensor, number=number, mass=mass, form=None, source=None, weight=None)


def lost(call: Call, *names: str, rank: int | None = None, nonnegative: bool = False) -> Tensor:
    """A tensor of which nothing is proved but where it came from."""
    gradient = any(call.tensor(name).gradient for name in names) if names else True
    return Tensor(call.number(), rank=rank, nonnegative=nonnegative, gradient=gradient and not call.frame.no_grad)


@dataclass(frozen=True, slots=True)
class PlaceValue:
    """Carries the construction of a module to the effect of calling it."""

    place: Place


OUTLIVING = INFINITE_MASKS | {RemarkKind.NORMALIZED_TWICE, RemarkKind.IMPLICIT_DIM}
"""The kinds of notes that outlive a change of space."""


def kept(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Notes that outlive a change of space."""
    return tuple(n for n in notes if n.kind in OUTLIVING)


def unmasked(tensor: Tensor) -> Tensor:
    """What is left of a tensor once what was masked with -inf was written over, or may have been left out."""
    notes = tuple(note for note in tensor.notes if note.kind not in INFINITE_MASKS)
    if tensor.masked is None and len(notes) == len(tensor.notes):
        return tensor
    return replace(tensor, notes=notes, masked=None)


def output_number(call: Call) -> int:
    """The number of what a layer gives: new at each call of a module, whose weights a step of training, or a copy that
    goes its own way, changes in between.
    """
    return call.frame.machine.opaque(call.node) if call.value("module") is not None else call.number()


def loosened(given: Tensor) -> Mass:
    """What is left of the mass once the dim is not known any more."""
    return (
        given.mass
        if given.mass in (Mass.BERNOULLI, Mass.CUT)
        else (Mass.WHOLE if given.mass is Mass.WHOLE else Mass.UNKNOWN)
    )


def listed(value: Value | None) -> tuple[Value, ...]:
    """The items of a literal tuple or list."""
    return value.items if isinstance(value, Sequence) and value.items is not None else ()


def constants_of(values: tuple[Value, ...]) -> tuple[int, ...] | None:
    """Integer literals, or None where one of them is not."""
    if len(values) == 1 and isinstance(values[0], Sequence):
        values = listed(values[0])
    ints = tuple(v.value for v in values if isinstance(v, Constant) and type(v.value) is int)
    return ints if ints and len(ints) == len(values) else None


ANY_WEIGHT = Weight(((-1, 1.0),))
"""A factor that is not known."""


@dataclass(frozen=True, slots=True)
class PartsValue:
    """Carries the parts of a hand-written divergence from its product to its sum."""

    product: Place
    p: Place
    log_q: Place
    exact: bool


def weight_any(given: Tensor, number: int) -> Tensor:
    """The sum of an unknown number of distributions."""
    return replace(
        given, number=number, mass=Mass.UNKNOWN, weight=ANY_WEIGHT, form=None, maker=None, notes=(), source=None
    )
