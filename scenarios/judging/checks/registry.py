"""The table of all checks: what each holds, where that comes from, and what trips it.

Rules:
- A row is all there is to know about a check; verdicts, `seatrial list checks` and docs/checks.md are made of it.
- Every row names the test that switches its safeguard off and sees a whole run violate it; one without would be a
  check that nobody has seen fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from p2p.holdings import Holding
from scenarios.judging.checks.agreement import Agreement
from scenarios.judging.checks.balances import CarnetBalances
from scenarios.judging.checks.bounds import Bounds
from scenarios.judging.checks.check import Check, FinalState
from scenarios.judging.checks.confidentiality import Confidentiality
from scenarios.judging.checks.decided import DecidedOnce
from scenarios.judging.checks.durability import Durability
from scenarios.judging.checks.linearizable import Linearizability
from scenarios.judging.checks.liveness import Convergence, Progress
from scenarios.judging.checks.quantities import ClaimedQuantities
from scenarios.judging.checks.raft import RaftProperties
from scenarios.judging.checks.reachable import Reachable
from scenarios.judging.checks.reconciliation import Reconciled
from scenarios.judging.checks.stores import Stores
from scenarios.model import Scenario
from scenarios.privacy.leaks import LeakSearch
from scenarios.privacy.readings import Readings
from scenarios.trial.healing import CONVERGENCE_LIMIT_S, PROGRESS_ELECTION_TIMEOUTS


class Phase(StrEnum):
    """When a check judges."""

    ALWAYS = "at every event"
    TRADE = "during the trade"
    MAJORITY = "once a majority is healed"
    HEALED = "once all is healed"
    END = "at the end"
    AFTERWARDS = "by a second run"


class Worlds(StrEnum):
    """Where a check judges."""

    BOTH = "in both worlds"
    VIRTUAL = "in the virtual world"


@dataclass(frozen=True, slots=True)
class Setting:
    """What checks are made for.

    Attributes:
        scenario: what is run.
        search: the search for private values, which the run itself feeds.
        compare: holds what every organization may read against what it could, given the end of the run.
        holdings: looks into a node, where the world lets one.
    """

    scenario: Scenario
    search: LeakSearch
    compare: Callable[[FinalState], Readings]
    holdings: Callable[[str], Sequence[Holding]] = lambda _node: ()


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check.

    Attributes:
        name: how scenarios and verdicts call it.
        sentence: what it holds.
        source: where that comes from.
        phases: when it judges.
        worlds: where.
        exercised_by: what counts as having exercised it.
        ablation: what is switched off to trip it in a whole run.
        test: of that, as `file::function` under tests/.
        make: makes one for a run.
        also: what else is switched off to trip it, each with its test.
    """

    name: str
    sentence: str
    source: str
    phases: tuple[Phase, ...]
    worlds: Worlds
    exercised_by: str
    ablation: str
    test: str
    make: Callable[[Setting], Check]
    also: tuple[tuple[str, str], ...] = ()

    @property
    def ablations(self) -> tuple[tuple[str, str], ...]:
        """All that is switched off to trip it, each with its test."""
        return (self.ablation, self.test), *self.also


def _table(*rows: CheckRow) -> Mapping[str, CheckRow]:
    return {row.name: row for row in rows}


