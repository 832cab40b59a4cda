# SPDX-License-Identifier: Apache-2.0
"""mod-port, get-frags, set-frags: a switch's ports and configuration."""

from __future__ import annotations

import struct
import sys

from ovswitch.flow.names import parse_uint
from ovswitch.openflow import raws
from ovswitch.openflow.messages import port as ports
from ovswitch.openflow.messages.port import PhyPort, PortMod
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import (
    Connection,
    encode,
    encode_message,
    open_switch,
)

#: What may be done to a port: which bit of its configuration, and what "do" makes it.
_PORT_COMMANDS = {
    "up": (ports.PORT_DOWN, False),
    "down": (ports.PORT_DOWN, True),
    "stp": (ports.NO_STP, False),
    "receive": (ports.NO_RECV, False),
    "receive-stp": (ports.NO_RECV_STP, False),
    "flood": (ports.NO_FLOOD, False),
    "forward": (ports.NO_FWD, False),
    "packet-in": (ports.NO_PACKET_IN, False),
}

_CONFIG = struct.Struct("!HH")
_FRAG_MASK = 3
_INVALID_TTL = 4  # the flag, in OpenFlow 1.1 and 1.2 and Open vSwitch's 1.0
_FRAGS = ("normal", "drop", "reassemble", "nx-match")


def _find_port(switch: str, text: str) -> PhyPort:
    number = parse_uint(text)
    connection = open_switch(switch)
    if number is not None:
        number &= 0xFFFF
    for port in names.ports_of(connection):
        if number == port.port_no if number is not None else port.name == text:
            connection.close()
            return port
    return fatal.die(f"{switch}: couldn't find port `{text}'")


def _parse_port_command(text: str) -> tuple[int, bool]:
    word = text.lower()
    negated = word.startswith("no")
    if negated:
        word = word.removeprefix("no").removeprefix("-")
    if word not in _PORT_COMMANDS:
        fatal.die(f"unknown mod-port command '{text}'")
    bit, on = _PORT_COMMANDS[word]
    return bit, on != negated


def mod_port(words: list[str]) -> None:
    """mod-port SWITCH PORT ACTION."""
    port = _find_port(words[1], words[2])
    bit, on = _parse_port_command(words[3])
    message = PortMod(port.port_no, port.hw_addr, bit if on else 0, bit)
    connection = open_switch(words[1])
    connection.tell([encode_message(message, connection.protocol)])
    connection.close()


class SwitchConfig:
    """A switch's configuration.

    Attributes:
        frags: what becomes of fragments, a place in `_FRAGS`.
        invalid_ttl_to_controller: whether packets whose time is over go there.
        miss_send_len: octets of a packet without a flow that go there.
    """

    __slots__ = ("frags", "invalid_ttl_to_controller", "miss_send_len")

    def __init__(self, flags: int, miss_send_len: int) -> None:
        self.frags = flags & _FRAG_MASK
        self.invalid_ttl_to_controller = bool(flags & _INVALID_TTL)
        self.miss_send_len = miss_send_len


def fetch_config(connection: Connection) -> SwitchConfig:
    """Return a switch's configuration."""
    request = encode("GET_CONFIG_REQUEST", connection.version)
    reply = connection.transact(request)
    header = raws.parse(reply, partial=True)
    if header.raw.type != "GET_CONFIG_REPLY" or len(reply) < header.body + 4:
        fatal.die(f"{connection.target}: bad reply to config request")
    return SwitchConfig(*_CONFIG.unpack_from(reply, header.body))


def set_config(connection: Connection, config: SwitchConfig) -> None:
    """Change a switch's configuration."""
    flags = config.frags
    if config.invalid_ttl_to_controller and connection.version < 4:
        flags |= _INVALID_TTL
    body = _CONFIG.pack(flags, config.miss_send_len)
    connection.tell([encode("SET_CONFIG", connection.version, body)])


def get_frags(words: list[str]) -> None:
    """get-frags SWITCH."""
    connection = open_switch(words[1])
    sys.stdout.write(_FRAGS[fetch_config(connection).frags] + "\n")
    connection.close()


def set_frags(words: list[str]) -> None:
    """set-frags SWITCH MODE."""
    mode = words[2].lower()
    if mode not in _FRAGS:
        fatal.die(f"{words[2]}: unknown fragment handling mode")
    wanted = _FRAGS.index(mode)
    connection = open_switch(words[1])
    config = fetch_config(connection)
    if config.frags != wanted:
        config.frags = wanted
        set_config(connection, config)
        if fetch_config(connection).frags != wanted:
            fatal.die(
                f"{words[1]}: setting fragment handling mode failed (this switch "
                f'probably doesn\'t support mode "{mode}")'
            )
    connection.close()
