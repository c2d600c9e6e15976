"""What each safeguard is for: switched off, a bounded search over seeds finds the check that trips.

`python -m tests.consensus.ablations` writes `docs/ablation.md`; with a name and a seed it shows one violation.

Rules:

- One safeguard off at a time, everything else as it is. The same seeds with it on trip nothing.
- A scenario is chosen for the country where the safeguard matters; the seed draws everything in it.
- Safety is what the harness's observer asserts after every step; liveness and memory are asserted here, by name.
"""

import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from consensus import ChangeType, MessageType, Role
from consensus.ablation import ALL_ON, ablation_permitted
from ledger import ablation as ledger_ablation

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "ablation.md"
SEEDS_MAX = 200


def _load(name: str, path: Path) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


harness = _load("raft_harness", HERE / "harness.py")
storms = _load("raft_storms", HERE.parent / "properties" / "test_raft_storms.py")
retries = _load("raft_ablation_retries", HERE / "ablation_retries.py")
Scenario = Callable[[int, dict[str, Any]], None]


def short_reigns(seed: int, settings: dict[str, Any]) -> None:
    """Leaders come and go, crash and return; figure 8 of the Raft paper is here."""
    plain = {"pre_vote": False, "check_quorum": False, "message_bytes_max": 1, "election_tick": 3}
    cluster = harness.Cluster(5, seed, **plain, **settings)
    storms.upheaval(cluster, Random(f"ablation:{seed}"), 30)


def figure_8(seed: int, settings: dict[str, Any]) -> None:
    """Raft paper, figure 8, stopped at a random moment of (c): an old entry may be on a majority by then."""
    plain = {"pre_vote": False, "check_quorum": False, "message_bytes_max": 1}
    cluster = harness.Cluster(5, seed, **plain, **settings)
    random = Random(f"ablation:{seed}")
    cluster.elect(1)
    cluster.isolate(1, 2)
    cluster.propose(1)
    cluster.settle()
    cluster.crash(1)
    cluster.heal()
    _win(cluster, 5)
    cluster.crash(5)
    cluster.restart(1)
    _win(cluster, 1)
    cluster.tick(1)
    storms.gossip(cluster, random, random.randrange(4, 24))
    cluster.crash(1)
    cluster.restart(5)
    _win(cluster, 5)
    cluster.settle()


def _win(cluster: Any, node: int) -> None:
    """Lets `node` win an election, if it can, and keeps everything else it sends from arriving."""
    cluster.flying.clear()
    for _ in range(4):
        if cluster.core(node).role is Role.LEADER:
            break
        cluster.campaign(node)
        cluster.work(node)
        for _ in range(2):
            votes = [m for m in cluster.flying if m.type in (MessageType.VOTE, MessageType.VOTE_RESPONSE)]
            for message in votes:
                cluster.deliver(cluster.flying.index(message))
                cluster.work(message.to)
    cluster.work(node)
    cluster.flying.clear()


def storm(seed: int, settings: dict[str, Any]) -> None:
    """Loss, reordering, doubling, crashes and cut links under load."""
    cluster = harness.Cluster(3, seed, election_tick=3, message_bytes_max=100, **settings)
    storms.storm(cluster, Random(f"ablation:{seed}"), 120)


def doubled_grants(seed: int, settings: dict[str, Any]) -> None:
    """Three of five are cut off; the others' answers arrive several times."""
    cluster = harness.Cluster(5, seed, pre_vote=False, check_quorum=False, **settings)
    random = Random(f"ablation:{seed}")
    halves = random.sample(cluster.ids, 5)
    cluster.isolate(*halves[:2])
    for candidate in (halves[0], halves[2]):
        cluster.campaign(candidate)
        for _ in range(3):
            storms.gossip(cluster, random, 4)
            cluster.flying.extend(cluster.flying)
    cluster.settle()


