"""What a member that is party to nothing learns of everybody's trade, out of the public events alone.

Rules:
- It reads `public/events.ndjson`: of that the certified receipts, and of those the ledger's own fields, no scenario's
  names.
- It concludes what a competitor would: who certifies for whom, who claims how often and when, who is asked by an
  authority, whose goods cross which border.
- Names of organizations are public: genesis lists them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Shipment:
    """One entry line that preference was claimed for.

    Attributes:
        importer: who claims.
        exporter: who signed the certificate it rests on; None if it rests on none.
        import_on: date of importation.
        spi: special program indicator: the country or agreement.
    """

    importer: str
    exporter: str | None
    import_on: datetime.date
    spi: str


@dataclass(frozen=True, slots=True)
class Course:
    """What everybody sees of how Customs dealt with a claim; what it decided is in none of it.

    Attributes:
        is_faulted: whether the ledger recorded a finding when it was filed.
        is_opened: whether Customs opened a matter on it.
        moves: how often Customs moved the open matter on.
        answers: how often the importer answered.
        is_protested: whether its liquidation was protested.
    """

    is_faulted: bool = False
    is_opened: bool = False
    moves: int = 0
    answers: int = 0
    is_protested: bool = False


@dataclass(slots=True)
class Knowledge:
    """What was concluded.

    Attributes:
        shipments: by entry line, as `entry/line`.
        pairs: who supplies whom, in the order of becoming known.
        inquired: entry lines that Customs has opened.
        courses: by entry line, how Customs dealt with the claim as far as everybody sees it.
        questioned: certificate and importer whose use of it Customs looked into.
        verified: parties of whom Customs verifies origin, by verification.
        carnets: holder by carnet.
        crossings: endorsed border crossings by carnet.
    """

    shipments: dict[str, Shipment] = field(default_factory=dict)
    pairs: dict[tuple[str, str], None] = field(default_factory=dict)
    inquired: dict[str, None] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    questioned: dict[tuple[str, str], None] = field(default_factory=dict)
    verified: dict[str, str] = field(default_factory=dict)
    carnets: dict[str, str] = field(default_factory=dict)
    crossings: dict[str, int] = field(default_factory=dict)
    _signers: dict[str, str] = field(default_factory=dict)
    _drafters: dict[str, str] = field(default_factory=dict)

    def pair(self, exporter: str | None, importer: str) -> None:
        """Note that one supplies another."""
        if exporter is not None and exporter != importer:
            self.pairs[exporter, importer] = None


def infer(lines: Iterable[str]) -> Knowledge:
    """Return what the lines of a public event file tell.

    Raises:
        ValueError: if a line is no event.
    """
    known = Knowledge()
    for line in lines:
        event = json.loads(line)
        if event["event"] != "receipt" or event["code"] != "VALID":
            continue
        conclude = _CONCLUSIONS.get(event["type"])
        if conclude is not None:
            conclude(known, event["creator"], json.loads(event["body"]))
        move = _MOVES.get(event["type"])
        if move is not None:
            entry_line = _line(json.loads(event["body"]))
            before = known.courses.get(entry_line, Course())
            known.courses[entry_line] = move(before, bool(event.get("findings")))
    return known


def _line(body: Body) -> str:
    return f"{body['entry']}/{body['line']}"


def _anchored(known: Knowledge, creator: str, body: Body) -> None:
    known._signers[str(body["certificate"])] = creator


def _delivered(known: Knowledge, creator: str, body: Body) -> None:
    known.pair(creator, str(body["holder"]))


def _claimed(known: Knowledge, creator: str, body: Body) -> None:
    exporter = known._signers.get(str(body.get("certificate")))
    importer = str(body.get("importer_of_record") or creator)  # a broker files in another's name
    imported = datetime.date.fromisoformat(str(body["import_on"]))
    known.shipments[_line(body)] = Shipment(importer, exporter, imported, str(body["spi"]))
    known.pair(exporter, importer)


def _opened(known: Knowledge, _creator: str, body: Body) -> None:
    known.inquired[_line(body)] = None


def _questioned(known: Knowledge, _creator: str, body: Body) -> None:
    known.questioned[str(body["certificate"]), str(body["holder"])] = None


def _verified(known: Knowledge, _creator: str, body: Body) -> None:
    known.verified[str(body["verification"])] = str(body["party"])


def _drafted(known: Knowledge, creator: str, body: Body) -> None:
    known._drafters[str(body["form370"])] = creator


def _filed(known: Knowledge, creator: str, body: Body) -> None:
    known.pair(known._drafters.get(str(body["form370"])), creator)


def _applied(known: Knowledge, creator: str, body: Body) -> None:
    known.carnets[str(body["carnet"])] = creator


def _crossed(known: Knowledge, _creator: str, body: Body) -> None:
    carnet = str(body["carnet"])
    known.crossings[carnet] = known.crossings.get(carnet, 0) + 1


_CONCLUSIONS: Mapping[str, Callable[[Knowledge, str, Body], None]] = {
    "certificate.anchor": _anchored,
    "certificate.deliver": _delivered,
    "claim.file": _claimed,
    "claim.file_post": _claimed,
    "claim.open": _opened,
    "holding.open": _questioned,
    "verification.open": _verified,
    "fisheries.draft": _drafted,
    "fisheries.file": _filed,
    "carnet.apply": _applied,
    "carnet.endorse": _crossed,
}
"""What each act tells, by its type."""

_MOVES: Mapping[str, Callable[[Course, bool], Course]] = {
    "claim.file": lambda course, found: replace(course, is_faulted=found),
    "claim.file_post": lambda course, found: replace(course, is_faulted=found),
    "claim.open": lambda course, _: replace(course, is_opened=True),
    "claim.act": lambda course, _: replace(course, moves=course.moves + 1),
    "claim.respond": lambda course, _: replace(course, answers=course.answers + 1),
    "claim.protest": lambda course, _: replace(course, is_protested=True),
}
"""How an act on a claim changes its course, given whether the ledger recorded findings with the act."""
