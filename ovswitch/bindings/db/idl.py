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

from ovswitch.bindings import jsonrpc
from ovswitch.bindings.db import error
from ovswitch.bindings.db.row import Row
from ovswitch.bindings.db.schema_helper import SchemaHelper
from ovswitch.bindings.db.table import ConditionState, IdlColumn, IdlTable
from ovswitch.bindings.db.transaction import Transaction
from ovswitch.ovsdb import cs
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
    from ovswitch.bindings.poller import Poller

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
