"""Which functions of a file may change what they are given, however they are asked for."""

from __future__ import annotations

import ast
from itertools import permutations

from kl_lint.flow.slicing import Changers

TEXT = """
def writes(x, n): x.append(n)
def hands(y, n): return writes(y, n)
def circles(z, n): return other(z, n)
def other(z, n): return circles(z, n), hands(z, n)
def alone(z, n): return lonely(z, n)
def lonely(z, n): return alone(z, n)
def local(z, n): return hands([], 1)
"""
CHANGE = {"writes", "hands", "circles", "other"}
NONE = {"alone", "lonely", "local"}


def test_a_function_changes_what_one_does_that_it_hands_it_to() -> None:
    for asked in permutations(sorted(CHANGE | NONE), 3):
        changers = Changers(ast.parse(TEXT).body)
        for name in asked:
            assert changers.among([name]) == {name} & CHANGE
        assert changers.among([*CHANGE, *NONE, "elsewhere"]) == CHANGE
