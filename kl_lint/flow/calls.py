"""Calls: what each kind of callee returns."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.arguments import Arguments, bind_function, bound
from kl_lint.flow.attributes import REGISTERING
from kl_lint.flow.builtins import builtin
from kl_lint.flow.containers import MOST_ITEMS, elements, mapping_method, sequence_method
from kl_lint.flow.declared import declared
from kl_lint.flow.divergence import (
    FUNCTIONAL,
    KL_SIGNATURE,
    PAIR_SIGNATURE,
    RAW,
    RAW_SIGNATURE,
    computes,
    construct,
    kl_call,
)
from kl_lint.flow.frame import Frame
from kl_lint.flow.held_modules import as_mapping, from_mapping, is_module_dict
from kl_lint.flow.lattice import gathered
from kl_lint.flow.lifting import lift
from kl_lint.flow.nesting import parts_of, with_parts
from kl_lint.flow.objects import (
    HOOKING,
    KL_LOSS,
    SELF_RETURNING,
    attribute,
    built_attribute,
    find_member,
    is_kl_loss,
    is_loss_of_its_own,
    lineage,
    method_operation,
    torch_base,
)
from kl_lint.flow.operations import apply, operate, write_back, write_out
from kl_lint.flow.store import mutate, store
from kl_lint.flow.survey import last_name
from kl_lint.flow.syntax import REPORTING
from kl_lint.flow.torch_ops import CATALOGUE, MODULES, Operation, parameters
from kl_lint.flow.transfer.call import PlaceValue
from kl_lint.flow.values import (
    DISTRIBUTIONS,
    NONE,
    Bound,
    Choice,
    Class,
    Constant,
    External,
    Function,
    Instance,
    Mapping,
    Mass,
    Partial,
    Sequence,
    Space,
    Super,
    Symbol,
    Tensor,
    Unknown,
    Value,
)

__all__ = ["call", "call_function"]

REBUILDING = HOOKING | {"append", "insert", "extend", "pop", "add_module", "register_module"}
"""The methods of a container of modules after which it computes something else."""
TRANSPARENT = frozenset(
    {
        "torch.jit.script",
        "torch.compile",
        "torch.jit.ignore",
        "copy.deepcopy",
        "copy.copy",
        "torch.jit.export",
        "torch.no_grad",
        "typing.cast",
    }
)
PARALLEL = frozenset(
    {
        "torch.nn.DataParallel",
        "torch.nn.parallel.DataParallel",
        "torch.nn.parallel.DistributedDataParallel",
        "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
    }
)
"""What gives a module that computes what the given one does."""


# --- dispatch --------------------------------------------------------------------------------------------------------


def call(frame: Frame, callee: Value, arguments: Arguments, node: ast.Call) -> Value:
    """The value of calling `callee`."""
    if type(callee) is Choice:
        callable_options = (
            tuple(option for option in callee.options if not isinstance(option[1], Constant)) or callee.options
        )
        return lift(frame, lambda one: call_one(frame, one, arguments, node), Choice(callable_options))
    return call_one(frame, callee, arguments, node)


def call_one(frame: Frame, callee: Value, arguments: Arguments, node: ast.Call) -> Value:
    """The value of calling a callee that is not a Choice."""
    if frame.machine.declarations:
        told = declared(frame.machine.declarations, frame, callee, node)
        if told is not None:
            return told
    match callee:
        case Symbol(name=name):
            return call_symbol(frame, name, arguments, node)
        case Bound(function=Function() as function, receiver=receiver):
            return call_method(frame, function, receiver, arguments, node)
        case Bound(function=str() as name, receiver=receiver):
            return call_bound(frame, name, receiver, arguments, node)
        case Function(owner=Class(), kind="function") if arguments.positional and isinstance(
            arguments.positional[0][0], Instance
        ):
            (receiver, place), *rest = arguments.positional
            return call_method(frame, callee, receiver, replace(arguments, positional=rest), node, place)
        case Function():
            return call_function(frame, callee, arguments, node)
        case Class():
            return instantiate(frame, callee, arguments, node)
        case Instance():
            return call_instance(frame, callee, arguments, node)
        case External():
            return call_external(frame, callee, arguments, node)
        case Partial():
            return call_partial(frame, callee, arguments, node)
        case _:
            give_away(frame, arguments, node)
            if isinstance(node.func, ast.Attribute) and node.func.attr == "step":
                train(frame, node)
            return opaque(frame, node)


def train(frame: Frame, node: ast.Call) -> None:
    """After a step of an optimizer: scores that are trained themselves are others than before."""

    def trained(name: str, value: Value) -> Value:
        if isinstance(value, Tensor) and value.space not in DISTRIBUTIONS and value.gradient and value.loss is None:
            return replace(value, number=frame.machine.fresh(f"trained {name}", node))
        return value

    for name, value in list(frame.variables.items()):
        if isinstance(value, Instance):
            attributes = tuple((key, trained(key, held)) for key, held in value.attributes)
            after: Value = replace(value, attributes=attributes) if attributes != value.attributes else value
        else:
            after = trained(name, value)
        if after is not value:
            frame.set(name, after)


def give_away(frame: Frame, arguments: Arguments, node: ast.Call) -> None:
    """After something unknown was given an object, a dict or a list: a callback may have made other tensors of those
    that it holds.
    """
    if last_name(node.func) in REPORTING:
        return

    def another(key: object, held: Value) -> Value:
        return Unknown(frame.machine.fresh(f"given away {key}", node)) if isinstance(held, Tensor) else held

    for value, place in (*arguments.positional, *arguments.keywords.values()):
        if not isinstance(value, (Instance, Mapping, Sequence)) or (isinstance(value, Sequence) and not value.mutable):
            continue
        after = with_parts(value, tuple((key, another(key, held)) for key, held in parts_of(value)))
        match after:
            case Mapping(rest=Tensor() as rest):
                after = replace(after, rest=another("rest", rest))
            case Sequence(items=None, element=Tensor() as element):
                after = replace(after, element=another("each", element))
            case _:
                pass
        if after != value:
            mutate(frame, place, value, after)


def opaque(frame: Frame, node: ast.AST) -> Value:
    """The result of a call that cannot be seen into: new each time."""
    return Unknown(frame.machine.opaque(node))


def call_partial(frame: Frame, partial: Partial, arguments: Arguments, node: ast.Call) -> Value:
    """A partial: its own arguments first, keywords overridden by the call's."""
    merged = Arguments(
        [*((value, None) for value in partial.arguments), *arguments.positional],
        {**{name: (value, None) for name, value in partial.keywords}, **arguments.keywords},
        arguments.open_positional,
        arguments.open_keywords or partial.open,
    )
    return call(frame, partial.function, merged, node)


