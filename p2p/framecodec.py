"""Frames as bytes: the wire format between peers.

Rules:
- A frame is four bytes of CRC-32 over what follows, big-endian, then msgpack `[kind, body...]`; `kind` says how many
  fields follow and of which types.
- A frame that was changed on its way is no frame: it ends the link, as a bad record ends TLS, and whatever was under
  way is sent again over the next one. The checksum is against chance, not against a peer.
- Nothing is read from a frame before its shape is checked; what does not fit raises `FrameError` and ends the link.
- The same short bytes, as of one heartbeat after another, are decoded once, and give the same frame again: nobody
  changes one.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence

import msgpack

from p2p.errors import FrameError
from p2p.frames import (
    BLOCKS_MAX,
    CHECKPOINT_TEXT_MAX,
    IDS_MAX,
    KIND_OF,
    LINKS_MAX,
    LOG_PIECES_MAX,
    NOTE_MAX,
    PATH_MAX,
    PLACES_MAX,
    RAFT_MESSAGES_MAX,
    READ_ID_BYTES,
    SHORT_ID_BYTES,
    TRANSACTIONS_MAX,
    AliveFrame,
    BlocksFrame,
    BlocksWantFrame,
    CertificateFrame,
    CheckpointFrame,
    EnvelopeFrame,
    EnvelopeStoredFrame,
    Frame,
    FrameKind,
    HaveFrame,
    LineageFrame,
    LogPartFrame,
    LogWantFrame,
    RaftFrame,
    ReadAnswerFrame,
    ReadFrame,
    SnapshotFrame,
    SnapshotWantFrame,
    StatePartFrame,
    StateWantFrame,
    TransactionsFrame,
    WantFrame,
)

CHECKSUM_BYTES = 4
SHORT_BYTES_MAX = 64
"""Up to this size a frame is remembered as it was decoded: heartbeats, their answers, signs of life."""
SHORT_FRAMES_MAX = 256

_pack = msgpack.Packer(use_bin_type=True, autoreset=True).pack

_LAYOUTS = {cls: (int(kind), tuple(cls.__dataclass_fields__)) for cls, kind in KIND_OF.items()}
"""The number and the fields' names of each kind of frame, in the wire's order."""


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of `frame`."""
    kind, names = _LAYOUTS[type(frame)]
    return with_checksum(_pack([kind, *[getattr(frame, name) for name in names]]))


def with_checksum(packed: bytes) -> bytes:
    """Return the frame of packed fields: the checksum over them, then they."""
    return zlib.crc32(packed).to_bytes(CHECKSUM_BYTES, "big") + packed


def decode_frame(data: bytes) -> Frame:
    """Return the frame in `data`.

    Raises:
        FrameError: if the bytes are not a frame; the message names field, value and limit.
    """
    return _decode_short(data) if len(data) <= SHORT_BYTES_MAX else _decode(data)


def _decode(data: bytes) -> Frame:
    packed = memoryview(data)[CHECKSUM_BYTES:]
    if zlib.crc32(packed) != int.from_bytes(data[:CHECKSUM_BYTES], "big"):
        raise FrameError(f"{len(data)} bytes do not have the checksum they begin with: changed on their way")
    try:
        value = msgpack.unpackb(
            packed, raw=False, strict_map_key=True, max_ext_len=0, max_map_len=0, max_array_len=IDS_MAX * 4
        )
    except (ValueError, msgpack.UnpackException, msgpack.ExtraData) as error:
        raise FrameError(f"not msgpack: {type(error).__name__}: {error}") from error
    if not isinstance(value, list) or not value or not isinstance(value[0], int):
        raise FrameError("a frame is a list that begins with its kind")
    reader = _READERS.get(value[0])
    if reader is None:
        raise FrameError(f"kind {value[0]} is unknown; kinds are 1 to {max(FrameKind)}")
    return reader(value[1:])


_decode_short = functools.lru_cache(maxsize=SHORT_FRAMES_MAX)(_decode)


def _fields(body: list[object], count: int, kind: FrameKind) -> list[object]:
    if len(body) != count:
        raise FrameError(f"{kind.name}: {len(body)} fields, expected {count}")
    return body


