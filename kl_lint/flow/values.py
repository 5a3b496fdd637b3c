"""The domain: what the interpreter can know of a Python value.

Every value is immutable; assigning, mutating and joining make new ones. A value that nothing is known of still has a
*value number*: two expressions with one number hold the same thing at run time, which is how
`x / x.sum(-1, keepdim=True)` is recognised and how one flag that guards two branches is known to be one flag.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kl_lint.flow.frame import Frame
    from kl_lint.flow.source import Place


class Space(str, Enum):
    """The space in which the elements of a tensor live."""

    LOG_PROBS = "log_probs"
    PROBS = "probs"
    LOGITS = "logits"
    INDICES = "indices"
    UNKNOWN = "unknown"


class Mass(Enum):
    """How much of a distribution a tensor in PROBS or LOG_PROBS holds."""

    WHOLE = "whole"
    """Sums to one along its dim (its exponential does, for log-probabilities)."""
    CUT = "cut"
    """Columns of a distribution, selected after it was normalised: they no longer sum to one."""
    BERNOULLI = "bernoulli"
    """Each element is a probability by itself, its complement nowhere."""
    UNKNOWN = "unknown"


DISTRIBUTIONS = frozenset({Space.PROBS, Space.LOG_PROBS})


class Numbers:
    """The value numbers of one analysis: equal parts, equal number.

    A number is *volatile* when what it stands for may change behind the interpreter's back (an attribute of an object
    it
    cannot see into); two reads of it are one flag, but no proof that two tensors are the same.
    """

    __slots__ = ("_given", "_sizes", "_table", "_volatile")

    def __init__(self) -> None:
        self._table: dict[tuple[object, ...], int] = {}
        self._volatile: set[int] = set()
        self._sizes: set[int] = set()
        self._given: set[int] = set()

    def of(self, operation: str, *parts: object, volatile: bool = False) -> int:
        """The number of `operation` on `parts`: value numbers (int) and hashable details (anything else, wrapped in a
        tuple).
        """
        key = (operation, *parts)
        number = self._table.get(key)
        if number is None:
            number = self._table[key] = len(self._table) + 1
            operands = {part for part in parts if type(part) is int}
            if operation == "size" or not self._sizes.isdisjoint(operands):
                self._sizes.add(number)
            if operation == "parameter" or not self._given.isdisjoint(operands):
                self._given.add(number)
            if volatile or not self._volatile.isdisjoint(operands):
                self._volatile.add(number)
        return number

    def is_size(self, number: int) -> bool:
        """Whether `number` stands for the size of a tensor along one dimension, or is computed from one."""
        return number in self._sizes

    def is_given(self, number: int) -> bool:
        """Whether `number` stands for a parameter of a function entered with nothing known, or is computed from one."""
        return number in self._given

    def volatile(self, number: int) -> bool:
        """Whether the value behind `number` may change unseen."""
        return number in self._volatile


@dataclass(frozen=True, slots=True)
class Trail:
    """How a value came to be what it is: the newest step, and those before it."""

    place: Place
    what: str
    before: Trail | None = None

    def steps(self) -> tuple[Trail, ...]:
        """The steps, oldest first."""
        steps: list[Trail] = []
        step: Trail | None = self
        while step is not None and len(steps) < 12:
            steps.append(step)
            step = step.before
        return tuple(reversed(steps))


class RemarkKind(Enum):
    """What is noteworthy in the way a tensor was made."""

    LOG_OF_SOFTMAX = "log of softmax"
    """`log(softmax(x))`, possibly with an epsilon or a clamp between."""
    LOG_OF_LOG = "log of log-probabilities"
    NORMALIZED_TWICE = "normalised twice"
    """softmax or log_softmax of probabilities."""
    WRONG_LOG = "wrong logarithm"
    """log2, log10 or log1p of probabilities."""
    BERNOULLI = "one Bernoulli term"
    """sigmoid or logsigmoid: each element a probability by itself, its complement nowhere."""
    IMPLICIT_DIM = "implicit dim"
    """softmax or log_softmax without a dim."""
    INFINITE_MASK = "masked with -inf"
    """masked_fill(..., -inf) before the softmax."""
    MAYBE_INFINITE_MASK = "masked with -inf on one of several ways"


INFINITE_MASKS = frozenset((RemarkKind.INFINITE_MASK, RemarkKind.MAYBE_INFINITE_MASK))


@dataclass(frozen=True, slots=True)
class Note:
    """A remark (kl_call.Remark) before its places are resolved."""

    kind: RemarkKind
    place: Place
    detail: str = ""
    inner: Place | None = None
    operand: Place | None = None
    epsilon: bool = False
    rank: int | None = None
    argument: Place | None = None
    operand_number: int | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """The call that made a distribution, before its places are resolved (kl_call.Producer)."""

    name: str
    place: Place
    operand: Place | None = None
    operand_number: int | None = None
    dim: Place | None = None
    module: Place | None = None
    guarded: bool = False
    """An epsilon or a clamp came after it: a logarithm does not pass through that."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a tensor was computed, where a later operation can make use of it: `op` of `operand`, over `dim`."""

    op: str
    operand: Tensor | Unknown
    dim: int | None = None
    symbol: int | None = None
    keepdim: bool = False
    other: Value | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value of which nothing is known but its number."""

    number: int
    form: Form | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """A Python literal: str, int, float, bool, None, bytes, Ellipsis."""

    value: object


@dataclass(frozen=True, slots=True)
class Weight:
    """The factor by which a distribution was scaled: a sum of terms, each a coefficient of a value number (0: the
    number one).

    `lam * p` has the weight lam; `lam * p + (1 - lam) * q` has the weight one, and is a distribution again.
    """

    terms: tuple[tuple[int, float], ...] = ((0, 1.0),)

    @staticmethod
    def collect(terms: Iterable[tuple[int, float]]) -> Weight:
        """The sum of `terms`, like ones gathered."""
        total: dict[int, float] = {}
        for number, coefficient in terms:
            total[number] = total.get(number, 0.0) + coefficient
        return Weight(tuple(sorted((n, c) for n, c in total.items() if abs(c) > 1e-9)))

    @property
    def is_one(self) -> bool:
        """Whether it leaves a distribution a distribution."""
        return len(self.terms) == 1 and self.terms[0][0] == 0 and abs(self.terms[0][1] - 1) < 1e-6

    @property
    def constant(self) -> float | None:
        """Its value, where it does not depend on the program."""
        if not self.terms:
            return 0.0
        return self.terms[0][1] if len(self.terms) == 1 and self.terms[0][0] == 0 else None


@dataclass(frozen=True, slots=True)
class Loss:
    """Marks the result of a KL call: which calls it came from, and whether the class dimension is still there to be
    averaged, the other ones `summed`.
    """

    calls: frozenset[Place]
    elementwise: bool
    summed: bool = False


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor, and what is proved of it.

    `dim` is the dimension along which it is a distribution (negative: counted from the end), `symbol` the number of
    the value that names
    that dimension where it is not a literal; `rank` the number of dimensions. `source` is the number of the tensor
    that was normalised.
    `fill` is the constant that every element holds; `complement_of` the number of what it is one minus.
    """

    number: int
    space: Space = Space.UNKNOWN
    mass: Mass = Mass.UNKNOWN
    dim: int | None = None
    symbol: int | None = None
    rank: int | None = None
    mixed: bool = False
    nonnegative: bool = False
    gradient: bool = True
    masked: Note | None = None
    source: int | None = None
    temperature: Value | None = None
    weight: Weight | None = None
    form: Form | None = field(default=None, compare=False)
    fill: Value | None = None
    maker: Maker | None = None
    notes: tuple[Note, ...] = ()
    trail: Trail | None = field(default=None, compare=False)
    loss: Loss | None = None
    complement_of: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it is proved to sum to one along a dimension."""
        return self.mass is Mass.WHOLE and self.space in DISTRIBUTIONS

    def where(self) -> tuple[int | None, int | None]:
        """The distribution's dimension: (dim counted from the front where the rank tells, symbol)."""
        if self.dim is not None and self.dim < 0 and self.rank is not None:
            return self.dim + self.rank, self.symbol
        return self.dim, self.symbol

    def from_end(self) -> int | None:
        """The distribution's dim counted from the end, where that is known."""
        if self.dim is None or self.dim < 0:
            return self.dim
        return None if self.rank is None else self.dim - self.rank


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something imported from outside, under its full dotted name: `torch.nn.functional.kl_div`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the program: its definition, and the frame in which its free names are looked up."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Frame
    defaults: tuple[tuple[str, Value], ...] = ()
    owner: Class | None = None
    kind: str = "function"
    """function, static, class, property."""
    transparent: bool = True
    """False where a decorator that cannot be read stands between the caller and the body."""
    no_grad: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A class of the program."""

    node: ast.ClassDef
    frame: Frame
    bases: tuple[Value, ...]
    members: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the program, with the attributes that were seen to be set.

    `entered` says that it is the `self` of a method entered with nothing known: what `attributes` lacks, the rest of
    the class may have set.
    """

    cls: Class
    attributes: tuple[tuple[str, Value], ...] = ()
    entered: bool = False
    number: int = 0

    def get(self, name: str) -> Value | None:
        """The attribute, or None where it was not seen to be set."""
        for key, value in self.attributes:
            if key == name:
                return value
        return None

    def with_attribute(self, name: str, value: Value) -> Instance:
        """The same object after `self.name = value`."""
        kept = tuple(pair for pair in self.attributes if pair[0] != name)
        return replace(self, attributes=(*kept, (name, value)))


