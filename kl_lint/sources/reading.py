"""The bytes of a file or of standard input, and what to say where there are none."""

from __future__ import annotations

import errno
import os
import stat
import sys

from kl_lint.sources.problem import Problem

__all__ = ["not_a_file", "read", "read_stdin", "unreadable"]

# a pipe that takes a regular file's place between the look and the opening must not block; Windows must not translate
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read(path: str) -> bytes:
    """The bytes of the regular file at `path`. Raises Problem where they cannot be had."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise not_a_file(path, status.st_mode)
        return _read_all(descriptor, status.st_size)
    except OSError as error:
        raise unreadable(path, error) from error
    except MemoryError as error:
        raise Problem(path, "is too large to be read into memory", "leave it out with --extend-exclude") from error
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    """Everything up to the end, which for a growing file, or one of /proc, is elsewhere than its size says."""
    chunks = []
    while chunk := os.read(descriptor, size + 1):
        chunks.append(chunk)
    return b"".join(chunks)


def read_stdin(name: str) -> bytes:
    """Everything on standard input, which messages call `name`. Raises Problem where it is closed."""
    if sys.stdin is None:
        raise Problem(name, "standard input is closed", "pipe the source to kl-lint, or name a file")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise unreadable(name, error) from error


def unreadable(path: str, error: OSError) -> Problem:
    """The problem that `error` made of reading `path`."""
    match error.errno:
        case errno.ENOENT if os.path.islink(path):
            return Problem(path, "is a symbolic link to something that is not there", "mend or remove the link")
        case errno.ENOENT | errno.ENOTDIR:
            return Problem(path, "does not exist", "check the spelling, and the directory that kl-lint is run in")
        case errno.EACCES | errno.EPERM:
            return Problem(path, "may not be read", "change its permissions, or leave it out with --extend-exclude")
        case errno.ELOOP:
            return Problem(path, "is a loop of symbolic links", "mend or remove the link")
        case errno.ENXIO:
            return Problem(path, "is not a regular file", "name a file, or a directory")
        case _:
            reason = error.strerror or type(error).__name__
            return Problem(path, f"cannot be read ({reason})", "try again, or leave it out with --extend-exclude")


def not_a_file(path: str, mode: int) -> Problem:
    """The problem that `path` is neither a regular file nor a directory, but what `mode` says."""
    if stat.S_ISDIR(mode):
        return Problem(path, "is a directory where a file was expected", "name the files in it")
    if stat.S_ISFIFO(mode):
        return Problem(path, "is a pipe, not a file", "send what it holds to `kl-lint check -`")
    kind = "socket" if stat.S_ISSOCK(mode) else "device"
    return Problem(path, f"is a {kind}, not a file", "name a file, or a directory")
