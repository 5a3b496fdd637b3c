"""Transfer functions: what an operation does to what is known of a tensor.

torch-wide behaviour is described once here, by kind of operation; the catalogue (torch_ops) says which torch callable
is of which
kind. All functions are pure: facts in, facts out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from kl_lint.flow.frame import Frame, LossUse
from kl_lint.flow.kl_call import RemarkKind
from kl_lint.flow.source import Place
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    NONE,
    Constant,
    Form,
    Loss,
    Maker,
    Mass,
    Note,
    Numbers,
    Sequence,
    Space,
    Symbol,
    Tensor,
    Trail,
    Unknown,
    Value,
    Weight,
    is_empty,
    join,
    number_of,
)

__all__ = ["SMALL", "Call", "Effect", "as_tensor", "dim_of"]

SMALL = 1e-6
"""The largest epsilon that leaves a distribution one (torch-facts: C * eps must stay far below 1)."""
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
        case Constant():
            return Tensor(number_of(value, numbers), fill=value, rank=0, gradient=False)
        case _:
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


# --- what makes a distribution ---------------------------------------------------------------------------------------


def normalize(space: Space, *, sign: int = 1) -> Effect:
    """softmax and its kin: a distribution along `dim`, in `space`. `sign` -1: of the negated operand (softmin)."""

    def effect(call: Call) -> Value:
        operand = call.tensor()
        dim, symbol = dim_of(call.value("dim"), call.numbers)
        notes = list(twice(call, operand, dim, symbol))
        if dim is None and symbol is None:
            notes.append(Note(RemarkKind.IMPLICIT_DIM, call.place, call.label, rank=operand.rank))
            if operand.rank is not None:
                dim = 0 if operand.rank in (0, 1, 3) else 1
        if operand.masked is not None:
            notes.append(operand.masked)
        module = call.value("module_place")
        return Tensor(
            call.numbers.of("normalized", (space.value, sign, dim), operand.number, symbol or 0),
            space,
            Mass.WHOLE,
            dim,
            symbol,
            operand.rank,
            nonnegative=space is Space.PROBS,
            gradient=operand.gradient and not call.frame.no_grad,
            source=None
            if call.numbers.volatile(operand.number) or sign < 0 or call.value("mask") is not None
            else operand.number,
            temperature=temperature(operand),
            maker=Maker(
                call.label,
                call.place,
                call.operand_place(),
                operand.number,
                call.operand_place("dim"),
                module.place if isinstance(module, _PlaceValue) else None,
            ),
            notes=tuple(notes),
            trail=call.trail(call.label, operand.trail if operand.space in DISTRIBUTIONS else None),
        )

    return effect


@dataclass(frozen=True, slots=True)
class _PlaceValue:
    """Carries the construction of a module to the effect of calling it."""

    place: Place


def twice(call: Call, operand: Tensor, dim: int | None, symbol: int | None) -> tuple[Note, ...]:
    """The note that probabilities are normalised again, where that is proved."""
    given = operand
    while not given.whole and given.form is not None and given.form.op in ("div", "scaled"):
        inner = given.form.operand
        if not isinstance(inner, Tensor):
            break
        given = inner
    if given.space is not Space.PROBS or given.mass is not Mass.WHOLE or given.maker is None:
        return ()
    if same_dim(given, dim, symbol) is False:
        return ()
    made = given.maker
    note = Note(
        RemarkKind.NORMALIZED_TWICE,
        call.place,
        made.name,
        made.place,
        made.operand,
        made.guarded,
        argument=call.operand_place(),
        operand_number=made.operand_number,
    )
    return (note,)


def temperature(operand: Tensor) -> Value:
    """What the logits were divided by: 1 where they come as they are."""
    form = operand.form
    if form is not None and form.op == "div" and form.other is not None:
        return form.other
    return Constant(1)


def sigmoid(space: Space) -> Effect:
    """Each element a probability (or log-probability) by itself."""

    def effect(call: Call) -> Value:
        operand = call.tensor()
        note = Note(RemarkKind.BERNOULLI, call.place, call.label, operand=call.operand_place())
        return Tensor(
            call.number(),
            space,
            Mass.BERNOULLI,
            rank=operand.rank,
            nonnegative=space is Space.PROBS,
            gradient=operand.gradient and not call.frame.no_grad,
            maker=Maker(call.label, call.place, call.operand_place(), operand.number),
            notes=(note,),
            form=Form(call.label, operand),
            trail=call.trail(call.label),
        )

    return effect


def logarithm(call: Call) -> Value:
    """log: from probabilities to log-probabilities."""
    given = call.tensor()
    number = call.number()
    if given.form is not None and given.form.op == "sum":
        inner = given.form.operand
        if isinstance(inner, Tensor) and inner.form is not None and inner.form.op == "exp":
            form = Form("logsumexp", inner.form.operand, given.form.dim, given.form.symbol, given.form.keepdim)
            return Tensor(number, rank=given.rank, gradient=given.gradient, form=form)
    trail = call.trail("log", given.trail)
    match given.space:
        case Space.LOG_PROBS:
            note = Note(
                RemarkKind.LOG_OF_LOG, call.place, call.label, call.operand_place(), argument=call.operand_place()
            )
            return Tensor(number, rank=given.rank, gradient=given.gradient, notes=(note,), trail=trail)
        case Space.PROBS:
            notes = tuple(n for n in given.notes if n.kind is not RemarkKind.LOG_OF_SOFTMAX) + log_of_softmax(
                call, given
            )
            return replace(
                given,
                number=number,
                space=Space.LOG_PROBS,
                notes=notes,
                form=Form("log", given),
                trail=trail,
                nonnegative=False,
                fill=None,
                weight=None,
            )
        case Space.UNKNOWN if (
            given.fill is None and not given.mixed and given.loss is None and plausible_probabilities(given)
        ):
            return Tensor(
                number,
                Space.LOG_PROBS,
                rank=given.rank,
                gradient=given.gradient,
                form=Form("log", given),
                trail=trail,
                notes=given.notes,
            )
        case _:
            return Tensor(number, rank=given.rank, gradient=given.gradient, form=Form("log", given))


def plausible_probabilities(given: Tensor) -> bool:
    """Whether the log of a tensor of unknown space can be taken for log-probabilities: not of counts, norms or sums
    of exponentials.
    """
    return given.form is None or given.form.op in ("clamp", "ratio", "eps", "view", "mean")


def log_of_softmax(call: Call, given: Tensor) -> tuple[Note, ...]:
    """The note that log and softmax were taken apart; a mixture has no single softmax behind it."""
    epsilon = given.maker is not None and given.maker.guarded
    bare = (
        given.form.operand
        if given.form is not None and given.form.op == "eps" and isinstance(given.form.operand, Tensor)
        else given
    )
    if given.maker is None or given.maker.name.lower() not in ("softmax", "softmax2d") or not bare.whole:
        return ()
    if given.form is not None and given.form.op not in ("eps", "view"):
        return ()
    note = Note(
        RemarkKind.LOG_OF_SOFTMAX,
        call.place,
        call.label,
        given.maker.place,
        given.maker.operand,
        epsilon,
        argument=call.operand_place(),
        operand_number=given.maker.operand_number,
    )
    return (note,)


def wrong_logarithm(call: Call) -> Value:
    """log2, log10, log1p: not log-probabilities."""
    given = call.tensor()
    form = given.form
    if call.label == "log1p" and form is not None and form.op == "minus_one" and isinstance(form.operand, Tensor):
        return replace(
            form.operand,
            number=call.number(),
            space=Space.LOG_PROBS,
            form=None,
            trail=call.trail("log1p", given.trail),
            nonnegative=False,
        )
    notes: tuple[Note, ...] = ()
    if given.space is Space.PROBS:
        notes = (Note(RemarkKind.WRONG_LOG, call.place, call.label, call.operand_place()),)
    return Tensor(
        call.number(), rank=given.rank, gradient=given.gradient, notes=notes, trail=call.trail(call.label, given.trail)
    )


def exponential(call: Call) -> Value:
    """exp: from log-probabilities to probabilities."""
    given = call.tensor()
    if given.form is not None and given.form.op == "logsumexp":
        terms = Tensor(call.numbers.of("exp of", given.form.operand.number), form=Form("exp", given.form.operand))
        return Tensor(call.number(), nonnegative=True, form=replace(given.form, op="sum", operand=terms))
    trail = call.trail("exp", given.trail)
    if given.space is Space.LOG_PROBS:
        return replace(
            given,
            number=call.number(),
            space=Space.PROBS,
            form=Form("exp", given),
            trail=trail,
            nonnegative=True,
            notes=kept(given.notes),
            maker=Maker("exp", call.place) if given.maker is not None else None,
        )
    if given.space is Space.UNKNOWN and not given.mixed and given.loss is None:
        return Tensor(
            call.number(),
            Space.PROBS,
            rank=given.rank,
            gradient=given.gradient,
            form=Form("exp", given),
            trail=trail,
            nonnegative=True,
            notes=(),
        )
    return Tensor(call.number(), rank=given.rank, gradient=given.gradient, form=Form("exp", given), nonnegative=True)


def kept(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Notes that outlive a change of space."""
    return tuple(
        n for n in notes if n.kind in (RemarkKind.NORMALIZED_TWICE, RemarkKind.IMPLICIT_DIM, RemarkKind.INFINITE_MASK)
    )


