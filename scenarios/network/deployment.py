"""A network on disk: genesis, one folder per organization, and the file each node is started with.

Rules:
- Layout: `genesis.bin` (canonical bytes), `genesis.json` (the same for people), and per organization
  `node.yaml`, `node.key`, `organization.key`, `box.key`, `token`, and `data/` once the node has run.
- Key and token files have mode 0600 and are never written over.
- A node file is complete and its paths are relative to itself, so that a folder can be moved to another machine
  with `genesis.bin` beside it.
- `calendar: system` takes the host's clock at start; a trial writes a fixed time instead.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ledger.errors import GenesisError
from ledger.genesis import Genesis
from ledger.keys import SigningKey
from p2p.config import NodeConfig, Timing
from p2p.errors import ConfigError
from p2p.hello import VERSION
from p2p.livedisk import DiskFailure, LiveDisk
from p2p.topology import gossip_graph, neighbors_of
from scenarios.network.founding import Founding, Secrets
from scenarios.network.plan import Address, NetworkPlan

GENESIS_FILE = "genesis.bin"
NODE_FILE = "node.yaml"
FRAMES_FILE = "frames"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Listener(_Strict):
    """Where something listens."""

    host: str
    port: int = Field(ge=0, le=65535)


class DiskHarm(_Strict):
    """What a trial does to a node's disk: how it fails, and how long its syncs take."""

    failures: list[Literal["full", "sync", "read", "write"]]
    slow_ms: list[float] | None = Field(min_length=2, max_length=2)


class NodeFile(_Strict):
    """What a node is started with; paths are relative to the file."""

    genesis: str
    organization: str
    node_key: str
    token: str
    control_token: str | None
    data: str
    peer: Listener
    api: Listener
    peers: dict[str, str]
    neighbors: list[str]
    calendar: Literal["system"] | int
    timing: dict[str, int]
    incarnation: int = Field(default=1, ge=1)
    raft_id: int | None = Field(default=None, ge=1)
    protocol_version: int = Field(default=VERSION, ge=1)
    frames: str | None = None
    disk: DiskHarm | None = None


def write_deployment(
    directory: Path,
    founding: Founding,
    plan: NetworkPlan,
    addresses: Mapping[str, Address],
    *,
    calendar_ms: int | None,
    with_control: bool,
    routes: Mapping[tuple[str, str], str] = MappingProxyType({}),
    keep_frames: bool = False,
    disks_fail: bool = False,
) -> dict[str, Path]:
    """Write a whole network into `directory` and return each organization's node file.

    Args:
        directory: made if absent; must hold no network yet.
        founding: genesis and secrets.
        plan: the network's layout.
        addresses: where every node is to listen.
        calendar_ms: the calendar at start, or None for the host's clock.
        with_control: whether nodes get a control channel.
        routes: where one organization's node reaches another's, if not where that listens: URL by (from, to).
        keep_frames: whether nodes write down every frame that they send, for a trial to search.
        disks_fail: whether a trial may harm the nodes' disks.

    Raises:
        ConfigError: if there is a network already.
    """
    if (directory / GENESIS_FILE).exists():
        raise ConfigError(f"{directory} holds a network already; choose another directory")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    (directory / GENESIS_FILE).write_bytes(founding.genesis.encode())
    (directory / "genesis.json").write_text(_readable(founding.genesis))
    graph = gossip_graph(plan.topology, list(addresses), edges=plan.edges)
    files: dict[str, Path] = {}
    for organization, address in addresses.items():
        folder = directory / organization
        folder.mkdir(mode=0o700)
        own = founding.secrets[organization]
        _write_secrets(folder, own, with_control=with_control)
        files[organization] = folder / NODE_FILE
        write_node_file(
            files[organization],
            NodeFile(
                genesis=f"../{GENESIS_FILE}",
                organization=organization,
                node_key="node.key",
                token="token",  # noqa: S106 - a file's name
                control_token="control-token" if with_control else None,
                data="data",
                peer=Listener(host=address.host, port=address.peer_port),
                api=Listener(host=address.host, port=address.api_port),
                peers={
                    o: routes.get((organization, o), f"http://{a.host}:{a.peer_port}")
                    for o, a in addresses.items()
                    if o != organization
                },
                neighbors=list(neighbors_of(graph, organization)),
                calendar="system" if calendar_ms is None else calendar_ms,
                timing=asdict(plan.timing),
                frames=FRAMES_FILE if keep_frames else None,
                disk=DiskHarm(failures=[], slow_ms=None) if disks_fail else None,
            ),
        )
    return files


