"""A scenario in which every role has something to do, so that every behavior of an agent has its occasion.

Rules:
- One member of each role, but for the customs and the guaranteeing association that a carnet needs abroad.
- It has three parts that need nothing of each other: origin, tuna and carnets; a run takes one.
- A step is scripted only where no agent acts by itself; what follows is theirs.
- Carnets come home without a stamp abroad, so that customs claims and the holder has a proof.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scenarios.model import Scenario
from scenarios.model.catalog import load_scenario
from scenarios.model.misdeeds import WRITTEN

VALID_UNTIL = datetime.date(2021, 6, 1)
TRADERS = ("exporter", "producer", "processor", "importer", "broker")
ORGANIZATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cbp": ("US", ("customs",)),
    "noaa": ("US", ("fisheries",)),
    **{trader: ("US", (trader,)) for trader in TRADERS},
    "chamber": ("US", ("chamber",)),
    "council": ("US", ("guaranteeing",)),
    "cbsa": ("CA", ("customs",)),
    "ca-council": ("CA", ("guaranteeing",)),
}
CLAIMS: Mapping[str, str | None] = {
    "asked": "u1",
    "brokered": "u1",
    "allowed": "u1",
    "noticed": "u4",
    "mismatched": "u1",
    "known": None,
    "papered": "u1",
    "by-letter-exporter": "u1",
    "by-letter-producer": "u2",
    "by-letter-importer": "u3",
    "by-visit-exporter": "u1",
    "by-visit-producer": "u2",
    "straight-exporter": "u1",
    "straight-producer": "u2",
}
"""Claims, each with the certificate that it rests on; one is on the importer's own knowledge."""

VERIFICATIONS: Mapping[str, tuple[str, str | None, str]] = {
    "by-letter-exporter": ("exporter", None, "QUESTIONNAIRE"),
    "by-letter-producer": ("producer", None, "QUESTIONNAIRE"),
    "by-letter-importer": ("importer", None, "QUESTIONNAIRE"),
    "by-visit-exporter": ("exporter", None, "VISIT"),
    "by-visit-producer": ("producer", None, "VISIT"),
    "straight-exporter": ("importer", "exporter", "QUESTIONNAIRE"),
    "straight-producer": ("importer", "producer", "QUESTIONNAIRE"),
}
"""Verifications, named as the claims that wait for them: party, who answers in its place, how it begins."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "origin": ("cbp", "exporter", "producer", "importer", "broker"),
    "tuna": ("cbp", "noaa", "exporter", "processor", "importer"),
    "carnets": ("cbp", *TRADERS, "chamber", "council", "cbsa", "ca-council"),
}
"""Who takes part in each."""

NOBODY: Mapping[str, str] = {}
_PLACES = ("by", "issuer", "holder", "addressees", "party", "direct", "to", "importer", "broker", "office")
"""Keys under which an organization stands."""

Node = Any
"""What JSON can hold."""


def everybody(
    folder: Path,
    part: str,
    agents: Mapping[str, Mapping[str, Node]],
    *,
    holders: Sequence[str] = TRADERS,
    expect: Sequence[str] = (),
    cast: Mapping[str, str] = NOBODY,
) -> Scenario:
    """Return a part of the scenario.

    Args:
        folder: to write its file into.
        part: of `PARTS`.
        agents: behaviors by organization; everybody is as the model has it where nothing is said.
        holders: who takes part as a holder of carnets.
        expect: sentences that must hold.
        cast: who takes another's part too, with all its roles: organizations by those whose parts they take.
    """
    told = {"origin": _origin, "tuna": _tuna, "carnets": lambda: _carnets(holders)}[part]()
    members = [name for name in PARTS[part] if part != "carnets" or name not in TRADERS or name in holders]
    path = folder / f"{part}.yaml"
    scenario = {**_frame(part, members, agents, cast), **_recast(told, cast), "expect": [*expect]}
    path.write_text(json.dumps(scenario), encoding="utf-8")
    return load_scenario(path)


def _frame(
    part: str, members: Sequence[str], agents: Mapping[str, Mapping[str, Node]], cast: Mapping[str, str]
) -> dict[str, Node]:
    roles: dict[str, list[str]] = {}
    for name in members:
        roles.setdefault(cast.get(name, name), []).extend(ORGANIZATIONS[name][1])
    return {
        "scenario": f"everybody-{part}",
        "title": "Every role has something to do",
        "about": "What each agent does by itself, and after how long. Everything here is fictitious.",
        "calendar": {"start": "2020-06-01T08:00:00Z", "end": "2021-09-30T00:00:00Z"},
        "organizations": {
            name: {
                "name": f"{name} and company",
                "country": country,
                "roles": held,
                "agent": agents.get(name, {}),
            }
            for name, held in roles.items()
            for country, _ in [ORGANIZATIONS[name]]
        },
        "checks": ["agreement", "durability", "decided-once"],
    }


def _recast(told: Node, cast: Mapping[str, str], key: str = "") -> Node:
    """Return what is told with other organizations in their places; what merely bears their name stays."""
    if isinstance(told, dict):
        return {name: _recast(value, cast, name) for name, value in told.items()}
    if isinstance(told, list):
        return [_recast(value, cast, key) for value in told]
    return cast.get(told, told) if key in _PLACES and isinstance(told, str) else told


def _origin() -> Node:
    return {
        "documents": _documents(),
        "invoices": {"i1": _invoice("exporter"), "i2": _invoice("producer")},
        "claims": {
            name: _claim(place, name, certificate) for place, (name, certificate) in enumerate(CLAIMS.items())
        },
        "verifications": {name: _verification(name) for name in VERIFICATIONS},
        "steps": _origin_steps(),
    }


def _tuna() -> Node:
    return {"forms": {"safe": _form370(1, ["captain"]), "held": _form370(2, [])}, "steps": _tuna_steps()}


def _carnets(holders: Sequence[str]) -> Node:
    held = {name: holder for name, (holder, _) in CARNETS.items() if holder in holders}
    return {
        "carnets": {
            **{name: _carnet(*CARNETS[name]) for name in held},
            **{f"new-{name}": {"form": "ata-replacement", "replaces": name} for name in LOST if name in held},
        },
        "steps": _carnet_steps(held),
    }


LOST = ("lost-chamber", "lost-council")
CARNETS: Mapping[str, tuple[str, str]] = {
    **{trader: (trader, "council" if trader == "broker" else "chamber") for trader in TRADERS},
    "lost-chamber": ("exporter", "chamber"),
    "lost-council": ("exporter", "council"),
    "disputed": ("importer", "council"),
    "swapped": ("producer", "council"),
}
"""Holder and issuer: a chamber under another's guarantee, or the guaranteeing association itself.