def one_hot(call: Call) -> Value:
    """F.one_hot: a distribution over a new last dim."""
    given = call.tensor()
    rank = given.rank + 1 if given.rank is not None else None
    return Tensor(
        call.number(),
        Space.PROBS,
        Mass.WHOLE,
        -1,
        rank=rank,
        nonnegative=True,
        gradient=False,
        trail=call.trail("one_hot"),
        maker=Maker("one_hot", call.place),
    )


def lp_normalize(call: Call) -> Value:
    """F.normalize: a distribution along dim for p=1, unit vectors for the default p=2."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(1), call.numbers)
    if call.constant("p", 2.0) in (1, 1.0) and given.space not in (Space.LOG_PROBS, Space.LOGITS):
        return ratio(call, given, dim, symbol, "normalize")
    return Tensor(call.number(), rank=given.rank, gradient=given.gradient, nonnegative=given.nonnegative)


def ratio(call: Call, given: Tensor, dim: int | None, symbol: int | None, what: str) -> Tensor:
    """A tensor divided by its own sum along `dim`: probabilities, whatever they were before."""
    return Tensor(
        call.number(),
        Space.PROBS,
        Mass.WHOLE,
        dim,
        symbol,
        given.rank,
        nonnegative=True,
        gradient=given.gradient,
        source=None,
        maker=Maker(what, call.place),
        trail=call.trail(what, given.trail),
        notes=kept(given.notes),
    )


# --- what keeps it ---------------------------------------------------------------------------------------------------


def keep(call: Call) -> Value:
    """The same values: .to(), .float(), .contiguous()."""
    return call.values.get("input", Constant(None))


def detach(call: Call) -> Value:
    """The same values, carrying no gradient."""
    match call.values.get("input"):
        case Tensor() as given:
            return replace(given, gradient=False)
        case Unknown() as given:
            return Tensor(given.number, gradient=False, form=given.form)
        case other:
            return other if other is not None else Constant(None)


def requires_grad(call: Call) -> Value:
    """requires_grad_(): the same values, that carry a gradient from here on."""
    given = call.tensor()
    return replace(given, gradient=call.constant("requires_grad", True) is not False)


def copy_of(call: Call) -> Value:
    """clone(): the same values in a new object."""
    match call.values.get("input"):
        case Tensor() as given:
            return replace(given)
        case Unknown() as given:
            return Tensor(given.number, form=given.form)
        case other:
            return other if other is not None else Constant(None)


def clamp(call: Call) -> Value:
    """clamp: a small lower bound guards a log; any other bound cuts into the distribution."""
    given = call.tensor()
    low, high = call.constant("min"), call.constant("max")
    number = call.number()
    bounds = [abs(low)] if isinstance(low, (int, float)) else []
    bounds += [1 - high] if isinstance(high, (int, float)) else []
    epsilon = max(bounds, default=None)
    small = epsilon is None or epsilon <= EPSILON
    if small and high is None and is_total(given):
        return replace(given, number=number)
    if given.space is Space.PROBS:
        return guarded(given, number, epsilon) if small else replace(blurred(given, number), rank=given.rank)
    if given.space is Space.LOG_PROBS:
        below = not isinstance(low, (int, float)) or low <= 0
        mass = Mass.BERNOULLI if given.mass is Mass.BERNOULLI and below else Mass.UNKNOWN
        return replace(given, number=number, mass=mass, form=None, source=None)
    return Tensor(
        number, rank=given.rank, gradient=given.gradient, form=given.form or Form("clamp", given), mixed=given.mixed
    )


def guarded(given: Tensor, number: int, epsilon: object) -> Tensor:
    """Probabilities with an epsilon added or put under them. A literal one that is not small takes their mass; one
    with a name is taken for small.
    """
    small = not isinstance(epsilon, (int, float)) or abs(epsilon) <= SMALL
    mass = given.mass if small or given.mass is Mass.CUT else Mass.UNKNOWN
    maker = replace(given.maker, guarded=True) if given.maker is not None else None
    return replace(
        given, number=number, mass=mass, form=Form("eps", given), weight=None if small else ANY_WEIGHT, maker=maker
    )


def is_total(given: Tensor) -> bool:
    """Whether a tensor is a sum that something may be divided by."""
    return given.form is not None and given.form.op in ("sum", "logsumexp", "norm1")


def maximum(call: Call) -> Value:
    """maximum: of a tensor and a constant it is a clamp."""
    low = call.tensor("other").fill
    return clamp(replace(call, values={**call.values, "min": low})) if isinstance(low, Constant) else pairwise(call)


def pairwise(call: Call) -> Value:
    """An operation on two tensors element by element, after which nothing is proved but the rank."""
    one, other = call.tensor(), call.tensor("other")
    rank = one.rank if other.rank in (0, one.rank) else None
    return replace(lost(call, "input", "other"), rank=rank)


def scrambled(call: Call) -> Value:
    """normal_, uniform_ and their kin: other numbers in the place of those that were there."""
    return Tensor(call.frame.machine.opaque(call.node), rank=call.tensor().rank, gradient=call.tensor().gradient)


def elementwise(call: Call) -> Value:
    """An operation on each element after which nothing is proved but the rank."""
    given = call.tensor()
    gradient = given.gradient or any(as_tensor(value, call.numbers).gradient for value in call.rest)
    return Tensor(call.number(), rank=given.rank, gradient=gradient and not call.frame.no_grad, mixed=given.mixed)


def learned(call: Call) -> Value:
    """A layer with weights of its own that keeps the shape."""
    return replace(lost(call), number=output_number(call), rank=call.tensor().rank)


def nonnegative(call: Call) -> Value:
    """relu, abs, square: every element at least zero."""
    given = call.tensor()
    if given.nonnegative and call.label in ("relu", "abs"):
        return given
    return Tensor(call.number(), rank=given.rank, nonnegative=True, gradient=given.gradient)


def power(call: Call) -> Value:
    """p ** a: probabilities still, that no longer sum to one."""
    given = call.tensor()
    if given.space is Space.PROBS:
        return replace(blurred(given, call.number()), rank=given.rank, maker=None, notes=())
    return Tensor(call.number(), rank=given.rank, nonnegative=given.nonnegative, gradient=given.gradient)


def logits(call: Call) -> Value:
    """A layer's raw output: scores on no scale."""
    given = call.tensor()
    number = output_number(call)
    return Tensor(number, Space.LOGITS, rank=given.rank, gradient=not call.frame.no_grad, trail=call.trail(call.label))


def output_number(call: Call) -> int:
    """The number of what a layer gives: new at each call of a module, whose weights a step of training, or a copy that
    goes its own way, changes in between.
    """
    return call.frame.machine.opaque(call.node) if call.value("module") is not None else call.number()


