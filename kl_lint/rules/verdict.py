"""From reports on single paths to one verdict on a place in the text.

A site is reached in contexts (by one caller or another), and a context leaves variants (this branch or that). One
path on which all is well is reason enough to be silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from kl_lint.finding import Applicability, Edit, Fix, Span
from kl_lint.flow.kl_call import Context, Distribution, KLCall, Kind, Settings, Site
from kl_lint.rules.base import CallRule, Report
from kl_lint.rules.blame import has_no_say, offences

__all__ = ["Verdict", "judge_site", "with_written_settings", "without_contested_fixes", "without_paired_terms"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is reported of a site, by code; and of those of its callers that differ from the others."""

    site: Site
    reports: Mapping[str, Report]
    offences: Mapping[str, tuple[Report, ...]] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[KLCall, ...]:
        """The site's call on every path."""
        return tuple(call for context in self.site.contexts for call in context.variants)

    def of(self, code: str) -> tuple[Report, ...]:
        """All there is to report under a code."""
        return (self.reports[code],) if code in self.reports else self.offences.get(code, ())


def with_written_settings(sites: Sequence[Site]) -> list[Site]:
    """Tell the calls of a module where its settings are written: at its construction, unless changed since."""
    written: dict[Span, set[Settings]] = {}
    for site in sites:
        if site.kind is Kind.CONSTRUCTION:
            found = (call.settings for context in site.contexts for call in context.variants)
            written.setdefault(site.span, set()).update(found)
    return [_settled(site, written) if site.kind is Kind.MODULE else site for site in sites]


def _settled(site: Site, written: Mapping[Span, set[Settings]]) -> Site:
    def settled(call: KLCall) -> KLCall:
        options = written.get(call.construction, set()) if call.construction is not None else set()
        same = [one for one in options if len(options) == 1 and _values(one) == _values(call.settings)]
        return replace(call, settings=same[0]) if same else call

    contexts = (replace(one, variants=tuple(settled(call) for call in one.variants)) for one in site.contexts)
    return replace(site, contexts=tuple(contexts))


def _values(settings: Settings) -> list[tuple[bool, object] | None]:
    """What the settings say, wherever they are written."""
    every = (settings.size_average, settings.reduce, settings.reduction, settings.log_target)
    return [(setting.known, setting.value) if setting is not None else None for setting in every]


def judge_site(site: Site, rules: Iterable[CallRule]) -> Verdict:
    """What every rule says of a site that is proved on every path, fixes included; and of single callers, where it is
    proved on every path from these alone.
    """
    reports: dict[str, Report] = {}
    offending: dict[str, tuple[Report, ...]] = {}
    for rule in rules:
        report = _agreed(rule, site)
        if report is not None:
            reports[rule.code] = report
        elif len(site.contexts) > 1:
            wrong = [one for one in site.contexts if not one.entry and _blamed(_in_context(rule, one), site)]
            if wrong and (found := offences(rule, site, wrong)):
                offending[rule.code] = found
    return Verdict(site, reports, offending)


def _agreed(rule: CallRule, site: Site) -> Report | None:
    """The rule's report, where it has one on every path that counts.

    A function entered with unknown parameters proves little; where its callers are known, it has no say unless it
    agrees.
    """
    inside: list[Sequence[Report]] = []
    entered: list[Sequence[Report]] = []
    for context in site.contexts:
        reports = _in_context(rule, context)
        if not context.variants:
            continue  # no run gets here
        if context.entry:
            entered.append(reports)
        elif reports:
            inside.append(reports)
        elif not has_no_say(context, site):
            return None
    if not inside and not all(entered):
        return None
    contexts = [*inside, *(reports for reports in entered if reports)]
    if not _blamed([report for reports in contexts for report in reports], site):
        return None  # on each path something is wrong, but not with one argument
    return _with_common_fixes(contexts, site)


def _blamed(reports: Sequence[Report], site: Site) -> bool:
    """Whether there are reports, and all are of one argument."""
    return bool(reports) and len({report.span for report in reports} & _argument_places(site)) <= 1


def _argument_places(site: Site) -> frozenset[Span]:
    """Where the arguments of a site stand."""
    calls = [call for context in site.contexts for call in context.variants]
    return frozenset(one.span for call in calls for one in (call.input, call.target) if one is not None) - {site.span}


def _in_context(rule: CallRule, context: Context) -> Sequence[Report]:
    """The rule's reports of all variants; none where one variant has none."""
    reports: list[Report] = []
    for call in context.variants:
        report = rule.check(call)
        if report is None:
            return ()
        reports.append(report)
    return reports


# --- fixes -----------------------------------------------------------------------------------------------------------


def _with_common_fixes(contexts: Sequence[Sequence[Report]], site: Site) -> Report:
    """The first report, with the fix that mends all paths at once, if there is one."""
    reports = [report for reports in contexts for report in reports]
    first = reports[0]
    if all(report.fix == first.fix and report.alternatives == first.alternatives for report in reports[1:]):
        return first
    fix = _joined(contexts, site) if all(report.fix is not None for report in reports) else None
    alternatives = tuple(fix for fix in first.alternatives if all(fix in report.alternatives for report in reports))
    return replace(first, fix=fix, alternatives=alternatives)


def _joined(contexts: Sequence[Sequence[Report]], site: Site) -> Fix | None:
    """All edits together, where what differs between the paths lies on the paths, and not at the call they share: so in
    each context, whose paths have more in common, and over all of them.
    """
    every = [report for context in contexts for report in context]
    shared = _shared_places(site)
    if not all(_apart(paths, shared) for paths in (*contexts, every)):
        return None
    fixes = [report.fix for report in every if report.fix is not None]
    together: dict[Edit, None] = dict.fromkeys(edit for fix in fixes for edit in fix.edits)
    unsafe = any(fix.applicability is Applicability.UNSAFE for fix in fixes)
    return Fix(fixes[0].description, Applicability.UNSAFE if unsafe else fixes[0].applicability, tuple(together))


