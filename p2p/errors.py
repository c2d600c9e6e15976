"""What can go wrong between peers, as one small tree.

PeerError
├── ConfigError       a node configuration that cannot run
├── FrameError        bytes from a peer that are no frame of ours: the link closes with the reason
├── HelloError        an opening whose network, name, challenge or signature does not hold
├── ReadFailedError   no leader confirmed a linearizable read in time: nothing is known
├── InUseError        a port or a store that another process holds
├── OverloadedError   a limit is reached; nothing was kept, and the same may be taken later
├── UnsignedError     an envelope that its sender did not sign for that addressee under that root
├── PurgedError       the document was purged; nobody keeps envelopes of it any more
├── DivergedError     this node executes a block to something else than was certified
└── NodeHaltedError   the node cannot go on and says why; it must not be restarted blindly
"""

from __future__ import annotations


class PeerError(Exception):
    """Root of the peer's errors."""


class ConfigError(PeerError):
    """A configuration that cannot run; the message names the field, its value and the remedy."""


class FrameError(PeerError):
    """Bytes from a peer that are no frame of ours."""


class HelloError(PeerError):
    """A link opening that does not hold."""


class ReadFailedError(PeerError):
    """No leader confirmed a linearizable read in time; nothing is known."""


class InUseError(PeerError):
    """A port or a store that another process holds; the message says which and what to do."""


class OverloadedError(PeerError):
    """A limit of genesis is reached; nothing was kept."""


class UnsignedError(PeerError):
    """An envelope that its sender's organization did not sign for that addressee under that root."""


class PurgedError(PeerError):
    """The document was purged; nothing of it is kept or told any more."""


class DivergedError(PeerError):
    """This node executes a block to another state than k orderers have certified; it cannot go on."""

    def __init__(self, height: int) -> None:
        super().__init__(
            f"block {height}: execution here gives another checkpoint than the certificate; "
            "this node's program or store is not the others'"
        )


class NodeHaltedError(PeerError):
    """The node stopped itself: its disk failed or what it was told to execute does not hold."""
