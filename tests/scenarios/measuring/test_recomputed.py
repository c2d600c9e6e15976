"""Every metric of one run once more, from its event files alone, by a few lines that share none with the program."""

import datetime
import json
import math
from collections import Counter, defaultdict
from importlib.resources import files

import pytest
from ruamel.yaml import YAML

from scenarios.model.catalog import load_scenario
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario

DAY_S = 86_400
TRADE = [
    "workload.shipments=18",
    "workload.noncompliance=0.35",
    "workload.requested=0.4",
    "workload.verified=0.3",
    "workload.careless=0.2",
    "workload.unpresented=0.3",
    "workload.mix.carnet=0.3",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = run_scenario(
        load_scenario("pilot-quarter", TRADE), RunOptions("virtual", "11", tmp_path_factory.mktemp("runs"))
    ).folder.path
    private = lines(folder / "observer/events.ndjson")
    public = lines(folder / "public/events.ndjson")
    kept = {json.dumps(event, sort_keys=True) for event in private}
    assert all(json.dumps(event, sort_keys=True) in kept for event in public), "the observer's file has all"
    return (
        json.loads((folder / "measures.json").read_text()),
        Arm(private, "ledger"),
        Arm(lines(folder / "paper/observer/events.ndjson"), "paper"),
    )


def lines(path):
    with path.open(encoding="utf-8") as text:
        return [json.loads(line) for line in text]


def median(values):
    ranked = sorted(values)
    return ranked[math.ceil(len(ranked) / 2) - 1] if ranked else None


def share(hits, of):
    return hits / of if of else None


class Arm:
    """One arm's events by name, and what follows from them."""

    def __init__(self, events, name):
        self.arm, self.all = name, events
        self.by = defaultdict(list)
        for place, event in enumerate(events):
            event["s"] = datetime.datetime.fromisoformat(event["calendar"]).timestamp()
            event["place"] = place
            self.by[event["event"]].append(event)
        self.truth = {e["shipment"]: e for e in self.by["shipment.began"]}
        self.broken = {name for name, e in self.truth.items() if e["noncompliance"]}

    def first(self, name, key, **fields):
        found = {}
        for event in self.by[name]:
            if all(event.get(field) == value for field, value in fields.items()):
                found.setdefault(event.get(key), event)
        return {about: event for about, event in found.items() if about in self.truth}

    def days(self, start, end):
        return [(end[name]["s"] - start[name]["s"]) / DAY_S for name in start if name in end]

    def findings(self):
        """Return the moment of the first finding of every shipment with one."""
        found = {}
        for e in self.all:
            about, name = None, e["event"]
            if name == "flagged":
                about = e["shipment"]
            elif name == "claim.decided" and e["state"] == "DENIED" and e["defects"]:
                about = e["claim"]
            elif name == "receipt" and e["findings"]:
                about = e.get("claim") or e.get("form370") or e.get("carnet")
            elif name == "goods.refused":
                about = e["carnet"]
            elif name == "carnet_claim.opened":
                about = e["carnet_claim"].split("/")[0] if "carnet_claim" in e else e["carnet"]
            elif name in ("form370.state", "form370.decided") and e.get("state") in ("HOLD", "REJECTED"):
                about = e["form370"]
            if about in self.truth:
                found.setdefault(about, e["s"])
        return found

    def proven(self, filed):
        if self.arm == "paper":
            return {e["claim"] for e in self.by["possession.shown"] if e["proven"]}
        held = self.by["certificate.acknowledged"]
        return {
            name
            for name, e in filed.items()
            if any(
                h["certificate"] == e["certificate"]
                and h["holder"] == e["importer"]
                and h["place"] < e["place"]
                for h in held
            )
        }

    def effort(self):
        table = YAML(typ="safe").load(files("scenarios.measuring").joinpath("effort.yaml").read_text())
        hours, keyed, again = Counter(), 0, 0
        for e in self.all:
            if e["event"] in table and e.get("organization"):
                cost = table[e["event"]].get("both") or table[e["event"]][self.arm]
                hours[e["organization"]] += cost["minutes"] / 60
                keyed, again = keyed + cost["keyed"], again + cost["again"]
        return hours, keyed / (keyed - again)

    def figures(self):
        filed, decided = self.first("claim.filed", "claim"), self.first("claim.decided", "claim")
        sent, answered = self.first("request.sent", "claim"), self.first("request.answered", "claim")
        drawn = {name: e for name, e in sent.items() if not e["for_cause"]}
        caused = {name: e for name, e in sent.items() if e["for_cause"]}
        resting = {name: e for name, e in filed.items() if e["certificate"]}
        forms = [e for e in self.by["form.submitted"] if e["attempt"] == 1]
        found, sound = self.findings(), self.truth.keys() - self.broken
        issued, tuna = self.first("carnet.issued", "carnet"), self.first("form370.filed", "form370")
        begun = {**filed, **issued, **tuna}
        rightly = {name: at for name, at in found.items() if name in self.broken}
        late = [max(at, begun[name]["s"]) - begun[name]["s"] for name, at in rightly.items() if name in begun]
        hours, keyed = self.effort()
        discharged = self.first("carnet.discharged", "carnet")
        ended = [
            name for name, e in issued.items() if name in discharged or self.expiry(e) <= self.all[-1]["s"]
        ]
        timely = [n for n in ended if n in discharged and discharged[n]["s"] < self.expiry(issued[n])]
        opened = {
            e.get("carnet_claim") or (e["carnet"], e["country"]): e for e in self.by["carnet_claim.opened"]
        }
        return {
            "M1": median(self.days(drawn, answered)),
            "M1-found": median(self.days(caused, answered)),
            "M2": median(self.days(filed, decided)),
            "M2-liquidation": median(self.days(filed, self.first("claim.liquidated", "claim"))),
            "M3": share(len(sent), len(filed)),
            "M3-found": share(len(caused), len(filed)),
            "M4": share(len(self.proven(filed) & resting.keys()), len(resting)),
            "M5": share(sum(e["valid"] for e in forms), len(forms)),
            "M5-keyed": keyed,
            "M6-recall": share(len(rightly), len(self.broken)),
            "M6-precision": share(len(rightly), len(found)),
            "M6-delay": median([spent_s / DAY_S for spent_s in late]),
            "M6-false-hold": share(len(found.keys() & sound), len(sound)),
            "M7": share(len(self.broken), len(self.truth)),
            "M8": sum(self.forgone(name, filed[name]) for name in filed if self.is_lost(name)),
            "M9": sum(hours.values()),
            "M10": share(len(tuna.keys() - self.late()), len(tuna)),
            "M10-endorsed": self.endorsed(tuna),
            "M11": share(len(timely), len(ended)),
            "M11-claims": share(len(opened), len(issued)),
        }, hours

    def expiry(self, issued):
        day = datetime.datetime.fromisoformat(issued["valid_until"]).replace(tzinfo=datetime.UTC)
        return day.timestamp() + DAY_S

    def is_lost(self, name):
        states = [e["state"] for e in self.by["claim.decided"] if e["claim"] == name]
        return name in self.broken and "DENIED" not in states[-1:]

    def forgone(self, name, filed):
        began = self.truth[name]
        value = began["value_usd"]
        percent = float(began["general_percent"]) - float(began["preferential_percent"])
        floor, cap = (25.67, 497.99) if filed["calendar"] < "2018-10" else (26.22, 508.70)
        return value * percent / 100 + min(max(value * 0.3464 / 100, floor), cap)

    def late(self):
        """Return the forms filed after the day of importation, as paper says it or the ledger's receipt."""
        on_paper = {e["form370"] for e in self.by["form370.filed"] if e.get("on_time") is False}
        receipts = [e for e in self.by["receipt"] if e["type"] == "fisheries.file" and e["code"] == "VALID"]
        return on_paper | {e["form370"] for e in receipts if "FILED_AFTER_IMPORTATION" in e["findings"]}

    def endorsed(self, tuna):
        hops = sum(len(self.truth[name]["custody"]) for name in tuna)
        before = [e for e in self.by["form370.endorsed"] if e["place"] < tuna[e["form370"]]["place"]]
        return share(len(before), hops)


def told(measures, metric, arm, whom="all"):
    return measures[metric][whom][arm]["value"]


def test_the_trade_metrics_of_both_arms(run):
    measures, *arms = run
    for arm in arms:
        figures, _ = arm.figures()
        for metric, value in figures.items():
            seen = told(measures, metric, arm.arm)
            assert seen == (None if value is None else pytest.approx(value, abs=0.02)), (arm.arm, metric)
    ledger = arms[0].figures()[0]
    assert [name for name, value in ledger.items() if value is None] == [], (
        "a metric without a case proves nothing"
    )


def test_what_each_organization_works_and_saves(run):
    measures, ledger, paper = run
    (_, on_ledger), (_, on_paper) = ledger.figures(), paper.figures()
    assert on_ledger.keys() == {whom for whom in measures["M9"] if whom != "all"} - (
        on_paper.keys() - on_ledger.keys()
    )
    for whom in on_ledger:
        assert told(measures, "M9", "ledger", whom) == pytest.approx(on_ledger[whom])
        if on_paper[whom]:
            saved = (on_paper[whom] - on_ledger[whom]) / on_paper[whom]
            assert told(measures, "M13", "ledger", whom) == pytest.approx(saved)


def test_the_ledgers_own_metrics(run):
    measures, ledger, _ = run
    nodes = {e["node"] for e in ledger.by["node.started"]}
    submitted = {e["id"]: e["protocol_ns"] for e in reversed(ledger.by["transaction.submitted"])}
    height_of, executed, shown, reached = {}, {}, defaultdict(list), Counter()
    codes = Counter()
    for e in ledger.by["block.executed"]:
        executed.setdefault(e["height"], e)
    for height, e in executed.items():
        for receipt in e["receipts"]:
            id_, code, _ = receipt.split(":", 2)
            height_of[id_] = height
            codes[code] += 1
    for e in ledger.by["block.certified"]:
        for height in range(reached[e["node"]] + 1, e["height"] + 1):
            shown[height].append(e["protocol_ns"])
        reached[e["node"]] = max(reached[e["node"]], e["height"])

    def latency(moment_of):
        return median([(moment_of(height_of[id_]) - at_ns) / 1e6 for id_, at_ns in submitted.items()])

    assert told(measures, "M12-ordered", "ledger") == latency(lambda h: executed[h]["protocol_ns"])
    assert told(measures, "M12-certified", "ledger") == latency(lambda h: shown[h][0])
    for percent in (50, 90, 100):
        needed = math.ceil(len(nodes) * percent / 100)
        assert told(measures, f"M12-visible-{percent}", "ledger") == latency(
            lambda h, n=needed: shown[h][n - 1]
        )
    ends_ns = max(e["protocol_ns"] for e in (*ledger.by["block.executed"], *ledger.by["block.certified"]))
    seconds = (ends_ns - min(submitted.values())) / 1e9
    assert told(measures, "M12-goodput", "ledger") == pytest.approx(codes["VALID"] / seconds)
    frames, size = (sum(e[key] for e in ledger.by["trace"]) for key in ("frames", "bytes"))
    assert told(measures, "M12-messages", "ledger") == pytest.approx(frames / codes["VALID"])
    assert told(measures, "M12-bytes", "ledger") == pytest.approx(size / codes["VALID"])
    assert told(measures, "M12-divergence", "ledger") == 0
    assert told(measures, "M12-leader", "ledger") == 1
    assert told(measures, "M12-leaks", "ledger") == ledger.by["privacy.compared"][0]["leaks"]
