# SPDX-License-Identifier: Apache-2.0
"""Transactions of a client: changes to its rows, made into operations for the server.

A transaction lays its changes over the replica's rows. `operations` makes them the
parameters of a ``transact`` request: first a ``wait`` for each row with verified
columns, so that a concurrent change makes the whole fail softly (TRY_AGAIN); then
inserts, updates of what was written, mutations for partial updates, the increment with
a ``select`` of its result, the comment. `disassemble` takes the changes off the rows
again; they come back with the server's update. `take_reply` finds out what became of
it.

A sans-IO core: `idl.Transaction` and `aio_idl` send and wait.

Sources: lib/ovsdb-idl.c (ovsdb_idl_txn_*), python/ovs/db/idl.py for the names.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.replica_row import Row
from ovswitch.runtime import json, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.replica import Replica, Table

    Json: TypeAlias = Any
    Operation: TypeAlias = dict[str, Json]

_log = vlog.Module("ovsdb_idl")
_syntax_rl = vlog.RateLimit(1, 5)
_other_rl = vlog.RateLimit(1, 5)

UNCOMMITTED = "uncommitted"
UNCHANGED = "unchanged"
INCOMPLETE = "incomplete"
ABORTED = "aborted"
SUCCESS = "success"
TRY_AGAIN = "try again"
NOT_LOCKED = "not locked"
ERROR = "error"


class Increment:
    """An integer column to add 1 to: in which row, and whether for that alone."""

    __slots__ = ("column", "force", "index", "new_value", "row")

    def __init__(self, row: Row, column: str, *, force: bool) -> None:
        self.row = row
        self.column = column
        self.force = force
        self.index = 0
        self.new_value = 0


class Fetch:
    """A column to read from the server at commit."""

    __slots__ = ("column", "index", "row")

    def __init__(self, row: Row, column: str) -> None:
        self.row = row
        self.column = column
        self.index = 0


class TransactionCore:
    """One transaction; a replica has at most one in progress."""

    __slots__ = (
        "_comments",
        "_error",
        "_fetches",
        "_increment",
        "_inserted",
        "_rows",
        "dry_run",
        "replica",
        "status",
    )

    def __init__(self, replica: Replica) -> None:
        if replica.txn is not None:
            raise RuntimeError("a transaction is in progress already")
        replica.txn = self
        self.replica = replica
        self.dry_run = False
        self.status = UNCOMMITTED
        self._rows: dict[str, Row] = {}
        self._comments: list[str] = []
        self._increment: Increment | None = None
        self._fetches: list[Fetch] = []
        self._inserted: dict[str, int | str] = {}
        self._error: str | None = None

    # What the rows call.

    def note(self, row: Row) -> None:
        """A row takes part in the transaction."""
        self._rows[row.uuid] = row

    def forget(self, row: Row) -> None:
        """A row that the transaction inserted is deleted again."""
        self._rows.pop(row.uuid, None)

    # Building.

    def add_comment(self, comment: str) -> None:
        """Add a line to the comment that the database's log keeps."""
        self._comments.append(comment)

    def insert(
        self,
        table: Table,
        new_uuid: str | None = None,
        persist_uuid: bool = False,
    ) -> Row:
        """Insert and return a new row.

        It has the provisional UUID `new_uuid` or a random one, to be replaced by the
        server's at commit unless `persist_uuid`.
        """
        uuid = new_uuid if new_uuid is not None else uuids.generate()
        row = Row(table, uuid, None)
        row._persist_uuid = persist_uuid
        table.rows[uuid] = row
        self.note(row)
        return row

    def increment(self, row: Row, column: str, *, force: bool = True) -> None:
        """Add 1 to an integer column at commit; without `force` only beside changes."""
        self._increment = Increment(row, column, force=force)

    def fetch(self, row: Row, column: str) -> None:
        """Read a column that isn't followed; the row has it after the commit."""
        self._fetches.append(Fetch(row, column))

    def get_increment_new_value(self) -> int:
        """The value after the increment of a transaction that succeeded."""
        assert self.status == SUCCESS
        assert self._increment is not None
        return self._increment.new_value

    def get_insert_uuid(self, uuid: str) -> str | None:
        """The permanent UUID of the row inserted as `uuid`; None if there is none."""
        real = self._inserted.get(uuid)
        return real if isinstance(real, str) else None

    def get_error(self) -> str:
        """What went wrong: the status, or the server's error as JSON."""
        if self.status != ERROR:
            return self.status
        return self._error or "no error details available"

    # Committing.

    def operations(self) -> list[Operation] | None:
        """The operations, or None if they wouldn't change anything."""
        prerequisites = [self._wait(row) for row in self._rows.values() if row._prereqs]
        operations = prerequisites + self._singleton_waits()
        changed = False
        for row in self._rows.values():
            changed |= self._add_changes(row, operations)
        for fetch in self._fetches:
            changed = True
            fetch.index = len(operations)
            operations.append(self._select(fetch.row, fetch.column))
        increment = self._increment
        if increment is not None and (changed or increment.force):
            changed = True
            increment.index = len(operations)
            operations.extend(self._increment_operations(increment))
        if self._comments:
            comment = "\n".join(self._comments)
            operations.append({"op": "comment", "comment": comment})
        if self.dry_run:
            operations.append({"op": "abort"})
        return operations if changed else None

    def disassemble(self) -> None:
        """Take the changes off the rows; the replica may begin another transaction."""
        if self.replica.txn is not self:
            return
        self.replica.txn = None
        for uuid, row in self._rows.items():
            row._drop_changes()
            if row.is_new():
                row._table.rows.pop(uuid, None)
            elif row._deleted:
                row._deleted = False
                row._table.rows[uuid] = row
        self._rows.clear()

    def take_reply(self, result: Json, error: Json) -> bool:
        """Set the status from the server's reply.

        Return False if the server doesn't know the database: the contents are stale.
        """
        if error is not None:
            if error == "canceled":
                self.status = TRY_AGAIN
            else:
                self.status = ERROR
                self._set_error(error)
            return True
        if not isinstance(result, list):
            _log.warn_rl(_syntax_rl, 'reply to "transact" is not JSON array')
            self.status = ERROR
            self._set_error(result)
            return True
        return self._take_results(result)

    # Inside: building operations.

    def _wait(self, row: Row) -> Operation:
        assert row._prereqs is not None
        column = row._table.column
        return {
            "op": "wait",
            "table": row._table.name,
            "timeout": 0,
            "where": where_uuid(row.uuid),
            "until": "==",
            "columns": list(row._prereqs),
            "rows": [
                {
                    name: column(name).type.to_json_value(row.original(name))
                    for name in row._prereqs
                }
            ],
        }

    def _singleton_waits(self) -> list[Operation]:
        """A row inserted into a table for one row: only if the table is still empty."""
        operations: list[Operation] = []
        for table in {row._table for row in self._rows.values() if row.is_new()}:
            if not table.is_singleton or len(table.rows) != 1:
                continue
            if any(r._deleted and r._table is table for r in self._rows.values()):
                continue
            operations.append(
                {
                    "op": "wait",
                    "table": table.name,
                    "where": [],
                    "timeout": 0,
                    "until": "==",
                    "rows": [],
                }
            )
        return operations

    def _add_changes(self, row: Row, operations: list[Operation]) -> bool:
        """Append a row's operations; return whether they change anything."""
        if row._deleted:
            if row._table.is_root:
                operations.append(
                    {
                        "op": "delete",
                        "table": row._table.name,
                        "where": where_uuid(row.uuid),
                    }
                )
            return row._table.is_root  # otherwise the server decides
        if row.is_new():
            self._inserted[row.uuid] = len(operations)
            operations.append(self._insert_operation(row))
            changed = True
        else:
            changed = self._add_update(row, operations)
        return self._add_mutations(row, operations) or changed

    def _insert_operation(self, row: Row) -> Operation:
        operation: Operation = {"op": "insert", "table": row._table.name}
        if row._persist_uuid:
            operation["uuid"] = row.uuid
        else:
            operation["uuid-name"] = uuids.row_name(row.uuid)
        operation["row"] = {
            name: self._to_json(row, name, datum)
            for name, datum in (row._changes or {}).items()
            if not row._table.column(name).type.is_default(datum)
        }
        return operation

    def _add_update(self, row: Row, operations: list[Operation]) -> bool:
        if not row._changes:
            return False
        operations.append(
            {
                "op": "update",
                "table": row._table.name,
                "where": where_uuid(row.uuid),
                "row": {
                    name: self._to_json(row, name, datum)
                    for name, datum in row._changes.items()
                },
            }
        )
        return any(datum != row.original(n) for n, datum in row._changes.items())

    def _add_mutations(self, row: Row, operations: list[Operation]) -> bool:
        mutations = []
        for name, mutation in (row._mutations or {}).items():
            for mutator, value in mutation.to_json(row.base(name)):
                mutations.append([name, mutator, self._substitute(value)])
        if not mutations:
            return False
        operations.append(
            {
                "op": "mutate",
                "table": row._table.name,
                "where": self._substitute(where_uuid(row.uuid)),
                "mutations": mutations,
            }
        )
        return True

    def _increment_operations(self, increment: Increment) -> list[Operation]:
        row = increment.row
        where = self._substitute(where_uuid(row.uuid))
        return [
            {
                "op": "mutate",
                "table": row._table.name,
                "where": where,
                "mutations": [[increment.column, "+=", 1]],
            },
            self._select(row, increment.column),
        ]

    def _select(self, row: Row, column: str) -> Operation:
        return {
            "op": "select",
            "table": row._table.name,
            "where": self._substitute(where_uuid(row.uuid)),
            "columns": [column],
        }

    def _to_json(self, row: Row, name: str, datum: Datum) -> Json:
        column = row._table.column(name)
        value = column.type.to_json_value(datum)
        return self._substitute(value) if column.has_uuid else value

    def _substitute(self, value: Json) -> Json:
        """Refer to rows that this transaction inserts by name."""
        if not isinstance(value, list | tuple):
            return value
        if len(value) == 2 and value[0] == "uuid" and isinstance(value[1], str):
            row = self._rows.get(value[1])
            if row is not None and row.is_new() and not row._persist_uuid:
                return ["named-uuid", uuids.row_name(row.uuid)]
            return value
        return [self._substitute(element) for element in value]

    # Inside: the reply.

    def _take_results(self, results: list[Json]) -> bool:
        hard = soft = lock = False
        known = True
        for result in results:
            if result is None:
                soft = True  # an earlier operation failed
                continue
            error = result.get("error") if isinstance(result, dict) else ""
            if error is None or error == "aborted":
                pass
            elif error == "timed out":
                soft = True
            elif error == "unknown database":
                soft, known = True, False
            elif error == "not owner":
                lock = True
            else:
                hard = True
                self._set_error(result)
                if error != "not allowed":
                    _log.warn_rl(_other_rl, "transaction error: %s", self._error)
        if not (hard or soft or lock):
            hard = not self._take_values(results)
        self.status = (
            ERROR if hard else NOT_LOCKED if lock else TRY_AGAIN if soft else SUCCESS
        )
        return known

    def _take_values(self, results: list[Json]) -> bool:
        """Find the permanent UUIDs and the incremented value in the results."""
        try:
            for uuid, index in self._inserted.items():
                assert isinstance(index, int)
                tag, real = results[index]["uuid"]
                if tag != "uuid" or not isinstance(real, str):
                    raise ValueError("insert reply without UUID")
                self._inserted[uuid] = real
            if self._increment is not None:
                self._take_increment(self._increment, results)
            for fetch in self._fetches:
                self._take_fetch(fetch, results)
        except (LookupError, TypeError, ValueError):
            _log.warn_rl(_syntax_rl, "malformed reply to transaction")
            return False
        return True

    def _take_increment(self, increment: Increment, results: list[Json]) -> None:
        (row,) = results[increment.index + 1]["rows"]
        value = row[increment.column]
        if results[increment.index]["count"] != 1 or not isinstance(value, int):
            raise ValueError("bad increment reply")
        increment.new_value = value

    def _take_fetch(self, fetch: Fetch, results: list[Json]) -> None:
        rows = results[fetch.index]["rows"]
        if fetch.row._data is not None and len(rows) == 1:  # or deleted meanwhile
            fetch.row._data[fetch.column] = rows[0][fetch.column]
            self.replica.change_seqno += 1

    def _set_error(self, error: Json) -> None:
        if self._error is None:
            self._error = json.to_string(error, sort=True)


def where_uuid(uuid: str) -> Json:
    """The condition that selects one row."""
    return [["_uuid", "==", ["uuid", uuid]]]
