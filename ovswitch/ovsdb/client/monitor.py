# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client monitor, monitor-cond and monitor-cond-since: changes as they happen."""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.client.connection import parse_json
from ovswitch.ovsdb.client.follow import Follower
from ovswitch.ovsdb.client.monitor_output import MonitorOutput
from ovswitch.ovsdb.error import syntax_error
from ovswitch.runtime import fatal, jsonrpc, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.client.connection import Connection
    from ovswitch.ovsdb.schema import ColumnSchema, Schema, TableSchema

_METHODS = {1: "monitor", 2: "monitor_cond", 3: "monitor_cond_since"}
_NOTIFICATIONS = {"update": 1, "update2": 2, "update3": 3}
_SELECT = ("initial", "insert", "delete", "modify")

_log = vlog.Module("ovsdb_client")


def monitor(connection: Connection, args: list[str]) -> None:
    """Monitor tables without conditions."""
    _Monitor(connection, 1).run(args, None, None)


def monitor_cond(connection: Connection, args: list[str]) -> None:
    """Monitor the rows of a table that match a condition."""
    _conditional(connection, 2, args, None)


def monitor_cond_since(connection: Connection, args: list[str]) -> None:
    """Monitor such rows from a known transaction on."""
    last_id = uuids.ZERO
    if uuids.is_valid(args[0]):
        last_id, args = args[0].lower(), args[1:]
    _conditional(connection, 3, args, last_id)


def _conditional(
    connection: Connection, version: int, args: list[str], last_id: str | None
) -> None:
    from ovswitch.ovsdb.condition import Condition

    schema = connection.fetch_schema()
    table = schema.tables.get(args[1]) if len(args) > 1 else None
    if table is None:
        name = args[1] if len(args) > 1 else "(null)"
        fatal.die(f'{connection.database} does not have a table named "{name}"')
    condition = parse_json(args[0])
    if not isinstance(condition, list):
        raise syntax_error(condition, "array expected")
    Condition.from_json(table, condition)
    _Monitor(connection, version).run(args[1:], condition, last_id)


class _Monitor:
    """One monitor: its request, and the printing of what comes."""

    def __init__(self, connection: Connection, version: int) -> None:
        self._connection = connection
        self._version = version
        self._output = MonitorOutput()
        self._request = jsonrpc.Message()
        self._follower = Follower(connection, self._on_message)

    def run(self, args: list[str], condition: Any, last_id: str | None) -> None:
        """Start to monitor the tables that `args` name."""
        settings.start_daemon(keep_stderr=True)
        requests = self._requests(self._connection.fetch_schema(), args, condition)
        self._connection.announce_change_awareness()
        params: list[Any] = [self._connection.database, None, requests]
        if last_id is not None:
            params.append(last_id)
        self._request = jsonrpc.Message.request(_METHODS[self._version], params)
        self._follower.send(self._request)
        self._follower.commands = {
            "ovsdb-client/block": ("", 0, self._block),
            "ovsdb-client/unblock": ("", 0, self._unblock),
            "ovsdb-client/cond_change": ("TABLE COND", 2, self._cond_change),
        }
        self._follower.run()

    # The request

    def _requests(
        self, schema: Schema, args: list[str], condition: Any
    ) -> dict[str, Any]:
        name, *column_lists = args
        if name == "ALL":
            if condition is not None:
                fatal.die("ALL tables are not allowed with condition")
            return {
                table_name: self._table_requests(schema.tables[table_name], [], None)
                for table_name in sorted(schema.tables)
            }
        table = schema.tables.get(name)
        if table is None:
            fatal.die(
                f"{self._connection.name}: {self._connection.database} does not have "
                f'a table named "{name}"'
            )
        return {name: self._table_requests(table, column_lists, condition)}

    def _table_requests(
        self, table: TableSchema, column_lists: list[str], condition: Any
    ) -> list[dict[str, Any]]:
        shown: list[ColumnSchema] = []
        self._output.tables.append((table, shown))
        requests = [
            self._table_request(table, words, shown) for words in column_lists or [""]
        ]
        if condition is not None:
            requests[0]["where"] = condition
        return requests

    def _table_request(
        self, table: TableSchema, words: str, shown: list[ColumnSchema]
    ) -> dict[str, Any]:
        """Return the request for a list of columns and unwanted kinds of changes."""
        names = []
        select = dict.fromkeys(_SELECT, True)
        for word in words.split(","):
            if word.startswith("!") and word[1:] in select:
                select[word[1:]] = False
            elif word:
                names.append(word)
        if not names:
            names = [*sorted(c.name for c in table.ordered[2:]), "_version"]
        for name in names:
            self._add_column(table, name, shown)
        request: dict[str, Any] = {"columns": names}
        if not all(select.values()):
            request["select"] = select
        return request

    def _add_column(
        self, table: TableSchema, name: str, shown: list[ColumnSchema]
    ) -> None:
        server = self._connection.name
        column = table.columns.get(name)
        if column is None:
            fatal.die(
                f'{server}: table "{table.name}" in {self._connection.database} does '
                f'not have a column named "{name}"'
            )
        if column in shown:
            fatal.die(f'{server}: column "{name}" mentioned multiple times')
        shown.append(column)

    # What comes

    def _on_message(self, message: jsonrpc.Message) -> None:
        if message.id is not None and message.id == self._request.id:
            if message.kind == jsonrpc.REPLY:
                self._print_initial(message.result)
                settings.complete_daemon()
        elif message.method == "monitor_canceled":
            fatal.die(
                f"{self._connection.name}: {self._connection.database} database was "
                "removed"
            )
        elif message.method in _NOTIFICATIONS:
            self._on_update(_NOTIFICATIONS[message.method], message.params)

    def _on_update(self, version: int, params: Any) -> None:
        size = 3 if version == 3 else 2
        if not isinstance(params, list) or len(params) != size or params[0] is not None:
            return
        if version == 1:
            self._output.updates(params[1], is_initial=False)
        elif version == self._version == 2:
            self._output.updates2(params[1])
        elif version == self._version:
            self._output.update3(params[1], params[2])

    def _print_initial(self, result: Any) -> None:
        if self._version == 1:
            self._output.updates(result, is_initial=True)
        elif self._version == 2:
            self._output.updates2(result)
        else:
            self._output.reply3(result)

    # unixctl

    def _block(self, _args: list[str]) -> str:
        if self._follower.is_blocked:
            return "already blocking"
        self._follower.is_blocked = True
        return ""

    def _unblock(self, _args: list[str]) -> str:
        if not self._follower.is_blocked:
            return "already unblocked"
        self._follower.is_blocked = False
        return ""

    def _cond_change(self, args: list[str]) -> str:
        change = {args[0]: [{"where": parse_json(args[1])}]}
        params: list[Any] = [None, None, change]
        self._follower.send(jsonrpc.Message.request("monitor_cond_change", params))
        _log.dbg("cond change %s %s", args[0], args[1])
        return "condition changed"
