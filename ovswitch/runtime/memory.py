# SPDX-License-Identifier: Apache-2.0
"""Memory use: `memory/show`, and log lines when the process has grown.

Parts of a daemon register callbacks that count what they hold; counts of the same
name are added up.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from ovswitch.runtime import clock, loop, vlog
from ovswitch.runtime.unixctl import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Usage = Callable[[], Mapping[str, int]]

CHECK_INTERVAL_MS = 10_000

_log = vlog.Module("memory")
_sources: list[Usage] = []


def register(usage: Usage) -> Callable[[], None]:
    """Count what `usage()` returns; return what ends that."""
    _sources.append(usage)
    return lambda: _sources.remove(usage)


def report() -> str:
    """Return the counts as "name:count" in the order of their names."""
    totals: dict[str, int] = {}
    for usage in _sources:
        for name, count in usage().items():
            totals[name] = totals.get(name, 0) + count
    return " ".join(f"{name}:{totals[name]}" for name in sorted(totals))


class Watch:
    """Decides when the process has grown enough to say so."""

    def __init__(self) -> None:
        self._last_report = 0
        self._last_kb = 0

    def check(self, now: int, peak_kb: int) -> None:
        """Log the peak size the first time, then whenever it grew by half."""
        if not self._last_kb:
            seconds = (now - clock.boot) / 1000
            _log.info(
                "%d kB peak resident set size after %.1f seconds", peak_kb, seconds
            )
        elif peak_kb >= self._last_kb * 1.5:
            _log.info(
                "peak resident set size grew %.0f%% in last %.1f seconds, "
                "from %d kB to %d kB",
                (peak_kb / self._last_kb - 1) * 100,
                (now - self._last_report) / 1000,
                self._last_kb,
                peak_kb,
            )
        else:
            return
        text = report()
        if text:
            _log.info("%s", text)
        self._last_report = now
        self._last_kb = peak_kb


async def _run() -> None:
    watch = Watch()
    while True:
        await loop.sleep(CHECK_INTERVAL_MS)
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        watch.check(clock.now(), peak_kb)


def start() -> None:
    """Add `memory/show` and begin to watch; call it in the event loop."""
    commands.register("memory/show", "", 0, 0, lambda _args: report())
    loop.spawn("memory", _run())
