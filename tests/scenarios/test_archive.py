"""Documents after they were sent, and keys that change: what every organization's application does by itself."""

import pytest

from ledger.documents import digests_statement, envelope
from ledger.envelopes import seal
from ledger.keys import Domain
from scenarios.agents.answers import ApiProblem
from scenarios.errors import RefusedError

LONG = ["calendar.end=2024-12-31T00:00:00Z"]
AFTER_FIVE_YEARS = "2023-09-05T10:00:00"


def fly(pilot, script, **options):
    return pilot("nafta-certificate", script, keep_steps=False, **options)


def root_of(p):
    certificate = p._trial.names.ledger("certificate", "c1")
    return p._trial.agents["exporter"].register.certificates[certificate].root


def stretches(sealed, data):
    """Where any 32 bytes of an envelope stand in a file; its addressee's key, at 32, is on the ledger anyway."""
    return [at for at in range(0, len(sealed) - 32, 32) if at != 32 and sealed[at : at + 32] in data]


async def issued(p):
    await p.do("issue-certificate", by="exporter", document="c1")
    await p.until("certificate c1 held by importer")


def events(flown, name):
    return [event.fields for event in flown.result.book.events if event.name == name]


def test_a_document_is_disclosed_further_in_part_and_acknowledged(pilot):
    seen = {}

    async def script(p):
        await issued(p)
        await p.do(
            "disclose-document", by="importer", document="c1", to="noaa", fields=["kind", "goods.1.hs6"]
        )
        await p.after("1d")
        opened = p._trial.agents["noaa"].wallet.opened(root_of(p))
        seen.update({name: value.reveal() for name, value in opened.fields.items()})

    flown = fly(pilot, script)
    assert flown.passed, flown
    assert seen == {"kind": "NAFTA-434", "goods.1.hs6": "160414"}
    assert [e["organization"] for e in events(flown, "document.acknowledged")] == ["noaa"]


@pytest.mark.parametrize(
    ("by", "extra", "reason"),
    [
        ("importer", {"fields": ["producer_name"]}, "importer cannot show producer_name"),
        ("chamber", {}, "chamber does not have it"),
    ],
)
def test_nobody_discloses_what_it_does_not_see(pilot, by, extra, reason):
    async def script(p):
        await issued(p)
        await p.do("disclose-document", by=by, document="c1", to="noaa", **extra)

    with pytest.raises(RefusedError, match=reason):
        fly(pilot, script)


def test_a_sender_is_convicted_by_its_own_signature_over_other_digests(pilot):
    async def script(p):
        exporter = p._trial.agents["exporter"]
        wallet, send = exporter.wallet, exporter.send

        async def cheat(root, to, names=None):
            if to != "importer":
                await send(root, to, names)
                return
            other = wallet.issued(wallet.commit({"kind": "NAFTA-434", "exporter_name": "Another"}))
            statement = digests_statement(root, other.digests)
            vouched = wallet._key.sign(Domain.ENVELOPE, wallet.network, statement)
            box_key = exporter.keybook.box_key(to)
            sealed = seal(envelope(other, other.names, vouched), box_key, wallet._random)
            await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, sealed))

        exporter.send = cheat
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.after("3d")

    flown = fly(pilot, script)
    complained = events(flown, "certificate.complained")  # of the first envelope, and of the second one
    assert [(c["reason"], c["accused"], c["proven"]) for c in complained] == [
        ("ROOT_MISMATCH", "exporter", True)
    ] * 2
    complaints = [r for r in events(flown, "receipt") if r["type"] == "holding.complain"]
    assert [r["findings"] for r in complaints] == [["ENVELOPE_CONTRADICTS_ROOT"]] * 2


def test_digests_that_nobody_signed_are_complained_of_by_the_envelope_s_seal(pilot):
    """Its sender keeps back the signature that would convict it on the ledger; its seal names it all the same."""

    async def script(p):
        exporter = p._trial.agents["exporter"]
        wallet = exporter.wallet

        async def cheat(root, to, names=None):
            other = wallet.issued(wallet.commit({"kind": "NAFTA-434", "exporter_name": "Another"}))
            sealed = seal(envelope(other, other.names), exporter.keybook.box_key(to), wallet._random)
            await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, sealed))

        exporter.send = cheat
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.after("3d")
        assert not p.holds("certificate c1 held by importer")

    flown = fly(pilot, script)
    first, second = events(flown, "certificate.complained")  # of the second envelope, too
    assert (first["reason"], first["accused"], first["proven"]) == ("ROOT_MISMATCH", "exporter", False)
    complaints = [r for r in events(flown, "receipt") if r["type"] == "holding.complain"]
    assert [r["findings"] for r in complaints] == [["ENVELOPE_DISPUTED"]] * 2
    assert second["time_ms"] >= first["time_ms"]


def test_a_spoilt_envelope_is_complained_of_sent_again_and_acknowledged(pilot):
    """Bytes that open to nothing: the importer complains by the seal, and the exporter sends a sound one."""

    async def script(p):
        exporter = p._trial.agents["exporter"]
        wallet, send = exporter.wallet, exporter.send
        is_sent = False

        async def rubbish(root, to, names=None):
            nonlocal is_sent
            if to != "importer" or is_sent:
                await send(root, to, names)
                return
            is_sent = True
            sealed = seal(b"no envelope", exporter.keybook.box_key(to), wallet._random)
            await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, sealed))

        exporter.send = rubbish
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.until("certificate c1 held by importer")

    flown = fly(pilot, script)
    (complained,) = events(flown, "certificate.complained")
    assert (complained["reason"], complained["proven"]) == ("UNREADABLE", False)
    assert len(events(flown, "certificate.delivered")) == 2
    assert len(events(flown, "certificate.acknowledged")) == 1


