# SPDX-License-Identifier: Apache-2.0
"""Ports: descriptions, their changes, changing them (OpenFlow 1.5.1 §7.2.1, §7.3.4.3).

Configuration, state and features are bitmaps as OpenFlow 1.1 and later have them, with
the bits that only 1.0 has beside them.
"""

from __future__ import annotations

import struct

from ovswitch.flow import names
from ovswitch.openflow import wire
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Message, port_number
from ovswitch.openflow.version import OF10, OF13, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

MAX_NAME = 16

# Configuration.
PORT_DOWN, NO_STP, NO_RECV, NO_RECV_STP, NO_FLOOD, NO_FWD, NO_PACKET_IN = (
    1 << i for i in range(7)
)
_CONFIG10 = 0x7F
_CONFIG11 = PORT_DOWN | NO_RECV | NO_FWD | NO_PACKET_IN

# State.
LINK_DOWN, BLOCKED, LIVE = (1 << i for i in range(3))
STP_LISTEN, STP_LEARN, STP_FORWARD, STP_BLOCK = (i << 8 for i in range(4))
STP_MASK = 3 << 8
_STATE10 = LINK_DOWN | STP_MASK
_STATE11 = LINK_DOWN | BLOCKED | LIVE

# Features: a link's speed, medium and what it negotiates.
FEATURES = {
    1 << 0: "10MB-HD",
    1 << 1: "10MB-FD",
    1 << 2: "100MB-HD",
    1 << 3: "100MB-FD",
    1 << 4: "1GB-HD",
    1 << 5: "1GB-FD",
    1 << 6: "10GB-FD",
    1 << 7: "40GB-FD",
    1 << 8: "100GB-FD",
    1 << 9: "1TB-FD",
    1 << 10: "OTHER",
    1 << 11: "COPPER",
    1 << 12: "FIBER",
    1 << 13: "AUTO_NEG",
    1 << 14: "AUTO_PAUSE",
    1 << 15: "AUTO_PAUSE_ASYM",
}
_SPEEDS_KBPS = (
    (1 << 9, 1_000_000_000),
    (1 << 8, 100_000_000),
    (1 << 7, 40_000_000),
    (1 << 6, 10_000_000),
    (3 << 4, 1_000_000),
    (3 << 2, 100_000),
    (3 << 0, 10_000),
)

OFPPR_ADD, OFPPR_DELETE, OFPPR_MODIFY = range(3)

_PORT10 = struct.Struct("!H6s16sIIIIII")
_PORT11 = struct.Struct("!I4x6s2x16sIIIIIIII")
_PORT14 = struct.Struct("!IH2x6s2x16sII")
_ETHERNET14 = struct.Struct("!HH4xIIIIII")
_STATUS = struct.Struct("!B7x")
_MOD10 = struct.Struct("!H6sIII4x")
_MOD11 = struct.Struct("!I4x6s2xIII4x")
_MOD14 = struct.Struct("!I4x6s2xII")
_U32_PAD = struct.Struct("!I4x")


def features_from10(bits: int) -> int:
    """Return features from the bits of OpenFlow 1.0."""
    return bits & 0x7F | (bits & 0xF80) << 4


def features_to10(bits: int) -> int:
    """Return features as bits of OpenFlow 1.0, which lacks the fastest."""
    return bits & 0x7F | (bits & 0xF800) >> 4


def speed_kbps(features: int) -> int:
    """Return the greatest speed among features, 0 if there is none."""
    return next((speed for bits, speed in _SPEEDS_KBPS if features & bits), 0)


def _pack_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")[: MAX_NAME - 1]


def _unpack_name(octets: bytes) -> str:
    octets = octets[: MAX_NAME - 1].partition(b"\0")[0]
    return octets.decode("utf-8", "surrogateescape")


