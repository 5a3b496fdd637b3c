"""From a text to what is known of it: the search that comes first, the parse, the analysis, the rules.

Everything here is a function of its arguments: nothing is read, written or remembered. What the analysis needs is
loaded only once a text is found to mention a divergence.
"""

from __future__ import annotations

import re

from kl_lint.selection import INTERNAL_ERROR, enables

TYPE_CHECKING = False

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from kl_lint.configuration.returns import Return
    from kl_lint.finding import Finding
    from kl_lint.flow import Facts
    from kl_lint.flow.declared import Declaration
    from kl_lint.flow.project import Project
    from kl_lint.inspection import Row

__all__ = ["CollectingSeldom", "check_text", "check_tree", "inspect_text", "mentions", "parse"]

_BETWEEN_COLLECTIONS = 500_000
"""Objects made, less those gone, between two collections of garbage during an analysis: Python's own 700 to 10,000
make it slower, and a collection finds hardly any garbage. With fewer a tree would be gone through where it is parsed.
"""


def mentions(text: str | bytes, enable: frozenset[str] = frozenset()) -> bool:
    """Whether `text` can hold anything to report: it names `kl_div` or `KLDiv…`, or torch where KLD601 is enabled.

    Bytes are searched as they are: every encoding that Python source may have spells these words as ASCII does. In
    those of a notebook an escaped newline may come before them.
    """
    handwritten = enables(enable, "KLD601")
    if isinstance(text, bytes):
        if b"KLDiv" in text or (handwritten and b"torch" in text):
            return True
        return b"kl_div" in text and re.search(rb"(?:\b|\\[nrt])kl_div\b", text) is not None
    if "KLDiv" in text or (handwritten and "torch" in text):
        return True
    return "kl_div" in text and re.search(r"\bkl_div\b", text) is not None


def parse(text: str, filename: str) -> ast.Module:
    """The tree of `text`. Raises SyntaxError, whatever the reason why there is none."""
    import ast
    import gc
    import warnings

    collecting = gc.isenabled()
    gc.disable()  # a tree is many objects and no garbage: a quarter of the time
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the checked code's escapes: not ours to report
            return ast.parse(text, filename)
    except SyntaxError:
        raise
    except ValueError as error:
        raise SyntaxError(str(error)) from error
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("an expression is nested too deeply to be parsed") from error
    finally:
        if collecting:
            gc.enable()


def check_text(
    text: str,
    filename: str,
    *,
    enable: frozenset[str] = frozenset(),
    across: bool = False,
    returns: Sequence[Return] = (),
    unsaved: Mapping[str, str] | None = None,
) -> tuple[tuple[Finding, ...], bool]:
    """The findings in `text`, sorted by position, and whether all of it was analysed: there is a bound on the work.

    `across`: other files of its project are read where they matter. `returns` is what the configuration says of
    functions that cannot be looked into. `unsaved` are texts that stand for files as an editor holds them, by path.

    Raises SyntaxError where it is not Python.
    """
    if not mentions(text, enable):
        return (), True
    with CollectingSeldom():
        tree = parse(text, filename)
        from kl_lint.flow.lines import Lines

        lines = Lines(text)
        return _checked(tree, lines, filename, enable=enable, across=across, returns=returns, unsaved=unsaved)


def check_tree(
    tree: ast.Module,
    lines: Sequence[str],
    filename: str,
    *,
    enable: frozenset[str] = frozenset(),
    across: bool = False,
    returns: Sequence[Return] = (),
    unsaved: Mapping[str, str] | None = None,
) -> tuple[tuple[Finding, ...], bool]:
    """What `check_text` gives, of a module that is parsed already; `lines` are its lines, each with its newline.

    Never raises: what goes wrong in here is a finding of its own, KLD000.
    """
    if not mentions("".join(lines), enable):
        return (), True
    return _checked(tree, lines, filename, enable=enable, across=across, returns=returns, unsaved=unsaved)


