"""Entering functions: with the arguments of a call, memoised; or with nothing known of their parameters."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from kl_lint.flow.arguments import or_default
from kl_lint.flow.containers import too_deep
from kl_lint.flow.declared import annotated
from kl_lint.flow.divergence import computing
from kl_lint.flow.expressions import evaluate
from kl_lint.flow.frame import ContextKey, Frame, Machine, OutOfReach, Outcome, Return, Surroundings
from kl_lint.flow.heirs import Heir
from kl_lint.flow.lattice import choose, choose_states, flattened, join
from kl_lint.flow.objects import KL_LOSS, receiver_name
from kl_lint.flow.slicing import Changers, Slice, slice_of
from kl_lint.flow.source import Source
from kl_lint.flow.statements import execute, leave
from kl_lint.flow.syntax import nodes_of
from kl_lint.flow.values import (
    NONE,
    Choice,
    Class,
    Constant,
    External,
    Function,
    Guards,
    Instance,
    Mapping,
    Numbers,
    Sequence,
    Space,
    Symbol,
    Tensor,
    Unknown,
    Value,
    options_of,
)

__all__ = ["Interpreter"]

DEEPEST_CALL = 24
MOST_CONTEXTS = 12
"""How many argument lists one function is interpreted with."""
FEW_CONTEXTS = 4
"""How many of them may hold no distribution, of which little can come."""
MOST_RECURSION = 2
CALLER_WORK = 2_000
CALLER_WORK_PER_LINE = 15
"""The steps that may be taken to see what one function passes to those that use a divergence."""
SETTER_WORK = 3_000
"""The steps that may be taken to see what one method leaves in an attribute."""

Result = TypeVar("Result")


class Interpreter:
    """Runs the functions of one analysis on its machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._calls = 0
        machine.evaluate = evaluate
        machine.run = self.run
        machine.standalone = self.standalone
        machine.left_by = self.left_by

    def run(self, function: Function, variables: dict[str, Value], caller: Frame, node: ast.AST) -> Value:
        """The value of calling `function` with `variables` bound; leaves the receiver as the call left it in
        `machine.last_receiver`, and what it changed of its arguments in `machine.last_changed`.
        """
        machine = self.machine
        machine.last_receiver = None
        machine.last_changed = ()
        place = function.node
        if too_deep(variables.values()):
            return Unknown(machine.opaque(node))
        arguments = tuple(sorted(variables.items(), key=lambda item: item[0]))
        key: ContextKey = ("call", place, id(function.frame), arguments, caller.no_grad)
        known = self._known(key)
        alike: ContextKey = ()
        if known is None:
            alike = ("alike", place, id(function.frame), canonical_arguments(machine, arguments), caller.no_grad)
            known = self._known(alike)
            if known is not None:
                known = machine.memo[key] = replace(known, receiver=None, impure=True)
        if known is None:
            asked = key
            if key in machine.memo:  # what it reads has changed: this is another activation
                key = (*key, machine.contexts.get(place, 0))
            recursive = machine.running.get(place, 0)
            if (
                recursive >= MOST_RECURSION
                or self._calls >= DEEPEST_CALL
                or machine.contexts.get(place, 0) >= (MOST_CONTEXTS if telling(variables) else FEW_CONTEXTS)
            ):
                machine.unfollowed.add(caller.place(node))
                return Unknown(machine.opaque(node))
            machine.contexts[place] = machine.contexts.get(place, 0) + 1
            entry = not isinstance(place, ast.Lambda) and caller.kind == "class"
            frame = self._frame(
                function, dict(variables), key, entry=entry, callers=(*caller.callers[-8:], caller.place(node))
            )
            frame.no_grad = caller.no_grad or function.no_grad
            frame.slice = self._slice(function, frame.receiver, value=True, given=variables)
            frame.lent = lent(function, variables, frame.receiver)
            machine.entrances.setdefault(key, {})[caller.key, caller.place(node)] = None
            before = machine.impure
            around, start = Surroundings(), len(machine.preliminary)
            machine.surroundings.append(around)
            try:
                value, receiver = self._call(frame, function)
            finally:
                machine.surroundings.pop()
            changed = self._changed(frame)
            preliminary = tuple(machine.preliminary[start:])
            impure = machine.impure != before
            known = machine.memo[asked] = Outcome(value, receiver, changed, impure, key, around, preliminary)
            same = receiver is None or receiver == variables.get(frame.receiver or "")
            if transferable(value) and same and not changed:
                machine.memo[alike] = known
        else:
            machine.entrances[known.key][caller.key, caller.place(node)] = None
        if machine.surroundings:
            machine.surroundings[-1].add(known.around, within=caller)
        value = known.value
        if known.impure:
            value = relabelled(value, machine.numbers, machine.numbers.of("at", (id(node), machine.epoch)))
        machine.last_receiver = known.receiver
        machine.last_changed = known.changed
        return self._promised(function, node) or value

    def _known(self, key: ContextKey) -> Outcome | None:
        """What a call has come to before, where that still holds."""
        machine = self.machine
        known = machine.memo.get(key)
        if known is None or not known.around.unchanged:
            return None
        if any(machine.attributes.get(attribute) != value for attribute, value in known.preliminary):
            return None
        if machine.settling:
            machine.preliminary += known.preliminary
        return known

    def _promised(self, function: Function, node: ast.AST) -> Value | None:
        """What the function's annotation says of its result, where it names a space."""
        returns = getattr(function.node, "returns", None)
        if not isinstance(returns, (ast.Name, ast.Attribute, ast.Subscript)):
            return None
        home = function.frame
        promised = evaluate(home, returns)
        if not isinstance(promised, Symbol):
            return None
        return annotated(
            promised, self.machine.numbers.of("promised", (id(node), self.machine.epoch)), home.place(returns)
        )

    def standalone(self, function: Function, receiver: Value | None) -> Value:
        """Interpret a function entered with nothing known of its parameters; gives the receiver as it leaves it, or
        its value.
        """
        machine = self.machine
        key = ("entry", function.node, id(function.frame))
        known = self._known(key)
        if known is None:
            if key in machine.memo:
                machine.forget(key)  # what it was found to do when less was known of what it reads
            if machine.running.get(function.node, 0) >= MOST_RECURSION or self._calls >= DEEPEST_CALL:
                return receiver if receiver is not None else Unknown(machine.opaque(function.node))
            around = machine.running.get(function.node, 0)
            # Within itself it has a key of its own: what is found around it must outlast this, if this is cut off.
            frame = self._frame(function, {}, (*key, around) if around else key, entry=True, callers=())
            frame.variables.update(self._parameters(function, receiver))
            frame.no_grad = function.no_grad
            frame.slice = self._slice(function, frame.receiver, value=False)
            start = len(machine.preliminary)
            value, after = self._body(frame, function)
            preliminary = tuple(machine.preliminary[start:])
            known = machine.memo[key] = Outcome(value, after, (), True, frame.key, preliminary=preliminary)
        return known.receiver if receiver is not None and known.receiver is not None else known.value

    def within(self, steps: int, act: Callable[[], Result]) -> Result | None:
        """What `act` gives; None where it takes more than `steps`: what it was about is left then as it was before."""
        machine = self.machine
        limit = machine.allow(steps)
        calls, running, depth = self._calls, dict(machine.running), machine.depth
        states = machine.modules.state() if machine.modules is not None else {}
        try:
            return act()
        except OutOfReach:
            if not machine.restore(limit):
                raise  # what is around has no steps left either
            self._calls, machine.running, machine.depth = calls, running, depth
            if machine.modules is not None:
                machine.modules.recover(states)
            return None
        finally:
            machine.restore(limit)

    def visit(self, function: Function) -> bool:
        """Enter a function of another file with nothing known; False where the work for other files is used up."""
        self._abroad(lambda: self.glance(function))
        return self.machine.foreign > 0

    def glance(self, function: Function) -> Value:
        """Enter a function with nothing known, as far as the work for one caller goes."""
        value = self._within_caller(function, lambda: self.standalone(function, None))
        return NONE if value is None else value

    def _within_caller(self, function: Function, act: Callable[[], Result]) -> Result | None:
        """What `act` gives, which enters a function, as far as the work for one caller goes."""
        node = function.node
        rows = (node.end_lineno or node.lineno) - node.lineno + 1
        return self.within(CALLER_WORK + CALLER_WORK_PER_LINE * rows, act)

    def inherit(self, heir: Heir, home: Frame) -> bool:
        """Enter a method as an object of a class of the file `home` has it, with nothing else known; False where the
        work for other files is used up.
        """
        method = heir.method
        self.machine.heirs[heir.base] = heir.cls.node.name

        def enter() -> Value:
            receiver = entered(heir.cls, self.machine.numbers)
            return self.run(method, self._parameters(method, receiver), home, heir.base)

        if not self._leaves(home):
            self._within_caller(method, enter)
            return True
        self._abroad(lambda: self._within_caller(method, enter))
        return self.machine.foreign > 0

    def left_by(self, method: Function, receiver: Value) -> Value | None:
        """The receiver as a method leaves it that is entered with nothing known; None where that takes too long."""
        machine = self.machine
        if method.node in machine.given_up:
            return None
        after = self.within(SETTER_WORK, lambda: self.standalone(method, receiver))
        if after is None:
            machine.given_up.add(method.node)
        return after

    def _leaves(self, frame: Frame) -> bool:
        """Whether a call goes from the analysed file into another."""
        return self.machine.main is not None and frame.source is not self.machine.main and not self.machine.abroad

    def _abroad(self, act: Callable[[], Result]) -> Result | None:
        """What `act` gives, which is about other files; None where the work for these is used up."""
        machine = self.machine
        machine.abroad, before = True, machine.steps
        try:
            return self.within(machine.foreign, act)
        finally:
            machine.abroad = False
            machine.foreign = max(0, machine.foreign - (machine.steps - before))

    def _call(self, frame: Frame, function: Function) -> tuple[Value, Value | None]:
        """Interpret the body of a called function: of another file, as far as the work for these goes."""
        if not self._leaves(frame):
            return self._body(frame, function)
        known = self._abroad(lambda: self._body(frame, function))
        return known if known is not None else (Unknown(self.machine.opaque(function.node)), None)

    def _slice(
        self, function: Function, receiver: str | None, *, value: bool, given: dict[str, Value] | None = None
    ) -> Slice | None:
        """What of the function's body matters; where it is `given` what computes a divergence, that too."""
        node = function.node
        if isinstance(node, ast.Lambda):
            return None
        handed = computing(given, receiver, self.machine.relevant) if given is not None else frozenset()
        key = (node, value, handed)
        found = self.machine.slices.get(key)
        if found is None:
            source = function.frame.source
            own = self.machine.variables.get((source, outermost(function).lineno), frozenset()) | handed
            found = self.machine.slices[key] = slice_of(
                node, self.machine.relevant, receiver, value=value, own=own, changers=self._changers(source)
            )
        return found

    def _changers(self, source: Source) -> Changers:
        """The functions at the top of a file that may change what they are given."""
        if source not in self.machine.changers:
            self.machine.changers[source] = Changers(source.tree.body)
        return self.machine.changers[source]

    def _frame(
        self,
        function: Function,
        variables: dict[str, Value],
        key: tuple[object, ...],
        *,
        entry: bool,
        callers: tuple[object, ...],
    ) -> Frame:
        home = function.frame
        frame = Frame(self.machine, home.source, home, "function", function, variables, key=key, entry=entry)
        frame.callers = callers  # type: ignore[assignment]
        frame.owner = function.owner
        if function.owner is not None and function.kind in ("function", "property"):
            frame.receiver = receiver_name(function)
        return frame

    def _body(self, frame: Frame, function: Function) -> tuple[Value, Value | None]:
        """Interpret a body; its value, and the receiver as it leaves it."""
        machine = self.machine
        place = function.node
        machine.called.add(place)
        machine.running[place] = machine.running.get(place, 0) + 1
        machine.epoch += 1
        self._calls += 1
        depth, machine.depth = machine.depth, 0
        try:
            if isinstance(place, ast.Lambda):
                return evaluate(frame, place.body), None
            execute(frame, place.body)
            if not frame.dead:
                leave(frame, NONE)
            self._nested(frame)
        except OutOfReach:
            machine.forget(frame.key)
            raise
        finally:
            machine.depth = depth
            self._calls -= 1
            machine.running[place] -= 1
            if not machine.running[place]:
                del machine.running[place]  # it is copied wherever something is only looked into
        if frame.yields:
            return Sequence(
                None, join(frame.yields, machine.numbers), number=machine.fresh("generator", place)
            ), self._receiver(frame.returns)
        ways = [way for way in frame.returns if way.value != NONE] or frame.returns
        return choose([(way.guards, way.value) for way in ways], machine.numbers), self._receiver(frame.returns)

    def _receiver(self, returns: list[Return]) -> Value | None:
        receivers: list[tuple[Guards, Value]] = [
            (way.guards, way.receiver) for way in returns if way.receiver is not None
        ]
        return choose_states(receivers, self.machine.numbers) if receivers else None

    def _changed(self, frame: Frame) -> tuple[tuple[str, Value], ...]:
        """The arguments that a body has changed, as it leaves them."""
        changed: list[tuple[str, Value]] = []
        for name, before in frame.lent.items():
            ways = [(way.guards, held) for way in frame.returns for key, held in way.lent if key == name]
            if any(held is not before for _, held in ways):
                changed.append((name, choose_states(flattened(ways), self.machine.numbers)))
        return tuple(changed)

    def _nested(self, frame: Frame) -> None:
        """Enter the functions defined in a body that nothing has called: callbacks, closures handed out."""
        for value in list(frame.variables.values()):
            if isinstance(value, Function) and value.frame is frame and value.node not in self.machine.called:
                self.standalone(value, None)

    def _parameters(self, function: Function, receiver: Value | None) -> dict[str, Value]:
        """Parameters of which nothing is known but their defaults and annotations."""
        numbers = self.machine.numbers
        signature = function.node.args
        defaults = dict(function.defaults)
        variables: dict[str, Value] = {}
        positional = [*signature.posonlyargs, *signature.args]
        for parameter in (*positional, *signature.kwonlyargs):
            unknown = Unknown(numbers.of("parameter", (id(function.node), parameter.arg)))
            default = defaults.get(parameter.arg)
            if default is None or isinstance(default, Constant):
                held = repr(default.value) if default is not None else ""
                self.machine.defaults[numbers.of("held", unknown.number)] = held
            variables[parameter.arg] = self._parameter(unknown, default, parameter.annotation, function.frame)
        if signature.vararg is not None:
            element = Unknown(numbers.of("parameter", (id(function.node), signature.vararg.arg)))
            variables[signature.vararg.arg] = Sequence(None, element, number=element.number)
        if signature.kwarg is not None:
            rest = Unknown(numbers.of("parameter", (id(function.node), signature.kwarg.arg)))
            variables[signature.kwarg.arg] = Mapping((), rest, rest.number)
        if positional and function.owner is not None and function.kind != "static":
            first = function.owner if function.kind == "class" else receiver or entered(function.owner, numbers)
            variables[positional[0].arg] = first
        return variables

    def _parameter(self, unknown: Unknown, default: Value | None, annotation: ast.expr | None, home: Frame) -> Value:
        """A parameter that may hold its default, or what its annotation promises."""
        either = or_default(default, unknown)
        if either is not unknown:
            return either
        if isinstance(annotation, (ast.Name, ast.Attribute, ast.Subscript)):
            promised = evaluate(home, annotation)
            told = annotated(promised, unknown.number, home.place(annotation))
            if told is not None:
                return told
            match promised:
                case Class() as cls if not cls.node.name.endswith(("Config", "Args", "Arguments")):
                    return Instance(cls, entered=True, number=unknown.number)
                case Symbol(name=name) if name == KL_LOSS:
                    return External(KL_LOSS, (), home.place(annotation), unknown.number, open=True)
                case _:
                    pass
        return unknown


