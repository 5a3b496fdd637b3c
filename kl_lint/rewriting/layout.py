"""How a text is laid out: libcst's tree, boiled down to the offsets that edits need.

The only module of the package that imports libcst, besides the codemod.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from kl_lint.rewriting.lines import Lines, Range
from kl_lint.rewriting.refusal import Refused

__all__ = ["Argument", "Call", "Expression", "Layout"]

_TRIVIA = re.compile(r"(?:[ \t\f\r\n\\]|#[^\r\n]*)*")
_FORM_FEED_INDENT = re.compile(r"^[ \t\f]*\f")


@dataclass(frozen=True, slots=True)
class Expression:
    """Where an expression stands.

    `key` is its range as `ast` has it. `start` and `end` leave out the parentheses around it, except for those that
    belong to a tuple or a generator; `outer` takes all in. `key` differs from `(start, end)` for one expression only: a
    generator that borrows the parentheses of its call.
    """

    key: Range
    start: int
    end: int
    outer: Range

    @property
    def parenthesized(self) -> bool:
        """Whether it stands in parentheses that are not part of it."""
        return self.outer != (self.start, self.end)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call, from its star or keyword to the end of its value, without the comma.

    `keyword_end` is where the keyword ends (`start` where there is none), `comma_end` where the comma after it does.
    """

    start: int
    end: int
    star: str
    keyword: str | None
    keyword_end: int
    value: Expression
    comma_end: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """Where the parts of a call stand.

    `function` is what it calls, `name` the last component of that; None where it calls no name at all.
    `opening` is the offset after the opening parenthesis.
    """

    place: Expression
    function: Range
    name: Range | None
    opening: int
    arguments: tuple[Argument, ...]


class Layout:
    """The expressions, comments and strings in `rows` of a text, which hold whole statements of its top level. Raises
    Refused where libcst cannot read them.

    `strings` are where plain strings begin, and their quotes; `interpolations` the ranges of f-strings, and theirs.
    `other_quotes` asks for the quotes of the rest of the file.
    """

    __slots__ = (
        "_above",
        "_distorted",
        "_nodes",
        "_positions",
        "_shifts",
        "comments",
        "interpolations",
        "lines",
        "other_quotes",
        "strings",
    )

    def __init__(self, lines: Lines, rows: Range, other_quotes: Callable[[], Sequence[str]]) -> None:
        self.lines = lines
        self.other_quotes = other_quotes
        self._above = lines.span(rows[0], rows[0]).row - 1
        copy, self._shifts = _copy_for_libcst(lines.text[slice(*rows)])
        self._positions, self._distorted = _positions(copy, self._above)
        sound = [node for node, place in self._positions.items() if not self._is_distorted(place)]
        self._nodes = {self._key(node): node for node in sound if _is_expression(node)}
        self.comments = tuple(sorted(self._range(node) for node in sound if isinstance(node, cst.Comment)))
        self.strings = tuple((self._range(node)[0], node.quote) for node in sound if isinstance(node, cst.SimpleString))
        self.interpolations = tuple(
            (self._range(node), node.end) for node in sound if isinstance(node, cst.FormattedString)
        )

    def expression(self, key: Range) -> Expression | None:
        """The expression at a range, as `ast` would give it."""
        node = self._nodes.get(key)
        return None if node is None else self._expression(node)

    def call(self, key: Range) -> Call | None:
        """The call at a range."""
        node = self._nodes.get(key)
        return self._call(node) if isinstance(node, cst.Call) else None

    def _call(self, node: cst.Call) -> Call:
        place = self._expression(node)
        name = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        return Call(
            place=place,
            function=self._range(node.func),
            name=self._range(name) if isinstance(name, cst.Name) else None,
            opening=self._skip(self._outer(node.func)[1]) + 1,
            arguments=tuple(self._argument(argument) for argument in node.args),
        )

    def _argument(self, node: cst.Arg) -> Argument:
        start, end = self._range(node)
        return Argument(
            start=start,
            end=end,
            star=node.star,
            keyword=node.keyword.value if node.keyword else None,
            keyword_end=self._range(node.keyword)[1] if node.keyword else start,
            value=self._expression(node.value),
            comma_end=self._skip(end) + 1 if isinstance(node.comma, cst.Comma) else None,
        )

    def _expression(self, node: cst.BaseExpression) -> Expression:
        start, end = self._own(node)
        return Expression(self._key(node), start, end, self._outer(node))

    def _key(self, node: cst.BaseExpression) -> Range:
        start, end = self._own(node)
        if isinstance(node, cst.GeneratorExp) and not node.lpar:
            text = self.lines.text
            return text.rindex("(", 0, start), text.index(")", end) + 1
        return start, end

    def _own(self, node: cst.BaseExpression) -> Range:
        """Without parentheses, except for the innermost pair of a tuple or a generator, which `ast` counts in."""
        if isinstance(node, cst.Tuple | cst.GeneratorExp) and node.lpar:
            return self._range(node.lpar[-1])[0], self._range(node.rpar[0])[1]
        return self._range(node)

    def _outer(self, node: cst.BaseExpression) -> Range:
        if not node.lpar:
            return self._range(node)
        return self._range(node.lpar[0])[0], self._range(node.rpar[-1])[1]

    def _skip(self, offset: int) -> int:
        """The offset of the next character that is neither space nor comment."""
        found = _TRIVIA.match(self.lines.text, offset)
        return found.end() if found else offset

    def _range(self, node: cst.CSTNode) -> Range:
        place = self._positions[node]
        return self._offset(place.start.line, place.start.column), self._offset(place.end.line, place.end.column)

    def _is_distorted(self, place: CodeRange) -> bool:
        return place.start.line in self._distorted or place.end.line in self._distorted

    def _offset(self, row: int, column: int) -> int:
        offset = self.lines.offset(self._above + row, column + 1 + self._shifts.get(row, 0))
        return len(self.lines.text) if offset is None else offset


