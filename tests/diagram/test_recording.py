"""Frames paired with what came of them."""

from p2p.framecodec import encode_frame
from p2p.frames import AliveFrame, EnvelopeStoredFrame
from scenarios.diagram.recording import Fate, Recording, is_heartbeat, label_of
from scenarios.record.eventbook import Event

FRAME = encode_frame(EnvelopeStoredFrame(bytes(32), bytes(32)))
OTHER = encode_frame(EnvelopeStoredFrame(bytes([1] * 32), bytes(32)))


def opened(node, peer):
    return Event(0, 0, 0, "link.opened", {"node": node, "peer": peer}, False)


def ends(recording):
    return [(flight.sent_ns, flight.came_ns, flight.fate) for flight in recording.flights]


def test_equal_frames_come_in_the_order_in_which_they_left():
    recording = Recording()
    recording.sent(1, "cbp", "noaa", "ENVELOPE_STORED", FRAME)
    recording.sent(2, "cbp", "noaa", "ENVELOPE_STORED", FRAME)
    recording.arrived(5, "cbp", "noaa", FRAME)
    recording.arrived(6, "cbp", "noaa", FRAME)
    recording.arrived(7, "cbp", "noaa", FRAME)  # a second copy
    assert ends(recording) == [(1, 5, Fate.CAME), (2, 6, Fate.CAME)]


def test_what_was_under_way_when_a_link_opens_anew_never_came():
    recording = Recording()
    recording.sent(1, "cbp", "noaa", "ENVELOPE_STORED", FRAME)
    recording.sent(1, "noaa", "cbp", "ENVELOPE_STORED", FRAME)
    recording(opened("cbp", "noaa"))
    recording.sent(9, "cbp", "noaa", "ENVELOPE_STORED", FRAME)
    recording.arrived(11, "cbp", "noaa", FRAME)
    recording.arrived(12, "noaa", "cbp", FRAME)
    assert ends(recording) == [(1, None, Fate.LOST), (1, 12, Fate.CAME), (9, 11, Fate.CAME)]


def test_what_was_dropped_on_purpose_is_not_taken_for_the_next_one():
    recording = Recording()
    recording.sent(1, "cbp", "noaa", "ENVELOPE_STORED", FRAME)
    recording.dropped("cbp", "noaa", FRAME)
    recording.sent(5, "cbp", "noaa", "ENVELOPE_STORED", FRAME)
    recording.arrived(8, "cbp", "noaa", FRAME)
    assert ends(recording) == [(1, None, Fate.LOST), (5, 8, Fate.CAME)]


def test_a_changed_frame_is_the_one_that_is_refused():
    recording = Recording()
    recording.sent(1, "cbp", "noaa", "ALIVE", encode_frame(AliveFrame()))
    recording.sent(2, "cbp", "noaa", "ENVELOPE_STORED", OTHER)
    recording.arrived(8, "cbp", "noaa", OTHER[:-1] + bytes([OTHER[-1] ^ 1]))
    assert ends(recording) == [(1, None, Fate.LOST), (2, 8, Fate.REFUSED)]
    assert is_heartbeat(recording.flights[0])
    assert label_of(recording.flights[1]) == "envelope stored"
