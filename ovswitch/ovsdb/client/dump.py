# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client dump, backup and restore: whole databases out and in."""

from __future__ import annotations

import sys

from ovswitch.ovsdb import log
from ovswitch.ovsdb.atom import UUID
from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.client.schema_commands import (
    column_order,
    in_hash_order,
    is_same_schema,
    table_order,
)
from ovswitch.ovsdb.log_record import sha1
from ovswitch.ovsdb.output import Cell, Table
from ovswitch.ovsdb.schema import VERSION_COLUMN
from ovswitch.ovsdb.types import UUID_TYPE, BaseType, ColumnType
from ovswitch.ovsdb.uuids import row_name
from ovswitch.runtime import clock, fatal, json, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.client.connection import Connection
    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema, TableSchema

_log = vlog.Module("ovsdb_client")


def dump(connection: Connection, args: list[str]) -> None:
    """Print tables, with sorted columns and rows."""
    schema = connection.fetch_schema()
    if args and args[0] not in schema.tables:
        fatal.die(f'No table "{args[0]}" found.')
    names = [args[0]] if args else sorted(schema.tables)
    columns_of = {name: _columns(schema.tables[name], args[1:]) for name in names}
    operations = [_select(name, columns) for name, columns in columns_of.items()]
    for name, rows in zip(names, _select_rows(connection, operations), strict=True):
        settings.write(_table_text(name, columns_of[name], rows))


def _columns(table: TableSchema, wanted: list[str]) -> list[ColumnSchema]:
    """Return the columns to show by name."""
    for name in wanted:
        if name not in table.columns:
            fatal.die(f'Table "{table.name}" has no column {name}.')
    names = sorted(wanted or table.columns)
    return [
        table.columns[name]
        for name in names
        if table.columns[name].index != VERSION_COLUMN
    ]


def _select(name: str, columns: list[ColumnSchema]) -> dict[str, Any]:
    return {
        "op": "select",
        "table": name,
        "where": [],
        "columns": [column.name for column in columns],
    }


def _select_rows(
    connection: Connection, operations: list[dict[str, Any]]
) -> list[list[dict[str, Any]]]:
    """Run `select` operations; return the rows of each."""
    results = connection.call("transact", [connection.database, *operations])
    if not isinstance(results, list) or len(results) != len(operations):
        fatal.die(
            f"reply is not array of {len(operations)} elements: "
            f"{json.to_string(results)}"
        )
    found = []
    for operation, result in zip(operations, results, strict=True):
        rows = result.get("rows") if isinstance(result, dict) else None
        if not isinstance(rows, list):
            fatal.die(
                f"{operation['table']} table reply is not an object with a "
                f'"rows" member array: {_text(result)}'
            )
        found.append(rows)
    return found


def _text(value: Any) -> str:
    """Return an answer's text, its members in the reference's order."""
    return json.to_string(_shuffled(value) if isinstance(value, dict) else value)


