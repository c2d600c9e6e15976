"""A whole run with a spoilt envelope, or a false complaint: exported, and checked from the genesis hash alone."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.envelopes import SignedEnvelope, seal
from ledger.keys import Verifier
from ledger.proofs import verify_complaint
from scenarios.cli import run_command
from scenarios.errors import RefusedError
from scenarios.exporting.complaint import export_complaint
from scenarios.judging.verdict import Verdict
from scenarios.model.catalog import load_scenario
from scenarios.record.runfolder import RunFolder
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario

CLEARED = ["steps=[]", "faults=[]", "expect=[]", "checks=[]"]


def flown(tmp_path_factory, script):
    loaded = load_scenario("nafta-certificate", CLEARED)
    return run_scenario(
        loaded, RunOptions("virtual", "3", tmp_path_factory.mktemp("runs"), script=script)
    ).folder.path


async def dishonest_sender(p):
    """The exporter signs and sends bytes that open for nobody, and a sound envelope once it is complained of."""
    exporter = p._trial.agents["exporter"]
    wallet, send = exporter.wallet, exporter.send
    spoilt = []

    async def cheat(root, to, names=None):
        if to != "importer" or spoilt:
            await send(root, to, names)
            return
        sealed = seal(b"nothing", exporter.keybook.box_key(to), wallet._random)
        spoilt.append(sealed[:-1] + bytes([sealed[-1] ^ 1]))
        await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, spoilt[0]))

    exporter.send = cheat
    await p.do("issue-certificate", by="exporter", document="c1")
    await p.until("certificate c1 held by importer")
    await p.do("disclose-document", by="importer", document="c1", to="noaa", fields=["kind"])
    await p.after("1d")


async def false_complaint(p):
    """The importer says that it cannot read what it can, then acknowledges the same bytes sent again."""
    importer = p._trial.agents["importer"]
    wallet = importer.wallet
    read = wallet.open
    lies = []

    def lying(root, data):
        if not lies:
            lies.append(root)
            return read(root, data[:-65] + bytes(65))
        return read(root, data)

    wallet.open = lying
    await p.do("issue-certificate", by="exporter", document="c1")
    await p.until("certificate c1 held by importer")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    return flown(tmp_path_factory, dishonest_sender)


@pytest.fixture(scope="module")
def slandered(tmp_path_factory):
    return flown(tmp_path_factory, false_complaint)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = run_command([str(word) for word in words])
        said = capsys.readouterr()
        return code, " ".join(said.out.split()), said.err

    return run


def genesis_hash_in(said):
    return said.partition("genesis ")[2][:64]


def test_a_spoilt_envelope_is_on_the_ledger_exported_and_checked_offline(spoilt, command, tmp_path):
    code, said, _ = command("export", "complaint", "c1", "--run", spoilt)
    assert code == 0
    assert said.startswith(
        "c1-importer.complaint PROVEN: the envelope that exporter sealed for importer under"
    )
    assert "Whoever has this file can read what this one envelope opens to" in said
    code, told, _ = command("verify-proof", "c1-importer.complaint", "--genesis", genesis_hash_in(said))
    assert code == 0
    assert told.startswith(
        "PROVEN: the envelope that exporter sealed for importer under the document's root is spoilt:"
    )
    assert "it does not open with the key that its two keys share" in told
    assert "by its own signature over this root, importer as addressee and this envelope" in told
    assert "holding HELD; importer has acknowledged an envelope of it since" in told
    assert "That importer never had a sound envelope" in told
    assert command("verify-proof", "c1-importer.complaint", "--genesis", "0" * 64)[0] == 1


def test_a_false_complaint_is_exposed(slandered, command):
    code, said, _ = command("export", "complaint", "c1", "--run", slandered)
    assert code == 0
    assert "opens and has the root: the complaint is false." in said
    code, told, _ = command("verify-proof", "c1-importer.complaint", "--genesis", slandered)
    assert code == 1
    assert told.startswith(
        "REFUTED: the envelope that exporter sealed for importer under the document's root opens and"
    )
    assert "fields in the clear" in told
    assert "Conservas" not in told


def test_the_file_fits_a_terminal_and_is_never_written_over_another(spoilt, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command(["export", "complaint", "c1", "--run", str(spoilt), "--out", "x"]) == 0
    capsys.readouterr()
    assert run_command(["verify-proof", "x", "--genesis", str(spoilt)]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    assert run_command(["export", "complaint", "c1", "--run", str(spoilt), "--out", "x"]) == 64
    assert "is there already" in capsys.readouterr().err


def test_the_ledger_and_all_other_nodes_have_nothing_by_which_the_envelope_opens(spoilt):
    """What the ledger shows is its hash: the sealed bytes and the shared point are in the file alone."""
    exported = export_complaint(RunFolder.at(spoilt), "c1")
    for name in ("cbp", "noaa", "exporter", "chamber"):
        data = (spoilt / "nodes" / name / "node.db").read_bytes()
        assert exported.complaint.envelope in data
        assert exported.proof.sealed[:32] not in data
        assert exported.proof.opening.point not in data


def test_what_there_is_no_evidence_of_is_refused_by_name(spoilt):
    folder = RunFolder.at(spoilt)
    for words, reason in [
        ({"reader": "noaa"}, "noaa complained about an envelope of document c1"),
        ({"reader": "nobody"}, "has no node in this run"),
        ({"number": 2}, "importer has no complaint number 2"),
        ({"number": 0}, "importer has no complaint number 0"),
    ]:
        with pytest.raises(RefusedError, match=reason):
            export_complaint(folder, "c1", **words)
    with pytest.raises(RefusedError, match="no document of this run"):
        export_complaint(folder, "c9")


def test_a_run_without_complaints_says_so(tmp_path_factory):
    async def lawful(p):
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.until("certificate c1 held by importer")

    with pytest.raises(RefusedError, match="nobody complained about an envelope of document c1"):
        export_complaint(RunFolder.at(flown(tmp_path_factory, lawful)), "c1")


def test_a_complaint_about_a_disclosed_document_is_its_discloser_s(tmp_path_factory):
    """The importer passes a certificate on to NOAA, spoilt: NOAA's complaint accuses it, not the exporter."""

    async def script(p):
        importer = p._trial.agents["importer"]
        post = importer.post

        async def spoiling(root, to, signed):
            sealed = SignedEnvelope.decode(signed).sealed
            if to == "noaa":
                signed = importer.wallet.sign_envelope(root, to, bytes(32) + sealed[32:])
            await post(root, to, signed)

        importer.post = spoiling
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.until("certificate c1 held by importer")
        await p.do("disclose-document", by="importer", document="c1", to="noaa")
        await p.after("1d")

    exported = export_complaint(RunFolder.at(flown(tmp_path_factory, script)), "c1")
    complaint = verify_complaint(exported.proof, exported.genesis_hash, Verifier())
    assert (complaint.reader, complaint.accused, complaint.certificate) == ("noaa", "importer", None)
    assert complaint.judged.soundness == "BAD_KEY"
    assert exported.proof.opening is None


