"""The fault record: kinds, times, targets, and which world can do what."""

from __future__ import annotations

import random
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ledger.genesis import Role
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario
from scenarios.model.faults import (
    KINDS_BY_WORLD,
    VIRTUAL_KINDS,
    FaultRecord,
    PowerLoss,
)
from scenarios.model.linkfaults import Loss, Partition
from scenarios.model.predicates import parse_predicate
from scenarios.model.targets import Target, TargetKind, check_target, parse_target

READ = TypeAdapter[FaultRecord](FaultRecord)
ROLES = {name: (Role.CUSTOMS,) if name == "a" else (Role.IMPORTER,) for name in "abcdef"}
ORDERERS = tuple("abcde")
REGIONS = {"north": ("a", "b"), "south": ("f", "d")}
AT = '"at": {"protocol": "1s"}'
FOR = '"for": {"protocol": "1s"}'


def read(text: str) -> FaultRecord:
    return READ.validate_json(text)


def test_every_kind_is_read_with_its_own_params() -> None:
    start, span = '"at": {"protocol": "3s"}', '"for": {"protocol": "5s"}'
    loss = read(f'{{{start}, {span}, "kind": "loss", "target": "all", "params": {{"percent": 5}}}}')
    assert isinstance(loss, Loss)
    assert loss.params.percent == 5
    assert isinstance(read(f'{{{start}, "kind": "power_loss", "target": "all"}}'), PowerLoss)
    cut = read(
        f'{{{start}, {span}, "kind": "partition", "target": "all", "params": {{"groups": [["a"], ["b"]]}}}}'
    )
    assert isinstance(cut, Partition)
    assert cut.params.groups == (("a",), ("b",))


@pytest.mark.parametrize(
    ("record", "part"),
    [
        ('"kind": "crash", "target": "leader"', "has neither at nor when"),
        (
            'AT, "when": "leader elected", "kind": "crash", "target": "leader"',
            "has both at and when",
        ),
        (
            'AT, "after": {"protocol": "1s"}, "kind": "crash", "target": "leader"',
            "after goes with when",
        ),
        ('"at": {"protocol": "-1s"}, "kind": "crash", "target": "leader"', "negative time"),
        ('"at": {"protocol": -1}, "kind": "crash", "target": "leader"', "negative time"),
        ('"at": {}, "kind": "crash", "target": "leader"', "must name one clock"),
        ('"at": "3s", "kind": "crash", "target": "leader"', "names no clock"),
        (
            '"at": "3s", "kind": "crash", "target": "leader"',
            'write {protocol: 5s} or {calendar: "2018-10-01T10:00:00"}',
        ),
        (
            '"at": "2018-11-02T09:00:00", "kind": "crash", "target": "leader"',
            'write {calendar: "2018-11-02T09:00:00"}',
        ),
        ('AT, "kind": "crash", "target": "node"', 'name whose: "node cbp"'),
        ('AT, "for": "5s", "kind": "crash", "target": "leader"', "write {protocol: 5s} or {calendar: 30d}"),
        ('AT, "kind": "pause", "target": "leader"', "has no for"),
        ('AT, FOR, "kind": "restart", "target": "leader"', "remove for"),
        (
            'AT, "for": {"protocol": "0s"}, "kind": "crash", "target": "leader"',
            "longer than 0",
        ),
        ('AT, "kind": "explode", "target": "leader"', "explode"),
        ('AT, "kind": "crash", "target": "president"', 'unknown target "president"'),
        ('AT, "kind": "crash", "target": "role:chef"', 'unknown role "chef"'),
        ('AT, "kind": "crash", "target": "nodes a, a"', "names a node twice"),
        ('AT, "kind": "crash", "target": "cbp"', 'if this is an organization, write "node cbp"'),
        ('AT, FOR, "kind": "partition", "target": "all"', "cuts everybody from nobody"),
        (
            'AT, FOR, "kind": "partition", "target": "leader", "params": {"groups": [["a"], ["b"]]}',
            "groups go with target all",
        ),
        (
            'AT, FOR, "kind": "partition", "target": "all", "params": {"groups": [["a", "b"], ["b"]]}',
            "no partition",
        ),
        ('AT, FOR, "kind": "loss", "target": "all", "params": {"percent": 101}', "less than 100"),
        ('AT, FOR, "kind": "latency", "target": "all", "params": {"range_ms": [9, 3]}', "no range"),
        ('AT, FOR, "kind": "latency", "target": "all"', "params"),
        ('AT, FOR, "kind": "latency", "target": "all", "params": {}', "says no latency"),
        (
            'AT, FOR, "kind": "latency", "target": "all", "params": {"range_ms": [1, 2], "normal": '
            '{"mean_ms": 5, "deviation_ms": 1}}',
            "says range_ms and normal; one of range_ms, normal, lognormal, exponential, regions",
        ),
        (
            'AT, FOR, "kind": "latency", "target": "all", "params": {"lognormal": {"median_ms": 40, "p99_ms": 30}}',
            "longer than the median, 40.0 ms",
        ),
        (
            'AT, FOR, "kind": "latency", "target": "all", "params": {"exponential": {"least_ms": 4, "mean_ms": 4}}',
            "longer than the least, 4.0 ms",
        ),
        (
            'AT, FOR, "kind": "latency", "target": "all", "params": {"range_ms": [1, 2], "way": "up"}',
            "'both', 'outgoing' or 'incoming'",
        ),
        ('AT, FOR, "kind": "bandwidth", "target": "all", "params": {"bytes_per_s": 10}', "equal to 1000"),
        ('AT, FOR, "kind": "slow_reader", "target": "all", "params": {"bytes_per_s": -1}', "equal to 1000"),
        ('AT, FOR, "kind": "reset", "target": "all"', "remove for"),
        ('AT, FOR, "kind": "half_open", "target": "leader"', "remove for"),
        ('AT, "kind": "clog", "target": "leader"', "has no for"),
        ('AT, FOR, "kind": "bridge", "target": "all"', "leaves nobody to part"),
        (
            'AT, FOR, "kind": "bridge", "target": "node a", "params": {"groups": [["a", "b"], ["c"]]}',
            "a is the bridge and in a half",
        ),
        (
            'AT, FOR, "kind": "bridge", "target": "node a", "params": {"groups": [["b"], ["c"], ["d"]]}',
            "at most 2",
        ),
        ('AT, FOR, "kind": "ring", "target": "leader"', "4 nodes at least"),
        ('AT, FOR, "kind": "ring", "target": "nodes a, b, c"', "three on a ring see each other"),
        (
            'AT, FOR, "kind": "flapping", "target": "leader", "params": {"down_ms": [0, 5], "up_ms": [1, 2]}',
            "down_ms may be 0",
        ),
        (
            'AT, FOR, "kind": "burst_drop", "target": "leader", "params": {"percent": 5, "frames": 1}',
            "greater than or equal to 2",
        ),
        ('"when": "claim e1 filled", "kind": "crash", "target": "leader"', "is no predicate"),
        ('"when": "block 0 committed", "kind": "crash", "target": "leader"', "blocks count from 1"),
    ],
)
def test_an_impossible_fault_is_refused(record: str, part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(f"{{{record.replace('AT', AT).replace('FOR', FOR)}}}")
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "sentence",
    [
        "leader elected",
        "block 10 committed",
        "certificate c1 anchored",
        "certificate c1 delivered",
        "certificate c1 delivered to importer",
        "certificate c1 held by importer",
        "claim e1 filed",
        "claim e1 is UNDER_REVIEW",
    ],
)
def test_a_predicate_prints_as_it_is_written(sentence: str) -> None:
    assert str(parse_predicate(sentence)) == sentence


