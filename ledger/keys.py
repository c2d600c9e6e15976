"""Keys: who signs, who can open, and what a signature is over.

Rules:
- Every signed thing has its own domain and names its network: the signed message is
  `domain LF network LF payload`, so nothing signed for one purpose or network is valid for another.
- Ed25519 through libsodium only: libraries disagree on edge cases, and two verifiers could fork a network.
- Verification is a pure function, so its results are remembered, good and bad, in a bounded memory.
- Key files are created with mode 0600, never over an existing file, and refused when others may read them.
- A secret key never shows itself: its `repr` names the public key.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections import OrderedDict
from enum import StrEnum
from pathlib import Path
from typing import NewType

import nacl.bindings
import nacl.exceptions
import nacl.public
import nacl.signing

from ledger.errors import KeyFileError

PublicKey = NewType("PublicKey", bytes)
"""An Ed25519 public key, 32 bytes."""

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_ED25519_HEAD = b"seatrial ed25519 secret key 1\n"
_X25519_HEAD = b"seatrial x25519 secret key 1\n"


class Domain(StrEnum):
    """What a signature is for. C2SP notes are signed as their standard says and have no domain here."""

    TRANSACTION = "seatrial/transaction/v1"
    HEADER = "seatrial/header/v1"
    HELLO = "seatrial/hello/v1"
    APPROVAL = "seatrial/approval/v1"
    VOTE = "seatrial/vote/v1"
    ACK = "seatrial/ack/v1"
    PROMISE = "seatrial/promise/v1"
    POSSESSION = "seatrial/possession/v1"
    ACKNOWLEDGEMENT = "seatrial/acknowledgement/v1"
    CREDENTIAL_KEY = "seatrial/credential-key/v1"
    ENVELOPE = "seatrial/envelope/v1"
    SEAL = "seatrial/seal/v1"


def signed_message(domain: Domain, network: str, payload: bytes) -> bytes:
    """Return the bytes that a signature under `domain` in `network` covers.

    Raises:
        ValueError: if the network's name has a line feed, which would blur where the payload begins.
    """
    if "\n" in network:
        raise ValueError(f"network name {network!r} has a line feed; names are letters, digits and hyphens")
    return f"{domain.value}\n{network}\n".encode() + payload


class SigningKey:
    """An Ed25519 secret key."""

    __slots__ = ("_secret", "_seed", "public")

    public: PublicKey
    """The public key, 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._seed = _check_seed(seed)
        public, self._secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        self.public = PublicKey(public)

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new key from the system's randomness."""
        return cls(bytes(nacl.signing.SigningKey.generate()))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Return the key made from 32 bytes.

        Raises:
            ValueError: if the seed is not 32 bytes.
        """
        return cls(seed)

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read a key file.

        Raises:
            KeyFileError: if the file is missing, readable by others, or no signing key.
        """
        return cls(_load_secret(path, _ED25519_HEAD, "signing key"))

    def save(self, path: Path) -> None:
        """Write the key to a new file with mode 0600.

        Raises:
            KeyFileError: if the file exists or cannot be written.
        """
        _save_secret(path, _ED25519_HEAD, self._seed)

    def sign(self, domain: Domain, network: str, payload: bytes) -> bytes:
        """Return the 64-byte signature over `payload` for one purpose in one network."""
        return self.sign_bytes(signed_message(domain, network, payload))

    def sign_bytes(self, message: bytes) -> bytes:
        """Return the 64-byte signature over `message` alone: only for standards of their own (C2SP notes)."""
        return nacl.bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


class BoxKey:
    """An X25519 secret key, to open what was sealed for its owner."""

    __slots__ = ("_secret", "public")

    public: bytes
    """The public key, 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = nacl.public.PrivateKey(_check_seed(secret))
        self.public = bytes(self._secret.public_key)

    @classmethod
    def generate(cls) -> BoxKey:
        """Return a new key from the system's randomness."""
        return cls(bytes(nacl.public.PrivateKey.generate()))

    @classmethod
    def from_seed(cls, seed: bytes) -> BoxKey:
        """Return the key made from 32 bytes.

        Raises:
            ValueError: if the seed is not 32 bytes.
        """
        return cls(seed)

    @classmethod
    def load(cls, path: Path) -> BoxKey:
        """Read a key file.

        Raises:
            KeyFileError: if the file is missing, readable by others, or no box key.
        """
        return cls(_load_secret(path, _X25519_HEAD, "box key"))

    def save(self, path: Path) -> None:
        """Write the key to a new file with mode 0600.

        Raises:
            KeyFileError: if the file exists or cannot be written.
        """
        _save_secret(path, _X25519_HEAD, bytes(self._secret))

    @property
    def scalar(self) -> bytes:
        """The secret number as X25519 takes it (RFC 7748, 5), 32 bytes, for proofs about it; it must not leave."""
        number = bytearray(bytes(self._secret))
        number[0] &= 248
        number[31] = number[31] & 127 | 64
        return bytes(number)

    def box(self, other_public: bytes) -> nacl.public.Box:
        """Return the libsodium box between this key and another's public key."""
        return nacl.public.Box(self._secret, nacl.public.PublicKey(other_public))

    def __repr__(self) -> str:
        return f"BoxKey(public={self.public.hex()})"


