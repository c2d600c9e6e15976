"""Work that SIGTERM stops as Ctrl-C does: cancelled, cleaned up after, and told by the signal's exit code.

Rules:
- A signal that whoever started the process had ignored stays ignored (a shell does so with SIGINT for `command &`).
- The first SIGTERM stops; what comes after it does not disturb the cleaning up.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine

EXIT_OF_SIGNAL = 128


class StoppedError(Exception):
    """Work that was stopped before its end.

    Attributes:
        by: the signal.
    """

    def __init__(self, by: signal.Signals) -> None:
        super().__init__("stopped by Ctrl-C" if by is signal.SIGINT else f"stopped by {by.name}")
        self.by = by

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended."""
        return EXIT_OF_SIGNAL + self.by


def run_until_stopped(work: Coroutine[object, object, None]) -> None:
    """Run work in an event loop of its own, to its end.

    Raises:
        StoppedError: if SIGINT or SIGTERM came first; the work has been cancelled and has cleaned up.
    """
    terminated = False

    async def stoppable() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one

        def stop() -> None:
            nonlocal terminated
            if not terminated:
                terminated = True
                task.cancel()

        heard = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        )
        loop = asyncio.get_running_loop()
        if heard:
            loop.add_signal_handler(signal.SIGTERM, stop)
        try:
            await work
        finally:
            if heard:
                loop.remove_signal_handler(signal.SIGTERM)

    try:
        asyncio.run(stoppable())
    except KeyboardInterrupt as error:
        raise StoppedError(signal.SIGINT) from error
    except asyncio.CancelledError as error:
        if not terminated:
            raise
        raise StoppedError(signal.SIGTERM) from error
