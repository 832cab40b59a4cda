# SPDX-License-Identifier: Apache-2.0
"""The synchronous IDL: a copy of a database that follows it, and transactions.

Names and behaviour are those of the official bindings' `ovs.db.idl`: a `SchemaHelper`
says what to follow, an `Idl` follows it, a `Transaction` changes it, the attributes of
a `Row` are its columns. UUIDs are strings. `Idl.run` takes what has arrived; `Idl.wait`
blocks until something does.

    helper = SchemaHelper(location)
    helper.register_columns("Bridge", ["name", "ports"])
    idl = Idl("unix:db.sock", helper)
    idl.wait_until_connected()
    txn = Transaction(idl)
    for bridge in idl.tables["Bridge"].rows.values(): ...
    txn.commit_block()
"""

from __future__ import annotations

from ovswitch.ovsdb import idl_transaction as status
from ovswitch.ovsdb.cs import MONITORING
from ovswitch.ovsdb.idl_core import IdlBase, IdlCore
from ovswitch.ovsdb.idl_session import Session, parse_remotes, shuffled
from ovswitch.ovsdb.idl_transaction import TransactionCore
from ovswitch.ovsdb.replica import ROW_CREATE, ROW_DELETE, ROW_UPDATE, Table
from ovswitch.ovsdb.replica_row import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ovswitch.ovsdb.replica import Replica

    Json: TypeAlias = Any

__all__ = [
    "ROW_CREATE",
    "ROW_DELETE",
    "ROW_UPDATE",
    "Idl",
    "Row",
    "SchemaHelper",
    "Transaction",
]


class SchemaHelper:
    """Which tables and columns to follow, of the schema in a file or as JSON."""

    def __init__(self, location: str | None = None, schema_json: Json = None) -> None:
        if (location is None) == (schema_json is None):
            raise ValueError("give one of location and schema_json")
        if location is not None:
            from ovswitch.runtime import json

            with open(location, "rb") as file:
                schema_json = json.from_string(file.read())
        self.schema_json = schema_json
        self._tables: dict[str, dict[str, None]] = {}
        self._readonly: dict[str, list[str]] = {}
        self._all = False

    def register_columns(
        self, table: str, columns: list[str], readonly: list[str] | None = None
    ) -> None:
        """Follow `columns` of `table`, but `readonly` ones only when fetched."""
        self._tables.setdefault(table, {}).update(dict.fromkeys(columns))
        self._readonly[table] = list(readonly or ())

    def register_table(self, table: str) -> None:
        """Follow all columns of `table`."""
        columns = self.schema_json["tables"][table]["columns"]
        self.register_columns(table, list(columns))

    def register_all(self) -> None:
        """Follow everything."""
        self._all = True

    def apply(self, replica: Replica) -> None:
        """Make a replica follow what was registered."""
        if self._all:
            for name in replica.table_names:
                self._follow(replica.table(name), replica.table(name).columns)
        for name, columns in self._tables.items():
            self._follow(replica.table(name), columns)

    def _follow(self, table: Table, columns: Any) -> None:
        table.add()
        for column in columns:
            if column not in self._readonly.get(table.name, ()):
                table.add_column(column)


