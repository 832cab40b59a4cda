# SPDX-License-Identifier: Apache-2.0
"""Which messages there are: every wire form of each, one row a form.

The header says more than its type: statistics (multipart) have a second number, and
vendors' messages a vendor and a third. `parse` finds the row for a message's header
and checks its size; `put` makes a header. What stands in the body is the business of
`messages/`.

Names are the reference's: a type ("FLOW_MOD") groups forms that mean the same, a form
("OFPT10", "NXT") is one layout. Sources: OpenFlow 1.0-1.5; nicira-ext.h; ofp-msgs.h.
"""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import NX, ONF, OpenFlowError
from ovswitch.openflow.version import OF10, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = struct.Struct("!BBHI")
HEADER_SIZE = 8

_2U16 = struct.Struct("!HH")
_2U16_PAD = struct.Struct("!HH4x")
_2U32 = struct.Struct("!II")
_U32 = struct.Struct("!I")

_OFPT_VENDOR = 4
_STATS10 = (16, 17)  # request, reply
_STATS11 = (18, 19)
_OFPST_VENDOR = 0xFFFF
REPLY_MORE = 1
_ALL_VERSIONS = 255

MAX_MESSAGE_SIZE = 0xFFFF

_VENDORS = {"NX": NX, "ON": ONF}  # by the start of a form's name

