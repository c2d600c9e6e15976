"""Nonce counters in a file: durable first, one process at a time, never repeated."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from random import Random

import pytest

from scenarios.agents.nonces import NonceFile, NonceFileError, Nonces


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nonces"


def test_epoch_has_63_random_bits_and_counting_begins_at_zero() -> None:
    drawn = [Nonces.begin(Random(seed)) for seed in range(50)]
    assert len({nonces.epoch for nonces in drawn}) == 50
    assert max(nonces.epoch for nonces in drawn) >> 62 == 1
    assert all(nonces.epoch >> 63 == 0 and nonces.next_counter == 0 for nonces in drawn)


def test_file_keeps_epoch_and_counter_with_mode_0600(path: Path) -> None:
    with NonceFile(path) as file:
        assert file.load() is None
        nonces = file.begin(Random(1))
        file.save(nonces.following())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with NonceFile(path) as file:
        assert file.load() == Nonces(nonces.epoch, 1)


def test_two_processes_cannot_use_one_file(path: Path) -> None:
    with NonceFile(path), pytest.raises(NonceFileError, match="in use by another process"):
        NonceFile(path)
    NonceFile(path).close()


def test_file_that_others_may_read_is_refused(path: Path) -> None:
    with NonceFile(path) as file:
        file.begin(Random(1))
        path.chmod(0o640)
        with pytest.raises(NonceFileError, match=r"mode 0640.*chmod 600"):
            file.load()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seatrial nonces 1\n5\n",
        "seatrial nonces 2\n5\n6\n",
        "seatrial nonces 1\n-5\n6\n",
        f"seatrial nonces 1\n{2**63}\n6\n",
        "seatrial nonces 1\n5\n6\n7\n",
    ],
)
def test_file_without_counters_is_refused_with_the_remedy(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    with NonceFile(path) as file, pytest.raises(NonceFileError, match="move it away"):
        file.load()


def test_link_in_place_of_the_file_is_not_followed(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("seatrial nonces 1\n5\n6\n")
    other.chmod(0o600)
    path.symlink_to(other)
    with NonceFile(path) as file, pytest.raises(NonceFileError):
        file.load()


def test_failed_write_says_that_nothing_was_signed(path: Path) -> None:
    with NonceFile(path) as file:
        file.begin(Random(1))
        path.with_name("nonces.new").mkdir()
        with pytest.raises(NonceFileError, match="nothing was signed"):
            file.save(Nonces(5, 6))


def test_file_is_replaced_in_one_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with NonceFile(path) as file:
        nonces = file.begin(Random(1))

        def fail(_descriptor: int) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(NonceFileError):
            file.save(nonces.following())
        monkeypatch.undo()
        assert file.load() == nonces
