# SPDX-License-Identifier: Apache-2.0
"""Requests about flow tables: configuration, statistics, what they can do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ovswitch.ofproto.table import ALL_TABLES, N_TABLES
from ovswitch.ofproto.vacancy import describe_table
from ovswitch.openflow import action_bits, wire
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import table as t
from ovswitch.openflow.messages import table_features as f
from ovswitch.openflow.messages.base import U64
from ovswitch.openflow.version import OF15
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.requests.request import Request
    from ovswitch.ofproto.table import FlowTable

_log = vlog.Module("ofproto")
_limit = vlog.RateLimit(1, 5)

_MAX_ENTRIES = 1_000_000
_CONTROLLER_LEVEL = 1
_EVICTION_FLAGS = sum(t.EVICTION_FLAGS)


def _visible(ofproto: Ofproto) -> list[FlowTable]:
    return [table for table in ofproto.tables if not table.hidden]


# Configuration.


def _table_mod(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, t.TableMod)
    if message.table_id != ALL_TABLES and message.table_id >= N_TABLES:
        raise OpenFlowError("OFPTMFC_BAD_TABLE")
    if message.eviction_flags not in {t.NO_FLAGS, _EVICTION_FLAGS}:
        raise OpenFlowError("OFPTMFC_BAD_CONFIG")
    tables = ofconn.ofproto.tables
    if message.table_id == ALL_TABLES:
        for table in tables:
            if not (table.hidden or table.readonly):
                _configure(ofconn, table, message)
        return
    table = tables.tables[message.table_id]
    if table.readonly:
        raise OpenFlowError("OFPTMFC_EPERM")
    _configure(ofconn, table, message)


def _configure(ofconn: Ofconn, table: FlowTable, message: t.TableMod) -> None:
    if message.miss not in {t.MISS_DEFAULT, table.miss}:
        table.miss = message.miss
        ofconn.ofproto.backer.need_revalidate("flow_table")
    if message.eviction != t.DEFAULT:
        ofconn.connmgr.set_eviction(table, message.eviction == t.ON)
    if message.vacancy != t.DEFAULT:
        table.vacancy_down = message.vacancy_down
        table.vacancy_up = message.vacancy_up
        if message.vacancy == t.OFF:
            table.vacancy_event = 0
        elif not table.vacancy_event:
            is_below = table.vacancy() < table.vacancy_up
            table.vacancy_event = t.VACANCY_UP if is_below else t.VACANCY_DOWN


def _desc(ofconn: Ofconn, request: Request) -> None:
    version = ofconn.version
    entries = (
        describe_table(ofconn.connmgr, table).encode(version)
        for table in _visible(ofconn.ofproto)
    )
    ofconn.reply_entries(t.TableDescReply.type, "", request.xid, entries)


# Statistics.


def _stats(ofconn: Ofconn, request: Request) -> None:
    version = ofconn.version
    entries = (
        _stats_of(ofconn, table).encode(version) for table in _visible(ofconn.ofproto)
    )
    ofconn.reply_entries(f.TableStatsReply.type, "", request.xid, entries)


def _stats_of(ofconn: Ofconn, table: FlowTable) -> f.TableStats:
    n_flows = table.n_flows
    if table.table_id == 0:
        n_flows -= sum(rule.is_hidden for rule in table.classifier)
    return f.TableStats(
        table.table_id,
        n_flows,
        table.n_matched + table.n_missed,
        table.n_matched,
        features_of(ofconn.ofproto, table, ofconn.version),
    )


# What tables can do.


def features_of(ofproto: Ofproto, table: FlowTable, version: int) -> f.TableFeatures:
    """Return what a table can do: anything, and go to any later table."""
    features = f.TableFeatures(table.table_id)
    features.name = table.name
    features.metadata_match = features.metadata_write = U64
    features.miss_config = table.miss
    features.max_entries = min(_MAX_ENTRIES, table.max_flows)
    features.any_properties = True
    flows = features.nonmiss
    for other in ofproto.tables:
        if other.table_id > table.table_id and not other.hidden:
            flows.next_tables |= 1 << other.table_id
    missing = set() if flows.next_tables else {"goto_table"}
    if version >= OF15:
        missing.add("meter")  # there it is an action
    flows.instructions = tuple(name for name in f.INSTRUCTIONS if name not in missing)
    writable, features.match, features.mask = _fields()
    flows.write = flows.apply = f.ActionFeatures(action_bits.ORDER, writable)
    features.miss = flows.copy()
    features.wildcard = features.match
    return features


@lru_cache(maxsize=1)
def _fields() -> tuple[int, int, int]:
    """Return the fields that can be written, matched and masked."""
    return f.writable_fields(), f.matchable_fields(), f.maskable_fields()


class _Described:
    """A table's features on their way to octets, for the cache: 5 kB take 2 ms."""

    __slots__ = ("_key", "features", "version")

    def __init__(self, features: f.TableFeatures, version: int) -> None:
        self.features = features
        self.version = version
        self._key = (
            version, features.table_id, features.name, features.miss_config,
            features.max_entries, features.nonmiss.next_tables,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Described) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=2 * N_TABLES)
def _encode(described: _Described) -> bytes:
    return described.features.encode(described.version)


