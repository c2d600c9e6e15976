"""The stories of chosen shipments: who did what when on the ledger and on paper, states, and who got which document.

Rules:
- A story is made of events alone; an act stands where the ledger has it, with the block and transaction it rests on.
- Both arms go by the same names, so a shipment's paper is told beside its ledger.
- A long story is cut at `LINES_MAX` lines; how many more there are is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from scenarios.record.eventbook import Event
from scenarios.reporting.items import FIELDS, Item
from scenarios.reporting.recorded import Recorded
from scenarios.telling.moments import local, local_day
from scenarios.telling.order import LedgerOrder, Told
from scenarios.telling.story import basis_of, receipt_sentence, sentence_of

Fields = Mapping[str, object]
LINES_MAX = 48
TEXT_MAX = 400
_STATES = {"claim.state": "claim", "form370.state": "form370", "carnet_claim.state": "carnet_claim"}
_STEPS: Mapping[str, tuple[str, str]] = {
    "certificate.issued": ("certificate", "ANCHORED"),
    "certificate.delivered": ("certificate", "DELIVERED"),
    "certificate.acknowledged": ("certificate", "HELD"),
    "certificate.superseded": ("certificate", "SUPERSEDED"),
    "certificate.notified": ("certificate", "NOTIFIED INCORRECT"),
    "carnet.issued": ("carnet", "ISSUED"),
    "carnet.activated": ("carnet", "ACTIVATED"),
    "carnet.returned": ("carnet", "RETURNED"),
    "carnet.discharged": ("carnet", "DISCHARGED"),
    "claim.liquidated": ("claim", "LIQUIDATED"),
}
"""Events after which a document is in another state, where no event of its own says so."""
_READERS: Mapping[str, Callable[[Fields], tuple[str, object]]] = {
    "certificate.issued": lambda f: (
        f"certificate {f['certificate']}",
        [f["organization"], *_list(f.get("addressees"))],
    ),
    "document.disclosed": lambda f: (f"document {f['document']}", [f["organization"], f["to"]]),
    "certificate.disclosed": lambda f: (f"certificate {f['certificate']}", [f["to"]]),
    "invoice.sent": lambda f: (f"invoice {f['invoice']}", [f["organization"], f["to"]]),
    "invoice.disclosed": lambda f: (f"invoice {f['invoice']}", [f["to"]]),
}
_ON_PAPER: Mapping[str, Callable[[Fields], str]] = {
    "certificate.issued": lambda f: (
        f"signs certificate {f['certificate']}" + (f", dated {f['dated_on']}" if f.get("dated_on") else "")
    ),
    "certificate.delivered": lambda f: f"has certificate {f['certificate']} in hand",
    "certificate.acknowledged": lambda f: f"keeps a dated slip for certificate {f['certificate']}",
    "paper.sent": lambda f: f"sends papers by {f.get('by', 'mail')} to {f.get('to', 'its partner')}",
    "paper.arrived": lambda _: "has the papers",
    "paper.lost": lambda f: f"loses papers on the way by {f.get('by', 'mail')}",
    "paper.mislaid": lambda _: "cannot find the papers",
    "paper.searched": lambda _: "searches its files",
    "paper.copied": lambda _: "makes a copy",
    "broker.instructed": lambda f: f"instructs {f['broker']} to enter {f['claim']}",
    "claim.filed": lambda f: f"claims preference {f['claim']}",
    "claim.opened": lambda f: f"opens an inquiry into claim {f['claim']}",
    "possession.shown": lambda f: (
        "can prove that it had the certificate"
        if f.get("proven")
        else "cannot prove that it had the certificate before the claim"
    ),
    "request.sent": lambda f: f"asks about claim {f['claim']} by mail (CBP Form 28)",
    "request.received": lambda _: "has Customs' request",
    "request.passed_on": lambda f: f"sends the request and its papers on to {f['to']}",
    "request.returned": lambda _: "sends the documents back",
    "request.answered": lambda _: "has the documents",
    "claim.decided": lambda f: (
        f"decides claim {f['claim']}: {f['state']}"
        + (f" for {', '.join(map(str, _list(f.get('defects'))))}" if f.get("defects") else "")
    ),
    "claim.liquidated": lambda f: f"liquidates claim {f['claim']}",
    "flagged": lambda f: f"finds fault: {f['finding']}",
    "verification.opened": lambda f: f"asks {f['party']} about the goods by letter (CBP Form 446)",
    "verification.received": lambda _: "has Customs' letter",
    "verification.answered": lambda _: "answers Customs' letter",
    "verification.closed": lambda f: f"determines: {f['outcome']}",
    "goods.endorsed": lambda f: f"stamps the voucher ({f.get('voucher', '')})",
    "goods.unstamped": lambda f: f"lets goods pass without a stamp ({f.get('voucher', '')})",
    "carnet.applied": lambda f: f"applies for carnet {f['carnet']}",
    "carnet.activated": lambda f: f"activates carnet {f['carnet']}",
    "carnet.returned": lambda f: f"gives carnet {f['carnet']} back",
    "carnet.discharged": lambda f: f"discharges carnet {f['carnet']}",
    "carnet.expired": lambda f: f"sees carnet {f['carnet']} expire, not given back or not matched",
    "carnet_claim.opened": lambda f: f"claims from {f['association']} for goods that nobody saw leave",
    "carnet_claim.proof_sent": lambda _: "sends proof that the goods left",
    "carnet_claim.deposited": lambda _: "deposits what is claimed",
    "carnet_claim.closed": lambda f: f"closes its claim: {f['outcome']}",
    "carnet.issued": lambda f: f"issues carnet {f['carnet']}, valid until {f.get('valid_until', '-')}",
    "form370.drafted": lambda f: f"fills in form {f['form370']}",
    "form370.endorsed": lambda f: f"endorses form {f['form370']} by hand",
    "form370.filed": lambda f: f"files form {f['form370']}{'' if f.get('on_time') else ', late'}",
    "form370.decided": lambda f: f"decides on form {f['form370']}: {f.get('state', '')}",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One act: when, who, what, and what it rests on."""

    when: str
    who: str
    text: str
    basis: str = ""


