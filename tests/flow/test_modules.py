"""nn.Module classes and nn's own modules: Softmax objects, Sequential, ModuleList, ModuleDict, models of the file."""

from __future__ import annotations

import pytest

from tests.flow.programs import GOOD, LOGITS, LOG_PROBS, PROBS, UNKNOWN, Case, case, check

LOG_TARGET = (LOG_PROBS, LOG_PROBS, "batchmean", True)
RAW_INPUT = (LOGITS, PROBS, "batchmean", False)
UNKNOWN_INPUT = (UNKNOWN, PROBS, "batchmean", False)

OBJECTS: tuple[Case, ...] = (
    case("softmax_local", """
        def loss(x, y):
            log_softmax, softmax = nn.LogSoftmax(dim=1), nn.Softmax(1)
            return F.kl_div(log_softmax(x), softmax(y), reduction="batchmean")
    """, [GOOD]),
    case("softmax_at_once", """
        def loss(x, y):
            return F.kl_div(nn.LogSoftmax(dim=-1)(x), nn.Softmax(dim=-1)(y), reduction="batchmean")
    """, [GOOD]),
    case("softmax_global", """
        SOFTMAX = nn.Softmax(dim=-1)
        def loss(x, y):
            return F.kl_div(SOFTMAX(x).log(), SOFTMAX(y), reduction="batchmean")
    """, [GOOD]),
    case("softmax_attribute", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.log_softmax = nn.LogSoftmax(dim=1)
                self.softmax = nn.Softmax(dim=1).cpu().eval()
            def forward(self, x, y):
                return F.kl_div(self.log_softmax(x), self.softmax.forward(y), reduction="batchmean")
    """, [GOOD], "Loss()(x, y)"),
    case("softmin_and_softmax2d", """
        def loss(x, y):
            t = nn.Softmax2d()(y[:, :, None, None])[:, :, 0, 0]
            return F.kl_div(x.log_softmax(1), nn.Softmin(dim=1)(y), reduction="batchmean") + F.kl_div(
                x.log_softmax(1), t, reduction="batchmean")
    """, [GOOD, GOOD]),
    case("sigmoid_modules", """
        def loss(x, y):
            return F.kl_div(nn.LogSigmoid()(x), nn.Sigmoid()(y), reduction="batchmean")
    """, [GOOD]),
    case("identity_keeps", """
        def loss(x, y):
            same = nn.Identity()
            return F.kl_div(same(x.log_softmax(1)), same(y.softmax(1)), reduction="batchmean")
    """, [GOOD]),
    case("linear_gives_logits", """
        def loss(x, y):
            head = nn.Linear(5, 5).double()
            return F.kl_div(head(x), y.softmax(1), reduction="batchmean")
    """, [RAW_INPUT]),
    case("settings_unknown", """
        def loss(x, y, kw):
            return F.kl_div(nn.LogSoftmax(**kw)(x), y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], "loss(x, y, {'dim': 1})"),
    case("dropout_leaves_nothing", """
        def loss(x, y):
            return F.kl_div(nn.Dropout(0.5)(x.log_softmax(1)), y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("activation_leaves_nothing", """
        def loss(x, y):
            return F.kl_div(nn.Tanh()(x.log_softmax(1)), nn.ReLU()(y.softmax(1)), reduction="batchmean")
    """, [(UNKNOWN, UNKNOWN, "batchmean", False)]),
    case("module_of_no_known_kind", """
        def loss(x, y):
            return F.kl_div(nn.LSTM(5, 5).double()(x)[0], y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("attention_weights", """
        def loss(z, y):
            out, weights = nn.MultiheadAttention(5, 1).double()(z, z, z)
            return F.kl_div(weights.log(), y.softmax(1)[:2, :2], reduction="batchmean")
    """, [GOOD], "loss(z, y)"),
    case("parameter_keeps", """
        class Loss(nn.Module):
            def __init__(self, y):
                super().__init__()
                self.t = nn.Parameter(y.softmax(1), requires_grad=False)
            def forward(self, x):
                return F.kl_div(x.log_softmax(1), self.t, reduction="batchmean")
        def loss(x, y):
            return Loss(y)(x)
    """, [GOOD]),
    case("buffer", """
        class Loss(nn.Module):
            def __init__(self, y):
                super().__init__()
                self.register_buffer("t", y.softmax(1))
            def forward(self, x):
                return F.kl_div(x.log_softmax(1), self.t, reduction="batchmean")
        def loss(x, y):
            return Loss(y)(x)
    """, [GOOD]),
    case("submodule_added_by_name", """
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.add_module("soft", nn.Softmax(dim=1))
            def forward(self, x, y):
                return F.kl_div(x.log_softmax(1), self.soft(y), reduction="batchmean")
        def loss(x, y):
            return Loss()(x, y)
    """, [GOOD]),
    case("setting_changed_after_the_construction", """
        def loss(x, y):
            soft = nn.LogSoftmax(dim=0)
            soft.dim = 1
            return F.kl_div(soft(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

CONTAINERS: tuple[Case, ...] = (
    case("sequential_ends_in_softmax", """
        def loss(x, y):
            model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Softmax(dim=1)).double()
            return F.kl_div(x.log_softmax(1), model(y), reduction="batchmean")
    """, [GOOD]),
    case("sequential_of_a_list", """
        def loss(x, y):
            layers = [nn.Linear(5, 5).double()]
            layers.append(nn.LogSoftmax(dim=1))
            return F.kl_div(nn.Sequential(*layers)(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("sequential_of_an_ordered_dict", """
        from collections import OrderedDict
        def loss(x, y):
            model = nn.Sequential(OrderedDict([("soft", nn.LogSoftmax(dim=1))]))
            return F.kl_div(model(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("sequential_of_unknown_layers", """
        def loss(x, y, layers):
            return F.kl_div(nn.Sequential(*layers, nn.LogSoftmax(dim=1))(x), y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], "loss(x, y, [])"),
    case("sequential_attribute", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(
                    nn.Linear(5, 5),
                    nn.LogSoftmax(dim=1),
                )
            def forward(self, x):
                return self.net(x)
        def loss(x, y):
            return F.kl_div(Net().double()(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("sequential_of_a_class_of_the_file", """
        class Soft(nn.Module):
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            return F.kl_div(nn.Sequential(nn.Identity(), Soft())(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("sequential_indexed", """
        def loss(x, y):
            net = nn.Sequential(nn.Linear(5, 5), nn.LogSoftmax(dim=1))
            return F.kl_div(net[-1](x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("empty_sequential", """
        def loss(x, y):
            return F.kl_div(nn.Sequential()(x.log_softmax(1)), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("module_list_iterated", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.heads = nn.ModuleList([nn.LogSoftmax(dim=1), nn.LogSoftmax(dim=-1)])
            def forward(self, x, y):
                return sum(F.kl_div(head(x), y.softmax(1), reduction="batchmean") for head in self.heads)
    """, [GOOD], "Net()(x, y)"),
    case("module_list_of_a_comprehension", """
        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.heads = nn.ModuleList([nn.Softmax(dim=1) for _ in range(n)])
            def forward(self, x, y):
                total = 0
                for head in self.heads:
                    total = total + F.kl_div(x.log_softmax(1), head(y), reduction="batchmean")
                return total
    """, [GOOD], "Net(3)(x, y)"),
    case("module_list_indexed", """
        def loss(x, y, i=0):
            heads = nn.ModuleList([nn.LogSoftmax(dim=1), nn.Softmax(dim=1)])
            F.kl_div(heads[0](x), heads[1](y), reduction="batchmean")
            return F.kl_div(heads[i](x), y.softmax(1), reduction="batchmean")
    """, [GOOD, GOOD, (PROBS, PROBS, "batchmean", False)], "loss(x, y)", "loss(x, y, 1)"),
    case("module_list_appended", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.heads = nn.ModuleList()
                self.heads.append(nn.LogSoftmax(dim=1))
            def forward(self, x, y):
                return F.kl_div(self.heads[0](x), y.softmax(1), reduction="batchmean")
        def loss(x, y):
            return Net()(x, y)
    """, [GOOD]),
    case("module_list_filled_in_a_loop", """
        class Net(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.heads = nn.ModuleList()
                for _ in range(n):
                    self.heads.append(nn.LogSoftmax(dim=1))
            def forward(self, x, y):
                outs = [head(x) for head in self.heads]
                total = 0
                for i in range(len(outs)):
                    for j in range(len(outs)):
                        if i != j:
                            total += F.kl_div(outs[i], outs[j].exp(), reduction="batchmean")
                return total
    """, [GOOD], "Net(3)(x, y)"),
    case("module_list_extended", """
        def loss(x, y):
            heads = nn.ModuleList([nn.Softmax(dim=1)])
            heads.extend([nn.Identity(), nn.LogSoftmax(dim=1)])
            return F.kl_div(heads[2](x), heads[0](y), reduction="batchmean")
    """, [GOOD]),
    case("module_list_extended_by_something_unknown", """
        def loss(x, y, more):
            heads = nn.ModuleList([nn.LogSoftmax(dim=1)])
            heads.extend(more)
            return F.kl_div(heads[-1](x), y.softmax(1), reduction="batchmean")
    """, [GOOD, UNKNOWN_INPUT], "loss(x, y, [nn.LogSoftmax(1)])"),
    case("sequential_cut", """
        def loss(x, y):
            net = nn.Sequential(nn.Identity(), nn.Softmax(dim=1))
            return F.kl_div(net[:-1](x), net(y), reduction="batchmean")
    """, [UNKNOWN_INPUT]),
    case("module_dict", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fns = nn.ModuleDict({"log": nn.LogSoftmax(dim=1), "soft": nn.Softmax(dim=1)})
            def forward(self, x, y):
                return F.kl_div(self.fns["log"](x), self.fns["soft"](y), reduction="batchmean")
    """, [GOOD], "Net()(x, y)"),
    case("module_dict_by_an_unknown_key", """
        def loss(x, y, which="b"):
            fns = nn.ModuleDict({"a": nn.LogSoftmax(dim=1), "b": nn.LogSoftmax(dim=-1)})
            return F.kl_div(fns[which](x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("module_dict_of_losses", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.losses = nn.ModuleDict({"kl": nn.KLDivLoss(reduction="batchmean"), "mse": nn.MSELoss()})
            def forward(self, x, y):
                return self.losses["kl"](x.log_softmax(1), y.softmax(1))
    """, [GOOD], "Net()(x, y)"),
    case("module_dict_missing_key", """
        def loss(x, y):
            return F.kl_div(nn.ModuleDict({"a": nn.LogSoftmax(1)})["b"](x), y.softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], ""),
    case("data_parallel_is_what_it_wraps", """
        def loss(x, y):
            return F.kl_div(nn.DataParallel(nn.LogSoftmax(dim=1))(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)

MODELS: tuple[Case, ...] = (
    case("model_returns_log_softmax", """
        class Net(nn.Module):
            def __init__(self):
                super(Net, self).__init__()
                self.fc = nn.Linear(5, 5)
            def forward(self, x):
                x = F.relu(x)
                return F.log_softmax(self.fc(x), dim=1)
        model = Net().double()
        def loss(x, y):
            return F.kl_div(model(x), model(y).exp(), reduction="batchmean")
    """, [GOOD]),
    case("model_returns_a_tuple", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(5, 5)
            def forward(self, x):
                scores = self.fc(x)
                return scores, scores.log_softmax(1)
        def loss(x, y):
            scores, log_probs = Net().double()(x)
            return F.kl_div(log_probs, y.softmax(1), reduction="batchmean") + F.kl_div(
                scores, y.softmax(1), reduction="batchmean")
    """, [GOOD, RAW_INPUT]),
    case("model_returns_a_dict", """
        class Net(nn.Module):
            def forward(self, x):
                return {"log_probs": x.log_softmax(1), "x": x}
        def loss(x, y):
            return F.kl_div(Net()(x)["log_probs"], y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("model_with_a_flag", """
        class Net(nn.Module):
            def forward(self, x, log=True):
                if log:
                    return x.log_softmax(1)
                return x.softmax(1)
        def loss(x, y):
            net = Net()
            return F.kl_div(net(x), net(y, log=False), reduction="batchmean")
    """, [GOOD]),
    case("student_and_teacher", """
        class Net(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.a, self.b = nn.Linear(5, width), nn.Linear(width, 5)
            def forward(self, x):
                return self.b(torch.relu(self.a(x)))
        def loss(x, y, T=4.0):
            student, teacher = Net(2).double(), Net(8).double()
            teacher.eval()
            with torch.no_grad():
                t = F.softmax(teacher(x) / T, dim=1)
            return F.kl_div(F.log_softmax(student(x) / T, dim=1), t, reduction="batchmean") * T * T
    """, [GOOD]),
    case("raw_scores_of_both", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(5, 5)
            def forward(self, x):
                return self.fc(x)
        def loss(x, y):
            student, teacher = Net().double(), Net().double()
            return F.kl_div(student(x), teacher(x), reduction="batchmean")
    """, [(LOGITS, LOGITS, "batchmean", False)]),
    case("loss_module_with_everything", """
        class DistillationLoss(nn.Module):
            '''KL(teacher || student) over softened scores.'''
            def __init__(self, temperature: float = 4.0, alpha: float = 0.5):
                super().__init__()
                self.temperature = temperature
                self.alpha = alpha
                self.ce = nn.CrossEntropyLoss()
                self.kl = nn.KLDivLoss(reduction="batchmean")
            def forward(self, student_logits, teacher_logits, labels):
                soft_t = F.softmax(teacher_logits.detach() / self.temperature, dim=-1)
                soft_s = F.log_softmax(student_logits / self.temperature, dim=-1)
                kd = self.kl(soft_s, soft_t) * (self.temperature ** 2)
                return self.alpha * kd + (1 - self.alpha) * self.ce(student_logits, labels)
    """, [GOOD], "DistillationLoss()(x, y, i)"),
    case("module_inside_a_module", """
        class Soft(nn.Module):
            def forward(self, x):
                return x.softmax(1)
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.soft = Soft()
            def forward(self, x, y):
                return F.kl_div(self.soft(x).log(), self.soft(y), reduction="batchmean")
    """, [GOOD], "Loss()(x, y)"),
    case("forward_called_by_name", """
        class Net(nn.Module):
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            return F.kl_div(Net().forward(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("moved_and_switched", """
        class Net(nn.Module):
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            net = Net().to("cpu").train().eval().requires_grad_(False)
            return F.kl_div(net(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("copied_teacher", """
        import copy
        class Net(nn.Module):
            def forward(self, x):
                return x.softmax(1)
        def loss(x, y):
            teacher = copy.deepcopy(Net())
            return F.kl_div(x.log_softmax(1), teacher(y), reduction="batchmean")
    """, [GOOD]),
    case("model_from_elsewhere", """
        def loss(x, y, model):
            return F.kl_div(model(x), model(y).softmax(1), reduction="batchmean")
    """, [UNKNOWN_INPUT], "loss(x, y, lambda a: a)"),
    case("checkpointed", """
        from torch.utils.checkpoint import checkpoint
        class Net(nn.Module):
            def inner(self, x):
                return x.log_softmax(1)
            def forward(self, x):
                return checkpoint(self.inner, x, use_reentrant=False)
        def loss(x, y):
            return F.kl_div(Net()(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
    case("scripted_and_compiled", """
        class Net(nn.Module):
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            net = torch.compile(Net(), backend="eager")
            return F.kl_div(torch.jit.ignore(net)(x), y.softmax(1), reduction="batchmean")
    """, [GOOD], ""),
    case("autograd_function_is_left_alone", """
        class Op(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.softmax(1)
            @staticmethod
            def backward(ctx, g):
                return g
        def loss(x, y):
            return F.kl_div(x.log_softmax(1), Op.apply(y), reduction="batchmean")
    """, [(LOG_PROBS, UNKNOWN, "batchmean", False)]),
    case("lightning_step", """
        class Module(nn.Module):
            def __init__(self):
                super().__init__()
                self.student, self.teacher = nn.Linear(5, 5), nn.Linear(5, 5)
                self.criterion = nn.KLDivLoss(reduction="batchmean")
            def training_step(self, batch, batch_idx):
                x, _ = batch
                with torch.no_grad():
                    t = self.teacher(x)
                return self.criterion(self.student(x).log_softmax(-1), t.softmax(-1))
    """, [GOOD], "Module().double().training_step((x, y), 0)"),
    case("hook_registered_in_init", """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.kept = []
                self.register_forward_hook(lambda m, i, o: self.kept.append(o))
            def forward(self, x):
                return x.log_softmax(1)
        def loss(x, y):
            return F.kl_div(Net()(x), y.softmax(1), reduction="batchmean")
    """, [GOOD]),
)


@pytest.mark.parametrize("example", OBJECTS, ids=lambda example: example.name)
def test_module_objects(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", CONTAINERS, ids=lambda example: example.name)
def test_module_containers(example: Case) -> None:
    check(example)


@pytest.mark.parametrize("example", MODELS, ids=lambda example: example.name)
def test_models(example: Case) -> None:
    check(example)