def outermost(function: Function) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda:
    """The function that a function is in, or itself."""
    node = function.node
    frame: Frame | None = function.frame
    while frame is not None:
        node = frame.function.node if frame.function is not None else node
        frame = frame.parent
    return node


def entered(cls: Class, numbers: Numbers) -> Instance:
    """The `self` of a method entered with nothing known."""
    return Instance(cls, entered=True, number=numbers.of("self", (id(cls.node),)))


def lent(function: Function, variables: dict[str, Value], receiver: str | None) -> dict[str, Value]:
    """The arguments of a call that its caller still holds when it returns, by the names that the body does not bind to
    something else. (Of a name that it adds to, only a tensor or a list stays what it was.)
    """
    signature = function.node.args
    bound, augmented = bound_again(function)
    found: dict[str, Value] = {}
    for parameter in (*signature.posonlyargs, *signature.args, *signature.kwonlyargs):
        name = parameter.arg
        value = variables.get(name)
        if name == receiver or name in bound or (name in augmented and not isinstance(value, (Tensor, Sequence))):
            continue
        if isinstance(value, (Tensor, Unknown, Sequence, Mapping, Instance, External, Choice)):
            found[name] = value
    return found


def bound_again(function: Function) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a body binds, and those that it adds to."""
    cache = function.frame.machine.bound
    known = cache.get(function.node)
    if known is None:
        nodes = nodes_of(function.node)
        targets = {node.target for node in nodes if isinstance(node, ast.AugAssign)}
        stores = [node for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
        known = cache[function.node] = (
            frozenset(node.id for node in stores if node not in targets),
            frozenset(node.id for node in stores if node in targets),
        )
    return known


def canonical_arguments(machine: Machine, arguments: tuple[tuple[str, Value], ...]) -> tuple[object, ...]:
    """Arguments up to the names of what is unknown in them: equal for calls between which the interpreter can see no
    difference.
    """
    order: dict[int, int] = {}

    def shape(value: Value, depth: int) -> object:
        match value:
            case Unknown(number=number, form=form) if form is None or depth < 3:
                made = (
                    None
                    if form is None
                    else (form.op, form.dim, form.symbol, form.keepdim, shape(form.operand, depth + 1))
                )
                return (order.setdefault(number, len(order)), made)
            case Tensor(space=Space.UNKNOWN, form=form, fill=None, loss=None, number=number) if (
                form is None or depth < 3
            ):
                made = (
                    None
                    if form is None
                    else (form.op, form.dim, form.symbol, form.keepdim, shape(form.operand, depth + 1))
                )
                return (replace(value, number=0, trail=None, form=None), order.setdefault(number, len(order)), made)
            case Sequence(items=items) if items is not None and depth < 2:
                return ("sequence", *(shape(item, depth + 1) for item in items))
            case Instance(number=number) if number in machine.pending or number in machine.built:
                return value  # what its __init__ sets is not among its attributes
            case Instance() if depth < 2:
                return (value.cls, value.entered, *((name, shape(item, depth + 1)) for name, item in value.attributes))
            case _:
                return value

    return tuple((name, shape(value, 0)) for name, value in arguments)


def telling(variables: dict[str, Value]) -> bool:
    """Whether one of the arguments is a tensor in a known space."""
    for value in variables.values():
        for _, option in options_of(value):
            if isinstance(option, Tensor) and option.space is not Space.UNKNOWN:
                return True
            if isinstance(option, Sequence) and isinstance(option.element, Tensor):
                return True
    return False


def transferable(value: Value) -> bool:
    """Whether a result holds nothing but tensors and literals, which can be relabelled for another call."""
    match value:
        case Unknown() | Tensor() | Constant():
            return True
        case Sequence(items=items, element=element):
            return all(transferable(item) for item in items or ()) and (element is None or transferable(element))
        case Mapping(entries=entries, rest=rest):
            return all(transferable(item) for _, item in entries) and (rest is None or transferable(rest))
        case Choice(options=options):
            return all(transferable(option) for _, option in options)
        case _:
            return False


def relabelled(value: Value, numbers: Numbers, site: int, depth: int = 0) -> Value:
    """The result of a function that is no pure function of its arguments: another call of it gives something else."""
    match value:
        case Unknown():
            return Unknown(numbers.of("result", site, value.number), value.form)
        case Tensor():
            source = numbers.of("result", site, value.source) if value.source is not None else None
            return replace(value, number=numbers.of("result", site, value.number), source=source)
        case Sequence(items=items) if items is not None and depth < 2:
            return replace(value, items=tuple(relabelled(item, numbers, site, depth + 1) for item in items))
        case Mapping() if depth < 2:
            return replace(
                value, entries=tuple((key, relabelled(item, numbers, site, depth + 1)) for key, item in value.entries)
            )
        case Choice():
            return Choice(tuple((guards, relabelled(option, numbers, site, depth)) for guards, option in value.options))
        case _:
            return value
