"""Writing files: all of it or nothing, and what was read never over what someone else wrote in the meantime."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from pathlib import Path

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FileChanged", "replace_file", "write_file"]

_SUFFIX = ".kl-lint"
"""What the name of a temporary file ends with: none that is taken for source."""


class FileChanged(OSError):
    """The file is no longer what was read."""


def replace_file(path: str | os.PathLike[str], data: bytes, expected: bytes) -> None:
    """Put `data` in the place of the file at `path`, whose content is `expected`.

    The data is written to a new file beside it, which then takes its name: no reader ever sees half of it, and a
    failure leaves the file as it was. Its mode is kept, and its owner where that is allowed; of a symbolic link, the
    file that it leads to is replaced.

    A process that is killed while it writes leaves its new file behind. The next one that writes the same file removes
    it, and cannot tell it from that of a process that is still at it: that one then finds that the file has changed.

    Raises FileChanged where the content is no longer `expected`, OSError where the file cannot be read or replaced.
    """
    target = Path(path).resolve(strict=True)
    _require_writable(target)

    def compare() -> None:
        if not target.is_file() or target.read_bytes() != expected:
            raise FileChanged(f"{path} has changed since it was read: it is left as it is, run again")

    try:
        _replace(target, data, compare)
    except FileNotFoundError as error:  # the file is gone, or the new one was taken for a leftover
        raise FileChanged(f"{path} is being changed by another process: it is left as it is, run again") from error


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Put `data` into the file at `path`, whatever that holds, and make it where there is none.

    The file is replaced as by `replace_file`. What cannot be is written to: a pipe, a device, and what a process has
    open, such as `/dev/stdout`, where `data` comes behind what is there.

    Raises OSError where that cannot be done.
    """
    target = Path(os.path.realpath(path))
    if _is_stream(Path(path), target):
        with open(path, "ab") as stream:
            stream.write(data)
        return
    if target.exists():
        _require_writable(target)
    _replace(target, data)


def _is_stream(path: Path, target: Path) -> bool:
    """Whether `path`, which leads to `target`, is no file whose place another one could take."""
    folder = Path(os.path.realpath(path.parent))
    return (target.exists() and not target.is_file()) or folder == Path("/dev") or folder.is_relative_to("/proc")


def _require_writable(target: Path) -> None:
    """Raises PermissionError for a file that may not be written to: taking over its name needs no such permission."""
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only: it is left as it is", str(target))


def _replace(target: Path, data: bytes, check: Callable[[], None] = lambda: None) -> None:
    """Give the name of `target` to a new file that holds `data`, unless `check` raises before that."""
    _remove_leftovers(target)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            _take_after(temporary, target)
        else:
            temporary.chmod(0o666 & ~_umask())
        check()
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """What new files are not to permit, which can only be asked for by changing it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files that processes which were killed have left for `target`."""
    ours = re.compile(rf"\.{re.escape(target.name)}\.[a-z0-9_]{{8}}{re.escape(_SUFFIX)}")
    with contextlib.suppress(OSError):  # it is no reason not to write
        for name in os.listdir(target.parent):
            if ours.fullmatch(name):
                target.with_name(name).unlink()


def _take_after(temporary: Path, target: Path) -> None:
    """Give `temporary` the owner, the group and the mode of `target`, the first two as far as that is allowed."""
    status = target.stat()
    if hasattr(os, "chown"):
        try:
            os.chown(temporary, status.st_uid, status.st_gid)
        except PermissionError:  # only root gives files away
            with contextlib.suppress(PermissionError):
                os.chown(temporary, -1, status.st_gid)
    temporary.chmod(stat.S_IMODE(status.st_mode))
