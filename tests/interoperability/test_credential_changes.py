"""Credentials after the roster changed: keys rotated, stolen and revoked, an orderer gone, a holder that came later."""

import json
from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pytest

from ledger.contracts.membership import Purpose, prove_possession
from ledger.documents import commit_fields, digests_statement, envelope
from ledger.envelopes import seal, sign_envelope
from ledger.keys import BoxKey, Domain, SigningKey, seed_for
from ledger.members import KeyTerm
from ledger.store import Store
from ledger.transaction import Transaction, sign_approval, sign_transaction
from scenarios.agents.wallet import drawn_keys
from scenarios.errors import RefusedError
from scenarios.exporting import credential
from scenarios.exporting import held as held_module
from scenarios.exporting.credential import export_credential
from scenarios.exporting.held import find_document
from scenarios.exporting.issuer import IssuerKeys
from scenarios.exporting.keyring import Keyring
from scenarios.exporting.standing import tell_credential
from scenarios.model.catalog import load_scenario
from scenarios.network.asked import founding_of
from scenarios.network.founding import key_stream, secrets_from_seed
from scenarios.network.plan import Address, node_config
from scenarios.running.options import RunOptions
from scenarios.running.runner import run_scenario
from scenarios.worlds import virtual as worlds
from scenarios.worlds.virtual import API_PORT, PEER_PORT
from tests.interoperability.check_credential import Refused, check

SEED = "3"
NEWCOMER = "newcomer"
CLEARED = ["steps=[]", "expect=[]", "checks=[]"]
SUCCESSOR = SigningKey.from_seed(seed_for("elsewhere", "successor"))
"""A key that a script made by itself: the run's seed says nothing of it."""


def rotated(organization):
    """Return the keys that an organization takes with its first rotation."""
    return drawn_keys(Random(f"{SEED}:{key_stream(organization)}"))


class Desk:
    """Signs changes of the roster, approved by a majority, and notes their heights."""

    def __init__(self, pilot, founding):
        self.pilot = pilot
        self.network = founding.genesis.network
        self.keys = {name: own.organization_key for name, own in founding.secrets.items()}
        self.heights = {}
        self.count = 0

    async def change(self, what, kind, body, by="cbp", approvals=("importer", "gavilan", "chamber")):
        self.count += 1
        change = Transaction(
            version=1,
            network=self.network,
            type=kind,
            creator=by,
            nonce=(1, self.count),
            valid_until_ms=self.pilot.now_ms() + 86_400_000,
            documents=(),
            approvals=(),
            body=body,
        )
        given = tuple((name, sign_approval(change, self.keys[name])) for name in approvals)
        signed = sign_transaction(replace(change, approvals=given), self.keys[by])
        node = self.pilot.node("cbp")
        await node.submit_until_accepted(signed.raw)
        status = await node.settle(signed.id, signed.raw)
        assert status.code == "VALID", (what, status)
        self.heights[what] = status.height


async def join(desk, world):
    """Add a member whom genesis does not list, and start its node."""
    host = world.kit.add_host(NEWCOMER, on_failure=world._note_failure)
    host.calendar.set(world.kit.loop, desk.pilot.now_ms())
    world._addresses[NEWCOMER] = Address(host.address, PEER_PORT, API_PORT)
    own = world.founding.secrets[NEWCOMER] = secrets_from_seed(NEWCOMER, SEED)
    body = {
        "organization": NEWCOMER,
        "name": "Newcomer Foods, Inc.",
        "country": "US",
        "roles": ["importer"],
        "key": own.organization_key.public,
        "key_proof": prove_possession(own.organization_key, desk.network, NEWCOMER, Purpose.ORGANIZATION),
        "box_key": own.box_key.public,
        "node_key": own.node_key.public,
        "node_key_proof": prove_possession(own.node_key, desk.network, NEWCOMER, Purpose.NODE),
        "url": f"http://{host.address}:{PEER_PORT}",
    }
    await desk.change("joined", "member.add", body)
    world.organizations.append(NEWCOMER)
    world._boot(NEWCOMER)
    await world._opened(NEWCOMER)


