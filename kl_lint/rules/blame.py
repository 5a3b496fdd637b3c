"""Callers that differ: where one of them gives a KL call what it must not get, and another does not, the report goes to
the first.

Who calls in another file is named at the KL call: the findings of a file are those of its own text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kl_lint.flow.kl_call import Caller, Context, KLCall, Site
from kl_lint.flow.values import Space
from kl_lint.rules.base import CallRule, Report
from kl_lint.rules.wording import callee, place

__all__ = ["has_no_say", "offences"]

Chain = tuple[Caller, ...]


def has_no_say(context: Context, site: Site) -> bool:
    """Whether a context proves little: its chains begin in functions entered with unknown parameters, and it is known
    who calls these, or it is that of a class that inherits a method, and leaves something open.
    """
    if context.chains and all(chain and chain[0].inherits for chain in context.chains):
        given = [argument for call in context.variants for argument in (call.input, call.target)]
        if any(argument is not None and argument.value.space is Space.UNKNOWN for argument in given):
            return True
    others = [chain for other in site.contexts if other is not context for chain in other.chains]
    return bool(context.chains) and all(
        any(len(other) > len(chain) and _ends_with(other, chain) for other in others) for chain in context.chains
    )


def offences(rule: CallRule, site: Site, wrong: Sequence[Context]) -> tuple[Report, ...]:
    """The reports of the callers whose doing the `wrong` contexts are: each at the last call, on the way to the site,
    that nothing passes through which is not wrong.
    """
    right = [context for context in site.contexts if context.variants and context not in wrong]
    if not all(context.chains for context in right):
        return ()
    elsewhere = [chain for context in right for chain in context.chains]
    found: dict[Caller, Report] = {}
    for context in wrong:
        for chain in context.chains:
            offender = _offender(chain, elsewhere)
            if offender is not None and offender not in found:
                report = _report(rule, context.variants[0], chain, offender)
                if report is not None:
                    found[offender] = report
    return tuple(found[offender] for offender in sorted(found, key=lambda one: (one.filename, one.span)))


def _ends_with(chain: Chain, end: Chain) -> bool:
    return not end or chain[-len(end) :] == end


def _offender(chain: Chain, elsewhere: Sequence[Chain]) -> Caller | None:
    """The innermost call of a chain that none of the others passes through."""
    passed = {caller for other in elsewhere for caller in other}
    return next((caller for caller in reversed(chain) if caller not in passed and caller.followed), None)


def _report(rule: CallRule, call: KLCall, chain: Chain, offender: Caller) -> Report | None:
    """What a rule says of the call, told of the caller: no fix of the call itself can be right for all its callers."""
    report = rule.check(replace(call, callers=tuple(one.step for one in chain)))
    if report is None or not report.of_arguments:
        return None
    if offender.filename == call.filename:
        message = f"{offender.callee} feeds {callee(call)} at line {call.span.row}: {report.message}"
        return replace(report, span=offender.span, host=offender.span, message=message, fix=None, alternatives=())
    where = place(offender.filename, offender.span.row, call)
    message = f"as called by {offender.callee} ({where}): {report.message}"
    return replace(report, message=message, fix=None, alternatives=())
