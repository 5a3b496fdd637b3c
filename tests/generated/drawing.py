"""Strategies that draw programs of the grammar.

What shrinks is what is drawn: the first entry of every table is the simplest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

from hypothesis import strategies as st

from tests.generated import readers
from tests.generated.grammar import (
    CALLS,
    DECOYS,
    EXPONENTIALS,
    FLAGS,
    FRAMES,
    GUARDS,
    KEEPERS,
    LOGARITHMS,
    LOG_SIGMOIDS,
    MASKINGS,
    OPAQUE,
    SHARED_FRAMES,
    SIGMOIDS,
    SOFTENINGS,
    STYLES,
    TRANSPORTS,
    WRONG_LOGARITHMS,
    Argument,
    Call,
    Chain,
    Effect,
    Fork,
    Form,
    Program,
    Setting,
    Step,
    Text,
    in_logs,
    log_probabilities,
    means_over_classes,
    mixtures,
    probabilities,
    smoothings,
    softmaxes,
    sums_over_classes,
)

T = TypeVar("T")

SIZES = ((4, 7), (5,), (2, 3, 5), (6, 3), (2, 5, 3, 4))
"""Of the scores. No two sizes of a tensor are equal: a sum over the wrong dim shows."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What programs are made of besides the grammar's own: detours, ways to normalise (given dim and rank), calls."""

    transports: tuple[Text, ...] = ()
    softmaxes: Callable[[int, int], tuple[Text, ...]] = lambda dim, rank: ()
    calls: tuple[Call, ...] = ()
    apart: bool = False
    """Whether what a flag decides may be decided in a function of its own."""