def _shuffled(members: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose members are in the reference's order."""
    return {name: members[name] for name in in_hash_order(members)}


def _table_text(
    name: str, columns: list[ColumnSchema], rows: list[dict[str, Any]]
) -> str:
    readers = [_unconstrained(column.type) for column in columns]
    records = []
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            fatal.die(
                f"row {index} in table {name} response is not a JSON object: "
                f"{json.to_string(row)}"
            )
        for column in columns:
            if column.name not in row:
                fatal.die(
                    f"row {index} in table {name} response lacks {column.name} column"
                )
        records.append(
            [
                reader.from_json_value(row[column.name], None)
                for reader, column in zip(readers, columns, strict=True)
            ]
        )
    # UUIDs are random: they only break ties.
    by_value = [i for i, c in enumerate(columns) if c.type.key.type != UUID]
    by_uuid = [i for i, c in enumerate(columns) if c.type.key.type == UUID]
    order = by_value + by_uuid
    records.sort(key=lambda record: [_datum_order(record[i]) for i in order])
    table = Table([column.name for column in columns], f"{name} table")
    for record in records:
        cells: list[Cell | str | None] = [
            Cell(_plain(column.type.to_json_value(datum)), column.type)
            for column, datum in zip(columns, record, strict=True)
        ]
        table.rows.append(cells)
    return table.to_text(settings.style)


def _unconstrained(type_: ColumnType) -> ColumnType:
    """Return a type that takes whatever the server says."""
    value = BaseType(type_.value.type) if type_.is_map() else None
    return ColumnType(BaseType(type_.key.type), value).relaxed()


def _datum_order(datum: Datum) -> tuple[int, Any, Any]:
    """Return what data are ordered by: their size, then keys, then values."""
    if datum and isinstance(datum[0], tuple):
        keys, values = zip(*datum, strict=True)
        return len(datum), keys, values
    return len(datum), datum, ()


def _plain(value: Any) -> Any:
    """Return JSON with lists in place of a datum's tuples."""
    if isinstance(value, list | tuple):
        return [_plain(element) for element in value]
    return value


# Backup and restore


def backup(connection: Connection, _args: list[str]) -> None:
    """Write the database to stdout as a database file."""
    if sys.stdout.isatty():
        fatal.die("not writing backup to a terminal; please redirect stdout to a file")
    from ovswitch.ovsdb.schema_text import ordered_json

    schema = connection.fetch_schema()
    names = table_order(schema)
    operations = [
        _select(name, _persistent_columns(schema.tables[name])) for name in names
    ]
    found = _select_rows(connection, operations)
    record: dict[str, Any] = {}
    for name, rows in zip(names, found, strict=True):
        if rows:
            record[name] = _shuffled(dict(_saved_row(name, row) for row in rows))
    record["_comment"] = 'produced by "ovsdb-client backup"'
    record["_is_diff"] = True
    record["_date"] = clock.wall()
    for part in (ordered_json(schema), _shuffled(record)):
        octets = json.to_bytes(part) + b"\n"
        header = f"OVSDB {log.MAGIC} {len(octets)} {sha1(octets)}\n"
        sys.stdout.buffer.write(header.encode() + octets)
    sys.stdout.flush()


def _persistent_columns(table: TableSchema) -> list[ColumnSchema]:
    columns = [table.columns[name] for name in column_order(table)]
    return [column for column in columns if column.persistent]


def _saved_row(table: str, row: Any) -> tuple[str, dict[str, Any]]:
    """Return a row's UUID and its other columns; exit if they make no sense."""
    if not isinstance(row, dict):
        fatal.die(f"{table} table reply row is not an object: {_text(row)}")
    columns = _shuffled(row)
    uuid = columns.pop("_uuid", None)
    if uuid is None:
        fatal.die(f"{table} table reply row lacks _uuid member: {_text(row)}")
    return str(UUID_TYPE.from_json_value(uuid, None)[0]), columns


def restore(connection: Connection, _args: list[str]) -> None:
    """Replace the database's contents by a database file on stdin."""
    from ovswitch.ovsdb import offline

    if sys.stdin.isatty():
        fatal.die(
            "not reading backup from a terminal; please redirect stdin from a file"
        )
    saved = offline.read_database("/dev/stdin")
    _compare_schemas(connection, saved.schema)
    operations: list[dict[str, Any]] = []
    for name, table in saved.tables.items():
        operations.append({"op": "delete", "table": name, "where": []})
        operations += [_insert(row) for row in table.rows.values()]
    results = connection.call("transact", [saved.name, *operations])
    check_results(results)


def _compare_schemas(connection: Connection, saved: Any) -> None:
    online = connection.fetch_schema()
    if is_same_schema(saved, online):
        return
    if saved.version != online.version:
        text = (
            f'backup schema has version "{saved.version}" but database schema has '
            f'version "{online.version}"'
        )
    else:
        text = (
            f"backup schema and database schema are both version {saved.version} but "
            "still differ"
        )
    if not settings.force:
        fatal.die(
            f'{text} (use --force to override differences, or "ovsdb-client convert" '
            "to change the schema)"
        )
    _log.info("%s", text)


def _insert(row: Row) -> dict[str, Any]:
    """Return the operation that makes a row anew; references are by symbolic name."""
    columns = {}
    for column in row.table.schema.ordered[2:]:
        datum = row.fields[column.index]
        if column.persistent and datum != column.type.default:
            columns[column.name] = _with_names(column.type, datum)
    return {
        "op": "insert",
        "table": row.table.name,
        "uuid-name": row_name(row.uuid),
        "row": columns,
    }


def _with_names(type_: ColumnType, datum: Datum) -> Any:
    def name(base: BaseType, atom: Any) -> Any:
        if base.ref_table_name is not None:
            return ["named-uuid", row_name(atom)]
        return ["uuid", atom] if base.type == UUID else atom

    if type_.is_map():
        return ["map", [[name(type_.key, k), name(type_.value, v)] for k, v in datum]]
    if len(datum) == 1:
        return name(type_.key, datum[0])
    return ["set", [name(type_.key, atom) for atom in datum]]


def check_results(results: Any) -> None:
    """Exit if any of a transaction's results is an error."""
    if not isinstance(results, list):
        fatal.die("result is not array")
    for result in results:
        if not isinstance(result, dict):
            fatal.die("result array element is not object")
        if "error" in result:
            text = json.to_string(result, sort=True)
            fatal.die(f"server returned error reply: {text}")
