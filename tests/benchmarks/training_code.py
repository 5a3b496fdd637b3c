"""Training code to measure on: written by a generator, as long as asked for, in the shapes that real files have.

Every text comes with the number of findings that it must give: an analysis that gives up, or sees nothing, is fast too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, cycle, islice, repeat

__all__ = ["SHAPES", "Text", "generate"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file, `_N` in it to be numbered, and the findings that it gives."""

    text: str
    findings: int = 0

    @property
    def lines(self) -> int:
        """How many lines it is long."""
        return self.text.count("\n")

    def numbered(self, number: int) -> str:
        """The piece with names of its own."""
        return self.text.replace("_N", f"_{number}")


@dataclass(frozen=True, slots=True)
class Text:
    """A file, and how many findings it must give."""

    text: str
    findings: int


HEAD = Block('''\
"""Trains a small student on the predictions of a large teacher."""

import argparse
import logging
import math
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

logger = logging.getLogger(__name__)


def kl_of_logits(student_logits, teacher_logits, temperature=1.0):
    log_p = F.log_softmax(student_logits / temperature, dim=-1)
    q = F.softmax(teacher_logits / temperature, dim=-1)
    return F.kl_div(log_p, q.detach(), reduction="batchmean") * temperature**2


''')

WITHOUT_KL = (
    Block('''\
class Samples_N(Dataset):
    """Pairs of an image and its label, kept in memory."""

    def __init__(self, root, split="train", transform=None, limit=None):
        self.root = os.path.join(root, split)
        self.transform = transform
        names = sorted(name for name in os.listdir(self.root) if name.endswith(".npz"))
        self.items = []
        for name in names[:limit]:
            archive = np.load(os.path.join(self.root, name))
            for image, label in zip(archive["images"], archive["labels"]):
                self.items.append((image.astype("float32") / 255.0, int(label)))
        logger.info("%d samples in %s", len(self.items), self.root)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        image, label = self.items[index]
        if self.transform is not None:
            image = self.transform(image)
        return torch.from_numpy(image).permute(2, 0, 1), label


'''),
    Block("""\
@torch.no_grad()
def evaluate_N(model, loader, device, topk=(1, 5)):
    model.eval()
    correct = {k: 0.0 for k in topk}
    seen = 0
    for step, (images, labels) in enumerate(loader):
        images = images.to(device, non_blocking=True)
        labels = labels.to(device, non_blocking=True)
        logits = model(images)
        _, ranked = logits.topk(max(topk), dim=1)
        hits = ranked.t().eq(labels.view(1, -1).expand_as(ranked.t()))
        for k in topk:
            correct[k] += hits[:k].reshape(-1).float().sum().item()
        seen += labels.size(0)
        if step % 50 == 0:
            logger.info("step %d of %d: %.3f", step, len(loader), correct[topk[0]] / max(seen, 1))
    return {f"top{k}": 100.0 * count / max(seen, 1) for k, count in correct.items()}


"""),
    Block("""\
def train_with_labels_N(model, loader, optimizer, scheduler, device, args):
    model.train()
    criterion = nn.CrossEntropyLoss(label_smoothing=args.smoothing)
    total, seen = 0.0, 0
    for step, (images, labels) in enumerate(loader):
        images, labels = images.to(device), labels.to(device)
        if args.mixup > 0:
            share = np.random.beta(args.mixup, args.mixup)
            order = torch.randperm(images.size(0), device=device)
            images = share * images + (1 - share) * images[order]
            logits = model(images)
            loss = share * criterion(logits, labels) + (1 - share) * criterion(logits, labels[order])
        else:
            logits = model(images)
            loss = criterion(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if args.clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        scheduler.step()
        total += loss.item() * images.size(0)
        seen += images.size(0)
    return total / max(seen, 1)


"""),
    Block('''\
class Residual_N(nn.Module):
    """Two convolutions and a way round them."""

    def __init__(self, channels, width, stride=1):
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.short = nn.Identity()
        if stride != 1 or channels != width:
            self.short = nn.Sequential(nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = F.relu(self.norm1(self.first(x)))
        y = self.norm2(self.second(y))
        return F.relu(y + self.short(x))


'''),
    Block("""\
def options_N(argv=None):
    parser = argparse.ArgumentParser(description="distillation")
    parser.add_argument("--data", required=True, help="directory of the samples")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--temperature", type=float, default=4.0)
    parser.add_argument("--alpha", type=float, default=0.9)
    parser.add_argument("--mixup", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    args.steps = math.ceil(50_000 / args.batch_size) * args.epochs
    return args


"""),
)

