"""The values of options: read from a command line, or flake8's configuration, and from TOML; written as TOML.

Whoever reads a value raises ValueError for one that the option cannot have, with a message that fits behind its name.
"""

from __future__ import annotations

import re

from kl_lint.configuration.options import AUTO, SPACES, Kind, Option
from kl_lint.reports import REPORTS
from kl_lint.selection import CODES, OPT_IN, split_codes, unknown_code

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kl_lint.configuration.returns import Return

__all__ = ["from_text", "from_toml", "suggestion", "to_toml"]

_EXAMPLES = {
    Kind.CODES: 'a list of codes, such as ["KLD101", "KLD2"]',
    Kind.OPT_IN_CODES: f'a list of codes, such as ["{OPT_IN[0]}"]',
    Kind.CODES_BY_FILE: 'a table of lists of codes, such as { "tests/*" = ["KLD2"] }',
    Kind.PATTERNS: 'a list of patterns, such as ["docs", "tests/data/*.py"]',
    Kind.SPACES_BY_NAME: 'a table such as { "a.policy" = "log_probs", "a.*" = { space = "probs", dim = -1 } }',
    Kind.SWITCH: "true or false",
    Kind.FORMAT: 'the name of a format, such as "full"',
    Kind.NUMBER: f'a number from 1 on, or "{AUTO}"',
}
_DOTTED = re.compile(r"[\w*]+(\.[\w*]+)*")


def suggestion(word: str, names: Iterable[str]) -> str:
    """The one of `names` that whoever wrote `word` may have meant, or all of them, as half a sentence."""
    from difflib import get_close_matches

    known = list(names)
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"


# --- from a command line ---


