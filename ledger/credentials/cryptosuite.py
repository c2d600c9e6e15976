"""Data Integrity proofs of the cryptosuite eddsa-jcs-2022.

Rules (Data Integrity EdDSA Cryptosuites 1.0, section 3.3):
- What is signed is SHA-256 over the proof's options, then SHA-256 over the document without its proof, each in the
  JSON Canonicalization Scheme (RFC 8785) of a kept library.
- The options carry the document's `@context`; a verifier refuses a proof whose context does not begin the document's.
- A document with a number that JSON cannot hold exactly is refused: two programs would read two documents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import rfc8785

from ledger.credentials.multibase import base58btc, read_base58btc, read_multikey, verification_method
from ledger.errors import BadProofError
from ledger.keys import SIGNATURE_BYTES, SigningKey, Verifier

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

PROOF_TYPE = "DataIntegrityProof"
SUITE = "eddsa-jcs-2022"
PURPOSE = "assertionMethod"
_DID_KEY = "did:key:"


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """What a proof says of itself.

    Attributes:
        created: when, in ISO 8601 with `Z`.
        method: the verification method; the signing key's `did:key` one if empty.
    """

    created: str
    method: str = ""


def secure(document: Mapping[str, Json], key: SigningKey, options: ProofOptions) -> dict[str, Json]:
    """Return a document with its proof.

    Args:
        document: JSON values; must have `@context` and no `proof`.
        key: signs.
        options: what the proof says of itself.

    Raises:
        BadProofError: if the document has a proof already, no context, or a value that has no canonical JSON.
    """
    if "proof" in document or "@context" not in document:
        raise BadProofError("a document to be secured has an @context and no proof yet")
    proof: dict[str, Json] = {
        "type": PROOF_TYPE,
        "cryptosuite": SUITE,
        "created": options.created,
        "verificationMethod": options.method or verification_method(key.public),
        "proofPurpose": PURPOSE,
        "@context": document["@context"],
    }
    signature = key.sign_bytes(hash_data(proof, document))
    return {**document, "proof": {**proof, "proofValue": base58btc(signature)}}


def verify_secured(secured: Mapping[str, Json], verifier: Verifier) -> str:
    """Return the verification method by which a secured document is proven.

    Only `did:key` methods are resolved: they carry their key.

    Args:
        secured: a document with one proof.
        verifier: for the signature.

    Raises:
        BadProofError: with what does not hold.
    """
    document = {name: value for name, value in secured.items() if name != "proof"}
    proof = secured.get("proof")
    if not isinstance(proof, dict):
        raise BadProofError("the document has no proof, or several; one is read")
    for name, expected in (("type", PROOF_TYPE), ("cryptosuite", SUITE), ("proofPurpose", PURPOSE)):
        if proof.get(name) != expected:
            raise BadProofError(f"proof.{name} is {str(proof.get(name))[:60]!r}, expected {expected!r}")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    _check_context(options.get("@context"), document.get("@context"))
    value, method = proof.get("proofValue"), proof.get("verificationMethod")
    if not isinstance(value, str) or not isinstance(method, str):
        raise BadProofError("proof.proofValue and proof.verificationMethod are texts")
    signature = read_base58btc(value)
    if len(signature) != SIGNATURE_BYTES:
        raise BadProofError(f"proof.proofValue has {len(signature)} bytes; a signature has {SIGNATURE_BYTES}")
    did, _, fragment = method.partition("#")
    if did != f"{_DID_KEY}{fragment}":
        raise BadProofError(f"proof.verificationMethod {method[:80]!r} is no did:key method")
    if not verifier.verify_bytes(read_multikey(fragment), hash_data(options, document), signature):
        raise BadProofError(f"the proof by {method} does not hold over this document")
    return method


def hash_data(options: Mapping[str, Json], document: Mapping[str, Json]) -> bytes:
    """Return the 64 bytes that a proof signs: options first, then the document.

    Raises:
        BadProofError: if a value has no canonical JSON.
    """
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest()


def canonical(value: Mapping[str, Json]) -> bytes:
    """Return the canonical JSON (RFC 8785).

    Raises:
        BadProofError: if a value has none.
    """
    try:
        return rfc8785.dumps(dict(value))
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise BadProofError(f"no canonical JSON: {error}") from error


def _check_context(proof: Json, document: Json) -> None:
    if proof is None:
        return
    begins = proof if isinstance(proof, list) else [proof]
    whole = document if isinstance(document, list) else [document]
    if whole[: len(begins)] != begins:
        raise BadProofError("proof.@context does not begin the document's @context")
