"""Genesis: a network that cannot work is never founded, and the error says what to change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ledger.encoding import decode, encode
from ledger.errors import GenesisError, UnknownOrganizationError
from ledger.genesis import Genesis, Limits, Role, quorum


def test_genesis_comes_back_from_its_bytes(founders) -> None:
    genesis = replace(
        founders.genesis,
        zone="America/New_York",
        zone_offsets=((0, -300), (1_540_000_000_000, -240)),
        holidays=("2018-09-03", "2018-10-08"),
        limits=Limits(transaction_bytes_max=2048),
    )
    again = Genesis.decode(genesis.encode())
    assert again == genesis
    assert (again.hash, again.network) == (genesis.hash, genesis.network)


def test_the_network_is_named_after_the_hash_and_every_field_counts(founders) -> None:
    genesis = founders.genesis
    assert re.fullmatch(r"pilot-[0-9a-f]{16}", genesis.network)
    assert genesis.network.endswith(genesis.hash.hex()[:16])
    assert genesis.origin == f"ledger.invalid/{genesis.network}"
    variants = [
        replace(genesis, time_ms=genesis.time_ms + 1),
        replace(genesis, organizations=genesis.organizations[::-1]),
        replace(genesis, orderers=genesis.orderers[::-1]),
        replace(genesis, orderer_liars_tolerated=1),
        replace(genesis, limits=Limits(block_transactions_max=499)),
        replace(genesis, block_time_tolerance_ms=1),
        replace(genesis, zone="Europe/Madrid"),
        replace(genesis, zone_offsets=((0, 60),)),
        replace(genesis, holidays=("2018-09-03",)),
        replace(genesis, insecure_keys=False),
    ]
    assert len({variant.hash for variant in (genesis, *variants)}) == len(variants) + 1


def test_members_are_found_by_id_position_and_role(founders) -> None:
    genesis = founders.genesis
    assert genesis.organization("acme").name == "ACME"
    assert [genesis.raft_id(organization.id) for organization in genesis.organizations] == [1, 2, 3, 4, 5]
    assert [organization.id for organization in genesis.with_role(Role.EXPORTER)] == ["acme"]
    assert genesis.with_role(Role.BROKER) == ()
    assert genesis.find("nobody") is None
    assert genesis.find("cbp") is genesis.organizations[0]
    for ask in (genesis.organization, genesis.raft_id):
        with pytest.raises(UnknownOrganizationError, match="'nobody' is not in genesis; it lists cbp, acme"):
            ask("nobody")


@pytest.mark.parametrize(
    ("n", "f", "k"), [(1, 0, 1), (3, 0, 2), (4, 0, 3), (5, 0, 3), (5, 1, 4), (5, 3, 5), (7, 2, 5)]
)
def test_the_quorum_is_half_of_orderers_and_liars_and_one(n: int, f: int, k: int) -> None:
    assert quorum(n, f) == k


@pytest.mark.parametrize("f", [0, 1, 2, 3, 4])
def test_two_certificates_overlap_in_more_than_the_liars(f: int, founders) -> None:
    genesis = replace(founders.genesis, orderer_liars_tolerated=f)
    assert 2 * genesis.quorum - len(genesis.orderers) > f


def test_orderers_may_be_any_of_the_members(founders) -> None:
    assert replace(founders.genesis, orderers=("globex", "cbp", "noaa")).quorum == 2


def _organization(genesis: Genesis, position: int, **changes: object) -> Genesis:
    changed = replace(genesis.organizations[position], **changes)
    return replace(
        genesis,
        organizations=(*genesis.organizations[:position], changed, *genesis.organizations[position + 1 :]),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Pilot"}, r"genesis\.name: 'Pilot' is no network name; use 1 to 40 of a-z, 0-9 and hyphen"),
        ({"name": ""}, r"genesis\.name: ''"),
        ({"name": "a\n"}, r"genesis\.name"),
        ({"name": "a" * 41}, r"genesis\.name"),
        ({"name": "-a"}, r"genesis\.name"),
        ({"time_ms": -1}, r"genesis\.time_ms: -1 is outside 0 \.\. 253402300799999"),
        ({"time_ms": 1.5}, r"genesis\.time_ms: 1\.5 is outside .*; choose an integer within"),
        ({"organizations": ()}, r"genesis\.organizations: has 0 members; list 1 to 256"),
        ({"orderers": ()}, r"genesis\.orderers: has 0 orderers; list 1 to 15"),
        ({"orderers": ("cbp", "cbp")}, r"genesis\.orderers: 'cbp' appears twice; list each orderer once"),
        (
            {"orderers": ("cbp", "dhl")},
            r"genesis\.orderers: 'dhl' is no organization; choose among cbp, acme",
        ),
        ({"orderer_liars_tolerated": -1}, r"genesis\.orderer_liars_tolerated: -1 is outside 0 \.\. 15"),
        (
            {"orderer_liars_tolerated": 5},
            r"orderer_liars_tolerated: 5 liars among 5 orderers would need k = 6 .* of 5; tolerate fewer",
        ),
        ({"block_time_tolerance_ms": 0}, r"genesis\.block_time_tolerance_ms: 0 is outside 1 \.\. 86400000"),
        ({"zone": ""}, r"genesis\.zone: '' is not 1 to 64 printable characters"),
        ({"zone_offsets": ()}, r"genesis\.zone_offsets: has 0 entries; .* or \(\(0, 0\),\) for UTC"),
        ({"zone_offsets": ((0, 841),)}, r"zone_offsets\[0\]\.offset_minutes: 841 is outside -840 \.\. 840"),
        ({"zone_offsets": ((5, 0), (5, 60))}, r"zone_offsets\[1\]: 5 does not come after 5; sort, each once"),
        (
            {"zone_offsets": ((1_600_000_000_000, 0),)},
            r"zone_offsets: begins at 1600000000000 ms, after time_ms",
        ),
        ({"holidays": ("2018-02-30",)}, r"holidays\[0\]: '2018-02-30' is no date; write it like 2018-09-03"),
        ({"holidays": ("20180903",)}, r"holidays\[0\]: '20180903' is no date"),
        (
            {"holidays": ("2018-10-08", "2018-09-03")},
            r"holidays\[1\]: '2018-09-03' does not come after",
        ),
        ({"holidays": ("2018-10-08", "2018-10-08")}, r"holidays\[1\]"),
        ({"insecure_keys": 1}, r"insecure_keys: 1 is neither true nor false"),
        (
            {"limits": Limits(transaction_bytes_max=0)},
            r"limits\.transaction_bytes_max: 0 is outside 1024 \.\. 1048576",
        ),
        (
            {"limits": Limits(block_transactions_max=0)},
            r"limits\.block_transactions_max: 0 is outside 1 \.\. 100000",
        ),
        ({"limits": Limits(valid_for_ms_max=0)}, r"limits\.valid_for_ms_max: 0 is outside"),
        ({"limits": Limits(outbox_bytes_max=0)}, r"limits\.outbox_bytes_max: 0 is outside 4096 \.\. "),
        ({"limits": Limits(inbox_bytes_max=4095)}, r"limits\.inbox_bytes_max: 4095 is outside"),
        (
            {"limits": Limits(inbox_bytes_max=131071)},
            r"inbox_bytes_max: 131071 has no room for two envelopes of 65536 bytes; raise it or lower",
        ),
        ({"limits": Limits(envelope_bytes_max=0)}, r"limits\.envelope_bytes_max: 0 is outside"),
        ({"limits": Limits(pool_transactions_max=0)}, r"limits\.pool_transactions_max: 0 is outside"),
        (
            {"limits": Limits(transaction_bytes_max=8192, block_bytes_max=8192)},
            r"limits\.block_bytes_max: 8192 has no room for transactions of 8192 bytes.*raise it or lower",
        ),
    ],
)
def test_a_field_that_does_not_hold_is_named(change: dict[str, object], message: str, founders) -> None:
    with pytest.raises(GenesisError, match=message):
        replace(founders.genesis, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"id": "Acme"},
            r"organizations\[1\]\.id: 'Acme' is no organization id; use 1 to 40 of a-z, 0-9 and hyphen",
        ),
        ({"id": "cbp"}, r"organizations: 'cbp' appears twice; give each its own id"),
        ({"name": ""}, r"organizations\[1\]\.name: '' is not 1 to 120 printable characters"),
        ({"name": "Acme\u202e"}, r"organizations\[1\]\.name"),
        ({"name": "Jose\u0301"}, r"organizations\[1\]\.name: text .* is not in normalization form C"),
        ({"country": "USA"}, r"organizations\[1\]\.country: 'USA' is no two-letter code such as US"),
        ({"roles": ()}, r"organizations\[1\]\.roles: 'acme' has no role; give it at least one"),
        ({"roles": (Role.EXPORTER, Role.EXPORTER)}, r"organizations\[1\]\.roles: 'exporter' appears twice"),
        ({"key": b"short"}, r"organizations\[1\]\.key: has 5 bytes; a public key has 32"),
        ({"node_key": b""}, r"organizations\[1\]\.node_key: has 0 bytes"),
        ({"box_key": bytes(33)}, r"organizations\[1\]\.box_key: has 33 bytes"),
        ({"box_key": bytes(32)}, r"organizations\[1\]\.box_key: is no X25519 key of prime order"),
        ({"box_key": (2).to_bytes(32, "little")}, r"organizations\[1\]\.box_key: is no X25519 key"),
    ],
)
def test_an_organization_that_does_not_hold_is_named(
    change: dict[str, object], message: str, founders
) -> None:
    with pytest.raises(GenesisError, match=message):
        _organization(founders.genesis, 1, **change)


def test_no_key_serves_twice(founders) -> None:
    genesis = founders.genesis
    cbp, acme = genesis.organizations[:2]
    for change in ({"key": cbp.key}, {"key": cbp.node_key}, {"node_key": acme.key}, {"box_key": cbp.box_key}):
        with pytest.raises(GenesisError, match="appears twice; make every organization"):
            _organization(genesis, 1, **change)


def test_somebody_must_be_customs(founders) -> None:
    with pytest.raises(GenesisError, match="none has the role customs; give it to at least one"):
        _organization(founders.genesis, 0, roles=(Role.OBSERVER,))


def test_node_keys_that_signed_notes_cannot_tell_apart_are_refused(founders, monkeypatch) -> None:
    monkeypatch.setattr("ledger.genesis.note_key_id", lambda _name, _public: b"same")
    with pytest.raises(GenesisError, match="share a note key id; make a new node_key"):
        replace(founders.genesis, time_ms=0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fields: fields.update(version=1),
        lambda fields: fields.update(extra=1),
        lambda fields: fields.pop("zone"),
        lambda fields: fields.update(orderers="cbp"),
        lambda fields: fields["limits"].update(extra=1),
        lambda fields: fields["limits"].pop("block_bytes_max"),
        lambda fields: fields["organizations"][0].update(extra=1),
        lambda fields: fields["organizations"][0].update(roles=["king"]),
        lambda fields: fields.update(zone_offsets=[[0]]),
        lambda fields: fields.update(zone_offsets=[[0, 0, 0]]),
        lambda fields: fields.update(zone_offsets=[["0", 0]]),
        lambda fields: fields.update(zone_offsets=[[False, 0]]),
        lambda fields: fields.update(orderer_liars_tolerated=9),
    ],
)
def test_bytes_that_are_no_genesis_are_refused(spoil, founders) -> None:
    fields = decode(founders.genesis.encode(), limit_bytes=1 << 20)
    spoil(fields)
    with pytest.raises(GenesisError):
        Genesis.decode(encode(fields))


def test_rubbish_is_no_genesis() -> None:
    with pytest.raises(GenesisError, match="these bytes are no genesis"):
        Genesis.decode(b"\xc1")
