# SPDX-License-Identifier: Apache-2.0
"""Client synchronisation: the conversation by which a client follows a database.

A sans-IO state machine between a connection's messages and a replica. It finds out
whether the server is a useful one (the ``_Server`` database of clustered servers),
chooses the best ``monitor`` method the server knows, resumes from the last known
transaction after a reconnection, changes conditions, holds a lock and matches replies
with transactions. The owner of the connection tells it what arrives, sends what
`take_output` yields, and drops the connection when `retry` is set.

States: NOT CONNECTED -> SERVER SCHEMA -> SERVER MONITOR -> DATA SCHEMA -> DATA MONITOR
(``monitor_cond_since``, then ``monitor_cond``, then ``monitor`` for ever older servers)
-> MONITORING. With `eager`, for short-lived tools, both monitor requests leave at once
and the schemas are asked for only if the server refuses one: one round trip, not four.

Sources: RFC 7047 section 4.1, ovsdb-server(7), lib/ovsdb-cs.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.cs_server import SERVER_COLUMNS, STALE, ServerDatabase
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Json: TypeAlias = Any
    Request: TypeAlias = tuple[str, list[Json], int | None]

_log = vlog.Module("ovsdb_cs")
_syntax_rl = vlog.RateLimit(5, 5)

ZERO_UUID = "00000000-0000-0000-0000-000000000000"

NOT_CONNECTED = "NOT_CONNECTED"
SERVER_SCHEMA_REQUESTED = "SERVER_SCHEMA_REQUESTED"
SERVER_MONITOR_REQUESTED = "SERVER_MONITOR_REQUESTED"
DATA_SCHEMA_REQUESTED = "DATA_SCHEMA_REQUESTED"
DATA_MONITOR_REQUESTED = "DATA_MONITOR_REQUESTED"
MONITORING = "MONITORING"
RETRY = "RETRY"

_METHODS = {1: "monitor", 2: "monitor_cond", 3: "monitor_cond_since"}
_UPDATES = {"update": 1, "update2": 2, "update3": 3}


class Update:
    """New contents for the replica.

    `table_updates` is the JSON of an ``update`` (version 1) or ``update2`` (2 and 3)
    notification; `clear` says that it replaces all that was known before. `last_id` is
    the transaction after which the contents are these, if the server knows.
    """

    __slots__ = ("clear", "initial", "last_id", "table_updates", "version")

    def __init__(
        self,
        table_updates: Json,
        version: int,
        *,
        clear: bool,
        initial: bool,
        last_id: str = ZERO_UUID,
    ) -> None:
        self.table_updates = table_updates
        self.version = version
        self.clear = clear
        self.initial = initial
        self.last_id = last_id


class Reply:
    """The server's answer to the transaction with request id `id`."""

    __slots__ = ("error", "id", "result")

    def __init__(self, request_id: int, result: Json, error: Json) -> None:
        self.id = request_id
        self.result = result
        self.error = error


class Locked:
    """The lock was obtained."""

    __slots__ = ()


class Reconnected:
    """A new connection: transactions in flight are lost, their outcome unknown."""

    __slots__ = ()


if TYPE_CHECKING:
    Event: TypeAlias = Update | Reply | Locked | Reconnected


class Condition:
    """Which rows of a table are wanted: last acknowledged, in flight and next.

    A condition is a JSON list of clauses that a row must satisfy one of, or booleans.
    """

    __slots__ = ("acknowledged", "new", "requested")

    def __init__(self) -> None:
        self.acknowledged: Json = [True]
        self.requested: Json = None
        self.new: Json = None

    @property
    def latest(self) -> Json:
        """The condition most recently asked for by the client."""
        if self.new is not None:
            return self.new
        return self.acknowledged if self.requested is None else self.requested

    def acknowledge(self) -> None:
        """The server has applied what was requested."""
        if self.requested is not None:
            self.acknowledged, self.requested = self.requested, None


