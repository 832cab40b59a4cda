# SPDX-License-Identifier: Apache-2.0
"""What tables can do, and how much they do (OpenFlow 1.5.1 §7.3.5.17, §7.3.5.5).

Before OpenFlow 1.3 a table's statistics say what it can do, too. Sets of fields are
bitmaps by `Field.index`, sets of actions and instructions tuples of their names, sets
of tables bitmaps.
"""

from __future__ import annotations

import struct

from ovswitch.flow.fields import ALL, FIELDS
from ovswitch.openflow import action_bits, oxm, wire
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import OFPTT_ALL, Message
from ovswitch.openflow.messages.table import (
    MISS_DEFAULT,
    decode_miss,
    encode_config,
)
from ovswitch.openflow.version import OF10, OF11, OF12, OF13, OF14, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

MAX_NAME = 32
COMMANDS = ("replace", "modify", "enable", "disable")
REPLACE, MODIFY, ENABLE, DISABLE = range(4)

#: Instructions in their order, with their numbers from OpenFlow 1.1 on.
INSTRUCTIONS = {
    "meter": 6,
    "apply_actions": 4,
    "clear_actions": 5,
    "write_actions": 3,
    "write_metadata": 2,
    "goto_table": 1,
}

_FEATURES = struct.Struct("!HBB4x32sQQII")
_STATS10 = struct.Struct("!B3x32sIIIQQ")
_STATS11 = struct.Struct("!B7x32sIIIIIIIIQQ")
_STATS12 = struct.Struct("!B7x32sQQIIQQQQIIIIQQ")
_STATS13 = struct.Struct("!B3xIQQ")
_ID = struct.Struct("!HH")
_EVICTION14, _VACANCY14 = 1 << 2, 1 << 3

(_INSTRUCTIONS, _NEXT_TABLES, _WRITE_ACTIONS, _APPLY_ACTIONS, _MATCH, _WILDCARDS,
 _WRITE_SETFIELD, _APPLY_SETFIELD) = range(0, 16, 2)  # fmt: skip
_REQUIRED = (
    _INSTRUCTIONS, _NEXT_TABLES, _WRITE_ACTIONS, _APPLY_ACTIONS, _MATCH, _WILDCARDS,
    _WRITE_SETFIELD, _APPLY_SETFIELD,
)  # fmt: skip


def field_set(names: Iterable[str]) -> int:
    """Return the bitmap of the fields called so."""
    bits = 0
    for name in names:
        bits |= 1 << FIELDS[name].index
    return bits


def writable_fields() -> int:
    """Return the fields that `set_field` may set."""
    return field_set(f.name for f in ALL if f.oxms and f.writable)


def matchable_fields() -> int:
    """Return the fields that can be matched in extensible form."""
    return field_set(field.name for field in ALL if field.oxms)


def maskable_fields() -> int:
    """Return the fields that can be matched in extensible form with a mask."""
    return field_set(field.name for field in ALL if field.oxms and field.maskable)


class ActionFeatures:
    """Which actions can be done, and which fields can be set."""

    __slots__ = ("actions", "set_fields")

    def __init__(self, actions: tuple[str, ...] = (), set_fields: int = 0) -> None:
        self.actions = actions
        self.set_fields = set_fields

    def key(self) -> tuple[object, ...]:
        """Return all, for comparison."""
        return self.actions, self.set_fields


class InstructionFeatures:
    """What flows, or the table-miss flow, can do.

    Attributes:
        next_tables: bitmap of the tables to go to.
        instructions: names.
        write, apply: what their actions can do.
    """

    __slots__ = ("apply", "instructions", "next_tables", "write")

    def __init__(self) -> None:
        self.next_tables = 0
        self.instructions: tuple[str, ...] = ()
        self.write = ActionFeatures()
        self.apply = ActionFeatures()

    def copy(self) -> InstructionFeatures:
        """Return a copy that shares what is in it."""
        other = InstructionFeatures()
        other.next_tables = self.next_tables
        other.instructions = self.instructions
        other.write, other.apply = self.write, self.apply
        return other


