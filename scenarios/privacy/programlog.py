"""The program's own log of a run, kept line by line to be searched."""

from __future__ import annotations

import logging
from types import TracebackType


class ProgramLog(logging.Handler):
    """Keeps what any library or part of the program logs while it is entered, each line once.

    Attributes:
        lines: what was logged, with tracebacks, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, None] = {}

    def __enter__(self) -> ProgramLog:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as text."""
        self.lines[self.format(record)] = None