# fmt: off
# ruff: noqa: E501
# type, form, name, first and last version, number, least size of the body, and of what
# the rest is a multiple (0: there is none, 1: any octets).
_ROWS: tuple[tuple[str, str, str, int, int, int, int, int], ...] = (
    ("HELLO", "OFPT", "HELLO", 0, 255, 0, 0, 1),
    ("ERROR", "OFPT", "ERROR", 0, 255, 1, 4, 1),
    ("ECHO_REQUEST", "OFPT", "ECHO_REQUEST", 0, 255, 2, 0, 1),
    ("ECHO_REPLY", "OFPT", "ECHO_REPLY", 0, 255, 3, 0, 1),
    ("FEATURES_REQUEST", "OFPT", "FEATURES_REQUEST", 1, 6, 5, 0, 0),
    ("FEATURES_REPLY", "OFPT10", "FEATURES_REPLY", 1, 1, 6, 24, 48),
    ("FEATURES_REPLY", "OFPT11", "FEATURES_REPLY", 2, 3, 6, 24, 64),
    ("FEATURES_REPLY", "OFPT13", "FEATURES_REPLY", 4, 6, 6, 24, 0),
    ("GET_CONFIG_REQUEST", "OFPT", "GET_CONFIG_REQUEST", 1, 6, 7, 0, 0),
    ("GET_CONFIG_REPLY", "OFPT", "GET_CONFIG_REPLY", 1, 6, 8, 4, 0),
    ("SET_CONFIG", "OFPT", "SET_CONFIG", 1, 6, 9, 4, 0),
    ("PACKET_IN", "OFPT10", "PACKET_IN", 1, 1, 10, 10, 1),
    ("PACKET_IN", "OFPT11", "PACKET_IN", 2, 2, 10, 16, 1),
    ("PACKET_IN", "OFPT12", "PACKET_IN", 3, 3, 10, 8, 1),
    ("PACKET_IN", "OFPT13", "PACKET_IN", 4, 6, 10, 16, 1),
    ("PACKET_IN", "NXT", "PACKET_IN", 1, 6, 17, 24, 1),
    ("PACKET_IN", "NXT", "PACKET_IN2", 1, 6, 30, 0, 8),
    ("FLOW_REMOVED", "OFPT10", "FLOW_REMOVED", 1, 1, 11, 80, 0),
    ("FLOW_REMOVED", "OFPT11", "FLOW_REMOVED", 2, 5, 11, 40, 8),
    ("FLOW_REMOVED", "OFPT15", "FLOW_REMOVED", 6, 6, 11, 16, 8),
    ("FLOW_REMOVED", "NXT", "FLOW_REMOVED", 1, 6, 14, 40, 8),
    ("PORT_STATUS", "OFPT10", "PORT_STATUS", 1, 1, 12, 56, 0),
    ("PORT_STATUS", "OFPT11", "PORT_STATUS", 2, 4, 12, 72, 0),
    ("PORT_STATUS", "OFPT14", "PORT_STATUS", 5, 6, 12, 48, 8),
    ("PACKET_OUT", "OFPT10", "PACKET_OUT", 1, 1, 13, 8, 1),
    ("PACKET_OUT", "OFPT11", "PACKET_OUT", 2, 5, 13, 16, 1),
    ("PACKET_OUT", "OFPT15", "PACKET_OUT", 6, 6, 13, 8, 1),
    ("FLOW_MOD", "OFPT10", "FLOW_MOD", 1, 1, 14, 64, 8),
    ("FLOW_MOD", "OFPT11", "FLOW_MOD", 2, 6, 14, 40, 8),
    ("FLOW_MOD", "NXT", "FLOW_MOD", 1, 6, 13, 32, 8),
    ("GROUP_MOD", "NXT", "GROUP_MOD", 1, 1, 31, 16, 8),
    ("GROUP_MOD", "OFPT11", "GROUP_MOD", 2, 5, 15, 8, 8),
    ("GROUP_MOD", "OFPT15", "GROUP_MOD", 6, 6, 15, 16, 8),
    ("PORT_MOD", "OFPT10", "PORT_MOD", 1, 1, 15, 24, 0),
    ("PORT_MOD", "OFPT11", "PORT_MOD", 2, 4, 16, 32, 0),
    ("PORT_MOD", "OFPT14", "PORT_MOD", 5, 6, 16, 24, 8),
    ("TABLE_MOD", "OFPT11", "TABLE_MOD", 2, 4, 17, 8, 0),
    ("TABLE_MOD", "OFPT14", "TABLE_MOD", 5, 6, 17, 8, 8),
    ("BARRIER_REQUEST", "OFPT10", "BARRIER_REQUEST", 1, 1, 18, 0, 0),
    ("BARRIER_REQUEST", "OFPT11", "BARRIER_REQUEST", 2, 6, 20, 0, 0),
    ("BARRIER_REPLY", "OFPT10", "BARRIER_REPLY", 1, 1, 19, 0, 0),
    ("BARRIER_REPLY", "OFPT11", "BARRIER_REPLY", 2, 6, 21, 0, 0),
    ("QUEUE_GET_CONFIG_REQUEST", "OFPT10", "QUEUE_GET_CONFIG_REQUEST", 1, 1, 20, 4, 0),
    ("QUEUE_GET_CONFIG_REQUEST", "OFPT11", "QUEUE_GET_CONFIG_REQUEST", 2, 4, 22, 8, 0),
    ("QUEUE_GET_CONFIG_REPLY", "OFPT10", "QUEUE_GET_CONFIG_REPLY", 1, 1, 21, 8, 8),
    ("QUEUE_GET_CONFIG_REPLY", "OFPT11", "QUEUE_GET_CONFIG_REPLY", 2, 4, 23, 8, 8),
    ("ROLE_REQUEST", "OFPT12", "ROLE_REQUEST", 3, 6, 24, 16, 0),
    ("ROLE_REQUEST", "NXT", "ROLE_REQUEST", 1, 6, 10, 4, 0),
    ("ROLE_REPLY", "OFPT12", "ROLE_REPLY", 3, 6, 25, 16, 0),
    ("ROLE_REPLY", "NXT", "ROLE_REPLY", 1, 6, 11, 4, 0),
    ("GET_ASYNC_REQUEST", "OFPT13", "GET_ASYNC_REQUEST", 4, 4, 26, 0, 0),
    ("GET_ASYNC_REQUEST", "OFPT14", "GET_ASYNC_REQUEST", 5, 6, 26, 0, 0),
    ("GET_ASYNC_REPLY", "OFPT13", "GET_ASYNC_REPLY", 4, 4, 27, 24, 0),
    ("GET_ASYNC_REPLY", "OFPT14", "GET_ASYNC_REPLY", 5, 6, 27, 0, 8),
    ("SET_ASYNC_CONFIG", "OFPT13", "SET_ASYNC", 4, 4, 28, 24, 0),
    ("SET_ASYNC_CONFIG", "NXT", "SET_ASYNC_CONFIG", 1, 6, 19, 24, 0),
    ("SET_ASYNC_CONFIG", "NXT", "SET_ASYNC_CONFIG2", 1, 4, 27, 0, 8),
    ("SET_ASYNC_CONFIG", "OFPT14", "SET_ASYNC", 5, 6, 28, 0, 8),
    ("METER_MOD", "OFPT13", "METER_MOD", 4, 6, 29, 8, 8),
    ("ROLE_STATUS", "ONFT13", "ROLE_STATUS", 4, 4, 1911, 16, 8),
    ("ROLE_STATUS", "OFPT14", "ROLE_STATUS", 5, 6, 30, 16, 8),
    ("TABLE_STATUS", "OFPT14", "TABLE_STATUS", 5, 6, 31, 8, 8),
    ("REQUESTFORWARD", "NXT", "REQUESTFORWARD", 1, 3, 132, 8, 8),
    ("REQUESTFORWARD", "ONFT13", "REQUESTFORWARD", 4, 4, 2350, 8, 8),
    ("REQUESTFORWARD", "OFPT14", "REQUESTFORWARD", 5, 6, 32, 8, 8),
    ("BUNDLE_CONTROL", "OFPT14", "BUNDLE_CONTROL", 5, 6, 33, 8, 8),
    ("BUNDLE_CONTROL", "ONFT13", "BUNDLE_CONTROL", 4, 4, 2300, 8, 8),
    ("BUNDLE_ADD_MESSAGE", "OFPT14", "BUNDLE_ADD_MESSAGE", 5, 6, 34, 8, 1),
    ("BUNDLE_ADD_MESSAGE", "ONFT13", "BUNDLE_ADD_MESSAGE", 4, 4, 2301, 8, 1),
    ("DESC_STATS_REQUEST", "OFPST", "DESC_REQUEST", 1, 6, 0, 0, 0),
    ("DESC_STATS_REPLY", "OFPST", "DESC_REPLY", 1, 6, 0, 1056, 0),
    ("FLOW_STATS_REQUEST", "OFPST10", "FLOW_REQUEST", 1, 1, 1, 44, 0),
    ("FLOW_STATS_REQUEST", "OFPST11", "FLOW_REQUEST", 2, 6, 1, 32, 8),
    ("FLOW_STATS_REQUEST", "NXST", "FLOW_REQUEST", 1, 1, 0, 8, 8),
    ("FLOW_STATS_REPLY", "OFPST10", "FLOW_REPLY", 1, 1, 1, 0, 1),
    ("FLOW_STATS_REPLY", "OFPST11", "FLOW_REPLY", 2, 3, 1, 0, 1),
    ("FLOW_STATS_REPLY", "OFPST13", "FLOW_REPLY", 4, 5, 1, 0, 1),
    ("FLOW_STATS_REPLY", "OFPST15", "FLOW_REPLY", 6, 6, 1, 0, 1),
    ("FLOW_STATS_REPLY", "NXST", "FLOW_REPLY", 1, 1, 0, 0, 1),
    ("AGGREGATE_STATS_REQUEST", "OFPST10", "AGGREGATE_REQUEST", 1, 1, 2, 44, 0),
    ("AGGREGATE_STATS_REQUEST", "OFPST11", "AGGREGATE_REQUEST", 2, 5, 2, 32, 8),
    ("AGGREGATE_STATS_REQUEST", "OFPST15", "AGGREGATE_REQUEST", 6, 6, 2, 32, 8),
    ("AGGREGATE_STATS_REQUEST", "NXST", "AGGREGATE_REQUEST", 1, 1, 1, 8, 8),
    ("AGGREGATE_STATS_REPLY", "OFPST", "AGGREGATE_REPLY", 1, 5, 2, 24, 0),
    ("AGGREGATE_STATS_REPLY", "OFPST15", "AGGREGATE_REPLY", 6, 6, 2, 0, 1),
    ("AGGREGATE_STATS_REPLY", "NXST", "AGGREGATE_REPLY", 1, 1, 1, 24, 0),
    ("TABLE_STATS_REQUEST", "OFPST", "TABLE_REQUEST", 1, 6, 3, 0, 0),
    ("TABLE_STATS_REPLY", "OFPST10", "TABLE_REPLY", 1, 1, 3, 0, 64),
    ("TABLE_STATS_REPLY", "OFPST11", "TABLE_REPLY", 2, 2, 3, 0, 88),
    ("TABLE_STATS_REPLY", "OFPST12", "TABLE_REPLY", 3, 3, 3, 0, 128),
    ("TABLE_STATS_REPLY", "OFPST13", "TABLE_REPLY", 4, 6, 3, 0, 24),
    ("PORT_STATS_REQUEST", "OFPST10", "PORT_REQUEST", 1, 1, 4, 8, 0),
    ("PORT_STATS_REQUEST", "OFPST11", "PORT_REQUEST", 2, 6, 4, 8, 0),
    ("PORT_STATS_REPLY", "OFPST10", "PORT_REPLY", 1, 1, 4, 0, 104),
    ("PORT_STATS_REPLY", "OFPST11", "PORT_REPLY", 2, 3, 4, 0, 104),
    ("PORT_STATS_REPLY", "OFPST13", "PORT_REPLY", 4, 4, 4, 0, 112),
    ("PORT_STATS_REPLY", "OFPST14", "PORT_REPLY", 5, 6, 4, 0, 8),
    ("QUEUE_STATS_REQUEST", "OFPST10", "QUEUE_REQUEST", 1, 1, 5, 8, 0),
    ("QUEUE_STATS_REQUEST", "OFPST11", "QUEUE_REQUEST", 2, 6, 5, 8, 0),
    ("QUEUE_STATS_REPLY", "OFPST10", "QUEUE_REPLY", 1, 1, 5, 0, 32),
    ("QUEUE_STATS_REPLY", "OFPST11", "QUEUE_REPLY", 2, 3, 5, 0, 32),
    ("QUEUE_STATS_REPLY", "OFPST13", "QUEUE_REPLY", 4, 4, 5, 0, 40),
    ("QUEUE_STATS_REPLY", "OFPST14", "QUEUE_REPLY", 5, 6, 5, 0, 8),
    ("GROUP_STATS_REQUEST", "NXST", "GROUP_REQUEST", 1, 1, 7, 8, 0),
    ("GROUP_STATS_REQUEST", "OFPST11", "GROUP_REQUEST", 2, 6, 6, 8, 0),
    ("GROUP_STATS_REPLY", "NXST", "GROUP_REPLY", 1, 1, 7, 0, 8),
    ("GROUP_STATS_REPLY", "OFPST11", "GROUP_REPLY", 2, 3, 6, 0, 8),
    ("GROUP_STATS_REPLY", "OFPST13", "GROUP_REPLY", 4, 6, 6, 0, 8),
    ("GROUP_DESC_STATS_REQUEST", "NXST", "GROUP_DESC_REQUEST", 1, 1, 8, 8, 0),
    ("GROUP_DESC_STATS_REQUEST", "OFPST11", "GROUP_DESC_REQUEST", 2, 5, 7, 0, 0),
    ("GROUP_DESC_STATS_REQUEST", "OFPST15", "GROUP_DESC_REQUEST", 6, 6, 7, 8, 0),
    ("GROUP_DESC_STATS_REPLY", "NXST", "GROUP_DESC_REPLY", 1, 1, 8, 0, 8),
    ("GROUP_DESC_STATS_REPLY", "OFPST11", "GROUP_DESC_REPLY", 2, 6, 7, 0, 8),
    ("GROUP_FEATURES_STATS_REQUEST", "NXST", "GROUP_FEATURES_REQUEST", 1, 2, 9, 0, 0),
    ("GROUP_FEATURES_STATS_REQUEST", "OFPST12", "GROUP_FEATURES_REQUEST", 3, 6, 8, 0, 0),
    ("GROUP_FEATURES_STATS_REPLY", "NXST", "GROUP_FEATURES_REPLY", 1, 2, 9, 40, 0),
    ("GROUP_FEATURES_STATS_REPLY", "OFPST12", "GROUP_FEATURES_REPLY", 3, 6, 8, 40, 0),
    ("METER_STATS_REQUEST", "OFPST13", "METER_REQUEST", 4, 6, 9, 8, 0),
    ("METER_STATS_REPLY", "OFPST13", "METER_REPLY", 4, 6, 9, 0, 8),
    ("METER_CONFIG_STATS_REQUEST", "OFPST13", "METER_CONFIG_REQUEST", 4, 6, 10, 8, 0),
    ("METER_CONFIG_STATS_REPLY", "OFPST13", "METER_CONFIG_REPLY", 4, 6, 10, 0, 8),
    ("METER_FEATURES_STATS_REQUEST", "OFPST13", "METER_FEATURES_REQUEST", 4, 6, 11, 0, 0),
    ("METER_FEATURES_STATS_REPLY", "OFPST13", "METER_FEATURES_REPLY", 4, 6, 11, 16, 0),
    ("TABLE_FEATURES_STATS_REQUEST", "OFPST13", "TABLE_FEATURES_REQUEST", 4, 6, 12, 0, 8),
    ("TABLE_FEATURES_STATS_REPLY", "OFPST13", "TABLE_FEATURES_REPLY", 4, 6, 12, 64, 8),
    ("TABLE_DESC_REQUEST", "OFPST14", "TABLE_DESC_REQUEST", 5, 6, 14, 0, 0),
    ("TABLE_DESC_REPLY", "OFPST14", "TABLE_DESC_REPLY", 5, 6, 14, 8, 8),
    ("PORT_DESC_STATS_REQUEST", "OFPST10", "PORT_DESC_REQUEST", 1, 5, 13, 0, 0),
    ("PORT_DESC_STATS_REQUEST", "OFPST15", "PORT_DESC_REQUEST", 6, 6, 13, 8, 0),
    ("PORT_DESC_STATS_REPLY", "OFPST10", "PORT_DESC_REPLY", 1, 1, 13, 0, 48),
    ("PORT_DESC_STATS_REPLY", "OFPST11", "PORT_DESC_REPLY", 2, 4, 13, 0, 64),
    ("PORT_DESC_STATS_REPLY", "OFPST14", "PORT_DESC_REPLY", 5, 6, 13, 0, 8),
    ("QUEUE_GET_CONFIG_REQUEST", "OFPST14", "QUEUE_DESC_REQUEST", 5, 6, 15, 8, 0),
    ("QUEUE_GET_CONFIG_REPLY", "OFPST14", "QUEUE_DESC_REPLY", 5, 6, 15, 0, 8),
    ("FLOW_MONITOR_STATS_REQUEST", "OFPST14", "FLOW_MONITOR_REQUEST", 5, 6, 16, 0, 8),
    ("FLOW_MONITOR_STATS_REQUEST", "ONFST13", "FLOW_MONITOR_REQUEST", 4, 4, 1870, 0, 8),
    ("FLOW_MONITOR_STATS_REQUEST", "NXST", "FLOW_MONITOR_REQUEST", 1, 3, 2, 0, 8),
    ("FLOW_MONITOR_STATS_REPLY", "OFPST14", "FLOW_MONITOR_REPLY", 5, 6, 16, 0, 8),
    ("FLOW_MONITOR_STATS_REPLY", "ONFST13", "FLOW_MONITOR_REPLY", 4, 4, 1870, 0, 8),
    ("FLOW_MONITOR_STATS_REPLY", "NXST", "FLOW_MONITOR_REPLY", 1, 3, 2, 0, 8),
    ("FLOW_MONITOR_CANCEL", "ONFT13", "FLOW_MONITOR_CANCEL", 4, 4, 1870, 4, 0),
    ("FLOW_MONITOR_CANCEL", "NXT", "FLOW_MONITOR_CANCEL", 1, 3, 21, 4, 0),
    ("FLOW_MONITOR_PAUSED", "ONFT13", "FLOW_MONITOR_PAUSED", 4, 4, 1871, 0, 0),
    ("FLOW_MONITOR_PAUSED", "NXT", "FLOW_MONITOR_PAUSED", 1, 3, 22, 0, 0),
    ("FLOW_MONITOR_RESUMED", "ONFT13", "FLOW_MONITOR_RESUMED", 4, 4, 1872, 0, 0),
    ("FLOW_MONITOR_RESUMED", "NXT", "FLOW_MONITOR_RESUMED", 1, 3, 23, 0, 0),
    ("SET_FLOW_FORMAT", "NXT", "SET_FLOW_FORMAT", 1, 1, 12, 4, 0),
    ("FLOW_MOD_TABLE_ID", "NXT", "FLOW_MOD_TABLE_ID", 1, 6, 15, 8, 0),
    ("SET_PACKET_IN_FORMAT", "NXT", "SET_PACKET_IN_FORMAT", 1, 6, 16, 4, 0),
    ("FLOW_AGE", "NXT", "FLOW_AGE", 1, 6, 18, 0, 0),
    ("SET_CONTROLLER_ID", "NXT", "SET_CONTROLLER_ID", 1, 6, 20, 8, 0),
    ("NXT_TLV_TABLE_MOD", "NXT", "TLV_TABLE_MOD", 1, 6, 24, 8, 8),
    ("NXT_TLV_TABLE_REQUEST", "NXT", "TLV_TABLE_REQUEST", 1, 6, 25, 0, 0),
    ("NXT_TLV_TABLE_REPLY", "NXT", "TLV_TABLE_REPLY", 1, 6, 26, 16, 8),
    ("NXT_RESUME", "NXT", "RESUME", 1, 6, 28, 0, 8),
    ("CT_FLUSH_ZONE", "NXT", "CT_FLUSH_ZONE", 1, 6, 29, 8, 0),
    ("CT_FLUSH", "NXT", "CT_FLUSH", 1, 6, 32, 8, 8),
    ("IPFIX_BRIDGE_STATS_REQUEST", "NXST", "IPFIX_BRIDGE_REQUEST", 1, 6, 3, 0, 0),
    ("IPFIX_BRIDGE_STATS_REPLY", "NXST", "IPFIX_BRIDGE_REPLY", 1, 6, 3, 88, 0),
    ("IPFIX_FLOW_STATS_REQUEST", "NXST", "IPFIX_FLOW_REQUEST", 1, 6, 4, 0, 0),
    ("IPFIX_FLOW_STATS_REPLY", "NXST", "IPFIX_FLOW_REPLY", 1, 6, 4, 0, 88),
)
# fmt: on