def configured(founding, plan, name, addresses, *, calendar_ms):
    """A newcomer's node knows the founders' addresses, as `docs/membership.md` has it."""
    founders = {o.id: addresses[o.id] for o in founding.genesis.organizations}
    if name in founders:
        return node_config(founding, plan, name, founders, calendar_ms=calendar_ms)
    template = node_config(founding, plan, "exporter", founders, calendar_ms=calendar_ms)
    urls = {other: f"http://{a.host}:{a.peer_port}" for other, a in founders.items()}
    return replace(
        template,
        organization=name,
        node_key=founding.secrets[name].node_key,
        token=founding.secrets[name].token,
        peer_host=addresses[name].host,
        api_host=addresses[name].host,
        peers=urls,
        neighbors=tuple(urls),
        registered_raft_id=len(founders) + 1,
        incarnation=1,
    )


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A run in which everything happens to the exporter, and its folder with the heights."""
    scenario = load_scenario("forged-signature", CLEARED)
    founding = founding_of(scenario, SEED)
    desks, trials = [], []

    async def script(pilot):
        desk = Desk(pilot, founding)
        desks.append(desk)
        first = desk.keys["exporter"]
        await pilot.do("rotate-keys", by="importer")
        desk.keys["importer"], _ = rotated("importer")
        for document in ("c1", "c2"):
            acts = await pilot.do("issue-certificate", by="exporter", document=document)
            status = await pilot.node("cbp").status(bytes.fromhex(acts[0].id))
            desk.heights[document] = status.height
            await pilot.until(f"certificate {document} held by importer")
        await join(desk, trials[0].world)
        await pilot.do("disclose-document", by="importer", document="c1", to=NEWCOMER)
        await pilot.do("rotate-keys", by="exporter")
        desk.keys["exporter"], _ = rotated("exporter")
        await desk.change("demoted", "orderer.demote", {"organization": "chamber"})
        theft = {"organization": "exporter", "key": first.public, "compromised_since": desk.heights["c1"]}
        await desk.change("stolen", "key.revoke", theft, by="exporter", approvals=())
        lost = {"organization": "exporter", "key": desk.keys["exporter"].public}
        lost["compromised_since"] = desk.heights["demoted"]
        await desk.change("keyless", "key.revoke", lost, by="exporter", approvals=())
        proof = prove_possession(SUCCESSOR, desk.network, "exporter", Purpose.ORGANIZATION)
        named = {**lost, "successor": SUCCESSOR.public, "successor_proof": proof}
        await desk.change("named", "key.revoke", named)
        await desk.change("left", "member.remove", {"organization": "exporter"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worlds, "node_config", configured)
        options = RunOptions(
            "virtual", SEED, tmp_path_factory.mktemp("runs"), script=script, tamper=trials.append
        )
        run = run_scenario(scenario, options)
    assert run.trial.pilot.failure is None
    return SimpleNamespace(folder=run.folder, heights=desks[0].heights)


@pytest.fixture
def export(changed, monkeypatch):
    """Return a function that exports as of a height, as if the holder's node had come no further."""

    def run(height, document="c1", holder="importer", keys=None):
        as_of = changed.heights[height] if isinstance(height, str) else height
        monkeypatch.setattr(Store, "latest_certificate", lambda self: (as_of, self.certificate(as_of)))
        held = find_document(changed.folder, document, holder, keys)
        return held, export_credential(held)

    return run


def judged(exported, trust=None):
    """Check what a stranger would have read from the files."""
    values = json.loads(
        json.dumps([exported.credential, trust or exported.trust, *exported.status_lists.values()])
    )
    return check(values[0], values[1], values[2:])


def told(held):
    return " ".join(" ".join(tell_credential(held)).split())


@pytest.mark.parametrize("holder", ["importer", "cbp", NEWCOMER])
def test_a_credential_holds_whatever_changed_before_its_height(changed, export, holder):
    for height in range(changed.heights["joined"] + 1, changed.heights["stolen"] + 1):
        held, exported = export(height, holder=holder)
        assert judged(exported) == [], height
        assert f"held by {holder}, certified at height {height}" in told(held)


