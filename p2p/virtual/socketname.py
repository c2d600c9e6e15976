"""What a virtual connection shows where a real one shows its socket.

Rules:
- It has a name at each end and no file descriptor; options are accepted and mean nothing.
"""

from __future__ import annotations

import errno
import os
import socket


class VirtualSocket:
    """What `get_extra_info('socket')` and `Server.sockets` show: a name, no file descriptor."""

    __slots__ = ("_peer", "_sock")
    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, sock: tuple[str, int], peer: tuple[str, int] | None = None) -> None:
        self._sock = sock
        self._peer = peer

    def getsockname(self) -> tuple[str, int]:
        """Return this end's (address, port)."""
        return self._sock

    def getpeername(self) -> tuple[str, int]:
        """Return the other end's (address, port).

        Raises:
            OSError: ENOTCONN for a listening socket.
        """
        if self._peer is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._peer

    def setsockopt(self, *_options: object) -> None:
        """Accept and ignore: the virtual TCP never waits to coalesce, and no probe is needed."""

    def getsockopt(self, *_options: object) -> int:
        """Return 0: no error, no option."""
        return 0

    def fileno(self) -> int:
        """Return -1: there is no file descriptor."""
        return -1