def returns_empty(seed: int, settings: dict[str, Any]) -> None:
    """A member leaves, loses its disk and returns under its old id, while its old answers are still on the way."""
    cluster = harness.Cluster(3, seed, spare=1, **settings)
    random = Random(f"ablation:{seed}")
    cluster.elect(1)
    cluster.change(1, (ChangeType.ADD_LEARNER, 4))
    cluster.run(2)
    for _ in range(random.randrange(1, 5)):
        cluster.propose(1)
    for _ in range(2):
        for node in cluster.ids:
            cluster.work(node)
        for message in [message for message in cluster.flying if message.sender != 4]:
            cluster.deliver(cluster.flying.index(message))
    late = [message for message in cluster.flying if message.sender == 4]
    cluster.settle()
    cluster.change(1, (ChangeType.REMOVE, 4))
    cluster.settle()
    cluster.wipe(4)
    cluster.change(1, (ChangeType.ADD_LEARNER, 4))
    for node in (1, 2, 3):
        cluster.work(node)
    cluster.isolate(4)
    cluster.settle()
    cluster.heal()
    cluster.tick(1)
    cluster.work(1)
    cluster.flying.extend(late)
    while cluster.flying:
        cluster.deliver(random.randrange(len(cluster.flying)))
    cluster.run(2)


def a_lost_answer(seed: int, settings: dict[str, Any]) -> None:
    """A client whose answer was lost asks again; its transaction must have one effect."""
    random = Random(f"ablation:{seed}")
    cluster = harness.Cluster(3, seed)
    retries.a_lost_answer(cluster, random, storms.gossip, settings["ledger_safeguards"])


def an_empty_voter_is_added(seed: int, settings: dict[str, Any]) -> None:
    """Liveness: whoever is added, writes go on although one voter and the newcomer are away."""
    cluster = harness.Cluster(3, seed, spare=1, **settings)
    leader, away = Random(f"ablation:{seed}").sample((1, 2, 3), 2)
    cluster.elect(leader)
    cluster.run(1)
    cluster.isolate(away)
    cluster.isolate(4)
    cluster.change(leader, (ChangeType.ADD_VOTER, 4))
    cluster.settle()
    written = cluster.propose(leader)
    cluster.run(8)
    assert written is not None
    assert cluster.core(leader).commit >= written.index, (
        "writes stop: a voter with an empty log is needed for every commit"
    )


def a_silent_peer(seed: int, settings: dict[str, Any]) -> None:
    """Memory: what is sent ahead to a peer that never answers stays within its window."""
    limit = Random(f"ablation:{seed}").randrange(4, 9)
    cluster = harness.Cluster(3, seed, inflight_messages_max=limit, **settings)
    cluster.elect(1)
    cluster.run(1)
    cluster.isolate(3)
    for _ in range(limit + 20):
        cluster.propose(1)
        cluster.settle()
    ahead = cluster.core(1).status().peers[3].inflight_messages
    assert ahead <= limit, f"{ahead} appends sent ahead to a silent peer, the limit is {limit}"


def a_node_returns(seed: int, settings: dict[str, Any]) -> None:
    """Liveness: a node that was cut off deposes nobody when it returns."""
    cluster = harness.Cluster(3, seed, **settings)
    random = Random(f"ablation:{seed}")
    cluster.elect(1)
    cluster.isolate(random.choice((2, 3)))
    cluster.run(random.randrange(30, 60))
    term = cluster.core(1).term
    cluster.heal()
    cluster.run(40)
    assert (cluster.leaders(), cluster.core(1).term) == ([1], term), (
        "a node that was cut off has deposed a working leader on its return"
    )


def a_leader_is_cut_off(seed: int, settings: dict[str, Any]) -> None:
    """Liveness: a leader without a majority notices within two election timeouts."""
    cluster = harness.Cluster(3, seed, **settings)
    leader = Random(f"ablation:{seed}").choice((1, 2, 3))
    cluster.elect(leader)
    cluster.run(1)
    cluster.isolate(leader)
    cluster.run(20)
    assert cluster.core(leader).role is not Role.LEADER, (
        "a leader without a majority still takes in proposals it can never commit"
    )