def _features(ofconn: Ofconn, request: Request) -> None:
    """Tell what tables can do, after changing it if the request says so."""
    wanted = _wanted_features(ofconn, request)
    if wanted is None:
        return
    ofproto = ofconn.ofproto
    if wanted:
        _change_features(ofproto, wanted, ofconn.version)
    version = ofconn.version
    entries = (
        _encode(_Described(features_of(ofproto, table, version), version))
        for table in _visible(ofproto)
    )
    ofconn.reply_entries(f.TableFeaturesReply.type, "", request.xid, entries)


def _wanted_features(
    ofconn: Ofconn, request: Request
) -> dict[int, f.TableFeatures] | None:
    """Return what a request wants, by table; None if it was refused."""
    wanted: dict[int, f.TableFeatures] = {}
    for part in request.parts:
        cursor = wire.Cursor(part, request.header.body)
        try:
            while cursor.left:
                features = f.take_features(ofconn.version, cursor, loose=False)
                if features.table_id in wanted:
                    _log.info_rl(_limit, "duplicate table %d", features.table_id)
                    raise OpenFlowError("NXTFFC_DUP_TABLE")
                wanted[features.table_id] = features
        except OpenFlowError as error:
            ofconn.refuse(part, error)
            return None
    return wanted


def _change_features(
    ofproto: Ofproto, wanted: dict[int, f.TableFeatures], version: int
) -> None:
    """Change tables' names; nothing else can be changed.

    Raises: OpenFlowError: the request wants more than that.
    """
    command = next(iter(wanted.values())).command
    old = {
        table.table_id: features_of(ofproto, table, version) for table in ofproto.tables
    }
    for table in ofproto.tables:
        if table.hidden:
            if table.table_id in wanted:
                _refuse_change("can't modify hidden table %d", table.table_id)
            wanted[table.table_id] = old[table.table_id]
    if command == f.MODIFY:
        for table_id, features in old.items():
            new = wanted.setdefault(table_id, features)
            if not new.any_properties:
                _copy_properties(new, features)
    elif command != f.REPLACE:
        raise OpenFlowError("OFPTFFC_EPERM")
    _check_numbers(wanted)
    for table_id, features in old.items():
        if features.max_entries != wanted[table_id].max_entries:
            _refuse_change("can't change max_entries")
    for table in ofproto.tables:
        _check_name(table, wanted[table.table_id].name)
    for table_id, features in old.items():
        if not _is_superset(features, wanted[table_id]):
            _refuse_change("can't increase table features for table %d", table_id)
    for table in ofproto.tables:
        table.set_name(wanted[table.table_id].name, _CONTROLLER_LEVEL)
    ofproto.tables_changed()


def _refuse_change(text: str, *args: object) -> None:
    _log.info_rl(_limit, text, *args)
    raise OpenFlowError("OFPTFFC_EPERM")


def _copy_properties(new: f.TableFeatures, old: f.TableFeatures) -> None:
    new.any_properties = old.any_properties
    new.nonmiss, new.miss = old.nonmiss, old.miss
    new.match, new.mask, new.wildcard = old.match, old.mask, old.wildcard


def _check_numbers(wanted: dict[int, f.TableFeatures]) -> None:
    """Check that no table is missing: they can't be disabled."""
    missing = [table_id for table_id in range(N_TABLES) if table_id not in wanted]
    if missing:
        _refuse_change("can't disable table %d", missing[0])


def _check_name(table: FlowTable, name: str) -> None:
    if (
        table.name_level > _CONTROLLER_LEVEL
        and name
        and table.name
        and table.name != name
    ):
        _refuse_change(
            "can't change name of table %d to %s because it is already set to %s "
            "via OVSDB",
            table.table_id,
            name,
            table.name,
        )


def _is_superset(old: f.TableFeatures, new: f.TableFeatures) -> bool:
    """Return whether a table can do all that is asked of it."""
    return (
        not new.metadata_match & ~old.metadata_match
        and not new.metadata_write & ~old.metadata_write
        and not new.supports_eviction
        and not new.supports_vacancy_events
        and all(_flows_superset(*pair) for pair in _parts(old, new))
        and not new.match & ~old.match
        and not new.mask & ~old.mask
        and not new.wildcard & ~old.wildcard
    )


def _parts(
    old: f.TableFeatures, new: f.TableFeatures
) -> Iterator[tuple[f.InstructionFeatures, f.InstructionFeatures]]:
    yield old.nonmiss, new.nonmiss
    yield old.miss, new.miss


def _flows_superset(old: f.InstructionFeatures, new: f.InstructionFeatures) -> bool:
    return (
        not new.next_tables & ~old.next_tables
        and set(new.instructions) <= set(old.instructions)
        and all(
            _has(big.actions, small.actions) and not small.set_fields & ~big.set_fields
            for big, small in ((old.write, new.write), (old.apply, new.apply))
        )
    )


def _has(names: Iterable[str], wanted: Iterable[str]) -> bool:
    return set(wanted) <= set(names)


HANDLERS = {
    "TABLE_MOD": _table_mod,
    "TABLE_DESC_REQUEST": _desc,
    "TABLE_STATS_REQUEST": _stats,
    "TABLE_FEATURES_STATS_REQUEST": _features,
}
