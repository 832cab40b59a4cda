# SPDX-License-Identifier: Apache-2.0
"""add-flow, add-flows, mod-flows, del-flows, packet-out."""

from __future__ import annotations

import gc
import sys

from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.messages.flow_mod import (
    OFPFC_ADD,
    OFPFC_DELETE,
    OFPFC_DELETE_STRICT,
    OFPFC_MODIFY,
    OFPFC_MODIFY_STRICT,
    FlowMod,
)
from ovswitch.openflow.parse import flow as flow_text
from ovswitch.openflow.parse.files import parse_flow_file
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import encode_message
from ovswitch.tools.ofctl.protocol import open_for_flows
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEX_DUMP, _HEX = 5, 6  # how many -m make flow mods visible


def add_flow(words: list[str]) -> None:
    """add-flow SWITCH FLOW."""
    _change(words, OFPFC_ADD)


def add_flows(words: list[str]) -> None:
    """add-flows SWITCH FILE."""
    _change_by_file(words, OFPFC_ADD)


def mod_flows(words: list[str]) -> None:
    """mod-flows SWITCH FLOW."""
    _change(words, OFPFC_MODIFY_STRICT if settings.strict else OFPFC_MODIFY)


def del_flows(words: list[str]) -> None:
    """del-flows SWITCH [FLOW]."""
    _change(words, OFPFC_DELETE_STRICT if settings.strict else OFPFC_DELETE)


def _change(words: list[str], command: int) -> None:
    text = words[2] if len(words) > 2 else ""
    if text == "-":
        _change_by_file(words, command)
        return
    accepted = names.names_to_accept(words[1])
    try:
        flow, usable = flow_text.parse_flow_mod(text, command, accepted)
    except ValueError as error:
        names.insist(words[1])
        fatal.die(str(error))
    _send(words[1], [flow], usable)


def _change_by_file(words: list[str], command: int) -> None:
    # Flows hold no cycles, and looking for some among 100000 takes its time.
    gc.disable()
    if command == OFPFC_ADD:
        command = flow_text.BY_TEXT
    accepted = names.names_to_accept(words[1])
    try:
        flows, usable = parse_flow_file(words[2], command, accepted)
    except ValueError as error:
        names.insist(words[1])
        fatal.die(str(error))
    _send(words[1], flows, usable)


def _send(switch: str, flows: Sequence[FlowMod], usable: int) -> None:
    if settings.bundle:
        from ovswitch.tools.ofctl.bundles import commit

        connection, protocol = open_for_flows(switch, usable & protocols.OF13_UP)
        commit(connection, [encode_message(flow, protocol) for flow in flows])
        connection.close()
        return
    connection, protocol = open_for_flows(switch, usable)
    connection.tell(_encoded(flows, protocol))
    connection.close()


def _encoded(flows: Sequence[FlowMod], protocol: int) -> Iterator[bytes]:
    """Yield the messages, each when its turn has come: ids are in that order."""
    shown = []
    for flow in flows:
        message = encode_message(flow, protocol)
        if settings.verbosity == _HEX_DUMP:
            from ovswitch.openflow.text import hex_dump

            shown.append(hex_dump(message))
        elif settings.verbosity >= _HEX:
            shown.append(f"0x{message.hex().lstrip('0')}\n")
        yield message
    sys.stdout.write("".join(shown))


def packet_out(words: list[str]) -> None:
    """packet-out SWITCH "in_port=P packet=HEX actions=..."; there is an older form."""
    if len(words) > 4:
        _packet_out_old(words)
        return
    if len(words) != 3:
        fatal.die(f"Too many arguments ({len(words)})")
    from ovswitch.openflow.parse.packet_out import parse_packet_out

    accepted = names.names_to_accept(words[1])
    try:
        message, usable = parse_packet_out(words[2], accepted)
    except ValueError as error:
        names.insist(words[1])
        fatal.die(str(error))
    connection, protocol = open_for_flows(words[1], usable)
    connection.tell([encode_message(message, protocol)])
    connection.close()


def _packet_out_old(words: list[str]) -> None:
    from ovswitch.openflow import actions
    from ovswitch.openflow.messages.packet_out import PacketOut
    from ovswitch.openflow.parse.packet_out import packet_from_hex

    accepted = names.names_to_accept(words[1])
    try:
        parsed, usable = actions.parse(words[3], accepted, instructions=False)
    except ValueError as error:
        names.insist(words[1])
        fatal.die(str(error))
    in_port = names.parse_port(words[1], words[2])
    connection, protocol = open_for_flows(words[1], usable)
    for word in words[4:]:
        try:
            packet = packet_from_hex(word)
        except ValueError as error:
            fatal.die(str(error))
        message = PacketOut(packet, in_port, parsed)
        connection.tell([encode_message(message, protocol)])
    connection.close()
