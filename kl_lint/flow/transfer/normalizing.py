"""Transfer functions of what makes a distribution of a tensor, or moves it between probabilities and logarithms."""

from __future__ import annotations

from dataclasses import replace

from kl_lint.flow.transfer.call import Call, Effect, PlaceValue, dim_of, kept, same_dim
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    INFINITE_MASKS,
    Constant,
    Form,
    Maker,
    Mass,
    Note,
    RemarkKind,
    Space,
    Tensor,
    Unknown,
    Value,
)


def normalize(space: Space, *, negated: bool = False) -> Effect:
    """softmax and its kin: a distribution along `dim`, in `space`. `negated`: of the negated operand (softmin)."""

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
        elif operand.space is Space.LOG_PROBS:  # where they are -inf, the result is so too, or zero
            notes.extend(note for note in operand.notes if note.kind in INFINITE_MASKS)
        module = call.value("module_place")
        return Tensor(
            call.numbers.of("normalized", (space.value, negated, dim), operand.number, symbol or 0),
            space,
            Mass.WHOLE,
            dim,
            symbol,
            operand.rank,
            nonnegative=space is Space.PROBS,
            gradient=operand.gradient and not call.frame.no_grad,
            source=None
            if call.numbers.volatile(operand.number) or negated or call.value("mask") is not None
            else operand.number,
            temperature=temperature(operand),
            maker=Maker(
                call.label,
                call.place,
                call.operand_place(),
                operand.number,
                call.operand_place("dim"),
                module.place if isinstance(module, PlaceValue) else None,
            ),
            notes=tuple(notes),
            trail=call.trail(call.label, operand.trail if operand.space in DISTRIBUTIONS else None),
        )

    return effect


LABELS = frozenset({"one_hot", "eye", "scatter"})
"""What makes labels: those that are scaled and normalised then are softened on purpose."""


def twice(call: Call, operand: Tensor, dim: int | None, symbol: int | None) -> tuple[Note, ...]:
    """The note that probabilities are normalised again, where that is proved; after it, that they were before.

    They may be scaled between, by a number: what they are multiplied with besides may be the scores that they weigh.
    """
    given = operand
    while not given.whole and given.form is not None and is_scaled_by_number(given.form):
        inner = given.form.operand
        if not isinstance(inner, Tensor):
            break
        given = inner
    if given.space is not Space.PROBS or given.mass is not Mass.WHOLE or given.maker is None:
        return ()
    made, again = given.maker, same_dim(given, dim, symbol)
    told = given.dim is not None and dim is not None
    if again is False or (told and not again) or (given is not operand and made.name in LABELS):
        return ()
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
    return (note, *(earlier for earlier in given.notes if earlier.kind is RemarkKind.NORMALIZED_TWICE))


