"""Facts made by hand, as the analysis would hand them to the rules.

Spans are made up: a KL call stands in row 10, its input at column 8, its target at column 20; a construction in row 5;
what makes a distribution in rows 1 to 4.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kl_lint.finding import Span, Step
from kl_lint.flow.kl_call import (
    Argument,
    Context,
    Distribution,
    Handwritten,
    KLCall,
    Kind,
    Producer,
    Reduction,
    Remark,
    RemarkKind,
    Setting,
    Settings,
    Site,
)
from kl_lint.flow.values import Mass, Space

FILE = "losses.py"
CALL = Span(10, 1, 10, 80)
INPUT = Span(10, 8, 10, 18)
TARGET = Span(10, 20, 10, 30)
SETTING = Span(10, 40, 10, 50)
CONSTRUCTION = Span(5, 8, 5, 60)
CONSTRUCTION_SETTING = Span(5, 30, 5, 40)
SOFTMAX = Span(1, 5, 1, 30)
LOGITS = Span(1, 15, 1, 20)
MODULE = Span(3, 12, 3, 30)

PROBS = Distribution(Space.PROBS, Mass.WHOLE, dim=1, temperature=1)
LOG_PROBS = Distribution(Space.LOG_PROBS, Mass.WHOLE, dim=1, temperature=1)
SCORES = Distribution(Space.LOGITS)
INDICES = Distribution(Space.INDICES)
UNKNOWN = Distribution(Space.UNKNOWN)
BATCHMEAN = Settings(reduction=Setting("batchmean", True, SETTING, "reduction", literal=True))


@dataclass(frozen=True)
class Facts:
    """What `judge` takes."""

    sites: tuple[Site, ...] = ()
    handwritten: tuple[Handwritten, ...] = ()


def argument(value: Distribution, span: Span = INPUT, text: str = "p", *, swappable: bool = True) -> Argument:
    return Argument(span, text, value, swappable=swappable)


def call(
    given: Distribution | Argument | None = LOG_PROBS,
    target: Distribution | Argument | None = PROBS,
    *,
    kind: Kind = Kind.FUNCTIONAL,
    settings: Settings = BATCHMEAN,
    reduction: Reduction = Reduction.BATCHMEAN,
    log_target: bool | None = False,
) -> KLCall:
    """A call that is right in every respect, but for what is given."""
    return KLCall(
        kind,
        CALL,
        FILE,
        "F.kl_div",
        settings,
        reduction,
        log_target,
        argument(given, INPUT) if isinstance(given, Distribution) else given,
        argument(target, TARGET, "q") if isinstance(target, Distribution) else target,
        CONSTRUCTION if kind is Kind.MODULE else None,
    )


def construction(settings: Settings, reduction: Reduction = Reduction.UNKNOWN) -> KLCall:
    """The construction of a KLDivLoss."""
    return KLCall(Kind.CONSTRUCTION, CALL, FILE, "nn.KLDivLoss", settings, reduction, False)


def softmax(
    *,
    name: str = "softmax",
    inline: bool = False,
    sole_use: bool | None = None,
    operand_unchanged: bool = False,
    filename: str = FILE,
    module_span: Span | None = None,
    span: Span = SOFTMAX,
    operand: Span | None = LOGITS,
    dim: str | None = "-1",
    callee: str | None = None,
) -> Producer:
    """What stands in the argument itself is of no other use, unless it is said to be."""
    sole_use = inline if sole_use is None else sole_use
    return Producer(name, span, filename, operand, dim, inline, sole_use, operand_unchanged, module_span, callee)


def step(what: str, row: int = 1, filename: str = FILE) -> Step:
    return Step(filename, Span(row, 5, row, 30), what)


def remark(kind: RemarkKind, **changes: object) -> Remark:
    """A remark on `softmax(x).log()`, all of it in row 1: the log, the softmax in it, the logits in that."""
    outer, inner, operand = Span(1, 5, 1, 36), Span(1, 5, 1, 30), Span(1, 15, 1, 20)
    whole = Remark(kind, outer, FILE, "log", inner, operand, argument=inner, sole_use=True)
    return replace(whole, **changes)  # type: ignore[arg-type]


def site(*contexts: tuple[KLCall, ...], entry: tuple[bool, ...] = (), span: Span | None = None) -> Site:
    """A site reached in these contexts, each a tuple of variants."""
    flags = entry or (False,) * len(contexts)
    first = contexts[0][0]
    pairs = zip(contexts, flags, strict=True)
    return Site(first.kind, span or first.span, tuple(Context(variants, flag) for variants, flag in pairs))


def parsed(source: str, kind: Kind, values: Mapping[str, object] | None = None) -> KLCall:
    """The facts of the settings of one call, read off its source: a line such as `F.kl_div(a, b, None, reduce=False)`.

    A name is a setting that is known where `values` has it. Columns count from one; the call ends the line.
    """
    node = ast.parse(source).body[-1]
    expression = node.value if isinstance(node, ast.Expr | ast.Assign) else None
    assert isinstance(expression, ast.Call)
    names = ["size_average", "reduce", "reduction", "log_target"]
    first = 2 if kind is Kind.FUNCTIONAL else 0
    found: dict[str, Setting] = {}
    for position, value in enumerate(expression.args[first:], start=first):
        found[names[position - first]] = _setting(value, values or {}, None, position)
    for keyword in expression.keywords:
        if keyword.arg in names:
            found[keyword.arg] = _setting(keyword.value, values or {}, keyword.arg, None)
    is_open = any(keyword.arg is None for keyword in expression.keywords)
    settings = Settings(
        found.get("size_average"), found.get("reduce"), found.get("reduction"), found.get("log_target"), is_open
    )
    facts = construction(settings) if kind is Kind.CONSTRUCTION else call(kind=kind, settings=settings)
    return replace(facts, span=_span(expression))


def _setting(value: ast.expr, values: Mapping[str, object], keyword: str | None, position: int | None) -> Setting:
    match value:
        case ast.Constant(value=constant):
            return Setting(constant, True, _span(value), keyword, position, literal=True)
        case ast.Name(id=name):
            return Setting(values.get(name), name in values, _span(value), keyword, position)
        case _:
            raise AssertionError(f"not a setting: {ast.dump(value)}")


def _span(node: ast.expr) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1)
