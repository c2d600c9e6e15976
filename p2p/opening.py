"""How a node opens its store: whose it must be, what files must be there, and where its log stands.

Rules:
- What SQLite would take for a new database, and delete the log of writes of, is refused first.
- A store of another network, organization or incarnation is refused, and so is a node that the ledger knows otherwise.
- What an earlier life committed over a failed sync is written anew before anything depends on it.
"""

from __future__ import annotations

import apsw

from ledger.block import decode_block
from ledger.errors import DamagedStoreError, NotHereYetError
from ledger.execution import Ledger
from ledger.roster import Roster
from ledger.store import Store, damage_named
from p2p.chain import BlockRef
from p2p.config import NodeConfig
from p2p.errors import ConfigError
from p2p.hello import STORE_ID_BYTES
from p2p.machine import DiskFailureError, Machine
from p2p.sync.offer import Offer

DATABASE = "node.db"
WATERMARK = "watermark"


def open_store(config: NodeConfig, machine: Machine) -> Store:
    """Open a node's store, or create it in an empty directory.

    Raises:
        DamagedStoreError: if the store is damaged in what verified blocks cannot rebuild, or its database is missing.
        ConfigError: if it is another node's.
    """
    _check_files(machine)
    with damage_named(DATABASE, anything=True):
        connection = machine.open_database(DATABASE)
        is_empty = not list(connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1"))
    watermark = machine.read_watermark()
    if watermark is None and is_empty:
        return Store.create(
            connection,
            genesis=config.genesis,
            organization=config.organization,
            incarnation=config.incarnation,
            store_id=machine.random.randbytes(STORE_ID_BYTES),
        )
    store = Store.open(connection, watermark=watermark)
    if (store.genesis.hash, store.organization) != (config.genesis.hash, config.organization):
        raise ConfigError(
            f"{DATABASE} is {store.organization}'s of {store.genesis.network}, but this node is"
            f" {config.organization}'s of {config.genesis.network}; give it the data directory of its own"
        )
    if store.incarnation != config.incarnation:
        raise ConfigError(
            f"{DATABASE} is of incarnation {store.incarnation}, but this node is incarnation"
            f" {config.incarnation}; a new incarnation begins with an empty data directory"
        )
    return store


def _check_files(machine: Machine) -> None:
    """Refuse to open what SQLite would take for a new database, and delete the log of writes of.

    Raises:
        DamagedStoreError: if the database is not there but what goes with it is.
    """
    if machine.has_file(DATABASE):
        return
    left = [name for name in (f"{DATABASE}-wal", WATERMARK) if machine.has_file(name)]
    if left:
        raise DamagedStoreError(
            DATABASE,
            f"it is missing or empty, though {' and '.join(left)} is there; nothing was touched: put it back if it "
            "was moved or its volume is not mounted",
        )


def check_registration(config: NodeConfig, roster: Roster) -> None:
    """Refuse to run as another node than the ledger registered, or as one that it replaced.

    Raises:
        ConfigError: if the configuration is not of the node that the roster has for its incarnation.
    """
    member = roster.find_ever(config.organization)
    if member is None or config.incarnation > member.node.incarnation:
        return  # as far as this node's ledger goes it is not registered yet
    node = member.node
    if config.incarnation < node.incarnation:
        raise ConfigError(
            f"incarnation {config.incarnation} of {config.organization} was replaced by {node.incarnation} at"
            f" height {node.since}; run that one, with its own key and data directory"
        )
    if (node.raft_id, node.key) != (config.raft_id, config.node_key.public):
        raise ConfigError(
            f"node of {config.organization}: the ledger registers raft_id {node.raft_id} and key {node.key.hex()} for"
            f" incarnation {node.incarnation}, the configuration has {config.raft_id} and"
            f" {config.node_key.public.hex()}; give what /v1/members tells"
        )


def write_again(store: Store) -> None:
    """Write what stands in the log of writes into the database, and sync that.

    A sync that failed may leave writes in the page cache that no later sync of the log brings to the disk (Rebello
    et al., USENIX ATC 2020): what was committed over them would be gone with the power. Here they are written anew.

    Raises:
        DiskFailureError: if they could not be made durable.
    """
    try:
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (apsw.IOError, apsw.FullError) as error:
        raise DiskFailureError(
            f"{store.organization}: the log of writes could not be written into {DATABASE} ({error})"
        ) from error


def log_tip(store: Store, ledger: Ledger) -> BlockRef:
    """Return the last block that the log has brought up to the applied index, or that a snapshot stands for."""
    applied = store.applied_index
    snapshot = store.snapshot
    header = Offer.decode(snapshot.data).header if snapshot.index else None
    if header is not None and snapshot.awaited:
        return BlockRef(snapshot.index, header.height, header.hash, header.time_ms)
    index, in_log = store.applied_block()
    height = max(store.ordered_height(), in_log)
    if header is not None and height <= header.height:
        return BlockRef(applied, header.height, header.hash, header.time_ms)
    if height == 0:
        return BlockRef(applied, 0, ledger.genesis.hash, ledger.genesis.time_ms)
    try:
        return BlockRef(applied, height, store.block_hash(height), store.block_time_ms(height))
    except NotHereYetError:  # a state that was taken over passed it, and the log brought it
        (row,) = store.entries(index, index + 1, 1)
        passed = decode_block(row.data, ledger.genesis.limits.block_bytes_max).header
        return BlockRef(applied, passed.height, passed.hash, passed.time_ms)
