"""A small consortium whose keys come from a seed, for the ledger's tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from ledger.block import Block, build_block
from ledger.checkpoint import certificate_of, sign_checkpoint
from ledger.contracts.membership import Purpose, prove_possession
from ledger.electorate import Electorate
from ledger.encoding import Value
from ledger.execution import Ledger
from ledger.genesis import Genesis, Organization, Role
from ledger.keys import BoxKey, PublicKey, SigningKey, Verifier, seed_for
from ledger.lineage import ConfigurationLink, build_link
from ledger.receipt import Execution, Receipt
from ledger.roster import Roster
from ledger.transaction import SignedTransaction, Transaction, sign_approval, sign_transaction

ROLES = {
    "cbp": (Role.CUSTOMS,),
    "acme": (Role.EXPORTER, Role.PRODUCER),
    "globex": (Role.IMPORTER,),
    "chamber": (Role.CHAMBER,),
    "noaa": (Role.FISHERIES, Role.OBSERVER),
}


def _organization(name: str, roles: tuple[Role, ...]) -> Organization:
    return Organization(
        id=name,
        name=name.upper(),
        country="US",
        roles=roles,
        key=SigningKey.from_seed(seed_for("test", f"{name}/organization")).public,
        node_key=SigningKey.from_seed(seed_for("test", f"{name}/node")).public,
        box_key=BoxKey.from_seed(seed_for("test", f"{name}/box")).public,
    )


@dataclass
class Founders:
    """Genesis and the secret keys behind it."""

    genesis: Genesis = field(
        default_factory=lambda: Genesis(
            name="pilot",
            time_ms=1_530_000_000_000,
            organizations=tuple(_organization(name, roles) for name, roles in ROLES.items()),
            orderers=("cbp", "acme", "globex", "chamber", "noaa"),
            insecure_keys=True,
        )
    )

    @property
    def roster(self) -> Roster:
        return Roster.of_genesis(self.genesis)

    @property
    def electorate(self) -> Electorate:
        return self.roster.electorate(1)

    def key(self, organization: str) -> SigningKey:
        return SigningKey.from_seed(seed_for("test", f"{organization}/organization"))

    def node_key(self, organization: str) -> SigningKey:
        return SigningKey.from_seed(seed_for("test", f"{organization}/node"))

    def transaction(self, **changes: object) -> Transaction:
        fields: dict[str, object] = {
            "version": 1,
            "network": self.genesis.network,
            "type": "claim.file",
            "creator": "globex",
            "nonce": (5, 1),
            "valid_until_ms": 1_530_000_600_000,
            "documents": (),
            "approvals": (),
            "body": {"entry": "ABC-1234567-8", "line": 1, "fine": bytes(32)},
        }
        return Transaction(**(fields | changes))  # type: ignore[arg-type]

    def signed(self, **changes: object) -> SignedTransaction:
        transaction = self.transaction(**changes)
        return sign_transaction(transaction, self.key(transaction.creator))

    def block(self, **changes: object) -> Block:
        fields: dict[str, object] = {
            "network": self.genesis.network,
            "height": 1,
            "term": 3,
            "previous": self.genesis.hash,
            "time_ms": 1_530_000_001_000,
            "transactions": (self.signed().raw, self.signed(nonce=(5, 2)).raw, self.signed(nonce=(5, 3)).raw),
            "proposer": "cbp",
            "key": self.node_key("cbp"),
        }
        return build_block(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def founders() -> Founders:
    return Founders()


MAJORITY = ("cbp", "acme", "globex")


class Consortium:
    """One ledger and all who act on it; `keys` and `node_keys` are what they sign with now."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.ledger = Ledger(genesis, Verifier())
        self.secrets: dict[PublicKey, SigningKey] = {}
        self.keys = {o.id: self.signing(f"{o.id}/organization") for o in genesis.organizations}
        self.node_keys = {o.id: self.signing(f"{o.id}/node") for o in genesis.organizations}
        self.counter = 0
        self.blocks: list[Block] = []
        self.links: list[ConfigurationLink] = []

    def signing(self, name: str) -> SigningKey:
        key = SigningKey.from_seed(seed_for("test", name))
        self.secrets[key.public] = key
        return key

    @staticmethod
    def box(name: str) -> PublicKey:
        return PublicKey(BoxKey.from_seed(seed_for("test", name)).public)

    @property
    def roster(self) -> Roster:
        return self.ledger.roster

    def proof(self, key: SigningKey, organization: str, purpose: Purpose) -> bytes:
        return prove_possession(key, self.genesis.network, organization, purpose)

    def sign(
        self,
        creator: str,
        kind: str,
        body: dict[str, Value],
        approvers: tuple[str, ...] = (),
        key: SigningKey | None = None,
        **changes: object,
    ) -> SignedTransaction:
        self.counter += 1
        fields: dict[str, object] = {
            "version": 1,
            "network": self.genesis.network,
            "type": kind,
            "creator": creator,
            "nonce": (9, self.counter),
            "valid_until_ms": self.ledger.time_ms + 86_400_000,
            "documents": (),
            "approvals": (),
            "body": body,
        }
        transaction = Transaction(**(fields | changes))  # type: ignore[arg-type]
        approvals = tuple((name, sign_approval(transaction, self.keys[name])) for name in approvers)
        if approvals:
            transaction = replace(transaction, approvals=approvals)
        return sign_transaction(transaction, key or self.keys[creator])

    def block(self, *raws: bytes) -> Execution:
        """Cut, execute and certify one block, and keep its link if it changed the roster."""
        proposer = self.roster.orderers[0]
        block = build_block(
            network=self.genesis.network,
            height=self.ledger.height + 1,
            term=1,
            previous=self.ledger.block_hash,
            time_ms=self.ledger.time_ms + 1000,
            transactions=raws,
            proposer=proposer,
            key=self.secrets[self.roster.organization(proposer).node_key],
        )
        execution = self.ledger.execute(block, block.hash)
        self.blocks.append(block)
        if execution.changes_roster:
            note = self.certify(execution)
            size = execution.checkpoint.size
            self.links.append(build_link(block.encode(), note, size, self.ledger.log))
        return execution

    def certify(self, execution: Execution) -> str:
        """Have everyone sign who may, with its key of that height."""
        electorate = self.roster.electorate(execution.height)
        checkpoint = execution.checkpoint
        signatures = [
            (name, sign_checkpoint(checkpoint, self.secrets[public]))
            for name, public in electorate.keys.items()
        ]
        return certificate_of(checkpoint, signatures, electorate).note(electorate)

    def act(
        self,
        creator: str,
        kind: str,
        body: dict[str, Value],
        approvers: tuple[str, ...] = (),
        **changes: object,
    ) -> Receipt:
        """Run one transaction in a block of its own and return its receipt."""
        signed = self.sign(creator, kind, body, approvers, **changes)  # type: ignore[arg-type]
        return self.block(signed.raw).receipts[0]

    # Bodies.

    def joining(self, organization: str, changes: dict[str, Value] | None = None) -> dict[str, Value]:
        key, node = self.signing(f"{organization}/organization"), self.signing(f"{organization}/node")
        self.keys[organization], self.node_keys[organization] = key, node
        body: dict[str, Value] = {
            "organization": organization,
            "name": organization.upper(),
            "country": "DE",
            "roles": ["broker"],
            "key": key.public,
            "key_proof": self.proof(key, organization, Purpose.ORGANIZATION),
            "box_key": self.box(f"{organization}/box"),
            "node_key": node.public,
            "node_key_proof": self.proof(node, organization, Purpose.NODE),
            "url": f"http://{organization}:7000",
        }
        return body | (changes or {})

    def replacing(self, organization: str, incarnation: int, **changes: Value) -> dict[str, Value]:
        node = self.signing(f"{organization}/node {incarnation}")
        self.node_keys[organization] = node
        body: dict[str, Value] = {
            "incarnation": incarnation,
            "node_key": node.public,
            "node_key_proof": self.proof(node, organization, Purpose.NODE),
        }
        return body | changes

    def rotating(self, organization: str, number: int) -> tuple[dict[str, Value], SigningKey]:
        key = self.signing(f"{organization}/organization {number}")
        proof = self.proof(key, organization, Purpose.ORGANIZATION)
        return {"key": key.public, "key_proof": proof}, key


@pytest.fixture
def consortium(founders) -> Consortium:
    return Consortium(founders.genesis)


@pytest.fixture
def make_consortium() -> type[Consortium]:
    return Consortium
