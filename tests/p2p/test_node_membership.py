"""Whole nodes while members, orderers, nodes and keys come and go."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from ledger.contracts.membership import Purpose, prove_possession
from ledger.encoding import encode
from ledger.keys import BoxKey, SigningKey, Verifier, seed_for
from ledger.lineage import verify_lineage
from ledger.store import Store
from ledger.transaction import sign_approval, sign_transaction
from p2p.config import NodeConfig, Timing
from p2p.frames import EnvelopeFrame
from p2p.peerage import Peerage
from scenarios.network.plan import Address, node_config
from scenarios.worlds import virtual as worlds
from scenarios.worlds.virtual import API_PORT, PEER_PORT

APPROVERS = ("exporter", "importer", "chamber")


def key_of(name: str) -> SigningKey:
    return SigningKey.from_seed(seed_for("membership", name))


def box_of(name: str) -> bytes:
    return BoxKey.from_seed(seed_for("membership", name)).public


class Changing:
    """A network whose members change; `net` is the five founders' world."""

    def __init__(self, net, configs):
        self.net = net
        self.configs = configs
        self.keys = {o: s.organization_key for o, s in net.founding.secrets.items()}
        self.members = list(net.world.organizations)

    @property
    def up(self):
        return [o for o in self.members if self.net.world.is_up(o)]

    def node(self, organization):
        return self.net.node(organization)

    def sign(self, creator, kind, body, approvers=(), key=None):
        signed = self.net.sign("exporter", type=kind, documents=(), body=body)
        transaction = replace(signed.transaction, creator=creator)
        approvals = tuple((name, sign_approval(transaction, self.keys[name])) for name in approvers)
        return sign_transaction(replace(transaction, approvals=approvals), key or self.keys[creator])

    async def act(self, creator, kind, body, approvers=(), *, via=None):
        """Have a transaction certified and return its status."""
        answer = await self.net.certify(self.sign(creator, kind, body, approvers), via or self.up[0])
        assert answer.json.get("status") == "certified", answer.json
        assert answer.json["code"] == "VALID", answer.json
        return answer.json

    async def trade(self, count=1, via="exporter"):
        return await self.net.certify_many(count, via)

    async def agreed(self, *organizations, limit_s=30.0):
        """Wait until these have executed and certified the same, and nothing waits."""
        names = organizations or self.up

        def holds():
            nodes = [self.node(o) for o in names]
            heights = {(n.ledger.height, n.certifier.certified_height) for n in nodes}
            idle = not any(len(n.pool) or n.ordering.chain.in_flight for n in nodes)
            return len(heights) == 1 and len(set(*heights)) == 1 and idle

        try:
            await self.net.until(holds, limit_s)
        except AssertionError as error:
            stands = {o: (self.node(o).ledger.height, self.node(o).certifier.certified_height) for o in names}
            refused = [(r["node"], r["peer"], r["reason"]) for r in self.net.told("hello.refused")][-3:]
            raise AssertionError(f"they do not agree: {stands}; refused lately: {refused}") from error

    async def leader(self, *organizations):
        """Wait for a leader that these follow."""
        names = organizations or self.up
        await self.net.until(
            lambda: (
                len({self.node(o).ordering.leader for o in names}) == 1
                and self.node(names[0]).ordering.leader in names
            ),
            what="no leader",
        )
        return self.node(names[0]).ordering.leader

    async def leader_but(self, organization):
        """Wait for a leader that is not this one; only one organization is Customs, and it stays."""
        leader = await self.leader()
        if leader == organization:
            await self.net.world.crash(leader)
            await self.leader(*self.up)
            await self.net.restart(organization)
            leader = await self.leader()
        return leader

    def conf(self, organization):
        return self.node(organization).ordering.raw.status().conf_state

    # Newcomers and new incarnations.

    def joining(self, organization):
        key, node_key = key_of(organization), key_of(f"{organization} node 1")
        self.keys[organization] = key
        network = self.net.genesis.network
        host = self.net.kit.add_host(organization, on_failure=self.net.world._note_failure)
        host.calendar.set(self.net.kit.loop, self.net.world._calendar_ms)
        self.net.world._addresses[organization] = Address(host.address, PEER_PORT, API_PORT)
        own = replace(
            self.net.founding.secrets["exporter"],
            organization_key=key,
            node_key=node_key,
            token=organization * 8,
        )
        self.net.founding.secrets[organization] = own
        return {
            "organization": organization,
            "name": organization.upper(),
            "country": "DE",
            "roles": ["broker"],
            "key": key.public,
            "key_proof": prove_possession(key, network, organization, Purpose.ORGANIZATION),
            "box_key": box_of(f"{organization} box"),
            "node_key": node_key.public,
            "node_key_proof": prove_possession(node_key, network, organization, Purpose.NODE),
            "url": f"http://{host.address}:{PEER_PORT}",
        }

    def replacing(self, organization, incarnation):
        node_key = key_of(f"{organization} node {incarnation}")
        proof = prove_possession(node_key, self.net.genesis.network, organization, Purpose.NODE)
        return {"incarnation": incarnation, "node_key": node_key.public, "node_key_proof": proof}

    def configure(self, organization, raft_id, incarnation=1):
        """Tell the next boot what the ledger registered."""
        self.configs[organization] = {
            "node_key": key_of(f"{organization} node {incarnation}"),
            "registered_raft_id": raft_id,
            "incarnation": incarnation,
        }

    async def boot(self, organization, raft_id, incarnation=1):
        """Start a node as the ledger registered it."""
        self.configure(organization, raft_id, incarnation)
        if organization not in self.members:
            self.members.append(organization)
            self.net.world.organizations.append(organization)
        await self.net.restart(organization)

    async def ready(self, organization, incarnation=1):
        status = await self.act(organization, "node.ready", {"incarnation": incarnation}, via="cbp")
        await self.net.until(lambda: organization in self.node("cbp").ledger.roster.orderers)
        return status

    async def stop(self):
        """Stop whom the world does not know."""
        await self.agreed()


