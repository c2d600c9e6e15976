"""Envelopes on their way out, and those that have come in.

Rules:
- The outbox holds every envelope it has taken until that very one is removed; the same bytes for the same
  addressee under the same root are kept once, and other bytes never take their place.
- The inbox is numbered without gaps in order of arrival; its last number stands in the progress row. The same
  envelope from the same sender under the same root keeps its first number.
- Both are counted in bytes, each envelope with what its row takes besides, so that limits can be kept.
- Envelopes are ciphertext; nothing here can read them.
"""

from __future__ import annotations

from typing import cast

from ledger.store.rows import InboxRow, OutboxRow
from ledger.store.schema import row_digest
from ledger.store.session import Session, check_digest

ENVELOPE_ROW_BYTES = 256
"""What an envelope counts besides its own bytes: many small ones must not fill a disk or memory unseen."""
_INBOX = "SELECT idx, root, sender, received_ms, envelope, digest FROM inbox"


class DocumentRows(Session):
    """The part of the store that confidential documents stand on."""

    _outbox_bytes: int | None = None
    _inbox_bytes: dict[str, int] | None = None

    @property
    def outbox_bytes(self) -> int:
        """Bytes that the outbox takes: every envelope with `ENVELOPE_ROW_BYTES` more."""
        if self._outbox_bytes is None:
            sql = "SELECT count(*), coalesce(sum(length(envelope)), 0) FROM outbox"
            count, size = cast("tuple[int, int]", self.rows("outbox", sql)[0])
            self._outbox_bytes = size + count * ENVELOPE_ROW_BYTES
        return self._outbox_bytes

    def inbox_bytes(self, sender: str) -> int:
        """Return the bytes that one sender's envelopes take, each with `ENVELOPE_ROW_BYTES` more."""
        return self._bytes_by_sender().get(sender, 0)

    def outbox_index(self, root: bytes, to: str, envelope: bytes) -> int | None:
        """Return the number under which the outbox holds these very bytes, or None."""
        sql = "SELECT idx FROM outbox WHERE root = ? AND recipient = ? AND envelope = ?"
        rows = self.rows("outbox", sql, (root, to, envelope))
        return cast(int, rows[0][0]) if rows else None

    def outbox_put(self, root: bytes, to: str, envelope: bytes) -> int:
        """Keep an envelope until it is removed, in the open transaction; return its number.

        The same bytes for the same addressee under the same root keep their number.
        """
        known = self.outbox_index(root, to, envelope)
        if known is not None:
            return known
        size = self.outbox_bytes + envelope_bytes(envelope)
        rows = self.rows("outbox", "SELECT coalesce(max(idx), 0) + 1 FROM outbox")
        columns = (cast(int, rows[0][0]), root, to, envelope)
        self._change(outgoing=self._progress.outgoing + 1)
        self.connection.execute(
            "INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", (*columns, row_digest("outbox", *columns))
        )
        self._outbox_bytes = size
        return columns[0]

    def outbox_rows(self) -> list[OutboxRow]:
        """Return the outbox, oldest first.

        Raises:
            DamagedStoreError: if a row does not match its digest.
        """
        found: list[OutboxRow] = []
        for row in self.rows(
            "outbox", "SELECT idx, root, recipient, envelope, digest FROM outbox ORDER BY idx"
        ):
            index, root, to, envelope, digest = cast("tuple[int, bytes, str, bytes, bytes]", row)
            check_digest("outbox", f"envelope {root.hex()} to {to}", digest, index, root, to, envelope)
            found.append(OutboxRow(index, root, to, envelope))
        return found

    def outbox_remove(self, index: int) -> None:
        """Let the envelope with this number go, in the open transaction; nothing happens if there is none."""
        rows = self.rows("outbox", "SELECT length(envelope) FROM outbox WHERE idx = ?", (index,))
        if not rows:
            return
        size = self.outbox_bytes - cast(int, rows[0][0]) - ENVELOPE_ROW_BYTES
        self._change(outgoing=self._progress.outgoing - 1)
        self.connection.execute("DELETE FROM outbox WHERE idx = ?", (index,))
        self._outbox_bytes = size

    def inbox_put(self, root: bytes, sender: str, envelope: bytes, received_ms: int) -> int:
        """Keep an envelope that has come in, in the open transaction.

        Returns:
            Its number, from 1; the first one's if the same sender has sent the same bytes under that root
            before.

        Raises:
            DamagedStoreError: if a row of that root does not match its digest.
        """
        known = self.inbox_index(root, sender, envelope)
        if known is not None:
            return known
        counted = self._bytes_by_sender()
        index = self._progress.inbox_index + 1
        self._change(inbox_index=index)
        columns = (index, root, sender, received_ms, envelope)
        self.connection.execute(
            "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?)", (*columns, row_digest("inbox", *columns))
        )
        counted[sender] = counted.get(sender, 0) + envelope_bytes(envelope)
        return index

    def inbox_index(self, root: bytes, sender: str, envelope: bytes) -> int | None:
        """Return the number of these very bytes from this sender under that root, or None.

        Raises:
            DamagedStoreError: if a row of that root does not match its digest.
        """
        for row in self.rows("inbox", f"{_INBOX} WHERE root = ? ORDER BY idx", (root,)):
            known, stored = _read_inbox(row)
            if known.sender == sender and stored == envelope:
                return known.index
        return None

    def inbox_rows(self, after: int, limit: int) -> list[InboxRow]:
        """Return received envelopes beyond number `after`, without their bytes, oldest first, at most
        `limit`.

        Raises:
            DamagedStoreError: if a row does not match its digest.
        """
        sql = f"{_INBOX} WHERE idx > ? ORDER BY idx LIMIT ?"
        return [_read_inbox(row)[0] for row in self.rows("inbox", sql, (after, limit))]

    def inbox_envelope(self, root: bytes, index: int | None = None) -> bytes | None:
        """Return the first envelope received under a root, or the one with a number, or None.

        Raises:
            DamagedStoreError: if its row does not match its digest.
        """
        where = "root = ?" if index is None else "root = ? AND idx = ?"
        bindings: tuple[bytes | int, ...] = (root,) if index is None else (root, index)
        rows = self.rows("inbox", f"{_INBOX} WHERE {where} ORDER BY idx LIMIT 1", bindings)
        return _read_inbox(rows[0])[1] if rows else None

    def purge(self, root: bytes) -> int:
        """Let every envelope under a root go, in the open transaction; return how many.

        Received ones leave their row without bytes behind, so that the inbox's numbers keep their meaning. The bytes
        are overwritten where they stood (`secure_delete`), and leave the WAL when the caller truncates it.
        """
        outgoing = self.rows("outbox", "SELECT idx FROM outbox WHERE root = ?", (root,))
        for row in outgoing:
            self.outbox_remove(cast(int, row[0]))
        received = 0
        for row in self.rows("inbox", f"{_INBOX} WHERE root = ? ORDER BY idx", (root,)):
            notice, envelope = _read_inbox(row)
            if not envelope:
                continue
            received += 1
            self._change()
            columns = (notice.index, root, notice.sender, notice.received_ms, b"")
            self.connection.execute(
                "UPDATE inbox SET envelope = ?, digest = ? WHERE idx = ?",
                (b"", row_digest("inbox", *columns), notice.index),
            )
            if self._inbox_bytes is not None:
                self._inbox_bytes[notice.sender] -= len(envelope)
        return len(outgoing) + received

    @property
    def last_document_index(self) -> int:
        """Number of the last envelope received; 0 if none was."""
        return self._progress.inbox_index

    def _bytes_by_sender(self) -> dict[str, int]:
        if self._inbox_bytes is None:
            sql = "SELECT sender, count(*), sum(length(envelope)) FROM inbox GROUP BY sender"
            rows = cast("list[tuple[str, int, int]]", self.rows("inbox", sql))
            self._inbox_bytes = {sender: size + count * ENVELOPE_ROW_BYTES for sender, count, size in rows}
        return self._inbox_bytes


def envelope_bytes(envelope: bytes) -> int:
    """Return what an envelope counts in outbox or inbox."""
    return len(envelope) + ENVELOPE_ROW_BYTES


def _read_inbox(row: tuple[int | str | bytes | None, ...]) -> tuple[InboxRow, bytes]:
    index, root, sender, received_ms, envelope, digest = cast(
        "tuple[int, bytes, str, int, bytes, bytes]", row
    )
    check_digest("inbox", f"envelope {index}", digest, index, root, sender, received_ms, envelope)
    return InboxRow(index, root, sender, received_ms, len(envelope)), envelope
