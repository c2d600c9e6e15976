"""Frames: every kind survives the wire, and what is no frame is refused by name."""

import contextlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2p import frames
from p2p.errors import FrameError
from p2p.framecodec import decode_frame, encode_frame, with_checksum
from p2p.frames import kind_of

SAMPLES = [
    frames.RaftFrame([[1, 2, 3, b"x", []]]),
    frames.CheckpointFrame(7, "text\n", b"s" * 64),
    frames.CertificateFrame("note\n"),
    frames.TransactionsFrame([b"one", b"two"]),
    frames.HaveFrame(5, 4, [b"12345678"]),
    frames.WantFrame([b"12345678", b"abcdefgh"]),
    frames.EnvelopeFrame(b"r" * 32, b"sealed"),
    frames.EnvelopeStoredFrame(b"r" * 32, b"d" * 32),
    frames.AliveFrame(),
    frames.ReadFrame(b"i" * 16),
    frames.ReadAnswerFrame(b"i" * 16, refused=False, index=7),
    frames.BlocksWantFrame(7, 100),
    frames.BlocksFrame(7, [b"block", b"another"], "note\n"),
    frames.SnapshotWantFrame(),
    frames.SnapshotFrame(b"snapshot"),
    frames.StateWantFrame(b"r" * 32, [b"", b"\x01\x0f"]),
    frames.StatePartFrame(b"r" * 32, b"\x01", b"chunk"),
    frames.LogWantFrame(9, 3, 9),
    frames.LogPartFrame(9, 3, 9, [b"leaf", b"another"]),
    frames.LineageFrame([(b"block", "note\n", [b"p" * 32])]),
]


@pytest.mark.parametrize("frame", SAMPLES, ids=lambda f: kind_of(f).name)
def test_every_kind_survives_the_wire(frame):
    assert decode_frame(encode_frame(frame)) == frame


def test_every_kind_has_a_sample():
    assert [kind_of(frame) for frame in SAMPLES] == list(frames.FrameKind)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([99], "kind 99 is unknown"),
        ([], "begins with its kind"),
        ("text", "begins with its kind"),
        ([2, -1, "t", b"s" * 64], "CHECKPOINT.height"),
        ([2, 1, "t", b"short"], "64 bytes"),
        ([4, "no list"], "TRANSACTIONS"),
        ([4, [1]], "TRANSACTIONS"),
        ([5, 1, 1, [b"123"]], "8 bytes"),
        ([7, b"r" * 31, b""], "32 bytes"),
        ([9, 1], "1 fields, expected 0"),
        ([1, [1]], "each message is a list"),
        ([13, 1, [1], ""], "BLOCKS.blocks"),
        ([16, b"r" * 32, [b""] * 17], "at most 16"),
        ([17, b"r" * 32, b"", "chunk"], "STATE_PART.chunk"),
        ([18, 1, -1, 0], "LOG_WANT.index"),
        ([19, 1, 1, 0, [b""] * 1025], "at most 1024"),
        ([20, [[b"block", "note"]]], r"LINEAGE: expected \[block"),
        ([20, [[b"block", "note", [b"short"]]]], "LINEAGE.path"),
        ([20, [[]] * 17], "at most 16"),
    ],
)
def test_rubbish_is_refused_by_name(value, reason):
    with pytest.raises(FrameError, match=reason):
        decode_frame(with_checksum(msgpack.packb(value)))


def test_lists_have_limits():
    with pytest.raises(FrameError, match="at most 1024"):
        decode_frame(with_checksum(msgpack.packb([4, [b""] * (frames.TRANSACTIONS_MAX + 1)])))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_frame_error(data):
    with contextlib.suppress(FrameError):
        decode_frame(with_checksum(data))


@pytest.mark.parametrize("frame", SAMPLES, ids=lambda f: kind_of(f).name)
def test_a_frame_with_any_byte_changed_is_no_frame(frame):
    data = encode_frame(frame)
    for place in range(len(data)):
        for change in (1, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= change
            with pytest.raises(FrameError, match="changed on their way"):
                decode_frame(bytes(changed))


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=199))
def test_a_frame_cut_short_is_no_frame(data, length):
    with pytest.raises(FrameError):
        decode_frame(with_checksum(data)[:length])