Each trader's own goes abroad and comes home without a stamp. The others are reported lost, claimed on for too much, or
have other goods than are listed.
"""


# Certificates, invoices and claims.


def _party(who: str) -> dict[str, Node]:
    return {
        f"{who}_name": f"the {who}, legal name",
        f"{who}_address": f"1 Street of the {who}, Sometown",
        f"{who}_phone": "+1 202 555 0100",
        f"{who}_email": f"{who}@example.org",
    }


def _signed(kind: str) -> dict[str, Node]:
    return {"signed_on": "2020-07-02", "signer_name": f"who signed the {kind}"}


def _usmca(issuer: str, addressees: list[str]) -> Node:
    goods = [{"description": "Bread mixes TB-4, wheat based", "hs6": "190120", "criterion": "B"}]
    parties = {who: "SAME" if who == issuer else "NAMED" for who in ("exporter", "producer", "importer")}
    named = [value for who, said in parties.items() if said == "NAMED" for value in _party(who).items()]
    blanket = {"blanket_from": "2020-07-01", "blanket_to": "2021-06-30"}
    certifier = {"certifier": issuer.upper(), "certifier_title": "head of origin", **_party("certifier")}
    fields = {**certifier, **parties, **dict(named), "goods": goods, **blanket, **_signed("certification")}
    return {"form": "usmca", "issuer": issuer, "addressees": addressees, "fields": fields}


def _documents() -> Node:
    nafta_parties = {
        f"{who}_{part}": value
        for who in ("exporter", "producer", "importer")
        for part, value in (
            ("name", f"the {who}, as in box"),
            ("address", f"2 Street of the {who}, Othertown"),
            ("email", f"{who}-434@example.org"),
            ("tax_id", f"TAX-{who}-1"),
        )
    }
    nafta = {
        **nafta_parties,
        **{
            "producer": "NAMED",
            "importer": "NAMED",
            "blanket_from": "2020-06-01",
            "blanket_to": "2020-06-30",
        },
        "goods": [
            {
                **{"description": "Bread mixes of June", "hs6": "190120", "criterion": "B"},
                **{"producer_basis": "NO(1)", "net_cost": "NO", "origin": "MX"},
            }
        ],
        **{"signed_on": "2020-06-02", "signer_name": "who signed the form", "signer_title": "head of origin"},
        **{
            "company": "the exporter, office",
            "phone": "+1 202 555 0101",
            "email": "sign@example.org",
            "pages": 1,
        },
    }
    cafta = {
        **{key: value for who in ("importer", "exporter", "producer") for key, value in _party(who).items()},
        **{"certifier": "PRODUCER", **_signed("statement"), "signer_title": "mill manager"},
        **{"signer_phone": "+1 202 555 0102", "signer_email": "mill@example.org"},
        "goods": [{"description": "Knit shirts", "invoice": "CAF-1", "hs6": "6109.10", "criterion": "TS"}],
        "statement": "I certify that the goods qualify as originating.",
        "shipment": "CAF-1",
    }
    both = ["importer", "cbp"]
    return {
        "n1": {"form": "nafta-434", "issuer": "exporter", "addressees": both, "fields": nafta},
        "d1": {"form": "cafta-dr", "issuer": "producer", "addressees": both, "fields": cafta},
        "u1": _usmca("exporter", both),
        "u2": _usmca("producer", both),
        "u3": _usmca("importer", ["cbp"]),
        "u4": _usmca("exporter", both),
    }


def _invoice(issuer: str) -> Node:
    lines = [{"description": "Bread mixes", "quantity": 100, "unit": "kg", "value_usd": 9800}]
    return {
        **{"issuer": issuer, "to": "importer", "number": f"INV-{issuer}", "issued_on": "2020-07-06"},
        **{"seller_name": f"{issuer} as seller", "seller_address": f"3 Street of the {issuer}"},
        **{"buyer_name": "importer as buyer", "buyer_address": "3 Street of the importer"},
        **{"statement": "these goods originate", "lines": lines},
    }


def _claim(place: int, name: str, certificate: str | None) -> Node:
    hts = "0304.87.0000" if name == "mismatched" else "1901.20.8000"
    goods = {"description": f"Bread mixes for {name}", "hts": hts, "quantity": 100, "unit": "kg"}
    more: dict[str, Node] = {"broker": "broker"} if name == "brokered" else {}
    if certificate is not None:
        more["certificate"] = certificate
    if name == "papered":
        more["paper"] = {"received_on": "2020-07-03", "carrier": "Courier Quick", "slip": "Q-77"}
    return {
        **{"importer": "importer", "regime": "USMCA", "spi": "S"},
        **{"entry": f"EVB-70001{place:02d}-1", "port": "2604"},
        **{"entry_on": "2020-07-14", "import_on": "2020-07-13"},
        "goods": {**goods, "value_usd": 9800, "invoice": f"INV-{name}", "article": "TB-4", "origin": "MX"},
        "duty": {"general_percent": 8.5, "source": "an assumption"},
        **more,
    }


def _verification(name: str) -> Node:
    party, direct, by = VERIFICATIONS[name]
    flour = {"description": "wheat flour", "hs6": "110100", "origin": "MX", "value_usd": 14}
    books = {"description": "Bread mix", "hs6": "190120", "criterion": "B", "materials": [flour]}
    more = {"direct": direct} if direct else {}
    return {
        **{"certificate": CLAIMS[name], "party": party, "by": by, "claims": [name], "books": books},
        **more,
    }


def _origin_steps() -> list[Node]:
    issued = {"n1": "06-03", "d1": "07-02", "u1": "07-02", "u2": "07-02", "u3": "07-02", "u4": "07-02"}
    documents = _documents()
    steps: list[Node] = [
        {
            **{"at": f"2020-{day}T10:00:00", "by": documents[name]["issuer"]},
            **{"do": "issue-certificate", "document": name},
        }
        for name, day in issued.items()
    ]
    for name, issuer in (("i1", "exporter"), ("i2", "producer")):
        steps.append({"at": "2020-07-06T10:00:00", "by": issuer, "do": "send-invoice", "invoice": name})
    power = {"do": "grant-power", "broker": "broker", "first": "2020-07-10"}
    steps.append({"at": "2020-07-10T10:00:00", "by": "importer", **power})
    for name in CLAIMS:
        do = "instruct-broker" if name == "brokered" else "file-claim"
        steps.append({"at": "2020-07-20T10:00:00", "by": "importer", "do": do, "claim": name})
    later: dict[str, Node] = {"after": {"calendar": "6h"}, "by": "cbp"}
    for name in ("asked", "brokered", "known", "papered"):
        asks = {"do": "request-information", "claim": name, "question": f"Send proof for {name}."}
        steps.append({"when": f"claim {name} filed", **later, **asks})
    for name in VERIFICATIONS:
        opens = {"do": "open-verification", "verification": name}
        steps.append({"when": f"claim {name} filed", **later, **opens})
    notice = {"do": "notify-incorrect", "document": "u4", "reason": "the flour came from elsewhere"}
    steps.append({"at": "2020-08-17T10:00:00", "by": "exporter", **notice})
    protest = {"do": "protest-claim", "claim": "allowed", "reason": "the rate was wrong"}
    steps.append({"at": "2021-03-01T10:00:00", "by": "importer", **protest})
    return steps


# Tuna.


def _form370(number: int, evidence: list[str]) -> Node:
    row = {
        **{"hts": "0303.41.0000", "species": "ALB", "product_form": "frozen whole", "net_kg": 19900},
        **{"ocean_area": "AO", "gear": "LONGLINE", "vessel_flag": "US", "vessel_name": "Lady Marlin"},
        **{"trip_begin": "2020-06-04", "trip_end": "2020-07-12"},
    }
    parties = {
        key: value
        for who in ("exporter", "importer")
        for key, value in _party(who).items()
        if not key.endswith("_phone")
    }
    custody = [
        {"by": "exporter", "kg_in": 30000, "kg_out": 20000},
        {"by": "processor", "kg_in": 20000, "kg_out": 19900},
        {"by": "importer", "kg_in": 19900, "kg_out": 19900},
    ]
    attachments = [{"evidence": name, "captain_name": "the captain"} for name in evidence]
    more = {} if evidence else {"redeclare": "5A"}
    return {
        **{"shipment": f"TUNA-{number}", "custody": custody, "parties": parties, "rows": [row]},
        **{"status": "5B1", "attachments": attachments, "entry": f"EVB-800010{number}-1"},
        **{"import_on": "2020-09-20", "entered_kg": 19900, **more},
    }


def _tuna_steps() -> list[Node]:
    permit = {"do": "grant-permit", "holder": "importer", "first": "2020-01-01", "last": "2021-12-31"}
    drafts = [
        {"at": "2020-09-06T12:00:00", "by": "exporter", "do": "draft-form370", "form370": name}
        for name in ("safe", "held")
    ]
    return [{"at": "2020-08-01T10:00:00", "by": "noaa", **permit}, *drafts]


# Carnets.


def _carnet(holder: str, issuer: str) -> Node:
    cover = {
        **{"holder_name": f"{holder} as holder", "holder_address": f"4 Street of the {holder}"},
        **{"representative": f"who travels for {holder}", "use": "EXHIBITIONS AND FAIRS"},
        **{"number": "US/ACC/20/041527", "issuer_name": f"{issuer} as issuer", "countries": "CA"},
        "continuation_sheets": 1,
    }
    item = {
        **{"item": 1, "description": "Drum", "marks": "LW-2207", "pieces": 5, "weight_kg": 50},
        **{"value_usd": 9000, "origin": "US"},
    }
    base = {"form": "ata-carnet", "holder": holder, "issuer": issuer, "valid_until": VALID_UNTIL.isoformat()}
    return {**base, "cover": cover, "items": [item]}


def _present(carnet: str, holder: str, voucher: int, kind: str, day: str, **more: Node) -> Node:
    office = "cbsa" if kind in ("IMPORT", "REEXPORT") else "cbp"
    items = [{"item": 1, "pieces": 5, **more.pop("goods", {})}]
    return {
        **{"at": f"2020-{day}T10:00:00", "by": holder, "do": "present-goods", "carnet": carnet},
        **{"voucher": voucher, "kind": kind, "office": office, "items": items},
        **{"transport": f"truck of {holder}", **more},
    }


def _carnet_steps(held: Mapping[str, str]) -> list[Node]:
    steps: list[Node] = [
        {"at": "2020-06-08T10:00:00", "by": holder, "do": "apply-carnet", "carnet": name}
        for name, holder in held.items()
    ]
    for name, holder in held.items():
        if name in LOST:
            lost = {"do": "report-lost-carnet", "carnet": name, "successor": f"new-{name}"}
            steps.append({"at": "2020-07-20T10:00:00", "by": holder, **lost})
        elif name == "swapped":
            marks = {"goods": {"marks": "other drums"}}
            steps.append(_present(name, holder, 1, "EXPORT", "08-03", **marks))
        else:
            steps.append(_present(name, holder, 1, "EXPORT", "08-03"))
            steps.append(_present(name, holder, 2, "IMPORT", "08-10"))
            if name != "disputed":
                steps.append(_present(name, holder, 3, "REIMPORT", "09-07", cites=2))
    if "disputed" in held:
        claim = {"do": "claim-on-carnet", "carnet": "disputed", "voucher": 2, "amount_percent": 150}
        steps.append({"at": "2020-12-01T10:00:00", "by": "cbsa", **claim})
    return steps


def careless(who: str, forms: Iterable[str], rate: float) -> dict[str, float]:
    """Return the carelessness of an organization in every field of some forms that its roles write."""
    roles = ORGANIZATIONS[who][1]
    return {
        f"{form}/{name}": rate
        for form in forms
        for writers, fields in [WRITTEN[form]]
        if any(role in roles for role in writers)
        for name in fields
    }
