"""Branches: joins, arms that leave, and flags that pick two things at once."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, INDICES, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)
SUM = (LOG_PROBS, PROBS, "sum", False)
PROBS_INPUT = (PROBS, PROBS, "batchmean", False)
BOTH = ("loss(x, y, True)", "loss(x, y, False)")

ARMS: tuple[Case, ...] = (
    case("both_arms_agree", """
        def loss(x, y, flag):
            if flag:
                s = F.log_softmax(x, 1)
            else:
                s = F.log_softmax(x / 2, 1)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD], *BOTH),
    case("arms_differ", """
        def loss(x, y, flag):
            if flag:
                s = F.log_softmax(x, 1)
            else:
                s = F.softmax(x, 1)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD, PROBS_INPUT], *BOTH),
    case("one_arm", """
        def loss(x, y, flag):
            s = F.softmax(x, 1)
            if flag:
                s = s.log()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD, PROBS_INPUT], *BOTH),
    case("elif", """
        def loss(x, y, mode):
            if mode == "soft":
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
            elif mode == "log":
                return F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="batchmean", log_target=True)
            elif mode == "hard":
                return F.cross_entropy(x, y.argmax(1))
            else:
                raise ValueError(mode)
    """, [GOOD, LOG_TARGET], "loss(x, y, 'soft')", "loss(x, y, 'log')"),
    case("arm_that_raises", """
        def loss(x, y, flag):
            if flag:
                t = y.softmax(1)
            else:
                raise NotImplementedError
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y, True)"),
    case("arm_that_returns", """
        def loss(x, y, flag):
            t = y
            if flag:
                return t.sum()
            t = t.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y, False)"),
    case("dead_code_after_return", """
        def loss(x, y):
            return x.sum()
            return F.kl_div(x, y)
    """, [], ""),
    case("dead_code_after_raise", """
        def loss(x, y):
            raise NotImplementedError
            return F.kl_div(x, y)
    """, [], ""),
    case("false_branch", """
        DEBUG = False
        def loss(x, y):
            if DEBUG:
                return F.kl_div(x, y)
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("ternary_argument", """
        def loss(x, y, flag):
            return F.kl_div(x.log_softmax(1), y.softmax(1) if flag else x.softmax(1), reduction="batchmean")
    """, [GOOD], *BOTH),
    case("ternary_reduction", """
        def loss(x, y, flag):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean" if flag else "sum")
    """, [GOOD, (LOG_PROBS, PROBS, "sum", False)], *BOTH),
    case("ternary_of_a_literal", """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1) if True else y, reduction="batchmean")
    """, [GOOD]),
    case("nested_ternary", """
        def loss(x, y, a, b=False):
            t = (y.softmax(1) if a else y.softmax(-1)) if not b else F.softmax(y, dim=1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], *BOTH),
    case("or", """
        def loss(x, y, t=None):
            t = t if t is not None else y.softmax(1)
            how = None or "batchmean"
            return F.kl_div(x.log_softmax(1), t, reduction=how)
    """, [GOOD, (LOG_PROBS, UNKNOWN, "batchmean", False)], "loss(x, y)", "loss(x, y, y.softmax(1))"),
    case("and", """
        def loss(x, y):
            how = "batchmean" and "sum"
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=how)
    """, [(LOG_PROBS, PROBS, "sum", False)]),
    case("short_circuit", """
        def loss(x, y, flag):
            return flag and F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, True)"),
    case("kl_call_in_a_test", """
        def loss(x, y):
            if F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean") > 0.1:
                return 1
            return 0
    """, [GOOD]),
    case("kl_call_in_an_assertion", """
        def loss(x, y):
            assert F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean") >= 0, "negative"
    """, [GOOD]),
    case("assertion_narrows", """
        def loss(x, y, mode="log"):
            if mode == "log":
                t = y.log_softmax(1)
            else:
                t = y.softmax(1)
            assert mode == "log"
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
    case("assertion_of_a_type", """
        def loss(x, y):
            assert isinstance(x, torch.Tensor) and x.dim() == 2
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("nothing_bound_in_one_arm", """
        def loss(x, y, flag=True):
            if flag:
                t = y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("pass_in_one_arm", """
        def loss(x, y, flag):
            t = y.softmax(1)
            if flag:
                pass
            elif x.sum() > 0:
                t = t.detach()
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], *BOTH),
    case("deleted_in_one_arm", """
        def loss(x, y, flag=False):
            t = y.softmax(1)
            if flag:
                del t
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("attribute_in_one_arm", """
        class Box:
            def __init__(self, t):
                self.t = t
        def loss(x, y, flag):
            box = Box(y.softmax(1))
            if flag:
                box.t = box.t.detach()
            return F.kl_div(x.log_softmax(1), box.t, reduction="batchmean")
    """, [GOOD], *BOTH),
)

CORRELATED: tuple[Case, ...] = (
    case("flag_of_target_and_log_target", """
        def loss(x, y, log):
            t = y.log_softmax(1) if log else y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
    """, [GOOD, LOG_TARGET], *BOTH),
    case("two_ifs_of_one_flag", """
        def loss(x, y, log):
            if log:
                t = y.log_softmax(1)
            else:
                t = y.softmax(1)
            s = x.log_softmax(1)
            if log:
                return F.kl_div(s, t, reduction="batchmean", log_target=True)
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD, LOG_TARGET], *BOTH),
    case("negated", """
        def loss(x, y, soft):
            t = y.softmax(1) if not (not soft) else y.log_softmax(1)
            if not soft:
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD, LOG_TARGET], *BOTH),
    case("mode_string", """
        def loss(x, y, mode):
            if mode == "log":
                crit, t = nn.KLDivLoss(reduction="batchmean", log_target=True), y.log_softmax(1)
            else:
                crit, t = nn.KLDivLoss(reduction="batchmean"), y.softmax(1)
            return crit(x.log_softmax(1), t)
    """, [GOOD, LOG_TARGET], "loss(x, y, 'log')", "loss(x, y, 'soft')"),
    case("mode_string_compared_twice", """
        def loss(x, y, mode):
            t = y.softmax(1)
            if mode == "log":
                t = t.log()
            if mode == "log":
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
            elif mode == "soft":
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD, LOG_TARGET], "loss(x, y, 'log')", "loss(x, y, 'soft')"),
    case("two_modes_exclude_each_other", """
        def loss(x, y, mode):
            t = y.softmax(1)
            if mode == "a":
                t = t.log()
            if mode == "b":
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y, 'b')"),
    case("attribute_flag", """
        class Loss:
            def __init__(self, log_target=False):
                self.log_target = log_target
            def of(self, x, y):
                if self.log_target:
                    t = y.log_softmax(1)
                else:
                    t = y.softmax(1)
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=self.log_target)
    """, [GOOD, LOG_TARGET], "Loss(True).of(x, y)", "Loss().of(x, y)"),
    case("flag_chooses_in_init_and_in_forward", """
        class Loss(nn.Module):
            def __init__(self, log):
                super().__init__()
                self.log = log
                if log:
                    self.crit = nn.KLDivLoss(reduction="batchmean", log_target=True)
                else:
                    self.crit = nn.KLDivLoss(reduction="batchmean")
            def forward(self, x, y):
                t = y.log_softmax(1) if self.log else y.softmax(1)
                return self.crit(x.log_softmax(1), t)
    """, [GOOD, LOG_TARGET], "Loss(True)(x, y)", "Loss(False)(x, y)"),
    case("order_and_its_denial", """
        class Loss(nn.Module):
            def __init__(self, smoothing):
                super().__init__()
                self.smoothing = smoothing
                if self.smoothing <= 0.0:
                    self.criterion = nn.NLLLoss(reduction="sum")
                else:
                    self.criterion = nn.KLDivLoss(reduction="sum")
            def targets(self, log_probs, labels):
                if self.smoothing > 0:
                    target = torch.full_like(log_probs, self.smoothing / (log_probs.size(1) - 1))
                    return target.scatter_(1, labels.unsqueeze(1), 1.0 - self.smoothing)
                return labels
            def forward(self, x, labels):
                log_probs = x.log_softmax(1)
                return self.criterion(log_probs, self.targets(log_probs, labels))
    """, [SUM], "Loss(0.1)(x, i)", "Loss(0.0)(x, i)"),
    case("two_orders_of_one_pair", """
        def loss(x, y, a, b):
            t = y.softmax(1) if a < b else y.log_softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="sum", log_target=not b > a)
    """, [SUM, (LOG_PROBS, LOG_PROBS, "sum", True)], "loss(x, y, 1, 2)", "loss(x, y, 2, 2)"),
    case("positive_is_not_zero", """
        def loss(x, y, temperature):
            t = y.softmax(1) if temperature > 0 else y
            if not temperature or temperature == 0.0:
                return None
            if temperature > 0:
                return F.kl_div(x.log_softmax(1), t, reduction="sum")
    """, [SUM], "loss(x, y, 2.0)", "loss(x, y, 0.0)"),
    case("flag_kept_under_another_name", """
        def loss(x, y, log):
            use_log = log
            t = y.log_softmax(1) if use_log else y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
    """, [GOOD, LOG_TARGET], *BOTH),
    case("comparison_kept_in_a_name", """
        def loss(x, y, mode):
            log = mode == "log"
            t = y.log_softmax(1) if log else y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
    """, [GOOD, LOG_TARGET], "loss(x, y, 'log')", "loss(x, y, 'soft')"),
    case("comparison_kept_in_a_name_and_made_again", """
        def loss(x, y, mode):
            log = mode == "log"
            t = y.log_softmax(1) if mode == "log" else y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
    """, [GOOD, LOG_TARGET], "loss(x, y, 'log')", "loss(x, y, 'soft')"),
    case("flag_turned_in_a_name", """
        def loss(x, y, soft):
            t = y.softmax(1) if soft else y.log_softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=not soft)
    """, [GOOD, LOG_TARGET], *BOTH),
    case("none_or_given", """
        def loss(x, y, t=None):
            if t is None:
                return x.sum()
            t = t.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y, y)"),
    case("none_in_both_arms", """
        def loss(x, y, w=None):
            s = x.log_softmax(1) if w is None else (x * w).log_softmax(1)
            t = y.softmax(1) if w is None else (y * w).softmax(1)
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD], "loss(x, y)", "loss(x, y, y)"),
    case("and_of_two_flags", """
        def loss(x, y, a, b=True):
            t = y.softmax(1)
            if a and b:
                t = t.log()
            if a and b:
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
            return 0
    """, [LOG_TARGET], "loss(x, y, True)"),
    case("or_of_two_modes", """
        def loss(x, y, mode):
            t = y.softmax(1)
            if mode == "a" or mode == "b":
                return 0
            if mode == "a":
                t = t.log()
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y, 'c')"),
    case("mode_in_a_tuple", """
        def loss(x, y, mode):
            if mode in ("log", "ln"):
                t = y.log_softmax(1)
            else:
                t = y.softmax(1)
            if mode in ("log", "ln"):
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD, LOG_TARGET], "loss(x, y, 'log')", "loss(x, y, 'soft')"),
    case("mode_not_in_a_tuple", """
        def loss(x, y, mode):
            if mode not in ("log", "ln"):
                t = y.softmax(1)
            else:
                t = y.log_softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=mode in ("log", "ln"))
    """, [GOOD, LOG_TARGET], "loss(x, y, 'log')", "loss(x, y, 'soft')"),
    case("known_mode_in_a_tuple", """
        MODE = "log"
        def loss(x, y):
            if MODE in ("log", "ln"):
                t = y.log_softmax(1)
            else:
                t = y
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=MODE not in ("soft",))
    """, [LOG_TARGET]),
    case("isinstance_twice", """
        def loss(x, y):
            t = y.softmax(1) if isinstance(y, torch.Tensor) else None
            if isinstance(y, torch.Tensor):
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("flag_rebound_between", """
        def loss(x, y, log):
            t = y.log_softmax(1) if log else y.softmax(1)
            log = not log
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
    """, [(LOG_PROBS, LOG_PROBS, "batchmean", False), (LOG_PROBS, PROBS, "batchmean", True)], *BOTH),
    case("call_may_differ_each_time", """
        def loss(x, y, coin):
            t = y.log_softmax(1) if coin() else y.softmax(1)
            if coin():
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
            return 0
    """, [LOG_TARGET, (LOG_PROBS, PROBS, "batchmean", True)],
        "loss(x, y, lambda: True)", "loss(x, y, iter([False, True]).__next__)"),
    case("flag_through_a_helper", """
        def target(y, log):
            if log:
                return y.log_softmax(1)
            return y.softmax(1)
        def loss(x, y, log):
            return F.kl_div(x.log_softmax(1), target(y, log), reduction="batchmean", log_target=log)
    """, [GOOD, LOG_TARGET], *BOTH),
    case("flag_known_at_the_call", """
        def divergence(x, y, log):
            t = y.log_softmax(1) if log else y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
        def loss(x, y):
            return divergence(x, y, True) + divergence(x, y, log=False)
    """, [GOOD, LOG_TARGET]),
    case("version_flag", """
        NEW = hasattr(nn.KLDivLoss(), "log_target")
        def loss(x, y):
            if NEW:
                return F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="batchmean", log_target=True)
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD, LOG_TARGET], loose=True),
    case("four_arms_of_one_flag", """
        def loss(x, y, kind):
            if kind == "a":
                t, lt = y.softmax(1), False
            elif kind == "b":
                t, lt = y.log_softmax(1), True
            elif kind == "c":
                t, lt = y.softmax(1).detach(), False
            else:
                t, lt = y.softmax(1).log(), True
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=lt)
    """, [GOOD, LOG_TARGET], *(f"loss(x, y, '{kind}')" for kind in "abcd")),
    case("indices_in_one_arm", """
        def loss(x, y, hard):
            t = y.argmax(1) if hard else y.softmax(1)
            if hard:
                return F.nll_loss(x.log_softmax(1), t)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], *BOTH),
    case("uncorrelated_flags_give_all_pairs", """
        def loss(x, y, a, b):
            s = x.log_softmax(1) if a else x.softmax(1)
            t = y.softmax(1) if b else y.argmax(1)[:, None].double()
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD, PROBS_INPUT, (LOG_PROBS, INDICES, "batchmean", False), (PROBS, INDICES, "batchmean", False)],
        *(f"loss(x, y, {a}, {b})" for a in (True, False) for b in (True, False))),
)

