"""ATA carnets told to people: a sentence per event, what a story begins with, and the table at the end of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from rich.table import Table

from ledger.contracts.carnet import CarnetFineState
from p2p.observer import RecordField
from scenarios.model import Scenario
from scenarios.model.carnets import original
from scenarios.model.sentences import States
from scenarios.telling.moments import local_day
from scenarios.trial.history import History

_WORDS = {
    "EXPORT": "leave home",
    "IMPORT": "come in",
    "REEXPORT": "leave again",
    "TRANSIT_ENTRY": "enter in transit",
    "TRANSIT_EXIT": "leave in transit",
    "REIMPORT": "come home",
}
_CLAIM_WORDS: Mapping[str, str] = {
    CarnetFineState.CLAIM_OPEN: "stands again",
    CarnetFineState.CONTESTED: "is contested by the association",
    CarnetFineState.PROOF_GIVEN: "is answered with a proof",
    CarnetFineState.PROVISIONAL_DEPOSIT: "rests on a provisional deposit",
    CarnetFineState.RECOVERY_SOUGHT: "is answered with a proof that would recover the deposit",
    CarnetFineState.REGULARIZED: "is regularized: nothing is owed",
    CarnetFineState.WITHDRAWN: "is withdrawn",
    CarnetFineState.FINAL: "is final: the deposit is customs'",
}


def _joined(value: RecordField) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _with_findings(fields: Mapping[str, RecordField]) -> str:
    return f" ({_joined(fields['findings'])})" if fields.get("findings") else ""


def _claim_state(fields: Mapping[str, RecordField]) -> str:
    if fields.get("is_first"):
        return f"claim on voucher {fields['carnet_claim']} is open"
    return f"claim on voucher {fields['carnet_claim']} {_CLAIM_WORDS[str(fields['state'])]}"


CARNET_SENTENCES: Mapping[str, Callable[[Mapping[str, RecordField]], str]] = {
    "carnet.applied": lambda f: f"applies for carnet {f['carnet']} and gives security",
    "carnet.issued": lambda f: f"issues carnet {f['carnet']}, valid until {f['valid_until']}",
    "carnet.activated": lambda f: f"activates carnet {f['carnet']}",
    "carnet.replaced": lambda f: f"replaces the lost carnet {f['carnet']} by {f['carnet_successor']}",
    "carnet.returned": lambda f: f"returns carnet {f['carnet']}",
    "carnet.discharged": lambda f: f"discharges carnet {f['carnet']}: the security is released",
    "goods.presented": lambda f: (
        f"presents {_joined(f['items'])} with voucher {f['voucher']} to {f['office']}: they are to"
        f" {_WORDS[str(f['kind'])]}"
    ),
    "goods.endorsed": lambda f: f"stamps voucher {f['voucher']}{_with_findings(f)}",
    "goods.refused": lambda f: f"refuses the goods of voucher {f['voucher']}",
    "goods.settled": lambda f: f"takes {_joined(f['items'])} of voucher {f['voucher']} as settled",
    "carnet_claim.opened": lambda f: (
        f"claims from {f['association']} for voucher {f['carnet_claim']}{_with_findings(f)}"
    ),
    "carnet_claim.state": _claim_state,
    "carnet.lost": lambda f: f"reports carnet {f['carnet']} lost",
    "carnet.withheld": lambda f: f"does not issue carnet {f['carnet']}: list or security is wanting",
    "carnet.not_activated": lambda f: f"does not activate carnet {f['carnet']}: the list shown is another",
    "carnet_claim.received": lambda f: f"hears of the claim on voucher {f['carnet_claim']}",
    "carnet_claim.proof_sent": lambda f: f"sends a proof for voucher {f['carnet_claim']} up the chain",
    "carnet_claim.answered": lambda f: f"answers the claim on voucher {f['carnet_claim']}",
    "carnet_claim.unanswered": lambda f: (
        f"cannot {f['answer']} on voucher {f['carnet_claim']} any more ({f['rule']})"
    ),
    "carnet_claim.late_answer": lambda f: (
        f"leaves an answer on voucher {f['carnet_claim']} aside: it is too late ({f['rule']})"
    ),
    "carnet_claim.decision_received": lambda f: (
        f"takes the decision on voucher {f['carnet_claim']} in"
        + ("" if f["believed"] else ", which does not open the commitment")
    ),
}
"""A sentence per event."""

CARNET_SILENT = ("carnet_claim.received", "carnet_claim.answered", "carnet_claim.decision_received")
"""Events that are told in a story alone: what they come to is told anyway."""


def about_carnet(scenario: Scenario, name: str) -> str:
    """Return what a carnet's story begins with."""
    carnet = original(scenario.carnets, name)
    if carnet is None:
        return "an ATA carnet"
    pieces = sum(item.pieces for item in carnet.items)
    return (
        f"ATA carnet of {carnet.holder}, issued by {carnet.issuer}, {len(carnet.items)} items, {pieces} pieces,"
        f" to {carnet.cover.countries}"
    )


def about_voucher(scenario: Scenario, name: str) -> str:
    """Return what the story of a voucher, or of a claim on one, begins with."""
    carnet, _, serial = name.partition("/")
    return f"voucher {serial} of carnet {carnet}, {about_carnet(scenario, carnet)}"


def _since(states: States, zone: ZoneInfo) -> str:
    return local_day(states[-1][0], zone) if states else "-"


def carnet_table(scenario: Scenario, history: History) -> Table:
    """Return the table of carnets."""
    table = Table(title="Carnets", title_justify="left", box=None, pad_edge=False)
    for column in ("carnet", "holder", "issuer", "state", "since", "vouchers", "findings"):
        table.add_column(column, overflow="fold")
    for name in scenario.carnets:
        carnet, states = original(scenario.carnets, name), history.states("carnet", name)
        vouchers = [known for known in history.subjects("voucher") if known.startswith(f"{name}/")]
        stamped = sum(history.states("voucher", known)[-1][1] == "ENDORSED" for known in vouchers)
        table.add_row(
            name,
            carnet.holder if carnet is not None else "-",
            carnet.issuer if carnet is not None else "-",
            states[-1][1] if states else "not on the ledger",
            _since(states, scenario.zone),
            f"{stamped} of {len(vouchers)} stamped",
            ", ".join(history.findings("carnet", name)) or "none",
        )
    return table


def carnet_claim_table(history: History, zone: ZoneInfo) -> Table:
    """Return the table of customs' claims on carnets."""
    table = Table(title="Claims on carnets", title_justify="left", box=None, pad_edge=False)
    for column in ("voucher", "state", "since", "findings"):
        table.add_column(column, overflow="fold")
    for name in history.subjects("carnet_claim"):
        states = history.states("carnet_claim", name)
        table.add_row(
            name,
            states[-1][1] if states else "on the ledger",
            _since(states, zone),
            ", ".join(history.findings("carnet_claim", name)) or "none",
        )
    return table
