# SPDX-License-Identifier: Apache-2.0
"""Waiting for files and time, as `ovs.poller`.

Where the `poll` of the standard library is missing, as in a program that eventlet has
patched, `select` does it, and so other green threads run meanwhile.
"""

from __future__ import annotations

import select

from ovswitch.bindings import timeval

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class HasFileno(Protocol):
        """Whatever has a file descriptor."""

        def fileno(self) -> int:
            """Return it."""
            ...


POLLIN = 0x001
POLLOUT = 0x004
POLLERR = 0x008
POLLHUP = 0x010
POLLNVAL = 0x020


class SelectPoll:
    """The `register` and `poll` of `select.poll`, by means of `select.select`."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, fd: int | HasFileno, events: int) -> None:
        """Watch a file, besides for what it is watched already."""
        number = fd if isinstance(fd, int) else fd.fileno()
        self._events[number] = self._events.get(number, 0) | events

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        """Wait for `timeout` milliseconds, forever if negative; return (fd, events)."""
        wanted = self._events.items()
        readable, writable, failed = select.select(
            [fd for fd, events in wanted if events & POLLIN],
            [fd for fd, events in wanted if events & POLLOUT],
            list(self._events),
            None if timeout < 0 else timeout / 1000,
        )
        found: dict[int, int] = {}
        for numbers, event in (
            (readable, POLLIN),
            (writable, POLLOUT),
            (failed, POLLERR),
        ):
            for number in numbers:
                found[number] = found.get(number, 0) | event
        return list(found.items())


class Poller:
    """What to wait for; everybody adds to it, then `block` waits and forgets."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}
        self.timeout: float = -1

    def fd_wait(self, fd: int | HasFileno, events: int) -> None:
        """Wake up when a file is ready for one of `events` (POLLIN, POLLOUT)."""
        number = fd if isinstance(fd, int) else fd.fileno()
        self._events[number] = self._events.get(number, 0) | events

    def timer_wait(self, msec: float) -> None:
        """Wake up in so many milliseconds at the latest."""
        msec = max(msec, 0)
        if self.timeout < 0 or msec < self.timeout:
            self.timeout = msec

    def timer_wait_until(self, msec: float) -> None:
        """Wake up when `timeval.msec()` is `msec` at the latest."""
        self.timer_wait(msec - timeval.msec())

    def immediate_wake(self) -> None:
        """Don't wait at all."""
        self.timeout = 0

    def block(self) -> None:
        """Wait until something registered has happened, and forget the rest."""
        events, self._events = self._events, {}
        timeout, self.timeout = self.timeout, -1
        poll: Any = select.poll() if hasattr(select, "poll") else SelectPoll()
        for number, mask in events.items():
            if number >= 0:
                poll.register(number, mask)
            else:
                timeout = 0  # closed meanwhile
        # Rounded up, lest the caller find nothing to do and wait again for no time.
        poll.poll(-1 if timeout < 0 else int(timeout) + (timeout % 1 > 0))


def get_system_poll() -> Any:
    """Return the class that waits: `select.poll`, or ours where it is missing."""
    return getattr(select, "poll", SelectPoll)
