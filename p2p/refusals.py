"""What is no HTTP at all, told as a refused opening of a link."""

from __future__ import annotations

import logging
from collections.abc import Callable

from aiohttp.http_exceptions import HttpProcessingError

from p2p.errors import HelloError


class RefusalHandler(logging.Handler):
    """Turns the HTTP parser's refusals into refused hellos; passes everything else on to aiohttp's own log."""

    def __init__(self, refuse: Callable[[str, HelloError], None]) -> None:
        super().__init__()
        self._refuse = refuse

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record of aiohttp's server log."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            remote = record.args[0] if isinstance(record.args, tuple) and record.args else "?"
            self._refuse(str(remote), HelloError(f"no HTTP: {error.message[:120]}"))
        elif record.levelno >= logging.WARNING:
            logging.getLogger("aiohttp.server").handle(record)
