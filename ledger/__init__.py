"""What is recorded, who signed it, whether it holds.

Pure but for `ledger.store`, which takes an open connection, and for key files. Start with `genesis` and
`transaction`; `execution` runs a block, `checkpoint` states the result, `merkle` and `statetree` prove it.
"""

__all__: list[str] = []
