"""eddsa-jcs-2022: the published test vectors byte for byte, and what a verifier refuses.

Vectors: W3C Data Integrity EdDSA Cryptosuites 1.0, appendix B.2 "Representation: eddsa-jcs-2022".
"""

import copy

import base58
import pytest

from ledger.credentials import ProofOptions, secure, verify_secured
from ledger.credentials.cryptosuite import canonical, hash_data
from ledger.errors import BadProofError
from ledger.keys import SigningKey, Verifier

PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
PUBLISHED_KEY_PAIR = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
CONTEXT = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
UNSIGNED = {
    "@context": CONTEXT,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
CREATED = "2023-02-24T23:36:38Z"
CANONICAL_DOCUMENT = (
    '{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],'
    '"credentialSubject":{"alumniOf":"The School of Examples","id":"did:example:abcdefgh"},'
    '"description":"A minimum viable example of an Alumni Credential.",'
    '"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","issuer":"https://vc.example/issuers/5678",'
    '"name":"Alumni Credential","type":["VerifiableCredential","AlumniCredential"],'
    '"validFrom":"2023-01-01T00:00:00Z"}'
)
HASH_DATA = (
    "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
    "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
)
SIGNATURE = (
    "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b80351da3f253d725c6f00b07c9e5448d50b3ef78012b9ab5425"
    "5116d069c6dd2808"
)
PROOF_VALUE = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"


def key():
    data = base58.b58decode(PUBLISHED_KEY_PAIR[1:])
    assert data[:2] == b"\x80\x26"  # an Ed25519 secret key in multikey form
    return SigningKey.from_seed(data[2:])


def secured():
    return secure(UNSIGNED, key(), ProofOptions(CREATED))


def test_the_published_vector_comes_out_byte_for_byte():
    assert canonical(UNSIGNED).decode() == CANONICAL_DOCUMENT
    done = secured()
    options = {name: value for name, value in done["proof"].items() if name != "proofValue"}
    assert hash_data(options, UNSIGNED).hex() == HASH_DATA
    assert options == {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": CREATED,
        "verificationMethod": f"did:key:{PUBLIC}#{PUBLIC}",
        "proofPurpose": "assertionMethod",
        "@context": CONTEXT,
    }
    assert base58.b58decode(done["proof"]["proofValue"][1:]).hex() == SIGNATURE
    assert done["proof"]["proofValue"] == PROOF_VALUE


def test_what_was_secured_verifies():
    assert verify_secured(secured(), Verifier()) == f"did:key:{PUBLIC}#{PUBLIC}"


def changed(path, value):
    document = copy.deepcopy(secured())
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("credentialSubject", "alumniOf"), "Another School", "does not hold"),
        (("proof", "created"), "2023-02-24T23:36:39Z", "does not hold"),
        (("proof", "proofPurpose"), "authentication", "proofPurpose"),
        (("proof", "cryptosuite"), "eddsa-rdfc-2022", "cryptosuite"),
        (("proof", "type"), "Ed25519Signature2020", "type"),
        (("proof", "@context"), ["https://www.w3.org/ns/credentials/v1"], "does not begin"),
        (("proof", "verificationMethod"), "https://vc.example/keys/1", "did:key"),
        (("proof", "verificationMethod"), f"did:key:{PUBLIC}#z6Mkother", "did:key"),
        (("proof", "proofValue"), "z" + PROOF_VALUE[1:-1], "bytes|does not hold"),
        (("proof", "proofValue"), "u" + PROOF_VALUE[1:], "base58btc"),
        (("proof", "proofValue"), 7, "texts"),
        (("proof",), [], "no proof"),
    ],
)
def test_whatever_was_changed_is_refused(path, value, reason):
    with pytest.raises(BadProofError, match=reason):
        verify_secured(changed(path, value), Verifier())


def test_a_context_that_begins_the_document_s_is_enough():
    """The proof is over its own context; a document may add to it (section 3.3.2, step 4)."""
    key_ = key()
    narrow = secure({**UNSIGNED, "@context": CONTEXT[:1]}, key_, ProofOptions(CREATED))
    widened = {**narrow, "@context": CONTEXT}
    with pytest.raises(BadProofError, match="does not hold"):  # the document's hash covers its context
        verify_secured(widened, Verifier())


@pytest.mark.parametrize("value", [1.5, 2**53, float("nan"), "\ud800"])
def test_a_value_that_another_program_would_read_otherwise_is_refused(value):
    document = {**UNSIGNED, "amount": value}
    if value == 1.5:
        secure(document, key(), ProofOptions(CREATED))  # RFC 8785 has a form for it
        return
    with pytest.raises(BadProofError, match="canonical"):
        secure(document, key(), ProofOptions(CREATED))


def test_a_document_is_secured_once():
    with pytest.raises(BadProofError, match="no proof yet"):
        secure(secured(), key(), ProofOptions(CREATED))
