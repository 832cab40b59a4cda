# SPDX-License-Identifier: Apache-2.0
"""Failing open: what a standalone switch does when its controllers are gone.

When no controller could be reached, or none has admitted the switch, for three times
the longest probe interval (one to notice, one for the answer to a probe, one to connect
again), the flow table is flushed and a hidden flow forwards everything as NORMAL.

A controller that lets the switch connect only to drop it seconds later must not cut the
network off, so the flow stays until a controller shows that it has admitted the switch.
Meanwhile a made-up packet-in every two seconds gives it the occasion.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.names import OFPP_LOCAL, OFPP_NORMAL
from ovswitch.openflow.actions.types import Output
from ovswitch.openflow.messages.packet_in import OFPR_NO_MATCH, PacketIn
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from ovswitch.ofproto.connmgr import Connmgr

_log = vlog.Module("fail_open")

FAIL_OPEN_PRIORITY = 0xF0F0F0
_PROBES = 3
_REMIND_S = 60
_BOGUS_INTERVAL_MS = 2000


class FailOpen:
    """Watches over a standalone switch that has controllers.

    Attributes:
        has_flow: whether the hidden flow is in the table.
    """

    __slots__ = ("_connmgr", "_disconnected_s", "_next_bogus", "has_flow")

    def __init__(self, connmgr: Connmgr) -> None:
        self._connmgr = connmgr
        self._disconnected_s = 0
        self._next_bogus: int | None = None
        self.has_flow = False

    @property
    def is_active(self) -> bool:
        """Whether the switch has failed open."""
        return bool(self._disconnected_s)

    def _trigger_s(self) -> int:
        return self._connmgr.max_probe_interval() * _PROBES

    def run(self, now: int) -> None:
        """Fail open if it is time to."""
        seconds = self._connmgr.failure_seconds(now)
        if seconds > 0 and seconds >= self._trigger_s():
            if not self.is_active:
                _log.warn(
                    "Could not connect to controller (or switch failed controller's "
                    "post-connection admission control policy) for %d seconds, "
                    "failing open",
                    seconds,
                )
                self._disconnected_s = seconds
                self._connmgr.flush_flows()
            elif seconds > self._disconnected_s + _REMIND_S:
                _log.info(
                    "Still in fail-open mode after %d seconds disconnected from "
                    "controller",
                    seconds,
                )
                self._disconnected_s = seconds
        if self.is_active:
            self._schedule_bogus(now)

    def _schedule_bogus(self, now: int) -> None:
        if not self._connmgr.is_any_controller_connected():
            self._next_bogus = None
        elif self._next_bogus is None:
            self._next_bogus = now + _BOGUS_INTERVAL_MS
        elif now >= self._next_bogus:
            self._connmgr.send_packet_in(_bogus_packet_in())
            self._next_bogus = now + _BOGUS_INTERVAL_MS

    def deadline(self, now: int) -> int | None:
        """Return when `run()` has something to do; None for not before events."""
        deadlines = []
        if self._next_bogus is not None:
            deadlines.append(self._next_bogus)
        failing_since = self._connmgr.failing_since()
        if failing_since is not None:
            seconds = self._disconnected_s + _REMIND_S + 1
            if not self.is_active:
                seconds = max(self._trigger_s(), 1)
            deadlines.append(failing_since + seconds * 1000)
        return min(deadlines, default=None)

    def recover_if_admitted(self) -> None:
        """End the failure if a controller has admitted the switch."""
        if self.is_active and self._connmgr.is_any_controller_admitted():
            self.recover()

    def recover(self) -> None:
        """Return to normal, if it isn't."""
        if self.is_active:
            _log.warn("No longer in fail-open mode")
            self._disconnected_s = 0
            self._next_bogus = None
        self._remove_flow()

    def flushed(self, now: int) -> None:
        """Set the hidden flow up again after a flush, if it is needed."""
        self._remove_flow()
        if self._connmgr.failure_seconds(now) >= self._trigger_s():
            self._connmgr.ofproto.add_flow(
                MATCH_ALL, FAIL_OPEN_PRIORITY, (Output(OFPP_NORMAL),)
            )
            self.has_flow = True

    def _remove_flow(self) -> None:
        if self.has_flow:
            self._connmgr.ofproto.delete_flow(MATCH_ALL, FAIL_OPEN_PRIORITY)
            self.has_flow = False


def _bogus_packet_in() -> PacketIn:
    """Return a packet-in with a reverse ARP of a random Nicira address."""
    address = 0x002320000000 | 0x800000 | random.getrandbits(23)
    mac = address.to_bytes(6, "big")
    arp = b"\0\1\x08\0\6\4\0\3" + mac + bytes(4) + mac + bytes(4)
    metadata = Match().with_field(FIELDS["in_port"], OFPP_LOCAL)
    packet = b"\xff" * 6 + mac + b"\x80\x35" + arp
    return PacketIn(packet, metadata, OFPR_NO_MATCH)
