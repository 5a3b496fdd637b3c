"""The hooks in real pre-commit, which installs them as it does for everybody: from a repository, into its own place."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

import kl_lint
from tests.notebooks import CELLS, CELLS_MENDED, as_jupyter, notebook

pytestmark = [pytest.mark.client, pytest.mark.no_cover]

ROOT = Path(kl_lint.__file__).parent.parent
INSTALLED = ["kl_lint", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"]
"""What an installation is made from."""

MISUSE = """\
import torch.nn.functional as F


def loss(x, q):
    return F.kl_div(F.softmax(x, dim=1).log(), q, reduction="batchmean")
"""
"""KLD105, which has a safe fix."""
UNSAFE = MISUSE.replace(".log()", "")
"""KLD101, which has none."""
MENDED = MISUSE.replace("F.softmax(x, dim=1).log()", "F.log_softmax(x, dim=1)")
OTHER = "import json\n\nprint(json.dumps({}))\n"


class Project:
    """A git repository whose commits pre-commit checks, with hooks from the repository `source`."""

    def __init__(self, directory: Path, source: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self._source = source
        self._environment = environment
        directory.mkdir()
        self.run("git", "init", "--quiet")
        self.use("kl-lint")
        self.run(sys.executable, "-m", "pre_commit", "install")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository, and demand that it succeeds."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout
        return done

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository. What it says to either stream is in `stdout`."""
        return subprocess.run(
            command, cwd=self.directory, env=self._environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip

    def use(self, *hooks: str, options: tuple[str, ...] = ()) -> None:
        """Write the configuration that uses `hooks`."""
        revision = self.run("git", "-C", str(self._source), "rev-parse", "HEAD").stdout.strip()
        chosen = [{"id": hook, **({"args": list(options)} if options else {})} for hook in hooks]
        configuration = {"repos": [{"repo": str(self._source), "rev": revision, "hooks": chosen}]}
        (self.directory / ".pre-commit-config.yaml").write_text(json.dumps(configuration))
        self.run("git", "add", ".pre-commit-config.yaml")

    def commit(self, **files: str) -> tuple[bool, str]:
        """Write files, `name="text"` to `name.py`, and try to commit: whether it went through, and what was said."""
        for name, text in files.items():
            (self.directory / f"{name}.py").write_text(text)
            self.run("git", "add", f"{name}.py")
        done = self.attempt("git", "commit", "--message", "change")
        return done.returncode == 0, done.stdout

    def read(self, name: str) -> str:
        """What is in a file."""
        return (self.directory / f"{name}.py").read_text()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all processes of this run have in common, so that the hooks are installed once."""
    directory = tmp_path_factory.getbasetemp()
    return directory.parent if "PYTEST_XDIST_WORKER" in os.environ else directory


@pytest.fixture(scope="module")
def environment(shared: Path) -> dict[str, str]:
    """Nothing of who runs the tests, nor of a git hook that they may run in, nor of other installations of hooks."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}
    identity = {f"GIT_{role}_{what}": "tests" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {
        **inherited,
        **identity,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(shared / "pre-commit"),
        "PRE_COMMIT_COLOR": "never",
    }


@pytest.fixture(scope="module")
def source(shared: Path, environment: dict[str, str]) -> Path:
    """A repository of kl-lint as it is here, committed or not."""
    directory = shared / "kl-lint"
    with FileLock(shared / "kl-lint.lock"):
        if not directory.exists():
            _make_repository(directory, environment)
    return directory


def _make_repository(directory: Path, environment: dict[str, str]) -> None:
    directory.mkdir()
    for name in INSTALLED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, directory / name)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "kl-lint"]):
        subprocess.run(["git", *command], cwd=directory, env=environment, check=True)


@pytest.fixture
def project(tmp_path: Path, source: Path, environment: dict[str, str]) -> Project:
    """A project that uses the hook `kl-lint`, which is installed by the first commit that needs it."""
    return Project(tmp_path / "project", source, environment)


def test_the_manifest_is_one(project: Project) -> None:
    project.run(sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))