def noise(call: Call) -> Value:
    """A random tensor over the reals: not log-probabilities."""
    number = call.frame.machine.opaque(call.node)
    return Tensor(
        number,
        Space.LOGITS,
        rank=size_rank(call),
        gradient=False,
        trail=call.trail(call.label),
        form=Form("buffer", Unknown(number)),
    )


def noise_like(call: Call) -> Value:
    """As `noise`, of another tensor's shape."""
    given = call.tensor()
    return Tensor(
        call.frame.machine.opaque(call.node),
        Space.LOGITS,
        rank=given.rank,
        gradient=False,
        trail=call.trail(call.label),
    )


def uniform_noise(call: Call) -> Value:
    """torch.rand: numbers in [0, 1), no distribution."""
    number = call.frame.machine.opaque(call.node)
    return Tensor(number, rank=size_rank(call), nonnegative=True, gradient=False, form=Form("buffer", Unknown(number)))


def size_rank(call: Call) -> int | None:
    """The rank that a factory's size arguments give."""
    sizes = call.rest
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        return len(sizes[0].items) if sizes[0].items is not None else None
    if not sizes:
        size = call.value("size")
        return len(size.items) if isinstance(size, Sequence) and size.items is not None else None
    if len(sizes) == 1 and not isinstance(sizes[0], Constant):
        return None
    return len(sizes)


def filled(value: object) -> Effect:
    """zeros, ones, full: one constant everywhere; a positive one divided by the number of classes is a uniform
    distribution.
    """

    def effect(call: Call) -> Value:
        fill = Constant(value) if value is not None else call.value("fill_value") or Unknown(call.number())
        rank = call.tensor().rank if "input" in call.values else size_rank(call)
        return fill_tensor(call, fill, rank)

    return effect


def fill_tensor(call: Call, fill: Value, rank: int | None) -> Tensor:
    """A tensor that holds `fill` everywhere."""
    number = call.frame.machine.fresh(call.label, call.node)
    if is_infinite(fill):
        masked = Note(RemarkKind.INFINITE_MASK, call.place, call.label)
        return Tensor(number, rank=rank, fill=fill, gradient=False, masked=masked)
    if is_share(fill):
        return Tensor(
            number,
            Space.PROBS,
            rank=rank,
            fill=fill,
            gradient=False,
            nonnegative=True,
            maker=Maker("uniform", call.place),
            trail=call.trail("full"),
        )
    return Tensor(
        number,
        rank=rank,
        fill=fill,
        gradient=False,
        nonnegative=isinstance(fill, Constant) and isinstance(fill.value, (int, float)) and fill.value >= 0,
    )


def is_share(fill: Value) -> bool:
    """Whether a constant is `1 / n`, written out or computed."""
    match fill:
        case Constant(value=float() as value):
            return 0 < value < 1
        case Unknown(form=Form(op="div", operand=Tensor(fill=Constant(value=(int() | float()) as top)))):
            return 0 < top <= 1
        case _:
            return False


def bernoulli_pair(items: tuple[Value, ...]) -> bool:
    """Whether two tensors are `p` and `1 - p`, in log space or not."""
    if len(items) != 2 or not all(isinstance(item, Tensor) for item in items):
        return False
    for one, other in (items, items[::-1]):
        if not (isinstance(one, Tensor) and isinstance(other, Tensor)) or one.space is not other.space:
            continue
        form = other.form
        if form is not None and form.op == "complement" and form.operand.number == one.number:
            return True
        if (
            form is not None
            and one.form is not None
            and form.op == one.form.op
            and form.op in ("sigmoid", "logsigmoid", "log")
        ):
            theirs, ours = form.operand, one.form.operand
            if (
                isinstance(theirs, Tensor)
                and theirs.form is not None
                and theirs.form.op in ("neg", "complement")
                and theirs.form.operand.number == ours.number
            ):
                return True
    return False


# --- what moves it ---------------------------------------------------------------------------------------------------


def unsqueeze(call: Call) -> Value:
    """A dim of size one is put in."""
    given = call.tensor()
    dim, _ = dim_of(call.value("dim"), call.numbers)
    if dim is None:
        return replace(blurred(given, call.number()), rank=None if given.rank is None else given.rank + 1)
    place = shifted_in(given, dim)
    known = place is not None or given.symbol is not None
    return replace(
        given,
        number=call.number(),
        dim=place,
        symbol=None,
        rank=None if given.rank is None else given.rank + 1,
        mass=given.mass if known and given.symbol is None else loosened(given),
        form=with_dim_back(given, dim),
        source=None,
    )


def with_dim_back(given: Tensor, dim: int) -> Form | None:
    """A sum that is given the dim back over which it was taken, is one with keepdim."""
    form = given.form
    if form is None or not is_total(given) or form.keepdim or form.dim is None:
        return None
    rank = form.operand.rank if isinstance(form.operand, Tensor) else None
    same = form.dim == dim or (rank is not None and form.dim % rank == dim % rank)
    return replace(form, keepdim=True) if same else None


def loosened(given: Tensor) -> Mass:
    """What is left of the mass once the dim is not known any more."""
    return (
        given.mass
        if given.mass in (Mass.BERNOULLI, Mass.CUT)
        else (Mass.WHOLE if given.mass is Mass.WHOLE else Mass.UNKNOWN)
    )


def squeeze(call: Call) -> Value:
    """Dims of size one go: which ones is known only where the dim is named."""
    given = call.tensor()
    dim, _ = dim_of(call.value("dim"), call.numbers)
    if dim is None:
        return replace(given, number=call.number(), dim=None, symbol=None, rank=None, form=None)
    if same_dim(given, dim):
        return blurred(given, call.number())
    own, _ = given.where()
    after = shifted_out(given, dim)
    if own is not None and given.rank is not None and after != own:
        after = own - given.rank
    return replace(given, number=call.number(), dim=after, symbol=None, rank=None, form=None)


def permute(call: Call) -> Value:
    """The dims in a new order."""
    given = call.tensor()
    order = constants_of(call.rest or listed(call.value("dims")))
    if order is None:
        return replace(given, number=call.number(), dim=None, symbol=None, form=None, source=None)
    rank = len(order)
    own, _ = replace(given, rank=rank).where()
    dim = next((i for i, d in enumerate(order) if own is not None and d % rank == own), None)
    return replace(given, number=call.number(), dim=dim, symbol=None, rank=rank, form=None, source=None)


def transpose(call: Call) -> Value:
    """Two dims exchanged."""
    given = call.tensor()
    first, _ = dim_of(call.value("dim0"), call.numbers)
    second, _ = dim_of(call.value("dim1"), call.numbers)
    return exchanged(given, first, second, call.number())


def exchanged(given: Tensor, first: int | None, second: int | None, number: int) -> Tensor:
    """`given` with two dims exchanged."""
    own, symbol = given.where()
    if own is None or first is None or second is None or symbol is not None:
        return replace(given, number=number, dim=None, symbol=None, form=moved_sum(given, first, second), source=None)
    if given.rank is not None:
        first, second = first % given.rank if given.rank else 0, second % given.rank if given.rank else 0
    if own == first:
        own_after: int | None = second
    elif own == second:
        own_after = first
    else:
        signs = {own < 0, first < 0, second < 0}
        own_after = own if len(signs) == 1 else None
    return replace(given, number=number, dim=own_after, symbol=None, form=None, source=None)


def moved_sum(given: Tensor, first: int | None, second: int | None) -> Form | None:
    """A transposed tensor remembers what it was, so that transpose, divide, transpose is seen."""
    return (
        Form("view", given)
        if {first, second} == {0, 1} and given.space in (Space.UNKNOWN, Space.PROBS) and not given.whole
        else None
    )


def flip_two(call: Call) -> Value:
    """t() and .T: the two dims of a matrix."""
    given = call.tensor()
    return exchanged(
        replace(given, rank=2) if given.rank is None and given.dim is not None else given, 0, 1, call.number()
    )


