# SPDX-License-Identifier: Apache-2.0
"""show and the commands that print one reply: dump-desc, dump-ports, queue-stats ..."""

from __future__ import annotations

import struct

from ovswitch.flow.names import OFPP_ALL, OFPP_MAX, OFPP_NONE, port_to_ofp11
from ovswitch.openflow import raws
from ovswitch.openflow.parse.tokens import atoi
from ovswitch.openflow.version import OF10, OF11, OF14, OF15
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import (
    Connection,
    dump,
    dump_simply,
    encode,
    open_switch,
    print_message,
)

OFPQ_ALL = 0xFFFFFFFF

_PORT10 = struct.Struct("!H6x")
_PORT11 = struct.Struct("!I4x")
_QUEUE10 = struct.Struct("!H2xI")
_QUEUE11 = struct.Struct("!II")
_CONFIG10 = struct.Struct("!H2x")


def port_desc_request(connection: Connection, port: int = OFPP_NONE) -> bytes:
    """Return a request for the descriptions of ports."""
    body = b""
    if connection.version >= OF15:
        body = _PORT11.pack(port_to_ofp11(port))
    return encode("PORT_DESC_STATS_REQUEST", connection.version, body)


def show(words: list[str]) -> None:
    """Print features, ports and configuration: show SWITCH."""
    connection = open_switch(words[1])
    version = connection.version
    reply = connection.transact(
        encode("FEATURES_REQUEST", version), f"talking to {words[1]}"
    )
    print_message(reply, None, 1)
    port_size = 48 if version == OF10 else 64
    if version >= 4 or len(reply) + port_size > raws.MAX_MESSAGE_SIZE:
        dump(connection, port_desc_request(connection))
    dump_simply(words[1], "GET_CONFIG_REQUEST")
    connection.close()


def dump_desc(words: list[str]) -> None:
    """dump-desc SWITCH."""
    dump_simply(words[1], "DESC_STATS_REQUEST")


def dump_tables(words: list[str]) -> None:
    """dump-tables SWITCH."""
    dump_simply(words[1], "TABLE_STATS_REQUEST")


def dump_table_desc(words: list[str]) -> None:
    """dump-table-desc SWITCH (OpenFlow 1.4+)."""
    connection = open_switch(words[1])
    if connection.version < OF14:
        fatal.die("dump-table-desc needs OpenFlow 1.4 or later ('-O OpenFlow14')")
    dump(connection, encode("TABLE_DESC_REQUEST", connection.version))
    connection.close()


def dump_ipfix_bridge(words: list[str]) -> None:
    """dump-ipfix-bridge SWITCH."""
    dump_simply(words[1], "IPFIX_BRIDGE_STATS_REQUEST")


def dump_ipfix_flow(words: list[str]) -> None:
    """dump-ipfix-flow SWITCH."""
    dump_simply(words[1], "IPFIX_FLOW_STATS_REQUEST")


def dump_ports(words: list[str]) -> None:
    """dump-ports SWITCH [PORT]."""
    connection = open_switch(words[1])
    port = OFPP_NONE
    if len(words) > 2:
        port = names.parse_port(words[1], words[2])
    version = connection.version
    is_old = version == OF10
    body = _PORT10.pack(port) if is_old else _PORT11.pack(port_to_ofp11(port))
    dump(connection, encode("PORT_STATS_REQUEST", version, body))
    connection.close()


def dump_ports_desc(words: list[str]) -> None:
    """dump-ports-desc SWITCH [PORT]."""
    connection = open_switch(words[1])
    port = OFPP_NONE
    if len(words) > 2:
        port = names.parse_port(words[1], words[2])
    dump(connection, port_desc_request(connection, port))
    connection.close()


def _word(words: list[str], at: int) -> str:
    """Return a word, "" for one that is missing or "all"."""
    text = words[at] if len(words) > at else ""
    return "" if text.lower() == "all" else text


def queue_stats(words: list[str]) -> None:
    """queue-stats SWITCH [PORT [QUEUE]]."""
    connection = open_switch(words[1])
    port_text, queue_text = _word(words, 2), _word(words, 3)
    port = names.parse_port(words[1], port_text) if port_text else OFPP_NONE
    queue = atoi(queue_text) & OFPQ_ALL if queue_text else OFPQ_ALL
    version = connection.version
    if version == OF10:
        body = _QUEUE10.pack(OFPP_ALL if port == OFPP_NONE else port, queue)
    else:
        body = _QUEUE11.pack(port_to_ofp11(port), queue)
    dump(connection, encode("QUEUE_STATS_REQUEST", version, body))
    connection.close()


def _queue_config_request(version: int, port: int, queue: int) -> bytes:
    if version == OF10:
        body = _CONFIG10.pack(port)
        return encode("QUEUE_GET_CONFIG_REQUEST", version, body)
    if version < OF14:
        body = _PORT11.pack(port_to_ofp11(port))
        return encode("QUEUE_GET_CONFIG_REQUEST", version, body)
    body = _QUEUE11.pack(port_to_ofp11(port), queue)
    return encode("QUEUE_GET_CONFIG_REQUEST", version, body)


def queue_get_config(words: list[str]) -> None:
    """queue-get-config SWITCH [PORT [QUEUE]]."""
    port_text = words[2] if len(words) > 2 else "any"
    port = names.parse_port(words[1], port_text)
    queue_text = words[3] if len(words) > 3 else "all"
    queue = OFPQ_ALL if queue_text.lower() == "all" else atoi(queue_text) & OFPQ_ALL
    connection = open_switch(words[1])
    if port == OFPP_NONE and connection.version < OF11:
        # OpenFlow 1.0 knows no "all ports" here: ask for one after the other.
        other = open_switch(words[1])
        for found in names.ports_of(connection):
            if found.port_no < OFPP_MAX:
                request = _queue_config_request(other.version, found.port_no, queue)
                dump(other, request)
        other.close()
    else:
        dump(connection, _queue_config_request(connection.version, port, queue))
    connection.close()