def _integer(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FrameError(f"{where}: {value!r} is not a whole number of 0 or more")
    return value


def _raw(value: object, where: str, size: int | None = None) -> bytes:
    if not isinstance(value, bytes) or (size is not None and len(value) != size):
        raise FrameError(f"{where}: expected {'bytes' if size is None else f'{size} bytes'}")
    return value


def _text(value: object, where: str, length_max: int) -> str:
    if not isinstance(value, str) or len(value) > length_max:
        raise FrameError(f"{where}: expected text of at most {length_max} characters")
    return value


def _raw_items(value: object, where: str, items_max: int, size: int | None = None) -> list[bytes]:
    if not isinstance(value, list) or len(value) > items_max:
        raise FrameError(f"{where}: expected a list of at most {items_max}")
    return [_raw(item, where, size) for item in value]


def _read_raft(body: list[object]) -> Frame:
    (messages,) = _fields(body, 1, FrameKind.RAFT)
    if not isinstance(messages, list) or len(messages) > RAFT_MESSAGES_MAX:
        raise FrameError(f"RAFT.messages: expected a list of at most {RAFT_MESSAGES_MAX}")
    for message in messages:
        if not isinstance(message, list):
            raise FrameError("RAFT.messages: each message is a list of fields")
    return RaftFrame(messages)


def _read_checkpoint(body: list[object]) -> Frame:
    height, text, signature = _fields(body, 3, FrameKind.CHECKPOINT)
    return CheckpointFrame(
        _integer(height, "CHECKPOINT.height"),
        _text(text, "CHECKPOINT.text", CHECKPOINT_TEXT_MAX),
        _raw(signature, "CHECKPOINT.signature", 64),
    )


def _read_certificate(body: list[object]) -> Frame:
    (note,) = _fields(body, 1, FrameKind.CERTIFICATE)
    return CertificateFrame(_text(note, "CERTIFICATE.note", NOTE_MAX))


def _read_transactions(body: list[object]) -> Frame:
    (items,) = _fields(body, 1, FrameKind.TRANSACTIONS)
    return TransactionsFrame(_raw_items(items, "TRANSACTIONS", TRANSACTIONS_MAX))


def _read_have(body: list[object]) -> Frame:
    executed, certified, ids = _fields(body, 3, FrameKind.HAVE)
    return HaveFrame(
        _integer(executed, "HAVE.executed"),
        _integer(certified, "HAVE.certified"),
        _raw_items(ids, "HAVE.short_ids", IDS_MAX, SHORT_ID_BYTES),
    )


def _read_want(body: list[object]) -> Frame:
    (ids,) = _fields(body, 1, FrameKind.WANT)
    return WantFrame(_raw_items(ids, "WANT.short_ids", IDS_MAX, SHORT_ID_BYTES))


def _read_envelope(body: list[object]) -> Frame:
    root, envelope = _fields(body, 2, FrameKind.ENVELOPE)
    return EnvelopeFrame(_raw(root, "ENVELOPE.root", 32), _raw(envelope, "ENVELOPE.envelope"))


def _read_envelope_stored(body: list[object]) -> Frame:
    root, digest = _fields(body, 2, FrameKind.ENVELOPE_STORED)
    return EnvelopeStoredFrame(
        _raw(root, "ENVELOPE_STORED.root", 32), _raw(digest, "ENVELOPE_STORED.digest", 32)
    )


def _read_alive(body: list[object]) -> Frame:
    _fields(body, 0, FrameKind.ALIVE)
    return AliveFrame()


def _read_read(body: list[object]) -> Frame:
    (read_id,) = _fields(body, 1, FrameKind.READ)
    return ReadFrame(_raw(read_id, "READ.id", READ_ID_BYTES))


def _read_read_answer(body: list[object]) -> Frame:
    read_id, refused, index = _fields(body, 3, FrameKind.READ_ANSWER)
    if not isinstance(refused, bool):
        raise FrameError("READ_ANSWER.refused: expected true or false")
    return ReadAnswerFrame(
        _raw(read_id, "READ_ANSWER.id", READ_ID_BYTES), refused, _integer(index, "READ_ANSWER.index")
    )


def _read_blocks_want(body: list[object]) -> Frame:
    first, count = _fields(body, 2, FrameKind.BLOCKS_WANT)
    return BlocksWantFrame(_integer(first, "BLOCKS_WANT.first"), _integer(count, "BLOCKS_WANT.count"))


def _read_blocks(body: list[object]) -> Frame:
    first, blocks, note = _fields(body, 3, FrameKind.BLOCKS)
    return BlocksFrame(
        _integer(first, "BLOCKS.first"),
        _raw_items(blocks, "BLOCKS.blocks", BLOCKS_MAX),
        _text(note, "BLOCKS.note", NOTE_MAX),
    )


def _read_lineage(body: list[object]) -> Frame:
    (items,) = _fields(body, 1, FrameKind.LINEAGE)
    if not isinstance(items, list) or len(items) > LINKS_MAX:
        raise FrameError(f"LINEAGE: expected a list of at most {LINKS_MAX}")
    links: list[tuple[bytes, str, Sequence[bytes]]] = []
    for item in items:
        if not isinstance(item, list) or len(item) != 3:
            raise FrameError("LINEAGE: expected [block, certificate, path]")
        block, note, path = item
        links.append(
            (
                _raw(block, "LINEAGE.block"),
                _text(note, "LINEAGE.certificate", NOTE_MAX),
                _raw_items(path, "LINEAGE.path", PATH_MAX, 32),
            )
        )
    return LineageFrame(links)


def _read_snapshot_want(body: list[object]) -> Frame:
    _fields(body, 0, FrameKind.SNAPSHOT_WANT)
    return SnapshotWantFrame()


def _read_snapshot(body: list[object]) -> Frame:
    (data,) = _fields(body, 1, FrameKind.SNAPSHOT)
    return SnapshotFrame(_raw(data, "SNAPSHOT.data"))


def _read_state_want(body: list[object]) -> Frame:
    root, places = _fields(body, 2, FrameKind.STATE_WANT)
    return StateWantFrame(
        _raw(root, "STATE_WANT.root", 32), _raw_items(places, "STATE_WANT.places", PLACES_MAX)
    )


def _read_state_part(body: list[object]) -> Frame:
    root, place, chunk = _fields(body, 3, FrameKind.STATE_PART)
    return StatePartFrame(
        _raw(root, "STATE_PART.root", 32),
        _raw(place, "STATE_PART.place"),
        _raw(chunk, "STATE_PART.chunk"),
    )


def _read_log_want(body: list[object]) -> Frame:
    level, index, down = _fields(body, 3, FrameKind.LOG_WANT)
    return LogWantFrame(
        _integer(level, "LOG_WANT.level"),
        _integer(index, "LOG_WANT.index"),
        _integer(down, "LOG_WANT.down"),
    )


def _read_log_part(body: list[object]) -> Frame:
    level, index, down, pieces = _fields(body, 4, FrameKind.LOG_PART)
    return LogPartFrame(
        _integer(level, "LOG_PART.level"),
        _integer(index, "LOG_PART.index"),
        _integer(down, "LOG_PART.down"),
        _raw_items(pieces, "LOG_PART.pieces", LOG_PIECES_MAX),
    )


_READERS = {
    int(FrameKind.RAFT): _read_raft,
    int(FrameKind.CHECKPOINT): _read_checkpoint,
    int(FrameKind.CERTIFICATE): _read_certificate,
    int(FrameKind.TRANSACTIONS): _read_transactions,
    int(FrameKind.HAVE): _read_have,
    int(FrameKind.WANT): _read_want,
    int(FrameKind.ENVELOPE): _read_envelope,
    int(FrameKind.ENVELOPE_STORED): _read_envelope_stored,
    int(FrameKind.ALIVE): _read_alive,
    int(FrameKind.READ): _read_read,
    int(FrameKind.READ_ANSWER): _read_read_answer,
    int(FrameKind.BLOCKS_WANT): _read_blocks_want,
    int(FrameKind.BLOCKS): _read_blocks,
    int(FrameKind.SNAPSHOT_WANT): _read_snapshot_want,
    int(FrameKind.SNAPSHOT): _read_snapshot,
    int(FrameKind.STATE_WANT): _read_state_want,
    int(FrameKind.STATE_PART): _read_state_part,
    int(FrameKind.LOG_WANT): _read_log_want,
    int(FrameKind.LOG_PART): _read_log_part,
    int(FrameKind.LINEAGE): _read_lineage,
}
