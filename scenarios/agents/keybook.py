"""Everybody's keys as certified receipts tell them: who signs with what, and to what documents are sealed.

Rules:
- Genesis begins the book; `member.add`, `key.rotate` and `key.revoke` go on with it.
- An envelope's signature holds by any key that its sender ever had and that was not stolen.
"""

from __future__ import annotations

from ledger.codes import Code
from ledger.documents import OpenedEnvelope, digests_statement
from ledger.encoding import Value
from ledger.genesis import Genesis
from ledger.keys import Domain, Verifier
from scenarios.agents.client import Receipt


class Keybook:
    """The keys of every member.

    Args:
        genesis: of the network.
    """

    def __init__(self, genesis: Genesis) -> None:
        self._network = genesis.network
        self._verifier = Verifier(0)
        self._keys: dict[str, list[bytes]] = {o.id: [o.key] for o in genesis.organizations}
        self._box_keys: dict[str, bytes] = {o.id: o.box_key for o in genesis.organizations}

    def box_key(self, organization: str) -> bytes:
        """Return the X25519 key that documents for a member are sealed to now.

        Raises:
            KeyError: if nobody of that name ever belonged to the network.
        """
        return self._box_keys[organization]

    def is_vouched(self, opened: OpenedEnvelope, root: bytes, sender: str) -> bool:
        """Say whether an envelope's sender signed that the digests in it are those of `root`."""
        if opened.vouched is None:
            return False
        statement = digests_statement(root, opened.digests)
        return any(
            self._verifier.verify(key, Domain.ENVELOPE, self._network, statement, opened.vouched)
            for key in self._keys.get(sender, ())
        )

    def take(self, receipt: Receipt) -> None:
        """Take a certified receipt into account."""
        if receipt.code != Code.VALID:
            return
        body = receipt.body
        match receipt.type:
            case "member.add":
                organization = str(body["organization"])
                self._keys[organization] = [_raw(body["key"])]
                self._box_keys[organization] = _raw(body["box_key"])
            case "key.rotate":
                self._follow(receipt.creator or "", body.get("key"), body.get("box_key"))
            case "key.revoke":
                organization = str(body["organization"])
                stolen = _raw(body["key"])
                self._keys[organization] = [key for key in self._keys.get(organization, []) if key != stolen]
                self._follow(organization, body.get("successor"), None)

    def _follow(self, organization: str, key: Value, box_key: Value) -> None:
        if key is not None:
            self._keys.setdefault(organization, []).append(_raw(key))
        if box_key is not None:
            self._box_keys[organization] = _raw(box_key)


def _raw(value: Value) -> bytes:
    """Return the bytes that a receipt's body shows as hex."""
    return bytes.fromhex(str(value))
