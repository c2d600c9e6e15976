"""Networks on disk as a user has them: found, start, sign for, verify.

Rules:
- Keys come from the system's randomness; only a trial's come from a seed.
- `up` starts one process per organization and stops them all when it ends, however it ends.
- Signing keeps the nonce counter in the organization's folder, durable before the bytes are handed out.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ledger.encoding import Value
from ledger.errors import EncodingError, LedgerError
from ledger.genesis import Genesis
from ledger.keys import BoxKey, SigningKey, Verifier
from ledger.store import FREE_NOTE, Report
from p2p.errors import ConfigError
from scenarios.agents.nonces import NonceFile
from scenarios.agents.wallet import Wallet
from scenarios.errors import RefusedError
from scenarios.judging.verdict import EXIT_INTERNAL, EXIT_USAGE
from scenarios.model import Scenario
from scenarios.network.asked import NETWORK_NAME, network_plan
from scenarios.network.deployment import (
    GENESIS_FILE,
    NODE_FILE,
    read_genesis,
    read_node_file,
    write_deployment,
)
from scenarios.network.founding import Charter, Member, found_from_system
from scenarios.network.plan import Address
from scenarios.network.process import EXIT_CANNOT_GO_ON, EXIT_DAMAGED
from scenarios.record.nodestore import DATABASE, opened_copy

HOST = "127.0.0.1"
STOP_LIMIT_S = 10.0
VALID_FOR_MS = 86_400_000

Say = Callable[[str], None]


def init_network(directory: Path, scenario: Scenario, base_port: int, say: Say) -> None:
    """Found a network of a scenario's organizations in `directory`.

    Raises:
        ConfigError: if there is a network already, or the directory cannot be written.
        RefusedError: if the ports do not fit.
    """
    organizations = list(scenario.organizations)
    if not 1024 <= base_port <= 65535 - 2 * len(organizations):
        raise RefusedError(
            f"--base-port {base_port} leaves no room for {2 * len(organizations)} ports",
            f"1024 to {65535 - 2 * len(organizations)}",
            "choose one within",
        )
    members = [Member(i, o.name, o.country, o.roles) for i, o in scenario.organizations.items()]
    charter = Charter(
        name=NETWORK_NAME,
        time_ms=time.time_ns() // 1_000_000,
        members=members,
        zone=scenario.calendar.zone,
        orderers=scenario.orderers,
        orderer_liars_tolerated=scenario.network.orderer_liars_tolerated,
    )
    founding = found_from_system(charter)
    addresses = {
        organization: Address(HOST, base_port + 2 * number, base_port + 2 * number + 1)
        for number, organization in enumerate(organizations)
    }
    plan = network_plan(scenario)
    try:
        write_deployment(directory, founding, plan, addresses, calendar_ms=None, with_control=False)
    except OSError as error:
        raise ConfigError(
            f"no network can be founded in {directory}: {error.filename}: {error.strerror}; give an empty or new"
            " directory that can be written"
        ) from error
    say(
        f"network {founding.genesis.network}: {len(organizations)} organizations, k = {founding.genesis.quorum}"
    )
    for organization, address in addresses.items():
        say(
            f"  {organization:<12} http://{HOST}:{address.api_port}  token in {directory / organization / 'token'}"
        )
    say(f"start it: seatrial up {directory}")


async def up_network(directory: Path, say: Say) -> int:
    """Start every node of a network and wait until Ctrl-C.

    A node that ends because its store is damaged or its disk failed is done without, as long as a quorum of orderers
    is left; any other end of a node ends them all.

    Returns:
        0 if all ran until they were stopped, 64 if a node was told something wrong, else 70.

    Raises:
        ConfigError: if the directory holds no network.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    processes: dict[str, asyncio.subprocess.Process] = {}
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    try:
        for organization in (o.id for o in genesis.organizations):
            path = directory / organization / NODE_FILE
            read_node_file(path)
            processes[organization] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "scenarios", "node", "--config", str(path), "--until-stdin-ends"),
                stdin=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        say("up; stop with Ctrl-C")
        return await _until_too_few(genesis, processes, stopping, say)
    finally:
        await _stop_all(processes)


async def _until_too_few(
    genesis: Genesis, processes: dict[str, asyncio.subprocess.Process], stopping: asyncio.Event, say: Say
) -> int:
    ended: list[str] = []
    while not stopping.is_set():
        for organization, process in processes.items():
            if process.returncode is None or organization in ended:
                continue
            ended.append(organization)
            left = sum(orderer not in ended for orderer in genesis.orderers)
            what = f"the node of {organization} ended with {process.returncode}"
            if process.returncode not in (EXIT_DAMAGED, EXIT_CANNOT_GO_ON):
                say(f"{what}; stopping the others")
                return EXIT_USAGE if process.returncode == EXIT_USAGE else EXIT_INTERNAL
            if left < genesis.quorum:
                say(
                    f"{what}; {left} orderers are left of the {genesis.quorum} that are needed: stopping them"
                )
                return EXIT_CANNOT_GO_ON
            say(f"{what}, see above; the others go on")
        try:
            async with asyncio.timeout(0.3):
                await stopping.wait()
        except TimeoutError:
            continue
    return EXIT_CANNOT_GO_ON if ended else 0


