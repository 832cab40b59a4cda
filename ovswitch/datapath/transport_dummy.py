# SPDX-License-Identifier: Apache-2.0
"""The way to the dummy datapaths: the forwarder's code inside this process.

Nothing happens by itself: packets come in by `inject()`, and what goes out is handed
to `on_transmit` before the call that caused it returns. Upcalls wait for `receive()`;
an eventfd tells an event loop of them. Time is the process's own virtual clock.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque

from ovswitch.datapath import families as f
from ovswitch.datapath import netlink
from ovswitch.datapath.transport import Answers, Sequencer
from ovswitch.native.core import DummyForwarder
from ovswitch.runtime import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ovswitch.datapath.transport import Request

#: The netdev type of each type of vport.
PORT_TYPES = {
    f.OVS_VPORT_TYPE_NETDEV: "dummy",
    f.OVS_VPORT_TYPE_INTERNAL: "dummy-internal",
}
_DIGITS = frozenset("0123456789")
_MAX_DIGITS = 9
_FIRST_BRIDGE = 100  # number of the port "br0"
_PID = 1  # of the one client
_MAX_UPCALLS = 4096  # messages that wait; beyond it they are lost
_MAX_ROUNDS = 64  # of packets that make packets within one call


class DummyTransport:
    """Messages to and from datapaths of this process.

    Args:
        dp_type: which type these are known as; dummies can stand in for other types.
    """

    is_userspace = True
    port_types = PORT_TYPES
    generation = 1

    __slots__ = (
        "_forwarder",
        "_is_delivering",
        "_sequencer",
        "_signal",
        "_upcalls",
        "dp_type",
        "n_lost",
        "on_transmit",
    )

    def __init__(self, dp_type: str = "dummy") -> None:
        self.dp_type = dp_type
        self._forwarder = DummyForwarder()
        self._sequencer = Sequencer()
        self._upcalls: deque[netlink.Message] = deque()
        self._signal = -1
        self._is_delivering = False
        self.n_lost = 0
        #: Called with (dp_ifindex, port_no, packet) for each packet sent.
        self.on_transmit: Callable[[int, int, bytes], None] | None = None

    def transact(self, requests: Sequence[Request]) -> list[list[netlink.Message]]:
        """Return each request's answers, in order."""
        first, octets = self._sequencer.number(requests)
        answers = Answers(first, len(requests))
        self._forwarder.set_time(clock.now())
        replies = self._forwarder.request(b"".join(octets), _PID)
        for one in netlink.split(replies):
            answers.add(one)
        self._deliver()
        return answers.replies

    def post(self, requests: Sequence[Request]) -> None:
        """Send requests whose success needs no answer."""
        self.transact(requests)

    def inject(self, dp_ifindex: int, port_no: int, packet: bytes) -> None:
        """Let a port receive a packet.

        Raises: OSError: there is no such port, or the packet is too big.
        """
        self._forwarder.set_time(clock.now())
        self._forwarder.receive(dp_ifindex, port_no, packet)
        self._deliver()

    def _deliver(self) -> None:
        """Hand out packets sent, queue upcalls; packets may cause more of both."""
        if self._is_delivering:
            return  # the loop below sees what the caller caused
        self._is_delivering = True
        try:
            for _ in range(_MAX_ROUNDS):
                events = self._forwarder.events()
                if not events:
                    break
                for dp_ifindex, number, octets in events:
                    if not dp_ifindex:
                        self._queue(octets)
                    elif self.on_transmit is not None:
                        self.on_transmit(dp_ifindex, number, octets)
        finally:
            self._is_delivering = False

    def _queue(self, datagram: bytes) -> None:
        messages = netlink.split(datagram)
        room = _MAX_UPCALLS - len(self._upcalls)
        self.n_lost += max(len(messages) - room, 0)
        self._upcalls.extend(messages[: max(room, 0)])
        if self._signal >= 0:
            os.eventfd_write(self._signal, 1)

    def upcall_pid(self) -> int:
        """Return the number that upcalls are sent to."""
        return _PID

    def fileno(self) -> int:
        """Return a descriptor that is readable when upcalls wait."""
        if self._signal < 0:
            flags = os.EFD_NONBLOCK | os.EFD_CLOEXEC
            self._signal = os.eventfd(len(self._upcalls), flags)
        return self._signal

    def receive(self, limit: int) -> list[netlink.Message]:
        """Return up to `limit` upcall messages."""
        found = [self._upcalls.popleft() for _ in range(min(limit, len(self._upcalls)))]
        if self._signal >= 0:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._signal)
            if self._upcalls:
                os.eventfd_write(self._signal, 1)
        return found

    def preferred_port(self, name: str) -> int | None:
        """Return the number in a port's name, 100 more for bridges.

        Tests can tell ports' numbers in advance, here as in the reference.
        """
        digits = ""
        for char in name:
            if char in _DIGITS:
                digits += char
            elif digits:
                break
        if not digits or len(digits) > _MAX_DIGITS:
            return None
        number = int(digits) + (_FIRST_BRIDGE if name.startswith("br") else 0)
        return number or None

    def now(self) -> int:
        """Return the virtual monotonic time, which flows' `used` is counted on."""
        return clock.now()

    def close(self) -> None:
        """Delete all dummy datapaths."""
        if self._signal >= 0:
            os.close(self._signal)
            self._signal = -1
        self._forwarder.close()
