# SPDX-License-Identifier: Apache-2.0
"""Statistics of flows: each one's, and all together (OpenFlow 1.5.1 §7.3.5.2-4)."""

from __future__ import annotations

import struct

from ovswitch.flow import names
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import fixed_match, matching, oxm, oxs
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.actions.context import warn_rl
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import (
    OFPG_ANY,
    OFPTT_ALL,
    U16,
    U64,
    Message,
    port_number,
)
from ovswitch.openflow.messages.flow_mod import decode_flags, valid_flags
from ovswitch.openflow.version import OF10, OF11, OF13, OF14, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from ovswitch.openflow import raws
    from ovswitch.openflow.actions.types import Action
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

    T = TypeVar("T")

_REQUEST10 = struct.Struct("!BBH")
_REQUEST11 = struct.Struct("!B3xII4xQQ")
_NX_REQUEST = struct.Struct("!HHB3x")
_STATS10 = struct.Struct("!IIHHH6xQQQ")
_STATS10_HEAD = struct.Struct("!HBx")
_STATS11 = struct.Struct("!HBxIIHHHHH2xQQQ")
_STATS15 = struct.Struct("!H2xBxHHHHHQ")
_NX_STATS = struct.Struct("!HBxIIHHHHHHQQQ")
_AGGREGATE = struct.Struct("!QQI4x")


class FlowStatsRequest(Message):
    """A request for the statistics of some flows.

    Attributes:
        match, table_id: which flows; 255 is all tables.
        cookie, cookie_mask: only flows with such a cookie.
        out_port, out_group: only flows that send there.
    """

    __slots__ = (
        "cookie", "cookie_mask", "match", "out_group", "out_port", "table_id",
    )  # fmt: skip

    type = "FLOW_STATS_REQUEST"
    aggregate = False

    def __init__(
        self,
        match: Match = MATCH_ALL,
        table_id: int = OFPTT_ALL,
        out_port: int = names.OFPP_NONE,
        out_group: int = OFPG_ANY,
        cookie: int = 0,
        cookie_mask: int = 0,
    ) -> None:
        self.match = match
        self.table_id = table_id
        self.out_port = out_port
        self.out_group = out_group
        self.cookie = cookie
        self.cookie_mask = cookie_mask
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a protocol."""
        if version >= OF11:
            fixed = _REQUEST11.pack(
                self.table_id,
                names.port_to_ofp11(self.out_port),
                self.out_group,
                self.cookie,
                self.cookie_mask,
            )
            return "", fixed + matching.put11(self.match, version)
        if protocol & protocols.OF10_NXM_ANY:
            match, size = oxm.put_nxm(self.match, self.cookie, self.cookie_mask)
            fixed = _NX_REQUEST.pack(self.out_port, size, self.table_id)
            return "NXST", fixed + match
        match = fixed_match.encode10(self.match)
        return "OFPST10", match + _REQUEST10.pack(self.table_id, 0, self.out_port)


class AggregateStatsRequest(FlowStatsRequest):
    """A request for the statistics of some flows together."""

    __slots__ = ()

    type = "AGGREGATE_STATS_REQUEST"
    aggregate = True


def _decode_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> FlowStatsRequest:
    is_aggregate = header.raw.type == AggregateStatsRequest.type
    request = AggregateStatsRequest() if is_aggregate else FlowStatsRequest()
    form = header.raw.form
    if form == "NXST":
        request.out_port, size, request.table_id = cursor.unpack(_NX_REQUEST)
        decoded = oxm.take_nxm(cursor, size, allow_cookie=True, tun=context.tun)
        if cursor.left:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        request.match = decoded.match
        request.cookie, request.cookie_mask = decoded.cookie, decoded.cookie_mask
    elif form == "OFPST10":
        request.match = fixed_match.decode10(cursor.take(fixed_match.MATCH10_SIZE))
        request.table_id, _, request.out_port = cursor.unpack(_REQUEST10)
    else:
        (request.table_id, port, request.out_group, request.cookie,
         request.cookie_mask) = cursor.unpack(_REQUEST11)  # fmt: skip
        request.out_port = port_number(port)
        request.match = matching.take11(cursor, context.tun)
    return request


class FlowStats:
    """One flow's statistics.

    Attributes:
        match, priority, table_id, cookie, idle_timeout, hard_timeout, importance,
            flags, actions: of the flow, as in `FlowMod`.
        duration_sec, duration_nsec: since the flow was added.
        idle_age, hard_age: seconds since the last packet and since the last change;
            -1 if unknown.
        packet_count, byte_count: all ones if unknown.
    """

    __slots__ = (
        "actions", "byte_count", "cookie", "duration_nsec", "duration_sec", "flags",
        "hard_age", "hard_timeout", "idle_age", "idle_timeout", "importance", "match",
        "packet_count", "priority", "table_id",
    )  # fmt: skip

    def __init__(
        self,
        match: Match = MATCH_ALL,
        priority: int = 0x8000,
        table_id: int = 0,
        actions: tuple[Action, ...] = (),
        cookie: int = 0,
    ) -> None:
        self.match = match
        self.priority = priority
        self.table_id = table_id
        self.actions = actions
        self.cookie = cookie
        self.idle_timeout = self.hard_timeout = self.importance = self.flags = 0
        self.duration_sec = self.duration_nsec = 0
        self.idle_age = self.hard_age = -1
        self.packet_count = self.byte_count = 0

    def encode(self, form: str, version: int) -> bytes:
        """Return the entry's octets in a reply of `form`."""
        if version == OF10:
            return self._nx() if form == "NXST" else self._of10()
        if version >= OF15:
            return self._of15(version)
        # The reference has no fixed match here, not even in OpenFlow 1.1.
        match = oxm.put_oxm(self.match, version)
        actions = ofpacts.encode(self.actions, version, instructions=True)
        flags = self.flags & valid_flags(version) if version >= OF13 else 0
        return (
            _STATS11.pack(
                _STATS11.size + len(match) + len(actions), self.table_id,
                self.duration_sec, self.duration_nsec, self.priority,
                self.idle_timeout, self.hard_timeout, flags,
                self.importance if version >= OF14 else 0, self.cookie,
                _known(self.packet_count), _known(self.byte_count),
            )
            + match
            + actions
        )  # fmt: skip

    def _of10(self) -> bytes:
        actions = ofpacts.encode(self.actions, OF10, instructions=False)
        return (
            _STATS10_HEAD.pack(88 + len(actions), self.table_id)
            + fixed_match.encode10(self.match)
            + _STATS10.pack(
                self.duration_sec, self.duration_nsec, self.priority,
                self.idle_timeout, self.hard_timeout, self.cookie,
                _known(self.packet_count), _known(self.byte_count),
            )
            + actions
        )  # fmt: skip

    def _nx(self) -> bytes:
        match, size = oxm.put_nxm(self.match)
        actions = ofpacts.encode(self.actions, OF10, instructions=False)
        return (
            _NX_STATS.pack(
                _NX_STATS.size + len(match) + len(actions), self.table_id,
                self.duration_sec, self.duration_nsec, self.priority,
                self.idle_timeout, self.hard_timeout, size,
                min(self.idle_age + 1, U16), min(self.hard_age + 1, U16),
                self.cookie, self.packet_count, self.byte_count,
            )
            + match
            + actions
        )  # fmt: skip

    def _of15(self, version: int) -> bytes:
        match = matching.put11(self.match, version)
        stats = oxs.put(
            oxs.Stats(
                self.duration_sec,
                self.duration_nsec,
                self.idle_age if self.idle_age >= 0 else oxs.UNKNOWN32,
                self.packet_count,
                self.byte_count,
            )
        )
        actions = ofpacts.encode(self.actions, version, instructions=True)
        return (
            _STATS15.pack(
                _STATS15.size + len(match) + len(stats) + len(actions),
                self.table_id, self.priority, self.idle_timeout,
                self.hard_timeout, self.flags & valid_flags(version),
                self.importance, self.cookie,
            )
            + match
            + stats
            + actions
        )  # fmt: skip


