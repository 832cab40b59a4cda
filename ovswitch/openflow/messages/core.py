# SPDX-License-Identifier: Apache-2.0
"""The small messages: hello, error, echo, barrier, configuration, session options."""

from __future__ import annotations

import struct

from ovswitch.openflow import errors
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Empty, Message
from ovswitch.openflow.version import OF13, highest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

_CONFIG = struct.Struct("!HH")
_U32 = struct.Struct("!I")
_CONTROLLER_ID = struct.Struct("!6xH")
_ELEMENT = struct.Struct("!HH")

_OFPHET_VERSIONBITMAP = 1

FRAG_NORMAL, FRAG_DROP, FRAG_REASM, FRAG_NX_MATCH = range(4)
FRAGS = ("normal", "drop", "reassemble", "nx-match")
_FRAG_MASK = 3
_INVALID_TTL = 1 << 2

_NXFF_OPENFLOW10, _NXFF_NXM = 0, 2


class Hello(Message):
    """The first message; `versions` is a bitmap.

    `is_valid` tells whether all that it said made sense: an element that isn't
    understood is passed over.
    """

    __slots__ = ("is_valid", "versions")

    type = "HELLO"

    def __init__(self, versions: int, is_valid: bool = True) -> None:
        self.versions = versions
        self.is_valid = is_valid
        self.xid = self.version = 0

    def encode(self, protocol: int = 0, xid: int = 0) -> bytes:
        """Return the message's octets; the version is the highest offered.

        The bitmap is sent only where the highest version doesn't say it all.
        """
        body = b""
        if self.versions >> 1 & (self.versions >> 1) + 1:
            body = _ELEMENT.pack(_OFPHET_VERSIONBITMAP, 8) + _U32.pack(self.versions)
        header = struct.pack("!BBHI", highest(self.versions), 0, 8 + len(body), xid)
        return header + body


def _decode_hello(header: raws.Header, cursor: Cursor, context: Context) -> Hello:
    hello = Hello((1 << header.version + 1) - 2 & 0xFFFFFFFE)
    while cursor.left:
        if cursor.left < 4:
            hello.is_valid = False
            return hello
        kind, size = _ELEMENT.unpack_from(cursor.octets, cursor.offset)
        if size < 4 or size + -size % 8 > cursor.left:
            hello.is_valid = False
            return hello
        element = cursor.take(size + -size % 8)[4:size]
        versions = 0
        if kind == _OFPHET_VERSIONBITMAP and element and not len(element) % 4:
            versions = _U32.unpack_from(element)[0] & ~1
        if versions:
            hello.versions = versions
        else:
            hello.is_valid = False
    return hello


class Error(Message):
    """An error: its name, and the message that it is about (or a text, for hellos)."""

    __slots__ = ("name", "payload")

    type = "ERROR"

    def __init__(self, name: str, payload: bytes = b"") -> None:
        self.name = name
        self.payload = payload
        self.xid = self.version = 0

    def encode(self, protocol: int, xid: int = 0) -> bytes:
        """Return the message's octets."""
        version = protocols.version_of(protocol)
        return errors.encode(self.name, version, xid, self.payload)


def _decode_error(header: raws.Header, cursor: Cursor, context: Context) -> Error:
    decoded = errors.decode(cursor.octets)
    if decoded is None:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return Error(*decoded)


