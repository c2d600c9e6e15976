"""Forms 370 told to people: a sentence per event, and a table of what came of each.

Rules:
- An empty sentence means that another event tells it already.
- Values of private fields never appear; states, statuses and defects are the observer's truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.table import Table

from ledger.contracts.fisheries.dolphin import MISSING_EVIDENCE_RULE, STATUS_RULES, DolphinStatus
from scenarios.model import Scenario
from scenarios.telling.moments import local_day
from scenarios.trial.history import History

Fields = Mapping[str, object]

_DECISIONS: Mapping[str, str] = {
    "HOLD": "holds form {form370} until more is known",
    "MAY_PROCEED": "lets form {form370} proceed",
    "REJECTED": "rejects form {form370}",
    "RELEASED": "releases the shipment of form {form370}",
    "REFUSED": "refuses entry to the shipment of form {form370}",
    "AUDIT": "audits form {form370}",
    "AUDITED": "closes its audit of form {form370}",
}
"""States that an authority's decision leads to; the others are told by the acts of the parties."""


def _decision(fields: Fields) -> str:
    return _DECISIONS.get(str(fields["state"]), "").format(**fields)


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


FORM_SENTENCES: Mapping[str, Callable[[Fields], str]] = {
    "permit.granted": lambda f: f"grants {f['holder']} a fisheries trade permit",
    "form370.drafted": lambda f: f"drafts form {f['form370']} for custody of {_joined(f['custody'])}",
    "form370.attached": lambda f: f"sends late evidence for form {f['form370']}",
    "form370.endorsed": lambda f: f"endorses form {f['form370']}, signed and dated",
    "form370.unreadable": lambda f: f"cannot read form {f['form370']}",
    "form370.filed": lambda f: f"files form {f['form370']} under entry {f['entry']}",
    "form370.answered": lambda f: f"answers NOAA about form {f['form370']}",
    "form370.state": _decision,
    "form370_status.state": lambda f: f"finds that the tuna of form {f['form370']} may bear {f['state']}",
    "form370_defect.state": lambda f: f"finds {f['state']} in form {f['form370']}",
}


def _belief(fields: Fields) -> str:
    if not fields["believed"]:
        return f"has a decision on form {fields['form370']} that does not open the commitment on the ledger"
    return f"has the decision: form {fields['form370']} is {fields['state']}"


FORM_STORY_SENTENCES: Mapping[str, Callable[[Fields], str]] = {
    "form370.received": _belief,
    "form370.heard": lambda f: f"has the importer's answer about form {f['form370']}",
    "form370.decided": lambda f: f"acts on form {f['form370']}; how is not public",
    "form370.closed": lambda f: f"closes the matter of form {f['form370']}; how is not public",
}
"""What a story tells besides what a run tells as it goes."""


def status_table() -> str:
    """Return the rules for the dolphin-safe status as a table in Markdown, made of the rules that run."""
    lines = [
        "| rule | what matches, the first rule decides | status | evidence it asks for | source |",
        "|---|---|---|---|---|",
    ]
    for rule in STATUS_RULES:
        status = "none: excluded" if rule.excludes else rule.status.value
        lines.append(f"| {rule.number} | {rule.says} | {status} | {rule.asks} | {rule.source} |")
    lines.append(
        f"| {MISSING_EVIDENCE_RULE} | any of the evidence is missing | {DolphinStatus.NOT_CERTIFIED.value} | none "
        "| 16 USC 1385(d) |"
    )
    return "\n".join(lines)


def about_form(scenario: Scenario, name: str) -> str:
    """Return what a form's story begins with."""
    form = scenario.forms[name]
    chain = ", ".join(f"{who} ({role})" for who, role in form.chain())
    return f"NOAA Form 370, shipment {form.shipment}, declared {form.status}, custody of {chain}, entry {form.entry}"


def forms_table(scenario: Scenario, history: History) -> Table:
    """Return what came of each form."""
    table = Table(title="Forms 370", title_justify="left", box=None, pad_edge=False)
    for column in ("form", "declared", "found", "state", "since", "findings and defects"):
        table.add_column(column, overflow="fold")
    for name, form in scenario.forms.items():
        states = history.states("form370", name)
        status = history.states("form370_status", name)
        defects = dict.fromkeys(state for _, state in history.states("form370_defect", name))
        table.add_row(
            name,
            form.status,
            status[-1][1] if status else "-",
            states[-1][1] if states else "not on the ledger",
            local_day(states[-1][0], scenario.zone) if states else "-",
            ", ".join([*history.findings("form370", name), *defects]) or "none",
        )
    return table
