"""What git ignores, with git as the judge."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kl_lint.sources.exclusion import Exclusion
from kl_lint.sources.files import File, find

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there to judge")

FILES = (
    "a.py", "keep.py", "secret.py", "data/x.py", "data/keep.py", "pkg/a.py", "pkg/secret.py", "pkg/data/x.py",
    "pkg/gen/one.py", "pkg/gen/two.py", "pkg/sub/gen/three.py", "pkg/sub/keep.py", "pkg/sub/a_pb2.py", "a_pb2.py",
    "sp ace.py", "#hash.py", "!bang.py", "wörk/x.py", "logs/deep/er/x.py",
)  # fmt: skip

TABLE: dict[str, dict[str, str]] = {
    "nothing": {},
    "name": {".gitignore": "secret.py\n"},
    "anchored": {".gitignore": "/secret.py\n/data/\n"},
    "directory anywhere": {".gitignore": "data/\n"},
    "directory as file": {".gitignore": "a.py/\n"},
    "with a slash within": {".gitignore": "pkg/gen\n"},
    "star": {".gitignore": "*_pb2.py\n"},
    "double star": {".gitignore": "pkg/**/gen/\nlogs/**\n"},
    "leading double star": {".gitignore": "**/gen/*.py\n"},
    "negated": {".gitignore": "*.py\n!keep.py\n"},
    "negated below an ignored directory": {".gitignore": "pkg/\n!pkg/sub/keep.py\n"},
    "inner file against outer": {".gitignore": "*.py\n", "pkg/.gitignore": "!a.py\n"},
    "inner file adds": {".gitignore": "secret.py\n", "pkg/.gitignore": "/a.py\ngen/\n"},
    "inner file far below": {"pkg/sub/.gitignore": "*\n!keep.py\n"},
    "comments, escapes, blanks": {".gitignore": "# a.py\n\n\\#hash.py\n\\!bang.py\nsp\\ ace.py   \n"},
    "character class": {".gitignore": "[ak]*.py\n"},
    "not ascii": {".gitignore": "wörk/\n"},
    "byte order mark": {".gitignore": "\ufeffsecret.py\n"},
    "windows newlines": {".gitignore": "secret.py\r\ndata/\r\n"},
    "not a pattern": {".gitignore": "!\n/\nsecret.py\n"},
}


def git(*arguments: str) -> str:
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def ignored(path: str) -> bool:
    return subprocess.run(["git", "check-ignore", "--quiet", path], check=False).returncode == 0


def plant(files: dict[str, str]) -> None:
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def kept(*paths: str) -> set[str]:
    return {item.path for item in find(paths, Exclusion()) if isinstance(item, File) and not item.ignored}


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plant(dict.fromkeys(FILES, "x = 1\n"))


@pytest.mark.parametrize("ignores", TABLE.values(), ids=TABLE.keys())
def test_as_git_does(ignores: dict[str, str]) -> None:
    git("init", "--quiet")
    plant(ignores)
    listed = git("ls-files", "-z", "--others", "--exclude-standard").split("\0")
    wanted = {name for name in listed if name.endswith(".py")}
    assert kept(".") == wanted
    if not ignored("pkg"):
        assert kept("pkg") == {name for name in wanted if name.startswith("pkg/")}


def test_outside_of_a_repository_nothing_is_ignored() -> None:
    plant({".gitignore": "*\n"})
    assert kept(".") == set(FILES)


def test_a_pattern_of_many_wildcards_is_passed_over() -> None:
    """Matching it could take until tomorrow."""
    git("init", "--quiet")
    plant({"a" * 60 + ".py": "", ".gitignore": "*a" * 40 + "b\n" + "a/**/" * 40 + "b\nsecret.py\n"})
    assert "a" * 60 + ".py" in kept(".")
    assert "secret.py" not in kept(".")


def test_what_is_named_is_wanted() -> None:
    git("init", "--quiet")
    plant({".gitignore": "secret.py\ndata/\n"})
    assert kept("secret.py", "data") == {"secret.py", "data/x.py", "data/keep.py"}


def test_a_repository_within_follows_its_own_rules_only() -> None:
    git("init", "--quiet")
    plant({".gitignore": "secret.py\n", "pkg/.gitignore": "a.py\n"})
    git("init", "--quiet", "pkg")
    assert {name for name in kept(".") if name.startswith("pkg/")} == {
        name for name in FILES if name.startswith("pkg/") and name != "pkg/a.py"
    }
    assert "pkg/secret.py" in kept("pkg")


def test_a_repository_met_on_the_way_counts() -> None:
    git("init", "--quiet", "pkg")
    plant({".gitignore": "*\n", "pkg/.gitignore": "gen/\n"})
    assert kept(".") == {name for name in FILES if "gen/" not in name}


def test_a_gitignore_that_cannot_be_read_ignores_nothing(tmp_path: Path) -> None:
    git("init", "--quiet")
    (tmp_path / ".gitignore").mkdir()
    assert kept(".") == set(FILES)
