"""torch decides whether what the rules say of it is true: their examples, numbers, messages and tables."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical, kl_divergence

from kl_lint.finding import Applicability, Fix
from kl_lint.flow.kl_call import Kind, Reduction
from kl_lint.rewriting import apply_fixes
from kl_lint.rules import RULES, Rule, rule
from kl_lint.rules.documentation import SETUP
from kl_lint.rules.normalization import implicit_dim
from kl_lint.rules.reductions import (
    InvalidReduction,
    LegacyReductionArguments,
    ReductionAsSizeAverage,
    legacy_reduction,
)
from tests.rules.facts import parsed

Names = dict[str, object]

student = torch.tensor([[2.0, 0.5, -1.0], [-1.0, 1.5, 0.0]])
teacher = torch.tensor([[1.5, 1.0, -0.5], [0.5, 1.0, -1.0]])
log_probs, probs = F.log_softmax(student, dim=-1), F.softmax(student, dim=-1)
log_target, target = F.log_softmax(teacher, dim=-1), F.softmax(teacher, dim=-1)


def batchmean(given: Tensor, wanted: Tensor) -> float:
    return F.kl_div(given, wanted, reduction="batchmean").item()


def divergence(p: Tensor = teacher, q: Tensor = student) -> Tensor:
    """KL(p || q) of two tensors of logits: one number for each distribution."""
    value: Tensor = kl_divergence(Categorical(logits=p), Categorical(logits=q))
    return value


def gradient(loss: Tensor, leaf: Tensor) -> Tensor:
    return torch.autograd.grad(loss, leaf)[0]


def leaf(*values: float) -> Tensor:
    return torch.tensor(values, requires_grad=True)


def trained(loss: Callable[[Tensor], Tensor], start: Tensor, *, rate: float, steps: int) -> Tensor:
    """Where gradient descent on `loss` ends up."""
    point = start.clone().requires_grad_()
    for _ in range(steps):
        point = (point - rate * gradient(loss(point), point)).detach().requires_grad_()
    return point.detach()


# --- the examples ----------------------------------------------------------------------------------------------------


def run(code: str) -> Names:
    names: Names = {}
    exec(compile(f"{SETUP}\n{cleandoc(code)}", "<example>", "exec"), names)
    return names


def promises(code: str) -> list[tuple[str, str]]:
    """The names that an example assigns, each with the value that the comment behind it promises."""
    return re.findall(r"^(\w+) = .*  # (\S+)$", code, flags=re.MULTILINE)


def number(value: object) -> float:
    assert isinstance(value, Tensor)
    return value.item()


EXAMPLES = [
    pytest.param(one, code, id=f"{one.code}-{what}")
    for one in RULES
    for what, code in (("bad", one.documentation.example), ("good", one.documentation.use_instead))
]


@pytest.mark.parametrize(("one", "code"), EXAMPLES)
def test_example_does_what_its_comments_say(one: Rule, code: str) -> None:
    promised = promises(cleandoc(code))
    assert "loss" in dict(promised)
    if dict(promised)["loss"] == "ValueError":
        with pytest.raises(ValueError, match="is not a valid value for reduction"):
            run(code)
        return
    names = run(code)
    for name, value in promised:
        assert number(names[name]) == pytest.approx(float(value), abs=6e-5, nan_ok=True), name


def bernoulli_oracle() -> Tensor:
    pairs: Tensor = kl_divergence(Bernoulli(torch.sigmoid(teacher)), Bernoulli(logits=student))
    return pairs.sum(dim=1).mean()


def wide_oracle() -> Tensor:
    return divergence(torch.tensor([[0.0, -200.0, 1.0]]), student[:1]).mean()


ORACLES: dict[str, Callable[[], Tensor]] = {
    "KLD107": bernoulli_oracle,
    "KLD204": lambda: divergence().sum(),
    "KLD207": lambda: divergence()[0],
    "KLD304": lambda: F.kl_div(log_probs, F.one_hot(teacher.argmax(1), 3).float(), reduction="batchmean"),
    "KLD305": wide_oracle,
    "KLD503": lambda: divergence(teacher[:, :2], student[:, :2]).mean(),
    "KLD504": lambda: divergence(teacher / 2, student / 2).mean(),
    "KLD505": lambda: divergence(teacher[:, :2], student[:, :2]).mean(),
    "KLD601": lambda: divergence().sum(),
}
"""What `use_instead` is to compute, where it is not the mean divergence of the two distributions of the setup."""

SAME_NUMBER = {"KLD105", "KLD204", "KLD305", "KLD502", "KLD601"}
"""The rules whose bad example has the right number, and another fault."""


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)
def test_use_instead_gives_what_was_meant(one: Rule) -> None:
    wanted = ORACLES.get(one.code, lambda: divergence().mean())()
    assert number(run(one.documentation.use_instead)["loss"]) == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("one", [one for one in RULES if one.code != "KLD206"], ids=lambda one: one.code)
def test_bad_example_is_bad(one: Rule) -> None:
    wanted = ORACLES.get(one.code, lambda: divergence().mean())().item()
    bad = number(run(one.documentation.example)["loss"])
    assert (bad == pytest.approx(wanted, rel=1e-5)) is (one.code in SAME_NUMBER)


@pytest.mark.parametrize("code", sorted(SAME_NUMBER))
def test_rules_of_the_right_number_have_safe_fixes(code: str) -> None:
    assert rule(code).fix.applicability is Applicability.SAFE


def test_setup_is_what_the_claims_are_made_of() -> None:
    names = run("")
    assert torch.equal(names["student"], student)  # type: ignore[arg-type]
    assert torch.equal(names["teacher"], teacher)  # type: ignore[arg-type]


# --- the numbers in the prose ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A number that a rule's documentation states, and what torch makes of it."""

    code: str
    text: str
    compute: Callable[[], float]


