"""kl-lint's fixes as a libcst codemod, for those who run their rewrites with `libcst.tool`:

python -m libcst.tool codemod -x kl_lint.rewriting.codemod.FixKLDivergence --no-format PATH [--unsafe]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext, SkipFile

from kl_lint.rewriting.fixing import fix_source

__all__ = ["FixKLDivergence"]


class FixKLDivergence(CodemodCommand):
    """Mends the misuse of `kl_div` and `KLDivLoss` that kl-lint finds in a module."""

    DESCRIPTION = "Mend misuse of torch.nn.functional.kl_div and torch.nn.KLDivLoss."

    def __init__(self, context: CodemodContext, unsafe: bool = False) -> None:
        super().__init__(context)
        self.unsafe = unsafe

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """Add `--unsafe` to the tool's own arguments."""
        arg_parser.add_argument(
            "--unsafe",
            action="store_true",
            help="Also make fixes that change the number, to the divergence that the code says it computes.",
        )

    def transform_module_impl(self, tree: cst.Module) -> cst.Module:
        """The module with its fixes made. Fixes that could not be made become warnings of the context."""
        source = tree.code
        self._skip_unless_reproduced(tree)
        result = fix_source(source, self.context.filename or "<string>", unsafe=self.unsafe)
        for finding, reason in result.refused:
            self.warn(f"{finding.span.row}:{finding.span.column}: {finding.code} is not fixed: {reason}")
        if result.source == source:
            return tree
        return cst.parse_module(result.source, config=tree.config_for_parsing)

    def _skip_unless_reproduced(self, tree: cst.Module) -> None:
        """A file that libcst writes otherwise than it reads it would be changed with or without a fix."""
        name = self.context.filename
        if name is not None and Path(name).is_file() and Path(name).read_bytes() != tree.bytes:
            raise SkipFile("libcst does not reproduce this file; use `kl-lint check --fix`")
