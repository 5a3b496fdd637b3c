"""The files of one project: found, read and parsed when an import asks for them, and seldom more than once.

Nothing outside the project's root is read: no link is followed out of it, and the size of a file is bounded. How many
files one analysis looks into is bounded as well (modules, callers).
"""

from __future__ import annotations

import ast
import gc
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from kl_lint.flow.lines import Lines
from kl_lint.flow.source import Source

__all__ = ["Project", "project_of", "root_of"]

MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
MOST_FILES = 400
"""How many parsed files of a project are kept."""
MOST_BYTES = 1 << 20
"""The largest file that is read."""
MOST_SEARCHED = 12_000_000
"""How many bytes are searched for the callers of what one file defines."""
SKIPPED = frozenset({"__pycache__", "node_modules", "build", "dist", "site-packages"})
TELLING = tuple(
    b"softmax Softmax softmin Softmin kl_div KLDiv logsumexp log_prob one_hot logsigmoid log_sigmoid Logsigmoid "
    b"Log_sigmoid Sigmoid Categorical .log( .exp( .sigmoid( F.normalize nn.Linear(".split()
)
"""What the text of a file says that makes, or moves, a distribution."""
OPERATION = re.compile(rb"torch\.(?:log|exp|sigmoid)\b")
"""What else does."""
DEFINED = re.compile(rb"^[ \t]*(?:async[ ]+)?(?:def|class)[ ]+([A-Za-z_0-9]+)", re.MULTILINE)
IMPORTED = re.compile(rb"^from[ ]+(\.|[A-Za-z_0-9]+)", re.MULTILINE)
"""The first word of what a file imports from."""
SMALL = 8_000
"""Bytes up to which a file is read that tells of no distribution itself, where it may hand on what another makes."""
RENAMING = re.compile(rb"^from[ ]\.[\w.]*[ ]import[ ](?:[^\n(]*|\([^()]*)\sas\s", re.MULTILINE)
"""What the text of a file says that imports something of its own package under another name."""
SOURCE_FOLDERS = ("", "src", "lib", "python")


def root_of(path: str) -> str:
    """The project that holds a file: the nearest folder with a project's marker, else the one that holds its
    outermost package.
    """
    folder = os.path.dirname(os.path.abspath(path))
    package = folder
    while os.path.isfile(os.path.join(package, "__init__.py")) and os.path.dirname(package) != package:
        package = os.path.dirname(package)
    here = folder
    while True:
        if any(os.path.exists(os.path.join(here, marker)) for marker in MARKERS):
            return here
        above = os.path.dirname(here)
        if above == here:
            return package
        here = above


def project_of(path: str, unsaved: Mapping[str, str] | None = None) -> Project | None:
    """The project of a file that exists, the same for all its files; None for a name that is no file's.

    `unsaved` are texts that stand for files as an editor holds them, by path; each of them exists.
    """
    held = unsaved or {}
    if path not in held and not os.path.isfile(path):
        return None
    project = shared(root_of(path))
    project.hold(held)
    return project


def forget() -> None:
    """Forget what has been read of every project: for a process that lives on while files come and go."""
    shared.cache_clear()


@lru_cache(maxsize=4)
def shared(root: str) -> Project:
    """The project at a root: what it has read is kept for as long as the process lives, and read again where it has
    changed.
    """
    return Project(root)