def _known(count: int) -> int:
    """Return a counter for a version that can't say "unknown"."""
    return count if count != U64 else 0


def take(header: raws.Header, cursor: Cursor, context: Context) -> FlowStats:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: nearly any; the reference's text for bad statistics of OpenFlow
            1.5 is that of a system error, EINVAL.
    """
    stats = FlowStats()
    start = cursor.offset
    form = header.raw.form
    if form == "NXST":
        size = _take_nx(stats, cursor, context)
    elif form == "OFPST10":
        size = _take10(stats, cursor)
    elif form == "OFPST15":
        size = _take15(stats, cursor)
    else:
        size = _take11(stats, header, cursor)
    left = size - (cursor.offset - start)
    if left < 0 or left > cursor.left:
        raise OpenFlowError(
            "OFPBRC_BAD_LEN" if header.version == OF10 else "OFPBIC_BAD_LEN"
        )
    try:
        stats.actions = ofpacts.decode(
            cursor.take(left), header.version, instructions=True
        )
    except OpenFlowError:
        warn_rl("OFPST_FLOW reply bad instructions", "ofp_flow")
        raise
    return stats


def _take_nx(stats: FlowStats, cursor: Cursor, context: Context) -> int:
    (size, stats.table_id, stats.duration_sec, stats.duration_nsec, stats.priority,
     stats.idle_timeout, stats.hard_timeout, match_size, idle_age, hard_age,
     stats.cookie, stats.packet_count,
     stats.byte_count) = cursor.unpack(_NX_STATS)  # fmt: skip
    if size < _NX_STATS.size + match_size + -match_size % 8:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    stats.match = oxm.take_nxm(cursor, match_size).match
    if context.flow_age:
        stats.idle_age = idle_age - 1
        stats.hard_age = hard_age - 1
    return size


def _take10(stats: FlowStats, cursor: Cursor) -> int:
    size, stats.table_id = cursor.unpack(_STATS10_HEAD)
    if size < 88:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    stats.match = fixed_match.decode10(cursor.take(fixed_match.MATCH10_SIZE))
    (stats.duration_sec, stats.duration_nsec, stats.priority, stats.idle_timeout,
     stats.hard_timeout, stats.cookie, stats.packet_count,
     stats.byte_count) = cursor.unpack(_STATS10)  # fmt: skip
    return size


def _take11(stats: FlowStats, header: raws.Header, cursor: Cursor) -> int:
    (size, stats.table_id, stats.duration_sec, stats.duration_nsec, stats.priority,
     stats.idle_timeout, stats.hard_timeout, flags, importance, stats.cookie,
     stats.packet_count, stats.byte_count) = cursor.unpack(_STATS11)  # fmt: skip
    if size < _STATS11.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    stats.match = matching.take11(cursor)
    if header.version >= OF14:
        stats.importance = importance
    if header.version >= OF13:
        stats.flags = decode_flags(flags, header.version)
    return size


def _take15(stats: FlowStats, cursor: Cursor) -> int:
    size, flags = _in_system_terms(_take15_head, stats, cursor)
    stats.flags = decode_flags(flags, OF15)
    known = _in_system_terms(_take15_stats, stats, cursor)
    stats.duration_sec, stats.duration_nsec = known.duration_sec, known.duration_nsec
    stats.packet_count, stats.byte_count = known.packet_count, known.byte_count
    if known.idle_age != oxs.UNKNOWN32:
        stats.idle_age = known.idle_age
    return size


def _take15_head(stats: FlowStats, cursor: Cursor) -> tuple[int, int]:
    (size, stats.table_id, stats.priority, stats.idle_timeout, stats.hard_timeout,
     flags, stats.importance, stats.cookie) = cursor.unpack(_STATS15)  # fmt: skip
    if size < _STATS15.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    stats.match = matching.take11(cursor)
    return size, flags


def _take15_stats(stats: FlowStats, cursor: Cursor) -> oxs.Stats:
    return oxs.take(cursor)


def _in_system_terms(
    take_part: Callable[[FlowStats, Cursor], T], stats: FlowStats, cursor: Cursor
) -> T:
    """Take a part whose errors the reference reports as EINVAL."""
    try:
        return take_part(stats, cursor)
    except OpenFlowError as error:
        raise OpenFlowError("<invalid>", error.name) from error


def take_all(
    header: raws.Header, cursor: Cursor, context: Context
) -> Iterator[FlowStats]:
    """Yield a reply's entries one by one; an error comes when its entry is reached."""
    while cursor.left:
        yield take(header, cursor, context)