def movedim(call: Call) -> Value:
    """One dim is taken elsewhere."""
    given = call.tensor()
    first, _ = dim_of(call.value("source"), call.numbers)
    second, _ = dim_of(call.value("destination"), call.numbers)
    if given.rank is None or first is None or second is None:
        return replace(given, number=call.number(), dim=None, symbol=None, form=None, source=None)
    order = [d for d in range(given.rank) if d != first % given.rank]
    order.insert(second % given.rank, first % given.rank)
    own, _ = given.where()
    dim = order.index(own) if own is not None and own in order else None
    return replace(given, number=call.number(), dim=dim, symbol=None, form=None, source=None)


def listed(value: Value | None) -> tuple[Value, ...]:
    """The items of a literal tuple or list."""
    return value.items if isinstance(value, Sequence) and value.items is not None else ()


def constants_of(values: tuple[Value, ...]) -> tuple[int, ...] | None:
    """Integer literals, or None where one of them is not."""
    if len(values) == 1 and isinstance(values[0], Sequence):
        values = listed(values[0])
    ints = tuple(v.value for v in values if isinstance(v, Constant) and type(v.value) is int)
    return ints if ints and len(ints) == len(values) else None


def reshape(call: Call) -> Value:
    """view and reshape: the last dim stays one where its size is kept, and that is known of `-1, C`-shaped views only.

    A view that keeps the last size keeps a distribution along it. Which size that is, is mostly a value of the program
    (`x.size(-1)`, `num_classes`): then the space is kept, the mass is unknown.
    """
    given = call.tensor()
    sizes = call.rest or listed(call.value("shape"))
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        whole = sizes[0].items
        sizes = whole if whole is not None else ()
        rank = len(sizes) if whole is not None else None
    elif len(sizes) == 1 and not isinstance(sizes[0], Constant):
        rank = None
    else:
        rank = len(sizes) or None
    number = call.number()
    own, _ = given.where()
    last = own == -1 or (own is not None and given.rank is not None and own == given.rank - 1)
    if rank is not None and rank >= 2 and last and keeps_last(given, sizes[-1], call.numbers):
        return replace(given, number=number, dim=rank - 1, symbol=None, rank=rank, form=None)
    if rank == 1 and given.rank == 1:
        return replace(given, number=number, form=None)
    form = Form("view", given) if given.space is Space.UNKNOWN else None
    return replace(blurred(given, number), rank=rank, form=form, loss=spread(given.loss, rank == 1))


def spread(loss: Loss | None, flat: bool) -> Loss | None:
    """A divergence after its dims were merged: to average over everything is the same mistake as before."""
    return loss if loss is None or flat else replace(loss, elementwise=False)


def keeps_last(given: Tensor, size: Value, numbers: Numbers) -> bool:
    """Whether `size` is the given tensor's last size, written as `x.size(-1)` or `x.shape[-1]`."""
    number = number_of(size, numbers)
    return any(
        number == numbers.of("size", of, (-1,)) for of in (given.number, *((given.source,) if given.source else ()))
    )


def flatten(call: Call) -> Value:
    """Dims merged: a distribution along one that is left alone survives."""
    given = call.tensor()
    start, _ = dim_of(call.value("start_dim") or Constant(0), call.numbers)
    end, _ = dim_of(call.value("end_dim") or Constant(-1), call.numbers)
    own, _ = given.where()
    number = call.number()
    if start == 0 and end == -1:
        return replace(blurred(given, number), rank=1, loss=given.loss) if given.rank != 1 else given
    if given.rank is not None and start is not None and end is not None:
        start, end = start % given.rank, end % given.rank
        left = given.rank - (end - start)
        if own is not None and own > end:
            return replace(given, number=number, dim=own - (end - start), rank=left, form=None)
        if own is not None and own < start:
            return replace(given, number=number, rank=left, form=None)
        return replace(blurred(given, number), rank=left)
    if own is not None and own < 0 and end is not None and end < own:
        return replace(given, number=number, rank=None, form=None)
    rank = start + 1 if start is not None and start >= 0 and end == -1 else None
    if own is not None and start is not None and 0 <= own < start:
        return replace(given, number=number, rank=rank, form=None)
    return replace(blurred(given, number), rank=rank)


def expand(call: Call) -> Value:
    """expand: copies along dims of size one, and new dims in front: a dim keeps its place from the end."""
    given = call.tensor()
    sizes = call.rest
    rank = len(sizes) if len(sizes) > 1 and all(not isinstance(s, Sequence) for s in sizes) else None
    return replace(given, number=call.number(), rank=rank, dim=from_end(given), form=None, source=None)


def from_end(given: Tensor) -> int | None:
    """The distribution's dim counted from the end, where that is known."""
    own, _ = given.where()
    return own if own is None or own < 0 else own - given.rank if given.rank is not None else None


def repeat(call: Call) -> Value:
    """repeat, tile: copies one after the other; a distribution stays one where its own dim is written as not
    repeated.
    """
    given = call.tensor()
    times = constants_of(call.rest or listed(call.value("dims")))
    own = from_end(given)
    number = call.number()
    if times is None or own is None or (times[own] if -own <= len(times) else 1) != 1:
        return blurred(given, number)
    rank = max(given.rank, len(times)) if given.rank is not None else None
    return replace(given, number=number, dim=own, rank=rank, form=None, source=None)


def reordered(call: Call) -> Value:
    """flip: the same values in another order, along its own dim or another."""
    given = call.tensor()
    return replace(given, number=call.number(), form=None, source=None)


def roll(call: Call) -> Value:
    """roll: as flip along a dim; without one, of all elements in a row."""
    return reordered(call) if call.value("dims") is not None or call.tensor().rank == 1 else blur(call)


def sort(call: Call) -> Value:
    """sort: the values of a distribution in another order, if along its own dim; along another the rows are torn
    apart.
    """
    given = call.tensor()
    if same_dim(given, *dim_of(call.value("dim") or Constant(-1), call.numbers)):
        return reordered(call)
    return replace(blurred(given, call.number()), rank=given.rank, maker=None)


def with_indices(effect: Effect) -> Effect:
    """The named tuple (values, indices) of sort, topk, max."""

    def both(call: Call) -> Value:
        values = effect(call)
        rank = values.rank if isinstance(values, Tensor) else None
        indices = Tensor(
            call.numbers.of("indices", call.number()),
            Space.INDICES,
            rank=rank,
            gradient=False,
            trail=call.trail(call.label),
        )
        return Sequence((values, indices), names=("values", "indices"), number=call.number())

    return both


def chosen(call: Call) -> Value:
    """gather, topk, index_select, narrow: some entries along `dim`."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    number = call.number()
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
        return replace(given, number=number, loss=replace(given.loss, elementwise=False))
    match same_dim(given, dim, symbol):
        case True:
            return cut(given, number)
        case together if call.label not in ("gather", "take_along_dim") and (
            together is False or outermost(given, dim)
        ):
            return replace(given, number=number, form=None, source=None)
        case _:
            return blurred(given, number) if given.space in DISTRIBUTIONS else replace(given, number=number, form=None)


def picked(call: Call) -> Value:
    """select: one entry along `dim`, which goes."""
    given = call.tensor()
    dim, _ = dim_of(call.value("dim"), call.numbers)
    return without_dim(given, dim, call.number())


def without_dim(given: Tensor, dim: int | None, number: int) -> Tensor:
    """`given` at one index of `dim`: a distribution along another dim survives, else single elements are left."""
    rank = given.rank - 1 if given.rank is not None else None
    if dim is None or given.space not in DISTRIBUTIONS:
        return replace(blurred(given, number), rank=rank)
    if same_dim(given, dim):
        mass = given.mass if given.mass is Mass.BERNOULLI else Mass.UNKNOWN  # one class of two may stand for both
        return replace(given, number=number, mass=mass, dim=None, symbol=None, rank=rank, form=None, source=None)
    after = shifted_out(given, dim)
    if after is None:
        return replace(blurred(given, number), rank=rank)
    return replace(given, number=number, dim=after, rank=rank, form=None, source=None)


def pieces(call: Call) -> Value:
    """chunk, split, unbind: a tuple of parts."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(0), call.numbers)
    number = call.number()
    if call.label == "unbind":
        part = without_dim(given, dim, number)
    elif same_dim(given, dim, symbol) is False or given.space not in DISTRIBUTIONS:
        part = replace(given, number=number, form=None, source=None)
    elif same_dim(given, dim, symbol):
        part = cut(given, number)
    elif outermost(given, dim):
        part = replace(given, number=number, form=None, source=None)
    else:
        part = blurred(given, number)
    count = call.constant("chunks")
    if isinstance(count, int) and 0 < count <= 8:
        items = tuple(replace(part, number=call.numbers.of("part", number, (i,))) for i in range(count))
        return Sequence(items, number=number)
    return Sequence(None, part, number=number)


