# SPDX-License-Identifier: Apache-2.0
"""Packets for the controller (OpenFlow 1.5.1 §7.4.1), in their three formats.

The standard's, NXT_PACKET_IN with any metadata, and NXT_PACKET_IN2 in properties, which
can carry a continuation: the state of a paused pipeline, which NXT_RESUME brings back.
"""

from __future__ import annotations

import struct

from ovswitch.flow import names
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import Match
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import oxm, wire
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import NO_BUFFER, U64, Message, port_number
from ovswitch.openflow.version import OF10, OF11, OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.actions.types import Action
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

STANDARD, NXT, NXT2 = range(3)
FORMATS = ("standard", "nxt_packet_in", "nxt_packet_in2")

(OFPR_NO_MATCH, OFPR_ACTION, OFPR_INVALID_TTL, OFPR_ACTION_SET, OFPR_GROUP,
 OFPR_PACKET_OUT, OFPR_EXPLICIT_MISS, OFPR_IMPLICIT_MISS) = range(8)  # fmt: skip
REASONS = ("no_match", "action", "invalid_ttl", "action_set", "group", "packet_out")

_PACKET_IN10 = struct.Struct("!IHHBx")
_PACKET_IN11 = struct.Struct("!IIIHBB")
_PACKET_IN12 = struct.Struct("!IHBB")
_NX_PACKET_IN = struct.Struct("!IHBBQH6x")
_U64 = struct.Struct("!Q")

(_PACKET, _FULL_LEN, _BUFFER_ID, _TABLE_ID, _COOKIE, _REASON, _METADATA, _USERDATA,
 _CONTINUATION) = range(9)  # fmt: skip
(_BRIDGE, _STACK, _MIRRORS, _CONNTRACKED, _RULE_TABLE_ID, _RULE_COOKIE, _ACTIONS,
 _ACTION_SET, _ODP_PORT) = range(0x8000, 0x8009)  # fmt: skip
_MAX_STACK_VALUE = 128

_IN_PORT = FIELDS["in_port"]


class Continuation:
    """The state of a paused pipeline.

    Attributes:
        bridge: UUID of the bridge, 16 octets or none.
        stack: values pushed, the top first.
        mirrors: bitmap of the mirrors that have the packet already.
        conntracked: whether the packet is tracked.
        actions: what is left to do: (table, cookie, actions) of each rule, innermost
            first.
        action_set: the action set so far.
        odp_port: datapath port that the packet came from, if it isn't `in_port`'s.
    """

    __slots__ = (
        "action_set", "actions", "bridge", "conntracked", "mirrors", "odp_port",
        "stack",
    )  # fmt: skip

    def __init__(self) -> None:
        self.bridge = b""
        self.stack: list[bytes] = []
        self.mirrors = 0
        self.conntracked = False
        self.actions: list[tuple[int, int, tuple[Action, ...]]] = []
        self.action_set: tuple[Action, ...] = ()
        self.odp_port = 0

    def encode(self, version: int) -> bytes:
        """Return the state's properties."""
        parts = []
        if self.bridge:
            parts.append(wire.put_property(_BRIDGE, self.bridge))
        parts.extend(wire.put_property(_STACK, value) for value in self.stack)
        if self.mirrors:
            parts.append(wire.put_u32(_MIRRORS, self.mirrors))
        if self.conntracked:
            parts.append(wire.put_property(_CONNTRACKED))
        old_table_id = old_cookie = 0
        for table_id, cookie, actions in self.actions:
            if table_id != old_table_id:
                parts.append(wire.put_property(_RULE_TABLE_ID, bytes([table_id])))
                old_table_id = table_id
            if cookie != old_cookie:
                parts.append(wire.put_u64(_RULE_COOKIE, cookie))
                old_cookie = cookie
            if actions:
                octets = ofpacts.encode(actions, version)
                parts.append(wire.put_nested(_ACTIONS, octets))
        if self.action_set:
            octets = ofpacts.encode(self.action_set, version)
            parts.append(wire.put_nested(_ACTION_SET, octets))
        if self.odp_port:
            parts.append(wire.put_u32(_ODP_PORT, self.odp_port))
        return b"".join(parts)


def _decode_continuation(octets: bytes, version: int, strict: bool) -> Continuation:
    state = Continuation()
    table_id = cookie = 0
    for item in wire.properties(octets):
        kind = item.type
        if kind == _BRIDGE:
            if len(item.payload) != 16:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            state.bridge = item.payload
        elif kind == _STACK:
            if len(item.payload) > _MAX_STACK_VALUE:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            state.stack.append(item.payload)
        elif kind == _MIRRORS:
            state.mirrors = item.u32()
        elif kind == _CONNTRACKED:
            state.conntracked = True
        elif kind == _RULE_TABLE_ID:
            table_id = item.u8()
        elif kind == _RULE_COOKIE:
            cookie = item.u64()
        elif kind == _ACTIONS:
            actions = ofpacts.decode(item.nested(), version)
            state.actions.append((table_id, cookie, actions))
        elif kind == _ACTION_SET:
            state.action_set += ofpacts.decode(item.nested(), version)
        elif kind == _ODP_PORT:
            state.odp_port = item.u32()
        elif strict:
            raise wire.unknown_property(kind)
    return state


