"""Scenario text: what YAML makes of it, where everything stands, what is refused, overlays and overrides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.errors import Place, ScenarioError
from scenarios.model.source import Source, apply_overrides, overlay, parse_source, read_source
from scenarios.model.yamltree import DEPTH_MAX, NODES_MAX


def parse(text: str) -> Source:
    return parse_source(text, "t.yaml")


def faults(source: Source) -> list[str]:
    return [str(fault) for fault in source.faults]


def refused(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    return [str(fault) for fault in caught.value.faults]


def test_words_and_dates_of_yaml_1_1_stay_text() -> None:
    source = parse("net_cost: NO\na: yes\nb: on\nday: 2018-09-04\nc: .inf\n")
    assert source.value() == {"net_cost": "NO", "a": "yes", "b": "on", "day": "2018-09-04", "c": ".inf"}
    assert not source.faults


def test_numbers_and_truth_values_are_what_they_look_like() -> None:
    text = "a: 7\nb: -7\nc: 1.5\nd: true\ne: null\nf:\ng: '7'\nh: 0x10\ni: 1e3\n"
    expected = {"a": 7, "b": -7, "c": 1.5, "d": True, "e": None, "f": None, "g": "7", "h": 16, "i": 1000.0}
    assert parse(text).value() == expected


@pytest.mark.parametrize("code", ["0304", "007", "12:30", "12:30:00", "-01"])
def test_what_some_reader_takes_for_a_number_must_be_quoted(code: str) -> None:
    what = f"a.1: {code} is text to one reader of YAML, a number to another"
    assert faults(parse(f"a:\n  - {code}\n")) == [f't.yaml:2: {what}; codes are text; quote it: "{code}"']
    assert not parse(f'a:\n  - "{code}"\n').faults


def test_every_value_and_key_has_line_and_column() -> None:
    source = parse("a:\n  b: 1\n  c: [x, {d: y}]\n")
    assert source.place(("a", "b")) == Place("t.yaml", 2, 6)
    assert source.place(("a", "c", 1, "d")) == Place("t.yaml", 3, 14)
    assert source.key_place(("a", "c")) == Place("t.yaml", 3, 3)
    assert source.place(("a", "missing", "deeper")) == source.place(("a",))


def test_duplicate_keys_are_all_refused_and_the_first_kept() -> None:
    source = parse("a: 1\nb: {x: 1, x: 2}\na: 2\n")
    assert faults(source) == [
        't.yaml:2: b.x: the key "x" stands twice, first on line 2; a key stands once; remove or rename one',
        't.yaml:3: a: the key "a" stands twice, first on line 1; a key stands once; remove or rename one',
    ]
    assert source.value() == {"a": 1, "b": {"x": 1}}


def test_anchors_are_fine_merge_keys_and_own_tags_are_not() -> None:
    source = parse("a: &x {k: 1}\nb: *x\nc:\n  <<: *x\nd: !mine 3\n")
    assert source.value() == {"a": {"k": 1}, "b": {"k": 1}, "c": {}, "d": 3}
    assert [fault.place.line for fault in source.faults] == [4, 5]


@pytest.mark.parametrize("text", ["? [a]\n: 1\n", ": 1\n", '"\\ud800": 1\n', '"": 1\n'])
def test_a_key_is_a_name(text: str) -> None:
    (fault,) = faults(parse(text))
    assert "a key is no name" in fault


def test_a_character_yaml_does_not_know_is_refused_with_its_line() -> None:
    assert refused("a: 1\nb: \x7f\n") == [
        "t.yaml:2: the character U+007F does not belong in a text; remove it, or escape it in double quotes"
    ]


def test_half_a_character_is_refused() -> None:
    assert "half a character" in faults(parse('a: "\\ud800"\n'))[0]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: [1\nb: 2\n", 2, "is no YAML"),
        ("a: *nowhere\n", 1, "*nowhere stands for nothing"),
        ("", 1, "the file is empty"),
        ("- a\n- b\n", 1, "the file holds no mapping"),
        ("a:\n\tb: 1\n", 2, "is no YAML"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins"),
    ],
)
def test_what_is_no_scenario_text_is_refused_with_its_line(text: str, line: int, part: str) -> None:
    (fault,) = refused(text)
    assert fault.startswith(f"t.yaml:{line}: ")
    assert part in fault


@pytest.mark.slow
def test_a_file_cannot_exhaust_the_machine() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for below, above in zip("abcdef", "bcdefg", strict=True):
        laughs += f"{above}: &{above} [{', '.join([f'*{below}'] * 10)}]\n"
    assert str(NODES_MAX) in refused(laughs)[0]
    assert "holds too much" in refused("a: " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1))[0]
    assert "holds too much" in refused("a: " + "[" * 3000)[0]
    assert "*a holds itself" in refused("a: &a [*a]\n")[0]


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"absent.yaml: cannot be read: No such file"):
        read_source(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(ScenarioError, match=r"latin.yaml:2: the text is not UTF-8"):
        read_source(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (1 << 20) + b"\na: 1")
    with pytest.raises(ScenarioError, match="too large"):
        read_source(tmp_path / "large.yaml")


def test_an_overlay_merges_mappings_replaces_lists_and_appends_on_request() -> None:
    base = parse_source("m: {a: 1, b: {c: 2}}\nl: [1, 2]\nk: [1]\n", "base.yaml")
    over = parse_source("m: {b: {d: 3}}\nl: [9]\nk+: [2]\n", "over.yaml")
    merged = overlay(base, over)
    assert merged.value() == {"m": {"a": 1, "b": {"c": 2, "d": 3}}, "l": [9], "k": [1, 2]}
    assert str(merged.place(("m", "b", "c"))) == "base.yaml:1"
    assert str(merged.place(("k", 0))) == "base.yaml:3"
    assert str(merged.place(("k", 1))) == "over.yaml:3"
    assert base.value()["k"] == [1]


def test_appending_to_what_is_no_list_is_refused() -> None:
    merged = overlay(parse("a: 1\n"), parse("\na+: [2]\n"))
    assert faults(merged)[0].startswith("t.yaml:2: a+ appends to something that is no list")


def test_an_override_replaces_one_value_and_is_its_place() -> None:
    source = parse("network: {latency_ms: [1, 2]}\nsteps: [{by: a}, {by: b}]\n")
    changed = apply_overrides(source, ["network.latency_ms=[50,80]", "steps.2.by=c", "new.key=x"])
    assert changed.value() == {
        "network": {"latency_ms": [50, 80]},
        "steps": [{"by": "a"}, {"by": "c"}],
        "new": {"key": "x"},
    }
    assert str(changed.place(("steps", 1, "by"))) == "--set steps.2.by=c"
    assert str(changed.key_place(("steps", 1, "by"))) == "--set steps.2.by=c"
    assert str(changed.key_place(("steps",))) == "t.yaml:2"
    assert source.value()["steps"] == [{"by": "a"}, {"by": "b"}]


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("network", "is no override; write it as path.to.key=value"),
        ("a..b=1", "is no override"),
        ("steps.3.by=x", "steps.3 does not exist; the list has items 1 to 2; lists count from 1"),
        ("steps.0.by=x", "steps.0 does not exist"),
        ("name.deeper=1", 'name is "n", nothing stands under it'),
        ("name=[1", "is no YAML"),
        ("name=0304", 'quote it: "0304"'),
    ],
)
def test_a_wrong_override_is_named_as_it_was_typed(override: str, part: str) -> None:
    changed = apply_overrides(parse("name: n\nsteps: [{by: a}, {by: b}]\n"), [override])
    (fault,) = faults(changed)
    assert fault.startswith(f"--set {override}: ")
    assert part in fault


_words = st.text(min_size=1, max_size=6).filter(str.isprintable)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), _words)
_trees = st.recursive(
    _scalars,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(_words, below, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(tree=st.dictionaries(st.sampled_from("abc"), _trees, min_size=1, max_size=3))
def test_json_is_yaml_that_reads_back_to_the_same_value(tree: dict[str, object]) -> None:
    assert parse(json.dumps(tree, ensure_ascii=False)).value() == tree


@given(text=st.text(alphabet="ab:-[]{}&*!'\"0123456789\n ,#", max_size=40))
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        value = parse(text).value()
    except ScenarioError:
        return
    json.dumps(value)