# --- what joins several ----------------------------------------------------------------------------------------------


def gathered(call: Call) -> tuple[Tensor, tuple[Value, ...] | None]:
    """The tensors given to cat or stack, joined; and each by itself where their number is known."""
    match call.value("tensors"):
        case Sequence(items=items) if items:
            items = tuple(item for item in items if item != NONE and not is_empty(item)) or items
            tensors = tuple(as_tensor(item, call.numbers) for item in items)
            first = tensors[0]
            merged = join(tensors, call.numbers) if len(tensors) > 1 else first
            return (merged if isinstance(merged, Tensor) else first), items
        case Sequence(element=element) if element is not None:
            return as_tensor(element, call.numbers), None
        case _:
            return Tensor(call.number()), None


def concatenate(call: Call) -> Value:
    """cat: along another dim each row stays a distribution; along its own it does not."""
    merged, items = gathered(call)
    dim, symbol = dim_of(call.value("dim") or Constant(0), call.numbers)
    number = call.number()
    pair = items is not None and bernoulli_pair(items)
    if pair:
        return paired(call, merged, dim, symbol, merged.rank)
    if merged.space not in DISTRIBUTIONS:
        return replace(merged, number=number, form=None)
    if same_dim(merged, dim, symbol) is False or outermost(merged, dim):
        return replace(merged, number=number, form=None, source=None)
    return replace(blurred(merged, number), rank=merged.rank, maker=None, notes=kept(merged.notes))


def paired(call: Call, merged: Tensor, dim: int | None, symbol: int | None, rank: int | None) -> Tensor:
    """A Bernoulli distribution with both its terms."""
    return Tensor(
        call.number(),
        merged.space,
        Mass.WHOLE,
        dim,
        symbol,
        rank,
        nonnegative=merged.nonnegative,
        gradient=merged.gradient,
        trail=call.trail(call.label, merged.trail),
        maker=Maker(call.label, call.place),
    )


def stack(call: Call) -> Value:
    """stack: a new dim; each entry along it stays what it was."""
    merged, items = gathered(call)
    dim, symbol = dim_of(call.value("dim") or Constant(0), call.numbers)
    rank = merged.rank + 1 if merged.rank is not None else None
    if items is not None and bernoulli_pair(items):
        return paired(call, merged, dim, symbol, rank)
    after = shifted_in(merged, dim) if dim is not None else None
    element = Form("stack", merged) if merged.space in DISTRIBUTIONS else None
    if merged.space is Space.LOG_PROBS or merged.space is Space.PROBS:
        mass = merged.mass if after is not None or merged.mass in (Mass.BERNOULLI, Mass.CUT) else Mass.UNKNOWN
        return replace(
            merged, number=call.number(), dim=after, symbol=None, mass=mass, rank=rank, form=element, source=None
        )
    return replace(merged, number=call.number(), rank=rank, form=None)


def where(call: Call) -> Value:
    """where(condition, a, b): each element from one or the other."""
    one, other = call.tensor("input"), call.tensor("other")
    number = call.number()
    for tensor in (one, other):
        if tensor.loss is not None:
            call.frame.machine.filtered.update(tensor.loss.calls)
            return replace(tensor, number=number)
    if one.space is other.space and one.space in DISTRIBUTIONS:
        gradient = one.gradient or other.gradient
        return replace(
            blurred(one, number), rank=one.rank if one.rank == other.rank else None, maker=None, gradient=gradient
        )
    for tensor, rest in ((one, other), (other, one)):
        if tensor.space in DISTRIBUTIONS and rest.fill is not None and fits(tensor.space, rest):
            return replace(blurred(tensor, number), rank=tensor.rank, maker=None)
    if is_infinite(one.fill) or is_infinite(other.fill):
        note = Note(RemarkKind.INFINITE_MASK, call.place, call.label)
        return Tensor(number, gradient=one.gradient or other.gradient, masked=note)
    return Tensor(number, gradient=one.gradient or other.gradient)


def is_infinite(fill: Value | None) -> bool:
    """Whether a constant is minus infinity."""
    return isinstance(fill, Constant) and fill.value == float("-inf")


def masked_fill(call: Call) -> Value:
    """masked_fill: -inf before a softmax is remembered; in a distribution some elements are overwritten."""
    given = call.tensor()
    number = call.number()
    value = next((call.values[name] for name in ("value", "src", "source", "values") if name in call.values), NONE)
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
        return replace(given, number=number)
    gradient = given.gradient or as_tensor(value, call.numbers).gradient
    if given.space in DISTRIBUTIONS and fits(given.space, value):
        return replace(blurred(given, number), rank=given.rank, maker=None, gradient=gradient)
    if given.space in DISTRIBUTIONS or not fits(given.space, value):
        return Tensor(number, rank=given.rank, gradient=gradient)
    masked = Note(RemarkKind.INFINITE_MASK, call.place, call.label) if is_infinite(value) else given.masked
    return replace(given, number=number, form=None, masked=masked, fill=None, gradient=gradient)


def accumulated(call: Call) -> Value:
    """scatter_add, index_add: something is added to some elements."""
    result = masked_fill(call)
    return replace(result, mass=Mass.UNKNOWN) if isinstance(result, Tensor) else result


def fits(space: Space, written: Value | None) -> bool:
    """Whether what is written into a tensor of this space can leave it there; of what is not known, that is taken for
    granted.
    """
    match written:
        case Tensor(fill=Constant() as fill):
            return fits(space, fill)
        case Constant(value=(int() | float()) as number):
            return space is not Space.PROBS or 0 <= number <= 1
        case Tensor(space=other):
            return space is Space.UNKNOWN or other in (space, Space.UNKNOWN)
        case _:
            return True


