"""What an editor's own settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kl_lint.configuration.options import OPTIONS
from kl_lint.configuration.values import from_toml, suggestion

__all__ = ["SECTION", "Preferences", "read_preferences"]

SECTION = "kl_lint"
"""What the settings are called in an editor's configuration."""

_HINTS = "inlayHints"


@dataclass(frozen=True, slots=True)
class Preferences:
    """`options`, by name, count more than those of any file; `hints` asks for inlay hints.

    `troubles` says of each setting that cannot be followed, and is none of the others, what is wrong with it.
    """

    options: Mapping[str, object] = field(default_factory=dict)
    hints: bool = False
    troubles: tuple[str, ...] = ()


def read_preferences(settings: object) -> Preferences:
    """The preferences in `settings`: options as in `[tool.kl_lint]`, and `inlayHints`. None stands for no setting."""
    if settings is None or settings == []:  # which is what some editors make of an empty table
        return Preferences()
    if not isinstance(settings, Mapping):
        return Preferences(troubles=(f'the setting {SECTION} must be an object, such as {{"{_HINTS}": true}}',))
    known = {option.name: option for option in OPTIONS}
    options: dict[str, object] = {}
    hints = False
    troubles = []
    for key, value in settings.items():
        try:
            if value is None:
                continue
            if key == _HINTS:
                hints = _switch(value)
            elif key in known:
                options[key] = from_toml(known[key], value)
            else:
                raise ValueError(f"there is no such setting; {suggestion(str(key), (*known, _HINTS))}")
        except ValueError as error:
            troubles.append(f"setting {SECTION}.{key}: {error}")
    return Preferences(options, hints, tuple(troubles))


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value
