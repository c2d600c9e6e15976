"""The papers that the parties of an ATA carnet send each other, besides its forms.

Rules:
- Each says its kind and, under `claim`, what it is about: a carnet's id, or a claim on what came in under a voucher.
- Amounts, reasons and proofs are private to sender and addressee; of a proof, whoever passes it on reads it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ledger.contracts.carnet import CarnetFineState, Pieces
from ledger.encoding import Value
from scenarios.agents.papers import FINE, KIND, SUBJECT

CARNET = "ATA-CARNET"
VOUCHER = "ATA-VOUCHER"
COUNTERFOIL = "ATA-COUNTERFOIL"


class CarnetPaper(StrEnum):
    """What a document about a carnet is, if it is none of its forms."""

    SECURITY = "CARNET-SECURITY"
    LOSS = "CARNET-LOSS"
    GOODS_LOST = "CARNET-GOODS-LOST"
    REFUSAL = "CARNET-REFUSAL"
    SETTLEMENT = "CARNET-SETTLEMENT"
    CLAIM = "CARNET-CLAIM"
    OBJECTION = "CARNET-OBJECTION"
    PROOF = "CARNET-PROOF"
    DEPOSIT = "CARNET-DEPOSIT"
    DECISION = "CARNET-DECISION"


class Objection(StrEnum):
    """What an association has against a claim."""

    CLAIM_LATE = "CLAIM_LATE"
    OVER_CAP = "OVER_CAP"


class GoodsDefect(StrEnum):
    """Why customs refuses goods that were presented."""

    UNREADABLE = "UNREADABLE"
    OTHER_MARKS = "OTHER_MARKS"
    OTHER_PIECES = "OTHER_PIECES"
    NOT_FILLED_IN = "NOT_FILLED_IN"
    EXPIRED = "EXPIRED"


def security(carnet: str, amount_usd: int) -> dict[str, Value]:
    """Return the security that a holder gives its association."""
    return {KIND: CarnetPaper.SECURITY.value, SUBJECT: carnet, "amount_usd": amount_usd}


def loss(carnet: str) -> dict[str, Value]:
    """Return a holder's word that its carnet is lost."""
    return {KIND: CarnetPaper.LOSS.value, SUBJECT: carnet}


def goods_lost(voucher: str) -> dict[str, Value]:
    """Return a holder's word that goods which came in under a voucher are lost."""
    return {KIND: CarnetPaper.GOODS_LOST.value, SUBJECT: voucher}


def refusal(voucher: str, defects: Iterable[GoodsDefect]) -> dict[str, Value]:
    """Return why customs refuses goods."""
    return {
        KIND: CarnetPaper.REFUSAL.value,
        SUBJECT: voucher,
        "defects": [defect.value for defect in defects],
    }


def settlement(voucher: str, how: str) -> dict[str, Value]:
    """Return how customs settled goods."""
    return {KIND: CarnetPaper.SETTLEMENT.value, SUBJECT: voucher, "how": how}


def claim(claim_id: str, duties_usd: int, amount_usd: int, fine: bytes, salt: bytes) -> dict[str, Value]:
    """Return what customs claims; the same on an amendment."""
    return {
        KIND: CarnetPaper.CLAIM.value,
        SUBJECT: claim_id,
        "duties_usd": duties_usd,
        "amount_usd": amount_usd,
        "state": CarnetFineState.CLAIM_OPEN.value,
        FINE: fine,
        "salt": salt,
    }


def objection(claim_id: str, objections: Iterable[Objection]) -> dict[str, Value]:
    """Return what an association has against a claim."""
    return {
        KIND: CarnetPaper.OBJECTION.value,
        SUBJECT: claim_id,
        "defects": [one.value for one in objections],
    }


def proof(claim_id: str, serials: Iterable[int]) -> dict[str, Value]:
    """Return a proof that goods left: the vouchers whose counterfoils show it."""
    return {KIND: CarnetPaper.PROOF.value, SUBJECT: claim_id, "vouchers": list(serials)}


def deposit(claim_id: str, amount_usd: int) -> dict[str, Value]:
    """Return an association's provisional deposit."""
    return {KIND: CarnetPaper.DEPOSIT.value, SUBJECT: claim_id, "amount_usd": amount_usd}


def decision(
    claim_id: str, state: CarnetFineState, fine: bytes, salt: bytes, amount_usd: int
) -> dict[str, Value]:
    """Return what customs decided; the amount is what it claims from then on."""
    return {
        KIND: CarnetPaper.DECISION.value,
        SUBJECT: claim_id,
        "state": state.value,
        FINE: fine,
        "salt": salt,
        "amount_usd": amount_usd,
    }


def told(pieces: Pieces) -> list[str]:
    """Return pieces in words, for public records."""
    return [f"{count} of item {item}" for item, count in sorted(pieces.items())]