class Raw:
    """One wire form of a message.

    Attributes:
        type: what it means: "FLOW_STATS_REQUEST".
        form: which layout: "NXST".
        name: as it is printed: "NXST_FLOW request".
        first, last: wire versions that have it.
        number: the innermost type number.
        min_body: least size of what follows the headers.
        multiple: what the size beyond that must be a multiple of; 0: exactly that.
        is_stats: whether it is a statistics (multipart) message.
        is_reply: whether it is a statistics reply.
        vendor: 0 for the standard's.
    """

    __slots__ = (
        "first", "form", "is_reply", "is_stats", "last", "min_body", "multiple",
        "name", "number", "type", "vendor",
    )  # fmt: skip

    def __init__(self, row: tuple[str, str, str, int, int, int, int, int]) -> None:
        (self.type, self.form, name, self.first, self.last, self.number,
         self.min_body, self.multiple) = row  # fmt: skip
        kind = self.form.rstrip("0123456789")
        self.vendor = _VENDORS.get(kind[:2], 0)
        self.is_stats = kind.endswith("ST")
        self.is_reply = self.is_stats and name.endswith("_REPLY")
        self.name = f"{kind}_{name}"
        if self.is_stats:
            self.name = self.name.removesuffix("_REPLY").removesuffix("_REQUEST")
            self.name += " reply" if self.is_reply else " request"

    def key(self, version: int) -> tuple[int, int, int, int, int]:
        """Return (version, type, stat, vendor, subtype) as a header has them."""
        if not self.is_stats:
            if self.vendor:
                return version, _OFPT_VENDOR, 0, self.vendor, self.number
            return version, self.number, 0, 0, 0
        kind = (_STATS10 if version == OF10 else _STATS11)[self.is_reply]
        if self.vendor:
            return version, kind, _OFPST_VENDOR, self.vendor, self.number
        return version, kind, self.number, 0, 0


