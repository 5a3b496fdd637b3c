"""Writing a file back: all of it or nothing, and never over what someone else wrote in the meantime."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["FileChanged", "replace_file"]


class FileChanged(OSError):
    """The file is no longer what was read."""


def replace_file(path: str | os.PathLike[str], data: bytes, expected: bytes) -> None:
    """Put `data` in the place of the file at `path`, whose content is `expected`.

    The data is written to a new file beside it, which then takes its name: no reader ever sees half of it, and a
    failure leaves the file as it was. Its mode is kept; of a symbolic link, the file that it leads to is replaced.

    Raises FileChanged where the content is no longer `expected`, OSError where the file cannot be read or replaced.
    """
    target = Path(path).resolve(strict=True)
    if not os.access(target, os.W_OK):  # taking over its name would not need the permission
        raise PermissionError(errno.EACCES, "the file is read-only: it is left as it is", str(path))
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        if target.read_bytes() != expected:
            raise FileChanged(f"{path} has changed since it was read: it is left as it is, run again")
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
