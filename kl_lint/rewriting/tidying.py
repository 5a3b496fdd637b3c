"""What nobody would write is not left behind: `p = torch.log(p)` that became `p = p` goes with its row."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from kl_lint.engine import parse
from kl_lint.rewriting.lines import Range
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.pieces import Kept, Piece, Pieces, join
from kl_lint.rewriting.program import Program
from kl_lint.rewriting.refusal import Refused

__all__ = ["tidied"]

Idle = Mapping[ast.stmt, str]
"""Statements that do nothing any more, each with what takes its place: nothing, or `pass` where its block has no other.
"""


def tidied(page: Page, program: Program, pieces: Pieces) -> Pieces:
    """The pieces of a new text without the statements that do nothing any more; all of them where something else than
    these would go.
    """
    idle = dict(_idle(page, program))
    if not idle:
        return pieces
    tidy = pieces
    for statement, instead in idle.items():
        place = page.lines.node_range(statement)
        tidy = _replaced(tidy, place if instead else _row(page, place), instead)
    text = page.lines.text
    return tidy if _is_as_planned(page, idle, join(text, pieces), join(text, tidy)) else pieces


def _idle(page: Page, program: Program) -> Iterator[tuple[ast.stmt, str]]:
    """The assignments of a name to itself; those that share their row with anything else stay."""
    if not any(change.template is not None and len(change.template) == 1 for change in program.values()):
        return
    for node in ast.walk(page.tree):
        if isinstance(node, ast.ClassDef):
            continue  # `p = p` makes a member of a class
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                found = [one for one in statements if _becomes_idle(page, program, one)]
                for one in found:
                    yield one, "pass" if len(found) == len(statements) and one is found[0] else ""


def _becomes_idle(page: Page, program: Program, statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            key = page.lines.node_range(value)
            return key in program and _outcome(page, program, key) == name and _stands_alone(page, statement)
        case _:
            return False


def _outcome(page: Page, program: Program, key: Range) -> str:
    """The old expression that one becomes where nothing is put around it."""
    while (change := program.get(key)) is not None:
        match change.template:
            case (tuple() as part,) if change.wrap is None and part != key:
                key = part
            case _:
                return ""
    return page.lines.text[slice(*key)]


def _row(page: Page, place: Range) -> Range:
    """The rows of a statement, from the first column on."""
    span = page.lines.span(*place)
    return page.lines.rows(span.row, span.end_row)


def _stands_alone(page: Page, statement: ast.stmt) -> bool:
    start, end = page.lines.node_range(statement)
    first, last = _row(page, (start, end))
    return not (page.lines.text[first:start] + page.lines.text[end:last]).strip()


def _replaced(pieces: Pieces, place: Range, instead: str) -> Pieces:
    """The pieces without what is kept of a place, and what is new within it."""
    before: list[Piece] = []
    after: list[Piece] = []
    cursor = 0
    for piece in pieces:
        if isinstance(piece, str) or piece.moved:
            if not place[0] <= cursor < place[1]:
                (before if cursor < place[0] else after).append(piece)
            continue
        cursor = piece.end
        if piece.start < place[0]:
            before.append(Kept(piece.start, min(piece.end, place[0])))
        if piece.end > place[1]:
            after.append(Kept(max(piece.start, place[1]), piece.end))
    return (*before, instead, *after)


def _is_as_planned(page: Page, idle: Idle, text: str, tidy: str) -> bool:
    """Whether a tidied text differs from the other one by the idle statements alone."""
    places = {one: index for index, one in enumerate(_statements(page.tree))}
    try:
        tree = parse(text, "<rewritten>")
        statements = _statements(tree)
        instead = {statements[places[one]]: text for one, text in idle.items()}
        return ast.dump(_Without(instead).visit(tree)) == ast.dump(parse(tidy, "<tidied>"))
    except (SyntaxError, Refused, RecursionError):
        return False


def _statements(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]


class _Without(ast.NodeTransformer):
    def __init__(self, idle: Idle) -> None:
        self._idle = idle

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        instead = self._idle.get(node)
        return node if instead is None else ast.Pass() if instead else None
