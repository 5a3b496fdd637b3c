"""What could not be done, told so that its reader can do something about it."""

from __future__ import annotations

__all__ = ["Problem", "incomplete"]


class Problem(Exception):
    """A file, or a part of one, that could not be checked: where, what is the matter, what to do."""

    def __init__(self, path: str, what: str, remedy: str, row: int | None = None) -> None:
        super().__init__(path, what, remedy, row)
        self.path = path
        self.what = what
        self.remedy = remedy
        self.row = row

    def __str__(self) -> str:
        place = self.path if self.row is None else f"{self.path}:{self.row}"
        return f"{place}: {self.what}; {self.remedy}"


def incomplete(path: str) -> Problem:
    """That a file needs more work than there may be, so that findings may be missing."""
    return Problem(
        path,
        "is too large or too intricate to be analysed to its end: findings may be missing",
        "split it, or its longest functions",
    )