@pytest.fixture
def changing(five, monkeypatch):
    """Run a test's coroutine over five founders and whoever joins."""

    def run(main, **options):
        configs: dict[str, dict[str, object]] = {}

        def configured(founding, plan, organization, addresses, *, calendar_ms, with_control=True):
            founders = {o.id: addresses[o.id] for o in founding.genesis.organizations}
            template = organization if organization in founders else "exporter"
            config = node_config(
                founding, plan, template, founders, calendar_ms=calendar_ms, with_control=with_control
            )
            here = addresses[organization]
            urls = {o: f"http://{a.host}:{a.peer_port}" for o, a in founders.items() if o != organization}
            changes = {
                "organization": organization,
                "peer_host": here.host,
                "api_host": here.host,
                "peers": urls,
                "neighbors": tuple(urls),
                "token": founding.secrets[organization].token,
            }
            if organization not in founders:
                changes |= {"neighbors": tuple(urls)}
            return replace_config(config, {**changes, **configs.get(organization, {})})

        monkeypatch.setattr(worlds, "node_config", configured)

        async def outside(net):
            return await main(Changing(net, configs))

        return five(outside, **options)

    return run


def replace_config(config: NodeConfig, changes) -> NodeConfig:
    fields = {name: getattr(config, name) for name in config.__slots__}
    return NodeConfig(**(fields | changes))


def test_a_sixth_member_joins_learns_orders_and_counts(changing):
    async def main(world):
        await world.trade(2)
        await world.act("cbp", "member.add", world.joining("dhl"), APPROVERS[:2])
        anchored = await world.act("dhl", "key.rotate", {"box_key": box_of("box 2")})
        await world.act("cbp", "orderer.promote", {"organization": "dhl"}, APPROVERS)
        await world.boot("dhl", 6)
        await world.agreed()
        learning = world.conf("cbp")
        await world.ready("dhl")
        await world.trade(2, via="dhl")
        await world.agreed()
        voting = {o: world.conf(o) for o in world.up}
        certificate = world.node("cbp").store.latest_certificate()[1]
        for organization in ("noaa", "chamber"):
            await world.net.world.crash(organization)
        await world.leader(*world.up)
        await world.trade(1, via="dhl")  # four of six: the newcomer counts
        return anchored, learning, voting, certificate, world.node("dhl").ledger.roster

    anchored, learning, voting, certificate, roster = changing(main)
    assert anchored["height"] == 4
    assert (learning.voters, learning.learners) == ((1, 2, 3, 4, 5), (6,))
    assert {conf.voters for conf in voting.values()} == {(1, 2, 3, 4, 5, 6)}
    assert roster.orderers[-1] == "dhl"
    assert certificate.count("\n— ") >= 4


