"""The commands that hand over what a run holds, and check what was handed over."""

from __future__ import annotations

import contextlib
import shlex
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ledger.errors import NotProvenError
from ledger.keys import Verifier
from ledger.proofs import (
    PROOF_BYTES_MAX,
    decode_complaint,
    decode_proof,
    is_complaint_file,
    verify_complaint,
    verify_possession,
)
from scenarios.errors import RefusedError
from scenarios.exporting.complaint import complaint_file_name, export_complaint, write_complaint
from scenarios.exporting.credential import export_credential, write_credential
from scenarios.exporting.held import find_document
from scenarios.exporting.possession import export_possession, file_name, write_possession
from scenarios.exporting.reference import genesis_hash_of
from scenarios.exporting.standing import tell_credential
from scenarios.exporting.told import tell_possession, tell_unproven, verdict
from scenarios.exporting.toldcomplaint import complaint_verdict, tell_complaint
from scenarios.exporting.words import COLUMNS
from scenarios.judging.verdict import Verdict
from scenarios.record.runfolder import RunFolder

RunPath = Annotated[Path, Parameter(help="A run's folder, such as runs/nafta-certificate/latest.")]

export = App(name="export", help="Hand over what a run holds, in forms that other programs read.")


@export.command
def credential(
    document: Annotated[
        str, Parameter(help="Name of a document, form, carnet or voucher, or the beginning of its root.")
    ],
    *,
    run: RunPath,
    holder: Annotated[
        str | None, Parameter(help="The addressee as whose it is exported; the first one if absent.")
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(help="Folder for the files, made if absent; DOCUMENT-HOLDER.credential if not given."),
    ] = None,
    status_url: Annotated[
        str | None, Parameter(help="Where the issuer's status lists will be served.")
    ] = None,
    keys: Annotated[
        Path | None,
        Parameter(help="Folder with keys that a script made: ORGANIZATION/organization.key and box.key."),
    ] = None,
) -> int:
    """Write a document as a W3C Verifiable Credential, with its status lists and whom to trust."""
    held = find_document(RunFolder.at(run), document, holder, keys)
    stem = f"{document.replace('/', '-')}-{held.holder}"
    directory = out or Path(f"{stem}.credential")
    for path in write_credential(export_credential(held, status_url), directory, stem):
        print(path)
    print("\n".join(tell_credential(held)))
    trust = f"Whoever checks it gets {stem}.trust.json from somebody else than who hands over the credential."
    print(textwrap.fill(trust, COLUMNS, break_on_hyphens=False))
    return 0


@export.command
def possession(
    claim: Annotated[
        str, Parameter(help="A claim's name in the scenario, or an entry line such as SX7-1000418-2/1.")
    ],
    *,
    run: RunPath,
    certificate: Annotated[
        str | None, Parameter(help="The certificate it is held against; the one it rests on if absent.")
    ] = None,
    node: Annotated[
        str | None, Parameter(help="Whose node's store is read; the importer's if absent.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="The file; CLAIM.possession if absent.")] = None,
) -> int:
    """Write the proof that a claim's importer held its certificate before it claimed, or did not."""
    exported = export_possession(RunFolder.at(run), claim, certificate, node)
    path = out or Path(file_name(claim))
    write_possession(exported, path)
    print(path)
    print(textwrap.fill(verdict(exported.possession), COLUMNS, break_on_hyphens=False))
    if exported.others:
        print(
            f"{', '.join(exported.others)} of the scenario is on this entry line too; the ledger took one claim of it"
        )
    _tell_how_to_check(path, exported.genesis_hash)
    return 0


@export.command
def complaint(
    document: Annotated[
        str, Parameter(help="Name of a document, form, carnet or voucher, or the beginning of its root.")
    ],
    *,
    run: RunPath,
    reader: Annotated[
        str | None, Parameter(help="Who complained about its envelope; the first who did if absent.")
    ] = None,
    number: Annotated[
        int | None, Parameter(help="Which of the reader's complaints, from 1; the last if absent.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="The file; DOCUMENT-READER.complaint if absent.")] = None,
    keys: Annotated[
        Path | None,
        Parameter(help="Folder with keys that a script made: ORGANIZATION/organization.key and box.key."),
    ] = None,
) -> int:
    """Write the evidence that an envelope complained of is spoilt, or that the complaint is false."""
    exported = export_complaint(RunFolder.at(run), document, reader, number, keys)
    path = out or Path(complaint_file_name(document, exported.complaint.reader))
    write_complaint(exported, path)
    print(path)
    print(textwrap.fill(complaint_verdict(exported.complaint), COLUMNS, break_on_hyphens=False))
    if exported.count > 1:
        print(f"complaint {exported.number} of {exported.count} by {exported.complaint.reader}")
    if exported.proof.sealed is not None:
        warning = (
            "Whoever has this file can read what this one envelope opens to: hand it to nobody who may not."
        )
        print(textwrap.fill(warning, COLUMNS))
    _tell_how_to_check(path, exported.genesis_hash)
    return 0


def verify_proof(
    file: Annotated[Path, Parameter(help="What `export possession` or `export complaint` wrote.")],
    *,
    genesis: Annotated[
        str, Parameter(help="The genesis hash, or a file or a run's or network's folder that has it.")
    ],
) -> int:
    """Check a proof of possession or of a complaint from the genesis hash alone, and say what it proves."""
    genesis_hash = genesis_hash_of(genesis)
    data = _read_at_most(file, PROOF_BYTES_MAX)
    try:
        holds = (_checked_complaint if is_complaint_file(data) else _checked_possession)(data, genesis_hash)
    except NotProvenError as error:
        _say(tell_unproven(error))
        return Verdict.VIOLATED.exit_code
    return 0 if holds else Verdict.VIOLATED.exit_code


def _checked_possession(data: bytes, genesis_hash: bytes) -> bool:
    possession = verify_possession(decode_proof(data), genesis_hash, Verifier())
    _say(tell_possession(possession))
    return possession.came_before


def _checked_complaint(data: bytes, genesis_hash: bytes) -> bool:
    proof = decode_complaint(data)
    complaint = verify_complaint(proof, genesis_hash, Verifier())
    _say(tell_complaint(complaint, proof))
    return complaint.is_true


def _say(lines: Iterable[str]) -> None:
    """Print lines; whether anybody still listens changes nothing of what the exit code says."""
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines))


def _read_at_most(file: Path, bytes_max: int) -> bytes:
    """Return a file's bytes, of a larger one enough to see that it is too large."""
    try:
        with file.open("rb") as opened:
            return opened.read(bytes_max + 1)
    except OSError as error:
        raise RefusedError(
            f"{file} cannot be read: {error.strerror}",
            "",
            "name a file that `seatrial export possession` or `seatrial export complaint` wrote",
        ) from error


def _tell_how_to_check(path: Path, genesis_hash: bytes) -> None:
    print(f"genesis {genesis_hash.hex()}")
    print(f"check it with `seatrial verify-proof {shlex.quote(str(path))} --genesis HASH`")
