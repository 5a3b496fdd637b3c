"""Every way of naming the callee: imports, aliases, attributes, and names that are not torch's at all."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PRELUDE, PROBS, UNKNOWN, Case, case, check

IMPORTS: tuple[Case, ...] = (
    case("torch_nn_functional_as_f", """
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    """, [GOOD]),
)


@pytest.mark.parametrize("example", IMPORTS, ids=lambda example: example.name)
def test_imports(example: Case) -> None:
    check(example)
