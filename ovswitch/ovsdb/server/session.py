# SPDX-License-Identifier: Apache-2.0
"""One client's conversation: JSON-RPC messages in, octets out.

`handle()` takes a message; what there is to send collects until `take_output()`.
Before any answer, and at the end of each turn, the client is told what changed in its
monitors, so that the update for a client's own transaction precedes the reply.

A session is lost (`error` is set) when the peer breaks the protocol, and `is_dropped`
when the server wants it to connect anew.

Sources: RFC 7047 section 4.1, ovsdb-server(7), ovsdb/jsonrpc-server.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.condition import Condition
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.execution import PostponedError
from ovswitch.ovsdb.parser import ARRAY, Parser, is_id
from ovswitch.ovsdb.rbac import Client
from ovswitch.ovsdb.server import locks, wire
from ovswitch.ovsdb.server.served import ForwardError, Trigger
from ovswitch.runtime import json as _json
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.monitor import Subscription
    from ovswitch.ovsdb.server.served import Served
    from ovswitch.ovsdb.server.server import Server
    from ovswitch.runtime.jsonrpc import Message

    Id = Any

_NOTIFICATIONS = {1: b"update", 2: b"update2", 3: b"update3"}
_MONITORS = {"monitor": 1, "monitor_cond": 2, "monitor_cond_since": 3}
_READ_ONLY_LOCKS = "lock and unlock methods not allowed, DB server is read only."
_EMPTY = b"{}"

_log = vlog.Module("ovsdb_jsonrpc_server")


class _RefusedError(Exception):
    """The request fails with a bare string as its error."""


class _Held:
    """The reply of a durable transaction, which a failed sync spoils."""

    __slots__ = ("request_id", "results", "served")

    def __init__(self, served: Served, results: Any, request_id: Id) -> None:
        self.served = served
        self.results = results
        self.request_id = request_id

    def __len__(self) -> int:
        """Return about how many octets it will have."""
        n_rows = sum(len(result.get("rows", ())) for result in self.results if result)
        return 200 * (len(self.results) + n_rows)


def _key(json: Any) -> Any:
    """Return what is equal for equal JSON, to look ids up."""
    if isinstance(json, str):
        return json
    return (type(json), _json.to_string(json, sort=True))


class Session:
    """A client's monitors, locks and waiting transactions.

    `client` is who it is to access control.
    """

    def __init__(
        self, server: Server, name: str, *, read_only: bool = False, role: str = ""
    ) -> None:
        self.server = server
        self.name = name
        self.read_only = read_only
        self.client = Client(role)
        self.db_change_aware = False
        self.is_dropped = False
        self.error: str | None = None
        self.may_tell = True  # whether the peer keeps up
        self.subscriptions: dict[Any, Subscription] = {}
        self.waiters: dict[str, locks.Waiter] = {}
        self.triggers: dict[Any, Trigger] = {}
        self.output_size = 0  # about how many octets there are to send
        self._output: list[bytes | _Held] = []
        server.sessions.add(self)

    # What the shell calls

    def handle(self, message: Message, now: int, wall_ms: int) -> None:
        """Act on a message."""
        method = message.method
        if method is None:
            if message.id == "echo" and message.error is None:
                return  # the answer to a probe
            self.error = f"received unexpected {message.kind} message"
        elif message.id is None:
            if method == "cancel":
                self._cancel(message.params)
        elif method == "transact":
            self._transact(message.params, message.id, now, wall_ms)
        else:
            params = message.params
            assert isinstance(params, list)
            self._request(method, params, message.id)

    def take_output(self) -> bytes:
        """Return what is to be sent, after the turn was settled."""
        output, self._output = self._output, []
        self.output_size = 0
        return b"".join(
            part if isinstance(part, bytes) else self._release(part) for part in output
        )

    def tell_changes(self) -> None:
        """Tell what changed in the monitors, if the peer keeps up."""
        if self.may_tell:
            self._flush_monitors()

    def close(self) -> None:
        """Forget the client: its monitors, locks and transactions."""
        for subscription in list(self.subscriptions.values()):
            self._unsubscribe(subscription)
        for waiter in self.waiters.values():
            self.server.locks.release(waiter)
        self.waiters.clear()
        for trigger in list(self.triggers.values()):
            self._remove_trigger(trigger)
        self.server.sessions.discard(self)
        self.server.dirty.discard(self)
        self.server.talking.discard(self)

    def reset(self) -> None:
        """Begin anew on another connection to the same peer."""
        self.close()
        self._output.clear()
        self.output_size = 0
        self.db_change_aware = False
        self.may_tell = True
        self.is_dropped = False
        self.error = None
        self.server.sessions.add(self)

    def drop(self, reason: str | None) -> None:
        """Make the client connect anew."""
        self.is_dropped = True
        self.server.talking.add(self)
        if reason is not None:
            _log.info("%s: disconnecting (%s)", self.name, reason)

    def forget_database(self, served: Served) -> None:
        """End what the client has to do with a database that goes away."""
        for subscription in list(self.subscriptions.values()):
            if subscription.view.database is served.database:
                if self.db_change_aware:
                    self._notify(b"monitor_canceled", [subscription.monitor_id])
                self._unsubscribe(subscription, served)
        for trigger in list(self.triggers.values()):
            if trigger.served is served:
                self._cancel_trigger(trigger)

    def notify_lock(self, method: str, name: str) -> None:
        """Tell the client that it got or lost a lock."""
        self._notify(method.encode(), [name])
        self.server.dirty.add(self)

    # Output

    def _emit(self, part: bytes | _Held) -> None:
        self._output.append(part)
        self.output_size += len(part)
        self.server.talking.add(self)

    def _reply(self, result: bytes, request_id: Id) -> None:
        self._flush_monitors()
        self._emit(
            b'{"id":%b,"result":%b,"error":null}' % (wire.encode(request_id), result)
        )

    def _fail(self, error: Any, request_id: Id) -> None:
        self._flush_monitors()
        self._emit(
            b'{"id":%b,"error":%b}' % (wire.encode(request_id), wire.encode(error))
        )

    def _notify(self, method: bytes, params: Any) -> None:
        self._emit(
            b'{"id":null,"method":"%b","params":%b}' % (method, wire.encode(params))
        )

    def _release(self, held: _Held) -> bytes:
        error = held.served.sync_error
        if error is not None:
            held.results.append(error.to_json())
        return b'{"id":%b,"result":%b,"error":null}' % (
            wire.encode(held.request_id),
            held.served.encode(held.results),
        )

    def _flush_monitors(self) -> None:
        for subscription in self.subscriptions.values():
            if subscription.needs_update:
                served = self.server.databases[subscription.view.database.name]
                text = subscription.take_update(served.encode)
                if text:
                    self._send_update(subscription, text)

    def _send_update(self, subscription: Subscription, text: bytes) -> None:
        last_id = b""
        if subscription.version == 3:
            served = self.server.databases[subscription.view.database.name]
            last_id = b'"%b",' % served.last_id.encode()
        self._emit(
            b'{"id":null,"method":"%b","params":[%b,%b%b]}'
            % (
                _NOTIFICATIONS[subscription.version],
                wire.encode(subscription.monitor_id),
                last_id,
                text,
            )
        )

    # Transactions

    def _transact(self, params: Any, request_id: Id, now: int, wall_ms: int) -> None:
        try:
            served = self._database("transact", params)
        except OvsdbError as error:
            self._fail(error.to_json(), request_id)
            return
        if self.triggers and _key(request_id) in self.triggers:
            refusal = syntax_error(params, "transact: duplicate request ID")
            self._fail(refusal.to_json(), request_id)
            return
        trigger = Trigger(self, served, params, request_id, now, None)
        self.try_trigger(trigger, now, wall_ms)

    def try_trigger(self, trigger: Trigger, now: int, wall_ms: int) -> None:
        """Run a transaction; it waits if it must."""
        served = trigger.served
        if trigger.is_forwarded:
            return
        try:
            results = served.database.transact(
                trigger.params,
                wall_ms,
                read_only=self.read_only or self.server.read_only,
                holds_lock=self._holds_lock,
                elapsed_ms=now - trigger.created,
                may_wait=True,
                client=self.client,
            )
        except PostponedError as postponed:
            trigger.timeout_ms = postponed.timeout_ms
            self._add_trigger(trigger)
            return
        except ForwardError:
            self._add_trigger(trigger)
            trigger.is_forwarded = True
            trigger.timeout_ms = None
            assert served.forward is not None
            served.forward(trigger)
            return
        self._remove_trigger(trigger)
        if served.needs_sync and _has_commit(trigger.params):
            self._flush_monitors()
            self._emit(_Held(served, results, trigger.request_id))
        else:
            self._reply(served.encode(results), trigger.request_id)
        self.server.dirty.add(self)

    def answer_trigger(self, trigger: Trigger, result: Any, error: Any) -> None:
        """Pass the answer to a forwarded transaction on."""
        self._remove_trigger(trigger)
        if error is None:
            self._reply(wire.encode_exactly(result), trigger.request_id)
        else:
            self._fail(error, trigger.request_id)
        self.server.dirty.add(self)

    def _holds_lock(self, name: str) -> bool:
        waiter = self.waiters.get(name)
        return waiter is not None and self.server.locks.owns(waiter)

    def _add_trigger(self, trigger: Trigger) -> None:
        key = _key(trigger.request_id)
        if key not in self.triggers:
            self.triggers[key] = trigger
            trigger.served.triggers.append(trigger)

    def _remove_trigger(self, trigger: Trigger) -> None:
        trigger.is_waiting = False
        if self.triggers.pop(_key(trigger.request_id), None) is not None:
            trigger.served.triggers.remove(trigger)

    def _cancel(self, params: Any) -> None:
        if isinstance(params, list) and len(params) == 1:
            trigger = self.triggers.get(_key(params[0]))
            if trigger is not None:
                self._cancel_trigger(trigger)

    def _cancel_trigger(self, trigger: Trigger) -> None:
        """Give a transaction up; only clients that know of it get an answer."""
        self._remove_trigger(trigger)
        if self.db_change_aware:
            self._fail("canceled", trigger.request_id)
        self.server.dirty.add(self)

    # Requests

    def _request(self, method: str, params: list[Any], request_id: Id) -> None:
        handler = _METHODS.get(method)
        if handler is None or (
            method in {"monitor_cond", "monitor_cond_since"}
            and not self.server.has_monitor_cond
        ):
            self._fail("unknown method", request_id)
            return
        try:
            result = handler(self, method, params)
        except OvsdbError as error:
            self._fail(error.to_json(), request_id)
        except _RefusedError as refusal:
            self._fail(str(refusal), request_id)
        else:
            self._reply(result, request_id)

    def _database(self, method: str, params: Any) -> Served:
        """Return the database that a request's first parameter names."""
        if not params or not isinstance(params[0], str):
            raise syntax_error(
                params, f"{method} request params must begin with <db-name>"
            )
        served = self.server.databases.get(params[0])
        if served is None:
            raise syntax_error(
                params,
                f"{method} request specifies unknown database {params[0]}",
                "unknown database",
            )
        if not served.is_available:
            raise OvsdbError(
                "database not available",
                f"{method} request specifies database {params[0]} which is not yet "
                "available because it has not completed joining its cluster",
            )
        return served

    def _list_dbs(self, _method: str, _params: list[Any]) -> bytes:
        return wire.encode(hash_order(self.server.databases, string_hash))

    def _get_schema(self, method: str, params: list[Any]) -> bytes:
        return self._database(method, params).schema_text

    def _get_server_id(self, _method: str, _params: list[Any]) -> bytes:
        return wire.encode(self.server.uuid)

    def _echo(self, _method: str, params: list[Any]) -> bytes:
        return wire.encode_exactly(params)

    def _set_db_change_aware(self, method: str, params: list[Any]) -> bytes:
        if len(params) != 1 or not isinstance(params[0], bool):
            raise syntax_error(params, f"{method}: true or false parameter expected")
        self.db_change_aware = params[0]
        return _EMPTY

    def _convert(self, method: str, params: list[Any]) -> bytes:
        served = self._database(method, params)
        self.client.check_convert(served.name)
        if len(params) != 2:
            raise syntax_error(params, "array expected")
        if self.server.convert is None:
            raise OvsdbError("not supported", "conversion is not supported")
        self.server.convert(served, params[1])
        return _EMPTY

    # Monitors

    def _monitor(self, method: str, params: list[Any]) -> bytes:
        version = _MONITORS[method]
        served = self._database(method, params)
        if len(params) < 3 or (version > 1 and len(params) != version + 1):
            raise syntax_error(params, "invalid parameters")
        monitor_id, requests = params[1], params[2]
        if not isinstance(requests, dict):
            raise syntax_error(requests, "monitor-requests must be object")
        if _key(monitor_id) in self.subscriptions:
            raise syntax_error(monitor_id, "duplicate monitor ID")
        subscription = served.subscribe(self, requests, monitor_id, version)
        if version == 3:
            try:
                _check_last_id(params[3])
            except OvsdbError:
                served.unsubscribe(subscription)
                raise
        self._flush_monitors()
        self.subscriptions[_key(monitor_id)] = subscription
        if version == 3:
            return _since(served, subscription, params[3])
        return subscription.view.initial(subscription, served.encode)

    def _monitor_cond_change(self, _method: str, params: list[Any]) -> bytes:
        if len(params) != 3:
            raise syntax_error(params, "invalid parameters")
        old_id, new_id, requests = params
        subscription = self.subscriptions.get(_key(old_id))
        if subscription is None:
            raise syntax_error(old_id, "unknown monitor session")
        if _key(new_id) != _key(old_id) and _key(new_id) in self.subscriptions:
            raise syntax_error(new_id, "duplicate monitor ID")
        if not isinstance(requests, dict):
            raise syntax_error(None, "monitor-cond-change-requests must be object")
        self._flush_monitors()
        for name, json in requests.items():
            _change_conditions(subscription, name, json)
        del self.subscriptions[_key(old_id)]
        self.subscriptions[_key(new_id)] = subscription
        subscription.monitor_id = new_id
        served = self.server.databases[subscription.view.database.name]
        text = subscription.view.condition_update(subscription, served.encode)
        if text:
            self._send_update(subscription, text)
        return _EMPTY

    def _monitor_cancel(self, _method: str, params: list[Any]) -> bytes:
        if len(params) != 1:
            raise _RefusedError("invalid parameters")
        subscription = self.subscriptions.get(_key(params[0]))
        if subscription is None:
            raise _RefusedError("unknown monitor")
        self._unsubscribe(subscription)
        return _EMPTY

    def _unsubscribe(
        self, subscription: Subscription, served: Served | None = None
    ) -> None:
        del self.subscriptions[_key(subscription.monitor_id)]
        if served is None:
            served = self.server.databases[subscription.view.database.name]
        served.unsubscribe(subscription)

    # Locks

    def _lock(self, method: str, params: list[Any]) -> bytes:
        name = self._lock_name(method, params)
        if name in self.waiters:
            raise syntax_error(params, f'must issue "unlock" before new "{method}"')
        waiter = self.server.locks.claim(self, name, method)
        self.waiters[name] = waiter
        return (
            b'{"locked":true}'
            if self.server.locks.owns(waiter)
            else b'{"locked":false}'
        )

    def _unlock(self, method: str, params: list[Any]) -> bytes:
        name = self._lock_name(method, params)
        waiter = self.waiters.pop(name, None)
        if waiter is None:
            raise syntax_error(params, f'{method}: "unlock" without "lock" or "steal"')
        self.server.locks.release(waiter)
        return _EMPTY

    def lock_status(self) -> dict[str, list[str]]:
        """Return the client's locks by what status columns call their state."""
        status: dict[str, list[str]] = {
            "locks_held": [],
            "locks_waiting": [],
            "locks_lost": [],
        }
        for name, waiter in self.waiters.items():
            if self.server.locks.owns(waiter):
                status["locks_held"].append(name)
            else:
                status["locks_lost" if waiter.lost else "locks_waiting"].append(name)
        return status

    def _lock_name(self, method: str, params: list[Any]) -> str:
        if self.read_only or self.server.read_only:
            raise _RefusedError(_READ_ONLY_LOCKS)
        if len(params) != 1 or not isinstance(params[0], str) or not is_id(params[0]):
            raise syntax_error(params, f"{method} request params must be <id>")
        return params[0]


