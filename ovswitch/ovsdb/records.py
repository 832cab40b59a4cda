# SPDX-License-Identifier: Apache-2.0
"""Transactions as the records of a database file.

A record is an object: for each table an object from row UUIDs to null (deleted) or
to an object of columns; and `_date`, `_comment` and `_is_diff`. Columns at their
default are left out of new rows, unchanged ones out of others, ephemeral ones always.
With `_is_diff` the columns of an existing row hold differences (see `datum.diff`).

Sources: ovsdb(5), ovsdb/file.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.datum import apply_diff, diff
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.row import Row
from ovswitch.ovsdb.schema import UUID_COLUMN, VERSION_COLUMN
from ovswitch.ovsdb.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.table import Table
    from ovswitch.ovsdb.transaction import Change

    Record = dict[str, Any]


def from_transaction(transaction: Transaction, use_diff: bool) -> Record | None:
    """Return the record of a checked transaction, or None if there's nothing to keep.

    `annotate` completes it.
    """
    record: Record = {}
    for table, changes in transaction.changes.items():
        rows: Record = {}
        for change in changes.values():
            if change.new is None:
                if change.old is not None:
                    rows[change.uuid] = None
            elif change.old is None:
                rows[change.uuid] = new_row(change.new)
            else:
                columns = _changed_columns(change, change.old, change.new, use_diff)
                if columns:
                    rows[change.uuid] = columns
        if rows:
            record[table.name] = rows
    return record or None


def new_row(row: Row) -> Record:
    """Return a row's columns but for those at their default."""
    fields = row.fields
    return {
        column.name: column.type.to_json_value(fields[column.index])
        for column in row.table.persistent_columns
        if fields[column.index] != column.type.default
    }


def _changed_columns(change: Change, old: Row, new: Row, use_diff: bool) -> Record:
    columns = {}
    for column in change.table.persistent_columns:
        index = column.index
        if index in change.columns:
            datum = new.fields[index]
            if use_diff:
                datum = diff(old.fields[index], datum, column.type)
            columns[column.name] = column.type.to_json_value(datum)
    return columns


def from_tables(tables: Mapping[str, Table]) -> Record:
    """Return the record that holds all rows there are."""
    return {
        name: {uuid: new_row(row) for uuid, row in table.rows.items()}
        for name, table in tables.items()
        if table.rows
    }


def annotate(
    record: Record, date_ms: int, comment: str | None, use_diff: bool
) -> Record:
    """Add when and why it was written, in milliseconds since the epoch."""
    if comment is not None:
        record["_comment"] = comment
    if use_diff:
        record["_is_diff"] = True
    record["_date"] = date_ms
    return record


def to_transaction(
    tables: Mapping[str, Table], record: object, converting: bool = False
) -> Transaction:
    """Return the transaction that a record describes, applied to the tables.

    `converting` ignores tables and columns that the schema hasn't got.
    Raises: OvsdbError: nothing has changed then.
    """
    if not isinstance(record, dict):
        raise syntax_error(record, "object expected")
    transaction = Transaction()
    is_diff = record.get("_is_diff") is True
    try:
        for name, rows in record.items():
            table = tables.get(name)
            if table is not None:
                _apply_rows(transaction, table, rows, converting, is_diff)
            elif not converting and not _is_annotation(name, rows):
                raise syntax_error(record, f"No table named {name}.", "unknown table")
    except BaseException:
        transaction.abort()
        raise
    return transaction


def insert_plain(tables: Mapping[str, Table], record: dict[str, Any]) -> int | None:
    """Insert the rows of a record that has nothing but new ones, in plain tables.

    No rule can be broken then, which spares most of a transaction's work: long logs
    are read much faster. Return how many atoms were inserted, or None, with nothing
    changed, if the record isn't of that kind or has anything wrong.
    """
    rows = []
    for name, changes in record.items():
        table = tables.get(name)
        if table is None:
            if _is_annotation(name, changes):
                continue
            return None
        if not table.is_plain or not isinstance(changes, dict):
            return None
        for uuid, json in changes.items():
            if uuid in table.rows or json is None or uuids.parse(uuid) != uuid:
                return None
            row = Row.default(table, uuid)
            try:
                _apply_columns(table, row.fields, json, False, False)
            except OvsdbError:
                return None
            row.fields[UUID_COLUMN] = (uuid,)
            row.fields[VERSION_COLUMN] = (uuids.generate(),)
            rows.append(row)
    n_atoms = 0
    for row in rows:
        row.table.rows[row.uuid] = row
        n_atoms += row.table.count_atoms(row)
    return n_atoms


def _is_annotation(name: str, value: object) -> bool:
    if name == "_date":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "_is_diff":
        return isinstance(value, bool)
    return name == "_comment"


def _apply_rows(
    transaction: Transaction, table: Table, rows: Any, converting: bool, is_diff: bool
) -> None:
    if not isinstance(rows, dict):
        raise syntax_error(rows, "object expected")
    present = table.rows
    for text, json in rows.items():
        row = present.get(text)
        if row is None:
            uuid = uuids.parse(text)
            if uuid is None:
                raise syntax_error(rows, f'"{text}" is not a valid UUID')
            row = present.get(uuid)
            if row is None:
                if json is None:
                    raise syntax_error(
                        None, f"transaction deletes row {uuid} that does not exist"
                    )
                row = Row.default(table, uuid)
                _apply_columns(table, row.fields, json, converting, False)
                row.fields[UUID_COLUMN] = (uuid,)
                transaction.insert(row)
                continue
        if json is None:
            transaction.delete(row)
        else:
            fields = transaction.modify(row).fields
            _apply_columns(table, fields, json, converting, is_diff)


def _apply_columns(
    table: Table, fields: list[Datum], json: Any, converting: bool, is_diff: bool
) -> None:
    if not isinstance(json, dict):
        raise syntax_error(json, "row must be JSON object")
    columns = table.schema.columns
    for name, value in json.items():
        column = columns.get(name)
        if column is None:
            if converting:
                continue
            raise syntax_error(
                json, f"No column {name} in table {table.name}.", "unknown column"
            )
        datum = column.type.from_json_value(value, None)
        index = column.index
        if is_diff and fields[index] != column.type.default:
            datum = apply_diff(fields[index], datum, column.type)
        fields[index] = datum
