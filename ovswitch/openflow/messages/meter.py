# SPDX-License-Identifier: Apache-2.0
"""Meters: changes, set-up, statistics (OpenFlow 1.3.5 §7.3.4.4, §7.3.5.12-14)."""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

OFPMC_ADD, OFPMC_MODIFY, OFPMC_DELETE = range(3)

KBPS, PKTPS, BURST, STATS = 1, 2, 4, 8

OFPM_MAX = 0xFFFF0000
OFPM_SLOWPATH, OFPM_CONTROLLER, OFPM_ALL = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF

DROP, DSCP_REMARK = 1, 2

_HEAD = struct.Struct("!HHI")
_BAND = struct.Struct("!HHIIB3x")
_REQUEST = struct.Struct("!I4x")
_STATS = struct.Struct("!IH6xIQQII")
_BAND_STATS = struct.Struct("!QQ")
_FEATURES = struct.Struct("!IIIBB2x")


class Band:
    """What happens above a rate.

    Attributes:
        type: `DROP` or `DSCP_REMARK`.
        rate: in the meter's unit.
        burst_size: counts if the meter has `BURST`.
        prec_level: by how much a remark raises the drop precedence.
    """

    __slots__ = ("burst_size", "prec_level", "rate", "type")

    def __init__(
        self, kind: int, rate: int, burst_size: int = 0, prec_level: int = 0
    ) -> None:
        self.type = kind
        self.rate = rate
        self.burst_size = burst_size
        self.prec_level = prec_level

    def encode(self) -> bytes:
        """Return the band's octets."""
        return _BAND.pack(
            self.type, _BAND.size, self.rate, self.burst_size, self.prec_level
        )


def _take_bands(cursor: Cursor) -> list[Band]:
    """Take all that the cursor holds."""
    bands = []
    while cursor.left >= _BAND.size:
        kind, size, rate, burst_size, prec_level = cursor.unpack(_BAND)
        if size != _BAND.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        if kind not in (DROP, DSCP_REMARK):
            raise OpenFlowError("OFPMMFC_BAD_BAND")
        precedence = prec_level if kind == DSCP_REMARK else 0
        bands.append(Band(kind, rate, burst_size, precedence))
    if cursor.left:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return bands


class MeterConfig:
    """How a meter is set up."""

    __slots__ = ("bands", "flags", "meter_id")

    def __init__(
        self, meter_id: int, flags: int = 0, bands: tuple[Band, ...] = ()
    ) -> None:
        self.meter_id = meter_id
        self.flags = flags
        self.bands = bands

    def encode(self) -> bytes:
        """Return the entry's octets."""
        bands = b"".join(band.encode() for band in self.bands)
        return _HEAD.pack(_HEAD.size + len(bands), self.flags, self.meter_id) + bands


def take_config(cursor: Cursor) -> MeterConfig:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPMMFC_BAD_BAND.
    """
    size, flags, meter_id = cursor.unpack(_HEAD)
    bands = _take_bands(cursor.sub(size - _HEAD.size))
    return MeterConfig(meter_id, flags, tuple(bands))


class MeterMod(Message):
    """A change of a meter."""

    __slots__ = ("command", "meter")

    type = "METER_MOD"

    def __init__(self, command: int, meter: MeterConfig) -> None:
        self.command = command
        self.meter = meter
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        flags = self.meter.flags if self.command != OFPMC_DELETE else 0
        bands = b"".join(band.encode() for band in self.meter.bands)
        return "", _HEAD.pack(self.command, flags, self.meter.meter_id) + bands


def _decode_mod(header: raws.Header, cursor: Cursor, context: Context) -> MeterMod:
    command, flags, meter_id = cursor.unpack(_HEAD)
    if command > OFPMC_DELETE:
        raise OpenFlowError("OFPMMFC_BAD_COMMAND")
    if command == OFPMC_DELETE:
        return MeterMod(command, MeterConfig(meter_id))
    if flags & KBPS and flags & PKTPS:
        raise OpenFlowError("OFPMMFC_BAD_FLAGS")
    bands = _take_bands(cursor)
    return MeterMod(command, MeterConfig(meter_id, flags, tuple(bands)))


class MeterRequest(Message):
    """A request for a meter's statistics or set-up, `OFPM_ALL` for all."""

    __slots__ = ("meter_id",)

    type = "METER_STATS_REQUEST"

    def __init__(self, meter_id: int = OFPM_ALL) -> None:
        self.meter_id = meter_id
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "", _REQUEST.pack(self.meter_id)


class MeterConfigRequest(MeterRequest):
    """A request for a meter's set-up."""

    __slots__ = ()

    type = "METER_CONFIG_STATS_REQUEST"


