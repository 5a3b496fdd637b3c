"""Writing a file back: all of it or nothing, and never over what someone else wrote in the meantime."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from pathlib import Path

__all__ = ["FileChanged", "replace_file"]

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
    if not os.access(target, os.W_OK):  # taking over its name would not need the permission
        raise PermissionError(errno.EACCES, "the file is read-only: it is left as it is", str(path))
    _remove_leftovers(target)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _take_after(temporary, target)
        if not target.is_file() or target.read_bytes() != expected:
            raise FileChanged(f"{path} has changed since it was read: it is left as it is, run again")
        temporary.replace(target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, FileNotFoundError):  # the file is gone, or the new one was taken for a leftover
            raise FileChanged(f"{path} is being changed by another process: it is left as it is, run again") from error
        raise


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
