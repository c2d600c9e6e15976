"""Where each delay of an agent begins to count, and what it puts off: one row per key, role and kind of act.

Rules:
- A moment is a receipt on the ledger, by its type, or a business event, by its name; the first that fits counts.
- An act that waits for two things comes as long after the one as it takes, and not before the other.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass

from ledger.contracts import RULES
from ledger.genesis import Role
from scenarios.agents.authority import business_ms
from scenarios.record.event import Event
from scenarios.running.options import RunResult
from tests.scenarios.delays.everybody import TRADERS

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Moment:
    """The first receipt or event of a name, by an organization, with these fields.

    Attributes:
        name: a transaction's type, or an event's name.
        by: who signed it, or whose event it is; the addressee of an envelope.
        about: fields that it has, such as ("claim", "asked").
        root_of: a moment whose first document the event is about.
        nth: which of those that fit, from 1.
    """

    name: str
    by: str
    about: tuple[tuple[str, str], ...] = ()
    root_of: Moment | None = None
    nth: int = 1

    def find(self, result: RunResult) -> Event | None:
        """Return the event, or None if it never came."""
        fields = dict(self.about)
        if self.name in RULES:
            fields |= {"type": self.name, "creator": self.by, "code": "VALID"}
        else:
            fields["node" if self.name.startswith("envelope.") else "organization"] = self.by
        if self.root_of is not None:
            root = self.root_of.root(result)
            if root is None:
                return None
            fields["root"] = root
        event = "receipt" if self.name in RULES else self.name
        fitting = [
            seen
            for seen in result.book.events
            if seen.name == event and all(seen.fields.get(name) == value for name, value in fields.items())
        ]
        return fitting[self.nth - 1] if len(fitting) >= self.nth else None

    def root(self, result: RunResult) -> str | None:
        """Return the first document that it anchors, or None."""
        event = self.find(result)
        documents = None if event is None else event.fields["documents"]
        return str(documents[0]) if isinstance(documents, list | tuple) and documents else None

    def ms(self, result: RunResult) -> int | None:
        """Return when it came, UTC milliseconds, or None."""
        event = self.find(result)
        if event is None:
            return None
        return event.integer("time_ms") if "time_ms" in event.fields else event.calendar_ms


Since = Moment | Callable[[RunResult], int | None]


@dataclass(frozen=True)
class Occasion:
    """One kind of act that a key puts off.

    Attributes:
        part: of the scenario that has it.
        key: of the agent's behavior.
        role: for which.
        by: who acts.
        since: from when the delay counts.
        does: the act.
        after: what the act waits for besides.
    """

    part: str
    key: str
    role: Role
    by: str
    since: Since
    does: Moment
    after: Moment | None = None

    def __str__(self) -> str:
        about = "-".join(value.replace("/", "") for _, value in self.does.about)
        return f"{self.key}-{self.role}-{self.by}-{self.does.name}-{about}"

    def since_ms(self, result: RunResult) -> int | None:
        """Return when the delay began to count, or None if the occasion never came."""
        return self.since.ms(result) if isinstance(self.since, Moment) else self.since(result)


def moment(name: str, by: str, nth: int = 1, root_of: Moment | None = None, **about: str) -> Moment:
    """Return a moment."""
    return Moment(name, by, tuple(about.items()), root_of, nth)


def _entered(_: RunResult) -> int:
    return business_ms(datetime.date(2020, 7, 14))


def _final_date_over(result: RunResult) -> int | None:
    stamp = moment("carnet.endorse", "cbsa", voucher="broker/2").find(result)
    if stamp is None:
        return None
    final_on = json.loads(stamp.text("body"))["final_on"]
    return business_ms(datetime.date.fromisoformat(final_on) + _DAY)


def _origin() -> list[Occasion]:
    def row(
        key: str, role: Role, by: str, since: Since, does: Moment, after: Moment | None = None
    ) -> Occasion:
        return Occasion("origin", key, role, by, since, does, after)

    def claim(name: str, by: str, what: str, nth: int = 1) -> Moment:
        return moment(f"claim.{what}", by, nth, claim=name)

    def verification(name: str, by: str, what: str) -> Moment:
        return moment(f"verification.{what}", by, verification=name)

    parties = ((Role.EXPORTER, "exporter"), (Role.PRODUCER, "producer"))
    passed_on = moment("request.passed_on", "importer", claim="brokered")
    return [
        row(
            "acknowledge_after",
            Role.IMPORTER,
            "importer",
            moment("certificate.deliver", "exporter", certificate="u1"),
            moment("holding.acknowledge", "importer", certificate="u1"),
        ),
        row(
            "answer_after",
            Role.IMPORTER,
            "importer",
            claim("asked", "cbp", "open"),
            claim("asked", "importer", "respond"),
        ),
        row("answer_after", Role.BROKER, "broker", passed_on, claim("brokered", "broker", "respond")),
        row(
            "file_after",
            Role.BROKER,
            "broker",
            moment("broker.instructed", "importer", claim="brokered"),
            claim("brokered", "broker", "file"),
        ),
        row(
            "correct_after",
            Role.IMPORTER,
            "importer",
            moment("certificate.notify", "exporter", certificate="u4"),
            claim("noticed", "importer", "correct"),
        ),
        *(
            row(
                "reply_after",
                role,
                by,
                verification(name, "cbp", "open"),
                verification(name, by, "respond"),
            )
            for role, by in parties
            for name in (f"by-letter-{by}", f"by-visit-{by}")
        ),
        *(
            row(
                "reply_after",
                role,
                by,
                moment("letter.passed_on", "importer", verification=f"straight-{by}"),
                verification(f"straight-{by}", by, "respond"),
            )
            for role, by in parties
        ),
        row(
            "reply_after",
            Role.IMPORTER,
            "importer",
            verification("by-letter-importer", "cbp", "open"),
            verification("by-letter-importer", "importer", "respond"),
        ),
        row(
            "review_after",
            Role.CUSTOMS,
            "cbp",
            claim("allowed", "importer", "file"),
            claim("allowed", "cbp", "close"),
        ),
        row(
            "review_after",
            Role.CUSTOMS,
            "cbp",
            claim("asked", "importer", "respond"),
            claim("asked", "cbp", "close"),
        ),
        row(
            "review_after",
            Role.CUSTOMS,
            "cbp",
            claim("allowed", "importer", "protest"),
            claim("allowed", "cbp", "close", 2),
        ),
        row(
            "review_after",
            Role.CUSTOMS,
            "cbp",
            verification("by-letter-exporter", "exporter", "respond"),
            verification("by-letter-exporter", "cbp", "close"),
        ),
        row(
            "review_after",
            Role.CUSTOMS,
            "cbp",
            verification("by-visit-exporter", "cbp", "act"),
            verification("by-visit-exporter", "cbp", "close"),
        ),
        row(
            "liquidate_after",
            Role.CUSTOMS,
            "cbp",
            _entered,
            claim("allowed", "cbp", "liquidate"),
            claim("allowed", "cbp", "close"),
        ),
    ]


def _tuna() -> list[Occasion]:
    def form(name: str, by: str, what: str) -> Moment:
        return moment(f"fisheries.{what}", by, form370=name)

    def row(key: str, role: Role, by: str, since: Moment, does: Moment) -> Occasion:
        return Occasion("tuna", key, role, by, since, does)

    return [
        row(
            "check_after",
            Role.FISHERIES,
            "noaa",
            form("safe", "importer", "file"),
            form("safe", "noaa", "open"),
        ),
        row(
            "check_after",
            Role.FISHERIES,
            "noaa",
            form("held", "importer", "respond"),
            form("held", "noaa", "act"),
        ),
        row("release_after", Role.CUSTOMS, "cbp", form("safe", "noaa", "open"), form("safe", "cbp", "close")),
        row(
            "answer_after",
            Role.IMPORTER,
            "importer",
            form("held", "noaa", "open"),
            form("held", "importer", "respond"),
        ),
    ]


def _carnets() -> list[Occasion]:
    def row(
        key: str, role: Role, by: str, since: Since, does: Moment, after: Moment | None = None
    ) -> Occasion:
        return Occasion("carnets", key, role, by, since, does, after)

    def carnet(name: str, by: str, what: str) -> Moment:
        return moment(f"carnet.{what}", by, carnet=name)

    def voucher(name: str, by: str, what: str) -> Moment:
        return moment(f"carnet.{what}", by, voucher=name)

    def claim(name: str, by: str, what: str) -> Moment:
        return moment(f"carnet.{what}", by, carnet_claim=name)

    def passed(sender: str, to: str, root_of: Moment) -> Moment:
        return moment("envelope.received", to, root_of=root_of, sender=sender)

    made, answered = claim("broker/2", "cbsa", "claim"), claim("broker/2", "ca-council", "answer")
    came_down, came_up = passed("ca-council", "council", made), passed("council", "ca-council", answered)
    issuers = ((Role.CHAMBER, "chamber", "exporter"), (Role.GUARANTEEING, "council", "broker"))
    lost = (
        (Role.CHAMBER, "chamber", "lost-chamber"),
        (Role.GUARANTEEING, "council", "lost-council"),
    )
    guarantor, customs = Role.GUARANTEEING, Role.CUSTOMS
    return [
        *(
            row("issue_after", role, by, carnet(name, name, "secure"), carnet(name, by, "issue"))
            for role, by, name in issuers
        ),
        *(
            row(
                "issue_after",
                role,
                by,
                moment("carnet.lost", "exporter", carnet=name),
                carnet(name, by, "replace"),
            )
            for role, by, name in lost
        ),
        row(
            "endorse_after",
            customs,
            "cbp",
            carnet("broker", "council", "issue"),
            carnet("broker", "cbp", "activate"),
        ),
        row(
            "endorse_after",
            customs,
            "cbp",
            voucher("swapped/1", "producer", "present"),
            voucher("swapped/1", "cbp", "refuse"),
        ),
        row(
            "endorse_after",
            customs,
            "cbsa",
            voucher("broker/2", "broker", "present"),
            voucher("broker/2", "cbsa", "endorse"),
        ),
        row("carnet_claim_after", customs, "cbsa", _final_date_over, made),
        row("pass_on_after", guarantor, "ca-council", made, came_down),
        row(
            "pass_on_after",
            guarantor,
            "council",
            made,
            moment("carnet_claim.received", "broker", carnet_claim="broker/2"),
            came_down,
        ),
        row(
            "pass_on_after",
            guarantor,
            "council",
            moment("carnet_claim.proof_sent", "broker", carnet_claim="broker/2"),
            came_up,
        ),
        row("pass_on_after", guarantor, "ca-council", came_up, answered),
        row(
            "pass_on_after",
            guarantor,
            "ca-council",
            claim("disputed/2", "cbsa", "claim"),
            claim("disputed/2", "ca-council", "answer"),
        ),
        row("review_after", customs, "cbsa", answered, claim("broker/2", "cbsa", "close")),
        row(
            "review_after",
            customs,
            "cbsa",
            claim("disputed/2", "ca-council", "answer"),
            claim("disputed/2", "cbsa", "decide"),
        ),
        *(
            row(
                "prove_after",
                Role(name),
                name,
                claim(f"{name}/2", "cbsa", "claim"),
                moment("carnet_claim.proof_sent", name, carnet_claim=f"{name}/2"),
                moment("carnet_claim.received", name, carnet_claim=f"{name}/2"),
            )
            for name in TRADERS
        ),
        *(
            row(
                "return_after",
                Role(name),
                name,
                voucher(f"{name}/3", "cbp", "endorse"),
                carnet(name, name, "return"),
            )
            for name in TRADERS
        ),
    ]


OCCASIONS = (*_origin(), *_tuna(), *_carnets())
"""All of them. A carnet's final date is a day, not an act, and tested by itself."""
