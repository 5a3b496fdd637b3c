"""What `kl-lint inspect` prints: what each call computes, for people or as JSON."""

from __future__ import annotations

from kl_lint.reports.json_report import absolute, in_cell, step
from kl_lint.reports.json_text import dump_as_it_is
from kl_lint.reports.paths import here
from kl_lint.reports.reasons import line_of
from kl_lint.reports.terminal import Paint, path, visible

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kl_lint.inspection import Row, View
    from kl_lint.reports import Context

__all__ = ["particulars", "render_json", "render_text"]

_SPACES = {
    "log_probs": "log-probabilities",
    "probs": "probabilities",
    "logits": "logits",
    "indices": "class indices",
    "mixed": "differs from path to path",
    "unknown": "not known",
}


def render_json(rows: Sequence[Row], context: Context) -> str:
    """An array with an object for each call; the same conventions as those of the JSON report on findings."""
    return dump_as_it_is([_object(row, context) for row in rows])


def _object(row: Row, context: Context) -> dict[str, object]:
    return {
        "filename": absolute(row.filename),
        **in_cell(row.filename, row.span, context),
        "kind": row.kind,
        "input": _view(row.input, context),
        "target": _view(row.target, context),
        "log_target": row.log_target,
        "reduction": row.reduction,
        "computes": row.computes,
    }


def _view(view: View | None, context: Context) -> dict[str, object] | None:
    if view is None:
        return None
    return {
        "space": view.space,
        "dim": view.dim,
        "rank": view.rank,
        "trace": [step(each, context) for each in view.trace],
    }


def render_text(rows: Sequence[Row], context: Context) -> str:
    """A paragraph for each call: what it computes, and what is known of its arguments."""
    paint = Paint(context.color)
    return "\n".join("".join(f"{line}\n" for line in _paragraph(row, context, paint)) for row in rows)


def _paragraph(row: Row, context: Context, paint: Paint) -> Iterator[str]:
    place = f"{paint.strong(path(row.filename))}:{context.spot(row.filename, row.span.row)}:{row.span.column}"
    yield f"{place}: {visible(row.computes)}"
    yield from (f"  {line}" for line in particulars(row, context))


def particulars(row: Row, context: Context) -> Iterator[str]:
    """What there is to say of a call beside what it computes, a line of visible text each."""
    yield f"input:  {_words(row.input, row, context)}"
    yield f"target: {_words(row.target, row, context)}"
    log_target = "not known" if row.log_target is None else row.log_target
    yield f"{row.kind} call, reduction: {row.reduction}, log_target: {log_target}"


def _words(view: View | None, row: Row, context: Context) -> str:
    if view is None:
        return "not shown by the call"
    dim = "" if view.dim is None else f" along dim {view.dim}"
    steps = [f"{each.what}, {line_of(each, row.filename, row.span.row, context, here())}" for each in view.trace]
    why = f" ({'; '.join(steps)})" if steps else ""
    return visible(f"{_SPACES[view.space]}{dim}{why}")