def log_of_far_class(function: Callable[[Tensor], Tensor], gap: float) -> tuple[float, float]:
    """The log-probability of a class that lies `gap` below two others, and its derivative."""
    logits = leaf(-gap, 0.0, 0.0)
    value = function(logits)[0]
    return value.item(), gradient(value, logits)[0].item()


def exact(logits: Tensor) -> Tensor:
    return F.log_softmax(logits, dim=0)


def plain(logits: Tensor) -> Tensor:
    return F.softmax(logits, dim=0).log()


def with_epsilon(logits: Tensor) -> Tensor:
    return (F.softmax(logits, dim=0) + 1e-8).log()


def clamped(logits: Tensor) -> Tensor:
    return F.softmax(logits, dim=0).clamp(min=1e-8).log()


def softened_twice() -> Tensor:
    """softmax of the most extreme probabilities that ten classes can have."""
    return F.softmax(F.one_hot(torch.tensor(0), 10).float(), dim=0)


def mean_divergence() -> float:
    return divergence().mean().item()


def default() -> float:
    return F.kl_div(log_probs, target).item()


CLAIMS = [
    Claim("KLD101", "-1.3413", lambda: batchmean(target, target)),
    Claim("KLD102", "-1.7632", lambda: batchmean(student, target)),
    Claim("KLD102", "-11.7632", lambda: batchmean(student + 10, target)),
    Claim("KLD104", "0.0853", lambda: softened_twice().min().item()),
    Claim("KLD104", "0.2320", lambda: softened_twice().max().item()),
    Claim("KLD105", "-120.6931", lambda: log_of_far_class(exact, 120)[0]),
    Claim("KLD105", "-18.3226", lambda: log_of_far_class(with_epsilon, 20)[0]),
    Claim("KLD105", "0.0934", lambda: log_of_far_class(with_epsilon, 20)[1]),
    Claim("KLD105", "-20.6931", lambda: log_of_far_class(exact, 20)[0]),
    Claim("KLD106", "0.7387", lambda: batchmean(probs.log2(), target)),
    Claim("KLD106", "-0.3958", lambda: batchmean(probs.log10(), target)),
    Claim("KLD106", "-1.2605", lambda: batchmean(probs.log1p(), target)),
    Claim("KLD106", "0.2406", mean_divergence),
    Claim("KLD106", "0.3915", lambda: batchmean(target.log2(), target)),
    *(
        Claim(code, text, compute)
        for code in ("KLD201", "KLD202", "KLD203", "KLD205")
        for text, compute in (("0.0802", default), ("0.2406", mean_divergence))
    ),
    Claim("KLD204", "0.0401", lambda: F.kl_div(log_probs, target, size_average=True, reduction="batchmean").item()),
    Claim("KLD207", "0.0374", lambda: F.kl_div(log_probs[0], target[0], reduction="batchmean").item()),
    Claim("KLD207", "0.0374", lambda: F.kl_div(log_probs[0], target[0], reduction="mean").item()),
    Claim("KLD207", "0.1123", lambda: divergence()[0].item()),
    Claim("KLD208", "0.4812", lambda: batchmean(log_probs.expand(4, 2, 3), target.expand(4, 2, 3))),
    Claim("KLD208", "0.2406", mean_divergence),
    Claim("KLD302", "6.8376", lambda: F.kl_div(log_target, target, reduction="batchmean", log_target=True).item()),
    Claim("KLD303", "3.5275", lambda: batchmean(log_probs, teacher.abs())),
    Claim("KLD501", "-0.2483", lambda: batchmean(F.log_softmax(student, dim=0), F.softmax(student, dim=1))),
    Claim("KLD503", "0.2446", lambda: batchmean(log_probs[:, :2], target[:, :2])),
    Claim("KLD503", "0.2324", lambda: divergence(teacher[:, :2], student[:, :2]).mean().item()),
    Claim("KLD503", "-0.0040", lambda: batchmean(log_probs[:, 2:], target[:, 2:])),
    Claim("KLD504", "0.0442", lambda: batchmean(F.log_softmax(teacher / 2, dim=-1), F.softmax(teacher, dim=-1))),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.code}:{claim.text}")
