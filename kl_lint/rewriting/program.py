"""From fixes to what is asked of each expression of a text, before any text is made."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kl_lint.finding import (
    DropKeyword,
    Edit,
    Fix,
    NamePositional,
    RenameCallee,
    RenameKeyword,
    Replace,
    SetKeyword,
    Span,
    SwapArguments,
    Unwrap,
    Wrap,
)
from kl_lint.rewriting.call_plan import CallPlan, Callee, Given, KeywordEdit, Method, Swap, plan_call
from kl_lint.rewriting.layout import Call, Expression
from kl_lint.rewriting.lines import Range, is_within
from kl_lint.rewriting.page import Page
from kl_lint.rewriting.refusal import OVERLAP, Refused
from kl_lint.rewriting.spelling import respell

__all__ = ["Change", "Program", "Template", "compose"]

_T = TypeVar("_T")

_RENAMED = {"log_softmax": {"softmax"}, "LogSoftmax": {"Softmax"}, "log": {"log2", "log10", "log1p"}}
"""The attributes beside which torch has another one of this name. What else holds a softmax need not: `self.act`."""

Template = tuple[str | Range, ...]
"""Source text with the ranges of expressions that are to be put into it.

Those within the expression that the template replaces come with their own changes, others as they stand in the old
text.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that is asked of one expression: to be another one or, as a call, to change; then to be wrapped."""

    place: Expression
    template: Template | None = None
    call: Call | None = None
    plan: CallPlan | None = None
    wrap: Wrap | None = None


Program = Mapping[Range, Change]
"""The changes by the range of the expression, as `ast` has it."""


def compose(page: Page, fixes: Iterable[Fix]) -> Program:
    """What all of `fixes` ask together. Raises Refused where an edit has no place, or two have the same one."""
    asked: dict[Range, dict[Edit, set[Fix]]] = {}
    for fix in fixes:
        for edit in fix.edits:
            asked.setdefault(page.range(edit.span), {}).setdefault(edit, set()).add(fix)
    return {key: _change(page, key, edits) for key, edits in asked.items()}


def _change(page: Page, key: Range, edits: Mapping[Edit, set[Fix]]) -> Change:
    place = page.expression(key)
    wraps: list[Wrap] = []
    templates: list[Template] = []
    names: list[RenameCallee] = []
    keywords: list[KeywordEdit] = []
    for edit in edits:
        match edit:
            case Wrap():
                wraps.append(edit)
            case Unwrap(inner=inner):
                templates.append((_inner(page, inner, key),))
            case Replace(source=source, parts=parts):
                templates.append(tuple(_template(page, source, parts)))
            case RenameCallee():
                names.append(edit)
            case SwapArguments(first=first, second=second):
                keywords.append(Swap(page.range(first), page.range(second)))
            case SetKeyword() | DropKeyword() | RenameKeyword() | NamePositional():
                keywords.append(edit)
    wrap = _only(wraps)
    if templates and len(edits) > 1:
        raise Refused(OVERLAP)
    if names and wrap and not any(edits[name] & edits[wrap] for name in names):
        raise Refused(OVERLAP)  # two ways to mend one value: both together would overdo it
    if not names and not keywords:
        return Change(place, template=_only(templates), wrap=wrap)
    call = page.call(key)
    return Change(place, call=call, plan=_plan(page, call, keywords, _only(names)), wrap=wrap)


def _plan(page: Page, call: Call, edits: Sequence[KeywordEdit], rename: RenameCallee | None) -> CallPlan:
    text = page.lines.text
    given = [
        Given(argument.star, argument.keyword, argument.value.key, text[slice(*argument.value.outer)])
        for argument in call.arguments
    ]
    return plan_call(given, edits, None if rename is None else _callee(page, call, rename))


def _callee(page: Page, call: Call, rename: RenameCallee) -> Callee | Method:
    if call.name is None:
        raise Refused("the call calls no name that could be another")
    text = page.lines.text
    owner, called = text[call.function[0] : call.name[0]].rstrip(" ."), text[slice(*call.name)]
    if owner not in ("", "self", "cls") and called in _RENAMED.get(rename.name, {called}):
        return Callee(rename.name)
    spelled = respell(page.tree, "" if owner else called, rename.span.row, rename.name)
    return Callee(spelled, whole=True) if isinstance(spelled, str) else spelled


def _template(page: Page, source: str, parts: Sequence[Span]) -> Iterator[str | Range]:
    for literal, field_name, _, _ in string.Formatter().parse(source):
        if literal:
            yield literal
        if field_name is not None:
            yield page.expression(page.range(parts[int(field_name)])).key


def _inner(page: Page, span: Span, key: Range) -> Range:
    inner = page.expression(page.range(span)).key
    if not is_within(inner, key):
        raise Refused("what is to be unwrapped does not stand within the expression that it replaces")
    return inner


def _only(items: Sequence[_T]) -> _T | None:
    """The one item, if there is one. Raises Refused where there are several."""
    if len(items) > 1:
        raise Refused(OVERLAP)
    return items[0] if items else None
