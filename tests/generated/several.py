"""What kl-lint says of a program of several files: written to a folder, imported by Python, read file by file."""

from __future__ import annotations

import ast
import importlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kl_lint.engine import mentions
from kl_lint.finding import Finding
from kl_lint.flow import Facts, analyse
from kl_lint.flow.project import forget, project_of
from kl_lint.lines import split_lines
from kl_lint.rewriting import FixResult, fix_source
from kl_lint.rules import judge
from tests.generated.examination import OPT_IN, Examined
from tests.generated.layouts import MARK, Layout, files_of
from tests.generated.oracle import FOLDER, Run, watch


@contextmanager
def written(files: Mapping[str, str]) -> Iterator[Path]:
    """A project of these files, on the disk."""
    with tempfile.TemporaryDirectory(prefix=FOLDER) as name:
        root = Path(name).resolve()
        (root / "pyproject.toml").touch()
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        forget()
        yield root


@contextmanager
def on_the_path(folder: Path) -> Iterator[None]:
    """Python imports from a folder; what it imports meanwhile is not kept."""
    before, dont = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = dont
        for name in set(sys.modules) - before:
            del sys.modules[name]
        for name in [name for name in sys.path_importer_cache if FOLDER in name]:
            del sys.path_importer_cache[name]


@dataclass(frozen=True)
class ExaminedFile(Examined):
    """One file of a program: what kl-lint says of it, and what torch saw of the whole."""

    path: str = ""
    whole: tuple[Run, ...] = ()
    facts_of_it: Facts = field(default_factory=lambda: Facts(()))

    @property
    def name(self) -> str:
        return self.path

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        return self.whole

    @cached_property
    def facts(self) -> Facts:
        return self.facts_of_it


@dataclass(frozen=True)
class ExaminedProject(Examined):
    """A program of several files; `source` is the text of all."""

    layout: Layout = field(kw_only=True)

    @cached_property
    def _seen(self) -> tuple[tuple[Run, ...], tuple[Run, ...], tuple[ExaminedFile, ...]]:
        """What torch sees, what it sees of the spread program, and what kl-lint finds, of the same files."""
        with written(files_of(self.source)) as root:
            runs = tuple(self._watched(root, flag) for flag in (True, False))
            spread_runs = runs
            if "one_hot" in self.source:
                spread_runs = tuple(self._watched(root, flag, spread=True) for flag in (True, False))
            found = []
            for name, text in files_of(self.source).items():
                if mentions(text):
                    path = str(root / name)
                    facts = analyse(ast.parse(text), split_lines(text), path, project=project_of(path))
                    found.append(ExaminedFile(text, self.sizes, path, runs, facts))
            return runs, spread_runs, tuple(found)

    def _watched(self, root: Path, flag: bool, spread: bool = False) -> Run:
        def load() -> Callable[..., Any]:
            loss: Callable[..., Any] = importlib.import_module(self.layout.module(self.layout.main)).loss
            return loss

        with on_the_path(root / self.layout.root):
            return watch(load, self.sizes, flag, spread)

    @property
    def files(self) -> tuple[Examined, ...]:
        return self._seen[2]

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        return self._seen[0]

    @cached_property
    def spread_runs(self) -> tuple[Run, ...]:
        return self._seen[1]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for file in self.files for finding in judge(file.facts, enable=OPT_IN))

    def run(self, source: str, flag: bool, spread: bool = False) -> Run:
        with written(files_of(source)) as root:
            return self._watched(root, flag, spread)

    def mend(self, source: str, *, unsafe: bool, enable: frozenset[str]) -> FixResult:
        """Fix one file after the other."""
        files = dict(files_of(source))
        results = []
        with written(files) as root:
            for name, text in files.items():
                if mentions(text):
                    result = fix_source(text, str(root / name), unsafe=unsafe, enable=enable)
                    results.append(result)
                    files[name] = result.source
                    (root / name).write_text(result.source)
        return FixResult(
            "".join(f"{MARK}{name}\n{text}" for name, text in files.items()),
            tuple(finding for result in results for finding in result.fixed),
            tuple(finding for result in results for finding in result.remaining),
            tuple(refusal for result in results for refusal in result.refused),
        )
