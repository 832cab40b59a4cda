# SPDX-License-Identifier: Apache-2.0
"""Packets from the controller (OpenFlow 1.5.1 §7.3.6)."""

from __future__ import annotations

import struct

from ovswitch.flow import names
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import Match
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import oxm
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import NO_BUFFER, Message, port_number
from ovswitch.openflow.version import OF10, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.actions.types import Action
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

_PACKET_OUT10 = struct.Struct("!IHH")
_PACKET_OUT11 = struct.Struct("!IIH6x")
_PACKET_OUT15 = struct.Struct("!IH2x")

_IN_PORT = FIELDS["in_port"]
_ETHERNET = Match(0, SLOTS["packet_type"].mask)
_OTHER_PORTS = (names.OFPP_LOCAL, names.OFPP_NONE, names.OFPP_CONTROLLER)


class PacketOut(Message):
    """A packet to send, or to put through the pipeline.

    Attributes:
        packet: its octets; empty if the switch has it in a buffer.
        buffer_id: that buffer, or `NO_BUFFER`.
        metadata: at least the port it counts as from, as a match.
        actions: what to do with it.
    """

    __slots__ = ("actions", "buffer_id", "metadata", "packet")

    type = "PACKET_OUT"

    def __init__(
        self,
        packet: bytes = b"",
        in_port: int = names.OFPP_CONTROLLER,
        actions: tuple[Action, ...] = (),
    ) -> None:
        self.packet = packet
        self.buffer_id = NO_BUFFER
        self.metadata = Match().with_field(_IN_PORT, in_port)
        self.actions = actions
        self.xid = self.version = 0

    @property
    def in_port(self) -> int:
        """The port that the packet counts as from."""
        return _IN_PORT.get(self.metadata.value)

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a protocol."""
        actions = ofpacts.encode(self.actions, version)
        packet = self.packet if self.buffer_id == NO_BUFFER else b""
        size = len(actions)
        if version == OF10:
            fixed = _PACKET_OUT10.pack(self.buffer_id, self.in_port, size)
        elif version < OF15:
            port = names.port_to_ofp11(self.in_port)
            fixed = _PACKET_OUT11.pack(self.buffer_id, port, size)
        else:
            fixed = _PACKET_OUT15.pack(self.buffer_id, size)
            fixed += oxm.put_oxm(self.metadata, version)
        return "", fixed + actions + packet


def _decode(header: raws.Header, cursor: Cursor, context: Context) -> PacketOut:
    packet_out = PacketOut()
    form = header.raw.form
    if form == "OFPT15":
        packet_out.buffer_id, size = cursor.unpack(_PACKET_OUT15)
        packet_out.metadata = oxm.take_oxm(
            cursor, strict=False, pipeline_only=True, tun=context.tun
        )
        if not packet_out.metadata.mask & _IN_PORT.mask:
            raise OpenFlowError("OFPBRC_BAD_PORT")
    else:
        if form == "OFPT11":
            packet_out.buffer_id, number, size = cursor.unpack(_PACKET_OUT11)
            port = port_number(number)
        else:
            packet_out.buffer_id, port, size = cursor.unpack(_PACKET_OUT10)
        packet_out.metadata = _ETHERNET.with_field(_IN_PORT, port)
    if size % 8 or size > cursor.left:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    packet_out.actions = ofpacts.decode(cursor.take(size), header.version)
    in_port = packet_out.in_port
    if in_port >= names.OFPP_MAX and in_port not in _OTHER_PORTS:
        raise OpenFlowError("OFPBRC_BAD_PORT")
    if packet_out.buffer_id == NO_BUFFER:
        packet_out.packet = cursor.rest()
    return packet_out


DECODERS = {"PACKET_OUT": _decode}