@dataclass(slots=True)
class Story:
    """What became of one item.

    Attributes:
        item: which.
        ledger, paper: the acts in either arm.
        more, more_on_paper: how many acts were left out at the end.
        states: per document, its states with their dates.
        readers: per document, to whom it was given, its maker first.
    """

    item: Item
    ledger: list[Line] = field(default_factory=list)
    paper: list[Line] = field(default_factory=list)
    more: int = 0
    more_on_paper: int = 0
    states: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    readers: dict[str, list[str]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Its length in characters, about."""
        lines = [*self.ledger, *self.paper]
        return 900 + sum(len(line.text) + len(line.basis) + len(line.who) + 110 for line in lines)


@dataclass(slots=True)
class Storyteller:
    """Hands acts to the stories that they belong to.

    Attributes:
        zone: of the dates.
        stories: by field and name.
    """

    zone: ZoneInfo
    stories: Mapping[tuple[str, str], Story]
    _resting: dict[str, list[Story]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for story in self.stories.values():
            if story.item.certificate is not None:
                self._resting.setdefault(story.item.certificate, []).append(story)

    def ledger(self, told: Told) -> None:
        """Take an act of the ledger arm."""
        parts = [part for part in (told.event, told.receipt) if part is not None]
        for story in self._stories([part.fields for part in parts]):
            for part in parts:
                self._state(story, part)
            line = self._line(told, story.item.field)
            if line is None:
                continue
            if len(story.ledger) < LINES_MAX:
                story.ledger.append(line)
            else:
                story.more += 1

    def paper(self, event: Event) -> None:
        """Take an event of the paper arm."""
        for story in self._stories([event.fields]):
            text = paper_sentence(event)
            if not text:
                continue
            if len(story.paper) < LINES_MAX:
                who = str(event.fields.get("organization", "-"))
                story.paper.append(Line(local(event.calendar_ms, self.zone), who, text[:TEXT_MAX]))
            else:
                story.more_on_paper += 1

    def _stories(self, parts: Sequence[Fields]) -> list[Story]:
        named: dict[tuple[str, str], None] = {}
        for fields in parts:
            for key in _keys(fields):
                named[key] = None
        found = [self.stories[key] for key in named if key in self.stories]
        if found or any(field_name != "certificate" for field_name, _ in named):
            return found
        return [story for _, name in named for story in self._resting.get(name, ())]

    def _line(self, told: Told, field_name: str) -> Line | None:
        when = local(told.calendar_ms, self.zone)
        text = "" if told.event is None else _ledger_sentence(told.event, field_name)
        if told.event is not None and text:
            basis = "" if told.receipt is None else basis_of(told.receipt.fields)
            return Line(when, str(told.event.fields.get("organization", "-")), text[:TEXT_MAX], basis)
        if told.receipt is None:
            return None
        sentence = receipt_sentence(told.receipt.fields)
        text, _, basis = sentence.partition(" [")
        return Line(when, str(told.receipt.fields["creator"]), text[:TEXT_MAX], basis.removesuffix("]"))

    def _state(self, story: Story, event: Event) -> None:
        fields, seen = event.fields, None
        if event.name in _STATES and fields.get("state"):
            seen = _STATES[event.name], str(fields["state"])
        elif event.name in _STEPS:
            seen = _STEPS[event.name]
        if seen is not None:
            of, state = seen
            states = story.states.setdefault(f"{of} {fields.get(of, '')}", [])
            if not states or states[-1][1] != state:
                states.append((local_day(event.calendar_ms, self.zone), state))
        if event.name in _READERS:
            document, readers = _READERS[event.name](fields)
            known = story.readers.setdefault(document, [])
            known += [str(name) for name in _list(readers) if str(name) not in known]


def stories_of(recorded: Recorded, items: Iterable[Item]) -> list[Story]:
    """Return the stories of items, in their order."""
    stories = {(item.field, item.name): Story(item) for item in items}
    teller = Storyteller(recorded.scenario.zone, stories)
    order = LedgerOrder()
    for event in recorded.events(trade_only=True):
        if event.name == "receipt" or "organization" in event.fields or event.name == "phase":
            for told in order.take(event):
                teller.ledger(told)
    for told in order.rest():
        teller.ledger(told)
    for event in recorded.paper_events():
        teller.paper(event)
    return list(stories.values())


def _keys(fields: Fields) -> Iterator[tuple[str, str]]:
    """Give whatever an event is about, by field and name."""
    for name in FIELDS.values():
        value = fields.get(name)
        if isinstance(value, str):
            yield name, value
    for name in ("carnet_claim", "voucher"):
        value = fields.get(name)
        if isinstance(value, str) and "/" in value:
            yield "carnet", value.partition("/")[0]
    for name in ("shipment", "invoice"):
        value = fields.get(name)
        if isinstance(value, str):
            yield from ((field_name, value) for field_name in FIELDS.values())
    certificate = fields.get("certificate")
    if isinstance(certificate, str):
        yield "certificate", certificate


def _ledger_sentence(event: Event, field_name: str) -> str:
    if event.name == "form.submitted":
        return _handed_in(event)
    return sentence_of(event, field_name)


def _handed_in(event: Event) -> str:
    """Return what is told of a form handed in: nothing if it is sound at once."""
    form = str(event.fields.get("form")).replace("-", " ")
    if not event.fields.get("valid"):
        return f"hands in a faulty {form}"
    return f"fills the {form} in again" if event.fields.get("attempt") != 1 else ""


def paper_sentence(event: Event) -> str:
    """Return what an event of the paper arm says in a story, empty if it says nothing."""
    sentence = _ON_PAPER.get(event.name)
    if sentence is not None:
        return sentence(event.fields)
    if event.name == "shipment.began":
        return ""
    if event.name == "form.submitted":
        return _handed_in(event)
    return event.name.replace(".", " ").replace("_", " ")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
