"""Doing something once nothing has happened for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Delayed"]


class Delayed:
    """`action`, done `seconds` after it was last asked for, however often it was."""

    __slots__ = ("_action", "_seconds", "_timer")

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self._seconds = seconds
        self._action = action
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> None:
        """Ask for it."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._action)