def _has_commit(params: Any) -> bool:
    """Return whether a transaction may have asked for durability."""
    return any(
        isinstance(operation, dict) and operation.get("op") == "commit"
        for operation in params
    )


def _check_last_id(json: Any) -> None:
    if not isinstance(json, str):
        raise syntax_error(json, "last-txn-id must be string")
    if not uuids.is_valid(json):
        raise syntax_error(json, "last-txn-id must be UUID format.")


def _since(served: Served, subscription: Subscription, last_id: str) -> bytes:
    """Return the reply to `monitor_cond_since`: what changed, or everything."""
    text = served.changes_after(subscription, last_id.lower())
    found = b"false" if text is None else b"true"
    if text is None:
        text = subscription.view.initial(subscription, served.encode)
    return b'[%b,"%b",%b]' % (found, served.last_id.encode(), text)


def _change_conditions(subscription: Subscription, name: str, json: Any) -> None:
    """Replace a table's condition by those requested. Raises: OvsdbError."""
    table = subscription.view.database.tables.get(name)
    if table is None:
        raise syntax_error(None, f"no table named {name}")
    if name not in subscription.view.tables:
        raise syntax_error(None, f"no table named {name} in monitor session")
    if not isinstance(json, list):
        raise syntax_error(None, f"table {name} no monitor-cond-change JSON array")
    for request in json:
        parser = Parser(request, f"table {name}")
        columns = parser.member("columns", ARRAY, optional=True)
        where = parser.member("where", ARRAY, [], optional=True)
        parser.finish()
        if columns is not None:
            raise syntax_error(request, "changing columns is unsupported")
        condition = Condition.from_json(table.schema, where)
        subscription.change_condition(name, condition)


_METHODS: dict[str, Callable[[Session, str, list[Any]], bytes]] = {
    "list_dbs": Session._list_dbs,
    "get_schema": Session._get_schema,
    "get_server_id": Session._get_server_id,
    "echo": Session._echo,
    "set_db_change_aware": Session._set_db_change_aware,
    "convert": Session._convert,
    "monitor": Session._monitor,
    "monitor_cond": Session._monitor,
    "monitor_cond_since": Session._monitor,
    "monitor_cond_change": Session._monitor_cond_change,
    "monitor_cancel": Session._monitor_cancel,
    "lock": Session._lock,
    "steal": Session._lock,
    "unlock": Session._unlock,
}
