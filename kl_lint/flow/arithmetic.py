"""Transfer functions of the operators `+ - * / ** @` and unary minus.

Here mixtures keep probabilities what they are, a tensor divided by its own sum becomes a distribution, and logits
less their own
logsumexp become log-probabilities.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from kl_lint.flow.frame import Frame
from kl_lint.flow.transfer.call import (
    ANY_WEIGHT,
    EPSILON,
    SMALL,
    Call,
    Effect,
    PartsValue,
    as_tensor,
    blurred,
    same_dim,
)
from kl_lint.flow.transfer.elementwise import guarded, is_total
from kl_lint.flow.transfer.making import fill_tensor
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    NONE,
    Constant,
    Form,
    Loss,
    Maker,
    Mass,
    Numbers,
    Sequence,
    Space,
    Tensor,
    Trail,
    Unknown,
    Value,
    Weight,
    number_of,
)

__all__ = ["binary", "negate", "negated", "operator"]

Pair = tuple[Tensor, Tensor]


def binary(frame: Frame, node: ast.AST, operator: str, left: Value, right: Value, nodes: dict[str, ast.expr]) -> Value:
    """The value of `left operator right`; `operator` is one of add, sub, mul, div, pow, matmul and the integer ones."""
    numbers = frame.machine.numbers
    if isinstance(left, Constant) and isinstance(right, Constant):
        return fold(operator, left, right, numbers)
    if isinstance(left, Sequence) or isinstance(right, Sequence):
        return sequences(operator, left, right, numbers)
    if operator not in TRANSFER:
        return Unknown(numbers.of(operator, number_of(left, numbers), number_of(right, numbers)))
    left, right = (
        Unknown(number_of(side, numbers)) if isinstance(side, Constant) and isinstance(side.value, bool) else side
        for side in (left, right)
    )
    call = Call(frame, node, operator, {"input": left, "other": right}, nodes)
    one, other = as_tensor(left, numbers), as_tensor(right, numbers)
    result = TRANSFER[operator](call, one, other)
    if result is None:
        result = plain(call, operator, one, other)
    plain_numbers = isinstance(left, (Unknown, Constant)) and isinstance(right, (Unknown, Constant))
    match result:
        case Tensor(space=Space.UNKNOWN, fill=None, loss=None) if plain_numbers:
            return Unknown(result.number, result.form)
        case _:
            return result


def plain(call: Call, operator: str, one: Tensor, other: Tensor) -> Tensor:
    """An operation after which nothing is proved but the rank, and that logits stay logits under constants."""
    rank = one.rank if other.rank in (0, one.rank) else other.rank if one.rank == 0 else None
    gradient = (one.gradient or other.gradient) and not call.frame.no_grad
    loss = carried_loss(one, other, operator)
    if loss is not None:
        factor = other if one.loss else one
        machine = call.frame.machine
        if operator == "mul" and machine.numbers.is_size(factor.number) and factor.number not in machine.batch_sizes:
            machine.rescaled.update(loss.calls)
        bearer = one if one.loss else other
        return Tensor(
            call.number(),
            dim=bearer.dim,
            symbol=bearer.symbol,
            rank=bearer.rank if loss.elementwise else rank,
            gradient=gradient,
            loss=loss,
        )
    space = Space.LOGITS if stays_logits(one, other, operator) else Space.UNKNOWN
    trail = (one.trail if one.space is Space.LOGITS else other.trail) if space is Space.LOGITS else None
    form = None
    if operator == "div":
        form = Form("div", one, other=call.values["other"])
    elif operator == "mul":
        form = Form("scaled", one if other.rank == 0 or one.rank is not None else other)
    masked = one.masked or other.masked
    nonnegative = one.nonnegative and other.nonnegative and operator in ("add", "mul", "div")
    mixed = one.mixed or other.mixed
    return Tensor(
        call.number(),
        space,
        rank=rank,
        gradient=gradient,
        form=form,
        trail=trail,
        masked=masked,
        nonnegative=nonnegative,
        mixed=mixed,
    )


def carried_loss(one: Tensor, other: Tensor, operator: str) -> Loss | None:
    """A weighted or summed divergence is one still; of two, only if both still have the class dimension."""
    if one.loss is None and other.loss is None:
        return None
    if one.loss is not None and other.loss is not None:
        together = (
            operator in ("add", "sub")
            and one.loss.elementwise
            and other.loss.elementwise
            and one.where() == other.where()
        )
        return Loss(one.loss.calls | other.loss.calls, together, one.loss.summed or other.loss.summed)
    loss, rest = (one.loss, other) if one.loss is not None else (other.loss, one)
    assert loss is not None
    scaled = operator in ("mul", "div") and (rest.rank == 0 or rest.fill is not None or rest.space is Space.UNKNOWN)
    moved = operator in ("add", "sub") and isinstance(rest.fill, Constant)  # by a number: a sum begins with 0
    return replace(loss, elementwise=loss.elementwise and (scaled or moved))


def stays_logits(one: Tensor, other: Tensor, operator: str) -> bool:
    """Logits combined with logits or a literal are logits, and logits divided by a number; with anything else that is
    unknown they may be anything: less the logarithm of the sum of their exponentials they are normalised.
    """
    if one.space is Space.LOGITS:
        scale = other.space is Space.UNKNOWN and other.rank == 0 and (operator in ("mul", "div") or is_extreme(other))
        return other.space is Space.LOGITS or other.fill is not None or scale
    return other.space is Space.LOGITS and one.fill is not None


def is_extreme(tensor: Tensor) -> bool:
    """Whether a number is the greatest, the least or the mean of a tensor: no sum of exponentials."""
    return tensor.form is not None and tensor.form.op in ("max", "amax", "min", "amin", "mean")


# --- scalars ---------------------------------------------------------------------------------------------------------


FOLDS: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}


def fold(operator: str, left: Constant, right: Constant, numbers: Numbers) -> Value:
    """The value of an operation on two literals, where it is cheap and defined."""
    one, other = left.value, right.value
    unknown = Unknown(numbers.of(operator, number_of(left, numbers), number_of(right, numbers)))
    if isinstance(one, str) and isinstance(other, str):
        return Constant(one + other) if operator == "add" and len(one) + len(other) < 1000 else unknown
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return unknown
    if operator == "pow":
        small = abs(one) <= 1000 and abs(other) <= 10
        return Constant(one**other) if small and (one > 0 or (isinstance(other, int) and other > 0)) else unknown
    try:
        value = FOLDS[operator](one, other) if operator in FOLDS else None
    except (ArithmeticError, ValueError):
        return unknown
    return unknown if value is None or abs(value) > 1e18 else Constant(value)


def sequences(operator: str, left: Value, right: Value, numbers: Numbers) -> Value:
    """Lists added; a list repeated is one of unknown length."""
    match operator, left, right:
        case "add", Sequence(items=one), Sequence(items=other) if (
            one is not None and other is not None and len(one) + len(other) <= 64
        ):
            return Sequence(
                (*one, *other),
                mutable=left.mutable,
                number=numbers.of("add", number_of(left, numbers), number_of(right, numbers)),
            )
        case "mul", Sequence(items=(element,)), _:
            return Sequence(
                None,
                element,
                mutable=left.mutable,
                number=numbers.of("repeat", number_of(left, numbers), number_of(right, numbers)),
            )
        case _:
            return Unknown(numbers.of(operator, number_of(left, numbers), number_of(right, numbers)))


def scalar(tensor: Tensor) -> bool:
    """Whether a factor may be a number, for all that is known: then it scales a distribution as a whole."""
    return tensor.rank in (0, None) and tensor.space is Space.UNKNOWN and tensor.loss is None


def weight_of(tensor: Tensor) -> Weight:
    """A factor as a weight: a literal, `lam`, or `1 - lam`."""
    match tensor.fill:
        case Constant(value=(int() | float()) as value):
            return Weight.collect([(0, float(value))])
        case _:
            pass
    if tensor.form is not None and tensor.form.op == "complement":
        return Weight.collect([(0, 1.0), (tensor.form.operand.number, -1.0)])
    return Weight(((tensor.number, 1.0),))


def weight_in(tensor: Tensor) -> Weight:
    """By what a distribution has been scaled so far."""
    if tensor.weight is not None:
        return tensor.weight
    return Weight() if tensor.mass is Mass.WHOLE else ANY_WEIGHT


# --- the operators ---------------------------------------------------------------------------------------------------


def add(call: Call, one: Tensor, other: Tensor) -> Tensor | Value | None:
    """`+`: an epsilon, a mixture, or a shift in log space."""
    for this, that, value in ((one, other, call.values["input"]), (other, one, call.values["other"])):
        if that.fill in (Constant(0), Constant(0.0)) and (that.rank == 0 or this.space in DISTRIBUTIONS):
            return replace(value)
        epsilon = is_epsilon(call, that) or small_epsilon(that)
        if (
            is_total(this)
            and epsilon
            and not (isinstance(that.fill, Constant) and isinstance(that.fill.value, float) and that.fill.value > SMALL)
        ):
            return replace(this, number=call.number())
        if (
            this.form is not None
            and this.form.op == "minus_one"
            and that.fill in (Constant(1), Constant(1.0))
            and isinstance(this.form.operand, Tensor)
        ):
            return replace(this.form.operand, number=call.number())
        if (
            this.form is not None
            and this.form.op == "neg"
            and that.fill in (Constant(1), Constant(1.0))
            and isinstance(this.form.operand, Tensor)
        ):
            return complement(call, this.form.operand)
        if this.space is Space.PROBS and epsilon:
            return guarded(this, call.number(), that.fill.value if isinstance(that.fill, Constant) else None)
    if one.space is other.space is Space.PROBS:
        return mixed_sum(call, one, other)
    if Space.PROBS in (one.space, other.space):
        given, rest = (one, other) if one.space is Space.PROBS else (other, one)
        return with_uniform(call, given, rest)
    if Space.LOG_PROBS in (one.space, other.space):
        given, rest = (one, other) if one.space is Space.LOG_PROBS else (other, one)
        return log_shift(call, given, rest)
    if small_epsilon(other) and one.space is Space.UNKNOWN and not one.mixed and one.loss is None and one.form is None:
        return Tensor(call.number(), rank=one.rank, gradient=one.gradient, form=Form("eps", one), masked=one.masked)
    return None


def small_epsilon(tensor: Tensor) -> bool:
    """Whether a literal is a guard against log(0)."""
    return (
        isinstance(tensor.fill, Constant) and isinstance(tensor.fill.value, float) and 0 < tensor.fill.value <= EPSILON
    )


def is_epsilon(call: Call, tensor: Tensor) -> bool:
    """Whether an unknown number is named as a guard: `eps`, `self.EPSILON`, `finfo(...).tiny`."""
    for key in ("other", "input"):
        node = call.nodes.get(key)
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name and number_of(call.values[key], call.numbers) == tensor.number:
            return name.lower().strip("_").startswith(("eps", "tiny", "smooth_eps"))
    return False


def mixed_sum(call: Call, one: Tensor, other: Tensor) -> Tensor:
    """The sum of two scaled distributions: one again, when the weights add up to one."""
    weight = ANY_WEIGHT
    ours, theirs = weight_in(one), weight_in(other)
    if ANY_WEIGHT not in (ours, theirs):
        weight = Weight.collect((*ours.terms, *theirs.terms))
    same = same_dim(one, *other.where()) is True and (None in (one.rank, other.rank) or one.rank == other.rank)
    whole = same and weight.is_one
    rank = one.rank if one.rank == other.rank else None
    dim, symbol = (one.dim, one.symbol) if same else (None, None)
    trail = Trail(call.place, "mixture", one.trail or other.trail)
    return Tensor(
        call.number(),
        Space.PROBS,
        Mass.WHOLE if whole else Mass.UNKNOWN,
        dim,
        symbol,
        rank,
        nonnegative=True,
        gradient=(one.gradient or other.gradient) and not call.frame.no_grad,
        weight=None if whole else weight if same else ANY_WEIGHT,
        trail=trail,
        maker=None,
    )


def with_uniform(call: Call, given: Tensor, rest: Tensor) -> Tensor | None:
    """`(1 - eps) * p + eps / C`: probabilities still. Anything else added to them leaves nothing proved."""
    if is_minus_one(rest):
        return Tensor(call.number(), rank=given.rank, gradient=given.gradient, form=Form("minus_one", given))
    negative = isinstance(rest.fill, Constant) and isinstance(rest.fill.value, (int, float)) and rest.fill.value < 0
    share = is_number_by_count(rest) or (rest.fill is not None and not negative)
    if share and rest.space is Space.UNKNOWN and rest.loss is None:
        return replace(
            blurred(given, call.number()), mass=Mass.UNKNOWN, rank=broadcast_rank(given, rest), maker=None, notes=()
        )
    return None


def is_number_by_count(tensor: Tensor) -> bool:
    """Whether a quotient can be that of a number and a count: `eps / C`, but not `x / 2`."""
    form = tensor.form
    if form is None or form.op != "div" or not isinstance(form.operand, Tensor):
        return False
    number = form.operand
    return number.space is Space.UNKNOWN and number.rank in (0, None) and not isinstance(form.other, Constant)


def broadcast_rank(given: Tensor, rest: Tensor) -> int | None:
    """The rank of a tensor together with another: that of an unknown one is taken for no larger, but that a vector is
    laid over whatever it meets.
    """
    if rest.rank is None:
        return None if rest.space in DISTRIBUTIONS or given.rank in (0, 1) else given.rank
    return None if given.rank is None else max(given.rank, rest.rank)


def is_minus_one(tensor: Tensor) -> bool:
    """The literal -1."""
    return isinstance(tensor.fill, Constant) and tensor.fill.value == -1


def log_shift(call: Call, given: Tensor, rest: Tensor) -> Tensor | None:
    """Log-probabilities shifted: in log space still, but no longer normalised."""
    if rest.space not in (Space.UNKNOWN, Space.LOG_PROBS) or rest.loss is not None or rest.mixed:
        return None
    if given.mass is Mass.BERNOULLI and rest.mass is Mass.BERNOULLI:
        return None
    form = Form("eps", given) if small_epsilon(rest) else None
    gradient = given.gradient or rest.gradient
    return replace(
        blurred(given, call.number()),
        mass=Mass.UNKNOWN,
        rank=broadcast_rank(given, rest),
        form=form,
        maker=None,
        gradient=gradient,
    )


def subtract(call: Call, one: Tensor, other: Tensor) -> Tensor | None:
    """`-`: logits less their logsumexp, a complement, a log-ratio."""
    form = other.form
    if (
        form is not None
        and form.op == "logsumexp"
        and form.operand.number == one.number
        and (form.keepdim or form.dim == 0)
    ):
        return Tensor(
            call.number(),
            Space.LOG_PROBS,
            Mass.WHOLE,
            form.dim,
            form.symbol,
            one.rank,
            gradient=one.gradient and not call.frame.no_grad,
            source=None if call.numbers.volatile(one.number) else one.number,
            maker=Maker("logsumexp", call.place),
            trail=Trail(call.place, "x - logsumexp(x)", one.trail),
        )
    if form is not None and is_total_of_columns(form, one.form):
        return log_columns(call, one, form)
    if one.fill in (Constant(1), Constant(1.0)) and other.fill is None:
        return complement(call, other)
    if one.space is other.space is Space.LOG_PROBS:
        return Tensor(
            call.number(),
            rank=one.rank,
            gradient=one.gradient or other.gradient,
            form=Form("log_ratio", one, other=other),
        )
    if one.space is Space.PROBS and other.fill in (Constant(1), Constant(1.0)):
        return Tensor(call.number(), rank=one.rank, gradient=one.gradient, form=Form("minus_one", one))
    if one.space is Space.LOG_PROBS:
        return log_shift(call, one, other)
    return None


def is_total_of_columns(total: Form, columns: Form | None) -> bool:
    """Whether `total` is the logsumexp of the tensor that `columns` were selected from, along the same dim."""
    if columns is None or total.op != "logsumexp" or columns.op != "columns" or not total.keepdim:
        return False
    same = (columns.dim, columns.symbol) == (total.dim, total.symbol)
    return same and columns.operand.number == total.operand.number


def log_columns(call: Call, one: Tensor, total: Form) -> Tensor:
    """`x.gather(d, i) - logsumexp(x, d)`: some columns of log_softmax(x)."""
    return Tensor(
        call.number(),
        Space.LOG_PROBS,
        Mass.CUT,
        total.dim,
        total.symbol,
        one.rank,
        gradient=one.gradient and not call.frame.no_grad,
        trail=Trail(call.place, "columns of x - logsumexp(x)", one.trail),
    )


def complement(call: Call, given: Tensor) -> Tensor:
    """`1 - p`."""
    number = call.number()
    if given.space is Space.PROBS and (
        given.mass is not Mass.UNKNOWN or (given.maker is not None and given.weight is None and given.form is None)
    ):
        mass = Mass.BERNOULLI if given.mass is Mass.BERNOULLI else Mass.UNKNOWN
        notes = given.notes if mass is Mass.BERNOULLI else ()
        return Tensor(
            number,
            Space.PROBS,
            mass,
            rank=given.rank,
            nonnegative=True,
            gradient=given.gradient,
            form=Form("complement", given),
            trail=given.trail,
            notes=notes,
            complement_of=given.number,
        )
    return Tensor(
        number,
        rank=given.rank,
        gradient=given.gradient,
        form=Form("complement", given),
        complement_of=given.number,
    )


def multiply(call: Call, one: Tensor, other: Tensor) -> Tensor | Value | None:
    """`*`: a distribution scaled, or the terms of a hand-written divergence."""
    for this, that, value in ((one, other, call.values["input"]), (other, one, call.values["other"])):
        if that.fill in (Constant(1), Constant(1.0)) and that.rank == 0:
            return replace(value)
        if this.fill in (Constant(0), Constant(0.0)) and this.rank != 0 and that.space is Space.UNKNOWN:
            return replace(value)  # zeros, scaled
        if this.space in (Space.PROBS, Space.UNKNOWN) and that.form is not None and that.form.op == "log_ratio":
            terms = kl_terms(call, this, that)
            if terms is not None:
                return terms
    if one.space is other.space is Space.PROBS:
        return Tensor(
            call.number(),
            nonnegative=True,
            rank=one.rank if one.rank == other.rank else None,
            gradient=one.gradient or other.gradient,
        )
    if Space.PROBS in (one.space, other.space):
        given, factor = (one, other) if one.space is Space.PROBS else (other, one)
        return scaled(call, given, factor, weight_of(factor))
    if Space.LOG_PROBS in (one.space, other.space):
        given, factor = (one, other) if one.space is Space.LOG_PROBS else (other, one)
        return log_scaled(call, given, factor)
    return None


def scaled(call: Call, given: Tensor, factor: Tensor, by: Weight) -> Tensor | None:
    """Probabilities times a factor: their mass is the factor, where that is one number."""
    if factor.space is not Space.UNKNOWN or factor.loss is not None or factor.mixed or chooses(given, factor):
        return None
    before = weight_in(given)
    if before.constant is not None and scalar(factor):
        weight = Weight.collect((n, c * before.constant) for n, c in by.terms)
    elif by.constant is not None and before != ANY_WEIGHT:
        weight = Weight.collect((n, c * by.constant) for n, c in before.terms)
    else:
        weight = ANY_WEIGHT
    sign = factor.fill.value if isinstance(factor.fill, Constant) else 1
    if isinstance(sign, (int, float)) and sign < 0:
        return None
    whole = weight.is_one and given.dim is not None
    grows = by.constant is not None and by.constant > 1
    mass = Mass.WHOLE if whole else Mass.BERNOULLI if given.mass is Mass.BERNOULLI and not grows else Mass.UNKNOWN
    is_number = by.constant is not None or factor.rank == 0
    form = (
        Form("div", given, other=call.values["other"])
        if call.label == "div"
        else Form("scaled", given, other=factor if is_number else None)
    )
    rank = broadcast_rank(given, factor)
    return replace(
        given,
        number=call.number(),
        mass=mass,
        dim=given.dim if rank == given.rank else given.from_end(),
        rank=rank,
        weight=None if whole else weight,
        form=form,
        source=None,
        fill=None,
        maker=None,
        notes=given.notes if given.mass is Mass.BERNOULLI else (),
        gradient=given.gradient or factor.gradient,
    )


def chooses(given: Tensor, factor: Tensor) -> bool:
    """Whether labels may pick elements of something unknown: `(one_hot(a) * values).sum(1)`."""
    named = given.maker.name if given.maker is not None else ""
    return named == "one_hot" and factor.fill is None and factor.rank != 0 and factor.form is None


def log_scaled(call: Call, given: Tensor, factor: Tensor) -> Tensor | None:
    """Log-probabilities times a factor stay in log space, unnormalised; under a minus they leave it."""
    negative = (
        isinstance(factor.fill, Constant) and isinstance(factor.fill.value, (int, float)) and factor.fill.value < 0
    )
    if factor.space is not Space.UNKNOWN or factor.loss is not None or factor.mixed or negative:
        return None
    form = Form("div", given, other=call.values["other"]) if call.label == "div" else None
    gradient = given.gradient or factor.gradient
    return replace(
        blurred(given, call.number()),
        rank=broadcast_rank(given, factor),
        form=form,
        maker=None,
        notes=(),
        gradient=gradient,
    )


def kl_terms(call: Call, p: Tensor, difference: Tensor) -> Tensor | None:
    """`p * (log p - log q)`: the terms of KL(p ‖ q)."""
    form = difference.form
    assert form is not None
    log_p, log_q = form.operand, form.other
    if not isinstance(log_p, Tensor) or not isinstance(log_q, Tensor) or p.gradient != log_p.gradient:
        return None
    own = log_p.form is not None and log_p.form.op == "log" and log_p.form.operand.number == p.number
    exp = p.form is not None and p.form.op == "exp" and p.form.operand.number == log_p.number
    node, difference_node = call.nodes.get("input"), call.nodes.get("other")
    if not (own or exp) or node is None or difference_node is None:
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        node, difference_node = difference_node, node
    if not (isinstance(difference_node, ast.BinOp) and isinstance(difference_node.op, ast.Sub)):
        return None
    place = call.frame.place
    parts = PartsValue(call.place, place(node), place(difference_node.right), exact=True)
    carrier = Form("kl_terms", p, p.dim, p.symbol, other=parts)  # type: ignore[arg-type]
    return Tensor(call.number(), rank=p.rank, gradient=True, form=carrier)


def divide(call: Call, one: Tensor, other: Tensor) -> Tensor | Value | None:
    """`/`: by its own sum, by a count, by a temperature."""
    own = divided_by_own_sum(call, one, other)
    if own is not None:
        return own
    if other.fill in (Constant(1), Constant(1.0)) and other.rank == 0:
        return replace(call.values["input"])
    if one.fill is not None and one.rank != 0 and (other.rank == 0 or not isinstance(call.values["other"], Tensor)):
        share = binary(call.frame, call.node, "div", one.fill, call.values["other"], {})
        return fill_tensor(call, share, one.rank)
    if one.space is Space.PROBS and is_rest(other):
        return replace(blurred(one, call.number()), weight=ANY_WEIGHT, maker=None, notes=())
    if one.space is Space.PROBS:
        match other.fill:
            case Constant(value=(int() | float()) as by) if by:
                return scaled(call, one, other, Weight.collect([(0, 1 / by)]))
            case _:
                return scaled(call, one, other, ANY_WEIGHT)
    if one.space is Space.LOG_PROBS:
        return log_scaled(call, one, other)
    return None


def is_rest(tensor: Tensor) -> bool:
    """Whether a divisor is what some probability leaves of one: `p / (1 - p[i])` spreads it over the others."""
    complement = tensor.form is not None and tensor.form.op == "complement"
    return complement or (tensor.space is Space.PROBS and tensor.complement_of is not None)


def divided_by_own_sum(call: Call, one: Tensor, other: Tensor) -> Tensor | None:
    """`x / x.sum(d, keepdim=True)` and its spellings."""
    form = other.form
    if form is None or form.op not in ("sum", "norm1") or one.loss is not None:
        return None
    if one.space in (Space.LOGITS, Space.LOG_PROBS):  # logits: nonnegative after all, or of no use
        own = form.operand.number == one.number
        return Tensor(call.number(), rank=one.rank, gradient=one.gradient) if own else None
    dim, symbol, whole = form.dim, form.symbol, True
    if form.operand.number == one.number:
        if isinstance(form.other, Constant):
            dim, whole = (0, True) if one.rank == 1 else (None, False)
        elif not form.keepdim and form.dim != 0:
            whole, dim, symbol = False, None, None
    elif (
        one.form is not None
        and one.form.op == "view"
        and form.operand.number == one.form.operand.number
        and form.dim in (1, -1)
    ):
        dim = 0
    elif one.form is not None and one.form.op == "clamp" and form.operand.number == one.form.operand.number:
        dim, symbol, whole = None, None, False
    else:
        return None
    return Tensor(
        call.number(),
        Space.PROBS,
        Mass.WHOLE if whole else Mass.UNKNOWN,
        dim,
        symbol,
        one.rank,
        nonnegative=True,
        gradient=one.gradient and not call.frame.no_grad,
        maker=None if form.op == "norm1" and not one.nonnegative else Maker("ratio", call.place),  # it may have signs
        trail=Trail(call.place, "x / x.sum()", one.trail),
    )


def power(call: Call, one: Tensor, other: Tensor) -> Tensor | None:
    """`**`."""
    if one.space is Space.PROBS:
        return replace(blurred(one, call.number()), rank=one.rank, maker=None, notes=())
    rank = one.rank if other.rank in (0, one.rank) else None
    return Tensor(
        call.number(),
        rank=rank,
        gradient=one.gradient or other.gradient,
        nonnegative=one.nonnegative or other.fill == Constant(2),
    )


def matrix_product(call: Call, one: Tensor, other: Tensor) -> Tensor:
    """`@`: a distribution only where the matrix is row-stochastic, which is not tracked."""
    return Tensor(
        call.number(), rank=one.rank if one.rank == other.rank == 2 else None, gradient=one.gradient or other.gradient
    )


def negate(frame: Frame, node: ast.AST, value: Value) -> Value:
    """Unary minus."""
    numbers = frame.machine.numbers
    match value:
        case Constant(value=bool()):
            return Constant(-int(bool(value.value)))
        case Constant(value=(int() | float()) as number):
            return Constant(-number)
        case Tensor() as given:
            space = Space.LOGITS if given.space is Space.LOGITS else Space.UNKNOWN
            number_after = numbers.of("neg", given.number)
            loss = replace(given.loss, elementwise=given.loss.elementwise) if given.loss else None
            return Tensor(
                number_after,
                space,
                dim=given.dim if loss else None,
                symbol=given.symbol if loss else None,
                rank=given.rank,
                gradient=given.gradient,
                form=Form("neg", given),
                trail=given.trail if space is Space.LOGITS else None,
                nonnegative=given.space is Space.LOG_PROBS,
                loss=loss,
            )
        case _:
            number_after = number_of(value, numbers)
            return Unknown(numbers.of("neg", number_after), Form("neg", Unknown(number_after)))


TRANSFER: dict[str, Callable[[Call, Tensor, Tensor], Value | None]] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "div": divide,
    "pow": power,
    "matmul": matrix_product,
}


def operator(name: str) -> Effect:
    """torch.add and its kin: as the operator, where there is no alpha or rounding."""

    def effect(call: Call) -> Value:
        if call.value("rounding_mode") is not None:
            return Tensor(call.number())
        other, alpha = call.values.get("other", NONE), call.value("alpha")
        if alpha is not None:
            other = binary(call.frame, call.node, "mul", alpha, other, {})
        return binary(call.frame, call.node, name, call.values.get("input", NONE), other, call.nodes)

    return effect


def negated(call: Call) -> Value:
    """torch.neg."""
    return negate(call.frame, call.node, call.values.get("input", NONE))
