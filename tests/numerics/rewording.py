"""The same program with more around it: code that does nothing, and a helper that does the work."""

from __future__ import annotations

import ast
from textwrap import indent

__all__ = ["in_a_helper", "with_dead_code"]

IDLE = """\
idle_number, idle_text = 1, "idle"
if idle_number > 1:
    idle_text = str(idle_number)
for idle_number in ():
    idle_text = None
"""
UNUSED = "\n\ndef idle(value):\n" + indent(IDLE, "    ") + "    return value\n"


def with_dead_code(source: str) -> str:
    """Statements that do nothing at the beginning of each function of the top level and of each method, and a function
    that nobody calls at the end."""
    lines = source.splitlines(keepends=True)
    for function in reversed(_functions(ast.parse(source))):
        first = next((one for one in function.body if not _is_docstring(one)), function.body[-1])
        if first.lineno > function.lineno:
            lines.insert(first.lineno - 1, indent(IDLE, " " * first.col_offset))
    return "".join(lines) + UNUSED


def in_a_helper(source: str) -> str:
    """`loss` hands its arguments on to a function of another name, which is what `loss` was."""
    (loss,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "loss")
    arguments = loss.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    names += [f"{one.arg}={one.arg}" for one in arguments.kwonlyargs]
    lines = source.splitlines(keepends=True)
    lines[loss.lineno - 1] = lines[loss.lineno - 1].replace("def loss(", "def moved(")
    handed = f"\n\ndef loss({ast.unparse(arguments)}):\n    return moved({', '.join(names)})\n"
    return "".join(lines) + handed


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Functions and methods, in the order of the text."""
    found = []
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        found += [member for member in members if isinstance(member, ast.FunctionDef)]
    return found


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
