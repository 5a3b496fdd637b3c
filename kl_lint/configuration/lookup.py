"""Which settings hold for which file: those of the nearest `pyproject.toml` above it, and of the command line."""

from __future__ import annotations

import os

from kl_lint.configuration.pyproject import WrongConfiguration, read_options
from kl_lint.configuration.settings import Layer, Settings

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Configuration"]


class Configuration:
    """The settings of every directory, each looked up once.

    `given` are the options of the command line, or of what stands for it, by name; they count more than any file's.
    The options of `file`, where it is given, hold everywhere; where `isolated`, no file's do. Paths in both are seen
    from `directory`, the working directory unless it is given. No file above `root` counts, where that is given.

    Raises WrongConfiguration where `file` cannot be followed; so does each method where a file that it meets cannot be.
    """

    __slots__ = ("_everywhere", "_given", "_known", "_root")

    def __init__(
        self,
        given: Mapping[str, object] | None = None,
        *,
        file: str | None = None,
        isolated: bool = False,
        directory: str | None = None,
        root: str | None = None,
    ) -> None:
        try:
            here = directory or os.getcwd()
        except OSError as error:
            raise WrongConfiguration("the working directory is gone; change to one that is there") from error
        self._given = Layer("command line", here, given or {})
        self._known: dict[str, Settings] = {}
        self._root = root
        self._everywhere: Settings | None = None
        if file is not None:
            self._everywhere = Settings(Layer(file, here, _required(file)), self._given)
        elif isolated:
            self._everywhere = Settings(self._given)

    @property
    def here(self) -> Settings:
        """What holds in the working directory, and for all that concerns a run as a whole."""
        return self.within("")

    def of(self, path: str) -> Settings:
        """What holds for the file at `path`, which need not exist."""
        return self.within(os.path.dirname(path))

    def within(self, directory: str) -> Settings:
        """What holds for the files in `directory`, absolute or seen from the working directory."""
        return self._everywhere or self._known.get(directory) or self._find(directory)

    def _find(self, directory: str) -> Settings:
        place = os.path.abspath(directory)
        passed = [directory]
        while (settings := self._known.get(place) or self._begun_in(place)) is None:
            passed.append(place)
            place = os.path.dirname(place)
        self._known.update(dict.fromkeys([*passed, place], settings))
        return settings

    def _begun_in(self, directory: str) -> Settings | None:
        """The settings of `directory` where it has a file with options, or nothing above it."""
        path = os.path.join(directory, "pyproject.toml")
        options = read_options(path) if os.path.isfile(path) else None
        if options is not None:
            return Settings(Layer(path, directory, options), self._given)
        return Settings(self._given) if directory in (self._root, os.path.dirname(directory)) else None


def _required(file: str) -> dict[str, object]:
    options = read_options(file)
    if options is None:
        raise WrongConfiguration(f"{file}: has no table [tool.kl_lint]; add one, or leave --config out")
    return options
