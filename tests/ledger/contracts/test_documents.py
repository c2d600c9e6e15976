"""Confidential documents: what an envelope shows, what it hides, and what it cannot be made to say."""

from __future__ import annotations

import copy
import pickle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.documents import (
    DocumentPlain,
    Private,
    commit_fields,
    document_root,
    envelope,
    read_envelope,
)
from ledger.encoding import Value, decode, encode
from ledger.envelopes import SIZE_CLASSES_BYTES, open_envelope, seal
from ledger.errors import EnvelopeError
from ledger.keys import SIGNATURE_BYTES, BoxKey

CANARY = "canary-7f3a"
CBP = BoxKey.from_seed(b"c" * 32)
GLOBEX = BoxKey.from_seed(b"g" * 32)
FIELDS: dict[str, Value] = {"producer_name": CANARY, "origin": "MX", "pages": 1, "goods.1.hs6": "160414"}


@pytest.fixture
def document() -> DocumentPlain:
    return commit_fields(FIELDS, Random("doc"))


def repacked(document: DocumentPlain, **changes: Value) -> bytes:
    """An envelope's bytes with some fields replaced, as a dishonest issuer would make them."""
    value = decode(envelope(document, document.names), limit_bytes=1 << 16)
    assert isinstance(value, dict)
    return encode(value | changes)


def test_an_addressee_opens_its_fields_and_recomputes_the_root(document: DocumentPlain) -> None:
    sealed = seal(envelope(document, ["origin", "pages"]), GLOBEX.public, Random(1))
    opened = open_envelope(sealed, GLOBEX)
    opened.check_root(document.root)
    assert {name: value.reveal() for name, value in opened.fields.items()} == {"origin": "MX", "pages": 1}


def test_all_envelopes_share_the_root_and_only_one_names_the_producer(document: DocumentPlain) -> None:
    importers = open_envelope(seal(envelope(document, ["origin"]), GLOBEX.public, Random(1)), GLOBEX)
    customs = open_envelope(seal(envelope(document, document.names), CBP.public, Random(2)), CBP)
    assert importers.root == customs.root == document.root
    assert "producer_name" not in importers.fields
    assert customs.fields["producer_name"].reveal() == CANARY


def test_what_is_not_disclosed_is_not_in_the_envelopes_bytes(document: DocumentPlain) -> None:
    assert CANARY.encode() not in envelope(document, ["origin"])
    assert CANARY.encode() in envelope(document, document.names)
    assert CANARY.encode() not in seal(envelope(document, document.names), CBP.public, Random(1))


def test_another_root_is_detected(document: DocumentPlain) -> None:
    other = commit_fields(FIELDS, Random("other"))
    opened = open_envelope(seal(envelope(other, other.names), GLOBEX.public, Random(1)), GLOBEX)
    with pytest.raises(EnvelopeError, match="ROOT_MISMATCH"):
        opened.check_root(document.root)


def test_an_envelope_opens_for_its_addressee_alone(document: DocumentPlain) -> None:
    sealed = seal(envelope(document, document.names), GLOBEX.public, Random(1))
    with pytest.raises(EnvelopeError, match="UNREADABLE"):
        open_envelope(sealed, CBP)


@pytest.mark.parametrize("place", [0, 31, 32, 63, 64, 87, 88, 100, 2000, -1])
def test_a_changed_envelope_does_not_open(document: DocumentPlain, place: int) -> None:
    sealed = bytearray(seal(envelope(document, document.names), GLOBEX.public, Random(1)))
    sealed[place] ^= 1
    with pytest.raises(EnvelopeError):
        open_envelope(bytes(sealed), GLOBEX)


def test_a_changed_value_is_no_part_of_the_document(document: DocumentPlain) -> None:
    forged = [
        [d.salt, d.name, "US" if d.name == "origin" else d.value.reveal()] for d in document.disclosures
    ]
    with pytest.raises(EnvelopeError, match="'origin' is not among the digests"):
        read_envelope(repacked(document, disclosures=forged))  # type: ignore[arg-type]


def test_a_value_cannot_move_to_another_name(document: DocumentPlain) -> None:
    forged = [
        [d.salt, {"origin": "origin2"}.get(d.name, d.name), d.value.reveal()] for d in document.disclosures
    ]
    with pytest.raises(EnvelopeError, match="not among the digests"):
        read_envelope(repacked(document, disclosures=forged))  # type: ignore[arg-type]


def test_a_field_is_disclosed_once(document: DocumentPlain) -> None:
    first = document.disclosures[0]
    twice: list[Value] = [[first.salt, first.name, first.value.reveal()]] * 2
    with pytest.raises(EnvelopeError, match="each once"):
        read_envelope(repacked(document, disclosures=twice))


def test_digests_are_sorted_whole_and_not_few(document: DocumentPlain) -> None:
    digests = document.digests
    for bad in (b"", b"".join(digests)[:-1], b"".join(digests[:-1])):
        with pytest.raises(EnvelopeError, match="multiple"):
            read_envelope(repacked(document, digests=bad))
    with pytest.raises(EnvelopeError, match="sorted"):
        read_envelope(repacked(document, digests=b"".join(reversed(digests))))


