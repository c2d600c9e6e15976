"""Everything that a run left, put within reach of whoever holds it.

Rules:
- Memory does not grow with what is looked for: beyond a number of values everything is gone through once more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from ledger.errors import DamagedStoreError
from scenarios.model import Scenario
from scenarios.network.deployment import FRAMES_FILE
from scenarios.network.frametap import tapped_frames
from scenarios.privacy.canaries import canaries, public_words
from scenarios.privacy.framespool import FrameSpool
from scenarios.privacy.leaks import Canary, LeakSearch, stored_values
from scenarios.privacy.reach import Reach
from scenarios.record.eventbook import Event
from scenarios.record.nodestore import DATABASE
from scenarios.record.runfolder import RunFolder
from scenarios.trial.trial import TrialOutcome

SOUGHT_AT_ONCE_MAX = 200_000
"""Values and envelopes looked for at once, each with some 350 bytes of windows; more are looked for one lot after the
other, in all places again."""
TAKEN_AT_ONCE_MAX = 5_000
"""Values and envelopes in memory while they are taken in."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run left.

    Attributes:
        folder: with every node's disk, and in the live world its log.
        scenario: that was run.
        outcome: with metrics, errors, and what the witness knows.
        events: all of them; members see the public ones.
        node_records: gives the nodes' own records.
        frames: every frame between nodes of the virtual world, kept under its `frame_label`; live nodes left theirs in
            files of their own.
        log: what the program logged.
    """

    folder: RunFolder
    scenario: Scenario
    outcome: TrialOutcome
    events: Iterable[Event]
    node_records: Callable[[], Iterable[Event]]
    frames: FrameSpool
    log: Iterable[str]


def survey(reach: Reach, found: Findings) -> None:
    """Put everything within reach of its holders, searching it for private values and for envelopes.

    Live nodes' frames are let go once they were searched: they are large, and tell no more than envelopes and blocks.
    """
    witness = found.outcome.witness
    values = canaries(witness, public_words(found.scenario))
    sought: Iterator[Canary | bytes] = chain(values, reach.know(witness.sealed))
    is_first = True
    while _look_for(reach.search, islice(sought, SOUGHT_AT_ONCE_MAX)) or is_first:
        is_first = False
        _put_all(reach, found)
    reach.search.look_for_others()  # what was looked for is not needed beside the stores that are read next
    for organization in found.scenario.organizations:
        _tapped(found, organization).unlink(missing_ok=True)


def _look_for(search: LeakSearch, lot: Iterator[Canary | bytes]) -> int:
    """Look for these and nothing else from now on; return how many they are."""
    search.look_for_others()
    count = 0
    while some := list(islice(lot, TAKEN_AT_ONCE_MAX)):
        count += len(some)
        search.add(each for each in some if isinstance(each, Canary))
        for each in some:
            if isinstance(each, bytes):
                search.mark(each)
    return count


def _tapped(found: Findings, organization: str) -> Path:
    return found.folder.path / "network" / organization / FRAMES_FILE


def _put_all(reach: Reach, found: Findings) -> None:
    everybody = list(found.scenario.organizations)
    for label, frame in found.frames.frames():
        kind, source, target = label.split("\n")
        reach.put_frame(kind, source, target, frame)
    for event in found.events:
        if event.public:
            reach.put("the public events", everybody, event.line().encode())
    for record in found.node_records():
        node = record.fields.get("node")
        holders = [node] if isinstance(node, str) else everybody
        reach.put("the nodes' own records", holders, record.line().encode())
    for line in found.log:
        reach.put("the program's log", everybody, line.encode())
    for organization in everybody:
        _survey_node(reach, found, organization)


def frame_label(kind: str, source: str, target: str) -> str:
    """Return under what a frame is kept until it can be surveyed."""
    return f"{kind}\n{source}\n{target}"


def _survey_node(reach: Reach, found: Findings, organization: str) -> None:
    """Put within an organization's reach what its node answered, measured, logged and stored, and what it sent."""
    for body in found.outcome.problems.get(organization, ()):
        reach.put(f"an error that {organization}'s node answered", [organization], body)
    metrics = found.outcome.metrics_texts.get(organization)
    if metrics is not None:
        reach.put(f"the metrics of {organization}'s node", [organization], metrics.encode())
    for kind, target, frame in tapped_frames(_tapped(found, organization)):
        reach.put_frame(kind, organization, target, frame)
    log = _tapped(found, organization).with_name("node.log")
    if log.exists():
        reach.put(f"the log of {organization}'s node", [organization], log.read_bytes())
    directory = found.folder.node_directory(organization)
    for path in sorted(directory.iterdir()):
        place = f"{path.name} of {organization}'s node"
        reach.put_file(place, [organization], path)
    with contextlib.suppress(DamagedStoreError):  # a file that is no database any more was searched as bytes
        for table, value in stored_values(directory / DATABASE):
            reach.put_row(organization, table, value)
