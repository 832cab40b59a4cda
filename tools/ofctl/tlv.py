# SPDX-License-Identifier: Apache-2.0
"""add-tlv-map, del-tlv-map, dump-tlv-map: tunnel options and where they are matched."""

from __future__ import annotations

import re
import struct

from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.parse.tokens import ParseError, scan_int
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl.connection import dump_simply, encode
from ovswitch.tools.ofctl.protocol import open_for_flows

_ADD, _DELETE, _CLEAR = range(3)
_COMMAND = struct.Struct("!H6x")
_MAPPING = struct.Struct("!HBBHH")
_NUMBER = r"\s*([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))"
_TEXT = re.compile(
    rf"\{{class={_NUMBER},type={_NUMBER},len={_NUMBER}\}}->tun_metadata{_NUMBER}"
)


def _number(text: str, bits: int) -> int:
    found = scan_int(text)
    return found[0] & (1 << bits) - 1 if found else 0


def parse_mappings(text: str) -> bytes:
    """Return the mappings' octets.

    Raises:
        ParseError: with the text for the user.
    """
    octets = b""
    at = 0
    while at < len(text):
        if text[at] == ",":
            at += 1
        found = _TEXT.match(text, at)
        if found is None:
            raise ParseError("invalid tlv mapping")
        at = found.end()
        octets += _MAPPING.pack(
            _number(found[1], 16),
            _number(found[2], 8),
            _number(found[3], 8),
            _number(found[4], 16),
            0,
        )
    return octets


def _modify(words: list[str], command: int) -> None:
    text = words[2] if len(words) > 2 else ""
    try:
        mappings = parse_mappings(text)
    except ParseError as error:
        fatal.die(str(error))
    connection, _ = open_for_flows(words[1], protocols.NXM_OXM_ANY)
    body = _COMMAND.pack(command) + mappings
    connection.tell([encode("NXT_TLV_TABLE_MOD", connection.version, body)])
    connection.close()


def add_tlv_map(words: list[str]) -> None:
    """add-tlv-map SWITCH MAP."""
    _modify(words, _ADD)


def del_tlv_map(words: list[str]) -> None:
    """del-tlv-map SWITCH [MAP]."""
    _modify(words, _DELETE if len(words) > 2 else _CLEAR)


def dump_tlv_map(words: list[str]) -> None:
    """dump-tlv-map SWITCH."""
    dump_simply(words[1], "NXT_TLV_TABLE_REQUEST")
