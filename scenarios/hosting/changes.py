"""A change of membership on an operator's desk: new keys with their proofs, approvals, and both put together.

Rules:
- A prepared transaction is a YAML file to read, correct and sign; the secret halves stay in the organization's folder,
  in new files that nothing is written over.
- An approval is a line of text: who approves, and a signature over the transaction without approvals and signature.
- Whoever adds approvals signs again: its signature covers them. The bytes without them are not to be posted.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ledger.contracts.membership import Purpose, prove_possession
from ledger.encoding import Value
from ledger.errors import MalformedError
from ledger.genesis import Genesis, Role
from ledger.keys import SIGNATURE_BYTES, BoxKey, SigningKey
from ledger.transaction import SignedTransaction, parse_transaction, sign_approval, sign_transaction
from scenarios.errors import RefusedError
from scenarios.network.deployment import GENESIS_FILE, read_genesis

APPROVAL_BYTES_MAX = 200


def prepare_member(
    directory: Path, organization: str, *, name: str, country: str, roles: Sequence[Role], url: str
) -> str:
    """Make a newcomer's keys and token, and return the `member.add` for a member to sign.

    Args:
        directory: holds the network's `genesis.bin`; the newcomer's folder is made in it.
        organization: the newcomer's id.
        name: its name for people.
        country: two-letter code.
        roles: what it may do.
        url: where its node will listen for peers.

    Raises:
        ConfigError: if there is no network.
        RefusedError: if the folder is there already.
        KeyFileError: if a key cannot be written.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    folder = directory / organization
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise RefusedError(
            f"{folder}: {error.strerror}", "a newcomer has no folder yet", "choose another id"
        ) from error
    key, node_key, box_key = SigningKey.generate(), SigningKey.generate(), BoxKey.generate()
    key.save(folder / "organization.key")
    node_key.save(folder / "node.key")
    box_key.save(folder / "box.key")
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(16) + "\n")
    return _yaml(
        "member.add",
        {
            "organization": organization,
            "name": name,
            "country": country,
            "roles": [role.value for role in roles],
            "key": key.public,
            "key_proof": prove_possession(key, genesis.network, organization, Purpose.ORGANIZATION),
            "box_key": box_key.public,
            "node_key": node_key.public,
            "node_key_proof": prove_possession(node_key, genesis.network, organization, Purpose.NODE),
            "url": url,
        },
    )


def prepare_node(directory: Path, organization: str, *, incarnation: int, url: str | None) -> str:
    """Make the key of an organization's next node, and return the `node.replace` for it to sign.

    Args:
        directory: the network's.
        organization: whose node was lost.
        incarnation: the next one, as `/v1/members` tells the present.
        url: where the new node will listen for peers, if that changes.

    Raises:
        ConfigError: if there is no network.
        KeyFileError: if the key cannot be written.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    key = SigningKey.generate()
    key.save(directory / organization / f"node-{incarnation}.key")
    proof = prove_possession(key, genesis.network, organization, Purpose.NODE)
    body: dict[str, Value] = {"incarnation": incarnation, "node_key": key.public, "node_key_proof": proof}
    return _yaml("node.replace", body if url is None else {**body, "url": url})


def prepare_key(directory: Path, organization: str) -> str:
    """Make an organization's next key, and return the `key.rotate` for its present key to sign.

    Raises:
        ConfigError: if there is no network.
        KeyFileError: if the key cannot be written.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    key = SigningKey.generate()
    key.save(directory / organization / "organization.key.next")
    proof = prove_possession(key, genesis.network, organization, Purpose.ORGANIZATION)
    return _yaml("key.rotate", {"key": key.public, "key_proof": proof})


def approve_file(directory: Path, organization: str, file: Path) -> str:
    """Return an organization's approval of a signed transaction, a line of text.

    Raises:
        ConfigError: if there is no network.
        RefusedError: if the file holds no transaction of it.
        KeyFileError: if the key cannot be used.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    signed = _read_signed(file, genesis)
    key = SigningKey.load(directory / organization / "organization.key")
    return f"{organization} {sign_approval(signed.transaction, key).hex()}\n"


def with_approvals(directory: Path, organization: str, file: Path, approvals: Sequence[Path]) -> bytes:
    """Return a transaction's bytes with approvals, signed again by its creator.

    Args:
        directory: the network's.
        organization: its creator.
        file: the bytes that it signed before.
        approvals: files with a line each.

    Raises:
        ConfigError: if there is no network.
        RefusedError: if the file holds no transaction of the creator's, or a file no approval.
        KeyFileError: if the key cannot be used.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    transaction = _read_signed(file, genesis).transaction
    if transaction.creator != organization:
        raise RefusedError(
            f"{file} is {transaction.creator}'s, not {organization}'s",
            "its creator signs again",
            "name the creator",
        )
    given = tuple(_read_approval(path) for path in approvals)
    key = SigningKey.load(directory / organization / "organization.key")
    return sign_transaction(replace(transaction, approvals=given), key).raw


def _read_signed(file: Path, genesis: Genesis) -> SignedTransaction:
    try:
        signed = parse_transaction(file.read_bytes(), genesis.limits.transaction_bytes_max)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    except MalformedError as error:
        raise RefusedError(f"{file}: {error}", "", "give the bytes that `seatrial sign` wrote") from error
    if signed.transaction.network != genesis.network:
        raise RefusedError(f"{file} is for {signed.transaction.network}, this network is {genesis.network}")
    return signed


def _read_approval(path: Path) -> tuple[str, bytes]:
    try:
        text = path.read_bytes()[:APPROVAL_BYTES_MAX].decode("ascii")
        organization, signature = text.split()
        data = bytes.fromhex(signature)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise RefusedError(
            f"{path}: no approval", "", "give the line that `seatrial approve` wrote"
        ) from error
    if len(data) != SIGNATURE_BYTES:
        raise RefusedError(f"{path}: a signature of {len(data)} bytes", f"{SIGNATURE_BYTES} bytes")
    return organization, data


def _yaml(act: str, body: dict[str, Value]) -> str:
    lines = [f"type: {act}", "body:"]
    for name, value in body.items():
        lines.append(f"  {name}: {_scalar(value)}")
    return "\n".join(lines) + "\n"


def _scalar(value: Value) -> str:
    if isinstance(value, bytes):
        return f"!hex {value.hex()}"
    if isinstance(value, list):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    return str(value) if isinstance(value, int) else f'"{value}"'
