"""The program's beginning: what `seatrial` and `python -m scenarios` run.

Rules:
- Ctrl-C ends it quietly while the libraries are loaded, too: that takes a second, and an exception out of the middle
  of an import would be anybody's.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Load the command line, run it and exit with its code."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # who starts us may have had it ignored
        signal.signal(signal.SIGINT, _stop)
    from scenarios.cli import main as run

    signal.signal(signal.SIGINT, before)
    run()


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.stderr.write("seatrial: stopped by Ctrl-C; nothing was started\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
