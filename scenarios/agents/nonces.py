"""Nonce counters that are durable before they are used.

Rules:
- A nonce is (epoch, counter): the epoch is 63 random bits drawn when the counters begin; the counter goes up
  by one.
- The next counter is saved before a nonce is handed out, so that a crash skips nonces and never repeats one.
  Two bodies under one nonce would be evidence against the organization.
- A file that is lost or restored from a copy must begin a new epoch: `NonceFile.begin` draws one.
- The file has mode 0600, is replaced in one step, and is locked while a process uses it.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

EPOCH_BITS = 63
_HEAD = "seatrial nonces 1"
_TEXT = re.compile(rf"{_HEAD}\n([0-9]{{1,19}})\n([0-9]{{1,19}})\n", re.ASCII)
_FILE_BYTES_MAX = 100


class NonceFileError(Exception):
    """A nonce file that cannot be used; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Nonces:
    """Where a wallet stands: its epoch and the counter that the next transaction takes."""

    epoch: int
    next_counter: int

    @staticmethod
    def begin(random: Random) -> Nonces:
        """Draw a new epoch."""
        return Nonces(random.getrandbits(EPOCH_BITS), 0)

    def following(self) -> Nonces:
        """Return where the wallet stands after one more transaction."""
        return Nonces(self.epoch, self.next_counter + 1)


SaveNonces = Callable[[Nonces], None]
"""Makes a wallet's standing durable; returns when it is."""


class NonceFile:
    """A wallet's counters in a file, held by one process at a time.

    Args:
        path: the file; a lock file stands beside it.

    Raises:
        NonceFileError: if another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lock_path = path.with_name(path.name + ".lock")
        try:
            self._lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NonceFileError(f"lock file {lock_path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise NonceFileError(
                f"nonce file {path} is in use by another process; wait until it has signed, then try again"
            ) from error

    def load(self) -> Nonces | None:
        """Return what the file holds, or None if there is no file.

        Raises:
            NonceFileError: if it cannot be read, others may read it, or it holds no counters.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NonceFileError(f"nonce file {self.path} cannot be opened: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise NonceFileError(
                    f"nonce file {self.path} has mode {stat.S_IMODE(mode):04o} or is no regular file; "
                    f"run: chmod 600 {self.path}"
                )
            found = _TEXT.fullmatch(file.read(_FILE_BYTES_MAX).decode("ascii", "replace"))
        if found is None or int(found[1]) >> EPOCH_BITS or int(found[2]) >> EPOCH_BITS:
            raise NonceFileError(
                f"nonce file {self.path} holds no counters; move it away, and a new epoch begins"
            )
        return Nonces(int(found[1]), int(found[2]))

    def begin(self, random: Random) -> Nonces:
        """Draw a new epoch and make it durable."""
        nonces = Nonces.begin(random)
        self.save(nonces)
        return nonces

    def save(self, nonces: Nonces) -> None:
        """Replace the file in one step; return when file and directory are on disk.

        Raises:
            NonceFileError: if it cannot be written; nothing may be signed then.
        """
        new_path = self.path.with_name(self.path.name + ".new")
        text = f"{_HEAD}\n{nonces.epoch}\n{nonces.next_counter}\n"
        try:
            new_path.unlink(missing_ok=True)
            descriptor = os.open(
                new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            new_path.replace(self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            raise NonceFileError(
                f"nonce file {self.path} cannot be written: {error.strerror}; nothing was signed"
            ) from error

    def close(self) -> None:
        """Let other processes use the file."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> NonceFile:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.close()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