FUNCTIONS = (
    Block("""\
def distill_N(student, teacher, loader, optimizer, device, args):
    student.train()
    teacher.eval()
    T = args.temperature
    total = 0.0
    for step, (images, labels) in enumerate(loader):
        images, labels = images.to(device), labels.to(device)
        with torch.no_grad():
            teacher_logits = teacher(images)
        student_logits = student(images)
        log_p = F.log_softmax(student_logits / T, dim=1)
        q = F.softmax(teacher_logits / T, dim=1)
        soft = F.kl_div(log_p, q, reduction="batchmean") * T * T
        hard = F.cross_entropy(student_logits, labels)
        loss = args.alpha * soft + (1 - args.alpha) * hard
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if step % args.log_every == 0:
            logger.info("step %d: %.4f (soft %.4f, hard %.4f)", step, loss.item(), soft.item(), hard.item())
    return total / len(loader)


"""),
    Block("""\
def consistency_N(model, images, weak, strong, args):
    p = torch.softmax(model(weak(images)) / args.temperature, dim=-1).detach()
    confidence, guess = p.max(dim=-1)
    mask = confidence.ge(args.threshold).float()
    logits = model(strong(images))
    if args.loss == "ce":
        each = F.cross_entropy(logits, guess, reduction="none")
    elif args.loss == "mse":
        each = (torch.softmax(logits, dim=-1) - p).pow(2).sum(dim=-1)
    elif args.loss == "kl":
        each = F.kl_div(F.log_softmax(logits, dim=-1), p, reduction="none").sum(dim=-1)
    else:
        raise ValueError(f"no such loss: {args.loss}")
    return (each * mask).sum() / mask.sum().clamp(min=1.0)


"""),
    Block(
        """\
def mutual_N(models, images, labels, weight):
    outputs = [model(images) for model in models]
    losses = []
    for i, own in enumerate(outputs):
        loss = F.cross_entropy(own, labels)
        for j, other in enumerate(outputs):
            if i != j:
                p = F.softmax(own, dim=1)
                loss = loss + weight * F.kl_div(p, F.softmax(other.detach(), dim=1), reduction="batchmean")
        losses.append(loss)
    return losses


""",
        findings=1,
    ),
    Block("""\
def adversarial_N(model, images, epsilon, step_size, steps):
    with torch.no_grad():
        clean = F.softmax(model(images), dim=1)
    noisy = images + 0.001 * torch.randn_like(images)
    for _ in range(steps):
        noisy.requires_grad_()
        loss = F.kl_div(F.log_softmax(model(noisy), dim=1), clean, reduction="sum")
        (slope,) = torch.autograd.grad(loss, [noisy])
        noisy = noisy.detach() + step_size * slope.sign()
        noisy = torch.min(torch.max(noisy, images - epsilon), images + epsilon).clamp(0.0, 1.0)
    return noisy.detach()


"""),
    Block("""\
def jensen_shannon_N(logits, augmented):
    p, q, r = (F.softmax(part, dim=1) for part in (logits, *augmented.chunk(2)))
    mixture = torch.clamp((p + q + r) / 3.0, 1e-7, 1.0).log()
    first = F.kl_div(mixture, p, reduction="batchmean")
    second = F.kl_div(mixture, q, reduction="batchmean")
    third = F.kl_div(mixture, r, reduction="batchmean")
    return (first + second + third) / 3.0


"""),
)

