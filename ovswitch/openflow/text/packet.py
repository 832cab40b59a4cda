# SPDX-License-Identifier: Apache-2.0
"""Printing packets, and the messages that carry them."""

from __future__ import annotations

from ovswitch.flow.layout import SLOTS
from ovswitch.flow.numbers import put_hex
from ovswitch.flow.text import format_flow
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.messages import packet_in, packet_out
from ovswitch.openflow.messages.base import DEFAULT_CONTEXT, NO_BUFFER, U64
from ovswitch.openflow.text.output import hex_dump
from ovswitch.packet import extract

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_PACKET_TYPE = SLOTS["packet_type"]
_NW_PROTO = SLOTS["nw_proto"]

# By IP protocol: the header's size, the checksum's offset and size, its name.
_CHECKSUMS = {
    6: (20, 16, 2, "tcp"),
    17: (8, 6, 2, "udp"),
    132: (12, 8, 4, "sctp"),
    1: (8, 2, 2, "icmp"),
    58: (4, 2, 2, "icmp6"),
}


def format_packet(octets: bytes, packet_type: int = 0) -> str:
    """Return a packet as the flow it makes and its transport checksum, one line."""
    parsed = extract.parse(octets, packet_type << _PACKET_TYPE.shift)
    text = format_flow(parsed.flow)
    row = _CHECKSUMS.get(_NW_PROTO.get(parsed.flow))
    if row is not None and parsed.l4 >= 0:
        header, at, size, name = row
        l4 = octets[parsed.l4 : parsed.end]
        if len(l4) >= header:
            checksum = int.from_bytes(l4[at : at + size], "big")
            text += f" {name}_csum:{checksum:x}"
    return text + "\n"


def _continuation(out: Out, state: packet_in.Continuation) -> None:
    if state.bridge:
        u = state.bridge.hex()
        uuid = f"{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:]}"
        out.put(f" continuation.bridge={uuid}\n")
    if state.stack:
        values = "".join(f" {put_hex(int.from_bytes(v, 'big'))}" for v in state.stack)
        out.put(f" continuation.stack=(top){values} (bottom)\n")
    if state.mirrors:
        out.put(f" continuation.mirrors=0x{state.mirrors:x}\n")
    if state.conntracked:
        out.put(" continuation.conntracked=true\n")
    if state.actions:
        parts = []
        for table_id, cookie, actions in state.actions:
            parts.append(f"unroll_xlate(table={out.table(table_id)}, cookie={cookie})")
            if actions:
                parts.append(ofpacts.format_actions(actions, out.names))
        out.put(f" continuation.actions={','.join(parts)}\n")
    if state.action_set:
        text = ofpacts.format_actions(state.action_set, out.names)
        out.put(f" continuation.action_set={text}\n")
    if state.odp_port:
        out.put(f" continuation.odp_port={state.odp_port}\n")


def _reason(reason: int) -> str:
    if reason < len(packet_in.REASONS):
        return packet_in.REASONS[reason]
    is_miss = reason in (packet_in.OFPR_EXPLICIT_MISS, packet_in.OFPR_IMPLICIT_MISS)
    return "" if is_miss else str(reason)


def _packet_in(out: Out, header: raws.Header, cursor: Cursor) -> None:
    if header.raw.type == packet_in.Resume.type:
        message = packet_in.decode_nx2(
            packet_in.Resume(), header, cursor, DEFAULT_CONTEXT, strict=False
        )
    else:
        message = packet_in.decode(header, cursor, DEFAULT_CONTEXT)
    put_packet_in(out, message)


def put_packet_in(out: Out, message: packet_in.PacketIn) -> None:
    """Print a packet-in, after its name."""
    size = len(message.packet)
    if message.table_id or out.has_table_name(message.table_id):
        out.put(f" table_id={out.table(message.table_id)}")
    if message.cookie != U64:
        out.put(f" cookie=0x{message.cookie:x}")
    out.put(f" total_len={message.total_len} {out.match(message.metadata)}")
    out.put(f" (via {_reason(message.reason)}) data_len={size}")
    if message.buffer_id == NO_BUFFER:
        out.put(" (unbuffered)")
        if message.total_len != size:
            out.put(" (***total_len != data_len***)")
    else:
        out.put(f" buffer=0x{message.buffer_id:08x}")
        if message.total_len < size:
            out.put(" (***total_len < data_len***)")
    out.put("\n")
    if message.userdata:
        out.put(f" userdata={message.userdata.hex('.')}\n")
    if message.continuation is not None:
        _continuation(out, message.continuation)
    if out.verbosity > 0:
        kind = _PACKET_TYPE.get(message.metadata.value)
        out.put(format_packet(message.packet, kind))
    if out.verbosity > 2:
        out.put(hex_dump(message.packet, ascii_column=False))


def _packet_out(out: Out, header: raws.Header, cursor: Cursor) -> None:
    message = decode_body(header, cursor)
    assert isinstance(message, packet_out.PacketOut)
    actions = ofpacts.format_actions(message.actions, out.names)
    out.put(f" {out.match(message.metadata)} actions={actions}")
    if message.buffer_id != NO_BUFFER:
        out.put(f" buffer=0x{message.buffer_id:08x}")
        return
    out.put(f" data_len={len(message.packet)}")
    if out.verbosity > 0 and message.packet:
        kind = _PACKET_TYPE.get(message.metadata.value)
        out.put("\n" + format_packet(message.packet, kind))
    if out.verbosity > 2:
        out.put(hex_dump(message.packet, ascii_column=False))


PRINTERS = {
    "PACKET_IN": _packet_in,
    "NXT_RESUME": _packet_in,
    "PACKET_OUT": _packet_out,
}
