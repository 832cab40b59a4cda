# SPDX-License-Identifier: Apache-2.0
"""`_Server`, the built-in database that tells clients which databases there are.

Its table Database has a row for each. A row is made anew when a database's schema
changes, so that clients notice.

Sources: ovsdb-server(5), ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.row import Row
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.transaction import Transaction
from ovswitch.runtime import json as _json

if TYPE_CHECKING:
    from ovswitch.ovsdb.server.served import Served
    from ovswitch.ovsdb.server.server import Server

NAME = "_Server"
# Read at once: later the process may be a user's who can't.
_SCHEMA = Schema.from_file(
    os.path.join(os.path.dirname(__file__), "..", "_server.ovsschema")
)


class ServerDatabase:
    """Keeps the Database table in step with what the server serves."""

    __slots__ = ("_known", "_server", "database")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[str, tuple[Served, str]] = {}  # with the row's UUID
        self.database = Database(_SCHEMA)

    def update(self, wall_ms: int) -> None:
        """Bring the table up to date."""
        table = self.database.tables["Database"]
        transaction = Transaction()
        for name, (served, uuid) in list(self._known.items()):
            if self._server.databases.get(name) is not served:
                transaction.delete(table.rows[uuid])
                del self._known[name]
        for name, served in self._server.databases.items():
            if name not in self._known:
                row = Row.default(table, uuids.generate())
                if served.is_available:
                    self._set(row, "schema", _schema_text(served))
                transaction.insert(row)
                self._known[name] = (served, row.uuid)
            self._describe(transaction.modify(table.rows[self._known[name][1]]), served)
        self.database.commit(transaction, wall_ms)

    def _describe(self, row: Row, served: Served) -> None:
        self._set(row, "name", served.name)
        self._set(row, "model", served.model)
        self._set(row, "connected", served.is_connected)
        self._set(row, "leader", served.is_leader)

    def _set(self, row: Row, name: str, atom: str | bool) -> None:
        row.fields[row.table.schema.columns[name].index] = (atom,)


def _schema_text(served: Served) -> str:
    return _json.to_string(served.database.schema.to_json(), sort=True)