class EchoRequest(Message):
    """Are you there? `octets` come back."""

    __slots__ = ("octets",)

    type = "ECHO_REQUEST"

    def __init__(self, octets: bytes = b"") -> None:
        self.octets = octets
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the octets."""
        return "", self.octets


class EchoReply(EchoRequest):
    """The answer to an echo request."""

    __slots__ = ()

    type = "ECHO_REPLY"


def _decode_echo(header: raws.Header, cursor: Cursor, context: Context) -> EchoRequest:
    is_reply = header.raw.type == EchoReply.type
    return (EchoReply if is_reply else EchoRequest)(cursor.rest())


class BarrierRequest(Empty):
    """Tell me when all before is done."""

    __slots__ = ()

    type = "BARRIER_REQUEST"


class BarrierReply(Empty):
    """All before is done."""

    __slots__ = ()

    type = "BARRIER_REPLY"


class FeaturesRequest(Empty):
    """What are you?"""

    __slots__ = ()

    type = "FEATURES_REQUEST"


class GetConfigRequest(Empty):
    """How are you configured?"""

    __slots__ = ()

    type = "GET_CONFIG_REQUEST"


class GetAsyncRequest(Empty):
    """Which asynchronous messages do I get?"""

    __slots__ = ()

    type = "GET_ASYNC_REQUEST"


class TableStatsRequest(Empty):
    """How are your tables doing?"""

    __slots__ = ()

    type = "TABLE_STATS_REQUEST"


class DescStatsRequest(Empty):
    """Who made you?"""

    __slots__ = ()

    type = "DESC_STATS_REQUEST"


class FlowAge(Empty):
    """Send flows' ages."""

    __slots__ = ()

    type = "FLOW_AGE"


class FlowMonitorPaused(Empty):
    """Changes of flows aren't told for now: too many wait to be sent."""

    __slots__ = ()

    type = "FLOW_MONITOR_PAUSED"


class FlowMonitorResumed(Empty):
    """Changes of flows are told again."""

    __slots__ = ()

    type = "FLOW_MONITOR_RESUMED"


_EMPTY: dict[str, type[Empty]] = {
    cls.type: cls
    for cls in (
        BarrierRequest,
        BarrierReply,
        FeaturesRequest,
        GetConfigRequest,
        GetAsyncRequest,
        TableStatsRequest,
        DescStatsRequest,
        FlowAge,
        FlowMonitorPaused,
        FlowMonitorResumed,
    )
}


def _decode_empty(header: raws.Header, cursor: Cursor, context: Context) -> Empty:
    return _EMPTY[header.raw.type]()


class SetConfig(Message):
    """A switch's configuration.

    Attributes:
        frag: FRAG_*: how fragments are treated.
        miss_send_len: octets of a missed packet to send.
        invalid_ttl_to_controller: whether packets with a bad TTL are sent; before 1.3.
    """

    __slots__ = ("frag", "invalid_ttl_to_controller", "miss_send_len")

    type = "SET_CONFIG"

    def __init__(
        self,
        frag: int = FRAG_NORMAL,
        miss_send_len: int = 0,
        invalid_ttl_to_controller: bool = False,
    ) -> None:
        self.frag = frag
        self.miss_send_len = miss_send_len
        self.invalid_ttl_to_controller = invalid_ttl_to_controller
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        flags = self.frag
        if self.invalid_ttl_to_controller and version < OF13:
            flags |= _INVALID_TTL
        return "", _CONFIG.pack(flags, self.miss_send_len)


class GetConfigReply(SetConfig):
    """A switch's configuration, told."""

    __slots__ = ()

    type = "GET_CONFIG_REPLY"


def _decode_config(header: raws.Header, cursor: Cursor, context: Context) -> SetConfig:
    flags, miss_send_len = cursor.unpack(_CONFIG)
    is_reply = header.raw.type == GetConfigReply.type
    config = (GetConfigReply if is_reply else SetConfig)(
        flags & _FRAG_MASK, miss_send_len
    )
    valid = _FRAG_MASK
    if header.version < OF13:
        valid |= _INVALID_TTL
        config.invalid_ttl_to_controller = bool(flags & _INVALID_TTL)
    if flags & ~valid and not is_reply:
        raise OpenFlowError("OFPSCFC_BAD_FLAGS")
    return config


class SetFlowFormat(Message):
    """Which form flows have from now on; `base` is OF10_STD or OF10_NXM."""

    __slots__ = ("base",)

    type = "SET_FLOW_FORMAT"

    def __init__(self, base: int) -> None:
        self.base = base
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        is_nxm = self.base & protocols.OF10_NXM_ANY
        return "", _U32.pack(_NXFF_NXM if is_nxm else _NXFF_OPENFLOW10)


