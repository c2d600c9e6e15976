"""C2SP tlog-proof texts: a leaf's inclusion proof beside the signed checkpoint it is against.

Rules (c2sp.org/tlog-proof@v1):
- First line, optional extra data, the leaf's index, one line per hash from the leaf's sibling up, an empty line, then
  the signed note of the checkpoint as it stands.
- A verifier knows the leaf, the log's keys and how many signatures it wants; nothing else is trusted. Here the log's
  keys are the orderers' node keys, each in C2SP's verifier-key form.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from ledger.errors import BadProofError
from ledger.keys import note_key_id
from ledger.merkle import HASH_BYTES

MAGIC = "c2sp.org/tlog-proof@v1"
PATH_MAX = 64
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as text.

    Attributes:
        index: of the leaf, from 0.
        path: sibling hashes from the leaf up (RFC 6962 section 2.1.1).
        note: the checkpoint's signed note.
        extra: data for the application, authenticated by nothing.
    """

    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes = b""

    def text(self) -> str:
        """Return the proof's text."""
        extra = f"extra {_base64(self.extra)}\n" if self.extra else ""
        path = "".join(f"{_base64(step)}\n" for step in self.path)
        return f"{MAGIC}\n{extra}index {self.index}\n{path}\n{self.note}"


def read_tlog_proof(text: str) -> TlogProof:
    """Return the proof in a text; nothing in it is verified.

    Raises:
        BadProofError: if the text is no tlog-proof.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != MAGIC:
        raise BadProofError(
            f"a proof begins with the line {MAGIC!r} and has an empty line before its checkpoint"
        )
    rest = lines[1:]
    extra = b""
    if rest and rest[0].startswith("extra "):
        extra = _unbase64(rest.pop(0)[6:])
    found = _INDEX.fullmatch(rest[0]) if rest else None
    if found is None:
        raise BadProofError("a proof has a line 'index N' before its hashes")
    path = tuple(_unbase64(line) for line in rest[1:])
    if len(path) > PATH_MAX or any(len(step) != HASH_BYTES for step in path):
        raise BadProofError(f"a proof has at most {PATH_MAX} hashes of {HASH_BYTES} bytes each")
    return TlogProof(int(found[1]), path, note, extra)


def verifier_key(name: str, public: bytes) -> str:
    """Return an Ed25519 key in C2SP's verifier-key form, `name+id+key`."""
    return f"{name}+{note_key_id(name, public).hex()}+{_base64(_ED25519 + public)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadProofError(f"{text[:80]!r} is not base64") from error
    if _base64(data) != text:
        raise BadProofError(f"{text[:80]!r} is not the standard base64 of any bytes")
    return data