class TableFeatures:
    """What a table can do.

    Attributes:
        table_id, name: which table.
        command: REPLACE and so on, in requests of OpenFlow 1.5.
        metadata_match, metadata_write: bits of the metadata.
        miss_config: MISS_*.
        supports_eviction, supports_vacancy_events: None if unknown.
        max_entries: 0 if unknown.
        nonmiss, miss: what flows and the table-miss flow can do.
        match: fields that can be matched; of them `mask` with a mask, and `wildcard`
            not at all.
        any_properties: whether more than the fixed part is said.
    """

    __slots__ = (
        "any_properties", "command", "mask", "match", "max_entries", "metadata_match",
        "metadata_write", "miss", "miss_config", "name", "nonmiss",
        "supports_eviction", "supports_vacancy_events", "table_id", "wildcard",
    )  # fmt: skip

    def __init__(self, table_id: int) -> None:
        self.table_id = table_id
        self.name = ""
        self.command = REPLACE
        self.metadata_match = self.metadata_write = 0
        self.miss_config = MISS_DEFAULT
        self.supports_eviction: bool | None = None
        self.supports_vacancy_events: bool | None = None
        self.max_entries = 0
        self.nonmiss = InstructionFeatures()
        self.miss = InstructionFeatures()
        self.match = self.mask = self.wildcard = 0
        self.any_properties = False

    def encode(self, version: int) -> bytes:
        """Return the entry's octets in OpenFlow 1.3 or later."""
        capabilities = 0
        if version >= OF14:
            capabilities |= _EVICTION14 if self.supports_eviction else 0
            capabilities |= _VACANCY14 if self.supports_vacancy_events else 0
        inner = b""
        if self.any_properties:
            inner = (
                _put_instructions(self.nonmiss, 0, version)
                + _put_instructions(self.miss, 1, version)
                + _put_fields(_MATCH, self.match, version, self.mask)
                + _put_fields(_WILDCARDS, self.wildcard, version)
            )
        fixed = _FEATURES.pack(
            _FEATURES.size + len(inner),
            self.table_id,
            self.command if version >= OF15 else 0,
            pack_name(self.name),
            self.metadata_match,
            self.metadata_write,
            capabilities,
            self.max_entries,
        )
        return fixed + inner


def pack_name(name: str) -> bytes:
    """Return a table's name for its place on the wire."""
    return name.encode("utf-8", "surrogateescape")[: MAX_NAME - 1]


def _unpack_name(octets: bytes) -> str:
    octets = octets[: MAX_NAME - 1].partition(b"\0")[0]
    return octets.decode("utf-8", "surrogateescape")


def _put_ids(kind: int, numbers: Iterable[int]) -> bytes:
    octets = b"".join(_ID.pack(number, 4) for number in sorted(numbers))
    return wire.put_property(kind, octets)


def _put_fields(kind: int, fields: int, version: int, masked: int = 0) -> bytes:
    octets = b""
    for field in ALL:
        if fields >> field.index & 1:
            form = field.oxm_for(version)
            if form is not None:
                has_mask = bool(masked >> field.index & 1)
                octets += oxm.header(form, field.n_bytes, has_mask)
    return wire.put_property(kind, octets)


def _put_instructions(features: InstructionFeatures, miss: int, version: int) -> bytes:
    known = _instruction_numbers(version)
    tables = bytes(i for i in range(OFPTT_ALL) if features.next_tables >> i & 1)
    octets = _put_ids(
        _INSTRUCTIONS + miss,
        (known[name] for name in features.instructions if name in known),
    ) + wire.put_property(_NEXT_TABLES + miss, tables)
    actions = action_bits.numbers(version)
    for part, actions_type, fields_type in (
        (features.write, _WRITE_ACTIONS, _WRITE_SETFIELD),
        (features.apply, _APPLY_ACTIONS, _APPLY_SETFIELD),
    ):
        octets += _put_ids(
            actions_type + miss,
            (actions[name] for name in part.actions if name in actions),
        )
        octets += _put_fields(fields_type + miss, part.set_fields, version)
    return octets


def _instruction_numbers(version: int) -> dict[str, int]:
    """Return the instructions that `version` has; meters came with 1.3."""
    if version >= OF13:
        return INSTRUCTIONS
    return {name: n for name, n in INSTRUCTIONS.items() if name != "meter"}


def _named_instructions(numbers: set[int], version: int) -> tuple[str, ...]:
    known = _instruction_numbers(version)
    return tuple(name for name, number in known.items() if number in numbers)


def _take_ids(octets: bytes) -> list[int]:
    return [
        item.type & 0xFFFF
        for item in wire.properties(octets, alignment=1, min_experimenter=0x10000)
    ]


def _take_instructions(octets: bytes, loose: bool) -> tuple[str, ...]:
    numbers = set(_take_ids(octets))
    if not loose and numbers - set(INSTRUCTIONS.values()):
        raise OpenFlowError("OFPBIC_UNKNOWN_INST")
    return _named_instructions(numbers, OF13)


def _take_actions(octets: bytes, version: int) -> tuple[str, ...]:
    bits = 0
    for number in _take_ids(octets):
        if number < 32:
            bits |= 1 << number
    return action_bits.decode(bits, version)


