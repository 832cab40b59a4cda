# SPDX-License-Identifier: Apache-2.0
"""A match in whichever form a protocol has: fixed 1.0, fixed 1.1, NXM or OXM."""

from __future__ import annotations

from ovswitch.openflow import fixed_match, oxm
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.version import OF11

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.match import Match
    from ovswitch.flow.tun_metadata import TunTable
    from ovswitch.openflow.wire import Cursor


def take11(cursor: Cursor, tun: TunTable | None = None) -> Match:
    """Take the match of a message of OpenFlow 1.1 or later.

    Either form is taken in any version.

    Raises:
        OpenFlowError: an OFPBMC_* error.
    """
    if cursor.left < 4:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    kind = cursor.octets[cursor.offset : cursor.offset + 2]
    if kind == b"\0\0":
        return fixed_match.take11(cursor)
    if kind != b"\0\1":
        raise OpenFlowError("OFPBMC_BAD_TYPE")
    return oxm.take_oxm(cursor, tun=tun)


def put11(match: Match, version: int) -> bytes:
    """Return a match for a message of OpenFlow 1.1 or later, padded."""
    if version == OF11:
        return fixed_match.encode11(match)
    return oxm.put_oxm(match, version)
