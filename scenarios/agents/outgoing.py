"""What an organization's application hands in and sends, and how its office may stand in the way.

Rules:
- An act is settled before anything rests on it: certified, or expired and signed again.
- An act that the ledger's rules refuse is recorded as `act.refused` and ends the job that wanted it; any
  other refusal is a failure.
- What an office that is away or silent wants to say waits, and is signed and sealed only when it speaks again.
- Who has to wait for the office is told to the observer: a fault of trade that holds nobody up shows little.
- An envelope that is held or lost on its way is told to the observer alone; its sender does not know.
- When a node is replaced its disk is gone: its organization hands in again what it had posted of late, and everybody
  else what was for that organization (decision 0078). The same bytes that did arrive are no second envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from ledger.codes import Code
from ledger.encoding import Value
from ledger.transaction import SignedTransaction
from p2p.finality import Finality, TransactionStatus
from p2p.observer import RecordField
from scenarios.agents.client import ApiProblem, NodeClient, Pause, PauseHook
from scenarios.agents.desk import Desk
from scenarios.agents.keybook import Keybook
from scenarios.agents.members import Members
from scenarios.agents.office import Fate, Office
from scenarios.agents.register import Place
from scenarios.agents.sent import Sent
from scenarios.agents.wallet import Wallet
from scenarios.agents.work import Act, WaitKind, Workload

VALID_FOR_MS = 7 * 86_400_000
SIGNATURES_MAX = 20
_CODES_OF_ACTS = (Code.RULE_VIOLATED, Code.NOT_AUTHORIZED, Code.EXPIRED)
"""Refusals at the node's door that are about the act, not about the program that sent it."""


class RefusedActError(Exception):
    """The ledger's rules refuse an act."""

    def __init__(self, act: Act) -> None:
        super().__init__(f"{act.type} is refused: {act.code} {act.rule or ''}".rstrip())
        self.act = act


