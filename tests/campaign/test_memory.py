"""A run that is over leaves nothing of its world behind, or a campaign's worker would grow with every seed."""

import gc

from p2p.virtual import VirtualWorld
from scenarios.campaign.execute import execute
from scenarios.campaign.job import jobs_of
from scenarios.model.catalog import load_scenario


def _worlds():
    return {id(one) for one in gc.get_objects() if isinstance(one, VirtualWorld)}


def test_no_world_outlives_its_run():
    (job,) = jobs_of([(load_scenario("nafta-certificate"), None)], 1, 1)
    before = _worlds()
    execute(job)
    gc.collect()
    assert not _worlds() - before
