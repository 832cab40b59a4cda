# SPDX-License-Identifier: Apache-2.0
"""ct-flush-zone: forget the connections of a zone."""

from __future__ import annotations

import struct

from ovswitch.openflow.parse.tokens import ParseError, u16
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl.connection import encode, open_switch

_ZONE = struct.Struct("!6xH")


def ct_flush_zone(words: list[str]) -> None:
    """ct-flush-zone SWITCH ZONE."""
    try:
        zone = u16(words[2], "zone_id")
    except ParseError as error:
        fatal.die(str(error))
    connection = open_switch(words[1])
    connection.tell([encode("CT_FLUSH_ZONE", connection.version, _ZONE.pack(zone))])
    connection.close()
