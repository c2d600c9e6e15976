"""A small consortium whose keys come from a seed, for the ledger's tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ledger.block import Block, build_block
from ledger.electorate import Electorate
from ledger.genesis import Genesis, Organization, Role
from ledger.keys import BoxKey, SigningKey, seed_for
from ledger.roster import Roster
from ledger.transaction import SignedTransaction, Transaction, sign_transaction

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
