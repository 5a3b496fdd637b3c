"""Why a fix is not carried out."""

from __future__ import annotations

__all__ = ["OVERLAP", "Refused"]

OVERLAP = "another fix rewrites the same place"
"""The one reason that may be gone in the next round."""


class Refused(Exception):
    """A fix cannot be carried out; the reason is for the person who asked for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
