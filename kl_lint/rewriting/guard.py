"""The syntax tree that a rewritten text has to have, made without looking at how any text is laid out."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from kl_lint.engine import parse
from kl_lint.rewriting.call_plan import CallPlan
from kl_lint.rewriting.lines import Range, is_within
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.program import Change, Program, Template
from kl_lint.rewriting.refusal import Refused

__all__ = ["guard"]

_PART = "__kl_lint_part_{}__"


def guard(page: Page, program: Program, text: str) -> None:
    """Raise Refused unless `text` parses, to the old tree but for what `program` asks."""
    try:
        new = parse(text, "<rewritten>")
    except SyntaxError as error:
        raise Refused(f"the rewritten file would not parse: {error.msg}, line {error.lineno}") from error
    try:
        planned = _Planned(page, program).visit(parse(page.lines.text, "<source>"))
        if ast.dump(planned) != ast.dump(new):
            raise Refused("the rewritten file would say something else than was planned")
    except RecursionError as error:
        raise Refused("an expression is nested too deeply to be checked") from error


class _Planned(ast.NodeTransformer):
    """Makes the changes of a program in a tree, the inner ones first."""

    def __init__(self, page: Page, program: Program) -> None:
        self._lines = page.lines
        self._program = program
        self._before = _elsewhere(page, program)
        self._after: dict[Range, ast.expr] = {}

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.expr):
            return self.generic_visit(node)
        key = self._lines.node_range(node)
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
        found = (self._after if is_within(part, key) else self._before).get(part)
        if found is None:
            raise Refused("a part of the new text is no expression")
        return found


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
    if isinstance(node.func, ast.Attribute):
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
