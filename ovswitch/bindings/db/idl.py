# SPDX-License-Identifier: Apache-2.0
"""The drop-in for `ovs.db.idl`: the same names, values and behaviour.

`Idl` follows a database over a `jsonrpc.Session`, which never blocks; what it holds and
says is the library's (`ovswitch.ovsdb.idl_core`), which treats clusters, relays and old
servers as the C library does. An `Idl` belongs to one thread at a time.
docs/python-bindings.md lists what differs from upstream's.
"""

from __future__ import annotations

import enum
import uuid
from collections import namedtuple

from ovswitch.bindings import dirs, json, jsonrpc
from ovswitch.bindings.db import error
from ovswitch.bindings.db.row import Row
from ovswitch.bindings.db.schema import DbSchema, TableSchema
from ovswitch.bindings.db.table import ConditionState, IdlColumn, IdlTable
from ovswitch.bindings.poller import Poller
from ovswitch.ovsdb import cs, idl_transaction
from ovswitch.ovsdb.idl_core import IdlCore
from ovswitch.ovsdb.idl_session import parse_remotes
from ovswitch.ovsdb.replica import ROW_CREATE, ROW_DELETE, ROW_UPDATE, Observer
from ovswitch.ovsdb.replica_row import Row as CoreRow
from ovswitch.runtime import jsonrpc as core_jsonrpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ovswitch.bindings.db.custom_index import MultiColumnIndex

__all__ = [
    "ROW_CREATE",
    "ROW_DELETE",
    "ROW_UPDATE",
    "ConditionState",
    "Idl",
    "IdlColumn",
    "IdlTable",
    "Monitor",
    "Notice",
    "Row",
    "SchemaHelper",
    "Transaction",
]

OVSDB_UPDATE = 0
OVSDB_UPDATE2 = 1
OVSDB_UPDATE3 = 2

CLUSTERED = "clustered"
RELAY = "relay"

_BATCH = 50

Notice = namedtuple("Notice", ("event", "row", "updates"), defaults=(None,))


class Monitor(enum.IntEnum):
    """The methods that follow a database."""

    monitor = OVSDB_UPDATE
    monitor_cond = OVSDB_UPDATE2
    monitor_cond_since = OVSDB_UPDATE3


class _Follower(Observer):
    """Keeps the tables' rows in line with the replica's; collects what to notify of."""

    def __init__(self, idl: Idl) -> None:
        self._idl = idl
        self.notices: list[Any] = []

    def changed(self, event: str, row: CoreRow, old: dict[str, Any]) -> None:
        """A row of the replica has changed."""
        idl = self._idl
        table = idl.tables.get(row._table.name)
        if table is None:
            return
        idl.cooperative_yield()
        if event == ROW_CREATE:
            known = Row.over(idl, table, row)
        else:
            known = table.rows[uuid.UUID(row.uuid)]
            del table.rows[known.uuid]
        if event != ROW_DELETE:
            table.rows[known.uuid] = known  # the last one now
        updates = None
        if event == ROW_UPDATE:
            former = CoreRow(row._table, row.uuid, old)
            updates = Row.over(idl, table, former, is_partial=True)
        self.notices.append(Notice(event, known, updates))

    def cleared(self) -> None:
        """The contents arrive anew."""
        for table in self._idl.tables.values():
            table.rows.clear()