MATCH: tuple[Case, ...] = (
    case("literals", """
        def loss(x, y, mode):
            match mode:
                case "soft":
                    t, lt = y.softmax(1), False
                case "log":
                    t, lt = y.log_softmax(1), True
                case _:
                    raise ValueError
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=lt)
    """, [GOOD, LOG_TARGET], "loss(x, y, 'soft')", "loss(x, y, 'log')"),
    case("known_subject", """
        def loss(x, y):
            match "log":
                case "soft":
                    t = y.softmax(1)
                case "log":
                    t = y.log_softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
    case("matched_twice", """
        def loss(x, y, mode):
            match mode:
                case "log":
                    t = y.log_softmax(1)
                case _:
                    t = y.softmax(1)
            match mode:
                case "log":
                    return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
                case other:
                    return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD, LOG_TARGET], "loss(x, y, 'soft')", "loss(x, y, 'log')"),
    case("singletons", """
        def loss(x, y, log):
            match log:
                case True:
                    t = y.log_softmax(1)
                case False:
                    t = y.softmax(1)
                case None:
                    return None
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
    """, [GOOD, LOG_TARGET], *BOTH),
    case("or_pattern", """
        def loss(x, y, mode):
            match mode:
                case "soft" | "probs":
                    return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
                case "log" | "ln":
                    return F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="batchmean", log_target=True)
    """, [GOOD, LOG_TARGET], "loss(x, y, 'soft')", "loss(x, y, 'log')"),
    case("guard", """
        def loss(x, y, n):
            match n:
                case int() if n > 3:
                    t = y.softmax(1)
                case _:
                    t = y.softmax(-1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y, 1)", "loss(x, y, 4)"),
    case("sequence_pattern", """
        def loss(pair):
            match pair:
                case [a, b]:
                    return F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean")
                case [a, b, *rest]:
                    return None
    """, [GOOD], "loss((x, y))"),
    case("mapping_pattern", """
        def loss(batch):
            match batch:
                case {"x": a, "y": b, **rest}:
                    return F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean")
    """, [GOOD], "loss({'x': x, 'y': y})"),
    case("class_pattern", """
        class Pair:
            __match_args__ = ("a", "b")
            def __init__(self, a, b):
                self.a, self.b = a, b
        def loss(x, y):
            match Pair(x.log_softmax(1), y.softmax(1)):
                case Pair(a=s) as pair:
                    return F.kl_div(pair.a, pair.b, reduction="batchmean")
    """, [(UNKNOWN, UNKNOWN, "batchmean", False)]),
    case("capture", """
        def loss(x, y):
            match y.softmax(1):
                case t:
                    return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("no_case_matches", """
        def loss(x, y, mode):
            t = y.softmax(1)
            match mode:
                case "log":
                    t = t.log()
                case "raise":
                    raise ValueError
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=mode == "log")
    """, [GOOD, LOG_TARGET], "loss(x, y, 'soft')", "loss(x, y, 'log')"),
    case("dotted_value", """
        import enum
        class Mode(enum.Enum):
            SOFT = "soft"
            LOG = "log"
        def loss(x, y, mode):
            match mode:
                case Mode.SOFT:
                    return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
                case Mode.LOG:
                    return F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="batchmean", log_target=True)
    """, [GOOD, LOG_TARGET], "loss(x, y, Mode.SOFT)", "loss(x, y, Mode.LOG)"),
)

