"""Defects that other fixers for PyTorch code have been seen to have: none of them here."""

from __future__ import annotations

from kl_lint.finding import Applicability, Finding, Fix, RenameCallee, SetKeyword, Span
from kl_lint.rewriting import apply_fixes, fix_source
from tests.rewriting.marking import at, fix, refusal, rewrite


def test_a_nested_fix_is_not_lost() -> None:
    source = "q, r = torch.qr(torch.cholesky(A))\n"
    fixes = [
        fix(RenameCallee(at(source, "torch.qr(torch.cholesky(A))"), "linalg_qr")),
        fix(RenameCallee(at(source, "torch.cholesky(A)"), "linalg_cholesky")),
    ]
    result = apply_fixes(source, fixes)
    assert result.refused == ()
    assert result.text == "q, r = torch.linalg_qr(torch.linalg_cholesky(A))\n"


def test_comments_are_not_dropped() -> None:
    source = "x = torch.load(\n    A,  # the matrix\n    B,\n)\n"
    text = rewrite(source, SetKeyword(at(source, source[4:-1]), "weights_only", "True"))
    assert text == "x = torch.load(\n    A,  # the matrix\n    B,\n    weights_only=True,\n)\n"


def test_a_new_argument_is_not_put_at_the_beginning_of_the_row() -> None:
    source = "def g():\n    return torch.load(\n        'file',\n    )\n"
    text = rewrite(source, SetKeyword(at(source, "torch.load(\n        'file',\n    )"), "weights_only", "True"))
    assert text == "def g():\n    return torch.load(\n        'file',\n        weights_only=True,\n    )\n"


def test_no_keyword_is_put_beside_a_mapping_that_may_hold_it() -> None:
    source = "x = torch.load('file', **options)\n"
    assert refusal(source, SetKeyword(at(source, source[4:-1]), "weights_only", "True")) == (
        "the call takes **, which may hold weights_only already"
    )


def test_a_silenced_line_is_not_rewritten() -> None:
    source = "f(a)  # noqa: KLD201\nf(a)  # noqa\nf(a)  # noqa: KLD3\nf(\n    a)  # noqa\n"

    def check(text: str) -> list[Finding]:
        return [
            Finding("KLD201", "x", "m", "<string>", span, span.row, fix=Fix("", Applicability.SAFE, (edit,)))
            for row, line in enumerate(text.splitlines(), start=1)
            if line.startswith("f(") and "log_target" not in text
            for span in [Span(row, 1, row, 5) if line.startswith("f(a)") else Span(row, 1, row + 1, 7)]
            for edit in [SetKeyword(span, "log_target", "True")]
        ]

    result = fix_source(source, check=check)
    assert result.source == (
        "f(a)  # noqa: KLD201\nf(a)  # noqa\nf(a, log_target=True)  # noqa: KLD3\n"
        "f(\n    a,\n    log_target=True)  # noqa\n"
    )
    assert [finding.noqa_row for finding in result.fixed] == [3, 4]


def test_a_silenced_line_that_a_finding_elsewhere_would_change_is_not_rewritten() -> None:
    head = "import torch.nn.functional as F\n\n\ndef loss(x, y):\n"
    tail = "    return F.kl_div(p, F.softmax(y, -1), reduction='sum')\n"
    for comment, mended in [("# noqa: KLD101", False), ("# noqa", False), ("# noqa: E501", True)]:
        source = f"{head}    p = F.softmax(x, -1)  {comment}\n{tail}"
        expected = source.replace("p = F.softmax", "p = F.log_softmax") if mended else source
        assert fix_source(source, unsafe=True).source == expected
