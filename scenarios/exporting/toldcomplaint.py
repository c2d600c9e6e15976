"""What a complaint file proves and what it does not, in words.

Rules:
- The first line is the answer: whose envelope it is, and that it is spoilt and why, or that the complaint is false.
- No field's value is told, though whoever has the file can read what opens; how many fields it shows is.
- Nothing is said that does not follow from the file and the genesis hash, but for what it takes to believe it.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from ledger.keys import SIGNATURE_BYTES
from ledger.openings import Soundness
from ledger.proofs import Complaint, ComplaintProof
from scenarios.exporting.words import certified_by, changes_of, limit, named, row, trusted, when, wrapped
from scenarios.telling.moments import local

_SPOILT = {
    Soundness.WRONG_SIZE: "it has no size that an envelope has",
    Soundness.FOREIGN_KEY: "it is sealed to a key that is none of the reader's",
    Soundness.BAD_KEY: "nobody can open it: its ephemeral key is no point of prime order",
    Soundness.DOES_NOT_OPEN: "it does not open with the key that was to open it",
    Soundness.NO_ENVELOPE: "what it opens to is no envelope",
    Soundness.OTHER_ROOT: "it opens to a document of another root",
}


def tell_complaint(complaint: Complaint, proof: ComplaintProof) -> Iterator[str]:
    """Yield the lines that say what a file proves."""
    yield from wrapped(complaint_verdict(complaint))
    yield ""
    for label, text in _rows(complaint, proof):
        yield from row(label, text)
    yield ""
    yield "What this does not say:"
    for text in _limits(complaint):
        yield from limit(text)


def complaint_verdict(complaint: Complaint) -> str:
    """Return the answer in one sentence."""
    who, reader, judged = complaint.accused, complaint.reader, complaint.judged
    if judged is None:
        return f"PROVEN: {who} signed digests as those of the document's root, and they give another root."
    envelope = f"the envelope that {who} sealed for {reader} under the document's root"
    if not complaint.is_true:
        return f"REFUTED: {envelope} opens and has the root: the complaint is false."
    return f"PROVEN: {envelope} is spoilt: {_SPOILT[judged.soundness]}."


def _rows(complaint: Complaint, proof: ComplaintProof) -> Iterator[tuple[str, str]]:
    ledger, document, judged = complaint.ledger, complaint.document, complaint.judged
    if complaint.certificate is not None:
        yield "certificate", complaint.certificate.hex()
    yield "root", complaint.root.hex()
    anchored = (
        f"{local(document.anchored_ms, ZoneInfo(ledger.genesis.zone))}, by {named(ledger, document.issuer)}"
    )
    yield "anchored", anchored
    yield (
        "complained",
        f"{when(ledger, complaint.complained)}, signed by {named(ledger, complaint.reader)}: {complaint.reason}",
    )
    yield "accused", f"{named(ledger, complaint.accused)}, by its own signature over {_signed(complaint)}"
    if judged is not None and proof.sealed is not None and complaint.envelope is not None:
        size = len(proof.sealed) + SIGNATURE_BYTES
        yield "envelope", f"{size} bytes, sealed part sha256 {complaint.envelope.hex()}"
        yield "found", judged.why
        if judged.opened is not None:
            yield (
                "opens to",
                f"{len(judged.opened.disclosures)} fields in the clear, of those that the root is over",
            )
    yield "as it stands", _standing(complaint)
    yield "certified", certified_by(ledger)
    yield "roster", changes_of(ledger)


def _signed(complaint: Complaint) -> str:
    if complaint.judged is None:
        return "the root and these digests"
    return f"this root, {complaint.reader} as addressee and this envelope"


def _standing(complaint: Complaint) -> str:
    what = "holding" if complaint.certificate is not None else "reading"
    purged = complaint.document.purged_ms
    parts = [f"{what} {complaint.standing}"]
    if complaint.standing in ("HELD", "ACKNOWLEDGED"):
        parts.append(f"{complaint.reader} has acknowledged an envelope of it since")
    if purged is not None:
        parts.append("the envelopes were purged; the root stays")
    return "; ".join(parts)


def _limits(complaint: Complaint) -> Iterator[str]:
    accused, reader = complaint.accused, complaint.reader
    if complaint.is_true:
        yield f"That {accused} meant it so: a program at fault does the same. It shows whose key signed it."
        yield f"That {reader} never had a sound envelope of this document: another may have come before or after."
    else:
        yield f"That {reader} meant to deceive: a program at fault does the same."
    yield "That what the document says is true or complete."
    if complaint.judged is not None:
        yield (
            "Anything of other envelopes. Of this one it tells all: whoever has this file can read what it opens to, so"
            " hand it to nobody who may not."
        )
    yield from trusted(complaint.ledger)
