"""The live world: the same program as processes, ending with nobody left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from ledger.genesis import Role
from scenarios.network.founding import Charter, Member, found_from_seed
from scenarios.network.plan import NetworkPlan
from scenarios.running.options import RunResult
from scenarios.worlds.live import LiveWorld

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
ORGANIZATIONS = 5
PATIENCE_S = 90.0
"""For anything on a busy machine; nothing here is a measurement."""


class Runner:
    """A `seatrial run --world live` under way, and the nodes it started."""

    def __init__(self, scenario: str | Path, out: Path) -> None:
        self.out = out
        command = [
            sys.executable,
            "-m",
            "scenarios",
            "run",
            str(scenario),
            "--world",
            "live",
            "--seed",
            "7",
        ]
        self.process = subprocess.Popen(
            [*command, "--out", str(out)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.nodes: dict[int, psutil.Process] = {}
        self._output: str | None = None

    @property
    def output(self) -> str:
        """What the runner had to say, once it has ended."""
        if self._output is None:
            self._output = self.process.communicate()[0]
        return self._output

    def look(self) -> None:
        """Note the nodes that run now."""
        try:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                self.nodes.setdefault(child.pid, child)
        except psutil.NoSuchProcess:
            return

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            self.look()
            if self.process.poll() is not None or time.monotonic() > deadline:
                assert holds(), f"{what} did not come: {self.output}"
            time.sleep(0.05)

    def wait_until_serving(self) -> None:
        """Wait until every node's process has said that it serves."""

        def all_serve() -> bool:
            logs = list(self.out.glob("*/2*/network/*/node.log"))
            return len(logs) == ORGANIZATIONS and all("serving" in log.read_text() for log in logs)

        self.wait_for(all_serve, "all nodes serving")
        self.look()
        assert len(self.nodes) == ORGANIZATIONS

    def end(self) -> tuple[int, str]:
        """Wait for the runner's end; return exit code and output."""
        self.wait_for(lambda: self.process.poll() is not None, "the end")
        return self.process.returncode, self.output

    def survivors(self) -> list[psutil.Process]:
        """Wait for the nodes to end and return those that do not."""
        return psutil.wait_procs(list(self.nodes.values()), timeout=PATIENCE_S)[1]

    def folder(self) -> Path:
        return next(self.out.glob("*/2*"))


StartLive = Callable[[str | Path], Runner]


@pytest.fixture
def start_live(tmp_path: Path) -> Iterator[StartLive]:
    started: list[Runner] = []

    def start(scenario: str | Path) -> Runner:
        started.append(Runner(scenario, tmp_path / "runs"))
        return started[-1]

    yield start
    for runner in started:
        for process in [runner.process, *runner.nodes.values()]:
            if isinstance(process, psutil.Process) and not process.is_running():
                continue
            process.kill()
        assert runner.output is not None


def events(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "observer" / "events.ndjson").read_text().splitlines()]


def trade(folder: Path) -> tuple[list[object], list[object], list[object]]:
    """Return a run's acts in ledger order, its claims' states, and what its agents did and saw."""
    acts: list[object] = []
    states: list[object] = []
    doings: list[object] = []
    for event in events(folder):
        kind = str(event["event"])
        if kind == "receipt":
            subject = (event.get("certificate"), event.get("claim"), event.get("holder"))
            acts.append(
                (event["type"], event["creator"], subject, event["code"], event["rule"], event["findings"])
            )
        elif kind == "claim.state":
            states.append((event["claim"], event["state"], event["by"]))
        elif kind.startswith(("certificate.", "claim.", "request.", "decision.")):
            doings.append((event.get("organization"), kind, event.get("claim"), event.get("certificate")))
    return acts, states, sorted(doings, key=str)


def test_both_worlds_come_to_the_same_trade(fair_run: RunResult, start_live: StartLive) -> None:
    runner = start_live("nafta-certificate")
    runner.wait_until_serving()
    code, output = runner.end()
    assert code == 0, output
    assert "verdict    passed" in output
    assert not runner.survivors()
    folder = runner.folder()
    for log in folder.glob("network/*/node.log"):
        assert "stopped at height" in log.read_text(), "a node was not stopped in good order"
    names = [event["event"] for event in events(folder)]
    assert "node.killed" not in names
    virtual_acts, virtual_states, virtual_doings = trade(fair_run.folder.path)
    acts, states, doings = trade(folder)
    assert len(acts) == 17
    assert acts == virtual_acts
    assert states == virtual_states
    assert doings == virtual_doings
    ours, theirs = (
        json.loads((path / "verdict.json").read_text()) for path in (folder, fair_run.folder.path)
    )
    assert [e["judgement"] for e in ours["expectations"]] == [e["judgement"] for e in theirs["expectations"]]


