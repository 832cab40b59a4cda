# SPDX-License-Identifier: Apache-2.0
"""Transactions of the drop-in's `Idl`: the library's, with the official values.

The library's transaction makes the operations; here the tables' rows and indexes are
kept in line while it is being built, and put back as they were when it is sent.
"""

from __future__ import annotations

from ovswitch.bindings.db.row import Row
from ovswitch.bindings.poller import Poller
from ovswitch.ovsdb import cs, idl_transaction
from ovswitch.ovsdb.idl_core import IdlCore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import uuid

    from ovswitch.bindings.db.idl import Idl
    from ovswitch.bindings.db.schema import TableSchema
    from ovswitch.bindings.db.table import IdlTable


class Transaction:
    """A transaction on an `Idl`, which has at most one in progress."""

    UNCOMMITTED = idl_transaction.UNCOMMITTED
    UNCHANGED = idl_transaction.UNCHANGED
    INCOMPLETE = idl_transaction.INCOMPLETE
    ABORTED = idl_transaction.ABORTED
    SUCCESS = idl_transaction.SUCCESS
    TRY_AGAIN = idl_transaction.TRY_AGAIN
    NOT_LOCKED = idl_transaction.NOT_LOCKED
    ERROR = idl_transaction.ERROR

    def __init__(self, idl: Idl) -> None:
        assert idl.txn is None
        self.idl = idl
        self._core: idl_transaction.TransactionCore | None = None
        if isinstance(idl.core, IdlCore):  # a mock's can only be given up
            self._core = idl_transaction.TransactionCore(idl.core.replica)
        self._inserted: dict[uuid.UUID, Row] = {}
        self._deleted: dict[uuid.UUID, Row] = {}
        self._written: dict[uuid.UUID, Row] = {}
        idl.txn = self

    @staticmethod
    def status_to_string(status: str) -> str:
        """Return a status as text."""
        return status

    @property
    def core(self) -> idl_transaction.TransactionCore:
        """The library's transaction."""
        assert self._core is not None
        return self._core

    @property
    def _status(self) -> str:
        return self.core.status

    @_status.setter
    def _status(self, status: str) -> None:
        self.core.status = status

    @property
    def dry_run(self) -> bool:
        """Whether the server shall only say what would happen."""
        return self.core.dry_run

    @dry_run.setter
    def dry_run(self, dry_run: bool) -> None:
        self.core.dry_run = dry_run

    def add_comment(self, comment: str) -> None:
        """Add a line to the comment that the database's log keeps."""
        self.core.add_comment(comment)

    def insert(
        self,
        table: IdlTable | TableSchema,
        new_uuid: uuid.UUID | None = None,
        persist_uuid: bool = False,
    ) -> Row:
        """Insert and return a new row.

        It has the provisional UUID `new_uuid` or a random one, to be replaced by the
        server's at commit unless `persist_uuid`.
        """
        assert self._status == Transaction.UNCOMMITTED
        idl_table = self.idl.tables[table.name]
        core_table = self.idl.core.replica.table(table.name)
        number = None if new_uuid is None else str(new_uuid)
        core = self.core.insert(core_table, number, persist_uuid)
        row = Row.over(self.idl, idl_table, core)
        idl_table.rows[row.uuid] = row
        self._inserted[row.uuid] = row
        return row

    def wait(self, poller: Poller) -> None:
        """Wake `poller` up if the outcome is known."""
        if self._status not in (Transaction.UNCOMMITTED, Transaction.INCOMPLETE):
            poller.immediate_wake()

    def commit(self) -> str:
        """Send the transaction and return its status.

        While that is INCOMPLETE, run the IDL and call again. TRY_AGAIN: somebody else
        was faster; build the transaction again once the contents have changed.
        """
        if self.idl.txn is not self:
            return self._status
        if self.idl.core.cs.state != cs.MONITORING:
            self._status = Transaction.TRY_AGAIN
        self.idl.core.commit(self.core)
        self._take_off()
        self.idl._flush()
        return self._status

    def commit_block(self) -> str:
        """Commit and run the IDL until the outcome is known."""
        while self.commit() == Transaction.INCOMPLETE:
            self.idl.run()
            if self._status != Transaction.INCOMPLETE:
                break
            poller = Poller()
            self.idl.wait(poller)
            self.wait(poller)
            poller.block()
        return self._status

    def abort(self) -> None:
        """Give the transaction up; one that was sent may still be committed."""
        if self._core is not None:
            self.idl.core.abort(self._core)
        self._take_off()

    def get_error(self) -> str:
        """Return what went wrong: the status, or the server's error as JSON."""
        return self.core.get_error()

    def get_increment_new_value(self) -> int:
        """Return the value after the increment of a transaction that succeeded."""
        return self.core.get_increment_new_value()

    def get_insert_uuid(self, uuid: uuid.UUID) -> uuid.UUID | None:
        """Return the permanent UUID of the row inserted as `uuid`, None without one."""
        assert self._status in (Transaction.SUCCESS, Transaction.UNCHANGED)
        real = self.core.get_insert_uuid(str(uuid))
        return None if real is None else type(uuid)(real)

    # What rows call.

    def wrote(self, row: Row, column_name: str) -> None:
        """A row has a new value in a column, perhaps an indexed one."""
        self._written[row.uuid] = row
        for index in row._table.rows.indexes.values():
            if any(column_name == column.column for column in index.columns):
                index.add(row)

    def deleted(self, row: Row) -> None:
        """A row is deleted."""
        if self._inserted.pop(row.uuid, None) is None:
            self._deleted[row.uuid] = row

    def deletes(self, row: Row) -> bool:
        """Whether the transaction deletes a row."""
        return row.uuid in self._deleted

    # Inside.

    def _take_off(self) -> None:
        """Show the rows again as they are in the database."""
        if self._core is not None:
            self._core.disassemble()
        if self.idl.txn is not self:
            return
        self.idl.txn = None
        deleted, self._deleted = self._deleted, {}
        for row in self._inserted.values():
            del row._table.rows[row.uuid]
        for row in deleted.values():
            row._table.rows[row.uuid] = row
        for number, row in self._written.items():
            if number not in self._inserted:
                for index in row._table.rows.indexes.values():
                    index.add(row)
        self._inserted, self._written = {}, {}
