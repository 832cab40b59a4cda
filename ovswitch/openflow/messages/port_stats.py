# SPDX-License-Identifier: Apache-2.0
"""Statistics of ports (OpenFlow 1.5.1 §7.3.5.6), with Intel's additions of RFC 2819."""

from __future__ import annotations

import struct

from ovswitch.flow import names
from ovswitch.openflow import wire
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import U32, U64, Message, port_number
from ovswitch.openflow.version import OF10, OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

_REQUEST10 = struct.Struct("!H6x")
_REQUEST11 = struct.Struct("!I4x")
_STATS10 = struct.Struct("!H6x12Q")
_STATS11 = struct.Struct("!I4x12Q")
_STATS13 = struct.Struct("!I4x12QII")
_STATS14 = struct.Struct("!H2xIII8Q")
_ETHERNET = struct.Struct("!HH4x4Q")
_RFC2819 = struct.Struct("!4x21Q")
_CUSTOM = struct.Struct("!2xH")
_U64 = struct.Struct("!Q")

_INTEL = 0x0000AA01
_INTEL_RFC2819 = _INTEL << 32 | 1
_INTEL_CUSTOM = _INTEL << 32 | 2
_MAX_CUSTOM_NAME = 63

#: Counters in the order of OpenFlow 1.0's structure.
COUNTERS = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped",
    "rx_errors", "tx_errors", "rx_frame_errors", "rx_over_errors", "rx_crc_errors",
    "collisions",
)  # fmt: skip

#: Counters of RFC 2819, in the order of Intel's structure.
RFC2819_COUNTERS = (
    "rx_1_to_64_packets", "rx_65_to_127_packets", "rx_128_to_255_packets",
    "rx_256_to_511_packets", "rx_512_to_1023_packets", "rx_1024_to_1522_packets",
    "rx_1523_to_max_packets", "tx_1_to_64_packets", "tx_65_to_127_packets",
    "tx_128_to_255_packets", "tx_256_to_511_packets", "tx_512_to_1023_packets",
    "tx_1024_to_1522_packets", "tx_1523_to_max_packets", "tx_multicast_packets",
    "rx_broadcast_packets", "tx_broadcast_packets", "rx_undersized_errors",
    "rx_oversize_errors", "rx_fragmented_errors", "rx_jabber_errors",
)  # fmt: skip


class PortStatsRequest(Message):
    """A request for a port's statistics, or for all ports' (`OFPP_NONE`)."""

    __slots__ = ("port_no",)

    type = "PORT_STATS_REQUEST"

    def __init__(self, port_no: int = names.OFPP_NONE) -> None:
        self.port_no = port_no
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        if version == OF10:
            return "", _REQUEST10.pack(self.port_no)
        return "", _REQUEST11.pack(names.port_to_ofp11(self.port_no))


def _decode_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> PortStatsRequest:
    if header.version == OF10:
        return PortStatsRequest(cursor.unpack(_REQUEST10)[0])
    return PortStatsRequest(port_number(cursor.unpack(_REQUEST11)[0]))