def _decode_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> MeterRequest:
    is_config = header.raw.type == MeterConfigRequest.type
    (meter_id,) = cursor.unpack(_REQUEST)
    return (MeterConfigRequest if is_config else MeterRequest)(meter_id)


class MeterConfigReply(Message):
    """Meters' set-up: one part of a reply."""

    __slots__ = ("meters", "more")

    type = "METER_CONFIG_STATS_REPLY"

    def __init__(self, meters: list[MeterConfig], more: bool = False) -> None:
        self.meters = meters
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (meter.encode() for meter in self.meters)


def _decode_config_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> MeterConfigReply:
    meters = []
    while cursor.left:
        meters.append(take_config(cursor))
    return MeterConfigReply(meters, header.more)


class MeterStats:
    """What a meter has seen.

    Attributes:
        meter_id: which meter.
        flow_count: how many flows use it.
        packet_in_count, byte_in_count: what came.
        duration_sec, duration_nsec: since it is there.
        bands: (packets, octets) of each band.
    """

    __slots__ = (
        "bands", "byte_in_count", "duration_nsec", "duration_sec", "flow_count",
        "meter_id", "packet_in_count",
    )  # fmt: skip

    def __init__(self, meter_id: int, bands: tuple[tuple[int, int], ...] = ()) -> None:
        self.meter_id = meter_id
        self.bands = bands
        self.flow_count = self.packet_in_count = self.byte_in_count = 0
        self.duration_sec = self.duration_nsec = 0

    def encode(self) -> bytes:
        """Return the entry's octets."""
        size = _STATS.size + len(self.bands) * _BAND_STATS.size
        return _STATS.pack(
            self.meter_id, size, self.flow_count, self.packet_in_count,
            self.byte_in_count, self.duration_sec, self.duration_nsec,
        ) + b"".join(_BAND_STATS.pack(*band) for band in self.bands)  # fmt: skip


def take_stats(cursor: Cursor) -> MeterStats:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN.
    """
    (meter_id, size, flow_count, packet_count, byte_count, duration_sec,
     duration_nsec) = cursor.unpack(_STATS)  # fmt: skip
    inner = cursor.sub(size - _STATS.size)
    if inner.left % _BAND_STATS.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    bands = []
    while inner.left:
        packets, octets = inner.unpack(_BAND_STATS)
        bands.append((packets, octets))
    stats = MeterStats(meter_id, tuple(bands))
    stats.flow_count = flow_count
    stats.packet_in_count, stats.byte_in_count = packet_count, byte_count
    stats.duration_sec, stats.duration_nsec = duration_sec, duration_nsec
    return stats


class MeterStatsReply(Message):
    """Meters' statistics: one part of a reply."""

    __slots__ = ("meters", "more")

    type = "METER_STATS_REPLY"

    def __init__(self, meters: list[MeterStats], more: bool = False) -> None:
        self.meters = meters
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (meter.encode() for meter in self.meters)


def _decode_stats_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> MeterStatsReply:
    meters = []
    while cursor.left:
        meters.append(take_stats(cursor))
    return MeterStatsReply(meters, header.more)


class MeterFeatures(Message):
    """What kinds of meters a switch can have.

    Attributes:
        max_meters, max_bands, max_color: how many.
        band_types: bitmap by type.
        capabilities: bitmap of flags.
    """

    __slots__ = ("band_types", "capabilities", "max_bands", "max_color", "max_meters")

    type = "METER_FEATURES_STATS_REPLY"

    def __init__(
        self,
        max_meters: int = 0,
        band_types: int = 0,
        capabilities: int = 0,
        max_bands: int = 0,
        max_color: int = 0,
    ) -> None:
        self.max_meters = max_meters
        self.band_types = band_types
        self.capabilities = capabilities
        self.max_bands = max_bands
        self.max_color = max_color
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "", _FEATURES.pack(
            self.max_meters, self.band_types, self.capabilities, self.max_bands,
            self.max_color,
        )  # fmt: skip


def _decode_features(
    header: raws.Header, cursor: Cursor, context: Context
) -> MeterFeatures:
    return MeterFeatures(*cursor.unpack(_FEATURES))


DECODERS = {
    "METER_MOD": _decode_mod,
    "METER_STATS_REQUEST": _decode_request,
    "METER_CONFIG_STATS_REQUEST": _decode_request,
    "METER_CONFIG_STATS_REPLY": _decode_config_reply,
    "METER_STATS_REPLY": _decode_stats_reply,
    "METER_FEATURES_STATS_REPLY": _decode_features,
}