def _checked(
    tree: ast.Module,
    lines: Sequence[str],
    filename: str,
    *,
    enable: frozenset[str],
    across: bool,
    returns: Sequence[Return],
    unsaved: Mapping[str, str] | None,
) -> tuple[tuple[Finding, ...], bool]:
    """The findings in a module that mentions a divergence; what goes wrong is one of them."""
    try:
        with CollectingSeldom():
            from kl_lint.rules import judge

            project = _project_of(filename, unsaved) if across else None
            handwritten = enables(enable, "KLD601")
            facts = _facts(tree, lines, filename, handwritten=handwritten, project=project, returns=returns)
            return judge(facts, enable=enable), facts.complete
    except Exception as error:
        return (_internal_error(error, lines, filename),), True


def inspect_text(
    text: str,
    filename: str,
    *,
    across: bool = False,
    returns: Sequence[Return] = (),
    unsaved: Mapping[str, str] | None = None,
) -> tuple[tuple[Row, ...], bool]:
    """What each KL divergence in `text` computes, sorted by position, and whether all of it was analysed.

    Raises SyntaxError where it is not Python.
    """
    if not mentions(text):
        return (), True
    with CollectingSeldom():
        tree = parse(text, filename)
        from kl_lint.flow.lines import Lines
        from kl_lint.inspection import describe

        project = _project_of(filename, unsaved) if across else None
        facts = _facts(tree, Lines(text), filename, project=project, returns=returns)
        return describe(facts), facts.complete


def _facts(
    tree: ast.Module,
    lines: Sequence[str],
    filename: str,
    *,
    handwritten: bool = False,
    project: Project | None,
    returns: Sequence[Return],
) -> Facts:
    """The analysis of a module."""
    from kl_lint.flow import analyse

    declarations = _declarations(returns)
    return analyse(tree, lines, filename, handwritten=handwritten, project=project, declarations=declarations)


class CollectingSeldom:
    """For as long as it is entered, garbage is collected now and then only. (`contextlib` would take time to load.)

    To be entered before the analysis is loaded, too: that makes many objects, which all stay. Where many files are
    analysed, for all of them at once: where it is left, a collection follows on the spot.
    """

    __slots__ = ("_thresholds",)

    def __enter__(self) -> None:
        import gc

        often, *others = self._thresholds = gc.get_threshold()
        gc.set_threshold(often and max(often, _BETWEEN_COLLECTIONS), *others)  # 0 stands for never

    def __exit__(self, *error: object) -> None:
        import gc

        gc.set_threshold(*self._thresholds)


def _declarations(returns: Sequence[Return]) -> tuple[Declaration, ...]:
    """What the configuration says, in the analysis's own words."""
    from kl_lint.flow.declared import Declaration
    from kl_lint.flow.values import Space

    return tuple(Declaration(told.pattern, Space(told.space), told.dim) for told in returns)


def _project_of(filename: str, unsaved: Mapping[str, str] | None) -> Project | None:
    """The project that a file belongs to, where it exists."""
    from kl_lint.flow.project import project_of

    return project_of(filename, unsaved)


def _internal_error(error: Exception, lines: Sequence[str], filename: str) -> Finding:
    """The finding that stands for `error`, on the first line that mentions a divergence."""
    from kl_lint.finding import Finding, Span

    row = next((row for row, line in enumerate(lines, start=1) if mentions(line)), 1)
    text = lines[row - 1].rstrip("\n") if lines else ""
    column = len(text) - len(text.lstrip()) + 1
    what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
    return Finding(
        code=INTERNAL_ERROR,
        name="internal-error",
        message=f"internal error at {_where(error.__traceback__)}: {what}; the file was not checked, please report it",
        filename=filename,
        span=Span(row, column, row, max(column, len(text) + 1)),
        noqa_row=row,
    )


def _where(traceback: TracebackType | None) -> str:
    """The innermost line of this package that an exception passed through."""
    where = __name__
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if module.startswith("kl_lint"):
            where = f"{module}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return where
