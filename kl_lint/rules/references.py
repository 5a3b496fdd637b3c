"""The pages that rules refer to."""

from __future__ import annotations

from kl_lint.rules.base import Reference

_DOCS = "https://docs.pytorch.org/docs/stable/generated"
_PYTORCH = "https://github.com/pytorch/pytorch"

KL_DIV = Reference("torch.nn.functional.kl_div", f"{_DOCS}/torch.nn.functional.kl_div.html")
KL_DIV_LOSS = Reference("torch.nn.KLDivLoss", f"{_DOCS}/torch.nn.KLDivLoss.html")
SOFTMAX = Reference("torch.nn.functional.softmax", f"{_DOCS}/torch.nn.functional.softmax.html")
LOG_SOFTMAX = Reference("torch.nn.functional.log_softmax", f"{_DOCS}/torch.nn.functional.log_softmax.html")
CROSS_ENTROPY = Reference("torch.nn.functional.cross_entropy", f"{_DOCS}/torch.nn.functional.cross_entropy.html")
BCE_WITH_LOGITS = Reference(
    "torch.nn.functional.binary_cross_entropy_with_logits",
    f"{_DOCS}/torch.nn.functional.binary_cross_entropy_with_logits.html",
)
XLOGY = Reference("torch.xlogy", f"{_DOCS}/torch.xlogy.html")
NEGATIVE_LOSS = Reference("pytorch#60928: Negative loss value of nn.KLDivLoss", f"{_PYTORCH}/issues/60928")
NOT_ZERO = Reference("pytorch#43348: Does the KL divergence calculation correct?", f"{_PYTORCH}/issues/43348")
WRONG_INPUTS = Reference("pytorch#69230: kl_div silently ignores wrong inputs", f"{_PYTORCH}/issues/69230")
ONE_OVER_N = Reference("pytorch#2259: KLDivLoss should not have the 1/n coefficient", f"{_PYTORCH}/issues/2259")
BATCHMEAN = Reference("pytorch#14457: Add new reduction mode in kl_div", f"{_PYTORCH}/pull/14457")
CHANGE_MEAN = Reference("pytorch#95687: Change behavior of kl_div", f"{_PYTORCH}/issues/95687")
LOG_TARGET = Reference("pytorch#34586: Make kl_div accept target in log space", f"{_PYTORCH}/pull/34586")
TARGET_GRADIENT = Reference("pytorch#89558: KLDivLoss backward computation error", f"{_PYTORCH}/issues/89558")
LOG_OF_SOFTMAX = Reference("pytorch#1620: nn.Log (or improvement of torch.log)", f"{_PYTORCH}/issues/1620")
DISTILLATION = Reference(
    "Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network", "https://arxiv.org/abs/1503.02531"
)
