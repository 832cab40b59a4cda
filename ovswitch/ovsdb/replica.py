# SPDX-License-Identifier: Apache-2.0
"""A client's copy of (part of) a database.

A `Replica` has tables, a table has rows by UUID, a row has values by column. Updates
from the server change them; each real change raises `change_seqno`. A transaction lays
its own changes over the rows while it is being built and takes them off again when it
is sent: the server's update then brings them back for good. No update may be applied in
between.

Only the columns registered with `Table.add_column` are followed. A reference to a row
that isn't there (yet) is left out of the Python values that attributes give.

Sources: lib/ovsdb-idl.c, lib/ovsdb-idl.h, RFC 7047 sections 4.1.6 and 5.1,
ovsdb-server(7) on ``update2``.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.replica_row import Row
from ovswitch.ovsdb.replica_values import compile_converter
from ovswitch.ovsdb.schema import ColumnSchema
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from ovswitch.ovsdb.idl_index import Index
    from ovswitch.ovsdb.idl_transaction import TransactionCore
    from ovswitch.ovsdb.types import ColumnType

    Json: TypeAlias = Any

_log = vlog.Module("ovsdb_idl")
_semantic_rl = vlog.RateLimit(1, 5)

ROW_CREATE = "create"
ROW_UPDATE = "update"
ROW_DELETE = "delete"


class InconsistentError(Exception):
    """An update doesn't fit the contents: they must be fetched again."""


class Column:
    """One column of a table as the client sees it.

    `monitored`: the server sends it. `alert`: its changes count as changes; False for
    columns that the client writes and never reads.
    """

    __slots__ = (
        "_diff_type",
        "alert",
        "has_uuid",
        "monitored",
        "mutable",
        "name",
        "to_python",
        "type",
    )

    def __init__(self, schema: ColumnSchema) -> None:
        self.name = schema.name
        self.type = schema.type
        self.mutable = schema.mutable
        self.has_uuid = "uuid" in (schema.type.key.type, schema.type.value.type)
        self.monitored = False
        self.alert = True
        self.to_python = compile_converter(schema.type)
        self._diff_type: ColumnType | None = None

    @property
    def diff_type(self) -> ColumnType:
        """The type of a difference, which may have more elements than the column."""
        if self._diff_type is None:
            self._diff_type = self.type.relaxed()
        return self._diff_type


class Table:
    """One table of a replica. `rows` has the rows by UUID, in order of arrival.

    With `track` set, `inserted`, `modified` (with the names of the changed columns) and
    `deleted` collect the rows that changed until `clear_tracked`.

    Columns are made when first used: a tool needs few of the hundreds.
    """

    __slots__ = (
        "_columns",
        "_json",
        "deleted",
        "in_server_schema",
        "indexes",
        "inserted",
        "is_root",
        "max_rows",
        "modified",
        "name",
        "need_table",
        "replica",
        "rows",
        "track",
    )

    def __init__(
        self, replica: Replica, name: str, json: Json, *, is_root: bool
    ) -> None:
        self.replica = replica
        self.name = name
        self.is_root = is_root
        self.max_rows: int | None = json.get("maxRows")
        self._json: dict[str, Json] = json["columns"]
        self._columns: dict[str, Column] = {}
        self.rows: dict[str, Row] = {}
        self.need_table = False
        self.in_server_schema = False
        self.track = False
        self.inserted: dict[Row, None] = {}
        self.modified: dict[Row, set[str]] = {}
        self.deleted: dict[Row, None] = {}
        self.indexes: dict[str, Index] = {}

    @property
    def column_names(self) -> Iterable[str]:
        """The names of all columns in the schema."""
        return self._json.keys()

    @property
    def columns(self) -> dict[str, Column]:
        """All columns by name."""
        for name in self._json:
            self.column(name)
        return self._columns

    def find_column(self, name: str) -> Column | None:
        """The column `name`, or None if there is none."""
        column = self._columns.get(name)
        if column is None and name in self._json:
            column = Column(ColumnSchema.from_json(self._json[name], name))
            self._columns[name] = column
        return column

    def column(self, name: str) -> Column:
        """The column `name`, which must be in the schema."""
        column = self.find_column(name)
        if column is None:
            raise KeyError(f"{self.name} has no column {name}")
        return column

    @property
    def is_singleton(self) -> bool:
        """Whether there can be one row only."""
        return self.max_rows == 1

    def add(self) -> None:
        """Follow which rows there are."""
        self.need_table = True

    def add_column(self, name: str, *, alert: bool = True) -> Column:
        """Follow a column, and which rows there are in the tables that it refers to."""
        column = self.column(name)
        if not column.monitored:
            column.monitored = True
            column.alert = alert
            for base in (column.type.key, column.type.value):
                if base.ref_table_name is not None:
                    self.replica.table(base.ref_table_name).add()
        elif alert:
            column.alert = True
        return column

    def omit_alert(self, name: str) -> None:
        """No longer count changes of a column as changes of the database."""
        self.column(name).alert = False

    def first(self) -> Row | None:
        """Any row, or None."""
        return next(iter(self.rows.values()), None)

    def monitored_columns(self) -> list[str] | None:
        """Names of the columns to ask the server for; None if not even the rows."""
        names = [name for name, column in self._columns.items() if column.monitored]
        return sorted(names) if names or self.need_table else None

    def clear_tracked(self) -> None:
        """Forget what has changed so far."""
        self.inserted.clear()
        self.modified.clear()
        self.deleted.clear()

    def _note_insert(self, row: Row) -> None:
        if self.track:
            self.inserted[row] = None

    def _note_modify(self, row: Row, columns: set[str]) -> None:
        if self.track and row not in self.inserted:
            known = self.modified.get(row)
            if known is None:
                self.modified[row] = columns
            else:
                known |= columns

    def _note_delete(self, row: Row) -> None:
        if self.track:
            self.modified.pop(row, None)
            if row in self.inserted:
                del self.inserted[row]
            else:
                self.deleted[row] = None


