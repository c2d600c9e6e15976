"""The library's scenarios, the catalog that finds them, and the schema that editors read."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.contracts.deadlines import LegalCalendar
from ledger.contracts.parameters import SUMMARY_WORKING_DAYS
from ledger.holidays_data import calendar_data
from scenarios.errors import ScenarioError
from scenarios.model import FileClaim, scenario_schema, schema_text
from scenarios.model.catalog import EXTENDS_DEPTH_MAX, LIBRARY, library_names, load_scenario
from scenarios.model.documents import form_of, form_values
from scenarios.model.faults import VIRTUAL_KINDS
from scenarios.model.source import read_source
from scenarios.model.steps import ROLES, Step
from scenarios.model.yamltree import Leaf, MapNode
from scenarios.privacy.leaks import CANARY_CHARACTERS_MIN

PUBLIC_OR_CODED = {
    "blanket_from", "blanket_to", "signed_on", "importer", "hs6", "criterion", "producer_basis", "net_cost", "origin",
    "pages",
}  # fmt: skip
"""Fields of Form 434 that are public, or codes too short to be searched for."""


@pytest.mark.parametrize("name", library_names())
def test_every_library_scenario_loads_and_bears_its_files_name(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.scenario == name
    assert scenario.expect
    assert {"agreement", "durability", "decided-once", "confidentiality"} <= set(scenario.checks)
    assert ("carnet-balances" in scenario.checks) == bool(scenario.carnets)
    assert not scenario.unsupported_in("virtual")


def test_the_library_has_the_pilots_first_scenario_and_its_bad_weather() -> None:
    weather = {"leader-crash": "crash", "partition-2-3": "partition", "partition-1-4": "partition", "loss": "loss",
               "power-loss": "power_loss"}  # fmt: skip
    names = [f"nafta-certificate-{name}" for name in weather]
    assert {"nafta-certificate", *names} <= set(library_names())
    base = load_scenario("nafta-certificate")
    for name, kind in zip(names, weather.values(), strict=True):
        scenario = load_scenario(name)
        assert {fault.kind for fault in scenario.faults} == {kind}
        assert kind in VIRTUAL_KINDS
        assert scenario.claims == base.claims
        assert set(map(str, base.expect)) <= set(map(str, scenario.expect))


def test_the_dates_of_nafta_certificate_are_lawful_working_days() -> None:
    scenario = load_scenario("nafta-certificate")
    offsets, holidays = calendar_data(scenario.calendar.zone, 2018, 2019)
    legal = LegalCalendar(offsets, [datetime.date.fromisoformat(day) for day in holidays])
    certificate = form_values(scenario.documents["c1"])
    for claim in scenario.claims.values():
        assert legal.is_working_day(claim.entry_on)
        assert legal.is_working_day(claim.import_on)
        assert certificate["blanket_from"] <= claim.import_on.isoformat() <= certificate["blanket_to"]  # type: ignore[operator]
    for step in scenario.steps:
        if step.at is None:
            continue
        day = datetime.datetime.fromtimestamp(scenario.moment_ms(step.at) / 1000, scenario.zone)
        assert legal.is_working_day(day.date())
        assert 9 <= day.hour < 17
        if isinstance(step, FileClaim):
            entry_on = scenario.claims[step.claim].entry_on
            assert entry_on <= day.date() <= legal.add_working_days(entry_on, SUMMARY_WORKING_DAYS.value)


def test_the_certificate_is_filled_in_and_its_private_texts_can_be_searched_for() -> None:
    scenario = load_scenario("nafta-certificate")
    document = scenario.documents["c1"]
    assert form_of(document).check(form_values(document)) == []
    texts = dict(_private_texts(form_values(document)))
    for name, claim in scenario.claims.items():
        texts |= {f"{name}.description": claim.goods.description, f"{name}.invoice": claim.goods.invoice}
    assert len(texts) >= 20
    for name, text in texts.items():
        assert len(text.encode()) >= CANARY_CHARACTERS_MIN, name
    public = " ".join(
        [o.name for o in scenario.organizations.values()] + [c.entry for c in scenario.claims.values()]
    )
    secrets = [
        text for name, text in texts.items() if name not in ("exporter_name", "importer_name", "company")
    ]
    assert not [text for text in secrets if text in public]


def _private_texts(values: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _private_texts(value, key)
    elif isinstance(values, list):
        for value in values:
            yield from _private_texts(value, name)
    elif isinstance(values, str) and name not in PUBLIC_OR_CODED:
        yield name, values


def test_an_unknown_scenario_suggests_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r'did you mean "nafta-certificate"'):
        load_scenario("nafta-certificat")
    with pytest.raises(ScenarioError, match=r"a file of your own is ./zzz.yaml"):
        load_scenario("zzz")
    with pytest.raises(ScenarioError, match=r"there is no file .*zzz.yaml"):
        load_scenario("./zzz.yaml")


def test_a_file_may_extend_the_library_or_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("scenario: one\nextends: nafta-certificate\ntitle: One\n")
    (tmp_path / "two.yaml").write_text(
        "scenario: two\nextends: ./one.yaml\nnetwork: {latency_ms: [40, 60]}\n"
    )
    scenario = load_scenario(tmp_path / "two.yaml", ["network.heartbeat_ms=50"])
    assert (scenario.scenario, scenario.title, scenario.network.latency_ms) == ("two", "One", (40, 60))
    assert scenario.network.heartbeat_ms == 50
    assert scenario.place("title") == scenario.place("title").__class__(str(tmp_path / "one.yaml"), 3, 8)


def test_a_circle_of_extends_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("scenario: one\nextends: ./two.yaml\n")
    (tmp_path / "two.yaml").write_text("scenario: two\nextends: ./one.yaml\n")
    with pytest.raises(
        ScenarioError, match=r"one.yaml:2: .*leads in a circle|two.yaml:2: .*leads in a circle"
    ):
        load_scenario(tmp_path / "one.yaml")
    for number in range(EXTENDS_DEPTH_MAX):
        (tmp_path / f"n{number}.yaml").write_text(f"scenario: n\nextends: ./n{number + 1}.yaml\n")
    (tmp_path / f"n{EXTENDS_DEPTH_MAX}.yaml").write_text("scenario: n\n")
    with pytest.raises(ScenarioError, match=rf"n{EXTENDS_DEPTH_MAX - 1}.yaml:2: .*is one file too many"):
        load_scenario(tmp_path / "n0.yaml")
    (tmp_path / "three.yaml").write_text("scenario: three\n\nextends: nafta\n")
    with pytest.raises(ScenarioError, match=r"three.yaml:3: unknown scenario"):
        load_scenario(tmp_path / "three.yaml")


def test_the_schema_in_the_library_is_the_models() -> None:
    text = (LIBRARY / "scenario.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), (
        "renew it: python -m scenarios.model > scenarios/library/scenario.schema.json"
    )


def test_every_field_is_described_in_the_schema() -> None:
    definitions = scenario_schema()["$defs"]
    bare = [
        f"{name}.{key}"
        for name, definition in definitions.items()
        for key, field in definition.get("properties", {}).items()
        if "description" not in field and key not in ("do", "kind")
    ]
    assert not bare


def test_the_schema_names_every_key_the_library_uses() -> None:
    schema = scenario_schema()
    for name in library_names():
        root = read_source(LIBRARY / f"{name}.yaml").root
        side = schema["then"] if "extends" in root.entries else schema["else"]
        assert set(root.entries) <= set(side["properties"]), name
        assert set(side["required"]) <= set(root.entries), name
        assert _unknown_keys(root, side, schema["$defs"]) == []


def _unknown_keys(node: MapNode, schema: dict[str, object], definitions: dict[str, object]) -> list[str]:
    """Return keys of nested mappings that a closed part of the schema does not know."""
    unknown: list[str] = []
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    for key, (_, below) in node.entries.items():
        part = properties.get(key)
        if isinstance(part, dict) and "$ref" in part:
            part = definitions[str(part["$ref"]).rsplit("/", 1)[-1]]
        if (
            isinstance(below, MapNode)
            and isinstance(part, dict)
            and part.get("additionalProperties") is False
        ):
            unknown += [name for name in below.entries if name not in part["properties"]]
            unknown += _unknown_keys(below, part, definitions)
    return unknown


def test_every_act_has_its_role() -> None:
    from typing import get_args

    acts = {get_args(step.model_fields["do"].annotation)[0] for step in get_args(get_args(Step)[0])}
    assert acts == ROLES.keys()


def test_the_schema_is_json_and_the_library_points_to_it() -> None:
    assert json.loads(schema_text())["if"] == {"required": ["extends"]}
    for path in LIBRARY.glob("*.yaml"):
        assert path.read_text(encoding="utf-8").startswith(
            "# yaml-language-server: $schema=./scenario.schema.json\n"
        )
    assert isinstance(read_source(LIBRARY / "nafta-certificate.yaml").root.entries["title"][1], Leaf)
