"""Configuration files: the table `[tool.kl_lint]` of a `pyproject.toml`."""

from __future__ import annotations

import os
import sys

from kl_lint.configuration.options import OPTIONS
from kl_lint.sources.problem import Problem
from kl_lint.sources.reading import read

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WrongConfiguration", "checked_options", "read_options"]

_WITHOUT = "mend it, or run with --isolated"


class WrongConfiguration(Exception):
    """Options that cannot be followed. `troubles` says of each what is wrong, and what to do."""

    def __init__(self, *troubles: str) -> None:
        super().__init__(*troubles)
        self.troubles = troubles


def read_options(path: str) -> dict[str, object] | None:
    """The options in the file at `path`, by name; None where it has no table of ours.

    Raises WrongConfiguration where it cannot be read, or holds what is no option, or no value of one.
    """
    name = _short(path)
    try:
        data = read(path)
    except Problem as problem:
        raise WrongConfiguration(f"{name}: {problem.what}; {_WITHOUT}") from problem
    # most files have nothing for us, and to parse one takes longer than to check many that mention no divergence
    if b"kl_lint" not in data and b"tool.kl-lint" not in data:
        return None
    tool = _parse(name, data).get("tool")
    tables = tool if isinstance(tool, dict) else {}
    if "kl-lint" in tables:
        raise WrongConfiguration(f"{name}: [tool.kl-lint] is not read; did you mean [tool.kl_lint]?")
    table = tables.get("kl_lint")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise WrongConfiguration(f"{name}: tool.kl_lint must be a table; write [tool.kl_lint]")
    return checked_options(name, table)


def _parse(name: str, data: bytes) -> dict[str, object]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, object] = tomllib.loads(data.decode("utf-8-sig"))
        return document
    except (ValueError, RecursionError) as error:  # an encoding's error and TOML's are both ValueError
        raise WrongConfiguration(f"{name}: is not valid TOML ({error}); {_WITHOUT}") from error


def checked_options(name: str, table: Mapping[str, object]) -> dict[str, object]:
    """The options in `table`, which messages call `name`, by name. Raises WrongConfiguration as `read_options` does."""
    from kl_lint.configuration.values import from_toml, suggestion

    known = {option.name: option for option in OPTIONS}
    values: dict[str, object] = {}
    troubles = []
    for key, value in table.items():
        if key not in known:
            troubles.append(f"{name}: [tool.kl_lint] has no option {key!r}; {suggestion(key, known)}")
            continue
        try:
            values[key] = from_toml(known[key], value)
        except ValueError as error:
            troubles.append(f"{name}: {key}: {error}")
    if troubles:
        raise WrongConfiguration(*troubles)
    return values


def _short(path: str) -> str:
    """`path` from the working directory where it is in or below it."""
    here = os.path.join(os.getcwd(), "")
    return path.removeprefix(here)