class Idl(IdlBase):
    """Follows the database at `remote`: one or more methods, separated by commas.

    Read `tables`, `change_seqno`, `lock_name`, `has_lock`, `is_lock_contended` and
    `txn` (the transaction in progress). Subclasses may override `notify`. Without
    `retry` each remote is tried once. `eager` saves short-lived tools round trips.
    """

    def __init__(
        self,
        remote: str,
        schema_helper: SchemaHelper,
        probe_interval: int | None = None,
        leader_only: bool = True,
        *,
        retry: bool = True,
        shuffle: bool = True,
        eager: bool = False,
    ) -> None:
        self.core = IdlCore(
            schema_helper.schema_json, leader_only=leader_only, eager=eager
        )
        schema_helper.apply(self.core.replica)
        if type(self).notify is not Idl.notify:
            self.core.replica.notify = self.notify
        remotes, self.core.cs.server.cluster_id = parse_remotes(remote)
        if shuffle and len(remotes) > 1:
            remotes = shuffled(remotes)
        self._session = Session(remotes, retry=retry, probe_interval=probe_interval)
        self._was_connected = False
        self._changed = False

    # State.

    @property
    def is_alive(self) -> bool:
        """Whether waiting any longer can be of use."""
        return self._session.is_alive

    @property
    def last_error(self) -> int:
        """Error number of the last failure of the connection; 0 if there was none."""
        return self._session.last_error

    def session_name(self) -> str:
        """The remote that is connected, or tried next."""
        return self._session.name

    # Following.

    def run(self) -> bool:
        """Take what has arrived; return whether the contents changed."""
        self._step(0)
        return self._take_changed()

    def wait(self, timeout_ms: int | None = None) -> None:
        """Block until something arrives, the connection changes, or the time is up."""
        self._step(timeout_ms)

    def wait_until_connected(self) -> bool:
        """Block until the contents are there; return False if they never will be."""
        while not self.has_ever_connected() and self.is_alive:
            self._step(None)
        return self.has_ever_connected()

    def close(self) -> None:
        """Drop the connection for good. The contents stay."""
        self._session.close()
        self.core.cs.disconnected()

    def enable_reconnect(self) -> None:
        """Try forever from now on."""
        self._session.enable_reconnect()

    def force_reconnect(self) -> None:
        """Drop the connection and make another, at once if it was of use."""
        self._session.force_reconnect(at_once=self.core.cs.state == MONITORING)

    def notify(self, event: str, row: Row, updates: set[str]) -> None:
        """Override to hear of each change of a row: ROW_CREATE, _UPDATE, _DELETE."""

    # Inside.

    def _take_changed(self) -> bool:
        changed, self._changed = self._changed, False
        return changed

    def _step(self, timeout_ms: int | None) -> None:
        self._follow_connection()
        self._flush()
        before = self.change_seqno
        for message in self._session.poll(timeout_ms):
            self.core.receive(message)
        self._follow_connection()
        self.core.process()
        if self.core.cs.retry is not None and self._session.is_connected:
            self._session.force_reconnect(at_once=self.core.cs.retry_at_once)
        self._flush()
        self._changed |= self.change_seqno != before

    def _follow_connection(self) -> None:
        connected = self._session.is_connected
        if connected != self._was_connected:
            self._was_connected = connected
            if connected:
                self.core.cs.session_name = self._session.name
                self.core.cs.connected()
            else:
                self.core.cs.disconnected()
                self.core.abandon()

    def _flush(self) -> None:
        if self._session.is_connected:
            self._session.send(self.core.take_output())


class Transaction(TransactionCore):
    """A transaction on an `Idl`, which has at most one in progress."""

    UNCOMMITTED = status.UNCOMMITTED
    UNCHANGED = status.UNCHANGED
    INCOMPLETE = status.INCOMPLETE
    ABORTED = status.ABORTED
    SUCCESS = status.SUCCESS
    TRY_AGAIN = status.TRY_AGAIN
    NOT_LOCKED = status.NOT_LOCKED
    ERROR = status.ERROR

    __slots__ = ("idl",)

    def __init__(self, idl: Idl) -> None:
        super().__init__(idl.core.replica)
        self.idl = idl

    @staticmethod
    def status_to_string(value: str) -> str:
        """Return a status as text."""
        return value

    def commit(self) -> str:
        """Send the transaction and return its status.

        While that is INCOMPLETE, run the IDL and call again. TRY_AGAIN: somebody else
        was faster; build the transaction again once the contents have changed.
        """
        result = self.idl.core.commit(self)
        self.idl._flush()
        return result

    def commit_block(self) -> str:
        """Commit and block until the outcome is known."""
        while self.commit() == self.INCOMPLETE:
            self.idl.wait()
        return self.status

    def abort(self) -> None:
        """Give the transaction up, if it wasn't committed yet."""
        self.idl.core.abort(self)
