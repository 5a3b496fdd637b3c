"""kl-lint in editors: the language server (`kl-lint server`), and a plugin for python-lsp-server.

Nothing outside this package imports pygls, lsprotocol or pylsp, which come with the extras `lsp` and `pylsp`; the
plugin makes do without pygls.
"""