def _take_tables(octets: bytes) -> int:
    tables = 0
    for table_id in octets:
        if table_id >= OFPTT_ALL:
            raise OpenFlowError("OFPBPC_BAD_VALUE")
        tables |= 1 << table_id
    return tables


def _take_fields(octets: bytes, loose: bool, may_mask: bool = False) -> tuple[int, int]:
    """Return the fields given without and with a mask."""
    exact = masked = 0
    cursor = wire.Cursor(octets)
    while cursor.left:
        _, field, _, has_mask = oxm.take_header(cursor)
        if field is None:
            if not loose:
                raise OpenFlowError("OFPBMC_BAD_FIELD")
        elif has_mask:
            masked |= 1 << field.index
        else:
            exact |= 1 << field.index
    if masked and not may_mask:
        raise OpenFlowError("OFPBMC_BAD_MASK")
    return exact, masked


def take_features(version: int, cursor: Cursor, loose: bool = True) -> TableFeatures:
    """Take one table's features.

    Args:
        version: of the message.
        cursor: where they stand.
        loose: pass over what isn't known.

    Raises:
        OpenFlowError: OFPBPC_*, OFPTFFC_*, OFPBMC_*, OFPBIC_UNKNOWN_INST.
    """
    if cursor.left < _FEATURES.size:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    (size, table_id, command, name, metadata_match, metadata_write, capabilities,
     max_entries) = _FEATURES.unpack_from(cursor.octets, cursor.offset)  # fmt: skip
    if size < _FEATURES.size or size % 8 or size > cursor.left:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    properties = cursor.take(size)[_FEATURES.size :]
    if version >= OF15 and command >= len(COMMANDS):
        raise OpenFlowError("OFPTFFC_BAD_COMMAND")
    if table_id == OFPTT_ALL:
        raise OpenFlowError("OFPTFFC_BAD_TABLE")
    features = TableFeatures(table_id)
    features.name = _unpack_name(name)
    features.command = command if version >= OF15 else REPLACE
    features.metadata_match = metadata_match
    features.metadata_write = metadata_write
    features.max_entries = max_entries
    if version >= OF14:
        features.supports_eviction = bool(capabilities & _EVICTION14)
        features.supports_vacancy_events = bool(capabilities & _VACANCY14)
    features.any_properties = bool(properties)
    seen: set[int] = set()
    for item in wire.properties(properties):
        if item.type < 32 and item.type in seen:
            raise OpenFlowError("OFPTFFC_BAD_FEATURES")
        seen.add(item.type)
        _take_property(features, item, version, loose)
    if not seen.issuperset(_REQUIRED) and (properties or version < OF15):
        raise OpenFlowError("OFPTFFC_BAD_FEATURES")
    if properties:
        _copy_to_miss(features, seen)
    features.match |= features.mask
    features.wildcard = (features.wildcard | features.mask) & features.match
    return features


def _take_property(
    features: TableFeatures, item: wire.Property, version: int, loose: bool
) -> None:
    kind, octets = item.type & ~1, item.payload
    part = features.miss if item.type & 1 else features.nonmiss
    if item.type in (_MATCH, _WILDCARDS):
        if item.type == _MATCH:
            features.match, features.mask = _take_fields(octets, loose, True)
        else:
            features.wildcard = _take_fields(octets, loose)[0]
    elif kind == _INSTRUCTIONS:
        part.instructions = _take_instructions(octets, loose)
    elif kind == _NEXT_TABLES:
        part.next_tables = _take_tables(octets)
    elif kind in (_WRITE_ACTIONS, _APPLY_ACTIONS):
        actions = part.write if kind == _WRITE_ACTIONS else part.apply
        actions.actions = _take_actions(octets, version)
    elif kind in (_WRITE_SETFIELD, _APPLY_SETFIELD):
        actions = part.write if kind == _WRITE_SETFIELD else part.apply
        actions.set_fields = _take_fields(octets, loose)[0]
    elif not loose:
        raise wire.unknown_property(item.type)


def _copy_to_miss(features: TableFeatures, seen: set[int]) -> None:
    """What isn't said of the table-miss flow is the same as for others."""
    nonmiss, miss = features.nonmiss, features.miss
    if _INSTRUCTIONS + 1 not in seen:
        miss.instructions = nonmiss.instructions
    if _NEXT_TABLES + 1 not in seen:
        miss.next_tables = nonmiss.next_tables
    if _WRITE_ACTIONS + 1 not in seen:
        miss.write.actions = nonmiss.write.actions
    if _APPLY_ACTIONS + 1 not in seen:
        miss.apply.actions = nonmiss.apply.actions
    if _WRITE_SETFIELD + 1 not in seen:
        miss.write.set_fields = nonmiss.write.set_fields
    if _APPLY_SETFIELD + 1 not in seen:
        miss.apply.set_fields = nonmiss.apply.set_fields


