"""The facts that rules judge: one KL call as it is reached on one path, or one construction of a `KLDivLoss`.

A fact names no syntax: places are spans, values are described in the words of the domain. `Site` gathers the facts of
one
call over all the ways in which the program reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kl_lint.finding import Span, Step
from kl_lint.flow.values import Mass, RemarkKind, Space

__all__ = [
    "Argument",
    "Caller",
    "Context",
    "Distribution",
    "Handwritten",
    "KLCall",
    "Kind",
    "Producer",
    "Reduction",
    "Remark",
    "RemarkKind",
    "Setting",
    "Settings",
    "Site",
    "Use",
]


class Kind(str, Enum):
    """How the divergence is spelled."""

    FUNCTIONAL = "functional"
    """`torch.nn.functional.kl_div`."""
    MODULE = "module"
    """A call of a `torch.nn.KLDivLoss`."""
    RAW = "raw"
    """`torch.kl_div`, the native operation: its reduction is an integer and it returns the unreduced tensor by
    default.
    """
    CONSTRUCTION = "construction"
    """`torch.nn.KLDivLoss(...)` itself: it has settings, and no arguments."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One noteworthy step in the making of a tensor.

    `span` is the expression to report or rewrite (the outer call), `argument` the expression that it was given as it
    stands there, `inner`
    the call that made what it was given (LOG_OF_SOFTMAX, NORMALIZED_TWICE: the first softmax), and `operand` the
    logits given to that.
    `detail` is the operation's name (`log2`, `sigmoid`, `softmax`); `epsilon` says that something was added or
    clamped between (LOG_OF_SOFTMAX,
    NORMALIZED_TWICE), or put to a softmax
    of what was masked (INFINITE_MASK); `rank` is the operand's rank where it is proved (IMPLICIT_DIM); `filename` the
    file.

    `sole_use` says that `argument` alone reads what `inner` made, there or through locals; `operand_unchanged` that
    `argument` holds exactly what
    `inner` made, epsilons aside, and that the logits are still the same at the KL call. `guards` are the additions
    and clamps that a rewrite can
    reach, each with the expression it was applied to (LOG_OF_LOG: those of `argument` itself).
    """

    kind: RemarkKind
    span: Span
    filename: str
    detail: str = ""
    inner: Span | None = None
    operand: Span | None = None
    epsilon: bool = False
    rank: int | None = None
    argument: Span | None = None
    sole_use: bool = False
    operand_unchanged: bool = False
    guards: tuple[tuple[Span, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class Producer:
    """The call that made a distribution, as far as a rewrite can reach it.

    `name` is the operation (`softmax`, `log_softmax`, `Softmax`); `span` its call; `operand` the logits given to it
    and `dim` the text of its
    dim argument, where written; `inline` says that the call stands in the KL call's own argument; `sole_use` that
    nothing else reads what it made; `operand_unchanged` that the logits are still the same at the KL call.
    `module_span` is the construction of the module (`nn.Softmax(dim=1)`), where one made it, and only this use of it
    exists.
    `callee` is how the call spells the operation, where that would spell its siblings too: `F.softmax` after an
    import of torch at the top of the
    file, `.softmax` for a method; None for anything else.
    """

    name: str
    span: Span
    filename: str
    operand: Span | None = None
    dim: str | None = None
    inline: bool = False
    sole_use: bool = False
    operand_unchanged: bool = False
    module_span: Span | None = None
    callee: str | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is proved of a tensor that reaches a KL call.

    `dim` is the dimension along which it sums to one, as written (negative where counted from the end) and None where
    it is not an
    integer that is known; `symbol` identifies a dim that is a value of the program (equal symbols, equal dims).
    `rank` is the number of dimensions where it is proved. `source` identifies the tensor that was normalised: two
    distributions of one source come from the same logits. `temperature` identifies what the logits were divided by
    (None: unknown; 1: nothing). `carries_gradient`: False where proved detached. `number` identifies the tensor itself,
    and `complement_of` the one that it is one minus.
    """

    space: Space
    mass: Mass = Mass.UNKNOWN
    mixed: bool = False
    dim: int | None = None
    symbol: int | None = None
    rank: int | None = None
    source: int | None = None
    temperature: object = None
    temperature_text: str | None = None
    carries_gradient: bool = True
    remarks: tuple[Remark, ...] = ()
    trace: tuple[Step, ...] = ()
    producer: Producer | None = None
    last_size_dim: bool = False
    number: int | None = field(default=None, compare=False)
    complement_of: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a KL call: where it stands, what it says, what it holds."""

    span: Span
    text: str
    value: Distribution
    name: str | None = None
    """The keyword it was given by; None: by position."""
    swappable: bool = True
    """False where it comes out of a `*` or `**`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the call gives it: `value` where `known`; `span` of the value; `keyword` or position."""

    value: object
    known: bool
    span: Span | None = None
    keyword: str | None = None
    position: int | None = None
    literal: bool = False
    """Written at the call itself, not carried there by a name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the call or the construction was told. None: not given, torch's default counts.

    `open` says that a `*` or `**` that cannot be read may give more: what is None is then unknown.
    """

    size_average: Setting | None = None
    reduce: Setting | None = None
    reduction: Setting | None = None
    log_target: Setting | None = None
    open: bool = False


class Reduction(str, Enum):
    """What torch does with the elements, once all settings are taken together (torch/nn/_reduction.py)."""

    NONE = "none"
    MEAN = "mean"
    SUM = "sum"
    BATCHMEAN = "batchmean"
    MEAN_THEN_BATCH = "mean, divided by the batch again"
    NONE_THEN_BATCH = "none, each element divided by the batch"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Use:
    """What the program does with an unreduced divergence: it averages over the classes.

    `span` is the averaging call (`….mean()`), `how` its text in words; `dim` the class dimension where it is proved.
    """

    span: Span
    how: str
    dim: int | None = None
    everything: bool = False
    """The mean is over all dims at once, not over `dim` alone."""
    operand: Span | None = None
    """What is averaged, as it stands there."""


@dataclass(frozen=True, slots=True)
class KLCall:
    """One KL call, on one path of the program (or one construction; then `input` and `target` are None)."""

    kind: Kind
    span: Span
    filename: str
    callee: str
    settings: Settings
    reduction: Reduction
    log_target: bool | None
    """None where it cannot be known."""
    input: Argument | None = None
    target: Argument | None = None
    construction: Span | None = None
    """Where a MODULE call's loss was built, in this file."""
    uses: tuple[Use, ...] = ()
    filtered: bool = False
    """Elements of the unreduced result are selected or overwritten afterwards, which may mend what a mask did to it."""
    summed: bool = False
    """The unreduced result is seen to be summed or averaged."""
    zero_meant: bool = False
    """It stands in a test, or where second derivatives are taken: zero, too, says something there."""
    rescaled: bool = False
    """The result is multiplied by a size that is not the batch's: by the classes, over which it was averaged."""
    callers: tuple[Step, ...] = ()
    """The calls that led here, outermost first; empty where the function was entered with nothing known of its
    parameters.
    """