def test_misuse_is_not_committed(project: Project) -> None:
    through, said = project.commit(loss=UNSAFE)
    assert not through
    assert "loss.py:5:21: KLD101 " in said
    assert "exit code: 1" in said
    assert project.attempt("git", "rev-parse", "HEAD").returncode != 0, "there is no commit"
    assert project.read("loss") == UNSAFE
    through, said = project.commit(loss=MENDED)
    assert through
    assert "Passed" in said


def test_a_commit_without_divergences_passes(project: Project) -> None:
    through, said = project.commit(other=OTHER)
    assert through
    assert "Passed" in said
    (project.directory / "notes.txt").write_text("F.kl_div(F.softmax(x, dim=1), q)\n")
    project.run("git", "add", "notes.txt")
    through, said = project.commit()
    assert through
    assert "(no files to check)Skipped" in said
    assert project.run("git", "rev-list", "--count", "HEAD").stdout.strip() == "2"


def test_excluded_files_are_not_checked_though_they_are_staged(project: Project) -> None:
    (project.directory / "build").mkdir()
    through, said = project.commit(**{"build/lib": UNSAFE})
    assert through, said


def test_fails_fixes_passes(project: Project) -> None:
    project.use("kl-lint-fix")
    through, said = project.commit(loss=MISUSE, other=OTHER)
    assert not through
    assert "files were modified by this hook" in said
    assert project.read("loss") == MENDED
    assert project.read("other") == OTHER
    through, said = project.commit(loss=MENDED)
    assert through
    assert "Passed" in said


def test_what_cannot_be_fixed_safely_is_reported(project: Project) -> None:
    project.use("kl-lint-fix")
    through, said = project.commit(loss=UNSAFE)
    assert not through
    assert "loss.py:5:21: KLD101 " in said
    assert project.read("loss") == UNSAFE


def test_options_are_passed_on(project: Project) -> None:
    project.use("kl-lint-fix", options=("--unsafe-fixes",))
    through, _ = project.commit(loss=UNSAFE)
    assert not through
    assert project.read("loss") == MENDED
    through, said = project.commit(loss=MENDED)
    assert through, said


def test_notebooks_are_checked_and_fixed(project: Project) -> None:
    path = project.directory / "distillation.ipynb"
    path.write_text(as_jupyter(notebook(*CELLS)), encoding="utf-8")
    project.run("git", "add", path.name)
    through, said = project.commit()
    assert not through
    assert "distillation.ipynb:cell 5:3:17: KLD105 " in said
    project.use("kl-lint-fix")
    through, said = project.commit()
    assert not through
    assert "files were modified by this hook" in said
    assert path.read_text(encoding="utf-8") == as_jupyter(notebook(*CELLS_MENDED))
    project.run("git", "add", path.name)
    through, said = project.commit()
    assert through, said


# --- the hook of flake8 ---


def test_the_hook_of_flake8_reports_too(project: Project, source: Path) -> None:
    """As in the README, with flake8 from the package index in place of its repository, and kl-lint from here."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = [each for each in re.findall(r"```yaml\n(.*?)```", readme, flags=re.DOTALL) if "PyCQA" in each]
    (repository,) = yaml.safe_load(block)["repos"]
    (hook,) = repository["hooks"]
    assert (hook["id"], hook["additional_dependencies"]) == ("flake8", ["kl-lint"])
    here = {
        "id": "flake8",
        "name": "flake8",
        "entry": "flake8",
        "language": "python",
        "types": ["python"],
        "additional_dependencies": [f"flake8=={repository['rev']}", str(source)],
    }
    configuration = {"repos": [{"repo": "local", "hooks": [here]}]}
    (project.directory / ".pre-commit-config.yaml").write_text(json.dumps(configuration))
    project.run("git", "add", ".pre-commit-config.yaml")
    through, said = project.commit(loss=UNSAFE, other=OTHER)
    assert not through
    assert "loss.py:5:21: KLD101 " in said
    through, said = project.commit(loss=MENDED)
    assert through, said
