# SPDX-License-Identifier: Apache-2.0
"""Locks that clients hold: `lock`, `steal`, `unlock` (RFC 7047 section 4.1.8).

A lock is a queue of waiters; the first owns it. Whoever steals goes to its head. A
victim that had waited for the lock stays in the queue and gets it back in its turn; one
that had stolen it has `lost` it: it stays registered, so that its client must unlock
before it can lock again, but waits for nothing.

Source: ovsdb/server.c.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Client(Protocol):
        """Who holds locks."""

        def notify_lock(self, method: str, name: str) -> None:
            """Take notice of "locked" or "stolen"."""


WAIT = "lock"
STEAL = "steal"


class Waiter:
    """One client's claim to a lock. `mode` is how it was made."""

    __slots__ = ("client", "lost", "mode", "name")

    def __init__(self, client: Client, name: str, mode: str) -> None:
        self.client = client
        self.name = name
        self.mode = mode
        self.lost = False


class Locks:
    """All locks of a server."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[str, list[Waiter]] = {}

    def claim(self, client: Client, name: str, mode: str) -> Waiter:
        """Queue up for a lock, or take it from its owner, who is told."""
        waiter = Waiter(client, name, mode)
        queue = self._queues.setdefault(name, [])
        if mode != STEAL:
            queue.append(waiter)
            return waiter
        if queue:
            victim = queue[0]
            if victim.mode == STEAL:
                victim.lost = True
                del queue[0]
            victim.client.notify_lock("stolen", name)
        queue.insert(0, waiter)
        return waiter

    def owns(self, waiter: Waiter) -> bool:
        """Return whether a waiter has the lock."""
        queue = self._queues.get(waiter.name, [])
        return queue[:1] == [waiter]

    def release(self, waiter: Waiter) -> None:
        """Give a claim up; who owns the lock now is told, even if it did before."""
        if waiter.lost:
            return
        queue = self._queues[waiter.name]
        queue.remove(waiter)
        if queue:
            queue[0].client.notify_lock("locked", waiter.name)
        else:
            del self._queues[waiter.name]
