"""Tuples, lists and dicts that carry distributions: displays, indexing, slices, methods, and lists changed through an alias."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

UNKNOWN_INPUT = (UNKNOWN, PROBS, "batchmean", False)
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)

SEQUENCES: tuple[Case, ...] = (
    case("index", """
        def loss(x, y):
            both = (x.log_softmax(1), y.softmax(1))
            return F.kl_div(both[0], both[1], reduction="batchmean")
    """, [GOOD]),
    case("index_from_the_end", """
        def loss(x, y):
            both = [x.log_softmax(1), y.softmax(1)]
            return F.kl_div(both[-2], both[-1], reduction="batchmean")
    """, [GOOD]),
    case("index_by_a_constant", """
        STUDENT, TEACHER = 0, 1
        def loss(x, y):
            both = [x.log_softmax(1), y.softmax(1)]
            return F.kl_div(both[STUDENT], both[TEACHER], reduction="batchmean")
    """, [GOOD]),
    case("index_computed", """
        def loss(x, y):
            both = [y, x.log_softmax(1), y.softmax(1)]
            return F.kl_div(both[3 - 2], both[1 * 2], reduction="batchmean")
    """, [GOOD]),
    case("index_out_of_range", """
        def loss(x, y):
            both = [x.log_softmax(1)]
            return F.kl_div(both[0], both[7], reduction="batchmean")
    """, [(LOG_PROBS, UNKNOWN, "batchmean", False)], ""),
    case("index_unknown_among_alike", """
        def loss(x, y, i=1):
            logs = [x.log_softmax(1), y.log_softmax(1)]
            return F.kl_div(logs[i], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("one_unknown_index_for_both", """
        def loss(x, y, i=0):
            targets, flags = [y.softmax(1), y.log_softmax(1)], [False, True]
            return F.kl_div(x.log_softmax(1), targets[i], reduction="batchmean", log_target=flags[i])
    """, [GOOD, LOG_TARGET], "loss(x, y)", "loss(x, y, 1)"),
    case("slices", """
        def loss(x, y):
            many = [y, x.log_softmax(1), y.softmax(1), 3]
            a, b = many[1:3]
            c, d = many[-3:-1]
            F.kl_div(a, b, reduction="batchmean")
            return F.kl_div(c, d, reduction="batchmean")
    """, [GOOD, GOOD]),
    case("slice_backwards", """
        def loss(x, y):
            b, a = [x.log_softmax(1), y.softmax(1)][::-1]
            return F.kl_div(a, b, reduction="batchmean")
    """, [GOOD]),
    case("slice_with_unknown_bounds", """
        def loss(x, y, n=2):
            logs = [x.log_softmax(1), y.log_softmax(1)][:n]
            return sum(F.kl_div(s, y.softmax(1), reduction="batchmean") for s in logs)
    """, [GOOD]),
    case("slice_of_a_built_list", """
        def loss(xs, y):
            logs = [a.log_softmax(1) for a in xs][1:]
            return sum(F.kl_div(s, y.softmax(1), reduction="batchmean") for s in logs)
    """, [GOOD], "loss([x, y], y)"),
    case("slice_with_a_step_of_zero", """
        def loss(x, y):
            logs = [x.log_softmax(1), y.log_softmax(1)][::0]
            return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], ""),
    case("star_display", """
        def loss(x, y):
            logs = (x.log_softmax(1),)
            all_of_them = [*logs, y.softmax(1)]
            return F.kl_div(*all_of_them, reduction="batchmean")
    """, [GOOD]),
    case("star_display_of_an_unknown_length", """
        def loss(xs, y):
            logs = [a.log_softmax(1) for a in xs]
            more = [*logs, y.log_softmax(1)]
            return F.kl_div(more[0], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x, y], y)"),
    case("star_display_of_something_unknown", """
        def loss(xs, y):
            more = [*xs]
            return F.kl_div(more[0], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], "loss([x], y)"),
    case("concatenated", """
        def loss(x, y):
            both = [x.log_softmax(1)] + [y.softmax(1)]
            return F.kl_div(both[0], both[1], reduction="batchmean")
    """, [GOOD]),
    case("concatenated_with_a_built_one", """
        def loss(xs, y):
            both = [a.log_softmax(1) for a in xs] + [y.log_softmax(1)]
            return F.kl_div(both[0], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x], y)"),
    case("item_written", """
        def loss(x, y):
            both = [None, None]
            both[0] = x.log_softmax(1)
            both[1] = y.softmax(1)
            return F.kl_div(both[0], both[1], reduction="batchmean")
    """, [GOOD]),
    case("item_written_at_an_unknown_place", """
        def loss(x, y, i=0):
            logs = [x.log_softmax(1), y.log_softmax(1)]
            logs[i] = logs[i].detach()
            return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("other_things_written_at_an_unknown_place", """
        def loss(x, y, i=1):
            logs = [x.log_softmax(1), y.log_softmax(1)]
            logs[i] = y
            return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("methods", """
        def loss(x, y):
            a = [y]
            a.append(x.log_softmax(1))
            a.insert(0, None)
            b = [y.softmax(1)]
            c = b.copy()
            b.clear()
            return F.kl_div(x.log_softmax(1), c[0], reduction="batchmean")
    """, [GOOD]),
    case("insert", """
        def loss(x, y):
            both = [y.softmax(1)]
            both.insert(0, x.log_softmax(1))
            both.insert(-1, x)
            return F.kl_div(both[0], both[2], reduction="batchmean")
    """, [GOOD]),
    case("insert_at_an_unknown_place", """
        def loss(x, y, i=1):
            both = [x.log_softmax(1)]
            both.insert(i, y)
            return F.kl_div(both[0], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("insert_in_a_loop", """
        def loss(x, y):
            both = [x.log_softmax(1)]
            for _ in range(2):
                both.insert(0, y)
            return F.kl_div(both[2], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("pop", """
        def loss(x, y):
            a = [x.log_softmax(1), y.softmax(1)]
            t = a.pop()
            s = a.pop(0)
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD]),
    case("what_is_popped_is_asked_for_its_size", """
        def loss(x, y):
            a = [x.log_softmax(1), y.softmax(1), x]
            width = a.pop().size(1)
            rank = (t := a.pop()).dim()
            return F.kl_div(a.pop(), t, reduction="batchmean") / rank * width
    """, [GOOD]),
    case("deque", """
        from collections import deque
        def loss(x, y):
            held = deque()
            held.append(x.log_softmax(1))
            return F.kl_div(held.popleft(), y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("sort_and_index_leave_the_list", """
        def loss(x, y):
            a = [x.log_softmax(1), y.log_softmax(1)]
            a.reverse()
            n = a.count(None)
            return F.kl_div(a[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("unknown_method", """
        def loss(x, y):
            a = [x.log_softmax(1)]
            a.__iadd__([y])
            return F.kl_div(a[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("changed_through_an_alias", """
        def loss(x, y):
            a = []
            b = a
            b.append(x.log_softmax(1))
            return F.kl_div(a[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("length_decides", """
        def loss(x, y):
            logs = [x.log_softmax(1)]
            if len(logs) > 1:
                return F.kl_div(y, y)
            if len(logs) == 1:
                return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("deep_index_of_a_nested_list", """
        def loss(x, y):
            held = [[None, [x.log_softmax(1)]], (y.softmax(1),)]
            return F.kl_div(held[0][1][0], held[1][0], reduction="batchmean")
    """, [GOOD]),
    case("append_to_a_list_in_a_dict", """
        def loss(x, y):
            held = {"logs": []}
            held["logs"].append(x.log_softmax(1))
            return F.kl_div(held["logs"][0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("append_to_a_list_in_an_object", """
        class Box:
            def __init__(self):
                self.logs = []
            def keep(self, a):
                self.logs.append(a.log_softmax(1))
        def loss(x, y):
            box = Box()
            box.keep(x)
            return F.kl_div(box.logs[0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("append_in_both_arms", """
        def loss(x, y, flag):
            logs = []
            if flag:
                logs.append(x.log_softmax(1))
            else:
                logs.append(y.log_softmax(1))
            return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, True)", "loss(x, y, False)"),
)

DICTS: tuple[Case, ...] = (
    case("display", """
        def loss(x, y):
            out = {"s": x.log_softmax(1), "t": y.softmax(1), 3: None}
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("built_by_dict", """
        def loss(x, y):
            out = dict(s=x.log_softmax(1), t=y.softmax(1))
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("built_from_pairs", """
        def loss(x, y):
            out = dict([("s", x.log_softmax(1)), ("t", y.softmax(1))])
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("built_from_another", """
        def loss(x, y):
            out = dict({"s": x.log_softmax(1), "t": y}, t=y.softmax(1))
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("built_from_something_unknown", """
        def loss(d, y):
            out = dict(d)
            more = dict([d])
            return F.kl_div(out["s"], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], "", silent=True),
    case("written", """
        def loss(x, y):
            out = {}
            out["s"] = x.log_softmax(1)
            out["s"], out["t"] = out["s"].clone(), y.softmax(1)
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("written_under_an_unknown_key", """
        def loss(x, y, key="k"):
            out = {}
            out[key] = x.log_softmax(1)
            return F.kl_div(out[key], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("two_unknown_keys", """
        def loss(x, y, key="k", other="o"):
            out = {}
            out[key] = x.log_softmax(1)
            out[other] = y
            return F.kl_div(out[key], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("spread", """
        def loss(x, y):
            base = {"s": y, "t": y.softmax(1)}
            out = {**base, "s": x.log_softmax(1)}
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("spread_of_something_unknown", """
        def loss(x, y, more):
            out = {"s": y, **more, "t": y.softmax(1)}
            return F.kl_div(x.log_softmax(1), out["t"], reduction="batchmean")
    """, [GOOD], "loss(x, y, {})"),
    case("updated", """
        def loss(x, y):
            out = {"s": y}
            out.update({"s": x.log_softmax(1)})
            out.update(t=y.softmax(1))
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("updated_by_something_unknown", """
        def loss(x, y, more):
            out = {"s": x.log_softmax(1)}
            out.update(more)
            return F.kl_div(out["s"], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], "loss(x, y, {'s': x})"),
    case("merged", """
        def loss(x, y):
            out = {"s": y} | {"s": x.log_softmax(1), "t": y.softmax(1)}
            return F.kl_div(out["s"], out["t"], reduction="batchmean")
    """, [GOOD]),
    case("get_and_setdefault", """
        def loss(x, y):
            out = {"s": x.log_softmax(1)}
            t = out.setdefault("t", y.softmax(1))
            return F.kl_div(out.get("s"), out.get("missing", out["t"]), reduction="batchmean")
    """, [GOOD]),
    case("pop", """
        def loss(x, y):
            out = {"s": x.log_softmax(1), "t": y.softmax(1)}
            return F.kl_div(out.pop("s"), out.pop("t", None), reduction="batchmean")
    """, [GOOD]),
    case("copied", """
        def loss(x, y):
            out = {"s": x.log_softmax(1)}
            copy = out.copy()
            copy["s"] = y
            return F.kl_div(out["s"], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("returned", """
        def forward(x):
            return {"logits": x, "log_probs": x.log_softmax(1), "probs": x.softmax(1)}
        def loss(x, y):
            return F.kl_div(forward(x)["log_probs"], forward(y)["probs"], reduction="batchmean")
    """, [GOOD]),
    case("keys_that_are_names_of_torch", """
        def loss(x, y):
            table = {torch.float64: x.log_softmax(1), torch.float32: y}
            return F.kl_div(table[torch.float64], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("one_and_true_are_one_key_in_python", """
        def loss(x, y):
            out = {True: x.log_softmax(1)}
            return F.kl_div(out[True], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("defaultdict", """
        from collections import defaultdict
        def loss(x, y):
            out = defaultdict(list)
            out["s"].append(x.log_softmax(1))
            return F.kl_div(out["s"][0], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("written_in_a_loop", """
        def loss(x, y):
            out = {}
            for name, a in (("s", x), ("u", y)):
                out[name] = a.log_softmax(1)
            return F.kl_div(out["s"], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("alternatives", """
        def loss(x, y, flag):
            out = {"t": y.softmax(1), "log": False} if flag else {"t": y.log_softmax(1), "log": True}
            return F.kl_div(x.log_softmax(1), out["t"], reduction="batchmean", log_target=out["log"])
    """, [GOOD, LOG_TARGET], "loss(x, y, True)", "loss(x, y, False)"),
    case("table_of_settings", """
        MODES = {
            "soft": {"log_target": False},
            "log": {"log_target": True},
        }
        def loss(x, y):
            F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean", **MODES["soft"])
            return F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="batchmean", **MODES["log"])
    """, [GOOD, LOG_TARGET]),
    case("table_of_losses_over_lines", """
        LOSSES = {
            "mse": F.mse_loss,
            "kl": F.kl_div,
        }
        def loss(x, y):
            return LOSSES["kl"](x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)


@pytest.mark.parametrize("example", SEQUENCES, ids=lambda example: example.name)
def test_sequences(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", DICTS, ids=lambda example: example.name)
def test_dicts(example: Case) -> None:
    check(example)
