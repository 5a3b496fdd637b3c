"""KLD6xx: divergences written out by hand."""

from __future__ import annotations

from kl_lint.finding import Applicability, Fix, Replace
from kl_lint.flow.kl_call import Handwritten
from kl_lint.rules.base import SAFE_FIX, Documentation, Report
from kl_lint.rules.references import KL_DIV, XLOGY

__all__ = ["HANDWRITTEN_RULES"]


class HandwrittenDivergence:
    """KLD601: sum(p * (log p - log q)), where kl_div would do."""

    code = "KLD601"
    name = "handwritten-divergence"
    opt_in = True
    fix = SAFE_FIX
    documentation = Documentation(
        what_it_does="""
        Checks for `sum(p * (p.log() - log_q))` and its like.
        """,
        why_is_this_bad="""
        A probability of zero makes the term 0 * -inf, which is nan; `kl_div` has zero there, the limit. The usual
        remedy, an epsilon in the logarithms, biases every term. The rule is off until it is enabled.
        """,
        example="""
        p, log_q = F.softmax(teacher, dim=-1), F.log_softmax(student, dim=-1)
        loss = (p * (p.log() - log_q)).sum()  # 0.4812
        """,
        use_instead="""
        p, log_q = F.softmax(teacher, dim=-1), F.log_softmax(student, dim=-1)
        loss = F.kl_div(log_q, p, reduction="sum")  # 0.4812
        """,
        fix_safety="""
        The fix is safe: the value is the same up to rounding, and defined at zero. It is offered where the file
        imports `torch.nn.functional`, and is unsafe where an epsilon goes with it.
        """,
        references=(KL_DIV, XLOGY),
    )

    def check(self, expression: Handwritten) -> Report | None:
        call = _kl_div(expression, expression.functional or "F")
        message = f"a divergence is written out by hand, and nan where a probability is zero: use {call}"
        return Report(expression.span, expression.span, message, fix=self._fix(expression))

    @staticmethod
    def _fix(expression: Handwritten) -> Fix | None:
        if expression.functional is None or expression.terms is None:
            return None
        applicability = Applicability.SAFE if expression.exact else Applicability.UNSAFE
        source = _kl_div(expression, expression.functional).replace("{", "{{").replace("}", "}}")
        place = expression.span if expression.total else expression.terms
        return Fix("Use kl_div", applicability, (Replace(place, source),))


def _kl_div(expression: Handwritten, functional: str) -> str:
    """The call that computes the same as the sum, or as its terms; KL(p || q) takes log q first."""
    reduction = "sum" if expression.total else "none"
    return f'{functional}.kl_div({expression.log_q}, {expression.p}, reduction="{reduction}")'


HANDWRITTEN_RULES = (HandwrittenDivergence(),)
