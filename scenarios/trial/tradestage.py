"""The trial as a generated trade sees it: the calendar, the record, and organizations that take steps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from p2p.observer import RecordField
from scenarios.model import Step
from scenarios.trial.underway import TrialUnderWay


class TradeStage:
    """A trial in a trader's hands; see `scenarios.trading.trader.Stage`."""

    def __init__(self, trial: TrialUnderWay) -> None:
        self._trial = trial

    def now_ms(self) -> int:
        """Return the calendar, UTC milliseconds."""
        return self._trial.now_ms()

    async def wait_until(self, time_ms: int) -> None:
        """Wait until the calendar has come to a moment."""
        await self._trial.agenda.wait_until(time_ms)

    def record(self, name: str, fields: Mapping[str, RecordField]) -> None:
        """Write down what only the simulator knows."""
        self._trial.book.add(name, fields)

    def begin(self, step: Step) -> asyncio.Task[object]:
        """Have an organization begin a step."""
        with self._trial.world.place(step.by):
            return asyncio.get_running_loop().create_task(
                self._trial.agents[step.by].perform(step), name=f"{step.by}: {step.do}"
            )
