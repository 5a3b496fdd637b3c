"""Transfer functions of what adds up, averages or multiplies along dims."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.frame import LossUse
from kl_lint.flow.transfer.call import (
    ANY_WEIGHT,
    Call,
    Effect,
    PartsValue,
    blurred,
    dim_of,
    outermost,
    same_dim,
    shifted_out,
)
from kl_lint.flow.transfer.elementwise import elementwise
from kl_lint.flow.transfer.selecting import with_indices
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    Constant,
    Form,
    Maker,
    Mass,
    Sequence,
    Space,
    Tensor,
    Unknown,
    Value,
)


def reduce(kind: str) -> Effect:
    """sum, mean, max …: over one dim or all."""

    def effect(call: Call) -> Value:
        given = call.tensor()
        dim, symbol = dim_of(call.value("dim"), call.numbers)
        everything = call.value("dim") is None or call.value("dim") == Constant(None)
        keepdim = call.constant("keepdim", False) is True
        rank = reduced_rank(call, given, keepdim)
        if kind == "mean" and given.fill is None:
            unreduced = given.loss is not None and given.loss.elementwise
            call.frame.machine.averaged.setdefault(call.place, set()).add((given.dim, given.symbol, unreduced))
        if given.loss is not None:
            if call.label == "nansum":
                call.frame.machine.filtered.update(given.loss.calls)
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
            return max(given.rank - len(items), 0)
        case Constant() if given.rank is not None:
            return max(given.rank - 1, 0)  # of a number, too, there is a sum over dim 0
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
    several = several_dims(call)
    over_classes = loss.elementwise and (
        everything or same_dim(given, dim, symbol) is True or any(same_dim(given, one) for one in several)
    )
    if kind == "mean" and over_classes:
        for place in loss.calls:
            if call.frame.unasked(place):
                continue
            use = LossUse(
                place,
                call.place,
                how_averaged(dim, several, everything=everything),
                given.dim if not loss.summed and not several else None,
                everything,
                call.operand_place(),
            )
            call.frame.machine.uses[use] = None
    if kind == "mean" and loss.elementwise and not everything and same_dim(given, dim, symbol) is None:
        # over the classes, or over another dim: averaged once more over everything, it is over the classes either way
        return Tensor(number, rank=rank, gradient=given.gradient, loss=loss)
    if everything or over_classes or kind not in ("sum", "mean"):
        return Tensor(number, rank=rank, gradient=given.gradient, loss=replace(loss, elementwise=False))
    if same_dim(given, dim, symbol) is False and dim is not None:
        own = given.where()[0] if keepdim else shifted_out(given, dim)
        summed = loss.summed or kind == "sum"
        return replace(given, number=number, dim=own, rank=rank, loss=replace(loss, summed=summed))
    return Tensor(number, rank=rank, gradient=given.gradient, loss=replace(loss, elementwise=False))


def several_dims(call: Call) -> tuple[int, ...]:
    """The dims of a reduction over more than one, where they are literals."""
    match call.value("dim"):
        case Sequence(items=tuple(items)) if all(isinstance(item, Constant) for item in items):
            values = [item.value for item in items if isinstance(item, Constant)]
            return tuple(value for value in values if isinstance(value, int))
        case _:
            return ()


def how_averaged(dim: int | None, several: tuple[int, ...], *, everything: bool) -> str:
    """A mean, as a message calls it."""
    if everything:
        return "mean() over everything"
    return f"mean over dims {', '.join(map(str, several))}" if several else f"mean over dim {dim}"


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
    if isinstance(parts, PartsValue):
        elsewhere = isinstance(call.node, ast.Call) and any(keyword.arg == "out" for keyword in call.node.keywords)
        alone = call.values.keys() <= {"input", "dim"} and not elsewhere
        total = everything and alone and call.nodes.get("input") is parts.product.node
        call.frame.machine.handwritten[call.node] = HandwrittenSum(
            call.place, parts.product, parts.p, parts.log_q, total, parts.exact
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
