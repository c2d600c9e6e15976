"""What is wrong with a scenario file is said with file and line, all at once."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import pytest

from scenarios.errors import EXIT_CODE, ScenarioError
from scenarios.model import Scenario, read_scenario
from scenarios.model.catalog import load_scenario, load_source
from scenarios.model.source import apply_overrides, overlay, parse_source

GOOD = """\
scenario: small
title: A small one
calendar: {start: "2018-09-04T08:00:00Z", end: "2019-09-30T00:00:00Z"}
organizations:
  cbp: {name: Customs, country: US, roles: [customs]}
  seller: {name: Seller, country: MX, roles: [exporter]}
  buyer: {name: Buyer, country: US, roles: [importer]}
  noaa: {name: Fisheries, country: US, roles: [fisheries]}
"""
"""Eight lines; what a test appends begins on line 9."""


def faults_of(text: str, overrides: Sequence[str] = ()) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(apply_overrides(parse_source(text, "s.yaml"), overrides))
    return [str(fault) for fault in caught.value.faults]


def with_library(over: str) -> list[str]:
    """Faults of text laid over the library's scenario."""
    source = overlay(
        load_source("nafta-certificate"), parse_source(textwrap.dedent(over).lstrip("\n"), "s.yaml")
    )
    with pytest.raises(ScenarioError) as caught:
        read_scenario(source)
    return [str(fault) for fault in caught.value.faults]