def scatter(call: Call) -> Value:
    """scatter: into a constant tensor it makes a (smoothed) one-hot distribution."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    number = call.frame.machine.fresh(call.label, call.node)
    value = call.value("src") if call.value("src") is not None else call.value("value")
    if given.fill is not None and value is not None and fits(Space.PROBS, given.fill) and fits(Space.PROBS, value):
        exact = given.fill == Constant(0) or given.fill == Constant(0.0)
        one = value in (Constant(1), Constant(1.0))
        return Tensor(
            number,
            Space.PROBS,
            Mass.WHOLE if exact and one else Mass.UNKNOWN,
            dim if exact and one else None,
            symbol if exact and one else None,
            given.rank,
            nonnegative=True,
            gradient=given.gradient or not isinstance(value, Constant),
            maker=Maker("scatter", call.place),
            trail=call.trail(call.label),
        )
    if given.space in DISTRIBUTIONS and fits(given.space, value):
        return replace(blurred(given, number), rank=given.rank, maker=None)
    return Tensor(number, rank=given.rank)


def fill_with(call: Call) -> Value:
    """fill_, zero_: one constant everywhere."""
    given = call.tensor()
    fill = call.value("value") or Constant(0)
    return replace(fill_tensor(call, fill, given.rank), gradient=given.gradient)


def lerp(call: Call) -> Value:
    """lerp: a convex mixture."""
    one, other, weight = call.tensor("input"), call.tensor("end"), call.tensor("weight")
    share = weight.fill.value if isinstance(weight.fill, Constant) else 0
    if one.space is other.space is Space.PROBS and isinstance(share, (int, float)) and 0 <= share <= 1:
        mixed = mixture(call.number(), one, other, call.trail("mixture", one.trail))
        return mixed if weight.rank in (0, None) else replace(blurred(mixed, mixed.number), rank=mixed.rank)
    return Tensor(call.number(), gradient=one.gradient or other.gradient)


def mixture(number: int, one: Tensor, other: Tensor, trail: Trail | None) -> Tensor:
    """What a convex mixture of two distributions is: one again, when both lie along one dim."""
    merged = join_like(one, other, number)
    return replace(merged, maker=None, notes=(), trail=trail, source=None, form=None, weight=None, temperature=None)


def join_like(one: Tensor, other: Tensor, number: int) -> Tensor:
    """The dims and mass that two distributions share."""
    same = one.where() == other.where() and one.mass is other.mass is Mass.WHOLE
    dim, symbol = (one.dim, one.symbol) if same else (None, None)
    rank = one.rank if one.rank == other.rank else None
    return replace(
        one,
        number=number,
        mass=Mass.WHOLE if same else Mass.UNKNOWN,
        dim=dim,
        symbol=symbol,
        rank=rank,
        gradient=one.gradient or other.gradient,
    )


# --- reductions ------------------------------------------------------------------------------------------------------


def reduce(kind: str) -> Effect:
    """sum, mean, max …: over one dim or all."""

    def effect(call: Call) -> Value:
        given = call.tensor()
        dim, symbol = dim_of(call.value("dim"), call.numbers)
        everything = call.value("dim") is None or call.value("dim") == Constant(None)
        keepdim = call.constant("keepdim", False) is True
        rank = reduced_rank(call, given, keepdim)
        if given.loss is not None:
            return reduced_loss(call, given, kind, dim, symbol, everything, keepdim, rank)
        if kind == "sum" and call.frame.machine.record_handwritten:
            handwritten(call, given, everything)
        number = call.number()
        form = (
            Form(kind, given, dim, symbol, keepdim)
            if not everything
            else Form(kind, given, None, None, keepdim, other=Constant("all"))
        )
        if everything or given.space not in DISTRIBUTIONS:
            return Tensor(
                number, rank=rank, nonnegative=given.nonnegative, gradient=given.gradient, form=form, mixed=given.mixed
            )
        return reduced_distribution(given, kind, dim, symbol, keepdim, number, form, rank)

    return effect


def reduced_rank(call: Call, given: Tensor, keepdim: bool) -> int | None:
    """The rank after a reduction over one dim, several, or all."""
    match call.value("dim"):
        case _ if keepdim:
            return given.rank
        case None | Constant(value=None):
            return 0
        case Sequence(items=items) if items is not None and given.rank is not None:
            return given.rank - len(items)
        case Constant() if given.rank is not None:
            return given.rank - 1
        case _:
            return None


def reduced_distribution(
    given: Tensor,
    kind: str,
    dim: int | None,
    symbol: int | None,
    keepdim: bool,
    number: int,
    form: Form,
    rank: int | None,
) -> Tensor:
    """sum, mean, max or logsumexp of a distribution over one dim: over another dim, mean keeps probabilities what
    they are.
    """
    match kind, same_dim(given, dim, symbol):
        case _, True:
            return Tensor(number, rank=rank, nonnegative=given.nonnegative, gradient=given.gradient, form=form)
        case "mean", another if (
            given.space is Space.PROBS and dim is not None and (another is False or outermost(given, dim))
        ):
            own = given.where()[0] if keepdim else shifted_out(given, dim)
            return replace(
                given, number=number, dim=own, rank=rank, form=form, maker=None, notes=(), source=None, weight=None
            )
        case "mean" | "sum" | "max", _ if (
            given.form is not None
            and given.form.op == "stack"
            and kind == "mean"
            and dim == 0
            and given.space is Space.PROBS
        ):
            return replace(given, number=number, rank=rank, form=form, maker=None, notes=(), source=None, weight=None)
        case "sum", False if (
            given.space is Space.PROBS and dim is not None and given.form is not None and given.form.op == "stack"
        ):
            own = given.where()[0] if keepdim else shifted_out(given, dim)
            return replace(
                given,
                number=number,
                dim=own,
                rank=rank,
                form=form,
                maker=None,
                notes=(),
                source=None,
                weight=ANY_WEIGHT,
                mass=Mass.UNKNOWN,
            )
        case "logsumexp" | "mean" | "max", _ if given.space is Space.LOG_PROBS:
            mass = Mass.BERNOULLI if given.mass is Mass.BERNOULLI and kind != "logsumexp" else Mass.UNKNOWN
            return replace(blurred(given, number), mass=mass, rank=rank, form=form, maker=None, notes=())
        case "sum" | "mean" | "max", _ if given.space is Space.PROBS:
            mass = Mass.BERNOULLI if given.mass is Mass.BERNOULLI and kind != "sum" else Mass.UNKNOWN
            return replace(blurred(given, number), mass=mass, rank=rank, form=form, maker=None, notes=())
        case _:
            return Tensor(number, rank=rank, gradient=given.gradient, form=form)


ANY_WEIGHT = Weight(((-1, 1.0),))
"""A factor that is not known."""


def reduced_loss(
    call: Call,
    given: Tensor,
    kind: str,
    dim: int | None,
    symbol: int | None,
    everything: bool,
    keepdim: bool,
    rank: int | None,
) -> Tensor:
    """What a reduction does to an unreduced divergence. An average over the class dimension is remembered (KLD205)."""
    loss = given.loss
    assert loss is not None
    number = call.number()
    call.frame.machine.summed.update(loss.calls)
    over_classes = loss.elementwise and (everything or same_dim(given, dim, symbol) is True)
    if kind == "mean" and over_classes:
        for place in loss.calls:
            if call.frame.unasked(place):
                continue
            use = LossUse(
                place,
                call.place,
                "mean() over everything" if everything else f"mean over dim {dim}",
                given.dim,
                everything,
                call.operand_place(),
            )
            call.frame.machine.uses[use] = None
    if everything or over_classes or kind not in ("sum", "mean"):
        return Tensor(number, rank=rank, gradient=given.gradient, loss=replace(loss, elementwise=False))
    if same_dim(given, dim, symbol) is False and dim is not None:
        own = given.where()[0] if keepdim else shifted_out(given, dim)
        return replace(given, number=number, dim=own, rank=rank)
    return Tensor(number, rank=rank, gradient=given.gradient, loss=replace(loss, elementwise=False))


def logsumexp(call: Call) -> Value:
    """logsumexp: what a log-softmax subtracts; over another dim, a mixture in log space."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    keepdim = call.constant("keepdim", False) is True
    rank = reduced_rank(call, given, keepdim)
    form = Form("logsumexp", given, dim, symbol, keepdim)
    if given.space is Space.LOG_PROBS:
        return replace(
            reduced_distribution(given, "logsumexp", dim, symbol, keepdim, call.number(), form, rank),
            trail=call.trail("logsumexp", given.trail),
        )
    return Tensor(call.number(), rank=rank, gradient=given.gradient, form=form)


def logaddexp(call: Call) -> Value:
    """logaddexp: the sum of two in log space."""
    one, other = call.tensor("input"), call.tensor("other")
    if one.space is other.space is Space.LOG_PROBS:
        rank = one.rank if other.rank in (0, one.rank) else None
        gradient = one.gradient or other.gradient
        return replace(
            blurred(one, call.number()),
            mass=Mass.UNKNOWN,
            rank=rank,
            maker=None,
            notes=(),
            gradient=gradient,
            trail=call.trail("logaddexp", one.trail),
        )
    return Tensor(call.number(), gradient=one.gradient or other.gradient)


