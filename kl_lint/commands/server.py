"""`kl-lint server`: the language server, on standard input and output."""

from __future__ import annotations

import os
import signal
import sys

from kl_lint.commands.common import CLEAN, FAILED, complain, tell

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Answer the messages of one editor until it says goodbye."""
    try:
        from kl_lint.server.app import make_server
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("pygls", "lsprotocol"):
            raise
        complain(f"the language server needs {missing}; install it with: pip install 'kl-lint[lsp]'")
        return FAILED
    if sys.stdin is None or sys.stdout is None:
        complain("the language server speaks on standard input and output; one of them is closed")
        return FAILED
    # the thread that waits for input cannot be interrupted otherwise, and there is nothing to save
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stdin.isatty():
        tell("kl-lint server waits for an editor on standard input; Ctrl+C ends it")
    with open(os.dup(sys.stdout.fileno()), "wb") as output:
        # nobody else may write between the messages
        os.dup2(sys.stderr.fileno() if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY), 1)
        make_server().start_io(stdout=output)
    return CLEAN
