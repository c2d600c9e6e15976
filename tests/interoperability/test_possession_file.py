"""A run's proofs of possession: written, checked by us, and by a program that shares no line with ours."""

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest

from ledger.errors import MalformedError, NotProvenError
from ledger.keys import Verifier
from ledger.proofs import PROOF_BYTES_MAX, decode_proof, verify_possession
from ledger.transaction import Transaction, sign_approval, sign_transaction
from scenarios.cli import run_command
from scenarios.errors import RefusedError
from scenarios.exporting.certified import ledger_at
from scenarios.exporting.possession import export_possession, write_possession
from scenarios.exporting.told import tell_possession
from scenarios.model.catalog import LIBRARY, load_scenario
from scenarios.network.asked import founding_of
from scenarios.record.nodestore import opened_copy
from scenarios.record.runfolder import RunFolder
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from tests.interoperability import check_possession
from tests.interoperability.check_possession import Refused, check

CHECKER = Path(check_possession.__file__)


def folder_of(tmp_path_factory, scenario):
    out = tmp_path_factory.mktemp("runs")
    return run_scenario(load_scenario(scenario), RunOptions("virtual", "3", out)).folder


@pytest.fixture(scope="module")
def back_dated(tmp_path_factory):
    return folder_of(tmp_path_factory, "back-dated")


@pytest.fixture(scope="module")
def lawful(tmp_path_factory):
    return folder_of(tmp_path_factory, "nafta-certificate")


@pytest.fixture(scope="module")
def importations(tmp_path_factory):
    return folder_of(tmp_path_factory, "post-importation")


def test_the_checker_is_a_stranger_to_this_project():
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(CHECKER.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"base64", "hashlib", "pathlib", "sys", "msgpack", "nacl"}


@pytest.mark.parametrize(("claim", "before"), [("e1", True), ("e2", True), ("e3", False), ("x1", False)])
def test_both_verifiers_say_the_same_of_a_run_with_a_back_dated_certificate(back_dated, claim, before):
    exported = export_possession(back_dated, claim)
    assert exported.possession.came_before is before
    assert check(exported.proof.encode(), exported.genesis_hash) is before


def test_the_back_dated_certificate_is_refuted_with_both_dates(back_dated):
    told = " ".join(" ".join(tell_possession(export_possession(back_dated, "x1").possession)).split())
    assert told.startswith(
        "REFUTED: quickline had not acknowledged this certificate on the ledger when its claim QLF-7000202-5/1 was"
        " made; it did so only 12 calendar days after."
    )
    assert "dated 2018-08-23 by its signer" in told
    assert "anchored 2018-10-22 10:00" in told
    assert "That the claim rests on this certificate: the claim names none." in told


def test_any_node_s_store_gives_the_same_statement(lawful):
    importers, chambers = (export_possession(lawful, "e1", node=node) for node in (None, "chamber"))
    one, other = importers.possession, chambers.possession
    assert (one.holder, one.held, one.claimed, one.record) == (
        other.holder,
        other.held,
        other.claimed,
        other.record,
    )