def test_the_key_that_signed_and_the_key_that_vouches_are_told_apart(changed, export):
    held, _ = export("joined")
    assert "exporter's key is still the one that signed it." in told(held)
    held, exported = export("demoted")
    rotation = held.issuer.keys[1].since
    assert (
        f"The key that signed it was replaced at height {rotation}; exporter's key since height {rotation}"
        in told(held)
    )
    assert judged(exported) == []


def test_whom_to_trust_follows_the_orderers_of_the_height(changed, export):
    names = [
        [[o["organization"] for o in electorate["orderers"]] for electorate in exported.trust["electorate"]]
        for exported in (export(height)[1] for height in (changed.heights["joined"] + 1, "demoted", "stolen"))
    ]
    founders = ["cbp", "exporter", "importer", "gavilan", "chamber"]
    assert names == [[founders], [founders, founders[:4]], [founders[:4]]]


def test_whom_to_trust_names_the_heights_it_is_good_for(changed, export):
    joined = changed.heights["joined"]
    assert export(joined)[1].trust["heights"] == {"first": joined, "last": joined}
    assert export(joined + 1)[1].trust["heights"] == {"first": joined + 1, "last": None}


def test_both_sets_of_orderers_must_have_signed_the_change(export):
    _, exported = export("demoted")
    for place in (0, 1):
        trust = json.loads(json.dumps(exported.trust))
        trust["electorate"][place]["quorum"] = 6
        with pytest.raises(Refused, match=r"orderers signed, 6 are needed"):
            judged(exported, trust)


def test_a_credential_from_before_a_change_does_not_pass_for_one_of_now(changed, export):
    before = export(changed.heights["joined"] + 1)[1]
    now = export("stolen")[1]
    with pytest.raises(
        Refused, match=rf"height {changed.heights['joined'] + 1}, the trusted keys hold from height"
    ):
        judged(before, now.trust)
    with pytest.raises(Refused, match="the trusted keys hold from"):
        judged(now, {**now.trust, "heights": {"first": 1, "last": changed.heights["joined"]}})


def test_a_document_signed_with_a_stolen_key_is_not_handed_out_and_not_believed(changed, export, monkeypatch):
    assert judged(export("demoted", "c2")[1]) == []
    reason = rf"document c2 was signed at height {changed.heights['c2']} with a key of exporter that is declared stolen"
    with pytest.raises(RefusedError, match=reason):
        export("stolen", "c2")
    monkeypatch.setattr(credential, "issuer_keys", unguarded)
    with pytest.raises(Refused, match="a key that was stolen"):
        judged(export("stolen", "c2")[1])


def unguarded(issuer, _name, _anchored):
    """What a program would do that does not ask whether the keys are good."""
    return IssuerKeys(issuer.keys[0], issuer.keys[-1])


def test_an_issuer_without_a_key_vouches_for_nothing(changed, export, monkeypatch):
    with pytest.raises(
        RefusedError,
        match=f"exporter, who issued document c1, has no key since height {changed.heights['keyless']}",
    ):
        export("keyless")
    monkeypatch.setattr(credential, "issuer_keys", unguarded)
    with pytest.raises(Refused, match=f"the issuer has no key since height {changed.heights['keyless']}"):
        judged(export("keyless")[1])


def folder_with(path, **keys):
    """Write keys as a network's folder has them."""
    (path / "exporter").mkdir()
    for name, key in keys.items():
        key.save(path / "exporter" / f"{name}.key")
    return path


def test_a_key_that_a_script_made_is_taken_from_a_folder(changed, export, tmp_path):
    with pytest.raises(
        RefusedError,
        match=r"does not follow from the run's seed; .* give a folder with exporter/organization\.key",
    ):
        export("named")
    held, exported = export("named", keys=folder_with(tmp_path, organization=SUCCESSOR))
    assert judged(exported) == []
    assert (
        f"declared stolen above height {changed.heights['c1']}, which is after; exporter's key since"
        in told(held)
    )


