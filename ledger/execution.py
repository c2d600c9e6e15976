"""Runs a block through validation and contracts into receipts, leaves and state.

Rules:
- Order, then execute: every ordered transaction gets one receipt, and every node the same one.
- `validation`'s checks come first, the contract's last; the first that fails gives the code.
- VALID, RULE_VIOLATED and NOT_AUTHORIZED use up id and nonce; nothing else does. A dishonest leader that
  orders an honest body with a rubbish signature first therefore takes nothing from its creator. A receipt for
  bytes that do not parse has their `malformed_id`, so it cannot pass for any transaction's.
- A refused transaction changes nothing but its nonce record.
- The state tree is updated once per block. Receipts' leaves come first, then that of a changed roster, then the
  block's with the state root.
- `admit` asks the same checks of bytes that are not ordered yet, but for the contract: what it refuses now,
  execution would refuse now, and it changes nothing.
- A configuration transaction is alone in its block; once it is VALID the next block is judged by the new roster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.ablation import ALL_ON, Safeguards, check_permitted
from ledger.block import Block
from ledger.checkpoint import Checkpoint
from ledger.codes import Code
from ledger.contracts.act import Context, Sender
from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.findings import Finding
from ledger.contracts.membership.approval import judged_approvals
from ledger.contracts.table import RuleViolatedError
from ledger.encoding import encode
from ledger.errors import BadBlockError, BadProofError
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.merkle import MerkleLog, leaf_hash
from ledger.nonces import NonceRecords, nonce_user
from ledger.receipt import CONSUMING, Execution, Receipt
from ledger.roster import Roster, roster_leaf
from ledger.state import MEMBERSHIP_KEY, Overlay
from ledger.statechunks import FrozenState
from ledger.statetree import StateProof, StateTree
from ledger.transaction import SignedTransaction, malformed_id
from ledger.treestate import TreeState
from ledger.validation import Checked, Refused, Validation


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether bytes may wait for a block.

    Attributes:
        code: VALID, or why not.
        id: the transaction's id, if the bytes are one.
        message: what does not hold: thing, value, limit.
        remedy: what the sender should do.
        transaction: the parsed transaction, if the code is VALID.
    """

    code: Code
    id: bytes | None
    message: str
    remedy: str
    transaction: SignedTransaction | None = None


