"""What real code looks like: the patterns that an analyser meets, and the traps that were false alarms waiting to happen."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, INDICES, LOGITS, LOG_PROBS, PROBS, UNKNOWN, Case, case, check, rows_of

LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)
SUM = (LOG_PROBS, PROBS, "sum", False)
NONE = (LOG_PROBS, PROBS, "none", False)
MEAN = (LOG_PROBS, PROBS, "mean", False)
UNKNOWN_INPUT = (UNKNOWN, PROBS, "batchmean", False)
UNKNOWN_TARGET = (LOG_PROBS, UNKNOWN, "batchmean", False)

TEMPERATURES: tuple[Case, ...] = (
    *(
        case(f"temperature_{name}", f"""
            class Args:
                temp, T = 2.0, 4.0
            class Loss:
                def __init__(self, T=4.0):
                    self.T = T
                    self.scale = torch.ones(1, dtype=torch.float64)
                def of(self, x, y, args=Args(), beta=0.5, T=3):
                    t = F.softmax(y {expression}, dim=1)
                    return F.kl_div(F.log_softmax(x {expression}, dim=1), t, reduction="batchmean")
        """, [GOOD], "Loss().of(x, y)")
        for name, expression in (
            ("attribute", "/ self.T"), ("argument", "/ T"), ("of_args", "/ args.temp"), ("times_beta", "* beta"), ("times_a_float", "* 0.25"),
            ("a_tensor", "/ self.scale"), ("per_sample", "/ torch.rand(4, 1).clamp(min=0.1)"), ("of_a_power", "/ T ** 2"), ("negative", "* -1"),
        )
    ),
)

WRAPPERS: tuple[Case, ...] = tuple(
    case(f"wrapped_by_{name}", f"""
        def loss(x, y, device="cpu"):
            s, t = x.log_softmax(1), y.softmax(1)
            return F.kl_div(s{wrapper}, t{wrapper}, reduction="batchmean")
    """, [GOOD])
    for name, wrapper in (
        ("detach", ".detach()"), ("data", ".data"), ("clone", ".clone()"), ("to", ".to(device)"), ("to_a_dtype", ".to(torch.float64)"),
        ("cpu", ".cpu()"), ("double", ".double()"), ("type_as", ".type_as(x)"), ("contiguous", ".contiguous()"),
        ("type", ".type(torch.float64)"), ("requires_grad", ".detach().requires_grad_()"), ("everything", ".detach().clone().cpu().contiguous().data"),
        ("variable", ".reshape_as(x)"), ("nothing", ""),
    )
)

HAND_MADE: tuple[Case, ...] = (
    case("old_variable", """
        from torch.autograd import Variable
        def loss(x, y):
            t = Variable(y.softmax(1).data, requires_grad=False)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("mixture_of_two", """
        def loss(x, y):
            p, q = x.softmax(1), y.softmax(1)
            m = 0.5 * (p + q)
            return 0.5 * (F.kl_div(m.log(), p, reduction="batchmean") + F.kl_div(m.log(), q, reduction="batchmean"))
    """, [GOOD, GOOD]),
    case("mixture_with_a_weight", """
        def loss(x, y, lam=0.3):
            m = lam * x.softmax(1) + (1 - lam) * y.softmax(1)
            return F.kl_div(torch.log(m), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("mixture_in_log_space", """
        import math
        def loss(x, y):
            s, t = x.log_softmax(1), y.log_softmax(1)
            m = torch.logaddexp(s, t) - math.log(2)
            return F.kl_div(m, t, reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
    case("mixture_by_logsumexp", """
        import math
        def loss(x, y, b=0.4):
            s, t = x.log_softmax(1), y.log_softmax(1)
            m = torch.logsumexp(torch.stack([s + math.log(b), t + math.log(1 - b)]), dim=0)
            return F.kl_div(m, t, reduction="batchmean", log_target=True)
    """, [LOG_TARGET]),
    case("one_hot", """
        def loss(x, i):
            t = F.one_hot(i, 5).to(x.dtype)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("label_smoothing", """
        def loss(x, i, smoothing=0.1):
            confidence = 1.0 - smoothing
            t = torch.full_like(x, smoothing / 4)
            t.scatter_(1, i.unsqueeze(1), confidence)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD], "loss(x, i)"),
    case("label_smoothing_of_the_annotated_transformer", """
        class LabelSmoothing(nn.Module):
            def __init__(self, size, padding_idx=0, smoothing=0.1):
                super().__init__()
                self.criterion = nn.KLDivLoss(reduction="sum")
                self.padding_idx, self.size = padding_idx, size
                self.confidence, self.smoothing = 1.0 - smoothing, smoothing
            def forward(self, x, target):
                true_dist = x.data.clone()
                true_dist.fill_(self.smoothing / (self.size - 2))
                true_dist.scatter_(1, target.data.unsqueeze(1), self.confidence)
                true_dist[:, self.padding_idx] = 0
                mask = torch.nonzero(target.data == self.padding_idx)
                if mask.dim() > 0:
                    true_dist.index_fill_(0, mask.squeeze(), 0.0)
                return self.criterion(x, true_dist.clone().detach())
    """, [(UNKNOWN, PROBS, "sum", False)], "LabelSmoothing(5)(x.log_softmax(1), i)"),
    case("uniform", """
        def loss(x, n=5):
            t = torch.ones_like(x) / n
            u = torch.full(x.shape, 1 / n, dtype=x.dtype)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean") + F.kl_div(x.log_softmax(1), u, reduction="batchmean")
    """, [GOOD, GOOD], "loss(x)"),
    case("divided_by_its_sum", """
        def loss(x, y):
            t = y.abs()
            t = t / t.sum(dim=-1, keepdim=True)
            return F.kl_div(x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD]),
    case("target_distribution_of_deep_clustering", """
        def target_distribution(q):
            weight = q ** 2 / q.sum(0)
            return (weight.t() / weight.sum(1)).t()
        def loss(x, y):
            q = y.softmax(1)
            return F.kl_div(x.log_softmax(1), target_distribution(q), reduction="batchmean")
    """, [GOOD]),
    case("normalised_by_p_1", """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), F.normalize(y.abs(), p=1, dim=1), reduction="batchmean")
    """, [GOOD]),
    case("softmax_plus_epsilon", """
        def loss(x, y):
            return F.kl_div(torch.log(x.softmax(1) + 1e-7), y.softmax(1) + 1e-7, reduction="batchmean")
    """, [GOOD]),
    case("softmax_clamped", """
        def loss(x, y, eps=1e-8):
            s = torch.clamp(x.softmax(1), min=eps).log()
            return F.kl_div(s, torch.clamp(y.softmax(1), eps, 1), reduction="batchmean")
    """, [GOOD]),
    case("hand_made_log_softmax", """
        def loss(x, y):
            a = x - x.logsumexp(1, keepdim=True)
            b = x - torch.log(torch.sum(torch.exp(x), dim=1, keepdim=True))
            c = x - torch.logsumexp(x, -1)[:, None]
            t = y.softmax(1)
            return sum([
                F.kl_div(a, t, reduction="batchmean"),
                F.kl_div(b, t, reduction="batchmean"),
                F.kl_div(c, t, reduction="batchmean"),
            ])
    """, [GOOD, GOOD, GOOD]),
    case("hand_made_log_softmax_shifted_by_the_maximum", """
        def loss(x, y):
            x = x - x.max(1, keepdim=True)[0].detach()
            s = x - x.exp().sum(1, keepdim=True).log()
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("hand_made_softmax", """
        def softmax(a):
            e = torch.exp(a - a.max(1, keepdim=True).values)
            return e / e.sum(1, keepdim=True)
        def loss(x, y):
            return F.kl_div(softmax(x).log(), softmax(y), reduction="batchmean")
    """, [GOOD]),
    case("categorical", """
        from torch.distributions import Categorical
        def loss(x, y):
            return F.kl_div(Categorical(logits=x).logits, Categorical(logits=y).probs, reduction="batchmean")
    """, [GOOD]),
    case("shapes_around_the_softmax", """
        def loss(z, w):
            c = z.size(-1)
            s = F.log_softmax(z.reshape(-1, c), dim=-1)
            t = F.softmax(w, dim=-1).view(-1, c)
            u = F.softmax(w.permute(0, 2, 1).contiguous(), dim=1).permute(0, 2, 1).reshape(-1, c)
            return F.kl_div(s, t, reduction="batchmean") + F.kl_div(s, u, reduction="batchmean")
    """, [GOOD, GOOD], "loss(z, -z)"),
    case("tokens_selected_by_a_mask", """
        def loss(z, w, mask):
            s = z.log_softmax(-1)[mask]
            t = w.softmax(-1)[mask]
            return F.kl_div(s, t, reduction="batchmean")
    """, [GOOD], "loss(z, -z, torch.tensor([[True, False, True], [True, True, False]]))"),
    case("list_and_cat", """
        def loss(z, w):
            logs, probs = [], []
            for a, b in zip(z, w):
                logs.append(F.log_softmax(a, dim=-1))
                probs.append(F.softmax(b, dim=-1))
            return F.kl_div(torch.cat(logs, 0), torch.cat(probs, dim=0), reduction="batchmean")
    """, [GOOD], "loss(z, -z)"),
)

