"""A run's folder made up for tests: a trade of as many shipments as wanted, in both arms, without a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scenarios.measuring.comparison import compare_run
from scenarios.model.catalog import LIBRARY
from scenarios.record.eventbook import iso
from scenarios.record.runfolder import RunFolder

START_MS = 1_536_048_000_000
DAY_MS = 86_400_000
NODES = ("cbp", "exporter", "importer", "noaa")
FIELDS = {"organizations": ["exporter", "importer", "cbp"], "hts": "8544.30.00", "value_usd": 50_000}


def madeup_run(path: Path, shipments: int, name: str = "s{}") -> RunFolder:
    """Write the folder of a made-up run; every tenth shipment breaks a rule and every second of these is found."""
    for part in ("public", "observer", "paper/observer"):
        (path / part).mkdir(parents=True)
    (path / "scenario.yaml").write_text((LIBRARY / "pilot-quarter.yaml").read_text(encoding="utf-8"))
    folder = RunFolder(path)
    _write(path, "paper/observer", paper_events(shipments, name))
    _write(path, "observer", ledger_events(shipments, name))
    _write(path, "public", ())
    folder.write_json(
        "run.json", {"seed": "7", "world": "virtual", "version": "0.1.0", "host": {"cpu_s": 3.0}}
    )
    checks = [
        {
            "name": "raft",
            "property": "One leader per term.",
            "source": "Raft",
            "exercised": 3,
            "violations": 0,
        }
    ]
    verdict = {
        "verdict": "passed",
        "violations": [],
        "open": [],
        "expectations": [],
        "phases": [],
        "checks": checks,
    }
    folder.write_json("verdict.json", verdict)
    figures = {"messages": 10, "bytes": 900, "messages_raft": 10, "bytes_raft": 900, "term_max": 2}
    folder.write_json("metrics.json", figures)
    folder.write_json("measures.json", compare_run(path).plain())
    return folder


def ledger_events(shipments: int, name: str) -> Iterator[dict[str, object]]:
    """Give the ledger's events."""
    yield {"event": "raft.role", "node": "cbp", "role": "leader", "term": 1, "leader": "cbp"}
    for node in NODES[1:]:
        yield {"event": "link.opened", "node": node, "peer": "cbp"}
    yield {"event": "fault.began", "fault": 1, "kind": "crash", "target": "leader", "hit": ["cbp"]}
    yield {"event": "raft.role", "node": "noaa", "role": "leader", "term": 2, "leader": "noaa"}
    yield {"event": "fault.ended", "fault": 1, "kind": "crash", "target": "leader", "hit": ["cbp"]}
    for number in range(1, shipments + 1):
        shipment, is_broken = name.format(number), number % 10 == 0
        yield from begun(shipment, is_broken)
        tid = f"{number:064x}"
        yield {"event": "transaction.submitted", "id": tid, "node": "importer"}
        for node in NODES:
            receipts = [f"{tid}:VALID::"]
            yield {"event": "block.executed", "node": node, "height": number, "receipts": receipts}
            yield {"event": "block.certified", "node": node, "height": number}
        yield {
            "event": "claim.filed",
            "claim": shipment,
            "organization": "importer",
            "importer": "importer",
            "ledger_id": f"X-{number}",
        }
        is_denied = number % 20 == 0
        yield decided(shipment, is_denied=is_denied)


def paper_events(shipments: int, name: str) -> Iterator[dict[str, object]]:
    """Give the paper arm's events."""
    for number in range(1, shipments + 1):
        shipment = name.format(number)
        yield from begun(shipment, number % 10 == 0)
        yield {"event": "claim.filed", "claim": shipment, "organization": "importer", "importer": "importer"}
        yield {"event": "paper.searched", "organization": "importer", "claim": shipment}
        yield decided(shipment, is_denied=False)


def begun(shipment: str, is_broken: bool) -> Iterator[dict[str, object]]:
    """Give the truth about a shipment."""
    rates = {"general_percent": "5", "preferential_percent": "0"}
    yield {
        "event": "shipment.began",
        "shipment": shipment,
        "use_case": "origin",
        "noncompliance": "no-certificate" if is_broken else None,
        **rates,
        **FIELDS,
    }


def decided(shipment: str, *, is_denied: bool) -> dict[str, object]:
    """Return Customs' decision."""
    state, defects = ("DENIED", ["NO_CERTIFICATE"]) if is_denied else ("ALLOWED", [])
    return {
        "event": "claim.decided",
        "claim": shipment,
        "organization": "cbp",
        "state": state,
        "defects": defects,
    }


def _write(path: Path, part: str, events: Iterator[dict[str, object]] | tuple[()]) -> None:
    with (path / part / "events.ndjson").open("w", encoding="utf-8") as file:
        for number, event in enumerate(events):
            frame = {
                "number": number,
                "calendar": iso(START_MS + number * 60_000),
                "protocol_ns": number * 10_000_000,
            }
            file.write(json.dumps({**event, **frame}, sort_keys=True) + "\n")