class Ledger:
    """The executed ledger in memory: state, state tree, Merkle log and where it stands.

    Args:
        genesis: of the network.
        verifier: for signatures; one per process may serve many ledgers.
        safeguards: all on, but for tests; see `ledger.ablation`.

    Raises:
        AblationError: if a safeguard is off outside a test.
    """

    __slots__ = (
        "_calendar",
        "_nonces",
        "_validation",
        "block_hash",
        "genesis",
        "height",
        "log",
        "roster",
        "state",
        "time_ms",
        "verifier",
    )

    genesis: Genesis
    """Of the network."""

    roster: Roster
    """Who belongs to the network after the last block."""

    height: int
    """Of the last executed block; 0 is genesis."""

    block_hash: bytes
    """That block's hash."""

    time_ms: int
    """That block's time, UTC milliseconds."""

    def __init__(self, genesis: Genesis, verifier: Verifier, safeguards: Safeguards = ALL_ON) -> None:
        check_permitted(safeguards)
        self._set_up(genesis, verifier, genesis_items(genesis), MerkleLog(), safeguards)

    @classmethod
    def restore(
        cls,
        genesis: Genesis,
        verifier: Verifier,
        *,
        height: int,
        block_hash: bytes,
        time_ms: int,
        state_items: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        log: MerkleLog,
    ) -> Ledger:
        """Return the ledger as it stood after a block.

        Args:
            genesis: of the network.
            verifier: for signatures.
            height: of the last executed block.
            block_hash: its hash.
            time_ms: its time.
            state_items: every key and value of the state after it.
            log: the Merkle log after it.

        Raises:
            DamagedStoreError: if a nonce record in the state cannot be read.
            RosterError: if the state does not say who belongs to the network.
        """
        ledger = cls.__new__(cls)
        ledger._set_up(genesis, verifier, dict(state_items), log, ALL_ON)
        ledger.height = height
        ledger.block_hash = block_hash
        ledger.time_ms = time_ms
        return ledger

    def _set_up(
        self,
        genesis: Genesis,
        verifier: Verifier,
        items: dict[str, bytes],
        log: MerkleLog,
        safeguards: Safeguards,
    ) -> None:
        self.genesis = genesis
        self.verifier = verifier
        self.state = TreeState(items)
        self.roster = Roster.of_state(genesis, self.state)
        self.log = log
        self.height = 0
        self.block_hash = genesis.hash
        self.time_ms = genesis.time_ms
        self._calendar = LegalCalendar.of(genesis)
        self._validation = Validation(genesis, verifier, safeguards)
        self._nonces = NonceRecords(self.state)

    @property
    def calendar(self) -> LegalCalendar:
        """The network's zone and holidays."""
        return self._calendar

    @property
    def tree(self) -> StateTree:
        """The state tree after the last block."""
        return self.state.tree

    @property
    def state_root(self) -> bytes:
        """The state tree's root after the last block."""
        return self.tree.root

    @property
    def checkpoint(self) -> Checkpoint:
        """What a node states of the log as it stands."""
        return Checkpoint(
            origin=self.genesis.origin,
            size=self.log.size,
            root=self.log.root(),
            height=self.height,
            block_hash=self.block_hash,
            state_root=self.tree.root,
        )

    def freeze(self) -> FrozenState:
        """Return the state as it stands; what is executed afterwards leaves it as it is.

        What both have in common they share, so that it costs nothing.
        """
        return FrozenState(self.height, self.tree.freeze())

    def nonce_user(self, organization: str, nonce: tuple[int, int]) -> bytes | None:
        """Return the id of the transaction that used a nonce, or None if none did or it is forgotten."""
        return nonce_user(self.state, organization, nonce)

    def prove(self, key: str) -> StateProof:
        """Return the proof that a key has its value in the present state, or that it is absent."""
        return self.tree.prove(key)

    def execute(self, block: Block, block_hash: bytes) -> Execution:
        """Execute the next block and return what it did.

        Args:
            block: whose header holds (`check_block`).
            block_hash: its hash, known to the caller.

        Raises:
            BadBlockError: if it is not the next block, or a configuration transaction is not alone in it; nothing
                has changed then.
        """
        self._check_place(block)
        is_configuration = block.is_configuration
        if is_configuration and len(block.transactions) > 1:
            raise BadBlockError(
                f"block {block.header.height}: a configuration transaction is not alone in it"
            )
        header = block.header
        changed = Overlay(self.state)
        self._nonces.forget(changed, header.time_ms)
        run = _Run(self, self._validation, self._nonces, changed, header.height, header.time_ms)
        receipts = tuple(run.execute(position, raw) for position, raw in enumerate(block.transactions))
        changes = changed.changes
        self.state.apply(changes)
        changes_roster = is_configuration and MEMBERSHIP_KEY in changes
        if changes_roster:
            self.roster = Roster.of_state(self.genesis, self.state)
        self.height = header.height
        self.block_hash = block_hash
        self.time_ms = header.time_ms
        leaves = (
            *(receipt.leaf() for receipt in receipts),
            *((roster_leaf(self.roster),) if changes_roster else ()),
            encode(["block", header.height, block_hash, header.time_ms, self.tree.root]),
        )
        for leaf in leaves:
            self.log.append(leaf_hash(leaf))
        return Execution(header.height, receipts, changes, leaves, self.checkpoint, changes_roster)

    def install(
        self,
        checkpoint: Checkpoint,
        *,
        time_ms: int,
        frontier: Sequence[bytes],
        changes: Mapping[str, bytes | None],
    ) -> None:
        """Go on from a later height that others executed.

        Args:
            checkpoint: what its certificate certifies.
            time_ms: its block's time.
            frontier: of the Merkle log at the checkpoint's size, largest subtree first.
            changes: from the present state to the checkpoint's; None is a deletion.

        Raises:
            BadProofError: if the changes or the frontier do not give the checkpoint's roots. The ledger cannot be
                used any more then.
        """
        self.state.apply(changes)
        if self.tree.root != checkpoint.state_root:
            raise BadProofError(f"height {checkpoint.height}: the state taken over has another root")
        self.log.skip(checkpoint.size, frontier)
        if self.log.root() != checkpoint.root:
            raise BadProofError(f"height {checkpoint.height}: the frontier taken over has another root")
        self.height = checkpoint.height
        self.block_hash = checkpoint.block_hash
        self.time_ms = time_ms
        self.roster = Roster.of_state(self.genesis, self.state)
        self._validation.forget()
        self._nonces = NonceRecords(self.state)

    def admit(self, raw: bytes, now_ms: int) -> Admission:
        """Say whether bytes may wait for a block; changes nothing.

        Args:
            raw: the full signed bytes.
            now_ms: the node's calendar; the last block's time if that is later, as the next block's cannot be
                less.
        """
        try:
            parsed = self._validation.parse(raw)
            checked = self._validation.check(parsed, self.roster, self.state, max(now_ms, self.time_ms))
        except Refused as refused:
            transaction_id = None if refused.signed is None else refused.signed.id
            return Admission(refused.code, transaction_id, refused.message, refused.code.remedy)
        self._validation.remember(raw, parsed)
        return Admission(Code.VALID, checked.signed.id, "", Code.VALID.remedy, checked.signed)

    def preview_roster(self, raw: bytes, now_ms: int) -> Roster:
        """Return the roster as a configuration transaction would make it if it were the next block; changes nothing.

        Args:
            raw: the full signed bytes.
            now_ms: the next block's time.
        """
        time_ms = max(now_ms, self.time_ms)
        try:
            checked = self._validation.check(self._validation.parse(raw), self.roster, self.state, time_ms)
            overlay = Overlay(self.state)
            checked.act.apply(
                _Run(self, self._validation, self._nonces, overlay, self.height + 1, time_ms).context(
                    checked
                ),
                overlay,
            )
            return Roster.of_state(self.genesis, overlay)
        except (Refused, RuleViolatedError):
            return self.roster

    def _check_place(self, block: Block) -> None:
        header = block.header
        if header.height != self.height + 1 or header.previous != self.block_hash:
            raise BadBlockError(
                f"block {header.height} after {header.previous.hex()} is not the next: the ledger stands at "
                f"{self.height}, {self.block_hash.hex()}"
            )
        if header.time_ms < self.time_ms:
            raise BadBlockError(
                f"block {header.height}: time {header.time_ms} ms is before the last one's, {self.time_ms} ms"
            )


