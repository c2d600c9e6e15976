"""Multibase, status lists and tlog-proofs: one spelling each, and nothing but it is read."""

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.credentials import (
    ENTRIES_MIN,
    StatusList,
    TlogProof,
    base64url,
    did_key,
    multikey,
    read_base64url,
    read_multikey,
    read_status_list,
    read_tlog_proof,
    verifier_key,
)
from ledger.errors import BadProofError

KEY = bytes(range(32))


@given(st.binary(max_size=80))
def test_base64url_reads_back(data):
    assert read_base64url(base64url(data)) == data


@pytest.mark.parametrize("text", ["", "zAA", "uAB", "uAA==", "uA A", "uÄ"])
def test_other_spellings_are_refused(text):
    with pytest.raises(BadProofError):
        read_base64url(text)


def test_a_multikey_is_the_published_form():
    """The key pair of the published test vectors (Data Integrity EdDSA Cryptosuites 1.0, appendix B)."""
    text = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    assert multikey(read_multikey(text)) == text
    assert did_key(read_multikey(text)) == f"did:key:{text}"


@pytest.mark.parametrize(
    "text",
    ["z6Mk", "u" + "A" * 40, "z0OIl", multikey(KEY)[:-1], "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"],
)
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(BadProofError):
        read_multikey(text)


def test_the_first_entry_is_the_left_most_bit():
    """Bitstring Status List 1.0, section 2.2: index 0 is the left-most bit."""
    status = StatusList()
    status.set(0)
    status.set(9)
    bits = gzip.decompress(base64.urlsafe_b64decode(status.encode()[1:] + "=="))
    assert len(bits) == 16384
    assert bits[:2] == b"\x80\x40"
    assert not any(bits[2:])


def test_the_published_list_reads_as_one_without_a_bit():
    """Bitstring Status List 1.0, section 2.2: the example of an empty list, as another program compressed it."""
    published = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
    status = read_status_list(published)
    assert status.encode() == StatusList().encode()
    assert not any(status.is_set(index) for index in range(0, ENTRIES_MIN, 97))


@given(st.sets(st.integers(0, ENTRIES_MIN - 1), max_size=20))
def test_a_status_list_reads_back(indexes):
    status = StatusList()
    for index in sorted(indexes):
        status.set(index)
    again = read_status_list(status.encode())
    assert again.encode() == status.encode()
    assert all(again.is_set(index) for index in indexes)
    assert sum(again.is_set(index) for index in range(0, ENTRIES_MIN, 997)) == len(
        indexes & set(range(0, ENTRIES_MIN, 997))
    )


@pytest.mark.parametrize("entries", [0, 8, ENTRIES_MIN - 8, ENTRIES_MIN + 1, 1 << 25])
def test_a_list_that_would_tell_on_its_reader_is_refused(entries):
    with pytest.raises(ValueError, match="entries"):
        StatusList(entries)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no gzip",
        gzip.compress(bytes(100), mtime=0),
        gzip.compress(bytes(1 << 22), mtime=0),
        gzip.compress(bytes(16384), mtime=0)[:-4],
    ],
)
def test_a_list_of_another_form_or_size_is_refused(packed):
    with pytest.raises(BadProofError):
        read_status_list(base64url(packed))


@pytest.mark.parametrize("index", [-1, ENTRIES_MIN])
def test_an_entry_outside_is_refused(index):
    with pytest.raises(IndexError, match="outside"):
        StatusList().set(index)
    with pytest.raises(IndexError, match="outside"):
        StatusList().is_set(index)


@given(
    st.integers(0, 2**60), st.lists(st.binary(min_size=32, max_size=32), max_size=20), st.binary(max_size=40)
)
def test_a_tlog_proof_reads_back(index, path, extra):
    note = "ledger.invalid/x\n1\nAAAA\n\n\u2014 ledger.invalid/x AAAA\n"
    proof = TlogProof(index, tuple(path), note, extra)
    assert read_tlog_proof(proof.text()) == proof


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n",
        "c2sp.org/tlog-proof@v1\n\nnote\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nnote\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nnote\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nnote\n",
        "c2sp.org/tlog-proof@v1\nextra *\nindex 0\n\nnote\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
    ],
)
def test_what_is_no_tlog_proof_is_refused(text):
    with pytest.raises(BadProofError):
        read_tlog_proof(text)


def test_a_verifier_key_is_the_published_form():
    """The example of C2SP signed-note, section "Verifier keys"."""
    text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    public = base64.b64decode(text.split("+", 2)[2])[1:]
    assert verifier_key("example.com/foo", public) == text
