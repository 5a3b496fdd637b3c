"""From what the interpreter recorded to the facts that rules judge: places become spans, values become descriptions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from dataclasses import replace
from itertools import product
from math import prod

from kl_lint.finding import Span, Step
from kl_lint.flow.chains import caller, chains_to
from kl_lint.flow.frame import HandwrittenSum, LossUse, Machine, RawCall
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
    Setting,
    Settings,
    Site,
    Use,
)
from kl_lint.flow.lattice import is_empty, join
from kl_lint.flow.lines import whole
from kl_lint.flow.objects import LOOKED_UP
from kl_lint.flow.reach import Reach, remark_key
from kl_lint.flow.scope import Scope, kept
from kl_lint.flow.source import Place, Source
from kl_lint.flow.survey import rows_with
from kl_lint.flow.syntax import walk
from kl_lint.flow.transfer.call import as_tensor
from kl_lint.flow.values import (
    NONE,
    Constant,
    Guards,
    Maker,
    Note,
    Numbers,
    Sequence,
    Space,
    Tensor,
    Trail,
    Unknown,
    Value,
    compatible,
    options_of,
)

__all__ = ["handwritten_facts", "sites_of"]

MOST_VARIANTS = 24
SETTINGS = ("size_average", "reduce", "reduction", "log_target")
RAW_REDUCTIONS = {0: Reduction.NONE, 1: Reduction.MEAN, 2: Reduction.SUM}


def sites_of(machine: Machine, source: Source) -> tuple[Site, ...]:
    """Every KL call and construction found in one file, in the order of the text."""
    uses: dict[Place, list[LossUse]] = {}
    for use in machine.uses:
        uses.setdefault(use.call, []).append(use)
    sites = [
        site(machine, place, contexts, uses.get(place, []))
        for place, contexts in machine.calls.items()
        if place.source is source
    ]
    return tuple(sorted(sites, key=lambda found: (found.span, found.kind.value)))


def site(
    machine: Machine, place: Place, contexts: dict[tuple[object, ...], dict[Guards, RawCall]], uses: list[LossUse]
) -> Site:
    """One call with all its contexts."""
    found: list[Context] = []
    kind = Kind.FUNCTIONAL
    for key, raws in contexts.items():
        variants: dict[KLCall, None] = {}
        entry = True
        for raw in raws.values():
            kind = Kind(raw.kind)
            entry = raw.entry
            for variant in variants_of(machine, raw, uses):
                variants[variant] = None
                if len(variants) > MOST_VARIANTS:
                    break
        chains = chains_to(machine, key) if len(contexts) > 1 else ()
        found.append(Context(bounded(list(variants)), entry, chains))
    return Site(kind, place.span, tuple(found))


def bounded(variants: list[KLCall]) -> tuple[KLCall, ...]:
    """The variants, where they are few; else some of them, and one of which nothing is known, for all others."""
    if len(variants) <= MOST_VARIANTS:
        return tuple(variants)
    some, another = variants[: MOST_VARIANTS - 1], variants[MOST_VARIANTS]
    return (
        *some,
        replace(
            another,
            reduction=Reduction.UNKNOWN,
            log_target=None,
            input=obscured(another.input),
            target=obscured(another.target),
            uses=(),
        ),
    )


def obscured(argument: Argument | None) -> Argument | None:
    """The argument, whatever it holds."""
    return replace(argument, value=Distribution(Space.UNKNOWN)) if argument is not None else None


def variants_of(machine: Machine, raw: RawCall, uses: list[LossUse]) -> Iterator[KLCall]:
    """One fact for each combination of alternatives that some run can meet."""
    names = tuple(raw.arguments)
    choices = [useful(name, value) for name, value in raw.arguments.items()]
    if prod(map(len, choices)) > MOST_VARIANTS:
        choices = [in_common(options, machine.numbers) for options in choices]
    for combination in product(*choices):
        guards: Guards | None = raw.guards
        for more, _ in combination:
            guards = guards | more if guards is not None and compatible(guards, more) else None
        if guards is not None and consistent(guards):
            yield fact(machine, raw, dict(zip(names, (value for _, value in combination), strict=True)), uses)


def in_common(options: tuple[tuple[Guards, Value], ...], numbers: Numbers) -> tuple[tuple[Guards, Value], ...]:
    """The alternatives of an argument that are too many to be told apart: as one, where all are of one space."""
    spaces = {value.space if isinstance(value, Tensor) else None for _, value in options}
    if len(options) == 1 or len(spaces) > 1 or None in spaces:
        return options
    guards = frozenset.intersection(*(guards for guards, _ in options))
    return ((guards, join([value for _, value in options], numbers)),)


def useful(name: str, value: Value) -> tuple[tuple[Guards, Value], ...]:
    """The alternatives of an argument under which the call can run: a tensor argument is not None and not a string."""
    options = options_of(value)
    if name in ("input", "target"):
        running = tuple(option for option in options if not isinstance(option[1], Constant) and not is_empty(option[1]))
        return running or options
    return options


def consistent(guards: Guards) -> bool:
    """Whether no condition stands with two outcomes."""
    return len({key for key, _ in guards}) == len(guards)


def fact(machine: Machine, raw: RawCall, values: dict[str, Value], uses: list[LossUse]) -> KLCall:
    """The fact of one path."""
    source = raw.place.source
    kind = Kind(raw.kind)
    if raw.place in machine.reset:  # what it is built with, it is not called with
        values = {name: value for name, value in values.items() if name not in LOOKED_UP}
        raw = replace(raw, open=True)
    settings = settings_of(source, raw, values)
    return KLCall(
        kind,
        raw.place.span,
        source.filename,
        source.text(raw.callee),
        settings,
        reduction_of(kind, values, raw.open),
        log_target_of(values, raw.open),
        argument(machine, raw, "input", values),
        argument(machine, raw, "target", values),
        raw.construction.span if raw.construction is not None and raw.construction.source is source else None,
        tuple(loss_use(machine, use) for use in uses if use.place.source is source),
        raw.place in machine.filtered,
        raw.place in machine.summed,
        raw.zero_meant,
        raw.place in machine.rescaled,
        tuple(caller(machine, place).step for place in raw.callers),
    )


def settings_of(source: Source, raw: RawCall, values: dict[str, Value]) -> Settings:
    """What the call was told; for a module's call, what its construction was told (without places)."""
    given: dict[str, Setting] = {}
    for name in SETTINGS:
        value = values.get(name)
        if value is None:
            continue
        node = raw.nodes.get(name)
        position = raw.positions.get(name)
        known = isinstance(value, Constant)
        given[name] = Setting(
            value.value if isinstance(value, Constant) else None,
            known,
            source.span(node) if node is not None else None,
            position if isinstance(position, str) else None,
            position if isinstance(position, int) else None,
            isinstance(node, ast.Constant),
        )
    return Settings(
        given.get("size_average"), given.get("reduce"), given.get("reduction"), given.get("log_target"), raw.open
    )