def commands(tmp_path, monkeypatch, capsys, *words):
    monkeypatch.chdir(tmp_path)
    code = run_command([*words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_an_orderer_left_and_a_key_was_rotated_and_the_genesis_hash_is_still_enough(tmp_path):
    scenario, seed = load_scenario("nafta-certificate"), "3"
    founding = founding_of(scenario, seed)
    keys = {name: secrets.organization_key for name, secrets in founding.secrets.items()}

    async def script(pilot):
        await pilot.at("2018-09-10T10:00:00")
        change = Transaction(
            version=1,
            network=founding.genesis.network,
            type="orderer.demote",
            creator="cbp",
            nonce=(1, 1),
            valid_until_ms=pilot.now_ms() + 86_400_000,
            documents=(),
            approvals=(),
            body={"organization": "chamber"},
        )
        approvals = tuple(
            (name, sign_approval(change, keys[name])) for name in ("exporter", "importer", "noaa")
        )
        signed = sign_transaction(replace(change, approvals=approvals), keys["cbp"])
        node = pilot.node("cbp")
        await node.submit_until_accepted(signed.raw)
        await node.settle(signed.id, signed.raw)
        await pilot.at("2018-09-12T10:00:00")
        await pilot.do("rotate-keys", by="importer")

    run = run_scenario(scenario, RunOptions("virtual", seed, tmp_path, script=script))
    exported = export_possession(run.folder, "e1")
    proof, possession = exported.proof, exported.possession
    assert possession.came_before
    assert [len(proof.links), len(possession.ledger.roster.orderers)] == [2, 4]
    assert "chamber" not in possession.ledger.signers
    key_of_then, key_of_now = possession.ledger.roster.find("importer").keys
    assert possession.held.height < key_of_then.until < possession.claimed.height
    assert key_of_now.since == key_of_then.until
    told = "\n".join(tell_possession(possession))
    assert "2 changes since genesis, each certified (block" in told
    for links in ((), proof.links[:1], proof.links[1:]):
        with pytest.raises(NotProvenError, match="chain of membership changes"):
            verify_possession(replace(proof, links=links), exported.genesis_hash, Verifier())


def test_a_node_above_its_last_certificate_executes_again_up_to_there(lawful):
    with opened_copy(lawful.node_directory("importer")) as store:
        store.load_ledger(Verifier())
        for height in (1, store.height - 2, store.height):
            then = ledger_at(store, Verifier(), height)
            assert then.checkpoint.text() == store.own_checkpoint(height)[0]


def test_an_importer_s_own_certification_is_held_from_the_anchoring_on(importations):
    exported = export_possession(importations, "u1")
    assert exported.proof.acknowledgement is None
    assert check(exported.proof.encode(), exported.genesis_hash)
    told = " ".join(" ".join(tell_possession(exported.possession)).split())
    assert told.startswith("PROVEN: importer had certified this itself 367 calendar days before its claim")
    assert "held from the anchoring on: importer" in told


def test_the_commands_write_one_file_and_say_what_it_proves(lawful, tmp_path, monkeypatch, capsys):
    def run(*words):
        return commands(tmp_path, monkeypatch, capsys, *words)

    code, said, _ = run("export", "possession", "e1", "--run", str(lawful.path))
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["e1.possession"]
    assert "PROVEN: importer had acknowledged this certificate on the ledger 15" in said
    genesis_hash = said.split("genesis ")[1].split()[0]
    (tmp_path / "hash").write_text(f"{genesis_hash}\n")
    (tmp_path / "genesis.bin").write_bytes(decode_proof((tmp_path / "e1.possession").read_bytes()).genesis)
    for given in (genesis_hash, genesis_hash.upper(), "hash", "genesis.bin", ".", str(lawful.path)):
        code, said, _ = run("verify-proof", "e1.possession", "--genesis", given)
        assert code == 0, given
        assert said.startswith("PROVEN: importer had acknowledged this certificate on the ledger 15")
        assert all(len(line) <= 80 for line in said.splitlines())
    checked = subprocess.run(
        [sys.executable, CHECKER, tmp_path / "e1.possession", genesis_hash],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "held before the claim\n"), checked.stderr


def test_exit_codes_tell_refuted_from_unreadable(back_dated, tmp_path, monkeypatch, capsys):
    def run(*words):
        return commands(tmp_path, monkeypatch, capsys, *words)

    path = tmp_path / "x1.possession"
    assert run("export", "possession", "x1", "--run", str(back_dated.path))[0] == 0
    code, said, _ = run("verify-proof", str(path), "--genesis", str(back_dated.path))
    assert code == 1
    assert said.startswith("REFUTED: quickline had not acknowledged")
    code, said, _ = run("verify-proof", str(path), "--genesis", "00" * 32)
    assert code == 1
    assert said.startswith("NOT PROVEN: the genesis does not hold")
    code, _, said = run("export", "possession", "x1", "--run", str(back_dated.path))
    assert code == 64
    assert "is there already; nothing is overwritten" in said
    path.write_bytes(path.read_bytes()[:-1])
    code, _, said = run("verify-proof", str(path), "--genesis", "00" * 32)
    assert code == 64
    assert "this is no possession file" in said
    for given in ("0" * 63, "nowhere"):
        code, _, said = run("verify-proof", str(path), "--genesis", given)
        assert code == 64
        assert "give 64 hex digits" in said
    code, _, said = run("verify-proof", "nowhere", "--genesis", "00" * 32)
    assert code == 64
    assert "nowhere cannot be read" in said


def test_the_exit_code_tells_a_refuted_claim_though_nobody_listens(back_dated, tmp_path):
    path = tmp_path / "x1.possession"
    write_possession(export_possession(back_dated, "x1"), path)
    command = [sys.executable, "-m", "scenarios", "verify-proof", path, "--genesis", back_dated.path]
    for unbuffered in ("", "1"):
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        ) as process:
            process.stdout.close()
            assert (process.wait(60), process.stderr.read()) == (1, b"")


@pytest.mark.parametrize(
    ("claim", "certificate", "node", "reason"),
    [
        ("e9", None, None, "no claim of this run; claims: e1, e2, e3"),
        ("SX7-9999999-9/1", None, None, "is on no certified block"),
        ("e1", "c9", None, "no document of this run"),
        ("e1", None, "nobody", "has no node in this run"),
    ],
)
def test_what_cannot_be_exported_is_said(lawful, claim, certificate, node, reason):
    with pytest.raises(RefusedError, match=reason):
        export_possession(lawful, claim, certificate, node)


def test_a_claim_that_names_another_certificate_is_not_held_against_this_one(back_dated):
    with pytest.raises(RefusedError, match=r"claim e1 names certificate .* not the one that is asked for"):
        export_possession(back_dated, "e1", "c2")


def test_a_claim_on_the_importer_s_own_knowledge_has_no_possession_to_prove(importations):
    scenario = load_scenario(str(importations.path / "scenario.yaml"))
    without = [name for name, claim in scenario.claims.items() if claim.certificate is None]
    assert without
    with pytest.raises(RefusedError, match="importer's own knowledge, and there is no possession"):
        export_possession(importations, without[0])


def test_a_carnet_s_name_is_told_to_be_out_of_scope(tmp_path):
    (tmp_path / "scenario.yaml").write_bytes((LIBRARY / "carnet-journey.yaml").read_bytes())
    (tmp_path / "run.json").write_text('{"seed": "1"}')
    with pytest.raises(RefusedError, match="is no claim of preference; possession is proven of certificates"):
        export_possession(RunFolder.at(tmp_path), "k1")


def test_a_claim_of_a_generated_trade_is_found_by_the_name_that_the_run_tells(lawful, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(lawful.path, copy)
    events = copy / "observer" / "events.ndjson"
    events.write_text(events.read_text().replace('"claim":"e2"', '"claim":"s7"'))
    by_name, scripted = (export_possession(RunFolder(copy), name) for name in ("s7", "e2"))
    assert by_name.proof == scripted.proof
    with pytest.raises(RefusedError, match="no claim of this run; claims: e1, e2, e3, s7; or an entry line"):
        export_possession(RunFolder(copy), "s8")


def test_a_proof_that_no_verifier_would_look_at_is_not_written(lawful, tmp_path):
    exported = export_possession(lawful, "e1")
    swollen = replace(exported, proof=replace(exported.proof, genesis=bytes(PROOF_BYTES_MAX)))
    with pytest.raises(RefusedError, match=f"no verifier looks at more than {PROOF_BYTES_MAX}"):
        write_possession(swollen, tmp_path / "e1.possession")
    assert list(tmp_path.iterdir()) == []


def test_of_two_claims_on_one_entry_line_the_ledger_s_is_proven_and_the_other_named(
    importations, tmp_path, monkeypatch, capsys
):
    words = ["export", "possession", "d2", "--run", str(importations.path)]
    code, said, _ = commands(tmp_path, monkeypatch, capsys, *words)
    assert code == 0
    assert "d1 of the scenario is on this entry line too; the ledger took one claim of it" in said


def flips(data, count):
    """Return files that differ from one in a bit, spread over all of it."""
    step = max(1, len(data) // count)
    for place in range(0, len(data), step):
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_a_changed_file_never_makes_either_verifier_say_something_else(lawful):
    exported = export_possession(lawful, "e1")
    data, genesis_hash = exported.proof.encode(), exported.genesis_hash
    verifier, refused_by_ours = Verifier(), 0
    for changed in flips(data, 150):
        try:
            assert verify_possession(decode_proof(changed), genesis_hash, verifier).came_before
        except (NotProvenError, MalformedError):
            refused_by_ours += 1
            continue
        assert check(changed, genesis_hash)
    assert refused_by_ours > 140


@pytest.mark.parametrize(
    ("to", "of", "parts", "reason"),
    [
        ("acknowledgement", "claim", ["receipt"], "the time is another block's"),
        ("acknowledgement", "claim", ["receipt", "block"], "another transaction's"),
        ("acknowledgement", "claim", ["block"], "the time is another block's"),
        ("claim", "acknowledgement", ["transaction", "receipt", "block"], "another importer's"),
        ("acknowledgement", "anchor", ["transaction", "receipt", "block"], "nothing was acknowledged"),
    ],
)
def test_both_refuse_a_file_whose_acts_were_swapped(lawful, to, of, parts, reason):
    exported = export_possession(lawful, "e1")
    value = msgpack.unpackb(exported.proof.encode())
    for part in parts:
        value[to][part] = value[of][part]
    data = check_possession.pack(value)
    with pytest.raises(Refused, match=reason):
        check(data, exported.genesis_hash)
    with pytest.raises(NotProvenError):
        verify_possession(decode_proof(data), exported.genesis_hash, Verifier())
