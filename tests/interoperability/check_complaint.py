"""Checks a complaint file without a line of Seatrial's: what a court's expert would do.

    python check_complaint.py c1-importer.complaint GENESIS_HASH

It trusts the genesis hash alone. docs/complaints.md says in words what this says in code; the curve's arithmetic and
the box's key are written out here, from RFC 7748, RFC 8032 and the Salsa20 papers. A network whose members or keys
changed since genesis is beyond it, and so is a complaint by signed digests. It needs PyNaCl and msgpack, and
check_possession.py beside it.
"""

import hashlib
import sys
from itertools import pairwise
from pathlib import Path

import nacl.exceptions
import nacl.secret
from check_possession import (
    Refused,
    check_act,
    check_checkpoint,
    check_record,
    need,
    pack,
    read_genesis,
    sha256,
    signed,
    unpack,
)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P)
ZERO = (0, 1)
SIZES = (1024, 4096, 16384, 65536)


def add(one, other):
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    return x % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(number, point):
    result = ZERO
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def minus(one, other):
    return add(one, (-other[0] % P, other[1]))


def point_of(y, sign):
    """RFC 8032, 5.1.3; None if there is no such point of prime order."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    point = (-x % P if x & 1 != sign else x), y
    return point if point != ZERO and times(L, point) == ZERO else None


def of_key(key):
    """The point of sign 0 with an X25519 key's coordinate (RFC 7748, 4.1)."""
    u = int.from_bytes(key, "little")
    return None if u >= P - 1 else point_of((u - 1) * pow(u + 1, -1, P) % P, 0)


def written(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def read(data):
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255, number >> 255
    need(y < P, "a point is not written canonically")
    point = point_of(y, sign)
    need(point is not None, "a point is not of prime order")
    return point


def check_dleq(public, base, point, context, proof):
    """Chaum and Pedersen, CRYPTO '92: log of public to the base point is log of point to base."""
    c, s = int.from_bytes(proof[:32], "little"), int.from_bytes(proof[32:], "little")
    need(0 < c < L and 0 < s < L, "the proof is not written canonically")
    commitments = (
        minus(times(s, BASE), times(c, public)),
        minus(times(s, base), times(c, point)),
    )
    transcript = pack([written(public), written(base), written(point), context])
    hashed = pack([transcript, *map(written, commitments)])
    challenge = hashlib.sha512(b"seatrial/dleq/challenge/v1\n" + hashed).digest()
    need(int.from_bytes(challenge, "little") % L == c, "the shared point is not proven")


def hsalsa20(key):
    """Bernstein, "Extending the Salsa20 nonce", section 2, with a nonce of zeros."""
    k = [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    c = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)]
    x = [c[0], *k[:4], c[1], 0, 0, 0, 0, c[2], *k[4:], c[3]]
    for _ in range(10):
        for order in (
            ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)),
            ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)),
        ):
            for a, b, d, e in order:
                for target, one, other, bits in ((b, a, e, 7), (d, b, a, 9), (e, d, b, 13), (a, e, d, 18)):
                    total = (x[one] + x[other]) % 2**32
                    x[target] ^= (total << bits | total >> 32 - bits) % 2**32
    return b"".join(x[i].to_bytes(4, "little") for i in (0, 5, 10, 15, 6, 7, 8, 9))


def found_in(padded, root):
    """What an envelope is that did open."""
    length = int.from_bytes(padded[:4], "big")
    content, padding = padded[4 : 4 + length], padded[4 + length :]
    try:
        need(len(content) == length and not any(padding), "padding")
        envelope = unpack(content)
        need(pack(envelope) == content and set(envelope) == {"digests", "disclosures", "vouched"}, "fields")
        digests = [envelope["digests"][i : i + 32] for i in range(0, len(envelope["digests"]), 32)]
        need(digests and len(envelope["digests"]) % 1024 == 0, "digests")
        need(all(one < other for one, other in pairwise(digests)), "order")
        names = [name for _, name, _ in envelope["disclosures"]]
        need(names == sorted(set(names)), "names")
        for salt, name, value in envelope["disclosures"]:
            need(sha256(pack(["seatrial/field/v1", salt, name, value])) in digests, "disclosure")
    except (Refused, ValueError, TypeError, KeyError):
        return "spoilt: it opens to no envelope"
    same = sha256(b"seatrial/document/v1\n" + envelope["digests"]) == root
    return "sound: the complaint is false" if same else "spoilt: it opens to another root"


def judge(sealed, root, box_key, opening):
    if len(sealed) + 64 not in SIZES:
        return "spoilt: it has no size of an envelope"
    if sealed[32:64] != box_key:
        return "spoilt: it is sealed to another's key"
    ephemeral = of_key(sealed[:32])
    if ephemeral is None:
        return "spoilt: its ephemeral key is none"
    need(opening is not None, "there is no opening")
    point = read(opening["point"])
    check_dleq(of_key(box_key), ephemeral, point, b"seatrial/opening/v1\n" + sealed, opening["proof"])
    u = (1 + point[1]) * pow(1 - point[1], -1, P) % P
    try:
        padded = nacl.secret.SecretBox(hsalsa20(u.to_bytes(32, "little"))).decrypt(sealed[64:])
    except nacl.exceptions.CryptoError:
        return "spoilt: it does not open"
    return found_in(padded, root)


def check(data, genesis_hash):
    """Return who is accused by whom, and what the envelope is; raise Refused if the file proves nothing."""
    proof = unpack(data)
    need(proof["format"] == "seatrial/complaint-file/v1", "another format")
    need(proof["links"] == [], "the roster changed since genesis: use Seatrial's own verifier")
    genesis = read_genesis(proof["genesis"], genesis_hash)
    size, root, state = check_checkpoint(proof["checkpoint"], genesis)
    records = proof["records"]
    need(check_record("membership", records["membership"], state)["heights"] == [], "changes are missing")
    act, _, _, _ = check_act(proof["complaint"], genesis, size, root)
    body, reader, evidence = act["body"], act["creator"], act["body"]["evidence"]
    if act["type"] == "holding.complain":
        key = f"certificate/{body['certificate'].hex()}"
        document = check_record(key, records["certificate"], state)["root"]
    else:
        need(act["type"] == "document.complain", "no complaint")
        document = body["root"]
    record = check_record(f"document/{document.hex()}", records["document"], state)
    senders = [by for to, by in record["disclosed"] if to == reader]
    senders += [record["issuer"]] if reader in record["addressees"] else []
    accused = evidence["by"]
    need(accused in senders, f"{accused} did not send it")
    need(proof["sealed"] is not None, "signed digests: use Seatrial's own verifier")
    need(sha256(proof["sealed"]) == evidence["envelope"], "another envelope")
    statement = pack({"root": document, "to": reader, "envelope": evidence["envelope"]})
    message = f"seatrial/seal/v1\n{genesis['network']}\n".encode() + statement
    need(signed(genesis["members"][accused]["key"], message, evidence["signature"]), "not its signature")
    box_key = genesis["members"][reader]["box_key"]
    return f"{accused} for {reader}: {judge(proof['sealed'], document, box_key, proof['opening'])}"


def main():
    try:
        print(check(Path(sys.argv[1]).read_bytes(), bytes.fromhex(sys.argv[2])))
    except Refused as refused:
        sys.exit(f"refused: {refused}")


if __name__ == "__main__":
    main()