TRY: tuple[Case, ...] = (
    case("except_type_error", """
        def loss(x, y):
            s, t = x.log_softmax(1), y.softmax(1)
            try:
                return F.kl_div(s, t, reduction="batchmean")
            except TypeError:
                return F.kl_div(s, t, size_average=False) / s.size(0)
    """, [GOOD, (LOG_PROBS, PROBS, "sum", False)], loose=True),
    case("bound_in_try", """
        def loss(x, y):
            try:
                t = y.softmax(1)
            except RuntimeError:
                t = y.cpu().softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("else", """
        def loss(x, y):
            try:
                t = y.exp()
            except RuntimeError as error:
                raise ValueError from error
            else:
                t = y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("finally", """
        def loss(x, y):
            try:
                t = y.exp()
            finally:
                t = y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("kl_in_finally", """
        def loss(x, y):
            try:
                return 1
            finally:
                F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("handler_sees_both", """
        def loss(x, y):
            t = y.softmax(1)
            try:
                t = t.log()
                raise ValueError
            except ValueError:
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
    """, [LOG_TARGET, (LOG_PROBS, PROBS, "batchmean", True)], loose=True),
    case("handler_that_leaves", """
        def loss(x, y):
            try:
                t = y.softmax(1)
            except Exception:
                return None
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("body_that_leaves", """
        def loss(x, y):
            try:
                raise ValueError
            except ValueError:
                t = y.softmax(1)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("all_leave", """
        def loss(x, y):
            try:
                return 1
            except ValueError:
                raise
            return F.kl_div(x, y)
    """, [], ""),
    case("import_falls_back", """
        try:
            from torch.nn.functional import kl_div
        except ImportError:
            kl_div = None
        def loss(x, y):
            if kl_div is None:
                raise RuntimeError
            return kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)


@pytest.mark.parametrize("example", ARMS, ids=lambda example: example.name)
def test_arms(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", CORRELATED, ids=lambda example: example.name)
def test_correlated_branches(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", MATCH, ids=lambda example: example.name)
def test_match(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", TRY, ids=lambda example: example.name)
def test_try(example: Case) -> None:
    check(example)
