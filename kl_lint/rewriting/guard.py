"""The syntax tree that a rewritten text has to have, made without looking at how any text is laid out."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from copy import deepcopy

from kl_lint.engine import parse
from kl_lint.rewriting.call_plan import CallPlan
from kl_lint.rewriting.lines import Lines, Range, is_within
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.program import Change, Program, Template
from kl_lint.rewriting.refusal import Refused

__all__ = ["guard"]

_PART = "__kl_lint_part_{}__"


_SOMETHING_ELSE = "the rewritten file would say something else than was planned"


def guard(page: Page, program: Program, text: str) -> None:
    """Raise Refused unless `text` parses, to the old tree but for what `program` asks.

    Only the rows of the top-level statements that change are parsed: those before and after have to be the same text.
    """
    old = page.lines.text
    start, end = _changing_rows(page, program)
    new_end = len(text) - (len(old) - end)
    if new_end < start or text[:start] != old[:start] or text[new_end:] != old[end:]:
        raise Refused(_SOMETHING_ELSE)
    try:
        new = parse(text[start:new_end], "<rewritten>")
    except SyntaxError as error:
        row = page.lines.span(start, start).row + (error.lineno or 1) - 1
        raise Refused(f"the rewritten file would not parse: {error.msg}, line {row}") from error
    try:
        planned = _Planned(page, program, start).visit(parse(old[start:end], "<source>"))
        if ast.dump(planned) != ast.dump(new):
            raise Refused(_SOMETHING_ELSE)
    except RecursionError as error:
        raise Refused("an expression is nested too deeply to be checked") from error
    except ValueError as error:  # Python refuses to write it in decimal
        raise Refused("a number is too long to be checked") from error


def _changing_rows(page: Page, program: Program) -> Range:
    """The rows from the first top-level statement that changes to the last one, and those that share rows with them."""
    changing = [block.rows for block in page.blocks if any(is_within(key, block.rows) for key in program)]
    return (changing[0][0], changing[-1][1]) if changing else (0, len(page.lines.text))


class _Planned(ast.NodeTransformer):
    """Makes the changes of a program in the tree of the text from `start` on, the inner ones first."""

    def __init__(self, page: Page, program: Program, start: int) -> None:
        self._lines = Lines(page.lines.text[start:])
        self._start = start
        self._program = program
        self._before = _elsewhere(page, program)
        self._after: dict[Range, ast.expr] = {}

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.expr):
            return self.generic_visit(node)
        start, end = self._lines.node_range(node)
        key = self._start + start, self._start + end
        self.generic_visit(node)
        self._after[key] = node
        if (change := self._program.get(key)) is not None:
            self._after[key] = ast.copy_location(self._changed(node, change), node)
        return self._after[key]

    def _changed(self, node: ast.expr, change: Change) -> ast.expr:
        if change.template is not None:
            node = self._filled(change.template, change.place.key)
        elif change.plan is not None and isinstance(node, ast.Call):
            node = _called(node, change.plan)
        if change.wrap is not None:
            node = _fill((change.wrap.before, node, change.wrap.after))
        return node

    def _filled(self, template: Template, key: Range) -> ast.expr:
        return _fill([item if isinstance(item, str) else self._part(item, key) for item in template])

    def _part(self, part: Range, key: Range) -> ast.expr:
        inside = is_within(part, key)
        found = (self._after if inside else self._before).get(part)
        if found is None:
            raise Refused("a part of the new text is no expression")
        return found if inside else deepcopy(found)  # the tree is the page's own, and is to be found again


def _elsewhere(page: Page, program: Program) -> dict[Range, ast.expr]:
    """The parts of templates that stand outside of what the template replaces, as they are in the old tree."""
    wanted = {
        part
        for key, change in program.items()
        for part in change.template or ()
        if not isinstance(part, str) and not is_within(part, key)
    }
    if not wanted:
        return {}
    nodes = [node for node in ast.walk(page.tree) if isinstance(node, ast.expr)]
    return {key: node for node in nodes if (key := page.lines.node_range(node)) in wanted}


def _called(node: ast.Call, plan: CallPlan) -> ast.expr:
    arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    arguments.sort(key=lambda argument: (argument.lineno, argument.col_offset))
    values = [argument.value if isinstance(argument, ast.keyword) else argument for argument in arguments]
    args: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for argument, slot in zip(arguments, plan.slots, strict=True):
        if slot.dropped:
            continue
        value = values[slot.source] if slot.value is None else _fill([slot.value])
        if slot.keyword is None and not isinstance(argument, ast.keyword):
            args.append(value)
        else:
            keywords.append(ast.keyword(slot.keyword, value))
    keywords += [ast.keyword(name, _fill([value])) for name, value in plan.added]
    return ast.Call(_callee(node, values, plan), args, keywords)


def _callee(node: ast.Call, values: Sequence[ast.expr], plan: CallPlan) -> ast.expr:
    if plan.callee is None:
        return node.func
    if plan.callee.receiver is not None:
        return ast.Attribute(values[plan.callee.receiver], plan.callee.name, ast.Load())
    if isinstance(node.func, ast.Attribute) and not plan.callee.whole:
        return ast.Attribute(node.func.value, plan.callee.name, ast.Load())
    return _fill([plan.callee.name])


def _fill(items: Sequence[str | ast.expr]) -> ast.expr:
    """The expression that source text with expressions in it stands for, whatever their precedence."""
    parts = {_PART.format(index): item for index, item in enumerate(items) if not isinstance(item, str)}
    source = "".join(item if isinstance(item, str) else _PART.format(index) for index, item in enumerate(items))
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise Refused(f"the new text does not parse: {source}") from error
    filled = _Fill(parts).visit(tree)
    assert isinstance(filled, ast.expr)
    return filled


class _Fill(ast.NodeTransformer):
    def __init__(self, parts: dict[str, ast.expr]) -> None:
        self._parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._parts.get(node.id, node)
