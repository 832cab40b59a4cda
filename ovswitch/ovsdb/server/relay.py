# SPDX-License-Identifier: Apache-2.0
"""Relay databases: served from memory, followed from and written to another server.

A relay (`relay:DB:REMOTES`) has no file. It takes schema and contents from the first
of its remotes that can give them, follows them, and serves monitors itself. A
transaction that only reads is run here; any other is tried here, for the errors that
show at once, then undone and forwarded to the source, whose answer is passed back. Its
effects come back as an update, before the answer.

Until the source has sent its schema the database is known by name but not available.
When the connection is lost, transactions whose answer is out are canceled, since
nobody knows what became of them; those not sent yet wait for the next connection.

`Relay` is a sans-IO core, like `replication`; `cs.ClientSync` is the conversation.

Sources: ovsdb-server(1), ovsdb(7), ovsdb/{relay,transaction-forward}.c.
"""

from __future__ import annotations

from collections import deque

from ovswitch.ovsdb import cs, uuids
from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.idl_session import parse_remotes
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.server import row_updates
from ovswitch.ovsdb.server.history import History
from ovswitch.ovsdb.server.served import ForwardError
from ovswitch.runtime import coverage, jsonrpc, vlog
from ovswitch.runtime.jsonrpc import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.server.served import Trigger
    from ovswitch.ovsdb.server.server import Server
    from ovswitch.ovsdb.transaction import Transaction

PREFIX = "relay:"
# A relay without connection counts as connected that long, lest clients go and return.
MAX_RECONNECTION_MS = 30_000

_MIN_CANCELED = 100
_WRITES = frozenset({"insert", "update", "mutate", "delete"})

_log = vlog.Module("relay")
_limit = vlog.RateLimit(1, 5)
_n_created = coverage.Counter("txn_forward_create")
_n_sent = coverage.Counter("txn_forward_sent")
_n_completed = coverage.Counter("txn_forward_complete")
_n_canceled = coverage.Counter("txn_forward_cancel")


class RelayDatabase(Database):
    """A copy of the source's database: `apply` changes it, transactions can't.

    `transact` raises ForwardError for a transaction that is the source's to run.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self._is_forwarding = False

    def transact(self, params: Any, wall_ms: int, **options: Any) -> Any:
        """Run a transaction that reads. Raises: PostponedError, ForwardError."""
        self._is_forwarding = _is_writing(params)
        try:
            return super().transact(params, wall_ms, **options)
        finally:
            self._is_forwarding = False

    def commit(
        self, transaction: Transaction, wall_ms: int, durable: bool = False
    ) -> None:
        """Complete a transaction, unless it is a client's that writes."""
        if self._is_forwarding:
            transaction.abort()
            raise ForwardError
        super().commit(transaction, wall_ms, durable)


def _do_nothing() -> None:
    pass


def _is_writing(params: Any) -> bool:
    return isinstance(params, list) and any(
        isinstance(operation, dict) and operation.get("op") in _WRITES
        for operation in params[1:]
    )


