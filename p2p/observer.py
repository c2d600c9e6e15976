"""The records a node leaves for whoever watches the trial.

Rules:
- An observer never changes what the node does; it returns nothing and must not fail.
- Records hold public facts and protocol state only: names, ids, heights, sizes, digests. No document field, no key.
- In the virtual world a record from a life that has ended is dropped by the world that supplies the observer.
"""

from __future__ import annotations

from typing import Protocol

RecordField = str | int | bool | None | list[str]


class Observer(Protocol):
    """Receives a node's records."""

    def record(self, event: str, **fields: RecordField) -> None:
        """Note that `event` happened, with its public facts."""

    def frame(self, source: str, target: str, kind: str, frame: bytes) -> None:
        """Note that a frame left `source` for `target`."""

    def arrived(self, source: str, target: str, frame: bytes) -> None:
        """Note that what `source` sent came to `target`, before anybody has looked into it."""

    def dropped(self, source: str, target: str, frame: bytes) -> None:
        """Note that a frame noted as left was dropped on purpose."""


class SilentObserver:
    """An observer that keeps nothing."""

    def record(self, event: str, **fields: RecordField) -> None:
        """Keep nothing."""

    def frame(self, source: str, target: str, kind: str, frame: bytes) -> None:
        """Keep nothing."""

    def arrived(self, source: str, target: str, frame: bytes) -> None:
        """Keep nothing."""

    def dropped(self, source: str, target: str, frame: bytes) -> None:
        """Keep nothing."""