async def _stop_all(processes: dict[str, asyncio.subprocess.Process]) -> None:
    for process in processes.values():
        if process.returncode is None:
            process.terminate()
    for process in processes.values():
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def sign_file(directory: Path, organization: str, file: Path) -> bytes:
    """Return the signed bytes of the transaction a YAML file describes.

    Args:
        directory: the network's.
        organization: who signs.
        file: a mapping of `type`, `body` and, if any, `documents` (hex roots); byte strings in the body are written
            `!hex 00ff`.

    Raises:
        RefusedError: if the file does not describe a transaction.
        ConfigError: if the directory holds no such organization.
        KeyFileError: if its key cannot be used.
    """
    genesis = read_genesis(directory / GENESIS_FILE)
    folder = directory / organization
    if not (folder / "organization.key").exists():
        known = sorted(path.parent.name for path in directory.glob("*/organization.key"))
        raise ConfigError(f"{folder} has no organization.key; {directory} holds those of {known}")
    value = _read_transaction(file)
    documents = value.get("documents", [])
    if not isinstance(documents, list) or not all(isinstance(d, bytes) and len(d) == 32 for d in documents):
        raise RefusedError(
            f"{file}: documents: expected a list of 32-byte roots", "", "write `- !hex 64 digits`"
        )
    act, body = value["type"], value["body"]
    if not isinstance(act, str) or not isinstance(body, dict):
        raise RefusedError(f"{file}: type must be text and body a mapping", "", "see docs/api.md")
    chance = random.SystemRandom()
    until_ms = time.time_ns() // 1_000_000 + min(VALID_FOR_MS, genesis.limits.valid_for_ms_max)
    with NonceFile(folder / "nonces") as nonces:
        wallet = Wallet(
            organization,
            genesis.network,
            SigningKey.load(folder / "organization.key"),
            BoxKey.load(folder / "box.key"),
            chance,
            nonces=nonces.load() or nonces.begin(chance),
            save=nonces.save,
        )
        try:
            return wallet.sign(act, body, tuple(d for d in documents if isinstance(d, bytes)), until_ms).raw
        except EncodingError as error:
            raise RefusedError(f"{file}: {error}") from error


def _read_transaction(file: Path) -> dict[str, Value]:
    yaml = YAML(typ="safe", pure=True)
    yaml.constructor.add_constructor("!hex", lambda _loader, node: bytes.fromhex(node.value))
    try:
        value = yaml.load(file.read_text())
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    except (YAMLError, ValueError) as error:
        raise RefusedError(f"{file}: {error}") from error
    if not isinstance(value, dict) or not {"type", "body"} <= set(value) <= {"type", "body", "documents"}:
        raise RefusedError(f"{file}: expected a mapping of type, body and, if any, documents")
    return value


def verify_path(path: Path, say: Say) -> int:
    """Verify one store, or every store of a run or network; return 0 if all are whole, else 1.

    Nothing is changed: what a node would repair when it starts is told, and counts as damage.

    Raises:
        RefusedError: if there is no store there, or a node is running on one.
    """
    if path.is_file():
        if path.name != DATABASE:
            raise RefusedError(
                f"{path} is not called {DATABASE}",
                f"a store is {DATABASE} with its watermark beside it",
                "name that file",
            )
        stores = {str(path): path.parent}
    else:
        found = [*path.glob(f"nodes/*/{DATABASE}"), *path.glob(f"*/data/{DATABASE}"), *path.glob(DATABASE)]
        stores = {str(p.parent.relative_to(path)): p.parent for p in sorted(found)}
    if not stores:
        raise RefusedError(
            f"{path}: no node's database here",
            f"a run's folder, a network's folder or a {DATABASE}",
            "a node writes its database when it first starts",
        )
    reports = [_verify_store(directory, name, say) for name, directory in stores.items()]
    say(f"note: {FREE_NOTE}")
    whole = sum(report is not None and report.whole for report in reports)
    say(f"{whole} of {len(reports)} stores are whole; nothing was changed")
    return 0 if whole == len(reports) else 1


def _verify_store(directory: Path, name: str, say: Say) -> Report | None:
    """Tell what one store's verification found; None if it does not even open."""
    try:
        with opened_copy(directory) as store:
            store.load_ledger(Verifier())
            repairs = tuple(f"found on opening a copy of it: {r}" for r in store.repairs)
            report = store.verify_all(Verifier(0))
    except LedgerError as error:
        say(f"{name}: damaged: {error}")
        return None
    report = replace(report, damage=repairs + report.damage)
    state = "whole" if report.whole else "DAMAGED" if report.damage else "incomplete"
    say(
        f"{name}: {state}, height {report.height}: {report.transactions} transactions of {report.blocks} blocks"
        f" executed again, {report.state_keys} state keys, {report.leaves} leaves, {report.certificates}"
        f" certificates, {report.checkpoints} own checkpoints"
    )
    for damage in report.damage:
        say(f"{name}: damaged: {damage}")
    for note in report.notes:
        if note != FREE_NOTE:
            say(f"{name}: {note}")
    return report