def _apart(paths: Sequence[Report], shared: frozenset[Span]) -> bool:
    """Whether fixes differ in nothing, or each has edits of its own: at none of the `shared` places, and at none that
    another path passes which is mended elsewhere.
    """
    edits = [frozenset(path.fix.edits if path.fix is not None else ()) for path in paths]
    common = frozenset.intersection(*edits)
    own = [path - common for path in edits]
    if not any(own):
        return True
    changed = [{edit.span for edit in path} for path in own]
    passed = [{step.span for step in path.trace} for path in paths]
    return all(own) and not any(
        span in shared or any(span in passed[i] - changed[i] for i in range(len(paths)))
        for span in set().union(*changed)
    )


def _shared_places(site: Site) -> frozenset[Span]:
    """The spans that all paths to a site have in common: the call, its arguments, the construction of its module."""
    places: set[Span] = set()
    for context in site.contexts:
        for call in context.variants:
            places.add(call.span)
            places.update(argument.span for argument in (call.input, call.target) if argument is not None)
            if call.construction is not None:
                places.add(call.construction)
    return frozenset(places)


def without_contested_fixes(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Drop the fixes that change the construction of a module which another call needs as it is."""
    users: dict[Span, list[Verdict]] = {}
    for verdict in verdicts:
        for construction in {call.construction for call in verdict.calls if call.construction is not None}:
            users.setdefault(construction, []).append(verdict)
    return [_without_contested(verdict, users) for verdict in verdicts]


def _without_contested(verdict: Verdict, users: Mapping[Span, Sequence[Verdict]]) -> Verdict:
    if verdict.site.kind is Kind.CONSTRUCTION:
        return verdict  # its fixes are about the construction itself
    own = {call.construction for call in verdict.calls}

    def contested(code: str, fix: Fix) -> bool:
        return any(code not in user.reports for edit in fix.edits for user in users.get(_place(edit, own), ()))

    reports = {
        code: replace(report, fix=None) if report.fix is not None and contested(code, report.fix) else report
        for code, report in verdict.reports.items()
    }
    return replace(verdict, reports=reports)


def _place(edit: Edit, constructions: Iterable[Span | None]) -> Span:
    """The construction within which an edit lies, else the edit's own span."""
    return next((place for place in constructions if place is not None and place.contains(edit.span)), edit.span)


# --- Bernoulli -------------------------------------------------------------------------------------------------------


def without_paired_terms(verdicts: Sequence[Verdict], code: str, of_means: frozenset[str]) -> list[Verdict]:
    """Drop `code`, a missing complement, where another call of the file has it: the target `t` here, `1 - t` there,
    written so or held in a variable. With it goes what is said `of_means`: each element is a distribution then. Of a
    helper that is called more than once, one call may be for the complement.
    """
    reported = [verdict for verdict in verdicts if code in verdict.reports]
    targets = {_target_text(verdict) for verdict in reported}
    paired = {text for text in targets if text and not targets.isdisjoint(_complements(text))}
    paired |= {complement for text in paired for complement in _complements(text)}
    complements = _complementary_targets(verdicts)

    def has_both_terms(verdict: Verdict) -> bool:
        return _target_text(verdict) in paired or not complements.isdisjoint(_target_numbers(verdict))

    def mended(verdict: Verdict) -> Verdict:
        if code in verdict.reports and has_both_terms(verdict):
            return _without(of_means | {code}, verdict)
        return _without({code}, verdict) if has_both_terms(verdict) or _has_callers(verdict) else verdict

    return [mended(verdict) for verdict in verdicts]


def _targets(verdict: Verdict) -> Iterator[Distribution]:
    """The target on every path."""
    return (call.target.value for call in verdict.calls if call.target is not None)


def _target_numbers(verdict: Verdict) -> frozenset[int]:
    """What identifies the target, on every path."""
    return frozenset(target.number for target in _targets(verdict) if target.number is not None)


def _complementary_targets(verdicts: Sequence[Verdict]) -> frozenset[int]:
    """The targets of a file of which one is the complement of another."""
    everyone = frozenset(number for verdict in verdicts for number in _target_numbers(verdict))
    pairs = (
        (target.number, target.complement_of)
        for verdict in verdicts
        for target in _targets(verdict)
        if target.number is not None and target.complement_of in everyone
    )
    return frozenset(number for pair in pairs for number in pair if number is not None)


def _has_callers(verdict: Verdict) -> bool:
    """Whether more than one way is known to lead to a site; the end of another one is none of its own."""
    chains = {chain for context in verdict.site.contexts for chain in context.chains if chain}
    ends = {chain[start:] for chain in chains for start in range(1, len(chain))}
    return len(chains - ends) > 1


def _without(codes: Set[str], verdict: Verdict) -> Verdict:
    return replace(
        verdict,
        reports={key: report for key, report in verdict.reports.items() if key not in codes},
        offences={key: reports for key, reports in verdict.offences.items() if key not in codes},
    )


def _target_text(verdict: Verdict) -> str:
    """The target as it is written, without spaces."""
    texts = (call.target.text for call in verdict.calls if call.target is not None)
    return "".join(next(texts, "").split())


def _complements(text: str) -> frozenset[str]:
    return frozenset(f"{one}-{operand}" for one in ("1", "1.0", "1.") for operand in (text, f"({text})"))
