"""Functions of the file: called with their argument values, closures, partials, decorators, and how arguments are bound."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

UNSEEN = (UNKNOWN, UNKNOWN, "batchmean", False)
MEAN = (LOG_PROBS, PROBS, "mean", False)
SUM = (LOG_PROBS, PROBS, "sum", False)
SWAPPED = (PROBS, LOG_PROBS, "batchmean", False)
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)

CLOSED_OVER = {
    "a_closure": ("p = F.softmax(x, 1)\ndef get():\n    return p", "p = F.log_softmax(x, 1)"),
    "a_lambda": ("p = F.softmax(x, 1)\nget = lambda: p", "p = F.log_softmax(x, 1)"),
    "a_closure_of_a_closure": ("p = F.softmax(x, 1)\ndef get():\n    def inner():\n        return p\n    return inner()", "p = F.log_softmax(x, 1)"),
    "a_list": ("p = [F.softmax(x, 1)]\ndef get():\n    return p[0]", "p[0] = F.log_softmax(x, 1)"),
    "an_object": ("p = Box()\np.held = F.softmax(x, 1)\ndef get():\n    return p.held", "p.held = F.log_softmax(x, 1)"),
    "a_dict_of_the_module": ("STATE['p'] = F.softmax(x, 1)\nget = read", "STATE['p'] = F.log_softmax(x, 1)"),
    "what_it_writes": (
        "p = [F.softmax(x, 1)]\nq = F.log_softmax(x, 1)\ndef put(v):\n    p[0] = v\ndef get():\n    return p[0]\nput(q)\np[0] = F.softmax(x, 1)",
        "put(q)",
    ),
}
"""What is made before a first call, and what is changed before a second, with the same arguments."""


@pytest.mark.parametrize("name", CLOSED_OVER)
def test_a_function_reads_what_is_around_it_now(name: str) -> None:
    before, change = CLOSED_OVER[name]
    lines = f"{before}\nget()\n{change}\nreturn F.kl_div(get(), F.softmax(y, 1), reduction='batchmean')"
    state = "STATE = {'p': None}\ndef read():\n    return STATE['p']\nclass Box:\n    held = None\n"
    check(case(name, f"{state}def loss(x, y):\n{indent(lines, '    ')}\n", [GOOD]))


HELPERS: tuple[Case, ...] = (
    case("helper_that_normalises", """
        def soften(a, temperature=2.0):
            return F.softmax(a / temperature, dim=1)
        def loss(x, y):
            return F.kl_div(torch.log(soften(x)), soften(y, 4), reduction="batchmean")
    """, [GOOD]),
    case("helper_that_returns_a_tuple", """
        def both(x, y):
            return x.log_softmax(1), y.softmax(1)
        def loss(x, y):
            return F.kl_div(*both(x, y), reduction="batchmean")
    """, [GOOD]),
    case("helper_that_computes_the_divergence", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("helper_fed_by_two_callers", """
        def kl(s, t, log=False):
            return F.kl_div(s, t, reduction="batchmean", log_target=log)
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1)) + kl(x.log_softmax(1), y.log_softmax(1), log=True)
    """, [GOOD, LOG_TARGET]),
    case("helper_nobody_calls", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
    """, [UNSEEN], "kl(x, y)"),
    case("wrapper_of_a_wrapper", """
        def inner(s, t, **kw):
            return F.kl_div(s, t, **kw)
        def outer(x, y, **kw):
            return inner(x.log_softmax(1), y.softmax(1), reduction="batchmean", **kw)
        def loss(x, y):
            return outer(x, y, log_target=False)
    """, [GOOD, (LOG_PROBS, PROBS, "batchmean", None)]),
    case("defined_below", """
        def loss(x, y):
            return below(x.log_softmax(1), y.softmax(1))
        def below(s, t):
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD]),
    case("several_returns", """
        def normalise(a, how):
            if how == "log":
                return a.log_softmax(1)
            elif how == "probs":
                return a.softmax(1)
            return a
        def loss(x, y):
            return F.kl_div(normalise(x, "log"), normalise(y, "probs"), reduction="batchmean")
    """, [GOOD]),
    case("early_return_of_none", """
        def target(y, skip=False):
            if skip:
                return None
            return y.softmax(1)
        def loss(x, y, skip=False):
            t = target(y, skip)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("parameter_rebound", """
        def kl(s, t):
            s = s.log_softmax(1)
            t = t.softmax(1)
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x, y)
    """, [GOOD]),
    case("direction_exchanged_by_keywords", """
        def kl(p, q):
            return F.kl_div(q.log_softmax(1), p.softmax(1), reduction="batchmean")
        def loss(x, y):
            return kl(q=x, p=y)
    """, [GOOD]),
    case("symmetric", """
        def kl(s, t):
            return F.kl_div(s.log_softmax(1), t.softmax(1), reduction="batchmean")
        def loss(x, y):
            return (kl(x, y) + kl(y, x)) / 2
    """, [GOOD]),
    case("misuse_by_one_caller", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x.softmax(1), y.log_softmax(1))
    """, [SWAPPED]),
    case("recursive", """
        def loss(x, y, n=2):
            if n == 0:
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
            return loss(x / 2, y, n - 1)
    """, [GOOD]),
    case("mutually_recursive", """
        def even(x, y, n=3):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean") if n == 0 else odd(x, y, n - 1)
        def odd(x, y, n):
            return even(x, y, n - 1) if n > 0 else F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            return even(x, y)
    """, [GOOD, GOOD], loose=True),
    case("function_in_a_function", """
        def loss(x, y):
            def kl(s, t):
                return F.kl_div(s, t, reduction="batchmean")
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("memoised_results_are_not_mixed_up", """
        def f(a, log):
            return a.log_softmax(1) if log else a.softmax(1)
        def loss(x, y):
            a, b, c = f(x, True), f(y, False), f(x, True)
            return F.kl_div(a, b, reduction="batchmean") + F.kl_div(c, b, reduction="batchmean")
    """, [GOOD, GOOD]),
    case("passed_through_a_container", """
        def last(held):
            return held["t"][-1]
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), last({"t": [y, y.softmax(1)]}), reduction="batchmean")
    """, [GOOD]),
    case("called_at_module_level", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        if __name__ == "__main__":
            a = torch.randn(3, 4)
            print(kl(a.log_softmax(1), a.softmax(1)))
    """, [(LOG_PROBS, PROBS, "batchmean", False)], "kl(x.log_softmax(1), y.softmax(1))"),
)

CLOSURES: tuple[Case, ...] = (
    case("closure_over_the_target", """
        def make(y):
            t = y.softmax(1)
            def kl(x):
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
            return kl
        def loss(x, y):
            return make(y)(x)
    """, [GOOD]),
    case("lambda_", """
        kl = lambda s, t: F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("lambda_called_at_once", """
        def loss(x, y):
            return (lambda s, t: F.kl_div(s, t, reduction="batchmean"))(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("lambda_in_a_dict", """
        LOSSES = {"kl": lambda s, t: F.kl_div(s.log_softmax(1), t.softmax(1), reduction="batchmean")}
        def loss(x, y):
            return LOSSES["kl"](x, y)
    """, [GOOD]),
    case("lambda_default_captures", """
        def loss(x, y):
            t = y.softmax(1)
            kl = lambda a, t=t: F.kl_div(a.log_softmax(1), t, reduction="batchmean")
            t = None
            return kl(x)
    """, [GOOD]),
    case("lambda_late_binding", """
        def loss(x, y):
            t = y
            kl = lambda a: F.kl_div(a.log_softmax(1), t, reduction="batchmean")
            t = y.softmax(1)
            return kl(x)
    """, [GOOD]),
    case("closure_handed_to_something_unknown", """
        def loss(x, y, optimizer):
            s, t = x.log_softmax(1), y.softmax(1)
            def closure():
                return F.kl_div(s, t, reduction="batchmean")
            return optimizer(closure)
    """, [GOOD], "loss(x, y, lambda f: f())"),
    case("callback_given_to_a_function_of_the_file", """
        def apply(fn, *args):
            return fn(*args)
        def loss(x, y):
            return apply(lambda s, t: F.kl_div(s, t, reduction="batchmean"), x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("factory_of_factories", """
        def outer(reduction):
            def middle(temperature):
                def kl(x, y):
                    return F.kl_div((x / temperature).log_softmax(1), (y / temperature).softmax(1), reduction=reduction)
                return kl
            return middle
        def loss(x, y):
            return outer("batchmean")(2.0)(x, y)
    """, [GOOD]),
    case("two_closures_of_one_factory", """
        def make(log):
            def kl(x, y):
                t = y.log_softmax(1) if log else y.softmax(1)
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
            return kl
        def loss(x, y):
            return make(True)(x, y) + make(False)(x, y)
    """, [GOOD, LOG_TARGET]),
    case("list_of_lambdas", """
        def loss(x, y):
            fns = [lambda a: a.log_softmax(1), lambda a: a.softmax(1)]
            return F.kl_div(fns[0](x), fns[1](y), reduction="batchmean")
    """, [GOOD]),
    case("comprehension_of_lambdas", """
        def loss(x, y):
            fns = [lambda a, d=d: a.log_softmax(d) for d in (1, -1)]
            return F.kl_div(fns[0](x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

PARTIALS: tuple[Case, ...] = (
    case("keywords", """
        from functools import partial
        kl = partial(F.kl_div, reduction="batchmean", log_target=False)
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("positional", """
        import functools
        def loss(x, y):
            kl = functools.partial(F.kl_div, x.log_softmax(1))
            return kl(y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("target_by_keyword", """
        import functools
        def loss(x, y):
            kl = functools.partial(F.kl_div, target=y.softmax(1))
            return kl(x.log_softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("overridden", """
        import functools
        kl = functools.partial(F.kl_div, reduction="mean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("of_a_partial", """
        from functools import partial
        kl = partial(partial(F.kl_div, reduction="sum"), log_target=False)
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [SUM]),
    case("of_a_function", """
        from functools import partial
        def kl(x, y, reduction, temperature):
            return F.kl_div((x / temperature).log_softmax(1), (y / temperature).softmax(1), reduction=reduction)
        fn = partial(kl, reduction="batchmean", temperature=2)
        def loss(x, y):
            return fn(x, y)
    """, [GOOD]),
    case("of_softmax", """
        from functools import partial
        log_softmax, softmax = partial(F.log_softmax, dim=-1), partial(torch.softmax, dim=-1)
        def loss(x, y):
            return F.kl_div(log_softmax(x), softmax(y), reduction="batchmean")
    """, [GOOD]),
    case("of_a_class", """
        from functools import partial
        Criterion = partial(nn.KLDivLoss, reduction="batchmean")
        def loss(x, y):
            return Criterion()(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("of_a_method", """
        from functools import partial
        class Loss:
            def kl(self, reduction, x, y):
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=reduction)
        def loss(x, y):
            return partial(Loss().kl, "batchmean")(x, y)
    """, [GOOD]),
    case("with_a_dict", """
        from functools import partial
        KW = dict(reduction="batchmean")
        kl = partial(F.kl_div, **KW)
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("with_something_unknown", """
        from functools import partial
        def loss(x, y, kw):
            return partial(F.kl_div, **kw)(x.log_softmax(1), y.softmax(1))
    """, [(LOG_PROBS, PROBS, "unknown", None)], "loss(x, y, {'reduction': 'batchmean'})"),
    case("kept_on_an_object", """
        from functools import partial
        class Loss:
            def __init__(self):
                self.kl = partial(F.kl_div, reduction="batchmean")
            def of(self, x, y):
                return self.kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Loss().of(x, y)"),
    case("in_a_loop_of_partials", """
        from functools import partial
        def loss(x, y):
            for fn in (partial(F.kl_div, reduction="sum"), partial(F.mse_loss, reduction="sum")):
                fn(x.log_softmax(1), y.softmax(1))
    """, [SUM]),
)

DECORATORS: tuple[Case, ...] = (
    case("no_grad", """
        @torch.no_grad()
        def target(y):
            return y.softmax(1)
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), target(y), reduction="batchmean")
    """, [GOOD]),
    case("lru_cache_and_scripted", """
        import functools
        @functools.lru_cache(maxsize=None)
        def dim():
            return 1
        @torch.jit.ignore
        def soften(y):
            return y.softmax(1)
        def loss(x, y):
            return F.kl_div(x.log_softmax(dim()), soften(y), reduction="batchmean")
    """, [GOOD]),
    case("unreadable_one_hides_the_result", """
        def swap(fn):
            return lambda y: fn(y).log()
        @swap
        def target(y):
            return y.softmax(1)
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), target(y), reduction="batchmean", log_target=True)
    """, [(LOG_PROBS, UNKNOWN, "batchmean", True)]),
    case("unreadable_one_leaves_the_body", """
        import contextlib
        @contextlib.contextmanager
        def scope(x, y):
            yield F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            with scope(x, y) as value:
                return value
    """, [GOOD]),
    case("wraps", """
        import functools
        def weighted(fn):
            @functools.wraps(fn)
            def wrapper(pred, target, weight=1.0):
                return fn(pred, target) * weight
            return wrapper
        @weighted
        def kl(pred, target):
            return F.kl_div(pred, target, reduction="batchmean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), weight=2.0)
    """, [UNSEEN]),
    case("registered_under_a_name", """
        LOSSES = {}
        def register(name):
            def add(fn):
                LOSSES[name] = fn
                return fn
            return add
        @register("kl")
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return LOSSES["kl"](x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("property_like", """
        class Loss:
            def __init__(self, x, y):
                self.x, self.y = x, y
            @property
            def student(self):
                return self.x.log_softmax(1)
            @torch.no_grad()
            def teacher(self):
                return self.y.softmax(1)
            def value(self):
                return F.kl_div(self.student, self.teacher(), reduction="batchmean")
        def loss(x, y):
            return Loss(x, y).value()
    """, [GOOD]),
)

BINDING: tuple[Case, ...] = (
    case("positional_only_and_keyword_only", """
        def kl(s, /, t, *, how="batchmean"):
            return F.kl_div(s, t, reduction=how)
        def loss(x, y):
            return kl(x.log_softmax(1), t=y.softmax(1)) + kl(x.log_softmax(1), y.softmax(1), how="sum")
    """, [GOOD, SUM]),
    case("args_and_kwargs", """
        def kl(*args, **kwargs):
            return F.kl_div(*args, **kwargs)
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("args_behind_names", """
        def kl(s, *rest, how):
            return F.kl_div(s, rest[0], reduction=how)
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), how="batchmean")
    """, [GOOD]),
    case("args_unpacked", """
        def kl(*pair):
            s, t = pair
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("kwargs_read", """
        def kl(s, t, **options):
            how = options.pop("how", "mean")
            return F.kl_div(s, t, reduction=options.get("reduction", how))
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), how="batchmean")
    """, [GOOD]),
    case("kwargs_default_taken", """
        def kl(s, t, **options):
            return F.kl_div(s, t, reduction=options.get("reduction", "batchmean"))
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1))
    """, [GOOD]),
    case("star_of_a_list", """
        def loss(x, y):
            args = [x.log_softmax(1), y.softmax(1)]
            return F.kl_div(*args, reduction="batchmean")
    """, [GOOD]),
    case("star_behind_a_positional", """
        def loss(x, y):
            rest = (y.softmax(1), None, None, "batchmean")
            return F.kl_div(x.log_softmax(1), *rest)
    """, [GOOD]),
    case("star_of_something_unknown_is_left_alone", """
        def loss(args):
            return F.kl_div(*args, reduction="batchmean")
    """, [], "loss((x, y))", silent=True),
    case("star_of_something_unknown_into_a_function", """
        def kl(s, t, how="batchmean"):
            return F.kl_div(s.log_softmax(1), t.softmax(1), reduction=how)
        def loss(args):
            return kl(*args)
    """, [(LOG_PROBS, PROBS, "unknown", False)], "loss((x, y))"),
    case("double_star_of_a_dict", """
        def loss(x, y):
            kw = {"input": x.log_softmax(1), "target": y.softmax(1), "reduction": "batchmean"}
            return F.kl_div(**kw)
    """, [GOOD]),
    case("double_star_of_something_unknown", """
        def loss(x, y, kw):
            return F.kl_div(x.log_softmax(1), y.softmax(1), **kw)
    """, [(LOG_PROBS, PROBS, "unknown", None)], "loss(x, y, {'reduction': 'batchmean'})"),
    case("double_star_of_something_unknown_beside_reduction", """
        def loss(x, y, kw):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean", **kw)
    """, [(LOG_PROBS, PROBS, "batchmean", None)], "loss(x, y, {})"),
    case("double_star_into_a_function", """
        def kl(s, t, how="batchmean", log=False):
            return F.kl_div(s, t, reduction=how, log_target=log)
        def loss(x, y, kw):
            return kl(x.log_softmax(1), y.softmax(1), **kw)
    """, [(LOG_PROBS, PROBS, "unknown", None)], "loss(x, y, {})"),
    case("two_double_stars", """
        def loss(x, y):
            a, b = {"reduction": "batchmean"}, {"log_target": False}
            return F.kl_div(x.log_softmax(1), y.softmax(1), **a, **b)
    """, [GOOD]),
    case("too_many_arguments", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), 3)
    """, [UNSEEN], ""),
    case("unexpected_keyword", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), nonsense=3)
    """, [UNSEEN], ""),
    case("missing_argument", """
        def kl(s, t):
            return F.kl_div(s, t, reduction="batchmean")
        def loss(x):
            return kl(x.log_softmax(1))
    """, [UNSEEN], ""),
    case("kl_div_of_one_argument", """
        def loss(x):
            return F.kl_div(x.log_softmax(1))
    """, [], ""),
    case("kl_div_of_an_unknown_keyword", """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), dim=1)
    """, [], ""),
    case("kl_div_of_seven_arguments", """
        def loss(x, y):
            return F.kl_div(x, y, None, None, "sum", False, 3)
    """, [], ""),
    case("kl_div_given_twice", """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), input=x)
    """, [], ""),
    case("defaults_that_are_distributions", """
        UNIFORM = torch.full((4, 5), 0.2, dtype=torch.float64)
        def loss(x, y, t=UNIFORM):
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD, (LOG_PROBS, UNKNOWN, "batchmean", False)], loose=True),
    case("default_settings", """
        def kl(x, y, reduction="batchmean"):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=reduction)
        def loss(x, y):
            return kl(x, y)
    """, [GOOD]),
    case("default_settings_of_a_function_nobody_calls", """
        def loss(x, y, reduction="batchmean"):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction=reduction)
    """, [(LOG_PROBS, PROBS, "unknown", False)]),
    case("annotations_say_nothing", """
        def loss(x: torch.Tensor, y: "torch.Tensor", how: str = "sum") -> torch.Tensor:
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("annotated_as_a_loss", """
        def loss(x, y, criterion: nn.KLDivLoss):
            return criterion(x.log_softmax(1), y.softmax(1))
    """, [(LOG_PROBS, PROBS, "unknown", None)], "loss(x, y, nn.KLDivLoss(reduction='batchmean'))"),
)


@pytest.mark.parametrize("example", HELPERS, ids=lambda example: example.name)
def test_helpers(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", CLOSURES, ids=lambda example: example.name)
def test_closures(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", PARTIALS, ids=lambda example: example.name)
def test_partials(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", DECORATORS, ids=lambda example: example.name)
def test_decorators(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", BINDING, ids=lambda example: example.name)
def test_binding(example: Case) -> None:
    check(example)
