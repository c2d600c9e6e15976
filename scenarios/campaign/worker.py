"""A worker process: jobs come in as JSON lines, results go out as JSON lines, one at a time.

Whatever a run prints goes to standard error, so that it cannot pass for a result.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from scenarios.campaign.execute import execute
from scenarios.campaign.job import Job


def main(keep: Path | None) -> None:
    """Work until standard input ends."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        result = execute(Job.of_plain(json.loads(line)), keep)
        results.write(json.dumps(result.plain()) + "\n")
        results.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
