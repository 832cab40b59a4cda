# SPDX-License-Identifier: Apache-2.0
"""Configuration of tables (OpenFlow 1.5.1 §7.3.3, §7.3.5.8, §7.4.5)."""

from __future__ import annotations

import struct

from ovswitch.openflow import wire
from ovswitch.openflow.actions.context import warn_rl
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import U32, Empty, Message
from ovswitch.openflow.version import OF11, OF12, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

# What happens to a packet that no flow of a table matches (1.1 and 1.2 only).
MISS_DEFAULT, MISS_CONTROLLER, MISS_CONTINUE, MISS_DROP = range(4)
MISSES = ("default", "controller", "continue", "drop")
_MISS_MASK = 3

# Eviction and vacancy events.
DEFAULT, ON, OFF = range(3)
SETTINGS = ("default", "on", "off")

EVICTION_FLAGS = {1: "OTHER", 2: "IMPORTANCE", 4: "LIFETIME"}
NO_FLAGS = U32

_EVICTION14, _VACANCY14 = 1 << 2, 1 << 3
_PROPERTY_EVICTION, _PROPERTY_VACANCY = 2, 3
VACANCY_DOWN, VACANCY_UP = 3, 4

_MOD = struct.Struct("!B3xI")
_DESC = struct.Struct("!HBxI")
_STATUS = struct.Struct("!B7x")
_VACANCY = struct.Struct("!BBBx")


def encode_config(miss: int, eviction: int, vacancy: int, version: int) -> int:
    """Return a table's configuration bits."""
    if version in (OF11, OF12):
        return max(miss - 1, 0)
    if version < OF14:
        return 0
    config = _EVICTION14 if eviction == ON else 0
    return config | (_VACANCY14 if vacancy == ON else 0)


def decode_miss(config: int, version: int) -> int:
    """Return what happens to missed packets."""
    if version not in (OF11, OF12):
        return MISS_DEFAULT
    miss = (config & _MISS_MASK) + 1
    if miss > MISS_DROP:
        warn_rl(f"bad table miss config {config}", "ofp_table")
        return MISS_CONTROLLER
    return miss


def _decode_settings(config: int, version: int) -> tuple[int, int]:
    """Return (eviction, vacancy)."""
    if version < OF14:
        return DEFAULT, DEFAULT
    return (
        ON if config & _EVICTION14 else OFF,
        ON if config & _VACANCY14 else OFF,
    )


class TableMod(Message):
    """A change of a table's configuration.

    Attributes:
        table_id: which table, 255 for all.
        miss: MISS_*.
        eviction, vacancy: DEFAULT to leave it, ON or OFF.
        eviction_flags: bitmap, or NO_FLAGS.
        vacancy_down, vacancy_up: percentages.
    """

    __slots__ = (
        "eviction", "eviction_flags", "miss", "table_id", "vacancy", "vacancy_down",
        "vacancy_up",
    )  # fmt: skip

    type = "TABLE_MOD"

    def __init__(self, table_id: int, miss: int = MISS_DEFAULT) -> None:
        self.table_id = table_id
        self.miss = miss
        self.eviction = self.vacancy = DEFAULT
        self.eviction_flags = NO_FLAGS
        self.vacancy_down = self.vacancy_up = 0
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        config = encode_config(self.miss, self.eviction, self.vacancy, version)
        octets = _MOD.pack(self.table_id, config)
        if version >= OF14:
            if self.eviction_flags != NO_FLAGS:
                octets += wire.put_u32(_PROPERTY_EVICTION, self.eviction_flags)
            if self.vacancy == ON:
                levels = _VACANCY.pack(self.vacancy_down, self.vacancy_up, 0)
                octets += wire.put_property(_PROPERTY_VACANCY, levels)
        return "", octets


def _decode_mod(header: raws.Header, cursor: Cursor, context: Context) -> TableMod:
    table_id, config = cursor.unpack(_MOD)
    mod = TableMod(table_id, decode_miss(config, header.version))
    if header.version < OF14:
        return mod
    mod.eviction, mod.vacancy = _decode_settings(config, header.version)
    for item in wire.properties(cursor.rest()):
        if item.type == _PROPERTY_EVICTION:
            # The reference takes the flags for the setting itself.
            mod.eviction = item.u32()
        elif item.type == _PROPERTY_VACANCY:
            if len(item.payload) != _VACANCY.size:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            down, up, vacancy = _VACANCY.unpack(item.payload)
            if down > up or up > 100 or vacancy:
                raise OpenFlowError("OFPBPC_BAD_VALUE")
            mod.vacancy_down, mod.vacancy_up = down, up
        else:
            raise OpenFlowError("OFPBRC_BAD_TYPE")
    return mod


