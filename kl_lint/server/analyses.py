"""Checking the texts that an editor holds: one after the other, and each state of them once."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from kl_lint.configuration.lookup import Configuration
from kl_lint.configuration.pyproject import WrongConfiguration
from kl_lint.configuration.settings import Settings
from kl_lint.flow.project import forget
from kl_lint.server.checking import Checked
from kl_lint.server.preferences import Preferences
from kl_lint.sources.problem import Problem

__all__ = ["Analyses", "Analysis", "Text", "analyse"]

_log = logging.getLogger(__name__)

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Text:
    """The content of `path` as an editor holds it, which calls it `uri`, in the workspace whose folder is `root`."""

    uri: str
    path: str
    content: str
    root: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What came of one text: `checked` is None where it is not Python at present, or there was no need any more.

    `troubles` says what is wrong with settings and configuration.
    """

    checked: Checked | None = None
    troubles: tuple[str, ...] = ()


class Analyses:
    """The analyses of the texts that an editor holds.

    Whoever changes one of them, or anything else that an analysis depends on, calls `expire`. Analyses are made in a
    thread of their own, which nothing else uses: what the analysis remembers of a project is no matter for two.
    """

    def __init__(self) -> None:
        self.preferences = Preferences()
        self.state = 0
        """How often anything has changed that an analysis depends on."""
        self._known: dict[str, tuple[int, asyncio.Task[Analysis]]] = {}
        self._configurations: dict[str, Configuration] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kl-lint")

    def expire(self) -> None:
        """Whatever is known is of the past."""
        self.state += 1

    def reload(self) -> None:
        """Files have changed: read configuration and projects again."""
        self.expire()
        self._worker.submit(self._forget)

    def _forget(self) -> None:
        self._configurations.clear()
        forget()

    async def run(
        self, function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """What `function` gives, called where analyses are made."""
        return await asyncio.wrap_future(self._worker.submit(function, *args, **kwargs))

    async def of(self, text: Text, unsaved: Mapping[str, str]) -> Analysis:
        """The analysis of `text` in the present state, in which the editor holds the texts `unsaved`, by path."""
        known = self._known.get(text.uri)
        if known is None or known[0] != self.state:
            task = asyncio.create_task(self.run(self._analyse, text, unsaved, self.preferences, self.state))
            known = self._known[text.uri] = (self.state, task)
        return await asyncio.shield(known[1])  # whoever gives up waiting is not the only one who waits

    def drop(self, uri: str) -> None:
        """Forget the analysis of a text that the editor no longer holds."""
        self._known.pop(uri, None)
        self.expire()

    def _analyse(self, text: Text, unsaved: Mapping[str, str], preferences: Preferences, state: int) -> Analysis:
        if state != self.state:
            return Analysis()
        return analyse(text, unsaved, preferences, self._configurations)


def analyse(
    text: Text, unsaved: Mapping[str, str], preferences: Preferences, known: dict[str, Configuration]
) -> Analysis:
    """The analysis of `text`, where an editor holds the texts `unsaved`, by path. Never raises.

    `known` are the configurations that have been read, by root.
    """
    try:
        settings, troubles = _settings(text, preferences, known)
        left_out = settings.exclusion().excludes_path(text.path, text.root)
        # a file that is left out is as good as an empty one
        checked = Checked(text.path, "" if left_out else text.content, settings, unsaved)
        if checked.note is not None:
            _log.warning("%s", checked.note)
        return Analysis(checked, troubles)
    except Problem:
        return Analysis()
    except Exception:
        _log.exception("%s could not be checked; please report this", text.path)
        return Analysis()


def _settings(
    text: Text, preferences: Preferences, known: dict[str, Configuration]
) -> tuple[Settings, tuple[str, ...]]:
    """What holds for `text`, and what is wrong with it; where a file is, what holds without files."""
    root = os.path.abspath(text.root)
    try:
        if root not in known:
            known[root] = Configuration(preferences.options, directory=root)
        return known[root].of(text.path), preferences.troubles
    except WrongConfiguration as wrong:
        without = Configuration(preferences.options, isolated=True, directory=root)
        return without.of(text.path), (*preferences.troubles, *wrong.troubles)
