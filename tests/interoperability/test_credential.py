"""A run's documents as credentials, checked by a program that shares no line with ours."""

import ast
import copy
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from scenarios.cli import run_command
from scenarios.errors import RefusedError
from scenarios.exporting.credential import export_credential, write_credential
from scenarios.exporting.held import find_document
from scenarios.exporting.roots import root_of
from scenarios.model.catalog import load_scenario
from scenarios.record.runfolder import RunFolder
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from tests.interoperability import check_credential
from tests.interoperability.check_credential import Refused, check

CHECKER = Path(check_credential.__file__)
PRODUCER = "Conservas Punta Mita"

FOUND_INCORRECT = """
scenario: found-incorrect
extends: nafta-certificate
title: The certificate is found incorrect
steps:
  - {at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1}
  - {at: "2018-10-04T10:00:00", by: exporter, do: notify-incorrect, document: c1, reason: another rule of origin}
claims: {}
checks: [agreement]
expect: [certificate c1 is NOTICE_GIVEN]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return run_scenario(load_scenario("nafta-certificate"), RunOptions("virtual", "7", out)).folder


@pytest.fixture(scope="module")
def importers(folder):
    return export_credential(find_document(folder, "c1", "importer"))


def judged(exported):
    """Check what a stranger would have read from the files."""
    values = json.loads(json.dumps([exported.credential, exported.trust, *exported.status_lists.values()]))
    return check(values[0], values[1], values[2:])


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
    assert imported <= {
        "base64",
        "gzip",
        "hashlib",
        "json",
        "pathlib",
        "sys",
        "base58",
        "msgpack",
        "nacl",
        "rfc8785",
    }


def test_a_credential_holds_and_discloses_what_its_holder_may_see(folder, importers):
    assert judged(importers) == []
    assert PRODUCER not in json.dumps(importers.credential)
    customs = export_credential(find_document(folder, "c1", "cbp"))
    assert judged(customs) == []
    assert PRODUCER in json.dumps(customs.credential)


def test_the_command_writes_files_that_the_checker_reads_as_a_program(folder, tmp_path):
    command = [sys.executable, "-m", "scenarios", "export", "credential", "c1"]
    done = subprocess.run(
        [*command, "--run", folder.path, "--out", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = [f"c1-importer.{part}.json" for part in ("credential", "trust", "revocation", "suspension")]
    said = subprocess.run(
        [sys.executable, CHECKER, *(tmp_path / name for name in names)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "holds\n"), said.stderr


def test_exporting_twice_gives_the_same_bytes(folder, importers, tmp_path):
    again = export_credential(find_document(folder, "c1", "importer"))
    first, second = (
        [path.read_bytes() for path in write_credential(exported, tmp_path / str(number), "c1")]
        for number, exported in enumerate((importers, again))
    )
    assert first == second


def test_the_files_go_into_a_folder_named_after_the_document_and_over_no_other(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    words = ["export", "credential", "c1", "--run", str(folder.path)]
    assert run_command(words) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["c1-importer.credential"]
    (tmp_path / "c1-importer.credential" / "c1-importer.credential.json").unlink()
    written = sorted((tmp_path / "c1-importer.credential").iterdir())
    assert len(written) == 3
    assert run_command(words) == 64
    assert "is there already; nothing is overwritten; name another --out" in capsys.readouterr().err
    assert sorted((tmp_path / "c1-importer.credential").iterdir()) == written


def test_what_two_holders_export_lies_beside_each_other_in_one_folder(folder, tmp_path, capsys):
    for holder in ("importer", "cbp"):
        words = ["export", "credential", "c1", "--run", str(folder.path), "--holder", holder]
        assert run_command([*words, "--out", str(tmp_path / "both")]) == 0
        said = capsys.readouterr().out
        assert all(len(line) <= 80 for line in said.splitlines() if "/" not in line)
        assert f"held by {holder}" in said
        assert "exporter's key is still the one that signed it." in said
    assert len(list((tmp_path / "both").iterdir())) == 8
    one, other = (
        (tmp_path / "both" / f"c1-{holder}.trust.json").read_bytes() for holder in ("importer", "cbp")
    )
    assert one == other


def test_a_certificate_found_incorrect_is_suspended(tmp_path):
    path = tmp_path / "found-incorrect.yaml"
    path.write_text(FOUND_INCORRECT)
    result = run_scenario(load_scenario(str(path)), RunOptions("virtual", "1", tmp_path))
    exported = export_credential(find_document(result.folder, "c1", None))
    assert judged(exported) == ["suspension"]


def with_changed(value, path, change):
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = change(place[path[-1]])
    return changed


def resigned(folder, credential):
    """The issuer's own key secures it again: what its evidence does not cover must still be caught."""
    from ledger.credentials import ProofOptions, secure
    from ledger.keys import SigningKey, seed_for

    key = SigningKey.from_seed(seed_for("7", "exporter/credential-key"))
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    return secure(unsigned, key, ProofOptions("2020-01-01T00:00:00Z"))


