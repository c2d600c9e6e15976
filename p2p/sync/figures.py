"""Counters of one node's state sync."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SyncFigures:
    """What was taken, and what came to nothing."""

    states_installed: int = 0
    targets_moved: int = 0
    chunks_taken: int = 0
    chunk_bytes_taken: int = 0
    blocks_followed: int = 0
    blocks_backfilled: int = 0
    leaves_backfilled: int = 0
    answers_refused: int = 0
    questions_lost: int = 0