def test_a_follower_that_is_removed_is_told_and_disturbs_nobody_afterwards_bug_16(changing):
    async def main(world):
        leader = await world.leader()
        gone = next(o for o in ("noaa", "chamber") if o != leader)
        others = [o for o in world.up if o != gone]
        await world.act(
            leader, "member.remove", {"organization": gone}, [o for o in others if o != leader][:2]
        )
        await world.net.until(lambda: not world.node(gone).ledger.roster.find(gone), what="it was not told")
        await world.agreed(*others)
        term = world.node(leader).ordering.raw.term
        await world.trade(2, via="exporter")
        await asyncio.sleep(20)
        await world.trade(1, via="exporter")
        terms = {world.node(o).ordering.raw.term for o in others}
        linked = [gone in world.node(o).links.connected for o in others]
        dropped = world.net.told("link.expired", peer=gone)
        return gone, term, terms, linked, dropped, world.conf(leader), world.node(gone)

    gone, term, terms, linked, dropped, conf, node = changing(main)
    assert terms == {term}
    assert not any(linked)
    assert all(f"the node of {gone} was removed" in str(record["reason"]) for record in dropped)
    assert dropped
    assert len(conf.voters) == 4
    assert not node.ordering.is_leader


@pytest.mark.parametrize("kind", ["member.remove", "orderer.demote"])
def test_a_leader_that_is_to_go_hands_over_first_and_the_others_go_on(changing, kind):
    async def main(world):
        leader = await world.leader_but("cbp")
        others = [o for o in world.up if o != leader]
        via = next(o for o in others if o != "exporter")
        await world.act(via, kind, {"organization": leader}, [o for o in others if o != via][:2], via=via)
        await world.agreed(*others)
        new = await world.leader(*others)
        handed = world.net.told("raft.handover", node=leader)
        await world.net.certify(world.net.sign(), via)
        await asyncio.sleep(5)
        return leader, new, handed, world.conf(new), world.node(new).ledger.roster

    leader, new, handed, conf, roster = changing(main)
    assert handed
    assert new != leader
    assert len(conf.voters) == 4
    assert leader not in roster.orderers
    assert (roster.find(leader) is None) is (kind == "member.remove")


