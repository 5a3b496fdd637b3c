"""The text that a program asks for.

Nothing is generated but what the changes name: everything else is copied from the old text, as pieces. A change inside
of another one is carried out wherever the outer one puts the expression.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import pairwise

from kl_lint.rewriting.argument_list import Splice, argument_splices
from kl_lint.rewriting.call_plan import CallPlan, Callee
from kl_lint.rewriting.layout import Call, Expression
from kl_lint.rewriting.lines import Range, is_within
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.pieces import Kept, Piece, Pieces, join, moved, settled
from kl_lint.rewriting.program import Change, Program, Template
from kl_lint.rewriting.quotes import requote
from kl_lint.rewriting.refusal import OVERLAP, Refused

__all__ = ["render"]

_ATOMS = (
    ast.Attribute,
    ast.Call,
    ast.Dict,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.List,
    ast.ListComp,
    ast.Name,
    ast.Set,
    ast.SetComp,
    ast.Subscript,
    ast.Tuple,
)
_NEVER_BARE = (ast.NamedExpr, ast.Yield, ast.YieldFrom)
_NEWLINE = frozenset("\r\n")


def render(page: Page, program: Program) -> Pieces:
    """The pieces of the new text, settled. Raises Refused where a change would be lost in what another one discards."""
    renderer = _Renderer(page, program)
    pieces = settled(renderer.between(0, len(page.lines.text)))
    if renderer.carried_out != set(program):
        raise Refused(OVERLAP)
    return pieces


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A new expression without parentheses around it, and the parentheses to use where it needs some.

    `keep` says that those are laid out in a way worth keeping wherever it goes.
    """

    pieces: Pieces
    opening: Pieces = ("(",)
    closing: Pieces = (")",)
    keep: bool = False


