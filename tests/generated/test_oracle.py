"""What the oracle holds against a report, and what it lets pass."""

from __future__ import annotations

import pytest
import torch

from kl_lint.finding import Finding
from tests.generated.examination import Examined, contradictions, false_claims, sites
from tests.generated.oracle import close

CUTS = ("[:, :4]", ".narrow(1, 0, 4)")


def one_hot(cut: str) -> Examined:
    """A target of one-hot rows, or some columns of them; the largest score is among the first four."""
    source = f"""import torch.nn.functional as F


def loss(x, y, w, flag, opaque, seen):
    q = F.one_hot(y.reshape(1, 5).argmax(-1), 5).double()
    return F.kl_div(F.log_softmax(x.reshape(1, 5){cut}, -1), q{cut}, reduction="sum")
"""
    return Examined(source, (5,))


def forged(code: str, examined: Examined) -> Examined:
    """The program, with one report of its target and no others."""
    ((_, site),) = sites(examined)
    target = site.contexts[0].variants[0].target
    assert target is not None
    finding = Finding(code, "forged", "forged", examined.name, target.span, site.span.row)
    examined.__dict__["findings"] = (finding,)
    return examined


@pytest.mark.parametrize("cut", CUTS)
def test_columns_that_happen_to_hold_all_the_mass_are_no_contradiction(cut: str) -> None:
    examined = one_hot(cut)
    assert examined.runs[0].divergences[0].target.sum() == 1
    assert [finding.code for finding in examined.findings] == ["KLD503"]
    assert not [*contradictions(examined)]
    assert not [*false_claims(examined)]


def test_one_hot_rows_that_are_whole_contradict_a_report_of_a_part() -> None:
    assert len([*contradictions(forged("KLD503", one_hot("")))]) == 1
    assert not [*contradictions(forged("KLD503", one_hot(CUTS[0])))]


def test_a_claim_that_such_columns_are_whole_is_false() -> None:
    """Of an unknown rank, kl-lint presumes that rows are selected; a single row shows that they were columns."""
    source = """import torch.nn.functional as F


def loss(x, y, w, flag, opaque, seen):
    q = F.one_hot(y.argmax(-1), 5).double()
    return F.kl_div(F.log_softmax(x[:4], -1), q[:4], reduction="sum")
"""
    examined = Examined(source, (5,))
    assert examined.runs[0].divergences[0].target.sum() == 1
    assert len([*false_claims(examined)]) == 1


def test_numbers_of_two_precisions_can_be_equal() -> None:
    assert close(torch.tensor(1.5), torch.tensor(1.5 + 1e-7, dtype=torch.float64))
    assert not close(torch.tensor(1.5), torch.tensor(1.6, dtype=torch.float64))
