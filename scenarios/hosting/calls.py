"""The command line's calls about networks: found, run, sign, change."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ledger.genesis import Role
from scenarios.errors import RefusedError
from scenarios.hosting.changes import (
    approve_file,
    prepare_key,
    prepare_member,
    prepare_node,
    with_approvals,
)
from scenarios.hosting.commands import init_network, sign_file, up_network
from scenarios.model.catalog import load_scenario
from scenarios.network.process import run_node

ScenarioName = Annotated[
    str, Parameter(help="A library scenario's name (see `seatrial list`) or a file's path.")
]


def init(
    directory: Annotated[Path, Parameter(help="Made if absent; must hold no network yet.")],
    *,
    scenario: ScenarioName = "nafta-certificate",
    base_port: Annotated[int, Parameter(help="First of two ports per organization.")] = 7100,
) -> int:
    """Found a network: genesis, everybody's keys, and a configuration file per node."""
    init_network(directory, load_scenario(scenario), base_port, print)
    return 0


def up(directory: Annotated[Path, Parameter(help="A network that `init` founded.")]) -> int:
    """Start every node of a network and keep them up until Ctrl-C."""
    return asyncio.run(up_network(directory, print))


def sign(
    directory: Annotated[Path, Parameter(help="A network that `init` founded.")],
    organization: Annotated[str, Parameter(help="Who signs.")],
    file: Annotated[
        Path,
        Parameter(
            help="YAML with `type`, `body` and, if any, `documents`; with --approval, bytes signed before."
        ),
    ],
    *,
    approval: Annotated[
        list[Path] | None, Parameter(help="A file that `approve` wrote; once per approval.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="Where the bytes go; standard output if absent.")] = None,
) -> int:
    """Sign a transaction: the bytes to post to a node."""
    if approval:
        return _hand_out(with_approvals(directory, organization, file, approval), out)
    return _hand_out(sign_file(directory, organization, file), out)


def approve(
    directory: Annotated[Path, Parameter(help="A network that `init` founded.")],
    organization: Annotated[str, Parameter(help="Who approves.")],
    file: Annotated[Path, Parameter(help="A change of membership that its creator signed.")],
    *,
    out: Annotated[Path | None, Parameter(help="Where the line goes; standard output if absent.")] = None,
) -> int:
    """Approve a change of membership that another member signed: a line for its creator."""
    return _hand_out(approve_file(directory, organization, file).encode(), out)


def prepare(
    what: Annotated[Literal["member", "node", "key"], Parameter(help="What is to change.")],
    directory: Annotated[Path, Parameter(help="A network's folder, with its genesis.bin.")],
    organization: Annotated[str, Parameter(help="Whose keys are made.")],
    *,
    url: Annotated[str | None, Parameter(help="Where the node will listen for peers.")] = None,
    incarnation: Annotated[int, Parameter(help="`node`: the next incarnation.")] = 2,
    name: Annotated[str | None, Parameter(help="`member`: its name for people; the id if absent.")] = None,
    country: Annotated[str, Parameter(help="`member`: two-letter code.")] = "US",
    role: Annotated[list[Role] | None, Parameter(help="`member`: a role; once per role.")] = None,
    out: Annotated[Path | None, Parameter(help="Where the YAML goes; standard output if absent.")] = None,
) -> int:
    """Make the keys for a change of membership and write the transaction that is to be signed."""
    if what == "key":
        text = prepare_key(directory, organization)
    elif what == "node":
        text = prepare_node(directory, organization, incarnation=incarnation, url=url)
    elif url is None or not role:
        raise RefusedError(
            "prepare member: --url and --role are missing",
            "",
            "say where its node will listen, and its roles",
        )
    else:
        text = prepare_member(
            directory, organization, name=name or organization, country=country, roles=role, url=url
        )
    return _hand_out(text.encode(), out)


def _hand_out(data: bytes, out: Path | None) -> int:
    """Write to a file, or to standard output if none is named."""
    if out is None:
        sys.stdout.buffer.write(data)
        return 0
    try:
        out.write_bytes(data)
    except OSError as error:
        raise RefusedError(
            f"--out {out} cannot be written: {error.strerror}",
            "",
            "name a file in a folder that can be written",
        ) from error
    return 0


def node(
    *,
    config: Annotated[Path, Parameter(help="The node.yaml that `init` wrote.")],
    until_stdin_ends: Annotated[
        bool, Parameter(help="Stop when standard input ends; for whoever starts nodes.")
    ] = False,
) -> int:
    """Run one node until it is stopped."""
    return run_node(config, until_stdin_ends=until_stdin_ends)
