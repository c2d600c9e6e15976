"""A client that asks again, through real cores and a real ledger: how often does its transaction count?

Rules:

- Customs suspends a holding. The leader it asked dies at a random moment, so the outcome is unknown (dissertation,
  section 6.3). Another program of Customs sees what the ledger shows and reinstates the holding if it was
  suspended; then the first program, back again, asks again with the same bytes.
- Every committed entry is one block. All nodes' applied logs are executed, and must give the same receipts.
- What is acknowledged has one effect: a transaction is VALID in exactly one block.
"""

import datetime
from random import Random
from typing import Any

from ledger.ablation import Safeguards
from ledger.block import build_block
from ledger.codes import Code
from ledger.encoding import Value
from ledger.execution import Ledger
from ledger.genesis import Genesis, Organization, Role
from ledger.holidays_data import calendar_data
from ledger.keys import BoxKey, SigningKey, Verifier, seed_for
from ledger.transaction import SignedTransaction, Transaction, parse_transaction, sign_transaction

START_MS = int(datetime.datetime(2018, 9, 4, 16, tzinfo=datetime.UTC).timestamp() * 1000)
ROLES = {"cbp": Role.CUSTOMS, "acme": Role.EXPORTER, "globex": Role.IMPORTER}
CERTIFICATE = bytes([1]) * 16


def _key(organization: str, use: str) -> SigningKey:
    return SigningKey.from_seed(seed_for("retries", f"{organization}/{use}"))


def _genesis() -> Genesis:
    offsets, holidays = calendar_data("America/New_York", 2018, 2019)
    return Genesis(
        name="retries",
        time_ms=START_MS - 1,
        organizations=tuple(
            Organization(
                id=name,
                name=name.upper(),
                country="US",
                roles=(role,),
                key=_key(name, "organization").public,
                node_key=_key(name, "node").public,
                box_key=BoxKey.from_seed(seed_for("retries", f"{name}/box")).public,
            )
            for name, role in ROLES.items()
        ),
        orderers=tuple(ROLES),
        zone="America/New_York",
        zone_offsets=offsets,
        holidays=holidays,
        insecure_keys=True,
    )


GENESIS = _genesis()


def _signed(creator: str, kind: str, number: int, body: dict[str, Value]) -> SignedTransaction:
    documents = (bytes([number]) * 32,) if kind == "certificate.anchor" else ()
    transaction = Transaction(
        version=1,
        network=GENESIS.network,
        type=kind,
        creator=creator,
        nonce=(7, number),
        valid_until_ms=START_MS + 600_000,
        documents=documents,
        approvals=(),
        body=body,
    )
    return sign_transaction(transaction, _key(creator, "organization"))


_HELD: dict[str, Value] = {"certificate": CERTIFICATE, "holder": "globex"}
BEFORE = (
    _signed(
        "acme",
        "certificate.anchor",
        1,
        {
            "certificate": CERTIFICATE,
            "form": "NAFTA-434",
            "signed_on": "2018-09-04",
            "blanket": {"from": "2018-09-01", "to": "2019-08-31"},
            "shipment": None,
            "addressees": ["globex", "cbp"],
        },
    ),
    _signed("acme", "certificate.deliver", 2, _HELD),
    _signed("globex", "holding.acknowledge", 3, {"certificate": CERTIFICATE}),
)
SUSPEND = _signed("cbp", "holding.open", 4, _HELD | {"fine": bytes(32)})
REINSTATE = _signed("cbp", "holding.close", 5, _HELD | {"fine": bytes(32)})


def executed(log: list[bytes], safeguards: Safeguards) -> list[tuple[bytes, Code]]:
    """What becomes of each entry of an applied log, one block each."""
    ledger = Ledger(GENESIS, Verifier(), safeguards)
    outcome = []
    for raw in log:
        block = build_block(
            network=GENESIS.network,
            height=ledger.height + 1,
            term=1,
            previous=ledger.block_hash,
            time_ms=START_MS,
            transactions=(raw,),
            proposer="cbp",
            key=_key("cbp", "node"),
        )
        (receipt,) = ledger.execute(block, block.hash).receipts
        outcome.append((receipt.id, receipt.code))
    return outcome


def assert_single_effect(log: list[bytes], safeguards: Safeguards) -> None:
    """Every transaction that was ordered at all is VALID once."""
    outcome = executed(log, safeguards)
    for height, (name, _) in enumerate(outcome, 1):
        valid = [place for place, done in enumerate(outcome, 1) if done == (name, Code.VALID)]
        kind = parse_transaction(log[height - 1], len(log[height - 1])).transaction.type
        assert len(valid) == 1, (
            f"one {kind} is applied twice: in blocks {' and '.join(str(place) for place in valid)}"
            if valid
            else f"{kind} of block {height} was acknowledged and has no effect"
        )


def _order(cluster: Any, transaction: SignedTransaction) -> None:
    """A client asks whoever leads, and waits for its answer."""
    (leader,) = cluster.leaders()
    cluster.touch(leader, lambda core: core.propose(transaction.raw))
    cluster.settle()
    assert transaction.raw in cluster.applied(leader)


def a_lost_answer(cluster: Any, random: Random, gossip: Any, safeguards: Safeguards) -> None:
    """The leader dies while it holds the suspension; what survives is decided by the messages that got out."""
    cluster.elect(1)
    for transaction in BEFORE:
        _order(cluster, transaction)
    cluster.touch(1, lambda core: core.propose(SUSPEND.raw))
    gossip(cluster, random, random.randrange(4))
    cluster.crash(1, random.randrange(2))
    cluster.flying.clear()
    for candidate in (2, 3):
        cluster.campaign(candidate)
        cluster.run(25)
    cluster.restart(1)
    cluster.run(2)
    (leader,) = cluster.leaders()
    if SUSPEND.raw in cluster.applied(leader):
        _order(cluster, REINSTATE)
    _order(cluster, SUSPEND)  # asked again, for the first outcome is unknown to its client
    cluster.run(2)
    for node in cluster.ids:
        assert_single_effect(cluster.applied(node), safeguards)
