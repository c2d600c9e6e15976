"""Every transaction type: who may send it, how many documents it anchors, what its body is.

Rules:
- A type that is not here is refused with NOT_AUTHORIZED; a sender without one of the type's roles likewise.
- A body of the wrong shape, a wrong number of documents, or approvals that no type here takes are MALFORMED:
  the same bytes can never be anything else, so that is decided before the signature and consumes nothing.
- Parties of a record (issuer, holder, claimant) are the tables' business, not this module's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ledger.contracts.act import Act
from ledger.contracts.carnet.booklet import (
    ISSUERS,
    TRADERS,
    ApplyCarnet,
    IssueCarnet,
    MoveCarnet,
    ReplaceCarnet,
    SecureCarnet,
)
from ledger.contracts.carnet.claim import AnswerCarnetClaim, DecideCarnetClaim, OpenCarnetClaim
from ledger.contracts.carnet.settlement import SettleGoods
from ledger.contracts.carnet.voucher import EndorseVoucher, PresentVoucher, RefuseVoucher
from ledger.contracts.certificate import (
    AnchorCertificate,
    DeliverCertificate,
    NotifyCertificate,
    SupersedeCertificate,
)
from ledger.contracts.claim import (
    CorrectClaim,
    DecideClaim,
    FileClaim,
    FilePostClaim,
    LiquidateClaim,
    OpenClaim,
    ProtestClaim,
    RespondClaim,
)
from ledger.contracts.document import AnchorDocument, DiscloseDocument, PurgeDocument
from ledger.contracts.fisheries.form import (
    DecideForm,
    DraftForm,
    EndorseForm,
    FileForm,
    RespondForm,
)
from ledger.contracts.fisheries.permit import GrantPermit
from ledger.contracts.holding import AcknowledgeHolding, ComplainHolding, DecideHolding
from ledger.contracts.membership import (
    AddMember,
    DemoteOrderer,
    PromoteOrderer,
    ReadyNode,
    RemoveMember,
    ReplaceNode,
    RevokeKey,
    RotateKey,
)
from ledger.contracts.power import GrantPower, RevokePower
from ledger.contracts.reading import AcknowledgeDocument, ComplainDocument
from ledger.contracts.table import Refusal
from ledger.contracts.verification.inquiry import MoveVerification, OpenVerification, RespondVerification
from ledger.errors import MalformedError
from ledger.fields import Fields
from ledger.genesis import Role
from ledger.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TypeRule:
    """One transaction type: the roles of which a sender needs one, its number of documents, its body, and whether
    others may approve it.
    """

    type: str
    roles: frozenset[Role]
    documents: int
    read: Callable[[Fields], Act]
    takes_approvals: bool = False


_CERTIFIERS = frozenset({Role.EXPORTER, Role.PRODUCER, Role.IMPORTER})
_VERIFIED = frozenset({Role.EXPORTER, Role.PRODUCER, Role.IMPORTER})
_IMPORTER = frozenset({Role.IMPORTER})
_ENTRANTS = frozenset({Role.IMPORTER, Role.BROKER})
_CUSTOMS = frozenset({Role.CUSTOMS})
_EXPORTER = frozenset({Role.EXPORTER})
_FISHERIES = frozenset({Role.FISHERIES})
_AUTHORITIES = _CUSTOMS | _FISHERIES
_CUSTODIANS = frozenset({Role.EXPORTER, Role.PROCESSOR, Role.IMPORTER})
_GUARANTEEING = frozenset({Role.GUARANTEEING})
_ANYONE = frozenset(Role)
_ANYONE_WHO_ACTS = _ANYONE - {Role.OBSERVER}


def _registry(*rules: TypeRule) -> Mapping[str, TypeRule]:
    return MappingProxyType({rule.type: rule for rule in rules})


RULES: Mapping[str, TypeRule] = _registry(
    TypeRule("certificate.anchor", _CERTIFIERS, 1, AnchorCertificate.read),
    TypeRule("certificate.deliver", _CERTIFIERS, 0, DeliverCertificate.read),
    TypeRule("certificate.notify", _CERTIFIERS, 0, NotifyCertificate.read),
    TypeRule("certificate.supersede", _CERTIFIERS, 0, SupersedeCertificate.read),
    TypeRule("holding.acknowledge", _IMPORTER, 0, AcknowledgeHolding.read),
    TypeRule("holding.complain", _IMPORTER, 0, ComplainHolding.read),
    TypeRule("holding.open", _CUSTOMS, 0, DecideHolding.read),
    TypeRule("holding.close", _CUSTOMS, 0, DecideHolding.read),
    TypeRule("power.grant", _IMPORTER, 0, GrantPower.read),
    TypeRule("power.revoke", _IMPORTER, 0, RevokePower.read),
    TypeRule("claim.file", _ENTRANTS, 0, FileClaim.read),
    TypeRule("claim.file_post", _ENTRANTS, 0, FilePostClaim.read),
    TypeRule("claim.correct", _ENTRANTS, 0, CorrectClaim.read),
    TypeRule("claim.open", _CUSTOMS, 1, OpenClaim.read),
    TypeRule("claim.respond", _ENTRANTS, 1, RespondClaim.read),
    TypeRule("claim.act", _CUSTOMS, 0, DecideClaim.read),
    TypeRule("claim.close", _CUSTOMS, 0, DecideClaim.read),
    TypeRule("claim.liquidate", _CUSTOMS, 0, LiquidateClaim.read),
    TypeRule("claim.protest", _ENTRANTS, 1, ProtestClaim.read),
    TypeRule("verification.open", _CUSTOMS, 1, OpenVerification.read),
    TypeRule("verification.respond", _VERIFIED, 1, RespondVerification.read),
    TypeRule("verification.act", _CUSTOMS, 1, MoveVerification.read),
    TypeRule("verification.close", _CUSTOMS, 1, MoveVerification.read),
    TypeRule("fisheries.permit", _FISHERIES, 0, GrantPermit.read),
    TypeRule("fisheries.draft", _EXPORTER, 1, DraftForm.read),
    TypeRule("fisheries.endorse", _CUSTODIANS, 1, EndorseForm.read),
    TypeRule("fisheries.file", _IMPORTER, 1, FileForm.read),
    TypeRule("fisheries.open", _AUTHORITIES, 1, DecideForm.read),
    TypeRule("fisheries.respond", _IMPORTER, 1, RespondForm.read),
    TypeRule("fisheries.act", _AUTHORITIES, 1, DecideForm.read),
    TypeRule("fisheries.close", _AUTHORITIES, 1, DecideForm.read),
    TypeRule("carnet.apply", TRADERS, 1, ApplyCarnet.read),
    TypeRule("carnet.secure", TRADERS, 1, SecureCarnet.read),
    TypeRule("carnet.issue", ISSUERS, 0, IssueCarnet.read),
    TypeRule("carnet.activate", _CUSTOMS, 0, MoveCarnet.read),
    TypeRule("carnet.present", TRADERS, 1, PresentVoucher.read),
    TypeRule("carnet.endorse", _CUSTOMS, 1, EndorseVoucher.read),
    TypeRule("carnet.refuse", _CUSTOMS, 1, RefuseVoucher.read),
    TypeRule("carnet.settle", _CUSTOMS, 1, SettleGoods.read),
    TypeRule("carnet.return", TRADERS, 0, MoveCarnet.read),
    TypeRule("carnet.discharge", ISSUERS, 0, MoveCarnet.read),
    TypeRule("carnet.replace", ISSUERS, 0, ReplaceCarnet.read),
    TypeRule("carnet.claim", _CUSTOMS, 1, OpenCarnetClaim.read),
    TypeRule("carnet.answer", _GUARANTEEING, 1, AnswerCarnetClaim.read),
    TypeRule("carnet.decide", _CUSTOMS, 0, DecideCarnetClaim.read),
    TypeRule("carnet.close", _CUSTOMS, 0, DecideCarnetClaim.read),
    TypeRule("member.add", _ANYONE, 0, AddMember.read, takes_approvals=True),
    TypeRule("member.remove", _ANYONE, 0, RemoveMember.read, takes_approvals=True),
    TypeRule("orderer.promote", _ANYONE, 0, PromoteOrderer.read, takes_approvals=True),
    TypeRule("orderer.demote", _ANYONE, 0, DemoteOrderer.read, takes_approvals=True),
    TypeRule("node.replace", _ANYONE, 0, ReplaceNode.read),
    TypeRule("node.ready", _ANYONE, 0, ReadyNode.read),
    TypeRule("key.rotate", _ANYONE, 0, RotateKey.read),
    TypeRule("key.revoke", _ANYONE, 0, RevokeKey.read, takes_approvals=True),
    TypeRule("document.anchor", _ANYONE_WHO_ACTS, 1, AnchorDocument.read),
    TypeRule("document.disclose", _ANYONE_WHO_ACTS, 0, DiscloseDocument.read),
    TypeRule("document.acknowledge", frozenset(Role), 0, AcknowledgeDocument.read),
    TypeRule("document.complain", frozenset(Role), 0, ComplainDocument.read),
    TypeRule("document.purge", _ANYONE_WHO_ACTS, 0, PurgeDocument.read),
)
"""All transaction types, by name."""


def read_act(transaction: Transaction) -> tuple[TypeRule, Act] | None:
    """Return a transaction's type and typed body, or None for an unknown type.

    Raises:
        MalformedError: if the body, the documents or the approvals do not have the type's shape.
    """
    rule = RULES.get(transaction.type)
    if rule is None:
        return None
    if len(transaction.documents) != rule.documents:
        raise MalformedError(
            f"transaction.documents: {rule.type} anchors {rule.documents}, got {len(transaction.documents)}; "
            f"list exactly the roots it anchors"
        )
    if transaction.approvals and not rule.takes_approvals:
        raise MalformedError(f"transaction.approvals: {rule.type} takes none; leave the list empty")
    fields = Fields(transaction.body, f"{rule.type} body")
    act = rule.read(fields)
    fields.finish()
    return rule, act


def rule_remedy(rule: str) -> str:
    """Return what the sender of a transaction refused by a rule should do.

    Args:
        rule: a rule id out of a receipt, such as `certificate.notify/wrong-actor`.

    Raises:
        ValueError: if there is no such rule.
    """
    event, _, slug = rule.partition("/")
    if event not in RULES:
        raise ValueError(f"rule {rule!r}: no transaction type {event!r}; types are {', '.join(RULES)}")
    for refusal in Refusal:
        if refusal.value == slug:
            return refusal.remedy
    raise ValueError(f"rule {rule!r}: no refusal {slug!r}; they are {', '.join(Refusal)}")