def test_claim(claim: Claim) -> None:
    assert f"{claim.compute():.4f}" == claim.text


THRESHOLDS = {("KLD107", "0.3"), ("KLD107", "0.99")}
"""Decimals that are no result but a setting or a bound; `test_one_term_trains_to_certainty` uses them."""


def decimals(one: Rule) -> set[str]:
    documentation = one.documentation
    prose = " ".join((documentation.what_it_does, documentation.why_is_this_bad, documentation.fix_safety))
    return set(re.findall(r"-?\d+\.\d+", prose))


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.code)
def test_every_decimal_in_the_prose_is_a_claim(one: Rule) -> None:
    claimed = {claim.text for claim in CLAIMS if claim.code == one.code}
    claimed |= {text for code, text in THRESHOLDS if code == one.code}
    assert decimals(one) == claimed


# --- KLD1xx ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_probabilities_as_input_are_never_above_zero(classes: int) -> None:
    generator = torch.Generator().manual_seed(classes)
    given, wanted = torch.randn(2, 500, classes, generator=generator).softmax(dim=-1)
    assert (F.kl_div(given, wanted, reduction="none") <= 0).all()


def test_probabilities_as_input_train_to_the_largest_class() -> None:
    wanted = torch.tensor([0.5, 0.3, 0.2])

    def wrong(logits: Tensor) -> Tensor:
        return F.kl_div(F.softmax(logits, dim=0), wanted, reduction="sum")

    assert F.softmax(trained(wrong, torch.zeros(3), rate=5, steps=500), dim=0)[0] > 0.99


def test_probabilities_as_input_have_a_gradient_that_misleads_half_way() -> None:
    generator = torch.Generator().manual_seed(0)
    cosines = []
    for _ in range(50):
        logits = torch.randn(4, 5, generator=generator).requires_grad_()
        wanted = torch.randn(4, 5, generator=generator).softmax(dim=-1)
        right = F.kl_div(logits.log_softmax(dim=-1), wanted, reduction="batchmean")
        wrong = F.kl_div(logits.softmax(dim=-1), wanted, reduction="batchmean")
        one, other = gradient(right, logits).flatten(), gradient(wrong, logits).flatten()
        cosines.append(F.cosine_similarity(one, other, dim=0))
    assert 0.5 < torch.stack(cosines).mean() < 0.75


