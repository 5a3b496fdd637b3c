"""Right programs that were taken for wrong ones: each says nothing of what it cannot know."""

from __future__ import annotations

import textwrap

import pytest

from kl_lint import check_source
from tests.flow.programs import PRELUDE

RIGHT = {
    # --- two tensors that are not one
    "captured_by_one_pattern": """
        def loss(o):
            match o:
                case {"s": s, "t": t}:
                    return F.kl_div(s.log_softmax(-1), t.softmax(-1), reduction="sum")
    """,
    "captured_by_a_sequence": """
        def loss(o):
            match o:
                case [s, t]:
                    return F.kl_div(s.log_softmax(-1), t.softmax(-1), reduction="sum")
    """,
    "drawn_by_next": """
        def loss(a, b):
            it = iter([a, b])
            def draw():
                return next(it)
            return F.kl_div(draw().log_softmax(-1), draw().softmax(-1), reduction="batchmean")
    """,
    "drawn_from_a_loader": """
        class Trainer:
            def __init__(self, loader):
                self.it = iter(loader)
            def draw(self):
                return next(self.it)[0]
            def step(self):
                return F.kl_div(self.draw().log_softmax(-1), self.draw().softmax(-1), reduction="batchmean")
    """,
    "with_noise": """
        def noisy(z):
            return z + torch.rand_like(z)
        def loss(z):
            return F.kl_div(noisy(z).log_softmax(-1), noisy(z).softmax(-1), reduction="batchmean")
    """,
    "sampled_rows": """
        def loss(x, w):
            one, other = x[torch.multinomial(w, 5)], x[torch.multinomial(w, 5)]
            return F.kl_div(one.log_softmax(-1), other.softmax(-1), reduction="batchmean")
    """,
    "normal_noise": """
        def loss(mu):
            return F.kl_div(torch.normal(mu, 1.0).log_softmax(-1), torch.normal(mu, 1.0).softmax(-1), reduction="batchmean")
    """,
    "in_bfloat16": """
        def loss(z):
            return F.kl_div(z.bfloat16().float().log_softmax(-1), z.softmax(-1), reduction="batchmean")
    """,
    "to_half": """
        def loss(z):
            low = z.to(torch.float16).to(z.dtype)
            return F.kl_div(low.log_softmax(-1), z.softmax(-1), reduction="batchmean")
    """,
    "to_half_by_name": """
        def loss(z):
            return F.kl_div(z.half().float().log_softmax(-1), z.softmax(-1), reduction="batchmean")
    """,
    # --- what is no logits, or may be none
    "less_the_logarithm_of_the_partition_sum": """
        def loss(q):
            z = torch.randn(5)
            return F.kl_div(z - z.exp().sum().log(), q.softmax(0), reduction="sum")
    """,
    "less_a_number_that_normalises": """
        def loss(q, log_partition):
            z = nn.Linear(4, 5)(q)[0]
            return F.kl_div(z - torch.logsumexp(z.flatten(), 0), q.softmax(0), reduction="sum")
    """,
    "selected_by_labels": """
        def loss(batch):
            lq = (F.one_hot(batch["a"], 4).unsqueeze(-1) * batch["log_dist"]).sum(1)
            return F.kl_div(lq, batch["target"], reduction="batchmean")
    """,
    # --- both Bernoulli terms
    "bernoulli_logs_with_an_epsilon": """
        def both(q):
            return torch.cat([torch.log(q + 1e-8), torch.log(1 - q + 1e-8)], -1)
        def loss(x, y):
            q = torch.sigmoid(y)
            return F.kl_div(both(torch.sigmoid(x)), torch.cat([q, 1 - q], -1), reduction="batchmean")
    """,
    "bernoulli_gathered": """
        def loss(x, t):
            q, columns = torch.sigmoid(x), []
            for v in (1 - q, q):
                columns.append(v.log())
            return F.kl_div(torch.stack(columns, -1), t, reduction="batchmean")
    """,
    "bernoulli_of_the_label": """
        def loss(x, y, t):
            q = torch.sigmoid(x)
            return F.kl_div(torch.where(y > 0, q, 1 - q).log(), t, reduction="sum")
    """,
    # --- all classes, in another order
    "permuted_by_a_tensor": """
        def loss(x, y):
            order = torch.tensor([2, 0, 1])
            return F.kl_div(x.log_softmax(-1), y.softmax(-1)[:, order], reduction="batchmean")
    """,
    "permuted_by_a_tensor_as_the_input": """
        def loss(x, y):
            order = torch.tensor([2, 0, 1])
            return F.kl_div(x.softmax(-1)[:, order].log(), y.softmax(-1), reduction="batchmean")
    """,
    "permuted_by_a_list": """
        def loss(x, y, names, order):
            return F.kl_div(x.log_softmax(-1), y.softmax(-1)[:, [names.index(n) for n in order]], reduction="batchmean")
    """,
    "permuted_by_a_buffer": """
        class Loss(nn.Module):
            def __init__(self, order):
                super().__init__()
                self.register_buffer("order", torch.tensor(order))
            def forward(self, x, y):
                return F.kl_div(x.log_softmax(-1), y.softmax(-1)[:, self.order], reduction="batchmean")
    """,
    # --- a mean that is multiplied by the number of classes
    "mean_times_the_classes": """
        def loss(x, y):
            terms = F.kl_div(x.log_softmax(1), y.softmax(1), reduction="none")
            return terms.mean() * x.size(1)
    """,
    "mean_times_the_classes_of_a_shape": """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="mean") * x.shape[-1]
    """,
    "mean_over_stacked_terms": """
        def loss(x, y):
            terms = [F.kl_div(one.log_softmax(-1), other.softmax(-1), reduction="none") for one, other in zip(x, y)]
            return torch.stack(terms).mean(0).sum(-1).mean()
    """,
    "mean_over_stacked_terms_of_known_rank": """
        def loss():
            x, y = torch.randn(2, 5), torch.randn(2, 5)
            terms = [F.kl_div(x.log_softmax(-1), y.softmax(-1), reduction="none") for _ in range(3)]
            return torch.stack(terms).mean(0).sum(-1).mean()
    """,
    # --- changed by what cannot be followed
    "changed_by_callbacks": """
        class Run:
            def __init__(self, callbacks):
                self.callbacks = callbacks
            def loss(self, x, t):
                state = {"s": nn.Linear(4, 3)(x)}
                for callback in self.callbacks:
                    callback.on_logits(state)
                return F.kl_div(state["s"], t.softmax(-1), reduction="batchmean")
    """,
    "changed_by_something_imported": """
        from extlib import norm
        def loss(x, t):
            state = {"s": nn.Linear(4, 3)(x)}
            norm(state)
            return F.kl_div(state["s"], t.softmax(-1), reduction="batchmean")
    """,
    "changed_by_a_list_of_hooks": """
        def loss(x, t, hooks):
            outputs = [nn.Linear(4, 3)(x)]
            for hook in hooks:
                hook(outputs)
            return F.kl_div(outputs[0], t.softmax(-1), reduction="batchmean")
    """,
    "child_changed_by_its_parent": """
        class Head(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc, self.act = nn.Linear(4, 3), nn.Identity()
            def enable_log(self):
                self.act = nn.LogSoftmax(-1)
            def forward(self, x):
                return self.act(self.fc(x))
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = Head()
                self.head.enable_log()
            def forward(self, x):
                return self.head(x)
        def loss(x, t):
            return F.kl_div(Net()(x), t.softmax(-1), reduction="batchmean")
    """,
    "child_changed_by_another_name": """
        class Box:
            def __init__(self, z):
                self.z = z
            def norm(self):
                self.z = self.z.log_softmax(-1)
        class Holder:
            def __init__(self, z):
                self.box = Box(z)
        def loss(x, t):
            h = Holder(nn.Linear(4, 3)(x))
            b = h.box
            b.norm()
            return F.kl_div(h.box.z, t.softmax(-1), reduction="batchmean")
    """,
    "dict_within_a_dict": """
        def loss(x, t):
            o = {"out": {"s": nn.Linear(4, 3)(x)}}
            d = o["out"]
            d["s"] = d["s"].log_softmax(-1)
            return F.kl_div(o["out"]["s"], t.softmax(-1), reduction="batchmean")
    """,
    "handed_to_a_constructor": """
        class Model(nn.Module):
            def __init__(self, net):
                super().__init__()
                self.net = net
        def loss(x, t):
            net = nn.Sequential(nn.Linear(4, 3))
            m = Model(net)
            net.append(nn.LogSoftmax(-1))
            return F.kl_div(m.net(x), t.softmax(-1), reduction="batchmean")
    """,
    "criterion_changed_by_a_constructor": """
        class Engine:
            def __init__(self, criterion):
                criterion.log_target = True
        def loss(x, t):
            criterion = nn.KLDivLoss(reduction="batchmean")
            Engine(criterion)
            return criterion(x.log_softmax(-1), t.log_softmax(-1))
    """,
    "reduction_from_a_table_with_a_default": """
        def loss(x, t, r):
            criterion = nn.KLDivLoss(reduction={"avg": "mean"}.get(r, r))
            return criterion(x.log_softmax(-1), t.softmax(-1))
    """,
}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_of_a_right_program(name: str) -> None:
    assert [str(finding) for finding in check_source(f"{PRELUDE}{textwrap.dedent(RIGHT[name])}")] == []