def handwritten(call: Call, given: Tensor, everything: bool) -> None:
    """Remember sum(p * (log p - log q)), written by hand (KLD601)."""
    from kl_lint.flow.frame import HandwrittenSum

    form = given.form
    if form is None or form.op != "kl_terms" or form.other is None:
        return
    parts = form.other
    if isinstance(parts, _PartsValue):
        machine = call.frame.machine
        dim = call.operand_place("dim")
        machine.handwritten[call.node] = HandwrittenSum(call.place, parts.p, parts.log_q, dim, everything, parts.exact)


@dataclass(frozen=True, slots=True)
class _PartsValue:
    """Carries the parts of a hand-written divergence from its product to its sum."""

    p: Place
    log_q: Place
    exact: bool


def argmax(call: Call) -> Value:
    """argmax: class indices."""
    given = call.tensor()
    kept = call.constant("keepdim", False) is True
    rank = given.rank if kept else None if given.rank is None or call.value("dim") is None else given.rank - 1
    return Tensor(call.number(), Space.INDICES, rank=rank, gradient=False, trail=call.trail(call.label))


def argsort(call: Call) -> Value:
    """argsort, multinomial: indices in the place of the values."""
    return Tensor(call.number(), Space.INDICES, rank=call.tensor().rank, gradient=False, trail=call.trail(call.label))


def random_indices(call: Call) -> Value:
    """randint, randperm, arange: integers, unless a bound or a step is a fraction."""
    if any(isinstance(value, Constant) and isinstance(value.value, float) for value in call.rest):
        return Tensor(call.frame.machine.opaque(call.node), gradient=False)
    return Tensor(call.frame.machine.opaque(call.node), Space.INDICES, gradient=False, trail=call.trail(call.label))


# --- the rest of the catalogue's kinds -------------------------------------------------------------------------------


def lose(call: Call) -> Value:
    """Nothing is proved of the result."""
    result = lost(call, *[name for name, value in call.values.items() if isinstance(value, (Tensor, Unknown))])
    return replace(
        result, gradient=result.gradient or any(as_tensor(value, call.numbers).gradient for value in call.rest)
    )


def product(call: Call) -> Value:
    """A matrix product: of distributions it is none, unless the matrix is row-stochastic, which is not tracked."""
    one, other = call.tensor("input"), call.tensor("other")
    return Tensor(
        call.number(), rank=2 if one.rank == other.rank == 2 else None, gradient=one.gradient or other.gradient
    )


def product_of_rank(rank: int) -> Effect:
    """A product that torch defines for matrices of one rank only."""
    return lambda call: Tensor(
        call.number(),
        rank=rank,
        gradient=call.tensor().gradient or any(call.tensor(name).gradient for name in ("mat2", "vec")),
    )


def similarity(call: Call) -> Value:
    """Cosine similarities and distances: scores, no distribution."""
    return Tensor(call.number(), gradient=not call.frame.no_grad)


def blur(call: Call) -> Value:
    """The same elements in another shape, or some of them zero: the space stays."""
    given = blurred(call.tensor(), call.number())
    return replace(given, maker=None) if call.label in ("tril", "triu") else given


def pad(call: Call) -> Value:
    """F.pad: zeros beside the last dim leave probabilities along it a distribution; log-probabilities they do not."""
    given = call.tensor()
    amounts = listed(call.value("pad"))
    value = call.value("value") or Constant(0)
    plain = value in (Constant(0), Constant(0.0)) and call.value("mode") in (None, Constant("constant"))
    if given.space is Space.PROBS and plain and len(amounts) == 2 and from_end(given) == -1:
        return replace(given, number=call.number(), form=None, source=None)
    return (
        replace(blurred(given, call.number()), rank=given.rank, maker=None)
        if fits(given.space, value)
        else elementwise(call)
    )


def pool(call: Call) -> Value:
    """Pooling and interpolation: averages of probabilities are some; of log-probabilities they are none."""
    given = call.tensor()
    if given.space is Space.PROBS:
        return replace(blurred(given, call.number()), rank=given.rank, maker=None, notes=())
    return Tensor(call.number(), rank=given.rank, gradient=given.gradient)


def repeated(call: Call) -> Value:
    """repeat_interleave: copies along another dim leave a distribution one."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    if same_dim(given, dim, symbol) is False or outermost(given, dim):
        return replace(given, number=call.number(), form=None, source=None)
    return replace(blurred(given, call.number()), rank=given.rank if call.value("dim") is not None else 1)


def topk(call: Call) -> Value:
    """topk: the largest entries along dim (default: the last)."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(-1), call.numbers)
    if same_dim(given, dim, symbol):
        return cut(given, call.number())
    return replace(blurred(given, call.number()), rank=given.rank)


def masked_select(call: Call) -> Value:
    """masked_select, take, diagonal: elements in no arrangement."""
    given = call.tensor()
    rank = 1 if call.label in ("masked_select", "take") else None
    loss = replace(given.loss, elementwise=False) if given.loss else None
    if loss is not None:
        call.frame.machine.filtered.update(loss.calls)
    return replace(blurred(given, call.number()), rank=rank, loss=loss)


def joined_anyhow(call: Call) -> Value:
    """hstack and its kin: joined along a dim that depends on the rank."""
    merged, _ = gathered(call)
    return replace(blurred(merged, call.number()), maker=None)


def gumbel(call: Call) -> Value:
    """F.gumbel_softmax: a sample that sums to one along dim (default: the last)."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(-1), call.numbers)
    return Tensor(
        call.frame.machine.opaque(call.node),
        Space.PROBS,
        Mass.WHOLE,
        dim,
        symbol,
        given.rank,
        nonnegative=True,
        gradient=given.gradient,
        maker=Maker("gumbel_softmax", call.place),
        trail=call.trail("gumbel_softmax"),
    )


def softmax2d(call: Call) -> Value:
    """nn.Softmax2d: over the channels, dim -3."""
    values = {**call.values, "dim": Constant(-3)}
    return normalize(Space.PROBS)(replace(call, values=values))


def expm1(call: Call) -> Value:
    """expm1: exp less one."""
    given, whole = call.tensor(), exponential(call)
    form = Form("minus_one", whole) if isinstance(whole, Tensor) else None
    return Tensor(call.numbers.of("minus_one", call.number()), rank=given.rank, gradient=given.gradient, form=form)


def from_data(call: Call) -> Value:
    """as_tensor, from_numpy: the same values; a literal list is read."""
    return literal(replace(call, values={**call.values, "data": call.values.get("input", Constant(None))}))


def copied(call: Call) -> Value:
    """copy_: the values of another."""
    return call.values.get("src", Unknown(call.number()))


def extreme(call: Call) -> Value:
    """max, min, median: with a dim, a pair of values and indices."""
    if call.value("dim") is None:
        return reduce("max")(call)
    if isinstance(call.value("dim"), Tensor):
        return elementwise(call)
    return with_indices(reduce("max"))(call)


def extreme_of_last(call: Call) -> Value:
    """mode, kthvalue: as max with a dim, which is the last unless given."""
    return extreme(replace(call, values={**call.values, "dim": call.value("dim") or Constant(-1)}))


def norm(call: Call) -> Value:
    """norm: with p=1 over nonnegative entries it is their sum."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim"), call.numbers)
    ones = call.constant("p", 2) in (1, 1.0)
    form = (
        Form("norm1", given, dim, symbol, call.constant("keepdim", False) is True)
        if ones and call.value("dim") is not None
        else None
    )
    return Tensor(call.number(), gradient=given.gradient, form=form, nonnegative=True)


def counts(call: Call) -> Value:
    """bincount, histc: counts of a 1-D histogram."""
    return Tensor(call.number(), rank=1, nonnegative=True, gradient=False)


def dropout(call: Call) -> Value:
    """dropout: the identity where training=False is written, else the elements are scaled and zeroed."""
    if call.constant("training", True) is False:
        return keep(call)
    given = call.tensor()
    return Tensor(call.frame.machine.opaque(call.node), rank=given.rank, gradient=given.gradient)


def new_full(call: Call) -> Value:
    """x.new_full(size, value)."""
    size = call.value("size")
    rank = len(size.items) if isinstance(size, Sequence) and size.items is not None else None
    return fill_tensor(call, call.value("fill_value") or Unknown(call.number()), rank)