@pytest.mark.parametrize("rubbish", [b"", b"\x00" * 1024, encode({"digests": b""}), encode([1, 2])])
def test_rubbish_is_no_envelope(rubbish: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read_envelope(rubbish)
    with pytest.raises(EnvelopeError):
        open_envelope(rubbish, GLOBEX)


def test_padding_that_is_not_zeros_is_refused(document: DocumentPlain) -> None:
    content = envelope(document, document.names)
    padded = len(content).to_bytes(4, "big") + content
    padded += bytes(4096 - 64 - 64 - 24 - 16 - len(padded) - 1) + b"\x01"
    ephemeral = BoxKey(b"e" * 32)
    sealed = ephemeral.public + GLOBEX.public + bytes(ephemeral.box(GLOBEX.public).encrypt(padded, bytes(24)))
    with pytest.raises(EnvelopeError, match="padding"):
        open_envelope(sealed, GLOBEX)


def test_a_length_past_the_end_is_refused() -> None:
    padded = (5000).to_bytes(4, "big") + bytes(4096 - 64 - 64 - 24 - 16 - 4)
    ephemeral = BoxKey(b"e" * 32)
    sealed = ephemeral.public + GLOBEX.public + bytes(ephemeral.box(GLOBEX.public).encrypt(padded, bytes(24)))
    with pytest.raises(EnvelopeError, match="padding"):
        open_envelope(sealed, GLOBEX)


def test_a_key_that_is_none_is_refused(document: DocumentPlain) -> None:
    for public in (b"short", bytes(32)):
        with pytest.raises(EnvelopeError, match="no X25519 key"):
            seal(envelope(document, []), public, Random(1))
    with pytest.raises(EnvelopeError):
        open_envelope(bytes(32) + GLOBEX.public + bytes(1024 - 128), GLOBEX)  # an ephemeral key of zeros


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (1, 1024),
        (1024 - 172, 1024),
        (1024 - 171, 4096),
        (4096 - 171, 16384),
        (16384 - 171, 65536),
        (65536 - 172, 65536),
    ],
)
def test_a_sealed_envelope_has_the_size_of_its_class(length: int, size: int) -> None:
    assert len(seal(bytes(length), GLOBEX.public, Random(1))) + SIGNATURE_BYTES == size


def test_an_envelope_over_the_largest_class_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="over the largest class"):
        seal(bytes(65536 - 171), GLOBEX.public, Random(1))


def test_decoys_hide_the_number_of_fields() -> None:
    sizes = {
        len(commit_fields({f"f{n}": n for n in range(count)}, Random(count)).digests)
        for count in range(1, 33)
    }
    assert sizes == {32}
    assert len(commit_fields({f"f{n}": n for n in range(33)}, Random(1)).digests) == 64


def test_a_guess_at_a_value_needs_its_salt() -> None:
    first, second = (commit_fields({"origin": "MX"}, Random(seed)) for seed in (1, 2))
    assert not set(first.digests) & set(second.digests)
    assert first.root != second.root


def test_the_same_chance_gives_the_same_document() -> None:
    assert commit_fields(FIELDS, Random(5)).digests == commit_fields(FIELDS, Random(5)).digests
    sealed = [seal(b"x", GLOBEX.public, Random(5)) for _ in range(2)]
    assert sealed[0] == sealed[1]
    assert seal(b"x", GLOBEX.public, Random(6)) != sealed[0]


def test_the_order_of_the_fields_changes_nothing() -> None:
    assert (
        commit_fields(FIELDS, Random(5)).root == commit_fields(dict(reversed(FIELDS.items())), Random(5)).root
    )


def test_the_root_is_over_all_digests(document: DocumentPlain) -> None:
    assert document.root == document_root(document.digests) != document_root(document.digests[1:])


def test_an_opened_document_can_be_passed_on(document: DocumentPlain) -> None:
    opened = open_envelope(seal(envelope(document, ["origin"]), GLOBEX.public, Random(1)), GLOBEX)
    passed_on = open_envelope(seal(envelope(opened, ["origin"]), CBP.public, Random(2)), CBP)
    passed_on.check_root(document.root)
    with pytest.raises(EnvelopeError, match="producer_name"):
        envelope(opened, ["producer_name"])


@pytest.mark.parametrize("fields", [{}, {"": 1}, {"x" * 129: 1}, {f"f{n}": n for n in range(513)}])
def test_documents_without_sound_fields_are_refused(fields: dict[str, Value]) -> None:
    with pytest.raises(EnvelopeError):
        commit_fields(fields, Random(1))


def test_a_private_value_shows_itself_to_nobody(document: DocumentPlain) -> None:
    private = Private(CANARY)
    shown = [repr(private), str(private), f"{private}", f"{private:>40}", "%s" % private, repr([private])]  # noqa: UP031
    shown += [repr(document), str(document), repr(document.disclosures)]
    assert not any(CANARY in text for text in shown)
    for refuse in (bytes, pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="private value"):
            refuse(private)  # type: ignore[operator]
    assert not hasattr(private, "__dict__")
    assert private.reveal() == CANARY


def test_salts_do_not_show_either(document: DocumentPlain) -> None:
    assert all(repr(d.salt) not in repr(document) for d in document.disclosures)


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(
        st.text("abc.1", min_size=1, max_size=8),
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.text("é☃ab", max_size=9)
        | st.binary(max_size=9),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 2**32),
    st.data(),
)
def test_any_fields_come_back_as_chosen(fields: dict[str, Value], seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    document = commit_fields(fields, random)
    chosen = data.draw(st.sets(st.sampled_from(sorted(fields))))
    sealed = seal(envelope(document, chosen), GLOBEX.public, random)
    assert len(sealed) + SIGNATURE_BYTES in SIZE_CLASSES_BYTES
    opened = open_envelope(sealed, GLOBEX)
    opened.check_root(document.root)
    assert {name: value.reveal() for name, value in opened.fields.items()} == {n: fields[n] for n in chosen}
