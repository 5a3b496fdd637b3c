"""From bytes to text, as Python itself reads a source file."""

from __future__ import annotations

from kl_lint.sources.problem import Problem

TYPE_CHECKING = False

if TYPE_CHECKING:
    from kl_lint.sources.document import Document
    from kl_lint.sources.notebook import Notebook

__all__ = ["DOCUMENTS", "NOTEBOOK", "Text", "decode"]

NOTEBOOK = ".ipynb"
"""How the names of files end that hold Python in cells."""

DOCUMENTS = (".md", ".markdown", ".rst")
"""How the names of files end that hold Python in blocks, between their own text."""

_REMEDY = "save it as UTF-8, or declare its encoding in its first line"


class Text:
    """Decoded source: its newlines are those of the file, its byte order mark is gone."""

    __slots__ = ("encoding", "text")

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self.encoding = encoding

    def encode(self, text: str) -> bytes:
        """The file's bytes where its text is `text`, with the mark where there was one. May raise ValueError."""
        return text.encode(self.encoding)


def decode(data: bytes, path: str) -> Text | Notebook | Document:
    """The text of `data`, in the encoding that a byte order mark or a declaration gives it, else UTF-8 (PEP 263).

    Raises Problem where there is no such encoding, or `data` is not in it, or it is to be a notebook and is none.
    """
    if path.endswith(NOTEBOOK):
        from kl_lint.sources.notebook import Notebook

        return Notebook(path, data)
    if path.endswith(DOCUMENTS):
        from kl_lint.sources.document import read_document

        return read_document(path, data)
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