# --- torch -----------------------------------------------------------------------------------------------------------


def call_symbol(frame: Frame, name: str, arguments: Arguments, node: ast.Call) -> Value:
    """Something imported, or a builtin."""
    if name == FUNCTIONAL:
        return kl_call(frame, "functional", KL_SIGNATURE, arguments, node, None)
    if name == RAW:
        return kl_call(frame, "raw", RAW_SIGNATURE, arguments, node, None)
    if name == KL_LOSS:
        return construct(frame, arguments, node)
    if name.startswith("builtins."):
        return call_builtin(frame, name[9:], arguments, node)
    if name == "collections.OrderedDict":
        return call_builtin(frame, "dict", arguments, node)
    if name in TRANSPARENT and arguments.positional:
        return arguments.positional[-1][0]
    if name in PARALLEL and arguments.positional:
        return arguments.positional[0][0]
    path = name if name in CATALOGUE else name[:-1] if name.endswith("_") and name[:-1] in CATALOGUE else None
    if path is not None:
        return operate(frame, CATALOGUE[path], arguments, node, in_place=path != name)
    if name == "functools.partial" and arguments.positional:
        (function, _), *rest = arguments.positional
        keywords = tuple((key, value) for key, (value, _) in arguments.keywords.items())
        return Partial(
            function,
            tuple(value for value, _ in rest),
            keywords,
            open=arguments.open_positional or arguments.open_keywords,
        )
    if name.endswith("checkpoint.checkpoint") and arguments.positional:
        (function, _), *rest = arguments.positional
        return call(frame, function, Arguments(rest, {}), node)
    if name.startswith(("torch.nn.", "torch.distributions.")) and name.rpartition(".")[2][:1].isupper():
        return external(frame, name, arguments, node)
    result = opaque(frame, node)
    if name.startswith("torch.nn.init.") and arguments.positional:
        filled, target = arguments.positional[0]
        mutate(frame, target, filled, result)
    if not name.startswith(("torch.", "numpy.")):
        give_away(frame, arguments, node)
    write_out(frame, arguments, result)
    return result


