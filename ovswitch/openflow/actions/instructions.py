# SPDX-License-Identifier: Apache-2.0
"""What OpenFlow 1.1+ calls instructions, as actions.

Their `encode()` makes instructions from OpenFlow 1.1 on, where they stand beside the
instruction that holds the actions; in 1.0 they become Nicira's actions, or nothing.
"""

from __future__ import annotations

import struct

from ovswitch.flow.names import OFPP_IN_PORT
from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, u32, u64
from ovswitch.openflow.protocol import NXM_OF11_UP, OF13_UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

# Types on the wire.
OFPIT_GOTO_TABLE, OFPIT_WRITE_METADATA, OFPIT_WRITE_ACTIONS = 1, 2, 3
OFPIT_APPLY_ACTIONS, OFPIT_CLEAR_ACTIONS, OFPIT_METER = 4, 5, 6

OFPM_MAX = 0xFFFF0000
ALL_ONES = 0xFFFFFFFFFFFFFFFF

_HEADER = struct.Struct("!HH4x")
_GOTO = struct.Struct("!HHB3x")
_METER = struct.Struct("!HHI")
_METADATA = struct.Struct("!HH4xQQ")
_NX_METADATA = struct.Struct("!6xQQ")
_RESUBMIT = struct.Struct("!HB")


def put_actions(kind: int, actions: bytes) -> bytes:
    """Return an instruction that holds actions; nothing if there are none."""
    return _HEADER.pack(kind, _HEADER.size + len(actions)) + actions if actions else b""


class Meter(Action):
    """Count the packet in a meter, which may drop it."""

    __slots__ = ("meter_id",)
    keyword = "meter"

    def __init__(self, meter_id: int) -> None:
        self.meter_id = meter_id

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version >= 6:
            return raws.put_number("meter15", version, self.meter_id)
        return _METER.pack(OFPIT_METER, 8, self.meter_id) if version >= 4 else b""

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}meter:{colors.end}{self.meter_id}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if not 0 < self.meter_id <= OFPM_MAX:
            raise OpenFlowError("OFPMMFC_INVALID_METER")
        return self


class ClearActions(Action):
    """Empty the action set."""

    __slots__ = ()
    keyword = "clear_actions"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return _HEADER.pack(OFPIT_CLEAR_ACTIONS, 8) if version > 1 else b""

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.value}clear_actions{colors.end}"


class WriteActions(Action):
    """Merge `actions` into the action set."""

    __slots__ = ("actions",)
    keyword = "write_actions"

    def __init__(self, actions: tuple[Action, ...]) -> None:
        self.actions = actions

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            return b""
        body = b"".join([action.encode(version) for action in self.actions])
        return put_actions(OFPIT_WRITE_ACTIONS, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        from ovswitch.openflow.actions.text import format_list

        paren, end = colors.paren, colors.end
        inner = format_list(self.actions, printing)
        return f"{paren}write_actions({end}{inner}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        from ovswitch.openflow.actions.checks import check_list

        actions = check_list(self.actions, checking.copy())
        return self if actions is self.actions else WriteActions(actions)


class WriteMetadata(Action):
    """Write the masked bits of the metadata field."""

    __slots__ = ("mask", "metadata")
    keyword = "write_metadata"

    def __init__(self, metadata: int, mask: int = ALL_ONES) -> None:
        self.metadata = metadata
        self.mask = mask

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            body = _NX_METADATA.pack(self.metadata, self.mask)
            return raws.put("write_metadata", version, body)
        return _METADATA.pack(OFPIT_WRITE_METADATA, 24, self.metadata, self.mask)

    def format(self, printing: Printing) -> str:  # noqa: D102
        text = f"{colors.param}write_metadata:{colors.end}{_hex(self.metadata)}"
        return text if self.mask == ALL_ONES else f"{text}/{_hex(self.mask)}"


def _hex(value: int) -> str:
    return f"{value:#x}" if value else "0"


class GotoTable(Action):
    """Go on in a later table."""

    __slots__ = ("table_id",)
    keyword = "goto_table"

    def __init__(self, table_id: int) -> None:
        self.table_id = table_id

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            body = _RESUBMIT.pack(OFPP_IN_PORT, self.table_id)
            return raws.put("resubmit_table", version, body)
        return _GOTO.pack(OFPIT_GOTO_TABLE, 8, self.table_id)

    def format(self, printing: Printing) -> str:  # noqa: D102
        table = printing.table(self.table_id)
        return f"{colors.param}goto_table:{colors.end}{table}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        here, n_tables = checking.table_id, checking.n_tables
        if (here != 255 and self.table_id <= here) or (
            n_tables != 255 and self.table_id >= n_tables
        ):
            raise OpenFlowError("OFPBIC_BAD_TABLE_ID")
        return self


def _parse_meter(text: str, parsing: Parsing) -> Action:
    parsing.protocols &= OF13_UP
    return Meter(u32(text))


def _parse_write_actions(text: str, parsing: Parsing) -> Action:
    from ovswitch.openflow.actions.text import parse_list

    return WriteActions(parse_list(text, parsing, False, "write_actions"))


def _parse_write_metadata(text: str, parsing: Parsing) -> Action:
    parsing.protocols &= NXM_OF11_UP
    value, slash, mask = text.partition("/")
    mask_number = u64(mask) if slash else ALL_ONES
    return WriteMetadata(u64(value), mask_number)


def _parse_goto(text: str, parsing: Parsing) -> Action:
    table = parsing.table(text)
    if table is None:
        raise ParseError(f'unknown table "{text}"')
    return GotoTable(table)


PARSERS: dict[str, Parser] = {
    "meter": _parse_meter,
    "clear_actions": lambda text, parsing: ClearActions(),
    "write_actions": _parse_write_actions,
    "write_metadata": _parse_write_metadata,
    "goto_table": _parse_goto,
}


def _decode_metadata(octets: bytes, number: int, version: int) -> Action:
    if any(octets[10:16]):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    return WriteMetadata(*_NX_METADATA.unpack_from(octets, 10))


DECODERS: dict[str, Decoder] = {
    "meter15": lambda octets, number, version: Meter(number),
    "write_metadata": _decode_metadata,
}
