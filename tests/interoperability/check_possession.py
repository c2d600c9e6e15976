"""Checks a possession file without a line of Seatrial's: what another company's program would do.

    python check_possession.py e1.possession GENESIS_HASH

It trusts the genesis hash alone. docs/possession.md says in words what this says in code. A network whose members or
keys changed since genesis is beyond it, and it says so. It needs PyNaCl and msgpack.
"""

import base64
import hashlib
import sys
from pathlib import Path

import msgpack
import nacl.exceptions
import nacl.signing

CLAIMS = ("claim.file", "claim.file_post")


class Refused(Exception):
    """The file proves nothing."""


def need(holds, reason):
    if not holds:
        raise Refused(reason)


def sha256(data):
    return hashlib.sha256(data).digest()


def unpack(data):
    return msgpack.unpackb(data, raw=False)


def pack(value):
    """msgpack with sorted map keys: how the ledger writes values."""
    return msgpack.packb(in_order(value), use_bin_type=True)


def in_order(value):
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


def signed(key, message, signature):
    try:
        nacl.signing.VerifyKey(key).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def read_genesis(data, genesis_hash):
    need(sha256(b"seatrial/genesis/v2\n" + data) == genesis_hash, "another network's genesis")
    genesis = unpack(data)
    genesis["network"] = f"{genesis['name']}-{genesis_hash.hex()[:16]}"
    genesis["members"] = {member["id"]: member for member in genesis["organizations"]}
    return genesis


def check_checkpoint(note, genesis):
    """C2SP signed note and tlog-checkpoint; returns size, root and state root."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    origin, size, root, _height, _block, state = text.splitlines()
    need(origin == f"ledger.invalid/{genesis['network']}", "a checkpoint of another log")
    signers = set()
    for orderer in genesis["orderers"]:
        key = genesis["members"][orderer]["node_key"]
        key_id = sha256(origin.encode() + b"\n\x01" + key)[:4]
        for line in lines.splitlines():
            _, by, signature = line.split(" ")
            data = base64.b64decode(signature)
            if by == origin and data[:4] == key_id and signed(key, text.encode(), data[4:]):
                signers.add(orderer)
    quorum = (len(genesis["orderers"]) + genesis["orderer_liars_tolerated"]) // 2 + 1
    need(len(signers) >= quorum, f"{len(signers)} orderers signed, {quorum} are needed")
    return int(size), base64.b64decode(root), base64.b64decode(state.removeprefix("state "))


def check_leaf(leaf, size, root):
    """RFC 9162, section 2.1.3.2; returns the leaf's fields."""
    need(0 <= leaf["index"] < size, "a leaf beyond the log")
    fn, sn, result = leaf["index"], size - 1, sha256(b"\x00" + leaf["data"])
    for step in leaf["path"]:
        need(sn > 0, "an inclusion proof is too long")
        if fn & 1 or fn == sn:
            result = sha256(b"\x01" + step + result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = sha256(b"\x01" + result + step)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and result == root, "a leaf is not in the log")
    return unpack(leaf["data"])


def check_record(key, record, root):
    """A 16-ary tree over sha256(key): leaf 00 || sha256(key) || sha256(value), inner node 01 || 16 hashes."""
    path = sha256(key.encode())
    result = sha256(b"\x00" + path + sha256(record["value"]))
    steps = unpack(record["proof"])["steps"]
    for level in range(len(steps) - 1, -1, -1):
        bitmap, siblings = steps[level][0], list(steps[level][1])
        hashes = [siblings.pop(0) if bitmap >> digit & 1 else bytes(32) for digit in range(16)]
        hashes[int(path.hex()[level], 16)] = result
        result = sha256(b"\x01" + b"".join(hashes))
    need(result == root, f"{key} does not have this record in the certified state")
    return unpack(record["value"])


def check_act(act, genesis, size, root):
    """Returns the transaction, its place in the ledger's order, its block's time and its findings."""
    kind, height, position, raw_id, code, _, findings = check_leaf(act["receipt"], size, root)
    need(kind == "receipt" and code == "VALID", f"the transaction was not valid but {code}")
    kind, block_height, _, time_ms, _ = check_leaf(act["block"], size, root)
    need(kind == "block" and block_height == height, "the time is another block's")
    transaction = unpack(act["transaction"])
    signature = transaction.pop("signature")
    payload = pack(transaction)
    need(sha256(b"seatrial/transaction/v1\n" + payload) == raw_id, "the receipt is another transaction's")
    message = f"seatrial/transaction/v1\n{genesis['network']}\n".encode() + payload
    key = genesis["members"][transaction["creator"]]["key"]
    need(signed(key, message, signature), f"{transaction['creator']} did not sign the transaction")
    return transaction, (height, position), time_ms, findings


def check(data, genesis_hash):
    """Return whether the certificate was held before the claim; raise Refused if the file proves neither."""
    proof = unpack(data)
    need(proof["format"] == "seatrial/possession-file/v1", "another format")
    need(proof["links"] == [], "the roster changed since genesis: use Seatrial's own verifier")
    genesis = read_genesis(proof["genesis"], genesis_hash)
    size, root, state = check_checkpoint(proof["checkpoint"], genesis)
    records = proof["records"]
    need(check_record("membership", records["membership"], state)["heights"] == [], "changes are missing")

    anchor, anchored, anchored_ms, _ = check_act(proof["anchor"], genesis, size, root)
    held_act, held, held_ms, _ = check_act(proof["acknowledgement"] or proof["anchor"], genesis, size, root)
    claim, claimed, claimed_ms, findings = check_act(proof["claim"], genesis, size, root)
    certificate, holder, body = anchor["body"]["certificate"], held_act["creator"], claim["body"]
    need(anchor["type"] == "certificate.anchor", "no certificate was anchored")
    if proof["acknowledgement"] is not None:
        need(held_act["type"] == "holding.acknowledge", "nothing was acknowledged")
    need(held_act["body"]["certificate"] == certificate, "another certificate was acknowledged")
    importer = body.get("importer_of_record") or claim["creator"]
    need(claim["type"] in CLAIMS and importer == holder, "the claim is another importer's")
    need(body["certificate"] in (None, certificate), "the claim names another certificate")
    need(anchored <= held, "acknowledged before it was anchored")

    (document,) = anchor["documents"]
    record = check_record(f"certificate/{certificate.hex()}", records["certificate"], state)
    need(record["root"] == document and record["issuer"] == anchor["creator"], "another certificate's record")
    record = check_record(f"document/{document.hex()}", records["document"], state)
    need(record["anchored_ms"] == anchored_ms, "the document's record says another time")
    record = check_record(f"holding/{certificate.hex()}/{holder}", records["holding"], state)
    need(record["acknowledged_ms"] == held_ms, "the holding's record says another time")
    record = check_record(f"claim/{body['entry']}/{body['line']}", records["filed"], state)
    need(
        record["filed_ms"] == claimed_ms and record["importer"] == holder, "the claim's record says otherwise"
    )
    before = held < claimed
    if body["certificate"] is not None:
        need(("NO_POSSESSION" in findings) is not before, "the ledger's finding contradicts its order")
    return before


def main():
    try:
        before = check(Path(sys.argv[1]).read_bytes(), bytes.fromhex(sys.argv[2]))
    except Refused as refused:
        sys.exit(f"refused: {refused}")
    print("held before the claim" if before else "held only after the claim")


if __name__ == "__main__":
    main()
