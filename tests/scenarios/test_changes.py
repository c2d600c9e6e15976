"""Membership by hand: keys and YAML prepared, signed, approved and put together are VALID on the ledger."""

from __future__ import annotations

import shutil
import time

import pytest

from ledger.block import build_block
from ledger.codes import Code
from ledger.execution import Ledger
from ledger.genesis import Genesis, Role
from ledger.keys import SigningKey, Verifier
from scenarios.cli import run_command
from scenarios.errors import RefusedError
from scenarios.hosting.changes import (
    approve_file,
    prepare_key,
    prepare_member,
    prepare_node,
    with_approvals,
)
from scenarios.hosting.commands import init_network, sign_file
from scenarios.model.catalog import load_scenario


class Desk:
    """One network's folder and its ledger."""

    def __init__(self, directory):
        self.directory = directory
        self.genesis = Genesis.decode((directory / "genesis.bin").read_bytes())
        self.ledger = Ledger(self.genesis, Verifier())
        self.proposer = self.genesis.orderers[0]

    def execute(self, raw):
        ledger = self.ledger
        block = build_block(
            network=self.genesis.network,
            height=ledger.height + 1,
            term=1,
            previous=ledger.block_hash,
            time_ms=max(ledger.time_ms, time.time_ns() // 1_000_000),
            transactions=(raw,),
            proposer=self.proposer,
            key=SigningKey.load(self.directory / self.proposer / "node.key"),
        )
        return ledger.execute(block, block.hash).receipts[0]

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("founded") / "net"
    init_network(directory, load_scenario("nafta-certificate"), 7300, lambda _: None)
    return directory


@pytest.fixture
def desk(founded, tmp_path):
    shutil.copytree(founded, tmp_path / "net")
    return Desk(tmp_path / "net")


def test_a_newcomer_is_prepared_signed_approved_and_joins(desk):
    text = prepare_member(
        desk.directory, "dhl", name="DHL", country="DE", roles=[Role.BROKER], url="http://dhl.example:7000"
    )
    members = [o.id for o in desk.genesis.organizations]
    creator, *others = members
    signed = desk.write("add.bin", sign_file(desk.directory, creator, desk.write("add.yaml", text)))
    approvals = [
        desk.write(f"add.{name}", approve_file(desk.directory, name, signed))
        for name in others[: len(members) // 2]
    ]
    raw = with_approvals(desk.directory, creator, signed, approvals)
    assert desk.execute(raw).code is Code.VALID
    member = desk.ledger.roster.organization("dhl")
    assert member.key == SigningKey.load(desk.directory / "dhl" / "organization.key").public
    assert member.node_key == SigningKey.load(desk.directory / "dhl" / "node.key").public
    assert (desk.directory / "dhl" / "token").stat().st_mode & 0o077 == 0
    rotation = desk.write("rotate.yaml", prepare_key(desk.directory, "dhl"))
    assert desk.execute(sign_file(desk.directory, "dhl", rotation)).code is Code.VALID


def test_a_lost_node_is_replaced_by_its_own_organization(desk):
    name = desk.genesis.orderers[1]
    file = desk.write("node.yaml", prepare_node(desk.directory, name, incarnation=2, url=None))
    assert desk.execute(sign_file(desk.directory, name, file)).code is Code.VALID
    key = SigningKey.load(desk.directory / name / "node-2.key")
    assert desk.ledger.roster.organization(name).node_key == key.public
    ready = desk.write("ready.yaml", "type: node.ready\nbody: {incarnation: 2}\n")
    assert desk.execute(sign_file(desk.directory, name, ready)).code is Code.VALID


def test_what_is_no_approval_or_somebody_elses_is_refused(desk, capsys):
    creator, other = (o.id for o in desk.genesis.organizations[:2])
    ready = desk.write("ready.yaml", "type: node.ready\nbody: {incarnation: 2}\n")
    signed = desk.write("ready.bin", sign_file(desk.directory, creator, ready))
    line = desk.write("line", approve_file(desk.directory, other, signed))
    with pytest.raises(RefusedError, match=f"is {creator}'s, not {other}'s"):
        with_approvals(desk.directory, other, signed, [line])
    for rubbish in ("", "name", "name zz", "name 00", "a b c", "\xff"):
        with pytest.raises(RefusedError, match=r"approval|signature"):
            with_approvals(desk.directory, creator, signed, [desk.write("rubbish", rubbish)])
    with pytest.raises(RefusedError, match="seatrial sign"):
        approve_file(desk.directory, other, ready)
    with pytest.raises(RefusedError, match="a newcomer has no folder yet"):
        prepare_member(desk.directory, creator, name="x", country="US", roles=[Role.BROKER], url="http://x:1")


def test_the_commands_do_the_same(desk, tmp_path):
    directory, out = str(desk.directory), tmp_path / "out"
    creator, one, two, three, *_ = (o.id for o in desk.genesis.organizations)
    where = ["--url", "http://dhl.example:7000", "--role", "broker"]
    assert run_command(["prepare", "member", directory, "dhl", *where, "--out", f"{out}.yaml"]) == 0
    assert run_command(["sign", directory, creator, f"{out}.yaml", "--out", f"{out}.bin"]) == 0
    for name in (one, two, three):
        assert run_command(["approve", directory, name, f"{out}.bin", "--out", f"{out}.{name}"]) == 0
    approvals = [part for name in (one, two, three) for part in ("--approval", f"{out}.{name}")]
    assert (
        run_command(["sign", directory, creator, f"{out}.bin", *approvals, "--out", f"{out}.approved"]) == 0
    )
    raw = (tmp_path / "out.approved").read_bytes()
    assert desk.execute(raw).code is Code.VALID
    assert run_command(["prepare", "member", directory, "ups"]) == 64