def test_ctrl_c_leaves_no_node_behind(start_live: StartLive) -> None:
    runner = start_live("nafta-certificate")
    runner.wait_until_serving()
    runner.process.send_signal(signal.SIGINT)
    code, output = runner.end()
    assert code == 128 + signal.SIGINT, output
    assert "stopped by Ctrl-C; no node is left running" in output
    assert "Traceback" not in output
    assert not runner.survivors()
    for log in runner.folder().glob("network/*/node.log"):
        assert "stopped at height" in log.read_text(), "a node was not stopped in good order"


def test_nodes_stop_by_themselves_when_the_runner_is_killed(start_live: StartLive) -> None:
    runner = start_live("nafta-certificate")
    runner.wait_until_serving()
    runner.process.kill()
    runner.process.wait()
    assert not runner.survivors()


async def test_a_node_that_was_paused_or_dead_has_the_calendar_when_it_goes_on(tmp_path: Path) -> None:
    start_ms, later_ms = 1_536_048_000_000, 1_538_640_000_000
    members = [
        Member("cbp", "Customs", "US", (Role.CUSTOMS,)),
        Member("noaa", "Fisheries", "US", (Role.FISHERIES,)),
    ]
    founding = found_from_seed(Charter("pair", start_ms, members, "America/New_York"), "calendar")
    world = LiveWorld(tmp_path, founding, NetworkPlan(), lambda _event, _fields: None)

    async def calendar_ms(organization: str) -> int:
        endpoint = world.endpoint(organization)
        headers = {"Authorization": f"Bearer {endpoint.control_token}"}
        where = f"{endpoint.url}/control/status"
        async with aiohttp.ClientSession(headers=headers) as session, session.get(where) as response:
            values: dict[str, int] = await response.json()
        return values["calendar_ms"]

    try:
        await world.open(start_ms)
        await world.pause("noaa")
        await world.crash("cbp")
        await world.set_calendar(later_ms)
        await world.resume("noaa")
        await world.restart("cbp")
        assert await calendar_ms("noaa") >= later_ms
        assert await calendar_ms("cbp") >= later_ms
    finally:
        await world.close()


STORM = """\
scenario: live-storm
extends: nafta-certificate
title: One node is killed and comes back, another stands still for a while
calendar: { end: "2018-12-31T00:00:00Z" }
steps:
  - { at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }
  - { at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1 }
faults:
  - { when: certificate c1 delivered, for: { protocol: 1s }, kind: crash, target: node importer }
  - { when: certificate c1 delivered, for: { protocol: 2s }, kind: pause, target: node noaa }
  - { when: claim e1 filed, kind: crash, target: node chamber }
  - { when: claim e1 filed, after: { protocol: 1s }, kind: restart, target: node chamber }
expect:
  - certificate c1 is HELD by importer within 2 days
  - claim e1 is ALLOWED within 5 days
"""


def test_crash_restart_and_pause_in_the_live_world(start_live: StartLive, tmp_path: Path) -> None:
    scenario = tmp_path / "live-storm.yaml"
    scenario.write_text(STORM)
    runner = start_live(scenario)
    runner.wait_until_serving()
    code, output = runner.end()
    assert code == 0, output
    assert not runner.survivors()
    seen = events(runner.folder())
    assert len([e for e in seen if e["event"] == "fault.began"]) == 4
    starts = [e["node"] for e in seen if e["event"] == "node.started"]
    assert sorted(starts) == ["cbp", "chamber", "chamber", "exporter", "importer", "importer", "noaa"]
    again = [e for e in seen if e["event"] == "node.started"][ORGANIZATIONS:]
    assert all(int(str(e["height"])) >= 1 for e in again), "a node came back without what its disk had kept"


STORES = """\
scenario: live-stores
extends: nafta-certificate
title: A node starts without its database, bits flip in another's watermark, and a third loses its disk at that moment
calendar: { end: "2018-12-31T00:00:00Z" }
steps:
  - { at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }
faults:
  - { when: certificate c1 anchored, for: {protocol: 1s}, kind: lost_file, target: node noaa, params: {file: database} }
  - { when: certificate c1 held, for: { protocol: 1s }, kind: flip_bits, target: node cbp, params: { file: watermark } }
  - { when: certificate c1 held, kind: rebuild, target: node chamber }
expect:
  - certificate c1 is HELD by importer within 2 days
"""


def test_files_are_lost_and_damaged_in_the_live_world_and_two_nodes_replaced_at_once(
    start_live: StartLive, tmp_path: Path
) -> None:
    scenario = tmp_path / "live-stores.yaml"
    scenario.write_text(STORES)
    runner = start_live(scenario)
    runner.wait_until_serving()
    code, output = runner.end()
    assert code == 0, output
    assert not runner.survivors()
    seen = events(runner.folder())
    failed = {e["node"]: str(e["reason"]) for e in seen if e["event"] == "node.failed"}
    assert "missing or empty" in failed.pop("noaa")
    assert "watermark" in failed.pop("cbp")
    assert not failed
    for replaced in ("cbp", "chamber"):
        acts = [e["type"] for e in seen if e["event"] == "receipt" and e["creator"] == replaced]
        assert acts.index("node.ready") > acts.index("node.replace")