class TableFeaturesRequest(Message):
    """A request for tables' features, or with `tables` to change them."""

    __slots__ = ("more", "tables")

    type = "TABLE_FEATURES_STATS_REQUEST"

    def __init__(
        self, tables: list[TableFeatures] | None = None, more: bool = False
    ) -> None:
        self.tables = tables or []
        self.more = more
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "", b"".join(self.entries("", version))

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (table.encode(version) for table in self.tables)


class TableFeaturesReply(TableFeaturesRequest):
    """Tables' features: one part of a reply."""

    __slots__ = ()

    type = "TABLE_FEATURES_STATS_REPLY"


def _decode_features(
    header: raws.Header, cursor: Cursor, context: Context
) -> TableFeaturesRequest:
    is_reply = header.raw.type == TableFeaturesReply.type
    tables = []
    while cursor.left:
        tables.append(take_features(header.version, cursor, loose=is_reply))
    cls = TableFeaturesReply if is_reply else TableFeaturesRequest
    return cls(tables, header.more)


# The fields that OpenFlow 1.0 and 1.1 have bits for.
_BITS10 = {
    "in_port": 1 << 0,
    "vlan_vid": 1 << 1,
    "eth_src": 1 << 2,
    "eth_dst": 1 << 3,
    "eth_type": 1 << 4,
    "nw_proto": 1 << 5,
    "tcp_src": 1 << 6,
    "tcp_dst": 1 << 7,
    "ip_src": 0x3F << 8,
    "ip_dst": 0x3F << 14,
    "vlan_pcp": 1 << 20,
    "nw_tos": 1 << 21,
}
_BITS11 = {
    "in_port": 1 << 0,
    "vlan_vid": 1 << 1,
    "vlan_pcp": 1 << 2,
    "eth_type": 1 << 3,
    "nw_tos": 1 << 4,
    "nw_proto": 1 << 5,
    "tcp_src": 1 << 6,
    "tcp_dst": 1 << 7,
    "mpls_label": 1 << 8,
    "mpls_tc": 1 << 9,
    "eth_src": 1 << 11,
    "eth_dst": 1 << 12,
    "ip_src": 1 << 13,
    "ip_dst": 1 << 14,
    "metadata": 1 << 15,
}


def _to_bits(fields: int, table: dict[str, int]) -> int:
    bits = 0
    for name, bit in table.items():
        if fields >> FIELDS[name].index & 1:
            bits |= bit
    return bits


def _from_bits(bits: int, table: dict[str, int]) -> int:
    return field_set(name for name, bit in table.items() if bits & bit)


def _to_oxm_bits(fields: int) -> int:
    bits = 0
    for field in ALL:
        form = field.oxm_for(OF12)
        if fields >> field.index & 1 and form and form.oxm_class == 0x8000:
            bits |= 1 << form.number
    return bits & 0xFFFFFFFFFFFFFFFF


def _from_oxm_bits(bits: int) -> int:
    fields = 0
    for field in ALL:
        form = field.oxm_for(OF12)
        if form and form.oxm_class == 0x8000 and form.version <= OF12:
            fields |= (bits >> form.number & 1) << field.index
    return fields


def _instruction_bits(names: tuple[str, ...], version: int) -> int:
    known = _instruction_numbers(version)
    return sum(1 << known[name] for name in names if name in known)


