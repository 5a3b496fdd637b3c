"""Attributes and classes: what `a.b` is, where methods are found, and what the rest of a class sets."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.attributes import REGISTERING, WrittenAttributes, attributes_written
from kl_lint.flow.frame import Frame, OutOfReach
from kl_lint.flow.lattice import begun, choose, flattened, join
from kl_lint.flow.state import holds_tensors, of_any_call, unsettled_attribute, unsettled_member
from kl_lint.flow.syntax import nodes_of
from kl_lint.flow.torch_ops import CATALOGUE
from kl_lint.flow.transfer.call import Call
from kl_lint.flow.transfer.normalizing import normalize, sigmoid
from kl_lint.flow.transfer.shaping import exchanged
from kl_lint.flow.values import (
    NONE,
    NO_GUARDS,
    Bound,
    Class,
    Constant,
    External,
    Form,
    Function,
    Guards,
    Instance,
    Mapping,
    Sequence,
    Space,
    Super,
    Symbol,
    Tensor,
    Unknown,
    Value,
    number_of,
    options_of,
)

__all__ = ["attribute", "canonical", "find_member", "is_kl_loss", "lineage", "overlay_key", "torch_base"]

KL_LOSS = "torch.nn.KLDivLoss"
WRAPPED = "module"
"""Where DataParallel and its kin, which are seen through, have what they were given."""
LOOKED_UP = frozenset({"reduction", "log_target"})
"""What a KLDivLoss looks up when it is called."""
MOVED = {
    "torch.nn.modules.loss.": "torch.nn.",
    "torch.nn.modules.activation.": "torch.nn.",
    "torch.nn.modules.linear.": "torch.nn.",
    "torch.nn.modules.container.": "torch.nn.",
    "torch.nn.modules.module.": "torch.nn.",
    "torch.nn.modules.": "torch.nn.",
    "torch.distributions.categorical.": "torch.distributions.",
    "torch.distributions.bernoulli.": "torch.distributions.",
    "torch.distributions.one_hot_categorical.": "torch.distributions.",
}
CHANGEABLE = (Constant, Mapping, Sequence, Tensor)
"""The values of which it matters that a method makes something else of them."""
CONSTANTS = {"math.inf": float("inf"), "numpy.inf": float("inf"), "torch.inf": float("inf"), "numpy.Inf": float("inf")}


def canonical(name: str) -> str:
    """The public name of a class that torch also keeps elsewhere."""
    for long, short in MOVED.items():
        if name.startswith(long) and name[len(long) :][:1].isupper():
            return short + name[len(long) :]
    return name


def overlay_key(base: Value, name: object, frame: Frame) -> str:
    """The variable that stands for an attribute or item written on an object that cannot be seen into."""
    return f"{number_of(base, frame.machine.numbers)}.{name!r}"


def attribute(frame: Frame, base: Value, name: str, node: ast.AST) -> Value:
    """The value of `base.name`, for a base that is not a Choice."""
    match base:
        case Symbol() if base.name.startswith(("file:", "folder:")):
            written = frame.lookup(f"{base.name}.{name}")
            if written is not None:
                return written
            modules = frame.machine.modules
            found = modules.member(base.name, name) if modules is not None and "::" not in base.name else None
            member = found if found is not None else Symbol(f"{base.name}.{name}")
            return unsettled_member(frame, base.name, name, member)
        case Symbol() if name == "__name__" and base.name.startswith("torch."):
            return Constant(base.name.rpartition(".")[2])
        case Symbol():
            full = canonical(f"{base.name}.{name}")
            patched = frame.lookup(full)
            if patched is not None:
                return patched
            return Constant(CONSTANTS[full]) if full in CONSTANTS else Symbol(full)
        case Tensor() | Unknown():
            return tensor_attribute(frame, base, name, node)
        case Instance():
            value = unsettled_attribute(frame, base, name, instance_attribute(frame, base, name, node), rebound)
            if holds_tensors(value) and frame.kind == "function" and writers(base.cls, name)[1]:
                return of_any_call(value, frame, base.number, name)
            return value
        case External():
            return external_attribute(frame, base, name, node)
        case Sequence() if name in base.names and base.items is not None:
            return base.items[base.names.index(name)]
        case Sequence() | Mapping() | Constant():
            return Bound(name, base)
        case Class():
            return unsettled_member(frame, base, name, class_attribute(frame, base, name))
        case Super():
            return super_attribute(frame, base, name)
        case _:
            return Unknown(
                frame.machine.numbers.of("attribute", number_of(base, frame.machine.numbers), (name,), volatile=True)
            )


def tensor_attribute(frame: Frame, base: Tensor | Unknown, name: str, node: ast.AST) -> Value:
    """An attribute of a tensor, or of a value that may be one."""
    written = frame.lookup(overlay_key(base, name, frame))
    if written is not None:
        return written
    numbers = frame.machine.numbers
    match name:
        case "data":
            return (
                replace(base, gradient=False)
                if isinstance(base, Tensor)
                else Tensor(base.number, gradient=False, form=base.form)
            )
        case "shape":
            return Unknown(numbers.of("shape", base.number), Form("shape", base))
        case "T" | "mT" if isinstance(base, Tensor) or name == "T":
            given = base if isinstance(base, Tensor) else Tensor(base.number, form=base.form)
            dims = (0, 1) if name == "T" else (-2, -1)
            if name == "T" and given.rank is None and given.dim is not None:
                given = replace(given, rank=2)
            return exchanged(given, *dims, numbers.of(name, base.number))
        case _:
            pass
    if method_operation(name) is not None:
        return Bound(name, base)
    return Unknown(numbers.of("attribute", base.number, (name,), volatile=True))


def method_operation(name: str) -> str | None:
    """The catalogue path of a tensor method, in place or not; None where there is none."""
    path = f"T.{name}"
    if path in CATALOGUE:
        return path
    if name.endswith("_") and not name.endswith("__") and path[:-1] in CATALOGUE:
        return path[:-1]
    return None


# --- classes of the program ------------------------------------------------------------------------------------------


def lineage(cls: Class) -> tuple[Class, ...]:
    """The class and its bases that are classes of the program, nearest first (depth first; cycles and very deep ones
    cut).
    """
    found: list[Class] = []
    waiting = [cls]
    while waiting and len(found) < 20:
        present = waiting.pop(0)
        if present not in found:
            found.append(present)
            waiting = [b for b in present.bases if isinstance(b, Class)] + waiting
    return tuple(found)


def torch_base(cls: Class) -> str | None:
    """The torch class at the root of a class of the program."""
    for present in lineage(cls):
        for base in present.bases:
            if isinstance(base, Symbol) and base.name not in ("object",):
                return base.name
    return None


def is_kl_loss(cls: Class) -> bool:
    """Whether a class of the program is a kind of KLDivLoss."""
    return any(isinstance(base, Symbol) and base.name == KL_LOSS for present in lineage(cls) for base in present.bases)


def is_loss_of_its_own(cls: Class) -> bool:
    """Whether a kind of KLDivLoss computes something else: it has a `forward` that calls no other."""
    found = find_member(cls, "forward")
    if found is None or not isinstance(found[0], Function):
        return False
    nodes = nodes_of(found[0].node)
    return not any(isinstance(node, ast.Attribute) and node.attr in ("forward", "__call__") for node in nodes)


def is_open(cls: Class) -> bool:
    """Whether a class has methods that are not read: of a file of the project that makes no tensors, yet may keep them
    where the class has a placeholder.
    """
    bases = [base for present in lineage(cls) for base in present.bases if not isinstance(base, Class)]
    return any(not isinstance(base, Symbol) or base.name.startswith("file:") for base in bases)


def find_member(cls: Class, name: str) -> tuple[Value, Class] | None:
    """A member of a class, found along its lineage."""
    for present in lineage(cls):
        member = present.members.get(name)
        if member is not None:
            return member, present
    return None


def bind(frame: Frame, member: Value, receiver: Value, node: ast.AST) -> Value:
    """A member as it is seen through an object: a method bound, a property computed."""
    if not isinstance(member, Function):
        return member
    match member.kind:
        case "static":
            return member
        case "property":
            return frame.machine.run(member, {receiver_name(member): receiver}, frame, node)
        case "class" if isinstance(receiver, Instance):
            return Bound(member, receiver.cls)
        case _:
            return Bound(member, receiver)


def receiver_name(function: Function) -> str:
    """The name of a method's first parameter."""
    arguments = function.node.args
    parameters = [*arguments.posonlyargs, *arguments.args]
    return parameters[0].arg if parameters else "self"


