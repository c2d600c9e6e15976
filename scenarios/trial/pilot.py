"""What a scenario written in Python may do to a running trial.

    async def scenario(pilot):
        await pilot.do("issue-certificate", by="exporter", document="c1")
        await pilot.until("certificate c1 delivered")
        outage = await pilot.fault("partition", target="minority", lasts={"calendar": "3d"})
        await pilot.at("2018-09-19T09:30:00")
        acts = await pilot.do("file-claim", by="importer", claim="e1")
        assert acts[0].code == "VALID"
        pilot.expect("claim e1 is ALLOWED within 5 days")

Rules:
- Steps, faults and sentences are those of scenario files, with the same words, and are checked as they are there.
- The calendar waits for the script as for an agent: it moves only when the script waits for a moment, for a sentence to
  come true, or for what an agent waits for.
- An `assert` that fails is a violation, told with file and line. A script that still waits when the calendar ends
  leaves the verdict undecided. Everything else that goes wrong in it is the script's own fault and is told so.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from scenarios.agents.agent import StepError
from scenarios.agents.client import NodeClient
from scenarios.agents.work import Act
from scenarios.errors import RefusedError, nearest
from scenarios.model import Step
from scenarios.model.expectations import ExpectationText
from scenarios.model.faults import OVER_AT_ONCE, FaultRecord
from scenarios.model.predicates import Predicate, PredicateText
from scenarios.model.sentences import Expectation
from scenarios.model.tradefaults import TRADE_KINDS
from scenarios.model.units import DurationText, Moment, MomentText
from scenarios.trial.history import History
from scenarios.trial.underway import TrialUnderWay

Script: TypeAlias = "Callable[[Pilot], Awaitable[None]]"
"""A scenario's coroutine function."""

Json: TypeAlias = "Mapping[str, object]"
EndFault: TypeAlias = Callable[[], Awaitable[None]]

T = TypeVar("T")
_WHEN_IT_IS_TAKEN = "2000-01-01T00:00:00Z"
"""Stands for `at`, which steps of a file must have: a script's step begins when it is taken."""
_UNTIL_ENDED = {"protocol": "1s"}
_UNTIL_OPENED = {"calendar": "1d"}
"""Stands for `for` where the script ends the fault itself: files must say it, scripts need not."""
_STEP: TypeAdapter[Step] = TypeAdapter(Step)
_FAULT: TypeAdapter[FaultRecord] = TypeAdapter(FaultRecord)
_PREDICATE: TypeAdapter[Predicate] = TypeAdapter(Annotated[Predicate, *PredicateText.__metadata__])
_EXPECTATION: TypeAdapter[Expectation] = TypeAdapter(Annotated[Expectation, *ExpectationText.__metadata__])
_MOMENT: TypeAdapter[Moment] = TypeAdapter(MomentText)
_DURATION = TypeAdapter(DurationText)


class Doing:
    """A step under way."""

    def __init__(self, pilot: Pilot, what: str, task: asyncio.Task[tuple[Act, ...]]) -> None:
        self._pilot = pilot
        self._what = what
        self._task = task

    async def done(self) -> tuple[Act, ...]:
        """Wait until the step is done; return its transactions with their codes.

        Raises:
            RefusedError: if it could not be taken.
        """
        try:
            with self._pilot.waiting(self._task.done):
                return await self._task
        except StepError as error:
            raise RefusedError(f"{self._what}: {error}") from error