def test_another_key_in_the_folder_is_never_used(export, tmp_path):
    other = SigningKey.from_seed(seed_for("elsewhere", "other"))
    with pytest.raises(RefusedError, match="does not follow from the run's seed"):
        export("named", keys=folder_with(tmp_path, organization=other))


def test_who_left_vouches_for_nothing(changed, export, monkeypatch, tmp_path):
    keys = folder_with(tmp_path, organization=SUCCESSOR)
    with pytest.raises(
        RefusedError,
        match=f"exporter, who issued document c1, left the network at height {changed.heights['left']}",
    ):
        export("left", keys=keys)
    monkeypatch.setattr(credential, "issuer_keys", unguarded)
    with pytest.raises(Refused, match=f"the issuer left at height {changed.heights['left']}"):
        judged(export("left", keys=keys)[1])


def test_whoever_was_ever_a_member_may_be_asked_for(export):
    with pytest.raises(RefusedError, match="exporter has no envelope of document c1"):
        export("left", holder="exporter")
    with pytest.raises(RefusedError, match="newcomer is no member at the certified height 5 of its node"):
        export(5, holder=NEWCOMER)


def test_the_newcomer_s_credential_is_its_own(export):
    _, exported = export("demoted", holder=NEWCOMER)
    assert exported.credential["credentialSubject"]["holder"] == NEWCOMER
    importers = export("demoted")[1].credential["credentialSubject"]["fields"]
    assert exported.credential["credentialSubject"]["fields"] == importers


def test_an_envelope_is_found_behind_a_stranger_s_rubbish(export, monkeypatch):
    monkeypatch.setattr(held_module, "_envelopes", rubbish_before(held_module._envelopes))
    assert judged(export("demoted")[1]) == []


def rubbish_before(envelopes):
    return lambda store, root: iter([bytes(4096), *envelopes(store, root)])


def another_document():
    """Return a sealed envelope of something else, such as anybody can send the importer under any root."""
    document = commit_fields({"kind": "NAFTA-434"}, Random("another"))
    sender = SigningKey.from_seed(seed_for("elsewhere", "sender"))
    vouched = sender.sign(Domain.ENVELOPE, "n", digests_statement(document.root, document.digests))
    _, box = rotated("importer")
    sealed = seal(envelope(document, ["kind"], vouched), box.public, Random("sealing"))
    return sign_envelope(sealed, sender, "n", document.root, "importer")


@pytest.mark.parametrize(
    ("envelopes", "reason"),
    [
        ([another_document()], "no envelope of document c1 at importer opens as what was anchored$"),
        ([b""], "the envelopes of document c1 were purged"),
        ([bytes(4096)], "no envelope of document c1 at importer opens as what was anchored$"),
    ],
)
def test_what_is_no_envelope_any_more_is_said(export, monkeypatch, envelopes, reason):
    monkeypatch.setattr(held_module, "_envelopes", lambda _store, _root: iter(envelopes))
    with pytest.raises(RefusedError, match=reason):
        export("demoted")


def test_a_holder_s_key_that_a_script_made_is_asked_for_and_taken_from_a_folder(changed, export, tmp_path):
    held, _ = export("demoted", holder=NEWCOMER)
    own = BoxKey.from_seed(seed_for("elsewhere", "box"))
    (founding,) = (term for term in held.issuer.box_keys[:1])
    exporter = replace(held.issuer, box_keys=(founding, KeyTerm(own.public, 20)))
    known = secrets_from_seed("exporter", SEED).box_key.public
    assert [key.public for key in Keyring(SEED).box_keys(exporter)] == [known]
    keys = folder_with(tmp_path, box=own)
    assert [key.public for key in Keyring(SEED, keys).box_keys(exporter)] == [own.public, known]


def test_without_the_holder_s_keys_it_is_said_which_are_missing(export, monkeypatch):
    monkeypatch.setattr(Keyring, "box_keys", lambda _self, _member: ())
    reason = r"2 of its 2 X25519 keys are missing\); give a folder with importer/box.key by --keys"
    with pytest.raises(RefusedError, match=reason):
        export("demoted")