class _Renderer:
    __slots__ = ("_changed", "_page", "_program", "_text", "carried_out")

    def __init__(self, page: Page, program: Program) -> None:
        self._page = page
        self._program = program
        self._text = page.lines.text
        # the outer one of two first
        self._changed = sorted((change.place for change in program.values()), key=_from_outside)
        self.carried_out: set[Range] = set()

    def between(self, start: int, end: int, within: Range | None = None) -> Pieces:
        """The old text between two offsets, changed where it is to change; `within` is the expression at work."""
        splices = []
        cursor = start
        for place in self._changed:
            if place.key != within and cursor <= place.outer[0] and place.outer[1] <= end:
                splices.append(Splice(*place.outer, self._in_place(place)))
                cursor = place.outer[1]
        pieces: list[Piece] = []
        for splice in splices:
            pieces += (Kept(start, splice.start), *splice.pieces)
            start = splice.end
        return (*pieces, Kept(start, end))

    def _in_place(self, place: Expression) -> Pieces:
        """The new pieces of an expression, for where it stands, parentheses and all."""
        rendered = self._rendered(place)
        if place.parenthesized and self._program[place.key].wrap is None and not self._is_unwrapped(place):
            return (Kept(place.outer[0], place.start), *rendered.pieces, Kept(place.end, place.outer[1]))
        bracketed = self._page.slots.get(place.key)
        return self._apart(self._fitted(rendered, bracketed is not None, bracketed is True), place.outer)

    def _is_unwrapped(self, place: Expression) -> bool:
        """Whether another expression takes its place, and with it the parentheses that an operator asked for."""
        template = self._program[place.key].template
        if template is None or len(template) > 1:
            return False
        parentheses = self._text[place.outer[0] : place.start], self._text[place.end : place.outer[1]]
        old = self._text[place.start : place.end]
        return parentheses == ("(", ")") and _needs_parentheses(old, alone=False, bracketed=True)

    def _rendered(self, place: Expression) -> _Rendered:
        change = self._program.get(place.key)
        if change is None:
            return self._unchanged(place)
        self.carried_out.add(place.key)
        rendered = self._changed_inside(place, change)
        if change.wrap is None:
            return rendered
        before, after = (self._quoted(text, place) for text in (change.wrap.before, change.wrap.after))
        return _Rendered((before, *self._fitted(rendered, *_surroundings(before, after)), after))

    def _changed_inside(self, place: Expression, change: Change) -> _Rendered:
        """What an expression becomes before it is wrapped."""
        if change.template is not None:
            return self._filled(change.template, place)
        if change.call is not None and change.plan is not None:
            return self._with_parentheses(place, self._called(change.call, change.plan))
        return self._unchanged(place)

    def _unchanged(self, place: Expression) -> _Rendered:
        return self._with_parentheses(place, self.between(place.start, place.end, place.key))

    def _with_parentheses(self, place: Expression, pieces: Pieces) -> _Rendered:
        """New pieces for an expression, with the parentheses that it has, if any."""
        if not place.parenthesized:
            return _Rendered(pieces)
        opening, closing = Kept(place.outer[0], place.start), Kept(place.end, place.outer[1])
        spaced = join(self._text, (opening, closing)).strip("()") != ""
        return _Rendered(pieces, (opening,), (closing,), keep=spaced)

    def _filled(self, template: Template, place: Expression) -> _Rendered:
        """New source, with expressions put into it."""
        match template:
            case (tuple() as part,):
                return self._part(part, place)
        parts = [part for part in template if not isinstance(part, str)]
        in_order = all(is_within(part, place.key) for part in parts) and all(
            first[1] <= second[0] for first, second in pairwise(parts)
        )
        pieces: list[Piece] = []
        for before, item, after in zip(("", *template), template, (*template[1:], ""), strict=False):
            if isinstance(item, str):
                pieces.append(self._quoted(item, place))
                continue
            put = self._fitted(self._part(item, place), *_surroundings(before, after))
            pieces += put if in_order else moved(put)
        return _Rendered(tuple(pieces))

    def _part(self, key: Range, place: Expression) -> _Rendered:
        part = self._page.expression(key)
        if not is_within(key, place.key):
            if not _NEWLINE.isdisjoint(self._text[slice(*part.outer)]):
                raise Refused("what is to be copied goes on over several lines")
            return self._with_parentheses(part, (Kept(part.start, part.end),))
        return self._unchanged(place) if key == place.key else self._rendered(part)

    def _quoted(self, text: str, place: Expression) -> str:
        return requote(text, self._page.layout(place.key), (place.start, place.end))

    def _called(self, call: Call, plan: CallPlan) -> Pieces:
        """A call with other arguments, or of another name."""
        layout = self._page.layout(call.place.key)
        changes = argument_splices(call, plan, layout, lambda index: self._shown(call, index))
        match plan.callee:
            case Callee(name=name, receiver=int() as receiver):
                owner = self._fitted(self._rendered(call.arguments[receiver].value), alone=False, bracketed=False)
                return (*owner, f".{name}(", *self._spliced(call.opening, call.place.end, changes, call))
            case Callee(name=name, whole=whole):
                place = call.function if whole or call.name is None else call.name
                changes.insert(0, Splice(*place, (name,)))
        return self._spliced(call.place.start, call.place.end, changes, call)

    def _shown(self, call: Call, index: int) -> Pieces:
        """An argument's value, for the place of another one."""
        return moved(self._fitted(self._rendered(call.arguments[index].value), alone=True, bracketed=True))

    def _spliced(self, start: int, end: int, changes: list[Splice], call: Call) -> Pieces:
        """The text of a call between two offsets, with splices in it."""
        pieces: list[Piece] = []
        for change in changes:
            pieces += (*self.between(start, change.start, call.place.key), *change.pieces)
            start = change.end
        return (*pieces, *self.between(start, end, call.place.key))

    def _fitted(self, rendered: _Rendered, alone: bool, bracketed: bool) -> Pieces:
        """New pieces, in parentheses where they need some.

        `alone` says that no operator stands beside them, `bracketed` that brackets surround them.
        """
        if rendered.keep or _needs_parentheses(join(self._text, rendered.pieces), alone, bracketed):
            return (*rendered.opening, *rendered.pieces, *rendered.closing)
        return rendered.pieces

    def _apart(self, pieces: Pieces, outer: Range) -> Pieces:
        """The same pieces, with a space where they would grow together with the word beside: `return(x)`."""
        text = join(self._text, pieces)
        before, after = self._text[: outer[0]][-1:], self._text[outer[1] :][:1]
        return (
            *((" ",) if _is_word(before) and _is_word(text[:1]) else ()),
            *pieces,
            *((" ",) if _is_word(text[-1:]) and _is_word(after) else ()),
        )


def _from_outside(place: Expression) -> tuple[int, int]:
    return place.outer[0], -place.outer[1]


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _surroundings(before: str | Range, after: str | Range) -> tuple[bool, bool]:
    """Whether what is put between two texts stands alone, and whether brackets surround it."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False, False
    opened = re.search(r"[(\[{,]\s*$|[^=!<>]=\s*$", before)
    closed = re.match(r"\s*[)\]},]", after)
    enclosed = opened is not None and closed is not None
    return enclosed, enclosed


def _needs_parentheses(text: str, alone: bool, bracketed: bool) -> bool:
    # a bare tuple or generator takes the added parentheses for its own, and then begins before column 1; what has
    # parentheses of its own, and is neither, begins after it
    tree = _parsed(f"({text}\n)")
    if tree is None:
        raise Refused("the new text does not parse")
    if tree.col_offset != 1:
        return tree.col_offset == 0
    if isinstance(tree, _NEVER_BARE) or not (alone or _binds_tightly(tree)):
        return True
    return not bracketed and "\n" in text.replace("\r", "\n") and _parsed(text) is None


def _binds_tightly(tree: ast.expr) -> bool:
    if isinstance(tree, ast.Constant):
        return not isinstance(tree.value, int | float | complex)  # 1.log() is no attribute
    return isinstance(tree, _ATOMS)


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
