"""State machines as tables, and the one small engine that runs them.

Rules:
- A table lists every lawful step: state, event, actor, guards, next state, limit, source. What is not listed
  is refused; there is no other way to change a state.
- A refusal is a form rule. Its id is `<event>/<refusal>`, such as `certificate.notify/wrong-actor`, and never
  changes its meaning, since receipts carry it.
- A guard looks only at its case: the records read, the act, the block's time. It never asks anything else.
- Order of checks: is the step listed, is this the actor, do the guards hold in their listed order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from ledger.errors import LedgerError


class Actor(StrEnum):
    """Who may take a step: a role in genesis, or a party of the record."""

    CERTIFIER = "who may certify under the form's agreement"
    IMPORTER = "importer"
    ENTRANT = "importer, or a customs broker in an importer's name"
    CUSTOMS = "customs"
    ISSUER = "the certificate's issuer"
    HOLDER = "the certificate's holder"
    CLAIMANT = "the claim's importer, or a customs broker in its name"
    VERIFIER = "the customs that verifies"
    VERIFIED = "the party that is verified"
    INFORMANT = "the party that is verified; under the USMCA also an exporter or producer"
    EXPORTER = "exporter"
    FISHERIES = "fisheries"
    AUTHORITY = "fisheries or customs"
    CUSTODIAN = "a party of the form's chain of custody"
    FILER = "the importer at the end of the form's chain of custody"
    TRADER = "exporter, producer, processor, importer or broker"
    CARNET_HOLDER = "the carnet's holder"
    CARNET_ISSUER = "the association that issues the carnet"
    HOME_CUSTOMS = "customs of the holder's country"
    OFFICE = "the customs that the voucher names"
    GUARANTOR = "the guaranteeing association that the claim names"
    ANYBODY = "whoever may send acts"
    DOCUMENT_ISSUER = "the document's issuer"
    DOCUMENT_PARTY = "the document's issuer or a reader of it"
    READER = "a reader of the document"
    OWNER = "the organization itself"
    MAJORITY = "a majority of the members"
    OWNER_OR_MAJORITY = "the organization itself or, for a successor, a majority of the members"


class Refusal(StrEnum):
    """Why a form rule refuses; `remedy` says what the sender should do."""

    remedy: str

    def __new__(cls, slug: str, remedy: str) -> Refusal:
        """Make a member."""
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.remedy = remedy
        return member

    IMPOSSIBLE_TRANSITION = (
        "impossible-transition",
        "read the record's present state; the step is not lawful from it",
    )
    WRONG_ACTOR = ("wrong-actor", "have the party that the rule names send this")
    UNKNOWN_CERTIFICATE = (
        "unknown-certificate",
        "have the issuer anchor the certificate first, or file without naming one",
    )
    UNKNOWN_CLAIM = ("unknown-claim", "check entry number and line; file the claim first")
    UNKNOWN_VERIFICATION = ("unknown-verification", "open the verification first; check its id")
    VERIFICATION_EXISTS = ("verification-exists", "draw a new random verification id")
    UNKNOWN_PARTY = (
        "unknown-party",
        "name a member that has the role exporter or producer; an importer under the USMCA alone",
    )
    UNKNOWN_HOLDING = ("unknown-holding", "have the issuer deliver the certificate to this importer first")
    UNKNOWN_HOLDER = ("unknown-holder", "name an organization of the network that has the role importer")
    UNKNOWN_ADDRESSEE = (
        "unknown-addressee",
        "name only organizations of the network, each once, not yourself",
    )
    UNKNOWN_SUCCESSOR = (
        "unknown-successor",
        "anchor the corrected certificate first, as the same issuer, and name its id",
    )
    NOT_ADDRESSED = (
        "not-addressed",
        "deliver only to addressees that the certificate was anchored with; else anchor it anew",
    )
    CERTIFICATE_EXISTS = ("certificate-exists", "draw a new random certificate id")
    DOCUMENT_EXISTS = ("document-exists", "commit to the fields again with fresh salts")
    DUPLICATE_ENTRY_LINE = (
        "duplicate-entry-line",
        "this entry line has its claim; an entry number is used once",
    )
    NOT_BROKER = ("not-broker", "name another organization of the network that has the role broker")
    POWER_ORDER = ("power-order", "let the power's first day not come after its last")
    NO_POWER = (
        "no-power",
        "have the importer grant a power of attorney that is in force on this day, or act itself",
    )
    SCOPE = ("scope", "name either a blanket period or one shipment, not both and not neither")
    BLANKET_ORDER = ("blanket-order", "let the blanket's first day not come after its last")
    NOT_IN_CHARGE = (
        "not-in-charge",
        "leave this to the authority of the country that the goods are imported into",
    )
    NOT_OFFICIAL = ("not-official", "only customs and fisheries anchor documents of class official")
    NOT_CLAIMANT_DOCUMENT = (
        "foreign-document",
        "answer with a document of your own or one that is addressed to you",
    )
    UNKNOWN_CARNET = ("unknown-carnet", "apply for the carnet first; check its id")
    CARNET_EXISTS = ("carnet-exists", "draw a new random carnet id")
    CARNET_REPLACED = ("carnet-replaced", "present the carnet that replaced it; this one is dead")
    CARNET_EXPIRED = ("carnet-expired", "apply for a new carnet; an expired one takes no goods anywhere new")
    UNKNOWN_ISSUER = (
        "unknown-issuer",
        "name a chamber or guaranteeing association of the holder's own country",
    )
    UNKNOWN_GUARANTOR = (
        "unknown-guarantor",
        "name an organization with the role guaranteeing of the country in question",
    )
    VALIDITY = ("validity", "let the carnet be valid from today for at most a year")
    VOUCHER_USED = (
        "voucher-used",
        "present the next voucher; each serial is used once per carnet and its successors",
    )
    COUNTERFOIL = ("counterfoil", "present the counterfoil with the voucher's own serial")
    UNKNOWN_VOUCHER = ("unknown-voucher", "name a voucher that was presented under this carnet")
    UNKNOWN_OFFICE = ("unknown-office", "name an organization of the network that has the role customs")
    WRONG_COUNTRY = (
        "wrong-country",
        "export and re-import go through the home customs, everything else through another country's",
    )
    UNLISTED_ITEM = (
        "unlisted-item",
        "present items of the general list alone; it cannot be added to after issue",
    )
    PIECES_MISSING = ("pieces-missing", "present no more pieces than are where the goods come from")
    WRONG_IMPORT_VOUCHER = (
        "wrong-import-voucher",
        "cite the endorsed importation or transit voucher of the same country under which the pieces came in",
    )
    DATE_ORDER = ("date-order", "let an endorsement not come before that of the voucher it closes")
    FINAL_DATE = (
        "final-date",
        "give a final date for re-export of goods that come in, not before the endorsement nor after the validity",
    )
    GOODS_ABROAD = (
        "goods-abroad",
        "bring every piece home, or have it settled, before the carnet is returned",
    )
    CLAIM_POSSIBLE = (
        "claim-possible",
        "wait until every import is closed, or the year for claims is over, and every claim is closed",
    )
    CARNET_DISCHARGED = (
        "carnet-discharged",
        "an unconditional discharge bars the claim; say that it was obtained improperly if that is found",
    )
    DUPLICATE_CARNET_CLAIM = (
        "duplicate-carnet-claim",
        "an importation voucher has one claim; go on with that one",
    )
    UNKNOWN_CARNET_CLAIM = ("unknown-carnet-claim", "check carnet and voucher; open the claim first")
    UNKNOWN_DOCUMENT = ("unknown-document", "anchor the document first, or correct the root")
    READS_ALREADY = ("reads-already", "this organization has its envelope; send it again without a new act")
    EVIDENCE = (
        "evidence-does-not-hold",
        "complain with what the sender of your envelope signed: digests that give another root, or the seal for you "
        "under this root",
    )
    TOO_EARLY = ("too-early", "wait until the time given to the other side has passed")
    TOO_LATE = ("too-late", "the time in which this may be done has passed")
    UNKNOWN_FORM_370 = ("unknown-form-370", "have the exporter draft the form first")
    FORM_370_EXISTS = ("form-370-exists", "draw a new random form id")
    CUSTODY = (
        "custody",
        "begin the chain with yourself as exporter, end it with an importer, and name each member once, in a "
        "role that it has",
    )
    ALREADY_ENDORSED = ("already-endorsed", "you have endorsed this form; one endorsement is enough")
    PERMIT_ORDER = ("permit-order", "let the permit's first day not come after its last")
    NOT_IMPORTER = ("not-importer", "name an organization of the network that has the role importer")
    BAD_APPROVAL = (
        "bad-approval",
        "leave out approvals that are no member's, and have the others sign this very transaction again",
    )
    TOO_FEW_APPROVALS = (
        "too-few-approvals",
        "have more members sign an approval of this transaction, then send it with a new signature",
    )
    BAD_POSSESSION = (
        "bad-possession",
        "have the new key's holder sign its registration for this organization in this network",
    )
    UNKNOWN_MEMBER = ("unknown-member", "name a present member of the network")
    MEMBER_EXISTS = ("member-exists", "choose another id; ids are never used again")
    TOO_MANY_MEMBERS = ("too-many-members", "remove a member first")
    TOO_MANY_ORDERERS = (
        "too-many-orderers",
        "demote an orderer first, or name one in whose place this one comes",
    )
    NOT_AN_ORDERER = ("not-an-orderer", "name an orderer as the one who gives up its seat, or none")
    LAST_CUSTOMS = ("last-customs", "add another member with the role customs first")
    LAST_ORDERER = ("last-orderer", "promote another orderer first")
    NO_QUORUM = ("no-quorum", "promote another orderer first: fewer could not certify a block")
    REPLACEMENT_UNDER_WAY = (
        "replacement-under-way",
        "wait until the other orderer's new node is ready, or have the majority demote it",
    )
    WRONG_INCARNATION = ("wrong-incarnation", "read the member's record for its present incarnation")
    UNKNOWN_KEY = ("unknown-key", "name a key that the organization has or had")
    COMPROMISED_SINCE = (
        "compromised-since",
        "name a height from the key's registration up to this block",
    )
    NO_SUCCESSOR = (
        "no-successor",
        "the key is revoked already; name a successor and have the majority approve",
    )
    HAS_SUCCESSOR = ("has-successor", "leave out the successor, or rotate the current key")
    ROSTER = ("roster", "change what the message names: the network could not go on with such members")


class RuleViolatedError(LedgerError):
    """A form rule refuses an act.

    Attributes:
        rule: the rule's stable id, `<event>/<refusal>`.
        remedy: what the sender should do.
    """

    def __init__(self, event: str, refusal: Refusal, message: str) -> None:
        super().__init__(f"{event}: {message}; {refusal.remedy}")
        self.rule = f"{event}/{refusal.value}"
        self.remedy = refusal.remedy


class Case(Protocol):
    """What a step is judged by."""

    def plays(self, actor: Actor) -> bool:
        """Say whether the sender is that actor here."""


S = TypeVar("S", bound=StrEnum)
C = TypeVar("C", bound=Case)


@dataclass(frozen=True, slots=True)
class Guard(Generic[C]):
    """A condition of a step: what it asks for, in words and as a predicate, and how it refuses."""

    says: str
    refusal: Refusal
    holds: Callable[[C], bool]


@dataclass(frozen=True, slots=True)
class Step(Generic[S, C]):
    """One lawful step.

    Attributes:
        state: from which.
        event: the transaction type, or the private event, that takes it.
        actor: who may take it.
        target: the next state.
        source: the regulation or design that the step stands for.
        limit: its time limit in words, if it has one. Limits whose breach is a finding refuse nothing.
        guards: what must hold besides.
    """

    state: S
    event: str
    actor: Actor
    target: S
    source: str
    limit: str = ""
    guards: tuple[Guard[C], ...] = ()


class Table(Generic[S, C]):
    """A state machine.

    Args:
        name: of the record, for messages.
        states: all of them, the first being the one before anything happened.
        steps: every lawful step.

    Raises:
        ValueError: if two steps share state and event, or a state cannot be reached.
    """

    __slots__ = ("_by_place", "events", "name", "states", "steps")

    def __init__(self, name: str, states: type[S], steps: Iterable[Step[S, C]]) -> None:
        self.name = name
        self.states = tuple(states)
        self.steps = tuple(steps)
        self.events = tuple(dict.fromkeys(step.event for step in self.steps))
        self._by_place = {(step.state, step.event): step for step in self.steps}
        if len(self._by_place) != len(self.steps):
            raise ValueError(f"table {name}: two steps share a state and an event; merge them")
        reached = {self.states[0], *(step.target for step in self.steps)}
        lost = [state.value for state in self.states if state not in reached]
        if lost:
            raise ValueError(f"table {name}: no step leads to {', '.join(lost)}; remove or connect it")

    def find(self, state: S, event: str) -> Step[S, C] | None:
        """Return the step for a state and an event, or None if it is not lawful."""
        return self._by_place.get((state, event))

    def advance(self, state: S, event: str, case: C) -> S:
        """Return the next state.

        Raises:
            RuleViolatedError: if the step is not listed, its actor is another, or a guard does not hold.
        """
        step = self._by_place.get((state, event))
        if step is None:
            here = ", ".join(step.event for step in self.steps if step.state is state) or "nothing"
            message = f"the {self.name} is {state.value}, from which the table lists {here}"
            raise RuleViolatedError(event, Refusal.IMPOSSIBLE_TRANSITION, message)
        if not case.plays(step.actor):
            raise RuleViolatedError(event, Refusal.WRONG_ACTOR, f"only {step.actor.value} may do this")
        for guard in step.guards:
            if not guard.holds(case):
                raise RuleViolatedError(event, guard.refusal, f"it needs: {guard.says}")
        return step.target