@dataclass(slots=True, eq=False)
class Project:
    """The modules of one project below `root`, parsed lazily and kept for the run."""

    root: str
    _sources: dict[str, tuple[object, Source | None]] = field(default_factory=dict)
    _located: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """The files of modules, as those of a folder import them."""
    _placed: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """The files of modules below a folder."""
    _packages: dict[str, str] = field(default_factory=dict)
    """Of a folder, the one that holds its outermost package."""
    _entries: dict[str, frozenset[str]] = field(default_factory=dict)
    """What is in a folder."""
    _homes: dict[str, str] = field(default_factory=dict)
    """The real folders of files."""
    _folders: dict[str, tuple[tuple[str, ...], dict[str, bytes]]] = field(default_factory=dict)
    _real: dict[str, str] = field(default_factory=dict)
    """The real paths of folders."""
    _defined: dict[str, tuple[object, frozenset[str] | None]] = field(default_factory=dict)
    """Of a file, as it was: what it defines, where its text tells of no distributions."""
    _unsaved: dict[str, str] = field(default_factory=dict)
    """Texts that stand for files as an editor holds them, by real path."""

    def __post_init__(self) -> None:
        self.root = os.path.realpath(self.root)

    def hold(self, unsaved: Mapping[str, str]) -> None:
        """Let these texts, and no others, stand for files. What is known of all other files is kept."""
        held = {os.path.realpath(path): text for path, text in unsaved.items()}
        if held.keys() != self._unsaved.keys():
            self._located.clear()
            self._placed.clear()  # a module may be found where none was, and the other way round
        self._unsaved = held

    # --- modules -----------------------------------------------------------------------------------------------------

    def locate(self, module: str, importer: str) -> str | None:
        """The file of an absolute dotted module name, as `importer` would import it; a folder where it is a namespace
        package.
        """
        base = self._home(importer)
        key = (module, base)
        if key not in self._located:
            found = (self.inside(root, module) for root in self._roots(base))
            self._located[key] = next((path for path in found if path is not None), None)
        return self._located[key]

    def relative(self, level: int, module: str, importer: str) -> str | None:
        """The file of a relative import: `from ..a import b` is level 2, module `a`."""
        folder = self._home(importer)
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        return self.inside(folder, module)

    def _roots(self, base: str) -> Iterator[str]:
        """Where the modules may be that the files of a folder import, each once."""
        roots = (os.path.join(self.root, name) if name else self.root for name in SOURCE_FOLDERS)
        return iter(dict.fromkeys([self._package(base), *roots, base]))

    def _package(self, base: str) -> str:
        """The folder that holds the outermost package that a folder is in."""
        if base not in self._packages:
            package = base
            while os.path.isfile(os.path.join(package, "__init__.py")):
                package = os.path.dirname(package)
            self._packages[base] = package
        return self._packages[base]

    def _home(self, path: str) -> str:
        """The real folder of a file."""
        if path not in self._homes:
            self._homes[path] = os.path.dirname(os.path.realpath(path))
        return self._homes[path]

    def inside(self, folder: str, module: str) -> str | None:
        """The file of a dotted name below a folder."""
        key = (folder, module)
        if key not in self._placed:
            self._placed[key] = self._inside(folder, module) if self._may_hold(folder, module) else None
        return self._placed[key]

    def _may_hold(self, folder: str, module: str) -> bool:
        """Whether a folder has anything of the name that a dotted name begins with: of most it has not."""
        if self._unsaved or not module:
            return True
        if folder not in self._entries:
            try:
                self._entries[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._entries[folder] = frozenset()
        first = module.partition(".")[0]
        entries = self._entries[folder]
        return first in entries or f"{first}.py" in entries

    def _inside(self, folder: str, module: str) -> str | None:
        stem = os.path.join(folder, *module.split(".")) if module else folder
        for path in (f"{stem}.py" if module else "", os.path.join(stem, "__init__.py")):
            if path and self._ours(path) and (path in self._unsaved or os.path.isfile(path)):
                return path
        return stem if os.path.isdir(stem) and self._ours(stem) and stem != self.root else None

    def _ours(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        real = os.path.realpath(path) if os.path.islink(path) else os.path.join(self._real[folder], name)
        return real == self.root or real.startswith(self.root + os.sep)

    def source(self, path: str) -> Source | None:
        """A parsed file of the project; None where it cannot be read or parsed.

        While an unsaved text cannot be parsed, since it is being written, what it was before stands for it.
        """
        stamp = self._stamp(path)
        known = self._sources.get(path)
        if known is None or known[0] != stamp:
            if len(self._sources) >= MOST_FILES:
                del self._sources[next(iter(self._sources))]  # what is known must not depend on what was read before
            parsed = self._parsed(path)
            if parsed is None and known is not None and path in self._unsaved:
                parsed = known[1]
            known = self._sources[path] = (stamp, parsed)
        return known[1]

    def _stamp(self, path: str) -> object:
        """What changes when a file does."""
        if path in self._unsaved:
            return self._unsaved[path]
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    def computes_divergence(self, path: str) -> bool:
        """Whether the text of a file names a KL divergence of torch."""
        data = self._content(path)
        return data is not None and (b"KLDivLoss" in data or b"kl_div" in data)

    def promises(self, path: str, name: str) -> bool:
        """Whether what a file binds to a name may have to do with a distribution, by its text: asked before it is
        parsed.
        """
        stamp = self._stamp(path)
        known, defined = self._defined.get(path, (None, None))
        if stamp is None or known != stamp:
            data = self._content(path)
            if data is None:
                return False
            promising = tells(data) or self._hands_on(path, data)
            defined = None if promising else frozenset(word.decode() for word in DEFINED.findall(data))
            self._defined[path] = (stamp, defined)
        return defined is None or name not in defined

    def _hands_on(self, path: str, data: bytes) -> bool:
        """Whether a small file, such as a factory of models, imports from its project: what it defines may use that."""
        if len(data) > SMALL:
            return False
        modules = {word.decode() for word in IMPORTED.findall(data)}
        return any(one.startswith(".") or self.locate(one, path) is not None for one in modules)

    def _parsed(self, path: str) -> Source | None:
        text = self._unsaved.get(path)
        if text is None:
            text = decoded(self._read(path))
        if text is None:
            return None
        collecting = gc.isenabled()
        gc.disable()  # a tree is many objects and no garbage
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        finally:
            if collecting:
                gc.enable()
        return Source(path, Lines(text), tree)

    def _content(self, path: str) -> bytes | None:
        """What is to be searched for words."""
        return encoded(self._unsaved[path]) if path in self._unsaved else self._read(path)

    def _read(self, path: str) -> bytes | None:
        return content(path) if self._ours(path) and os.path.isfile(path) else None

    # --- callers -----------------------------------------------------------------------------------------------------

    def mentioning(self, words: frozenset[str], besides: str) -> Iterator[str]:
        """The files near `besides` whose text has one of `words` as a word that it does not define itself, the nearest
        folders first, up to the bound.
        """
        needles = [word.encode() for word in sorted(words)]
        pattern = re.compile(rb"(?<![A-Za-z0-9_])(?:" + b"|".join(map(re.escape, needles)) + rb")(?![A-Za-z0-9_])")
        definition = re.compile(rb"\b(?:def|class)[ \t]+(" + b"|".join(map(re.escape, needles)) + rb")(?![A-Za-z0-9_])")
        for path, data in self._near(os.path.dirname(besides)):
            mentioned = path != besides and any(needle in data for needle in needles)
            if mentioned and not set(pattern.findall(data)) <= set(definition.findall(data)):
                yield path

    def _near(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """The files around a folder: in it and below it, then around the one above, up to the bound."""
        seen: set[str] = set()
        left = MOST_SEARCHED
        while self._ours(folder):
            waiting = [folder]
            while waiting:
                here = waiting.pop(0)
                if here in seen:
                    continue
                seen.add(here)
                below, texts = self._folder(here)
                texts = self._with_unsaved(here, texts)
                waiting.extend(below)
                yield from texts.items()
                left -= sum(map(len, texts.values())) + 1000
                if left < 0:
                    return
            if folder == self.root:
                return
            folder = os.path.dirname(folder)

    def _folder(self, folder: str) -> tuple[tuple[str, ...], dict[str, bytes]]:
        """The folders in a folder, and its Python files that are telling."""
        if folder not in self._folders:
            below: list[str] = []
            texts: dict[str, bytes] = {}
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                entries = []
            for entry in entries:
                if entry.is_symlink():
                    continue
                if entry.is_dir():
                    if not entry.name.startswith(".") and entry.name not in SKIPPED:
                        below.append(entry.path)
                elif entry.name.endswith(".py") and entry.is_file():
                    data = content(entry.path)
                    if data is not None and is_telling(data):
                        texts[entry.path] = data
            self._folders[folder] = (tuple(below), texts)
        return self._folders[folder]

    def _with_unsaved(self, folder: str, texts: dict[str, bytes]) -> dict[str, bytes]:
        """The texts of a folder, with those that an editor holds in the place of what is on the disk."""
        held = {
            path: encoded(text)
            for path, text in self._unsaved.items()
            if os.path.dirname(path) == folder and path.endswith(".py")
        }
        if not held:
            return texts
        both = {**texts, **held}
        return {path: both[path] for path in sorted(both) if path not in held or is_telling(held[path])}


def content(path: str) -> bytes | None:
    """The bytes of a file; None where it is too large, or cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read() if os.fstat(file.fileno()).st_size <= MOST_BYTES else None
    except OSError:
        return None


def tells(data: bytes) -> bool:
    """Whether a text makes, or moves, a distribution."""
    return any(word in data for word in TELLING) or OPERATION.search(data) is not None


def is_telling(data: bytes) -> bool:
    """Whether a file can hold a caller of interest, or give another name to what others call."""
    return b"torch" in data or b"softmax" in data or (b"from ." in data and RENAMING.search(data) is not None)


def encoded(text: str) -> bytes:
    """What an editor holds, as bytes. It may hold halves of characters, which no encoding has."""
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes | None) -> str | None:
    """Bytes as Python would decode them; None where it would not."""
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    from kl_lint.sources.decoding import decode
    from kl_lint.sources.problem import Problem

    try:
        return decode(data, "").text
    except Problem:
        return None
