"""The options that may stand in a configuration file, each told once.

The command declares them, `[tool.kl_lint]` is read by them, and flake8 is given those that it has none of its own for.
"""

from __future__ import annotations

from enum import Enum

from kl_lint.selection import OPT_IN
from kl_lint.sources.exclusion import DEFAULT

__all__ = ["AUTO", "OPTIONS", "SPACES", "Kind", "Option"]

AUTO = "auto"
"""The value of the option `jobs` that stands for the number of processors."""

SPACES = ("log_probs", "probs", "logits", "indices")
"""The spaces that the option `returns` may name."""


class Kind(Enum):
    """What the value of an option is."""

    CODES = "codes, or beginnings of codes"
    OPT_IN_CODES = "codes, or beginnings of codes, of rules that are off by default"
    CODES_BY_FILE = "codes, or beginnings of codes, by patterns of file names"
    PATTERNS = "patterns of file names"
    SPACES_BY_NAME = "spaces by patterns of dotted names"
    SWITCH = "true or false"
    FORMAT = "the name of a report's format"
    NUMBER = "a number from 1 on, or auto"


class Option:
    """An option: `--NAME` of the command, `NAME` in `[tool.kl_lint]`.

    `flake8` is the option of flake8's command that does the same. Where it begins with `--kld-`, the plugin declares
    it; else it is flake8's own. It is None where flake8 can do nothing of the kind.
    """

    __slots__ = ("default", "flake8", "help", "kind", "metavar", "name")

    def __init__(
        self, name: str, kind: Kind, metavar: str, help: str, *, default: object = (), flake8: str | None = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.metavar = metavar
        self.help = help
        self.default = default
        self.flake8 = flake8

    @property
    def attribute(self) -> str:
        """The name as Python can spell it."""
        return self.name.replace("-", "_")

    @property
    def of_plugin(self) -> bool:
        """Whether the plugin declares the option."""
        return self.flake8 is not None and self.flake8.startswith("--kld-")


OPTIONS = (
    Option(
        "select",
        Kind.CODES,
        "CODES",
        "only these rules, such as KLD1,KLD205 (default: all that are on)",
        flake8="--select",
    ),
    Option("ignore", Kind.CODES, "CODES", "not these rules, such as KLD2 (default: none)", flake8="--ignore"),
    Option(
        "enable",
        Kind.OPT_IN_CODES,
        "CODES",
        f"these rules too, of those that are off by default: {', '.join(OPT_IN)}",
        flake8="--kld-enable",
    ),
    Option(
        "per-file-ignores",
        Kind.CODES_BY_FILE,
        "PATTERN:CODES",
        "not these rules in the files that a pattern names, such as tests/*:KLD2,KLD401; of all patterns that do",
        flake8="--per-file-ignores",
    ),
    Option(
        "returns",
        Kind.SPACES_BY_NAME,
        "NAME=SPACE",
        "what functions return that cannot be looked into, and along which dimension: models.*.policy=log_probs:-1; "
        f"spaces are {', '.join(SPACES)}",
        flake8="--kld-returns",
    ),
    Option(
        "across-files",
        Kind.SWITCH,
        "",
        "read other files of the project where a call depends on them, which is the default",
        default=True,
    ),
    Option(
        "exclude",
        Kind.PATTERNS,
        "PATTERNS",
        "names and paths to leave out, separated by commas (default: the usual ones, such as .venv and build)",
        default=DEFAULT,
        flake8="--exclude",
    ),
    Option(
        "extend-exclude",
        Kind.PATTERNS,
        "PATTERNS",
        "names and paths to leave out as well, such as third_party,docs/*.py",
        flake8="--extend-exclude",
    ),
    Option("fixable", Kind.CODES, "CODES", "fix the findings of these rules only (default: of all)"),
    Option("unfixable", Kind.CODES, "CODES", "do not fix the findings of these rules (default: none)"),
    Option(
        "unsafe-fixes",
        Kind.SWITCH,
        "",
        "make also the fixes that change, on purpose, the number that is computed",
        default=False,
    ),
    Option("output-format", Kind.FORMAT, "FORMAT", "how findings are shown", default="full"),
    Option(
        "jobs",
        Kind.NUMBER,
        "N",
        f"how many processes to use at most; {AUTO}, the default, stands for the number of processors",
        default=AUTO,
        flake8="--jobs",
    ),
)
"""Every option, in the order in which they are shown."""