def test_probabilities_as_input_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.kl_div(probs, target, reduction="batchmean")


def test_logits_as_input_are_linear_and_without_bound() -> None:
    doubled = batchmean(2 * student, target) - batchmean(student, target)
    assert doubled == pytest.approx(batchmean(student, target) - batchmean(0 * student, target), rel=1e-5)
    assert batchmean(student + 1e6, target) < -9e5


@pytest.mark.parametrize("epsilon", [0.0, 1e-8])
def test_log_of_log_probabilities_is_nan(epsilon: float) -> None:
    assert (log_probs + epsilon).log().isnan().all()


def test_normalising_log_probabilities_again_changes_nothing() -> None:
    torch.testing.assert_close(F.log_softmax(log_probs, dim=-1), log_probs)
    torch.testing.assert_close(F.softmax(log_probs, dim=-1), probs)


def test_no_probabilities_leave_the_bounds_of_a_second_softmax() -> None:
    generator = torch.Generator().manual_seed(3)
    again = (20 * torch.randn(500, 10, generator=generator)).softmax(dim=-1).softmax(dim=-1)
    assert softened_twice().min() - 1e-6 <= again.min()
    assert again.max() <= softened_twice().max() + 1e-6


@pytest.mark.parametrize(("dtype", "gap"), [(torch.float32, 104), (torch.float16, 18)], ids=["float32", "float16"])
def test_softmax_underflows_at(dtype: torch.dtype, gap: int) -> None:
    for far, vanishes in ((gap, True), (gap - 1, False)):
        logits = torch.tensor([-float(far), 0.0], dtype=dtype)
        assert (F.softmax(logits, dim=0)[0] == 0).item() is vanishes


def test_log_of_softmax_loses_value_and_gradient() -> None:
    value, slope = log_of_far_class(plain, 120)
    assert value == -torch.inf
    assert slope != slope
    assert log_of_far_class(exact, 120)[1] == pytest.approx(1)
    assert log_of_far_class(exact, 20)[1] == pytest.approx(1)


def test_clamp_leaves_no_gradient() -> None:
    assert log_of_far_class(clamped, 20)[1] == 0


def test_log_of_softmax_is_the_same_where_nothing_underflows() -> None:
    for function in (exact, plain):
        assert log_of_far_class(function, 5) == pytest.approx(log_of_far_class(exact, 5), rel=1e-5)


def test_divergence_in_bits() -> None:
    bits = (target * (target.log2() - probs.log2())).sum(dim=1).mean()
    assert bits.item() == pytest.approx(mean_divergence() / torch.tensor(2.0).log().item(), rel=1e-5)


def one_term(scores: Tensor, labels: Tensor) -> Tensor:
    return F.kl_div(F.logsigmoid(scores), labels, reduction="sum")


def test_kl_div_computes_the_first_term_of_bernoulli() -> None:
    p, t = torch.tensor(0.2), torch.tensor(0.6)
    second = (1 - t) * ((1 - t) / (1 - p)).log()
    whole = kl_divergence(Bernoulli(t), Bernoulli(p))
    assert one_term(p.logit(), t).item() == pytest.approx((t * (t / p).log()).item(), rel=1e-5)
    assert (one_term(p.logit(), t) + second).item() == pytest.approx(whole.item(), rel=1e-5)


def test_one_term_trains_to_certainty() -> None:
    def wrong(scores: Tensor) -> Tensor:
        return one_term(scores, torch.tensor([0.3]))

    assert torch.sigmoid(trained(wrong, torch.zeros(1), rate=5, steps=500)) > 0.99


def test_one_term_is_zero_where_both_agree() -> None:
    assert one_term(student, torch.sigmoid(student)).item() == pytest.approx(0, abs=1e-6)