def _wire_reason(reason: int, version: int) -> int:
    """Return the nearest reason that `version` knows."""
    if reason in (OFPR_ACTION_SET, OFPR_GROUP, OFPR_PACKET_OUT):
        return OFPR_ACTION if version < OF14 else reason
    if reason == OFPR_EXPLICIT_MISS:
        return OFPR_ACTION if version < OF13 else OFPR_NO_MATCH
    return OFPR_NO_MATCH if reason == OFPR_IMPLICIT_MISS else reason


class PacketIn(Message):
    """A packet for the controller.

    Attributes:
        packet: its octets, perhaps only the first.
        total_len: its whole size.
        buffer_id: where the switch keeps it, `NO_BUFFER` for nowhere.
        reason: OFPR_*.
        table_id, cookie: of the rule that sent it; `cookie` all ones: none.
        metadata: the pipeline's fields, as a match.
        userdata: from the action that sent it.
        continuation: the paused pipeline, or None.
        packet_in_format: STANDARD, NXT or NXT2: how to send it.
    """

    __slots__ = (
        "buffer_id", "continuation", "cookie", "metadata", "packet",
        "packet_in_format", "reason", "table_id", "total_len", "userdata",
    )  # fmt: skip

    type = "PACKET_IN"

    def __init__(
        self,
        packet: bytes = b"",
        metadata: Match | None = None,
        reason: int = OFPR_NO_MATCH,
        table_id: int = 0,
        cookie: int = U64,
        total_len: int | None = None,
    ) -> None:
        self.packet = packet
        self.total_len = len(packet) if total_len is None else total_len
        self.buffer_id = NO_BUFFER
        self.reason = reason
        self.table_id = table_id
        self.cookie = cookie
        self.metadata = metadata or Match()
        self.userdata = b""
        self.continuation: Continuation | None = None
        self.packet_in_format = STANDARD
        self.xid = self.version = 0

    @property
    def in_port(self) -> int:
        """The port that the packet came in."""
        return _IN_PORT.get(self.metadata.value)

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body in the format chosen."""
        if self.packet_in_format == NXT2:
            return "NXT", self._nx2(version)
        if self.packet_in_format == NXT:
            return "NXT", self._nx(version)
        reason = _wire_reason(self.reason, version)
        size = self.total_len & 0xFFFF
        if version == OF10:
            fixed = _PACKET_IN10.pack(self.buffer_id, size, self.in_port, reason)
            return "OFPT10", fixed + self.packet
        if version == OF11:
            port = names.port_to_ofp11(self.in_port)
            fixed = _PACKET_IN11.pack(
                self.buffer_id, port, port, size, reason, self.table_id
            )
            return "OFPT11", fixed + self.packet
        fixed = _PACKET_IN12.pack(self.buffer_id, size, reason, self.table_id)
        if version >= OF13:
            fixed += _U64.pack(self.cookie)
        match = oxm.put_oxm(self.metadata, version)
        return "", fixed + match + b"\0\0" + self.packet

    def encode(self, protocol: int, xid: int = 0) -> bytes:
        """Return the message's octets."""
        if self.packet_in_format != NXT2:
            return super().encode(protocol, xid)
        from ovswitch.openflow import raws

        version = protocols.version_of(protocol)
        return raws.put(PACKET_IN2, version, xid, self._nx2(version))

    def _nx(self, version: int) -> bytes:
        match, size = oxm.put_nxm(self.metadata)
        fixed = _NX_PACKET_IN.pack(
            self.buffer_id,
            self.total_len & 0xFFFF,
            _wire_reason(self.reason, version),
            self.table_id,
            self.cookie,
            size,
        )
        return fixed + match + b"\0\0" + self.packet

    def properties(self, version: int) -> bytes:
        """Return the properties common to NXT_PACKET_IN2 and NXT_RESUME."""
        parts = [wire.put_property(_PACKET, self.packet)]
        if self.total_len != len(self.packet):
            parts.append(wire.put_u32(_FULL_LEN, self.total_len))
        parts.append(wire.put_property(_TABLE_ID, bytes([self.table_id])))
        if self.cookie != U64:
            parts.append(wire.put_u64(_COOKIE, self.cookie))
        reason = bytes([_wire_reason(self.reason, version)])
        parts.append(wire.put_property(_REASON, reason))
        metadata = oxm.encode(self.metadata, version)
        parts.append(wire.put_property(_METADATA, metadata))
        return b"".join(parts)

    def _nx2(self, version: int) -> bytes:
        octets = self.properties(version)
        if self.continuation is not None:
            state = self.continuation.encode(version)
            if state:
                octets += wire.put_nested(_CONTINUATION, state)
        if self.userdata:
            octets += wire.put_property(_USERDATA, self.userdata)
        return octets