def log_target_of(values: dict[str, Value], opened: bool) -> bool | None:
    """log_target, where it is known: False unless given."""
    match values.get("log_target"):
        case None:
            return None if opened else False
        case Constant(value=bool() as told):
            return told
        case _:
            return None


def reduction_of(kind: Kind, values: dict[str, Value], opened: bool) -> Reduction:
    """What torch does with the elements; function and module differ."""
    told = values.get("reduction")
    if kind is Kind.RAW:
        if told is None:
            return Reduction.UNKNOWN if opened else Reduction.NONE
        return (
            RAW_REDUCTIONS.get(told.value, Reduction.INVALID)
            if isinstance(told, Constant) and isinstance(told.value, int)
            else Reduction.UNKNOWN
        )
    legacy = [values.get("size_average", NONE), values.get("reduce", NONE)]
    if any(not isinstance(value, Constant) for value in legacy):
        return Reduction.UNKNOWN
    if opened and told is None:
        return Reduction.UNKNOWN
    size_average, reduce = (value.value for value in legacy if isinstance(value, Constant))
    if size_average is not None or reduce is not None:
        return legacy_reduction(kind, size_average, reduce, told)
    match told:
        case None:
            return Reduction.MEAN
        case Constant(value="none" | "mean" | "sum" | "batchmean" as name):
            return Reduction(name)
        case Constant(value="elementwise_mean"):
            return Reduction.MEAN
        case Constant():
            return Reduction.INVALID
        case _:
            return Reduction.UNKNOWN


def legacy_reduction(kind: Kind, size_average: object, reduce: object, told: Value | None) -> Reduction:
    """size_average and reduce decide by their truth; the function then still divides by the batch for "batchmean"."""
    average = True if size_average is None else bool(size_average)
    reduced = True if reduce is None else bool(reduce)
    name = "none" if not reduced else "mean" if average else "sum"
    if kind is Kind.FUNCTIONAL and told == Constant("batchmean"):
        return {"none": Reduction.NONE_THEN_BATCH, "mean": Reduction.MEAN_THEN_BATCH, "sum": Reduction.BATCHMEAN}[name]
    return Reduction(name)