CHECKER = Path(__file__).with_name("check_complaint.py")


def test_the_checker_is_a_stranger_to_this_project():
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(CHECKER.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"check_possession", "hashlib", "itertools", "nacl", "pathlib", "sys"}


def checked(data, genesis_hash, tmp_path):
    """What a stranger's program says of a file."""
    path = tmp_path / "file"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, CHECKER, path, genesis_hash.hex()], capture_output=True, text=True, check=False
    )
    return (done.stdout or done.stderr).strip()


def test_a_program_that_shares_no_line_with_ours_says_the_same(spoilt, slandered, tmp_path):
    true, false = (export_complaint(RunFolder.at(path), "c1") for path in (spoilt, slandered))
    said = [checked(one.proof.encode(), one.genesis_hash, tmp_path) for one in (true, false)]
    assert said == [
        "exporter for importer: spoilt: it does not open",
        "exporter for importer: sound: the complaint is false",
    ]
    forged = replace(false.proof, opening=true.proof.opening)
    assert checked(forged.encode(), false.genesis_hash, tmp_path) == "refused: the shared point is not proven"
    assert checked(true.proof.encode(), bytes(32), tmp_path) == "refused: another network's genesis"


def test_the_library_s_scenario_is_told_alike_by_both(tmp_path):
    loaded = load_scenario("spoilt-envelope")
    result = run_scenario(loaded, RunOptions("virtual", "5", tmp_path / "runs"))
    assert result.judgment.verdict is Verdict.PASSED, result.judgment
    expected = {"c1": "exporter for importer: spoilt: it opens to no envelope"}
    expected["c9"] = "bodegas for quickline: sound: the complaint is false"
    for document, told in expected.items():
        exported = export_complaint(RunFolder.at(result.folder.path), document)
        assert exported.complaint.is_true is ("spoilt" in told)
        assert checked(exported.proof.encode(), exported.genesis_hash, tmp_path) == told