RAWS: tuple[Raw, ...] = tuple(Raw(row) for row in _ROWS)

_by_key: dict[tuple[int, int, int, int, int], Raw] = {}
_by_type: dict[tuple[str, int], list[Raw]] = {}
for _raw in RAWS:
    if _raw.last == _ALL_VERSIONS:
        _by_key[_raw.key(0)] = _raw
    for _version in range(max(_raw.first, OF10), min(_raw.last, OF15) + 1):
        _by_key[_raw.key(_version)] = _raw
        _by_type.setdefault((_raw.type, _version), []).append(_raw)


class Header:
    """A message's headers, parsed.

    Attributes:
        raw: the form that the message has.
        version, xid, size: as in the fixed header.
        body: where the body begins.
        flags: of a statistics message.
    """

    __slots__ = ("body", "flags", "raw", "size", "version", "xid")

    def __init__(
        self, raw: Raw, version: int, size: int, xid: int, body: int, flags: int
    ) -> None:
        self.raw = raw
        self.version = version
        self.size = size
        self.xid = xid
        self.body = body
        self.flags = flags

    @property
    def more(self) -> bool:
        """Whether further parts of the same statistics message follow."""
        return bool(self.flags & REPLY_MORE)


def _short(octets: bytes, size: int) -> None:
    if len(octets) < size:
        raise OpenFlowError("OFPBRC_BAD_LEN")