class Verifier:
    """Ed25519 verification that remembers its results.

    Args:
        capacity: results remembered at most; the least recently used go first; 0 remembers nothing.
    """

    __slots__ = ("_capacity", "_memory", "remembered", "verified")

    verified: int
    """Signatures that were really verified."""

    remembered: int
    """Answers that came from memory."""

    def __init__(self, capacity: int = 65536) -> None:
        if capacity < 0:
            raise ValueError(f"capacity {capacity} is negative; 0 switches the memory off")
        self._capacity = capacity
        self._memory: OrderedDict[bytes, bool] = OrderedDict()
        self.verified = 0
        self.remembered = 0

    def verify(self, public: bytes, domain: Domain, network: str, payload: bytes, signature: bytes) -> bool:
        """Say whether `signature` is the key's over `payload` for that purpose in that network."""
        if "\n" in network:
            return False
        return self.verify_bytes(public, signed_message(domain, network, payload), signature)

    def verify_bytes(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether `signature` is the key's over `message` alone."""
        if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            return False
        signed = signature + message
        if not self._capacity:
            self.verified += 1
            return _verify(public, signed)
        # Both parts before the message have fixed sizes, so the name of a result is unambiguous.
        name = hashlib.sha256(public + signed).digest()
        result = self._memory.get(name)
        if result is not None:
            self.remembered += 1
            self._memory.move_to_end(name)
            return result
        self.verified += 1
        result = self._memory[name] = _verify(public, signed)
        if len(self._memory) > self._capacity:
            self._memory.popitem(last=False)
        return result

    @property
    def capacity(self) -> int:
        """How many verifications are remembered at most."""
        return self._capacity

    def __len__(self) -> int:
        return len(self._memory)


def seed_for(seed: str, stream: str) -> bytes:
    """Return 32 bytes that depend on a run's seed and on what they are for. Such keys are for trials only."""
    parts = [seed.encode(), stream.encode()]
    return hashlib.sha256(b"seatrial/seed/v1\n" + b"".join(b"%d:%s," % (len(p), p) for p in parts)).digest()


def note_key_id(name: str, public: bytes) -> bytes:
    """Return the 4-byte key id of an Ed25519 key in signed notes (C2SP signed-note, signature type 0x01)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def _verify(public: bytes, signed: bytes) -> bool:
    try:
        nacl.bindings.crypto_sign_open(signed, public)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def _check_seed(seed: bytes) -> bytes:
    if len(seed) != KEY_BYTES:
        raise ValueError(f"a key is made from {KEY_BYTES} bytes, got {len(seed)}")
    return bytes(seed)


def _save_secret(path: Path, head: bytes, secret: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"key file {path} exists already; choose another path or move it away") from error
    except OSError as error:
        raise KeyFileError(f"key file {path} cannot be created: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(head + secret.hex().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _load_secret(path: Path, head: bytes, what: str) -> bytes:
    try:
        # O_NONBLOCK: opening a named pipe must not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        remedy = "; make one or correct the path" if error.errno == errno.ENOENT else ""
        raise KeyFileError(f"key file {path} cannot be opened: {error.strerror}{remedy}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"key file {path} is no regular file; name the file that `save` wrote")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise KeyFileError(
                f"key file {path} has mode {mode:04o}, so others may use it; run: chmod 600 {path}"
            )
        data = os.read(descriptor, len(head) + 2 * KEY_BYTES + 2)
    finally:
        os.close(descriptor)
    if not data.startswith(head):
        raise KeyFileError(f"key file {path} holds no {what}; it must begin with {head.decode().strip()!r}")
    if re.fullmatch(rb"[0-9a-f]{64}\n", data[len(head) :]) is None:
        raise KeyFileError(f"key file {path} holds no {what}: its second line is not 64 hex digits")
    return bytes.fromhex(data[len(head) : -1].decode("ascii"))