def test_of_two_voters_the_one_that_leads_is_never_removed_before_it_handed_over(changing):
    async def main(world):
        for gone in ("noaa", "chamber", "importer"):
            members = world.node("cbp").ledger.roster.members
            approvers = [m.id for m in members if m.id not in {"cbp", gone}][: len(members) // 2]
            await world.act("cbp", "member.remove", {"organization": gone}, approvers)
        leader = await world.leader("cbp", "exporter")
        other = "exporter" if leader == "cbp" else "cbp"
        await world.act(other, "orderer.demote", {"organization": leader}, [leader], via=other)
        await world.net.until(lambda: world.node(other).ordering.is_leader)
        await world.net.certify(world.net.sign(), other)
        return world.conf(other).voters, world.node(other).config.raft_id

    voters, own = changing(main)
    assert voters == (own,)


def test_a_node_that_lost_its_disk_is_refused_under_its_old_name_and_returns_as_a_learner_bug_18(changing):
    async def main(world):
        await world.trade(3)
        await world.agreed()
        await world.net.world.crash("noaa")
        world.net.host("noaa").disk.erase()
        await world.net.restart("noaa")
        await asyncio.sleep(5)
        refused = world.net.told("hello.refused")
        alone = world.node("noaa")
        empty = (alone.ledger.height, alone.links.connected, alone.ordering.raw.role.value)
        await world.net.world.crash("noaa")
        world.net.host("noaa").disk.erase()
        await world.act("noaa", "node.replace", world.replacing("noaa", 2), via="cbp")
        shrunk = world.conf("cbp")
        await world.boot("noaa", 6, 2)
        await world.agreed()
        await world.net.until(lambda: world.conf("noaa") == shrunk, what="it does not replay the log")
        learner = world.conf("noaa")
        await world.ready("noaa", 2)
        await world.trade(1)
        await world.agreed()
        for organization in ("chamber", "importer"):
            await world.net.world.crash(organization)
        await world.leader(*world.up)
        await world.trade(1)  # three of five: the new node votes and signs
        return refused, empty, shrunk, learner, {o: world.conf(o).voters for o in world.up}

    refused, empty, shrunk, learner, voters = changing(main)
    assert any("comes with another store than it had" in str(r["reason"]) for r in refused)
    assert all(r["node"] != "noaa" or "another store" not in str(r["reason"]) for r in refused)
    assert empty[:2] == (0, [])
    assert empty[2] != "leader"
    assert (shrunk.voters, shrunk.learners) == ((1, 2, 3, 4), (6,))
    assert learner == shrunk
    assert set(voters.values()) == {(1, 2, 3, 4, 6)}


def test_a_key_is_rotated_with_trade_going_on_and_everything_old_still_verifies(changing):
    async def main(world):
        await world.trade(2)
        old = world.keys["exporter"]
        new = key_of("exporter 2")
        proof = prove_possession(new, world.net.genesis.network, "exporter", Purpose.ORGANIZATION)
        late = [world.net.sign() for _ in range(3)]
        rotation = world.sign("exporter", "key.rotate", {"key": new.public, "key_proof": proof})
        many = [world.net.sign() for _ in range(10)]
        stream = asyncio.create_task(_post_all(world, many))
        answer = await world.net.certify(rotation, "cbp")
        assert answer.json["code"] == "VALID"
        await stream
        refused = [await world.net.post(signed, "importer") for signed in late]
        world.keys["exporter"] = new
        assert old.public != new.public
        signed = sign_transaction(world.net.sign().transaction, new)
        fresh = await world.net.certify(signed, "importer")
        await world.agreed()
        reports = [world.node(o).store.verify_all(Verifier()) for o in world.up]
        links = _links(world.node("chamber"))
        waiting = sum(len(world.node(o).pool) for o in world.up)
        return refused, fresh, reports, links, world.net.genesis, world.node("cbp").ledger.roster, waiting

    refused, fresh, reports, links, genesis, roster, waiting = changing(main)
    assert {answer.code for answer in refused} == {"REVOKED_KEY"}
    assert fresh.json["code"] == "VALID"
    assert [report.damage for report in reports] == [()] * 5
    assert waiting == 0
    assert verify_lineage(genesis, links, Verifier()) == roster


async def _post_all(world, many):
    for signed in many:
        await world.net.post(signed, "exporter")
        await asyncio.sleep(0.02)


def _links(node):
    store, ledger = node.store, node.ledger
    return [store.configuration_link(height, ledger.log) for height in ledger.roster.heights]


def test_what_a_thief_signs_after_the_revocation_is_refused_and_what_waits_is_let_go(changing):
    async def main(world):
        await world.trade(2)
        stolen = world.keys["exporter"]
        new = key_of("exporter 3")
        proof = prove_possession(new, world.net.genesis.network, "exporter", Purpose.ORGANIZATION)
        body = {
            "organization": "exporter",
            "key": stolen.public,
            "compromised_since": 1,
            "successor": new.public,
            "successor_proof": proof,
        }
        await world.act("cbp", "key.revoke", body, ("importer", "chamber"))
        await world.agreed()
        thief = await world.net.post(world.net.sign(), "exporter")
        owner = await world.net.certify(sign_transaction(world.net.sign().transaction, new), "exporter")
        record = world.node("noaa").ledger.roster.organization("exporter").keys[0]
        return thief, owner, record, [world.node(o).store.verify_all(Verifier()).damage for o in world.up]

    thief, owner, record, damage = changing(main)
    assert (thief.status, thief.code) == (403, "REVOKED_KEY")
    assert owner.json["code"] == "VALID"
    assert record.compromised_since == 1
    assert damage == [()] * 5


def test_an_envelope_that_waits_under_a_stolen_key_goes_and_nobody_takes_it(changing):
    """Under a key that was merely rotated it is delivered; after a theft anybody may have signed it."""
    root = b"r" * 32

    async def main(world):
        net = world.net
        await world.trade(2)
        await net.world.crash("noaa")
        signed = net.signed_envelope(b"sealed", to="noaa", root=root)
        body = encode({"root": root, "to": "noaa", "envelope": signed})
        posted = await net.ask("exporter", "POST", "/v1/documents", body)
        new = key_of("exporter 3")
        proof = prove_possession(new, net.genesis.network, "exporter", Purpose.ORGANIZATION)
        stolen = world.keys["exporter"]
        await world.act("exporter", "key.rotate", {"key": new.public, "key_proof": proof})
        await world.agreed(*world.up)
        waiting = len(world.node("exporter").store.outbox_rows())
        theft = {"organization": "exporter", "key": stolen.public, "compromised_since": 1}
        await world.act("cbp", "key.revoke", theft, ("importer", "chamber"))
        await world.agreed(*world.up)
        await net.until(lambda: not world.node("exporter").courier.outstanding)
        left = len(world.node("exporter").store.outbox_rows())
        node = world.node("chamber")
        forged = net.signed_envelope(b"sealed", to="chamber", root=root)
        node.turns.take("exporter", EnvelopeFrame(root, forged))
        taken = node.store.inbox_rows(0, 10)
        return posted.status, waiting, left, net.told("envelope.revoked", node="exporter"), taken

    posted, waiting, left, revoked, taken = changing(main)
    assert (posted, waiting, left, taken) == (202, 1, 0, [])
    assert [(record["to"], record["root"]) for record in revoked] == [("noaa", root.hex())]


def test_an_accepted_transaction_whose_key_ends_leaves_every_pool_and_says_why(changing):
    async def main(world):
        await world.leader()
        stuck = world.net.world.partition([["exporter"], [o for o in world.members if o != "exporter"]])
        waiting = world.net.sign()
        accepted = await world.net.post(waiting, "exporter")
        new = key_of("exporter 4")
        proof = prove_possession(new, world.net.genesis.network, "exporter", Purpose.ORGANIZATION)
        await world.act("exporter", "key.rotate", {"key": new.public, "key_proof": proof}, via="cbp")
        stuck()
        await world.net.until(lambda: world.node("exporter").ledger.roster.heights, what="not caught up")
        await world.net.until(lambda: not len(world.node("exporter").pool))
        status = await world.net.get("exporter", f"/v1/transactions/{waiting.id.hex()}")
        await world.agreed()
        return accepted, status, len(world.node("exporter").store.pool_rows())

    accepted, status, rows = changing(main)
    assert accepted.status == 202
    assert (status.json["status"], status.json["code"]) == ("expired", "REVOKED_KEY")
    assert rows == 0


# The change under way.


def test_the_leader_dies_with_the_change_in_flight_and_it_has_one_effect(changing):
    async def main(world):
        await world.trade(1)
        leader = await world.leader()
        other = next(o for o in world.up if o not in {leader, "cbp", "exporter"})
        approvers = [o for o in world.up if o not in {"cbp", other}][:2]
        change = world.sign("cbp", "orderer.demote", {"organization": other}, approvers)
        via = next(o for o in world.up if o not in {leader, other})
        await world.net.post(change, via)
        node = world.node(leader)
        await world.net.until(lambda: node.ordering.chain.awaits_configuration, every_s=0.0005)
        await world.net.world.power_loss([leader])
        await world.net.until(
            lambda: all(other not in world.node(o).ledger.roster.orderers for o in world.up if o != other)
        )
        await world.net.restart(leader)
        await world.leader(*[o for o in world.up if o != other])
        status = await world.net.certify(world.net.sign(), via)
        await world.agreed(*[o for o in world.up if o != other])
        voters = {world.conf(o).voters for o in world.up if o != other}
        heights = {world.node(o).ledger.roster.heights for o in world.up if o != other}
        return status, voters, heights

    status, voters, heights = changing(main)
    assert status.json["code"] == "VALID"
    assert len(voters) == 1
    assert len(next(iter(voters))) == 4
    assert len(heights) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everybody_loses_power_in_the_middle_of_a_joint_configuration_bug_15(changing, seed):
    joint: list[object] = []

    async def main(world):
        await world.trade(1)
        await world.act("cbp", "orderer.demote", {"organization": "noaa"}, APPROVERS[:2])
        await world.act(
            "cbp", "orderer.promote", {"organization": "noaa", "in_place_of": "chamber"}, APPROVERS[:2]
        )
        await world.agreed()
        await world.net.post(world.sign("noaa", "node.ready", {"incarnation": 1}), "cbp")

        def in_the_middle():
            return any(world.conf(o).is_joint for o in world.up)

        await world.net.until(in_the_middle, every_s=0.0002)
        joint.extend(world.conf(o) for o in world.up if world.conf(o).is_joint)
        for session in world.net.sessions.values():
            await session.close()
        world.net.sessions.clear()
        await world.net.world.power_loss(list(world.up))
        for organization in world.members:
            await world.net.restart(organization)
        await world.leader("cbp", "exporter", "importer", "noaa")
        await world.net.until(lambda: not in_the_middle(), what="the joint configuration is not left")
        answer = await world.net.certify(world.net.sign(), "exporter")
        await world.agreed("cbp", "exporter", "importer", "noaa")
        return (
            answer,
            {world.conf(o) for o in ("cbp", "exporter", "importer", "noaa")},
            world.node("cbp").ledger,
        )

    answer, confs, ledger = changing(main, seed=seed)
    assert joint
    assert answer.json["code"] == "VALID"
    (conf,) = confs
    assert (conf.voters, conf.voters_outgoing, conf.learners) == ((1, 2, 3, 5), (), ())
    assert ledger.roster.orderers == ("cbp", "exporter", "importer", "noaa")


def test_a_minority_that_was_cut_off_during_changes_catches_up_with_them(changing):
    async def main(world):
        leader = await world.leader()
        away = next(o for o in world.up if o not in {leader, "cbp", "exporter"})
        others = [o for o in world.up if o != away]
        mend = world.net.world.partition([[away], others])
        target = next(o for o in others if o not in {leader, "cbp", "exporter"})
        approvers = [o for o in others if o not in {"cbp", target}][:2]
        await world.act("cbp", "orderer.demote", {"organization": target}, approvers, via="cbp")
        await world.net.certify_many(2, "exporter")
        rotation = {"box_key": box_of("another box")}
        await world.act("importer", "key.rotate", rotation, via="cbp")
        await world.net.certify_many(1, "exporter")
        mend()
        await world.net.until(
            lambda: world.node(away).ledger.height == world.node("cbp").ledger.height, what="not caught up"
        )
        await world.agreed(*[o for o in world.up if o != target])
        return (
            world.conf(away),
            world.conf("cbp"),
            world.node(away).ledger.roster == world.node("cbp").ledger.roster,
        )

    mine, theirs, same = changing(main)
    assert mine == theirs
    assert same


async def _away_while_the_leader_changed(world):
    """Have noaa's node replaced and lead while chamber is away; return whether chamber then catches up."""
    await world.trade(1)
    await world.net.world.crash("chamber")
    await world.leader("cbp", "exporter", "importer", "noaa")
    await world.net.world.crash("noaa")
    world.net.host("noaa").disk.erase()
    await world.act("noaa", "node.replace", world.replacing("noaa", 2), via="cbp")
    await world.boot("noaa", 6, 2)
    await world.ready("noaa", 2)
    others = ("cbp", "exporter", "importer", "noaa")
    leader = await world.leader(*others)
    await world.agreed(*others)
    if leader != "noaa":
        world.node(leader).ordering.hand_over("noaa")
        world.node(leader).driver.wake()
        await world.net.until(lambda: world.node("noaa").ordering.is_leader)
    await world.net.certify(world.net.sign(), "exporter")
    await world.net.restart("chamber")
    wanted = world.node("cbp").ledger.height
    try:
        await world.net.until(lambda: world.node("chamber").ledger.height >= wanted, 15)
    except AssertionError:
        return False
    return world.node("chamber").ordering.leader == "noaa"


def test_who_was_away_knows_a_leader_that_came_meanwhile_by_its_lineage(changing, monkeypatch):
    assert changing(_away_while_the_leader_changed)
    monkeypatch.setattr(Peerage, "links_after", lambda *_: None)
    assert not changing(_away_while_the_leader_changed)  # it knows no key of its leader's


async def _churn(world):
    """Join, promote, demote, replace and rotate under crashes and power losses; end with everybody in agreement."""
    chance = random.Random(f"churn {world.net.kit.seed}")
    outsider = world.joining("dhl")
    await world.act("cbp", "member.add", outsider, APPROVERS[:2])
    await world.boot("dhl", 6)
    await world.trade(1)

    async def hurt():
        """Crash somebody, with or without its power, and bring it back a moment later."""
        victim = chance.choice([o for o in world.up if o != "cbp"])
        for session in world.net.sessions.values():
            await session.close()
        world.net.sessions.clear()
        if chance.random() < 0.5:
            await world.net.world.crash(victim)
        else:
            await world.net.world.power_loss([victim])
        await asyncio.sleep(chance.uniform(0.1, 3.0))
        await world.net.restart(victim)

    async def change(creator, kind, body, approvers=()):
        signed = world.sign(creator, kind, body, approvers)
        await world.net.post(signed, "cbp")
        if chance.random() < 0.7:
            await asyncio.sleep(chance.uniform(0, 0.3))
            await hurt()
        answer = await world.net.get(
            "cbp", f"/v1/transactions/{signed.id.hex()}?wait=certified&timeout_ms=60000"
        )
        assert answer.json.get("code") == "VALID", (kind, answer.json)

    await change("cbp", "orderer.promote", {"organization": "dhl", "in_place_of": "noaa"}, APPROVERS)
    await change("dhl", "node.ready", {"incarnation": 1})
    await change("importer", "key.rotate", {"box_key": box_of("churned box")})
    await change("cbp", "orderer.promote", {"organization": "noaa"}, APPROVERS)
    await change("noaa", "node.ready", {"incarnation": 1})
    await world.net.world.crash("chamber")
    world.net.host("chamber").disk.erase()
    signed = world.sign("chamber", "node.replace", world.replacing("chamber", 2))
    await world.net.certify(signed, "cbp")
    await world.boot("chamber", 7, 2)
    await change("chamber", "node.ready", {"incarnation": 2})
    await change("cbp", "orderer.demote", {"organization": "exporter"}, ("dhl", "noaa", "importer"))
    await world.net.certify(world.net.sign(), "cbp")
    await world.agreed(limit_s=60)
    reports = [world.node(o).store.verify_all(Verifier()).damage for o in world.up]
    rosters = [world.node(o).ledger.roster for o in world.up]
    confs = [world.conf(o) for o in world.up if o in rosters[0].orderers]
    return reports, rosters, confs, _links(world.node("cbp")), world.net.genesis


COMPACTING = Timing(snapshot_blocks=2, log_entries_kept=2, replay_blocks_max=3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "timing"), [(4, Timing()), (11, Timing()), (15, Timing()), (5, COMPACTING), (23, COMPACTING)]
)
def test_members_and_nodes_come_and_go_while_nodes_crash(changing, seed, timing):
    reports, rosters, confs, links, genesis = changing(_churn, seed=seed, timing=timing)
    assert reports == [()] * 6
    assert all(roster == rosters[0] for roster in rosters)
    assert rosters[0].orderers == ("cbp", "importer", "dhl", "noaa", "chamber")
    assert all(conf == confs[0] for conf in confs)
    assert confs[0].voters == (1, 3, 5, 6, 7)
    assert verify_lineage(genesis, links, Verifier()) == rosters[0]