TRAPS: tuple[Case, ...] = (
    case("normalize_that_is_a_z_score", """
        def normalize(a):
            return (a - a.mean(1, keepdim=True)) / (1e-7 + a.std(1, keepdim=True))
        def loss(x, y):
            return F.kl_div(F.log_softmax(normalize(x), 1), F.softmax(normalize(y), 1), reduction="batchmean")
    """, [GOOD]),
    case("logits_that_are_log_probabilities", """
        def loss(x, y):
            logits = F.log_softmax(x, dim=-1)
            prob_logits = torch.softmax(y, dim=-1)
            return F.kl_div(logits, prob_logits, reduction="batchmean")
    """, [GOOD]),
    case("one_name_two_losses", """
        class Distill(nn.Module):
            def __init__(self):
                super().__init__()
                self.loss_fn = nn.KLDivLoss(reduction="batchmean")
            def forward(self, x, y):
                return self.loss_fn(x.log_softmax(1), y.softmax(1))
        class Classify(nn.Module):
            def __init__(self):
                super().__init__()
                self.loss_fn = nn.CrossEntropyLoss()
            def forward(self, x, i):
                return self.loss_fn(x, i)
        def train(x, y, i):
            loss_fn = nn.CrossEntropyLoss()
            return loss_fn(x, i) + Distill()(x, y) + Classify()(x, i)
    """, [GOOD], "train(x, y, i)"),
    case("reverse_and_symmetric", """
        def reverse_kl(student, teacher):
            return F.kl_div(F.log_softmax(teacher, 1), F.softmax(student, 1), reduction="batchmean")
        def symmetric(p, q):
            return F.kl_div(p.log_softmax(1), q.softmax(1), reduction="batchmean") + F.kl_div(
                q.log_softmax(1), p.softmax(1), reduction="batchmean")
    """, [GOOD, GOOD, GOOD], "reverse_kl(x, y)", "symmetric(x, y)"),
    case("mixture_clamped_before_the_log", """
        def loss(x, y):
            p, q = x.softmax(1), y.softmax(1)
            m = torch.clamp((p + q) / 2, 1e-7, 1).log()
            return F.kl_div(m, p, reduction="batchmean") + F.kl_div(m, q, reduction="batchmean")
    """, [GOOD, GOOD]),
    case("log_of_a_sum_over_groups", """
        def loss(x, y):
            p = x.softmax(1)
            grouped = torch.stack([p[:, :2].sum(1), p[:, 2:].sum(1)], 1)
            t = y[:, :2].softmax(1)
            return F.kl_div(grouped.log(), t, reduction="batchmean")
    """, [GOOD]),
    case("softmax_of_similarities", """
        def loss(a, b):
            s = F.normalize(a, dim=1) @ F.normalize(b, dim=1).t()
            return F.kl_div(F.log_softmax(s, dim=1), F.softmax(s.t(), dim=1), reduction="batchmean")
    """, [GOOD], "loss(x, y)"),
    case("log_probabilities_edited", """
        def loss(x, y, allowed):
            s = x.log_softmax(1)
            s = s + (1 - allowed) * -20.0
            s = s.masked_fill(allowed == 0, -1e9)
            return F.kl_div(s, y.softmax(1), reduction="batchmean")
    """, [GOOD], "loss(x, y, torch.tensor([1, 1, 0, 1, 1]))"),
    case("log_probabilities_times_a_mask", """
        def loss(x, y, mask):
            s = x.log_softmax(1) * mask
            return F.kl_div(s, y.softmax(1) * mask, reduction="batchmean")
    """, [GOOD], "loss(x, y, torch.tensor([1, 1, 0, 1, 1]))"),
    case("indices_smoothed_before_the_call", """
        def loss(x, target):
            target = x.argmax(1) if target is None else target
            target = F.one_hot(target, 5).double()
            target = target * 0.9 + 0.1 / 5
            return F.kl_div(x.log_softmax(1), target, reduction="batchmean")
    """, [GOOD], "loss(x, i)", "loss(x, None)"),
    case("indices_as_they_are", """
        def loss(x):
            return F.kl_div(x.log_softmax(1), x.argmax(1, keepdim=True).double(), reduction="batchmean")
    """, [(LOG_PROBS, INDICES, "batchmean", False)], "loss(x)"),
    case("shared_dim", """
        def loss(x, y, dim=1):
            return F.kl_div(F.log_softmax(x, dim), F.softmax(y, dim), reduction="batchmean")
    """, [GOOD]),
    case("legacy_positions", """
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), y.softmax(1), None, None, "sum")
    """, [SUM]),
    case("own_size_average", """
        def kl(s, t, size_average=True):
            value = F.kl_div(s, t, reduction="sum")
            return value / s.size(0) if size_average else value
        def loss(x, y):
            return kl(x.log_softmax(1), y.softmax(1), size_average=False)
    """, [SUM]),
    case("batchmean_by_hand", """
        def loss(x, y, T=4.0):
            s, t = F.log_softmax(x / T, dim=1), F.softmax(y / T, dim=1)
            return F.kl_div(s, t, size_average=False) * (T ** 2) / x.shape[0]
    """, [SUM]),
    case("columns_cut_after_the_softmax", """
        def loss(x, y, active=(0, 1)):
            active = list(active)
            return F.kl_div(x.softmax(1)[:, active].log(), y.softmax(1)[:, active], reduction="batchmean")
    """, [GOOD]),
    case("cannot_run", """
        def loss(x, y):
            s = undefined_name(x)
            return F.kl_div(
                F.log_softmax(s, dim=1),  # the student
                # the teacher:
                F.softmax(y, dim=1),
                reduction="batchmean",
            )
    """, [GOOD], ""),
    case("built_and_never_called", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.unused = nn.KLDivLoss()
            def forward(self, x, y):
                return F.mse_loss(x, y)
    """, [], ""),
    case("version_that_knows_no_log_target", """
        import inspect
        HAS = "log_target" in inspect.signature(F.kl_div).parameters
        def loss(x, y):
            if HAS:
                return F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="batchmean", log_target=True)
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [LOG_TARGET, GOOD], loose=True),
    case("log_target_attribute_guards", """
        class Loss(nn.Module):
            def __init__(self, log_target=False):
                super().__init__()
                self.log_target = log_target
                self.kl = nn.KLDivLoss(reduction="batchmean", log_target=log_target)
            def forward(self, x, y):
                y = F.log_softmax(y, 1) if self.log_target else F.softmax(y, 1)
                return self.kl(F.log_softmax(x, 1), y)
    """, [GOOD, LOG_TARGET], "Loss(True)(x, y)", "Loss()(x, y)"),
    case("unreduced_and_masked", """
        def loss(z, w, mask):
            kl = F.kl_div(z.log_softmax(-1), w.softmax(-1), reduction="none").sum(-1)
            return (kl * mask).sum() / mask.sum()
    """, [NONE], "loss(z, -z, torch.ones(2, 3))"),
    case("dynamic_reduction", """
        def loss(x, y, per_sample=False):
            return F.kl_div(x.log_softmax(1), y.softmax(1), reduction="none" if per_sample else "batchmean")
    """, [GOOD, NONE], "loss(x, y)", "loss(x, y, True)"),
    case("scores_times_log_probabilities", """
        def loss(x, y, lambda_=0.3):
            fused = lambda_ * x.log_softmax(1) + (1 - lambda_) * y.log_softmax(1)
            return F.kl_div(fused.log_softmax(1), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("trades", """
        def trades(model, x_natural, y, step_size=0.003, steps=2, distance="l_inf"):
            criterion_kl = nn.KLDivLoss(size_average=False)
            model.eval()
            x_adv = x_natural.detach() + 0.001 * torch.randn(x_natural.shape).detach()
            if distance == "l_inf":
                for _ in range(steps):
                    x_adv.requires_grad_()
                    with torch.enable_grad():
                        loss_kl = criterion_kl(F.log_softmax(model(x_adv), dim=1), F.softmax(model(x_natural), dim=1))
                    grad = torch.autograd.grad(loss_kl, [x_adv])[0]
                    x_adv = x_adv.detach() + step_size * torch.sign(grad.detach())
            else:
                x_adv = torch.clamp(x_adv, 0.0, 1.0)
            model.train()
            return (1.0 / len(x_natural)) * criterion_kl(F.log_softmax(model(x_adv), dim=1), F.softmax(model(x_natural), dim=1))
    """, [SUM, SUM], "trades(nn.Linear(5, 5).double(), x, i)"),
    case("mutual_learning", """
        class DML(nn.Module):
            def __init__(self, n=3):
                super().__init__()
                self.models = nn.ModuleList([nn.Linear(5, 5) for _ in range(n)])
                self.loss_kl = nn.KLDivLoss(reduction="batchmean")
            def forward(self, x):
                outputs = [model(x) for model in self.models]
                total = 0
                for i in range(len(outputs)):
                    for j in range(len(outputs)):
                        if i != j:
                            total += self.loss_kl(F.log_softmax(outputs[i], dim=1), F.softmax(outputs[j].detach(), dim=1))
                return total / (len(outputs) - 1)
    """, [GOOD], "DML().double()(x)"),
    case("vat", """
        def _l2(d):
            d /= torch.norm(d.view(d.shape[0], -1), dim=1, keepdim=True) + 1e-8
            return d
        class VAT(nn.Module):
            def forward(self, model, x, xi=10.0, ip=1):
                with torch.no_grad():
                    pred = F.softmax(model(x), dim=1)
                d = _l2(torch.rand(x.shape, dtype=x.dtype).sub(0.5))
                for _ in range(ip):
                    d.requires_grad_()
                    logp_hat = F.log_softmax(model(x + xi * d), dim=1)
                    adv = F.kl_div(logp_hat, pred, reduction="batchmean")
                    adv.backward()
                    d = _l2(d.grad)
                return F.kl_div(F.log_softmax(model(x + d), dim=1), pred, reduction="batchmean")
    """, [GOOD, GOOD], "VAT()(nn.Linear(5, 5).double(), x)"),
    case("rdrop", """
        def compute_kl_loss(p, q, pad_mask=None):
            p_loss = F.kl_div(F.log_softmax(p, dim=-1), F.softmax(q, dim=-1), reduction="none")
            q_loss = F.kl_div(F.log_softmax(q, dim=-1), F.softmax(p, dim=-1), reduction="none")
            if pad_mask is not None:
                p_loss.masked_fill_(pad_mask, 0.0)
                q_loss.masked_fill_(pad_mask, 0.0)
            return (p_loss.sum() + q_loss.sum()) / 2
    """, [NONE, NONE], "compute_kl_loss(x, y)", "compute_kl_loss(x, y, torch.ones(4, 5, dtype=torch.bool))"),
    case("raw_scores_against_soft_labels", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(5, 5)
            def forward(self, x):
                return self.fc(x)
        def train(x, y):
            model, criterion = Net().double(), nn.KLDivLoss(reduction="batchmean")
            return criterion(model(x), y.softmax(1))
    """, [(LOGITS, PROBS, "batchmean", False)], "train(x, y)"),
)


@pytest.mark.parametrize("example", TEMPERATURES, ids=lambda example: example.name)
def test_temperatures(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", WRAPPERS, ids=lambda example: example.name)
def test_wrappers_that_keep_the_values(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", HAND_MADE, ids=lambda example: example.name)
def test_distributions_made_by_hand(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", TRAPS, ids=lambda example: example.name)
def test_traps(example: Case) -> None:
    check(example)


def test_comments_and_strings_between_arguments_change_nothing() -> None:
    text = 'import torch.nn.functional as F\n\ndef loss(x, y):\n    return F.kl_div(  # kl_div(a, b)\n        x, """F.kl_div"""  # y\n        , reduction="sum")\n'
    assert rows_of(text) == [(UNKNOWN, UNKNOWN, "sum", False)]
