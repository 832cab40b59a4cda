# SPDX-License-Identifier: Apache-2.0
"""Files of clustered databases that are made offline, and made standalone again.

`create` writes the file of a cluster's first server, `join` that of a server which is
going to ask others to let it in, `to_standalone` copies what a cluster's file has of
the database into a standalone one.

Sources: ovsdb/raft.c, ovsdb/ovsdb-tool.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import log, offline, uuids
from ovswitch.ovsdb.cluster_file import (
    ENTRY,
    ClusterError,
    Header,
    Record,
    address_set,
    in_hash_order,
    validate_address,
    validate_election_timer,
)
from ovswitch.ovsdb.cluster_schema import persist_ephemeral_columns
from ovswitch.ovsdb.ctl.order import string_hash
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.schema_text import ordered_json
from ovswitch.runtime import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FIRST_TERM = 1
_FIRST_INDEX = 1


def create(name: str, source: str, local: str, election_timer: int = 0) -> None:
    """Make a cluster of one server from a schema or a standalone database.

    Raises: OvsdbError.
    """
    schema, contents = _read_source(source)
    persist_ephemeral_columns(schema, source)
    validate_address(local)
    if election_timer:
        validate_election_timer(election_timer)
    header = Header(schema.name, local, uuids.generate())
    header.cluster_id = uuids.generate()
    header.index = _FIRST_INDEX
    header.term = _FIRST_TERM
    header.eid = uuids.generate()
    header.servers = {header.server_id: local}
    header.data = [ordered_json(schema), contents]
    parts = [header.to_json()]
    if election_timer:
        entry = Record(ENTRY, _FIRST_TERM)
        entry.index = _FIRST_INDEX + 1
        entry.election_timer = election_timer
        parts.append(entry.to_json())
    _write(name, parts)


def _read_source(source: str) -> tuple[Schema, dict[str, Any]]:
    try:
        return Schema.from_file(source), {}
    except OvsdbError:
        database = offline.read_database(source)
        record = database.snapshot(clock.wall(), f"created from {source}")
        return database.schema, record


def join(
    name: str, schema_name: str, local: str, remotes: list[str], cid: str | None
) -> None:
    """Make the file of a server that joins a cluster. Raises: OvsdbError."""
    validate_address(local)
    remotes = address_set(remotes)
    for address in remotes:
        validate_address(address)
        if address == local:
            raise OvsdbError(
                None, "remote addresses cannot be the same as the local address"
            )
    header = Header(schema_name, local, uuids.generate())
    header.cluster_id = cid or uuids.ZERO
    header.joining = True
    header.remote_addresses = _copied_set(remotes)
    _write(name, [header.to_json()])


def _copied_set(names: list[str]) -> list[str]:
    """Return the order of a copy of a hash table, which never needs to grow."""
    mask = max((1 << (len(names) // 2).bit_length()) - 1, 3)
    buckets: list[list[str]] = [[] for _ in range(mask + 1)]
    for name in names:
        buckets[string_hash(name) & mask].insert(0, name)
    return [name for bucket in buckets for name in bucket]


def _write(name: str, parts: list[dict[str, Any]]) -> None:
    file = log.open_log(name, log.CLUSTER_MAGIC, log.CREATE_EXCLUSIVE)
    for part in parts:
        file.write(part)
    file.sync()
    file.close()


def to_standalone(name: str, source: str) -> None:
    """Write the database that is in a cluster's file to a new standalone file.

    Raises: OvsdbError, ClusterError: then the new file may hold a part of it.
    """
    file = log.open_log(source, f"{log.MAGIC}|{log.CLUSTER_MAGIC}")
    target = log.open_log(name, log.MAGIC, log.CREATE_EXCLUSIVE)
    if file.magic != log.CLUSTER_MAGIC:
        raise ClusterError("Database is not clustered db.\n")
    is_first = True
    while (json := file.read()) is not None:
        if is_first:
            parts = _header_parts(Header.from_json(json))
        else:
            parts = _record_parts(Record.from_json(json))
        is_first = False
        for part in parts:
            target.write(in_hash_order(part))
    target.sync()
    target.close()
    file.close()


def _header_parts(header: Header) -> list[dict[str, Any]]:
    """Return the schema and the contents in a snapshot."""
    if not header.index:
        return []
    if not isinstance(header.data, list) or len(header.data) != 2:
        raise ClusterError("Incorrect raft header data array length")
    schema, contents = header.data
    parts = []
    if schema is not None:
        Schema.from_json(schema)
        parts.append(schema)
    if not isinstance(contents, dict):
        raise ClusterError("Invalid raft header data")
    return [*parts, contents]


def _record_parts(record: Record) -> list[Any]:
    """Return the transaction in a record, if it has one."""
    if record.kind != ENTRY or record.data is None:
        return []
    if not isinstance(record.data, list) or len(record.data) != 2:
        raise ClusterError("Incorrect raft record array length")
    transaction = record.data[1]
    if transaction is None:
        return []
    if not isinstance(transaction, dict | list):
        raise ClusterError("Invalid raft record data")
    return [transaction]
