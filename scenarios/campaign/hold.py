"""A campaign's directory held by one process at a time.

Rules:
- The lock is the operating system's, on a file in the directory: it ends with its process, however that ends.
- The file says who holds it: process, machine, since when. It stays behind and means nothing without the lock.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import socket
from pathlib import Path

from scenarios.errors import RefusedError

LOCK_FILE = "campaign.lock"
_SAID_BYTES_MAX = 500


class Hold:
    """Holds a directory until it is released.

    Args:
        directory: the campaign's.

    Raises:
        RefusedError: if another process holds it.
        OSError: if the lock file cannot be opened or written.
    """

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = os.read(self._file, _SAID_BYTES_MAX).decode("utf-8", "replace").strip()
            self.release()
            raise RefusedError(
                f"a campaign is running in {directory}: {who or 'another process'}",
                "one at a time",
                "wait for it or stop it, or give another --out",
            ) from error
        except OSError:
            self.release()
            raise
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        os.ftruncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()} on {socket.gethostname()} since {now}\n".encode())

    def release(self) -> None:
        """Let others have it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
