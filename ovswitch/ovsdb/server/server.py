# SPDX-License-Identifier: Apache-2.0
"""What all sessions share: databases, locks, who has something to say.

The core has no sockets and no clock. The shell gives octets and the time to sessions,
then ends the turn with `settle()`: transactions that wait are tried, `dirty` sessions
tell what changed, durable transactions are synced; after that it sends what
`Session.take_output` of those in `talking` yields. `next_deadline` says when to do so
without any input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.server.locks import Locks
from ovswitch.ovsdb.server.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.server.session import Session


_SHOWN = ("monitors", "n-weak-refs")  # in `memory/show`, also where they are 0


class Server:
    """Databases by name, sessions, locks.

    `read_only` is set while the server is a backup of another. `convert` is called
    for a client's request to change a database's schema, and raises OvsdbError if
    it can't.
    """

    def __init__(self) -> None:
        self.uuid = uuids.generate()
        self.databases: dict[str, Served] = {}
        self.sessions: set[Session] = set()
        self.dirty: set[Session] = set()
        self.talking: set[Session] = set()
        self.locks = Locks()
        self.read_only = False
        self.has_monitor_cond = True
        self.convert: Callable[[Served, Any], None] | None = None

    def add_database(self, database: Database, model: str = "standalone") -> Served:
        """Serve a database. Clients that can't take notice of it connect anew."""
        self.reconnect(f"adding {database.name} database", force=False)
        served = Served(database, self.dirty, model)
        self.databases[database.name] = served
        return served

    def remove_database(self, name: str, reason: str | None) -> None:
        """Serve a database no more: its monitors and transactions are canceled."""
        served = self.databases.pop(name)
        for session in list(self.sessions):
            session.forget_database(served)
        self.reconnect(reason, force=False)

    def replace_database(self, name: str, database: Database, reason: str) -> Served:
        """Serve another database under the same name."""
        old = self.databases[name]
        for session in list(self.sessions):
            session.forget_database(old)
        served = Served(database, self.dirty, old.model)
        served.forward = old.forward
        served.history = old.history
        self.databases[name] = served
        self.reconnect(reason, force=False)
        return served

    def reconnect(self, reason: str | None, *, force: bool) -> None:
        """Drop connections, unless `force` only those that can't follow changes."""
        for session in list(self.sessions):
            if force or not session.db_change_aware:
                session.drop(reason)

    def settle(self, now: int, wall_ms: int) -> None:
        """End a turn: bring all consequences about, up to the sending."""
        for served in list(self.databases.values()):
            served.run_triggers(now, wall_ms)
        while self.dirty:
            session = self.dirty.pop()
            if not session.is_dropped:
                session.tell_changes()
        for served in self.databases.values():
            if served.needs_sync:
                served.sync()

    def next_deadline(self) -> int | None:
        """Return when `settle` is due even if nothing comes in."""
        deadlines = [
            deadline
            for served in self.databases.values()
            if served.triggers and (deadline := served.next_deadline()) is not None
        ]
        return min(deadlines, default=None)

    def memory_usage(self) -> dict[str, int]:
        """Return counts for `memory/show`."""
        usage = {"sessions": len(self.sessions)}
        for served in self.databases.values():
            database = served.database
            counts = {
                "atoms": database.n_atoms,
                "cells": sum(
                    len(table.rows) * len(table.defaults)
                    for table in database.tables.values()
                ),
                "monitors": len(served.views),
                "n-weak-refs": database.n_weak_refs,
                "triggers": len(served.triggers),
            }
            if served.history is not None:
                counts["txn-history"] = len(served.history)
                counts["txn-history-atoms"] = served.history.n_atoms
            for name, count in counts.items():
                usage[name] = usage.get(name, 0) + count
        return {name: count for name, count in usage.items() if count or name in _SHOWN}
