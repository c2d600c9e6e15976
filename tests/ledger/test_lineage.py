"""The chain of configuration changes from genesis: whole it gives the roster; forged, cut or shuffled it gives none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.block import decode_block
from ledger.checkpoint import Certificate, certificate_of, parse_checkpoint, sign_checkpoint, split_note
from ledger.codes import Code
from ledger.errors import BadLinkError
from ledger.keys import Verifier
from ledger.lineage import verify_lineage
from ledger.merkle import root_of


@pytest.fixture
def history(consortium):
    """Six changes with other blocks between: joining, promotion, readiness, rotation, replacement, removal."""

    def valid(creator, kind, body, approvers=()):
        assert consortium.act(creator, kind, body, approvers).code is Code.VALID
        noise = consortium.sign(creator, "claim.act", {})
        consortium.block(noise.raw, b"rubbish")

    valid("cbp", "member.add", consortium.joining("dhl"), ("acme", "globex"))
    valid("cbp", "orderer.promote", {"organization": "dhl", "in_place_of": "cbp"}, ("acme", "globex", "noaa"))
    valid("dhl", "node.ready", {"incarnation": 1})
    body, new = consortium.rotating("acme", 2)
    valid_key = consortium.keys["acme"]
    assert consortium.act("acme", "key.rotate", body).code is Code.VALID
    assert valid_key.public != new.public
    consortium.keys["acme"] = new
    valid("noaa", "node.replace", consortium.replacing("noaa", 2))
    valid("globex", "member.remove", {"organization": "noaa"}, ("acme", "cbp", "dhl"))
    return consortium


def verify(consortium, links):
    return verify_lineage(consortium.genesis, links, Verifier())


def test_the_whole_chain_gives_the_roster_and_each_beginning_the_one_of_its_time(history) -> None:
    assert len(history.links) == 6
    assert verify(history, history.links) == history.roster
    assert verify(history, history.links[:3]).orderers == ("acme", "globex", "chamber", "noaa", "dhl")
    assert verify(history, []).orderers == history.genesis.orderers


@pytest.mark.parametrize("missing", range(5))
def test_a_missing_link_is_noticed_at_the_next(history, missing) -> None:
    links = [link for number, link in enumerate(history.links) if number != missing]
    with pytest.raises(BadLinkError, match=f"link {missing + 1} after height"):
        verify(history, links)


def test_a_missing_rotation_that_changes_no_orderer_is_noticed_by_its_number(history) -> None:
    links = [*history.links[:3], *history.links[4:]]
    with pytest.raises(
        BadLinkError, match=r"link 4 .* as change 4 of the roster: a link before it is missing"
    ):
        verify(history, links)


def test_another_order_or_a_link_twice_is_refused(history) -> None:
    one, two, three, *rest = history.links
    with pytest.raises(BadLinkError, match="link 1 after height 0"):
        verify(history, [two, one, three, *rest])
    with pytest.raises(BadLinkError, match="link 2 after height 1"):
        verify(history, [one, one, two, three, *rest])
    with pytest.raises(BadLinkError, match="does not come after 1; order links by height"):
        verify(history, [one, one])


def test_a_change_that_was_refused_is_no_link(consortium) -> None:
    body = consortium.joining("dhl")
    signed = consortium.sign("cbp", "member.add", body, ("acme", "globex"), valid_until_ms=0)
    execution = consortium.block(signed.raw)
    assert execution.receipts[0].code is Code.EXPIRED
    note = consortium.certify(execution)
    size = execution.checkpoint.size
    for index in range(size):
        path = consortium.ledger.log.inclusion_proof(index, size)
        from ledger.lineage import ConfigurationLink

        link = ConfigurationLink(consortium.blocks[0].encode(), note, path)
        with pytest.raises(BadLinkError, match="or the transaction was not VALID"):
            verify(consortium, [link])


def test_the_old_and_the_new_orderers_must_both_have_signed(history) -> None:
    link = history.links[2]
    block = decode_block(link.block, 1 << 20)
    checkpoint = parse_checkpoint(split_note(link.certificate)[0])
    electorate = history.roster.electorate(block.header.height)
    keys = {**history.node_keys, "noaa": history.signing("noaa/node")}

    def forged(*names):
        signatures = [(name, sign_checkpoint(checkpoint, keys[name])) for name in names]
        return replace(link, certificate=certificate_of(checkpoint, signatures, electorate).note(electorate))

    before = history.links[:2]
    assert verify(history, [*before, forged("acme", "globex", "noaa")]).height == block.header.height
    assert verify(history, [*before, forged("cbp", "acme", "globex", "dhl")])
    for names in (
        ("cbp", "acme", "dhl"),
        ("cbp", "acme", "globex"),
        ("acme", "globex", "dhl"),
        ("cbp", "acme"),
    ):
        with pytest.raises(BadLinkError, match=r"signed, k = 3 are needed"):
            verify(history, [*before, forged(*names)])


def test_a_forged_certificate_block_or_path_is_refused(history) -> None:
    link = history.links[0]
    lying = parse_checkpoint(split_note(link.certificate)[0])
    lying = replace(lying, root=root_of([b"x" * 32] * 3))
    electorate = history.roster.electorate(1)
    signatures = tuple((name, history.signing("thief").sign_bytes(b"")) for name in electorate.orderers)
    forged = [
        replace(link, certificate=Certificate(lying, signatures).note(electorate)),
        replace(link, certificate=history.links[1].certificate),
        replace(link, certificate=""),
        replace(link, block=history.blocks[1].encode()),
        replace(link, block=link.block[:-1]),
        replace(link, path=link.path[:-1]),
        replace(link, path=tuple(bytes(32) for _ in link.path)),
    ]
    for spoilt in forged:
        with pytest.raises(BadLinkError, match="link 1 after height 0"):
            verify(history, [spoilt])


def test_another_networks_chain_is_refused(history, founders) -> None:
    other = replace(founders.genesis, time_ms=1)
    with pytest.raises(BadLinkError, match="network is"):
        verify_lineage(other, history.links, Verifier())
