"""kl-lint finds misuse of `torch.nn.functional.kl_div` and `torch.nn.KLDivLoss`.

    >>> from kl_lint import check_source
    >>> [finding.code for finding in check_source(source)]
    ['KLD101']

The code that is checked is read, never imported or run. Importing this package loads nothing: each name below
loads what it needs when it is first used.
"""

from __future__ import annotations

# not typing's, whose import alone takes longer than reading a hundred files
TYPE_CHECKING = False

if TYPE_CHECKING:
    from kl_lint.corpus import CheckedProject, check_project
    from kl_lint.finding import Finding
    from kl_lint.inspection import Row
    from kl_lint.rewriting import fix_source

__all__ = [
    "CheckedProject",
    "Finding",
    "Row",
    "__version__",
    "check_project",
    "check_source",
    "fix_source",
    "inspect_source",
]

__version__ = "0.1.0"

_HOMES = {
    "CheckedProject": "kl_lint.corpus",
    "Finding": "kl_lint.finding",
    "Row": "kl_lint.inspection",
    "check_project": "kl_lint.corpus",
    "fix_source": "kl_lint.rewriting",
}


def __getattr__(name: str) -> object:
    """The public names that live in other modules, loaded on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def check_source(
    source: str, filename: str = "<string>", *, enable: frozenset[str] = frozenset()
) -> tuple[Finding, ...]:
    """What is wrong with the KL divergences of `source`, sorted by position.

    `filename` is where findings say they are, and where imports of the project's own modules are looked up from.
    `enable` holds codes, or beginnings of codes (`"KLD2"`), of the rules that are off by default.
    `# noqa` comments are not looked at: whoever reports decides what they silence.

    Raises SyntaxError where `source` is not Python.
    """
    from kl_lint.engine import check_text

    return check_text(source, filename, enable=enable)[0]


def inspect_source(source: str, filename: str = "<string>") -> tuple[Row, ...]:
    """What each KL divergence of `source` computes, sorted by position: one row for each call.

    Raises SyntaxError where `source` is not Python.
    """
    from kl_lint.engine import inspect_text

    return inspect_text(source, filename)[0]