POINTS = """\
scenario: live-points
extends: nafta-certificate
title: Nodes die at a point of their program and again and again, are restarted in turn, and one speaks another version
calendar: { end: "2018-12-31T00:00:00Z" }
steps:
  - { at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }
  - { at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1 }
faults:
  - { at: { protocol: 0s }, for: { protocol: 3s }, kind: crash_at, target: node noaa, params: { point: after_apply } }
  - { when: certificate c1 held, kind: rolling_restart, target: "nodes cbp, exporter" }
  - { when: claim e1 filed, kind: restart_loop, target: node chamber, params: { times: 2, up_ms: [200, 300] } }
  - { when: claim e1 filed, for: { protocol: 2s }, kind: other_version, target: node noaa }
expect:
  - certificate c1 is HELD by importer within 2 days
  - claim e1 is ALLOWED within 5 days
"""


def test_points_loops_turns_and_versions_in_the_live_world(start_live: StartLive, tmp_path: Path) -> None:
    scenario = tmp_path / "live-points.yaml"
    scenario.write_text(POINTS)
    runner = start_live(scenario)
    runner.wait_until_serving()
    code, output = runner.end()
    assert code == 0, output
    assert not runner.survivors()
    seen = events(runner.folder())
    assert [e["node"] for e in seen if e["event"] == "point.struck"] == ["noaa"]
    stopped = [e["hit"] for e in seen if e["event"] == "fault.ended" and e["kind"] == "rolling_restart"]
    starts = [e["node"] for e in seen if e["event"] == "node.started"]
    assert len(stopped) == 1
    assert {node: starts.count(node) for node in starts} == {
        "cbp": 2, "exporter": 2, "importer": 1, "chamber": 3, "noaa": 4,
    }  # fmt: skip
    refusals = [str(e["reason"]) for e in seen if e["event"] == "hello.refused"]
    assert any("version 2 is not spoken here, version 1 is" in reason for reason in refusals)


IMPOSSIBLE = """\
scenario: weather
extends: nafta-certificate
title: What no operating system does to one process
faults:
  - { at: { protocol: 1s }, for: { protocol: 1s }, kind: timer_drift, target: leader, params: { ppm: 9 } }
  - { at: { protocol: 1s }, for: { protocol: 1s }, kind: crash, target: leader }
  - { at: { protocol: 4s }, kind: power_loss, target: leader }
  - { at: { protocol: 1s }, kind: timer_jump, target: leader, params: { seconds: 3 } }
"""


def test_faults_the_live_world_cannot_do_are_refused_by_line(tmp_path: Path) -> None:
    scenario = tmp_path / "weather.yaml"
    scenario.write_text(IMPOSSIBLE)
    command = [sys.executable, "-m", "scenarios", "run", str(scenario), "--world", "live"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "runs")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 64
    lines = done.stderr.splitlines()
    for number, kind in ((5, "timer_drift"), (7, "power_loss"), (8, "timer_jump")):
        assert any(line.startswith(f"{scenario}:{number}:") and kind in line for line in lines), kind
    assert not any(line.startswith(f"{scenario}:6:") for line in lines)
    assert not (tmp_path / "runs").exists()


OFFICES = """\
scenario: live-offices
extends: nafta-certificate
title: An importer works on paper and Customs' portal is down, while all nodes run
calendar: { end: "2018-12-31T00:00:00Z" }
steps:
  - { at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }
  - { at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1 }
faults:
  - at: { calendar: "2018-09-18T08:00:00" }
    for: { calendar: 3d }
    kind: paper_fallback
    target: organization importer
    params: { twice_percent: 100 }
  - { at: { calendar: "2018-09-20T08:00:00" }, for: { calendar: 9d }, kind: outage, target: organization cbp }
checks: [agreement, durability, decided-once, confidentiality, reconciliation]
expect:
  - claim e1 is ALLOWED within 12 days
  - metric paper_doubled >= 2
  - metric paper_open <= 0
"""


def test_offices_close_and_work_on_paper_in_the_live_world(start_live: StartLive, tmp_path: Path) -> None:
    scenario = tmp_path / "live-offices.yaml"
    scenario.write_text(OFFICES)
    runner = start_live(scenario)
    runner.wait_until_serving()
    code, output = runner.end()
    assert code == 0, output
    assert not runner.survivors()
    seen = events(runner.folder())
    away = [e for e in seen if "2018-09-20T12:00" < str(e["calendar"]) < "2018-09-29T12:00"]
    assert any(e["event"] == "block.executed" and e["node"] == "cbp" for e in away)
    assert not any(e["event"] == "receipt" and e["creator"] == "cbp" for e in away)
    assert [e["slip"] for e in seen if e["event"] == "paper.written"] == [1]
    assert sorted(str(e["node"]) for e in seen if e["event"] == "node.started") == sorted(
        ["cbp", "chamber", "exporter", "importer", "noaa"]
    ), "no node was down"