def test_binary_cross_entropy_has_the_gradient_of_two_terms() -> None:
    scores, labels = student.clone().requires_grad_(), torch.sigmoid(teacher)
    two_terms = one_term(scores, labels) + one_term(-scores, 1 - labels)
    entropy = F.binary_cross_entropy_with_logits(scores, labels, reduction="sum")
    torch.testing.assert_close(gradient(two_terms, scores), gradient(entropy, scores))


# --- KLD2xx ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5,), (1, 5), (4, 5), (4, 7, 5), (4, 5, 3, 2)], ids=str)
def test_batchmean_is_the_mean_times_the_sizes_after_the_first(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(1)
    given = torch.randn(shape, generator=generator, dtype=torch.float64).log_softmax(dim=-1)
    wanted = torch.randn(shape, generator=generator, dtype=torch.float64).softmax(dim=-1)
    factor = torch.Size(shape[1:]).numel()
    assert batchmean(given, wanted) == pytest.approx(factor * F.kl_div(given, wanted).item())
    assert F.kl_div(given, wanted).item() * given.numel() == pytest.approx(
        F.kl_div(given, wanted, reduction="sum").item()
    )


def test_mean_warns_at_the_line_of_a_function_but_not_of_a_module() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        F.kl_div(log_probs, target)
        nn.KLDivLoss()(log_probs, target)
    assert ["'batchmean'" in str(one.message) for one in caught] == [True, True]
    assert [one.filename == __file__ for one in caught] == [True, False]


def test_default_written_out_is_the_default() -> None:
    assert torch.equal(F.kl_div(log_probs, target), F.kl_div(log_probs, target, reduction="mean"))


def test_old_name_of_the_mean() -> None:
    old = F.kl_div(log_probs, target, reduction="elementwise_mean")
    assert torch.equal(old, F.kl_div(log_probs, target, reduction="mean"))


def evaluated(source: str, **names: object) -> Tensor:
    """What a call, or a module built by a construction, gives for the two distributions."""
    value: object = eval(source, {"F": F, "nn": nn, "a": log_probs, "b": target, **names})
    if isinstance(value, nn.Module):
        value = value(log_probs, target)
    assert isinstance(value, Tensor)
    return value


def kind_of(source: str) -> Kind:
    return Kind.FUNCTIONAL if source.startswith("F.") else Kind.CONSTRUCTION


def repaired(source: str, fix: Fix) -> str:
    result = apply_fixes(source, [fix])
    assert not result.refused, result.refused
    return result.text


STRINGS = ["none", "mean", "batchmean", "sum", "garbage", ""]


@pytest.mark.parametrize("text", STRINGS)
@pytest.mark.parametrize(
    "template",
    [
        "F.kl_div(a, b, {})",
        "F.kl_div(a, b, None, {})",
        "F.kl_div(a, b, size_average={})",
        "F.kl_div(a, b, reduce={})",
        "nn.KLDivLoss({})",
        "nn.KLDivLoss(size_average={})",
        "nn.KLDivLoss({}, log_target=False)",
    ],
)
def test_string_as_flag_is_read_as_the_message_says(template: str, text: str) -> None:
    source = template.format(f'"{text}"')
    report = ReductionAsSizeAverage().check(parsed(source, kind_of(source)))
    assert report is not None
    said = re.search(r'torch reads it as (\w+) and takes the reduction "(\w+)"', report.message)
    assert said is not None
    assert said[1] == str(bool(text))
    assert torch.equal(evaluated(source), evaluated(f"F.kl_div(a, b, reduction={said[2]!r})"))
    if report.fix is not None:
        assert torch.equal(evaluated(repaired(source, report.fix)), evaluated(f"F.kl_div(a, b, reduction={text!r})"))


def test_strings_that_are_reductions_get_their_name() -> None:
    fixable = [
        text
        for text in STRINGS
        if (report := ReductionAsSizeAverage().check(parsed(f'nn.KLDivLoss("{text}")', Kind.CONSTRUCTION)))
        and report.fix
    ]
    assert fixable == ["none", "mean", "batchmean", "sum"]


def test_torch_recommends_mean_for_a_string() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nn.KLDivLoss("batchmean")
    assert "please use reduction='mean' instead" in str(caught[0].message)


def legacy_sources() -> Iterator[str]:
    """Every way to give the legacy arguments, with and without a reduction, by position and by keyword."""
    flags = [None, "None", "True", "False", "0", "1"]
    reductions = [None, '"none"', '"mean"', '"batchmean"', '"sum"']
    for callee, first in (("F.kl_div", ["a", "b"]), ("nn.KLDivLoss", [])):
        for size_average, reduce, reduction in itertools.product(flags, flags, reductions):
            pairs = (("size_average", size_average), ("reduce", reduce), ("reduction", reduction))
            keywords = [f"{name}={value}" for name, value in pairs if value is not None]
            yield f"{callee}({', '.join([*first, *keywords])})"
            positional = list(itertools.takewhile(lambda value: value is not None, (size_average, reduce, reduction)))
            rest = [f"{name}={value}" for name, value in pairs[len(positional) :] if value is not None]
            if positional:
                yield f"{callee}({', '.join([*first, *map(str, positional), *rest])})"


def same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other)


