"""The paper arm's numbers as a page, made of its data file."""

from __future__ import annotations

from scenarios.model.workload import Workload
from scenarios.paper.parameters import PaperParameter, standard_parameters
from scenarios.workload.goods import GOODS, TUNA
from scenarios.workload.shipment import MEANING

_HEAD = """# The baseline: what paper is taken to be

Made of the program's own data (`python -m scenarios.telling`); a test holds it to them. The paper arm plays the same
shipments as the ledger, through mail, filing cabinets, samples and thirty-day limits. Every number of it stands in
`scenarios/paper/parameters.yaml` and may be replaced within its range.

*read*: in the cited public source; *partly read*: only part of it could be read; *assumption*: nobody has measured it
for us. Most are assumptions: what follows from them is a statement about them, not about any customs authority. No
result follows by definition: on paper, possession can be proven wherever a dated slip was kept.

## Where the arms are not alike

Both arms begin with the same shipments, claims, carnets and forms. From there on these differences are of the model,
not of the trade; a figure that rests on one of them says little.

- **Inquiries (M1, M3).** Those drawn with the shipment are the same in both arms. On the ledger Customs' program holds
  every claim against the certificates it has and asks wherever something does not fit; on paper only what is drawn is
  looked at. So more claims are asked about on the ledger (81 and 35 of 675 in one run of 1,000 shipments), and medians
  over all of them compare different claims: read M1 by its paired difference.
- **Verifications.** On the ledger a claim that is asked about, or that rests on no certificate, is not verified as
  well, and a claim waits for its verification; on paper it is decided first, and perhaps again.
- **Brokers.** On the ledger drawn claims are filed by the importers themselves; on paper `workload.broker` gives some
  to a broker, if there is one. `pilot-quarter` has none.
- **Silence (M1, M9).** On paper a request or a letter may stay unanswered; on the ledger the programs always answer.
- **Loss and forgetting (M4, M11).** Papers are lost and mislaid, stamps forgotten. Nothing like it happens at a
  counter of the ledger arm, so every carnet was discharged there in that run.
- **Pace.** People of the paper arm keep office hours. The ledger arm's programs act day and night, at the full hours
  that `calendar.grain` leaves, hence up to one grain late; after how long is written in the scenario, not measured.
- **Claims on carnets (M11).** On the ledger a holder proves within `prove_after`, 30 days unless the scenario says
  otherwise; on paper after as long as its counterfoils take to be found.
- **Failures.** Nodes fail only where the scenario has faults; the mail always does.
"""


def baseline_page() -> str:
    """Return the page in Markdown."""
    return "\n".join([_HEAD, _parameters(), _goods(), _workload(), _faults()]).rstrip("\n") + "\n"


def _parameters() -> str:
    lines: list[str] = []
    group = ""
    for name, parameter in standard_parameters().by_name.items():
        if name.split(".")[0] != group:
            group = name.split(".")[0]
            lines += ["", f"## {group.capitalize()}", ""]
            lines += ["| parameter | value | unit | range | mark | source |", "|---|---|---|---|---|---|"]
        lines.append(_row(name, parameter))
    return "\n".join([*lines[1:], ""])


def _row(name: str, parameter: PaperParameter) -> str:
    low, high = parameter.range
    cells = (
        f"`{name}`",
        str(parameter.value),
        parameter.unit,
        f"{low:g} to {high:g}",
        parameter.mark,
        parameter.source,
    )
    return f"| {' | '.join(cells)} |"


def _goods() -> str:
    lines = ["## Goods", "", "| HTS | what | general | preferential | source |", "|---|---|---|---|---|"]
    lines += [
        f"| {g.hts} | {g.description} | {g.general_percent} % | {g.preferential_percent} % | {g.source} |"
        for g in (*GOODS, TUNA)
    ]
    return "\n".join([*lines, ""])


def _workload() -> str:
    lines = ["## The trade, by default", "", "| `workload.` | default | what |", "|---|---|---|"]
    for name, field in Workload.model_fields.items():
        default = field.get_default(call_default_factory=True)
        told = default.model_dump() if hasattr(default, "model_dump") else default
        lines.append(f"| `{name}` | {told} | {field.description} |")
    return "\n".join([*lines, ""])


def _faults() -> str:
    lines = ["## Rules broken on purpose", "", "| class | what |", "|---|---|"]
    lines += [f"| {kind.value} | {meaning} |" for kind, meaning in MEANING.items()]
    return "\n".join(lines)
