"""Runs a block through validation and contracts into receipts, leaves and state.

Rules:
- Order, then execute: every ordered transaction gets one receipt, and every node the same one.
- Checks in this order, the first that fails gives the code: size, form (envelope, then body), network,
  creator, signature, id executed, nonce, validity, type and role, contract.
- VALID, RULE_VIOLATED and NOT_AUTHORIZED use up id and nonce; nothing else does. A dishonest leader that
  orders an honest body with a rubbish signature first therefore takes nothing from its creator. A receipt for
  bytes that do not parse has their `malformed_id`, so it cannot pass for any transaction's.
- A nonce record holds the id that used it, so one key answers both "executed?" and "nonce used?". Records are
  forgotten once block time is past `valid_until_ms`, earliest first, a bounded number per block; the bytes
  are EXPIRED by then.
- A refused transaction changes nothing but its nonce record.
- The state tree is updated once per block. Receipts' leaves come first, then that of a changed roster, then the
  block's with the state root.
- `admit` asks the same checks of bytes that are not ordered yet, but for the contract: what it refuses now,
  execution would refuse now, and it changes nothing.
- A configuration transaction is alone in its block; once it is VALID the next block is judged by the new roster.
- What `admit` has parsed, execution takes from memory: form is a function of the bytes alone. The memory is
  bounded; all other checks are made again.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ledger.ablation import ALL_ON, Safeguards, check_permitted
from ledger.block import Block
from ledger.checkpoint import Checkpoint
from ledger.codes import Code
from ledger.contracts.act import Act, Context, Sender
from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.findings import Finding
from ledger.contracts.membership.approval import judged_approvals
from ledger.contracts.rules import TypeRule, read_act
from ledger.contracts.table import RuleViolatedError
from ledger.encoding import decode, encode
from ledger.errors import BadBlockError, BadProofError, DamagedStoreError, MalformedError
from ledger.genesis import Genesis
from ledger.keys import Verifier
from ledger.members import Member
from ledger.merkle import MerkleLog, leaf_hash
from ledger.roster import Roster, roster_leaf
from ledger.state import MEMBERSHIP_KEY, Overlay, Reader, State, nonce_key
from ledger.statechunks import FrozenState
from ledger.statetree import StateProof, StateTree
from ledger.transaction import SignedTransaction, malformed_id, parse_transaction

FORGOTTEN_PER_BLOCK_MAX = 1000
"""How many nonce records one block forgets at most: twice the default block, so that they cannot pile up."""

CONSUMING = frozenset(code for code in Code if code.consumes)
"""The codes with which an ordered transaction uses up its id and nonce."""

PARSED_MAX = 8192
"""How many admitted transactions are kept parsed until they are executed; the oldest go first."""

_NONCE_BYTES_MAX = 256
_NONCE_PREFIX = "nonce/"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one ordered transaction.

    Attributes:
        height: its block.
        position: its place in the block, from 0.
        id: the transaction's id; `malformed_id` of the bytes if they are none.
        code: the validation code.
        rule: id of the form rule that refused it, if one did.
        findings: recorded legal findings.
    """

    height: int
    position: int
    id: bytes
    code: Code
    rule: str | None = None
    findings: tuple[str, ...] = ()

    def leaf(self) -> bytes:
        """Return the Merkle log's leaf data."""
        return encode(
            ["receipt", self.height, self.position, self.id, self.code.value, self.rule, self.findings]
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of one block.

    Attributes:
        height: of the block.
        receipts: one per transaction, in order.
        changes: changed keys and values in the order of the keys; None is a deletion.
        leaves: data of the leaves that it added to the Merkle log.
        checkpoint: what a node states of the log after it.
        changes_roster: whether who belongs to the network is another than before.
    """

    height: int
    receipts: tuple[Receipt, ...]
    changes: dict[str, bytes | None]
    leaves: tuple[bytes, ...]
    checkpoint: Checkpoint
    changes_roster: bool = False


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


_Parsed: TypeAlias = "tuple[SignedTransaction, tuple[TypeRule, Act] | None]"
"""A transaction whose form holds, and its typed body unless its type is unknown."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A transaction after every check but the contract."""

    signed: SignedTransaction
    member: Member
    act: Act


class _Refused(Exception):  # noqa: N818 - a verdict that is caught here, no error
    """A check did not hold; `signed` is known if the bytes parse."""

    def __init__(self, code: Code, message: str, signed: SignedTransaction | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.signed = signed


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
        "_parsed",
        "_safeguards",
        "block_hash",
        "genesis",
        "height",
        "log",
        "roster",
        "state",
        "time_ms",
        "tree",
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
        self._set_up(genesis, verifier, genesis_items(genesis), MerkleLog())
        self._safeguards = safeguards

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
        ledger._set_up(genesis, verifier, dict(state_items), log)
        ledger.height = height
        ledger.block_hash = block_hash
        ledger.time_ms = time_ms
        return ledger

    def _set_up(self, genesis: Genesis, verifier: Verifier, items: dict[str, bytes], log: MerkleLog) -> None:
        self.genesis = genesis
        self.verifier = verifier
        self.state = State(items)
        self.roster = Roster.of_state(genesis, self.state)
        self.tree = StateTree(items)
        self.log = log
        self.height = 0
        self.block_hash = genesis.hash
        self.time_ms = genesis.time_ms
        self._calendar = LegalCalendar.of(genesis)
        self._parsed: OrderedDict[bytes, _Parsed] = OrderedDict()
        self._safeguards = ALL_ON
        self._read_nonces()

    def _read_nonces(self) -> None:
        self._nonces = [
            (_read_nonce(key, value)[1], key)
            for key, value in self.state.items()
            if key.startswith(_NONCE_PREFIX)
        ]
        heapq.heapify(self._nonces)

    @property
    def calendar(self) -> LegalCalendar:
        """The network's zone and holidays."""
        return self._calendar

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

        The tree is shared and copied where it changes; the values are copied now, a few milliseconds per
        100,000 keys.
        """
        return FrozenState(self.height, self.tree.freeze(), self.state.copy())

    def nonce_user(self, organization: str, nonce: tuple[int, int]) -> bytes | None:
        """Return the id of the transaction that used a nonce, or None if none did or it is forgotten."""
        key = nonce_key(organization, nonce)
        data = self.state.get(key)
        return None if data is None else _read_nonce(key, data)[0]

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
        self._forget_nonces(changed, header.time_ms)
        run = _Run(self, changed, header.height, header.time_ms)
        receipts = tuple(run.execute(position, raw) for position, raw in enumerate(block.transactions))
        changes = changed.changes
        self.state.apply(changes)
        self.tree.update(changes)
        for entry in run.nonces:
            heapq.heappush(self._nonces, entry)
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
        self.tree.update(changes)
        if self.tree.root != checkpoint.state_root:
            raise BadProofError(f"height {checkpoint.height}: the state taken over has another root")
        self.log.skip(checkpoint.size, frontier)
        if self.log.root() != checkpoint.root:
            raise BadProofError(f"height {checkpoint.height}: the frontier taken over has another root")
        self.height = checkpoint.height
        self.block_hash = checkpoint.block_hash
        self.time_ms = time_ms
        self.roster = Roster.of_state(self.genesis, self.state)
        self._parsed.clear()
        self._read_nonces()

    def admit(self, raw: bytes, now_ms: int) -> Admission:
        """Say whether bytes may wait for a block; changes nothing.

        Args:
            raw: the full signed bytes.
            now_ms: the node's calendar; the last block's time if that is later, as the next block's cannot be
                less.
        """
        try:
            parsed = self._check_form(raw)
            checked = self._check_rest(parsed, self.state, max(now_ms, self.time_ms))
        except _Refused as refused:
            transaction_id = None if refused.signed is None else refused.signed.id
            return Admission(refused.code, transaction_id, refused.message, refused.code.remedy)
        self._parsed[raw] = parsed
        if len(self._parsed) > PARSED_MAX:
            self._parsed.popitem(last=False)
        return Admission(Code.VALID, checked.signed.id, "", Code.VALID.remedy, checked.signed)

    def preview_roster(self, raw: bytes, now_ms: int) -> Roster:
        """Return the roster as a configuration transaction would make it if it were the next block; changes nothing.

        Args:
            raw: the full signed bytes.
            now_ms: the next block's time.
        """
        time_ms = max(now_ms, self.time_ms)
        try:
            checked = self._check_rest(self._check_form(raw), self.state, time_ms)
            overlay = Overlay(self.state)
            checked.act.apply(_Run(self, overlay, self.height + 1, time_ms).context(checked), overlay)
            return Roster.of_state(self.genesis, overlay)
        except (_Refused, RuleViolatedError):
            return self.roster

    def check(self, raw: bytes, state: Reader, time_ms: int) -> _Checked:
        """Make every check but the contract, in their order."""
        parsed = self._parsed.pop(raw, None)
        return self._check_rest(self._check_form(raw) if parsed is None else parsed, state, time_ms)

    def _check_rest(self, parsed: _Parsed, state: Reader, time_ms: int) -> _Checked:
        signed, act = parsed
        transaction = signed.transaction
        if transaction.network != self.genesis.network:
            message = f"network {transaction.network} is not this one, {self.genesis.network}"
            raise _Refused(Code.WRONG_NETWORK, message, signed)
        member = self.roster.find_ever(transaction.creator)
        if member is None:
            message = f"creator {transaction.creator} is no organization of {self.genesis.network}"
            raise _Refused(Code.UNKNOWN_ORGANIZATION, message, signed)
        if member.until is not None:
            message = f"creator {transaction.creator} was removed at height {member.until}"
            raise _Refused(Code.UNKNOWN_ORGANIZATION, message, signed)
        self._check_signature(signed, member)
        if self._safeguards.duplicate_suppression:
            _check_nonce(signed, state)
        self._check_validity(signed, time_ms)
        if act is None:
            message = f"no contract has the transaction type {transaction.type}"
            raise _Refused(Code.NOT_AUTHORIZED, message, signed)
        rule, body = act
        if rule.roles.isdisjoint(member.roles):
            needed = " or ".join(sorted(rule.roles))
            has = ", ".join(sorted(member.roles))
            message = f"{rule.type} needs the role {needed}; {transaction.creator} has {has}"
            raise _Refused(Code.NOT_AUTHORIZED, message, signed)
        return _Checked(signed, member, body)

    def _check_signature(self, signed: SignedTransaction, member: Member) -> None:
        current = member.keys[-1]
        if signed.holds(current.key, self.verifier):
            if current.until is None:
                return
            message = f"{member.id}'s key was revoked at height {current.until} and has no successor"
            raise _Refused(Code.REVOKED_KEY, message, signed)
        for former in member.keys[:-1]:
            if signed.holds(former.key, self.verifier):
                message = f"the signature is by a key of {member.id} that ended at height {former.until}"
                raise _Refused(Code.REVOKED_KEY, message, signed)
        raise _Refused(
            Code.BAD_SIGNATURE, f"the signature is not {member.id}'s over this transaction", signed
        )

    def _check_form(self, raw: bytes) -> _Parsed:
        limit_bytes = self.genesis.limits.transaction_bytes_max
        if len(raw) > limit_bytes:
            message = f"transaction of {len(raw)} bytes is over transaction_bytes_max, {limit_bytes}"
            raise _Refused(Code.TOO_LARGE, message)
        try:
            signed = parse_transaction(raw, limit_bytes)
            return signed, read_act(signed.transaction)
        except MalformedError as error:
            raise _Refused(Code.MALFORMED, str(error)) from error

    def _check_validity(self, signed: SignedTransaction, time_ms: int) -> None:
        valid_until_ms = signed.transaction.valid_until_ms
        if valid_until_ms < time_ms:
            message = f"valid_until_ms {valid_until_ms} is past; it is {time_ms}"
            raise _Refused(Code.EXPIRED, message, signed)
        latest_ms = time_ms + self.genesis.limits.valid_for_ms_max
        if valid_until_ms > latest_ms:
            message = f"valid_until_ms {valid_until_ms} is later than {latest_ms}, valid_for_ms_max from now"
            raise _Refused(Code.VALIDITY_TOO_LONG, message, signed)

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

    def _forget_nonces(self, changed: Overlay, time_ms: int) -> None:
        left = FORGOTTEN_PER_BLOCK_MAX
        while left and self._nonces and self._nonces[0][0] < time_ms:
            changed.delete(heapq.heappop(self._nonces)[1])
            left -= 1


class _Run:
    """One block's way through validation and contracts."""

    __slots__ = ("changed", "height", "ledger", "nonces", "time_ms", "today")

    def __init__(self, ledger: Ledger, changed: Overlay, height: int, time_ms: int) -> None:
        self.ledger = ledger
        self.changed = changed
        self.height = height
        self.time_ms = time_ms
        self.today = ledger.calendar.legal_date(time_ms)
        self.nonces: list[tuple[int, str]] = []

    def execute(self, position: int, raw: bytes) -> Receipt:
        """Run one transaction and return its receipt."""
        try:
            checked = self.ledger.check(raw, self.changed, self.time_ms)
        except _Refused as refused:
            signed = refused.signed
            if signed is None:
                return Receipt(self.height, position, malformed_id(raw), refused.code)
            if refused.code in CONSUMING:
                self._use_nonce(signed)
            return Receipt(self.height, position, signed.id, refused.code)
        self._use_nonce(checked.signed)
        try:
            findings = self._apply(checked)
        except RuleViolatedError as error:
            return Receipt(self.height, position, checked.signed.id, Code.RULE_VIOLATED, rule=error.rule)
        names = tuple(finding.value for finding in findings)
        return Receipt(self.height, position, checked.signed.id, Code.VALID, findings=names)

    def context(self, checked: _Checked) -> Context:
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

    def _apply(self, checked: _Checked) -> tuple[Finding, ...]:
        own = Overlay(self.changed)
        findings = checked.act.apply(self.context(checked), own)
        self.changed.apply(own.changes)
        return findings

    def _use_nonce(self, signed: SignedTransaction) -> None:
        transaction = signed.transaction
        key = nonce_key(transaction.creator, transaction.nonce)
        self.changed.put_map(key, {"id": signed.id, "valid_until_ms": transaction.valid_until_ms})
        self.nonces.append((transaction.valid_until_ms, key))


def genesis_items(genesis: Genesis) -> dict[str, bytes]:
    """Return the state at height 0: every founding member."""
    return Roster.of_genesis(genesis).items()


def _check_nonce(signed: SignedTransaction, state: Reader) -> None:
    transaction = signed.transaction
    key = nonce_key(transaction.creator, transaction.nonce)
    data = state.get(key)
    if data is None:
        return
    used_by, _ = _read_nonce(key, data)
    if used_by == signed.id:
        raise _Refused(Code.DUPLICATE, f"transaction {signed.id.hex()} is on the ledger already", signed)
    message = f"nonce {transaction.nonce} of {transaction.creator} was used by transaction {used_by.hex()}"
    raise _Refused(Code.NONCE_REUSED, message, signed)


def _read_nonce(key: str, data: bytes) -> tuple[bytes, int]:
    match decode(data, limit_bytes=_NONCE_BYTES_MAX):
        case {"id": bytes(used_by), "valid_until_ms": int(valid_until_ms)}:
            return used_by, valid_until_ms
    raise DamagedStoreError(f"state {key}", "it is no nonce record")
