"""A workload tells work from waiting, and no failure vanishes."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from scenarios.agents.work import Act, WaitKind, Workload
from scenarios.trial.agenda import Agenda

STEP: ContextVar[int | None] = ContextVar("step", default=None)


def workload() -> tuple[Workload, list[BaseException]]:
    failures: list[BaseException] = []
    return Workload(failures.append), failures


async def test_job_is_at_work_from_the_instant_it_starts_until_it_has_ended() -> None:
    work, _ = workload()

    async def job() -> None:
        await asyncio.sleep(0)

    work.start("job", job())
    assert work.active == 1
    for _ in range(4):
        await asyncio.sleep(0)
    assert work.active == 0


async def test_wait_is_over_before_the_job_runs_again() -> None:
    work, _ = workload()
    arrived = asyncio.Event()

    async def job() -> None:
        with work.waiting(WaitKind.ENVELOPE, "root", arrived.is_set):
            await arrived.wait()
        await asyncio.sleep(0)

    work.start("job", job())
    await asyncio.sleep(0)
    assert (work.active, work.waits) == (0, (("job", WaitKind.ENVELOPE, "root"),))
    arrived.set()
    assert (work.active, work.waits) == (1, ())
    await work.cancel()


async def test_job_without_an_answering_node_is_blocked_not_active() -> None:
    work, _ = workload()

    async def job() -> None:
        with work.waiting(WaitKind.NODE, "an answer", None):
            await asyncio.sleep(60)

    work.start("job", job())
    await asyncio.sleep(0)
    assert (work.active, work.blocked) == (0, 1)
    await work.cancel()
    assert (work.active, work.blocked) == (0, 0)


async def test_failure_of_a_job_is_told_and_cancellation_is_none() -> None:
    work, failures = workload()

    async def fails() -> None:
        raise KeyError("lost")

    work.start("fails", fails())
    work.start("cancelled", asyncio.sleep(60))
    await asyncio.sleep(0)
    await work.cancel()
    assert [type(failure) for failure in failures] == [KeyError]


async def test_step_taken_in_the_callers_task_counts_and_has_its_own_acts() -> None:
    work, _ = workload()
    with work.here("step") as job:
        assert work.active == 1
        work.note(Act("claim.file", "00", "VALID", None))
        with pytest.raises(RuntimeError, match="one step at a time"), work.here("another"):
            pass
    assert work.active == 0
    assert [act.code for act in job.acts] == ["VALID"]


async def test_job_started_by_a_step_is_no_part_of_the_step() -> None:
    work, _ = workload()
    seen: list[int | None] = []

    async def reaction() -> None:
        seen.append(STEP.get())

    STEP.set(4)
    work.start("reaction", reaction())
    await asyncio.sleep(0)
    assert seen == [None]


async def test_cancelling_the_workload_leaves_the_callers_of_steps_alone() -> None:
    work, _ = workload()

    async def caller() -> str:
        with work.here("step"):
            await asyncio.sleep(0.01)
            return "done"

    calling = asyncio.create_task(caller())
    await asyncio.sleep(0)
    await work.cancel()
    assert await calling == "done"


async def test_a_sleeper_is_at_work_again_when_its_wait_ends_and_an_inner_wait_does_not_wake_it() -> None:
    work, _ = workload()
    inner, outer, end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def job() -> None:
        with work.waiting(WaitKind.CALENDAR, "noon", None):
            with work.waiting(WaitKind.NODE, "an answer", None):
                await inner.wait()
            await outer.wait()
        await end.wait()

    work.start("job", job())
    seen = []
    for event in (inner, outer, end):
        await asyncio.sleep(0)
        seen.append((work.active, work.blocked, [kind for _, kind, _ in work.waits]))
        event.set()
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == [(0, 1, [WaitKind.CALENDAR, WaitKind.NODE]), (0, 0, [WaitKind.CALENDAR]), (1, 0, [])]
    assert (work.active, work.blocked, work.waits) == (0, 0, ())


async def _course(asleep_without_a_task: list[bool]) -> list[tuple[int, int, list[str]]]:
    """Return, turn by turn, how many jobs are at work and wait, and who has woken; the jobs sleep to one moment."""
    work, failures = workload()
    agenda, woken = Agenda(), list[str]()

    async def begin(name: str) -> None:
        woken.append(name)
        await asyncio.sleep(0)

    async def sleep(name: str) -> None:
        with work.waiting(WaitKind.CALENDAR, "5", None):
            await agenda.wait_until(5)
        await begin(name)

    async def go_on(name: str) -> None:
        work.go_on_at(5, agenda.call_at, lambda: begin(name))

    course: list[tuple[int, int, list[str]]] = []

    async def turn() -> None:
        course.append((work.active, len(work.waits), woken.copy()))
        await asyncio.sleep(0)

    for number, without in enumerate(asleep_without_a_task):
        name = f"job {number}"
        if without and number % 2:
            work.start_at(name, 5, agenda.call_at, lambda name=name: begin(name))
        else:
            work.start(name, (go_on if without else sleep)(name))
    for _ in range(4):
        await turn()
    assert agenda.next_ms() == 5
    agenda.come_to(5)
    for _ in range(5):
        await turn()
    assert (work.active, work.count, failures) == (0, 0, [])
    return course


async def test_a_job_that_is_no_task_while_it_sleeps_wakes_and_counts_as_one_that_is() -> None:
    sleepers = await _course([False] * 6)
    assert sleepers[-1][2] == [f"job {number}" for number in range(6)]
    assert await _course([True] * 6) == sleepers
    assert await _course([True, False, False, True, True, False]) == sleepers


async def test_a_job_asleep_without_a_task_is_told_of_and_its_failure_after_waking_is_too() -> None:
    work, failures = workload()
    agenda = Agenda()

    async def fail() -> None:
        raise ValueError("late")

    work.start_at("liquidation", 7, agenda.call_at, fail)
    assert (work.active, work.count) == (1, 1)
    await asyncio.sleep(0)
    assert (work.active, work.count) == (0, 1)
    assert work.waits == (("liquidation", WaitKind.CALENDAR, "7"),)
    agenda.come_to(7)
    for _ in range(3):
        await asyncio.sleep(0)
    assert [str(failure) for failure in failures] == ["late"]
    assert (work.count, work.waits) == (0, ())