class PortStats:
    """A port's statistics.

    Attributes:
        port_no: which port.
        duration_sec, duration_nsec: since it is there; all ones if unknown.
        counters: by the names of `COUNTERS` and `RFC2819_COUNTERS`; an unknown one is
            missing.
        custom: others, by the device's own names.
    """

    __slots__ = ("counters", "custom", "duration_nsec", "duration_sec", "port_no")

    def __init__(
        self,
        port_no: int,
        counters: dict[str, int] | None = None,
        custom: dict[str, int] | None = None,
        duration_sec: int = U32,
        duration_nsec: int = U32,
    ) -> None:
        self.port_no = port_no
        self.counters = counters or {}
        self.custom: list[tuple[str, int]] = list((custom or {}).items())
        self.duration_sec = duration_sec
        self.duration_nsec = duration_nsec

    def encode(self, version: int) -> bytes:
        """Return the entry's octets."""
        values = [self.counters.get(name, U64) for name in COUNTERS]
        if version == OF10:
            return _STATS10.pack(self.port_no, *values)
        number = names.port_to_ofp11(self.port_no)
        duration = (self.duration_sec, self.duration_nsec)
        if version < OF13:
            return _STATS11.pack(number, *values)
        if version < OF14:
            return _STATS13.pack(number, *values, *duration)
        inner = _ETHERNET.pack(0, _ETHERNET.size, *values[8:])
        rfc2819 = [self.counters.get(name, U64) for name in RFC2819_COUNTERS]
        inner += wire.put_property(_INTEL_RFC2819, _RFC2819.pack(*rfc2819))
        inner += self._custom_property()
        size = _STATS14.size + len(inner)
        return _STATS14.pack(size, number, *duration, *values[:8]) + inner

    def _custom_property(self) -> bytes:
        if not self.custom:
            return b""
        octets = _CUSTOM.pack(len(self.custom))
        for name, value in self.custom:
            raw = name.encode()[:255]
            octets += bytes([len(raw)]) + raw + _U64.pack(value)
        return wire.put_property(_INTEL_CUSTOM, octets)


def _named(names_: tuple[str, ...], values: tuple[int, ...]) -> dict[str, int]:
    """Return the counters that are known."""
    return {
        name: value for name, value in zip(names_, values, strict=True) if value != U64
    }


def take(header: raws.Header, cursor: Cursor) -> PortStats:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPBAC_BAD_OUT_PORT, OFPBPC_*.
    """
    form = header.raw.form
    if form == "OFPST14":
        return _take14(cursor)
    if form == "OFPST10":
        port_no, *values = cursor.unpack(_STATS10)
        return PortStats(port_no, _named(COUNTERS, tuple(values)))
    duration = [U32, U32]
    if form == "OFPST13":
        number, *values = cursor.unpack(_STATS13)
        duration = values[12:]
    else:
        number, *values = cursor.unpack(_STATS11)
    counters = _named(COUNTERS, tuple(values[:12]))
    return PortStats(port_number(number), counters, None, *duration)


def _take14(cursor: Cursor) -> PortStats:
    size, number, seconds, nanoseconds, *values = cursor.unpack(_STATS14)
    octets = cursor.take(size - _STATS14.size)
    stats = PortStats(
        port_number(number),
        _named(COUNTERS[:8], tuple(values)),
        None,
        seconds,
        nanoseconds,
    )
    for item in wire.properties(octets):
        if item.type == 0:
            if len(item.octets) != _ETHERNET.size:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            ethernet = _ETHERNET.unpack(item.octets)[2:]
            stats.counters.update(_named(COUNTERS[8:], ethernet))
        elif item.type == _INTEL_RFC2819:
            if len(item.payload) != _RFC2819.size:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            rfc2819 = _RFC2819.unpack(item.payload)
            stats.counters.update(_named(RFC2819_COUNTERS, rfc2819))
        elif item.type == _INTEL_CUSTOM:
            stats.custom = _take_custom(item.payload)
    return stats


def _take_custom(octets: bytes) -> list[tuple[str, int]]:
    cursor = wire.Cursor(octets, error="OFPBPC_BAD_LEN")
    (n_counters,) = cursor.unpack(_CUSTOM)
    custom = []
    for _ in range(n_counters):
        name = cursor.take(cursor.u8())[:_MAX_CUSTOM_NAME].partition(b"\0")[0]
        custom.append((name.decode("utf-8", "surrogateescape"), cursor.u64()))
    return custom


class PortStatsReply(Message):
    """Ports' statistics: one part of a reply."""

    __slots__ = ("more", "ports")

    type = "PORT_STATS_REPLY"

    def __init__(self, ports: list[PortStats], more: bool = False) -> None:
        self.ports = ports
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (port.encode(version) for port in self.ports)


def _decode_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> PortStatsReply:
    ports = []
    while cursor.left:
        ports.append(take(header, cursor))
    return PortStatsReply(ports, header.more)


DECODERS = {
    "PORT_STATS_REQUEST": _decode_request,
    "PORT_STATS_REPLY": _decode_reply,
}