# --- arguments -------------------------------------------------------------------------------------------------------


def argument(machine: Machine, raw: RawCall, name: str, values: dict[str, Value]) -> Argument | None:
    """One argument: its place, its text, what it holds."""
    if raw.kind == "construction" or name not in values:
        return None
    source = raw.place.source
    node = raw.nodes.get(name)
    span = source.span(node) if node is not None else raw.place.span
    position = raw.positions.get(name)
    return Argument(
        span,
        " ".join(source.text(node).split()) if node is not None else name,
        distribution(machine, raw, name, values[name]),
        position if isinstance(position, str) else None,
        node is not None,
    )


def distribution(machine: Machine, raw: RawCall, name: str, value: Value) -> Distribution:
    """What is proved of a value."""
    if isinstance(value, Sequence):
        return Distribution(Space.UNKNOWN)
    tensor = as_tensor(value, machine.numbers) if isinstance(value, (Tensor, Unknown)) else Tensor(0)
    dim, symbol = tensor.where()
    return Distribution(
        tensor.space,
        tensor.mass,
        tensor.mixed,
        dim,
        symbol,
        tensor.rank,
        tensor.source if tensor.whole else None,
        temperature_key(tensor, machine.numbers),
        None,
        tensor.gradient,
        tuple(remark(machine, note) for note in tensor.notes),
        tuple(step(trail) for trail in tensor.trail.steps()) if tensor.trail is not None else (),
        producer(machine, raw, name, tensor),
        number=tensor.number,
        complement_of=tensor.complement_of,
    )


def temperature_key(tensor: Tensor, numbers: Numbers) -> object:
    """What identifies the divisor of the logits: a literal's value, or a value number."""
    match tensor.temperature:
        case None:
            return None
        case Constant(value=value):
            return float(value) if isinstance(value, (int, float)) else None
        case Unknown(number=number) | Tensor(number=number):
            return ("number", number)
        case _:
            return None


def loss_use(machine: Machine, use: LossUse) -> Use:
    """An average of an unreduced divergence, with its places resolved. Where something else is averaged there as well,
    the class dimension is that of one way only.
    """
    alone = (
        len(machine.averaged.get(use.place, ())) <= 1
        and (use.operand is None or always_seen(machine, use.operand))
        and not handed_to_many(machine, use)
    )
    operand = use.operand.span if use.operand is not None else None
    return Use(use.place.span, use.how, use.dim if alone else None, use.everything, operand)


def always_seen(machine: Machine, operand: Place) -> bool:
    """Whether a name holds a divergence wherever it is assigned: what has nothing to do with one is not interpreted."""
    divergences = {place.node for place in machine.calls}
    scope = scope_in(machine, operand)
    waiting = [operand.node]
    for node in waiting:
        if isinstance(node, ast.Name):
            assigned = [one.value for one in scope.by_name.get(node.id, ())]
            if len(assigned) > 1 and not all(holds_one_of(value, divergences, node.id) for value in assigned):
                return False
            waiting.extend(value for value in assigned if value not in waiting)
    return True


def handed_to_many(machine: Machine, use: LossUse) -> bool:
    """Whether the average is one of a parameter of a helper that more than one call may give something to: what has
    nothing to do with a divergence is not interpreted.
    """
    helper = scope_around(machine, use.place)
    if isinstance(helper, ast.Module) or helper is scope_around(machine, use.call):
        return False
    if len(list(rows_with(getattr(helper, "name", ""), whole(use.place.source.lines)))) <= 2:  # it, and a call
        return False
    scope = kept(machine.scopes, helper)
    names = list(dict.fromkeys(operands(use.place.node)))
    for name in names:
        values = [one.value for one in scope.by_name.get(name, ())]
        names.extend(found for value in values for found in operands(value) if found not in names)
    return not names_taken(helper).isdisjoint(names)


