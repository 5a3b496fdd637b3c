"""Whether a module can hold a KL call at all. Its text mentions one, but so does a comment, a docstring, or a variable
that is called `kl_div`; most files that mention a divergence only so are large.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kl_lint.flow.lines import whole
from kl_lint.flow.syntax import walk_rows

__all__ = ["Presence", "presence_of"]

EXACT = frozenset({"kl_div", "KLDivLoss"})
"""The names under which torch has the divergence."""
PART = "KLDiv"
"""What the name of a project's own kind of KLDivLoss has in it."""
MENTION = re.compile(f"kl_div|{PART}")


@dataclass(frozen=True, slots=True)
class Presence:
    """How a module names a KL divergence: by a name of torch's own (`named`), or only by names of a project's own that
    it imports (`imported`).
    """

    named: bool
    imported: frozenset[str] = frozenset()


def presence_of(tree: ast.Module, lines: Sequence[str]) -> Presence:
    """The identifiers of a module, and the strings that are one, which can stand for a KL divergence.

    A name that is only assigned to, or defined, is none: what it stands for would have to be named too.
    """
    text = whole(lines)
    rows = rows_of(MENTION, text)
    for listed in tree.body:
        if isinstance(listed, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and "__all__" in names_stored(listed):
            rows = [row for row in rows if not listed.lineno <= row <= (listed.end_lineno or row)]
    starred = "import *" in text
    imported: set[str] = set()
    for node in walk_rows(tree, rows):
        match node:
            case ast.alias(name=name) if name.rpartition(".")[2] not in EXACT:
                if PART in name:
                    imported.add(node.asname or name)
            case ast.alias():
                return Presence(named=True)
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in EXACT or PART in name:
                return Presence(named=True)
            case ast.Name(id=name) if starred and (name in EXACT or PART in name):
                return Presence(named=True)
            case ast.Constant(value=str() as name) | ast.arg(arg=name) if name in EXACT:
                return Presence(named=True)
            case _:
                pass
    return Presence(named=False, imported=frozenset(imported))


def rows_of(pattern: re.Pattern[str], text: str) -> list[int]:
    """The rows (1-based) on which a pattern stands, each once."""
    rows: list[int] = []
    row, start = 1, 0
    for found in pattern.finditer(text):
        row += text.count("\n", start, found.start())
        start = found.start()
        if not rows or rows[-1] != row:
            rows.append(row)
    return rows


def names_stored(statement: ast.Assign | ast.AugAssign | ast.AnnAssign) -> list[str]:
    """The names that a top-level assignment binds."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]
