# SPDX-License-Identifier: Apache-2.0
"""The IDL on the event loop, for daemons.

The asyncio shell over `idl_core`: a task follows the database, reconnects, and sets
`changed` whenever the contents, the lock or the connection change. A daemon's own task
waits for that, clears it and looks at the tables; with `Table.track` set these tell
what changed.

A transaction is built without awaiting anything in between: updates that arrive while
one is in progress wait until it has been committed or aborted.

    idl = AioIdl("unix:db.sock", helper)
    idl.set_lock("ovs_vswitchd")
    await idl.connect()
    txn = AioTransaction(idl)
    row.status = {"key": "value"}
    status = await txn.commit()
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ovswitch.ovsdb import idl_transaction as status
from ovswitch.ovsdb.idl_core import IdlCore
from ovswitch.ovsdb.idl_session import parse_remotes, shuffled
from ovswitch.ovsdb.idl_transaction import TransactionCore
from ovswitch.runtime.aio_jsonrpc import Session
from ovswitch.runtime.jsonrpc import Message
from ovswitch.runtime.loop import Group

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.idl import SchemaHelper
    from ovswitch.ovsdb.replica import Table
    from ovswitch.ovsdb.replica_row import Row

_BATCH = 50


class AioIdl:
    """Follows the database at `remote`, and for good: it reconnects forever."""

    def __init__(
        self,
        remote: str,
        schema_helper: SchemaHelper,
        *,
        probe_interval: int | None = None,
        leader_only: bool = True,
        notify: Callable[[str, Row, set[str]], None] | None = None,
    ) -> None:
        self.core = IdlCore(schema_helper.schema_json, leader_only=leader_only)
        schema_helper.apply(self.core.replica)
        self.core.replica.notify = notify
        self.changed = asyncio.Event()
        remotes, self.core.cs.server.cluster_id = parse_remotes(remote)
        if len(remotes) > 1:
            remotes = shuffled(remotes)
        self._session = Session(remotes)
        if probe_interval is not None:
            self._session.set_probe_interval(probe_interval)
        self._tasks = Group("idl")
        self._waiting: dict[TransactionCore, asyncio.Future[str]] = {}
        self._received = asyncio.Event()  # the contents, for the first time

    # State.

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that are followed, by name."""
        return self.core.replica.tables

    @property
    def change_seqno(self) -> int:
        """Changes whenever the contents do."""
        return self.core.replica.change_seqno

    @property
    def txn(self) -> TransactionCore | None:
        """The transaction in progress."""
        return self.core.replica.txn

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._session.is_connected

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
    def last_error(self) -> int:
        """Error number of the last failure of the connection."""
        return self._session.last_error

    @property
    def cond_seqno(self) -> int:
        """How many changes of conditions the server has acknowledged."""
        return self.core.cs.condition_seqno

    def has_ever_connected(self) -> bool:
        """Whether the contents have been received once."""
        return self.core.has_contents

    # Following.

    def start(self) -> None:
        """Begin to follow the database."""
        self._session.start()
        self._tasks.spawn("idl", self._follow())

    async def connect(self) -> None:
        """Begin to follow the database and wait for its contents."""
        self.start()
        await self._received.wait()

    async def close(self) -> None:
        """End it. The contents stay; transactions in flight are TRY_AGAIN."""
        await self._session.close()
        await self._tasks.close()
        self.core.cs.disconnected()
        self._complete(self.core.abandon())

    def set_lock(self, name: str | None) -> None:
        """Hold a lock, without which transactions are NOT_LOCKED; None for none."""
        self.core.cs.set_lock(name)
        self._flush()

    def cond_change(self, table_name: str, cond: list[Any]) -> int:
        """Follow only the rows that satisfy a clause of `cond`.

        Return what `cond_seqno` will be once the rows are those.
        """
        seqno = self.core.cs.set_condition(table_name, cond)
        self._flush()
        return seqno

    def clear_tracked(self) -> None:
        """Forget what has changed so far, in all tables."""
        self.core.replica.clear_tracked()

    # Inside.

    async def _follow(self) -> None:
        while self._session.is_alive:
            message = await self._session.receive()
            if message is None:
                self._reconnected()
            for _ in range(_BATCH):
                if message is not None:
                    self.core.receive(message)
                message = self._session.try_receive()
                if message is None:
                    break
            self._process()

    def _reconnected(self) -> None:
        if self._session.is_connected:
            self.core.cs.connected()
        else:
            self.core.cs.disconnected()
            self._complete(self.core.abandon())
        self.changed.set()

    def _process(self) -> None:
        """Apply what has arrived, unless a transaction is being built."""
        if self.core.replica.txn is not None:
            return
        before, had_lock = self.change_seqno, self.has_lock
        self._complete(self.core.process())
        if self.core.cs.retry is not None and self._session.is_connected:
            self._session.force_reconnect()
        self._flush()
        if self.change_seqno != before or self.has_lock != had_lock:
            self.changed.set()
        if self.has_ever_connected():
            self._received.set()

    def _complete(self, transactions: list[TransactionCore]) -> None:
        for txn in transactions:
            future = self._waiting.pop(txn, None)
            if future is not None and not future.done():
                future.set_result(txn.status)

    def _flush(self) -> None:
        if self._session.is_connected:
            for method, params, request_id in self.core.take_output():
                self._session.send(Message(method, params, request_id))

    def commit(self, txn: TransactionCore) -> asyncio.Future[str]:
        """Send a transaction; the future's result is its final status."""
        future = self._waiting.get(txn)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            if self.core.commit(txn) == status.INCOMPLETE:
                self._waiting[txn] = future
            else:
                future.set_result(txn.status)
            self._process()
        return future

    def abort(self, txn: TransactionCore) -> None:
        """Give a transaction up."""
        self.core.abort(txn)
        self._complete([txn])
        self._process()


class AioTransaction(TransactionCore):
    """A transaction on an `AioIdl`, which has at most one in progress."""

    __slots__ = ("idl",)

    def __init__(self, idl: AioIdl) -> None:
        super().__init__(idl.core.replica)
        self.idl = idl

    def commit(self) -> asyncio.Future[str]:
        """Send the transaction at once; the future's result is its final status.

        Nobody has to await it. TRY_AGAIN: somebody else was faster; build the
        transaction again once the contents have changed.
        """
        return self.idl.commit(self)

    def abort(self) -> None:
        """Give the transaction up, if it wasn't committed yet."""
        self.idl.abort(self)
