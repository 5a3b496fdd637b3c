"""How reports on paths become findings: contexts, variants, fixes that must hold for all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kl_lint.finding import Applicability, DropKeyword, RenameCallee, SetKeyword, Span, Wrap
from kl_lint.flow.kl_call import (
    Argument,
    Caller,
    Distribution,
    Handwritten,
    KLCall,
    Kind,
    Reduction,
    RemarkKind,
    Setting,
    Settings,
    Site,
    Use,
)
from kl_lint.flow.values import Mass
from kl_lint.rules import judge
from tests.rules.facts import (
    BATCHMEAN,
    CALL,
    CONSTRUCTION,
    CONSTRUCTION_SETTING,
    INPUT,
    LOG_PROBS,
    PROBS,
    SETTING,
    TARGET,
    UNKNOWN,
    Facts,
    argument,
    call,
    construction,
    remark,
    site,
    softmax,
    step,
)

RIGHT = call()
WRONG = call(PROBS)
SWAPPED = call(PROBS, LOG_PROBS)
BLANK = call(UNKNOWN, UNKNOWN)


def codes(*sites: Site, enable: frozenset[str] = frozenset()) -> list[str]:
    return [finding.code for finding in judge(Facts(sites), enable=enable)]


@pytest.mark.parametrize(
    ("contexts", "entry", "expected"),
    [
        pytest.param([(WRONG,)], (), ["KLD101"], id="one-path"),
        pytest.param([(RIGHT,)], (), [], id="one-path-right"),
        pytest.param([(WRONG, WRONG)], (), ["KLD101"], id="both-branches"),
        pytest.param([(WRONG, RIGHT)], (), [], id="one-branch-right"),
        pytest.param([(WRONG, BLANK)], (), [], id="one-branch-unknown"),
        pytest.param([(WRONG, SWAPPED)], (), [], id="branches-wrong-in-different-ways"),
        pytest.param([(WRONG,), (WRONG,)], (), ["KLD101"], id="both-callers"),
        pytest.param([(WRONG,), (RIGHT,)], (), [], id="one-caller-right"),
        pytest.param([(WRONG,), (WRONG, RIGHT)], (), [], id="a-branch-of-one-caller-right"),
        pytest.param([(WRONG,)], (True,), ["KLD101"], id="entry-alone"),
        pytest.param([(WRONG,), (WRONG,)], (True, True), ["KLD101"], id="entries"),
        pytest.param([(WRONG,), (BLANK,)], (True, True), [], id="one-of-two-entries"),
        pytest.param([(BLANK,), (WRONG,)], (True, False), ["KLD101"], id="entry-abstains"),
        pytest.param([(WRONG,), (RIGHT,)], (True, False), [], id="entry-wrong-caller-right"),
        pytest.param([(BLANK,), (WRONG,), (RIGHT,)], (True, False, False), [], id="callers-disagree"),
        pytest.param([(BLANK,), (WRONG,), (WRONG,)], (True, False, False), ["KLD101"], id="callers-agree"),
    ],
)
def test_what_counts_is_every_path(
    contexts: list[tuple[KLCall, ...]], entry: tuple[bool, ...], expected: list[str]
) -> None:
    assert codes(site(*contexts, entry=entry)) == expected


def test_contexts_that_no_variant_is_left_of_do_not_count() -> None:
    reached = site((WRONG,), entry=(False,))
    dead = replace(reached.contexts[0], variants=())
    assert codes(replace(reached, contexts=(dead, *reached.contexts))) == ["KLD101"]
    assert codes(replace(reached, contexts=(dead,))) == []
    entered = site((WRONG,), entry=(True,))
    assert codes(replace(entered, contexts=(replace(dead, entry=True), *entered.contexts))) == ["KLD101"]
    assert codes(Site(Kind.FUNCTIONAL, CALL)) == []


def test_finding_says_it_all() -> None:
    given = replace(call(argument(replace(PROBS, trace=(step("softmax"),)))), span=Span(9, 5, 12, 6))
    (finding,) = judge(Facts((site((given,)),)))
    assert finding.code == "KLD101"
    assert finding.name == "probabilities-as-input"
    assert finding.filename == "losses.py"
    assert finding.span == INPUT
    assert finding.noqa_row == 9
    assert finding.trace == (step("softmax"),)
    assert finding.fix is not None
    assert not finding.message.startswith("KLD")


def test_findings_are_sorted_and_said_once() -> None:
    later = replace(call(PROBS), span=Span(20, 1, 20, 9), input=argument(PROBS, Span(20, 8, 20, 18)))
    both = call(PROBS, PROBS, log_target=True)
    found = judge(Facts((site((later,)), site((both,)), site((both,)))))
    assert [(finding.span.row, finding.code) for finding in found] == [(10, "KLD101"), (10, "KLD302"), (20, "KLD101")]


def test_of_one_place_the_first_report_counts() -> None:
    first = call(replace(PROBS, trace=(step("softmax", 1),)))
    second = call(replace(PROBS, trace=(step("softmax", 2),)))
    (finding,) = judge(Facts((site((first,)), site((second,)))))
    assert "line 1" in finding.message
    (finding,) = judge(Facts((site((second, first)),)))
    assert "line 2" in finding.message


@pytest.mark.parametrize("enable", ["KLD208", "KLD2", "KLD", "K"])
def test_opt_in_rules_count_when_enabled(enable: str) -> None:
    given = site((call(replace(LOG_PROBS, rank=3)),))
    assert codes(given) == []
    assert codes(given, enable=frozenset({enable})) == ["KLD208"]
    assert codes(given, enable=frozenset({"KLD3", "KLD601"})) == []


def test_handwritten_divergences_count_when_enabled() -> None:
    expression = Handwritten(Span(3, 1, 3, 9), "losses.py", "p", "log_q", total=True)
    assert judge(Facts(handwritten=(expression,))) == ()
    (finding,) = judge(Facts(handwritten=(expression,)), enable=frozenset({"KLD6"}))
    assert (finding.code, finding.span, finding.noqa_row, finding.filename) == (
        "KLD601",
        expression.span,
        3,
        "losses.py",
    )


# --- fixes -----------------------------------------------------------------------------------------------------------


def made_at(row: int, *, inline: bool = False) -> KLCall:
    """A call whose input a softmax in that row made."""
    return call(replace(PROBS, producer=softmax(sole_use=True, inline=inline, span=Span(row, 1, row, 9))))


def fix_of(*sites: Site) -> tuple[object, ...]:
    finding = judge(Facts(sites))[0]
    return finding.fix.edits if finding.fix is not None else ()


def test_a_fix_on_every_path_is_made_on_every_path() -> None:
    edits = (RenameCallee(Span(1, 1, 1, 9), "log_softmax"), RenameCallee(Span(2, 1, 2, 9), "log_softmax"))
    assert fix_of(site((made_at(1), made_at(2)))) == edits
    assert fix_of(site((made_at(1),), (made_at(2),))) == edits
    assert fix_of(site((made_at(1), made_at(1)))) == edits[:1]


def test_a_fix_of_one_path_at_the_call_is_none() -> None:
    """`.log()` behind the argument would be one too many on the path where the softmax becomes a log_softmax."""
    assert fix_of(site((call(PROBS),))) == (Wrap(INPUT, "", ".log()"),)
    assert fix_of(site((made_at(1), call(PROBS)))) == ()
    assert fix_of(site((call(PROBS), made_at(1)))) == ()


def test_a_fix_that_one_path_lacks_is_none() -> None:
    unmendable = call(argument(PROBS, swappable=False))
    assert fix_of(site((unmendable, made_at(1)))) == ()
    assert fix_of(site((made_at(1),), (unmendable,))) == ()


def test_entries_have_a_say_on_fixes_where_they_agree() -> None:
    both = site((call(PROBS),), (made_at(1),), entry=(True, False))
    assert fix_of(both) == ()
    abstaining = site((BLANK,), (made_at(1),), entry=(True, False))
    assert fix_of(abstaining) == (RenameCallee(Span(1, 1, 1, 9), "log_softmax"),)


def test_common_edits_stay_common() -> None:
    def target_at(row: int) -> KLCall:
        return call(
            LOG_PROBS, replace(PROBS, producer=softmax(sole_use=True, span=Span(row, 1, row, 9))), settings=Settings()
        )

    found = judge(Facts((site((target_at(1), target_at(2))),)), enable=frozenset({"KLD305"}))
    fix = next(finding.fix for finding in found if finding.code == "KLD305")
    assert fix is not None
    assert fix.edits == (
        RenameCallee(Span(1, 1, 1, 9), "log_softmax"),
        SetKeyword(CALL, "log_target", "True"),
        RenameCallee(Span(2, 1, 2, 9), "log_softmax"),
    )


def test_what_one_path_of_a_context_wants_alone_is_no_fix() -> None:
    """A caller that is right on one of its paths, where another caller has a fix of its own as well."""

    def given(value: Distribution) -> Argument:
        """Out of a `*pair`: where it stands is not known."""
        return argument(value, CALL, swappable=False)

    def twice(row: int) -> Argument:
        span, inner, operand = (Span(row, 1, row, end) for end in (40, 30, 20))
        noticed = remark(RemarkKind.NORMALIZED_TWICE, span=span, inner=inner, argument=inner, operand=operand)
        return given(replace(LOG_PROBS, remarks=(noticed,), producer=softmax(span=span)))

    one, other = (call(given(LOG_PROBS), twice(row), log_target=True) for row in (1, 2))
    both = call(twice(3), twice(2), log_target=True)
    (alike,) = judge(Facts((site((one,), (other,)),)))
    assert alike.fix is not None
    (found,) = judge(Facts((site((one,), (other, both)),)))
    assert found.code == "KLD104"
    assert found.fix is None


def test_a_fix_is_as_unsafe_as_its_least_safe_path() -> None:
    def logged(row: int, *, epsilon: bool) -> KLCall:
        inner, outer = Span(row, 1, row, 9), Span(row, 1, row, 15)
        guards = ((inner, inner),) if epsilon else ()
        noticed = remark(
            RemarkKind.LOG_OF_SOFTMAX, span=outer, inner=inner, argument=inner, epsilon=epsilon, guards=guards
        )
        return call(replace(LOG_PROBS, remarks=(noticed,), producer=softmax(span=inner)))

    (finding,) = judge(Facts((site((logged(1, epsilon=False), logged(2, epsilon=True))),)))
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert len(finding.fix.edits) == 5
    (finding,) = judge(Facts((site((logged(1, epsilon=False), logged(2, epsilon=False))),)))
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.SAFE


def test_alternatives_of_all_paths_stay() -> None:
    one, other = (
        call(LOG_PROBS, LOG_PROBS, settings=Settings()),
        call(LOG_PROBS, LOG_PROBS, settings=Settings(open=True)),
    )
    (finding,) = judge(Facts((site((one, other)),)))
    assert finding.code == "KLD301"
    assert finding.fix is None
    assert [fix.edits for fix in finding.alternatives] == [(Wrap(TARGET, "", ".exp()"),)]


@pytest.mark.parametrize("second_first", [False, True])
def test_alternatives_that_one_path_lacks_are_none(second_first: bool) -> None:
    first, second = (
        call(LOG_PROBS, argument(LOG_PROBS, TARGET, "q", swappable=one), settings=Settings(open=True))
        for one in (True, False)
    )
    alone = [judge(Facts((site((one,)),)))[0] for one in (first, second)]
    assert [(finding.code, len(finding.alternatives)) for finding in alone] == [("KLD301", 1), ("KLD301", 0)]
    (finding,) = judge(Facts((site((second, first) if second_first else (first, second)),)))
    assert (finding.code, finding.fix, finding.alternatives) == ("KLD301", None, ())


# --- modules ---------------------------------------------------------------------------------------------------------


def module_call(row: int, given: KLCall) -> Site:
    """A call of the module that is constructed in row 5."""
    return site((replace(given, kind=Kind.MODULE, span=Span(row, 1, row, 80), construction=CONSTRUCTION),))


FORGOTTEN = call(LOG_PROBS, LOG_PROBS, settings=Settings())


def at_row(row: int, given: KLCall) -> Site:
    assert given.input is not None
    assert given.target is not None
    moved = replace(
        given,
        input=replace(given.input, span=Span(row, 8, row, 18)),
        target=replace(given.target, span=Span(row, 20, row, 30)),
    )
    return module_call(row, moved)


def test_a_construction_is_changed_where_every_call_wants_it() -> None:
    found = judge(Facts((at_row(10, FORGOTTEN), at_row(11, FORGOTTEN))))
    assert [finding.code for finding in found] == ["KLD301", "KLD301"]
    edits = [finding.fix.edits for finding in found if finding.fix is not None]
    assert edits == [(SetKeyword(CONSTRUCTION, "log_target", "True"),)] * 2


def test_a_construction_that_another_call_needs_stays() -> None:
    found = judge(Facts((at_row(10, FORGOTTEN), at_row(11, replace(RIGHT, settings=Settings())))))
    assert [(finding.code, finding.fix) for finding in found] == [("KLD301", None)]
    assert found[0].alternatives


def test_a_setting_within_a_construction_that_another_call_needs_stays() -> None:
    settings = Settings(reduction=Setting("batchmean", True, CONSTRUCTION_SETTING, "reduction", literal=True))
    vector = call(replace(LOG_PROBS, rank=1), settings=settings)
    matrix = call(replace(LOG_PROBS, rank=2), settings=settings)
    (alone,) = judge(Facts((at_row(10, vector),)))
    assert (alone.code, alone.span, alone.noqa_row) == ("KLD207", CONSTRUCTION, 5)
    assert alone.fix is not None
    (contested,) = judge(Facts((at_row(10, vector), at_row(11, matrix))))
    assert contested.code == "KLD207"
    assert contested.fix is None


def built(settings: Settings) -> Site:
    return site((replace(construction(settings), span=CONSTRUCTION),))


DECLARED = Setting(True, True, CONSTRUCTION_SETTING, "log_target", literal=True)
ON_PROBABILITIES = call(settings=Settings(log_target=Setting(True, True)), log_target=True)


def edits_at_row_10(*sites: Site) -> tuple[object, ...]:
    finding = next(one for one in judge(Facts(sites)) if one.noqa_row == 10)
    return finding.fix.edits if finding.fix is not None else ()


def test_settings_of_a_module_are_found_where_they_are_written() -> None:
    drop = (DropKeyword(CONSTRUCTION, "log_target"),)
    assert edits_at_row_10(at_row(10, ON_PROBABILITIES)) == ()
    assert edits_at_row_10(built(Settings(log_target=DECLARED)), at_row(10, ON_PROBABILITIES)) == drop


def test_settings_that_were_changed_since_are_not_taken_from_the_construction() -> None:
    written = Settings(log_target=replace(DECLARED, value=False))
    assert edits_at_row_10(built(written), at_row(10, ON_PROBABILITIES)) == ()
    assert edits_at_row_10(built(Settings()), at_row(10, ON_PROBABILITIES)) == ()


def test_settings_that_depend_on_the_path_are_not_taken_from_the_construction() -> None:
    one = replace(construction(Settings(log_target=DECLARED)), span=CONSTRUCTION)
    other = replace(one, settings=Settings(log_target=replace(DECLARED, literal=False)))
    assert edits_at_row_10(site((one, other)), at_row(10, ON_PROBABILITIES)) == ()


def test_constructions_are_judged_on_their_own() -> None:
    sites = (built(Settings()), at_row(10, replace(RIGHT, settings=Settings(), reduction=Reduction.MEAN)))
    (finding,) = judge(Facts(sites))
    assert (finding.code, finding.span, finding.noqa_row) == ("KLD201", CONSTRUCTION, 5)
    assert finding.fix is not None


def test_an_averaged_module_is_reported_at_its_call() -> None:
    use = Use(Span(12, 1, 12, 9), "mean() over everything", dim=1, everything=True)
    given = replace(RIGHT, settings=BATCHMEAN, reduction=Reduction.NONE, uses=(use,))
    (finding,) = judge(Facts((module_call(10, given),)))
    assert (finding.code, finding.span, finding.noqa_row) == ("KLD205", Span(10, 1, 10, 80), 10)


def test_a_setting_on_a_later_row_keeps_the_noqa_of_the_call() -> None:
    settings = Settings(reduction=Setting("mean", True, Span(13, 9, 13, 15), "reduction", literal=True))
    given = replace(call(settings=settings, reduction=Reduction.MEAN), span=Span(10, 1, 14, 2))
    (finding,) = judge(Facts((site((given,)),)))
    assert (finding.span, finding.noqa_row) == (Span(13, 9, 13, 15), 10)


def test_a_setting_outside_of_the_call_is_reported_at_the_call() -> None:
    settings = Settings(reduction=Setting("mean", True, Span(2, 9, 2, 15), "reduction", literal=True))
    (finding,) = judge(Facts((site((call(settings=settings, reduction=Reduction.MEAN),)),)))
    assert (finding.span, finding.fix) == (CALL, None)


def test_a_fix_at_a_construction_is_no_path_of_its_own() -> None:
    """One path needs the construction changed, the other has its setting out of reach."""
    wanted = replace(FORGOTTEN, kind=Kind.MODULE, construction=CONSTRUCTION)
    elsewhere = replace(wanted, settings=Settings(log_target=Setting(False, True)))
    (finding,) = judge(Facts((site((wanted, elsewhere)),)))
    assert (finding.code, finding.fix) == ("KLD301", None)
    other = replace(wanted, construction=Span(6, 1, 6, 20))
    (finding,) = judge(Facts((site((wanted, other)),)))
    assert (finding.code, finding.fix) == ("KLD301", None)


# --- Bernoulli -------------------------------------------------------------------------------------------------------


def term(row: int, target: str) -> Site:
    logs = replace(LOG_PROBS, mass=Mass.BERNOULLI)
    given = call(argument(logs, Span(row, 8, row, 18)), argument(UNKNOWN, Span(row, 20, row, 30), target))
    return site((replace(given, span=Span(row, 1, row, 80)),))


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param(["t"], ["KLD107"], id="one-term"),
        pytest.param(["t", "1 - t"], [], id="both-terms"),
        pytest.param(["1-t", "t"], [], id="both-terms-other-order"),
        pytest.param(["t", "1.0 - t"], [], id="float"),
        pytest.param(["a * b", "1 - (a * b)"], [], id="parentheses"),
        pytest.param(["t", "1 - u"], ["KLD107", "KLD107"], id="another-complement"),
        pytest.param(["t", "1 - t", "u"], ["KLD107"], id="both-terms-and-one-of-another"),
    ],
)
def test_a_complement_in_another_call_is_found(targets: list[str], expected: list[str]) -> None:
    sites = [term(row, target) for row, target in enumerate(targets, start=10)]
    assert codes(*sites) == expected


def test_right_calls_with_such_targets_are_no_complement() -> None:
    right = call(LOG_PROBS, argument(PROBS, Span(11, 20, 11, 30), "1 - t"))
    assert codes(term(10, "t"), site((replace(right, span=Span(11, 1, 11, 80)),))) == ["KLD107"]


def test_a_complement_held_in_a_variable_is_found() -> None:
    def numbered(row: int, number: int, complement_of: int | None) -> Site:
        logs = replace(LOG_PROBS, mass=Mass.BERNOULLI)
        target = replace(UNKNOWN, number=number, complement_of=complement_of)
        given = call(argument(logs, Span(row, 8, row, 18)), argument(target, Span(row, 20, row, 30), f"t{number}"))
        return site((replace(given, span=Span(row, 1, row, 80)),))

    assert codes(numbered(10, 1, None), numbered(11, 2, 1)) == []
    assert codes(numbered(10, 1, None), numbered(11, 2, 3)) == ["KLD107", "KLD107"]


@pytest.mark.parametrize(
    ("chains", "expected"),
    [
        pytest.param([()], ["KLD107"], id="no-caller"),
        pytest.param([(60,)], ["KLD107"], id="one"),
        pytest.param([(60,), (61,)], [], id="two"),
        pytest.param([(70, 60), (60,)], ["KLD107"], id="one-and-its-end"),
        pytest.param([(80, 70, 60), (70, 60), (60,)], ["KLD107"], id="one-and-both-its-ends"),
        pytest.param([(70, 60), (71, 60)], [], id="two-with-the-same-end"),
        pytest.param([(70, 60), (61,)], [], id="two-of-different-length"),
    ],
)
def test_a_helper_with_several_callers_may_have_the_complement(
    chains: list[tuple[int, ...]], expected: list[str]
) -> None:
    given = term(10, "t")
    callers = tuple(tuple(Caller("losses.py", Span(row, 1, row, 9), "_kl", True) for row in chain) for chain in chains)
    (context,) = given.contexts
    assert codes(replace(given, contexts=(replace(context, chains=callers),))) == expected


def test_settings_span_of_the_tests_lies_in_the_call() -> None:
    assert CALL.contains(SETTING)
    assert CONSTRUCTION.contains(CONSTRUCTION_SETTING)


def test_what_identifies_a_tensor_makes_no_variant_of_its_own() -> None:
    one, other = (call(LOG_PROBS, argument(replace(PROBS, number=number, complement_of=number))) for number in (1, 2))
    assert len({one, other}) == 1
