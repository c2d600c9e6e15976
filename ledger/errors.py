"""What can go wrong on the ledger, as one small tree.

LedgerError
├── AblationError               a safeguard switched off where no test permits it
├── EncodingError               bytes that are not the canonical form of any value
├── MalformedError              a value whose fields are missing, unknown, of the wrong type or out of bounds
├── GenesisError                a genesis that cannot found a network
├── RosterError                 a roster with which a network could not go on, or that a state does not hold
├── UnknownOrganizationError    an organization that is no member
├── KeyFileError                a key file that is unreadable, readable by others, or no key
├── BadBlockError               a block whose header, signature, root or place in the chain does not hold
├── BadProofError               a proof, checkpoint or certificate that does not verify
├── BadLinkError                a chain of configuration changes that does not lead to a roster
├── NotProvenError              a file that does not prove what it is for, with the part that fails
├── NoProofError                a proof asked for of what the log does not hold
├── EnvelopeError               an envelope that does not open or does not match its root
├── NotHereYetError             a height that this node has taken over by a snapshot and not fetched yet
└── DamagedStoreError           a store with damage that verified blocks cannot rebuild
    └── DamagedBlockError       one block whose bytes no longer match its hash
"""

from __future__ import annotations


class LedgerError(Exception):
    """Root of the ledger's errors."""


class AblationError(LedgerError):
    """A safeguard that is off outside a test."""


class EncodingError(LedgerError):
    """Bytes or a value outside the canonical encoding."""


class MalformedError(LedgerError):
    """A record whose fields are missing, unknown, of the wrong type or out of bounds."""


class GenesisError(LedgerError):
    """A genesis that cannot found a network."""


class RosterError(LedgerError):
    """A roster with which a network could not go on, or that a state does not hold."""


class UnknownOrganizationError(LedgerError):
    """An organization that is no member."""


class KeyFileError(LedgerError):
    """A key file that cannot be used."""


class BadBlockError(LedgerError):
    """A block that does not hold."""


class BadProofError(LedgerError):
    """A proof, checkpoint or certificate that does not verify."""


class BadLinkError(LedgerError):
    """A chain of configuration changes that does not lead from genesis to a roster."""


class NotProvenError(LedgerError):
    """A file does not prove what it is for.

    Attributes:
        part: the part that does not hold.
        reason: how that shows.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


class NoProofError(LedgerError):
    """A proof was asked for of what the log does not hold."""


class EnvelopeError(LedgerError):
    """An envelope that does not open or does not match its root."""


class NotHereYetError(LedgerError):
    """A height that this node has not executed itself and has not fetched yet."""

    def __init__(self, height: int) -> None:
        super().__init__(f"block {height} is not here yet; this node joined later and is fetching it")
        self.height = height


class DamagedStoreError(LedgerError):
    """Damage in what verified blocks cannot rebuild: the node must neither vote nor serve.

    It may have forgotten what it promised, so it never comes back as itself.

    Attributes:
        what: what is damaged.
        reason: how that shows.
    """

    REMEDY = (
        "this node may have forgotten what it promised and does not start; let its organization replace it"
        " (transaction node.replace) and start the new incarnation, with its new key, in an empty directory"
    )

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"the store is damaged: {what}: {reason}; {self.REMEDY}")
        self.what = what
        self.reason = reason


class DamagedBlockError(DamagedStoreError):
    """One block's bytes no longer match its hash."""

    REMEDY = "it is not served and not sent to anybody; `seatrial verify` tells how far the damage goes"

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"block {height}", reason)
        self.height = height