class Relay:
    """A relay in a server, and its conversation with the source.

    `replaced` is called when another schema has come and with it another database, at
    first without contents. `remotes` are the source's connection methods.
    """

    def __init__(
        self, specification: str, server: Server, replaced: Callable[[Database], None]
    ) -> None:
        """Serve "relay:DB:REMOTES". Raises: OvsdbError."""
        name, colon, remotes = specification[len(PREFIX) :].partition(":")
        if not colon:
            raise OvsdbError(None, f"{specification}: invalid syntax")
        self.specification = specification
        self.name = name
        if name.startswith("_"):
            raise OvsdbError(None, f'{name}: names beginning with "_" are reserved')
        if name in server.databases:
            raise OvsdbError(None, f"{name}: duplicate database name")
        self.cs = cs.ClientSync(name, self._compose_requests, leader_only=False)
        words, self.cs.server.cluster_id = parse_remotes(remotes)
        self.remotes = [word for word in words if word]
        self._server = server
        self._replaced = replaced
        self._history = History()
        self._served = server.add_database(RelayDatabase(Schema(name, {})), "relay")
        self._served.is_available = False
        self._served.is_connected = False
        self._served.history = self._history
        self._served.forward = self._forward
        self._new_schema: Schema | None = None
        self._last_connected: int | None = None
        self._new: deque[Trigger] = deque()  # to be sent, if they still wait
        self._n_waited = 0  # how many of them did when that was last looked at
        self._sent: dict[int, Trigger] = {}  # by the request's id
        self.on_output: Callable[[], None] = _do_nothing  # there may be more to send

    # What the server asks.

    def update_status(self, now: int) -> bool:
        """Note whether the source is there, or was just now; return if that is new."""
        last = self._last_connected
        is_connected = self.cs.may_transact() or (
            last is not None and now - last < MAX_RECONNECTION_MS
        )
        was_connected = self._served.is_connected
        self._served.is_connected = is_connected
        return is_connected is not was_connected

    def _forward(self, trigger: Trigger) -> None:
        """Have the source run a transaction; `trigger.answer` gets its answer."""
        _n_created.add()
        self._new.append(trigger)
        if len(self._new) > 2 * self._n_waited + _MIN_CANCELED:
            # Don't collect what clients cancel as long as there's no connection.
            self._new = deque(waiter for waiter in self._new if waiter.is_waiting)
            self._n_waited = len(self._new)
        self.on_output()

    # What the shell calls.

    @property
    def wants_reconnect(self) -> bool:
        """Whether this connection is of no use."""
        return self.cs.retry is not None

    @property
    def wants_it_at_once(self) -> bool:
        """Whether another connection may be made without waiting."""
        return self.cs.retry_at_once

    def connected(self, name: str, now: int) -> None:
        """There is a connection: begin, from where we are."""
        self.disconnected(now)
        self.cs.session_name = name
        self.cs.connected()

    def disconnected(self, now: int) -> None:
        """The connection was lost."""
        self._note_connection(now)
        self.cs.disconnected()
        sent, self._sent = self._sent, {}
        for trigger in sent.values():
            _n_canceled.add()
            trigger.answer(None, "canceled")

    def receive(self, message: Message, now: int, wall_ms: int) -> None:
        """Take a message."""
        if message.kind in {jsonrpc.REPLY, jsonrpc.ERROR}:
            self.cs.receive_reply(message.id, message.result, message.error)
        else:
            self.cs.receive(message.method, message.params, message.id)
        for event in self.cs.take_events():
            if isinstance(event, cs.Update):
                self._update(event, wall_ms)
            elif isinstance(event, cs.Reply):
                self._complete(event)
        self._note_connection(now)

    def take_output(self) -> list[Message]:
        """Return what is to be sent."""
        while self._new and self.cs.may_transact():
            trigger = self._new.popleft()
            if trigger.is_waiting:
                request_id = self.cs.transact(trigger.params[1:])
                assert request_id is not None
                _n_sent.add()
                self._sent[request_id] = trigger
        return [Message(*request) for request in self.cs.take_output()]

    def _note_connection(self, now: int) -> None:
        if self.cs.may_transact():
            self._last_connected = now

    # Contents.

    def _compose_requests(self, schema_json: Any) -> dict[str, Any]:
        """Return the monitor requests for a database with such a schema."""
        try:
            schema = Schema.from_json(schema_json)
        except OvsdbError as error:
            _log.warn("%s: Failed to parse db schema: %s", self.name, error)
            return {}
        if (
            not self._served.is_available
            or schema.to_json() != self._served.database.schema.to_json()
        ):
            # The old contents stay until the new have come.
            _log.dbg("database %s schema changed.", self.name)
            self._new_schema = schema
        else:
            self._new_schema = None
        return {name: [{}] for name in schema.tables}

    def _update(self, update: cs.Update, wall_ms: int) -> None:
        if update.initial and self._new_schema is not None:
            self._replace(self._new_schema)
            self._new_schema = None
        try:
            self._apply(update, wall_ms)
        except OvsdbError as error:
            _log.warn_rl(_limit, "%s", error)
            if error.tag == row_updates.CONSISTENCY_VIOLATION:
                self.cs.flag_inconsistency()
            else:
                self.cs.retry = str(error)
                self.cs.retry_at_once = True

    def _replace(self, schema: Schema) -> None:
        """Serve the database under another schema."""
        old = self._served
        what = "schema changed" if old.is_available else "connected to storage"
        reason = f"database {self.name} {what}"
        database = RelayDatabase(schema)
        self._served = self._server.replace_database(self.name, database, reason)
        self._served.is_connected = old.is_connected
        self._history.clear()
        self._replaced(database)

    def _apply(self, update: cs.Update, wall_ms: int) -> None:
        database = self._served.database
        make = row_updates.replace if update.clear else row_updates.apply
        transaction = make(database, update.table_updates, update.version)
        database.commit(transaction, wall_ms)
        if update.clear or update.last_id == uuids.ZERO:
            self._history.clear()
        if update.last_id != uuids.ZERO:
            self._history.add(update.last_id, transaction, database)

    def _complete(self, reply: cs.Reply) -> None:
        trigger = self._sent.pop(reply.id, None)
        if trigger is not None:
            _n_completed.add()
            trigger.answer(reply.result, reply.error)