def test_who_was_down_when_it_was_demoted_hears_of_it_and_follows(changing):
    async def main(world):
        leader = await world.leader_but("noaa")
        await world.net.world.crash("noaa")
        approvers = [o for o in world.up if o != "cbp"][:2]
        await world.act("cbp", "orderer.demote", {"organization": "noaa"}, approvers, via=leader)
        await world.net.restart("noaa")
        await world.net.certify(world.net.sign(), leader)
        await world.agreed()
        node = world.node("noaa")
        return (
            node.ordering.orders,
            node.ordering.raw.role.value,
            node.ledger.roster == world.node(leader).ledger.roster,
        )

    assert changing(main) == (False, "follower", True)


def test_a_newcomer_that_followed_before_it_ordered_goes_on_after_a_restart(changing):
    async def main(world):
        await world.act("cbp", "member.add", world.joining("dhl"), APPROVERS[:2])
        await world.boot("dhl", 6)
        await world.trade(3)
        await world.agreed()
        followed = world.node("dhl").sync.figures.blocks_followed, world.node("dhl").ordering.orders
        posted = await world.act("dhl", "key.rotate", {"box_key": box_of("box of dhl")}, via="dhl")
        await world.act("cbp", "orderer.promote", {"organization": "dhl"}, APPROVERS)
        applied = world.node("cbp").store.applied_index
        await world.net.until(lambda: world.node("dhl").store.applied_index >= applied, what="no log came")
        await world.net.world.crash("dhl")
        for session in world.net.sessions.values():
            await session.close()
        world.net.sessions.clear()
        await world.net.restart("dhl")
        await world.ready("dhl")
        await world.trade(1)
        await world.agreed()
        node = world.node("dhl")
        refused = world.net.told("raft.block_refused", node="dhl")
        return followed, posted, node.ordering.orders, refused, node.store.verify_all(Verifier()).damage

    followed, posted, orders, refused, damage = changing(main)
    assert followed[0] >= 4
    assert not followed[1]
    assert posted["code"] == "VALID"
    assert orders
    assert refused == []
    assert damage == ()


