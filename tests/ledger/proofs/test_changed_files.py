"""Whatever is changed in a possession file, it is refused or proves the very same."""

from __future__ import annotations

import copy
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codes import Code
from ledger.encoding import encode
from ledger.errors import MalformedError, NotProvenError
from ledger.keys import Verifier
from ledger.proofs import FORMAT, PROOF_BYTES_MAX, decode_proof, verify_possession
from tests.ledger.proofs.conftest import Trade

VERIFIER = Verifier()


@pytest.fixture(scope="module")
def written(founders):
    """A file of a network whose roster changed twice, its genesis hash, and what it proves."""
    trade = Trade(founders.genesis)
    anchored = trade.anchor()
    trade.deliver()
    body = trade.joining("dhl")
    assert trade.act("cbp", "member.add", body, ("acme", "globex")).code is Code.VALID
    held = trade.acknowledge()
    rotation, trade.keys["globex"] = trade.rotating("globex", 2)
    assert (
        trade.act("globex", "key.rotate", rotation, key=trade.signing("globex/organization")).code
        is Code.VALID
    )
    claimed = trade.claim()
    data = trade.file(anchored, held, claimed).encode()
    return data, trade.genesis.hash, said(data, trade.genesis.hash)


def said(data, genesis_hash):
    """What a file proves, but for how many of the orderers' signatures it shows of those that are enough."""
    possession = verify_possession(decode_proof(data), genesis_hash, VERIFIER)
    return replace(possession, ledger=replace(possession.ledger, signers=()))


def outcome(data, written) -> str:
    """`refused`, `malformed` or `same`; anything else fails."""
    try:
        assert said(data, written[1]) == written[2]
    except MalformedError:
        return "malformed"
    except NotProvenError:
        return "refused"
    return "same"


def places(value, path=()):
    """Every value inside a value, with its path."""
    yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from places(item, (*path, i))


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def changes(value):
    """Values near a value, and such as break it."""
    yield None if value is not None else True
    if isinstance(value, bytes):
        for place in {0, len(value) // 3, len(value) // 2, len(value) - 1} if value else ():
            yield flipped(value, place)
        yield from (value[:-1], value + b"\0", b"", bytes(len(value)))
    elif isinstance(value, str):
        middle = len(value) // 2
        yield from (value[:-1], f"{value}x", "", f"{value[:middle]}~{value[middle + 1 :]}")
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -1, 0, 2**63 - 1, 2**63, 2**64 - 1)
    elif isinstance(value, list):
        yield from ([], value[1:], value[:-1], [*value, *value[:1]], value[::-1])
    elif isinstance(value, dict):
        yield {**value, "more": 1}
        for name in value:
            yield {one: item for one, item in value.items() if one != name}


def with_changed(root, path, changed):
    if not path:
        return changed
    made = copy.copy(root)
    made[path[-1] if len(path) == 1 else path[0]] = with_changed(root[path[0]], path[1:], changed)
    return made


def test_every_field_changed_in_many_ways_is_refused_or_proves_the_same(written) -> None:
    root = msgpack.unpackb(written[0])
    counts: dict[str, int] = {"refused": 0, "malformed": 0, "same": 0}
    same: list[tuple[object, ...]] = []
    for path, value in places(root):
        for changed in changes(value):
            if changed != value:
                result = outcome(encode_any(with_changed(root, path, changed)), written)
                counts[result] += 1
                if result == "same":
                    same.append(path)
    assert counts["refused"] > 200
    assert counts["malformed"] > 200
    # A signed note says that signatures by unknown keys are passed over: those alone may be changed to no effect.
    assert {path[-1] for path in same} <= {"checkpoint", "certificate"}


def encode_any(value) -> bytes:
    """Canonical bytes, also of what no canonical encoder would write."""
    return msgpack.packb(in_order(value), use_bin_type=True)


def in_order(value):
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_a_bit_flipped_in_any_seventh_byte_is_refused_or_proves_the_same(written) -> None:
    whole = written[0]
    same = 0
    flips = range(0, len(whole), 7)
    for place in flips:
        changed = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        same += outcome(changed, written) == "same"
    assert same < len(flips) / 4


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_bytes_changed_anywhere_are_refused_or_prove_the_same(written, data) -> None:
    whole = written[0]
    place = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.integers(0, 4))
    put = data.draw(st.binary(max_size=4))
    changed = whole[:place] + put + whole[place + length :]
    assert changed == whole or outcome(changed, written) in {"refused", "malformed", "same"}


@settings(max_examples=60, deadline=None)
@given(junk=st.binary(max_size=200))
def test_junk_is_no_possession_file(junk) -> None:
    with pytest.raises(MalformedError):
        decode_proof(junk)
    with pytest.raises(MalformedError):
        decode_proof(encode({"format": FORMAT, "genesis": junk}))


def test_a_file_reads_back_as_itself(written) -> None:
    assert decode_proof(written[0]).encode() == written[0]


def test_a_field_that_stands_twice_is_refused(written) -> None:
    whole = written[0]
    assert whole[0] & 0xF0 == 0x80  # a map of few fields
    doubled = bytes([whole[0] + 1]) + encode("acknowledgement") + encode(None) + whole[1:]
    with pytest.raises(MalformedError, match="not the canonical form"):
        decode_proof(doubled)


def test_numbers_in_longer_forms_than_need_be_are_refused(written) -> None:
    whole = written[0]
    at = whole.index(encode("index")) + len(encode("index"))
    assert whole[at] < 0x80
    for head in (b"\xcc", b"\xcd\0", b"\xcf" + bytes(7)):
        with pytest.raises(MalformedError, match="not the canonical form"):
            decode_proof(whole[:at] + head + whole[at:])


def test_an_index_beyond_the_log_s_numbers_is_malformed(written) -> None:
    root = msgpack.unpackb(written[0])
    root["anchor"]["receipt"]["index"] = 2**63
    with pytest.raises(MalformedError, match=r"index: 9223372036854775808 is outside"):
        decode_proof(encode_any(root))


def test_a_file_over_the_limit_is_not_looked_at() -> None:
    with pytest.raises(MalformedError, match=f"over the limit of {PROOF_BYTES_MAX} bytes"):
        decode_proof(bytes(PROOF_BYTES_MAX + 1))


def test_another_version_is_named(written) -> None:
    root = msgpack.unpackb(written[0])
    root["format"] = FORMAT[:-1] + "2"
    with pytest.raises(
        MalformedError, match="expected one of seatrial/possession-file/v1, got 'seatrial/poss"
    ):
        decode_proof(encode_any(root))


def test_a_record_too_many_is_named(written) -> None:
    root = msgpack.unpackb(written[0])
    root["records"]["more"] = root["records"]["filed"]
    with pytest.raises(MalformedError, match="unknown field more"):
        decode_proof(encode_any(root))


def test_an_acknowledgement_may_be_null_but_not_left_out(written) -> None:
    root = msgpack.unpackb(written[0])
    assert decode_proof(encode_any({**root, "acknowledgement": None})).acknowledgement is None
    del root["acknowledgement"]
    with pytest.raises(MalformedError, match="acknowledgement: missing"):
        decode_proof(encode_any(root))
