"""kl-lint in editors: the language server (`kl-lint server`).

Nothing outside this package imports pygls and lsprotocol, which come with the extra `lsp`.
"""
