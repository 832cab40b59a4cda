# SPDX-License-Identifier: Apache-2.0
"""Active-backup replication: the backup's conversation with the active server.

A sans-IO state machine. The owner of the connection says when it was made, hands over
what arrives and sends what `take_output` yields. What it learns is committed to the
local databases, which clients can't write to meanwhile.

States, in this order; a new connection begins with the first again:

- SERVER_ID: who is it? A server can't replicate itself.
- DATABASES: which databases has it?
- SCHEMAS: may those that we have too be replicated? The schemas must be equal, or ours
  must have all that theirs has. Databases that fail this are left alone.
- MONITORS: asked for all rows; with each answer a database becomes a copy.
- REPLICATING: notifications are applied as they come.
- FAILED: for good; the owner ends it, and the server becomes an active one.

Excluded tables are neither asked for nor touched.

Sources: ovsdb-server(1), ovsdb(7), ovsdb/replication.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.server import row_updates
from ovswitch.runtime import jsonrpc, vlog
from ovswitch.runtime.jsonrpc import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.database import Database

INIT = "INIT"
SERVER_ID = "SERVER_ID_REQUESTED"
DATABASES = "DB_REQUESTED"
SCHEMAS = "SCHEMA_REQUESTED"
MONITORS = "MONITOR_REQUESTED"
REPLICATING = "REPLICATING"
FAILED = "ERR"

DEFAULT_PROBE_INTERVAL_MS = 60_000

_log = vlog.Module("replication")
_error_log = vlog.Module("ovsdb_error")
_limit = vlog.RateLimit(1, 1)


class Excluded:
    """Tables that aren't replicated, from "DB:TABLE,DB:TABLE..."."""

    __slots__ = ("_tables",)

    def __init__(self, text: str | None) -> None:
        self._tables: dict[str, set[str]] = {}
        for word in (text or "").replace(",", " ").split(" "):
            if word:
                database, table = _split(word)
                self._tables.setdefault(database, set()).add(table)

    def of(self, database: str) -> set[str]:
        """Return the tables of a database that are excluded."""
        return self._tables.get(database, set())

    def __str__(self) -> str:
        names = [
            f"{d}:{table}" for d, tables in self._tables.items() for table in tables
        ]
        return ",".join(sorted(names))


def _split(word: str) -> tuple[str, str]:
    """Split at the first colon that doesn't begin the word."""
    n_colons = len(word) - len(word.lstrip(":"))
    database, _, table = word[n_colons:].partition(":")
    return word[:n_colons] + database, table


