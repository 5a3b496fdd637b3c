"""The subcommands of `kl-lint`: one module for each, with a function `run(arguments)` that returns the exit code.

They are loaded when they are run. `arguments` are those that `kl_lint.cli` declares.
"""
