"""Scripts: what they may do, what their failures come to, and that the calendar waits for them."""

import pytest

from scenarios.errors import RefusedError, ScenarioError
from scenarios.model.catalog import load_scenario, load_script_of

BASE = "nafta-certificate"


def flown(pilot, script, **options):
    return pilot(BASE, script, keep_steps=False, **options)


def test_an_assertion_that_fails_is_a_violation_with_its_line(pilot):
    async def script(p):
        await p.do("issue-certificate", by="exporter", document="c1")
        assert not p.holds("certificate c1 delivered"), "delivered too soon"

    run = flown(pilot, script)
    assert run.verdict == "violated"
    assert any("script: line " in text and "delivered too soon" in text for text in run.violations)


def test_a_script_that_still_waits_leaves_the_verdict_undecided(pilot):
    async def script(p):
        await p.until("certificate c1 delivered")

    run = flown(pilot, script)
    assert run.verdict == "undecided"
    assert "script still waited" in repr(run)


def test_protocol_time_passes_with_the_calendar_standing_still(pilot):
    seen = []

    async def script(p):
        await p.at("2018-09-10T08:00:00")
        before = p.now_ms()
        await p.protocol("200s")  # longer than a network may stand still
        seen.append(p.now_ms() - before)
        await p.after("30d")
        seen.append(p.now_ms() - before)

    run = flown(pilot, script)
    assert run.passed, run
    assert seen[0] == 200_000
    assert 30 * 86_400_000 <= seen[1] - seen[0] < 30 * 86_400_000 + 60_000


def test_a_step_begun_goes_on_while_the_script_does(pilot):
    codes = []

    async def script(p):
        mend = await p.fault("partition", target="node exporter")
        issuing = p.begin("issue-certificate", by="exporter", document="c1")
        await p.protocol("5s")
        codes.append(p.holds("certificate c1 anchored"))
        await mend()
        await mend()  # what is over is over
        codes.extend(act.code for act in await issuing.done())

    run = flown(pilot, script)
    assert run.passed, run
    assert codes == [False, "VALID", "VALID"]


def test_a_step_that_nobody_waited_for_is_finished_before_the_script_is(pilot):
    async def script(p):
        p.begin("issue-certificate", by="exporter", document="c1")
        p.expect("certificate c1 is HELD by importer within 2 days")

    run = flown(pilot, script)
    assert run.passed, run


def test_a_script_uses_nodes_as_an_outside_program_would(pilot):
    heights = []

    async def script(p):
        await p.do("issue-certificate", by="exporter", document="c1")
        assert await p.leader() in p.organizations
        heights.extend([(await p.node(o).health()).height for o in p.organizations])

    run = flown(pilot, script)
    assert run.passed, run
    assert min(heights) >= 1


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda p: p.do("issue-certificat", by="exporter", document="c1"), "issue-certificat"),
        (
            lambda p: p.do("issue-certificate", by="exportr", document="c1"),
            'organization "exportr".*exporter',
        ),
        (lambda p: p.do("issue-certificate", by="exporter", document="c7"), 'document "c7".*c1'),
        (lambda p: p.do("file-claim", by="importer", claim="e9"), 'claim "e9".*e1'),
        (lambda p: p.do("file-claim", by="exporter", claim="e1"), "cannot file-claim"),
        (lambda p: p.until("certificate c1 happy"), "sentence"),
        (lambda p: p.at("tomorrow"), "moment"),
        (lambda p: p.after("30"), "duration"),
        (lambda p: p.fault("earthquake", target="all"), "earthquake"),
        (lambda p: p.fault("crash", target="nobody"), "nobody"),
    ],
)
def test_what_a_script_cannot_do_is_said_with_file_and_line(pilot, act, reason):
    async def script(p):
        await act(p)

    with pytest.raises(RefusedError, match=r"test_pilot\.py:\d+.*" + reason):
        flown(pilot, script)


def test_any_other_failure_is_the_script_s_own(pilot):
    async def script(p):
        raise ZeroDivisionError("by nought")

    with pytest.raises(
        RefusedError, match=r"script failed: .*test_pilot\.py:\d+: ZeroDivisionError: by nought"
    ):
        flown(pilot, script)


GOOD = '''SCENARIO = """
scenario: mine
extends: nafta-certificate
title: Mine
"""
async def scenario(pilot):
    pass
'''


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", r"mine\.py:1: the file has no coroutine"),
        ("async def scenario(pilot):\n    pass\n", r"mine\.py:1: the file has no SCENARIO"),
        (
            "SCENARIO = 'a' + 'b'\nasync def scenario(pilot):\n    pass\n",
            r"mine\.py:1: SCENARIO is no literal",
        ),
        ("async def scenario(pilot)\n", r"mine\.py:1: the file is no Python"),
        (GOOD.replace("title: Mine", "titel: Mine"), r"mine\.py:4: .*titel"),
    ],
)
def test_a_file_s_faults_are_told_with_its_own_lines(tmp_path, text, reason):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=reason):
        load_scenario(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD.replace("(pilot)", "(pilot, more)"), "does not take the pilot alone"),
        (GOOD + "\nimport nothing_of_that_name\n", r"mine\.py:9: ModuleNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_run_is_refused(tmp_path, text, reason):
    path = tmp_path / "mine.py"
    path.write_text(text)
    load_scenario(path)  # what stands still is sound
    with pytest.raises(ScenarioError, match=reason):
        load_script_of(path)
