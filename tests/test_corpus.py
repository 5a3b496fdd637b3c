"""Projects checked as a function of their files, here and by an engine that spreads them over processes."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from distributed import Client, Future, LocalCluster, wait

from kl_lint import CheckedProject, check_project
from kl_lint.configuration.pyproject import WrongConfiguration
from tests.command import CORRECT, LEGACY, MISUSE, OFF_BY_DEFAULT, ROOT, run

PATIENCE = 120
"""Seconds after which what is not done never will be."""

HELPER = "import torch.nn.functional as F\ndef squash(x):\n    return F.softmax(x, -1)\n"
LOSS = (
    "import torch.nn.functional as F\nfrom package.helper import squash\n"
    "def loss(x, q):\n    return F.kl_div(squash(x), q, reduction='sum')\n"
)
PROJECTS: dict[str, dict[str, bytes]] = {
    "plain": {"a.py": MISUSE.encode(), "b.py": CORRECT.encode(), "off.py": OFF_BY_DEFAULT.encode()},
    "package": {
        "setup.py": b"",
        "package/__init__.py": b"",
        "package/helper.py": HELPER.encode(),
        "package/losses/loss.py": LOSS.encode(),
    },
    "configured": {
        "pyproject.toml": b'[tool.kl_lint]\nignore = ["KLD101"]\nextend-exclude = ["old/*.py"]\n',
        "a.py": MISUSE.encode() + LEGACY.encode().replace(b"loss", b"other"),
        "old/a.py": LEGACY.encode(),
        "build/a.py": LEGACY.encode(),
        "inner/pyproject.toml": b"[tool.kl_lint]\n",
        "inner/a.py": MISUSE.encode(),
    },
    "poisonous": {
        "a.py": MISUSE.encode(),
        "deep.py": b"kl_div = " + b"-" * 100_000 + b"x\n",
        "nul.py": b"kl_div\0\n",
        "text.py": b"# kl_div \xff\n",
    },
    "empty": {},
}


def locations(checked: CheckedProject) -> list[tuple[str, int, str]]:
    return [(finding.filename, finding.span.row, finding.code) for finding in checked.findings]


def plant(directory: Path) -> dict[str, Path]:
    """The projects as folders, by name, each with what makes it a project to the command as well."""
    roots = {name: directory / name for name in PROJECTS}
    for name, files in PROJECTS.items():
        for path, data in {"setup.cfg": b"", **files}.items():
            place = roots[name] / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    return roots


# --- one project ---


@pytest.mark.parametrize("name", PROJECTS)
def test_it_finds_what_the_command_finds(tmp_path: Path, name: str) -> None:
    done = run("check", "--output-format=json", ".", cwd=plant(tmp_path)[name])
    expected = [
        (os.path.relpath(one["filename"], tmp_path / name), one["location"]["row"], one["code"])
        for one in json.loads(done.stdout)
    ]
    checked = check_project(PROJECTS[name])
    assert locations(checked) == expected
    assert bool(expected) == (name != "empty")
    problems = [f"kl-lint: {problem}" for problem in checked.problems]
    assert problems == [line for line in done.stderr.decode().splitlines() if "no Python files" not in line]
    assert len(problems) == (3 if name == "poisonous" else 0)


def test_files_are_called_as_they_were_handed_in() -> None:
    (finding,) = check_project(PROJECTS["package"]).findings
    assert finding.filename == "package/losses/loss.py"
    assert {step.filename for step in finding.trace} <= PROJECTS["package"].keys()
    assert any(step.filename == "package/helper.py" for step in finding.trace)
    assert "/" not in finding.message.replace("package/", "")


def test_a_configuration_counts_instead_of_the_project_s_own() -> None:
    assert ("off.py", 5, "KLD504") in locations(check_project(PROJECTS["plain"], {"enable": ["KLD504"]}))
    assert locations(check_project(PROJECTS["configured"], {"select": ["KLD1"]})) == [
        ("a.py", 5, "KLD101"), ("inner/a.py", 5, "KLD101")
    ]  # fmt: skip
    assert check_project(PROJECTS["package"], {"across-files": False}).findings == ()


def test_a_configuration_that_cannot_be_followed_is_told() -> None:
    with pytest.raises(WrongConfiguration, match="has no option 'slect'; did you mean 'select'"):
        check_project({}, {"slect": []})
    own = {**PROJECTS["plain"], "pyproject.toml": b"[tool.kl_lint]\nselect = 3\n"}
    checked = check_project(own)
    assert checked.findings == ()
    (problem,) = checked.problems
    assert str(problem).startswith("pyproject.toml: pyproject.toml: select: must be a list of codes")
    assert locations(check_project(own, {})) == locations(check_project(PROJECTS["plain"]))


@pytest.mark.parametrize("path", ["../a.py", "/a.py", "a/../../b.py", "", ".", "a/.."])
def test_no_path_leads_out_of_the_project(path: str) -> None:
    with pytest.raises(ValueError, match="leads out of the project"):
        check_project({path: b""})


def test_nothing_around_the_project_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.kl_lint]\nignore = ["KLD101"]\n')
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.py\n")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert locations(check_project(PROJECTS["plain"])) == [("a.py", 5, "KLD101")]
    assert sorted(os.listdir(tmp_path)) == [".git", ".gitignore", "pyproject.toml"], "nothing is left"


def test_what_is_found_can_be_sent() -> None:
    checked = check_project(PROJECTS["poisonous"])
    sent = pickle.loads(pickle.dumps(checked))
    assert sent.findings == checked.findings
    assert list(map(str, sent.problems)) == list(map(str, checked.problems))


# --- many, by Dask ---


def study(root: str) -> CheckedProject:
    """What the README shows."""
    return check_project({path.relative_to(root).as_posix(): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()})


def study_on_the_second_try(root: str) -> CheckedProject:
    """The same, but the first process that takes up `plain` waits to be killed."""
    waits = Path(root).with_name("waits")
    if Path(root).name == "plain" and not waits.exists():
        waits.write_text(str(os.getpid()))
        time.sleep(600)
    return study(root)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        with (
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,  # type: ignore[no-untyped-call]
        ):
            yield client
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def gathered(client: Client, tasks: Sequence[Future[CheckedProject]]) -> list[CheckedProject]:
    """What has come of them."""
    wait(tasks, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    found: list[CheckedProject] = client.gather(tasks)  # type: ignore[no-untyped-call]
    return found


def told(checked: CheckedProject) -> tuple[object, ...]:
    return checked.findings, *map(str, checked.problems)


@pytest.fixture
def roots(tmp_path: Path) -> list[str]:
    return [str(root) for root in plant(tmp_path).values()]


def test_dask_finds_what_is_found_here(client: Client, roots: list[str]) -> None:
    found = gathered(client, client.map(study, roots, pure=False))
    assert list(map(told, found)) == [told(study(root)) for root in roots]
    assert sum(len(checked.findings) for checked in found) > 4


def test_the_task_of_a_process_that_is_killed_is_done_by_another(client: Client, roots: list[str]) -> None:
    tasks = client.map(study_on_the_second_try, roots, pure=False)
    waits = Path(roots[0]).with_name("waits")
    while not (waits.exists() and waits.read_text()):
        time.sleep(0.05)
    killed = int(waits.read_text())
    os.kill(killed, signal.SIGKILL)
    found = gathered(client, tasks)
    assert list(map(told, found)) == [told(study(root)) for root in roots]
    assert killed not in client.run(os.getpid).values()


def test_the_example_of_the_readme(roots: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, section = readme.partition("### Many projects, many machines\n")
    _, _, block = section.partition("```python\n")
    names: dict[str, Any] = {"__name__": "readme"}
    exec(block.partition("```")[0], names)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found = names["codes"](roots)
    assert list(found) == roots
    assert found[roots[0]] == ["KLD101", "KLD504"]
