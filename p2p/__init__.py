"""The peer: machine, frames, links, gossip, the node that joins ledger and consensus, and its HTTP API."""

__all__: list[str] = []
