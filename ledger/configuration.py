"""Configuration transactions: which they are, and how a block shows that it carries one.

Rules:
- A transaction of one of `CONFIGURATION_TYPES` changes who belongs to the network, and stands alone in its block.
- Its type is read from the end of its canonical bytes, since it is asked of every transaction of every block; of
  bytes that are no transaction the answer is the same everywhere, and execution refuses them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.encoding import encode

CONFIGURATION_TYPES = frozenset(
    {
        "member.add",
        "member.remove",
        "orderer.promote",
        "orderer.demote",
        "node.replace",
        "node.ready",
        "key.rotate",
        "key.revoke",
    }
)
"""The types of transaction that change who belongs to the network."""

_TYPE_KEY = encode("type")
_VALID_UNTIL_KEY = encode("valid_until_ms")
# After the type: the validity's key, its integer of at most 9 bytes, the version's key and the version.
_TAIL_BYTES_MAX = len(_VALID_UNTIL_KEY) + 9 + len(encode("version")) + 1
_TYPE_BYTES_MAX = len(_TYPE_KEY) + 66
_BY_ENCODING = {encode(name): name for name in sorted(CONFIGURATION_TYPES)}


def configuration_type(raw: bytes) -> str | None:
    """Return the type of a configuration transaction, or None if the bytes are another one's, or none's."""
    end = raw.rfind(_VALID_UNTIL_KEY, max(0, len(raw) - _TAIL_BYTES_MAX))
    start = raw.rfind(_TYPE_KEY, max(0, end - _TYPE_BYTES_MAX), end) if end > 0 else -1
    # What stands between the two keys is the type and nothing else: its letters cannot spell the key.
    return None if start < 0 else _BY_ENCODING.get(raw[start + len(_TYPE_KEY) : end])


def carries_configuration(transactions: Sequence[bytes]) -> bool:
    """Say whether a block's transactions change who belongs to the network."""
    return any(configuration_type(raw) is not None for raw in transactions)
