# SPDX-License-Identifier: Apache-2.0
"""The log line that sums up a connection's flow mods.

It comes ten seconds after the first one, so that a burst makes one line; after it, the
next waits for at least a minute more. A connection's end brings it forward.
"""

from __future__ import annotations

from ovswitch.ofproto.flow_mod import ADD, DELETE, DELETE_STRICT
from ovswitch.runtime import vlog

_log = vlog.Module("connmgr")

_DELAY_MS = 10_000
_BACKOFF_MS = 60_000


class FlowModLog:
    """Counts one connection's flow mods, and now and then says how many."""

    __slots__ = (
        "_backoff", "_first", "_last", "_n_adds", "_n_deletes", "_n_modifications",
        "_name", "next_report",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self._name = name
        self._n_adds = self._n_deletes = self._n_modifications = 0
        self._first = self._last = 0
        self._backoff: int | None = None
        self.next_report: int | None = None

    def count(self, command: int, now: int) -> None:
        """Count a flow mod that was carried out."""
        if command == ADD:
            self._n_adds += 1
        elif command in {DELETE, DELETE_STRICT}:
            self._n_deletes += 1
        else:
            self._n_modifications += 1
        if self.next_report is None:
            self._first = now
            self.next_report = max(now + _DELAY_MS, self._backoff or 0)
            self._backoff = self.next_report + _BACKOFF_MS
        self._last = now

    def run(self, now: int) -> None:
        """Write the line if it is time for it."""
        if self.next_report is not None and now >= self.next_report:
            self.report(now)

    def report(self, now: int) -> None:
        """Write the line now, if there is anything to say."""
        self.next_report = None
        counts = (
            (self._n_adds, "adds"),
            (self._n_deletes, "deletes"),
            (self._n_modifications, "modifications"),
        )
        total = sum(count for count, _ in counts)
        if not total:
            return
        kinds = ", ".join(f"{count} {kind}" for count, kind in counts if count)
        _log.info("%s: %d flow_mods %s (%s)", self._name, total, self._when(now), kinds)
        self._n_adds = self._n_deletes = self._n_modifications = 0

    def _when(self, now: int) -> str:
        ago = (now - self._first) // 1000
        interval = (self._last - self._first) // 1000
        if interval == ago:
            return f"in the last {ago} s"
        if interval:
            return f"in the {interval} s starting {ago} s ago"
        return f"{ago} s ago"