class Replication:
    """Makes databases copies of another server's.

    `find` gives a database of ours by its name, if it is to be replicated. `server_id`
    is our own. `wall_ms`, the time of day in milliseconds, is when commits are made.
    """

    def __init__(
        self,
        source: str,
        excluded: Excluded,
        server_id: str,
        find: Callable[[str], Database | None],
    ) -> None:
        self.source = source
        self.excluded = excluded
        self.state = INIT
        self._server_id = server_id
        self._find = find
        # Those that can be replicated, with the schema that the active server has.
        self._replicated: dict[str, Schema] = {}
        self._requests: dict[int, str] = {}  # to which database, "" for none
        self._output: list[Message] = []

    # What the shell calls.

    @property
    def wants_reconnect(self) -> bool:
        """Whether the connection should be made anew: never."""
        return False

    wants_it_at_once = wants_reconnect

    @property
    def has_failed(self) -> bool:
        """Whether it is over."""
        return self.state == FAILED

    def connected(self, _name: str, _now: int) -> None:
        """There is a connection: begin."""
        self._requests.clear()
        self._output.clear()
        self._request("get_server_id", [])
        _log.dbg("send server ID request.")
        self.state = SERVER_ID

    def disconnected(self, _now: int) -> None:
        """The connection was lost: what we have remains, and so does the state."""
        self._requests.clear()
        self._output.clear()

    def receive(self, message: Message, _now: int, wall_ms: int) -> None:
        """Take a message."""
        if self.state == FAILED:
            return
        try:
            if message.kind == jsonrpc.NOTIFY and message.method == "update":
                self._notified(message.params, wall_ms)
            elif message.kind == jsonrpc.REPLY:
                self._answered(message, wall_ms)
        except OvsdbError as error:
            _error_log.err_rl(_limit, "unexpected ovsdb error: %s", error)
            self.state = FAILED

    def take_output(self) -> list[Message]:
        """Return what is to be sent."""
        output, self._output = self._output, []
        return output

    def status(self) -> str:
        """Return what `sync-status` tells."""
        if self.state == FAILED:
            return f"Replication to ({self.source}) failed\n"
        if self.state != REPLICATING:
            return f"connecting: {self.source}"
        names = ", ".join(hash_order(self._replicated, string_hash))
        text = f"replicating: {self.source}\ndatabase: {names}".rstrip()
        excluded = str(self.excluded)
        return f"{text}\nexclude: {excluded}" if excluded else text

    # The conversation.

    def _request(self, method: str, params: list[Any], database: str = "") -> None:
        request = Message.request(method, params)
        assert isinstance(request.id, int)
        self._requests[request.id] = database
        self._output.append(request)

    def _answered(self, message: Message, wall_ms: int) -> None:
        request_id = message.id
        if not isinstance(request_id, int) or request_id not in self._requests:
            _log.warn("received unexpected reply")
            return
        name = self._requests.pop(request_id)
        result: Any = message.result
        if self.state == SERVER_ID:
            self._identified(result)
        elif self.state == DATABASES:
            self._listed(result)
        elif self.state == SCHEMAS:
            self._got_schema(result)
        elif self.state == MONITORS:
            self._monitored(name, result, wall_ms)

    def _identified(self, result: Any) -> None:
        server_id = uuids.parse(result) if isinstance(result, str) else None
        if server_id is None:
            raise OvsdbError("get_server_id failed", "Server ID is not valid UUID")
        if server_id == self._server_id:
            raise OvsdbError(
                "Server ID check failed", "Self replicating is not allowed"
            )
        self._request("list_dbs", [])
        self._replicated.clear()
        self.state = DATABASES

    def _listed(self, result: Any) -> None:
        if not isinstance(result, list):
            raise OvsdbError("list_dbs failed", "list_dbs response is not array")
        for name in result:
            if isinstance(name, str) and self._find(name) is not None:
                self._request("get_schema", [name], name)
        _log.dbg("Send schema requests")
        self.state = SCHEMAS

    def _got_schema(self, result: Any) -> None:
        schema = Schema.from_json(result)
        database = self._find(schema.name)
        if database is None:
            _log.warn("unexpected schema %s", schema.name)
            self.state = FAILED
            return
        if _can_replicate(database.schema, schema):
            self._replicated[schema.name] = schema
        if not self._requests:
            self._send_monitors()

    def _send_monitors(self) -> None:
        if not self._replicated:
            _log.warn("Nothing to replicate.")
            self.state = FAILED
            return
        for name, schema in self._replicated.items():
            excluded = self.excluded.of(name)
            tables: dict[str, Any] = {
                table: [{}] for table in sorted(schema.tables) if table not in excluded
            }
            self._request("monitor", [name, name, tables], name)
            _log.dbg("Send monitor requests")
        self.state = MONITORS

    def _monitored(self, name: str, result: Any, wall_ms: int) -> None:
        _log.info("Monitor request received. Resetting the database")
        database = self._find(name)
        if database is not None:
            excluded = self.excluded.of(name)
            transaction = row_updates.replace(database, result, 1, excluded)
            database.commit(transaction, wall_ms)
        if not self._requests:
            _log.dbg("Listening to monitor updates")
            self.state = REPLICATING

    def _notified(self, params: Any, wall_ms: int) -> None:
        if not isinstance(params, list) or len(params) != 2:
            return
        name, updates = params
        if not isinstance(name, str) or name not in self._replicated:
            return
        database = self._find(name)
        if database is not None:
            database.commit(row_updates.apply(database, updates, 1), wall_ms)


def _can_replicate(ours: Schema, theirs: Schema) -> bool:
    """Return whether contents under their schema fit ours; say so if it isn't equal."""
    if ours.to_json() == theirs.to_json():
        return True
    name = theirs.name
    _log.info(
        "Schema version mismatch, checking if %s can still be replicated or not.", name
    )
    mismatch = _mismatch(ours, theirs)
    if mismatch is None:
        _log.info("%s can be replicated.", name)
        return True
    _log.info("%s", mismatch)
    _log.info("%s cannot be replicated.", name)
    return False


def _mismatch(ours: Schema, theirs: Schema) -> str | None:
    """Return what their schema has that ours hasn't got, or has otherwise."""
    for name, table in theirs.tables.items():
        own_table = ours.tables.get(name)
        if own_table is None:
            return f"Table {name} not present in the local db schema"
        for column in table.ordered:
            own = own_table.columns.get(column.name)
            where = f"local db schema table {name}."
            if own is None:
                return f"Column {column.name} not present in the {where}"
            if own.to_json() != column.to_json():
                return f"Column {column.name} mismatch in {where}"
    return None
