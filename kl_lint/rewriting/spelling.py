"""How a module spells a torch function or class, where a call names it barely.

`softmax(x)` cannot become `log_softmax(x)` unless the module knows that name. Only imports are trusted: at module
level, before the call, of a name that nothing else in the file binds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kl_lint.rewriting.call_plan import Method
from kl_lint.rewriting.refusal import Refused

__all__ = ["respell"]

_FUNCTION_HOMES = frozenset({"torch", "torch.nn.functional", "torch.special"})
_CLASS_HOMES = frozenset({"torch.nn", "torch.nn.modules", "torch.nn.modules.activation"})
_MODULES = {"torch": ".nn", "torch.nn": "", "torch.nn.modules": ""}
"""Modules whose name leads to the classes of `torch.nn`, and the rest of the way."""

_WITH_DIM = frozenset({"softmax", "log_softmax"})
_PARAMETERS = {
    "torch.nn.functional": ("input", "dim", "_stacklevel", "dtype"),
    "torch": ("input", "dim", "dtype"),
}
"""The positional parameters of softmax and log_softmax in torch 2.13, by home; elsewhere only two are sure."""


def respell(tree: ast.Module, called: str, row: int, name: str) -> str | Method:
    """What to call instead of the bare name `called` on `row`, or of no name, so that torch's `name` is meant.

    A dotted name where the module has one for it; else, for a function, the method of that name. Raises Refused for a
    class that cannot be named.
    """
    names = _Names(tree)
    function, home = names.origin(called)
    is_class = name[:1].isupper()
    # positional parameters differ from home to home: the one that the function came from is the one to look in
    homes = _CLASS_HOMES if is_class else _FUNCTION_HOMES & {home}
    spelled = names.direct(name, homes, row) or names.starred(called, name, row)
    if spelled is None and is_class:
        spelled = names.through_module(name, row)
    if spelled is not None:
        return spelled
    if is_class:
        raise Refused(f"{name} is not imported here")
    with_dim = name in _WITH_DIM and (function in _WITH_DIM or not home)
    parameters = _PARAMETERS.get(home, ("input", "dim")) if with_dim else ("input",)
    return Method(name, parameters, needs_dim=name in _WITH_DIM)


class _Names:
    """What binds the names of a module: imports, by name, and everything else."""

    __slots__ = ("_imports", "_others", "_tree")

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._imports: dict[str, set[str]] = {}
        self._others: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for bound, origin in _bindings(node):
                    self._imports.setdefault(bound, set()).add(origin)
            else:
                self._others.update(_bound(node))

    def direct(self, name: str, homes: frozenset[str], row: int) -> str | None:
        """The name under which `name` itself is imported from one of `homes`."""
        origins = {f"{home}.{name}" for home in homes}
        for bound, origin in self._early(row):
            if origin in origins and self._trusted(bound, origin):
                return bound
        return None

    def starred(self, called: str, name: str, row: int) -> str | None:
        """`name`, where one star import brings both it and `called`, and nothing else binds either."""
        homes = _CLASS_HOMES | _FUNCTION_HOMES
        stars = [origin for bound, origin in self._early(row) if bound == "*"]
        known = self._imports.keys() | self._others
        only_one = len(stars) == 1 and self._imports["*"] == set(stars)
        return name if called and only_one and stars[0] in homes and not {called, name} & known else None

    def through_module(self, name: str, row: int) -> str | None:
        """`nn.LogSoftmax`, where `nn` is an imported module that has the class."""
        for bound, origin in self._early(row):
            if origin in _MODULES and self._trusted(bound, origin):
                return f"{bound}{_MODULES[origin]}.{name}"
        return None

    def origin(self, bound: str) -> tuple[str, str]:
        """The name and the home of what `bound` was imported as; `bound` itself and no home where that is not sure."""
        origins = self._imports.get(bound, set())
        if len(origins) == 1:
            home, _, name = next(iter(origins)).rpartition(".")
            return name, home
        return bound, ""

    def _early(self, row: int) -> Iterator[tuple[str, str]]:
        for statement in self._tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom) and statement.lineno < row:
                yield from _bindings(statement)

    def _trusted(self, bound: str, origin: str) -> bool:
        return self._imports[bound] == {origin} and bound not in self._others


def _bindings(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, and what each stands for; `*` stands for the module."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        case ast.ImportFrom(module=module, names=names, level=level):
            home = "." * level + (module or "")
            for alias in names:
                yield ("*", home) if alias.name == "*" else (alias.asname or alias.name, f"{home}.{alias.name}")


def _bound(node: ast.AST) -> tuple[str, ...]:
    """The names that a node binds by other means than an import."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
        case _:
            return ()
