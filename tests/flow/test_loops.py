"""Loops run to their fixed point; comprehensions, generators and lists that loops fill."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

SUM = (LOG_PROBS, PROBS, "sum", False)
PROBS_INPUT = (PROBS, PROBS, "batchmean", False)
LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)

FOR: tuple[Case, ...] = (
    case("call_in_a_loop", """
        def loss(x, y, experts=3):
            total = 0.0
            for i in range(experts):
                total += F.kl_div((x + i).log_softmax(1), y.softmax(1), reduction="batchmean")
            return total / experts
    """, [GOOD]),
    case("distribution_from_before_the_loop", """
        def loss(x, y):
            t = y.softmax(1)
            for step in range(10):
                s = (x * step).log_softmax(1)
                x = x - 0.1 * F.kl_div(s, t, reduction="batchmean").detach()
            return x
    """, [GOOD]),
    case("carried_over_the_turn", """
        def loss(x, y):
            t = y.softmax(1)
            for step in range(3):
                value = F.kl_div(x.log_softmax(1), t, reduction="batchmean")
                t = t.detach()
            return value
    """, [GOOD]),
    case("turned_into_something_else", """
        def loss(x, y):
            s = x.log_softmax(1)
            for step in range(3):
                value = F.kl_div(s, y.softmax(1), reduction="batchmean")
                s = s.exp()
            return value
    """, [GOOD, PROBS_INPUT, (UNKNOWN, PROBS, "batchmean", False)]),
    case("turned_through_three_states", """
        def loss(x, y):
            s = t = y.softmax(1)
            u = x.log_softmax(1)
            for step in range(3):
                value = F.kl_div(u, t, reduction="batchmean")
                u = s.log()
                s = s.detach()
            return value
    """, [GOOD]),
    case("after_a_loop_that_may_not_run", """
        def loss(x, y, n=2):
            t = y.softmax(1)
            for step in range(n):
                t = (t + y.softmax(1)) / 2
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, y)", "loss(x, y, 0)"),
    case("list_of_experts", """
        def loss(x, y):
            total = 0
            for expert in [x, y, x + y]:
                total = total + F.kl_div(F.log_softmax(expert, dim=1), y.softmax(1), reduction="batchmean")
            return total
    """, [GOOD]),
    case("pairs", """
        def loss(x, y):
            pairs = [(x.log_softmax(1), y.softmax(1)), (y.log_softmax(1), x.softmax(1))]
            return sum(F.kl_div(a, b, reduction="batchmean") for a, b in pairs)
    """, [GOOD]),
    case("pairs_stay_pairs", """
        def loss(x, y):
            total = 0
            for t, log in ((y.softmax(1), False), (y.log_softmax(1), True)):
                total = total + F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=log)
            return total
    """, [GOOD, LOG_TARGET]),
    case("zip", """
        def loss(x, y):
            students, teachers = [x.log_softmax(1), y.log_softmax(1)], [y.softmax(1), x.softmax(1)]
            total = 0
            for s, t in zip(students, teachers):
                total += F.kl_div(s, t, reduction="batchmean")
            return total
    """, [GOOD]),
    case("zip_of_unknown_lists", """
        def loss(xs, ys):
            return sum(F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean") for a, b in zip(xs, ys))
    """, [GOOD], "loss([x, y], [y, x])"),
    case("zip_of_built_lists", """
        def loss(xs, ys):
            a, b = [], []
            for x in xs:
                a.append(x.log_softmax(1))
            for y in ys:
                b.append(y.softmax(1))
            return sum(F.kl_div(s, t, reduction="batchmean") for s, t in zip(a, b))
    """, [GOOD], "loss([x, y], [y, x])"),
    case("enumerate", """
        def loss(x, y):
            total = 0
            for i, s in enumerate([x.log_softmax(1), y.log_softmax(1)]):
                total += i * F.kl_div(s, y.softmax(1), reduction="batchmean")
            return total
    """, [GOOD]),
    case("enumerate_of_a_built_list", """
        def loss(xs, y):
            logs = [a.log_softmax(1) for a in xs]
            for i, s in enumerate(logs):
                F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x, y], y)"),
    case("dict_items", """
        def loss(x, y):
            heads = {"a": x.log_softmax(1), "b": y.log_softmax(1)}
            return sum(F.kl_div(s, y.softmax(1), reduction="batchmean") for name, s in heads.items())
    """, [GOOD]),
    case("dict_values", """
        def loss(x, y):
            heads = {"a": x.log_softmax(1), "b": y.log_softmax(1)}
            total = 0
            for s in heads.values():
                total += F.kl_div(s, y.softmax(1), reduction="batchmean")
            return total
    """, [GOOD]),
    case("dict_keys", """
        def loss(x, y):
            heads = {"a": x.log_softmax(1), "b": y.log_softmax(1)}
            total = 0
            for k in heads:
                total += F.kl_div(heads[k], y.softmax(1), reduction="batchmean")
            for k in heads.keys():
                total += F.kl_div(heads[k], y.softmax(1), reduction="batchmean")
            return total
    """, [GOOD, GOOD]),
    case("rows", """
        def loss(z):
            logs, probs = z.log_softmax(-1), z.softmax(-1)
            total = 0
            for a, b in zip(logs, probs):
                total += F.kl_div(a, b, reduction="batchmean")
            return total
    """, [GOOD], "loss(z)"),
    case("index_of_rows", """
        def loss(z):
            logs, probs = z.log_softmax(-1), z.softmax(-1)
            return sum(F.kl_div(logs[i], probs[i], reduction="batchmean") for i in range(len(logs)))
    """, [GOOD], "loss(z)"),
    case("break", """
        def loss(x, y):
            s = x.softmax(1)
            for step in range(3):
                if step > 0:
                    s = s.log()
                    break
            else:
                s = x.log_softmax(1)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("break_passes_else_by", """
        def loss(x, y, stop):
            s = x.log_softmax(1)
            for step in range(3):
                if step == stop:
                    break
            else:
                s = x.softmax(1)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD, PROBS_INPUT], "loss(x, y, 1)", "loss(x, y, 5)"),
    case("continue_does_not_leave", """
        def loss(x, y):
            s = x.softmax(1)
            while True:
                s = s.log()
                if s.sum() > 0:
                    s = x.softmax(1)
                    continue
                break
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("nothing_behind_an_endless_loop", """
        def loss(x, y):
            while True:
                if F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean") > 0:
                    return 1
            return F.kl_div(x, y)
    """, [GOOD]),    case("continue", """
        def loss(x, y, skip=()):
            for step in range(3):
                t = y.softmax(1)
                if step in skip:
                    continue
                F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("return_in_a_loop", """
        def loss(x, y):
            for t in (y.softmax(1), x.softmax(1)):
                return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("else_of_a_loop", """
        def loss(x, y):
            for step in range(2):
                pass
            else:
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("nested", """
        def loss(x, y):
            total = 0
            for a in (x, y):
                for b in (x, y):
                    total += F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean")
            return total
    """, [GOOD]),
    case("break_of_the_inner_loop_only", """
        def loss(x, y):
            for a in (x, y):
                s = a.softmax(1)
                while True:
                    s = s.log()
                    break
                F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("loop_variable_after_the_loop", """
        def loss(x, y):
            for s in (x.log_softmax(1), y.log_softmax(1)):
                pass
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("attribute_as_loop_target", """
        class Box:
            pass
        def loss(x, y):
            box = Box()
            for box.s in (x.log_softmax(1), y.log_softmax(1)):
                F.kl_div(box.s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("attack", """
        def loss(x, y, model, steps=3):
            adversarial = x.detach() + 0.001 * torch.randn(x.shape, dtype=x.dtype)
            for _ in range(steps):
                adversarial.requires_grad_()
                with torch.enable_grad():
                    value = F.kl_div(F.log_softmax(model(adversarial), dim=1), F.softmax(model(x), dim=1), reduction="sum")
                grad = torch.autograd.grad(value, [adversarial])[0]
                adversarial = adversarial.detach() + 0.01 * torch.sign(grad.detach())
            return adversarial
    """, [SUM], "loss(x, y, lambda a: 2 * a)"),
)

WHILE: tuple[Case, ...] = (
    case("while_true", """
        def loss(x, y):
            step = 0
            while True:
                value = F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
                step += 1
                if step > 3:
                    return value
    """, [GOOD]),
    case("while_condition_calls", """
        def loss(x, y):
            n = 0
            while F.kl_div((x / (n + 1)).log_softmax(1), y.softmax(1), reduction="batchmean") > 0 and n < 2:
                n += 1
    """, [GOOD]),
    case("while_walrus", """
        def loss(x, y):
            queue = [x.log_softmax(1)]
            while queue:
                s = queue.pop()
                F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("while_a_test_that_the_body_turns", """
        def loss(x, y):
            n, running = 0, True
            while n < 1:
                s = x.log_softmax(1)
                n += 1
            while running:
                t = y.softmax(1)
                running = False
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD]),
    case("while_else", """
        def loss(x, y, n=2):
            while n > 0:
                n -= 1
            else:
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("condition_that_binds", """
        def loss(x, y):
            it = iter([x, y])
            while (a := next(it, None)) is not None:
                F.kl_div(a.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("unchanged_flag", """
        def loss(x, y, log):
            t = y.log_softmax(1) if log else y.softmax(1)
            n = 0
            while n < 2:
                if log:
                    F.kl_div(x.log_softmax(1), t, reduction="batchmean", log_target=True)
                else:
                    F.kl_div(x.log_softmax(1), t, reduction="batchmean")
                n += 1
    """, [GOOD, LOG_TARGET], "loss(x, y, True)", "loss(x, y, False)"),
)

LISTS: tuple[Case, ...] = (
    case("appended", """
        def loss(x, y):
            logs = []
            for a in (x, y):
                logs.append(a.log_softmax(1))
            return F.kl_div(torch.cat(logs), torch.cat([y, x]).softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("appended_then_indexed", """
        def loss(xs, y):
            logs = []
            for a in xs:
                logs.append(a.log_softmax(1))
            return F.kl_div(logs[-1], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x, y], y)"),
    case("extended", """
        def loss(x, y):
            logs = []
            logs.extend([x.log_softmax(1), y.log_softmax(1)])
            return F.kl_div(logs[0], logs[1].exp(), reduction="batchmean")
    """, [GOOD]),
    case("extended_by_a_generator", """
        def loss(x, y):
            logs = []
            logs.extend(a.log_softmax(1) for a in (x, y))
            return F.kl_div(logs[0], logs[1].exp(), reduction="batchmean")
    """, [GOOD]),
    case("augmented_in_a_loop", """
        def loss(xs, y):
            logs = []
            for a in xs:
                logs += [a.log_softmax(1)]
            return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x, y], y)"),
    case("comprehension", """
        def loss(x, y):
            logs = [F.log_softmax(a, dim=1) for a in (x, y)]
            return F.kl_div(logs[0], logs[1].exp(), reduction="batchmean")
    """, [GOOD]),
    case("comprehension_with_a_test", """
        def loss(xs, y):
            logs = [a.log_softmax(1) for a in xs if a is not None]
            return F.kl_div(logs[0], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x, None], y)"),
    case("nested_comprehension", """
        def loss(x, y):
            logs = [[a.log_softmax(1) for a in row] for row in ((x, y), (y, x))]
            return F.kl_div(logs[1][0], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("comprehension_of_two_loops", """
        def loss(x, y):
            return sum([F.kl_div(a.log_softmax(1), b.softmax(1), reduction="batchmean") for a in (x, y) for b in (x, y)])
    """, [GOOD]),
    case("set_and_dict_comprehension", """
        def loss(x, y):
            logs = {name: a.log_softmax(1) for name, a in (("x", x), ("y", y))}
            more = {a for a in logs.values()}
            return F.kl_div(logs["x"], y.softmax(1), reduction="batchmean") + sum(
                F.kl_div(a, y.softmax(1), reduction="batchmean") for a in more)
    """, [GOOD, GOOD]),
    case("dict_comprehension_over_items", """
        def loss(outputs, y):
            logs = {k: v.log_softmax(1) for k, v in outputs.items()}
            return F.kl_div(logs["a"], y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss({'a': x}, y)"),
    case("stacked_mean_of_a_comprehension", """
        def loss(xs, y):
            mean = torch.stack([a.softmax(1) for a in xs]).mean(0)
            return F.kl_div(mean.log(), y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss([x, y], y)"),
    case("jensen_shannon", """
        def loss(x, y):
            probs = [F.softmax(a, dim=1) for a in (x, y, x + y)]
            mixture = torch.clamp((probs[0] + probs[1] + probs[2]) / 3.0, 1e-7, 1).log()
            return sum(F.kl_div(mixture, p, reduction="batchmean") for p in probs) / 3
    """, [GOOD]),
    case("sum_over_a_list_over_its_length", """
        def loss(xs, y):
            probs = [F.softmax(a, dim=1) for a in xs]
            mean = sum(probs) / len(probs)
            return F.kl_div(x_log(y), mean, reduction="batchmean")
        def x_log(a):
            return a.log_softmax(1)
    """, [GOOD], "loss([x, y], y)"),
    case("list_multiplied", """
        def loss(x, y):
            logs = [x.log_softmax(1)] * 3
            return F.kl_div(logs[2], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("map", """
        def loss(x, y):
            s, t = map(lambda a: a.softmax(1), (x, y))
            return F.kl_div(s.log(), t, reduction="batchmean")
    """, [GOOD]),
    case("map_over_something_unknown", """
        def loss(xs):
            s, t = map(lambda a: F.softmax(a, dim=1), xs)
            return F.kl_div(s.log(), t, reduction="batchmean")
    """, [GOOD], "loss((x, y))"),
    case("map_over_a_built_list", """
        def loss(xs):
            s, t = map(torch.exp, [a.log_softmax(1) for a in xs])
            return F.kl_div(s.log(), t, reduction="batchmean")
    """, [GOOD], "loss((x, y))"),
    case("filter", """
        def loss(x, y):
            s, t = filter(None.__ne__, [x.log_softmax(1), y.log_softmax(1)])
            return F.kl_div(s, t.exp(), reduction="batchmean")
    """, [GOOD]),
    case("reversed_sorted_list_tuple", """
        def loss(x, y):
            a, b = reversed([x.softmax(1), y.softmax(1)])
            c, d = list(tuple([x.log_softmax(1), y.log_softmax(1)]))
            return F.kl_div(c, a, reduction="batchmean") + F.kl_div(d, b, reduction="batchmean")
    """, [GOOD, GOOD]),
    case("next_of_an_iterator_is_unknown", """
        def loss(xs, y):
            return F.kl_div(next(iter(xs)), y.softmax(1), reduction="batchmean")
    """, [(UNKNOWN, PROBS, "batchmean", False)], "loss([x], y)"),
)

GENERATORS: tuple[Case, ...] = (
    case("yield", """
        def logs(xs):
            for a in xs:
                yield a.log_softmax(1)
        def loss(x, y):
            return sum(F.kl_div(s, y.softmax(1), reduction="batchmean") for s in logs([x, y]))
    """, [GOOD]),
    case("yield_pairs", """
        def pairs(x, y):
            yield x.log_softmax(1), y.softmax(1)
            yield y.log_softmax(1), x.softmax(1)
        def loss(x, y):
            for s, t in pairs(x, y):
                F.kl_div(s, t, reduction="batchmean")
    """, [GOOD]),
    case("yield_from", """
        def logs(xs):
            yield from [a.log_softmax(1) for a in xs]
        def loss(x, y):
            for s in logs([x, y]):
                F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("yield_from_a_generator", """
        def inner(xs):
            for a in xs:
                yield a.log_softmax(1)
        def outer(xs):
            yield from inner(xs)
        def loss(x, y):
            for s in outer([x, y]):
                F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("kl_inside_a_generator", """
        def losses(xs, y):
            for a in xs:
                yield F.kl_div(a.log_softmax(1), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            return sum(losses([x, y], y))
    """, [GOOD]),
    case("generator_in_a_call", """
        def loss(x, y):
            return max(F.kl_div(a.log_softmax(1), y.softmax(1), reduction="batchmean") for a in (x, y))
    """, [GOOD]),
    case("yield_from_something_unknown", """
        def outer(xs):
            yield from xs
        def loss(xs, y):
            for s in outer(xs):
                F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [(UNKNOWN, PROBS, "batchmean", False)], "loss([x.log_softmax(1)], y)"),
    case("sent_into", """
        def worker(y):
            s = yield
            while True:
                s = yield F.kl_div(s, y.softmax(1), reduction="batchmean")
        def loss(x, y):
            w = worker(y)
            next(w)
            return w.send(x.log_softmax(1))
    """, [(UNKNOWN, PROBS, "batchmean", False)]),
    case("async_for_and_await", """
        import asyncio
        async def logs(xs):
            for a in xs:
                yield a.log_softmax(1)
        async def target(y):
            return y.softmax(1)
        async def run(x, y):
            t = await target(y)
            async for s in logs([x, y]):
                F.kl_div(s, t, reduction="batchmean")
            return sum([F.kl_div(s, t, reduction="batchmean") async for s in logs([x])])
        def loss(x, y):
            return asyncio.run(run(x, y))
    """, [GOOD, GOOD]),
    case("async_with", """
        import asyncio, contextlib
        @contextlib.asynccontextmanager
        async def scope():
            yield
        async def run(x, y):
            async with scope():
                return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            return asyncio.run(run(x, y))
    """, [GOOD]),
)


@pytest.mark.parametrize("example", FOR, ids=lambda example: example.name)
def test_for(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", WHILE, ids=lambda example: example.name)
def test_while(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", LISTS, ids=lambda example: example.name)
def test_lists_and_comprehensions(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", GENERATORS, ids=lambda example: example.name)
def test_generators(example: Case) -> None:
    check(example)