class ClientSync:
    """Follows `database` over a connection that somebody else owns.

    `compose(schema)` gives the monitor requests as a JSON object, given the JSON schema
    that the server sent, or None when it wasn't asked for. Events accumulate until
    `take_events`; the owner takes both after each call.
    """

    __slots__ = (
        "_compose",
        "_data_schema",
        "_events",
        "_monitor_id",
        "_monitor_request",
        "_next_id",
        "_output",
        "_request_id",
        "_server_monitor_id",
        "_server_request",
        "_transactions",
        "change_aware",
        "condition_seqno",
        "conditions",
        "database",
        "eager",
        "has_lock",
        "is_lock_contended",
        "last_id",
        "leader_only",
        "lock_name",
        "lock_request",
        "monitor_version",
        "retry",
        "retry_at_once",
        "server",
        "server_version",
        "session_name",
        "state",
    )

    def __init__(
        self,
        database: str,
        compose: Callable[[Json], dict[str, Json]],
        *,
        leader_only: bool = True,
        change_aware: bool = True,
        eager: bool = False,
    ) -> None:
        self.database = database
        self._compose = compose
        self.leader_only = leader_only
        self.change_aware = change_aware
        self.eager = eager
        self.server = ServerDatabase()
        self.session_name = "void"  # the connection's name, for the log
        self.state = NOT_CONNECTED
        self.retry: str | None = None
        self.retry_at_once = False  # or with the waits of a failed try
        self.monitor_version = 0
        self.server_version = 0
        self.last_id = ZERO_UUID
        self.conditions: dict[str, Condition] = {}
        self.condition_seqno = 0
        self.lock_name: str | None = None
        self.lock_request: int | None = None
        self.has_lock = False
        self.is_lock_contended = False
        self._monitor_id = ["monid", database]
        self._server_monitor_id = ["monid", "_Server"]
        self._data_schema: Json = None
        self._request_id: int | None = None
        self._server_request: int | None = None
        self._monitor_request = 0
        self._transactions: set[int] = set()
        self._next_id = 0
        self._output: list[Request] = []
        self._events: list[Event] = []

    # The connection's side.

    def connected(self) -> None:
        """A connection has been made: begin the conversation."""
        self.retry = None
        self._output.clear()
        self._transactions.clear()
        self._events.append(Reconnected())
        if self.lock_name is not None:
            self._send_lock("lock")
        self._restart()

    def disconnected(self) -> None:
        """The connection is gone; the contents stay as they were."""
        self.state = NOT_CONNECTED
        self.monitor_version = self.server_version = 0
        self._request_id = self._server_request = None
        self._output.clear()
        self.has_lock = False

    def take_output(self) -> list[Request]:
        """Requests to send, as (method, params, id)."""
        self._send_condition_change()
        output, self._output = self._output, []
        return output

    def take_events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    def receive(self, method: str | None, params: Json, request_id: Json) -> None:
        """Take a notification of the server; anything unknown is ignored."""
        if method is None or request_id is not None or not isinstance(params, list):
            return
        version = _UPDATES.get(method)
        if version is not None:
            self._receive_update(version, params)
        elif method in ("locked", "stolen"):
            self._receive_lock(method, params)
        elif method == "monitor_canceled":
            self._receive_canceled(params)

    def receive_reply(self, request_id: Json, result: Json, error: Json) -> None:
        """Take the answer to one of our requests."""
        if not isinstance(request_id, int):
            return
        if request_id == self._server_request:
            self._server_request = None
            self._server_monitored(result, error)
        elif request_id == self._request_id:
            self._request_id = None
            self._answered(result, error)
        elif request_id == self.lock_request:
            self.lock_request = None
            if error is None:
                self._lock_answered(result)
        elif request_id in self._transactions:
            self._transactions.discard(request_id)
            self._events.append(Reply(request_id, result, error))

    # The client's side.

    def has_output(self) -> bool:
        """Whether `take_output` would yield anything."""
        return bool(self._output) or (
            self._may_change_conditions()
            and any(c.new is not None for c in self.conditions.values())
        )

    def may_transact(self) -> bool:
        """Whether a transaction can be sent now."""
        return self.state == MONITORING and (self.lock_name is None or self.has_lock)

    def transact(self, operations: list[Json]) -> int | None:
        """Send `operations` (without the database's name); return the request's id."""
        if not self.may_transact():
            return None
        if self.lock_name is not None:
            operations = [*operations, {"op": "assert", "lock": self.lock_name}]
        request_id = self._send("transact", [self.database, *operations])
        self._transactions.add(request_id)
        return request_id

    def forget(self, request_id: int) -> None:
        """No longer report the reply to a transaction."""
        self._transactions.discard(request_id)

    def set_lock(self, name: str | None) -> None:
        """Hold the lock `name` from now on, or none."""
        if name == self.lock_name:
            return
        connected = self.state != NOT_CONNECTED
        if self.lock_name is not None:
            if connected:
                self._send_lock("unlock")
                self.lock_request = None
            self.has_lock = self.is_lock_contended = False
        self.lock_name = name
        if name is not None and connected:
            self._send_lock("lock")

    def set_condition(self, table: str, condition: list[Json]) -> int:
        """Ask for other rows of `table`.

        Return what `condition_seqno` will be once the rows are there.
        """
        state = self.conditions.get(table)
        if state is None:
            state = self.conditions[table] = Condition()
        condition = _normalised(condition)
        if condition != state.latest:
            state.new = condition
        if state.new is None:
            return self.condition_seqno + (state.requested is not None)
        in_flight = any(c.requested is not None for c in self.conditions.values())
        return self.condition_seqno + in_flight + 1

    def flag_inconsistency(self) -> None:
        """What the server sent does not fit the contents: begin from nothing."""
        self.last_id = ZERO_UUID
        self._retry("row update received for inconsistent IDL")

    # Sending.

    def _send(self, method: str, params: list[Json]) -> int:
        request_id = self._next_id
        self._next_id += 1
        self._output.append((method, params, request_id))
        return request_id

    def _send_lock(self, method: str) -> None:
        self.has_lock = False
        self.lock_request = self._send(method, [self.lock_name])

    def _send_server_monitor(self, columns: list[str]) -> int:
        requests = {"Database": [{"columns": columns}]}
        return self._send(
            "monitor_cond", ["_Server", self._server_monitor_id, requests]
        )

    def _send_monitor(self, version: int) -> None:
        requests = self._compose(self._data_schema)
        if version > 1:
            for table, condition in self.conditions.items():
                request = requests.setdefault(table, [{"columns": []}])
                request[0]["where"] = condition.acknowledged
        params: list[Json] = [self.database, self._monitor_id, requests]
        if version == 3:
            params.append(self.last_id)
        self._monitor_request = version
        self._request_id = self._send(_METHODS[version], params)
        self.state = DATA_MONITOR_REQUESTED

    def _send_schema_request(self) -> None:
        self._request_id = self._send("get_schema", [self.database])
        self.state = DATA_SCHEMA_REQUESTED

    def _may_change_conditions(self) -> bool:
        return (
            self.state == MONITORING
            and self.monitor_version > 1
            and self._request_id is None
        )

    def _send_condition_change(self) -> None:
        if not self._may_change_conditions():
            return
        changes = {}
        for table, condition in self.conditions.items():
            if condition.new is not None:
                condition.requested, condition.new = condition.new, None
                changes[table] = [{"where": condition.requested}]
        if changes:
            self._request_id = self._send(
                "monitor_cond_change", [self._monitor_id, self._monitor_id, changes]
            )

    # The state machine.

    def _restart(self) -> None:
        self._sync_conditions()
        self.monitor_version = self.server_version = 0
        self.server.clear()
        self._data_schema = None
        if self.eager:
            columns = [c for c in SERVER_COLUMNS if c != "schema"]
            self._server_request = self._send_server_monitor(columns)
            self._send_monitor(3)
        else:
            self._request_id = self._send("get_schema", ["_Server"])
            self.state = SERVER_SCHEMA_REQUESTED

    def _answered(self, result: Json, error: Json) -> None:
        """Take the reply to the one request that the state machine waits for."""
        match self.state:
            case "SERVER_SCHEMA_REQUESTED":
                if error is None:
                    self._server_request = self._send_server_monitor(
                        _known_columns(result, "Database", SERVER_COLUMNS)
                    )
                    self.state = SERVER_MONITOR_REQUESTED
                else:
                    self._send_schema_request()
            case "DATA_SCHEMA_REQUESTED":
                if error is None:
                    self._data_schema = result
                    self._send_monitor(3)
                else:
                    self._unexpected(error)
            case "DATA_MONITOR_REQUESTED":
                self._data_monitored(result, error)
            case "MONITORING":
                for condition in self.conditions.values():
                    condition.acknowledge()
                self.condition_seqno += 1
            case _:
                pass

    def _server_monitored(self, result: Json, error: Json) -> None:
        if error is None and isinstance(result, dict):
            self.server_version = 2
            self.server.update(result)
            if self._check_server() and self.change_aware:
                self._send("set_db_change_aware", [True])
        if self.state == SERVER_MONITOR_REQUESTED:
            self._send_schema_request()

    def _data_monitored(self, result: Json, error: Json) -> None:
        version = self._monitor_request
        if error is None:
            self._monitor_accepted(result, version)
        elif self._data_schema is None:
            self._send_schema_request()  # we had guessed; now do it properly
        elif version > 1:
            self._send_monitor(version - 1)
        else:
            self._unexpected(error)

    def _monitor_accepted(self, result: Json, version: int) -> None:
        clear = True
        last_id = ZERO_UUID
        if version == 3:
            if not _is_monitor_since_reply(result):
                _log.warn("bad monitor_cond_since reply format")
                self._retry("bad monitor_cond_since reply format")
                return
            clear = not result[0]
            self.last_id = last_id = result[1]
            result = result[2]
        self.monitor_version = version
        self.state = MONITORING
        self._events.append(
            Update(result, version, clear=clear, initial=True, last_id=last_id)
        )

    def _unexpected(self, error: Json) -> None:
        _log.info_rl(
            _syntax_rl,
            "%s: received unexpected error response in %s state: %s",
            self.session_name,
            self.state,
            error,
        )
        self._retry("unexpected error response")

    def _retry(self, reason: str) -> None:
        self.retry = reason
        self.retry_at_once = self.state == MONITORING
        self.state = RETRY

    def _sync_conditions(self) -> None:
        """Make conditions fit a new conversation.

        Resuming is only right with the conditions that the server had acknowledged;
        with one in flight nobody knows which it used, so everything is asked anew.
        """
        if any(c.requested is not None for c in self.conditions.values()):
            self.last_id = ZERO_UUID
        if self.last_id == ZERO_UUID:
            for condition in self.conditions.values():
                condition.acknowledged = condition.latest
                condition.requested = condition.new = None

    # Notifications.

    def _receive_update(self, version: int, params: list[Json]) -> None:
        if len(params) != (3 if version == 3 else 2):
            _log.warn("%s has wrong number of parameters", version)
        elif params[0] == self._monitor_id:
            last_id = ZERO_UUID
            if version == 3 and isinstance(params[1], str):
                self.last_id = last_id = params[1]
            self._events.append(
                Update(params[-1], version, clear=False, initial=False, last_id=last_id)
            )
        elif params[0] == self._server_monitor_id and self.server_version:
            self.server.update(params[-1])
            self._check_server()

    def _receive_lock(self, method: str, params: list[Json]) -> None:
        if self.lock_name is None or params[:1] != [self.lock_name]:
            return
        if method == "locked":
            self._set_has_lock()
        else:
            self.has_lock = False
            self.is_lock_contended = True

    def _lock_answered(self, result: Json) -> None:
        if isinstance(result, dict) and result.get("locked") is True:
            self._set_has_lock()
        elif self.lock_name is not None:
            self.is_lock_contended = True

    def _set_has_lock(self) -> None:
        if not self.has_lock:
            self.has_lock = True
            self.is_lock_contended = False
            self._events.append(Locked())

    def _receive_canceled(self, params: list[Json]) -> None:
        """A database was removed or converted: cancel the other monitor, restart."""
        if params == [self._monitor_id]:
            other, version = self._server_monitor_id, self.server_version
        elif params == [self._server_monitor_id]:
            other, version = self._monitor_id, self.monitor_version
        else:
            return
        if version:
            self._send("monitor_cancel", [other])
        self._restart()

    def _check_server(self) -> bool:
        """Say whether this server can serve us; if not, ask for a new connection."""
        name = self.session_name
        if self.server.find(self.database) is None:
            _log.info_rl(
                _syntax_rl, "%s: server does not have %s database", name, self.database
            )
            self._retry("server does not have the database")
            return False
        problem = self.server.problem(self.database, leader_only=self.leader_only)
        if problem is not None:
            level = vlog.WARN if problem == STALE else vlog.INFO
            _log.log(level, "%s: %s; trying another server", name, problem)
            self._retry(problem)
            return False
        return True


def _normalised(condition: list[Json]) -> list[Json]:
    """No clause at all is never true."""
    return condition or [False]


def _known_columns(schema: Json, table: str, columns: tuple[str, ...]) -> list[str]:
    """Those of `columns` that `table` of a JSON schema has; all if that is unclear."""
    try:
        known = schema["tables"][table]["columns"]
        return [column for column in columns if column in known]
    except (KeyError, TypeError):
        return list(columns)


def _is_monitor_since_reply(result: Json) -> bool:
    return (
        isinstance(result, list)
        and len(result) == 3
        and isinstance(result[0], bool)
        and isinstance(result[1], str)
    )
