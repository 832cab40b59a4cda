# SPDX-License-Identifier: Apache-2.0
"""What another server tells of its rows, as transactions on a database of ours.

Both forms of <table-updates> are understood: that of `update` (version 1), where a row
comes with what it was and what it is, and that of `update2` (2 and 3), where changes
are differences. `apply()` makes the transaction that follows a notification,
`replace()` the one that brings all contents in line with a monitor's first reply: rows
that are the same on both sides stay untouched, so nobody is told of them.

The callers commit what is returned. Both raise OvsdbError and leave nothing behind.

Sources: RFC 7047 section 4.1.6, ovsdb-server(7), ovsdb/{table,replication}.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.datum import apply_diff
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.row import Row, data_from_json
from ovswitch.ovsdb.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.table import Table

INSERT, UPDATE, DIFF, DELETE = "insert", "update", "diff", "delete"
CONSISTENCY_VIOLATION = "consistency violation"
_KINDS = {"initial": INSERT, "insert": INSERT, "modify": DIFF, "delete": DELETE}


class RowUpdate:
    """What happened to a row; `columns` is a <row>, None for a deleted one."""

    __slots__ = ("columns", "kind", "table", "uuid")

    def __init__(self, table: Table, uuid: str, kind: str, columns: Any) -> None:
        self.table = table
        self.uuid = uuid
        self.kind = kind
        self.columns = columns


def apply(database: Database, json: object, version: int) -> Transaction:
    """Return the transaction that <table-updates> amount to."""
    transaction = Transaction()
    try:
        for update in _parse(database, json, version):
            _apply_row(transaction, update)
    except BaseException:
        transaction.abort()
        raise
    return transaction


def replace(
    database: Database, json: object, version: int, spared: Collection[str] = ()
) -> Transaction:
    """Return the transaction that makes <table-updates> of rows all there is.

    Tables that are `spared` keep their rows.
    """
    transaction = Transaction()
    try:
        told: dict[Table, set[str]] = {}
        for update in _parse(database, json, version):
            _put_row(transaction, update)
            told.setdefault(update.table, set()).add(update.uuid)
        for name, table in database.tables.items():
            if name not in spared:
                kept = told.get(table, set())
                for row in [r for r in table.rows.values() if r.uuid not in kept]:
                    transaction.delete(row)
    except BaseException:
        transaction.abort()
        raise
    return transaction


# Parsing


def _parse(database: Database, json: object, version: int) -> Iterator[RowUpdate]:
    suffix = "2" if version > 1 else ""
    if not isinstance(json, dict):
        raise syntax_error(json, f"<table-updates{suffix}> is not an object")
    for name, rows in json.items():
        table = database.tables.get(name)
        if table is None:
            raise OvsdbError("unknown table", f"unknown table {name}")
        if not isinstance(rows, dict):
            raise syntax_error(
                json, f'<table-update{suffix}> for table "{name}" is not an object'
            )
        for text, row in rows.items():
            uuid = uuids.parse(text)
            if uuid is None:
                raise syntax_error(
                    rows, "<table-update> names must be UUIDs", "bad row UUID"
                )
            if not isinstance(row, dict):
                raise syntax_error(rows, f"<row-update{suffix}> is not an object")
            parse_row = _parse_row2 if version > 1 else _parse_row
            kind, columns = parse_row(row)
            yield RowUpdate(table, uuid, kind, columns)


def _parse_row(json: dict[str, Any]) -> tuple[str, Any]:
    new = json.get("new")
    if new is None:
        return DELETE, None
    return (INSERT if json.get("old") is None else UPDATE), new


def _parse_row2(json: dict[str, Any]) -> tuple[str, Any]:
    if len(json) != 1:
        raise syntax_error(json, "<row-update2> must have exactly one member")
    ((word, columns),) = json.items()
    kind = _KINDS.get(word)
    if kind is None:
        raise syntax_error(json, f'<row-update2> has unknown member "{word}"')
    return kind, columns


# Rows


def _apply_row(transaction: Transaction, update: RowUpdate) -> None:
    table = update.table
    row = table.rows.get(update.uuid)
    if update.kind == INSERT:
        if row is not None or not transaction.may_insert(table, update.uuid):
            raise _inconsistent("insert existing", update)
        _insert(transaction, update)
    elif row is None:
        raise _inconsistent(
            f"{'delete' if update.kind == DELETE else 'modify'} missing", update
        )
    elif update.kind == DELETE:
        transaction.delete(row)
    else:
        _modify(transaction, row, _data(update, row))


def _put_row(transaction: Transaction, update: RowUpdate) -> None:
    """Make a row what it was told to be, whether it is there or not."""
    row = update.table.rows.get(update.uuid)
    if update.kind != INSERT:
        raise _inconsistent("modify missing", update)
    if row is None:
        _insert(transaction, update)
    else:
        columns = update.table.schema.ordered[2:]
        data = {column: column.type.default for column in columns}
        data.update(_data(update, row))
        _modify(transaction, row, data)


def _insert(transaction: Transaction, update: RowUpdate) -> None:
    row = Row.default(update.table, update.uuid)
    for column, datum in _data(update, row).items():
        row.fields[column.index] = datum
    transaction.insert(row)


def _modify(
    transaction: Transaction, row: Row, data: dict[ColumnSchema, Datum]
) -> None:
    fields = row.fields
    changed = {c: datum for c, datum in data.items() if fields[c.index] != datum}
    if changed:
        new = transaction.modify(row).fields
        for column, datum in changed.items():
            new[column.index] = datum


def _data(update: RowUpdate, row: Row) -> dict[ColumnSchema, Datum]:
    """Return the row's new data; `_uuid` and `_version` are ours to give."""
    json = update.columns
    if isinstance(json, dict):
        json = {name: value for name, value in json.items() if name[:1] != "_"}
    if update.kind != DIFF:
        return data_from_json(update.table, json, None)
    return {
        column: apply_diff(row.fields[column.index], datum, column.type)
        for column, datum in _differences(update.table, json).items()
    }


def _differences(table: Table, json: Any) -> dict[ColumnSchema, Datum]:
    """Parse a <row> of differences, which may break the bounds of sets."""
    try:
        return data_from_json(table, json, None)
    except OvsdbError:
        columns = table.schema.columns
        if not isinstance(json, dict) or not columns.keys() >= json.keys():
            raise
        return {
            columns[name]: columns[name].type.relaxed().from_json_value(value, None)
            for name, value in json.items()
        }


def _inconsistent(what: str, update: RowUpdate) -> OvsdbError:
    return OvsdbError(
        CONSISTENCY_VIOLATION,
        f"cannot {what} row {update.uuid} from table {update.table.name}",
    )
