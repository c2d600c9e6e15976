"""A held document as a W3C Verifiable Credential 2.0, with everything a stranger needs to check it.

Rules:
- It discloses what the holder's envelope discloses and no more; the digests of the other fields stay digests.
- The issuer's credential key is a key of its own; the organization key signs that it is the issuer's.
- Evidence: the anchoring transaction, its receipt's leaf with a C2SP tlog-proof against a certified checkpoint, and the
  issuer's record with a proof against the state root of that checkpoint. A verifier trusts the orderers' keys alone.
- Everything is as of that checkpoint's height: whose keys are whose, who orders, and where the document stands.
- A certificate that was found incorrect is suspended, one that was superseded revoked, each in a list of the issuer's.
  Other documents have no such state, and no list.
- Dates are block times and legal dates of the run, so that exporting twice gives the same bytes.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.contracts import CertificateState, certificate_valid_until
from ledger.credentials import (
    ENTRIES_MIN,
    ProofOptions,
    StatusList,
    TlogProof,
    base64url,
    did_key,
    secure,
)
from ledger.credentials.cryptosuite import Json
from ledger.encoding import Value, encode
from ledger.keys import Domain, SigningKey
from ledger.state import organization_key
from scenarios.errors import RefusedError
from scenarios.exporting.held import HeldDocument
from scenarios.exporting.issuer import IssuerKeys, issuer_keys
from scenarios.exporting.trust import trust_of
from scenarios.exporting.written import write_new_files

CONTEXT = "https://www.w3.org/ns/credentials/v2"
TERMS = "https://ledger.invalid/terms#"
REVOCATION, SUSPENSION = "revocation", "suspension"
JSON_INTEGER_MAX = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Exported:
    """What is handed over, as JSON values.

    Attributes:
        credential: the document, secured.
        status_lists: the issuer's lists by purpose, each a secured credential; none but for certificates of origin.
        trust: what a verifier must get from somewhere it trusts: the orderers' keys and how many must sign.
    """

    credential: Mapping[str, Json]
    status_lists: Mapping[str, Mapping[str, Json]]
    trust: Mapping[str, Json]


def export_credential(held: HeldDocument, status_url: str | None = None) -> Exported:
    """Return a held document as a credential, its issuer's status lists, and whom to trust.

    Args:
        held: the document.
        status_url: where the status lists will be served; a name that nobody serves if None.

    Raises:
        RefusedError: if a field has no JSON form, the document's key was stolen, or nobody vouches for the issuer.
        KeyFileError: if a key file cannot be used.
    """
    ledger, issuer = held.certified.ledger, held.issuer
    keys = issuer_keys(issuer, held.name, held.receipt.height)
    key = held.keyring.credential_key(issuer.id)
    base = (status_url or f"https://{ledger.roster.origin}/{issuer.id}/status").rstrip("/")
    lists = _status_lists_of(held)
    entries = _status_entries(base, _status_index(held.anchored_roots, held.opened.root)) if lists else []
    options = ProofOptions(_moment(ledger.time_ms))
    credential = secure(_credential(held, key, _evidence(held, keys, key), entries), key, options)
    status_lists = {
        purpose: secure(_status_credential(held, key, base, purpose, status), key, options)
        for purpose, status in lists.items()
    }
    return Exported(credential, status_lists, trust_of(ledger.roster, held.certified.height))


def write_credential(exported: Exported, directory: Path, stem: str) -> list[Path]:
    """Write everything into a directory and return the files' paths, the credential's first.

    Args:
        exported: what is handed over.
        directory: made if absent.
        stem: what all of the files' names begin with.

    Raises:
        RefusedError: if one of the files is there already, or the directory cannot be written.
    """
    values = {f"{stem}.credential.json": exported.credential}
    for purpose, status in exported.status_lists.items():
        values[f"{stem}.{purpose}.json"] = status
    values[f"{stem}.trust.json"] = exported.trust
    return write_new_files(
        directory,
        {
            file: (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
            for file, value in values.items()
        },
    )


def _credential(held: HeldDocument, key: SigningKey, evidence: Json, status: list[Json]) -> dict[str, Json]:
    issuer = held.issuer
    subject_id = f"https://{held.certified.ledger.roster.origin}/documents/{held.opened.root.hex()}"
    credential: dict[str, Json] = {
        "@context": [CONTEXT, {"@vocab": TERMS}],
        "id": subject_id,
        "type": ["VerifiableCredential", "TradeDocument"],
        "issuer": {
            "id": did_key(key.public),
            "organization": issuer.id,
            "name": issuer.name,
        },
        "validFrom": _moment(held.receipt.time_ms),
        "credentialSubject": {
            "id": subject_id,
            "kind": str(held.transaction.body.get("form") or held.transaction.type),
            "holder": held.holder,
            "publicFacts": _json("publicFacts", held.transaction.body),
            "fields": {
                name: _json(name, value.reveal()) for name, value in sorted(held.opened.fields.items())
            },
        },
        "evidence": [evidence],
    }
    signed_on = held.transaction.body.get("signed_on")
    if isinstance(signed_on, str):
        last = certificate_valid_until(datetime.date.fromisoformat(signed_on))
        credential["validUntil"] = f"{last.isoformat()}T23:59:59Z"
    if status:
        credential["credentialStatus"] = status
    return credential


def _evidence(held: HeldDocument, keys: IssuerKeys, key: SigningKey) -> Json:
    ledger, issuer = held.certified.ledger, held.issuer
    vouching = held.keyring.signing_key(issuer.id, keys.vouching.key)
    if vouching is None:
        raise RefusedError(
            f"{issuer.id}'s key {keys.vouching.key.hex()[:16]}, its own since height {keys.vouching.since}, does not"
            " follow from the run's seed",
            "it vouches for the credential",
            f"give a folder with {issuer.id}/organization.key by --keys",
        )
    record_key = organization_key(issuer.id)
    record = ledger.state.get(record_key)
    assert record is not None  # noqa: S101 - the roster was read from it
    receipt = held.receipt
    leaf = encode(
        [
            "receipt",
            receipt.height,
            receipt.position,
            receipt.id,
            str(receipt.code),
            receipt.rule,
            list(receipt.findings),
        ]
    )
    statement = key_statement(issuer.id, key.public)
    size = ledger.checkpoint.size
    proof = TlogProof(receipt.index, ledger.log.inclusion_proof(receipt.index, size), held.certified.note)
    return {
        "type": "LedgerInclusion",
        "network": ledger.roster.network,
        "digests": base64url(b"".join(held.opened.digests)),
        "disclosures": [
            {"name": d.name, "salt": base64url(d.salt), "value": _json(d.name, d.value.reveal())}
            for d in held.opened.disclosures
        ],
        "transaction": base64url(held.raw),
        "leaf": base64url(leaf),
        "inclusion": proof.text(),
        "issuerRecord": {
            "key": record_key,
            "value": base64url(record),
            "proof": base64url(ledger.prove(record_key).encode()),
        },
        "credentialKey": {
            "statement": base64url(statement),
            "signature": base64url(vouching.sign(Domain.CREDENTIAL_KEY, ledger.roster.network, statement)),
        },
    }


def key_statement(organization: str, credential_key: bytes) -> bytes:
    """Return what an organization key signs of the credential key: canonical bytes."""
    return encode({"organization": organization, "key": credential_key})


def _status_lists_of(held: HeldDocument) -> dict[str, StatusList]:
    """Return the issuer's status lists by purpose; none for what is no certificate of origin."""
    if held.state_of(held.opened.root) is None:
        return {}
    lists = {purpose: StatusList() for purpose in (REVOCATION, SUSPENSION)}
    for root in held.anchored_roots:
        _mark(lists, _status_index(held.anchored_roots, root), held.state_of(root))
    return lists