def set_in_library(*overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("nafta-certificate", overrides)
    return [str(fault) for fault in caught.value.faults]


def test_the_small_scenario_is_good() -> None:
    assert read_scenario(parse_source(GOOD, "s.yaml")).orderers == ("cbp", "seller", "buyer", "noaa")


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
scenario: Small one
title: 7
calender: {}
calendar: {start: "2018-02-30T08:00:00Z", end: "2019-09-30T00:00:00Z"}
organizations:
  cbp: {name: Customs, country: US, roles: [custom]}
  buyer: {name: Buyer, country: USA, roles: [importer]}
network: {latency_ms: [30, 10], heartbeat_ms: fast}
claims:
  e1:
    importer: nobody
    spi: MX
    entry: "SX7-1000418-2"
    port: 2709
    entry_on: "2018-09-13"
    import_on: "2018-09-31"
    goods: {description: tuna, hts: 1604.14, quantity: 1, unit: kg, value_usd: 1, invoice: i1}
    duty: {general_percent: 6, source: book}
    importer: buyer
steps:
  - {at: "2018-09-19T09:30:00", by: buyer, do: file-clam, claim: e1}
  - {by: buyer, do: file-claim, claim: e1}
  - {at: "2018-09-19T09:30:00", by: cbq, do: liquidate, claim: e1}
faults:
  - {at: {protocol: 5}, kind: crash, target: leader}
  - {at: {protocol: -5s}, kind: crush, target: leader}
expect:
  - claim e1 is ALOWED within 5 days
  - claim e2 is ALLOWED
  - claim e1 is happy
"""
    lines = [fault.split(":")[1] for fault in faults_of(text)]
    expected = [1, 2, 3, 4, 6, 7, 8, 8, 14, 16, 17, 19, 21, 22, 23, 25, 26, 28, 29, 30]
    assert [int(line) for line in lines] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: A second\n", '9: title: the key "title" stands twice, first on line 2; a key stands once'),
        ("expects: []\n", '9: unknown key "expects"; known: scenario, extends, title'),
        ("expects: []\n", 'did you mean "expect"?'),
        ("network: {latencyms: [1, 2]}\n", '9: network: unknown key "latencyms"; known: topology, edges'),
        ("network: {latency_ms: [80, 50]}\n", "9: network.latency_ms: [80, 50] is no range"),
        (
            "network:\n  regions:\n    north: [cbp, nobody]\n",
            '11: network.regions.north.2: unknown organization "nobody"',
        ),
        (
            "network:\n  regions:\n    north: [cbp]\n    south: [seller, cbp]\n",
            "12: network.regions.south.2: cbp is in north already; one region at most",
        ),
        ("network:\n  regions: {north: []}\n", "10: network.regions.north: has no organization"),
        (
            "network:\n  regions: {north: [cbp]}\n  region_latency_ms:\n    north: {sooth: [1, 2]}\n",
            '12: network.region_latency_ms.north.sooth: unknown region "sooth"',
        ),
        ("network: {latency_ms: 50}\n", '9: network.latency_ms: "50" is not a list'),
        ("network: {heartbeat_ms: 1.5}\n", '9: network.heartbeat_ms: "1.5" is not a whole number'),
        (
            "network: {heartbeat_ms: 8}\n",
            '9: network.heartbeat_ms: "8"; input should be greater than or equal to 10',
        ),
        (
            "network: {heartbeat_ms: 101}\n",
            '9: network.heartbeat_ms: "101"; input should be a multiple of 2',
        ),
        ("network: {topology: edges}\n", "9: network: topology edges without edges"),
        (
            "network:\n  topology: edges\n  edges: [[cbp, nowhere]]\n",
            "11: network.edges.1.2: unknown organization",
        ),
        (
            "network: {topology: star}\n",
            '9: network.topology: "star" is not allowed; one of "complete", "ring"',
        ),
        ("network: {orderers: [cbp, cbp]}\n", "9: network.orderers: names nobody, or somebody twice"),
        (
            "network: {orderer_liars_tolerated: 2}\n",
            "9: network.orderer_liars_tolerated: 2 liars are too many; 4 orderers tolerate 1",
        ),
        ("checks: [agreemint]\n", '9: checks.1: "agreemint" is not allowed'),
        ("checks: [agreemint]\n", 'did you mean "agreement"?'),
        (
            "documents: {c1: {form: nafta-433}}\n",
            '9: documents.c1.form: unknown form "nafta-433"; known: nafta-434',
        ),
        ("documents: {c1: {issuer: seller}}\n", "9: documents.c1: form is missing; add form:"),
        ("documents: {C 1: {}}\n", "9: documents.C 1: "),
        ("steps: [{by: cbp}]\n", "9: steps.1: do is missing; add do:"),
        ("steps:\n  - {by: cbp, do: liquidate, at: noon}\n", "10: steps.1.claim: is missing; add claim:"),
        ("steps:\n  - {by: cbp, do: liquidate, at: noon}\n", '10: steps.1.at: "noon" is no date with time'),
        ("calendar: {}\n", '9: calendar: the key "calendar" stands twice'),
        (
            "about: 1604.14\n",
            '9: about: 1604.14 is a number here, not text; codes are text; quote it: "1604.14"',
        ),
        ("about: ~\n", '9: about: is not text; write text, "" if it is empty'),
        ("about: true\n", '9: about: true is a truth value here, not text; codes are text; quote it: "true"'),
    ],
)
def test_a_wrong_part_is_told_with_its_line(text: str, expected: str) -> None:
    assert any(
        (expected in fault and fault.startswith("s.yaml:9")) or fault.startswith(f"s.yaml:{expected}")
        for fault in faults_of(GOOD + text)
    ), faults_of(GOOD + text)


def test_missing_parts_are_all_named() -> None:
    faults = faults_of("scenario: small\n")
    assert [fault.split(": ")[1] for fault in faults] == ["title", "calendar", "organizations"]


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        (
            '{start: "2018-09-04T08:00:00Z", end: "2018-09-04T08:00:00Z"}',
            "calendar.end: the end is not after the start",
        ),
        (
            '{start: "2018-09-04T08:00:00Z", end: "2018-02-30T08:00:00Z"}',
            'calendar.end: "2018-02-30" is an impossible date',
        ),
        (
            '{start: "2018-09-04T08:00:00Z", end: "2019-01-01T00:00:00Z", zone: America/Newyork}',
            "calendar.zone: unknown time zone",
        ),
        ('{start: "2018-11-04T01:30:00", end: "2019-01-01T00:00:00Z"}', "exists twice in America/New_York"),
    ],
)
def test_a_wrong_calendar_is_told(calendar: str, expected: str) -> None:
    (fault,) = faults_of(
        GOOD.replace('{start: "2018-09-04T08:00:00Z", end: "2019-09-30T00:00:00Z"}', calendar)
    )
    assert fault.startswith("s.yaml:3: calendar")
    assert expected in fault


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (
            "documents.c1.fields.goods.1.hs6=160414",
            "documents.c1.fields.goods.1.hs6: 160414 is a number here, not text; codes are text; "
            'quote it: "160414"',
        ),
        (
            'documents.c1.fields.goods.1.hs6="1604"',
            "documents.c1.fields.goods.1.hs6: box 6 '1604' is not six digits",
        ),
        (
            'documents.c1.fields.signed_on="2018-02-30"',
            "documents.c1.fields.signed_on: box 11 '2018-02-30' is no date",
        ),
        (
            "documents.c1.fields.producer_name=null",
            "documents.c1.fields.producer_name: box 3 is empty, but the producer is AVAILABLE",
        ),
        (
            "documents.c1.issuer=expoter",
            'documents.c1.issuer: unknown organization "expoter"; '
            'known: cbp, exporter, importer, chamber, noaa; did you mean "exporter"?',
        ),
        (
            "documents.c1.addressees=[cbp]",
            "documents.c1.addressees: no importer is among the addressees; somebody must hold it; add",
        ),
        ("documents.c1.addressees=[]", "documents.c1.addressees: "),
        ("documents.c1.addressees=[importer, importer]", "documents.c1.addressees: names somebody twice"),
        ("documents.c1.addressees=[importer, exporter]", "documents.c1.addressees.2: exporter is the issuer"),
        (
            "claims.e1.importer=chamber",
            "claims.e1.importer: chamber may not do this; "
            "claiming preference needs the role importer; chamber has chamber; let importer do it",
        ),
        (
            "claims.e1.certificate=c2",
            'claims.e1.certificate: unknown document "c2"; known: c1; did you mean "c1"?',
        ),
        ('claims.e1.import_on="2018-02-30"', 'claims.e1.import_on: "2018-02-30" is an impossible date'),
        (
            'claims.e1.import_on="2018-09-03"',
            "claims.e1.import_on: 2018-09-03 lies outside the calendar; "
            "the calendar runs from 2018-09-04 to 2019-12-30",
        ),
        (
            'claims.e2.entry="SX7-1000418-2"',
            "claims.e2.entry: entry SX7-1000418-2 line 1 is claimed by e1 too; "
            "one claim per line; correct it, or say faulty: true",
        ),
        (
            'claims.e1.entry="1000418"',
            'claims.e1.entry: "1000418" has the wrong form; the form is ^[A-Z0-9]{3}-[0-9]{7}-[0-9]$',
        ),
        (
            "claims.e1.port=2709",
            'claims.e1.port: 2709 is a number here, not text; codes are text; quote it: "2709"',
        ),
        ("claims.e1.spi=US", 'claims.e1.spi: "US" is not allowed; one of "MX", "CA", "P", "P+", "S" or "S+"'),
        (
            "claims.e1.spi=P",
            "claims.e1.spi: P is no indicator of NAFTA; it has CA, MX; correct it or the regime",
        ),
        (
            'steps.2.at="2018-09-04T03:59:59"',
            "steps.2.at: 2018-09-04T03:59:59 is before the start; the start is 2018-09-04T08:00:00Z",
        ),
        ('steps.2.at="2020-01-01T00:00:00"', "steps.2.at: 2020-01-01T00:00:00 is after the end"),
        (
            'steps.2.at="2018-11-04T01:30:00"',
            'steps.2.at: "2018-11-04T01:30:00" exists twice in America/New_York',
        ),
        ("steps.2.by=noaa", "steps.2.by: noaa may not do this; file-claim needs the role importer"),
        ("steps.2.by=nooa", 'steps.2.by: unknown organization "nooa"'),
        ("steps.2.claim=e9", 'steps.2.claim: unknown claim "e9"; known: e1, e2, e3'),
        ("steps.1.document=c9", 'steps.1.document: unknown document "c9"'),
        ("steps.4.when=claim e9 filed", 'steps.4.when: unknown claim "e9"'),
        (
            "steps.4.when=claim e2 field",
            'steps.4.when: "claim e2 field" is no predicate; one of: leader elected',
        ),
        (
            "steps.4.after={protocol: 5s}",
            "steps.4.after: after is on the protocol clock; business runs on the calendar",
        ),
        ("steps.2.after={calendar: 5d}", "steps.2.after: after goes with when"),
        (
            "organizations.noaa.agent={review_after: 1d}",
            "organizations.noaa.agent.review_after: noaa is no customs",
        ),
        ("organizations.cbp.agent.review_after=2", "organizations.cbp.agent.review_after: 2 has no unit"),
        ("expect=[claim e9 is ALLOWED]", 'expect.1: unknown claim "e9"'),
        ("expect=[transaction of step 9 is VALID]", "expect.1: there is no step 9; steps count from 1 to 5"),
        ("expect=[certificate c1 is HELD by chamber]", 'expect.1: unknown addressee "chamber"'),
        (
            "expect=[claim e1 is LIQUIDATED within 500 days]",
            "expect.1: the deadline lies beyond the calendar's end; "
            "the calendar ends 2019-12-31T00:00:00Z, 467 days after the step",
        ),
        (
            "expect=[certificate c1 is ACTIVE within 500 days]",
            "expect.1: the deadline lies beyond the calendar's end",
        ),
        (
            "expect=[claim e1 is ALLOWED, claim e1 is DENIED]",
            'expect.2: contradicts "claim e1 is ALLOWED"; a claim is ALLOWED or DENIED, not both',
        ),
        (
            "faults=[{at: {protocol: 1s}, kind: crash, target: node cbq}]",
            'faults.1.target: unknown organization "cbq"',
        ),
        (
            "faults=[{at: {protocol: 1s}, for: {protocol: 1s}, kind: partition, "
            'target: "nodes cbp, exporter, importer, chamber, noaa"}]',
            "faults.1.target: the target is everybody; a partition has two sides; leave one out",
        ),
        (
            "faults=[{when: certificate c2 held, kind: crash, target: leader}]",
            'faults.1.when: unknown document "c2"',
        ),
        (
            'faults=[{at: {calendar: "2017-01-01T00:00:00"}, kind: crash, target: leader}]',
            "faults.1.at.calendar: 2017-01-01T00:00:00 is before the start",
        ),
    ],
)
def test_what_only_the_whole_file_shows_is_told_at_its_place(override: str, expected: str) -> None:
    faults = set_in_library(override)
    assert any(fault.startswith(f"--set {override}: {expected}") for fault in faults), faults


def test_a_fault_in_the_library_below_an_overlay_names_the_overlay_line() -> None:
    (fault,) = with_library(
        """
        scenario: mine
        claims:
          e1:
            certificate: c7
        """
    )
    assert fault.startswith('s.yaml:4: claims.e1.certificate: unknown document "c7"')


def test_steps_of_a_holding_and_of_an_issuer_are_by_the_right_one() -> None:
    faults = with_library(
        """
        steps:
          - {at: "2018-09-19T09:30:00", by: cbp, do: suspend-holding, document: c1, holder: chamber}
          - {at: "2018-09-19T09:30:00", by: other, do: notify-incorrect, document: c1, reason: wrong rule}
          - {at: "2018-09-19T09:30:00", by: exporter, do: supersede-certificate, document: c1, successor: c4}
          - {at: "2018-09-19T09:30:00", by: second, do: file-claim, claim: e1}
        organizations:
          other: {name: Other, country: MX, roles: [exporter]}
          second: {name: Second, country: US, roles: [importer]}
        expect: []
        """
    )
    assert [fault.split("; ")[0] for fault in faults] == [
        's.yaml:2: steps.1.holder: unknown addressee "chamber"',
        "s.yaml:3: steps.2.by: other is not the issuer of c1",
        's.yaml:4: steps.3.successor: unknown document "c4"',
        "s.yaml:5: steps.4.by: second is not the importer of e1",
    ]


def test_a_name_set_aside_is_still_a_known_name() -> None:
    faults = set_in_library("claims.e1.port=2709", "steps.3.claim=e7", "expect=[]")
    assert 'unknown claim "e7"; known: e2, e3, e1' in faults[1]


def test_a_certificate_is_addressed_to_who_claims_on_it() -> None:
    faults = with_library(
        """
        claims:
          e1:
            importer: second
        organizations:
          second: {name: Second, country: US, roles: [importer]}
        steps: []
        expect: []
        """
    )
    (fault,) = faults
    assert (
        "claims.e1.certificate: second is no addressee of c1; c1 goes to importer, cbp; add second" in fault
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario("nafta-certificate", ["documents.c1.addressees=[cbp]", "expect=[]"])
    assert len(caught.value.faults) == 4  # nobody holds it, and three claims rest on it


def test_a_scripted_mistake_is_allowed_when_it_says_so() -> None:
    assert set_in_library("claims.e2.entry='SX7-1000418-2'")
    load_scenario("nafta-certificate", ["claims.e2.entry='SX7-1000418-2'", "claims.e2.faulty=true"])
    bad_form = "documents.c1.fields.goods.1.hs6='1604'"
    assert set_in_library(bad_form)
    load_scenario("nafta-certificate", [bad_form, "documents.c1.faulty=true"])


@pytest.mark.parametrize(
    "override",
    [
        'claims.e1.import_on="2019-09-10"',  # outside the blanket
        'documents.c1.fields.blanket_to="2019-10-31"',  # more than twelve months
        'documents.c1.fields.signed_on="2019-01-02"',  # signed after the claim
        "claims.e1.certificate=null",  # no certificate at all
    ],
)
def test_a_fraud_is_no_fault_of_the_scenario(override: str) -> None:
    load_scenario("nafta-certificate", [override])


def test_a_part_set_aside_hides_nothing_else_and_causes_nothing() -> None:
    faults = set_in_library("claims.e1.port=2709", "steps.3.claim=e7", "steps.2.by=7", "expect.1=nonsense")
    assert [fault.split(": ")[1] for fault in faults] == [
        "claims.e1.port",
        "expect.1",
        "steps.2.by",
        "steps.3.claim",
    ]


def test_the_error_has_the_exit_code_of_a_usage_error() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("nafta-certificate", ["title=7", "about=8"])
    assert caught.value.exit_code == EXIT_CODE == 64
    assert len(str(caught.value).splitlines()) == 2


def test_a_scenario_reads_back_from_its_resolved_text() -> None:
    scenario = load_scenario(
        "nafta-certificate",
        ['about="odd \\x7f \\u2028 end"', "organizations.importer.agent.answer_after=never"],
    )
    again: Scenario = read_scenario(parse_source(scenario.resolved(), "resolved"))
    assert again.model_dump(mode="json") == scenario.model_dump(mode="json")
    assert again.resolved() == scenario.resolved()
    assert again.organizations["importer"].agent.answer_after.duration is None
