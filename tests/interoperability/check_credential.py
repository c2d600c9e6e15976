"""Checks an exported credential without a line of Seatrial's: what another company's program would do.

    python check_credential.py C.credential.json C.trust.json C.revocation.json C.suspension.json

It trusts trust.json alone: the orderers' keys, how many of them must have signed, and the heights for which that is so.
docs/credentials.md says in words what this says in code. It needs PyNaCl, msgpack, rfc8785 and base58.
"""

import base64
import gzip
import hashlib
import json
import sys
from pathlib import Path

import base58
import msgpack
import nacl.exceptions
import nacl.signing
import rfc8785


class Refused(Exception):
    """The credential does not hold."""


def need(holds, reason):
    if not holds:
        raise Refused(reason)


def sha256(data):
    return hashlib.sha256(data).digest()


def pack(value):
    """msgpack with sorted map keys: how the ledger writes values."""
    return msgpack.packb(in_order(value), use_bin_type=True)


def in_order(value):
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


def unpack(data):
    return msgpack.unpackb(data, raw=False)


def base64url(text):
    need(text.startswith("u"), "multibase base64url begins with u")
    return base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))


def plain(value):
    """A JSON value as the ledger has it: {"base64url": text} stands for bytes."""
    if isinstance(value, dict):
        if list(value) == ["base64url"]:
            return base64url(value["base64url"])
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def signed(key, message, signature):
    try:
        nacl.signing.VerifyKey(key).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def did_key(did):
    data = base58.b58decode(did.removeprefix("did:key:z"))
    need(data[:2] == b"\xed\x01" and len(data) == 34, f"{did} is no Ed25519 key")
    return data[2:]


def check_proof(secured, issuer):
    """W3C Data Integrity, eddsa-jcs-2022."""
    document = {name: value for name, value in secured.items() if name != "proof"}
    options = {name: value for name, value in secured["proof"].items() if name != "proofValue"}
    need(options["cryptosuite"] == "eddsa-jcs-2022", "another cryptosuite")
    need(options["@context"] == document["@context"], "the proof is over another context")
    need(
        options["verificationMethod"].split("#")[0] == issuer, "the proof is by another key than the issuer's"
    )
    hashed = sha256(rfc8785.dumps(options)) + sha256(rfc8785.dumps(document))
    signature = base58.b58decode(secured["proof"]["proofValue"][1:])
    need(signed(did_key(issuer), hashed, signature), "the issuer's proof does not hold")


