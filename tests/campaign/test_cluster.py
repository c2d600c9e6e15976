"""A campaign over a real Dask scheduler and two workers on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import pytest

from scenarios.campaign.cluster import OTHER_VERSION, _key, run_on_cluster, run_plain
from scenarios.campaign.job import Job
from scenarios.errors import RefusedError

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "0"}
LIMIT_S = 120


def started(stack, *arguments, log):
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            env=ENVIRONMENT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    )
    stack.callback(process.kill)
    return process


@pytest.fixture
def cluster(tmp_path):
    """The scheduler's address, its two workers' processes, and its own."""
    file = tmp_path / "scheduler.json"
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "cluster.log").open("wb"))
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file]
        scheduler = started(stack, "distributed.cli.dask_scheduler", *options, log=log)
        until = time.monotonic() + LIMIT_S
        while not file.exists() or not file.read_text().strip():
            assert time.monotonic() < until, (tmp_path / "cluster.log").read_text()
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        worker = ["--nthreads", "1", "--nworkers", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        workers = [
            started(
                stack,
                "distributed.cli.dask_worker",
                address,
                *worker,
                "--local-directory",
                tmp_path / str(n),
                log=log,
            )
            for n in range(2)
        ]
        yield address, workers, scheduler


def campaign(address, out, seeds):
    command = [sys.executable, "-m", "scenarios.cli", "campaign", "nafta-certificate", "--seeds", str(seeds)]
    return subprocess.Popen(
        [*command, "--cluster", address, "--out", out],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_workers(address, count):
    code = f"from distributed import Client\nc = Client({address!r})\nc.wait_for_workers({count}, timeout={LIMIT_S})"
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT, timeout=2 * LIMIT_S)


def wait_for_a_result(results):
    until = time.monotonic() + LIMIT_S
    while not results.exists() or not results.read_bytes():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(360)
def test_a_worker_that_dies_costs_nothing_but_time(cluster, tmp_path):
    address, workers, _ = cluster
    wait_for_workers(address, 2)
    with campaign(address, tmp_path / "c", 6) as running:
        results = tmp_path / "c" / "results.ndjson"
        wait_for_a_result(results)
        workers[0].send_signal(signal.SIGKILL)
        out, err = running.communicate(timeout=120)
    assert running.returncode == 0, out + err
    seeds = [json.loads(line)["seed"] for line in results.read_text().splitlines()]
    assert sorted(seeds) == ["1", "2", "3", "4", "5", "6"]
    assert "nafta-certificate: 6 runs" in out


@pytest.mark.slow
@pytest.mark.timeout(360)
def test_a_scheduler_that_goes_away_loses_nothing_and_is_said_in_a_line(cluster, tmp_path):
    address, _, scheduler = cluster
    wait_for_workers(address, 2)
    with campaign(address, tmp_path / "c", 20) as running:
        results = tmp_path / "c" / "results.ndjson"
        wait_for_a_result(results)
        scheduler.send_signal(signal.SIGKILL)
        _, err = running.communicate(timeout=120)
    assert running.returncode == 64, err
    assert f"seatrial: the scheduler at {address} is gone; what is done is kept" in err
    assert "Traceback" not in err
    done = [json.loads(line) for line in results.read_text().splitlines()]
    assert {one["verdict"] for one in done} == {"passed"}
    assert len(done) < 20


async def test_an_address_without_a_port_is_named():
    with pytest.raises(RefusedError, match=r"--cluster 10\.0\.0\.5: there is no port; such as tcp://10"):
        await run_on_cluster("10.0.0.5", [], lambda _result: None)


def test_runs_that_differ_have_different_keys():
    one = Job("storm", "{}", None, "1")
    others = [Job("storm", "{ }", None, "1"), Job("storm", "{}", "pass", "1"), Job("storm", "{}", None, "2")]
    assert len({_key(job) for job in (one, *others)}) == 4
    assert _key(one) == _key(Job("storm", "{}", None, "1"))


def test_a_worker_of_another_version_runs_nothing():
    plain = Job("storm", "no scenario", None, "1").plain()
    assert run_plain(plain, "0.0.0") == {OTHER_VERSION: version("seatrial")}


async def test_a_place_where_no_scheduler_answers_is_named(unused_tcp_port_factory, monkeypatch):
    monkeypatch.setattr("scenarios.campaign.cluster.CONNECT_LIMIT_S", 0.5)
    with pytest.raises(RefusedError, match="no scheduler answers at tcp"):
        await run_on_cluster(f"tcp://127.0.0.1:{unused_tcp_port_factory()}", [], lambda _result: None)