class PhyPort:
    """A port's description.

    Attributes:
        port_no, hw_addr, name: which port; the address is a number.
        config, state: bitmaps.
        curr, advertised, supported, peer: features.
        curr_speed, max_speed: in kbps.
    """

    __slots__ = (
        "advertised", "config", "curr", "curr_speed", "hw_addr", "max_speed", "name",
        "peer", "port_no", "state", "supported",
    )  # fmt: skip

    def __init__(self, port_no: int = 0, name: str = "", hw_addr: int = 0) -> None:
        self.port_no = port_no
        self.name = name
        self.hw_addr = hw_addr
        self.config = self.state = 0
        self.curr = self.advertised = self.supported = self.peer = 0
        self.curr_speed = self.max_speed = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PhyPort):
            return NotImplemented
        return all(getattr(self, x) == getattr(other, x) for x in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def encode(self, version: int) -> bytes:
        """Return the description's octets."""
        address = self.hw_addr.to_bytes(6, "big")
        name = _pack_name(self.name)
        features = (self.curr, self.advertised, self.supported, self.peer)
        if version == OF10:
            return _PORT10.pack(
                self.port_no, address, name, self.config & _CONFIG10,
                self.state & _STATE10, *map(features_to10, features),
            )  # fmt: skip
        config, state = self.config & _CONFIG11, self.state & _STATE11
        number = names.port_to_ofp11(self.port_no)
        links = [bits & 0xFFFF for bits in features]
        speeds = (self.curr_speed, self.max_speed)
        if version <= OF13:
            return _PORT11.pack(number, address, name, config, state, *links, *speeds)
        size = _PORT14.size + _ETHERNET14.size
        return _PORT14.pack(number, size, address, name, config, state) + (
            _ETHERNET14.pack(0, _ETHERNET14.size, *links, *speeds)
        )


def take_port(version: int, cursor: Cursor) -> PhyPort:
    """Take a port's description.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPBAC_BAD_OUT_PORT, OFPBPC_*.
    """
    port = PhyPort()
    if version == OF10:
        (port.port_no, address, name, config, state, *features) = _PORT10.unpack(
            cursor.take(_PORT10.size)
        )
        port.config, port.state = config & _CONFIG10, state & _STATE10
        (port.curr, port.advertised, port.supported, port.peer) = map(
            features_from10, features
        )
        port.curr_speed = speed_kbps(port.curr)
        port.max_speed = speed_kbps(port.supported)
    elif version <= OF13:
        (number, address, name, config, state, *features) = _PORT11.unpack(
            cursor.take(_PORT11.size)
        )
        port.port_no = port_number(number)
        port.config, port.state = config & _CONFIG11, state & _STATE11
        _set_features(port, features)
    else:
        number, size, address, name, config, state = _PORT14.unpack(
            cursor.take(_PORT14.size)
        )
        octets = cursor.take(size - _PORT14.size)
        port.port_no = port_number(number)
        port.config, port.state = config & _CONFIG11, state & _STATE11
        _take_properties14(port, octets)
    port.hw_addr = int.from_bytes(address, "big")
    port.name = _unpack_name(name)
    return port


def _set_features(port: PhyPort, row: list[int]) -> None:
    (port.curr, port.advertised, port.supported, port.peer) = (
        bits & 0xFFFF for bits in row[:4]
    )
    port.curr_speed, port.max_speed = row[4:]


def _take_properties14(port: PhyPort, octets: bytes) -> None:
    for item in wire.properties(octets):
        if item.type == 0:  # Ethernet; others are passed over
            if len(item.octets) != _ETHERNET14.size:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            _set_features(port, list(_ETHERNET14.unpack(item.octets)[2:]))


class PortStatus(Message):
    """A port that came, went or changed."""

    __slots__ = ("desc", "reason")

    type = "PORT_STATUS"

    def __init__(self, reason: int, desc: PhyPort) -> None:
        self.reason = reason
        self.desc = desc
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "", _STATUS.pack(self.reason) + self.desc.encode(version)


def _decode_status(header: raws.Header, cursor: Cursor, context: Context) -> PortStatus:
    (reason,) = cursor.unpack(_STATUS)
    if reason not in (OFPPR_ADD, OFPPR_DELETE, OFPPR_MODIFY):
        raise OpenFlowError("NXBRC_BAD_REASON")
    return PortStatus(reason, take_port(header.version, cursor))


class PortMod(Message):
    """A change of a port's configuration.

    Attributes:
        port_no, hw_addr: which port; the address must be its own.
        config, mask: the bits to change and what to change them to.
        advertise: features to advertise, 0 to leave them.
    """

    __slots__ = ("advertise", "config", "hw_addr", "mask", "port_no")

    type = "PORT_MOD"

    def __init__(
        self, port_no: int = 0, hw_addr: int = 0, config: int = 0, mask: int = 0
    ) -> None:
        self.port_no = port_no
        self.hw_addr = hw_addr
        self.config = config
        self.mask = mask
        self.advertise = 0
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        address = self.hw_addr.to_bytes(6, "big")
        if version == OF10:
            return "", _MOD10.pack(
                self.port_no, address, self.config & _CONFIG10, self.mask & _CONFIG10,
                features_to10(self.advertise),
            )  # fmt: skip
        number = names.port_to_ofp11(self.port_no)
        config, mask = self.config & _CONFIG11, self.mask & _CONFIG11
        advertise = self.advertise & 0xFFFF
        if version <= OF13:
            return "", _MOD11.pack(number, address, config, mask, advertise)
        octets = _MOD14.pack(number, address, config, mask)
        if advertise:
            octets += wire.put_u32(0, advertise)
        return "", octets


def _decode_mod(header: raws.Header, cursor: Cursor, context: Context) -> PortMod:
    mod = PortMod()
    if header.version == OF10:
        mod.port_no, address, config, mask, advertise = _MOD10.unpack(
            cursor.take(_MOD10.size)
        )
        known = _CONFIG10
        mod.advertise = features_from10(advertise)
    else:
        known = _CONFIG11
        if header.version <= OF13:
            number, address, config, mask, advertise = _MOD11.unpack(
                cursor.take(_MOD11.size)
            )
            mod.advertise = advertise & 0xFFFF
        else:
            number, address, config, mask = _MOD14.unpack(cursor.take(_MOD14.size))
        mod.port_no = port_number(number)
        for item in wire.properties(cursor.rest()):
            if item.type:
                raise wire.unknown_property(item.type)
            mod.advertise = item.u32() & 0xFFFF
    mod.hw_addr = int.from_bytes(address, "big")
    mod.mask = mask & known
    mod.config = config & mod.mask
    return mod


class PortDescRequest(Message):
    """A request for ports' descriptions; `port_no` all or, from 1.5 on, one."""

    __slots__ = ("port_no",)

    type = "PORT_DESC_STATS_REQUEST"

    def __init__(self, port_no: int = names.OFPP_NONE) -> None:
        self.port_no = port_no
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        if version < OF15:
            return "", b""
        return "", _U32_PAD.pack(names.port_to_ofp11(self.port_no))


def _decode_desc_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> PortDescRequest:
    if header.raw.form == "OFPST15":
        return PortDescRequest(port_number(cursor.unpack(_U32_PAD)[0]))
    return PortDescRequest()


class PortDescReply(Message):
    """Ports' descriptions: one part of a reply."""

    __slots__ = ("more", "ports")

    type = "PORT_DESC_STATS_REPLY"

    def __init__(self, ports: list[PhyPort], more: bool = False) -> None:
        self.ports = ports
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (port.encode(version) for port in self.ports)


def take_ports(version: int, cursor: Cursor) -> Iterator[PhyPort]:
    """Yield the descriptions that fill the rest of a message."""
    while cursor.left:
        yield take_port(version, cursor)


def _decode_desc_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> PortDescReply:
    return PortDescReply(list(take_ports(header.version, cursor)), header.more)


DECODERS = {
    "PORT_STATUS": _decode_status,
    "PORT_MOD": _decode_mod,
    "PORT_DESC_STATS_REQUEST": _decode_desc_request,
    "PORT_DESC_STATS_REPLY": _decode_desc_reply,
}