def _stats(octets: bytes, version: int, kind: int) -> tuple[int, int, int, int, int]:
    """Return (stat, vendor, subtype, header's size, flags) of a statistics message."""
    size = 12 if version == OF10 else 16
    _short(octets, size)
    stat, flags = _2U16.unpack_from(octets, 8)
    if stat != _OFPST_VENDOR:
        return stat, 0, 0, size, flags
    if version == OF10:
        _short(octets, 16)
        vendor = _U32.unpack_from(octets, 12)[0]
        if vendor != NX:
            raise _unknown_vendor(vendor)
        _short(octets, 24)
        return stat, vendor, _U32.unpack_from(octets, 16)[0], 24, flags
    _short(octets, 24)
    vendor, subtype = _2U32.unpack_from(octets, 16)
    if vendor not in (NX, ONF):
        raise _unknown_vendor(vendor)
    return stat, vendor, subtype, 24, flags


def parse(octets: bytes, *, partial: bool = False) -> Header:
    """Return the headers of a message.

    Args:
        octets: the message, or the start of one that was cut off.
        partial: don't check sizes, since octets are missing.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPBRC_BAD_TYPE, OFPBRC_BAD_STAT,
            OFPBRC_BAD_VENDOR, OFPBRC_BAD_SUBTYPE.
    """
    _short(octets, HEADER_SIZE)
    version, kind, size, xid = HEADER.unpack_from(octets)
    stat = vendor = subtype = flags = 0
    body = HEADER_SIZE
    is_stats = kind in (_STATS10 if version == OF10 else _STATS11)
    if kind == _OFPT_VENDOR:
        _short(octets, 16)
        vendor, subtype = _2U32.unpack_from(octets, 8)
        if vendor not in (NX, ONF):
            raise _unknown_vendor(vendor)
        body = 16
    elif is_stats:
        stat, vendor, subtype, body, flags = _stats(octets, version, kind)
    raw = _by_key.get((version, kind, stat, vendor, subtype))
    if raw is None:
        raw = _by_key.get((0, kind, stat, vendor, subtype))
    if raw is None:
        raise _unknown(version, kind, stat, vendor, subtype, is_stats)
    if not partial:
        check_size(raw, len(octets) - body, body)
    return Header(raw, version, size, xid, body, flags)


