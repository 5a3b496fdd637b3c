"""What the tests have in common: what of them is not measured."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_tracer_in_children(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test without a tracer starts has none either."""
    if request.node.get_closest_marker("no_cover") is not None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
