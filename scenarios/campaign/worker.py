"""A worker process: jobs come in as JSON lines, results go out as JSON lines, one at a time.

Rules:
- Whatever a run prints goes to standard error, so that it cannot pass for a result.
- Whoever started the worker holds the other end of standard input. When that is closed, in whatever way its process
  ended, nobody waits for a result any more: the worker ends at once, amid a run too, and removes its scratch directory.
- Ctrl-C in a terminal reaches every process there; what becomes of the workers is for the one that started them to say.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job


def main(scratch: Path, keep: Path | None) -> None:
    """Work until standard input ends.

    Args:
        scratch: a directory for what runs write, this worker's own.
        keep: where folders of runs that did not pass go.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = str(scratch)
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs, scratch), daemon=True).start()
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        result = execute(Job.of_plain(json.loads(jobs.get())), keep)
        results.write(json.dumps(result.plain()) + "\n")
        results.flush()


def _listen(jobs: queue.SimpleQueue[bytes], scratch: Path) -> None:
    """Take jobs in until standard input ends, and then end the process."""
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb") as lines:
        for line in lines:
            jobs.put(line)
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
