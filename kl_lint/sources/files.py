"""Which files to check, below the paths that were named, and standard input, which can be one of them."""

from __future__ import annotations

import os
import stat
from itertools import chain

from kl_lint.sources.decoding import NOTEBOOK
from kl_lint.sources.gitignore import above, extend
from kl_lint.sources.problem import Problem
from kl_lint.sources.reading import not_a_file, read, read_stdin, unreadable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kl_lint.sources.exclusion import Exclusion
    from kl_lint.sources.gitignore import Ignores

__all__ = ["SUFFIXES", "File", "Stdin", "find"]

SUFFIXES = (".py", ".pyi", NOTEBOOK)


class File:
    """A file to check: its path as its reader knows it, and the `.gitignore` files that have a say in it."""

    __slots__ = ("_ignores", "path")

    def __init__(self, path: str, ignores: Ignores | None = None) -> None:
        self.path = path
        self._ignores = ignores

    @property
    def ignored(self) -> bool:
        """Whether git ignores it. To be asked late, of the few files that have something to say: matching is slow."""
        return self._ignores is not None and self._ignores.match(os.path.abspath(self.path))

    def read(self) -> bytes:
        """The file's bytes. Raises Problem where they cannot be had."""
        return read(self.path)


class Stdin:
    """Standard input, under the name of the file that it holds."""

    __slots__ = ("path",)

    ignored = False

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> bytes:
        """Everything there is. Raises Problem where it cannot be had."""
        return read_stdin(self.path)


def find(
    paths: Sequence[str], exclusion: Exclusion, *, force: bool = False, suffixes: tuple[str, ...] = SUFFIXES
) -> Iterator[File | Problem]:
    """The Python files at and below `paths`, each once, whatever the order of `paths`; what could not be looked into,
    where it was met.

    Those below a directory are known by `suffixes`. A file that is named is always among them, whatever its name,
    unless `force` holds it to `exclusion` too. Below a directory come its files, then its subdirectories, both by name.
    Symbolic links to directories are not followed (there may be loops), those to files are. What is neither file nor
    directory is passed over, unless it was named.
    """
    wanted = [path for path in sorted(paths) if not (force and exclusion.excludes_path(path))]
    found = chain.from_iterable(_at(path, exclusion, suffixes) for path in wanted)
    return found if len(wanted) == 1 else _each_once(found)


def _each_once(items: Iterable[File | Problem]) -> Iterator[File | Problem]:
    seen: set[str] = set()
    for item in items:
        if isinstance(item, File):
            place = os.path.abspath(item.path)
            if place in seen:
                continue
            seen.add(place)
        yield item


def _at(path: str, exclusion: Exclusion, suffixes: tuple[str, ...]) -> Iterator[File | Problem]:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        yield unreadable(path, error)
        return
    if stat.S_ISDIR(mode):
        yield from _below(path, exclusion, suffixes)
    elif stat.S_ISREG(mode):
        yield File(path)
    else:
        yield not_a_file(path, mode)


def _below(top: str, exclusion: Exclusion, suffixes: tuple[str, ...]) -> Iterator[File | Problem]:
    """The Python files below the directory `top`, which is looked into whatever its name."""
    pending = [(top, above(top))]
    while pending:
        directory, ignores = pending.pop()
        try:
            with os.scandir(directory) as entries:
                listing = sorted(entries, key=_name)
        except OSError as error:
            yield unreadable(directory, error)
            continue
        names = [entry.name for entry in listing]
        if "pyvenv.cfg" in names and directory != top:
            continue  # a virtual environment, whatever it is called
        ignores = extend(ignores, directory, names)
        yield from (File(_path(entry), ignores) for entry in listing if _is_source(entry, exclusion, suffixes))
        subdirectories = [_path(entry) for entry in listing if _is_open(entry, exclusion, ignores)]
        pending.extend((path, ignores) for path in reversed(subdirectories))


def _is_source(entry: os.DirEntry[str], exclusion: Exclusion, suffixes: tuple[str, ...]) -> bool:
    if not entry.name.endswith(suffixes) or exclusion.excludes(entry.name, entry.path):
        return False
    try:
        return entry.is_file()
    except OSError:
        return False  # a loop of symbolic links has no content to check


def _is_open(entry: os.DirEntry[str], exclusion: Exclusion, ignores: Ignores | None) -> bool:
    """Whether `entry` is a directory to look into."""
    if not entry.is_dir(follow_symlinks=False) or exclusion.excludes(entry.name, entry.path):
        return False
    return ignores is None or not ignores.match(os.path.abspath(entry.path), directory=True)


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _path(entry: os.DirEntry[str]) -> str:
    """Where `entry` is: below `.`, without the `./` that says nothing."""
    here = os.curdir + os.sep
    return entry.path[len(here) :] if entry.path.startswith(here) else entry.path
