"""What becomes of a file's bytes: shown as a diff, or written in their place."""

from __future__ import annotations

import os

from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kl_lint.sources.decoding import Text
    from kl_lint.sources.document import Document
    from kl_lint.sources.notebook import Notebook

__all__ = ["Change"]


class Change:
    """The bytes of the file at `path` as they are, and as they are to be."""

    __slots__ = ("after", "before", "path")

    def __init__(self, path: str, before: bytes, after: bytes) -> None:
        self.path = path
        self.before = before
        self.after = after

    @classmethod
    def of(cls, path: str, before: bytes, decoded: Text | Notebook | Document, text: str) -> Change:
        """The change to the file at `path`, which holds `before`, that makes its text `text`.

        Raises Problem where the file's encoding cannot give back the bytes that are not to change.
        """
        try:
            if decoded.encode(decoded.text) == before:
                return cls(path, before, decoded.encode(text))
        except ValueError:  # an encoding's error, or a notebook whose cells cannot be told apart
            pass
        raise Problem(path, f"cannot be written back as it was in {decoded.encoding}", "save it as UTF-8")

    def write(self) -> None:
        """Replace the file, all of it or nothing. Raises Problem where that cannot be done, or it is another by now."""
        from kl_lint.rewriting.writing import FileChanged, replace_file

        try:
            replace_file(self.path, self.after, self.before)
        except FileChanged as error:
            what = "has changed since it was read, and is left as it is"
            raise Problem(self.path, what, "run again") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            what = f"cannot be written ({reason}), and is left as it is"
            raise Problem(
                self.path, what, "change the permissions of the file and its directory, or make room"
            ) from error

    def diff(self) -> bytes:
        """A unified diff of the bytes, which `patch` and `git apply` can apply from the working directory."""
        import difflib

        name = _quoted(os.fsencode(self.path))
        lines = difflib.diff_bytes(
            difflib.unified_diff, _lines(self.before), _lines(self.after), name, name, lineterm=b"\n"
        )
        return b"".join(_ended(lines))


def _quoted(name: bytes) -> bytes:
    """The name of a file in a diff. One that would be more than a name there is quoted, as git does."""
    if not name.startswith(b'"') and all(byte >= 32 and byte != 127 for byte in name):
        return name
    escaped = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in name)
    return f'"{"".join(escaped)}"'.encode("ascii")


def _lines(data: bytes) -> list[bytes]:
    """The lines of `data`, each with its newline, as `diff` counts them: nothing but `\\n` ends one."""
    *lines, last = data.split(b"\n")
    return [*(line + b"\n" for line in lines), *([last] if last else [])]


def _ended(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