LEGACY = list(dict.fromkeys(legacy_sources()))


def test_legacy_fixes_keep_the_number_and_are_offered_where_one_can() -> None:
    fixed = 0
    for source in LEGACY:
        report = LegacyReductionArguments().check(parsed(source, kind_of(source)))
        if report is None:
            continue
        before = evaluated(source)
        candidates = [
            name
            for name in ("none", "mean", "batchmean", "sum")
            if same(before, evaluated(f"F.kl_div(a, b, reduction={name!r})"))
        ]
        named = re.search(r'use reduction="(\w+)", which has the same value', report.message)
        assert (named is not None) is bool(candidates), source
        if named is not None:
            assert named[1] in candidates, source
        if report.fix is not None:
            fixed += 1
            assert report.fix.applicability is Applicability.SAFE
            assert same(before, evaluated(repaired(source, report.fix))), source
        for other in report.alternatives:
            assert same(evaluated(repaired(source, other)), evaluated("F.kl_div(a, b, reduction='batchmean')")), source
    assert fixed > 200


def test_legacy_is_reported_where_torch_warns_of_it() -> None:
    for source in LEGACY:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            evaluated(source)
        warned = any("size_average and reduce args will be deprecated" in str(one.message) for one in caught)
        assert (LegacyReductionArguments().check(parsed(source, kind_of(source))) is not None) is warned, source


@pytest.mark.parametrize(
    ("size_average", "reduce"), list(itertools.product([None, True, False, 0, 1, "sum", ""], [None, True, False, ""]))
)
def test_legacy_table(size_average: object, reduce: object) -> None:
    if size_average is None and reduce is None:
        assert legacy_reduction(None, None) is Reduction.MEAN
        return
    assert nn.KLDivLoss(size_average, reduce).reduction == legacy_reduction(size_average, reduce).value


def test_legacy_arguments_hide_a_misspelt_reduction() -> None:
    assert same(
        evaluated('F.kl_div(a, b, size_average=False, reduction="garbage")'),
        evaluated('F.kl_div(a, b, reduction="sum")'),
    )


INVALID = ["batch_mean", "MEAN", "Sum", "avg", "average", "sum ", "bachmean", "", None, 1, 2, True, False]


@pytest.mark.parametrize("value", INVALID, ids=repr)
def test_invalid_reduction_raises_where_the_message_says(value: object) -> None:
    for source, when in (
        ("F.kl_div(a, b, reduction=red)", "here"),
        ("nn.KLDivLoss(reduction=red)", "when it is called"),
    ):
        report = InvalidReduction().check(parsed(source, kind_of(source), {"red": value}))
        assert report is not None
        assert f"it raises ValueError {when}" in report.message
        with pytest.raises(ValueError, match="is not a valid value for reduction"):
            evaluated(source, red=value)
    construct: Callable[..., nn.Module] = nn.KLDivLoss
    construct(reduction=value)


