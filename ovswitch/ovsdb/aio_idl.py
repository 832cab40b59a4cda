# SPDX-License-Identifier: Apache-2.0
"""The IDL on the event loop, for daemons and other asyncio programs.

The asyncio shell over `idl_core`: a task follows the database, reconnects, and sets
`changed` whenever the contents, the lock or the connection change. A daemon's own task
waits for that, clears it and looks at the tables; with `Table.track` set these tell
what changed. `wait_change` is for who shares an `AioIdl` with others.

A transaction is built without awaiting anything in between: updates that arrive while
one is in progress wait until it has been committed or aborted.

    async with AioIdl("unix:db.sock", helper) as idl:
        bridges = idl.tables["Bridge"].rows.values()
        txn = AioTransaction(idl)
        for bridge in bridges:
            bridge.status = {"key": "value"}
        status = await txn.commit()

Everything awaited here may be cancelled: a transaction that was sent may then still be
committed. What the server sends is read as fast as it is applied: no queue grows.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ovswitch.ovsdb import idl_transaction as status
from ovswitch.ovsdb.idl_core import IdlBase, IdlCore
from ovswitch.ovsdb.idl_session import parse_remotes, shuffled
from ovswitch.ovsdb.idl_transaction import TransactionCore
from ovswitch.runtime.aio_jsonrpc import Session
from ovswitch.runtime.jsonrpc import Message
from ovswitch.runtime.loop import Group

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeVar

    from ovswitch.ovsdb.idl import SchemaHelper
    from ovswitch.ovsdb.replica_row import Row

    T = TypeVar("T")

_BATCH = 50


class TransactionError(Exception):
    """A transaction failed for good: `status` is ERROR or NOT_LOCKED."""

    def __init__(self, status: str, details: str) -> None:
        super().__init__(details)
        self.status = status


class AioIdl(IdlBase):
    """Follows the database at `remote`, and for good: it reconnects forever.

    `remote` is one connection method or several, separated by commas. `notify` is
    called with (event, row, columns) for each change of a row, after the update that
    brought it has been applied.
    """

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
        self._next_change = asyncio.Event()
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
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._session.is_connected

    def session_name(self) -> str:
        """Return the remote that is connected, or tried next."""
        return self._session.name

    @property
    def last_error(self) -> int:
        """Error number of the last failure of the connection."""
        return self._session.last_error

    # Following.

    def start(self) -> None:
        """Begin to follow the database."""
        self._session.start()
        self._tasks.spawn("idl", self._follow())

    async def connect(self) -> None:
        """Begin to follow the database and wait for its contents."""
        self.start()
        await self._received.wait()

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def wait_change(self, seqno: int | None = None) -> int:
        """Wait for a change of contents, lock or connection; return `change_seqno`.

        With `seqno`, what `change_seqno` was before, not if it has changed since.
        """
        if seqno is None or seqno == self.change_seqno:
            await self._next_change.wait()
        return self.change_seqno

    async def transact(self, build: Callable[[AioTransaction], T]) -> T:
        """Commit what `build(txn)` makes and return its result.

        It is called again whenever somebody else was faster or the connection was lost,
        each time with the contents as they are then. Raises: TransactionError.
        """
        while True:
            seqno = self.change_seqno
            txn = AioTransaction(self)
            try:
                result = build(txn)
                outcome = await txn.commit()
            finally:
                if txn.status == status.UNCOMMITTED:
                    txn.abort()
            if outcome in (status.SUCCESS, status.UNCHANGED):
                return result
            if outcome != status.TRY_AGAIN:
                raise TransactionError(outcome, txn.get_error())
            await self.wait_change(seqno)

    async def close(self) -> None:
        """End it. The contents stay; transactions in flight are TRY_AGAIN."""
        await self._session.close()
        await self._tasks.close()
        self.core.cs.disconnected()
        self._complete(self.core.abandon())

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
            self.core.cs.session_name = self._session.name
            self.core.cs.connected()
        else:
            self.core.cs.disconnected()
            self._complete(self.core.abandon())
        self._announce()

    def _announce(self) -> None:
        self.changed.set()
        self._next_change.set()
        self._next_change = asyncio.Event()

    def _process(self) -> None:
        """Apply what has arrived, unless a transaction is being built."""
        if self.core.replica.txn is not None:
            return
        before, had_lock = self.change_seqno, self.has_lock
        self._complete(self.core.process())
        if self.core.cs.retry is not None and self._session.is_connected:
            if self.core.cs.retry_at_once:
                self._session.reset_backoff()
            self._session.force_reconnect()
        self._flush()
        if self.change_seqno != before or self.has_lock != had_lock:
            self._announce()
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
