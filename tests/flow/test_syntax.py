"""Walking finds what `ast.walk` finds, whatever stands in the tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kl_lint
from kl_lint.flow.syntax import nodes_of, walk

SKIPPED = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)

TEXTS = {
    "keys that are none": "{**a, 'b': c}",
    "defaults that are none": "def f(a, *, b, c=d): ...\nlambda *, e, f=g: e",
    "arguments": "def f(a, /, b: int = 1, *args: c, d=2, **rest: e) -> g: ...",
    "handlers": "try:\n    a\nexcept b as c:\n    d\nelse:\n    e\nfinally:\n    f",
    "patterns": "match a:\n    case {'b': c, **d}: e\n    case [f, *_] if g: h\n    case None | I(j=k): l",
    "slices": "a[b:c, ::d]; e[f] = g",
    **{path.name: path.read_text("utf-8") for path in sorted((Path(kl_lint.__file__).parent / "flow").glob("c*.py"))},
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_node_is_found(text: str) -> None:
    tree = ast.parse(text)
    every = [node for node in ast.walk(tree) if not isinstance(node, SKIPPED)]
    assert walk(tree) == every
    assert list(nodes_of(tree)) == list(nodes_of(tree)) == every