def flipped(text):
    return text[:-2] + ("A" if text[-2] != "A" else "Q") + text[-1]


EVIDENCE = ("evidence", 0)


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        (
            ("credentialSubject", "fields", "exporter_name"),
            lambda _: "Somebody Else",
            "subject says something else",
        ),
        (("credentialSubject", "publicFacts", "signed_on"), lambda _: "2018-09-05", "public facts"),
        ((*EVIDENCE, "disclosures", 0, "value"), lambda _: "2017-01-01", "not as anchored"),
        ((*EVIDENCE, "disclosures", 0, "salt"), flipped, "not as anchored"),
        ((*EVIDENCE, "digests"), lambda text: text[:-43], "another document"),
        ((*EVIDENCE, "leaf"), lambda text: text.replace("u", "u", 1)[:-4] + "AAAA", None),
        ((*EVIDENCE, "inclusion"), lambda text: text.replace("index 0", "index 1"), "not in the log"),
        ((*EVIDENCE, "issuerRecord", "key"), lambda _: "organization/importer", "somebody else's record"),
        ((*EVIDENCE, "issuerRecord", "value"), flipped, None),
        ((*EVIDENCE, "credentialKey", "signature"), flipped, "not vouched for"),
        ((*EVIDENCE, "transaction"), flipped, None),
        (("issuer", "organization"), lambda _: "importer", "somebody else anchored"),
    ],
)
def test_a_credential_that_its_evidence_does_not_bear_is_refused(folder, importers, path, change, reason):
    changed = resigned(folder, with_changed(importers.credential, path, change))
    with pytest.raises((Refused, ValueError, KeyError, TypeError), match=reason):
        judged(type(importers)(changed, importers.status_lists, importers.trust))


def test_a_credential_changed_by_anybody_else_is_refused(importers):
    changed = with_changed(importers.credential, ("validUntil",), lambda _: "2099-01-01T00:00:00Z")
    with pytest.raises(Refused, match="proof does not hold"):
        judged(type(importers)(changed, importers.status_lists, importers.trust))


def test_a_credential_without_its_status_lists_is_refused(importers):
    with pytest.raises(Refused, match="the list for revocation is missing"):
        judged(replace(importers, status_lists={}))


MOMENT = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}Z"


