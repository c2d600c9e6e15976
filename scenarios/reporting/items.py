"""Which shipments, claims, carnets, forms and documents of a run have a story, and which of them are told.

Rules:
- All are told where there are at most `ALL_MAX`. Else every exceptional one, as far as `EXCEPTIONAL_MAX` go, and of the
  rest a sample at even distances. What is left out is counted, and how to see it is said.
- Exceptional is what breaks a rule, what an authority found fault with or asked about, what has no end, and what ended
  otherwise on paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scenarios.errors import UnknownNameError
from scenarios.measuring.facts import ArmFacts, Happening, ShipmentFacts
from scenarios.model import Scenario
from scenarios.record.eventbook import Event
from scenarios.reporting.recorded import Recorded
from scenarios.telling.story import ABOUT

ALL_MAX = 200
EXCEPTIONAL_MAX = 140
SAMPLE_MAX = 40
FIELDS: Mapping[str, str] = {"origin": "claim", "carnet": "carnet", "tuna": "form370"}
"""By use case, the field of events that names a shipment's claim, carnet or form."""
_SECTIONS = (("claims", "claim", "claim"), ("carnets", "carnet", "carnet"), ("forms", "form370", "form"))


@dataclass(frozen=True, slots=True)
class Item:
    """What a story is about.

    Attributes:
        field: of events, that names it: `claim`, `carnet`, `form370` or `certificate`.
        name: its name.
        kind: in words.
        about: a line that says what it is.
        certificate: that it rests on, if any.
        marks: why it is exceptional, in words.
        ledger, paper: how it ended in either arm.
    """

    field: str
    name: str
    kind: str
    about: str
    certificate: str | None = None
    marks: Sequence[str] = ()
    ledger: str = ""
    paper: str = ""


@dataclass(slots=True)
class Survey:
    """Takes events of both arms and says what there is to tell.

    Attributes:
        scenario: that was run.
    """

    scenario: Scenario
    ledger: ArmFacts = field(default_factory=ArmFacts)
    paper: ArmFacts = field(default_factory=ArmFacts)
    _refused: dict[str, None] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take an event of the ledger into account."""
        self.ledger.take(Happening(event.name, event.calendar_ms, event.fields))
        if event.name == "receipt" and event.fields.get("code") != "VALID":
            for name in FIELDS.values():
                subject = event.fields.get(name)
                if isinstance(subject, str):
                    self._refused[subject] = None

    def take_paper(self, event: Event) -> None:
        """Take an event of the paper arm into account."""
        self.paper.take(Happening(event.name, event.calendar_ms, event.fields))

    def items(self) -> list[Item]:
        """Return all that has a story, in the order of its beginning."""
        if self.ledger.shipments:
            return [self._shipment(name, facts) for name, facts in self.ledger.shipments.items()]
        return _scripted(self.scenario)

    def _shipment(self, name: str, facts: ShipmentFacts) -> Item:
        paper = self.paper.shipments.get(name)
        ended, ended_on_paper = _ending(facts), "" if paper is None else _ending(paper)
        marks = [*_marks(facts), *(["refused by the ledger"] if name in self._refused else [])]
        if paper is not None and facts.state and paper.state and facts.state != paper.state:
            marks.append("ended otherwise on paper")
        return Item(
            FIELDS[facts.use_case],
            name,
            f"{facts.use_case} shipment",
            _truth(facts),
            facts.certificate,
            marks,
            ended,
            ended_on_paper,
        )


def chosen(items: Sequence[Item]) -> list[Item]:
    """Return which are told, in their order."""
    if len(items) <= ALL_MAX:
        return list(items)
    exceptional = [item for item in items if item.marks]
    usual = [item for item in items if not item.marks]
    told = {item.name for item in [*_spaced(exceptional, EXCEPTIONAL_MAX), *_spaced(usual, SAMPLE_MAX)]}
    return [item for item in items if item.name in told]


def find(items: Sequence[Item], name: str) -> Item:
    """Return the item of a name.

    Raises:
        UnknownNameError: if there is none; names the nearest.
    """
    for item in items:
        if item.name == name:
            return item
    error = UnknownNameError("shipment", name, [item.name for item in items])
    if len(items) > 12:
        shown = [*(item.name for item in items[:6]), "...", items[-1].name]
        error.limit = f"{len(items):,} have a story: {', '.join(shown)}"
        error.args = ("; ".join(part for part in (error.what, error.limit, error.remedy) if part),)
    raise error


def survey_of(recorded: Recorded) -> Survey:
    """Return what a run has to tell, from its trade's events alone."""
    survey = Survey(recorded.scenario)
    for event in recorded.events(trade_only=True):
        survey.take(event)
    for event in recorded.paper_events():
        survey.take_paper(event)
    return survey


def _spaced(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many, at even distances."""
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]


def _marks(facts: ShipmentFacts) -> list[str]:
    marks = []
    if facts.is_broken:
        found = "found" if facts.findings else "not found"
        marks.append(f"breaks a rule ({facts.truth['noncompliance']}), {found}")
    elif facts.findings:
        marks.append("sound, but faulted")
    if facts.requested_ms is not None:
        marks.append("asked about")
    if facts.carnet_claims:
        marks.append("claim on the carnet")
    if facts.state in ("DENIED", "REJECTED", "REFUSED"):
        marks.append(facts.state.lower())
    if not _ending(facts):
        marks.append("without an end")
    return marks


def _ending(facts: ShipmentFacts) -> str:
    if facts.state:
        return facts.state
    return "DISCHARGED" if facts.discharged_ms is not None else ""


def _truth(facts: ShipmentFacts) -> str:
    truth = facts.truth
    said = [
        ", ".join(facts.organizations),
        f"HTS {truth['hts']}" if truth.get("hts") else "",
        f"${truth['value_usd']:,}" if isinstance(truth.get("value_usd"), int) else "",
        str(truth.get("regime") or ""),
    ]
    return "; ".join(part for part in said if part)


def _scripted(scenario: Scenario) -> list[Item]:
    found: list[Item] = []
    for section, field_name, word in _SECTIONS:
        for name, plan in getattr(scenario, section).items():
            certificate = getattr(plan, "certificate", None)
            found.append(Item(field_name, name, word, ABOUT[word](scenario, name), certificate))
    told = {item.certificate for item in found}
    for name, document in scenario.documents.items():
        if name not in told:
            about = f"{document.form}, issued by {document.issuer} for {', '.join(document.addressees)}"
            found.append(Item("certificate", name, "document", about))
    return found