class Idl:
    """A copy of a database, or of part of it, that follows it.

    `remote` is one connection method or several, separated by commas. `run` takes what
    has arrived, `wait` waits for more. To be read: `tables`, by name; `change_seqno`,
    which changes with the contents; `lock_name`, `has_lock`, `is_lock_contended`; and
    `txn`, the transaction in progress.
    """

    IDL_S_INITIAL = 0
    IDL_S_SERVER_SCHEMA_REQUESTED = 1
    IDL_S_SERVER_MONITOR_REQUESTED = 2
    IDL_S_DATA_MONITOR_REQUESTED = 3
    IDL_S_DATA_MONITOR_COND_REQUESTED = 4
    IDL_S_DATA_MONITOR_COND_SINCE_REQUESTED = 5
    IDL_S_MONITORING = 6

    def __init__(
        self,
        remote: str,
        schema_helper: SchemaHelper,
        probe_interval: int | None = None,
        leader_only: bool = True,
    ) -> None:
        assert isinstance(schema_helper, SchemaHelper)
        schema_json = schema_helper.schema_json
        schema = schema_helper.get_idl_schema()
        self._db = schema
        self.readonly = schema.readonly
        self.core = IdlCore(schema_json, leader_only=leader_only)
        self.tables = IdlTable.schema_tables(self, schema)
        self.txn: Transaction | None = None
        self._follower = _Follower(self)
        self.core.replica.observer = self._follower
        self._register()
        remotes, self.core.cs.server.cluster_id = parse_remotes(remote)
        self._session = jsonrpc.Session.open_multiple(remotes, probe_interval)
        self._last_seqno = self._session.get_seqno()

    def _register(self) -> None:
        """Let the replica follow what is in `tables`, and no more."""
        replica = self.core.replica
        for name, core_table in replica.tables.items():
            if name not in self.tables:
                core_table.need_table = False
                for column in core_table.columns.values():
                    column.monitored = False
        for name, table in self.tables.items():
            table.follow(replica.table(name), self.readonly.get(name, []))

    # State.

    @property
    def change_seqno(self) -> int:
        """Changes whenever the contents do, or a lock is obtained."""
        return self.core.replica.change_seqno

    @property
    def cond_seqno(self) -> int:
        """How many changes of conditions the server has acknowledged."""
        return self.core.cs.condition_seqno

    @property
    def lock_name(self) -> str | None:
        """The lock to hold."""
        return self.core.cs.lock_name

    @property
    def has_lock(self) -> bool:
        """Whether the lock is held."""
        return self.core.cs.has_lock

    @property
    def is_lock_contended(self) -> bool:
        """Whether somebody else holds the lock."""
        return self.core.cs.is_lock_contended

    @property
    def leader_only(self) -> bool:
        """Whether only the leader of a cluster will do."""
        return self.core.cs.leader_only

    @leader_only.setter
    def leader_only(self, leader_only: bool) -> None:
        self.core.cs.leader_only = leader_only

    @property
    def cluster_id(self) -> str | None:
        """The id of the cluster to follow, or its first characters."""
        return self.core.cs.server.cluster_id

    @property
    def last_id(self) -> str:
        """The last transaction that is known here, as the server calls it."""
        return self.core.cs.last_id

    @property
    def state(self) -> int:
        """How far the conversation with the server has got: one of IDL_S_..."""
        match self.core.cs.state:
            case cs.SERVER_SCHEMA_REQUESTED:
                return self.IDL_S_SERVER_SCHEMA_REQUESTED
            case cs.SERVER_MONITOR_REQUESTED | cs.DATA_SCHEMA_REQUESTED:
                return self.IDL_S_SERVER_MONITOR_REQUESTED
            case cs.DATA_MONITOR_REQUESTED:
                return self.IDL_S_DATA_MONITOR_REQUESTED
            case cs.MONITORING:
                return self.IDL_S_MONITORING
        return self.IDL_S_INITIAL

    def has_ever_connected(self) -> bool:
        """Whether the contents have been received once."""
        return self.core.has_contents

    def session_name(self) -> str:
        """Return the remote that is connected, or tried next."""
        return self._session.get_name()

    # Following.

    def run(self) -> bool:
        """Take what has arrived; return whether the contents changed."""
        assert not self.txn
        before = self.change_seqno
        self._flush()
        self._session.run()
        for _ in range(_BATCH):
            if self._follow_connection():
                break
            message = self._session.recv()
            if message is None:
                break
            if message.method is not None:
                self.core.cs.receive(message.method, message.params, message.id)
            else:
                self.core.cs.receive_reply(message.id, message.result, message.error)
            self._process()
        return self.change_seqno != before

    def wait(self, poller: Poller) -> None:
        """Wake `poller` up when `run` has something to do."""
        if self.core.cs.has_output() and self._session.is_connected():
            poller.immediate_wake()
            return
        self._session.wait(poller)
        self._session.recv_wait(poller)

    def close(self) -> None:
        """Drop the connection. The contents stay."""
        self._session.close()
        self.core.cs.disconnected()

    def force_reconnect(self) -> None:
        """Drop the connection and make another."""
        if self.core.cs.state == cs.MONITORING:
            self._session.reset_backoff()
        self._session.force_reconnect()

    def set_cluster_id(self, cluster_id: str | None) -> None:
        """Follow a cluster by its id, or the id's first characters."""
        self.core.cs.server.cluster_id = cluster_id
        if self.state != self.IDL_S_INITIAL:
            self.force_reconnect()

    def set_lock(self, lock_name: str | None) -> None:
        """Hold a lock, without which transactions are NOT_LOCKED; None for none."""
        assert not self.txn
        self.core.cs.set_lock(lock_name)
        self._flush()

    def cond_change(self, table_name: str, cond: list[Any]) -> int:
        """Follow only the rows that satisfy a clause of `cond`; [] means none.

        Return what `cond_seqno` will be once the rows are those. Raises: error.Error.
        """
        if table_name not in self.tables:
            raise error.Error(f'Unknown table "{table_name}"')
        return self.core.cs.set_condition(table_name, cond)

    def index_create(self, table: str, name: str) -> MultiColumnIndex:
        """Make an index of a table and return it; then add its columns."""
        return self.tables[table].rows.index_create(name)

    def index_irange(
        self, table: str, name: str, start: Any, end: Any
    ) -> Iterator[Row]:
        """Return the rows from `start` to `end` in an index, both included."""
        return self.tables[table].rows.indexes[name].irange(start, end)

    def index_equal(self, table: str, name: str, value: Any) -> Iterator[Row]:
        """Return the rows that equal `value` in an index."""
        return self.tables[table].rows.indexes[name].irange(value, value)

    # To be overridden.

    def notify(self, event: str, row: Row, updates: Row | None = None) -> None:
        """A row was created, updated or deleted, and all that came with it applied.

        `updates` has the former values of the columns that an update changed.
        """

    def cooperative_yield(self) -> None:
        """Called for each row of an update: let other green threads run here."""

    # Inside.

    def _follow_connection(self) -> bool:
        """Notice a lost or new connection; return whether there is nothing to read."""
        seqno = self._session.get_seqno()
        is_new = seqno != self._last_seqno
        self._last_seqno = seqno
        if not self._session.is_connected():
            if self.core.cs.state != cs.NOT_CONNECTED:
                self.core.cs.disconnected()
                self.core.abandon()
            return True
        if not is_new and self.core.cs.state != cs.NOT_CONNECTED:
            return False
        self._register()
        self.core.cs.session_name = self._session.get_name()
        self.core.cs.connected()
        self._process()
        return True

    def _process(self) -> None:
        """Apply what has arrived, answer, and tell the program."""
        self.core.process()
        if self.core.cs.retry is not None and self.core.cs.state == cs.RETRY:
            if self.core.cs.retry_at_once:
                self._session.reset_backoff()
            self._session.force_reconnect()
        self._flush()
        notices, self._follower.notices = self._follower.notices, []
        for notice in notices:
            self.notify(*notice)

    def _flush(self) -> None:
        if self._session.is_connected():
            for method, params, request_id in self.core.take_output():
                self._session.send(
                    jsonrpc.Message(
                        jsonrpc.Message.T_REQUEST,
                        method,
                        params,
                        None,
                        None,
                        request_id,
                    )
                )

    def send_request(self, request: jsonrpc.Message) -> int:
        """Send a request of the program's own; its answer is ignored."""
        request.id = f"program-{core_jsonrpc.new_id()}"
        return self._session.send(request)


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
        if isinstance(idl, Idl):  # and not a mock of one, which can only be given up
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


