# SPDX-License-Identifier: Apache-2.0
"""Notices that a flow is gone (OpenFlow 1.5.1 §7.4.2)."""

from __future__ import annotations

import struct

from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.openflow import fixed_match, matching, oxm, oxs
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import U64, Message
from ovswitch.openflow.version import OF11, OF14, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

(OFPRR_IDLE_TIMEOUT, OFPRR_HARD_TIMEOUT, OFPRR_DELETE, OFPRR_GROUP_DELETE,
 OFPRR_METER_DELETE, OFPRR_EVICTION) = range(6)  # fmt: skip
REASONS = ("idle", "hard", "delete", "group_delete", "meter_delete", "eviction")

_REMOVED10 = struct.Struct("!QHBxIIH2xQQ")
_REMOVED11 = struct.Struct("!QHBBIIHHQQ")
_REMOVED15 = struct.Struct("!BBHHHQ")
_NX_REMOVED = struct.Struct("!QHBBIIHHQQ")


class FlowRemoved(Message):
    """A flow that is gone.

    Attributes:
        match, priority, table_id, cookie, idle_timeout, hard_timeout: the flow's;
            `table_id` 255 if unknown.
        reason: OFPRR_*.
        duration_sec, duration_nsec, packet_count, byte_count: what it has seen; all
            ones if unknown.
    """

    __slots__ = (
        "byte_count", "cookie", "duration_nsec", "duration_sec", "hard_timeout",
        "idle_timeout", "match", "packet_count", "priority", "reason", "table_id",
    )  # fmt: skip

    type = "FLOW_REMOVED"

    def __init__(
        self,
        match: Match = MATCH_ALL,
        priority: int = 0x8000,
        table_id: int = 255,
        reason: int = OFPRR_IDLE_TIMEOUT,
        cookie: int = 0,
    ) -> None:
        self.match = match
        self.priority = priority
        self.table_id = table_id
        self.reason = reason
        self.cookie = cookie
        self.duration_sec = self.duration_nsec = 0
        self.idle_timeout = self.hard_timeout = 0
        self.packet_count = self.byte_count = 0
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a protocol."""
        reason = self.reason
        if reason == OFPRR_METER_DELETE and version < OF14:
            reason = OFPRR_DELETE
        duration = (self.duration_sec, self.duration_nsec)
        counts = (self.packet_count, self.byte_count)
        if version >= OF15:
            fixed = _REMOVED15.pack(
                self.table_id, reason, self.priority, self.idle_timeout,
                self.hard_timeout, self.cookie,
            )  # fmt: skip
            match = matching.put11(self.match, version)
            stats = oxs.Stats(*duration, oxs.UNKNOWN32, *counts)
            return "", fixed + match + oxs.put(stats)
        if version >= OF11:
            fixed = _REMOVED11.pack(
                self.cookie, self.priority, reason, self.table_id, *duration,
                self.idle_timeout, self.hard_timeout, *counts,
            )  # fmt: skip
            return "OFPT11", fixed + matching.put11(self.match, version)
        if protocol & protocols.OF10_NXM_ANY:
            match, size = oxm.put_nxm(self.match)
            fixed = _NX_REMOVED.pack(
                self.cookie, self.priority, reason, self.table_id + 1 & 0xFF,
                *duration, self.idle_timeout, size, *counts,
            )  # fmt: skip
            return "NXT", fixed + match
        packets, octets = (0 if count == U64 else count for count in counts)
        fixed = _REMOVED10.pack(
            self.cookie, self.priority, reason, *duration, self.idle_timeout, packets,
            octets,
        )  # fmt: skip
        return "OFPT10", fixed_match.encode10(self.match) + fixed


def _decode(header: raws.Header, cursor: Cursor, context: Context) -> FlowRemoved:
    removed = FlowRemoved()
    form = header.raw.form
    if form == "OFPT15":
        (removed.table_id, removed.reason, removed.priority, removed.idle_timeout,
         removed.hard_timeout, removed.cookie) = cursor.unpack(_REMOVED15)  # fmt: skip
        removed.match = matching.take11(cursor)
        stats = oxs.take(cursor)
        removed.duration_sec = stats.duration_sec
        removed.duration_nsec = stats.duration_nsec
        removed.packet_count = stats.packet_count
        removed.byte_count = stats.byte_count
    elif form == "OFPT11":
        (removed.cookie, removed.priority, removed.reason, removed.table_id,
         removed.duration_sec, removed.duration_nsec, removed.idle_timeout,
         removed.hard_timeout, removed.packet_count,
         removed.byte_count) = cursor.unpack(_REMOVED11)  # fmt: skip
        removed.match = matching.take11(cursor)
    elif form == "NXT":
        (removed.cookie, removed.priority, removed.reason, table_id,
         removed.duration_sec, removed.duration_nsec, removed.idle_timeout, size,
         removed.packet_count,
         removed.byte_count) = cursor.unpack(_NX_REMOVED)  # fmt: skip
        removed.table_id = table_id - 1 & 0xFF
        removed.match = oxm.take_nxm(cursor, size).match
        if cursor.left:
            raise OpenFlowError("OFPBRC_BAD_LEN")
    else:
        removed.match = fixed_match.decode10(cursor.take(fixed_match.MATCH10_SIZE))
        (removed.cookie, removed.priority, removed.reason, removed.duration_sec,
         removed.duration_nsec, removed.idle_timeout, removed.packet_count,
         removed.byte_count) = cursor.unpack(_REMOVED10)  # fmt: skip
    return removed


DECODERS = {"FLOW_REMOVED": _decode}
