"""KLD2xx on facts read off one line of source; the numbers are torch's business (tests/numerics)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kl_lint.finding import (
    DropKeyword,
    Edit,
    NamePositional,
    RenameCallee,
    RenameKeyword,
    Replace,
    SetKeyword,
    Span,
    Wrap,
)
from kl_lint.flow.kl_call import KLCall, Kind, Reduction, Setting, Settings, Use
from kl_lint.flow.values import Mass
from kl_lint.rules.base import CallRule
from kl_lint.rules.reductions import (
    REDUCTION_RULES,
    BatchmeanOverPositions,
    BatchmeanWithoutBatch,
    DefaultReduction,
    InvalidReduction,
    LegacyReductionArguments,
    MeanOverClasses,
    MeanReduction,
    ReductionAsSizeAverage,
)
from tests.rules.cases import checked, codes
from tests.rules.facts import (
    CALL,
    CONSTRUCTION,
    CONSTRUCTION_SETTING,
    LOG_PROBS,
    PROBS,
    SETTING,
    UNKNOWN,
    call,
    parsed,
)


def settings_of(source: str, **values: object) -> KLCall:
    """`F.kl_div(...)` or `nn.KLDivLoss(...)`; the names of `values` are known."""
    return parsed(source, Kind.FUNCTIONAL if source.startswith("F.") else Kind.CONSTRUCTION, values)


def at(source: str, part: str) -> Span:
    """Where `part` stands in a line."""
    column = source.index(part) + 1
    return Span(1, column, 1, column + len(part))


def whole(source: str) -> Span:
    return at(source, source)


CLASSES = "takes the mean, which divides by the number of classes too"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param("F.kl_div(a, b)", "kl_div", id="functional"),
        pytest.param("F.kl_div(a, b, None, None)", "kl_div", id="placeholders"),
        pytest.param("F.kl_div(a, b, log_target=True)", "kl_div", id="log-target"),
        pytest.param("nn.KLDivLoss()", "KLDivLoss", id="construction"),
        pytest.param("nn.KLDivLoss(size_average=None)", "KLDivLoss", id="None-said"),
    ],
)
def test_default_reduction(source: str, name: str) -> None:
    report = checked(DefaultReduction(), settings_of(source))
    assert report.message == f'{name} without reduction {CLASSES}: use reduction="batchmean"'
    assert report.span == whole(source)
    assert report.fix is not None
    assert report.fix.edits == (SetKeyword(whole(source), "reduction", '"batchmean"'),)
    assert [fix.edits for fix in report.alternatives] == [(SetKeyword(whole(source), "reduction", '"mean"'),)]
    assert [fix.applicability.value for fix in (report.fix, *report.alternatives)] == ["unsafe", "safe"]


@pytest.mark.parametrize(
    ("ranks", "reduction", "factor"),
    [
        pytest.param((1, 1), "sum", "the number of classes times the mean", id="1-D"),
        pytest.param((1, None), "sum", "the number of classes times the mean", id="1-D-and-unknown"),
        pytest.param((2, 2), "batchmean", "the number of classes times the mean", id="2-D"),
        pytest.param((3, 3), "batchmean", "the product of the 2 sizes after the first", id="3-D"),
        pytest.param((4, None), "batchmean", "the product of the 3 sizes after the first", id="4-D-and-unknown"),
        pytest.param((None, None), "batchmean", "the product of the sizes after the first", id="unknown"),
        pytest.param((1, 2), "batchmean", "the number of classes times the mean", id="broadcast"),
    ],
)
@pytest.mark.parametrize("rule", [DefaultReduction(), MeanReduction()], ids=lambda rule: rule.code)
def test_fix_of_a_mean_by_rank(
    rule: CallRule, ranks: tuple[int | None, int | None], reduction: str, factor: str
) -> None:
    mean = Setting("mean", True, SETTING, "reduction", literal=True)
    settings = Settings() if rule.code == "KLD201" else Settings(reduction=mean)
    given = call(replace(LOG_PROBS, rank=ranks[0]), replace(PROBS, rank=ranks[1]), settings=settings)
    report = checked(rule, given)
    assert report.message.endswith(f'use reduction="{reduction}"')
    assert report.fix is not None
    assert factor in report.fix.description
    new = f'"{reduction}"'
    expected: Edit = SetKeyword(CALL, "reduction", new) if rule.code == "KLD201" else Replace(SETTING, new)
    assert report.fix.edits == (expected,)


@pytest.mark.parametrize(
    "source",
    [
        'F.kl_div(a, b, reduction="batchmean")',
        'F.kl_div(a, b, None, None, "sum")',
        "F.kl_div(a, b, reduction=red)",
        "F.kl_div(a, b, **options)",
        "F.kl_div(a, b, size_average=flag)",
        "F.kl_div(a, b, False)",
        "nn.KLDivLoss(reduce=False)",
        "nn.KLDivLoss(**options)",
    ],
)
def test_default_reduction_is_silent(source: str) -> None:
    assert DefaultReduction().check(settings_of(source)) is None


@pytest.mark.parametrize("value", ["mean", "elementwise_mean"])
@pytest.mark.parametrize(
    "template",
    [
        'F.kl_div(a, b, reduction="{}")',
        'nn.KLDivLoss(reduction="{}")',
        'F.kl_div(a, b, None, None, "{}")',
        'nn.KLDivLoss(None, None, "{}")',
    ],
)
def test_mean_reduction(template: str, value: str) -> None:
    source = template.format(value)
    report = checked(MeanReduction(), settings_of(source))
    name = "kl_div" if source.startswith("F") else "KLDivLoss"
    assert (
        report.message
        == f'reduction="{value}" of {name} divides by the number of classes too: use reduction="batchmean"'
    )
    assert report.span == at(source, f'"{value}"')
    assert report.fix is not None
    assert report.fix.edits == (Replace(at(source, f'"{value}"'), '"batchmean"'),)


def test_mean_in_a_name_is_reported_without_fix() -> None:
    report = checked(MeanReduction(), settings_of("nn.KLDivLoss(reduction=way)", way="mean"))
    assert report.fix is None
    assert report.span == at("nn.KLDivLoss(reduction=way)", "way")


@pytest.mark.parametrize(
    "source",
    [
        'F.kl_div(a, b, reduction="batchmean")',
        "F.kl_div(a, b, reduction=red)",
        'F.kl_div(a, b, size_average=True, reduction="mean")',
        'nn.KLDivLoss("mean")',
    ],
)
def test_mean_reduction_is_silent(source: str) -> None:
    assert MeanReduction().check(settings_of(source)) is None


STRING = (
    '"batchmean" is given to {} as {}, where torch reads it as True and takes the reduction "mean": name it reduction'
)


@pytest.mark.parametrize(
    ("source", "name", "slot", "edit"),
    [
        pytest.param(
            'nn.KLDivLoss("batchmean")',
            "KLDivLoss",
            "size_average",
            NamePositional(Span(1, 1, 1, 26), 0, "reduction"),
            id="construction",
        ),
        pytest.param(
            'F.kl_div(a, b, "batchmean")',
            "kl_div",
            "size_average",
            NamePositional(Span(1, 1, 1, 28), 2, "reduction"),
            id="functional",
        ),
        pytest.param(
            'nn.KLDivLoss(size_average="batchmean")',
            "KLDivLoss",
            "size_average",
            RenameKeyword(Span(1, 1, 1, 39), "size_average", "reduction"),
            id="keyword",
        ),
        pytest.param(
            'F.kl_div(a, b, "batchmean", log_target=True)',
            "kl_div",
            "size_average",
            NamePositional(Span(1, 1, 1, 45), 2, "reduction"),
            id="log-target",
        ),
        pytest.param(
            'nn.KLDivLoss(None, "batchmean")',
            "KLDivLoss",
            "reduce",
            NamePositional(Span(1, 1, 1, 32), 1, "reduction", None, 1),
            id="reduce-slot",
        ),
        pytest.param('nn.KLDivLoss(True, "batchmean")', "KLDivLoss", "reduce", None, id="reduce-slot-behind-a-flag"),
        pytest.param(
            'nn.KLDivLoss(size_average=None, reduce="batchmean")', "KLDivLoss", "reduce", None, id="reduce-keyword"
        ),
        pytest.param('nn.KLDivLoss("batchmean", None)', "KLDivLoss", "size_average", None, id="another-behind"),
        pytest.param('nn.KLDivLoss("batchmean", **options)', "KLDivLoss", "size_average", None, id="open"),
    ],
)
def test_reduction_as_size_average(source: str, name: str, slot: str, edit: Edit | None) -> None:
    report = checked(ReductionAsSizeAverage(), settings_of(source))
    assert report.message == STRING.format(name, slot)
    assert report.span == at(source, '"batchmean"')
    assert (report.fix.edits if report.fix else ()) == ((edit,) if edit else ())


def test_string_in_a_name_keeps_its_name() -> None:
    report = checked(ReductionAsSizeAverage(), settings_of("nn.KLDivLoss(red)", red="sum"))
    assert report.fix is not None
    assert report.fix.edits == (NamePositional(Span(1, 1, 1, 18), 0, "reduction"),)


def test_string_given_elsewhere_is_reported_without_fix() -> None:
    """By functools.partial: the call itself has no such argument."""
    elsewhere = Setting("sum", True, Span(2, 9, 2, 14), None, 2, literal=True)
    report = checked(ReductionAsSizeAverage(), call(settings=Settings(size_average=elsewhere)))
    assert (report.span, report.fix) == (CALL, None)


def test_string_beside_a_reduction_does_not_say_what_comes_of_it() -> None:
    report = checked(ReductionAsSizeAverage(), settings_of('F.kl_div(a, b, "mean", reduction="batchmean")'))
    assert (
        report.message == '"mean" is given to kl_div as size_average, where torch reads it as True: name it reduction'
    )
    assert report.fix is None


def test_long_strings_are_shortened_and_stay_on_one_line() -> None:
    report = checked(ReductionAsSizeAverage(), settings_of("nn.KLDivLoss(red)", red="x\ny" * 50))
    assert len(report.message) < 200
    assert "\n" not in report.message


DEPRECATED = 'is deprecated: use reduction="{}", which has the same value'


@pytest.mark.parametrize(
    ("source", "said", "reduction", "edits"),
    [
        pytest.param(
            "F.kl_div(a, b, size_average=False)", "size_average=False", "sum", "rename", id="size_average-False"
        ),
        pytest.param(
            "F.kl_div(a, b, size_average=True)", "size_average=True", "mean", "rename", id="size_average-True"
        ),
        pytest.param("nn.KLDivLoss(reduce=False)", "reduce=False", "none", "rename", id="reduce-False"),
        pytest.param("nn.KLDivLoss(False)", "size_average=False", "sum", (0, 0), id="position-0"),
        pytest.param("nn.KLDivLoss(None, False)", "reduce=False", "none", (1, 1), id="position-1"),
        pytest.param("F.kl_div(a, b, False)", "size_average=False", "sum", (2, 0), id="position-2"),
        pytest.param("F.kl_div(a, b, False, None)", "size_average=False", "sum", (3, 1), id="placeholder-behind"),
        pytest.param(
            'F.kl_div(a, b, False, None, "mean")', "size_average=False", "sum", (4, 2), id="reduction-by-position"
        ),
        pytest.param("F.kl_div(a, b, 0)", "size_average=0", "sum", (2, 0), id="zero"),
        pytest.param(
            'F.kl_div(a, b, False, reduction="sum")', "size_average=False", "sum", None, id="position-and-keyword"
        ),
        pytest.param("F.kl_div(a, b, size_average=flag)", "size_average=False", "sum", None, id="in-a-name"),
        pytest.param(
            "F.kl_div(a, b, None, None, red, True, size_average=False)",
            "size_average=False",
            "sum",
            None,
            id="log_target-by-position",
        ),
    ],
)
def test_legacy_reduction_arguments(
    source: str, said: str, reduction: str, edits: str | tuple[int, int] | None
) -> None:
    report = checked(LegacyReductionArguments(), settings_of(source, flag=False, red="sum"))
    name = "kl_div" if source.startswith("F") else "KLDivLoss"
    assert report.message == f"{said} of {name} {DEPRECATED.format(reduction)}"
    expected: tuple[Edit, ...] = ()
    match edits:
        case "rename":
            expected = (RenameKeyword(whole(source), said.split("=")[0], "reduction", f'"{reduction}"'),)
        case (int(index), int(dropped)):
            expected = (NamePositional(whole(source), index, "reduction", f'"{reduction}"', dropped),)
    assert (report.fix.edits if report.fix else ()) == expected
    assert report.fix is None or report.fix.applicability.value == "safe"


def test_legacy_keywords_go_one_reduction_comes() -> None:
    source = 'nn.KLDivLoss(size_average=False, reduce=True, reduction="mean")'
    report = checked(LegacyReductionArguments(), settings_of(source))
    assert report.message == f"size_average=False, reduce=True of KLDivLoss {DEPRECATED.format('sum')}"
    assert report.fix is not None
    assert report.fix.edits == (
        DropKeyword(whole(source), "size_average"),
        DropKeyword(whole(source), "reduce"),
        SetKeyword(whole(source), "reduction", '"sum"'),
    )


def test_legacy_keywords_become_one() -> None:
    source = "F.kl_div(a, b, size_average=False, reduce=True, log_target=True)"
    report = checked(LegacyReductionArguments(), settings_of(source))
    assert report.fix is not None
    assert report.fix.edits == (
        RenameKeyword(whole(source), "size_average", "reduction", '"sum"'),
        DropKeyword(whole(source), "reduce"),
    )


def test_legacy_batchmean_divides_twice() -> None:
    source = 'F.kl_div(a, b, size_average=True, reduction="batchmean")'
    report = checked(LegacyReductionArguments(), settings_of(source))
    assert report.message == (
        'size_average=True overrides reduction="batchmean" of kl_div, but the batch is divided by all the same: '
        'give reduction="batchmean" alone'
    )
    assert report.fix is None
    assert [fix.applicability.value for fix in report.alternatives] == ["unsafe"]


@pytest.mark.parametrize(
    "source", ["F.kl_div(a, b, size_average=False, reduction=red)", "F.kl_div(a, b, size_average=False, **options)"]
)
def test_legacy_beside_an_unknown_reduction(source: str) -> None:
    report = checked(LegacyReductionArguments(), settings_of(source))
    assert report.message == "size_average=False of kl_div is deprecated and overrides reduction: give reduction alone"
    assert report.fix is None
    assert not report.alternatives


@pytest.mark.parametrize(
    "source",
    [
        'F.kl_div(a, b, None, None, "sum")',
        "F.kl_div(a, b)",
        "F.kl_div(a, b, size_average=flag)",
        "F.kl_div(a, b, size_average=False, reduce=flag)",
        'nn.KLDivLoss("sum")',
        'nn.KLDivLoss(None, "sum")',
    ],
)
def test_legacy_reduction_arguments_is_silent(source: str) -> None:
    assert LegacyReductionArguments().check(settings_of(source)) is None


TERMS = Span(11, 5, 11, 9)
EVERYTHING = Use(Span(11, 5, 11, 16), "mean() over everything", dim=1, everything=True, operand=TERMS)
OVER_CLASSES = Use(Span(11, 5, 11, 17), "mean over dim 1", dim=1, operand=TERMS)
CHAINED = Use(Span(10, 1, 10, 87), "mean() over everything", dim=-1, everything=True, operand=CALL)
"""`kl_div(...).mean()`."""
NONE = Settings(reduction=Setting("none", True, SETTING, "reduction", literal=True))


def unreduced(*uses: Use, kind: Kind = Kind.FUNCTIONAL, reduction: Reduction = Reduction.NONE) -> KLCall:
    return replace(call(kind=kind, settings=NONE, reduction=reduction), uses=uses)


@pytest.mark.parametrize(
    ("uses", "edits"),
    [
        pytest.param((EVERYTHING,), (Wrap(TERMS, "", ".sum(1)"),), id="everything"),
        pytest.param((CHAINED,), (Wrap(CALL, "", ".sum(-1)"),), id="chained"),
        pytest.param((OVER_CLASSES,), (RenameCallee(OVER_CLASSES.span, "sum"),), id="class-dim"),
        pytest.param(
            (EVERYTHING, OVER_CLASSES),
            (Wrap(TERMS, "", ".sum(1)"), RenameCallee(OVER_CLASSES.span, "sum")),
            id="twice",
        ),
        pytest.param((replace(EVERYTHING, operand=None),), (), id="operand-out-of-reach"),
        pytest.param((replace(EVERYTHING, dim=None),), (), id="dim-unknown"),
        pytest.param((OVER_CLASSES, replace(EVERYTHING, dim=None)), (), id="one-of-two-unknown"),
    ],
)
def test_mean_over_classes(uses: tuple[Use, ...], edits: tuple[Edit, ...]) -> None:
    report = checked(MeanOverClasses(), unreduced(*uses))
    assert report.message == (
        f"the unreduced kl_div is averaged over the classes ({uses[0].how}, line {uses[0].span.row}), "
        "which divides by their number: sum over the classes first"
    )
    assert report.span == CALL
    assert (report.fix.edits if report.fix else ()) == edits


def test_mean_over_classes_of_a_module_is_reported_at_its_call() -> None:
    report = checked(MeanOverClasses(), unreduced(EVERYTHING, kind=Kind.MODULE))
    assert report.span == report.host == CALL
    assert report.message.startswith("the unreduced KLDivLoss is averaged")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(unreduced(), id="never-averaged"),
        pytest.param(unreduced(EVERYTHING, reduction=Reduction.UNKNOWN), id="reduction-unknown"),
        pytest.param(unreduced(EVERYTHING, reduction=Reduction.SUM), id="reduced"),
    ],
)
def test_mean_over_classes_is_silent(given: KLCall) -> None:
    assert MeanOverClasses().check(given) is None


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("batch_mean", "batchmean"),
        ("BatchMean", "batchmean"),
        ("batch-mean", "batchmean"),
        ("bachmean", "batchmean"),
        ("MEAN", "mean"),
        ("sum ", "sum"),
        ("None", "none"),
        ("avg", None),
        ("average", None),
        ("batch", None),
        ("batchsum", None),
        ("", None),
    ],
)
def test_invalid_reduction(value: str, meant: str | None) -> None:
    source = f'F.kl_div(a, b, reduction="{value}")'
    report = checked(InvalidReduction(), settings_of(source))
    remedy = f'use "{meant}"' if meant else 'use "batchmean", "sum", "mean" or "none"'
    assert (
        report.message == f'reduction="{value}" of kl_div is none that torch knows; it raises ValueError here: {remedy}'
    )
    assert report.span == at(source, f'"{value}"')
    assert (report.fix.edits if report.fix else ()) == (
        (Replace(at(source, f'"{value}"'), f'"{meant}"'),) if meant else ()
    )


@pytest.mark.parametrize("value", [None, True, 1])
def test_invalid_reduction_that_is_no_string(value: object) -> None:
    report = checked(InvalidReduction(), settings_of(f"nn.KLDivLoss(reduction={value})"))
    assert report.message.startswith(
        f"reduction={value} of KLDivLoss is none that torch knows; it raises ValueError when it is called"
    )
    assert report.fix is None


def test_invalid_reduction_in_a_name_is_not_fixed() -> None:
    assert checked(InvalidReduction(), settings_of("nn.KLDivLoss(reduction=red)", red="batch_mean")).fix is None


@pytest.mark.parametrize(
    "source",
    [
        'F.kl_div(a, b, reduction="none")',
        'F.kl_div(a, b, reduction="elementwise_mean")',
        "F.kl_div(a, b, reduction=red)",
        'F.kl_div(a, b, size_average=False, reduction="garbage")',
    ],
)
def test_invalid_reduction_is_silent(source: str) -> None:
    assert InvalidReduction().check(settings_of(source)) is None


VECTOR = replace(LOG_PROBS, rank=1, dim=0)
NO_BATCH = (
    "input to {} is 1-D and has no batch: batchmean divides by the number of elements, as mean does; "
    'use reduction="sum"'
)
IN_CONSTRUCTION = Settings(reduction=Setting("batchmean", True, CONSTRUCTION_SETTING, "reduction", literal=True))


@pytest.mark.parametrize(
    ("given", "place", "edits"),
    [
        pytest.param(call(VECTOR), CALL, (Replace(SETTING, '"sum"'),), id="functional"),
        pytest.param(
            call(VECTOR, kind=Kind.MODULE, settings=IN_CONSTRUCTION),
            CONSTRUCTION,
            (Replace(CONSTRUCTION_SETTING, '"sum"'),),
            id="module",
        ),
        pytest.param(
            replace(call(VECTOR, kind=Kind.MODULE, settings=IN_CONSTRUCTION), construction=None),
            CALL,
            (),
            id="module-of-another-file",
        ),
        pytest.param(
            call(VECTOR, settings=Settings(reduction=Setting("batchmean", True, SETTING, "reduction"))),
            CALL,
            (),
            id="in-a-name",
        ),
        pytest.param(call(VECTOR, replace(PROBS, rank=2)), CALL, (), id="target-with-a-batch"),
        pytest.param(
            call(replace(VECTOR, mass=Mass.CUT), replace(PROBS, mass=Mass.UNKNOWN)), CALL, (), id="no-distribution"
        ),
    ],
)
def test_batchmean_without_batch(given: KLCall, place: Span, edits: tuple[Edit, ...]) -> None:
    report = checked(BatchmeanWithoutBatch(), given)
    assert report.message == NO_BATCH.format("KLDivLoss" if given.kind is Kind.MODULE else "kl_div")
    assert report.span == report.host == place
    assert (report.fix.edits if report.fix else ()) == edits


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(call(replace(LOG_PROBS, rank=2)), id="2-D"),
        pytest.param(call(LOG_PROBS), id="rank-unknown"),
        pytest.param(call(LOG_PROBS, replace(PROBS, rank=1)), id="target-1-D-only"),
        pytest.param(call(VECTOR, reduction=Reduction.SUM), id="sum"),
        pytest.param(call(VECTOR, reduction=Reduction.UNKNOWN), id="reduction-unknown"),
    ],
)
def test_batchmean_without_batch_is_silent(given: KLCall) -> None:
    assert BatchmeanWithoutBatch().check(given) is None


@pytest.mark.parametrize("rank", [3, 4])
def test_batchmean_over_positions(rank: int) -> None:
    report = checked(BatchmeanOverPositions(), call(replace(LOG_PROBS, rank=rank)))
    assert report.message == (
        f"input to kl_div is {rank}-D: batchmean divides by its first size only, and sums over every position; "
        "flatten to [-1, C] for the mean over positions"
    )
    assert report.fix is None


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(call(replace(LOG_PROBS, rank=2)), id="2-D"),
        pytest.param(call(LOG_PROBS), id="rank-unknown"),
        pytest.param(call(replace(LOG_PROBS, rank=3), reduction=Reduction.SUM), id="sum"),
    ],
)
def test_batchmean_over_positions_is_silent(given: KLCall) -> None:
    assert BatchmeanOverPositions().check(given) is None


@pytest.mark.parametrize("kind", [Kind.MODULE, Kind.RAW])
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(Settings(), id="default"),
        pytest.param(Settings(reduction=Setting("mean", True, SETTING)), id="mean"),
        pytest.param(Settings(size_average=Setting("sum", True, SETTING, position=0)), id="string"),
        pytest.param(Settings(size_average=Setting(False, True, SETTING, position=0)), id="legacy"),
        pytest.param(Settings(reduction=Setting("garbage", True, SETTING)), id="invalid"),
        pytest.param(Settings(reduction=Setting(1, True, SETTING)), id="number"),
    ],
)
def test_settings_are_judged_where_they_are_given(kind: Kind, settings: Settings) -> None:
    given = call(UNKNOWN, UNKNOWN, kind=kind, settings=settings, reduction=Reduction.UNKNOWN)
    assert codes(given) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("F.kl_div(a, b)", ["KLD201"]),
        ('F.kl_div(a, b, reduction="mean")', ["KLD202"]),
        ('F.kl_div(a, b, "mean")', ["KLD203"]),
        ('nn.KLDivLoss("batchmean", False)', ["KLD203"]),
        ('nn.KLDivLoss("batchmean", reduction="mean")', ["KLD203"]),
        ("F.kl_div(a, b, size_average=False)", ["KLD204"]),
        ('F.kl_div(a, b, size_average=False, reduction="mean")', ["KLD204"]),
        ('F.kl_div(a, b, size_average=False, reduction="garbage")', ["KLD204"]),
        ('F.kl_div(a, b, reduction="garbage")', ["KLD206"]),
        ('F.kl_div(a, b, None, None, "sum")', []),
        ('nn.KLDivLoss(reduction="batchmean")', []),
        ("nn.KLDivLoss(**options)", []),
    ],
)
def test_one_misuse_one_code(source: str, expected: list[str]) -> None:
    given = replace(settings_of(source), reduction=Reduction.UNKNOWN)
    assert [rule.code for rule in REDUCTION_RULES if rule.check(given) is not None] == expected
