"""Files are replaced as a whole, or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kl_lint.rewriting.writing import FileChanged, replace_file, write_file


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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("mode", [0o640, 0o4755])
def test_root_keeps_the_owner(file: Path, mode: int) -> None:
    os.chown(file, 1234, 5678)
    file.chmod(mode)
    replace_file(file, b"new", b"old\r\n")
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 5678, mode)
    assert file.read_bytes() == b"new"


@pytest.mark.parametrize("allowed", [(1, -1), (-1,), ()], ids=["both", "group", "none"])
def test_owner_and_group_are_kept_as_far_as_that_is_allowed(
    file: Path, monkeypatch: pytest.MonkeyPatch, allowed: tuple[int, ...]
) -> None:
    given = []

    def chown(path: Path, owner: int, group: int) -> None:
        if min(owner, 1) not in allowed:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        given.append((owner, group))

    status = file.stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: os.stat_result([status.st_mode, 1, 2, 1, 7, 8, 5, 0, 0, 0]))
    monkeypatch.setattr(os, "chown", chown)
    replace_file(file, b"new", b"old\r\n")
    assert given == ([(7, 8)] if 1 in allowed else [(-1, 8)] if allowed else [])
    assert file.read_bytes() == b"new"


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


def test_what_a_killed_process_left_is_removed(file: Path) -> None:
    left, *others = (
        ".loss.py.abc_0123.kl-lint", ".loss.py.kl-lint", ".loss.py.x.abcd0123.kl-lint", ".other.py.abcd0123.kl-lint",
        "loss.py.abcd0123.kl-lint", ".loss.py.abcd0123.kl-lint.py",
    )  # fmt: skip
    for name in (left, *others):
        file.with_name(name).write_bytes(b"half")
    replace_file(file, b"new", b"old\r\n")
    assert _names(file.parent) == sorted(["loss.py", *others])


@pytest.mark.parametrize("gone", ["new", "old"])
def test_a_file_that_vanishes_has_changed(file: Path, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    fsync = os.fsync

    def vanishing(descriptor: int) -> None:
        fsync(descriptor)
        (file if gone == "old" else next(file.parent.glob(".*.kl-lint"))).unlink()

    monkeypatch.setattr(os, "fsync", vanishing)
    with pytest.raises(FileChanged):
        replace_file(file, b"new", b"old\r\n")
    assert _names(file.parent) == ([] if gone == "old" else ["loss.py"])


def test_a_pipe_that_takes_its_place_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def exchanging(descriptor: int) -> None:
        fsync(descriptor)
        file.unlink()
        os.mkfifo(file)

    monkeypatch.setattr(os, "fsync", exchanging)
    with pytest.raises(FileChanged):
        replace_file(file, b"new", b"old\r\n")
    assert _names(file.parent) == ["loss.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_file_that_may_not_grow_so_far(file: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            replace_file(file, b"new\n" * (1 << 19), b"old\r\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == b"old\r\n"
    assert _names(file.parent) == ["loss.py"]


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder of a user who is not root, and for as long as the test takes, that user."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() != 0:
            yield Path(name)
            return
        os.chown(name, 65534, 65534)
        os.setresuid(65534, 65534, 0)
        try:
            yield Path(name)
        finally:
            os.setresuid(0, 0, 0)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="users cannot be changed and changed back")
def test_a_folder_that_may_not_be_written_to(nobody: Path) -> None:
    file = nobody / "loss.py"
    file.write_bytes(b"old")
    nobody.chmod(0o555)
    with pytest.raises(PermissionError):
        replace_file(file, b"new", b"old")
    assert file.read_bytes() == b"old"
    assert _names(nobody) == ["loss.py"]
    nobody.chmod(0o333)  # to be written to, and not to be listed
    replace_file(file, b"new", b"old")
    assert file.read_bytes() == b"new"
    nobody.chmod(0o755)
    file.chmod(0o444)
    with pytest.raises(PermissionError, match="read-only"):
        replace_file(file, b"newer", b"new")
    assert file.read_bytes() == b"new"
    assert _names(nobody) == ["loss.py"]


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


# --- whatever was there ---


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0o022, 0o644), (0o000, 0o666)])
def test_a_new_file_is_one_as_any(tmp_path: Path, umask: int, mode: int) -> None:
    mask = os.umask(umask)
    try:
        write_file(tmp_path / "report", b"new")
        assert os.umask(umask) == umask
    finally:
        os.umask(mask)
    assert (tmp_path / "report").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == mode
    assert _names(tmp_path) == ["report"]


def test_a_file_is_written_over_and_stays_what_it_is(file: Path) -> None:
    file.chmod(0o600)
    (file.parent / "link").symlink_to("loss.py")
    write_file(str(file.parent / "link"), b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (file.parent / "link").is_symlink()
    assert _names(file.parent) == ["link", "loss.py"]


def test_a_link_to_what_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("report")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "report").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_who_fails_to_write_leaves_what_there_was(
    file: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    seen = []

    def fail(descriptor: int) -> None:
        seen.append(file.read_bytes())  # as anybody may while it is written
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    for path in (file, file.with_name("new")):
        with pytest.raises(error):
            write_file(path, b"new")
    assert seen == [b"old\r\n", b"old\r\n"]
    assert file.read_bytes() == b"old\r\n"
    assert _names(file.parent) == ["loss.py"]


def test_a_read_only_file_is_not_written_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # for root every file is writable
    with pytest.raises(PermissionError, match="read-only"):
        write_file(file, b"new")
    assert file.read_bytes() == b"old\r\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, b"new")
        assert os.read(reader, 100) == b"new"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert _names(tmp_path) == ["pipe"]


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="what is open has no names here")
def test_what_is_open_is_added_to(file: Path) -> None:
    with open(file, "ab") as held:
        write_file(f"/dev/fd/{held.fileno()}", b"new")
        held.write(b"more")
    assert file.read_bytes() == b"old\r\nnewmore"
    assert _names(file.parent) == ["loss.py"]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"."):
        write_file(tmp_path, b"new")
    assert _names(tmp_path) == []