def test_a_credential_has_what_the_standards_ask_for(importers):
    """Verifiable Credentials Data Model 2.0, sections 4.3 to 4.10; Bitstring Status List 1.0, sections 2.1 and 2.2."""
    for credential in (importers.credential, *importers.status_lists.values()):
        assert credential["@context"][0] == "https://www.w3.org/ns/credentials/v2"
        assert credential["type"][0] == "VerifiableCredential"
        assert credential["proof"]["verificationMethod"].startswith("did:key:z6Mk")
        assert credential["proof"]["proofPurpose"] == "assertionMethod"
        moments = [credential[name] for name in ("validFrom", "validUntil") if name in credential]
        assert all(re.fullmatch(MOMENT, moment) for moment in moments)
        assert moments == sorted(moments)
    assert {item["type"] for item in importers.credential["evidence"]} == {"LedgerInclusion"}
    for entry in importers.credential["credentialStatus"]:
        assert entry["type"] == "BitstringStatusListEntry"
        assert re.fullmatch("0|[1-9][0-9]*", entry["statusListIndex"])
        status = importers.status_lists[entry["statusPurpose"]]
        assert entry["id"] != entry["statusListCredential"] == status["id"]
        assert status["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
        assert status["credentialSubject"]["type"] == "BitstringStatusList"
        assert status["credentialSubject"]["encodedList"].startswith("u")


def test_too_few_orderers_are_not_believed(importers):
    (electorate,) = importers.trust["electorate"]
    two = {**electorate, "orderers": electorate["orderers"][:2]}
    lonely = {**importers.trust, "electorate": [two]}
    with pytest.raises(Refused, match="orderers signed, 3 are needed"):
        judged(type(importers)(importers.credential, importers.status_lists, lonely))


def test_another_issuer_s_status_list_is_refused(importers):
    lists = {
        name: with_changed(
            value, ("issuer",), lambda _: "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
        )
        for name, value in importers.status_lists.items()
    }
    with pytest.raises(Refused):
        judged(type(importers)(importers.credential, lists, importers.trust))


@pytest.mark.parametrize(
    ("document", "holder", "reason"),
    [
        ("c9", None, "no document of this run.*c1"),
        ("abc", None, "no document of this run"),
        ("c1", "chamber", "chamber has no envelope of document c1; .* for importer, cbp; name another"),
        ("ffffffff", None, "no document of this run; documents: c1; or give"),
        ("c1", "nobody", "has no node in this run"),
    ],
)
def test_what_cannot_be_exported_is_said(folder, document, holder, reason):
    with pytest.raises(RefusedError, match=reason):
        find_document(folder, document, holder)


def test_a_document_without_a_name_is_found_by_its_root(folder):
    root = next(
        json.loads(line)["documents"][0]
        for line in folder.event_lines("public")
        if '"type":"document.anchor"' in line
    )
    exported = export_credential(find_document(folder, root[:12], None))
    assert judged(exported) == []
    assert "credentialStatus" not in exported.credential
    assert exported.status_lists == {}


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return run_scenario(load_scenario("carnet-journey"), RunOptions("virtual", "7", out)).folder


def test_a_carnet_and_a_voucher_are_found_by_their_names(journey, tmp_path, capsys):
    """Their acts name no addressees: who got the envelope first is the holder."""
    for name, holder, items in (("k1", "council", "holder_address"), ("k1/1", "cbp", "number")):
        words = ["export", "credential", name, "--run", str(journey.path), "--out", str(tmp_path)]
        assert run_command(words) == 0
        said = capsys.readouterr().out
        assert f"Issued by drummaker at height {1 if name == 'k1' else 5}, held by {holder}," in said
        assert "It is no certificate of origin: nothing suspends or revokes it." in said
        stem = f"{name.replace('/', '-')}-{holder}"
        files = [tmp_path / f"{stem}.{part}.json" for part in ("credential", "trust")]
        credential, trust = (json.loads(file.read_text()) for file in files)
        assert check(credential, trust, []) == []
        assert any(field.startswith(items) for field in credential["credentialSubject"]["fields"])
    assert len(list(tmp_path.iterdir())) == 4


@pytest.fixture
def told(tmp_path):
    """Return a function that makes a folder of which only the receipts are told."""

    def make(*receipts):
        for part in ("public", "observer"):
            (tmp_path / part).mkdir()
        common = {"event": "receipt", "code": "VALID", "body": "{}"}
        lines = [json.dumps({**common, **receipt}) for receipt in receipts]
        (tmp_path / "observer" / "events.ndjson").write_text("\n".join(lines))
        return RunFolder(tmp_path)

    return make


def test_an_error_shows_no_more_names_than_fit(told):
    receipts = [{"type": "carnet.apply", "carnet": f"s{n}", "documents": [f"{n:064x}"]} for n in range(20)]
    scenario = SimpleNamespace(documents={}, forms={}, carnets={})
    with pytest.raises(RefusedError, match=r"documents: s0, s1, .*, s11 and 8 more; or give"):
        root_of(told(*receipts), scenario, "s20")


def test_a_name_means_the_root_of_the_act_that_brings_it_and_of_no_later_one(told):
    folder = told(
        {"type": "document.anchor", "documents": ["aa" * 32]},
        {"type": "fisheries.draft", "form370": "safe", "documents": ["bb" * 32]},
        {"type": "fisheries.endorse", "form370": "safe", "documents": ["cc" * 32]},
        {"type": "holding.complain", "certificate": "c1", "documents": ["dd" * 32]},
        {"type": "certificate.anchor", "certificate": "c1", "documents": ["ee" * 32]},
        {"type": "certificate.anchor", "certificate": "b-generated", "documents": ["ff" * 32]},
    )
    scenario = SimpleNamespace(documents={"c1": None, "c2": None}, forms={"safe": None}, carnets={})
    assert root_of(folder, scenario, "safe").hex() == "bb" * 32
    assert root_of(folder, scenario, "c1").hex() == "ee" * 32
    assert root_of(folder, scenario, "aaaaaaaa").hex() == "aa" * 32
    assert root_of(folder, scenario, "b-generated").hex() == "ff" * 32
    with pytest.raises(
        RefusedError, match="document c2 was never anchored in this run; see `seatrial show RUN c2`"
    ):
        root_of(folder, scenario, "c2")
    with pytest.raises(
        RefusedError, match="documents: c1, c2, safe, b-generated; or give at least 8 hex digits of a root"
    ):
        root_of(folder, scenario, "aaaaaaa")
