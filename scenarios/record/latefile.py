"""A file written while nodes run, whose failures wait until it is closed.

Rules:
- A failure to write is kept: raised at once it would meet a node's code and look like that node's own failing disk.
- What was to be written afterwards is dropped; closing tells of it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

from scenarios.errors import unwritable


class LateFile:
    """A file to write now and to be told about later.

    Args:
        path: where.

    Raises:
        RefusedError: if it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._error: OSError | None = None
        try:
            self._file: BinaryIO = path.open("w+b")
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, data: bytes) -> None:
        """Write, if all before was written."""
        if self._error is not None:
            return
        try:
            self._file.write(data)
        except OSError as error:
            self._error = error

    def read_from_start(self) -> BinaryIO:
        """Return the file, to be read from its beginning.

        Raises:
            RefusedError: if something could not be written.
        """
        try:
            self._file.flush()
        except OSError as error:
            self._error = self._error or error
        self._check()
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Close the file.

        Raises:
            RefusedError: if something could not be written.
        """
        try:
            self._file.close()
        except OSError as error:
            self._error = self._error or error
        self._check()

    def discard(self) -> None:
        """Close the file, whatever became of it."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _check(self) -> None:
        if self._error is not None:
            self.discard()
            raise unwritable(self.path, self._error) from self._error
