# SPDX-License-Identifier: Apache-2.0
"""A database in memory: tables, storage, and who is told of changes.

`transact()` runs a request and commits it; `replay()` completes what came from
storage. Time and storage are given; nothing here opens a file or reads a clock. A
committed transaction is written to storage first, then shown to the `observers`
(monitors), then becomes final: the order that makes a failed write harmless.

`serial` counts commits that changed something: a postponed `wait` is tried again when
it has moved.

Sources: ovsdb/{ovsdb,transaction,trigger}.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import records
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.execution import Execution, PostponedError
from ovswitch.ovsdb.row import Row
from ovswitch.ovsdb.table import Table
from ovswitch.ovsdb.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ovswitch.ovsdb.execution import HoldsLock
    from ovswitch.ovsdb.rbac import Client
    from ovswitch.ovsdb.schema import Schema

    Observer = Callable[[Transaction], None]

    class Storage(Protocol):
        """Where records go. Both methods raise OvsdbError if they fail.

        A durable record is safe when `write` returns or, if `needs_sync` is then
        set, when `sync_pending` does.
        """

        needs_sync: bool

        def write(self, record: dict[str, Any], durable: bool) -> None:
            """Keep a record."""

        def sync_pending(self) -> None:
            """Make durable records so."""


class Database:
    """A schema's tables and rows.

    `storage` is None for a database that lives in memory only. `use_diff` chooses the
    form of records.
    """

    def __init__(
        self, schema: Schema, storage: Storage | None = None, use_diff: bool = True
    ) -> None:
        self.schema = schema
        self.storage = storage
        self.use_diff = use_diff
        self.tables = {name: Table(table) for name, table in schema.tables.items()}
        for table in self.tables.values():
            table.resolve(self.tables)
        self.observers: list[Observer] = []
        self.serial = 0
        self.n_atoms = 0
        self.n_weak_refs = 0

    @property
    def name(self) -> str:
        """The schema's name."""
        return self.schema.name

    def transact(
        self,
        params: Any,
        wall_ms: int,
        *,
        read_only: bool = False,
        holds_lock: HoldsLock | None = None,
        elapsed_ms: int = 0,
        may_wait: bool = False,
        client: Client | None = None,
    ) -> Any:
        """Run the parameters of a `transact` request; return its result.

        `elapsed_ms` is how long it has waited; `client` is subject to access control.
        Raises: PostponedError, if `may_wait`.
        """
        if not isinstance(params, list):
            return syntax_error(params, "array expected").to_json()
        if not params or params[0] != self.name:
            return syntax_error(
                params, "database name expected as first parameter"
            ).to_json()
        execution = Execution(self, holds_lock, elapsed_ms, client)
        operations = params[1:]
        try:
            outcome = execution.run(operations, read_only)
        except PostponedError:
            if may_wait:
                raise
            error = OvsdbError("not supported", "triggers not supported")
            return [error.to_json(), *[None] * (len(operations) - 1)]
        if outcome.transaction is not None:
            try:
                self.commit(outcome.transaction, wall_ms, outcome.durable)
            except OvsdbError as error:
                outcome.results.append(error.to_json())
        return outcome.results

    def commit(
        self, transaction: Transaction, wall_ms: int, durable: bool = False
    ) -> None:
        """Check, store and complete a transaction, or undo it.

        Raises: OvsdbError: it is undone.
        """
        try:
            transaction.check()
            if self.storage is not None:
                record = records.from_transaction(transaction, self.use_diff)
                if record is not None:
                    records.annotate(
                        record, wall_ms, transaction.comment, self.use_diff
                    )
                    self.storage.write(record, durable)
        except BaseException:
            transaction.abort()
            raise
        self._complete(transaction)

    def replay(self, transaction: Transaction) -> None:
        """Check and complete what a record from storage says, without writing it.

        Raises: OvsdbError: it breaks the schema's rules and is undone.
        """
        try:
            transaction.check()
        except BaseException:
            transaction.abort()
            raise
        self._complete(transaction)

    def replay_plainly(self, record: dict[str, Any]) -> bool:
        """Take a record from storage in the short way, if that is possible.

        Nobody may observe the database yet.
        """
        n_atoms = records.insert_plain(self.tables, record)
        if n_atoms is None:
            return False
        self.n_atoms += n_atoms
        self.serial += 1
        return True

    def _complete(self, transaction: Transaction) -> None:
        if not transaction.changes:
            return
        for observer in self.observers:
            observer(transaction)
        self.n_weak_refs += transaction.complete()
        self.n_atoms += transaction.n_atoms_change
        self.serial += 1
        for table in transaction.changes:
            if table.log:
                _log_changes(transaction, table)

    def snapshot(self, wall_ms: int, comment: str | None) -> dict[str, Any]:
        """Return the record that holds the whole database."""
        record = records.from_tables(self.tables)
        return records.annotate(record, wall_ms, comment, self.use_diff)

    def converted(self, schema: Schema) -> Database:
        """Return a copy of the database, in memory, under another schema.

        Columns and tables that the schema hasn't got are left behind.
        Raises: OvsdbError: the data don't fit.
        """
        new = Database(schema, None, self.use_diff)
        transaction = Transaction()
        for name, table in self.tables.items():
            target = new.tables.get(name)
            if target is not None:
                for row in table.rows.values():
                    transaction.insert(_convert_row(row, target))
        transaction.check()
        new._complete(transaction)
        return new


def _convert_row(row: Row, target: Table) -> Row:
    new = Row.default(target, row.uuid)
    for column in row.table.schema.ordered[2:]:
        wanted = target.schema.columns.get(column.name)
        if wanted is not None:
            json = _listed(column.type.to_json_value(row.fields[column.index]))
            new.fields[wanted.index] = wanted.type.from_json_value(json, None)
    return new


def _listed(json: Any) -> Any:
    """Return JSON with lists in place of the tuples that a datum lends it."""
    if isinstance(json, list | tuple):
        return [_listed(element) for element in json]
    return json


def _log_changes(transaction: Transaction, table: Table) -> None:
    from ovswitch.runtime import vlog

    log = vlog.Module("transaction")
    limit = vlog.RateLimit(30, 60)
    for change in transaction.changes[table].values():
        row = change.new or change.old
        if row is None or not change.columns:
            continue
        verb = "updated" if change.old and change.new else "inserted"
        if change.new is None:
            verb = "deleted"
        log.info_rl(limit, "table:%s,op:%s,%s", table.name, verb, row.to_string())