@pytest.mark.parametrize(
    "text", ["leader", "all", "minority", "node a", "nodes a, b", "role:customs", "region:south"]
)
def test_a_target_prints_as_it_is_written(text: str) -> None:
    assert str(parse_target(text)) == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("node z", 'unknown organization "z"'),
        ("nodes a, z", 'unknown organization "z"'),
        ("role:chamber", "nobody is chamber"),
        ("region:sooth", 'unknown region "sooth"'),
    ],
)
def test_a_target_nobody_fits_is_refused(text: str, part: str) -> None:
    refusal = check_target(parse_target(text), ROLES, ORDERERS, REGIONS)
    assert isinstance(refusal, RefusedError)
    assert part in str(refusal)


def test_a_minority_and_a_follower_need_company() -> None:
    assert check_target(parse_target("minority"), ROLES, ("a", "b"), {}) is not None
    assert check_target(parse_target("follower"), ROLES, ("a",), {}) is not None
    for text in (
        "minority",
        "majority",
        "follower",
        "leader",
        "all",
        "role:importer",
        "node f",
        "region:south",
    ):
        assert check_target(parse_target(text), ROLES, ORDERERS, REGIONS) is None


@given(
    kind=st.sampled_from(
        ["leader", "follower", "minority", "majority", "role:importer", "all", "nodes f, b", "region:south"]
    ),
    seed=st.integers(),
)
def test_who_is_hit_fits_the_target_and_follows_from_the_seed(kind: str, seed: int) -> None:
    target = parse_target(kind)
    hit = target.choose(ROLES, ORDERERS, "c", random.Random(seed), REGIONS)
    assert hit == target.choose(ROLES, ORDERERS, "c", random.Random(seed), REGIONS)
    assert list(hit) == sorted(set(hit))
    sizes = {"minority": 2, "majority": 3, "all": 6, "nodes f, b": 2, "region:south": 2}
    assert len(hit) == sizes.get(kind, 1)
    match kind:
        case "leader":
            assert hit == ("c",)
        case "follower":
            assert hit[0] in "abde"
        case "minority" | "majority":
            assert set(hit) <= set(ORDERERS)
        case "region:south":
            assert hit == ("d", "f")
        case "role:importer":
            assert hit[0] in "bcdef"


def test_nobody_is_hit_while_nobody_leads() -> None:
    assert Target(TargetKind.LEADER).choose(ROLES, ORDERERS, None, random.Random(1), {}) == ()


def test_a_kind_the_world_cannot_do_is_told_with_its_line() -> None:
    scenario = load_scenario("nafta-certificate-power-loss")
    assert not scenario.unsupported_in("virtual")
    fault = scenario.unsupported_in("live")[0]
    assert re.fullmatch(
        r"library/nafta-certificate-power-loss\.yaml:\d+: faults\.1\.kind: the live world cannot do power_loss; the"
        r" operating system keeps what a process has written, synced or not; run it in the virtual world",
        str(fault),
    )
    assert not load_scenario("nafta-certificate-bad-disks").unsupported_in("live")
    assert not load_scenario("nafta-certificate-loss").unsupported_in("live")
    assert not load_scenario("nafta-certificate-leader-crash").unsupported_in("live")


def test_the_kinds_of_the_worlds_are_kinds_of_the_record() -> None:
    kinds = {
        get_args(fault.model_fields["kind"].annotation)[0] for fault in get_args(get_args(FaultRecord)[0])
    }
    assert kinds == set(VIRTUAL_KINDS)
    assert all(kinds >= set(able) for able in KINDS_BY_WORLD.values())