def instance_attribute(frame: Frame, base: Instance, name: str, node: ast.AST) -> Value:
    """An attribute of an object: set on it, a member of its class, or set by the rest of its class."""
    value = base.get(name)
    if value is None:
        value = built_attribute(frame, base, name)
    if value is not None:
        return value
    found = find_member(base.cls, name)
    if found is not None:
        member, _ = found
        if member == NONE and is_open(base.cls):
            return Unknown(frame.machine.numbers.of("placeholder", base.number, (name,), volatile=True))
        plain = isinstance(member, Function) and name not in names_set(base.cls)
        elsewhere = set_elsewhere(frame, base.cls, name) if base.entered and not plain else None
        bound = bind(frame, member, base, node)
        return (
            bound if elsewhere is None else choose(((NO_GUARDS, bound), (NO_GUARDS, elsewhere)), frame.machine.numbers)
        )
    elsewhere = set_elsewhere(frame, base.cls, name)
    if elsewhere is not None:
        return elsewhere
    inherited = base.get("<torch>")
    if isinstance(inherited, External):
        return external_attribute(frame, inherited, name, node)
    if torch_base(base.cls) is not None and name in SELF_RETURNING | REGISTERING | HOOKING:
        return Bound(name, base)
    if torch_base(base.cls) == "torch.nn.Module" and name == WRAPPED and not base.entered:
        return base
    return Unknown(frame.machine.numbers.of("attribute", base.number, (name,), volatile=True))