@dataclass(frozen=True, slots=True)
class Case:
    """One safeguard, where it matters and what it keeps."""

    name: str
    kind: str
    scenario: Scenario

    def settings(self, *, on: bool) -> dict[str, Any]:
        """What to give the cores."""
        if self.name in ("pre_vote", "check_quorum"):
            return {self.name: on}
        if self.name == "duplicate_suppression":
            return {"ledger_safeguards": ledger_ablation.Safeguards(duplicate_suppression=on)}
        return {"safeguards": replace(ALL_ON, **{self.name: on})}

    def trial(self, seed: int, *, on: bool) -> str | None:
        """Plays one seed; gives what tripped."""
        with ablation_permitted(), ledger_ablation.ablation_permitted():
            try:
                self.scenario(seed, self.settings(on=on))
            except AssertionError as error:
                return _brief(str(error))
        return None


def _brief(text: str) -> str:
    """The check's own words, with a message or a state named instead of shown."""
    text = re.sub(
        r"Message\(type=<MessageType\.(\w+):.*?snapshot=\w+\)", r"\1", text.split("\n", maxsplit=1)[0]
    )
    return re.sub(r": HardState\(.*", "", text)


CASES = (
    Case("persist_vote", "safety", short_reigns),
    Case("persist_before_answer", "safety", storm),
    Case("own_term_commit", "safety", figure_8),
    Case("truncate_on_conflict_only", "safety", storm),
    Case("votes_per_voter", "safety", doubled_grants),
    Case("session_on_answers", "safety", returns_empty),
    Case("log_comparison", "safety", short_reigns),
    Case("duplicate_suppression", "safety", a_lost_answer),
    Case("pre_vote", "liveness", a_node_returns),
    Case("check_quorum", "liveness", a_leader_is_cut_off),
    Case("learners_first", "liveness", an_empty_voter_is_added),
    Case("inflight_limits", "memory", a_silent_peer),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """The first seed that trips a check without the safeguard."""

    case: Case
    seed: int
    check: str


def search(case: Case) -> Finding:
    """Finds it within the bound.

    Raises:
        LookupError: nothing trips: the safeguard, or the search for its absence, is worth nothing.
    """
    for seed in range(SEEDS_MAX):
        check = case.trial(seed, on=False)
        if check is not None:
            return Finding(case, seed, check)
    raise LookupError(f"{SEEDS_MAX} seeds without {case.name} trip nothing; choose a harder scenario")


def document() -> str:
    """The table of all safeguards as Markdown."""
    lines = [
        "# What each safeguard is for",
        "",
        "Each is switched off alone; a search over at most "
        f"{SEEDS_MAX} seeds finds the check that trips. With it on, the same",
        "seed trips nothing. A row's command plays that row, off and on; without arguments it writes this table.",
        "The switches are refused outside tests: those of the core by `Config`, that of execution by `Ledger`.",
        "",
        "| safeguard | keeps | scenario | check that trips | seed | command |",
        "|---|---|---|---|---|---|",
    ]
    for case in CASES:
        found = search(case)
        check = found.check.replace("|", "/")
        check = check if len(check) <= 110 else f"{check[:107]}..."
        lines.append(
            f"| `{case.name}` | {case.kind} | {case.scenario.__name__.replace('_', ' ')} | {check} "
            f"| {found.seed} | `python -m tests.consensus.ablations {case.name} {found.seed}` |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the table, or plays one seed of one case without the safeguard and with it.

    Returns:
        The exit code: 0 if the check trips without it and nothing trips with it.
    """
    if not arguments:
        DOCUMENT.write_text(document(), encoding="utf-8")
        return 0
    names = [case.name for case in CASES]
    if len(arguments) != 2 or arguments[0] not in names or not arguments[1].isdecimal():
        print(f"give a safeguard and a seed, such as own_term_commit 3; safeguards are {', '.join(names)}")
        return 2
    case, seed = CASES[names.index(arguments[0])], int(arguments[1])
    off, on = case.trial(seed, on=False), case.trial(seed, on=True)
    print(f"{case.name} off, {case.scenario.__name__}, seed {seed}: {off or 'nothing trips'}")
    print(f"{case.name} on, the same: {on or 'nothing trips'}")
    return int(off is None or on is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
