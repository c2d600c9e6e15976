"""Whom members had to trust in a run, and what of what was told did not hold: the trust table.

Rules:
- Only what the nodes themselves noticed counts. Nothing noticed is no proof of honesty, and the report says so.
- Two certificates that contradict each other take 2k - n signers who sign both; with fewer liars they cannot exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ledger.genesis import quorum
from scenarios.record.eventbook import Event

SIGNS: Mapping[str, tuple[str, str]] = {
    "checkpoint.divergent": ("a checkpoint unlike what the node executed itself", "orderer"),
    "certificate.refused": ("a certificate that does not hold", "peer"),
    "lineage.refused": ("a change of the members that is not certified", "peer"),
    "raft.block_refused": ("a block whose signature, place or parent does not hold", "peer"),
    "raft.snapshot_refused": ("a state offered without a certificate that holds", "peer"),
    "raft.message_refused": ("an ordering message that is malformed or not the sender's", "peer"),
    "raft.forked": ("a leader that would replace what was committed", "peer"),
    "sync.answer_refused": ("a piece of state or a block that does not fit its hash", "peer"),
    "hello.refused": ("an opening of a link that does not hold", "peer"),
    "link.rubbish": ("bytes that are no frame, or were changed on their way", "peer"),
}
"""Per event: what did not hold, and the field that names who told it."""

NAMED_MAX = 6


@dataclass(slots=True)
class Trust:
    """Follows a run's events and says what did not hold.

    Attributes:
        orderers: how many there are.
        liars_tolerated: how many of them may lie.
    """

    orderers: int
    liars_tolerated: int
    _certified: Counter[int] = field(default_factory=Counter)
    _seen: dict[str, tuple[Counter[str], Counter[str]]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        if event.name == "block.certified":
            self._certified[event.integer("height")] += 1
        sign = SIGNS.get(event.name)
        if sign is not None:
            tellers, noticed = self._seen.setdefault(event.name, (Counter(), Counter()))
            tellers[str(event.fields.get(sign[1], "unknown"))] += 1
            noticed[str(event.fields.get("node", "unknown"))] += 1

    def words(self) -> str:
        """Return whom the members had to trust, and how far what they executed was certified."""
        n, f = self.orderers, self.liars_tolerated
        k = quorum(n, f)
        told = (
            f"{n} orderers, of whom {f} may lie: a certificate takes {k} signatures, and two that contradict each "
            f"other take {max(1, 2 * k - n)} who sign both. "
        )
        if not self._certified:
            return told + "No block was certified."
        return told + f"{len(self._certified):,} blocks were certified, the highest {max(self._certified):,}."

    def rows(self) -> list[Sequence[str]]:
        """Return what did not hold: what, how often, who told it, who noticed."""
        return [
            (what, f"{sum(self._seen[name][0].values()):,}", *(_named(who) for who in self._seen[name]))
            for name, (what, _) in SIGNS.items()
            if name in self._seen
        ]


def _named(who: Counter[str]) -> str:
    names = sorted(who)
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