def operands(node: ast.AST) -> Iterator[str]:
    """The variables that an expression computes with; not those that it hands to a function of the program's own."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch" | "F")), args=arguments):
            for argument in arguments:
                yield from operands(argument)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.UnaryOp(operand=inner):
            yield from operands(inner)
        case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
            yield from operands(one)
            yield from operands(other)
        case _:
            pass


def names_taken(function: ast.AST) -> set[str]:
    """The names of the parameters of a function."""
    return {node.arg for node in walk(function) if isinstance(node, ast.arg)}


def holds_one_of(value: ast.expr, nodes: Set[ast.AST], name: str) -> bool:
    """Whether one of `nodes` stands in an expression, or a name."""
    return any(node in nodes or (isinstance(node, ast.Name) and node.id == name) for node in walk(value))


def scope_in(machine: Machine, place: Place) -> Scope:
    """The scope of the function that an expression stands in."""
    return kept(machine.scopes, scope_around(machine, place))


def scope_around(machine: Machine, place: Place) -> ast.AST:
    """The function, or the module, that an expression stands in."""
    module = kept(machine.scopes, place.source.tree)
    around = (one for one in module.functions.around(place.node) if not isinstance(one, ast.Lambda))
    return next(around, place.source.tree)


def remark(machine: Machine, note: Note) -> Remark:
    """A note with its places resolved; what lies in another file is left out."""
    source = note.place.source

    into_another = isinstance(note.place.node, ast.Call) and any(word.arg == "out" for word in note.place.node.keywords)

    def here(place: Place | None) -> Span | None:
        """A part of the expression, within reach of a rewrite: a call with `out=` is more than its value."""
        return place.span if place is not None and place.source is source and not into_another else None

    reach = machine.reaches.get(remark_key(note), Reach())
    return Remark(
        note.kind,
        note.place.span,
        source.filename,
        note.detail,
        here(note.inner),
        here(note.operand),
        note.epsilon,
        note.rank,
        here(note.argument),
        reach.sole_use,
        reach.operand_unchanged,
        tuple((source.span(guard), source.span(given)) for guard, given in reach.guards),
    )


def step(trail: Trail) -> Step:
    """A step of a trace."""
    return trail.place.step(trail.what)


def producer(machine: Machine, raw: RawCall, name: str, tensor: Tensor) -> Producer | None:
    """The call that made the distribution, and what a rewrite must know of it."""
    maker = tensor.maker
    if maker is None or (maker.guarded and tensor.space is Space.PROBS):
        return None
    source = maker.place.source
    reach = machine.reaches.get((raw.place, name, maker.place), Reach())
    module = (
        maker.module.span if maker.module is not None and maker.module.source is source and reach.sole_module else None
    )
    return Producer(
        maker.name,
        maker.place.span,
        source.filename,
        maker.operand.span if maker.operand is not None else None,
        source.text(maker.dim.node) if maker.dim is not None else None,
        reach.inline,
        reach.sole_use,
        reach.operand_unchanged,
        module,
        spelling(machine, maker),
    )


def spelling(machine: Machine, maker: Maker) -> str | None:
    """How the call names the operation (kl_call.Producer.callee)."""
    source = maker.place.source
    func = maker.place.node.func if isinstance(maker.place.node, ast.Call) and maker.module is None else None
    if isinstance(func, ast.Attribute) and maker.operand is not None and func.value is maker.operand.node:
        return f".{func.attr}"
    text = source.text(func) if func is not None else ""
    parts = text.split(".")
    return text if parts[-1] == maker.name and parts[0] in torch_names(machine, source.tree) else None


def torch_names(machine: Machine, tree: ast.Module) -> frozenset[str]:
    """The names that imports of torch bind at the top of a file."""
    if tree not in machine.torch_names:
        machine.torch_names[tree] = frozenset(imported_from_torch(tree))
    return machine.torch_names[tree]


def imported_from_torch(tree: ast.Module) -> Iterator[str]:
    """Each of them."""
    for statement in tree.body:
        match statement:
            case ast.Import(names=aliases):
                imported = [(alias.asname or alias.name.partition(".")[0], alias.name) for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                imported = [(alias.asname or alias.name, module) for alias in aliases]
            case _:
                continue
        yield from (name for name, origin in imported if origin.partition(".")[0] == "torch")


# --- hand-written divergences ----------------------------------------------------------------------------------------


def handwritten_facts(
    source: Source, found: dict[ast.AST, HandwrittenSum], functional: str | None
) -> tuple[Handwritten, ...]:
    """The hand-written divergences of one file, in the order of the text."""
    facts = [
        Handwritten(
            h.place.span,
            h.place.source.filename,
            h.p.source.text(h.p.node),
            h.log_q.source.text(h.log_q.node),
            h.total,
            h.product.span if h.product.source is source and not names_something(h.product.node) else None,
            h.exact,
            functional,
        )
        for h in found.values()
        if h.place.source is source
    ]
    return tuple(sorted(facts, key=lambda fact: fact.span))


def names_something(node: ast.AST) -> bool:
    """Whether a part of an expression is given a name there."""
    return any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))