class TableStats:
    """How much a table does, and before OpenFlow 1.3 what it can do.

    Attributes:
        table_id: which table.
        active_count: flows.
        lookup_count, matched_count: packets looked up, and of them found.
        features: what it can do; unknown from 1.3 on.
    """

    __slots__ = (
        "active_count", "features", "lookup_count", "matched_count", "table_id",
    )  # fmt: skip

    def __init__(
        self,
        table_id: int,
        active_count: int = 0,
        lookup_count: int = 0,
        matched_count: int = 0,
        features: TableFeatures | None = None,
    ) -> None:
        self.table_id = table_id
        self.active_count = active_count
        self.lookup_count = lookup_count
        self.matched_count = matched_count
        self.features = features or TableFeatures(table_id)

    def encode(self, version: int) -> bytes:
        """Return the entry's octets."""
        features = self.features
        counts = (self.active_count, self.lookup_count, self.matched_count)
        if version >= OF13:
            return _STATS13.pack(self.table_id, *counts)
        name = pack_name(features.name)
        everything = (1 << len(ALL)) - 1
        wildcards = everything & ~features.match | features.wildcard
        if version == OF10:
            bits = _to_bits(wildcards, _BITS10)
            return _STATS10.pack(
                self.table_id, name, bits, features.max_entries, *counts
            )
        flows = features.nonmiss
        instructions = _instruction_bits(flows.instructions, version)
        actions = (
            action_bits.encode(flows.write.actions, version),
            action_bits.encode(flows.apply.actions, version),
        )
        if version == OF11:
            return _STATS11.pack(
                self.table_id, name, _to_bits(wildcards, _BITS11),
                _to_bits(features.match, _BITS11), instructions, *actions,
                features.miss_config, features.max_entries, *counts,
            )  # fmt: skip
        config = encode_config(features.miss_config, 0, 0, version)
        return _STATS12.pack(
            self.table_id, name, _to_oxm_bits(features.match),
            _to_oxm_bits(features.wildcard), *actions,
            _to_oxm_bits(flows.write.set_fields),
            _to_oxm_bits(flows.apply.set_fields), features.metadata_match,
            features.metadata_write, instructions, config, features.max_entries,
            *counts,
        )  # fmt: skip


def take_stats(version: int, cursor: Cursor) -> TableStats:
    """Take one table's statistics.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN.
    """
    if version >= OF13:
        table_id, active, looked_up, matched = cursor.unpack(_STATS13)
        return TableStats(table_id, active, looked_up, matched)
    if version == OF10:
        table_id, name, wildcards, max_entries, active, looked_up, matched = (
            _STATS10.unpack(cursor.take(_STATS10.size))
        )
        stats = TableStats(table_id, active, looked_up, matched)
        features = stats.features
        features.match = features.wildcard = _from_bits(wildcards, _BITS10)
    elif version == OF11:
        (table_id, name, wildcards, match, instructions, write, _, config, max_entries,
         active, looked_up, matched) = _STATS11.unpack(
             cursor.take(_STATS11.size)
         )  # fmt: skip
        stats = TableStats(table_id, active, looked_up, matched)
        features = stats.features
        # As in the reference, what is written counts as applied, too.
        _set_flows(features, instructions, write, write, version)
        features.miss_config = decode_miss(config, version)
        features.wildcard = _from_bits(wildcards, _BITS11)
        features.match = _from_bits(match, _BITS11) | features.wildcard
    else:
        (table_id, name, match, wildcards, write, apply, write_fields, apply_fields,
         metadata_match, metadata_write, instructions, config, max_entries,
         active, looked_up, matched) = _STATS12.unpack(
             cursor.take(_STATS12.size)
         )  # fmt: skip
        stats = TableStats(table_id, active, looked_up, matched)
        features = stats.features
        _set_flows(features, instructions, write, apply, version)
        features.nonmiss.write.set_fields = _from_oxm_bits(write_fields)
        features.nonmiss.apply.set_fields = _from_oxm_bits(apply_fields)
        features.metadata_match = metadata_match
        features.metadata_write = metadata_write
        features.miss_config = decode_miss(config, version)
        features.wildcard = _from_oxm_bits(wildcards)
        features.match = _from_oxm_bits(match) | features.wildcard
    features.miss = features.nonmiss.copy()
    features.name = _unpack_name(name)
    features.max_entries = max_entries
    return stats


def _set_flows(
    features: TableFeatures, instructions: int, write: int, apply: int, version: int
) -> None:
    numbers = {number for number in range(32) if instructions >> number & 1}
    flows = features.nonmiss
    flows.instructions = _named_instructions(numbers, version)
    flows.write = ActionFeatures(action_bits.decode(write, version))
    flows.apply = ActionFeatures(action_bits.decode(apply, version))


class TableStatsReply(Message):
    """Tables' statistics: one part of a reply."""

    __slots__ = ("more", "tables")

    type = "TABLE_STATS_REPLY"

    def __init__(self, tables: list[TableStats], more: bool = False) -> None:
        self.tables = tables
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (table.encode(version) for table in self.tables)


def _decode_stats(
    header: raws.Header, cursor: Cursor, context: Context
) -> TableStatsReply:
    tables = []
    while cursor.left:
        tables.append(take_stats(header.version, cursor))
    return TableStatsReply(tables, header.more)


DECODERS = {
    "TABLE_FEATURES_STATS_REQUEST": _decode_features,
    "TABLE_FEATURES_STATS_REPLY": _decode_features,
    "TABLE_STATS_REPLY": _decode_stats,
}
