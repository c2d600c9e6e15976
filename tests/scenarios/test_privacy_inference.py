"""What public facts give away is concluded from them alone, and measured against the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.encoding import Value
from scenarios.agents.witness import Witness
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.privacy.guessing import Guess, guess, rank_correlation
from scenarios.privacy.inference import measure_inference
from scenarios.privacy.outsider import infer
from scenarios.privacy.told import privacy_line, tell_privacy
from scenarios.record.eventbook import Event
from scenarios.record.runfolder import RunFolder


def receipt(kind: str, creator: str, code: str = "VALID", **body: Value) -> str:
    fields = {"event": "receipt", "code": code, "type": kind, "creator": creator}
    return json.dumps({**fields, "body": json.dumps(body), "certificate": "c1", "claim": "e1"})


def filed(entry: str, on: str, creator: str = "importer", **body: Value) -> str:
    return receipt(
        "claim.file",
        creator,
        entry=entry,
        line=1,
        import_on=on,
        spi="MX",
        **{"certificate": "ab", **body},
    )


ANCHOR = receipt("certificate.anchor", "exporter", certificate="ab", addressees=["importer", "cbp"])
TRADE = [ANCHOR, filed("SX7-1000418-2", "2018-09-12"), filed("SX7-1000533-9", "2018-10-09")]


def private(name: str, claim: str, state: str) -> Event:
    return Event(0, 0, 0, name, {"claim": claim, "state": state}, public=False)


def test_pairs_shipments_and_inquiries_follow_from_receipts() -> None:
    known = infer(
        [
            *TRADE,
            receipt("claim.open", "cbp", entry="SX7-1000533-9", line=1),
            receipt("verification.open", "cbp", verification="01", party="exporter"),
            receipt("fisheries.draft", "exporter", form370="02"),
            receipt("fisheries.file", "buyer", form370="02"),
            receipt("carnet.apply", "showman", carnet="03"),
            receipt("carnet.endorse", "cbp", carnet="03"),
            receipt("carnet.endorse", "bazg", carnet="03"),
        ]
    )
    assert list(known.pairs) == [("exporter", "importer"), ("exporter", "buyer")]
    assert [shipment.import_on.isoformat() for shipment in known.shipments.values()] == [
        "2018-09-12",
        "2018-10-09",
    ]
    assert list(known.inquired) == ["SX7-1000533-9/1"]
    assert known.verified == {"01": "exporter"}
    assert (known.carnets, known.crossings) == ({"03": "showman"}, {"03": 2})


def test_what_was_refused_and_what_is_no_receipt_tells_nothing() -> None:
    known = infer(
        [receipt("carnet.apply", "showman", "RULE_VIOLATED", carnet="03"), json.dumps({"event": "phase"})]
    )
    assert known.carnets == {}


def test_a_claim_by_a_broker_is_the_importers_and_one_without_certificate_has_no_supplier() -> None:
    known = infer(
        [filed("SX7-1000418-2", "2018-09-12", "broker", certificate=None, importer_of_record="importer")]
    )
    (shipment,) = known.shipments.values()
    assert (shipment.importer, shipment.exporter) == ("importer", None)
    assert known.pairs == {}


def test_all_filed_is_all_known_and_what_is_not_filed_is_missed() -> None:
    scenario = load_scenario("nafta-certificate")
    figures = measure_inference(infer(TRADE), scenario, Witness(), [])
    assert (figures["pairs"], figures["pairs_recall"], figures["pairs_precision"]) == (1, 1.0, 1.0)
    assert (figures["shipments"], figures["shipments_per_month_error"]) == (3, 0.333)
    assert figures["rhythm_error_days"] == 2.0, "27 days seen; 27 and 23 there were"
    assert figures["carnet_holders_known"] is None, "there were none"
    nobody = measure_inference(infer([]), scenario, Witness(), [])
    assert (nobody["pairs_recall"], nobody["pairs_precision"]) == (0.0, None)
    wrong = measure_inference(
        infer([receipt("certificate.deliver", "exporter", holder="noaa")]), scenario, Witness(), []
    )
    assert (wrong["pairs_recall"], wrong["pairs_precision"]) == (0.0, 0.0)


def test_inquiries_and_decisions_are_held_against_what_customs_itself_recorded() -> None:
    scenario = load_scenario("nafta-certificate")
    truth = [
        private("claim.state", "e1", "CERT_REQUESTED"),
        private("claim.state", "e2", "UNDER_REVIEW"),
        private("claim.decided", "e1", "ALLOWED"),
        private("claim.decided", "e2", "DENIED"),
        private("claim.decided", "e3", "ALLOWED"),
    ]
    opened = receipt("claim.open", "cbp", entry="SX7-1000533-9", line=1)
    figures = measure_inference(infer([*TRADE, opened]), scenario, Witness(), truth)
    assert (figures["inquiries"], figures["inquiries_attributed"]) == (2, 0.5)
    assert figures["decisions"] == 3


@pytest.mark.parametrize(
    ("told", "guessed"),
    [
        ([], False),
        (["claim.open"], True),
        (["claim.act"], True),
        (["claim.respond", "claim.respond"], True),
        (["claim.protest"], True),
        (["finding"], True),
    ],
    ids=str,
)
def test_a_decision_is_guessed_from_whatever_in_a_claim_s_course_differs(
    told: list[str], guessed: bool
) -> None:
    """Half the claims are denied, and only those have these acts, or a finding, in public."""
    scenario = load_scenario("blanket-misuse")
    lines: list[str] = []
    truth: list[Event] = []
    for number, (name, claim) in enumerate(scenario.claims.items()):
        is_denied = number % 2 == 0
        where: dict[str, Value] = {"entry": claim.entry, "line": claim.line}
        filing = json.loads(receipt("claim.file", "importer", import_on="2018-09-12", spi="MX", **where))
        lines.append(
            json.dumps({**filing, "findings": ["LATE"] if is_denied and told == ["finding"] else []})
        )
        acts = [act for act in told if act != "finding"] if is_denied else []
        lines += [receipt(act, "cbp", **where) for act in acts]
        truth.append(private("claim.decided", name, "DENIED" if is_denied else "ALLOWED"))
    figures = measure_inference(infer(lines), scenario, Witness(), truth)
    looking, blind = figures["decisions_guessed"], figures["decisions_guessed_blind"]
    assert isinstance(looking, float)
    assert isinstance(blind, float)
    assert (looking == 1.0) is guessed
    assert (looking > blind) is guessed


def test_whose_certificate_is_questioned_is_found_and_what_came_of_it_is_not_told() -> None:
    scenario = load_scenario("nafta-certificate")
    held = {"certificate": "c1", "holder": "importer"}
    truth = [
        Event(0, 0, 0, "holding.state", {**held, "state": state}, public=False)
        for state in ("SUSPENDED", "NOT_ACCEPTED")
    ]
    public = [
        receipt(f"holding.{act}", "cbp", certificate="ab", holder="importer") for act in ("open", "close")
    ]
    figures = measure_inference(infer([*TRADE, *public]), scenario, Witness(), truth)
    assert (figures["holdings_questioned"], figures["holdings_questioned_known"]) == (1, 1.0)
    assert measure_inference(infer(TRADE), scenario, Witness(), truth)["holdings_questioned_known"] == 0.0


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([], None),
        ([("a", 1)], None),
        ([("a", 1), ("a", 1), ("b", 2), ("b", 2)], Guess(4, 1.0, 0.0)),
        ([("a", 1), ("b", 1), ("a", 2), ("b", 2)], Guess(4, 0.0, 0.0)),
        ([("a", 1), ("b", 1), ("c", 1)], Guess(3, 1.0, 1.0)),
    ],
)
def test_a_guess_knows_every_answer_but_its_own(cases: list[tuple[str, int]], expected: Guess | None) -> None:
    assert guess(cases) == expected


def test_ranks_correlate_as_spearman_says() -> None:
    assert rank_correlation([(1, 10), (2, 20), (3, 30)]) == pytest.approx(1.0)
    assert rank_correlation([(1, 30), (2, 20), (3, 10)]) == pytest.approx(-1.0)
    assert rank_correlation([(1, 1), (1, 2), (2, 3)]) == pytest.approx(0.866, abs=1e-3)
    assert rank_correlation([(1, 10), (2, 20)]) is None
    assert rank_correlation([(1, 10), (1, 20), (1, 30)]) is None


def test_a_run_tells_its_privacy_in_a_line() -> None:
    figures = {"privacy_pairs": 1240, "privacy_as_entitled": 1239, "privacy_leaks": 1}
    assert privacy_line(figures) == "1,239 of 1,240 field readings as entitled; 1 leak"
    assert privacy_line({**figures, "privacy_leaks": 0}).endswith("; 0 leaks")


def test_privacy_is_told_by_organization_in_eighty_columns(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "some", "1")
    account = {"documents": 1234, "may": 12345, "could": 12344, "undelivered": 1, "purged": 0}
    readings = {"pairs": 2, "as_entitled": 2, "leaks": 0, "organizations": {"importer": account}}
    known = {
        "pairs": 3,
        "pairs_recall": 1.0,
        "pairs_precision": 0.5,
        "hts_guessed": None,
        "hts_guessed_blind": None,
    }
    folder.write_json("verdict.json", {"privacy": readings})
    folder.write_json("metrics.json", {"privacy": known})
    lines = list(tell_privacy(folder))
    assert max(map(len, lines)) <= 80
    assert lines[1:3] == [
        "organization  documents  may read   could  not delivered  purged",
        "importer          1,234    12,345  12,344              1       0",
    ]
    assert "2 of 2 field readings as entitled; 0 leaks" in lines
    assert any(
        line.split("pairs")[-1].strip() == "found 1.00, right 0.50" for line in lines if "of 3" in line
    )
    assert not any("tariff" in line for line in lines), "what there was no case of is not told"
    folder.write_json("metrics.json", {"blocks": 1})
    with pytest.raises(RefusedError, match="run the scenario again"):
        list(tell_privacy(folder))


def test_where_shipments_are_drawn_the_file_states_no_truth_and_none_is_made_up() -> None:
    figures = measure_inference(infer(TRADE), load_scenario("pilot-quarter"), Witness(), [])
    assert figures == {"kind_by_size_guessed": None, "kind_by_size_guessed_blind": None}