class Outgoing:
    """What leaves an application.

    Attributes:
        id: the organization.
        wallet: its keys, nonces and plaintext.
        client: of its node.
        desk: the trial.
        keybook, members: what the ledger tells of keys and members.
        office: whether it reads and speaks now.
        sent: the envelopes that it posted of late.
    """

    id: str
    wallet: Wallet
    client: NodeClient
    desk: Desk
    keybook: Keybook
    members: Members
    office: Office
    sent: Sent
    _work: Workload
    _awaited: dict[bytes, bool]

    def record(self, event: str, *, private: bool = False, **fields: RecordField) -> None:
        """Write a business event down, under this organization's name."""
        self.desk.record(event, private=private, organization=self.id, **fields)

    def start(self, name: str, coroutine: Coroutine[object, object, None]) -> None:
        """Start a job; its failure is this agent's."""
        self._work.start(f"{self.id}: {name}", self._unless_refused(coroutine))

    async def until_it_reads(self) -> None:
        """Let the current job wait until the office is not away."""
        await self.until_office("the office", lambda: self.office.reads)

    async def until_it_speaks(self) -> None:
        """Let the current job wait until the office is neither away nor silent."""
        await self.until_office("the office to speak", lambda: self.office.speaks)

    async def until_office(self, what: str, holds: Callable[[], bool]) -> None:
        """Let the current job wait until something holds of the office; the observer is told that it has to."""
        if not holds():
            self.record("office.waits", private=True, what=what, time_ms=self.desk.now_ms())
            with self._work.waiting(WaitKind.OFFICE, what, holds):
                while not holds():
                    await self.office.changed.wait()

    async def transact(self, act: str, body: Mapping[str, Value], documents: tuple[bytes, ...] = ()) -> Place:
        """Sign an act, hand it in, and return where it stands on the ledger once it is certified.

        Raises:
            RefusedActError: if the ledger's rules refuse it, or every signature of it expired.
            ApiProblem: if the node refuses it for another reason.
        """
        await self.until_it_speaks()
        for _ in range(SIGNATURES_MAX):
            signed = self.sign(act, body, documents)
            settled = await self._settled(signed)
            outcome = Act(act, signed.id.hex(), settled.code or "", settled.rule)
            if outcome.code == Code.EXPIRED:
                continue
            self._work.note(outcome)
            if outcome.code != Code.VALID:
                raise RefusedActError(outcome)
            if settled.index is None or settled.height is None or settled.time_ms is None:
                raise AssertionError(f"{act}: the node calls it certified and does not say where it stands")
            return Place(signed.id, settled.index, settled.height, settled.time_ms)
        self._work.note(outcome)
        raise RefusedActError(outcome)

    async def attempt(
        self, act: str, body: Mapping[str, Value], documents: tuple[bytes, ...] = ()
    ) -> Place | None:
        """Hand in an act that may well be refused: record it if it is, and say where it stands if it is not."""
        try:
            return await self.transact(act, body, documents)
        except RefusedActError as refused:
            self._record_refusal(refused.act)
            return None

    async def send(self, root: bytes, to: str, names: tuple[str, ...] | None = None) -> None:
        """Seal an issued document's envelope for a member and hand it to the node; who has left is sent nothing.

        Args:
            root: of a document in the wallet.
            to: the addressee.
            names: the fields it may see; all of them if None.
        """
        self.wallet.mean(root, to, names)
        if self.members.has_left(to):
            self.record("envelope.withheld", private=True, to=to, time_ms=self.desk.now_ms())
            return
        await self.until_it_speaks()
        await self.hand_over(root, to, self.wallet.seal(root, to, self.keybook.box_key(to), names))

    async def hand_over(self, root: bytes, to: str, sealed: bytes) -> None:
        """Hand a sealed envelope to the node, unless a fault of trade holds or loses it."""
        match self.office.fate_of(to):
            case Fate.SENT:
                await self.post(root, to, sealed)
            case Fate.HELD:
                self._record_envelope("envelope.held", root, to)
                self.start(f"envelope to {to}", self._post_late(root, to, sealed))
            case Fate.LOST:
                self._record_envelope("envelope.lost", root, to)

    async def post(self, root: bytes, to: str, sealed: bytes) -> None:
        """Hand a sealed envelope to the node."""
        self.sent.note(root, to, sealed)
        await self.client.post_document_until_accepted(root, to, sealed, pause=self._pause_for(None))

    async def post_again(self, replaced: str) -> None:
        """Hand in again what a replaced node may have lost with its disk.

        Args:
            replaced: the organization whose node it is.
        """
        for root, to, sealed in self.sent.envelopes(None if replaced == self.id else replaced):
            if self.members.has_left(to):
                continue
            await self.until_it_speaks()
            try:
                await self.client.post_document_until_accepted(root, to, sealed, pause=self._pause_for(None))
            except ApiProblem as problem:
                self._record_envelope("envelope.not_again", root, to, code=problem.code)
            else:
                self._record_envelope("envelope.again", root, to)

    async def _post_late(self, root: bytes, to: str, sealed: bytes) -> None:
        await self.until_office(f"the post to {to}", lambda: self.office.fate_of(to) is not Fate.HELD)
        if self.office.fate_of(to) is Fate.LOST:
            self._record_envelope("envelope.lost", root, to)
            return
        await self.post(root, to, sealed)
        self._record_envelope("envelope.released", root, to)

    def _record_envelope(self, event: str, root: bytes, to: str, **more: RecordField) -> None:
        self.record(event, private=True, to=to, root=root.hex(), time_ms=self.desk.now_ms(), **more)

    def sign(self, act: str, body: Mapping[str, Value], documents: tuple[bytes, ...]) -> SignedTransaction:
        """Sign an act that is valid for as long as acts are."""
        valid_for_ms = min(VALID_FOR_MS, self.desk.genesis.limits.valid_for_ms_max)
        return self.wallet.sign(act, body, documents, self.desk.now_ms() + valid_for_ms)

    async def _settled(self, signed: SignedTransaction) -> TransactionStatus:
        """Return what became of a transaction: certified, expired, or refused at the door by a rule."""
        await self.until_it_speaks()
        pause = self._pause_for(signed.id)
        self._awaited[signed.id] = False
        try:
            await self.client.submit_until_accepted(signed.raw, pause=pause)
            status = await self.client.settle(signed.id, signed.raw, pause=pause)
        except ApiProblem as problem:
            if problem.code not in _CODES_OF_ACTS:
                raise
            status = TransactionStatus(signed.id, Finality.EXPIRED, problem.code)
        finally:
            del self._awaited[signed.id]
        if status.status is Finality.EXPIRED and status.code is None:
            return replace(status, code=Code.EXPIRED)
        return status

    def _pause_for(self, transaction_id: bytes | None) -> PauseHook:
        def pause(why: Pause) -> AbstractContextManager[None]:
            if why is Pause.POLLING and transaction_id is not None:
                awaited = transaction_id
                return self._work.waiting(
                    WaitKind.RECEIPT, awaited.hex(), lambda: self._awaited.get(awaited, True)
                )
            return self._work.waiting(WaitKind.NODE, "an answer", None)

        return pause

    async def _unless_refused(self, coroutine: Coroutine[object, object, None]) -> None:
        try:
            await coroutine
        except RefusedActError as refused:
            self._record_refusal(refused.act)
        finally:
            self.leave_slip()

    def leave_slip(self) -> None:
        """Let the current job's business on paper be over, if it is on paper."""

    def _record_refusal(self, act: Act) -> None:
        self.record("act.refused", private=True, act=act.type, id=act.id, code=act.code, rule=act.rule)
