"""A small customs pilot on one ledger: each act is one block, at a date and time in Washington."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from random import Random
from zoneinfo import ZoneInfo

import pytest

from ledger.block import build_block
from ledger.codes import Code
from ledger.contracts.records import (
    CertificateRecord,
    ClaimRecord,
    HoldingRecord,
    read_certificate,
    read_claim,
    read_holding,
)
from ledger.encoding import Value
from ledger.envelopes import seal_statement
from ledger.execution import Ledger
from ledger.genesis import Genesis, Organization, Role
from ledger.holidays_data import calendar_data
from ledger.keys import BoxKey, Domain, SigningKey, Verifier, seed_for
from ledger.receipt import Execution, Receipt
from ledger.state import certificate_key, claim_key, holding_key
from ledger.transaction import SignedTransaction, Transaction, sign_transaction

ZONE = "America/New_York"
ROLES = {
    "cbp": (Role.CUSTOMS,),
    "acme": (Role.EXPORTER, Role.PRODUCER),
    "rival": (Role.EXPORTER,),
    "globex": (Role.IMPORTER,),
    "initech": (Role.IMPORTER,),
    "mill": (Role.PRODUCER,),
    "cannery": (Role.PROCESSOR,),
    "noaa": (Role.FISHERIES,),
    "chamber": (Role.CHAMBER, Role.GUARANTEEING),
    "swift": (Role.BROKER,),
    "slow": (Role.BROKER,),
    "watcher": (Role.OBSERVER,),
    "aduana": (Role.CUSTOMS,),
    "conapesca": (Role.FISHERIES,),
}
ABROAD = {"aduana": "MX", "conapesca": "MX"}
C1 = bytes([1]) * 16
C2 = bytes([2]) * 16
FINE = bytes(32)


def signing_key(organization: str) -> SigningKey:
    return SigningKey.from_seed(seed_for("pilot", f"{organization}/organization"))


def node_key(organization: str) -> SigningKey:
    return SigningKey.from_seed(seed_for("pilot", f"{organization}/node"))


def at_ms(when: str) -> int:
    """UTC milliseconds of a local date and time, noon if only a date is given."""
    moment = datetime.datetime.fromisoformat(when if " " in when else f"{when} 12:00")
    return int(moment.replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


@pytest.fixture(scope="session")
def pilot_genesis() -> Genesis:
    offsets, holidays = calendar_data(ZONE, 2017, 2023)
    return Genesis(
        name="pilot",
        time_ms=at_ms("2017-06-01"),
        organizations=tuple(
            Organization(
                id=name,
                name=name.upper(),
                country=ABROAD.get(name, "US"),
                roles=roles,
                key=signing_key(name).public,
                node_key=node_key(name).public,
                box_key=BoxKey.from_seed(seed_for("pilot", f"{name}/box")).public,
            )
            for name, roles in ROLES.items()
        ),
        orderers=("cbp", "acme", "globex"),
        zone=ZONE,
        zone_offsets=offsets,
        holidays=holidays,
        insecure_keys=True,
    )


def sealed_evidence(
    network: str,
    root: bytes,
    to: str,
    by: str = "acme",
    *,
    envelope: bytes = b"e" * 32,
    signer: SigningKey | None = None,
) -> dict[str, Value]:
    """What a complaint about an envelope shows: its seal, signed by its sender."""
    signature = (signer or signing_key(by)).sign(Domain.SEAL, network, seal_statement(root, to, envelope))
    return {"by": by, "envelope": envelope, "signature": signature}


class Pilot:
    """One ledger, and the organizations that act on it."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.ledger = Ledger(genesis, Verifier())
        self.counter = 0
        self.roots = Random("roots")

    def sign(self, creator: str, kind: str, body: dict[str, Value], **changes: object) -> SignedTransaction:
        self.counter += 1
        fields: dict[str, object] = {
            "version": 1,
            "network": self.genesis.network,
            "type": kind,
            "creator": creator,
            "nonce": (7, self.counter),
            "valid_until_ms": self.ledger.time_ms + 86_400_000,
            "documents": (),
            "approvals": (),
            "body": body,
        } | changes
        signer = str(fields.pop("signer", creator))
        return sign_transaction(Transaction(**fields), signing_key(signer))  # type: ignore[arg-type]

    def block(self, *raws: bytes, time_ms: int | None = None) -> Execution:
        """Execute one block."""
        ledger = self.ledger
        block = build_block(
            network=self.genesis.network,
            height=ledger.height + 1,
            term=1,
            previous=ledger.block_hash,
            time_ms=ledger.time_ms if time_ms is None else time_ms,
            transactions=raws,
            proposer="cbp",
            key=node_key("cbp"),
        )
        return ledger.execute(block, block.hash)

    def act(
        self,
        creator: str,
        kind: str,
        body: dict[str, Value],
        *,
        on: str | None = None,
        document: bool = False,
    ) -> Receipt:
        """Execute one act in a block of its own."""
        time_ms = self.ledger.time_ms if on is None else at_ms(on)
        documents = (self.roots.randbytes(32),) if document else ()
        signed = self.sign(creator, kind, body, valid_until_ms=time_ms + 86_400_000, documents=documents)
        return self.block(signed.raw, time_ms=time_ms).receipts[0]

    # The acts most tests begin with.

    def anchor(self, on: str = "2018-09-04", certificate: bytes = C1, **changes: Value) -> Receipt:
        body: dict[str, Value] = {
            "certificate": certificate,
            "form": "NAFTA-434",
            "signed_on": "2018-09-04",
            "blanket": {"from": "2018-09-01", "to": "2019-08-31"},
            "shipment": None,
            "addressees": ["globex", "cbp"],
        }
        return self.act("acme", "certificate.anchor", body | changes, on=on, document=True)

    def hold(self, on: str = "2018-09-04", certificate: bytes = C1, holder: str = "globex") -> None:
        """Deliver and acknowledge a certificate."""
        body: dict[str, Value] = {"certificate": certificate, "holder": holder}
        assert self.act("acme", "certificate.deliver", body, on=on).code is Code.VALID
        acknowledgement = self.act(holder, "holding.acknowledge", {"certificate": certificate}, on=on)
        assert acknowledgement.code is Code.VALID

    def possess(self, on: str = "2018-09-04", **changes: Value) -> None:
        """Anchor, deliver and acknowledge a certificate."""
        assert self.anchor(on, **changes).code is Code.VALID
        self.hold(on)

    def claim(
        self, on: str = "2018-09-20", kind: str = "claim.file", importer: str = "globex", **changes: Value
    ) -> Receipt:
        body: dict[str, Value] = {
            "entry": "ABC-1234567-8",
            "line": 1,
            "regime": "NAFTA",
            "spi": "MX",
            "certificate": C1,
            "entry_on": "2018-09-18",
            "import_on": "2018-09-18",
            "fine": FINE,
        }
        return self.act(importer, kind, body | changes, on=on)

    def decide(self, kind: str, on: str | None = None, *, document: bool = False) -> Receipt:
        body: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1, "fine": bytes([9]) * 32}
        return self.act("cbp", kind, body, on=on, document=document)

    def complain(self, who: str = "globex", reason: str = "UNREADABLE", certificate: bytes = C1) -> Receipt:
        """Let a holder complain of the envelope that acme sealed for it."""
        root = self.certificate_record(certificate).root
        evidence = sealed_evidence(self.genesis.network, root, who)
        body: dict[str, Value] = {"certificate": certificate, "reason": reason, "evidence": evidence}
        return self.act(who, "holding.complain", body)

    def certificate_record(self, certificate: bytes = C1) -> CertificateRecord:
        data = self.ledger.state.get(certificate_key(certificate))
        assert data is not None
        return read_certificate(data)

    def holding_record(self, certificate: bytes = C1, holder: str = "globex") -> HoldingRecord:
        data = self.ledger.state.get(holding_key(certificate, holder))
        assert data is not None
        return read_holding(data)

    def claim_record(self, entry: str = "ABC-1234567-8", line: int = 1) -> ClaimRecord:
        data = self.ledger.state.get(claim_key(entry, line))
        assert data is not None
        return read_claim(data)


@pytest.fixture
def pilot(pilot_genesis: Genesis) -> Pilot:
    return Pilot(pilot_genesis)


@pytest.fixture(scope="session")
def pilot_on() -> Callable[[Genesis], Pilot]:
    """Makes a pilot of another founding."""
    return Pilot


@pytest.fixture(scope="session")
def new_pilot(pilot_genesis: Genesis) -> Callable[[], Pilot]:
    return lambda: Pilot(pilot_genesis)