def external(frame: Frame, name: str, arguments: Arguments, node: ast.Call) -> Value:
    """An object of torch: its arguments are kept until it is called or asked for an attribute."""
    short = name.rpartition(".")[2]
    place = frame.place(node)
    number = frame.machine.fresh(name, node)
    opened = arguments.open_positional or arguments.open_keywords
    if short in ("Sequential", "ModuleList"):
        return module_list(frame, name, arguments, node, number)
    if short == "ModuleDict":
        entries = arguments.get(0, "modules")
        module = External(name, (), place, number, True)
        return from_mapping(module, entries) if isinstance(entries, Mapping) else module
    if short in MODULES:
        signature = parameters(MODULES[short].signature)
    elif name.startswith("torch.distributions."):
        signature = parameters(
            "total_count probs logits"
            if short == "Multinomial"
            else "temperature probs logits"
            if "Relaxed" in short
            else "probs logits"
        )
    else:
        signature = ()
    binding = bound(signature, arguments)
    return External(name, tuple(binding.values.items()), place, number, opened)


def module_list(frame: Frame, name: str, arguments: Arguments, node: ast.Call, number: int) -> Value:
    """nn.Sequential, nn.ModuleList."""
    items: tuple[Value, ...] = tuple(arguments.values)
    opened = arguments.open_positional
    if len(items) == 1 and isinstance(items[0], Sequence):
        opened = items[0].items is None
        items = items[0].items if items[0].items is not None else tuple(v for v in (items[0].element,) if v is not None)
    elif len(items) == 1 and isinstance(items[0], Mapping):
        items = tuple(value for _, value in items[0].entries)
    return External(name, (), frame.place(node), number, opened, items)


def call_external(frame: Frame, module: External, arguments: Arguments, node: ast.Call) -> Value:
    """Calling an object of torch: an nn.Module's forward."""
    own = module.get("forward")
    if own is not None:  # set on the object
        return call(frame, own, arguments, node)
    if module.name == KL_LOSS:
        return kl_call(frame, "module", PAIR_SIGNATURE, arguments, node, module)
    short = module.name.rpartition(".")[2]
    if short == "Sequential" and arguments.positional and not module.open:
        value, source = arguments.positional[0]
        for item in module.items:
            value = call(frame, item, Arguments([(value, source)]), node)
            source = None
        return value
    if short in MODULES and not module.open:
        operation = MODULES[short]
        binding = bound(parameters(operation.call), Arguments(arguments.positional[:3], arguments.keywords))
        values = {
            **binding.values,
            **dict(module.arguments),
            "module": module,
            "module_place": PlaceValue(module.place),
        }
        shown = Operation(f"nn.{short}", "", operation.effect)
        result = apply(frame, shown, values, binding.nodes, (), node)  # type: ignore[arg-type]
        if values.get("inplace") == Constant(True) and "input" in binding.values:
            write_back(frame, binding.nodes.get("input"), binding, shown, result, node)
        return result
    return opaque(frame, node)


def call_bound(frame: Frame, name: str, receiver: Value, arguments: Arguments, node: ast.Call) -> Value:
    """A method of a tensor, a container or an object of torch."""
    func = node.func
    target = func.value if isinstance(func, ast.Attribute) else None
    match receiver:
        case Tensor() | Unknown():
            return tensor_method(frame, name, receiver, arguments, node, target)
        case Sequence():
            outcome = sequence_method(frame, name, receiver, arguments.values)
        case Mapping():
            keywords = {key: value for key, (value, _) in arguments.keywords.items()}
            outcome = mapping_method(frame, name, receiver, arguments.values, keywords)
        case Super():
            return call_super(frame, name.removeprefix("<super>"), receiver, arguments, node)
        case Instance():
            return instance_method(frame, name, receiver, arguments, node, target)
        case External():
            return external_method(frame, name, receiver, arguments, node, target)
        case _:
            return opaque(frame, node)
    if outcome is None:
        return opaque(frame, node)
    result, after = outcome
    if after is not receiver:
        mutate(frame, target, receiver, after)
    return result


def tensor_method(
    frame: Frame, name: str, receiver: Tensor | Unknown, arguments: Arguments, node: ast.Call, target: ast.expr | None
) -> Value:
    """`x.name(...)`."""
    path = method_operation(name)
    assert path is not None
    if name == "size":
        return opaque(frame, node)
    in_place = path != f"T.{name}"
    given = Arguments(
        [(receiver, target), *arguments.positional],
        arguments.keywords,
        arguments.open_positional,
        arguments.open_keywords,
    )
    return operate(frame, CATALOGUE[path], given, node, in_place=in_place, receiver=target)


