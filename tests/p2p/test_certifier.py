"""Certificates: k orderers over what this node executed itself, and a report of whoever says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.checkpoint import Checkpoint, certificate_of, sign_checkpoint, verify_certificate
from ledger.errors import BadProofError
from ledger.genesis import Role
from ledger.keys import Verifier
from ledger.roster import Roster
from p2p import certifier as module
from p2p.certifier import Certifier
from p2p.frames import CheckpointFrame
from scenarios.network.founding import Charter, Member, found_from_seed

NAMES = ("cbp", "exporter", "importer", "chamber", "noaa")


@pytest.fixture(scope="module")
def founding():
    members = [Member(name, name.upper(), "US", (Role.CUSTOMS,)) for name in NAMES]
    return found_from_seed(Charter("certifier", 1_536_000_000_000, members), "1")


class Bench:
    def __init__(self, founding, liars=0):
        self.founding = founding
        self.genesis = replace(founding.genesis, orderer_liars_tolerated=liars)
        self.roster = Roster.of_genesis(self.genesis)
        self.electorate = self.roster.electorate(1)
        self.divergent = []
        self.certifier = Certifier(
            self.roster, Verifier(), "cbp", lambda orderer, height: self.divergent.append((orderer, height))
        )

    def checkpoint(self, height, **changes):
        values = {
            "origin": self.genesis.origin,
            "size": 2 * height,
            "root": bytes([height % 251]) * 32,
            "height": height,
            "block_hash": b"b" * 32,
            "state_root": b"s" * 32,
        }
        return Checkpoint(**{**values, **changes})

    def sign(self, orderer, checkpoint):
        return sign_checkpoint(checkpoint, self.founding.secrets[orderer].node_key, self.genesis.origin)

    def frame(self, orderer, height, **changes):
        checkpoint = self.checkpoint(height, **changes)
        return CheckpointFrame(height, checkpoint.text(), self.sign(orderer, checkpoint))

    def execute(self, height):
        checkpoint = self.checkpoint(height)
        return self.certifier.executed(checkpoint, self.sign("cbp", checkpoint))

    def receive(self, orderer, height, **changes):
        return self.certifier.receive(orderer, self.frame(orderer, height, **changes))


@pytest.fixture
def bench(founding):
    return Bench(founding)


@pytest.mark.parametrize(("liars", "k"), [(0, 3), (1, 4)])
def test_k_orderers_make_a_certificate_and_one_less_does_not(founding, liars, k):
    bench = Bench(founding, liars)
    assert bench.genesis.quorum == k
    assert bench.execute(1) is None
    for orderer in NAMES[1 : k - 1]:
        assert bench.receive(orderer, 1) is None
        assert bench.receive(orderer, 1) is None  # twice counts once
    certificate = bench.receive(NAMES[k - 1], 1)
    verify_certificate(certificate, bench.electorate, Verifier())
    assert bench.certifier.certified_height == 1


def test_a_signature_that_does_not_hold_does_not_count(bench):
    bench.execute(1)
    bench.receive("exporter", 1)
    stolen = replace(bench.frame("importer", 1), signature=b"x" * 64)
    assert bench.certifier.receive("importer", stolen) is None
    assert bench.certifier.receive("chamber", bench.frame("noaa", 1)) is None
    assert bench.certifier.figures.refused == 2
    assert bench.divergent == []


def test_a_divergent_checkpoint_is_never_adopted_and_is_reported(bench):
    bench.execute(1)
    for orderer in NAMES[1:4]:
        assert bench.receive(orderer, 1, state_root=b"t" * 32) is None
    assert bench.certifier.certified_height == 0
    assert bench.divergent == [("exporter", 1), ("importer", 1), ("chamber", 1)]
    assert bench.certifier.figures.divergent == 3


def test_it_is_reported_after_the_height_was_certified_too(bench):
    for height in (1, 2):
        bench.execute(height)
    for orderer in NAMES[1:3]:
        bench.receive(orderer, 2)
    assert bench.certifier.certified_height == 2
    bench.receive("noaa", 1, block_hash=b"c" * 32)
    bench.receive("noaa", 2, root=b"r" * 32)
    bench.receive("chamber", 2)
    assert bench.divergent == [("noaa", 1), ("noaa", 2)]


def test_it_is_reported_when_it_came_before_this_node_executed_the_height(bench):
    bench.receive("exporter", 1)
    bench.receive("importer", 1)
    bench.receive("noaa", 1, state_root=b"t" * 32)
    assert bench.execute(1) is not None
    assert bench.divergent == [("noaa", 1)]


def test_who_signed_nothing_is_not_accused(bench):
    bench.execute(1)
    forged = replace(bench.frame("noaa", 1, state_root=b"t" * 32), signature=b"x" * 64)
    bench.certifier.receive("noaa", forged)
    assert bench.divergent == []
    assert bench.certifier.figures.refused == 1


def test_who_says_two_things_is_reported_though_one_of_them_is_ours(bench):
    bench.execute(1)
    bench.receive("noaa", 1)
    bench.receive("noaa", 1, state_root=b"t" * 32)
    assert bench.divergent == [("noaa", 1)]


def test_checkpoints_wait_until_this_node_has_executed_their_height(bench):
    for orderer in NAMES[1:]:
        assert bench.receive(orderer, 3) is None
    assert bench.execute(1) is None
    assert bench.execute(2) is None
    assert bench.execute(3) is not None
    assert bench.certifier.certified_height == 3


def test_the_next_heights_wait_before_far_ones_and_all_are_bounded(bench, monkeypatch):
    monkeypatch.setattr(module, "EARLY_HEIGHTS_MAX", 4)
    for height in (1000, 900, 2, 1, 800, 3, 700, 5000):
        bench.receive("exporter", height)
        bench.receive("importer", height)
    assert sorted(bench.certifier._early) == [1, 2, 3, 700]
    assert bench.execute(1) is not None


def test_what_was_executed_long_ago_does_not_wait_again(bench):
    bench.certifier.certified_height = 5
    bench.receive("exporter", 3)
    assert bench.certifier._early == {}


def test_without_certificates_only_the_latest_heights_are_kept(bench, monkeypatch):
    monkeypatch.setattr(module, "OPEN_HEIGHTS_MAX", 3)
    for height in range(1, 11):
        bench.execute(height)
    assert sorted(bench.certifier._executed) == sorted(bench.certifier._signatures) == [8, 9, 10]
    assert bench.receive("exporter", 5) is None
    assert bench.certifier._early == {}
    bench.receive("exporter", 10)
    assert bench.receive("importer", 10) is not None
    assert bench.certifier.certified_height == 10


def test_certified_heights_are_remembered_for_a_while_only(bench, monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED_HEIGHTS_MAX", 3)
    for height in range(1, 11):
        bench.execute(height)
        bench.receive("exporter", height)
        bench.receive("importer", height)
    assert sorted(bench.certifier._settled) == [8, 9, 10]


def note(bench, checkpoint, *orderers):
    signatures = [(orderer, bench.sign(orderer, checkpoint)) for orderer in orderers]
    return certificate_of(checkpoint, signatures, bench.electorate).note(bench.electorate)


def test_a_whole_certificate_is_taken_for_what_this_node_executed(bench):
    for height in (1, 2):
        bench.execute(height)
    assert bench.certifier.receive_certificate(note(bench, bench.checkpoint(2), *NAMES[1:4])) is not None
    assert bench.certifier.certified_height == 2
    assert bench.certifier.receive_certificate(note(bench, bench.checkpoint(1), *NAMES[1:4])) is None


def test_a_certificate_of_what_was_not_executed_here_is_not_taken(bench):
    bench.execute(1)
    assert bench.certifier.receive_certificate(note(bench, bench.checkpoint(2), *NAMES[1:4])) is None
    assert bench.certifier.certified_height == 0


@pytest.mark.parametrize(
    ("changes", "orderers", "reason"),
    [
        ({}, NAMES[1:3], "k = 3 are needed"),
        ({"state_root": b"t" * 32}, NAMES[1:4], "another block or state"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(bench, changes, orderers, reason):
    bench.execute(1)
    with pytest.raises(BadProofError, match=reason):
        bench.certifier.receive_certificate(note(bench, bench.checkpoint(1, **changes), *orderers))
    assert bench.certifier.certified_height == 0
    assert bench.divergent == ([("certificate", 1)] if changes else [])


def test_an_unknown_sender_counts_for_nothing(bench):
    bench.execute(1)
    assert bench.certifier.receive("stranger", bench.frame("exporter", 1)) is None
    assert bench.certifier.figures.refused == 1


# A roster that changes.


def demotion(bench, height):
    """Change the roster at a height: noaa gives up its seat."""
    noaa = bench.certifier.roster.organization("noaa")
    seat = replace(noaa.node.seats[0], until=height)
    gone = replace(noaa, nodes=(replace(noaa.node, seats=(seat,)),))
    bench.certifier.roster = bench.certifier.roster.changed(height, gone)


def test_a_change_needs_a_certificate_of_its_own_before_any_later_height(bench):
    bench.execute(1)
    demotion(bench, 2)
    for height in (2, 3, 4):
        assert bench.execute(height) is None
    for orderer in ("exporter", "importer"):
        for height in (3, 4):
            assert bench.receive(orderer, height) is None
    later = note(bench, bench.checkpoint(4), "cbp", "exporter", "importer")
    assert bench.certifier.receive_certificate(later) is None
    assert bench.certifier.certified_height == 0
    assert bench.receive("exporter", 2) is None
    assert bench.receive("importer", 2).checkpoint.height == 2
    assert bench.certifier.waiting().checkpoint.height == 4
    assert bench.certifier.waiting() is None


def test_who_left_counts_for_the_block_that_removed_it_and_for_none_after(bench):
    demotion(bench, 1)
    bench.execute(1)
    bench.execute(2)
    assert bench.receive("noaa", 2) is None
    assert bench.certifier.figures.refused == 1
    bench.receive("noaa", 1)
    assert bench.receive("exporter", 1) is None  # k of the new set are not there yet
    assert bench.receive("importer", 1) is not None


def test_an_open_change_is_kept_however_many_heights_follow_it(bench, monkeypatch):
    monkeypatch.setattr(module, "OPEN_HEIGHTS_MAX", 3)
    demotion(bench, 1)
    for height in range(1, 10):
        bench.execute(height)
    assert sorted(bench.certifier._executed) == [1, 8, 9]
    bench.receive("exporter", 1)
    assert bench.receive("importer", 1) is not None