def write_node_file(path: Path, node_file: NodeFile) -> None:
    """Write a node file."""
    with path.open("w") as out:
        values = node_file.model_dump()
        if node_file.protocol_version == VERSION:
            del values["protocol_version"]
        for name in ("frames", "disk"):
            if values[name] is None:
                del values[name]
        YAML(typ="safe", pure=True).dump(values, out)


def read_node_file(path: Path) -> NodeFile:
    """Read a node file.

    Raises:
        ConfigError: naming the file, the field and what is wrong with it.
    """
    try:
        return NodeFile.model_validate(YAML(typ="safe", pure=True).load(path.read_text()))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; give the node.yaml that `seatrial init` wrote"
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path}: {faults}") from error


def load_node_config(path: Path) -> tuple[NodeConfig, Path]:
    """Return a node's configuration and its data directory from its node file.

    Raises:
        ConfigError: if a file is missing or does not fit the others.
        KeyFileError: if a key file cannot be used.
    """
    node_file = read_node_file(path)
    folder = path.parent
    genesis = read_genesis(folder / node_file.genesis)
    if genesis.find(node_file.organization) is None and node_file.raft_id is None:
        known = [o.id for o in genesis.organizations]
        raise ConfigError(
            f"{path}: organization {node_file.organization!r} is not in genesis; it lists {known}. Whoever joined "
            "later gives the raft_id that /v1/members tells"
        )
    unknown = sorted(set(node_file.timing) - set(Timing.__slots__))
    if unknown:
        raise ConfigError(f"{path}: timing: unknown {unknown}; known are {sorted(Timing.__slots__)}")
    calendar_ms = time.time_ns() // 1_000_000 if node_file.calendar == "system" else node_file.calendar
    config = NodeConfig(
        genesis=genesis,
        organization=node_file.organization,
        node_key=SigningKey.load(folder / node_file.node_key),
        peer_host=node_file.peer.host,
        peer_port=node_file.peer.port,
        api_host=node_file.api.host,
        api_port=node_file.api.port,
        peers=node_file.peers,
        neighbors=tuple(node_file.neighbors),
        token=_read_private(folder / node_file.token),
        control_token=None
        if node_file.control_token is None
        else _read_private(folder / node_file.control_token),
        calendar_ms=calendar_ms,
        timing=Timing(**node_file.timing),
        incarnation=node_file.incarnation,
        registered_raft_id=node_file.raft_id,
        protocol_version=node_file.protocol_version,
    )
    return config, folder / node_file.data


def load_disk(path: Path) -> LiveDisk | None:
    """Return the disk of a node whose disk a trial may harm, from its node file; None for any other.

    Raises:
        ConfigError: if the file does not hold.
    """
    harm = read_node_file(path).disk
    return None if harm is None else LiveDisk(*disk_harm(harm))


def disk_harm(harm: DiskHarm) -> tuple[tuple[DiskFailure, ...], tuple[float, float] | None]:
    """Return the failures and the range of a sync that a harm means."""
    slow = None if harm.slow_ms is None else (harm.slow_ms[0], harm.slow_ms[1])
    return tuple(DiskFailure(failure) for failure in harm.failures), slow


def read_genesis(path: Path) -> Genesis:
    """Read a genesis file.

    Raises:
        ConfigError: if there is none, or it is no genesis.
    """
    try:
        return Genesis.decode(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; a network's folder has its {GENESIS_FILE}") from error
    except GenesisError as error:
        raise ConfigError(f"{path}: {error}") from error


def _readable(genesis: Genesis) -> str:
    return json.dumps(
        {
            "network": genesis.network,
            "time_ms": genesis.time_ms,
            "zone": genesis.zone,
            "orderers": list(genesis.orderers),
            "quorum": genesis.quorum,
            "insecure_keys": genesis.insecure_keys,
            "limits": {name: getattr(genesis.limits, name) for name in genesis.limits.__slots__},
            "organizations": [
                {
                    "id": o.id,
                    "name": o.name,
                    "country": o.country,
                    "roles": [role.value for role in o.roles],
                    "raft_id": genesis.raft_id(o.id),
                    "key": o.key.hex(),
                    "node_key": o.node_key.hex(),
                    "box_key": o.box_key.hex(),
                }
                for o in genesis.organizations
            ],
        },
        indent=2,
    )


def _write_secrets(folder: Path, own: Secrets, *, with_control: bool) -> None:
    own.node_key.save(folder / "node.key")
    own.organization_key.save(folder / "organization.key")
    own.box_key.save(folder / "box.key")
    _write_private(folder / "token", own.token)
    if with_control:
        _write_private(folder / "control-token", own.control_token)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text + "\n")


def _read_private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; `seatrial init` writes it") from error
    if mode & 0o077:
        raise ConfigError(f"{path}: mode {mode & 0o777:04o} lets others read it; run `chmod 600 {path}`")
    return text