def built_attribute(frame: Frame, base: Instance, name: str) -> Value | None:
    """An attribute that `__init__` sets. It is interpreted when one is first asked for."""
    machine = frame.machine
    build = machine.pending.pop(base.number, None)
    if build is not None:
        after = build()
        machine.built[base.number] = after
    after = machine.built.get(base.number, NONE)
    return after.get(name) if isinstance(after, Instance) else None


def set_elsewhere(frame: Frame, cls: Class, name: str) -> Value | None:
    """What the methods of a class (and of its bases) leave in `self.name`, each entered with nothing known. None:
    none sets it.
    """
    machine = frame.machine
    key = (cls, name)
    if key not in machine.attributes:
        machine.attributes[key] = NONE
        machine.settling.add(key)
        try:
            left_by_all(frame, cls, name)
        except OutOfReach:
            del machine.attributes[key]  # not all of it was found out
            raise
        finally:
            machine.settling.remove(key)
            if not machine.settling:
                machine.preliminary.clear()
    elif key in machine.settling:
        machine.preliminary.append((key, machine.attributes[key]))
    return machine.attributes[key] if machine.attributes[key] is not NONE else None


def left_by_all(frame: Frame, cls: Class, name: str) -> None:
    """Find out what the methods leave in `self.name`, from one to the next: of what is known, the next makes more.

    Where one makes it of what it was, that may happen any number of times: no alternatives are told apart then.
    """
    machine = frame.machine
    options: list[tuple[Guards, Value]] = []
    setters, changers = writers(cls, name)
    for method in setters:
        options += left_in(frame, cls, name, method)
        if options:
            machine.attributes[cls, name] = choose(without_none(options), machine.numbers)
    if changers and any(isinstance(value, CHANGEABLE) for _, value in options):
        options = without_none(options)
        for method in changers:
            options += left_in(frame, cls, name, method) if method not in setters else []
            options = [(NO_GUARDS, join([value for _, value in begun(options)], machine.numbers))]
            machine.attributes[cls, name] = options[0][1]


def without_none(options: list[tuple[Guards, Value]]) -> list[tuple[Guards, Value]]:
    """Without the None that stands for what is not there yet."""
    flat = flattened(options)
    return [option for option in flat if option[1] != NONE] or flat


def left_in(frame: Frame, cls: Class, name: str, method: Function) -> list[tuple[Guards, Value]]:
    """What a method leaves in `self.name`: at most one value."""
    numbers = frame.machine.numbers
    receiver = Instance(cls, entered=True, number=numbers.of("self", (id(cls.node),)))
    after = frame.machine.left_by(method, receiver)
    if after is None:
        after = receiver.with_attribute(name, Unknown(numbers.of("unfollowed", (id(cls.node), name))))
    value = after.get(name) if isinstance(after, Instance) else None
    if value is None:
        return []
    for _, option in options_of(value):
        if isinstance(option, Instance):
            frame.machine.shared.add(option.number)
    return [(NO_GUARDS, of_any_call(value, frame, id(method.node)))]


def rebound(cls: Class, name: str) -> bool:
    """Whether a method of a class other than `__init__` writes `self.name`."""
    setters, changers = writers(cls, name)
    return bool(changers) or any(getattr(setter.node, "name", "") != "__init__" for setter in setters)


def writers(cls: Class, name: str) -> tuple[list[Function], list[Function]]:
    """The methods that bind `self.name`, `__init__` first (the one that an object runs), the nearest class first; and
    those but `__init__` that make it of what it was.
    """
    setters: list[Function] = []
    changers: list[Function] = []
    for present in lineage(cls):
        for key, member in present.members.items():
            if not isinstance(member, Function) or member.kind != "function":
                continue
            written = attributes_of(member)
            if name not in written.bound and name not in written.changed:
                continue
            run = find_member(cls, key) if key == "__init__" else None
            method = run[0] if run is not None and isinstance(run[0], Function) else member
            if name in written.bound and method not in setters:
                setters.append(method)
            if name in written.changed and key != "__init__" and method not in changers:
                changers.append(method)
    return sorted(setters, key=lambda function: getattr(function.node, "name", "") != "__init__"), changers


