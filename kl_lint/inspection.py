"""What each KL divergence of a file computes, right or wrong: the table behind `kl-lint inspect`.

One row for each call, however many ways lead to it. What all the ways that know agree on is told; a way that knows
nothing (a function entered with unknown arguments, say) has no vote where another one knows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from kl_lint.finding import Span, Step
from kl_lint.flow.kl_call import Argument, Distribution, KLCall, Kind, Reduction, Site
from kl_lint.flow.values import Mass, Space

if TYPE_CHECKING:
    from kl_lint.flow import Facts

__all__ = ["MIXED", "Row", "View", "describe", "short_name"]

MIXED = "mixed"
"""The space of an argument that is in one space on one path and in another on the next."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one argument: its space (`log_probs`, `probs`, `logits`, `indices`, `mixed`, `unknown`) and why.

    `dim` is the dimension along which it is a distribution, `rank` its number of dimensions: None where not proved.
    """

    space: str
    dim: int | None = None
    rank: int | None = None
    trace: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One call: where, of what kind (`functional`, `module` or `raw`), with what, and in words what that computes.

    An argument is None where the call does not show it; `log_target` where it is not known, or differs by path;
    `direction`, such as `KL(teacher ‖ student)`, where what is computed is no divergence.
    """

    filename: str
    span: Span
    kind: str
    input: View | None
    target: View | None
    log_target: bool | None
    reduction: str
    direction: str | None
    computes: str


def describe(facts: Facts) -> tuple[Row, ...]:
    """One row for each call of a KL divergence, sorted by position. The construction of a module is no call."""
    sites = [site for site in facts.sites if site.kind is not Kind.CONSTRUCTION and _calls(site)]
    return tuple(_row(site) for site in sorted(sites, key=lambda site: site.span))


def _row(site: Site) -> Row:
    calls = _calls(site)
    inputs = [[call.input for call in context.variants] for context in site.contexts]
    targets = [[call.target for call in context.variants] for context in site.contexts]
    reduction = _agreed(call.reduction for call in calls) or Reduction.UNKNOWN
    log_target = _agreed(call.log_target for call in calls)
    direction, computes = _computes(inputs, targets, log_target, reduction)
    return Row(
        filename=calls[0].filename,
        span=site.span,
        kind=site.kind.value,
        input=_view(inputs),
        target=_view(targets),
        log_target=log_target,
        reduction=reduction.value,
        direction=direction,
        computes=computes,
    )


def _calls(site: Site) -> list[KLCall]:
    return [call for context in site.contexts for call in context.variants]


def _agreed(values: Iterable[T]) -> T | None:
    """The value that all of `values` are; None where they differ, or there are none."""
    different = list(dict.fromkeys(values))
    return different[0] if len(different) == 1 else None


# What the ways to a call know of one argument. An argument that a call does not show is None.

_Ways = Sequence[Sequence[Argument | None]]


def _view(ways: _Ways) -> View | None:
    if not any(argument for way in ways for argument in way):
        return None
    values = _known(ways)
    return View(
        space=_space(ways),
        dim=_agreed(value.dim for value in values),
        rank=_agreed(value.rank for value in values),
        trace=next((value.trace for value in values if value.trace), ()),
    )


def _space(ways: _Ways) -> str:
    """The space in which all the ways that know it see the argument, else `mixed`; `unknown` where none does."""
    spaces = {_space_on(way) for way in ways} - {Space.UNKNOWN.value}
    match list(spaces):
        case []:
            return Space.UNKNOWN.value
        case [space]:
            return space
        case _:
            return MIXED


def _space_on(way: Sequence[Argument | None]) -> str:
    """The same on one way, where several alternatives may remain: one of them unknown, and nothing is known."""
    spaces = {_space_of(argument.value) if argument else Space.UNKNOWN.value for argument in way}
    match list(spaces):
        case [space]:
            return space
        case _:
            return Space.UNKNOWN.value if not spaces or Space.UNKNOWN.value in spaces else MIXED


def _space_of(value: Distribution) -> str:
    return MIXED if value.mixed and value.space is Space.UNKNOWN else value.space.value


def _known(ways: _Ways) -> list[Distribution]:
    """What is known of the argument on the ways that know its space; on all of them, where none does."""
    knowing = [way for way in ways if _space_on(way) != Space.UNKNOWN.value]
    return [argument.value for way in knowing or ways for argument in way if argument]


# In words.

_SPACES = {
    Space.LOG_PROBS.value: "log-probabilities",
    Space.PROBS.value: "probabilities",
    Space.LOGITS.value: "logits",
    Space.INDICES.value: "class indices",
}

_MASSES = {
    Mass.BERNOULLI: "single Bernoulli terms",
    Mass.CUT: "a part of a distribution",
}

