# SPDX-License-Identifier: Apache-2.0
"""Packet-in scheduling: a controller's rate limit, shared fairly by ports.

A token bucket lets `rate` packet-ins a second through, and `burst` at once. What is
over the limit waits, in a queue a port; ports take turns, so that a busy one delays
itself only. At most `burst` packets wait: then the longest queue loses one.

Source: the reference's pinsched.c.
"""

from __future__ import annotations

from collections import deque

_COST = 1000  # tokens of a packet; the bucket gets `rate` of them each ms


class PinSched:
    """One limit: packet-ins go in with `send()` and come out of it and of `run()`."""

    __slots__ = (
        "_last_fill", "_queues", "_tokens", "burst", "n_limited", "n_normal",
        "n_queue_dropped", "n_queued", "rate",
    )  # fmt: skip

    def __init__(self, rate: int, burst: int = 0) -> None:
        self.rate = 0
        self.burst = 0
        self._tokens = 0
        self._last_fill: int | None = None
        self._queues: dict[int, deque[bytes]] = {}
        self.n_queued = 0
        self.n_normal = 0
        self.n_limited = 0
        self.n_queue_dropped = 0
        self.configure(rate, burst)

    def configure(self, rate: int, burst: int) -> None:
        """Set packet-ins a second (0: no limit), and how many at once (0: rate / 4)."""
        self.rate = max(rate, 0)
        self.burst = max(burst if burst > 0 else self.rate // 4, 1)

    def send(self, port: int, message: bytes, now: int) -> list[bytes]:
        """Return what may be sent at `now` (ms) of a packet-in from `port`: it or nothing."""
        if not self.rate:
            return [message]
        if not self.n_queued and self._take(now):
            self.n_normal += 1
            return [message]
        if self.n_queued >= self.burst:
            self._drop()
        self._queues.setdefault(port, deque()).append(message)
        self.n_queued += 1
        self.n_limited += 1
        return []

    def run(self, now: int) -> list[bytes]:
        """Return what has waited long enough at `now`."""
        ready = []
        while self.n_queued and self._take(now):
            ready.append(self._next())
        return ready

    def deadline(self) -> int | None:
        """Return when `run()` has something, in ms, or None."""
        if not self.n_queued or not self.rate:
            return None
        assert self._last_fill is not None
        missing = max(_COST - self._tokens, 0)
        return self._last_fill + -(-missing // self.rate)

    def clear(self) -> None:
        """Drop what waits: the connection is gone."""
        self._queues.clear()
        self.n_queued = 0

    def _take(self, now: int) -> bool:
        last = self._last_fill
        full = self.burst * _COST
        if last is None:
            self._tokens = full
        elif now > last:
            self._tokens = min(self._tokens + (now - last) * self.rate, full)
        self._last_fill = now
        if self._tokens < _COST:
            return False
        self._tokens -= _COST
        return True

    def _next(self) -> bytes:
        port = next(iter(self._queues))
        queue = self._queues.pop(port)
        message = queue.popleft()
        if queue:
            self._queues[port] = queue  # at the end: the others go first
        self.n_queued -= 1
        return message

    def _drop(self) -> None:
        port = max(self._queues, key=lambda number: len(self._queues[number]))
        queue = self._queues[port]
        queue.popleft()
        if not queue:
            del self._queues[port]
        self.n_queued -= 1
        self.n_queue_dropped += 1
