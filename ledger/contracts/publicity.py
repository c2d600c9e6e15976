"""Why each field of each act is public: one reason for every field, and no field without one.

Rules:
- A body is on every member's disk, so a field is in it only if somebody else than its parties needs it: the rule that
  all nodes execute, the finding that all recompute, or the next actor's right to act.
- What an authority decided is never a field: of official acts there is a commitment to it, and open or closed.
- A reason stands for a name wherever it occurs, or for one act's field where that is public for another reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.contracts.rules import RULES


@dataclass(frozen=True, slots=True)
class PublicFact:
    """A field of a body: its names on the wire, and why all members see it."""

    names: str
    because: str


_ID = "an id drawn at random, by which later acts name it; it tells nothing"
_SIGNED = "a late or future date is a finding that every node recomputes"
_COMMITTED = "a salted commitment to the fine state: its parties can prove it later, nobody can read it"
_READERS = "who may acknowledge, complain of, or pass on the document; an envelope goes to nobody else"
_OF_MEMBER = "keys and members are what everybody checks signatures by"
_PIECES = "pieces must balance over all countries at every block"

_FACTS: Mapping[str, PublicFact] = {
    "certificate": PublicFact("certificate", _ID),
    "form": PublicFact(
        "form", "says which agreement it is of: who may certify, and which claims may rest on it"
    ),
    "signed_on": PublicFact(
        "signed_on", "four years from it are counted, and a signature after the claim is a finding"
    ),
    "blanket": PublicFact("blanket", "imports outside it, and more than twelve months, are findings"),
    "shipment": PublicFact("shipment", "a certificate for one shipment used for a second one is a finding"),
    "addressees": PublicFact("addressees", _READERS),
    "holder": PublicFact("holder", "possession before the claim is the importer's own, so it must be named"),
    "successor": PublicFact(
        "successor", "who relies on a replaced certificate must find the one in its place"
    ),
    "complaint": PublicFact(
        "reason, evidence",
        "whom it accuses of what, by the accused's own signature: the sender can mend it, and nobody is accused by a "
        "mere word; digests and the hash of a sealed envelope tell nothing of any field",
    ),
    "fine": PublicFact("fine", _COMMITTED),
    "broker": PublicFact(
        "broker", "every node decides whether a broker had a power of attorney when it acted"
    ),
    "first": PublicFact("from", "every node decides whether it was in force on the day of an act"),
    "last": PublicFact("to", "every node decides whether it was in force on the day of an act"),
    "line": PublicFact("entry, line", "an entry line is claimed once; a duplicate is refused"),
    "regime": PublicFact(
        "regime", "which agreement governs the import date, and what it asks for, is checked"
    ),
    "spi": PublicFact("spi", "the indicator must be one of the agreement's"),
    "entry_on": PublicFact("entry_on", "ten working days from entry to the summary are counted from it"),
    "import_on": PublicFact("import_on", "blanket, agreement and the year for a late claim go by it"),
    "importer_of_record": PublicFact("importer_of_record", "a broker acts in a named importer's name"),
    "discovered_on": PublicFact(
        "discovered_on", "thirty days from discovery to correction are counted from it"
    ),
    "verification": PublicFact("verification", _ID),
    "party": PublicFact("party", "the party alone may answer"),
    "also": PublicFact("also", _READERS),
    "custody": PublicFact(
        "custody", "each party of the chain must endorse; a missing endorsement is a finding"
    ),
    "entry": PublicFact("entry", "a form is filed under one entry"),
    "carnet": PublicFact("carnet", _ID),
    "issuer": PublicFact("issuer", "it alone may issue and discharge"),
    "guarantor": PublicFact("guarantor", "claims go along the chain of guarantees, so its ends are named"),
    "valid_until": PublicFact(
        "valid_until", "nothing leaves or comes in under an expired carnet; claims are counted from it"
    ),
    "items": PublicFact("items: item numbers and pieces", _PIECES),
    "serial": PublicFact("serial", "a serial is used once in a carnet's line"),
    "counterfoil": PublicFact("counterfoil", "voucher and counterfoil must bear one serial"),
    "kind": PublicFact("kind", "which border the goods cross decides who may endorse, and where pieces go"),
    "office": PublicFact("office", "the customs that the goods are presented to alone may endorse"),
    "cites": PublicFact("cites", "what came in under one voucher goes out under it, and under no other"),
    "endorsed_on": PublicFact(
        "endorsed_on", "the day of the stamp governs: late re-export and expiry are findings"
    ),
    "final_on": PublicFact("final_on", "a re-export after it is a finding; a claim before it too"),
    "unconditional": PublicFact("unconditional", "an unconditional discharge bars customs' claim"),
    "voucher": PublicFact("carnet, voucher", "a claim is on what came in under one voucher, once"),
    "association": PublicFact("association", "it alone may answer"),
    "improper": PublicFact("improper", "only a discharge said to be improper may be claimed on"),
    "document_class": PublicFact("class", "official documents are for authorities alone to anchor"),
    "root": PublicFact("root", "the document that an envelope is held against"),
    "to": PublicFact("to", _READERS),
    "organization": PublicFact("organization", _OF_MEMBER),
    "name": PublicFact("name", _OF_MEMBER),
    "country": PublicFact("country", "whose customs decides, and which border is home, goes by it"),
    "roles": PublicFact("roles", "rights follow roles"),
    "key": PublicFact("key", _OF_MEMBER),
    "key_proof": PublicFact("key_proof", _OF_MEMBER),
    "box_key": PublicFact("box_key", "envelopes are sealed to it"),
    "node": PublicFact("node_key, node_key_proof, url", _OF_MEMBER),
    "in_place_of": PublicFact("in_place_of", "one orderer gives its seat to another in one step"),
    "incarnation": PublicFact("incarnation", "a lost store never comes back as itself"),
    "compromised_since": PublicFact("compromised_since", "from which height on a stolen key convicts nobody"),
    "successor_proof": PublicFact("successor_proof", _OF_MEMBER),
}

_OF_ONE_ACT: Mapping[tuple[str, str], PublicFact] = {
    ("fisheries.permit", "holder"): PublicFact("holder", "a filing without a permit in force is a finding"),
    ("fisheries.draft", "form"): PublicFact("form370", _ID),
    ("fisheries.draft", "shipment"): PublicFact("shipment", "a second form for a shipment is a finding"),
    ("fisheries.endorse", "form"): PublicFact("form370", _ID),
    ("fisheries.endorse", "signed_on"): PublicFact("signed_on", _SIGNED),
    ("fisheries.file", "form"): PublicFact("form370", _ID),
    ("fisheries.file", "import_on"): PublicFact("import_on", "a form filed after importation is a finding"),
    **{
        (f"fisheries.{act}", "form"): PublicFact("form370", _ID)
        for act in ("open", "respond", "act", "close")
    },
    ("carnet.replace", "successor"): PublicFact("successor", "the lost carnet is dead; the new one goes on"),
    ("key.revoke", "successor"): PublicFact("successor", _OF_MEMBER),
    ("verification.open", "regime"): PublicFact(
        "regime", "an importer may be verified under one agreement alone"
    ),
}


def body_fields(act: str) -> tuple[str, ...]:
    """Return the names of an act's fields, as its record has them.

    Raises:
        TypeError: if the act's body is read by no record.
    """
    record = getattr(RULES[act].read, "__self__", None)
    if not isinstance(record, type) or not dataclasses.is_dataclass(record):
        raise TypeError(f"{act}: its body is read by no record; read it by a classmethod of one")
    return tuple(field.name for field in dataclasses.fields(record))


def public_fact(act: str, field: str) -> PublicFact:
    """Return why a field of an act is public.

    Raises:
        KeyError: if nobody has said why.
    """
    return _OF_ONE_ACT.get((act, field)) or _FACTS[field]


def public_facts_of_acts() -> Iterator[tuple[PublicFact, list[str]]]:
    """Yield every public fact with the acts that tell it, in the order of the acts."""
    acts: dict[PublicFact, list[str]] = {}
    for act in RULES:
        for field in body_fields(act):
            acts.setdefault(public_fact(act, field), []).append(act)
    yield from acts.items()


def unused_reasons() -> list[str]:
    """Return the names that have a reason and are in no body any more."""
    used = {(act, field) for act in RULES for field in body_fields(act)}
    plain = {field for act, field in used if (act, field) not in _OF_ONE_ACT}
    return [
        *(name for name in _FACTS if name not in plain),
        *(str(key) for key in _OF_ONE_ACT if key not in used),
    ]
