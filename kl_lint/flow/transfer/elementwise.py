"""Transfer functions of what is done to each element: kept, guarded, scaled, blurred or lost."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.transfer.call import (
    ANY_WEIGHT,
    EPSILON,
    SMALL,
    Call,
    as_tensor,
    blurred,
    lost,
    output_number,
    unmasked,
)
from kl_lint.flow.values import INFINITE_MASKS, Constant, Form, Mass, Space, Symbol, Tensor, Unknown, Value


def keep(call: Call) -> Value:
    """The same values: .to(), .float(), .contiguous()."""
    return call.values.get("input", Constant(None))


def rounded(call: Call) -> Value:
    """.half(), .bfloat16(): the same values in fewer digits, so that what is made of them is not what was."""
    match call.values.get("input"):
        case Tensor() as given:
            return replace(given, number=call.number(), source=None)
        case Unknown():
            return Unknown(call.number())
        case other:
            return other if other is not None else Constant(None)


FEWER_DIGITS = (
    "torch.half",
    "torch.float16",
    "torch.bfloat16",
    "torch.float8",
    "torch.HalfTensor",
    "torch.BFloat16Tensor",
)


def converted(call: Call) -> Value:
    """.to(), .type(): the same values, in fewer digits where a type says so."""
    types = (value for value in (*call.rest, call.value("dtype")) if isinstance(value, Symbol))
    return rounded(call) if any(one.name.startswith(FEWER_DIGITS) for one in types) else keep(call)


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
    """clone(): the same values in a new object, which is made for what will change: it has a number of its own."""
    match call.values.get("input"):
        case Tensor() as given:
            return replace(given, number=call.numbers.of("clone", given.number))
        case Unknown() as given:
            return Tensor(call.numbers.of("clone", given.number), form=given.form)
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
        given = unmasked(given) if call.value("min") is not None else given
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
    notes = tuple(replace(n, epsilon=n.epsilon or n.kind in INFINITE_MASKS) for n in given.notes)
    weight = None if small else ANY_WEIGHT
    return replace(given, number=number, mass=mass, form=Form("eps", given), weight=weight, maker=maker, notes=notes)


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
    """A layer's raw output: scores on no scale. A stochastic matrix makes other probabilities of some."""
    given = call.tensor()
    number = output_number(call)
    if given.space is Space.PROBS and (call.value("module") is None or call.value("bias") == Constant(False)):
        return lose(call)
    return Tensor(number, Space.LOGITS, rank=given.rank, gradient=not call.frame.no_grad, trail=call.trail(call.label))


def lose(call: Call) -> Value:
    """Nothing is proved of the result."""
    result = lost(call, *[name for name, value in call.values.items() if isinstance(value, (Tensor, Unknown))])
    return replace(
        result, gradient=result.gradient or any(as_tensor(value, call.numbers).gradient for value in call.rest)
    )


def blur(call: Call) -> Value:
    """The same elements in another shape, or some of them zero: the space stays."""
    given = blurred(call.tensor(), call.number())
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
    return replace(given, maker=None) if call.label in ("tril", "triu") else given


def copied(call: Call) -> Value:
    """copy_: the values of another."""
    return call.values.get("src", Unknown(call.number()))


def dropout(call: Call) -> Value:
    """dropout: the identity where training=False is written, else the elements are scaled and zeroed."""
    if call.constant("training", True) is False:
        return keep(call)
    given = call.tensor()
    return Tensor(call.frame.machine.opaque(call.node), rank=given.rank, gradient=given.gradient)


def to_integers(call: Call) -> Value:
    """long(): indices stay indices; a distribution is none any more."""
    given = call.tensor()
    return given if given.space is Space.INDICES else Tensor(call.number(), rank=given.rank, gradient=False)


def nan_to_num(call: Call) -> Value:
    """nan_to_num: of a distribution the identity; of a divergence, what mends its nan."""
    given = call.tensor()
    if given.loss is not None:
        call.frame.machine.filtered.update(given.loss.calls)
    kept = keep(call)
    return unmasked(kept) if isinstance(kept, Tensor) and kept.space is not Space.PROBS else kept