@dataclass(frozen=True, slots=True)
class Handwritten:
    """`sum(p * (log p - log q))` written by hand: KL(p ‖ q).

    `p` and `log_q` are the texts of the probabilities and of the other logarithm, as they stand in `terms`, the product
    under the sum; that is None where it lies in another file, or where what `kl_div` would not need does something
    besides.
    """

    span: Span
    filename: str
    p: str
    log_q: str
    total: bool
    """One expression that sums over everything (then reduction="sum" is the same number)."""
    terms: Span | None = None
    exact: bool = True
    """No epsilon inside."""
    functional: str | None = None
    """How this file spells torch.nn.functional (`F`, `torch.nn.functional`), where it does."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A call on the way to a KL call: where it stands, and what it calls there; or, where it `inherits`, where a class
    names its base, and that class.

    `followed` says that every run of it was looked into, and not just some.
    """

    filename: str
    span: Span
    callee: str
    followed: bool = field(default=True, compare=False)
    inherits: bool = field(default=False, compare=False)

    @property
    def step(self) -> Step:
        """It, as a trace tells of it."""
        return Step(self.filename, self.span, "inherited here" if self.inherits else "called here")


@dataclass(frozen=True, slots=True)
class Context:
    """One way into a site: the alternatives that remain possible there. `entry` marks a function entered with unknown
    parameters.

    `chains` are the calls that lead there with the same arguments, each chain outermost first and begun in a function
    whose own parameters are unknown, or at the top level; empty where there are too many to tell, or no other context
    is to be told from this one.
    """

    variants: tuple[KLCall, ...]
    entry: bool
    chains: tuple[tuple[Caller, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A KL call in the text, with every context in which the program reaches it."""

    kind: Kind
    span: Span
    contexts: tuple[Context, ...] = field(default=())
