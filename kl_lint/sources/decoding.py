"""From bytes to text, as Python itself reads a source file."""

from __future__ import annotations

from kl_lint.sources.problem import Problem

__all__ = ["Text", "decode"]

_REMEDY = "save it as UTF-8, or declare its encoding in its first line"


class Text:
    """Decoded source: its newlines are those of the file, its byte order mark is gone.

    `text.encode(encoding)` gives the file's bytes back, with the mark where there was one.
    """

    __slots__ = ("encoding", "text")

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self.encoding = encoding


def decode(data: bytes, path: str) -> Text:
    """The text of `data`, in the encoding that a byte order mark or a declaration gives it, else UTF-8 (PEP 263).

    Raises Problem where there is no such encoding, or `data` is not in it.
    """
    import io
    from tokenize import detect_encoding

    try:
        encoding, _ = detect_encoding(io.BytesIO(data).readline)
        return Text(data.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise Problem(path, f"is not valid {error.encoding} ({error.reason})", _REMEDY, row) from error
    except (SyntaxError, LookupError, ValueError) as error:
        raise Problem(path, f"cannot be decoded ({error})", _REMEDY) from error
