# SPDX-License-Identifier: Apache-2.0
"""The daemons' event loop: asyncio on our clock, with named, owned tasks.

All of asyncio's timers follow `clock`, so `time/stop` and `time/warp` move them. A
task that fails is a bug of ours: it is logged and the process aborts, to be restarted
by `--monitor`; only tasks started as `contained` end alone.
Fatal signals end the program between two steps of the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import selectors
import time
from typing import TYPE_CHECKING

from ovswitch.runtime import clock, coverage, crash, fatal, vlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    Body = Coroutine[Any, Any, Any]

_LONG_STEP_MS = 1000

_log = vlog.Module("timeval")


class _Selector(selectors.EpollSelector):
    """Waits for events; while the clock stands still, for nothing else.

    It is also where a step of the loop ends: the time that steps take is watched and
    coverage counters are sampled.
    """

    def __init__(self) -> None:
        super().__init__()
        self._woke = clock.real_now()
        self._usage = resource.getrusage(resource.RUSAGE_SELF)

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0 and clock.is_stopped():
            timeout = None
        elapsed = clock.real_now() - self._woke
        if elapsed >= _LONG_STEP_MS and not clock.is_warped():
            self._report(elapsed)
        coverage.run()
        events = super().select(timeout)
        self._woke = clock.real_now()
        if self._woke >= self._usage_expires:
            self._usage = resource.getrusage(resource.RUSAGE_SELF)
            self._usage_expires = self._woke + _LONG_STEP_MS // 2
        return events

    _usage_expires = 0

    def _report(self, elapsed: int) -> None:
        """Log that the loop was blocked for long, and by what."""
        before, now = self._usage, resource.getrusage(resource.RUSAGE_SELF)
        _log.warn(
            "Unreasonably long %dms poll interval (%dms user, %dms system)",
            elapsed,
            (now.ru_utime - before.ru_utime) * 1000,
            (now.ru_stime - before.ru_stime) * 1000,
        )
        for text, first, second in (
            ("faults: %d minor, %d major", "minflt", "majflt"),
            ("disk: %d reads, %d writes", "inblock", "oublock"),
            ("context switches: %d voluntary, %d involuntary", "nvcsw", "nivcsw"),
        ):
            counts = [
                getattr(now, f"ru_{name}") - getattr(before, f"ru_{name}")
                for name in (first, second)
            ]
            if any(counts):
                _log.warn(text, *counts)
        coverage.log()


class Loop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose time is the virtual clock's."""

    def __init__(self) -> None:
        super().__init__(_Selector())
        self.set_exception_handler(_on_loop_error)

    def time(self) -> float:
        """Return the clock's time in seconds."""
        return clock.seconds()


class Group:
    """Tasks that belong together and end together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(
        self, name: str, body: Body, *, contained: bool = False
    ) -> asyncio.Task[Any]:
        """Start a task.

        An exception in it is logged; then it ends the process or, if `contained`,
        the task alone.
        """
        task = asyncio.get_running_loop().create_task(
            _guard(name, body, contained), name=name
        )
        self._tasks.add(task)

        def forget(done: asyncio.Task[Any]) -> None:
            self._tasks.discard(done)
            body.close()  # it never ran if the task was cancelled at once

        task.add_done_callback(forget)
        return task

    def cancel(self) -> None:
        """Ask all tasks to end."""
        for task in list(self._tasks):
            task.cancel()

    async def close(self) -> None:
        """End all tasks but the calling one, and wait until they have."""
        own = asyncio.current_task()
        others = [task for task in self._tasks if task is not own]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)


async def _guard(name: str, body: Body, contained: bool) -> Any:
    try:
        return await body
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if contained:
            crash.log_exception(f"task {name} failed", error)
            return None
        crash.die(f"task {name} failed", error)


_root = Group("root")


def spawn(name: str, body: Body, *, contained: bool = False) -> asyncio.Task[Any]:
    """Start a task that nobody in particular owns; see `Group.spawn()`."""
    return _root.spawn(name, body, contained=contained)


async def sleep(ms: int) -> None:
    """Sleep in virtual time."""
    await asyncio.sleep(ms / 1000)


async def real_sleep(ms: int) -> None:
    """Sleep in real time, while the loop runs; the clock may stand still."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, time.sleep, ms / 1000)


def yield_now() -> Awaitable[None]:
    """Let everything else that is ready run: for long jobs."""
    return asyncio.sleep(0)


def run(main: Callable[[], Coroutine[Any, Any, int | None]]) -> int:
    """Run `main()` in a new event loop; return what it returns, None being 0.

    An exception from it other than SystemExit aborts the process.
    """
    crash.install()
    event_loop = Loop()
    asyncio.set_event_loop(event_loop)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    fatal.defer(_signal_handler(event_loop, wake_read, wake_write))
    try:
        status = event_loop.run_until_complete(main())
    except Exception as error:
        crash.die("unexpected exception", error)
    finally:
        fatal.defer(None)
        _cancel_all(event_loop)
        event_loop.remove_reader(wake_read)
        event_loop.close()
        asyncio.set_event_loop(None)
        os.close(wake_read)
        os.close(wake_write)
    return status or 0


def _signal_handler(
    event_loop: Loop, wake_read: int, wake_write: int
) -> Callable[[int], None]:
    """Return a handler that wakes the loop, which then ends the program."""
    pending: list[int] = []

    def end() -> None:
        fatal.terminate(pending[0])

    def handle(number: int) -> None:
        pending.append(number)
        with contextlib.suppress(BlockingIOError):  # full of earlier signals
            os.write(wake_write, b"!")

    event_loop.add_reader(wake_read, end)
    return handle


def _cancel_all(event_loop: Loop) -> None:
    tasks = asyncio.all_tasks(event_loop)
    for task in tasks:
        task.cancel()
    if tasks:
        event_loop.run_until_complete(asyncio.wait(tasks, timeout=5))
    event_loop.run_until_complete(event_loop.shutdown_asyncgens())


def _on_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    what = str(context.get("message", "event loop"))
    if error is None or isinstance(error, OSError):
        crash.log_exception(what, error or RuntimeError(what))
    else:
        crash.die(what, error)
