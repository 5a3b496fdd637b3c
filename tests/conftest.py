"""What the tests have in common: what of them is not measured.

`no_cover` pauses the tracer that a worker of xdist starts for its session. The two that coverage and pytest-cov start
in a worker before that would go on in its place, so they are ended.
"""

from __future__ import annotations

import os

import pytest

OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""What coverage sets: a Python that starts with it begins to trace by itself."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """No worker traces from its start."""
    os.environ.pop(OF_CHILDREN, None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """No worker traces as if it were the one that has workers."""
    coverage = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and coverage is not None and coverage.cov_controller is not None:
        coverage.cov_controller.pause()


@pytest.fixture(autouse=True)
def _no_tracer_in_children(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test without a tracer starts has none either."""
    if request.node.get_closest_marker("no_cover") is not None:
        monkeypatch.delenv(OF_CHILDREN, raising=False)
