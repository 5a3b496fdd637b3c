"""What is true: an abstract interpreter for the part of Python that carries tensors."""

from kl_lint.flow.analysis import Facts, analyse

__all__ = ["Facts", "analyse"]