def test_a_node_that_was_replaced_or_has_another_key_than_registered_does_not_start(changing):
    async def main(world):
        await world.trade(1)
        await world.act("noaa", "node.replace", world.replacing("noaa", 2), via="cbp")
        await world.net.until(lambda: world.node("noaa").ledger.roster.heights, what="it was not told")
        await world.agreed(*[o for o in world.up if o != "noaa"])
        old = world.node("noaa").ordering.orders, world.node("noaa").links.connected
        await world.net.world.crash("noaa")
        await world.net.restart("noaa")
        first = str(world.net.failures.pop("noaa"))
        world.net.host("noaa").disk.erase()
        world.configs["noaa"] = {
            "node_key": key_of("not the registered one"),
            "registered_raft_id": 6,
            "incarnation": 2,
        }
        await world.net.restart("noaa")
        await asyncio.sleep(3)
        refused = {str(r["reason"]) for r in world.net.told("hello.refused")}
        return old, first, refused, world.node("noaa").links.connected

    old, first, refused, connected = changing(main)
    assert not old[0]
    assert "incarnation 1 of noaa was replaced by 2 at height 2; run that one" in first
    assert any("the signature is not by the node key of 'noaa'" in reason for reason in refused)
    assert connected == []


# What must not pass, and what happens without the safeguard.