def _refuse(name: str, text: str, burst: int = 1) -> OpenFlowError:
    """Say in the log what is wrong with a message; return the error."""
    from ovswitch.openflow.actions.context import warn_rl

    warn_rl(text, "ofp_msgs", burst)
    return OpenFlowError(name)


def _unknown_vendor(vendor: int) -> OpenFlowError:
    shown = f"{vendor:#x}" if vendor else "0"
    text = f"OpenFlow message has unknown vendor {shown}"
    return _refuse("OFPBRC_BAD_VENDOR", text)


def _unknown(
    version: int, kind: int, stat: int, vendor: int, subtype: int, is_stats: bool
) -> OpenFlowError:
    detail = f"version {version}, type {kind}"
    if is_stats:
        detail += f", stat {stat}"
    if vendor:
        detail += f", vendor {vendor:#x}, subtype {subtype}"
    name = "OFPBRC_BAD_TYPE"
    if vendor:
        name = "OFPBRC_BAD_SUBTYPE"
    elif is_stats:
        name = "OFPBRC_BAD_STAT"
    return _refuse(name, f"unknown OpenFlow message ({detail})")


def check_size(raw: Raw, size: int, start: int = 0) -> None:
    """Check the size of a message's body, which begins at `start`.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN.
    """
    rest = size - raw.min_body
    if rest < 0 or (rest and (not raw.multiple or rest % raw.multiple)):
        least = start + raw.min_body
        wanted = f"expected length {least}"
        if raw.multiple == 1:
            wanted = f"expected length at least {least} bytes"
        elif raw.multiple:
            wanted = (
                f"must be exactly {least} bytes or longer by an integer multiple of "
                f"{raw.multiple} bytes"
            )
        text = f"received {raw.name} with incorrect length {start + size} ({wanted})"
        raise _refuse("OFPBRC_BAD_LEN", text, 5)