def names_set(cls: Class) -> frozenset[str]:
    """The attributes that the methods of a class, and of its bases, set."""
    cache = cls.frame.machine.set_names
    known = cache.get(cls.node)
    if known is None:
        methods = [member for present in lineage(cls) for member in present.members.values()]
        found = (attributes_of(one).bound for one in methods if isinstance(one, Function) and one.kind == "function")
        known = cache[cls.node] = frozenset().union(*found)
    return known


def attributes_of(function: Function) -> WrittenAttributes:
    """The attributes of `self` that a method writes."""
    cache = function.frame.machine.written
    known = cache.get(function.node)
    if known is None:
        known = cache[function.node] = attributes_written(function.node, receiver_name(function))
    return known


def class_attribute(frame: Frame, base: Class, name: str) -> Value:
    """A member of a class, seen through the class."""
    found = find_member(base, name)
    if found is None:
        return Unknown(frame.machine.numbers.of("attribute", number_of(base, frame.machine.numbers), (name,)))
    member, _ = found
    if isinstance(member, Function) and member.kind == "class":
        return Bound(member, base)
    return member


def super_attribute(frame: Frame, base: Super, name: str) -> Value:
    """`super().name`: looked up behind the class; KLDivLoss itself stands behind its subclasses."""
    for parent in lineage(base.cls)[1:]:
        if name in parent.members:
            member = parent.members[name]
            return Bound(member, base.receiver) if isinstance(member, Function) and member.kind != "static" else member
    root = torch_base(base.cls)
    if root is not None:
        return Bound(f"<super>{name}", base)
    return Unknown(frame.machine.numbers.of("super", (name,)))


# --- objects of torch ------------------------------------------------------------------------------------------------

HOOKING = frozenset({"register_forward_hook", "register_forward_pre_hook"})
"""The methods of a module after which calling it may give something else."""
SELF_RETURNING = frozenset(
    {
        "to",
        "cuda",
        "cpu",
        "eval",
        "train",
        "double",
        "float",
        "half",
        "bfloat16",
        "type",
        "requires_grad_",
        "apply",
        "xpu",
        "share_memory",
    }
)
CATEGORICAL = frozenset(
    {"Categorical", "OneHotCategorical", "RelaxedOneHotCategorical", "Multinomial", "OneHotCategoricalStraightThrough"}
)


def class_of(value: Value) -> Symbol | None:
    """The class of an object of torch; None where it may be one that derives from it."""
    return Symbol(value.name) if isinstance(value, External) and not value.open else None


def same_class(one: Symbol, other: Symbol) -> bool | None:
    """Whether two names of torch stand for one class; None where both may, as torch has some under several names."""
    if one == other:
        return True
    return False if KL_LOSS in (one.name, other.name) else None


def external_attribute(frame: Frame, base: External, name: str, node: ast.AST) -> Value:
    """An attribute of a torch object: a distribution's parameters, a module's settings, a method."""
    short = base.name.rpartition(".")[2]
    if base.name.startswith("torch.distributions") and name in ("probs", "logits"):
        return distribution_parameter(frame, base, short, name, node)
    value = base.get(name)
    if value is not None:
        return value
    if name == WRAPPED and base.name.startswith("torch.nn.") and not base.open:
        return base
    if name == "__class__" and (cls := class_of(base)) is not None:
        return cls
    if base.name == KL_LOSS and name in LOOKED_UP:
        if base.open:
            return Unknown(frame.machine.numbers.of("attribute", base.number, (name,)))
        return Constant("mean" if name == "reduction" else False)
    return Bound(name, base)


def distribution_parameter(frame: Frame, base: External, short: str, name: str, node: ast.AST) -> Value:
    """`.probs` and `.logits` of a distribution: Categorical normalises both, Bernoulli neither."""
    given = base.get("logits")
    space = Space.PROBS if name == "probs" else Space.LOG_PROBS
    if short in CATEGORICAL:
        parent = base.place.node
        nodes = {"input": keyword} if (keyword := argument_node(parent, "logits")) is not None else {}
        operand = given if given is not None else Unknown(frame.machine.numbers.of("scores", base.number))
        return normalize(space)(Call(frame, node, f"{short}.{name}", {"input": operand, "dim": Constant(-1)}, nodes))
    if short == "Bernoulli":
        if name == "logits":
            return Tensor(frame.machine.numbers.of("log-odds", base.number), Space.LOGITS)
        return sigmoid(Space.PROBS)(Call(frame, node, "Bernoulli.probs", {"input": given or Unknown(base.number)}, {}))
    return Unknown(frame.machine.numbers.of("attribute", base.number, (name,)))


def argument_node(node: ast.AST, name: str) -> ast.expr | None:
    """The expression given by keyword in a call."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == name:
                return keyword.value
    return None
