# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client lock, steal, unlock and wait."""

from __future__ import annotations

from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.client.connection import default_remote
from ovswitch.ovsdb.client.follow import Follower
from ovswitch.runtime import clock, fatal, json, jsonrpc, reconnect, target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.client.connection import Connection


def lock(connection: Connection, args: list[str]) -> None:
    """Wait for a lock."""
    _Locker(connection).run("lock", args[0])


def steal(connection: Connection, args: list[str]) -> None:
    """Take a lock away from its owner."""
    _Locker(connection).run("steal", args[0])


def unlock(connection: Connection, args: list[str]) -> None:
    """Give a lock up."""
    _Locker(connection).run("unlock", args[0])


class _Locker:
    """Sends requests about locks one after the other, prints what comes."""

    def __init__(self, connection: Connection) -> None:
        self._follower = Follower(connection, self._on_message)
        self._request: jsonrpc.Message | None = None
        self._next: tuple[str, str] | None = None

    def run(self, method: str, name: str) -> None:
        settings.start_daemon(keep_stderr=False)
        for command in ("unlock", "steal", "lock"):
            self._follower.commands[command] = ("LOCK", 1, self._command(command))
        self._send(method, name)
        self._follower.run()

    def _command(self, method: str) -> Any:
        def function(args: list[str]) -> str:
            if self._request is None:
                self._send(method, args[0])
            elif self._next is None:
                self._next = (method, args[0])
            return ""

        return function

    def _send(self, method: str, name: str) -> None:
        self._request = jsonrpc.Message.request(method, [name])
        self._follower.send(self._request)

    def _on_message(self, message: jsonrpc.Message) -> None:
        if message.kind == jsonrpc.NOTIFY:
            settings.write(f"{message.method}\n")
            settings.write_json(message.params)
        elif self._request is not None and message.id == self._request.id:
            if message.kind != jsonrpc.REPLY:
                return
            settings.write_json(message.result)
            self._request = None
            settings.complete_daemon()
            if self._next is not None:
                (method, name), self._next = self._next, None
                self._send(method, name)


def wait(_connection: Any, args: list[str]) -> None:
    """Wait until a database is there, connected or gone, over reconnections."""
    *remotes, database, state = args
    request = _wait_request(database, state)
    remote = remotes[0] if remotes else default_remote()
    fsm = reconnect.Reconnect(clock.now())
    fsm.set_name(remote)
    if not target.needs_probes(remote):
        fsm.set_probe_interval(0)
    fsm.enable(clock.now())
    while True:
        if fsm.run(clock.now()) == reconnect.CONNECT:
            fsm.connecting(clock.now())
            try:
                client = jsonrpc.Client(remote)
            except OSError as error:
                fsm.connect_failed(clock.now(), error.errno or 0)
            else:
                fsm.connected(clock.now())
                _wait_on(client, request, fsm)
        _sleep(fsm.timeout(clock.now()))


def _sleep(timeout_ms: int | None) -> None:
    import time

    if timeout_ms:
        time.sleep(timeout_ms / 1000)


def _wait_on(
    client: jsonrpc.Client, request: list[Any], fsm: reconnect.Reconnect
) -> None:
    """Wait on one connection; return when it is lost, exit when done."""
    from ovswitch.ovsdb.client.dump import check_results

    try:
        reply = client.call("set_db_change_aware", [True])
        if reply.error is not None:
            text = json.to_string(reply.error)
            fatal.die(f"{client.name}: set_db_change_aware failed ({text})")
        reply = client.call("transact", request)
    except OSError as error:
        fsm.disconnected(clock.now(), error.errno or 0)
        client.close()
        return
    check_results(reply.result)
    raise SystemExit(0)


def _wait_request(database: str, state: str) -> list[Any]:
    operation: dict[str, Any] = {
        "op": "wait",
        "table": "Database",
        "where": [["name", "==", database]],
        "columns": [],
        "until": "==",
        "rows": [{}],
    }
    if state == "connected":
        operation["columns"] = ["connected"]
        operation["rows"] = [{"connected": True}]
    elif state == "removed":
        operation["rows"] = []
    elif state != "added":
        fatal.die(f"{state}: unknown state")
    return ["_Server", operation]