class Pilot:
    """The running trial in a script's hands.

    Args:
        trial: that runs.
    """

    def __init__(self, trial: TrialUnderWay) -> None:
        self._trial = trial
        self._waits: list[Callable[[], bool]] = []
        self._begun: list[asyncio.Task[tuple[Act, ...]]] = []
        self._running = False
        self.expectations: list[Expectation] = []
        self.failure: str | None = None

    # What the script does.

    async def do(self, act: str, *, by: str, **fields: object) -> tuple[Act, ...]:
        """Take a step as an organization; return its transactions with their codes once it is done.

        Args:
            act: what a scenario file calls `do`.
            by: the organization that acts.
            fields: the step's own, such as `document` or `claim`.

        Raises:
            RefusedError: if there is no such step, organization, document or claim, or it cannot be taken.
        """
        return await self.begin(act, by=by, **fields).done()

    def begin(self, act: str, *, by: str, **fields: object) -> Doing:
        """Begin a step as `do` takes it, and go on; `await doing.done()` waits for it.

        Raises:
            RefusedError: as `do`, but for a step that cannot be taken: `done` says so.
        """
        step = _read(_STEP, {"do": act, "by": by, "at": _WHEN_IT_IS_TAKEN, **fields}, f"step {act}")
        self._check_names(by, fields)
        self._trial.book.add("script.did", {"do": act, "organization": by})
        task = asyncio.get_running_loop().create_task(
            self._trial.agents[by].perform(step), name=f"{by}: {act}"
        )
        self._begun.append(task)
        return Doing(self, f"step {act} by {by}", task)

    async def at(self, moment: str) -> None:
        """Let the calendar come to a moment, such as `2018-09-19T09:30:00`; at once if it has passed."""
        time_ms = self._trial.scenario.moment_ms(_read(_MOMENT, moment, "moment"))
        await self._until_calendar(time_ms)

    async def after(self, duration: str) -> None:
        """Let so much time of the calendar pass, such as `30d`."""
        await self._until_calendar(self._trial.now_ms() + _read(_DURATION, duration, "duration").ms)

    async def protocol(self, duration: str) -> None:
        """Let so much protocol time pass, such as `5s`, with the calendar standing still."""
        await asyncio.sleep(_read(_DURATION, duration, "duration").ms / 1000)

    async def until(self, sentence: str) -> None:
        """Wait until a sentence holds, such as `certificate c1 delivered`."""
        predicate = _read(_PREDICATE, sentence, "sentence")
        with self.waiting(lambda: self.history.holds(predicate)):
            await self.history.until(predicate)

    def holds(self, sentence: str) -> bool:
        """Say whether a sentence that one could wait for holds now."""
        return self.history.holds(_read(_PREDICATE, sentence, "sentence"))

    async def fault(
        self, kind: str, *, target: str, lasts: Json | None = None, params: Json | None = None
    ) -> EndFault:
        """Let something go wrong now; return what ends it.

        Args:
            kind: such as `crash` or `partition`.
            target: whom it hits, such as `leader` or `node cbp`.
            lasts: `for` of a scenario file: `{"protocol": "5s"}` or `{"calendar": "3d"}`; until ended if absent.
            params: the kind's own.

        Raises:
            RefusedError: if the record does not hold, or this world cannot do it.
        """
        value: dict[str, object] = {"kind": kind, "target": target, "at": {"protocol": "0s"}}
        if lasts is not None or kind not in OVER_AT_ONCE:
            value["for"] = dict(lasts or (_UNTIL_OPENED if kind in TRADE_KINDS else _UNTIL_ENDED))
        if params is not None:
            value["params"] = dict(params)
        record = _read(_FAULT, value, f"fault {kind}")
        if lasts is None:
            record = record.model_copy(update={"lasts": None})
        return await self._trial.faults.begin(record)

    def expect(self, sentence: str) -> None:
        """Add an expectation, judged at the end like those of the file."""
        self.expectations.append(_read(_EXPECTATION, sentence, "expectation"))

    # What the script sees.

    @property
    def history(self) -> History:
        """What has come of certificates and claims so far."""
        return self._trial.history

    @property
    def organizations(self) -> tuple[str, ...]:
        """The members, in genesis' order."""
        return tuple(self._trial.world.organizations)

    def now_ms(self) -> int:
        """Return the calendar, UTC milliseconds."""
        return self._trial.now_ms()

    async def leader(self) -> str | None:
        """Return whose node leads, if anybody's."""
        return await self._trial.leader()

    def node(self, organization: str) -> NodeClient:
        """Return a client of an organization's own node: everything its HTTP interface offers.

        Raises:
            RefusedError: if there is no such organization.
        """
        self._check_names(organization, {})
        return self._trial.agents[organization].client

    # What the trial asks.

    @property
    def active(self) -> bool:
        """Whether the script is at work: it waits for nothing with a name."""
        return self._running and not any(not is_over() for is_over in self._waits)

    @property
    def is_running(self) -> bool:
        """Whether the script has not come to its end."""
        return self._running

    async def run(self, script: Script) -> None:
        """Run a script to its end.

        Raises:
            RefusedError: if it fails by anything but an assertion.
        """
        self._running = True
        try:
            await script(self)
            with self.waiting(lambda: False):
                for task in self._begun:
                    await task
        except AssertionError as error:
            self.failure = _told(error, with_file=False)
        except RefusedError as error:
            raise RefusedError(_told(error)) from error
        except Exception as error:
            raise RefusedError(f"the scenario's script failed: {_told(error)}") from error
        finally:
            self._running = False
            for task in self._begun:
                task.cancel()
            await asyncio.gather(*self._begun, return_exceptions=True)

    async def _until_calendar(self, time_ms: int) -> None:
        if time_ms <= self._trial.now_ms():
            return
        with self.waiting(lambda: False):
            await self._trial.agenda.wait_until(time_ms)

    @contextmanager
    def waiting(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Let the script wait in this context, until `is_over`."""
        self._waits.append(is_over)
        try:
            yield
        finally:
            self._waits.remove(is_over)

    def _check_names(self, organization: str, fields: Mapping[str, object]) -> None:
        scenario = self._trial.scenario
        documents, claims = list(scenario.documents), list(scenario.claims)
        known = {"document": documents, "successor": documents, "claim": claims}
        named = [("organization", organization, list(scenario.organizations))]
        named += [(field, str(value), known[field]) for field, value in fields.items() if field in known]
        for what, name, names in named:
            if name not in names:
                raise RefusedError(
                    f'{what} "{name}" is unknown', f"known: {', '.join(names)}", nearest(name, names)
                )


def _read(adapter: TypeAdapter[T], value: object, what: str) -> T:
    try:
        return adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        told = "; ".join(
            ": ".join([*(".".join(map(str, e["loc"])) for _ in (0,) if e["loc"]), e["msg"]])
            for e in error.errors()
        )
        raise RefusedError(f"{what}: {told}") from error


def _told(error: BaseException, *, with_file: bool = True) -> str:
    """Return an error with the line of the script that it arose in; without the file, the same wherever it lies."""
    here = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    kind = "" if isinstance(error, RefusedError) else f"{type(error).__name__}: "
    if not here:
        return f"{kind}{error}"
    place = f"{here[0].filename}:{here[0].lineno}" if with_file else f"line {here[0].lineno}"
    return f"{place}: {kind}{str(error) or here[0].line}"