def instance_method(
    frame: Frame, name: str, receiver: Instance, arguments: Arguments, node: ast.Call, target: ast.expr | None
) -> Value:
    """A method that a class of the program has from nn.Module: `.to()` gives the object back, a buffer is an
    attribute.
    """
    key = arguments.get(0, "name")
    if name in REGISTERING and isinstance(key, Constant) and isinstance(key.value, str):
        value = arguments.get(1, "tensor") or arguments.get(1, "module") or NONE
        mutate(frame, target, receiver, receiver.with_attribute(key.value, value))
        return NONE
    if name in HOOKING:
        mutate(frame, target, receiver, Unknown(frame.machine.opaque(node)))
    return receiver


def external_method(
    frame: Frame, name: str, receiver: External, arguments: Arguments, node: ast.Call, target: ast.expr | None
) -> Value:
    """A method of an nn.Module or a distribution."""
    if name in ("forward", "__call__"):
        return call_external(frame, receiver, arguments, node)
    if name in SELF_RETURNING:
        return receiver
    if name in ("keys", "values", "items", "update", "pop", "clear") and is_module_dict(receiver):
        outcome = mapping_method(frame, name, as_mapping(receiver), arguments.values, {})
        if outcome is None:
            return opaque(frame, node)
        value, held = outcome
        if isinstance(held, Mapping) and name in ("update", "pop", "clear"):
            mutate(frame, target, receiver, from_mapping(receiver, held))
        return value
    if name in ("append", "extend") and receiver.name.endswith(("ModuleList", "Sequential")):
        added, one = (
            (arguments.values, None)
            if name == "append"
            else elements(frame, arguments.get(0, "modules") or NONE, receiver.number)
        )
        more = added if added is not None else [value for value in (one,) if value is not None]
        vague = receiver.open or added is None or bool(frame.loop_levels) or len(receiver.items) >= MOST_ITEMS
        items = (*receiver.items[:MOST_ITEMS], *more)
        longer = replace(receiver, items=gathered(items, frame.machine.numbers) if vague else items, open=vague)
        mutate(frame, target, receiver, longer)
        return longer
    short = receiver.name.rpartition(".")[2]
    number = frame.machine.opaque(node)
    if name in REBUILDING:
        mutate(frame, target, receiver, Unknown(number))
        return Unknown(number)
    if receiver.name.startswith("torch.distributions."):
        return distribution_method(frame, name, short, number, node)
    if receiver.name == "torch.nn.AdaptiveLogSoftmaxWithLoss" and name == "log_prob":
        return Tensor(number, Space.LOG_PROBS, Mass.WHOLE, 1, rank=2)
    return Unknown(number)


def distribution_method(frame: Frame, name: str, short: str, number: int, node: ast.Call) -> Value:
    """What the methods of a torch.distributions object give."""
    match name, short:
        case "log_prob", "Categorical" | "OneHotCategorical" | "Multinomial" | "Bernoulli" | "Binomial":
            return Tensor(number, Space.LOG_PROBS)
        case "sample", "Categorical":
            return Tensor(number, Space.INDICES, gradient=False)
        case (("sample" | "rsample"), "Dirichlet" | "OneHotCategorical" | "RelaxedOneHotCategorical"):
            return Tensor(number, Space.PROBS, Mass.WHOLE, -1, nonnegative=True)
        case _:
            return Unknown(number)


def call_builtin(frame: Frame, name: str, arguments: Arguments, node: ast.Call) -> Value:
    """A builtin function."""
    if name == "super":
        return super_of(frame, arguments)
    if name == "staticmethod" and arguments.positional:
        return arguments.values[0]
    if name == "setattr" and len(arguments.positional) == 3:
        (_, owner), (key, _), (value, _) = arguments.positional
        if owner is not None and isinstance(key, Constant) and isinstance(key.value, str):
            target = ast.copy_location(ast.Attribute(owner, key.value, ast.Store()), node)
            store(frame, target, value)
        return NONE
    if name == "getattr" and len(arguments.positional) >= 2:
        base, attribute_name = arguments.values[:2]
        if isinstance(attribute_name, Constant) and isinstance(attribute_name.value, str):
            literal = attribute_name.value
            return lift(frame, lambda one: attribute(frame, one, literal, node), base)
        return opaque(frame, node)
    if name in ("isinstance", "hasattr", "type") and arguments.positional:
        asked, *others = arguments.values
        return lift(frame, lambda one: builtin(frame, name, [one, *others], {}, node), asked)
    if name in ("map", "filter") and len(arguments.positional) == 2:
        return mapped(frame, name, arguments, node)
    return builtin(frame, name, arguments.values, {key: value for key, (value, _) in arguments.keywords.items()}, node)