_REDUCTIONS = {
    Reduction.NONE: "element by element",
    Reduction.MEAN: "averaged over every element, the classes too",
    Reduction.SUM: "summed",
    Reduction.BATCHMEAN: "summed, divided by the batch",
    Reduction.MEAN_THEN_BATCH: "averaged over every element, then divided by the batch as well",
    Reduction.NONE_THEN_BATCH: "element by element, divided by the batch",
    Reduction.UNKNOWN: "reduced in a way that is not known",
}


def _computes(inputs: _Ways, targets: _Ways, log_target: bool | None, reduction: Reduction) -> tuple[str | None, str]:
    """The direction, if what is computed is a divergence, and what is."""
    if reduction is Reduction.INVALID:
        return None, "nothing: torch knows no such reduction"
    wanted = None if log_target is None else Space.LOG_PROBS.value if log_target else Space.PROBS.value
    spaces = _space(inputs), _space(targets)
    if log_target is False and spaces == (Space.PROBS.value, Space.LOG_PROBS.value):
        return None, "not a divergence: the input is the target, and the target the input"
    faults = [*_fault("input", inputs, Space.LOG_PROBS.value), *_fault("target", targets, wanted)]
    if faults:
        return None, f"not a divergence: {', and '.join(faults)}"
    target, input_ = _names(targets, inputs)
    doubts = [*_doubt(input_, spaces[0], Space.LOG_PROBS.value), *_doubt(target, spaces[1], wanted)]
    condition = f", if {' and '.join(doubts)}" if doubts else ""
    direction = f"KL({target} ‖ {input_})"
    return direction, f"{direction}, {_REDUCTIONS[reduction]}{condition}"


def _fault(role: str, ways: _Ways, wanted: str | None) -> list[str]:
    """What is wrong with an argument that should be in the space `wanted` (None: in either of the two that may be)."""
    space = _space(ways)
    either = (Space.PROBS.value, Space.LOG_PROBS.value)
    if space in _SPACES and space != wanted and (wanted or space not in either):
        return [f"the {role} is {_SPACES[space]}"]
    mass = _agreed(value.mass for value in _known(ways))
    return [f"the {role} is {_MASSES[mass]}"] if mass in _MASSES else []


def _doubt(name: str, space: str, wanted: str | None) -> list[str]:
    """What is taken on trust of an argument called `name`."""
    if space == wanted:
        return []
    return [f"{name} is {_SPACES[wanted]}" if wanted else f"{name} is what log_target says"]


def _names(targets: _Ways, inputs: _Ways) -> tuple[str, str]:
    """Short names for target and input, different ones."""
    texts = [next((argument.text for way in ways for argument in way if argument), "") for ways in (targets, inputs)]
    for shorten in (short_name, _root_name):
        target, input_ = (shorten(text) for text in texts)
        if target and input_ and target != input_:
            return target, input_
    return "target", "input"


# Names: `F.log_softmax(self.student_logits / T, dim=1)` is the student.

_DECORATION = frozenset(
    "dist distribution log logit logits logprob logprobs logp lp out output outputs pred preds prob probs "
    "probabilities score scores softmax".split()
)
_OPERATIONS = frozenset(
    "chunk clamp clamp_min clone contiguous cpu cuda data detach double exp expand flatten float forward gather half "
    "log log_softmax mean permute repeat reshape softmax squeeze sum t to transpose type_as unsqueeze view".split()
)
_NAMESPACES = frozenset("F functional nn np self torch".split())


def short_name(text: str) -> str:
    """What the expression `text` is about, in a word: the name under its operations, without `log_`, `_probs` and such.

    Empty where there is no name in it.
    """
    name = _root_name(text)
    words = name.split("_")
    telling = [index for index, word in enumerate(words) if word not in _DECORATION]
    return "_".join(words[telling[0] : telling[-1] + 1]) if telling else name


def _root_name(text: str) -> str:
    try:
        return _root(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _root(node: ast.expr) -> str:
    """The name under the operations of an expression."""
    match node:
        case ast.Name(id=name):
            return "" if name in _NAMESPACES else name
        case ast.Attribute(value=value, attr=name):
            return "" if name in _NAMESPACES else (_root(value) or name) if name in _DECORATION | _OPERATIONS else name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.UnaryOp(operand=value):
            return _root(value)
        case ast.BinOp(left=left, right=right):
            return _root(left) or _root(right)
        case ast.Call(func=ast.Attribute(value=receiver, attr=name), args=arguments) if name in _OPERATIONS:
            return _root(receiver) or _first(arguments)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name not in _OPERATIONS:
            return name
        case ast.Call(args=arguments):
            return _first(arguments)
        case _:
            return ""


def _first(arguments: Sequence[ast.expr]) -> str:
    return _root(arguments[0]) if arguments else ""