def _mark(lists: Mapping[str, StatusList], index: int, state: CertificateState | None) -> None:
    if state is CertificateState.CORRECTED:
        lists[REVOCATION].set(index)
    elif state is CertificateState.NOTICE_GIVEN:
        lists[SUSPENSION].set(index)


def _status_index(roots: tuple[bytes, ...], root: bytes) -> int:
    """Return a root's entry: it follows from the root alone unless an earlier root has that entry already."""
    taken: dict[int, bytes] = {}
    for anchored in roots:
        index = int.from_bytes(anchored[:8], "big") % ENTRIES_MIN
        while index in taken:
            index = (index + 1) % ENTRIES_MIN
        taken[index] = anchored
        if anchored == root:
            return index
    raise AssertionError(f"root {root.hex()} is not among its issuer's")


def _status_entries(base: str, index: int) -> list[Json]:
    return [
        {
            "id": f"{base}/{purpose}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(index),
            "statusListCredential": f"{base}/{purpose}",
        }
        for purpose in (REVOCATION, SUSPENSION)
    ]


def _status_credential(
    held: HeldDocument, key: SigningKey, base: str, purpose: str, status: StatusList
) -> dict[str, Json]:
    url = f"{base}/{purpose}"
    return {
        "@context": [CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did_key(key.public),
        "validFrom": _moment(held.certified.ledger.time_ms),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": status.encode(),
        },
    }


def _moment(time_ms: int) -> str:
    moment = datetime.datetime.fromtimestamp(time_ms // 1000, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(where: str, value: Value) -> Json:
    """Return a canonical value as JSON that reads back as the same value: bytes become `{"base64url": text}`."""
    if isinstance(value, bytes):
        return {"base64url": base64url(value)}
    if isinstance(value, list):
        return [_json(where, item) for item in value]
    if isinstance(value, dict):
        return {name: _json(where, item) for name, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > JSON_INTEGER_MAX:
        raise RefusedError(
            f"field {where} is {value}", f"JSON holds whole numbers up to {JSON_INTEGER_MAX}", ""
        )
    return value
