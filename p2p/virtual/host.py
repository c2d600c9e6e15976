"""A host of the virtual world: power, disk, clock, and one process life after the other.

Rules:
- `boot` runs a node program in a fresh life over the files that survived. A host has at most one life at a
  time.
- A program that returns has stopped in an orderly way; a program that raises has failed: `failure` keeps the
  error and `on_failure` is called. It never just vanishes.
- `crash` kills the process: its files stay as written, its sockets are closed by the operating system.
- `power_loss` takes the machine away: unsynced writes are lost or torn, and nothing is sent; peers learn of
  it when somebody answers for the host again.
- `pause` and `resume` stop and continue the process, not the operating system.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Protocol

from p2p.virtual.disk import DiskOperation, Hook, VirtualDisk
from p2p.virtual.life import Ending, Life
from p2p.virtual.lifeclock import LifeClock
from p2p.virtual.loop import VirtualLoop
from p2p.virtual.machine import Calendar, DiskModel, VirtualMachine
from p2p.virtual.network import VirtualNetwork
from p2p.virtual.vfs import LifeVFS, vfs_number

Program = Callable[[VirtualMachine], Coroutine[object, object, object]]
"""A node program: it gets its machine and runs until it stops."""


class OnFailure(Protocol):
    """Told when a program ends by an exception."""

    def __call__(self, host: VirtualHost, error: BaseException) -> None:
        """Take note of it."""


class VirtualHost:
    """One host.

    Args:
        network: the network it is on; the host adds itself.
        name: its name there.
        seed: text that all its random streams are made from.
        calendar_ms: what its clock shows at protocol time zero, UTC milliseconds since the epoch.
        disk_model: how its disk behaves.
        on_failure: told when a program ends by an exception.
    """

    def __init__(
        self,
        network: VirtualNetwork,
        name: str,
        *,
        seed: str,
        calendar_ms: int,
        disk_model: DiskModel | None = None,
        on_failure: OnFailure | None = None,
    ) -> None:
        self.name = name
        self.network = network
        self.address = network.add_host(name)
        self.disk = VirtualDisk()
        self.calendar = Calendar(calendar_ms)
        self.life: Life | None = None
        self.machine: VirtualMachine | None = None
        self.failure: BaseException | None = None
        self.on_failure = on_failure
        self.life_count = 0
        self._loop: VirtualLoop = network.loop
        self._seed = seed
        self._disk_model = DiskModel() if disk_model is None else disk_model
        self._disk_failures: list[tuple[DiskOperation, OSError]] = []
        self._count: Hook | None = None
        self._timer_ppm = 0
        self._damage = random.Random(f"{seed}:{name}:power-loss")

    def __repr__(self) -> str:
        return f"<VirtualHost {self.name} {self.address} {self.life!r}>"

    @property
    def is_up(self) -> bool:
        """Whether a process life is there, running or paused."""
        return self.life is not None and self.life.alive

    @property
    def is_paused(self) -> bool:
        """Whether the process is stopped."""
        return self.life is not None and self.life.alive and self.life.paused

    @property
    def disk_model(self) -> DiskModel:
        """How its disk behaves, in this life from the next commit on, and in later ones."""
        return self._disk_model

    @disk_model.setter
    def disk_model(self, model: DiskModel) -> None:
        self._disk_model = model
        if self.machine is not None:
            self.machine.disk_model = model

    def boot(self, main: Program) -> Life:
        """Switch the power on if need be and run `main` in a new life.

        Raises:
            RuntimeError: if a life is still there.
        """
        if self.is_up:
            raise RuntimeError(f"host {self.name} is up; crash it or let it stop before it boots again")
        self.network.set_power(self.name, True)
        self.failure = None
        self.life_count += 1
        life = Life(self._loop, self.name, self.life_count)
        stream = f"{self._seed}:{self.name}:{self.life_count}"
        vfs = LifeVFS(
            f"seatrial-{self.name}-{vfs_number()}",
            self.disk,
            lambda: self.calendar.now_ms(self._loop),
            random.Random(f"{stream}:vfs"),
        )
        life.add_fence(self._keep_files)
        if self._timer_ppm:
            self._loop.set_clock(life, self._clock(life).paced(self._loop.now_ns(), self._timer_ppm))
        self.network.fence(life)
        self.machine = machine = VirtualMachine(life, self._seed, vfs, self.calendar, self._disk_model)
        self.life = life
        self._loop.create_task(
            self._run(main, machine, life), name=f"{self.name}#{life.number}", context=life.context
        )
        return life

    async def _run(self, main: Program, machine: VirtualMachine, life: Life) -> None:
        error: BaseException | None = None
        try:
            await main(machine)
        except (SystemExit, KeyboardInterrupt):
            raise
        except GeneratorExit:
            raise
        except BaseException as caught:  # kept in `failure` and told to `on_failure`
            error = caught
        if life.alive:
            self._loop.call_soon(self._ended, life, error, context=self._loop.kernel_context)

    def _ended(self, life: Life, error: BaseException | None) -> None:
        if not life.alive:
            return
        life.end(Ending.KILLED)
        if error is not None:
            self.failure = error
            if self.on_failure is not None:
                self.on_failure(self, error)

    def crash(self) -> None:
        """Kill the process, as SIGKILL does; nothing happens if there is none."""
        if self.life is not None:
            self.life.end(Ending.KILLED)

    def power_loss(self) -> None:
        """Take the power away at once; the host stays dark until it boots."""
        self.network.set_power(self.name, False)
        if self.is_up and self.life is not None:
            self.life.end(Ending.POWER_LOST)
        else:
            self.disk.survive_power_loss(self._damage)

    def let_go(self) -> None:
        """Keep nothing of the last life, nor of the disk.

        Raises:
            RuntimeError: if a life is still there.
        """
        if self.is_up:
            raise RuntimeError(f"host {self.name} is up; crash it or let it stop before letting go of it")
        self.life = self.machine = None
        self.disk.erase()

    def pause(self) -> None:
        """Stop the process where it is (SIGSTOP)."""
        if self.life is not None:
            self.life.pause()

    def resume(self) -> None:
        """Let the process go on (SIGCONT)."""
        if self.life is not None:
            self.life.resume()

    def drift_timers(self, ppm: int) -> Callable[[], None]:
        """Let the timers of its lives run fast by so many millionths more; the returned call ends this one."""

        def change(more_ppm: int) -> None:
            self._timer_ppm += more_ppm
            if self.life is not None and self.is_up:
                clock = self._clock(self.life).paced(self._loop.now_ns(), self._timer_ppm)
                self._loop.set_clock(self.life, clock)

        change(ppm)
        return lambda: change(-ppm)

    def jump_timers(self, ahead_ns: int) -> None:
        """Let the clock that the process reads for its timers be ahead at once: what it passes over is due now."""
        if self.life is not None and self.is_up:
            self._loop.set_clock(self.life, self._clock(self.life).jumped(self._loop.now_ns(), ahead_ns))

    @staticmethod
    def _clock(life: Life) -> LifeClock:
        return life.clock or LifeClock(0, 0, 0)

    def at_disk_operation(self, number: int, action: Callable[[], None]) -> None:
        """Call `action` once, just before the `number`-th disk operation from now (1 is the next).

        With `self.crash` or `self.power_loss` as the action this strikes inside a COMMIT.
        """
        left = number

        def count(_operation: DiskOperation, _name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.forget_disk_operation()
                action()

        self._count = count
        self._hook_disk()

    def forget_disk_operation(self) -> None:
        """End what `at_disk_operation` began."""
        self._count = None
        self._hook_disk()

    def fail_disk(self, operation: DiskOperation, error: OSError) -> Callable[[], None]:
        """Let every `operation` fail with `error`, whatever else fails; the returned call ends this one, once."""
        failure = (operation, error)
        self._disk_failures.append(failure)
        self._hook_disk()

        def mend() -> None:
            self._disk_failures = [one for one in self._disk_failures if one is not failure]
            self._hook_disk()

        return mend

    def mend_disk(self) -> None:
        """End all that `at_disk_operation` and `fail_disk` began."""
        self._disk_failures = []
        self.forget_disk_operation()

    def _hook_disk(self) -> None:
        reads = any(operation is DiskOperation.READ for operation, _ in self._disk_failures)
        others = any(operation is not DiskOperation.READ for operation, _ in self._disk_failures)
        self.disk.hook = self._before_operation if others or self._count is not None else None
        self.disk.read_hook = self._fail_if_told if reads else None

    def _before_operation(self, operation: DiskOperation, name: str) -> None:
        if self._count is not None:
            self._count(operation, name)
        self._fail_if_told(operation, name)

    def _fail_if_told(self, attempted: DiskOperation, name: str) -> None:
        for operation, error in self._disk_failures:
            if operation is attempted:
                raise OSError(error.errno, error.strerror, name)

    def _keep_files(self, ending: Ending) -> None:
        if ending is Ending.POWER_LOST:
            self.disk.survive_power_loss(self._damage)
        else:
            self.disk.survive_kill()
