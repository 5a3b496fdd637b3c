"""The state of an interpretation: frames with their variables, path conditions, and what one analysis shares.

A branch is interpreted on the frame itself under a *journal* of what it overwrites; leaving the branch undoes the
journal and hands
out what the branch wrote. So a branch costs what it writes, not what is in scope.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kl_lint.flow.lattice import choose, choose_states
from kl_lint.flow.nesting import CHANGEABLE, exchanged
from kl_lint.flow.source import Place, Source
from kl_lint.flow.survey import plain, row_of
from kl_lint.flow.values import (
    NO_GUARDS,
    Choice,
    Class,
    Function,
    Guards,
    Instance,
    Mapping,
    Numbers,
    Symbol,
    Unknown,
    Value,
    compatible,
    options_of,
)

if TYPE_CHECKING:
    from kl_lint.flow.attributes import WrittenAttributes
    from kl_lint.flow.declared import Declaration
    from kl_lint.flow.modules import Modules
    from kl_lint.flow.reach import Reach
    from kl_lint.flow.scope import Scope
    from kl_lint.flow.slicing import Changers, Slice

__all__ = [
    "MISSING",
    "ContextKey",
    "Frame",
    "Machine",
    "OutOfReach",
    "OutOfWork",
    "Outcome",
    "RawCall",
    "Return",
    "Surroundings",
]


class OutOfWork(Exception):
    """The analysis of this file has taken as many steps as it may."""


class OutOfReach(Exception):
    """Something that the analysis looks into besides has taken as many steps as it may."""


FOREIGN_WORK = 2_500
"""The steps that one analysis may take in other files of the project."""

DEFINED = (Symbol, Function, Class)
"""What a name is bound to once and for all."""
MISSING = Unknown(0)
"""Stands for an unbound name where a branch may have bound it."""


@dataclass(frozen=True, slots=True)
class RawCall:
    """A KL call (or construction) as it was reached: callee, bound arguments with their nodes, the conditions of the
    path.
    """

    kind: str
    place: Place
    callee: ast.expr
    arguments: dict[str, Value]
    nodes: dict[str, ast.expr]
    positions: dict[str, int | str]
    open: bool
    construction: Place | None
    guards: Guards
    entry: bool
    callers: tuple[Place, ...]
    zero_meant: bool


@dataclass(frozen=True, slots=True)
class LossUse:
    """The class dimension of the unreduced divergence of `call` was averaged at `place`."""

    call: Place
    place: Place
    how: str
    dim: int | None
    everything: bool = False
    operand: Place | None = None


@dataclass(frozen=True, slots=True)
class HandwrittenSum:
    """A hand-written sum(p * (log p - log q)) at `place`, its terms at `product`.

    `total` says that it is one expression, which sums over everything and does nothing else.
    """

    place: Place
    product: Place
    p: Place
    log_q: Place
    total: bool
    exact: bool


ContextKey = tuple[object, ...]
AttributeKey = tuple[Class, str]


@dataclass(frozen=True, slots=True)
class Return:
    """One way out of a function: the value, the final `self`, and the conditions under which it is taken.

    `lent` are the arguments that the caller still holds, as the function leaves them.
    """

    guards: Guards
    value: Value
    receiver: Value | None
    lent: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a call has had to do with the frames around it: the names that it read of them, with what they held then,
    and the frames that it wrote to.
    """

    reads: dict[tuple[Frame, str], Value] = field(default_factory=dict)
    writes: set[Frame] = field(default_factory=set)

    def add(self, other: Surroundings, within: Frame) -> None:
        """Take over what a call within this one has had to do with any frame but this one's own."""
        for (frame, name), value in other.reads.items():
            if frame is not within:
                self.reads.setdefault((frame, name), value)
        self.writes.update(frame for frame in other.writes if frame is not within)

    @property
    def unchanged(self) -> bool:
        """Whether another call would read the same, and leave nothing that it must be seen to write."""
        return not self.writes and all(
            (held := frame.variables.get(name)) is value or held == value for (frame, name), value in self.reads.items()
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call has come to: its value, its receiver and the arguments that it changed, as it left them; whether it
    is no pure function of its arguments; and the activation that this was found in.
    """

    value: Value
    receiver: Value | None
    changed: tuple[tuple[str, Value], ...]
    impure: bool
    key: ContextKey
    around: Surroundings = field(default_factory=Surroundings)
    """Which must be unchanged where this is to hold again."""
    preliminary: tuple[tuple[AttributeKey, Value], ...] = ()
    """The attributes that it read while it was being found out what they hold, with what was known of them then."""


class Machine:
    """What one analysis shares: value numbers, the work bound, memoised calls and the facts found."""

    __slots__ = (
        "_bound",
        "_limit",
        "abroad",
        "attributes",
        "averaged",
        "batch_sizes",
        "bound",
        "built",
        "called",
        "calls",
        "changers",
        "contexts",
        "curved",
        "declarations",
        "defaults",
        "defined",
        "depth",
        "entrances",
        "epoch",
        "evaluate",
        "filtered",
        "foreign",
        "given_up",
        "handed",
        "handwritten",
        "heirs",
        "homes",
        "impure",
        "last_changed",
        "last_receiver",
        "left_by",
        "main",
        "memo",
        "memory",
        "modules",
        "numbers",
        "pending",
        "preliminary",
        "reaches",
        "record_handwritten",
        "relevant",
        "rescaled",
        "reset",
        "run",
        "running",
        "scopes",
        "set_names",
        "settling",
        "shared",
        "slices",
        "standalone",
        "steps",
        "summed",
        "surroundings",
        "torch_names",
        "unbound",
        "unfollowed",
        "uses",
        "variables",
        "written",
    )

    def __init__(self, budget: int, *, record_handwritten: bool = False) -> None:
        self.numbers = Numbers()
        self.steps = 0
        self._bound = self._limit = budget
        self.depth = 0
        self.epoch = 0
        self.impure = 0
        self.memo: dict[ContextKey, Outcome] = {}
        self.surroundings: list[Surroundings] = []
        """Of each call that is being interpreted."""
        self.entrances: dict[ContextKey, dict[tuple[ContextKey, Place], None]] = {}
        self.unfollowed: set[Place] = set()
        self.unbound: set[Place] = set()
        """The KL calls of which the arguments cannot be told apart."""
        self.given_up: set[ast.AST] = set()
        self.heirs: dict[ast.AST, str] = {}
        """The classes whose inherited methods are entered, by where they name their base: that stands for the call."""
        self.homes: set[Frame] = set()
        """The frames that functions and classes are defined in."""
        self.contexts: dict[ast.AST, int] = {}
        self.running: dict[ast.AST, int] = {}
        self.called: set[ast.AST] = set()
        self.defined: dict[ast.AST, Function] = {}
        self.defaults: dict[int, str] = {}
        self.last_receiver: Value | None = None
        self.last_changed: tuple[tuple[str, Value], ...] = ()
        self.attributes: dict[AttributeKey, Value] = {}
        """What the methods of a class leave in an attribute of its objects; NONE where they leave nothing."""
        self.settling: set[AttributeKey] = set()
        """Those of which that is just being found out."""
        self.preliminary: list[tuple[AttributeKey, Value]] = []
        """Of those, what was read meanwhile."""
        self.written: dict[ast.AST, WrittenAttributes] = {}
        self.changers: dict[Source, Changers] = {}
        """Of each file, the functions that may change what they are given."""
        self.bound: dict[ast.AST, tuple[frozenset[str], frozenset[str]]] = {}
        self.calls: dict[Place, dict[ContextKey, dict[Guards, RawCall]]] = {}
        self.uses: dict[LossUse, None] = {}
        self.averaged: dict[Place, set[object]] = {}
        """What each mean is taken of: by class dimension, and whether it is an unreduced divergence."""
        self.filtered: set[Place] = set()
        self.rescaled: set[Place] = set()
        """The KL calls whose mean is multiplied by a size that is not the batch's: by the number of classes."""
        self.batch_sizes: set[int] = set()
        """The numbers of the sizes along dim 0."""
        self.reset: set[Place] = set()
        """The constructions of a KLDivLoss whose settings are changed afterwards."""
        self.set_names: dict[ast.AST, frozenset[str]] = {}
        """The attributes that the methods of a class set."""
        self.curved: dict[Source, bool] = {}
        """Of a file, whether it takes second derivatives."""
        self.summed: set[Place] = set()
        self.handwritten: dict[ast.AST, HandwrittenSum] = {}
        self.reaches: dict[tuple[Place, str, Place], Reach] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self.shared: set[int] = set()
        """The numbers of the objects and dicts that modules hold."""
        self.memory: dict[int, tuple[int, Value]] = {}
        """Tensors that share their memory with others under other names, by their ids, each with the id of the one that
        was first: equal ones may be copies.
        """
        self.torch_names: dict[ast.AST, frozenset[str]] = {}
        self.slices: dict[tuple[ast.AST, bool, frozenset[str]], Slice] = {}
        self.pending: dict[int, Callable[[], Value]] = {}
        self.handed: dict[int, dict[str, Value]] = {}
        """What is handed to the constructors that are not interpreted yet."""
        self.built: dict[int, Value] = {}
        self.relevant: frozenset[str] = frozenset()
        """The names that make a piece of code relevant."""
        self.variables: dict[tuple[Source, int], frozenset[str]] = {}
        """The variables that do so in the function that begins on a row of a file."""
        self.main: Source | None = None
        self.abroad = False
        self.foreign = FOREIGN_WORK
        self.modules: Modules | None = None
        self.declarations: Sequence[Declaration] = ()
        self.record_handwritten = record_handwritten
        # Set by the interpreter: the expression evaluator and the function runner, which call each other.
        self.evaluate: Callable[[Frame, ast.expr], Value]
        self.run: Callable[[Function, dict[str, Value], Frame, ast.AST], Value]
        self.standalone: Callable[[Function, Value | None], Value]
        self.left_by: Callable[[Function, Value], Value | None]

    def release(self) -> None:
        """Let go of everything, once the facts are told: frames and the functions that they hold refer to each other,
        and to find that they are garbage would take going through all trees, a tenth of an analysis.
        """
        for frame in self.homes:
            frame.variables.clear()
            frame.pending.clear()
        for name in self.__slots__:
            if hasattr(self, name):
                delattr(self, name)

    def receiver_after(
        self, function: Function, variables: dict[str, Value], caller: Frame, node: ast.AST, receiver: Value
    ) -> Value:
        """`receiver` as a call of its method `function` leaves it."""
        self.run(function, variables, caller, node)
        changed, self.last_changed = self.last_changed, ()
        for name, value in changed:
            if name in variables:
                caller.replace_object(variables[name], value)
        after, self.last_receiver = self.last_receiver, None
        return after if after is not None else receiver

    def work(self, steps: int = 1) -> None:
        """Count `steps` of work; raises OutOfWork at the bound, OutOfReach at that of the allowance in force."""
        self.steps += steps
        if self.steps > self._limit:
            raise OutOfReach if self._limit < self._bound else OutOfWork

    def note_relevant(self, source: Source, names: frozenset[str]) -> None:
        """Take `names` of a file (variables as `survey` names them) for relevant, besides those that are."""
        new = {name for name in names if not row_of(name)} - self.relevant
        self.relevant |= new
        for name in names:
            if row := row_of(name):
                own = self.variables.get((source, row), frozenset())
                if (variable := plain(name)) not in own:
                    self.variables[source, row] = own | {variable}
                    new.add(variable)
        if new:
            self.slices.clear()

    def allow(self, steps: int) -> int:
        """Put an allowance of `steps` in force, within the one that is; gives that back, for `restore`."""
        before = self._limit
        self._limit = min(before, self.steps + steps)
        return before

    def restore(self, limit: int) -> bool:
        """Put the allowance in force that was before; says whether it is not used up."""
        self._limit = limit
        return self.steps <= limit

    def forget(self, key: ContextKey) -> None:
        """Forget the KL calls of a context whose interpretation was cut off: what was known of them was preliminary."""
        for contexts in self.calls.values():
            contexts.pop(key, None)

    def fresh(self, what: str, node: ast.AST) -> int:
        """A number for something that is new each time it is reached: the result of a call that cannot be seen into."""
        return self.numbers.of(what, (id(node), self.epoch))

    def opaque(self, node: ast.AST) -> int:
        """A fresh number for the result of an unknown call; the function that makes one is not a pure function of its
        arguments.
        """
        self.impure += 1
        return self.numbers.of("call", (id(node), self.epoch))


@dataclass(slots=True, eq=False)
class Frame:
    """One activation: a module, a class body or a function entered with certain arguments."""

    machine: Machine
    source: Source
    parent: Frame | None = None
    kind: str = "module"
    function: Function | None = None
    variables: dict[str, Value] = field(default_factory=dict)
    journals: list[dict[str, Value]] = field(default_factory=list)
    conditions: dict[int, object] = field(default_factory=dict)
    """Of the present path: another dict for another path, so that `present` may keep them as guards."""
    present: tuple[dict[int, object] | None, Guards] = (None, NO_GUARDS)
    foreign: dict[str, Frame] = field(default_factory=dict)
    returns: list[Return] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    breaks: list[list[dict[str, Value]]] = field(default_factory=list)
    loop_levels: list[int] = field(default_factory=list)
    loop_reads: list[set[str]] = field(default_factory=list)
    """For each loop around the present statement, the names that its turn has read before writing them."""
    receiver: str | None = None
    lent: dict[str, Value] = field(default_factory=dict)
    """The arguments that the caller still holds, under names that are never bound again: what is changed of them, the
    caller sees.
    """
    owner: Class | None = None
    key: ContextKey = ()
    entry: bool = True
    callers: tuple[Place, ...] = ()
    no_grad: bool = False
    wants_error: bool = False
    dead: bool = False
    star_import: bool = False
    pending: dict[str, list[ast.stmt]] = field(default_factory=dict)
    """The top-level statements of another file, by the names they bind, until they are asked for."""
    slice: Slice | None = None
    """What of the body is interpreted; None: all of it."""

    def place(self, node: ast.AST) -> Place:
        """The node as a place of this frame's source."""
        return Place(self.source, node)

    def guards(self) -> Guards:
        """The conditions of the present path."""
        if not self.conditions:
            return NO_GUARDS
        if self.present[0] is not self.conditions:
            self.present = self.conditions, frozenset(self.conditions.items())
        return self.present[1]

    def unasked(self, call: Place) -> bool:
        """Whether the present path is one that a caller must ask for, and that was not chosen yet at `call`: a
        parameter holds a string that is not its default.
        """
        defaults = self.machine.defaults
        before = {key for raws in self.machine.calls.get(call, {}).values() for guards in raws for key, _ in guards}
        chosen = {key: held for key, held in self.conditions.items() if isinstance(held, str) and key not in before}
        return any(defaults.get(key, held) != held for key, held in chosen.items())

    # --- variables -------------------------------------------------------------------------------------------------

    def set(self, name: str, value: Value) -> None:
        """Bind a name, here or where `global`/`nonlocal` put it."""
        if name in self.foreign:
            home = self.foreign[name]
            self.note_write(home)
            home.variables[name] = choose(
                (*options_of(home.variables.get(name, value)), (NO_GUARDS, value)), self.machine.numbers
            )
            return
        if self.parent is None and isinstance(value, (Instance, Mapping)):
            self.machine.shared.add(value.number)
        if self.journals:
            journal = self.journals[-1]
            if name not in journal:
                journal[name] = self.variables.get(name, MISSING)
        self.variables[name] = value

    def note_write(self, home: Frame) -> None:
        """Note for the present call that it writes to a frame around it."""
        if home is not self and self.machine.surroundings:
            self.machine.surroundings[-1].writes.add(home)

    def home(self, name: str) -> Frame:
        """The frame in which a name is bound: this one, where none is."""
        frame: Frame | None = self
        while frame is not None and name not in frame.variables:
            frame = frame.parent
        return frame if frame is not None else self

    def lookup(self, name: str) -> Value | None:
        """What a name holds on the present path; None where nothing of this file binds it."""
        frame: Frame | None = self
        while frame is not None:
            if frame.pending and name in frame.pending and frame.machine.modules is not None:
                frame.machine.modules.bind(frame, name)
            value = frame.variables.get(name)
            if value is not None and (frame is self or frame.kind != "class"):
                if frame.loop_levels:
                    frame.note_read(name)
                if frame is not self and not isinstance(value, DEFINED) and self.machine.surroundings:
                    self.machine.surroundings[-1].reads.setdefault((frame, name), value)
                if value is MISSING:
                    return None
                return self.narrow(value) if type(value) is Choice else value
            frame = frame.parent
        return None

    def note_read(self, name: str) -> None:
        """Note for the loops around that a name is read, where their turn has not written it on every way here."""
        for level, reads in zip(self.loop_levels, self.loop_reads, strict=True):
            if name not in reads and not any(name in journal for journal in self.journals[level:]):
                reads.add(name)

    def narrow(self, value: Value) -> Value:
        """Leave out the alternatives that the present path rules out."""
        if type(value) is not Choice:
            return value
        here = self.guards()
        left = tuple((g, v) for g, v in value.options if v is not MISSING and compatible(g, here))
        if len(left) == len(value.options):
            return value
        if not left:
            return Unknown(self.machine.numbers.of("impossible"))
        return left[0][1] if len(left) == 1 else Choice(left)

    def replace_object(self, old: Value, new: Value) -> None:
        """Every name that holds the very object `old`, be it one of several, holds `new`: what a mutation does to its
        aliases.
        """
        deep = isinstance(old, CHANGEABLE)
        for name, value in list(self.variables.items()):
            if value is old:
                self.note_read(name)
                self.set(name, new)
            elif deep and isinstance(value, CHANGEABLE) and (changed := exchanged(value, old, new)) is not value:
                self.set(name, changed)
            elif type(value) is Choice and any(option is old for _, option in value.options):
                held = [(guards, new if option is old else option) for guards, option in value.options]
                options = [(guards | more, one) for guards, option in held for more, one in options_of(option)]
                self.note_read(name)
                self.set(name, Choice(tuple(options)))
        if deep:
            self.replace_held(old, new)

    def replace_held(self, old: Value, new: Value) -> None:
        """What objects hold, or were given when they were made, is now `new` as well."""
        machine = self.machine
        for number, held in machine.built.items():
            machine.built[number] = exchanged(held, old, new)
        for variables in machine.handed.values():
            variables.update([(name, new) for name, value in variables.items() if value is old])

    # --- branches ----------------------------------------------------------------------------------------------------

    def open_branch(self) -> None:
        """Begin to journal."""
        self.journals.append({})

    def close_branch(self) -> dict[str, Value]:
        """Undo what was written since the branch began, and hand it out."""
        journal = self.journals.pop()
        written: dict[str, Value] = {}
        for name, old in journal.items():
            written[name] = self.variables.get(name, MISSING)
            if old is MISSING:
                self.variables.pop(name, None)
            else:
                self.variables[name] = old
        return written

    def merge(self, branches: list[tuple[Guards, dict[str, Value]]]) -> None:
        """Bind every name that a branch wrote to the alternatives of all branches that go on."""
        names: dict[str, None] = {}
        for _, written in branches:
            names.update(dict.fromkeys(written))
        numbers = self.machine.numbers
        for name in names:
            present = self.variables.get(name, MISSING)
            if self.loop_levels and not all(name in written for _, written in branches):
                self.note_read(name)
            options: list[tuple[Guards, Value]] = []
            for guards, written in branches:
                value = written.get(name, present)
                if type(value) is Choice:
                    options.extend((g | guards, v) for g, v in value.options if compatible(g, guards))
                else:
                    options.append((guards, value))
            bound = [(g, v) for g, v in options if v is not MISSING]
            if bound:
                self.set(name, choose_states(bound, numbers))