@pytest.mark.parametrize("text", [text for text in INVALID if isinstance(text, str)])
def test_fix_of_an_invalid_reduction_runs(text: str) -> None:
    source = f"F.kl_div(a, b, reduction={text!r})"
    report = InvalidReduction().check(parsed(source, Kind.FUNCTIONAL))
    assert report is not None
    assert (report.fix is None) is (text in ("avg", "average", ""))
    if report.fix is not None:
        evaluated(repaired(source, report.fix))


def test_valid_reductions_do_not_raise() -> None:
    for value in ("none", "mean", "batchmean", "sum", "elementwise_mean"):
        assert InvalidReduction().check(parsed(f'F.kl_div(a, b, reduction="{value}")', Kind.FUNCTIONAL)) is None
        evaluated("F.kl_div(a, b, reduction=red)", red=value)


def test_mean_over_classes_is_the_mean() -> None:
    terms = F.kl_div(log_probs, target, reduction="none")
    assert terms.mean().item() == pytest.approx(default())
    assert terms.mean(dim=1).mean().item() == pytest.approx(default())
    assert terms.sum(dim=1).mean().item() == pytest.approx(mean_divergence())


@pytest.mark.parametrize("positions", [1, 2, 9])
def test_batchmean_grows_with_the_positions(positions: int) -> None:
    given, wanted = log_probs[:1].expand(4, positions, 3), target[:1].expand(4, positions, 3)
    assert batchmean(given, wanted) == pytest.approx(positions * divergence()[0].item(), rel=1e-5)


# --- KLD3xx ----------------------------------------------------------------------------------------------------------


def test_undeclared_log_target_is_nan_with_a_finite_gradient() -> None:
    scores = student.clone().requires_grad_()
    loss = F.kl_div(F.log_softmax(scores, dim=-1), log_target, reduction="batchmean")
    right = F.kl_div(F.log_softmax(scores, dim=-1), target, reduction="batchmean")
    assert loss.isnan()
    wrong = gradient(loss, scores)
    assert wrong.isfinite().all()
    assert F.cosine_similarity(wrong.flatten(), gradient(right, scores).flatten(), dim=0) < 0.9


def test_log_target_on_probabilities_trains_to_their_softmax() -> None:
    wanted = torch.tensor([0.7, 0.2, 0.1])

    def wrong(logits: Tensor) -> Tensor:
        return F.kl_div(F.log_softmax(logits, dim=0), wanted, reduction="sum", log_target=True)

    reached = F.softmax(trained(wrong, torch.zeros(3), rate=0.5, steps=300), dim=0)
    torch.testing.assert_close(reached, F.softmax(wanted, dim=0), atol=1e-4, rtol=0)
    assert reached.max() - reached.min() < 0.25


def test_log_target_on_probabilities_grows_with_the_classes() -> None:
    values = [
        F.kl_div(flat.log(), flat, reduction="sum", log_target=True).item()
        for flat in (torch.full((classes,), 1 / classes) for classes in (2, 10, 100))
    ]
    assert 0 < values[0] < values[1] < values[2]


def test_negative_logits_as_target_are_nan() -> None:
    assert F.kl_div(log_probs, teacher, reduction="none").isnan().equal(teacher < 0)


def test_integer_targets_raise() -> None:
    with pytest.raises(RuntimeError, match="Integral inputs not supported"):
        F.kl_div(log_probs, teacher.argmax(dim=1, keepdim=True))


def test_cross_entropy_is_the_divergence_from_one_hot() -> None:
    labels = teacher.argmax(dim=1)
    wanted = F.kl_div(log_probs, F.one_hot(labels, 3).float(), reduction="batchmean").item()
    assert F.cross_entropy(student, labels).item() == pytest.approx(wanted, rel=1e-5)
    assert F.nll_loss(log_probs, labels).item() == pytest.approx(wanted, rel=1e-5)


def test_underflow_spoils_every_gradient_of_a_probability_target() -> None:
    wide = leaf(0.0, -200.0, 1.0)
    as_probs = F.kl_div(log_probs[0], F.softmax(wide, dim=0), reduction="sum")
    as_logs = F.kl_div(log_probs[0], F.log_softmax(wide, dim=0), reduction="sum", log_target=True)
    assert as_probs.item() == pytest.approx(as_logs.item())
    assert gradient(as_probs, wide).isnan().all()
    assert gradient(as_logs, wide).isfinite().all()


