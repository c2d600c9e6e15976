"""Who may read which fields of a document: what one who has it meant it to see, as far as the ledger lets it.

Rules:
- The issuer may read all. Anybody else may read what one who has the document meant it to see, before sealing.
- Where the ledger names readers, whatever was meant is void but for these: the readers; an authority, to which records
  must be available (19 CFR 181.22(b) for certificates); and, for what a carnet's parties pass along the chain of
  guarantees, those whom the ledger names for a document about the same thing, and the carnet's own parties: its holder,
  its issuer, and the association that guarantees it where that is another (ATA Convention, article 6).
- Official acts name no readers on the ledger, lest a competitor learn of them: there what was meant is all there is.
- A purged document may stay with nobody: its fields may be in frames of the past, and on no disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.contracts.carnet import CarnetRecord
from ledger.contracts.records import DocumentRecord, DocumentState
from ledger.genesis import Genesis, Role
from scenarios.agents.witness import Witness

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What may be read in a run; see `entitlement_of`.

    Attributes:
        witness: what was meant for whom.
        records: every document on the ledger at the end of the run, by root.
        readers: of every document for which the ledger names any: who may be shown it.
    """

    witness: Witness
    records: Mapping[bytes, DocumentRecord]
    readers: Mapping[bytes, frozenset[str]]

    def fields(self, organization: str, root: bytes) -> frozenset[str]:
        """Return the names of a document's fields that an organization was ever entitled to read."""
        committed = self.witness.documents[root]
        if organization == committed.issuer:
            return frozenset(committed.document.names)
        if root in self.readers and organization not in self.readers[root]:
            return NOTHING
        return frozenset(self.witness.meant.get(root, {}).get(organization, ()))

    def is_purged(self, root: bytes) -> bool:
        """Say whether a document's records need not and may not be kept any more."""
        record = self.records.get(root)
        return record is not None and record.state is DocumentState.PURGED


def entitlement_of(
    witness: Witness,
    records: Mapping[bytes, DocumentRecord],
    genesis: Genesis,
    carnets: Mapping[bytes, CarnetRecord],
) -> Entitlement:
    """Return what may be read in a run.

    Args:
        witness: what was meant for whom.
        records: every document on the ledger at the end of the run, by root.
        genesis: says who are authorities.
        carnets: every carnet on the ledger at the end of the run, by id.
    """
    authorities = [member.id for role in (Role.CUSTOMS, Role.FISHERIES) for member in genesis.with_role(role)]
    circles: dict[str | None, dict[str, None]] = {}
    for record in records.values():
        circle = circles.setdefault(_thing(record), {})
        circle.update(dict.fromkeys((record.issuer, *record.readers)))
    for carnet, booklet in carnets.items():
        parties = (
            booklet.holder,
            booklet.issuer,
            *([] if booklet.guarantor is None else [booklet.guarantor]),
        )
        for affair in (carnet.hex(), booklet.origin.hex()):
            circles.setdefault(affair, {}).update(dict.fromkeys(parties))
    readers: dict[bytes, frozenset[str]] = {}
    for root, record in records.items():
        if record.readers:
            thing = _thing(record)
            circle = {} if thing is None else circles[thing]
            readers[root] = frozenset((record.issuer, *record.readers, *authorities, *circle))
    return Entitlement(witness, records, readers)


def _thing(record: DocumentRecord) -> str | None:
    """Return the id of the carnet that a document is about: claims on it and its papers are one affair."""
    kind, _, rest = (record.subject or "").partition("/")
    return rest.partition("/")[0] if kind in ("carnet", "carnet-claim") else None
