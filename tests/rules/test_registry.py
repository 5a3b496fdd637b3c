"""The list of rules: the one that the project promises, and no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kl_lint.finding import Applicability
from kl_lint.rules import CALL_RULES, CODES, HANDWRITTEN_RULES, RULES, Rule, rule
from kl_lint.selection import OPT_IN

PROMISED = """
| KLD101 | probabilities-as-input | yes | unsafe |
| KLD102 | logits-as-input | yes | unsafe |
| KLD103 | log-of-log-probabilities | yes | unsafe |
| KLD104 | normalized-twice | yes | unsafe |
| KLD105 | log-of-softmax | yes | safe; unsafe when an epsilon or clamp goes |
| KLD106 | wrong-logarithm | yes | unsafe |
| KLD107 | bernoulli-with-one-term | yes | none |
| KLD201 | default-reduction | yes | unsafe |
| KLD202 | mean-reduction | yes | unsafe |
| KLD203 | reduction-as-size-average | yes | unsafe |
| KLD204 | legacy-reduction-arguments | yes | safe |
| KLD205 | mean-over-classes | yes | unsafe |
| KLD206 | invalid-reduction | yes | unsafe where the intent is plain |
| KLD207 | batchmean-without-batch | yes | unsafe |
| KLD208 | batchmean-over-positions | no | none |
| KLD301 | log-target-not-declared | yes | unsafe |
| KLD302 | log-target-on-probabilities | yes | unsafe |
| KLD303 | logits-as-target | yes | unsafe |
| KLD304 | indices-as-target | yes | none |
| KLD305 | differentiable-probability-target | no | safe |
| KLD401 | swapped-arguments | yes | unsafe |
| KLD402 | same-distribution-twice | yes | none |
| KLD501 | different-dims | yes | none |
| KLD502 | implicit-dim | yes | safe where the rank is proved |
| KLD503 | partial-distribution | yes | none |
| KLD504 | different-temperatures | no | none |
| KLD505 | masked-with-infinity | yes | none |
| KLD601 | handwritten-divergence | no | safe |
"""


def row(one: Rule) -> str:
    return f"| {one.code} | {one.name} | {'no' if one.opt_in else 'yes'} | {one.fix} |"


def test_rules_are_the_promised_ones() -> None:
    assert [row(one) for one in RULES] == PROMISED.strip().split("\n")


def test_registry_is_sorted_and_whole() -> None:
    assert [*CODES] == sorted({one.code for one in CALL_RULES} | {one.code for one in HANDWRITTEN_RULES})


def test_opt_in_codes_are_known_before_the_rules_are_loaded() -> None:
    assert tuple(one.code for one in RULES if one.opt_in) == OPT_IN


def test_rule_by_code() -> None:
    assert rule("KLD401").name == "swapped-arguments"
    with pytest.raises(KeyError):
        rule("KLD999")


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)
def test_class_is_named_for_its_rule(one: Rule) -> None:
    words = one.name.split("-")
    assert type(one).__name__.lower() == "".join(words)
    assert (type(one).__doc__ or "").startswith(f"{one.code}: ")


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)
def test_rule_stands_in_the_module_of_its_family(one: Rule) -> None:
    families = {
        "1": "inputs",
        "2": "reductions",
        "3": "targets",
        "4": "order",
        "5": "normalization",
        "6": "handwritten",
    }
    assert type(one).__module__ == f"kl_lint.rules.{families[one.code[3]]}"


def test_fix_kinds_say_how_far_they_may_be_trusted() -> None:
    assert {one.fix.applicability for one in RULES} == {None, Applicability.SAFE, Applicability.UNSAFE}


def test_importing_the_rules_loads_neither_torch_nor_libcst() -> None:
    heavy = "torch", "numpy", "libcst", "difflib", "flake8"
    code = f"import sys, kl_lint.rules; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
