"""An organization's wallet: its keys, its nonces, and the plaintext that nobody else may see.

Rules:
- A nonce is durable before the transaction that uses it is handed out; what was not sent is skipped.
- Documents leave only as sealed envelopes, with the fields that their addressee may see, and with this organization's
  signatures: that the digests in it are the document's, and under which root it goes to whom.
- New keys take the place of old ones for signing; what was sealed to an old one still opens.
- Documents and salts do not stay in memory: most lie in a real file without a name, where what is forgotten is
  overwritten.
- Salts of commitments are kept with what they open: who loses the salt can no longer prove the state.
- Nothing in here shows itself: values and salts stay wrapped until whoever may see them reveals them.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from ledger.documents import (
    DocumentPlain,
    OpenedEnvelope,
    Private,
    commit_fields,
    digests_statement,
    envelope,
)
from ledger.encoding import Value
from ledger.envelopes import SignedEnvelope, addressed_key, open_envelope, seal, sign_envelope
from ledger.keys import KEY_BYTES, BoxKey, Domain, SigningKey
from ledger.transaction import TRANSACTION_VERSION, SignedTransaction, Transaction, sign_transaction
from scenarios.agents.nonces import Nonces, SaveNonces
from scenarios.agents.packing import pack_document, pack_opened, unpack_document, unpack_opened
from scenarios.agents.witness import Witness
from scenarios.filed import FiledMap

SALT_BYTES = 16


class Wallet:
    """One organization's secrets and what it can do with them.

    Args:
        organization: its id on the ledger.
        network: the network's full name; nothing signed here is valid elsewhere.
        key: signs its transactions.
        box_key: opens envelopes sealed to it.
        random: draws the nonce epoch, salts and ephemeral keys; the system's in a network meant to stay.
        key_random: draws later keys; `random` if None.
        nonces: where an earlier wallet on this key stood; a new epoch is drawn if not given.
        save: makes the next nonce durable; called before a signed transaction is handed out.
        witness: a trial's memory of documents; None wherever secrets are real.
    """

    def __init__(
        self,
        organization: str,
        network: str,
        key: SigningKey,
        box_key: BoxKey,
        random: Random,
        *,
        key_random: Random | None = None,
        nonces: Nonces | None = None,
        save: SaveNonces | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.organization = organization
        self.network = network
        self._key = key
        self._box_keys = [box_key]
        self._random = random
        self._key_random = key_random or random
        self._nonces = Nonces.begin(random) if nonces is None else nonces
        self._save = save
        self._witness = witness
        self._issued: FiledMap[bytes, DocumentPlain] = FiledMap(pack_document, unpack_document)
        self._opened: FiledMap[bytes, OpenedEnvelope] = FiledMap(pack_opened, unpack_opened)
        self._salts: FiledMap[bytes, Private[bytes]] = FiledMap(Private.reveal, Private)

    def __repr__(self) -> str:
        return f"Wallet({self.organization}, key={self._key.public.hex()})"

    @property
    def signing_key(self) -> SigningKey:
        """The key that signs now, for whoever operates the organization's node in a trial."""
        return self._key

    @property
    def nonces(self) -> Nonces:
        """The nonce that the next transaction takes."""
        return self._nonces

    def sign(
        self, act: str, body: Mapping[str, Value], documents: tuple[bytes, ...], valid_until_ms: int
    ) -> SignedTransaction:
        """Sign a transaction under a nonce of its own.

        Args:
            act: its type, such as `claim.file`.
            body: the type's fields.
            documents: the roots it anchors.
            valid_until_ms: block time after which it has no effect.

        Raises:
            EncodingError: if a field has no canonical form; no nonce is used then.
            Exception: whatever `save` raises; nothing was signed then.
        """
        nonces = self._nonces
        transaction = Transaction(
            version=TRANSACTION_VERSION,
            network=self.network,
            type=act,
            creator=self.organization,
            nonce=(nonces.epoch, nonces.next_counter),
            valid_until_ms=valid_until_ms,
            documents=documents,
            approvals=(),
            body=dict(body),
        )
        transaction.payload()
        if self._save is not None:
            self._save(nonces.following())
        self._nonces = nonces.following()
        return sign_transaction(transaction, self._key)

    # Keys.

    def draw_keys(self) -> tuple[SigningKey, BoxKey]:
        """Return fresh keys to follow the present ones, once the ledger knows them."""
        return drawn_keys(self._key_random)

    def take_keys(self, key: SigningKey, box_key: BoxKey) -> None:
        """Sign with these from now on; envelopes sealed to older keys still open."""
        self._key = key
        self._box_keys.append(box_key)

    # Documents.

    def commit(self, fields: Mapping[str, Value], public: frozenset[str] = frozenset()) -> bytes:
        """Commit to a document's fields, keep it, and return its root.

        Args:
            fields: names and values.
            public: names of fields whose values tell nothing wherever found; no search looks for them.
        """
        document = commit_fields(fields, self._random)
        self._issued.put(document.root, document)
        if self._witness is not None:
            self._witness.note_document(self.organization, document, public)
        return document.root

    def issued(self, root: bytes) -> DocumentPlain | None:
        """Return a document that this organization issued, or None."""
        return self._issued.get(root)

    def mean(self, root: bytes, reader: str, names: tuple[str, ...] | None = None) -> None:
        """Say that a member is to see fields of a document in the wallet, all that are in it if None.

        Raises:
            KeyError: if the wallet has no such document.
        """
        if self._witness is not None:
            document = self._issued.get(root) or self._opened[root]
            if names is None:
                names = tuple(disclosure.name for disclosure in document.disclosures)
            self._witness.note_reader(root, reader, names)

    def seal(
        self, root: bytes, to: str, recipient_box_public: bytes, names: tuple[str, ...] | None = None
    ) -> bytes:
        """Return a sealed and signed envelope of a document in the wallet.

        Args:
            root: of a document that was issued here, or opened and passed on.
            to: the addressee, organization id.
            recipient_box_public: the addressee's X25519 key.
            names: the fields it may see; all of them if None.

        Raises:
            KeyError: if the wallet has no such document.
            EnvelopeError: if the document lacks a named field or is too large.
        """
        document: DocumentPlain | OpenedEnvelope = self._issued.get(root) or self._opened[root]
        if names is None:
            names = tuple(disclosure.name for disclosure in document.disclosures)
        statement = digests_statement(root, document.digests)
        vouched = self._key.sign(Domain.ENVELOPE, self.network, statement)
        sealed = seal(envelope(document, names, vouched), recipient_box_public, self._random)
        signed = self.sign_envelope(root, to, sealed)
        if self._witness is not None:
            self._witness.note_envelope(root, signed)
        return signed

    def sign_envelope(self, root: bytes, to: str, sealed: bytes) -> bytes:
        """Return what travels: sealed bytes with this organization's signature that it sends them so."""
        return sign_envelope(sealed, self._key, self.network, root, to)

    def open(self, root: bytes, signed: bytes) -> OpenedEnvelope:
        """Open an envelope that came under a root, and keep it if that is its root.

        Raises:
            EnvelopeError: if it does not open or is no envelope. The root is for the caller to compare.
        """
        opened = self.read(signed)
        if opened.root == root:
            self._opened.put(root, opened)
        return opened

    def read(self, signed: bytes) -> OpenedEnvelope:
        """Open with the key that it is sealed to, and keep nothing: what was sealed to an older one is still one's own.

        Raises:
            EnvelopeError: if that key does not open it, or is none of this organization's.
        """
        sealed = SignedEnvelope.decode(signed).sealed
        addressed = addressed_key(sealed)
        own = [box_key for box_key in self._box_keys if box_key.public == addressed]
        return open_envelope(sealed, own[0] if own else self._box_keys[-1])

    def forget(self, root: bytes) -> None:
        """Let a document's plaintext go."""
        self._issued.let_go(root)
        self._opened.let_go(root)

    def opened(self, root: bytes) -> OpenedEnvelope | None:
        """Return a document that was opened here under its own root, or None."""
        return self._opened.get(root)

    # Commitments.

    def draw_salt(self) -> bytes:
        """Return a fresh salt for a commitment."""
        return self._random.randbytes(SALT_BYTES)

    def keep_salt(self, commitment: bytes, salt: bytes) -> None:
        """Keep the salt that opens a commitment."""
        self._salts.put(commitment, Private(salt))
        if self._witness is not None:
            self._witness.note_salt(self.organization, commitment, Private(salt))


def drawn_keys(random: Random) -> tuple[SigningKey, BoxKey]:
    """Return the next two keys of a stream of chance: one to sign with, one to open with."""
    return SigningKey(random.randbytes(KEY_BYTES)), BoxKey(random.randbytes(KEY_BYTES))