def find(kind: str, version: int, form: str = "") -> Raw:
    """Return the row for a type in a version, by default the standard's form.

    Raises:
        LookupError: the version can't say it.
    """
    for raw in _by_type.get((kind, version), ()):
        if not form or raw.form == form:
            return raw
    raise LookupError(f"{kind} in version {version}")


def put(raw: Raw, version: int, xid: int, body: bytes = b"", flags: int = 0) -> bytes:
    """Return a message: headers and body."""
    _, kind, stat, vendor, subtype = raw.key(version)
    inner = b""
    if raw.is_stats:
        inner = (_2U16 if version == OF10 else _2U16_PAD).pack(stat, flags)
    if vendor:
        inner += _2U32.pack(vendor, subtype)
        if raw.is_stats and version == OF10:
            inner += bytes(4)
    size = HEADER_SIZE + len(inner) + len(body)
    return HEADER.pack(version, kind, size, xid) + inner + body


def header_size(raw: Raw, version: int) -> int:
    """Return where the body begins."""
    return len(put(raw, version, 0))


def put_parts(
    raw: Raw, version: int, xid: int, entries: Iterable[bytes]
) -> list[bytes]:
    """Return a statistics message, in as many parts as its entries need.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN: a single entry is larger than a message.
    """
    room = MAX_MESSAGE_SIZE - header_size(raw, version)
    bodies: list[list[bytes]] = [[]]
    left = room
    for entry in entries:
        if len(entry) > left:
            if len(entry) > room:
                raise OpenFlowError("OFPBRC_BAD_LEN")
            bodies.append([])
            left = room
        bodies[-1].append(entry)
        left -= len(entry)
    last = len(bodies) - 1
    return [
        put(raw, version, xid, b"".join(body), REPLY_MORE if i < last else 0)
        for i, body in enumerate(bodies)
    ]
