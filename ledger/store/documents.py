"""Envelopes on their way out, and those that have come in.

Rules:
- The outbox holds one envelope per root and addressee; putting another one replaces it.
- The inbox is numbered without gaps in order of arrival; its last number stands in the progress row. The same
  envelope from the same sender under the same root keeps its first number.
- Envelopes are ciphertext; nothing here can read them.
"""

from __future__ import annotations

from typing import cast

from ledger.store.rows import InboxRow, OutboxRow
from ledger.store.schema import row_digest
from ledger.store.session import Session, check_digest

_INBOX = "SELECT idx, root, sender, received_ms, envelope, digest FROM inbox"


class DocumentRows(Session):
    """The part of the store that confidential documents stand on."""

    def outbox_put(self, root: bytes, to: str, envelope: bytes) -> None:
        """Keep an envelope until its addressee has it, in the open transaction."""
        self.outbox_remove(root, to)
        rows = self.rows("outbox", "SELECT coalesce(max(idx), 0) + 1 FROM outbox")
        columns = (cast(int, rows[0][0]), root, to, envelope)
        self.connection.execute(
            "INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", (*columns, row_digest("outbox", *columns))
        )
        self._change(outgoing=self._progress.outgoing + 1)

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
            found.append(OutboxRow(root, to, envelope))
        return found

    def outbox_remove(self, root: bytes, to: str) -> None:
        """Let an envelope go, in the open transaction; nothing happens if it is not there."""
        self._change()
        self.connection.execute("DELETE FROM outbox WHERE root = ? AND recipient = ?", (root, to))
        self._change(outgoing=self._progress.outgoing - self.connection.changes())

    def inbox_put(self, root: bytes, sender: str, envelope: bytes, received_ms: int) -> int:
        """Keep an envelope that has come in, in the open transaction.

        Returns:
            Its number, from 1; the first one's if the same sender has sent the same bytes under that root
            before.

        Raises:
            DamagedStoreError: if a row of that root does not match its digest.
        """
        for row in self.rows("inbox", f"{_INBOX} WHERE root = ? ORDER BY idx", (root,)):
            known, stored = _read_inbox(row)
            if known.sender == sender and stored == envelope:
                return known.index
        index = self._progress.inbox_index + 1
        self._change(inbox_index=index)
        columns = (index, root, sender, received_ms, envelope)
        self.connection.execute(
            "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?)", (*columns, row_digest("inbox", *columns))
        )
        return index

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

    @property
    def last_document_index(self) -> int:
        """Number of the last envelope received; 0 if none was."""
        return self._progress.inbox_index


def _read_inbox(row: tuple[int | str | bytes | None, ...]) -> tuple[InboxRow, bytes]:
    index, root, sender, received_ms, envelope, digest = cast(
        "tuple[int, bytes, str, int, bytes, bytes]", row
    )
    check_digest("inbox", f"envelope {index}", digest, index, root, sender, received_ms, envelope)
    return InboxRow(index, root, sender, received_ms, len(envelope)), envelope
