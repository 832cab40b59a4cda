# SPDX-License-Identifier: Apache-2.0
"""Flow statistics in OpenFlow 1.5's extensible form (§7.2.4.2, `struct ofp_stats`)."""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.wire import Cursor

_HEADER = struct.Struct("!HH")
_U32 = struct.Struct("!I")
_U64 = struct.Struct("!Q")
_DURATION = struct.Struct("!II")

_CLASS = 0x8002
_OXS_DURATION = _CLASS << 16 | 0 << 9 | 8
_OXS_IDLE_TIME = _CLASS << 16 | 1 << 9 | 8
_OXS_FLOW_COUNT = _CLASS << 16 | 3 << 9 | 4
_OXS_PACKET_COUNT = _CLASS << 16 | 4 << 9 | 8
_OXS_BYTE_COUNT = _CLASS << 16 | 5 << 9 | 8

UNKNOWN32 = 0xFFFFFFFF
UNKNOWN64 = 0xFFFFFFFFFFFFFFFF


class Stats:
    """Counters; all ones of their size where unknown."""

    __slots__ = (
        "byte_count", "duration_nsec", "duration_sec", "flow_count", "idle_age",
        "packet_count",
    )  # fmt: skip

    def __init__(
        self,
        duration_sec: int = UNKNOWN32,
        duration_nsec: int = UNKNOWN32,
        idle_age: int = UNKNOWN32,
        packet_count: int = UNKNOWN64,
        byte_count: int = UNKNOWN64,
        flow_count: int = UNKNOWN32,
    ) -> None:
        self.duration_sec = duration_sec
        self.duration_nsec = duration_nsec
        self.idle_age = idle_age
        self.packet_count = packet_count
        self.byte_count = byte_count
        self.flow_count = flow_count


def take(cursor: Cursor) -> Stats:
    """Take a `struct ofp_stats` and its padding; unknown statistics are passed over.

    Raises:
        OpenFlowError: OFPBMC_BAD_LEN.
    """
    if cursor.left < 4:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    _, size = _HEADER.unpack_from(cursor.octets, cursor.offset)
    if size < 4 or size + -size % 8 > cursor.left:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    entries = cursor.sub(size, "OFPBMC_BAD_LEN")
    cursor.skip(-size % 8)
    entries.skip(4)
    stats = Stats()
    while entries.left:
        kind = entries.u32()
        length = kind & 0xFF
        if kind >> 16 == 0xFFFF and length < 4:
            raise OpenFlowError("OFPBMC_BAD_LEN")
        value = entries.take(length)
        if kind == _OXS_DURATION:
            stats.duration_sec, stats.duration_nsec = _DURATION.unpack(value)
        elif kind == _OXS_IDLE_TIME:
            stats.idle_age = _DURATION.unpack(value)[0]
        elif kind == _OXS_PACKET_COUNT:
            stats.packet_count = _U64.unpack(value)[0]
        elif kind == _OXS_BYTE_COUNT:
            stats.byte_count = _U64.unpack(value)[0]
        elif kind == _OXS_FLOW_COUNT:
            stats.flow_count = _U32.unpack(value)[0]
    return stats


def put(stats: Stats) -> bytes:
    """Return a `struct ofp_stats` of what is known, padded."""
    out = b""
    if stats.duration_sec != UNKNOWN32:
        out += _U32.pack(_OXS_DURATION)
        out += _DURATION.pack(stats.duration_sec, stats.duration_nsec)
    if stats.idle_age != UNKNOWN32:
        out += _U32.pack(_OXS_IDLE_TIME) + _DURATION.pack(stats.idle_age, 0)
    if stats.packet_count != UNKNOWN64:
        out += _U32.pack(_OXS_PACKET_COUNT) + _U64.pack(stats.packet_count)
    if stats.byte_count != UNKNOWN64:
        out += _U32.pack(_OXS_BYTE_COUNT) + _U64.pack(stats.byte_count)
    if stats.flow_count != UNKNOWN32:
        out += _U32.pack(_OXS_FLOW_COUNT) + _U32.pack(stats.flow_count)
    size = len(out) + 4
    return _HEADER.pack(0, size) + out + bytes(-size % 8)
