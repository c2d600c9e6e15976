"""Faults of trade: what no run could carry out as written is refused by line before anything starts."""

import pytest

from scenarios.errors import ScenarioError
from scenarios.model.catalog import load_scenario

HEAD = "scenario: offices\nextends: nafta-certificate\ntitle: Offices that close\nfaults:\n"
AT = 'at: {calendar: "2018-10-01T08:00:00"}'
ON = "for: {calendar: 5d}"


def refused(tmp_path, *faults):
    path = tmp_path / "offices.yaml"
    path.write_text(HEAD + "".join(f"  - {{{fault}}}\n" for fault in faults))
    try:
        load_scenario(path)
    except ScenarioError as error:
        return [str(fault).partition("offices.yaml")[2] for fault in error.faults]
    return []


@pytest.mark.parametrize(
    "fault",
    [
        f"{AT}, {ON}, kind: outage, target: organization cbp",
        f"{AT}, {ON}, kind: outage, target: 'organizations cbp, noaa'",
        f"{AT}, {ON}, kind: silence, target: role:importer",
        f"{AT}, {ON}, kind: late_document, target: organization exporter, params: {{to: importer}}",
        f"{AT}, {ON}, kind: lost_document, target: organization exporter",
        f"{AT}, {ON}, kind: paper_fallback, target: organization importer",
        f"{AT}, {ON}, kind: paper_fallback, target: all, params: {{entry_minutes: 5, twice_percent: 50}}",
        f"{AT}, {ON}, kind: wrong_data, target: organization exporter, params: {{fields: [certificate/criterion]}}",
    ],
)
@pytest.mark.parametrize("world", ["virtual", "live"])
def test_a_sound_fault_of_trade_is_for_both_worlds(tmp_path, fault, world):
    assert refused(tmp_path, fault) == []
    assert not load_scenario(tmp_path / "offices.yaml").unsupported_in(world)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            f"{AT}, {ON}, kind: outage, target: node cbp",
            ':5: faults.1.target: "node cbp" is a node; this kind hits an organization\'s office and application,'
            ' while its node runs on; write "organization cbp"; to stop the node too, add a crash',
        ),
        (f"{AT}, {ON}, kind: silence, target: leader", ':5: faults.1.target: "leader" is a node'),
        (
            f"{AT}, {ON}, kind: pause, target: organization cbp",
            ':5: faults.1.target: "organization cbp" is no node; this kind hits nodes; only faults of trade hit an'
            ' office; write "node cbp"',
        ),
        (
            f"{AT}, {ON}, kind: outage, target: organization cpb",
            ':5: faults.1.target: unknown organization "cpb"',
        ),
        (
            f"{AT}, for: {{protocol: 5s}}, kind: outage, target: organization cbp",
            ":5: faults.1.for: lasts 5s of protocol time; an office keeps the calendar, on which months pass in seconds"
            " of it; write for: {calendar: 5d}",
        ),
        (f"{AT}, kind: outage, target: organization cbp", ":5: faults.1: has no for"),
        (
            f"{AT}, {ON}, kind: late_document, target: organization exporter, params: {{to: importr}}",
            ':5: faults.1.params.to: unknown organization "importr"',
        ),
        (
            f"{AT}, {ON}, kind: lost_document, target: organization exporter, params: {{to: exporter}}",
            ":5: faults.1.params.to: exporter sends itself no envelope",
        ),
        (
            f"{AT}, {ON}, kind: wrong_data, target: organization exporter, params: {{fields: [entry-line/quantity]}}",
            ":5: faults.1.params.fields.1: exporter writes no field entry-line/quantity; exporter is exporter, which"
            " writes the fields: ",
        ),
        (
            f"{AT}, {ON}, kind: wrong_data, target: organization exporter, params: {{fields: []}}",
            ":5: faults.1.params.fields: ",
        ),
        (
            f"{AT}, for: {{calendar: 700d}}, kind: paper_fallback, target: organization importer",
            ":5: faults.1.for: it lasts to the calendar's end, so that nothing of it is entered afterwards",
        ),
        (
            f"{AT}, {ON}, kind: paper_fallback, target: organization importer, params: {{entry_minutes: 0}}",
            ":5: faults.1.params.entry_minutes: ",
        ),
        (
            f"{AT}, {ON}, kind: paper_fallback, target: organization importer, params: {{twice_percent: 101}}",
            ":5: faults.1.params.twice_percent: ",
        ),
        (
            f"{AT}, for: {{calendar: 700d}}, kind: late_document, target: organization exporter",
            ":5: faults.1.for: it lasts to the calendar's end, so that nothing of it is delivered afterwards",
        ),
    ],
)
def test_what_no_office_can_have_is_refused_by_line_with_limit_and_remedy(tmp_path, fault, told):
    (refusal,) = refused(tmp_path, fault)
    assert refusal.startswith(told)


@pytest.mark.parametrize(
    ("one", "other", "family"),
    [
        ("kind: outage", "kind: silence", "how its office works"),
        ("kind: paper_fallback", "kind: outage", "how its office works"),
        ("kind: late_document", "kind: lost_document", "what becomes of its envelopes"),
    ],
)
def test_two_that_decide_one_thing_of_an_office_are_refused(tmp_path, one, other, family):
    whom = "target: organization exporter"
    (told,) = refused(tmp_path, f"{AT}, {ON}, {one}, {whom}", f"{AT}, {ON}, {other}, {whom}")
    assert told.startswith(":6: faults.2: ")
    assert family in told
    assert (
        refused(tmp_path, f"{AT}, {ON}, {one}, {whom}", f"{AT}, {ON}, kind: crash, target: node exporter")
        == []
    )
