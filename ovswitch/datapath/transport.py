# SPDX-License-Identifier: Apache-2.0
"""What carries messages to a datapath and back.

A transport is synchronous for requests: the forwarder and the kernel answer at once,
so waiting costs less than a round through an event loop would. Upcalls come in by
themselves: `fileno()` is readable when `receive()` has some.
"""

from __future__ import annotations

from ovswitch.datapath import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    #: A request without its sequence number: family, command, dp_ifindex, flags,
    #: attributes.
    Request = tuple[int, int, int, int, bytes]

    class Transport(Protocol):
        """The way to the datapaths of one type."""

        #: The datapath type: "netdev", "dummy", "system".
        dp_type: str
        #: Whether the datapaths aren't the kernel's, whatever their type is called.
        is_userspace: bool
        #: The name of each kind of port: vport type to netdev type.
        port_types: dict[int, str]
        #: Grows when the datapaths behind may have lost their state.
        generation: int

        def transact(self, requests: Sequence[Request]) -> list[list[netlink.Message]]:
            """Return each request's answers, in order.

            Raises: TransportError: nobody answers.
            """

        def post(self, requests: Sequence[Request]) -> None:
            """Send requests whose success needs no answer."""

        def upcall_pid(self) -> int:
            """Return the number that upcalls to this transport are sent to."""

        def fileno(self) -> int:
            """Return a descriptor that is readable when upcalls wait."""

        def receive(self, limit: int) -> list[netlink.Message]:
            """Return up to about `limit` upcall messages without waiting."""

        def preferred_port(self, name: str) -> int | None:
            """Return the number to try first for a port of that name."""

        def now(self) -> int:
            """Return the time in ms on the clock that flows' `used` is counted on."""

        def close(self) -> None:
            """Let go of the datapaths, which stay."""


class TransportError(OSError):
    """The datapath can't be reached; `errno` says why."""


class Sequencer:
    """Numbers requests and sorts the answers by the numbers.

    An answer is complete with an acknowledgement, an error, the end of a dump, or, for
    a request that asked for an echo only, its one message.
    """

    __slots__ = ("_seq",)

    def __init__(self) -> None:
        self._seq = 0

    def number(self, requests: Sequence[Request]) -> tuple[int, list[bytes]]:
        """Return the first number and the messages' octets."""
        first = self._seq + 1
        octets = []
        for family, cmd, dp_ifindex, flags, attributes in requests:
            self._seq = (self._seq + 1) & 0xFFFFFFFF or 1
            octets.append(
                netlink.message(family, cmd, dp_ifindex, flags, self._seq, attributes)
            )
        return first, octets


class Answers:
    """The answers to a batch as they come in."""

    __slots__ = ("_first", "_waiting", "replies")

    def __init__(self, first: int, n: int) -> None:
        self._first = first
        self._waiting = set(range(n))
        self.replies: list[list[netlink.Message]] = [[] for _ in range(n)]

    @property
    def complete(self) -> bool:
        """Whether every request has been answered."""
        return not self._waiting

    def add(self, one: netlink.Message) -> None:
        """File a message; those of earlier batches are dropped."""
        i = one.seq - self._first
        if i not in self._waiting:
            return
        self.replies[i].append(one)
        if one.error is not None or one.done:
            self._waiting.discard(i)