@dataclass(frozen=True, slots=True)
class External:
    """An object built by calling something imported: `nn.Softmax(dim=1)`, `Categorical(logits=x)`, `nn.KLDivLoss()`.

    `arguments` are those it was built with, by parameter name; `open` says that there may be more.
    """

    name: str
    arguments: tuple[tuple[str, Value], ...]
    place: Place
    number: int
    open: bool = False
    items: tuple[Value, ...] = ()

    def get(self, name: str) -> Value | None:
        """The argument it was built with, or None."""
        for key, value in self.arguments:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Bound:
    """A method with its receiver: a function of the program and its `self`, or an operation of torch and its tensor."""

    function: Function | str
    receiver: Value


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial(function, *arguments, **keywords)`."""

    function: Value
    arguments: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]
    nodes: tuple[ast.expr, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Super:
    """`super()` in a method of `cls`, for `receiver`."""

    cls: Class
    receiver: Value


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, tuple or set. `items` where the length is known; else `element` is the join of what it may hold."""

    items: tuple[Value, ...] | None
    element: Value | None = None
    names: tuple[str, ...] = ()
    mutable: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Mapping:
    """A dict: the entries under constant keys, and the join of the others in `rest` (None: there are no others)."""

    entries: tuple[tuple[object, Value], ...]
    rest: Value | None = None
    number: int = 0

    def get(self, key: object) -> Value | None:
        """The entry under a constant key."""
        for known, value in self.entries:
            if known == key and type(known) is type(key):
                return value
        return None


Guards = frozenset[tuple[int, object]]
"""The conditions under which a value holds: (number of the condition, its outcome), all together."""

NO_GUARDS: Guards = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, each under its conditions. Kept apart as long as they are few, so that correlated
    branches stay correlated.
    """

    options: tuple[tuple[Guards, Value], ...]


Value = (
    Unknown
    | Constant
    | Tensor
    | Symbol
    | Function
    | Class
    | Instance
    | External
    | Bound
    | Partial
    | Super
    | Sequence
    | Mapping
    | Choice
)

NONE = Constant(None)


def compatible(one: Guards, other: Guards) -> bool:
    """Whether some run can meet both sets of conditions."""
    if not one or not other or one is other:
        return True
    known = dict(one)
    for key, outcome in other:  # noqa: SIM110  (a loop, for speed: this is asked more often than anything else)
        if known.get(key, outcome) != outcome:
            return False
    return True


def options_of(value: Value) -> tuple[tuple[Guards, Value], ...]:
    """The alternatives of a value; a plain value is its own only one."""
    return value.options if isinstance(value, Choice) else ((NO_GUARDS, value),)


def number_of(value: Value, numbers: Numbers) -> int:
    """The value number of any value."""
    match value:
        case Unknown() | Tensor():
            return value.number
        case Constant():
            return numbers.of("constant", (type(value.value).__name__, repr(value.value)))
        case Symbol():
            return numbers.of("symbol", (value.name,))
        case External():
            return value.number
        case Sequence(items=items) if items is not None:
            return numbers.of("sequence", value.mutable, value.number, *(number_of(item, numbers) for item in items))
        case Sequence() | Mapping() | Instance():
            return numbers.of(type(value).__name__, value.number, (id(getattr(value, "cls", None)),))
        case Choice():
            return numbers.of("choice", *(number_of(option, numbers) for _, option in value.options))
        case Bound(receiver=receiver):
            return numbers.of(
                "bound",
                (id(value.function) if not isinstance(value.function, str) else value.function,),
                number_of(receiver, numbers),
            )
        case Partial(function=function):
            return numbers.of(
                "partial", number_of(function, numbers), *(number_of(a, numbers) for a in value.arguments)
            )
        case Super(receiver=receiver):
            return numbers.of("super", number_of(receiver, numbers))
        case Function() | Class():
            return numbers.of("definition", (id(value.node), id(value.frame)))
