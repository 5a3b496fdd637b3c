"""Documents with blocks of Python in them, Markdown and reStructuredText, as one Python text.

Each row of the text is that of the document, empty where the document has no code, so that only columns differ.
The blocks are one program, in their order: what one imports or defines, later ones know. A variable is known until the
section ends in which it is set: prose stands between sections, and a name in the next one may be another thing.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from keyword import iskeyword
from textwrap import dedent

from kl_lint.engine import mentions, parse
from kl_lint.lines import split_lines
from kl_lint.sources.magics import stand_ins
from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kl_lint.finding import Span

__all__ = ["LIMIT", "Block", "Document", "read_document"]

LIMIT = 1_000_000
"""How many bytes a document may have. The parsers have no bound of their own: of as much, docutils makes a tree in half
a minute where it is the table, the options or the titles that make it so large.
"""

_INSTALL = "pip install 'kl-lint[markdown]'"
_PROMPT = re.compile(r"\s*>>>")
_BOUND = re.compile(
    r"^[>. \t]*(?:(?:def|class|for)[ \t]+(?P<name>\w+)|(?P<targets>[A-Za-z_][\w \t,.:*\[\]]*)[-+*/@]?=(?!=))",
    re.MULTILINE,
)
"""What a line looks like that binds names."""


class Block:
    """A block of Python: its lines, without newlines, stand on the rows of the document from `row`, from 1, on.

    `sections` are the sections that it is in, the outermost one first, each known by a number.
    """

    __slots__ = ("lines", "row", "sections")

    def __init__(self, row: int, lines: Sequence[str], sections: tuple[int, ...]) -> None:
        self.row = row
        self.lines = lines
        self.sections = sections


class Document:
    """A document as Python: `text` is that of its blocks, on the rows where they stand.

    `lines` are those of the document, each with its newline. `problem` tells of the first block that mentions a
    divergence and is not Python.

    Raises Problem where `data`, the content of `path`, cannot be read, or is more than LIMIT.
    """

    encoding = "utf-8"

    __slots__ = ("_shifts", "lines", "problem", "text")

    def __init__(self, path: str, data: bytes) -> None:
        if len(data) > LIMIT:
            what = f"is larger than {LIMIT // 1_000_000} MB, and is not analysed"
            raise Problem(path, what, "split it, or leave it out with --extend-exclude")
        document = _decode(path, data)
        self.problem: Problem | None = None
        self.lines = split_lines(document)
        self._shifts: dict[int, int] = {}
        """By row, how many columns of the document stand before the code."""
        rows = [""] * len(self.lines)
        variables = _Variables()
        for block in _blocks(path, document):
            code, bound = self._python(path, block)
            gone = variables.enter(block.sections)
            if gone:
                rows[block.row - 2] = _forgetting(gone)  # on the row of the fence, or an empty one
            variables.bind(bound)
            for row, line in code.items():
                rows[row - 1] = line
                self._shifts[row] = len(self.lines[row - 1].rstrip()) - len(line.rstrip())
        self.text = "".join(f"{row}\n" for row in rows)

    def _python(self, path: str, block: Block) -> tuple[Mapping[int, str], Sequence[str]]:
        """The lines of a block by their rows, and the variables that it sets. One that is not Python sets them only."""
        for code in _readings(block):
            try:
                tree = parse("".join(f"{line}\n" for line in code.values()), path)
                return code, sorted(set(_variables(tree)))
            except SyntaxError as error:
                trouble = error
        text = "\n".join(block.lines)
        if self.problem is None and mentions(text):
            what = f"a block of code is not Python ({trouble.msg}), and is left out"
            self.problem = Problem(path, what, "mend it, if it is to be", block.row)
        return {block.row: _forgetting(names)} if (names := _names_bound(text)) else {}, names

    def encode(self, text: str) -> bytes:
        """Raises ValueError: nobody knows what the prose says of code that would be another."""
        raise ValueError("documents are not changed")

    def span(self, span: Span) -> Span:
        """The range of the document for one of the text."""
        from kl_lint.finding import Span

        return Span(
            span.row, self._column(span.row, span.column), span.end_row, self._column(span.end_row, span.end_column)
        )

    def _column(self, row: int, column: int) -> int:
        return max(1, column + self._shifts.get(row, 0))


@lru_cache(maxsize=1)
def read_document(path: str, data: bytes) -> Document:
    """The document that `data`, the content of `path`, is, raising as `Document` does; asked again, the same one."""
    return Document(path, data)


def _decode(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise Problem(path, f"is not valid UTF-8 ({error.reason})", "save it as UTF-8", row) from error


def _blocks(path: str, document: str) -> list[Block]:
    try:
        if path.endswith(".rst"):
            from kl_lint.sources.restructured import blocks
        else:
            from kl_lint.sources.markdown import blocks
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0].replace("_", "-")
        what = f"cannot be read without {'markdown-it-py' if missing == 'markdown-it' else missing}"
        raise Problem(path, what, f"install it with: {_INSTALL}") from error
    except ImportError as error:
        raise Problem(path, f"cannot be read: {error}", f"install a newer one with: {_INSTALL}") from error
    try:
        return [*blocks(document)]
    except RecursionError as error:
        remedy = "leave it out with --extend-exclude"
        raise Problem(path, "is nested too deeply to be read", remedy) from error


# --- what is Python in a block ---


def _readings(block: Block) -> Iterator[dict[int, str]]:
    """The lines of code of a block, by their rows, as it may be read: as it stands, or without what is for IPython."""
    if _PROMPT.match("\n".join(block.lines)):
        yield _session(block)
        return
    lines = dedent("\n".join(block.lines)).split("\n")
    yield dict(enumerate(lines, start=block.row))
    others = stand_ins([f"{line}\n" for line in lines])
    yield {block.row + index: others.get(index, line) for index, line in enumerate(lines)}


def _session(block: Block) -> dict[int, str]:
    """The lines that are typed in a session of the interpreter: those behind its prompts."""
    from doctest import DocTestParser, Example

    try:
        parts = DocTestParser().parse("\n".join(block.lines))
    except ValueError:  # a prompt is not as it should be
        return dict(enumerate(block.lines, start=block.row))
    return {
        block.row + part.lineno + index: line
        for part in parts
        if isinstance(part, Example)
        for index, line in enumerate(part.source.split("\n"))
        if line
    }


# --- names ---


class _Variables:
    """The variables that are known, each until the section ends in which it was last set."""

    __slots__ = ("_scopes", "_where")

    def __init__(self) -> None:
        self._scopes: list[tuple[tuple[int, ...], set[str]]] = [((), set())]
        """The sections around a place, the innermost one last, and what was set in each."""
        self._where: dict[str, set[str]] = {}
        """The variables, each with those that were set where it was."""

    def enter(self, sections: tuple[int, ...]) -> list[str]:
        """Go on to the section that `sections` lead to. Gives the variables that are not known there any more."""
        gone: list[str] = []
        while sections[: len(self._scopes[-1][0])] != self._scopes[-1][0]:
            gone += sorted(self._scopes.pop()[1])
        for name in gone:
            del self._where[name]
        if self._scopes[-1][0] != sections:
            self._scopes.append((sections, set()))
        return gone

    def bind(self, names: Sequence[str]) -> None:
        """Set variables here."""
        here = self._scopes[-1][1]
        for name in names:
            self._where.get(name, here).discard(name)
            self._where[name] = here
        here.update(names)


def _variables(node: ast.AST) -> Iterator[str]:
    """The variables that a module sets, outside of functions and classes."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                pass
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case _:
                yield from _variables(child)


def _names_bound(text: str) -> list[str]:
    """The names that code seems to bind which is not Python."""
    found = (match["name"] or match["targets"] for match in _BOUND.finditer(text))
    words = {word for targets in found for word in re.findall(r"[A-Za-z_]\w*", targets)}
    return sorted(word for word in words if not iskeyword(word))


def _forgetting(names: Sequence[str]) -> str:
    """A statement that binds names to what nobody knows; nothing where there are none."""
    return "".join(f"{name} = " for name in names) + "get_ipython()" if names else ""
