"""Checkpoints of the executed log, and the certificates made of them.

Rules:
- A checkpoint is a C2SP tlog-checkpoint: origin, size and root of the Merkle log, then the extension lines
  `height N`, `block <base64>`, `state <base64>`; nothing more and in no other form.
- It travels as a C2SP signed note. Orderers sign as the log: the key name is the origin, the signature type
  0x01 (Ed25519 over the note's text), each orderer with its node key.
- A certificate is one checkpoint with the signatures over that very text of k distinct orderers of every set in
  the height's electorate.
- As signed-note demands, signatures by unknown keys are ignored, and one bad signature by a known key
  refuses the whole note.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.electorate import Electorate
from ledger.errors import BadProofError, UnknownOrganizationError
from ledger.keys import SigningKey, Verifier, note_key_id

NOTE_BYTES_MAX = 64 * 1024
NOTE_SIGNATURES_MAX = 300
COUNT_MAX = 2**63 - 1

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a node states of its executed log.

    Attributes:
        origin: of the log, `ledger.invalid/<network>`.
        size: leaves in the Merkle log.
        root: its root at that size.
        height: of the last executed block.
        block_hash: that block's hash.
        state_root: root of the state tree after it.
    """

    origin: str
    size: int
    root: bytes
    height: int
    block_hash: bytes
    state_root: bytes

    def text(self) -> str:
        """Return the note's text, which signatures cover; it ends in a line feed."""
        return (
            f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"
            f"height {self.height}\nblock {_base64(self.block_hash)}\nstate {_base64(self.state_root)}\n"
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """A checkpoint with orderers' signatures.

    Attributes:
        checkpoint: what they signed.
        signatures: (organization id, 64 bytes), each orderer once.
    """

    checkpoint: Checkpoint
    signatures: tuple[tuple[str, bytes], ...]

    def note(self, electorate: Electorate) -> str:
        """Return the signed note. The electorate supplies the keys whose ids name the signers.

        Raises:
            UnknownOrganizationError: if a signer is not in the electorate.
        """
        origin = self.checkpoint.origin
        lines: list[str] = []
        for organization, signature in self.signatures:
            key = electorate.keys.get(organization)
            if key is None:
                raise UnknownOrganizationError(
                    f"signer {organization!r} of height {self.checkpoint.height} is no orderer then; they are "
                    f"{', '.join(electorate.orderers)}"
                )
            lines.append(note_line(origin, key, signature))
        return f"{self.checkpoint.text()}\n{''.join(lines)}"


def note_line(name: str, public: bytes, signature: bytes) -> str:
    """Return one signature line of a signed note, for an Ed25519 key."""
    return f"\u2014 {name} {_base64(note_key_id(name, public) + signature)}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey, name: str | None = None) -> bytes:
    """Sign a checkpoint as the log.

    A node signs at most one checkpoint per size, durably, ever; the caller keeps that promise.

    Args:
        checkpoint: what to state.
        key: the node key.
        name: the key name, where the caller has one; it must be the origin.

    Returns:
        The 64-byte signature over the note's text.

    Raises:
        BadProofError: if the key name is not the origin, or the checkpoint would not read back as itself.
    """
    if name is not None and name != checkpoint.origin:
        raise BadProofError(
            f"key name {name!r} is not the checkpoint's origin {checkpoint.origin!r}; sign as the log"
        )
    text = checkpoint.text()
    if parse_checkpoint(text) != checkpoint:
        raise BadProofError(f"checkpoint {checkpoint!r} does not read back as itself")
    return key.sign_bytes(text.encode())


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint whose note text is `text`.

    Raises:
        BadProofError: if the text is no checkpoint with our extension lines.
    """
    lines = text.split("\n")
    if len(lines) != 7 or lines[6]:
        raise BadProofError(f"a checkpoint has 6 lines, each with a line feed, got {max(0, len(lines) - 1)}")
    if _KEY_NAME.fullmatch(lines[0]) is None or _CONTROL.search(text):
        raise BadProofError(f"origin {lines[0][:80]!r} is empty or has spaces, plus or control characters")
    return Checkpoint(
        origin=lines[0],
        size=_number("size", lines[1]),
        root=_hash("root", lines[2]),
        height=_number("height", _after("height ", lines[3])),
        block_hash=_hash("block", _after("block ", lines[4])),
        state_root=_hash("state", _after("state ", lines[5])),
    )


def parse_certificate(note: str, electorate: Electorate) -> Certificate:
    """Return the checkpoint of a signed note and its orderers' signatures, not yet verified.

    Signatures by keys that are no orderer's are left out, and all but the first of one key.

    Args:
        note: the signed note.
        electorate: of the note's height, which `certified_height` tells: its keys are the known ones.

    Raises:
        BadProofError: if the note is no checkpoint in a signed note.
    """
    text, lines = split_note(note)
    checkpoint = parse_checkpoint(text)
    known = {
        (electorate.origin, note_key_id(electorate.origin, key)): orderer
        for orderer, key in electorate.keys.items()
    }
    signatures: dict[str, bytes] = {}
    for name, key_id, signature in lines:
        orderer = known.get((name, key_id))
        if orderer is not None and orderer not in signatures:
            signatures[orderer] = signature
    return Certificate(checkpoint, tuple(signatures.items()))


def split_note(note: str) -> tuple[str, tuple[tuple[str, bytes, bytes], ...]]:
    """Return a signed note's text and its signatures: (key name, 4-byte key id, signature).

    Raises:
        BadProofError: if it is no signed note, is over a limit, or has no signature.
    """
    try:
        size = len(note.encode())
    except UnicodeEncodeError as error:
        raise BadProofError(f"a signed note is UTF-8: {error}") from error
    if size > NOTE_BYTES_MAX:
        raise BadProofError(f"a note of {size} bytes is over the limit of {NOTE_BYTES_MAX}")
    if _CONTROL.search(note):
        raise BadProofError("a signed note has no control characters but line feeds")
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise BadProofError(
            "a signed note is a text, an empty line, and signature lines that end in a line feed"
        )
    lines = rest[:-1].split("\n")
    if len(lines) > NOTE_SIGNATURES_MAX:
        raise BadProofError(f"a note with {len(lines)} signatures is over the limit of {NOTE_SIGNATURES_MAX}")
    return f"{text}\n", tuple(_read_line(line) for line in lines)


def certified_height(note: str) -> int:
    """Return the height that a signed note states; nothing is verified.

    Raises:
        BadProofError: if the note is no checkpoint in a signed note.
    """
    return parse_checkpoint(split_note(note)[0]).height


def verify_certificate(certificate: Certificate, electorate: Electorate, verifier: Verifier) -> None:
    """Refuse a certificate that does not prove its checkpoint.

    Args:
        certificate: what to verify.
        electorate: of its height.
        verifier: for the signatures.

    Raises:
        BadProofError: with the reason: another log's origin, a signer who is no orderer or signs twice, a
            signature that does not hold, or fewer than k signatures.
    """
    checkpoint = certificate.checkpoint
    where = f"certificate of height {checkpoint.height}"
    if checkpoint.origin != electorate.origin:
        raise BadProofError(
            f"{where}: origin {checkpoint.origin!r} is another log's; this one is {electorate.origin!r}"
        )
    message = checkpoint.text().encode()
    seen: dict[str, None] = {}
    for organization, signature in certificate.signatures:
        public = electorate.keys.get(organization)
        if public is None:
            raise BadProofError(
                f"{where}: {organization!r} is no orderer; they are {', '.join(electorate.orderers)}"
            )
        if organization in seen:
            raise BadProofError(f"{where}: {organization!r} signs twice; each orderer counts once")
        seen[organization] = None
        if not verifier.verify_bytes(public, message, signature):
            raise BadProofError(f"{where}: the signature of {organization!r} does not hold")
    lack = electorate.lacks(seen)
    if lack is not None:
        raise BadProofError(f"{where}: {lack}; collect more")


def verify_checkpoint(checkpoint: Checkpoint, public: bytes, signature: bytes, verifier: Verifier) -> bool:
    """Say whether a node key signed a checkpoint as the log.

    Args:
        checkpoint: what was signed; whether it is of the right log is for the caller.
        public: the node key.
        signature: 64 bytes.
        verifier: for the signature.
    """
    return verifier.verify_bytes(public, checkpoint.text().encode(), signature)


def certificate_of(
    checkpoint: Checkpoint, signatures: Iterable[tuple[str, bytes]], electorate: Electorate
) -> Certificate:
    """Return the certificate, signatures in the electorate's order: all nodes write the same."""
    given = dict(signatures)
    return Certificate(
        checkpoint, tuple((orderer, given[orderer]) for orderer in electorate.orderers if orderer in given)
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(what: str, text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadProofError(f"{what} {text[:80]!r} is not base64") from error
    if _base64(data) != text:
        raise BadProofError(f"{what} {text[:80]!r} is not the standard base64 of any bytes")
    return data


def _hash(what: str, text: str) -> bytes:
    data = _unbase64(what, text)
    if len(data) != 32:
        raise BadProofError(f"{what} has {len(data)} bytes; a hash has 32")
    return data


def _number(what: str, text: str) -> int:
    if _NUMBER.fullmatch(text) is None or int(text) > COUNT_MAX:
        raise BadProofError(
            f"{what} {text[:40]!r} is no number within 0 .. {COUNT_MAX} without leading zeroes"
        )
    return int(text)


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise BadProofError(f"extension line {line[:40]!r} does not begin with {word!r}")
    return line[len(word) :]


def _read_line(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or _KEY_NAME.fullmatch(parts[1]) is None:
        raise BadProofError(f"{line[:80]!r} is no signature line: em dash, space, key name, space, base64")
    data = _unbase64("signature", parts[2])
    if len(data) <= 4:
        raise BadProofError(f"a signature of {len(data)} bytes has no room for a key id of 4 and a signature")
    return parts[1], data[:4], data[4:]