class SchemaHelper:
    """Which tables and columns to follow, of the schema in a file or as JSON.

    Without either it is Open_vSwitch's, where the system's packages install it.
    """

    def __init__(self, location: str | None = None, schema_json: Any = None) -> None:
        if location and schema_json:
            raise ValueError("both location and schema_json can't be specified")
        if schema_json is None:
            location = location or f"{dirs.PKGDATADIR}/vswitch.ovsschema"
            schema_json = json.from_file(location)
        self.schema_json = schema_json
        self._tables: dict[str, dict[str, None]] = {}  # none stands for all columns
        self._readonly: dict[str, list[str]] = {}
        self._all = False

    def register_columns(
        self, table: str, columns: list[str], readonly: list[str] | None = None
    ) -> None:
        """Follow `columns` of `table`, but `readonly` ones only when fetched."""
        assert isinstance(table, str)
        assert isinstance(columns, list)
        self._tables.setdefault(table, {}).update(dict.fromkeys(columns))
        self._readonly[table] = list(readonly or ())

    def register_table(self, table: str) -> None:
        """Follow all columns of `table`."""
        assert isinstance(table, str)
        self._tables[table] = {}

    def register_all(self) -> None:
        """Follow everything."""
        self._all = True

    def get_idl_schema(self) -> DbSchema:
        """Return the schema without what isn't followed. Raises: error.Error."""
        schema = DbSchema.from_json(self.schema_json)
        if not self._all:
            for name, columns in self._tables.items():
                assert name in schema.tables
                table = schema.tables[name]
                if columns:
                    assert all(column in table.columns for column in columns)
                    table.columns = {
                        column: table.columns[column] for column in columns
                    }
            schema.tables = {name: schema.tables[name] for name in self._tables}
        schema.readonly = self._readonly
        return schema
