"""Places in each encoding that a client may ask for, there and back."""

from __future__ import annotations

import pytest
from lsprotocol.types import Position, PositionEncodingKind, Range

from kl_lint.finding import Span
from kl_lint.server.positions import Positions

TEXT = "x = 'é🎲'; y\r\nz\x0c = 1\u2028\rlast"

UTF8, UTF16, UTF32 = PositionEncodingKind.Utf8, PositionEncodingKind.Utf16, PositionEncodingKind.Utf32


@pytest.mark.parametrize(("encoding", "character"), [(UTF8, 14), (UTF16, 11), (UTF32, 10)])
def test_a_column_in_units(encoding: PositionEncodingKind, character: int) -> None:
    positions = Positions(TEXT, encoding)
    assert positions.range(Span(1, 11, 1, 12)) == Range(Position(0, character), Position(0, character + 1))
    assert positions.place(Position(0, character)) == (1, 11)


@pytest.mark.parametrize("encoding", [UTF8, UTF16, UTF32])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_there_and_back(encoding: PositionEncodingKind, mark: str) -> None:
    positions = Positions(mark + TEXT, encoding)
    for row, line in enumerate(["x = 'é🎲'; y", "z\x0c = 1\u2028", "last", ""], start=1):
        for column in range(1, len(line) + 2):
            place = positions.range(Span(row, column, row, column)).start
            assert place.line == row - 1
            assert positions.place(place) == (row, column)


@pytest.mark.parametrize(("encoding", "units"), [(UTF8, 3), (UTF16, 1), (UTF32, 1)])
def test_a_byte_order_mark_takes_room(encoding: PositionEncodingKind, units: int) -> None:
    positions = Positions("\ufeffx\ny", encoding)
    assert positions.range(Span(1, 1, 2, 1)) == Range(Position(0, units), Position(1, 0))
    assert positions.place(Position(0, 0)) == (1, 1)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Position(0, 99), (1, 12)),
        (Position(2, 4), (3, 5)),
        (Position(3, 0), (4, 1)),
        (Position(99, 99), (4, 1)),
        (Position(0, 7), (1, 7)),  # within a character
    ],
)
def test_places_that_the_text_has_not(place: Position, expected: tuple[int, int]) -> None:
    assert Positions(TEXT, UTF16).place(place) == expected


def test_an_empty_text_has_one_place() -> None:
    assert Positions("", UTF16).place(Position(5, 5)) == (1, 1)