def mapped(frame: Frame, name: str, arguments: Arguments, node: ast.Call) -> Value:
    """map(f, xs)."""
    (function, _), (values, _) = arguments.positional
    if name == "filter":
        return values

    def of(value: Value) -> Value:
        frame.machine.epoch += 1  # what is called for one item gives something else for the next
        return call(frame, function, Arguments([(value, None)]), node)

    number = frame.machine.fresh("map", node)
    match values:
        case Sequence(items=tuple(items)):
            return Sequence(tuple(of(value) for value in items), number=number)
        case Sequence(element=element):
            return Sequence(None, of(element or NONE), number=number)
        case _:
            return Sequence(None, of(Unknown(frame.machine.opaque(node))), number=number)


def super_of(frame: Frame, arguments: Arguments) -> Value:
    """`super()` and `super(C, self)`."""
    inside: Frame | None = frame
    while inside is not None and inside.owner is None:
        inside = inside.parent
    owner = arguments.positional[0][0] if arguments.positional else inside.owner if inside else None
    receiver = frame.lookup(inside.receiver) if inside is not None and inside.receiver else None
    if isinstance(owner, Class) and receiver is not None:
        return Super(owner, receiver)
    return Unknown(frame.machine.numbers.of("super"))


def call_super(frame: Frame, name: str, base: Super, arguments: Arguments, node: ast.Call) -> Value:
    """`super().name(...)` where the class behind is torch's own."""
    if name == "__init__" and is_row(base.cls) and isinstance(base.receiver, Instance):
        layers = external(frame, SEQUENTIAL, arguments, node)
        frame.replace_object(base.receiver, base.receiver.with_attribute("<torch>", layers))
        return NONE
    if not is_kl_loss(base.cls):
        return opaque(frame, node) if name != "__init__" else NONE
    if name == "__init__":
        own = isinstance(base.receiver, Instance) and is_loss_of_its_own(base.receiver.cls)
        loss = construct(frame, arguments, node, kept=not own)
        if isinstance(base.receiver, Instance):
            changed = base.receiver.with_attribute("<torch>", loss)
            frame.replace_object(base.receiver, changed)
        return NONE
    if name in ("forward", "__call__"):
        return call(frame, kl_loss_of(frame, base.receiver), arguments, node)
    return opaque(frame, node)


def kl_loss_of(frame: Frame, receiver: Value) -> Value:
    """The KLDivLoss that an object of a subclass is."""
    if isinstance(receiver, Instance):
        loss = receiver.get("<torch>")
        if loss is not None:
            return loss
        found = find_member(receiver.cls, "__init__")
        if found is not None and isinstance(found[0], Function) and receiver.entered:
            after = frame.machine.standalone(found[0], replace(receiver, attributes=()))
            loss = after.get("<torch>") if isinstance(after, Instance) else None
            if loss is not None:
                return loss
        return External(KL_LOSS, (), frame.place(receiver.cls.node), receiver.number, open=True)
    return Unknown(frame.machine.numbers.of("loss"))


# --- the program's own -----------------------------------------------------------------------------------------------


def call_function(
    frame: Frame, function: Function, arguments: Arguments, node: ast.AST, receiver: Value | None = None
) -> Value:
    """A function of the program, with these arguments."""
    variables = bind_function(frame, function, arguments, receiver)
    if variables is None or not function.transparent:
        return opaque(frame, node)
    result = frame.machine.run(function, variables, frame, node)
    changed, frame.machine.last_changed = frame.machine.last_changed, ()
    if changed:
        names = [parameter.arg for parameter in (*function.node.args.posonlyargs, *function.node.args.args)]
        places = dict(zip(names[receiver is not None :], (place for _, place in arguments.positional), strict=False))
        places |= {name: place for name, (_, place) in arguments.keywords.items()}
        after, frame.machine.last_receiver = frame.machine.last_receiver, None
        for name, value in changed:
            mutate(frame, places.get(name), variables[name], value)
        frame.machine.last_receiver = after
    return result


