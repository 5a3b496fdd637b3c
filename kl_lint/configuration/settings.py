"""What is in force, and who said so."""

from __future__ import annotations

import os

from kl_lint.configuration.options import OPTIONS, Option
from kl_lint.selection import Selection
from kl_lint.sources.exclusion import Exclusion

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kl_lint.configuration.returns import Return

__all__ = ["Layer", "Settings"]


class Layer:
    """Values that one source gives to options, by name.

    `origin` is what the source is called; paths in its patterns are seen from `directory`, an absolute path.
    """

    __slots__ = ("directory", "origin", "values")

    def __init__(self, origin: str, directory: str, values: Mapping[str, object]) -> None:
        self.origin = origin
        self.directory = directory
        self.values = values


_BUILT_IN = Layer("default", os.sep, {option.name: option.default for option in OPTIONS})


class Settings:
    """The value of each option. Of several layers that give it one, the last decides."""

    __slots__ = (
        "_layers", "across_files", "enable", "exclude", "extend_exclude", "fixable", "ignore", "jobs",
        "output_format", "per_file_ignores", "returns", "select", "selection", "unfixable", "unsafe_fixes",
    )  # fmt: skip

    def __init__(self, *layers: Layer) -> None:
        self._layers = {name: layer for layer in (_BUILT_IN, *layers) for name in layer.values}
        values: dict[str, Any] = {name: layer.values[name] for name, layer in self._layers.items()}
        self.select: tuple[str, ...] = values["select"]
        self.ignore: tuple[str, ...] = values["ignore"]
        self.enable: tuple[str, ...] = values["enable"]
        self.per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = values["per-file-ignores"]
        self.returns: tuple[Return, ...] = values["returns"]
        self.across_files: bool = values["across-files"]
        self.exclude: tuple[str, ...] = values["exclude"]
        self.extend_exclude: tuple[str, ...] = values["extend-exclude"]
        self.fixable: tuple[str, ...] = values["fixable"]
        self.unfixable: tuple[str, ...] = values["unfixable"]
        self.unsafe_fixes: bool = values["unsafe-fixes"]
        self.output_format: str = values["output-format"]
        self.jobs: int | str = values["jobs"]
        self.selection = self._selection(self.ignore)

    def layer(self, option: Option) -> Layer:
        """Where the value of `option` comes from."""
        return self._layers[option.name]

    def selection_for(self, path: str) -> Selection:
        """The rules that count in the file at `path`: `selection`, without those of `per-file-ignores`."""
        directory = self._layers["per-file-ignores"].directory
        more = [code for pattern, codes in self.per_file_ignores if _names(pattern, path, directory) for code in codes]
        return self._selection((*self.ignore, *more)) if more else self.selection

    def _selection(self, ignore: tuple[str, ...]) -> Selection:
        return Selection(self.select, ignore, self.enable, fixable=self.fixable, unfixable=self.unfixable)

    def exclusion(self) -> Exclusion:
        """The files and directories that are left out."""
        patterns = {"exclude": self.exclude, "extend-exclude": self.extend_exclude}
        return Exclusion(
            [_anchored(each, self._layers[name].directory) for name, listed in patterns.items() for each in listed]
        )


def _anchored(pattern: str, directory: str) -> str:
    """`pattern`, and one with a slash in it as seen from `directory`."""
    tidy = pattern.rstrip("/" + os.sep)
    return os.path.join(_literal(directory), tidy) if "/" in tidy or os.sep in tidy else pattern


def _literal(path: str) -> str:
    """The pattern that matches `path` alone."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


def _names(pattern: str, path: str, directory: str) -> bool:
    """Whether `pattern` names the file at `path`, or a directory on the way to it from `directory`."""
    exclusion = Exclusion([_anchored(pattern, directory)])
    place, below = os.path.abspath(path), os.path.join(directory, "")
    if exclusion.excludes(os.path.basename(place), place):
        return True
    while (place := os.path.dirname(place)) != directory and place.startswith(below):
        if exclusion.excludes(os.path.basename(place), place):
            return True
    return False
