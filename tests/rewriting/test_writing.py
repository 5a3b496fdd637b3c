"""Files are replaced as a whole, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kl_lint.rewriting.writing import FileChanged, replace_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "loss.py"
    path.write_bytes(b"old\r\n")
    return path


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_content_is_replaced(file: Path) -> None:
    replace_file(file, b"new\r\n\xff", b"old\r\n")
    assert file.read_bytes() == b"new\r\n\xff"
    assert _names(file.parent) == ["loss.py"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664])
def test_the_mode_is_kept(file: Path, mode: int) -> None:
    file.chmod(mode)
    replace_file(str(file), b"new", b"old\r\n")
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_file_that_has_changed_is_left_alone(file: Path) -> None:
    with pytest.raises(FileChanged, match=r"loss\.py has changed since it was read"):
        replace_file(file, b"new", b"older\r\n")
    assert file.read_bytes() == b"old\r\n"
    assert _names(file.parent) == ["loss.py"]


def test_a_symbolic_link_stays_one(file: Path) -> None:
    folder = file.parent / "links"
    folder.mkdir()
    (folder / "first.py").symlink_to(Path("..") / "loss.py")
    (folder / "second.py").symlink_to("first.py")
    replace_file(folder / "second.py", b"new", b"old\r\n")
    assert file.read_bytes() == b"new"
    assert (folder / "first.py").is_symlink()
    assert (folder / "second.py").is_symlink()
    assert _names(folder) == ["first.py", "second.py"]


def test_another_name_of_the_file_keeps_the_old_content(file: Path) -> None:
    os.link(file, file.with_name("other.py"))
    replace_file(file, b"new", b"old\r\n")
    assert file.with_name("other.py").read_bytes() == b"old\r\n"


@pytest.mark.parametrize("step", ["replace", "chmod"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_nothing_is_left_behind(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises(error):
        replace_file(file, b"new", b"old\r\n")
    assert file.read_bytes() == b"old\r\n"
    assert _names(file.parent) == ["loss.py"]


def test_a_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"new", b"old\r\n")
    assert file.read_bytes() == b"old\r\n"
    assert _names(file.parent) == ["loss.py"]


def test_a_read_only_file_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # for root every file is writable
    with pytest.raises(PermissionError, match=r"read-only.*loss\.py"):
        replace_file(file, b"new", b"old\r\n")
    assert file.read_bytes() == b"old\r\n"
    assert _names(file.parent) == ["loss.py"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none.py", b"new", b"old")
    (tmp_path / "broken.py").symlink_to("none.py")
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "broken.py", b"new", b"old")
    assert _names(tmp_path) == ["broken.py"]