def call_method(
    frame: Frame,
    function: Function,
    receiver: Value,
    arguments: Arguments,
    node: ast.Call,
    place: ast.expr | None = None,
) -> Value:
    """A method: what it changes of its receiver is given back to where the receiver came from (`place`, where it is
    an argument).
    """
    result = call_function(frame, function, arguments, node, receiver)
    after = frame.machine.last_receiver
    frame.machine.last_receiver = None
    target = place if place is not None or not isinstance(node.func, ast.Attribute) else node.func.value
    if after is not None and after is not receiver and isinstance(receiver, Instance) and target is not None:
        if isinstance(target, ast.Call):
            frame.replace_object(receiver, after)
        else:
            mutate(frame, target, receiver, after)
    return result


def call_instance(frame: Frame, receiver: Instance, arguments: Arguments, node: ast.Call) -> Value:
    """Calling an object: `__call__`, or an nn.Module's forward: one set on the object goes before that of its class."""
    own = receiver.get("forward")
    if own is not None and torch_base(receiver.cls) is not None:
        return call(frame, own, arguments, node)
    for name in ("__call__", "forward"):
        found = find_member(receiver.cls, name)
        if found is not None and isinstance(found[0], Function):
            return call_function(frame, found[0], arguments, node, receiver)
    if is_kl_loss(receiver.cls):
        return call(frame, kl_loss_of(frame, receiver), arguments, node)
    layers = row_of_layers(frame, receiver)
    return call(frame, layers, arguments, node) if layers is not None else opaque(frame, node)


SEQUENTIAL = "torch.nn.Sequential"


def is_row(cls: Class) -> bool:
    """Whether a class of the program is a kind of nn.Sequential."""
    return torch_base(cls) == SEQUENTIAL


def row_of_layers(frame: Frame, receiver: Instance) -> External | None:
    """The layers that an object of such a class was built with, where it has been given no others since."""
    if not is_row(receiver.cls):
        return None
    layers = built_attribute(frame, receiver, "<torch>") or receiver.get("<torch>")
    built = frame.machine.built.get(receiver.number, receiver)
    given = {name for one in (built, receiver) if isinstance(one, Instance) for name, _ in one.attributes}
    return layers if isinstance(layers, External) and layers.items and given <= {"<torch>"} else None


def instantiate(frame: Frame, cls: Class, arguments: Arguments, node: ast.Call) -> Value:
    """An object of a class of the program."""
    instance = Instance(cls, number=frame.machine.opaque(node))
    found = find_member(cls, "__init__")
    if found is not None and isinstance(found[0], Function):
        initializer = found[0]
        variables = bind_function(frame, initializer, arguments, instance)
        if variables is None:
            return replace(instance, entered=True)

        def build() -> Value:
            frame.machine.handed.pop(instance.number, None)
            return frame.machine.receiver_after(initializer, variables, frame, node, instance)

        handed = any(computes(value, frame.machine.relevant) for value in variables.values())
        if handed or is_kl_loss(cls):
            return build()
        frame.machine.pending[instance.number] = build
        frame.machine.handed[instance.number] = variables
        return instance
    if is_kl_loss(cls):
        return instance.with_attribute("<torch>", construct(frame, arguments, node, kept=not is_loss_of_its_own(cls)))
    made = with_fields(frame, instance, annotated_fields(cls), arguments)
    found = find_member(cls, "__post_init__")
    if found is None or not isinstance(found[0], Function):
        return made
    receiver = bind_function(frame, found[0], Arguments(), made)
    if receiver is None:
        return replace(instance, entered=True)
    return frame.machine.receiver_after(found[0], receiver, frame, node, made)


def annotated_fields(cls: Class) -> tuple[str, ...]:
    """The fields of a dataclass or NamedTuple, in order: those of its bases first."""
    nodes = [present.node for present in reversed(lineage(cls))]
    declared = (
        stmt.target.id
        for node in nodes
        for stmt in node.body
        if isinstance(stmt, ast.AnnAssign) and isinstance(stmt.target, ast.Name)
    )
    return tuple(dict.fromkeys(declared))


def with_fields(frame: Frame, instance: Instance, names: tuple[str, ...], arguments: Arguments) -> Instance:
    """An object with its fields set from the arguments, or to their defaults: a `*` or `**` may set any of them."""
    opened = arguments.open_positional or arguments.open_keywords
    given = dict(zip(names, arguments.values, strict=False)) | {
        name: value for name, (value, _) in arguments.keywords.items()
    }
    for name in names:
        default = find_member(instance.cls, name)
        value = given.get(name) or (default[0] if default is not None else None)
        if name not in given and opened:
            value = Unknown(frame.machine.numbers.of("field", instance.number, (name,)))
        if value is not None:
            instance = instance.with_attribute(name, value)
    return instance
