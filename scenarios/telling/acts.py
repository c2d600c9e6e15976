"""What each type of transaction is, in words: for stories in which no organization's program tells of it."""

from __future__ import annotations

from collections.abc import Mapping

ACTS: Mapping[str, str] = {
    "certificate.anchor": "anchors a certificate",
    "certificate.deliver": "states a delivery",
    "certificate.notify": "gives notice that a certificate is incorrect",
    "certificate.supersede": "replaces a certificate",
    "holding.acknowledge": "acknowledges a certificate",
    "holding.complain": "complains about a certificate",
    "holding.open": "opens an official matter on a holding",
    "holding.close": "closes an official matter on a holding",
    "power.grant": "grants a power of attorney",
    "power.revoke": "revokes a power of attorney",
    "claim.file": "files a claim",
    "claim.file_post": "files a claim after importation",
    "claim.correct": "corrects a claim",
    "claim.open": "opens an inquiry into a claim",
    "claim.respond": "answers an inquiry into a claim",
    "claim.act": "takes an official act on a claim",
    "claim.close": "closes an inquiry into a claim",
    "claim.liquidate": "liquidates an entry line",
    "claim.protest": "protests a liquidation",
    "verification.open": "opens a verification",
    "verification.respond": "answers in a verification",
    "verification.act": "takes an official act in a verification",
    "verification.close": "closes a verification",
    "fisheries.permit": "grants a permit",
    "fisheries.draft": "puts a Form 370 on the ledger",
    "fisheries.endorse": "endorses a Form 370",
    "fisheries.file": "files a Form 370",
    "fisheries.open": "opens an official act on a Form 370",
    "fisheries.respond": "answers about a Form 370",
    "fisheries.act": "takes an official act on a Form 370",
    "fisheries.close": "closes the official acts on a Form 370",
    "carnet.apply": "applies for a carnet",
    "carnet.secure": "gives security for a carnet",
    "carnet.issue": "issues a carnet",
    "carnet.activate": "activates a carnet",
    "carnet.present": "presents goods",
    "carnet.endorse": "stamps a voucher",
    "carnet.refuse": "refuses goods",
    "carnet.settle": "takes goods as settled",
    "carnet.return": "returns a carnet",
    "carnet.discharge": "discharges a carnet",
    "carnet.replace": "replaces a lost carnet",
    "carnet.claim": "claims from the guaranteeing association",
    "carnet.answer": "answers a claim on a carnet",
    "carnet.decide": "decides on a claim on a carnet",
    "carnet.close": "closes a claim on a carnet",
    "member.add": "adds a member",
    "member.remove": "removes a member",
    "orderer.promote": "lets a node order",
    "orderer.demote": "lets a node order no longer",
    "node.replace": "replaces a node",
    "node.ready": "says that a node has caught up",
    "key.rotate": "takes a new key",
    "key.revoke": "revokes a key",
    "document.anchor": "anchors a document",
    "document.disclose": "discloses a document",
    "document.acknowledge": "acknowledges a document",
    "document.complain": "complains about a document",
    "document.purge": "has a document's envelopes deleted",
}


def told(kind: str) -> str:
    """Return what a type of transaction is in words; one that has none is named as it is."""
    return ACTS.get(kind, kind)


def refusal(code: str, rule: object) -> str:
    """Return a refusal's code, with the rule where there is one."""
    return f"{code} {rule}" if rule else code
