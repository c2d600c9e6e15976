"""Every private field held against every organization: may it read it, and could it?

Rules:
- *Could* is tried, not concluded: every envelope within an organization's reach is opened with every key it ever had,
  and the fields that come out are recognized by their digests, whatever root they came under.
- A leak is a field that somebody could read and may not; a purged one that could still be read off a disk; an envelope
  anywhere that opens with the key of one who may not read what is in it, even out of its reach.
- What may be read and could not be is *not delivered*, or purged since: told, and no leak.
- A leak names organization, document, field and place, never a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from ledger.documents import OpenedEnvelope
from ledger.errors import EnvelopeError
from scenarios.agents.wallet import Wallet
from scenarios.privacy.entitlement import Entitlement
from scenarios.privacy.reach import Reach


@dataclass(slots=True)
class Account:
    """One organization's readings, in fields of documents.

    Attributes:
        documents: how many it issued or could read some field of.
        may, could: how many it may read, and could.
        undelivered: how many it may read, could not, and are not purged.
        purged: how many it may have read once and that are purged since.
    """

    documents: int = 0
    may: int = 0
    could: int = 0
    undelivered: int = 0
    purged: int = 0


@dataclass(slots=True)
class Readings:
    """What came of the comparison.

    Attributes:
        pairs: how many pairs of organization and field were compared.
        as_entitled: how many of them are as they may be.
        accounts: by organization.
        leaks: fields that can be opened by who may not read them, in words.
        lying_open: how many values and salts lie open in how many places.
    """

    pairs: int = 0
    as_entitled: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    leaks: dict[str, None] = field(default_factory=dict)
    lying_open: int = 0

    @property
    def leak_count(self) -> int:
        """How many leaks there are: values and salts that lie open, and fields that can be opened."""
        return self.lying_open + len(self.leaks)


def told_readings(readings: Readings) -> dict[str, object]:
    """Return the comparison as a run's folder has it: pairs, and counts of fields by organization."""
    return {
        "pairs": readings.pairs,
        "as_entitled": readings.as_entitled,
        "leaks": readings.leak_count,
        "organizations": {name: asdict(account) for name, account in readings.accounts.items()},
    }


FieldKey = tuple[bytes, str]
"""A document's root and a field's name."""


def compare(entitlement: Entitlement, reach: Reach, wallets: Mapping[str, Wallet]) -> Readings:
    """Return what every organization may read against what it could.

    Args:
        entitlement: what may be read.
        reach: all that lies anywhere, put in already.
        wallets: every organization's keys.
    """
    comparison = _Comparison(entitlement, reach, list(wallets))
    for sealed, places in reach.envelopes():
        for organization, wallet in wallets.items():
            try:
                opened = wallet.read(sealed)
            except EnvelopeError:
                continue
            comparison.take(organization, opened, places)
    comparison.take_open_values()
    return comparison.close()


class _Comparison:
    """The comparison while envelopes are being opened."""

    def __init__(self, entitlement: Entitlement, reach: Reach, organizations: list[str]) -> None:
        self.entitlement = entitlement
        self.reach = reach
        self.could: dict[str, dict[FieldKey, None]] = {name: {} for name in organizations}
        self.readings = Readings()
        self._fields: dict[bytes, FieldKey] = {
            disclosure.digest: (root, disclosure.name)
            for root, committed in entitlement.witness.documents.items()
            for disclosure in committed.document.disclosures
        }
        self._wrong: dict[tuple[str, FieldKey], None] = {}
        self._may: dict[tuple[str, bytes], frozenset[str]] = {}

    def may(self, organization: str, root: bytes) -> frozenset[str]:
        """Return which fields of a document an organization may read, worked out once."""
        pair = (organization, root)
        if pair not in self._may:
            self._may[pair] = self.entitlement.fields(organization, root)
        return self._may[pair]

    def take(self, organization: str, opened: OpenedEnvelope, places: Iterable[str]) -> None:
        """Take into account what an organization's key opened, and where that lay."""
        held = [place for place in places if organization in self.reach.places.get(place, ())]
        resting = [place for place in held if place in self.reach.at_rest]
        for disclosure in opened.disclosures:
            key = self._fields.get(disclosure.digest)
            if key is None:
                continue  # no field of a document that anybody committed to
            if held:
                self.could[organization][key] = None
            if key[1] not in self.may(organization, key[0]):
                self._leak(organization, key, held or list(places), within_reach=bool(held))
            elif self.entitlement.is_purged(key[0]) and resting:
                self._leak(organization, key, resting, within_reach=True, purged=True)

    def take_open_values(self) -> None:
        """Take into account what lies open: whoever holds the place reads it, and nobody may."""
        keys = {
            form.format(committed.place(name)): (root, name)
            for root, committed in self.entitlement.witness.documents.items()
            for name in committed.document.names
            for form in ("{}", "salt of {}")
        }
        self.readings.lying_open = len(self.reach.search.leaks)
        for leak in self.reach.search.leaks:
            key = keys.get(leak.where)
            if key is None:
                continue  # a commitment's salt: no field of a document
            for organization in self.reach.places[leak.place]:
                self._wrong[organization, key] = None
                if not leak.where.startswith("salt of "):
                    self.could[organization][key] = None

    def close(self) -> Readings:
        """Count, and return what came of it."""
        readings = self.readings
        for organization, could in self.could.items():
            account = readings.accounts[organization] = Account()
            for root, committed in self.entitlement.witness.documents.items():
                is_own = committed.issuer == organization
                may = self.may(organization, root)
                purged = self.entitlement.is_purged(root)
                seen = 0
                for name in committed.document.names:
                    key = (root, name)
                    can = is_own or key in could
                    seen += can
                    readings.pairs += 1
                    readings.as_entitled += (organization, key) not in self._wrong
                    account.may += name in may
                    account.could += can
                    account.purged += name in may and purged
                    account.undelivered += name in may and not can and not purged
                account.documents += bool(seen)
        return readings

    def _leak(
        self,
        organization: str,
        key: FieldKey,
        places: Iterable[str],
        *,
        within_reach: bool,
        purged: bool = False,
    ) -> None:
        root, name = key
        self._wrong[organization, key] = None
        where = self.entitlement.witness.documents[root].place(name)
        first = next(iter(places), "no place")
        can = "could read" if within_reach else "has the key to"
        why = "which is purged" if purged else "which it may not"
        self.readings.leaks[f"{organization} {can} {where}, {why}: in {first}"] = None