def _decode_flow_format(
    header: raws.Header, cursor: Cursor, context: Context
) -> SetFlowFormat:
    number = cursor.u32()
    if number == _NXFF_OPENFLOW10:
        return SetFlowFormat(protocols.OF10_STD)
    if number == _NXFF_NXM:
        return SetFlowFormat(protocols.OF10_NXM)
    raise OpenFlowError("OFPBRC_EPERM", f"invalid flow format {number}")


class FlowModTableId(Message):
    """Whether flow mods of OpenFlow 1.0 name a table from now on."""

    __slots__ = ("enable",)

    type = "FLOW_MOD_TABLE_ID"

    def __init__(self, enable: bool) -> None:
        self.enable = enable
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        return "", bytes([self.enable]) + bytes(7)


def _decode_table_id(
    header: raws.Header, cursor: Cursor, context: Context
) -> FlowModTableId:
    return FlowModTableId(bool(cursor.u8()))


class SetPacketInFormat(Message):
    """Which form packet-ins have from now on: `packet_in.STANDARD`, NXT or NXT2."""

    __slots__ = ("packet_in_format",)

    type = "SET_PACKET_IN_FORMAT"

    def __init__(self, packet_in_format: int) -> None:
        self.packet_in_format = packet_in_format
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        return "", _U32.pack(self.packet_in_format)


def _decode_packet_in_format(
    header: raws.Header, cursor: Cursor, context: Context
) -> SetPacketInFormat:
    number = cursor.u32()
    if number > 2:
        raise OpenFlowError("OFPBRC_EPERM", f"invalid packet-in format {number}")
    return SetPacketInFormat(number)


class SetControllerId(Message):
    """Which of a switch's controllers this one is."""

    __slots__ = ("controller_id",)

    type = "SET_CONTROLLER_ID"

    def __init__(self, controller_id: int) -> None:
        self.controller_id = controller_id
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        return "", _CONTROLLER_ID.pack(self.controller_id)


def _decode_controller_id(
    header: raws.Header, cursor: Cursor, context: Context
) -> SetControllerId:
    octets = cursor.take(8)
    if octets[:6] != bytes(6):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    return SetControllerId(int.from_bytes(octets[6:], "big"))


class DescStatsReply(Message):
    """Who made the switch: five texts."""

    __slots__ = ("dp_desc", "hw_desc", "mfr_desc", "serial_num", "sw_desc")

    type = "DESC_STATS_REPLY"
    _SIZES = (256, 256, 256, 32, 256)

    def __init__(
        self, mfr_desc: str, hw_desc: str, sw_desc: str, serial_num: str, dp_desc: str
    ) -> None:
        self.mfr_desc = mfr_desc
        self.hw_desc = hw_desc
        self.sw_desc = sw_desc
        self.serial_num = serial_num
        self.dp_desc = dp_desc
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        texts = (
            self.mfr_desc, self.hw_desc, self.sw_desc, self.serial_num, self.dp_desc,
        )  # fmt: skip
        return "", b"".join(
            text.encode("utf-8", "surrogateescape")[: size - 1].ljust(size, b"\0")
            for text, size in zip(texts, self._SIZES, strict=True)
        )


def _decode_desc(
    header: raws.Header, cursor: Cursor, context: Context
) -> DescStatsReply:
    texts = [
        cursor.take(size).partition(b"\0")[0].decode("utf-8", "surrogateescape")
        for size in DescStatsReply._SIZES
    ]
    return DescStatsReply(*texts)


DECODERS = {
    "HELLO": _decode_hello,
    "ERROR": _decode_error,
    "ECHO_REQUEST": _decode_echo,
    "ECHO_REPLY": _decode_echo,
    "SET_CONFIG": _decode_config,
    "GET_CONFIG_REPLY": _decode_config,
    "SET_FLOW_FORMAT": _decode_flow_format,
    "FLOW_MOD_TABLE_ID": _decode_table_id,
    "SET_PACKET_IN_FORMAT": _decode_packet_in_format,
    "SET_CONTROLLER_ID": _decode_controller_id,
    "DESC_STATS_REPLY": _decode_desc,
    **dict.fromkeys(_EMPTY, _decode_empty),
}
