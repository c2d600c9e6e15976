"""Campaigns that are stopped, killed, or begun twice: nothing done is lost, nobody is left behind."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from scenarios.campaign.campaign import CampaignOptions, run_campaign
from scenarios.campaign.crew import Crew, Worker
from scenarios.campaign.job import Job
from scenarios.campaign.journal import RESULTS_FILE, Journal
from scenarios.errors import RefusedError
from scenarios.model.catalog import load_scenario

ROOT = Path(__file__).parents[2]
LIMIT_S = 60
WAITS = """
import os
async def scenario(pilot):
    told = os.open({told!r}, os.O_WRONLY)
    os.write(told, f"{{os.getpid()}} {{os.environ.get('TMPDIR')}}\\n".encode())
    os.read(os.open({waited!r}, os.O_RDONLY), 1)
"""
"""A run that says where it is, keeps the pipe open until its process ends, and waits for a word that never comes."""
CAMPAIGN = """
import signal, sys
from pathlib import Path
from scenarios.campaign.campaign import CampaignOptions, run_campaign
from scenarios.campaign.stopping import StoppedError
from tests.campaign.test_stopping import jobs
signal.signal(signal.SIGINT, signal.SIG_IGN if {ignored} else signal.default_int_handler)
try:
    run_campaign(jobs({script!r}), CampaignOptions(Path({out!r}), 1))
except StoppedError as stopped:
    sys.exit(stopped.exit_code)
"""


def jobs(script):
    """One run that passes, one that waits for ever."""
    text = load_scenario("nafta-certificate", ["steps=[]", "faults=[]", "expect=[]", "checks=[]"]).resolved()
    return [Job("nafta-certificate", text, code, str(n)) for n, code in enumerate((PASSES, script), 1)]


PASSES = "async def scenario(pilot):\n    pass\n"


class Waiting:
    """A campaign process whose second run is under way."""

    def __init__(self, directory, ignored=False):
        self.out = directory / "c"
        told, waited = directory / "told", directory / "waited"
        os.mkfifo(told)
        os.mkfifo(waited)
        # who opens both ends waits for nobody
        self.waited = os.open(waited, os.O_RDWR)
        self.told = os.open(told, os.O_RDONLY | os.O_NONBLOCK)
        self.script = WAITS.format(told=str(told), waited=str(waited))
        code = CAMPAIGN.format(ignored=ignored, script=self.script, out=str(self.out))
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._readable(), "the second run never began"
        self.worker = int(os.read(self.told, 1000).split()[0])

    def _readable(self):
        return bool(select.select([self.told], [], [], LIMIT_S)[0])

    def worker_has_ended(self):
        """Wait until nobody holds the other end of the pipe that the run keeps open."""
        return self._readable() and os.read(self.told, 1) == b""

    def close(self):
        self.process.kill()
        self.process.communicate()
        os.close(self.told)
        os.close(self.waited)


@pytest.fixture
def waiting(request, tmp_path):
    started = Waiting(tmp_path, getattr(request, "param", False))
    yield started
    started.close()


def seeds_done(out):
    return [json.loads(line)["seed"] for line in (out / RESULTS_FILE).read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("waiting", "by", "code", "told"),
    [
        (False, signal.SIGINT, 130, "stopped by Ctrl-C"),
        (False, signal.SIGTERM, 143, "stopped by SIGTERM"),
        (True, signal.SIGTERM, 143, "stopped by SIGTERM"),
    ],
    indirect=["waiting"],
)
def test_a_campaign_that_is_stopped_leaves_nobody_and_goes_on(waiting, by, code, told):
    waiting.process.send_signal(by)
    said, error = waiting.process.communicate(timeout=LIMIT_S)
    assert waiting.process.returncode == code, error
    assert f"{told}: 1 of 2 runs are done; the same command goes on" in said
    assert error == ""
    assert waiting.worker_has_ended()
    assert seeds_done(waiting.out) == ["1"]
    journal = Journal.open(waiting.out, jobs(waiting.script))
    assert [journal.is_done(job) for job in jobs(waiting.script)] == [True, False]
    journal.close()


@pytest.mark.slow
def test_a_second_process_is_refused_until_the_first_is_gone_and_its_worker_with_it(waiting):
    with pytest.raises(RefusedError, match="a campaign is running in") as refused:
        run_campaign(jobs(waiting.script), CampaignOptions(waiting.out, 1))
    assert f"process {waiting.process.pid} on " in str(refused.value)
    waiting.process.kill()
    waiting.process.wait()
    assert waiting.worker_has_ended()
    assert seeds_done(waiting.out) == ["1"]
    Journal.open(waiting.out, jobs(waiting.script)).close()  # the lock of a dead process is none


def test_a_campaign_that_was_refused_or_is_over_holds_nothing(tmp_path):
    first, second = jobs(PASSES)
    Journal.open(tmp_path, [first]).close()
    with pytest.raises(RefusedError, match="holds another campaign"):
        Journal.open(tmp_path, [first, second])
    Journal.open(tmp_path, [first]).close()


async def test_a_worker_takes_its_scratch_directory_along():
    worker = await Worker.start(None)
    await worker.run(jobs(PASSES)[0], LIMIT_S)
    assert os.path.isdir(worker.scratch.name)  # noqa: ASYNC240 - one look at a local directory
    await worker.stop()
    assert not os.path.isdir(worker.scratch.name)  # noqa: ASYNC240


async def test_a_result_that_cannot_be_written_down_is_said_as_itself():
    def full(_result):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await Crew(1).run(jobs(PASSES)[:1], full)