class Observer:
    """Base class of who must see each change at once, while an update is applied."""

    def changed(self, event: str, row: Row, old: dict[str, Json]) -> None:
        """A row has changed; `old` has the columns' former values, datums or JSON."""

    def cleared(self) -> None:
        """All rows are gone; those that are back follow as ROW_CREATE."""


class Replica:
    """All tables of a database, as far as the client follows them.

    `schema` is the JSON of the schema that the client was written for, to be valid; its
    tables are made when first used, so that a tool doesn't pay for all of them.
    `notify`, if set, is called for each change of a row with (event, row, columns),
    after the update that brought it has been applied as a whole. With an `observer`
    whole contents that arrive anew replace the rows instead of updating them.
    """

    __slots__ = (
        "_all_root",
        "_notices",
        "_schema",
        "change_seqno",
        "name",
        "notify",
        "observer",
        "tables",
        "txn",
        "version",
    )

    def __init__(self, schema: Json) -> None:
        self.name: str = schema["name"]
        self.version: str = schema.get("version", "")
        self._schema: dict[str, Json] = schema["tables"]
        # A schema without root tables is from before garbage collection.
        self._all_root = not any(t.get("isRoot") for t in self._schema.values())
        self.tables: dict[str, Table] = {}
        self.change_seqno = 0
        self.txn: TransactionCore | None = None
        self.notify: Callable[[str, Row, set[str]], None] | None = None
        self.observer: Observer | None = None
        self._notices: list[tuple[str, Row, set[str]]] = []

    def table(self, name: str) -> Table:
        """The table `name`, which must be in the schema."""
        table = self.tables.get(name)
        if table is None:
            json = self._schema[name]
            is_root = self._all_root or json.get("isRoot", False)
            table = self.tables[name] = Table(self, name, json, is_root=is_root)
        return table

    @property
    def table_names(self) -> Iterable[str]:
        """The names of all tables in the schema."""
        return self._schema.keys()

    def monitor_requests(self, schema: Json) -> dict[str, Json]:
        """The body of a monitor request.

        Tables and columns that the server's JSON `schema` lacks are left out with a
        warning; with None the server is expected to have them all.
        """
        requests: dict[str, Json] = {}
        for name, table in sorted(self.tables.items()):
            columns = table.monitored_columns()
            if columns is None:
                continue
            if schema is not None:
                known = _server_columns(schema, name)
                table.in_server_schema = known is not None
                if known is None:
                    _log.warn(
                        "%s database lacks %s table (database needs upgrade?)",
                        self.name,
                        name,
                    )
                    continue
                for column in columns:
                    if column not in known:
                        _log.warn(
                            "%s table in %s database lacks %s column "
                            "(database needs upgrade?)",
                            name,
                            self.name,
                            column,
                        )
                columns = [column for column in columns if column in known]
            else:
                table.in_server_schema = True
            requests[name] = [{"columns": columns}]
        return requests

    def clear_tracked(self) -> None:
        """Forget what has changed so far, in all tables."""
        for table in self.tables.values():
            table.clear_tracked()

    # Updates.

    def update(
        self, updates: Json, version: int, *, clear: bool = False, initial: bool = False
    ) -> None:
        """Apply the body of an ``update`` (version 1), ``update2`` or ``update3``.

        With `clear` it is the whole contents: rows that it lacks are deleted.
        Raises: InconsistentError: it doesn't fit; part of it may have been applied.
        """
        if initial:
            self.change_seqno += 1
        try:
            self._apply(updates, version, clear=clear)
        finally:
            notices, self._notices = self._notices, []
            if self.notify is not None:
                for notice in notices:
                    self.notify(*notice)

    def _apply(self, updates: Json, version: int, *, clear: bool) -> None:
        if not isinstance(updates, dict):
            raise InconsistentError("update is not an object")
        process = self._update_row1 if version == 1 else self._update_row2
        if clear and self.observer is not None:
            self._clear(self.observer)
        elif clear:
            self._delete_missing(updates)
            process = self._replace_row
        for name, rows in updates.items():
            table = self.tables.get(name)
            if table is None or not isinstance(rows, dict):
                raise InconsistentError(f'update to unknown table "{name}"')
            for uuid, change in rows.items():
                if not isinstance(change, dict):
                    raise InconsistentError("row update is not an object")
                process(table, uuid, change)

    def _clear(self, observer: Observer) -> None:
        for table in self.tables.values():
            if table.rows:
                table.rows.clear()
                self.change_seqno += 1
        observer.cleared()

    def _delete_missing(self, updates: dict[str, Json]) -> None:
        for name, table in self.tables.items():
            present = updates.get(name, {})
            if not isinstance(present, dict):
                raise InconsistentError(f'update to table "{name}" is not an object')
            for uuid in [uuid for uuid in table.rows if uuid not in present]:
                self._delete(table, uuid)

    def _replace_row(self, table: Table, uuid: str, change: dict[str, Json]) -> None:
        values = change.get("initial", change.get("insert", change.get("new")))
        if not isinstance(values, dict):
            raise InconsistentError("initial contents without values")
        if uuid in table.rows:
            for column in table.monitored_columns() or ():
                if column not in values:
                    values[column] = table.column(column).type.default
            self._modify(table, uuid, values, diff=False)
        else:
            self._insert(table, uuid, values)

    def _update_row1(self, table: Table, uuid: str, change: dict[str, Json]) -> None:
        new = change.get("new")
        if new is None:
            self._delete(table, uuid)
        elif "old" in change:
            self._modify(table, uuid, new, diff=False)
        else:
            self._insert(table, uuid, new)

    def _update_row2(self, table: Table, uuid: str, change: dict[str, Json]) -> None:
        for kind, values in change.items():
            if kind == "modify":
                self._modify(table, uuid, values, diff=True)
            elif kind in ("insert", "initial"):
                self._insert(table, uuid, values)
            elif kind == "delete":
                self._delete(table, uuid)
            else:
                raise InconsistentError(f'unknown row update "{kind}"')

    def _insert(self, table: Table, uuid: str, values: Json) -> None:
        if not isinstance(values, dict) or not uuids.is_valid(uuid):
            raise InconsistentError("bad row in update")
        if uuid in table.rows:
            raise _inconsistent("cannot add existing row %s to table %s", table, uuid)
        row = table.rows[uuid] = Row(table, uuid, values)
        table._note_insert(row)
        self._changed(ROW_CREATE, row, set(), {})

    def _delete(self, table: Table, uuid: str) -> None:
        row = table.rows.pop(uuid, None)
        if row is None:
            raise _inconsistent(
                "cannot delete missing row %s from table %s", table, uuid
            )
        table._note_delete(row)
        self._changed(ROW_DELETE, row, set(), {})

    def _modify(self, table: Table, uuid: str, values: Json, *, diff: bool) -> None:
        row = table.rows.get(uuid)
        if row is None or not isinstance(values, dict):
            raise _inconsistent("cannot modify missing row %s in table %s", table, uuid)
        old = row._apply(values, diff=diff)
        columns = {name for name in old if table.column(name).alert}
        if columns:
            table._note_modify(row, columns)
            self._changed(ROW_UPDATE, row, columns, old)

    def _changed(
        self, event: str, row: Row, columns: set[str], old: dict[str, Json]
    ) -> None:
        self.change_seqno += 1
        if self.observer is not None:
            self.observer.changed(event, row, old)
        if self.notify is not None:
            self._notices.append((event, row, columns))


def _inconsistent(text: str, table: Table, uuid: str) -> InconsistentError:
    _log.err_rl(_semantic_rl, text, uuid, table.name)
    return InconsistentError(text % (uuid, table.name))


def _server_columns(schema: Json, table: str) -> Json:
    """The columns of a table in a JSON schema, or None."""
    try:
        return schema["tables"][table]["columns"]
    except (KeyError, TypeError):
        return None