PLAIN = Vocabulary()


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes, the dim of the classes, and the dim along which a chain normalises (the same, unless it is mistaken)."""

    sizes: tuple[int, ...]
    classes: int
    axis: int

    @property
    def rank(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class Move:
    """A change of shape, and how it maps each dim that it keeps."""

    text: Text
    sizes: tuple[int, ...]
    dims: tuple[int | None, ...]
    """Where each old dim is afterwards; None: gone, or merged with another."""


# --- moves ---------------------------------------------------------------------------------------------------------


def moves(sizes: tuple[int, ...], classes: int) -> list[Move]:
    """The changes of shape that keep the classes apart and leave no two sizes equal."""
    rank = len(sizes)
    same = tuple(range(rank))
    later = tuple(range(1, rank + 1))
    found: list[Move] = []

    def resized(text: str, dim: int, size: int) -> None:
        found.append(Move(Text(text), (*sizes[:dim], size, *sizes[dim + 1 :]), same))

    def reordered(text: str, order: Sequence[int]) -> None:
        places = tuple(order.index(dim) for dim in same)
        found.append(Move(Text(text), tuple(sizes[dim] for dim in order), places))

    if rank > 1 and classes != 0:
        batch = sizes[0]
        if batch > 2:
            resized("{a}[1:]", 0, batch - 1)
            resized("{a}[{torch}tensor([0, 1])]", 0, 2)
            resized("{a}[{torch}tensor([True, True" + ", False" * (batch - 2) + "])]", 0, 2)
        if batch % 2 == 0:
            resized("{a}.chunk(2)[0]", 0, batch // 2)
            resized(f"{{a}}.split({batch // 2}, dim=0)[1]", 0, batch // 2)
        resized("{torch}cat([{n}, {n}])", 0, batch * 2)
        resized("{a}.repeat_interleave(2, dim=0)", 0, batch * 2)
        gone = (None, *range(rank - 1))
        found.append(Move(Text("{a}[0]"), sizes[1:], gone))
        found.append(Move(Text("{a}.select(0, -1)"), sizes[1:], gone))
        found.append(Move(Text("{v}", before="{v}, *_ = {a}.unbind(0)"), sizes[1:], gone))
    if rank > 1:
        swap = [1, 0, *range(2, rank)]
        reordered("{a}.transpose(0, 1)", swap)
        reordered("{torch}swapaxes({x}, 1, 0)", swap)
        reordered(f"{{a}}.permute({', '.join(map(str, swap))})", swap)
    if rank == 2:
        reordered("{a}.t()", [1, 0])
        reordered("{a}.mT", [1, 0])
    if rank > 2:
        turn = [*range(1, rank), 0]
        reordered("{a}.movedim(0, -1)", turn)
        reordered(f"{{a}}.permute({tuple(turn)})", turn)
        if classes == rank - 1:
            merged = (*(None for _ in range(rank - 1)), 1)
            flat = (prod(sizes[:-1]), sizes[-1])
            for text in (
                f"{{a}}.reshape(-1, {flat[1]})",
                "{n}.reshape(-1, {n}.size(-1))",
                f"{{a}}.reshape({flat[0]}, {flat[1]})",
            ):
                found.append(Move(Text(text), flat, merged))
        if classes > 1:
            merged = (None, None, *range(1, rank - 1))
            found.append(Move(Text("{a}.flatten(0, 1)"), (sizes[0] * sizes[1], *sizes[2:]), merged))
            found.append(Move(Text("{torch}flatten({x}, 0, 1)"), (sizes[0] * sizes[1], *sizes[2:]), merged))
    if rank < 4 and 1 not in sizes:
        found += [Move(Text("{a}.unsqueeze(0)"), (1, *sizes), later), Move(Text("{a}[None]"), (1, *sizes), later)]
        found.append(Move(Text("{a}.unsqueeze(-1)"), (*sizes, 1), same))
    if rank < 4 and 2 not in sizes:
        found.append(Move(Text("{torch}stack([{n}, {n}])"), (2, *sizes), later))
        found.append(Move(Text(f"{{a}}.expand(2, {', '.join('-1' for _ in sizes)})"), (2, *sizes), later))
    if sizes[0] == 1 and rank > 1 and classes != 0:
        found.append(Move(Text("{a}.squeeze(0)"), sizes[1:], (None, *range(rank - 1))))
    if sizes[classes] > 3 and rank > 1:  # of an unknown rank, `x[1:]` is presumed to select rows
        start = ":, " * classes
        resized(f"{{a}}[{start}1:]", classes, sizes[classes] - 1)
        resized(f"{{a}}.narrow({classes}, 0, {sizes[classes] - 1})", classes, sizes[classes] - 1)
        resized(f"{{a}}[{start}[0, 2, 1]]", classes, 3)
    return [move for move in found if len(set(move.sizes)) == len(move.sizes) and move.dims[classes] is not None]


@st.composite
def journeys(draw: st.DrawFn, sizes: tuple[int, ...], classes: int) -> tuple[Move, ...]:
    """The moves that both tensors make, in order."""
    taken: list[Move] = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        ways = moves(sizes, classes)
        if ways:
            move = draw(st.sampled_from(ways))
            taken.append(move)
            sizes, classes = move.sizes, _kept(move.dims[classes])
    return tuple(taken)


def _kept(dim: int | None) -> int:
    assert dim is not None
    return dim


# --- chains --------------------------------------------------------------------------------------------------------

RIGHT: dict[Form, tuple[tuple[str, ...], ...]] = {
    Form.LOGS: (
        ("log_softmax",),
        ("softmax", "log"),
        ("softmax", "guard", "log"),
        ("log_softmax", "log_softmax"),
        ("log_softmax", "exp", "log"),
        ("softmax", "mix", "log"),
        ("softmax", "log", "log_softmax"),
        ("softmax", "smooth", "log"),
    ),
    Form.PROBS: (
        ("softmax",),
        ("log_softmax", "exp"),
        ("softmax", "mix"),
        ("softmax", "smooth"),
        ("softmax", "guard"),
        ("log_softmax", "softmax"),
        ("softmax", "one_hot"),
        ("softmax", "log", "exp"),
    ),
}
MISTAKEN: tuple[tuple[str, ...], ...] = (
    (),
    ("softmax", "log_softmax"),
    ("softmax", "softmax"),
    ("log_softmax", "log"),
    ("softmax", "wrong_log"),
    ("sigmoid",),
    ("logsigmoid",),
    ("sigmoid", "log"),
    ("softmax", "softmax", "log"),
    ("softmax", "guard", "wrong_log"),
    ("log_softmax", "exp", "log_softmax"),
    ("softmax", "log", "log"),
    ("softmax", "softmax", "softmax"),
    ("softmax", "softmax", "log_softmax"),
)
"""Ways to make something that belongs nowhere, whatever is said of it."""


def often(draw: st.DrawFn, share: float) -> bool:
    """True in about `share` of the draws; False is simpler."""
    return draw(st.integers(0, 99)) >= 100 - round(share * 100)


@st.composite
def chains(
    draw: st.DrawFn,
    name: str,
    sizes: tuple[int, ...],
    classes: int,
    journey: tuple[Move, ...],
    right: Form,
    vocabulary: Vocabulary,
) -> Chain:
    """A chain that begins with the scores `name`, makes the journey, and most often ends in the form `right`."""
    kind = draw(st.sampled_from(["right"] * 6 + ["other"] * 3 + ["mistaken"] * 2))
    other = Form.PROBS if right is Form.LOGS else Form.LOGS
    cores = {"right": RIGHT[right], "other": RIGHT[other], "mistaken": MISTAKEN}[kind]
    core = draw(st.sampled_from(cores))
    axis = draw(st.integers(0, len(sizes) - 1)) if often(draw, 0.06) else classes
    if any(move.dims[axis] is None for move in journey[:1]):
        axis = classes
    base, known = _base(draw, name, sizes, classes)
    line = _Line(draw, Shape(sizes, classes, axis), Form.SCORES, "y" if name == "x" else "x", vocabulary)
    if often(draw, 0.25):
        line.add(Step(draw(st.sampled_from(SOFTENINGS)), Effect.SOFTEN, amount=2.0))
    if often(draw, 0.06):
        text, amount = draw(st.sampled_from(MASKINGS))
        line.add(Step(text, Effect.MASK, amount=amount))
    rest = list(journey)
    for word in core:
        while rest and often(draw, 0.4):
            line.move(rest.pop(0))
        line.travel()
        line.make(word)
    for move in rest:
        line.travel()
        line.move(move)
    line.travel()
    return Chain(base, tuple(line.steps), known)


def _base(draw: st.DrawFn, name: str, sizes: tuple[int, ...], classes: int) -> tuple[str, bool]:
    """The scores: a parameter, or what a reader can tell to be scores."""
    written = ", ".join(map(str, sizes))
    generator = f"{{torch}}Generator().manual_seed({1 if name == 'x' else 2})"
    texts = [
        (name, False),
        (f"{{torch}}randn({written}, generator={generator}, dtype={{torch}}float64)", True),
        (f"{name}.reshape({written})", False),
    ]
    if classes == len(sizes) - 1:
        texts += [(f"{{F}}linear({name}, w)", True), (f"{name} @ w", False)]
    return draw(st.sampled_from(texts))


class _Line:
    """A chain in the making: the steps so far, and what they have led to."""

    def __init__(self, draw: st.DrawFn, shape: Shape, form: Form, other: str, vocabulary: Vocabulary) -> None:
        self.draw = draw
        self.shape = shape
        self.form = form
        self.other = other
        self.vocabulary = vocabulary
        self.moved = False
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self.form = step.form or self.form

    def move(self, move: Move) -> None:
        axis, classes = move.dims[self.shape.axis], _kept(move.dims[self.shape.classes])
        self.shape = Shape(move.sizes, classes, classes if axis is None else axis)
        self.moved = True
        self.add(Step(move.text, Effect.MOVE))

    def travel(self) -> None:
        """Perhaps a detour that changes nothing."""
        for _ in range(self.draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
            more = [self.vocabulary.transports] * 2 if self.vocabulary.transports else []
            own = [*[TRANSPORTS] * 3, DECOYS, KEEPERS, readers.READERS]
            table = self.draw(st.sampled_from([*own, *more]))
            self.add(Step(self.draw(st.sampled_from(table))))
        if often(self.draw, 0.02):
            self.add(Step(self.draw(st.sampled_from(OPAQUE)), opaque=True))

    def make(self, word: str) -> None:
        """One step of the core."""
        axis, rank = self.shape.axis, self.shape.rank
        dim = axis - rank if often(self.draw, 0.4) else axis
        match word:
            case "softmax":
                table = probabilities(dim, rank) if self.form is Form.SCORES else softmaxes(dim, rank)
                table += readers.softmaxes(dim) + self.vocabulary.softmaxes(dim, rank)
                self.add(Step(self._one(table), Effect.NORMALISE, Form.PROBS, axis))
            case "log_softmax":
                more = readers.softmaxes(dim) + self.vocabulary.softmaxes(dim, rank)
                table = log_probabilities(dim, rank) + tuple(map(in_logs, more))
                self.add(Step(self._one(table), Effect.NORMALISE, Form.LOGS, axis))
            case "log":
                form = Form.LOGS if self.form is Form.PROBS else Form.LOST
                effect = Effect.LOSE if self.form is Form.LOST else Effect.KEEP
                self.add(Step(self._one(LOGARITHMS), effect, form))
            case "exp":
                self.add(Step(self._one(EXPONENTIALS), form=Form.PROBS))
            case "wrong_log":
                self.add(Step(self._one(WRONG_LOGARITHMS), form=Form.LOST))
            case "guard":
                self.add(Step(self._one(GUARDS)))
            case "mix" if not self.moved:
                self.add(Step(self._one(mixtures(self.other, dim)), Effect.MIX, dim=axis, other=self.other))
            case "smooth" | "mix":
                self.add(
                    Step(self._one(smoothings(self.shape.sizes[axis])), Effect.SMOOTH, amount=self.shape.sizes[axis])
                )
            case "one_hot" if axis == rank - 1:
                one = Text(f"{{F}}one_hot({{a}}.argmax(-1), {self.shape.sizes[axis]}).double()")
                self.add(Step(one, Effect.ONE_HOT, Form.PROBS))
            case "one_hot":
                pass
            case "sigmoid":
                self.add(Step(self._one(SIGMOIDS), Effect.LOSE, Form.LOST))
            case "logsigmoid":
                self.add(Step(self._one(LOG_SIGMOIDS), Effect.LOSE, Form.LOST))
            case _:
                raise ValueError(word)

    def _one(self, table: Sequence[Text]) -> Text:
        return self.draw(st.sampled_from(table))


# --- arguments -----------------------------------------------------------------------------------------------------


@st.composite
def pairs(
    draw: st.DrawFn,
    sizes: tuple[int, ...],
    classes: int,
    journey: tuple[Move, ...],
    logs: bool | None,
    vocabulary: Vocabulary,
) -> tuple[Argument, Argument]:
    """The input and the target. `logs`: what log_target says; None: what the flag says."""
    first, second = draw(st.sampled_from([("x", "y")] * 8 + [("y", "x")] * 3 + [("x", "x")]))
    given = _argument(draw, first, sizes, classes, journey, (Form.LOGS, Form.LOGS), vocabulary)
    forms = {True: Form.LOGS, False: Form.PROBS}
    wanted = (Form.LOGS, Form.PROBS) if logs is None else (forms[logs], forms[logs])
    target = _argument(draw, second, sizes, classes, journey, wanted, vocabulary, forked=logs is None)
    if often(draw, 0.03):
        return target, given
    return given, target


def _argument(
    draw: st.DrawFn,
    name: str,
    sizes: tuple[int, ...],
    classes: int,
    journey: tuple[Move, ...],
    wanted: tuple[Form, Form],
    vocabulary: Vocabulary,
    forked: bool = False,
) -> Argument:
    if not (often(draw, 0.95) if forked else often(draw, 0.08)):
        return draw(chains(name, sizes, classes, journey, wanted[0], vocabulary))
    if wanted[0] is not wanted[1] and often(draw, 0.15):
        wanted = (wanted[1], wanted[0])
    then, otherwise = (draw(chains(name, sizes, classes, journey, form, vocabulary)) for form in wanted)
    return Fork(then, otherwise, draw(st.booleans()), vocabulary.apart and draw(st.booleans()))


# --- settings ------------------------------------------------------------------------------------------------------

REDUCTIONS = ("batchmean", "sum", "mean", "none", "batch_mean", "Sum", "elementwise_mean")
LEGACY: tuple[tuple[Setting, ...], ...] = (
    (Setting("size_average", "False"),),
    (Setting("size_average", "True"),),
    (Setting("size_average", "False", positional=True),),
    (Setting("size_average", "None", positional=True), Setting("reduce", "None", positional=True)),
    (Setting("reduce", "False"),),
    (Setting("reduce", "True"),),
    (Setting("size_average", "'batchmean'", positional=True),),
    (Setting("size_average", "'sum'", positional=True),),
    (Setting("size_average", "'none'"),),
)


@st.composite
def told(draw: st.DrawFn) -> tuple[tuple[Setting, ...], bool | None]:
    """What the call is told, and what log_target is (None: as the flag says)."""
    settings: list[Setting] = []
    if often(draw, 0.12):
        settings += draw(st.sampled_from(LEGACY))
    reduction = draw(st.sampled_from([*REDUCTIONS[:1] * 8, *REDUCTIONS[1:4] * 3, *REDUCTIONS[4:], None, None, None]))
    if reduction is not None and (not settings or often(draw, 0.3)):
        other = repr(draw(st.sampled_from(REDUCTIONS[:4]))) if often(draw, 0.06) else None
        settings.append(Setting("reduction", repr(reduction), other))
    logs: bool | None = draw(st.sampled_from([False, False, False, False, True, True, None]))
    match logs:
        case True:
            settings.append(Setting("log_target", "True"))
        case False if often(draw, 0.15):
            settings.append(Setting("log_target", "False"))
        case None:
            negated = often(draw, 0.1)
            settings.append(Setting("log_target", str(not negated), str(negated)))
        case _:
            pass
    return tuple(settings), logs


@st.composite
def programs(draw: st.DrawFn, vocabulary: Vocabulary = PLAIN) -> Program:
    """A program."""
    sizes = draw(st.sampled_from(SIZES))
    classes = (
        draw(st.sampled_from(range(len(sizes) - 1, -1, -1)))
        if often(draw, 0.2)
        else min(len(sizes) - 1, 1 if len(sizes) == 4 else 9)
    )
    journey = draw(journeys(sizes, classes))
    settings, logs = draw(told())
    count = draw(st.sampled_from([1] * 8 + [2, 2, 3]))
    drawn = [draw(pairs(sizes, classes, journey, logs, vocabulary)) for _ in range(count)]
    given, target = drawn[0]
    for i in range(1, count):  # another divergence may read what the first one is given
        drawn[i] = given if often(draw, 0.4) else drawn[i][0], target if often(draw, 0.3) else drawn[i][1]
    apart = FRAMES[:1] * 3 if count > 1 else FRAMES * 2 + readers.FRAMES
    frame = draw(st.sampled_from(apart + SHARED_FRAMES))
    final = classes
    for move in journey:
        final = _kept(move.dims[final])
    return Program(
        style=draw(st.sampled_from(STYLES)),
        pairs=tuple(drawn),
        call=draw(st.sampled_from([call for call in CALLS + vocabulary.calls if _takes(call, settings)])),
        settings=settings,
        frame=frame,
        tail=draw(_tails(settings, final)),
        flag=draw(st.sampled_from(FLAGS)),
        sizes=sizes,
    )


def _takes(call: Call, settings: tuple[Setting, ...]) -> bool:
    """Whether the call can be told these settings."""
    if any(setting.positional for setting in settings) and call.keywords:
        return False
    return not call.constant or all(setting.otherwise is None for setting in settings)


def _tails(settings: tuple[Setting, ...], dim: int) -> st.SearchStrategy[Text]:
    """What the program does with the result: a reduction of its own, where torch does none."""
    values = {(setting.name, value) for setting in settings for value in (setting.value, setting.otherwise)}
    if ("reduction", "'none'") not in values and ("reduce", "False") not in values:
        return st.sampled_from([Text("{x}")])
    if any(setting.otherwise for setting in settings if setting.name == "reduction"):
        return st.sampled_from([Text("{a}.mean()"), Text("{a}.sum()")])
    reduced = {name for name, _ in values} & {"size_average", "reduce"} and ("reduce", "False") not in values
    if reduced:
        return st.sampled_from([Text("{x}")])
    return st.sampled_from([*sums_over_classes(dim), *means_over_classes(dim)])