def is_scaled_by_number(form: Form) -> bool:
    """Whether a form is that of a tensor times a number, or divided by what is, or may be, a number."""
    match form.op, form.other:
        case "scaled", Tensor() | Constant():
            return True
        case "div", Unknown() | Constant() | Tensor(rank=0):
            return True
        case _:
            return False


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
        both = operand.form is not None and operand.form.op == "opposites"
        note = Note(RemarkKind.BERNOULLI, call.place, call.label, operand=call.operand_place())
        negated = operand.form.operand if operand.form is not None and operand.form.op == "neg" else None
        other = replace(call, values={**call.values, "input": negated}).number() if negated is not None else None
        return Tensor(
            call.number(),
            space,
            Mass.UNKNOWN if both else Mass.BERNOULLI,
            rank=operand.rank,
            nonnegative=space is Space.PROBS,
            gradient=operand.gradient and not call.frame.no_grad,
            maker=Maker(call.label, call.place, call.operand_place(), operand.number),
            notes=() if both else (note,),
            form=Form(call.label, operand),
            trail=call.trail(call.label),
            complement_of=other if space is Space.PROBS else None,  # sigmoid(-x) is 1 - sigmoid(x)
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
    rest = one_minus(given) if given.space is Space.UNKNOWN else None
    if rest is not None:
        return log_of_rest(call, rest)
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


def one_minus(given: Tensor) -> Tensor | None:
    """The probability, or the sum of some, that a tensor is one minus: `1 - s`, or `-expm1(log s)`."""
    form = given.form
    if form is not None and form.op == "neg" and isinstance(form.operand, Tensor):
        form = form.operand.form
        form = form if form is not None and form.op == "minus_one" else None
    elif form is not None and form.op != "complement":
        form = None
    part = form.operand if form is not None else None
    return part if isinstance(part, Tensor) and is_part(part) else None


def is_part(given: Tensor) -> bool:
    """Whether a tensor is probabilities, or sums of some."""
    if given.space is Space.PROBS:
        return True
    terms = given.form.operand if given.form is not None and given.form.op == "sum" else None
    if given.space is not Space.UNKNOWN or not isinstance(terms, Tensor):
        return False
    exponent = terms.form.operand if terms.form is not None and terms.form.op == "exp" else None
    return terms.space is Space.PROBS or (isinstance(exponent, Tensor) and exponent.space is Space.LOG_PROBS)


def log_of_rest(call: Call, part: Tensor) -> Tensor:
    """The logarithm of what probabilities leave of one."""
    bernoulli = part.mass is Mass.BERNOULLI
    return Tensor(
        call.number(),
        Space.LOG_PROBS,
        Mass.BERNOULLI if bernoulli else Mass.UNKNOWN,
        rank=part.rank,
        gradient=part.gradient,
        notes=part.notes if bernoulli else (),
        trail=call.trail(call.label, part.trail),
        complement_of=part.number,
    )


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
    part = form.operand if call.label == "log1p" and form is not None and form.op == "neg" else None
    if isinstance(part, Tensor) and is_part(part):
        return log_of_rest(call, part)
    notes: tuple[Note, ...] = ()
    if given.space is Space.PROBS:
        operand = call.operand_place()
        notes = (Note(RemarkKind.WRONG_LOG, call.place, call.label, operand=operand, operand_number=given.number),)
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
        made = ratio(call, given, dim, symbol, "normalize")
        return made if given.nonnegative else replace(made, maker=None)  # it may have signs, and be meant for scores
    return Tensor(call.number(), rank=given.rank, gradient=given.gradient, nonnegative=given.nonnegative)


def ratio(call: Call, given: Tensor, dim: int | None, symbol: int | None, what: str) -> Tensor:
    """A tensor divided by its own sum along `dim`: probabilities, whatever they were before."""
    made = probabilities(call, call.number(), given, dim, symbol, what)
    return replace(made, trail=call.trail(what, given.trail), notes=kept(given.notes))


def probabilities(call: Call, number: int, given: Tensor, dim: int | None, symbol: int | None, what: str) -> Tensor:
    """What sums to one along `dim`, made of `given` by the call itself."""
    return Tensor(
        number,
        Space.PROBS,
        Mass.WHOLE,
        dim,
        symbol,
        given.rank,
        nonnegative=True,
        gradient=given.gradient,
        maker=Maker(what, call.place),
        trail=call.trail(what),
    )


def gumbel(call: Call) -> Value:
    """F.gumbel_softmax: a sample that sums to one along dim (default: the last)."""
    given = call.tensor()
    dim, symbol = dim_of(call.value("dim") or Constant(-1), call.numbers)
    return probabilities(call, call.frame.machine.opaque(call.node), given, dim, symbol, "gumbel_softmax")


def softmax2d(call: Call) -> Value:
    """nn.Softmax2d: over the channels, dim -3."""
    values = {**call.values, "dim": Constant(-3)}
    return normalize(Space.PROBS)(replace(call, values=values))


def expm1(call: Call) -> Value:
    """expm1: exp less one."""
    given, whole = call.tensor(), exponential(call)
    form = Form("minus_one", whole) if isinstance(whole, Tensor) else None
    return Tensor(call.numbers.of("minus_one", call.number()), rank=given.rank, gradient=given.gradient, form=form)