# --- KLD4xx, KLD5xx, KLD6xx ------------------------------------------------------------------------------------------


def test_swapped_arguments_are_nan() -> None:
    assert F.kl_div(target, log_probs, reduction="none").isnan().all()


def test_same_distribution_has_neither_value_nor_gradient() -> None:
    scores = student.clone().requires_grad_()
    for loss in (
        F.kl_div(F.log_softmax(scores, dim=-1), F.softmax(scores, dim=-1), reduction="batchmean"),
        F.kl_div(F.log_softmax(scores, dim=-1), F.softmax(scores, dim=-1).detach(), reduction="batchmean"),
        F.kl_div(F.log_softmax(scores, -1), F.log_softmax(scores, -1), reduction="batchmean", log_target=True),
    ):
        assert loss.item() == pytest.approx(0, abs=1e-6)
        assert gradient(loss, scores).abs().max() < 1e-6


@pytest.mark.parametrize("rank", range(6))
@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_implicit_dim(function: Callable[..., Tensor], rank: int) -> None:
    values = torch.randn((2, 3, 4, 2, 3)[:rank], generator=torch.Generator().manual_seed(rank))
    torch.testing.assert_close(function(values), function(values, dim=implicit_dim(rank)))
    for dim in range(rank):
        if dim != implicit_dim(rank):
            assert not torch.allclose(function(values), function(values, dim=dim))


def test_implicit_dim_is_deprecated() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        F.softmax(student)
    assert "Implicit dimension choice for softmax has been deprecated" in str(caught[0].message)


def test_partial_distribution_is_not_smallest_where_both_agree() -> None:
    agreeing = batchmean(log_target[:, :2], target[:, :2])
    assert agreeing == pytest.approx(0, abs=1e-6)
    louder = F.log_softmax(teacher - torch.tensor([0.0, 0.0, 9.0]), dim=-1)
    assert batchmean(louder[:, :2], target[:, :2]) < -0.01


def test_missing_temperature_teaches_confidence() -> None:
    """Where the softened student meets the plain teacher, its own logits are T times the teacher's."""
    found = trained(
        lambda logits: F.kl_div(F.log_softmax(logits / 2, dim=0), F.softmax(teacher[0], dim=0), reduction="sum"),
        torch.zeros(3),
        rate=2,
        steps=500,
    )
    torch.testing.assert_close(found - found.mean(), 2 * (teacher[0] - teacher[0].mean()), atol=1e-3, rtol=0)


MASK = torch.tensor([False, False, True])


def masked(fill: float, function: Callable[..., Tensor], logits: Tensor) -> Tensor:
    return function(logits.masked_fill(MASK, fill), dim=-1)


def test_infinite_mask() -> None:
    hidden = masked(-torch.inf, F.log_softmax, student)
    assert batchmean(hidden, masked(-torch.inf, F.softmax, teacher)) != batchmean(hidden, target)
    assert torch.tensor(batchmean(hidden, masked(-torch.inf, F.softmax, teacher))).isnan()
    assert batchmean(hidden, target) == torch.inf
    declared = F.kl_div(log_probs, masked(-torch.inf, F.log_softmax, teacher), reduction="sum", log_target=True)
    assert declared.isnan()
    assert torch.tensor(batchmean(log_probs, masked(-torch.inf, F.softmax, teacher))).isfinite()


def test_handwritten_divergence_at_zero() -> None:
    p = torch.tensor([0.0, 1.0])
    assert (p * (p.log() - log_probs[0, :2])).sum().isnan()
    assert F.kl_div(log_probs[0, :2], p, reduction="sum").isfinite()
    assert F.kl_div(log_probs[0, :2], p, reduction="none")[0] == 0


def test_epsilons_bias_a_handwritten_divergence() -> None:
    biased = (target * ((target + 1e-2).log() - (probs + 1e-2).log())).sum(dim=1).mean()
    assert abs(biased.item() - mean_divergence()) > 1e-3
