# SPDX-License-Identifier: Apache-2.0
"""Limiting the rate of packet-ins to one controller.

A token bucket lets `rate` packets a second through, and bursts; what it holds up waits
in one queue for each port, so that one busy port doesn't starve the others, and is sent
round robin. No more than `burst` packets wait: one more drops a packet of the longest
queue.

Source: ovs-vswitchd.conf.db(5), Controller, controller_rate_limit.
"""

from __future__ import annotations

import random
from collections import deque

_DEFAULT_RATE = 1000
_COST = 1000  # tokens a packet takes; a bucket gains `rate` tokens a millisecond
_BATCH = 50  # packets that one run() lets go, so that others get their turn
_EMPTY_SINCE_EVER = -(1 << 62)


class PacketInQueue:
    """The packet-ins of one kind on their way to one controller.

    Attributes:
        n_queued: packets that wait.
        n_normal, n_limited, n_dropped: packets so far that went straight through, had
            to wait, and were given up.
    """

    __slots__ = (
        "_burst", "_last_fill", "_queues", "_rate", "_tokens", "n_dropped",
        "n_limited", "n_normal", "n_queued",
    )  # fmt: skip

    def __init__(self, rate: int, burst: int) -> None:
        self._queues: dict[int, deque[bytes]] = {}  # the next one's turn is first
        self._tokens = 0
        self._last_fill = _EMPTY_SINCE_EVER
        self.n_queued = self.n_normal = self.n_limited = self.n_dropped = 0
        self._rate, self._burst = _limits(rate, burst)

    def set_limits(self, rate: int, burst: int) -> None:
        """Change the limits; `burst` is in packets, 0 for a quarter of `rate`."""
        self._rate, self._burst = _limits(rate, burst)
        self._tokens = min(self._tokens, self._burst * _COST)
        while self.n_queued > self._burst:
            self._drop()

    def send(self, port: int, packet_in: bytes, now: int) -> bytes | None:
        """Return the packet-in if it may go at once, else keep or drop it."""
        if not self.n_queued and self._withdraw(now):
            self.n_normal += 1
            return packet_in
        if self.n_queued >= self._burst:
            self._drop()
        self._queues.setdefault(port, deque()).append(packet_in)
        self.n_queued += 1
        self.n_limited += 1
        return None

    def run(self, now: int) -> list[bytes]:
        """Return what may go now."""
        ready: list[bytes] = []
        while self.n_queued and len(ready) < _BATCH and self._withdraw(now):
            port = next(iter(self._queues))
            queue = self._queues.pop(port)
            ready.append(queue.popleft())
            self.n_queued -= 1
            if queue:
                self._queues[port] = queue
        return ready

    def deadline(self) -> int | None:
        """Return when a packet may go next; None if none waits."""
        if not self.n_queued:
            return None
        need = max(_COST - self._tokens, 0)
        return self._last_fill + need // self._rate + 1

    def _withdraw(self, now: int) -> bool:
        if self._tokens < _COST and now > self._last_fill:
            gained = self._rate * (now - self._last_fill)
            self._tokens = min(self._tokens + gained, self._burst * _COST)
            self._last_fill = now
        if self._tokens < _COST:
            return False
        self._tokens -= _COST
        return True

    def _drop(self) -> None:
        longest = max(map(len, self._queues.values()))
        ports = [port for port, queue in self._queues.items() if len(queue) == longest]
        port = random.choice(ports)
        queue = self._queues[port]
        queue.popleft()
        if not queue:
            del self._queues[port]
        self.n_queued -= 1
        self.n_dropped += 1


def _limits(rate: int, burst: int) -> tuple[int, int]:
    if rate <= 0:
        rate = _DEFAULT_RATE
    return rate, max(burst if burst > 0 else rate // 4, 1)