CLASSES = (
    Block('''\
class Distiller_N(nn.Module):
    """Cross-entropy with the labels, divergence from the teacher."""

    def __init__(self, student, teacher, temperature=4.0, alpha=0.9):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.temperature = temperature
        self.alpha = alpha
        self.hard = nn.CrossEntropyLoss()
        self.soft = nn.KLDivLoss(reduction="batchmean")

    def _log_probs(self, logits):
        return F.log_softmax(logits / self.temperature, dim=1)

    def _probs(self, logits):
        return F.softmax(logits / self.temperature, dim=1)

    def forward(self, images, labels):
        with torch.no_grad():
            target = self._probs(self.teacher(images))
        logits = self.student(images)
        soft = self.soft(self._log_probs(logits), target) * self.temperature**2
        hard = self.hard(logits, labels)
        return self.alpha * soft + (1.0 - self.alpha) * hard

    def save(self, path, epoch, optimizer):
        state = {"epoch": epoch, "student": self.student.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, os.path.join(path, f"epoch{epoch}.pt"))


'''),
    Block(
        '''\
class SelfDistillation_N(nn.Module):
    """Several exits, each taught by the last one."""

    def __init__(self, width, classes, depth=4, temperature=3.0):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(depth)])
        self.exits = nn.ModuleList([nn.Linear(width, classes) for _ in range(depth)])
        self.temperature = temperature
        self.crit = nn.KLDivLoss()

    def forward(self, x):
        outputs = []
        for block, leave in zip(self.blocks, self.exits):
            x = block(x)
            outputs.append(leave(x))
        return outputs

    def loss(self, x, labels):
        outputs = self.forward(x)
        last = outputs[-1]
        total = F.cross_entropy(last, labels)
        for output in outputs[:-1]:
            log_p = F.log_softmax(output / self.temperature, dim=-1)
            q = F.softmax(last.detach() / self.temperature, dim=-1)
            total = total + F.cross_entropy(output, labels) + self.crit(log_p, q)
        return total


''',
        findings=1,
    ),
)

CALLERS = (
    Block("""\
def caller_N(student, teacher, loader, args):
    losses = []
    for images, labels in loader:
        with torch.no_grad():
            wanted = teacher(images)
        given = student(images)
        if args.temperature is None:
            losses.append(kl_of_logits(given, wanted))
        else:
            losses.append(kl_of_logits(given, wanted, args.temperature))
        if len(losses) > args.keep:
            losses.pop(0)
    return torch.stack(losses).mean()


"""),
)

SCRIPT = (
    Block("""\
images_N, labels_N = next(iter(DataLoader(Samples(f"data/{os.sep}_N"), batch_size=64)))
images_N = images_N.cuda()
with torch.no_grad():
    wanted_N = teacher(images_N)
given_N = student(images_N)
accuracy_N = (given_N.argmax(dim=1) == labels_N.cuda()).float().mean()
print(f"accuracy {accuracy_N.item():.3f}")
log_p_N = torch.log_softmax(given_N / T, dim=1)
q_N = torch.softmax(wanted_N / T, dim=1)
soft_N = F.kl_div(log_p_N, q_N, reduction="batchmean") * T**2
loss_N = 0.9 * soft_N + 0.1 * F.cross_entropy(given_N, labels_N.cuda())
optimizer.zero_grad()
loss_N.backward()
optimizer.step()
history.append(loss_N.item())
"""),
)


# --- shapes -----------------------------------------------------------------------------------------------------------


def one_call() -> Iterator[Block]:
    """One function with a KL call, then none any more."""
    return chain(FUNCTIONS[:1], cycle(WITHOUT_KL))


def one_in_ten() -> Iterator[Block]:
    """A KL call now and then."""
    functions, others = cycle(FUNCTIONS), cycle(WITHOUT_KL)
    for function in functions:
        yield function
        yield from islice(others, 9)


def every_function() -> Iterator[Block]:
    """A KL call in every function, some with several."""
    return cycle(FUNCTIONS)


def every_class() -> Iterator[Block]:
    """A KLDivLoss in every class."""
    return cycle(CLASSES)


def one_helper() -> Iterator[Block]:
    """One function that computes a divergence, and many that call it."""
    return cycle(CALLERS)


def script() -> Iterator[Block]:
    """Statements at top level, as of a notebook that was exported."""
    return repeat(SCRIPT[0])


SHAPES: tuple[Callable[[], Iterator[Block]], ...] = (
    one_call, one_in_ten, every_function, every_class, one_helper, script,
)  # fmt: skip


def generate(shape: Callable[[], Iterator[Block]], lines: int) -> Text:
    """A file of that shape, of `lines` lines up to half a block."""
    parts, length, findings = [HEAD.text], HEAD.lines, HEAD.findings
    for number, block in enumerate(shape()):
        if number and length + block.lines / 2 > lines:
            break
        parts.append(block.numbered(number))
        length += block.lines
        findings += block.findings
    return Text("".join(parts), findings)