class Resume(PacketIn):
    """A packet-in that comes back, to go on where it was paused."""

    __slots__ = ()

    type = "NXT_RESUME"

    def encode(self, protocol: int, xid: int = 0) -> bytes:
        """Return the message's octets."""
        from ovswitch.openflow import raws

        version = protocols.version_of(protocol)
        octets = self.properties(version)
        state = self.continuation.encode(version) if self.continuation else b""
        octets += wire.put_nested(_CONTINUATION, state)
        return raws.put(raws.find(self.type, version), version, xid, octets)


def decode(
    header: raws.Header, cursor: Cursor, context: Context, *, strict: bool = False
) -> PacketIn:
    """Decode a packet-in of any format.

    Raises:
        OpenFlowError: nearly any.
    """
    form = header.raw.form
    if header.raw is PACKET_IN2:
        return decode_nx2(PacketIn(), header, cursor, context, strict=strict)
    packet_in = PacketIn()
    if form == "NXT":
        packet_in.packet_in_format = NXT
        (packet_in.buffer_id, packet_in.total_len, packet_in.reason,
         packet_in.table_id, packet_in.cookie,
         size) = cursor.unpack(_NX_PACKET_IN)  # fmt: skip
        packet_in.metadata = oxm.take_nxm(cursor, size, strict=False).match
        cursor.skip(2)
    elif form == "OFPT10":
        (packet_in.buffer_id, packet_in.total_len, port,
         packet_in.reason) = cursor.unpack(_PACKET_IN10)  # fmt: skip
        packet_in.metadata = Match().with_field(_IN_PORT, port)
    elif form == "OFPT11":
        _take11(packet_in, cursor)
    else:
        (packet_in.buffer_id, packet_in.total_len, packet_in.reason,
         packet_in.table_id) = cursor.unpack(_PACKET_IN12)  # fmt: skip
        if form == "OFPT13":
            packet_in.cookie = cursor.u64()
        packet_in.metadata = oxm.take_oxm(cursor, strict=False, tun=context.tun)
        cursor.skip(2)
    packet_in.packet = cursor.rest()
    return packet_in


def _take11(packet_in: PacketIn, cursor: Cursor) -> None:
    (packet_in.buffer_id, in_port, _, packet_in.total_len, packet_in.reason,
     packet_in.table_id) = cursor.unpack(_PACKET_IN11)  # fmt: skip
    packet_in.metadata = Match().with_field(_IN_PORT, port_number(in_port))


def decode_nx2(
    packet_in: PacketIn,
    header: raws.Header,
    cursor: Cursor,
    context: Context,
    *,
    strict: bool,
) -> PacketIn:
    """Fill `packet_in` from the properties of NXT_PACKET_IN2 or NXT_RESUME.

    Raises:
        OpenFlowError: nearly any.
    """
    packet_in.packet_in_format = NXT2
    total_len = 0
    state = b""
    for item in wire.properties(cursor.rest()):
        kind = item.type
        if kind == _PACKET:
            packet_in.packet = item.payload
        elif kind == _FULL_LEN:
            total_len = item.u32()
        elif kind == _BUFFER_ID:
            packet_in.buffer_id = item.u32()
        elif kind == _TABLE_ID:
            packet_in.table_id = item.u8()
        elif kind == _COOKIE:
            packet_in.cookie = item.u64()
        elif kind == _REASON:
            packet_in.reason = item.u8()
        elif kind == _METADATA:
            entries = wire.Cursor(item.payload)
            packet_in.metadata = oxm.decode(
                entries, strict=strict, tun=context.tun
            ).match
        elif kind == _USERDATA:
            packet_in.userdata = item.payload
        elif kind == _CONTINUATION:
            state = item.nested()
        elif strict:
            raise wire.unknown_property(kind)
    if not packet_in.packet or 0 < total_len < len(packet_in.packet):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    packet_in.total_len = total_len or len(packet_in.packet)
    if state:
        packet_in.continuation = _decode_continuation(state, header.version, strict)
    return packet_in


def _decode_resume(header: raws.Header, cursor: Cursor, context: Context) -> PacketIn:
    return decode_nx2(Resume(), header, cursor, context, strict=True)


def _find_packet_in2() -> raws.Raw:
    from ovswitch.openflow.raws import RAWS

    return next(raw for raw in RAWS if raw.name == "NXT_PACKET_IN2")


PACKET_IN2 = _find_packet_in2()

DECODERS = {"PACKET_IN": decode, "NXT_RESUME": _decode_resume}
