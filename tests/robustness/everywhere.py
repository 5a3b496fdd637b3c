"""KL divergences where there were none: texts that the search would pass over, made into texts that are analysed."""

from __future__ import annotations

import ast
import warnings

__all__ = ["CALL", "with_calls_everywhere"]

CALL = """
import torch.nn.functional as F


def _divergence_of_a_test(x, y):
    return F.kl_div(F.softmax(x, dim=1), F.softmax(y, dim=1), log_target=True)
"""
"""What may stand at the end of any file; KLD101, KLD201 and more."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def with_calls_everywhere(text: str) -> str | None:
    """`text` with a KL divergence of what it has at hand at the end of every function and before what each returns.

    Nothing in a function is then beside the point. None where `text` is not Python, or cannot be written anew.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            _Everywhere().visit(tree)
            changed = ast.unparse(ast.fix_missing_locations(tree))
            ast.parse(changed)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return f"{changed}\n{CALL}"


class _Everywhere(ast.NodeTransformer):
    def __init__(self) -> None:
        self._names = ["x", "y"]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._with_calls(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._with_calls(node)

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        return [self._call(), node]

    def _with_calls(self, node: Definition) -> ast.AST:
        outer, self._names = self._names, _names(node)
        self.generic_visit(node)
        node.body.append(self._call())
        self._names = outer
        return node

    def _call(self) -> ast.stmt:
        first, last = self._names[0], self._names[-1]
        return ast.parse(f"loss = F.kl_div(F.log_softmax({first}, 1), {last}, reduction='none').mean()").body[0]


def _names(node: Definition) -> list[str]:
    """The names that a function binds, in order; `self` and its like only where there are no others."""
    parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    stored = [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    every = list(dict.fromkeys([*parameters, *stored]))
    return [name for name in every if name not in ("self", "cls", "_")] or every or ["x"]
