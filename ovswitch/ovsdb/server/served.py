# SPDX-License-Identifier: Apache-2.0
"""A database while it is served: its monitors, waiting transactions, pending sync.

Durable transactions of one turn of the server share a sync. Their answers are held
back (`Session.take_output`) until `sync()` has settled whether they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.monitor import Subscription, View, parse_requests
from ovswitch.ovsdb.schema_text import ordered_json
from ovswitch.ovsdb.server import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.server.history import History
    from ovswitch.ovsdb.server.session import Session
    from ovswitch.ovsdb.transaction import Transaction


class ForwardError(Exception):
    """A transaction is for the server to run from which the database is relayed."""


class Trigger:
    """A transaction that waits for a change of the database or for its deadline.

    One that was forwarded waits for its answer only. `is_waiting` ends when it is done
    or given up.
    """

    __slots__ = (
        "created",
        "is_forwarded",
        "is_waiting",
        "params",
        "request_id",
        "served",
        "session",
        "timeout_ms",
    )

    def __init__(
        self,
        session: Session,
        served: Served,
        params: Any,
        request_id: Any,
        created: int,
        timeout_ms: int | None,
    ) -> None:
        self.session = session
        self.served = served
        self.params = params
        self.request_id = request_id
        self.created = created
        self.timeout_ms = timeout_ms
        self.is_forwarded = False
        self.is_waiting = True

    def answer(self, result: Any, error: Any) -> None:
        """Tell the client what became of a forwarded transaction, if it still waits."""
        if self.is_waiting:
            self.session.answer_trigger(self, result, error)

    @property
    def deadline(self) -> int | None:
        """When it is tried for the last time, None for never."""
        return None if self.timeout_ms is None else self.created + self.timeout_ms


class Served:
    """A database with its clients.

    `model` is what `_Server` tells: "standalone" or "relay". `tried_serial` is the
    database's serial when the triggers were last tried. A relay has `forward`, which
    has a transaction run elsewhere, and a `history`; until it knows its schema it isn't
    available.
    """

    __slots__ = (
        "_schema_text",
        "database",
        "dirty",
        "encode",
        "forward",
        "history",
        "is_available",
        "is_connected",
        "is_leader",
        "model",
        "sync_error",
        "tried_serial",
        "triggers",
        "views",
    )

    def __init__(
        self, database: Database, dirty: set[Session], model: str = "standalone"
    ) -> None:
        self.database = database
        self.dirty = dirty
        self.model = model
        self.is_available = True
        self.is_connected = True
        self.is_leader = model != "relay"
        self.forward: Callable[[Trigger], None] | None = None
        self.history: History | None = None
        self.views: dict[tuple[Any, ...], View] = {}
        self.triggers: list[Trigger] = []
        self.tried_serial = database.serial
        self.sync_error: OvsdbError | None = None
        self.encode = wire.encoder(has_reals=_has_reals(database))
        self._schema_text: bytes | None = None
        database.observers.append(self._committed)

    @property
    def name(self) -> str:
        """The database's name."""
        return self.database.name

    @property
    def schema_text(self) -> bytes:
        """The schema as JSON."""
        if self._schema_text is None:
            self._schema_text = wire.encode_exactly(ordered_json(self.database.schema))
        return self._schema_text

    # Monitors

    def subscribe(
        self, owner: Session, requests: dict[str, Any], monitor_id: Any, version: int
    ) -> Subscription:
        """Begin a monitor. Raises: OvsdbError."""
        tables, conditions = parse_requests(self.database, requests, version)
        view = View(self.database, tables)
        view = self.views.setdefault(view.key(), view)
        return Subscription(view, owner, monitor_id, version, conditions)

    @property
    def last_id(self) -> str:
        """The id of the last transaction, zero if transactions have none."""
        return uuids.ZERO if self.history is None else self.history.last_id

    def changes_after(self, subscription: Subscription, last_id: str) -> bytes | None:
        """Return the text of what a new monitor missed; None if that isn't known."""
        changes = None if self.history is None else self.history.changes_after(last_id)
        if changes is None:
            return None
        return subscription.view.catch_up(subscription, changes, self.encode)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a monitor."""
        subscription.close()
        view = subscription.view
        if not view.subscriptions:
            self.views.pop(view.key(), None)

    def _committed(self, transaction: Transaction) -> None:
        for view in self.views.values():
            if view.commit(transaction):
                self.dirty.update([s.owner for s in view.subscriptions])

    # Durability

    @property
    def needs_sync(self) -> bool:
        """Whether durable transactions wait for a sync."""
        storage = self.database.storage
        return storage is not None and storage.needs_sync

    def sync(self) -> None:
        """Make durable transactions so; `sync_error` tells if that failed."""
        storage = self.database.storage
        self.sync_error = None
        if storage is not None and storage.needs_sync:
            try:
                storage.sync_pending()
            except OvsdbError as error:
                self.sync_error = error

    # Waiting transactions

    def next_deadline(self) -> int | None:
        """Return when a trigger times out first."""
        deadlines = [t.deadline for t in self.triggers if t.deadline is not None]
        return min(deadlines, default=None)

    def has_work(self, now: int) -> bool:
        """Return whether a trigger should be tried."""
        if not self.triggers:
            return False
        if self.tried_serial != self.database.serial:
            return True
        deadline = self.next_deadline()
        return deadline is not None and now >= deadline

    def run_triggers(self, now: int, wall_ms: int) -> None:
        """Try the transactions that wait, again while they change the database."""
        while self.has_work(now):
            changed = self.tried_serial != self.database.serial
            self.tried_serial = self.database.serial
            for trigger in list(self.triggers):
                is_late = trigger.deadline is not None and now >= trigger.deadline
                if changed or is_late:
                    trigger.session.try_trigger(trigger, now, wall_ms)


def _has_reals(database: Database) -> bool:
    return any(
        "real" in {column.type.key.type, column.type.value.type}
        for table in database.tables.values()
        for column in table.schema.ordered
    )
