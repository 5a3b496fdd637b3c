"""One text, read twice: by `ast` for what it means, by libcst for how it is laid out."""

from __future__ import annotations

import ast
from functools import cached_property

from kl_lint.engine import parse
from kl_lint.finding import Span
from kl_lint.rewriting.layout import Call, Expression, Layout
from kl_lint.rewriting.lines import Lines, Range
from kl_lint.rewriting.refusal import Refused

__all__ = ["Page"]


_DEEPEST = 1000
"""The levels of syntax beyond which libcst is not asked: it recurses, and may exhaust the stack of the process."""


class Page:
    """A text without byte order mark. Raises Refused where it cannot be parsed."""

    def __init__(self, text: str) -> None:
        self.lines = Lines(text)
        try:
            # first: it knows when an expression is nested too deeply for any parser
            self.tree = parse(text, "<source>")
        except SyntaxError as error:
            raise Refused(f"the file does not parse: {error.msg}") from error
        if _is_deeper(self.tree, _DEEPEST):
            raise Refused("an expression is nested too deeply for libcst")
        self.layout = Layout(self.lines)

    def range(self, span: Span) -> Range:
        """The offsets of `span`."""
        found = self.lines.range(span)
        if found is None:
            raise Refused(f"the file has no {_words(span)}")
        return found

    def expression(self, key: Range) -> Expression:
        """The expression at a range."""
        found = self.layout.expression(key)
        if found is None:
            raise Refused(f"no expression stands at {_words(self.lines.span(*key))}")
        return found

    def call(self, key: Range) -> Call:
        """The call at a range."""
        found = self.layout.call(key)
        if found is None:
            raise Refused(f"no call stands at {_words(self.lines.span(*key))}")
        return found

    @cached_property
    def slots(self) -> dict[Range, bool]:
        """The expressions that stand by themselves: no operator touches them.

        True where brackets surround them, so that they may go on over several rows.
        """
        slots: dict[Range, bool] = {}
        for node in ast.walk(self.tree):
            bracketed, expressions = _slots(node)
            slots |= {self.lines.node_range(expression): bracketed for expression in expressions}
        return slots


def _is_deeper(tree: ast.Module, depth: int) -> bool:
    """Whether the tree has more than `depth` levels."""
    level: list[ast.AST] = [tree]
    for _ in range(depth):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


def _slots(node: ast.AST) -> tuple[bool, list[ast.expr]]:
    match node:
        case ast.Call(args=args, keywords=keywords):
            positional = [value for value in args if not isinstance(value, ast.Starred)]
            return True, positional + [keyword.value for keyword in keywords]
        case ast.List(elts=elements) | ast.Set(elts=elements):
            return True, [element for element in elements if not isinstance(element, ast.Starred)]
        case ast.Tuple(elts=elements):
            return False, [element for element in elements if not isinstance(element, ast.Starred)]
        case (
            ast.Assign(value=value)
            | ast.AugAssign(value=value)
            | ast.AnnAssign(value=ast.expr() as value)
            | ast.Return(value=ast.expr() as value)
            | ast.Expr(value=value)
        ):
            return False, [value]
        case _:
            return False, []


def _words(span: Span) -> str:
    if span.row == span.end_row:
        return f"line {span.row}, columns {span.column} to {span.end_column}"
    return f"line {span.row}, column {span.column} to line {span.end_row}, column {span.end_column}"