def test_followers_refuse_a_block_that_mixes_and_leave_its_leader(changing):
    async def main(world):
        await world.trade(1)
        leader, orders = await world.net.lying_leader()
        change = world.sign("cbp", "orderer.demote", {"organization": "noaa"}, APPROVERS[:2]).raw
        orders.blocks.append([change, world.net.sign().raw])
        world.net.node(leader).driver.wake()
        await world.net.until(
            lambda: len(world.net.told("raft.leader_left", leader=leader)) >= 3, what="they follow it still"
        )
        reasons = {str(r["reason"]) for r in world.net.told("raft.block_refused", peer=leader)}
        return reasons, [world.node(o).ledger.height for o in world.up if o != leader]

    reasons, heights = changing(main)
    assert all("a configuration transaction stands among others" in reason for reason in reasons)
    assert reasons
    assert set(heights) == {1}


def test_without_the_stored_configuration_a_restart_brings_back_who_was_removed_bug_14(changing, monkeypatch):
    def run():
        async def main(world):
            await world.trade(1)
            await world.act("cbp", "orderer.demote", {"organization": "noaa"}, APPROVERS[:2])
            await world.agreed()
            await world.net.world.crash("exporter")
            await world.net.restart("exporter")
            return world.conf("exporter").voters, world.node("exporter").ledger.roster.voters

        return changing(main)

    assert run() == ((1, 2, 3, 4), (1, 2, 3, 4))
    keep = Store.set_configuration
    monkeypatch.setattr(
        Store, "set_configuration", lambda self, index, data: index or keep(self, index, data)
    )
    assert run() == ((1, 2, 3, 4, 5), (1, 2, 3, 4))  # the ablation bites
