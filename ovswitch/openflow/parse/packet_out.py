# SPDX-License-Identifier: Apache-2.0
"""Packets to send, as people write them: "in_port=1 packet=HEX actions=output:2"."""

from __future__ import annotations

from ovswitch.flow import parse as match_text
from ovswitch.flow.fields import FIELDS, NONE, Field
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.names import (
    OFPP_CONTROLLER,
    OFPP_LOCAL,
    OFPP_MAX,
    OFPP_NONE,
)
from ovswitch.openflow import protocol
from ovswitch.openflow.actions import context
from ovswitch.openflow.actions.text import parse_list
from ovswitch.openflow.messages.packet_out import PacketOut
from ovswitch.openflow.parse.flow import split_actions
from ovswitch.openflow.parse.tokens import (
    ParseError,
    hex_octets,
    key_values,
    scan_int,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.names import Names
    from ovswitch.openflow.actions.action import Action

MIN_PACKET = 14  # an Ethernet header
_SPECIAL_PORTS = (OFPP_LOCAL, OFPP_NONE, OFPP_CONTROLLER)
_IN_PORT = FIELDS["in_port"]
_PACKET_TYPE = FIELDS["packet_type"]


def packet_from_hex(text: str) -> bytes:
    """Return the octets of a packet.

    Raises:
        ParseError: with the text for the user.
    """
    packet, rest = hex_octets(text)
    if rest:
        raise ParseError("Trailing garbage in packet data")
    if len(packet) < MIN_PACKET:
        raise ParseError("Packet data too short for Ethernet")
    return packet


def is_pipeline_field(field: Field) -> bool:
    """Return whether a field is the pipeline's and not the packet's."""
    return field.prereq is NONE and field.name not in (
        "dp_hash",
        "recirc_id",
        "conj_id",
        "tun_ttl",
        "tun_tos",
        "actset_output",
        "skb_priority",
        "pkt_mark",
        "ct_state",
        "ct_zone",
        "ct_mark",
        "ct_label",
    )


def _read_in_port(match: Match, value: str, parsing: context.Parsing) -> Match:
    port = parsing.port(value)
    if port is None:
        raise ParseError(f"{value} is not a valid OpenFlow port")
    if port > OFPP_MAX and port not in _SPECIAL_PORTS:
        raise ParseError(f"{value} is not a valid OpenFlow port for PACKET_OUT")
    return match.with_field(_IN_PORT, port)


def _read_packet_type(match: Match, value: str) -> Match:
    space, comma, number = value.partition(",")
    if not comma:
        raise ParseError(f"packet_type({value}) can't be interpreted")
    numbers = [found[0] if found else 0 for found in map(scan_int, (space, number))]
    packet_type = (numbers[0] & 0xFFFF) << 16 | numbers[1] & 0xFFFF
    return match.with_field(_PACKET_TYPE, packet_type)


def _read_field(
    match: Match, name: str, value: str, names: Names | None
) -> tuple[Match, int]:
    field = FIELDS.get(name)
    if field is None:
        raise ParseError(f"unknown keyword {name}")
    ports = names.ports if names else None
    match, mask = match_text.set_field(match, field, value, ports)
    if not is_pipeline_field(field):
        raise ParseError(f"{name} is not a valid pipeline field for PACKET_OUT")
    return match, protocol.for_field(field, mask)


def parse_packet_out(text: str, names: Names | None = None) -> tuple[PacketOut, int]:
    """Return the message, and the protocols that can say it.

    Raises:
        ValueError: with the text for the user.
    """
    parsing = context.Parsing(names)
    usable = protocol.ANY
    metadata = MATCH_ALL.with_field(_IN_PORT, OFPP_CONTROLLER)
    packet = b""
    text, action_text = split_actions(text)
    for name, value in key_values(text):
        if not value:
            raise ParseError(f"field {name} missing value")
        if name == "in_port":
            metadata = _read_in_port(metadata, value, parsing)
        elif name == "packet_type":
            metadata = _read_packet_type(metadata, value)
        elif name == "packet":
            try:
                packet = packet_from_hex(value)
            except ParseError as error:
                raise ParseError(f"{name}: {error}") from None
        else:
            metadata, protocols = _read_field(metadata, name, value, names)
            usable &= protocols
    if not packet:
        raise ParseError("must specify packet")
    actions: tuple[Action, ...] = ()
    if action_text is not None:
        parsing = context.Parsing(names)
        actions = parse_list(action_text, parsing, False)
        usable &= parsing.protocols
    message = PacketOut(packet, OFPP_CONTROLLER, actions)
    message.metadata = metadata
    return message, usable
