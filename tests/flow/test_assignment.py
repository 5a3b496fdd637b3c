"""Assignment in all its forms: rebinding, unpacking, walrus, augmented, annotated, attributes, items, `global`, `del`."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOGITS, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

RAW_INPUT = (UNKNOWN, PROBS, "batchmean", False)
RAW_TARGET = (LOG_PROBS, UNKNOWN, "batchmean", False)
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)
SWAPPED = (PROBS, LOG_PROBS, "batchmean", False)

NAMES: tuple[Case, ...] = (
    case("locals_far_above", """
        def loss(x, y):
            s = F.log_softmax(x / 2.0, dim=1)
            t = torch.softmax(y / 2.0, -1)
            unrelated = len(x) + 3
            print(unrelated) if unrelated < 0 else None
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD]),
    case("rebound", """
        def loss(x, y):
            x = F.log_softmax(x, dim=1)
            y = F.softmax(y, dim=1)
            return F.kl_div(x, y, reduction="batchmean")
    """, [GOOD]),
    case("rebound_twice", """
        def loss(x, y):
            x = F.softmax(x, dim=1)
            x = x.log()
            y = F.log_softmax(y, dim=1)
            y = y.exp()
            return F.kl_div(x, y, reduction="batchmean")
    """, [GOOD]),
    case("rebound_after_the_call", """
        def loss(x, y):
            a = x.log_softmax(1)
            out = F.kl_div(a, y.softmax(1), reduction="batchmean")
            a = x.softmax(1)
            return out
    """, [GOOD]),
    case("names_lie", """
        def loss(x, y):
            prob_s = F.log_softmax(x, 1)
            log_prob_t = F.softmax(y, 1)
            return F.kl_div(prob_s, log_prob_t, reduction="batchmean")
    """, [GOOD]),
    case("walrus", """
        def loss(x, y):
            return F.kl_div((a := x.log_softmax(1)), y.softmax(1), reduction="batchmean") + a.sum() * 0
    """, [GOOD]),
    case("walrus_used_in_the_same_call", """
        def loss(x, y):
            return F.kl_div((a := x.softmax(1)).log(), a.detach().log().exp(), reduction="batchmean")
    """, [GOOD]),
    case("walrus_in_a_test", """
        def loss(x, y):
            if (t := y.softmax(1)).sum() > 0:
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("walrus_in_a_comprehension", """
        def loss(x, y):
            parts = [(last := F.log_softmax(a, 1)) for a in (x, y)]
            return F.kl_div(parts[0], parts[1].exp(), reduction="batchmean")
    """, [GOOD]),
    case("annotated", """
        def loss(x, y):
            a: torch.Tensor = x.log_softmax(1)
            b: "torch.Tensor"
            b = y.softmax(1)
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("chained", """
        def loss(x, y):
            a = b = x.log_softmax(1)
            return F.kl_div(b, a.exp(), reduction="batchmean")
    """, [GOOD]),
    case("unused_name_of_a_deleted", """
        def loss(x, y):
            a = x.softmax(1)
            del a
            a = x.log_softmax(1)
            return F.kl_div(a, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("module_constants", """
        DIM = 1
        REDUCTION = "batchmean"
        LOG = False
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, DIM), F.softmax(y, DIM), reduction=REDUCTION, log_target=LOG)
    """, [GOOD]),
    case("module_constant_changed_later", """
        REDUCTION = "mean"
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction=REDUCTION)
        REDUCTION = "batchmean"
    """, [GOOD]),
    case("constant_of_a_constant", """
        NAMES = ("mean", "batchmean")
        BEST = NAMES[1]
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction=BEST)
    """, [GOOD]),
    case("string_put_together", """
        def loss(x, y):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batch" + "mean")
    """, [GOOD]),
    case("f_string", """
        def loss(x, y, how="mean"):
            return F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction=f"batch{how}")
    """, [(LOG_PROBS, PROBS, "unknown", False)]),
)

UNPACKING: tuple[Case, ...] = (
    case("tuple", """
        def loss(x, y):
            a, b = x.log_softmax(1), y.softmax(1)
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("swap", """
        def loss(x, y):
            a, b = x.softmax(1), y.log_softmax(1)
            a, b = b, a
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("list", """
        def loss(x, y):
            [a, b] = [x.log_softmax(1), y.softmax(1)]
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("nested", """
        def loss(x, y):
            (a, (b, c)), d = (x.log_softmax(1), (y.softmax(1), 3)), None
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("starred_behind", """
        def loss(x, y):
            a, *rest = x.log_softmax(1), y.softmax(1), y
            return F.kl_div(a, rest[0], reduction="batchmean")
    """, [GOOD]),
    case("starred_before", """
        def loss(x, y):
            *rest, b = y, x.log_softmax(1), y.softmax(1)
            return F.kl_div(rest[1], b, reduction="batchmean")
    """, [GOOD]),
    case("starred_between", """
        def loss(x, y):
            a, *_, b = x.log_softmax(1), x, y, 4, y.softmax(1)
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("star_of_nothing", """
        def loss(x, y):
            a, b, *rest = x.log_softmax(1), y.softmax(1)
            return F.kl_div(a, b, reduction=("batchmean", *rest)[0])
    """, [GOOD]),
    case("of_a_call", """
        def both(x, y):
            return x.log_softmax(1), y.softmax(1)
        def loss(x, y):
            a, b = both(x, y)
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("of_something_unknown", """
        def both(x, y):
            return x, y
        def loss(pair):
            a, b = pair
            return F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean")
    """, [GOOD], "loss((x, y))"),
    case("of_a_list_of_one_space", """
        def loss(x, y):
            rows = []
            for t in (x, y):
                rows.append(t.log_softmax(1))
            a, b = rows
            return F.kl_div(a, b.exp(), reduction="batchmean")
    """, [GOOD]),
    case("starred_of_a_list_of_one_space", """
        def loss(x, y):
            rows = []
            for t in (x, y, x):
                rows.append(t.log_softmax(1))
            a, *more = rows
            return F.kl_div(a, more[0].exp(), reduction="batchmean")
    """, [GOOD]),
    case("shape", """
        def loss(x, y):
            b, c = x.shape
            n, m = x.size()
            return F.kl_div(x.log_softmax(1).view(-1, c), y.softmax(1).view(b, m), reduction="batchmean")
    """, [GOOD]),
    case("rows_of_a_tensor", """
        def loss(z):
            a, b = z.log_softmax(2)
            return F.kl_div(a, b.exp(), reduction="batchmean")
    """, [GOOD], "loss(z)"),
    case("chunks", """
        def loss(z):
            a, b = torch.chunk(z.log_softmax(2), 2, dim=0)
            return F.kl_div(a, b.exp(), reduction="batchmean")
    """, [GOOD], "loss(z)"),
    case("of_alternatives_keeps_pairs", """
        def loss(x, y, log):
            pair = (y.log_softmax(1), True) if log else (y.softmax(1), False)
            target, flag = pair
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean", log_target=flag)
    """, [GOOD, LOG_TARGET], "loss(x, y, True)", "loss(x, y, False)"),
    case("loop_target", """
        def loss(x, y):
            for a, b in [(x.log_softmax(1), y.softmax(1)), (y.log_softmax(1), x.softmax(1))]:
                F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("attribute_and_item_targets", """
        class Box:
            pass
        def loss(x, y):
            box, held = Box(), {}
            box.a, held["b"] = x.log_softmax(1), y.softmax(1)
            return F.kl_div(box.a, held["b"], reduction="batchmean")
    """, [GOOD]),
    case("too_few_is_left_alone", """
        def loss(x, y):
            a, b, c = x.log_softmax(1), y.softmax(1)
            return F.kl_div(a, b, reduction="batchmean")
    """, [(UNKNOWN, UNKNOWN, "batchmean", False)], ""),
)

AUGMENTED: tuple[Case, ...] = (
    case("divided", """
        def loss(x, y):
            a = x
            a = a / 2
            y /= 2
            return F.kl_div(a.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("shifted_log_probabilities_stay_in_log_space", """
        def loss(x, y):
            a = x.log_softmax(1)
            a -= 20
            return F.kl_div(a, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("epsilon", """
        def loss(x, y):
            t = y.softmax(1)
            t += 1e-8
            return F.kl_div(x.log_softmax(1), t / t.sum(1, keepdim=True), reduction="batchmean")
    """, [GOOD]),
    case("normalised", """
        def loss(x, y):
            t = y.exp()
            t /= t.sum(1, keepdim=True)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("less_its_logsumexp", """
        def loss(x, y):
            x = x.clone()
            x -= x.logsumexp(1, keepdim=True)
            return F.kl_div(x, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("list", """
        def loss(x, y):
            args = [x.log_softmax(1)]
            args += [y.softmax(1)]
            return F.kl_div(*args, reduction="batchmean")
    """, [GOOD]),
    case("tuple", """
        def loss(x, y):
            args = (x.log_softmax(1),)
            args += (y.softmax(1),)
            return F.kl_div(*args, reduction="batchmean")
    """, [GOOD]),
    case("text", """
        def loss(x, y):
            how = "batch"
            how += "mean"
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=how)
    """, [GOOD]),
    case("loss_added_up", """
        def loss(x, y):
            total = 0.0
            total += F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
            total *= 2
            return total
    """, [GOOD]),
    case("dict_merged", """
        def loss(x, y):
            kw = {"reduction": "batchmean"}
            kw |= {"log_target": False}
            return F.kl_div(x.log_softmax(1), y.softmax(1), **kw)
    """, [GOOD]),
    case("attribute", """
        class Box:
            def __init__(self, x):
                self.a = x.softmax(1)
        def loss(x, y):
            box = Box(x)
            box.a *= 0.5
            box.a += 0.5 * y.softmax(1)
            return F.kl_div(box.a.log(), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("item", """
        def loss(x, y):
            held = {"t": y.exp()}
            held["t"] /= held["t"].sum(1, keepdim=True)
            return F.kl_div(x.log_softmax(1), held["t"], reduction="batchmean")
    """, [GOOD]),
)

OBJECTS: tuple[Case, ...] = (
    case("attribute_of_an_object", """
        class Box:
            pass
        def loss(x, y):
            box = Box()
            box.s = x.log_softmax(1)
            box.t = y.softmax(1)
            return F.kl_div(box.s, box.t, reduction="batchmean")
    """, [GOOD]),
    case("attribute_through_an_alias", """
        class Box:
            pass
        def loss(x, y):
            box = Box()
            other = box
            other.s = x.log_softmax(1)
            return F.kl_div(box.s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("attribute_of_something_unknown", """
        def loss(x, y, ns):
            ns.s = x.log_softmax(1)
            return F.kl_div(ns.s, y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, __import__('types').SimpleNamespace())"),
    case("attribute_of_an_attribute", """
        class Box:
            pass
        def loss(x, y):
            box = Box()
            box.inner = Box()
            box.inner.s = x.log_softmax(1)
            return F.kl_div(box.inner.s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("item_of_something_unknown", """
        def loss(x, y, store):
            store["s"] = x.log_softmax(1)
            return F.kl_div(store["s"], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, {})"),
    case("set_by_setattr", """
        class Box:
            pass
        def loss(x, y):
            box = Box()
            setattr(box, "s", x.log_softmax(1))
            return F.kl_div(box.s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("attribute_of_a_class", """
        class Settings:
            reduction = "mean"
        Settings.reduction = "batchmean"
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=Settings.reduction)
    """, [GOOD]),
    case("data", """
        def loss(x, y):
            t = y.clone()
            t.data = y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("attribute_of_either", """
        class A:
            pass
        class B:
            pass
        def loss(x, y, flag):
            box = A() if flag else B()
            box.s = x.log_softmax(1)
            return F.kl_div(box.s, y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, True)", "loss(x, y, False)"),
)

SCOPES: tuple[Case, ...] = (
    case("global_in_a_function", """
        temperature = 1.0
        target = None
        def remember(y):
            global target
            target = y.softmax(1)
        def loss(x, y):
            remember(y)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("nonlocal_in_a_closure", """
        def loss(x, y):
            target = None
            def remember():
                nonlocal target
                target = y.softmax(1)
            remember()
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("global_at_module_level", """
        global CRITERION
        CRITERION = nn.KLDivLoss(reduction="batchmean")
        def loss(x, y):
            return CRITERION(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("global_defined_below", """
        def loss(x, y):
            return CRITERION(x.log_softmax(1), y.softmax(1))
        CRITERION = nn.KLDivLoss(reduction="batchmean")
    """, [GOOD]),
    case("local_hides_global", """
        target = "a name"
        def loss(x, y):
            target = y.softmax(1)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD]),
    case("comprehension_has_its_own_names", """
        def loss(x, y):
            t = y.softmax(1)
            rows = [t for t in (1, 2, 3)]
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("class_body_is_no_scope_for_its_methods", """
        t = 3
        class Loss:
            t = "unused"
            def of(self, x, y):
                return F.kl_div(x.log_softmax(1), (y * t).softmax(1), reduction="batchmean")
    """, [GOOD], "Loss().of(x, y)"),
    case("two_names_of_the_same_text", """
        def first(x, y):
            target = y.softmax(1)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
        def second(x, y):
            target = y.log_softmax(1)
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean", log_target=True)
    """, [GOOD, LOG_TARGET], "first(x, y), second(x, y)"),
    case("wrong_ones_are_found_too", """
        def loss(x, y):
            a, b = x.softmax(1), y.log_softmax(1)
            F.kl_div(a, b, reduction="batchmean")
            F.kl_div(nn.functional.linear(x, torch.ones(5, 5, dtype=x.dtype)), a, reduction="batchmean")
            F.kl_div(b, nn.functional.linear(x, -torch.eye(5, dtype=x.dtype)), reduction="batchmean")
    """, [SWAPPED, (LOGITS, PROBS, "batchmean", False), (LOG_PROBS, LOGITS, "batchmean", False)]),
    case("unknown_stays_unknown", """
        def loss(x, y):
            F.kl_div(x, y.softmax(1), reduction="batchmean")
            return F.kl_div(x.log_softmax(1), y, reduction="batchmean")
    """, [RAW_INPUT, RAW_TARGET]),
)


@pytest.mark.parametrize("example", NAMES, ids=lambda example: example.name)
def test_names(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", UNPACKING, ids=lambda example: example.name)
def test_unpacking(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", AUGMENTED, ids=lambda example: example.name)
def test_augmented_assignment(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", OBJECTS, ids=lambda example: example.name)
def test_attributes_and_items(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", SCOPES, ids=lambda example: example.name)
def test_scopes(example: Case) -> None:
    check(example)
