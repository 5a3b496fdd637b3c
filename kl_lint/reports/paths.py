"""Where findings are, as machines elsewhere read it: paths with forward slashes, relative to where those look from."""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kl_lint.finding import Finding

__all__ = ["here", "is_name", "located", "relative", "root"]


def here() -> str:
    """The working directory."""
    return os.getcwd()


def root() -> str:
    """The root of the git repository that the working directory is in; outside of one, the working directory."""
    path = here()
    while not os.path.exists(os.path.join(path, ".git")):
        parent = os.path.dirname(path)
        if parent == path:
            return here()
        path = parent
    return path


def is_name(filename: str) -> bool:
    """Whether `filename` is none of a file, but a name such as `<stdin>`."""
    return filename.startswith("<") and filename.endswith(">")


def relative(filename: str, base: str) -> str:
    """The path of a file from the directory `base`, its absolute path where it is not below; a name as it is."""
    if is_name(filename):
        return filename
    path = os.path.abspath(filename)
    is_below = os.path.normcase(path).startswith(os.path.normcase(os.path.join(base, "")))
    return (path[len(base) :].lstrip(os.sep) if is_below else path).replace(os.sep, "/")


def located(findings: Iterable[Finding], base: str) -> list[tuple[str, Finding]]:
    """The findings with their paths from `base`, sorted by path, position and code."""
    pairs = [(relative(finding.filename, base), finding) for finding in findings]
    return sorted(pairs, key=lambda pair: (pair[0], pair[1].span, pair[1].code))