class _Run:
    """One block's way through validation and contracts."""

    __slots__ = ("changed", "height", "ledger", "nonces", "time_ms", "today", "validation")

    def __init__(
        self,
        ledger: Ledger,
        validation: Validation,
        nonces: NonceRecords,
        changed: Overlay,
        height: int,
        time_ms: int,
    ) -> None:
        self.ledger = ledger
        self.validation = validation
        self.nonces = nonces
        self.changed = changed
        self.height = height
        self.time_ms = time_ms
        self.today = ledger.calendar.legal_date(time_ms)

    def execute(self, position: int, raw: bytes) -> Receipt:
        """Run one transaction and return its receipt."""
        try:
            parsed = self.validation.take(raw)
            checked = self.validation.check(parsed, self.ledger.roster, self.changed, self.time_ms)
        except Refused as refused:
            signed = refused.signed
            if signed is None:
                return Receipt(self.height, position, malformed_id(raw), refused.code)
            if refused.code in CONSUMING:
                self.nonces.used(signed, self.changed)
            return Receipt(self.height, position, signed.id, refused.code)
        self.nonces.used(checked.signed, self.changed)
        try:
            findings = self._apply(checked)
        except RuleViolatedError as error:
            return Receipt(self.height, position, checked.signed.id, Code.RULE_VIOLATED, rule=error.rule)
        names = tuple(finding.value for finding in findings)
        return Receipt(self.height, position, checked.signed.id, Code.VALID, findings=names)

    def context(self, checked: Checked) -> Context:
        """Return where a transaction of this block stands."""
        transaction = checked.signed.transaction
        return Context(
            event=transaction.type,
            sender=Sender(transaction.creator, frozenset(checked.member.roles)),
            documents=transaction.documents,
            time_ms=self.time_ms,
            today=self.today,
            calendar=self.ledger.calendar,
            height=self.height,
            roster=self.ledger.roster,
            approvals=judged_approvals(transaction, self.ledger.roster, self.ledger.verifier),
            verifier=self.ledger.verifier,
        )

    def _apply(self, checked: Checked) -> tuple[Finding, ...]:
        own = Overlay(self.changed)
        findings = checked.act.apply(self.context(checked), own)
        self.changed.apply(own.changes)
        return findings


def genesis_items(genesis: Genesis) -> dict[str, bytes]:
    """Return the state at height 0: every founding member."""
    return Roster.of_genesis(genesis).items()