def new_filled(value: object) -> Effect:
    """x.new_zeros(sizes): only the type comes from x."""

    def effect(call: Call) -> Value:
        return filled(value)(
            replace(call, values={name: given for name, given in call.values.items() if name != "input"})
        )

    return effect


def uniform_noise_like(call: Call) -> Value:
    """torch.rand_like: numbers in [0, 1), no distribution."""
    return Tensor(
        call.frame.machine.fresh(call.label, call.node), rank=call.tensor().rank, nonnegative=True, gradient=False
    )


def identity_matrix(call: Call) -> Value:
    """torch.eye: one-hot rows."""
    return Tensor(
        call.number(),
        Space.PROBS,
        Mass.WHOLE,
        -1,
        rank=2,
        nonnegative=True,
        gradient=False,
        maker=Maker("eye", call.place),
        trail=call.trail("eye"),
    )


def to_integers(call: Call) -> Value:
    """long(): indices stay indices; a distribution is none any more."""
    given = call.tensor()
    return given if given.space is Space.INDICES else Tensor(call.number(), rank=given.rank, gradient=False)


def embedding(call: Call) -> Value:
    """nn.Embedding: feature vectors, a dim more than the indices."""
    given = call.tensor()
    return Tensor(output_number(call), rank=given.rank + 1 if given.rank is not None else None)


def module_flatten(call: Call) -> Value:
    """nn.Flatten: start_dim is 1 unless given."""
    return flatten(replace(call, values={**call.values, "start_dim": call.value("start_dim") or Constant(1)}))


def attention(call: Call) -> Value:
    """nn.MultiheadAttention: (output, weights); the weights sum to one over the last dim where there is no dropout."""
    number = call.number()
    weights: Value = Unknown(call.numbers.of("weights", number))
    if call.constant("dropout", 0.0) in (0, 0.0) and call.constant("need_weights", True) is True:
        maker, trail = Maker("MultiheadAttention", call.place), call.trail("attention weights")
        weights = Tensor(
            call.numbers.of("weights", number), Space.PROBS, Mass.WHOLE, -1, nonnegative=True, maker=maker, trail=trail
        )
    return Sequence((Tensor(call.numbers.of("output", number)), weights), number=number)


def literal(call: Call) -> Value:
    """torch.tensor of a literal list: its numbers say what it is."""
    match call.value("data"):
        case Tensor() | Unknown() as data:
            return data
        case Sequence() | Constant() as data:
            made = literal_tensor(call, data)
            if isinstance(made, Tensor) and call.constant("requires_grad") is True:
                return replace(made, gradient=True)
            return made
        case _:
            return Tensor(call.number(), gradient=False)


def literal_tensor(call: Call, data: Value) -> Value:
    """The space of literal numbers: rows that are nonnegative and sum to one are probabilities."""
    if isinstance(data, Constant) and isinstance(data.value, (int, float)):
        return Tensor(call.number(), rank=0, fill=data, gradient=False)
    if isinstance(data, Sequence) and data.items == ():
        return empty(call)
    share, depth = repeated_number(data)
    if depth and is_share(share):
        return fill_tensor(call, share, depth)
    rows = literal_rows(data, call.numbers)
    if isinstance(data, Sequence) and data.items is None and isinstance(data.element, (Tensor, Sequence)):
        element = as_tensor(data.element, call.numbers)
        return replace(blurred(element, call.number()), gradient=False)
    if rows is None:
        return Tensor(call.number(), gradient=False)
    rank, vectors = rows
    number = call.frame.machine.fresh("literal", call.node)
    flat = [value for vector in vectors for value in vector]
    kind = dtype_kind(call)
    whole = all(type(value) is int for value in flat)
    shares = all(value >= 0 and abs(sum(vector) - 1) < 1e-3 for vector in vectors for value in vector)
    several_hot = rank > 1 and set(flat) <= {0, 1}
    if whole and not shares and not several_hot and kind != "float":
        return Tensor(number, Space.INDICES, rank=rank, gradient=False, trail=call.trail("integers"))
    if shares and (not whole or rank > 1 or kind == "float"):
        return Tensor(
            number,
            Space.PROBS,
            Mass.WHOLE,
            -1,
            rank=rank,
            nonnegative=True,
            gradient=call.constant("requires_grad", False) is not False,
            maker=Maker("literal", call.place),
            trail=call.trail("numbers that sum to one"),
        )
    return Tensor(
        number,
        Space.LOGITS if min(flat) < 0 < max(flat) else Space.UNKNOWN,
        rank=rank,
        gradient=False,
        trail=call.trail("literal"),
    )


def dtype_kind(call: Call) -> str:
    """Whether numbers written out become floats, integers, or what they are."""
    dtype = call.value("dtype")
    if isinstance(dtype, Symbol):
        return "int" if any(word in dtype.name for word in ("int", "long", "short")) else "float"
    return "float" if call.label == "Tensor" else ""


def legacy_tensor(call: Call) -> Value:
    """torch.Tensor and its kin: of a list, its numbers as floats; of sizes, whatever the memory held."""
    match call.rest:
        case (Sequence() | Tensor() | Unknown() as data,):
            return literal(replace(call, values={"data": data}))
        case () | (Constant(value=0), *_):
            return empty(call)
        case sizes:
            return memory(call, len(sizes))


def memory(call: Call, rank: int | None) -> Tensor:
    """Whatever the memory held, for others to write over."""
    number = call.frame.machine.opaque(call.node)
    return Tensor(number, rank=rank, gradient=False, form=Form("buffer", Unknown(number)))


def uninitialized(call: Call) -> Value:
    """torch.empty and its kin."""
    return memory(call, None)


def repeated_number(data: Value) -> tuple[Value, int]:
    """What a nested list such as `[[1 / n] * n]` holds everywhere, and how deep it lies."""
    depth = 0
    while isinstance(data, Sequence) and depth < 4:
        inner = data.element if data.items is None else data.items[0] if len(data.items) == 1 else None
        if inner is None:
            return data, 0
        data, depth = inner, depth + 1
    return data, depth


def empty(call: Call) -> Tensor:
    """A tensor without elements."""
    number = call.frame.machine.fresh("empty", call.node)
    return Tensor(number, gradient=False, form=Form("empty", Unknown(number)))


def literal_rows(data: Value, numbers: Numbers) -> tuple[int, list[list[float]]] | None:
    """A nested literal list as (rank, its innermost rows); None where it is not all numbers."""
    items = listed(data)
    if not items or len(items) > 64:
        return None
    if all(isinstance(item, Constant) and type(item.value) in (int, float) for item in items):
        return 1, [[item.value for item in items]]  # type: ignore[union-attr,misc]
    inner = [literal_rows(item, numbers) for item in items]
    if any(rows is None for rows in inner):
        return None
    rank = inner[0][0] if inner[0] else 0
    return rank + 1, [vector for rows in inner if rows for vector in rows[1]]


def weight_any(given: Tensor, number: int) -> Tensor:
    """The sum of an unknown number of distributions."""
    return replace(
        given, number=number, mass=Mass.UNKNOWN, weight=ANY_WEIGHT, form=None, maker=None, notes=(), source=None
    )


def nan_to_num(call: Call) -> Value:
    """nan_to_num: of a distribution the identity; of a divergence, what mends its nan."""
    given = call.tensor()
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
    return keep(call)


def diagonal(call: Call) -> Value:
    """diagonal: one entry of each row, unless the rows lie along another dim."""
    given = call.tensor()
    dims = [dim_of(call.value(name) or Constant(default), call.numbers) for name, default in (("dim1", 0), ("dim2", 1))]
    rank = given.rank - 1 if given.rank is not None and given.rank > 1 else None
    matrix = given.rank in (2, None) and call.value("dim1") is None
    if matrix or any(same_dim(given, *dim) for dim in dims):
        return replace(cut(given, call.number()), dim=None, symbol=None, rank=rank)
    return replace(blurred(given, call.number()), rank=rank)
