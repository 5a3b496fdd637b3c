"""How far a run has come, shown to who waits for it at a terminal."""

from __future__ import annotations

import os
import sys
from time import monotonic

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import NoReturn, TypeVar

    from tqdm import tqdm

    Item = TypeVar("Item")

__all__ = ["progress"]

PATIENCE = 1.0
"""Seconds that a run may take before a bar is shown."""


def progress(outcomes: Iterable[Item | None], total: int) -> Iterator[Item | None]:
    """`outcomes`, of which there are `total`, while a bar on standard error counts them; it is gone at the end.

    There is none before a run has taken `PATIENCE`, and none where nobody looks: in a pipe, in CI. It makes way before
    each outcome that has something to tell, which is one that is not None.
    """
    if not _is_watched():
        yield from outcomes
        return
    begin, bar = monotonic(), None
    try:
        for done, outcome in enumerate(outcomes, start=1):
            if bar is None and monotonic() - begin >= PATIENCE:
                bar = _bar(total, done)
            if bar is None:
                yield outcome
            elif outcome is None:
                bar.update(done - bar.n)
                yield None
            else:
                bar.clear()
                yield outcome
                bar.n = done
                bar.refresh()
    finally:
        if bar is not None:
            bar.close()


def _is_watched() -> bool:
    """Whether standard error is a terminal on which a line can be written over."""
    if sys.stderr is None or os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stderr.isatty()


def _bar(total: int, done: int) -> tqdm[NoReturn]:
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no thread to watch over it: processes may yet be forked
    bar: tqdm[NoReturn] = tqdm(
        total=total,
        initial=done,
        desc="kl-lint",
        unit="file",
        bar_format="{desc}: {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} files",
        leave=False,
        miniters=1,
        dynamic_ncols=True,
    )
    return bar
