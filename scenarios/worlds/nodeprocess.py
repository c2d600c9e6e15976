"""One organization's node as an operating-system process, through all its lives.

Rules:
- It is reached only as an outside program can reach it: by its control channel, by signals, and by the file that it is
  started with.
- What a trial has told it to suffer, it is told again by every process that serves after.
- What a process has recorded is fetched before it is ended on purpose; one that ends by itself is reported, with its
  last words.
- A process that does not stop in time when asked is killed, and that is reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path

from p2p.codepoints import Trap
from p2p.errors import ConfigError
from p2p.frameweather import Rule
from scenarios.network.deployment import read_node_file, write_node_file
from scenarios.worlds.base import EndFault, Endpoint, Sink, Standing
from scenarios.worlds.controlchannels import ControlChannels
from scenarios.worlds.nodeears import NodeEars
from scenarios.worlds.nodeharm import NodeHarm
from scenarios.worlds.standing import read_standing

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
HEAR_LIMIT_S = 1.0


class NodeProcess:
    """A node that is started, told, heard and ended.

    Args:
        organization: whose.
        file: what it is started with; its log lies beside it.
        endpoint: where it is reached.
        channels: the way to its control channel.
        harm: what its disk and its calendar suffer.
        sink: takes its records.
        calendar_ms: tells the right calendar.
    """

    def __init__(
        self,
        organization: str,
        file: Path,
        endpoint: Endpoint,
        channels: ControlChannels,
        harm: NodeHarm,
        sink: Sink,
        calendar_ms: Callable[[], int],
    ) -> None:
        self.organization = organization
        self.endpoint = endpoint
        self._file = file
        self._channels = channels
        self._harm = harm
        self._sink = sink
        self._calendar_ms = calendar_ms
        self._process: Process | None = None
        self._served: Process | None = None
        self._killed: Process | None = None
        self._stopping: Process | None = None
        self._is_paused = False
        self._frame_rules: list[Rule] = []
        self._armed: Trap | None = None
        self._ears: NodeEars | None = None
        self._listener: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether the process is there and not paused."""
        return self._process is not None and self._process.returncode is None and not self._is_paused

    # Beginnings.

    async def start(self) -> None:
        """Start a process; `serving` waits for it."""
        given = read_node_file(self._file).model_copy(update={"calendar": self._calendar_ms()})
        write_node_file(self._file, given)
        log = self._log.open("ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "scenarios", "node", "--config", str(self._file)),
                "--until-stdin-ends",
                stdin=PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            log.close()

    async def serving(self) -> None:
        """Wait until a started process answers, tell it what it has to suffer, and listen to its records.

        Raises:
            ConfigError: if it ends or does not answer in time.
        """
        process = self._process
        if process is None:
            raise ConfigError(f"the node of {self.organization} was never started; start it first")
        deadline = time.monotonic() + START_LIMIT_S
        while await self._ask("/control/status") is None:
            if process.returncode is not None or time.monotonic() > deadline:
                log = self._log.read_text(errors="replace")
                raise ConfigError(
                    f"the node of {self.organization} did not start: {log[-800:].strip() or 'no output'}"
                )
            await asyncio.sleep(0.05)
        if self._frame_rules:
            await self._send_frame_rules()
        if self._armed is not None:
            await self._send_points()
        await self._harm.tell_calendar(self.organization)
        if self._listener is not None:
            self._listener.cancel()
        ears = self._ears = NodeEars(self._ask, self._sink)
        await ears.hear()
        self._listener = asyncio.get_running_loop().create_task(self._listen(process, ears))
        self._served = process

    async def restart(self) -> None:
        """Start again over the node's files; nothing happens if it is up, and one that refuses is reported."""
        if self._process is not None and self._stopping is self._process:
            await self._stopped(self._process)
        if (
            self._process is not None
            and self._harm.was_harmed(self.organization)
            and await self._is_halting()
        ):
            await self._stopped(self._process)
        if self._process is None or self._process.returncode is not None:
            await self.start()
        if self._served is not self._process and not self._is_paused:
            # A start that was begun by a fault, and given up with it, is brought to its end here.
            try:
                await self.serving()
            except ConfigError as error:
                if self._process is None or self._process.returncode is None:
                    raise
                self._sink("node.failed", {"node": self.organization, "reason": str(error)[:500]})

    # What it is told.

    async def tell(self, path: str, body: Mapping[str, object]) -> None:
        """Tell the process something on its control channel, if it is up."""
        if self.is_up:
            await self._channels.ask(self.endpoint, "POST", path, body)

    async def tell_calendar(self) -> None:
        """Set the process's calendar, if it is up; one that is not gets it when it starts or goes on."""
        await self.tell("/control/calendar", {"time_ms": self._calendar_ms()})

    async def standing(self) -> Standing | None:
        """Return where the node stands, or None if it does not answer."""
        values = await self._ask("/control/status") if self.is_up else None
        return None if values is None else read_standing(values)

    async def strike_frames(self, rule: Rule) -> EndFault:
        """Strike, by a rule, frames that this process and later ones send; the returned call ends it."""
        self._frame_rules.append(rule)
        await self._send_frame_rules()

        async def end() -> None:
            self._frame_rules.remove(rule)
            await self._send_frame_rules()

        return end

    async def die_at(self, trap: Trap) -> EndFault:
        """Have this process or a later one kill itself at a named point; the returned call lets it pass."""
        self._armed = trap
        await self._send_points()

        async def end() -> None:
            if self._armed is not None:
                self._armed = None
                await self._send_points()

        return end

    async def _send_points(self) -> None:
        trap = self._armed
        points = [] if trap is None else [{"point": trap.point.value, "nth": trap.nth, "chance": trap.chance}]
        await self.tell("/control/crash-at", {"points": points})

    async def _send_frame_rules(self) -> None:
        rules = [
            {"mishap": rule.mishap.value, "share": rule.share, "run": rule.run} for rule in self._frame_rules
        ]
        await self.tell("/control/frames", {"rules": rules})

    # Signals.

    def pause(self) -> None:
        """Stop the process where it is."""
        if self.is_up:
            self._signal(signal.SIGSTOP)
            self._is_paused = True

    async def resume(self) -> None:
        """Let a paused process go on, with the calendar as it is now."""
        if self._is_paused:
            self._is_paused = False
            self._signal(signal.SIGCONT)
            await self.tell_calendar()

    async def kill(self) -> None:
        """Kill the process."""
        process = self._process
        await self.hear_out()
        if process is not None and process.returncode is None:
            self._killed = process
            process.kill()
            await process.wait()
        self._is_paused = False

    def ask_to_stop(self) -> None:
        """Ask the process to stop in good order; nothing happens if it has ended."""
        if self._process is not None and self._process.returncode is None:
            self._stopping = self._process
            if self._is_paused:
                self._is_paused = False
                self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)

    async def stop(self) -> None:
        """Stop the process in good order; kill and report one that does not stop in time."""
        await self.hear_out()
        self.ask_to_stop()
        await self.stopped()

    async def stopped(self) -> None:
        """Wait until a process that was asked to stop has ended; kill and report one that does not in time."""
        if self._process is not None:
            await self._stopped(self._process)

    async def forget(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    async def _stopped(self, process: Process) -> None:
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await process.wait()
        except TimeoutError:
            reason = f"did not stop within {STOP_LIMIT_S} s"
            self._sink("node.killed", {"node": self.organization, "reason": reason})
            process.kill()
            await process.wait()

    # What it says.

    async def hear_out(self) -> None:
        """Fetch what the process has recorded so far, before it is ended."""
        if self.is_up and self._ears is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEAR_LIMIT_S):
                    await self._ears.hear()

    async def _listen(self, process: Process, ears: NodeEars) -> None:
        await ears.listen(lambda: process.returncode is not None)
        if process in (self._killed, self._stopping):
            return
        if self._armed is not None and process.returncode == -signal.SIGKILL:
            trap, self._armed = self._armed, None
            self._sink("point.struck", {"node": self.organization, "point": trap.point.value})
        elif process.returncode:
            self._sink("node.failed", {"node": self.organization, "reason": self._last_words()})

    async def _is_halting(self) -> bool:
        """Whether the process is there and answers no more: it ends for a disk that failed."""
        return self.is_up and await self._ask("/control/status") is None

    async def _ask(self, path: str) -> dict[str, object] | None:
        return await self._channels.ask(self.endpoint, "GET", path)

    @property
    def _log(self) -> Path:
        return self._file.parent / "node.log"

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return lines[-1][:500] if lines else "no output"
