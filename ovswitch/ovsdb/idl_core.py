# SPDX-License-Identifier: Apache-2.0
"""What the synchronous and the asyncio IDL share: replica, conversation, transactions.

Sans-IO: messages in with `receive`, requests out with `take_output`; `process` applies
what has arrived. A shell owns the connection.
"""

from __future__ import annotations

from ovswitch.ovsdb import idl_transaction as status
from ovswitch.ovsdb.cs import ClientSync, Locked, Reconnected, Reply, Update
from ovswitch.ovsdb.replica import InconsistentError, Replica
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from ovswitch.ovsdb.cs import Request
    from ovswitch.ovsdb.idl_index import Index
    from ovswitch.ovsdb.idl_transaction import TransactionCore
    from ovswitch.ovsdb.replica import Table
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.runtime.jsonrpc import Message

    Json: TypeAlias = Any

_log = vlog.Module("ovsdb_idl")
_syntax_rl = vlog.RateLimit(1, 5)


class IdlCore:
    """A replica that follows its database.

    `schema` is the JSON of the schema that the client was written for. `eager` is for
    tools: one round trip to the contents instead of four.
    """

    __slots__ = ("_outstanding", "cs", "has_contents", "replica")

    def __init__(
        self, schema: Json, *, leader_only: bool = True, eager: bool = False
    ) -> None:
        self.replica = Replica(schema)
        self.cs = ClientSync(
            self.replica.name,
            self.replica.monitor_requests,
            leader_only=leader_only,
            change_aware=not eager,
            eager=eager,
        )
        self.has_contents = False  # whether they have been received once
        self._outstanding: dict[int, TransactionCore] = {}

    def receive(self, message: Message) -> None:
        """Take a message of the server."""
        if message.method is not None:
            self.cs.receive(message.method, message.params, message.id)
        else:
            self.cs.receive_reply(message.id, message.result, message.error)

    def take_output(self) -> list[Request]:
        """Requests to send, as (method, params, id)."""
        return self.cs.take_output()

    def process(self) -> list[TransactionCore]:
        """Apply what has arrived; return the transactions that it completes."""
        completed: list[TransactionCore] = []
        for event in self.cs.take_events():
            if isinstance(event, Update):
                self._update(event)
            elif isinstance(event, Reply):
                txn = self._outstanding.pop(event.id, None)
                if txn is not None:
                    if not txn.take_reply(event.result, event.error):
                        self.cs.flag_inconsistency()
                    completed.append(txn)
            elif isinstance(event, Reconnected):
                completed += self.abandon()
            elif isinstance(event, Locked):
                self.replica.change_seqno += 1
        return completed

    def abandon(self) -> list[TransactionCore]:
        """The connection is lost, and with it the outcome of what was in flight."""
        abandoned = list(self._outstanding.values())
        self._outstanding.clear()
        for txn in abandoned:
            txn.status = status.TRY_AGAIN
        return abandoned

    def commit(self, txn: TransactionCore) -> str:
        """Send a transaction, unless that is pointless; return its status."""
        if txn.status != status.UNCOMMITTED:
            return txn.status
        if self.cs.lock_name is not None and not self.cs.has_lock:
            txn.status = status.NOT_LOCKED
        elif not self.cs.may_transact():
            txn.status = status.TRY_AGAIN
        else:
            operations = txn.operations()
            if operations is None:
                txn.status = status.UNCHANGED
            else:
                request_id = self.cs.transact(operations)
                assert request_id is not None
                self._outstanding[request_id] = txn
                txn.status = status.INCOMPLETE
        txn.disassemble()
        return txn.status

    def abort(self, txn: TransactionCore) -> None:
        """Give a transaction up; one that is in flight may still be committed."""
        txn.disassemble()
        if txn.status in (status.UNCOMMITTED, status.INCOMPLETE):
            txn.status = status.ABORTED
            for request_id, other in list(self._outstanding.items()):
                if other is txn:
                    self.cs.forget(request_id)
                    del self._outstanding[request_id]

    def _update(self, event: Update) -> None:
        try:
            self.replica.update(
                event.table_updates,
                event.version,
                clear=event.clear,
                initial=event.initial,
            )
            self.has_contents = True
        except InconsistentError as error:
            _log.warn_rl(_syntax_rl, "%s: reconnecting IDL and resync all data", error)
            self.cs.flag_inconsistency()


class IdlBase:
    """What the blocking and the asyncio IDL have in common: the contents, and wishes.

    `tables` has the tables that are followed, `txn` is the transaction in progress.
    """

    core: IdlCore

    def _flush(self) -> None:
        """Send what the core wants sent, if there is a connection."""
        raise AssertionError("a shell sends")

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that are followed, by name."""
        return self.core.replica.tables

    @property
    def change_seqno(self) -> int:
        """Changes whenever the contents do, or a lock is obtained."""
        return self.core.replica.change_seqno

    @property
    def txn(self) -> TransactionCore | None:
        """The transaction in progress."""
        return self.core.replica.txn

    def has_ever_connected(self) -> bool:
        """Whether the contents have been received once."""
        return self.core.has_contents

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

    def set_lock(self, lock_name: str | None) -> None:
        """Hold a lock, without which transactions are NOT_LOCKED; None for none."""
        self.core.cs.set_lock(lock_name)
        self._flush()

    @property
    def cond_seqno(self) -> int:
        """How many changes of conditions the server has acknowledged."""
        return self.core.cs.condition_seqno

    def cond_change(self, table_name: str, cond: list[Json]) -> int:
        """Follow only the rows that satisfy a clause of `cond`; none for an empty one.

        Return what `cond_seqno` will be once the rows are those.
        """
        seqno = self.core.cs.set_condition(table_name, cond)
        self._flush()
        return seqno

    def index_create(self, table: str, name: str) -> Index:
        """Make an index of a table and return it; then add its columns.

        Raises: ValueError: there is one of that name.
        """
        from ovswitch.ovsdb.idl_index import Index

        return Index.create(self.tables[table], name)

    def index_equal(self, table: str, name: str, value: object) -> Iterator[Row]:
        """Return the rows that equal `value` in the index's columns."""
        return self.tables[table].indexes[name].irange(value, value)

    def index_irange(
        self, table: str, name: str, start: object, end: object
    ) -> Iterator[Row]:
        """Return the rows from `start` to `end` in the index's order, both included."""
        return self.tables[table].indexes[name].irange(start, end)
