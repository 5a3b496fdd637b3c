"""`def`, and what decorators do to what they stand before."""

from __future__ import annotations

import ast
from dataclasses import replace

from kl_lint.flow.expressions import evaluate, function_value
from kl_lint.flow.frame import Frame
from kl_lint.flow.values import Class, Function, Symbol

__all__ = ["NO_GRAD", "function_definition", "register"]

NO_GRAD = frozenset({"torch.no_grad", "torch.inference_mode", "torch.autograd.no_grad"})

TRANSPARENT_DECORATORS = frozenset(
    {
        "functools.wraps",
        "functools.lru_cache",
        "functools.cache",
        "torch.jit.script",
        "torch.jit.export",
        "torch.jit.ignore",
        "torch.compile",
        "torch.jit.unused",
        "torch.compiler.disable",
        "typing.override",
        "typing_extensions.override",
        "typing.final",
        "abc.abstractmethod",
        "torch.enable_grad",
        "typing.no_type_check",
        "torch.cuda.amp.custom_fwd",
        "torch.amp.custom_fwd",
        "torch.jit.script_method",
    }
)


def function_definition(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """`def`: a value; transparent decorators are seen through."""
    kind, transparent, no_grad = "function", True, False
    if frame.kind == "class" and node.name in ("__new__", "__init_subclass__", "__class_getitem__"):
        kind = "static"
    name = node.name
    for decorator in node.decorator_list:
        match decorator:
            case ast.Attribute(value=ast.Name(id=node.name), attr="setter" | "deleter" as accessor):
                name = f"{node.name}.{accessor}"  # beside the property, in whose place it does not stand
                continue
            case _:
                effect = decorator_effect(frame, decorator)
        match effect:
            case "static" | "class" | "property":
                kind = effect
            case "no_grad":
                no_grad = True
            case "opaque":
                transparent = False
            case _:
                pass
    owner = frame.owner if frame.kind == "class" else None
    function = function_value(frame, node, owner=owner, kind=kind, transparent=transparent, no_grad=no_grad)
    if not transparent:
        register(frame, node, replace(function, transparent=True))
    frame.set(name, function)


def decorator_effect(frame: Frame, decorator: ast.expr) -> str:
    """What a decorator does to a function: nothing, a kind of method, or something that cannot be read."""
    callee = decorator.func if isinstance(decorator, ast.Call) else decorator
    match callee:
        case ast.Name(id="staticmethod"):
            return "static"
        case ast.Name(id="classmethod"):
            return "class"
        case (
            ast.Name(id="property" | "cached_property")
            | ast.Attribute(attr="cached_property" | "abstractproperty" | "lazy_property")
        ):
            return "property"
        case ast.Attribute(attr="setter" | "deleter" | "getter"):
            return "opaque"
        case _:
            pass
    value = evaluate(frame, callee)
    if isinstance(value, Symbol):
        if value.name in NO_GRAD:
            return "no_grad"
        if value.name in TRANSPARENT_DECORATORS:
            return "transparent"
    return "opaque"


def register(
    frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, definition: Function | Class
) -> None:
    """A registering decorator with a literal key is interpreted, so that `REGISTRY["kl"]` is what it stands before."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.args and isinstance(decorator.args[0], ast.Constant):
            registering = evaluate(frame, decorator)
            if isinstance(registering, Function) and registering.node.args.args:
                parameter = registering.node.args.args[0].arg
                frame.machine.run(registering, {parameter: definition}, frame, decorator)