def from_text(option: Option, text: str) -> object:
    """The value that `text` gives to `option`. Raises ValueError where it cannot have it."""
    match option.kind:
        case Kind.CODES | Kind.OPT_IN_CODES:
            return _codes(option, split_codes(text))
        case Kind.PATTERNS:
            return tuple(pattern for pattern in map(str.strip, text.split(",")) if pattern)
        case Kind.CODES_BY_FILE:
            return _codes_by_file(option, _parted_by_colons(text))
        case Kind.SPACES_BY_NAME:
            joined = "=".join(part.strip() for part in text.split("="))
            return tuple(_return_from_text(word) for word in joined.replace(",", " ").split())
        case Kind.SWITCH:
            raise ValueError("takes no value")
        case Kind.FORMAT:
            return _format(text)
        case Kind.NUMBER:
            return _number(int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", text) else text.strip())


def _parted_by_colons(text: str) -> dict[str, list[str]]:
    """The codes of each pattern in `tests/*:KLD1,KLD2 setup.py:KLD3`, where commas and spaces are one."""
    codes: dict[str, list[str]] = {}
    for word in text.replace(",", " ").split():
        pattern, colon, code = word.rpartition(":")
        if colon:
            current = codes.setdefault(pattern, [])
        elif not codes:
            raise ValueError(f"{word!r} has no colon: write PATTERN:CODES, such as tests/*:KLD2,KLD401")
        if code:
            current.append(code)
    return codes


def _return_from_text(word: str) -> Return:
    pattern, equals, rest = word.partition("=")
    if not equals:
        raise ValueError(f"{word!r} has no equals sign: write NAME=SPACE or NAME=SPACE:DIM")
    space, colon, dim = rest.partition(":")
    if colon and not re.fullmatch(r"[+-]?[0-9]+", dim):
        raise ValueError(f"the dimension of {pattern!r} must be an integer, such as -1, not {dim!r}")
    return _return(pattern, space, int(dim) if colon else None)


# --- from TOML ---


def from_toml(option: Option, value: object) -> object:
    """The value that a TOML file gives to `option`. Raises ValueError where it cannot have it."""
    match option.kind, value:
        case ((Kind.CODES | Kind.OPT_IN_CODES), list()) if _are_texts(value):
            return _codes(option, value)
        case Kind.PATTERNS, list() if _are_texts(value):
            return tuple(value)
        case Kind.CODES_BY_FILE, dict() if all(isinstance(each, list) and _are_texts(each) for each in value.values()):
            return _codes_by_file(option, value)
        case Kind.SPACES_BY_NAME, dict():
            return tuple(_return_from_toml(pattern, each) for pattern, each in value.items())
        case Kind.SWITCH, bool():
            return value
        case Kind.FORMAT, str():
            return _format(value)
        case Kind.NUMBER, int() | str() if not isinstance(value, bool):
            return _number(value)
        case _:
            raise ValueError(f"must be {_EXAMPLES[option.kind]}, not {_shown(value)}")


def _are_texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _return_from_toml(pattern: str, value: object) -> Return:
    match value:
        case str():
            return _return(pattern, value, None)
        case {"space": str(space), "dim": int(dim), **others} if not others and not isinstance(dim, bool):
            return _return(pattern, space, dim)
        case {"space": str(space), **others} if not others:
            return _return(pattern, space, None)
        case dict() if wrong := [key for key in value if key not in ("space", "dim")]:
            raise ValueError(f"{pattern!r} has no key {wrong[0]!r}; {suggestion(wrong[0], ('space', 'dim'))}")
        case _:
            raise ValueError(
                f'{pattern!r} must be a space such as "log_probs", or a table such as {{ space = "probs", dim = -1 }}, '
                f"not {_shown(value)}"
            )


def _shown(value: object) -> str:
    """`value` in a message: as TOML where that is short."""
    match value:
        case bool() | int() | float() | str() | list() | dict():
            text = _toml(value)
        case _:
            text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- what all sources of values have in common ---


def _codes(option: Option, prefixes: Sequence[str]) -> tuple[str, ...]:
    known, kind = (OPT_IN, "opt-in rule") if option.kind is Kind.OPT_IN_CODES else (CODES, "rule")
    for prefix in prefixes:
        trouble = unknown_code(prefix, known, kind=kind)
        if trouble:
            raise ValueError(trouble)
    return tuple(prefixes)


def _codes_by_file(option: Option, table: Mapping[str, Sequence[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((pattern, _codes(option, codes)) for pattern, codes in table.items())


def _return(pattern: str, space: str, dim: int | None) -> Return:
    if not _DOTTED.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is no dotted name: write one such as 'models.policy' or 'models.*.policy'")
    if space not in SPACES:
        raise ValueError(f"{pattern!r}: no space is called {space!r}; {suggestion(space, SPACES)}")
    from kl_lint.configuration.returns import Return

    return Return(pattern, space, dim)


def _number(value: int | str) -> int | str:
    if value != AUTO and (isinstance(value, str) or value < 1):
        raise ValueError(f"must be {_EXAMPLES[Kind.NUMBER]}, not {_shown(value)}")
    return value


def _format(name: str) -> str:
    if name not in REPORTS:
        raise ValueError(f"no format is called {name!r}; {suggestion(name, REPORTS)}")
    return name


# --- to TOML ---


def to_toml(option: Option, value: object) -> str:
    """The value of `option` as it may stand in `[tool.kl_lint]`, on one line."""
    match value:
        case tuple() if option.kind is Kind.CODES_BY_FILE:
            return _toml(dict(value))
        case tuple() if option.kind is Kind.SPACES_BY_NAME:
            return _toml({each.pattern: _space(each) for each in value})
        case _:
            return _toml(value)


def _space(each: Return) -> object:
    return each.space if each.dim is None else {"space": each.space, "dim": each.dim}


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            pairs = ", ".join(f"{_key(str(key))} = {_toml(each)}" for key, each in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case str():
            return _quoted(value)
        case _:
            return str(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    """`text` as a basic string of TOML, with escapes for whatever a terminal would obey or not print."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("##[", "\\u0023#[")
    return '"' + "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in escaped) + '"'