def check_note(note, trust):
    """C2SP signed note and tlog-checkpoint; returns size, root and state root."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    origin, size, root, height, _block, state = text.splitlines()
    need(origin == trust["origin"], "a checkpoint of another log")
    height = int(height.removeprefix("height "))
    first, last = trust["heights"]["first"], trust["heights"]["last"]
    need(
        height >= first and (last is None or height <= last),
        f"the checkpoint is of height {height}, the trusted keys hold from height {first} to {last or 'now'}",
    )
    for orderers in trust["electorate"]:
        signers = {o["organization"] for o in orderers["orderers"] if signed_note(o["key"], text, lines)}
        need(
            len(signers) >= orderers["quorum"],
            f"{len(signers)} orderers signed, {orderers['quorum']} are needed",
        )
    return int(size), base64.b64decode(root), base64.b64decode(state.removeprefix("state "))


def signed_note(verifier_key, text, lines):
    """Whether one of a note's signatures is by a key in C2SP's verifier-key form."""
    name, key_id, packed = verifier_key.split("+", 2)
    for line in lines.splitlines():
        _, by, signature = line.split(" ")
        data = base64.b64decode(signature)
        if (
            by == name
            and data[:4].hex() == key_id
            and signed(base64.b64decode(packed)[1:], text.encode(), data[4:])
        ):
            return True
    return False


def check_inclusion(leaf, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    fn, sn, result = index, size - 1, sha256(b"\x00" + leaf)
    for step in path:
        need(sn > 0, "the inclusion proof is too long")
        if fn & 1 or fn == sn:
            result = sha256(b"\x01" + step + result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = sha256(b"\x01" + result + step)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and result == root, "the receipt is not in the log")


def check_state(key, value, proof, root):
    """A 16-ary tree over sha256(key): leaf 00 || sha256(key) || sha256(value), inner node 01 || 16 hashes."""
    path = sha256(key.encode())
    result = sha256(b"\x00" + path + sha256(value))
    steps = [(step[0], list(step[1])) for step in unpack(proof)["steps"]]
    for level in range(len(steps) - 1, -1, -1):
        bitmap, siblings = steps[level]
        own = path.hex()[level]
        hashes = [siblings.pop(0) if bitmap >> digit & 1 else bytes(32) for digit in range(16)]
        hashes[int(own, 16)] = result
        result = sha256(b"\x01" + b"".join(hashes))
    need(result == root, f"{key} does not have this record in the certified state")


def check_evidence(credential, trust):
    """The document's root is on the ledger, anchored by the issuer, and the disclosed fields are under that root."""
    evidence = credential["evidence"][0]
    head, _, note = evidence["inclusion"].partition("\n\n")
    lines = head.splitlines()
    need(lines[0] == "c2sp.org/tlog-proof@v1", "no tlog-proof")
    size, root, state_root = check_note(note, trust)
    leaf = base64url(evidence["leaf"])
    check_inclusion(leaf, int(lines[1].split()[1]), size, [base64.b64decode(x) for x in lines[2:]], root)

    _, height, _, raw_id, code, *_ = unpack(leaf)
    need(code == "VALID", f"the transaction was not valid but {code}")
    transaction = unpack(base64url(evidence["transaction"]))
    signature = transaction.pop("signature")
    payload = pack(transaction)
    network = trust["network"]
    head = f"seatrial/transaction/v1\n{network}\n".encode()
    need(sha256(b"seatrial/transaction/v1\n" + payload) == raw_id, "the receipt is another transaction's")

    record = base64url(evidence["issuerRecord"]["value"])
    issuer = credential["issuer"]
    facts = credential["credentialSubject"]["publicFacts"]
    need(plain(facts) == transaction["body"], "the public facts are not the transaction's")
    need(transaction["creator"] == issuer["organization"], "somebody else anchored it")
    need(
        evidence["issuerRecord"]["key"] == f"organization/{issuer['organization']}", "somebody else's record"
    )
    check_state(
        evidence["issuerRecord"]["key"], record, base64url(evidence["issuerRecord"]["proof"]), state_root
    )
    # A key's term begins after the block that registered it and ends with the block that replaced it.
    record = unpack(record)
    of_then = [t for t in record["keys"] if t["since"] < height <= (t["until"] or height)]
    need(len(of_then) == 1, "the organization had no key when it was ordered")
    stolen = of_then[0]["compromised_since"]
    need(
        stolen is None or height <= stolen, f"it was signed with a key that was stolen since height {stolen}"
    )
    need(
        signed(of_then[0]["key"], head + payload, signature), "the organization did not sign the transaction"
    )

    # Only a present key of a present member vouches: of any other a theft could never be told.
    need(record["until"] is None, f"the issuer left at height {record['until']}")
    vouching = record["keys"][-1]
    need(vouching["until"] is None, f"the issuer has no key since height {vouching['until']}")
    statement = base64url(evidence["credentialKey"]["statement"])
    need(unpack(statement)["key"] == did_key(issuer["id"]), "the credential key is another")
    need(unpack(statement)["organization"] == issuer["organization"], "the credential key is another's")
    message = f"seatrial/credential-key/v1\n{network}\n".encode() + statement
    need(
        signed(vouching["key"], message, base64url(evidence["credentialKey"]["signature"])),
        "the credential key is not vouched for",
    )

    digests = base64url(evidence["digests"])
    need(
        sha256(b"seatrial/document/v1\n" + digests) in transaction["documents"],
        "the digests are of another document",
    )
    known = {digests[i : i + 32] for i in range(0, len(digests), 32)}
    disclosed = {}
    for field in evidence["disclosures"]:
        digest = sha256(
            pack(["seatrial/field/v1", base64url(field["salt"]), field["name"], plain(field["value"])])
        )
        need(digest in known, f"field {field['name']} is not as anchored")
        disclosed[field["name"]] = field["value"]
    need(
        disclosed == credential["credentialSubject"]["fields"],
        "the subject says something else than its evidence",
    )


def check_status(credential, lists):
    """W3C Bitstring Status List 1.0: the purposes whose bit is set."""
    found = []
    for entry in credential.get("credentialStatus", []):
        status = lists.get(entry["statusListCredential"])
        need(status is not None, f"the list for {entry['statusPurpose']} is missing")
        check_proof(status, status["issuer"])
        need(status["issuer"] == credential["issuer"]["id"], "the status list is another issuer's")
        need(
            status["credentialSubject"]["statusPurpose"] == entry["statusPurpose"],
            "a list for another purpose",
        )
        bits = gzip.decompress(base64url(status["credentialSubject"]["encodedList"]))
        need(len(bits) * 8 >= 131072, "the status list is too short to hide which entry is asked for")
        index = int(entry["statusListIndex"])
        if bits[index // 8] & 0x80 >> index % 8:
            found.append(entry["statusPurpose"])
    return found


def check(credential, trust, status_lists):
    """Return the purposes for which the credential is out of force; raise Refused if it does not hold."""
    check_proof(credential, credential["issuer"]["id"])
    check_evidence(credential, trust)
    return check_status(credential, {status["id"]: status for status in status_lists})


def main():
    if len(sys.argv) < 3:
        sys.exit("give the credential, whom to trust, and the status lists that the credential names")
    credential, trust, *lists = [json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:]]
    try:
        out_of_force = check(credential, trust, lists)
    except Refused as refused:
        sys.exit(f"refused: {refused}")
    print("holds" + (f", but has {' and '.join(out_of_force)}" if out_of_force else ""))


if __name__ == "__main__":
    main()