def test_what_was_complained_of_once_is_not_complained_of_again_while_the_second_envelope_is_on_its_way(
    pilot,
):
    async def script(p):
        exporter = p._trial.agents["exporter"]
        wallet, send = exporter.wallet, exporter.send
        calls = []

        async def slow(root, to, names=None):
            if to != "importer":
                await send(root, to, names)
                return
            calls.append((root, to, names))
            if len(calls) == 1:
                sealed = seal(b"no envelope", exporter.keybook.box_key(to), wallet._random)
                await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, sealed))

        exporter.send = slow
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.after("2d")
        assert len(calls) == 2
        await send(*calls[1])
        await p.until("certificate c1 held by importer")

    flown = fly(pilot, script)
    assert len(events(flown, "certificate.complained")) == 1
    assert len(events(flown, "certificate.delivered")) == 2


def test_a_sound_envelope_without_its_sender_s_word_on_the_digests_is_the_document(pilot):
    """The root on the ledger says what the digests are; the seal says whose envelope it is."""

    async def script(p):
        exporter = p._trial.agents["exporter"]
        wallet = exporter.wallet

        async def short(root, to, names=None):
            sealed = seal(
                envelope(wallet.issued(root), ["kind"]), exporter.keybook.box_key(to), wallet._random
            )
            await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, sealed))

        exporter.send = short
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.until("certificate c1 held by importer")

    assert events(fly(pilot, script), "certificate.complained") == []


@pytest.mark.parametrize("field", ["exporter_name", "kind"])
def test_a_sound_envelope_that_is_no_certificate_is_neither_acknowledged_nor_complained_of(pilot, field):
    async def script(p):
        exporter = p._trial.agents["exporter"]
        wallet = exporter.wallet
        commit = exporter.commit

        def other_kind(fields):
            return commit({**fields, "kind": "INVOICE"})

        async def short(root, to, names=None):
            sealed = seal(
                envelope(wallet.issued(root), [field]), exporter.keybook.box_key(to), wallet._random
            )
            await exporter.client.post_document(root, to, wallet.sign_envelope(root, to, sealed))

        exporter.commit, exporter.send = other_kind, short
        await p.do("issue-certificate", by="exporter", document="c1")
        await p.after("3d")
        assert not p.holds("certificate c1 held by importer")

    flown = fly(pilot, script)
    assert events(flown, "certificate.complained") == []
    assert len(events(flown, "certificate.unusable")) == 1


def test_new_keys_sign_and_open_and_old_documents_stay_readable(pilot):
    async def script(p):
        outage = await p.fault("crash", target="node importer")
        issuing = p.begin("issue-certificate", by="exporter", document="c1")
        await p.protocol("3s")  # its envelope is sealed to the importer's first key, and waits
        await outage()
        await p.do("rotate-keys", by="importer")
        await issuing.done()
        await p.until(
            "certificate c1 held by importer"
        )  # opened with the old key, acknowledged with the new one
        await p.do("rotate-keys", by="exporter")
        await p.do("disclose-document", by="exporter", document="c1", to="noaa")
        await p.at("2018-09-19T09:30:00")
        await p.do("file-claim", by="importer", claim="e1")
        p.expect("claim e1 is ALLOWED within 5 days")

    flown = fly(pilot, script)
    assert flown.passed, flown
    assert len(events(flown, "keys.rotated")) == 2
    assert len(events(flown, "document.acknowledged")) == 1


def test_a_node_is_rebuilt_under_the_key_that_its_organization_has_by_then(pilot):
    async def script(p):
        await issued(p)
        await p.do("rotate-keys", by="importer")
        await p.fault("rebuild", target="node importer")
        await p.after("1d")

    flown = fly(pilot, script)
    assert flown.passed, flown
    assert [e["code"] for e in events(flown, "receipt") if e["type"] == "node.replace"] == ["VALID"]


def test_a_purge_leaves_no_byte_on_any_disk_of_a_node_that_was_away_neither(pilot):
    kept = {}

    async def script(p):
        await issued(p)
        root = root_of(p)
        for reader in ("cbp", "importer"):
            kept[reader] = await p.node(reader).get_document(root, 1)
        await p.at("2023-09-01T10:00:00")
        back = await p.fault("crash", target="node importer")
        await p.at(AFTER_FIVE_YEARS)
        purging = p.begin("purge-document", by="exporter", document="c1")
        await purging.done()
        await back()
        await p.after("1d")
        for reader, sealed in kept.items():  # at work, not only after an orderly end
            disk = p._trial.world.kit.host(reader).disk
            for name in ("node.db", "node.db-wal"):
                assert stretches(sealed, disk.read(name) or b"") == [], (reader, name)
            with pytest.raises(ApiProblem, match="PURGED"):
                await p.node(reader).get_document(root, 1)
        with pytest.raises(ApiProblem, match="PURGED"):
            await p.node("exporter").post_document(root, "cbp", kept["cbp"])

    flown = fly(pilot, script, overrides=LONG)
    assert flown.passed, flown
    assert {e["node"] for e in events(flown, "envelopes.purged")} == {"cbp", "importer"}
    for sealed in kept.values():
        assert len(sealed) >= 1024
        for path in sorted((flown.folder / "nodes").rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            assert stretches(sealed, data) == [], path


def test_records_are_kept_as_long_as_the_law_asks(pilot):
    acts = []

    async def script(p):
        await issued(p)
        await p.at("2023-09-04T10:00:00")
        acts.extend(await p.do("purge-document", by="exporter", document="c1"))

    assert fly(pilot, script, overrides=LONG).passed
    assert [(act.code, act.rule) for act in acts] == [("RULE_VIOLATED", "document.purge/too-early")]