class FlowStatsReply(Message):
    """Flows and their statistics: one part of a reply."""

    __slots__ = ("flows", "more")

    type = "FLOW_STATS_REPLY"

    def __init__(self, flows: list[FlowStats], more: bool = False) -> None:
        self.flows = flows
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets for a reply of `form`."""
        return (flow.encode(form, version) for flow in self.flows)


def _decode_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> FlowStatsReply:
    return FlowStatsReply(list(take_all(header, cursor, context)), header.more)


class AggregateStatsReply(Message):
    """The statistics of some flows together; all ones where unknown."""

    __slots__ = ("byte_count", "flow_count", "packet_count")

    type = "AGGREGATE_STATS_REPLY"

    def __init__(
        self, packet_count: int = 0, byte_count: int = 0, flow_count: int = 0
    ) -> None:
        self.packet_count = packet_count
        self.byte_count = byte_count
        self.flow_count = flow_count
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a protocol."""
        if version >= OF15:
            stats = oxs.Stats(
                packet_count=self.packet_count,
                byte_count=self.byte_count,
                flow_count=self.flow_count,
            )
            return "OFPST15", oxs.put(stats)
        form = "NXST" if protocol & protocols.OF10_NXM_ANY else "OFPST"
        packets, octets = self.packet_count, self.byte_count
        if version == OF10 and form == "OFPST":
            packets, octets = _known(packets), _known(octets)
        return form, _AGGREGATE.pack(packets, octets, self.flow_count)


def _decode_aggregate(
    header: raws.Header, cursor: Cursor, context: Context
) -> AggregateStatsReply:
    if header.raw.form == "OFPST15":
        stats = oxs.take(cursor)
        return AggregateStatsReply(
            stats.packet_count, stats.byte_count, stats.flow_count
        )
    return AggregateStatsReply(*cursor.unpack(_AGGREGATE))


DECODERS = {
    "FLOW_STATS_REQUEST": _decode_request,
    "AGGREGATE_STATS_REQUEST": _decode_request,
    "FLOW_STATS_REPLY": _decode_reply,
    "AGGREGATE_STATS_REPLY": _decode_aggregate,
}