def _is_expression(node: cst.CSTNode) -> TypeGuard[cst.BaseExpression]:
    return isinstance(node, cst.BaseExpression) and not isinstance(node, cst.StarredElement)


def _copy_for_libcst(text: str) -> tuple[str, dict[int, int]]:
    """A copy of `text` that libcst reproduces, and by row how many characters it lacks at the beginning.

    libcst loses form feeds that begin a row and blank rows before the last one, and takes a lone carriage return for a
    space. For Python a form feed undoes the indentation before it, and is a space elsewhere; a carriage return ends the
    row; and after the last statement there is nothing to rewrite.
    """
    rows = re.sub(r"\r(?!\n)", "\n", text).split("\n")
    while rows and (not rows[-1].strip() or rows[-1].lstrip().startswith("#")):
        rows.pop()
    shifts = {}
    for row, line in enumerate(rows, start=1):
        if "\f" in line:
            bare = _FORM_FEED_INDENT.sub("", line)
            shifts[row] = len(line) - len(bare)
            rows[row - 1] = bare.replace("\f", " ")
    return "\n".join(rows) + "\n", shifts


def _positions(text: str, above: int) -> tuple[Mapping[cst.CSTNode, CodeRange], frozenset[int]]:
    """Where the nodes of libcst's tree stand, and the rows on which this cannot be relied upon. `above` counts the rows
    of the file before these.
    """
    try:
        module = cst.parse_module(text)
        old, new = text.split("\n"), module.code.split("\n")
        if len(old) != len(new):
            raise Refused("libcst does not reproduce this file")
        distorted = frozenset(row for row, pair in enumerate(zip(old, new, strict=True), start=1) if pair[0] != pair[1])
        # nobody else sees the tree: the copy that a wrapper makes by default would cost as much as the parse
        return MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider), distorted
    except cst.ParserSyntaxError as error:
        raise Refused(f"libcst cannot parse this file, line {above + error.raw_line}") from error
    except RecursionError as error:
        raise Refused("an expression is nested too deeply for libcst") from error
