"""One text, read twice: by `ast` for what it means, by libcst for how it is laid out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kl_lint.engine import parse
from kl_lint.finding import Span
from kl_lint.rewriting.layout import Call, Expression, Layout
from kl_lint.rewriting.limits import refuse_what_is_too_deep
from kl_lint.rewriting.lines import Lines, Range, is_within
from kl_lint.rewriting.refusal import Refused

__all__ = ["Page"]


_OPENING_QUOTE = re.compile(r"""[rbuRBU]*(\"{3}|'{3}|"|')""")


@dataclass(frozen=True, slots=True)
class Block:
    """Statements of the top level that share rows, and these rows: one statement, unless semicolons part several."""

    rows: Range
    statements: tuple[ast.stmt, ...]


class Page:
    """A text without byte order mark. Raises Refused where it cannot be parsed.

    libcst reads the blocks in which something is looked up, and no others: it takes some 30 times as long as `ast`.
    """

    def __init__(self, text: str) -> None:
        self.lines = Lines(text)
        try:
            # first: it knows when an expression is nested too deeply for any parser
            self.tree = parse(text, "<source>")
        except SyntaxError as error:
            raise Refused(f"the file does not parse: {error.msg}") from error
        self.blocks = tuple(_blocks(self.tree, self.lines))
        self._layouts: dict[Range, Layout] = {}

    def range(self, span: Span) -> Range:
        """The offsets of `span`."""
        found = self.lines.range(span)
        if found is None:
            raise Refused(f"the file has no {_words(span)}")
        return found

    def expression(self, key: Range) -> Expression:
        """The expression at a range."""
        found = self.layout(key).expression(key)
        if found is None:
            raise Refused(f"no expression stands at {_words(self.lines.span(*key))}")
        return found

    def call(self, key: Range) -> Call:
        """The call at a range."""
        found = self.layout(key).call(key)
        if found is None:
            raise Refused(f"no call stands at {_words(self.lines.span(*key))}")
        return found

    def layout(self, key: Range) -> Layout:
        """How the block around a range is laid out."""
        block = next((block for block in self.blocks if is_within(key, block.rows)), None)
        if block is None:
            raise Refused(f"no expression stands at {_words(self.lines.span(*key))}")
        if block.rows not in self._layouts:
            refuse_what_is_too_deep(block.statements, self.lines)
            self._layouts[block.rows] = Layout(self.lines, block.rows, lambda: self.quotes)
        return self._layouts[block.rows]

    @property
    def comments(self) -> tuple[Range, ...]:
        """The comments of the blocks in which something was looked up."""
        return tuple(comment for layout in self._layouts.values() for comment in layout.comments)

    @cached_property
    def quotes(self) -> tuple[str, ...]:
        """The quotes of the strings in the file; of f-strings, none."""
        found = []
        parts = {part for node in ast.walk(self.tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
                opening = _OPENING_QUOTE.match(self.lines.text, self.lines.node_range(node)[0])
                found += [opening[1]] if opening else []
        return tuple(found)

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


def _blocks(tree: ast.Module, lines: Lines) -> Iterator[Block]:
    """All of them, in order."""
    statements: list[ast.stmt] = []
    first = last = 0
    for statement in tree.body:
        decorators = [decorator.lineno for decorator in getattr(statement, "decorator_list", [])]
        begin, end = min([statement.lineno, *decorators]), statement.end_lineno or statement.lineno
        if statements and begin > last:
            yield Block(lines.rows(first, last), tuple(statements))
            statements = []
        first = first if statements else begin
        last = max(last, end)
        statements.append(statement)
    if statements:
        yield Block(lines.rows(first, last), tuple(statements))


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