class TableDesc:
    """A table's configuration. OpenFlow 1.4 and later.

    Attributes:
        table_id: which table.
        eviction, vacancy: ON or OFF.
        eviction_flags: bitmap, or NO_FLAGS.
        vacancy_down, vacancy_up, vacancy_now: percentages.
    """

    __slots__ = (
        "eviction", "eviction_flags", "table_id", "vacancy", "vacancy_down",
        "vacancy_now", "vacancy_up",
    )  # fmt: skip

    def __init__(self, table_id: int, eviction: int = OFF, vacancy: int = OFF) -> None:
        self.table_id = table_id
        self.eviction = eviction
        self.vacancy = vacancy
        self.eviction_flags = NO_FLAGS
        self.vacancy_down = self.vacancy_up = self.vacancy_now = 0

    def encode(self, version: int, always_vacancy: bool = False) -> bytes:
        """Return the description's octets."""
        inner = b""
        if self.eviction_flags != NO_FLAGS or always_vacancy:
            inner += wire.put_u32(_PROPERTY_EVICTION, self.eviction_flags)
        if self.vacancy == ON or always_vacancy:
            levels = (self.vacancy_down, self.vacancy_up, self.vacancy_now)
            inner += wire.put_property(_PROPERTY_VACANCY, _VACANCY.pack(*levels))
        config = encode_config(MISS_DEFAULT, self.eviction, self.vacancy, version)
        return _DESC.pack(_DESC.size + len(inner), self.table_id, config) + inner


def take_desc(version: int, cursor: Cursor) -> TableDesc:
    """Take a table's description.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPBPC_*.
    """
    size, table_id, config = cursor.unpack(_DESC)
    octets = cursor.take(size - _DESC.size)
    desc = TableDesc(table_id, *_decode_settings(config, version))
    for item in wire.properties(octets):
        if item.type == _PROPERTY_EVICTION:
            desc.eviction_flags = item.u32()
        elif item.type == _PROPERTY_VACANCY:
            if len(item.payload) != _VACANCY.size:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            (desc.vacancy_down, desc.vacancy_up, desc.vacancy_now) = _VACANCY.unpack(
                item.payload
            )
    return desc


class TableDescRequest(Empty):
    """How are your tables configured?"""

    __slots__ = ()

    type = "TABLE_DESC_REQUEST"


class TableDescReply(Message):
    """Tables' configurations: one part of a reply."""

    __slots__ = ("more", "tables")

    type = "TABLE_DESC_REPLY"

    def __init__(self, tables: list[TableDesc], more: bool = False) -> None:
        self.tables = tables
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (table.encode(version) for table in self.tables)


def _decode_desc_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> TableDescReply:
    tables = []
    while cursor.left:
        tables.append(take_desc(header.version, cursor))
    return TableDescReply(tables, header.more)


class TableStatus(Message):
    """A table that has become fuller or emptier than a threshold."""

    __slots__ = ("desc", "reason")

    type = "TABLE_STATUS"

    def __init__(self, reason: int, desc: TableDesc) -> None:
        self.reason = reason
        self.desc = desc
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "", _STATUS.pack(self.reason) + self.desc.encode(version, True)


def _decode_status(
    header: raws.Header, cursor: Cursor, context: Context
) -> TableStatus:
    (reason,) = cursor.unpack(_STATUS)
    if reason not in (VACANCY_DOWN, VACANCY_UP):
        raise OpenFlowError("OFPBPC_BAD_VALUE")
    return TableStatus(reason, take_desc(header.version, cursor))


def _decode_desc_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> TableDescRequest:
    return TableDescRequest()


DECODERS = {
    "TABLE_MOD": _decode_mod,
    "TABLE_DESC_REQUEST": _decode_desc_request,
    "TABLE_DESC_REPLY": _decode_desc_reply,
    "TABLE_STATUS": _decode_status,
}