CHECKS: Mapping[str, CheckRow] = _table(
    CheckRow(
        name="raft",
        sentence=(
            "One leader per term; a leader only appends; equal index and term mean equal logs; a leader has all that"
            " is committed; nobody applies another entry at an index."
        ),
        source="Raft paper, figure 3",
        phases=(Phase.ALWAYS,),
        worlds=Worlds.BOTH,
        exercised_by=(
            "a leader is seen, entries are written over, a log is compared with another or with what is committed"
            " (the live world sees the leaders alone)"
        ),
        ablation="one vote is a majority",
        test="worlds/test_check_ablations.py::test_a_leader_that_lacks_what_is_committed_is_seen",
        make=lambda _setting: RaftProperties(),
    ),
    CheckRow(
        name="agreement",
        sentence="At every height all nodes execute the same block to the same state, log and receipts.",
        source="Raft paper, figure 3: State Machine Safety",
        phases=(Phase.ALWAYS, Phase.END),
        worlds=Worlds.BOTH,
        exercised_by="a second node executes a height",
        ablation="one node writes a value of its own into its state",
        test="worlds/test_ablations.py::test_a_node_that_executes_otherwise_is_seen",
        make=lambda _setting: Agreement(),
    ),
    CheckRow(
        name="stores",
        sentence=(
            "At the end all nodes' stores hold the same blocks, leaves and state, which give the state root and the"
            " Merkle root that each node signed."
        ),
        source="design: identical committed blocks, state and stores; RFC 6962, section 2.1 (Merkle root)",
        phases=(Phase.END,),
        worlds=Worlds.BOTH,
        exercised_by="a node's store is compared with another's",
        ablation="a row of one node's state is changed on its disk",
        test="worlds/test_check_ablations.py::test_a_store_that_was_changed_is_seen",
        make=lambda _setting: Stores(),
    ),
    CheckRow(
        name="durability",
        sentence="What a node called accepted is executed, or expires; what was committed or certified stays.",
        source="Raft paper, section 8 (client interaction); Leader Completeness, figure 3",
        phases=(Phase.END,),
        worlds=Worlds.BOTH,
        exercised_by="an acknowledgement is looked up on a node's disk",
        ablation="SQLite does not sync commits, and the power fails",
        test="worlds/test_ablations.py::test_commits_that_are_not_synced_are_lost_and_that_is_seen",
        make=lambda _setting: Durability(),
        also=(
            (
                "a node answers before its commit, and dies",
                "worlds/test_check_ablations.py::test_an_answer_before_its_commit_is_lost_and_that_is_seen",
            ),
        ),
    ),
    CheckRow(
        name="decided-once",
        sentence="No transaction has two receipts that consume its id.",
        source="Raft dissertation, section 6.3 (linearizable semantics: at most one effect)",
        phases=(Phase.ALWAYS,),
        worlds=Worlds.BOTH,
        exercised_by="a receipt consumes an id",
        ablation="ledgers forget which ids are used up, and a leader orders a transaction again",
        test="worlds/test_check_ablations.py::test_a_transaction_that_takes_effect_twice_is_seen",
        make=lambda _setting: DecidedOnce(),
    ),
    CheckRow(
        name="confidentiality",
        sentence=(
            "No private value or salt lies open on any disk, in any frame, record, log, error, metric or public file,"
            " and no organization's keys open more of what it could get hold of than it may read."
        ),
        source="strtrade.com (2018): certificates are not open to all members of the network",
        phases=(Phase.END,),
        worlds=Worlds.BOTH,
        exercised_by="a field of a document is held against an organization",
        ablation="envelopes disclose all fields to every addressee",
        test="worlds/test_privacy.py::test_a_field_beyond_the_list_of_an_addressee_is_found",
        make=lambda setting: Confidentiality(setting.search, setting.compare),
    ),
    CheckRow(
        name="reachable",
        sentence=(
            "Every state of every document on the ledger is reachable from its receipts by rows of the tables, each"
            " taken by who may take it."
        ),
        source="docs/trade-rules.md: the tables, each row with its regulation",
        phases=(Phase.ALWAYS, Phase.END),
        worlds=Worlds.BOTH,
        exercised_by="a receipt takes a row, or a record is looked up at the end",
        ablation="the contract lets a held certificate be acknowledged again, and an importer does",
        test="worlds/test_check_ablations.py::test_a_step_that_no_table_lists_is_seen",
        make=lambda setting: _walk(setting.scenario),
    ),
    CheckRow(
        name="linearizability",
        sentence=(
            "Per certificate, holding, claim, power of attorney, verification, form 370, carnet, voucher and carnet"
            " claim: what clients saw of it could have happened one act at a time, each between its call and its"
            " return."
        ),
        source="Herlihy and Wing (1990); Raft dissertation, section 6.4 (linearizable reads)",
        phases=(Phase.END,),
        worlds=Worlds.BOTH,
        exercised_by=(
            "a read, while an act is under way or right after it, is given its place (only where"
            " the scenario lists this check: reads cost messages)"
        ),
        ablation="a node answers who asks for the latest with what it has",
        test="worlds/test_check_ablations.py::test_a_stale_read_is_seen",
        also=(
            (
                "so too for carnets and their vouchers",
                "worlds/test_check_ablations.py::test_a_stale_read_of_a_carnet_or_a_voucher_is_seen",
            ),
        ),
        make=lambda setting: Linearizability(_walk(setting.scenario)),
    ),
    CheckRow(
        name="carnet-balances",
        sentence=(
            "Per item of a carnet: home + under way + inside + settled = listed, never negative, at every block."
        ),
        source="design: a general list is neither added to nor taken from",
        phases=(Phase.ALWAYS,),
        worlds=Worlds.BOTH,
        exercised_by="an endorsement or a settlement moves pieces",
        ablation="the contract and customs let items pass that are not listed, or not where they come from",
        test="worlds/test_check_ablations.py::test_pieces_that_come_from_nowhere_are_seen",
        make=lambda setting: CarnetBalances(
            {name: member.country for name, member in setting.scenario.organizations.items()}
        ),
    ),
    CheckRow(
        name="claimed-quantities",
        sentence="The claims that Customs allows on one invoice are together for no more than it lists.",
        source="design: claimed against invoiced quantities are conserved (docs/origin.md)",
        phases=(Phase.ALWAYS,),
        worlds=Worlds.BOTH,
        exercised_by="a claim that cites an invoice is decided",
        ablation="Customs does not hold claims against invoices",
        test="worlds/test_check_ablations.py::test_more_allowed_than_invoiced_is_seen",
        make=lambda setting: ClaimedQuantities(setting.scenario),
    ),
    CheckRow(
        name="reconciliation",
        sentence=(
            "What an organization that worked on paper reports of its slips is what the ledger's receipts show: every"
            " act entered, how often, how often VALID, and what came too late."
        ),
        source="Regulation (EU) 2015/2447, annex 72-04; design: nothing acknowledged is lost",
        phases=(Phase.TRADE, Phase.HEALED),
        worlds=Worlds.BOTH,
        exercised_by="an act on a slip is reconciled",
        ablation="whoever reconciles counts an act that is on the ledger twice once",
        test="worlds/test_paper_fallback.py::test_a_second_entry_that_is_not_told_is_seen",
        make=lambda _setting: Reconciled(),
    ),
    CheckRow(
        name="bounds",
        sentence=(
            "Every node keeps its pool, inbox, link queues, blocks in flight and remembered signatures within their"
            " limits, and all send no more frames than there is to tell."
        ),
        source="design: message and memory bounds; the limits of genesis and of p2p/holdings.py",
        phases=(Phase.ALWAYS,),
        worlds=Worlds.VIRTUAL,
        exercised_by="a node is looked into, or a second's frames are counted",
        ablation="every frame is sent ten times",
        test="worlds/test_check_ablations.py::test_a_flood_of_frames_is_seen",
        make=lambda setting: Bounds(
            list(setting.scenario.organizations), setting.scenario.network.heartbeat_ms, setting.holdings
        ),
    ),
    CheckRow(
        name="progress",
        sentence=(
            "The network never stands still without a fault that explains it; a majority that is healed alone certifies"
            f" a new transaction within {PROGRESS_ELECTION_TIMEOUTS} of the longest election timeouts."
        ),
        source="Raft dissertation, section 3.9 (timing and availability); design: phases of a run",
        phases=(Phase.TRADE, Phase.MAJORITY),
        worlds=Worlds.BOTH,
        exercised_by="faults had taken the majority away, one drawn from the seed is healed, and goes on",
        ablation="nodes of the healed majority hear nobody",
        test="worlds/test_check_ablations.py::test_a_healed_majority_that_does_nothing_is_seen",
        make=lambda _setting: Progress(),
    ),
    CheckRow(
        name="convergence",
        sentence=(
            "Once everything is healed all nodes stand at one certified height, with nothing pending, within"
            f" {CONVERGENCE_LIMIT_S:g} s of protocol time."
        ),
        source="design: phases of a run",
        phases=(Phase.HEALED,),
        worlds=Worlds.BOTH,
        exercised_by="faults had begun, and the network converges",
        ablation="a node does not come back",
        test="worlds/test_ablations.py::test_a_network_that_never_heals_is_stuck_and_no_success",
        make=lambda _setting: Convergence(),
    ),
)
"""All checks, by name."""


def _walk(scenario: Scenario) -> Reachable:
    members = scenario.organizations
    return Reachable(
        {name: member.roles for name, member in members.items()},
        {name: member.country for name, member in members.items()},
    )


def make_checks(setting: Setting) -> list[Check]:
    """Make every check for a run."""
    return [row.make(setting) for row in CHECKS.values()]
