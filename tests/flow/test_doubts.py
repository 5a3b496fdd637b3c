"""A test that asks what a parameter holds: whoever wrote it deals with more than one kind of tensor, and so nothing is
taken for certain of it in the arms; unlike a test of its shape, and one that only refuses what is no distribution.
"""

from __future__ import annotations

import textwrap

import pytest

from kl_lint import check_source
from tests.flow.programs import PRELUDE

DISPATCHING = {
    "by_its_signs": """
        def divergence(p, q):
            if p.min() < 0:
                return F.kl_div(p, q, reduction="batchmean")
            return F.kl_div(p.log(), q, reduction="batchmean")
    """,
    "by_the_sign_of_any": """
        def divergence(p, q):
            if (p < 0).any().item():
                loss = F.kl_div(p, q, reduction="batchmean")
            else:
                loss = F.kl_div(p.log(), q, reduction="batchmean")
            return loss
    """,
    "by_a_helper": """
        def is_distribution(t):
            return torch.allclose(t.sum(-1), torch.ones(()), atol=1e-4)
        def divergence(p, q):
            if not is_distribution(p):
                return F.kl_div(p, q, reduction="batchmean")
            return F.kl_div(torch.log(p), q, reduction="batchmean")
    """,
    "by_a_method": """
        class Loss(nn.Module):
            def is_log(self, t):
                return bool(t.max() <= 0)
            def forward(self, p, q):
                if self.is_log(p):
                    return F.kl_div(p, q, reduction="batchmean")
                return F.kl_div(p.log(), q, reduction="batchmean")
        divergence = Loss()
    """,
    "by_its_sum_in_a_chain": """
        def divergence(p, q):
            if p.dim() == 1:
                p, q = p[None], q[None]
            if torch.exp(p).sum(-1).allclose(torch.ones(())):
                return F.kl_div(p, q, reduction="batchmean")
            elif torch.allclose(p.sum(-1), torch.ones(())):
                return F.kl_div(p.log(), q, reduction="batchmean")
            else:
                return F.kl_div(F.log_softmax(p, -1), q, reduction="batchmean")
    """,
    "by_the_other_one": """
        def divergence(p, q):
            if q.max() <= 0:
                return F.kl_div(p.log() if p.min() >= 0 else p, q, reduction="batchmean", log_target=True)
            return F.kl_div(p.log() if p.min() >= 0 else p, q, reduction="batchmean")
    """,
}
KINDS = {
    "probabilities": "divergence(torch.softmax(x, -1), torch.softmax(y, -1))",
    "log_probabilities": "divergence(torch.log_softmax(x, -1), torch.softmax(y, -1))",
    "log_target": "divergence(torch.log_softmax(x, -1), torch.log_softmax(y, -1))",
}


def codes(program: str, call: str) -> set[str]:
    """What is reported of a program that ends in a call."""
    text = textwrap.dedent(program)
    return {finding.code for finding in check_source(f"{PRELUDE}{text}\n\ndef use(x, y):\n    return {call}\n")}


@pytest.mark.parametrize("kind", ["probabilities", "log_probabilities"])
@pytest.mark.parametrize("name", DISPATCHING)
def test_what_tells_the_kinds_apart_is_not_reported_for_either(name: str, kind: str) -> None:
    assert codes(DISPATCHING[name], KINDS[kind]) == set()


def test_a_target_that_is_told_apart_by_its_signs() -> None:
    assert codes(DISPATCHING["by_the_other_one"], KINDS["log_target"]) == set()


def test_a_target_that_is_told_apart_by_its_type() -> None:
    program = """
        def divergence(x, t):
            if t.dtype == torch.long:
                return F.kl_div(x, F.one_hot(t, 10).float(), reduction="batchmean")
            elif t.is_floating_point():
                return F.kl_div(x, t, reduction="batchmean", log_target=bool((t < 0).any()))
    """
    assert codes(program, KINDS["log_target"]) == set()


def test_one_tensor_that_is_told_from_two() -> None:
    program = """
        def divergence(s, t):
            if s is t:
                return s.new_zeros(())
            return F.kl_div(s.log_softmax(-1), t.softmax(-1), reduction="batchmean")
    """
    assert codes(program, "divergence(x, x)") == set()


REFUSING = {
    "with_an_exception": """
            if p.min() < 0:
                raise ValueError(f"{p.min()} is no probability")
    """,
    "with_an_assertion": """
            assert (p >= 0).all()
    """,
    "what_is_nothing": """
            if p.sum() == 0:
                return q.new_zeros(())
    """,
    "what_is_not_a_number": """
            if torch.isnan(p).any() or not p.isfinite().all():
                return p.sum()
    """,
    "by_its_shape": """
            if p.shape != q.shape or p.size(0) < 2 or len(p) < 2 or p.dim() > 3 or p.device != q.device:
                return p.sum()
    """,
    "by_what_it_is_not": """
            if p is None or not isinstance(p, torch.Tensor) or not p.requires_grad:
                return p
    """,
    "after_which_it_is_told": """
            if p.max() > 0.99:
                print("sure of itself", p.max())
    """,
}


@pytest.mark.parametrize("name", REFUSING)
def test_what_is_refused_is_reported_all_the_same(name: str) -> None:
    check = textwrap.dedent(REFUSING[name]).strip("\n")
    program = f'def divergence(p, q):\n{textwrap.indent(check, "    ")}\n    return F.kl_div(p, q, reduction="batchmean")\n'
    assert codes(program, KINDS["probabilities"]) == {"KLD101"}


def test_a_variable_that_the_function_made_itself_is_known() -> None:
    program = """
        def divergence(x, q):
            p = torch.softmax(x, -1)
            if p.max() > 0.9:
                return F.kl_div(p, q, reduction="batchmean")
            return F.kl_div(p.log(), q, reduction="batchmean")
    """
    assert codes(program, "divergence(x, y)") == {"KLD101", "KLD105"}
