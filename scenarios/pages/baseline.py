"""The paper arm's numbers as a page, made of its data file."""

from __future__ import annotations

from scenarios.model.workload import Workload
from scenarios.paper.parameters import PaperParameter, standard_parameters
from scenarios.workload.goods import GOODS, TUNA
from scenarios.workload.shipment import MEANING

_HEAD = """# The baseline: what paper is taken to be

Made of the program's own data (`python -m scenarios.pages`); a test holds it to them. The paper arm plays the same
shipments as the ledger, through mail, filing cabinets, samples and thirty-day limits. Every number of it stands in
`scenarios/paper/parameters.yaml` and may be replaced within its range (`--set paper.carrying.lost=0.02`).

*read*: in the cited public source; *partly read*: only part of it could be read; *assumption*: nobody has measured it
for us. Most are assumptions: what follows from them is a statement about them, not about any customs authority. No
result follows by definition: on paper, possession can be proven wherever a dated slip was kept.

## One trade, played twice

Both arms begin with the same shipments, claims, carnets and forms, and the same people handle them: each of these is
drawn once per shipment from the seed, and the same in both.

- **Who files.** A share `workload.broker` of claims is entered by a broker, on the importer's instruction and under its
  power of attorney; Customs' request on such a claim goes through the importer to the broker, which answers.
- **Whom Customs looks into without a cause.** `workload.requested` are asked about, `workload.verified` have their
  certifier verified; no claim is both, and one that is verified waits for that. Where nobody certified anything, nobody
  is verified.
- **Who stays silent.** `workload.unanswered` and `workload.unreplied`: such a request or letter gets no answer in
  either arm, whoever would have to give it, and Customs denies when the time is over.
- **How long people take** to decide, answer, reply and endorse: the parameters of the group `people` below.
- **Which time the law gives**: thirty days and thirty more for a request, twice thirty for a letter of verification,
  thirty until a denial after it takes effect. What is found wrong is denied: 19 CFR 181.22(c) gives time to cure a
  certificate, but in this trade nobody replaces one.
- **What the books show** of goods that do not originate, once somebody verifies: `workload.books_show`.
- **Who leaves without showing the goods**: `workload.unpresented`.
- **When Form 370 is drawn up**, and that it is filed on the day of importation at the latest, complete or not.

## Where the arms differ

What remains different is what a ledger changes, and so what is measured; or it is said here that it is not.

- **What Customs sees (M1, M3, M6, M8).** On paper only what it asks for. On the ledger it has certificate, invoice and
  entry line with the claim, and its program holds every one of them against the others, and asks where something does
  not fit. So it asks about more claims on the ledger, and finds more: M3 counts all requests, M3-found those made for a
  cause. M1 is of the others, which are the same claims in both arms.
- **How papers travel, and whether they are found (M1, M4, M9, M11).** Mail, courier, filing cabinet and stamp have
  their delays and losses (below). On the ledger a document is there when it is delivered, and a stamp is not forgotten
  once goods have been shown.
- **What is found in what is looked at (M6).** On paper a share (`detecting`, below); on the ledger what the rules and
  the programs find. Goods that do not originate although all papers agree are found by neither without a verification.
- **Mistakes in filling in (M5).** On the ledger a form's rules stop a share of them at the desk; on paper none.
- **Claims on carnets (M11).** On the ledger customs sees at once that goods are not gone by their final date, and
  claims `carnet_claim_after` it; on paper only when vouchers are matched, after the carnet has expired. The holder
  proves after `prove_after` on the ledger; on paper after as long as its counterfoils take to be found, if they are.
- **Not measured: hours.** In both arms whatever is waited for ends at a full multiple of `calendar.grain`. People of
  the paper arm keep office hours where an officer or a border is needed; the ledger arm's programs act day and night,
  and no number of officers holds their reviews up.
- **Not measured: the rest of the pace.** How long a holder takes to return a carnet, and the fisheries authority to
  decide, is set in the scenario for the ledger and below for paper; no metric rests on it.
- **Not measured: failures.** Nodes fail only where the scenario has faults; the mail always does.
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
