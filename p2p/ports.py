"""Listening ports, and what is said of one that cannot be had."""

from __future__ import annotations

import errno

from aiohttp import web

from p2p.errors import InUseError

_NOT_OURS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)


async def listen(runner: web.AppRunner, host: str, port: int, purpose: str) -> None:
    """Let a set-up runner listen.

    Args:
        runner: of the application that serves there.
        host: address to bind.
        port: port to bind.
        purpose: what the port is for, as an error names it.

    Raises:
        InUseError: if the port cannot be had.
    """
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        reason = {errno.EADDRINUSE: "another program listens there"}.get(error.errno, error.strerror)
        raise InUseError(
            f"{host}:{port}, the port for {purpose}, cannot be had: {reason}; stop that program (is this network up"
            " already?), or found a network with another --base-port"
        ) from error
