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

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from sys import intern

import numpy as np

from ledger.documents import DIGEST_BYTES, OpenedEnvelope
from ledger.errors import EnvelopeError
from scenarios.agents.wallet import Wallet
from scenarios.agents.witness import Committed
from scenarios.privacy.entitlement import Entitlement
from scenarios.privacy.reach import Reach

REMEMBERED_MAX = 4096
"""Pairs of organization and document of which it is remembered which fields may be read."""


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


@dataclass(frozen=True, slots=True)
class _Leak:
    """A field that an organization reads and may not."""

    organization: str
    root: bytes
    name: str
    number: int


class _Fields:
    """Every field of every document by a number, as flat arrays: memory is what grows here.

    Args:
        documents: all that were committed to.

    Attributes:
        roots, issuers, names: of each document; most documents of a kind have the same names of fields.
    """

    def __init__(self, documents: Mapping[bytes, Committed]) -> None:
        self.roots: list[bytes] = []
        self.issuers: list[str] = []
        self.names: list[tuple[str, ...]] = []
        known: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._firsts = array("Q")
        digests = bytearray()
        for root, committed in documents.items():
            self.roots.append(root)
            self.issuers.append(intern(committed.issuer))
            names = committed.document.names
            self.names.append(known.setdefault(names, names))
            self._firsts.append(len(digests) // DIGEST_BYTES)
            for disclosure in committed.document.disclosures:
                digests += disclosure.digest
        self._digests = np.frombuffer(digests, f"S{DIGEST_BYTES}")
        heads = np.frombuffer(digests, "<u8")[:: DIGEST_BYTES // 8]
        self._order = np.argsort(heads, kind="stable").astype(np.uint32)
        self._heads = heads[self._order]

    def __len__(self) -> int:
        return len(self._digests)

    def first(self, document: int) -> int:
        """Return the number of a document's first field."""
        return self._firsts[document]

    def found(self, digest: bytes) -> tuple[int, int] | None:
        """Return the number of the field with a digest and that of its document; None if there is none."""
        place = int(np.searchsorted(self._heads, np.frombuffer(digest, "<u8", 1)[0]))
        while place < len(self._order):
            number = int(self._order[place])
            if bytes(self._digests[number]).ljust(DIGEST_BYTES, b"\0") == digest:
                return number, bisect_right(self._firsts, number) - 1
            if place + 1 == len(self._order) or self._heads[place + 1] != self._heads[place]:
                return None
            place += 1
        return None


class _Comparison:
    """The comparison while envelopes are being opened."""

    def __init__(self, entitlement: Entitlement, reach: Reach, organizations: list[str]) -> None:
        self.entitlement = entitlement
        self.reach = reach
        self.fields = _Fields(entitlement.witness.documents)
        self.could = {name: bytearray(len(self.fields)) for name in organizations}
        self.readings = Readings()
        self._wrong: dict[tuple[str, int], None] = {}
        self._may: dict[tuple[str, bytes], frozenset[str]] = {}

    def may(self, organization: str, root: bytes) -> frozenset[str]:
        """Return which fields of a document an organization may read, remembered for a while."""
        pair = (organization, root)
        may = self._may.get(pair)
        if may is None:
            if len(self._may) >= REMEMBERED_MAX:
                self._may.clear()
            may = self._may[pair] = self.entitlement.fields(organization, root)
        return may

    def take(self, organization: str, opened: OpenedEnvelope, places: Iterable[str]) -> None:
        """Take into account what an organization's key opened, and where that lay."""
        held = [place for place in places if organization in self.reach.places.get(place, ())]
        resting = [place for place in held if place in self.reach.at_rest]
        for disclosure in opened.disclosures:
            found = self.fields.found(disclosure.digest)
            if found is None:
                continue  # no field of a document that anybody committed to
            number, root = found[0], self.fields.roots[found[1]]
            if held:
                self.could[organization][number] = True
            if disclosure.name not in self.may(organization, root):
                leak = _Leak(organization, root, disclosure.name, number)
                self._leak(leak, held or list(places), within_reach=bool(held))
            elif self.entitlement.is_purged(root) and resting:
                leak = _Leak(organization, root, disclosure.name, number)
                self._leak(leak, resting, within_reach=True, purged=True)

    def take_open_values(self) -> None:
        """Take into account what lies open: whoever holds the place reads it, and nobody may."""
        leaks = self.reach.search.leaks
        self.readings.lying_open = len(leaks)
        if not leaks:
            return
        keys = {
            form.format(committed.place(name)): self.fields.first(document) + place
            for document, committed in enumerate(self.entitlement.witness.documents.values())
            for place, name in enumerate(committed.document.names)
            for form in ("{}", "salt of {}")
        }
        for leak in leaks:
            number = keys.get(leak.where)
            if number is None:
                continue  # a commitment's salt: no field of a document
            for organization in self.reach.places[leak.place]:
                self._wrong[organization, number] = None
                if not leak.where.startswith("salt of "):
                    self.could[organization][number] = True

    def close(self) -> Readings:
        """Count, and return what came of it."""
        readings = self.readings
        accounts = readings.accounts = {organization: Account() for organization in self.could}
        for document, root in enumerate(self.fields.roots):
            purged, first = self.entitlement.is_purged(root), self.fields.first(document)
            names, issuer = self.fields.names[document], self.fields.issuers[document]
            for organization, account in accounts.items():
                may, could = self.may(organization, root), self.could[organization]
                can = could[first : first + len(names)]
                if issuer == organization:
                    can = bytearray(b"\1") * len(names)
                readable = [flag for name, flag in zip(names, can, strict=True) if name in may] if may else []
                account.may += len(readable)
                if purged:
                    account.purged += len(readable)
                else:
                    account.undelivered += readable.count(0)
                readings.pairs += len(names)
                seen = can.count(1)
                account.could += seen
                account.documents += bool(seen)
        readings.as_entitled = readings.pairs - len(self._wrong)
        return readings

    def _leak(self, leak: _Leak, places: Iterable[str], *, within_reach: bool, purged: bool = False) -> None:
        self._wrong[leak.organization, leak.number] = None
        where = self.entitlement.witness.documents[leak.root].place(leak.name)
        first = next(iter(places), "no place")
        can = "could read" if within_reach else "has the key to"
        why = "which is purged" if purged else "which it may not"
        self.readings.leaks[f"{leak.organization} {can} {where}, {why}: in {first}"] = None
