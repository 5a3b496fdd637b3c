"""That changes in quick succession lead to one check, on a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kl_lint.server.app import DELAY, Server
from kl_lint.server.delay import Delayed


class Clock:
    """A loop whose timers go off when they are told to."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Set a timer."""
        self.timers.append(Timer(seconds, action))
        return self.timers[-1]

    def pending(self) -> list[Timer]:
        """The timers that will go off."""
        return [timer for timer in self.timers if not timer.cancelled]


class Timer:
    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self.seconds = seconds
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        """Never go off."""
        self.cancelled = True


def test_the_last_of_many_requests_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, done = Clock(), []
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    delayed = Delayed(0.5, lambda: done.append("it"))
    for _ in range(3):
        delayed()
    (timer,) = clock.pending()
    assert timer is clock.timers[2]
    assert (timer.seconds, done) == (0.5, [])
    timer.action()
    delayed()
    assert len(clock.timers) == 4
    assert done == ["it"]


def test_the_server_waits_for_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    server = Server()
    server.tell_later()
    server.tell_later()
    (timer,) = clock.pending()
    assert timer.seconds == DELAY > 0
    assert timer.action == server.tell_soon
