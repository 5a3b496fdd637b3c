"""Notebooks of Jupyter: their cells as one Python text, and a changed text back in its cells.

Names flow from cell to cell in the order of the notebook. Only the strings that hold changed lines are written anew:
nbformat reads notebooks too, but would write all of the file, in its own layout.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from kl_lint.engine import mentions, parse
from kl_lint.sources.cells import Cells
from kl_lint.sources.json_text import Literal, loads, replaced
from kl_lint.sources.magics import is_python, stand_ins
from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kl_lint.sources.json_text import Replacement

__all__ = ["Notebook"]

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_LANGUAGES = ("python", "ipython")
_SAVE = "open it in Jupyter and save it"


class Notebook:
    """A notebook as Python: `text` is that of its cells of code, in order, a comment after each.

    Where a line is none of Python, such as a magic, or a cell cannot be parsed, there is something else in its place.
    `problem` tells of the first such cell that mentions a divergence.

    Raises Problem where `data`, the content of `path`, is no notebook.
    """

    encoding = "utf-8"

    __slots__ = ("_document", "_end", "_originals", "_sources", "_token", "cells", "problem", "text")

    def __init__(self, path: str, data: bytes) -> None:
        self.problem: Problem | None = None
        self._document = _decode(path, data)
        cells = list(_code(path, self._document))
        self._sources = [source for _, source in cells]
        self._token = "kl-lint"
        while any(f"# {self._token}" in "".join(source) for source in self._sources):
            self._token += "'"
        self._end = f"\n# {self._token}\n"
        self._originals: list[str] = []
        starts: list[int] = []
        file_rows: list[int] = []
        chunks: list[str] = []
        for number, source in cells:
            lines = _LINE.findall("".join(source))
            chunks.append(self._python(path, number, lines) + self._end)
            starts.append(len(file_rows) + 1)
            rows = list(_file_rows(self._document, source, lines))
            file_rows += rows + rows[-1:] * (len(_LINE.findall(chunks[-1])) - len(rows))
        self.text = "".join(chunks)
        numbers = [number for number, _ in cells]
        self.cells = Cells(starts, numbers, file_rows, self.text, self._document, self._replacements)

    def _python(self, path: str, number: int, lines: Sequence[str]) -> str:
        """A cell's text, or what stands for it."""
        text = "".join(lines)
        try:
            parse(text, path)
            return text
        except SyntaxError:
            pass
        masked = self._masked(lines, stand_ins(lines))
        try:
            parse(masked, path)
            return masked
        except SyntaxError as error:
            if self.problem is None and mentions(text):
                what = f"cell {number}, line {error.lineno}: is not Python ({error.msg}), and is left out"
                self.problem = Problem(path, what, "mend it")
            return self._masked(lines, dict.fromkeys(range(len(lines)), ""))

    def _masked(self, lines: Sequence[str], others: dict[int, str]) -> str:
        """A cell's text with `others` in the place of lines, each with a comment by which it is found again."""
        masked = list(lines)
        for index, other in others.items():
            code = lines[index].rstrip("\r\n")
            mark = f"# {self._token} {len(self._originals)}"
            masked[index] = (f"{other}  {mark}" if other else mark) + lines[index][len(code) :]
            self._originals.append(code)
        return "".join(masked)

    def encode(self, text: str) -> bytes:
        """The notebook's bytes where its text is `text`. Raises ValueError where that cannot be told apart in cells."""
        document = self._document
        for start, end, new in reversed(self._replacements(text)):
            document = document[:start] + new + document[end:]
        return document.encode()

    def _replacements(self, text: str) -> list[Replacement]:
        """What changes in the document where its text is `text`, in order."""
        *chunks, rest = text.split(self._end)
        if rest or len(chunks) != len(self._sources):
            raise ValueError("the cells cannot be told apart")
        edits = []
        for source, chunk in zip(self._sources, chunks, strict=True):
            code = self._restored(chunk)
            if code != "".join(source):
                edits += replaced(self._document, source, code)
        return edits

    def _restored(self, chunk: str) -> str:
        """A cell's text with what it had in the place of each line that ends with a mark."""
        parts = []
        done = 0
        for mark in re.finditer(rf"# {re.escape(self._token)} (\d+)(?=[\r\n]|\Z)", chunk):
            before = chunk[done : mark.start()]
            parts += [before[: max(before.rfind("\n"), before.rfind("\r")) + 1], self._originals[int(mark[1])]]
            done = mark.end()
        return "".join([*parts, chunk[done:]])


def _decode(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise Problem(path, f"is not valid UTF-8 ({error.reason}), as a notebook is", _SAVE, row) from error


def _code(path: str, document: str) -> Iterator[tuple[int, Literal | list[Literal]]]:
    """The source of each cell that holds Python, and which one of all cells it is, from 1."""
    try:
        notebook = loads(document)
    except (ValueError, RecursionError) as error:
        what = f"is not a notebook ({error})"
        raise Problem(path, what, f"{_SAVE}, or leave it out with --extend-exclude") from error
    cells: list[object]
    match notebook:
        case {"cells": list(cells)}:
            pass
        case {"worksheets": _}:
            raise Problem(path, "is a notebook of a format before 4", _SAVE)
        case _:
            raise Problem(
                path, "is not a notebook (it has no cells)", f"{_SAVE}, or leave it out with --extend-exclude"
            )
    if not _is_of_python(notebook):
        return
    for number, cell in enumerate(cells, start=1):
        match cell:
            case {"cell_type": "code", "metadata": {"vscode": {"languageId": str(language)}}} if language != "python":
                pass
            case {"cell_type": "code", "source": Literal() as source} if source and is_python(source):
                yield number, source
            case {"cell_type": "code", "source": list(lines)} if all(isinstance(line, Literal) for line in lines):
                text = "".join(lines)
                if text and is_python(text):
                    yield number, lines


def _is_of_python(notebook: object) -> bool:
    """Whether the notebook says that it is of Python, or nothing."""
    match notebook:
        case {"metadata": {"language_info": {"name": str(language)}}}:
            return language.lower() in _LANGUAGES
        case {"metadata": {"kernelspec": {"language": str(language)}}}:
            return language.lower() in _LANGUAGES
        case _:
            return True


def _file_rows(document: str, source: Literal | list[Literal], lines: Sequence[str]) -> Iterator[int]:
    """The rows of the document on which the lines of a cell begin."""
    literals = [source] if isinstance(source, Literal) else source
    begins = list(accumulate(map(len, literals), initial=0))
    row, counted = 1, 0
    for offset in accumulate(map(len, lines[:-1]), initial=0):
        literal = literals[min(bisect_right(begins, offset), len(literals)) - 1]
        row += document.count("\n", counted, literal.start)
        counted = literal.start
        yield row
